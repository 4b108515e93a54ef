/* Numbers as APA prints them (Publication Manual, 7th ed., 6.36: decimals, leading zeros, p values). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bordin/report/number.h>

static void test_number__each_class_prints_in_its_own_way(void **state)
{
    (void)state;
    const struct {
        bd_class class;
        double number;
        const char *text;
    } cases[] = {
        {BD_ESTIMATE, 1.23456, "1.23"},       {BD_ESTIMATE, 0.0123456, "0.0123"}, {BD_ESTIMATE, 1234.5, "1234.50"},
        {BD_ESTIMATE, 1.2e-7, "1.2e-07"},     {BD_ESTIMATE, 3.4e8, "3.4e+08"},    {BD_ESTIMATE, 0, "0.00"},
        {BD_ESTIMATE, 1e300, "1e+300"},       {BD_ESTIMATE, 0.00001234, "0.000012"},
        {BD_BOUNDED, 0.3456, ".346"},         {BD_BOUNDED, -0.3456, "-.346"},     {BD_BOUNDED, 1, "1.000"},
        {BD_BOUNDED, -0.0001, ".000"},        {BD_BOUNDED, 1.5, "1.500"},         {BD_BOUNDED, 0, ".000"},
        {BD_STATISTIC, -2.345, "-2.35"},      {BD_STATISTIC, -0.001, "0.00"},     {BD_STATISTIC, 1e9, "1e+09"},
        {BD_P_VALUE, 0.0344, ".034"},         {BD_P_VALUE, 0.001, ".001"},        {BD_P_VALUE, 0.00099, "< .001"},
        {BD_P_VALUE, 0, "< .001"},            {BD_P_VALUE, 0.9994, ".999"},       {BD_P_VALUE, 1, "> .999"},
        {BD_COUNT, 899, "899"},               {BD_COUNT, 12.5, "12.50"},          {BD_COUNT, 1e18, "1e+18"},
        {BD_DF, 897, "897"},                  {BD_DF, 3.274, "3.27"},             {BD_DF, 41.64, "41.6"},
        {BD_PERCENT, 0.1234, "12.3 %"},       {BD_PERCENT, -0.00001, "0.0 %"},    {BD_PERCENT, 1e300, "1e+302 %"},
        {BD_MC_ERROR, 0.00031234, "0.00031"}, {BD_MC_ERROR, 12.3, "12"},          {BD_MC_ERROR, 1e-12, "1e-12"},
        {BD_STATISTIC, INFINITY, "inf"},      {BD_ESTIMATE, -INFINITY, "-inf"},   {BD_DF, INFINITY, "inf"},
        {BD_ESTIMATE, NAN, ""},               {BD_P_VALUE, NAN, ""},              {BD_COUNT, NAN, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(bd_show(cases[i].class, cases[i].number).text, cases[i].text);
}

static void test_number__an_estimate_takes_its_decimals_from_its_standard_error(void **state)
{
    (void)state;
    assert_string_equal(bd_show_as(0.5, 0.0123).text, "0.5000");
    assert_string_equal(bd_show_as(52.123, 3.2).text, "52.12");
    assert_string_equal(bd_show_as(0.00001, 0.5).text, "0.000");
    assert_string_equal(bd_show_as(-0.00001, 0.5).text, "0.000");
    assert_string_equal(bd_show_as(123456.789, 1e-9).text, "1.235e+05");
}

static void test_number__p_is_spoken_with_its_relation(void **state)
{
    (void)state;
    assert_string_equal(bd_show_p(0.0344).text, "p = .034");
    assert_string_equal(bd_show_p(0.0001).text, "p < .001");
    assert_string_equal(bd_show_p(0.99999).text, "p > .999");
    assert_string_equal(bd_show_p(NAN).text, "");
}

static void test_number__digits_become_decimals(void **state)
{
    (void)state;
    assert_int_equal(bd_decimals_for(0.00123, 3), 5);
    assert_int_equal(bd_decimals_for(-0.00123, 3), 5);
    assert_int_equal(bd_decimals_for(0.001, 3), 5);
    assert_int_equal(bd_decimals_for(12345, 3), -2);
    assert_int_equal(bd_decimals_for(0, 3), 2);
    assert_int_equal(bd_decimals_for(INFINITY, 3), 2);
    assert_int_equal(bd_decimals_for(NAN, 3), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number__each_class_prints_in_its_own_way),
        cmocka_unit_test(test_number__an_estimate_takes_its_decimals_from_its_standard_error),
        cmocka_unit_test(test_number__p_is_spoken_with_its_relation),
        cmocka_unit_test(test_number__digits_become_decimals),
    };
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
