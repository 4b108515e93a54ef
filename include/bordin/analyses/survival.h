/* Survival: what a formula with Surv() on its left makes of a table, and proportional-hazards regression of it.
 *
 *     const bd_survival_spec spec = {.formula = "Surv(weeks, dropout) ~ alliance + baseline + strata(site)"};
 *     BD_TRY(bd_survival_wanted(&spec, arena, &wanted, &n_wanted));
 *     BD_TRY(bd_csv_read(path, wanted, n_wanted, &csv, arena, &table));
 *     BD_TRY(bd_survival_build(table, &spec, arena, &data));
 *     BD_TRY(bd_survive(data, &BD_SURVIVAL_DEFAULTS, arena, &survival));
 *     BD_TRY(bd_survival_document(survival, arena, &document));
 */
#ifndef BORDIN_ANALYSES_SURVIVAL_H
#define BORDIN_ANALYSES_SURVIVAL_H

#include <bordin/analyses/bootstrap.h>
#include <bordin/analyses/survival_prediction.h>
#include <bordin/models/cox.h>

typedef struct bd_survival_spec {
    const char *formula; /* "Surv(time, event) ~ terms" or "Surv(start, stop, event) ~ terms"; among the terms
                            strata(x), cluster(x), frailty(x), offset(x); parts are expressions, such as status == 2 */
    const char *where;   /* a condition, or NULL */
    const char *weights; /* names of columns, or NULL */
    const char *cluster; /* as cluster(x) in the formula */
    const char *id;      /* the patient, for rows that are intervals */
    bool competing;      /* the event is a column of causes, of which the first that happens is seen */
    const char *censored; /* competing: the level that is none of them; NULL: 0, "censored", "censor" or "none" */
} bd_survival_spec;

/* A stratum of the model. */
typedef struct bd_survival_stratum {
    const char *name;          /* "a", "a, female" */
    const char *const *levels; /* of each of strata_names */
} bd_survival_stratum;

typedef struct bd_survival_data {
    const bd_frame *frame;   /* of all parts; for provenance */
    const char *formula;     /* as given */
    bd_cox_design design;    /* n_columns is 0 for "~ 1" */
    const char *event;       /* expression */
    const size_t *term_of;   /* n_columns: the term of each column */
    const char *const *terms;
    size_t n_terms;
    const char *strata;      /* "site", "site and sex"; NULL without */
    const char *const *strata_names; /* n_strata_names: "site", "sex" */
    size_t n_strata_names;
    const bd_survival_stratum *strata_levels; /* design.n_strata; NULL without */
    const double *cause;     /* n_rows: 0, none, or 1 .. n_causes; NULL unless they compete; design.event is any */
    size_t n_causes;
    const char *const *causes;
    const char *censored;    /* the level that is none */
    const char *cluster;     /* names of columns, NULL without */
    const char *frailty;     /* the cluster, if a frailty is shared within it */
    const char *id;
    const char *weights;
    const char *offset;      /* expression, NULL without */
    const bd_table *table;
    const bd_frame_spec *frame_spec; /* of the frame, whose first n_others terms are no predictors: see profile.h */
    size_t n_others;
} bd_survival_data;

/* The columns that a specification names. BD_EUSAGE: the formula or the condition cannot be parsed; no Surv() on the
 * left; strata(), cluster() or offset() within another term. */
BD_CHECKED bd_status bd_survival_wanted(const bd_survival_spec *spec, bd_arena *arena, const bd_wanted **wanted,
                                        size_t *n_wanted);

/* Fails as above and as bd_frame_build does. BD_EUSAGE: a formula without intercept. BD_EDATA: a patient or cluster is
 * missing in rows that are used; causes of which none is the level of those without an event. */
BD_CHECKED bd_status bd_survival_build(const bd_table *table, const bd_survival_spec *spec, bd_arena *arena,
                                       const bd_survival_data **data);

typedef struct bd_survival_options {
    bd_cox_ties ties;
    bool robust;  /* errors from score residuals, by row; by cluster they are wherever clusters are given */
    double level; /* of the confidence intervals */
    int n_threads; /* 0: all */
    bool bootstrap; /* whether to resample: clusters, patients with all their intervals, or rows */
    bd_bootstrap_options resampling;
    bd_survival_prediction_options prediction; /* its level is this one */
} bd_survival_options;

#define BD_SURVIVAL_DEFAULTS ((bd_survival_options){.level = 0.95, .resampling = BD_BOOTSTRAP_DEFAULTS})

typedef struct bd_survival {
    const bd_survival_data *data;
    const bd_cox *fit;               /* coefficients in the order of data->design.columns */
    const bd_cox_zph *proportional;  /* by data->terms, over Kaplan-Meier time; NULL: exact ties, or no convergence */
    const bd_bootstrap_result *bootstrap; /* a value for each coefficient; NULL unless asked for */
    const bd_survival_predictions *predictions;    /* NULL: none asked for, or no convergence */
} bd_survival;

/* "efron", "breslow", "exact". BD_EUSAGE: no such; the message lists them. */
BD_CHECKED bd_status bd_cox_ties_find(const char *name, bd_cox_ties *ties);

/* Fails as bd_cox_fit, bd_cox_predict and bd_bootstrap_frame do. BD_EUSAGE: no predictors; a bootstrap of intervals of
 * time without patients or clusters, of exact ties, or for studentised intervals. */
BD_CHECKED bd_status bd_survive(const bd_survival_data *data, const bd_survival_options *options, bd_arena *arena,
                                const bd_survival **survival);

/* The tables "coefficients", "bootstrap" (if asked for), "fit", "proportional_hazards" and those of predictions, a
 * sentence, notes, warnings, provenance. */
BD_CHECKED bd_status bd_survival_document(const bd_survival *survival, bd_arena *arena, bd_document **document);

#endif
