/* Writers: a document as text, JSON, CSV or Markdown. A new format is one file and one row in bd_writers.
 *
 *     BD_TRY(bd_writer_find("json", &writer));
 *     BD_TRY(bd_document_write(document, writer, 0, arena, stdout));
 *
 * text      Title, tables, sentences, notes, warnings, provenance; UTF-8, wrapped at the width. A table wider than that
 *           is printed in panels, its leading text columns repeated; a single row of more than six columns as a list.
 *           Columns without any value are left out.
 * json      {"schema": 1, "kind", "title",
 *            "tables": [{"id", "title", "columns": [{"key", "heading", "class"}], "rows": [{key: value, ...}]}],
 *            "sentences": [], "notes": [], "warnings": [], "provenance": {}}
 *           Keys keep their order; numbers read back to the same bits; counts are integers; what is empty or infinite
 *           is null. "schema" rises when a name changes its meaning or goes.
 * csv       One flat RFC 4180 table in UTF-8 with LF line ends: the column "table" holds the id, then follow the keys of
 *           all tables in the order of their appearance, then "key" and "value". Beside the tables' rows there are
 *           rows of the tables "document" (kind, title), "sentences", "notes", "warnings" (value) and "provenance"
 *           (key with its groups before dots, value). Numbers have the fewest digits that read back to the same bits;
 *           what is empty or infinite is empty. In R: subset(read.csv(file), table == "effects").
 * markdown  Headings, pipe tables with numbers as in text, paragraphs; what would be markup in a name is escaped.
 *
 * Bytes that are not UTF-8 become U+FFFD; control characters become spaces in text and Markdown.
 */
#ifndef BORDIN_REPORT_WRITER_H
#define BORDIN_REPORT_WRITER_H

#include <stdio.h>

#include <bordin/report/document.h>

typedef struct bd_writer {
    const char *name;    /* as the user types it: "text", "json" */
    const char *summary; /* one line for help */
    bd_status (*write)(const bd_document *document, int width, bd_arena *scratch, FILE *stream);
} bd_writer;

extern const bd_writer *const bd_writers[]; /* text first; NULL ends the list */

/* BD_EUSAGE: no such format; the message lists them. */
BD_CHECKED bd_status bd_writer_find(const char *name, const bd_writer **writer);

/* Writes the document and flushes the stream; `width` is that of a line of text (0: 80; at least 20). The result is
 * the same in any locale. BD_EIO: the stream could not be written; the message says why. */
BD_CHECKED bd_status bd_document_write(const bd_document *document, const bd_writer *writer, int width,
                                       bd_arena *scratch, FILE *stream);

#endif
