/* Quantile regression: linear predictors of a quantile of the response, such as its median.
 *
 *     const bd_ols_design design = {.n_rows = n, .n_columns = p, .columns = x, .names = names, .response = y,
 *                                   .response_name = "phq9", .has_intercept = true};
 *     BD_TRY(bd_quantile_prepare(&design, 0.5, arena, &quantile));
 *     BD_TRY(bd_quantile_fit(quantile, BD_QUANTILE_NID, 0.95, arena, &fit));
 *
 * and for each replicate of a bootstrap, without allocation:
 *
 *     end = bd_quantile_replicate(quantile, weights, fit->rows, scratch, estimates);
 */
#ifndef BORDIN_MODELS_QUANTILE_H
#define BORDIN_MODELS_QUANTILE_H

#include <bordin/models/likelihood.h>

/* Errors, as those of the same names in quantreg's summary.rq, with Hall and Sheather's bandwidth. */
typedef enum bd_quantile_se {
    BD_QUANTILE_IID, /* one density of the errors: Koenker & Bassett (1978) */
    BD_QUANTILE_NID, /* a density by row, from two fits nearby: Hendricks & Koenker (1992) */
    BD_QUANTILE_KER, /* a density by row, from a kernel: Powell (1991) */
} bd_quantile_se;

typedef struct bd_quantile bd_quantile; /* a problem made ready */

typedef struct bd_quantile_regression {
    double tau;
    size_t n_rows, n_columns, n_used;
    bd_coefficient *coefficients; /* t has n - p degrees of freedom; standardised and vif are NaN */
    double *covariance;           /* n_columns x n_columns */
    double *residuals;            /* n_rows */
    size_t *rows;                 /* n_columns rows that the fit goes through: where replicates start from */
    double objective;             /* weighted sum of residual * (tau - (residual < 0)) */
    double null_objective;        /* with a constant alone; NaN without an intercept */
    double r1;                    /* 1 - objective / null_objective: Koenker & Machado (1999) */
    bool unique;                  /* no other coefficients are as good */
    size_t n_crossed;             /* NID: rows where the two fits cross, whose density counts as 0 */
    size_t n_iterations;
    bd_likelihood_end end; /* CONVERGED, NOT_CONVERGED */
} bd_quantile_regression;

/* What the design points to must outlive the result. BD_EUSAGE: tau is not between 0 and 1. BD_EDATA, BD_ENUMERIC: as
 * bd_likelihood_prepare, and a response that is not finite. */
BD_CHECKED bd_status bd_quantile_prepare(const bd_ols_design *design, double tau, bd_arena *arena,
                                         const bd_quantile **quantile);

/* The exact solution: coefficients through as many rows as there are coefficients, improved from those nearest to the
 * least-squares fit by changing one row at a time (Barrodale & Roberts's long steps). Weights multiply a row's part in
 * the sum. Where several are as good, one of them, the same each time.
 * BD_EDATA: fewer than two rows more than coefficients.
 * Koenker & Bassett (1978), doi:10.2307/1913643; Koenker (2005); Barrodale & Roberts (1973), doi:10.1137/0710069. */
BD_CHECKED bd_status bd_quantile_fit(const bd_quantile *quantile, bd_quantile_se se, double level, bd_arena *arena,
                                     const bd_quantile_regression **fit);

/* Doubles of scratch for a replicate. */
size_t bd_quantile_scratch(const bd_quantile *quantile);

/* estimates (n_columns) <- the coefficients under these weights (n_rows, each 0 or more), from the `rows` of a fit:
 * CONVERGED, COLLINEAR or NOT_CONVERGED. One thread, no allocation; many may call it. */
bd_likelihood_end bd_quantile_replicate(const bd_quantile *quantile, const double *weights, const size_t *rows,
                                        double *scratch, double *estimates);

#endif
