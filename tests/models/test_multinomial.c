/* Multinomial logit held to nnet::multinom, polished: Rscript scripts/reference-other-models.R multinomial */
#include "models/other_sample.h"

#include <bordin/models/multinomial.h>

static sample rows;
static uint32_t category[N];
static const double *columns[] = {NULL, rows.x1, rows.x2, rows.z};
static const char *const levels[] = {"stayed", "left", "moved", "died"};
static bd_multinomial_design design;

static int make_design(void **state)
{
    make_sample(&rows);
    for (size_t i = 0; i < N; i++) {
        const double a = exp(0.3 + 0.7 * rows.x1[i] - 0.4 * rows.z[i]);
        const double b = exp(-0.2 - 0.3 * rows.x2[i] + 0.5 * rows.z[i]), total = 1 + a + b;
        category[i] = rows.noise[i] > (1 + a) / total ? 2 : rows.noise[i] > 1 / total;
    }
    design = (bd_multinomial_design){.n_rows = N,
                                     .n_columns = 4,
                                     .columns = columns,
                                     .names = sample_names,
                                     .has_intercept = true,
                                     .category = category,
                                     .n_categories = 3,
                                     .levels = levels,
                                     .response_name = "ending",
                                     .cluster = rows.cluster,
                                     .n_clusters = 20};
    return set_up(state);
}

static const bd_multinomial *fit_with(const bd_se_estimator *se)
{
    const bd_multinomial *fit = NULL;
    must(bd_multinomial_fit(&design, se, &BD_LIKELIHOOD_DEFAULTS, arena, &fit));
    return fit;
}

static const double estimates[] = {0.0520403836925961, 0.626677892008692, 0.205308441241745,   -0.330751606555406,
                                   -0.309121593726583, 0.197877288349442, -0.0891797367806878, 0.0402991413814411};

/* multinom stops after eight digits; Newton's method in R goes on, with errors by differences, good to ten. */
static void test_multinomial__agrees_with_multinom(void **state)
{
    (void)state;
    const bd_se_estimator *const estimators[] = {&bd_se_classical, &bd_se_hc0, &bd_se_cr0, &bd_se_cr1};
    const double errors[4][8] = {{0.378218521641025, 0.152121625166898, 0.217453918042678, 0.360526452913211,
                                  0.422427309427897, 0.173136096441225, 0.249367951622387, 0.40444659077557},
                                 {0.380301419331717, 0.152834586700091, 0.220102877890519, 0.35765035565258,
                                  0.424881387540169, 0.176890834068887, 0.24186809649015, 0.403814518562116},
                                 {0.54068920767194, 0.124443759281519, 0.249934024313774, 0.284115994294123,
                                  0.500069927483371, 0.140110305510269, 0.299549873930752, 0.229119780439292},
                                 {0.554735422277485, 0.127676603074934, 0.256426898395457, 0.291496859626919,
                                  0.513060920126732, 0.143750140357574, 0.307331686022789, 0.235071934765217}};
    for (size_t k = 0; k < 4; k++) {
        const bd_multinomial *fit = fit_with(estimators[k]);
        assert_int_equal(fit->fit->end, BD_LIKELIHOOD_CONVERGED);
        assert_coefficients(fit->coefficients, 8, estimates, errors[k], 1e-10);
    }
}

static void test_multinomial__compares_with_the_shares_alone(void **state)
{
    (void)state;
    const bd_multinomial *fit = fit_with(&bd_se_classical);
    assert_close(fit->fit->log_likelihood, -200.461463668263, 1e-13);
    assert_close(fit->null_log_likelihood, -211.772879843491, 1e-13);
    assert_close(fit->whole_statistic, 2 * (211.772879843491 - 200.461463668263), 1e-12);
    assert_true(fit->whole_df == 6);
    assert_close(fit->mcfadden, 1 - 200.461463668263 / 211.772879843491, 1e-12);
}

static void test_multinomial__predicts_probabilities(void **state)
{
    (void)state;
    const double third[] = {0.221984814490521, 0.609188717815375, 0.168826467694104};
    for (size_t reference = 0; reference < 3; reference++) {
        design.reference = reference;
        const bd_multinomial *fit = fit_with(&bd_se_classical);
        for (size_t k = 0; k < 3; k++)
            assert_close(fit->probabilities[2 * 3 + k], third[k], 1e-12);
    }
}

static void test_multinomial__tests_terms(void **state)
{
    (void)state;
    bd_multinomial_wald test;
    const bd_multinomial *fit = fit_with(&bd_se_classical);
    must(bd_multinomial_test(fit, 1, 1, arena, &test));
    assert_close(test.statistic, 17.7807674162132, 1e-10);
    assert_true(test.df == 2);
    assert_close(test.p, exp(-17.7807674162132 / 2), 1e-10);
    must(bd_multinomial_test(fit, 1, 2, arena, &test));
    assert_close(test.statistic, 19.2881314627045, 1e-10);
    assert_true(test.df == 4);
}

