/* Linear mixed models, held to lme4 and lmerTest. */
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
#include "models/mixed_reference.h"

static bd_mixed_design design_of(const char *file, const char *formula, const char *random, const char *group)
{
    const bd_varying_spec varying = {random, &group, 1};
    const bd_frame_spec spec = {.formula = formula, .varying = &varying, .n_varying = 1};
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_wanted *wanted;
    const bd_table *table;
    const bd_frame *f;
    const char *path;
    size_t n_wanted;
    must(bd_print(arena, &path, "datasets/mixed/%s.csv", file));
    must(bd_frame_wanted(&spec, arena, &wanted, &n_wanted));
    must(bd_csv_read(path, wanted, n_wanted, &csv, arena, &table));
    must(bd_frame_build(table, &spec, arena, &f));
    const bd_extra *varies = &f->varying->terms;
    const size_t p = f->n_columns, q = varies->n_columns;
    bd_mixed_term *term = bd_arena_alloc(arena, 1, sizeof *term);
    const double **columns = bd_arena_alloc(arena, p + q, sizeof *columns);
    const char **names = bd_arena_alloc(arena, p + q, sizeof *names);
    for (size_t j = 0; j < p + q; j++) {
        columns[j] = j < p ? f->columns[j].values : varies->columns[j - p].values;
        names[j] = j < p ? f->columns[j].name : varies->columns[j - p].name;
    }
    *term = (bd_mixed_term){.group = f->varying->groups->codes,
                            .n_groups = f->varying->groups->n_levels,
                            .group_name = group,
                            .n_random = q,
                            .random = columns + p,
                            .random_names = names + p};
    return (bd_mixed_design){.n_rows = f->n_rows,
                             .n_columns = p,
                             .columns = columns,
                             .names = names,
                             .has_intercept = f->has_intercept,
                             .response = f->response,
                             .response_name = f->response_name,
                             .n_terms = 1,
                             .terms = term};
}

static const bd_mixed *fit_of(const bd_mixed_design *design, bool reml)
{
    bd_mixed_options options = BD_MIXED_DEFAULTS;
    const bd_mixed_model *model;
    const bd_mixed *fit;
    options.reml = reml;
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
    const double *fit, *estimates, *se, *df, *p, *covariances, *effects;
} expected;

