/* Regression: the least-squares fit of a frame, its bootstrap, and the document. */
#include <bordin/analyses/regression.h>

#include <math.h>
#include <string.h>

#include <bordin/analyses/provenance.h>
#include <bordin/report/number.h>

#include "regression_tests.h"

/* What the statistic needs to know: columns are the p predictors, the response, and the constant if it is not column 0. */
typedef struct shape {
    size_t n_predictors, n_columns;
    bool has_intercept;
} shape;

static double n_rows_of(const shape *s, const double *triangle)
{
    if (s->has_intercept)
        return triangle[0] * triangle[0];
    double sum = 0;
    for (size_t i = 0; i < s->n_columns; i++) {
        const double r = triangle[i * s->n_columns + s->n_columns - 1];
        sum += r * r;
    }
    return sum;
}

/* Coefficients and their classical standard errors: b = R^-1 r, var b = s^2 (R'R)^-1. */
static bd_replicate_end coefficients(const void *context, const double *triangle, double *values, double *errors)
{
    const shape *s = context;
    const size_t p = s->n_predictors, q = s->n_columns;
    double work[p];
    for (size_t i = 0; i < p; i++)
        work[i] = triangle[i * q + p];
    bd_triangle_solve(q, p, triangle, work, values);
    if (errors == NULL)
        return BD_REPLICATE_USABLE;

    const double residual = triangle[p * q + p];
    const double variance = residual * residual / (n_rows_of(s, triangle) - (double)p);
    for (size_t j = 0; j < p; j++) {
        memset(work, 0, sizeof work);
        work[j] = 1;
        bd_triangle_solve_transposed(q, p, triangle, work, work);
        double sum = 0;
        for (size_t i = j; i < p; i++)
            sum += work[i] * work[i];
        errors[j] = sqrt(variance * sum);
    }
    return BD_REPLICATE_USABLE;
}

bd_status bd_regression_design(const bd_frame *frame, int n_threads, bd_arena *arena, bd_ols_design *design)
{
    const size_t p = frame->n_columns;
    const double **columns;
    const char **names;
    BD_NEW(arena, columns, p);
    BD_NEW(arena, names, p);
    for (size_t j = 0; j < p; j++) {
        columns[j] = frame->columns[j].values;
        names[j] = frame->columns[j].name;
    }
    *design = (bd_ols_design){
        .n_rows = frame->n_rows,
        .n_columns = p,
        .columns = columns,
        .names = names,
        .response = frame->response,
        .response_name = frame->response_name,
        .has_intercept = frame->has_intercept,
        .weights = frame->weights,
        .cluster = frame->cluster ? frame->cluster->codes : NULL,
        .n_clusters = frame->cluster ? frame->cluster->n_levels : 0,
        .n_threads = n_threads,
    };
    return BD_OK;
}

/* What follows from estimates and their covariance: tests of terms, predictions. */
static bd_status follow(const bd_regression_options *options, bd_arena *arena, bd_regression *regression)
{
    const bd_ols *fit = regression->fit;
    const bd_frame *frame = regression->frame;
    const bd_index index = bd_linear_index(frame, &bd_identity, "Mean");
    const double df = bd_se_needs_clusters(regression->se) ? (double)frame->cluster->n_levels - 1 : fit->df_residual;
    double *estimates;
    bd_term_tests *terms;
    BD_NEW(arena, estimates, fit->n_columns);
    for (size_t j = 0; j < fit->n_columns; j++)
        estimates[j] = fit->coefficients[j].estimate;
    const bd_term_fit tested = {
        .estimates = estimates, .covariance = fit->covariance, .n_parameters = fit->n_columns, .df_residual = df};
    BD_TRY(bd_term_tests_make(frame, &tested, arena, &terms));
    regression->terms = terms->some_joint ? terms : NULL;
    if (options->profiles == NULL)
        return BD_OK;
    const bd_parameters at = {.estimates = estimates, .covariance = fit->covariance, .df = df};
    return bd_predict(&index, options->profiles, &at, options->level, arena, &regression->predictions);
}

