/* Accelerated failure times by maximum likelihood: with y = log t, tau = 1 / scale and gamma = tau b,
 *     log L = sum w (event: log f(e) + log tau - y, otherwise: log S(e)),   e = tau y - x'gamma,
 * which is concave in (gamma, tau) where log f and log S are in e. */
#include <bordin/models/weibull.h>

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include <bordin/core/triangle.h>

#include "models/weibull_curves.h"

enum { MAX_ITERATIONS = 200, MAX_HALVINGS = 60 };

/* Rows with a weight, columns rotated: u'Wu is the sum of the weights. */
typedef struct problem {
    curve (*curve_of)(double e, bool event);
    size_t n, p, q; /* columns, parameters: tau is the last, but of the exponential model */
    double *u;      /* n x p */
    double *y, *weights;
    bool *event;
    double total, n_events, sum_y; /* of weights; by weight; of the log times of events */
} problem;

static double weight_of(const bd_failure_time_design *d, size_t i)
{
    return d->weights == NULL ? 1 : d->weights[i];
}

static bd_status check_row(const bd_failure_time_design *d, size_t i)
{
    if (!(weight_of(d, i) >= 0 && isfinite(weight_of(d, i))))
        return bd_fail(BD_EDATA, "the weight in row %zu is %g; weights are 0 or more", i + 1, d->weights[i]);
    if (!isfinite(d->stop[i]))
        return bd_fail(BD_EDATA, "the time in row %zu is not a number", i + 1);
    if (d->stop[i] <= 0)
        return bd_fail(BD_EDATA, "the time in row %zu is %g; a model of the logarithm of time takes times above 0",
                       i + 1, d->stop[i]);
    if (d->event[i] != 0 && d->event[i] != 1)
        return bd_fail(BD_EDATA, "the event in row %zu is %g; it is 1 where the event happened and 0 where it did not "
                                 "(codes of another kind are compared, as in status == 2)",
                       i + 1, d->event[i]);
    if (d->offset != NULL && !isfinite(d->offset[i]))
        return bd_fail(BD_EDATA, "the offset has a value that is not a number in row %zu", i + 1);
    for (size_t j = 0; j < d->n_columns; j++)
        if (d->columns[j] != NULL && !isfinite(d->columns[j][i]))
            return bd_fail(BD_EDATA, "'%s' has a value that is not a number in row %zu", d->names[j], i + 1);
    return BD_OK;
}

static bd_status check(const bd_failure_time_design *d, double level, size_t *n_used, size_t *n_events)
{
    if (!(level > 0 && level < 1))
        return bd_fail(BD_EUSAGE, "the level of confidence is %g; it lies between 0 and 1, as .95", level);
    if (d->n_columns == 0)
        return bd_fail(BD_EUSAGE, "the model has no columns, not even a constant");
    for (size_t i = 0; i < d->n_rows; i++) {
        BD_TRY(check_row(d, i));
        *n_used += weight_of(d, i) > 0;
        *n_events += weight_of(d, i) > 0 && d->event[i] == 1;
    }
    if (*n_used == 0)
        return bd_fail(BD_EDATA, "there are no rows");
    if (*n_events == 0)
        return bd_fail(BD_EDATA, "none of the %zu rows has the event; all are censored", *n_used);
    return BD_OK;
}

