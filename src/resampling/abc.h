/* Approximate bootstrap confidence intervals. */
#ifndef BORDIN_SRC_RESAMPLING_ABC_H
#define BORDIN_SRC_RESAMPLING_ABC_H

#include "resampling/units.h"

/* What one value needs for its ends at any level: value(p0 + lambda * delta), with w = z0 + z of the level and
 * lambda = w / (1 - a w)^2. */
typedef struct abc_constants {
    double error, acceleration; /* sigma and a: of the influence of each unit */
    double bias, curvature;     /* b: half the mean of second derivatives, over n; c_q: half of that along delta, over
                                   sigma */
    double z0;                  /* a - (b / sigma - c_q) */
    double *delta;              /* q x q: the moments that one lambda adds to those of the sample */
} abc_constants;

struct bd_abc {
    const bd_units *units;
    bd_statistic statistic;
    const abc_constants *values; /* n_values; all NaN where the statistic cannot be differentiated */
};

/* BD_EUSAGE: the statistic is not one of moments; two stages. */
BD_CHECKED bd_status check_abc(const bd_units *units, const bd_statistic *statistic);

/* The units and what the statistic points to are read again when ends are found. */
BD_CHECKED bd_status find_abc(const bd_units *units, const bd_statistic *statistic, int n_threads, bd_arena *arena,
                              const bd_abc **abc);

/* ends[0], ends[1] and the p value by inversion; NaN where the statistic does not exist so far out.
 * `scratch`: abc_scratch doubles. */
void abc_ends(const bd_abc *abc, size_t value, double level, double *scratch, double ends[2], double *p);
size_t abc_scratch(const bd_abc *abc);

#endif
