/* Quantile regression held to quantreg: Rscript scripts/reference-other-models.R quantile */
#include "models/other_sample.h"

#include <bordin/models/quantile.h>

#include "models/stackloss.h"

static sample rows;
static double y[N];
static const double *columns[] = {NULL, rows.x1, rows.x2, rows.z};
static bd_ols_design design;

static int make_design(void **state)
{
    make_sample(&rows);
    for (size_t i = 0; i < N; i++)
        y[i] = 1 + 0.5 * rows.x1[i] - 0.3 * rows.x2[i] + 0.7 * rows.z[i] +
               (0.6 + 0.2 * rows.x2[i]) * log(rows.noise[i] / (1 - rows.noise[i]));
    design = (bd_ols_design){.n_rows = N,
                             .n_columns = 4,
                             .columns = columns,
                             .names = sample_names,
                             .response = y,
                             .response_name = "y",
                             .has_intercept = true};
    return set_up(state);
}

static const bd_quantile_regression *fit_with(const bd_ols_design *which, double tau, bd_quantile_se se)
{
    const bd_quantile *quantile;
    const bd_quantile_regression *fit = NULL;
    must(bd_quantile_prepare(which, tau, arena, &quantile));
    must(bd_quantile_fit(quantile, se, 0.95, arena, &fit));
    assert_int_equal(fit->end, BD_LIKELIHOOD_CONVERGED);
    return fit;
}

typedef struct case_values {
    double tau, estimates[4], objective, errors[3][4];
} case_values;

static const case_values of_stackloss[] = {
    {0.25,
     {-36, 0.500000000000001, 0.999999999999999, -4.57966997657877e-16},
     16.625,
     {{17.999625030253, 0.204051564499666, 0.556851086975891, 0.236485786627034},
      {4.67421786286334, 0.185478806373941, 0.40730354537904, 0.0517933569541054},
      {23.6418283231593, 0.378800219820844, 0.814533414390243, 0.328362375635552}}},
    {0.5,
     {-39.6898550724638, 0.831884057971014, 0.573913043478265, -0.0608695652173913},
     21.0405797101449,
     {{10.6270399193722, 0.120472738621145, 0.328766778224124, 0.139622013826713},
      {7.14162678692836, 0.126932715314593, 0.341793001530057, 0.0604123313416937},
      {14.0597364301642, 0.24350274760575, 0.578943305021287, 0.18142169839524}}},
    {0.75,
     {-54.1896551724138, 0.870689655172414, 0.982758620689655, 2.6779793660392e-16},
     16.2521551724139,
     {{6.63348250037345, 0.0752000377789721, 0.205218827312237, 0.0871531670543602},
      {9.3815715486477, 0.125139523338166, 0.318625077305187, 0.115004474752748},
      {26.9782271038104, 0.371182784781558, 1.00963551240776, 0.356417985969545}}},
};

static const case_values of_sample[] = {
    {0.1,
     {-1.19846257941915, 0.530589399269504, -0.173748798768844, 0.882636008302057},
     53.7472295035086,
     {{0.365413891497101, 0.141214859069567, 0.211333691459534, 0.349639860284214},
      {0.325961442651624, 0.141177764024937, 0.208617348110835, 0.65392615296683},
      {0.407877034871658, 0.140286471922977, 0.21225553990485, 0.360004399446051}}},
    {0.5,
     {0.967688721243294, 0.518385009898018, -0.276428593469666, 0.571462754158069},
     122.642825785725,
     {{0.299807232145371, 0.11586104694047, 0.173390696330573, 0.286865281256928},
      {0.24076957189706, 0.109444770934482, 0.169332827395531, 0.270470738718613},
      {0.373265545458772, 0.150895758324078, 0.229675841168366, 0.374513418462489}}},
    {0.7,
     {1.31119262355533, 0.62886901288712, 0.0406675505918196, 0.474544096903441},
     106.575589862329,
     {{0.297141528274824, 0.11483088085987, 0.171849011538589, 0.284314649355556},
      {0.294217240591273, 0.117137674217662, 0.175402377957245, 0.290538385483279},
      {0.340232896190769, 0.146013670400001, 0.217340050093822, 0.351617036588463}}},
};

