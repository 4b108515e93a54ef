/* Coding of categories and products of columns. */
#include "data/design.h"

#include <string.h>

/* One factor of a product: a number, or whether the variable has a level. */
typedef struct piece {
    const design_variable *variable;
    uint32_t code; /* of categories */
    const char *level;
} piece;

typedef struct design {
    const formula_terms *terms;
    const design_variable *variables;
    const bd_factor *factors_of[MOST_VARIABLES]; /* NULL for numbers */
    bd_design_column *columns;
    size_t n_columns, room;
    bd_arena *arena;
    bd_frame *frame;
} design;

static bd_status unknown_reference(const design_variable *v, const size_t *counts, bd_arena *arena)
{
    const char *levels = "";
    for (size_t k = 0, n = 0; k < v->n_levels && n < 10; k++)
        if (counts[k] > 0)
            BD_TRY(bd_print(arena, &levels, "%s%s'%s'", levels, n++ > 0 ? ", " : "", v->levels[k]));
    return bd_fail(BD_EDATA, "%s: no used row has the level '%s'; there are %s", v->name, v->reference, levels);
}

/* The levels that occur, the reference first. */
static bd_status make_factor(const design_variable *v, size_t n_rows, bd_arena *arena, bd_factor *factor)
{
    size_t *all, *counts, reference = SIZE_MAX;
    const char **levels;
    BD_NEW(arena, all, v->n_levels);
    BD_NEW(arena, counts, v->n_levels);
    BD_NEW(arena, levels, v->n_levels);
    for (size_t i = 0; i < n_rows; i++)
        all[v->codes[i] - 1]++;
    for (size_t k = 0; k < v->n_levels && reference == SIZE_MAX; k++)
        if (all[k] > 0 && (v->reference == NULL || strcmp(v->levels[k], v->reference) == 0))
            reference = k;
    if (reference == SIZE_MAX)
        return unknown_reference(v, all, arena);
    *factor = (bd_factor){.name = v->name, .levels = levels, .counts = counts};
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t k = 0; k < v->n_levels; k++)
            if (all[k] > 0 && (k == reference) == (pass == 0)) {
                levels[factor->n_levels] = v->levels[k];
                counts[factor->n_levels++] = all[k];
            }
    if (factor->n_levels < 2)
        return bd_fail(BD_EDATA, "%s is '%s' in every used row; a category needs two levels at least", v->name,
                       levels[0]);
    return BD_OK;
}

static bd_status make_factors(design *d)
{
    bd_factor *factors;
    BD_NEW(d->arena, factors, d->terms->n_variables + 1);
    for (size_t v = 0; v < d->terms->n_variables; v++)
        if (d->variables[v].codes != NULL) {
            bd_factor *factor = &factors[d->frame->n_factors];
            if (d->variables[v].factor != NULL)
                *factor = *d->variables[v].factor;
            else
                BD_TRY(make_factor(&d->variables[v], d->frame->n_rows, d->arena, factor));
            d->factors_of[v] = factor;
            d->frame->n_factors++;
        }
    d->frame->factors = factors;
    return BD_OK;
}

static bool only_categories(const design *d, uint64_t mask)
{
    for (size_t v = 0; v < d->terms->n_variables; v++)
        if (mask >> v & 1 && d->factors_of[v] == NULL)
            return false;
    return true;
}

/* Whether what `mask` multiplies is in the model without term number `term`: as a term, or, for the constant, as the
 * intercept or as the sum of all levels of an earlier term. */
static bool in_model(const design *d, uint64_t mask, size_t term)
{
    if (mask == 0 && d->terms->intercept)
        return true;
    for (size_t t = 0; t < (mask == 0 ? term : d->terms->n_terms); t++)
        if (mask == 0 ? only_categories(d, d->terms->masks[t]) : d->terms->masks[t] == mask)
            return true;
    return false;
}

static uint32_t code_of_level(const design_variable *v, const char *level)
{
    for (uint32_t k = 0; k < v->n_levels; k++)
        if (v->levels[k] == level)
            return k + 1;
    return 0;
}

