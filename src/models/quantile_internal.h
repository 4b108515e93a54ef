/* What quantile regression's parts share. */
#ifndef BORDIN_MODELS_QUANTILE_INTERNAL_H
#define BORDIN_MODELS_QUANTILE_INTERNAL_H

#include <bordin/models/quantile.h>

#include "models/likelihood_internal.h"

struct bd_quantile {
    const bd_ols_design *design;
    double tau;
    const bd_likelihood *basis; /* the columns, orthonormal */
    double *columns;            /* n_rows x n_columns of them, by row */
    double *response;           /* moved by so little that no two fits are equally good by chance: see prepare */
    double *start;              /* the least-squares fit, in the basis */
    double scale;               /* of the residuals */
};

/* A fit through as many rows as there are columns. */
typedef struct quantile_vertex {
    const bd_quantile *quantile;
    const double *weights; /* NULL: all 1 */
    double tau;
    size_t *rows;              /* n_columns, which the fit goes through */
    double *inverse;           /* of those rows: columns are the directions that leave one row and keep the others */
    double *residuals, *along; /* n_rows; along: their change by direction */
    double *gradient, *multiplier, *gamma, *work; /* n_columns; multiplier: 0 .. weight where the fit is best */
    double *steps;                                /* n_rows */
    size_t *order;                                /* n_rows */
    size_t n_iterations;
    bool unique;
} quantile_vertex;

/* Doubles for the arrays of a vertex. */
size_t quantile_vertex_size(const bd_quantile *quantile);
void quantile_vertex_place(const bd_quantile *quantile, double *scratch, quantile_vertex *vertex);

/* vertex->rows <- those nearest to the fit `gamma`, as far as they are independent. False: there are not enough. */
bool quantile_vertex_start(quantile_vertex *vertex, const double *gamma);

/* Moves to the best vertex, from vertex->rows. */
bd_likelihood_end quantile_vertex_solve(quantile_vertex *vertex);

/* The covariance of the coefficients, p x p. */
BD_CHECKED bd_status quantile_covariance(const bd_quantile *quantile, bd_quantile_se se, bd_arena *arena,
                                         bd_quantile_regression *fit);

#endif
