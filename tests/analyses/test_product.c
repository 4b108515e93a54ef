/* The distribution of the product of two estimates. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <gsl/gsl_cdf.h>

#include <bordin/analyses/product.h>

static bd_product_options options_of(double a, double se_a, double b, double se_b, double correlation)
{
    bd_product_options options = BD_PRODUCT_DEFAULTS;
    options.a = a;
    options.se_a = se_a;
    options.b = b;
    options.se_b = se_b;
    options.correlation = correlation;
    return options;
}

/* P(AB <= 0) and the 2.5 % and 97.5 % points, by adaptive quadrature and Brent's method with scipy 1.10.1. */
static const struct {
    double a, se_a, b, se_b, correlation, below_zero, low, high;
} cases[] = {
    {.38, .1, .5, .12, 0, 8.780010463111664e-05, 0.0728038295241667, 0.3403434790956257},
    {.2, 1, .4, 1, 0, 0.4753626358388927, -2.1881785365460664, 2.587222251352009},
    {-.0601222201, .05053599189, .1805464594, .02690618145, 0, 0.8829160888697715, -0.029999333358610217,
     0.006994067799042256},
    {.38, .1, .5, .12, .3, 8.765759764101921e-05, 0.06390825215436961, 0.3672009118715819},
};
enum { N_CASES = sizeof cases / sizeof cases[0] };

/* Tolerance 1e-9: the quadrature asks for 1e-11 of the probability, whose slope is about 1 / SE. */
static void test_product__quantiles_agree_with_quadrature_elsewhere(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    for (size_t i = 0; i < N_CASES; i++) {
        const bd_product_options options =
            options_of(cases[i].a, cases[i].se_a, cases[i].b, cases[i].se_b, cases[i].correlation);
        const bd_product *product;
        assert_int_equal(bd_product_of(&options, arena, &product), BD_OK);
        assert_true(fabs(product->low - cases[i].low) < 1e-9);
        assert_true(fabs(product->high - cases[i].high) < 1e-9);
        assert_true(fabs(bd_product_cdf(0, &options) - cases[i].below_zero) < 1e-10);
        assert_true(fabs(bd_product_cdf(product->low, &options) - 0.025) < 1e-9);
    }
    bd_arena_free(arena);
}

/* A million draws: the Monte-Carlo error of a 2.5 % point is about 0.0015 / density = 0.0027 SE; four of those. */
static void test_product__monte_carlo_agrees_with_quadrature(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    for (size_t i = 0; i < N_CASES; i++) {
        const bd_product_options options =
            options_of(cases[i].a, cases[i].se_a, cases[i].b, cases[i].se_b, cases[i].correlation);
        const bd_product *product;
        assert_int_equal(bd_product_of(&options, arena, &product), BD_OK);
        const double tolerance = 4 * 0.0035 * product->second_order_se;
        assert_true(fabs(product->mc_low - product->low) < tolerance);
        assert_true(fabs(product->mc_high - product->high) < tolerance);
    }
    bd_arena_free(arena);
}

static void test_product__impossible_numbers_are_refused(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    const bd_product *product;
    const bd_product_options no_error = options_of(.1, 0, .2, .1, 0), correlated = options_of(.1, .1, .2, .1, 1),
                             infinite = options_of(INFINITY, .1, .2, .1, 0);
    assert_int_equal(bd_product_of(&no_error, arena, &product), BD_EUSAGE);
    assert_non_null(strstr(bd_message(), "a standard error must be above 0 (se_a = 0"));
    assert_int_equal(bd_product_of(&correlated, arena, &product), BD_EUSAGE);
    assert_non_null(strstr(bd_message(), "between -1 and 1, not 1"));
    assert_int_equal(bd_product_of(&infinite, arena, &product), BD_EUSAGE);
    assert_non_null(strstr(bd_message(), "finite numbers"));
    bd_arena_free(arena);
}

/* Of independent estimates, the product is below 0 when one of them is: closed form, in both tails. */
static void test_product__p_is_exact_far_out(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    const double ratios[][2] = {{10, 10}, {-10, 10}, {-7, 7.5}, {3, -2}, {0.5, 25}};
    for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++) {
        const double a = ratios[i][0], b = ratios[i][1];
        const bd_product_options options = options_of(a, 1, b, 1, 0);
        const bd_product *product;
        assert_int_equal(bd_product_of(&options, arena, &product), BD_OK);
        const double other = gsl_cdf_ugaussian_Q(fabs(a)) * gsl_cdf_ugaussian_P(fabs(b)) +
                             gsl_cdf_ugaussian_P(fabs(a)) * gsl_cdf_ugaussian_Q(fabs(b));
        assert_true(fabs(product->p / (2 * other) - 1) < 1e-9);
    }
    bd_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_product__quantiles_agree_with_quadrature_elsewhere),
        cmocka_unit_test(test_product__monte_carlo_agrees_with_quadrature),
        cmocka_unit_test(test_product__impossible_numbers_are_refused),
        cmocka_unit_test(test_product__p_is_exact_far_out),
    };
    return cmocka_run_group_tests_name("product", tests, NULL, NULL);
}
