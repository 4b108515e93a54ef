/* Iterative refinement of least squares with residuals and cross-products in doubled precision. */
#include "models/ols_internal.h"

#include <float.h>
#include <string.h>

#include "core/doubled.h"

enum { LANES = 8, MOST_PASSES = 10 };

/* The sums over rows are compiled twice, with and without fused multiplication: the same bits, at another speed. */
#define INLINE static inline __attribute__((always_inline))

/* One pass over the rows at the coefficients b. */
typedef struct pass {
    ols_solution *solution;
    size_t p, n_blocks, block_rows, stride; /* doubled numbers per block */
    const doubled *b;
    bool with_products; /* also the cross-products of (columns, response) */
    doubled *sums;      /* n_blocks of: X'Wr (p), r'Wr, products ((p + 1) x (p + 1), upper half) */
} pass;

typedef struct chunk {
    double residual[OLS_CHUNK], residual_low[OLS_CHUNK];
    double weighted[OLS_CHUNK], weighted_low[OLS_CHUNK];
    double ones[OLS_CHUNK];
} chunk;

/* sum += (high + low)'x, products and sums without error but for those of the low parts.
 * Ogita, Rump & Oishi (2005), doi:10.1137/030601818. */
INLINE void add_dot(const double *high, const double *low, const double *x, size_t n, doubled *sum)
{
    double highs[LANES] = {0}, lows[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++) {
            const doubled product = doubled_product(high[i + l], x[i + l]);
            const doubled total = doubled_sum(highs[l], product.high);
            highs[l] = total.high;
            lows[l] += total.low + (product.low + low[i + l] * x[i + l]);
        }
    for (; i < n; i++) {
        const doubled product = doubled_multiply((doubled){high[i], low[i]}, (doubled){x[i], 0});
        *sum = doubled_add(*sum, product);
    }
    for (size_t l = 0; l < LANES; l++)
        *sum = doubled_add(*sum, doubled_sum(highs[l], lows[l]));
}

INLINE const double *column_at(const pass *a, const chunk *c, size_t j, size_t from)
{
    const bd_ols_design *design = a->solution->design;
    if (j == a->p)
        return design->response + from;
    if (design->columns[j] == NULL || (j == 0 && design->has_intercept))
        return c->ones;
    return design->columns[j] + from;
}

/* weighted <- weights * (high + low) */
INLINE void weigh(chunk *c, const double *weights, const double *high, const double *low, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double rest = low == NULL ? 0 : low[i];
        const doubled product = weights == NULL ? (doubled){high[i], rest} : doubled_product(weights[i], high[i]);
        c->weighted[i] = product.high;
        c->weighted_low[i] = weights == NULL ? rest : product.low + weights[i] * rest;
    }
}

INLINE void find_residuals(const pass *a, chunk *c, size_t from, size_t n)
{
    memcpy(c->residual, a->solution->design->response + from, n * sizeof *c->residual);
    memset(c->residual_low, 0, sizeof c->residual_low);
    for (size_t j = 0; j < a->p; j++) {
        const double *x = column_at(a, c, j, from);
        for (size_t i = 0; i < n; i++) {
            const doubled product = doubled_product(x[i], a->b[j].high);
            const doubled rest = doubled_sum(c->residual[i], -product.high);
            c->residual[i] = rest.high;
            c->residual_low[i] += rest.low - (product.low + x[i] * a->b[j].low);
        }
    }
    for (size_t i = 0; i < n; i++) {
        const doubled residual = doubled_sum(c->residual[i], c->residual_low[i]);
        c->residual[i] = residual.high;
        c->residual_low[i] = residual.low;
        a->solution->residuals[from + i] = residual.high;
    }
}

INLINE void add_chunk(const pass *a, chunk *c, size_t from, size_t n, doubled *sums)
{
    const double *weights = a->solution->design->weights;
    weights = weights == NULL ? NULL : weights + from;
    find_residuals(a, c, from, n);
    weigh(c, weights, c->residual, c->residual_low, n);
    for (size_t j = 0; j < a->p; j++)
        add_dot(c->weighted, c->weighted_low, column_at(a, c, j, from), n, sums + j);
    add_dot(c->weighted, c->weighted_low, c->residual, n, sums + a->p);
    if (!a->with_products)
        return;
    doubled *products = sums + a->p + 1;
    for (size_t i = 0; i <= a->p; i++) {
        weigh(c, weights, column_at(a, c, i, from), NULL, n);
        for (size_t j = i; j <= a->p; j++)
            add_dot(c->weighted, c->weighted_low, column_at(a, c, j, from), n, products + i * (a->p + 1) + j);
    }
}

