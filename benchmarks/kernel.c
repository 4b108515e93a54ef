/* What a replicate costs: nanoseconds per row and replicate on one core, whole and in its parts.
 *     bench_kernel [columns]         default: 6 columns, 21 moments */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bordin/random/normal.h>
#include <bordin/random/philox.h>
#include <bordin/resampling/resample.h>

#include "resampling/kernel.h"

enum { MOST_COLUMNS = 24, WORK = 2000 * 1000 * 1000, ROUNDS = 5 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The least work that can be done with a sample, so that drawing and adding up are what is timed. */
static bd_replicate_end first_entry(const void *context, const double *triangle, double *values, double *errors)
{
    (void)context;
    (void)errors;
    values[0] = triangle[0];
    return BD_REPLICATE_USABLE;
}

typedef struct sample {
    bd_arena *arena;
    bd_columns columns;
    const bd_units *units;
} sample;

static bd_status make(size_t n_rows, size_t n_columns, sample *s)
{
    const double **values;
    double *numbers, *triangle;
    BD_NEW(s->arena, values, n_columns);
    for (size_t j = 1; j < n_columns; j++) {
        BD_NEW(s->arena, numbers, n_rows);
        bd_random_normals(1, (uint32_t)j, BD_PURPOSE_SIMULATE, n_rows, numbers);
        values[j] = numbers;
    }
    s->columns = (bd_columns){.n_rows = n_rows, .n_columns = n_columns, .values = values};
    BD_TRY(bd_triangle_of(&s->columns, 1, s->arena, &triangle));
    return bd_units_of_rows(&s->columns, NULL, triangle, 1, s->arena, &s->units);
}

static bd_status time_whole(const sample *s, size_t n_replicates, int n_threads, double *seconds)
{
    static const char *const names[] = {"first"};
    const bd_statistic statistic = {
        .n_values = 1, .names = names, .columns = &s->columns, .constant_first = true, .from_moments = first_entry};
    bd_resampling_options options = BD_RESAMPLING_DEFAULTS;
    const bd_replicates *replicates;
    const bd_mark mark = bd_arena_mark(s->arena);
    options.n_replicates = n_replicates;
    options.n_threads = n_threads;
    const double start = now();
    BD_TRY(bd_resample(s->units, &statistic, &options, s->arena, &replicates));
    *seconds = now() - start;
    bd_arena_rewind(s->arena, mark);
    return BD_OK;
}

/* One group of replicates over one block, by parts; seconds for as many units as n_rows * n_replicates. */
static void time_parts(size_t n_rows, size_t n_replicates, size_t n_moments, double seconds[3])
{
    static _Alignas(64) double moments[(MOST_COLUMNS * (MOST_COLUMNS + 1) / 2 + KERNEL_TILE) * KERNEL_UNITS];
    static _Alignas(64) double sums[(MOST_COLUMNS * (MOST_COLUMNS + 1) / 2 + KERNEL_TILE) * KERNEL_LANES];
    static uint8_t counts[KERNEL_COUNTS * KERNEL_LANES];
    static uint64_t words[KERNEL_UNITS];
    const kernel *kernels[3];
    const kernel *k = kernels[kernels_here(kernels) - 1];
    const size_t n = n_rows < KERNEL_UNITS ? n_rows : KERNEL_UNITS, picks = n == KERNEL_UNITS ? 6 : 4;
    const size_t n_chunks = (n + 2 * KERNEL_CHUNK * picks - 1) / (2 * KERNEL_CHUNK * picks);
    const size_t n_groups = n_rows * n_replicates / (n * KERNEL_LANES);
    bd_random_normals(1, 1, BD_PURPOSE_SIMULATE, n_moments * n, moments);
    for (int part = 0; part < 3; part++) {
        const double start = now();
        for (size_t group = 0; group < n_groups; group++) {
            if (part == 0)
                for (uint32_t lane = 0; lane < KERNEL_LANES; lane++)
                    k->random(1, (uint32_t)group, lane, n_chunks, words);
            if (part == 1) {
                memset(counts, 0, sizeof counts);
                for (uint32_t lane = 0; lane < KERNEL_LANES; lane++)
                    k->draw(1, (uint32_t)group, lane, n, n, counts + lane);
            }
            if (part == 2)
                k->accumulate(counts, n, moments, n_moments, n, sums);
        }
        seconds[part] = now() - start;
    }
}

static int compare(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

/* Medians of interleaved rounds: whole on one core, on two, random numbers, random numbers and counts, multiply-add. */
static bd_status measure(size_t n_rows, size_t n_columns)
{
    const size_t n_moments = (n_columns * (n_columns + 1) / 2 + KERNEL_TILE - 1) / KERNEL_TILE * KERNEL_TILE;
    const size_t work = WORK / n_moments, n_replicates = work / n_rows < 128 ? 128 : work / n_rows / 128 * 128;
    double ns[5][ROUNDS];
    sample s = {.arena = bd_arena_new()};
    if (s.arena == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    BD_TRY(make(n_rows, n_columns, &s));
    for (size_t round = 0; round < ROUNDS; round++) {
        double seconds[5];
        BD_TRY(time_whole(&s, n_replicates, 1, &seconds[0]));
        BD_TRY(time_whole(&s, n_replicates, 2, &seconds[1]));
        time_parts(n_rows, n_replicates, n_moments, seconds + 2);
        for (size_t i = 0; i < 5; i++)
            ns[i][round] = 1e9 * seconds[i] / ((double)n_rows * (double)n_replicates);
    }
    for (size_t i = 0; i < 5; i++)
        qsort(ns[i], ROUNDS, sizeof ns[i][0], compare);
    const double *m[5] = {&ns[0][ROUNDS / 2], &ns[1][ROUNDS / 2], &ns[2][ROUNDS / 2], &ns[3][ROUNDS / 2],
                          &ns[4][ROUNDS / 2]};
    printf("%9zu %10zu %8.2f %10.2f %9.2f %13.2f %13.2f %12.2f\n", n_rows, n_replicates, *m[0], *m[2], *m[3] - *m[2],
           *m[4], *m[0] / (*m[3] + *m[4]), *m[0] / *m[1]);
    bd_arena_free(s.arena);
    return BD_OK;
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {300, 1000, 10000, 100000, 1000000, 10000000};
    const size_t n_columns = argc > 1 ? strtoul(argv[1], NULL, 10) : 6;
    const kernel *kernels[3];
    if (n_columns < 2 || n_columns > MOST_COLUMNS) {
        fprintf(stderr, "bench_kernel [columns, 2 to %d]\n", MOST_COLUMNS);
        return 2;
    }
    printf("%zu columns, %s; nanoseconds per row and replicate\n", n_columns, kernels[kernels_here(kernels) - 1]->name);
    printf("%9s %10s %8s %10s %9s %13s %13s %12s\n", "rows", "replicates", "whole", "random", "counts", "multiply-add",
           "whole / parts", "second core");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (measure(sizes[i], n_columns) != BD_OK) {
            fprintf(stderr, "%s\n", bd_message());
            return 1;
        }
    return 0;
}
