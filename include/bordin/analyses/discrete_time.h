/* Discrete-time hazards: in which session, week or other period patients drop out, as a regression of a yes or no for
 * each period that a patient begins.
 *
 *     const bd_survival_spec spec = {.formula = "Surv(sessions, dropout) ~ alliance"};
 *     ... bd_survival_wanted, bd_csv_read, bd_survival_build ...
 *     BD_TRY(bd_discrete_time_regress(data, &BD_DISCRETE_TIME_DEFAULTS, arena, &regression));
 *     BD_TRY(bd_discrete_time_document(regression, arena, &document));
 *
 * A row is written once for each period in which it is at risk, with the event in the last. Times are whole periods,
 * or are cut into them. Singer & Willett (1993), doi:10.3102/10769986018002155; Allison (1982).
 */
#ifndef BORDIN_ANALYSES_DISCRETE_TIME_H
#define BORDIN_ANALYSES_DISCRETE_TIME_H

#include <bordin/analyses/survival.h>
#include <bordin/models/glm.h>

/* How the hazard changes from period to period, on the scale of the link. */
typedef enum bd_period_effect {
    BD_PERIOD_EACH, /* an effect of each; where all or none at risk have the event, the hazard is 1 or 0 */
    BD_PERIOD_LINEAR, /* by the number of the period */
    BD_PERIOD_QUADRATIC,
    BD_PERIOD_LOG, /* by its logarithm */
} bd_period_effect;

typedef struct bd_discrete_time_options {
    const bd_link *link; /* logit: odds ratios; cloglog: hazard ratios of grouped times; NULL: logit */
    bd_period_effect effect;
    const double *ends;  /* of the periods, ascending, the first from 0 (not in it); NULL: times are whole numbers */
    size_t n_ends;
    bool robust;         /* errors by patient, where rows are none, or by cluster: CR1 */
    double level;
    int n_threads;
    bool bootstrap;      /* clusters, patients, or rows with all their periods are drawn */
    bd_bootstrap_options resampling;
    bd_survival_prediction_options prediction; /* without profiles: of the means */
} bd_discrete_time_options;

#define BD_DISCRETE_TIME_DEFAULTS ((bd_discrete_time_options){.level = 0.95, .resampling = BD_BOOTSTRAP_DEFAULTS})

typedef struct bd_period {
    double from, to;
    double at_risk, events; /* by weight */
    bool known;             /* none or all of those at risk have it: the hazard is 0 or 1, outside the model */
} bd_period;

typedef struct bd_discrete_time_prediction {
    const char *profile;
    const double *hazard, *hazard_low, *hazard_high;       /* by period, limits on the scale of the link */
    const double *survival, *survival_low, *survival_high; /* to the end of each, limits on the log scale */
} bd_discrete_time_prediction;

typedef struct bd_discrete_time {
    const bd_survival_data *data;
    bd_discrete_time_options options; /* the link that was used */
    size_t n_periods;
    const bd_period *periods;
    size_t n_records;       /* rows times periods, in the model */
    size_t n_beyond;        /* rows followed behind the last period */
    size_t n_events_beyond; /* their events, which are left out */
    const size_t *row, *period; /* of each record */
    bd_glm_design design;   /* of the records: effects of periods, then the columns of data->design */
    size_t n_period_columns;
    const bd_glm *fit;
    double likelihood_ratio, df, p; /* of the predictors; NaN without */
    const bd_bootstrap_result *bootstrap; /* of all coefficients but effects of each period; NULL: not asked */
    size_t n_predictions;
    const bd_discrete_time_prediction *predictions; /* none: no convergence */
    const char *const *notes;
    size_t n_notes;
} bd_discrete_time;

/* "each", "linear", "quadratic", "log". BD_EUSAGE: no such; the message lists them. */
BD_CHECKED bd_status bd_period_effect_find(const char *name, bd_period_effect *effect);

/* Fails as bd_cox_check, bd_glm_fit, bd_bootstrap_frame and bd_profiles_build do. BD_EUSAGE: strata; a link that is no
 * binomial one; ends that are not ascending; a bootstrap without predictors of effects of each period. BD_EDATA: a time
 * that is no whole number of periods, or above 0; a start within a period; too many periods for an effect of each; no
 * events in any period with some at risk who have none. */
BD_CHECKED bd_status bd_discrete_time_regress(const bd_survival_data *data, const bd_discrete_time_options *options,
                                              bd_arena *arena, const bd_discrete_time **regression);

/* The tables "coefficients", "bootstrap", "fit", "periods" and "predictions"; sentences, notes, warnings, provenance.
 */
BD_CHECKED bd_status bd_discrete_time_document(const bd_discrete_time *regression, bd_arena *arena,
                                               bd_document **document);

#endif
