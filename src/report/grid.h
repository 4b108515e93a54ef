/* A table as a reader sees it: every number printed, intervals joined, empty columns gone. For text and Markdown. */
#ifndef BORDIN_SRC_REPORT_GRID_H
#define BORDIN_SRC_REPORT_GRID_H

#include "report/parts.h"

typedef struct bd_grid_column {
    const char *heading;
    bool is_text;       /* stands to the left, else to the right */
    bool is_pair;       /* two columns in one: "[low, high]" */
    const char **cells; /* n_rows, "" where empty */
    bool *on_point;     /* n_rows: a number, which stands on its decimal point */
} bd_grid_column;

typedef struct bd_grid {
    size_t n_rows, n_columns;
    bd_grid_column *columns;
} bd_grid;

/* The grid of a table, in `arena`. */
BD_CHECKED bd_status bd_grid_of(const bd_document_rows *table, bd_arena *arena, const bd_grid **grid);

/* One cell on its own, such as a line of the provenance. */
BD_CHECKED bd_status bd_grid_cell(bd_class class, const bd_cell *cell, bd_arena *arena, const char **text);

#endif
