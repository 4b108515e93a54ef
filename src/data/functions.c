/* The functions that formulas know: transformations of numbers, of clusters, of order. */
#include "data/functions.h"

#include <math.h>
#include <string.h>

static bd_status note(evaluation *e, const char *text)
{
    for (size_t i = 0; i < e->n_notes; i++)
        if (strcmp(e->notes[i], text) == 0)
            return BD_OK;
    BD_PUSH(e->arena, e->notes, e->n_notes, e->notes_room, text);
    return BD_OK;
}

static double itself(double x)
{
    return x;
}

/* Mean and standard deviation of what is there. */
static void moments(const values *x, size_t n, double *mean, double *sd, size_t *n_there)
{
    double sum = 0, squares = 0;
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(x->numbers[i * x->step])) {
            sum += x->numbers[i * x->step];
            count++;
        }
    *mean = count > 0 ? sum / (double)count : NAN;
    double rest = 0; /* what rounding left in the mean */
    for (size_t i = 0; i < n; i++)
        if (!isnan(x->numbers[i * x->step]))
            rest += x->numbers[i * x->step] - *mean;
    *mean += count > 0 ? rest / (double)count : 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(x->numbers[i * x->step])) {
            const double d = x->numbers[i * x->step] - *mean;
            squares += d * d;
        }
    *sd = sqrt(squares / (double)(count - 1));
    *n_there = count;
}

static bd_status shift_and_scale(evaluation *e, const node *call, bool scale, values *out)
{
    values x = {0}, sample = {0};
    evaluation *of = e->sample != NULL ? e->sample : e;
    double mean, sd, *numbers;
    size_t n;
    const char *name = NULL, *text = NULL;
    BD_TRY(evaluate_numbers(e, call->children[0], call->text, &x));
    BD_TRY(of == e ? BD_OK : evaluate_numbers(of, call->children[0], call->text, &sample));
    BD_TRY(syntax_print(call, e->arena, &name));
    moments(of == e ? &x : &sample, of->n_rows, &mean, &sd, &n);
    if (scale && !(n > 1 && sd > 0))
        return bd_fail(BD_EDATA, "%s: a constant cannot be divided by its standard deviation", name);
    if (!isfinite(sd) && n > 1)
        return bd_fail(BD_EDATA, "%s: the values are too large for their squares; divide them first", name);
    BD_NEW(e->arena, numbers, e->n_rows);
    for (size_t i = 0; i < e->n_rows; i++)
        numbers[i] = (x.numbers[i * x.step] - mean) / (scale ? sd : 1);
    if (scale)
        BD_TRY(bd_print(e->arena, &text, "%s: the mean %.6g subtracted, divided by the standard deviation %.6g (%zu values).",
                        name, mean, sd, n));
    else
        BD_TRY(bd_print(e->arena, &text, "%s: the mean %.6g of %zu values subtracted.", name, mean, n));
    *out = (values){.numbers = numbers, .step = 1};
    return note(e, text);
}

static bd_status center(evaluation *e, const node *call, values *out)
{
    return shift_and_scale(e, call, false, out);
}

static bd_status scale(evaluation *e, const node *call, values *out)
{
    return shift_and_scale(e, call, true, out);
}

/* Means of x by group: means[code], for codes from 1; NaN where nothing is there. */
static bd_status group_means(evaluation *e, const values *x, const values *groups, const double **out)
{
    double *means;
    size_t *counts;
    BD_NEW(e->arena, means, groups->n_levels + 1);
    BD_NEW(e->arena, counts, groups->n_levels + 1);
    for (size_t i = 0; i < e->n_rows; i++)
        if (!isnan(x->numbers[i * x->step]) && groups->codes[i] > 0) {
            means[groups->codes[i]] += x->numbers[i * x->step];
            counts[groups->codes[i]]++;
        }
    for (size_t g = 0; g <= groups->n_levels; g++)
        means[g] = counts[g] > 0 ? means[g] / (double)counts[g] : NAN;
    *out = means;
    return BD_OK;
}

static bd_status by_group(evaluation *e, const node *call, bool deviation, values *out)
{
    values x = {0}, groups = {0};
    const double *means = NULL;
    const char *name = NULL, *cluster = NULL, *text = NULL;
    double *numbers;
    size_t n_clusters = 0;
    BD_TRY(evaluate_numbers(e, call->children[0], call->text, &x));
    BD_TRY(evaluate_categories(e, call->children[1], &groups));
    BD_TRY(group_means(e, &x, &groups, &means));
    BD_NEW(e->arena, numbers, e->n_rows);
    for (size_t i = 0; i < e->n_rows; i++) {
        const double mean = means[groups.codes[i]];
        numbers[i] = deviation ? x.numbers[i * x.step] - mean : mean;
    }
    for (size_t g = 1; g <= groups.n_levels; g++)
        n_clusters += isnan(means[g]) ? 0 : 1;
    BD_TRY(syntax_print(call, e->arena, &name));
    BD_TRY(syntax_print(call->children[1], e->arena, &cluster));
    BD_TRY(bd_print(e->arena, &text, deviation ? "%s: deviations from the means of %zu clusters of %s."
                                               : "%s: the means of %zu clusters of %s.",
                    name, n_clusters, cluster));
    *out = (values){.numbers = numbers, .step = 1};
    return note(e, text);
}

static bd_status between(evaluation *e, const node *call, values *out)
{
    return by_group(e, call, false, out);
}

