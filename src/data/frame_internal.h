/* A frame while it is built: what was parsed, evaluated and kept. */
#ifndef BORDIN_SRC_DATA_FRAME_INTERNAL_H
#define BORDIN_SRC_DATA_FRAME_INTERNAL_H

#include <bordin/data/frame.h>

#include "data/evaluate.h"
#include "data/terms.h"

/* Something that a row must have. */
typedef struct part {
    const node *tree;
    const char *name; /* for the count of what was missing */
    values values;
} part;

enum { MOST_PARTS = 2 * MOST_VARIABLES + 6 };

typedef struct builder {
    const bd_frame_spec *spec;
    syntax_source formula_source, where_source, offset_source, trials_source, extra_source;
    node *formula, *where, *offset, *trials;
    formula_terms terms, extra; /* the latter has no variables without spec->extra */
    evaluation evaluation;
    part parts[MOST_PARTS]; /* the variables of both terms, then response, offset, trials, weights, cluster, strata */
    size_t n_parts;
    const values *response, *offset_values, *trials_values, *weights, *cluster, *strata;
    size_t *kept; /* of the selected rows, those that are complete */
    size_t n_kept;
    bd_arena *arena;
    bd_frame *frame;
} builder;

/* What was parsed, evaluated and kept. */
BD_CHECKED bd_status frame_begin(const bd_table *table, const bd_frame_spec *spec, bd_arena *arena, builder **b);

/* Response, designs, weights and groups on the rows that were kept. */
BD_CHECKED bd_status frame_finish(builder *b);

#endif
