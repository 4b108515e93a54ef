/* Statistics from weighted rows: replicates, and leaving out. */
#ifndef BORDIN_SRC_RESAMPLING_WEIGHTED_H
#define BORDIN_SRC_RESAMPLING_WEIGHTED_H

#include "resampling/batch.h"

/* Replicates first .. end. */
BD_CHECKED bd_status weighted_run(const batch_task *task, batch_workspace *workspaces, int n_threads, size_t first,
                                  size_t end, bd_arena *arena);

/* What leaving out units tells of each value, NaN where the statistic cannot do without some of them. Of more than
 * WEIGHTED_GROUPS units so many groups are left out in turn. */
enum { WEIGHTED_GROUPS = 1000 };
BD_CHECKED bd_status weighted_jackknife(const bd_units *units, const bd_statistic *statistic, int n_threads,
                                        bd_arena *arena, double **errors, double **accelerations);

#endif
