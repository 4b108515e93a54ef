/* Finished replicates in a file, from which a run goes on. */
#ifndef BORDIN_SRC_RESAMPLING_CHECKPOINT_H
#define BORDIN_SRC_RESAMPLING_CHECKPOINT_H

#include "resampling/batch.h"

/* The file, and the lines that say whose replicates are in it. */
typedef struct checkpoint {
    const char *path, *identity;
} checkpoint;

/* Of everything that a replicate depends on, beside the seed and the statistic. */
uint32_t checksum_of_run(const batch_task *task);

/* The identity covers version, seed, design, names of the values, and every number that the replicates depend on. */
BD_CHECKED bd_status checkpoint_of(const char *path, const batch_task *task, bd_arena *arena, checkpoint *out);

/* Takes over as many replicates as are in the file and asked for: *n_done; 0 when there is no file.
 * BD_EDATA: the file is damaged, or not of this run. BD_EIO: cannot be read. */
BD_CHECKED bd_status checkpoint_load(const checkpoint *file, const batch_task *task, bd_arena *arena, size_t *n_done);

/* Writes the first n_done replicates beside the file, flushes them to the disk, and renames: whoever looks finds a whole
 * file, the old or the new. BD_EIO. */
BD_CHECKED bd_status checkpoint_save(const checkpoint *file, const batch_task *task, size_t n_done);

#endif
