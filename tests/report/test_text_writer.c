/* Text, to the character. */
#include <math.h>

#include "report/sample.h"

static bd_document *titled(bd_arena *arena)
{
    bd_document *document = NULL;
    SUCCEEDS(bd_document_new(arena, "test", "Title", &document));
    return document;
}

static void test_text__the_sample_prints_like_an_article(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    expect(sample(arena), "text", 0, arena,
           "Mediation: treat -> job_seek -> depress2\n"
           "\n"
           "Effects on depress2\n"
           "------------------------------------------------------------------------\n"
           "Effect    Estimate      SE             95 % CI             MC SE       p\n"
           "------------------------------------------------------------------------\n"
           "total      -0.0498  0.0435   [-0.1351, 0.0355]                      .253\n"
           "indirect   -0.0137          [-0.0308, -0.0003]  0.00031, 0.00022  < .001\n"
           "------------------------------------------------------------------------\n"
           "\n"
           "Of the total effect, 28 % runs through job_seek.\n"
           "\n"
           "Note. Percentile intervals.\n"
           "\n"
           "Warning: The total effect is near zero.\n"
           "\n"
           "Provenance\n"
           "  Seed                   1\n"
           "  Rows read              899\n"
           "  Rows without job.seek  3\n");
    bd_arena_free(arena);
}

static void test_text__a_wide_table_is_printed_in_panels(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    bd_document *document = titled(arena);
    const bd_heading headings[] = {{"x", "x", BD_TEXT},     {"y", "y", BD_TEXT},      {"n", "n", BD_COUNT},
                                   {"r", "r", BD_BOUNDED},  {"t", "t", BD_STATISTIC}, {"p", "p", BD_P_VALUE},
                                   {"none", "?", BD_COUNT}, {"note", "Note", BD_TEXT}};
    bd_document_rows *rows = NULL;
    bd_cell *cells = NULL;
    SUCCEEDS(bd_document_table(document, "pairs", "", headings, 8, &rows));
    for (int i = 0; i < 2; i++) {
        SUCCEEDS(bd_document_row(rows, &cells));
        cells[0] = bd_text("alliance");
        cells[1] = bd_text(i == 0 ? "age" : "outcome");
        for (size_t j = 2; j < 6; j++)
            cells[j] = bd_number(i == 0 ? 0.5 : -12.25);
        cells[7] = bd_text(i == 0 ? "" : "few");
    }
    expect(document, "text", 34, arena,
           "Title\n"
           "\n"
           "----------------------------------\n"
           "x         y             n        r\n"
           "----------------------------------\n"
           "alliance  age        0.50     .500\n"
           "alliance  outcome  -12.25  -12.250\n"
           "----------------------------------\n"
           "\n"
           "---------------------------------\n"
           "x         y             t       p\n"
           "---------------------------------\n"
           "alliance  age        0.50    .500\n"
           "alliance  outcome  -12.25  < .001\n"
           "---------------------------------\n"
           "\n"
           "-----------------------\n"
           "x         y        Note\n"
           "-----------------------\n"
           "alliance  outcome  few\n"
           "-----------------------\n");
    bd_arena_free(arena);
}

static void test_text__a_long_row_is_printed_as_a_list(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    bd_document *document = titled(arena);
    const bd_heading headings[] = {{"n", "n", BD_COUNT},
                                   {"r2", "R2", BD_BOUNDED},
                                   {"f", "F", BD_STATISTIC},
                                   {"df", "df", BD_DF},
                                   {"p", "p", BD_P_VALUE},
                                   {"aic", "AIC", BD_ESTIMATE},
                                   {"r_low", "95 % CI", BD_BOUNDED},
                                   {"r_high", "95 % CI", BD_BOUNDED},
                                   {"empty", "Empty", BD_COUNT}};
    bd_document_rows *rows = NULL;
    bd_cell *cells = NULL;
    SUCCEEDS(bd_document_table(document, "fit", "Fit", headings, 9, &rows));
    SUCCEEDS(bd_document_row(rows, &cells));
    const double values[] = {899, 0.0447, 8.4, 893, 0.00001, 2100.5, 0.02, 0.07};
    for (size_t j = 0; j < 8; j++)
        cells[j] = bd_number(values[j]);
    expect(document, "text", 0, arena,
           "Title\n\nFit\n  n        899\n  R2       .045\n  F        8.40\n  df       893\n  p        < .001\n"
           "  AIC      2100.50\n  95 % CI  [.020, .070]\n");
    bd_arena_free(arena);
}

static void test_text__numbers_stand_on_their_points_and_wide_characters_take_two_columns(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    bd_document *document = titled(arena);
    const char *const terms[] = {"治療", "na\xC3\xAFve", "e\xCC\x81t\xC3\xA9", "x"};
    const double values[] = {1, -12.5, 3.25, NAN};
    add_values(document, "df", BD_DF, terms, values, 4);
    expect(document, "text", 0, arena,
           "Title\n\n-------------\n"
           "Term    Value\n"
           "-------------\n"
           "治療     1\n"
           "na\xC3\xAFve  -12.5\n"
           "e\xCC\x81t\xC3\xA9      3.25\n"
           "x\n"
           "-------------\n");
    bd_arena_free(arena);
}

static void test_text__huge_and_tiny_estimates_are_both_readable(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    bd_document *document = titled(arena);
    const char *const terms[] = {"tiny", "huge", "one", "small", "zero"};
    const double values[] = {1.2e-7, 3.4e8, 1.5, 0.00123, 0};
    add_values(document, "spread", BD_ESTIMATE, terms, values, 5);
    expect(document, "text", 0, arena,
           "Title\n\n--------------\n"
           "Term     Value\n"
           "--------------\n"
           "tiny   1.2e-07\n"
           "huge   3.4e+08\n"
           "one    1.50\n"
           "small  0.00123\n"
           "zero   0.00\n"
           "--------------\n");
    bd_arena_free(arena);
}

