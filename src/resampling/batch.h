/* A batch of replicates: draws of all units, sums of their moments, the statistic at each sum. */
#ifndef BORDIN_SRC_RESAMPLING_BATCH_H
#define BORDIN_SRC_RESAMPLING_BATCH_H

#include <gsl/gsl_rng.h>

#include "resampling/kernel.h"
#include "resampling/units.h"

enum { BATCH_GROUPS = 4, BATCH = BATCH_GROUPS * KERNEL_LANES };

/* What is computed, and where it goes. */
typedef struct batch_task {
    const bd_units *units;
    const bd_statistic *statistic;
    const kernel *kernel;
    uint64_t seed;
    size_t n_replicates;
    const double *estimates; /* n_values, of the full sample */
    double *values, *errors; /* n_values x n_replicates; errors may be NULL */
    uint8_t *ends;           /* n_replicates */
} batch_task;

/* Some replicates in the making. */
typedef struct batch {
    size_t first, n;
    double *sums;       /* BATCH_GROUPS x n_moments x KERNEL_LANES */
    uint8_t *times;     /* units of the first stage x BATCH: how often each is drawn; NULL: there is one stage */
    size_t left[BATCH]; /* draws not yet given to a block of the stratum, by replicate */
} batch;

/* What one thread works with. */
typedef struct batch_workspace {
    gsl_rng *rng;
    double *columns; /* (q + 1) x KERNEL_UNITS, for units_form */
    double *small;   /* q x q products, then 2 q^2 */
    double *values;  /* n_values, then as many errors */
    uint8_t *counts; /* KERNEL_COUNTS x KERNEL_LANES */
    double *weights, *of_units, *scratch; /* from weights: of rows, of units, what the statistic needs */
} batch_workspace;

BD_CHECKED bd_status batch_workspaces(const batch_task *task, size_t n, bd_arena *arena, batch_workspace **workspaces);

/* Memory for a batch, and how many bytes it takes. */
BD_CHECKED bd_status batch_new(const batch_task *task, bd_arena *arena, batch *new);
size_t batch_size(const batch_task *task);

/* In this order: begin; walk all blocks, in their order, in one or several calls; finish. `moments`: those of the blocks
 * from .. to, each n_moments x KERNEL_UNITS; NULL: the units keep them. */
void batch_begin(const batch_task *task, batch_workspace *work, batch *b);
void batch_walk(const batch_task *task, batch_workspace *work, batch *b, size_t from, size_t to, const double *moments);
void batch_finish(const batch_task *task, batch_workspace *work, const batch *b);

/* weights (one for each row) <- how often each row is drawn in a replicate. `b` is a batch to work with. */
void batch_draw_weights(const batch_task *task, batch_workspace *work, batch *b, size_t replicate, double *weights);

/* counts (n_units, by row or cluster) <- how often each unit is drawn in a replicate. */
void batch_draw_counts(const batch_task *task, batch_workspace *work, batch *b, size_t replicate, uint32_t *counts);

/* Keeps what came of a replicate: work->values, and the errors behind them. */
void batch_keep(const batch_task *task, const batch_workspace *work, size_t replicate, bd_replicate_end end);

/* n_ended <- how often each end occurs. BD_ENUMERIC: too many failed. */
BD_CHECKED bd_status count_replicates(bd_replicates *replicates, double max_failed, bd_arena *arena);

/* The best kernel of this processor. */
const kernel *batch_kernel(void);

#endif
