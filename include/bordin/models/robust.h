/* Robust regression: M estimation by Huber or bisquare weights, and MM estimation.
 *
 *     const bd_ols_design design = {.n_rows = n, .n_columns = p, .columns = x, .names = names, .response = y,
 *                                   .response_name = "phq9", .has_intercept = true};
 *     BD_TRY(bd_robust_prepare(&design, &bd_robust_mm, 0, arena, &robust));
 *     BD_TRY(bd_robust_fit(robust, &bd_se_classical, 0.95, arena, &fit));
 *
 * and for each replicate of a bootstrap, without allocation:
 *
 *     end = bd_robust_replicate(robust, weights, fit->working, scratch, estimates);
 *
 * Huber's M estimate bears outlying responses; the bisquare one rejects the farthest, and depends on where it starts
 * (at least squares); MM starts from an S estimate, which bears outlying predictors too, up to half of the rows.
 */
#ifndef BORDIN_MODELS_ROBUST_H
#define BORDIN_MODELS_ROBUST_H

#include <bordin/models/likelihood.h>

typedef struct bd_robust_method bd_robust_method;
extern const bd_robust_method bd_robust_huber, bd_robust_bisquare, bd_robust_mm;
extern const bd_robust_method *const bd_robust_methods[]; /* NULL ends the list */

const char *bd_robust_name(const bd_robust_method *method);    /* as the user types it: huber, bisquare, mm */
const char *bd_robust_summary(const bd_robust_method *method); /* one line */
double bd_robust_tuning(const bd_robust_method *method);       /* 1.345, 4.685, 4.685061: 95 % as efficient as OLS */

typedef struct bd_robust bd_robust; /* a problem made ready */

typedef struct bd_robust_regression {
    const bd_robust_method *method;
    double tuning;
    size_t n_rows, n_columns, n_used;
    bd_coefficient *coefficients; /* t has n - p degrees of freedom; standardised and vif are NaN */
    double *covariance;           /* n_columns x n_columns */
    double *residuals;            /* n_rows */
    double *robustness;           /* n_rows, 0 .. 1: what each row counts */
    size_t n_rejected;            /* rows that count 0 */
    double scale;                 /* of the errors: median |residual| / 0.6745; MM: the S scale */
    double *working;              /* 2 n_columns + 1: where replicates start from */
    size_t n_iterations;
    bd_likelihood_end end; /* CONVERGED, NOT_CONVERGED; AT_LIMIT: the scale is 0, half of the rows fit exactly */
} bd_robust_regression;

/* What the design points to must outlive the result; its weights are counts: a row of weight 2 is two rows. `tuning` 0:
 * the method's. BD_EUSAGE: a tuning constant that is negative, or for MM below 1.54764. BD_EDATA, BD_ENUMERIC: as
 * bd_likelihood_prepare, and a response that is not finite. */
BD_CHECKED bd_status bd_robust_prepare(const bd_ols_design *design, const bd_robust_method *method, double tuning,
                                       bd_arena *arena, const bd_robust **robust);

/* Iteratively reweighted least squares to about 1e-12. M starts at least squares and takes the scale anew at each step,
 * as MASS::rlm. MM's S estimate (bisquare 1.54764, breakdown 1/2) is the best of 500 fits through as many rows as
 * coefficients, which a generator of its own draws, the same each time; from 2000 of the rows where there are more.
 * bd_se_classical: of M, Huber's (1981) with his correction, as summary.rlm; of MM, Croux, Dhaene & Hoorelbeke's
 * (2003), as robustbase. bd_se_hc0, bd_se_cr0, bd_se_cr1: the sandwich of the last step, its scale taken as known.
 * BD_EUSAGE: other errors. BD_EDATA: fewer than two rows more than coefficients; clusters asked for but not given.
 * Huber & Ronchetti (2009); Yohai (1987), doi:10.1214/aos/1176350366; Salibian-Barrera & Yohai (2006),
 * doi:10.1198/106186006X113629. */
BD_CHECKED bd_status bd_robust_fit(const bd_robust *robust, const bd_se_estimator *se, double level, bd_arena *arena,
                                   const bd_robust_regression **fit);

/* Doubles of scratch for a replicate. */
size_t bd_robust_scratch(const bd_robust *robust);

/* estimates (n_columns) <- the coefficients under these weights (n_rows, each 0 or more), from the `working` of a fit
 * (MM: its S estimate is refined under the weights, not searched for again): CONVERGED, COLLINEAR, AT_LIMIT,
 * NOT_CONVERGED. One thread, no allocation; many may call it. */
bd_likelihood_end bd_robust_replicate(const bd_robust *robust, const double *weights, const double *working,
                                      double *scratch, double *estimates);

#endif
