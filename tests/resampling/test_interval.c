/* Intervals against R's boot, and what their Monte-Carlo errors promise. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <gsl/gsl_cdf.h>

#include <bordin/random/normal.h>
#include <bordin/resampling/interval.h>

enum { N = 1999 };

/* The replicates of scripts/reference-boot.R. */
static void fill(double *values, double *errors)
{
    for (int i = 1; i <= N; i++) {
        values[i - 1] = exp(0.5 * gsl_cdf_ugaussian_Pinv(fmod(i * 0.6180339887498949, 1))) - 0.4;
        errors[i - 1] = sqrt(0.04 + 0.02 * fmod(i * 0.4142135623730951, 1));
    }
}

static double acceleration(void)
{
    double mean = 0, second = 0, third = 0;
    for (int i = 1; i <= 50; i++)
        mean += i * i / 2500.0 / 50;
    for (int i = 1; i <= 50; i++) {
        const double l = i * i / 2500.0 - mean;
        second += l * l;
        third += l * l * l;
    }
    return third / (6 * pow(second, 1.5));
}

static void ends_of(const char *method_name, double level, bd_interval_ends *ends)
{
    static double values[N], errors[N];
    static const char *const names[] = {"x"};
    const double estimate = 0.55, error = sqrt(0.05), a = acceleration();
    const bd_interval_method *method = NULL;
    bd_arena *arena = bd_arena_new();
    fill(values, errors);
    const bd_replicates replicates = {.n_values = 1,
                                      .n_replicates = N,
                                      .n_units = 50,
                                      .names = names,
                                      .estimates = &estimate,
                                      .errors = &error,
                                      .values = values,
                                      .value_errors = errors,
                                      .accelerations = &a,
                                      .n_ended = {N}};
    assert_int_equal(bd_interval_method_find(method_name, &method), BD_OK);
    assert_int_equal(bd_interval(method, &replicates, 0, level, arena, ends), BD_OK);
    bd_arena_free(arena);
}

/* R 4.2.2, boot 1.3.28.1: scripts/reference-boot.R. */
static void every_method_agrees_with_boot(void **unused)
{
    (void)unused;
    static const struct {
        double level;
        const char *method;
        double low, high;
    } expected[] = {
        {0.95, "percentile", -0.0242814300539161, 2.27845080458227},
        {0.95, "basic", -1.17845080458227, 1.12428143005392},
        {0.95, "normal", -0.810132792758019, 1.54397994806042},
        {0.95, "bc", -0.0615079835132267, 2.00436886985079},
        {0.95, "bca", -0.0502572498292812, 2.06848201489487},
        {0.95, "studentised", -1.1887359792219, 1.13038630748727},
        {0.9, "percentile", 0.0389309717990726, 1.87634824445016},
        {0.9, "basic", -0.776348244450156, 1.06106902820093},
        {0.9, "normal", -0.620893267589597, 1.354740422892},
        {0.9, "bc", -0.00369314843630586, 1.65417217874863},
        {0.9, "bca", 0.00413764657662316, 1.691838314554},
        {0.9, "studentised", -0.785630533384019, 1.06324398377387},
        {0.99, "percentile", -0.123916561324631, 3.25808776899889},
        {0.99, "basic", -2.15808776899889, 1.22391656132463},
        {0.99, "normal", -1.17999070992969, 1.91383786523209},
        {0.99, "bc", -0.156287978255749, 2.89677249563488},
        {0.99, "bca", -0.139839918019166, 3.05511804075857},
        {0.99, "studentised", -2.1020738855684, 1.24120393640856},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        bd_interval_ends ends;
        ends_of(expected[i].method, expected[i].level, &ends);
        assert_true(fabs(ends.low - expected[i].low) < 1e-10);
        assert_true(fabs(ends.high - expected[i].high) < 1e-10);
        assert_true(fabs(ends.boot_se - 0.600549999741674) < 1e-12 && fabs(ends.bias - 0.183076422348798) < 1e-12);
        assert_int_equal(ends.n_usable, N);
        assert_int_equal(ends.too_few, expected[i].level == 0.99 && strncmp(expected[i].method, "bc", 2) == 0);
    }
}