static bd_status within(evaluation *e, const node *call, values *out)
{
    return by_group(e, call, true, out);
}

static bd_status lag(evaluation *e, const node *call, values *out)
{
    values x = {0}, groups = {0};
    const char *name = NULL, *patient = NULL, *text = NULL;
    double *numbers, *last;
    bool *seen;
    size_t n_first = 0;
    BD_TRY(evaluate_numbers(e, call->children[0], call->text, &x));
    BD_TRY(evaluate_categories(e, call->children[1], &groups));
    BD_NEW(e->arena, numbers, e->n_rows);
    BD_NEW(e->arena, last, groups.n_levels + 1);
    BD_NEW(e->arena, seen, groups.n_levels + 1);
    for (size_t i = 0; i < e->n_rows; i++) {
        const uint32_t g = groups.codes[i];
        numbers[i] = g > 0 && seen[g] ? last[g] : NAN;
        n_first += g > 0 && !seen[g];
        last[g] = x.numbers[i * x.step];
        seen[g] = true;
    }
    BD_TRY(syntax_print(call, e->arena, &name));
    BD_TRY(syntax_print(call->children[1], e->arena, &patient));
    BD_TRY(bd_print(e->arena, &text, "%s: the value in the row before of the same %s, in the order of the file; "
                                     "%zu first rows have none.",
                    name, patient, n_first));
    *out = (values){.numbers = numbers, .step = 1};
    return note(e, text);
}

static bd_status factor(evaluation *e, const node *call, values *out)
{
    BD_TRY(evaluate_categories(e, call->children[0], out));
    if (call->n_children == 1)
        return BD_OK;
    const node *reference = call->children[1];
    if (reference->kind == NODE_NUMBER)
        BD_TRY(bd_print(e->arena, &out->reference, "%.15g", reference->number));
    else if (reference->kind == NODE_TEXT || reference->kind == NODE_NAME)
        out->reference = reference->text;
    else
        return syntax_error(e->source, reference->at, "ref takes a level: factor(x, ref = \"level\")");
    return BD_OK;
}

static bd_status is_na(evaluation *e, const node *call, values *out)
{
    values x = {0};
    double *numbers;
    BD_TRY(evaluate(e, call->children[0], &x));
    BD_NEW(e->arena, numbers, e->n_rows);
    for (size_t i = 0; i < e->n_rows; i++)
        numbers[i] = x.codes ? x.codes[i] == 0 : x.numbers ? isnan(x.numbers[i * x.step]) : 0;
    *out = (values){.numbers = numbers, .step = 1};
    return BD_OK;
}

static const function functions[] = {
    {.name = "I", .usage = "I(x^2)", .of = itself, .n_arguments = 1},
    {.name = "log", .usage = "log(x)", .of = log, .n_arguments = 1},
    {.name = "log2", .usage = "log2(x)", .of = log2, .n_arguments = 1},
    {.name = "log10", .usage = "log10(x)", .of = log10, .n_arguments = 1},
    {.name = "log1p", .usage = "log1p(x)", .of = log1p, .n_arguments = 1},
    {.name = "exp", .usage = "exp(x)", .of = exp, .n_arguments = 1},
    {.name = "sqrt", .usage = "sqrt(x)", .of = sqrt, .n_arguments = 1},
    {.name = "abs", .usage = "abs(x)", .of = fabs, .n_arguments = 1},
    {.name = "center", .usage = "center(x)", .apply = center, .n_arguments = 1},
    {.name = "scale", .usage = "scale(x)", .apply = scale, .n_arguments = 1},
    {.name = "between", .usage = "between(x, cluster)", .apply = between, .n_arguments = 2,
     .takes_categories = {false, true}, .of_other_rows = true},
    {.name = "within", .usage = "within(x, cluster)", .apply = within, .n_arguments = 2,
     .takes_categories = {false, true}, .of_other_rows = true},
    {.name = "lag", .usage = "lag(x, patient)", .apply = lag, .n_arguments = 2,
     .takes_categories = {false, true}, .of_other_rows = true},
    {.name = "factor", .usage = "factor(x) or factor(x, ref = \"level\")", .apply = factor, .n_arguments = 1,
     .takes_categories = {true}, .takes_reference = true},
    {.name = "is.na", .usage = "is.na(x)", .apply = is_na, .n_arguments = 1, .takes_categories = {true}},
};

const function *function_find(const char *name)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (strcmp(functions[i].name, name) == 0)
            return &functions[i];
    return NULL;
}

bd_status function_check(const function *f, const node *call, const syntax_source *source)
{
    size_t n_plain = 0;
    for (size_t i = 0; i < call->n_children; i++) {
        n_plain += call->labels[i] == NULL;
        if (call->labels[i] != NULL &&
            !(f->takes_reference && strcmp(call->labels[i], "ref") == 0 && i == f->n_arguments))
            return syntax_error(source, call->children[i]->at, "no such argument; write %s", f->usage);
    }
    if (n_plain != f->n_arguments)
        return syntax_error(source, call->at, "%s takes %zu argument%s: %s", f->name, f->n_arguments,
                            f->n_arguments == 1 ? "" : "s", f->usage);
    return BD_OK;
}

bd_status function_names(bd_arena *arena, const char **names)
{
    *names = functions[0].name;
    for (size_t i = 1; i < sizeof functions / sizeof *functions; i++)
        BD_TRY(bd_print(arena, names, "%s, %s", *names, functions[i].name));
    return BD_OK;
}
