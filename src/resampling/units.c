/* Units: rows or clusters in blocks within strata, and their moments in rotated columns. */
#include "resampling/units.h"

#include <string.h>

#include <omp.h>

#include "resampling/kernel.h"

enum { KEPT_DOUBLES = 1 << 19 }; /* moments of rows are kept when they are no more than this */

static double *z_column(double *z, size_t j)
{
    return z + j * KERNEL_UNITS;
}

/* z <- the rotated columns of some rows, `z_column`s. */
static void rotate(const bd_columns *columns, const double *rotation, const size_t *rows, size_t first, size_t n,
                   double *z)
{
    const size_t q = columns->n_columns;
    for (size_t j = 0; j < q; j++) {
        const double *values = columns->values[j];
        double *out = z_column(z, j);
        for (size_t i = 0; i < n; i++)
            out[i] = values == NULL ? 1 : values[rows == NULL ? first + i : rows[first + i]];
        for (size_t k = 0; k < j; k++) {
            const double factor = rotation[k * q + j];
            const double *other = z_column(z, k);
            for (size_t i = 0; i < n; i++)
                out[i] -= factor * other[i];
        }
        const double divisor = rotation[j * q + j];
        for (size_t i = 0; i < n; i++)
            out[i] /= divisor;
    }
}

/* moments[m * stride + i] <- product m of row i, times its weight. `z` holds q + 1 columns. */
static void form_moments(const bd_columns *columns, const double *rotation, const size_t *rows, size_t first, size_t n,
                         size_t stride, double *z, double *moments)
{
    const size_t q = columns->n_columns;
    rotate(columns, rotation, rows, first, n, z);
    double *weighted = z_column(z, q);
    for (size_t a = 0; a < q; a++) {
        const double *left = z_column(z, a);
        for (size_t i = 0; i < n; i++)
            weighted[i] = columns->weights == NULL
                              ? left[i]
                              : left[i] * columns->weights[rows == NULL ? first + i : rows[first + i]];
        for (size_t b = a; b < q; b++, moments += stride) {
            const double *right = z_column(z, b);
            for (size_t i = 0; i < n; i++)
                moments[i] = kernel_moment(weighted[i] * right[i]);
        }
    }
}

size_t units_scratch(const bd_units *units)
{
    return units->moments != NULL ? 0 : (units->n_moments + units->q + 1) * KERNEL_UNITS;
}

void units_form(const bd_units *units, size_t block, double *scratch, double *moments)
{
    const unit_block *b = &units->blocks[block];
    form_moments(units->columns, units->rotation, units->order, b->first, b->n, KERNEL_UNITS, scratch, moments);
}

const double *units_moments(const bd_units *units, size_t block, double *scratch, size_t *stride)
{
    const unit_block *b = &units->blocks[block];
    if (units->moments != NULL) {
        *stride = b->n;
        return units->moments + b->first * units->n_moments;
    }
    *stride = KERNEL_UNITS;
    units_form(units, block, scratch + units->n_moments * KERNEL_UNITS, scratch);
    return scratch; /* the padding behind the products is as zero as it was allocated */
}

/* Stable order of units by stratum; NULL when they are in it already. */
static bd_status order_by_stratum(const uint32_t *codes, size_t n, const size_t *sizes, size_t n_strata,
                                  bd_arena *arena, const size_t **out)
{
    bool sorted = true;
    for (size_t i = 1; i < n && sorted; i++)
        sorted = codes[i - 1] <= codes[i];
    *out = NULL;
    if (sorted)
        return BD_OK;
    size_t *order, *next;
    BD_NEW(arena, order, n);
    BD_NEW(arena, next, n_strata);
    for (size_t s = 1; s < n_strata; s++)
        next[s] = next[s - 1] + sizes[s - 1];
    for (size_t i = 0; i < n; i++)
        order[next[codes[i]]++] = i;
    *out = order;
    return BD_OK;
}

