/* Shares, and counts with more zeros: an equation of the mean, and a second one beside it. */
#include <math.h>
#include <string.h>

#include <bordin/models/proportions.h>
#include <bordin/models/zero_inflated.h>

#include "model_regression_internal.h"

static const double *const constant[] = {NULL};
static const char *const constant_name[] = {"(Intercept)"};
static const bd_predictor only_constant = {
    .n_columns = 1, .columns = constant, .names = constant_name, .has_intercept = true};

/* The equations of the formula and of the extra terms. */
static bd_status predictors_of(const bd_frame *frame, bd_arena *arena, bd_predictor *predictors)
{
    const bd_extra *extra = frame->extra;
    BD_TRY(model_predictor(frame->columns, frame->n_columns, frame->has_intercept, arena, &predictors[0]));
    predictors[0].offset = frame->offset;
    return model_predictor(extra->columns, extra->n_columns, extra->has_intercept, arena, &predictors[1]);
}

/* Whether constants alone are within the model, and less than it: then they are what predictors are compared with. */
static bool has_null(const bd_predictor *predictors)
{
    return predictors[0].has_intercept && predictors[1].has_intercept &&
           predictors[0].n_columns + predictors[1].n_columns > 2;
}

static double log_likelihood_of(const bd_likelihood_fit *fit)
{
    return fit->end == BD_LIKELIHOOD_CONVERGED || fit->end == BD_LIKELIHOOD_AT_LIMIT ? fit->log_likelihood : NAN;
}

static double df_of(const bd_predictor *predictors)
{
    return (double)(predictors[0].n_columns + predictors[1].n_columns) - 2;
}

static bd_status proportion_null(const bd_model_regression *regression, bd_proportion_design design, bd_arena *arena,
                                 double *null)
{
    const bd_predictor predictors[] = {design.mean, design.precision};
    const bd_proportion_options options = {.mean_link = regression->options.link,
                                           .likelihood = model_likelihood_options(regression)};
    const bd_proportion *fit;
    *null = NAN;
    if (!has_null(predictors))
        return BD_OK;
    design.mean = design.precision = only_constant;
    BD_TRY(bd_proportion_fit(&design, regression->model->variant, &options, &bd_se_classical, arena, &fit));
    *null = log_likelihood_of(fit->fit);
    return BD_OK;
}

static const char *share_ratio(const char *link)
{
    return strcmp(link, "logit") == 0 ? "Odds ratio" : strcmp(link, "log") == 0 ? "Ratio of means" : NULL;
}

/* What stands for an infinity in the replicates. */
static bd_status say_limits(bd_model_regression *regression, const char *without, bd_arena *arena)
{
    if (!regression->options.bootstrap)
        return BD_OK;
    return model_say(
        regression, arena, BD_NOTE,
        "Replicates without %s have an infinite estimate there: a large number stands for it in the intervals, "
        "and a Boot SE of it means nothing.",
        without);
}

static bd_status proportion_sayings(bd_model_regression *regression, const bd_proportion *fit, bd_arena *arena)
{
    const char *name = regression->frame->response_name;
    const bool counts = regression->model->variant == &bd_beta_binomial;
    if (counts) {
        BD_TRY(model_say(
            regression, arena, BD_NOTE,
            "Overdispersion: logit(rho), rho the correlation of two trials of one row; a share of m trials has "
            "the variance mu (1 - mu) (1 + (m - 1) rho) / m."));
        BD_TRY(say_limits(regression, "overdispersion", arena));
    } else
        BD_TRY(model_say(regression, arena, BD_NOTE,
                         "Precision: log(phi); the variance is mu (1 - mu) / (1 + phi), so that positive estimates go "
                         "with less of it."));
    if (fit->fit->end != BD_LIKELIHOOD_AT_LIMIT)
        return BD_OK;
    return model_say(regression, arena, BD_WARNING,
                     counts ? "'%s' varies no more than the binomial distribution has it: rho is 0, and there are no "
                              "errors. Family binomial has them."
                            : "The precision of '%s' grows without bound: predictors say all of it, and there are no "
                              "errors.",
                     name);
}