/* u = x R^-1 sqrt(total), R of the weighted columns. */
static bd_status rotate(const bd_failure_time_design *d, size_t p, size_t n, bd_arena *arena, problem *of,
                        double **triangle)
{
    static const double tolerance = 1e-9;
    const bd_columns columns = {d->n_rows, p, d->columns, d->weights};
    size_t r = 0;
    BD_TRY(bd_triangle_of(&columns, 1, arena, triangle));
    const size_t collinear = bd_triangle_first_collinear(p, *triangle, d->has_intercept, tolerance);
    const double first = (*triangle)[0];
    if (collinear < p || !(first > 0))
        return bd_fail(BD_ENUMERIC, "'%s' is constant or a linear combination of the other columns; leave it out",
                       d->names[collinear < p ? collinear : 0]);
    BD_NEW(arena, of->u, n * p);
    BD_NEW(arena, of->y, n);
    BD_NEW(arena, of->weights, n);
    BD_NEW(arena, of->event, n);
    for (size_t i = 0; i < d->n_rows; i++)
        of->total += weight_of(d, i);
    for (size_t i = 0; i < d->n_rows; i++) {
        if (weight_of(d, i) == 0)
            continue;
        for (size_t j = 0; j < p; j++)
            of->u[r * p + j] = (d->columns[j] == NULL ? 1 : d->columns[j][i]) * sqrt(of->total);
        bd_triangle_solve_transposed(p, p, *triangle, of->u + r * p, of->u + r * p);
        of->y[r] = log(d->stop[i]) - (d->offset == NULL ? 0 : d->offset[i]);
        of->weights[r] = weight_of(d, i);
        of->event[r] = d->event[i] == 1;
        of->n_events += d->event[i] == 1 ? of->weights[r] : 0;
        of->sum_y += d->event[i] == 1 ? of->weights[r] * log(d->stop[i]) : 0;
        r++;
    }
    of->n = n;
    of->p = p;
    return BD_OK;
}

/* theta: gamma in rotated columns, and tau. gradient and information may be NULL. */
static double likelihood(const problem *of, const double *theta, double *gradient, double *information)
{
    const size_t p = of->p, q = of->q;
    const double tau = q > p ? theta[p] : 1;
    double sum = of->n_events * log(tau), x[q];
    if (gradient != NULL) {
        memset(gradient, 0, q * sizeof *gradient);
        memset(information, 0, q * q * sizeof *information);
    }
    for (size_t i = 0; i < of->n; i++) {
        double e = tau * of->y[i];
        for (size_t j = 0; j < p; j++) {
            e -= of->u[i * p + j] * theta[j];
            x[j] = -of->u[i * p + j];
        }
        if (q > p)
            x[p] = of->y[i];
        const curve c = of->curve_of(e, of->event[i]);
        sum += of->weights[i] * c.value;
        for (size_t j = 0; gradient != NULL && j < q; j++) {
            gradient[j] += of->weights[i] * c.slope * x[j];
            for (size_t k = 0; k <= j; k++)
                information[j * q + k] -= of->weights[i] * c.bend * x[j] * x[k];
        }
    }
    if (gradient != NULL && q > p) {
        gradient[p] += of->n_events / tau;
        information[p * q + p] += of->n_events / (tau * tau);
    }
    return sum;
}

/* matrix <- its lower Cholesky root; the least of the first p pivots, or 0: it is not positive definite. */
static double factor(size_t p, size_t q, double *matrix)
{
    double least = INFINITY;
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = matrix[i * q + j];
            for (size_t k = 0; k < j; k++)
                sum -= matrix[i * q + k] * matrix[j * q + k];
            if (j < i) {
                matrix[i * q + j] = sum / matrix[j * q + j];
                continue;
            }
            if (!(sum > 0))
                return 0;
            least = i < p ? fmin(least, sum) : least;
            matrix[i * q + i] = sqrt(sum);
        }
    return least;
}

/* x <- the solution of L L' x = b. */
static void solve(size_t q, const double *root, double *x)
{
    for (size_t i = 0; i < q; i++) {
        for (size_t k = 0; k < i; k++)
            x[i] -= root[i * q + k] * x[k];
        x[i] /= root[i * q + i];
    }
    for (size_t i = q; i > 0; i--) {
        for (size_t k = i; k < q; k++)
            x[i - 1] -= root[k * q + i - 1] * x[k];
        x[i - 1] /= root[(i - 1) * q + i - 1];
    }
}

typedef struct maximum {
    double *theta, *root; /* q; the Cholesky root of the information there, q x q */
    double log_likelihood;
    size_t n_iterations;
    bd_failure_time_end end;
} maximum;

