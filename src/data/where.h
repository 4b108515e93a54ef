/* The rows of a table for which a condition is true. */
#ifndef BORDIN_SRC_DATA_WHERE_H
#define BORDIN_SRC_DATA_WHERE_H

#include "data/evaluate.h"

/* Ascending. BD_EUSAGE, BD_EDATA: as bd_where_rows. */
BD_CHECKED bd_status where_select(const bd_table *table, const syntax_source *source, const node *where,
                                  bd_arena *arena, const size_t **rows, size_t *n_rows);

#endif
