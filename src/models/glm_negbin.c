/* Negative binomial regression: theta by maximum likelihood, in turn with the coefficients.
 * Lawless (1987), doi:10.2307/3314912; Venables & Ripley (2002), section 7.4. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_sf_psi.h>

#include "models/glm_internal.h"

enum { MOST_TABLED = 4096, MOST_ROUNDS = 200, MOST_STEPS = 200 };

/* For each k, the weight of the counts above k: digamma(y + theta) - digamma(theta) is the sum of 1 / (theta + k), k
 * < y. */
typedef struct counts {
    size_t n;
    double *above;
} counts;

static bd_status tabulate(const glm_model *m, bd_arena *arena, counts *c)
{
    double most = 0;
    for (size_t i = 0; i < m->n; i++)
        most = fmax(most, m->y[i]);
    c->n = most < MOST_TABLED ? (size_t)most : MOST_TABLED;
    BD_NEW(arena, c->above, c->n + 1);
    for (size_t i = 0; i < m->n; i++)
        if (m->y[i] >= 1 && glm_weight(m, i) > 0)
            c->above[m->y[i] < (double)c->n ? (size_t)m->y[i] - 1 : c->n - 1] += glm_weight(m, i);
    for (size_t k = c->n; k-- > 1;)
        c->above[k - 1] += c->above[k];
    return BD_OK;
}

/* First derivative of the log-likelihood in theta, and the second with the sign turned. */
static void score_theta(const glm_model *m, const counts *c, const double *mu, double theta, double *score,
                        double *information)
{
    double u = 0, information_sum = 0;
    for (size_t k = 0; k < c->n; k++) {
        u += c->above[k] / (theta + (double)k);
        information_sum += c->above[k] / ((theta + (double)k) * (theta + (double)k));
    }
    for (size_t i = 0; i < m->n; i++) {
        const double y = m->y[i], w = glm_weight(m, i), both = mu[i] + theta, apart = (mu[i] - y) / both;
        if (w == 0)
            continue;
        u += w * (apart - log1p(mu[i] / theta));
        information_sum += w * (apart / both - mu[i] / (theta * both));
        if (y > (double)c->n) {
            const double from = theta + (double)c->n;
            u += w * (gsl_sf_psi(theta + y) - gsl_sf_psi(from));
            information_sum += w * (gsl_sf_psi_1(from) - gsl_sf_psi_1(theta + y));
        }
    }
    *score = u;
    *information = information_sum;
}

/* Whether counts vary more about mu than Poisson's would: the sign of the derivative in 1 / theta at 0. */
static bool is_overdispersed(const glm_model *m, const double *mu)
{
    double excess = 0;
    for (size_t i = 0; i < m->n; i++)
        if (glm_weight(m, i) > 0)
            excess += glm_weight(m, i) * ((m->y[i] - mu[i]) * (m->y[i] - mu[i]) - m->y[i]);
    return excess > 0;
}

static double first_theta(const glm_model *m, const double *mu)
{
    double weights = 0, squares = 0;
    for (size_t i = 0; i < m->n; i++) {
        const double apart = m->y[i] / mu[i] - 1;
        weights += glm_weight(m, i);
        squares += glm_weight(m, i) > 0 ? glm_weight(m, i) * apart * apart : 0;
    }
    return squares > 0 ? weights / squares : 1;
}

bd_status glm_theta(const glm_model *m, const double *mu, double begin, bd_arena *arena, double *out, double *se)
{
    *out = INFINITY;
    *se = NAN;
    if (!is_overdispersed(m, mu))
        return BD_OK;
    const bd_mark scratch = bd_arena_mark(arena);
    counts c;
    double theta = begin > 0 && isfinite(begin) ? begin : first_theta(m, mu), score, information;
    BD_TRY(tabulate(m, arena, &c));
    for (size_t step = 0; step < MOST_STEPS; step++) {
        score_theta(m, &c, mu, theta, &score, &information);
        const double change = information > 0 ? score / (theta * information) : copysign(1, score);
        theta *= exp(fmax(-1.5, fmin(1.5, change)));
        if (fabs(change) < 1e-15 || (step > 20 && fabs(change) < 1e-12))
            break;
    }
    score_theta(m, &c, mu, theta, &score, &information);
    *se = sqrt(1 / information);
    *out = theta;
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}

/* By turns from the coefficients that stand; ends with an infinite theta where there is none. */
static bd_status alternate(glm_model *m, bd_arena *arena, double *se)
{
    double theta;
    for (size_t round = 0; m->end == BD_GLM_CONVERGED && round < MOST_ROUNDS; round++) {
        const double before = m->theta;
        BD_TRY(glm_theta(m, m->mu, before, arena, &theta, se));
        m->theta = theta;
        BD_TRY(glm_iterate(m, true, arena));
        if (!isfinite(theta)) {
            m->end = m->end == BD_GLM_CONVERGED ? BD_GLM_NO_OVERDISPERSION : m->end;
            return BD_OK;
        }
        if (fabs(theta - before) <= 1e-13 * theta)
            return BD_OK;
    }
    m->end = m->end == BD_GLM_CONVERGED ? BD_GLM_NOT_CONVERGED : m->end;
    return BD_OK;
}

/* Poisson's is a maximum; a higher one may stand at a theta near 1, where other coefficients go with it. */
static bd_status try_elsewhere(glm_model *m, bd_arena *arena, double *se)
{
    const double poisson = glm_log_likelihood(m, m->mu, m->theta, m->deviance);
    double *beta;
    BD_NEW(arena, beta, m->p);
    memcpy(beta, m->beta, m->p * sizeof *beta);
    m->theta = 1;
    BD_TRY(glm_iterate(m, true, arena));
    BD_TRY(alternate(m, arena, se));
    if (m->end == BD_GLM_CONVERGED && glm_log_likelihood(m, m->mu, m->theta, m->deviance) > poisson)
        return BD_OK;
    memcpy(m->beta, beta, m->p * sizeof *beta);
    m->theta = INFINITY;
    *se = NAN;
    BD_TRY(glm_iterate(m, true, arena));
    m->end = m->end == BD_GLM_CONVERGED ? BD_GLM_NO_OVERDISPERSION : m->end;
    return BD_OK;
}

bd_status glm_iterate_negbin(glm_model *m, bd_arena *arena, double *se)
{
    *se = NAN;
    m->theta = INFINITY; /* Poisson */
    BD_TRY(glm_iterate(m, false, arena));
    BD_TRY(alternate(m, arena, se));
    return m->end == BD_GLM_NO_OVERDISPERSION ? try_elsewhere(m, arena, se) : BD_OK;
}
