/* Least squares held to NIST's certified values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/nist.h"

static void assert_digits(const nist_problem *problem, const char *what, double value, double certified, double digits)
{
    const double kept = nist_digits(value, certified);
    if (!(kept >= digits))
        fail_msg("%s: %s %.17g keeps %.1f digits of %.17g, not %.1f", problem->name, what, value, kept,
                 certified, digits);
}

/* Fits the problem and asks for so many digits of everything. */
static void assert_solved(const char *name, double digits)
{
    nist_problem *problem = nist_read(name);
    bd_arena *arena = bd_arena_new();
    const bd_ols *fit;
    assert_non_null(arena);
    if (nist_fit(problem, 1, arena, &fit) != BD_OK)
        fail_msg("%s: %s", name, bd_message());
    for (size_t j = 0; j < fit->n_columns; j++) {
        assert_digits(problem, "estimate", fit->coefficients[j].estimate, problem->estimate[j], digits);
        assert_digits(problem, "standard error", fit->coefficients[j].se, problem->se[j], digits);
    }
    assert_digits(problem, "residual SD", fit->residual_sd, problem->residual_sd, digits);
    assert_digits(problem, "R squared", fit->r_squared, problem->r_squared, digits);
    assert_digits(problem, "sum of squares", fit->ss_model, problem->ss_regression, digits);
    assert_digits(problem, "residual sum of squares", fit->ss_residual, problem->ss_residual, digits);
    if (isfinite(problem->f))
        assert_digits(problem, "F", fit->f, problem->f, digits);
    bd_arena_free(arena);
    free(problem);
}

/* What is lost of the 15 certified digits is lost in writing the decimals as doubles. */
static void test_nist__all_but_filip_keep_thirteen_digits(void **state)
{
    (void)state;
    for (size_t k = 0; nist_names[k] != NULL; k++)
        if (strcmp(nist_names[k], "Filip") != 0)
            assert_solved(nist_names[k], 13);
}

static void test_nist__filip_keeps_what_rounding_its_powers_leaves(void **state)
{
    (void)state;
    assert_solved("Filip", 7.5);
}

/* Exact rational arithmetic on the same rounded powers: scripts/reference-filip.py */
static void assert_filip_of_doubles(double weight)
{
    const double estimates[] = {-1467.4896406575194,  -2772.1796428402326,  -2316.371125105109,   -1127.9739626931669,
                                -354.47824071352113,  -75.12420326988537,   -10.875318264388822,  -1.0622150090377793,
                                -0.06701911697559873, -0.002467810840851823, -4.029625349722285e-05};
    const double errors[] = {298.084536687056,    559.7798764708544,     466.4775815440178,   227.20427918452407,
                             71.64786760859835,   15.289718206826382,    2.2369116477834163,  0.22162432694684103,
                             0.01423637664316653, 0.0005356174214140403, 8.96632858633036e-06};
    nist_problem *problem = nist_read("Filip");
    bd_arena *arena = bd_arena_new();
    const bd_ols *fit;
    assert_non_null(arena);
    assert_int_equal(nist_fit(problem, weight, arena, &fit), BD_OK);
    for (size_t j = 0; j < 11; j++) {
        assert_digits(problem, "estimate", fit->coefficients[j].estimate, estimates[j], 14.5);
        assert_digits(problem, "standard error", fit->coefficients[j].se, errors[j], 12);
    }
    assert_digits(problem, "residual SD", fit->residual_sd, 0.003348010514142356 * sqrt(weight), 14.5);
    assert_true(fit->condition_digits > 8 && fit->condition_digits < 10);
    bd_arena_free(arena);
    free(problem);
}

static void test_nist__filip_of_doubles_is_solved_to_the_last_digits(void **state)
{
    (void)state;
    assert_filip_of_doubles(1);
}

/* A third has no short binary form: its products with the data are rounded unless they are kept doubled. */
static void test_nist__weights_take_no_digits_from_filip(void **state)
{
    (void)state;
    assert_filip_of_doubles(1 / 3.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nist__all_but_filip_keep_thirteen_digits),
        cmocka_unit_test(test_nist__filip_keeps_what_rounding_its_powers_leaves),
        cmocka_unit_test(test_nist__filip_of_doubles_is_solved_to_the_last_digits),
        cmocka_unit_test(test_nist__weights_take_no_digits_from_filip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
