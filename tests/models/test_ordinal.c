/* Cumulative link models held to ordinal::clm, MASS::polr and sandwich: Rscript scripts/reference-other-models.R
 * ordinal */
#include "models/other_sample.h"

#include <bordin/models/ordinal.h>

static sample rows;
static uint32_t category[N];
static const double *columns[] = {rows.x1, rows.x2, rows.z};
static const char *const levels[] = {"none", "mild", "moderate", "severe", "extreme"};
static bd_ordinal_design design;

static int make_design(void **state)
{
    make_sample(&rows);
    for (size_t i = 0; i < N; i++) {
        const double latent =
            0.8 * rows.x1[i] - 0.5 * rows.x2[i] + 0.6 * rows.z[i] + log(rows.noise[i] / (1 - rows.noise[i]));
        category[i] = latent > 1.2 ? 3 : latent > 0 ? 2 : latent > -1.5;
    }
    design = (bd_ordinal_design){.n_rows = N,
                                 .n_columns = 3,
                                 .columns = columns,
                                 .names = sample_names + 1,
                                 .category = category,
                                 .n_categories = 4,
                                 .levels = levels,
                                 .response_name = "severity",
                                 .cluster = rows.cluster,
                                 .n_clusters = 20};
    return set_up(state);
}

static const bd_ordinal *fit_with(const char *link, const bd_se_estimator *se)
{
    const bd_ordinal *fit = NULL;
    must(bd_ordinal_fit(&design, link, se, &BD_LIKELIHOOD_DEFAULTS, arena, &fit));
    assert_int_equal(fit->fit->end, BD_LIKELIHOOD_CONVERGED);
    return fit;
}

typedef struct link_values {
    const char *link;
    double estimates[6], errors[6], log_likelihood;
    double tolerance;
} link_values;

static const link_values all_links[] = {
    {"logit",
     {0.911923698358589, -0.392273668978597, 0.579672521356075, -1.39270359636744, 0.138844249500439, 1.4074400237134},
     {0.128468682369387, 0.170231117338284, 0.280999770099354, 0.316417906733889, 0.30494563266584, 0.320625731252305},
     -241.408062149519,
     1e-11},
    {"probit",
     {0.539959313176094, -0.236193681395095, 0.359901343820892, -0.820021394363708, 0.0906740679571662,
      0.83992530442316},
     {0.0727472162654338, 0.101309059466479, 0.167147377570466, 0.186168829066655, 0.183087874720307,
      0.188963815061947},
     -241.102747169868,
     1e-11},
    {"cloglog",
     {0.559973896610138, -0.259212121126963, 0.349133638563837, -1.37181691038559, -0.324743400452615,
      0.416265683848759},
     {0.0781457912375103, 0.106559069820663, 0.176117870252255, 0.215591055069846, 0.194226525838602,
      0.186289037606121},
     -241.752510332636,
     1e-11},
    {"loglog",
     {0.562816869112724, -0.22988590942038, 0.461203237192318, -0.395239338451718, 0.578368017959105, 1.5357305815045},
     {0.0809080936895962, 0.113015298815053, 0.186312274546833, 0.199014661613361, 0.212376898531274,
      0.242648308811918},
     -245.268052374516,
     1e-11},
    {"cauchit",
     {0.868977404001126, -0.364336003332336, 0.506891635620765, -1.42956023789555, 0.106969523298149, 1.39031866938263},
     {0.153734101098335, 0.163055360358731, 0.268648254734394, 0.324257863683993, 0.273620301393637, 0.320950921722359},
     -245.782218377089,
     1e-10},
};

/* clm stops when its gradient is below 1e-13; but with cauchit six digits
 * early, and there the reference goes on by Newton's method. */
static void test_ordinal__agrees_with_clm_for_every_link(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof all_links / sizeof all_links[0]; k++) {
        const bd_ordinal *fit = fit_with(all_links[k].link, &bd_se_classical);
        assert_string_equal(fit->link, bd_ordinal_links[k]);
        assert_coefficients(fit->fit->coefficients, 6, all_links[k].estimates, all_links[k].errors,
                            all_links[k].tolerance);
        assert_close(fit->fit->log_likelihood, all_links[k].log_likelihood, 1e-13);
    }
}

static void test_ordinal__gives_sandwich_errors(void **state)
{
    (void)state;
    const bd_se_estimator *const estimators[] = {&bd_se_hc0, &bd_se_cr0, &bd_se_cr1};
    const double errors[3][6] = {
        {0.129537594449905, 0.165001069839588, 0.279149337779364, 0.319952474385054, 0.2958252346766,
         0.320972803812649},
        {0.150815230840327, 0.197851729663082, 0.184532471712363, 0.455167884554729, 0.326051929932489,
         0.364389448193798},
        {0.154733162006901, 0.202991591556926, 0.189326321233651, 0.466992396117546, 0.334522221766319,
         0.373855685575092},
    };
    for (size_t k = 0; k < 3; k++)
        assert_coefficients(fit_with("logit", estimators[k])->fit->coefficients, 6, all_links[0].estimates, errors[k],
                            1e-11);
}

