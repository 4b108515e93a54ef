/* Triangles held to direct computation. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/core/triangle.h>

enum { N = 5000, Q = 4 };

typedef struct data {
    double x[N], y[N], z[N], w[N];
    const double *values[Q];
    bd_columns columns;
    bd_arena *arena;
} data;

static int set_up(void **state)
{
    static data d;
    for (uint32_t i = 0; i < N; i++) {
        d.x[i] = i * 37 % 101 / 8.0 - 6;
        d.y[i] = i * i % 89 / 16.0 + d.x[i] / 2;
        d.z[i] = i * 59 % 97 / 4.0 - d.y[i];
        d.w[i] = 1 + i % 5;
    }
    memcpy(d.values, (const double *[]){NULL, d.x, d.y, d.z}, sizeof d.values);
    d.columns = (bd_columns){.n_rows = N, .n_columns = Q, .values = d.values};
    d.arena = bd_arena_new();
    *state = &d;
    return d.arena == NULL;
}

static int tear_down(void **state)
{
    bd_arena_free(((data *)*state)->arena);
    return 0;
}

static double *triangle_of(data *d, int n_threads)
{
    double *triangle = NULL;
    assert_int_equal(bd_triangle_of(&d->columns, n_threads, d->arena, &triangle), BD_OK);
    return triangle;
}

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g is not %.17g", value, expected);
}

/* The cross-product of two columns, in extended precision. */
static double product_of(const bd_columns *columns, size_t i, size_t j)
{
    long double sum = 0;
    for (size_t row = 0; row < columns->n_rows; row++) {
        const long double left = columns->values[i] == NULL ? 1 : columns->values[i][row];
        const long double right = columns->values[j] == NULL ? 1 : columns->values[j][row];
        sum += (columns->weights == NULL ? 1 : columns->weights[row]) * left * right;
    }
    return (double)sum;
}

/* R'R = C'WC, relative to the lengths of the two columns; zeros below, nothing negative on the diagonal. */
static void assert_is_triangle_of(const bd_columns *columns, const double *r, double tolerance)
{
    const size_t q = columns->n_columns;
    for (size_t i = 0; i < q; i++) {
        assert_true(r[i * q + i] >= 0);
        for (size_t j = 0; j < i; j++)
            assert_true(r[i * q + j] == 0);
        for (size_t j = i; j < q; j++) {
            double sum = 0;
            for (size_t k = 0; k <= i; k++)
                sum += r[k * q + i] * r[k * q + j];
            const double lengths = sqrt(product_of(columns, i, i) * product_of(columns, j, j));
            assert_near(sum, product_of(columns, i, j), tolerance * lengths);
        }
    }
}

static void test_triangle__squares_to_the_cross_products(void **state)
{
    data *d = *state;
    assert_is_triangle_of(&d->columns, triangle_of(d, 1), 1e-14);
    d->columns.weights = d->w;
    assert_is_triangle_of(&d->columns, triangle_of(d, 2), 1e-14);
    d->values[0] = d->z;
    d->values[3] = NULL;
    assert_is_triangle_of(&d->columns, triangle_of(d, 2), 1e-14);
}

static void test_triangle__of_few_rows_or_none(void **state)
{
    data *d = *state;
    for (size_t n = 0; n < 12; n++) {
        d->columns.n_rows = n;
        assert_is_triangle_of(&d->columns, triangle_of(d, 3), 1e-14);
    }
}

/* The published example of a QR by hand: columns (3, 4), (1, 7) have R = 5, 31/5; 0, 17/5. */
static void test_triangle__of_two_rows_is_known(void **state)
{
    data *d = *state;
    const double a[] = {3, 4}, b[] = {1, 7};
    const double *const values[] = {a, b};
    const bd_columns columns = {.n_rows = 2, .n_columns = 2, .values = values};
    double *r = NULL;
    assert_int_equal(bd_triangle_of(&columns, 1, d->arena, &r), BD_OK);
    assert_near(r[0], 5, 1e-15);
    assert_near(r[1], 6.2, 2e-15);
    assert_near(r[3], 3.4, 2e-15);
}

