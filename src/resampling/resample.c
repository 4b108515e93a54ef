/* The engine: batches of replicates shared among threads, each walking all units once. */
#include <bordin/resampling/resample.h>

#include <math.h>
#include <string.h>

#include <gsl/gsl_randist.h>
#include <omp.h>

#include <bordin/random/philox.h>

#include "resampling/influence.h"
#include "resampling/kernel.h"
#include "resampling/units.h"

enum { GROUPS = 4, BATCH = GROUPS * KERNEL_LANES };

/* What one thread works with. */
typedef struct workspace {
    gsl_rng *rng;
    double *moments; /* units_scratch */
    uint8_t *counts; /* KERNEL_COUNTS x KERNEL_LANES */
    double *sums;    /* GROUPS x n_moments x KERNEL_LANES */
    double *small;   /* q x q products, then 2 q^2 */
    double *values;  /* n_values, then as many errors */
    size_t left[BATCH]; /* draws not yet given to a block of this stratum, by replicate */
} workspace;

typedef struct engine_task {
    const bd_units *units;
    const bd_statistic *statistic;
    const bd_resampling_options *options;
    const kernel *kernel;
    double *values, *errors; /* n_values x n_replicates; errors may be NULL */
    uint8_t *ends;           /* n_replicates */
} engine_task;

/* How many of the `left` draws of a replicate fall into this block of the `units_left`. */
static size_t draws_of_block(gsl_rng *rng, uint64_t seed, uint32_t replicate, uint32_t block, size_t n_units,
                             size_t units_left, size_t left)
{
    if (n_units == units_left)
        return left;
    bd_rng_seek(rng, seed, replicate, block, BD_PURPOSE_SPLIT);
    return gsl_ran_binomial(rng, (double)n_units / (double)units_left, (unsigned)left);
}

/* Draws block `b` for replicates `first` .. `first` + n, one after another. */
static void draw_block(const engine_task *task, workspace *work, size_t b, size_t units_left, size_t first, size_t n,
                       size_t *left, uint8_t *counts)
{
    const size_t n_units = task->units->blocks[b].n;
    const uint64_t seed = task->options->seed;
    memset(counts, 0, n_units * KERNEL_LANES);
    for (size_t lane = 0; lane < n; lane++) {
        const uint32_t replicate = (uint32_t)(first + lane), block = (uint32_t)b;
        const size_t draws = draws_of_block(work->rng, seed, replicate, block, n_units, units_left, left[lane]);
        left[lane] -= draws;
        task->kernel->draw(seed, block, replicate, n_units, draws, counts + lane);
    }
}

static void sum_batch(const engine_task *task, workspace *work, size_t first, size_t n)
{
    const bd_units *units = task->units;
    const size_t per_group = units->n_moments * KERNEL_LANES;
    memset(work->sums, 0, GROUPS * per_group * sizeof *work->sums);
    for (size_t s = 0; s < units->n_strata; s++) {
        const unit_stratum *stratum = &units->strata[s];
        size_t units_left = stratum->n_units;
        for (size_t i = 0; i < n; i++)
            work->left[i] = stratum->n_units;
        for (size_t b = stratum->first_block; b < stratum->first_block + stratum->n_blocks; b++) {
            size_t stride;
            const double *moments = units_moments(units, b, work->moments, &stride);
            for (size_t lane = 0; lane < n; lane += KERNEL_LANES) {
                const size_t some = n - lane < KERNEL_LANES ? n - lane : KERNEL_LANES;
                draw_block(task, work, b, units_left, first + lane, some, work->left + lane, work->counts);
                task->kernel->accumulate(work->counts, units->blocks[b].n, moments, units->n_moments, stride,
                                        work->sums + lane / KERNEL_LANES * per_group);
            }
            units_left -= units->blocks[b].n;
        }
    }
}

