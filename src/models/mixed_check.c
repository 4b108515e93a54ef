/* What a mixed model cannot be fitted to, named. */
#include <math.h>

#include "models/mixed_internal.h"

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
        if (mixed_is_used(d, i)) {
            low = fmin(low, values[i]);
            high = fmax(high, values[i]);
        }
    return !(high > low);
}

static bd_status check_random(const bd_mixed_design *d, const bd_mixed_term *term)
{
    bool intercept = false;
    for (size_t j = 0; j < term->n_random; j++)
        intercept = intercept || term->random[j] == NULL;
    if (term->n_random > MIXED_MOST_RANDOM)
        return bd_fail(BD_EDATA, "%zu coefficients that vary by '%s' are more than can be told apart (%d)",
                       term->n_random, term->group_name, MIXED_MOST_RANDOM);
    for (size_t j = 0; j < term->n_random; j++) {
        BD_TRY(check_values(d, term->random[j], term->random_names[j]));
        if (intercept && term->random[j] != NULL && is_constant(d, term->random[j]))
            return bd_fail(BD_EDATA, "'%s' is the same in every row: it cannot have a slope that varies by '%s'",
                           term->random_names[j], term->group_name);
    }
    return BD_OK;
}

bd_status mixed_check_columns(const bd_mixed_design *d)
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
    if (d->n_terms > MIXED_MOST_TERMS)
        return bd_fail(BD_EDATA, "%zu parts that vary by group are more than can be told apart (%d)", d->n_terms,
                       MIXED_MOST_TERMS);
    for (size_t t = 0; t < d->n_terms; t++)
        BD_TRY(check_random(d, &d->terms[t]));
    return BD_OK;
}

bd_status mixed_check_groups(const bd_mixed_model *model, const mixed_term *term)
{
    const char *name = term->given->group_name;
    if (term->n_there < 2)
        return bd_fail(BD_EDATA, "'%s' has only one group in the rows that are used; variances between groups need "
                                 "several",
                       name);
    if (term->n_there == model->n_used)
        return bd_fail(BD_EDATA, "every row is a group of '%s' of its own: what varies between groups cannot be told from "
                                 "what varies within",
                       name);
    if (term->q * term->n_there >= model->n_used)
        return bd_fail(BD_EDATA, "%zu rows of %zu groups of '%s' are too few for %zu coefficients in each: residuals "
                                 "and what varies by group cannot be told apart",
                       model->n_used, term->n_there, name, term->q);
    return BD_OK;
}

/* Without variance within groups there is none of rows to compare that between groups with. */
static bd_status check_within(const bd_mixed_model *model, const bd_mixed_term *term, bd_arena *arena)
{
    const bd_mixed_design *d = model->design;
    const bd_mark scratch = bd_arena_mark(arena);
    double *first;
    bool *seen, varies = false;
    BD_NEW(arena, first, term->n_groups);
    BD_NEW(arena, seen, term->n_groups);
    for (size_t i = 0; i < d->n_rows && !varies; i++) {
        if (!mixed_is_used(d, i))
            continue;
        varies = seen[term->group[i]] && d->response[i] != first[term->group[i]];
        first[term->group[i]] = d->response[i];
        seen[term->group[i]] = true;
    }
    bd_arena_rewind(arena, scratch);
    if (varies)
        return BD_OK;
    return bd_fail(BD_EDATA, "the outcome '%s' is the same in all rows of each group of '%s': it does not vary within",
                   d->response_name, term->group_name);
}

/* Each group of one is a group of the other. */
static bd_status check_alike(const bd_mixed_model *model, const mixed_term *a, const mixed_term *b, bd_arena *arena)
{
    const bd_mixed_design *d = model->design;
    const bd_mark scratch = bd_arena_mark(arena);
    uint32_t *partner;
    bool alike = a->n_there == b->n_there;
    BD_NEW(arena, partner, a->given->n_groups);
    for (size_t i = 0; i < d->n_rows && alike; i++) {
        uint32_t *of = &partner[a->given->group[i]];
        if (!mixed_is_used(d, i))
            continue;
        alike = *of == 0 || *of == b->given->group[i] + 1;
        *of = b->given->group[i] + 1;
    }
    bd_arena_rewind(arena, scratch);
    if (!alike)
        return BD_OK;
    return bd_fail(BD_EDATA, "'%s' and '%s' group the rows in the same way: what varies by the one cannot be told from "
                             "what varies by the other",
                   a->given->group_name, b->given->group_name);
}

bd_status mixed_check_terms(const bd_mixed_model *model, bd_arena *arena)
{
    for (size_t t = 0; t < model->n_terms; t++) {
        BD_TRY(check_within(model, model->terms[t].given, arena));
        for (size_t s = 0; s < t; s++)
            BD_TRY(check_alike(model, &model->terms[s], &model->terms[t], arena));
    }
    return BD_OK;
}
