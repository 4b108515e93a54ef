/* Log-likelihoods of single rows and their derivatives by the linear predictor. */
#include <math.h>

#include <gsl/gsl_sf_erf.h>

#include "models/glmm_internal.h"

/* Of a binomial row by a = p'/p and b = p'/(1 - p) and their first two slopes. */
static glmm_row binomial(double y, double n, double log_p, double log_q, const double a[3], const double b[3])
{
    const double m = n - y;
    return (glmm_row){(y > 0 ? y * log_p : 0) + (m > 0 ? m * log_q : 0), y * a[0] - m * b[0], m * b[1] - y * a[1],
                      m * b[2] - y * a[2]};
}

static glmm_row logit_at(double y, double n, double theta, double eta)
{
    const double e = exp(-fabs(eta)), small = e / (1 + e), p = eta > 0 ? 1 - small : small;
    const double log_large = -log1p(e), log_p = eta > 0 ? log_large : eta + log_large;
    const double w = n * small / (1 + e);
    (void)theta;
    return (glmm_row){y * log_p + (n - y) * (log_p - eta), y - n * p, w, w * (1 - 2 * p)};
}

static glmm_row probit_at(double y, double n, double theta, double eta)
{
    const double a = gsl_sf_hazard(-eta), b = gsl_sf_hazard(eta);
    const double a1 = -a * (eta + a), b1 = b * (b - eta);
    const double as[] = {a, a1, -a1 * (eta + a) - a * (1 + a1)}, bs[] = {b, b1, b1 * (b - eta) + b * (b1 - 1)};
    (void)theta;
    return binomial(y, n, gsl_sf_log_erfc(-eta / M_SQRT2) - M_LN2, gsl_sf_log_erfc(eta / M_SQRT2) - M_LN2, as, bs);
}

static glmm_row cloglog_at(double y, double n, double theta, double eta)
{
    const double t = exp(fmin(eta, 700)), a = t > 0 ? t / expm1(t) : 1;
    const double a1 = a * (1 - t - a), as[] = {a, a1, a1 * (1 - t - a) - a * (t + a1)}, bs[] = {t, t, t};
    (void)theta;
    return binomial(y, n, log(-expm1(-t)), -t, as, bs);
}

static glmm_row poisson_at(double y, double n, double theta, double eta)
{
    const double mu = exp(fmin(eta, 700));
    (void)n;
    (void)theta;
    return (glmm_row){y * eta - mu, y - mu, mu, mu};
}

static glmm_row negbin_at(double y, double n, double theta, double eta)
{
    const double mu = exp(fmin(eta, 700)), share = mu / (theta + mu), w = (y + theta) * share * (1 - share);
    (void)n;
    return (glmm_row){lgamma(y + theta) - lgamma(theta) + y * eta - y * log(theta) - (y + theta) * log1p(mu / theta),
                      y - (y + theta) * share, w, w * (1 - 2 * share)};
}

static double choose(double y, double n)
{
    return lgamma(n + 1) - lgamma(y + 1) - lgamma(n - y + 1);
}

static double factorial(double y, double n)
{
    (void)n;
    return -lgamma(y + 1);
}

const glmm_kind *glmm_kind_of(const bd_family *family, const bd_link *link)
{
    static const glmm_kind kinds[] = {
        {&bd_binomial, &bd_logit, M_PI * M_PI / 3, logit_at, choose},
        {&bd_binomial, &bd_probit, 1, probit_at, choose},
        {&bd_binomial, &bd_cloglog, M_PI * M_PI / 6, cloglog_at, choose},
        {&bd_poisson, &bd_log, NAN, poisson_at, factorial},
        {&bd_negbin, &bd_log, NAN, negbin_at, factorial},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].family == family && (link == NULL || kinds[i].link == link))
            return &kinds[i];
    return NULL;
}
