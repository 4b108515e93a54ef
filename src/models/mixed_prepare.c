/* From rows to cross-products by cluster: columns rotated, the response less what they explain, in one pass. */
#include <math.h>
#include <string.h>

#include <bordin/core/triangle.h>

#include "models/mixed_internal.h"

static const double COLLINEAR = 1e-12;

static bool is_used(const bd_mixed_design *d, size_t row)
{
    return d->weights == NULL || d->weights[row] > 0;
}

static double at(const double *column, size_t row)
{
    return column == NULL ? 1 : column[row];
}

static bd_status check_values(const bd_mixed_design *d, const double *values, const char *name)
{
    for (size_t i = 0; values != NULL && i < d->n_rows; i++)
        if (!isfinite(values[i]))
            return bd_fail(BD_EDATA, "'%s' is not a finite number in row %zu of those used", name, i + 1);
    return BD_OK;
}

static bool is_constant(const bd_mixed_design *d, const double *values)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; values != NULL && i < d->n_rows; i++)
        if (is_used(d, i)) {
            low = fmin(low, values[i]);
            high = fmax(high, values[i]);
        }
    return !(high > low);
}

static bd_status check_random(const bd_mixed_design *d)
{
    bool intercept = false;
    for (size_t j = 0; j < d->n_random; j++)
        intercept = intercept || d->random[j] == NULL;
    if (d->n_random > MIXED_MOST_RANDOM)
        return bd_fail(BD_EDATA, "%zu coefficients that vary by '%s' are more than can be told apart (%d)", d->n_random,
                       d->group_name, MIXED_MOST_RANDOM);
    for (size_t j = 0; j < d->n_random; j++) {
        BD_TRY(check_values(d, d->random[j], d->random_names[j]));
        if (intercept && d->random[j] != NULL && is_constant(d, d->random[j]))
            return bd_fail(BD_EDATA, "'%s' is the same in every row: it cannot have a slope that varies by '%s'",
                           d->random_names[j], d->group_name);
    }
    return BD_OK;
}

static bd_status check(const bd_mixed_design *d)
{
    BD_TRY(check_values(d, d->response, d->response_name));
    for (size_t i = 0; d->weights != NULL && i < d->n_rows; i++)
        if (!(d->weights[i] >= 0 && d->weights[i] < INFINITY))
            return bd_fail(BD_EDATA, "the weight in row %zu of those used is not a number of 0 or more", i + 1);
    for (size_t j = 0; j < d->n_columns; j++) {
        BD_TRY(check_values(d, d->columns[j], d->names[j]));
        if (d->has_intercept && j > 0 && is_constant(d, d->columns[j]))
            return bd_fail(BD_EDATA, "'%s' is the same in every row", d->names[j]);
    }
    if (is_constant(d, d->response))
        return bd_fail(BD_EDATA, "the outcome '%s' is the same in every row", d->response_name);
    return check_random(d);
}

/* Groups with a row that has a weight, and how many. */
static bd_status count_groups(bd_mixed_model *model, bd_arena *arena)
{
    const bd_mixed_design *d = model->design;
    size_t n_there = 0;
    BD_NEW(arena, model->rows, d->n_groups);
    for (size_t i = 0; i < d->n_rows; i++)
        if (is_used(d, i)) {
            model->rows[d->group[i]]++;
            model->n_used++;
            model->log_weights += d->weights != NULL ? log(d->weights[i]) : 0;
        }
    for (size_t g = 0; g < d->n_groups; g++)
        n_there += model->rows[g] > 0;
    if (n_there < 2)
        return bd_fail(BD_EDATA, "'%s' has only one group in the rows that are used; variances between groups need "
                                 "several",
                       d->group_name);
    if (n_there == model->n_used)
        return bd_fail(BD_EDATA, "every row is a group of '%s' of its own: what varies between groups cannot be told from "
                                 "what varies within",
                       d->group_name);
    if (model->n_used <= d->n_columns + 1)
        return bd_fail(BD_EDATA, "%zu rows are too few for %zu coefficients", model->n_used, d->n_columns);
    if (d->n_random * n_there >= model->n_used)
        return bd_fail(BD_EDATA, "%zu rows of %zu groups of '%s' are too few for %zu coefficients in each: residuals "
                                 "and what varies by group cannot be told apart",
                       model->n_used, n_there, d->group_name, d->n_random);
    return BD_OK;
}

/* Without variance within groups there is none of rows to compare that between groups with. */
static bd_status check_within(const bd_mixed_model *model, bd_arena *arena)
{
    const bd_mixed_design *d = model->design;
    const bd_mark scratch = bd_arena_mark(arena);
    double *first;
    bool *seen, varies = false;
    BD_NEW(arena, first, d->n_groups);
    BD_NEW(arena, seen, d->n_groups);
    for (size_t i = 0; i < d->n_rows && !varies; i++) {
        if (!is_used(d, i))
            continue;
        varies = seen[d->group[i]] && d->response[i] != first[d->group[i]];
        first[d->group[i]] = d->response[i];
        seen[d->group[i]] = true;
    }
    bd_arena_rewind(arena, scratch);
    if (varies)
        return BD_OK;
    return bd_fail(BD_EDATA, "the outcome '%s' is the same in all rows of each group of '%s': it does not vary within",
                   d->response_name, d->group_name);
}

