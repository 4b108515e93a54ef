/* A batch of replicates: draws of all units, sums of their moments, the statistic at each sum. */
#ifndef BORDIN_SRC_RESAMPLING_BATCH_H
#define BORDIN_SRC_RESAMPLING_BATCH_H

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
    double *values, *errors; /* n_values x n_replicates; errors may be NULL */
    uint8_t *ends;           /* n_replicates */
} batch_task;

/* What one thread works with. */
typedef struct batch_workspace batch_workspace;

BD_CHECKED bd_status batch_workspaces(const batch_task *task, size_t n, bd_arena *arena, batch_workspace **workspaces);

/* Replicates `first` up to `end`, at most BATCH of them, in workspaces[thread]. */
void batch_run(const batch_task *task, batch_workspace *workspaces, size_t thread, size_t first, size_t end);

/* The best kernel of this processor. */
const kernel *batch_kernel(void);

#endif
