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
    assert_near(mixed->split.fixed_within, 0.08145785346, 1e-7);
    assert_near(mixed->split.fixed_between, 0.0002049982906, 1e-5);
    assert_near(mixed->split.random_between, 0.001611621879, 1e-5);
    assert_true(fabs(mixed->split.random_within) < 1e-15);
}

static void test_mixed_regression__shares_of_variance_and_tests_of_slopes(void **state)
{
    const bd_mixed_analysis *mixed = mixed_of(SLEEP, "Reaction ~ Days + (Days | Subject)");
    (void)state;
    assert_near(mixed->shares[0].share, 0.7216584577, 1e-6);
    assert_near(mixed->r2_marginal, 0.2786520426, 1e-6);
    assert_near(mixed->r2_conditional, 0.799218897, 1e-6);
    assert_near(mixed->split.fixed_within, 908.9533626, 1e-7);
    assert_near(mixed->split.random_within, 290.9576457, 1e-6);
    assert_near(mixed->split.random_between, 1408.72993, 1e-6);
    assert_int_equal(mixed->n_tests, 1);
    assert_near(mixed->tests[0].statistic, 42.83681344, 1e-8);
    assert_true(mixed->tests[0].df == 2);
    assert_near(mixed->tests[0].p, (exp(-42.83681344 / 2) + erfc(sqrt(42.83681344 / 2))) / 2, 1e-7);
}

static void test_mixed_regression__terms_are_tested_as_lmertest_and_pbkrtest_do(void **state)
{
    static const char *const formula = "Reaction ~ factor(Days) + (1 + Days | Subject)";
    const bd_mixed_analysis *mixed = mixed_of(SLEEP, formula);
    bd_mixed_analysis_options options = BD_MIXED_ANALYSIS_DEFAULTS;
    (void)state;
    assert_int_equal(mixed->terms->n, 1);
    const bd_term_test *test = mixed->terms->tests;
    assert_true(test->df == 9);
    assert_near(test->df_denominator, 74.886281703, 1e-8);
    assert_near(test->statistic, 5.68279475322, 1e-8);
    assert_near(test->p, 5.6604e-06, 1e-5);
    assert_near(test->ratio, 29.0337122821, 1e-9);
    options.fit.df = BD_MIXED_KENWARD_ROGER;
    must(mix(SLEEP, formula, options, &mixed));
    test = mixed->terms->tests;
    assert_near(test->df_denominator, 125.536952223, 1e-8);
    assert_near(test->statistic, 5.62382122401, 1e-8);
    assert_near(test->p, 1.62440591581e-06, 1e-7);
}

