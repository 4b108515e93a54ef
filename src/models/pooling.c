/* Meta-analysis: weighted least squares, and nine estimators of the variance between studies. */
#include <bordin/models/pooling.h>

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include <bordin/core/triangle.h>

enum { MOST_STEPS = 1000 };
static const double COLLINEAR = 1e-12;

/* Sums at one tau^2, by how often each effect counts. With w = 1 / (v + tau^2), e = y - Xb and M = (X'WX)^-1,
 * Py = w e, tr P = sum w - tr(M X'W^2 X), tr PP = sum w^2 - 2 tr(M X'W^3 X) + tr(M X'W^2 X M X'W^2 X). */
typedef struct pooling {
    const bd_pooling_design *design;
    const double *counts; /* NULL: once each */
    double *information, *inverse, *second, *third; /* p x p: X'WX, M, X'W^2X, X'W^3X */
    double *b;            /* p */
    double n;             /* effects */
    double w1, w2;        /* sums of w and w^2 */
    double ype, yppe;     /* y'Py, y'PPy */
    double trace, trace2; /* of P and PP */
    double log_weights, log_root;
} pooling;

struct bd_tau_estimator {
    const char *name, *summary;
    double (*closed)(pooling *s);                 /* an estimate, before it is cut off at 0 */
    double (*step)(const pooling *s, double df);  /* or what to add to tau^2, again and again */
};

size_t bd_pooling_scratch(const bd_pooling_design *design)
{
    const size_t p = design->n_columns;
    return 4 * p * p + 2 * p;
}

static void place(const bd_pooling_design *design, const double *counts, double *room, pooling *s)
{
    const size_t p = design->n_columns;
    *s = (pooling){.design = design, .counts = counts, .information = room};
    s->inverse = s->information + p * p;
    s->second = s->inverse + p * p;
    s->third = s->second + p * p;
    s->b = s->third + p * p;
}

static double value(const bd_pooling_design *d, size_t j, size_t i)
{
    return d->columns[j] == NULL ? 1 : d->columns[j][i];
}

/* The inverse of the symmetric `matrix`, by Cholesky in it. */
static bool invert(size_t p, double *matrix, double *inverse, double *log_root)
{
    *log_root = 0;
    for (size_t j = 0; j < p; j++) {
        const double whole = matrix[j * p + j];
        for (size_t k = 0; k < j; k++)
            matrix[j * p + j] -= matrix[j * p + k] * matrix[j * p + k];
        if (!(matrix[j * p + j] > COLLINEAR * whole))
            return false;
        matrix[j * p + j] = sqrt(matrix[j * p + j]);
        *log_root += log(matrix[j * p + j]);
        for (size_t i = j + 1; i < p; i++) {
            for (size_t k = 0; k < j; k++)
                matrix[i * p + j] -= matrix[i * p + k] * matrix[j * p + k];
            matrix[i * p + j] /= matrix[j * p + j];
        }
    }
    for (size_t c = 0; c < p; c++) {
        for (size_t i = 0; i < p; i++) {
            double sum = i == c;
            for (size_t k = 0; k < i; k++)
                sum -= matrix[i * p + k] * inverse[k * p + c];
            inverse[i * p + c] = sum / matrix[i * p + i];
        }
        for (size_t i = p; i-- > 0;) {
            for (size_t k = i + 1; k < p; k++)
                inverse[i * p + c] -= matrix[k * p + i] * inverse[k * p + c];
            inverse[i * p + c] /= matrix[i * p + i];
        }
    }
    return true;
}

static double product_trace(size_t p, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            sum += a[i * p + j] * b[j * p + i];
    return sum;
}

/* tr(M S M S). */
static double squared_trace(size_t p, const double *m, const double *s)
{
    double sum = 0;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            double left = 0, right = 0;
            for (size_t k = 0; k < p; k++) {
                left += m[i * p + k] * s[k * p + j];
                right += m[j * p + k] * s[k * p + i];
            }
            sum += left * right;
        }
    return sum;
}

