/* Least squares held to R 4.2.2 (lm, sandwich 3.0-2, clubSandwich 0.5.8): Rscript scripts/reference-ols.R */
#include "models/ols_sample.h"

/* One number per coefficient, `offset` bytes into each. */
static void assert_all(const bd_ols *fit, size_t offset, const double *expected, double tolerance)
{
    for (size_t j = 0; j < fit->n_columns; j++) {
        double value;
        memcpy(&value, (const char *)(fit->coefficients + j) + offset, sizeof value);
        assert_near(value, expected[j], tolerance);
    }
}

#define ASSERT_ALL(fit, field, expected, tolerance) \
    assert_all((fit), offsetof(bd_coefficient, field), (expected), (tolerance))

typedef struct errors {
    const bd_se_estimator *estimator;
    double se[4];
} errors;

static void assert_errors(data *d, const errors *expected, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        const bd_ols *fit = fit_with(d, expected[k].estimator, 0.95);
        ASSERT_ALL(fit, se, expected[k].se, 1e-11);
        for (size_t j = 0; j < fit->n_columns; j++) {
            const double df = fit->coefficients[j].df;
            const bool by_row = !bd_se_needs_clusters(expected[k].estimator);
            if (by_row || expected[k].estimator != &bd_se_cr2)
                assert_true(df == (by_row ? N - (double)fit->n_columns : 7));
        }
    }
}

/* 90 % intervals, low and high by turns; then sd, residual sum of squares, R squared, adjusted, F; then log-likelihood,
 * AIC and BIC. */
static void assert_summary(const bd_ols *fit, const double *intervals, const double *summary, const double *criteria)
{
    for (size_t j = 0; j < fit->n_columns; j++) {
        assert_near(fit->coefficients[j].ci_low, intervals[2 * j], 1e-11);
        assert_near(fit->coefficients[j].ci_high, intervals[2 * j + 1], 1e-11);
    }
    const double values[] = {fit->residual_sd, fit->ss_residual, fit->r_squared, fit->adjusted_r_squared, fit->f};
    for (size_t k = 0; k < 5; k++)
        assert_near(values[k], summary[k], 1e-12);
    assert_near(fit->ss_model, summary[1] * summary[2] / (1 - summary[2]), 1e-12);
    assert_near(fit->log_likelihood, criteria[0], 1e-13);
    assert_near(fit->aic, criteria[1], 1e-13);
    assert_near(fit->bic, criteria[2], 1e-13);
}

static void test_ols__agrees_with_lm(void **state)
{
    data *d = *state;
    add_three(d);
    const double estimates[] = {2.75055895501078, 0.534585597724624, -0.254724434162424, 0.350072711764315};
    const double t[] = {3.47740248875838, 4.82456657330137, -2.9279148328205, 0.573917080621998};
    const double p[] = {0.000986360669156852, 1.11881013305178e-05, 0.00492554443381148, 0.568321968370871};
    const double intervals[] = {
        1.42762575614994, 4.07349215387163, 0.349261937762026, 0.719909257687222, -0.400231500317269,
        -0.10921736800758, -0.670117203979975, 1.3702626275086};
    const double summary[] = {
        2.3082620993859, 298.372139489838, 0.305525289069685, 0.268321286698418, 8.21216185346892};
    const double criteria[] = {-133.256220055111, 276.512440110222, 286.984162921332};
    const double standardised[] = {0.582320290383202, -0.358926039754199, 0.0652658084501764};
    const double vif[] = {1.17473208372244, 1.21178241536214, 1.04280891420054};
    const bd_ols *fit = fit_with(d, &bd_se_classical, 0.9);
    ASSERT_ALL(fit, estimate, estimates, 1e-12);
    ASSERT_ALL(fit, t, t, 1e-11);
    ASSERT_ALL(fit, p, p, 1e-10);
    assert_summary(fit, intervals, summary, criteria);
    assert_near(fit->f_p, 0.000127884734560549, 1e-10);
    for (size_t j = 1; j < fit->n_columns; j++) {
        assert_near(fit->coefficients[j].standardised, standardised[j - 1], 1e-12);
        assert_near(fit->coefficients[j].vif, vif[j - 1], 1e-12);
    }
    assert_true(isnan(fit->coefficients[0].standardised) && isnan(fit->coefficients[0].vif));
}

