/* Tables and lists in plain text. */
#ifndef BORDIN_SRC_REPORT_TEXT_TABLE_H
#define BORDIN_SRC_REPORT_TEXT_TABLE_H

#include "report/parts.h"

/* Writes a table under its title, in panels when it is wider than `width`, as a list when it is one long row. */
BD_CHECKED bd_status bd_text_table_write(const bd_document_rows *table, size_t width, bd_arena *scratch, FILE *stream);

typedef struct bd_text_entry {
    const char *heading, *value;
} bd_text_entry;

/* Writes "  heading   value", one per line, values in one column. */
void bd_text_list_write(const bd_text_entry *entries, size_t n, size_t width, FILE *stream);

#endif
