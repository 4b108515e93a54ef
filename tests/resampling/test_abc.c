/* ABC intervals: those of R's boot as its steps go to zero, closed forms, what cannot be done. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <gsl/gsl_cdf.h>

#include <bordin/data/csv.h>
#include <bordin/random/normal.h>
#include <bordin/resampling/interval.h>

#include "fixture.h"

enum { MOST = 4 };

/* Columns of a file, the constant first, and what is drawn. */
typedef struct sample {
    const double *values[MOST];
    bd_columns columns;
    bd_membership clusters, strata; /* codes NULL: none */
} sample;

static bd_replicate_end slope(const void *context, const double *r, double *values, double *errors)
{
    (void)context;
    (void)errors;
    values[0] = r[1 * 3 + 2] / r[1 * 3 + 1];
    return BD_REPLICATE_USABLE;
}

static bd_replicate_end correlation(const void *context, const double *r, double *values, double *errors)
{
    (void)context;
    (void)errors;
    values[0] = r[1 * 3 + 2] / hypot(r[1 * 3 + 2], r[2 * 3 + 2]);
    return BD_REPLICATE_USABLE;
}

static bd_replicate_end indirect(const void *context, const double *r, double *values, double *errors)
{
    (void)context;
    (void)errors;
    values[0] = r[1 * 4 + 2] / r[1 * 4 + 1] * (r[2 * 4 + 3] / r[2 * 4 + 2]);
    return BD_REPLICATE_USABLE;
}

/* The mean of the only column besides the constant; not above the context, if there is one. */
static bd_replicate_end mean(const void *context, const double *r, double *values, double *errors)
{
    const double *most = context;
    (void)errors;
    values[0] = r[1] / r[0];
    return most != NULL && values[0] > *most ? BD_REPLICATE_CONSTANT : BD_REPLICATE_USABLE;
}

static bd_replicate_end weighted(const void *context, const double *weights, double *scratch, double *values,
                                 double *errors)
{
    (void)context;
    (void)scratch;
    (void)errors;
    values[0] = weights[0];
    return BD_REPLICATE_USABLE;
}

typedef bd_replicate_end (*from_moments)(const void *, const double *, double *, double *);

static const bd_replicates *resample(const sample *s, from_moments function, const void *context, int n_threads)
{
    static const char *const names[] = {"value"};
    const bd_statistic statistic = {
        .n_values = 1, .names = names, .columns = &s->columns, .from_moments = function, .context = context};
    const bd_membership *strata = s->strata.codes ? &s->strata : NULL;
    const bd_units *units;
    const bd_replicates *replicates;
    double *triangle;
    bd_resampling_options options = BD_RESAMPLING_DEFAULTS;
    options.n_replicates = 20;
    options.n_threads = n_threads;
    options.abc = true;
    must(bd_triangle_of(&s->columns, 1, arena, &triangle));
    if (s->clusters.codes != NULL)
        must(bd_units_of_clusters(&s->columns, &s->clusters, strata, triangle, n_threads, arena, &units));
    else
        must(bd_units_of_rows(&s->columns, strata, triangle, n_threads, arena, &units));
    must(bd_resample(units, &statistic, &options, arena, &replicates));
    return replicates;
}

static bd_interval_ends ends_at(const sample *s, from_moments function, double level)
{
    bd_interval_ends ends;
    must(bd_interval(&bd_abc_interval, resample(s, function, NULL, 2), 0, level, arena, &ends));
    return ends;
}

/* Categories of a table count from 1. */
static bd_membership membership(const bd_table *table, const char *name)
{
    const bd_column *column = bd_table_find(table, name);
    uint32_t *codes = bd_arena_alloc(arena, table->n_rows, sizeof *codes);
    assert_non_null(codes);
    for (size_t i = 0; i < table->n_rows; i++)
        codes[i] = column->codes[i] - 1;
    return (bd_membership){codes, column->n_levels};
}

static void read(const char *path, const char *const *columns, size_t n, const char *group, const bd_table **table,
                 sample *s)
{
    const bd_csv_options options = BD_CSV_DEFAULTS;
    bd_wanted wanted[MOST + 1] = {{group, BD_USE_CATEGORIES}};
    for (size_t j = 0; j < n; j++)
        wanted[j + 1] = (bd_wanted){columns[j], BD_USE_NUMBERS};
    must(bd_csv_read(path, group ? wanted : wanted + 1, group ? n + 1 : n, &options, arena, table));
    for (size_t j = 0; j < n; j++)
        s->values[j + 1] = bd_table_find(*table, columns[j])->numbers;
    s->columns = (bd_columns){.n_rows = (*table)->n_rows, .n_columns = n + 1, .values = s->values};
}

