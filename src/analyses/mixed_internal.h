/* The parts of a mixed regression that live in files of their own. */
#ifndef BORDIN_SRC_ANALYSES_MIXED_INTERNAL_H
#define BORDIN_SRC_ANALYSES_MIXED_INTERNAL_H

#include <bordin/analyses/mixed.h>

/* Fills mixed->bootstrap. */
BD_CHECKED bd_status mixed_resample(bd_mixed_analysis *mixed, const bd_mixed_model *model, bd_arena *arena);

#endif
