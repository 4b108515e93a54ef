/* A statistic turns weighted data into named numbers; resampling changes only the weights.
 *
 *     const bd_statistic statistic = {
 *         .n_values = 3, .names = names, .columns = &columns, .from_moments = effects, .context = path,
 *     };
 *
 * It offers one of from_moments and from_weights. Columns without any column say how many rows there are, where moments
 * are not wanted.
 */
#ifndef BORDIN_RESAMPLING_STATISTIC_H
#define BORDIN_RESAMPLING_STATISTIC_H

#include <stdint.h>

#include <bordin/core/triangle.h>

/* How one replicate ended. */
typedef enum bd_replicate_end {
    BD_REPLICATE_USABLE,
    BD_REPLICATE_COLLINEAR, /* the drawn units do not identify the coefficients */
    BD_REPLICATE_CONSTANT,  /* a variable that must vary does not */
    BD_REPLICATE_SEPARATED, /* a predictor tells the outcomes apart without error: an estimate is infinite */
    BD_REPLICATE_DIVERGED,  /* the iterations did not converge */
    BD_N_REPLICATE_ENDS,
} bd_replicate_end;

typedef struct bd_statistic {
    size_t n_values;
    const char *const *names;
    const bd_columns *columns; /* the columns whose weighted second moments are all it needs */
    bool constant_first;       /* column 0 of them is the constant */

    /* values (n_values) and, where `errors` is not NULL, a standard error of each (NaN where there is none), from the
     * triangle of the weighted columns (bordin/core/triangle.h). Pure: many threads call it at once. */
    bd_replicate_end (*from_moments)(const void *context, const double *triangle, double *values, double *errors);

    /* Values and errors from how often each row was drawn (of a cluster's rows all are, together). `scratch` holds
     * n_scratch doubles. Pure: many threads call it at once. Iterations run to convergence, from the solution of the full
     * sample if that helps. */
    bd_replicate_end (*from_weights)(const void *context, const double *weights, double *scratch, double *values,
                                     double *errors);
    size_t n_scratch;
    const void *context;

    /* Beside from_weights, which then gives the estimates alone: a replicate of data that are drawn anew, by random
     * numbers of the stream `replicate` under `seed`; and a sentence on what is drawn. */
    bd_replicate_end (*from_draws)(const void *context, uint64_t seed, uint32_t replicate, double *scratch,
                                   double *values);
    const char *drawn;
} bd_statistic;

/* In words: "usable", "collinear" ... */
const char *bd_replicate_end_name(bd_replicate_end end);

#endif