static void test_ols__errors_agree_with_sandwich_and_clubsandwich(void **state)
{
    data *d = *state;
    add_three(d);
    const errors expected[] = {
        {&bd_se_classical, {0.790980901377592, 0.110804896067341, 0.0869985804597483, 0.609970888799675}},
        {&bd_se_hc0, {0.782547451252119, 0.10573494179264, 0.0815416158084873, 0.567240323503729}},
        {&bd_se_hc1, {0.810013566990341, 0.109446062625254, 0.0844035910838449, 0.587149516680208}},
        {&bd_se_hc2, {0.817177468347988, 0.110446555781909, 0.0853883155290757, 0.588156882347128}},
        {&bd_se_hc3, {0.85370237789275, 0.115397382389051, 0.0894419096450467, 0.610076381693557}},
        {&bd_se_hc4, {0.831129202313368, 0.11209253190567, 0.087031835081044, 0.59246987598293}},
        {&bd_se_cr0, {0.849185083341721, 0.0989817382074416, 0.0840060630759515, 0.484251692376419}},
        {&bd_se_cr1, {0.907817039949656, 0.105815929119885, 0.0898062589834091, 0.517686834810861}},
        {&bd_se_cr2, {0.920490591434265, 0.107426742400421, 0.0965016735384749, 0.611786829748903}},
    };
    assert_errors(d, expected, sizeof expected / sizeof *expected);
    const double df[] = {5.58974959906739, 4.77304824009867, 4.14034563191085, 4.05223197968533};
    const double p[] = {0.0265796556863646, 0.00475748433319576, 0.0556076720409708, 0.597428153369928};
    const bd_ols *fit = fit_with(d, &bd_se_cr2, 0.95);
    ASSERT_ALL(fit, df, df, 1e-10);
    ASSERT_ALL(fit, p, p, 1e-10);
}

static void test_ols__agrees_with_weighted_lm(void **state)
{
    data *d = *state;
    add_three(d);
    d->design.weights = d->w;
    const double estimates[] = {2.47279522037011, 0.579088520821916, -0.226596597968945, 0.542584077781796};
    const double t[] = {3.10971007513448, 5.29813270217031, -2.62240608907263, 0.895433783195625};
    const double p[] = {0.00294329684039314, 2.03950701174439e-06, 0.0112251094973972, 0.374388122979533};
    const double intervals[] = {
        1.14283034998622, 3.802760090754, 0.396281007123184, 0.761896034520649, -0.371115734605839,
        -0.0820774613320511, -0.470873297195857, 1.55604145275945};
    const double summary[] = {
        3.21549808472822, 579.007964241888, 0.337545582192102, 0.302056952666678, 9.51137270460931};
    const double criteria[] = {-134.464370249727, 278.928740499454, 289.400463310565};
    const double standardised[] = {0.622931076674875, -0.31385007140725, 0.10029889635093};
    const double vif[] = {1.16860127940401, 1.21081167709407, 1.06061406898006};
    const bd_ols *fit = fit_with(d, &bd_se_classical, 0.9);
    ASSERT_ALL(fit, estimate, estimates, 1e-12);
    ASSERT_ALL(fit, t, t, 1e-11);
    ASSERT_ALL(fit, p, p, 1e-10);
    assert_summary(fit, intervals, summary, criteria);
    assert_near(fit->f_p, 3.56731923283441e-05, 1e-10);
    for (size_t j = 1; j < fit->n_columns; j++) {
        assert_near(fit->coefficients[j].standardised, standardised[j - 1], 1e-12);
        assert_near(fit->coefficients[j].vif, vif[j - 1], 1e-12);
    }
    assert_true(isnan(fit->coefficients[0].standardised) && isnan(fit->coefficients[0].vif));
}