/* quantreg takes 1e-8 off the distances of neighbouring quantiles, which is left to the errors' tolerance. */
static void assert_cases(const bd_ols_design *which, const case_values *cases)
{
    const bd_quantile_se kinds[] = {BD_QUANTILE_IID, BD_QUANTILE_NID, BD_QUANTILE_KER};
    for (size_t k = 0; k < 3; k++)
        for (size_t s = 0; s < 3; s++) {
            const bd_quantile_regression *fit = fit_with(which, cases[k].tau, kinds[s]);
            assert_close(fit->objective, cases[k].objective, 1e-12);
            for (size_t j = 0; j < 4; j++) {
                assert_close(fit->coefficients[j].estimate, cases[k].estimates[j], 1e-12);
                assert_close(fit->coefficients[j].se, cases[k].errors[s][j], 1e-6);
            }
        }
}

static void test_quantile__agrees_with_quantreg_on_stackloss(void **state)
{
    (void)state;
    const bd_ols_design stackloss = stackloss_design();
    assert_cases(&stackloss, of_stackloss);
}

static void test_quantile__agrees_with_quantreg_where_variances_differ(void **state)
{
    (void)state;
    assert_cases(&design, of_sample);
}

static void test_quantile__goes_through_as_many_rows_as_coefficients(void **state)
{
    (void)state;
    const bd_quantile_regression *fit = fit_with(&design, 0.5, BD_QUANTILE_NID);
    size_t n_zero = 0, n_below = 0;
    for (size_t i = 0; i < N; i++) {
        n_zero += fit->residuals[i] == 0;
        n_below += fit->residuals[i] < 0;
    }
    for (size_t k = 0; k < 4; k++)
        assert_true(fit->residuals[fit->rows[k]] == 0);
    assert_int_equal(n_zero, 4);
    assert_true(n_below <= 100 && n_below + n_zero >= 100);
    assert_true(fit->unique);
    assert_close(fit->null_objective, 135.645172181022, 1e-12);
    assert_close(fit->r1, 1 - 122.642825785725 / 135.645172181022, 1e-12);
    assert_true(fit->coefficients[0].df == 196);
}

static void test_quantile__takes_weights(void **state)
{
    (void)state;
    const double estimates[] = {0.983724425712015, 0.487931433103673, -0.209417098909389, 0.505677578037196};
    const double errors[] = {0.254269929858089, 0.118312904765868, 0.179732595341971, 0.270454333038643};
    design.weights = rows.weights;
    const bd_quantile_regression *fit = fit_with(&design, 0.5, BD_QUANTILE_NID);
    for (size_t j = 0; j < 4; j++) {
        assert_close(fit->coefficients[j].estimate, estimates[j], 1e-12);
        assert_close(fit->coefficients[j].se, errors[j], 1e-6);
    }
}

static void test_quantile__a_weight_of_two_is_the_row_twice(void **state)
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
    for (double tau = 0.15; tau < 1; tau += 0.17) {
        const bd_quantile_regression *a = fit_with(&design, tau, BD_QUANTILE_KER);
        const bd_quantile_regression *b = fit_with(&copies, tau, BD_QUANTILE_KER);
        assert_close(a->objective, b->objective, 1e-12);
        for (size_t j = 0; a->unique && j < 4; j++)
            assert_close(a->coefficients[j].estimate, b->coefficients[j].estimate, 1e-11);
    }
}

