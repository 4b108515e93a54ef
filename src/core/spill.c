/* Blocks of memory mapped from unnamed files, and the thread that keeps them from filling the process. */
#include "core/spill.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const struct timespec pause_between = {.tv_nsec = 2 * 1000 * 1000};

struct spill {
    char *folder;
    size_t limit;
    pthread_t thread;
    pthread_mutex_t lock; /* of the list and `done` */
    spill_block *first;
    bool done;
};

static size_t resident(void)
{
    size_t whole, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%zu %zu", &whole, &pages) != 2)
        pages = 0;
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Pages of a shared mapping that are let go are not lost: the file has them. */
static void *watch(void *argument)
{
    spill *s = argument;
    for (bool done = false; !done; nanosleep(&pause_between, NULL)) {
        const bool too_much = resident() > s->limit;
        pthread_mutex_lock(&s->lock);
        for (spill_block *b = s->first; b != NULL && too_much; b = b->next)
            madvise(b->data, b->size, MADV_DONTNEED);
        done = s->done;
        pthread_mutex_unlock(&s->lock);
    }
    return NULL;
}

spill *spill_open(const char *folder, size_t limit)
{
    spill *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    *s = (spill){.folder = realpath(folder, NULL), .limit = limit};
    pthread_mutex_init(&s->lock, NULL);
    if (s->folder != NULL && pthread_create(&s->thread, NULL, watch, s) == 0)
        return s;
    free(s->folder);
    free(s);
    return NULL;
}

void spill_close(spill *s)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    s->done = true;
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_mutex_destroy(&s->lock);
    free(s->folder);
    free(s);
}

static int unnamed_file(const char *folder)
{
    char *path;
    const int file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0 || asprintf(&path, "%s/bordin-XXXXXX", folder) < 0)
        return file;
    const int named = mkostemp(path, O_CLOEXEC);
    if (named >= 0)
        unlink(path);
    free(path);
    return named;
}

spill_block *spill_alloc(spill *s, size_t size)
{
    spill_block *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->file = unnamed_file(s->folder);
    b->size = size;
    b->data = MAP_FAILED;
    if (b->file >= 0 && posix_fallocate(b->file, 0, (off_t)size) == 0)
        b->data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, b->file, 0);
    if (b->data == MAP_FAILED) {
        if (b->file >= 0)
            close(b->file);
        free(b);
        return NULL;
    }
    pthread_mutex_lock(&s->lock);
    b->next = s->first;
    if (b->next != NULL)
        b->next->previous = b;
    s->first = b;
    pthread_mutex_unlock(&s->lock);
    return b;
}

int spill_grow(spill *s, spill_block *b, size_t size)
{
    if (posix_fallocate(b->file, 0, (off_t)size) != 0)
        return -1;
    pthread_mutex_lock(&s->lock);
    void *moved = mremap(b->data, b->size, size, MREMAP_MAYMOVE);
    if (moved != MAP_FAILED) {
        b->data = moved;
        b->size = size;
    }
    pthread_mutex_unlock(&s->lock);
    return moved == MAP_FAILED ? -1 : 0;
}

void spill_free(spill *s, spill_block *b)
{
    pthread_mutex_lock(&s->lock);
    if (b->previous != NULL)
        b->previous->next = b->next;
    else
        s->first = b->next;
    if (b->next != NULL)
        b->next->previous = b->previous;
    pthread_mutex_unlock(&s->lock);
    munmap(b->data, b->size);
    close(b->file);
    free(b);
}
