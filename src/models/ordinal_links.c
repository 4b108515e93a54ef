/* Distributions between whose thresholds ordered categories lie. */
#include "models/ordinal_links.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

#include <bordin/models/ordinal.h>

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

static double logit_between(double low, double high)
{
    if (isinf(low))
        return logistic(high);
    if (isinf(high))
        return logistic(-low);
    return logistic(high) * logistic(-low) * -expm1(low - high);
}

static double logit_density(double x)
{
    return logistic(x) * logistic(-x);
}

static double logit_slope(double x)
{
    return -logit_density(x) * tanh(x / 2);
}

static double logit_quantile(double share)
{
    return log(share / (1 - share));
}

static double probit_between(double low, double high)
{
    if (low > 0)
        return gsl_cdf_ugaussian_P(-low) - gsl_cdf_ugaussian_P(-high);
    if (low > -0.5 && high < 0.5)
        return (erf(high * M_SQRT1_2) - erf(low * M_SQRT1_2)) / 2;
    return gsl_cdf_ugaussian_P(high) - gsl_cdf_ugaussian_P(low);
}

static double probit_slope(double x)
{
    return isinf(x) ? 0 : -x * gsl_ran_ugaussian_pdf(x);
}

static double cloglog_between(double low, double high)
{
    return isinf(high) ? exp(-exp(low)) : exp(-exp(low)) * -expm1(exp(low) - exp(high));
}

static double cloglog_density(double x)
{
    return exp(x) > 700 ? 0 : exp(x - exp(x));
}

static double cloglog_slope(double x)
{
    return exp(x) > 700 ? 0 : exp(x - exp(x)) * -expm1(x);
}

static double cloglog_quantile(double share)
{
    return log(-log1p(-share));
}

static double loglog_between(double low, double high)
{
    return cloglog_between(-high, -low);
}

static double loglog_density(double x)
{
    return cloglog_density(-x);
}

static double loglog_slope(double x)
{
    return -cloglog_slope(-x);
}

static double loglog_quantile(double share)
{
    return -log(-log(share));
}

static double cauchit_between(double low, double high)
{
    if (low > 0)
        return gsl_cdf_cauchy_Q(low, 1) - gsl_cdf_cauchy_Q(high, 1);
    return gsl_cdf_cauchy_P(high, 1) - gsl_cdf_cauchy_P(low, 1);
}

static double cauchit_density(double x)
{
    return 1 / (M_PI * (1 + x * x));
}

static double cauchit_slope(double x)
{
    return isinf(x) ? 0 : -2 * x / (M_PI * (1 + x * x) * (1 + x * x));
}

static double cauchit_quantile(double share)
{
    return tan(M_PI * (share - 0.5));
}

static const ordinal_link links[] = {
    {"logit", logit_between, logit_density, logit_slope, logit_quantile},
    {"probit", probit_between, gsl_ran_ugaussian_pdf, probit_slope, gsl_cdf_ugaussian_Pinv},
    {"cloglog", cloglog_between, cloglog_density, cloglog_slope, cloglog_quantile},
    {"loglog", loglog_between, loglog_density, loglog_slope, loglog_quantile},
    {"cauchit", cauchit_between, cauchit_density, cauchit_slope, cauchit_quantile},
};
enum { N_LINKS = sizeof links / sizeof links[0] };

const char *const bd_ordinal_links[] = {"logit", "probit", "cloglog", "loglog", "cauchit", NULL};

bd_status bd_ordinal_link_find(const char *name, const ordinal_link **link)
{
    for (size_t k = 0; k < N_LINKS; k++)
        if (strcmp(links[k].name, name) == 0) {
            *link = &links[k];
            return BD_OK;
        }
    return bd_fail(BD_EUSAGE,
                   "ordered categories have no link named '%s'; there are logit, probit, cloglog, loglog and "
                   "cauchit",
                   name);
}
