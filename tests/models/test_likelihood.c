/* The driver of maximum likelihood: derivatives of every model, sums in blocks, and what it refuses. */
#include "models/other_sample.h"

#include <bordin/models/multinomial.h>
#include <bordin/models/ordinal.h>
#include <bordin/models/proportions.h>
#include <bordin/models/zero_inflated.h>

#include "models/likelihood_internal.h"

enum { MANY = 9000 };

static double x1[MANY], x2[MANY], share[MANY], count[MANY], trials[MANY], offset[MANY];
static uint32_t category[MANY], cluster[MANY];
static const double *columns[] = {NULL, x1, x2};
static const char *const levels[] = {"a", "b", "c", "d"};
static bd_predictor predictor;
static size_t n_rows;

static int make_design(void **state)
{
    for (uint32_t i = 0; i < MANY; i++) {
        x1[i] = i * 37 % 101 / 25.0 - 2;
        x2[i] = i * 13 % 89 / 30.0 + 100;
        share[i] = (i * 7919 % 1009 + 0.5) / 1009;
        count[i] = i * 31 % 7 < 3 ? 0 : i * 17 % 5;
        trials[i] = 5 + i % 8;
        category[i] = i * 7919 % 1009 / 253;
        offset[i] = i % 3 / 2.0;
        cluster[i] = i % 30;
    }
    n_rows = 150;
    predictor = (bd_predictor){.n_columns = 3, .columns = columns, .names = sample_names, .has_intercept = true};
    return set_up(state);
}

/* The score against differences of the log-likelihood, and the information against differences of the score, away from
 * the maximum. Central differences of 1e-5 keep about nine digits. */
static void assert_derivatives(const bd_likelihood *likelihood, const double *working)
{
    const size_t p = likelihood->n_coefficients, n_sums = likelihood_sums(likelihood);
    double here[128], low[128], high[128], moved[16];
    assert_true(p <= 10);
    must(bd_likelihood_evaluate_all(likelihood, working, false, arena, here));
    assert_true(n_sums <= 128 && isfinite(here[0]));
    for (size_t j = 0; j < p; j++) {
        const double step = 1e-4;
        memcpy(moved, working, p * sizeof *moved);
        moved[j] -= step;
        must(bd_likelihood_evaluate_all(likelihood, moved, false, arena, low));
        moved[j] += 2 * step;
        must(bd_likelihood_evaluate_all(likelihood, moved, false, arena, high));
        assert_close((high[0] - low[0]) / (2 * step), here[1 + j], 1e-6);
        for (size_t k = 0; k < p; k++)
            assert_close((low[1 + k] - high[1 + k]) / (2 * step), here[1 + p + j * p + k], 1e-6);
    }
}

/* Away from the maximum, by turns up and down. */
static void assert_model(const bd_likelihood *likelihood, const bd_likelihood_fit *fit)
{
    double working[16];
    assert_int_equal(fit->end, BD_LIKELIHOOD_CONVERGED);
    for (size_t j = 0; j < fit->n_coefficients; j++)
        working[j] = fit->working[j] + (j % 2 == 0 ? 0.3 : -0.2);
    assert_derivatives(likelihood, working);
}

static void test_likelihood__derivatives_of_cumulative_links(void **state)
{
    (void)state;
    const bd_ordinal_design design = {.n_rows = n_rows,
                                      .n_columns = 2,
                                      .columns = columns + 1,
                                      .names = sample_names + 1,
                                      .category = category,
                                      .n_categories = 4,
                                      .levels = levels,
                                      .response_name = "y",
                                      .offset = offset};
    for (size_t k = 0; bd_ordinal_links[k] != NULL; k++) {
        const bd_ordinal *fit;
        must(bd_ordinal_fit(&design, bd_ordinal_links[k], &bd_se_classical, &BD_LIKELIHOOD_DEFAULTS, arena, &fit));
        assert_model(fit->likelihood, fit->fit);
        assert_true(isnan(fit->null_log_likelihood));
    }
}

static void test_likelihood__derivatives_of_multinomial_logit(void **state)
{
    (void)state;
    const bd_multinomial_design design = {.n_rows = n_rows,
                                          .n_columns = 3,
                                          .columns = columns,
                                          .names = sample_names,
                                          .has_intercept = true,
                                          .category = category,
                                          .n_categories = 4,
                                          .reference = 2,
                                          .levels = levels,
                                          .response_name = "y"};
    const bd_multinomial *fit;
    must(bd_multinomial_fit(&design, &bd_se_classical, &BD_LIKELIHOOD_DEFAULTS, arena, &fit));
    assert_model(fit->likelihood, fit->fit);
}

static void test_likelihood__derivatives_of_zero_inflated_counts(void **state)
{
    (void)state;
    const bd_likelihood_model *const models[] = {&bd_zero_inflated_poisson, &bd_zero_inflated_negbin};
    const bd_zero_inflated_design design = {
        .n_rows = n_rows, .count = predictor, .zero = predictor, .response = count, .response_name = "y"};
    const bd_zero_inflated *fit;
    double working[16];
    must(bd_zero_inflated_fit(&design, models[0], &bd_se_classical, &BD_LIKELIHOOD_DEFAULTS, arena, &fit));
    assert_model(fit->likelihood, fit->fit);
    memcpy(working, fit->fit->working, 6 * sizeof *working);
    working[6] = 9; /* log(theta) is 9 over the root of the rows */
    must(bd_zero_inflated_fit(&design, models[1], &bd_se_classical, &BD_LIKELIHOOD_DEFAULTS, arena, &fit));
    assert_derivatives(fit->likelihood, working);
}

