/* Pooling of effects with known sampling variances: equal-effects and random-effects meta-analysis, with moderators.
 *
 *     const bd_pooling_design design = {.n = k, .effects = y, .variances = v, .n_columns = 1, .columns = x,
 *                                       .names = names, .has_intercept = true};
 *     BD_TRY(bd_pool(&design, &BD_POOLING_DEFAULTS, arena, &pooled));
 */
#ifndef BORDIN_MODELS_POOLING_H
#define BORDIN_MODELS_POOLING_H

#include <stdbool.h>

#include <bordin/core/arena.h>

typedef struct bd_pooling_design {
    size_t n, n_columns;
    const double *effects, *variances; /* n, variances above 0 */
    const double *const *columns;      /* n_columns of n; NULL is the constant 1 */
    const char *const *names;
    bool has_intercept; /* column 0 is the constant */
} bd_pooling_design;

/* How the variance between studies, tau^2, is estimated; equal effects: it is 0. Viechtbauer (2005),
 * doi:10.3102/10769986030003261. */
typedef struct bd_tau_estimator bd_tau_estimator;
extern const bd_tau_estimator bd_tau_reml, bd_tau_ml, bd_tau_dl, bd_tau_pm, bd_tau_eb, bd_tau_sj, bd_tau_he, bd_tau_hs,
    bd_tau_equal;
extern const bd_tau_estimator *const bd_tau_estimators[]; /* REML first; NULL ends the list */
const char *bd_tau_name(const bd_tau_estimator *estimator); /* as the user types it */
const char *bd_tau_summary(const bd_tau_estimator *estimator);
BD_CHECKED bd_status bd_tau_find(const char *name, const bd_tau_estimator **estimator);

typedef enum bd_pooling_test {
    BD_POOLING_KNHA,   /* Knapp and Hartung's t, whose factor is never below 1 (the ad hoc guard) */
    BD_POOLING_KNHA_RAW, /* without the guard */
    BD_POOLING_T,
    BD_POOLING_Z,
} bd_pooling_test;

typedef struct bd_pooling_coefficient {
    double estimate, se, statistic, p, ci_low, ci_high;
    double prediction_low, prediction_high; /* of a new study's effect: intercept alone; NaN with moderators */
} bd_pooling_coefficient;

typedef struct bd_pooled {
    size_t n, n_columns;
    const bd_tau_estimator *estimator;
    bd_pooling_test test;
    double level, df;           /* of t; infinite: z */
    bd_pooling_coefficient *coefficients;
    double *covariance;         /* n_columns x n_columns */
    double *weights;            /* n: 1 / (variance + tau^2), in per cent */
    double *fitted;             /* n */
    double tau2, tau2_se;       /* its error by the estimator's own formula; NaN of equal effects */
    double tau2_low, tau2_high; /* Q-profile */
    double i2, i2_low, i2_high, h2, h2_low, h2_high; /* I2 as a share */
    double q, q_df, q_p;        /* of residual heterogeneity */
    double qm, qm_df, qm_p;     /* of all moderators: F, or chi-squared */
    double r2;                  /* of tau^2 that moderators account for; NaN without */
    double log_likelihood, aic, bic; /* of ML and REML (restricted); NaN otherwise */
    double factor;              /* Knapp and Hartung's, by which variances were multiplied */
    bool converged;
} bd_pooled;

typedef struct bd_pooling_options {
    const bd_tau_estimator *estimator; /* NULL: REML */
    bd_pooling_test test;
    double level;
} bd_pooling_options;

#define BD_POOLING_DEFAULTS ((bd_pooling_options){.level = 0.95})

/* BD_EDATA: fewer than two effects, or not more than coefficients; a variance that is not above 0; a value that is not
 * finite; a moderator that is constant. BD_ENUMERIC: collinear moderators, named.
 * Knapp & Hartung (2003), doi:10.1002/sim.1482; Viechtbauer (2007), doi:10.1002/sim.2514; Higgins & Thompson (2002). */
BD_CHECKED bd_status bd_pool(const bd_pooling_design *design, const bd_pooling_options *options, bd_arena *arena,
                             const bd_pooled **pooled);

/* coefficients (n_columns), then tau^2, when effect i counts counts[i] times. `scratch`: bd_pooling_scratch doubles.
 * False: columns are collinear among those drawn, or tau^2 was not found. Pure: any thread. */
bool bd_pool_replicate(const bd_pooling_design *design, const bd_tau_estimator *estimator, const double *counts,
                       double *scratch, double *values);
size_t bd_pooling_scratch(const bd_pooling_design *design);

#endif
