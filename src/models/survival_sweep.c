/* Checks and sorts survival data, and walks through its times. */
#include "models/survival_sweep.h"

#include "models/cox_internal.h"

static bd_status check_row(const bd_survival_rows *rows, double most_events, size_t i)
{
    const double stop = rows->stop[i], start = rows->start == NULL ? 0 : rows->start[i], event = rows->event[i];
    if (rows->weights != NULL && !(rows->weights[i] >= 0 && isfinite(rows->weights[i])))
        return bd_fail(BD_EDATA, "the weight in row %zu is %g; weights are 0 or more", i + 1, rows->weights[i]);
    if (!isfinite(stop) || !isfinite(start))
        return bd_fail(BD_EDATA, "the time in row %zu is not a number", i + 1);
    if (stop < 0 || start < 0)
        return bd_fail(BD_EDATA, "the time in row %zu is negative (%g); times count from when observation began", i + 1,
                       fmin(start, stop));
    if (rows->start != NULL && !(stop > start))
        return bd_fail(BD_EDATA, "the interval in row %zu begins at %g and ends at %g; it must end after it begins",
                       i + 1, start, stop);
    if (event >= 0 && event <= most_events && event == floor(event))
        return BD_OK;
    if (most_events == 1)
        return bd_fail(BD_EDATA, "the event in row %zu is %g; it is 1 where the event happened and 0 where it did not "
                                 "(codes of another kind are compared, as in status == 2)",
                       i + 1, event);
    return bd_fail(BD_EDATA, "the event in row %zu is %g; it is 0 where none happened, or the number of its cause, 1 "
                             "to %g",
                   i + 1, event, most_events);
}

static bd_status check(const bd_survival_rows *rows, double most_events, size_t *n_used)
{
    size_t n_events = 0;
    if (rows->n_rows >= UINT32_MAX)
        return bd_fail(BD_EDATA, "%zu rows are more than survival curves take", rows->n_rows);
    for (size_t i = 0; i < rows->n_rows; i++) {
        BD_TRY(check_row(rows, most_events, i));
        *n_used += survival_weight(rows, i) > 0;
        n_events += survival_weight(rows, i) > 0 && rows->event[i] != 0;
    }
    if (*n_used == 0)
        return bd_fail(BD_EDATA, "there are no rows");
    if (n_events == 0)
        return bd_fail(BD_EDATA, "none of the %zu rows has the event; all are censored", *n_used);
    return BD_OK;
}

/* "group 'women'", or "group 2". */
static bd_status group_name(const bd_survival_rows *rows, size_t group, bd_arena *arena, const char **name)
{
    if (rows->group_names == NULL)
        return bd_print(arena, name, "group %zu", group + 1);
    return bd_print(arena, name, "group '%s'", rows->group_names[group]);
}

bd_status survival_check_groups(const bd_survival_rows *rows, const char *test, bd_arena *arena)
{
    double *n;
    size_t n_present = 0, only = 0;
    const char *name;
    if (rows->group == NULL)
        return bd_fail(BD_EDATA, "there is one group; %s compares two or more", test);
    BD_NEW(arena, n, rows->n_groups);
    for (size_t i = 0; i < rows->n_rows; i++)
        n[rows->group[i]] += survival_weight(rows, i);
    for (size_t g = 0; g < rows->n_groups; g++)
        if (n[g] > 0) {
            n_present++;
            only = g;
        }
    if (n_present > 1)
        return BD_OK;
    BD_TRY(group_name(rows, only, arena, &name));
    return bd_fail(BD_EDATA, "all rows are of %s; %s compares two groups or more", name, test);
}

bd_status survival_check_causes(const bd_survival_rows *rows, size_t n_causes)
{
    for (size_t k = 1; k <= n_causes; k++) {
        bool found = false;
        for (size_t i = 0; i < rows->n_rows && !found; i++)
            found = rows->event[i] == (double)k && survival_weight(rows, i) > 0;
        if (!found)
            return bd_fail(BD_EDATA, "no row has an event of cause %zu; the causes are 1 to %zu", k, n_causes);
    }
    return BD_OK;
}

/* order <- used rows by group and ascending time, equal times in the order of the rows. */
static bd_status sort_rows(const bd_survival_rows *rows, const double *times, const size_t *first,
                           const uint32_t *group, size_t n_groups, bd_arena *arena, uint32_t *order)
{
    const bd_mark scratch = bd_arena_mark(arena);
    uint32_t *descending, *place;
    size_t *next;
    BD_NEW(arena, descending, rows->n_rows);
    BD_NEW(arena, place, rows->n_rows);
    BD_NEW(arena, next, n_groups);
    BD_TRY(cox_sort(rows->n_rows, times, NULL, 0, arena, descending));
    for (size_t k = rows->n_rows, from; k > 0; k = from) { /* runs of equal times, each forward */
        for (from = k - 1; from > 0 && times[descending[from - 1]] == times[descending[k - 1]];)
            from--;
        for (size_t l = from; l < k; l++)
            place[rows->n_rows - k + (l - from)] = descending[l];
    }
    for (size_t g = 0; g < n_groups; g++)
        next[g] = first[g];
    for (size_t k = 0; k < rows->n_rows; k++)
        if (survival_weight(rows, place[k]) > 0)
            order[next[group == NULL ? 0 : group[place[k]]]++] = place[k];
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}