static bd_status resample(const bd_ols_design *design, const bd_regression_options *options, bd_arena *arena,
                          bd_regression *regression)
{
    const size_t p = design->n_columns, q = p + (design->has_intercept ? 1 : 2);
    const bool draws_errors = options->resampling.sampling != NULL && options->resampling.sampling->errors != NULL;
    if (draws_errors && regression->frame->strata != NULL)
        return bd_fail(BD_EUSAGE, "drawn errors (%s) know no strata", options->resampling.sampling->name);
    if (draws_errors && options->profiles != NULL)
        return bd_fail(BD_EUSAGE, "--profile: drawn errors (%s) have no intervals for predictions; resample rows or "
                                  "clusters",
                       options->resampling.sampling->name);
    if (draws_errors)
        return bd_bootstrap_errors(design, &options->resampling, arena, &regression->bootstrap);
    const double **values;
    BD_NEW(arena, values, q); /* the last one stays NULL, the constant, without an intercept */
    memcpy(values, design->columns, p * sizeof *values);
    values[p] = design->response;
    const bd_columns columns = {
        .n_rows = design->n_rows, .n_columns = q, .values = values, .weights = design->weights};
    const shape s = {.n_predictors = p, .n_columns = q, .has_intercept = design->has_intercept};
    const bd_statistic statistic = {
        .n_values = p,
        .names = design->names,
        .columns = &columns,
        .constant_first = design->has_intercept,
        .from_moments = coefficients,
        .context = &s,
    };
    const bd_statistic *longer;
    double *triangle;
    BD_TRY(bd_predictions_statistic(regression->predictions, &statistic, arena, &longer));
    BD_TRY(bd_triangle_of(&columns, design->n_threads, arena, &triangle));
    return bd_bootstrap_frame(regression->frame, longer, triangle, &options->resampling, arena,
                              &regression->bootstrap);
}

bd_status bd_regress(const bd_frame *frame, const bd_regression_options *options, bd_arena *arena,
                     const bd_regression **out)
{
    if (frame->response == NULL)
        return bd_fail(BD_EUSAGE, "the formula '%s' has no outcome before '~'", frame->formula);
    bd_regression *regression;
    BD_NEW(arena, regression, 1);
    regression->frame = frame;
    regression->level = options->level;
    regression->se = options->se ? options->se : frame->cluster ? &bd_se_cr2 : &bd_se_classical;

    bd_ols_design design;
    BD_TRY(bd_regression_design(frame, options->n_threads, arena, &design));
    const bd_ols_options fitting = {.level = options->level};
    BD_TRY(bd_ols_fit(&design, regression->se, &fitting, arena, &regression->fit));
    BD_TRY(follow(options, arena, regression));
    if (options->bootstrap)
        BD_TRY(resample(&design, options, arena, regression));
    BD_TRY(regression_tests(&design, options, arena, regression));
    *out = regression;
    return BD_OK;
}

static bd_status coefficient_table(const bd_regression *regression, bd_document *document)
{
    const bd_heading by_t[] = {{"ci_low", "CI low", BD_ESTIMATE}, {"ci_high", "CI high", BD_ESTIMATE}};
    const bd_heading by_bootstrap[] = {BD_BOOTSTRAP_HEADINGS("boot_p", "Boot p", BD_ESTIMATE)};
    const bd_bootstrap_result *bootstrap = regression->bootstrap;
    const size_t n_interval = bootstrap ? BD_BOOTSTRAP_CELLS : 2;
    bd_heading headings[8 + BD_BOOTSTRAP_CELLS] = {
        {"term", "Term", BD_TEXT},    {"estimate", "Estimate", BD_ESTIMATE},
        {"se", "SE", BD_ESTIMATE},    {"statistic", "t", BD_STATISTIC},
        {"df", "df", BD_DF},          {"p", "p", BD_P_VALUE},
    };
    memcpy(headings + 6, bootstrap ? by_bootstrap : by_t, n_interval * sizeof headings[0]);
    headings[6 + n_interval] = (bd_heading){"standardised", "Std. coef.", BD_STATISTIC};
    headings[7 + n_interval] = (bd_heading){"vif", "VIF", BD_STATISTIC};

    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "coefficients", "Coefficients", headings, 8 + n_interval, &rows));
    for (size_t j = 0; j < regression->fit->n_columns; j++) {
        const bd_coefficient *c = &regression->fit->coefficients[j];
        const double values[] = {c->estimate, c->se, c->t, c->df, c->p, c->ci_low, c->ci_high};
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(regression->frame->columns[j].name);
        for (size_t i = 0; i < 7; i++)
            cells[i + 1] = bd_number(values[i]);
        if (bootstrap)
            bd_bootstrap_cells(&bootstrap->ends[j], cells + 6);
        cells[6 + n_interval] = bd_number(c->standardised);
        cells[7 + n_interval] = bd_number(c->vif);
    }
    return BD_OK;
}