INLINE void add_rows(const pass *a, size_t block)
{
    const size_t n = a->solution->design->n_rows, first = block * a->block_rows;
    const size_t end = first + a->block_rows < n ? first + a->block_rows : n;
    chunk c;
    for (size_t i = 0; i < OLS_CHUNK; i++)
        c.ones[i] = 1;
    for (size_t from = first; from < end; from += OLS_CHUNK)
        add_chunk(a, &c, from, end - from < OLS_CHUNK ? end - from : OLS_CHUNK, a->sums + block * a->stride);
}

static void add_rows_anywhere(const pass *a, size_t block)
{
    add_rows(a, block);
}

#ifdef __x86_64__
__attribute__((target("avx2,fma"))) static void add_rows_fused(const pass *a, size_t block)
{
    add_rows(a, block);
}
#endif

static void add_block(const pass *a, size_t block)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        add_rows_fused(a, block);
        return;
    }
#endif
    add_rows_anywhere(a, block);
}

/* The sums of all blocks are left in the first. */
static void run_pass(pass *a)
{
    memset(a->sums, 0, a->n_blocks * a->stride * sizeof *a->sums);
#pragma omp parallel for num_threads(ols_threads(a->solution)) schedule(dynamic) if (a->n_blocks > 1)
    for (size_t block = 0; block < a->n_blocks; block++)
        add_block(a, block);
    for (size_t block = 1; block < a->n_blocks; block++)
        for (size_t k = 0; k < a->stride; k++)
            a->sums[k] = doubled_add(a->sums[k], a->sums[block * a->stride + k]);
}

static void invert(size_t q, size_t p, const double *triangle, doubled *inverse)
{
    for (size_t j = 0; j < p; j++) {
        inverse[j * p + j] = doubled_divide((doubled){1, 0}, triangle[j * q + j]);
        for (size_t i = j; i-- > 0;) {
            doubled sum = {0, 0};
            for (size_t m = i + 1; m <= j; m++)
                sum = doubled_add(sum, doubled_multiply((doubled){triangle[i * q + m], 0}, inverse[m * p + j]));
            inverse[i * p + j] = doubled_divide(doubled_negate(sum), triangle[i * q + i]);
        }
    }
}

/* gram <- R^-T (X'WX) R^-1, upper half: the unit matrix but for the rounding of R. */
static void whiten(size_t p, const doubled *products, const doubled *inverse, doubled *half, double *gram)
{
    const size_t q = p + 1;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            doubled sum = {0, 0};
            for (size_t m = 0; m <= j; m++) {
                const doubled product = products[i <= m ? i * q + m : m * q + i];
                sum = doubled_add(sum, doubled_multiply(product, inverse[m * p + j]));
            }
            half[i * p + j] = sum;
        }
    for (size_t i = 0; i < p; i++)
        for (size_t j = i; j < p; j++) {
            doubled sum = {0, 0};
            for (size_t m = 0; m <= i; m++)
                sum = doubled_add(sum, doubled_multiply(inverse[m * p + i], half[m * p + j]));
            gram[i * p + j] = sum.high;
        }
}

static bool is_near_unit(size_t p, const double *gram)
{
    double distance = 0;
    for (size_t i = 0; i < p; i++)
        for (size_t j = i; j < p; j++)
            distance += fabs(gram[i * p + j] - (i == j));
    return distance < 0.1;
}

/* root <- R^-1 S^-1 with S'S = gram: the inverse of the triangle that exact arithmetic would have found. */
static void correct_root(const ols_solution *solution, size_t p, const double *gram, doubled *inverse, double *work)
{
    double *factor = work, *correction = work + p * p;
    const bool corrected = is_near_unit(p, gram) && bd_triangle_from_products(p, gram, 0, factor);
    if (corrected)
        bd_triangle_invert(p, p, factor, correction);
    for (size_t i = 0; i < p; i++)
        for (size_t j = p; corrected && j-- > i;) {
            doubled sum = {0, 0};
            for (size_t m = i; m <= j; m++)
                sum = doubled_add(sum, doubled_multiply(inverse[i * p + m], (doubled){correction[m * p + j], 0}));
            inverse[i * p + j] = sum;
        }
    for (size_t j = 0; j < p; j++) {
        doubled offset = {0, 0};
        for (size_t i = 0; i <= j; i++) {
            solution->root[i * p + j] = inverse[i * p + j].high;
            offset = doubled_add(offset, doubled_multiply(inverse[i * p + j], (doubled){solution->centre[i], 0}));
        }
        solution->offset[j] = offset.high;
    }
}

