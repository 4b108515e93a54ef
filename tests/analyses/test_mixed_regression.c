/* Mixed regression from a formula to a document, against R (scripts/reference-mixed-analysis.R). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include <bordin/analyses/mixed.h>
#include <bordin/data/csv.h>

#include "fixture.h"

static bd_status mix(const char *path, const char *formula, bd_mixed_analysis_options options,
                     const bd_mixed_analysis **mixed)
{
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    bd_frame_spec spec = {0};
    const bd_wanted *wanted;
    const bd_table *table;
    const bd_frame *frame;
    size_t n_wanted;
    BD_TRY(bd_mixed_formula(formula, arena, &spec));
    options.formula = formula;
    BD_TRY(bd_frame_wanted(&spec, arena, &wanted, &n_wanted));
    BD_TRY(bd_csv_read(path, wanted, n_wanted, &csv, arena, &table));
    BD_TRY(bd_frame_build(table, &spec, arena, &frame));
    return bd_mix(frame, &options, arena, mixed);
}

static const bd_mixed_analysis *mixed_of(const char *path, const char *formula)
{
    const bd_mixed_analysis *mixed = NULL;
    must(mix(path, formula, BD_MIXED_ANALYSIS_DEFAULTS, &mixed));
    return mixed;
}

static void assert_near(double found, double wanted, double tolerance)
{
    if (!(fabs(found - wanted) <= tolerance * fabs(wanted)))
        fail_msg("%.12g, not %.12g", found, wanted);
}

static const char *const SLEEP = "datasets/mixed/sleepstudy.csv", *const JOBS = "datasets/jobs2_mediation/jobs.csv";

static void test_mixed_regression__within_between_and_contextual_effects(void **state)
{
    const bd_mixed_analysis *mixed =
        mixed_of(JOBS, "depress2 ~ within(econ_hard, occp) + between(econ_hard, occp) + depress1 + (1 | occp)");
    (void)state;
    assert_int_equal(mixed->n_contextual, 1);
    const bd_contextual *c = &mixed->contextual[0];
    assert_string_equal(c->variable, "econ_hard");
    assert_near(mixed->fit->coefficients[c->within].estimate, 0.04767471798, 1e-7);
    assert_near(mixed->fit->coefficients[c->between].estimate, -0.2491422504, 1e-7);
    assert_near(c->difference.estimate, -0.2968169683, 1e-7);
    assert_near(c->difference.se, 0.3114759465, 1e-6);
    assert_near(c->difference.df, 2.281059617, 1e-5);
    assert_near(c->difference.p, 0.4303695276, 1e-5);
    assert_near(mixed->tests[0].statistic, 0.347281064, 1e-7);
}

static void test_mixed_regression__shares_of_variance_and_tests_of_slopes(void **state)
{
    const bd_mixed_analysis *mixed = mixed_of(SLEEP, "Reaction ~ Days + (Days | Subject)");
    (void)state;
    assert_near(mixed->shares[0].share, 0.7216584577, 1e-6);
    assert_near(mixed->r2_marginal, 0.2786520426, 1e-6);
    assert_near(mixed->r2_conditional, 0.799218897, 1e-6);
    assert_int_equal(mixed->n_tests, 1);
    assert_near(mixed->tests[0].statistic, 42.83681344, 1e-8);
    assert_true(mixed->tests[0].df == 2);
    assert_near(mixed->tests[0].p, (exp(-42.83681344 / 2) + erfc(sqrt(42.83681344 / 2))) / 2, 1e-7);
}

static void test_mixed_regression__one_variance_is_tested_by_half_of_chi_squared(void **state)
{
    bd_mixed_analysis_options options = BD_MIXED_ANALYSIS_DEFAULTS;
    const bd_mixed_analysis *mixed = mixed_of("datasets/mixed/dyestuff.csv", "Yield ~ (1 | Batch)");
    (void)state;
    assert_near(mixed->shares[0].share, 1764.05 / (1764.05 + 2451.25), 1e-8); /* of the analysis of variance */
    assert_near(mixed->tests[0].statistic, 6.368955314, 1e-8);
    assert_near(mixed->tests[0].p, erfc(sqrt(6.368955314 / 2)) / 2, 1e-7);
    options.fit.reml = false;
    must(mix("datasets/mixed/dyestuff.csv", "Yield ~ 1 + (1 | Batch)", options, &mixed));
    assert_near(mixed->fit->aic, 333.3270599, 1e-9);
    assert_near(mixed->fit->bic, 337.530652, 1e-9);
}

static void test_mixed_regression__replicates_are_the_same_for_any_number_of_threads(void **state)
{
    const bd_mixed_analysis *one = NULL, *two = NULL;
    bd_mixed_analysis_options options = BD_MIXED_ANALYSIS_DEFAULTS;
    (void)state;
    options.bootstrap = true;
    options.resampling.n_replicates = 300;
    options.resampling.n_threads = 1;
    must(mix(SLEEP, "Reaction ~ Days + (1 + Days | Subject)", options, &one));
    options.resampling.n_threads = 2;
    must(mix(SLEEP, "Reaction ~ Days + (1 + Days | Subject)", options, &two));
    const bd_replicates *a = one->bootstrap->replicates, *b = two->bootstrap->replicates;
    assert_int_equal(a->n_values, 6);
    assert_memory_equal(a->values, b->values, 6 * 300 * sizeof(double));
    assert_near(a->estimates[1], one->fit->coefficients[1].estimate, 1e-9);
    assert_near(a->estimates[2], sqrt(one->fit->random[0].covariance[0]), 1e-7);
    assert_near(a->estimates[5], one->shares[0].share, 1e-7);
}

static void test_mixed_regression__says_what_is_wrong_with_a_formula(void **state)
{
    static const struct {
        const char *formula, *words;
    } cases[] = {
        {"Reaction ~ Days", "has no part that varies by group"},
        {"Reaction ~ Days | Subject", "stands in brackets"},
        {"Reaction ~ Days + log(1 | Subject)", "stands in brackets"},
        {"Reaction ~ (1 | Subject) + (Days | Subject)", "varies by 'Subject' in two parts"},
        {"Reaction ~ (1 | Subject / Days)", "every row is a group of 'Subject:Days'"},
        {"Reaction ~ (1 | Subject + Days)", "the name of a column"},
        {"Reaction ~ (0 | Subject)", "nothing varies by 'Subject'"},
        {"Reaction ~ (1 | Sujet)", "Subject"},
        {"Reaction ~ (1 | Reaction)", "Reaction"},
        {"~ Days + (1 | Subject)", ""},
    };
    const bd_mixed_analysis *mixed;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_not_equal(mix(SLEEP, cases[i].formula, BD_MIXED_ANALYSIS_DEFAULTS, &mixed), BD_OK);
        if (strstr(bd_message(), cases[i].words) == NULL)
            fail_msg("%s: no '%s' in '%s'", cases[i].formula, cases[i].words, bd_message());
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_mixed_regression__within_between_and_contextual_effects),
        TEST(test_mixed_regression__shares_of_variance_and_tests_of_slopes),
        TEST(test_mixed_regression__one_variance_is_tested_by_half_of_chi_squared),
        TEST(test_mixed_regression__replicates_are_the_same_for_any_number_of_threads),
        TEST(test_mixed_regression__says_what_is_wrong_with_a_formula),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
