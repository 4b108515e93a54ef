/* Separation, which leaves a likelihood without a maximum: found where it is, not found where it is not. */
#include "models/glm_sample.h"

#include "models/glm_reference.h"

static void assert_separated(const bd_glm *fit, const char *predictors, size_t n_rows)
{
    assert_int_equal(fit->end, BD_GLM_SEPARATED);
    assert_string_equal(fit->separation->predictors, predictors);
    assert_int_equal(fit->separation->n_rows, n_rows);
    for (size_t j = 0; j < fit->n_columns; j++) {
        assert_true(isnan(fit->coefficients[j].se) && isnan(fit->coefficients[j].p));
        assert_true((isinf(fit->coefficients[j].estimate) != 0) == fit->separation->columns[j]);
    }
}

static void test_glm__complete_separation_names_the_predictor(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3, 4, 5, 6, 7, 8}, noise[] = {3, 1, 4, 1, 5, 9, 2, 6}, y[] = {1, 1, 1, 0, 0, 0, 0, 0};
    const bd_glm *fit = fit_small(8, y, 2, (const double *const[]){noise, x}, &bd_binomial, false);
    assert_separated(fit, "'b'", 8);
    assert_true(fit->coefficients[2].estimate == -INFINITY && fit->coefficients[0].estimate == INFINITY);
}

/* Heinze & Schemper (2002): a binary predictor that never occurs with one outcome. */
static void test_glm__quasi_complete_separation_names_the_predictor(void **state)
{
    (void)state;
    const double x[] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 0}, z[] = {1, 2, 1, 2, 3, 1, 2, 3, 1, 1};
    const double y[] = {0, 1, 0, 1, 0, 1, 1, 1, 1, 0};
    const bd_glm *fit = fit_small(10, y, 2, (const double *const[]){x, z}, &bd_binomial, false);
    assert_separated(fit, "'a'", 3);
    assert_true(fit->coefficients[1].estimate == INFINITY && isfinite(fit->coefficients[2].estimate));
}

/* No column separates alone: y = 1 where a + b > 10, and only there. */
static void test_glm__a_separating_combination_names_its_columns(void **state)
{
    (void)state;
    double a[40], b[40], c[40], y[40];
    for (int i = 0; i < 40; i++) {
        a[i] = i * 7 % 13;
        b[i] = i * 5 % 11;
        c[i] = i * 3 % 17;
        y[i] = a[i] + b[i] > 10;
    }
    const bd_glm *fit = fit_small(40, y, 3, (const double *const[]){a, c, b}, &bd_binomial, false);
    assert_int_equal(fit->end, BD_GLM_SEPARATED);
    assert_true(fit->separation->columns[1] && fit->separation->columns[3]);
    assert_true(isinf(fit->coefficients[1].estimate) && isinf(fit->coefficients[3].estimate));
}

/* Quasi-complete, by a combination: where a = b both outcomes occur. */
static void test_glm__a_quasi_separating_combination_is_found(void **state)
{
    (void)state;
    const double a[] = {1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 3, 1}, b[] = {1, 2, 3, 4, 5, 3, 4, 4, 5, 7, 1, 0};
    const double y[] = {0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1};
    const bd_glm *fit = fit_small(12, y, 2, (const double *const[]){a, b}, &bd_binomial, false);
    assert_separated(fit, "'a' and 'b'", 7);
}

static void test_glm__counts_that_are_zero_in_a_group_are_separated(void **state)
{
    (void)state;
    const double group[] = {1, 1, 1, 0, 0, 0, 0, 0}, z[] = {1, 2, 3, 4, 3, 2, 1, 2}, y[] = {0, 0, 0, 2, 0, 1, 3, 2};
    assert_separated(fit_small(8, y, 2, (const double *const[]){z, group}, &bd_poisson, false), "'b'", 3);
}

/* Whether one of the cross products of two rows has all rows (1, a, b), turned by their outcome, on one side. */
static bool is_separated_by_search(size_t n, const double *a, const double *b, const double *y)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++) {
            const double d[] = {a[i] * b[k] - b[i] * a[k], b[i] - b[k], a[k] - a[i]};
            bool above = true, below = true, beside = true;
            for (size_t r = 0; r < n; r++) {
                const double side = (d[0] + d[1] * a[r] + d[2] * b[r]) * (y[r] == 1 ? 1 : -1);
                above = above && side >= 0;
                below = below && side <= 0;
                beside = beside && side == 0;
            }
            if (!beside && (above || below))
                return true;
        }
    return false;
}

