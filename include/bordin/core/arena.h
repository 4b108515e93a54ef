/* Memory with one owner: what a call returns lives in the caller's arena and goes with it.
 *
 *     bd_arena *arena = bd_arena_new();
 *     bd_fit *fit;
 *     BD_NEW(arena, fit, 1);                          in a function that returns bd_status
 *     const bd_mark scratch = bd_arena_mark(arena);
 *     BD_NEW(arena, work, n);
 *     bd_arena_rewind(arena, scratch);                work is gone, fit is not
 *     bd_arena_free(arena);
 *
 * An arena is used by one thread at a time. Memory is zeroed. What is large may live in files, for data that do not fit:
 * see bd_arena_spill.
 */
#ifndef BORDIN_CORE_ARENA_H
#define BORDIN_CORE_ARENA_H

#include <bordin/core/status.h>

typedef struct bd_arena bd_arena;

typedef struct bd_mark {
    void *chunk;
    size_t used;
    void *deferred;
} bd_mark;

/* NULL when there is no memory. */
BD_CHECKED bd_arena *bd_arena_new(void);

/* Runs what was deferred, last first, and frees everything. NULL is allowed. */
void bd_arena_free(bd_arena *arena);

/* `n` zeroed items of `size` bytes, aligned to 64; NULL when there is no memory or n * size overflows. */
BD_CHECKED void *bd_arena_alloc(bd_arena *arena, size_t n, size_t size);

/* From now on what is large lives in unnamed files in `folder`, whose space is taken at once, and the process keeps about
 * `limit` bytes resident: nothing else changes, results least of all. BD_EIO: the folder cannot be used. */
BD_CHECKED bd_status bd_arena_spill(bd_arena *arena, const char *folder, size_t limit);

/* A block of its own that grows in place where it can. */
typedef struct bd_block {
    void *data; /* NULL at first */
    size_t size;
} bd_block;

BD_CHECKED bd_status bd_arena_block(bd_arena *arena, bd_block **block);

/* What was in it stays, what is added is not zeroed. BD_ENOMEM: it is as it was. */
BD_CHECKED bd_status bd_block_resize(bd_block *block, size_t size);

/* Why memory was refused: the memory, or the folder of bd_arena_spill. */
const char *bd_arena_complaint(const bd_arena *arena);

bd_mark bd_arena_mark(const bd_arena *arena);

/* Frees what was allocated, and runs what was deferred, since `mark`. */
void bd_arena_rewind(bd_arena *arena, bd_mark mark);

/* Calls close(object) when the arena is freed or rewound past this point; at once if it cannot be noted. */
BD_CHECKED bd_status bd_arena_defer(bd_arena *arena, void (*close)(void *object), void *object);

/* Formatted text in the arena. */
BD_CHECKED bd_status bd_print(bd_arena *arena, const char **text, const char *format, ...) BD_PRINTF(3, 4);

/* A copy of the first `length` bytes of `text`, terminated. */
BD_CHECKED bd_status bd_copy_text(bd_arena *arena, const char *text, size_t length, const char **copy);

/* Room for one more item in a growing array: items[n] may be written when this returns BD_OK. */
BD_CHECKED bd_status bd_arena_grow(bd_arena *arena, void **items, size_t n, size_t *capacity, size_t size);

#define BD_NEW(arena, pointer, n)                                              \
    do {                                                                       \
        (pointer) = bd_arena_alloc((arena), (size_t)(n), sizeof *(pointer));   \
        if ((pointer) == NULL)                                                 \
            return bd_fail(BD_ENOMEM, "%s", bd_arena_complaint(arena));        \
    } while (0)

/* Appends `item` to the array `items` of `n` items with room for `capacity`. */
#define BD_PUSH(arena, items, n, capacity, item)                                                \
    do {                                                                                        \
        void *bd_items_ = (void *)(items);                                                      \
        BD_TRY(bd_arena_grow((arena), &bd_items_, (n), &(capacity), sizeof *(items)));          \
        (items) = bd_items_;                                                                    \
        (items)[(n)++] = (item);                                                                \
    } while (0)

#endif
