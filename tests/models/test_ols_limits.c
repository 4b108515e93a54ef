/* What least squares refuses, what it does at the edges, and what must not change it. */
#include "models/ols_sample.h"

static void test_ols_limits__residuals_are_what_the_estimates_leave(void **state)
{
    data *d = *state;
    add_three(d);
    const bd_ols *fit = fit_with(d, &bd_se_classical, 0.95);
    for (size_t i = 0; i < N; i++) {
        double fitted = fit->coefficients[0].estimate;
        for (size_t j = 1; j < 4; j++)
            fitted += fit->coefficients[j].estimate * d->columns[j][i];
        assert_true(fabs(d->y[i] - fitted - fit->residuals[i]) < 1e-13);
    }
    const bd_ols_options options = BD_OLS_DEFAULTS;
    assert_int_equal(bd_ols_fit(&d->design, &bd_se_classical, &options, d->arena, &fit), BD_OK);
    assert_null(fit->residuals);
}

static void test_ols_limits__a_large_mean_takes_no_digits_from_slopes(void **state)
{
    data *d = *state;
    add_three(d);
    for (size_t i = 0; i < N; i++) {
        d->x1[i] = 8 * ((int)(i * 37 % 101) - 50);
        d->x2[i] = (double)(i * i * 13 % 89);
    }
    const bd_ols *before = fit_with(d, &bd_se_cr2, 0.95), *before_hc = fit_with(d, &bd_se_hc3, 0.95);
    for (size_t i = 0; i < N; i++) {
        d->x1[i] += 0x1p40;
        d->x2[i] -= 0x1p36;
    }
    const bd_ols *fit = fit_with(d, &bd_se_cr2, 0.95), *fit_hc = fit_with(d, &bd_se_hc3, 0.95);
    for (size_t j = 1; j < 4; j++) {
        assert_near(fit->coefficients[j].estimate, before->coefficients[j].estimate, 1e-12);
        assert_near(fit->coefficients[j].se, before->coefficients[j].se, 1e-12);
        assert_near(fit->coefficients[j].df, before->coefficients[j].df, 1e-11);
        assert_near(fit_hc->coefficients[j].se, before_hc->coefficients[j].se, 1e-12);
    }
}

/* With leverage 1 its residual is rounding; what is left is the fit to the other rows. */
static void test_ols_limits__a_dummy_for_a_row_takes_it_out(void **state)
{
    data *d = *state;
    const bd_se_estimator *const estimators[] = {&bd_se_hc2, &bd_se_hc3, &bd_se_hc4, &bd_se_cr2};
    d->design.cluster = d->row;
    d->design.n_clusters = N;
    for (size_t row = 0; row < N; row++)
        for (size_t k = 0; k < 4; k++) {
            d->design.n_columns = 0;
            add(d, "(Intercept)", NULL);
            add(d, "x1", d->x1);
            add(d, "x2", d->x2);
            memcpy(d->w, d->one, sizeof d->w);
            d->w[row] = 0;
            d->design.weights = d->w;
            const bd_ols *without = fit_with(d, estimators[k], 0.95);
            memset(d->lone, 0, sizeof d->lone);
            d->lone[row] = 1;
            add(d, "lone", d->lone);
            d->design.weights = NULL;
            const bd_ols *with = fit_with(d, estimators[k], 0.95);
            for (size_t j = 0; j < 3; j++) {
                assert_near(with->coefficients[j].estimate, without->coefficients[j].estimate, 1e-12);
                if (estimators[k] != &bd_se_hc4) /* whose exponent follows the mean leverage */
                    assert_near(with->coefficients[j].se, without->coefficients[j].se, 1e-12);
                assert_true(isfinite(with->coefficients[3].se));
            }
        }
}

static void test_ols_limits__clusters_may_come_in_any_order(void **state)
{
    data *d = *state;
    add_three(d);
    const bd_ols *before = fit_with(d, &bd_se_cr2, 0.95);
    for (size_t i = 0; i < N; i++)
        d->cluster[i] = 8 - d->cluster[i]; /* the cluster of one row comes last, and an empty one first */
    d->design.n_clusters = 9;
    d->design.n_threads = 1;
    const bd_ols *after = fit_with(d, &bd_se_cr2, 0.95);
    for (size_t j = 0; j < 4; j++) {
        assert_near(after->coefficients[j].se, before->coefficients[j].se, 1e-13);
        assert_near(after->coefficients[j].df, before->coefficients[j].df, 1e-12);
    }
}

