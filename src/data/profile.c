/* Profiles: from names and values to rows in the columns, and the coding, of a frame. */
#include <bordin/data/profile.h>

#include <math.h>
#include <string.h>

#include "data/design.h"
#include "data/nearest.h"
#include "data/profile_internal.h"
#include "data/profile_text.h"

typedef struct work {
    const builder *b;
    const bd_frame *frame;
    const bd_profile_request *request;
    profile_variables variables;
    profile_slots slots;
    bd_profile *profiles;
    const char **notes;
    size_t n_notes, notes_room;
    bd_arena *arena;
    evaluation evaluation; /* on the table of profiles */
} work;

static void list_variables(work *w)
{
    const formula_terms *both[] = {&w->b->terms, &w->b->more[0].terms}; /* the latter empty without spec->extra */
    profile_variables *all = &w->variables;
    uint64_t masks = 0;
    for (size_t t = w->request->first_term; t < both[0]->n_terms; t++)
        masks |= both[0]->masks[t];
    for (size_t k = 0; k < 2; k++)
        for (size_t v = 0; v < both[k]->n_variables; v++) {
            all->trees[all->n] = both[k]->variables[v];
            all->names[all->n] = variable_name(both[k], v);
            all->used[all->n++] = k == 1 || (masks >> v & 1) != 0;
        }
}

static bd_status unknown_name(const work *w, const char *name)
{
    const char **names, *nearest = NULL;
    size_t n = 0;
    BD_NEW(w->arena, names, w->slots.n + w->request->n_others + 1);
    for (size_t k = 0; k < w->slots.n; k++)
        names[n++] = w->slots.items[k].name;
    for (size_t k = 0; k < w->request->n_others; k++)
        names[n++] = w->request->others[k];
    if (n == 0)
        return bd_fail(BD_EUSAGE, "'%s' is no predictor; the formula has none", name);
    BD_TRY(nearest_names(name, names, n, w->arena, &nearest));
    return bd_fail(BD_EUSAGE, "'%s' is no predictor of the formula; %s", name, nearest);
}

static bd_status assign(work *w, size_t i, const assignment *a, const char **others)
{
    slot *s = slot_of(&w->slots, a->name);
    bool known = s != NULL;
    for (size_t k = 0; k < w->request->n_others; k++)
        if (strcmp(w->request->others[k], a->name) == 0) {
            others[k] = a->value;
            known = true;
        }
    if (s != NULL)
        BD_TRY(slot_give(s, a->value, i, w->arena));
    return known ? BD_OK : unknown_name(w, a->name);
}

static bd_status note(work *w, const char *text)
{
    for (size_t k = 0; k < w->n_notes; k++)
        if (strcmp(w->notes[k], text) == 0)
            return BD_OK;
    BD_PUSH(w->arena, w->notes, w->n_notes, w->notes_room, text);
    return BD_OK;
}

static bd_status note_outside(work *w, size_t i)
{
    for (size_t k = 0; k < w->slots.n; k++) {
        const slot *s = &w->slots.items[k];
        const char *text = NULL;
        if (s->numbers == NULL || s->factor != NULL || !(s->numbers[i] < s->low || s->numbers[i] > s->high))
            continue;
        BD_TRY(bd_print(w->arena, &text, "%s=%.6g is outside the data, where %s goes from %.6g to %.6g.", s->name,
                        s->numbers[i], s->name, s->low, s->high));
        BD_TRY(note(w, text));
    }
    return BD_OK;
}

static bd_status read_profile(work *w, size_t i)
{
    const assignment *assignments = NULL;
    const char **others, *name = "";
    size_t n = 0;
    BD_TRY(profile_parse(w->request->texts[i], w->arena, &assignments, &n));
    BD_NEW(w->arena, others, w->request->n_others + 1);
    for (size_t k = 0; k < n; k++) {
        BD_TRY(assign(w, i, &assignments[k], others));
        BD_TRY(bd_print(w->arena, &name, "%s%s%s=%s", name, k > 0 ? ", " : "", assignments[k].name,
                        assignments[k].value));
    }
    w->profiles[i] = (bd_profile){.name = n > 0 ? name : PROFILE_OF_MEANS, .others = others};
    return note_outside(w, i);
}

/* What stands where some profile is silent. */
static bd_status note_held(work *w)
{
    const char *held = "";
    for (size_t k = 0; k < w->slots.n; k++) {
        const slot *s = &w->slots.items[k];
        const char *comma = *held != '\0' ? "; " : "";
        if (s->n_given == w->request->n)
            continue;
        if (s->factor != NULL)
            BD_TRY(
                bd_print(w->arena, &held, "%s%s%s is %s, the reference", held, comma, s->name, s->factor->levels[0]));
        else if (s->codes != NULL)
            BD_TRY(bd_print(w->arena, &held, "%s%s%s is as in the first row used", held, comma, s->name));
        else
            BD_TRY(bd_print(w->arena, &held, "%s%s%s is %.6g, its mean", held, comma, s->name, s->mean));
    }
    if (*held != '\0') {
        BD_TRY(bd_print(w->arena, &held, "Where a profile does not say: %s.", held));
        BD_TRY(note(w, held));
    }
    return BD_OK;
}

