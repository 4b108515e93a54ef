/* Data and choices that no generalised model takes, and what must not change a fit. */
#include "models/glm_sample.h"

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
