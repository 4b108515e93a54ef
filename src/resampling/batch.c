/* Batches of replicates: each walks all units once. */
#include "resampling/batch.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_randist.h>

#include <bordin/random/philox.h>

#include "resampling/distinct.h"
#include "resampling/influence.h"

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

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* times[unit][replicate] <- how often each unit of the first stage is drawn. */
static void draw_first_stage(const batch_task *task, batch_workspace *work, batch *b)
{
    const bd_units *units = task->units->first_stage;
    for (size_t s = 0; s < units->n_strata; s++) {
        const unit_stratum *stratum = &units->strata[s];
        size_t units_left = stratum->n_units;
        for (size_t i = 0; i < b->n; i++)
            b->left[i] = stratum->n_units;
        for (size_t k = stratum->first_block; k < stratum->first_block + stratum->n_blocks; k++) {
            const unit_block *block = &units->blocks[k];
            for (size_t lane = 0; lane < b->n; lane += KERNEL_LANES) {
                draw_block(task, work, ~(uint32_t)k, block->n, units_left, b->first + lane,
                           smaller(b->n - lane, KERNEL_LANES), b->left + lane, work->counts);
                for (size_t i = 0; i < block->n; i++)
                    memcpy(b->times + units_at(units, block->first + i) * BATCH + lane,
                           work->counts + i * KERNEL_LANES, KERNEL_LANES);
            }
            units_left -= block->n;
        }
    }
}

/* left <- the draws of a stratum: as many as it has units, as often as the first stage drew it. */
static void begin_stratum(const bd_units *units, size_t s, batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        b->left[i] = units->strata[s].n_units * (b->times == NULL ? 1 : b->times[s * BATCH + i]);
}

void batch_begin(const batch_task *task, batch_workspace *work, batch *b)
{
    memset(b->sums, 0, BATCH_GROUPS * task->units->n_moments * KERNEL_LANES * sizeof *b->sums);
    if (b->times != NULL)
        draw_first_stage(task, work, b);
}

/* The last stratum that begins at this block or before. */
static size_t stratum_of(const bd_units *units, size_t block)
{
    size_t low = 0, high = units->n_strata;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (units->strata[middle].first_block <= block)
            low = middle;
        else
            high = middle;
    }
    return low;
}

void batch_walk(const batch_task *task, batch_workspace *work, batch *b, size_t from, size_t to, const double *moments)
{
    const bd_units *units = task->units;
    const size_t per_group = units->n_moments * KERNEL_LANES;
    size_t s = stratum_of(units, from);
    for (size_t k = from; k < to; k++) {
        const unit_block *block = &units->blocks[k];
        if (k == units->strata[s].first_block + units->strata[s].n_blocks)
            s++;
        if (k == units->strata[s].first_block)
            begin_stratum(units, s, b);
        const unit_stratum *stratum = &units->strata[s];
        const size_t end = units->blocks[stratum->first_block].first + stratum->n_units;
        size_t stride = KERNEL_UNITS;
        const double *rows = moments == NULL ? units_moments(units, k, NULL, &stride)
                                             : moments + (k - from) * units->n_moments * KERNEL_UNITS;
        for (size_t lane = 0; lane < b->n; lane += KERNEL_LANES) {
            draw_block(task, work, (uint32_t)k, block->n, end - block->first, b->first + lane,
                       smaller(b->n - lane, KERNEL_LANES), b->left + lane, work->counts);
            task->kernel->accumulate(work->counts, block->n, rows, units->n_moments, stride,
                                    b->sums + lane / KERNEL_LANES * per_group);
        }
    }
}

void batch_keep(const batch_task *task, const batch_workspace *work, size_t replicate, bd_replicate_end end)
{
    const size_t n = task->n_replicates, n_values = task->statistic->n_values;
    task->ends[replicate] = (uint8_t)end;
    for (size_t v = 0; v < n_values; v++) {
        task->values[v * n + replicate] = end == BD_REPLICATE_USABLE ? work->values[v] : NAN;
        if (task->errors != NULL)
            task->errors[v * n + replicate] = end == BD_REPLICATE_USABLE ? work->values[n_values + v] : NAN;
    }
}

static void evaluate(const batch_task *task, batch_workspace *work, size_t replicate, const double *sums)
{
    const size_t q = task->units->q;
    double *products = work->small, *errors = task->errors == NULL ? NULL : work->values + task->statistic->n_values;
    for (size_t a = 0, m = 0; a < q; a++)
        for (size_t b = a; b < q; b++, m++)
            products[a * q + b] = sums[m * KERNEL_LANES];
    batch_keep(task, work, replicate,
               statistic_at(task->statistic, task->units->rotation, products, products + q * q, work->values, errors));
}

