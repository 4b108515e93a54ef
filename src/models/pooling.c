/* Meta-analysis: coefficients, heterogeneity and moderators at the estimated tau^2. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include <bordin/core/triangle.h>

#include "pooling_internal.h"

bd_status pooling_check(const bd_pooling_design *d, bd_arena *arena)
{
    const double **values;
    double *triangle;
    if (d->n < 2)
        return bd_fail(BD_EDATA, "there is %zu effect; pooling needs two at least", d->n);
    if (d->n <= d->n_columns)
        return bd_fail(BD_EDATA, "%zu effects are too few for %zu coefficients", d->n, d->n_columns);
    for (size_t i = 0; i < d->n; i++)
        if (!(d->variances[i] > 0 && d->variances[i] < INFINITY) || !isfinite(d->effects[i]))
            return bd_fail(BD_EDATA, "effect %zu of those used has the variance %g; variances are numbers above 0",
                           i + 1, d->variances[i]);
    for (size_t j = d->has_intercept; j < d->n_columns; j++) {
        double low = INFINITY, high = -INFINITY;
        for (size_t i = 0; i < d->n; i++) {
            low = fmin(low, d->columns[j][i]);
            high = fmax(high, d->columns[j][i]);
        }
        if (d->has_intercept && !(high > low))
            return bd_fail(BD_EDATA, "the moderator '%s' is the same in every study", d->names[j]);
    }
    BD_NEW(arena, values, d->n_columns);
    memcpy(values, d->columns, d->n_columns * sizeof *values);
    const bd_columns columns = {.n_rows = d->n, .n_columns = d->n_columns, .values = values};
    BD_TRY(bd_triangle_of(&columns, 1, arena, &triangle));
    const size_t bad = bd_triangle_first_collinear(d->n_columns, triangle, d->has_intercept, POOLING_COLLINEAR);
    if (bad < d->n_columns)
        return bd_fail(BD_ENUMERIC, "the moderator '%s' is a linear combination of those before it; leave it out",
                       d->names[bad]);
    return BD_OK;
}

/* tau^2 at which y'Py is `target`; it falls with tau^2. NaN: beyond all bounds. */
static double profile(pooling *s, double target)
{
    double low = 0, high = 1;
    if (!pooling_weigh(s, 0, 1) || s->ype <= target)
        return 0;
    while (pooling_weigh(s, high, 1) && s->ype > target && high < 1e100)
        high *= 4;
    for (int i = 0; i < 200 && high - low > 1e-15 * high; i++) {
        const double middle = (low + high) / 2;
        if (pooling_weigh(s, middle, 1) && s->ype > target)
            low = middle;
        else
            high = middle;
    }
    return high < 1e100 ? (low + high) / 2 : NAN;
}

static void heterogeneity(pooling *s, bd_pooled *fit)
{
    const double tail = (1 - fit->level) / 2, df = pooling_df(s);
    pooling_weigh(s, 0, 1);
    const double typical = df / s->trace; /* Higgins and Thompson's typical variance */
    fit->q = s->ype;
    fit->q_df = df;
    fit->q_p = gsl_cdf_chisq_Q(fit->q, df);
    fit->tau2_low = fit->tau2_high = NAN;
    if (fit->estimator != &bd_tau_equal) {
        fit->tau2_low = profile(s, gsl_cdf_chisq_Qinv(tail, df));
        fit->tau2_high = profile(s, gsl_cdf_chisq_Pinv(tail, df));
    }
    const double tau2 = fit->estimator == &bd_tau_equal ? fmax(0, (fit->q - df) / s->trace) : fit->tau2;
    fit->i2 = tau2 / (tau2 + typical);
    fit->i2_low = fit->tau2_low / (fit->tau2_low + typical);
    fit->i2_high = fit->tau2_high / (fit->tau2_high + typical);
    fit->h2 = tau2 / typical + 1;
    fit->h2_low = fit->tau2_low / typical + 1;
    fit->h2_high = fit->tau2_high / typical + 1;
    if (fit->estimator == &bd_tau_equal) { /* what Q says of it */
        fit->i2 = fmax(0, 1 - df / fit->q);
        fit->h2 = fit->q / df;
    }
}

static void likelihood(const pooling *s, double log_root_ols, bd_pooled *fit)
{
    const double p = (double)fit->n_columns, n = (double)fit->n, parameters = p + (fit->estimator != &bd_tau_equal);
    const bool reml = fit->estimator == &bd_tau_reml;
    fit->log_likelihood = -(n - (reml ? p : 0)) / 2 * log(2 * M_PI) + s->log_weights / 2 - s->ype / 2;
    if (reml)
        fit->log_likelihood += log_root_ols - s->log_root;
    if (!reml && fit->estimator != &bd_tau_ml && fit->estimator != &bd_tau_equal)
        fit->log_likelihood = NAN;
    fit->aic = -2 * fit->log_likelihood + 2 * parameters;
    fit->bic = -2 * fit->log_likelihood + log(n - (reml ? p : 0)) * parameters;
}

