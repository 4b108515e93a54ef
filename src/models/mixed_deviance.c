/* The profiled deviance of a mixed model and its gradient, from cross-products.
 *
 * With A = I + Lambda'Z'Z Lambda = LL' for each group, and W = L^-1 Lambda'Z'[Z X y],
 *     X'V^-1 X = X'X - sum W_x'W_x,   r'V^-1 r = y'y - sum W_y'W_y - ...,   log |V| = sum log |A|
 * and the derivative by Lambda is 2 M Lambda, the lower half of it, with
 *     M = sum over groups  Z'V^-1 Z - Z'V^-1 X (X'V^-1 X)^-1 X'V^-1 Z [REML] - u u' / sigma^2,   u = Z'V^-1 (y - X beta). */
#include <math.h>
#include <string.h>

#include "models/mixed_internal.h"

static size_t work_room(const bd_mixed_model *model)
{
    const size_t q = model->q, m = model->m, p = model->p;
    return q * q + q * m + m * m + q * q + q * (p + 2) + p + q * p;
}

size_t mixed_point_room(const bd_mixed_model *model)
{
    const size_t p = model->p, q = model->q;
    return q * q + 2 * p * p + p + model->k + work_room(model);
}

void mixed_point_make(const bd_mixed_model *model, double *room, mixed_point *point)
{
    const size_t p = model->p, q = model->q;
    *point = (mixed_point){.lambda = room};
    point->root = point->lambda + q * q;
    point->inverse = point->root + p * p;
    point->gamma = point->inverse + p * p;
    point->gradient = point->gamma + p;
    point->work = point->gradient + model->k;
}

void mixed_set(const bd_mixed_model *model, const double *theta, mixed_point *point)
{
    memset(point->lambda, 0, model->q * model->q * sizeof *point->lambda);
    for (size_t i = 0; i < model->k; i++)
        point->lambda[model->entry_row[i] * model->q + model->entry_column[i]] = theta[i];
}

/* Z'[Z X y]: entry (i, c) of the upper half. */
static double product(const double *products, size_t m, size_t i, size_t c)
{
    return i <= c ? products[i * m + c] : products[c * m + i];
}

