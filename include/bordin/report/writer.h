/* Writers: a document as text, JSON, CSV or Markdown. A new format is one file and one row in bd_writers. */
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

/* Writes the document; `width` is that of a line of text (0: 80). BD_EIO: the stream could not be written. */
BD_CHECKED bd_status bd_document_write(const bd_document *document, const bd_writer *writer, int width,
                                       bd_arena *scratch, FILE *stream);

#endif
