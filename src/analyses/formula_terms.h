/* The first predictor of a formula, and the rest. */
#ifndef BORDIN_SRC_ANALYSES_FORMULA_TERMS_H
#define BORDIN_SRC_ANALYSES_FORMULA_TERMS_H

#include <bordin/core/arena.h>

/* "y ~ a + b - c" to "y", "a" and "+ b - c" (NULL: no rest). BD_EUSAGE: it cannot be parsed; a first predictor that is not a
 * number of its own: 1, 0, a product, factor(). */
BD_CHECKED bd_status formula_first_term(const char *formula, bd_arena *arena, const char **response, const char **first,
                                        const char **rest);

#endif
