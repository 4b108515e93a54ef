/* Calibrated intervals: against samples of samples that are written out, R, and the truth. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/data/csv.h>
#include <bordin/random/normal.h>
#include <bordin/resampling/interval.h>

#include "fixture.h"

enum { Q = 3, MOST_ROWS = 90000, CLUSTERS = 40, INNER = 249, OUTER = 2000 };

static double x[MOST_ROWS], y[MOST_ROWS];
static uint32_t clusters[MOST_ROWS], strata[MOST_ROWS];
static const double *const xy[Q] = {NULL, x, y};
static const char *const names[] = {"slope", "mean"};

typedef enum sampling_design { ROWS, STRATA, WHOLE_CLUSTERS, CLUSTERS_IN_STRATA, TWO_STAGES } sampling_design;

static bd_columns columns_of(size_t n)
{
    return (bd_columns){.n_rows = n, .n_columns = Q, .values = xy};
}

static void make(size_t n)
{
    static double z[2 * MOST_ROWS];
    bd_random_normals(4, 1, BD_PURPOSE_SIMULATE, 2 * n, z);
    for (size_t i = 0; i < n; i++) {
        clusters[i] = (uint32_t)(i * 7 % CLUSTERS);
        strata[i] = clusters[i] % 5 < 2;
        x[i] = z[2 * i];
        y[i] = 0.3 * x[i] + exp(z[2 * i + 1]) + 0.2 * clusters[i];
    }
}

static bd_replicate_end slope_and_mean(const void *context, const double *r, double *values, double *errors)
{
    (void)context;
    (void)errors;
    values[0] = r[1 * Q + 2] / r[1 * Q + 1];
    values[1] = r[2] / r[0];
    return BD_REPLICATE_USABLE;
}

static bd_replicate_end weighted(const void *context, const double *weights, double *scratch, double *values,
                                 double *errors)
{
    (void)context;
    (void)scratch;
    (void)errors;
    values[0] = values[1] = weights[0];
    return BD_REPLICATE_USABLE;
}

static const bd_units *units_of(const bd_columns *columns, sampling_design design)
{
    const bd_membership within = {strata, 2}, whole = {clusters, CLUSTERS};
    const bd_membership *parts = design == STRATA || design == CLUSTERS_IN_STRATA ? &within : NULL;
    const bd_units *units = NULL;
    double *triangle;
    must(bd_triangle_of(columns, 1, arena, &triangle));
    if (design == TWO_STAGES)
        must(bd_units_of_two_stages(columns, &whole, parts, triangle, 2, arena, &units));
    else if (design >= WHOLE_CLUSTERS)
        must(bd_units_of_clusters(columns, &whole, parts, triangle, 2, arena, &units));
    else
        must(bd_units_of_rows(columns, parts, triangle, 2, arena, &units));
    return units;
}

static const bd_replicates *resample(const bd_units *units, const bd_columns *columns, size_t n, uint64_t seed,
                                     int n_threads)
{
    const bd_statistic statistic = {
        .n_values = 2, .names = names, .columns = columns, .constant_first = true, .from_moments = slope_and_mean};
    const bd_replicates *replicates;
    bd_resampling_options options = BD_RESAMPLING_DEFAULTS;
    options.n_replicates = n;
    options.seed = seed;
    options.n_threads = n_threads;
    options.calibration = true;
    options.max_failed = 1;
    must(bd_resample(units, &statistic, &options, arena, &replicates));
    return replicates;
}

/* Of rows counted so often, by two passes. */
static void refit(size_t n, const double *counts, double *values)
{
    double total = 0, mx = 0, my = 0, xx = 0, xyy = 0;
    for (size_t i = 0; i < n; i++) {
        total += counts[i];
        mx += counts[i] * x[i];
        my += counts[i] * y[i];
    }
    mx /= total;
    my /= total;
    for (size_t i = 0; i < n; i++) {
        xx += counts[i] * (x[i] - mx) * (x[i] - mx);
        xyy += counts[i] * (x[i] - mx) * (y[i] - my);
    }
    values[0] = xyy / xx;
    values[1] = my;
}

/* Units in the order of their strata: place by place, rows or clusters. */
static size_t places_of(const bd_units *units, sampling_design design, size_t *places)
{
    const size_t n = bd_units_count(units);
    size_t done = 0;
    for (uint32_t stratum = 0; stratum < 2; stratum++)
        for (size_t u = 0; u < n; u++) {
            size_t row = u;
            while (design >= WHOLE_CLUSTERS && clusters[row] != u)
                row++;
            if (design == STRATA || design == CLUSTERS_IN_STRATA ? strata[row] == stratum : stratum == 0)
                places[done++] = u;
        }
    return done;
}

