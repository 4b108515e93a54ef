/* Where generalised models end: separation, data that no model fits, and what must not change a fit. */
#include "models/glm_sample.h"

#include "models/glm_reference.h"

/* A fit of y on an intercept and the columns. */
static const bd_glm *fit_small(size_t n, const double *y, size_t p, const double *const *columns,
                               const bd_family *family, bool firth)
{
    static const char *const names[] = {"(Intercept)", "a", "b", "c"};
    const double **with_constant = bd_arena_alloc(arena, p + 1, sizeof *with_constant);
    memcpy(with_constant + 1, columns, p * sizeof *columns);
    const bd_glm_design design = {.base = {.n_rows = n,
                                           .n_columns = p + 1,
                                           .columns = with_constant,
                                           .names = names,
                                           .response = y,
                                           .response_name = "y",
                                           .has_intercept = true}};
    const bd_glm_options options = {.level = 0.95, .firth = firth};
    const bd_glm *fit;
    must(bd_glm_fit(&design, family, NULL, &bd_se_classical, &options, arena, &fit));
    return fit;
}

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

static void test_glm__counts_without_overdispersion_are_poisson(void **state)
{
    (void)state;
    double x[30], y[30];
    for (int i = 0; i < 30; i++) {
        x[i] = i % 3;
        y[i] = i % 3 + i % 2;
    }
    const bd_glm *negbin = fit_small(30, y, 1, (const double *const[]){x}, &bd_negbin, false);
    const bd_glm *poisson = fit_small(30, y, 1, (const double *const[]){x}, &bd_poisson, false);
    assert_int_equal(negbin->end, BD_GLM_NO_OVERDISPERSION);
    assert_true(isinf(negbin->theta));
    assert_near("estimate", negbin->coefficients[1].estimate, poisson->coefficients[1].estimate, 1e-12);
    assert_near("log-likelihood", negbin->log_likelihood, poisson->log_likelihood, 1e-12);
}

static void assert_message(const bd_glm_design *design, const bd_family *family, const bd_link *link,
                           const bd_se_estimator *se, bool firth, bd_status status, const char *message)
{
    const bd_glm_options options = {.level = 0.95, .firth = firth};
    const bd_glm *fit;
    assert_int_equal(bd_glm_fit(design, family, link, se, &options, arena, &fit), status);
    assert_string_equal(bd_message(), message);
}

static void refuse(const bd_glm_design *design, const bd_family *family, const char *message)
{
    assert_message(design, family, NULL, &bd_se_classical, false, BD_EDATA, message);
}

static void test_glm__responses_out_of_range_are_named(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    s.binary[3] = 2;
    refuse(&s.design, &bd_binomial, "'y' is 2 in row 4; a binary outcome is 0 or 1 (or successes among trials)");
    refuse(&s.design, &bd_quasi_binomial, "'y' is 2 in row 4; a proportion is from 0 to 1");
    s.binary[3] = NAN;
    refuse(&s.design, &bd_binomial, "the response 'y' has a value that is not a number in row 4");
    s.design.base.response = s.count;
    s.count[6] = -1;
    refuse(&s.design, &bd_poisson, "'y' is -1 in row 7; counts are 0 or more");
    s.count[6] = 0.5;
    refuse(&s.design, &bd_negbin, "'y' is 0.5 in row 7; counts are whole (quasi-poisson takes amounts)");
    fit_glm(&s.design, &bd_quasi_poisson, NULL, &bd_se_classical);
    s.design.base.response = s.positive;
    s.positive[1] = 0;
    refuse(&s.design, &bd_gamma, "'y' is 0 in row 2; family gamma takes values above 0");
    refuse(&s.design, &bd_inverse_gaussian, "'y' is 0 in row 2; family inverse-gaussian takes values above 0");
}

static void test_glm__an_outcome_of_one_category_is_refused(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    for (size_t i = 0; i < N; i++)
        s.binary[i] = 1;
    refuse(&s.design, &bd_binomial, "the outcome 'y' is 1 in every row; there is nothing to tell apart");
    s.design.trials = s.binary;
    refuse(&s.design, &bd_binomial,
           "the outcome 'y' is all of the trials in every row; there is nothing to tell apart");
    s.design.trials = NULL;
    memset(s.binary, 0, sizeof s.binary);
    refuse(&s.design, &bd_poisson, "the outcome 'y' is 0 in every row; there is nothing to tell apart");
}