/* Everything for weights 1 / (a v + tau2): `a` 0 is unweighted least squares. */
static bool weigh(pooling *s, double tau2, double a)
{
    const bd_pooling_design *d = s->design;
    const size_t p = d->n_columns;
    double *xy = s->b + p;
    memset(s->information, 0, 4 * p * p * sizeof *s->information);
    memset(s->b, 0, 2 * p * sizeof *s->b);
    s->n = s->w1 = s->w2 = s->log_weights = s->ype = s->yppe = 0;
    for (size_t i = 0; i < d->n; i++) {
        const double count = s->counts == NULL ? 1 : s->counts[i], w = 1 / (a * d->variances[i] + tau2);
        s->n += count;
        s->w1 += count * w;
        s->w2 += count * w * w;
        s->log_weights += count * log(w);
        for (size_t j = 0; j < p && count > 0; j++) {
            const double x = count * w * value(d, j, i);
            xy[j] += x * d->effects[i];
            for (size_t k = 0; k <= j; k++) {
                const double xx = x * value(d, k, i);
                s->information[j * p + k] += xx;
                s->second[j * p + k] += w * xx;
                s->third[j * p + k] += w * w * xx;
            }
        }
    }
    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k < j; k++) {
            s->second[k * p + j] = s->second[j * p + k];
            s->third[k * p + j] = s->third[j * p + k];
        }
    if (!invert(p, s->information, s->inverse, &s->log_root))
        return false;
    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k < p; k++)
            s->b[j] += s->inverse[j * p + k] * xy[k];
    for (size_t i = 0; i < d->n; i++) {
        const double count = s->counts == NULL ? 1 : s->counts[i], w = 1 / (a * d->variances[i] + tau2);
        double e = d->effects[i];
        for (size_t j = 0; j < p; j++)
            e -= s->b[j] * value(d, j, i);
        s->ype += count * w * e * e;
        s->yppe += count * w * w * e * e;
    }
    s->trace = s->w1 - product_trace(p, s->inverse, s->second);
    s->trace2 = s->w2 - 2 * product_trace(p, s->inverse, s->third) + squared_trace(p, s->inverse, s->second);
    return true;
}

static double df_of(const pooling *s)
{
    return s->n - (double)s->design->n_columns;
}

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
    return weigh(s, 0, 1) ? (s->ype - df_of(s)) / s->trace : NAN;
}

static double hunter_schmidt(pooling *s)
{
    return weigh(s, 0, 1) ? (s->ype - s->n) / s->w1 : NAN;
}

/* (y'Py - tr PV) / (k - p), unweighted. */
static double hedges(pooling *s)
{
    const bd_pooling_design *d = s->design;
    const size_t p = d->n_columns;
    double trace = 0;
    if (!weigh(s, 1, 0))
        return NAN;
    for (size_t i = 0; i < d->n; i++) {
        double leverage = 0;
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++)
                leverage += value(d, j, i) * s->inverse[j * p + k] * value(d, k, i);
        trace += (s->counts == NULL ? 1 : s->counts[i]) * d->variances[i] * (1 - leverage);
    }
    return (s->ype - trace) / df_of(s);
}

/* The ratio of weighted to crude variance: always above 0. */
static double sidik_jonkman(pooling *s)
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
    if (!(squares > 0))
        return 0;
    const double crude = squares / n;
    return weigh(s, crude, 1) ? crude * s->ype / df_of(s) : NAN;
}

static double equal(pooling *s)
{
    (void)s;
    return 0;
}

const bd_tau_estimator bd_tau_reml = {"reml", "restricted maximum likelihood", NULL, reml_step};
const bd_tau_estimator bd_tau_ml = {"ml", "maximum likelihood", NULL, ml_step};
const bd_tau_estimator bd_tau_dl = {"dl", "DerSimonian and Laird's moments", dersimonian_laird, NULL};
const bd_tau_estimator bd_tau_pm = {"pm", "Paule and Mandel's, where Q is what it should be", NULL, pm_step};
const bd_tau_estimator bd_tau_eb = {"eb", "empirical Bayes (Morris); as Paule and Mandel's", NULL, eb_step};
const bd_tau_estimator bd_tau_sj = {"sj", "Sidik and Jonkman's, never 0", sidik_jonkman, NULL};
const bd_tau_estimator bd_tau_he = {"he", "Hedges' unweighted moments", hedges, NULL};
const bd_tau_estimator bd_tau_hs = {"hs", "Hunter and Schmidt's", hunter_schmidt, NULL};
const bd_tau_estimator bd_tau_equal = {"ee", "equal effects: no variance between studies", equal, NULL};
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

