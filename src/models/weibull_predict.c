/* What a fit of accelerated failure times expects of given predictors: quantiles, survival, with errors by the delta
 * method. */
#include <math.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_erf.h>

#include <bordin/models/weibull.h>

/* Of the error of log time: where survival is s; survival and cumulative hazard at z. */
static double quantile_of(bd_failure_time_distribution distribution, double s)
{
    return distribution == BD_LOG_NORMAL     ? gsl_cdf_ugaussian_Qinv(s)
           : distribution == BD_LOG_LOGISTIC ? log1p(-s) - log(s)
                                             : log(-log(s));
}

static double survival_of(bd_failure_time_distribution distribution, double z)
{
    return distribution == BD_LOG_NORMAL     ? gsl_cdf_ugaussian_Q(z)
           : distribution == BD_LOG_LOGISTIC ? 1 / (1 + exp(z))
                                             : exp(-exp(z));
}

static double cumulative_of(bd_failure_time_distribution distribution, double z)
{
    return distribution == BD_LOG_NORMAL     ? M_LN2 - gsl_sf_log_erfc(z * M_SQRT1_2)
           : distribution == BD_LOG_LOGISTIC ? fmax(z, 0) + log1p(exp(-fabs(z)))
                                             : exp(z);
}

/* Its derivative. */
static double hazard_of(bd_failure_time_distribution distribution, double z)
{
    return distribution == BD_LOG_NORMAL     ? gsl_sf_hazard(z)
           : distribution == BD_LOG_LOGISTIC ? 1 / (1 + exp(-z))
                                             : exp(z);
}

static double linear(const bd_failure_time *fit, const double *x)
{
    double sum = 0;
    for (size_t j = 0; j < fit->n_columns; j++)
        sum += x[j] * fit->coefficients[j].estimate;
    return sum;
}

/* The error of x'b + by_scale * log(scale). */
static double error_of(const bd_failure_time *fit, const double *x, double by_scale)
{
    const size_t p = fit->n_columns, q = fit->n_parameters;
    double sum = 0;
    for (size_t j = 0; j < q; j++)
        for (size_t k = 0; k < q; k++)
            sum += (j < p ? x[j] : by_scale) * fit->covariance[j * q + k] * (k < p ? x[k] : by_scale);
    return sqrt(sum);
}

bd_failure_time_quantile bd_failure_time_quantile_of(const bd_failure_time *fit, const double *x, double offset,
                                                     double p)
{
    const double by_scale = fit->scale * quantile_of(fit->distribution, 1 - p);
    const double log_time = offset + linear(fit, x) + by_scale, se = error_of(fit, x, by_scale);
    const double margin = gsl_cdf_ugaussian_Pinv(0.5 + fit->level / 2) * se;
    return (bd_failure_time_quantile){exp(log_time), exp(log_time - margin), exp(log_time + margin), se};
}

bd_failure_time_point bd_failure_time_at(const bd_failure_time *fit, const double *x, double offset, double time)
{
    if (!(time > 0))
        return (bd_failure_time_point){1, 1, 1, 0, 0};
    const double z = (log(time) - offset - linear(fit, x)) / fit->scale;
    const double se = error_of(fit, x, z * fit->scale) / fit->scale;
    const double margin = gsl_cdf_ugaussian_Pinv(0.5 + fit->level / 2) * se,
                 survival = survival_of(fit->distribution, z);
    return (bd_failure_time_point){survival, survival_of(fit->distribution, z + margin),
                                   survival_of(fit->distribution, z - margin),
                                   cumulative_of(fit->distribution, z),
                                   hazard_of(fit->distribution, z) * se};
}
