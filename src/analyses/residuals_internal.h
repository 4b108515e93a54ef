/* What the files of the bootstraps of errors share. */
#ifndef BORDIN_ANALYSES_RESIDUALS_INTERNAL_H
#define BORDIN_ANALYSES_RESIDUALS_INTERNAL_H

#include <bordin/analyses/residuals.h>

/* What errors are drawn from. */
typedef struct bd_residual_source {
    size_t n_rows, n_fixed, n_equations;
    const bd_ols *const *fits; /* of each equation, classical */
    const double *residuals;   /* n_equations x n_rows, scaled by 1 / sqrt(1 - leverage) */
    const double *centres;     /* their means */
    const double *mixing;      /* n_equations squared, lower: times normals, errors with the residual covariances */
    size_t n_basis;
    const double *basis;       /* n_basis x n_rows, orthonormal: of fixed columns, then of responses that predict */
    const double *triangle;    /* n_basis x n_basis: columns = basis * triangle */
} residual_source;

/* Fits the equations. */
BD_CHECKED bd_status residual_source_new(const bd_residual_system *system, int n_threads, bd_arena *arena,
                                         residual_source *source);

#endif
