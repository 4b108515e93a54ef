/* Replicates of a mixed model from errors that are drawn: y* = X beta + Z b* + e*, refitted. */
#include <math.h>
#include <string.h>

#include "models/mixed_internal.h"

struct bd_mixed_drawing {
    const bd_mixed_model *model;
    const bd_mixed *fit;
    size_t n, q_all;    /* rows with a weight; random coefficients of all terms */
    size_t *rows;       /* n: which they are */
    double *values;     /* n x (q_all + p): z / scale of every term, x rotated, times the root of the weight */
    double *fitted;     /* n: of the fixed part, less the least-squares one */
    double *left;       /* n: the response less that */
    double *residuals;  /* n: less Zb too; centred, with the variance sigma^2 */
    double **modes;     /* of each term, n_groups x q: with the covariance of the fit */
    uint32_t **there;   /* of each term, n_there: groups that have a row */
    size_t n_modes;     /* their numbers in all */
};

/* The row's groups' coefficients times z. */
static double random_part(const bd_mixed_drawing *d, size_t i, const double *const *effects)
{
    const double *z = d->values + i * (d->q_all + d->model->p);
    double sum = 0;
    for (size_t t = 0; t < d->model->n_terms; t++) {
        const mixed_term *term = &d->model->terms[t];
        const double *own = effects[t] + term->given->group[d->rows[i]] * term->q;
        for (size_t j = 0; j < term->q; j++)
            sum += *z++ * own[j];
    }
    return sum;
}

static bd_status read_rows(bd_mixed_drawing *d, bd_arena *arena)
{
    const bd_mixed_model *model = d->model;
    const size_t width = d->q_all + model->p;
    double *row;
    BD_NEW(arena, d->rows, model->n_used);
    BD_NEW(arena, d->values, model->n_used * width);
    BD_NEW(arena, d->fitted, model->n_used);
    BD_NEW(arena, d->left, model->n_used);
    BD_NEW(arena, row, model->m);
    for (size_t i = 0; i < model->design->n_rows; i++) {
        if (!mixed_is_used(model->design, i))
            continue;
        const double *weights = model->design->weights, root = weights == NULL ? 1 : sqrt(weights[i]);
        double *values = d->values + d->n * width;
        mixed_make_row(model, i, root, row);
        for (size_t t = 0; t < model->n_terms; values += model->terms[t++].q)
            mixed_make_random(&model->terms[t], i, root, values);
        memcpy(values, row + model->q, model->p * sizeof *values);
        for (size_t j = 0; j < model->p; j++)
            d->fitted[d->n] += values[j] * d->fit->gamma[j];
        d->left[d->n] = row[model->m - 1] - d->fitted[d->n];
        d->rows[d->n++] = i;
    }
    return BD_OK;
}

/* Lower root of a (q x q, of which the lower half is read); a direction without variance gets 0. */
static void root_of(size_t q, const double *a, double *root)
{
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = a[i * q + j];
            for (size_t l = 0; l < j; l++)
                sum -= root[i * q + l] * root[j * q + l];
            if (i == j)
                root[i * q + j] = sum > 1e-12 * a[i * q + i] ? sqrt(sum) : 0;
            else
                root[i * q + j] = root[j * q + j] > 0 ? sum / root[j * q + j] : 0;
        }
}

/* Modes of a term, centred and turned so that their covariance is that of the fit: L_fit L_modes^-1. */
static bd_status reflate(bd_mixed_drawing *d, size_t t, bd_arena *arena)
{
    const mixed_term *term = &d->model->terms[t];
    const bd_mixed_random *random = &d->fit->random[t];
    const size_t q = term->q, n = term->given->n_groups;
    const double there = (double)term->n_there;
    double *modes, *mean, *moments, *root, *half;
    BD_NEW(arena, modes, n * q);
    BD_NEW(arena, mean, q);
    BD_NEW(arena, moments, q * q);
    BD_NEW(arena, root, q * q);
    BD_NEW(arena, half, q);
    for (size_t g = 0; g < n; g++)
        for (size_t j = 0; j < q && term->rows[g] > 0; j++)
            mean[j] += random->effects[g * q + j] * term->scale[j] / there;
    for (size_t g = 0; g < n; g++)
        for (size_t j = 0; j < q && term->rows[g] > 0; j++) {
            modes[g * q + j] = random->effects[g * q + j] * term->scale[j] - mean[j];
            for (size_t l = 0; l <= j; l++)
                moments[j * q + l] += modes[g * q + j] * modes[g * q + l] / there;
        }
    root_of(q, moments, root);
    for (size_t g = 0; g < n; g++) {
        for (size_t i = 0; i < q; i++) {
            half[i] = modes[g * q + i];
            for (size_t l = 0; l < i; l++)
                half[i] -= root[i * q + l] * half[l];
            half[i] = root[i * q + i] > 0 ? half[i] / root[i * q + i] : 0;
        }
        for (size_t i = 0; i < q; i++) {
            modes[g * q + i] = 0;
            for (size_t l = 0; l <= i; l++)
                modes[g * q + i] += d->fit->sigma * random->relative[i * q + l] * term->scale[i] * half[l];
        }
    }
    d->modes[t] = modes;
    BD_NEW(arena, d->there[t], term->n_there);
    for (size_t g = 0, k = 0; g < n; g++)
        if (term->rows[g] > 0)
            d->there[t][k++] = (uint32_t)g;
    return BD_OK;
}

