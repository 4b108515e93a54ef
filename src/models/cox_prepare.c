/* The rows of a proportional-hazards model: checked, sorted, rotated. */
#include <float.h>
#include <string.h>

#include <bordin/core/triangle.h>

#include "models/cox_check.h"
#include "models/cox_internal.h"

static const double COLLINEAR = 1e-12; /* of a column's length about its mean, what the columns before it must leave */

/* Rows with a weight by stratum and descending stop. */
static bd_status order_rows(cox_model *model, bd_arena *arena)
{
    const bd_cox_design *design = model->design;
    uint32_t *order;
    size_t n = 0;
    BD_NEW(arena, order, design->n_rows);
    BD_TRY(cox_sort(design->n_rows, design->stop, design->strata, design->n_strata, arena, order));
    for (size_t k = 0; k < design->n_rows; k++)
        if (design->weights == NULL || design->weights[order[k]] > 0)
            order[n++] = order[k];
    model->row_of = order;
    model->rows.n = n;
    return BD_OK;
}

static bool same_stratum(const bd_cox_design *design, size_t a, size_t b)
{
    return design->strata == NULL || design->strata[a] == design->strata[b];
}

static bd_status find_groups(cox_model *model, bd_arena *arena)
{
    const bd_cox_design *design = model->design;
    cox_rows *rows = &model->rows;
    BD_NEW(arena, rows->group, rows->n + 1);
    BD_NEW(arena, rows->opens, rows->n);
    for (size_t k = 0; k < rows->n; k++) {
        const size_t row = model->row_of[k], before = k > 0 ? model->row_of[k - 1] : row;
        const bool opens = k == 0 || !same_stratum(design, row, before);
        if (!opens && design->stop[row] == design->stop[before])
            continue;
        rows->opens[rows->n_groups] = opens;
        rows->group[rows->n_groups++] = (uint32_t)k;
    }
    rows->group[rows->n_groups] = (uint32_t)rows->n;
    return BD_OK;
}

static bd_status copy_rows(cox_model *model, bd_arena *arena)
{
    const bd_cox_design *design = model->design;
    cox_rows *rows = &model->rows;
    double mean = 0, total = 0;
    BD_NEW(arena, rows->weights, rows->n);
    BD_NEW(arena, rows->event, rows->n);
    for (size_t k = 0; k < rows->n; k++) {
        rows->weights[k] = design->weights == NULL ? 1 : design->weights[model->row_of[k]];
        rows->event[k] = design->event[model->row_of[k]] == 1;
        model->n_events += rows->event[k];
    }
    for (size_t g = 0; g < rows->n_groups; g++) {
        size_t n_events = 0;
        for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++)
            n_events += rows->event[k];
        model->n_ties += n_events > 1 ? n_events : 0;
    }
    if (design->offset == NULL)
        return BD_OK;
    BD_NEW(arena, rows->offset, rows->n);
    for (size_t k = 0; k < rows->n; k++) {
        total += rows->weights[k];
        mean += (design->offset[model->row_of[k]] - mean) * rows->weights[k] / total;
    }
    for (size_t k = 0; k < rows->n; k++)
        rows->offset[k] = design->offset[model->row_of[k]] - mean;
    return BD_OK;
}

