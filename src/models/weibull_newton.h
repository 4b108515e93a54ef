/* The likelihood of accelerated failure times, and its maximum by Newton's method. */
#ifndef BORDIN_MODELS_WEIBULL_NEWTON_H
#define BORDIN_MODELS_WEIBULL_NEWTON_H

#include <bordin/models/weibull.h>

#include "models/weibull_curves.h"

/* Rows with a weight, columns rotated: u'Wu is the sum of the weights. */
typedef struct failure_times {
    curve (*curve_of)(double e, bool event);
    size_t n, p, q; /* columns, parameters: tau is the last, but of the exponential model */
    double *u;      /* n x p */
    double *y, *weights; /* a weight of 0 leaves its row out */
    bool *event;
    double total, n_events, sum_y; /* of weights; by weight; of the log times of events */
} failure_times;

typedef struct failure_time_maximum {
    double *theta, *root; /* q; the Cholesky root of the information there, q x q */
    double log_likelihood;
    size_t n_iterations;
    bool flat_at_first; /* before any step: the rows do not identify the parameters */
    bd_failure_time_end end;
} failure_time_maximum;

static inline size_t failure_time_scratch(size_t q)
{
    return q * q + 4 * q;
}

/* theta and root, in `scratch` of failure_time_scratch(q) doubles, and where they are. From `start` (q), or from least
 * squares where it is NULL. */
void failure_time_maximise(const failure_times *of, const double *start, double *scratch, failure_time_maximum *at);

/* The first p columns on the n rows with a weight: u = x R^-1 sqrt(total), R of the weighted columns. */
BD_CHECKED bd_status failure_time_rotate(const bd_failure_time_design *design,
                                         bd_failure_time_distribution distribution, size_t p, size_t n,
                                         bd_arena *arena, failure_times *of, double **triangle);

/* The covariance (q x q) of (b, log scale) from each cluster's score, or each row's. */
BD_CHECKED bd_status failure_time_sandwich(const bd_failure_time_design *design, const failure_times *of,
                                           const double *b, double scale, const double *naive, bd_arena *arena,
                                           double *covariance);

#endif