/* From least squares of all log times. */
static void begin(const problem *of, double *theta)
{
    double squares = 0;
    memset(theta, 0, of->q * sizeof *theta);
    for (size_t i = 0; i < of->n; i++)
        for (size_t j = 0; j < of->p; j++)
            theta[j] += of->weights[i] * of->u[i * of->p + j] * of->y[i] / of->total;
    for (size_t i = 0; i < of->n; i++) {
        double rest = of->y[i];
        for (size_t j = 0; j < of->p; j++)
            rest -= of->u[i * of->p + j] * theta[j];
        squares += of->weights[i] * rest * rest;
    }
    if (of->q == of->p)
        return;
    const double sd = sqrt(squares / of->total), tau = sd > 1e-8 ? fmin(1 / sd, 1e3) : 1e3;
    for (size_t j = 0; j < of->p; j++)
        theta[j] *= tau;
    theta[of->p] = tau;
}

/* The step, halved until the likelihood does not fall and tau stays above 0; false: no such step. */
static bool advance(const problem *of, const double *step, double *trial, maximum *at)
{
    double share = 1;
    for (int k = 0; k < MAX_HALVINGS; k++, share /= 2) {
        for (size_t j = 0; j < of->q; j++)
            trial[j] = at->theta[j] + share * step[j];
        if (of->q > of->p && !(trial[of->p] > 0))
            continue;
        const double value = likelihood(of, trial, NULL, NULL);
        if (!(value >= at->log_likelihood - 1e-13 * fabs(at->log_likelihood)))
            continue;
        memcpy(at->theta, trial, of->q * sizeof *trial);
        at->log_likelihood = value;
        return true;
    }
    return false;
}

/* Newton's steps until one promises less than what rounding takes, and two more. */
static bd_status maximise(const problem *of, bd_arena *arena, maximum *at)
{
    static const double no_information = 1e-9, no_scale = 1e7;
    const size_t q = of->q;
    double *gradient, *step, *trial;
    int n_last = 0;
    BD_NEW(arena, at->theta, q);
    BD_NEW(arena, at->root, q * q);
    BD_NEW(arena, gradient, q);
    BD_NEW(arena, step, q);
    BD_NEW(arena, trial, q);
    begin(of, at->theta);
    at->end = BD_FAILURE_TIME_NOT_CONVERGED;
    at->log_likelihood = likelihood(of, at->theta, NULL, NULL);
    for (at->n_iterations = 0; at->n_iterations < MAX_ITERATIONS; at->n_iterations++) {
        double gain = 0;
        at->log_likelihood = likelihood(of, at->theta, gradient, at->root);
        const bool flat = !(factor(of->p, q, at->root) > no_information * of->total);
        const bool exact = q > of->p && at->theta[of->p] > no_scale;
        if (flat || exact || n_last > 2) {
            at->end = exact ? BD_FAILURE_TIME_EXACT : flat ? BD_FAILURE_TIME_INFINITE : BD_FAILURE_TIME_CONVERGED;
            return BD_OK;
        }
        memcpy(step, gradient, q * sizeof *step);
        solve(q, at->root, step);
        for (size_t j = 0; j < q; j++)
            gain += step[j] * gradient[j];
        const bool moved = advance(of, step, trial, at);
        n_last += gain < 1e-12 * (1 + fabs(at->log_likelihood));
        if (!moved && n_last == 0)
            return BD_OK;
    }
    return BD_OK;
}

/* Of (b, log scale) from that of (gamma, tau): b = R^-1 gamma sqrt(total) / tau. */
static bd_status find_covariance(const problem *of, const maximum *at, const double *inverse, const double *b,
                                 bd_arena *arena, double *covariance)
{
    const size_t p = of->p, q = of->q;
    const double tau = q > p ? at->theta[p] : 1;
    double *jacobian, *half;
    BD_NEW(arena, jacobian, q * q);
    BD_NEW(arena, half, q * q);
    for (size_t i = 0; i < p; i++)
        for (size_t j = i; j < p; j++)
            jacobian[i * q + j] = inverse[i * p + j] * sqrt(of->total) / tau;
    for (size_t i = 0; q > p && i < q; i++)
        jacobian[i * q + p] = i < p ? -b[i] / tau : -1 / tau;
    for (size_t i = 0; i < q; i++) { /* rows of J L'^-1 */
        memcpy(half + i * q, jacobian + i * q, q * sizeof *half);
        for (size_t j = 0; j < q; j++) {
            for (size_t k = 0; k < j; k++)
                half[i * q + j] -= at->root[j * q + k] * half[i * q + k];
            half[i * q + j] /= at->root[j * q + j];
        }
    }
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j < q; j++)
            for (size_t k = 0; k < q; k++)
                covariance[i * q + j] += half[i * q + k] * half[j * q + k];
    return BD_OK;
}

