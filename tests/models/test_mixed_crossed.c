/* Mixed models of several grouping factors, crossed and nested, held to lme4 and lmerTest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include <bordin/data/frame.h>
#include <bordin/models/mixed.h>

#include "fixture.h"
#include "models/mixed_crossed_reference.h"

enum { N = 144 };
static const double *const CONSTANT[] = {NULL};
static const char *const INTERCEPT[] = {"(Intercept)", "x"};

static const bd_frame *frame_of(const char *path, const char *formula, const bd_varying_spec *varying, size_t n)
{
    const bd_frame_spec spec = {.formula = formula, .varying = varying, .n_varying = n};
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_wanted *wanted;
    const bd_table *table;
    const bd_frame *frame;
    size_t n_wanted;
    must(bd_frame_wanted(&spec, arena, &wanted, &n_wanted));
    must(bd_csv_read(path, wanted, n_wanted, &csv, arena, &table));
    must(bd_frame_build(table, &spec, arena, &frame));
    return frame;
}

static bd_mixed_term term_of(const bd_groups *groups)
{
    return (bd_mixed_term){.group = groups->codes,
                           .n_groups = groups->n_levels,
                           .group_name = groups->name,
                           .n_random = 1,
                           .random = CONSTANT,
                           .random_names = INTERCEPT};
}

static bd_mixed_design design_of(size_t n, const double *response, const bd_mixed_term *terms, size_t n_terms)
{
    return (bd_mixed_design){.n_rows = n,
                             .n_columns = 1,
                             .columns = CONSTANT,
                             .names = INTERCEPT,
                             .has_intercept = true,
                             .response = response,
                             .response_name = "y",
                             .n_terms = n_terms,
                             .terms = terms};
}

/* The plates and samples of the Penicillin data, with x, y and a third factor made as the script makes them. */
typedef struct crossing {
    bd_mixed_term terms[3];
    double diameter[N], x[N], y[N], weights[N];
    uint32_t block[N];
} crossing;

static void cross(crossing *c)
{
    static const char *const plate = "plate", *const sample = "sample";
    const bd_varying_spec varying[] = {{"1", &plate, 1}, {"1", &sample, 1}};
    const bd_frame *f = frame_of("datasets/mixed/penicillin.csv", "diameter ~ 1", varying, 2);
    assert_int_equal(f->n_rows, N);
    for (size_t i = 0; i < N; i++) {
        const double a = f->varying[0].groups->codes[i] + 1, b = f->varying[1].groups->codes[i] + 1;
        c->diameter[i] = f->response[i];
        c->x[i] = (double)(i * 7 % 10);
        c->y[i] = f->response[i] + c->x[i] * (fmod(a * a, 7) / 20 - b / 15) + (double)(i * i % 7) / 5;
        c->block[i] = i * i % 7 == 4 ? 3 : (uint32_t)(i * i % 7);
        c->weights[i] = (double)(1 + i % 3);
    }
    c->terms[0] = term_of(f->varying[0].groups);
    c->terms[1] = term_of(f->varying[1].groups);
    c->terms[2] = c->terms[0];
    c->terms[2].group = c->block;
    c->terms[2].n_groups = 4;
    c->terms[2].group_name = "block";
}

static const bd_mixed *fit_of(const bd_mixed_design *design, bool reml, int n_threads)
{
    bd_mixed_options options = BD_MIXED_DEFAULTS;
    const bd_mixed_model *model;
    const bd_mixed *fit = NULL;
    options.reml = reml;
    options.n_threads = n_threads;
    must(bd_mixed_prepare(design, arena, &model));
    must(bd_mixed_fit(model, &options, arena, &fit));
    return fit;
}

static void assert_near(double found, double wanted, double tolerance)
{
    if (!(fabs(found - wanted) <= tolerance * fmax(1e-6, fabs(wanted))))
        fail_msg("%.13g, not %.13g", found, wanted);
}

typedef struct expected {
    const double *fit, *estimates, *se, *df, *p, *covariances;
    const double *effects[3]; /* of each term the first two modes, then their deviations */
} expected;

