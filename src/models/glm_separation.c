/* Separation: a combination of predictors that tells the outcomes apart, so that the likelihood has no maximum.
 * Albert & Anderson (1984), doi:10.1093/biomet/71.1.1. */
#include <math.h>
#include <string.h>

#include "models/glm_internal.h"

/* Rows turned so that a separating direction d has a'd >= 0, in coordinates in which the columns are orthonormal. */
typedef struct turned {
    const glm_model *model;
    const double *triangle; /* p x p, of the columns by prior weights */
} turned;

static int turned_row(const void *context, size_t i, double *a)
{
    const turned *t = context;
    const glm_model *m = t->model;
    if (glm_weight(m, i) == 0)
        return 0;
    const int edge = glm_edge(m->family, m->link, m->y[i]);
    for (size_t j = 0; j < m->p; j++) {
        const double *x = glm_column(m->design, j);
        a[j] = (edge < 0 ? -1 : 1) * (x == NULL ? 1 : x[i]);
    }
    bd_triangle_solve_transposed(m->p, m->p, t->triangle, a, a);
    return edge == 0 ? 2 : 1;
}

/* Of the rows at the lower edge, and at the upper edge, least and greatest; rows between count to both. */
typedef struct ranges {
    double low[2], high[2];
} ranges;

static ranges find_ranges(const glm_model *m, const double *x)
{
    ranges r = {.low = {INFINITY, INFINITY}, .high = {-INFINITY, -INFINITY}};
    for (size_t i = 0; i < m->n; i++) {
        if (glm_weight(m, i) == 0)
            continue;
        const int edge = glm_edge(m->family, m->link, m->y[i]);
        for (int side = 0; side < 2; side++) {
            if (edge != 0 && side != (edge > 0))
                continue;
            r.low[side] = fmin(r.low[side], x[i]);
            r.high[side] = fmax(r.high[side], x[i]);
        }
    }
    return r;
}

/* Does a single column separate, beside an intercept? Its sign, and the threshold. */
static int separates_alone(const glm_model *m, const double *x, double *threshold)
{
    const ranges r = find_ranges(m, x);
    for (int sign = 1; sign >= -1; sign -= 2) {
        const double top = sign > 0 ? r.high[0] : -r.low[0], bottom = sign > 0 ? r.low[1] : -r.high[1];
        if (top <= bottom) {
            *threshold = sign * (top + bottom) / 2;
            return sign;
        }
    }
    return 0;
}

static size_t count_apart(const glm_model *m, const double *x, double threshold)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++)
        n += glm_weight(m, i) > 0 && x[i] != threshold;
    return n;
}

static bool name_single_columns(glm_model *m)
{
    bool any = false;
    for (size_t j = 1; m->design->base.has_intercept && j < m->p; j++) {
        double threshold = 0;
        const double *x = glm_column(m->design, j);
        const int sign = x == NULL ? 0 : separates_alone(m, x, &threshold);
        if (sign == 0)
            continue;
        const size_t n = count_apart(m, x, threshold);
        m->n_separated = n > m->n_separated ? n : m->n_separated;
        m->separating[j] = any = true;
        m->direction[j] = sign;
        m->direction[0] -= sign * threshold;
    }
    m->separating[0] = m->separating[0] || m->direction[0] != 0;
    return any;
}

/* From the direction of the orthonormal coordinates to that of the columns; those that hardly matter are left out. */
static void name_direction(glm_model *m, const double *triangle, const double *d)
{
    const size_t p = m->p;
    double largest = 0;
    bd_triangle_solve(p, p, triangle, d, m->direction);
    for (int pass = 0; pass < 2; pass++)
        for (size_t j = 0; j < p; j++) {
            double squares = 0;
            for (size_t i = m->design->base.has_intercept && j > 0; i <= j; i++)
                squares += triangle[i * p + j] * triangle[i * p + j];
            const double part = fabs(m->direction[j]) * sqrt(squares);
            if (pass == 0)
                largest = fmax(largest, part);
            else
                m->separating[j] = part > 1e-7 * largest;
        }
}

bd_status glm_find_separation(glm_model *m, bd_arena *arena, bool *found)
{
    const size_t p = m->p;
    const bd_mark scratch = bd_arena_mark(arena);
    const double **values;
    double *triangle, *work, *d;
    memset(m->direction, 0, p * sizeof *m->direction);
    memset(m->separating, 0, p * sizeof *m->separating);
    m->n_separated = 0;
    *found = name_single_columns(m);
    if (*found)
        return BD_OK;
    BD_NEW(arena, values, p);
    BD_NEW(arena, work, glm_cone_room(p));
    BD_NEW(arena, d, p);
    for (size_t j = 0; j < p; j++)
        values[j] = glm_column(m->design, j);
    const bd_columns columns = {
        .n_rows = m->n, .n_columns = p, .values = values, .weights = m->design->base.weights};
    BD_TRY(bd_triangle_of(&columns, m->design->base.n_threads, arena, &triangle));
    const turned rows = {.model = m, .triangle = triangle};
    const glm_cone cone = {.n = m->n, .p = p, .row = turned_row, .context = &rows};
    *found = glm_cone_direction(&cone, work, d, &m->n_separated);
    if (*found)
        name_direction(m, triangle, d);
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}
