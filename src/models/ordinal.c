/* Cumulative link models: the likelihood of an ordered category between two thresholds. */
#include <bordin/models/ordinal.h>

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "models/ordinal_links.h"

enum { CHUNK = BD_LIKELIHOOD_CHUNK };

typedef struct ordinal_context {
    const ordinal_link *link;
    const uint32_t *category;
    size_t n_categories, n_rows;
    double *starts; /* n_categories - 1 thresholds */
} ordinal_context;

static void start_at(const void *context, size_t row, double *predictors)
{
    const ordinal_context *c = context;
    (void)row;
    predictors[0] = 0;
    memcpy(predictors + 1, c->starts, (c->n_categories - 1) * sizeof *predictors);
}

/* p = F(u) - F(l), u = threshold above - eta, l = threshold below - eta. Predictor 0 is eta, k the k-th threshold. */
static void ordinal_rows(const void *context, size_t from, size_t n, bool expected, const double *predictors,
                         double *log_likelihood, double *score, double *information)
{
    const ordinal_context *c = context;
    const size_t q = c->n_categories, last = q - 1;
    (void)expected;
    for (size_t i = 0; i < n; i++) {
        const size_t k = c->category[from + i];
        const double eta = predictors[i];
        const double low = k == 0 ? -INFINITY : predictors[k * CHUNK + i] - eta;
        const double high = k == last ? INFINITY : predictors[(k + 1) * CHUNK + i] - eta;
        const double p = low < high ? c->link->between(low, high) : 0;
        log_likelihood[i] = p > 0 ? log(p) : -INFINITY;
        double a = 0, b = 0, aa = 0, bb = 0; /* by u and l */
        if (k < last) {
            a = c->link->density(high) / p;
            aa = a * a - c->link->slope(high) / p;
            score[(k + 1) * CHUNK + i] = a;
            information[((k + 1) * q + k + 1) * CHUNK + i] = aa;
        }
        if (k > 0) {
            b = -c->link->density(low) / p;
            bb = b * b + c->link->slope(low) / p;
            score[k * CHUNK + i] = b;
            information[(k * q + k) * CHUNK + i] = bb;
        }
        score[i] = -(a + b);
        information[i] = aa + 2 * a * b + bb;
        if (k < last)
            information[(k + 1) * CHUNK + i] = -(aa + a * b);
        if (k > 0)
            information[k * CHUNK + i] = -(bb + a * b);
        if (k < last && k > 0)
            information[(k * q + k + 1) * CHUNK + i] = a * b;
    }
}

static bool uncoupled(size_t a, size_t b)
{
    return a > 0 && b > a + 1;
}

static bool is_empty(const void *context, const double *weights)
{
    const ordinal_context *c = context;
    for (size_t k = 0; k < c->n_categories; k++) {
        bool found = false;
        for (size_t i = 0; !found && i < c->n_rows; i++)
            found = c->category[i] == k && weights[i] > 0;
        if (!found)
            return true;
    }
    return false;
}

static const bd_likelihood_model cumulative = {.name = "ordered categories",
                                               .start = start_at,
                                               .rows = ordinal_rows,
                                               .uncoupled = uncoupled,
                                               .is_empty = is_empty,
                                               .absorbs = -1};

/* Thresholds that give the categories their shares; the log-likelihood of those alone. */
static bd_status check_categories(const bd_ordinal_design *design, bd_arena *arena, ordinal_context *context,
                                  double *null_log_likelihood)
{
    const size_t q = design->n_categories;
    double *counts, total = 0, below = 0;
    if (q < 2)
        return bd_fail(BD_EDATA, "the response '%s' has one category; it takes two or more", design->response_name);
    BD_NEW(arena, context->starts, q - 1);
    BD_NEW(arena, counts, q);
    for (size_t i = 0; i < design->n_rows; i++) {
        const double weight = design->weights == NULL ? 1 : design->weights[i];
        counts[design->category[i]] += weight;
        total += weight;
    }
    *null_log_likelihood = 0;
    for (size_t k = 0; k < q; k++) {
        if (!(counts[k] > 0))
            return bd_fail(BD_EDATA, "no row has category '%s' of '%s'; leave it out, or join it with another",
                           design->levels[k], design->response_name);
        *null_log_likelihood += counts[k] * log(counts[k] / total);
        below += counts[k];
        if (k + 1 < q)
            context->starts[k] = context->link->quantile(below / total);
    }
    return BD_OK;
}

