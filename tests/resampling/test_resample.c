/* The engine: exact multinomial counts, replicates equal to direct fits, the same bits everywhere. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

#include <bordin/random/normal.h>
#include <bordin/random/philox.h>
#include <bordin/resampling/resample.h>

#include "resampling/kernel.h"

enum { Q = 4, MOST_ROWS = 4000 };

/* Columns 1, x, m, y with large means; weights; 25 clusters, of which two strata. */
typedef struct sample {
    double x[MOST_ROWS], m[MOST_ROWS], y[MOST_ROWS], weights[MOST_ROWS];
    uint32_t clusters[MOST_ROWS], strata[MOST_ROWS];
    const double *values[Q];
    bd_columns columns;
    bd_arena *arena;
    double *triangle;
} sample;

static void make(sample *s, size_t n, bool weighted)
{
    double z[3 * MOST_ROWS];
    bd_random_normals(9, 1, BD_PURPOSE_SIMULATE, 3 * n, z);
    for (size_t i = 0; i < n; i++) {
        s->clusters[i] = (uint32_t)(i * 7 % 25);
        s->strata[i] = s->clusters[i] % 5 < 2;
        s->x[i] = 1000 + 3 * z[3 * i];
        s->m[i] = 50 + 0.4 * (s->x[i] - 1000) + z[3 * i + 1];
        s->y[i] = 0.001 * (0.5 * s->m[i] - 0.2 * s->x[i] + 2 * z[3 * i + 2] * z[3 * i + 2]);
        s->weights[i] = weighted ? 0.5 + (double)(i % 4) : 1;
    }
    s->values[0] = NULL;
    s->values[1] = s->x;
    s->values[2] = s->m;
    s->values[3] = s->y;
    s->columns = (bd_columns){
        .n_rows = n, .n_columns = Q, .values = s->values, .weights = weighted ? s->weights : NULL};
    s->arena = bd_arena_new();
    assert_non_null(s->arena);
    assert_int_equal(bd_triangle_of(&s->columns, 1, s->arena, &s->triangle), BD_OK);
}

/* Two slopes, their product with the slope of m on x, the share of y that is explained; and an error of the first. */
static bd_replicate_end effects(const void *context, const double *r, double *values, double *errors)
{
    (void)context;
    double b[3] = {r[3], r[Q + 3], r[2 * Q + 3]};
    bd_triangle_solve(Q, 3, r, b, b);
    values[0] = b[1];
    values[1] = b[2];
    values[2] = b[2] * r[Q + 2] / r[Q + 1];
    const double explained = r[Q + 3] * r[Q + 3] + r[2 * Q + 3] * r[2 * Q + 3];
    values[3] = explained / (explained + r[3 * Q + 3] * r[3 * Q + 3]);
    if (errors != NULL)
        for (int i = 0; i < 4; i++)
            errors[i] = fabs(r[3 * Q + 3]) * (i + 1);
    return explained > 0 ? BD_REPLICATE_USABLE : BD_REPLICATE_CONSTANT;
}

static const char *const names[] = {"direct", "b", "indirect", "share"};

static bd_statistic statistic_of(const sample *s)
{
    return (bd_statistic){
        .n_values = 4, .names = names, .columns = &s->columns, .constant_first = true, .from_moments = effects};
}

typedef enum sampling_design {
    ROWS, STRATIFIED, CLUSTERS, CLUSTERS_STRATIFIED, TWO_STAGES, TWO_STAGES_STRATIFIED,
    N_DESIGNS
} sampling_design;

static bool counts_rows(sampling_design design)
{
    return design <= STRATIFIED || design >= TWO_STAGES;
}

static const bd_units *units_of(const sample *s, sampling_design design)
{
    const bd_units *units = NULL;
    const bd_membership clusters = {s->clusters, 25}, strata = {s->strata, 2};
    const bd_membership *within = design % 2 == 1 ? &strata : NULL;
    if (design <= STRATIFIED)
        assert_int_equal(bd_units_of_rows(&s->columns, within, s->triangle, 2, s->arena, &units), BD_OK);
    else if (design >= TWO_STAGES)
        assert_int_equal(bd_units_of_two_stages(&s->columns, &clusters, within, s->triangle, 2, s->arena, &units), BD_OK);
    else
        assert_int_equal(bd_units_of_clusters(&s->columns, &clusters, within, s->triangle, 2, s->arena, &units), BD_OK);
    return units;
}

