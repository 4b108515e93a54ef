/* Expressions on the rows of a table. */
#include "data/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_sort.h>

#include "data/functions.h"

static bd_status number_column(evaluation *e, const bd_column *column, values *out)
{
    *out = (values){.numbers = column->numbers, .step = 1};
    if (e->rows == NULL)
        return BD_OK;
    double *numbers;
    BD_NEW(e->arena, numbers, e->n_rows);
    for (size_t i = 0; i < e->n_rows; i++)
        numbers[i] = column->numbers[e->rows[i]];
    out->numbers = numbers;
    return BD_OK;
}

static bd_status category_column(evaluation *e, const bd_column *column, values *out)
{
    *out = (values){.codes = column->codes, .levels = column->levels, .n_levels = column->n_levels};
    if (e->rows == NULL)
        return BD_OK;
    uint32_t *codes;
    BD_NEW(e->arena, codes, e->n_rows);
    for (size_t i = 0; i < e->n_rows; i++)
        codes[i] = column->codes[e->rows[i]];
    out->codes = codes;
    return BD_OK;
}

static bd_status evaluate_name(evaluation *e, const node *name, values *out)
{
    const bd_column *column = NULL;
    if (strcmp(name->text, ".") == 0)
        return syntax_error(e->source, name->at, "'.' for all columns is not known here; name them");
    BD_TRY(bd_table_column(e->table, name->text, &column));
    return column->kind == BD_NUMBERS ? number_column(e, column, out) : category_column(e, column, out);
}

static bd_status literal(evaluation *e, double number, values *out)
{
    double *one;
    BD_NEW(e->arena, one, 1);
    *one = number;
    *out = (values){.numbers = one};
    return BD_OK;
}

/* A result that is infinite, or not a number though no part was missing. */
static bd_status not_finite(evaluation *e, const node *tree, size_t i)
{
    const char *text = NULL;
    BD_TRY(syntax_print(tree, e->arena, &text));
    if (e->sample != NULL)
        return bd_fail(BD_EDATA, "%s is not a finite number in profile %zu", text, i + 1);
    return bd_fail(BD_EDATA, "%s: %s is not a finite number in row %zu (the header not counted); leave such rows out with "
                             "--where, or transform otherwise",
                   e->table->source, text, table_row(e, i) + 1);
}

static bd_status apply_to_each(evaluation *e, const node *call, double (*of)(double), values *out)
{
    values x = {0};
    double *numbers;
    BD_TRY(evaluate_numbers(e, call->children[0], call->text, &x));
    BD_NEW(e->arena, numbers, e->n_rows);
    for (size_t i = 0; i < e->n_rows; i++) {
        const double value = x.numbers[i * x.step];
        numbers[i] = of(value);
        if (!isfinite(numbers[i]) && !isnan(value))
            return not_finite(e, call, i);
    }
    *out = (values){.numbers = numbers, .step = 1};
    return BD_OK;
}

static bd_status evaluate_call(evaluation *e, const node *call, values *out)
{
    const function *f = function_find(call->text);
    const char *names = NULL;
    if (f == NULL) {
        BD_TRY(function_names(e->arena, &names));
        return syntax_error(e->source, call->at, "there is no function %s; there are %s", call->text, names);
    }
    BD_TRY(function_check(f, call, e->source));
    return f->of != NULL ? apply_to_each(e, call, f->of, out) : f->apply(e, call, out);
}

static double add(double a, double b) { return a + b; }
static double subtract(double a, double b) { return a - b; }
static double multiply(double a, double b) { return a * b; }
static double divide(double a, double b) { return a / b; }
static double less(double a, double b) { return a < b; }
static double greater(double a, double b) { return a > b; }
static double at_most(double a, double b) { return a <= b; }
static double at_least(double a, double b) { return a >= b; }
static double equal(double a, double b) { return a == b; }
static double unequal(double a, double b) { return a != b; }

/* Three-valued: a missing part matters only when the other does not decide. */
static double both(double a, double b)
{
    return a == 0 || b == 0 ? 0 : isnan(a) || isnan(b) ? NAN : 1;
}

static double either(double a, double b)
{
    return (!isnan(a) && a != 0) || (!isnan(b) && b != 0) ? 1 : isnan(a) || isnan(b) ? NAN : 0;
}

static const struct {
    const char *name;
    double (*of)(double, double);
    bool three_valued, compares;
} binaries[] = {
    {"+", add, false, false},      {"-", subtract, false, false}, {"*", multiply, false, false},
    {"/", divide, false, false},   {"^", pow, false, false},      {"<", less, false, false},
    {">", greater, false, false},  {"<=", at_most, false, false}, {">=", at_least, false, false},
    {"==", equal, false, true},    {"!=", unequal, false, true},  {"&", both, true, false},
    {"|", either, true, false},
};

