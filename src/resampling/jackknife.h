/* Standard errors from leaving out each unit in turn. */
#ifndef BORDIN_SRC_RESAMPLING_JACKKNIFE_H
#define BORDIN_SRC_RESAMPLING_JACKKNIFE_H

#include "resampling/units.h"

/* errors <- one for each value; NaN where the statistic cannot do without one of the units. */
BD_CHECKED bd_status find_jackknife_errors(const bd_units *units, const bd_statistic *statistic, int n_threads,
                                           bd_arena *arena, double **errors);

#endif
