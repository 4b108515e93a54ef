/* Links: from a mean to the linear predictor and back. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "models/glm_exp.h"
#include "models/glm_internal.h"

static const double SMALLEST_SLOPE = 1e-300;

/* Means stay inside (0, 1), where the variance is not 0. */
GLM_INLINE double inside(double mu)
{
    const double low = mu < DBL_EPSILON ? DBL_EPSILON : mu;
    return low > 1 - DBL_EPSILON / 2 ? 1 - DBL_EPSILON / 2 : low;
}

enum { STRIP = 64 }; /* rows between the loops of a link, each of which is one operation without branches */

/* mu = 1 / (1 + e^-eta), without cancellation near 0. Beyond 36 the logit stays where it is, as in R: 1 - mu, which
 * the residual is made of, would be lost there while the slope, which it is divided by, goes on. */
GLM_INLINE void logit_strip(size_t n, const double *restrict eta, double *restrict mu, double *restrict slope)
{
    double power[STRIP], high[STRIP], low[STRIP];
    for (size_t i = 0; i < n; i++)
        power[i] = -fabs(eta[i]) < -36 ? -36 : -fabs(eta[i]);
    for (size_t i = 0; i < n; i++) {
        const double e = glm_exp_inside(power[i]), share = 1 / (1 + e);
        high[i] = share;
        low[i] = e * share;
        slope[i] = e * share * share;
    }
    for (size_t i = 0; i < n; i++)
        mu[i] = eta[i] < 0 ? low[i] : high[i];
}

GLM_INLINE void logit_rows(size_t n, const double *eta, double *mu, double *slope)
{
    size_t from = 0;
    for (; from + STRIP <= n; from += STRIP)
        logit_strip(STRIP, eta + from, mu + from, slope + from);
    logit_strip(n - from, eta + from, mu + from, slope + from);
}

GLM_AVX2 static void logit_rows_avx2(size_t n, const double *eta, double *mu, double *slope)
{
    logit_rows(n, eta, mu, slope);
}

static void logit_rows_anywhere(size_t n, const double *eta, double *mu, double *slope)
{
    logit_rows(n, eta, mu, slope);
}

static void logit_inverse(size_t n, const double *eta, double *mu, double *slope)
{
    (GLM_HAS_AVX2 ? logit_rows_avx2 : logit_rows_anywhere)(n, eta, mu, slope);
}

static double logit_of(double mu)
{
    return log(mu / (1 - mu));
}

static double logit_curvature(double eta, double mu, double slope)
{
    (void)eta;
    return slope * (1 - 2 * mu);
}

static double normal_density(double eta)
{
    return exp(-0.5 * eta * eta) / sqrt(2 * M_PI);
}

/* Other links of probabilities stand still in the same way where mu comes within 2.3e-16 of 0 or 1. */
static const double PROBIT_END = 8.12, LOG_HAZARD_END = 36, HAZARD_END = 36;

static void probit_inverse(size_t n, const double *eta, double *mu, double *slope)
{
    for (size_t i = 0; i < n; i++) {
        const double at = fmax(-PROBIT_END, fmin(PROBIT_END, eta[i]));
        mu[i] = inside(0.5 * erfc(-at * M_SQRT1_2));
        slope[i] = normal_density(at);
    }
}

/* Newton from the logistic's quantile: one value per row, once. */
static double probit_of(double mu)
{
    double eta = logit_of(mu) / 1.7;
    for (int step = 0; step < 50; step++) {
        const double apart = (0.5 * erfc(-eta * M_SQRT1_2) - mu) / fmax(normal_density(eta), 1e-12);
        eta -= fmax(-1, fmin(1, apart));
        if (fabs(apart) < 1e-14 * (1 + fabs(eta)))
            break;
    }
    return eta;
}

static double probit_curvature(double eta, double mu, double slope)
{
    (void)mu;
    return -eta * slope;
}

static double hazard_at(double eta)
{
    return fmin(glm_exp(fmax(-LOG_HAZARD_END, eta)), HAZARD_END);
}

