/* Parametric survival: what stretches or shortens the time to an event (accelerated failure times).
 *
 *     ... bd_survival_wanted, bd_csv_read, bd_survival_build ...
 *     bd_failure_time_options options = BD_FAILURE_TIME_DEFAULTS;
 *     options.distribution = BD_LOG_NORMAL;
 *     BD_TRY(bd_failure_time_regress(data, &options, arena, &regression));
 *     BD_TRY(bd_failure_time_document(regression, arena, &document));
 */
#ifndef BORDIN_ANALYSES_FAILURE_TIME_H
#define BORDIN_ANALYSES_FAILURE_TIME_H

#include <bordin/analyses/survival.h>
#include <bordin/models/weibull.h>

typedef struct bd_failure_time_options {
    bd_failure_time_distribution distribution;
    bool robust;  /* errors from scores, by row; by cluster they are wherever clusters are given */
    double level;
    bool bootstrap; /* clusters or rows are drawn */
    bd_bootstrap_options resampling;
    bd_survival_prediction_options prediction;
} bd_failure_time_options;

#define BD_FAILURE_TIME_DEFAULTS ((bd_failure_time_options){.level = 0.95, .resampling = BD_BOOTSTRAP_DEFAULTS})

typedef struct bd_failure_time_regression {
    const bd_survival_data *data;
    bd_failure_time_design design;        /* the constant, then the columns of data->design */
    const bd_failure_time *fit;
    const bd_bootstrap_result *bootstrap; /* of each coefficient, and log(scale) if it is estimated; NULL: not asked */
    const bd_survival_predictions *predictions;    /* NULL: none asked for, or no convergence */
    double last;                          /* time that was observed */
} bd_failure_time_regression;

/* "weibull", "exponential", "lognormal", "loglogistic". BD_EUSAGE: no such; the message lists them. */
BD_CHECKED bd_status bd_failure_time_find(const char *name, bd_failure_time_distribution *distribution);

/* Fails as bd_failure_time_fit, bd_bootstrap_frame and bd_profiles_build do. BD_EUSAGE: rows that are intervals;
 * strata. */
BD_CHECKED bd_status bd_failure_time_regress(const bd_survival_data *data, const bd_failure_time_options *options,
                                             bd_arena *arena, const bd_failure_time_regression **regression);

/* The tables "coefficients", "hazard_ratios" (Weibull, exponential), "bootstrap", "fit" and those of predictions;
 * sentences, notes, warnings, provenance. */
BD_CHECKED bd_status bd_failure_time_document(const bd_failure_time_regression *regression, bd_arena *arena,
                                              bd_document **document);

#endif