static const bd_replicates *resample(const sample *s, const bd_units *units, size_t n, int n_threads)
{
    const bd_statistic statistic = statistic_of(s);
    const bd_replicates *replicates = NULL;
    bd_resampling_options options = BD_RESAMPLING_DEFAULTS;
    options.n_replicates = n;
    options.seed = 5;
    options.n_threads = n_threads;
    options.standard_errors = options.accelerations = options.jackknife = true;
    assert_int_equal(bd_resample(units, &statistic, &options, s->arena, &replicates), BD_OK);
    return replicates;
}

/* The statistic of the rows as often as they were drawn, copied out. */
static void refit(const sample *s, sampling_design design, const uint32_t *counts, double *values, double *errors)
{
    static double copies[Q][3 * MOST_ROWS];
    size_t n = 0;
    for (size_t i = 0; i < s->columns.n_rows; i++)
        for (uint32_t k = 0; k < counts[counts_rows(design) ? i : s->clusters[i]]; k++, n++) {
            copies[0][n] = s->weights[i];
            copies[1][n] = s->x[i];
            copies[2][n] = s->m[i];
            copies[3][n] = s->y[i];
        }
    const double *const drawn[Q] = {NULL, copies[1], copies[2], copies[3]};
    const bd_columns columns = {.n_rows = n, .n_columns = Q, .values = drawn, .weights = copies[0]};
    const bd_mark mark = bd_arena_mark(s->arena);
    double *triangle = NULL;
    assert_int_equal(bd_triangle_of(&columns, 1, s->arena, &triangle), BD_OK);
    assert_int_equal(effects(NULL, triangle, values, errors), BD_REPLICATE_USABLE);
    bd_arena_rewind(s->arena, mark);
}

static void replicates_equal_direct_fits(void **unused)
{
    (void)unused;
    static sample s;
    const size_t sizes[] = {40, 300, 1024, 3000};
    for (size_t k = 0; k < 8; k++) {
        make(&s, sizes[k / 2], k % 2 == 1);
        for (sampling_design design = ROWS; design < N_DESIGNS; design++) {
            const bd_units *units = units_of(&s, design);
            const bd_replicates *replicates = resample(&s, units, 67, 2);
            assert_int_equal(replicates->n_ended[BD_REPLICATE_USABLE], 67);
            for (size_t r = 0; r < 67; r += 3) {
                uint32_t counts[MOST_ROWS];
                double values[4], errors[4];
                assert_int_equal(bd_draw_counts(units, 5, r, s.arena, counts), BD_OK);
                refit(&s, design, counts, values, errors);
                for (size_t v = 0; v < 4; v++) {
                    assert_true(fabs(replicates->values[v * 67 + r] / values[v] - 1) < 1e-10);
                    assert_true(fabs(replicates->value_errors[v * 67 + r] / errors[v] - 1) < 1e-10);
                }
            }
        }
        bd_arena_free(s.arena);
    }
}

static void the_same_bits_at_any_number_of_threads(void **unused)
{
    (void)unused;
    static sample s;
    make(&s, 3000, true);
    for (sampling_design design = ROWS; design < N_DESIGNS; design++) {
        const bd_replicates *one = resample(&s, units_of(&s, design), 1000, 1);
        const int threads[] = {2, 3, 8};
        for (int t = 0; t < 3; t++) {
            const bd_replicates *many = resample(&s, units_of(&s, design), 1000, threads[t]);
            assert_memory_equal(one->values, many->values, 4000 * sizeof *one->values);
            assert_memory_equal(one->value_errors, many->value_errors, 4000 * sizeof *one->values);
            assert_memory_equal(one->accelerations, many->accelerations, 4 * sizeof *one->values);
        }
    }
    bd_arena_free(s.arena);
}

/* More replicates begin with the fewer ones; another seed gives others. */
static void replicates_are_numbered(void **unused)
{
    (void)unused;
    static sample s;
    make(&s, 200, false);
    const bd_units *units = units_of(&s, ROWS);
    const bd_replicates *few = resample(&s, units, 10, 1), *many = resample(&s, units, 100, 2);
    for (size_t v = 0; v < 4; v++)
        assert_memory_equal(few->values + v * 10, many->values + v * 100, 10 * sizeof(double));
    assert_true(many->values[0] != many->values[1]);
    bd_arena_free(s.arena);
}

