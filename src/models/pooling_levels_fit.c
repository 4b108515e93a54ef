/* Meta-analysis of several effects a study: layout, estimates, profile intervals, heterogeneity. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "pooling_internal.h"
#include "pooling_levels.h"

static bd_status check(const bd_levels_design *design, const size_t *sizes)
{
    size_t largest = 0;
    if (!(design->rho >= 0 && design->rho < 1))
        return bd_fail(BD_EUSAGE, "rho, the correlation of sampling errors within a study, is from 0 to below 1; it is %g",
                       design->rho);
    if (design->n_studies < 2)
        return bd_fail(BD_EDATA, "all effects are of one study; pooling studies needs two at least");
    for (size_t j = 0; j < design->n_studies; j++)
        largest = sizes[j] > largest ? sizes[j] : largest;
    if (largest < 2)
        return bd_fail(BD_EDATA, "every study has one effect: what is between studies and what is within them cannot be "
                                 "told apart; leave out the clusters");
    return BD_OK;
}

static void lay_out(const bd_levels_design *design, size_t *next, bd_levels_model *model)
{
    const bd_pooling_design *d = &design->effects;
    memcpy(next, model->first, model->n_studies * sizeof *next);
    for (size_t i = 0; i < d->n; i++) {
        const size_t at = next[design->study[i]]++;
        model->row[at] = i;
        model->y[at] = d->effects[i];
        model->v[at] = d->variances[i];
        for (size_t k = 0; k < model->p; k++)
            model->x[at * model->p + k] = pooling_value(d, k, i);
    }
}

/* Least squares, taken off the effects, and the variance that is left. */
static bd_status take_off(bd_levels_model *model, const bd_pooling_design *d, bd_arena *arena)
{
    double *room, residual = 0, sampling = 0;
    pooling s;
    BD_NEW(arena, room, bd_pooling_scratch(d));
    pooling_place(d, NULL, room, &s);
    if (!pooling_weigh(&s, 1, 0))
        return bd_fail(BD_ENUMERIC, "the moderators are collinear");
    model->log_root_ols = s.log_root;
    memcpy(model->ols, s.b, model->p * sizeof *s.b);
    for (size_t i = 0; i < model->n; i++) {
        model->y[i] -= levels_dot(model->p, model->x + i * model->p, model->ols);
        residual += model->y[i] * model->y[i] / (double)(model->n - model->p);
        sampling += model->v[i] / (double)model->n;
    }
    model->scale = fmax(residual - sampling, fmax(residual, sampling) / 10);
    return BD_OK;
}

bd_status bd_levels_prepare(const bd_levels_design *design, bool ml, bd_arena *arena, const bd_levels_model **out)
{
    const bd_pooling_design *d = &design->effects;
    bd_levels_model *model;
    size_t *sizes;
    BD_TRY(pooling_check(d, arena));
    BD_NEW(arena, model, 1);
    *model = (bd_levels_model){.n = d->n, .p = d->n_columns, .n_studies = design->n_studies, .rho = design->rho, .ml = ml};
    BD_NEW(arena, model->first, design->n_studies + 1);
    BD_NEW(arena, sizes, design->n_studies + 1);
    BD_NEW(arena, model->row, d->n);
    BD_NEW(arena, model->y, d->n);
    BD_NEW(arena, model->v, d->n);
    BD_NEW(arena, model->x, d->n * d->n_columns);
    BD_NEW(arena, model->ols, d->n_columns);
    for (size_t i = 0; i < d->n; i++)
        sizes[design->study[i]]++;
    BD_TRY(check(design, sizes));
    for (size_t j = 0; j < design->n_studies; j++) {
        model->first[j + 1] = model->first[j] + sizes[j];
        model->most = sizes[j] > model->most ? sizes[j] : model->most;
    }
    lay_out(design, sizes, model);
    *out = model;
    return take_off(model, d, arena);
}

