/* Roots and inverses of positive definite matrices: everything is c -= a'b of blocks, whose sums are taken in the same
 * order whatever the processor. */
#include "core/symmetric.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 48, WIDE = 96, DEEP = 128, MANY = 256, LANES = 4, TILE_ROWS = 4, TILE_COLUMNS = 2 * LANES };

typedef double lanes __attribute__((vector_size(LANES * sizeof(double)), aligned(sizeof(double)), may_alias));
#define INLINE static inline __attribute__((always_inline))

/* Operands of c (rows x columns) -= a' b, a (depth x rows) and b (depth x columns), each by rows of so many doubles. */
typedef struct operands {
    size_t depth, step;
    const double *a, *b;
    double *c;
} operands;

/* Copies of a part of the operands, side by side where the loops read them. */
typedef struct panel {
    size_t depth, rows, columns, step;
    const double *a, *b;
    double *c;
} panel;

INLINE void subtract_tile(const panel *o, size_t i, size_t j)
{
    lanes sums[TILE_ROWS][2] = {0};
    for (size_t k = 0; k < o->depth; k++) {
        const double *a = o->a + k * o->rows + i;
        const lanes *b = (const lanes *)(o->b + k * o->columns + j);
        for (size_t r = 0; r < TILE_ROWS; r++) {
            sums[r][0] += a[r] * b[0];
            sums[r][1] += a[r] * b[1];
        }
    }
    for (size_t r = 0; r < TILE_ROWS; r++) {
        lanes *c = (lanes *)(o->c + (i + r) * o->step + j);
        c[0] -= sums[r][0];
        c[1] -= sums[r][1];
    }
}

INLINE void subtract_edge(const panel *o, size_t first_row, size_t rows, size_t first_column, size_t columns)
{
    for (size_t r = first_row; r < first_row + rows; r++)
        for (size_t c = first_column; c < first_column + columns; c++) {
            double sum = 0;
            for (size_t k = 0; k < o->depth; k++)
                sum += o->a[k * o->rows + r] * o->b[k * o->columns + c];
            o->c[r * o->step + c] -= sum;
        }
}

INLINE void subtract(const panel *o)
{
    const size_t whole_rows = o->rows - o->rows % TILE_ROWS, whole_columns = o->columns - o->columns % TILE_COLUMNS;
    for (size_t j = 0; j < whole_columns; j += TILE_COLUMNS)
        for (size_t i = 0; i < whole_rows; i += TILE_ROWS)
            subtract_tile(o, i, j);
    subtract_edge(o, whole_rows, o->rows - whole_rows, 0, o->columns);
    subtract_edge(o, 0, whole_rows, whole_columns, o->columns - whole_columns);
}

static void subtract_plain(const panel *o)
{
    subtract(o);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void subtract_avx2(const panel *o)
{
    subtract(o);
}
#endif

/* The same operations in either, so the same bits. */
static void subtract_panel(const panel *o)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        subtract_avx2(o);
        return;
    }
#endif
    subtract_plain(o);
}

/* c -= a'b, of at most BLOCK rows and WIDE columns. */
static void subtract_product(const operands *o, size_t rows, size_t columns)
{
    double a[DEEP * BLOCK], b[DEEP * WIDE];
    for (size_t first = 0; first < o->depth; first += DEEP) {
        const size_t depth = o->depth - first < DEEP ? o->depth - first : DEEP;
        for (size_t k = 0; k < depth; k++) {
            memcpy(a + k * rows, o->a + (first + k) * o->step, rows * sizeof *a);
            memcpy(b + k * columns, o->b + (first + k) * o->step, columns * sizeof *b);
        }
        const panel part = {depth, rows, columns, o->step, a, b, o->c};
        subtract_panel(&part);
    }
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Rows from `first` to `end` of U, those before taken off already. */
static bool root_rows(size_t n, double *a, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        double *row = a + i * n;
        if (!(row[i] > 0 && row[i] < INFINITY))
            return false;
        const double pivot = sqrt(row[i]);
        for (size_t j = i; j < n; j++)
            row[j] /= pivot;
        for (size_t l = i + 1; l < end; l++)
            for (size_t j = l; j < n; j++)
                a[l * n + j] -= row[l] * row[j];
    }
    return true;
}

bool symmetric_root(size_t n, double *a, int n_threads)
{
    for (size_t first = 0; first < n; first += BLOCK) {
        const size_t end = least(first + BLOCK, n);
#pragma omp parallel for num_threads(n_threads) if (n_threads > 1 && n > MANY) schedule(dynamic)
        for (size_t j = first; j < n; j += WIDE) {
            const operands o = {.depth = first, .step = n, .a = a + first, .b = a + j, .c = a + first * n + j};
            subtract_product(&o, end - first, least(j + WIDE, n) - j);
        }
        if (!root_rows(n, a, first, end))
            return false;
    }
    return true;
}

/* v <- U'^-1, lower triangular. */
static void invert_root(size_t n, const double *u, double *v, int n_threads)
{
    memset(v, 0, n * n * sizeof *v);
    for (size_t first = 0; first < n; first += BLOCK) {
        const size_t end = least(first + BLOCK, n);
#pragma omp parallel for num_threads(n_threads) if (n_threads > 1 && n > MANY) schedule(dynamic)
        for (size_t c = 0; c < first; c += WIDE) { /* the columns' rows above c are 0 */
            const operands o = {.depth = first - c, .step = n, .a = u + c * n + first, .b = v + c * n + c,
                                .c = v + first * n + c};
            subtract_product(&o, end - first, least(c + WIDE, first) - c);
        }
        for (size_t i = first; i < end; i++) {
            double *row = v + i * n;
            row[i] += 1;
            for (size_t j = 0; j <= i; j++)
                row[j] /= u[i * n + i];
            for (size_t l = i + 1; l < end; l++)
                for (size_t j = 0; j <= i; j++)
                    v[l * n + j] -= u[i * n + l] * row[j];
        }
    }
}

void symmetric_invert(size_t n, double *a, double *room, int n_threads)
{
    invert_root(n, a, room, n_threads);
    memset(a, 0, n * n * sizeof *a);
#pragma omp parallel for num_threads(n_threads) if (n_threads > 1 && n > MANY) schedule(dynamic)
    for (size_t i = 0; i < n; i += BLOCK)
        for (size_t j = i; j < n; j += WIDE) {
            const operands o = {.depth = n - j, .step = n, .a = room + j * n + i, .b = room + j * n + j,
                                .c = a + i * n + j};
            subtract_product(&o, least(i + BLOCK, n) - i, least(j + WIDE, n) - j);
        }
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++)
            a[i * n + j] = a[j * n + i] = -a[i * n + j];
}

void symmetric_subtract_product(size_t n, const double *a, const double *b, double *c, int n_threads)
{
#pragma omp parallel for num_threads(n_threads) if (n_threads > 1 && n > MANY) schedule(dynamic)
    for (size_t i = 0; i < n; i += BLOCK)
        for (size_t j = 0; j < n; j += WIDE) {
            const operands o = {.depth = n, .step = n, .a = a + i, .b = b + j, .c = c + i * n + j};
            subtract_product(&o, least(i + BLOCK, n) - i, least(j + WIDE, n) - j);
        }
}
