/* Generalised linear models: the fit, its errors, and what is reported of it. */
#include <float.h>
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "models/glm_internal.h"

enum { DEFAULT_ITERATIONS = 100 };

static bd_status new_fit(const bd_glm_design *design, bd_arena *arena, bd_glm **out)
{
    const size_t p = design->base.n_columns, n = design->base.n_rows;
    bd_glm *fit;
    BD_NEW(arena, fit, 1);
    BD_NEW(arena, fit->coefficients, p);
    BD_NEW(arena, fit->covariance, p * p);
    BD_NEW(arena, fit->linear_predictor, n);
    BD_NEW(arena, fit->mu, n);
    fit->n_rows = n;
    fit->n_columns = p;
    *out = fit;
    return BD_OK;
}

/* Successes become shares, and trials weights. */
static bd_status prepare_response(glm_model *m, bd_arena *arena)
{
    const bd_glm_design *design = m->design;
    double *y, *weights;
    m->y = design->base.response;
    m->weights = design->base.weights;
    if (design->trials == NULL)
        return BD_OK;
    BD_NEW(arena, y, m->n);
    BD_NEW(arena, weights, m->n);
    for (size_t i = 0; i < m->n; i++) {
        y[i] = design->base.response[i] / design->trials[i];
        weights[i] = design->trials[i] * (design->base.weights == NULL ? 1 : design->base.weights[i]);
    }
    m->y = y;
    m->weights = weights;
    return BD_OK;
}

static bd_status new_model(glm_model *m, bd_arena *arena)
{
    const size_t p = m->p, n = m->n;
    BD_NEW(arena, m->beta, p);
    BD_NEW(arena, m->residual, n);
    BD_NEW(arena, m->working, n);
    BD_NEW(arena, m->triangle, (p + 1) * (p + 1));
    if (m->eta == NULL)
        BD_NEW(arena, m->eta, n);
    if (m->mu == NULL)
        BD_NEW(arena, m->mu, n);
    if (m->separating == NULL)
        BD_NEW(arena, m->separating, p);
    if (m->direction == NULL)
        BD_NEW(arena, m->direction, p);
    return BD_OK;
}

/* The mean of each row without predictors: the intercept alone, or the offset alone. */
static bd_status fit_null(const glm_model *full, bd_arena *arena, glm_model *null)
{
    bd_glm_design *design;
    BD_NEW(arena, design, 1);
    *design = *full->design;
    *null = *full;
    null->design = design;
    null->p = design->base.n_columns = design->base.has_intercept;
    null->eta = null->mu = null->direction = NULL;
    null->separating = NULL;
    null->edge_checked = true;
    BD_TRY(new_model(null, arena));
    if (design->base.has_intercept && design->offset != NULL)
        return glm_iterate(null, false, arena);
    glm_start_at_mean(null);
    null->end = BD_GLM_CONVERGED;
    null->deviance = glm_evaluate(null);
    return BD_OK;
}

static bd_status describe_null(const glm_model *m, bd_arena *arena, bd_glm *fit)
{
    glm_model null;
    double se;
    BD_TRY(fit_null(m, arena, &null));
    fit->df_null = (double)m->n_used - (double)null.p;
    fit->null_deviance = null.deviance;
    fit->null_log_likelihood = NAN;
    if (m->family->has_theta && null.p > 0)
        BD_TRY(glm_iterate_negbin(&null, arena, &se));
    else if (m->family->has_theta)
        BD_TRY(glm_theta(&null, null.mu, m->theta, arena, &null.theta, &se));
    fit->null_log_likelihood = glm_log_likelihood(&null, null.mu, null.theta, null.deviance);
    return BD_OK;
}

static bd_status test_firth(const glm_model *m, bd_arena *arena, bd_glm *fit)
{
    glm_model null = *m;
    double penalised;
    null.eta = null.mu = null.direction = NULL;
    null.separating = NULL;
    BD_TRY(new_model(&null, arena));
    BD_TRY(glm_iterate_firth(&null, m->design->base.has_intercept, arena, &penalised));
    fit->whole_statistic = fmax(0, 2 * (fit->penalised_log_likelihood - penalised));
    return BD_OK;
}

