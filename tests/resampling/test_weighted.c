/* Statistics from weights: the replicates of the same statistic from moments, and what leaving out tells. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/random/normal.h>
#include <bordin/random/philox.h>
#include <bordin/resampling/resample.h>

#include "fixture.h"

enum { N = 300, REPLICATES = 200, VALUES = 2, MANY = 5000 };

static double x[N], y[N];
static uint32_t cluster_codes[N], stratum_codes[N];
static const double *const xy[] = {NULL, x, y};
static const bd_columns moments_of = {.n_rows = N, .n_columns = 3, .values = xy};
static const bd_columns rows_only = {.n_rows = N};
static const char *const names[] = {"slope", "mean"};

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.15g, not %.15g", value, expected);
}

static void make(void)
{
    double z[2 * N];
    bd_random_normals(4, 1, BD_PURPOSE_SIMULATE, 2 * N, z);
    for (size_t i = 0; i < N; i++) {
        cluster_codes[i] = (uint32_t)(i * 11 % 30);
        stratum_codes[i] = cluster_codes[i] < 12;
        x[i] = z[2 * i] + 0.1 * cluster_codes[i];
        y[i] = 0.4 * x[i] + exp(z[2 * i + 1]);
    }
}

static bd_replicate_end by_moments(const void *context, const double *r, double *values, double *errors)
{
    (void)context;
    values[0] = r[1 * 3 + 2] / r[1 * 3 + 1];
    values[1] = r[2] / r[0];
    if (errors != NULL)
        errors[0] = errors[1] = 1;
    return BD_REPLICATE_USABLE;
}

/* The same, row by row; no usable values where the weight of row 0 is at least the context's. */
static bd_replicate_end by_weights(const void *context, const double *weights, double *scratch, double *values,
                                   double *errors)
{
    const double *most = context;
    double n = 0, mx = 0, my = 0;
    scratch[0] = 0;
    scratch[1] = 0;
    for (size_t i = 0; i < N; i++) {
        n += weights[i];
        mx += weights[i] * x[i];
        my += weights[i] * y[i];
    }
    for (size_t i = 0; i < N; i++) {
        scratch[0] += weights[i] * (x[i] - mx / n) * (x[i] - mx / n);
        scratch[1] += weights[i] * (x[i] - mx / n) * (y[i] - my / n);
    }
    values[0] = scratch[1] / scratch[0];
    values[1] = my / n;
    if (errors != NULL)
        errors[0] = errors[1] = 1;
    return most != NULL && weights[0] >= *most ? BD_REPLICATE_SEPARATED : BD_REPLICATE_USABLE;
}

static bd_statistic weighted(const double *most)
{
    return (bd_statistic){.n_values = VALUES, .names = names, .columns = &rows_only, .from_weights = by_weights,
                          .n_scratch = 2, .context = most};
}

typedef bd_status (*maker)(const bd_columns *columns, const bd_membership *clusters, const bd_membership *strata,
                           const double *triangle, int n_threads, bd_arena *arena, const bd_units **units);

static bd_status rows(const bd_columns *columns, const bd_membership *clusters, const bd_membership *strata,
                      const double *triangle, int n_threads, bd_arena *memory, const bd_units **units)
{
    (void)clusters;
    return bd_units_of_rows(columns, strata, triangle, n_threads, memory, units);
}

static const bd_replicates *run(maker make_units, bool stratified, const bd_statistic *statistic,
                                const bd_resampling_options *options)
{
    const bd_membership clusters = {cluster_codes, 30}, strata = {stratum_codes, 2};
    const bd_units *units;
    const bd_replicates *replicates;
    double *triangle = NULL;
    if (statistic->columns->n_columns > 0)
        must(bd_triangle_of(statistic->columns, 1, arena, &triangle));
    must(make_units(statistic->columns, &clusters, stratified ? &strata : NULL, triangle, 1, arena, &units));
    must(bd_resample(units, statistic, options, arena, &replicates));
    return replicates;
}

static void test_weighted__replicates_are_those_from_moments(void **state)
{
    (void)state;
    const maker makers[] = {rows, bd_units_of_clusters, bd_units_of_two_stages};
    const bd_statistic moments = {.n_values = VALUES, .names = names, .columns = &moments_of, .constant_first = true,
                                  .from_moments = by_moments};
    const bd_statistic weights = weighted(NULL);
    bd_resampling_options options = BD_RESAMPLING_DEFAULTS;
    options.n_replicates = REPLICATES;
    options.jackknife = options.accelerations = true;
    make();
    for (size_t design = 0; design < 3; design++)
        for (int stratified = 0; stratified < 2; stratified++) {
            const bd_replicates *a = run(makers[design], stratified, &moments, &options);
            const bd_replicates *b = run(makers[design], stratified, &weights, &options);
            for (size_t i = 0; i < VALUES * REPLICATES; i++)
                assert_near(a->values[i], b->values[i], 1e-11);
            for (size_t v = 0; v < VALUES; v++) {
                assert_near(a->jackknife_errors[v], b->jackknife_errors[v], 1e-9);
                /* infinitesimal against leaving one out: they differ by about a unit's share */
                assert_near(a->accelerations[v], b->accelerations[v], design == 0 ? 2e-3 : 2e-2);
            }
        }
}

