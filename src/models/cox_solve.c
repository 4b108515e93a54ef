/* Small symmetric systems by Cholesky's factor, whose failing pivot names a column. */
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "models/cox_internal.h"

size_t cox_cholesky(size_t p, double *matrix, double least)
{
    for (size_t j = 0; j < p; j++) {
        double pivot = matrix[j * p + j];
        for (size_t k = 0; k < j; k++)
            pivot -= matrix[j * p + k] * matrix[j * p + k];
        if (!(pivot > least * matrix[j * p + j] && pivot > 0))
            return j;
        const double root = sqrt(pivot);
        matrix[j * p + j] = root;
        for (size_t i = j + 1; i < p; i++) {
            double sum = matrix[i * p + j];
            for (size_t k = 0; k < j; k++)
                sum -= matrix[i * p + k] * matrix[j * p + k];
            matrix[i * p + j] = sum / root;
        }
    }
    return p;
}

void cox_cholesky_solve(size_t p, const double *factor, const double *b, double *x)
{
    memmove(x, b, p * sizeof *x);
    for (size_t i = 0; i < p; i++) {
        for (size_t k = 0; k < i; k++)
            x[i] -= factor[i * p + k] * x[k];
        x[i] /= factor[i * p + i];
    }
    for (size_t i = p; i-- > 0;) {
        for (size_t k = i + 1; k < p; k++)
            x[i] -= factor[k * p + i] * x[k];
        x[i] /= factor[i * p + i];
    }
}

void cox_cholesky_invert(size_t p, const double *factor, double *inverse)
{
    memset(inverse, 0, p * p * sizeof *inverse);
    for (size_t j = 0; j < p; j++) {
        inverse[j * p + j] = 1;
        cox_cholesky_solve(p, factor, inverse + j * p, inverse + j * p);
    }
}

bd_cox_test cox_chi_squared(double statistic, double df)
{
    return (bd_cox_test){statistic, df, isnan(statistic) ? NAN : gsl_cdf_chisq_Q(fmax(statistic, 0), df)};
}
