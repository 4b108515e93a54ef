/* Kaplan-Meier curves: S(t) = prod over times u <= t of 1 - d(u) / n(u).
 *
 * Greenwood's error: S(t)^2 sum d / (n (n - d)). The robust one: with A(t) = sum d / (n (n - d)), a row of weight w
 * moves log S(t) by  w (A(t) - A(start))  while it is at risk,  and by  w (A(stop-) - A(start) - 1 / n(stop))
 * when it had the event; by cluster that is fixed + at_risk A(t), so that sums of three products are all that has to be
 * kept. The same of the cumulative hazard with B(t) = sum d / n^2 and, for the event, w (B(stop) - B(start) - 1 /
 * n(stop)). */
#include <math.h>

#include <gsl/gsl_cdf.h>

#include "models/survival_sweep.h"

/* Sums of squares and products over clusters, of fixed + weight * A. */
typedef struct influence {
    doubled *fixed, *weight;                             /* by cluster */
    doubled fixed_fixed, fixed_weight, weight_weight;
} influence;

static void add(doubled *sum, doubled value)
{
    *sum = doubled_add(*sum, value);
}

static void change(influence *in, size_t c, doubled fixed, double weight)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        const doubled s = {sign, 0};
        add(&in->fixed_fixed, doubled_multiply(s, doubled_multiply(in->fixed[c], in->fixed[c])));
        add(&in->fixed_weight, doubled_multiply(s, doubled_multiply(in->fixed[c], in->weight[c])));
        add(&in->weight_weight, doubled_multiply(s, doubled_multiply(in->weight[c], in->weight[c])));
        if (sign > 0)
            break;
        add(&in->fixed[c], fixed);
        add(&in->weight[c], (doubled){weight, 0});
    }
}

static double variance(const influence *in, doubled a)
{
    doubled sum = doubled_multiply(in->weight_weight, doubled_multiply(a, a));
    add(&sum, doubled_multiply((doubled){2, 0}, doubled_multiply(in->fixed_weight, a)));
    add(&sum, in->fixed_fixed);
    return fmax(sum.high, 0);
}

typedef struct columns {
    double *times, *at_risk, *events, *censored, *survival, *se, *low, *high, *hazard, *hazard_se;
} columns;

static bd_status make_columns(const survival_order *order, size_t group, bd_arena *arena, bd_survival_curve *curve,
                              columns *c)
{
    double **all[] = {&c->times,    &c->at_risk, &c->events, &c->censored, &c->survival,
                      &c->se,       &c->low,     &c->high,   &c->hazard,   &c->hazard_se};
    survival_walk walk = survival_begin(order, group);
    while (survival_next(&walk))
        curve->n_times++;
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        BD_NEW(arena, *all[k], curve->n_times);
    curve->times = c->times;
    curve->at_risk = c->at_risk;
    curve->events = c->events;
    curve->censored = c->censored;
    curve->survival = c->survival;
    curve->se = c->se;
    curve->low = c->low;
    curve->high = c->high;
    curve->hazard = c->hazard;
    curve->hazard_se = c->hazard_se;
    return BD_OK;
}

static bd_status note_entries(const survival_order *order, size_t group, bd_arena *arena, bd_survival_curve *curve)
{
    const size_t first = order->first[group], n = order->first[group + 1] - first;
    double *times, *entered;
    if (order->by_start == NULL)
        return BD_OK;
    BD_NEW(arena, times, n);
    BD_NEW(arena, entered, n);
    for (size_t k = 0; k < n; k++) {
        times[k] = order->rows->start[order->by_start[first + k]];
        entered[k] = survival_weight(order->rows, order->by_start[first + k]);
    }
    curve->n_entries = n;
    curve->entry_times = times;
    curve->entered = entered;
    return BD_OK;
}

/* Where a walk through a group stands. */
typedef struct product {
    double survival, hazard;
    doubled a;                /* sum of d / (n (n - d)) */
    doubled b;                /* sum of d / n^2 */
    influence on_log, on_hazard;
    size_t entered;
} product;

static size_t cluster_of(const bd_survival_rows *rows, size_t i)
{
    return rows->cluster == NULL ? i : rows->cluster[i];
}

/* Rows come under observation, their influence counts from here. */
static void enter(const survival_walk *walk, product *p)
{
    const survival_order *order = walk->order;
    const uint32_t *rows = order->by_start != NULL ? order->by_start : order->by_stop;
    for (; p->entered < walk->entered; p->entered++) {
        const double weight = survival_weight(order->rows, rows[p->entered]);
        const size_t c = cluster_of(order->rows, rows[p->entered]);
        change(&p->on_log, c, doubled_multiply(p->a, (doubled){-weight, 0}), weight);
        change(&p->on_hazard, c, doubled_multiply(p->b, (doubled){-weight, 0}), weight);
    }
}

