/* Coarse data: of rows that are the same, how many are drawn is a binomial number, and one multiplication serves all. */
#include "resampling/distinct.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_randist.h>
#include <omp.h>

#include <bordin/random/philox.h>

#include "core/dot.h"

/* A binomial number takes as long as drawing about so many rows one by one. */
enum { ROWS_PER_BINOMIAL = 60, FEWEST_ROWS = 2000 };

/* Distinct rows by open addressing; slots hold their number + 1. */
typedef struct row_set {
    const bd_columns *columns;
    const uint32_t *strata; /* or NULL */
    uint32_t *slots;
    size_t n_slots, most, n;
    size_t *rows; /* `most`: the first of each kind */
    double *frequencies;
} row_set;

/* Bits that differ where numbers differ; 0 and -0 are one number. */
static uint64_t bits_of(const double *values, size_t row)
{
    const double value = values == NULL ? 0 : values[row] + 0.0;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t hash_of(const row_set *set, size_t row)
{
    const bd_columns *c = set->columns;
    uint64_t hash = set->strata == NULL ? 0 : set->strata[row];
    for (size_t j = 0; j <= c->n_columns; j++) {
        hash ^= bits_of(j < c->n_columns ? c->values[j] : c->weights, row);
        hash *= 0x9e3779b97f4a7c15;
        hash ^= hash >> 29;
    }
    return hash;
}

static bool same(const row_set *set, size_t a, size_t b)
{
    const bd_columns *c = set->columns;
    if (set->strata != NULL && set->strata[a] != set->strata[b])
        return false;
    for (size_t j = 0; j < c->n_columns; j++)
        if (bits_of(c->values[j], a) != bits_of(c->values[j], b))
            return false;
    return bits_of(c->weights, a) == bits_of(c->weights, b);
}

/* False when there are too many. */
static bool add(row_set *set, size_t row)
{
    size_t at = (size_t)hash_of(set, row) & (set->n_slots - 1);
    while (set->slots[at] != 0 && !same(set, set->rows[set->slots[at] - 1], row))
        at = (at + 1) & (set->n_slots - 1);
    if (set->slots[at] == 0) {
        if (set->n == set->most)
            return false;
        set->rows[set->n] = row;
        set->slots[at] = (uint32_t)++set->n;
    }
    set->frequencies[set->slots[at] - 1]++;
    return true;
}

bd_status bd_units_of_distinct_rows(const bd_columns *columns, const bd_membership *strata, const double *triangle,
                                    int n_threads, bd_arena *arena, const bd_units **units)
{
    row_set set = {.columns = columns, .strata = strata ? strata->codes : NULL, .n_slots = 1};
    set.most = columns->n_rows / ROWS_PER_BINOMIAL;
    *units = NULL;
    if (columns->n_rows < FEWEST_ROWS || columns->n_columns == 0)
        return BD_OK;
    while (set.n_slots < 2 * set.most)
        set.n_slots *= 2;
    const bd_mark mark = bd_arena_mark(arena);
    BD_NEW(arena, set.rows, set.most);
    BD_NEW(arena, set.frequencies, set.most);
    BD_NEW(arena, set.slots, set.n_slots);
    for (size_t i = 0; i < columns->n_rows; i++)
        if (!add(&set, i)) {
            bd_arena_rewind(arena, mark);
            return BD_OK;
        }
    return units_of_kinds(columns, strata, triangle, &(unit_kinds){set.n, set.rows, set.frequencies}, n_threads, arena,
                          units);
}

void distinct_draw(const bd_units *units, uint64_t seed, size_t replicate, gsl_rng *rng, double *counts)
{
    bd_rng_seek(rng, seed, (uint32_t)replicate, 0, BD_PURPOSE_FREQUENCIES);
    for (size_t s = 0; s < units->n_strata; s++) {
        const size_t first = units->blocks[units->strata[s].first_block].first, end = first + units->strata[s].n_units;
        double rows = 0;
        for (size_t u = first; u < end; u++)
            rows += units->frequencies[u];
        unsigned left = (unsigned)rows;
        for (size_t u = first; u < end; u++) {
            const double share = units->frequencies[u] / rows;
            const unsigned drawn = share >= 1 ? left : gsl_ran_binomial(rng, share, left);
            counts[u] = drawn;
            left -= drawn;
            rows -= units->frequencies[u];
        }
    }
}

bd_status distinct_run(const batch_task *task, batch_workspace *workspaces, int n_threads, size_t first, size_t end,
                       bd_arena *arena)
{
    const bd_units *units = task->units;
    const bd_mark mark = bd_arena_mark(arena);
    batch *batches;
    BD_NEW(arena, batches, n_threads);
    for (int t = 0; t < n_threads; t++)
        BD_TRY(batch_new(task, arena, &batches[t]));
#pragma omp parallel for num_threads(n_threads) schedule(dynamic, 16) if (end - first > 1)
    for (size_t i = first; i < end; i++) {
        batch_workspace *work = &workspaces[omp_get_thread_num()];
        batch *b = &batches[omp_get_thread_num()];
        b->first = i;
        b->n = 1;
        batch_begin(task, work, b);
        distinct_draw(units, task->seed, i, work->rng, work->of_units);
        for (size_t k = 0; k < units->n_blocks; k++) {
            size_t stride;
            const double *moments = units_moments(units, k, NULL, &stride);
            for (size_t m = 0; m < units->n_moments; m++)
                b->sums[m * KERNEL_LANES] +=
                    dot(work->of_units + units->blocks[k].first, moments + m * stride, units->blocks[k].n);
        }
        batch_finish(task, work, b);
    }
    bd_arena_rewind(arena, mark);
    return BD_OK;
}
