/* Rows for Fine and Gray's regression: who had another event first stays at risk, with the weight G(t-) / G(x-) that
 * censoring would have left, G the Kaplan-Meier curve of the time of censoring (events at a time come before it). */
#include <bordin/models/competing_risks.h>

#include <math.h>

#include "models/survival_sweep.h"

/* Stretches of time on which G is level: (end[j - 1], end[j]]. */
typedef struct stretches {
    size_t n;
    double *end, *g;
    bool *needed; /* the event happens in it; NULL, as is end: only g is wanted */
} stretches;

/* What other draws of the rows take to find G again. */
struct fine_gray_censoring {
    survival_order order;
    bd_survival_rows rows;
    size_t *first;     /* n_groups + 1: stretches of each stratum */
    const double *g;   /* of all */
    const size_t *own; /* by expanded row: the stretch in which its row stops ... */
    const size_t *at;  /* ... and its own */
    double cause;
};

/* G counts rows, by how often each is drawn (NULL: once). */
static void find_stretches(const survival_order *order, size_t stratum, double cause, const double *draws, stretches *s)
{
    const bd_survival_rows *rows = order->rows;
    double g = 1, n_here = 0;
    size_t end = order->first[stratum];
    for (size_t r = end; r < order->first[stratum + 1]; r++)
        n_here += draws != NULL ? draws[order->by_stop[r]] : 1;
    s->n = 0;
    for (size_t first = end; first < order->first[stratum + 1]; first = end) {
        const double time = rows->stop[order->by_stop[first]];
        double n_events = 0, n_censored = 0;
        bool censors = false;
        for (; end < order->first[stratum + 1] && rows->stop[order->by_stop[end]] == time; end++) {
            const size_t i = order->by_stop[end];
            const double n = draws != NULL ? draws[i] : 1;
            n_events += rows->event[i] > 0 ? n : 0;
            n_censored += rows->event[i] == 0 ? n : 0;
            censors |= rows->event[i] == 0;
            if (s->needed != NULL)
                s->needed[s->n] |= rows->event[i] == cause;
        }
        s->g[s->n] = g;
        if (s->end != NULL)
            s->end[s->n] = time;
        if (n_censored > 0)
            g *= 1 - n_censored / (n_here - n_events);
        s->n += censors || end == order->first[stratum + 1]; /* the last stretch goes to the last time */
        n_here -= n_events + n_censored;
    }
}

typedef struct output {
    size_t n, capacity[7];
    size_t *row, *own, *at;
    double *start, *stop, *event, *weights;
} output;

static bd_status put(output *o, size_t row, double start, double stop, double event, double weight, size_t own,
                     size_t at, bd_arena *arena)
{
    size_t n[7] = {o->n, o->n, o->n, o->n, o->n, o->n, o->n};
    BD_PUSH(arena, o->row, n[0], o->capacity[0], row);
    BD_PUSH(arena, o->start, n[1], o->capacity[1], start);
    BD_PUSH(arena, o->stop, n[2], o->capacity[2], stop);
    BD_PUSH(arena, o->event, n[3], o->capacity[3], event);
    BD_PUSH(arena, o->weights, n[4], o->capacity[4], weight);
    BD_PUSH(arena, o->own, n[5], o->capacity[5], own);
    BD_PUSH(arena, o->at, n[6], o->capacity[6], at);
    o->n++;
    return BD_OK;
}

/* `before`: stretches of the strata before this one. */
static bd_status put_row(const bd_survival_rows *rows, size_t i, double cause, double zero, const stretches *s,
                         size_t before, bd_arena *arena, output *o)
{
    const double weight = survival_weight(rows, i);
    size_t j = 0, high = s->n - 1;
    if (rows->event[i] == 0 || rows->event[i] == cause)
        return put(o, i, zero, rows->stop[i], rows->event[i] == cause, weight, before, before, arena);
    while (j < high) { /* the stretch that stop is in */
        const size_t middle = (j + high) / 2;
        if (s->end[middle] < rows->stop[i])
            j = middle + 1;
        else
            high = middle;
    }
    BD_TRY(put(o, i, zero, s->end[j], 0, weight, before, before, arena));
    for (size_t l = j + 1; l < s->n; l++)
        if (s->needed[l])
            BD_TRY(put(o, i, s->end[l - 1], s->end[l], 0, s->g[l] / s->g[j] * weight, before + j, before + l, arena));
    return BD_OK;
}

