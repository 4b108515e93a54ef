/* Inner products. */
#ifndef BORDIN_SRC_CORE_DOT_H
#define BORDIN_SRC_CORE_DOT_H

#include <stddef.h>

/* a'b, in eight sums that run side by side: always in the same order. */
static inline double dot(const double *a, const double *b, size_t n)
{
    enum { LANES = 8 };
    double sums[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            sums[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        sum += a[i] * b[i];
    for (size_t k = 0; k < LANES; k++)
        sum += sums[k];
    return sum;
}

#endif