static double chi_square_p(double chi_square, double df)
{
    return gsl_cdf_chisq_Q(chi_square, df);
}

/* Over 4000 replicates: how often each unit was drawn, how often a count is 0, 1, 2, ... and how many draws fall into the
 * first half, each against its multinomial expectation. Seeds are fixed: the p values are too. */
static void counts_are_multinomial(void **unused)
{
    (void)unused;
    enum { REPLICATES = 4000, BINS = 7 };
    static sample s;
    const size_t sizes[] = {30, 300, 1024, 2500};
    for (size_t k = 0; k < 4; k++) {
        const size_t n = sizes[k];
        static uint32_t counts[MOST_ROWS], totals[MOST_ROWS];
        double seen[BINS] = {0}, half_squares = 0, pair = 0;
        make(&s, n, false);
        const bd_units *units = units_of(&s, ROWS);
        memset(totals, 0, sizeof totals);
        for (size_t r = 0; r < REPLICATES; r++) {
            size_t sum = 0, half = 0;
            assert_int_equal(bd_draw_counts(units, 21, r, s.arena, counts), BD_OK);
            for (size_t i = 0; i < n; i++) {
                sum += counts[i];
                half += i < n / 2 ? counts[i] : 0;
                totals[i] += counts[i];
                seen[counts[i] < BINS ? counts[i] : BINS - 1]++;
            }
            assert_int_equal(sum, n);
            half_squares += pow((double)half - (double)n / 2, 2);
            pair += ((double)counts[0] - 1) * ((double)counts[1] - 1);
        }
        double units_chi = 0, bins_chi = 0, left = 1;
        for (size_t i = 0; i < n; i++)
            units_chi += pow(totals[i] - (double)REPLICATES, 2) / REPLICATES;
        for (unsigned b = 0; b < BINS; b++) {
            const double p = b == BINS - 1 ? left : gsl_ran_binomial_pdf(b, 1 / (double)n, (unsigned)n);
            const double expected = p * (double)n * REPLICATES;
            left -= p;
            bins_chi += pow(seen[b] - expected, 2) / expected;
        }
        const double variance = (double)n / 4;
        assert_true(chi_square_p(units_chi, (double)n - 1) > 1e-3 && chi_square_p(units_chi, (double)n - 1) < 0.999);
        assert_true(chi_square_p(bins_chi, BINS - 1) > 1e-3);
        assert_true(fabs(half_squares / REPLICATES / variance - 1) < 4 * sqrt(2.0 / REPLICATES));
        assert_true(fabs(pair / REPLICATES + 1 / (double)n) < 4 / sqrt(REPLICATES));
        bd_arena_free(s.arena);
    }
}

/* Each cluster gets whole multiples of its size, as many times as there are clusters; a row's count has the variance of a
 * cluster's multinomial and, given that, of its own: (1 - 1/G) + (1 - 1/n). */
static void two_stages_draw_clusters_then_rows(void **unused)
{
    (void)unused;
    enum { N = 250, G = 25, SIZE = N / G, REPLICATES = 4000 };
    static sample s;
    make(&s, N, false);
    const bd_units *units = units_of(&s, TWO_STAGES);
    double squares = 0;
    for (size_t r = 0; r < REPLICATES; r++) {
        uint32_t counts[N], totals[G] = {0}, times = 0;
        assert_int_equal(bd_draw_counts(units, 3, r, s.arena, counts), BD_OK);
        for (size_t i = 0; i < N; i++) {
            totals[s.clusters[i]] += counts[i];
            squares += ((double)counts[i] - 1) * ((double)counts[i] - 1);
        }
        for (size_t g = 0; g < G; g++) {
            assert_int_equal(totals[g] % SIZE, 0);
            times += totals[g] / SIZE;
        }
        assert_int_equal(times, G);
    }
    const double variance = squares / ((double)N * REPLICATES), expected = 1 - 1.0 / G + 1 - 1.0 / SIZE;
    assert_true(fabs(variance / expected - 1) < 0.02); /* about five standard errors */
    bd_arena_free(s.arena);
}