/* The share of one replicate, from samples of the list of its units, drawn as any run draws under the key of the
 * replicate. */
static void expect_shares(const bd_units *units, size_t n_rows, sampling_design design, const bd_replicates *replicates,
                          size_t replicate)
{
    static size_t places[MOST_ROWS], drawn[MOST_ROWS];
    static uint32_t counts[MOST_ROWS];
    static double of_units[MOST_ROWS], of_rows[MOST_ROWS];
    const size_t n = places_of(units, design, places);
    size_t n_drawn = 0, below[2] = {0};
    uint32_t words[4];
    must(bd_draw_counts(units, 9, replicate, arena, counts));
    for (size_t k = 0; k < n; k++)
        for (uint32_t times = 0; times < counts[places[k]]; times++)
            drawn[n_drawn++] = places[k];
    assert_true(n_drawn == n);
    bd_philox(9, (bd_counter){.stream = (uint32_t)replicate, .purpose = BD_PURPOSE_INNER}, words);
    for (size_t m = 0; m < INNER; m++) {
        double values[2];
        must(bd_draw_counts(units, (uint64_t)words[1] << 32 | words[0], m, arena, counts));
        memset(of_units, 0, n * sizeof *of_units);
        for (size_t k = 0; k < n; k++)
            of_units[drawn[k]] += counts[places[k]];
        for (size_t i = 0; i < n_rows; i++)
            of_rows[i] = of_units[design >= WHOLE_CLUSTERS ? clusters[i] : i];
        refit(n_rows, of_rows, values);
        for (size_t v = 0; v < 2; v++)
            below[v] += values[v] <= replicates->estimates[v];
    }
    for (size_t v = 0; v < 2; v++) {
        const double share = replicates->inner_shares[v * replicates->n_outer + replicate];
        if (!(fabs(share - (double)below[v] / INNER) < 1e-12))
            fail_msg("design %d replicate %zu: %g, not %g", design, replicate, share, (double)below[v] / INNER);
    }
}

static void shares_are_those_of_samples_written_out(void **unused)
{
    (void)unused;
    static const struct {
        size_t n;
        sampling_design design;
    } cases[] = {{50, ROWS},           {200, STRATA},         {200, WHOLE_CLUSTERS}, {200, CLUSTERS_IN_STRATA},
                 {2500, ROWS},         {5000, STRATA},        {MOST_ROWS, STRATA}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        make(cases[c].n);
        const bd_columns columns = columns_of(cases[c].n);
        const bd_units *units = units_of(&columns, cases[c].design);
        const size_t n = cases[c].n > 10000 ? 1 : 5;
        const bd_replicates *replicates = resample(units, &columns, n, 9, 2);
        assert_true(replicates->n_outer == n && replicates->n_inner == INNER);
        for (size_t b = 0; b < n; b++)
            expect_shares(units, cases[c].n, cases[c].design, replicates, b);
    }
}

/* The level below which a part p of the shares lies, by the corners of their distribution. */
static double level_of(const double *shares, size_t n, double p)
{
    double sum = 0;
    size_t counts[INNER + 1] = {0}, k = 0;
    for (size_t i = 0; i < n; i++)
        counts[lround(shares[i] * INNER)]++;
    for (; sum + (double)counts[k] < p * (double)n; k++)
        sum += (double)counts[k];
    return ((double)k + (p * (double)n - sum) / (double)counts[k]) / (INNER + 1);
}

/* Ends are those of percentile intervals at these levels. */
static void ends_are_quantiles_at_the_calibrated_levels(void **unused)
{
    (void)unused;
    make(25);
    const bd_columns columns = columns_of(25);
    const bd_replicates *r = resample(units_of(&columns, ROWS), &columns, 3000, 2, 2);
    assert_true(r->n_outer == OUTER);
    for (size_t v = 0; v < 2; v++) {
        bd_interval_ends ends, low, high;
        const double *shares = r->inner_shares + v * r->n_outer;
        must(bd_interval(&bd_calibrated, r, v, 0.9, arena, &ends));
        must(bd_interval(&bd_percentile, r, v, 1 - 2 * level_of(shares, r->n_outer, 0.05), arena, &low));
        must(bd_interval(&bd_percentile, r, v, 2 * level_of(shares, r->n_outer, 0.95) - 1, arena, &high));
        assert_true(fabs(ends.low - low.low) < 1e-9 && fabs(ends.high - high.high) < 1e-9);
        must(bd_interval(&bd_percentile, r, v, 0.9, arena, &low));
        assert_true(ends.high - ends.low > 1.02 * (low.high - low.low));
        assert_true(ends.mc_se_low > low.mc_se_low && ends.mc_se_high > low.mc_se_high);
    }
}

