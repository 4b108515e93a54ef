/* Robust errors of accelerated failure times: V (sum of s s' over clusters) V, s the score of (b, log scale),
 *     s_b = -w x slope(e) / scale,   s_log scale = -w (e slope(e) + event),   e = (y - x'b) / scale. */
#include <string.h>

#include "models/weibull_newton.h"

bd_status failure_time_sandwich(const bd_failure_time_design *d, const failure_times *of, const double *b,
                                double scale, const double *naive, bd_arena *arena, double *covariance)
{
    const size_t p = of->p, q = of->q, n_groups = d->cluster != NULL ? d->n_clusters : d->n_rows;
    double *scores, *influence;
    size_t r = 0; /* in rows with a weight */
    BD_NEW(arena, scores, n_groups * q);
    BD_NEW(arena, influence, q);
    for (size_t i = 0; i < d->n_rows; i++) {
        double *score = scores + q * (d->cluster != NULL ? d->cluster[i] : i), e;
        if (d->weights != NULL && d->weights[i] == 0)
            continue;
        e = of->y[r];
        for (size_t j = 0; j < p; j++)
            e -= (d->columns[j] == NULL ? 1 : d->columns[j][i]) * b[j];
        e /= scale;
        const double slope = of->weights[r] * of->curve_of(e, of->event[r]).slope;
        for (size_t j = 0; j < p; j++)
            score[j] -= (d->columns[j] == NULL ? 1 : d->columns[j][i]) * slope / scale;
        if (q > p)
            score[p] -= e * slope + (of->event[r] ? of->weights[r] : 0);
        r++;
    }
    memset(covariance, 0, q * q * sizeof *covariance);
    for (size_t g = 0; g < n_groups; g++) {
        for (size_t j = 0; j < q; j++) {
            influence[j] = 0;
            for (size_t k = 0; k < q; k++)
                influence[j] += scores[g * q + k] * naive[k * q + j];
        }
        for (size_t j = 0; j < q; j++)
            for (size_t k = 0; k < q; k++)
                covariance[j * q + k] += influence[j] * influence[k];
    }
    return BD_OK;
}
