/* Profile-likelihood intervals of standard deviations, correlations and shares of variance.
 *
 * An end is where twice the log-likelihood, the parameter held and all others free, has fallen by the quantile of
 * chi-squared with one degree of freedom. What is held becomes a function of what is free:
 *     a standard deviation s of coefficient i   sigma = s / |row i of Lambda|
 *     a correlation r with the first            Lambda_i0 = r / sqrt(1 - r^2) |the rest of row i|
 *     the residual's                            sigma itself
 *     the share of a single term's level        Lambda itself */
#include <float.h>
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "models/mixed_internal.h"
#include "models/search.h"

typedef struct profile {
    const bd_mixed_model *model;
    mixed_data data;
    mixed_point point;
    bd_mixed_interval *of;
    double held;
    bool edge;        /* held at an edge: no variance, or correlation 1 or -1 */
    double *theta;    /* k: of all entries */
    size_t *free;     /* which entries the search moves */
    size_t n_free;
    double *room;
    double sigma;           /* the likeliest */
    double least, quantile; /* of the deviance; of sqrt(chi-squared) */
    const double *fitted;   /* k: theta where the deviance is least */
    double *warm;           /* k: where the last search ended */
} profile;

static bool in_row(const profile *p, const bd_mixed_entry *e)
{
    return e->term == p->of->term && e->row == p->of->coefficient;
}

/* The length of row i of Lambda, without its first entry for a correlation. */
static double row_length(const profile *p, const double *theta)
{
    double squares = 0;
    for (size_t i = 0; i < p->model->k; i++)
        if (in_row(p, &p->model->entries[i]) &&
            (p->of->kind != BD_MIXED_OF_CORRELATION || p->model->entries[i].column > 0))
            squares += theta[i] * theta[i];
    return sqrt(squares);
}

static size_t first_of_row(const profile *p)
{
    size_t i = 0;
    while (!in_row(p, &p->model->entries[i]) || p->model->entries[i].column > 0)
        i++;
    return i;
}

static void choose_free(profile *p)
{
    const bd_mixed_model *model = p->model;
    p->n_free = 0;
    for (size_t i = 0; i < model->k; i++) {
        const bd_mixed_entry *e = &model->entries[i];
        bool moves = true;
        switch (p->of->kind) {
        case BD_MIXED_OF_SD: /* without variance, neither row nor column */
            moves = !p->edge || e->term != p->of->term ||
                    (e->row != p->of->coefficient && e->column != p->of->coefficient);
            break;
        case BD_MIXED_OF_CORRELATION: /* at 1 or -1 the first of the row is all of it */
            moves = !in_row(p, e) || (e->column == 0) == p->edge;
            break;
        case BD_MIXED_OF_SHARE:
            moves = false;
            break;
        case BD_MIXED_OF_RESIDUAL:
            break;
        }
        if (moves)
            p->free[p->n_free++] = i;
        else
            p->theta[i] = 0;
    }
    if (p->of->kind == BD_MIXED_OF_SHARE)
        p->theta[0] = sqrt(p->held / (1 - p->held)) * model->terms->scale[0] / sqrt(model->terms->moments[0]);
}

/* The deviance of what is free, and its gradient. */
static bool answer(void *context, const double *x, double *value, double *gradient)
{
    profile *p = context;
    const bd_mixed_model *model = p->model;
    const mixed_term *term = &model->terms[p->of->term];
    double *all = p->point.gradient, sigma = 0, length = 1, ratio = 0;
    for (size_t i = 0; i < p->n_free; i++)
        p->theta[p->free[i]] = x[i];
    if (!p->edge && (p->of->kind == BD_MIXED_OF_SD || p->of->kind == BD_MIXED_OF_CORRELATION)) {
        length = row_length(p, p->theta);
        if (!(length > DBL_MIN))
            return false;
    }
    if (p->of->kind == BD_MIXED_OF_SD && !p->edge)
        sigma = p->held * term->scale[p->of->coefficient] / length;
    if (p->of->kind == BD_MIXED_OF_RESIDUAL)
        sigma = p->held;
    if (p->of->kind == BD_MIXED_OF_CORRELATION && !p->edge) {
        ratio = p->held / sqrt(1 - p->held * p->held);
        p->theta[first_of_row(p)] = ratio * length;
    }
    mixed_set(model, p->theta, &p->point);
    if (!mixed_evaluate(model, &p->data, false, sigma, &p->point))
        return false;
    *value = p->point.deviance;
    const double by_sigma = sigma > 0 ? 2 * p->point.n / sigma - 2 * p->point.residual / (sigma * sigma * sigma) : 0;
    const double by_first = ratio != 0 ? all[first_of_row(p)] * ratio / length : 0;
    for (size_t i = 0; i < p->n_free; i++) {
        const size_t entry = p->free[i];
        gradient[i] = all[entry];
        if (!in_row(p, &model->entries[entry]) || p->edge)
            continue;
        if (p->of->kind == BD_MIXED_OF_SD)
            gradient[i] -= by_sigma * sigma * p->theta[entry] / (length * length);
        if (p->of->kind == BD_MIXED_OF_CORRELATION)
            gradient[i] += by_first * p->theta[entry];
    }
    return true;
}