static void test_glm__trials_offsets_and_weights_out_of_range_are_named(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    s.design.base.response = s.successes;
    s.design.trials = s.trials;
    s.trials[5] = 0;
    refuse(&s.design, &bd_binomial, "the number of trials in row 6 is 0; it is whole and 1 or more");
    s.trials[5] = 2;
    s.successes[5] = 3;
    refuse(&s.design, &bd_binomial, "'y' is 3 in row 6, of 2 trials; successes are whole, from 0 to the trials");
    s.design.trials = NULL;
    s.design.base.response = s.count;
    s.design.offset = s.offset;
    s.offset[8] = -INFINITY;
    refuse(&s.design, &bd_poisson, "the offset in row 9 is -inf; it is a finite number (a log of 0?)");
    s.design.base.weights = s.w;
    s.w[2] = -1;
    refuse(&s.design, &bd_poisson, "the weight in row 3 is -1; weights are 0 or more");
}

static void test_glm__designs_that_identify_nothing_are_refused(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    s.design.base.n_rows = 3;
    refuse(&s.design, &bd_binomial, "4 coefficients cannot be estimated with an error from 3 rows; it takes 4 or more");
    s.design.base.n_rows = N;
    s.columns[3] = s.x1;
    assert_message(&s.design, &bd_binomial, NULL, &bd_se_classical, false, BD_ENUMERIC,
                   "'z' is a linear combination of 'x1'; leave one out");
    for (size_t i = 0; i < N; i++)
        s.w[i] = 7;
    s.columns[3] = s.w;
    refuse(&s.design, &bd_binomial, "'z' is the same in every row");
    s.w[11] = INFINITY;
    refuse(&s.design, &bd_binomial, "'z' has a value that is not a number in row 12");
    s.design.base.n_columns = 0;
    refuse(&s.design, &bd_binomial, "there is nothing to estimate: no predictors and no intercept");
}

static void test_glm__choices_that_do_not_go_together_are_refused(void **state)
{
    (void)state;
    sample s;
    const bd_family *family;
    const bd_link *link;
    make_sample(&s);
    assert_message(&s.design, &bd_binomial, &bd_sqrt, &bd_se_classical, false, BD_EUSAGE,
                   "family binomial does not take the link 'sqrt'; it takes logit, probit, cloglog, loglog, cauchit, "
                   "log, identity");
    assert_message(&s.design, &bd_binomial, &bd_probit, &bd_se_classical, true, BD_EUSAGE,
                   "Firth's penalised likelihood is for family binomial with the link logit");
    assert_message(&s.design, &bd_binomial, NULL, &bd_se_hc3, true, BD_EUSAGE,
                   "Firth's penalised likelihood takes classical standard errors, not hc3");
    s.design.trials = s.trials;
    assert_message(&s.design, &bd_gaussian, NULL, &bd_se_classical, false, BD_EUSAGE,
                   "family gaussian takes no trials; binomial and quasi-binomial do");
    s.design.trials = NULL;
    s.design.base.cluster = NULL;
    assert_message(&s.design, &bd_binomial, NULL, &bd_se_cr1, false, BD_EDATA,
                   "cr1 needs clusters, and none are given");
    assert_int_equal(bd_family_find("beta", &family), BD_EUSAGE);
    assert_string_equal(bd_message(), "no family named 'beta'; there are binomial, poisson, negbin, gamma, gaussian, "
                                      "inverse-gaussian, quasi-binomial, quasi-poisson");
    assert_int_equal(bd_link_find("tobit", &link), BD_EUSAGE);
    assert_string_equal(bd_message(), "no link named 'tobit'; there are logit, probit, cloglog, loglog, cauchit, log, "
                                      "identity, inverse, sqrt, 1/mu^2");
}

