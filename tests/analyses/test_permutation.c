/* Permutation tests against all permutations, and what they refuse. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/analyses/permutation.h>

#include "fixture.h"

enum { N = 8 };
static const double y[N] = {3.1, 4.0, 2.2, 6.3, 5.1, 7.9, 6.2, 9.4};
static const double x[N] = {1.0, 2.5, 1.2, 3.9, 3.1, 5.2, 4.4, 4.9};
static const double z[N] = {0.3, 1.1, 2.0, 0.4, 1.9, 2.2, 0.1, 2.8};
static const uint32_t halves[N] = {0, 0, 0, 0, 1, 1, 1, 1};
static const uint32_t alone[N] = {0, 1, 2, 3, 4, 5, 6, 7};
static const double *columns[] = {NULL, x, z};
static const char *const names[] = {"(Intercept)", "x", "z"};

static bd_ols_design design_of(const double *response)
{
    return (bd_ols_design){.n_rows = N, .n_columns = 3, .columns = columns, .names = names, .response = response,
                           .response_name = "y", .has_intercept = true};
}

static const bd_permutation *permute(const bd_membership *strata, size_t n, uint64_t seed, int n_threads)
{
    const bd_ols_design design = design_of(y);
    const bd_permutation_options options = {.n_permutations = n, .seed = seed, .n_threads = n_threads};
    const bd_permutation *result;
    must(bd_permute(&design, strata, &options, arena, &result));
    return result;
}

/* Within four binomial standard errors, at which one seed in 16,000 would fail. */
static void expect_p(double p, double exact, double n)
{
    if (!(fabs(p - exact) < 4 * sqrt(exact * (1 - exact) / n) + 1 / n))
        fail_msg("%.6f where all permutations give %.6f", p, exact);
}

/* scripts/reference-permutation.R, R 4.2.2: all 40,320 permutations, and all 576 within halves. */
static void test_permutation__agrees_with_all_permutations(void **state)
{
    (void)state;
    enum { MANY = 200000 };
    const bd_membership strata = {halves, 2};
    const bd_permutation *all = permute(NULL, MANY, 1, 2), *within = permute(&strata, MANY, 1, 2);
    assert_true(isnan(all->t[0]) && isnan(all->p[0]));
    assert_true(fabs(all->t[1] / 6.45049137341077 - 1) < 1e-12);
    assert_true(fabs(all->t[2] / 0.954613917891 - 1) < 1e-11);
    expect_p(all->p[1], 0.00195932539683, MANY);
    expect_p(all->p[2], 0.390897817460, MANY);
    assert_true(fabs(within->t[1] / 6.45049137341077 - 1) < 1e-12);
    expect_p(within->p[1], 0.015625, MANY);
}

static void test_permutation__is_identical_for_any_thread_count(void **state)
{
    (void)state;
    const bd_permutation *one = permute(NULL, 999, 7, 1), *three = permute(NULL, 999, 7, 3),
                         *other = permute(NULL, 999, 8, 3);
    assert_memory_equal(one->p + 1, three->p + 1, 2 * sizeof(double));
    assert_true(one->p[2] != other->p[2]);
}

static void expect_refused(bd_ols_design design, const bd_membership *strata, size_t n, bd_status status, const char *why)
{
    const bd_permutation_options options = {.n_permutations = n, .seed = 1};
    const bd_permutation *result;
    assert_int_equal(bd_permute(&design, strata, &options, arena, &result), status);
    if (strstr(bd_message(), why) == NULL)
        fail_msg("'%s' does not say '%s'", bd_message(), why);
}

static void test_permutation__refuses_what_it_cannot_test(void **state)
{
    (void)state;
    const bd_membership singles = {alone, N};
    double explained[N];
    bd_ols_design weighted = design_of(y);
    weighted.weights = x;
    for (size_t i = 0; i < N; i++)
        explained[i] = 2 + 3 * z[i];
    expect_refused(weighted, NULL, 99, BD_EUSAGE, "weights");
    expect_refused(design_of(y), &singles, 99, BD_EDATA, "single row");
    expect_refused(design_of(y), NULL, 0, BD_EUSAGE, "0 is not a number of permutations");
    expect_refused(design_of(explained), NULL, 99, BD_ENUMERIC, "explain 'y' perfectly");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_permutation__agrees_with_all_permutations, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_permutation__is_identical_for_any_thread_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_permutation__refuses_what_it_cannot_test, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("permutation", tests, NULL, NULL);
}
