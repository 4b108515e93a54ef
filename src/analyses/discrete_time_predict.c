/* Hazards and survival by period, of profiles: with link(h) = x'b,
 *     log S(k) = sum of log(1 - h),   d log S / db = -sum of x h' / (1 - h),   limits symmetric for log S. */
#include <math.h>

#include <gsl/gsl_cdf.h>

#include "analyses/discrete_time_internal.h"
#include "analyses/survival_profiles.h"

static double form(size_t p, const double *x, const double *covariance)
{
    double sum = 0;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            sum += x[i] * covariance[i * p + j] * x[j];
    return sum;
}

static bd_status predict(const bd_discrete_time *d, const survival_profile *profile, double offset, bd_arena *arena,
                         bd_discrete_time_prediction *out)
{
    const bd_glm *fit = d->fit;
    const size_t p = fit->n_columns;
    const double df = fit->coefficients[0].df, share = 0.5 + d->options.level / 2;
    const double quantile = isinf(df) ? gsl_cdf_ugaussian_Pinv(share) : gsl_cdf_tdist_Pinv(share, df);
    double *of[6], *x, *gradient, log_survival = 0;
    for (int i = 0; i < 6; i++)
        BD_NEW(arena, of[i], d->n_periods);
    BD_NEW(arena, x, p);
    BD_NEW(arena, gradient, p);
    for (size_t j = d->n_period_columns; j < p; j++)
        x[j] = profile->values[j - d->n_period_columns];
    for (size_t k = 0; k < d->n_periods; k++) {
        double eta = offset, slope, unused;
        for (size_t j = 0; j < d->n_period_columns; j++)
            x[j] = discrete_time_effect(d, j, k);
        for (size_t j = 0; j < p; j++)
            eta += x[j] * fit->coefficients[j].estimate;
        const bool known = d->periods[k].known;
        const double margin = quantile * sqrt(form(p, x, fit->covariance));
        const double hazard = known ? (double)(d->periods[k].events > 0) : bd_link_mean(d->options.link, eta, &slope);
        log_survival += log1p(-hazard);
        for (size_t j = 0; j < p && !known; j++)
            gradient[j] += x[j] * slope / (1 - hazard);
        const double se = sqrt(form(p, gradient, fit->covariance));
        const double values[] = {hazard,
                                 known ? hazard : bd_link_mean(d->options.link, eta - margin, &unused),
                                 known ? hazard : bd_link_mean(d->options.link, eta + margin, &unused),
                                 exp(log_survival), exp(log_survival - quantile * se),
                                 fmin(1, exp(log_survival + quantile * se))};
        for (int i = 0; i < 6; i++)
            of[i][k] = values[i];
    }
    const char *name = d->data->design.n_columns > 0 ? profile->name : "all";
    *out = (bd_discrete_time_prediction){name, of[0], of[1], of[2], of[3], of[4], of[5]};
    return BD_OK;
}

bd_status discrete_time_predict(bd_discrete_time *d, bd_arena *arena)
{
    static const char *const means[] = {"means"};
    bd_survival_prediction_options options = d->options.prediction;
    bd_survival_predictions notes = {0};
    bd_discrete_time_prediction *predictions;
    survival_profile *profiles = NULL;
    size_t n = 0;
    if (options.n_profiles == 0 && !options.baseline) {
        options.profiles = means;
        options.n_profiles = 1;
    }
    BD_TRY(survival_profiles(d->data, &options, arena, &profiles, &n, &notes));
    if (d->fit->end != BD_GLM_CONVERGED)
        return BD_OK;
    d->notes = notes.notes;
    d->n_notes = notes.n_notes;
    BD_NEW(arena, predictions, n);
    for (size_t i = 0; i < n; i++)
        BD_TRY(predict(d, &profiles[i], survival_mean_offset(d->data), arena, &predictions[i]));
    d->predictions = predictions;
    d->n_predictions = n;
    return BD_OK;
}
