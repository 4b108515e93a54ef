/* Robust regression held to MASS::rlm and robustbase::lmrob: Rscript scripts/reference-other-models.R robust */
#include "models/other_sample.h"

#include <bordin/models/robust.h>

#include "models/stackloss.h"

static sample rows;
static double y[N];
static const double *columns[] = {NULL, rows.x1, rows.x2, rows.z};
static bd_ols_design design;

static int make_design(void **state)
{
    make_sample(&rows);
    for (size_t i = 0; i < N; i++) {
        const double e = log(rows.noise[i] / (1 - rows.noise[i]));
        y[i] = 1 + 0.5 * rows.x1[i] - 0.3 * rows.x2[i] + 0.7 * rows.z[i] + 0.4 * e + 0.2 * e * fabs(e) +
               (i % 13 == 0 ? 8 : 0);
    }
    design = (bd_ols_design){.n_rows = N,
                             .n_columns = 4,
                             .columns = columns,
                             .names = sample_names,
                             .response = y,
                             .response_name = "y",
                             .has_intercept = true,
                             .cluster = rows.cluster,
                             .n_clusters = 20};
    return set_up(state);
}

static const bd_robust_regression *fit_with(const bd_ols_design *which, const bd_robust_method *method,
                                            const bd_se_estimator *se)
{
    const bd_robust *robust;
    const bd_robust_regression *fit = NULL;
    must(bd_robust_prepare(which, method, 0, arena, &robust));
    must(bd_robust_fit(robust, se, 0.95, arena, &fit));
    return fit;
}

typedef struct case_values {
    const bd_robust_method *method;
    double estimates[4], errors[4][4], scale; /* classical, hc0, cr0, cr1 */
} case_values;

static const case_values of_stackloss[] = {
    {&bd_robust_huber,
     {-41.0264853732951, 0.829385770253855, 0.926059415548608, -0.127846317965416},
     {{9.80687229435312, 0.111174962319926, 0.303393403349555, 0.128846345686812},
      {5.10350761362809, 0.140349215402853, 0.340455567619737, 0.0656224058867424}},
     2.44048904599282},
    {&bd_robust_bisquare,
     {-42.2853215364912, 0.927558992802421, 0.650711198390212, -0.112333123035659},
     {{9.53138566148956, 0.108051926237782, 0.294870724088205, 0.125226899561213},
      {4.5159232083082, 0.115017655662908, 0.242593019274683, 0.0658707370892523}},
     2.28185331456693},
    {&bd_robust_mm,
     {-41.5246116701172, 0.938845476897362, 0.579552744155877, -0.112921861954101},
     {{5.29779766461988, 0.117429410767216, 0.262963024590396, 0.0698899320276763},
      {4.45879578119366, 0.119707285745761, 0.194455123441789, 0.0696862546466514}},
     1.91235190664181},
};

static const case_values of_sample[] = {
    {&bd_robust_huber,
     {0.96898362434965, 0.51295794552678, -0.0726291287121203, 0.626044785071242},
     {{0.248745008762717, 0.0961279583892442, 0.143859339114305, 0.238007290182294},
      {0.253175540257365, 0.100108246631603, 0.147927506633728, 0.246340522385034},
      {0.288908374017977, 0.0748862245428342, 0.159899893919519, 0.231106623369396},
      {0.296413737478566, 0.0768316452503359, 0.164053829662139, 0.237110392600497}},
     1.25547152263244},
    {&bd_robust_bisquare,
     {0.977537135859548, 0.466052138161878, -0.217137024953964, 0.734085715163301},
     {{0.212549110617415, 0.0821399881056195, 0.122925781445218, 0.203373881149772},
      {0.243071088107347, 0.0864675462592072, 0.126378271780613, 0.194887948801407},
      {0.28110096986877, 0.0566873735346643, 0.12043476082785, 0.0878406759545231},
      {0.2884035098355, 0.0581600180831305, 0.123563457447927, 0.0901226319618676}},
     1.18275508682947},
    {&bd_robust_mm,
     {0.980104815720117, 0.47166395092437, -0.210535710728074, 0.721116255412923},
     {{0.249977557914599, 0.0882951737098955, 0.13111750384939, 0.199099050728216},
      {0.249979078145252, 0.0882521891712945, 0.130299678464462, 0.198388858153846},
      {0.284405908589196, 0.0553517222835493, 0.1207990697803, 0.0915241426134852},
      {0.291794305417625, 0.056789668813551, 0.123937230546612, 0.0939017890145901}},
     1.27279074437011},
};

