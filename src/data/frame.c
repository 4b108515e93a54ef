/* Frames: from a table and a formula to a response, a design and groups on complete rows. */
#include <math.h>
#include <string.h>

#include "data/dependence.h"
#include "data/frame_internal.h"
#include "data/where.h"

/* A change score beside its first part is a model; a function of the outcome alone is not. */
static bd_status check_response(const builder *b, const formula_terms *terms)
{
    const char *name = b->terms.response ? only_name(b->terms.response) : NULL;
    for (size_t i = 0; name != NULL && i < terms->n_variables; i++)
        if (takes_name(terms->variables[i], name))
            return bd_fail(BD_EUSAGE, "the outcome '%s' is also in the predictor '%s'; leave it out", name,
                           terms->names[i]);
    return BD_OK;
}

/* "age + sex", or "~ age + sex". */
static bd_status parse_more(builder *b, const char *text, const char *option)
{
    more_terms *more = &b->more[b->n_more++];
    node *tree;
    if (text[strspn(text, " ")] != '~')
        BD_TRY(bd_print(b->arena, &text, "~ %s", text));
    more->source = (syntax_source){option, text};
    BD_TRY(syntax_parse(&more->source, b->arena, &tree));
    BD_TRY(terms_of(tree, &more->source, b->arena, &more->terms));
    if (more->terms.response != NULL)
        return syntax_error(&more->source, 0, "the outcome is the formula's; write the terms alone");
    return check_response(b, &more->terms);
}

static bd_status parse_extras(builder *b)
{
    const bd_frame_spec *spec = b->spec;
    BD_NEW(b->arena, b->more, 1 + spec->n_varying);
    if (spec->extra != NULL)
        BD_TRY(parse_more(b, spec->extra, spec->extra_option));
    b->n_extra = b->n_more;
    for (size_t k = 0; k < spec->n_varying; k++)
        BD_TRY(parse_more(b, spec->varying[k].terms, "the part in brackets"));
    return BD_OK;
}

/* "kept / offered", "cbind(kept, missed)": the response, and what it is counted of. */
static bd_status take_trials(builder *b)
{
    const node *response = b->terms.response;
    const bool share = response != NULL && syntax_is(response, "/");
    const bool pair = response != NULL && response->kind == NODE_CALL && strcmp(response->text, "cbind") == 0;
    if (!b->spec->counts || (!share && !pair))
        return BD_OK;
    if (b->trials != NULL)
        return bd_fail(BD_EUSAGE, "the outcome '%s' says what it is counted of; leave --trials out", b->spec->formula);
    if (response->n_children != 2)
        return syntax_error(&b->formula_source, response->at, "write cbind(kept, missed)");
    b->terms.response = response->children[0];
    b->trials = response->children[1];
    b->trials_source = b->formula_source;
    if (!pair)
        return BD_OK;
    BD_NEW(b->arena, b->trials, 1);
    *b->trials = (node){.kind = NODE_BINARY, .at = response->at, .text = "+", .children = response->children,
                        .n_children = 2};
    return BD_OK;
}

static bd_status parse(builder *b)
{
    b->formula_source = (syntax_source){"formula", b->spec->formula};
    b->where_source = (syntax_source){"--where", b->spec->where};
    BD_TRY(syntax_parse(&b->formula_source, b->arena, &b->formula));
    BD_TRY(terms_of(b->formula, &b->formula_source, b->arena, &b->terms));
    b->offset_source = (syntax_source){"--offset", b->spec->offset};
    b->trials_source = (syntax_source){"--trials", b->spec->trials};
    if (b->spec->offset != NULL)
        BD_TRY(syntax_parse(&b->offset_source, b->arena, &b->offset));
    if (b->spec->trials != NULL)
        BD_TRY(syntax_parse(&b->trials_source, b->arena, &b->trials));
    BD_TRY(take_trials(b));
    BD_TRY(check_response(b, &b->terms));
    BD_TRY(parse_extras(b));
    return b->spec->where ? syntax_parse(&b->where_source, b->arena, &b->where) : BD_OK;
}