/* Least squares: the rotation that makes columns orthonormal, and estimates to start from. */
static bd_status factor(bd_mixed_model *model, bd_arena *arena)
{
    const bd_mixed_design *d = model->design;
    const size_t p = model->p, q = p + 1;
    const double **values;
    double *triangle;
    BD_NEW(arena, model->rotation, p * p);
    BD_NEW(arena, model->ols, p);
    BD_NEW(arena, values, q);
    memcpy(values, d->columns, p * sizeof *values);
    values[p] = d->response;
    const bd_columns columns = {.n_rows = d->n_rows, .n_columns = q, .values = values, .weights = d->weights};
    BD_TRY(bd_triangle_of(&columns, 1, arena, &triangle));
    const size_t bad = bd_triangle_first_collinear(q, triangle, d->has_intercept, COLLINEAR);
    if (bad < p)
        return bd_fail(BD_ENUMERIC, "'%s' is a linear combination of the predictors before it; leave it out",
                       d->names[bad]);
    for (size_t i = 0; i < p; i++) {
        model->ols[i] = triangle[i * q + p];
        model->log_root += log(triangle[i * q + i]);
    }
    bd_triangle_solve(q, p, triangle, model->ols, model->ols);
    bd_triangle_invert(q, p, triangle, model->rotation);
    return BD_OK;
}

static bd_status scale_random(bd_mixed_model *model, bd_arena *arena)
{
    const bd_mixed_design *d = model->design;
    const size_t q = model->q;
    BD_NEW(arena, model->scale, q);
    BD_NEW(arena, model->random_moments, q * q);
    for (size_t j = 0; j < q; j++)
        for (size_t l = 0; l <= j; l++) {
            double sum = 0;
            for (size_t i = 0; i < d->n_rows; i++)
                sum += is_used(d, i) ? at(d->random[j], i) * at(d->random[l], i) : 0;
            model->random_moments[j * q + l] = model->random_moments[l * q + j] = sum / (double)model->n_used;
        }
    for (size_t j = 0; j < q; j++) {
        model->scale[j] = sqrt(model->random_moments[j * q + j]);
        if (!(model->scale[j] > 0))
            return bd_fail(BD_EDATA, "'%s' is 0 in every row: nothing of it can vary by '%s'", d->random_names[j],
                           d->group_name);
    }
    return BD_OK;
}

/* One row of (z / scale, x rotation, residual) times the root of its weight. */
static void make_row(const bd_mixed_model *model, size_t i, double *row)
{
    const bd_mixed_design *d = model->design;
    const size_t p = model->p, q = model->q;
    const double root = d->weights == NULL ? 1 : sqrt(d->weights[i]);
    double fitted = 0;
    for (size_t j = 0; j < q; j++)
        row[j] = root * at(d->random[j], i) / model->scale[j];
    for (size_t j = 0; j < p; j++) {
        double sum = 0;
        for (size_t l = 0; l <= j; l++)
            sum += at(d->columns[l], i) * model->rotation[l * p + j];
        row[q + j] = root * sum;
        fitted += at(d->columns[j], i) * model->ols[j];
    }
    row[q + p] = root * (d->response[i] - fitted);
}

static bd_status accumulate(bd_mixed_model *model, bd_arena *arena)
{
    const bd_mixed_design *d = model->design;
    const size_t m = model->m;
    double *row;
    BD_NEW(arena, model->products, d->n_groups * m * m);
    BD_NEW(arena, model->total, m * m);
    BD_NEW(arena, row, m);
    for (size_t i = 0; i < d->n_rows; i++) {
        double *products = model->products + d->group[i] * m * m;
        if (!is_used(d, i))
            continue;
        make_row(model, i, row);
        for (size_t a = 0; a < m; a++)
            for (size_t b = a; b < m; b++)
                products[a * m + b] += row[a] * row[b];
    }
    for (size_t g = 0; g < d->n_groups; g++)
        for (size_t a = 0; a < m * m; a++)
            model->total[a] += model->products[g * m * m + a];
    return BD_OK;
}

static bd_status list_entries(bd_mixed_model *model, bd_arena *arena)
{
    const size_t q = model->q;
    uint8_t *rows, *columns;
    BD_NEW(arena, rows, q * q);
    BD_NEW(arena, columns, q * q);
    for (size_t c = 0; c < q; c++)
        for (size_t r = c; r < q; r++)
            if (r == c || !model->design->uncorrelated) {
                rows[model->k] = (uint8_t)r;
                columns[model->k++] = (uint8_t)c;
            }
    model->entry_row = rows;
    model->entry_column = columns;
    return BD_OK;
}

bd_status bd_mixed_prepare(const bd_mixed_design *design, bd_arena *arena, const bd_mixed_model **out)
{
    bd_mixed_model *model;
    bd_mixed_design *kept;
    BD_NEW(arena, model, 1);
    BD_NEW(arena, kept, 1);
    *kept = *design;
    *model = (bd_mixed_model){.design = kept, .n_groups = design->n_groups, .p = design->n_columns, .q = design->n_random};
    model->m = model->q + model->p + 1;
    BD_TRY(check(kept));
    BD_TRY(count_groups(model, arena));
    BD_TRY(check_within(model, arena));
    BD_TRY(list_entries(model, arena));
    BD_TRY(factor(model, arena));
    BD_TRY(scale_random(model, arena));
    BD_TRY(accumulate(model, arena));
    *out = model;
    return BD_OK;
}