/* The columns of `moved` terms go to the thresholds, each of which then has slopes of its own. */
typedef struct ordinal_model {
    const double **slopes, **own;
    const char **slope_names, **own_names;
    size_t n_slopes, n_own;
} ordinal_model;

static bd_status split_columns(const bd_ordinal_design *design, size_t first, size_t n, bd_arena *arena,
                               ordinal_model *model)
{
    const size_t p = design->n_columns;
    BD_NEW(arena, model->slopes, p + 1);
    BD_NEW(arena, model->slope_names, p + 1);
    BD_NEW(arena, model->own, p + 1);
    BD_NEW(arena, model->own_names, p + 1);
    model->own_names[0] = "(threshold)";
    model->n_own = 1;
    for (size_t j = 0; j < p; j++) {
        const bool moved = j >= first && j < first + n;
        const double ***columns = moved ? &model->own : &model->slopes;
        const char ***names = moved ? &model->own_names : &model->slope_names;
        size_t *count = moved ? &model->n_own : &model->n_slopes;
        (*columns)[*count] = design->columns[j];
        (*names)[(*count)++] = design->names[j];
    }
    return BD_OK;
}

static bd_status prepare(const bd_ordinal_design *design, const ordinal_context *context, size_t first, size_t n,
                         bd_arena *arena, const bd_likelihood **likelihood)
{
    ordinal_model model = {0};
    bd_predictor *predictors;
    BD_TRY(split_columns(design, first, n, arena, &model));
    BD_NEW(arena, predictors, design->n_categories);
    predictors[0] = (bd_predictor){
        .n_columns = model.n_slopes, .columns = model.slopes, .names = model.slope_names, .offset = design->offset};
    for (size_t k = 1; k < design->n_categories; k++)
        predictors[k] = (bd_predictor){
            .n_columns = model.n_own, .columns = model.own, .names = model.own_names, .has_intercept = true};
    const bd_likelihood_problem problem = {.model = &cumulative,
                                           .context = context,
                                           .n_rows = design->n_rows,
                                           .n_predictors = design->n_categories,
                                           .predictors = predictors,
                                           .weights = design->weights,
                                           .cluster = design->cluster,
                                           .n_clusters = design->n_clusters,
                                           .n_threads = design->n_threads};
    return bd_likelihood_prepare(&problem, arena, likelihood);
}

static bd_status new_context(const bd_ordinal_design *design, const char *link, bd_arena *arena, ordinal_context **out,
                             double *null_log_likelihood)
{
    ordinal_context *context;
    BD_NEW(arena, context, 1);
    BD_TRY(bd_ordinal_link_find(link, &context->link));
    context->category = design->category;
    context->n_categories = design->n_categories;
    context->n_rows = design->n_rows;
    BD_TRY(check_categories(design, arena, context, null_log_likelihood));
    *out = context;
    return BD_OK;
}

static bd_status fill_probabilities(const bd_ordinal_design *design, const ordinal_link *link, bd_arena *arena,
                                    bd_ordinal *fit)
{
    const size_t n = design->n_rows, q = design->n_categories;
    const double *predictors = fit->fit->predictors;
    BD_NEW(arena, fit->probabilities, n * q);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < q; k++) {
            const double low = k == 0 ? -INFINITY : predictors[k * n + i] - predictors[i];
            const double high = k + 1 == q ? INFINITY : predictors[(k + 1) * n + i] - predictors[i];
            fit->probabilities[i * q + k] = link->between(low, high);
        }
    return BD_OK;
}