static sample cholost(void)
{
    static sample s;
    const bd_table *table;
    read("datasets/adherence_cholostyramine/cholost.csv", (const char *[]){"compliance", "improvement"}, 2, NULL,
         &table, &s);
    return s;
}

/* One of the limits of scripts/reference-abc.R. */
static void expect(const sample *s, from_moments function, double level, double low, double high)
{
    const bd_interval_ends ends = ends_at(s, function, level);
    if (!(fabs(ends.low - low) < 2e-8 && fabs(ends.high - high) < 2e-8))
        fail_msg("%g: %.12g %.12g, not %.12g %.12g", level, ends.low, ends.high, low, high);
    assert_true(ends.mc_se_low == 0 && ends.mc_se_high == 0 && ends.boot_se > 0);
}

/* R 4.2.2, boot 1.3.28.1: abc.ci extrapolated to steps of 0, which is good to 1e-8. With its own steps, 0.001 / n, R is
 * at 0.4941367636 0.6734152804 for the slope: 2e-6 away, by rounding. */
static void rows_agree_with_boot(void **unused)
{
    (void)unused;
    const sample s = cholost();
    expect(&s, slope, 0.9, 0.5086069218, 0.659050913);
    expect(&s, slope, 0.95, 0.4941349505, 0.6734134822);
    expect(&s, slope, 0.99, 0.4658120656, 0.7014675078);
    expect(&s, correlation, 0.9, 0.6098926481, 0.7351962339);
    expect(&s, correlation, 0.95, 0.5955583873, 0.7452889372);
    expect(&s, correlation, 0.99, 0.566065867, 0.7642284357);
}

static void strata_agree_with_boot(void **unused)
{
    (void)unused;
    static sample s;
    const bd_table *table;
    read("datasets/mediation_pmi/tal_or.csv", (const char *[]){"cond", "pmi", "reaction"}, 3, "gender", &table, &s);
    expect(&s, indirect, 0.9, 0.05117037836, 0.4740478599);
    expect(&s, indirect, 0.95, 0.01730283932, 0.5221684634);
    expect(&s, indirect, 0.99, -0.04547165753, 0.6212905918);
    s.strata = membership(table, "gender");
    expect(&s, indirect, 0.9, 0.05121094215, 0.4739886869);
    expect(&s, indirect, 0.95, 0.01734621305, 0.5220917259);
    expect(&s, indirect, 0.99, -0.04542734612, 0.6211739827);
}

static void clusters_agree_with_boot(void **unused)
{
    (void)unused;
    static sample s;
    const bd_table *table;
    read("datasets/jobs2_mediation/jobs.csv", (const char *[]){"depress1", "depress2"}, 2, "occp", &table, &s);
    s.clusters = membership(table, "occp");
    expect(&s, slope, 0.9, 0.4604010362, 0.5223856835);
    expect(&s, slope, 0.95, 0.4519587264, 0.5265198873);
    expect(&s, slope, 0.99, 0.4336400957, 0.533956348);
}

/* A mean is linear: b = c_q = 0, so z0 = a, and lambda adds lambda sigma. */
static void a_mean_has_a_closed_form(void **unused)
{
    (void)unused;
    enum { N = 30 };
    static double y[N];
    const double *const values[] = {NULL, y};
    const sample s = {.columns = {.n_rows = N, .n_columns = 2, .values = values}};
    double total = 0, second = 0, third = 0;
    for (size_t i = 0; i < N; i++)
        total += y[i] = exp(gsl_cdf_ugaussian_Pinv((double)(i + 1) / (N + 1)));
    for (size_t i = 0; i < N; i++) {
        const double d = y[i] - total / N;
        second += d * d;
        third += d * d * d;
    }
    const double a = third / (6 * pow(second, 1.5)), sigma = sqrt(second) / N, z = gsl_cdf_ugaussian_Pinv(0.975);
    const bd_interval_ends ends = ends_at(&s, mean, 0.95);
    for (int side = -1; side <= 1; side += 2) {
        const double w = a + side * z, end = total / N + w / ((1 - a * w) * (1 - a * w)) * sigma;
        assert_true(fabs((side < 0 ? ends.low : ends.high) - end) < 1e-9);
    }
}

/* At the level 1 - p an end lies at zero. */
static void p_inverts_the_interval(void **unused)
{
    (void)unused;
    static sample s;
    const bd_table *table;
    read("datasets/mediation_pmi/tal_or.csv", (const char *[]){"cond", "pmi", "reaction"}, 3, NULL, &table, &s);
    const bd_interval_ends ends = ends_at(&s, indirect, 0.95);
    assert_true(ends.p > 0.03 && ends.p < 0.04);
    assert_true(fabs(ends_at(&s, indirect, 1 - ends.p).low) < 1e-9);
}

