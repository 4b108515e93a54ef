/* A small document with something of everything, and its transcript in a format. */
#ifndef BORDIN_TESTS_REPORT_SAMPLE_H
#define BORDIN_TESTS_REPORT_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/report/writer.h>

#define SUCCEEDS(call) assert_int_equal((call), BD_OK)

/* What a writer makes of the document; to be freed. */
__attribute__((noinline, unused)) static char *transcript(const bd_document *document, const char *format, int width, bd_arena *arena)
{
    char *text = NULL;
    size_t size = 0;
    const bd_writer *writer = NULL;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    SUCCEEDS(bd_writer_find(format, &writer));
    SUCCEEDS(bd_document_write(document, writer, width, arena, stream));
    fclose(stream);
    return text;
}

static inline void expect(const bd_document *document, const char *format, int width, bd_arena *arena, const char *expected)
{
    char *text = transcript(document, format, width, arena);
    assert_string_equal(text, expected);
    free(text);
}

/* A table `id` with one text column "term" and one number column "value" of a class: n terms and values. */
static inline void add_values(bd_document *document, const char *id, bd_class class, const char *const *terms,
                              const double *values, size_t n)
{
    const bd_heading headings[] = {{"term", "Term", BD_TEXT}, {"value", "Value", class}};
    bd_document_rows *rows = NULL;
    bd_cell *cells = NULL;
    SUCCEEDS(bd_document_table(document, id, "", headings, 2, &rows));
    for (size_t i = 0; i < n; i++) {
        SUCCEEDS(bd_document_row(rows, &cells));
        cells[0] = bd_text(terms[i]);
        cells[1] = bd_number(values[i]);
    }
}

static inline bd_document *sample(bd_arena *arena)
{
    bd_document *document = NULL;
    bd_document_rows *rows = NULL;
    bd_cell *cells = NULL;
    const bd_heading headings[] = {
        {"term", "Effect", BD_TEXT},          {"estimate", "Estimate", BD_ESTIMATE}, {"se", "SE", BD_ESTIMATE},
        {"ci_low", "95 % CI", BD_ESTIMATE},   {"ci_high", "95 % CI", BD_ESTIMATE},   {"mc_se_low", "MC SE", BD_MC_ERROR},
        {"mc_se_high", "MC SE", BD_MC_ERROR}, {"p", "p", BD_P_VALUE},
    };
    SUCCEEDS(bd_document_new(arena, "mediate", "Mediation: treat -> job_seek -> depress2", &document));
    SUCCEEDS(bd_document_table(document, "effects", "Effects on depress2", headings, 8, &rows));
    SUCCEEDS(bd_document_row(rows, &cells));
    cells[0] = bd_text("total");
    cells[1] = bd_number(-0.0498);
    cells[2] = bd_number(0.0435);
    cells[3] = bd_number(-0.1351);
    cells[4] = bd_number(0.0355);
    cells[7] = bd_number(0.2525);
    SUCCEEDS(bd_document_row(rows, &cells));
    cells[0] = bd_text("indirect");
    cells[1] = bd_number(-0.01373);
    cells[3] = bd_number(-0.0308);
    cells[4] = bd_number(-0.0003);
    cells[5] = bd_number(0.00031);
    cells[6] = bd_number(0.00022);
    cells[7] = bd_number(0.0004);
    SUCCEEDS(bd_document_say(document, BD_SENTENCE, "Of the total effect, %d %% runs through job_seek.", 28));
    SUCCEEDS(bd_document_say(document, BD_NOTE, "Percentile intervals."));
    SUCCEEDS(bd_document_say(document, BD_WARNING, "The total effect is near zero."));
    SUCCEEDS(bd_document_fact(document, "seed", "Seed", BD_COUNT, bd_number(1)));
    SUCCEEDS(bd_document_fact(document, "rows.read", "Rows read", BD_COUNT, bd_number(899)));
    SUCCEEDS(bd_document_fact_in(document, "rows.dropped", "job.seek", "Rows without job.seek", BD_COUNT, bd_number(3)));
    return document;
}

#endif
