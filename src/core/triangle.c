/* Tall-skinny QR by blocks of rows, and the arithmetic of small upper triangles. */
#include <bordin/core/triangle.h>

#include <float.h>
#include <math.h>
#include <string.h>

#include <omp.h>

enum { LANES = 8, BLOCK_ROWS = 4096, BLOCKS_PER_RUN = 16, SHIFT_ROWS = 1000 };

/* A run of rows is factored block by block into one triangle; runs are what threads share out, and their triangles are
 * folded in order, so that no bit depends on who did what. */
typedef struct problem {
    const bd_columns *columns;
    size_t q, n_runs, stride; /* rows of the scratch block, a multiple of LANES */
    bool constant_first;
    double *shift, *scale; /* per column; scales are powers of two */
    double *triangles;     /* n_runs of q x q */
} problem;

static double dot(const double *x, const double *y, size_t n)
{
    double sums[LANES] = {0};
    for (size_t i = 0; i < n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            sums[l] += x[i + l] * y[i + l];
    return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

static void subtract_multiple(double *x, double factor, const double *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] -= factor * y[i];
}

/* Householder QR of the q columns of `n` rows (column-major, `stride` apart). The first q rows hold a triangle, and
 * receive the new one, so column k is nothing but its first k + 1 rows and those below the q-th. `n` is the number of
 * rows below, a multiple of LANES, padded with zeros. */
static void factor_below(size_t q, double *top, double *below, size_t n, size_t stride)
{
    for (size_t k = 0; k < q; k++) {
        double *x = below + k * stride;
        const double squares = dot(x, x, n), alpha = top[k * q + k];
        if (squares == 0)
            continue;
        const double beta = alpha > 0 ? -sqrt(alpha * alpha + squares) : sqrt(alpha * alpha + squares);
        const double tau = (beta - alpha) / beta, reciprocal = 1 / (alpha - beta);
        for (size_t i = 0; i < n; i++)
            x[i] *= reciprocal;
        top[k * q + k] = beta;
        for (size_t j = k + 1; j < q; j++) {
            double *y = below + j * stride;
            const double w = tau * (top[k * q + j] + dot(x, y, n));
            top[k * q + j] -= w;
            subtract_multiple(y, w, x, n);
        }
    }
}

static void make_diagonal_positive(size_t q, double *triangle)
{
    for (size_t i = 0; i < q; i++)
        if (triangle[i * q + i] < 0)
            for (size_t j = i; j < q; j++)
                triangle[i * q + j] = -triangle[i * q + j];
}

/* Rows `from` .. `from` + n of every column, shifted, scaled and weighted, zeros behind. */
static void load_block(const problem *p, size_t from, size_t n, size_t padded, double *block)
{
    const double *weights = p->columns->weights;
    for (size_t j = 0; j < p->q; j++) {
        const double *values = p->columns->values[j], shift = p->shift[j], scale = p->scale[j];
        double *out = block + j * p->stride;
        for (size_t i = 0; i < n; i++)
            out[i] = values == NULL ? 1 : (values[from + i] - shift) * scale;
        for (size_t i = 0; weights != NULL && i < n; i++)
            out[i] *= sqrt(weights[from + i]);
        memset(out + n, 0, (padded - n) * sizeof *out);
    }
}

static void factor_run(const problem *p, size_t run, double *block)
{
    const size_t n = p->columns->n_rows, per_run = (size_t)BLOCK_ROWS * BLOCKS_PER_RUN;
    const size_t end = (run + 1) * per_run < n ? (run + 1) * per_run : n;
    for (size_t from = run * per_run; from < end; from += BLOCK_ROWS) {
        const size_t rows = end - from < BLOCK_ROWS ? end - from : BLOCK_ROWS;
        const size_t padded = (rows + LANES - 1) / LANES * LANES;
        load_block(p, from, rows, padded, block);
        factor_below(p->q, p->triangles + run * p->q * p->q, block, padded, p->stride);
    }
}

/* A mean of the first rows, exact for a constant; and the power of two that brings the largest of them near one. */
static void choose_shifts(problem *p)
{
    const size_t n = p->columns->n_rows < SHIFT_ROWS ? p->columns->n_rows : SHIFT_ROWS;
    for (size_t j = 0; j < p->q; j++) {
        const double *values = p->columns->values[j];
        double sum = 0, largest = 0;
        p->scale[j] = 1;
        if (values == NULL || n == 0)
            continue;
        for (size_t i = 0; i < n; i++)
            sum += (values[i] - values[0]) / (double)n;
        p->shift[j] = p->constant_first ? values[0] + sum : 0;
        for (size_t i = 0; i < n; i++)
            largest = fmax(largest, fabs(values[i] - p->shift[j]));
        if (largest > 0 && isfinite(largest))
            p->scale[j] = ldexp(1, -ilogb(largest));
    }
}

static void restore_columns(const problem *p, double *triangle)
{
    for (size_t j = 0; j < p->q; j++) {
        for (size_t i = 0; i <= j; i++)
            triangle[i * p->q + j] /= p->scale[j];
        if (p->constant_first && j > 0)
            triangle[j] += triangle[0] * p->shift[j];
    }
}

static bd_status factor_runs(const problem *p, int n_threads, bd_arena *arena)
{
    if ((size_t)n_threads > p->n_runs)
        n_threads = (int)p->n_runs;
    double *blocks;
    BD_NEW(arena, blocks, (size_t)n_threads * p->q * p->stride);
#pragma omp parallel for num_threads(n_threads) schedule(dynamic) if (n_threads > 1)
    for (size_t run = 0; run < p->n_runs; run++)
        factor_run(p, run, blocks + (size_t)omp_get_thread_num() * p->q * p->stride);
    return BD_OK;
}

bd_status bd_triangle_of(const bd_columns *columns, int n_threads, bd_arena *arena, double **out)
{
    const size_t q = columns->n_columns, n = columns->n_rows, per_run = (size_t)BLOCK_ROWS * BLOCKS_PER_RUN;
    const size_t rows = n < BLOCK_ROWS ? n : BLOCK_ROWS;
    double *triangle;
    BD_NEW(arena, triangle, q * q);
    const bd_mark scratch = bd_arena_mark(arena);
    problem p = {.columns = columns,
                 .q = q,
                 .n_runs = n == 0 ? 1 : (n + per_run - 1) / per_run,
                 .stride = (rows + LANES - 1) / LANES * LANES,
                 .constant_first = q > 0 && columns->values[0] == NULL};
    BD_NEW(arena, p.shift, q);
    BD_NEW(arena, p.scale, q);
    BD_NEW(arena, p.triangles, p.n_runs * q * q);
    choose_shifts(&p);
    BD_TRY(factor_runs(&p, n_threads > 0 ? n_threads : omp_get_max_threads(), arena));
    memcpy(triangle, p.triangles, q * q * sizeof *triangle);
    for (size_t run = 1; run < p.n_runs; run++)
        bd_triangle_fold(q, triangle, p.triangles + run * q * q);
    make_diagonal_positive(q, triangle);
    restore_columns(&p, triangle);
    bd_arena_rewind(arena, scratch);
    *out = triangle;
    return BD_OK;
}

/* Row by row of `other`, by Givens rotations against the rows of the triangle. */
void bd_triangle_fold(size_t q, double *triangle, const double *other)
{
    for (size_t row = 0; row < q; row++) {
        double x[q];
        memcpy(x, other + row * q, sizeof x);
        for (size_t k = row; k < q; k++) {
            double *r = triangle + k * q;
            const double length = hypot(r[k], x[k]);
            if (x[k] == 0 || length == 0)
                continue;
            const double c = r[k] / length, s = x[k] / length;
            for (size_t j = k; j < q; j++) {
                const double old = r[j];
                r[j] = c * old + s * x[j];
                x[j] = c * x[j] - s * old;
            }
        }
    }
    make_diagonal_positive(q, triangle);
}

bool bd_triangle_from_products(size_t q, const double *products, double tolerance, double *triangle)
{
    memset(triangle, 0, q * q * sizeof *triangle);
    for (size_t j = 0; j < q; j++) {
        for (size_t i = 0; i < j; i++) {
            double sum = products[i * q + j];
            for (size_t k = 0; k < i; k++)
                sum -= triangle[k * q + i] * triangle[k * q + j];
            triangle[i * q + j] = sum / triangle[i * q + i];
        }
        double pivot = products[j * q + j];
        for (size_t k = 0; k < j; k++)
            pivot -= triangle[k * q + j] * triangle[k * q + j];
        const double least = tolerance * products[j * q + j];
        const bool explained = j > 0 && j + 1 == q && fabs(pivot) <= least;
        if (!explained && !(pivot > least))
            return false;
        triangle[j * q + j] = explained ? 0 : sqrt(pivot);
    }
    return true;
}

void bd_triangle_multiply(size_t q, const double *left, const double *right, double *product)
{
    for (size_t i = 0; i < q; i++) {
        memset(product + i * q, 0, q * sizeof *product);
        for (size_t k = i; k < q; k++)
            for (size_t j = k; j < q; j++)
                product[i * q + j] += left[i * q + k] * right[k * q + j];
    }
}

void bd_triangle_solve(size_t q, size_t k, const double *triangle, const double *b, double *x)
{
    for (size_t i = k; i-- > 0;) {
        double sum = b[i];
        for (size_t j = i + 1; j < k; j++)
            sum -= triangle[i * q + j] * x[j];
        x[i] = sum / triangle[i * q + i];
    }
}

void bd_triangle_solve_transposed(size_t q, size_t k, const double *triangle, const double *b, double *x)
{
    for (size_t i = 0; i < k; i++) {
        double sum = b[i];
        for (size_t j = 0; j < i; j++)
            sum -= triangle[j * q + i] * x[j];
        x[i] = sum / triangle[i * q + i];
    }
}

void bd_triangle_invert(size_t q, size_t k, const double *triangle, double *inverse)
{
    memset(inverse, 0, k * k * sizeof *inverse);
    for (size_t j = 0; j < k; j++) {
        inverse[j * k + j] = 1 / triangle[j * q + j];
        for (size_t i = j; i-- > 0;) {
            double sum = 0;
            for (size_t m = i + 1; m <= j; m++)
                sum += triangle[i * q + m] * inverse[m * k + j];
            inverse[i * k + j] = -sum / triangle[i * q + i];
        }
    }
}

size_t bd_triangle_first_collinear(size_t q, const double *triangle, bool constant_first, double tolerance)
{
    for (size_t j = 1; j < q; j++) {
        const double mean_part = constant_first ? fabs(triangle[j]) : 0;
        double squares = 0;
        for (size_t i = constant_first ? 1 : 0; i <= j; i++)
            squares += triangle[i * q + j] * triangle[i * q + j];
        const double length = sqrt(squares);
        if (!(triangle[j * q + j] > tolerance * length) || length <= 4 * DBL_EPSILON * mean_part)
            return j;
    }
    return q;
}