bd_status survival_sort(const bd_survival_rows *rows, double most_events, const uint32_t *group, size_t n_groups,
                        bd_arena *arena, survival_order *order)
{
    uint32_t *by_stop, *by_start = NULL;
    size_t *first, n_used = 0;
    BD_TRY(check(rows, most_events, &n_used));
    if (group == NULL)
        n_groups = 1;
    BD_NEW(arena, by_stop, n_used);
    BD_NEW(arena, first, n_groups + 1);
    for (size_t i = 0; i < rows->n_rows; i++)
        first[(group == NULL ? 0 : group[i]) + 1] += survival_weight(rows, i) > 0;
    for (size_t g = 0; g < n_groups; g++)
        first[g + 1] += first[g];
    BD_TRY(sort_rows(rows, rows->stop, first, group, n_groups, arena, by_stop));
    if (rows->start != NULL) {
        BD_NEW(arena, by_start, n_used);
        BD_TRY(sort_rows(rows, rows->start, first, group, n_groups, arena, by_start));
    }
    *order = (survival_order){rows, n_used, n_groups, by_stop, by_start, first};
    return BD_OK;
}

survival_walk survival_begin(const survival_order *order, size_t group)
{
    const size_t first = order->first[group], last = order->first[group + 1];
    survival_walk walk = {.order = order, .first = first, .end = first, .entered = first, .last = last};
    if (order->by_start != NULL)
        return walk;
    walk.entered = last;
    for (size_t k = first; k < last; k++)
        walk.at_risk = doubled_add(walk.at_risk, (doubled){survival_weight(order->rows, order->by_stop[k]), 0});
    return walk;
}

bool survival_next(survival_walk *walk)
{
    const survival_order *order = walk->order;
    const bd_survival_rows *rows = order->rows;
    for (size_t k = walk->first; k < walk->end; k++)
        walk->at_risk = doubled_add(walk->at_risk, (doubled){-survival_weight(rows, order->by_stop[k]), 0});
    walk->first = walk->end;
    if (walk->first == walk->last)
        return false;
    walk->time = rows->stop[order->by_stop[walk->first]];
    while (walk->end < walk->last && rows->stop[order->by_stop[walk->end]] == walk->time)
        walk->end++;
    for (; walk->entered < walk->last && rows->start[order->by_start[walk->entered]] < walk->time; walk->entered++)
        walk->at_risk =
            doubled_add(walk->at_risk, (doubled){survival_weight(rows, order->by_start[walk->entered]), 0});
    return true;
}

void survival_limits(bd_survival_interval interval, double z, double share, double log_se, double *low,
                     double *high)
{
    const double margin = z * log_se;
    *low = *high = NAN;
    if (interval == BD_SURVIVAL_PLAIN && !isnan(share * margin)) {
        *low = fmax(share - share * margin, 0);
        *high = fmin(share + share * margin, 1);
    } else if (interval == BD_SURVIVAL_LOG && share > 0) {
        *low = share * exp(-margin);
        *high = fmin(share * exp(margin), 1);
    } else if (interval == BD_SURVIVAL_LOG_LOG && share > 0 && share < 1) {
        *low = pow(share, exp(-margin / log(share)));
        *high = pow(share, exp(margin / log(share)));
    }
}

bd_status survival_compare(size_t k, const bool *counts, const double *difference, const double *covariance,
                           bd_arena *arena, double *statistic, double *df)
{
    size_t base = 0;
    double *root, *z;
    BD_NEW(arena, root, k * k);
    BD_NEW(arena, z, k);
    *statistic = *df = 0;
    while (base < k && !counts[base])
        base++;
    for (size_t i = base + 1; i < k; i++) {
        double pivot = covariance[i * k + i], rest = difference[i];
        for (size_t j = base + 1; j < i; j++) {
            double sum = covariance[i * k + j];
            for (size_t l = base + 1; l < j; l++)
                sum -= root[i * k + l] * root[j * k + l];
            root[i * k + j] = root[j * k + j] > 0 ? sum / root[j * k + j] : 0;
            pivot -= root[i * k + j] * root[i * k + j];
            rest -= root[i * k + j] * z[j];
        }
        if (!counts[i] || !(pivot > 1e-12 * covariance[i * k + i]))
            continue;
        root[i * k + i] = sqrt(pivot);
        z[i] = rest / root[i * k + i];
        *statistic += z[i] * z[i];
        ++*df;
    }
    return BD_OK;
}
