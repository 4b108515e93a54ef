/* What the CSV reader makes of files: the same table for every block size and any number of threads. */
#include "data/csv_file.h"

#include <math.h>

#include <zlib.h>

static const size_t SIZES[] = {BLOCK, 1, 2, 3, 5, 8, 13, 64, 1000};
enum { N_SIZES = sizeof SIZES / sizeof *SIZES };

static const bd_table *read_text(const reading_case *c, bd_arena *arena)
{
    const bd_table *table = NULL;
    const char *message = "";
    if (read_case(c, arena, &table, &message) != BD_OK)
        fail_msg("block size %zu: %s", c->block_size, message);
    return table;
}

static const bd_column *column_of(const bd_table *table, const char *name, bd_column_kind kind)
{
    const bd_column *column = bd_table_find(table, name);
    assert_non_null(column);
    assert_int_equal(column->kind, kind);
    return column;
}

/* Text of a category, "-" where missing. */
static const char *label(const bd_column *column, size_t row)
{
    return column->codes[row] == 0 ? "-" : column->levels[column->codes[row] - 1];
}

static void assert_numbers(const bd_column *column, size_t n, const double *expected)
{
    size_t missing = 0;
    for (size_t i = 0; i < n; i++) {
        missing += isnan(expected[i]) ? 1 : 0;
        assert_true(isnan(expected[i]) ? isnan(column->numbers[i]) : column->numbers[i] == expected[i]);
    }
    assert_int_equal(column->n_missing, missing);
}

/* The same rows, however their lines end, whatever separates them. */
static void test_csv__line_ends_delimiters_and_marks(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        char delimiter, decimal;
        size_t least;
    } files[] = {
        {"g,x,y\na,1.5,2\n\"b, c\",-3,\nd,NA,4e2\n", ',', '.', 0},
        {"g,x,y\na,1.5,2\n\"b, c\",-3,\nd,NA,4e2", ',', '.', 0},
        {"g,x,y\r\na,1.5,2\r\n\"b, c\",-3,\r\nd,NA,4e2\r\n\r\n", ',', '.', 0},
        {"g,x,y\ra,1.5,2\r\"b, c\",-3,\rd,NA,4e2\r", ',', '.', 0},
        {"\xEF\xBB\xBFg,x,y\na,1.5,2\n\n\"b, c\",-3,\n  \nd,NA,4e2\n\n\n", ',', '.', 13},
        {"\n \n g , \"x\",y \n a , 1.5 ,2\n \"b, c\" ,-3,\nd,NA,4e2\n", ',', '.', 64},
        {"g;x;y\na;1,5;2\nb, c;-3;\nd;NA;4e2\n", ';', ',', 0},
        {"g;x;y\na;1.5;2\nb, c;-3;\nd;NA;4e2\n", ';', '.', 0},
        {"g\tx\ty\na\t\"1.5\"\t2\nb, c\t\" -3 \"\t\nd\tNA\t4e2\n", '\t', '.', 0},
    };
    const bd_wanted wanted[] = {{"y", BD_USE_NUMBERS}, {"g", BD_USE_CATEGORIES}, {"x", BD_USE_NUMBERS}};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++)
        for (size_t k = 0; k < N_SIZES; k++) {
            if (SIZES[k] < files[f].least) /* for marks and blank lines before the header */
                continue;
            bd_arena *arena = bd_arena_new();
            const reading_case c = {.text = files[f].text, .wanted = wanted, .n_wanted = 3, .block_size = SIZES[k],
                                    .options = {.decimal = files[f].decimal}};
            const bd_table *table = read_text(&c, arena);
            assert_int_equal(table->n_rows, 3);
            assert_int_equal(table->n_columns, 3);
            assert_int_equal(table->delimiter, files[f].delimiter);
            assert_string_equal(table->columns[0].name, "g"); /* in the order of the file */
            assert_numbers(column_of(table, "x", BD_NUMBERS), 3, (double[]){1.5, -3, NAN});
            assert_numbers(column_of(table, "y", BD_NUMBERS), 3, (double[]){2, NAN, 400});
            const bd_column *g = column_of(table, "g", BD_CATEGORIES);
            assert_string_equal(label(g, 0), "a");
            assert_string_equal(label(g, 1), "b, c");
            assert_string_equal(label(g, 2), "d");
            bd_arena_free(arena);
        }
}

static void test_csv__the_delimiter_is_the_most_frequent_outside_quotes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        char given, decimal, found;
        size_t n_header;
    } files[] = {{"\"a,b,c\";d\n1;2\n", 0, '.', ';', 2},  {"a\n1\n", 0, '.', ',', 1},
                 {"a,b;c\n1,2\n", 0, '.', ',', 2},        {"a;b,c,d\n1;2\n", 0, ',', ';', 2},
                 {"a\tb,c\td\n1\t2\t3\n", 0, '.', '\t', 3}, {"a,b|c,d\n1|2\n", '|', '.', '|', 2},
                 {" \n\na;b\n1;2\n", 0, '.', ';', 2}};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        bd_arena *arena = bd_arena_new();
        const reading_case c = {.text = files[f].text,
                                .options = {.delimiter = files[f].given, .decimal = files[f].decimal}};
        const bd_table *table = read_text(&c, arena);
        assert_int_equal(table->delimiter, files[f].found);
        assert_int_equal(table->n_header, files[f].n_header);
        bd_arena_free(arena);
    }
}

