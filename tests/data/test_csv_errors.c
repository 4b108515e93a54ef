/* What the CSV reader refuses, and in which words: each message names the file, the line and the column. */
#include "data/csv_file.h"

typedef struct refusal {
    reading_case file;
    bd_status status;
    const char *message;
} refusal;

static const bd_wanted B_NUMBERS[] = {{"b", BD_USE_NUMBERS}}, B_LABELS[] = {{"b", BD_USE_CATEGORIES}};

/* At every block size the same error, for any number of threads. Blank lines and marks before the header must fit the
 * first block: file.block_size is the least. */
static void check(const refusal *r)
{
    static const size_t sizes[] = {BLOCK, 1, 2, 3, 5, 7, 16, 64};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (int threads = 1; threads <= 3 && sizes[k] >= r->file.block_size; threads++) {
            bd_arena *arena = bd_arena_new();
            const bd_table *table = NULL;
            const char *message = NULL;
            reading_case file = r->file;
            file.block_size = sizes[k];
            file.options.n_threads = threads;
            assert_int_equal(read_case(&file, arena, &table, &message), r->status);
            assert_string_equal(message, r->message);
            bd_arena_free(arena);
        }
}

#define CHECK_ALL(refusals)                                             \
    for (size_t i_ = 0; i_ < sizeof(refusals) / sizeof *(refusals); i_++) \
    check(&(refusals)[i_])

#define TEXT(string) .file = {.text = string, .n = sizeof string - 1}
#define LABELS_FROM(least, string) \
    .file = {.text = string, .n = sizeof string - 1, .wanted = B_LABELS, .n_wanted = 1, .block_size = least}
#define LABELS(string) .file = {.text = string, .n = sizeof string - 1, .wanted = B_LABELS, .n_wanted = 1}
#define NUMBERS(string) .file = {.text = string, .n = sizeof string - 1, .wanted = B_NUMBERS, .n_wanted = 1}

static void test_csv__headers_are_checked(void **state)
{
    (void)state;
    const bd_wanted absent[] = {{"aliance", BD_USE_ANY}};
    const refusal refusals[] = {
        {TEXT("\n"), BD_EDATA, "FILE is empty"},
        {TEXT("\r\n \n"), BD_EDATA, "FILE is empty"},
        {TEXT("a,b\n"), BD_EDATA, "FILE has a header but no rows"},
        {TEXT("a,b\n\n\r\n"), BD_EDATA, "FILE has a header but no rows"},
        {TEXT("a,b, a\n1,2,3\n"), BD_EDATA, "FILE: line 1: columns 1 and 3 are both called 'a'; names must differ"},
        {TEXT("a,,b,\n1,2,3,4\n"), BD_EDATA, "FILE: line 1: columns 2 and 4 have no names"},
        {.file = {.text = "id,alliance,wai\n1,2,3\n", .wanted = absent, .n_wanted = 1}, .status = BD_EDATA,
         .message = "FILE: no column 'aliance'; nearest: 'alliance'"},
    };
    CHECK_ALL(refusals);
}

static void test_csv__rows_of_another_length_are_found_at_their_line(void **state)
{
    (void)state;
    const refusal refusals[] = {
        {LABELS("a,b\n1,2\n3\n"), BD_EDATA, "FILE: line 3 has 1 value where the header has 2 names"},
        {LABELS("a,b\n1,2\n3,4,5\n"), BD_EDATA, "FILE: line 3 has 3 values where the header has 2 names"},
        {LABELS("a,b\n1,2,\n"), BD_EDATA, "FILE: line 2 has 3 values where the header has 2 names"},
        {LABELS_FROM(16, "\n\na,b\n\n1,2\n\n  \n3"), BD_EDATA, "FILE: line 8 has 1 value where the header has 2 names"},
        {LABELS("a,b\r\n\"x\r\ny\",2\r\n3\r\n"), BD_EDATA, "FILE: line 4 has 1 value where the header has 2 names"},
        {LABELS("a,b\r1,2\r3,4\r5\r"), BD_EDATA, "FILE: line 4 has 1 value where the header has 2 names"},
        /* The length explains a text in a column of numbers. */
        {NUMBERS("a,b\n1,2\n3,x,4\n"), BD_EDATA, "FILE: line 3 has 3 values where the header has 2 names"},
    };
    CHECK_ALL(refusals);
}