/* 300,000 rows are five runs of blocks. */
static void test_triangle__has_the_same_bits_for_any_number_of_threads(void **state)
{
    enum { ROWS = 300000 };
    data *d = *state;
    double *columns[3];
    for (size_t j = 0; j < 3; j++) {
        columns[j] = bd_arena_alloc(d->arena, ROWS, sizeof *columns[j]);
        assert_non_null(columns[j]);
        for (size_t i = 0; i < ROWS; i++)
            columns[j][i] = sin((double)(i * (j + 1)) * 0.7) + (double)j;
        d->values[j + 1] = columns[j];
    }
    d->columns.n_rows = ROWS;
    const double *one = triangle_of(d, 1);
    assert_is_triangle_of(&d->columns, one, 1e-14);
    for (int threads = 0; threads <= 8; threads++)
        assert_memory_equal(one, triangle_of(d, threads), Q * Q * sizeof *one);
}

/* Column x + 2^40 keeps the digits that its values have: its centred length does not feel the mean. */
static void test_triangle__slopes_do_not_feel_a_large_mean(void **state)
{
    data *d = *state;
    const double *small = triangle_of(d, 1);
    for (size_t i = 0; i < N; i++)
        d->x[i] += 0x1p40;
    const double *large = triangle_of(d, 1);
    for (size_t i = 1; i < Q; i++)
        for (size_t j = i; j < Q; j++)
            assert_near(large[i * Q + j], small[i * Q + j], 1e-12 * small[j * Q + j]);
    assert_near(large[1] / large[0], 0x1p40 + small[1] / small[0], 0x1p-11);
}

static void test_triangle__tiny_and_huge_columns_are_no_worse(void **state)
{
    data *d = *state;
    const double *before = triangle_of(d, 1);
    for (size_t i = 0; i < N; i++) {
        d->x[i] *= 0x1p-600;
        d->z[i] *= 0x1p600;
    }
    const double *after = triangle_of(d, 1);
    for (size_t i = 0; i < Q; i++) {
        assert_true(after[i * Q + 1] == before[i * Q + 1] * 0x1p-600);
        assert_true(after[i * Q + 2] == before[i * Q + 2]);
        assert_true(after[i * Q + 3] == before[i * Q + 3] * 0x1p600);
    }
}

static void test_triangle__folds_two_row_sets_into_that_of_both(void **state)
{
    data *d = *state;
    const double *whole = triangle_of(d, 1);
    bd_columns rest = d->columns;
    const double *values[Q] = {NULL, d->x + 1700, d->y + 1700, d->z + 1700};
    rest.values = values;
    rest.n_rows = N - 1700;
    d->columns.n_rows = 1700;
    double *first = triangle_of(d, 1), *second = NULL;
    assert_int_equal(bd_triangle_of(&rest, 1, d->arena, &second), BD_OK);
    bd_triangle_fold(Q, first, second);
    for (size_t k = 0; k < (size_t)Q * Q; k++)
        assert_near(first[k], whole[k], 1e-12 * fabs(whole[k]));
    const double nothing[Q * Q] = {0};
    double kept[Q * Q];
    memcpy(kept, first, sizeof kept);
    bd_triangle_fold(Q, first, nothing);
    assert_memory_equal(first, kept, sizeof kept);
}

/* chol(matrix(c(4, 12, -16, 12, 37, -43, -16, -43, 98), 3)): 2 6 -8; 1 5; 3 */
static const double spd[] = {4, 12, -16, 12, 37, -43, -16, -43, 98}, root_of_spd[] = {2, 6, -8, 0, 1, 5, 0, 0, 3};

static void test_triangle__cholesky_finds_the_known_root(void **state)
{
    (void)state;
    double r[9];
    assert_true(bd_triangle_from_products(3, spd, 1e-12, r));
    assert_memory_equal(r, root_of_spd, sizeof r);
}

static void test_triangle__cholesky_refuses_what_is_collinear(void **state)
{
    (void)state;
    /* columns (1, 2), (2, 4), (1, 0): the second is twice the first */
    const double collinear[] = {5, 10, 1, 10, 20, 2, 1, 2, 1};
    /* columns (1, 2), (1, 0), (2, 4): the last, which may be explained */
    const double explained[] = {5, 1, 10, 1, 1, 2, 10, 2, 20};
    const double indefinite[] = {1, 2, 2, 1};
    const double missing[] = {1, NAN, NAN, 1};
    double r[9];
    assert_false(bd_triangle_from_products(3, collinear, 1e-12, r));
    assert_true(bd_triangle_from_products(3, explained, 1e-12, r));
    assert_true(r[8] == 0);
    assert_near(r[2] / r[0], 2, 1e-15);
    assert_false(bd_triangle_from_products(2, indefinite, 1e-12, r));
    assert_false(bd_triangle_from_products(2, missing, 1e-12, r));
}

