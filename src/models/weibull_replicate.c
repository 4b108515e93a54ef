/* Accelerated failure times for other weights, many times: Newton's method from the full sample's maximum. */
#include <math.h>
#include <string.h>

#include <bordin/core/triangle.h>

#include "models/weibull_newton.h"

struct failure_time_prepared {
    failure_times rows;
    const size_t *row; /* of the design, for each of `rows` */
    double *start;     /* theta of the full sample */
    double *back;      /* p x p: b = back gamma / tau */
};

bd_status bd_failure_time_prepare(const bd_failure_time_design *design, const bd_failure_time *fit, bd_arena *arena,
                                  const bd_failure_time_prepared **out)
{
    const size_t p = fit->n_columns;
    bd_failure_time_prepared *prepared;
    struct failure_time_prepared *in;
    failure_time_maximum at;
    double *triangle = NULL, *scratch;
    size_t *row, n = 0;
    if (fit->end != BD_FAILURE_TIME_CONVERGED)
        return bd_fail(BD_ENUMERIC, "the fit of the full sample did not converge; its replicates would not either");
    BD_NEW(arena, prepared, 1);
    BD_NEW(arena, in, 1);
    BD_TRY(failure_time_rotate(design, fit->distribution, p, fit->n_used, arena, &in->rows, &triangle));
    BD_NEW(arena, row, fit->n_used);
    for (size_t i = 0; i < design->n_rows; i++)
        if (design->weights == NULL || design->weights[i] > 0)
            row[n++] = i;
    in->row = row;
    BD_NEW(arena, in->back, p * p);
    bd_triangle_invert(p, p, triangle, in->back);
    for (size_t k = 0; k < p * p; k++)
        in->back[k] *= sqrt(in->rows.total);
    BD_NEW(arena, in->start, in->rows.q);
    BD_NEW(arena, scratch, failure_time_scratch(in->rows.q));
    failure_time_maximise(&in->rows, NULL, scratch, &at);
    memcpy(in->start, at.theta, in->rows.q * sizeof *in->start);
    *prepared = (bd_failure_time_prepared){
        .n_parameters = in->rows.q, .n_scratch = n + failure_time_scratch(in->rows.q), .in = in};
    *out = prepared;
    return BD_OK;
}

bd_failure_time_replicate_end bd_failure_time_replicate(const bd_failure_time_prepared *prepared,
                                                        const double *weights, double *scratch, double *values)
{
    const struct failure_time_prepared *in = prepared->in;
    const size_t p = in->rows.p;
    failure_times of = in->rows;
    failure_time_maximum at;
    of.weights = scratch;
    of.total = of.n_events = 0;
    for (size_t r = 0; r < of.n; r++) {
        of.weights[r] = in->rows.weights[r] * weights[in->row[r]];
        of.total += of.weights[r];
        of.n_events += of.event[r] ? of.weights[r] : 0;
    }
    if (!(of.n_events > 0))
        return BD_FAILURE_TIME_REPLICATE_INFINITE;
    failure_time_maximise(&of, in->start, scratch + of.n, &at);
    if (at.end != BD_FAILURE_TIME_CONVERGED)
        return at.flat_at_first                      ? BD_FAILURE_TIME_REPLICATE_COLLINEAR
               : at.end == BD_FAILURE_TIME_NOT_CONVERGED ? BD_FAILURE_TIME_REPLICATE_NOT_CONVERGED
                                                         : BD_FAILURE_TIME_REPLICATE_INFINITE;
    const double tau = of.q > p ? at.theta[p] : 1;
    for (size_t i = 0; i < p; i++) {
        values[i] = 0;
        for (size_t j = i; j < p; j++)
            values[i] += in->back[i * p + j] * at.theta[j] / tau;
    }
    if (of.q > p)
        values[p] = -log(tau);
    return BD_FAILURE_TIME_REPLICATE_CONVERGED;
}