static bd_status test_whole(const glm_model *m, bd_arena *arena, bd_glm *fit)
{
    fit->whole_df = fit->df_null - fit->df_residual;
    fit->whole_df_residual = m->family->known_dispersion ? INFINITY : fit->df_residual;
    fit->whole_statistic = fit->whole_p = NAN;
    if (fit->whole_df < 1 || m->end == BD_GLM_NOT_CONVERGED)
        return BD_OK;
    if (fit->firth)
        BD_TRY(test_firth(m, arena, fit));
    else if (m->family->known_dispersion)
        fit->whole_statistic = fmax(0, 2 * (fit->log_likelihood - fit->null_log_likelihood));
    else
        fit->whole_statistic = fmax(0, fit->null_deviance - fit->deviance) / fit->whole_df / fit->dispersion;
    fit->whole_p = m->family->known_dispersion
                       ? gsl_cdf_chisq_Q(fit->whole_statistic, fit->whole_df)
                       : gsl_cdf_fdist_Q(fit->whole_statistic, fit->whole_df, fit->df_residual);
    return BD_OK;
}

/* What mu counts where it happened, and where it did not. */
typedef struct tjur_weights {
    double event, other;
} tjur_weights;

static double tjur_of(const glm_model *m, const void *context, size_t row)
{
    const tjur_weights *t = context;
    return glm_weight(m, row) * m->mu[row] * (m->y[row] == 1 ? t->event : t->other);
}

static double event_of(const glm_model *m, const void *context, size_t row)
{
    (void)context;
    return glm_weight(m, row) * m->y[row];
}

/* Mean fitted probability where it happened less that where it did not. */
static double tjur(const glm_model *m)
{
    if (m->family->response != GLM_BINARY || m->design->trials != NULL)
        return NAN;
    const double events = glm_sum(m, event_of, NULL), others = glm_sum_of_weights(m) - events;
    return glm_sum(m, tjur_of, &(tjur_weights){1 / events, -1 / others});
}

static double pearson_of(const glm_model *m, const void *context, size_t row)
{
    (void)context;
    const double apart = m->y[row] - m->mu[row];
    return glm_weight(m, row) * apart * apart / m->family->variance(m->mu[row], m->theta);
}

static bd_status describe_fit(const glm_model *m, bd_arena *arena, bd_glm *fit)
{
    const double n = (double)m->n_used, p = (double)m->p;
    const bool one_more = m->family->has_theta || !m->family->known_dispersion;
    fit->deviance = m->deviance;
    fit->df_residual = n - p;
    fit->pearson = glm_sum(m, pearson_of, NULL);
    fit->dispersion = fit->pearson / fit->df_residual;
    fit->log_likelihood = glm_log_likelihood(m, m->mu, m->theta, m->deviance);
    fit->aic = -2 * fit->log_likelihood + 2 * (p + one_more);
    fit->bic = -2 * fit->log_likelihood + log(n) * (p + one_more);
    fit->tjur = tjur(m);
    BD_TRY(describe_null(m, arena, fit));
    BD_TRY(test_whole(m, arena, fit));
    const double null = fit->null_log_likelihood, cases = m->design->trials ? glm_sum_of_weights(m) : n;
    fit->mcfadden = 1 - fit->log_likelihood / null;
    fit->nagelkerke = -expm1(2 * (null - fit->log_likelihood) / cases) / -expm1(2 * null / cases);
    return BD_OK;
}

/* (X'WX)^-1 times the dispersion, from the triangle at the estimates. */
static bd_status model_covariance(glm_model *m, double dispersion, bd_arena *arena, double *covariance)
{
    const size_t p = m->p;
    double *inverse;
    bool full_rank;
    BD_TRY(glm_factor(m, arena, &full_rank));
    BD_NEW(arena, inverse, p * p);
    if (!full_rank)
        dispersion = NAN;
    bd_triangle_invert(p + 1, p, m->triangle, inverse);
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            double sum = 0;
            for (size_t k = i > j ? i : j; k < p; k++)
                sum += inverse[i * p + k] * inverse[j * p + k];
            covariance[i * p + j] = dispersion * sum;
        }
    return BD_OK;
}

/* Least squares of the working response by the working weights: its sandwich is the model's. */
static bd_status robust_covariance(const glm_model *m, const bd_se_estimator *se, bd_arena *arena, bd_glm *fit)
{
    bd_ols_design base = m->design->base;
    const bd_ols *last;
    double *response, *precisions;
    BD_NEW(arena, response, m->n);
    BD_NEW(arena, precisions, m->n);
    for (size_t i = 0; i < m->n; i++) {
        response[i] = m->eta[i] - glm_offset(m, i) + m->residual[i];
        precisions[i] = glm_weight(m, i) / m->family->variance(m->mu[i], m->theta);
    }
    base.precisions = precisions;
    base.response = response;
    base.weights = m->working;
    BD_TRY(bd_ols_fit(&base, se, &BD_OLS_DEFAULTS, arena, &last));
    memcpy(fit->covariance, last->covariance, m->p * m->p * sizeof *fit->covariance);
    for (size_t j = 0; j < m->p; j++)
        fit->coefficients[j].df = last->coefficients[j].df;
    return BD_OK;
}

