/* What data a proportional-hazards model refuses, in words. */
#ifndef BORDIN_MODELS_COX_CHECK_H
#define BORDIN_MODELS_COX_CHECK_H

#include <bordin/models/cox.h>

/* Everything that can be said before rows are sorted. */
BD_CHECKED bd_status cox_check(const bd_cox_design *design, bd_cox_ties ties, bd_arena *arena);

/* "'b' is a linear combination of 'a' and 'c'": column j of the q columns (1, predictors) of a triangle. */
BD_CHECKED bd_status cox_fail_collinear(const bd_cox_design *design, const double *triangle, size_t j,
                                        bd_arena *arena);

#endif