/* The packages are run until rounding stops them, but lmrob's S scale still moves in the tenth digit. */
static void assert_cases(const bd_ols_design *which, const case_values *cases, size_t n_errors)
{
    const bd_se_estimator *const estimators[] = {&bd_se_classical, &bd_se_hc0, &bd_se_cr0, &bd_se_cr1};
    for (size_t k = 0; k < 3; k++)
        for (size_t s = 0; s < n_errors; s++) {
            const bd_robust_regression *fit = fit_with(which, cases[k].method, estimators[s]);
            const double tolerance = cases[k].method == &bd_robust_mm ? 1e-9 : 1e-10;
            assert_int_equal(fit->end, BD_LIKELIHOOD_CONVERGED);
            assert_close(fit->scale, cases[k].scale, tolerance);
            for (size_t j = 0; j < 4; j++) {
                assert_close(fit->coefficients[j].estimate, cases[k].estimates[j], tolerance);
                assert_close(fit->coefficients[j].se, cases[k].errors[s][j], tolerance);
            }
        }
}

static void test_robust__agrees_with_rlm_and_lmrob_on_stackloss(void **state)
{
    (void)state;
    const bd_ols_design stackloss = stackloss_design();
    assert_cases(&stackloss, of_stackloss, 2);
}

static void test_robust__agrees_with_rlm_and_lmrob_among_outliers(void **state)
{
    (void)state;
    assert_cases(&design, of_sample, 4);
}

/* rlm with wt.method = "case" */
static void test_robust__weights_count_rows(void **state)
{
    (void)state;
    const double estimates[] = {1.13199183167261, 0.504167684164466, -0.19067030813449, 0.652065128280724};
    const double errors[] = {0.15847192379221, 0.0607902053404052, 0.0912551400546562, 0.15080057304915};
    design.weights = rows.weights;
    const bd_robust_regression *fit = fit_with(&design, &bd_robust_huber, &bd_se_classical);
    assert_close(fit->scale, 1.28811497488067, 1e-11);
    for (size_t j = 0; j < 4; j++) {
        assert_close(fit->coefficients[j].estimate, estimates[j], 1e-11);
        assert_close(fit->coefficients[j].se, errors[j], 1e-11);
    }
}

static void test_robust__a_weight_of_two_is_the_row_twice(void **state)
{
    (void)state;
    static double twice[4][2 * N];
    const double *x[] = {NULL, twice[1], twice[2], twice[3]};
    double weights[N];
    size_t n = 0;
    for (size_t i = 0; i < N; i++) {
        weights[i] = (double)((i * 7 + i / 3) % 3);
        for (size_t copy = 0; copy < (i * 7 + i / 3) % 3; copy++, n++) {
            twice[0][n] = y[i];
            for (size_t j = 1; j < 4; j++)
                twice[j][n] = columns[j][i];
        }
    }
    bd_ols_design copies = design;
    copies.n_rows = n;
    copies.columns = x;
    copies.response = twice[0];
    design.weights = weights;
    for (size_t m = 0; bd_robust_methods[m] != NULL; m++) {
        const bd_robust_regression *a = fit_with(&design, bd_robust_methods[m], &bd_se_classical);
        const bd_robust_regression *b = fit_with(&copies, bd_robust_methods[m], &bd_se_classical);
        assert_close(a->scale, b->scale, 1e-10);
        for (size_t j = 0; j < 4; j++) {
            assert_close(a->coefficients[j].estimate, b->coefficients[j].estimate, 1e-10);
            assert_close(a->coefficients[j].se, b->coefficients[j].se, 1e-10);
        }
    }
}

static void test_robust__replicates_are_weighted_fits(void **state)
{
    (void)state;
    double estimates[4], weights[N];
    for (size_t m = 0; bd_robust_methods[m] != NULL; m++) {
        const bd_robust *robust;
        const bd_robust_regression *fit;
        design.weights = NULL;
        must(bd_robust_prepare(&design, bd_robust_methods[m], 0, arena, &robust));
        must(bd_robust_fit(robust, &bd_se_classical, 0.95, arena, &fit));
        double *scratch = bd_arena_alloc(arena, bd_robust_scratch(robust), sizeof *scratch);
        assert_non_null(scratch);
        assert_int_equal(bd_robust_replicate(robust, rows.weights, fit->working, scratch, estimates),
                         BD_LIKELIHOOD_CONVERGED);
        design.weights = rows.weights;
        const bd_robust_regression *weighted = fit_with(&design, bd_robust_methods[m], &bd_se_classical);
        for (size_t j = 0; j < 4; j++)
            assert_close(estimates[j], weighted->coefficients[j].estimate, 1e-10);
        for (size_t i = 0; i < N; i++)
            weights[i] = rows.z[i];
        assert_int_equal(bd_robust_replicate(robust, weights, fit->working, scratch, estimates),
                         BD_LIKELIHOOD_COLLINEAR);
    }
}

/* A third of the rows far off, in the predictor and in the response: least squares follows them, and so do Huber's
 * weights; MM does not. */
