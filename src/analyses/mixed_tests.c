/* Tests in a mixed regression: of what varies, and of the terms of the fixed part. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include <bordin/random/normal.h>
#include <bordin/random/philox.h>
#include <bordin/resampling/resample.h>

#include "analyses/mixed_internal.h"

/* A smaller model beside the one that it is part of. */
typedef struct comparison {
    const bd_mixed_drawing *null, *full; /* null NULL: nothing varies in it */
} comparison;

static bd_replicate_end observed(const void *context, const double *weights, double *scratch, double *values,
                                 double *errors)
{
    const comparison *c = context;
    (void)weights;
    (void)errors;
    return bd_mixed_ratio(c->null, c->full, NULL, scratch, values) == BD_MIXED_NOT_CONVERGED ? BD_REPLICATE_DIVERGED
                                                                                             : BD_REPLICATE_USABLE;
}

static bd_replicate_end drawn(const void *context, uint64_t seed, uint32_t number, double *scratch, double *values)
{
    const comparison *c = context;
    const size_t n = bd_mixed_ratio_numbers(c->null, c->full);
    bd_random_normals(seed, number, BD_PURPOSE_ERRORS, n, scratch);
    return bd_mixed_ratio(c->null, c->full, scratch, scratch + n, values) == BD_MIXED_NOT_CONVERGED
               ? BD_REPLICATE_DIVERGED
               : BD_REPLICATE_USABLE;
}

/* The share of ratios drawn that are as large as the data's. */
static bd_status draw_p(bd_mixed_analysis *mixed, const comparison *c, bd_arena *arena, double *p)
{
    static const char *const names[] = {"likelihood ratio"};
    const bd_columns rows = {.n_rows = mixed->fit->n_rows};
    const bd_statistic statistic = {
        .n_values = 1, .names = names, .columns = &rows, .from_weights = observed, .from_draws = drawn, .context = c,
        .n_scratch = bd_mixed_ratio_numbers(c->null, c->full) + bd_mixed_ratio_scratch(c->null, c->full)};
    bd_resampling_options options = BD_RESAMPLING_DEFAULTS;
    const bd_units *units = NULL;
    const bd_replicates *draws;
    options.n_replicates = mixed->options.n_draws;
    options.seed = mixed->options.draw_seed;
    options.n_threads = mixed->options.fit.n_threads;
    options.watch = mixed->options.resampling.watch;
    options.team = mixed->options.resampling.team;
    BD_TRY(bd_units_of_rows(&rows, NULL, NULL, options.n_threads, arena, &units));
    BD_TRY(bd_resample(units, &statistic, &options, arena, &draws));
    size_t usable = 0, as_large = 0;
    for (size_t i = 0; i < draws->n_replicates; i++) {
        usable += isnan(draws->values[i]) ? 0 : 1;
        as_large += draws->values[i] >= draws->estimates[0] * (1 - 1e-9) ? 1 : 0;
    }
    mixed->n_draws_failed += draws->n_replicates - usable;
    *p = (1 + (double)as_large) / (1 + (double)usable);
    return BD_OK;
}

/* The design without coefficient j of term t, and how many free entries of Lambda it has less. */
static bd_status leave_out(const bd_mixed_design *design, size_t t, size_t j, bd_arena *arena, bd_mixed_design *without,
                           double *df)
{
    const bd_mixed_term *from = &design->terms[t];
    bd_mixed_term *terms, *to;
    const double **random;
    const char **names;
    uint8_t *blocks;
    BD_NEW(arena, terms, design->n_terms);
    BD_NEW(arena, random, from->n_random);
    BD_NEW(arena, names, from->n_random);
    BD_NEW(arena, blocks, from->n_random);
    memcpy(terms, design->terms, design->n_terms * sizeof *terms);
    *without = *design;
    without->terms = terms;
    to = &terms[t];
    to->n_random = 0;
    *df = 0;
    for (size_t i = 0; i < from->n_random; i++) {
        *df += i == j || from->blocks[i] == from->blocks[j];
        if (i == j)
            continue;
        random[to->n_random] = from->random[i];
        blocks[to->n_random] = from->blocks[i];
        names[to->n_random++] = from->random_names[i];
    }
    to->random = random;
    to->random_names = names;
    to->blocks = blocks;
    if (to->n_random == 0)
        memmove(to, to + 1, (--without->n_terms - t) * sizeof *to);
    return BD_OK;
}

