/* Rows for Fine and Gray's regression: who had another event first stays at risk, with the weight G(t-) / G(x-) that
 * censoring would have left, G the Kaplan-Meier curve of the time of censoring (events at a time come before it). */
#include <bordin/models/competing_risks.h>

#include <math.h>

#include "models/survival_sweep.h"

/* Stretches of time on which G is level: (end[j - 1], end[j]]. */
typedef struct stretches {
    size_t n;
    double *end, *g;
    bool *needed; /* the event happens in it */
} stretches;

static bd_status find_stretches(const survival_order *order, size_t stratum, double cause, bd_arena *arena,
                                stretches *s)
{
    const bd_survival_rows *rows = order->rows;
    const size_t first = order->first[stratum], n = order->first[stratum + 1] - first;
    survival_walk walk = survival_begin(order, stratum);
    double g = 1, n_here = (double)n; /* rows, not weights */
    BD_NEW(arena, s->end, n + 1);
    BD_NEW(arena, s->g, n + 1);
    BD_NEW(arena, s->needed, n + 1);
    s->n = 0;
    while (survival_next(&walk)) {
        double n_events = 0, n_censored = 0;
        for (size_t r = walk.first; r < walk.end; r++) {
            const double event = rows->event[order->by_stop[r]];
            n_events += event > 0;
            n_censored += event == 0;
            s->needed[s->n] |= event == cause;
        }
        s->end[s->n] = walk.time;
        s->g[s->n] = g;
        if (n_censored > 0) {
            g *= 1 - n_censored / (n_here - n_events);
            s->n++;
        }
        n_here -= n_events + n_censored;
    }
    if (s->n == 0 || s->end[s->n - 1] < walk.time) { /* to the last time */
        s->end[s->n] = walk.time;
        s->g[s->n++] = g;
    }
    return BD_OK;
}

typedef struct output {
    size_t n, capacity[5];
    size_t *row;
    double *start, *stop, *event, *weights;
} output;

static bd_status put(output *o, size_t row, double start, double stop, double event, double weight, bd_arena *arena)
{
    size_t n[5] = {o->n, o->n, o->n, o->n, o->n};
    BD_PUSH(arena, o->row, n[0], o->capacity[0], row);
    BD_PUSH(arena, o->start, n[1], o->capacity[1], start);
    BD_PUSH(arena, o->stop, n[2], o->capacity[2], stop);
    BD_PUSH(arena, o->event, n[3], o->capacity[3], event);
    BD_PUSH(arena, o->weights, n[4], o->capacity[4], weight);
    o->n++;
    return BD_OK;
}

static bd_status put_row(const bd_survival_rows *rows, size_t i, double cause, double zero, const stretches *s,
                         bd_arena *arena, output *o)
{
    const double weight = survival_weight(rows, i);
    size_t j = 0, high = s->n - 1;
    if (rows->event[i] == 0 || rows->event[i] == cause)
        return put(o, i, zero, rows->stop[i], rows->event[i] == cause, weight, arena);
    while (j < high) { /* the stretch that stop is in */
        const size_t middle = (j + high) / 2;
        if (s->end[middle] < rows->stop[i])
            j = middle + 1;
        else
            high = middle;
    }
    BD_TRY(put(o, i, zero, s->end[j], 0, weight, arena));
    for (size_t l = j + 1; l < s->n; l++)
        if (s->needed[l])
            BD_TRY(put(o, i, s->end[l - 1], s->end[l], 0, s->g[l] / s->g[j] * weight, arena));
    return BD_OK;
}

bd_status bd_fine_gray_rows(const bd_survival_rows *rows, size_t n_causes, size_t cause, bd_arena *arena,
                            const bd_fine_gray **expanded)
{
    survival_order order;
    bd_fine_gray *result;
    output o = {0};
    double zero = 0;
    if (cause < 1 || cause > n_causes)
        return bd_fail(BD_EUSAGE, "there is no cause %zu; they are 1 to %zu", cause, n_causes);
    if (rows->start != NULL)
        return bd_fail(BD_EUSAGE, "Fine and Gray's weights take rows that are at risk from 0, not late entry");
    BD_NEW(arena, result, 1);
    BD_TRY(survival_sort(rows, (double)n_causes, rows->strata, rows->n_strata, arena, &order));
    BD_TRY(survival_check_causes(rows, n_causes));
    for (size_t i = 0; i < rows->n_rows; i++)
        zero = rows->stop[i] == 0 && survival_weight(rows, i) > 0 ? -1 : zero;
    for (size_t g = 0; g < order.n_groups; g++) {
        stretches s = {0};
        bool any = false;
        if (order.first[g] == order.first[g + 1])
            continue;
        BD_TRY(find_stretches(&order, g, (double)cause, arena, &s));
        for (size_t j = 0; j < s.n; j++)
            any |= s.needed[j];
        for (size_t i = 0; i < rows->n_rows && any; i++)
            if (survival_weight(rows, i) > 0 && (rows->strata == NULL || rows->strata[i] == g))
                BD_TRY(put_row(rows, i, (double)cause, zero, &s, arena, &o));
    }
    *result = (bd_fine_gray){o.n, o.row, o.start, o.stop, o.event, o.weights};
    *expanded = result;
    return BD_OK;
}