/* 100,000 rows make 25 blocks. */
static void test_ols_limits__bits_do_not_depend_on_threads(void **state)
{
    enum { ROWS = 100000, CLUSTERS = 700 };
    data *d = *state;
    double *x, *m, *y, *w;
    uint32_t *cluster;
    assert_non_null(x = bd_arena_alloc(d->arena, ROWS, sizeof *x));
    assert_non_null(m = bd_arena_alloc(d->arena, ROWS, sizeof *m));
    assert_non_null(y = bd_arena_alloc(d->arena, ROWS, sizeof *y));
    assert_non_null(w = bd_arena_alloc(d->arena, ROWS, sizeof *w));
    assert_non_null(cluster = bd_arena_alloc(d->arena, ROWS, sizeof *cluster));
    for (uint32_t i = 0; i < ROWS; i++) {
        x[i] = sin(i * 1.7);
        m[i] = x[i] / 3 + cos(i * 2.3);
        y[i] = x[i] + m[i] + sin(i * 0.37 + 1);
        w[i] = 1 + i % 7;
        cluster[i] = i * i % CLUSTERS;
    }
    add(d, "(Intercept)", NULL);
    add(d, "x", x);
    add(d, "m", m);
    d->design.n_rows = ROWS;
    d->design.response = y;
    d->design.weights = w;
    d->design.cluster = cluster;
    d->design.n_clusters = CLUSTERS;
    const bd_se_estimator *const estimators[] = {&bd_se_classical, &bd_se_hc4, &bd_se_cr1, &bd_se_cr2};
    for (size_t k = 0; k < 4; k++) {
        d->design.n_threads = 1;
        const bd_ols *one = fit_with(d, estimators[k], 0.95);
        for (int threads = 2; threads <= 8; threads += threads == 3 ? 5 : 1) {
            d->design.n_threads = threads;
            const bd_ols *many = fit_with(d, estimators[k], 0.95);
            assert_memory_equal(one->coefficients, many->coefficients, 3 * sizeof *one->coefficients);
            assert_memory_equal(one->covariance, many->covariance, 9 * sizeof *one->covariance);
            assert_memory_equal(one->residuals, many->residuals, ROWS * sizeof *one->residuals);
            assert_true(one->residual_sd == many->residual_sd && one->r_squared == many->r_squared);
        }
    }
}

static void assert_refused(data *d, const bd_se_estimator *estimator, bd_status status, const char *message)
{
    const bd_ols *fit = NULL;
    const bd_ols_options options = BD_OLS_DEFAULTS;
    assert_int_equal(bd_ols_fit(&d->design, estimator, &options, d->arena, &fit), status);
    assert_string_equal(bd_message(), message);
    assert_null(fit);
}

static void test_ols_limits__names_a_linear_combination(void **state)
{
    data *d = *state;
    add_three(d);
    double sum[N], twice[N], coded[N];
    for (size_t i = 0; i < N; i++) {
        sum[i] = d->x1[i] + 3 * d->z[i] + 5;
        twice[i] = 2 * d->x2[i];
        coded[i] = d->x1[i] - d->x2[i] + d->z[i];
    }
    add(d, "sum", sum);
    assert_refused(d, &bd_se_hc3, BD_ENUMERIC, "'sum' is a linear combination of 'x1' and 'z'; leave one out");
    d->columns[4] = coded;
    assert_refused(d, &bd_se_hc3, BD_ENUMERIC, "'sum' is a linear combination of 'x1', 'x2' and 'z'; leave one out");
    d->columns[4] = twice;
    assert_refused(d, &bd_se_hc3, BD_ENUMERIC, "'sum' is a linear combination of 'x2'; leave one out");
    d->design.weights = d->w;
    assert_refused(d, &bd_se_hc3, BD_ENUMERIC, "'sum' is a linear combination of 'x2'; leave one out");
}

static void test_ols_limits__names_a_dummy_too_many_without_an_intercept(void **state)
{
    data *d = *state;
    double other[N];
    for (size_t i = 0; i < N; i++)
        other[i] = 1 - d->z[i];
    add(d, "z", d->z);
    add(d, "other", other);
    add(d, "one", d->one);
    assert_refused(d, &bd_se_classical, BD_ENUMERIC, "'one' is a linear combination of 'z' and 'other'; leave one out");
}

static void test_ols_limits__names_a_constant(void **state)
{
    data *d = *state;
    add_three(d);
    double tenths[N];
    for (size_t i = 0; i < N; i++)
        tenths[i] = 0.1;
    add(d, "tenths", tenths);
    assert_refused(d, &bd_se_classical, BD_EDATA, "'tenths' is the same in every row");
    for (size_t i = 0; i < N; i++)
        tenths[i] = i % 2 == 0 ? 0.3 : 0.1 + 0.2; /* equal but for rounding */
    assert_refused(d, &bd_se_classical, BD_EDATA, "'tenths' is the same in every row");
    d->design.n_columns = 4;
    d->design.response = tenths;
    assert_refused(d, &bd_se_classical, BD_EDATA, "the response 'y' is the same in every row");
    memset(tenths, 0, sizeof tenths);
    d->columns[0] = d->one;
    d->design.has_intercept = false;
    assert_refused(d, &bd_se_classical, BD_EDATA, "the response 'y' is zero in every row");
}