/* Rows that end now keep the influence they have: those with the event that of A just before, less 1 / n. */
static void leave(const survival_walk *walk, doubled before, product *p)
{
    const bd_survival_rows *rows = walk->order->rows;
    const doubled each = doubled_divide((doubled){-1, 0}, walk->at_risk.high);
    for (size_t k = walk->first; k < walk->end; k++) {
        const size_t i = walk->order->by_stop[k];
        const double weight = survival_weight(rows, i);
        const bool event = rows->event[i] == 1;
        const doubled log_s = event ? doubled_add(before, each) : p->a, hazard = event ? doubled_add(p->b, each) : p->b;
        change(&p->on_log, cluster_of(rows, i), doubled_multiply(log_s, (doubled){weight, 0}), -weight);
        change(&p->on_hazard, cluster_of(rows, i), doubled_multiply(hazard, (doubled){weight, 0}), -weight);
    }
}

static void count(const survival_walk *walk, double *events, double *censored)
{
    const bd_survival_rows *rows = walk->order->rows;
    for (size_t k = walk->first; k < walk->end; k++) {
        const size_t i = walk->order->by_stop[k];
        *(rows->event[i] == 1 ? events : censored) += survival_weight(rows, i);
    }
}

static bd_status make_influence(const survival_order *order, bd_arena *arena, influence *in)
{
    const size_t n = order->rows->cluster == NULL ? order->rows->n_rows : order->rows->n_clusters;
    BD_NEW(arena, in->fixed, n);
    BD_NEW(arena, in->weight, n);
    return BD_OK;
}

/* What d events among n at risk do. */
static void step(const survival_walk *walk, double d, bool robust, product *p)
{
    const double n = walk->at_risk.high;
    const bool all = !(d < n * (1 - 1e-14)); /* sums of weights may differ in the last digit */
    const doubled before = p->a;
    if (robust)
        enter(walk, p);
    p->survival *= all && d > 0 ? 0 : 1 - d / n;
    p->hazard += d / n;
    add(&p->b, doubled_divide(doubled_divide((doubled){d, 0}, n), n));
    if (!all)
        add(&p->a, doubled_divide(doubled_divide((doubled){d, 0}, n), n - d));
    if (robust)
        leave(walk, before, p);
}

static bd_status trace(const survival_order *order, size_t group, const bd_survival_curve_options *options,
                       bd_arena *arena, bd_survival_curve *curve)
{
    const double z = gsl_cdf_ugaussian_Pinv(0.5 + options->level / 2);
    const bool robust = options->robust;
    survival_walk walk = survival_begin(order, group);
    product p = {.survival = 1, .entered = order->first[group]};
    columns c;
    BD_TRY(make_columns(order, group, arena, curve, &c));
    const bd_mark scratch = bd_arena_mark(arena);
    if (robust) {
        BD_TRY(make_influence(order, arena, &p.on_log));
        BD_TRY(make_influence(order, arena, &p.on_hazard));
    }
    for (size_t t = 0; survival_next(&walk); t++) {
        count(&walk, &c.events[t], &c.censored[t]);
        step(&walk, c.events[t], robust, &p);
        const double log_se = robust ? sqrt(variance(&p.on_log, p.a)) : p.survival > 0 ? sqrt(p.a.high) : INFINITY;
        c.times[t] = walk.time;
        c.at_risk[t] = walk.at_risk.high;
        c.survival[t] = p.survival;
        c.hazard[t] = p.hazard;
        c.hazard_se[t] = sqrt(robust ? variance(&p.on_hazard, p.b) : p.b.high);
        c.se[t] = p.survival > 0 ? p.survival * log_se : robust ? 0 : NAN;
        survival_limits(options->interval, z, p.survival, log_se, &c.low[t], &c.high[t]);
        curve->n_events += c.events[t];
        curve->n += c.events[t] + c.censored[t];
    }
    bd_arena_rewind(arena, scratch);
    curve->n_rows = order->first[group + 1] - order->first[group];
    curve->robust = robust;
    curve->level = options->level;
    return note_entries(order, group, arena, curve);
}

bd_status bd_survival_curves_find(const bd_survival_rows *rows, const bd_survival_curve_options *options,
                                  bd_arena *arena, const bd_survival_curves **curves)
{
    bd_survival_curves *result;
    bd_survival_curve *each;
    survival_order order;
    if (!(options->level > 0 && options->level < 1))
        return bd_fail(BD_EUSAGE, "the level of confidence is %g; it lies between 0 and 1, as .95", options->level);
    BD_TRY(survival_sort(rows, 1, rows->group, rows->n_groups, arena, &order));
    BD_NEW(arena, result, 1);
    BD_NEW(arena, each, order.n_groups);
    for (size_t g = 0; g < order.n_groups; g++)
        BD_TRY(trace(&order, g, options, arena, &each[g]));
    *result = (bd_survival_curves){order.n_groups, each};
    *curves = result;
    return BD_OK;
}
