/* Bell and McCaffrey's adjustment of a cluster whose rows have different weights. */
#ifndef BORDIN_SRC_MODELS_OLS_ROOTS_H
#define BORDIN_SRC_MODELS_OLS_ROOTS_H

#include <stddef.h>

#include <gsl/gsl_matrix.h>
#include <gsl/gsl_vector.h>

/* With T = D^2 S U, where S is the inverse (or pseudo-inverse) root of D^2 (I - UU') D^2 and D^2 the inverse weights:
 * T'T, U'T (p x p, row-major) and T'e. */
typedef struct ols_adjusted {
    double *tt, *ut, *te;
} ols_adjusted;

/* n rows of U (column j at u + j * n) and of e, both times the roots of the `weights`, all above 0; eigenvalues and
 * vectors (columns) of U'U. `scratch`: ols_root_scratch doubles. */
void ols_adjust_weighted(size_t n, size_t p, double *u, const double *e, const double *weights,
                         const gsl_vector *eigenvalues, const gsl_matrix *eigenvectors, double *scratch,
                         const ols_adjusted *out);
size_t ols_root_scratch(size_t n, size_t p);

#endif
