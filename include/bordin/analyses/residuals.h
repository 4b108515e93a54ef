/* Bootstraps that keep the predictors and draw errors: y* = fitted + e*, of one equation or of several.
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
    const char *name;     /* as the user types it */
    const char *drawn;    /* in words: the errors of a replicate, */
    const char *together; /* and how those of several equations go together */
    void (*fill)(const struct bd_residual_source *source, gsl_rng *rng, double *errors); /* n_equations x n_rows */
} bd_error_draw;

extern const bd_error_draw bd_draw_residuals;  /* any row's residuals for every row: equal variances */
extern const bd_error_draw bd_draw_wild;       /* a row's own, all times the same 1 or -1: any variances */
extern const bd_error_draw bd_draw_parametric; /* normal, with the residual covariances of the equations of a stage */

/* Equations in which each response stands on the fixed columns and on the responses of earlier stages. */
typedef struct bd_residual_system {
    const bd_columns *columns;  /* the fixed ones, then the responses, stage by stage; without weights */
    const char *const *names;   /* of the columns */
    size_t n_fixed;
    const size_t *n_predictors; /* for each response: how many of the first columns it stands on, none of its stage */
    bool has_intercept;         /* column 0 is the constant */
} bd_residual_system;

typedef struct bd_residual_options {
    const bd_error_draw *draw;
    size_t n_replicates;
    uint64_t seed;
    int n_threads;        /* 0: all */
    bool standard_errors; /* keep one of each value in each replicate, for studentised intervals */
} bd_residual_options;

/* Replicates of the coefficients, with their classical errors where asked for; no accelerations.
 * The same bits for any number of threads. BD_EUSAGE: a design with weights; no replicates. Others are bd_ols_fit's. */
BD_CHECKED bd_status bd_residual_bootstrap(const bd_ols_design *design, const bd_residual_options *options,
                                           bd_arena *arena, const bd_replicates **replicates);

/* Replicates of a statistic of the system's columns, whose triangle is `triangle`: the responses are rebuilt, in order,
 * from the fitted coefficients and the errors of all equations. A row's errors are drawn together. statistic->columns are
 * system->columns. The same bits for any number of threads. BD_EUSAGE: weights; no replicates. BD_ENUMERIC: the data,
 * or more than 5 % of the replicates, could not be estimated. Others are bd_ols_fit's. */
BD_CHECKED bd_status bd_residual_bootstrap_system(const bd_residual_system *system, const bd_statistic *statistic,
                                                  const double *triangle, const bd_residual_options *options,
                                                  bd_arena *arena, const bd_replicates **replicates);

#endif