static void evaluate(const engine_task *task, workspace *work, size_t replicate, const double *sums)
{
    const size_t q = task->units->q, n = task->options->n_replicates, n_values = task->statistic->n_values;
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

static void run_batch(const engine_task *task, workspace *work, size_t batch)
{
    const size_t first = batch * BATCH, left = task->options->n_replicates - first, n = left < BATCH ? left : BATCH;
    sum_batch(task, work, first, n);
    for (size_t i = 0; i < n; i++)
        evaluate(task, work, first + i,
                 work->sums + i / KERNEL_LANES * task->units->n_moments * KERNEL_LANES + i % KERNEL_LANES);
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

static bd_status new_workspaces(const engine_task *task, size_t n, bd_arena *arena, workspace **out)
{
    const size_t q = task->units->q;
    BD_NEW(arena, *out, n);
    for (size_t i = 0; i < n; i++) {
        workspace *work = &(*out)[i];
        BD_TRY(new_rng(arena, &work->rng));
        BD_NEW(arena, work->moments, units_scratch(task->units) + 1);
        BD_NEW(arena, work->counts, KERNEL_COUNTS * KERNEL_LANES);
        BD_NEW(arena, work->sums, GROUPS * KERNEL_LANES * task->units->n_moments);
        BD_NEW(arena, work->small, 3 * q * q);
        BD_NEW(arena, work->values, 2 * task->statistic->n_values);
    }
    return BD_OK;
}

static bd_status run_batches(const engine_task *task, int n_threads, bd_arena *arena)
{
    const size_t n_batches = (task->options->n_replicates + BATCH - 1) / BATCH;
    const bd_mark mark = bd_arena_mark(arena);
    workspace *workspaces;
    BD_TRY(new_workspaces(task, (size_t)n_threads, arena, &workspaces));
#pragma omp parallel for num_threads(n_threads) schedule(dynamic)
    for (size_t batch = 0; batch < n_batches; batch++)
        run_batch(task, &workspaces[omp_get_thread_num()], batch);
    bd_arena_rewind(arena, mark);
    return BD_OK;
}

static bd_status full_sample(const bd_units *units, const bd_statistic *statistic, bool errors_too, bd_arena *arena,
                             bd_replicates *replicates)
{
    const size_t q = units->q;
    double *scratch, *values, *errors = NULL;
    BD_NEW(arena, scratch, 2 * q * q);
    BD_NEW(arena, values, statistic->n_values);
    if (errors_too)
        BD_NEW(arena, errors, statistic->n_values);
    if (statistic_at(statistic, units->rotation, units->full, scratch, values, errors) != BD_REPLICATE_USABLE)
        return bd_fail(BD_ENUMERIC, "the sample itself cannot be estimated");
    replicates->estimates = values;
    replicates->errors = errors;
    return BD_OK;
}

static bd_status count_ends(const uint8_t *ends, double max_failed, bd_replicates *replicates)
{
    const size_t n = replicates->n_replicates;
    for (size_t i = 0; i < n; i++)
        replicates->n_ended[ends[i]]++;
    const size_t failed = n - replicates->n_ended[BD_REPLICATE_USABLE];
    if ((double)failed > max_failed * (double)n)
        return bd_fail(BD_ENUMERIC,
                       "%zu of %zu replicates could not be estimated (collinear: %zu, constant: %zu), more than the "
                       "%g %% that an interval tolerates",
                       failed, n, replicates->n_ended[BD_REPLICATE_COLLINEAR],
                       replicates->n_ended[BD_REPLICATE_CONSTANT], 100 * max_failed);
    return BD_OK;
}

bd_status bd_resample(const bd_units *units, const bd_statistic *statistic, const bd_resampling_options *options,
                      bd_arena *arena, const bd_replicates **out)
{
    const int n_threads = options->n_threads > 0 ? options->n_threads : omp_get_max_threads();
    const kernel *kernels[3];
    bd_replicates *replicates;
    double *accelerations = NULL;
    engine_task task = {.units = units, .statistic = statistic, .options = options};
    if (options->n_replicates == 0 || options->n_replicates > UINT32_MAX)
        return bd_fail(BD_EUSAGE, "%zu is not a number of replicates", options->n_replicates);
    task.kernel = kernels[kernels_here(kernels) - 1];
    BD_NEW(arena, replicates, 1);
    BD_NEW(arena, task.values, statistic->n_values * options->n_replicates);
    if (options->standard_errors)
        BD_NEW(arena, task.errors, statistic->n_values * options->n_replicates);
    BD_NEW(arena, task.ends, options->n_replicates);
    *replicates = (bd_replicates){
        .n_values = statistic->n_values,
        .n_replicates = options->n_replicates,
        .n_units = units->n_units,
        .n_alone = units->n_alone,
        .names = statistic->names,
        .values = task.values,
        .value_errors = task.errors,
    };
    BD_TRY(full_sample(units, statistic, options->standard_errors, arena, replicates));
    BD_TRY(run_batches(&task, n_threads, arena));
    BD_TRY(count_ends(task.ends, options->max_failed, replicates));
    if (options->accelerations)
        BD_TRY(find_accelerations(units, statistic, n_threads, arena, &accelerations));
    replicates->accelerations = accelerations;
    *out = replicates;
    return BD_OK;
}

bd_status bd_draw_counts(const bd_units *units, uint64_t seed, size_t replicate, bd_arena *scratch, uint32_t *counts)
{
    const bd_mark mark = bd_arena_mark(scratch);
    const bd_resampling_options options = {.seed = seed};
    const kernel *kernels[3];
    const engine_task task = {.units = units, .options = &options, .kernel = kernels[kernels_here(kernels) - 1]};
    workspace work = {0};
    uint8_t *drawn;
    BD_TRY(new_rng(scratch, &work.rng));
    BD_NEW(scratch, drawn, KERNEL_COUNTS * KERNEL_LANES);
    for (size_t s = 0; s < units->n_strata; s++) {
        const unit_stratum *stratum = &units->strata[s];
        size_t units_left = stratum->n_units, left = units_left;
        for (size_t b = stratum->first_block; b < stratum->first_block + stratum->n_blocks; b++) {
            const unit_block *block = &units->blocks[b];
            draw_block(&task, &work, b, units_left, replicate, 1, &left, drawn);
            units_left -= block->n;
            for (size_t i = 0; i < block->n; i++)
                counts[units->order ? units->order[block->first + i] : block->first + i] = drawn[i * KERNEL_LANES];
        }
    }
    bd_arena_rewind(scratch, mark);
    return BD_OK;
}