static void cloglog_inverse(size_t n, const double *eta, double *mu, double *slope)
{
    for (size_t i = 0; i < n; i++) {
        const double hazard = hazard_at(eta[i]);
        mu[i] = inside(-expm1(-hazard));
        slope[i] = hazard * glm_exp(-hazard);
    }
}

static double cloglog_of(double mu)
{
    return log(-log1p(-mu));
}

static double cloglog_curvature(double eta, double mu, double slope)
{
    (void)eta;
    return slope * (1 - slope / (1 - mu)); /* the hazard is slope / (1 - mu) */
}

static void loglog_inverse(size_t n, const double *eta, double *mu, double *slope)
{
    for (size_t i = 0; i < n; i++) {
        const double hazard = hazard_at(-eta[i]);
        mu[i] = inside(glm_exp(-hazard));
        slope[i] = hazard * glm_exp(-hazard);
    }
}

static double loglog_of(double mu)
{
    return -log(-log(mu));
}

static double loglog_curvature(double eta, double mu, double slope)
{
    (void)eta;
    return slope * (slope / mu - 1);
}

static void cauchit_inverse(size_t n, const double *eta, double *mu, double *slope)
{
    for (size_t i = 0; i < n; i++) {
        mu[i] = inside(0.5 + atan(eta[i]) / M_PI);
        slope[i] = fmax(1 / (M_PI * (1 + eta[i] * eta[i])), SMALLEST_SLOPE);
    }
}

static double cauchit_of(double mu)
{
    return tan(M_PI * (mu - 0.5));
}

static double cauchit_curvature(double eta, double mu, double slope)
{
    (void)mu;
    return -2 * M_PI * eta * slope * slope;
}

GLM_INLINE void log_rows(size_t n, const double *restrict eta, double *restrict mu, double *restrict slope)
{
    for (size_t i = 0; i < n; i++)
        slope[i] = glm_clamp(eta[i]);
    for (size_t i = 0; i < n; i++)
        mu[i] = slope[i] = glm_exp_inside(slope[i]);
}

GLM_AVX2 static void log_rows_avx2(size_t n, const double *eta, double *mu, double *slope)
{
    log_rows(n, eta, mu, slope);
}

static void log_rows_anywhere(size_t n, const double *eta, double *mu, double *slope)
{
    log_rows(n, eta, mu, slope);
}

static void log_inverse(size_t n, const double *eta, double *mu, double *slope)
{
    (GLM_HAS_AVX2 ? log_rows_avx2 : log_rows_anywhere)(n, eta, mu, slope);
}

static double log_of(double mu)
{
    return log(mu);
}

static double log_curvature(double eta, double mu, double slope)
{
    (void)eta, (void)slope;
    return mu;
}

static void identity_inverse(size_t n, const double *eta, double *mu, double *slope)
{
    for (size_t i = 0; i < n; i++) {
        mu[i] = eta[i];
        slope[i] = 1;
    }
}

static double identity_of(double mu)
{
    return mu;
}

static double no_curvature(double eta, double mu, double slope)
{
    (void)eta, (void)mu, (void)slope;
    return 0;
}

static void inverse_inverse(size_t n, const double *eta, double *mu, double *slope)
{
    for (size_t i = 0; i < n; i++) {
        mu[i] = 1 / eta[i];
        slope[i] = -mu[i] * mu[i];
    }
}

static double inverse_of(double mu)
{
    return 1 / mu;
}

static double inverse_curvature(double eta, double mu, double slope)
{
    (void)eta, (void)slope;
    return 2 * mu * mu * mu;
}

static void sqrt_inverse(size_t n, const double *eta, double *mu, double *slope)
{
    for (size_t i = 0; i < n; i++) {
        mu[i] = eta[i] * eta[i];
        slope[i] = 2 * eta[i];
    }
}

static double sqrt_of(double mu)
{
    return sqrt(mu);
}