/* From no variance: to where sigma is what it was. */
static void lengthen_row(profile *p)
{
    for (size_t i = 0; i < p->model->k; i++)
        if (in_row(p, &p->model->entries[i]) && p->model->entries[i].column == p->of->coefficient)
            p->theta[i] = p->held * p->model->terms[p->of->term].scale[p->of->coefficient] / p->sigma;
}

/* How far the deviance is above its least when the parameter is held there, as a root; NaN: not found. */
static double root_at(profile *p, double held, bool edge)
{
    search_objective all = {0, answer, p, NULL};
    double value = NAN, *x = p->room;
    size_t n_iterations;
    p->held = held;
    p->edge = edge;
    memcpy(p->theta, p->warm, p->model->k * sizeof *p->theta);
    choose_free(p);
    if (p->of->kind == BD_MIXED_OF_SD && !edge && !(row_length(p, p->theta) > DBL_MIN))
        lengthen_row(p);
    all.n = p->n_free;
    for (size_t i = 0; i < p->n_free; i++)
        x[i] = p->theta[p->free[i]];
    if (edge && p->of->kind == BD_MIXED_OF_CORRELATION) { /* with the sign of the edge, as long as the row was */
        double squares = 0;
        for (size_t i = 0; i < p->model->k; i++)
            squares += in_row(p, &p->model->entries[i]) ? p->warm[i] * p->warm[i] : 0;
        for (size_t i = 0; i < p->n_free; i++)
            if (p->free[i] == first_of_row(p))
                x[i] = held * sqrt(squares);
    }
    if (p->n_free == 0 ? !answer(p, x, &value, x) : !search_minimum(&all, NULL, x, &value, x + p->n_free, &n_iterations))
        return NAN;
    if (!edge)
        memcpy(p->warm, p->theta, p->model->k * sizeof *p->warm);
    return sqrt(fmax(value - p->least, 0));
}

/* A scale without walls on the way to the end: of the parameter itself, but for a correlation its arc tangent. */
static double to_scale(const profile *p, double value)
{
    return p->of->kind == BD_MIXED_OF_CORRELATION ? atanh(value) : value;
}

static double from_scale(const profile *p, double value)
{
    return p->of->kind == BD_MIXED_OF_CORRELATION ? tanh(value) : value;
}

/* The end on one side: the Illinois method on the root, which is nearly a straight line. */
static double find_end(profile *p, double edge, bool can_reach, double step)
{
    enum { MOST_STEPS = 60 };
    const double from = to_scale(p, p->of->estimate), quantile = p->quantile;
    double low = from, f_low = -quantile, high = from + step, f_high;
    memcpy(p->warm, p->fitted, p->model->k * sizeof *p->warm);
    if (can_reach) {
        const double there = root_at(p, edge, true);
        if (there <= quantile)
            return edge;
    }
    for (int i = 0;; i++) { /* outwards */
        const double wall = to_scale(p, edge);
        if (isfinite(wall) && (step > 0 ? high >= wall : high <= wall))
            high = (low + wall) / 2;
        f_high = root_at(p, from_scale(p, high), false) - quantile;
        if (isnan(f_high) || i == MOST_STEPS)
            return NAN;
        if (f_high >= 0)
            break;
        const double reached = f_high + quantile;
        low = high;
        f_low = f_high;
        high = from + (high - from) * (reached > 0.2 * quantile ? fmin(1.2 * quantile / reached, 3) : 3);
    }
    for (int i = 0; i < MOST_STEPS && fabs(high - low) > 1e-9 * fmax(1e-3 * fabs(from), fabs(high)); i++) {
        const double middle = (low * f_high - high * f_low) / (f_high - f_low);
        const double f = root_at(p, from_scale(p, middle), false) - quantile;
        if (isnan(f))
            return NAN;
        if (fabs(f) < 1e-9 * quantile)
            return from_scale(p, middle);
        if ((f < 0) == (f_high < 0)) {
            f_low /= 2;
            high = middle;
            f_high = f;
        } else {
            low = high;
            f_low = f_high;
            high = middle;
            f_high = f;
        }
    }
    return from_scale(p, high);
}

