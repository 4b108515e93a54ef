/* A document: what an analysis has to say, as data. Numbers are doubles with a class; a writer turns them into text,
 * JSON, CSV or Markdown, so that every format holds the same content.
 *
 *     BD_TRY(bd_document_new(arena, "mediate", "Mediation: treat -> job_seek -> depress2", &document));
 *     BD_TRY(bd_document_table(document, "effects", "Effects", columns, n_columns, &table));
 *     BD_TRY(bd_document_row(table, &cells));
 *     cells[0] = bd_text("indirect");
 *     cells[1] = bd_number(-0.0152);
 *     BD_TRY(bd_document_say(document, BD_SENTENCE, "Of the total effect ..."));
 *     BD_TRY(bd_document_fact(document, "seed", "Seed", BD_COUNT, bd_number(1)));
 */
#ifndef BORDIN_REPORT_DOCUMENT_H
#define BORDIN_REPORT_DOCUMENT_H

#include <stdbool.h>

#include <bordin/core/arena.h>

/* What a number is, from which a writer knows how to print it. */
typedef enum bd_class {
    BD_TEXT,
    BD_ESTIMATE, /* in the units of the data: as many decimals as its column needs to show three digits of the smallest SE */
    BD_BOUNDED,  /* |x| <= 1, such as r, R2: no leading zero */
    BD_STATISTIC, /* t, z, F: two decimals */
    BD_P_VALUE,  /* three decimals, no leading zero, or "< .001" */
    BD_COUNT,    /* whole */
    BD_DF,       /* whole, or one decimal */
    BD_PERCENT,  /* a share, printed times 100 */
    BD_MC_ERROR, /* what another seed would move a number by: two digits, with decimals of its own */
} bd_class;

/* A text is not copied: it must live as long as the document (constants, names of a table, bd_print in its arena). */
typedef struct bd_cell {
    bool present;     /* false: an empty cell; null in JSON */
    const char *text; /* or NULL for a number */
    double number;    /* NaN is empty everywhere; an infinity is printed in text, and null in JSON */
} bd_cell;

static inline bd_cell bd_text(const char *text)
{
    return (bd_cell){.present = text != NULL, .text = text};
}

static inline bd_cell bd_number(double number)
{
    return (bd_cell){.present = number == number, .number = number};
}

/* A column. Two neighbours of one class whose keys are X_low and X_high are printed as one, "[low, high]", under the
 * heading of the first (or "[a, b]" when both have one and they differ); in JSON and CSV they stay two. Estimates of a
 * table share their decimals: three digits of the smallest standard error (a key "se" or "sd", or one that ends in
 * "_se" or "_sd"), or of the largest number of a row without one; row by row where rows differ by magnitudes. */
typedef struct bd_heading {
    const char *key;     /* stable name in JSON and CSV */
    const char *heading; /* in print */
    bd_class class;
} bd_heading;

/* What a sentence is for. */
typedef enum bd_saying {
    BD_SENTENCE, /* the result in words */
    BD_NOTE,     /* what was done: coding, transformations, defaults */
    BD_WARNING,  /* what the reader must not overlook */
} bd_saying;

typedef struct bd_document bd_document;
typedef struct bd_document_rows bd_document_rows;

/* An empty document in `arena`; `kind` is the command's name. */
BD_CHECKED bd_status bd_document_new(bd_arena *arena, const char *kind, const char *title, bd_document **document);

/* A table, in the order of the calls. `id` and the keys are stable names; headings are copied. A table with one row may
 * be printed as a list. BD_EUSAGE: two tables with one id, two columns with one key. */
BD_CHECKED bd_status bd_document_table(bd_document *document, const char *id, const char *title,
                                       const bd_heading *headings, size_t n_headings, bd_document_rows **rows);

/* Keeps a table out of print, for numbers that a figure would show: text and Markdown leave it out, JSON and CSV have it. */
void bd_document_unprinted(bd_document_rows *rows);

/* A new row of empty cells, one per heading, to be filled. */
BD_CHECKED bd_status bd_document_row(bd_document_rows *rows, bd_cell **cells);

/* A number and what it is called. */
typedef struct bd_value {
    bd_heading heading;
    double value;
} bd_value;

/* A table of one row. `known_only`: numbers that are NaN are left out, columns and all. */
BD_CHECKED bd_status bd_document_list(bd_document *document, const char *id, const char *title, const bd_value *values,
                                      size_t n, bool known_only);

/* A sentence; in JSON they stand in the lists "sentences", "notes" and "warnings". For numbers in it see number.h. */
BD_CHECKED bd_status bd_document_say(bd_document *document, bd_saying saying, const char *format, ...) BD_PRINTF(3, 4);

/* A line of the provenance. `key` may have dots: "rows.dropped" nests in JSON. A text is copied.
 * BD_EUSAGE: a key is given twice, or is also a group of others ("rows" beside "rows.read"). */
BD_CHECKED bd_status bd_document_fact(bd_document *document, const char *key, const char *heading, bd_class class,
                                      bd_cell cell);

/* The same for a name out of the data, whose dots are its own: group "rows.dropped", name "job.seek". */
BD_CHECKED bd_status bd_document_fact_in(bd_document *document, const char *group, const char *name,
                                         const char *heading, bd_class class, bd_cell cell);

#endif