static void proportion_facts(bd_model_regression *regression, const bd_proportion *fit, const bd_predictor *predictors,
                             double null)
{
    const bool counts = regression->model->variant == &bd_beta_binomial;
    model_likelihood_facts(regression, fit->fit, null, df_of(predictors));
    model_fact(regression, "pseudo_r_squared", "Pseudo R2", BD_BOUNDED, counts ? NAN : fit->pseudo_r_squared);
    if (predictors[1].n_columns == 1 && predictors[1].has_intercept) {
        model_fact(regression, "phi", "Phi", BD_STATISTIC, fit->phi[0]);
        model_fact(regression, "rho", "Rho", BD_BOUNDED, counts ? 1 / (1 + fit->phi[0]) : NAN);
    }
    model_fact(regression, "iterations", "Iterations", BD_COUNT, (double)fit->fit->n_iterations);
}

/* The mean counted: that of those who can have one, times their share; its logarithm. */
static void zero_inflated_index(const void *context, const bd_frame *profiles, size_t row, const double *parameters,
                                double *index)
{
    const bd_extra *extra = profiles->extra;
    double slope;
    (void)context;
    *index = bd_index_sum(profiles->columns, profiles->n_columns, row, parameters);
    if (profiles->offset != NULL)
        *index += profiles->offset[row];
    *index += log(bd_link_mean(
        &bd_logit, -bd_index_sum(extra->columns, extra->n_columns, row, parameters + profiles->n_columns), &slope));
}

bd_status model_proportion(bd_model_regression *regression, bd_arena *arena)
{
    const bd_frame *frame = regression->frame;
    const bool counts = regression->model->variant == &bd_beta_binomial;
    const bd_proportion_options options = {.mean_link = regression->options.link,
                                           .likelihood = model_likelihood_options(regression)};
    const bd_proportion *fit;
    bd_predictor predictors[2];
    double null;
    BD_TRY(predictors_of(frame, arena, predictors));
    const bd_proportion_design design = {.n_rows = frame->n_rows,
                                         .mean = predictors[0],
                                         .precision = predictors[1],
                                         .response = frame->response,
                                         .trials = frame->trials,
                                         .response_name = frame->response_name,
                                         .weights = regression->weights,
                                         .cluster = frame->cluster ? frame->cluster->codes : NULL,
                                         .n_clusters = frame->cluster ? frame->cluster->n_levels : 0,
                                         .n_threads = regression->options.n_threads};
    if (counts && frame->trials == NULL)
        return bd_fail(BD_EUSAGE, "family beta-binomial counts '%s' out of something: write kept / offered, "
                                  "cbind(kept, missed), or give --trials",
                       frame->response_name);
    BD_TRY(bd_proportion_fit(&design, regression->model->variant, &options, regression->se, arena, &fit));
    BD_TRY(model_check_end(regression, fit->fit, predictors));
    BD_TRY(proportion_null(regression, design, arena, &null));
    BD_TRY(model_likelihood_equation(regression, "coefficients", "Coefficients", share_ratio(regression->options.link),
                                     &predictors[0], fit->mean, arena));
    BD_TRY(model_likelihood_equation(regression, counts ? "overdispersion" : "precision",
                                     counts ? "Overdispersion, logit(rho)" : "Precision, log(phi)", NULL,
                                     &predictors[1], fit->precision, arena));
    proportion_facts(regression, fit, predictors, null);
    const bd_link *link;
    BD_TRY(bd_link_find(regression->options.link, &link));
    regression->index = bd_linear_index(frame, link, counts ? "Probability" : "Mean");
    model_likelihood_replicates(regression, fit->likelihood, fit->fit);
    return proportion_sayings(regression, fit, arena);
}

static bd_status zero_inflated_null(const bd_model_regression *regression, bd_zero_inflated_design design,
                                    bd_arena *arena, double *null)
{
    const bd_predictor predictors[] = {design.count, design.zero};
    const bd_likelihood_options options = model_likelihood_options(regression);
    const bd_zero_inflated *fit;
    *null = NAN;
    if (!has_null(predictors))
        return BD_OK;
    design.zero = design.count = only_constant;
    design.count.offset = predictors[0].offset;
    BD_TRY(bd_zero_inflated_fit(&design, regression->model->variant, &bd_se_classical, &options, arena, &fit));
    *null = log_likelihood_of(fit->fit);
    return BD_OK;
}