/* Twice what the likelihood loses when component k is `value`, less the chi-squared quantile. */
static double loss(const bd_levels_model *model, size_t k, double value, double highest, double quantile, double *work,
                   levels_point *at)
{
    const bool fixed[2] = {k == 0, k == 1};
    at->variance[k] = value;
    levels_climb(model, NULL, fixed, work, at);
    return 2 * (highest - at->log_likelihood) - quantile;
}

/* Where the loss is 0 between `inside`, where it is below, and `outside`; regula falsi (Illinois), then halves. */
static double crossing(const bd_levels_model *model, size_t k, double inside, double outside, double below, double above,
                       double highest, double quantile, double *work, levels_point *at)
{
    int side = 0;
    for (int i = 0; i < 200 && fabs(outside - inside) > 1e-12 * fabs(outside); i++) {
        const double middle = i < 100 ? (inside * above - outside * below) / (above - below) : (inside + outside) / 2;
        const double value = loss(model, k, middle, highest, quantile, work, at);
        if (value == 0 || middle == inside || middle == outside)
            return middle;
        if (value < 0) {
            inside = middle, below = value;
            above = side == -1 ? above / 2 : above;
            side = -1;
        } else {
            outside = middle, above = value;
            below = side == 1 ? below / 2 : below;
            side = 1;
        }
    }
    return (inside + outside) / 2;
}

static void profile(const bd_levels_model *model, const levels_point *top, size_t k, double level, double *work,
                    levels_point *at, bd_levels_component *component)
{
    const double estimate = top->variance[k], quantile = gsl_cdf_chisq_Pinv(level, 1), highest = top->log_likelihood;
    double outside = estimate + model->scale;
    memcpy(at->variance, top->variance, sizeof top->variance);
    component->ci_low = 0;
    const double at_zero = estimate > 0 ? loss(model, k, 0, highest, quantile, work, at) : -quantile;
    if (at_zero > 0)
        component->ci_low =
            crossing(model, k, estimate, 0, -quantile, at_zero, highest, quantile, work, at);
    memcpy(at->variance, top->variance, sizeof top->variance);
    double above = loss(model, k, outside, highest, quantile, work, at);
    for (; above < 0 && outside < 1e12 * model->scale; above = loss(model, k, outside, highest, quantile, work, at))
        outside = estimate + 2 * (outside - estimate);
    component->ci_high = above < 0 ? INFINITY
                                   : crossing(model, k, estimate, outside, -quantile, above, highest, quantile, work, at);
}

/* At no variance but sampling: Q, and the typical sampling variance of Higgins and Thompson. */
static void heterogeneity(const bd_levels_model *model, double *work, levels_point *at, bd_pooled_levels *fit)
{
    memset(at->variance, 0, sizeof at->variance);
    levels_evaluate(model, NULL, true, work, at);
    const double df = (double)(model->n - model->p), typical = df / at->trace_p;
    const double sum = fit->components[0].variance + fit->components[1].variance;
    fit->q = at->ype;
    fit->q_df = df;
    fit->q_p = gsl_cdf_chisq_Q(fit->q, df);
    fit->i2 = sum / (sum + typical);
    for (size_t k = 0; k < BD_N_LEVELS; k++)
        fit->components[k].i2 = fit->components[k].variance / (sum + typical);
}

/* The share of each effect in sum S. */
static void weights(const bd_levels_model *model, const levels_point *top, double *work, bd_pooled_levels *fit)
{
    double total = 0;
    for (size_t j = 0; j < model->n_studies; j++) {
        levels_inverse s;
        double *ones = work + 3 * model->most, *sums = ones + model->most;
        levels_invert(model, top->variance, j, work, &s);
        for (size_t i = 0; i < s.n; i++)
            ones[i] = 1;
        levels_apply(&s, ones, sums);
        for (size_t i = 0; i < s.n; i++) {
            fit->weights[model->row[model->first[j] + i]] = sums[i];
            total += sums[i];
        }
    }
    for (size_t i = 0; i < model->n; i++)
        fit->weights[i] *= 100 / total;
}

