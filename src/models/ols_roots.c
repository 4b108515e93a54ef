/* The inverse root of a diagonal less a few columns, times those columns: by quadrature, never forming the matrix.
 * B^(-1/2) is the integral of (B + t^2)^-1, which the substitution by elliptic functions makes converge geometrically:
 * Hale, Higham & Trefethen (2008), doi:10.1137/070700607. Clusters may have any number of rows. */
#include "models/ols_roots.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_sf_elljac.h>
#include <gsl/gsl_sf_ellint.h>

#include "models/ols_internal.h"

/* The cluster as it is worked on: B = D^2 (I - UU') D^2, scaled so that the mean of log D^2 is 0. */
typedef struct cluster {
    size_t n, p;
    double *u;        /* n x p, columns n apart */
    double *square;   /* n: D^2 */
    double *free;     /* n x p: U less what B maps to 0 */
    double *solved;   /* n x p: S free */
    double *products; /* p x p: I - F'(D^4 + t^2)^-1 F for F = D^2 U, then its Cholesky factor */
    double *right;    /* p x p: F'(D^4 + t^2)^-1 free, then the solution */
} cluster;

size_t ols_root_scratch(size_t n, size_t p)
{
    return n + 2 * n * p + 2 * p * p;
}

static void scale_weights(cluster *c, const double *weights)
{
    double sum = 0;
    for (size_t i = 0; i < c->n; i++)
        sum += log(weights[i]);
    const double mean = exp(sum / (double)c->n);
    for (size_t i = 0; i < c->n; i++)
        c->square[i] = mean / weights[i];
}

static double dot(size_t n, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* What B maps to 0 is D^-2 U v for the eigenvectors v of U'U with eigenvalue 1: taken out of the columns of `free`. Its
 * orthonormal basis is left in `solved`. Returns the least eigenvalue of I - UU' above 0. */
static double free_of_null(cluster *c, const gsl_vector *eigenvalues, const gsl_matrix *eigenvectors)
{
    double least = 1;
    size_t n_null = 0;
    memcpy(c->free, c->u, c->n * c->p * sizeof *c->free);
    for (size_t k = 0; k < c->p; k++) {
        const double rest = 1 - gsl_vector_get(eigenvalues, k);
        if (rest > OLS_SMALLEST_SHARE) {
            least = fmin(least, rest);
            continue;
        }
        double *basis = c->solved + n_null++ * c->n;
        for (size_t i = 0; i < c->n; i++) {
            basis[i] = 0;
            for (size_t j = 0; j < c->p; j++)
                basis[i] += c->u[j * c->n + i] * gsl_matrix_get(eigenvectors, j, k) / c->square[i];
        }
        for (size_t other = 0; other + 1 < n_null; other++) {
            const double along = dot(c->n, basis, c->solved + other * c->n);
            for (size_t i = 0; i < c->n; i++)
                basis[i] -= along * c->solved[other * c->n + i];
        }
        const double length = sqrt(dot(c->n, basis, basis));
        for (size_t i = 0; i < c->n; i++)
            basis[i] /= length;
        for (size_t j = 0; j < c->p; j++) {
            double *column = c->free + j * c->n;
            const double along = dot(c->n, basis, column);
            for (size_t i = 0; i < c->n; i++)
                column[i] -= along * basis[i];
        }
    }
    return least;
}

/* Cholesky in place, lower triangle; then `right` <- the solution for its p columns. */
static void solve_small(size_t p, double *a, double *right)
{
    for (size_t j = 0; j < p; j++) {
        for (size_t k = 0; k < j; k++)
            a[j * p + j] -= a[j * p + k] * a[j * p + k];
        a[j * p + j] = sqrt(fmax(a[j * p + j], 1e-300));
        for (size_t i = j + 1; i < p; i++) {
            for (size_t k = 0; k < j; k++)
                a[i * p + j] -= a[i * p + k] * a[j * p + k];
            a[i * p + j] /= a[j * p + j];
        }
    }
    for (size_t column = 0; column < p; column++) {
        for (size_t i = 0; i < p; i++) {
            for (size_t k = 0; k < i; k++)
                right[i * p + column] -= a[i * p + k] * right[k * p + column];
            right[i * p + column] /= a[i * p + i];
        }
        for (size_t i = p; i-- > 0;) {
            for (size_t k = i + 1; k < p; k++)
                right[i * p + column] -= a[k * p + i] * right[k * p + column];
            right[i * p + column] /= a[i * p + i];
        }
    }
}

/* solved += weight (B + shift)^-1 free, by Woodbury's identity. */
static void add_node(cluster *c, double shift, double weight)
{
    const size_t n = c->n, p = c->p;
    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k < p; k++) {
            double product = 0, right = 0;
            for (size_t i = 0; i < n; i++) {
                const double f = c->square[i] * c->u[j * n + i] / (c->square[i] * c->square[i] + shift);
                product += f * c->square[i] * c->u[k * n + i];
                right += f * c->free[k * n + i];
            }
            c->products[j * p + k] = (j == k) - product;
            c->right[j * p + k] = right;
        }
    solve_small(p, c->products, c->right);
    for (size_t k = 0; k < p; k++)
        for (size_t i = 0; i < n; i++) {
            double sum = c->free[k * n + i];
            for (size_t j = 0; j < p; j++)
                sum += c->square[i] * c->u[j * n + i] * c->right[j * p + k];
            c->solved[k * n + i] += weight * sum / (c->square[i] * c->square[i] + shift);
        }
}

/* solved <- B^(-1/2) free, the eigenvalues of B that matter being within low .. high. */
static void apply_root(cluster *c, double low, double high)
{
    const double share = low / high, quarter = gsl_sf_ellint_Kcomp(sqrt(1 - share), GSL_PREC_DOUBLE);
    const size_t n_nodes = (size_t)(1.6 * (log(high / low) + 6)) + 3;
    memset(c->solved, 0, c->n * c->p * sizeof *c->solved);
    for (size_t k = 0; k < n_nodes; k++) {
        double sn, cn, dn;
        gsl_sf_elljac_e(((double)k + 0.5) * quarter / (double)n_nodes, 1 - share, &sn, &cn, &dn);
        add_node(c, low * sn * sn / (cn * cn), 2 * quarter * sqrt(low) / (M_PI * (double)n_nodes) * dn / (cn * cn));
    }
}

void ols_adjust_weighted(size_t n, size_t p, double *u, const double *e, const double *weights,
                         const gsl_vector *eigenvalues, const gsl_matrix *eigenvectors, double *scratch,
                         const ols_adjusted *out)
{
    cluster c = {.n = n, .p = p, .u = u, .square = scratch};
    c.free = c.square + n;
    c.solved = c.free + n * p;
    c.products = c.solved + n * p;
    c.right = c.products + p * p;
    scale_weights(&c, weights);
    const double least = free_of_null(&c, eigenvalues, eigenvectors);
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < n; i++) {
        low = fmin(low, c.square[i] * c.square[i]);
        high = fmax(high, c.square[i] * c.square[i]);
    }
    apply_root(&c, 0.99 * least * low, high);
    for (size_t j = 0; j < p; j++)
        for (size_t i = 0; i < n; i++)
            c.solved[j * n + i] *= c.square[i];
    for (size_t j = 0; j < p; j++) {
        out->te[j] = dot(n, c.solved + j * n, e);
        for (size_t k = 0; k < p; k++) {
            out->tt[j * p + k] = dot(n, c.solved + j * n, c.solved + k * n);
            out->ut[j * p + k] = dot(n, u + j * n, c.solved + k * n);
        }
    }
}