static bd_status zero_inflated_sayings(bd_model_regression *regression, const bd_zero_inflated *fit, bd_arena *arena)
{
    const bool negbin = fit->log_theta != NULL;
    BD_TRY(model_say(regression, arena, BD_NOTE,
                     "Coefficients are of the mean count of those who can have one; rate ratio: exp(estimate)."));
    BD_TRY(model_say(regression, arena, BD_NOTE,
                     "Zeros: log odds of being zero for good; a positive estimate goes with more zeros."));
    BD_TRY(say_limits(regression, negbin ? "zeros for good or overdispersion" : "zeros for good", arena));
    if (fit->fit->end != BD_LIKELIHOOD_AT_LIMIT)
        return BD_OK;
    if (fit->fit->runs_off == 1)
        return model_say(regression, arena, BD_WARNING,
                         "There are no more zeros than the counts bring with them: none is for good, and there are no "
                         "errors. Family %s has them.",
                         negbin ? "negbin" : "poisson");
    return model_say(
        regression, arena, BD_WARNING,
        "The counts vary no more than Poisson's: theta is infinite, and there are no errors. Family zip has "
        "them.");
}

static bd_status overdispersion(bd_model_regression *regression, const bd_zero_inflated *fit, bd_arena *arena)
{
    bd_model_row *rows;
    if (fit->log_theta == NULL)
        return BD_OK;
    BD_TRY(model_equation(regression, "overdispersion", "Overdispersion", NULL, 1, arena, &rows));
    rows[0] = model_row(NULL, "log(theta)", fit->log_theta);
    return model_say(regression, arena, BD_NOTE, "Overdispersion: the counts' variance is mu + mu^2 / theta.");
}

bd_status model_zero_inflated(bd_model_regression *regression, bd_arena *arena)
{
    const bd_frame *frame = regression->frame;
    const bd_likelihood_options options = model_likelihood_options(regression);
    const bd_zero_inflated *fit;
    bd_predictor predictors[3] = {{0}};
    double null;
    BD_TRY(predictors_of(frame, arena, predictors));
    const bd_zero_inflated_design design = {.n_rows = frame->n_rows,
                                            .count = predictors[0],
                                            .zero = predictors[1],
                                            .response = frame->response,
                                            .response_name = frame->response_name,
                                            .weights = regression->weights,
                                            .cluster = frame->cluster ? frame->cluster->codes : NULL,
                                            .n_clusters = frame->cluster ? frame->cluster->n_levels : 0,
                                            .n_threads = regression->options.n_threads};
    BD_TRY(bd_zero_inflated_fit(&design, regression->model->variant, regression->se, &options, arena, &fit));
    BD_TRY(model_check_end(regression, fit->fit, predictors));
    BD_TRY(zero_inflated_null(regression, design, arena, &null));
    BD_TRY(model_likelihood_equation(regression, "coefficients", "Coefficients", "Rate ratio", &predictors[0],
                                     fit->count, arena));
    BD_TRY(model_likelihood_equation(regression, "zeros", "Zeros", "Odds ratio", &predictors[1], fit->zero, arena));
    BD_TRY(zero_inflated_sayings(regression, fit, arena));
    BD_TRY(overdispersion(regression, fit, arena));
    model_likelihood_facts(regression, fit->fit, null, df_of(predictors));
    regression->index =
        (bd_index){.n_values = 1, .link = &bd_log, .heading = "Mean", .of = zero_inflated_index};
    model_fact(regression, "theta", "Theta", BD_STATISTIC, fit->theta);
    model_fact(regression, "theta_se", "SE of theta", BD_STATISTIC, fit->theta_se);
    model_fact(regression, "zeros", "Zeros", BD_COUNT, fit->n_zeros);
    model_fact(regression, "expected_zeros", "Zeros, expected", BD_STATISTIC, fit->expected_zeros);
    model_fact(regression, "iterations", "Iterations", BD_COUNT, (double)fit->fit->n_iterations);
    model_likelihood_replicates(regression, fit->likelihood, fit->fit);
    return BD_OK;
}
