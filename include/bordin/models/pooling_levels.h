/* Meta-analysis of several effects a study: the variance between studies and that between effects of one study, given
 * what sampling brings.
 *
 *     const bd_levels_design design = {.effects = {.n = 267, ...}, .study = codes, .n_studies = 40, .rho = 0.6};
 *     BD_TRY(bd_pool_levels(&design, &BD_LEVELS_DEFAULTS, arena, &pooled));
 *
 * y = Xb + u + w + e, where u is common to a study's effects, w an effect's own, and e sampling: with variances v, and
 * correlations rho between effects of one study. Konstantopoulos (2011), doi:10.1002/jrsm.35; with rho above 0 the
 * correlated and hierarchical effects of Pustejovsky & Tipton (2022), doi:10.1007/s11121-021-01246-3.
 */
#ifndef BORDIN_MODELS_POOLING_LEVELS_H
#define BORDIN_MODELS_POOLING_LEVELS_H

#include <stdint.h>

#include <bordin/models/pooling.h>

typedef struct bd_levels_design {
    bd_pooling_design effects;
    const uint32_t *study; /* of each effect, from 0 */
    size_t n_studies;
    double rho; /* of sampling errors within a study: 0 to below 1 */
} bd_levels_design;

enum { BD_BETWEEN_STUDIES, BD_WITHIN_STUDIES, BD_N_LEVELS };

typedef struct bd_levels_options {
    bool ml;     /* rather than REML */
    bool model;  /* errors from the model and z, rather than cluster-robust (CR2) with Satterthwaite's df */
    double level;
} bd_levels_options;

#define BD_LEVELS_DEFAULTS ((bd_levels_options){.level = 0.95})

typedef struct bd_levels_component {
    double variance, ci_low, ci_high; /* by profile likelihood; infinite: no end was found */
    double i2;                        /* its share of the variance of effects, beside typical sampling */
} bd_levels_component;

typedef struct bd_levels_coefficient {
    double estimate, se, statistic, df, p, ci_low, ci_high; /* df infinite: z */
    double se_model;
    double prediction_low, prediction_high; /* of a new study's effect: intercept alone; NaN with moderators */
} bd_levels_coefficient;

typedef struct bd_pooled_levels {
    size_t n, n_studies, n_columns;
    bd_levels_options options;
    bd_levels_component components[BD_N_LEVELS];
    bd_levels_coefficient *coefficients;
    double *covariance; /* n_columns x n_columns, from the model */
    double *weights;    /* n: the weight of each effect in per cent, row sums of the inverse variance matrix */
    double i2;          /* both components' */
    double q, q_df, q_p;
    double qm, qm_df, qm_p; /* of all moderators, chi-squared from the model; NaN without */
    double log_likelihood, aic, bic;
    bool converged;
} bd_pooled_levels;

/* Fails as bd_pool does. BD_EUSAGE: rho. BD_EDATA: fewer than two studies; no study has two effects. */
BD_CHECKED bd_status bd_pool_levels(const bd_levels_design *design, const bd_levels_options *options, bd_arena *arena,
                                    const bd_pooled_levels **pooled);

/* A design laid out for fitting again and again, and fits of it when the effects of study j count counts[j] times:
 * coefficients, then both variances. `scratch`: bd_levels_scratch doubles. False: collinear, or no convergence. Pure. */
typedef struct bd_levels_model bd_levels_model;
BD_CHECKED bd_status bd_levels_prepare(const bd_levels_design *design, bool ml, bd_arena *arena,
                                       const bd_levels_model **model);
size_t bd_levels_scratch(const bd_levels_model *model);
bool bd_levels_replicate(const bd_levels_model *model, const double *counts, double *scratch, double *values);

#endif