static void test_ols__weighted_errors_agree_with_sandwich(void **state)
{
    data *d = *state;
    add_three(d);
    d->design.weights = d->w;
    const errors expected[] = {
        {&bd_se_classical, {0.79518513321959, 0.109300493848465, 0.0864078980418615, 0.605945507042878}},
        {&bd_se_hc0, {0.789322776460803, 0.101538242653273, 0.0862097899815197, 0.59911562642997}},
        {&bd_se_hc1, {0.817026694860124, 0.105102066316756, 0.0892356104165765, 0.620143589794714}},
        {&bd_se_hc2, {0.827750714277159, 0.106563151081699, 0.0910979360482992, 0.626680360659735}},
        {&bd_se_hc3, {0.868678271266065, 0.111902232261255, 0.0963296211931708, 0.656120280164428}},
        {&bd_se_hc4, {0.851431934674515, 0.109528963968225, 0.0950038627284725, 0.643974040847178}},
        {&bd_se_cr0, {0.92407348521127, 0.11465750274501, 0.0834239171819533, 0.591836499951647}},
        {&bd_se_cr1, {0.987876109103625, 0.122574026312834, 0.0891839188449923, 0.632699831944719}},
    };
    assert_errors(d, expected, sizeof expected / sizeof *expected);
}

static void test_ols__weights_within_clusters_agree_with_clubsandwich(void **state)
{
    data *d = *state;
    add_three(d);
    d->design.weights = d->w;
    const errors expected[] = {
        {&bd_se_cr2, {1.01862367531417, 0.123399818136433, 0.0980918540536107, 0.759088525900986}},
    };
    assert_errors(d, expected, sizeof expected / sizeof *expected);
    const double df[] = {5.17412846058685, 4.59525607820238, 4.06235498493892, 3.90190111247166};
    const double p[] = {0.0578823513592465, 0.00664821273945908, 0.0810165902774596, 0.515174323769588};
    const bd_ols *fit = fit_with(d, &bd_se_cr2, 0.95);
    ASSERT_ALL(fit, df, df, 1e-10);
    ASSERT_ALL(fit, p, p, 1e-10);
}

/* The third cluster has a dummy of its own: a direction without residual. */
static void test_ols__a_pseudo_inverse_root_of_weighted_clusters_agrees_with_clubsandwich(void **state)
{
    data *d = *state;
    add(d, "(Intercept)", NULL);
    add(d, "x1", d->x1);
    add(d, "dummy", d->dummy);
    d->design.has_intercept = true;
    d->design.weights = d->w;
    const double se[] = {0.45610731727478, 0.141182999441, 0.366491365317957};
    const double df[] = {4.96972645530354, 5.21437983618123, 4.21760415257045};
    const bd_ols *fit = fit_with(d, &bd_se_cr2, 0.95);
    ASSERT_ALL(fit, se, se, 1e-10);
    ASSERT_ALL(fit, df, df, 1e-9);
}

static void test_ols__weights_of_clusters_agree_with_clubsandwich(void **state)
{
    data *d = *state;
    add_three(d);
    d->design.weights = d->wc;
    const errors expected[] = {
        {&bd_se_cr0, {0.625769017506511, 0.0900141915304336, 0.0881155896329003, 0.561441155859194}},
        {&bd_se_cr1, {0.668975219076431, 0.0962292184726664, 0.094199527668538, 0.600205842302701}},
        {&bd_se_cr2, {0.694552072078049, 0.0996620308024552, 0.0991963050984326, 0.724717520092429}},
    };
    assert_errors(d, expected, sizeof expected / sizeof *expected);
    const double df[] = {5.03811871781583, 4.70986647999871, 4.14080065326992, 4.01492653098572};
    const double p[] = {0.0121354824936387, 0.00352911648125879, 0.0795744712125149, 0.857295608136364};
    const bd_ols *fit = fit_with(d, &bd_se_cr2, 0.95);
    ASSERT_ALL(fit, df, df, 1e-10);
    ASSERT_ALL(fit, p, p, 1e-10);
}

