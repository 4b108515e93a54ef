/* Units in blocks, ready for the kernel. */
#ifndef BORDIN_SRC_RESAMPLING_UNITS_H
#define BORDIN_SRC_RESAMPLING_UNITS_H

#include <bordin/resampling/resample.h>

/* Units `first` .. `first` + n, in the order of strata. */
typedef struct unit_block {
    size_t first, n;
} unit_block;

/* Its blocks, and how many units are in them. */
typedef struct unit_stratum {
    size_t first_block, n_blocks, n_units;
} unit_stratum;

struct bd_units {
    size_t n_alone; /* units that are all of their stratum */
    size_t n_units, q, n_moments; /* products of two columns, upper half by rows, padded with zeros for the kernel */
    const size_t *order;          /* n_units: which row or cluster is a unit; NULL: as they come */
    const unit_block *blocks;
    size_t n_blocks;
    const unit_stratum *strata;
    size_t n_strata;
    const bd_columns *columns; /* of rows whose moments are formed when they are needed; else NULL */
    const double *rotation;    /* q x q upper triangular: moments are those of rotation^-T c */
    const double *full;        /* q x q moments of the full sample: the identity, but for a column that others explain */
    const bd_units *first_stage; /* whose units are the strata here: how often each is drawn says how many draws it gets;
                                    NULL: one stage */
    const double *frequencies; /* n_units, in the order of blocks: how many rows each stands for; NULL: one */
    size_t n_counted;          /* their sum */
    const uint32_t *clusters;  /* the unit of each row; NULL: rows are units */
    const double *moments;     /* of every block: n_moments x its n; NULL: see columns */
};

/* Distinct rows: the first of each kind, and how many there are. */
typedef struct unit_kinds {
    size_t n;
    const size_t *rows;
    const double *frequencies;
} unit_kinds;
BD_CHECKED bd_status units_of_kinds(const bd_columns *columns, const bd_membership *strata, const double *triangle,
                                    const unit_kinds *kinds, int n_threads, bd_arena *arena, const bd_units **units);

/* The row or cluster that is the unit at a place. */
static inline size_t units_at(const bd_units *units, size_t place)
{
    return units->order == NULL ? place : units->order[place];
}

/* The moments of a block, stride apart: those that are kept, or formed in `scratch` (units_scratch doubles). */
const double *units_moments(const bd_units *units, size_t block, double *scratch, size_t *stride);
size_t units_scratch(const bd_units *units);

/* moments (n_moments x KERNEL_UNITS; its padding is left alone) <- those of a block that are not kept. `scratch`:
 * (q + 1) x KERNEL_UNITS. */
void units_form(const bd_units *units, size_t block, double *scratch, double *moments);

#endif