/* What is left beside the modes as they are, centred, with the fit's variance. */
static bd_status find_residuals(bd_mixed_drawing *d, bd_arena *arena)
{
    const bd_mixed_model *model = d->model;
    double **effects, mean = 0, squares = 0;
    BD_NEW(arena, d->residuals, d->n);
    BD_NEW(arena, effects, model->n_terms);
    for (size_t t = 0; t < model->n_terms; t++) {
        const size_t n = model->terms[t].given->n_groups * model->terms[t].q;
        BD_NEW(arena, effects[t], n);
        for (size_t i = 0; i < n; i++)
            effects[t][i] = d->fit->random[t].effects[i] * model->terms[t].scale[i % model->terms[t].q];
    }
    for (size_t i = 0; i < d->n; i++) {
        d->residuals[i] = d->left[i] - random_part(d, i, (const double *const *)effects);
        mean += d->residuals[i] / (double)d->n;
    }
    for (size_t i = 0; i < d->n; i++) {
        d->residuals[i] -= mean;
        squares += d->residuals[i] * d->residuals[i] / (double)d->n;
    }
    for (size_t i = 0; i < d->n && squares > 0; i++)
        d->residuals[i] *= d->fit->sigma / sqrt(squares);
    return BD_OK;
}

bd_status bd_mixed_drawing_new(const bd_mixed_model *model, const bd_mixed *fit, bd_arena *arena,
                               const bd_mixed_drawing **out)
{
    bd_mixed_drawing *d;
    BD_NEW(arena, d, 1);
    *d = (bd_mixed_drawing){.model = model, .fit = fit};
    for (size_t t = 0; t < model->n_terms; t++) {
        d->q_all += model->terms[t].q;
        d->n_modes += model->terms[t].given->n_groups * model->terms[t].q;
    }
    BD_TRY(read_rows(d, arena));
    BD_NEW(arena, d->modes, model->n_terms);
    BD_NEW(arena, d->there, model->n_terms);
    for (size_t t = 0; t < model->n_terms; t++)
        BD_TRY(reflate(d, t, arena));
    BD_TRY(find_residuals(d, arena));
    *out = d;
    return BD_OK;
}

size_t bd_mixed_drawing_scratch(const bd_mixed_drawing *d)
{
    const bd_mixed_model *model = d->model;
    return d->n + d->n_modes + model->n_groups * model->m + model->n_columns + model->m + bd_mixed_scratch(model);
}

size_t bd_mixed_draw_numbers(const bd_mixed_drawing *d, bd_mixed_draw_kind kind)
{
    size_t n_groups = 0;
    for (size_t t = 0; t < d->model->n_terms; t++)
        n_groups += d->model->terms[t].given->n_groups;
    return kind == BD_MIXED_PARAMETRIC ? d->n + d->n_modes : kind == BD_MIXED_RESIDUAL ? d->n + n_groups : d->model->n_parts;
}

/* errors (n), then room for the coefficients of all groups. */
static void draw_parametric(const bd_mixed_drawing *d, const double *normals, double *errors)
{
    const double *effects[MIXED_MOST_TERMS], sigma = d->fit->sigma, *z = normals + d->n;
    double *own = errors + d->n;
    for (size_t t = 0; t < d->model->n_terms; t++) {
        const mixed_term *term = &d->model->terms[t];
        const double *relative = d->fit->random[t].relative;
        effects[t] = own;
        for (size_t g = 0; g < term->given->n_groups; g++, own += term->q, z += term->q)
            for (size_t i = 0; i < term->q; i++) {
                double sum = 0;
                for (size_t l = 0; l <= i; l++)
                    sum += relative[i * term->q + l] * z[l];
                own[i] = sigma * term->scale[i] * sum;
            }
    }
    for (size_t i = 0; i < d->n; i++)
        errors[i] = sigma * normals[i] + random_part(d, i, effects);
}