static void test_triangle__solves_in_both_directions(void **state)
{
    (void)state;
    const double b[] = {2, 11, 9};
    double x[3];
    bd_triangle_solve(3, 3, root_of_spd, b, x);
    assert_memory_equal(x, ((double[]){25, -4, 3}), sizeof x);
    bd_triangle_solve_transposed(3, 3, root_of_spd, b, x);
    assert_memory_equal(x, ((double[]){1, 5, (9 + 8 - 25) / 3.0}), sizeof x);
    memcpy(x, b, sizeof x);
    bd_triangle_solve(3, 2, root_of_spd, x, x); /* the leading two, in place */
    assert_memory_equal(x, ((double[]){-32, 11, 9}), sizeof x);
}

static void test_triangle__inverse_and_product_undo_each_other(void **state)
{
    data *d = *state;
    const double *r = triangle_of(d, 1);
    double inverse[Q * Q], unit[Q * Q], leading[4], known[9];
    bd_triangle_invert(Q, Q, r, inverse);
    bd_triangle_multiply(Q, r, inverse, unit);
    for (size_t k = 0; k < (size_t)Q * Q; k++)
        assert_near(unit[k], k % (Q + 1) == 0, 1e-14);
    bd_triangle_invert(Q, 2, r, leading);
    assert_true(leading[0] == inverse[0] && leading[1] == inverse[1] && leading[3] == inverse[Q + 1]);
    bd_triangle_multiply(3, root_of_spd, root_of_spd, known);
    assert_memory_equal(known, ((double[]){4, 18, -10, 0, 1, 20, 0, 0, 9}), sizeof known);
}

static void test_triangle__finds_the_first_collinear_column(void **state)
{
    data *d = *state;
    assert_int_equal(bd_triangle_first_collinear(Q, triangle_of(d, 1), true, 1e-12), Q);
    for (size_t i = 0; i < N; i++)
        d->z[i] = 2 * d->x[i] - d->y[i] + 7;
    assert_int_equal(bd_triangle_first_collinear(Q, triangle_of(d, 1), true, 1e-12), 3);
    for (size_t i = 0; i < N; i++)
        d->y[i] = 0.1;
    assert_int_equal(bd_triangle_first_collinear(Q, triangle_of(d, 1), true, 1e-12), 2);
    for (size_t i = 0; i < N; i++)
        d->y[i] = i % 2 == 0 ? 0.3 : 0.1 + 0.2; /* constant but for rounding */
    assert_int_equal(bd_triangle_first_collinear(Q, triangle_of(d, 1), true, 1e-12), 2);
    for (size_t i = 0; i < N; i++)
        d->y[i] = d->x[i] * (1 + 1e-9 * (double)(i % 7)); /* nearly, not quite */
    d->columns.n_columns = 3;
    const double *near = triangle_of(d, 1);
    assert_int_equal(bd_triangle_first_collinear(3, near, true, 1e-7), 2);
    assert_int_equal(bd_triangle_first_collinear(3, near, true, 1e-12), 3);
}

/* A mean of 1e9 would make any column look explained by the constant, were its share not taken out. */
static void test_triangle__a_large_mean_is_not_collinear(void **state)
{
    data *d = *state;
    for (size_t i = 0; i < N; i++)
        d->x[i] += 1e9;
    const double *r = triangle_of(d, 1);
    assert_int_equal(bd_triangle_first_collinear(Q, r, true, 1e-7), Q);
    assert_int_equal(bd_triangle_first_collinear(Q, r, false, 1e-7), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_triangle__squares_to_the_cross_products),
        TEST(test_triangle__of_few_rows_or_none),
        TEST(test_triangle__of_two_rows_is_known),
        TEST(test_triangle__has_the_same_bits_for_any_number_of_threads),
        TEST(test_triangle__slopes_do_not_feel_a_large_mean),
        TEST(test_triangle__tiny_and_huge_columns_are_no_worse),
        TEST(test_triangle__folds_two_row_sets_into_that_of_both),
        TEST(test_triangle__cholesky_finds_the_known_root),
        TEST(test_triangle__cholesky_refuses_what_is_collinear),
        TEST(test_triangle__solves_in_both_directions),
        TEST(test_triangle__inverse_and_product_undo_each_other),
        TEST(test_triangle__finds_the_first_collinear_column),
        TEST(test_triangle__a_large_mean_is_not_collinear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
