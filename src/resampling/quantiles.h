/* The two quantiles of an interval. */
#ifndef BORDIN_SRC_RESAMPLING_QUANTILES_H
#define BORDIN_SRC_RESAMPLING_QUANTILES_H

#include <stdbool.h>
#include <stddef.h>

/* One over the density at a quantile: how far it moves when its probability does. */
typedef struct located {
    double quantile, slope;
} located;

/* Both ends at once, so that the values, which are reordered, are sorted once. Quantiles interpolate between order
 * statistics on the normal scale (Davison & Hinkley 1997, eq. 5.6). *too_few becomes true where fewer than ten values
 * lie beyond one. */
void locate(double *values, size_t n_values, const double probabilities[2], located ends[2], bool *too_few);

#endif