static bd_status unknown_level(evaluation *e, const node *tree, const values *x, const char *text)
{
    const char *name = NULL, *levels = "";
    BD_TRY(syntax_print(tree, e->arena, &name));
    for (size_t k = 0; k < x->n_levels && k < 10; k++)
        BD_TRY(bd_print(e->arena, &levels, "%s%s'%s'", levels, k > 0 ? ", " : "", x->levels[k]));
    return bd_fail(BD_EDATA, "%s: no row has %s '%s'; there are %s%s", e->table->source, name, text, levels,
                   x->n_levels > 10 ? ", ..." : "");
}

/* Categories with a text, or with each other, level by level. */
static bd_status compare_categories(evaluation *e, const node *tree, const values *a, const values *b, bool equals,
                                    values *out)
{
    uint32_t wanted = 0;
    double *numbers;
    BD_NEW(e->arena, numbers, e->n_rows);
    for (uint32_t k = 0; b->text != NULL && k < a->n_levels; k++)
        if (strcmp(a->levels[k], b->text) == 0)
            wanted = k + 1;
    if (b->text != NULL && wanted == 0)
        return unknown_level(e, tree, a, b->text);
    for (size_t i = 0; i < e->n_rows; i++) {
        if (a->codes[i] == 0 || (b->text == NULL && b->codes[i] == 0)) {
            numbers[i] = NAN;
            continue;
        }
        const bool same = b->text != NULL ? a->codes[i] == wanted
                                          : strcmp(a->levels[a->codes[i] - 1], b->levels[b->codes[i] - 1]) == 0;
        numbers[i] = same == equals;
    }
    *out = (values){.numbers = numbers, .step = 1};
    return BD_OK;
}

/* Equality where at least one side is not a number. */
static bd_status evaluate_equality(evaluation *e, const node *tree, values *out)
{
    const node *sides[2] = {tree->children[0], tree->children[1]};
    const bool equals = tree->text[0] == '=';
    if (sides[0]->kind == NODE_TEXT) {
        sides[0] = tree->children[1];
        sides[1] = tree->children[0];
    }
    values a = {0}, b = {0};
    BD_TRY(evaluate_categories(e, sides[0], &a));
    BD_TRY(sides[1]->kind == NODE_TEXT ? evaluate(e, sides[1], &b) : evaluate_categories(e, sides[1], &b));
    return compare_categories(e, sides[0], &a, &b, equals, out);
}

static bool is_text(const evaluation *e, const node *tree)
{
    const bd_column *column = tree->kind == NODE_NAME ? bd_table_find(e->table, tree->text) : NULL;
    return tree->kind == NODE_TEXT || (column != NULL && column->kind == BD_CATEGORIES) ||
           (tree->kind == NODE_CALL && strcmp(tree->text, "factor") == 0);
}

static bd_status combine(evaluation *e, const node *tree, double (*of)(double, double), bool three_valued,
                         values *out)
{
    values a = {0}, b = {0};
    double *numbers;
    BD_TRY(evaluate_numbers(e, tree->children[0], tree->text, &a));
    BD_TRY(evaluate_numbers(e, tree->children[1], tree->text, &b));
    if (a.step == 0 && b.step == 0)
        return literal(e, of(a.numbers[0], b.numbers[0]), out);
    BD_NEW(e->arena, numbers, e->n_rows);
    for (size_t i = 0; i < e->n_rows; i++) {
        const double left = a.numbers[i * a.step], right = b.numbers[i * b.step];
        const bool missing = isnan(left) || isnan(right);
        numbers[i] = missing && !three_valued ? NAN : of(left, right);
        if (!missing && !isfinite(numbers[i]))
            return not_finite(e, tree, i);
    }
    *out = (values){.numbers = numbers, .step = 1};
    return BD_OK;
}

static bd_status evaluate_binary(evaluation *e, const node *tree, values *out)
{
    for (size_t k = 0; k < sizeof binaries / sizeof *binaries; k++) {
        if (!syntax_is(tree, binaries[k].name))
            continue;
        if (binaries[k].compares && (is_text(e, tree->children[0]) || is_text(e, tree->children[1])))
            return evaluate_equality(e, tree, out);
        return combine(e, tree, binaries[k].of, binaries[k].three_valued, out);
    }
    return syntax_error(e->source, tree->at, "%s has no value here", tree->text);
}

static double negate(double x)
{
    return -x;
}

static double not(double x)
{
    return isnan(x) ? NAN : x == 0;
}

static double keep(double x)
{
    return x;
}

static bd_status evaluate_unary(evaluation *e, const node *tree, values *out)
{
    double (*of)(double) = tree->text[0] == '-' ? negate : tree->text[0] == '!' ? not : keep;
    if (tree->text[0] == '~')
        return syntax_error(e->source, tree->at, "~ has no value here");
    if (tree->children[0]->kind == NODE_NUMBER)
        return literal(e, of(tree->children[0]->number), out);
    return apply_to_each(e, tree, of, out);
}