static void test_csv__quotation_marks_must_match(void **state)
{
    (void)state;
    const char *stray = "a quotation mark stands within a value; such a value must be quoted, and the mark doubled";
    char three[200], four[200];
    snprintf(three, sizeof three, "FILE: line 3: %s", stray);
    snprintf(four, sizeof four, "FILE: line 4: %s", stray);
    const refusal refusals[] = {
        {LABELS("a,b\n1,2\n3,5\"4\n"), BD_EDATA, three},
        {LABELS("a,b\n1,\"2\n\"\n3,5\"4\n"), BD_EDATA, four},
        {LABELS("a,b\n1,2\n3,\"5\"4\n"), BD_EDATA, three},
        {LABELS("a,b\n1,2\n3,\"5\n6\n"), BD_EDATA, "FILE: line 3: a quotation mark is never closed"},
        {LABELS("a,b\n1,2\n3,\"x\ny \"\"z\"\" t\n"), BD_EDATA, "FILE: line 3: a quotation mark is never closed"},
        {LABELS("a,b\n1,2\n3,\"x\n\"\"y\n"), BD_EDATA, "FILE: line 3: a quotation mark is never closed"},
    };
    CHECK_ALL(refusals);
}

static void test_csv__text_must_be_utf8(void **state)
{
    (void)state;
    const refusal refusals[] = {
        {LABELS_FROM(16, "\xFF\xFE" "a\0,\0b\0\n\0"), BD_EDATA, "FILE is UTF-16 text; save it as CSV in UTF-8"},
        {LABELS_FROM(16, "\xFE\xFF\0a\0,\0b\0\n"), BD_EDATA, "FILE is UTF-16 text; save it as CSV in UTF-8"},
        {LABELS_FROM(BLOCK, "a,b\n1,2\n3,\0\n"), BD_EDATA, "FILE holds zero bytes: it is not a text file"},
        {LABELS("a,b\n1,2\n3,caf\xE9\n"), BD_EDATA,
         "FILE: line 3 holds bytes that are not UTF-8 (0xE9); save the file as UTF-8"},
        {LABELS("a,b\n1,2\n3,\xC0\xAF\n"), BD_EDATA, /* too long */
         "FILE: line 3 holds bytes that are not UTF-8 (0xC0); save the file as UTF-8"},
        {LABELS("a,b\n1,2\n3,\xE0\x9F\xBF\n"), BD_EDATA, /* too long */
         "FILE: line 3 holds bytes that are not UTF-8 (0xE0); save the file as UTF-8"},
        {LABELS("a,b\n1,2\n3,\xED\xA0\x80\n"), BD_EDATA, /* half of a surrogate pair */
         "FILE: line 3 holds bytes that are not UTF-8 (0xED); save the file as UTF-8"},
        {LABELS("a,b\n1,2\n3,\xF4\x90\x80\x80\n"), BD_EDATA, /* behind the last character */
         "FILE: line 3 holds bytes that are not UTF-8 (0xF4); save the file as UTF-8"},
        {LABELS("a,b\n1,2\n3,\xE2\x82"), BD_EDATA, /* cut off */
         "FILE: line 3 holds bytes that are not UTF-8 (0xE2); save the file as UTF-8"},
    };
    CHECK_ALL(refusals);
}

static void test_csv__a_value_that_is_not_a_number_is_named(void **state)
{
    (void)state;
    const refusal refusals[] = {
        {NUMBERS("a,b\n1,2\n3,abc\n"), BD_EDATA,
         "FILE: line 3, column 'b': 'abc' is not a number; if it means missing, give --na 'abc'"},
        {NUMBERS("a,b\n1,2\n\"x\ny\",4\n5,n/a\n"), BD_EDATA,
         "FILE: line 5, column 'b': 'n/a' is not a number; if it means missing, give --na 'n/a'"},
        {NUMBERS("a;b\n1;2\n3;4,5\n"), BD_EDATA,
         "FILE: line 3, column 'b': '4,5' is not a number; if the decimal sign is a comma, give --decimal ,"},
        {NUMBERS("a,b\n1,2\n3,-inf\n"), BD_EDATA, "FILE: line 3, column 'b': '-inf' is not a finite number"},
        {NUMBERS("a,b\n1,2\n3,1e999\n"), BD_EDATA, "FILE: line 3, column 'b': '1e999' is not a finite number"},
        {NUMBERS("a,b\n1,2\n3,0x1F\n"), BD_EDATA,
         "FILE: line 3, column 'b': '0x1F' is not a number; if it means missing, give --na '0x1F'"},
        {NUMBERS("a,b\n1,2\n3,nan\n"), BD_EDATA,
         "FILE: line 3, column 'b': 'nan' is not a number; if it means missing, give --na 'nan'"},
    };
    CHECK_ALL(refusals);
}