/* Against category 1, category 0 has the coefficients of 1 with the other sign. */
static void test_multinomial__the_reference_changes_signs_only(void **state)
{
    (void)state;
    design.reference = 1;
    const bd_multinomial *fit = fit_with(&bd_se_classical);
    assert_int_equal(fit->categories[0], 0);
    assert_int_equal(fit->categories[1], 2);
    for (size_t j = 0; j < 4; j++) {
        assert_close(fit->coefficients[j].estimate, -estimates[j], 1e-11);
        assert_close(fit->coefficients[4 + j].estimate, estimates[4 + j] - estimates[j], 1e-11);
    }
    assert_close(fit->fit->log_likelihood, -200.461463668263, 1e-13);
}

static bd_likelihood_end replicate(const bd_multinomial *fit, const double *weights, double *out)
{
    double *scratch = bd_arena_alloc(arena, bd_likelihood_scratch(fit->likelihood), sizeof *scratch);
    assert_non_null(scratch);
    return bd_likelihood_replicate(fit->likelihood, weights, fit->fit->working, scratch, out);
}

static void test_multinomial__replicates_are_weighted_fits(void **state)
{
    (void)state;
    double out[8], weights[N];
    const bd_multinomial *fit = fit_with(&bd_se_classical);
    assert_int_equal(replicate(fit, rows.weights, out), BD_LIKELIHOOD_CONVERGED);
    design.weights = rows.weights;
    const bd_multinomial *weighted = fit_with(&bd_se_classical);
    for (size_t j = 0; j < 8; j++)
        assert_close(out[j], weighted->coefficients[j].estimate, 1e-12);
    for (size_t i = 0; i < N; i++)
        weights[i] = category[i] > 0;
    assert_int_equal(replicate(fit, weights, out), BD_LIKELIHOOD_EMPTY);
    for (size_t i = 0; i < N; i++)
        weights[i] = rows.z[i] > 0;
    assert_int_equal(replicate(fit, weights, out), BD_LIKELIHOOD_COLLINEAR);
    for (size_t i = 0; i < N; i++)
        weights[i] = (category[i] == 1) == (rows.x1[i] > 0);
    assert_int_equal(replicate(fit, weights, out), BD_LIKELIHOOD_SEPARATED);
}

static void test_multinomial__names_separation(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i++)
        rows.z[i] = category[i] == 2;
    const bd_multinomial *fit = fit_with(&bd_se_classical);
    assert_int_equal(fit->fit->end, BD_LIKELIHOOD_SEPARATED);
    assert_int_equal(fit->fit->runs_off, 1);
    assert_true(isnan(fit->coefficients[7].se));
}

static void test_multinomial__says_what_is_wrong_with_the_data(void **state)
{
    (void)state;
    const bd_multinomial *fit;
    design.n_categories = 4;
    refuses(bd_multinomial_fit(&design, &bd_se_classical, &BD_LIKELIHOOD_DEFAULTS, arena, &fit), BD_EDATA,
            "no row has category 'died' of 'ending'; leave it out, or join it with another");
    design.reference = 4;
    refuses(bd_multinomial_fit(&design, &bd_se_classical, &BD_LIKELIHOOD_DEFAULTS, arena, &fit), BD_EUSAGE,
            "the reference of 'ending' is category 5 of 4");
    design.n_categories = 1;
    refuses(bd_multinomial_fit(&design, &bd_se_classical, &BD_LIKELIHOOD_DEFAULTS, arena, &fit), BD_EDATA,
            "the response 'ending' has one category; it takes two or more");
    design.n_categories = 3;
    design.reference = 0;
    refuses(bd_multinomial_fit(&design, &bd_se_cr2, &BD_LIKELIHOOD_DEFAULTS, arena, &fit), BD_EUSAGE,
            "cr2 is not defined for multinomial logit; there are classical, hc0, cr0 and cr1");
    design.n_rows = 7;
    refuses(bd_multinomial_fit(&design, &bd_se_classical, &BD_LIKELIHOOD_DEFAULTS, arena, &fit), BD_EDATA,
            "8 coefficients cannot be estimated from 7 rows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_multinomial__agrees_with_multinom, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_multinomial__compares_with_the_shares_alone, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_multinomial__predicts_probabilities, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_multinomial__tests_terms, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_multinomial__the_reference_changes_signs_only, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_multinomial__replicates_are_weighted_fits, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_multinomial__names_separation, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_multinomial__says_what_is_wrong_with_the_data, make_design, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
