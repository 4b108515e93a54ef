/* Memory in files: what does not fit stays on disk, and the process holds no more of it than it may. */
#ifndef BORDIN_SRC_CORE_SPILL_H
#define BORDIN_SRC_CORE_SPILL_H

#include <stddef.h>

typedef struct spill spill;

typedef struct spill_block {
    void *data; /* zeroed at first */
    size_t size;
    int file;
    struct spill_block *previous, *next;
} spill_block;

/* Files without names in `folder`; a thread that watches how much of the process is resident and, beyond `limit` bytes, lets
 * go of the blocks' pages, which come back from the file when they are touched. NULL: no memory, no folder, no thread. */
spill *spill_open(const char *folder, size_t limit);
void spill_close(spill *s); /* the blocks are freed by then */

/* NULL when there is no room in the folder, whose space is taken at once. */
spill_block *spill_alloc(spill *s, size_t size);

/* What was in it stays; data may move. 0, or -1 when there is no room: the block is as it was. */
int spill_grow(spill *s, spill_block *block, size_t size);

void spill_free(spill *s, spill_block *block);

#endif
