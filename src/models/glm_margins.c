/* Average marginal effects of a generalised model, with errors by the delta method. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "models/glm_internal.h"

glm_wald glm_test(double estimate, double se, double df, double level)
{
    glm_wald wald = {NAN, NAN, NAN, NAN};
    if (!(df > 0) || !(se >= 0) || !isfinite(se))
        return wald;
    const bool normal = isinf(df);
    const double upper = 0.5 + level / 2, size = fabs(estimate / se);
    const double margin = se * (normal ? gsl_cdf_ugaussian_Pinv(upper) : gsl_cdf_tdist_Pinv(upper, df));
    wald.statistic = estimate / se;
    wald.p = 2 * (normal ? gsl_cdf_ugaussian_Q(size) : gsl_cdf_tdist_Q(size, df));
    wald.low = estimate - margin;
    wald.high = estimate + margin;
    return wald;
}

static double prior_of(const bd_glm_design *design, size_t row)
{
    return design->base.weights == NULL ? 1 : design->base.weights[row];
}

static bool is_binary(const bd_glm_design *design, const double *x)
{
    for (size_t i = 0; i < design->base.n_rows; i++)
        if (x[i] != 0 && x[i] != 1)
            return false;
    return true;
}

static double value_at(const bd_glm_design *design, size_t column, size_t row)
{
    const double *x = glm_column(design, column);
    return x == NULL ? 1 : x[row];
}

/* Whose effect is sought, and where. */
typedef struct target {
    const bd_glm_design *design;
    const bd_glm *fit;
    const size_t *factors;
    size_t j;
} target;

/* Whether column k is 0 in a row whose column j is set to 0 or 1. */
static bool is_other_level(const target *t, size_t k)
{
    return k == t->j || (t->factors != NULL && t->factors[k] == t->factors[t->j]);
}

/* Adds a row's share of the effect and of its gradient in the coefficients. Slope: f(eta) b_j, gradient f'(eta) b_j x
 * + f(eta) e_j. Change: F(eta1) - F(eta0), gradient f(eta1) x1 - f(eta0) x0. */
static void add_row(const target *t, size_t row, double share, bd_glm_margin *m, double *gradient)
{
    const bd_glm *fit = t->fit;
    const double b = fit->coefficients[t->j].estimate, eta = fit->linear_predictor[row];
    double etas[2] = {eta, eta}, mu[2], slope[2];
    for (size_t k = 0; m->discrete && k < fit->n_columns; k++)
        if (is_other_level(t, k))
            etas[0] -= value_at(t->design, k, row) * fit->coefficients[k].estimate;
    if (m->discrete)
        etas[1] = etas[0] + b;
    fit->link->inverse(2, etas, mu, slope);
    m->estimate += m->discrete ? share * (mu[1] - mu[0]) : share * slope[1] * b;
    const double common = share * (m->discrete ? slope[1] - slope[0] : fit->link->curvature(eta, mu[1], slope[1]) * b);
    for (size_t k = 0; k < fit->n_columns; k++)
        if (!m->discrete || !is_other_level(t, k))
            gradient[k] += common * value_at(t->design, k, row);
    gradient[t->j] += share * slope[1];
}

static void find_margin(const target *t, double total, double *gradient, bd_glm_margin *m)
{
    const bd_glm *fit = t->fit;
    const size_t p = fit->n_columns;
    double variance = 0;
    memset(gradient, 0, p * sizeof *gradient);
    for (size_t i = 0; i < fit->n_rows; i++)
        if (prior_of(t->design, i) > 0)
            add_row(t, i, prior_of(t->design, i) / total, m, gradient);
    for (size_t k = 0; k < p; k++)
        for (size_t l = 0; l < p; l++)
            variance += gradient[k] * fit->covariance[k * p + l] * gradient[l];
    m->se = sqrt(variance);
    const glm_wald wald = glm_test(m->estimate, m->se, m->df, fit->level);
    m->statistic = wald.statistic;
    m->p = wald.p;
    m->ci_low = wald.low;
    m->ci_high = wald.high;
}

bd_status bd_glm_margins(const bd_glm_design *design, const bd_glm *fit, const size_t *factors, bd_arena *arena,
                         const bd_glm_margin **out)
{
    if (fit->end == BD_GLM_SEPARATED || fit->end == BD_GLM_NOT_CONVERGED)
        return bd_fail(BD_ENUMERIC, "the model has no finite estimates, so it has no marginal effects");
    bd_glm_margin *margins;
    double *gradient, total = 0;
    BD_NEW(arena, margins, fit->n_columns);
    BD_NEW(arena, gradient, fit->n_columns);
    for (size_t i = 0; i < fit->n_rows; i++)
        total += prior_of(design, i);
    for (size_t j = 0; j < fit->n_columns; j++) {
        const double *x = glm_column(design, j);
        bd_glm_margin *m = margins + j;
        if (x == NULL) {
            *m = (bd_glm_margin){false, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
            continue;
        }
        m->discrete = is_binary(design, x);
        m->df = fit->coefficients[j].df;
        find_margin(&(target){design, fit, factors, j}, total, gradient, m);
    }
    *out = margins;
    return BD_OK;
}