static bd_status describe_coefficients(glm_model *m, bd_arena *arena, bd_glm *fit)
{
    const size_t p = m->p;
    const bool known = m->family->known_dispersion, classical = fit->se == &bd_se_classical;
    fit->uses_t = !known || !classical;
    for (size_t j = 0; j < p; j++)
        fit->coefficients[j] =
            (bd_glm_coefficient){.estimate = m->beta[j], .df = fit->uses_t ? fit->df_residual : INFINITY};
    if (m->end == BD_GLM_SEPARATED)
        for (size_t j = 0; j < p * p; j++)
            fit->covariance[j] = NAN;
    else if (classical)
        BD_TRY(model_covariance(m, known ? 1 : fit->dispersion, arena, fit->covariance));
    else
        BD_TRY(robust_covariance(m, fit->se, arena, fit));
    for (size_t j = 0; j < p; j++) {
        bd_glm_coefficient *c = fit->coefficients + j;
        if (m->end == BD_GLM_SEPARATED && m->separating[j])
            c->estimate = copysign(INFINITY, m->direction[j]);
        c->se = sqrt(fit->covariance[j * p + j]);
        const glm_wald wald = glm_test(c->estimate, c->se, c->df, fit->level);
        c->statistic = wald.statistic;
        c->p = wald.p;
        c->ci_low = wald.low;
        c->ci_high = wald.high;
    }
    return BD_OK;
}

static bd_status name_predictors(const glm_model *m, bd_arena *arena, const char **list)
{
    size_t n_named = 0, n = 0;
    for (size_t j = 0; j < m->p; j++)
        n += m->separating[j] && glm_column(m->design, j) != NULL;
    *list = "";
    for (size_t j = 0; j < m->p; j++) {
        if (!m->separating[j] || glm_column(m->design, j) == NULL)
            continue;
        n_named++;
        BD_TRY(bd_print(arena, list, "%s%s'%s'", *list, n_named == 1 ? "" : n_named == n ? " and " : ", ",
                        m->design->base.names[j]));
    }
    return BD_OK;
}

static bd_status describe_separation(const glm_model *m, bd_arena *arena, bd_glm *fit)
{
    bd_glm_separation *separation;
    BD_NEW(arena, separation, 1);
    separation->columns = m->separating;
    separation->n_rows = m->n_separated;
    BD_TRY(name_predictors(m, arena, &separation->predictors));
    fit->separation = separation;
    return BD_OK;
}

static bd_status estimate(glm_model *m, bd_arena *arena, bd_glm *fit)
{
    fit->theta = fit->theta_se = fit->penalised_log_likelihood = NAN;
    BD_TRY(prepare_response(m, arena));
    BD_TRY(new_model(m, arena));
    if (fit->firth)
        BD_TRY(glm_check_rank(m->design, arena));
    if (fit->firth)
        BD_TRY(glm_iterate_firth(m, m->p, arena, &fit->penalised_log_likelihood));
    else if (m->family->has_theta)
        BD_TRY(glm_iterate_negbin(m, arena, &fit->theta_se));
    else
        BD_TRY(glm_iterate(m, false, arena));
    if (m->family->has_theta)
        fit->theta = m->theta;
    fit->end = m->end;
    fit->n_iterations = m->n_iterations;
    BD_TRY(describe_fit(m, arena, fit));
    return describe_coefficients(m, arena, fit);
}

bd_status bd_glm_fit(const bd_glm_design *design, const bd_family *family, const bd_link *link,
                     const bd_se_estimator *se, const bd_glm_options *options, bd_arena *arena, const bd_glm **out)
{
    bd_glm *fit = NULL;
    glm_model m = {.design = design,
                   .family = family,
                   .link = link ? link : family->links[0],
                   .n = design->base.n_rows,
                   .p = design->base.n_columns,
                   .max_iterations = options->max_iterations ? options->max_iterations : DEFAULT_ITERATIONS};
    BD_TRY(glm_check(design, family, m.link, se, options, &m.n_used));
    BD_TRY(new_fit(design, arena, &fit));
    BD_NEW(arena, m.separating, m.p);
    BD_NEW(arena, m.direction, m.p);
    m.eta = fit->linear_predictor;
    m.mu = fit->mu;
    fit->family = family;
    fit->link = m.link;
    fit->se = se;
    fit->firth = options->firth;
    fit->level = options->level;
    fit->n_used = m.n_used;
    const bd_mark scratch = bd_arena_mark(arena);
    BD_TRY(estimate(&m, arena, fit));
    bd_arena_rewind(arena, scratch);
    if (m.end == BD_GLM_SEPARATED)
        BD_TRY(describe_separation(&m, arena, fit));
    *out = fit;
    return BD_OK;
}
