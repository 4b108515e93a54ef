/* Rows of survival data by group and time, and who is at risk as time goes on. */
#ifndef BORDIN_MODELS_SURVIVAL_SWEEP_H
#define BORDIN_MODELS_SURVIVAL_SWEEP_H

#include <bordin/models/survival_curve.h>

#include "core/doubled.h"

/* Rows that have a weight by group and ascending time. */
typedef struct survival_order {
    const bd_survival_rows *rows;
    size_t n, n_groups;
    const uint32_t *by_stop, *by_start; /* rows of the data; by_start NULL: all are at risk from 0 */
    const size_t *first;                /* n_groups + 1: where each group begins in both */
} survival_order;

static inline double survival_weight(const bd_survival_rows *rows, size_t i)
{
    return rows->weights == NULL ? 1 : rows->weights[i];
}

/* Refuses bad data (events above `most_events` too), sorts by `group`: that of the rows, or other strata. */
BD_CHECKED bd_status survival_sort(const bd_survival_rows *rows, double most_events, const uint32_t *group,
                                   size_t n_groups, bd_arena *arena, survival_order *order);

/* Are there two groups with rows; has each cause an event. */
BD_CHECKED bd_status survival_check_groups(const bd_survival_rows *rows, const char *test, bd_arena *arena);
BD_CHECKED bd_status survival_check_causes(const bd_survival_rows *rows, size_t n_causes);

/* A walk through the times of one group. */
typedef struct survival_walk {
    const survival_order *order;
    size_t first, end;     /* by_stop[first .. end): rows that end now */
    size_t entered, last;  /* by_start[.. entered) are under observation; last: the end of the group in both */
    double time;
    doubled at_risk;       /* by weight, just before the time */
} survival_walk;

survival_walk survival_begin(const survival_order *order, size_t group);

/* To the next time; false: there is none. Rows `entered` before .. entered after have come under observation. */
bool survival_next(survival_walk *walk);

/* Limits of a share from the error of its logarithm, as survival's survfit_confint. */
void survival_limits(bd_survival_interval interval, double z, double share, double log_se, double *low, double *high);

/* The quadratic form of the differences of those of k groups that count, but one: they sum to 0. df: its rank. */
BD_CHECKED bd_status survival_compare(size_t k, const bool *counts, const double *difference, const double *covariance,
                                      bd_arena *arena, double *statistic, double *df);

#endif