static void test_ols__agrees_with_lm_through_the_origin(void **state)
{
    data *d = *state;
    add(d, "x1", d->x1);
    add(d, "x2", d->x2);
    const double estimates[] = {0.692824716265624, -0.0400798385644311};
    const double t[] = {6.16430517611273, -0.544730392508072};
    const double p[] = {7.29262432506795e-08, 0.58802740729895};
    const double intervals[] = {0.504953896232488, 0.880695536298761, -0.163068322028068, 0.0829086448992062};
    const double summary[] = {
        2.55480030358322, 378.566266288956, 0.682508840505451, 0.671560869488397, 62.3411259896763};
    const double criteria[] = {-140.397709134041, 286.795418268082, 293.078451954749};
    const double standardised[] = {0.754689037036649, -0.0564755312038336};
    const bd_ols *fit = fit_with(d, &bd_se_classical, 0.9);
    ASSERT_ALL(fit, estimate, estimates, 1e-12);
    ASSERT_ALL(fit, t, t, 1e-11);
    ASSERT_ALL(fit, p, p, 1e-10);
    assert_summary(fit, intervals, summary, criteria);
    assert_near(fit->f_p, 3.5499110456086e-15, 1e-10);
    for (size_t j = 0; j < fit->n_columns; j++) {
        assert_near(fit->coefficients[j].standardised, standardised[j], 1e-12);
        assert_true(isnan(fit->coefficients[j].vif));
    }
}

static void test_ols__errors_through_the_origin_agree(void **state)
{
    data *d = *state;
    add(d, "x1", d->x1);
    add(d, "x2", d->x2);
    const errors expected[] = {
        {&bd_se_classical, {0.112392994258361, 0.0735773863835535}},
        {&bd_se_hc0, {0.107384545994868, 0.0627056036801653}},
        {&bd_se_hc1, {0.109220312238016, 0.0637775719920462}},
        {&bd_se_hc2, {0.110940529056099, 0.0647431174707517}},
        {&bd_se_hc3, {0.114660087275829, 0.0668767167045436}},
        {&bd_se_hc4, {0.115707134577515, 0.0675406930964773}},
        {&bd_se_cr0, {0.085700241226106, 0.0367999228917054}},
        {&bd_se_cr1, {0.0916174116091337, 0.0393407723772745}},
        {&bd_se_cr2, {0.0947348059830409, 0.0416799861276553}},
    };
    assert_errors(d, expected, sizeof expected / sizeof *expected);
    const double df[] = {4.49287751670181, 3.74403499803949};
    const double p[] = {0.00117092272652385, 0.394149696519172};
    const bd_ols *fit = fit_with(d, &bd_se_cr2, 0.95);
    ASSERT_ALL(fit, df, df, 1e-10);
    ASSERT_ALL(fit, p, p, 1e-10);
}

static void test_ols__cr2_takes_the_pseudo_inverse_where_a_cluster_has_its_own_dummy(void **state)
{
    data *d = *state;
    add(d, "(Intercept)", NULL);
    add(d, "x1", d->x1);
    add(d, "dummy", d->dummy);
    const errors expected[] = {
        {&bd_se_cr0, {0.371807864432476, 0.11296135210361, 0.23262982365998}},
        {&bd_se_cr1, {0.397479326404119, 0.12076076500527, 0.248691742308939}},
        {&bd_se_cr2, {0.392987513514303, 0.123878648969557, 0.258797556345238}},
    };
    assert_errors(d, expected, sizeof expected / sizeof *expected);
    const double df[] = {5.27512368586099, 5.47334606359068, 4.56096196153041};
    const double p[] = {0.00734633539890153, 0.0202763846125903, 0.0492521379711955};
    const bd_ols *fit = fit_with(d, &bd_se_cr2, 0.95);
    ASSERT_ALL(fit, df, df, 1e-10);
    ASSERT_ALL(fit, p, p, 1e-10);
}

