/* Documents: what is refused, what is copied; writers: finding one, and streams that cannot be written. */
#include "report/sample.h"

static void test_document__a_key_twice_is_refused(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    bd_document *document = NULL;
    bd_document_rows *rows = NULL;
    const bd_heading headings[] = {{"p", "p", BD_P_VALUE}, {"p", "P", BD_P_VALUE}};
    SUCCEEDS(bd_document_new(arena, "test", "Test", &document));
    assert_int_equal(bd_document_table(document, "a", "", headings, 2, &rows), BD_EUSAGE);
    assert_string_equal(bd_message(), "two columns of a table have the key 'p'");
    SUCCEEDS(bd_document_table(document, "a", "", headings, 1, &rows));
    assert_int_equal(bd_document_table(document, "a", "", headings, 1, &rows), BD_EUSAGE);
    assert_string_equal(bd_message(), "two tables have the id 'a'");
    bd_arena_free(arena);
}

static void test_document__a_fact_cannot_be_both_a_value_and_a_group(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    bd_document *document = NULL;
    SUCCEEDS(bd_document_new(arena, "test", "Test", &document));
    SUCCEEDS(bd_document_fact(document, "rows.read", "Rows read", BD_COUNT, bd_number(3)));
    assert_int_equal(bd_document_fact(document, "rows", "Rows", BD_COUNT, bd_number(3)), BD_EUSAGE);
    assert_string_equal(bd_message(), "the provenance already has something at 'rows'");
    assert_int_equal(bd_document_fact(document, "rows.read.twice", "Rows", BD_COUNT, bd_number(3)), BD_EUSAGE);
    assert_string_equal(bd_message(), "the provenance already has something at 'rows.read.twice'");
    assert_int_equal(bd_document_fact(document, "rows.read", "Rows", BD_COUNT, bd_number(3)), BD_EUSAGE);
    SUCCEEDS(bd_document_fact(document, "rows.used", "Rows used", BD_COUNT, bd_number(3)));
    bd_arena_free(arena);
}

static void test_document__names_from_the_data_keep_their_dots(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    bd_document *document = NULL;
    SUCCEEDS(bd_document_new(arena, "test", "Test", &document));
    SUCCEEDS(bd_document_fact_in(document, "dropped", "job", NULL, BD_COUNT, bd_number(1)));
    SUCCEEDS(bd_document_fact_in(document, "dropped", "job.seek", NULL, BD_COUNT, bd_number(2)));
    expect(document, "json", 0, arena,
           "{\n  \"schema\": 1,\n  \"kind\": \"test\",\n  \"title\": \"Test\",\n  \"tables\": [],\n  \"sentences\": [],\n"
           "  \"notes\": [],\n  \"warnings\": [],\n  \"provenance\": {\n    \"dropped\": {\n      \"job\": 1,\n"
           "      \"job.seek\": 2\n    }\n  }\n}\n");
    bd_arena_free(arena);
}

static void test_document__titles_headings_and_facts_are_copied(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    char text[] = "kept";
    const bd_heading headings[] = {{text, text, BD_TEXT}};
    bd_document *document = NULL;
    bd_document_rows *rows = NULL;
    bd_cell *cells = NULL;
    SUCCEEDS(bd_document_new(arena, text, text, &document));
    SUCCEEDS(bd_document_table(document, text, text, headings, 1, &rows));
    SUCCEEDS(bd_document_row(rows, &cells));
    cells[0] = bd_text("cell");
    SUCCEEDS(bd_document_fact(document, text, text, BD_TEXT, bd_text(text)));
    memcpy(text, "gone", 4);
    expect(document, "csv", 0, arena,
           "table,kept,key,value\ndocument,,kind,kept\ndocument,,title,kept\nkept,cell,,\nprovenance,,kept,kept\n");
    bd_arena_free(arena);
}

static void test_document__cells_stay_valid_when_rows_are_added(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    const bd_heading heading = {"n", "n", BD_COUNT};
    bd_document *document = NULL;
    bd_document_rows *rows = NULL;
    bd_cell *first = NULL, *cells = NULL;
    SUCCEEDS(bd_document_new(arena, "test", "", &document));
    SUCCEEDS(bd_document_table(document, "many", "", &heading, 1, &rows));
    SUCCEEDS(bd_document_row(rows, &first));
    for (int i = 0; i < 1000; i++)
        SUCCEEDS(bd_document_row(rows, &cells));
    first[0] = bd_number(17);
    char *text = transcript(document, "csv", 0, arena);
    assert_non_null(strstr(text, "\nmany,17,,\nmany,,,\n"));
    free(text);
    bd_arena_free(arena);
}

static void test_writer__an_unknown_format_lists_those_there_are(void **state)
{
    (void)state;
    const bd_writer *writer = NULL;
    assert_int_equal(bd_writer_find("yaml", &writer), BD_EUSAGE);
    assert_string_equal(bd_message(), "no format named 'yaml'; there are text, json, csv, markdown");
    assert_null(writer);
    assert_string_equal(bd_writers[0]->name, "text");
}

static void test_writer__a_full_disk_is_an_error(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    const bd_document *document = sample(arena);
    for (size_t i = 0; bd_writers[i] != NULL; i++) {
        FILE *full = fopen("/dev/full", "w");
        assert_non_null(full);
        assert_int_equal(bd_document_write(document, bd_writers[i], 0, arena, full), BD_EIO);
        assert_string_equal(bd_message(), "cannot write the result: No space left on device");
        fclose(full);
        full = fopen("/dev/full", "w");
        assert_non_null(full);
        setvbuf(full, NULL, _IONBF, 0); /* fails at the first byte instead of the last */
        assert_int_equal(bd_document_write(document, bd_writers[i], 0, arena, full), BD_EIO);
        assert_string_equal(bd_message(), "cannot write the result: No space left on device");
        fclose(full);
    }
    bd_arena_free(arena);
}

static void test_writer__a_stream_for_reading_is_an_error(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    const bd_document *document = sample(arena);
    FILE *readable = fopen("/dev/null", "r");
    assert_non_null(readable);
    assert_int_equal(bd_document_write(document, bd_writers[0], 0, arena, readable), BD_EIO);
    assert_string_equal(bd_message(), "cannot write the result: Bad file descriptor");
    fclose(readable);
    bd_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_document__a_key_twice_is_refused),
        cmocka_unit_test(test_document__a_fact_cannot_be_both_a_value_and_a_group),
        cmocka_unit_test(test_document__names_from_the_data_keep_their_dots),
        cmocka_unit_test(test_document__titles_headings_and_facts_are_copied),
        cmocka_unit_test(test_document__cells_stay_valid_when_rows_are_added),
        cmocka_unit_test(test_writer__an_unknown_format_lists_those_there_are),
        cmocka_unit_test(test_writer__a_full_disk_is_an_error),
        cmocka_unit_test(test_writer__a_stream_for_reading_is_an_error),
    };
    return cmocka_run_group_tests_name("document", tests, NULL, NULL);
}
