/* Numbers as text: the very double that strtod gives, and nothing that is not a decimal number. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/csv_number.h"

static locale_t c_locale(void)
{
    const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    assert_true(c != (locale_t)0);
    return c;
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* [+-] 1 to 25 digits with a point somewhere, and often an exponent up to 340. */
static size_t random_number(uint64_t *state, char *text, char decimal)
{
    static const char *const signs[] = {"", "", "-", "+"};
    const size_t digits = 1 + next_random(state) % 25, point = next_random(state) % (digits + 1);
    size_t n = (size_t)sprintf(text, "%s", signs[next_random(state) % 4]);
    for (size_t i = 0; i < digits; i++) {
        if (i == point)
            text[n++] = decimal;
        text[n++] = (char)('0' + next_random(state) % 10);
    }
    text[n] = '\0';
    if (next_random(state) % 2 == 0)
        n += (size_t)sprintf(text + n, "%c%d", next_random(state) % 2 ? 'e' : 'E',
                             (int)(next_random(state) % (next_random(state) % 2 ? 50 : 681)) - 25);
    return n;
}

static void test_csv_number__equals_strtod_to_the_bit(void **state)
{
    (void)state;
    const locale_t c = c_locale();
    uint64_t random = 20;
    size_t finite = 0;
    for (int i = 0; i < 2000000; i++) {
        char text[64];
        const size_t n = random_number(&random, text, '.');
        const double expected = strtod_l(text, NULL, c);
        double found = 0;
        const number_kind kind = csv_number(text, n, '.', c, &found);
        assert_int_equal(kind, isfinite(expected) ? IS_NUMBER : IS_INFINITE);
        finite += kind == IS_NUMBER;
        if (kind == IS_NUMBER && memcmp(&found, &expected, sizeof found) != 0)
            fail_msg("%s: %a, not %a", text, found, expected);
    }
    assert_true(finite > 1000000 && finite < 2000000);
    freelocale(c);
}

static void test_csv_number__comma_is_like_point(void **state)
{
    (void)state;
    const locale_t c = c_locale();
    uint64_t random = 21;
    for (int i = 0; i < 200000; i++) {
        char text[64], pointed[64];
        const size_t n = random_number(&random, text, ',');
        double found = 0, expected = 0;
        strcpy(pointed, text);
        if (strchr(pointed, ',') != NULL)
            *strchr(pointed, ',') = '.';
        assert_int_equal(csv_number(text, n, ',', c, &found), csv_number(pointed, n, '.', c, &expected));
        assert_memory_equal(&found, &expected, sizeof found);
    }
    freelocale(c);
}

static void test_csv_number__nothing_else_is_a_number(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        number_kind kind;
    } cases[] = {
        {"", IS_NOT_NUMBER},       {".", IS_NOT_NUMBER},         {"-", IS_NOT_NUMBER},     {"+.", IS_NOT_NUMBER},
        {"e5", IS_NOT_NUMBER},     {"1e", IS_NOT_NUMBER},        {"1e+", IS_NOT_NUMBER},   {"1 ", IS_NOT_NUMBER},
        {" 1", IS_NOT_NUMBER},     {"1.2.3", IS_NOT_NUMBER},     {"1,2", IS_NOT_NUMBER},   {"0x1F", IS_NOT_NUMBER},
        {"--1", IS_NOT_NUMBER},    {"1e5.0", IS_NOT_NUMBER},     {"1f", IS_NOT_NUMBER},    {"nan", IS_NOT_NUMBER},
        {"infinite", IS_NOT_NUMBER}, {"NaN", IS_NOT_NUMBER},     {"inf", IS_INFINITE},     {"-Infinity", IS_INFINITE},
        {"+INF", IS_INFINITE},     {"1e309", IS_INFINITE},       {"-1e400000000000", IS_INFINITE},
        {"1.", IS_NUMBER},         {".5", IS_NUMBER},            {"-.5e-3", IS_NUMBER},    {"1e-400", IS_NUMBER},
        {"00", IS_NUMBER},
    };
    const locale_t c = c_locale();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double number;
        if (csv_number(cases[i].text, strlen(cases[i].text), '.', c, &number) != cases[i].kind)
            fail_msg("'%s'", cases[i].text);
    }
    freelocale(c);
}

/* More digits than any buffer on the stack. */
static void test_csv_number__length_is_no_limit(void **state)
{
    (void)state;
    const locale_t c = c_locale();
    char text[1000];
    double number = 0;
    memset(text, '0', sizeof text);
    memcpy(text, "1.", 2);
    text[999] = '1';
    assert_int_equal(csv_number(text, sizeof text, '.', c, &number), IS_NUMBER);
    assert_true(number == 1);
    memcpy(text, "9007199254740993.", 17); /* 2^53 + 1 and a little: not halfway, so up */
    assert_int_equal(csv_number(text, sizeof text, '.', c, &number), IS_NUMBER);
    assert_true(number == 9007199254740994.0);
    freelocale(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv_number__equals_strtod_to_the_bit),
        cmocka_unit_test(test_csv_number__comma_is_like_point),
        cmocka_unit_test(test_csv_number__nothing_else_is_a_number),
        cmocka_unit_test(test_csv_number__length_is_no_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