static bd_status fit_table(const bd_regression *regression, bd_document *document)
{
    const bd_ols *fit = regression->fit;
    const bd_value facts[] = {
        {{"n", "n", BD_COUNT}, (double)fit->n_rows},
        {{"r_squared", "R2", BD_BOUNDED}, fit->r_squared},
        {{"adjusted_r_squared", "Adjusted R2", BD_BOUNDED}, fit->adjusted_r_squared},
        {{"f", "F", BD_STATISTIC}, fit->f},
        {{"df_model", "df 1", BD_DF}, fit->df_model},
        {{"df_residual", "df 2", BD_DF}, fit->df_residual},
        {{"p", "p", BD_P_VALUE}, fit->f_p},
        {{"residual_sd", "Residual SD", BD_ESTIMATE}, fit->residual_sd},
        {{"ss_model", "Sum of squares, model", BD_STATISTIC}, fit->ss_model},
        {{"ss_residual", "Sum of squares, residual", BD_STATISTIC}, fit->ss_residual},
        {{"log_likelihood", "Log-likelihood", BD_STATISTIC}, fit->log_likelihood},
        {{"aic", "AIC", BD_STATISTIC}, fit->aic},
        {{"bic", "BIC", BD_STATISTIC}, fit->bic},
    };
    return bd_document_list(document, "fit", "Fit", facts, sizeof facts / sizeof facts[0], false);
}

static bd_status sentence(const bd_regression *regression, bd_document *document)
{
    const bd_ols *fit = regression->fit;
    if (fit->df_model < 1 || !isfinite(fit->f))
        return BD_OK;
    return bd_document_say(document, BD_SENTENCE,
                           "The predictors explain %.1f %% of the variance of %s, F(%.0f, %.0f) = %.2f, %s.",
                           100 * fit->r_squared, regression->frame->response_name, fit->df_model, fit->df_residual,
                           fit->f, bd_show_p(fit->f_p).text);
}

static bd_status fit_warnings(const bd_regression *regression, bd_document *document)
{
    const bd_ols *fit = regression->fit;
    if (fit->condition_digits > 7)
        BD_TRY(bd_document_say(document, BD_WARNING,
                               "The predictors are nearly collinear: the arithmetic loses %.0f of 16 digits.",
                               fit->condition_digits));
    if (fit->ss_residual <= 1e-24 * (fit->ss_model + fit->ss_residual))
        BD_TRY(bd_document_say(document, BD_WARNING,
                               "The predictors determine the outcome exactly: what is left over is rounding, and so are "
                               "all standard errors, tests and intervals."));
    if (fit->n_saturated > 0)
        BD_TRY(bd_document_say(document, BD_WARNING,
                               "%zu row%s fitted exactly whatever %s outcome (leverage 1), such as the only row of a level: "
                               "the standard errors of coefficients that rest on %s alone are far too small. Use --se "
                               "classical, or join levels.",
                               fit->n_saturated, fit->n_saturated == 1 ? " is" : "s are",
                               fit->n_saturated == 1 ? "its" : "their", fit->n_saturated == 1 ? "it" : "them"));
    return BD_OK;
}

static bd_status notes(const bd_regression *regression, bd_document *document)
{
    const bd_frame *frame = regression->frame;
    BD_TRY(bd_document_say(document, BD_NOTE, "Standard errors: %s (%s), from which t and p%s.%s",
                           bd_se_name(regression->se), bd_se_summary(regression->se),
                           regression->bootstrap ? "; the intervals are the bootstrap's" : " and the intervals",
                           regression->se == &bd_se_classical ? "" : " The F test is the classical one."));
    if (regression->bootstrap == NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Intervals: %g %%.", 100 * regression->level));
    if (frame->cluster != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "%zu clusters of %s.", frame->cluster->n_levels,
                               frame->cluster->name));
    if (frame->weights != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Weights are scaled to a mean of 1 over the rows that are used."));
    if (regression->terms != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Terms: Wald's F from these errors, with %g df 2; none of terms that are "
                                                  "part of others.",
                               regression->terms->df_residual));
    if (!frame->has_intercept)
        BD_TRY(bd_document_say(document, BD_NOTE, "No intercept: R2 and F are about zero, not about the mean."));
    return fit_warnings(regression, document);
}

bd_status bd_regression_document(const bd_regression *regression, bd_arena *arena, bd_document **out)
{
    const char *title;
    bd_document *document;
    BD_TRY(bd_print(arena, &title, "Regression: %s", regression->frame->formula));
    BD_TRY(bd_document_new(arena, "regress", title, &document));
    BD_TRY(coefficient_table(regression, document));
    BD_TRY(bd_term_tests_table(regression->terms, document));
    BD_TRY(bd_predictions_table(regression->predictions, regression->bootstrap, document));
    BD_TRY(fit_table(regression, document));
    BD_TRY(sentence(regression, document));
    BD_TRY(notes(regression, document));
    BD_TRY(bd_predictions_notes(regression->predictions, regression->bootstrap, document));
    if (regression->bootstrap != NULL)
        BD_TRY(bd_bootstrap_document(regression->bootstrap, arena, document));
    BD_TRY(regression_tests_document(regression, document));
    BD_TRY(bd_provenance_frame(regression->frame, document));
    *out = document;
    return BD_OK;
}
