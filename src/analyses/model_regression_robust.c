/* Lines through the middle of the data, or a quantile: robust and quantile regression. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include <bordin/analyses/regression.h>
#include <bordin/analyses/term_tests.h>
#include <bordin/models/quantile.h>
#include <bordin/models/robust.h>

#include "model_regression_internal.h"

static bd_status coefficient_rows(bd_model_regression *regression, const bd_coefficient *coefficients, bd_arena *arena)
{
    const bd_frame *frame = regression->frame;
    bd_model_row *rows;
    BD_TRY(model_equation(regression, "coefficients", "Coefficients", NULL, frame->n_columns, arena, &rows));
    for (size_t j = 0; j < frame->n_columns; j++) {
        const bd_coefficient *c = &coefficients[j];
        rows[j] = (bd_model_row){.term = frame->columns[j].name,
                                 .estimate = c->estimate,
                                 .se = c->se,
                                 .statistic = c->t,
                                 .df = c->df,
                                 .p = c->p,
                                 .ci_low = c->ci_low,
                                 .ci_high = c->ci_high};
    }
    return BD_OK;
}

/* Wald's F of all predictors: b' V^-1 b / q. */
static bd_status wald_facts(bd_model_regression *regression, const bd_coefficient *coefficients,
                            const double *covariance, bd_arena *arena)
{
    const size_t p = regression->frame->n_columns, first = regression->frame->has_intercept ? 1 : 0, q = p - first;
    const bool by_cluster = regression->se != NULL && bd_se_needs_clusters(regression->se);
    double *estimates, sum;
    regression->whole_statistic = regression->whole_p = NAN;
    if (q == 0 || (by_cluster && regression->frame->cluster->n_levels <= q)) /* fewer scores than coefficients */
        return BD_OK;
    BD_NEW(arena, estimates, p);
    for (size_t j = 0; j < p; j++)
        estimates[j] = coefficients[j].estimate;
    const bd_term_fit fit = {.estimates = estimates, .covariance = covariance, .n_parameters = p};
    BD_TRY(bd_wald(&fit, first, q, arena, &sum));
    if (isnan(sum))
        return BD_OK;
    regression->whole_df = (double)q;
    regression->whole_df_residual = coefficients[0].df;
    regression->whole_statistic = sum / (double)q;
    regression->whole_p = gsl_cdf_fdist_Q(regression->whole_statistic, (double)q, regression->whole_df_residual);
    model_fact(regression, "f", "F of all predictors (Wald)", BD_STATISTIC, regression->whole_statistic);
    model_fact(regression, "df_model", "df of all predictors", BD_DF, regression->whole_df);
    model_fact(regression, "df_residual", "df, residual", BD_DF, regression->whole_df_residual);
    model_fact(regression, "p", "p", BD_P_VALUE, regression->whole_p);
    return BD_OK;
}

static bd_status design_of(const bd_model_regression *regression, bd_arena *arena, const bd_ols_design **out)
{
    bd_ols_design *design;
    BD_NEW(arena, design, 1);
    BD_TRY(bd_regression_design(regression->frame, regression->options.n_threads, arena, design));
    design->weights = regression->weights;
    *out = design;
    return BD_OK;
}

static bd_replicate_end of_robust(const bd_model_replicate *r, const double *weights, double *scratch, double *values)
{
    const bd_likelihood_end end = bd_robust_replicate(r->prepared, weights, r->start, scratch, values);
    return end == BD_LIKELIHOOD_AT_LIMIT ? BD_REPLICATE_CONSTANT : model_replicate_end(end);
}

static bd_status check_robust(const bd_robust_regression *fit)
{
    if (fit->end == BD_LIKELIHOOD_AT_LIMIT)
        return bd_fail(BD_ENUMERIC,
                       "half of the rows fit exactly: the scale of the errors is 0, and the others cannot be "
                       "weighed by it; least squares or quantile regression can be had");
    if (fit->end != BD_LIKELIHOOD_CONVERGED)
        return bd_fail(BD_ENUMERIC, "the fit did not converge in %zu iterations", fit->n_iterations);
    return BD_OK;
}