/* Blocks of at most KERNEL_UNITS that do not cross strata. */
static bd_status cut(bd_units *units, const size_t *sizes, bd_arena *arena)
{
    unit_stratum *strata;
    unit_block *blocks = NULL;
    size_t capacity = 0, first = 0;
    BD_NEW(arena, strata, units->n_strata);
    for (size_t s = 0; s < units->n_strata; s++) {
        strata[s] = (unit_stratum){.first_block = units->n_blocks, .n_units = sizes[s]};
        for (size_t left = sizes[s]; left > 0;) {
            const unit_block block = {first, left < KERNEL_UNITS ? left : KERNEL_UNITS};
            BD_PUSH(arena, blocks, units->n_blocks, capacity, block);
            first += block.n;
            left -= block.n;
        }
        strata[s].n_blocks = units->n_blocks - strata[s].first_block;
    }
    units->strata = strata;
    units->blocks = blocks;
    return BD_OK;
}

/* `codes` NULL: one stratum. */
static bd_status arrange(bd_units *units, const uint32_t *codes, size_t n_strata, bd_arena *arena)
{
    size_t *sizes;
    units->n_strata = codes == NULL ? 1 : n_strata;
    BD_NEW(arena, sizes, units->n_strata);
    if (codes == NULL)
        sizes[0] = units->n_units;
    for (size_t i = 0; codes != NULL && i < units->n_units; i++)
        sizes[codes[i]]++;
    for (size_t s = 0; s < units->n_strata; s++)
        if (sizes[s] == 0)
            return bd_fail(BD_EDATA, "a stratum has nothing to draw");
    for (size_t s = 0; s < units->n_strata; s++)
        units->n_alone += sizes[s] == 1;
    if (codes != NULL)
        BD_TRY(order_by_stratum(codes, units->n_units, sizes, n_strata, arena, &units->order));
    return cut(units, sizes, arena);
}

static bd_status begin(const bd_columns *columns, const double *triangle, size_t n_units, bd_arena *arena,
                       bd_units **out)
{
    const size_t q = columns->n_columns, products = q * (q + 1) / 2;
    bd_units *units;
    double *rotation, *full;
    if (columns->n_rows > UINT32_MAX)
        return bd_fail(BD_EDATA, "%zu rows are more than can be resampled (%u)", columns->n_rows, UINT32_MAX);
    BD_NEW(arena, units, 1);
    BD_NEW(arena, rotation, q * q);
    BD_NEW(arena, full, q * q);
    if (q > 0)
        memcpy(rotation, triangle, q * q * sizeof *rotation);
    for (size_t j = 0; j < q; j++) {
        const bool varies = triangle[j * q + j] > 0;
        full[j * q + j] = varies ? 1 : 0;
        if (!varies)
            rotation[j * q + j] = 1;
    }
    *units = (bd_units){
        .n_units = n_units,
        .q = q,
        .n_moments = (products + KERNEL_TILE - 1) / KERNEL_TILE * KERNEL_TILE,
        .rotation = rotation,
        .full = full,
    };
    *out = units;
    return BD_OK;
}

/* Strata of one unit each would give the data again. */
static bd_status check_strata(const bd_units *units)
{
    if (units->n_alone == units->n_units)
        return bd_fail(BD_EDATA, "every stratum has a single unit to draw, so that each sample would be the data again");
    return BD_OK;
}

static int threads(int n_threads)
{
    return n_threads > 0 ? n_threads : omp_get_max_threads();
}

static bd_status keep_moments(bd_units *units, int n_threads, bd_arena *arena)
{
    const size_t scratch_size = (units->q + 1) * KERNEL_UNITS;
    double *moments, *scratch;
    BD_NEW(arena, moments, units->n_units * units->n_moments);
    BD_NEW(arena, scratch, scratch_size * (size_t)n_threads);
#pragma omp parallel for num_threads(n_threads) schedule(static) if (units->n_blocks > 1)
    for (size_t b = 0; b < units->n_blocks; b++) {
        const unit_block *block = &units->blocks[b];
        form_moments(units->columns, units->rotation, units->order, block->first, block->n, block->n,
                     scratch + scratch_size * (size_t)omp_get_thread_num(), moments + block->first * units->n_moments);
    }
    units->moments = moments;
    return BD_OK;
}