/* A model without degrees of freedom, and what draws from it if draws are asked for. */
static bd_status fit_of(const bd_mixed_analysis *mixed, const bd_mixed_design *design, bool reml, bd_arena *arena,
                        double *deviance, const bd_mixed_drawing **drawing)
{
    const bd_mixed_model *model;
    const bd_mixed *fit = NULL;
    bd_mixed_options options = mixed->options.fit;
    options.df = BD_MIXED_NORMAL;
    options.reml = reml;
    BD_TRY(bd_mixed_prepare(design, arena, &model));
    BD_TRY(bd_mixed_fit(model, &options, arena, &fit));
    *deviance = fit->end == BD_MIXED_NOT_CONVERGED ? NAN : fit->deviance;
    return mixed->options.n_draws > 0 ? bd_mixed_drawing_new(model, fit, arena, drawing) : BD_OK;
}

static bd_status test_without(bd_mixed_analysis *mixed, const bd_mixed_design *design, const bd_mixed_drawing *full,
                              size_t t, size_t j, bd_arena *arena, bd_random_test *test)
{
    bd_mixed_design without;
    comparison c = {.full = full};
    double deviance, df = 0;
    BD_TRY(leave_out(design, t, j, arena, &without, &df));
    BD_TRY(without.n_terms == 0 ? mixed_plain_deviance(design, mixed->fit->reml, arena, &deviance)
                                : fit_of(mixed, &without, mixed->fit->reml, arena, &deviance, &c.null));
    const double x = fmax(0, deviance - mixed->fit->deviance);
    *test = (bd_random_test){design->terms[t].group_name, design->terms[t].random_names[j], x, df, mixed_mixture_p(x, df),
                             NAN};
    return mixed->options.n_draws > 0 ? draw_p(mixed, &c, arena, &test->boot_p) : BD_OK;
}

static bd_status test_random(bd_mixed_analysis *mixed, const bd_mixed_design *design, const bd_mixed_drawing *full,
                             bd_arena *arena)
{
    BD_NEW(arena, mixed->tests, mixed->n_random);
    for (size_t t = 0; t < design->n_terms; t++)
        for (size_t j = design->terms[t].n_random; j-- > 0;) {
            const bd_mark scratch = bd_arena_mark(arena);
            if (j == 0 && design->terms[t].n_random > 1 && design->terms[t].random[0] == NULL)
                break; /* a slope without an intercept is no hypothesis */
            BD_TRY(test_without(mixed, design, full, t, j, arena, &mixed->tests[mixed->n_tests++]));
            bd_arena_rewind(arena, scratch);
        }
    return BD_OK;
}

/* Contrasts of a term: its rows of the root of X'X, the term's columns last, each over its diagonal. What F is does not
 * depend on it, but Satterthwaite's degrees of freedom do; lmerTest's anova has these. */
static bd_status contrasts_of(const bd_mixed_design *design, const bd_term_test *test, bd_arena *arena, double *weights)
{
    const size_t p = design->n_columns, m = test->n_columns, before = p - m;
    const double **values;
    double *triangle = NULL;
    BD_NEW(arena, values, p);
    for (size_t j = 0, k = 0; j < p; j++)
        if (j < test->first || j >= test->first + m)
            values[k++] = design->columns[j];
    for (size_t j = 0; j < m; j++)
        values[before + j] = design->columns[test->first + j];
    const bd_columns columns = {.n_rows = design->n_rows, .n_columns = p, .values = values};
    BD_TRY(bd_triangle_of(&columns, 1, arena, &triangle));
    for (size_t i = 0; i < m; i++)
        for (size_t j = i; j < m; j++)
            weights[i * p + test->first + j] =
                triangle[(before + i) * p + before + j] / triangle[(before + i) * p + before + i];
    return BD_OK;
}

