/* Robust regression: iteratively reweighted least squares, fitting, replicates. */
#include <float.h>
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>

#include "models/robust_internal.h"

enum { MOST_STEPS = 5000 };

/* Steps shrink by a constant factor; they end when they are this short in units of the scale, or rounding. */
static const double LAST_STEP = 1e-13, ROUNDING = 1e-10;

static double huber_weight(double u, double tuning)
{
    return fabs(u) <= tuning ? 1 : tuning / fabs(u);
}

static double huber_slope(double u, double tuning)
{
    return fabs(u) <= tuning;
}

double robust_bisquare_weight(double u, double tuning)
{
    const double t = 1 - (u / tuning) * (u / tuning);
    return t > 0 ? t * t : 0;
}

double robust_bisquare_slope(double u, double tuning)
{
    const double t = (u / tuning) * (u / tuning);
    return t < 1 ? (1 - t) * (1 - 5 * t) : 0;
}

const bd_robust_method bd_robust_huber = {.name = "huber",
                                          .summary = "M estimation, Huber's weights",
                                          .tuning = 1.345,
                                          .weight = huber_weight,
                                          .slope = huber_slope};
const bd_robust_method bd_robust_bisquare = {.name = "bisquare",
                                             .summary = "M estimation, Tukey's bisquare weights",
                                             .tuning = 4.685,
                                             .weight = robust_bisquare_weight,
                                             .slope = robust_bisquare_slope};
const bd_robust_method bd_robust_mm = {.name = "mm",
                                       .summary = "MM estimation, bisquare weights from an S estimate",
                                       .tuning = 4.685061,
                                       .weight = robust_bisquare_weight,
                                       .slope = robust_bisquare_slope,
                                       .from_s = true};
const bd_robust_method *const bd_robust_methods[] = {&bd_robust_huber, &bd_robust_bisquare, &bd_robust_mm, NULL};

const char *bd_robust_name(const bd_robust_method *method)
{
    return method->name;
}

const char *bd_robust_summary(const bd_robust_method *method)
{
    return method->summary;
}

double bd_robust_tuning(const bd_robust_method *method)
{
    return method->tuning;
}

size_t robust_state_size(const bd_robust *robust)
{
    const size_t n = robust->design->n_rows, p = robust->design->n_columns;
    return 4 * n + 2 * p * p + 2 * p;
}

void robust_state_place(const bd_robust *robust, const double *weights, double *scratch, robust_state *state)
{
    const size_t n = robust->design->n_rows, p = robust->design->n_columns;
    _Static_assert(sizeof(size_t) <= sizeof(double), "indices fit where numbers do");
    *state = (robust_state){.robust = robust, .weights = weights, .residuals = scratch};
    state->factors = scratch + n;
    state->sizes = scratch + 2 * n;
    state->order = (size_t *)(scratch + 3 * n);
    state->products = scratch + 4 * n;
    state->root = state->products + p * p;
    state->gamma = state->root + p * p;
    state->step = state->gamma + p;
    for (size_t i = 0; i < n; i++)
        state->n += robust_weight(state, i);
}

void robust_look(robust_state *s)
{
    const size_t n = s->robust->design->n_rows, p = s->robust->design->n_columns;
    for (size_t i = 0; i < n; i++) {
        const double *x = s->robust->columns + i * p;
        double fitted = 0;
        for (size_t j = 0; j < p; j++)
            fitted += x[j] * s->gamma[j];
        s->residuals[i] = s->robust->design->response[i] - fitted;
    }
}

double robust_mad(robust_state *s)
{
    const size_t n = s->robust->design->n_rows;
    double below = 0;
    for (size_t i = 0; i < n; i++)
        s->sizes[i] = fabs(s->residuals[i]);
    gsl_sort_index(s->order, s->sizes, 1, n);
    for (size_t k = 0; k < n; k++) {
        below += robust_weight(s, s->order[k]);
        if (below < s->n / 2)
            continue;
        size_t next = k + 1;
        while (next < n && robust_weight(s, s->order[next]) == 0)
            next++;
        const double here = s->sizes[s->order[k]];
        return (below > s->n / 2 || next == n ? here : (here + s->sizes[s->order[next]]) / 2) / 0.6745;
    }
    return 0;
}

