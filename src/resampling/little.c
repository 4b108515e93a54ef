/* The bag of little bootstraps: samples of the size of the data, drawn from small subsets of it. */
#include <bordin/resampling/resample.h>

#include <math.h>
#include <string.h>

#include <gsl/gsl_randist.h>
#include <omp.h>

#include <bordin/random/philox.h>

#include "resampling/batch.h"

enum { SUBSETS = 20 };
static const double size_power = 0.7; /* rows of a subset: n^0.7 */

typedef struct little {
    const bd_statistic *statistic;
    uint64_t seed;
    size_t n_rows, n_subset; /* rows of each subset */
    const size_t *subsets;   /* SUBSETS x n_subset */
    const double *estimates; /* of the full sample */
    double *centres;         /* SUBSETS x n_values: of the subsets */
    bool *usable;            /* SUBSETS */
    bd_replicates *out;
    double *values;
    uint8_t *ends;
} little;

/* What one thread works with. */
typedef struct bench {
    gsl_rng *rng;
    double *weights, *scratch, *values;
} bench;

static void free_rng(void *rng)
{
    gsl_rng_free(rng);
}

static bd_status new_benches(const little *l, int n_threads, bd_arena *arena, bench **benches)
{
    BD_NEW(arena, *benches, n_threads);
    for (int t = 0; t < n_threads; t++) {
        bench *b = &(*benches)[t];
        b->rng = gsl_rng_alloc(bd_rng_philox);
        if (b->rng == NULL)
            return bd_fail(BD_ENOMEM, "out of memory");
        BD_TRY(bd_arena_defer(arena, free_rng, b->rng));
        BD_NEW(arena, b->weights, l->n_rows);
        BD_NEW(arena, b->scratch, l->statistic->n_scratch + 1);
        BD_NEW(arena, b->values, l->statistic->n_values);
    }
    return BD_OK;
}

/* Rows without replacement, in their order. */
static bd_status choose_subsets(const little *l, bench *b, bd_arena *arena, const size_t **out)
{
    size_t *subsets, *all;
    BD_NEW(arena, subsets, SUBSETS * l->n_subset);
    BD_NEW(arena, all, l->n_rows);
    for (size_t i = 0; i < l->n_rows; i++)
        all[i] = i;
    for (uint32_t s = 0; s < SUBSETS; s++) {
        bd_rng_seek(b->rng, l->seed, s, 0, BD_PURPOSE_SUBSETS);
        gsl_ran_choose(b->rng, subsets + s * l->n_subset, l->n_subset, all, l->n_rows, sizeof *all);
    }
    *out = subsets;
    return BD_OK;
}

static void clear(const little *l, const size_t *rows, bench *b)
{
    for (size_t i = 0; i < l->n_subset; i++)
        b->weights[rows[i]] = 0;
}

/* As if every row of the subset were n / b rows. */
static void centre(const little *l, size_t s, bench *b)
{
    const size_t *rows = l->subsets + s * l->n_subset, n_values = l->statistic->n_values;
    for (size_t i = 0; i < l->n_subset; i++)
        b->weights[rows[i]] = (double)l->n_rows / (double)l->n_subset;
    l->usable[s] = l->statistic->from_weights(l->statistic->context, b->weights, b->scratch,
                                              l->centres + s * n_values, NULL) == BD_REPLICATE_USABLE;
    clear(l, rows, b);
}

/* Replicate r belongs to subset r modulo SUBSETS, so that all subsets count alike however many there are. */
static void replicate(const little *l, size_t r, bench *b)
{
    const size_t s = r % SUBSETS, *rows = l->subsets + s * l->n_subset, n_values = l->statistic->n_values;
    unsigned left = (unsigned)l->n_rows;
    bd_rng_seek(b->rng, l->seed, (uint32_t)r, 1, BD_PURPOSE_SUBSETS);
    for (size_t i = 0; i < l->n_subset; i++) {
        const size_t rest = l->n_subset - i;
        const unsigned drawn = rest == 1 ? left : gsl_ran_binomial(b->rng, 1 / (double)rest, left);
        b->weights[rows[i]] = drawn;
        left -= drawn;
    }
    const bd_replicate_end end =
        l->usable[s] ? l->statistic->from_weights(l->statistic->context, b->weights, b->scratch, b->values, NULL)
                     : BD_REPLICATE_DIVERGED;
    clear(l, rows, b);
    l->ends[r] = (uint8_t)end;
    for (size_t v = 0; v < n_values; v++)
        l->values[v * l->out->n_replicates + r] =
            end == BD_REPLICATE_USABLE ? l->estimates[v] + b->values[v] - l->centres[s * n_values + v] : NAN;
}

static bd_status full_sample(const little *l, bench *b, bd_arena *arena, const double **estimates)
{
    double *values;
    BD_NEW(arena, values, l->statistic->n_values);
    for (size_t i = 0; i < l->n_rows; i++)
        b->weights[i] = 1;
    const bd_replicate_end end =
        l->statistic->from_weights(l->statistic->context, b->weights, b->scratch, values, NULL);
    memset(b->weights, 0, l->n_rows * sizeof *b->weights);
    if (end != BD_REPLICATE_USABLE)
        return bd_fail(BD_ENUMERIC, "the sample itself cannot be estimated (%s)", bd_replicate_end_name(end));
    *estimates = values;
    return BD_OK;
}

static bd_status begin(little *l, size_t n_replicates, bd_arena *arena)
{
    const size_t n_values = l->statistic->n_values;
    BD_NEW(arena, l->out, 1);
    BD_NEW(arena, l->values, n_values * n_replicates);
    BD_NEW(arena, l->ends, n_replicates);
    BD_NEW(arena, l->centres, SUBSETS * n_values);
    BD_NEW(arena, l->usable, SUBSETS);
    *l->out = (bd_replicates){.n_values = n_values, .n_replicates = n_replicates, .n_units = l->n_rows,
                              .names = l->statistic->names, .values = l->values, .ends = l->ends};
    return BD_OK;
}

bd_status bd_little_bootstraps(const bd_statistic *statistic, const bd_resampling_options *options, bd_arena *arena,
                               const bd_replicates **replicates)
{
    const int n_threads = options->n_threads > 0 ? options->n_threads : omp_get_max_threads();
    const size_t n_rows = statistic->columns->n_rows;
    little l = {.statistic = statistic, .seed = options->seed, .n_rows = n_rows,
                .n_subset = (size_t)ceil(pow((double)n_rows, size_power))};
    bench *benches;
    if (statistic->from_weights == NULL)
        return bd_fail(BD_EUSAGE, "little bootstraps are for what cannot be had from moments; here the exact bootstrap of "
                                  "rows is faster");
    BD_TRY(begin(&l, options->n_replicates, arena));
    BD_TRY(new_benches(&l, n_threads, arena, &benches));
    BD_TRY(full_sample(&l, &benches[0], arena, &l.estimates));
    l.out->estimates = l.estimates;
    BD_TRY(choose_subsets(&l, &benches[0], arena, &l.subsets));
#pragma omp parallel num_threads(n_threads)
    {
        bench *b = &benches[omp_get_thread_num()];
#pragma omp for schedule(dynamic)
        for (size_t s = 0; s < SUBSETS; s++)
            centre(&l, s, b);
#pragma omp for schedule(dynamic)
        for (size_t r = 0; r < options->n_replicates; r++)
            replicate(&l, r, b);
    }
    l.out->n_subset = l.n_subset;
    *replicates = l.out;
    return count_replicates(l.out, options->max_failed, arena);
}