static void test_likelihood__derivatives_of_proportions(void **state)
{
    (void)state;
    const char *const links[] = {"logit", "probit", "cloglog", "loglog", "cauchit"};
    const char *const precisions[] = {"log", "sqrt", "identity", "logit-rho", "log"};
    bd_proportion_options options = BD_PROPORTION_DEFAULTS;
    bd_proportion_design design = {
        .n_rows = n_rows, .mean = predictor, .precision = predictor, .response = share, .response_name = "y"};
    const bd_proportion *fit;
    for (size_t k = 0; k < 5; k++) {
        options.mean_link = links[k];
        options.precision_link = precisions[k];
        design.trials = NULL;
        design.response = share;
        must(bd_proportion_fit(&design, &bd_beta, &options, &bd_se_classical, arena, &fit));
        assert_model(fit->likelihood, fit->fit);
        design.trials = trials;
        design.response = count;
        must(bd_proportion_fit(&design, &bd_beta_binomial, &options, &bd_se_classical, arena, &fit));
        assert_model(fit->likelihood, fit->fit);
    }
}

/* Three blocks of rows. */
static void test_likelihood__is_the_same_for_any_number_of_threads(void **state)
{
    (void)state;
    const bd_zero_inflated *fits[4];
    for (int k = 0; k < 4; k++) {
        const bd_zero_inflated_design design = {.n_rows = MANY,
                                                .count = predictor,
                                                .zero = predictor,
                                                .response = count,
                                                .response_name = "y",
                                                .cluster = cluster,
                                                .n_clusters = 30,
                                                .n_threads = k + 1};
        must(bd_zero_inflated_fit(&design, &bd_zero_inflated_poisson, &bd_se_cr1, &BD_LIKELIHOOD_DEFAULTS, arena,
                                  fits + k));
        assert_memory_equal(fits[k]->count, fits[0]->count, 6 * sizeof *fits[0]->count);
        assert_memory_equal(fits[k]->fit->covariance, fits[0]->fit->covariance, 36 * sizeof(double));
    }
}

static void refuses_fit(const bd_zero_inflated_design *design, const bd_se_estimator *se, bd_status status,
                        const char *sentence)
{
    const bd_zero_inflated *fit;
    refuses(bd_zero_inflated_fit(design, &bd_zero_inflated_poisson, se, &BD_LIKELIHOOD_DEFAULTS, arena, &fit), status,
            sentence);
}

static void test_likelihood__says_what_is_wrong_with_the_columns(void **state)
{
    (void)state;
    bd_zero_inflated_design design = {.n_rows = n_rows,
                                      .count = predictor,
                                      .zero = predictor,
                                      .response = count,
                                      .response_name = "y",
                                      .cluster = cluster,
                                      .n_clusters = 1};
    refuses_fit(&design, &bd_se_cr0, BD_EDATA, "cr0 needs two clusters or more, and there is one");
    refuses_fit(&design, &bd_se_hc4, BD_EUSAGE,
                "hc4 is not defined for zero-inflated Poisson; there are classical, hc0, cr0 and cr1");
    design.count.offset = offset;
    offset[7] = -INFINITY;
    refuses_fit(&design, &bd_se_hc0, BD_EDATA, "the 'offset' has a value that is not a number in row 8");
    design.count.offset = NULL;
    for (size_t i = 0; i < n_rows; i++)
        x2[i] = 1e200 * x1[i];
    refuses_fit(&design, &bd_se_hc0, BD_ENUMERIC,
                "the values of 'x2' are too large or too small to be squared; rescale it");
    for (size_t i = 0; i < n_rows; i++)
        x2[i] = 7;
    refuses_fit(&design, &bd_se_hc0, BD_EDATA, "'x2' is the same in every row");
    design.count.has_intercept = design.zero.has_intercept = false;
    design.count.columns = design.zero.columns = columns + 1;
    design.count.names = design.zero.names = sample_names + 1;
    design.count.n_columns = design.zero.n_columns = 2;
    for (size_t i = 0; i < n_rows; i++)
        x2[i] = 0;
    refuses_fit(&design, &bd_se_hc0, BD_EDATA, "'x2' is zero in every row");
}

static void test_likelihood__stops_after_the_iterations_allowed(void **state)
{
    (void)state;
    const bd_zero_inflated_design design = {
        .n_rows = n_rows, .count = predictor, .zero = predictor, .response = count, .response_name = "y"};
    const bd_likelihood_options options = {.level = 0.95, .max_iterations = 2};
    const bd_zero_inflated *fit;
    must(bd_zero_inflated_fit(&design, &bd_zero_inflated_poisson, &bd_se_classical, &options, arena, &fit));
    assert_string_equal(bd_likelihood_end_name(fit->fit->end), "not converged");
    assert_true(isnan(fit->count[0].se) && isnan(fit->count[0].p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_likelihood__derivatives_of_cumulative_links, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_likelihood__derivatives_of_multinomial_logit, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_likelihood__derivatives_of_zero_inflated_counts, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_likelihood__derivatives_of_proportions, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_likelihood__is_the_same_for_any_number_of_threads, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_likelihood__says_what_is_wrong_with_the_columns, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_likelihood__stops_after_the_iterations_allowed, make_design, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
