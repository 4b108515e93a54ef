/* Equations, facts and sentences that every model has, and the replicates of likelihoods. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include <gsl/gsl_cdf.h>

#include "model_regression_internal.h"

bd_status model_predictor(const bd_design_column *columns, size_t n, bool has_intercept, bd_arena *arena,
                          bd_predictor *predictor)
{
    const double **values;
    const char **names;
    BD_NEW(arena, values, n + 1);
    BD_NEW(arena, names, n + 1);
    for (size_t j = 0; j < n; j++) {
        values[j] = columns[j].values;
        names[j] = columns[j].name;
    }
    *predictor = (bd_predictor){.n_columns = n, .columns = values, .names = names, .has_intercept = has_intercept};
    return BD_OK;
}

bd_status model_equation(bd_model_regression *regression, const char *id, const char *title, const char *ratio,
                         size_t n_rows, bd_arena *arena, bd_model_row **rows)
{
    bd_model_equation *equation = &regression->equations[regression->n_equations++];
    *equation = (bd_model_equation){.id = id, .title = title, .ratio = ratio, .n_rows = n_rows};
    BD_NEW(arena, equation->rows, n_rows);
    regression->n_values += n_rows;
    *rows = equation->rows;
    return BD_OK;
}

bd_model_row model_row(const char *category, const char *term, const bd_likelihood_coefficient *c)
{
    return (bd_model_row){.category = category,
                          .term = term,
                          .estimate = c->estimate,
                          .se = c->se,
                          .statistic = c->z,
                          .df = NAN,
                          .p = c->p,
                          .ci_low = c->ci_low,
                          .ci_high = c->ci_high};
}

bd_status model_likelihood_equation(bd_model_regression *regression, const char *id, const char *title,
                                    const char *ratio, const bd_predictor *predictor,
                                    const bd_likelihood_coefficient *coefficients, bd_arena *arena)
{
    bd_model_row *rows;
    BD_TRY(model_equation(regression, id, title, ratio, predictor->n_columns, arena, &rows));
    for (size_t j = 0; j < predictor->n_columns; j++)
        rows[j] = model_row(NULL, predictor->names[j], &coefficients[j]);
    return BD_OK;
}

void model_fact(bd_model_regression *regression, const char *key, const char *heading, bd_class class, double value)
{
    regression->facts[regression->n_facts++] = (bd_value){{key, heading, class}, value};
}

bd_status model_say(bd_model_regression *regression, bd_arena *arena, bd_saying saying, const char *format, ...)
{
    char text[1024];
    bd_model_saying said = {.saying = saying};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    BD_TRY(bd_print(arena, &said.text, "%s", text));
    BD_PUSH(arena, regression->sayings, regression->n_sayings, regression->sayings_room, said);
    return BD_OK;
}

void model_likelihood_facts(bd_model_regression *regression, const bd_likelihood_fit *fit, double null, double df)
{
    regression->covariance = fit->covariance;
    regression->whole_df_residual = NAN;
    regression->whole_df = df;
    regression->whole_statistic = df > 0 ? 2 * (fit->log_likelihood - null) : NAN;
    if (!isnan(regression->whole_statistic))
        regression->whole_p = gsl_cdf_chisq_Q(fmax(0, regression->whole_statistic), df);
    model_fact(regression, "n", "n", BD_COUNT, (double)fit->n_used);
    model_fact(regression, "log_likelihood", "Log-likelihood", BD_STATISTIC, fit->log_likelihood);
    model_fact(regression, "null_log_likelihood", "Log-likelihood without predictors", BD_STATISTIC, null);
    if (!isnan(regression->whole_statistic)) {
        model_fact(regression, "chi_squared", "Chi-squared of all predictors", BD_STATISTIC,
                   regression->whole_statistic);
        model_fact(regression, "df_model", "df of all predictors", BD_DF, df);
        model_fact(regression, "p", "p", BD_P_VALUE, regression->whole_p);
    }
    model_fact(regression, "aic", "AIC", BD_STATISTIC, fit->aic);
    model_fact(regression, "bic", "BIC", BD_STATISTIC, fit->bic);
}

static double spread(const double *x, size_t n)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        mean += x[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    return sqrt(squares / (double)n);
}

/* The column whose part of the predictors varies most. */
static const char *foremost(const bd_likelihood_fit *fit, const bd_predictor *predictors)
{
    const char *name = NULL;
    double most = 0;
    for (size_t k = 0; k < fit->n_predictors; k++)
        for (size_t j = 0; j < predictors[k].n_columns; j++) {
            const double *x = predictors[k].columns[j];
            const double size =
                x == NULL ? 0 : fabs(fit->coefficients[fit->first[k] + j].estimate) * spread(x, fit->n_rows);
            if (size > most) {
                most = size;
                name = predictors[k].names[j];
            }
        }
    return name;
}

bd_status model_check_end(const bd_model_regression *regression, const bd_likelihood_fit *fit,
                          const bd_predictor *predictors)
{
    const char *outcome = regression->frame->response_name;
    if (fit->end == BD_LIKELIHOOD_CONVERGED || fit->end == BD_LIKELIHOOD_AT_LIMIT)
        return BD_OK;
    if (fit->end != BD_LIKELIHOOD_SEPARATED)
        return bd_fail(BD_ENUMERIC, "the fit did not converge in %zu iterations", fit->n_iterations);
    const char *name = foremost(fit, predictors);
    if (name == NULL)
        return bd_fail(BD_ENUMERIC, "the likelihood of '%s' has no maximum: estimates grow for ever", outcome);
    return bd_fail(
        BD_ENUMERIC,
        "predictors tell outcomes of '%s' apart without error, '%s' foremost: the likelihood has no maximum, "
        "and estimates would be infinite. Leave it out, or join categories",
        outcome, name);
}

bd_replicate_end model_replicate_end(bd_likelihood_end end)
{
    static const bd_replicate_end ends[BD_N_LIKELIHOOD_ENDS] = {
        [BD_LIKELIHOOD_CONVERGED] = BD_REPLICATE_USABLE,      [BD_LIKELIHOOD_NOT_CONVERGED] = BD_REPLICATE_DIVERGED,
        [BD_LIKELIHOOD_SEPARATED] = BD_REPLICATE_SEPARATED,   [BD_LIKELIHOOD_AT_LIMIT] = BD_REPLICATE_USABLE,
        [BD_LIKELIHOOD_COLLINEAR] = BD_REPLICATE_COLLINEAR,   [BD_LIKELIHOOD_EMPTY] = BD_REPLICATE_CONSTANT};
    return ends[end];
}

static bd_replicate_end of_likelihood(const bd_model_replicate *r, const double *weights, double *scratch,
                                      double *values)
{
    return model_replicate_end(bd_likelihood_replicate(r->prepared, weights, r->start, scratch, values));
}

void model_likelihood_replicates(bd_model_regression *regression, const bd_likelihood *likelihood,
                                 const bd_likelihood_fit *fit)
{
    regression->replicate = (bd_model_replicate){.of = of_likelihood,
                                                 .prepared = likelihood,
                                                 .start = fit->working,
                                                 .n_scratch = bd_likelihood_scratch(likelihood)};
}

bd_likelihood_options model_likelihood_options(const bd_model_regression *regression)
{
    return (bd_likelihood_options){.level = regression->options.level,
                                   .max_iterations = regression->options.max_iterations};
}
