/* Cross-products by cluster, and the deviance that is made of them. */
#ifndef BORDIN_SRC_MODELS_MIXED_INTERNAL_H
#define BORDIN_SRC_MODELS_MIXED_INTERNAL_H

#include <bordin/models/mixed.h>

enum { MIXED_MOST_RANDOM = 12 };

struct bd_mixed_model {
    const bd_mixed_design *design;
    size_t n_used, n_groups; /* with a weight */
    size_t p, q, k;          /* columns, random coefficients, entries of Lambda that are free */
    size_t m;                /* q + p + 1: the columns of the products */
    double *products;        /* n_groups of m x m, upper half: of z / scale, rotated x, residual */
    double *rows;            /* n_groups: rows with a weight */
    double *total;           /* m x m: their sum */
    double *rotation;        /* p x p, upper triangular: beta = ols + rotation * gamma */
    double *ols;             /* p */
    double *scale;           /* q */
    double log_weights;      /* sum of log weights */
    double log_root;         /* log |R|, what rotating takes from REML's determinant */
    double *random_moments;  /* q x q */
    const uint8_t *entry_row, *entry_column; /* k: of the free entries, by columns */
};

/* Where a search stands. Scratch for one thread. */
typedef struct mixed_point {
    double *lambda;   /* q x q */
    double *root;     /* p x p: R'R = X'V^-1 X, upper; its inverse behind */
    double *inverse;  /* p x p: (X'V^-1 X)^-1 */
    double *gamma;    /* p */
    double *gradient; /* k: of the profiled deviance */
    double *work;     /* mixed_work */
    double n;         /* rows */
    double log_random; /* log |Lambda'Z'Z Lambda + I| */
    double residual;   /* penalised residual sum of squares */
    double deviance;
} mixed_point;

size_t mixed_point_room(const bd_mixed_model *model);
void mixed_point_make(const bd_mixed_model *model, double *room, mixed_point *point);

/* Lambda of the free entries. */
void mixed_set(const bd_mixed_model *model, const double *theta, mixed_point *point);

/* Everything at point->lambda; `counts` NULL: every group once. `sigma` 0: profiled, otherwise the deviance and its
 * gradient at that sigma. False: not finite. */
bool mixed_evaluate(const bd_mixed_model *model, const double *counts, bool reml, double sigma, mixed_point *point);

/* Moves theta (k) to the minimum; returns how it ended. `room`: mixed_search_room doubles. */
bd_mixed_end mixed_minimise(const bd_mixed_model *model, const double *counts, bool reml, double *theta,
                            mixed_point *point, double *room, size_t *n_iterations);
size_t mixed_search_room(const bd_mixed_model *model);

/* V^-1 of one group in its products: `solved` (q x m) <- L^-1 Lambda' Z'[Z X y], L (q x q) the root of
 * I + Lambda'Z'Z Lambda; log_det += its log determinant. */
bool mixed_solve_group(const bd_mixed_model *model, const double *lambda, const double *products, double *root,
                       double *solved, double *log_det);

#endif
