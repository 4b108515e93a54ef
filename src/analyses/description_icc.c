/* Grouping of rows by a column, and ICC(1) of the columns by clusters. */
#include <stdlib.h>

#include <gsl/gsl_cdf.h>

#include "analyses/description_internal.h"

/* A row and the level it has. */
typedef struct member {
    double level; /* the number, or the code of the category */
    size_t row;
} member;

static int by_level(const void *left, const void *right)
{
    const member *a = left, *b = right;
    if (a->level != b->level)
        return a->level < b->level ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static bd_status name_of(const bd_column *column, size_t row, bd_arena *arena, const char **name)
{
    if (column->kind == BD_NUMBERS)
        return bd_print(arena, name, "%.15g", column->numbers[row]);
    *name = column->levels[column->codes[row] - 1];
    return BD_OK;
}

bd_status bd_split(const bd_column *column, const bd_part *all, bd_arena *arena, bd_part **parts, size_t *n_parts)
{
    member *members;
    size_t *rows, n = 0, capacity = *n_parts;
    BD_NEW(arena, members, all->n_rows);
    BD_NEW(arena, rows, all->n_rows);
    for (size_t i = 0; i < all->n_rows; i++) {
        const size_t row = all->rows[i];
        if (!bd_is_missing(column, row))
            members[n++] = (member){column->kind == BD_NUMBERS ? column->numbers[row] : column->codes[row], row};
    }
    qsort(members, n, sizeof *members, by_level);
    for (size_t i = 0; i < n; i++) {
        rows[i] = members[i].row;
        if (i == 0 || members[i].level != members[i - 1].level) {
            bd_part part = {.rows = &rows[i]};
            BD_TRY(name_of(column, members[i].row, arena, &part.name));
            BD_PUSH(arena, *parts, *n_parts, capacity, part);
        }
        (*parts)[*n_parts - 1].n_rows++;
    }
    return BD_OK;
}

/* One cluster's values. */
typedef struct sums {
    double n, mean, squares; /* about the mean */
} sums;

/* Sums are taken from the first value on: those of equal values are exact. */
static sums sums_of(const bd_column *column, const bd_part *cluster)
{
    sums s = {.mean = NAN};
    double first = NAN, total = 0;
    for (size_t i = 0; i < cluster->n_rows; i++) {
        const double value = column->numbers[cluster->rows[i]];
        if (isnan(value))
            continue;
        first = isnan(first) ? value : first;
        total += value - first;
        s.n++;
    }
    s.mean = first + total / s.n;
    for (size_t i = 0; i < cluster->n_rows; i++) {
        const double d = column->numbers[cluster->rows[i]] - s.mean;
        s.squares += isnan(d) ? 0 : d * d;
    }
    return s;
}

/* Where `tail` of F's distribution lies beyond, by halving: gsl_cdf_fdist_Qinv does not converge for many rows. */
static double f_beyond(double (*beyond)(double f, double df1, double df2), double tail, double df1, double df2)
{
    double low = -700, high = 700; /* of log F */
    const bool falls = beyond(1e-300, df1, df2) > beyond(1e300, df1, df2);
    for (int i = 0; i < 80; i++) {
        const double middle = (low + high) / 2;
        if ((beyond(exp(middle), df1, df2) > tail) == falls)
            low = middle;
        else
            high = middle;
    }
    return exp((low + high) / 2);
}

static void finish(double between, double within, double level, bd_icc *icc)
{
    const double tail = (1 - level) / 2, df1 = icc->df_between, df2 = icc->df_within;
    const double msb = between / df1, msw = within / df2;
    icc->icc = (msb - msw) / (msb + (icc->n0 - 1) * msw);
    if (!(msw > 0) && !(msb > 0))
        return;
    icc->f = msb / msw;
    if (!(msw > 0)) { /* nothing varies within clusters: what the limit is */
        icc->p = 0;
        icc->ci_low = icc->ci_high = 1;
        return;
    }
    icc->p = gsl_cdf_fdist_Q(icc->f, df1, df2);
    const double low = icc->f / f_beyond(gsl_cdf_fdist_Q, tail, df1, df2);
    const double high = icc->f / f_beyond(gsl_cdf_fdist_P, tail, df1, df2);
    icc->ci_low = (low - 1) / (low + icc->n0 - 1);
    icc->ci_high = (high - 1) / (high + icc->n0 - 1);
}

static void intraclass(const bd_column *column, const bd_part *clusters, size_t n_clusters, double level, sums *work,
                       bd_icc *icc)
{
    double n = 0, sizes_squared = 0, total = 0, within = 0, between = 0;
    size_t k = 0;
    for (size_t j = 0; j < n_clusters; j++) {
        work[k] = sums_of(column, &clusters[j]);
        if (work[k].n == 0)
            continue;
        n += work[k].n;
        sizes_squared += work[k].n * work[k].n;
        total += work[k].n * (work[k].mean - work[0].mean);
        within += work[k].squares;
        k++;
    }
    for (size_t j = 0; j < k; j++) {
        const double d = work[j].mean - work[0].mean - total / n;
        between += work[j].n * d * d;
    }
    *icc = (bd_icc){.column = column, .n = (size_t)n, .n_clusters = k, .n0 = NAN, .icc = NAN, .ci_low = NAN,
                    .ci_high = NAN, .f = NAN, .df_between = (double)k - 1, .df_within = n - (double)k, .p = NAN};
    if (k < 2 || icc->df_within < 1)
        return;
    icc->n0 = (n - sizes_squared / n) / icc->df_between;
    finish(between, within, level, icc);
}

bd_status bd_intraclass(const bd_part *all, const bd_column *const *columns, size_t n_columns, bd_arena *arena,
                        bd_description *description)
{
    bd_part *clusters = NULL;
    bd_icc *iccs;
    sums *work;
    size_t n_clusters = 0;
    BD_TRY(bd_split(description->cluster, all, arena, &clusters, &n_clusters));
    if (n_clusters < 2)
        return bd_fail(BD_EDATA, "'%s' has %s value in the %zu rows; ICC(1) needs at least two clusters",
                       description->cluster->name, n_clusters == 0 ? "no" : "only one", all->n_rows);
    description->n_without_cluster = all->n_rows;
    for (size_t j = 0; j < n_clusters; j++)
        description->n_without_cluster -= clusters[j].n_rows;
    BD_NEW(arena, iccs, n_columns);
    BD_NEW(arena, work, n_clusters);
    for (size_t j = 0; j < n_columns; j++)
        intraclass(columns[j], clusters, n_clusters, description->level, work, &iccs[j]);
    description->iccs = iccs;
    description->n_iccs = n_columns;
    return BD_OK;
}
