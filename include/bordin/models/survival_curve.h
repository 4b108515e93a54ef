/* Survival curves: Kaplan and Meier's product-limit estimator by group, and what is read off it.
 *
 *     const bd_survival_rows rows = {.n_rows = n, .stop = time, .event = event, .group = arm, .n_groups = 2};
 *     BD_TRY(bd_survival_curves_find(&rows, &BD_SURVIVAL_CURVE_DEFAULTS, arena, &curves));
 *     median = bd_survival_quantile(&curves->curves[0], 0.5);
 *     mean = bd_survival_restricted_mean(&curves->curves[0], 365);
 *     year = bd_survival_at(&curves->curves[0], 365);
 *
 * Rows that come under observation late are at risk in (start, stop]. Times are tied when they are equal.
 */
#ifndef BORDIN_MODELS_SURVIVAL_CURVE_H
#define BORDIN_MODELS_SURVIVAL_CURVE_H

#include <stdbool.h>
#include <stdint.h>

#include <bordin/core/arena.h>

typedef struct bd_survival_rows {
    size_t n_rows;
    const double *start;            /* a row is at risk in (start, stop]; NULL: from 0 */
    const double *stop;
    const double *event;            /* 1: the event at stop; 0: none until then */
    const double *weights;          /* a row of weight 2 counts as two; or NULL */
    const uint32_t *group;          /* 0 .. n_groups - 1; NULL: one group */
    const char *const *group_names; /* for messages; or NULL */
    size_t n_groups;
    const uint32_t *strata;         /* groups are compared within 0 .. n_strata - 1; curves do not use it; or NULL */
    size_t n_strata;
    const uint32_t *cluster;        /* 0 .. n_clusters - 1, for robust errors; NULL: each row is one */
    size_t n_clusters;
} bd_survival_rows;

typedef enum bd_survival_interval {
    BD_SURVIVAL_LOG_LOG, /* symmetric for log(-log(survival)): within 0 and 1 of itself */
    BD_SURVIVAL_LOG,     /* for log(survival), survival's default */
    BD_SURVIVAL_PLAIN,
} bd_survival_interval;

typedef struct bd_survival_curve_options {
    bd_survival_interval interval;
    double level;
    bool robust; /* infinitesimal jackknife, for weights that are not counts of patients; or else Greenwood's */
} bd_survival_curve_options;

#define BD_SURVIVAL_CURVE_DEFAULTS ((bd_survival_curve_options){.level = 0.95})

/* By time at which rows of the group end. Counts are by weight. */
typedef struct bd_survival_curve {
    size_t n_rows;       /* with a weight */
    double n, n_events;  /* by weight */
    size_t n_times;
    const double *times; /* ascending */
    const double *at_risk, *events, *censored;
    const double *survival, *se;
    const double *low, *high;              /* NaN where the scale of the interval does not reach: log(0) */
    const double *hazard, *hazard_se;      /* cumulative: Nelson and Aalen's */
    size_t n_entries;                      /* 0: all are at risk from 0 */
    const double *entry_times, *entered;   /* ascending; weight that comes under observation after each */
    bool robust;
    double level;
} bd_survival_curve;

typedef struct bd_survival_curves {
    size_t n_curves; /* n_groups, or 1 */
    const bd_survival_curve *curves;
} bd_survival_curves;

/* The curves live in `arena`. Errors are Greenwood's (1926), or from each cluster's influence. A group without rows has
 * a curve without times. BD_EUSAGE: the level is not between 0 and 1. BD_EDATA: a time that is negative or not finite;
 * an interval that ends before it begins; an event that is not 0 or 1; negative weights; no rows; no events in any
 * group. Kaplan & Meier (1958), doi:10.1080/01621459.1958.10501452; Kalbfleisch & Prentice (2002). */
BD_CHECKED bd_status bd_survival_curves_find(const bd_survival_rows *rows, const bd_survival_curve_options *options,
                                             bd_arena *arena, const bd_survival_curves **curves);

typedef struct bd_survival_estimate {
    double value, low, high; /* NaN: the curve, or its limit, does not come down as far */
} bd_survival_estimate;

/* When the share p has had the event, 0.5: the median; where the curve is level at 1 - p, the middle of that stretch.
 * The interval: where the limits of the curve come down to 1 - p. Where limits of late entries rise again
 * it is where they first come down. Brookmeyer & Crowley (1982), doi:10.2307/2530286. */
bd_survival_estimate bd_survival_quantile(const bd_survival_curve *curve, double p);

typedef struct bd_survival_mean {
    double mean, se; /* Greenwood's sum, also for a robust curve */
} bd_survival_mean;

/* Mean time until the event or the horizon, whichever is first: the area under the curve from 0, which is carried on
 * level behind its last time. Irwin (1949), doi:10.1017/S0022172400014443. */
bd_survival_mean bd_survival_restricted_mean(const bd_survival_curve *curve, double horizon);

typedef struct bd_survival_point {
    double time;
    double at_risk;  /* just before the time */
    double survival, se, low, high;
    bool observed;   /* false: nobody is followed as far, and the curve is carried on from its last time */
} bd_survival_point;

bd_survival_point bd_survival_at(const bd_survival_curve *curve, double time);

#endif