#define EXPECTED(name, ...) {name##_fit, name##_estimates, name##_se, name##_df, name##_p, name##_covariances, {__VA_ARGS__}}

/* R's theta is that of Newton's steps on a numerical gradient: about nine digits. */
static void assert_fit(const bd_mixed *fit, const expected *e)
{
    const double *covariances = e->covariances;
    assert_int_equal(fit->end, BD_MIXED_CONVERGED);
    assert_near(fit->deviance, e->fit[0], 1e-11);
    assert_near(fit->sigma, e->fit[1], 1e-7);
    for (size_t j = 0; j < fit->n_columns; j++) {
        assert_near(fit->coefficients[j].estimate, e->estimates[j], 1e-8);
        assert_near(fit->coefficients[j].se, e->se[j], 1e-7);
        assert_near(fit->coefficients[j].df, e->df[j], 1e-6);
        assert_near(log(fit->coefficients[j].p), log(e->p[j]), 1e-6);
    }
    for (size_t t = 0; t < fit->n_terms; t++) {
        const size_t q = fit->random[t].n_random;
        for (size_t i = 0; i < q; i++)
            assert_near(fit->random[t].covariance[i * q + i], *covariances++, 1e-6);
        if (q == 2) { /* in units of the correlation */
            const double *found = fit->random[t].covariance, scale = sqrt(found[0] * found[3]);
            assert_near(2 + found[1] / scale, 2 + *covariances++ / scale, 1e-6);
        }
        for (size_t i = 0; i < 2; i++) {
            assert_near(fit->random[t].effects[i], e->effects[t][i], 1e-6);
            assert_near(fit->random[t].effect_se[i], e->effects[t][2 + i], 1e-6);
        }
    }
    assert_near(fit->sigma * fit->sigma, *covariances, 1e-7);
}

/* Errors, then degrees of freedom, as pbkrtest has them. */
static void assert_kenward_roger(const bd_mixed_design *design, const double *wanted, double tolerance)
{
    bd_mixed_options options = BD_MIXED_DEFAULTS;
    const bd_mixed_model *model;
    const bd_mixed *fit = NULL;
    options.df = BD_MIXED_KENWARD_ROGER;
    must(bd_mixed_prepare(design, arena, &model));
    must(bd_mixed_fit(model, &options, arena, &fit));
    for (size_t j = 0; j < fit->n_columns; j++) {
        assert_near(fit->coefficients[j].se, wanted[j], tolerance);
        assert_near(fit->coefficients[j].df, wanted[fit->n_columns + j], 10 * tolerance);
        assert_near(fit->coefficients[j].t, fit->coefficients[j].estimate / wanted[j], tolerance);
    }
}

static void test_mixed_crossed__two_factors_agree_with_lme4(void **state)
{
    static const expected reml = EXPECTED(penicillin_reml, penicillin_reml_plate_effects, penicillin_reml_sample_effects);
    static const expected ml = EXPECTED(penicillin_ml, penicillin_ml_plate_effects, penicillin_ml_sample_effects);
    crossing *c = bd_arena_alloc(arena, 1, sizeof *c);
    (void)state;
    cross(c);
    const bd_mixed_design design = design_of(N, c->diameter, c->terms, 2);
    assert_fit(fit_of(&design, true, 1), &reml);
    assert_fit(fit_of(&design, false, 1), &ml);
    assert_kenward_roger(&design, penicillin_reml_kenward_roger, 1e-8);
}

