/* The fit through p rows with the least sum of tilted absolute residuals: exchange of one row at a time. */
#include <math.h>
#include <string.h>

#include "models/quantile_internal.h"

enum { MOST_EXCHANGES = 20000, BETWEEN_REFRESHES = 40 };

/* Below this share of what it is made of, a slope is rounding. */
static const double FLAT = 1e-11;

size_t quantile_vertex_size(const bd_quantile *quantile)
{
    const size_t n = quantile->design->n_rows, p = quantile->design->n_columns;
    return 4 * n + 2 * p * p + 6 * p;
}

void quantile_vertex_place(const bd_quantile *quantile, double *scratch, quantile_vertex *v)
{
    const size_t n = quantile->design->n_rows, p = quantile->design->n_columns;
    _Static_assert(sizeof(size_t) <= sizeof(double), "indices fit where numbers do");
    *v = (quantile_vertex){.quantile = quantile, .tau = quantile->tau, .residuals = scratch};
    v->along = v->residuals + n;
    v->steps = v->along + n;
    v->order = (size_t *)(v->steps + n);
    v->rows = v->order + n;
    v->inverse = scratch + 4 * n + p;
    v->gradient = v->inverse + 2 * p * p;
    v->multiplier = v->gradient + p;
    v->gamma = v->multiplier + p;
    v->work = v->gamma + p;
}

static double weight_of(const quantile_vertex *v, size_t row)
{
    return v->weights == NULL ? 1 : v->weights[row];
}

/* Keys up to `n` as a heap with the smallest first, ties by index: the same order each time. */
static bool before(const double *keys, size_t a, size_t b)
{
    return keys[a] < keys[b] || (keys[a] == keys[b] && a < b);
}

static void sift_down(const double *keys, size_t *heap, size_t n, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        child += child + 1 < n && before(keys, heap[child + 1], heap[child]);
        if (!before(keys, heap[child], heap[at]))
            return;
        const size_t kept = heap[at];
        heap[at] = heap[child];
        heap[child] = kept;
    }
}

static void make_heap(const double *keys, size_t *heap, size_t n)
{
    for (size_t at = n / 2; at-- > 0;)
        sift_down(keys, heap, n, at);
}

static size_t pop(const double *keys, size_t *heap, size_t *n)
{
    const size_t first = heap[0];
    heap[0] = heap[--*n];
    sift_down(keys, heap, *n, 0);
    return first;
}

bool quantile_vertex_start(quantile_vertex *v, const double *gamma)
{
    const size_t n = v->quantile->design->n_rows, p = v->quantile->design->n_columns;
    size_t n_left = 0, rank = 0;
    for (size_t i = 0; i < n; i++) {
        const double *x = v->quantile->columns + i * p;
        double fitted = 0;
        for (size_t j = 0; j < p; j++)
            fitted += x[j] * gamma[j];
        v->steps[i] = fabs(v->quantile->response[i] - fitted);
        if (weight_of(v, i) > 0)
            v->order[n_left++] = i;
    }
    make_heap(v->steps, v->order, n_left);
    while (rank < p && n_left > 0) { /* v->inverse holds what was chosen, orthonormal */
        const size_t row = pop(v->steps, v->order, &n_left);
        double *own = v->inverse + rank * p, length = 0, rest = 0;
        memcpy(own, v->quantile->columns + row * p, p * sizeof *own);
        for (size_t j = 0; j < p; j++)
            length = hypot(length, own[j]);
        for (size_t twice = 0; twice < 2; twice++)
            for (size_t k = 0; k < rank; k++) {
                double share = 0;
                for (size_t j = 0; j < p; j++)
                    share += own[j] * v->inverse[k * p + j];
                for (size_t j = 0; j < p; j++)
                    own[j] -= share * v->inverse[k * p + j];
            }
        for (size_t j = 0; j < p; j++)
            rest = hypot(rest, own[j]);
        if (!(rest > 1e-6 * length))
            continue;
        for (size_t j = 0; j < p; j++)
            own[j] /= rest;
        v->rows[rank++] = row;
    }
    return rank == p;
}

