/* From rows to cross-products by cluster: columns rotated, the response less what they explain, in one pass. */
#include <math.h>
#include <string.h>

#include <bordin/core/triangle.h>

#include "models/mixed_internal.h"

static const double COLLINEAR = 1e-12;

static double at(const double *column, size_t row)
{
    return column == NULL ? 1 : column[row];
}

/* Groups with a row that has a weight, and how many; the term with the most of them is eliminated first. */
static bd_status count_groups(bd_mixed_model *model, bd_arena *arena)
{
    const bd_mixed_design *d = model->design;
    for (size_t i = 0; i < d->n_rows; i++)
        if (mixed_is_used(d, i)) {
            model->n_used++;
            model->log_weights += d->weights != NULL ? log(d->weights[i]) : 0;
        }
    if (model->n_used <= d->n_columns + 1)
        return bd_fail(BD_EDATA, "%zu rows are too few for %zu coefficients", model->n_used, d->n_columns);
    for (size_t t = 0; t < model->n_terms; t++) {
        mixed_term *term = &model->terms[t];
        BD_NEW(arena, term->rows, term->given->n_groups);
        for (size_t i = 0; i < d->n_rows; i++)
            if (mixed_is_used(d, i))
                term->n_there += term->rows[term->given->group[i]]++ == 0;
        BD_TRY(mixed_check_groups(model, term));
        if (term->n_there * term->q > model->terms[model->first].n_there * model->terms[model->first].q)
            model->first = t;
    }
    return BD_OK;
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

static bd_status scale_random(const bd_mixed_model *model, mixed_term *term, bd_arena *arena)
{
    const bd_mixed_design *d = model->design;
    const bd_mixed_term *given = term->given;
    const size_t q = term->q;
    BD_NEW(arena, term->scale, q);
    BD_NEW(arena, term->moments, q * q);
    for (size_t j = 0; j < q; j++)
        for (size_t l = 0; l <= j; l++) {
            double sum = 0;
            for (size_t i = 0; i < d->n_rows; i++)
                sum += mixed_is_used(d, i) ? at(given->random[j], i) * at(given->random[l], i) : 0;
            term->moments[j * q + l] = term->moments[l * q + j] = sum / (double)model->n_used;
        }
    for (size_t j = 0; j < q; j++) {
        term->scale[j] = sqrt(term->moments[j * q + j]);
        if (!(term->scale[j] > 0))
            return bd_fail(BD_EDATA, "'%s' is 0 in every row: nothing of it can vary by '%s'", given->random_names[j],
                           given->group_name);
    }
    return BD_OK;
}

/* Lambda of a term whose level varies, by the analysis of variance of the residuals as if it were the only one. */
static bd_status find_start(const bd_mixed_model *model, mixed_term *term, bd_arena *arena)
{
    const bd_mixed_design *d = model->design;
    const bd_mark scratch = bd_arena_mark(arena);
    const double n_groups = (double)term->n_there, n = (double)model->n_used;
    double *sums, all = 0, between = 0;
    term->start = 0.5;
    if (term->q > 1 || term->given->random[0] != NULL || d->weights != NULL)
        return BD_OK;
    BD_NEW(arena, sums, term->given->n_groups);
    for (size_t i = 0; i < d->n_rows; i++) {
        double residual = d->response[i];
        if (!mixed_is_used(d, i))
            continue;
        for (size_t j = 0; j < model->p; j++)
            residual -= at(d->columns[j], i) * model->ols[j];
        sums[term->given->group[i]] += residual;
        all += residual * residual;
    }
    for (size_t g = 0; g < term->given->n_groups; g++)
        between += term->rows[g] > 0 ? sums[g] * sums[g] / term->rows[g] : 0;
    const double ratio = between / (n_groups - 1) / ((all - between) / (n - n_groups));
    term->start = sqrt(fmin(fmax((ratio - 1) / (n / n_groups), 0.04), 100));
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}

void mixed_make_random(const mixed_term *term, size_t i, double root, double *z)
{
    for (size_t j = 0; j < term->q; j++)
        z[j] = root * at(term->given->random[j], i) / term->scale[j];
}

void mixed_make_row(const bd_mixed_model *model, size_t i, double root, double *row)
{
    const bd_mixed_design *d = model->design;
    const size_t p = model->p, q = model->q;
    double fitted = 0;
    mixed_make_random(&model->terms[model->first], i, root, row);
    for (size_t j = 0; j < p; j++) {
        double sum = 0;
        for (size_t l = 0; l <= j; l++)
            sum += at(d->columns[l], i) * model->rotation[l * p + j];
        row[q + j] = root * sum;
        fitted += at(d->columns[j], i) * model->ols[j];
    }
    row[q + p] = root * (d->response[i] - fitted);
}

/* The row's part in what the terms that are not eliminated first have in common, with that one and with each other. */
static void add_rest(const bd_mixed_model *model, size_t i, const double *row, double root, double *rest_y)
{
    const size_t q = model->q, p = model->p;
    const uint32_t g = model->terms[model->first].given->group[i];
    const mixed_part *part = &model->parts[model->part_of[g]];
    double *products = model->rest_products + part->products, z[MIXED_MOST_TERMS][MIXED_MOST_RANDOM];
    for (size_t t = 0; t < model->n_terms; t++)
        mixed_make_random(&model->terms[t], i, root, z[t]);
    for (size_t t = 0; t < model->n_terms; t++) {
        if (t == model->first)
            continue;
        const size_t column = model->terms[t].column[model->terms[t].given->group[i]];
        size_t link = model->link_starts[g];
        while (model->link_columns[link] != column)
            link++;
        for (size_t a = 0; a < model->terms[t].q; a++) {
            double *own = products + (column + a) * (part->n + p);
            for (size_t j = 0; j < q; j++)
                model->links[(link + a) * q + j] += z[t][a] * row[j];
            for (size_t s = 0; s < model->n_terms; s++)
                for (size_t b = 0; s != model->first && b < model->terms[s].q; b++)
                    own[model->terms[s].column[model->terms[s].given->group[i]] + b] += z[t][a] * z[s][b];
            for (size_t j = 0; j < p; j++)
                own[part->n + j] += z[t][a] * row[q + j];
            rest_y[part->column + column + a] += z[t][a] * row[q + p];
        }
    }
}

static void add_row(const bd_mixed_model *model, const double *row, double *products, double *response)
{
    const size_t m = model->m;
    for (size_t a = 0; a < m; a++) {
        for (size_t b = a; b + 1 < m; b++)
            products[a * m + b] += row[a] * row[b];
        response[a] += row[a] * row[m - 1];
    }
}

static bd_status accumulate(bd_mixed_model *model, bd_arena *arena)
{
    const bd_mixed_design *d = model->design;
    const size_t m = model->m;
    double *row, *first, *rest, *total;
    BD_NEW(arena, model->products, model->n_groups * m * m);
    BD_NEW(arena, model->total, m * m);
    BD_NEW(arena, first, model->n_groups * m);
    BD_NEW(arena, rest, model->n_columns + 1);
    BD_NEW(arena, total, m);
    BD_NEW(arena, row, m);
    for (size_t i = 0; i < d->n_rows; i++) {
        const size_t g = model->terms[model->first].given->group[i];
        if (!mixed_is_used(d, i))
            continue;
        const double root = d->weights == NULL ? 1 : sqrt(d->weights[i]);
        mixed_make_row(model, i, root, row);
        add_row(model, row, model->products + g * m * m, first + g * m);
        if (model->n_terms > 1)
            add_rest(model, i, row, root, rest);
    }
    for (size_t g = 0; g < model->n_groups; g++) {
        for (size_t a = 0; a < m * m; a++)
            model->total[a] += model->products[g * m * m + a];
        for (size_t a = 0; a < m; a++)
            total[a] += first[g * m + a];
    }
    model->response = (mixed_response){first, rest, total};
    return BD_OK;
}

static bool correlate(const bd_mixed_term *term, size_t r, size_t c)
{
    return r == c || term->blocks == NULL || term->blocks[r] == term->blocks[c];
}

static bd_status list_entries(bd_mixed_model *model, bd_arena *arena)
{
    bd_mixed_entry *entries;
    for (size_t t = 0; t < model->n_terms; t++) {
        model->terms[t].lambda = model->n_lambda;
        model->n_lambda += model->terms[t].q * model->terms[t].q;
    }
    BD_NEW(arena, entries, model->n_lambda);
    BD_NEW(arena, model->diagonal, model->n_lambda);
    for (size_t t = 0; t < model->n_terms; t++)
        for (size_t c = 0; c < model->terms[t].q; c++)
            for (size_t r = c; r < model->terms[t].q; r++)
                if (correlate(model->terms[t].given, r, c)) {
                    model->diagonal[model->k] = r == c;
                    entries[model->k++] = (bd_mixed_entry){(uint8_t)t, (uint8_t)r, (uint8_t)c};
                }
    model->entries = entries;
    return BD_OK;
}

/* The terms' numbers in the arena: the caller's array of them may be gone before the model is. */
static bd_status new_model(const bd_mixed_design *design, bd_arena *arena, bd_mixed_model **out)
{
    bd_mixed_model *model;
    bd_mixed_design *kept;
    bd_mixed_term *terms;
    BD_NEW(arena, model, 1);
    BD_NEW(arena, kept, 1);
    BD_NEW(arena, terms, design->n_terms);
    BD_NEW(arena, model->terms, design->n_terms);
    memcpy(terms, design->terms, design->n_terms * sizeof *terms);
    *kept = *design;
    kept->terms = terms;
    model->design = kept;
    model->p = design->n_columns;
    model->n_terms = design->n_terms;
    for (size_t t = 0; t < model->n_terms; t++)
        model->terms[t] = (mixed_term){.given = &terms[t], .q = terms[t].n_random};
    *out = model;
    return BD_OK;
}

bd_status bd_mixed_prepare(const bd_mixed_design *design, bd_arena *arena, const bd_mixed_model **out)
{
    bd_mixed_model *model = NULL;
    BD_TRY(new_model(design, arena, &model));
    BD_TRY(mixed_check_columns(model->design));
    BD_TRY(count_groups(model, arena));
    BD_TRY(mixed_check_terms(model, arena));
    model->q = model->terms[model->first].q;
    model->m = model->q + model->p + 1;
    model->n_groups = model->terms[model->first].given->n_groups;
    BD_TRY(list_entries(model, arena));
    BD_TRY(factor(model, arena));
    for (size_t t = 0; t < model->n_terms; t++) {
        BD_TRY(scale_random(model, &model->terms[t], arena));
        BD_TRY(find_start(model, &model->terms[t], arena));
    }
    BD_TRY(mixed_lay_out(model, arena));
    BD_TRY(accumulate(model, arena));
    *out = model;
    return BD_OK;
}
