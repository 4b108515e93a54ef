/* The profiled deviance of a mixed model and its gradient, from cross-products.
 *
 * With A = I + Lambda'Z'Z Lambda = LL' for each group of the term eliminated first, and W = L^-1 Lambda'Z'[Z X y],
 *     X'V^-1 X = X'X - sum W_x'W_x,   r'V^-1 r = y'y - sum W_y'W_y - ...,   log |V| = sum log |A|
 * and the derivative by Lambda is 2 M Lambda, the lower half of it, with
 *     M = sum over groups  Z'V^-1 Z - Z'V^-1 X (X'V^-1 X)^-1 X'V^-1 Z [REML] - u u' / sigma^2,   u = Z'V^-1 (y - X beta).
 * Of the other terms, with V1 the V of the first alone, K = Zr'V1^-1 Zr, T = Zr'V1^-1 [X y] and S = I + Lambda'K Lambda,
 *     W = S^-1/2 Lambda'T,   Z'V^-1 Z Lambda = K Lambda S^-1,   Zr'V^-1 [X y] = T - K Lambda S^-1 Lambda'T. */
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

static size_t largest_part(const bd_mixed_model *model)
{
    size_t n = 0;
    for (size_t c = 0; c < model->n_parts; c++)
        n = model->parts[c].n > n ? model->parts[c].n : n;
    return n;
}

static size_t group_room(const bd_mixed_model *model)
{
    return model->q * (model->q + model->m + model->most_links);
}

static size_t work_room(const bd_mixed_model *model)
{
    const size_t q = model->q, m = model->m, p = model->p, n = largest_part(model);
    return group_room(model) + m * m + 2 * model->n_lambda + q * (p + 2) + p + 2 * q * model->most_links + n * n +
           MIXED_MOST_RANDOM * (p + 2);
}

size_t mixed_point_room(const bd_mixed_model *model)
{
    const size_t p = model->p;
    return model->n_lambda + 2 * p * p + p + model->k + work_room(model) + model->n_kept;
}

void mixed_point_make(const bd_mixed_model *model, double *room, mixed_point *point)
{
    const size_t p = model->p;
    *point = (mixed_point){.lambda = room, .n_threads = 1};
    point->root = point->lambda + model->n_lambda;
    point->inverse = point->root + p * p;
    point->gamma = point->inverse + p * p;
    point->gradient = point->gamma + p;
    point->work = point->gradient + model->k;
    point->kept = point->work + work_room(model);
}

void mixed_set(const bd_mixed_model *model, const double *theta, mixed_point *point)
{
    memset(point->lambda, 0, model->n_lambda * sizeof *point->lambda);
    for (size_t i = 0; i < model->k; i++) {
        const bd_mixed_entry *e = &model->entries[i];
        point->lambda[model->terms[e->term].lambda + e->row * model->terms[e->term].q + e->column] = theta[i];
    }
}

/* Z'[Z X y]: entry (i, c). */
static double product(const double *products, const double *response, size_t m, size_t i, size_t c)
{
    return c + 1 == m ? response[i] : i <= c ? products[i * m + c] : products[c * m + i];
}

static void forward(size_t q, const double *root, double *values, size_t step)
{
    for (size_t i = 0; i < q; i++) {
        for (size_t l = 0; l < i; l++)
            values[i * step] -= root[i * q + l] * values[l * step];
        values[i * step] /= root[i * q + i];
    }
}

bool mixed_solve_group(const bd_mixed_model *model, const mixed_data *data, const mixed_point *point, size_t g,
                       mixed_group *group, double *log_det)
{
    const size_t q = model->q, m = model->m;
    const double *products = model->products + g * m * m, *response = data->response.first + g * m;
    const double *lambda = point->lambda + model->terms[model->first].lambda;
    double *root = point->work, *solved = root + q * q, *links = solved + q * m;
    *group = (mixed_group){root, solved, links, model->link_starts[g + 1] - model->link_starts[g],
                           model->link_columns + model->link_starts[g]};
    for (size_t i = 0; i < q; i++)
        for (size_t c = 0; c < m; c++) {
            double sum = 0;
            for (size_t l = i; l < q; l++) /* Lambda' */
                sum += lambda[l * q + i] * product(products, response, m, l, c);
            solved[i * m + c] = sum;
        }
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = i == j;
            for (size_t l = j; l < q; l++)
                sum += solved[i * m + l] * lambda[l * q + j];
            for (size_t l = 0; l < j; l++)
                sum -= root[i * q + l] * root[j * q + l];
            if (i == j && !(sum > 0 && sum < INFINITY))
                return false;
            root[i * q + j] = i == j ? sqrt(sum) : sum / root[j * q + j];
        }
    for (size_t i = 0; i < q; i++)
        *log_det += 2 * log(root[i * q + i]);
    for (size_t c = 0; c < m; c++)
        forward(q, root, solved + c, m);
    for (size_t a = 0; a < group->n_links; a++) {
        const double *z = model->links + (model->link_starts[g] + a) * q;
        for (size_t i = 0; i < q; i++) {
            links[a * q + i] = 0;
            for (size_t l = i; l < q; l++)
                links[a * q + i] += lambda[l * q + i] * z[l];
        }
        forward(q, root, links + a * q, 1);
    }
    return true;
}

