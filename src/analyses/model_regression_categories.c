/* Outcomes of categories, ordered or not. */
#include <math.h>
#include <string.h>

#include <bordin/models/multinomial.h>
#include <bordin/models/ordinal.h>

#include "model_regression_internal.h"
#include "models/ordinal_links.h"

enum { MOST_CATEGORIES = 100 };

static bd_status check_categories(const bd_model_regression *regression)
{
    const size_t n = regression->frame->outcome->groups.n_levels;
    if (n <= MOST_CATEGORIES)
        return BD_OK;
    return bd_fail(BD_EDATA,
                   "'%s' has %zu different values, which are more than the %d categories that can be compared",
                   regression->frame->response_name, n, MOST_CATEGORIES);
}

static bd_status check_ordinal(const bd_model_regression *regression)
{
    const bd_frame *frame = regression->frame;
    BD_TRY(check_categories(regression));
    if (!frame->has_intercept)
        return bd_fail(BD_EUSAGE, "ordinal regression has a threshold between each two categories in place of the "
                                  "constant; leave -1 out of the formula");
    if (frame->outcome->ordered)
        return BD_OK;
    return bd_fail(BD_EUSAGE,
                   "'%s' holds text such as '%s', which has no order; give it, from lowest to highest: --levels "
                   "\"none,mild,severe\"",
                   frame->response_name, frame->outcome->groups.levels[0]);
}

/* The tests of parallel slopes, term by term, and a warning where one slope hides several. */
static bd_status parallel_slopes(bd_model_regression *regression, const bd_ordinal_design *design, bd_arena *arena)
{
    const bd_frame *frame = regression->frame;
    const bd_ordinal_parallel *tests;
    size_t *terms, n;
    if (design->n_categories < 3 || design->n_columns == 0)
        return BD_OK;
    BD_NEW(arena, terms, design->n_columns);
    for (size_t j = 0; j < design->n_columns; j++)
        terms[j] = frame->columns[j + 1].term;
    BD_TRY(bd_ordinal_test(design, regression->options.link, terms, arena, &tests, &n));
    BD_NEW(arena, regression->tests, n);
    bool failed = false;
    for (size_t k = 0; k < n; k++) {
        regression->tests[k] =
            (bd_model_test){.term = tests[k].name == NULL ? NULL : frame->terms[terms[tests[k].first]],
                            .statistic = tests[k].statistic,
                            .df = tests[k].df,
                            .p = tests[k].p};
        failed = failed || isnan(tests[k].statistic);
    }
    regression->n_tests = n;
    regression->tests_id = "parallel_slopes";
    regression->tests_title = "Parallel slopes";
    BD_TRY(
        model_say(regression, arena, BD_NOTE,
                  "Parallel slopes: likelihood-ratio tests of one slope against a slope of its own at each threshold, "
                  "for one term and for all%s.",
                  failed ? "; empty where that model has no finite estimates" : ""));
    const bd_model_test *all = &regression->tests[n - 1];
    if (!(all->p < 0.05))
        return BD_OK;
    return model_say(
        regression, arena, BD_WARNING,
        "Slopes differ between the thresholds, chi-squared(%.0f) = %.2f: one estimate for all of them is an "
        "average. Family multinomial does without it.",
        all->df, all->statistic);
}

static bd_status ordinal_notes(bd_model_regression *regression, bd_arena *arena)
{
    const bd_groups *groups = &regression->frame->outcome->groups;
    const char *levels = "";
    for (size_t k = 0; k < groups->n_levels && k < 12; k++)
        BD_TRY(bd_print(arena, &levels, "%s%s%s (%zu)", levels, k > 0 ? " < " : "", groups->levels[k],
                        regression->frame->outcome->counts[k]));
    BD_TRY(model_say(regression, arena, BD_NOTE, "Categories of %s: %s%s.", groups->name, levels,
                     groups->n_levels > 12 ? " < ..." : ""));
    return model_say(regression, arena, BD_NOTE,
                     "%s(P(category or lower)) = threshold - slopes: a positive slope goes with higher categories.",
                     regression->options.link);
}

static bd_status thresholds(bd_model_regression *regression, const bd_ordinal *fit, bd_arena *arena)
{
    const bd_groups *groups = &regression->frame->outcome->groups;
    bd_model_row *rows;
    BD_TRY(model_equation(regression, "thresholds", "Thresholds", NULL, fit->n_thresholds, arena, &rows));
    for (size_t k = 0; k < fit->n_thresholds; k++) {
        const char *name;
        BD_TRY(bd_print(arena, &name, "%s|%s", groups->levels[k], groups->levels[k + 1]));
        rows[k] = model_row(NULL, name, &fit->thresholds[k]);
    }
    return BD_OK;
}

/* What predictions of categories need. */
typedef struct category_index {
    const ordinal_link *link;
    size_t n, reference;
} category_index;

