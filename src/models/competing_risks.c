/* Cumulative incidence by Aalen and Johansen: F_k(t) = sum over times u <= t of S(u-) d_k(u) / n(u).
 *
 * Errors are those of the influence of clusters. With A(t) = sum d / (n (n - d)), and of cause k
 * P(t) = sum S(u-) d_k / n (A(u-) - 1 / n),  a row of weight w that is at risk from s moves F_k(t) by
 *     w (P(t) - P(s) - A(s) (F(t) - F(s)))                                  while it is at risk,
 *     that at x, w S(x-) / n more with the event k, and w l (F(t) - F(x))    behind its end x,
 * l = A(x) - A(s), and A(x-) - A(s) - 1 / n(x) with an event. All of it is  fixed + slope F(t) + here P(t)  by
 * cluster. */
#include <bordin/models/competing_risks.h>

#include <math.h>

#include <gsl/gsl_cdf.h>

#include "models/survival_sweep.h"

/* Of one cause: where it is, and over clusters the sums of products of fixed, slope and here. */
typedef struct cause {
    double incidence;
    doubled f, p;
    doubled *fixed; /* by cluster */
    doubled fixed_fixed, fixed_slope, fixed_here;
} cause;

typedef struct state {
    size_t n_causes;
    double survival;
    doubled a;
    cause *causes;
    doubled *slope, *here; /* by cluster */
    doubled slope_slope, slope_here, here_here;
    size_t entered;
} state;

static doubled times(doubled a, double b)
{
    return doubled_multiply(a, (doubled){b, 0});
}

static void add(doubled *sum, doubled value)
{
    *sum = doubled_add(*sum, value);
}

/* Takes a cluster out of the sums (sign -1), or puts it back. */
static void count(state *s, size_t c, double sign)
{
    const doubled slope = times(s->slope[c], sign), here = times(s->here[c], sign);
    add(&s->slope_slope, doubled_multiply(slope, s->slope[c]));
    add(&s->slope_here, doubled_multiply(slope, s->here[c]));
    add(&s->here_here, doubled_multiply(here, s->here[c]));
    for (size_t k = 0; k < s->n_causes; k++) {
        cause *of = &s->causes[k];
        add(&of->fixed_fixed, doubled_multiply(times(of->fixed[c], sign), of->fixed[c]));
        add(&of->fixed_slope, doubled_multiply(slope, of->fixed[c]));
        add(&of->fixed_here, doubled_multiply(here, of->fixed[c]));
    }
}

static double variance(const state *s, const cause *of)
{
    doubled sum = of->fixed_fixed;
    add(&sum, doubled_multiply(s->slope_slope, doubled_multiply(of->f, of->f)));
    add(&sum, doubled_multiply(s->here_here, doubled_multiply(of->p, of->p)));
    add(&sum, times(doubled_multiply(of->fixed_slope, of->f), 2));
    add(&sum, times(doubled_multiply(of->fixed_here, of->p), 2));
    add(&sum, times(doubled_multiply(s->slope_here, doubled_multiply(of->f, of->p)), 2));
    return fmax(sum.high, 0);
}

/* A row begins (sign 1) or ceases (-1) to be at risk; its slope changes by sign times `slope` less. */
static void change(state *s, size_t c, double weight, double sign, doubled slope)
{
    count(s, c, -1);
    for (size_t k = 0; k < s->n_causes; k++) {
        cause *of = &s->causes[k];
        const doubled rest = doubled_add(doubled_multiply(slope, of->f), doubled_negate(of->p));
        add(&of->fixed[c], times(rest, sign * weight));
    }
    add(&s->slope[c], times(slope, -sign * weight));
    add(&s->here[c], (doubled){sign * weight, 0});
    count(s, c, 1);
}

static size_t cluster_of(const bd_survival_rows *rows, size_t i)
{
    return rows->cluster == NULL ? i : rows->cluster[i];
}

static void enter(const survival_walk *walk, state *s)
{
    const survival_order *order = walk->order;
    const uint32_t *rows = order->by_start != NULL ? order->by_start : order->by_stop;
    for (; s->entered < walk->entered; s->entered++)
        change(s, cluster_of(order->rows, rows[s->entered]), survival_weight(order->rows, rows[s->entered]), 1, s->a);
}

/* Rows that end now; survival and a: just before. */
static void leave(const survival_walk *walk, double survival, doubled before, state *s)
{
    const bd_survival_rows *rows = walk->order->rows;
    const double n = walk->at_risk.high;
    const doubled each = doubled_divide((doubled){1, 0}, n);
    for (size_t r = walk->first; r < walk->end; r++) {
        const size_t i = walk->order->by_stop[r], c = cluster_of(rows, i);
        const double weight = survival_weight(rows, i);
        change(s, c, weight, -1, rows->event[i] > 0 ? doubled_add(before, doubled_negate(each)) : s->a);
        if (rows->event[i] == 0)
            continue;
        count(s, c, -1);
        add(&s->causes[(size_t)rows->event[i] - 1].fixed[c], times(each, weight * survival));
        count(s, c, 1);
    }
}

/* By time, to be filled. */
typedef struct columns {
    double *times, *at_risk, *censored, *event_free;
    double **events, **incidence, **se, **low, **high; /* by cause */
} columns;

static bd_status make_columns(size_t n_times, size_t n_causes, bd_arena *arena, columns *c)
{
    double ***by_cause[] = {&c->events, &c->incidence, &c->se, &c->low, &c->high};
    BD_NEW(arena, c->times, n_times);
    BD_NEW(arena, c->at_risk, n_times);
    BD_NEW(arena, c->censored, n_times);
    BD_NEW(arena, c->event_free, n_times);
    for (size_t j = 0; j < sizeof by_cause / sizeof *by_cause; j++) {
        BD_NEW(arena, *by_cause[j], n_causes);
        for (size_t k = 0; k < n_causes; k++)
            BD_NEW(arena, (*by_cause[j])[k], n_times);
    }
    return BD_OK;
}

