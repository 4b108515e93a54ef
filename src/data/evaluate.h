/* The values of an expression on the selected rows of a table. */
#ifndef BORDIN_SRC_DATA_EVALUATE_H
#define BORDIN_SRC_DATA_EVALUATE_H

#include <stdbool.h>

#include <bordin/data/csv.h>

#include "data/syntax.h"

/* Numbers, or categories, of n_rows rows; of a literal, one value. */
typedef struct expression_values {
    const double *numbers;     /* NaN where missing; NULL for categories */
    size_t step;               /* 0 for a literal */
    const uint32_t *codes;     /* 0 where missing, k for levels[k - 1] */
    const char *const *levels;
    size_t n_levels;
    const char *reference; /* the level that factor(..., ref = ) chose; NULL: the first that occurs */
    const char *text;      /* of a text literal, else NULL */
} values;

typedef struct evaluation {
    const bd_table *table;
    const size_t *rows; /* which rows; NULL: all */
    size_t n_rows;
    const syntax_source *source;
    struct evaluation *sample; /* the rows whose means center() and scale() take; NULL: these */
    const char **notes; /* what was transformed, as sentences */
    size_t n_notes, notes_room;
    bd_arena *arena;
} evaluation;

/* BD_EUSAGE: not an expression that has values. BD_EDATA: a name the table lacks, text used as a number, a result that is
 * not finite. */
BD_CHECKED bd_status evaluate(evaluation *e, const node *tree, values *out);

/* The same as categories: numbers become levels in ascending order. */
BD_CHECKED bd_status evaluate_categories(evaluation *e, const node *tree, values *out);

/* The same as numbers. `use` is what needs them, for the message: "the outcome". */
BD_CHECKED bd_status evaluate_numbers(evaluation *e, const node *tree, const char *use, values *out);

/* The row of the table that is selected as number i. */
static inline size_t table_row(const evaluation *e, size_t i)
{
    return e->rows == NULL ? i : e->rows[i];
}

/* Adds the columns that `tree` names, with the use it makes of them: wanted as numbers or anything goes before categories. */
typedef struct wanted_list {
    bd_wanted *items;
    size_t n, room;
} wanted_list;
BD_CHECKED bd_status add_wanted(const node *tree, bd_use use, bd_arena *arena, wanted_list *list);
BD_CHECKED bd_status add_wanted_name(const char *name, bd_use use, bd_arena *arena, wanted_list *list);

#endif
