/* The double bootstrap: Hall (1986), Beran (1987); Davison & Hinkley (1997), sec. 5.6. The sample of a replicate is n
 * units; copies of their moments, one block at a time, are what its own samples are drawn from. */
#include "resampling/calibrated.h"

#include <math.h>
#include <string.h>

#include <omp.h>

#include <bordin/random/philox.h>

enum { INNER_BATCHES = (CALIBRATED_INNER + BATCH - 1) / BATCH, OUTER_AT_ONCE = 64 };

/* What one thread works with. */
typedef struct bench {
    batch_workspace *work;
    batch outer, inner[INNER_BATCHES];
    uint32_t *counts; /* n_units: how often each is in the outer sample */
    double *source;   /* units_scratch */
    double *copies;   /* n_moments x KERNEL_UNITS */
    size_t *places;   /* KERNEL_UNITS */
    double *values;   /* n_values x CALIBRATED_INNER */
    uint8_t ends[CALIBRATED_INNER];
} bench;

/* The next copy: the unit at `place` of a block, `left` times more. */
typedef struct cursor {
    size_t block, place, stride;
    uint32_t left;
    const double *moments;
} cursor;

bd_status check_calibration(const bd_units *units, const bd_statistic *statistic)
{
    if (units->first_stage != NULL)
        return bd_fail(BD_EUSAGE, "a calibrated interval draws again from each sample, which is not done in two "
                                  "stages; resample clusters, or choose another interval (--ci percentile)");
    if (statistic->from_weights != NULL)
        return bd_fail(BD_EUSAGE, "a calibrated interval would fit %d models; choose another (--ci bca)",
                       CALIBRATED_OUTER * CALIBRATED_INNER);
    return BD_OK;
}

static void enter_block(const bd_units *units, size_t block, const bench *b, cursor *from)
{
    *from = (cursor){.block = block, .left = b->counts[units_at(units, units->blocks[block].first)]};
    from->moments = units_moments(units, block, b->source, &from->stride);
}

/* b->copies <- the moments of the next `n` units of the outer sample, all of one stratum. */
static void gather(const bd_units *units, bench *b, cursor *from, size_t n)
{
    for (size_t done = 0; done < n;) {
        const unit_block *block = &units->blocks[from->block];
        size_t some = 0;
        while (done + some < n && from->place < block->n) {
            if (from->left > 0) {
                b->places[some++] = from->place;
                from->left--;
            } else if (++from->place < block->n) {
                from->left = b->counts[units_at(units, block->first + from->place)];
            }
        }
        for (size_t m = 0; m < units->n_moments; m++)
            for (size_t i = 0; i < some; i++)
                b->copies[m * KERNEL_UNITS + done + i] = from->moments[m * from->stride + b->places[i]];
        done += some;
        if (done < n)
            enter_block(units, from->block + 1, b, from);
    }
}

/* Every replicate has a key of its own, so that its samples are drawn as those of any run. */
static uint64_t inner_seed(uint64_t seed, size_t replicate)
{
    uint32_t words[4];
    bd_philox(seed, (bd_counter){.stream = (uint32_t)replicate, .purpose = BD_PURPOSE_INNER}, words);
    return (uint64_t)words[1] << 32 | words[0];
}

/* b->values <- those of the samples drawn from one outer sample. */
static void draw_inner(const batch_task *task, bench *b, size_t replicate)
{
    const bd_units *units = task->units;
    const batch_task inner = {.units = units,
                              .statistic = task->statistic,
                              .kernel = task->kernel,
                              .seed = inner_seed(task->seed, replicate),
                              .n_replicates = CALIBRATED_INNER,
                              .values = b->values,
                              .ends = b->ends};
    batch_draw_counts(task, b->work, &b->outer, replicate, b->counts);
    for (size_t i = 0; i < INNER_BATCHES; i++) {
        b->inner[i].first = i * BATCH;
        b->inner[i].n = CALIBRATED_INNER - i * BATCH < BATCH ? CALIBRATED_INNER - i * BATCH : BATCH;
        batch_begin(&inner, b->work, &b->inner[i]);
    }
    for (size_t s = 0; s < units->n_strata; s++) {
        const unit_stratum *stratum = &units->strata[s];
        cursor from;
        enter_block(units, stratum->first_block, b, &from);
        for (size_t k = stratum->first_block; k < stratum->first_block + stratum->n_blocks; k++) {
            gather(units, b, &from, units->blocks[k].n);
            for (size_t i = 0; i < INNER_BATCHES; i++)
                batch_walk(&inner, b->work, &b->inner[i], k, k + 1, b->copies);
        }
    }
    for (size_t i = 0; i < INNER_BATCHES; i++)
        batch_finish(&inner, b->work, &b->inner[i]);
}

static double share_of(const double *values, double estimate)
{
    size_t n = 0, below = 0;
    for (size_t i = 0; i < CALIBRATED_INNER; i++) {
        n += isfinite(values[i]) != 0;
        below += isfinite(values[i]) && values[i] <= estimate;
    }
    return n > 0 ? (double)below / (double)n : NAN;
}