static bd_status index_of(bd_model_regression *regression, bd_arena *arena,
                          void (*of)(const void *, const bd_frame *, size_t, const double *, double *))
{
    const bd_outcome *outcome = regression->frame->outcome;
    category_index *context;
    BD_NEW(arena, context, 1);
    *context = (category_index){.n = outcome->groups.n_levels, .reference = outcome->reference};
    if (regression->options.link != NULL)
        BD_TRY(bd_ordinal_link_find(regression->options.link, &context->link));
    regression->index = (bd_index){.n_values = context->n,
                                   .categories = outcome->groups.levels,
                                   .link = &bd_logit,
                                   .heading = "Probability",
                                   .of = of,
                                   .context = context};
    return BD_OK;
}

/* The logits of P(low < threshold <= high), from slopes and then thresholds. */
static void ordinal_index(const void *context, const bd_frame *profiles, size_t row, const double *parameters,
                          double *index)
{
    const category_index *c = context;
    const double *at = parameters + profiles->n_columns - 1;
    double sum = bd_index_sum(profiles->columns + 1, profiles->n_columns - 1, row, parameters);
    if (profiles->offset != NULL)
        sum += profiles->offset[row];
    for (size_t k = 0; k < c->n; k++) {
        const double low = k == 0 ? -INFINITY : at[k - 1] - sum, high = k + 1 == c->n ? INFINITY : at[k] - sum;
        index[k] = log(c->link->between(low, high) /
                       ((k == 0 ? 0 : c->link->between(-INFINITY, low)) +
                        (k + 1 == c->n ? 0 : c->link->between(high, INFINITY))));
    }
}

bd_status model_ordinal(bd_model_regression *regression, bd_arena *arena)
{
    const bd_frame *frame = regression->frame;
    const bd_likelihood_options fitting = model_likelihood_options(regression);
    const bd_ordinal *fit;
    bd_predictor slopes, *predictors;
    BD_TRY(check_ordinal(regression));
    const bd_groups *groups = &frame->outcome->groups;
    BD_TRY(model_predictor(frame->columns + 1, frame->n_columns - 1, false, arena, &slopes));
    const bd_ordinal_design design = {.n_rows = frame->n_rows,
                                      .n_columns = slopes.n_columns,
                                      .columns = slopes.columns,
                                      .names = slopes.names,
                                      .category = groups->codes,
                                      .n_categories = groups->n_levels,
                                      .levels = groups->levels,
                                      .response_name = frame->response_name,
                                      .offset = frame->offset,
                                      .weights = regression->weights,
                                      .cluster = frame->cluster ? frame->cluster->codes : NULL,
                                      .n_clusters = frame->cluster ? frame->cluster->n_levels : 0,
                                      .n_threads = regression->options.n_threads};
    BD_TRY(bd_ordinal_fit(&design, regression->options.link, regression->se, &fitting, arena, &fit));
    BD_NEW(arena, predictors, fit->fit->n_predictors); /* thresholds have no columns */
    predictors[0] = slopes;
    BD_TRY(model_check_end(regression, fit->fit, predictors));
    const bool odds = strcmp(regression->options.link, "logit") == 0;
    BD_TRY(model_likelihood_equation(regression, "coefficients", "Coefficients", odds ? "Odds ratio" : NULL, &slopes,
                                     fit->slopes, arena));
    BD_TRY(thresholds(regression, fit, arena));
    model_likelihood_facts(regression, fit->fit, fit->null_log_likelihood, fit->whole_df);
    model_fact(regression, "mcfadden", "McFadden's R2", BD_STATISTIC, fit->mcfadden);
    model_fact(regression, "iterations", "Iterations", BD_COUNT, (double)fit->fit->n_iterations);
    model_likelihood_replicates(regression, fit->likelihood, fit->fit);
    BD_TRY(index_of(regression, arena, ordinal_index));
    BD_TRY(ordinal_notes(regression, arena));
    return parallel_slopes(regression, &design, arena);
}

/* Wald tests of each term in all contrasts. */
static bd_status multinomial_tests(bd_model_regression *regression, const bd_multinomial *fit, bd_arena *arena)
{
    const bd_frame *frame = regression->frame;
    if (frame->n_terms == 0)
        return BD_OK;
    BD_NEW(arena, regression->tests, frame->n_terms);
    for (size_t j = 0, next; j < frame->n_columns; j = next) {
        bd_multinomial_wald wald;
        const size_t term = frame->columns[j].term;
        next = j + 1;
        while (next < frame->n_columns && frame->columns[next].term == term)
            next++;
        if (term == SIZE_MAX)
            continue;
        BD_TRY(bd_multinomial_test(fit, j, next - j, arena, &wald));
        regression->tests[regression->n_tests++] =
            (bd_model_test){.term = frame->terms[term], .statistic = wald.statistic, .df = wald.df, .p = wald.p};
    }
    regression->tests_id = "terms";
    regression->tests_title = "Terms, in all categories";
    return model_say(regression, arena, BD_NOTE, "Terms: Wald's chi-squared, from the same errors.");
}