static void test_ordinal__tests_coefficients_and_all_slopes(void **state)
{
    (void)state;
    const bd_ordinal *fit = fit_with("logit", &bd_se_classical);
    const double z = 0.911923698358589 / 0.128468682369387;
    assert_close(fit->slopes[0].z, z, 1e-11);
    assert_close(fit->slopes[0].ci_low, 0.911923698358589 - 1.95996398454005 * 0.128468682369387, 1e-11);
    assert_close(fit->slopes[0].ci_high, 0.911923698358589 + 1.95996398454005 * 0.128468682369387, 1e-11);
    assert_close(fit->null_log_likelihood, -272.721703441895, 1e-13);
    assert_close(fit->whole_statistic, 2 * (272.721703441895 - 241.408062149519), 1e-12);
    assert_true(fit->whole_df == 3);
    assert_close(fit->fit->aic, 2 * 241.408062149519 + 12, 1e-13);
    assert_close(fit->fit->bic, 2 * 241.408062149519 + 6 * log(200), 1e-13);
}

static void test_ordinal__predicts_probabilities(void **state)
{
    (void)state;
    const double first[] = {0.462935933229971, 0.336539514027359, 0.134635006949928, 0.0658895457927428};
    const double seventh[] = {0.359548450547192, 0.36241527604519, 0.180316312186554, 0.0977199612210634};
    const bd_ordinal *fit = fit_with("logit", &bd_se_classical);
    for (size_t k = 0; k < 4; k++)
        assert_close(fit->probabilities[k], first[k], 1e-12);
    for (size_t k = 0; k < 4; k++)
        assert_close(fit->probabilities[6 * 4 + k], seventh[k], 1e-12);
}

static void test_ordinal__weights_count_rows(void **state)
{
    (void)state;
    const double estimates[] = {0.917562936064399, -0.482555061425047, 0.696516546770478,
                                -1.43757858811233, 0.0878541634956178, 1.39339638654172};
    const double errors[] = {0.0818165791327827, 0.108155406095223, 0.179508852657122,
                             0.20212855242043,   0.19457897019745,  0.203722252971658};
    design.weights = rows.weights;
    assert_coefficients(fit_with("logit", &bd_se_classical)->fit->coefficients, 6, estimates, errors, 1e-11);
}

/* Randall's (1989) wine, as in the ordinal package; the values are also those of Christensen (2019), p. 9. */
static void test_ordinal__agrees_with_the_published_wine(void **state)
{
    (void)state;
    static const char ratings[] = "233444551213235423325544323232532343333332322454112223232223333412323244";
    static double warm[72], contact[72];
    static uint32_t rating[72];
    const double *x[] = {warm, contact};
    const double estimates[] = {2.50310200789956, 1.52779765809535, -1.34438341126502,
                                1.25080879841678, 3.4668869264749,  5.00640420427088};
    const double errors[] = {0.528680100824928, 0.476622629648342, 0.517102045324353,
                             0.437880202961644, 0.597760424608544, 0.730906343667083};
    for (size_t i = 0; i < 72; i++) {
        rating[i] = (uint32_t)(ratings[i] - '1');
        warm[i] = (i & 4) > 0;
        contact[i] = (i & 2) > 0;
    }
    design = (bd_ordinal_design){.n_rows = 72,
                                 .n_columns = 2,
                                 .columns = x,
                                 .names = sample_names,
                                 .category = rating,
                                 .n_categories = 5,
                                 .levels = levels,
                                 .response_name = "rating"};
    const bd_ordinal *fit = fit_with("logit", &bd_se_classical);
    assert_coefficients(fit->fit->coefficients, 6, estimates, errors, 1e-11);
    assert_close(fit->fit->log_likelihood, -86.4919233656491, 1e-13);
}

