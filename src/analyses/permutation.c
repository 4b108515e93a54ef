/* Freedman and Lane's permutation tests: t of permuted residuals from their products with an orthonormal basis. */
#include <bordin/analyses/permutation.h>

#include <float.h>
#include <math.h>
#include <string.h>

#include <gsl/gsl_rng.h>
#include <omp.h>

#include <bordin/random/philox.h>

#include "core/dot.h"

/* One coefficient's test: an orthonormal basis of the other columns and then of what its own adds to them, and the residuals
 * of the outcome on the others. With c = basis' e for permuted residuals e, t^2 = df c_last^2 / (e'e - c'c). */
typedef struct fit {
    size_t n, p;
    double *basis; /* p x n */
    double *residuals;
    double squares; /* residuals'residuals */
    double share;   /* c_last^2 / (e'e - c'c) of the data */
} fit;

/* Rows in the order of strata, and where each begins. */
typedef struct blocks {
    size_t *order, *starts, n;
} blocks;

typedef struct worker {
    gsl_rng *rng;
    double *permuted;
    uint32_t *places;
} worker;

static void free_rng(void *rng)
{
    gsl_rng_free(rng);
}

static bd_status new_workers(size_t n_rows, size_t n_workers, bd_arena *arena, worker **out)
{
    worker *workers;
    BD_NEW(arena, workers, n_workers);
    for (size_t i = 0; i < n_workers; i++) {
        workers[i].rng = gsl_rng_alloc(bd_rng_philox);
        if (workers[i].rng == NULL)
            return bd_fail(BD_ENOMEM, "out of memory");
        BD_TRY(bd_arena_defer(arena, free_rng, workers[i].rng));
        BD_NEW(arena, workers[i].permuted, n_rows);
        BD_NEW(arena, workers[i].places, n_rows);
    }
    *out = workers;
    return BD_OK;
}

static bd_status sort_by_stratum(size_t n_rows, const bd_membership *strata, bd_arena *arena, blocks *out)
{
    const size_t n = strata == NULL ? 1 : strata->n_levels;
    size_t *next, largest = 0;
    BD_NEW(arena, out->order, n_rows);
    BD_NEW(arena, out->starts, n + 1);
    BD_NEW(arena, next, n);
    out->n = n;
    for (size_t i = 0; i < n_rows; i++)
        out->starts[(strata == NULL ? 0 : strata->codes[i]) + 1]++;
    for (size_t s = 0; s < n; s++) {
        largest = out->starts[s + 1] > largest ? out->starts[s + 1] : largest;
        out->starts[s + 1] += out->starts[s];
        next[s] = out->starts[s];
    }
    for (size_t i = 0; i < n_rows; i++)
        out->order[next[strata == NULL ? 0 : strata->codes[i]]++] = i;
    if (largest < 2)
        return bd_fail(BD_EDATA, "every stratum is a single row: there is nothing to permute");
    return BD_OK;
}

/* places <- a permutation of the rows within each block, by Fisher and Yates. */
static void shuffle(const blocks *strata, uint64_t seed, size_t number, worker *w)
{
    bd_rng_seek(w->rng, seed, (uint32_t)number, 0, BD_PURPOSE_PERMUTE);
    for (size_t s = 0; s < strata->n; s++) {
        const size_t first = strata->starts[s];
        for (size_t i = first; i < strata->starts[s + 1]; i++) {
            const size_t j = first + bd_random_below(w->rng, (uint32_t)(i - first + 1));
            w->places[i] = w->places[j];
            w->places[j] = (uint32_t)i;
        }
    }
}

/* c_last^2 / (e'e - c'c), which orders permutations as |t| does. */
static double share_of(const fit *f, const double *residuals)
{
    double left = f->squares, last = 0;
    for (size_t k = 0; k < f->p; k++) {
        last = dot(f->basis + k * f->n, residuals, f->n);
        left -= last * last;
    }
    return left > 0 ? last * last / left : INFINITY;
}

/* basis <- the columns (NULL: the constant), made orthonormal in turn, twice; then the response's residuals on all but the
 * last of them. */