static void test_ols__cr2_of_single_rows_is_hc2(void **state)
{
    data *d = *state;
    add_three(d);
    d->design.cluster = d->row;
    d->design.n_clusters = N;
    const double se[] = {0.817177468347988, 0.110446555781909, 0.0853883155290757, 0.588156882347128};
    const double df[] = {24.2666465694308, 25.7083253619946, 29.0838338901329, 47.5973960685693};
    const double p[] = {0.00253673452329564, 5.26562395887833e-05, 0.00572563554176115, 0.554527271422192};
    const bd_ols *fit = fit_with(d, &bd_se_cr2, 0.95);
    ASSERT_ALL(fit, df, df, 1e-10);
    ASSERT_ALL(fit, p, p, 1e-10);
    ASSERT_ALL(fit, se, se, 1e-11);
}

static void test_ols__hc4_is_bounded_at_high_leverage(void **state)
{
    data *d = *state;
    d->x1[17] = 60;
    add(d, "(Intercept)", NULL);
    add(d, "far", d->x1);
    add(d, "x2", d->x2);
    const double se[] = {9.24011972365828, 4.05777695417055, 1.32093543883379};
    const bd_ols *fit = fit_with(d, &bd_se_hc4, 0.95);
    ASSERT_ALL(fit, se, se, 1e-11);
}

static void test_ols__a_row_with_its_own_dummy_adds_nothing_to_hc3(void **state)
{
    data *d = *state;
    add(d, "(Intercept)", NULL);
    add(d, "x1", d->x1);
    add(d, "lone", d->lone);
    const double se[] = {0.485487973356944, 0.114869475162897};
    const bd_ols *fit = fit_with(d, &bd_se_hc3, 0.95);
    for (size_t j = 0; j < 2; j++)
        assert_near(fit->coefficients[j].se, se[j], 1e-11);
}

static void test_ols__rows_without_weight_are_not_counted(void **state)
{
    data *d = *state;
    add(d, "(Intercept)", NULL);
    add(d, "x1", d->x1);
    add(d, "x2", d->x2);
    for (size_t i = 0; i < 5; i++)
        d->w[i] = 0;
    d->design.weights = d->w;
    const double estimates[] = {2.59060392953038, 0.587641467981524, -0.208281780730371};
    const double se[] = {0.836206503363466, 0.111894939578777, 0.0877607152259139};
    const double criteria[] = {-124.161437390394, 264.352207521717};
    const bd_ols *fit = fit_with(d, &bd_se_classical, 0.95);
    ASSERT_ALL(fit, estimate, estimates, 1e-12);
    ASSERT_ALL(fit, se, se, 1e-12);
    assert_near(fit->log_likelihood, criteria[0], 1e-13);
    assert_near(fit->bic, criteria[1], 1e-13);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ols__agrees_with_lm),
        TEST(test_ols__errors_agree_with_sandwich_and_clubsandwich),
        TEST(test_ols__agrees_with_weighted_lm),
        TEST(test_ols__weighted_errors_agree_with_sandwich),
        TEST(test_ols__weights_within_clusters_agree_with_clubsandwich),
        TEST(test_ols__a_pseudo_inverse_root_of_weighted_clusters_agrees_with_clubsandwich),
        TEST(test_ols__weights_of_clusters_agree_with_clubsandwich),
        TEST(test_ols__agrees_with_lm_through_the_origin),
        TEST(test_ols__errors_through_the_origin_agree),
        TEST(test_ols__cr2_takes_the_pseudo_inverse_where_a_cluster_has_its_own_dummy),
        TEST(test_ols__cr2_of_single_rows_is_hc2),
        TEST(test_ols__hc4_is_bounded_at_high_leverage),
        TEST(test_ols__a_row_with_its_own_dummy_adds_nothing_to_hc3),
        TEST(test_ols__rows_without_weight_are_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