static void test_mixed_crossed__nested_factors_agree_with_lme4(void **state)
{
    static const expected reml = EXPECTED(pastes_reml, pastes_reml_batch_cask_effects, pastes_reml_batch_effects);
    static const expected ml = EXPECTED(pastes_ml, pastes_ml_batch_cask_effects, pastes_ml_batch_effects);
    static const char *const by[] = {"batch", "cask"};
    const bd_varying_spec varying[] = {{"1", by, 2}, {"1", by, 1}};
    const bd_frame *f = frame_of("datasets/mixed/pastes.csv", "strength ~ 1", varying, 2);
    const bd_mixed_term terms[] = {term_of(f->varying[0].groups), term_of(f->varying[1].groups)};
    const bd_mixed_design design = design_of(f->n_rows, f->response, terms, 2);
    const bd_mixed_model *model;
    (void)state;
    assert_string_equal(f->varying[0].groups->name, "batch:cask");
    assert_string_equal(f->varying[0].groups->levels[3], "B:a");
    assert_fit(fit_of(&design, true, 1), &reml);
    assert_fit(fit_of(&design, false, 1), &ml);
    assert_kenward_roger(&design, pastes_reml_kenward_roger, 1e-8);
    must(bd_mixed_prepare(&design, arena, &model));
    assert_int_equal(bd_mixed_parts_of(model).n, 10); /* batches share nothing */
}

static void test_mixed_crossed__three_factors_and_weights_agree_with_lme4(void **state)
{
    static const expected reml =
        EXPECTED(three_reml, three_reml_plate_effects, three_reml_sample_effects, three_reml_block_effects);
    static const expected ml = EXPECTED(three_ml, three_ml_plate_effects, three_ml_sample_effects, three_ml_block_effects);
    crossing *c = bd_arena_alloc(arena, 1, sizeof *c);
    const double *columns[] = {NULL, c->x};
    (void)state;
    cross(c);
    bd_mixed_design design = design_of(N, c->y, c->terms, 3);
    design.n_columns = 2;
    design.columns = columns;
    design.weights = c->weights;
    assert_fit(fit_of(&design, true, 1), &reml);
    assert_fit(fit_of(&design, false, 1), &ml);
}

static void test_mixed_crossed__slopes_that_cross_agree_with_lme4(void **state)
{
    static const expected reml = EXPECTED(slopes_reml, slopes_reml_plate_effects, slopes_reml_sample_effects);
    static const expected ml = EXPECTED(slopes_ml, slopes_ml_plate_effects, slopes_ml_sample_effects);
    crossing *c = bd_arena_alloc(arena, 1, sizeof *c);
    const double *columns[] = {NULL, c->x};
    (void)state;
    cross(c);
    for (size_t t = 0; t < 2; t++) {
        c->terms[t].n_random = 2;
        c->terms[t].random = columns;
    }
    bd_mixed_design design = design_of(N, c->y, c->terms, 2);
    design.n_columns = 2;
    design.columns = columns;
    assert_fit(fit_of(&design, true, 1), &reml);
    assert_fit(fit_of(&design, false, 1), &ml);
    assert_kenward_roger(&design, slopes_reml_kenward_roger, 1e-7);
    const bd_mixed_term turned[] = {c->terms[1], c->terms[0]}; /* the order of terms is that of the page alone */
    design.terms = turned;
    assert_near(fit_of(&design, true, 1)->deviance, slopes_reml_fit[0], 1e-11);
}

/* 40 groups by 300, enough for the blocks of the dense matrix to be shared out. */
static void test_mixed_crossed__any_number_of_threads_gives_the_same_bits(void **state)
{
    enum { GROUPS = 301, ROWS = 4 * GROUPS };
    uint32_t *a = bd_arena_alloc(arena, ROWS, sizeof *a), *b = bd_arena_alloc(arena, ROWS, sizeof *b);
    double *y = bd_arena_alloc(arena, ROWS, sizeof *y);
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        a[i] = (uint32_t)(i % GROUPS);
        b[i] = (uint32_t)((i * i + i / 7) % (GROUPS - 1));
        y[i] = (double)(i * 7919 % 101) / 20 + a[i] * 37 % 11 + b[i] * 53 % 13;
    }
    const bd_mixed_term terms[] = {
        {a, GROUPS, "a", 1, CONSTANT, INTERCEPT, NULL}, {b, GROUPS - 1, "b", 1, CONSTANT, INTERCEPT, NULL}};
    const bd_mixed_design design = design_of(ROWS, y, terms, 2);
    const bd_mixed *one = fit_of(&design, true, 1), *three = fit_of(&design, true, 3);
    assert_int_equal(one->end, BD_MIXED_CONVERGED);
    assert_memory_equal(&one->deviance, &three->deviance, sizeof(double));
    assert_memory_equal(one->coefficients, three->coefficients, sizeof *one->coefficients);
    assert_memory_equal(one->random[1].effects, three->random[1].effects, (GROUPS - 1) * sizeof(double));
}

