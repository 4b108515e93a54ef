/* lme4's formula, taken apart: y ~ terms + (terms | group) + ... */
#include <string.h>

#include <bordin/analyses/mixed.h>

#include "data/syntax.h"

typedef struct reading {
    const syntax_source *source;
    bd_arena *arena;
    const char *fixed;
    bd_varying_spec *varying;
    size_t n, room;
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

static bd_status add_varying(reading *r, const char *terms, const char *const *by, size_t n_by)
{
    const bd_varying_spec spec = {terms, by, n_by};
    BD_PUSH(r->arena, r->varying, r->n, r->room, spec);
    return BD_OK;
}

/* Terms apart: each one's coefficients are independent of those of the others. */
static bd_status add_apart(reading *r, const node *terms, bool minus, const char *const *by, size_t n_by, bool *intercept)
{
    const char *text = NULL;
    if (syntax_is(terms, "+") || (syntax_is(terms, "-") && terms->n_children == 2)) {
        BD_TRY(add_apart(r, terms->children[0], minus, by, n_by, intercept));
        return add_apart(r, terms->children[1], syntax_is(terms, "-"), by, n_by, intercept);
    }
    BD_TRY(syntax_print(terms, r->arena, &text));
    if (strcmp(text, "1") == 0 || strcmp(text, "0") == 0) {
        *intercept = (text[0] == '1') != minus;
        return BD_OK;
    }
    if (minus)
        return syntax_error(r->source, terms->at, "before ||, terms are added; only the intercept can be taken away");
    BD_TRY(bd_print(r->arena, &text, "0 + %s", text));
    return add_varying(r, text, by, n_by);
}

static bd_status add_terms(reading *r, const node *bar, bool apart, const char *const *by, size_t n_by)
{
    const char *text = NULL;
    bool intercept = true;
    if (!apart) {
        BD_TRY(syntax_print(bar->children[0], r->arena, &text));
        return add_varying(r, text, by, n_by);
    }
    const size_t place = r->n;
    BD_TRY(add_varying(r, "1", by, n_by));
    BD_TRY(add_apart(r, bar->children[0], false, by, n_by, &intercept));
    if (!intercept)
        memmove(r->varying + place, r->varying + place + 1, (--r->n - place) * sizeof *r->varying);
    return BD_OK;
}

/* "a", or "a:b": names (room for as many as there are nodes), from `n` on. */
static bd_status name_groups(const reading *r, const node *tree, const char **names, size_t *n)
{
    if (syntax_is(tree, ":")) {
        BD_TRY(name_groups(r, tree->children[0], names, n));
        return name_groups(r, tree->children[1], names, n);
    }
    if (tree->kind != NODE_NAME)
        return syntax_error(r->source, tree->at, "behind | stands the name of a column, such as therapist; "
                                                 "therapist/patient for patients of therapists, a:b for combinations");
    names[(*n)++] = tree->text;
    return BD_OK;
}

/* Of a/b, groups of a and of a:b. */
static bd_status read_bar(reading *r, const node *bar, const node *groups, bool apart, const char **names, size_t *n)
{
    const bool nested = syntax_is(groups, "/");
    if (nested)
        BD_TRY(read_bar(r, bar, groups->children[0], apart, names, n));
    BD_TRY(name_groups(r, nested ? groups->children[1] : groups, names, n));
    return add_terms(r, bar, apart, names, *n);
}

static bd_status read_terms(reading *r, const node *tree, bool minus)
{
    const char *text = NULL;
    if (syntax_is(tree, "+") || syntax_is(tree, "-")) {
        BD_TRY(read_terms(r, tree->children[0], minus));
        return read_terms(r, tree->children[1], syntax_is(tree, "-"));
    }
    if (syntax_is(tree, "|") && !minus) {
        const char **names;
        size_t n = 0;
        BD_NEW(r->arena, names, strlen(r->source->text));
        BD_TRY(refuse_bars(r, tree->children[0]));
        return read_bar(r, tree, tree->children[1], r->source->text[tree->at + 1] == '|', names, &n);
    }
    BD_TRY(refuse_bars(r, tree));
    BD_TRY(syntax_print(tree, r->arena, &text));
    return r->fixed == NULL ? bd_print(r->arena, &r->fixed, minus ? "1 - (%s)" : "%s", text)
                            : bd_print(r->arena, &r->fixed, minus ? "%s - (%s)" : "%s + %s", r->fixed, text);
}

bd_status bd_mixed_formula(const char *text, bd_arena *arena, bd_frame_spec *spec)
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
    if (r.n == 0)
        return bd_fail(BD_EUSAGE, "the formula '%s' has no part that varies by group, such as (1 | therapist); without one, "
                                  "use regress",
                       text);
    BD_TRY(bd_print(arena, &spec->formula, "%s ~ %s", response, r.fixed == NULL ? "1" : r.fixed));
    spec->varying = r.varying;
    spec->n_varying = r.n;
    return BD_OK;
}