/* Of a balanced one-way layout the restricted likelihood ratio rises with F, so that p is that of F exactly. */
static void test_mixed_regression__ratios_that_are_drawn_have_the_p_of_an_exact_test(void **state)
{
    bd_mixed_analysis_options options = BD_MIXED_ANALYSIS_DEFAULTS;
    const bd_mixed_analysis *mixed = NULL, *two = NULL;
    const double exact = 0.0043975;
    (void)state;
    options.n_draws = 20000;
    options.draw_seed = 2;
    options.fit.n_threads = 1;
    must(mix("datasets/mixed/dyestuff.csv", "Yield ~ 1 + (1 | Batch)", options, &mixed));
    assert_true(fabs(mixed->tests[0].boot_p - exact) < 3 * sqrt(exact / 20000));
    options.fit.n_threads = 2;
    must(mix("datasets/mixed/dyestuff.csv", "Yield ~ 1 + (1 | Batch)", options, &two));
    assert_true(two->tests[0].boot_p == mixed->tests[0].boot_p);
    options.n_draws = 99;
    must(mix(SLEEP, "Reaction ~ Days + (1 + Days | Subject)", options, &mixed));
    assert_true(mixed->tests[0].boot_p == 0.01);
    assert_true(mixed->terms->tests[0].ratio_boot_p == 0.01);
    must(mix(SLEEP, "Reaction ~ I(Days == 4) + (1 | Subject)", options, &mixed));
    assert_near(mixed->terms->tests[0].ratio_boot_p, mixed->terms->tests[0].ratio_p, 0.5);
    assert_true(mixed->n_draws_failed == 0);
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

/* Mean and standard deviation of a value's replicates; within 4 % of what theory has, which is 4 of their own errors. */
static void assert_spread(const bd_replicates *replicates, size_t value, double mean, double sd)
{
    const double *values = replicates->values + value * replicates->n_replicates, n = (double)replicates->n_replicates;
    double sum = 0, squares = 0;
    for (size_t r = 0; r < replicates->n_replicates; r++)
        sum += values[r] / n;
    for (size_t r = 0; r < replicates->n_replicates; r++)
        squares += (values[r] - sum) * (values[r] - sum) / (n - 1);
    if (!(fabs(sum - mean) < 4 * sd / sqrt(n) + 0.01 * fabs(mean)) || !(fabs(sqrt(squares) / sd - 1) < 0.04))
        fail_msg("value %zu: mean %g and standard deviation %g, not %g and %g", value, sum, sqrt(squares), mean, sd);
}

static const bd_replicates *draws_of(const char *path, const char *formula, const bd_sampling *sampling)
{
    const bd_mixed_analysis *mixed = NULL;
    bd_mixed_analysis_options options = BD_MIXED_ANALYSIS_DEFAULTS;
    options.bootstrap = true;
    options.resampling.n_replicates = 5000;
    options.resampling.sampling = sampling;
    must(mix(path, formula, options, &mixed));
    assert_int_equal(mixed->bootstrap->replicates->n_ended[BD_REPLICATE_USABLE], 5000);
    return mixed->bootstrap->replicates;
}

/* In a balanced design the errors of the coefficients are known, and the residual variance is chi-squared. */
static void test_mixed_regression__drawn_errors_have_the_spread_of_theory(void **state)
{
    const char *formula = "Reaction ~ Days + (1 + Days | Subject)";
    const bd_replicates *parametric = draws_of(SLEEP, formula, &bd_sampling_parametric);
    (void)state;
    assert_spread(parametric, 0, 251.405105, 6.824557);
    assert_spread(parametric, 1, 10.467286, 1.545789);
    assert_spread(parametric, 4, 25.591796, 25.591796 / sqrt(2 * 144));
    const bd_replicates *residual = draws_of(SLEEP, formula, &bd_sampling_residuals);
    assert_spread(residual, 0, 251.405105, 6.824557);
    assert_spread(residual, 1, 10.467286, 1.545789);
    const bd_replicates *wild = draws_of(SLEEP, formula, &bd_sampling_wild); /* errors of maximum likelihood */
    assert_spread(wild, 0, 251.405105, 6.824557 * sqrt(17.0 / 18));
    assert_spread(wild, 1, 10.467286, 1.545789 * sqrt(17.0 / 18));
    const bd_replicates *crossed = draws_of("datasets/mixed/penicillin.csv", "diameter ~ (1 | plate) + (1 | sample)",
                                            &bd_sampling_parametric);
    assert_spread(crossed, 0, 22.972222, 0.808573);
    assert_spread(crossed, 3, 0.549923, 0.549923 / sqrt(2 * 115));
}

static void test_mixed_regression__draws_and_intervals_that_do_not_go_together(void **state)
{
    static const struct {
        const char *path, *formula, *words;
        const bd_sampling *sampling;
        const bd_interval_method *method;
    } cases[] = {
        {"datasets/mixed/penicillin.csv", "diameter ~ (1 | plate) + (1 | sample)", "cross", NULL, NULL},
        {"datasets/mixed/sleepstudy.csv", "Reaction ~ (1 | Subject)", "groups are resampled", &bd_sampling_two_stages,
         NULL},
        {"datasets/mixed/sleepstudy.csv", "Reaction ~ (1 | Subject)", "not drawn errors", &bd_sampling_parametric, &bd_bca},
    };
    const bd_mixed_analysis *mixed;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bd_mixed_analysis_options options = BD_MIXED_ANALYSIS_DEFAULTS;
        options.bootstrap = true;
        options.resampling.n_replicates = 100;
        options.resampling.sampling = cases[i].sampling;
        options.resampling.method = cases[i].method;
        assert_int_equal(mix(cases[i].path, cases[i].formula, options, &mixed), BD_EUSAGE);
        if (strstr(bd_message(), cases[i].words) == NULL)
            fail_msg("no '%s' in '%s'", cases[i].words, bd_message());
    }
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
        TEST(test_mixed_regression__terms_are_tested_as_lmertest_and_pbkrtest_do),
        TEST(test_mixed_regression__ratios_that_are_drawn_have_the_p_of_an_exact_test),
        TEST(test_mixed_regression__one_variance_is_tested_by_half_of_chi_squared),
        TEST(test_mixed_regression__replicates_are_the_same_for_any_number_of_threads),
        TEST(test_mixed_regression__drawn_errors_have_the_spread_of_theory),
        TEST(test_mixed_regression__draws_and_intervals_that_do_not_go_together),
        TEST(test_mixed_regression__says_what_is_wrong_with_a_formula),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
