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

/* Terms beside the formula's, on the same rows: those of a second equation, those that vary by group. */
typedef struct more_terms {
    const char *text;
    syntax_source source;
    formula_terms terms;
    size_t first; /* the part that its variables begin at */
} more_terms;

typedef struct builder {
    const bd_frame_spec *spec;
    syntax_source formula_source, where_source, offset_source, trials_source;
    node *formula, *where, *offset, *trials;
    formula_terms terms;
    more_terms *more; /* n_more: spec->extra if there is one, then those of spec->varying */
    size_t n_more, n_extra;
    evaluation evaluation;
    part *parts; /* the variables of all terms, then response, offset, trials, weights, cluster, strata, groups */
    size_t n_parts;
    const values **groups; /* of each of spec->varying, one for each column */
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
