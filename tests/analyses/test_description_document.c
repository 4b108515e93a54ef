/* Documents of descriptions: their tables, and what is said of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <bordin/report/writer.h>

#include "analyses/description_sample.h"

static const json_t *table_of(const json_t *document, const char *id)
{
    size_t i;
    json_t *table;
    json_array_foreach(json_object_get(document, "tables"), i, table)
        if (strcmp(json_string_value(json_object_get(table, "id")), id) == 0)
            return json_object_get(table, "rows");
    return NULL;
}

static double cell(const json_t *document, const char *id, size_t row, const char *key)
{
    return json_number_value(json_object_get(json_array_get(table_of(document, id), row), key));
}

static json_t *json_of(const bd_description *description)
{
    const bd_writer *writer;
    bd_document *document;
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    must(bd_description_document(description, arena, &document));
    must(bd_writer_find("json", &writer));
    must(bd_document_write(document, writer, 0, arena, stream));
    fclose(stream);
    json_t *json = json_loads(text, 0, NULL);
    free(text);
    assert_non_null(json);
    return json;
}

static void test_describe__the_document_has_every_table(void **state)
{
    (void)state;
    bd_description_options options = options_for(names, 5);
    options.by = "site_number";
    options.cluster = "site";
    json_t *json = json_of(describe(&small, options));
    assert_int_equal(json_array_size(json_object_get(json, "tables")), 10);
    assert_near("mean", cell(json, "numbers", 0, "mean"), 4.84375);
    assert_near("q3", cell(json, "numbers_by_group", 1, "q3"), 9.125);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(table_of(json, "numbers_by_group"), 1), "group")), "7");
    assert_near("levels", cell(json, "categories", 0, "levels"), 2);
    assert_near("n", cell(json, "categories_by_group", 1, "n"), 4);
    assert_int_equal(json_array_size(table_of(json, "levels")), 2); /* "never" never occurs */
    assert_near("share", cell(json, "levels", 1, "share"), 0.5);
    assert_near("share", cell(json, "levels_by_group", 3, "share"), 1);
    assert_near("r", cell(json, "correlations", 0, "r"), 0.968216289386448);
    assert_near("icc", cell(json, "icc", 1, "icc"), 0.350125944584383);
    assert_near("only_x", cell(json, "missing_pairs", 0, "only_x"), 2);
    assert_int_equal(json_array_size(table_of(json, "missing_patterns")), 7);
    assert_near("used", json_number_value(json_object_get(json_object_get(json_object_get(json, "provenance"), "rows"),
                                                          "used")), 10);
    json_decref(json);
}

static void test_describe__a_sentence_tells_what_clusters_explain(void **state)
{
    (void)state;
    const char *const chosen[] = {"depress1", "job_seek"};
    bd_description_options options = options_for(chosen, 2);
    options.cluster = "occp";
    json_t *json = json_of(describe(jobs(), options));
    const json_t *sentences = json_object_get(json, "sentences");
    assert_int_equal(json_array_size(sentences), 2); /* the interval of depress1 reaches below 0 */
    assert_string_equal(json_string_value(json_array_get(sentences, 0)),
                        "Of 899 rows, 899 (100.0 %) have a value in every column described.");
    assert_string_equal(json_string_value(json_array_get(sentences, 1)),
                        "4.7 % of the variance of job_seek lies between the 7 clusters of occp.");
    json_decref(json);
}

static void test_describe__what_was_not_asked_for_is_not_there(void **state)
{
    (void)state;
    bd_description_options options = options_for(names + 3, 1);
    options.no_correlations = true;
    json_t *json = json_of(describe(&small, options));
    assert_int_equal(json_array_size(json_object_get(json, "tables")), 1);
    assert_non_null(table_of(json, "numbers"));
    json_decref(json);
}

/* 30 levels, level k in k rows: the 20 most frequent are listed, and a note says so. */
static void test_describe__the_most_frequent_of_many_levels_are_listed(void **state)
{
    (void)state;
    enum { LEVELS = 30, ROWS = LEVELS * (LEVELS + 1) / 2 };
    uint32_t codes[ROWS];
    const char *labels[LEVELS];
    size_t n = 0;
    for (uint32_t k = 1; k <= LEVELS; k++) {
        must(bd_print(arena, &labels[k - 1], "level %u", k));
        for (uint32_t i = 0; i < k; i++)
            codes[n++] = k;
    }
    const bd_column one = {.name = "many", .kind = BD_CATEGORIES, .codes = codes, .levels = labels, .n_levels = LEVELS};
    const bd_table table = {.source = "many", .n_rows = ROWS, .n_columns = 1, .columns = &one};
    json_t *json = json_of(describe(&table, BD_DESCRIPTION_DEFAULTS));
    assert_int_equal(json_array_size(table_of(json, "levels")), BD_LISTED_LEVELS);
    for (size_t i = 0; i < BD_LISTED_LEVELS; i++)
        assert_near("n", cell(json, "levels", i, "n"), (double)(LEVELS - i));
    const json_t *notes = json_object_get(json, "notes");
    assert_string_equal(json_string_value(json_array_get(notes, json_array_size(notes) - 1)),
                        "many: the 20 most frequent of 30 levels are listed.");
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_describe__the_document_has_every_table),
        cmocka_unit_test(test_describe__a_sentence_tells_what_clusters_explain),
        cmocka_unit_test(test_describe__what_was_not_asked_for_is_not_there),
        cmocka_unit_test(test_describe__the_most_frequent_of_many_levels_are_listed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