/* Parameters in the order of terms: standard deviations, correlations with the first; shares; the residual. */
static bd_status list_intervals(const bd_mixed_model *model, bd_arena *arena, bd_mixed_interval **intervals, size_t *n)
{
    size_t room = 0;
    for (size_t t = 0; t < model->n_terms; t++)
        for (size_t i = 0; i < model->k; i++) {
            const bd_mixed_entry *e = &model->entries[i];
            if (e->term != t || (e->row != e->column && e->column > 0))
                continue;
            const bd_mixed_interval one = {
                .kind = e->row == e->column ? BD_MIXED_OF_SD : BD_MIXED_OF_CORRELATION, .term = t, .coefficient = e->row};
            BD_PUSH(arena, *intervals, *n, room, one);
        }
    BD_PUSH(arena, *intervals, *n, room, (bd_mixed_interval){.kind = BD_MIXED_OF_RESIDUAL});
    if (model->k == 1)
        BD_PUSH(arena, *intervals, *n, room, (bd_mixed_interval){.kind = BD_MIXED_OF_SHARE});
    return BD_OK;
}

static double estimate_of(const bd_mixed *fit, const bd_mixed_interval *of)
{
    const bd_mixed_random *random = &fit->random[of->term];
    const size_t q = random->n_random, i = of->coefficient;
    switch (of->kind) {
    case BD_MIXED_OF_SD:
        return sqrt(random->covariance[i * q + i]);
    case BD_MIXED_OF_CORRELATION:
        return random->covariance[i * q] / sqrt(random->covariance[i * q + i] * random->covariance[0]);
    case BD_MIXED_OF_SHARE:
        return random->covariance[0] * random->moments[0] /
               (random->covariance[0] * random->moments[0] + fit->sigma * fit->sigma);
    case BD_MIXED_OF_RESIDUAL:
        return fit->sigma;
    }
    return NAN;
}

static void find_ends(profile *p, bd_mixed_interval *of)
{
    p->of = of;
    switch (of->kind) {
    case BD_MIXED_OF_CORRELATION:
        if (!(fabs(of->estimate) < 1 - 1e-9)) {
            of->low = of->high = NAN; /* of a singular fit: no information on it */
            return;
        }
        of->low = find_end(p, -1, true, -0.5);
        of->high = find_end(p, 1, true, 0.5);
        return;
    case BD_MIXED_OF_SHARE:
        of->low = of->estimate > 1e-12 ? find_end(p, 0, true, -0.3 * of->estimate) : 0;
        of->high = find_end(p, 1, false, 0.3 * (1 - of->estimate));
        return;
    case BD_MIXED_OF_SD:
    case BD_MIXED_OF_RESIDUAL: {
        const bool none = of->estimate < 1e-9 * p->sigma;
        const double step = none ? 0.1 * p->sigma : 0.3 * of->estimate;
        of->low = none ? 0 : find_end(p, 0, of->kind == BD_MIXED_OF_SD, -step);
        of->high = find_end(p, INFINITY, false, step);
        return;
    }
    }
}

bd_status bd_mixed_profile(const bd_mixed_model *model, const bd_mixed *fit, int n_threads, bd_arena *arena,
                           const bd_mixed_interval **out, size_t *n)
{
    bd_mixed_options options = {.df = BD_MIXED_NORMAL, .level = fit->level, .n_threads = n_threads};
    bd_mixed_interval *intervals = NULL;
    const bd_mixed *likeliest = fit;
    profile p = {.model = model, .data = {.response = model->response}};
    double *room, *fitted;
    *n = 0;
    if (fit->reml)
        BD_TRY(bd_mixed_fit(model, &options, arena, &likeliest));
    if (likeliest->end == BD_MIXED_NOT_CONVERGED)
        return bd_fail(BD_ENUMERIC, "the likelihood has no maximum that was found, and so no profile");
    BD_TRY(list_intervals(model, arena, &intervals, n));
    BD_NEW(arena, p.theta, model->k);
    BD_NEW(arena, p.warm, model->k);
    BD_NEW(arena, p.free, model->k);
    BD_NEW(arena, p.room, model->k + search_room(model->k));
    BD_NEW(arena, fitted, model->k);
    BD_NEW(arena, room, mixed_point_room(model));
    mixed_point_make(model, room, &p.point);
    p.point.n_threads = mixed_threads(n_threads);
    for (size_t i = 0; i < model->k; i++) {
        const bd_mixed_entry *e = &model->entries[i];
        const mixed_term *term = &model->terms[e->term];
        fitted[i] = likeliest->random[e->term].relative[e->row * term->q + e->column] * term->scale[e->row];
    }
    p.fitted = fitted;
    p.least = likeliest->deviance;
    p.quantile = gsl_cdf_ugaussian_Pinv(0.5 + fit->level / 2);
    p.sigma = likeliest->sigma;
    for (size_t i = 0; i < *n; i++) {
        intervals[i].estimate = estimate_of(likeliest, &intervals[i]);
        find_ends(&p, &intervals[i]);
    }
    *out = intervals;
    return BD_OK;
}
