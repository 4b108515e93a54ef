/* Competing risks: several kinds of event of which the first is seen, such as ending by agreement and dropping out.
 *
 *     const bd_survival_spec spec = {.formula = "Surv(weeks, ending) ~ strata(arm)", .competing = true};
 *     ... bd_survival_wanted, bd_csv_read, bd_survival_build ...
 *     BD_TRY(bd_compete(data, &BD_COMPETING_DEFAULTS, arena, &competing));
 *     BD_TRY(bd_competing_document(competing, arena, &document));
 *
 * Without predictors: the share that has had each event, by stratum, and whether it differs (Gray). With predictors:
 * for each cause, what goes with its hazard among those without any event yet (cause-specific), and with the share
 * that comes to have it (Fine and Gray).
 */
#ifndef BORDIN_ANALYSES_COMPETING_H
#define BORDIN_ANALYSES_COMPETING_H

#include <bordin/analyses/survival.h>
#include <bordin/models/competing_risks.h>

typedef struct bd_competing_options {
    double level;
    const char *cause;   /* this one only; NULL: all */
    const double *times; /* at which shares are told; NULL: quarters of the time that every group is followed */
    size_t n_times;
    double rho;          /* Gray's test: a time counts as (1 - share)^rho */
    bd_cox_ties ties;
    bool robust;         /* cause-specific errors by row; by cluster wherever clusters are given */
    int n_threads;
    bool bootstrap; /* with predictors; rows, patients or clusters are drawn, and censoring is estimated anew */
    bd_bootstrap_options resampling;
    bd_survival_prediction_options prediction; /* with predictors: shares of profiles, by Fine and Gray's model */
} bd_competing_options;

#define BD_COMPETING_DEFAULTS ((bd_competing_options){.level = 0.95, .resampling = BD_BOOTSTRAP_DEFAULTS})

typedef struct bd_competing_cause {
    size_t number; /* 1 .. data->n_causes */
    const char *name;
    const bd_gray *test;          /* without predictors; NULL: one group, weights or late entry */
    const bd_cox *specific;       /* with predictors */
    const bd_cox *subdistribution; /* Fine and Gray's, errors by cluster or row; NULL: late entry */
    const bd_survival_predictions
        *predictions; /* of its survival, 1 - the share; NULL: none asked for, no convergence */
} bd_competing_cause;

typedef struct bd_competing {
    const bd_survival_data *data;
    bd_competing_options options; /* times are those that were used */
    size_t n_causes;
    const bd_competing_cause *causes;
    size_t n_groups;              /* without predictors */
    const char *const *groups;    /* levels of the strata; one, "all", without */
    const bd_incidence *incidence; /* NULL with predictors */
    const bd_bootstrap_result
        *bootstrap; /* by cause the coefficients of specific, then subdistribution; NULL: not asked */
} bd_competing;

/* Fails as bd_incidence_find, bd_gray_test, bd_cox_fit, bd_fine_gray_rows and bd_bootstrap_frame do. BD_EUSAGE: data
 * without causes; no such cause; exact ties; a formula without predictors but with an offset; profiles of late entries.
 */
BD_CHECKED bd_status bd_compete(const bd_survival_data *data, const bd_competing_options *options, bd_arena *arena,
                                const bd_competing **competing);

/* The tables "groups", "incidence" (at the times), "gray" and, not printed, "curves"; or "coefficients" of the
 * cause-specific hazards, "subdistribution", "predictions", "bootstrap"
 * and "fit". Sentences, notes, warnings, provenance. */
BD_CHECKED bd_status bd_competing_document(const bd_competing *competing, bd_arena *arena, bd_document **document);

#endif