static void test_mixed_crossed__parts_count_as_often_as_they_are_drawn(void **state)
{
    static const char *const by[] = {"batch", "cask"};
    const bd_varying_spec varying[] = {{"1", by, 1}, {"1", by, 2}};
    const bd_frame *f = frame_of("datasets/mixed/pastes.csv", "strength ~ 1", varying, 2);
    bd_mixed_term terms[] = {term_of(f->varying[0].groups), term_of(f->varying[1].groups)};
    bd_mixed_design design = design_of(f->n_rows, f->response, terms, 2);
    const bd_mixed_model *model;
    const bd_mixed *fit = NULL;
    uint32_t batch[66], cask[66];
    double y[66], counts[10], values[4];
    size_t m = 0;
    (void)state;
    for (size_t i = 0; i < f->n_rows; i++) /* batch 1 not at all, batch 4 three times */
        for (uint32_t copy = 0; copy < (terms[0].group[i] == 1 ? 0u : terms[0].group[i] == 4 ? 3u : 1u); copy++) {
            y[m] = f->response[i];
            batch[m] = terms[0].group[i] + 10 * copy;
            cask[m++] = terms[1].group[i] + 30 * copy;
        }
    must(bd_mixed_prepare(&design, arena, &model));
    must(bd_mixed_fit(model, &BD_MIXED_DEFAULTS, arena, &fit));
    for (size_t g = 0; g < 10; g++)
        counts[g] = g == 1 ? 0 : g == 4 ? 3 : 1;
    double *scratch = bd_arena_alloc(arena, bd_mixed_scratch(model), sizeof *scratch);
    assert_int_equal(bd_mixed_replicate(model, fit, counts, scratch, values), BD_MIXED_CONVERGED);
    terms[0].group = batch;
    terms[0].n_groups = 30;
    terms[1].group = cask;
    terms[1].n_groups = 90;
    design.n_rows = m;
    design.response = y;
    const bd_mixed *again = fit_of(&design, true, 1);
    assert_near(values[0], again->coefficients[0].estimate, 1e-10);
    assert_near(values[1], again->random[0].relative[0], 1e-6);
    assert_near(values[2], again->random[1].relative[0], 1e-6);
    assert_near(values[3], again->sigma, 1e-7);
}

