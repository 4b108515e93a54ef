/* Roots and inverses in blocks, held to their definitions for sizes about those of the blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "core/symmetric.h"

static const size_t SIZES[] = {1, 3, 8, 47, 48, 49, 95, 96, 97, 131, 300};

/* Positive definite, with a condition of a few thousands. */
static void fill(size_t n, double *a)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            a[i * n + j] = cos((double)(i * j % 17)) * cos((double)(j * i % 17)) / (1 + fabs((double)i - (double)j)) +
                           (i == j ? 4 + (double)(i % 5) : 0);
}

static void test_symmetric__a_root_squared_and_an_inverse_multiplied(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof SIZES / sizeof *SIZES; s++) {
        const size_t n = SIZES[s];
        double *a = calloc(n * n, sizeof *a), *b = calloc(n * n, sizeof *b), *room = calloc(n * n, sizeof *room);
        double *product = calloc(n * n, sizeof *product);
        fill(n, a);
        memcpy(b, a, n * n * sizeof *b);
        assert_true(symmetric_root(n, b, 1));
        for (size_t i = 0; i < n; i++)
            for (size_t j = i; j < n; j++) {
                double sum = 0;
                for (size_t k = 0; k <= i; k++)
                    sum += b[k * n + i] * b[k * n + j];
                assert_true(fabs(sum - a[i * n + j]) < 1e-13 * 10);
            }
        symmetric_invert(n, b, room, 1);
        symmetric_subtract_product(n, a, b, product, 1);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                assert_true(fabs(product[i * n + j] + (i == j)) < 1e-12);
                assert_true(b[i * n + j] == b[j * n + i]);
            }
        free(a);
        free(b);
        free(room);
        free(product);
    }
}

static void test_symmetric__threads_do_not_change_a_bit(void **state)
{
    const size_t n = 300;
    double *a = calloc(n * n, sizeof *a), *b = calloc(n * n, sizeof *b), *room = calloc(n * n, sizeof *room);
    (void)state;
    fill(n, a);
    fill(n, b);
    assert_true(symmetric_root(n, a, 1) && symmetric_root(n, b, 3));
    symmetric_invert(n, a, room, 1);
    symmetric_invert(n, b, room, 3);
    assert_memory_equal(a, b, n * n * sizeof *a);
    free(a);
    free(b);
    free(room);
}

static void test_symmetric__refuses_what_is_not_positive_definite(void **state)
{
    double a[60 * 60];
    (void)state;
    fill(60, a);
    a[50 * 60 + 50] = -1;
    assert_false(symmetric_root(60, a, 1));
    fill(60, a);
    a[3] = a[180] = NAN;
    assert_false(symmetric_root(60, a, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_symmetric__a_root_squared_and_an_inverse_multiplied),
        cmocka_unit_test(test_symmetric__threads_do_not_change_a_bit),
        cmocka_unit_test(test_symmetric__refuses_what_is_not_positive_definite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
