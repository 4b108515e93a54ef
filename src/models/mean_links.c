/* Links of proportions: means between 0 and 1, and precisions above 0. */
#include "models/mean_links.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

static linked logit_of(double x)
{
    const double value = 1 / (1 + exp(-x)), rest = 1 / (1 + exp(x));
    return (linked){value, rest, value * rest, value * rest * (rest - value)};
}

static double logit_predictor(double share)
{
    return log(share / (1 - share));
}

static linked probit_of(double x)
{
    const double density = gsl_ran_ugaussian_pdf(x);
    return (linked){gsl_cdf_ugaussian_P(x), gsl_cdf_ugaussian_Q(x), density, -x * density};
}

static linked cloglog_of(double x)
{
    const double hazard = exp(x), rest = exp(-hazard), first = hazard > 700 ? 0 : exp(x - hazard);
    return (linked){-expm1(-hazard), rest, first, hazard > 700 ? 0 : first * (1 - hazard)};
}

static double cloglog_predictor(double share)
{
    return log(-log1p(-share));
}

static linked loglog_of(double x)
{
    const linked mirror = cloglog_of(-x);
    return (linked){mirror.rest, mirror.value, mirror.first, -mirror.second};
}

static double loglog_predictor(double share)
{
    return -log(-log(share));
}

static linked cauchit_of(double x)
{
    const double first = 1 / (M_PI * (1 + x * x));
    return (linked){gsl_cdf_cauchy_P(x, 1), gsl_cdf_cauchy_Q(x, 1), first, -2 * M_PI * x * first * first};
}

static double cauchit_predictor(double share)
{
    return tan(M_PI * (share - 0.5));
}

static linked log_of(double x)
{
    const double value = exp(x);
    return (linked){value, -expm1(x), value, value};
}

static linked identity_of(double x)
{
    return (linked){x, 0, 1, 0};
}

static double identity_predictor(double value)
{
    return value;
}

static linked sqrt_of(double x)
{
    return (linked){x > 0 ? x * x : -1, 0, 2 * x, 2};
}

/* phi = (1 - rho) / rho = exp(-logit(rho)) */
static linked logit_rho_of(double x)
{
    const double value = exp(-x);
    return (linked){value, 0, -value, value};
}

static double logit_rho_predictor(double phi)
{
    return -log(phi);
}

static const mean_link share_links[] = {
    {"logit", logit_of, logit_predictor},       {"probit", probit_of, gsl_cdf_ugaussian_Pinv},
    {"cloglog", cloglog_of, cloglog_predictor}, {"loglog", loglog_of, loglog_predictor},
    {"cauchit", cauchit_of, cauchit_predictor}, {"log", log_of, log},
};

static const mean_link precision_links[] = {
    {"log", log_of, log},
    {"identity", identity_of, identity_predictor},
    {"sqrt", sqrt_of, sqrt},
    {"logit-rho", logit_rho_of, logit_rho_predictor},
};

static bd_status find(const mean_link *links, size_t n, const char *name, const char *what, const mean_link **link)
{
    char list[128] = "";
    for (size_t k = 0; k < n; k++) {
        if (strcmp(links[k].name, name) == 0) {
            *link = &links[k];
            return BD_OK;
        }
        strcat(strcat(list, k == 0 ? "" : ", "), links[k].name);
    }
    return bd_fail(BD_EUSAGE, "no link of %s is named '%s'; there are %s", what, name, list);
}

bd_status bd_share_link_find(const char *name, const mean_link **link)
{
    return find(share_links, sizeof share_links / sizeof *share_links, name, "the mean", link);
}

bd_status bd_precision_link_find(const char *name, const mean_link **link)
{
    return find(precision_links, sizeof precision_links / sizeof *precision_links, name, "the precision", link);
}
