/* The parts of a description: each file computes one. */
#ifndef BORDIN_SRC_ANALYSES_DESCRIPTION_INTERNAL_H
#define BORDIN_SRC_ANALYSES_DESCRIPTION_INTERNAL_H

#include <math.h>

#include <bordin/analyses/description.h>

static inline bool bd_is_missing(const bd_column *column, size_t row)
{
    return column->kind == BD_NUMBERS ? isnan(column->numbers[row]) : column->codes[row] == 0;
}

/* Appends the groups of `all` by a column of numbers or of categories to `parts`, in the order of their levels. */
BD_CHECKED bd_status bd_split(const bd_column *column, const bd_part *all, bd_arena *arena, bd_part **parts,
                              size_t *n_parts);

/* The summaries of every column in every part. */
BD_CHECKED bd_status bd_describe_columns(const bd_part *parts, size_t n_parts, int n_threads, bd_arena *arena,
                                         bd_described *columns, size_t n_columns);

/* Pairwise correlations of these columns of numbers. */
BD_CHECKED bd_status bd_correlate(const bd_part *all, const bd_column *const *columns, size_t n_columns, int n_threads,
                                  bd_arena *arena, bd_description *description);

/* ICC(1) of these columns of numbers. */
BD_CHECKED bd_status bd_intraclass(const bd_part *all, const bd_column *const *columns, size_t n_columns,
                                   bd_arena *arena, bd_description *description);

/* Missing values: incomplete columns, patterns, pairs. */
BD_CHECKED bd_status bd_describe_missing(const bd_part *all, bd_arena *arena, bd_description *description);

#endif
