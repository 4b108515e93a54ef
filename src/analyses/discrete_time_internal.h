/* Discrete-time hazards: records of rows and periods, and predictions. */
#ifndef BORDIN_ANALYSES_DISCRETE_TIME_INTERNAL_H
#define BORDIN_ANALYSES_DISCRETE_TIME_INTERNAL_H

#include <bordin/analyses/discrete_time.h>

enum { MOST_PERIODS = 10000, MOST_EFFECTS = 200 };

/* Periods and records, in the order of the rows, into `d`; *event <- of each record. */
BD_CHECKED bd_status discrete_time_records(bd_discrete_time *d, bd_arena *arena, const double **event);

/* The value of column j of the periods' effects in a period. */
double discrete_time_effect(const bd_discrete_time *d, size_t j, size_t period);

BD_CHECKED bd_status discrete_time_predict(bd_discrete_time *d, bd_arena *arena);

/* The first value of the bootstrap: effects of each period are not among them. */
size_t discrete_time_first_drawn(const bd_discrete_time *d);

BD_CHECKED bd_status discrete_time_resample(bd_discrete_time *d, bd_arena *arena);

#endif
