/* Regression by models beyond the generalised linear: ordered and unordered categories, shares, counts with more zeros,
 * robust and quantile regression, all told in one form: equations of terms.
 *
 *     BD_TRY(bd_model_find("ordinal", &family, &model));
 *     spec.levels = "none,mild,severe";
 *     BD_TRY(bd_model_spec(model, &spec));                            what the frame must hold
 *     BD_TRY(bd_model_regress(frame, model, &BD_MODEL_DEFAULTS, arena, &regression));
 *     BD_TRY(bd_model_document(regression, arena, &document));
 */
#ifndef BORDIN_ANALYSES_MODEL_REGRESSION_H
#define BORDIN_ANALYSES_MODEL_REGRESSION_H

#include <bordin/analyses/prediction.h>
#include <bordin/models/glm.h>
#include <bordin/models/likelihood.h>

typedef struct bd_model_regression bd_model_regression;

/* A model is a row in a table. */
typedef struct bd_model {
    const char *name; /* as the user types it */
    const char *title; /* of its document: "Quantile regression" */
    const char *summary;
    const char *const *links;  /* its default first; NULL: it has none */
    const char *const *errors; /* the same of standard errors */
    const char *second;        /* the option with the terms of its second equation: "zeros"; NULL: it has none */
    bool categories, ordered;  /* the outcome is categories, in an order */
    bool trials, offset, tau;  /* it takes these */
    bd_status (*fit)(bd_model_regression *regression, bd_arena *arena); /* fills in the equations and what follows */
    const void *variant;                                                /* what fit makes of it */
} bd_model;

extern const bd_model *const bd_models[]; /* NULL ends the list */

/* Generalised families and models go by one list of names: one of the two is set. BD_EUSAGE: the message lists them. */
BD_CHECKED bd_status bd_model_find(const char *name, const bd_family **family, const bd_model **model);

/* Sets what the model wants of its frame: categories, counts among trials, a second equation of a constant (unless
 * spec->extra has its terms). */
void bd_model_spec(const bd_model *model, bd_frame_spec *spec);

typedef struct bd_model_options {
    const char *link;      /* NULL: the model's first */
    const char *se;        /* NULL: the model's first, or CR1 for a frame with clusters */
    double tau;            /* quantile: which */
    double level;          /* of the confidence intervals */
    int n_threads;         /* 0: all */
    size_t max_iterations; /* 0: 200 */
    bool bootstrap;        /* whether to resample */
    bd_bootstrap_options resampling;
    const bd_profiles *profiles; /* of the frame, to predict for; NULL: none */
} bd_model_options;

#define BD_MODEL_DEFAULTS ((bd_model_options){.tau = 0.5, .level = 0.95, .resampling = BD_BOOTSTRAP_DEFAULTS})

typedef struct bd_model_row {
    const char *category; /* multinomial: which category against the reference; otherwise NULL */
    const char *term;
    double estimate, se, statistic;
    double df; /* of t; NaN: the statistic is z */
    double p, ci_low, ci_high;
} bd_model_row;

/* A table of coefficients. */
typedef struct bd_model_equation {
    const char *id, *title; /* "coefficients"; "thresholds", "zeros", "precision", "overdispersion" */
    const char *ratio;      /* what exp(estimate) is, as a heading; NULL: nothing of the kind */
    size_t n_rows;
    bd_model_row *rows;
} bd_model_equation;

/* A chi-squared test of one term, or of all (term NULL). */
typedef struct bd_model_test {
    const char *term;
    double statistic, df, p;
} bd_model_test;

typedef struct bd_model_saying {
    bd_saying saying;
    const char *text;
} bd_model_saying;

/* How replicates are had: values in the order of the equations' rows. */
typedef struct bd_model_replicate bd_model_replicate;
struct bd_model_replicate {
    bd_replicate_end (*of)(const bd_model_replicate *replicate, const double *weights, double *scratch, double *values);
    const void *prepared, *start;
    size_t n_scratch, n_rows, n_values;
    const double *weights; /* the frame's, as given; NULL: all 1 */
};

struct bd_model_regression {
    const bd_frame *frame;
    const bd_model *model;
    bd_model_options options; /* link and se are those that were used */
    const bd_se_estimator *se; /* NULL where the model has errors of its own */
    const double *weights;     /* the frame's, as given */
    bd_model_equation equations[3];
    size_t n_equations, n_values;
    bd_value facts[20]; /* NaN: left out */
    size_t n_facts;
    double whole_statistic, whole_df, whole_p; /* all predictors: chi-squared, or F */
    double whole_df_residual;                  /* of F; NaN: chi-squared */
    const char *tests_id, *tests_title; /* NULL: none */
    bd_model_test *tests;
    size_t n_tests;
    bd_model_saying *sayings; /* notes and warnings of the model */
    size_t n_sayings, sayings_room;
    bd_index index; /* of predictions; its parameters are the values of the equations */
    const double *covariance;
    bd_model_replicate replicate;
    const bd_predictions *predictions; /* NULL unless asked for */
    const bd_bootstrap_result *bootstrap; /* NULL unless asked for */
};

/* Weights count as they were given: a row of weight 2 is two rows (of quantile regression in the estimates, not in the
 * errors). Replicates refit from the full sample's solution until
 * they converge. Fails as the model's fit and bd_bootstrap_frame do. BD_EUSAGE: no outcome, a link or errors that the
 * model does not have, studentised intervals, quantile regression of clusters that are not resampled, ordered
 * categories of text without their order, or without a constant. BD_ENUMERIC: predictors tell the outcomes apart (the
 * foremost is named); the fit did not converge. */
BD_CHECKED bd_status bd_model_regress(const bd_frame *frame, const bd_model *model, const bd_model_options *options,
                                      bd_arena *arena, const bd_model_regression **regression);

/* A table for each equation, "predictions", "fit", "parallel_slopes" (ordinal) or "terms" (multinomial), a sentence, notes, warnings,
 * provenance of the frame. */
BD_CHECKED bd_status bd_model_document(const bd_model_regression *regression, bd_arena *arena, bd_document **document);

#endif
