/* Codes of the used rows as groups: clusters, strata, the categories of an outcome. */
#ifndef BORDIN_SRC_DATA_GROUPS_H
#define BORDIN_SRC_DATA_GROUPS_H

#include <bordin/data/frame.h>

/* Codes k of n rows, for levels[k - 1]. */
typedef struct coded {
    const char *name;
    size_t n_rows;
    const uint32_t *codes;
    const char *const *levels;
    size_t n_levels;
} coded;

/* Levels that occur, renumbered from 0. */
BD_CHECKED bd_status groups_make(const coded *column, bd_arena *arena, const bd_groups **groups);

/* Groups of each pair that occurs, "a:b", in the order of the outer, then the inner ones. */
BD_CHECKED bd_status groups_join(const bd_groups *outer, const bd_groups *inner, size_t n_rows, bd_arena *arena,
                                 const bd_groups **joined);

/* The same as an outcome: in the order of `levels` ("none,mild,severe"; NULL: as they are). BD_EUSAGE: a level is given
 * twice. BD_EDATA: a level that is not given, or does not occur; no such reference (NULL: the first). */
BD_CHECKED bd_status groups_outcome(const coded *column, const char *levels, const char *reference, bd_arena *arena,
                                    const bd_outcome **outcome);

#endif