static void test_robust__mm_bears_a_third_of_bad_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i++) {
        if (i % 3 == 1)
            rows.x1[i] = 30 + rows.noise[i];
        y[i] = i % 3 == 1 ? -50 : 1 + 0.5 * rows.x1[i] + rows.noise[i] - 0.5;
    }
    design.n_columns = 2;
    const bd_robust_regression *fit = fit_with(&design, &bd_robust_mm, &bd_se_classical);
    assert_true(fabs(fit->coefficients[1].estimate - 0.5) < 0.05);
    assert_int_equal(fit->n_rejected, 67);
    assert_true(fit_with(&design, &bd_robust_huber, &bd_se_classical)->coefficients[1].estimate < -1);
}

/* Subsets are then drawn from some of the rows: the estimate is as good. */
static void test_robust__mm_bears_bad_rows_among_many(void **state)
{
    (void)state;
    enum { MANY = 9001 };
    static double x[MANY], response[MANY];
    const double *with[] = {NULL, x};
    for (uint32_t i = 0; i < MANY; i++) {
        const double noise = ((i * 7919 + 17) % 10007 + 0.5) / 10007 - 0.5;
        x[i] = i % 5 < 2 ? 20 + noise : i * 37 % 101 / 25.0;
        response[i] = i % 5 < 2 ? -30 : 1 + 0.5 * x[i] + noise;
    }
    design.n_rows = MANY;
    design.n_columns = 2;
    design.columns = with;
    design.response = response;
    const bd_robust_regression *fit = fit_with(&design, &bd_robust_mm, &bd_se_classical);
    assert_true(fabs(fit->coefficients[1].estimate - 0.5) < 0.01);
    assert_int_equal(fit->n_rejected, 3601);
}

static void test_robust__says_when_half_of_the_rows_fit_exactly(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i++)
        y[i] = i % 4 == 0 ? rows.noise[i] : 3;
    design.n_columns = 1;
    for (size_t k = 0; bd_robust_methods[k] != NULL; k++) {
        const bd_robust_regression *fit = fit_with(&design, bd_robust_methods[k], &bd_se_classical);
        assert_int_equal(fit->end, BD_LIKELIHOOD_AT_LIMIT);
        assert_true(fit->scale == 0 && isnan(fit->coefficients[0].se));
    }
    for (size_t i = 0; i < N; i++)
        y[i] = i % 40 == 0;
    design.n_columns = 2; /* least squares begins with a slope; the scale shrinks, but for rounding, for ever */
    for (size_t k = 0; bd_robust_methods[k] != NULL; k++) {
        const bd_robust_regression *fit = fit_with(&design, bd_robust_methods[k], &bd_se_classical);
        assert_int_equal(fit->end, BD_LIKELIHOOD_AT_LIMIT);
        assert_true(fit->scale == 0);
    }
}

static void refuses_problem(const bd_robust_method *method, double tuning, bd_status status, const char *sentence)
{
    const bd_robust *robust;
    refuses(bd_robust_prepare(&design, method, tuning, arena, &robust), status, sentence);
}

static void refuses_errors(const bd_se_estimator *se, bd_status status, const char *sentence)
{
    const bd_robust *robust;
    const bd_robust_regression *fit;
    must(bd_robust_prepare(&design, &bd_robust_mm, 0, arena, &robust));
    refuses(bd_robust_fit(robust, se, 0.95, arena, &fit), status, sentence);
}

static void test_robust__says_what_is_wrong(void **state)
{
    (void)state;
    refuses_problem(&bd_robust_huber, -1, BD_EUSAGE,
                    "a tuning constant of -1 for huber; it is a positive number of scales");
    refuses_problem(&bd_robust_mm, 1, BD_EUSAGE,
                    "a tuning constant of 1 for mm; below 1.54764 the S estimate it starts from is better");
    refuses_errors(&bd_se_hc3, BD_EUSAGE,
                   "hc3 is not defined for robust regression; there are classical, hc0, cr0 and cr1");
    design.cluster = NULL;
    refuses_errors(&bd_se_cr1, BD_EDATA, "cr1 needs clusters, and none are given");
    design.n_rows = 5;
    refuses_errors(&bd_se_hc0, BD_EDATA,
                   "4 coefficients cannot be estimated with an error from 5 rows; it takes 6 or more");
    design.n_rows = N;
    y[1] = NAN;
    refuses_problem(&bd_robust_mm, 0, BD_EDATA, "the response 'y' has a value that is not a number in row 2");
    y[1] = 0;
    for (size_t i = 0; i < N; i++)
        rows.z[i] = 2 * rows.x1[i] - rows.x2[i];
    refuses_problem(&bd_robust_mm, 0, BD_ENUMERIC, "'z' is a linear combination of 'x1' and 'x2'; leave one out");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_robust__agrees_with_rlm_and_lmrob_on_stackloss, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_robust__agrees_with_rlm_and_lmrob_among_outliers, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_robust__weights_count_rows, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_robust__a_weight_of_two_is_the_row_twice, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_robust__replicates_are_weighted_fits, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_robust__mm_bears_a_third_of_bad_rows, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_robust__mm_bears_bad_rows_among_many, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_robust__says_when_half_of_the_rows_fit_exactly, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_robust__says_what_is_wrong, make_design, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