static void test_weighted__is_identical_for_any_thread_count(void **state)
{
    (void)state;
    const bd_statistic weights = weighted(NULL);
    bd_resampling_options options = BD_RESAMPLING_DEFAULTS;
    options.n_replicates = REPLICATES;
    options.jackknife = options.accelerations = options.standard_errors = true;
    make();
    const bd_replicates *one = run(bd_units_of_clusters, false, &weights, &options);
    for (int threads = 2; threads <= 3; threads++) {
        options.n_threads = threads;
        const bd_replicates *many = run(bd_units_of_clusters, false, &weights, &options);
        assert_memory_equal(one->values, many->values, VALUES * REPLICATES * sizeof(double));
        assert_memory_equal(one->accelerations, many->accelerations, VALUES * sizeof(double));
        assert_memory_equal(one->jackknife_errors, many->jackknife_errors, VALUES * sizeof(double));
    }
}

/* Each with its reason; NaN in their place. */
static void test_weighted__counts_replicates_that_fail(void **state)
{
    (void)state;
    const double most = 4;
    const bd_statistic weights = weighted(&most);
    bd_resampling_options options = BD_RESAMPLING_DEFAULTS;
    const char *reasons;
    char expected[40];
    size_t n = 0;
    options.n_replicates = REPLICATES;
    make();
    const bd_replicates *replicates = run(rows, false, &weights, &options);
    for (size_t i = 0; i < REPLICATES; i++)
        n += isnan(replicates->values[i]) ? 1 : 0;
    assert_in_range(n, 1, 10); /* a Poisson count of 4 or more: 1.9 % */
    assert_int_equal(replicates->n_ended[BD_REPLICATE_SEPARATED], n);
    must(bd_replicate_reasons(replicates, arena, &reasons));
    snprintf(expected, sizeof expected, "separated: %zu", n);
    assert_string_equal(reasons, expected);
}

static bd_replicate_end mean_of(const void *context, const double *weights, double *scratch, double *values,
                                double *errors)
{
    const double *data = context;
    double n = 0, sum = 0;
    (void)scratch;
    (void)errors;
    for (size_t i = 0; i < MANY; i++) {
        n += weights[i];
        sum += weights[i] * data[i];
    }
    values[0] = sum / n;
    return BD_REPLICATE_USABLE;
}

/* Of more than a thousand rows a thousand groups: the error of a mean of normals is near its own. */
static void test_weighted__leaves_out_groups_of_many_rows(void **state)
{
    (void)state;
    static double data[MANY];
    bd_random_normals(8, 2, BD_PURPOSE_SIMULATE, MANY, data);
    const bd_columns many_rows = {.n_rows = MANY};
    const bd_statistic statistic = {.n_values = 1, .names = names, .columns = &many_rows, .from_weights = mean_of,
                                    .context = data};
    bd_resampling_options options = BD_RESAMPLING_DEFAULTS;
    options.n_replicates = 10;
    options.jackknife = true;
    const bd_replicates *replicates = run(rows, false, &statistic, &options);
    assert_near(replicates->jackknife_errors[0], 1 / sqrt(MANY), 0.05 / sqrt(MANY));
}

/* 20 subsets of 5000^0.7 = 389 rows: the spread of a mean within the error of their variances, sqrt(2 / 7780). */
static void test_weighted__little_bootstraps_have_the_spread_of_rows(void **state)
{
    (void)state;
    enum { LITTLE = 2000 };
    static double data[MANY];
    bd_random_normals(8, 2, BD_PURPOSE_SIMULATE, MANY, data);
    const bd_columns many_rows = {.n_rows = MANY};
    const bd_statistic statistic = {.n_values = 1, .names = names, .columns = &many_rows, .from_weights = mean_of,
                                    .context = data};
    const bd_statistic moments = {.n_values = 1, .names = names, .columns = &moments_of, .from_moments = by_moments};
    bd_resampling_options options = BD_RESAMPLING_DEFAULTS;
    const bd_replicates *one, *many;
    double squares = 0;
    options.n_replicates = LITTLE;
    options.n_threads = 1;
    must(bd_little_bootstraps(&statistic, &options, arena, &one));
    assert_int_equal(one->n_subset, 389);
    for (size_t i = 0; i < LITTLE; i++)
        squares += (one->values[i] - one->estimates[0]) * (one->values[i] - one->estimates[0]);
    assert_near(sqrt(squares / LITTLE * MANY), 1, 4 * (sqrt(1.0 / LITTLE / 2) + sqrt(1.0 / 7780 / 2)));
    options.n_threads = 3;
    must(bd_little_bootstraps(&statistic, &options, arena, &many));
    assert_memory_equal(one->values, many->values, LITTLE * sizeof(double));
    assert_int_equal(bd_little_bootstraps(&moments, &options, arena, &many), BD_EUSAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_weighted__replicates_are_those_from_moments, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_weighted__is_identical_for_any_thread_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_weighted__counts_replicates_that_fail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_weighted__little_bootstraps_have_the_spread_of_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_weighted__leaves_out_groups_of_many_rows, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
