/* The dense matrices of the terms that are not eliminated first: K, T, S and what is solved with them. */
#include <math.h>
#include <string.h>

#include "core/dot.h"
#include "core/symmetric.h"
#include "models/mixed_internal.h"

mixed_dense mixed_dense_of(const bd_mixed_model *model, const mixed_point *point, const mixed_part *part)
{
    mixed_dense d = {.n = part->n, .width = model->p + 1, .k = point->kept + part->kept};
    d.s = d.k + d.n * d.n;
    d.t = d.s + d.n * d.n;
    d.c = d.t + d.n * d.width;
    return d;
}

bool mixed_next_range(const bd_mixed_model *model, const mixed_point *point, const mixed_part *part, mixed_range *r)
{
    if (r->end == part->n)
        return false;
    r->from = r->end;
    r->term = model->rest_term[part->column + r->from];
    r->q = model->terms[r->term].q;
    r->lambda = point->lambda + model->terms[r->term].lambda;
    while (r->end < part->n && model->rest_term[part->column + r->end] == r->term)
        r->end += r->q;
    return true;
}

void mixed_multiply_transposed(const bd_mixed_model *model, const mixed_point *point, const mixed_part *part,
                                double *rows, size_t width)
{
    for (mixed_range r = {0}; mixed_next_range(model, point, part, &r);)
        for (size_t i = r.from; i < r.end; i++)
            for (size_t j = 0, a = (i - r.from) % r.q; j < width; j++) {
                double sum = 0;
                for (size_t b = a; b < r.q; b++)
                    sum += r.lambda[b * r.q + a] * rows[(i - a + b) * width + j];
                rows[i * width + j] = sum;
            }
}

void mixed_multiply(const bd_mixed_model *model, const mixed_point *point, const mixed_part *part, double *rows,
                     size_t width)
{
    for (mixed_range r = {0}; mixed_next_range(model, point, part, &r);)
        for (size_t i = r.end; i-- > r.from;)
            for (size_t j = 0, a = (i - r.from) % r.q; j < width; j++) {
                double sum = 0;
                for (size_t b = 0; b <= a; b++)
                    sum += r.lambda[a * r.q + b] * rows[(i - a + b) * width + j];
                rows[i * width + j] = sum;
            }
}

void mixed_multiply_columns(const bd_mixed_model *model, const mixed_point *point, const mixed_part *part, bool transposed,
                             double *matrix)
{
    for (size_t i = 0; i < part->n; i++)
        for (mixed_range r = {0}; mixed_next_range(model, point, part, &r);)
            for (double *row = matrix + i * part->n + r.from; row < matrix + i * part->n + r.end; row += r.q) {
                double sums[MIXED_MOST_RANDOM];
                if (r.q == 1) {
                    *row *= *r.lambda;
                    continue;
                }
                for (size_t a = 0; a < r.q; a++) {
                    sums[a] = 0;
                    for (size_t b = 0; b < r.q; b++)
                        sums[a] += row[b] * (transposed ? r.lambda[a * r.q + b] : r.lambda[b * r.q + a]);
                }
                for (size_t a = 0; a < r.q; a++)
                    row[a] = sums[a];
            }
}

bool mixed_solve_dense(const bd_mixed_model *model, const mixed_part *part, double count, mixed_point *point, mixed_dense *d,
                        double *sums)
{
    const size_t n = d->n, width = d->width, q = model->q, m = model->m;
    memcpy(d->s, d->k, n * n * sizeof *d->s);
    mixed_multiply_columns(model, point, part, false, d->s);
    mixed_multiply_transposed(model, point, part, d->s, n);
    for (size_t i = 0; i < n; i++)
        d->s[i * n + i] += 1;
    if (!symmetric_root(n, d->s, point->n_threads))
        return false;
    memcpy(d->c, d->t, n * width * sizeof *d->c);
    mixed_multiply_transposed(model, point, part, d->c, width);
    for (size_t i = 0; i < n; i++) {
        double *row = d->c + i * width;
        point->log_random += 2 * count * log(d->s[i * n + i]);
        for (size_t j = 0; j < width; j++)
            row[j] /= d->s[i * n + i];
        for (size_t l = i + 1; l < n; l++)
            for (size_t j = 0; j < width; j++)
                d->c[l * width + j] -= d->s[i * n + l] * row[j];
        for (size_t a = 0; a < width; a++)
            for (size_t b = a; b < width; b++)
                sums[(q + a) * m + q + b] -= count * row[a] * row[b];
    }
    return true;
}

void mixed_solve_back(mixed_dense *d, double *column)
{
    const size_t n = d->n;
    for (size_t j = 0; j < d->width; j++) {
        for (size_t i = n; i-- > 0;)
            column[i] = (d->c[i * d->width + j] - dot(d->s + i * n + i + 1, column + i + 1, n - i - 1)) / d->s[i * n + i];
        for (size_t i = 0; i < n; i++)
            d->c[i * d->width + j] = column[i];
    }
}

void mixed_take_solution(mixed_dense *d, double *column)
{
    for (size_t j = 0; j < d->width; j++) {
        for (size_t i = 0; i < d->n; i++)
            column[i] = d->c[i * d->width + j];
        for (size_t i = 0; i < d->n; i++)
            d->t[i * d->width + j] -= dot(d->k + i * d->n, column, d->n);
    }
}