/* At the level 1 - p the interval's end lies at zero. */
static void p_inverts_the_interval(void **unused)
{
    (void)unused;
    static const char *const methods[] = {"percentile", "basic", "normal", "bc", "bca", "studentised"};
    for (size_t i = 0; i < 6; i++) {
        bd_interval_ends ends, at_p;
        ends_of(methods[i], 0.95, &ends);
        assert_true(ends.p > 0 && ends.p < 1);
        ends_of(methods[i], 1 - ends.p, &at_p);
        assert_true(fmin(fabs(at_p.low), fabs(at_p.high)) < 0.003);
    }
}

/* Ends of intervals from many sets of 999 lognormal replicates spread as each interval says of itself. */
static void monte_carlo_errors_tell_the_spread(void **unused)
{
    (void)unused;
    enum { SETS = 600, R = 999 };
    static const char *const names[] = {"x"};
    const double estimate = 1.1, a = 0.05;
    for (size_t m = 0; bd_interval_methods[m] != NULL; m++) {
        const bd_interval_method *method = bd_interval_methods[m];
        if (method->needs_errors || method->needs_jackknife || method->needs_abc || method->needs_calibration)
            continue;
        double sums[2] = {0}, squares[2] = {0}, variances[2] = {0};
        bd_arena *arena = bd_arena_new();
        for (uint32_t set = 0; set < SETS; set++) {
            double z[R];
            bd_interval_ends ends;
            bd_random_normals(3, set, BD_PURPOSE_MONTE_CARLO, R, z);
            for (size_t i = 0; i < R; i++)
                z[i] = exp(0.4 * z[i]);
            const bd_replicates replicates = {.n_values = 1,
                                              .n_replicates = R,
                                              .names = names,
                                              .estimates = &estimate,
                                              .values = z,
                                              .accelerations = &a};
            assert_int_equal(bd_interval(method, &replicates, 0, 0.9, arena, &ends), BD_OK);
            const double both[] = {ends.low, ends.high}, errors[] = {ends.mc_se_low, ends.mc_se_high};
            for (int e = 0; e < 2; e++) {
                sums[e] += both[e];
                squares[e] += both[e] * both[e];
                variances[e] += errors[e] * errors[e] / SETS;
            }
        }
        for (int e = 0; e < 2; e++) {
            const double spread = sqrt((squares[e] - sums[e] * sums[e] / SETS) / (SETS - 1));
            assert_true(spread / sqrt(variances[e]) > 0.85 && spread / sqrt(variances[e]) < 1.15);
        }
        bd_arena_free(arena);
    }
}

/* Shares with the noise of 99 samples each, that fall as their replicates rise: ends from many sets of them. */
static void calibrated_errors_tell_the_spread(void **unused)
{
    (void)unused;
    enum { SETS = 500, R = 1499, SHARED = 799, INNER = 99 };
    const double estimate = 1.1;
    double sums[2] = {0}, squares[2] = {0}, variances[2] = {0};
    bd_arena *arena = bd_arena_new();
    for (uint32_t set = 0; set < SETS; set++) {
        double z[R + SHARED], noise[SHARED], shares[SHARED];
        bd_interval_ends ends;
        bd_random_normals(3, set, BD_PURPOSE_MONTE_CARLO, R + SHARED, z);
        for (size_t i = 0; i < SHARED; i++) {
            const double u = gsl_cdf_ugaussian_P(0.8 * z[R + i] - 0.7 * z[i]);
            bd_random_normals(4, set * SHARED + (uint32_t)i, BD_PURPOSE_MONTE_CARLO, 1, &noise[i]);
            const double count = round(INNER * u + noise[i] * sqrt(INNER * u * (1 - u)));
            shares[i] = fmin(fmax(count, 0), INNER) / INNER;
        }
        for (size_t i = 0; i < R; i++)
            z[i] = exp(0.4 * z[i]);
        const bd_replicates replicates = {.n_values = 1, .n_replicates = R, .estimates = &estimate, .values = z,
                                          .inner_shares = shares, .n_outer = SHARED, .n_inner = INNER};
        assert_int_equal(bd_interval(&bd_calibrated, &replicates, 0, 0.9, arena, &ends), BD_OK);
        const double both[] = {ends.low, ends.high}, errors[] = {ends.mc_se_low, ends.mc_se_high};
        for (int e = 0; e < 2; e++) {
            sums[e] += both[e];
            squares[e] += both[e] * both[e];
            variances[e] += errors[e] * errors[e] / SETS;
        }
    }
    for (int e = 0; e < 2; e++) {
        const double ratio = sqrt((squares[e] - sums[e] * sums[e] / SETS) / (SETS - 1) / variances[e]);
        if (!(ratio > 0.85 && ratio < 1.15))
            fail_msg("end %d: %g", e, ratio);
    }
    bd_arena_free(arena);
}

