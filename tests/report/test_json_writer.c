/* JSON: what is written, and that it reads back to the same bits. */
#include <float.h>
#include <math.h>

#include <jansson.h>

#include "report/sample.h"

static json_t *read_back(const bd_document *document, bd_arena *arena)
{
    char *text = transcript(document, "json", 0, arena);
    json_error_t error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        fail_msg("line %d: %s", error.line, error.text);
    free(text);
    return root;
}

static json_t *row_of(json_t *root, size_t table, size_t row)
{
    json_t *rows = json_object_get(json_array_get(json_object_get(root, "tables"), table), "rows");
    return json_array_get(rows, row);
}

static void test_json__the_sample_is_written_in_order(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    char *text = transcript(sample(arena), "json", 0, arena);
    const char *const start = "{\n"
                              "  \"schema\": 1,\n"
                              "  \"kind\": \"mediate\",\n"
                              "  \"title\": \"Mediation: treat -> job_seek -> depress2\",\n"
                              "  \"tables\": [\n"
                              "    {\n"
                              "      \"id\": \"effects\",\n"
                              "      \"title\": \"Effects on depress2\",\n"
                              "      \"columns\": [\n"
                              "        {\n"
                              "          \"key\": \"term\",\n"
                              "          \"heading\": \"Effect\",\n"
                              "          \"class\": \"text\"\n"
                              "        },\n";
    assert_memory_equal(text, start, strlen(start));
    const char *const end = "      \"rows\": [\n"
                            "        {\n"
                            "          \"term\": \"total\",\n"
                            "          \"estimate\": -0.049799999999999997,\n"
                            "          \"se\": 0.043499999999999997,\n"
                            "          \"ci_low\": -0.1351,\n"
                            "          \"ci_high\": 0.035499999999999997,\n"
                            "          \"mc_se_low\": null,\n"
                            "          \"mc_se_high\": null,\n"
                            "          \"p\": 0.2525\n"
                            "        },\n"
                            "        {\n"
                            "          \"term\": \"indirect\",\n"
                            "          \"estimate\": -0.013729999999999999,\n"
                            "          \"se\": null,\n"
                            "          \"ci_low\": -0.030800000000000001,\n"
                            "          \"ci_high\": -0.00029999999999999997,\n"
                            "          \"mc_se_low\": 0.00031,\n"
                            "          \"mc_se_high\": 0.00022000000000000001,\n"
                            "          \"p\": 0.00040000000000000002\n"
                            "        }\n"
                            "      ]\n"
                            "    }\n"
                            "  ],\n"
                            "  \"sentences\": [\n"
                            "    \"Of the total effect, 28 % runs through job_seek.\"\n"
                            "  ],\n"
                            "  \"notes\": [\n"
                            "    \"Percentile intervals.\"\n"
                            "  ],\n"
                            "  \"warnings\": [\n"
                            "    \"The total effect is near zero.\"\n"
                            "  ],\n"
                            "  \"provenance\": {\n"
                            "    \"seed\": 1,\n"
                            "    \"rows\": {\n"
                            "      \"read\": 899,\n"
                            "      \"dropped\": {\n"
                            "        \"job.seek\": 3\n"
                            "      }\n"
                            "    }\n"
                            "  }\n"
                            "}\n";
    assert_true(strlen(text) > strlen(end));
    assert_string_equal(text + strlen(text) - strlen(end), end);
    free(text);
    bd_arena_free(arena);
}

static void test_json__numbers_read_back_to_the_same_bits(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    bd_document *document = NULL;
    SUCCEEDS(bd_document_new(arena, "test", "", &document));
    const double values[] = {0.1, 1.0 / 3, DBL_MIN, DBL_MAX, -DBL_MAX, DBL_TRUE_MIN, 1e22, -0.0, 123456789.123456789};
    enum { N = sizeof values / sizeof *values };
    const char *terms[N];
    for (size_t i = 0; i < N; i++)
        terms[i] = "x";
    add_values(document, "t", BD_ESTIMATE, terms, values, N);
    json_t *root = read_back(document, arena);
    for (size_t i = 0; i < N; i++) {
        const double back = json_real_value(json_object_get(row_of(root, 0, i), "value"));
        assert_memory_equal(&back, &values[i], sizeof back);
    }
    json_decref(root);
    bd_arena_free(arena);
}

static void test_json__counts_are_integers_and_what_is_no_number_is_null(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    bd_document *document = NULL;
    SUCCEEDS(bd_document_new(arena, "test", "", &document));
    const char *const terms[] = {"whole", "largest", "half", "beyond", "nan", "inf", "-inf"};
    const double values[] = {899, 9007199254740992.0, 12.5, 1e300, NAN, INFINITY, -INFINITY};
    add_values(document, "t", BD_COUNT, terms, values, 7);
    json_t *root = read_back(document, arena);
    assert_int_equal(json_integer_value(json_object_get(row_of(root, 0, 0), "value")), 899);
    assert_int_equal(json_integer_value(json_object_get(row_of(root, 0, 1), "value")), 9007199254740992);
    assert_true(json_real_value(json_object_get(row_of(root, 0, 2), "value")) == 12.5);
    assert_true(json_real_value(json_object_get(row_of(root, 0, 3), "value")) == 1e300);
    for (size_t i = 4; i < 7; i++)
        assert_true(json_is_null(json_object_get(row_of(root, 0, i), "value")));
    json_decref(root);
    bd_arena_free(arena);
}

static void test_json__texts_are_escaped_and_broken_bytes_replaced(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    bd_document *document = NULL;
    SUCCEEDS(bd_document_new(arena, "test", "a \"b\" \\ \n\x01 \xFF 治療", &document));
    SUCCEEDS(bd_document_fact_in(document, "drop\xFFped", "na\xC3\xAFve \xC3", "", BD_COUNT, bd_number(1)));
    SUCCEEDS(bd_document_fact_in(document, "drop\xFFped", "b", "", BD_COUNT, bd_number(2)));
    json_t *root = read_back(document, arena);
    assert_string_equal(json_string_value(json_object_get(root, "title")), "a \"b\" \\ \n\x01 \xEF\xBF\xBD 治療");
    json_t *dropped = json_object_get(json_object_get(root, "provenance"), "drop\xEF\xBF\xBDped");
    assert_int_equal(json_integer_value(json_object_get(dropped, "na\xC3\xAFve \xEF\xBF\xBD")), 1);
    assert_int_equal(json_integer_value(json_object_get(dropped, "b")), 2);
    json_decref(root);
    bd_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json__the_sample_is_written_in_order),
        cmocka_unit_test(test_json__numbers_read_back_to_the_same_bits),
        cmocka_unit_test(test_json__counts_are_integers_and_what_is_no_number_is_null),
        cmocka_unit_test(test_json__texts_are_escaped_and_broken_bytes_replaced),
    };
    return cmocka_run_group_tests_name("json_writer", tests, NULL, NULL);
}