/* Rows by descending start, how many are gone at each group, and each row's entry. */
static bd_status find_starts(cox_model *model, bd_arena *arena)
{
    const bd_cox_design *design = model->design;
    cox_rows *rows = &model->rows;
    double *starts;
    uint32_t *strata = NULL;
    if (design->start == NULL)
        return BD_OK;
    BD_NEW(arena, rows->leaving, rows->n);
    BD_NEW(arena, rows->left, rows->n_groups);
    BD_NEW(arena, rows->entry, rows->n);
    BD_NEW(arena, starts, rows->n);
    if (design->strata != NULL)
        BD_NEW(arena, strata, rows->n);
    for (size_t k = 0; k < rows->n; k++) {
        starts[k] = design->start[model->row_of[k]];
        if (strata != NULL)
            strata[k] = design->strata[model->row_of[k]];
    }
    BD_TRY(cox_sort(rows->n, starts, strata, design->n_strata, arena, rows->leaving));
    for (size_t g = 0, gone = 0; g < rows->n_groups; g++) {
        const size_t first = model->row_of[rows->group[g]];
        const bool ends = g + 1 == rows->n_groups || rows->opens[g + 1];
        if (rows->opens[g])
            gone = rows->group[g]; /* strata hold as many rows in one order as in the other */
        while (gone < rows->n && same_stratum(design, model->row_of[rows->leaving[gone]], first) &&
               starts[rows->leaving[gone]] >= design->stop[first])
            rows->entry[rows->leaving[gone++]] = (uint32_t)g;
        rows->left[g] = (uint32_t)gone;
        for (size_t k = gone; ends && k < rows->group[g + 1]; k++)
            rows->entry[rows->leaving[k]] = (uint32_t)rows->n_groups;
    }
    return BD_OK;
}

static bd_status cut_blocks(cox_rows *rows, bd_arena *arena)
{
    BD_NEW(arena, rows->block, rows->n / COX_BLOCK_ROWS + 2);
    for (size_t g = 0; g < rows->n_groups; g++)
        if (rows->n_blocks == 0 ||
            rows->group[g] - rows->group[rows->block[rows->n_blocks - 1]] >= COX_BLOCK_ROWS)
            rows->block[rows->n_blocks++] = (uint32_t)g;
    rows->block[rows->n_blocks] = (uint32_t)rows->n_groups;
    return BD_OK;
}

/* Column j in the order of the sweep, about its weighted mean. */
static bd_status centre_column(cox_model *model, size_t j, double *column)
{
    const cox_rows *rows = &model->rows;
    const double *values = model->design->columns[j];
    double mean = 0, total = 0, largest = 0, raw = 0;
    for (size_t k = 0; k < rows->n; k++) {
        total += rows->weights[k];
        mean += (values[model->row_of[k]] - mean) * rows->weights[k] / total;
    }
    for (size_t k = 0; k < rows->n; k++) {
        column[k] = values[model->row_of[k]] - mean;
        largest = fmax(largest, fabs(column[k]));
        raw = fmax(raw, fabs(values[model->row_of[k]]));
    }
    if (largest <= 64 * DBL_EPSILON * raw)
        return bd_fail(BD_EDATA, "'%s' is the same in every row", model->design->names[j]);
    if (largest > 1e150 || largest < 1e-150)
        return bd_fail(BD_ENUMERIC, "the values of '%s' are too large or too small to be squared; rescale it",
                       model->design->names[j]);
    model->centre[j] = mean;
    return BD_OK;
}

/* rotation <- the inverse of the columns' triangle, times the root of the total weight: u has unit covariance. */
static bd_status find_rotation(cox_model *model, const double *const *columns, bd_arena *arena)
{
    const cox_rows *rows = &model->rows;
    const size_t p = rows->p, q = p + 1;
    const double **values;
    double *triangle, *inner;
    BD_NEW(arena, values, q);
    memcpy(values + 1, columns, p * sizeof *values);
    const bd_columns all = {.n_rows = rows->n, .n_columns = q, .values = values, .weights = rows->weights};
    BD_TRY(bd_triangle_of(&all, model->design->n_threads, arena, &triangle));
    const size_t bad = bd_triangle_first_collinear(q, triangle, true, COLLINEAR);
    if (bad < q)
        return cox_fail_collinear(model->design, triangle, bad, arena);
    BD_NEW(arena, inner, p * p);
    for (size_t i = 0; i < p; i++) {
        double square = 0;
        memcpy(inner + i * p, triangle + (i + 1) * q + 1, p * sizeof *inner);
        for (size_t k = 1; k <= i + 1; k++)
            square += triangle[k * q + i + 1] * triangle[k * q + i + 1];
        model->scale[i] = sqrt(square) / triangle[0];
    }
    bd_triangle_invert(p, p, inner, model->rotation);
    for (size_t k = 0; k < p * p; k++)
        model->rotation[k] *= triangle[0];
    return BD_OK;
}

