/* A formula with Surv() on its left, taken apart. */
#include "analyses/survival_formula.h"

#include <string.h>

#include "data/syntax.h"

typedef struct reading {
    const syntax_source *source;
    bd_arena *arena;
    survival_formula *formula;
    size_t strata_room, plain_room;
} reading;

static bool is_call(const node *tree, const char *name)
{
    return tree->kind == NODE_CALL && strcmp(tree->text, name) == 0;
}

static const char *special(const node *tree)
{
    static const char *const names[] = {"strata", "cluster", "offset", "Surv", "frailty", "tt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is_call(tree, names[i]))
            return names[i];
    return NULL;
}

/* Those words mean something only between the + signs of the right-hand side. */
static bd_status refuse_within(const reading *r, const node *tree)
{
    if (special(tree) != NULL)
        return syntax_error(r->source, tree->at, "%s() stands by itself, %s", tree->text,
                            is_call(tree, "Surv") ? "on the left of ~"
                            : is_call(tree, "tt") ? "and is not known here"
                                                  : "between + signs");
    for (size_t i = 0; i < tree->n_children; i++)
        BD_TRY(refuse_within(r, tree->children[i]));
    return BD_OK;
}

static bd_status refuse_within_all(const reading *r, const node *call)
{
    for (size_t i = 0; i < call->n_children; i++) {
        if (call->labels[i] != NULL)
            return syntax_error(r->source, call->at, "%s() knows no argument '%s'", call->text, call->labels[i]);
        BD_TRY(refuse_within(r, call->children[i]));
    }
    return BD_OK;
}

static bd_status read_outcome(reading *r, const node *call)
{
    survival_formula *formula = r->formula;
    if (!is_call(call, "Surv") || call->n_children < 2 || call->n_children > 3)
        return syntax_error(r->source, call->at, "the left of ~ must be Surv(time, event) or Surv(start, stop, event)");
    BD_TRY(refuse_within_all(r, call));
    const size_t first = call->n_children - 2;
    if (first == 1)
        BD_TRY(syntax_print(call->children[0], r->arena, &formula->start));
    BD_TRY(syntax_print(call->children[first], r->arena, &formula->stop));
    return syntax_print(call->children[first + 1], r->arena, &formula->event);
}

static bd_status read_strata(reading *r, const node *call)
{
    survival_formula *formula = r->formula;
    if (call->n_children == 0)
        return syntax_error(r->source, call->at, "strata() names the columns of strata");
    BD_TRY(refuse_within_all(r, call));
    for (size_t i = 0; i < call->n_children; i++) {
        const char *text = NULL;
        const node *child = call->children[i];
        BD_TRY(syntax_print(child, r->arena, &text));
        BD_PUSH(r->arena, formula->strata, formula->n_strata, r->strata_room, text);
        formula->stratum = formula->n_strata == 1 && child->kind == NODE_NAME ? child->text : NULL;
    }
    return BD_OK;
}

static bd_status read_cluster(reading *r, const node *call)
{
    if (call->n_children != 1 || call->children[0]->kind != NODE_NAME)
        return syntax_error(r->source, call->at, "%s() takes the name of one column", call->text);
    if (r->formula->cluster != NULL)
        return syntax_error(r->source, call->at, "there can be one cluster() or frailty(), not two");
    r->formula->cluster = call->children[0]->text;
    if (is_call(call, "frailty"))
        r->formula->frailty = call->children[0]->text;
    return BD_OK;
}

static bd_status read_offset(reading *r, const node *call)
{
    const char *text = NULL;
    if (call->n_children != 1)
        return syntax_error(r->source, call->at, "offset() takes one expression");
    BD_TRY(refuse_within_all(r, call));
    BD_TRY(syntax_print(call->children[0], r->arena, &text));
    return r->formula->offset == NULL
               ? bd_print(r->arena, &r->formula->offset, "%s", text)
               : bd_print(r->arena, &r->formula->offset, "(%s) + (%s)", r->formula->offset, text);
}

/* What a frame would make of it, with its sign. */
static bd_status read_plain(reading *r, const node *tree, bool minus)
{
    const char *text = NULL;
    survival_formula *formula = r->formula;
    BD_TRY(refuse_within(r, tree));
    BD_TRY(syntax_print(tree, r->arena, &text));
    if (!minus)
        BD_PUSH(r->arena, formula->plain, formula->n_plain, r->plain_room, text);
    return formula->terms == NULL
               ? bd_print(r->arena, &formula->terms, minus ? "1 - (%s)" : "%s", text)
               : bd_print(r->arena, &formula->terms, minus ? "%s - (%s)" : "%s + %s", formula->terms, text);
}

static bd_status read_terms(reading *r, const node *tree)
{
    if (syntax_is(tree, "+") || syntax_is(tree, "-")) {
        BD_TRY(read_terms(r, tree->children[0]));
        return syntax_is(tree, "+") ? read_terms(r, tree->children[1]) : read_plain(r, tree->children[1], true);
    }
    return is_call(tree, "strata")    ? read_strata(r, tree)
           : is_call(tree, "cluster") || is_call(tree, "frailty") ? read_cluster(r, tree)
           : is_call(tree, "offset")  ? read_offset(r, tree)
                                      : read_plain(r, tree, false);
}

bd_status survival_formula_parse(const char *text, bd_arena *arena, survival_formula *formula)
{
    const syntax_source source = {"formula", text};
    reading r = {.source = &source, .arena = arena, .formula = formula};
    node *tree = NULL;
    *formula = (survival_formula){0};
    BD_TRY(syntax_parse(&source, arena, &tree));
    if (!syntax_is(tree, "~"))
        return syntax_error(&source, tree->at, "a formula reads Surv(time, event) ~ terms");
    BD_TRY(read_outcome(&r, tree->children[0]));
    BD_TRY(read_terms(&r, tree->children[1]));
    if (formula->terms == NULL)
        formula->terms = "1";
    return BD_OK;
}
