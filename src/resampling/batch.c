/* Batches of replicates: each walks all units once. */
#include "resampling/batch.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_randist.h>

#include <bordin/random/philox.h>

#include "resampling/influence.h"

struct batch_workspace {
    gsl_rng *rng;
    double *moments; /* units_scratch */
    uint8_t *counts; /* KERNEL_COUNTS x KERNEL_LANES */
    double *sums;    /* BATCH_GROUPS x n_moments x KERNEL_LANES */
    double *small;   /* q x q products, then 2 q^2 */
    double *values;  /* n_values, then as many errors */
    uint8_t *times;  /* units of the first stage x BATCH: how often each is drawn; NULL: there is one stage */
    size_t left[BATCH]; /* draws not yet given to a block of this stratum, by replicate */
};

/* How many of the `left` draws of a replicate fall into this block of the `units_left`. */
static size_t draws_of_block(gsl_rng *rng, uint64_t seed, uint32_t replicate, uint32_t block, size_t n_units,
                             size_t units_left, size_t left)
{
    if (n_units == units_left)
        return left;
    bd_rng_seek(rng, seed, replicate, block, BD_PURPOSE_SPLIT);
    return gsl_ran_binomial(rng, (double)n_units / (double)units_left, (unsigned)left);
}

/* Draws a block, whose random numbers are those of `id`, for replicates `first` .. `first` + n, one after another. */
static void draw_block(const batch_task *task, batch_workspace *work, uint32_t id, size_t n_units, size_t units_left,
                       size_t first, size_t n, size_t *left, uint8_t *counts)
{
    memset(counts, 0, n_units * KERNEL_LANES);
    for (size_t lane = 0; lane < n; lane++) {
        const uint32_t replicate = (uint32_t)(first + lane);
        const size_t draws = draws_of_block(work->rng, task->seed, replicate, id, n_units, units_left, left[lane]);
        left[lane] -= draws;
        task->kernel->draw(task->seed, id, replicate, n_units, draws, counts + lane);
    }
}

/* times[unit][replicate] <- how often each unit of the first stage is drawn. */
static void draw_first_stage(const batch_task *task, batch_workspace *work, size_t first, size_t n)
{
    const bd_units *units = task->units->first_stage;
    for (size_t s = 0; s < units->n_strata; s++) {
        const unit_stratum *stratum = &units->strata[s];
        size_t units_left = stratum->n_units;
        for (size_t i = 0; i < n; i++)
            work->left[i] = stratum->n_units;
        for (size_t b = stratum->first_block; b < stratum->first_block + stratum->n_blocks; b++) {
            const unit_block *block = &units->blocks[b];
            for (size_t lane = 0; lane < n; lane += KERNEL_LANES) {
                const size_t some = n - lane < KERNEL_LANES ? n - lane : KERNEL_LANES;
                draw_block(task, work, ~(uint32_t)b, block->n, units_left, first + lane, some, work->left + lane,
                           work->counts);
                for (size_t i = 0; i < block->n; i++)
                    memcpy(work->times + units_at(units, block->first + i) * BATCH + lane,
                           work->counts + i * KERNEL_LANES, KERNEL_LANES);
            }
            units_left -= block->n;
        }
    }
}

/* left <- the draws of a stratum: as many as it has units, as often as the first stage drew it. */
static void begin_stratum(const batch_task *task, batch_workspace *work, size_t s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        work->left[i] = task->units->strata[s].n_units * (work->times == NULL ? 1 : work->times[s * BATCH + i]);
}

static void sum_batch(const batch_task *task, batch_workspace *work, size_t first, size_t n)
{
    const bd_units *units = task->units;
    const size_t per_group = units->n_moments * KERNEL_LANES;
    memset(work->sums, 0, BATCH_GROUPS * per_group * sizeof *work->sums);
    if (units->first_stage != NULL)
        draw_first_stage(task, work, first, n);
    for (size_t s = 0; s < units->n_strata; s++) {
        const unit_stratum *stratum = &units->strata[s];
        size_t units_left = stratum->n_units;
        begin_stratum(task, work, s, n);
        for (size_t b = stratum->first_block; b < stratum->first_block + stratum->n_blocks; b++) {
            size_t stride;
            const double *moments = units_moments(units, b, work->moments, &stride);
            for (size_t lane = 0; lane < n; lane += KERNEL_LANES) {
                const size_t some = n - lane < KERNEL_LANES ? n - lane : KERNEL_LANES;
                draw_block(task, work, (uint32_t)b, units->blocks[b].n, units_left, first + lane, some,
                           work->left + lane, work->counts);
                task->kernel->accumulate(work->counts, units->blocks[b].n, moments, units->n_moments, stride,
                                        work->sums + lane / KERNEL_LANES * per_group);
            }
            units_left -= units->blocks[b].n;
        }
    }
}