double robust_step(robust_state *s)
{
    const size_t n = s->robust->design->n_rows, p = s->robust->design->n_columns;
    memset(s->products, 0, p * p * sizeof *s->products);
    memset(s->step, 0, p * sizeof *s->step);
    for (size_t i = 0; i < n; i++) {
        const double *x = s->robust->columns + i * p, factor = s->factors[i];
        if (factor == 0)
            continue;
        for (size_t j = 0; j < p; j++) {
            const double weighted = factor * x[j];
            s->step[j] += weighted * s->residuals[i];
            for (size_t k = j; k < p; k++)
                s->products[j * p + k] += weighted * x[k];
        }
    }
    if (!bd_likelihood_root(p, s->products, 1e-10, s->root))
        return -1;
    bd_triangle_solve_transposed(p, p, s->root, s->step, s->step);
    bd_triangle_solve(p, p, s->root, s->step, s->step);
    double length = 0;
    for (size_t j = 0; j < p; j++) {
        s->gamma[j] += s->step[j];
        length = hypot(length, s->step[j]);
    }
    robust_look(s);
    return length / sqrt(s->n);
}

bool robust_is_exact(robust_state *s)
{
    if (s->scale > s->robust->rounding)
        return false;
    s->scale = 0;
    return true;
}

bool robust_least_squares(robust_state *s)
{
    const size_t n = s->robust->design->n_rows, p = s->robust->design->n_columns;
    memset(s->gamma, 0, p * sizeof *s->gamma);
    for (size_t i = 0; i < n; i++)
        s->factors[i] = robust_weight(s, i);
    robust_look(s);
    return robust_step(s) >= 0 && robust_step(s) >= 0; /* the second takes off rounding */
}

bd_likelihood_end robust_iterate(robust_state *s, bool keeps)
{
    const bd_robust *robust = s->robust;
    double before = INFINITY;
    robust_look(s);
    for (s->n_iterations = 1; s->n_iterations <= MOST_STEPS; s->n_iterations++) {
        if (!keeps)
            s->scale = robust_mad(s);
        if (robust_is_exact(s))
            return BD_LIKELIHOOD_AT_LIMIT;
        for (size_t i = 0; i < robust->design->n_rows; i++)
            s->factors[i] = robust_weight(s, i) * robust->method->weight(s->residuals[i] / s->scale, robust->tuning);
        const double length = robust_step(s);
        if (length < 0)
            return BD_LIKELIHOOD_NOT_CONVERGED;
        if (length <= LAST_STEP * s->scale || (length <= ROUNDING * s->scale && length >= before))
            return BD_LIKELIHOOD_CONVERGED;
        before = length;
    }
    return BD_LIKELIHOOD_NOT_CONVERGED;
}

static bd_status check_tuning(const bd_robust_method *method, double tuning)
{
    if (!(tuning >= 0 && isfinite(tuning)))
        return bd_fail(BD_EUSAGE, "a tuning constant of %g for %s; it is a positive number of scales", tuning,
                       method->name);
    if (method->from_s && tuning > 0 && tuning < ROBUST_S_TUNING)
        return bd_fail(BD_EUSAGE, "a tuning constant of %g for mm; below %g the S estimate it starts from is better",
                       tuning, ROBUST_S_TUNING);
    return BD_OK;
}

static const bd_likelihood_model robust_model = {.name = "robust regression"};