/* inverse <- that of the chosen rows, by Gauss and Jordan with the largest pivot of each column. */
static bool invert_rows(quantile_vertex *v)
{
    const size_t p = v->quantile->design->n_columns;
    double *left = v->inverse + p * p, *right = v->inverse;
    for (size_t k = 0; k < p; k++)
        for (size_t j = 0; j < p; j++) {
            left[k * p + j] = v->quantile->columns[v->rows[k] * p + j];
            right[k * p + j] = k == j;
        }
    for (size_t k = 0; k < p; k++) {
        size_t best = k;
        for (size_t i = k + 1; i < p; i++)
            best = fabs(left[i * p + k]) > fabs(left[best * p + k]) ? i : best;
        const double pivot = left[best * p + k];
        if (!(fabs(pivot) > 0))
            return false;
        for (size_t j = 0; j < p; j++) {
            const double a = left[best * p + j], b = right[best * p + j];
            left[best * p + j] = left[k * p + j];
            right[best * p + j] = right[k * p + j];
            left[k * p + j] = a / pivot;
            right[k * p + j] = b / pivot;
        }
        for (size_t i = 0; i < p; i++) {
            const double factor = i == k ? 0 : left[i * p + k];
            for (size_t j = 0; factor != 0 && j < p; j++) {
                left[i * p + j] -= factor * left[k * p + j];
                right[i * p + j] -= factor * right[k * p + j];
            }
        }
    }
    return true;
}

/* The fit through the chosen rows of `response`, and what it leaves. */
static bool refresh(quantile_vertex *v, const double *response)
{
    const size_t n = v->quantile->design->n_rows, p = v->quantile->design->n_columns;
    if (!invert_rows(v))
        return false;
    memset(v->gamma, 0, p * sizeof *v->gamma);
    for (size_t pass = 0; pass < 2; pass++) { /* the second takes off the rounding of the first */
        for (size_t k = 0; k < p; k++) {
            v->work[k] = response[v->rows[k]];
            for (size_t j = 0; j < p; j++)
                v->work[k] -= v->quantile->columns[v->rows[k] * p + j] * v->gamma[j];
        }
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++)
                v->gamma[j] += v->inverse[j * p + k] * v->work[k];
    }
    for (size_t i = 0; i < n; i++) {
        const double *x = v->quantile->columns + i * p;
        double fitted = 0;
        for (size_t j = 0; j < p; j++)
            fitted += x[j] * v->gamma[j];
        v->residuals[i] = response[i] - fitted;
    }
    for (size_t k = 0; k < p; k++)
        v->residuals[v->rows[k]] = 0;
    return true;
}

/* multiplier[k]: what the sum gains by moving off row k, 0 .. weight where it gains on neither side. */
static void find_multipliers(quantile_vertex *v)
{
    const size_t n = v->quantile->design->n_rows, p = v->quantile->design->n_columns;
    memset(v->gradient, 0, p * sizeof *v->gradient);
    for (size_t i = 0; i < n; i++) {
        const double factor = weight_of(v, i) * (v->residuals[i] < 0 ? v->tau - 1 : v->tau);
        const double *x = v->quantile->columns + i * p;
        for (size_t j = 0; factor != 0 && j < p; j++)
            v->gradient[j] += factor * x[j];
    }
    for (size_t k = 0; k < p; k++) {
        v->multiplier[k] = 0;
        for (size_t j = 0; j < p; j++)
            v->multiplier[k] += v->gradient[j] * v->inverse[j * p + k];
    }
}

/* along <- the change of fitted values by direction k. Returns the weighted sum of their sizes, rows of the fit apart.
 */
static double look_along(quantile_vertex *v, size_t k, double sign)
{
    const size_t n = v->quantile->design->n_rows, p = v->quantile->design->n_columns;
    double total = 0;
    for (size_t j = 0; j < p; j++)
        v->work[j] = sign * v->inverse[j * p + k];
    for (size_t i = 0; i < n; i++) {
        const double *x = v->quantile->columns + i * p;
        double sum = 0;
        for (size_t j = 0; j < p; j++)
            sum += x[j] * v->work[j];
        v->along[i] = sum;
        total += weight_of(v, i) * fabs(sum);
    }
    for (size_t j = 0; j < p; j++)
        total -= weight_of(v, v->rows[j]) * fabs(v->along[v->rows[j]]);
    return total;
}

/* The row at which going on along the direction no longer pays; SIZE_MAX when there is none. */
static size_t find_entering(quantile_vertex *v, double slope, double *step)
{
    const size_t n = v->quantile->design->n_rows;
    size_t n_crossed = 0, last = SIZE_MAX;
    for (size_t i = 0; i < n; i++)
        if (v->residuals[i] * v->along[i] > 0 && fabs(v->along[i]) > 1e-9 && weight_of(v, i) > 0) {
            v->steps[i] = v->residuals[i] / v->along[i];
            v->order[n_crossed++] = i;
        }
    make_heap(v->steps, v->order, n_crossed);
    while (n_crossed > 0) {
        last = pop(v->steps, v->order, &n_crossed);
        slope += weight_of(v, last) * fabs(v->along[last]);
        if (slope >= 0)
            break;
    }
    if (last != SIZE_MAX)
        *step = v->steps[last];
    return last;
}

