/* The times at which curves are told. */
#ifndef BORDIN_ANALYSES_SURVIVAL_TIMES_H
#define BORDIN_ANALYSES_SURVIVAL_TIMES_H

#include <bordin/core/arena.h>

/* Those that were given, checked; or, when there are none, the quarters of the horizon. BD_EUSAGE: not a time. */
BD_CHECKED bd_status survival_times(double horizon, bd_arena *arena, const double **times, size_t *n_times);

#endif
