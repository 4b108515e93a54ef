/* Markdown, to the character. */
#include "report/sample.h"

static void test_markdown__the_sample_has_pipe_tables(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    expect(sample(arena), "markdown", 0, arena,
           "# Mediation: treat -> job_seek -> depress2\n"
           "\n"
           "## Effects on depress2\n"
           "\n"
           "| Effect | Estimate | SE | 95 % CI | MC SE | p |\n"
           "| :--- | ---: | ---: | ---: | ---: | ---: |\n"
           "| total | -0.0498 | 0.0435 | [-0.1351, 0.0355] | | .253 |\n"
           "| indirect | -0.0137 | | [-0.0308, -0.0003] | 0.00031, 0.00022 | < .001 |\n"
           "\n"
           "Of the total effect, 28 % runs through job_seek.\n"
           "\n"
           "*Note.* Percentile intervals.\n"
           "\n"
           "**Warning:** The total effect is near zero.\n"
           "\n"
           "## Provenance\n"
           "\n"
           "| | |\n"
           "| :--- | :--- |\n"
           "| Seed | 1 |\n"
           "| Rows read | 899 |\n"
           "| Rows without job.seek | 3 |\n");
    bd_arena_free(arena);
}

static void test_markdown__what_would_be_markup_is_escaped(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    bd_document *document = NULL;
    SUCCEEDS(bd_document_new(arena, "test", "y ~ a*b | c", &document));
    const char *const said[] = {"_x_ and job_seek, ~z~, a < b, <b>, `q`, R&D, &amp;, [a](b), $n$, \\",
                                "# no heading", "- no list", "1. no list", "1.5 stays", "two\nlines"};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        SUCCEEDS(bd_document_say(document, BD_SENTENCE, "%s", said[i]));
    expect(document, "markdown", 0, arena,
           "# y ~ a\\*b \\| c\n"
           "\n"
           "\\_x\\_ and job_seek, \\~z\\~, a < b, \\<b>, \\`q\\`, R\\&D, \\&amp;, [a\\](b), \\$n\\$, \\\\\n"
           "\n"
           "\\# no heading\n"
           "\n"
           "\\- no list\n"
           "\n"
           "1\\. no list\n"
           "\n"
           "1.5 stays\n"
           "\n"
           "two lines\n");
    bd_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_markdown__the_sample_has_pipe_tables),
        cmocka_unit_test(test_markdown__what_would_be_markup_is_escaped),
    };
    return cmocka_run_group_tests_name("markdown_writer", tests, NULL, NULL);
}
