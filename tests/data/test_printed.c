/* Numbers as they are printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include <bordin/data/printed.h>

static void reads(const char *text, char relation, double value, int decimals)
{
    bd_printed printed;
    if (!bd_printed_read(text, &printed))
        fail_msg("'%s' is not read", text);
    assert_int_equal(printed.relation, relation);
    assert_true(printed.value == value);
    assert_int_equal(printed.decimals, decimals);
}

static void test_printed__forms_that_papers_use(void **state)
{
    (void)state;
    reads("0.1499", '=', 0.1499, 4);
    reads(" -.0881 ", '=', -0.0881, 4);
    reads("\xe2\x88\x92" "1.20", '=', -1.2, 2);
    reads("61.73%", '=', 61.73, 2);
    reads("14,000", '=', 14000, 0);
    reads("< .001", '<', 0.001, 3);
    reads(">30000", '>', 30000, 0);
    reads("2.1e-5", '=', 2.1e-5, 6);
    reads("1.5E3", '=', 1500, -2);
}

static void test_printed__what_is_no_number(void **state)
{
    static const char *const texts[] = {"", " ", "ns", "0.1 0.2", "1.2.3", "--1", "1e999", "<", "0.05*", "nan", "inf"};
    bd_printed printed;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (bd_printed_read(texts[i], &printed))
            fail_msg("'%s' is read as %g", texts[i], printed.value);
}

static bool agrees(const char *text, double value)
{
    bd_printed printed;
    return bd_printed_read(text, &printed) && bd_printed_agrees(&printed, value);
}

static void test_printed__agrees_with_what_rounds_to_it(void **state)
{
    (void)state;
    assert_true(agrees("0.1499", 0.149917));
    assert_true(agrees("0.15", 0.145));
    assert_true(agrees("0.15", 0.155));
    assert_true(agrees("0.15", 0.1549999));
    assert_false(agrees("0.15", 0.15501));
    assert_false(agrees("0.1499", 0.14996));
    assert_true(agrees("< .001", 0.0009));
    assert_false(agrees("< .001", 0.001));
    assert_true(agrees("> 5", 6));
    assert_true(agrees("1.5E3", 1549));
    assert_false(agrees("0.15", NAN));
    assert_false(agrees("-0.15", 0.15));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_printed__forms_that_papers_use),
        cmocka_unit_test(test_printed__what_is_no_number),
        cmocka_unit_test(test_printed__agrees_with_what_rounds_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
