/* The models of sessions, one for each way of taking the trend out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_min.h>

#include <bordin/models/ols.h>

#include "analyses/sessions_internal.h"

/* A model's columns; `within` and `between` are the last two. */
typedef struct session_design {
    bd_sessions *s;
    const session_rows *rows;
    bd_arena *arena;
    size_t p;
    double **columns; /* p of n, the constant too */
    const char **names;
    double *y, *one;
    bd_status status; /* of the likelihoods that were asked for: the first failure */
} session_design;

static int by_number(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Which numbers sessions have, ascending. */
static bd_status list_sessions(const session_rows *r, bd_arena *arena, double **numbers, size_t *n)
{
    BD_NEW(arena, *numbers, r->n);
    memcpy(*numbers, r->session, r->n * sizeof **numbers);
    qsort(*numbers, r->n, sizeof **numbers, by_number);
    *n = 0;
    for (size_t i = 0; i < r->n; i++)
        if (*n == 0 || (*numbers)[*n - 1] != (*numbers)[i])
            (*numbers)[(*n)++] = (*numbers)[i];
    return BD_OK;
}

static bd_status add_column(session_design *d, const char *name, double **column)
{
    BD_NEW(d->arena, *column, d->rows->n);
    d->names[d->p] = name;
    d->columns[d->p++] = *column;
    return BD_OK;
}

static bd_status add_trend(session_design *d, bd_trend trend, const double *numbers, size_t n_numbers)
{
    const session_rows *r = d->rows;
    double *column = NULL;
    const char *name = NULL;
    if (trend == BD_TREND_LINEAR || trend == BD_TREND_AR1) {
        BD_TRY(add_column(d, d->s->options.session, &column));
        memcpy(column, r->session, r->n * sizeof *column);
    }
    for (size_t k = 1; trend == BD_TREND_SESSIONS && k < n_numbers; k++) {
        BD_TRY(bd_print(d->arena, &name, "%s[%g]", d->s->options.session, numbers[k]));
        BD_TRY(add_column(d, name, &column));
        for (size_t i = 0; i < r->n; i++)
            column[i] = r->session[i] == numbers[k];
    }
    return BD_OK;
}

static bd_status design_of(bd_sessions *s, const session_rows *r, bd_trend trend, bd_arena *arena, session_design *d)
{
    const bd_frame *f = s->outcomes;
    double *numbers = NULL, *column = NULL;
    size_t n_numbers = 0;
    BD_TRY(list_sessions(r, arena, &numbers, &n_numbers));
    *d = (session_design){.s = s, .rows = r, .arena = arena, .y = r->y};
    BD_NEW(arena, d->columns, f->n_columns + n_numbers + 3);
    BD_NEW(arena, d->names, f->n_columns + n_numbers + 3);
    BD_NEW(arena, d->one, r->n);
    for (size_t i = 0; i < r->n; i++)
        d->one[i] = 1;
    for (size_t j = 0; j < f->n_columns; j++) {
        BD_TRY(add_column(d, f->columns[j].name, &column));
        for (size_t i = 0; i < r->n; i++)
            column[i] = f->columns[j].values == NULL ? 1 : f->columns[j].values[r->row[i]];
    }
    BD_TRY(add_trend(d, trend, numbers, n_numbers));
    BD_TRY(add_column(d, "the alliance within patients", &column));
    memcpy(column, r->within, r->n * sizeof *column);
    BD_TRY(add_column(d, "the patients' mean alliance", &column));
    memcpy(column, r->between, r->n * sizeof *column);
    return BD_OK;
}

/* Row less phi^gap times the one before of the same patient, over sqrt(1 - phi^(2 gap)). */
static void whiten(const session_rows *r, double phi, const double *column, double *white)
{
    for (size_t i = 0; i < r->n; i++) {
        const bool follows = i > 0 && r->patient[i] == r->patient[i - 1];
        const double c = follows ? pow(phi, r->session[i] - r->session[i - 1]) : 0;
        white[i] = (column[i] - (follows ? c * column[i - 1] : 0)) / sqrt(1 - c * c);
    }
}

/* Levels that vary: of patients, of therapists where there are. `one` NULL: the constant as it is. */
static bd_status terms_of(const session_design *d, const double *one, bd_mixed_term **terms)
{
    static const char *const names[] = {"(Intercept)"};
    const bd_frame *f = d->s->outcomes;
    const uint32_t *const codes[] = {d->rows->patient, d->rows->therapist};
    const double **random;
    BD_NEW(d->arena, random, 1);
    BD_NEW(d->arena, *terms, f->n_varying);
    random[0] = one;
    for (size_t t = 0; t < f->n_varying; t++)
        (*terms)[t] = (bd_mixed_term){.group = codes[t], .n_groups = f->varying[t].groups->n_levels,
                                      .group_name = f->varying[t].groups->name, .n_random = 1, .random = random,
                                      .random_names = names};
    return BD_OK;
}

/* The columns as they are (phi = 0), or whitened. */
static bd_status fit_mixed(const session_design *d, double phi, const bd_mixed_options *options, const bd_mixed **fit)
{
    const bd_frame *f = d->s->outcomes;
    const bool plain = phi == 0;
    const double **columns;
    double *white[2] = {d->y, NULL};
    bd_mixed_term *terms = NULL;
    const bd_mixed_model *model;
    BD_NEW(d->arena, columns, d->p);
    memcpy(columns, d->columns, d->p * sizeof *columns);
    if (plain && f->has_intercept)
        columns[0] = NULL;
    for (size_t j = 0; !plain && j < d->p; j++) {
        double *copy;
        BD_NEW(d->arena, copy, d->rows->n);
        whiten(d->rows, phi, d->columns[j], copy);
        columns[j] = copy;
    }
    const double *const given[2] = {d->y, d->one};
    for (size_t j = 0; !plain && j < 2; j++) {
        BD_NEW(d->arena, white[j], d->rows->n);
        whiten(d->rows, phi, given[j], white[j]);
    }
    BD_TRY(terms_of(d, white[1], &terms));
    const bd_mixed_design design = {.n_rows = d->rows->n, .n_columns = d->p, .columns = columns, .names = d->names,
                                    .has_intercept = plain && f->has_intercept, .response = white[0],
                                    .response_name = f->response_name, .n_terms = f->n_varying, .terms = terms};
    BD_TRY(bd_mixed_prepare(&design, d->arena, &model));
    return bd_mixed_fit(model, options, d->arena, fit);
}

/* What whitening takes from -2 log-likelihood: sum log(1 - phi^(2 gap)). */
static double log_determinant(const session_rows *r, double phi)
{
    double sum = 0;
    for (size_t i = 1; phi != 0 && i < r->n; i++)
        if (r->patient[i] == r->patient[i - 1])
            sum += log1p(-pow(phi * phi, r->session[i] - r->session[i - 1]));
    return sum;
}

static double deviance_at(double phi, void *context)
{
    session_design *d = context;
    const bd_mark scratch = bd_arena_mark(d->arena);
    bd_mixed_options options = d->s->options.fit;
    const bd_mixed *fit = NULL;
    options.df = BD_MIXED_NORMAL;
    if (d->status != BD_OK)
        return INFINITY;
    d->status = fit_mixed(d, phi, &options, &fit);
    if (d->status == BD_OK && fit->end == BD_MIXED_NOT_CONVERGED)
        d->status = bd_fail(BD_ENUMERIC, "the fit did not converge with an autocorrelation of %g", phi);
    const double deviance = d->status != BD_OK ? INFINITY : fit->deviance + log_determinant(d->rows, phi);
    bd_arena_rewind(d->arena, scratch);
    return deviance;
}

/* Newton's steps by differences of sixth order: values alone tell a minimum to half of their digits. */
static bd_status polish(session_design *d, double low, double high, double *phi)
{
    const double h = 0.01;
    for (int step = 0; step < 3 && *phi - 3 * h > low && *phi + 3 * h < high; step++) {
        double f[7];
        for (int k = 0; k < 7; k++)
            f[k] = deviance_at(*phi + (k - 3) * h, d);
        const double slope = (f[6] - f[0] - 9 * (f[5] - f[1]) + 45 * (f[4] - f[2])) / (60 * h);
        const double curvature = (2 * (f[6] + f[0]) - 27 * (f[5] + f[1]) + 270 * (f[4] + f[2]) - 490 * f[3]) /
                                 (180 * h * h);
        if (!(curvature > 0 && fabs(slope / curvature) < h))
            break;
        *phi -= slope / curvature;
    }
    return d->status;
}

/* Where it is lowest between `low` and `high`, `at` being lower than both. */
static bd_status lowest(session_design *d, double low, double at, double high, double *phi)
{
    const double lower = deviance_at(low, d), middle = deviance_at(at, d), upper = deviance_at(high, d);
    gsl_function function = {deviance_at, d};
    BD_TRY(d->status);
    if (!(isfinite(middle) && middle < lower && middle < upper))
        return bd_fail(BD_ENUMERIC, "the likelihood does not tell what the residuals' autocorrelation is");
    gsl_min_fminimizer *solver = gsl_min_fminimizer_alloc(gsl_min_fminimizer_brent);
    if (solver == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    int status = gsl_min_fminimizer_set_with_values(solver, &function, at, middle, low, lower, high, upper);
    for (int i = 0; i < 100 && status == GSL_SUCCESS && d->status == BD_OK; i++) {
        status = gsl_min_fminimizer_iterate(solver);
        if (gsl_min_fminimizer_x_upper(solver) - gsl_min_fminimizer_x_lower(solver) < 1e-4)
            break;
    }
    *phi = gsl_min_fminimizer_x_minimum(solver);
    gsl_min_fminimizer_free(solver);
    return polish(d, low, high, phi);
}

/* phi below 0 has a meaning where gaps are whole. */
static bool gaps_are_whole(const session_rows *r, size_t *n_gaps)
{
    bool whole = true;
    *n_gaps = 0;
    for (size_t i = 1; i < r->n; i++)
        if (r->patient[i] == r->patient[i - 1]) {
            const double gap = r->session[i] - r->session[i - 1];
            ++*n_gaps;
            whole = whole && gap == floor(gap);
        }
    return whole;
}

static bd_status find_phi(session_design *d, double *phi)
{
    enum { POINTS = 19, ZERO = 9 };
    double deviance[POINTS];
    size_t n_gaps, best = ZERO;
    const size_t first = gaps_are_whole(d->rows, &n_gaps) ? 0 : ZERO;
    if (n_gaps == 0)
        return bd_fail(BD_EDATA, "no patient has two sessions with an outcome and an earlier alliance");
    for (size_t i = first; i < POINTS; i++) {
        deviance[i] = deviance_at(((double)i - ZERO) / 10, d);
        BD_TRY(d->status);
        best = deviance[i] < deviance[best] ? i : best;
    }
    *phi = ((double)best - ZERO) / 10;
    if (best == ZERO && first == ZERO)
        return deviance_at(1e-3, d) < deviance[ZERO] ? lowest(d, 0, 1e-3, 0.1, phi) : d->status;
    if (best == first || best == POINTS - 1)
        return bd_fail(BD_ENUMERIC, "the residuals' autocorrelation has no estimate short of %.1f", *phi);
    return lowest(d, *phi - 0.1, *phi, *phi + 0.1, phi);
}

static const bd_mixed_coefficient unknown = {NAN, NAN, NAN, NAN, NAN, NAN, NAN};

static bd_status fit_levels(bd_sessions *s, const session_rows *r, bd_trend trend, bd_arena *arena, bd_session_fit *out)
{
    session_design d;
    const bd_mixed *fit = NULL;
    double *weights, phi = 0;
    BD_TRY(design_of(s, r, trend, arena, &d));
    if (trend == BD_TREND_AR1)
        BD_TRY(find_phi(&d, &phi));
    BD_TRY(fit_mixed(&d, phi, &s->options.fit, &fit));
    if (fit->end == BD_MIXED_NOT_CONVERGED)
        return bd_fail(BD_ENUMERIC, "the fit did not converge");
    BD_NEW(arena, weights, d.p);
    weights[d.p - 2] = -1;
    weights[d.p - 1] = 1;
    out->n_rows = r->n;
    out->within = fit->coefficients[d.p - 2];
    out->between = fit->coefficients[d.p - 1];
    out->difference = bd_mixed_contrast(fit, weights);
    out->deviance = fit->deviance + log_determinant(r, phi);
    out->singular = fit->end == BD_MIXED_BOUNDARY;
    if (trend == BD_TREND_AR1)
        out->phi = phi;
    if (trend == BD_TREND_LINEAR && s->reliability > 0) {
        weights[d.p - 2] = -(1 - s->reliability) / s->reliability;
        weights[d.p - 1] = 1 / s->reliability;
        s->adjusted = bd_mixed_contrast(fit, weights);
    }
    return BD_OK;
}

/* Rows that follow the one before by a step: the design's columns as changes, what never changes left out. */
static bd_status changes_of(session_design *d, uint32_t *patient, size_t *n_patients, size_t *n)
{
    const session_rows *r = d->rows;
    const size_t p = d->p - 1; /* without the means, which do not change */
    uint32_t code = 0;
    *n = 0;
    d->p = 0;
    for (size_t i = 1; i < r->n; i++) {
        if (r->patient[i] != r->patient[i - 1] || r->session[i] - r->session[i - 1] != d->s->step)
            continue;
        for (size_t j = 0; j < p; j++)
            d->columns[j][*n] = d->columns[j][i] - d->columns[j][i - 1];
        code += *n > 0 && r->patient[i] != d->rows->patient[(size_t)d->one[*n - 1]];
        d->y[*n] = r->y[i] - r->y[i - 1];
        d->one[*n] = (double)i; /* whose row it is */
        patient[(*n)++] = code;
    }
    *n_patients = code + 1;
    for (size_t j = 0; j < p; j++) {
        bool moves = false;
        for (size_t i = 0; i < *n; i++)
            moves = moves || d->columns[j][i] != 0;
        if (moves || j + 1 == p) {
            d->names[d->p] = d->names[j];
            d->columns[d->p++] = d->columns[j];
        }
    }
    return *n > 0 ? BD_OK : bd_fail(BD_EDATA, "no patient has two sessions %g apart", d->s->step);
}

static bd_status fit_changes(bd_sessions *s, const session_rows *r, bd_arena *arena, bd_session_fit *out)
{
    session_design d;
    bd_ols_options options = BD_OLS_DEFAULTS;
    uint32_t *patient;
    const double **columns;
    const char **names;
    const bd_ols *fit;
    size_t n, n_patients;
    options.level = s->options.fit.level;
    BD_TRY(design_of(s, r, BD_TREND_NONE, arena, &d));
    BD_NEW(arena, d.y, r->n);
    BD_NEW(arena, patient, r->n);
    BD_TRY(changes_of(&d, patient, &n_patients, &n));
    BD_NEW(arena, columns, d.p + 1);
    BD_NEW(arena, names, d.p + 1);
    names[0] = "(Intercept)";
    for (size_t j = 0; j < d.p; j++) {
        columns[j + 1] = d.columns[j];
        names[j + 1] = d.names[j];
    }
    const bd_ols_design design = {.n_rows = n, .n_columns = d.p + 1, .columns = columns, .names = names, .response = d.y,
                                  .response_name = s->outcomes->response_name, .has_intercept = true,
                                  .cluster = patient, .n_clusters = n_patients,
                                  .n_threads = s->options.fit.n_threads};
    BD_TRY(bd_ols_fit(&design, &bd_se_cr2, &options, arena, &fit));
    const bd_coefficient *c = &fit->coefficients[d.p];
    out->n_rows = n;
    out->within = (bd_mixed_coefficient){c->estimate, c->se, c->df, c->t, c->p, c->ci_low, c->ci_high};
    return BD_OK;
}

bd_status sessions_fit(bd_sessions *s, const session_rows *rows, bd_arena *arena)
{
    size_t n_refused = 0;
    s->adjusted = unknown;
    for (size_t t = 0; t < BD_N_TRENDS; t++) {
        bd_session_fit *fit = &s->fits[t];
        *fit = (bd_session_fit){.within = unknown, .between = unknown, .difference = unknown, .phi = NAN, .deviance = NAN};
        const bd_status status = t == BD_TREND_DIFFERENCE ? fit_changes(s, rows, arena, fit)
                                                          : fit_levels(s, rows, (bd_trend)t, arena, fit);
        if (status != BD_OK && status != BD_EDATA && status != BD_ENUMERIC)
            return status;
        if (status == BD_OK)
            continue;
        BD_TRY(bd_copy_text(arena, bd_message(), strlen(bd_message()), &fit->refused));
        n_refused++;
    }
    return n_refused < BD_N_TRENDS ? BD_OK : bd_fail(BD_EDATA, "%s", s->fits[BD_TREND_NONE].refused);
}
