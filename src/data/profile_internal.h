/* What a profile can give a value to. */
#ifndef BORDIN_SRC_DATA_PROFILE_INTERNAL_H
#define BORDIN_SRC_DATA_PROFILE_INTERNAL_H

#include <bordin/data/profile.h>

#include "data/frame_internal.h"

/* A column that predictors are functions of, or a predictor that is made of other rows. */
typedef struct slot {
    const char *name;
    const bd_column *column; /* NULL: the predictor */
    const bd_factor *factor; /* its coding in the frame, where it has one */
    double mean, low, high;  /* of numbers in the used rows */
    size_t n_given;          /* profiles that name it */
    double *numbers;         /* by profile: one of the two */
    uint32_t *codes;         /* k for column->levels[k - 1] */
} slot;

/* Variables of the formula's terms from `first_term` on, then of the second equation. */
typedef struct profile_variables {
    size_t n; /* of both */
    const node *trees[2 * MOST_VARIABLES];
    const char *names[2 * MOST_VARIABLES];
    bool used[2 * MOST_VARIABLES];
} profile_variables;

typedef struct profile_slots {
    slot *items;
    size_t n, room;
} profile_slots;

/* NULL: there is none of that name. */
const bd_factor *factor_of(const bd_frame *frame, const char *name);

slot *slot_of(const profile_slots *slots, const char *name);

/* Every slot, at its mean or reference in each of n profiles. */
BD_CHECKED bd_status slots_make(const builder *b, const bd_frame *frame, const profile_variables *variables, size_t n,
                                profile_slots *slots);

/* The slot's value in profile i. BD_EUSAGE: not a number. BD_EDATA: not a level. */
BD_CHECKED bd_status slot_give(slot *slot, const char *value, size_t i, bd_arena *arena);

/* Fails with the levels that there are. */
bd_status unknown_profile_level(const char *name, const char *value, const char *const *levels, size_t n_levels,
                                bd_arena *arena);

#endif
