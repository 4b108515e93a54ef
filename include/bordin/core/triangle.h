/* The triangle R of a set of columns C: R'R = C'WC, upper triangular, from a tall-skinny QR of the rows.
 *
 * One small matrix from which every least-squares quantity of those columns follows. With the columns ordered
 * (1, covariates, x, m, y), the regression of column j on the k columns before it has
 *     coefficients          solve R[0..k, 0..k] b = R[0..k, j]
 *     residual sum of squares   sum of R[i, j]^2 for i >= k (i <= j)
 * and, where column 0 is the constant, the centred sum of squares of column j is the sum of R[i, j]^2 for 1 <= i <= j,
 * and the sum of the weights is R[0, 0]^2.
 *
 * Triangles are q x q, row-major, zeros below the diagonal, diagonal >= 0.
 */
#ifndef BORDIN_CORE_TRIANGLE_H
#define BORDIN_CORE_TRIANGLE_H

#include <stdbool.h>

#include <bordin/core/arena.h>

/* Columns of equal length, not owned. */
typedef struct bd_columns {
    size_t n_rows;
    size_t n_columns;
    const double *const *values; /* n_columns of n_rows; a NULL column is the constant 1 */
    const double *weights;       /* n_rows, each >= 0; NULL: all 1 */
} bd_columns;

/* The triangle of sqrt(weights) * columns, by Householder QR of blocks of rows whose triangles are folded in a fixed
 * tree: the same bits for any number of threads (0: all). Where column 0 is the constant, the others are shifted by a
 * mean of their first rows before they are factored, and R[0, ] is put back; slopes do not feel a large mean.
 * BD_ENOMEM. Demmel, Grigori, Hoemmen & Langou (2012), doi:10.1137/080731992. */
BD_CHECKED bd_status bd_triangle_of(const bd_columns *columns, int n_threads, bd_arena *arena, double **triangle);

/* triangle <- the triangle of both row sets together. */
void bd_triangle_fold(size_t q, double *triangle, const double *other);

/* R of the q x q cross-products `products` (row-major, upper half read): R'R = products, by Cholesky.
 * False when a pivot falls below `tolerance` times its diagonal entry: the columns are collinear there. The last column,
 * which nothing is regressed on, may be explained by the others: its pivot is then 0. */
BD_CHECKED bool bd_triangle_from_products(size_t q, const double *products, double tolerance, double *triangle);

/* product <- left * right, both upper triangular q x q; product may not be one of them. */
void bd_triangle_multiply(size_t q, const double *left, const double *right, double *product);

/* x <- the solution of R[0..k, 0..k] x = b; R has q columns; x may be b. */
void bd_triangle_solve(size_t q, size_t k, const double *triangle, const double *b, double *x);

/* x <- the solution of R[0..k, 0..k]' x = b; x may be b. */
void bd_triangle_solve_transposed(size_t q, size_t k, const double *triangle, const double *b, double *x);

/* inverse <- the inverse of R[0..k, 0..k], upper triangular, k x k row-major. */
void bd_triangle_invert(size_t q, size_t k, const double *triangle, double *inverse);

/* The first column among 1..q-1 whose part not explained by the columns before it is below `tolerance` of its own
 * length (the constant's share taken out first where `constant_first`); q when there is none. */
size_t bd_triangle_first_collinear(size_t q, const double *triangle, bool constant_first, double tolerance);

#endif
