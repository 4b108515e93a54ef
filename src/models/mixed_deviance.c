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

#include "models/mixed_internal.h"

static size_t largest_part(const bd_mixed_model *model)
{
    size_t n = 0;
    for (size_t c = 0; c < model->n_parts; c++)
        n = model->parts[c].n > n ? model->parts[c].n : n;
    return n;
}

size_t mixed_group_room(const bd_mixed_model *model)
{
    return model->q * (model->q + model->m + model->most_links);
}

static size_t work_room(const bd_mixed_model *model)
{
    const size_t q = model->q, m = model->m, p = model->p, n = largest_part(model);
    return mixed_group_room(model) + m * m + 2 * model->n_lambda + q * (p + 2) + p + 2 * q * model->most_links + n * n +
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
                sum += lambda[l * q + i] * mixed_product(products, response, m, l, c);
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

/* K and T less the group's part in them, `count` times. */
static void take_group(const bd_mixed_model *model, const mixed_group *group, double count, mixed_dense *d)
{
    const size_t q = model->q, m = model->m;
    for (size_t a = 0; a < group->n_links; a++) {
        const double *own = group->links + a * q;
        double *k = d->k + group->columns[a] * d->n, *t = d->t + group->columns[a] * d->width;
        for (size_t b = 0; b < group->n_links; b++)
            for (size_t l = 0; l < q; l++)
                k[group->columns[b]] -= count * own[l] * group->links[b * q + l];
        for (size_t j = 0; j < d->width; j++)
            for (size_t l = 0; l < q; l++)
                t[j] -= count * own[l] * group->solved[l * m + q + j];
    }
}

static void begin_dense(const bd_mixed_model *model, const mixed_data *data, const mixed_part *part, mixed_dense *d)
{
    const size_t n = d->n, p = model->p;
    const double *all = data->rest_products == NULL ? model->rest_products : data->rest_products;
    for (size_t i = 0; i < n; i++) {
        const double *products = all + part->products + i * (n + p);
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
    const double part_count = data->counts == NULL ? 1 : data->counts[c];
    const bool weighed = data->counts != NULL || data->group_counts != NULL;
    mixed_dense d = mixed_dense_of(model, point, part);
    begin_dense(model, data, part, &d);
    for (size_t o = part->first; o < part->end; o++) {
        const size_t g = model->order[o];
        const double *products = model->products + g * m * m, *response = data->response.first + g * m;
        const double own = data->group_counts == NULL ? 1 : data->group_counts[g], count = part_count * own;
        mixed_group group;
        double log_det = 0;
        if (own == 0)
            continue;
        if (!mixed_solve_group(model, data, point, g, &group, &log_det))
            return false;
        take_group(model, &group, own, &d);
        point->log_random += count * log_det;
        point->n += weighed ? count * model->terms[model->first].rows[g] : 0;
        for (size_t i = q; i < m; i++)
            for (size_t j = i; j < m; j++) {
                double sum = weighed ? mixed_product(products, response, m, i, j) : 0;
                for (size_t l = 0; l < q; l++)
                    sum -= group.solved[l * m + i] * group.solved[l * m + j];
                sums[i * m + j] += count * sum;
            }
    }
    return d.n == 0 || mixed_solve_dense(model, part, part_count, point, &d, sums);
}

static bool add_parts(const bd_mixed_model *model, const mixed_data *data, mixed_point *point, double *sums)
{
    const size_t m = model->m;
    memset(sums, 0, m * m * sizeof *sums);
    point->n = 0;
    point->log_random = 0;
    if (data->counts == NULL && data->group_counts == NULL) {
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

bool mixed_evaluate(const bd_mixed_model *model, const mixed_data *data, bool reml, double sigma, mixed_point *point)
{
    const size_t p = model->p;
    double *sums = point->work + mixed_group_room(model);
    if (!add_parts(model, data, point, sums) || !solve_fixed(model, sums, point))
        return false;
    const double n = point->n - (reml ? (double)p : 0);
    const double variance = sigma > 0 ? sigma * sigma : point->residual / n;
    point->deviance = point->log_random + n * log(2 * M_PI * variance) + point->residual / variance - model->log_weights;
    for (size_t i = 0; reml && i < p; i++)
        point->deviance += 2 * log(point->root[i * p + i]);
    if (reml)
        point->deviance += 2 * model->log_root;
    mixed_find_gradient(model, data, reml, variance, point);
    return isfinite(point->deviance);
}
