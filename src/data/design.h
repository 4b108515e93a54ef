/* Design columns from terms and the values of their variables. */
#ifndef BORDIN_SRC_DATA_DESIGN_H
#define BORDIN_SRC_DATA_DESIGN_H

#include <bordin/data/frame.h>

#include "data/terms.h"

/* A variable on the used rows: numbers, or codes without missing ones. */
typedef struct design_variable {
    const char *name;
    const double *numbers;
    const uint32_t *codes;     /* k for levels[k - 1] */
    const char *const *levels;
    size_t n_levels;
    const char *reference; /* the chosen level; NULL: the first that occurs */
    const bd_factor *factor; /* a coding to keep, of `levels`; NULL: from the levels that occur */
} design_variable;

/* Fills in the frame's columns, terms and factors. Categories in a term are coded against the reference where the term
 * without them is in the model, and by every level where it is not, as R does (Chambers & Hastie, 1992, ch. 2).
 * BD_EDATA: a category with a single level, or without the chosen one. */
BD_CHECKED bd_status design_build(const formula_terms *terms, const design_variable *variables, bd_arena *arena,
                                  bd_frame *frame);

#endif
