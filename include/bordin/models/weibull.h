/* Accelerated failure times: predictors that stretch the time until an event, Weibull and its kin.
 *
 *     const bd_failure_time_design design = {.n_rows = n, .n_columns = p, .columns = x, .names = names,
 *                                            .has_intercept = true, .stop = time, .event = event};
 *     BD_TRY(bd_failure_time_fit(&design, BD_WEIBULL, 0.95, arena, &fit));
 *
 * log T = x'b + scale * e. Of the Weibull model exp(-b / scale) are hazard ratios, 1 / scale is the shape.
 */
#ifndef BORDIN_MODELS_WEIBULL_H
#define BORDIN_MODELS_WEIBULL_H

#include <stdbool.h>
#include <stdint.h>

#include <bordin/core/arena.h>

typedef enum bd_failure_time_distribution {
    BD_WEIBULL,      /* e has the distribution of a smallest extreme value */
    BD_EXPONENTIAL,  /* the same, with a scale of 1 */
    BD_LOG_NORMAL,
    BD_LOG_LOGISTIC,
} bd_failure_time_distribution;

typedef struct bd_failure_time_design {
    size_t n_rows, n_columns;
    const double *const *columns; /* n_columns of n_rows; a NULL column is the constant 1 */
    const char *const *names;     /* of the columns, for messages */
    bool has_intercept;           /* column 0 is the constant */
    const double *stop;           /* above 0 */
    const double *event;          /* 1: the event at stop; 0: none until then */
    const double *weights;        /* a row of weight 2 counts as two; or NULL */
    const double *offset;         /* added to x'b; or NULL */
    bool robust;                  /* errors from scores, by cluster or row: as survreg's, without a factor */
    const uint32_t *cluster;      /* 0 .. n_clusters - 1 by row, for robust errors; NULL: each row is one */
    size_t n_clusters;
} bd_failure_time_design;

typedef enum bd_failure_time_end {
    BD_FAILURE_TIME_CONVERGED,
    BD_FAILURE_TIME_NOT_CONVERGED,
    BD_FAILURE_TIME_INFINITE, /* the likelihood rises for ever: a combination of columns sees no event */
    BD_FAILURE_TIME_EXACT,    /* the predictors fit the events exactly, and the scale goes to 0 */
} bd_failure_time_end;

typedef struct bd_failure_time_coefficient {
    double estimate;
    double naive_se;  /* from the observed information */
    double se, z, p;  /* by the errors asked for */
    double ci_low, ci_high;
    double time_ratio, time_ratio_low, time_ratio_high; /* exp() of estimate and limits */
    double log_hazard,
        log_hazard_se; /* -b / scale, by the delta method; NaN but of Weibull's and the exponential model */
    double hazard_ratio, hazard_ratio_low, hazard_ratio_high; /* exp() of it and its limits */
} bd_failure_time_coefficient;

typedef struct bd_failure_time {
    bd_failure_time_distribution distribution;
    size_t n_rows, n_columns;
    size_t n_used, n_events; /* rows with a weight */
    double level;
    bool robust;
    const bd_failure_time_coefficient *coefficients; /* n_columns; not CONVERGED: errors are NaN */
    size_t n_parameters;                             /* n_columns, and log(scale) if it is estimated */
    const double *covariance; /* n_parameters x n_parameters, log(scale) last; by the errors asked for */
    const double *naive_covariance;                  /* from the observed information */
    double scale, log_scale_se;                      /* 1, NaN: exponential */
    double log_likelihood, log_likelihood_null;      /* of times, not logarithms; null: a constant; NaN without one */
    double likelihood_ratio, df, p;                  /* of all columns but the constant; NaN without */
    size_t n_iterations;
    bd_failure_time_end end;
} bd_failure_time;

/* Newton's method on (b / scale, 1 / scale), in which all four likelihoods are concave, on columns rotated to be
 * orthogonal; to the last digits. The fit lives in `arena`. BD_EUSAGE: the level is not between 0 and 1; no columns.
 * BD_EDATA: a time that is not above 0 or not finite; an event that is not 0 or 1; negative weights; a value that is
 * not finite; no rows; no events. BD_ENUMERIC: collinear columns, named.
 * Kalbfleisch & Prentice (2002), ch. 3; Burridge (1981), doi:10.1111/j.2517-6161.1981.tb01152.x. */
BD_CHECKED bd_status bd_failure_time_fit(const bd_failure_time_design *design,
                                         bd_failure_time_distribution distribution,
                                         double level, bd_arena *arena, const bd_failure_time **fit);

typedef struct bd_failure_time_quantile {
    double time, low, high;
    double log_se; /* of its logarithm; limits are symmetric there */
} bd_failure_time_quantile;

/* When the share p (above 0, below 1) of those with predictors x (n_columns, the constant among them) has had the
 * event. */
bd_failure_time_quantile bd_failure_time_quantile_of(const bd_failure_time *fit, const double *x, double offset,
                                                     double p);

typedef struct bd_failure_time_point {
    double survival, low, high; /* limits from those of (log(time) - x'b) / scale */
    double hazard, hazard_se;   /* cumulative */
} bd_failure_time_point;

bd_failure_time_point bd_failure_time_at(const bd_failure_time *fit, const double *x, double offset, double time);

/* The same model for other weights, many times: a bootstrap's replicates. Made once from a fit that converged. */
typedef struct bd_failure_time_prepared {
    size_t n_parameters;                    /* n_columns, and log(scale) if it is estimated */
    size_t n_scratch;                       /* doubles that bd_failure_time_replicate needs */
    const struct failure_time_prepared *in; /* its own */
} bd_failure_time_prepared;

typedef enum bd_failure_time_replicate_end {
    BD_FAILURE_TIME_REPLICATE_CONVERGED,
    BD_FAILURE_TIME_REPLICATE_COLLINEAR, /* the rows with weight do not identify the coefficients */
    BD_FAILURE_TIME_REPLICATE_INFINITE,  /* or leave them without a finite maximum */
    BD_FAILURE_TIME_REPLICATE_NOT_CONVERGED,
} bd_failure_time_replicate_end;

/* BD_ENUMERIC: the fit did not converge. */
BD_CHECKED bd_status bd_failure_time_prepare(const bd_failure_time_design *design, const bd_failure_time *fit,
                                             bd_arena *arena, const bd_failure_time_prepared **prepared);

/* The parameters (n_parameters) when row i counts weights[i] times (times its own weight): Newton's method from the
 * full sample's solution, to convergence. Pure: threads may call it at once, each with a scratch of its own. */
bd_failure_time_replicate_end bd_failure_time_replicate(const bd_failure_time_prepared *prepared,
                                                        const double *weights, double *scratch, double *parameters);

#endif