static void strata_keep_their_sizes(void **unused)
{
    (void)unused;
    static sample s;
    static uint32_t counts[MOST_ROWS];
    make(&s, 3000, false);
    const bd_units *units = units_of(&s, STRATIFIED);
    size_t in_second = 0;
    for (size_t i = 0; i < 3000; i++)
        in_second += s.strata[i];
    for (size_t r = 0; r < 50; r++) {
        size_t drawn = 0;
        assert_int_equal(bd_draw_counts(units, 1, r, s.arena, counts), BD_OK);
        for (size_t i = 0; i < 3000; i++)
            drawn += s.strata[i] * counts[i];
        assert_int_equal(drawn, in_second);
    }
    bd_arena_free(s.arena);
}

/* Derivatives by each unit's weight, from fits with that weight a little larger and smaller. */
static void accelerations_equal_those_of_reweighted_fits(void **unused)
{
    (void)unused;
    static sample s;
    make(&s, 150, true);
    for (sampling_design design = ROWS; design < N_DESIGNS; design++) {
        const size_t n_units = design <= STRATIFIED ? 150 : 25;
        double derivatives[4][150], means[4][2] = {{0}}, sizes[2] = {0};
        for (size_t u = 0; u < n_units; u++) {
            double values[2][4], weights[150];
            for (int side = 0; side < 2; side++) {
                for (size_t i = 0; i < 150; i++)
                    weights[i] = s.weights[i] * ((design <= STRATIFIED ? i : s.clusters[i]) != u ? 1 : side ? 1.001 : 0.999);
                bd_columns columns = s.columns;
                double *triangle = NULL;
                columns.weights = weights;
                assert_int_equal(bd_triangle_of(&columns, 1, s.arena, &triangle), BD_OK);
                effects(NULL, triangle, values[side], NULL);
            }
            size_t row = u;
            while (design > STRATIFIED && s.clusters[row] != u)
                row = (row + 1) % 150;
            const uint32_t stratum = design % 2 == 1 ? s.strata[row] : 0;
            sizes[stratum]++;
            for (size_t v = 0; v < 4; v++) {
                derivatives[v][u] = values[1][v] - values[0][v];
                means[v][stratum] += derivatives[v][u];
            }
        }
        const bd_replicates *replicates = resample(&s, units_of(&s, design), 10, 1);
        for (size_t v = 0; v < 4; v++) {
            double second = 0, third = 0;
            for (size_t u = 0; u < n_units; u++) {
                size_t row = u;
                while (design > STRATIFIED && s.clusters[row] != u)
                    row = (row + 1) % 150;
                const uint32_t stratum = design % 2 == 1 ? s.strata[row] : 0;
                const double l = derivatives[v][u] - means[v][stratum] / sizes[stratum];
                second += l * l;
                third += l * l * l;
            }
            assert_true(fabs(replicates->accelerations[v] - third / (6 * pow(second, 1.5))) < 2e-7);
        }
    }
    bd_arena_free(s.arena);
}

/* Leaving out a unit is giving it the weight 0. */
static void jackknife_errors_equal_those_of_refits(void **unused)
{
    (void)unused;
    static sample s;
    make(&s, 150, true);
    for (sampling_design design = ROWS; design < N_DESIGNS; design++) {
        const size_t n_units = design <= STRATIFIED ? 150 : 25, n_strata = design % 2 == 1 ? 2 : 1;
        double without[4][150], means[4][2] = {{0}}, sizes[2] = {0};
        uint32_t strata[150];
        for (size_t u = 0; u < n_units; u++) {
            double values[4], weights[150], *triangle = NULL;
            bd_columns columns = s.columns;
            columns.weights = weights;
            for (size_t i = 0; i < 150; i++) {
                const bool left_out = (design <= STRATIFIED ? i : s.clusters[i]) == u;
                weights[i] = left_out ? 0 : s.weights[i];
                strata[u] = left_out && n_strata > 1 ? s.strata[i] : i == 0 ? 0 : strata[u];
            }
            assert_int_equal(bd_triangle_of(&columns, 1, s.arena, &triangle), BD_OK);
            effects(NULL, triangle, values, NULL);
            sizes[strata[u]]++;
            for (size_t v = 0; v < 4; v++) {
                without[v][u] = values[v];
                means[v][strata[u]] += values[v];
            }
        }
        const bd_replicates *replicates = resample(&s, units_of(&s, design), 10, 1);
        assert_true(replicates->jackknife_df == (double)(n_units - n_strata));
        for (size_t v = 0; v < 4; v++) {
            double variance = 0;
            for (size_t u = 0; u < n_units; u++) {
                const double n = sizes[strata[u]], d = without[v][u] - means[v][strata[u]] / n;
                variance += (n - 1) / n * d * d;
            }
            assert_true(fabs(replicates->jackknife_errors[v] / sqrt(variance) - 1) < 1e-9);
        }
    }
    bd_arena_free(s.arena);
}