/* K and T less the group's part in them. */
static void take_group(const bd_mixed_model *model, const mixed_group *group, mixed_dense *d)
{
    const size_t q = model->q, m = model->m;
    for (size_t a = 0; a < group->n_links; a++) {
        const double *own = group->links + a * q;
        double *k = d->k + group->columns[a] * d->n, *t = d->t + group->columns[a] * d->width;
        for (size_t b = 0; b < group->n_links; b++)
            for (size_t l = 0; l < q; l++)
                k[group->columns[b]] -= own[l] * group->links[b * q + l];
        for (size_t j = 0; j < d->width; j++)
            for (size_t l = 0; l < q; l++)
                t[j] -= own[l] * group->solved[l * m + q + j];
    }
}

/* The columns of one term in a part's dense matrix. */
typedef struct range {
    size_t term, q, from, end;
    const double *lambda;
} range;

static bool next_range(const bd_mixed_model *model, const mixed_point *point, const mixed_part *part, range *r)
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

/* Rows <- Lambda' rows. */
static void multiply_transposed(const bd_mixed_model *model, const mixed_point *point, const mixed_part *part,
                                double *rows, size_t width)
{
    for (range r = {0}; next_range(model, point, part, &r);)
        for (size_t i = r.from; i < r.end; i++)
            for (size_t j = 0, a = (i - r.from) % r.q; j < width; j++) {
                double sum = 0;
                for (size_t b = a; b < r.q; b++)
                    sum += r.lambda[b * r.q + a] * rows[(i - a + b) * width + j];
                rows[i * width + j] = sum;
            }
}

/* Rows <- Lambda rows. */
static void multiply(const bd_mixed_model *model, const mixed_point *point, const mixed_part *part, double *rows,
                     size_t width)
{
    for (range r = {0}; next_range(model, point, part, &r);)
        for (size_t i = r.end; i-- > r.from;)
            for (size_t j = 0, a = (i - r.from) % r.q; j < width; j++) {
                double sum = 0;
                for (size_t b = 0; b <= a; b++)
                    sum += r.lambda[a * r.q + b] * rows[(i - a + b) * width + j];
                rows[i * width + j] = sum;
            }
}

/* Columns <- columns Lambda, or Lambda'. */
static void multiply_columns(const bd_mixed_model *model, const mixed_point *point, const mixed_part *part, bool transposed,
                             double *matrix)
{
    for (size_t i = 0; i < part->n; i++)
        for (range r = {0}; next_range(model, point, part, &r);)
            for (double *row = matrix + i * part->n + r.from; row < matrix + i * part->n + r.end; row += r.q) {
                double sums[MIXED_MOST_RANDOM];
                for (size_t a = 0; a < r.q; a++) {
                    sums[a] = 0;
                    for (size_t b = 0; b < r.q; b++)
                        sums[a] += row[b] * (transposed ? r.lambda[a * r.q + b] : r.lambda[b * r.q + a]);
                }
                for (size_t a = 0; a < r.q; a++)
                    row[a] = sums[a];
            }
}