bd_status evaluate(evaluation *e, const node *tree, values *out)
{
    switch (tree->kind) {
    case NODE_NUMBER:
        return literal(e, tree->number, out);
    case NODE_TEXT:
        *out = (values){.text = tree->text};
        return BD_OK;
    case NODE_NAME:
        return evaluate_name(e, tree, out);
    case NODE_CALL:
        return evaluate_call(e, tree, out);
    case NODE_UNARY:
        return evaluate_unary(e, tree, out);
    case NODE_BINARY:
        return evaluate_binary(e, tree, out);
    }
    return BD_OK;
}

bd_status evaluate_numbers(evaluation *e, const node *tree, const char *use, values *out)
{
    const char *name = NULL;
    BD_TRY(evaluate(e, tree, out));
    if (out->numbers != NULL)
        return BD_OK;
    BD_TRY(syntax_print(tree, e->arena, &name));
    if (out->text != NULL)
        return syntax_error(e->source, tree->at, "text where %s needs a number", use);
    return bd_fail(BD_EDATA, "%s: %s holds text such as '%s', and %s needs numbers", e->table->source, name,
                   out->n_levels > 0 ? out->levels[0] : "", use);
}

static bd_status level_text(double number, bd_arena *arena, const char **text)
{
    BD_TRY(bd_print(arena, text, "%.15g", number));
    return strtod(*text, NULL) == number ? BD_OK : bd_print(arena, text, "%.17g", number);
}

/* Distinct numbers, ascending; returns how many. */
static size_t distinct(double *sorted, size_t n)
{
    size_t n_levels = 0;
    gsl_sort(sorted, 1, n);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || sorted[i] != sorted[n_levels - 1])
            sorted[n_levels++] = sorted[i];
    return n_levels;
}

static uint32_t code_of(double number, const double *levels, size_t n)
{
    size_t low = 0, high = n;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (number < levels[middle])
            high = middle;
        else
            low = middle;
    }
    return (uint32_t)low + 1;
}

bd_status evaluate_categories(evaluation *e, const node *tree, values *out)
{
    values x = {0};
    BD_TRY(evaluate(e, tree, &x));
    *out = x;
    if (x.codes != NULL)
        return BD_OK;
    if (x.numbers == NULL || x.step == 0)
        return syntax_error(e->source, tree->at, "a column is needed here");
    double *sorted;
    uint32_t *codes;
    const char **levels;
    size_t n = 0;
    BD_NEW(e->arena, sorted, e->n_rows);
    BD_NEW(e->arena, codes, e->n_rows);
    for (size_t i = 0; i < e->n_rows; i++)
        if (!isnan(x.numbers[i]))
            sorted[n++] = x.numbers[i];
    n = distinct(sorted, n);
    BD_NEW(e->arena, levels, n);
    for (size_t k = 0; k < n; k++)
        BD_TRY(level_text(sorted[k], e->arena, &levels[k]));
    for (size_t i = 0; i < e->n_rows; i++)
        codes[i] = isnan(x.numbers[i]) ? 0 : code_of(x.numbers[i], sorted, n);
    *out = (values){.codes = codes, .levels = levels, .n_levels = n};
    return BD_OK;
}

bd_status add_wanted_name(const char *name, bd_use use, bd_arena *arena, wanted_list *list)
{
    static const int rank[] = {[BD_USE_CATEGORIES] = 0, [BD_USE_ANY] = 1, [BD_USE_NUMBERS] = 2};
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i].name, name) == 0) {
            if (rank[use] > rank[list->items[i].use])
                list->items[i].use = use;
            return BD_OK;
        }
    const bd_wanted wanted = {name, use};
    BD_PUSH(arena, list->items, list->n, list->room, wanted);
    return BD_OK;
}

static bd_status add_wanted_of_call(const node *call, bd_arena *arena, wanted_list *list)
{
    const function *f = function_find(call->text);
    for (size_t i = 0; i < call->n_children; i++)
        if (call->labels[i] == NULL)
            BD_TRY(add_wanted(call->children[i],
                              f != NULL && i < 2 && f->takes_categories[i] ? BD_USE_CATEGORIES : BD_USE_NUMBERS, arena,
                              list));
    return BD_OK;
}

/* What an operator makes of its operands: text is compared as text, two names as whatever they hold. */
static bd_use use_of_operands(const node *tree)
{
    if (!syntax_is(tree, "==") && !syntax_is(tree, "!="))
        return BD_USE_NUMBERS;
    const node_kind a = tree->children[0]->kind, b = tree->children[1]->kind;
    return a == NODE_TEXT || b == NODE_TEXT ? BD_USE_CATEGORIES
           : a == NODE_NAME && b == NODE_NAME ? BD_USE_ANY : BD_USE_NUMBERS;
}

bd_status add_wanted(const node *tree, bd_use use, bd_arena *arena, wanted_list *list)
{
    if (tree->kind == NODE_NAME)
        return add_wanted_name(tree->text, use, arena, list);
    if (tree->kind == NODE_CALL)
        return add_wanted_of_call(tree, arena, list);
    for (size_t i = 0; i < tree->n_children; i++)
        BD_TRY(add_wanted(tree->children[i], tree->kind == NODE_BINARY ? use_of_operands(tree) : BD_USE_NUMBERS, arena,
                          list));
    return BD_OK;
}