static bd_status new_stretches(size_t n, bd_arena *arena, stretches *s)
{
    BD_NEW(arena, s->end, n + 1);
    BD_NEW(arena, s->needed, n + 1);
    return BD_OK;
}

static bd_status expand(struct fine_gray_censoring *in, double zero, bd_arena *arena, output *o)
{
    const bd_survival_rows *rows = &in->rows;
    double *all;
    size_t before = 0;
    BD_NEW(arena, all, in->order.n + 1);
    in->g = all;
    for (size_t g = 0; g < in->order.n_groups; g++) {
        stretches s = {.g = all + before};
        bool any = false;
        in->first[g] = before;
        BD_TRY(new_stretches(in->order.first[g + 1] - in->order.first[g], arena, &s));
        find_stretches(&in->order, g, in->cause, NULL, &s);
        for (size_t j = 0; j < s.n; j++)
            any |= s.needed[j];
        for (size_t i = 0; i < rows->n_rows && any; i++)
            if (survival_weight(rows, i) > 0 && (rows->strata == NULL || rows->strata[i] == g))
                BD_TRY(put_row(rows, i, in->cause, zero, &s, before, arena, o));
        before += s.n;
    }
    in->first[in->order.n_groups] = before;
    in->own = o->own;
    in->at = o->at;
    return BD_OK;
}

bd_status bd_fine_gray_rows(const bd_survival_rows *rows, size_t n_causes, size_t cause, bd_arena *arena,
                            const bd_fine_gray **expanded)
{
    struct fine_gray_censoring *in;
    bd_fine_gray *result;
    output o = {0};
    double zero = 0;
    if (cause < 1 || cause > n_causes)
        return bd_fail(BD_EUSAGE, "there is no cause %zu; they are 1 to %zu", cause, n_causes);
    if (rows->start != NULL)
        return bd_fail(BD_EUSAGE, "Fine and Gray's weights take rows that are at risk from 0, not late entry");
    BD_NEW(arena, result, 1);
    BD_NEW(arena, in, 1);
    in->rows = *rows;
    in->cause = (double)cause;
    BD_TRY(survival_sort(&in->rows, (double)n_causes, rows->strata, rows->n_strata, arena, &in->order));
    BD_TRY(survival_check_causes(rows, n_causes));
    BD_NEW(arena, in->first, in->order.n_groups + 1);
    for (size_t i = 0; i < rows->n_rows; i++)
        zero = rows->stop[i] == 0 && survival_weight(rows, i) > 0 ? -1 : zero;
    BD_TRY(expand(in, zero, arena, &o));
    *result = (bd_fine_gray){.n_rows = o.n, .row = o.row, .start = o.start, .stop = o.stop, .event = o.event,
                             .weights = o.weights, .n_scratch = in->first[in->order.n_groups] + 1, .in = in};
    *expanded = result;
    return BD_OK;
}

void bd_fine_gray_redraw(const bd_fine_gray *expanded, const double *draws, double *scratch, double *factors)
{
    const struct fine_gray_censoring *in = expanded->in;
    for (size_t g = 0; g < in->order.n_groups; g++) {
        stretches s = {.g = scratch + in->first[g]};
        find_stretches(&in->order, g, in->cause, draws, &s);
    }
    for (size_t r = 0; r < expanded->n_rows; r++) {
        const size_t own = in->own[r], at = in->at[r];
        factors[r] = draws[expanded->row[r]];
        if (factors[r] > 0 && own != at)
            factors[r] *= scratch[at] / scratch[own] * (in->g[own] / in->g[at]);
    }
}