static bd_status multinomial_rows(bd_model_regression *regression, const bd_multinomial *fit, bd_arena *arena)
{
    const bd_frame *frame = regression->frame;
    const size_t p = frame->n_columns;
    bd_model_row *rows;
    BD_TRY(
        model_equation(regression, "coefficients", "Coefficients", "Odds ratio", fit->n_contrasts * p, arena, &rows));
    for (size_t k = 0; k < fit->n_contrasts; k++)
        for (size_t j = 0; j < p; j++)
            rows[k * p + j] = model_row(frame->outcome->groups.levels[fit->categories[k]], frame->columns[j].name,
                                        &fit->coefficients[k * p + j]);
    return BD_OK;
}

static bd_status multinomial_notes(bd_model_regression *regression, bd_arena *arena)
{
    const bd_outcome *outcome = regression->frame->outcome;
    const char *others = "", *reference = outcome->groups.levels[outcome->reference];
    for (size_t k = 0, n = 0; k < outcome->groups.n_levels && n < 12; k++)
        if (k != outcome->reference)
            BD_TRY(bd_print(arena, &others, "%s%s%s (%zu)", others, n++ > 0 ? ", " : "", outcome->groups.levels[k],
                            outcome->counts[k]));
    return model_say(regression, arena, BD_NOTE,
                     "%s: each category against '%s' (%zu rows; another by factor(%s, ref = \"...\")): %s. Odds are of "
                     "the category and not the reference.",
                     outcome->groups.name, reference, outcome->counts[outcome->reference], outcome->groups.name,
                     others);
}

/* The logits of shares exp(sum of the category) / total, the reference's sum being 0. */
static void multinomial_index(const void *context, const bd_frame *profiles, size_t row, const double *parameters,
                              double *index)
{
    const category_index *c = context;
    double largest = 0, total = 0;
    for (size_t k = 0, contrast = 0; k < c->n; k++) {
        index[k] = k == c->reference ? 0
                                     : bd_index_sum(profiles->columns, profiles->n_columns, row,
                                                    parameters + contrast++ * profiles->n_columns);
        largest = fmax(largest, index[k]);
    }
    for (size_t k = 0; k < c->n; k++)
        total += exp(index[k] - largest);
    for (size_t k = 0; k < c->n; k++) {
        const double own = exp(index[k] - largest);
        index[k] = log(own / (total - own));
    }
}

bd_status model_multinomial(bd_model_regression *regression, bd_arena *arena)
{
    const bd_frame *frame = regression->frame;
    const bd_groups *groups = &frame->outcome->groups;
    const bd_likelihood_options fitting = model_likelihood_options(regression);
    const bd_multinomial *fit;
    bd_predictor columns, *predictors;
    BD_TRY(check_categories(regression));
    BD_TRY(model_predictor(frame->columns, frame->n_columns, frame->has_intercept, arena, &columns));
    const bd_multinomial_design design = {.n_rows = frame->n_rows,
                                          .n_columns = columns.n_columns,
                                          .columns = columns.columns,
                                          .names = columns.names,
                                          .has_intercept = columns.has_intercept,
                                          .category = groups->codes,
                                          .n_categories = groups->n_levels,
                                          .reference = frame->outcome->reference,
                                          .levels = groups->levels,
                                          .response_name = frame->response_name,
                                          .weights = regression->weights,
                                          .cluster = frame->cluster ? frame->cluster->codes : NULL,
                                          .n_clusters = frame->cluster ? frame->cluster->n_levels : 0,
                                          .n_threads = regression->options.n_threads};
    BD_TRY(bd_multinomial_fit(&design, regression->se, &fitting, arena, &fit));
    BD_NEW(arena, predictors, fit->n_contrasts);
    for (size_t k = 0; k < fit->n_contrasts; k++)
        predictors[k] = columns;
    BD_TRY(model_check_end(regression, fit->fit, predictors));
    BD_TRY(multinomial_rows(regression, fit, arena));
    const double null = frame->has_intercept ? fit->null_log_likelihood : NAN;
    model_likelihood_facts(regression, fit->fit, null, fit->whole_df);
    model_fact(regression, "mcfadden", "McFadden's R2", BD_STATISTIC, frame->has_intercept ? fit->mcfadden : NAN);
    model_fact(regression, "iterations", "Iterations", BD_COUNT, (double)fit->fit->n_iterations);
    model_likelihood_replicates(regression, fit->likelihood, fit->fit);
    BD_TRY(index_of(regression, arena, multinomial_index));
    BD_TRY(multinomial_notes(regression, arena));
    return multinomial_tests(regression, fit, arena);
}