static bd_status rows_within(const bd_columns *columns, const bd_membership *strata, const double *triangle,
                             int n_threads, bd_arena *arena, bd_units **out)
{
    bd_units *units;
    BD_TRY(begin(columns, triangle, columns->n_rows, arena, &units));
    BD_TRY(arrange(units, strata ? strata->codes : NULL, strata ? strata->n_levels : 1, arena));
    units->columns = columns;
    if (units->n_units * units->n_moments <= KEPT_DOUBLES)
        BD_TRY(keep_moments(units, threads(n_threads), arena));
    *out = units;
    return BD_OK;
}

bd_status bd_units_of_rows(const bd_columns *columns, const bd_membership *strata, const double *triangle,
                           int n_threads, bd_arena *arena, const bd_units **out)
{
    bd_units *units;
    BD_TRY(rows_within(columns, strata, triangle, n_threads, arena, &units));
    *out = units;
    return check_strata(units);
}

/* In the order of blocks: which row of the data each kind's is, and its frequency. */
static bd_status place_kinds(bd_units *units, const unit_kinds *kinds, bd_arena *arena)
{
    size_t *rows;
    double *frequencies;
    BD_NEW(arena, rows, kinds->n);
    BD_NEW(arena, frequencies, kinds->n);
    for (size_t i = 0; i < kinds->n; i++) {
        const size_t kind = units_at(units, i);
        rows[i] = kinds->rows[kind];
        frequencies[i] = kinds->frequencies[kind];
        units->n_counted += (size_t)frequencies[i];
    }
    units->order = rows;
    units->frequencies = frequencies;
    units->n_alone = 0;
    for (size_t s = 0; s < units->n_strata; s++) {
        const unit_stratum *stratum = &units->strata[s];
        units->n_alone += stratum->n_units == 1 && frequencies[units->blocks[stratum->first_block].first] == 1;
    }
    return BD_OK;
}

bd_status units_of_kinds(const bd_columns *columns, const bd_membership *strata, const double *triangle,
                         const unit_kinds *kinds, int n_threads, bd_arena *arena, const bd_units **out)
{
    bd_units *units;
    uint32_t *codes = NULL;
    BD_TRY(begin(columns, triangle, kinds->n, arena, &units));
    if (strata != NULL)
        BD_NEW(arena, codes, kinds->n);
    for (size_t i = 0; strata != NULL && i < kinds->n; i++)
        codes[i] = strata->codes[kinds->rows[i]];
    BD_TRY(arrange(units, codes, strata ? strata->n_levels : 1, arena));
    BD_TRY(place_kinds(units, kinds, arena));
    units->columns = columns;
    BD_TRY(keep_moments(units, threads(n_threads), arena));
    *out = units;
    return BD_OK;
}

static bd_status cluster_strata(const bd_membership *clusters, const bd_membership *strata, size_t n_rows,
                                bd_arena *arena, const uint32_t **out)
{
    uint32_t *codes;
    BD_NEW(arena, codes, clusters->n_levels);
    for (size_t c = 0; c < clusters->n_levels; c++)
        codes[c] = UINT32_MAX;
    for (size_t i = 0; i < n_rows; i++) {
        uint32_t *code = &codes[clusters->codes[i]];
        if (*code != UINT32_MAX && *code != strata->codes[i])
            return bd_fail(BD_EDATA, "a cluster lies in two strata; clusters are drawn whole, so each must be within one");
        *code = strata->codes[i];
    }
    *out = codes;
    return BD_OK;
}

/* Rows in the order of their clusters, and where each cluster begins (n_levels + 1). */
static bd_status rows_by_cluster(const bd_membership *clusters, size_t n_rows, bd_arena *arena, size_t **rows,
                                 size_t **starts)
{
    size_t *next;
    BD_NEW(arena, *rows, n_rows);
    BD_NEW(arena, *starts, clusters->n_levels + 1);
    BD_NEW(arena, next, clusters->n_levels + 1);
    for (size_t i = 0; i < n_rows; i++)
        (*starts)[clusters->codes[i] + 1]++;
    for (size_t c = 0; c < clusters->n_levels; c++)
        (*starts)[c + 1] += (*starts)[c];
    memcpy(next, *starts, (clusters->n_levels + 1) * sizeof *next);
    for (size_t i = 0; i < n_rows; i++)
        (*rows)[next[clusters->codes[i]]++] = i;
    return BD_OK;
}

