/* Nine estimators of the variance between studies, and their standard errors. */
#include <math.h>
#include <string.h>

#include "pooling_internal.h"

enum { MOST_STEPS = 1000 };

struct bd_tau_estimator {
    const char *name, *summary;
    double (*closed)(pooling *s);                /* an estimate, before it is cut off at 0 */
    double (*step)(const pooling *s, double df); /* or what to add to tau^2, again and again */
    double (*variance)(pooling *s, double tau2); /* of the estimate */
};

static double reml_step(const pooling *s, double df)
{
    (void)df;
    return (s->yppe - s->trace) / s->trace2;
}

static double ml_step(const pooling *s, double df)
{
    (void)df;
    return (s->yppe - s->w1) / s->w2;
}

static double eb_step(const pooling *s, double df)
{
    return (s->ype * s->n / df - s->n) / s->w1;
}

static double pm_step(const pooling *s, double df)
{
    return (s->ype - df) / s->yppe; /* Newton's, of a falling convex function */
}

static double dersimonian_laird(pooling *s)
{
    return pooling_weigh(s, 0, 1) ? (s->ype - pooling_df(s)) / s->trace : NAN;
}

static double hunter_schmidt(pooling *s)
{
    return pooling_weigh(s, 0, 1) ? (s->ype - s->n) / s->w1 : NAN;
}

/* X'VX and X'V^2X in `second` and `third`, of least squares without weights: with P = I - H, tr PV and tr PVPV. */
static void variances_of(pooling *s, double *trace, double *trace2)
{
    const bd_pooling_design *d = s->design;
    const size_t p = d->n_columns;
    memset(s->second, 0, 2 * p * p * sizeof *s->second);
    *trace = *trace2 = 0;
    for (size_t i = 0; i < d->n; i++) {
        const double v = d->variances[i], cv = s->counts == NULL ? v : s->counts[i] * v;
        *trace += cv;
        *trace2 += cv * v;
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++) {
                const double xx = pooling_value(d, j, i) * pooling_value(d, k, i);
                s->second[j * p + k] += cv * xx;
                s->third[j * p + k] += cv * v * xx;
            }
    }
    *trace -= pooling_trace(p, s->inverse, s->second);
    *trace2 += pooling_squared_trace(p, s->inverse, s->second) - 2 * pooling_trace(p, s->inverse, s->third);
}

/* (y'Py - tr PV) / (k - p), unweighted. */
static double hedges(pooling *s)
{
    double trace, trace2;
    if (!pooling_weigh(s, 1, 0))
        return NAN;
    variances_of(s, &trace, &trace2);
    return (s->ype - trace) / pooling_df(s);
}

static double crude_variance(const pooling *s)
{
    const bd_pooling_design *d = s->design;
    double mean = 0, squares = 0, n = 0;
    for (size_t i = 0; i < d->n; i++) {
        const double count = s->counts == NULL ? 1 : s->counts[i];
        n += count;
        mean += count * d->effects[i];
    }
    mean /= n;
    for (size_t i = 0; i < d->n; i++)
        squares += (s->counts == NULL ? 1 : s->counts[i]) * (d->effects[i] - mean) * (d->effects[i] - mean);
    return squares / n;
}

/* The ratio of weighted to crude variance: always above 0. */
static double sidik_jonkman(pooling *s)
{
    const double crude = crude_variance(s);
    if (!(crude > 0))
        return 0;
    return pooling_weigh(s, crude, 1) ? crude * s->ype / pooling_df(s) : NAN;
}

static double equal(pooling *s)
{
    (void)s;
    return 0;
}

static double reml_variance(pooling *s, double tau2)
{
    return pooling_weigh(s, tau2, 1) ? 2 / s->trace2 : NAN;
}

static double ml_variance(pooling *s, double tau2)
{
    return pooling_weigh(s, tau2, 1) ? 2 / s->w2 : NAN;
}

static double pm_variance(pooling *s, double tau2)
{
    return pooling_weigh(s, tau2, 1) ? 2 * s->n * s->n / pooling_df(s) / (s->w1 * s->w1) : NAN;
}

/* Of y'Py, P of weights 1 / v: 2 (k - p) + 4 tau^2 tr P + 2 tau^4 tr PP. */
static double quadratic_variance(pooling *s, double tau2)
{
    return pooling_weigh(s, 0, 1) ? 2 * pooling_df(s) + 4 * tau2 * s->trace + 2 * tau2 * tau2 * s->trace2 : NAN;
}

static double dl_variance(pooling *s, double tau2)
{
    const double variance = quadratic_variance(s, tau2);
    return variance / (s->trace * s->trace);
}

static double hs_variance(pooling *s, double tau2)
{
    const double variance = quadratic_variance(s, tau2);
    return variance / (s->w1 * s->w1);
}

static double he_variance(pooling *s, double tau2)
{
    const double df = pooling_df(s);
    double trace, trace2;
    if (!pooling_weigh(s, 1, 0))
        return NAN;
    variances_of(s, &trace, &trace2);
    return (2 * trace2 + 4 * tau2 * trace + 2 * tau2 * tau2 * df) / (df * df);
}