static void test_ols_limits__a_constant_may_stand_without_an_intercept(void **state)
{
    data *d = *state;
    add(d, "one", d->one);
    add(d, "x1", d->x1);
    const bd_ols *own = fit_with(d, &bd_se_hc3, 0.95);
    d->design.n_columns = 0;
    add(d, "(Intercept)", NULL);
    add(d, "x1", d->x1);
    const bd_ols *with = fit_with(d, &bd_se_hc3, 0.95);
    for (size_t j = 0; j < 2; j++) {
        assert_near(own->coefficients[j].estimate, with->coefficients[j].estimate, 1e-13);
        assert_near(own->coefficients[j].se, with->coefficients[j].se, 1e-13);
    }
}

static void test_ols_limits__says_how_many_rows_it_takes(void **state)
{
    data *d = *state;
    add_three(d);
    d->design.n_rows = 4;
    assert_refused(d, &bd_se_classical, BD_EDATA,
                   "4 coefficients cannot be estimated with an error from 4 rows; it takes 5 or more");
    d->design.n_rows = 0;
    assert_refused(d, &bd_se_classical, BD_EDATA,
                   "4 coefficients cannot be estimated with an error from 0 rows; it takes 5 or more");
    d->design.n_rows = N;
    memset(d->w, 0, sizeof d->w);
    d->w[3] = 1;
    d->design.weights = d->w;
    assert_refused(d, &bd_se_classical, BD_EDATA,
                   "4 coefficients cannot be estimated with an error from 1 row; it takes 5 or more");
}

static void test_ols_limits__refuses_values_that_are_not_numbers(void **state)
{
    data *d = *state;
    add_three(d);
    d->x2[6] = NAN;
    assert_refused(d, &bd_se_classical, BD_EDATA, "'x2' has a value that is not a number in row 7");
    d->x2[6] = 1;
    d->y[59] = INFINITY;
    assert_refused(d, &bd_se_classical, BD_EDATA, "the response 'y' has a value that is not a number in row 60");
    d->w[2] = -1;
    d->design.weights = d->w;
    assert_refused(d, &bd_se_classical, BD_EDATA,
                   "the weight in row 3 is -1; weights are inverse variances, 0 or more");
}

static void test_ols_limits__cluster_errors_need_two_clusters(void **state)
{
    data *d = *state;
    add_three(d);
    memset(d->cluster, 0, sizeof d->cluster);
    assert_refused(d, &bd_se_cr2, BD_EDATA, "cr2 needs at least two clusters, and there is 1");
    d->design.cluster = NULL;
    assert_refused(d, &bd_se_cr0, BD_EDATA, "cr0 needs clusters, and none are given");
    const bd_ols *fit = fit_with(d, &bd_se_hc1, 0.95);
    assert_true(fit->coefficients[0].se > 0);
}

static void test_ols_limits__estimators_are_found_by_name(void **state)
{
    (void)state;
    const bd_se_estimator *found = NULL;
    for (size_t k = 0; bd_se_estimators[k] != NULL; k++) {
        assert_int_equal(bd_se_find(bd_se_name(bd_se_estimators[k]), &found), BD_OK);
        assert_ptr_equal(found, bd_se_estimators[k]);
        assert_true(strlen(bd_se_summary(found)) > 10);
        assert_int_equal(bd_se_needs_clusters(found), k >= 6);
    }
    assert_int_equal(bd_se_find("hc9", &found), BD_EUSAGE);
    assert_string_equal(bd_message(), "no standard errors named 'hc9'; there are classical, hc0, hc1, hc2, hc3, hc4, "
                                      "cr0, cr1, cr2");
}

static void test_ols_limits__an_intercept_alone_is_the_mean(void **state)
{
    data *d = *state;
    double sum = 0;
    for (size_t i = 0; i < N; i++)
        sum += d->y[i];
    add(d, "(Intercept)", NULL);
    const bd_ols *fit = fit_with(d, &bd_se_classical, 0.95);
    assert_near(fit->coefficients[0].estimate, sum / N, 1e-14);
    assert_near(fit->coefficients[0].se, fit->residual_sd / sqrt(N), 1e-14);
    assert_true(fabs(fit->r_squared) < 1e-15 && isnan(fit->f) && fit->df_model == 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ols_limits__residuals_are_what_the_estimates_leave),
        TEST(test_ols_limits__a_large_mean_takes_no_digits_from_slopes),
        TEST(test_ols_limits__a_dummy_for_a_row_takes_it_out),
        TEST(test_ols_limits__clusters_may_come_in_any_order),
        TEST(test_ols_limits__bits_do_not_depend_on_threads),
        TEST(test_ols_limits__names_a_linear_combination),
        TEST(test_ols_limits__names_a_dummy_too_many_without_an_intercept),
        TEST(test_ols_limits__names_a_constant),
        TEST(test_ols_limits__a_constant_may_stand_without_an_intercept),
        TEST(test_ols_limits__says_how_many_rows_it_takes),
        TEST(test_ols_limits__refuses_values_that_are_not_numbers),
        TEST(test_ols_limits__cluster_errors_need_two_clusters),
        TEST(test_ols_limits__estimators_are_found_by_name),
        TEST(test_ols_limits__an_intercept_alone_is_the_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
