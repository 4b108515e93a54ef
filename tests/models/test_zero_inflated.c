/* Zero-inflated counts held to pscl::zeroinfl, polished: Rscript scripts/reference-other-models.R zero_inflated */
#include "models/other_sample.h"

#include <bordin/models/zero_inflated.h>

/* qnbinom of R, in hexadecimal digits. */
static const char counts[] =
    "003111006110002200005011200A110000031010500200020311055012009020010041000710200020100006023000230100"
    "311100802300030002060100000201010402000A120000301120020200003011090120002200000401100021000032011006";

static sample rows;
static double y[N];
static const double *columns[] = {NULL, rows.x1, rows.x2, rows.z};
static const double *zero_columns[] = {NULL, rows.x1, rows.z};
static const char *const zero_names[] = {"(Intercept)", "x1", "z"};
static bd_zero_inflated_design design;

static int make_design(void **state)
{
    make_sample(&rows);
    for (size_t i = 0; i < N; i++)
        y[i] = counts[i] == 'A' ? 10 : counts[i] - '0';
    design = (bd_zero_inflated_design){
        .n_rows = N,
        .count = {.n_columns = 4, .columns = columns, .names = sample_names, .has_intercept = true},
        .zero = {.n_columns = 3, .columns = zero_columns, .names = zero_names, .has_intercept = true},
        .response = y,
        .response_name = "sessions",
        .cluster = rows.cluster,
        .n_clusters = 20};
    return set_up(state);
}

static const bd_zero_inflated *fit_with(const bd_likelihood_model *model, const bd_se_estimator *se)
{
    const bd_zero_inflated *fit = NULL;
    must(bd_zero_inflated_fit(&design, model, se, &BD_LIKELIHOOD_DEFAULTS, arena, &fit));
    return fit;
}

typedef struct expected {
    const bd_likelihood_model *model;
    size_t n;
    double estimates[8], errors[4][8]; /* classical, hc0, cr0, cr1 */
    double log_likelihood, zeros, fifth_mean, fifth_zero;
} expected;

static const expected both[] = {
    {&bd_zero_inflated_poisson,
     7,
     {0.624441452047447, 0.491611249158199, -0.0911398915536546, 0.20171376421697, -0.367998804620589,
      0.00305946074317442, 0.41882266058821},
     {{0.183070491675615, 0.0822528552069444, 0.0944523152566273, 0.15981491248249, 0.272495940267794,
       0.189066242009934, 0.376403451045805},
      {0.239540196476316, 0.110367969796734, 0.110243890639006, 0.228718694991694, 0.294932439569296, 0.211982391158474,
       0.388954524669379},
      {0.337835487500427, 0.121217796061501, 0.134662945042846, 0.268196872156376, 0.400598001484797, 0.227587801188611,
       0.325105346530346},
      {0.346611896741573, 0.124366834646573, 0.138161266441993, 0.275164184929391, 0.411004877411978, 0.233500157218175,
       0.333551047687277}},
     -283.546775528317,
     112.07904580186,
     0.949782144420917,
     0.408935927024778},
    {&bd_zero_inflated_negbin,
     8,
     {0.238747054387393, 0.574694423882611, -0.0256472363141056, 0.17564460441121, -1.37734304648205, 0.328193049268755,
      0.664892088272096, 0.459823498675667},
     {{0.309346937697275, 0.115534954082063, 0.144006855501918, 0.265790596731859, 0.907885394962601, 0.453670732796475,
       0.645554643377927, 0.558138553391861},
      {0.308478923374501, 0.107250109320099, 0.121703857533391, 0.269239386795481, 0.84193871941057, 0.460147824292408,
       0.659622256634916, 0.502484241026906},
      {0.457953502546302, 0.105257843928069, 0.150056294174042, 0.273851370954011, 1.02685131938806, 0.43212922138292,
       0.551664233026031, 0.670732438993732},
      {0.469850379874079, 0.107992269257357, 0.153954509416688, 0.280965578287657, 1.05352722450223, 0.443355226442289,
       0.565995560704368, 0.688156962448845}},
     -274.149982157397,
     112.130538969851,
     0.92960609996672,
     0.19517532328705},
};

/* pscl stops after five digits; the reference goes on from there by Newton's method with numerical derivatives, which
 * leave the estimates ten digits and the errors eight. */
static void test_zero_inflated__agrees_with_pscl(void **state)
{
    (void)state;
    const bd_se_estimator *const estimators[] = {&bd_se_classical, &bd_se_hc0, &bd_se_cr0, &bd_se_cr1};
    for (size_t m = 0; m < 2; m++)
        for (size_t k = 0; k < 4; k++) {
            const bd_zero_inflated *fit = fit_with(both[m].model, estimators[k]);
            assert_int_equal(fit->fit->end, BD_LIKELIHOOD_CONVERGED);
            assert_int_equal(fit->fit->n_coefficients, both[m].n);
            assert_coefficients(fit->count, both[m].n, both[m].estimates, NULL, 1e-11);
            for (size_t j = 0; j < both[m].n; j++)
                assert_close(fit->count[j].se, both[m].errors[k][j], 1e-9);
            assert_close(fit->fit->log_likelihood, both[m].log_likelihood, 1e-13);
        }
}

