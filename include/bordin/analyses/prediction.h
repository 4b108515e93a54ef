/* What a fitted model says of profiles: the mean of the outcome, a share, a count, the probability of each category; with
 * intervals, also by bootstrap.
 *
 *     const bd_index index = {.n_parameters = p, .n_values = 1, .link = &bd_logit, .of = linear_index};
 *     BD_TRY(bd_predict(&index, profiles, &estimates, level, arena, &predictions));
 *     BD_TRY(bd_predictions_statistic(predictions, &statistic, arena, &longer));      of which predictions are values too
 *     BD_TRY(bd_predictions_table(predictions, bootstrap, document));
 */
#ifndef BORDIN_ANALYSES_PREDICTION_H
#define BORDIN_ANALYSES_PREDICTION_H

#include <bordin/analyses/bootstrap.h>
#include <bordin/data/profile.h>
#include <bordin/models/glm.h>

/* How values follow from a model's parameters and the columns of a profile: link(value) is the index, on whose scale
 * intervals are formed. */
typedef struct bd_index {
    size_t n_parameters;
    size_t n_values;               /* of a profile: 1, or one for each category */
    const char *const *categories; /* their names, or NULL */
    const bd_link *link;
    const char *heading; /* what a value is: "Mean", "Probability" */
    void (*of)(const void *context, const bd_frame *profiles, size_t row, const double *parameters, double *index);
    const void *context;
} bd_index;

/* columns (n) of a profile times parameters. */
double bd_index_sum(const bd_design_column *columns, size_t n, size_t row, const double *parameters);

/* The plain case: link(mean) = all columns of the frame times their coefficients, plus its offset. */
bd_index bd_linear_index(const bd_frame *frame, const bd_link *link, const char *heading);

/* Where a fit stands. */
typedef struct bd_parameters {
    const double *estimates;  /* n_parameters */
    const double *covariance; /* n_parameters x n_parameters */
    double df;                /* of t; infinite: the normal distribution */
} bd_parameters;

typedef struct bd_prediction {
    size_t profile;
    const char *category; /* NULL: there are none */
    double estimate, se;  /* by the delta method */
    double ci_low, ci_high;
} bd_prediction;

typedef struct bd_predictions {
    bd_index index;
    const bd_profiles *profiles;
    double level, df;
    size_t n; /* profiles x values */
    const bd_prediction *items;
    const char *const *names; /* "age=60", "age=60: severe" */
} bd_predictions;

/* Predictions in `arena`, which keep what the index points to. A value that the link cannot reach is NaN. */
BD_CHECKED bd_status bd_predict(const bd_index *index, const bd_profiles *profiles, const bd_parameters *fit,
                                double level, bd_arena *arena, const bd_predictions **predictions);

/* *longer <- the statistic, whose first values are the index's parameters, with the predictions as further values.
 * `predictions` NULL: the statistic itself. */
BD_CHECKED bd_status bd_predictions_statistic(const bd_predictions *predictions, const bd_statistic *statistic,
                                              bd_arena *arena, const bd_statistic **longer);

/* The table "predictions" and notes; nothing when `predictions` is NULL. `bootstrap` (NULL: none) is of the statistic
 * above. */
BD_CHECKED bd_status bd_predictions_table(const bd_predictions *predictions, const bd_bootstrap_result *bootstrap,
                                          bd_document *document);
BD_CHECKED bd_status bd_predictions_notes(const bd_predictions *predictions, const bd_bootstrap_result *bootstrap,
                                          bd_document *document);

#endif
