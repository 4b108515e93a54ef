/* Do groups differ in when the event comes? Log-rank tests, weighted and stratified.
 *
 *     const bd_survival_rows rows = {.n_rows = n, .stop = time, .event = event, .group = arm, .n_groups = 2};
 *     BD_TRY(bd_logrank_test(&rows, &BD_LOGRANK_DEFAULTS, arena, &test));
 */
#ifndef BORDIN_MODELS_LOGRANK_H
#define BORDIN_MODELS_LOGRANK_H

#include <bordin/models/survival_curve.h>

/* A time counts  n(t)^at_risk * S(t-)^rho * (1 - S(t-))^gamma:  n(t) are at risk, S is Kaplan and Meier's curve of all
 * groups of the stratum. 0, 0, 0: log-rank; at_risk 1: Gehan & Breslow, 0.5: Tarone & Ware; rho 1: Peto & Peto; gamma
 * 1: late differences (Fleming & Harrington's family of rho and gamma). */
typedef struct bd_logrank_options {
    double at_risk, rho, gamma;
} bd_logrank_options;

#define BD_LOGRANK_DEFAULTS ((bd_logrank_options){.at_risk = 0})

typedef struct bd_logrank_group {
    double n, events;          /* by the weights of the rows */
    double observed, expected; /* events, each counted as its time does */
} bd_logrank_group;

typedef struct bd_logrank {
    size_t n_groups;
    const bd_logrank_group *groups;
    const double *covariance; /* n_groups x n_groups, of observed - expected */
    double statistic, df, p;  /* chi-squared */
} bd_logrank;

/* The test of `rows->group` within `rows->strata`. Weights of rows are counts: a row of weight 2 is two rows. Groups
 * that are never at risk when an event happens do not count. BD_EUSAGE: negative or infinite exponents. BD_EDATA: as
 * bd_survival_curves_find; fewer than two groups with rows; groups that are never at risk together.
 * Mantel (1966); Harrington & Fleming (1982), doi:10.1093/biomet/69.3.553; Tarone & Ware (1977),
 * doi:10.1093/biomet/64.1.156. */
BD_CHECKED bd_status bd_logrank_test(const bd_survival_rows *rows, const bd_logrank_options *options, bd_arena *arena,
                                     const bd_logrank **test);

#endif