static void test_quantile__replicates_are_weighted_fits(void **state)
{
    (void)state;
    const bd_quantile *quantile;
    const bd_quantile_regression *fit;
    double estimates[4], weights[N];
    must(bd_quantile_prepare(&design, 0.3, arena, &quantile));
    must(bd_quantile_fit(quantile, BD_QUANTILE_NID, 0.95, arena, &fit));
    double *scratch = bd_arena_alloc(arena, bd_quantile_scratch(quantile), sizeof *scratch);
    assert_non_null(scratch);
    for (size_t replicate = 0; replicate < 20; replicate++) {
        for (size_t i = 0; i < N; i++)
            weights[i] = (double)((i * 31 + replicate * replicate * 17 + i * i * replicate) % 7 % 4);
        for (size_t k = 0; replicate > 10 && k < 4; k++)
            weights[fit->rows[k]] = 0; /* where it starts from counts for nothing */
        assert_int_equal(bd_quantile_replicate(quantile, weights, fit->rows, scratch, estimates),
                         BD_LIKELIHOOD_CONVERGED);
        design.weights = weights;
        const bd_quantile_regression *weighted = fit_with(&design, 0.3, BD_QUANTILE_NID);
        for (size_t j = 0; weighted->unique && j < 4; j++)
            assert_close(estimates[j], weighted->coefficients[j].estimate, 1e-11);
        design.weights = NULL;
    }
    for (size_t i = 0; i < N; i++)
        weights[i] = rows.z[i];
    assert_int_equal(bd_quantile_replicate(quantile, weights, fit->rows, scratch, estimates), BD_LIKELIHOOD_COLLINEAR);
}

/* Whole numbers, so that many rows lie on any fit: the sum is least all the same, as 200 other fits show. */
static void test_quantile__finds_the_least_sum_among_ties(void **state)
{
    (void)state;
    static double x[N];
    const double *with[] = {NULL, x};
    for (size_t i = 0; i < N; i++) {
        x[i] = (double)(i % 5);
        y[i] = (double)(i * 7 % 4);
    }
    design.columns = with;
    design.n_columns = 2;
    const bd_quantile_regression *fit = fit_with(&design, 0.5, BD_QUANTILE_KER);
    for (size_t low = 0; low < 13; low++)
        for (size_t high = 0; high < 13; high++) {
            const double from = (double)low / 4, to = (double)high / 4;
            double sum = 0;
            for (size_t i = 0; i < N; i++)
                sum += fabs(y[i] - from - (to - from) * x[i] / 4) / 2;
            assert_true(sum >= fit->objective * (1 - 1e-12));
        }
    for (size_t i = 0; i < N; i++)
        y[i] = (double)(i % 2);
    fit = fit_with(&design, 0.5, BD_QUANTILE_KER);
    assert_false(fit->unique);
    assert_close(fit->objective, 50, 1e-12);
}

static void refuses_problem(double tau, bd_status status, const char *sentence)
{
    const bd_quantile *quantile;
    refuses(bd_quantile_prepare(&design, tau, arena, &quantile), status, sentence);
}

static void test_quantile__says_what_is_wrong_with_the_data(void **state)
{
    (void)state;
    const bd_quantile *quantile;
    const bd_quantile_regression *fit;
    refuses_problem(0, BD_EUSAGE, "a quantile of 0 cannot be fitted; it lies between 0 and 1");
    refuses_problem(1.5, BD_EUSAGE, "a quantile of 1.5 cannot be fitted; it lies between 0 and 1");
    y[3] = INFINITY;
    refuses_problem(0.5, BD_EDATA, "the response 'y' has a value that is not a number in row 4");
    y[3] = 1;
    design.n_rows = 5;
    must(bd_quantile_prepare(&design, 0.5, arena, &quantile));
    refuses(bd_quantile_fit(quantile, BD_QUANTILE_NID, 0.95, arena, &fit), BD_EDATA,
            "4 coefficients cannot be estimated with an error from 5 rows; it takes 6 or more");
    design.n_rows = N;
    for (size_t i = 0; i < N; i++)
        rows.x2[i] = 3 * rows.x1[i];
    refuses_problem(0.5, BD_ENUMERIC, "'x2' is a linear combination of 'x1'; leave one out");
    for (size_t i = 0; i < N; i++)
        rows.x2[i] = 3;
    refuses_problem(0.5, BD_EDATA, "'x2' is the same in every row");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_quantile__agrees_with_quantreg_on_stackloss, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_quantile__agrees_with_quantreg_where_variances_differ, make_design,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_quantile__goes_through_as_many_rows_as_coefficients, make_design,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_quantile__takes_weights, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_quantile__a_weight_of_two_is_the_row_twice, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_quantile__replicates_are_weighted_fits, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_quantile__finds_the_least_sum_among_ties, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_quantile__says_what_is_wrong_with_the_data, make_design, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