static void set_coefficients(const pooling *s, bd_pooled *fit)
{
    const size_t p = fit->n_columns;
    const bool t = isfinite(fit->df);
    const double tail = (1 - fit->level) / 2;
    const double quantile = t ? gsl_cdf_tdist_Qinv(tail, fit->df) : gsl_cdf_ugaussian_Qinv(tail);
    for (size_t j = 0; j < p * p; j++)
        fit->covariance[j] = fit->factor * s->inverse[j];
    for (size_t j = 0; j < p; j++) {
        bd_pooling_coefficient *c = &fit->coefficients[j];
        c->estimate = s->b[j];
        c->se = sqrt(fit->covariance[j * p + j]);
        c->statistic = c->estimate / c->se;
        c->p = 2 * (t ? gsl_cdf_tdist_Q(fabs(c->statistic), fit->df) : gsl_cdf_ugaussian_Q(fabs(c->statistic)));
        c->ci_low = c->estimate - quantile * c->se;
        c->ci_high = c->estimate + quantile * c->se;
        const double spread = p == 1 ? quantile * sqrt(c->se * c->se + fit->tau2) : NAN;
        c->prediction_low = c->estimate - spread;
        c->prediction_high = c->estimate + spread;
    }
}

/* All moderators: F, or chi-squared. */
static bd_status omnibus(const bd_pooling_design *d, const double *b, bd_arena *arena, bd_pooled *fit)
{
    const double m = (double)(fit->n_columns - d->has_intercept);
    BD_TRY(pooling_wald(d->has_intercept, fit->n_columns, b, fit->covariance, arena, &fit->qm));
    fit->qm_df = m;
    if (isfinite(fit->df))
        fit->qm /= m;
    fit->qm_p = isnan(fit->qm)         ? NAN
                : isfinite(fit->df) ? gsl_cdf_fdist_Q(fit->qm, m, fit->df)
                                    : gsl_cdf_chisq_Q(fit->qm, m);
    return BD_OK;
}

/* The share of tau^2 without moderators that is gone with them. */
static bd_status explained(const bd_pooling_design *d, bd_arena *arena, bd_pooled *fit)
{
    static const double *const constant[] = {NULL};
    const bd_pooling_design empty = {
        .n = d->n, .effects = d->effects, .variances = d->variances, .n_columns = 1, .columns = constant};
    double *room, values[2];
    fit->r2 = NAN;
    if (!d->has_intercept || d->n_columns == 1 || fit->estimator == &bd_tau_equal)
        return BD_OK;
    BD_NEW(arena, room, bd_pooling_scratch(&empty));
    if (bd_pool_replicate(&empty, fit->estimator, NULL, room, values) && values[1] > 0)
        fit->r2 = fmax(0, 1 - fit->tau2 / values[1]);
    return BD_OK;
}

static bd_status new_fit(const bd_pooling_design *d, const bd_pooling_options *options, bd_arena *arena,
                         bd_pooled **out)
{
    bd_pooled *fit;
    BD_NEW(arena, fit, 1);
    BD_NEW(arena, fit->coefficients, d->n_columns);
    BD_NEW(arena, fit->covariance, d->n_columns * d->n_columns);
    BD_NEW(arena, fit->weights, d->n);
    BD_NEW(arena, fit->fitted, d->n);
    fit->n = d->n;
    fit->n_columns = d->n_columns;
    fit->estimator = options->estimator == NULL ? &bd_tau_reml : options->estimator;
    fit->test = options->test;
    fit->level = options->level;
    fit->df = options->test == BD_POOLING_Z ? INFINITY : (double)(d->n - d->n_columns);
    *out = fit;
    return BD_OK;
}

bd_status bd_pool(const bd_pooling_design *d, const bd_pooling_options *options, bd_arena *arena, const bd_pooled **out)
{
    bd_pooled *fit = NULL;
    pooling s;
    double *room;
    BD_TRY(new_fit(d, options, arena, &fit));
    const bd_mark scratch = bd_arena_mark(arena);
    BD_TRY(pooling_check(d, arena));
    BD_NEW(arena, room, bd_pooling_scratch(d));
    pooling_place(d, NULL, room, &s);
    if (!pooling_weigh(&s, 1, 0))
        return bd_fail(BD_ENUMERIC, "the moderators are collinear");
    const double log_root_ols = s.log_root;
    fit->converged = pooling_estimate(&s, fit->estimator, &fit->tau2);
    heterogeneity(&s, fit);
    fit->tau2_se = pooling_tau_error(&s, fit->estimator, fit->tau2);
    pooling_weigh(&s, fit->tau2, 1);
    const bool knha = fit->test == BD_POOLING_KNHA || fit->test == BD_POOLING_KNHA_RAW;
    fit->factor = knha ? s.ype / pooling_df(&s) : 1;
    if (fit->test == BD_POOLING_KNHA)
        fit->factor = fmax(1, fit->factor);
    likelihood(&s, log_root_ols, fit);
    set_coefficients(&s, fit);
    for (size_t i = 0; i < d->n; i++) {
        fit->weights[i] = 100 / (d->variances[i] + fit->tau2) / s.w1;
        fit->fitted[i] = 0;
        for (size_t j = 0; j < d->n_columns; j++)
            fit->fitted[i] += s.b[j] * pooling_value(d, j, i);
    }
    BD_TRY(omnibus(d, s.b, arena, fit));
    BD_TRY(explained(d, arena, fit));
    bd_arena_rewind(arena, scratch);
    *out = fit;
    return BD_OK;
}
