/* CSV: the flat form, its quoting, and numbers that read back to the same bits. */
#include <float.h>
#include <math.h>

#include "report/sample.h"

static void test_csv_writer__the_sample_is_one_flat_table(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    expect(sample(arena), "csv", 0, arena,
           "table,term,estimate,se,ci_low,ci_high,mc_se_low,mc_se_high,p,key,value\n"
           "document,,,,,,,,,kind,mediate\n"
           "document,,,,,,,,,title,Mediation: treat -> job_seek -> depress2\n"
           "effects,total,-0.0498,0.0435,-0.1351,0.0355,,,0.2525,,\n"
           "effects,indirect,-0.01373,,-0.0308,-0.0003,0.00031,0.00022,0.0004,,\n"
           "sentences,,,,,,,,,,\"Of the total effect, 28 % runs through job_seek.\"\n"
           "notes,,,,,,,,,,Percentile intervals.\n"
           "warnings,,,,,,,,,,The total effect is near zero.\n"
           "provenance,,,,,,,,,seed,1\n"
           "provenance,,,,,,,,,rows.read,899\n"
           "provenance,,,,,,,,,rows.dropped.job.seek,3\n");
    bd_arena_free(arena);
}

static void test_csv_writer__quotes_what_would_be_read_otherwise(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    bd_document *document = NULL;
    SUCCEEDS(bd_document_new(arena, "test", "a,\"b\"", &document));
    const char *const terms[] = {"line\nbreak", "semi;colon", " led", "trailed ", "\r", "", "\xFF"};
    const double values[] = {1, 0.1, 1.0 / 3, NAN, INFINITY, -INFINITY, 1e300};
    add_values(document, "t", BD_ESTIMATE, terms, values, 7);
    expect(document, "csv", 0, arena,
           "table,term,value,key\n"
           "document,,test,kind\n"
           "document,,\"a,\"\"b\"\"\",title\n"
           "t,\"line\nbreak\",1,\n"
           "t,semi;colon,0.1,\n"
           "t,\" led\",0.3333333333333333,\n"
           "t,\"trailed \",,\n"
           "t,\"\r\",,\n"
           "t,,,\n"
           "t,\xEF\xBF\xBD,1e+300,\n");
    bd_arena_free(arena);
}

static double written_and_read(double value, bd_arena *arena)
{
    bd_document *document = NULL;
    const char *const term = "x";
    SUCCEEDS(bd_document_new(arena, "", "", &document));
    add_values(document, "t", BD_ESTIMATE, &term, &value, 1);
    char *text = transcript(document, "csv", 0, arena);
    const char *number = strstr(text, "t,x,");
    assert_non_null(number);
    const double read = strtod(number + 4, NULL);
    free(text);
    return read;
}

static void test_csv_writer__numbers_read_back_to_the_same_bits(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    const double values[] = {0.1, 0.3, 1.0 / 3, DBL_MIN, DBL_MAX, DBL_TRUE_MIN, 0.1 + 0.2, 123456789.123456789};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        assert_true(written_and_read(values[i], arena) == values[i]);
    bd_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv_writer__the_sample_is_one_flat_table),
        cmocka_unit_test(test_csv_writer__quotes_what_would_be_read_otherwise),
        cmocka_unit_test(test_csv_writer__numbers_read_back_to_the_same_bits),
    };
    return cmocka_run_group_tests_name("csv_writer", tests, NULL, NULL);
}