static void set_coefficients(const bd_levels_model *model, const levels_point *top, bd_pooled_levels *fit)
{
    const double sum = top->variance[0] + top->variance[1], tail = (1 - fit->options.level) / 2;
    for (size_t j = 0; j < model->p; j++) {
        bd_levels_coefficient *c = &fit->coefficients[j];
        c->estimate = top->b[j] + model->ols[j];
        c->se_model = sqrt(top->inverse[j * model->p + j]);
        if (fit->options.model) {
            c->se = c->se_model;
            c->df = INFINITY;
        }
        const bool t = isfinite(c->df);
        const double quantile = t ? gsl_cdf_tdist_Qinv(tail, c->df) : gsl_cdf_ugaussian_Qinv(tail);
        c->statistic = c->estimate / c->se;
        c->p = 2 * (t ? gsl_cdf_tdist_Q(fabs(c->statistic), c->df) : gsl_cdf_ugaussian_Q(fabs(c->statistic)));
        c->ci_low = c->estimate - quantile * c->se;
        c->ci_high = c->estimate + quantile * c->se;
        const double spread = model->p == 1 ? quantile * sqrt(c->se * c->se + sum) : NAN;
        c->prediction_low = c->estimate - spread;
        c->prediction_high = c->estimate + spread;
    }
}

static void information_criteria(const bd_levels_model *model, double log_likelihood, bd_pooled_levels *fit)
{
    const double parameters = (double)model->p + BD_N_LEVELS, n = (double)(model->n - (model->ml ? 0 : model->p));
    fit->log_likelihood = log_likelihood;
    fit->aic = -2 * log_likelihood + 2 * parameters;
    fit->bic = -2 * log_likelihood + log(n) * parameters;
}

static bd_status omnibus(const bd_pooling_design *d, levels_point *top, const double *ols, bd_arena *arena,
                         bd_pooled_levels *fit)
{
    for (size_t j = 0; j < d->n_columns; j++)
        top->b[j] += ols[j];
    BD_TRY(pooling_wald(d->has_intercept, d->n_columns, top->b, fit->covariance, arena, &fit->qm));
    fit->qm_df = (double)(d->n_columns - d->has_intercept);
    fit->qm_p = isnan(fit->qm) ? NAN : gsl_cdf_chisq_Q(fit->qm, fit->qm_df);
    return BD_OK;
}

bd_status bd_pool_levels(const bd_levels_design *design, const bd_levels_options *options, bd_arena *arena,
                         const bd_pooled_levels **out)
{
    const bd_pooling_design *d = &design->effects;
    bd_pooled_levels *fit;
    const bd_levels_model *model = NULL;
    levels_point top, at;
    double *scratch, *work;
    BD_NEW(arena, fit, 1);
    *fit = (bd_pooled_levels){.n = d->n, .n_studies = design->n_studies, .n_columns = d->n_columns, .options = *options};
    BD_NEW(arena, fit->coefficients, d->n_columns);
    BD_NEW(arena, fit->covariance, d->n_columns * d->n_columns);
    BD_NEW(arena, fit->weights, d->n);
    const bd_mark mark = bd_arena_mark(arena);
    BD_TRY(bd_levels_prepare(design, options->ml, arena, &model));
    BD_NEW(arena, scratch, bd_levels_scratch(model));
    levels_place(model, scratch, &top, &work);
    levels_place(model, work, &at, &work);
    fit->converged = levels_highest(model, NULL, work, &top);
    if (fit->converged) {
        memcpy(fit->covariance, top.inverse, model->p * model->p * sizeof *top.inverse);
        information_criteria(model, top.log_likelihood, fit);
        for (size_t k = 0; k < BD_N_LEVELS; k++) {
            fit->components[k].variance = top.variance[k];
            profile(model, &top, k, options->level, work, &at, &fit->components[k]);
        }
        heterogeneity(model, work, &at, fit);
        weights(model, &top, work, fit);
        if (!options->model)
            BD_TRY(levels_robust(model, &top, arena, fit));
        set_coefficients(model, &top, fit);
        BD_TRY(omnibus(d, &top, model->ols, arena, fit));
    }
    bd_arena_rewind(arena, mark);
    *out = fit;
    return BD_OK;
}
