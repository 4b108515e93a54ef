/* Accelerated failure times of survival data: fit, bootstrap, predictions. */
#include <bordin/analyses/failure_time.h>

#include <math.h>
#include <string.h>

#include "analyses/survival_bootstrap.h"
#include "analyses/survival_profiles.h"
#include "analyses/survival_times.h"

bd_status bd_failure_time_find(const char *name, bd_failure_time_distribution *distribution)
{
    static const char *const names[] = {[BD_WEIBULL] = "weibull", [BD_EXPONENTIAL] = "exponential",
                                        [BD_LOG_NORMAL] = "lognormal", [BD_LOG_LOGISTIC] = "loglogistic"};
    for (int i = 0; i < 4; i++)
        if (strcmp(names[i], name) == 0) {
            *distribution = (bd_failure_time_distribution)i;
            return BD_OK;
        }
    return bd_fail(BD_EUSAGE, "no distribution named '%s'; there are weibull, exponential, lognormal, loglogistic",
                   name);
}

static bd_status make_design(const bd_survival_data *data, const bd_failure_time_options *options, bd_arena *arena,
                             bd_failure_time_regression *regression)
{
    const bd_cox_design *from = &data->design;
    const double **columns;
    const char **names;
    if (from->start != NULL)
        return bd_fail(BD_EUSAGE,
                       "rows that are intervals, Surv(start, stop, event), are for proportional hazards; leave "
                       "--distribution out");
    if (from->strata != NULL)
        return bd_fail(BD_EUSAGE,
                       "strata() are for proportional hazards; make %s a predictor, or leave --distribution out",
                       data->strata);
    BD_NEW(arena, columns, from->n_columns + 1);
    BD_NEW(arena, names, from->n_columns + 2);
    names[0] = "(Intercept)";
    for (size_t j = 0; j < from->n_columns; j++) {
        columns[j + 1] = from->columns[j];
        names[j + 1] = from->names[j];
    }
    names[from->n_columns + 1] = "log(scale)";
    regression->design = (bd_failure_time_design){.n_rows = from->n_rows, .n_columns = from->n_columns + 1,
                                                  .columns = columns, .names = names, .has_intercept = true,
                                                  .stop = from->stop, .event = from->event, .weights = from->weights,
                                                  .offset = from->offset, .cluster = from->cluster,
                                                  .n_clusters = from->n_clusters,
                                                  .robust = options->robust || from->cluster != NULL};
    for (size_t i = 0; i < from->n_rows; i++)
        regression->last = fmax(regression->last, from->stop[i]);
    return BD_OK;
}

static bd_replicate_end replicate(const void *context, const double *weights, double *scratch, double *values,
                                  double *errors)
{
    static const bd_replicate_end ends[] = {[BD_FAILURE_TIME_REPLICATE_CONVERGED] = BD_REPLICATE_USABLE,
                                            [BD_FAILURE_TIME_REPLICATE_COLLINEAR] = BD_REPLICATE_COLLINEAR,
                                            [BD_FAILURE_TIME_REPLICATE_INFINITE] = BD_REPLICATE_SEPARATED,
                                            [BD_FAILURE_TIME_REPLICATE_NOT_CONVERGED] = BD_REPLICATE_DIVERGED};
    (void)errors;
    return ends[bd_failure_time_replicate(context, weights, scratch, values)];
}

static bd_status resample(bd_failure_time_regression *regression, const bd_bootstrap_options *options, bd_arena *arena)
{
    const bd_columns rows = {.n_rows = regression->design.n_rows};
    const bd_failure_time_prepared *prepared;
    BD_TRY(bd_while(bd_failure_time_prepare(&regression->design, regression->fit, arena, &prepared), "--boot"));
    const bd_statistic statistic = {.n_values = prepared->n_parameters, .names = regression->design.names,
                                    .columns = &rows, .from_weights = replicate, .n_scratch = prepared->n_scratch,
                                    .context = prepared};
    return survival_draw(regression->data, &statistic, options, arena, &regression->bootstrap);
}

static bd_status predict_one(const bd_failure_time_regression *regression, const survival_profile *profile,
                             double offset, const bd_survival_predictions *all, bd_arena *arena,
                             bd_survival_prediction *out)
{
    const bd_failure_time *fit = regression->fit;
    bd_survival_predicted_point *points;
    double *x;
    BD_NEW(arena, points, all->n_times);
    BD_NEW(arena, x, fit->n_columns);
    x[0] = 1;
    memcpy(x + 1, profile->values, (fit->n_columns - 1) * sizeof *x);
    for (size_t t = 0; t < all->n_times; t++) {
        const bd_failure_time_point p = bd_failure_time_at(fit, x, offset, all->times[t]);
        points[t] = (bd_survival_predicted_point){p.survival, p.low, p.high, p.hazard, p.hazard_se};
    }
    const bd_failure_time_quantile median = bd_failure_time_quantile_of(fit, x, offset, 0.5);
    *out = (bd_survival_prediction){
        .profile = profile->name, .median = {median.time, median.low, median.high}, .points = points};
    return BD_OK;
}

static bd_status predict(bd_failure_time_regression *regression, const bd_survival_prediction_options *options,
                         bd_arena *arena)
{
    bd_survival_predictions *predictions;
    bd_survival_prediction *items;
    survival_profile *profiles = NULL;
    size_t n = 0;
    if (options->n_profiles == 0 && !options->baseline)
        return BD_OK;
    BD_NEW(arena, predictions, 1);
    BD_TRY(survival_profiles(regression->data, options, arena, &profiles, &n, predictions));
    if (regression->fit->end != BD_FAILURE_TIME_CONVERGED)
        return BD_OK;
    predictions->times = options->times;
    predictions->n_times = options->n_times;
    BD_TRY(survival_times(regression->last, arena, &predictions->times, &predictions->n_times));
    BD_NEW(arena, items, n);
    for (size_t i = 0; i < n; i++)
        BD_TRY(predict_one(regression, &profiles[i], survival_mean_offset(regression->data), predictions, arena,
                           &items[i]));
    predictions->n = n;
    predictions->items = items;
    regression->predictions = predictions;
    return BD_OK;
}

bd_status bd_failure_time_regress(const bd_survival_data *data, const bd_failure_time_options *options,
                                  bd_arena *arena, const bd_failure_time_regression **out)
{
    bd_failure_time_regression *regression;
    BD_NEW(arena, regression, 1);
    regression->data = data;
    BD_TRY(make_design(data, options, arena, regression));
    BD_TRY(bd_failure_time_fit(&regression->design, options->distribution, options->level, arena, &regression->fit));
    BD_TRY(predict(regression, &options->prediction, arena));
    if (options->bootstrap)
        BD_TRY(resample(regression, &options->resampling, arena));
    *out = regression;
    return BD_OK;
}
