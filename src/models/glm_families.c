/* Families: variance, deviance and likelihood of the distributions of a response. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_sf_gamma.h>

#include "models/glm_internal.h"

/* y log(y / mu), 0 for y = 0 */
static double y_log(double y, double mu)
{
    return y == 0 ? 0 : y * log(y / mu);
}

static double binomial_variance(double mu, double theta)
{
    (void)theta;
    return mu * (1 - mu);
}

static double binomial_variance_slope(double mu, double theta)
{
    (void)theta;
    return 1 - 2 * mu;
}

static double binomial_deviance(double y, double mu, double theta)
{
    (void)theta;
    if (y == 0 || y == 1)
        return -2 * log(y == 0 ? 1 - mu : mu);
    return 2 * (y_log(y, mu) + y_log(1 - y, 1 - mu));
}

static double binomial_start(double y, double weight)
{
    return (weight * y + 0.5) / (weight + 1);
}

static double log_choose(double n, double k)
{
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

static double binomial_log_density(double y, double mu, double weight, double trials, double parameter)
{
    (void)parameter;
    const double happened = y == 0 ? 0 : y * log(mu), missed = y == 1 ? 0 : (1 - y) * log1p(-mu);
    const double ways = y == 0 || y == 1 ? 0 : log_choose(trials, round(trials * y));
    return weight * (happened + missed + ways / trials);
}

static double poisson_variance(double mu, double theta)
{
    (void)theta;
    return mu;
}

static double poisson_variance_slope(double mu, double theta)
{
    (void)mu, (void)theta;
    return 1;
}

static double poisson_deviance(double y, double mu, double theta)
{
    (void)theta;
    return 2 * (y_log(y, mu) - (y - mu));
}

static double poisson_start(double y, double weight)
{
    (void)weight;
    return y + 0.1;
}

static double poisson_log_density(double y, double mu, double weight, double trials, double parameter)
{
    (void)trials, (void)parameter;
    return weight * ((y == 0 ? 0 : y * log(mu)) - mu - lgamma(y + 1));
}

static double negbin_variance(double mu, double theta)
{
    return isfinite(theta) ? mu + mu * mu / theta : mu;
}

static double negbin_variance_slope(double mu, double theta)
{
    return isfinite(theta) ? 1 + 2 * mu / theta : 1;
}

static double negbin_deviance(double y, double mu, double theta)
{
    if (!isfinite(theta))
        return poisson_deviance(y, mu, 0);
    return 2 * (y_log(y, mu) - (y + theta) * log1p((y - mu) / (mu + theta)));
}

static double negbin_start(double y, double weight)
{
    (void)weight;
    return y == 0 ? 1.0 / 6 : y;
}

static double negbin_log_density(double y, double mu, double weight, double trials, double theta)
{
    if (!isfinite(theta))
        return poisson_log_density(y, mu, weight, trials, 0);
    const double ways = lgamma(theta + y) - lgamma(theta) - lgamma(y + 1);
    return weight * (ways - theta * log1p(mu / theta) + (y == 0 ? 0 : y * log(mu / (mu + theta))));
}

static double gamma_variance(double mu, double theta)
{
    (void)theta;
    return mu * mu;
}

static double gamma_variance_slope(double mu, double theta)
{
    (void)theta;
    return 2 * mu;
}

static double gamma_deviance(double y, double mu, double theta)
{
    (void)theta;
    return -2 * (log(y / mu) - (y - mu) / mu);
}

static double start_at_response(double y, double weight)
{
    (void)weight;
    return y;
}

static double gamma_log_density(double y, double mu, double weight, double trials, double dispersion)
{
    (void)trials;
    const double shape = 1 / dispersion, scale = mu * dispersion;
    return weight * ((shape - 1) * log(y) - y / scale - shape * log(scale) - lgamma(shape));
}

static double gaussian_variance(double mu, double theta)
{
    (void)mu, (void)theta;
    return 1;
}

static double gaussian_variance_slope(double mu, double theta)
{
    (void)mu, (void)theta;
    return 0;
}

static double gaussian_deviance(double y, double mu, double theta)
{
    (void)theta;
    return (y - mu) * (y - mu);
}

static double gaussian_log_density(double y, double mu, double weight, double trials, double dispersion)
{
    (void)trials;
    return -0.5 * (log(2 * M_PI * dispersion / weight) + weight * (y - mu) * (y - mu) / dispersion);
}

static double inverse_gaussian_variance(double mu, double theta)
{
    (void)theta;
    return mu * mu * mu;
}

static double inverse_gaussian_variance_slope(double mu, double theta)
{
    (void)theta;
    return 3 * mu * mu;
}

static double inverse_gaussian_deviance(double y, double mu, double theta)
{
    (void)theta;
    return (y - mu) * (y - mu) / (y * mu * mu);
}

static double inverse_gaussian_log_density(double y, double mu, double weight, double trials, double dispersion)
{
    (void)trials;
    const double deviance = inverse_gaussian_deviance(y, mu, 0);
    return -0.5 * weight * (log(2 * M_PI * dispersion) + 3 * log(y) + deviance / dispersion);
}

static const bd_link *const binary_links[] = {&bd_logit,   &bd_probit, &bd_cloglog,  &bd_loglog,
                                              &bd_cauchit, &bd_log,    &bd_identity, NULL};
static const bd_link *const count_links[] = {&bd_log, &bd_identity, &bd_sqrt, NULL};
static const bd_link *const gamma_links[] = {&bd_inverse, &bd_identity, &bd_log, NULL};
static const bd_link *const gaussian_links[] = {&bd_identity, &bd_log, &bd_inverse, NULL};
static const bd_link *const inverse_gaussian_links[] = {&bd_inverse_square, &bd_inverse, &bd_identity, &bd_log, NULL};

const bd_family bd_binomial = {.name = "binomial",
                               .summary = "0 or 1, or successes among trials",
                               .response = GLM_BINARY,
                               .links = binary_links,
                               .canonical = &bd_logit,
                               .variance = binomial_variance,
                               .variance_slope = binomial_variance_slope,
                               .deviance = binomial_deviance,
                               .start = binomial_start,
                               .log_density = binomial_log_density,
                               .mu_high = 1,
                               .known_dispersion = true};
const bd_family bd_poisson = {.name = "poisson",
                              .summary = "counts whose variance is their mean",
                              .response = GLM_COUNT,
                              .links = count_links,
                              .canonical = &bd_log,
                              .variance = poisson_variance,
                              .variance_slope = poisson_variance_slope,
                              .deviance = poisson_deviance,
                              .start = poisson_start,
                              .log_density = poisson_log_density,
                              .mu_high = INFINITY,
                              .known_dispersion = true};
const bd_family bd_negbin = {.name = "negbin",
                             .summary = "counts with variance mu + mu^2 / theta",
                             .response = GLM_COUNT,
                             .links = count_links,
                             .variance = negbin_variance,
                             .variance_slope = negbin_variance_slope,
                             .deviance = negbin_deviance,
                             .start = negbin_start,
                             .log_density = negbin_log_density,
                             .mu_high = INFINITY,
                             .known_dispersion = true,
                             .has_theta = true};
const bd_family bd_gamma = {.name = "gamma",
                            .summary = "positive values with a constant coefficient of variation",
                            .response = GLM_POSITIVE,
                            .links = gamma_links,
                            .variance = gamma_variance,
                            .variance_slope = gamma_variance_slope,
                            .deviance = gamma_deviance,
                            .start = start_at_response,
                            .log_density = gamma_log_density,
                            .mu_high = INFINITY};
const bd_family bd_gaussian = {.name = "gaussian",
                               .summary = "normal errors of one variance",
                               .response = GLM_REAL,
                               .links = gaussian_links,
                               .canonical = &bd_identity,
                               .variance = gaussian_variance,
                               .variance_slope = gaussian_variance_slope,
                               .deviance = gaussian_deviance,
                               .start = start_at_response,
                               .log_density = gaussian_log_density,
                               .mu_low = -INFINITY,
                               .mu_high = INFINITY};
const bd_family bd_inverse_gaussian = {.name = "inverse-gaussian",
                                       .summary = "positive values with variance proportional to mu^3",
                                       .response = GLM_POSITIVE,
                                       .links = inverse_gaussian_links,
                                       .variance = inverse_gaussian_variance,
                                       .variance_slope = inverse_gaussian_variance_slope,
                                       .deviance = inverse_gaussian_deviance,
                                       .start = start_at_response,
                                       .log_density = inverse_gaussian_log_density,
                                       .mu_high = INFINITY};
const bd_family bd_quasi_binomial = {.name = "quasi-binomial",
                                     .summary = "shares from 0 to 1, variance proportional to mu (1 - mu)",
                                     .response = GLM_SHARE,
                                     .links = binary_links,
                                     .canonical = &bd_logit,
                                     .variance = binomial_variance,
                                     .variance_slope = binomial_variance_slope,
                                     .deviance = binomial_deviance,
                                     .start = binomial_start,
                                     .mu_high = 1};
const bd_family bd_quasi_poisson = {.name = "quasi-poisson",
                                    .summary = "counts or amounts, variance proportional to the mean",
                                    .response = GLM_COUNT,
                                    .links = count_links,
                                    .canonical = &bd_log,
                                    .variance = poisson_variance,
                                    .variance_slope = poisson_variance_slope,
                                    .deviance = poisson_deviance,
                                    .start = poisson_start,
                                    .mu_high = INFINITY};

const bd_family *const bd_families[] = {&bd_binomial,       &bd_poisson,       &bd_negbin,
                                        &bd_gamma,          &bd_gaussian,      &bd_inverse_gaussian,
                                        &bd_quasi_binomial, &bd_quasi_poisson, NULL};

const char *bd_family_name(const bd_family *family)
{
    return family->name;
}

const char *bd_family_summary(const bd_family *family)
{
    return family->summary;
}

const bd_link *const *bd_family_links(const bd_family *family)
{
    return family->links;
}

bool bd_family_known_dispersion(const bd_family *family)
{
    return family->known_dispersion;
}

bd_status bd_family_find(const char *name, const bd_family **family)
{
    char list[256] = "";
    for (size_t i = 0; bd_families[i] != NULL; i++) {
        if (strcmp(bd_families[i]->name, name) == 0) {
            *family = bd_families[i];
            return BD_OK;
        }
        strcat(strcat(list, i == 0 ? "" : ", "), bd_families[i]->name);
    }
    return bd_fail(BD_EUSAGE, "no family named '%s'; there are %s", name, list);
}

const char *bd_glm_ratio(const bd_family *family, const bd_link *link)
{
    const bool binary = family->response == GLM_BINARY || family->response == GLM_SHARE;
    if (binary && link == &bd_logit)
        return "odds_ratio";
    if (binary && link == &bd_cloglog)
        return "hazard_ratio";
    if (link != &bd_log)
        return NULL;
    return binary ? "risk_ratio" : family->response == GLM_COUNT ? "rate_ratio" : "mean_ratio";
}

int glm_edge(const bd_family *family, const bd_link *link, double y)
{
    const bool binary = family->response == GLM_BINARY || family->response == GLM_SHARE;
    if (binary && link != &bd_log && link != &bd_identity)
        return y == 0 ? -1 : y == 1;
    return family->response == GLM_COUNT && link == &bd_log && y == 0 ? -1 : 0;
}