static void test_zero_inflated__describes_its_rows(void **state)
{
    (void)state;
    for (size_t m = 0; m < 2; m++) {
        const bd_zero_inflated *fit = fit_with(both[m].model, &bd_se_classical);
        assert_true(fit->n_zeros == 112);
        assert_close(fit->expected_zeros, both[m].zeros, 1e-9);
        assert_close(fit->expected[4], both[m].fifth_mean, 1e-9);
        assert_close(fit->zero_for_good[4], both[m].fifth_zero, 1e-9);
        assert_true((fit->log_theta == NULL) == (m == 0));
        if (m == 1) {
            assert_close(fit->theta, exp(0.459823498675667), 1e-9);
            assert_close(fit->theta_se, exp(0.459823498675667) * 0.558138553391861, 1e-7);
        } else
            assert_true(isnan(fit->theta));
    }
}

/* The derivatives are those of the log-likelihood: at other places than the maximum, by differences. */
static void test_zero_inflated__replicates_are_weighted_fits(void **state)
{
    (void)state;
    double estimates[8];
    for (size_t m = 0; m < 2; m++) {
        design.weights = NULL;
        const bd_zero_inflated *fit = fit_with(both[m].model, &bd_se_classical);
        double *scratch = bd_arena_alloc(arena, bd_likelihood_scratch(fit->likelihood), sizeof *scratch);
        assert_non_null(scratch);
        assert_int_equal(bd_likelihood_replicate(fit->likelihood, rows.weights, fit->fit->working, scratch, estimates),
                         BD_LIKELIHOOD_CONVERGED);
        design.weights = rows.weights;
        const bd_zero_inflated *weighted = fit_with(both[m].model, &bd_se_classical);
        for (size_t j = 0; j < both[m].n; j++)
            assert_close(estimates[j], weighted->count[j].estimate, 1e-11);
        for (size_t i = 0; i < N; i++)
            scratch[i] = 0;
        double weights[N];
        for (size_t i = 0; i < N; i++)
            weights[i] = y[i] > 0;
        assert_int_equal(bd_likelihood_replicate(fit->likelihood, weights, fit->fit->working, scratch, estimates),
                         BD_LIKELIHOOD_EMPTY);
    }
}

/* An offset of log 2 halves the rate, and nothing else. */
static void test_zero_inflated__takes_an_offset(void **state)
{
    (void)state;
    static double offset[N];
    for (size_t i = 0; i < N; i++)
        offset[i] = M_LN2;
    design.count.offset = offset;
    const bd_zero_inflated *fit = fit_with(&bd_zero_inflated_negbin, &bd_se_classical);
    assert_close(fit->count[0].estimate, both[1].estimates[0] - M_LN2, 1e-9);
    for (size_t j = 1; j < 8; j++)
        assert_close(fit->count[j].estimate, both[1].estimates[j], 1e-9);
    assert_close(fit->expected[4], both[1].fifth_mean, 1e-9);
}

/* Evenly spread counts with one zero: fewer zeros than Poisson has, so that pi runs to 0. */
static void test_zero_inflated__says_when_there_are_no_excess_zeros(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i++)
        y[i] = i == 0 ? 0 : 3 + (double)(i % 3);
    design.count.n_columns = design.zero.n_columns = 1;
    y[0] = 0;
    for (size_t i = 1; i < N; i++)
        y[i] = (double)(1 + i % 2);
    const bd_zero_inflated *fit = fit_with(&bd_zero_inflated_poisson, &bd_se_classical);
    assert_int_equal(fit->fit->end, BD_LIKELIHOOD_AT_LIMIT);
    assert_int_equal(fit->fit->runs_off, 1);
}

static void test_zero_inflated__says_when_there_is_no_overdispersion(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i++)
        y[i] = i % 3 == 0 ? 0 : 4 + (double)(i % 2);
    design.count.n_columns = design.zero.n_columns = 1;
    const bd_zero_inflated *fit = fit_with(&bd_zero_inflated_negbin, &bd_se_classical);
    assert_int_equal(fit->fit->end, BD_LIKELIHOOD_AT_LIMIT);
    assert_int_equal(fit->fit->runs_off, 2);
}

static void test_zero_inflated__says_what_is_wrong_with_the_data(void **state)
{
    (void)state;
    const bd_zero_inflated *fit;
    const double wrong[] = {-1, 2.5, NAN};
    const char *const sentences[] = {"'sessions' is -1 in row 3; counts are whole numbers, 0 or more",
                                     "'sessions' is 2.5 in row 3; counts are whole numbers, 0 or more",
                                     "'sessions' is nan in row 3; counts are whole numbers, 0 or more"};
    for (size_t k = 0; k < 3; k++) {
        y[2] = wrong[k];
        refuses(bd_zero_inflated_fit(&design, &bd_zero_inflated_poisson, &bd_se_classical, &BD_LIKELIHOOD_DEFAULTS,
                                     arena, &fit),
                BD_EDATA, sentences[k]);
    }
    for (size_t i = 0; i < N; i++)
        y[i] = 1;
    refuses(
        bd_zero_inflated_fit(&design, &bd_zero_inflated_negbin, &bd_se_classical, &BD_LIKELIHOOD_DEFAULTS, arena, &fit),
        BD_EDATA, "'sessions' is never 0: there are no zeros to explain; use poisson or negbin");
    for (size_t i = 0; i < N; i++)
        y[i] = 0;
    refuses(
        bd_zero_inflated_fit(&design, &bd_zero_inflated_negbin, &bd_se_classical, &BD_LIKELIHOOD_DEFAULTS, arena, &fit),
        BD_EDATA, "'sessions' is 0 in every row");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_zero_inflated__agrees_with_pscl, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_zero_inflated__describes_its_rows, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_zero_inflated__replicates_are_weighted_fits, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_zero_inflated__takes_an_offset, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_zero_inflated__says_when_there_are_no_excess_zeros, make_design,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_zero_inflated__says_when_there_is_no_overdispersion, make_design,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_zero_inflated__says_what_is_wrong_with_the_data, make_design, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