#define EXPECTED(name) \
    {name##_fit, name##_estimates, name##_se, name##_df, name##_p, name##_covariances, name##_effects}

/* R's theta is that of Newton's steps on a numerical gradient: about nine digits. lme4 lists the effects by coefficient. */
static void assert_fit(const bd_mixed *fit, const expected *e)
{
    const bd_mixed_random *random = fit->random;
    const size_t q = random->n_random;
    assert_near(fit->deviance, e->fit[0], 1e-11);
    assert_near(fit->sigma, e->fit[1], 1e-8);
    for (size_t j = 0; j < fit->n_columns; j++) {
        assert_near(fit->coefficients[j].estimate, e->estimates[j], 1e-8);
        assert_near(fit->coefficients[j].se, e->se[j], 1e-8);
        assert_near(fit->coefficients[j].df, e->df[j], 1e-6);
        assert_near(log(fit->coefficients[j].p), log(e->p[j]), 1e-7);
    }
    for (size_t i = 0; i < q; i++)
        assert_near(random->covariance[i * q + i], e->covariances[i], 1e-7);
    if (q == 2 && random->covariance[1] != 0)
        assert_near(random->covariance[1], e->covariances[2], 1e-6);
    for (size_t g = 0; g < 2; g++) {
        assert_near(random->effects[g * q], e->effects[g], 2e-6);
        assert_near(random->effect_se[g * q], e->effects[2 + g], 1e-7);
    }
}

static void test_mixed__slopes_of_sleepstudy_agree_with_lme4(void **state)
{
    static const expected reml = EXPECTED(slopes_reml), ml = EXPECTED(slopes_ml);
    const bd_mixed_design design = design_of("sleepstudy", "Reaction ~ Days", "1 + Days", "Subject");
    (void)state;
    assert_fit(fit_of(&design, true), &reml);
    assert_fit(fit_of(&design, false), &ml);
}

static void test_mixed__independent_slopes_agree_with_lme4(void **state)
{
    static const expected reml = EXPECTED(independent_reml), ml = EXPECTED(independent_ml);
    bd_mixed_design design = design_of("sleepstudy", "Reaction ~ Days", "1 + Days", "Subject");
    (void)state;
    static const uint8_t apart[] = {0, 1};
    bd_mixed_term term = *design.terms;
    term.blocks = apart;
    design.terms = &term;
    assert_fit(fit_of(&design, true), &reml);
    assert_fit(fit_of(&design, false), &ml);
}

static void test_mixed__weights_and_uneven_groups_agree_with_lme4(void **state)
{
    static const expected weighted = EXPECTED(weighted_reml), weighted_ml = EXPECTED(weighted_ml);
    static const expected uneven = EXPECTED(uneven_reml), uneven_ml = EXPECTED(uneven_ml);
    bd_mixed_design design = design_of("sleepstudy", "Reaction ~ Days", "1", "Subject");
    double *weights = bd_arena_alloc(arena, design.n_rows, sizeof *weights);
    (void)state;
    for (size_t i = 0; i < design.n_rows; i++)
        weights[i] = (double)(1 + i % 3);
    design.weights = weights;
    assert_fit(fit_of(&design, true), &weighted);
    assert_fit(fit_of(&design, false), &weighted_ml);
    design = design_of("sleepstudy", "Reaction ~ Days", "1 + Days", "Subject");
    for (size_t i = 0; i < design.n_rows; i++) /* rows without weight are left out */
        weights[i] = (i + 1) * 7 % 10 < 3 + (design.terms->group[i] + 1) % 7;
    design.weights = weights;
    assert_fit(fit_of(&design, true), &uneven);
    assert_fit(fit_of(&design, false), &uneven_ml);
}

static void test_mixed__batches_with_and_without_variance_agree_with_lme4(void **state)
{
    static const expected reml = EXPECTED(dyestuff_reml), ml = EXPECTED(dyestuff_ml);
    static const expected none = EXPECTED(dyestuff2_reml), none_ml = EXPECTED(dyestuff2_ml);
    bd_mixed_design design = design_of("dyestuff", "Yield ~ 1", "1", "Batch");
    (void)state;
    assert_fit(fit_of(&design, true), &reml);
    assert_fit(fit_of(&design, false), &ml);
    design = design_of("dyestuff2", "Yield ~ 1", "1", "Batch");
    const bd_mixed *fit = fit_of(&design, true);
    assert_fit(fit, &none);
    assert_int_equal(fit->end, BD_MIXED_BOUNDARY);
    assert_string_equal(fit->random->singular, "(Intercept)");
    assert_fit(fit_of(&design, false), &none_ml);
}

/* Errors, then degrees of freedom, as pbkrtest has them. */
static void assert_kenward_roger(const bd_mixed_design *design, const double *wanted, const double *joint, double tolerance)
{
    const double weights[] = {1, 0, 0, 1, 1, 1};
    bd_mixed_joint test;
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
    if (joint == NULL)
        return;
    must(bd_mixed_joint_test(fit, weights, 3, arena, &test));
    assert_near(test.f, joint[0], tolerance);
    assert_int_equal(test.df, (size_t)joint[1]);
    assert_near(test.df_denominator, joint[2], 10 * tolerance);
    assert_near(log(test.p), log(joint[3]), 10 * tolerance);
}

static void test_mixed__kenward_and_rogers_errors_agree_with_pbkrtest(void **state)
{
    static const uint8_t apart[] = {0, 1};
    bd_mixed_options options = BD_MIXED_DEFAULTS;
    bd_mixed_design design = design_of("sleepstudy", "Reaction ~ Days", "1 + Days", "Subject");
    bd_mixed_term term = *design.terms;
    const bd_mixed_model *model;
    const bd_mixed *fit;
    (void)state;
    assert_kenward_roger(&design, slopes_reml_kenward_roger, slopes_reml_kenward_roger_joint, 1e-8);
    term.blocks = apart;
    design.terms = &term;
    assert_kenward_roger(&design, independent_reml_kenward_roger, independent_reml_kenward_roger_joint, 1e-8);
    design = design_of("sleepstudy", "Reaction ~ Days", "1 + Days", "Subject");
    double *weights = bd_arena_alloc(arena, design.n_rows, sizeof *weights);
    for (size_t i = 0; i < design.n_rows; i++)
        weights[i] = (i + 1) * 7 % 10 < 3 + (design.terms->group[i] + 1) % 7;
    design.weights = weights;
    assert_kenward_roger(&design, uneven_reml_kenward_roger, uneven_reml_kenward_roger_joint, 1e-8);
    design = design_of("dyestuff", "Yield ~ 1", "1", "Batch");
    assert_kenward_roger(&design, dyestuff_reml_kenward_roger, NULL, 1e-8);
    design = design_of("dyestuff2", "Yield ~ 1", "1", "Batch");
    assert_kenward_roger(&design, dyestuff2_reml_kenward_roger, NULL, 1e-8);
    options.df = BD_MIXED_KENWARD_ROGER;
    options.reml = false;
    must(bd_mixed_prepare(&design, arena, &model));
    assert_int_equal(bd_mixed_fit(model, &options, arena, &fit), BD_EUSAGE);
}

/* F, its two degrees of freedom and p; the third contrast is the sum of the others. */
static void assert_joint(const bd_mixed_design *design, bool reml, const double *wanted)
{
    const double weights[] = {1, 0, 0, 1, 1, 1};
    bd_mixed_joint test;
    must(bd_mixed_joint_test(fit_of(design, reml), weights, 3, arena, &test));
    assert_near(test.f, wanted[0], 1e-7);
    assert_int_equal(test.df, (size_t)wanted[1]);
    assert_near(test.df_denominator, wanted[2], 1e-6);
    assert_near(log(test.p), log(wanted[3]), 1e-7);
}

static void test_mixed__joint_tests_agree_with_lmertest(void **state)
{
    bd_mixed_design design = design_of("sleepstudy", "Reaction ~ Days", "1 + Days", "Subject");
    double *weights = bd_arena_alloc(arena, design.n_rows, sizeof *weights);
    const double none[] = {0, 0};
    bd_mixed_joint test;
    (void)state;
    assert_joint(&design, true, slopes_reml_joint);
    assert_joint(&design, false, slopes_ml_joint);
    assert_int_equal(bd_mixed_joint_test(fit_of(&design, true), none, 1, arena, &test), BD_EUSAGE);
    for (size_t i = 0; i < design.n_rows; i++)
        weights[i] = (double)(1 + i % 3);
    design.weights = weights;
    bd_mixed_term term = *design.terms;
    term.n_random = 1;
    design.terms = &term;
    assert_joint(&design, true, weighted_reml_joint);
    assert_joint(&design, false, weighted_ml_joint);
}

/* A group that counts twice is the data with that group written twice, under another name. */
static void test_mixed__replicates_are_fits_of_the_groups_drawn(void **state)
{
    bd_mixed_design design = design_of("sleepstudy", "Reaction ~ Days", "1 + Days", "Subject"), twice = design;
    const size_t n = design.n_rows, extra = 10;
    double *y = bd_arena_alloc(arena, n + extra, sizeof *y), *x = bd_arena_alloc(arena, n + extra, sizeof *x);
    uint32_t *group = bd_arena_alloc(arena, n + extra, sizeof *group);
    const double *columns[] = {NULL, x}, *random[] = {NULL, x};
    const uint32_t *group_of = design.terms->group;
    bd_mixed_term term = *design.terms;
    const bd_mixed_model *model;
    const bd_mixed *fit = NULL;
    double counts[18], values[6];
    size_t m = 0;
    (void)state;
    for (size_t i = 0; i < n; i++) /* without group 5, and group 3 twice */
        for (size_t copy = 0; copy < (group_of[i] == 5 ? 0u : group_of[i] == 3 ? 2u : 1u); copy++) {
            y[m] = design.response[i];
            x[m] = design.columns[1][i];
            group[m++] = copy == 1 ? 5 : group_of[i];
        }
    twice.n_rows = m;
    twice.response = y;
    twice.columns = columns;
    term.random = random;
    term.group = group;
    twice.terms = &term;
    const bd_mixed *again = fit_of(&twice, true);
    for (size_t g = 0; g < 18; g++)
        counts[g] = g == 5 ? 0 : g == 3 ? 2 : 1;
    must(bd_mixed_prepare(&design, arena, &model));
    must(bd_mixed_fit(model, &BD_MIXED_DEFAULTS, arena, &fit));
    double *scratch = bd_arena_alloc(arena, bd_mixed_scratch(model), sizeof *scratch);
    assert_int_equal(bd_mixed_replicate(model, fit, counts, scratch, values), BD_MIXED_CONVERGED);
    assert_near(values[0], again->coefficients[0].estimate, 1e-9);
    assert_near(values[1], again->coefficients[1].estimate, 1e-9);
    assert_near(values[2], again->random->relative[0], 1e-7);
    assert_near(values[3], again->random->relative[2], 1e-6);
    assert_near(values[4], again->random->relative[3], 1e-7);
    assert_near(values[5], again->sigma, 1e-9);
}

static void assert_refused(const bd_mixed_design *design, bd_status status, const char *words)
{
    const bd_mixed_model *model;
    assert_int_equal(bd_mixed_prepare(design, arena, &model), status);
    if (strstr(bd_message(), words) == NULL)
        fail_msg("no '%s' in '%s'", words, bd_message());
}

static void test_mixed__says_what_it_cannot_do(void **state)
{
    bd_mixed_design design = design_of("sleepstudy", "Reaction ~ Days", "1 + Days", "Subject"), bad = design;
    uint32_t *groups = bd_arena_alloc(arena, design.n_rows, sizeof *groups);
    double *same = bd_arena_alloc(arena, design.n_rows, sizeof *same);
    const double *constant[] = {NULL, same};
    bd_mixed_term term = *design.terms;
    (void)state;
    bad.terms = &term;
    term.group = groups;
    term.n_groups = 1;
    assert_refused(&bad, BD_EDATA, "only one group");
    for (size_t i = 0; i < design.n_rows; i++)
        groups[i] = (uint32_t)i;
    term.n_groups = design.n_rows;
    assert_refused(&bad, BD_EDATA, "a group of 'Subject' of its own");
    for (size_t i = 0; i < design.n_rows; i++)
        groups[i] = (uint32_t)i / 2;
    term.n_groups = design.n_rows / 2;
    assert_refused(&bad, BD_EDATA, "cannot be told apart");
    term = *design.terms;
    term.random = constant;
    assert_refused(&bad, BD_EDATA, "cannot have a slope that varies");
    bad = design;
    bad.columns = constant;
    assert_refused(&bad, BD_EDATA, "the same in every row");
    double *by_group = bd_arena_alloc(arena, design.n_rows, sizeof *by_group);
    for (size_t i = 0; i < design.n_rows; i++)
        by_group[i] = design.terms->group[i] % 3;
    bad = design;
    bad.response = by_group;
    assert_refused(&bad, BD_EDATA, "does not vary within");
    bad = design;
    bad.response = same;
    assert_refused(&bad, BD_EDATA, "the outcome 'Reaction' is the same");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_mixed__slopes_of_sleepstudy_agree_with_lme4),
        TEST(test_mixed__independent_slopes_agree_with_lme4),
        TEST(test_mixed__weights_and_uneven_groups_agree_with_lme4),
        TEST(test_mixed__batches_with_and_without_variance_agree_with_lme4),
        TEST(test_mixed__kenward_and_rogers_errors_agree_with_pbkrtest),
        TEST(test_mixed__joint_tests_agree_with_lmertest),
        TEST(test_mixed__replicates_are_fits_of_the_groups_drawn),
        TEST(test_mixed__says_what_it_cannot_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
