/* The gradient of the profiled deviance by Lambda, from what is kept of the deviance; its formulas stand there. */
#include <string.h>

#include "core/dot.h"
#include "core/symmetric.h"
#include "models/mixed_internal.h"

/* Sums over groups of each term: M, and where K Lambda S^-1 is known, what M Lambda has of it. Lower halves. */
typedef struct slopes {
    double *matrix, *direct; /* of all terms, as Lambda is kept */
    double *vector;          /* width: Z'V^-1 X, then Z'V^-1 (y - X beta), of one coefficient after the other */
    double *half;            /* p */
    bool reml;
    double variance;
} slopes;

/* matrix (q x q) -= count (Z'V^-1 X (X'V^-1 X)^-1 X'V^-1 Z [REML] + u u' / sigma^2), of `rows` Z'V^-1 [X y]. */
static void take_explained(const bd_mixed_model *model, const mixed_point *point, const slopes *s, double count, size_t q,
                           double *rows, double *matrix)
{
    const size_t p = model->p, width = p + 1;
    for (size_t i = 0; i < q; i++) {
        double *row = rows + i * width;
        for (size_t j = 0; j < p; j++)
            row[p] -= row[j] * point->gamma[j];
        for (size_t j = 0; s->reml && j < p; j++) {
            s->half[j] = 0;
            for (size_t l = 0; l < p; l++)
                s->half[j] += point->inverse[j * p + l] * row[l];
        }
        for (size_t c = 0; c <= i; c++) {
            double sum = row[p] * rows[c * width + p] / s->variance;
            for (size_t j = 0; s->reml && j < p; j++)
                sum += s->half[j] * rows[c * width + j];
            matrix[i * q + c] -= count * sum;
        }
    }
}

/* The other terms': and leaves S^-1 within Lambda, and the solution, for the first. */
static void add_dense_slopes(const bd_mixed_model *model, const mixed_part *part, double count, const mixed_point *point,
                             const slopes *s, mixed_dense *d, double *room)
{
    const size_t n = d->n, width = d->width;
    mixed_solve_back(d, room);
    mixed_multiply(model, point, part, d->c, width);
    mixed_take_solution(d, room);
    symmetric_invert(n, d->s, room, point->n_threads);
    mixed_multiply_columns(model, point, part, false, d->k);
    for (mixed_range r = {0}; mixed_next_range(model, point, part, &r);)
        for (size_t at = r.from; at < r.end; at += r.q) {
            double *direct = s->direct + model->terms[r.term].lambda;
            take_explained(model, point, s, count, r.q, d->t + at * width, s->matrix + model->terms[r.term].lambda);
            for (size_t a = 0; a < r.q; a++)
                for (size_t b = 0; b <= a; b++)
                    direct[a * r.q + b] += count * dot(d->k + (at + a) * n, d->s + (at + b) * n, n);
        }
    mixed_multiply(model, point, part, d->s, n);
    mixed_multiply_columns(model, point, part, true, d->s);
}

/* flow (q x n_links) <- Z'V1^-1 Zr, by columns. */
static void find_flow(const bd_mixed_model *model, const mixed_group *group, size_t g, double *flow)
{
    const size_t q = model->q, m = model->m;
    const double *z = model->links + model->link_starts[g] * q;
    for (size_t a = 0; a < group->n_links; a++)
        for (size_t i = 0; i < q; i++) {
            double sum = z[a * q + i];
            for (size_t l = 0; l < q; l++)
                sum -= group->solved[l * m + i] * group->links[a * q + l];
            flow[a * q + i] = sum;
        }
}

/* The first term's. */
static void add_group_slopes(const bd_mixed_model *model, const mixed_data *data, size_t g, double count,
                             const mixed_point *point, const mixed_group *group, const mixed_dense *d, const slopes *s,
                             double *flow)
{
    const size_t q = model->q, m = model->m, width = model->p + 1, n_links = group->n_links;
    const double *products = model->products + g * m * m, *response = data->response.first + g * m;
    double *rows = s->vector, *matrix = s->matrix + model->terms[model->first].lambda, *within = flow + n_links * q;
    find_flow(model, group, g, flow);
    memset(within, 0, n_links * q * sizeof *within);
    for (size_t a = 0; a < n_links; a++) /* flow times what lies within Lambda, whose halves are alike */
        for (size_t b = 0; b <= a; b++) {
            const double s_ab = d->s[group->columns[a] * d->n + group->columns[b]];
            for (size_t i = 0; i < q; i++) {
                within[a * q + i] += s_ab * flow[b * q + i];
                within[b * q + i] += a == b ? 0 : s_ab * flow[a * q + i];
            }
        }
    for (size_t i = 0; i < q; i++) {
        for (size_t j = 0; j < width; j++) {
            double sum = mixed_product(products, response, m, i, q + j);
            for (size_t l = 0; l < q; l++)
                sum -= group->solved[l * m + i] * group->solved[l * m + q + j];
            for (size_t a = 0; a < n_links; a++)
                sum -= flow[a * q + i] * d->c[group->columns[a] * width + j];
            rows[i * width + j] = sum;
        }
        for (size_t c = 0; c <= i; c++) {
            double sum = mixed_product(products, response, m, i, c);
            for (size_t l = 0; l < q; l++)
                sum -= group->solved[l * m + i] * group->solved[l * m + c];
            for (size_t a = 0; a < n_links; a++)
                sum -= flow[a * q + i] * within[a * q + c];
            matrix[i * q + c] += count * sum;
        }
    }
    take_explained(model, point, s, count, q, rows, matrix);
}

void mixed_find_gradient(const bd_mixed_model *model, const mixed_data *data, bool reml, double variance,
                          mixed_point *point)
{
    double *at = point->work + mixed_group_room(model) + model->m * model->m;
    slopes s = {.matrix = at, .direct = at + model->n_lambda, .reml = reml, .variance = variance};
    s.vector = s.direct + model->n_lambda;
    s.half = s.vector + MIXED_MOST_RANDOM * (model->p + 1);
    double *flow = s.half + model->p, *room = flow + 2 * model->q * model->most_links;
    memset(s.matrix, 0, 2 * model->n_lambda * sizeof *s.matrix);
    for (size_t c = 0; c < model->n_parts; c++) {
        const mixed_part *part = &model->parts[c];
        const double count = data->counts == NULL ? 1 : data->counts[c];
        mixed_dense d = mixed_dense_of(model, point, part);
        if (count == 0)
            continue;
        if (d.n > 0)
            add_dense_slopes(model, part, count, point, &s, &d, room);
        for (size_t o = part->first; o < part->end; o++) {
            const size_t g = model->order[o];
            const double own = data->group_counts == NULL ? 1 : data->group_counts[g];
            mixed_group group;
            double log_det = 0;
            if (own > 0 && mixed_solve_group(model, data, point, g, &group, &log_det))
                add_group_slopes(model, data, g, count * own, point, &group, &d, &s, flow);
        }
    }
    for (size_t i = 0; i < model->k; i++) {
        const bd_mixed_entry *e = &model->entries[i];
        const mixed_term *term = &model->terms[e->term];
        const double *matrix = s.matrix + term->lambda, *lambda = point->lambda + term->lambda;
        double sum = s.direct[term->lambda + e->row * term->q + e->column];
        for (size_t l = e->column; l < term->q; l++)
            sum += (e->row >= l ? matrix[e->row * term->q + l] : matrix[l * term->q + e->row]) *
                   lambda[l * term->q + e->column];
        point->gradient[i] = 2 * sum;
    }
}
