/* An arena of chunks: small requests share one, large ones get their own. */
#include <bordin/core/arena.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/spill.h"

enum { ALIGNMENT = 64, SHARED_CHUNK = 64 * 1024, LARGE = 16 * 1024, SPILLED = 6 << 20 };

typedef struct chunk {
    struct chunk *previous;
    size_t used, size; /* of the bytes after the header */
    spill_block *spilled; /* what it lives in; NULL: memory */
} chunk;

typedef struct deferred {
    struct deferred *previous;
    void (*close)(void *object);
    void *object;
} deferred;

struct bd_arena {
    chunk *last;
    deferred *deferred;
    spill *spill; /* NULL: everything is in memory */
    bool no_room; /* in its folder */
};

/* What a bd_block is in truth. */
typedef struct own_block {
    bd_block block;
    bd_arena *arena;
    spill_block *spilled; /* NULL: memory */
} own_block;

static unsigned char *chunk_bytes(chunk *c)
{
    const uintptr_t after = (uintptr_t)(c + 1);
    return (unsigned char *)c + (((after + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1)) - (uintptr_t)c);
}

static bool push_chunk(bd_arena *arena, size_t size)
{
    if (size > SIZE_MAX - sizeof(chunk) - ALIGNMENT)
        return false;
    const size_t whole = sizeof(chunk) + ALIGNMENT + size;
    spill_block *spilled = NULL;
    if (arena->spill != NULL && size >= SPILLED) {
        spilled = spill_alloc(arena->spill, whole);
        arena->no_room |= spilled == NULL;
        if (spilled == NULL)
            return false;
    }
    chunk *c = spilled != NULL ? spilled->data : calloc(1, whole);
    if (c == NULL)
        return false;
    c->spilled = spilled;
    c->previous = arena->last;
    c->size = size;
    arena->last = c;
    return true;
}

bd_arena *bd_arena_new(void)
{
    return calloc(1, sizeof(bd_arena));
}

void bd_arena_free(bd_arena *arena)
{
    if (arena == NULL)
        return;
    bd_arena_rewind(arena, (bd_mark){0});
    spill_close(arena->spill);
    free(arena);
}

bd_status bd_arena_spill(bd_arena *arena, const char *folder, size_t limit)
{
    spill *s = spill_open(folder, limit);
    spill_block *trial = s == NULL ? NULL : spill_alloc(s, 1);
    if (trial == NULL) {
        spill_close(s);
        return bd_fail(BD_EIO, "cannot keep data in files in %s", folder);
    }
    spill_free(s, trial);
    arena->spill = s;
    return BD_OK;
}

const char *bd_arena_complaint(const bd_arena *arena)
{
    return arena->no_room ? "no room for the data in the folder of temporary files; TMPDIR names another" : "out of memory";
}

static void free_block(void *block)
{
    own_block *own = block;
    if (own->spilled != NULL)
        spill_free(own->arena->spill, own->spilled);
    else
        free(own->block.data);
}

bd_status bd_arena_block(bd_arena *arena, bd_block **block)
{
    own_block *own;
    BD_NEW(arena, own, 1);
    own->arena = arena;
    *block = &own->block;
    return bd_arena_defer(arena, free_block, own);
}

static bool move_to_file(own_block *own, size_t size)
{
    own->spilled = spill_alloc(own->arena->spill, size);
    if (own->spilled == NULL)
        return false;
    if (own->block.size > 0)
        memcpy(own->spilled->data, own->block.data, own->block.size);
    free(own->block.data);
    own->block.data = own->spilled->data;
    return true;
}

bd_status bd_block_resize(bd_block *block, size_t size)
{
    own_block *own = (own_block *)block;
    bd_arena *arena = own->arena;
    if (own->spilled != NULL || (arena->spill != NULL && size >= SPILLED)) {
        const bool done = own->spilled == NULL        ? move_to_file(own, size)
                          : size <= own->spilled->size ? true
                                                       : spill_grow(arena->spill, own->spilled, size) == 0;
        arena->no_room |= !done;
        if (!done)
            return bd_fail(BD_ENOMEM, "%s", bd_arena_complaint(arena));
        block->data = own->spilled->data;
    } else {
        void *moved = realloc(block->data, size > 0 ? size : 1);
        if (moved == NULL)
            return bd_fail(BD_ENOMEM, "out of memory");
        block->data = moved;
    }
    block->size = size;
    return BD_OK;
}

void *bd_arena_alloc(bd_arena *arena, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX - ALIGNMENT)
        return NULL;
    bytes = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    chunk *last = arena->last;
    if (last == NULL || last->size - last->used < bytes) {
        if (!push_chunk(arena, bytes > LARGE ? bytes : SHARED_CHUNK))
            return NULL;
        last = arena->last;
    } else {
        memset(chunk_bytes(last) + last->used, 0, bytes); /* a rewind may have left something */
    }
    void *items = chunk_bytes(last) + last->used;
    last->used += bytes;
    return items;
}

bd_mark bd_arena_mark(const bd_arena *arena)
{
    return (bd_mark){.chunk = arena->last, .used = arena->last ? arena->last->used : 0, .deferred = arena->deferred};
}

void bd_arena_rewind(bd_arena *arena, bd_mark mark)
{
    while (arena->deferred != mark.deferred) {
        deferred *d = arena->deferred;
        arena->deferred = d->previous;
        d->close(d->object);
    }
    while (arena->last != mark.chunk) {
        chunk *c = arena->last;
        arena->last = c->previous;
        if (c->spilled != NULL)
            spill_free(arena->spill, c->spilled);
        else
            free(c);
    }
    if (arena->last != NULL)
        arena->last->used = mark.used;
}

bd_status bd_arena_defer(bd_arena *arena, void (*close)(void *object), void *object)
{
    deferred *d = bd_arena_alloc(arena, 1, sizeof *d);
    if (d == NULL) {
        close(object);
        return bd_fail(BD_ENOMEM, "out of memory");
    }
    *d = (deferred){.previous = arena->deferred, .close = close, .object = object};
    arena->deferred = d;
    return BD_OK;
}

bd_status bd_print(bd_arena *arena, const char **text, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *buffer = length < 0 ? NULL : bd_arena_alloc(arena, (size_t)length + 1, 1);
    if (buffer != NULL)
        vsnprintf(buffer, (size_t)length + 1, format, again);
    va_end(again);
    if (buffer == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    *text = buffer;
    return BD_OK;
}

bd_status bd_copy_text(bd_arena *arena, const char *text, size_t length, const char **copy)
{
    char *buffer;
    BD_NEW(arena, buffer, length + 1);
    memcpy(buffer, text, length);
    *copy = buffer;
    return BD_OK;
}

bd_status bd_arena_grow(bd_arena *arena, void **items, size_t n, size_t *capacity, size_t size)
{
    if (n < *capacity)
        return BD_OK;
    const size_t larger = *capacity == 0 ? 8 : 2 * *capacity;
    void *moved = bd_arena_alloc(arena, larger, size);
    if (moved == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    if (n > 0)
        memcpy(moved, *items, n * size);
    *items = moved;
    *capacity = larger;
    return BD_OK;
}
