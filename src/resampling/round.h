/* A round: many batches in one pass over the units. */
#ifndef BORDIN_SRC_RESAMPLING_ROUND_H
#define BORDIN_SRC_RESAMPLING_ROUND_H

#include "resampling/batch.h"

/* How many replicates a round may have, to keep its memory small. */
size_t round_most(const batch_task *task, int n_threads);

/* Replicates first .. end. */
BD_CHECKED bd_status round_run(const batch_task *task, batch_workspace *workspaces, int n_threads, size_t first,
                               size_t end, bd_arena *arena);

#endif
