/* What fitting hands to the estimators of standard errors. */
#ifndef BORDIN_MODELS_OLS_INTERNAL_H
#define BORDIN_MODELS_OLS_INTERNAL_H

#include <math.h>

#include <omp.h>

#include <bordin/models/ols.h>

static const double OLS_SMALLEST_SHARE = 1e-10; /* 1 - leverage, below which a residual is 0 by construction */

/* Rows are shared out in blocks whose number follows from the number of rows alone, and what blocks add up is joined in
 * their order: no bit depends on the number of threads. */
enum { OLS_CHUNK = 256, OLS_LEAST_ROWS = 4096, OLS_MOST_BLOCKS = 64 };

typedef struct ols_solution {
    const bd_ols_design *design;
    size_t n_used;     /* rows with a weight */
    double *estimates; /* p */
    double *root;      /* p x p upper triangular L: LL' = (X'WX)^-1 */
    double *centre;    /* p: means of the columns, 0 without intercept */
    double *offset;    /* p: the centres' share of XL, so that XL = (X - centre)L + offset without cancellation */
    double *residuals; /* n_rows */
    double ss_residual, ss_total; /* weighted; the total about the mean with an intercept */
    double df_residual;
    size_t *n_saturated; /* where rows of leverage 1 are counted */
} ols_solution;

struct bd_se_estimator {
    const char *name, *summary;
    bool needs_clusters;
    double (*factor)(double units, double p);                             /* on the whole; NULL: 1 */
    double (*discount)(double leverage, double mean_leverage);            /* on a row's squared residual; NULL: 1 */
    /* meat: M in LML', p x p; df: of t by coefficient, preset to df_residual */
    bd_status (*meat)(const bd_se_estimator *estimator, const ols_solution *solution, bd_arena *arena, double *meat,
                      double *df);
};

static inline size_t ols_block_rows(size_t n_rows)
{
    const size_t even = (n_rows + OLS_MOST_BLOCKS - 1) / OLS_MOST_BLOCKS;
    return even > OLS_LEAST_ROWS ? even : OLS_LEAST_ROWS;
}

static inline double ols_weighted_residual(const ols_solution *s, size_t row)
{
    return s->design->weights == NULL ? s->residuals[row] : sqrt(s->design->weights[row]) * s->residuals[row];
}

static inline int ols_threads(const ols_solution *s)
{
    return s->design->n_threads > 0 ? s->design->n_threads : omp_get_max_threads();
}

static inline void ols_join_blocks(double *sums, size_t n_blocks, size_t stride)
{
    for (size_t block = 1; block < n_blocks; block++)
        for (size_t k = 0; k < stride; k++)
            sums[k] += sums[block * stride + k];
}

static inline void ols_mirror(size_t p, double *matrix)
{
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < i; j++)
            matrix[i * p + j] = matrix[j * p + i];
}

/* Estimates, root, residuals and sums of squares from the triangle of (columns, response). The solution's arrays are
 * allocated by the caller. */
BD_CHECKED bd_status bd_ols_refine(const double *triangle, bd_arena *arena, ols_solution *solution);

/* The p x p `covariance` of the estimates and `df` of their t. */
BD_CHECKED bd_status bd_se_covariance(const bd_se_estimator *estimator, const ols_solution *solution, bd_arena *arena,
                                      double *covariance, double *df);

/* Rows of U = W^(1/2) X L, whose columns are orthonormal, OLS_CHUNK apart in `u`: those numbered in `rows`, or, where
 * that is NULL, `n` from `from` on. `x` is scratch of the size of `u`. */
void bd_ols_rotate(const ols_solution *solution, const size_t *rows, size_t from, size_t n, double *x, double *u);

/* Liang & Zeger's meat, and Bell & McCaffrey's with Satterthwaite's degrees of freedom, in the coordinates of U: the
 * working model has variances 1 / weights. */
BD_CHECKED bd_status bd_ols_cr_meat(const bd_se_estimator *estimator, const ols_solution *solution, bd_arena *arena,
                                    double *meat, double *df);
BD_CHECKED bd_status bd_ols_cr2_meat(const bd_se_estimator *estimator, const ols_solution *solution, bd_arena *arena,
                                     double *meat, double *df);

#endif