bd_status model_robust(bd_model_regression *regression, bd_arena *arena)
{
    const bd_robust_method *method = regression->model->variant;
    const bd_ols_design *design;
    const bd_robust *robust;
    const bd_robust_regression *fit;
    double smallest = 1;
    BD_TRY(design_of(regression, arena, &design));
    BD_TRY(bd_robust_prepare(design, method, 0, arena, &robust));
    BD_TRY(bd_robust_fit(robust, regression->se, regression->options.level, arena, &fit));
    BD_TRY(check_robust(fit));
    BD_TRY(coefficient_rows(regression, fit->coefficients, arena));
    regression->index = bd_linear_index(regression->frame, &bd_identity, "Mean");
    regression->covariance = fit->covariance;
    for (size_t i = 0; i < fit->n_rows; i++)
        smallest = fmin(smallest, fit->robustness[i]);
    model_fact(regression, "n", "n", BD_COUNT, (double)fit->n_used);
    BD_TRY(wald_facts(regression, fit->coefficients, fit->covariance, arena));
    model_fact(regression, "scale", "Scale of the errors", BD_ESTIMATE, fit->scale);
    model_fact(regression, "tuning", "Tuning constant", BD_BOUNDED, fit->tuning);
    model_fact(regression, "n_rejected", "Rows that count nothing", BD_COUNT, (double)fit->n_rejected);
    model_fact(regression, "least_robustness", "Least that a row counts", BD_BOUNDED, smallest);
    model_fact(regression, "iterations", "Iterations", BD_COUNT, (double)fit->n_iterations);
    regression->replicate = (bd_model_replicate){
        .of = of_robust, .prepared = robust, .start = fit->working, .n_scratch = bd_robust_scratch(robust)};
    return model_say(regression, arena, BD_NOTE,
                     "Rows whose residuals are large beside the scale count less; the constant makes it 95 %% as "
                     "efficient as least squares where errors are normal.");
}

static const char *const quantile_errors[] = {
    [BD_QUANTILE_IID] = "iid", [BD_QUANTILE_NID] = "nid", [BD_QUANTILE_KER] = "ker"};

static bd_quantile_se quantile_se(const char *name)
{
    bd_quantile_se se = BD_QUANTILE_IID;
    while (strcmp(quantile_errors[se], name) != 0)
        se++;
    return se;
}

static bd_replicate_end of_quantile(const bd_model_replicate *r, const double *weights, double *scratch, double *values)
{
    return model_replicate_end(bd_quantile_replicate(r->prepared, weights, r->start, scratch, values));
}

static bd_status quantile_sayings(bd_model_regression *regression, const bd_quantile_regression *fit, bd_arena *arena)
{
    static const char *const errors[] = {[BD_QUANTILE_IID] = "one density of the errors for all rows",
                                         [BD_QUANTILE_NID] = "a density of the errors by row, from two fits nearby",
                                         [BD_QUANTILE_KER] = "a density of the errors by row, from a kernel"};
    const bd_quantile_se se = quantile_se(regression->options.se);
    BD_TRY(model_say(regression, arena, BD_NOTE, "The %g quantile of %s%s.", fit->tau, regression->frame->response_name,
                     fit->tau == 0.5 ? ", which is its median" : ""));
    BD_TRY(model_say(regression, arena, BD_NOTE, "Standard errors: %s (%s, Hall and Sheather's bandwidth).",
                     quantile_errors[se], errors[se]));
    if (regression->frame->cluster != NULL)
        BD_TRY(model_say(regression, arena, BD_NOTE, "SE, t and p take rows as independent; the bootstrap does not."));
    if (fit->n_crossed > 0)
        BD_TRY(model_say(regression, arena, BD_NOTE,
                         "The two fits nearby cross in %zu rows, whose density counts as 0.", fit->n_crossed));
    if (fit->unique)
        return BD_OK;
    return model_say(regression, arena, BD_WARNING, "Other coefficients fit as well: the quantile is not unique.");
}

bd_status model_quantile(bd_model_regression *regression, bd_arena *arena)
{
    const bd_model_options *options = &regression->options;
    const bd_ols_design *design;
    const bd_quantile *quantile;
    const bd_quantile_regression *fit;
    if (regression->frame->cluster != NULL && !options->bootstrap)
        return bd_fail(BD_EUSAGE,
                       "quantile regression has no errors that know of clusters; resample them (--boot 10000)");
    BD_TRY(design_of(regression, arena, &design));
    BD_TRY(bd_quantile_prepare(design, options->tau, arena, &quantile));
    BD_TRY(bd_quantile_fit(quantile, quantile_se(options->se), options->level, arena, &fit));
    if (fit->end != BD_LIKELIHOOD_CONVERGED)
        return bd_fail(BD_ENUMERIC, "the fit did not converge in %zu iterations", fit->n_iterations);
    BD_TRY(coefficient_rows(regression, fit->coefficients, arena));
    regression->index = bd_linear_index(regression->frame, &bd_identity, fit->tau == 0.5 ? "Median" : "Quantile");
    regression->covariance = fit->covariance;
    model_fact(regression, "n", "n", BD_COUNT, (double)fit->n_used);
    model_fact(regression, "tau", "Quantile", BD_BOUNDED, fit->tau);
    BD_TRY(wald_facts(regression, fit->coefficients, fit->covariance, arena));
    model_fact(regression, "objective", "Sum of weighted distances", BD_STATISTIC, fit->objective);
    model_fact(regression, "null_objective", "The same without predictors", BD_STATISTIC, fit->null_objective);
    model_fact(regression, "r1", "R1", BD_BOUNDED, fit->r1);
    model_fact(regression, "iterations", "Iterations", BD_COUNT, (double)fit->n_iterations);
    regression->replicate = (bd_model_replicate){
        .of = of_quantile, .prepared = quantile, .start = fit->rows, .n_scratch = bd_quantile_scratch(quantile)};
    return quantile_sayings(regression, fit, arena);
}