/* Likelihood ratios of clm with `nominal = ~ x1` and so on, which is what nominal_test does. */
static void test_ordinal__tests_parallel_slopes_as_nominal_test_does(void **state)
{
    (void)state;
    const double statistics[2][4] = {{1.1516013176298, 1.52892240514581, 0.330047340192209, 2.85003831268955},
                                     {0.603538671083015, 1.51299629019456, 0.313969229691452, 2.27570964808911}};
    const double p[2][4] = {{0.562254514507687, 0.465584719255036, 0.847873634599978, 0.827419594501613},
                            {0.739508623574069, 0.46930699782412, 0.854717208672645, 0.892676553044497}};
    for (size_t k = 0; k < 2; k++) {
        const bd_ordinal_parallel *tests;
        size_t n_tests;
        must(bd_ordinal_test(&design, bd_ordinal_links[k], NULL, arena, &tests, &n_tests));
        assert_int_equal(n_tests, 4);
        for (size_t j = 0; j < 4; j++) {
            assert_int_equal(tests[j].end, BD_LIKELIHOOD_CONVERGED);
            assert_true(tests[j].df == (j < 3 ? 2 : 6));
            assert_close(tests[j].statistic, statistics[k][j], 1e-10);
            assert_close(tests[j].p, p[k][j], 1e-10);
        }
        assert_string_equal(tests[2].name, "z");
        assert_null(tests[3].name);
    }
}

static void test_ordinal__tests_the_columns_of_a_term_together(void **state)
{
    (void)state;
    const size_t terms[] = {0, 1, 1}, everything[] = {4, 4, 4};
    const bd_ordinal_parallel *tests;
    size_t n_tests;
    must(bd_ordinal_test(&design, "logit", terms, arena, &tests, &n_tests));
    assert_int_equal(n_tests, 3);
    assert_true(tests[1].df == 4);
    must(bd_ordinal_test(&design, "logit", everything, arena, &tests, &n_tests));
    assert_int_equal(n_tests, 2);
    assert_close(tests[0].statistic, 2.85003831268955, 1e-10);
}

static void test_ordinal__slopes_do_not_feel_a_large_mean(void **state)
{
    (void)state;
    static double far[N];
    const double *with[] = {far, rows.x2, rows.z};
    const bd_ordinal *near = fit_with("logit", &bd_se_classical);
    for (size_t i = 0; i < N; i++)
        far[i] = rows.x1[i] * 1024 + 1073741824; /* by powers of two, nothing is rounded off */
    design.columns = with;
    const bd_ordinal *fit = fit_with("logit", &bd_se_classical);
    assert_close(fit->slopes[0].estimate * 1024, near->slopes[0].estimate, 1e-8);
    assert_close(fit->slopes[1].estimate, near->slopes[1].estimate, 1e-8);
    assert_close(fit->slopes[1].se, near->slopes[1].se, 1e-8);
    assert_close(fit->thresholds[1].estimate, near->thresholds[1].estimate + 1048576 * near->slopes[0].estimate, 1e-8);
}

static bd_likelihood_end replicate(const bd_ordinal *fit, const double *weights, double *estimates)
{
    double *scratch = bd_arena_alloc(arena, bd_likelihood_scratch(fit->likelihood), sizeof *scratch);
    assert_non_null(scratch);
    return bd_likelihood_replicate(fit->likelihood, weights, fit->fit->working, scratch, estimates);
}

static void test_ordinal__a_replicate_is_the_weighted_fit(void **state)
{
    (void)state;
    double estimates[6];
    const bd_ordinal *fit = fit_with("logit", &bd_se_classical);
    assert_int_equal(replicate(fit, rows.weights, estimates), BD_LIKELIHOOD_CONVERGED);
    design.weights = rows.weights;
    const bd_ordinal *weighted = fit_with("logit", &bd_se_classical);
    for (size_t j = 0; j < 6; j++)
        assert_close(estimates[j], weighted->fit->coefficients[j].estimate, 1e-12);
}

static void test_ordinal__replicates_say_how_they_end(void **state)
{
    (void)state;
    double estimates[6], weights[N];
    const bd_ordinal *fit = fit_with("logit", &bd_se_classical);
    for (size_t i = 0; i < N; i++)
        weights[i] = category[i] != 2;
    assert_int_equal(replicate(fit, weights, estimates), BD_LIKELIHOOD_EMPTY);
    for (size_t i = 0; i < N; i++)
        weights[i] = rows.z[i];
    assert_int_equal(replicate(fit, weights, estimates), BD_LIKELIHOOD_COLLINEAR);
    for (size_t i = 0; i < N; i++)
        weights[i] = (category[i] == 3) == (rows.z[i] > 0);
    assert_int_equal(replicate(fit, weights, estimates), BD_LIKELIHOOD_SEPARATED);
}

static void test_ordinal__names_separation(void **state)
{
    (void)state;
    static double above[N];
    const double *with[] = {above, rows.x2};
    const bd_ordinal *fit;
    for (size_t i = 0; i < N; i++)
        above[i] = category[i] > 1;
    design.columns = with;
    design.n_columns = 2;
    for (size_t k = 0; bd_ordinal_links[k] != NULL && k < 4; k++) {
        must(bd_ordinal_fit(&design, bd_ordinal_links[k], &bd_se_classical, &BD_LIKELIHOOD_DEFAULTS, arena, &fit));
        assert_string_equal(bd_likelihood_end_name(fit->fit->end), "separated");
        assert_true(isnan(fit->slopes[0].se));
    }
}