bd_status bd_frame_wanted(const bd_frame_spec *spec, bd_arena *arena, const bd_wanted **wanted, size_t *n_wanted)
{
    wanted_list list = {0};
    builder b = {.spec = spec, .arena = arena};
    BD_TRY(parse(&b));
    if (b.terms.response != NULL)
        BD_TRY(add_wanted(b.terms.response, spec->categories ? BD_USE_ANY : BD_USE_NUMBERS, arena, &list));
    if (b.offset != NULL)
        BD_TRY(add_wanted(b.offset, BD_USE_NUMBERS, arena, &list));
    if (b.trials != NULL)
        BD_TRY(add_wanted(b.trials, BD_USE_NUMBERS, arena, &list));
    for (size_t i = 0; i < b.terms.n_variables; i++)
        BD_TRY(add_wanted(b.terms.variables[i], BD_USE_ANY, arena, &list));
    for (size_t k = 0; k < b.n_more; k++)
        for (size_t i = 0; i < b.more[k].terms.n_variables; i++)
            BD_TRY(add_wanted(b.more[k].terms.variables[i], BD_USE_ANY, arena, &list));
    for (size_t k = 0; k < spec->n_varying; k++)
        for (size_t i = 0; i < spec->varying[k].n_by; i++)
            BD_TRY(add_wanted_name(spec->varying[k].by[i], BD_USE_CATEGORIES, arena, &list));
    if (b.where != NULL)
        BD_TRY(add_wanted(b.where, BD_USE_NUMBERS, arena, &list));
    if (spec->weights != NULL)
        BD_TRY(add_wanted_name(spec->weights, BD_USE_NUMBERS, arena, &list));
    if (spec->cluster != NULL)
        BD_TRY(add_wanted_name(spec->cluster, BD_USE_CATEGORIES, arena, &list));
    if (spec->strata != NULL)
        BD_TRY(add_wanted_name(spec->strata, BD_USE_CATEGORIES, arena, &list));
    *wanted = list.items;
    *n_wanted = list.n;
    return BD_OK;
}

static const char zero_weight[] = "a weight of zero";

static bd_status add_part(builder *b, const node *tree, const char *name, const values **out)
{
    part *p = &b->parts[b->n_parts++];
    p->tree = tree;
    p->name = name;
    if (out != NULL)
        *out = &p->values;
    return BD_OK;
}

/* A column outside the formula, as if it had been written there. */
static bd_status add_column(builder *b, const char *name, bool categories, const values **out)
{
    node *tree;
    if (name == NULL)
        return BD_OK;
    BD_NEW(b->arena, tree, 1);
    *tree = (node){.kind = NODE_NAME, .text = name};
    BD_TRY(add_part(b, tree, name, out));
    values *column = &b->parts[b->n_parts - 1].values;
    return categories ? evaluate_categories(&b->evaluation, tree, column)
                      : evaluate_numbers(&b->evaluation, tree, "--weights", column);
}

static bd_status add_expression(builder *b, const node *tree, const syntax_source *source, const char *what,
                                const char **name, const values **out)
{
    if (tree == NULL)
        return BD_OK;
    values *numbers = &b->parts[b->n_parts].values;
    BD_TRY(syntax_print(tree, b->arena, name));
    BD_TRY(add_part(b, tree, *name, out));
    b->evaluation.source = source;
    BD_TRY(evaluate_numbers(&b->evaluation, tree, what, numbers));
    b->evaluation.source = &b->formula_source;
    return BD_OK;
}

static bd_status evaluate_variables(builder *b, const formula_terms *terms, const syntax_source *source)
{
    b->evaluation.source = source;
    for (size_t i = 0; i < terms->n_variables; i++) {
        values *predictor = &b->parts[b->n_parts].values;
        BD_TRY(add_part(b, terms->variables[i], terms->names[i], NULL));
        BD_TRY(evaluate(&b->evaluation, terms->variables[i], predictor));
    }
    b->evaluation.source = &b->formula_source;
    return BD_OK;
}