static void calibrate(const batch_task *task, bench *b, size_t replicate, double *shares, size_t n_outer)
{
    const size_t n_values = task->statistic->n_values;
    if (task->ends[replicate] == BD_REPLICATE_USABLE)
        draw_inner(task, b, replicate);
    for (size_t v = 0; v < n_values; v++)
        shares[v * n_outer + replicate] = isfinite(task->values[v * task->n_replicates + replicate])
                                              ? share_of(b->values + v * CALIBRATED_INNER, task->estimates[v])
                                              : NAN;
}

static bd_status new_benches(const batch_task *task, int n_threads, bd_arena *arena, bench **out)
{
    batch_workspace *workspaces;
    BD_TRY(batch_workspaces(task, (size_t)n_threads, arena, &workspaces));
    BD_NEW(arena, *out, n_threads);
    for (int t = 0; t < n_threads; t++) {
        bench *b = &(*out)[t];
        b->work = &workspaces[t];
        BD_TRY(batch_new(task, arena, &b->outer));
        for (size_t i = 0; i < INNER_BATCHES; i++)
            BD_TRY(batch_new(task, arena, &b->inner[i]));
        BD_NEW(arena, b->counts, task->units->n_units);
        BD_NEW(arena, b->source, units_scratch(task->units) + 1);
        BD_NEW(arena, b->copies, task->units->n_moments * KERNEL_UNITS);
        BD_NEW(arena, b->places, KERNEL_UNITS);
        BD_NEW(arena, b->values, task->statistic->n_values * CALIBRATED_INNER);
    }
    return BD_OK;
}

/* The same for every rank. */
static bool stopped(const bd_resampling_options *options)
{
    const bd_watch *watch = options->watch;
    const bool stop = watch != NULL && !watch->go_on(watch->context, options->n_replicates, options->n_replicates);
    return (options->team == NULL ? stop : options->team->largest(options->team->context, stop)) > 0;
}

/* Replicates first .. end, of which every rank does its part. */
static bd_status run_part(const batch_task *task, const bd_team *team, bench *benches, int n_threads, size_t first,
                          size_t end, size_t *starts, double *shares, size_t n_outer)
{
    const size_t n_ranks = team == NULL ? 1 : team->n_ranks, rank = team == NULL ? 0 : team->rank;
    for (size_t r = 0; r <= n_ranks; r++)
        starts[r] = first + (end - first) * r / n_ranks;
#pragma omp parallel for num_threads(n_threads) schedule(dynamic)
    for (size_t i = starts[rank]; i < starts[rank + 1]; i++)
        calibrate(task, &benches[omp_get_thread_num()], i, shares, n_outer);
    for (size_t v = 0; team != NULL && v < task->statistic->n_values; v++)
        BD_TRY(team->share(team->context, shares + v * n_outer, sizeof *shares, starts));
    return BD_OK;
}

bd_status find_inner_shares(const batch_task *task, const bd_resampling_options *options, int n_threads,
                            bd_arena *arena, bd_replicates *replicates)
{
    const size_t n = task->n_replicates < CALIBRATED_OUTER ? task->n_replicates : CALIBRATED_OUTER;
    const size_t n_ranks = options->team == NULL ? 1 : options->team->n_ranks, step = OUTER_AT_ONCE * n_ranks;
    double *shares;
    size_t *starts;
    bench *benches;
    BD_NEW(arena, shares, task->statistic->n_values * n);
    const bd_mark mark = bd_arena_mark(arena);
    BD_NEW(arena, starts, n_ranks + 1);
    BD_TRY(new_benches(task, n_threads, arena, &benches));
    BD_TRY(bd_team_agree(options->team));
    for (size_t first = 0; first < n; first += step) {
        if (stopped(options))
            return bd_fail(BD_ESTOPPED, "stopped after %zu of %zu samples of samples", first, n);
        BD_TRY(run_part(task, options->team, benches, n_threads, first, n - first < step ? n : first + step, starts,
                        shares, n));
    }
    bd_arena_rewind(arena, mark);
    replicates->inner_shares = shares;
    replicates->n_outer = n;
    replicates->n_inner = CALIBRATED_INNER;
    return BD_OK;
}

double share_cdf(const share_sample *sample, double level)
{
    const double n_inner = (double)sample->n_inner;
    double sum = 0;
    for (size_t i = 0; i < sample->n; i++)
        sum += fmin(fmax((n_inner + 1) * level - n_inner * sample->shares[i], 0), 1);
    return sum / (double)sample->n;
}

double share_quantile(const share_sample *sample, double p)
{
    double low = 0, high = 1;
    for (int i = 0; i < 50; i++) {
        const double middle = (low + high) / 2;
        *(share_cdf(sample, middle) < p ? &low : &high) = middle;
    }
    return (low + high) / 2;
}
