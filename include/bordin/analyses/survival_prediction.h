/* Survival of profiles: what a fitted model expects of patients with given predictors.
 *
 *     const char *const texts[] = {"age=60,sex=1", "age=60,sex=2"};
 *     const bd_survival_prediction_options options = {.profiles = texts, .n_profiles = 2, .level = 0.95};
 *     BD_TRY(bd_cox_predict(data, fit, &options, arena, &predictions));
 *     predictions->items[0].median.value, predictions->items[0].points[1].survival
 */
#ifndef BORDIN_ANALYSES_SURVIVAL_PREDICTION_H
#define BORDIN_ANALYSES_SURVIVAL_PREDICTION_H

#include <bordin/data/profile.h>
#include <bordin/models/cox.h>
#include <bordin/models/survival_curve.h>
#include <bordin/models/weibull.h>
#include <bordin/report/document.h>

typedef struct bd_survival_prediction_options {
    const char *const *profiles; /* n_profiles texts, see profile.h; among the names may be strata */
    size_t n_profiles;
    bool baseline;       /* also of predictors that are all 0, categories at their reference */
    const double *times; /* at which survival is told; NULL: quarters of the time that every stratum is followed */
    size_t n_times;
    double level;
} bd_survival_prediction_options;

typedef struct bd_survival_predicted_point {
    double survival, low, high;
    double hazard, hazard_se; /* cumulative */
} bd_survival_predicted_point;         /* NaN beyond the time that the stratum is followed */

typedef struct bd_survival_prediction {
    const char *profile;              /* "age=60, sex=1", "baseline" */
    const char *stratum;              /* NULL without */
    bd_survival_estimate median;      /* NaN: not reached */
    const bd_survival_predicted_point *points; /* n_times */
    const bd_cox_curve *curve;        /* every step; NULL: of a smooth model */
} bd_survival_prediction;

typedef struct bd_survival_predictions {
    size_t n, n_times;
    const bd_survival_prediction *items; /* by profile, then stratum; the baseline first */
    const double *times;
    const char *const *notes; /* of the profiles */
    size_t n_notes;
} bd_survival_predictions;

struct bd_survival_data; /* survival.h */

/* Of a stratum that the profile names, or of each; survival's limits are on the log scale, as survfit's. *predictions
 * is NULL where none is asked for, or the fit did not converge. BD_EUSAGE: as bd_profiles_build; exact ties; a time
 * that is none. BD_EDATA: as bd_profiles_build; no such stratum. */
BD_CHECKED bd_status bd_cox_predict(const struct bd_survival_data *data, const bd_cox *fit,
                                    const bd_survival_prediction_options *options, bd_arena *arena,
                                    const bd_survival_predictions **predictions);

/* The tables "medians", "predictions" and, not printed, "prediction_curves"; notes. NULL: nothing. */
BD_CHECKED bd_status bd_survival_predictions_document(const bd_survival_predictions *predictions,
                                                      bd_document *document);

#endif