static bd_status evaluate_response(builder *b)
{
    const node *response = b->terms.response;
    const char *name = NULL;
    if (response == NULL)
        return BD_OK;
    values *outcome = &b->parts[b->n_parts].values;
    BD_TRY(syntax_print(response, b->arena, &name));
    BD_TRY(add_part(b, response, name, &b->response));
    BD_TRY(b->spec->categories ? evaluate_categories(&b->evaluation, response, outcome)
                               : evaluate_numbers(&b->evaluation, response, "the outcome", outcome));
    if (b->spec->categories && response->kind == NODE_CALL && strcmp(response->text, "factor") == 0) {
        response = response->children[0];
        BD_TRY(syntax_print(response, b->arena, &name));
    }
    b->frame->response_name = response->kind == NODE_NAME ? response->text : name;
    return BD_OK;
}

static bd_status evaluate_groups(builder *b)
{
    for (size_t k = 0, g = 0; k < b->spec->n_varying; k++)
        for (size_t i = 0; i < b->spec->varying[k].n_by; i++)
            BD_TRY(add_column(b, b->spec->varying[k].by[i], true, &b->groups[g++]));
    return BD_OK;
}

static bd_status make_room(builder *b)
{
    enum { OTHERS = 6 };
    size_t n = b->terms.n_variables + OTHERS, n_groups = 0;
    for (size_t k = 0; k < b->n_more; k++)
        n += b->more[k].terms.n_variables;
    for (size_t k = 0; k < b->spec->n_varying; k++)
        n_groups += b->spec->varying[k].n_by;
    BD_NEW(b->arena, b->parts, n + n_groups);
    BD_NEW(b->arena, b->groups, n_groups + 1);
    return BD_OK;
}

static bd_status evaluate_parts(builder *b)
{
    BD_TRY(make_room(b));
    BD_TRY(evaluate_variables(b, &b->terms, &b->formula_source));
    for (size_t k = 0; k < b->n_more; k++) {
        b->more[k].first = b->n_parts;
        BD_TRY(evaluate_variables(b, &b->more[k].terms, &b->more[k].source));
    }
    BD_TRY(evaluate_response(b));
    BD_TRY(add_expression(b, b->offset, &b->offset_source, "an offset", &b->frame->offset_name, &b->offset_values));
    BD_TRY(add_expression(b, b->trials, &b->trials_source, "trials", &b->frame->trials_name, &b->trials_values));
    BD_TRY(add_column(b, b->spec->weights, false, &b->weights));
    BD_TRY(add_column(b, b->spec->cluster, true, &b->cluster));
    BD_TRY(add_column(b, b->spec->strata, true, &b->strata));
    return evaluate_groups(b);
}

static bool missing(const values *v, size_t i)
{
    return v->codes != NULL ? v->codes[i] == 0 : v->numbers != NULL && isnan(v->numbers[i * v->step]);
}

/* The first column in `tree` that is missing in a row of the table; NULL when none is, so that the expression itself is. */
static const char *missing_column(const node *tree, const bd_table *table, size_t row)
{
    if (tree->kind == NODE_NAME) {
        const bd_column *column = bd_table_find(table, tree->text);
        const bool gone = column != NULL && (column->kind == BD_NUMBERS ? isnan(column->numbers[row]) : column->codes[row] == 0);
        return gone ? tree->text : NULL;
    }
    for (size_t i = 0; i < tree->n_children; i++) {
        const char *name = missing_column(tree->children[i], table, row);
        if (name != NULL)
            return name;
    }
    return NULL;
}

typedef struct drops {
    bd_drop *items;
    size_t *last_rows; /* in which each was counted, so that it counts once */
    size_t n, room, rows_room;
} drops;

