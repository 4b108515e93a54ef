/* Permutation tests of least-squares coefficients, beside covariates.
 *
 *     bd_permutation_options options = BD_PERMUTATION_DEFAULTS;
 *     BD_TRY(bd_permute(&design, strata, &options, arena, &result));
 *     result->p[1]
 *
 * For each coefficient the outcome is regressed on all other columns, its residuals are permuted, and t is computed anew
 * for the fitted values plus the permuted residuals. Freedman & Lane (1983), doi:10.1080/07350015.1983.10509354;
 * Winkler, Ridgway, Webster, Smith & Nichols (2014), doi:10.1016/j.neuroimage.2014.01.060. */
#ifndef BORDIN_ANALYSES_PERMUTATION_H
#define BORDIN_ANALYSES_PERMUTATION_H

#include <bordin/models/ols.h>
#include <bordin/resampling/resample.h>

typedef struct bd_permutation_options {
    size_t n_permutations;
    uint64_t seed;
    int n_threads; /* 0: all */
} bd_permutation_options;

#define BD_PERMUTATION_DEFAULTS ((bd_permutation_options){.n_permutations = 9999, .seed = 1})

typedef struct bd_permutation {
    size_t n_columns, n_permutations;
    const double *t; /* n_columns: the classical t of the coefficient; NaN for the constant, which cannot be permuted */
    const double *p; /* n_columns: (1 + permutations with |t*| >= |t|) / (1 + n_permutations); NaN likewise */
} bd_permutation;

/* Permutes all rows, or those within each stratum (`strata` not NULL). Every coefficient is tested with the same
 * permutations: the same numbers for any number of threads. The design has no collinear columns (bd_ols_fit says so).
 * BD_EUSAGE: a design with weights, whose residuals cannot be exchanged; no permutations. BD_EDATA: every stratum is a
 * single row. BD_ENUMERIC: the other columns explain the outcome perfectly. */
BD_CHECKED bd_status bd_permute(const bd_ols_design *design, const bd_membership *strata,
                                const bd_permutation_options *options, bd_arena *arena, const bd_permutation **result);

#endif