static void test_ordinal__is_the_same_for_any_number_of_threads(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    static double x[MANY];
    static uint32_t answers[MANY];
    const double *with[] = {x};
    const bd_ordinal *fits[3];
    for (uint32_t i = 0; i < MANY; i++) {
        x[i] = i * 37 % 1009 / 100.0;
        answers[i] = i * 7919 % 4001 / 1001;
    }
    design = (bd_ordinal_design){.n_rows = MANY,
                                 .n_columns = 1,
                                 .columns = with,
                                 .names = sample_names,
                                 .category = answers,
                                 .n_categories = 4,
                                 .levels = levels,
                                 .response_name = "answer"};
    for (int k = 0; k < 3; k++) {
        design.n_threads = k + 1;
        fits[k] = fit_with("logit", &bd_se_classical);
        assert_memory_equal(fits[k]->fit->coefficients, fits[0]->fit->coefficients, 4 * sizeof *fits[0]->slopes);
    }
    double ones[MANY], estimates[4];
    for (size_t i = 0; i < MANY; i++)
        ones[i] = 1;
    assert_int_equal(replicate(fits[0], ones, estimates), BD_LIKELIHOOD_CONVERGED);
    for (size_t j = 0; j < 4; j++)
        assert_close(estimates[j], fits[0]->fit->coefficients[j].estimate, 1e-13);
}

static void refuses_fit(const char *link, const bd_se_estimator *se, bd_status status, const char *sentence)
{
    const bd_ordinal *fit;
    refuses(bd_ordinal_fit(&design, link, se, &BD_LIKELIHOOD_DEFAULTS, arena, &fit), status, sentence);
}

static void test_ordinal__says_what_is_wrong_with_the_data(void **state)
{
    (void)state;
    static double other[N];
    const double *with[] = {rows.x1, other, rows.z};
    const char *const names[] = {"x1", "dose", "z"};
    const bd_ordinal_parallel *tests;
    size_t n_tests;
    refuses_fit("log", &bd_se_classical, BD_EUSAGE,
                "ordered categories have no link named 'log'; there are logit, probit, cloglog, loglog and cauchit");
    refuses_fit("logit", &bd_se_hc3, BD_EUSAGE,
                "hc3 is not defined for ordered categories; there are classical, hc0, cr0 and cr1");
    design.cluster = NULL;
    refuses_fit("logit", &bd_se_cr0, BD_EDATA, "cr0 needs clusters, and none are given");
    design.n_categories = 5;
    refuses_fit("logit", &bd_se_classical, BD_EDATA,
                "no row has category 'extreme' of 'severity'; leave it out, or join it with another");
    design.n_categories = 4;
    design.columns = with;
    design.names = names;
    refuses_fit("logit", &bd_se_classical, BD_EDATA, "'dose' is the same in every row");
    for (size_t i = 0; i < N; i++)
        other[i] = 2 * rows.x1[i] - rows.z[i];
    with[1] = rows.z;
    with[2] = other;
    refuses_fit("logit", &bd_se_classical, BD_ENUMERIC,
                "'z' is a linear combination of 'x1' and 'dose'; leave one out");
    other[6] = NAN;
    refuses_fit("logit", &bd_se_classical, BD_EDATA, "'z' has a value that is not a number in row 7");
    other[6] = 1;
    rows.weights[2] = -1;
    design.weights = rows.weights;
    refuses_fit("logit", &bd_se_classical, BD_EDATA, "the weight in row 3 is -1; weights are 0 or more");
    design.n_categories = 1;
    refuses_fit("logit", &bd_se_classical, BD_EDATA, "the response 'severity' has one category; it takes two or more");
    refuses(bd_ordinal_test(&design, "logit", NULL, arena, &tests, &n_tests), BD_EDATA,
            "with two categories of 'severity' there is one threshold, and nothing to test");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ordinal__agrees_with_clm_for_every_link, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_ordinal__gives_sandwich_errors, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_ordinal__tests_coefficients_and_all_slopes, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_ordinal__predicts_probabilities, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_ordinal__weights_count_rows, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_ordinal__agrees_with_the_published_wine, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_ordinal__tests_parallel_slopes_as_nominal_test_does, make_design,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_ordinal__tests_the_columns_of_a_term_together, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_ordinal__slopes_do_not_feel_a_large_mean, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_ordinal__a_replicate_is_the_weighted_fit, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_ordinal__replicates_say_how_they_end, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_ordinal__names_separation, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_ordinal__is_the_same_for_any_number_of_threads, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_ordinal__says_what_is_wrong_with_the_data, make_design, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
