/* What a profile can give a value to, and what stands there until it does. */
#include "data/profile_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/dependence.h"

const bd_factor *factor_of(const bd_frame *frame, const char *name)
{
    for (size_t k = 0; k < frame->n_factors; k++)
        if (strcmp(frame->factors[k].name, name) == 0)
            return &frame->factors[k];
    return NULL;
}

slot *slot_of(const profile_slots *slots, const char *name)
{
    for (size_t k = 0; k < slots->n; k++)
        if (strcmp(slots->items[k].name, name) == 0)
            return &slots->items[k];
    return NULL;
}

/* Mean, by weight, and range of what is there. `from_table`: by row of the table, otherwise by selected row. */
static void summarise(const builder *b, const double *numbers, size_t step, bool from_table, slot *s)
{
    double mean = 0, total = 0;
    s->low = INFINITY;
    s->high = -INFINITY;
    for (size_t i = 0; i < b->n_kept; i++) {
        const size_t selected = b->kept[i];
        const double x = numbers[step * (from_table ? table_row(&b->evaluation, selected) : selected)];
        const double weight = b->weights != NULL ? b->weights->numbers[selected] : 1;
        if (isnan(x))
            continue;
        total += weight; /* above 0: rows without weight are not kept */
        mean += weight / total * (x - mean);
        s->low = fmin(s->low, x);
        s->high = fmax(s->high, x);
    }
    s->mean = total > 0 ? mean : NAN;
}

static uint32_t code_of(const bd_column *column, const char *level)
{
    for (size_t k = 0; k < column->n_levels; k++)
        if (strcmp(column->levels[k], level) == 0)
            return (uint32_t)k + 1;
    return 0;
}

static bd_status add_slot(const builder *b, const slot *made, size_t n, profile_slots *slots)
{
    BD_PUSH(b->arena, slots->items, slots->n, slots->room, *made);
    slot *s = &slots->items[slots->n - 1];
    if (s->column == NULL || s->column->kind == BD_NUMBERS) {
        BD_NEW(b->arena, s->numbers, n + 1);
        for (size_t i = 0; i < n; i++)
            s->numbers[i] = s->factor != NULL ? strtod(s->factor->levels[0], NULL) : s->mean;
        return BD_OK;
    }
    BD_NEW(b->arena, s->codes, n + 1);
    uint32_t code = s->factor != NULL ? code_of(s->column, s->factor->levels[0]) : 0;
    for (size_t i = 0; code == 0 && i < b->n_kept; i++)
        code = s->column->codes[table_row(&b->evaluation, b->kept[i])];
    for (size_t i = 0; i < n; i++)
        s->codes[i] = code;
    return BD_OK;
}

/* The columns that a predictor takes, each once. */
static bd_status add_columns(const builder *b, const bd_frame *frame, const profile_variables *variables,
                             const node *tree, size_t n, profile_slots *slots)
{
    slot s = {.name = tree->text};
    for (size_t k = 0; k < tree->n_children; k++)
        if (tree->kind != NODE_CALL || tree->labels[k] == NULL)
            BD_TRY(add_columns(b, frame, variables, tree->children[k], n, slots));
    if (tree->kind != NODE_NAME || slot_of(slots, s.name) != NULL)
        return BD_OK;
    BD_TRY(bd_table_column(b->evaluation.table, s.name, &s.column));
    for (size_t v = 0; v < variables->n && s.factor == NULL; v++) {
        const char *only = variables->used[v] ? only_name(variables->trees[v]) : NULL;
        if (only != NULL && strcmp(only, s.name) == 0 && b->parts[v].values.codes != NULL)
            s.factor = factor_of(frame, variables->names[v]);
    }
    if (s.column->kind == BD_NUMBERS)
        summarise(b, s.column->numbers, 1, true, &s);
    return add_slot(b, &s, n, slots);
}

bd_status slots_make(const builder *b, const bd_frame *frame, const profile_variables *variables, size_t n,
                     profile_slots *slots)
{
    for (size_t v = 0; v < variables->n; v++) {
        const values *of = &b->parts[v].values;
        slot whole = {.name = variables->names[v]};
        if (!variables->used[v])
            continue;
        if (!takes_other_rows(variables->trees[v])) {
            BD_TRY(add_columns(b, frame, variables, variables->trees[v], n, slots));
            continue;
        }
        if (of->numbers == NULL)
            return bd_fail(BD_EUSAGE, "'%s' has categories that are made of other rows; no profile can be given",
                           whole.name);
        summarise(b, of->numbers, of->step, false, &whole);
        if (slot_of(slots, whole.name) == NULL)
            BD_TRY(add_slot(b, &whole, n, slots));
    }
    return b->offset != NULL ? add_columns(b, frame, variables, b->offset, n, slots) : BD_OK;
}

bd_status unknown_profile_level(const char *name, const char *value, const char *const *levels, size_t n_levels,
                                bd_arena *arena)
{
    enum { MOST_LISTED = 10 };
    const char *list = "";
    for (size_t k = 0; k < n_levels && k < MOST_LISTED; k++)
        BD_TRY(bd_print(arena, &list, "%s%s'%s'", list, k > 0 ? ", " : "", levels[k]));
    return bd_fail(BD_EDATA, "no used row has %s '%s'; there are %s%s", name, value, list,
                   n_levels > MOST_LISTED ? ", ..." : "");
}

bd_status slot_give(slot *s, const char *value, size_t i, bd_arena *arena)
{
    char *end;
    s->n_given++;
    if (s->codes != NULL) {
        s->codes[i] = code_of(s->column, value);
        return s->codes[i] > 0 ? BD_OK
                               : unknown_profile_level(s->name, value,
                                                       s->factor ? s->factor->levels : s->column->levels,
                                                       s->factor ? s->factor->n_levels : s->column->n_levels, arena);
    }
    s->numbers[i] = strtod(value, &end);
    if (*end != '\0' || !isfinite(s->numbers[i]))
        return bd_fail(BD_EUSAGE, "%s takes a number, not '%s'", s->name, value);
    return BD_OK;
}
