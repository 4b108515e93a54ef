/* Accelerated failure times by maximum likelihood: with y = log t, tau = 1 / scale and gamma = tau b,
 *     log L = sum w (event: log f(e) + log tau - y, otherwise: log S(e)),   e = tau y - x'gamma,
 * which is concave in (gamma, tau) where log f and log S are in e. */
#include <bordin/models/weibull.h>

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include <bordin/core/triangle.h>

#include "models/weibull_newton.h"

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
    for (size_t j = 0; j < d->n_columns; j++) {
        const double value = d->columns[j] != NULL ? d->columns[j][i] : 1;
        if (!isfinite(value))
            return bd_fail(BD_EDATA, "'%s' has a value that is not a number in row %zu", d->names[j], i + 1);
        if (fabs(value) > 1e150)
            return bd_fail(BD_ENUMERIC, "the values of '%s' are too large to be squared; rescale it", d->names[j]);
    }
    return BD_OK;
}

static bool one_time(const bd_failure_time_design *d)
{
    for (size_t i = 1; i < d->n_rows; i++)
        if (d->stop[i] != d->stop[0])
            return false;
    return true;
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
    if (one_time(d))
        return bd_fail(BD_EDATA, "all times are %g; what stretches time cannot be told", d->stop[0]);
    return BD_OK;
}

bd_status failure_time_rotate(const bd_failure_time_design *d, bd_failure_time_distribution distribution, size_t p,
                              size_t n, bd_arena *arena, failure_times *of, double **triangle)
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
    of->q = p + (distribution != BD_EXPONENTIAL);
    of->curve_of = curves[distribution];
    return BD_OK;
}

/* Of (b, log scale) from that of (gamma, tau): b = R^-1 gamma sqrt(total) / tau. */
static bd_status find_covariance(const failure_times *of, const failure_time_maximum *at, const double *inverse,
                                 const double *b, bd_arena *arena, double *covariance)
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

static void describe(double estimate, double naive_variance, double variance, double level,
                     bd_failure_time_coefficient *c)
{
    const double margin = gsl_cdf_ugaussian_Pinv(0.5 + level / 2) * sqrt(variance);
    c->estimate = estimate;
    c->naive_se = sqrt(naive_variance);
    c->se = sqrt(variance);
    c->z = estimate / c->se;
    c->p = isnan(c->z) ? NAN : 2 * gsl_cdf_ugaussian_Q(fabs(c->z));
    c->ci_low = estimate - margin;
    c->ci_high = estimate + margin;
    c->time_ratio = exp(estimate);
    c->time_ratio_low = exp(c->ci_low);
    c->time_ratio_high = exp(c->ci_high);
}

/* -b / scale by the delta method: hazard ratios of Weibull's and the exponential model. */
static void describe_hazard(const bd_failure_time *fit, size_t j, bd_failure_time_coefficient *c)
{
    const size_t q = fit->n_parameters, last = q - 1;
    const double b = c->estimate, *v = fit->covariance, none = fit->distribution <= BD_EXPONENTIAL ? 0 : NAN;
    const double with_scale = q > fit->n_columns ? b * b * v[last * q + last] - 2 * b * v[j * q + last] : 0;
    c->log_hazard = -b / fit->scale + none;
    c->log_hazard_se = sqrt(v[j * q + j] + with_scale) / fit->scale + none;
    const double margin = gsl_cdf_ugaussian_Pinv(0.5 + fit->level / 2) * c->log_hazard_se;
    c->hazard_ratio = exp(c->log_hazard);
    c->hazard_ratio_low = exp(c->log_hazard - margin);
    c->hazard_ratio_high = exp(c->log_hazard + margin);
}

/* naive <- by the information; covariance <- by the errors asked for. */
static bd_status find_errors(const bd_failure_time_design *design, const failure_times *of,
                             const failure_time_maximum *at, const double *inverse, const double *b, bd_arena *arena,
                             const double **naive, const double **covariance)
{
    double *found, *robust;
    BD_NEW(arena, found, of->q * of->q);
    *naive = *covariance = found;
    if (at->end != BD_FAILURE_TIME_CONVERGED) {
        for (size_t k = 0; k < of->q * of->q; k++)
            found[k] = NAN;
        return BD_OK;
    }
    BD_TRY(find_covariance(of, at, inverse, b, arena, found));
    if (!design->robust)
        return BD_OK;
    BD_NEW(arena, robust, of->q * of->q);
    *covariance = robust;
    return failure_time_sandwich(design, of, b, of->q > of->p ? 1 / at->theta[of->p] : 1, found, arena, robust);
}

static bd_status report(const bd_failure_time_design *design, const failure_times *of, const failure_time_maximum *at,
                        const double *triangle, double level, bd_arena *arena, bd_failure_time *fit)
{
    const size_t p = of->p, q = of->q;
    const double tau = q > p ? at->theta[p] : 1;
    bd_failure_time_coefficient *coefficients;
    double *inverse, *b;
    BD_NEW(arena, coefficients, p);
    BD_NEW(arena, inverse, p * p);
    BD_NEW(arena, b, p);
    bd_triangle_invert(p, p, triangle, inverse);
    for (size_t i = 0; i < p; i++)
        for (size_t j = i; j < p; j++)
            b[i] += inverse[i * p + j] * sqrt(of->total) * at->theta[j] / tau;
    BD_TRY(find_errors(design, of, at, inverse, b, arena, &fit->naive_covariance, &fit->covariance));
    fit->coefficients = coefficients;
    fit->n_parameters = q;
    fit->scale = 1 / tau;
    for (size_t j = 0; j < p; j++) {
        describe(b[j], fit->naive_covariance[j * q + j], fit->covariance[j * q + j], level, &coefficients[j]);
        describe_hazard(fit, j, &coefficients[j]);
    }
    fit->log_scale_se = q > p ? sqrt(fit->covariance[q * q - 1]) : NAN;
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
    *fit = (bd_failure_time){.distribution = distribution,
                             .n_rows = design->n_rows,
                             .n_columns = design->n_columns,
                             .n_used = n_used,
                             .n_events = n_events,
                             .robust = design->robust,
                             .level = level,
                             .log_likelihood_null = NAN,
                             .likelihood_ratio = NAN,
                             .df = NAN,
                             .p = NAN};
    for (int null = design->has_intercept; null >= 0; null--) { /* a constant alone, then all columns */
        const size_t p = null ? 1 : design->n_columns;
        failure_times of = {0};
        failure_time_maximum at;
        double *triangle = NULL, *scratch;
        BD_TRY(failure_time_rotate(design, distribution, p, n_used, arena, &of, &triangle));
        BD_NEW(arena, scratch, failure_time_scratch(of.q));
        failure_time_maximise(&of, NULL, scratch, &at);
        if (null)
            fit->log_likelihood_null = at.log_likelihood - of.sum_y;
        else
            BD_TRY(report(design, &of, &at, triangle, level, arena, fit));
    }
    if (design->has_intercept && design->n_columns > 1) {
        fit->df = (double)(design->n_columns - 1);
        fit->likelihood_ratio = 2 * (fit->log_likelihood - fit->log_likelihood_null);
        fit->p = gsl_cdf_chisq_Q(fmax(fit->likelihood_ratio, 0), fit->df);
    }
    *out = fit;
    return BD_OK;
}
