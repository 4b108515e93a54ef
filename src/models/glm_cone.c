/* Is there a direction d with a'd >= 0 for every row a of a cone, not all 0? A linear program over a box: maximise
 * c'd, |d_j| <= 1, with c a positive combination of the rows, by the simplex method on its dual, whose basis is p x p
 * however many rows there are. Konis (2007), Linear programming algorithms for detecting separated data. */
#include <math.h>
#include <string.h>

#include "models/glm_internal.h"

static const double FEASIBLE = 1e-9, STRICT = 1e-7; /* of rows of length 1, d in a box of 1 */

typedef struct simplex {
    const glm_cone *cone;
    size_t p;
    double *columns; /* p x p: column k of the basis in row k */
    double *inverse; /* p x p */
    double *room;    /* p x p */
    double *cost, *level, *aim, *entering, *change; /* p */
} simplex;

/* A row brought to length 1. */
static int unit_row(const glm_cone *cone, size_t i, double *a)
{
    const int kind = cone->row(cone->context, i, a);
    double squares = 0;
    for (size_t j = 0; kind != 0 && j < cone->p; j++)
        squares += a[j] * a[j];
    if (kind == 0 || !(squares > 0))
        return 0;
    for (size_t j = 0; j < cone->p; j++)
        a[j] /= sqrt(squares);
    return kind;
}

static double product(size_t p, const double *a, const double *d)
{
    double sum = 0;
    for (size_t j = 0; j < p; j++)
        sum += a[j] * d[j];
    return sum;
}

/* Weights that no two rows share keep the program from degenerating. */
static void begin(simplex *s)
{
    const size_t p = s->p;
    memset(s->aim, 0, p * sizeof *s->aim);
    for (size_t i = 0; i < s->cone->n; i++) {
        const double weight = 1 + fmod((double)i * 0.6180339887498949, 1);
        if (unit_row(s->cone, i, s->entering) != 1)
            continue;
        for (size_t j = 0; j < p; j++)
            s->aim[j] += weight * s->entering[j];
    }
    memset(s->columns, 0, p * p * sizeof *s->columns);
    for (size_t j = 0; j < p; j++) {
        s->columns[j * p + j] = s->aim[j] < 0 ? -1 : 1;
        s->cost[j] = 1;
    }
}

/* inverse <- that of the basis, by elimination with pivots; false: singular. */
static bool invert(simplex *s)
{
    const size_t p = s->p;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            s->room[i * p + j] = s->columns[j * p + i];
            s->inverse[i * p + j] = i == j;
        }
    for (size_t k = 0; k < p; k++) {
        size_t best = k;
        for (size_t i = k + 1; i < p; i++)
            if (fabs(s->room[i * p + k]) > fabs(s->room[best * p + k]))
                best = i;
        const double pivot = s->room[best * p + k];
        if (!(fabs(pivot) > 1e-13))
            return false;
        for (size_t j = 0; j < p; j++) {
            const double a = s->room[best * p + j], b = s->inverse[best * p + j];
            s->room[best * p + j] = s->room[k * p + j];
            s->inverse[best * p + j] = s->inverse[k * p + j];
            s->room[k * p + j] = a / pivot;
            s->inverse[k * p + j] = b / pivot;
        }
        for (size_t i = 0; i < p; i++) {
            const double factor = i == k ? 0 : s->room[i * p + k];
            for (size_t j = 0; factor != 0 && j < p; j++) {
                s->room[i * p + j] -= factor * s->room[k * p + j];
                s->inverse[i * p + j] -= factor * s->inverse[k * p + j];
            }
        }
    }
    return true;
}

/* The constraint that d violates most, as a column of the dual in `entering`; returns by how much, and its cost. */
static double most_violated(simplex *s, const double *d, double *cost)
{
    const size_t p = s->p;
    double worst = 0, *a = s->change;
    for (size_t i = 0; i < s->cone->n; i++) {
        const int kind = unit_row(s->cone, i, a);
        const double value = kind == 0 ? 0 : product(p, a, d), violation = kind == 2 ? fabs(value) : -value;
        if (!(violation > worst))
            continue;
        worst = violation;
        *cost = 0;
        for (size_t j = 0; j < p; j++)
            s->entering[j] = value > 0 ? a[j] : -a[j];
    }
    for (size_t j = 0; j < p; j++) {
        if (!(fabs(d[j]) - 1 > worst))
            continue;
        worst = fabs(d[j]) - 1;
        *cost = 1;
        memset(s->entering, 0, p * sizeof *s->entering);
        s->entering[j] = d[j] > 0 ? 1 : -1;
    }
    return worst;
}

/* Puts the entering column in the place of the one that reaches 0 first. */
static bool exchange(simplex *s, double cost)
{
    const size_t p = s->p;
    size_t leaving = p;
    double least = INFINITY;
    for (size_t i = 0; i < p; i++) {
        const double change = product(p, s->inverse + i * p, s->entering);
        const double ratio = change > 1e-11 ? fmax(s->level[i], 0) / change : INFINITY;
        if (ratio < least) {
            least = ratio;
            leaving = i;
        }
    }
    if (leaving == p)
        return false;
    memcpy(s->columns + leaving * p, s->entering, p * sizeof *s->entering);
    s->cost[leaving] = cost;
    return true;
}

static size_t count_strict(simplex *s, const double *d)
{
    size_t n = 0;
    for (size_t i = 0; i < s->cone->n; i++)
        n += unit_row(s->cone, i, s->change) == 1 && product(s->p, s->change, d) > STRICT;
    return n;
}

bool glm_cone_direction(const glm_cone *cone, double *work, double *d, size_t *n_strict)
{
    const size_t p = cone->p;
    simplex s = {.cone = cone, .p = p, .columns = work, .inverse = work + p * p, .room = work + 2 * p * p};
    double *vectors = work + 3 * p * p;
    s.cost = vectors;
    s.level = vectors + p;
    s.aim = vectors + 2 * p;
    s.entering = vectors + 3 * p;
    s.change = vectors + 4 * p;
    begin(&s);
    for (size_t step = 0; step < 500 + 50 * p; step++) {
        double cost = 0;
        if (!invert(&s))
            return false;
        for (size_t j = 0; j < p; j++) {
            s.level[j] = product(p, s.inverse + j * p, s.aim);
            d[j] = 0;
            for (size_t i = 0; i < p; i++)
                d[j] += s.cost[i] * s.inverse[i * p + j];
        }
        if (most_violated(&s, d, &cost) <= FEASIBLE) {
            *n_strict = count_strict(&s, d);
            return *n_strict > 0;
        }
        if (!exchange(&s, cost))
            return false;
    }
    return false;
}