/* A predictor that differs in two of thirty rows is constant in (28/30)^30 = 13 % of the samples, and no interval is given. */
static void failures_are_counted_and_too_many_refused(void **unused)
{
    (void)unused;
    static sample s;
    const bd_replicates *replicates = NULL;
    bd_resampling_options options = {.n_replicates = 4000, .seed = 1, .max_failed = 0.05};
    make(&s, 30, false);
    for (size_t i = 0; i < 30; i++)
        s.x[i] = i < 2 ? 1 : 0;
    assert_int_equal(bd_triangle_of(&s.columns, 1, s.arena, &s.triangle), BD_OK);
    const bd_statistic statistic = statistic_of(&s);
    const bd_units *units = units_of(&s, ROWS);
    assert_int_equal(bd_resample(units, &statistic, &options, s.arena, &replicates), BD_ENUMERIC);
    assert_non_null(strstr(bd_message(), "collinear"));
    options.max_failed = 0.5;
    assert_int_equal(bd_resample(units, &statistic, &options, s.arena, &replicates), BD_OK);
    const size_t failed = replicates->n_ended[BD_REPLICATE_COLLINEAR];
    assert_true(fabs((double)failed - 4000 * pow(28.0 / 30, 30)) < 4 * sqrt(4000 * 0.126 * 0.874));
    assert_int_equal(failed + replicates->n_ended[BD_REPLICATE_USABLE], 4000);
    size_t empty = 0;
    for (size_t r = 0; r < 4000; r++)
        empty += isnan(replicates->values[r]) ? 1 : 0;
    assert_int_equal(empty, failed);
    bd_arena_free(s.arena);
}

/* An outcome that the predictors explain entirely can still be resampled. */
static void a_perfect_fit_is_no_failure(void **unused)
{
    (void)unused;
    static sample s;
    make(&s, 100, false);
    for (size_t i = 0; i < 100; i++)
        s.y[i] = s.x[i];
    assert_int_equal(bd_triangle_of(&s.columns, 1, s.arena, &s.triangle), BD_OK);
    const bd_replicates *replicates = resample(&s, units_of(&s, ROWS), 100, 1);
    for (size_t r = 0; r < 100; r++)
        assert_true(fabs(replicates->values[r] - 1) < 1e-9);
    bd_arena_free(s.arena);
}

static void designs_that_cannot_be_drawn_are_refused(void **unused)
{
    (void)unused;
    static sample s;
    const bd_units *units;
    make(&s, 60, false);
    const bd_membership one = {(const uint32_t[60]){0}, 1}, clusters = {s.clusters, 25};
    uint32_t crossing[60];
    for (uint32_t i = 0; i < 60; i++)
        crossing[i] = i % 2;
    const bd_membership strata = {crossing, 2}, empty = {crossing, 3};
    assert_int_equal(bd_units_of_clusters(&s.columns, &one, NULL, s.triangle, 1, s.arena, &units), BD_EDATA);
    assert_int_equal(bd_units_of_clusters(&s.columns, &clusters, &strata, s.triangle, 1, s.arena, &units), BD_EDATA);
    assert_int_equal(bd_units_of_rows(&s.columns, &empty, s.triangle, 1, s.arena, &units), BD_EDATA);
    bd_arena_free(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replicates_equal_direct_fits),
        cmocka_unit_test(the_same_bits_at_any_number_of_threads),
        cmocka_unit_test(replicates_are_numbered),
        cmocka_unit_test(counts_are_multinomial),
        cmocka_unit_test(two_stages_draw_clusters_then_rows),
        cmocka_unit_test(strata_keep_their_sizes),
        cmocka_unit_test(accelerations_equal_those_of_reweighted_fits),
        cmocka_unit_test(jackknife_errors_equal_those_of_refits),
        cmocka_unit_test(failures_are_counted_and_too_many_refused),
        cmocka_unit_test(a_perfect_fit_is_no_failure),
        cmocka_unit_test(designs_that_cannot_be_drawn_are_refused),
    };
    return cmocka_run_group_tests_name("resample", tests, NULL, NULL);
}
