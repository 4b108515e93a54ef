/* The algebra of formulas: +, -, *, :, / and ^ on sets of terms (Wilkinson & Rogers, 1973, doi:10.2307/2346786). */
#include "data/terms.h"

#include <string.h>

typedef struct term_set {
    uint64_t *masks;
    size_t n, room;
} term_set;

typedef struct expansion {
    formula_terms *terms;
    const syntax_source *source;
    bd_arena *arena;
} expansion;

static bd_status add(expansion *x, term_set *set, uint64_t mask)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->masks[i] == mask)
            return BD_OK;
    BD_PUSH(x->arena, set->masks, set->n, set->room, mask);
    return BD_OK;
}

static bd_status add_all(expansion *x, term_set *set, const term_set *other)
{
    for (size_t i = 0; i < other->n; i++)
        BD_TRY(add(x, set, other->masks[i]));
    return BD_OK;
}

static bd_status cross(expansion *x, const term_set *a, const term_set *b, term_set *out)
{
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < b->n; j++)
            BD_TRY(add(x, out, a->masks[i] | b->masks[j]));
    return BD_OK;
}

static void remove_all(term_set *set, const term_set *other)
{
    for (size_t j = 0; j < other->n; j++)
        for (size_t i = 0; i < set->n; i++)
            if (set->masks[i] == other->masks[j]) {
                memmove(set->masks + i, set->masks + i + 1, (set->n - i - 1) * sizeof *set->masks);
                set->n--;
                break;
            }
}

/* A variable by its canonical text, new or known. */
static bd_status variable(expansion *x, const node *tree, term_set *out)
{
    formula_terms *t = x->terms;
    const char *name = NULL;
    size_t i = 0;
    if (tree->kind == NODE_TEXT)
        return syntax_error(x->source, tree->at, "text is not a predictor; names with spaces go in backquotes");
    if (tree->kind == NODE_NAME && strcmp(tree->text, ".") == 0)
        return syntax_error(x->source, tree->at, "'.' does not stand for all other columns here; name the predictors");
    BD_TRY(syntax_print(tree, x->arena, &name));
    while (i < t->n_variables && strcmp(t->names[i], name) != 0)
        i++;
    if (i == MOST_VARIABLES)
        return syntax_error(x->source, tree->at, "more than %d variables", MOST_VARIABLES);
    if (i == t->n_variables) {
        t->variables[i] = tree;
        t->names[t->n_variables++] = name;
    }
    return add(x, out, (uint64_t)1 << i);
}

static bd_status constant(expansion *x, const node *tree, bool added)
{
    if (tree->number != 0 && tree->number != 1)
        return syntax_error(x->source, tree->at, "only 1 and 0 (with or without intercept) are numbers of a formula; "
                                                 "arithmetic goes into I( )");
    x->terms->intercept = added == (tree->number == 1);
    return BD_OK;
}

static bd_status expand(expansion *x, const node *tree, term_set *out);

static bd_status expand_power(expansion *x, const node *tree, term_set *out)
{
    const node *exponent = tree->children[1];
    term_set base = {0};
    if (exponent->kind != NODE_NUMBER || exponent->number < 1 || exponent->number > 16 ||
        exponent->number != (int)exponent->number)
        return syntax_error(x->source, exponent->at, "a set of terms takes a whole power; squares go into I(x^2)");
    BD_TRY(expand(x, tree->children[0], &base));
    if (base.n == 1 && exponent->number > 1)
        return syntax_error(x->source, tree->at, "^ crosses terms; for the square of a variable write I(x^2)");
    BD_TRY(add_all(x, out, &base));
    for (int i = 1; i < exponent->number; i++) {
        term_set product = {0};
        BD_TRY(cross(x, out, &base, &product));
        BD_TRY(add_all(x, out, &product));
    }
    return BD_OK;
}

static bd_status expand_difference(expansion *x, const node *tree, term_set *out)
{
    term_set removed = {0};
    BD_TRY(expand(x, tree->children[0], out));
    if (tree->children[1]->kind == NODE_NUMBER)
        return constant(x, tree->children[1], false);
    const bool intercept = x->terms->intercept;
    BD_TRY(expand(x, tree->children[1], &removed));
    x->terms->intercept = intercept;
    remove_all(out, &removed);
    return BD_OK;
}