bool mixed_solve_group(const bd_mixed_model *model, const double *lambda, const double *products, double *root,
                       double *solved, double *log_det)
{
    const size_t q = model->q, m = model->m;
    for (size_t i = 0; i < q; i++)
        for (size_t c = 0; c < m; c++) {
            double sum = 0;
            for (size_t l = i; l < q; l++) /* Lambda' */
                sum += lambda[l * q + i] * product(products, m, l, c);
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
    for (size_t i = 0; i < q; i++) {
        *log_det += 2 * log(root[i * q + i]);
        for (size_t c = 0; c < m; c++) {
            for (size_t l = 0; l < i; l++)
                solved[i * m + c] -= root[i * q + l] * solved[l * m + c];
            solved[i * m + c] /= root[i * q + i];
        }
    }
    return true;
}

/* sums <- [X y]'V^-1 [X y] in the lower right of m x m; the groups' parts of it. */
static bool add_groups(const bd_mixed_model *model, const double *counts, mixed_point *point, double *sums)
{
    const size_t q = model->q, m = model->m;
    double *root = point->work, *solved = root + q * q;
    if (counts == NULL)
        memcpy(sums, model->total, m * m * sizeof *sums);
    else
        memset(sums, 0, m * m * sizeof *sums);
    point->n = counts == NULL ? (double)model->n_used : 0;
    point->log_random = 0;
    for (size_t g = 0; g < model->n_groups; g++) {
        const double count = counts == NULL ? 1 : counts[g], *products = model->products + g * m * m;
        double log_det = 0;
        if (count == 0)
            continue;
        if (!mixed_solve_group(model, point->lambda, products, root, solved, &log_det))
            return false;
        point->log_random += count * log_det;
        point->n += counts == NULL ? 0 : count * model->rows[g];
        for (size_t i = q; i < m; i++)
            for (size_t j = i; j < m; j++) {
                double sum = counts == NULL ? 0 : products[i * m + j];
                for (size_t l = 0; l < q; l++)
                    sum -= solved[l * m + i] * solved[l * m + j];
                sums[i * m + j] += count * sum;
            }
    }
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

/* matrix (q x q) += count M of one group. */
static void add_matrix(const bd_mixed_model *model, const mixed_point *point, bool reml, double variance, double count,
                       const double *products, const double *solved, double *parts, double *matrix)
{
    const size_t p = model->p, q = model->q, m = model->m;
    double *zx = parts, *u = zx + q * p, *half = u + q; /* Z'V^-1 X, Z'V^-1 r, (X'V^-1 X)^-1 X'V^-1 z */
    for (size_t i = 0; i < q; i++) {
        double sum = product(products, m, i, m - 1);
        for (size_t l = 0; l < q; l++)
            sum -= solved[l * m + i] * solved[l * m + m - 1];
        for (size_t j = 0; j < p; j++) {
            double cross = product(products, m, i, q + j);
            for (size_t l = 0; l < q; l++)
                cross -= solved[l * m + i] * solved[l * m + q + j];
            zx[i * p + j] = cross;
            sum -= cross * point->gamma[j];
        }
        u[i] = sum;
    }
    for (size_t i = 0; i < q; i++) {
        for (size_t j = 0; reml && j < p; j++) {
            half[j] = 0;
            for (size_t l = 0; l < p; l++)
                half[j] += point->inverse[j * p + l] * zx[i * p + l];
        }
        for (size_t c = 0; c <= i; c++) {
            double sum = product(products, m, i, c) - u[i] * u[c] / variance;
            for (size_t l = 0; l < q; l++)
                sum -= solved[l * m + i] * solved[l * m + c];
            for (size_t j = 0; reml && j < p; j++)
                sum -= half[j] * zx[c * p + j];
            matrix[i * q + c] += count * sum;
        }
    }
}

static void find_gradient(const bd_mixed_model *model, const double *counts, bool reml, double variance,
                          mixed_point *point)
{
    const size_t q = model->q, m = model->m, p = model->p;
    double *root = point->work, *solved = root + q * q, *matrix = solved + q * m + m * m, *parts = matrix + q * q;
    memset(matrix, 0, q * q * sizeof *matrix);
    (void)p;
    for (size_t g = 0; g < model->n_groups; g++) {
        const double count = counts == NULL ? 1 : counts[g], *products = model->products + g * m * m;
        double log_det = 0;
        if (count > 0 && mixed_solve_group(model, point->lambda, products, root, solved, &log_det))
            add_matrix(model, point, reml, variance, count, products, solved, parts, matrix);
    }
    for (size_t i = 0; i < model->k; i++) {
        const size_t r = model->entry_row[i], c = model->entry_column[i];
        double sum = 0;
        for (size_t l = c; l < q; l++)
            sum += (r >= l ? matrix[r * q + l] : matrix[l * q + r]) * point->lambda[l * q + c];
        point->gradient[i] = 2 * sum;
    }
}

bool mixed_evaluate(const bd_mixed_model *model, const double *counts, bool reml, double sigma, mixed_point *point)
{
    const size_t p = model->p, q = model->q, m = model->m;
    double *sums = point->work + q * q + q * m;
    if (!add_groups(model, counts, point, sums) || !solve_fixed(model, sums, point))
        return false;
    const double n = point->n - (reml ? (double)p : 0);
    const double variance = sigma > 0 ? sigma * sigma : point->residual / n;
    point->deviance = point->log_random + n * log(2 * M_PI * variance) + point->residual / variance - model->log_weights;
    for (size_t i = 0; reml && i < p; i++)
        point->deviance += 2 * log(point->root[i * p + i]);
    if (reml)
        point->deviance += 2 * model->log_root;
    find_gradient(model, counts, reml, variance, point);
    return isfinite(point->deviance);
}
