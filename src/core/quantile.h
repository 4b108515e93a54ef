/* A quantile without sorting. */
#ifndef BORDIN_SRC_CORE_QUANTILE_H
#define BORDIN_SRC_CORE_QUANTILE_H

#include <math.h>

#include <gsl/gsl_statistics_double.h>

/* The p-quantile of n > 0 values, which are reordered: linear between order statistics, at p (n - 1). */
static inline double quantile_of(double *values, size_t n, double p)
{
    const double position = p * (double)(n - 1), whole = floor(position), share = position - whole;
    const size_t k = (size_t)whole;
    const double low = gsl_stats_select(values, 1, n, k);
    return share == 0 || k + 1 == n ? low : (1 - share) * low + share * gsl_stats_select(values, 1, n, k + 1);
}

#endif