/* Small whole numbers, so that exact combinations and ties abound. */
static void test_glm__separation_is_what_an_exhaustive_search_finds(void **state)
{
    (void)state;
    enum { ROWS = 14 };
    const bd_link *const links[] = {&bd_logit, &bd_probit, &bd_cloglog, &bd_loglog};
    const char *const names[] = {"(Intercept)", "a", "b"};
    uint32_t seed = 1;
    size_t counts[2] = {0};
    for (size_t trial = 0; trial < 2000; trial++) {
        const uint32_t most = 2 + (uint32_t)trial % 7;
        double a[ROWS], b[ROWS], y[ROWS];
        for (size_t i = 0; i < ROWS; i++) {
            seed = seed * 1664525 + 1013904223;
            a[i] = (seed >> 8) % most;
            b[i] = (seed >> 14) % most;
            y[i] = a[i] - b[i] + (seed >> 20) % 5 > 2;
        }
        const bd_glm_design design = {.base = {.n_rows = ROWS,
                                               .n_columns = 3,
                                               .columns = (const double *const[]){NULL, a, b},
                                               .names = names,
                                               .response = y,
                                               .response_name = "y",
                                               .has_intercept = true}};
        const bd_link *link = links[trial % 4];
        const bd_glm *fit;
        if (bd_glm_fit(&design, &bd_binomial, link, &bd_se_classical, &BD_GLM_DEFAULTS, arena, &fit) != BD_OK)
            continue; /* one category, or collinear */
        const bool separated = is_separated_by_search(ROWS, a, b, y);
        if (fit->end != (separated ? BD_GLM_SEPARATED : BD_GLM_CONVERGED))
            fail_msg("trial %zu: ends %d, separated %d", trial, (int)fit->end, separated);
        counts[separated]++;
    }
    assert_true(counts[0] > 200 && counts[1] > 200);
}

/* One row out of place among a thousand, and the estimate is large but finite. */
static void test_glm__large_finite_coefficients_are_not_separated(void **state)
{
    (void)state;
    static double x[1000], y[1000];
    for (int i = 0; i < 1000; i++) {
        x[i] = (i - 500) / 10.0;
        y[i] = i >= 500;
    }
    y[502] = 0;
    const bd_glm *fit = fit_small(1000, y, 1, (const double *const[]){x}, &bd_binomial, false);
    assert_int_equal(fit->end, BD_GLM_CONVERGED);
    assert_true(fit->coefficients[1].estimate > 9 && fit->coefficients[1].se < INFINITY);
    double score = 0;
    for (int i = 0; i < 1000; i++)
        score += x[i] * (y[i] - fit->mu[i]);
    assert_true(fabs(score) < 1e-10);
}

static void test_glm__firth_is_finite_where_the_outcomes_are_separated(void **state)
{
    (void)state;
    sample s;
    double apart[N];
    make_sample(&s);
    for (size_t i = 0; i < N; i++)
        apart[i] = s.x1[i] > 5;
    const bd_glm *fit = fit_small(N, apart, 2, (const double *const[]){s.x1, s.z}, &bd_binomial, true);
    assert_int_equal(fit->end, BD_GLM_CONVERGED);
    ASSERT_ALL("firth", fit, estimate, firth_separated_estimate, 1e-9);
    ASSERT_ALL("firth", fit, se, firth_separated_se, 1e-9);
    assert_true(fit->whole_statistic > 20 && fit->whole_p < 1e-4);
    assert_separated(fit_small(N, apart, 2, (const double *const[]){s.x1, s.z}, &bd_binomial, false), "'a'", N);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_glm__complete_separation_names_the_predictor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__quasi_complete_separation_names_the_predictor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__a_separating_combination_names_its_columns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__a_quasi_separating_combination_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__counts_that_are_zero_in_a_group_are_separated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__separation_is_what_an_exhaustive_search_finds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__large_finite_coefficients_are_not_separated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__firth_is_finite_where_the_outcomes_are_separated, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
