/* Newton's method on the likelihood of accelerated failure times, concave in (gamma, tau): see weibull.c. */
#include "models/weibull_newton.h"

#include <math.h>
#include <string.h>

enum { MAX_ITERATIONS = 200, MAX_HALVINGS = 60 };

/* theta: gamma in rotated columns, and tau. gradient and information may be NULL. */
static double likelihood(const failure_times *of, const double *theta, double *gradient, double *information)
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
        if (of->weights[i] == 0)
            continue;
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

/* From least squares of all log times. */
static void begin(const failure_times *of, double *theta)
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
static bool advance(const failure_times *of, const double *step, double *trial, failure_time_maximum *at)
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
void failure_time_maximise(const failure_times *of, const double *start, double *scratch, failure_time_maximum *at)
{
    static const double no_information = 1e-9, no_scale = 1e7;
    const size_t q = of->q;
    double *gradient = scratch + q * q + q, *step = gradient + q, *trial = step + q;
    int n_last = 0;
    *at = (failure_time_maximum){.theta = scratch + q * q, .root = scratch, .end = BD_FAILURE_TIME_NOT_CONVERGED};
    if (start != NULL)
        memcpy(at->theta, start, q * sizeof *start);
    else
        begin(of, at->theta);
    at->log_likelihood = likelihood(of, at->theta, NULL, NULL);
    for (at->n_iterations = 0; at->n_iterations < MAX_ITERATIONS; at->n_iterations++) {
        double gain = 0;
        at->log_likelihood = likelihood(of, at->theta, gradient, at->root);
        const bool flat = !(factor(of->p, q, at->root) > no_information * of->total);
        const bool exact = q > of->p && at->theta[of->p] > no_scale;
        if (flat || exact || n_last > 2) {
            at->end = exact ? BD_FAILURE_TIME_EXACT : flat ? BD_FAILURE_TIME_INFINITE : BD_FAILURE_TIME_CONVERGED;
            at->flat_at_first = flat && at->n_iterations == 0;
            return;
        }
        memcpy(step, gradient, q * sizeof *step);
        solve(q, at->root, step);
        for (size_t j = 0; j < q; j++)
            gain += step[j] * gradient[j];
        const bool moved = advance(of, step, trial, at);
        n_last += gain < 1e-12 * (1 + fabs(at->log_likelihood));
        if (!moved && n_last == 0)
            return;
    }
}