static double sqrt_curvature(double eta, double mu, double slope)
{
    (void)eta, (void)mu, (void)slope;
    return 2;
}

static void inverse_square_inverse(size_t n, const double *eta, double *mu, double *slope)
{
    for (size_t i = 0; i < n; i++) {
        mu[i] = 1 / sqrt(eta[i]);
        slope[i] = -0.5 * mu[i] / eta[i];
    }
}

static double inverse_square_of(double mu)
{
    return 1 / (mu * mu);
}

static double inverse_square_curvature(double eta, double mu, double slope)
{
    (void)slope;
    return 0.75 * mu / (eta * eta);
}

const bd_link bd_logit = {.name = "logit",
                          .summary = "log odds",
                          .inverse = logit_inverse,
                          .of = logit_of,
                          .curvature = logit_curvature};
const bd_link bd_probit = {.name = "probit",
                           .summary = "quantile of the normal distribution",
                           .inverse = probit_inverse,
                           .of = probit_of,
                           .curvature = probit_curvature};
const bd_link bd_cloglog = {.name = "cloglog",
                            .summary = "log(-log(1 - mu)): log hazard of grouped survival times",
                            .inverse = cloglog_inverse,
                            .of = cloglog_of,
                            .curvature = cloglog_curvature};
const bd_link bd_loglog = {.name = "loglog",
                           .summary = "-log(-log(mu)): cloglog of the other outcome, with the sign turned",
                           .inverse = loglog_inverse,
                           .of = loglog_of,
                           .curvature = loglog_curvature};
const bd_link bd_cauchit = {.name = "cauchit",
                            .summary = "quantile of the Cauchy distribution",
                            .inverse = cauchit_inverse,
                            .of = cauchit_of,
                            .curvature = cauchit_curvature};
const bd_link bd_log = {
    .name = "log", .summary = "log of the mean", .inverse = log_inverse, .of = log_of, .curvature = log_curvature};
const bd_link bd_identity = {.name = "identity",
                             .summary = "the mean itself",
                             .inverse = identity_inverse,
                             .of = identity_of,
                             .curvature = no_curvature};
const bd_link bd_inverse = {.name = "inverse",
                            .summary = "1 / mu",
                            .inverse = inverse_inverse,
                            .of = inverse_of,
                            .curvature = inverse_curvature};
const bd_link bd_sqrt = {.name = "sqrt",
                         .summary = "square root of the mean",
                         .inverse = sqrt_inverse,
                         .of = sqrt_of,
                         .curvature = sqrt_curvature,
                         .positive = true};
const bd_link bd_inverse_square = {.name = "1/mu^2",
                                   .summary = "1 / mu squared",
                                   .inverse = inverse_square_inverse,
                                   .of = inverse_square_of,
                                   .curvature = inverse_square_curvature,
                                   .positive = true};

const bd_link *const bd_links[] = {&bd_logit,    &bd_probit,  &bd_cloglog, &bd_loglog,         &bd_cauchit, &bd_log,
                                   &bd_identity, &bd_inverse, &bd_sqrt,    &bd_inverse_square, NULL};

double bd_link_mean(const bd_link *link, double linear_predictor, double *slope)
{
    double mean = NAN;
    *slope = NAN;
    if (!isnan(linear_predictor) && (!link->positive || linear_predictor > 0))
        link->inverse(1, &linear_predictor, &mean, slope);
    return mean;
}

const char *bd_link_name(const bd_link *link)
{
    return link->name;
}

const char *bd_link_summary(const bd_link *link)
{
    return link->summary;
}

bd_status bd_link_find(const char *name, const bd_link **link)
{
    char list[256] = "";
    for (size_t i = 0; bd_links[i] != NULL; i++) {
        if (strcmp(bd_links[i]->name, name) == 0) {
            *link = bd_links[i];
            return BD_OK;
        }
        strcat(strcat(list, i == 0 ? "" : ", "), bd_links[i]->name);
    }
    return bd_fail(BD_EUSAGE, "no link named '%s'; there are %s", name, list);
}