static bd_status rotate_rows(cox_model *model, bd_arena *arena)
{
    cox_rows *rows = &model->rows;
    const size_t p = rows->p;
    double **columns;
    BD_NEW(arena, model->centre, p);
    BD_NEW(arena, model->rotation, p * p);
    BD_NEW(arena, model->scale, p);
    BD_NEW(arena, rows->u, rows->n * p);
    const bd_mark scratch = bd_arena_mark(arena);
    BD_NEW(arena, columns, p);
    for (size_t j = 0; j < p; j++) {
        BD_NEW(arena, columns[j], rows->n);
        BD_TRY(centre_column(model, j, columns[j]));
    }
    BD_TRY(find_rotation(model, (const double *const *)columns, arena));
#pragma omp parallel for num_threads(cox_threads(model->design)) schedule(static) if (rows->n > COX_BLOCK_ROWS)
    for (size_t k = 0; k < rows->n; k++)
        for (size_t j = 0; j < p; j++) {
            double sum = 0;
            for (size_t i = 0; i <= j; i++)
                sum += columns[i][k] * model->rotation[i * p + j];
            rows->u[k * p + j] = sum;
        }
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}

/* What leaves, in its order: sweeps then read in sequence. */
static bd_status copy_leaving(cox_rows *rows, bd_arena *arena)
{
    const size_t p = rows->p;
    if (rows->leaving == NULL)
        return BD_OK;
    BD_NEW(arena, rows->gone_u, rows->n * p);
    BD_NEW(arena, rows->gone_weights, rows->n);
    if (rows->offset != NULL)
        BD_NEW(arena, rows->gone_offset, rows->n);
    for (size_t k = 0; k < rows->n; k++) {
        const size_t row = rows->leaving[k];
        memcpy(rows->gone_u + k * p, rows->u + row * p, p * sizeof *rows->u);
        rows->gone_weights[k] = rows->weights[row];
        if (rows->offset != NULL)
            rows->gone_offset[k] = rows->offset[row];
    }
    return BD_OK;
}

bd_status cox_model_make(const bd_cox_design *design, bd_cox_ties ties, bd_arena *arena, cox_model **out)
{
    cox_model *model;
    BD_NEW(arena, model, 1);
    *model = (cox_model){.design = design, .ties = ties, .rows = {.p = design->n_columns,
                                                                  .n_threads = cox_threads(design)}};
    BD_TRY(cox_check(design, ties, arena));
    BD_TRY(order_rows(model, arena));
    BD_TRY(find_groups(model, arena));
    BD_TRY(copy_rows(model, arena));
    BD_TRY(find_starts(model, arena));
    BD_TRY(cut_blocks(&model->rows, arena));
    BD_TRY(rotate_rows(model, arena));
    BD_TRY(copy_leaving(&model->rows, arena));
    *out = model;
    return BD_OK;
}

void cox_rotate_back(const cox_model *model, const double *gamma, double *beta)
{
    const size_t p = model->rows.p;
    for (size_t i = 0; i < p; i++) {
        beta[i] = 0;
        for (size_t k = i; k < p; k++)
            beta[i] += model->rotation[i * p + k] * gamma[k];
    }
}

void cox_rotate_covariance(const cox_model *model, const double *inner, double *covariance)
{
    const size_t p = model->rows.p;
    double half[p]; /* a row of rotation * inner */
    for (size_t i = 0; i < p; i++) {
        for (size_t k = 0; k < p; k++) {
            half[k] = 0;
            for (size_t l = i; l < p; l++)
                half[k] += model->rotation[i * p + l] * inner[l * p + k];
        }
        for (size_t j = 0; j < p; j++) {
            covariance[i * p + j] = 0;
            for (size_t k = j; k < p; k++)
                covariance[i * p + j] += half[k] * model->rotation[j * p + k];
        }
    }
}