static void draw_residuals(const bd_mixed_drawing *d, const double *uniforms, double *errors)
{
    const double *effects[MIXED_MOST_TERMS], *u = uniforms + d->n;
    double *own = errors + d->n;
    for (size_t t = 0; t < d->model->n_terms; t++) {
        const mixed_term *term = &d->model->terms[t];
        effects[t] = own;
        for (size_t g = 0; g < term->given->n_groups; g++, own += term->q)
            memcpy(own, d->modes[t] + d->there[t][(size_t)(*u++ * (double)term->n_there)] * term->q,
                   term->q * sizeof *own);
    }
    for (size_t i = 0; i < d->n; i++)
        errors[i] = d->residuals[(size_t)(uniforms[i] * (double)d->n)] + random_part(d, i, effects);
}

/* All that is left in a part, times the same 1 or -1. */
static void draw_wild(const bd_mixed_drawing *d, const double *signs, double *errors)
{
    const bd_mixed_model *model = d->model;
    const uint32_t *group = model->terms[model->first].given->group;
    for (size_t i = 0; i < d->n; i++)
        errors[i] = signs[model->part_of[group[d->rows[i]]]] * d->left[i];
}

static void (*const DRAWS[])(const bd_mixed_drawing *, const double *, double *) = {
    [BD_MIXED_PARAMETRIC] = draw_parametric, [BD_MIXED_RESIDUAL] = draw_residuals, [BD_MIXED_WILD] = draw_wild};

/* response <- the products of `fitted` (NULL: 0) + errors. */
static void accumulate(const bd_mixed_drawing *d, const double *fitted, const double *errors, double *first, double *rest,
                       double *total)
{
    const bd_mixed_model *model = d->model;
    const size_t width = d->q_all + model->p, m = model->m, q = model->q;
    memset(first, 0, (model->n_groups * m + model->n_columns + m) * sizeof *first);
    for (size_t i = 0; i < d->n; i++) {
        const double y = (fitted == NULL ? 0 : fitted[i]) + errors[i], *values = d->values + i * width;
        const uint32_t g = model->terms[model->first].given->group[d->rows[i]];
        const mixed_part *part = &model->parts[model->part_of[g]];
        for (size_t t = 0; t < model->n_terms; values += model->terms[t++].q) {
            const mixed_term *term = &model->terms[t];
            double *own = t == model->first
                              ? first + g * m
                              : rest + part->column + term->column[term->given->group[d->rows[i]]];
            for (size_t j = 0; j < term->q; j++)
                own[j] += values[j] * y;
        }
        for (size_t j = 0; j < model->p; j++)
            total[q + j] += values[j] * y;
        total[m - 1] += y * y;
    }
}

/* `scratch`: products, then room for a fit. */
static bd_mixed_end refit(const bd_mixed_drawing *d, const double *fitted, const double *errors, double *scratch,
                          double *values, double *deviance)
{
    const bd_mixed_model *model = d->model;
    double *rest = scratch + model->n_groups * model->m, *total = rest + model->n_columns;
    const mixed_data data = {.response = {scratch, rest, total}};
    accumulate(d, fitted, errors, scratch, rest, total);
    return mixed_refit(model, d->fit, &data, total + model->m, values, deviance);
}

bd_mixed_end bd_mixed_draw(const bd_mixed_drawing *d, bd_mixed_draw_kind kind, const double *numbers, double *scratch,
                           double *values)
{
    DRAWS[kind](d, numbers, scratch);
    return refit(d, d->fitted, scratch, scratch + d->n + d->n_modes, values, NULL);
}