/* The determinant of S, and what the dense columns take off the sums. */
static bool solve_dense(const bd_mixed_model *model, const mixed_part *part, double count, mixed_point *point, mixed_dense *d,
                        double *sums)
{
    const size_t n = d->n, width = d->width, q = model->q, m = model->m;
    memcpy(d->s, d->k, n * n * sizeof *d->s);
    multiply_columns(model, point, part, false, d->s);
    multiply_transposed(model, point, part, d->s, n);
    for (size_t i = 0; i < n; i++)
        d->s[i * n + i] += 1;
    if (!symmetric_root(n, d->s, point->n_threads))
        return false;
    memcpy(d->c, d->t, n * width * sizeof *d->c);
    multiply_transposed(model, point, part, d->c, width);
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

static void begin_dense(const bd_mixed_model *model, const mixed_data *data, const mixed_part *part, mixed_dense *d)
{
    const size_t n = d->n, p = model->p;
    for (size_t i = 0; i < n; i++) {
        const double *products = model->rest_products + part->products + i * (n + p);
        memcpy(d->k + i * n, products, n * sizeof *d->k);
        memcpy(d->t + i * d->width, products + n, p * sizeof *d->t);
        d->t[i * d->width + p] = data->response.rest[part->column + i];
    }
}

/* sums <- [X y]'V^-1 [X y] in the lower right of m x m; one part's share of it. */
static bool add_part(const bd_mixed_model *model, const mixed_data *data, size_t c, mixed_point *point, double *sums)
{
    const size_t q = model->q, m = model->m;
    const mixed_part *part = &model->parts[c];
    const double count = data->counts == NULL ? 1 : data->counts[c];
    mixed_dense d = mixed_dense_of(model, point, part);
    begin_dense(model, data, part, &d);
    for (size_t o = part->first; o < part->end; o++) {
        const size_t g = model->order[o];
        const double *products = model->products + g * m * m, *response = data->response.first + g * m;
        mixed_group group;
        double log_det = 0;
        if (!mixed_solve_group(model, data, point, g, &group, &log_det))
            return false;
        take_group(model, &group, &d);
        point->log_random += count * log_det;
        point->n += data->counts == NULL ? 0 : count * model->terms[model->first].rows[g];
        for (size_t i = q; i < m; i++)
            for (size_t j = i; j < m; j++) {
                double sum = data->counts == NULL ? 0 : product(products, response, m, i, j);
                for (size_t l = 0; l < q; l++)
                    sum -= group.solved[l * m + i] * group.solved[l * m + j];
                sums[i * m + j] += count * sum;
            }
    }
    return d.n == 0 || solve_dense(model, part, count, point, &d, sums);
}

static bool add_parts(const bd_mixed_model *model, const mixed_data *data, mixed_point *point, double *sums)
{
    const size_t m = model->m;
    memset(sums, 0, m * m * sizeof *sums);
    point->n = 0;
    point->log_random = 0;
    if (data->counts == NULL) {
        memcpy(sums, model->total, m * m * sizeof *sums);
        for (size_t i = model->q; i < m; i++)
            sums[i * m + m - 1] = data->response.total[i];
        point->n = (double)model->n_used;
    }
    for (size_t c = 0; c < model->n_parts; c++)
        if ((data->counts == NULL || data->counts[c] > 0) && !add_part(model, data, c, point, sums))
            return false;
    return true;
}

/* root, gamma, residual and inverse from X'V^-1 [X y]. */
static bool solve_fixed(const bd_mixed_model *model, const double *sums, mixed_point *point)
{
    const size_t p = model->p, q = model->q, m = model->m;
    double *r = point->root, *inverse = point->inverse;
    for (size_t i = 0; i < p; i++)
        for (size_t j = i; j < p; j++) {
            double sum = sums[(q + i) * m + q + j];
            for (size_t l = 0; l < i; l++)
                sum -= r[l * p + i] * r[l * p + j];
            if (i == j && !(sum > 1e-13 * sums[(q + i) * m + q + i]))
                return false;
            r[i * p + j] = i == j ? sqrt(sum) : sum / r[i * p + i];
        }
    double *half = point->gamma;
    point->residual = sums[m * m - 1];
    for (size_t i = 0; i < p; i++) {
        half[i] = sums[(q + i) * m + m - 1];
        for (size_t l = 0; l < i; l++)
            half[i] -= r[l * p + i] * half[l];
        half[i] /= r[i * p + i];
        point->residual -= half[i] * half[i];
    }
    for (size_t i = p; i-- > 0;) {
        for (size_t l = i + 1; l < p; l++)
            half[i] -= r[i * p + l] * half[l];
        half[i] /= r[i * p + i];
    }
    for (size_t c = 0; c < p; c++) { /* R^-1, then its square */
        for (size_t i = 0; i < p; i++)
            inverse[i * p + c] = 0;
        for (size_t i = c + 1; i-- > 0;) {
            double sum = i == c;
            for (size_t l = i + 1; l <= c; l++)
                sum -= r[i * p + l] * inverse[l * p + c];
            inverse[i * p + c] = sum / r[i * p + i];
        }
    }
    for (size_t i = 0; i < p; i++)
        for (size_t j = i; j < p; j++) {
            double sum = 0;
            for (size_t c = j; c < p; c++)
                sum += inverse[i * p + c] * inverse[j * p + c];
            inverse[i * p + j] = sum; /* of row i, only entries from j on are read after this */
        }
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < i; j++)
            inverse[i * p + j] = inverse[j * p + i];
    return point->residual > 0;
}

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

