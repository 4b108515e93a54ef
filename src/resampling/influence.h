/* Accelerations from the influence of each unit on each value. */
#ifndef BORDIN_SRC_RESAMPLING_INFLUENCE_H
#define BORDIN_SRC_RESAMPLING_INFLUENCE_H

#include "resampling/units.h"

/* The values of the statistic at rotated moments `products` (q x q), and errors where not NULL. `scratch`: 2 q^2. */
bd_replicate_end statistic_at(const bd_statistic *statistic, const double *rotation, const double *products,
                              double *scratch, double *values, double *errors);

/* accelerations <- one for each value; NaN where the values cannot be told near the full sample. */
BD_CHECKED bd_status find_accelerations(const bd_units *units, const bd_statistic *statistic, int n_threads,
                                        bd_arena *arena, double **accelerations);

#endif