static bd_status name_of(const piece *pieces, size_t n, bd_arena *arena, const char **name)
{
    *name = "";
    for (size_t k = 0; k < n; k++) {
        const char *variable = pieces[k].variable->name, *colon = k > 0 ? ":" : "";
        if (pieces[k].level != NULL)
            BD_TRY(bd_print(arena, name, "%s%s%s[%s]", *name, colon, variable, pieces[k].level));
        else
            BD_TRY(bd_print(arena, name, "%s%s%s", *name, colon, variable));
    }
    return BD_OK;
}

static bd_status values_of(const piece *pieces, size_t n, size_t n_rows, bd_arena *arena, const double **out)
{
    if (n == 1 && pieces[0].level == NULL) {
        *out = pieces[0].variable->numbers;
        return BD_OK;
    }
    double *product;
    BD_NEW(arena, product, n_rows);
    for (size_t i = 0; i < n_rows; i++)
        product[i] = 1;
    for (size_t k = 0; k < n; k++) {
        const design_variable *v = pieces[k].variable;
        for (size_t i = 0; i < n_rows; i++)
            product[i] *= v->codes != NULL ? (v->codes[i] == pieces[k].code ? 1 : 0) : v->numbers[i];
    }
    *out = product;
    return BD_OK;
}

static bd_status add_column(design *d, size_t term, const piece *pieces, size_t n)
{
    bd_design_column column = {.term = term};
    BD_TRY(name_of(pieces, n, d->arena, &column.name));
    BD_TRY(values_of(pieces, n, d->frame->n_rows, d->arena, &column.values));
    BD_PUSH(d->arena, d->columns, d->n_columns, d->room, column);
    return BD_OK;
}

/* Every combination of levels of the term's categories, the first variable's changing fastest. */
static bd_status add_term(design *d, size_t term)
{
    const uint64_t mask = d->terms->masks[term];
    piece pieces[MOST_VARIABLES];
    size_t first[MOST_VARIABLES], level[MOST_VARIABLES], which[MOST_VARIABLES], n = 0;
    for (size_t v = 0; v < d->terms->n_variables; v++)
        if (mask >> v & 1) {
            const bool against_reference = d->factors_of[v] != NULL && in_model(d, mask & ~((uint64_t)1 << v), term);
            which[n] = v;
            first[n] = level[n] = against_reference ? 1 : 0;
            pieces[n++] = (piece){.variable = &d->variables[v]};
        }
    for (;;) {
        for (size_t k = 0; k < n; k++)
            if (d->factors_of[which[k]] != NULL) {
                pieces[k].level = d->factors_of[which[k]]->levels[level[k]];
                pieces[k].code = code_of_level(pieces[k].variable, pieces[k].level);
            }
        BD_TRY(add_column(d, term, pieces, n));
        size_t k = 0;
        for (; k < n; k++) {
            const bd_factor *factor = d->factors_of[which[k]];
            if (factor != NULL && ++level[k] < factor->n_levels)
                break;
            level[k] = first[k];
        }
        if (k == n)
            return BD_OK;
    }
}

bd_status design_build(const formula_terms *terms, const design_variable *variables, bd_arena *arena, bd_frame *frame)
{
    design d = {.terms = terms, .variables = variables, .arena = arena, .frame = frame};
    const char **names;
    BD_NEW(arena, names, terms->n_terms + 1);
    BD_TRY(make_factors(&d));
    frame->has_intercept = terms->intercept;
    if (terms->intercept) {
        const bd_design_column intercept = {.name = "(Intercept)", .term = SIZE_MAX};
        BD_PUSH(arena, d.columns, d.n_columns, d.room, intercept);
    }
    for (size_t t = 0; t < terms->n_terms; t++) {
        BD_TRY(term_name(terms, terms->masks[t], arena, &names[t]));
        BD_TRY(add_term(&d, t));
    }
    frame->terms = names;
    frame->term_variables = terms->masks;
    frame->n_terms = terms->n_terms;
    frame->columns = d.columns;
    frame->n_columns = d.n_columns;
    return BD_OK;
}