static void test_csv__quoted_values_may_hold_anything(void **state)
{
    (void)state;
    const bd_wanted wanted[] = {{"t", BD_USE_CATEGORIES}};
    for (size_t k = 0; k < N_SIZES; k++) {
        bd_arena *arena = bd_arena_new();
        const reading_case c = {.text = "id,t\n1,\"say \"\"hi\"\"\"\n2,\"two\nlines, and\r\na third\"\n3,\"\"\n"
                                        "4,\"\"\"\"\n5,\"\n\n\"\n6,caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\n",
                                .wanted = wanted, .n_wanted = 1, .block_size = SIZES[k]};
        const bd_table *table = read_text(&c, arena);
        static const char *const expected[] = {"say \"hi\"", "two\nlines, and\r\na third", "-", "\"", "\n\n",
                                               "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"};
        assert_int_equal(table->n_rows, 6);
        for (size_t i = 0; i < 6; i++)
            assert_string_equal(label(column_of(table, "t", BD_CATEGORIES), i), expected[i]);
        bd_arena_free(arena);
    }
}

static void assert_levels(const char *text, const char *const *missing, size_t n_missing, const char *levels)
{
    const bd_wanted wanted[] = {{"g", BD_USE_CATEGORIES}};
    for (size_t k = 0; k < N_SIZES; k++) {
        bd_arena *arena = bd_arena_new();
        const reading_case c = {.text = text, .wanted = wanted, .n_wanted = 1, .block_size = SIZES[k],
                                .options = {.missing = missing, .n_missing = n_missing}};
        const bd_column *g = column_of(read_text(&c, arena), "g", BD_CATEGORIES);
        char joined[200] = "";
        for (size_t l = 0; l < g->n_levels; l++)
            strcat(strcat(joined, l > 0 ? "|" : ""), g->levels[l]);
        assert_string_equal(joined, levels);
        bd_arena_free(arena);
    }
}

static void test_csv__levels_are_sorted(void **state)
{
    (void)state;
    const char *const missing[] = {"-99", "n/a"};
    assert_levels("g,h\n10,1\n9,1\n-1,1\n2.50,1\n2.5,1\n9,1\n", NULL, 0, "-1|2.5|2.50|9|10");
    assert_levels("g,h\n10,1\n9,1\nB,1\na,1\nA,1\n\xC3\xA4,1\n", NULL, 0, "10|9|A|B|a|\xC3\xA4");
    assert_levels("g,h\n10,1\nn/a,1\nNA,1\n,1\n-99,1\n2,1\n", missing, 2, "2|10");
}

static void test_csv__missing_values_are_what_was_said(void **state)
{
    (void)state;
    const char *const missing[] = {".", "-99"};
    const bd_wanted wanted[] = {{"x", BD_USE_NUMBERS}};
    bd_arena *arena = bd_arena_new();
    const reading_case c = {.text = "i,x\n1,.\n2,-99\n3,-99.0\n4,\n5,NA\n6,\" \"\n7,0\n",
                            .wanted = wanted, .n_wanted = 1, .options = {.missing = missing, .n_missing = 2}};
    assert_numbers(column_of(read_text(&c, arena), "x", BD_NUMBERS), 7, (double[]){NAN, NAN, -99, NAN, NAN, NAN, 0});
    bd_arena_free(arena);
}

static void test_csv__kinds_are_guessed_from_more_than_half(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    const reading_case c = {.text = ",n,c,half,none\n1,1,a,1,\n2,NA,b,x,\n3,2,3,2,NA\n4,3,c,y,\n"};
    const bd_table *table = read_text(&c, arena);
    assert_int_equal(table->n_header, 5);
    assert_int_equal(table->n_columns, 4); /* not the row names, which have no name */
    assert_string_equal(table->columns[0].name, "n");
    column_of(table, "n", BD_NUMBERS);
    column_of(table, "c", BD_CATEGORIES);
    column_of(table, "half", BD_CATEGORIES);
    assert_int_equal(column_of(table, "none", BD_NUMBERS)->n_missing, 4);
    bd_arena_free(arena);
}

static void test_csv__the_source_is_identified(void **state)
{
    (void)state;
    const char *text = "a,b\n1,2\n3,4\n5,6\n";
    for (size_t k = 0; k < N_SIZES; k++) {
        bd_arena *arena = bd_arena_new();
        const reading_case c = {.text = text, .block_size = SIZES[k]};
        const bd_table *table = read_text(&c, arena);
        assert_int_equal(table->n_bytes, 16);
        assert_int_equal(table->checksum, 0x5203c76b); /* python3: zlib.crc32(b"a,b\n1,2\n3,4\n5,6\n") */
        bd_arena_free(arena);
    }
}