/* tau^2, with the sums at it. False: collinear, or no convergence. */
static bool estimate(pooling *s, const bd_tau_estimator *estimator, double *tau2)
{
    if (estimator->closed != NULL) {
        *tau2 = fmax(0, estimator->closed(s));
        return isfinite(*tau2) && weigh(s, *tau2, 1);
    }
    *tau2 = estimator == &bd_tau_pm ? 0 : fmax(0, hedges(s));
    if (!isfinite(*tau2) || !weigh(s, *tau2, 1))
        return false;
    for (int i = 0; i < MOST_STEPS; i++) {
        const double step = estimator->step(s, df_of(s)), before = *tau2;
        double next = before + step;
        while (next < 0 && before > 0 && estimator != &bd_tau_pm && next < -1e-300) /* half of the way to the edge */
            next = next < -before ? -before / 2 + before / 2 : 0;
        *tau2 = fmax(0, next);
        if (!weigh(s, *tau2, 1))
            return false;
        const double change = fabs(*tau2 - before);
        if (change <= 1e-14 * (*tau2 + before) || (*tau2 == 0 && before == 0))
            return true;
    }
    return fabs(estimator->step(s, df_of(s))) <= 1e-9 * *tau2;
}

bool bd_pool_replicate(const bd_pooling_design *design, const bd_tau_estimator *estimator, const double *counts,
                       double *scratch, double *values)
{
    pooling s;
    place(design, counts, scratch, &s);
    if (!estimate(&s, estimator, &values[design->n_columns]))
        return false;
    memcpy(values, s.b, design->n_columns * sizeof *values);
    return true;
}

static bd_status check(const bd_pooling_design *d, bd_arena *arena)
{
    const double **values;
    double *triangle;
    if (d->n < 2)
        return bd_fail(BD_EDATA, "there is %zu effect; pooling needs two at least", d->n);
    if (d->n <= d->n_columns)
        return bd_fail(BD_EDATA, "%zu effects are too few for %zu coefficients", d->n, d->n_columns);
    for (size_t i = 0; i < d->n; i++)
        if (!(d->variances[i] > 0 && d->variances[i] < INFINITY) || !isfinite(d->effects[i]))
            return bd_fail(BD_EDATA, "effect %zu of those used has the variance %g; variances are numbers above 0", i + 1,
                           d->variances[i]);
    for (size_t j = d->has_intercept; j < d->n_columns; j++) {
        double low = INFINITY, high = -INFINITY;
        for (size_t i = 0; i < d->n; i++) {
            low = fmin(low, d->columns[j][i]);
            high = fmax(high, d->columns[j][i]);
        }
        if (d->has_intercept && !(high > low))
            return bd_fail(BD_EDATA, "the moderator '%s' is the same in every study", d->names[j]);
    }
    BD_NEW(arena, values, d->n_columns);
    memcpy(values, d->columns, d->n_columns * sizeof *values);
    const bd_columns columns = {.n_rows = d->n, .n_columns = d->n_columns, .values = values};
    BD_TRY(bd_triangle_of(&columns, 1, arena, &triangle));
    const size_t bad = bd_triangle_first_collinear(d->n_columns, triangle, d->has_intercept, COLLINEAR);
    if (bad < d->n_columns)
        return bd_fail(BD_ENUMERIC, "the moderator '%s' is a linear combination of those before it; leave it out",
                       d->names[bad]);
    return BD_OK;
}

/* tau^2 at which y'Py is `target`; it falls with tau^2. NaN: beyond all bounds. */
static double profile(pooling *s, double target)
{
    double low = 0, high = 1;
    if (!weigh(s, 0, 1) || s->ype <= target)
        return 0;
    while (weigh(s, high, 1) && s->ype > target && high < 1e100)
        high *= 4;
    for (int i = 0; i < 200 && high - low > 1e-15 * high; i++) {
        const double middle = (low + high) / 2;
        if (weigh(s, middle, 1) && s->ype > target)
            low = middle;
        else
            high = middle;
    }
    return high < 1e100 ? (low + high) / 2 : NAN;
}

