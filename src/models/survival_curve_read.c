/* What is read off a survival curve: quantiles, restricted means, values at a time. */
#include <math.h>

#include <bordin/models/survival_curve.h>

/* As far as two shares may differ and be equal: survival's tolerance, the square root of the machine's epsilon. */
static const double equal = 1.4901161193847656e-8;

/* Where a falling line reaches `share`: the middle of the stretch where it is level there, which the last time ends. */
static double reach(const bd_survival_curve *curve, const double *line, double share)
{
    const size_t n = curve->n_times;
    size_t first = 0, below, last;
    while (first < n && !(line[first] <= share + equal))
        first++;
    if (first == n)
        return NAN;
    for (below = first; below < n && !(line[below] <= share - equal);)
        below++;
    if (below < n)
        return (curve->times[first] + curve->times[below]) / 2;
    last = n - 1;
    return isnan(line[last]) ? NAN : (curve->times[first] + curve->times[last]) / 2;
}

bd_survival_estimate bd_survival_quantile(const bd_survival_curve *curve, double p)
{
    if (p == 0)
        return (bd_survival_estimate){0, 0, 0};
    return (bd_survival_estimate){reach(curve, curve->survival, 1 - p), reach(curve, curve->low, 1 - p),
                                  reach(curve, curve->high, 1 - p)};
}

bd_survival_mean bd_survival_restricted_mean(const bd_survival_curve *curve, double horizon)
{
    size_t n = curve->n_times;
    double area = 0, right = horizon, sum = 0;
    while (n > 0 && curve->times[n - 1] > horizon)
        n--;
    for (size_t t = n; t > 0; t--) { /* what the event at t takes is the area behind it */
        const double at_risk = curve->at_risk[t - 1], d = curve->events[t - 1];
        area += curve->survival[t - 1] * (right - curve->times[t - 1]);
        right = curve->times[t - 1];
        if (curve->survival[t - 1] > 0)
            sum += area * area * d / (at_risk * (at_risk - d));
    }
    return (bd_survival_mean){area + right, sqrt(sum)};
}

bd_survival_point bd_survival_at(const bd_survival_curve *curve, double time)
{
    size_t next = 0, high = curve->n_times;
    while (next < high) { /* the first time at or after this one */
        const size_t middle = next + (high - next) / 2;
        if (curve->times[middle] < time)
            next = middle + 1;
        else
            high = middle;
    }
    bd_survival_point point = {.time = time, .survival = 1, .low = 1, .high = 1};
    point.observed = next < curve->n_times;
    point.at_risk = next < curve->n_times ? curve->at_risk[next] : 0;
    for (size_t k = 0; next < curve->n_times && k < curve->n_entries; k++)
        if (curve->entry_times[k] >= time && curve->entry_times[k] < curve->times[next])
            point.at_risk -= curve->entered[k];
    const size_t here = next < curve->n_times && curve->times[next] == time ? next + 1 : next;
    if (here == 0)
        return point;
    point.survival = curve->survival[here - 1];
    point.se = curve->se[here - 1];
    point.low = curve->low[here - 1];
    point.high = curve->high[here - 1];
    return point;
}