static bd_status find_root(const double *triangle, const pass *a, bd_arena *arena)
{
    const ols_solution *solution = a->solution;
    const size_t p = a->p, q = p + 1;
    doubled *inverse, *half;
    double *gram, *work;
    BD_NEW(arena, inverse, p * p);
    BD_NEW(arena, half, p * p);
    BD_NEW(arena, gram, p * p);
    BD_NEW(arena, work, 2 * p * p);
    const bool constant = solution->design->has_intercept;
    for (size_t j = 0; j < p; j++)
        solution->centre[j] = constant && j > 0 ? triangle[j] / triangle[0] : 0;
    if (constant)
        solution->centre[0] = 1; /* the constant's own row of L is all offset */
    invert(q, p, triangle, inverse);
    whiten(p, a->sums + p + 1, inverse, half, gram);
    correct_root(solution, p, gram, inverse, work);
    return BD_OK;
}

static double total_squares(const pass *a)
{
    const size_t q = a->p + 1;
    const doubled *products = a->sums + q, squares = products[q * q - 1];
    if (!a->solution->design->has_intercept)
        return squares.high;
    const doubled sum = products[q - 1], mean = doubled_divide(sum, products[0].high);
    return doubled_add(squares, doubled_negate(doubled_multiply(mean, sum))).high;
}

/* d <- LL'g, and the largest of its entries in units of its estimate or standard error. */
static double find_step(const pass *a, double *d, double *work)
{
    const ols_solution *solution = a->solution;
    const size_t p = a->p;
    const double variance = a->sums[p].high / solution->df_residual;
    double largest = 0;
    for (size_t j = 0; j < p; j++) {
        work[j] = 0;
        for (size_t i = 0; i <= j; i++)
            work[j] += solution->root[i * p + j] * a->sums[i].high;
    }
    for (size_t i = 0; i < p; i++) {
        double squares = 0;
        d[i] = 0;
        for (size_t j = i; j < p; j++) {
            d[i] += solution->root[i * p + j] * work[j];
            squares += solution->root[i * p + j] * solution->root[i * p + j];
        }
        if (d[i] != 0)
            largest = fmax(largest, fabs(d[i]) / fmax(fabs(a->b[i].high), sqrt(variance * squares)));
    }
    return largest;
}

static bd_status refine(const double *triangle, pass *a, doubled *b, bd_arena *arena)
{
    double *step, *work, previous = INFINITY;
    BD_NEW(arena, step, a->p);
    BD_NEW(arena, work, a->p);
    for (int n_passes = 0; n_passes < MOST_PASSES; n_passes++) {
        a->with_products = n_passes == 0;
        run_pass(a);
        if (a->with_products) {
            BD_TRY(find_root(triangle, a, arena));
            a->solution->ss_total = total_squares(a);
        }
        const double size = find_step(a, step, work);
        if (size <= DBL_EPSILON / 2 || !(size <= previous / 2))
            break;
        for (size_t j = 0; j < a->p; j++)
            b[j] = doubled_add(b[j], (doubled){step[j], 0});
        previous = size;
    }
    return BD_OK;
}

/* The correction is found with the R of a QR, not of a Cholesky: it shrinks by cond(X) * epsilon a pass.
 * Björck (1987), Stability analysis of the method of seminormal equations. */
bd_status bd_ols_refine(const double *triangle, bd_arena *arena, ols_solution *solution)
{
    const bd_ols_design *design = solution->design;
    const size_t p = design->n_columns, q = p + 1, block_rows = ols_block_rows(design->n_rows);
    doubled *b;
    double *start;
    BD_NEW(arena, b, p);
    BD_NEW(arena, start, q);
    for (size_t i = 0; i < p; i++)
        start[i] = triangle[i * q + p];
    bd_triangle_solve(q, p, triangle, start, start);
    for (size_t i = 0; i < p; i++)
        b[i] = (doubled){start[i], 0};
    pass a = {.solution = solution,
              .p = p,
              .n_blocks = (design->n_rows + block_rows - 1) / block_rows,
              .block_rows = block_rows,
              .stride = q + q * q,
              .b = b};
    BD_NEW(arena, a.sums, a.n_blocks * a.stride);
    BD_TRY(refine(triangle, &a, b, arena));
    for (size_t i = 0; i < p; i++)
        solution->estimates[i] = b[i].high;
    solution->ss_residual = a.sums[p].high;
    return BD_OK;
}
