/* Weighted sums of effects at one tau^2, and tau^2 from them. */
#ifndef BORDIN_SRC_MODELS_POOLING_INTERNAL_H
#define BORDIN_SRC_MODELS_POOLING_INTERNAL_H

#include <bordin/models/pooling.h>

static const double POOLING_COLLINEAR = 1e-12;

/* Sums at one tau^2, by how often each effect counts. With w = 1 / (v + tau^2), e = y - Xb and M = (X'WX)^-1,
 * Py = w e, tr P = sum w - tr(M X'W^2 X), tr PP = sum w^2 - 2 tr(M X'W^3 X) + tr(M X'W^2 X M X'W^2 X). */
typedef struct pooling {
    const bd_pooling_design *design;
    const double *counts; /* NULL: once each */
    double *information, *inverse, *second, *third; /* p x p: X'WX, M, X'W^2X, X'W^3X */
    double *b;            /* p */
    double n;             /* effects */
    double w1, w2;        /* sums of w and w^2 */
    double ype, yppe;     /* y'Py, y'PPy */
    double trace, trace2; /* of P and PP */
    double log_weights, log_root;
} pooling;

static inline double pooling_value(const bd_pooling_design *design, size_t j, size_t i)
{
    return design->columns[j] == NULL ? 1 : design->columns[j][i];
}

static inline double pooling_df(const pooling *s)
{
    return s->n - (double)s->design->n_columns;
}

void pooling_place(const bd_pooling_design *design, const double *counts, double *room, pooling *s);

/* Everything for weights 1 / (a v + tau2): `a` 0 is unweighted least squares. False: collinear. */
bool pooling_weigh(pooling *s, double tau2, double a);

/* The inverse of the symmetric `matrix`, by Cholesky in it, and the logarithm of the root of its determinant. */
bool pooling_invert(size_t p, double *matrix, double *inverse, double *log_root);

/* tr(a b), and tr(M S M S). */
double pooling_trace(size_t p, const double *a, const double *b);
double pooling_squared_trace(size_t p, const double *m, const double *s);

/* What a design needs to be estimable. */
BD_CHECKED bd_status pooling_check(const bd_pooling_design *design, bd_arena *arena);

/* b'V^-1 b of the coefficients from `first` on; NaN: there is none, or V is singular. */
BD_CHECKED bd_status pooling_wald(size_t first, size_t p, const double *b, const double *covariance, bd_arena *arena,
                                  double *chi2);

/* tau^2, with the sums at it. False: collinear, or no convergence. */
bool pooling_estimate(pooling *s, const bd_tau_estimator *estimator, double *tau2);

/* The standard error of tau^2; what `s` has changes. */
double pooling_tau_error(pooling *s, const bd_tau_estimator *estimator, double tau2);

#endif