/* F of one term, or chi-squared where there are no degrees of freedom. */
static bd_status test_term(const bd_mixed *fit, const bd_mixed_design *design, bd_arena *arena, bd_term_test *test)
{
    const bd_mark scratch = bd_arena_mark(arena);
    bd_mixed_joint joint;
    double *weights;
    BD_NEW(arena, weights, test->n_columns * fit->n_columns);
    if (test->n_columns == 1)
        weights[test->first] = 1;
    else
        BD_TRY(contrasts_of(design, test, arena, weights));
    BD_TRY(bd_mixed_joint_test(fit, weights, test->n_columns, arena, &joint));
    test->df = (double)joint.df;
    test->df_denominator = joint.df_denominator;
    test->statistic = isfinite(joint.df_denominator) ? joint.f : joint.f * test->df;
    test->p = joint.p;
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}

/* The design without the columns of a term. */
static bd_status drop_term(const bd_mixed_design *design, const bd_term_test *test, bd_arena *arena,
                           bd_mixed_design *without)
{
    const double **columns;
    const char **names;
    *without = *design;
    BD_NEW(arena, columns, design->n_columns);
    BD_NEW(arena, names, design->n_columns);
    without->n_columns = 0;
    for (size_t j = 0; j < design->n_columns; j++) {
        if (j >= test->first && j < test->first + test->n_columns)
            continue;
        columns[without->n_columns] = design->columns[j];
        names[without->n_columns++] = design->names[j];
    }
    without->columns = columns;
    without->names = names;
    return BD_OK;
}

static bd_status find_ratios(bd_mixed_analysis *mixed, const bd_mixed_design *design, bd_term_tests *terms,
                             bd_arena *arena)
{
    comparison c = {NULL, NULL};
    double highest;
    if (mixed->fit->n_rows > BD_MIXED_RATIO_ROWS || terms->n == 0)
        return BD_OK;
    BD_TRY(fit_of(mixed, design, false, arena, &highest, &c.full));
    for (size_t t = 0; t < terms->n; t++) {
        const bd_mark scratch = bd_arena_mark(arena);
        bd_term_test *test = &terms->tests[t];
        bd_mixed_design without;
        double deviance;
        BD_TRY(drop_term(design, test, arena, &without));
        if (without.n_columns == 0)
            continue;
        BD_TRY(fit_of(mixed, &without, false, arena, &deviance, &c.null));
        test->ratio = fmax(0, deviance - highest);
        test->ratio_p = gsl_cdf_chisq_Q(test->ratio, test->df);
        if (mixed->options.n_draws > 0)
            BD_TRY(draw_p(mixed, &c, arena, &test->ratio_boot_p));
        bd_arena_rewind(arena, scratch);
    }
    return BD_OK;
}

static bd_status test_terms(bd_mixed_analysis *mixed, const bd_mixed_design *design, bd_arena *arena)
{
    const bd_mixed *fit = mixed->fit;
    double *estimates;
    bd_term_tests *terms;
    BD_NEW(arena, estimates, fit->n_columns);
    for (size_t j = 0; j < fit->n_columns; j++)
        estimates[j] = fit->coefficients[j].estimate;
    const bd_term_fit tested = {
        .estimates = estimates, .covariance = fit->covariance, .n_parameters = fit->n_columns, .df_residual = INFINITY};
    BD_TRY(bd_term_tests_make(mixed->frame, &tested, arena, &terms));
    for (size_t t = 0; t < terms->n; t++) {
        BD_TRY(test_term(fit, design, arena, &terms->tests[t]));
        if (isfinite(terms->tests[t].df_denominator))
            terms->df_residual = (double)(fit->n_used - fit->n_columns);
    }
    terms->ratio_is_chi2 = true;
    mixed->terms = terms;
    return find_ratios(mixed, design, terms, arena);
}

bd_status mixed_test(bd_mixed_analysis *mixed, const bd_mixed_design *design, const bd_mixed_model *model,
                     bd_arena *arena)
{
    const bd_mixed_drawing *full = NULL;
    if (mixed->options.n_draws > 0)
        BD_TRY(bd_mixed_drawing_new(model, mixed->fit, arena, &full));
    BD_TRY(test_random(mixed, design, full, arena));
    return test_terms(mixed, design, arena);
}