bd_status bd_robust_prepare(const bd_ols_design *design, const bd_robust_method *method, double tuning, bd_arena *arena,
                            const bd_robust **out)
{
    const size_t n = design->n_rows, p = design->n_columns;
    bd_robust *robust;
    bd_predictor *predictor;
    BD_TRY(check_tuning(method, tuning));
    BD_NEW(arena, robust, 1);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(design->response[i]))
            return bd_fail(BD_EDATA, "the response '%s' has a value that is not a number in row %zu",
                           design->response_name, i + 1);
        robust->rounding = fmax(robust->rounding, 16 * DBL_EPSILON * fabs(design->response[i]));
    }
    BD_NEW(arena, predictor, 1);
    *predictor = (bd_predictor){
        .n_columns = p, .columns = design->columns, .names = design->names, .has_intercept = design->has_intercept};
    const bd_likelihood_problem problem = {.model = &robust_model,
                                           .n_rows = n,
                                           .n_predictors = 1,
                                           .predictors = predictor,
                                           .weights = design->weights,
                                           .n_threads = design->n_threads};
    BD_TRY(bd_likelihood_prepare(&problem, arena, &robust->basis));
    BD_NEW(arena, robust->columns, n * p);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++)
            robust->columns[i * p + j] = robust->basis->bases[0].columns[j][i];
    robust->design = design;
    robust->method = method;
    robust->tuning = tuning > 0 ? tuning : method->tuning;
    *out = robust;
    return BD_OK;
}

static bd_status check_fit(const bd_robust *robust, const bd_se_estimator *se)
{
    const size_t p = robust->design->n_columns, n_used = robust->basis->n_used;
    if (se != &bd_se_classical && se != &bd_se_hc0 && se != &bd_se_cr0 && se != &bd_se_cr1)
        return bd_fail(BD_EUSAGE, "%s is not defined for robust regression; there are classical, hc0, cr0 and cr1",
                       bd_se_name(se));
    if (bd_se_needs_clusters(se) && robust->design->cluster == NULL)
        return bd_fail(BD_EDATA, "%s needs clusters, and none are given", bd_se_name(se));
    if (bd_se_needs_clusters(se) && robust->design->n_clusters < 2)
        return bd_fail(BD_EDATA, "%s needs two clusters or more, and there is one", bd_se_name(se));
    if (n_used < p + 2)
        return bd_fail(BD_EDATA,
                       "%zu coefficients cannot be estimated with an error from %zu rows; it takes %zu or more", p,
                       n_used, p + 2);
    return BD_OK;
}

static void describe_coefficients(const double *estimates, double level, bd_robust_regression *fit)
{
    const size_t p = fit->n_columns;
    const double df = (double)(fit->n_used - p), quantile = gsl_cdf_tdist_Pinv(0.5 + level / 2, df);
    for (size_t j = 0; j < p; j++) {
        bd_coefficient *c = &fit->coefficients[j];
        *c = (bd_coefficient){.estimate = estimates[j], .df = df, .standardised = NAN, .vif = NAN};
        c->se = fit->end == BD_LIKELIHOOD_CONVERGED ? sqrt(fit->covariance[j * p + j]) : NAN;
        c->t = c->estimate / c->se;
        c->p = 2 * gsl_cdf_tdist_Q(fabs(c->t), df);
        c->ci_low = c->estimate - quantile * c->se;
        c->ci_high = c->estimate + quantile * c->se;
    }
}

/* S where the method starts from it, then M; s_residuals (n_rows) and working (2p + 1) keep what was on the way. */
static bd_status estimate(robust_state *s, double *s_residuals, double *working, bd_arena *arena,
                          bd_likelihood_end *end)
{
    const size_t n = s->robust->design->n_rows, p = s->robust->design->n_columns;
    *end = BD_LIKELIHOOD_CONVERGED;
    if (s->robust->method->from_s) {
        BD_TRY(robust_search_s(s, arena, end));
        memcpy(s_residuals, s->residuals, n * sizeof *s_residuals);
    } else if (!robust_least_squares(s))
        *end = BD_LIKELIHOOD_NOT_CONVERGED;
    memcpy(working, s->gamma, p * sizeof *working);
    if (*end == BD_LIKELIHOOD_CONVERGED)
        *end = robust_iterate(s, s->robust->method->from_s);
    memcpy(working + p, s->gamma, p * sizeof *working);
    working[2 * p] = s->scale;
    return BD_OK;
}