void batch_finish(const batch_task *task, batch_workspace *work, const batch *b)
{
    const size_t per_group = task->units->n_moments * KERNEL_LANES;
    for (size_t i = 0; i < b->n; i++)
        evaluate(task, work, b->first + i, b->sums + i / KERNEL_LANES * per_group + i % KERNEL_LANES);
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

bd_status batch_workspaces(const batch_task *task, size_t n, bd_arena *arena, batch_workspace **out)
{
    const size_t q = task->units->q;
    BD_NEW(arena, *out, n);
    for (size_t i = 0; i < n; i++) {
        batch_workspace *work = &(*out)[i];
        BD_TRY(new_rng(arena, &work->rng));
        BD_NEW(arena, work->columns, (q + 1) * KERNEL_UNITS);
        BD_NEW(arena, work->counts, KERNEL_COUNTS * KERNEL_LANES);
        BD_NEW(arena, work->small, 3 * q * q);
        BD_NEW(arena, work->values, 2 * task->statistic->n_values);
        if (task->statistic->from_weights != NULL || task->units->frequencies != NULL)
            BD_NEW(arena, work->of_units, task->units->n_units);
        if (task->statistic->from_weights == NULL)
            continue;
        BD_NEW(arena, work->weights, task->statistic->columns->n_rows);
        BD_NEW(arena, work->scratch, task->statistic->n_scratch + 1);
    }
    return BD_OK;
}

static size_t n_times(const batch_task *task)
{
    return task->units->first_stage == NULL ? 0 : task->units->first_stage->n_units * BATCH;
}

bd_status batch_new(const batch_task *task, bd_arena *arena, batch *new)
{
    BD_NEW(arena, new->sums, BATCH_GROUPS * KERNEL_LANES * task->units->n_moments);
    if (n_times(task) > 0)
        BD_NEW(arena, new->times, n_times(task));
    return BD_OK;
}

size_t batch_size(const batch_task *task)
{
    return sizeof(batch) + n_times(task) + BATCH_GROUPS * KERNEL_LANES * task->units->n_moments * sizeof(double);
}

const kernel *batch_kernel(void)
{
    const kernel *kernels[3];
    return kernels[kernels_here(kernels) - 1];
}

/* take(where, unit, how often it is drawn), for every unit. */
static void draw_replicate(const batch_task *task, batch_workspace *work, batch *b, size_t replicate,
                           void (*take)(void *where, size_t unit, uint8_t count), void *where)
{
    const bd_units *units = task->units;
    b->first = replicate;
    b->n = 1;
    batch_begin(task, work, b);
    for (size_t s = 0; s < units->n_strata; s++) {
        const unit_stratum *stratum = &units->strata[s];
        size_t units_left = stratum->n_units;
        begin_stratum(units, s, b);
        for (size_t k = stratum->first_block; k < stratum->first_block + stratum->n_blocks; k++) {
            const unit_block *block = &units->blocks[k];
            draw_block(task, work, (uint32_t)k, block->n, units_left, replicate, 1, b->left, work->counts);
            units_left -= block->n;
            for (size_t i = 0; i < block->n; i++)
                take(where, units_at(units, block->first + i), work->counts[i * KERNEL_LANES]);
        }
    }
}

static void take_count(void *where, size_t unit, uint8_t count)
{
    ((uint32_t *)where)[unit] = count;
}

static void take_weight(void *where, size_t unit, uint8_t count)
{
    ((double *)where)[unit] = count;
}

void batch_draw_weights(const batch_task *task, batch_workspace *work, batch *b, size_t replicate, double *weights)
{
    const uint32_t *clusters = task->units->clusters;
    if (clusters == NULL) {
        draw_replicate(task, work, b, replicate, take_weight, weights);
        return;
    }
    draw_replicate(task, work, b, replicate, take_weight, work->of_units);
    for (size_t i = 0; i < task->statistic->columns->n_rows; i++)
        weights[i] = work->of_units[clusters[i]];
}

void batch_draw_counts(const batch_task *task, batch_workspace *work, batch *b, size_t replicate, uint32_t *counts)
{
    draw_replicate(task, work, b, replicate, take_count, counts);
}

bd_status bd_draw_counts(const bd_units *units, uint64_t seed, size_t replicate, bd_arena *scratch, uint32_t *counts)
{
    const bd_mark mark = bd_arena_mark(scratch);
    const batch_task task = {.units = units, .seed = seed, .kernel = batch_kernel()};
    batch_workspace work = {0};
    batch *b;
    BD_TRY(new_rng(scratch, &work.rng));
    BD_NEW(scratch, work.counts, KERNEL_COUNTS * KERNEL_LANES);
    BD_NEW(scratch, b, 1);
    BD_TRY(batch_new(&task, scratch, b));
    if (units->frequencies != NULL) {
        BD_NEW(scratch, work.of_units, units->n_units);
        distinct_draw(units, seed, replicate, work.rng, work.of_units);
        for (size_t i = 0; i < units->n_units; i++)
            counts[i] = (uint32_t)work.of_units[i];
        bd_arena_rewind(scratch, mark);
        return BD_OK;
    }
    batch_draw_counts(&task, &work, b, replicate, counts);
    bd_arena_rewind(scratch, mark);
    return BD_OK;
}
