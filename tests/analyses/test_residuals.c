/* Bootstraps of errors: their variances are known, so replicates are held to formulas. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/analyses/residuals.h>
#include <bordin/data/csv.h>

#include "analyses/refitted_mediation.h"
#include "fixture.h"

enum { MANY = 40000 };

static bd_ols_design design_of(void)
{
    static const char *const names[] = {"(Intercept)", "compliance"};
    static const double *columns[2];
    const bd_wanted wanted[] = {{"compliance", BD_USE_NUMBERS}, {"improvement", BD_USE_NUMBERS}};
    const bd_csv_options options = BD_CSV_DEFAULTS;
    const bd_table *table;
    must(bd_csv_read("datasets/adherence_cholostyramine/cholost.csv", wanted, 2, &options, arena, &table));
    columns[1] = bd_table_find(table, "compliance")->numbers;
    return (bd_ols_design){.n_rows = table->n_rows,
                           .n_columns = 2,
                           .columns = columns,
                           .names = names,
                           .response = bd_table_find(table, "improvement")->numbers,
                           .response_name = "improvement",
                           .has_intercept = true};
}

static const bd_replicates *draw(const bd_error_draw *how, size_t n, uint64_t seed, int n_threads)
{
    const bd_ols_design design = design_of();
    const bd_residual_options options = {.draw = how, .n_replicates = n, .seed = seed, .n_threads = n_threads,
                                         .standard_errors = true};
    const bd_replicates *replicates;
    must(bd_residual_bootstrap(&design, &options, arena, &replicates));
    return replicates;
}

static const bd_ols *fit_with(const bd_se_estimator *estimator)
{
    const bd_ols_design design = design_of();
    const bd_ols_options options = {.level = 0.95, .keep_residuals = true};
    const bd_ols *fit;
    must(bd_ols_fit(&design, estimator, &options, arena, &fit));
    return fit;
}

/* The mean of the replicates is the estimate, their standard deviation `se`: both within four standard errors. */
static void expect_moments(const bd_replicates *r, size_t value, double se)
{
    const double *x = r->values + value * r->n_replicates, n = (double)r->n_replicates;
    double mean = 0, squares = 0;
    for (size_t i = 0; i < r->n_replicates; i++)
        mean += (x[i] - r->estimates[value]) / n;
    for (size_t i = 0; i < r->n_replicates; i++)
        squares += (x[i] - r->estimates[value] - mean) * (x[i] - r->estimates[value] - mean);
    assert_true(fabs(mean) < 4 * se / sqrt(n));
    assert_true(fabs(sqrt(squares / (n - 1)) / se - 1) < 4 / sqrt(2 * n));
}

/* Given the data, a wild replicate's variance is sum (residual^2 / (1 - leverage)) ...: HC2's, to the letter. */
static void test_residuals__wild_has_the_variance_of_hc2(void **state)
{
    (void)state;
    const bd_ols *fit = fit_with(&bd_se_hc2);
    const bd_replicates *r = draw(&bd_draw_wild, MANY, 1, 2);
    for (size_t j = 0; j < 2; j++)
        expect_moments(r, j, fit->coefficients[j].se);
}

static void test_residuals__parametric_has_the_classical_variance(void **state)
{
    (void)state;
    const bd_ols *fit = fit_with(&bd_se_classical);
    const bd_replicates *r = draw(&bd_draw_parametric, MANY, 1, 2);
    for (size_t j = 0; j < 2; j++) {
        expect_moments(r, j, fit->coefficients[j].se);
        assert_true(r->errors[j] == fit->coefficients[j].se);
    }
    /* s*^2 is s^2 chi2(n - p) / (n - p) */
    double mean = 0;
    for (size_t i = 0; i < MANY; i++)
        mean += r->value_errors[MANY + i] * r->value_errors[MANY + i] / MANY;
    assert_true(fabs(mean / (r->errors[1] * r->errors[1]) - 1) < 4 * sqrt(2.0 / (162 * (double)MANY)));
}

/* Errors have the variance of the centred, scaled residuals: scripts/reference-residuals.R, R 4.2.2. */
static void test_residuals__residual_has_that_of_the_residuals(void **state)
{
    (void)state;
    const bd_replicates *r = draw(&bd_draw_residuals, MANY, 1, 2);
    expect_moments(r, 0, 3.4475420904196290);
    expect_moments(r, 1, 0.0496485630322283);
}

/* The slow way, intercept and all; rounding alone may part them. */
static void test_residuals__are_those_of_refitted_columns(void **state)
{
    (void)state;
    enum { N = 5, SEED = 7 };
    static const example one = {.file = "datasets/adherence_cholostyramine/cholost.csv", .n_fixed = 2, .n_columns = 3,
                                .columns = {"(Intercept)", "compliance", "improvement"}, .n_predictors = {2}};
    const slow s = slow_of(&one);
    for (size_t how = 0; how < N_DRAWS; how++) {
        const bd_replicates *fast = draw(draws[how]->errors, N, SEED, 2);
        for (uint32_t r = 0; r < N; r++) {
            double *simulated = numbers(s.n);
            draw_errors(&s, how, SEED, r, &simulated);
            for (size_t i = 0; i < s.n; i++)
                simulated[i] += s.fits[0]->coefficients[0].estimate +
                                s.fits[0]->coefficients[1].estimate * s.columns[1][i];
            const bd_ols *refitted = fit(&s, s.columns, 2, simulated);
            for (size_t j = 0; j < 2; j++) {
                const bd_coefficient *c = &refitted->coefficients[j];
                assert_true(fabs(fast->values[j * N + r] - c->estimate) <= 1e-10 * (fabs(c->estimate) + c->se));
                assert_true(fabs(fast->value_errors[j * N + r] - c->se) <= 1e-10 * c->se);
            }
        }
    }
}

static void test_residuals__are_identical_for_any_thread_count(void **state)
{
    (void)state;
    const bd_error_draw *const all[] = {&bd_draw_residuals, &bd_draw_wild, &bd_draw_parametric};
    for (size_t k = 0; k < 3; k++) {
        const bd_replicates *one = draw(all[k], 500, 3, 1), *three = draw(all[k], 500, 3, 3), *other = draw(all[k], 9, 4, 1);
        assert_memory_equal(one->values, three->values, 1000 * sizeof(double));
        assert_memory_equal(one->value_errors, three->value_errors, 1000 * sizeof(double));
        assert_true(one->values[0] != other->values[0]);
    }
}

static void test_residuals__weights_are_refused(void **state)
{
    (void)state;
    bd_ols_design design = design_of();
    const bd_residual_options options = {.draw = &bd_draw_wild, .n_replicates = 10, .seed = 1};
    const bd_replicates *replicates;
    design.weights = design.columns[1];
    assert_int_equal(bd_residual_bootstrap(&design, &options, arena, &replicates), BD_EUSAGE);
    assert_non_null(strstr(bd_message(), "weights"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_residuals__wild_has_the_variance_of_hc2, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_residuals__parametric_has_the_classical_variance, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_residuals__residual_has_that_of_the_residuals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_residuals__are_those_of_refitted_columns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_residuals__are_identical_for_any_thread_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_residuals__weights_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("residuals", tests, NULL, NULL);
}