static bd_status new_fit(const bd_robust *robust, bd_arena *arena, bd_robust_regression **out)
{
    const size_t n = robust->design->n_rows, p = robust->design->n_columns;
    bd_robust_regression *fit;
    BD_NEW(arena, fit, 1);
    fit->method = robust->method;
    fit->tuning = robust->tuning;
    fit->n_rows = n;
    fit->n_columns = p;
    fit->n_used = robust->basis->n_used;
    BD_NEW(arena, fit->coefficients, p);
    BD_NEW(arena, fit->covariance, p * p);
    BD_NEW(arena, fit->residuals, n);
    BD_NEW(arena, fit->robustness, n);
    BD_NEW(arena, fit->working, 2 * p + 1);
    *out = fit;
    return BD_OK;
}

bd_status bd_robust_fit(const bd_robust *robust, const bd_se_estimator *se, double level, bd_arena *arena,
                        const bd_robust_regression **out)
{
    const size_t n = robust->design->n_rows, p = robust->design->n_columns;
    bd_robust_regression *fit = NULL;
    BD_TRY(check_fit(robust, se));
    BD_TRY(new_fit(robust, arena, &fit));
    const bd_mark mark = bd_arena_mark(arena);
    double *scratch, *s_residuals, *estimates;
    robust_state state;
    BD_NEW(arena, scratch, robust_state_size(robust));
    BD_NEW(arena, s_residuals, n);
    BD_NEW(arena, estimates, p);
    robust_state_place(robust, robust->design->weights, scratch, &state);
    BD_TRY(estimate(&state, s_residuals, fit->working, arena, &fit->end));
    fit->n_iterations = state.n_iterations;
    fit->scale = state.scale;
    memcpy(fit->residuals, state.residuals, n * sizeof *fit->residuals);
    for (size_t i = 0; i < n; i++) {
        const double u = state.scale > 0 ? state.residuals[i] / state.scale : 0;
        fit->robustness[i] = robust->method->weight(u, robust->tuning);
        fit->n_rejected += fit->robustness[i] == 0 && robust_weight(&state, i) > 0;
    }
    if (fit->end == BD_LIKELIHOOD_CONVERGED)
        BD_TRY(robust_covariance(&state, robust->method->from_s ? s_residuals : NULL, se, arena, fit->covariance));
    bd_likelihood_estimates(robust->basis, state.gamma, estimates);
    describe_coefficients(estimates, level, fit);
    bd_arena_rewind(arena, mark);
    *out = fit;
    return BD_OK;
}

size_t bd_robust_scratch(const bd_robust *robust)
{
    return robust_state_size(robust);
}

bd_likelihood_end bd_robust_replicate(const bd_robust *robust, const double *weights, const double *working,
                                      double *scratch, double *estimates)
{
    const size_t p = robust->design->n_columns;
    robust_state state;
    bd_likelihood_end end = BD_LIKELIHOOD_CONVERGED;
    robust_state_place(robust, weights, scratch, &state);
    if (!robust_least_squares(&state))
        return BD_LIKELIHOOD_COLLINEAR;
    memcpy(state.gamma, working + (robust->method->from_s ? 0 : p), p * sizeof *working);
    if (robust->method->from_s)
        end = robust_refine_s(&state);
    if (end == BD_LIKELIHOOD_CONVERGED)
        end = robust_iterate(&state, robust->method->from_s);
    if (end == BD_LIKELIHOOD_CONVERGED)
        bd_likelihood_estimates(robust->basis, state.gamma, estimates);
    return end;
}
