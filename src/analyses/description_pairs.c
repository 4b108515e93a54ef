/* Columns in pairs: correlations, and which values are missing together. */
#include <stdlib.h>

#include <gsl/gsl_cdf.h>
#include <omp.h>

#include "analyses/description_internal.h"

static void test_correlation(double level, bd_correlation *c)
{
    const double n = (double)c->n;
    if (isnan(c->r))
        return;
    if (c->n >= 3) {
        c->t = c->r * sqrt((n - 2) / ((1 - c->r) * (1 + c->r)));
        c->p = 2 * gsl_cdf_tdist_Q(fabs(c->t), n - 2);
    }
    if (c->n >= 4) {
        const double reach = gsl_cdf_ugaussian_Qinv((1 - level) / 2) / sqrt(n - 3);
        c->ci_low = tanh(atanh(c->r) - reach);
        c->ci_high = tanh(atanh(c->r) + reach);
    }
}

/* Means over the rows that have both, from the first of them on: those of a constant are exact. */
static size_t means_of(const bd_part *all, const double *x, const double *y, double means[2])
{
    double first[2] = {NAN, NAN}, sums[2] = {0};
    size_t n = 0;
    for (size_t i = 0; i < all->n_rows; i++) {
        const double a = x[all->rows[i]], b = y[all->rows[i]];
        if (isnan(a) || isnan(b))
            continue;
        if (n++ == 0) {
            first[0] = a;
            first[1] = b;
        }
        sums[0] += a - first[0];
        sums[1] += b - first[1];
    }
    means[0] = first[0] + sums[0] / (double)n;
    means[1] = first[1] + sums[1] / (double)n;
    return n;
}

static void correlate(const bd_part *all, double level, bd_correlation *c)
{
    const double *x = c->x->numbers, *y = c->y->numbers;
    double means[2], xx = 0, yy = 0, xy = 0;
    c->n = means_of(all, x, y, means);
    c->r = c->ci_low = c->ci_high = c->t = c->p = NAN;
    for (size_t i = 0; i < all->n_rows; i++) {
        const double a = x[all->rows[i]] - means[0], b = y[all->rows[i]] - means[1];
        if (isnan(a) || isnan(b))
            continue;
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    if (xx > 0 && yy > 0)
        c->r = fmax(-1, fmin(1, xy / (sqrt(xx) * sqrt(yy))));
    test_correlation(level, c);
}

bd_status bd_correlate(const bd_part *all, const bd_column *const *columns, size_t n_columns, int n_threads,
                       bd_arena *arena, bd_description *description)
{
    const int used = n_threads > 0 ? n_threads : omp_get_max_threads();
    const double level = description->level;
    bd_correlation *correlations;
    size_t n = 0;
    BD_NEW(arena, correlations, n_columns * n_columns);
    for (size_t i = 0; i < n_columns; i++)
        for (size_t j = i + 1; j < n_columns; j++)
            correlations[n++] = (bd_correlation){.x = columns[i], .y = columns[j]};
#pragma omp parallel for schedule(static) num_threads(used)
    for (size_t i = 0; i < n; i++)
        correlate(all, level, &correlations[i]);
    description->correlations = correlations;
    description->n_correlations = n;
    return BD_OK;
}

static int by_columns(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static int by_frequency(const void *left, const void *right)
{
    const bd_missing_pattern *a = left, *b = right;
    if (a->n_rows != b->n_rows)
        return a->n_rows > b->n_rows ? -1 : 1;
    return by_columns(&a->columns, &b->columns);
}

static bd_status count_patterns(const bd_part *all, bd_arena *arena, bd_description *description)
{
    const size_t n_incomplete = description->n_incomplete;
    const size_t n_bits = n_incomplete < BD_PATTERN_COLUMNS ? n_incomplete : BD_PATTERN_COLUMNS;
    bd_missing_pattern *patterns = NULL;
    uint64_t *masks;
    size_t n = 0, capacity = 0;
    BD_NEW(arena, masks, all->n_rows);
    for (size_t j = 0; j < n_bits; j++)
        for (size_t i = 0; i < all->n_rows; i++)
            masks[i] |= (uint64_t)bd_is_missing(description->incomplete[j], all->rows[i]) << j;
    qsort(masks, all->n_rows, sizeof *masks, by_columns);
    for (size_t i = 0; i < all->n_rows; i++) {
        if (i == 0 || masks[i] != masks[i - 1])
            BD_PUSH(arena, patterns, n, capacity, ((bd_missing_pattern){.columns = masks[i]}));
        patterns[n - 1].n_rows++;
    }
    qsort(patterns, n, sizeof *patterns, by_frequency);
    description->patterns = patterns;
    description->n_patterns = n;
    return BD_OK;
}

static bd_missing_pair missing_pair(const bd_description *description, size_t x, size_t y)
{
    bd_missing_pair pair = {.x = description->incomplete[x], .y = description->incomplete[y]};
    size_t *const counts[] = {&pair.n_both, &pair.n_only_y, &pair.n_only_x, &pair.n_neither}; /* x missing, y missing */
    for (size_t i = 0; i < description->n_patterns; i++) {
        const bd_missing_pattern *pattern = &description->patterns[i];
        *counts[(pattern->columns >> x & 1) | (pattern->columns >> y & 1) << 1] += pattern->n_rows;
    }
    return pair;
}

bd_status bd_describe_missing(const bd_part *all, bd_arena *arena, bd_description *description)
{
    const bd_column **incomplete;
    bd_missing_pair *pairs;
    size_t n = 0;
    BD_NEW(arena, incomplete, description->n_columns);
    for (size_t j = 0; j < description->n_columns; j++)
        if (description->columns[j].parts[0].n_missing > 0)
            incomplete[n++] = description->columns[j].column;
    description->incomplete = incomplete;
    description->n_incomplete = n;
    if (n == 0)
        return BD_OK;
    BD_TRY(count_patterns(all, arena, description));
    const size_t listed = n < BD_FEW_COLUMNS ? n : BD_FEW_COLUMNS;
    BD_NEW(arena, pairs, listed * listed);
    for (size_t i = 0; i < listed; i++)
        for (size_t j = i + 1; j < listed; j++)
            pairs[description->n_missing_pairs++] = missing_pair(description, i, j);
    description->missing_pairs = pairs;
    return BD_OK;
}
