/* Log densities and log survivals of the error of log time. */
#ifndef BORDIN_MODELS_WEIBULL_CURVES_H
#define BORDIN_MODELS_WEIBULL_CURVES_H

#include <math.h>
#include <stdbool.h>

#include <gsl/gsl_sf_erf.h>

/* A log density, or log survival, with its first two derivatives. */
typedef struct curve {
    double value, slope, bend;
} curve;

static inline curve extreme_value(double e, bool event)
{
    const double h = exp(e);
    return event ? (curve){e - h, 1 - h, -h} : (curve){-h, -h, -h};
}

static inline curve normal(double e, bool event)
{
    if (event)
        return (curve){-0.5 * e * e - 0.91893853320467274178, -e, -1};
    const double h = gsl_sf_hazard(e);
    return (curve){gsl_sf_log_erfc(e * M_SQRT1_2) - M_LN2, -h, -h * (h - e)};
}

static inline curve logistic(double e, bool event)
{
    const double tail = exp(-fabs(e)), p = (e > 0 ? 1 : tail) / (1 + tail), q = tail / ((1 + tail) * (1 + tail));
    const double both = (e > 0 ? e : 0) + log1p(tail); /* log(1 + exp(e)) */
    return event ? (curve){e - 2 * both, 1 - 2 * p, -2 * q} : (curve){-both, -p, -q};
}

static curve (*const curves[])(double e, bool event) = {extreme_value, extreme_value, normal, logistic};

#endif