/* The profiles as rows of a table. */
static bd_status make_table(work *w)
{
    bd_table *table;
    bd_column *columns;
    BD_NEW(w->arena, table, 1);
    BD_NEW(w->arena, columns, w->slots.n + 1);
    *table = (bd_table){.source = "--profile", .n_rows = w->request->n, .columns = columns};
    for (size_t k = 0; k < w->slots.n; k++) {
        const slot *s = &w->slots.items[k];
        if (s->column == NULL)
            continue;
        bd_column *column = &columns[table->n_columns++];
        *column = *s->column;
        column->numbers = s->numbers;
        column->codes = s->codes;
    }
    w->evaluation = (evaluation){.table = table, .n_rows = table->n_rows, .source = &w->b->formula_source,
                                 .sample = (evaluation *)&w->b->evaluation, .arena = w->arena};
    return BD_OK;
}

static bd_status by_row(const work *w, const values *from, const double **out)
{
    double *numbers;
    BD_NEW(w->arena, numbers, w->request->n + 1);
    for (size_t i = 0; i < w->request->n; i++)
        numbers[i] = from->numbers[i * from->step];
    *out = numbers;
    return BD_OK;
}

/* Categories in the frame's coding. */
static bd_status code_rows(const work *w, const char *name, const values *from, design_variable *variable)
{
    const bd_factor *factor = factor_of(w->frame, name);
    uint32_t *codes;
    BD_NEW(w->arena, codes, w->request->n + 1);
    for (size_t i = 0; i < w->request->n; i++) {
        const char *level = from->codes[i] > 0 ? from->levels[from->codes[i] - 1] : "";
        for (size_t k = 0; k < factor->n_levels && codes[i] == 0; k++)
            codes[i] = strcmp(factor->levels[k], level) == 0 ? (uint32_t)k + 1 : 0;
        if (codes[i] == 0)
            return unknown_profile_level(name, level, factor->levels, factor->n_levels, w->arena);
    }
    variable->factor = factor;
    variable->levels = factor->levels;
    variable->n_levels = factor->n_levels;
    variable->codes = codes;
    return BD_OK;
}

static bd_status evaluate_variable(work *w, size_t v, const syntax_source *source, design_variable *variable)
{
    const char *name = w->variables.names[v];
    const slot *s = slot_of(&w->slots, name);
    values found = {0};
    *variable = (design_variable){.name = name};
    if (!w->variables.used[v])
        return BD_OK;
    w->evaluation.source = source;
    if (s != NULL && s->column == NULL)
        found = (values){.numbers = s->numbers, .step = 1};
    else
        BD_TRY(evaluate(&w->evaluation, w->variables.trees[v], &found));
    return w->b->parts[v].values.codes != NULL ? code_rows(w, name, &found, variable)
                                               : by_row(w, &found, &variable->numbers);
}

static bd_status make_design(work *w, const formula_terms *of, size_t first_term, size_t first, bd_frame *frame)
{
    const syntax_source *source = of == &w->b->terms ? &w->b->formula_source : &w->b->more[0].source;
    design_variable *variables;
    formula_terms terms = *of;
    terms.masks += first_term;
    terms.n_terms -= first_term;
    frame->n_rows = w->request->n;
    BD_NEW(w->arena, variables, terms.n_variables + 1);
    for (size_t v = 0; v < terms.n_variables; v++)
        BD_TRY(bd_while(evaluate_variable(w, first + v, source, &variables[v]), "--profile"));
    return design_build(&terms, variables, w->arena, frame);
}

static bd_status make_frame(work *w, bd_frame *frame)
{
    const builder *b = w->b;
    BD_TRY(make_table(w));
    BD_TRY(make_design(w, &b->terms, w->request->first_term, 0, frame));
    if (b->spec->extra != NULL) {
        bd_frame columns = {0};
        bd_extra *extra;
        BD_NEW(w->arena, extra, 1);
        BD_TRY(make_design(w, &b->more[0].terms, 0, b->more[0].first, &columns));
        *extra = (bd_extra){columns.has_intercept, columns.n_columns, columns.columns};
        frame->extra = extra;
    }
    if (b->offset != NULL) {
        values found = {0};
        w->evaluation.source = &b->offset_source;
        BD_TRY(bd_while(evaluate_numbers(&w->evaluation, b->offset, "an offset", &found), "--profile"));
        BD_TRY(by_row(w, &found, &frame->offset));
    }
    return BD_OK;
}

bd_status bd_profiles_build(const bd_table *table, const bd_frame_spec *spec, const bd_frame *frame,
                            const bd_profile_request *request, bd_arena *arena, const bd_profiles **out)
{
    builder *b = NULL;
    bd_profiles *profiles;
    bd_frame *made;
    work w = {.frame = frame, .request = request, .arena = arena};
    BD_NEW(arena, profiles, 1);
    BD_NEW(arena, made, 1);
    BD_NEW(arena, w.profiles, request->n + 1);
    BD_TRY(frame_begin(table, spec, arena, &b));
    w.b = b;
    list_variables(&w);
    BD_TRY(bd_while(slots_make(b, frame, &w.variables, request->n, &w.slots), "--profile"));
    for (size_t i = 0; i < request->n; i++)
        BD_TRY(bd_while(read_profile(&w, i), "--profile '%s'", request->texts[i]));
    BD_TRY(note_held(&w));
    BD_TRY(make_frame(&w, made));
    *profiles = (bd_profiles){request->n, w.profiles, made, w.notes, w.n_notes};
    *out = profiles;
    return BD_OK;
}