static void test_csv__the_first_of_several_faults_is_reported(void **state)
{
    (void)state;
    const char *abc = "FILE: line 3, column 'b': 'abc' is not a number; if it means missing, give --na 'abc'";
    const refusal refusals[] = {
        {NUMBERS("a,b\n1,2\n3,abc\n3\n"), BD_EDATA, abc},
        {NUMBERS("a,b\n1,2\n3,abc\n3,5\"\n"), BD_EDATA, abc},
        {NUMBERS("a,b\n1,2\n3,abc\n3,\xFF\n"), BD_EDATA, abc},
        {NUMBERS("a,b\n1,2\n3,abc\n3,\"never\n"), BD_EDATA, abc},
        {NUMBERS("a,b\n1,2\n3\n4,abc\n"), BD_EDATA, "FILE: line 3 has 1 value where the header has 2 names"},
    };
    CHECK_ALL(refusals);
}

static void test_csv__a_guess_that_fails_says_how_to_overrule_it(void **state)
{
    (void)state;
    const refusal r = {TEXT("a,b\n1,2\n2,3\n3,4\n4,x\n"), BD_EDATA,
                       "FILE: line 5, column 'b': 'x' is not a number; if it means missing, give --na 'x'; factor(b) "
                       "takes the column as categories"};
    bd_arena *arena = bd_arena_new();
    const bd_table *table = NULL;
    const char *message = NULL;
    assert_int_equal(read_case(&r.file, arena, &table, &message), BD_EDATA);
    assert_string_equal(message, r.message);
    bd_arena_free(arena);
}

static void test_csv__delimiter_and_decimal_sign_differ(void **state)
{
    (void)state;
    const refusal r = {.file = {.text = "a\n1\n", .options = {.delimiter = ',', .decimal = ','}}, .status = BD_EUSAGE,
                       .message = "--delimiter and --decimal are both ','"};
    check(&r);
}

static void test_csv__files_that_cannot_be_read(void **state)
{
    (void)state;
    /* printf 'a,b\n1,2\n' | gzip -n, with its checksum spoilt, and cut short */
    static const unsigned char spoilt[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0xd4, 0x49, 0xe2,
                                           0x32, 0xd4, 0x31, 0xe2, 2, 0, 1, 2, 3, 4, 8, 0, 0, 0};
    const bd_csv_options options = BD_CSV_DEFAULTS;
    bd_arena *arena = bd_arena_new();
    const bd_table *table = NULL;
    char path[32];
    assert_int_equal(bd_csv_read("/tmp/bordin-no-such-file.csv", NULL, 0, &options, arena, &table), BD_EIO);
    assert_string_equal(bd_message(), "/tmp/bordin-no-such-file.csv: no such file");
    assert_int_equal(bd_csv_read("tests", NULL, 0, &options, arena, &table), BD_EIO);
    assert_string_equal(bd_message(), "tests is a directory, not a file");
    for (size_t n = 13; n <= sizeof spoilt; n++) {
        write_bytes(path, spoilt, n);
        assert_int_equal(bd_csv_read(path, NULL, 0, &options, arena, &table), BD_EIO);
        assert_string_equal(message_about(path),
                            n < 24 ? "FILE is a damaged gzip file: unexpected end of file"
                                              : "FILE is a damaged gzip file: incorrect data check");
        unlink(path);
    }
    write_bytes(path, "", 0);
    assert_int_equal(bd_csv_read(path, NULL, 0, &options, arena, &table), BD_EDATA);
    assert_string_equal(message_about(path), "FILE is empty");
    unlink(path);
    bd_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv__headers_are_checked),
        cmocka_unit_test(test_csv__rows_of_another_length_are_found_at_their_line),
        cmocka_unit_test(test_csv__quotation_marks_must_match),
        cmocka_unit_test(test_csv__text_must_be_utf8),
        cmocka_unit_test(test_csv__a_value_that_is_not_a_number_is_named),
        cmocka_unit_test(test_csv__the_first_of_several_faults_is_reported),
        cmocka_unit_test(test_csv__a_guess_that_fails_says_how_to_overrule_it),
        cmocka_unit_test(test_csv__delimiter_and_decimal_sign_differ),
        cmocka_unit_test(test_csv__files_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