/* 2 tr PVPV + 4 tau^2 tr PVP + 2 tau^4 tr PP, where V is W^-1 less the crude variance c, and P W^-1 P = P. */
static double sj_variance(pooling *s, double tau2)
{
    const double c = crude_variance(s), df = pooling_df(s);
    if (!(c > 0) || !pooling_weigh(s, c, 1))
        return NAN;
    const double pvpv = df - 2 * c * s->trace + c * c * s->trace2, pvp = s->trace - c * s->trace2;
    return c * c / (df * df) * (2 * pvpv + 4 * tau2 * pvp + 2 * tau2 * tau2 * s->trace2);
}

static double no_variance(pooling *s, double tau2)
{
    (void)s, (void)tau2;
    return NAN;
}

double pooling_tau_error(pooling *s, const bd_tau_estimator *estimator, double tau2)
{
    return sqrt(estimator->variance(s, tau2));
}

const bd_tau_estimator bd_tau_reml = {"reml", "restricted maximum likelihood", NULL, reml_step, reml_variance};
const bd_tau_estimator bd_tau_ml = {"ml", "maximum likelihood", NULL, ml_step, ml_variance};
const bd_tau_estimator bd_tau_dl = {"dl", "DerSimonian and Laird's moments", dersimonian_laird, NULL, dl_variance};
const bd_tau_estimator bd_tau_pm = {"pm", "Paule and Mandel's, where Q is its df", NULL, pm_step, pm_variance};
const bd_tau_estimator bd_tau_eb = {"eb", "empirical Bayes, as Paule and Mandel's", NULL, eb_step, pm_variance};
const bd_tau_estimator bd_tau_sj = {"sj", "Sidik and Jonkman's, never 0", sidik_jonkman, NULL, sj_variance};
const bd_tau_estimator bd_tau_he = {"he", "Hedges' unweighted moments", hedges, NULL, he_variance};
const bd_tau_estimator bd_tau_hs = {"hs", "Hunter and Schmidt's", hunter_schmidt, NULL, hs_variance};
const bd_tau_estimator bd_tau_equal = {"ee", "equal effects: no variance between studies", equal, NULL, no_variance};
const bd_tau_estimator *const bd_tau_estimators[] = {&bd_tau_reml, &bd_tau_ml, &bd_tau_dl, &bd_tau_pm,    &bd_tau_eb,
                                                     &bd_tau_sj,   &bd_tau_he, &bd_tau_hs, &bd_tau_equal, NULL};

const char *bd_tau_name(const bd_tau_estimator *estimator)
{
    return estimator->name;
}

const char *bd_tau_summary(const bd_tau_estimator *estimator)
{
    return estimator->summary;
}

bd_status bd_tau_find(const char *name, const bd_tau_estimator **estimator)
{
    for (size_t i = 0; bd_tau_estimators[i] != NULL; i++)
        if (strcmp(bd_tau_estimators[i]->name, name) == 0) {
            *estimator = bd_tau_estimators[i];
            return BD_OK;
        }
    return bd_fail(BD_EUSAGE, "no estimator of tau^2 named '%s'; there are reml, ml, dl, pm, eb, sj, he, hs, ee", name);
}

/* Where the step is 0, by secants, or steps as they are. What leaves the bracket of steps upwards and downwards, as scoring
 * does when it swings, is replaced by the bracket's middle. */
static bool iterate(pooling *s, const bd_tau_estimator *estimator, double *tau2)
{
    double low = -1, high = INFINITY, last = NAN, last_step = NAN;
    for (int i = 0; i < MOST_STEPS; i++) {
        const double step = estimator->step(s, pooling_df(s)), before = *tau2;
        const double secant = before - step * (before - last) / (step - last_step);
        *(step > 0 ? &low : &high) = before;
        if (before == 0 && step <= 0)
            return true;
        const bool inside = secant > 0 && secant > low && secant < high;
        double next = inside ? secant : fmax(0, before + step);
        if (fabs(next - before) > 1e-14 * (next + before) && (next >= high || next <= low))
            next = (low + high) / 2;
        if (!isfinite(next) || !pooling_weigh(s, next, 1))
            return false;
        *tau2 = next;
        if (fabs(next - before) <= 1e-14 * (next + before))
            return true;
        last = before;
        last_step = step;
    }
    return fabs(estimator->step(s, pooling_df(s))) <= 1e-9 * *tau2;
}

bool pooling_estimate(pooling *s, const bd_tau_estimator *estimator, double *tau2)
{
    if (estimator->closed != NULL) {
        *tau2 = fmax(0, estimator->closed(s));
        return isfinite(*tau2) && pooling_weigh(s, *tau2, 1);
    }
    *tau2 = estimator == &bd_tau_pm ? 0 : fmax(0, hedges(s));
    return isfinite(*tau2) && pooling_weigh(s, *tau2, 1) && iterate(s, estimator, tau2);
}

bool bd_pool_replicate(const bd_pooling_design *design, const bd_tau_estimator *estimator, const double *counts,
                       double *scratch, double *values)
{
    pooling s;
    pooling_place(design, counts, scratch, &s);
    if (!pooling_estimate(&s, estimator, &values[design->n_columns]))
        return false;
    memcpy(values, s.b, design->n_columns * sizeof *values);
    return true;
}
