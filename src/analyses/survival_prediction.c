/* Survival of profiles by a proportional-hazards fit. */
#include <bordin/analyses/survival.h>

#include <math.h>

#include "analyses/survival_profiles.h"
#include "analyses/survival_times.h"

/* The last time in each stratum. */
static bd_status follow_up(const bd_cox_design *design, bd_arena *arena, const double **last, double *common)
{
    const size_t n = design->strata != NULL ? design->n_strata : 1;
    double *times;
    BD_NEW(arena, times, n);
    for (size_t i = 0; i < design->n_rows; i++) {
        double *time = &times[design->strata != NULL ? design->strata[i] : 0];
        if (design->weights == NULL || design->weights[i] > 0)
            *time = fmax(*time, design->stop[i]);
    }
    *common = times[0];
    for (size_t s = 1; s < n; s++)
        *common = fmin(*common, times[s]);
    *last = times;
    return BD_OK;
}

static bd_survival_predicted_point point_at(const bd_cox_curve *curve, double time, double last)
{
    size_t n = 0;
    if (time > last)
        return (bd_survival_predicted_point){NAN, NAN, NAN, NAN, NAN};
    while (n < curve->n_times && curve->times[n] <= time)
        n++;
    if (n == 0)
        return (bd_survival_predicted_point){1, 1, 1, 0, 0};
    return (bd_survival_predicted_point){curve->survival[n - 1], curve->low[n - 1], curve->high[n - 1],
                                         curve->hazard[n - 1], curve->hazard_se[n - 1]};
}

/* The quantile's rule wants the last time, of an event or not. */
static bd_status find_median(const bd_cox_curve *curve, double last, bd_arena *arena, bd_survival_estimate *median)
{
    const size_t n = curve->n_times;
    const double *const from[] = {curve->times, curve->survival, curve->low, curve->high};
    double *to[4];
    const bd_mark scratch = bd_arena_mark(arena);
    for (size_t k = 0; k < 4; k++) {
        BD_NEW(arena, to[k], n + 1);
        for (size_t i = 0; i <= n && n > 0; i++)
            to[k][i] = i < n ? from[k][i] : k == 0 ? last : from[k][n - 1];
    }
    const bd_survival_curve whole = {
        .n_times = n > 0 ? n + 1 : 0, .times = to[0], .survival = to[1], .low = to[2], .high = to[3]};
    *median = bd_survival_quantile(&whole, 0.5);
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}

static bd_status predict(const bd_survival_data *data, const bd_cox_design *design, const bd_cox *fit,
                         const survival_profile *profile, size_t stratum, const bd_survival_predictions *all,
                         double last, bd_arena *arena, bd_survival_prediction *out)
{
    bd_survival_predicted_point *points;
    *out = (bd_survival_prediction){
        .profile = profile->name,
        .stratum = data->strata_levels != NULL ? data->strata_levels[stratum].name : NULL};
    BD_TRY(bd_cox_survival(design, fit, stratum, profile->values, arena, &out->curve));
    BD_NEW(arena, points, all->n_times);
    for (size_t t = 0; t < all->n_times; t++)
        points[t] = point_at(out->curve, all->times[t], last);
    out->points = points;
    return find_median(out->curve, last, arena, &out->median);
}

bd_status survival_predict(const bd_survival_data *data, const bd_cox_design *design, const bd_cox *fit,
                           const bd_survival_prediction_options *options, bd_arena *arena,
                           const bd_survival_predictions **out)
{
    const size_t n_strata = data->design.strata != NULL ? data->design.n_strata : 1;
    bd_survival_predictions *predictions;
    bd_survival_prediction *items;
    survival_profile *profiles = NULL;
    const double *last = NULL;
    double common = 0;
    size_t n_profiles = 0;
    *out = NULL;
    if (options->n_profiles == 0 && !options->baseline)
        return BD_OK;
    if (fit->ties == BD_COX_EXACT)
        return bd_fail(BD_EUSAGE, "curves of profiles take ties by efron or breslow, not exact");
    BD_NEW(arena, predictions, 1);
    BD_TRY(survival_profiles(data, options, arena, &profiles, &n_profiles, predictions));
    if (fit->end != BD_COX_CONVERGED)
        return BD_OK;
    BD_TRY(follow_up(&data->design, arena, &last, &common));
    predictions->times = options->times;
    predictions->n_times = options->n_times;
    BD_TRY(survival_times(common, arena, &predictions->times, &predictions->n_times));
    BD_NEW(arena, items, n_profiles * n_strata);
    for (size_t i = 0; i < n_profiles; i++)
        for (size_t s = 0; s < n_strata; s++)
            if (profiles[i].strata[s])
                BD_TRY(predict(data, design, fit, &profiles[i], s, predictions, last[s], arena,
                               &items[predictions->n++]));
    predictions->items = items;
    *out = predictions;
    return BD_OK;
}

bd_status bd_cox_predict(const bd_survival_data *data, const bd_cox *fit,
                         const bd_survival_prediction_options *options, bd_arena *arena,
                         const bd_survival_predictions **predictions)
{
    return survival_predict(data, &data->design, fit, options, arena, predictions);
}
