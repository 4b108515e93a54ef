/* Bootstraps of a regression that keep the predictors and draw errors: y* = fitted + e*.
 *
 *     const bd_residual_options options = {.draw = &bd_draw_residuals, .n_replicates = 10000, .seed = 1};
 *     BD_TRY(bd_residual_bootstrap(&design, &options, arena, &replicates));
 *
 * Residuals are scaled by 1 / sqrt(1 - leverage) and, where they are drawn from all rows, centred.
 * Davison & Hinkley (1997), sec. 6.2 and 6.3; Wu (1986), doi:10.1214/aos/1176350142. */
#ifndef BORDIN_ANALYSES_RESIDUALS_H
#define BORDIN_ANALYSES_RESIDUALS_H

#include <bordin/models/ols.h>
#include <bordin/random/philox.h>
#include <bordin/resampling/resample.h>

struct bd_residual_source;

/* How errors are drawn: a row in a table. */
typedef struct bd_error_draw {
    const char *name;    /* as the user types it */
    const char *summary; /* one line for help */
    void (*fill)(const struct bd_residual_source *source, gsl_rng *rng, double *errors);
} bd_error_draw;

extern const bd_error_draw bd_draw_residuals;  /* any row's residual for every row: equal variances */
extern const bd_error_draw bd_draw_wild;       /* a row's own, times 1 or -1: any variances */
extern const bd_error_draw bd_draw_parametric; /* normal, with the residual standard deviation */

typedef struct bd_residual_options {
    const bd_error_draw *draw;
    size_t n_replicates;
    uint64_t seed;
    int n_threads; /* 0: all */
} bd_residual_options;

/* Replicates of the coefficients with their classical errors, which make studentised intervals possible; no accelerations.
 * The same bits for any number of threads. BD_EUSAGE: a design with weights; no replicates. Others are bd_ols_fit's. */
BD_CHECKED bd_status bd_residual_bootstrap(const bd_ols_design *design, const bd_residual_options *options,
                                           bd_arena *arena, const bd_replicates **replicates);

#endif