static void evaluate(const batch_task *task, batch_workspace *work, size_t replicate, const double *sums)
{
    const size_t q = task->units->q, n = task->n_replicates, n_values = task->statistic->n_values;
    double *products = work->small, *errors = task->errors == NULL ? NULL : work->values + n_values;
    for (size_t a = 0, m = 0; a < q; a++)
        for (size_t b = a; b < q; b++, m++)
            products[a * q + b] = sums[m * KERNEL_LANES];
    const bd_replicate_end end =
        statistic_at(task->statistic, task->units->rotation, products, products + q * q, work->values, errors);
    task->ends[replicate] = (uint8_t)end;
    for (size_t v = 0; v < n_values; v++) {
        task->values[v * n + replicate] = end == BD_REPLICATE_USABLE ? work->values[v] : NAN;
        if (errors != NULL)
            task->errors[v * n + replicate] = end == BD_REPLICATE_USABLE ? errors[v] : NAN;
    }
}

void batch_run(const batch_task *task, batch_workspace *workspaces, size_t thread, size_t first, size_t end)
{
    batch_workspace *work = &workspaces[thread];
    const size_t per_group = task->units->n_moments * KERNEL_LANES;
    sum_batch(task, work, first, end - first);
    for (size_t i = 0; i < end - first; i++)
        evaluate(task, work, first + i, work->sums + i / KERNEL_LANES * per_group + i % KERNEL_LANES);
}

static void free_rng(void *rng)
{
    gsl_rng_free(rng);
}

static bd_status new_rng(bd_arena *arena, gsl_rng **rng)
{
    *rng = gsl_rng_alloc(bd_rng_philox);
    if (*rng == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    return bd_arena_defer(arena, free_rng, *rng);
}

/* For the draws alone. */
static bd_status new_drawing(const bd_units *units, bd_arena *arena, batch_workspace *work)
{
    BD_TRY(new_rng(arena, &work->rng));
    BD_NEW(arena, work->counts, KERNEL_COUNTS * KERNEL_LANES);
    if (units->first_stage != NULL)
        BD_NEW(arena, work->times, units->first_stage->n_units * BATCH);
    return BD_OK;
}

bd_status batch_workspaces(const batch_task *task, size_t n, bd_arena *arena, batch_workspace **out)
{
    const size_t q = task->units->q;
    BD_NEW(arena, *out, n);
    for (size_t i = 0; i < n; i++) {
        batch_workspace *work = &(*out)[i];
        BD_TRY(new_drawing(task->units, arena, work));
        BD_NEW(arena, work->moments, units_scratch(task->units) + 1);
        BD_NEW(arena, work->sums, BATCH_GROUPS * KERNEL_LANES * task->units->n_moments);
        BD_NEW(arena, work->small, 3 * q * q);
        BD_NEW(arena, work->values, 2 * task->statistic->n_values);
    }
    return BD_OK;
}

const kernel *batch_kernel(void)
{
    const kernel *kernels[3];
    return kernels[kernels_here(kernels) - 1];
}

bd_status bd_draw_counts(const bd_units *units, uint64_t seed, size_t replicate, bd_arena *scratch, uint32_t *counts)
{
    const bd_mark mark = bd_arena_mark(scratch);
    const batch_task task = {.units = units, .seed = seed, .kernel = batch_kernel()};
    batch_workspace work = {0};
    BD_TRY(new_drawing(units, scratch, &work));
    if (units->first_stage != NULL)
        draw_first_stage(&task, &work, replicate, 1);
    for (size_t s = 0; s < units->n_strata; s++) {
        const unit_stratum *stratum = &units->strata[s];
        size_t units_left = stratum->n_units;
        begin_stratum(&task, &work, s, 1);
        for (size_t b = stratum->first_block; b < stratum->first_block + stratum->n_blocks; b++) {
            const unit_block *block = &units->blocks[b];
            draw_block(&task, &work, (uint32_t)b, block->n, units_left, replicate, 1, work.left, work.counts);
            units_left -= block->n;
            for (size_t i = 0; i < block->n; i++)
                counts[units_at(units, block->first + i)] = work.counts[i * KERNEL_LANES];
        }
    }
    bd_arena_rewind(scratch, mark);
    return BD_OK;
}