bd_status bd_ordinal_fit(const bd_ordinal_design *design, const char *link, const bd_se_estimator *se,
                         const bd_likelihood_options *options, bd_arena *arena, const bd_ordinal **out)
{
    bd_ordinal *fit;
    ordinal_context *context;
    BD_NEW(arena, fit, 1);
    BD_TRY(new_context(design, link, arena, &context, &fit->null_log_likelihood));
    BD_TRY(prepare(design, context, 0, 0, arena, &fit->likelihood));
    BD_TRY(bd_likelihood_maximise(fit->likelihood, se, options, arena, &fit->fit));
    fit->link = context->link->name;
    fit->n_slopes = design->n_columns;
    fit->n_thresholds = design->n_categories - 1;
    fit->slopes = fit->fit->coefficients;
    fit->thresholds = fit->fit->coefficients + fit->n_slopes;
    if (design->offset != NULL)
        fit->null_log_likelihood = NAN;
    fit->whole_statistic = 2 * (fit->fit->log_likelihood - fit->null_log_likelihood);
    fit->whole_df = (double)fit->n_slopes;
    fit->whole_p = fit->n_slopes > 0 ? gsl_cdf_chisq_Q(fit->whole_statistic, fit->whole_df) : NAN;
    fit->mcfadden = 1 - fit->fit->log_likelihood / fit->null_log_likelihood;
    BD_TRY(fill_probabilities(design, context->link, arena, fit));
    *out = fit;
    return BD_OK;
}

/* The terms' first columns, and all of them after the last. */
static bd_status list_terms(const bd_ordinal_design *design, const size_t *terms, bd_arena *arena,
                            bd_ordinal_parallel **tests, size_t *n_tests)
{
    BD_NEW(arena, *tests, design->n_columns + 1);
    *n_tests = 0;
    for (size_t j = 0; j < design->n_columns; j++) {
        if (j == 0 || terms == NULL || terms[j] != terms[j - 1])
            (*tests)[(*n_tests)++] = (bd_ordinal_parallel){.name = design->names[j], .first = j};
        (*tests)[*n_tests - 1].n++;
    }
    (*tests)[(*n_tests)++] = (bd_ordinal_parallel){.n = design->n_columns};
    return BD_OK;
}

bd_status bd_ordinal_test(const bd_ordinal_design *design, const char *link, const size_t *terms, bd_arena *arena,
                          const bd_ordinal_parallel **out, size_t *n_tests)
{
    bd_ordinal_parallel *tests;
    const bd_ordinal *parallel;
    ordinal_context *context;
    double null_log_likelihood;
    if (design->n_categories < 3)
        return bd_fail(BD_EDATA, "with two categories of '%s' there is one threshold, and nothing to test",
                       design->response_name);
    BD_TRY(list_terms(design, terms, arena, &tests, n_tests));
    const bd_mark mark = bd_arena_mark(arena);
    BD_TRY(bd_ordinal_fit(design, link, &bd_se_classical, &BD_LIKELIHOOD_DEFAULTS, arena, &parallel));
    BD_TRY(new_context(design, link, arena, &context, &null_log_likelihood));
    for (size_t k = 0; k < *n_tests; k++) {
        const bd_likelihood *likelihood;
        const bd_likelihood_fit *fit;
        BD_TRY(prepare(design, context, tests[k].first, tests[k].n, arena, &likelihood));
        BD_TRY(bd_likelihood_maximise(likelihood, &bd_se_classical, &BD_LIKELIHOOD_DEFAULTS, arena, &fit));
        const bool usable = fit->end == BD_LIKELIHOOD_CONVERGED && parallel->fit->end == BD_LIKELIHOOD_CONVERGED;
        tests[k].end = fit->end;
        tests[k].df = (double)(tests[k].n * (design->n_categories - 2));
        tests[k].statistic = usable ? 2 * (fit->log_likelihood - parallel->fit->log_likelihood) : NAN;
        tests[k].p = usable ? gsl_cdf_chisq_Q(fmax(0, tests[k].statistic), tests[k].df) : NAN;
    }
    bd_arena_rewind(arena, mark);
    *out = tests;
    return BD_OK;
}