/* R 4.2.2, scripts/reference-abc.R: 20000 replicates; standard errors of R's ends there and of ours by themselves. */
static void ends_agree_with_a_double_bootstrap_in_r(void **unused)
{
    (void)unused;
    static const double expected[2][2] = {{0.491148, 0.675538}, {28.1905, 37.6598}};
    static const double errors[2][2] = {{0.0013, 0.0013}, {0.059, 0.068}};
    const bd_wanted wanted[] = {{"compliance", BD_USE_NUMBERS}, {"improvement", BD_USE_NUMBERS}};
    const bd_csv_options options = BD_CSV_DEFAULTS;
    const bd_table *table;
    must(bd_csv_read("datasets/adherence_cholostyramine/cholost.csv", wanted, 2, &options, arena, &table));
    memcpy(x, bd_table_find(table, "compliance")->numbers, table->n_rows * sizeof *x);
    memcpy(y, bd_table_find(table, "improvement")->numbers, table->n_rows * sizeof *y);
    const bd_columns columns = columns_of(table->n_rows);
    const bd_replicates *r = resample(units_of(&columns, ROWS), &columns, 10000, 1, 2);
    for (size_t v = 0; v < 2; v++) {
        bd_interval_ends ends;
        must(bd_interval(&bd_calibrated, r, v, 0.95, arena, &ends));
        assert_true(fabs(ends.low - expected[v][0]) < 4 * hypot(errors[v][0], ends.mc_se_low));
        assert_true(fabs(ends.high - expected[v][1]) < 4 * hypot(errors[v][1], ends.mc_se_high));
        assert_true(ends.mc_se_low < 0.15 * ends.boot_se && ends.mc_se_high < 0.15 * ends.boot_se);
    }
}

static void p_inverts_the_interval(void **unused)
{
    (void)unused;
    make(60);
    const bd_columns columns = columns_of(60);
    const bd_replicates *r = resample(units_of(&columns, ROWS), &columns, 4000, 3, 2);
    bd_interval_ends ends, at_p;
    must(bd_interval(&bd_calibrated, r, 0, 0.95, arena, &ends));
    assert_true(ends.p > 0.005 && ends.p < 0.9);
    must(bd_interval(&bd_calibrated, r, 0, 1 - ends.p, arena, &at_p));
    assert_true(fmin(fabs(at_p.low), fabs(at_p.high)) < 0.02 * ends.boot_se);
}

static void the_same_bits_at_any_number_of_threads(void **unused)
{
    (void)unused;
    make(MOST_ROWS);
    for (int large = 0; large < 2; large++) {
        const bd_columns columns = columns_of(large ? MOST_ROWS : 300);
        const size_t n = large ? 2 : 100;
        const bd_units *units = units_of(&columns, STRATA);
        const bd_replicates *one = resample(units, &columns, n, 1, 1);
        for (int n_threads = 2; n_threads <= 3; n_threads++)
            assert_memory_equal(resample(units, &columns, n, 1, n_threads)->inner_shares, one->inner_shares,
                                2 * n * sizeof(double));
    }
}

/* A predictor that differs in two of thirty rows: replicates, and samples of replicates, in which it does not vary. */
static void what_fails_is_left_out(void **unused)
{
    (void)unused;
    make(30);
    for (size_t i = 0; i < 30; i++)
        x[i] = i < 2;
    const bd_columns columns = columns_of(30);
    const bd_replicates *r = resample(units_of(&columns, ROWS), &columns, 1000, 1, 2);
    size_t n_failed = 0;
    for (size_t b = 0; b < 1000; b++) {
        n_failed += r->ends[b] != BD_REPLICATE_USABLE;
        assert_true(isnan(r->inner_shares[b]) == (r->ends[b] != BD_REPLICATE_USABLE));
        assert_true(isnan(r->inner_shares[b]) || (r->inner_shares[b] >= 0 && r->inner_shares[b] <= 1));
    }
    assert_true(n_failed > 80 && n_failed < 180); /* 1000 (28/30)^30 = 126 */
    bd_interval_ends ends;
    must(bd_interval(&bd_calibrated, r, 0, 0.8, arena, &ends));
    assert_true(ends.low < ends.high && ends.n_usable == 1000 - n_failed);
}