static bd_status count_drop(builder *b, drops *list, const char *reason, size_t row)
{
    for (size_t k = 0; k < list->n; k++)
        if (strcmp(list->items[k].reason, reason) == 0) {
            list->items[k].n_rows += list->last_rows[k] != row;
            list->last_rows[k] = row;
            return BD_OK;
        }
    size_t n = list->n;
    const bd_drop drop = {reason, 1};
    BD_PUSH(b->arena, list->last_rows, n, list->rows_room, row);
    BD_PUSH(b->arena, list->items, list->n, list->room, drop);
    return BD_OK;
}

static bd_status check_weight(builder *b, size_t i)
{
    const double weight = b->weights->numbers[i];
    if (weight < 0)
        return bd_fail(BD_EDATA, "%s: weight %g in row %zu (the header not counted) is negative",
                       b->evaluation.table->source, weight, table_row(&b->evaluation, i) + 1);
    return BD_OK;
}

static bd_status keep_complete_rows(builder *b)
{
    drops list = {0};
    const size_t n = b->evaluation.n_rows;
    BD_NEW(b->arena, b->kept, n);
    for (size_t i = 0; i < n; i++) {
        bool complete = true;
        for (size_t k = 0; k < b->n_parts; k++) {
            const part *p = &b->parts[k];
            if (!missing(&p->values, i))
                continue;
            const char *column = missing_column(p->tree, b->evaluation.table, table_row(&b->evaluation, i));
            BD_TRY(count_drop(b, &list, column ? column : p->name, i));
            complete = false;
        }
        if (complete && b->weights != NULL) {
            BD_TRY(check_weight(b, i));
            if (b->weights->numbers[i] == 0) {
                BD_TRY(count_drop(b, &list, zero_weight, i));
                complete = false;
            }
        }
        if (complete)
            b->kept[b->n_kept++] = i;
    }
    b->frame->drops = list.items;
    b->frame->n_drops = list.n;
    b->frame->n_dropped = n - b->n_kept;
    b->frame->n_rows = b->n_kept;
    return BD_OK;
}

static bd_status no_rows(const builder *b)
{
    const char *reasons = "";
    for (size_t k = 0; k < b->frame->n_drops; k++)
        BD_TRY(bd_print(b->arena, &reasons, "%s%s%s %s %zu", reasons, k > 0 ? ", " : "", b->frame->drops[k].reason,
                        b->frame->drops[k].reason == zero_weight ? "in" : "is missing in", b->frame->drops[k].n_rows));
    return bd_fail(BD_EDATA, "%s: no row can be used; of %zu rows, %s", b->evaluation.table->source,
                   b->evaluation.n_rows, reasons);
}

bd_status frame_begin(const bd_table *table, const bd_frame_spec *spec, bd_arena *arena, builder **out)
{
    builder *b;
    BD_NEW(arena, b, 1);
    b->spec = spec;
    b->arena = arena;
    BD_NEW(arena, b->frame, 1);
    BD_TRY(parse(b));
    b->evaluation =
        (evaluation){.table = table, .n_rows = table->n_rows, .source = &b->formula_source, .arena = arena};
    if (b->where != NULL)
        BD_TRY(where_select(table, &b->where_source, b->where, arena, &b->evaluation.rows, &b->evaluation.n_rows));
    b->frame->formula = spec->formula;
    b->frame->n_read = table->n_rows;
    b->frame->n_excluded = table->n_rows - b->evaluation.n_rows;
    BD_TRY(evaluate_parts(b));
    BD_TRY(keep_complete_rows(b));
    *out = b;
    return b->n_kept == 0 ? no_rows(b) : BD_OK;
}

bd_status bd_frame_build(const bd_table *table, const bd_frame_spec *spec, bd_arena *arena, const bd_frame **frame)
{
    builder *b = NULL;
    BD_TRY(frame_begin(table, spec, arena, &b));
    BD_TRY(frame_finish(b));
    *frame = b->frame;
    return BD_OK;
}
