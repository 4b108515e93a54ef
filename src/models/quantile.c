/* Quantile regression: preparing, fitting, replicates, and what is reported. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "models/quantile_internal.h"

/* The response is moved by up to this share of the residuals' scale, another for each row, so that no row lies on a fit
 * through others: the exchange then never stands still, and where it ends is best for the response as it is, too (what
 * is off the fit stays on its side, and rows on the fit may count on either). */
static const double NUDGE = 1e-10;

static const bd_likelihood_model quantile_model = {.name = "quantile regression"};

static bd_status nudge_response(const bd_ols_design *design, bd_arena *arena, bd_quantile *quantile)
{
    const size_t n = design->n_rows, p = design->n_columns;
    const likelihood_basis *basis = &quantile->basis->bases[0];
    double total = 0, sum = 0, largest = 0;
    BD_NEW(arena, quantile->columns, n * p);
    BD_NEW(arena, quantile->response, n);
    BD_NEW(arena, quantile->start, p);
    for (size_t i = 0; i < n; i++) {
        const double weight = design->weights == NULL ? 1 : design->weights[i];
        for (size_t j = 0; j < p; j++) {
            quantile->columns[i * p + j] = basis->columns[j][i];
            quantile->start[j] += weight * basis->columns[j][i] * design->response[i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        const double weight = design->weights == NULL ? 1 : design->weights[i];
        double fitted = 0;
        for (size_t j = 0; j < p; j++)
            fitted += quantile->columns[i * p + j] * quantile->start[j];
        total += weight;
        sum += weight * fabs(design->response[i] - fitted);
        largest = fmax(largest, fabs(design->response[i]));
    }
    quantile->scale = fmax(sum / total, 1e-6 * largest);
    for (size_t i = 0; i < n; i++) {
        const double share = fmod((double)(i + 1) * 0.6180339887498949, 1) - 0.5;
        quantile->response[i] = design->response[i] + NUDGE * quantile->scale * share;
    }
    return BD_OK;
}

bd_status bd_quantile_prepare(const bd_ols_design *design, double tau, bd_arena *arena, const bd_quantile **out)
{
    bd_quantile *quantile;
    bd_predictor *predictor;
    if (!(tau > 0 && tau < 1))
        return bd_fail(BD_EUSAGE, "a quantile of %g cannot be fitted; it lies between 0 and 1", tau);
    for (size_t i = 0; i < design->n_rows; i++)
        if (!isfinite(design->response[i]))
            return bd_fail(BD_EDATA, "the response '%s' has a value that is not a number in row %zu",
                           design->response_name, i + 1);
    BD_NEW(arena, quantile, 1);
    BD_NEW(arena, predictor, 1);
    *predictor = (bd_predictor){.n_columns = design->n_columns,
                                .columns = design->columns,
                                .names = design->names,
                                .has_intercept = design->has_intercept};
    const bd_likelihood_problem problem = {.model = &quantile_model,
                                           .n_rows = design->n_rows,
                                           .n_predictors = 1,
                                           .predictors = predictor,
                                           .weights = design->weights,
                                           .n_threads = design->n_threads};
    BD_TRY(bd_likelihood_prepare(&problem, arena, &quantile->basis));
    quantile->design = design;
    quantile->tau = tau;
    BD_TRY(nudge_response(design, arena, quantile));
    *out = quantile;
    return BD_OK;
}

static double objective_of(const bd_ols_design *design, const double *residuals, double tau)
{
    double sum = 0;
    for (size_t i = 0; i < design->n_rows; i++)
        sum += (design->weights == NULL ? 1 : design->weights[i]) * residuals[i] * (residuals[i] < 0 ? tau - 1 : tau);
    return sum;
}

/* The objective with a constant alone, by the same means. */
static bd_status find_null_objective(const bd_quantile *quantile, bd_arena *arena, double *objective)
{
    static const double *const constant[] = {NULL};
    static const char *const name[] = {"(Intercept)"};
    bd_ols_design design = *quantile->design;
    const bd_quantile *null;
    quantile_vertex vertex;
    double *scratch;
    design.columns = constant;
    design.names = name;
    design.n_columns = 1;
    *objective = NAN;
    BD_TRY(bd_quantile_prepare(&design, quantile->tau, arena, &null));
    BD_NEW(arena, scratch, quantile_vertex_size(null));
    quantile_vertex_place(null, scratch, &vertex);
    vertex.weights = design.weights;
    if (quantile_vertex_start(&vertex, null->start) && quantile_vertex_solve(&vertex) == BD_LIKELIHOOD_CONVERGED)
        *objective = objective_of(&design, vertex.residuals, quantile->tau);
    return BD_OK;
}

static void describe_coefficients(const double *estimates, double level, bd_quantile_regression *fit)
{
    const size_t p = fit->n_columns;
    const double df = (double)(fit->n_used - p), quantile = gsl_cdf_tdist_Pinv(0.5 + level / 2, df);
    for (size_t j = 0; j < p; j++) {
        bd_coefficient *c = &fit->coefficients[j];
        *c = (bd_coefficient){.estimate = estimates[j], .df = df, .standardised = NAN, .vif = NAN};
        c->se = sqrt(fit->covariance[j * p + j]);
        c->t = c->estimate / c->se;
        c->p = 2 * gsl_cdf_tdist_Q(fabs(c->t), df);
        c->ci_low = c->estimate - quantile * c->se;
        c->ci_high = c->estimate + quantile * c->se;
    }
}

static bd_status new_fit(const bd_quantile *quantile, bd_arena *arena, bd_quantile_regression **out)
{
    const size_t n = quantile->design->n_rows, p = quantile->design->n_columns;
    bd_quantile_regression *fit;
    if (quantile->basis->n_used < p + 2)
        return bd_fail(BD_EDATA,
                       "%zu coefficients cannot be estimated with an error from %zu rows; it takes %zu or more", p,
                       quantile->basis->n_used, p + 2);
    BD_NEW(arena, fit, 1);
    fit->tau = quantile->tau;
    fit->n_rows = n;
    fit->n_columns = p;
    fit->n_used = quantile->basis->n_used;
    BD_NEW(arena, fit->coefficients, p);
    BD_NEW(arena, fit->covariance, p * p);
    BD_NEW(arena, fit->residuals, n);
    BD_NEW(arena, fit->rows, p);
    *out = fit;
    return BD_OK;
}

bd_status bd_quantile_fit(const bd_quantile *quantile, bd_quantile_se se, double level, bd_arena *arena,
                          const bd_quantile_regression **out)
{
    const bd_ols_design *design = quantile->design;
    const size_t n = design->n_rows, p = design->n_columns;
    bd_quantile_regression *fit = NULL;
    BD_TRY(new_fit(quantile, arena, &fit));
    const bd_mark mark = bd_arena_mark(arena);
    quantile_vertex vertex;
    double *scratch, *estimates;
    BD_NEW(arena, scratch, quantile_vertex_size(quantile));
    BD_NEW(arena, estimates, p);
    quantile_vertex_place(quantile, scratch, &vertex);
    vertex.weights = design->weights;
    fit->end =
        quantile_vertex_start(&vertex, quantile->start) ? quantile_vertex_solve(&vertex) : BD_LIKELIHOOD_NOT_CONVERGED;
    fit->n_iterations = vertex.n_iterations;
    fit->unique = vertex.unique;
    memcpy(fit->residuals, vertex.residuals, n * sizeof *fit->residuals);
    memcpy(fit->rows, vertex.rows, p * sizeof *fit->rows);
    fit->objective = objective_of(design, fit->residuals, fit->tau);
    fit->null_objective = NAN;
    if (design->has_intercept)
        BD_TRY(find_null_objective(quantile, arena, &fit->null_objective));
    fit->r1 = 1 - fit->objective / fit->null_objective;
    bd_likelihood_estimates(quantile->basis, vertex.gamma, estimates);
    BD_TRY(quantile_covariance(quantile, se, arena, fit));
    describe_coefficients(estimates, level, fit);
    bd_arena_rewind(arena, mark);
    *out = fit;
    return BD_OK;
}

size_t bd_quantile_scratch(const bd_quantile *quantile)
{
    return quantile_vertex_size(quantile);
}

bd_likelihood_end bd_quantile_replicate(const bd_quantile *quantile, const double *weights, const size_t *rows,
                                        double *scratch, double *estimates)
{
    quantile_vertex vertex;
    quantile_vertex_place(quantile, scratch, &vertex);
    vertex.weights = weights;
    memcpy(vertex.rows, rows, quantile->design->n_columns * sizeof *rows);
    const bd_likelihood_end end = quantile_vertex_solve(&vertex);
    if (end == BD_LIKELIHOOD_CONVERGED)
        bd_likelihood_estimates(quantile->basis, vertex.gamma, estimates);
    return end;
}
