/* Tests of terms, against R (scripts/reference-terms.R). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include <bordin/analyses/glm_regression.h>
#include <bordin/analyses/regression.h>
#include <bordin/data/csv.h>

#include "fixture.h"

static const bd_frame *jobs(const char *formula, const char *where)
{
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_frame_spec spec = {.formula = formula, .where = where};
    const bd_wanted *wanted;
    const bd_table *table;
    const bd_frame *frame;
    size_t n_wanted;
    must(bd_frame_wanted(&spec, arena, &wanted, &n_wanted));
    must(bd_csv_read("datasets/jobs2_mediation/jobs.csv", wanted, n_wanted, &csv, arena, &table));
    must(bd_frame_build(table, &spec, arena, &frame));
    return frame;
}

typedef struct expected {
    const char *term;
    double df, values[4]; /* Wald and p, likelihood ratio and p */
} expected;

static void assert_tests(const bd_term_tests *tests, const expected *wanted, size_t n, size_t n_values, double tolerance)
{
    assert_int_equal(tests->n, n);
    for (size_t t = 0; t < n; t++) {
        const bd_term_test *test = &tests->tests[t];
        const double found[] = {test->statistic, test->p, test->ratio, test->ratio_p};
        assert_string_equal(test->term, wanted[t].term);
        assert_true(test->df == wanted[t].df);
        for (size_t k = 0; k < n_values; k++)
            if (!(fabs(found[k] - wanted[t].values[k]) <= tolerance * fabs(wanted[t].values[k])))
                fail_msg("%s %zu: %.15g, not %.15g", test->term, k, found[k], wanted[t].values[k]);
        for (size_t k = n_values; k < 4; k++)
            assert_true(isnan(found[k]));
    }
}

/* Main effects of an interaction are part of it, and have no test. */
static void test_term_tests__least_squares_by_the_errors_asked_for(void **state)
{
    static const expected hc3[] = {{"econ_hard", 1, {36.7741721070258, 1.96016007727234e-09}},
                                   {"occp", 6, {1.07510542921664, 0.375561830674896}},
                                   {"age:sex", 1, {0.0261174764718612, 0.871650512759235}}};
    bd_regression_options options = BD_REGRESSION_DEFAULTS;
    const bd_regression *regression;
    (void)state;
    options.se = &bd_se_hc3;
    must(bd_regress(jobs("depress2 ~ econ_hard + occp + age * sex", NULL), &options, arena, &regression));
    assert_tests(regression->terms, hc3, 3, 2, 1e-9);
    must(bd_regress(jobs("depress2 ~ econ_hard + age", NULL), &options, arena, &regression));
    assert_null(regression->terms);
}

static void test_term_tests__generalised_with_likelihood_ratios(void **state)
{
    static const expected binomial[] = {
        {"econ_hard", 1, {0.107139917892639, 0.743424093185873, 0.107144815411061, 0.743418435486628}},
        {"occp", 6, {19.71041102101, 0.00311784687564159, 20.5190051441067, 0.00223756310339045}},
        {"age:sex", 1, {0.14832343164155, 0.700142723234865, 0.148687349873512, 0.69979294295205}}};
    bd_glm_regression_options options = BD_GLM_REGRESSION_DEFAULTS;
    const bd_glm_regression *regression;
    (void)state;
    must(bd_glm_regress(jobs("comply ~ econ_hard + occp + age * sex", "treat == 1"), &options, arena, &regression));
    assert_tests(regression->terms, binomial, 3, 4, 1e-9);
    options.se = &bd_se_hc3;
    must(bd_glm_regress(jobs("comply ~ econ_hard + occp", "treat == 1"), &options, arena, &regression));
    assert_true(isnan(regression->terms->tests[1].ratio) && regression->terms->tests[1].p < 0.01);
}

/* R takes the dispersion from the last step but one: eight digits. */
static void test_term_tests__f_where_the_dispersion_is_estimated(void **state)
{
    static const expected gamma = {"occp", 6, {1.3174548209875, 0.246461057497406, 1.31820631068938, 0.246123787292404}};
    bd_glm_regression_options options = BD_GLM_REGRESSION_DEFAULTS;
    const bd_glm_regression *regression;
    (void)state;
    options.family = &bd_gamma;
    options.link = &bd_log;
    must(bd_glm_regress(jobs("depress2 ~ econ_hard + occp", NULL), &options, arena, &regression));
    const bd_term_tests second = {.tests = regression->terms->tests + 1, .n = 1};
    assert_tests(&second, &gamma, 1, 4, 1e-8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_term_tests__least_squares_by_the_errors_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_term_tests__generalised_with_likelihood_ratios, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_term_tests__f_where_the_dispersion_is_estimated, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
