/* lme4's formula, taken apart: y ~ terms + (terms | group). */
#include <string.h>

#include <bordin/analyses/mixed.h>

#include "data/syntax.h"

typedef struct reading {
    const syntax_source *source;
    bd_arena *arena;
    const char *fixed;
    const node *bar;
} reading;

static bd_status refuse_bars(const reading *r, const node *tree)
{
    if (syntax_is(tree, "|"))
        return syntax_error(r->source, tree->at, "a part that varies by group stands in brackets, between + signs: "
                                                 "(1 + alliance | therapist)");
    for (size_t i = 0; i < tree->n_children; i++)
        BD_TRY(refuse_bars(r, tree->children[i]));
    return BD_OK;
}

static bd_status read_terms(reading *r, const node *tree, bool minus)
{
    const char *text = NULL;
    if (syntax_is(tree, "+") || syntax_is(tree, "-")) {
        BD_TRY(read_terms(r, tree->children[0], minus));
        return read_terms(r, tree->children[1], syntax_is(tree, "-"));
    }
    if (syntax_is(tree, "|") && !minus) {
        if (r->bar != NULL)
            return syntax_error(r->source, tree->at, "there can be one part that varies by group, not two; crossed and "
                                                     "nested groups are not known here");
        r->bar = tree;
        return BD_OK;
    }
    BD_TRY(refuse_bars(r, tree));
    BD_TRY(syntax_print(tree, r->arena, &text));
    return r->fixed == NULL ? bd_print(r->arena, &r->fixed, minus ? "1 - (%s)" : "%s", text)
                            : bd_print(r->arena, &r->fixed, minus ? "%s - (%s)" : "%s + %s", r->fixed, text);
}

bd_status bd_mixed_formula(const char *text, bd_arena *arena, bd_frame_spec *spec, bool *uncorrelated)
{
    const syntax_source source = {"formula", text};
    reading r = {.source = &source, .arena = arena};
    const char *response = NULL;
    node *tree = NULL;
    BD_TRY(syntax_parse(&source, arena, &tree));
    if (!syntax_is(tree, "~"))
        return syntax_error(&source, tree->at, "a formula reads outcome ~ terms + (terms | group)");
    BD_TRY(refuse_bars(&r, tree->children[0]));
    BD_TRY(syntax_print(tree->children[0], arena, &response));
    if (syntax_is(tree->children[1], "|") && strchr(text, '(') == NULL)
        BD_TRY(refuse_bars(&r, tree->children[1]));
    BD_TRY(read_terms(&r, tree->children[1], false));
    if (r.bar == NULL)
        return bd_fail(BD_EUSAGE, "the formula '%s' has no part that varies by group, such as (1 | therapist); without one, "
                                  "use regress",
                       text);
    const node *group = r.bar->children[1];
    BD_TRY(refuse_bars(&r, r.bar->children[0]));
    if (group->kind != NODE_NAME)
        return syntax_error(&source, group->at, "behind | stands the name of one column, such as therapist");
    BD_TRY(syntax_print(r.bar->children[0], arena, &spec->extra));
    BD_TRY(bd_print(arena, &spec->formula, "%s ~ %s", response, r.fixed == NULL ? "1" : r.fixed));
    spec->extra_option = "the part in brackets";
    spec->cluster = group->text;
    *uncorrelated = text[r.bar->at] == '|' && text[r.bar->at + 1] == '|';
    return BD_OK;
}
