/* Distinct rows with frequencies: multinomial counts, the statistic at them, and when they are found. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/random/normal.h>
#include <bordin/random/philox.h>
#include <bordin/resampling/resample.h>

#include "fixture.h"

enum { N = 6000, REPLICATES = 3000 };

static double x[N], y[N];
static uint32_t stratum_codes[N];
static const double *const xy[] = {NULL, x, y};
static const bd_columns columns = {.n_rows = N, .n_columns = 3, .values = xy};
static const char *const names[] = {"slope"};

/* Rows of 5 x 7 kinds at most. */
static void make(void)
{
    static double z[2 * N];
    bd_random_normals(5, 1, BD_PURPOSE_SIMULATE, 2 * N, z);
    for (size_t i = 0; i < N; i++) {
        x[i] = fmax(-2, fmin(2, round(z[2 * i])));
        y[i] = fmax(-3, fmin(3, round(0.5 * x[i] + z[2 * i + 1])));
        stratum_codes[i] = i < N / 3;
    }
}

static bd_replicate_end slope(const void *context, const double *r, double *values, double *errors)
{
    (void)context;
    values[0] = r[1 * 3 + 2] / r[1 * 3 + 1];
    if (errors != NULL)
        errors[0] = 1;
    return BD_REPLICATE_USABLE;
}

static const bd_statistic statistic = {.n_values = 1, .names = names, .columns = &columns, .constant_first = true,
                                       .from_moments = slope};

static const bd_units *distinct(const bd_columns *of, bool stratified)
{
    const bd_membership strata = {stratum_codes, 2};
    const bd_units *units;
    double *triangle;
    must(bd_triangle_of(of, 1, arena, &triangle));
    must(bd_units_of_distinct_rows(of, stratified ? &strata : NULL, triangle, 1, arena, &units));
    return units;
}

/* How often the u-th kind occurs; kinds are in the order of their first rows. */
static double frequency_of(size_t u)
{
    for (size_t i = 0; i < N; i++) {
        size_t first = 0;
        double times = 0;
        while (x[first] != x[i] || y[first] != y[i])
            first++;
        if (first < i || u-- > 0)
            continue;
        for (size_t k = 0; k < N; k++)
            times += x[k] == x[i] && y[k] == y[i];
        return times;
    }
    return NAN;
}

/* Sums, means and variances of the counts; of REPLICATES the error of a variance is a share of sqrt(2 / REPLICATES). */
static void test_distinct__counts_are_multinomial(void **state)
{
    (void)state;
    static uint32_t counts[N];
    static double sums[N], squares[N];
    make();
    const bd_units *units = distinct(&columns, false);
    assert_non_null(units);
    const size_t n = bd_units_kinds(units);
    assert_in_range(n, 20, 35);
    assert_int_equal(bd_units_count(units), N);
    for (size_t r = 0; r < REPLICATES; r++) {
        size_t total = 0;
        must(bd_draw_counts(units, 7, r, arena, counts));
        for (size_t u = 0; u < n; u++) {
            total += counts[u];
            sums[u] += counts[u];
            squares[u] += (double)counts[u] * counts[u];
        }
        assert_int_equal(total, N);
    }
    for (size_t u = 0; u < n; u++) {
        const double mean = sums[u] / REPLICATES, variance = squares[u] / REPLICATES - mean * mean;
        const double frequency = frequency_of(u), expected = frequency * (1 - frequency / N);
        assert_true(fabs(mean - frequency) < 5 * sqrt(expected / REPLICATES));
        assert_true(fabs(variance / expected - 1) < 5 * sqrt(2.0 / REPLICATES) + 5 / sqrt(expected * REPLICATES));
    }
}

static const bd_replicates *run(const bd_units *units, int n_threads)
{
    bd_resampling_options options = BD_RESAMPLING_DEFAULTS;
    const bd_replicates *replicates;
    options.n_replicates = REPLICATES;
    options.n_threads = n_threads;
    must(bd_resample(units, &statistic, &options, arena, &replicates));
    return replicates;
}

static double sd_of(const bd_replicates *replicates)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < REPLICATES; i++)
        mean += replicates->values[i] / REPLICATES;
    for (size_t i = 0; i < REPLICATES; i++)
        squares += (replicates->values[i] - mean) * (replicates->values[i] - mean);
    return sqrt(squares / (REPLICATES - 1));
}

/* The same estimate and, within Monte-Carlo error, the same spread as rows drawn one by one. */
static void test_distinct__replicates_spread_as_those_of_rows(void **state)
{
    (void)state;
    const bd_membership strata = {stratum_codes, 2};
    make();
    for (int stratified = 0; stratified < 2; stratified++) {
        const bd_units *rows;
        double *triangle;
        must(bd_triangle_of(&columns, 1, arena, &triangle));
        must(bd_units_of_rows(&columns, stratified ? &strata : NULL, triangle, 1, arena, &rows));
        const bd_replicates *one_by_one = run(rows, 1), *by_kind = run(distinct(&columns, stratified), 1);
        assert_true(fabs(one_by_one->estimates[0] - by_kind->estimates[0]) < 1e-14);
        assert_true(fabs(sd_of(by_kind) / sd_of(one_by_one) - 1) < 5 * sqrt(1.0 / REPLICATES));
    }
}

/* Strata keep their sizes. */
static void test_distinct__strata_keep_their_rows(void **state)
{
    (void)state;
    static uint32_t counts[N];
    make();
    const bd_units *units = distinct(&columns, true);
    const size_t n = bd_units_kinds(units);
    for (size_t r = 0; r < 20; r++) {
        size_t sum = 0, u = 0;
        must(bd_draw_counts(units, 3, r, arena, counts));
        while (u < n && sum < N - N / 3)
            sum += counts[u++];
        assert_int_equal(sum, N - N / 3);
    }
}

static void test_distinct__is_identical_for_any_thread_count(void **state)
{
    (void)state;
    make();
    const bd_units *units = distinct(&columns, false);
    const bd_replicates *one = run(units, 1);
    for (int threads = 2; threads <= 3; threads++)
        assert_memory_equal(one->values, run(units, threads)->values, REPLICATES * sizeof(double));
}

/* Weights make rows different, signs of zero do not; of rows that are all different none are told apart. */
static void test_distinct__rows_differ_by_values_and_weights(void **state)
{
    (void)state;
    static double weights[N];
    make();
    const size_t n = bd_units_kinds(distinct(&columns, false));
    for (size_t i = 0; i < N; i++) {
        weights[i] = 1 + (double)(i % 2);
        x[i] = x[i] == 0 && i % 3 == 0 ? -0.0 : x[i];
    }
    assert_int_equal(bd_units_kinds(distinct(&columns, false)), n);
    const bd_columns weighted = {.n_rows = N, .n_columns = 3, .values = xy, .weights = weights};
    assert_in_range(bd_units_kinds(distinct(&weighted, false)), n + 10, 2 * n);
    for (size_t i = 0; i < N; i++)
        y[i] += 1e-9 * (double)i;
    assert_null(distinct(&columns, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_distinct__counts_are_multinomial, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_distinct__replicates_spread_as_those_of_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_distinct__strata_keep_their_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_distinct__is_identical_for_any_thread_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_distinct__rows_differ_by_values_and_weights, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