static bd_status expand_product(expansion *x, const node *tree, term_set *out)
{
    term_set a = {0}, b = {0}, product = {0};
    BD_TRY(expand(x, tree->children[0], &a));
    BD_TRY(expand(x, tree->children[1], &b));
    if (tree->text[0] == '/') { /* a/b: b within all of a */
        term_set all = {0};
        uint64_t mask = 0;
        for (size_t i = 0; i < a.n; i++)
            mask |= a.masks[i];
        BD_TRY(add(x, &all, mask));
        BD_TRY(add_all(x, out, &a));
        return cross(x, &all, &b, out);
    }
    if (tree->text[0] == '*') {
        BD_TRY(add_all(x, out, &a));
        BD_TRY(add_all(x, out, &b));
    }
    BD_TRY(cross(x, &a, &b, &product));
    return add_all(x, out, &product);
}

static bd_status expand_unary(expansion *x, const node *tree, term_set *out)
{
    const node *operand = tree->children[0];
    if (tree->text[0] == '-' && operand->kind == NODE_NUMBER)
        return constant(x, operand, false);
    if (tree->text[0] == '+')
        return expand(x, operand, out);
    if (tree->text[0] == '!')
        return variable(x, tree, out);
    return syntax_error(x->source, tree->at, "nothing to take away from; arithmetic goes into I( )");
}

static bd_status expand(expansion *x, const node *tree, term_set *out)
{
    if (tree->kind == NODE_NUMBER)
        return constant(x, tree, true);
    if (tree->kind == NODE_UNARY)
        return expand_unary(x, tree, out);
    if (tree->kind != NODE_BINARY)
        return variable(x, tree, out);
    switch (tree->text[0]) {
    case '+': {
        term_set right = {0};
        BD_TRY(expand(x, tree->children[0], out));
        BD_TRY(expand(x, tree->children[1], &right));
        return add_all(x, out, &right);
    }
    case '-':
        return expand_difference(x, tree, out);
    case '*':
    case '/':
    case ':':
        return expand_product(x, tree, out);
    case '^':
        return expand_power(x, tree, out);
    case '~':
        return syntax_error(x->source, tree->at, "a formula has one ~");
    default:
        return variable(x, tree, out); /* a comparison */
    }
}

static bd_status sort_by_degree(formula_terms *t, const term_set *set, bd_arena *arena)
{
    BD_NEW(arena, t->masks, set->n + 1);
    for (int degree = 1; degree <= MOST_VARIABLES; degree++)
        for (size_t i = 0; i < set->n; i++)
            if (__builtin_popcountll(set->masks[i]) == degree)
                t->masks[t->n_terms++] = set->masks[i];
    return BD_OK;
}

bd_status terms_of(const node *tree, const syntax_source *source, bd_arena *arena, formula_terms *out)
{
    expansion x = {.terms = out, .source = source, .arena = arena};
    term_set set = {0};
    const bool one_sided = tree->kind == NODE_UNARY && tree->text[0] == '~';
    *out = (formula_terms){.intercept = true};
    if (!one_sided && !syntax_is(tree, "~"))
        return syntax_error(source, strlen(source->text), "a formula needs a ~, as in outcome ~ alliance + baseline");
    if (!one_sided && syntax_is(tree->children[0], "~"))
        return syntax_error(source, tree->at, "a formula has one ~");
    if (!one_sided)
        out->response = tree->children[0];
    BD_TRY(expand(&x, tree->children[tree->n_children - 1], &set));
    return sort_by_degree(out, &set, arena);
}

bd_status term_name(const formula_terms *t, uint64_t mask, bd_arena *arena, const char **name)
{
    *name = "";
    for (size_t v = 0; v < t->n_variables; v++)
        if (mask >> v & 1)
            BD_TRY(bd_print(arena, name, "%s%s%s", *name, **name != '\0' ? ":" : "", t->names[v]));
    return BD_OK;
}
