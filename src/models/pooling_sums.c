/* Weighted least squares of effects, with the traces that estimators of tau^2 need. */
#include <math.h>
#include <string.h>

#include "pooling_internal.h"

size_t bd_pooling_scratch(const bd_pooling_design *design)
{
    const size_t p = design->n_columns;
    return 4 * p * p + 2 * p;
}

void pooling_place(const bd_pooling_design *design, const double *counts, double *room, pooling *s)
{
    const size_t p = design->n_columns;
    *s = (pooling){.design = design, .counts = counts, .information = room};
    s->inverse = s->information + p * p;
    s->second = s->inverse + p * p;
    s->third = s->second + p * p;
    s->b = s->third + p * p;
}

bool pooling_invert(size_t p, double *matrix, double *inverse, double *log_root)
{
    *log_root = 0;
    for (size_t j = 0; j < p; j++) {
        const double whole = matrix[j * p + j];
        for (size_t k = 0; k < j; k++)
            matrix[j * p + j] -= matrix[j * p + k] * matrix[j * p + k];
        if (!(matrix[j * p + j] > POOLING_COLLINEAR * whole))
            return false;
        matrix[j * p + j] = sqrt(matrix[j * p + j]);
        *log_root += log(matrix[j * p + j]);
        for (size_t i = j + 1; i < p; i++) {
            for (size_t k = 0; k < j; k++)
                matrix[i * p + j] -= matrix[i * p + k] * matrix[j * p + k];
            matrix[i * p + j] /= matrix[j * p + j];
        }
    }
    for (size_t c = 0; c < p; c++) {
        for (size_t i = 0; i < p; i++) {
            double sum = i == c;
            for (size_t k = 0; k < i; k++)
                sum -= matrix[i * p + k] * inverse[k * p + c];
            inverse[i * p + c] = sum / matrix[i * p + i];
        }
        for (size_t i = p; i-- > 0;) {
            for (size_t k = i + 1; k < p; k++)
                inverse[i * p + c] -= matrix[k * p + i] * inverse[k * p + c];
            inverse[i * p + c] /= matrix[i * p + i];
        }
    }
    return true;
}

double pooling_trace(size_t p, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            sum += a[i * p + j] * b[j * p + i];
    return sum;
}

double pooling_squared_trace(size_t p, const double *m, const double *s)
{
    double sum = 0;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            double left = 0, right = 0;
            for (size_t k = 0; k < p; k++) {
                left += m[i * p + k] * s[k * p + j];
                right += m[j * p + k] * s[k * p + i];
            }
            sum += left * right;
        }
    return sum;
}

bool pooling_weigh(pooling *s, double tau2, double a)
{
    const bd_pooling_design *d = s->design;
    const size_t p = d->n_columns;
    double *xy = s->b + p;
    memset(s->information, 0, 4 * p * p * sizeof *s->information);
    memset(s->b, 0, 2 * p * sizeof *s->b);
    s->n = s->w1 = s->w2 = s->log_weights = s->ype = s->yppe = 0;
    for (size_t i = 0; i < d->n; i++) {
        const double count = s->counts == NULL ? 1 : s->counts[i], w = 1 / (a * d->variances[i] + tau2);
        s->n += count;
        s->w1 += count * w;
        s->w2 += count * w * w;
        s->log_weights += count * log(w);
        for (size_t j = 0; j < p && count > 0; j++) {
            const double x = count * w * pooling_value(d, j, i);
            xy[j] += x * d->effects[i];
            for (size_t k = 0; k <= j; k++) {
                const double xx = x * pooling_value(d, k, i);
                s->information[j * p + k] += xx;
                s->second[j * p + k] += w * xx;
                s->third[j * p + k] += w * w * xx;
            }
        }
    }
    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k < j; k++) {
            s->second[k * p + j] = s->second[j * p + k];
            s->third[k * p + j] = s->third[j * p + k];
        }
    if (!pooling_invert(p, s->information, s->inverse, &s->log_root))
        return false;
    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k < p; k++)
            s->b[j] += s->inverse[j * p + k] * xy[k];
    for (size_t i = 0; i < d->n; i++) {
        const double count = s->counts == NULL ? 1 : s->counts[i], w = 1 / (a * d->variances[i] + tau2);
        double e = d->effects[i];
        for (size_t j = 0; j < p; j++)
            e -= s->b[j] * pooling_value(d, j, i);
        s->ype += count * w * e * e;
        s->yppe += count * w * w * e * e;
    }
    s->trace = s->w1 - pooling_trace(p, s->inverse, s->second);
    s->trace2 = s->w2 - 2 * pooling_trace(p, s->inverse, s->third) + pooling_squared_trace(p, s->inverse, s->second);
    return true;
}

bd_status pooling_wald(size_t first, size_t p, const double *b, const double *covariance, bd_arena *arena, double *chi2)
{
    const size_t m = p - first;
    double *matrix, *inverse, log_root;
    *chi2 = NAN;
    if (m == 0)
        return BD_OK;
    BD_NEW(arena, matrix, m * m);
    BD_NEW(arena, inverse, m * m);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++)
            matrix[i * m + j] = covariance[(first + i) * p + first + j];
    if (!pooling_invert(m, matrix, inverse, &log_root))
        return BD_OK;
    *chi2 = 0;
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++)
            *chi2 += b[first + i] * inverse[i * m + j] * b[first + j];
    return BD_OK;
}
