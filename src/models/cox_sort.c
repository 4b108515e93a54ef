/* Rows by stratum and descending time: a radix sort, for a million rows are sorted once for every fit. */
#include <string.h>

#include "models/cox_internal.h"

enum { DIGIT = 11, N_DIGITS = 6, N_BUCKETS = 1 << DIGIT };

typedef struct item {
    uint64_t key;
    uint32_t row;
} item;

/* Greater times have smaller keys; 0 and -0 are one. */
static uint64_t descending_key(double time)
{
    uint64_t bits;
    time += 0.0;
    memcpy(&bits, &time, sizeof bits);
    const uint64_t ascending = bits >> 63 ? ~bits : bits | (UINT64_C(1) << 63);
    return ~ascending;
}

/* One stable pass by a digit; false: all items share it, and nothing was moved. */
static bool pass(size_t n, const item *from, const uint32_t *counts, int shift, item *to)
{
    uint32_t places[N_BUCKETS], total = 0;
    if (counts[(from[0].key >> shift) & (N_BUCKETS - 1)] == n)
        return false;
    for (size_t b = 0; b < N_BUCKETS; b++) {
        places[b] = total;
        total += counts[b];
    }
    for (size_t i = 0; i < n; i++)
        to[places[(from[i].key >> shift) & (N_BUCKETS - 1)]++] = from[i];
    return true;
}

static bd_status by_stratum(size_t n, const item *items, const uint32_t *strata, size_t n_strata, bd_arena *arena,
                            uint32_t *order)
{
    uint32_t *places;
    BD_NEW(arena, places, n_strata + 1);
    for (size_t i = 0; i < n; i++)
        places[strata[i] + 1]++;
    for (size_t s = 0; s < n_strata; s++)
        places[s + 1] += places[s];
    for (size_t i = 0; i < n; i++)
        order[places[strata[items[i].row]]++] = items[i].row;
    return BD_OK;
}

bd_status cox_sort(size_t n, const double *times, const uint32_t *strata, size_t n_strata, bd_arena *arena,
                   uint32_t *order)
{
    const bd_mark scratch = bd_arena_mark(arena);
    item *items, *others;
    uint32_t *counts;
    if (n == 0)
        return BD_OK;
    BD_NEW(arena, items, n);
    BD_NEW(arena, others, n);
    BD_NEW(arena, counts, N_DIGITS * N_BUCKETS);
    for (size_t i = 0; i < n; i++) {
        items[i] = (item){descending_key(times[i]), (uint32_t)i};
        for (int d = 0; d < N_DIGITS; d++)
            counts[d * N_BUCKETS + (int)((items[i].key >> (d * DIGIT)) & (N_BUCKETS - 1))]++;
    }
    for (int d = 0; d < N_DIGITS; d++)
        if (pass(n, items, counts + d * N_BUCKETS, d * DIGIT, others)) {
            item *swap = items;
            items = others;
            others = swap;
        }
    if (strata != NULL)
        BD_TRY(by_stratum(n, items, strata, n_strata, arena, order));
    else
        for (size_t i = 0; i < n; i++)
            order[i] = items[i].row;
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}
