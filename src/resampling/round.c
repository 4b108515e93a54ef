/* Rounds: the moments of some blocks are formed once, and every batch walks over them while they are in the cache. */
#include "resampling/round.h"

#include <omp.h>

enum { SHARED_BYTES = 4 << 20, BATCHES_BYTES = 64 << 20 };

typedef struct round {
    const batch_task *task;
    batch_workspace *workspaces;
    batch *batches;
    size_t n_batches;
    double *moments; /* of `step` blocks; NULL: the units keep theirs */
    size_t step;
} round;

size_t round_most(const batch_task *task, int n_threads)
{
    const size_t fitting = BATCHES_BYTES / batch_size(task);
    return BATCH * (fitting > (size_t)n_threads ? fitting : (size_t)n_threads);
}

static bd_status prepare(const batch_task *task, size_t first, size_t end, bd_arena *arena, round *r)
{
    const size_t block_doubles = task->units->n_moments * KERNEL_UNITS;
    const size_t fitting = SHARED_BYTES / (block_doubles * sizeof(double));
    r->n_batches = (end - first + BATCH - 1) / BATCH;
    BD_NEW(arena, r->batches, r->n_batches);
    for (size_t i = 0; i < r->n_batches; i++) {
        batch *b = &r->batches[i];
        b->first = first + i * BATCH;
        b->n = end - b->first < BATCH ? end - b->first : BATCH;
        BD_TRY(batch_new(task, arena, b));
    }
    r->step = task->units->n_blocks;
    if (task->units->moments != NULL)
        return BD_OK;
    if (r->step > fitting)
        r->step = fitting > 0 ? fitting : 1;
    BD_NEW(arena, r->moments, r->step * block_doubles);
    return BD_OK;
}

static void run_whole(const round *r, int n_threads)
{
#pragma omp parallel for num_threads(n_threads) schedule(dynamic) if (r->n_batches > 1)
    for (size_t i = 0; i < r->n_batches; i++) {
        batch_workspace *work = &r->workspaces[omp_get_thread_num()];
        batch_begin(r->task, work, &r->batches[i]);
        batch_walk(r->task, work, &r->batches[i], 0, r->step, NULL);
        batch_finish(r->task, work, &r->batches[i]);
    }
}

static void run_in_steps(const round *r, int n_threads)
{
    const bd_units *units = r->task->units;
    const size_t block_doubles = units->n_moments * KERNEL_UNITS;
#pragma omp parallel num_threads(n_threads)
    {
        batch_workspace *work = &r->workspaces[omp_get_thread_num()];
#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < r->n_batches; i++)
            batch_begin(r->task, work, &r->batches[i]);
        for (size_t from = 0; from < units->n_blocks; from += r->step) {
            const size_t to = units->n_blocks - from < r->step ? units->n_blocks : from + r->step;
#pragma omp for schedule(static)
            for (size_t k = from; k < to; k++)
                units_form(units, k, work->columns, r->moments + (k - from) * block_doubles);
#pragma omp for schedule(dynamic)
            for (size_t i = 0; i < r->n_batches; i++)
                batch_walk(r->task, work, &r->batches[i], from, to, r->moments);
        }
#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < r->n_batches; i++)
            batch_finish(r->task, work, &r->batches[i]);
    }
}

bd_status round_run(const batch_task *task, batch_workspace *workspaces, int n_threads, size_t first, size_t end,
                    bd_arena *arena)
{
    const bd_mark mark = bd_arena_mark(arena);
    round r = {.task = task, .workspaces = workspaces};
    if (end == first)
        return BD_OK;
    BD_TRY(prepare(task, first, end, arena, &r));
    if (r.moments == NULL)
        run_whole(&r, n_threads);
    else
        run_in_steps(&r, n_threads);
    bd_arena_rewind(arena, mark);
    return BD_OK;
}
