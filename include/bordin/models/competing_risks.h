/* Competing risks: several kinds of event of which only the first is seen, such as dropout, remission and relapse.
 *
 *     const bd_survival_rows rows = {.n_rows = n, .stop = time, .event = cause, .group = arm, .n_groups = 2};
 *     BD_TRY(bd_incidence_find(&rows, 2, &BD_SURVIVAL_CURVE_DEFAULTS, arena, &incidence));   share with each, by time
 *     BD_TRY(bd_gray_test(&rows, 2, 1, 0, arena, &test));                   do groups differ in the share of cause 1?
 *     BD_TRY(bd_fine_gray_rows(&rows, 2, 1, arena, &expanded));             rows for a Cox regression of that share
 *
 * `event` of a row is 0 where none happened, or its cause, 1 .. n_causes.
 */
#ifndef BORDIN_MODELS_COMPETING_RISKS_H
#define BORDIN_MODELS_COMPETING_RISKS_H

#include <bordin/models/survival_curve.h>

/* Of one cause, by time of its group. */
typedef struct bd_incidence_cause {
    double n_events;      /* by weight */
    const double *events;
    const double *incidence, *se; /* share that has had this event first */
    const double *low, *high;     /* NaN where the scale of the interval does not reach */
} bd_incidence_cause;

typedef struct bd_incidence_curve {
    size_t n_rows;
    size_t n_times;
    const double *times;                                /* ascending */
    const double *at_risk, *censored;                   /* by weight */
    const double *event_free;                           /* share without any event: Kaplan and Meier's of all causes */
    const bd_incidence_cause *causes;                   /* n_causes */
} bd_incidence_curve;

typedef struct bd_incidence {
    size_t n_causes, n_curves;
    const bd_incidence_curve *curves; /* by group */
} bd_incidence;

/* Aalen and Johansen's estimator, errors from each cluster's influence (the infinitesimal jackknife, whatever
 * `options->robust` says), intervals of the scale that `options` names, for the share itself. BD_EUSAGE, BD_EDATA: as
 * bd_survival_curves_find; an event that is not 0 .. n_causes; a cause that no row has.
 * Aalen & Johansen (1978). */
BD_CHECKED bd_status bd_incidence_find(const bd_survival_rows *rows, size_t n_causes,
                                       const bd_survival_curve_options *options, bd_arena *arena,
                                       const bd_incidence **incidence);

/* A cause's share at a time: of the last time at or before it. */
typedef struct bd_incidence_point {
    double incidence, se, low, high;
} bd_incidence_point;

bd_incidence_point bd_incidence_at(const bd_incidence_curve *curve, size_t cause, double time);

typedef struct bd_gray {
    size_t n_groups;
    const double *score;      /* n_groups: weighted events less those expected, were the shares the same */
    double statistic, df, p;  /* chi-squared */
} bd_gray;

/* Gray's test that the share of `cause` does not differ between groups, within strata. A time counts (1 - F(t-))^rho, F
 * the share of all groups. Rows are at risk from 0, and without weights. BD_EUSAGE: late entry, weights, rho not
 * finite. BD_EDATA: as above; fewer than two groups with rows. Gray (1988), doi:10.1214/aos/1176350951. */
BD_CHECKED bd_status bd_gray_test(const bd_survival_rows *rows, size_t n_causes, size_t cause, double rho,
                                  bd_arena *arena, const bd_gray **test);

/* Rows with which a Cox regression of `event` in (start, stop], weighted, fits Fine and Gray's model of the share of
 * one cause: rows that had another event stay at risk, with the weight that censoring would have left them. */
typedef struct bd_fine_gray {
    size_t n_rows;
    const size_t *row;   /* of the data */
    const double *start, *stop, *event, *weights;
    size_t n_scratch;                     /* doubles that bd_fine_gray_redraw needs */
    const struct fine_gray_censoring *in; /* its own */
} bd_fine_gray;

/* As survival::finegray, censoring apart in each stratum. Rows of one stratum without the cause are left out. A time of
 * 0 is a row from before. BD_EUSAGE: late entry. BD_EDATA: as above. Fine & Gray (1999),
 * doi:10.1080/01621459.1999.10474144; Geskus (2011), doi:10.1111/j.1541-0420.2010.01420.x. */
BD_CHECKED bd_status bd_fine_gray_rows(const bd_survival_rows *rows, size_t n_causes, size_t cause, bd_arena *arena,
                                       const bd_fine_gray **expanded);

/* factors (n_rows) <- what the weights are multiplied by when row i of the data is drawn draws[i] times: that, and what
 * it does to the curve of censoring. Pure: threads may call it at once, each with a scratch of its own. */
void bd_fine_gray_redraw(const bd_fine_gray *expanded, const double *draws, double *scratch, double *factors);

#endif