/* The moments of one cluster, `stride` apart, from its rows in order. */
static void sum_cluster(const bd_units *units, const bd_columns *columns, const size_t *rows, size_t n, double *scratch,
                        size_t stride, double *sums)
{
    double *z = scratch, *moments = scratch + (units->q + 1) * KERNEL_UNITS;
    for (size_t from = 0; from < n; from += KERNEL_UNITS) {
        const size_t some = n - from < KERNEL_UNITS ? n - from : KERNEL_UNITS;
        form_moments(columns, units->rotation, rows, from, some, KERNEL_UNITS, z, moments);
        for (size_t m = 0; m < units->n_moments; m++) {
            double sum = 0;
            for (size_t i = 0; i < some; i++)
                sum += moments[m * KERNEL_UNITS + i];
            sums[m * stride] += sum;
        }
    }
    for (size_t m = 0; m < units->n_moments; m++)
        sums[m * stride] = kernel_moment(sums[m * stride]);
}

static bd_status sum_clusters(bd_units *units, const bd_columns *columns, const bd_membership *clusters, int n_threads,
                              bd_arena *arena)
{
    const size_t scratch_size = (units->n_moments + units->q + 1) * KERNEL_UNITS;
    size_t *rows, *starts;
    double *sums, *scratch;
    BD_NEW(arena, sums, units->n_units * units->n_moments);
    const bd_mark mark = bd_arena_mark(arena);
    BD_TRY(rows_by_cluster(clusters, columns->n_rows, arena, &rows, &starts));
    BD_NEW(arena, scratch, scratch_size * (size_t)n_threads);
#pragma omp parallel for num_threads(n_threads) schedule(dynamic) if (units->n_blocks > 1)
    for (size_t b = 0; b < units->n_blocks; b++) {
        const unit_block *block = &units->blocks[b];
        for (size_t i = 0; i < block->n; i++) {
            const size_t c = units->order == NULL ? block->first + i : units->order[block->first + i];
            sum_cluster(units, columns, rows + starts[c], starts[c + 1] - starts[c],
                        scratch + scratch_size * (size_t)omp_get_thread_num(), block->n,
                        sums + block->first * units->n_moments + i);
        }
    }
    bd_arena_rewind(arena, mark);
    units->moments = sums;
    return BD_OK;
}

bd_status bd_units_of_clusters(const bd_columns *columns, const bd_membership *clusters, const bd_membership *strata,
                               const double *triangle, int n_threads, bd_arena *arena, const bd_units **out)
{
    bd_units *units;
    const uint32_t *codes = NULL;
    if (clusters->n_levels < 2)
        return bd_fail(BD_EDATA, "resampling clusters needs at least two of them; there is %zu", clusters->n_levels);
    BD_TRY(begin(columns, triangle, clusters->n_levels, arena, &units));
    if (strata != NULL)
        BD_TRY(cluster_strata(clusters, strata, columns->n_rows, arena, &codes));
    BD_TRY(arrange(units, codes, strata ? strata->n_levels : 1, arena));
    BD_TRY(check_strata(units));
    units->clusters = clusters->codes;
    BD_TRY(sum_clusters(units, columns, clusters, threads(n_threads), arena));
    *out = units;
    return BD_OK;
}

bd_status bd_units_of_two_stages(const bd_columns *columns, const bd_membership *clusters, const bd_membership *strata,
                                 const double *triangle, int n_threads, bd_arena *arena, const bd_units **out)
{
    const bd_units *first_stage;
    bd_units *units;
    BD_TRY(bd_units_of_clusters(columns, clusters, strata, triangle, n_threads, arena, &first_stage));
    BD_TRY(rows_within(columns, clusters, triangle, n_threads, arena, &units));
    units->first_stage = first_stage;
    units->n_alone = first_stage->n_alone;
    *out = units;
    return BD_OK;
}

size_t bd_units_count(const bd_units *units)
{
    if (units->frequencies != NULL)
        return units->n_counted;
    return units->first_stage != NULL ? units->first_stage->n_units : units->n_units;
}

size_t bd_units_kinds(const bd_units *units)
{
    return units->frequencies != NULL ? units->n_units : 0;
}