static bd_status make_state(const survival_order *order, size_t group, size_t n_causes, bd_arena *arena, state *s)
{
    const size_t n = order->rows->cluster == NULL ? order->rows->n_rows : order->rows->n_clusters;
    *s = (state){.n_causes = n_causes, .survival = 1, .entered = order->first[group]};
    BD_NEW(arena, s->slope, n);
    BD_NEW(arena, s->here, n);
    BD_NEW(arena, s->causes, n_causes);
    for (size_t k = 0; k < n_causes; k++)
        BD_NEW(arena, s->causes[k].fixed, n);
    return BD_OK;
}

/* What the events of time t do. */
static void step(const survival_walk *walk, size_t t, const columns *c, state *s)
{
    const bd_survival_rows *rows = walk->order->rows;
    const double n = walk->at_risk.high, survival = s->survival;
    const doubled before = s->a, each = doubled_divide((doubled){1, 0}, n);
    double all = 0;
    for (size_t r = walk->first; r < walk->end; r++) {
        const size_t i = walk->order->by_stop[r];
        *(rows->event[i] > 0 ? &c->events[(size_t)rows->event[i] - 1][t] : &c->censored[t]) += survival_weight(rows, i);
        all += rows->event[i] > 0 ? survival_weight(rows, i) : 0;
    }
    enter(walk, s);
    for (size_t k = 0; k < s->n_causes; k++) {
        const doubled rise = times(each, survival * c->events[k][t]);
        add(&s->causes[k].f, rise);
        add(&s->causes[k].p, doubled_multiply(rise, doubled_add(before, doubled_negate(each))));
    }
    const bool none_left = all > 0 && !(all < n * (1 - 1e-14)); /* sums of weights may differ in the last digit */
    s->survival *= none_left ? 0 : 1 - all / n;
    if (!none_left)
        add(&s->a, doubled_divide(doubled_divide((doubled){all, 0}, n), n - all));
    leave(walk, survival, before, s);
}

static bd_status trace(const survival_order *order, size_t group, size_t n_causes,
                       const bd_survival_curve_options *options, bd_arena *arena, bd_incidence_curve *curve)
{
    const double z = gsl_cdf_ugaussian_Pinv(0.5 + options->level / 2);
    survival_walk walk = survival_begin(order, group);
    bd_incidence_cause *causes;
    columns c;
    state s;
    while (survival_next(&walk))
        curve->n_times++;
    walk = survival_begin(order, group);
    BD_TRY(make_columns(curve->n_times, n_causes, arena, &c));
    BD_NEW(arena, causes, n_causes);
    const bd_mark scratch = bd_arena_mark(arena);
    BD_TRY(make_state(order, group, n_causes, arena, &s));
    for (size_t t = 0; survival_next(&walk); t++) {
        step(&walk, t, &c, &s);
        c.times[t] = walk.time;
        c.at_risk[t] = walk.at_risk.high;
        c.event_free[t] = s.survival;
        for (size_t k = 0; k < n_causes; k++) {
            const double f = c.incidence[k][t] = s.causes[k].f.high, se = c.se[k][t] = sqrt(variance(&s, &s.causes[k]));
            survival_limits(options->interval, z, f, f > 0 ? se / f : 0, &c.low[k][t], &c.high[k][t]);
            causes[k].n_events += c.events[k][t];
        }
    }
    bd_arena_rewind(arena, scratch);
    for (size_t k = 0; k < n_causes; k++)
        causes[k] = (bd_incidence_cause){causes[k].n_events, c.events[k], c.incidence[k], c.se[k], c.low[k], c.high[k]};
    curve->n_rows = order->first[group + 1] - order->first[group];
    curve->times = c.times;
    curve->at_risk = c.at_risk;
    curve->censored = c.censored;
    curve->event_free = c.event_free;
    curve->causes = causes;
    return BD_OK;
}

bd_status bd_incidence_find(const bd_survival_rows *rows, size_t n_causes, const bd_survival_curve_options *options,
                            bd_arena *arena, const bd_incidence **incidence)
{
    bd_incidence *result;
    bd_incidence_curve *curves;
    survival_order order;
    if (!(options->level > 0 && options->level < 1))
        return bd_fail(BD_EUSAGE, "the level of confidence is %g; it lies between 0 and 1, as .95", options->level);
    BD_TRY(survival_sort(rows, (double)n_causes, rows->group, rows->n_groups, arena, &order));
    BD_TRY(survival_check_causes(rows, n_causes));
    BD_NEW(arena, result, 1);
    BD_NEW(arena, curves, order.n_groups);
    for (size_t g = 0; g < order.n_groups; g++)
        BD_TRY(trace(&order, g, n_causes, options, arena, &curves[g]));
    *result = (bd_incidence){n_causes, order.n_groups, curves};
    *incidence = result;
    return BD_OK;
}

bd_incidence_point bd_incidence_at(const bd_incidence_curve *curve, size_t cause_number, double time)
{
    const bd_incidence_cause *of = &curve->causes[cause_number - 1];
    size_t t = curve->n_times;
    while (t > 0 && curve->times[t - 1] > time)
        t--;
    return t == 0 ? (bd_incidence_point){0, 0, 0, 0}
                  : (bd_incidence_point){of->incidence[t - 1], of->se[t - 1], of->low[t - 1], of->high[t - 1]};
}