static void what_cannot_be_used_is_left_out_and_counted(void **unused)
{
    (void)unused;
    double values[200];
    static const char *const names[] = {"x"};
    const double estimate = 0;
    bd_interval_ends ends;
    bd_arena *arena = bd_arena_new();
    for (int i = 0; i < 200; i++)
        values[i] = i % 4 == 0 ? (i % 8 == 0 ? NAN : INFINITY) : (double)i;
    const bd_replicates replicates = {
        .n_values = 1, .n_replicates = 200, .names = names, .estimates = &estimate, .values = values};
    assert_int_equal(bd_interval(&bd_percentile, &replicates, 0, 0.95, arena, &ends), BD_OK);
    assert_int_equal(ends.n_usable, 150);
    assert_true(ends.too_few && ends.low >= 1 && ends.high <= 199);
    for (int i = 0; i < 199; i++)
        values[i] = NAN;
    assert_int_equal(bd_interval(&bd_percentile, &replicates, 0, 0.95, arena, &ends), BD_ENUMERIC);
    bd_arena_free(arena);
}

static void unknown_methods_and_levels_are_refused(void **unused)
{
    (void)unused;
    const bd_interval_method *method;
    const bd_replicates replicates = {.n_values = 1, .estimates = (const double[]){0}};
    bd_interval_ends ends;
    assert_int_equal(bd_interval_method_find("percentil", &method), BD_EUSAGE);
    assert_int_equal(bd_interval(&bd_percentile, &replicates, 0, 1.0, NULL, &ends), BD_EUSAGE);
}

/* estimate -+ t SE, t from R 4.2.2: qt(0.975, 12), 2 * pt(-4, 12). */
static void jackknife_is_a_t_interval(void **unused)
{
    (void)unused;
    const double estimate = 2, error = 0.5, none = NAN, values[] = {1, 2, 3};
    bd_arena *arena = bd_arena_new();
    bd_interval_ends ends;
    bd_replicates replicates = {.n_values = 1, .n_replicates = 3, .estimates = &estimate, .values = values,
                                .jackknife_errors = &error, .jackknife_df = 12};
    assert_int_equal(bd_interval(&bd_jackknife, &replicates, 0, 0.95, arena, &ends), BD_OK);
    assert_true(fabs(ends.low - (2 - 0.5 * 2.17881282966723)) < 1e-12);
    assert_true(fabs(ends.high - (2 + 0.5 * 2.17881282966723)) < 1e-12);
    assert_true(fabs(ends.p / 0.00176169624439503 - 1) < 1e-9);
    replicates.jackknife_errors = &none;
    assert_int_equal(bd_interval(&bd_jackknife, &replicates, 0, 0.95, arena, &ends), BD_OK);
    assert_true(isnan(ends.low) && isnan(ends.high) && isnan(ends.p));
    bd_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_agrees_with_boot),
        cmocka_unit_test(jackknife_is_a_t_interval),
        cmocka_unit_test(p_inverts_the_interval),
        cmocka_unit_test(monte_carlo_errors_tell_the_spread),
        cmocka_unit_test(calibrated_errors_tell_the_spread),
        cmocka_unit_test(what_cannot_be_used_is_left_out_and_counted),
        cmocka_unit_test(unknown_methods_and_levels_are_refused),
    };
    return cmocka_run_group_tests_name("interval", tests, NULL, NULL);
}