/* rest <- Zr'y, products <- what of the terms not eliminated first is left when group g counts counts[g] times. */
static void weigh_rest(const bd_mixed_drawing *d, const double *counts, double *products, double *rest)
{
    const bd_mixed_model *model = d->model;
    const size_t p = model->p, width = d->q_all + p;
    memset(products, 0, model->n_rest_products * sizeof *products);
    memset(rest, 0, model->n_columns * sizeof *rest);
    for (size_t i = 0; i < d->n; i++) {
        const double *values = d->values + i * width, y = d->fitted[i] + d->left[i], *z[MIXED_MOST_TERMS];
        const uint32_t g = model->terms[model->first].given->group[d->rows[i]];
        const mixed_part *part = &model->parts[model->part_of[g]];
        uint32_t at[MIXED_MOST_TERMS];
        for (size_t t = 0; t < model->n_terms; values += model->terms[t++].q) {
            z[t] = values;
            at[t] = t == model->first ? 0 : model->terms[t].column[model->terms[t].given->group[d->rows[i]]];
        }
        for (size_t t = 0; t < model->n_terms && counts[g] > 0; t++)
            for (size_t a = 0; t != model->first && a < model->terms[t].q; a++) {
                const double weight = counts[g] * z[t][a];
                double *own = products + part->products + (at[t] + a) * (part->n + p);
                for (size_t s = 0; s < model->n_terms; s++)
                    for (size_t b = 0; s != model->first && b < model->terms[s].q; b++)
                        own[at[s] + b] += weight * z[s][b];
                for (size_t j = 0; j < p; j++)
                    own[part->n + j] += weight * values[j];
                rest[part->column + at[t] + a] += weight * y;
            }
    }
}

size_t bd_mixed_group_scratch(const bd_mixed_drawing *d)
{
    return d->model->n_rest_products + d->model->n_columns + bd_mixed_scratch(d->model);
}

bd_mixed_end bd_mixed_draw_groups(const bd_mixed_drawing *d, const double *counts, double *scratch, double *values)
{
    const bd_mixed_model *model = d->model;
    double *rest = scratch + model->n_rest_products;
    const mixed_data data = {.response = {model->response.first, rest, model->response.total},
                             .group_counts = counts, .rest_products = scratch};
    weigh_rest(d, counts, scratch, rest);
    return mixed_refit(model, d->fit, &data, rest + model->n_columns, values, NULL);
}

size_t bd_mixed_ratio_scratch(const bd_mixed_drawing *null, const bd_mixed_drawing *full)
{
    const size_t fitting = bd_mixed_drawing_scratch(full), values = full->model->p + full->model->k + 1;
    return full->n + full->n_modes + values + (null == NULL || bd_mixed_drawing_scratch(null) < fitting
                                                   ? fitting
                                                   : bd_mixed_drawing_scratch(null));
}

size_t bd_mixed_ratio_numbers(const bd_mixed_drawing *null, const bd_mixed_drawing *full)
{
    return null == NULL ? full->n : bd_mixed_draw_numbers(null, BD_MIXED_PARAMETRIC);
}

/* -2 log-likelihood of errors by least squares, of the rotated columns. */
static double plain_deviance(const bd_mixed_drawing *d, const double *errors, double *projection)
{
    const size_t p = d->model->p, width = d->q_all + p;
    const double n = (double)(d->fit->reml ? d->n - p : d->n);
    double squares = 0;
    memset(projection, 0, p * sizeof *projection);
    for (size_t i = 0; i < d->n; i++) {
        squares += errors[i] * errors[i];
        for (size_t j = 0; j < p; j++)
            projection[j] += d->values[i * width + d->q_all + j] * errors[i];
    }
    for (size_t j = 0; j < p; j++)
        squares -= projection[j] * projection[j];
    return n * (1 + log(2 * M_PI * squares / n));
}

bd_mixed_end bd_mixed_ratio(const bd_mixed_drawing *null, const bd_mixed_drawing *full, const double *normals,
                            double *scratch, double *ratio)
{
    const bd_mixed_drawing *from = null == NULL ? full : null;
    double *errors = scratch, *values = errors + full->n + full->n_modes;
    double *room = values + full->model->p + full->model->k + 1, smaller, larger;
    bd_mixed_end end = BD_MIXED_CONVERGED;
    if (normals == NULL)
        for (size_t i = 0; i < full->n; i++)
            errors[i] = from->fitted[i] + from->left[i];
    else if (null == NULL)
        memcpy(errors, normals, full->n * sizeof *errors);
    else
        draw_parametric(null, normals, errors);
    if (null == NULL)
        smaller = plain_deviance(full, errors, room);
    else
        end = refit(null, NULL, errors, room, values, &smaller);
    if (end == BD_MIXED_NOT_CONVERGED)
        return end;
    end = refit(full, NULL, errors, room, values, &larger);
    *ratio = fmax(0, smaller - larger);
    return end;
}