/* c <- U^-1 c. */
static void solve_back(mixed_dense *d, double *column)
{
    const size_t n = d->n;
    for (size_t j = 0; j < d->width; j++) {
        for (size_t i = n; i-- > 0;)
            column[i] = (d->c[i * d->width + j] - dot(d->s + i * n + i + 1, column + i + 1, n - i - 1)) / d->s[i * n + i];
        for (size_t i = 0; i < n; i++)
            d->c[i * d->width + j] = column[i];
    }
}

/* T <- Zr'V^-1 [X y]. */
static void take_solution(mixed_dense *d, double *column)
{
    for (size_t j = 0; j < d->width; j++) {
        for (size_t i = 0; i < d->n; i++)
            column[i] = d->c[i * d->width + j];
        for (size_t i = 0; i < d->n; i++)
            d->t[i * d->width + j] -= dot(d->k + i * d->n, column, d->n);
    }
}

/* The other terms': and leaves S^-1 within Lambda, and the solution, for the first. */
static void add_dense_slopes(const bd_mixed_model *model, const mixed_part *part, double count, const mixed_point *point,
                             const slopes *s, mixed_dense *d, double *room)
{
    const size_t n = d->n, width = d->width;
    solve_back(d, room);
    multiply(model, point, part, d->c, width);
    take_solution(d, room);
    symmetric_invert(n, d->s, room, point->n_threads);
    multiply_columns(model, point, part, false, d->k);
    for (range r = {0}; next_range(model, point, part, &r);)
        for (size_t at = r.from; at < r.end; at += r.q) {
            double *direct = s->direct + model->terms[r.term].lambda;
            take_explained(model, point, s, count, r.q, d->t + at * width, s->matrix + model->terms[r.term].lambda);
            for (size_t a = 0; a < r.q; a++)
                for (size_t b = 0; b <= a; b++)
                    direct[a * r.q + b] += count * dot(d->k + (at + a) * n, d->s + (at + b) * n, n);
        }
    multiply(model, point, part, d->s, n);
    multiply_columns(model, point, part, true, d->s);
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
            double sum = product(products, response, m, i, q + j);
            for (size_t l = 0; l < q; l++)
                sum -= group->solved[l * m + i] * group->solved[l * m + q + j];
            for (size_t a = 0; a < n_links; a++)
                sum -= flow[a * q + i] * d->c[group->columns[a] * width + j];
            rows[i * width + j] = sum;
        }
        for (size_t c = 0; c <= i; c++) {
            double sum = product(products, response, m, i, c);
            for (size_t l = 0; l < q; l++)
                sum -= group->solved[l * m + i] * group->solved[l * m + c];
            for (size_t a = 0; a < n_links; a++)
                sum -= flow[a * q + i] * within[a * q + c];
            matrix[i * q + c] += count * sum;
        }
    }
    take_explained(model, point, s, count, q, rows, matrix);
}

static void find_gradient(const bd_mixed_model *model, const mixed_data *data, bool reml, double variance,
                          mixed_point *point)
{
    double *at = point->work + group_room(model) + model->m * model->m;
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
            mixed_group group;
            double log_det = 0;
            if (mixed_solve_group(model, data, point, model->order[o], &group, &log_det))
                add_group_slopes(model, data, model->order[o], count, point, &group, &d, &s, flow);
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

bool mixed_evaluate(const bd_mixed_model *model, const mixed_data *data, bool reml, double sigma, mixed_point *point)
{
    const size_t p = model->p;
    double *sums = point->work + group_room(model);
    if (!add_parts(model, data, point, sums) || !solve_fixed(model, sums, point))
        return false;
    const double n = point->n - (reml ? (double)p : 0);
    const double variance = sigma > 0 ? sigma * sigma : point->residual / n;
    point->deviance = point->log_random + n * log(2 * M_PI * variance) + point->residual / variance - model->log_weights;
    for (size_t i = 0; reml && i < p; i++)
        point->deviance += 2 * log(point->root[i * p + i]);
    if (reml)
        point->deviance += 2 * model->log_root;
    find_gradient(model, data, reml, variance, point);
    return isfinite(point->deviance);
}
