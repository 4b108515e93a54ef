/* Roots and inverses of positive definite matrices, in blocks that stay in the cache. The same bits for any number of
 * threads (1 or more). */
#ifndef BORDIN_SRC_CORE_SYMMETRIC_H
#define BORDIN_SRC_CORE_SYMMETRIC_H

#include <stdbool.h>
#include <stddef.h>

/* The upper half of a (n x n, by rows) becomes U, a = U'U. False: not positive definite. */
bool symmetric_root(size_t n, double *a, int n_threads);

/* c (n x n) -= a'b. */
void symmetric_subtract_product(size_t n, const double *a, const double *b, double *c, int n_threads);

/* All of a, whose upper half is U, becomes (U'U)^-1. `room`: n x n. */
void symmetric_invert(size_t n, double *a, double *room, int n_threads);

#endif