static void heterogeneity(pooling *s, bd_pooled *fit)
{
    const double tail = (1 - fit->level) / 2, df = df_of(s);
    weigh(s, 0, 1);
    const double typical = df / s->trace; /* Higgins and Thompson's typical variance */
    fit->q = s->ype;
    fit->q_df = df;
    fit->q_p = gsl_cdf_chisq_Q(fit->q, df);
    fit->tau2_low = fit->tau2_high = NAN;
    if (fit->estimator != &bd_tau_equal) {
        fit->tau2_low = profile(s, gsl_cdf_chisq_Qinv(tail, df));
        fit->tau2_high = profile(s, gsl_cdf_chisq_Pinv(tail, df));
    }
    const double tau2 = fit->estimator == &bd_tau_equal ? fmax(0, (fit->q - df) / s->trace) : fit->tau2;
    fit->i2 = tau2 / (tau2 + typical);
    fit->i2_low = fit->tau2_low / (fit->tau2_low + typical);
    fit->i2_high = fit->tau2_high / (fit->tau2_high + typical);
    fit->h2 = tau2 / typical + 1;
    fit->h2_low = fit->tau2_low / typical + 1;
    fit->h2_high = fit->tau2_high / typical + 1;
    if (fit->estimator == &bd_tau_equal) { /* what Q says of it */
        fit->i2 = fmax(0, 1 - df / fit->q);
        fit->h2 = fit->q / df;
    }
}

static void likelihood(const pooling *s, double log_root_ols, bd_pooled *fit)
{
    const double p = (double)fit->n_columns, n = (double)fit->n, parameters = p + (fit->estimator != &bd_tau_equal);
    const bool reml = fit->estimator == &bd_tau_reml;
    fit->log_likelihood = -(n - (reml ? p : 0)) / 2 * log(2 * M_PI) + s->log_weights / 2 - s->ype / 2;
    if (reml)
        fit->log_likelihood += log_root_ols - s->log_root;
    if (!reml && fit->estimator != &bd_tau_ml && fit->estimator != &bd_tau_equal)
        fit->log_likelihood = NAN;
    fit->aic = -2 * fit->log_likelihood + 2 * parameters;
    fit->bic = -2 * fit->log_likelihood + log(n - (reml ? p : 0)) * parameters;
    fit->tau2_se = reml ? sqrt(2 / s->trace2) : fit->estimator == &bd_tau_ml ? sqrt(2 / s->w2) : NAN;
}

static void set_coefficients(const pooling *s, bd_pooled *fit)
{
    const size_t p = fit->n_columns;
    const bool t = isfinite(fit->df);
    const double tail = (1 - fit->level) / 2;
    const double quantile = t ? gsl_cdf_tdist_Qinv(tail, fit->df) : gsl_cdf_ugaussian_Qinv(tail);
    for (size_t j = 0; j < p * p; j++)
        fit->covariance[j] = fit->factor * s->inverse[j];
    for (size_t j = 0; j < p; j++) {
        bd_pooling_coefficient *c = &fit->coefficients[j];
        c->estimate = s->b[j];
        c->se = sqrt(fit->covariance[j * p + j]);
        c->statistic = c->estimate / c->se;
        c->p = 2 * (t ? gsl_cdf_tdist_Q(fabs(c->statistic), fit->df) : gsl_cdf_ugaussian_Q(fabs(c->statistic)));
        c->ci_low = c->estimate - quantile * c->se;
        c->ci_high = c->estimate + quantile * c->se;
        const double spread = p == 1 ? quantile * sqrt(c->se * c->se + fit->tau2) : NAN;
        c->prediction_low = c->estimate - spread;
        c->prediction_high = c->estimate + spread;
    }
}

