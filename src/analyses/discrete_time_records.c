/* The person-period form: a record for each period in which a row is at risk. */
#include <math.h>

#include "analyses/discrete_time_internal.h"

static bd_status check_ends(const double *ends, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (!(ends[k] > (k > 0 ? ends[k - 1] : 0)) || isinf(ends[k]))
            return bd_fail(BD_EUSAGE, "--periods takes the ends of periods, ascending and above 0, such as 30,60,90");
    return BD_OK;
}

static bd_status not_whole(const char *what, size_t i, double time)
{
    return bd_fail(BD_EDATA,
                   "the %s in row %zu is %g; discrete times are whole periods, 1, 2, ... (cut others by --periods, "
                   "the ends of periods)",
                   what, i + 1, time);
}

/* Whole numbers: one period each, to the last time. */
static bd_status whole_periods(const bd_cox_design *design, bd_arena *arena, const double **ends, size_t *n)
{
    double last = 0, *whole;
    for (size_t i = 0; i < design->n_rows; i++) {
        const double start = design->start != NULL ? design->start[i] : 0;
        if (design->stop[i] != floor(design->stop[i]) || design->stop[i] < 1)
            return not_whole("time", i, design->stop[i]);
        if (start != floor(start) || start < 0)
            return not_whole("start", i, start);
        last = fmax(last, design->stop[i]);
    }
    if (last > MOST_PERIODS)
        return bd_fail(BD_EDATA, "times go to %g, and each is a period; join them by --periods, the ends of periods",
                       last);
    *n = (size_t)last;
    BD_NEW(arena, whole, *n);
    for (size_t k = 0; k < *n; k++)
        whole[k] = (double)(k + 1);
    *ends = whole;
    return BD_OK;
}

static bd_status make_periods(const bd_discrete_time *d, bd_arena *arena, bd_period **out, size_t *n)
{
    const double *ends = d->options.ends;
    bd_period *periods;
    *n = d->options.n_ends;
    BD_TRY(ends != NULL ? check_ends(ends, *n) : whole_periods(&d->data->design, arena, &ends, n));
    BD_NEW(arena, periods, *n);
    for (size_t k = 0; k < *n; k++)
        periods[k] = (bd_period){.from = k > 0 ? ends[k - 1] : 0, .to = ends[k], };
    *out = periods;
    return BD_OK;
}

/* The period in which a time lies: (from, to]; n behind the last. */
static size_t period_of(const bd_period *periods, size_t n, double time)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (periods[middle].to < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The first period of a row, and the one after its last. */
static bd_status span(const bd_cox_design *design, const bd_period *periods, size_t n, size_t i, size_t *first,
                      size_t *end)
{
    const double start = design->start != NULL ? design->start[i] : 0, stop = design->stop[i];
    if (!(stop > 0))
        return bd_fail(BD_EDATA, "the time in row %zu is %g; the first period begins after 0", i + 1, stop);
    const size_t last = period_of(periods, n, stop);
    *first = start > 0 ? period_of(periods, n, start) + 1 : 0;
    if (start < 0 || (start > 0 && *first <= n && periods[*first - 1].to != start))
        return bd_fail(BD_EDATA, "the start in row %zu, %g, lies within a period; rows begin where a period does",
                       i + 1, start);
    *end = last < n ? last + 1 : n;
    *first = *first < *end ? *first : *end; /* behind the last period */
    return BD_OK;
}

/* Counts at risk and events; *n_records <- of all. */
static bd_status count(bd_discrete_time *d, bd_period *periods, size_t *n_records)
{
    const bd_cox_design *design = &d->data->design;
    for (size_t i = 0; i < design->n_rows; i++) {
        const double weight = design->weights != NULL ? design->weights[i] : 1;
        size_t first, end;
        BD_TRY(span(design, periods, d->n_periods, i, &first, &end));
        const bool beyond = design->stop[i] > periods[d->n_periods - 1].to;
        d->n_beyond += beyond;
        d->n_events_beyond += beyond && design->event[i] == 1;
        for (size_t k = first; k < end; k++)
            periods[k].at_risk += weight;
        if (!beyond && end > first && design->event[i] == 1)
            periods[end - 1].events += weight;
        *n_records += end - first;
    }
    return BD_OK;
}

bd_status discrete_time_records(bd_discrete_time *d, bd_arena *arena, const double **out)
{
    const bd_cox_design *design = &d->data->design;
    bd_period *periods = NULL;
    size_t *row, *period, n = 0;
    double *event;
    BD_TRY(bd_cox_check(design, arena));
    BD_TRY(make_periods(d, arena, &periods, &d->n_periods));
    BD_TRY(count(d, periods, &n));
    for (size_t k = 0; k < d->n_periods; k++)
        periods[k].known = d->options.effect == BD_PERIOD_EACH &&
                           (periods[k].events == 0 || periods[k].events == periods[k].at_risk);
    BD_NEW(arena, row, n);
    BD_NEW(arena, period, n);
    BD_NEW(arena, event, n);
    for (size_t i = 0; i < design->n_rows; i++) {
        size_t first, end;
        BD_TRY(span(design, periods, d->n_periods, i, &first, &end));
        const bool beyond = design->stop[i] > periods[d->n_periods - 1].to;
        for (size_t k = first; k < end; k++) {
            if (periods[k].known)
                continue;
            row[d->n_records] = i;
            period[d->n_records] = k;
            event[d->n_records++] = k + 1 == end && !beyond && design->event[i] == 1;
        }
    }
    d->periods = periods;
    d->row = row;
    d->period = period;
    *out = event;
    return BD_OK;
}