static void describe(double estimate, double variance, double level, bd_failure_time_coefficient *c)
{
    const double margin = gsl_cdf_ugaussian_Pinv(0.5 + level / 2) * sqrt(variance);
    c->estimate = estimate;
    c->se = sqrt(variance);
    c->z = estimate / c->se;
    c->p = isnan(c->z) ? NAN : 2 * gsl_cdf_ugaussian_Q(fabs(c->z));
    c->ci_low = estimate - margin;
    c->ci_high = estimate + margin;
    c->time_ratio = exp(estimate);
    c->time_ratio_low = exp(c->ci_low);
    c->time_ratio_high = exp(c->ci_high);
}

static bd_status report(const problem *of, const maximum *at, const double *triangle, double level, bd_arena *arena,
                        bd_failure_time *fit)
{
    const size_t p = of->p, q = of->q;
    const double tau = q > p ? at->theta[p] : 1;
    bd_failure_time_coefficient *coefficients;
    double *covariance, *inverse, *b;
    BD_NEW(arena, coefficients, p);
    BD_NEW(arena, covariance, q * q);
    BD_NEW(arena, inverse, p * p);
    BD_NEW(arena, b, p);
    bd_triangle_invert(p, p, triangle, inverse);
    for (size_t i = 0; i < p; i++)
        for (size_t j = i; j < p; j++)
            b[i] += inverse[i * p + j] * sqrt(of->total) * at->theta[j] / tau;
    if (at->end == BD_FAILURE_TIME_CONVERGED)
        BD_TRY(find_covariance(of, at, inverse, b, arena, covariance));
    else
        for (size_t k = 0; k < q * q; k++)
            covariance[k] = NAN;
    for (size_t j = 0; j < p; j++)
        describe(b[j], covariance[j * q + j], level, &coefficients[j]);
    fit->coefficients = coefficients;
    fit->covariance = covariance;
    fit->n_parameters = q;
    fit->scale = 1 / tau;
    fit->log_scale_se = q > p ? sqrt(covariance[q * q - 1]) : NAN;
    fit->log_likelihood = at->log_likelihood - of->sum_y;
    fit->n_iterations = at->n_iterations;
    fit->end = at->end;
    return BD_OK;
}

bd_status bd_failure_time_fit(const bd_failure_time_design *design, bd_failure_time_distribution distribution,
                              double level, bd_arena *arena, const bd_failure_time **out)
{
    bd_failure_time *fit;
    size_t n_used = 0, n_events = 0;
    BD_TRY(check(design, level, &n_used, &n_events));
    BD_NEW(arena, fit, 1);
    *fit = (bd_failure_time){.distribution = distribution, .n_rows = design->n_rows, .n_columns = design->n_columns,
                             .n_used = n_used, .n_events = n_events, .level = level, .log_likelihood_null = NAN,
                             .likelihood_ratio = NAN, .df = NAN, .p = NAN};
    for (int null = design->has_intercept; null >= 0; null--) { /* a constant alone, then all columns */
        const size_t p = null ? 1 : design->n_columns;
        problem of = {.curve_of = curves[distribution]};
        maximum at = {0};
        double *triangle = NULL;
        BD_TRY(rotate(design, p, n_used, arena, &of, &triangle));
        of.q = p + (distribution != BD_EXPONENTIAL);
        BD_TRY(maximise(&of, arena, &at));
        if (null)
            fit->log_likelihood_null = at.log_likelihood - of.sum_y;
        else
            BD_TRY(report(&of, &at, triangle, level, arena, fit));
    }
    if (design->has_intercept && design->n_columns > 1) {
        fit->df = (double)(design->n_columns - 1);
        fit->likelihood_ratio = 2 * (fit->log_likelihood - fit->log_likelihood_null);
        fit->p = gsl_cdf_chisq_Q(fmax(fit->likelihood_ratio, 0), fit->df);
    }
    *out = fit;
    return BD_OK;
}