/* Blocks are added in their order, whether their moments are kept or formed when they are needed. */
static void the_same_bits_at_any_number_of_threads(void **unused)
{
    (void)unused;
    enum { N = 150000 };
    double *z = bd_arena_alloc(arena, 3 * N, sizeof *z);
    uint32_t *codes = bd_arena_alloc(arena, N, sizeof *codes);
    assert_true(z != NULL && codes != NULL);
    bd_random_normals(3, 1, BD_PURPOSE_SIMULATE, 3 * N, z);
    for (size_t i = 0; i < N; i++) {
        codes[i] = i % 7 == 0;
        z[N + i] += z[i];
    }
    const double *const values[] = {NULL, z, z + N};
    sample s = {.columns = {.n_rows = 5000, .n_columns = 3, .values = values}};
    for (int large = 0; large < 2; large++) {
        bd_interval_ends ends[3];
        s.columns.n_rows = large ? N : 5000;
        s.strata = large ? (bd_membership){codes, 2} : (bd_membership){0};
        for (int n_threads = 1; n_threads <= 3; n_threads++)
            must(bd_interval(&bd_abc_interval, resample(&s, slope, NULL, n_threads), 0, 0.95, arena,
                             &ends[n_threads - 1]));
        for (int t = 1; t < 3; t++)
            assert_true(ends[t].low == ends[0].low && ends[t].high == ends[0].high && ends[t].p == ends[0].p);
        assert_true(fabs((ends[0].high - ends[0].low) / (2 * 1.96 * 1 / sqrt((double)s.columns.n_rows)) - 1) < 0.05);
    }
}

/* An end that the statistic does not reach is no number; the other stays. */
static void ends_that_do_not_exist_are_nan(void **unused)
{
    (void)unused;
    sample s = cholost();
    const double *const values[] = {NULL, s.values[1]};
    s.columns.n_columns = 2;
    s.columns.values = values;
    const bd_interval_ends whole = ends_at(&s, mean, 0.95);
    const double most = whole.high - 0.1;
    bd_interval_ends ends;
    must(bd_interval(&bd_abc_interval, resample(&s, mean, &most, 1), 0, 0.95, arena, &ends));
    assert_true(ends.low == whole.low && isnan(ends.high) && isnan(ends.mc_se_high) && ends.mc_se_low == 0);
}

/* Clusters and rows within each: not one kind of unit. */
static void two_stages_are_refused(void **unused)
{
    (void)unused;
    static const char *const names[] = {"value"};
    static uint32_t codes[164];
    const sample s = cholost();
    const bd_membership clusters = {codes, 4};
    const bd_statistic statistic = {.n_values = 1, .names = names, .columns = &s.columns, .from_moments = slope};
    const bd_units *units;
    const bd_replicates *replicates;
    double *triangle;
    bd_resampling_options options = BD_RESAMPLING_DEFAULTS;
    options.abc = true;
    for (uint32_t i = 0; i < 164; i++)
        codes[i] = i % 4;
    must(bd_triangle_of(&s.columns, 1, arena, &triangle));
    must(bd_units_of_two_stages(&s.columns, &clusters, NULL, triangle, 1, arena, &units));
    assert_int_equal(bd_resample(units, &statistic, &options, arena, &replicates), BD_EUSAGE);
    assert_non_null(strstr(bd_message(), "one kind of unit"));
}

static void statistics_from_weights_are_refused(void **unused)
{
    (void)unused;
    static const char *const names[] = {"value"};
    const bd_columns rows = {.n_rows = 10};
    const bd_statistic statistic = {.n_values = 1, .names = names, .columns = &rows, .from_weights = weighted};
    const bd_units *units;
    const bd_replicates *replicates;
    const double none = 0;
    bd_resampling_options options = BD_RESAMPLING_DEFAULTS;
    options.abc = true;
    must(bd_units_of_rows(&rows, NULL, &none, 1, arena, &units));
    assert_int_equal(bd_resample(units, &statistic, &options, arena, &replicates), BD_EUSAGE);
    assert_non_null(strstr(bd_message(), "means and cross-products"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_agree_with_boot, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strata_agree_with_boot, set_up, tear_down),
        cmocka_unit_test_setup_teardown(clusters_agree_with_boot, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_mean_has_a_closed_form, set_up, tear_down),
        cmocka_unit_test_setup_teardown(p_inverts_the_interval, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_bits_at_any_number_of_threads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ends_that_do_not_exist_are_nan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_stages_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(statistics_from_weights_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("abc", tests, NULL, NULL);
}