static void test_csv__gzip_is_read_like_text(void **state)
{
    (void)state;
    const char *text = "a,b\n1,2\n3,4\n5,6\n";
    const bd_csv_options options = BD_CSV_DEFAULTS;
    bd_arena *arena = bd_arena_new();
    const bd_table *table = NULL;
    char path[32];
    write_bytes(path, "", 0);
    gzFile file = gzopen(path, "wb");
    assert_int_equal(gzwrite(file, text, 16), 16);
    assert_int_equal(gzclose(file), Z_OK);
    assert_int_equal(bd_csv_read(path, NULL, 0, &options, arena, &table), BD_OK);
    unlink(path);
    assert_int_equal(table->n_bytes, 16);
    assert_int_equal(table->checksum, 0x5203c76b);
    assert_numbers(column_of(table, "b", BD_NUMBERS), 3, (double[]){2, 4, 6});
    bd_arena_free(arena);
}

static void test_csv__standard_input_is_a_file(void **state)
{
    (void)state;
    const bd_csv_options options = BD_CSV_DEFAULTS;
    bd_arena *arena = bd_arena_new();
    const bd_table *table = NULL;
    char path[32];
    write_bytes(path, "a\n1\n2\n", 6);
    assert_non_null(freopen(path, "r", stdin));
    unlink(path);
    assert_int_equal(bd_csv_read("-", NULL, 0, &options, arena, &table), BD_OK);
    assert_string_equal(table->source, "standard input");
    assert_numbers(&table->columns[0], 2, (double[]){1, 2});
    bd_arena_free(arena);
}

/* A generator of the test's own; nothing depends on its quality. */
static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

enum { N_ROWS = 3000 };

/* Rows whose values are known, quoted and broken at random. */
static size_t write_rows(char *text, double *x, char (*g)[16])
{
    uint64_t random = 7;
    size_t n = (size_t)sprintf(text, "g,skip,x\r\n");
    for (size_t i = 0; i < N_ROWS; i++) {
        const unsigned kind = (unsigned)(next_random(&random) % 5);
        static const char *const raw[] = {"g%u", "\"g,%u\"", "\"g\n%u\"", "\"g\"\"%u\"", "\"g\r\n\n%u\""};
        static const char *const read[] = {"g%u", "g,%u", "g\n%u", "g\"%u", "g\r\n\n%u"};
        const unsigned which = (unsigned)(next_random(&random) % 40);
        sprintf(g[i], read[kind], which);
        n += (size_t)sprintf(text + n, raw[kind], which);
        x[i] = ((double)next_random(&random) - 1e9) / 1024;
        n += (size_t)sprintf(text + n, ",\"%u\"\"\n\",%.17g", which, x[i]);
        n += (size_t)sprintf(text + n, "%s%s", i % 3 ? "\n" : "\r\n", i % 50 ? "" : "\n");
    }
    return n;
}

static void test_csv__blocks_and_threads_do_not_show(void **state)
{
    (void)state;
    static char text[N_ROWS * 80], g[N_ROWS][16];
    static double x[N_ROWS];
    const size_t n = write_rows(text, x, g), sizes[] = {BLOCK, 17, 100, 1009, 20000};
    const bd_wanted wanted[] = {{"g", BD_USE_CATEGORIES}, {"x", BD_USE_NUMBERS}};
    const uint32_t checksum = (uint32_t)crc32(0, (const unsigned char *)text, (unsigned)n);
    for (size_t k = 0; k < 5; k++)
        for (int threads = 1; threads <= 8; threads += threads < 3 ? 1 : 5) {
            bd_arena *arena = bd_arena_new();
            const reading_case c = {.text = text, .n = n, .wanted = wanted, .n_wanted = 2, .block_size = sizes[k],
                                    .options = {.n_threads = threads}};
            const bd_table *table = read_text(&c, arena);
            assert_int_equal(table->n_rows, N_ROWS);
            assert_int_equal(table->checksum, checksum);
            assert_numbers(column_of(table, "x", BD_NUMBERS), N_ROWS, x);
            const bd_column *labels = column_of(table, "g", BD_CATEGORIES);
            for (size_t i = 0; i < N_ROWS; i++)
                assert_string_equal(label(labels, i), g[i]);
            for (size_t l = 1; l < labels->n_levels; l++)
                assert_true(strcmp(labels->levels[l - 1], labels->levels[l]) < 0);
            bd_arena_free(arena);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv__line_ends_delimiters_and_marks),
        cmocka_unit_test(test_csv__the_delimiter_is_the_most_frequent_outside_quotes),
        cmocka_unit_test(test_csv__quoted_values_may_hold_anything),
        cmocka_unit_test(test_csv__levels_are_sorted),
        cmocka_unit_test(test_csv__missing_values_are_what_was_said),
        cmocka_unit_test(test_csv__kinds_are_guessed_from_more_than_half),
        cmocka_unit_test(test_csv__the_source_is_identified),
        cmocka_unit_test(test_csv__gzip_is_read_like_text),
        cmocka_unit_test(test_csv__standard_input_is_a_file),
        cmocka_unit_test(test_csv__blocks_and_threads_do_not_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
