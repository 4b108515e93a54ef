/* What a document is made of: for the writers. */
#ifndef BORDIN_SRC_REPORT_PARTS_H
#define BORDIN_SRC_REPORT_PARTS_H

#include <bordin/report/document.h>
#include <bordin/report/writer.h>

struct bd_document_rows {
    bd_arena *arena;
    const char *id, *title;
    const bd_heading *headings;
    size_t n_headings;
    bd_cell **rows; /* n_rows, each of n_headings */
    size_t n_rows, capacity;
    bool unprinted;
};

typedef struct bd_said {
    bd_saying saying;
    const char *text;
} bd_said;

typedef struct bd_fact {
    const char *const *path; /* n_path: groups, then the name */
    size_t n_path;
    const char *heading;
    bd_class class;
    bd_cell cell;
} bd_fact;

struct bd_document {
    bd_arena *arena;
    const char *kind, *title;
    bd_document_rows **tables;
    size_t n_tables, tables_capacity;
    bd_said *said;
    size_t n_said, said_capacity;
    bd_fact *facts;
    size_t n_facts, facts_capacity;
};

extern const bd_writer bd_text_writer, bd_json_writer, bd_csv_writer, bd_markdown_writer;

#endif
