/* Distinct rows with their frequencies, in place of all rows. */
#ifndef BORDIN_SRC_RESAMPLING_DISTINCT_H
#define BORDIN_SRC_RESAMPLING_DISTINCT_H

#include "resampling/batch.h"

/* counts (n_units, in the order of blocks) <- how often the rows that each unit stands for are drawn in a replicate. */
void distinct_draw(const bd_units *units, uint64_t seed, size_t replicate, gsl_rng *rng, double *counts);

/* Replicates first .. end. */
BD_CHECKED bd_status distinct_run(const batch_task *task, batch_workspace *workspaces, int n_threads, size_t first,
                                  size_t end, bd_arena *arena);

#endif