static void orthogonalise(const double *const *columns, const size_t *order, fit *f)
{
    for (size_t k = 0; k <= f->p; k++) {
        double *q = k < f->p ? f->basis + k * f->n : f->residuals;
        for (size_t i = 0; i < f->n; i++)
            q[i] = columns[k] == NULL ? 1 : columns[k][order[i]];
        for (int pass = 0; pass < 2; pass++)
            for (size_t j = 0; j < (k < f->p ? k : f->p - 1); j++) {
                const double *other = f->basis + j * f->n, product = dot(other, q, f->n);
                for (size_t i = 0; i < f->n; i++)
                    q[i] -= product * other[i];
            }
        const double length = sqrt(dot(q, q, f->n));
        for (size_t i = 0; i < f->n && k < f->p; i++)
            q[i] /= length;
    }
    f->squares = dot(f->residuals, f->residuals, f->n);
    f->share = share_of(f, f->residuals);
}

static bd_status new_fit(const bd_ols_design *design, size_t coefficient, const blocks *strata, bd_arena *arena, fit *f)
{
    const double **columns;
    const size_t p = design->n_columns;
    *f = (fit){.n = design->n_rows, .p = p};
    BD_NEW(arena, columns, p + 1);
    BD_NEW(arena, f->basis, p * design->n_rows);
    BD_NEW(arena, f->residuals, design->n_rows);
    for (size_t j = 0, k = 0; j < p; j++)
        if (j != coefficient)
            columns[k++] = design->columns[j];
    columns[p - 1] = design->columns[coefficient];
    columns[p] = design->response;
    orthogonalise(columns, strata->order, f);
    double scale = 0;
    for (size_t i = 0; i < f->n; i++)
        scale += design->response[i] * design->response[i];
    if (f->squares <= scale * (double)f->n * DBL_EPSILON * DBL_EPSILON)
        return bd_fail(BD_ENUMERIC, "the other predictors explain '%s' perfectly: '%s' cannot be tested by permutation",
                       design->response_name, design->names[coefficient]);
    return BD_OK;
}

/* How many permutations are as extreme as the data; ties in exact arithmetic are ties here too. */
static size_t count_extreme(const fit *f, const blocks *strata, const bd_permutation_options *options, int n_threads,
                            worker *workers)
{
    const double enough = f->share * (1 - 1e-10);
    size_t n_extreme = 0;
#pragma omp parallel for num_threads(n_threads) schedule(static) reduction(+ : n_extreme)
    for (size_t number = 0; number < options->n_permutations; number++) {
        worker *w = &workers[omp_get_thread_num()];
        shuffle(strata, options->seed, number, w);
        for (size_t i = 0; i < f->n; i++)
            w->permuted[i] = f->residuals[w->places[i]];
        n_extreme += share_of(f, w->permuted) >= enough;
    }
    return n_extreme;
}

bd_status bd_permute(const bd_ols_design *design, const bd_membership *strata, const bd_permutation_options *options,
                     bd_arena *arena, const bd_permutation **out)
{
    const int n_threads = options->n_threads > 0 ? options->n_threads : omp_get_max_threads();
    bd_permutation *result;
    blocks rows;
    worker *workers = NULL;
    double *t, *p;
    if (options->n_permutations == 0 || options->n_permutations > UINT32_MAX || design->n_rows > UINT32_MAX)
        return bd_fail(BD_EUSAGE, "%zu is not a number of permutations", options->n_permutations);
    if (design->weights != NULL)
        return bd_fail(BD_EUSAGE, "residuals with weights cannot be exchanged: there is no permutation test with weights");
    BD_NEW(arena, result, 1);
    BD_NEW(arena, t, design->n_columns);
    BD_NEW(arena, p, design->n_columns);
    const bd_mark mark = bd_arena_mark(arena);
    BD_TRY(sort_by_stratum(design->n_rows, strata, arena, &rows));
    BD_TRY(new_workers(design->n_rows, (size_t)n_threads, arena, &workers));
    const double df = (double)(design->n_rows - design->n_columns);
    for (size_t j = 0; j < design->n_columns; j++) {
        t[j] = p[j] = NAN;
        if (design->columns[j] == NULL)
            continue;
        const bd_mark scratch = bd_arena_mark(arena);
        fit f;
        BD_TRY(new_fit(design, j, &rows, arena, &f));
        const size_t n_extreme = count_extreme(&f, &rows, options, n_threads, workers);
        t[j] = copysign(sqrt(df * f.share), dot(f.basis + (f.p - 1) * f.n, f.residuals, f.n));
        p[j] = (1 + (double)n_extreme) / (1 + (double)options->n_permutations);
        bd_arena_rewind(arena, scratch);
    }
    bd_arena_rewind(arena, mark);
    *result = (bd_permutation){
        .n_columns = design->n_columns, .n_permutations = options->n_permutations, .t = t, .p = p};
    *out = result;
    return BD_OK;
}