static void test_glm__names_find_every_family_and_link(void **state)
{
    (void)state;
    const bd_family *family = NULL;
    const bd_link *link = NULL;
    for (size_t i = 0; bd_families[i] != NULL; i++) {
        must(bd_family_find(bd_family_name(bd_families[i]), &family));
        assert_ptr_equal(family, bd_families[i]);
        assert_true(strlen(bd_family_summary(family)) > 0);
    }
    for (size_t i = 0; bd_links[i] != NULL; i++) {
        must(bd_link_find(bd_link_name(bd_links[i]), &link));
        assert_ptr_equal(link, bd_links[i]);
        assert_true(strlen(bd_link_summary(link)) > 0);
    }
}

static void test_glm__a_weight_of_two_is_the_row_twice(void **state)
{
    (void)state;
    sample s;
    double twice[4][2 * N], y[2 * N], w[N];
    make_sample(&s);
    size_t n = 0;
    for (size_t i = 0; i < N; i++) {
        w[i] = i % 2 == 0 ? 1 : 2;
        for (size_t k = 0; k < 1 + i % 2; k++, n++) {
            y[n] = s.binary[i];
            for (size_t j = 1; j < 4; j++)
                twice[j][n] = s.columns[j][i];
        }
    }
    const bd_glm *rows = fit_small(n, y, 3, (const double *const[]){twice[1], twice[2], twice[3]}, &bd_binomial, false);
    s.design.base.weights = w;
    const bd_glm *weighted = fit_glm(&s.design, &bd_binomial, NULL, &bd_se_classical);
    for (size_t j = 0; j < 4; j++) {
        assert_near("estimate", weighted->coefficients[j].estimate, rows->coefficients[j].estimate, 1e-11);
        assert_near("se", weighted->coefficients[j].se, rows->coefficients[j].se, 1e-11);
    }
    assert_near("log-likelihood", weighted->log_likelihood, rows->log_likelihood, 1e-12);
    assert_near("whole", weighted->whole_statistic, rows->whole_statistic, 1e-10);
    assert_near("Tjur", weighted->tjur, rows->tjur, 1e-11);
}

static void test_glm__bits_do_not_depend_on_the_number_of_threads(void **state)
{
    (void)state;
    enum { MANY = 30000 };
    double *x = bd_arena_alloc(arena, MANY, sizeof *x), *z = bd_arena_alloc(arena, MANY, sizeof *z);
    double *y = bd_arena_alloc(arena, MANY, sizeof *y);
    for (size_t i = 0; i < MANY; i++) {
        x[i] = (double)(i * 7919 % 10007) / 5000;
        z[i] = (double)(i * 104729 % 30011) / 15000;
        y[i] = floor(exp(0.3 * x[i] - 0.2 * z[i] + (double)(i * 31 % 97) / 50));
    }
    const char *const names[] = {"(Intercept)", "x", "z"};
    const double *const columns[] = {NULL, x, z};
    const bd_family *const families[] = {&bd_poisson, &bd_negbin};
    for (size_t f = 0; f < 2; f++) {
        const bd_glm *fits[3];
        for (int threads = 1; threads <= 3; threads++) {
            const bd_glm_design design = {.base = {.n_rows = MANY,
                                                   .n_columns = 3,
                                                   .columns = columns,
                                                   .names = names,
                                                   .response = y,
                                                   .response_name = "y",
                                                   .has_intercept = true,
                                                   .n_threads = threads}};
            fits[threads - 1] = fit_glm(&design, families[f], NULL, &bd_se_classical);
        }
        for (size_t t = 1; t < 3; t++) {
            assert_memory_equal(fits[t]->coefficients, fits[0]->coefficients, 3 * sizeof *fits[0]->coefficients);
            assert_memory_equal(fits[t]->covariance, fits[0]->covariance, 9 * sizeof(double));
            assert_true(fits[t]->deviance == fits[0]->deviance && fits[t]->aic == fits[0]->aic);
        }
    }
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
        cmocka_unit_test_setup_teardown(test_glm__counts_without_overdispersion_are_poisson, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__responses_out_of_range_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__an_outcome_of_one_category_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__trials_offsets_and_weights_out_of_range_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__designs_that_identify_nothing_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__choices_that_do_not_go_together_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__names_find_every_family_and_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__a_weight_of_two_is_the_row_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__bits_do_not_depend_on_the_number_of_threads, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