/* Group 1 of the finest term not at all, group 4 three times, under names of their own; the other terms' groups stay. */
static void assert_groups_drawn(const bd_mixed_design *design, double tolerance)
{
    const bd_mixed_model *model;
    const bd_mixed *fit = NULL;
    const bd_mixed_drawing *drawing;
    const bd_mixed_term *given = design->terms;
    bd_mixed_design twice = *design;
    bd_mixed_term terms[2] = {given[0], given[1]};
    double y[200], x[200], counts[60];
    uint32_t groups[2][200];
    const double *columns[] = {NULL, x};
    size_t m = 0;
    must(bd_mixed_prepare(design, arena, &model));
    must(bd_mixed_fit(model, &BD_MIXED_DEFAULTS, arena, &fit));
    must(bd_mixed_drawing_new(model, fit, arena, &drawing));
    const size_t finest = bd_mixed_finest(model), n = given[finest].n_groups;
    for (size_t g = 0; g < n; g++)
        counts[g] = g == 1 ? 0 : g == 4 ? 3 : 1;
    for (size_t i = 0; i < design->n_rows; i++)
        for (uint32_t copy = 0; copy < (uint32_t)counts[given[finest].group[i]]; copy++) {
            y[m] = design->response[i];
            x[m] = design->n_columns > 1 ? design->columns[1][i] : 0;
            for (size_t t = 0; t < 2; t++)
                groups[t][m] = given[t].group[i] + (t == finest ? (uint32_t)n * copy : 0);
            m++;
        }
    for (size_t t = 0; t < 2; t++) {
        terms[t].group = groups[t];
        terms[t].n_groups *= t == finest ? 3 : 1;
        terms[t].random = columns;
    }
    twice.n_rows = m;
    twice.response = y;
    twice.columns = columns;
    twice.terms = terms;
    const bd_mixed *again = fit_of(&twice, true, 1);
    double *values = bd_arena_alloc(arena, design->n_columns + fit->n_parameters + 1, sizeof *values);
    double *scratch = bd_arena_alloc(arena, bd_mixed_group_scratch(drawing), sizeof *scratch);
    assert_true(bd_mixed_draw_groups(drawing, counts, scratch, values) != BD_MIXED_NOT_CONVERGED);
    for (size_t j = 0; j < design->n_columns; j++)
        assert_near(values[j], again->coefficients[j].estimate, tolerance);
    for (size_t k = 0; k < fit->n_parameters; k++) {
        const bd_mixed_entry *e = &fit->entries[k];
        const size_t q = given[e->term].n_random;
        assert_near(values[design->n_columns + k], again->random[e->term].relative[e->row * q + e->column], 1e4 * tolerance);
    }
    assert_near(values[design->n_columns + fit->n_parameters], again->sigma, 100 * tolerance);
}

static void test_mixed_crossed__groups_are_drawn_within_those_that_stay(void **state)
{
    static const char *const by[] = {"batch", "cask"};
    const bd_varying_spec varying[] = {{"1", by, 1}, {"1", by, 2}};
    const bd_frame *f = frame_of("datasets/mixed/pastes.csv", "strength ~ 1", varying, 2);
    const bd_mixed_term terms[] = {term_of(f->varying[0].groups), term_of(f->varying[1].groups)};
    bd_mixed_design design = design_of(f->n_rows, f->response, terms, 2);
    crossing *c = bd_arena_alloc(arena, 1, sizeof *c);
    (void)state;
    assert_groups_drawn(&design, 1e-9);
    cross(c);
    const double *const slopes[] = {NULL, c->x};
    for (size_t t = 0; t < 2; t++) {
        c->terms[t].n_random = 2;
        c->terms[t].random = slopes;
    }
    design = design_of(N, c->y, c->terms, 2);
    design.n_columns = 2;
    design.columns = slopes;
    assert_groups_drawn(&design, 1e-9);
}

static void test_mixed_crossed__factors_that_are_the_same_are_named(void **state)
{
    crossing *c = bd_arena_alloc(arena, 1, sizeof *c);
    const bd_mixed_model *model;
    uint32_t other[N];
    (void)state;
    cross(c);
    for (size_t i = 0; i < N; i++)
        other[i] = 5 - c->terms[1].group[i];
    c->terms[2] = c->terms[1];
    c->terms[2].group = other;
    c->terms[2].group_name = "letter";
    const bd_mixed_design design = design_of(N, c->diameter, c->terms, 3);
    assert_int_equal(bd_mixed_prepare(&design, arena, &model), BD_EDATA);
    assert_non_null(strstr(bd_message(), "'sample' and 'letter' group the rows in the same way"));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_mixed_crossed__two_factors_agree_with_lme4),
        TEST(test_mixed_crossed__nested_factors_agree_with_lme4),
        TEST(test_mixed_crossed__three_factors_and_weights_agree_with_lme4),
        TEST(test_mixed_crossed__slopes_that_cross_agree_with_lme4),
        TEST(test_mixed_crossed__any_number_of_threads_gives_the_same_bits),
        TEST(test_mixed_crossed__parts_count_as_often_as_they_are_drawn),
        TEST(test_mixed_crossed__groups_are_drawn_within_those_that_stay),
        TEST(test_mixed_crossed__factors_that_are_the_same_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