/* Row `entering` takes the place of row k; the inverse follows by one elimination. */
static void exchange(quantile_vertex *v, size_t k, double sign, size_t entering, double step)
{
    const size_t n = v->quantile->design->n_rows, p = v->quantile->design->n_columns;
    const double *x = v->quantile->columns + entering * p;
    const size_t leaving = v->rows[k];
    for (size_t i = 0; i < n; i++)
        v->residuals[i] -= step * v->along[i];
    for (size_t j = 0; j < p; j++)
        v->residuals[v->rows[j]] = 0;
    v->residuals[leaving] = -sign * step;
    v->residuals[entering] = 0;
    v->rows[k] = entering;
    for (size_t j = 0; j < p; j++) {
        v->work[j] = 0;
        for (size_t m = 0; m < p; m++)
            v->work[j] += x[m] * v->inverse[m * p + j];
    }
    for (size_t m = 0; m < p; m++) {
        const double own = v->inverse[m * p + k] / v->work[k];
        for (size_t j = 0; j < p; j++)
            v->inverse[m * p + j] -= j == k ? 0 : own * v->work[j];
        v->inverse[m * p + k] = own;
    }
}

/* The direction that falls most for its length among those not yet `tried`; a row without weight goes first.
 * p: there is none. */
static size_t choose_leaving(const quantile_vertex *v, const double *tried, double *slope, double *sign)
{
    const size_t p = v->quantile->design->n_columns;
    size_t best = p;
    double steepest = 0;
    for (size_t k = 0; k < p; k++) {
        const double weight = weight_of(v, v->rows[k]), up = weight - v->multiplier[k], down = v->multiplier[k];
        double length = 0;
        for (size_t j = 0; j < p; j++)
            length = hypot(length, v->inverse[j * p + k]);
        double rate = fmin(up, down) / length;
        if (weight == 0)
            rate = -INFINITY;
        if (tried[k] > 0 || !(rate < steepest))
            continue;
        steepest = rate;
        best = k;
        *sign = up < down ? 1 : -1;
        *slope = fmin(up, down);
    }
    return best;
}

typedef enum improvement { IMPROVED, BEST, UNDETERMINED } improvement;

static improvement improve(quantile_vertex *v, double *tried)
{
    const size_t p = v->quantile->design->n_columns;
    double slope = 0, sign = 1, step = 0;
    find_multipliers(v);
    memset(tried, 0, p * sizeof *tried);
    for (size_t k; (k = choose_leaving(v, tried, &slope, &sign)) < p; tried[k] = 1) {
        const bool weightless = weight_of(v, v->rows[k]) == 0;
        const double total = look_along(v, k, sign);
        if (!weightless && slope > -FLAT * total)
            continue;
        size_t entering = find_entering(v, slope, &step);
        if (entering == SIZE_MAX && weightless) {
            sign = -sign;
            (void)look_along(v, k, sign);
            entering = find_entering(v, slope, &step);
        }
        if (entering != SIZE_MAX) {
            exchange(v, k, sign, entering, step);
            return IMPROVED;
        }
        if (weightless)
            return UNDETERMINED; /* no row with a weight tells where to go */
    }
    return BEST;
}

/* At a best vertex: is it on the edge of another that is as good? */
static bool is_unique(quantile_vertex *v)
{
    for (size_t k = 0; k < v->quantile->design->n_columns; k++) {
        const double weight = weight_of(v, v->rows[k]);
        if (fmin(v->multiplier[k], weight - v->multiplier[k]) < 1e-9 * weight)
            return false;
    }
    return true;
}

bd_likelihood_end quantile_vertex_solve(quantile_vertex *v)
{
    double *tried = v->work + v->quantile->design->n_columns;
    if (!refresh(v, v->quantile->response))
        return BD_LIKELIHOOD_COLLINEAR;
    for (v->n_iterations = 1; v->n_iterations <= MOST_EXCHANGES; v->n_iterations++) {
        const improvement now = improve(v, tried);
        if (now == UNDETERMINED)
            return BD_LIKELIHOOD_COLLINEAR;
        if (now == BEST) {
            v->unique = is_unique(v);
            return refresh(v, v->quantile->design->response) ? BD_LIKELIHOOD_CONVERGED : BD_LIKELIHOOD_COLLINEAR;
        }
        if (v->n_iterations % BETWEEN_REFRESHES == 0 && !refresh(v, v->quantile->response))
            return BD_LIKELIHOOD_COLLINEAR;
    }
    return BD_LIKELIHOOD_NOT_CONVERGED;
}