static void what_cannot_be_drawn_from_twice_is_refused(void **unused)
{
    (void)unused;
    make(200);
    const bd_columns columns = columns_of(200), rows = {.n_rows = 200};
    const bd_statistic moments = {.n_values = 2, .names = names, .columns = &columns, .from_moments = slope_and_mean};
    const bd_statistic weights = {.n_values = 2, .names = names, .columns = &rows, .from_weights = weighted};
    const bd_replicates *replicates;
    const bd_units *units;
    const double none = 0;
    bd_resampling_options options = BD_RESAMPLING_DEFAULTS;
    options.calibration = true;
    assert_int_equal(bd_resample(units_of(&columns, TWO_STAGES), &moments, &options, arena, &replicates), BD_EUSAGE);
    assert_non_null(strstr(bd_message(), "two stages"));
    must(bd_units_of_rows(&rows, NULL, &none, 1, arena, &units));
    assert_int_equal(bd_resample(units, &weights, &options, arena, &replicates), BD_EUSAGE);
    assert_non_null(strstr(bd_message(), "would fit 498000 models"));
}

static bool stop_at_last(void *context, size_t n_done, size_t n_asked)
{
    int *calls = context;
    return n_done < n_asked || ++*calls < 3;
}

/* The watch is asked between samples of samples, too. */
static void the_watch_can_stop_it(void **unused)
{
    (void)unused;
    make(50);
    int calls = 0;
    const bd_columns columns = columns_of(50);
    const bd_statistic statistic = {.n_values = 2, .names = names, .columns = &columns, .from_moments = slope_and_mean};
    const bd_watch watch = {stop_at_last, &calls};
    const bd_replicates *replicates;
    bd_resampling_options options = BD_RESAMPLING_DEFAULTS;
    options.calibration = true;
    options.watch = &watch;
    assert_int_equal(bd_resample(units_of(&columns, ROWS), &statistic, &options, arena, &replicates), BD_ESTOPPED);
    assert_non_null(strstr(bd_message(), "of 2000"));
}

/* Means of 20 exponentials, in short: the binomial standard error is 0.027. Of 4000 sets with 1999 replicates each, 90
 * and 95 % intervals covered 84.9 and 90.4 % (percentile), 85.2 and 91.2 % (BCa), 84.9 and 91.2 % (ABC), 88.3 and
 * 93.7 % (calibrated), with standard errors of 0.5 and 0.4 %. */
static void it_covers_a_skewed_mean_better(void **unused)
{
    (void)unused;
    enum { SETS = 120, N = 20 };
    size_t covered[2] = {0};
    for (uint32_t set = 0; set < SETS; set++) {
        const bd_mark mark = bd_arena_mark(arena);
        double z[2 * N];
        bd_random_normals(8, set, BD_PURPOSE_SIMULATE, 2 * N, z);
        for (size_t i = 0; i < N; i++) {
            x[i] = (double)i;
            y[i] = (z[2 * i] * z[2 * i] + z[2 * i + 1] * z[2 * i + 1]) / 2;
        }
        const bd_columns columns = columns_of(N);
        const bd_replicates *r = resample(units_of(&columns, ROWS), &columns, 299, set, 2);
        for (size_t m = 0; m < 2; m++) {
            bd_interval_ends ends;
            must(bd_interval(m == 0 ? &bd_percentile : &bd_calibrated, r, 1, 0.9, arena, &ends));
            covered[m] += ends.low <= 1 && 1 <= ends.high;
        }
        bd_arena_rewind(arena, mark);
    }
    assert_true(covered[1] > covered[0]);
    assert_true(fabs((double)covered[1] / SETS - 0.9) < 0.07);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shares_are_those_of_samples_written_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ends_are_quantiles_at_the_calibrated_levels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ends_agree_with_a_double_bootstrap_in_r, set_up, tear_down),
        cmocka_unit_test_setup_teardown(p_inverts_the_interval, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_bits_at_any_number_of_threads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_fails_is_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_drawn_from_twice_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_watch_can_stop_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_covers_a_skewed_mean_better, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("calibrated", tests, NULL, NULL);
}