/* All moderators: b'V^-1 b without the intercept. */
static bd_status omnibus(const bd_pooling_design *d, bd_arena *arena, bd_pooled *fit)
{
    const size_t p = fit->n_columns, first = d->has_intercept, m = p - first;
    double *matrix, *inverse, log_root;
    fit->qm = fit->qm_p = NAN;
    fit->qm_df = (double)m;
    if (m == 0)
        return BD_OK;
    BD_NEW(arena, matrix, m * m);
    BD_NEW(arena, inverse, m * m);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++)
            matrix[i * m + j] = fit->covariance[(first + i) * p + first + j];
    if (!invert(m, matrix, inverse, &log_root))
        return BD_OK;
    fit->qm = 0;
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++)
            fit->qm += fit->coefficients[first + i].estimate * inverse[i * m + j] * fit->coefficients[first + j].estimate;
    if (isfinite(fit->df))
        fit->qm /= (double)m;
    fit->qm_p = isfinite(fit->df) ? gsl_cdf_fdist_Q(fit->qm, (double)m, fit->df) : gsl_cdf_chisq_Q(fit->qm, (double)m);
    return BD_OK;
}

/* The share of tau^2 without moderators that is gone with them. */
static bd_status explained(const bd_pooling_design *d, bd_arena *arena, bd_pooled *fit)
{
    static const double *const constant[] = {NULL};
    const bd_pooling_design empty = {
        .n = d->n, .effects = d->effects, .variances = d->variances, .n_columns = 1, .columns = constant};
    double *room, values[2];
    fit->r2 = NAN;
    if (!d->has_intercept || d->n_columns == 1 || fit->estimator == &bd_tau_equal)
        return BD_OK;
    BD_NEW(arena, room, bd_pooling_scratch(&empty));
    if (bd_pool_replicate(&empty, fit->estimator, NULL, room, values) && values[1] > 0)
        fit->r2 = fmax(0, 1 - fit->tau2 / values[1]);
    return BD_OK;
}

static bd_status new_fit(const bd_pooling_design *d, const bd_pooling_options *options, bd_arena *arena, bd_pooled **out)
{
    bd_pooled *fit;
    BD_NEW(arena, fit, 1);
    BD_NEW(arena, fit->coefficients, d->n_columns);
    BD_NEW(arena, fit->covariance, d->n_columns * d->n_columns);
    BD_NEW(arena, fit->weights, d->n);
    BD_NEW(arena, fit->fitted, d->n);
    fit->n = d->n;
    fit->n_columns = d->n_columns;
    fit->estimator = options->estimator == NULL ? &bd_tau_reml : options->estimator;
    fit->test = options->test;
    fit->level = options->level;
    fit->df = options->test == BD_POOLING_Z ? INFINITY : (double)(d->n - d->n_columns);
    *out = fit;
    return BD_OK;
}

bd_status bd_pool(const bd_pooling_design *d, const bd_pooling_options *options, bd_arena *arena, const bd_pooled **out)
{
    bd_pooled *fit = NULL;
    pooling s;
    double *room;
    BD_TRY(new_fit(d, options, arena, &fit));
    const bd_mark scratch = bd_arena_mark(arena);
    BD_TRY(check(d, arena));
    BD_NEW(arena, room, bd_pooling_scratch(d));
    place(d, NULL, room, &s);
    if (!weigh(&s, 1, 0))
        return bd_fail(BD_ENUMERIC, "the moderators are collinear");
    const double log_root_ols = s.log_root;
    fit->converged = estimate(&s, fit->estimator, &fit->tau2);
    heterogeneity(&s, fit);
    weigh(&s, fit->tau2, 1);
    const bool knha = fit->test == BD_POOLING_KNHA || fit->test == BD_POOLING_KNHA_RAW;
    fit->factor = knha ? s.ype / df_of(&s) : 1;
    if (fit->test == BD_POOLING_KNHA)
        fit->factor = fmax(1, fit->factor);
    likelihood(&s, log_root_ols, fit);
    set_coefficients(&s, fit);
    for (size_t i = 0; i < d->n; i++) {
        fit->weights[i] = 100 / (d->variances[i] + fit->tau2) / s.w1;
        fit->fitted[i] = 0;
        for (size_t j = 0; j < d->n_columns; j++)
            fit->fitted[i] += s.b[j] * value(d, j, i);
    }
    BD_TRY(omnibus(d, arena, fit));
    BD_TRY(explained(d, arena, fit));
    bd_arena_rewind(arena, scratch);
    *out = fit;
    return BD_OK;
}