static void test_text__rows_of_like_size_share_their_decimals(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    bd_document *document = titled(arena);
    const char *const terms[] = {"a", "b"};
    const double values[] = {12.34567, 0.1234567};
    add_values(document, "close", BD_ESTIMATE, terms, values, 2);
    expect(document, "text", 0, arena,
           "Title\n\n------------\nTerm   Value\n------------\na     12.346\nb      0.123\n------------\n");
    bd_arena_free(arena);
}

static void test_text__an_estimate_near_zero_needs_no_more_digits_than_its_standard_error(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    bd_document *document = titled(arena);
    const bd_heading headings[] = {{"estimate", "b", BD_ESTIMATE}, {"boot_se", "SE", BD_ESTIMATE}};
    bd_document_rows *rows = NULL;
    bd_cell *cells = NULL;
    SUCCEEDS(bd_document_table(document, "b", "", headings, 2, &rows));
    SUCCEEDS(bd_document_row(rows, &cells));
    cells[0] = bd_number(-0.0000012);
    cells[1] = bd_number(0.234);
    expect(document, "text", 0, arena, "Title\n\n------------\n    b     SE\n------------\n0.000  0.234\n------------\n");
    bd_arena_free(arena);
}

static void test_text__sentences_are_wrapped_without_trailing_spaces(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    bd_document *document = titled(arena);
    SUCCEEDS(bd_document_say(document, BD_SENTENCE, "One two three four five six."));
    SUCCEEDS(bd_document_say(document, BD_NOTE, "Aaaa bbbb cccc dddd."));
    SUCCEEDS(bd_document_say(document, BD_NOTE, "Averyveryverylongwordindeed."));
    SUCCEEDS(bd_document_fact(document, "c", "Command", BD_TEXT, bd_text("bordin describe x")));
    SUCCEEDS(bd_document_fact(document, "e", "Empty", BD_TEXT, bd_text(NULL)));
    expect(document, "text", 20, arena,
           "Title\n"
           "\n"
           "One two three four\n"
           "five six.\n"
           "\n"
           "Note. Aaaa bbbb cccc\n"
           "  dddd.\n"
           "Note. Averyveryverylongwordindeed.\n"
           "\n"
           "Provenance\n"
           "  Command  bordin\n"
           "           describe\n"
           "           x\n"
           "  Empty\n");
    bd_arena_free(arena);
}

static void test_text__control_characters_and_broken_bytes_never_reach_the_terminal(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    bd_document *document = titled(arena);
    const char *const terms[] = {"a\nb\x1B[31mc", "\xFFz\xC0\x80", "\xED\xA0\x80", "\xC2\x9B"};
    const double values[] = {1, 2, 3, 4};
    add_values(document, "n", BD_COUNT, terms, values, 4);
    expect(document, "text", 0, arena,
           "Title\n\n----------------\n"
           "Term       Value\n"
           "----------------\n"
           "a b [31mc      1\n"
           "\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD           2\n"
           "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD            3\n"
           "               4\n"
           "----------------\n");
    bd_arena_free(arena);
}

static void test_text__only_ends_of_one_interval_are_joined(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    bd_document *document = titled(arena);
    const bd_heading headings[] = {{"a_low", "Low", BD_BOUNDED},
                                   {"a_high", "High", BD_BOUNDED},
                                   {"b_low", "b low", BD_BOUNDED},
                                   {"c_high", "c high", BD_BOUNDED}};
    bd_document_rows *rows = NULL;
    bd_cell *cells = NULL;
    SUCCEEDS(bd_document_table(document, "t", "", headings, 4, &rows));
    for (int i = 0; i < 2; i++) {
        SUCCEEDS(bd_document_row(rows, &cells));
        cells[0] = bd_number(-0.25);
        cells[1] = bd_number(i == 0 ? 0.5 : NAN);
        cells[2] = bd_number(0.1);
        cells[3] = bd_number(0.2);
    }
    expect(document, "text", 0, arena,
           "Title\n\n"
           "----------------------------\n"
           "  [Low, High]  b low  c high\n"
           "----------------------------\n"
           "[-.250, .500]   .100    .200\n"
           "  [-.250, --]   .100    .200\n"
           "----------------------------\n");
    bd_arena_free(arena);
}

static void test_text__a_table_without_rows_shows_its_headings(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    bd_document *document = titled(arena);
    add_values(document, "none", BD_COUNT, NULL, NULL, 0);
    expect(document, "text", 0, arena, "Title\n\n-----------\nTerm  Value\n-----------\n-----------\n");
    bd_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text__the_sample_prints_like_an_article),
        cmocka_unit_test(test_text__a_wide_table_is_printed_in_panels),
        cmocka_unit_test(test_text__a_long_row_is_printed_as_a_list),
        cmocka_unit_test(test_text__numbers_stand_on_their_points_and_wide_characters_take_two_columns),
        cmocka_unit_test(test_text__huge_and_tiny_estimates_are_both_readable),
        cmocka_unit_test(test_text__rows_of_like_size_share_their_decimals),
        cmocka_unit_test(test_text__an_estimate_near_zero_needs_no_more_digits_than_its_standard_error),
        cmocka_unit_test(test_text__sentences_are_wrapped_without_trailing_spaces),
        cmocka_unit_test(test_text__control_characters_and_broken_bytes_never_reach_the_terminal),
        cmocka_unit_test(test_text__only_ends_of_one_interval_are_joined),
        cmocka_unit_test(test_text__a_table_without_rows_shows_its_headings),
    };
    return cmocka_run_group_tests_name("text_writer", tests, NULL, NULL);
}
