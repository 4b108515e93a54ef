/* Confidence intervals from replicates. */
#include <bordin/resampling/interval.h>

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

#include "resampling/abc.h"
#include "resampling/calibrated.h"
#include "resampling/quantiles.h"

/* What a method works from. */
typedef struct bd_sample {
    double estimate, error, acceleration; /* error, acceleration: NaN where there is none */
    double jackknife_error, jackknife_df;
    double *replicates;                   /* n, finite; studentised: (replicate - estimate) / its error */
    size_t n;
    double mean, sd, skewness, kurtosis;
    const bd_abc *abc;
    size_t value;          /* its number in `abc` */
    double *scratch;       /* abc_scratch */
    share_sample shares;   /* of the first usable replicates: see calibrated.h */
    const double *sharing; /* the replicates of these shares */
} bd_sample;

static double normal_quantile(double p)
{
    return gsl_cdf_ugaussian_Pinv(p);
}

static double quantile_error(double p, double slope, size_t n)
{
    return slope * sqrt(p * (1 - p) / (double)n);
}

/* p of the hypothesis that puts `value` among the replicates: twice the smaller tail, the sample itself counted. */
static double tail_p(const bd_sample *sample, double value)
{
    size_t below = 0, above = 0;
    for (size_t i = 0; i < sample->n; i++) {
        below += sample->replicates[i] <= value;
        above += sample->replicates[i] >= value;
    }
    const size_t smaller = below < above ? below : above;
    return fmin(1, 2 * (double)(smaller + 1) / (double)(sample->n + 1));
}

static void no_interval(bd_interval_ends *ends)
{
    ends->low = ends->high = ends->mc_se_low = ends->mc_se_high = ends->p = NAN;
}

static void tails(double level, double probabilities[2])
{
    probabilities[0] = (1 - level) / 2;
    probabilities[1] = (1 + level) / 2;
}

static void percentile(const bd_sample *sample, double level, bd_interval_ends *ends)
{
    double probabilities[2];
    located at[2];
    tails(level, probabilities);
    locate(sample->replicates, sample->n, probabilities, at, &ends->too_few);
    ends->low = at[0].quantile;
    ends->high = at[1].quantile;
    ends->mc_se_low = quantile_error(probabilities[0], at[0].slope, sample->n);
    ends->mc_se_high = quantile_error(probabilities[1], at[1].slope, sample->n);
    ends->p = tail_p(sample, 0);
}

static void basic(const bd_sample *sample, double level, bd_interval_ends *ends)
{
    bd_interval_ends reversed = *ends;
    percentile(sample, level, &reversed);
    ends->low = 2 * sample->estimate - reversed.high;
    ends->high = 2 * sample->estimate - reversed.low;
    ends->mc_se_low = reversed.mc_se_high;
    ends->mc_se_high = reversed.mc_se_low;
    ends->too_few = reversed.too_few;
    ends->p = tail_p(sample, 2 * sample->estimate);
}

static void studentised(const bd_sample *sample, double level, bd_interval_ends *ends)
{
    bd_interval_ends pivot = *ends;
    percentile(sample, level, &pivot);
    ends->low = sample->estimate - sample->error * pivot.high;
    ends->high = sample->estimate - sample->error * pivot.low;
    ends->mc_se_low = sample->error * pivot.mc_se_high;
    ends->mc_se_high = sample->error * pivot.mc_se_low;
    ends->too_few = pivot.too_few;
    ends->p = tail_p(sample, sample->estimate / sample->error);
}

/* Standard error of mean + times * sd of the replicates, by the delta method. */
static double normal_error(const bd_sample *sample, double times)
{
    const double factor = 1 + times * times * (sample->kurtosis - 1) / 4 + times * sample->skewness;
    return sample->sd * sqrt(fmax(factor, 0) / (double)sample->n);
}

static void normal(const bd_sample *sample, double level, bd_interval_ends *ends)
{
    const double z = normal_quantile((1 + level) / 2), centre = 2 * sample->estimate - sample->mean;
    ends->low = centre - z * sample->sd;
    ends->high = centre + z * sample->sd;
    ends->mc_se_low = normal_error(sample, z);
    ends->mc_se_high = normal_error(sample, -z);
    ends->too_few = sample->n < 100;
    ends->p = 2 * gsl_cdf_ugaussian_Q(fabs(centre) / sample->sd);
}

/* Error of an end at probability u = g(share), where the share of replicates below the estimate comes from the same
 * replicates: the quantile moves by slope * (g' d share - d F(quantile)). */
static double corrected_error(double u, double slope, double share, double derivative, size_t n)
{
    const double covariance = fmin(u, share) * (1 - fmax(u, share));
    const double variance = derivative * derivative * share * (1 - share) + u * (1 - u) - 2 * derivative * covariance;
    return slope * sqrt(fmax(variance, 0) / (double)n);
}

static double share_below(const bd_sample *sample, double value)
{
    double below = 0;
    for (size_t i = 0; i < sample->n; i++)
        below += sample->replicates[i] < value;
    return below / (double)sample->n;
}

static void corrected(const bd_sample *sample, double acceleration, double level, bd_interval_ends *ends)
{
    const double share = share_below(sample, sample->estimate), w = normal_quantile(share);
    double probabilities[2], derivatives[2];
    located at[2];
    tails(level, probabilities);
    if (!isfinite(w) || !isfinite(acceleration)) {
        no_interval(ends);
        return;
    }
    for (size_t e = 0; e < 2; e++) {
        const double sum = w + normal_quantile(probabilities[e]), divisor = 1 - acceleration * sum;
        const double argument = w + sum / divisor;
        probabilities[e] = gsl_cdf_ugaussian_P(argument);
        derivatives[e] =
            gsl_ran_ugaussian_pdf(argument) * (1 + 1 / (divisor * divisor)) / gsl_ran_ugaussian_pdf(w);
    }
    locate(sample->replicates, sample->n, probabilities, at, &ends->too_few);
    ends->low = at[0].quantile;
    ends->high = at[1].quantile;
    ends->mc_se_low = corrected_error(probabilities[0], at[0].slope, share, derivatives[0], sample->n);
    ends->mc_se_high = corrected_error(probabilities[1], at[1].slope, share, derivatives[1], sample->n);
    const double n = (double)sample->n, least = 1 / (n + 1);
    const double y = normal_quantile(fmin(fmax(share_below(sample, 0), least), 1 - least)) - w;
    const double z = y / (1 + acceleration * y) - w;
    ends->p = fmin(1, fmax(2 * least, 2 * gsl_cdf_ugaussian_Q(fabs(z))));
}

static void bc(const bd_sample *sample, double level, bd_interval_ends *ends)
{
    corrected(sample, 0, level, ends);
}

static void bca(const bd_sample *sample, double level, bd_interval_ends *ends)
{
    corrected(sample, sample->acceleration, level, ends);
}

/* No replicate is used, so another seed moves nothing. */
static void jackknife(const bd_sample *sample, double level, bd_interval_ends *ends)
{
    if (!isfinite(sample->jackknife_error)) {
        no_interval(ends);
        return;
    }
    const double t = gsl_cdf_tdist_Pinv((1 + level) / 2, sample->jackknife_df);
    ends->low = sample->estimate - t * sample->jackknife_error;
    ends->high = sample->estimate + t * sample->jackknife_error;
    ends->mc_se_low = ends->mc_se_high = 0;
    ends->p = 2 * gsl_cdf_tdist_Q(fabs(sample->estimate) / sample->jackknife_error, sample->jackknife_df);
}

static void abc(const bd_sample *sample, double level, bd_interval_ends *ends)
{
    double both[2];
    abc_ends(sample->abc, sample->value, level, sample->scratch, both, &ends->p);
    ends->low = both[0];
    ends->high = both[1];
    ends->mc_se_low = isnan(ends->low) ? NAN : 0;
    ends->mc_se_high = isnan(ends->high) ? NAN : 0;
}

/* Error of an end at the level below which a part p of the shares u lies. It moves by slope * (d level - d F(end)),
 * where d level = -dG(level) / g(level); F and G, the distributions of replicates and of shares, count the same
 * replicates. */
static double calibrated_error(const bd_sample *sample, double p, double level, located end)
{
    const share_sample *shares = &sample->shares;
    const double n = (double)sample->n, n_shares = (double)shares->n, distance = sqrt(p * (1 - p) / n_shares);
    const double from = fmax(p - distance, 0), to = fmin(p + distance, 1);
    const double spread = (share_quantile(shares, to) - share_quantile(shares, from)) / (to - from);
    double both = 0, low_share = 0, low_value = 0;
    for (size_t i = 0; i < shares->n; i++) {
        const bool first = shares->shares[i] <= level, second = sample->sharing[i] <= end.quantile;
        both += first && second;
        low_share += first;
        low_value += second;
    }
    const double covariance = both / n_shares - low_share / n_shares * (low_value / n_shares);
    const double variance =
        spread * spread * p * (1 - p) / n_shares + level * (1 - level) / n + 2 * spread * covariance / n;
    return end.slope * sqrt(fmax(variance, 0));
}

/* Twice the smaller part of the shares beyond the level of zero, the sample itself counted among the replicates. */
static double calibrated_p(const bd_sample *sample)
{
    const double n = (double)sample->n;
    double below = 1, above = 1;
    for (size_t i = 0; i < sample->n; i++) {
        below += sample->replicates[i] <= 0;
        above += sample->replicates[i] >= 0;
    }
    const double lower = share_cdf(&sample->shares, below / (n + 1));
    const double upper = 1 - share_cdf(&sample->shares, 1 - above / (n + 1));
    return fmin(1, fmax(2 / (double)(sample->shares.n + 1), 2 * fmin(lower, upper)));
}

static void calibrated(const bd_sample *sample, double level, bd_interval_ends *ends)
{
    const double least = 1 / (double)(sample->n + 1);
    double wanted[2], levels[2];
    located at[2];
    if (sample->shares.n < 2) {
        no_interval(ends);
        return;
    }
    tails(level, wanted);
    for (size_t e = 0; e < 2; e++)
        levels[e] = fmin(fmax(share_quantile(&sample->shares, wanted[e]), least), 1 - least);
    ends->too_few = !(wanted[0] * (double)(sample->shares.n + 1) >= 10 - 1e-9);
    locate(sample->replicates, sample->n, levels, at, &ends->too_few);
    ends->low = at[0].quantile;
    ends->high = at[1].quantile;
    ends->mc_se_low = calibrated_error(sample, wanted[0], levels[0], at[0]);
    ends->mc_se_high = calibrated_error(sample, wanted[1], levels[1], at[1]);
    ends->p = calibrated_p(sample);
}

#define OVER_REJECTS                                                                                                 \
    "Bias-corrected intervals exclude zero too often in small samples, most of all where one path is near zero "     \
    "(Tibbe & Montoya, 2022, doi:10.3389/fpsyg.2022.810258)."

const bd_interval_method bd_percentile = {
    .name = "percentile", .summary = "quantiles of the replicates", .find_ends = percentile};
const bd_interval_method bd_basic = {
    .name = "basic", .summary = "twice the estimate less the opposite quantiles", .find_ends = basic};
const bd_interval_method bd_normal = {
    .name = "normal", .summary = "normal, less the estimated bias", .find_ends = normal};
const bd_interval_method bd_bc = {
    .name = "bc", .summary = "bias-corrected quantiles", .note = OVER_REJECTS, .find_ends = bc};
const bd_interval_method bd_bca = {.name = "bca",
                                   .summary = "bias-corrected and accelerated quantiles",
                                   .note = OVER_REJECTS,
                                   .needs_accelerations = true,
                                   .find_ends = bca};
const bd_interval_method bd_studentised = {.name = "studentised",
                                           .summary = "bootstrap t, where a standard error exists",
                                           .needs_errors = true,
                                           .find_ends = studentised};
const bd_interval_method bd_jackknife = {.name = "jackknife",
                                         .summary = "t, with errors from leaving out each row or cluster in turn",
                                         .note = "The jackknife's intervals do not depend on the replicates; for "
                                                 "values that are not smooth, and for products near zero, they are "
                                                 "not to be trusted.",
                                         .needs_jackknife = true,
                                         .find_ends = jackknife};
const bd_interval_method bd_abc_interval = {.name = "abc",
                                            .summary = "approximates BCa from derivatives, without replicates",
                                            .note = "ABC intervals do not depend on the replicates, from which only "
                                                    "Boot SE comes. " OVER_REJECTS,
                                            .needs_abc = true,
                                            .find_ends = abc};
const bd_interval_method bd_calibrated = {
    .name = "calibrated",
    .summary = "quantiles at levels that a double bootstrap calibrates",
    .note = "Levels are calibrated by 249 samples from each of the first 2000 replicates (Davison & Hinkley, 1997, "
            "sec. 5.6); the Monte-Carlo errors include theirs.",
    .needs_calibration = true,
    .find_ends = calibrated};

const bd_interval_method *const bd_interval_methods[] = {
    &bd_percentile,  &bd_basic,     &bd_normal,       &bd_bc,         &bd_bca,
    &bd_studentised, &bd_jackknife, &bd_abc_interval, &bd_calibrated, NULL};

bd_status bd_interval_method_find(const char *name, const bd_interval_method **method)
{
    for (size_t i = 0; bd_interval_methods[i] != NULL; i++)
        if (strcmp(bd_interval_methods[i]->name, name) == 0) {
            *method = bd_interval_methods[i];
            return BD_OK;
        }
    return bd_fail(BD_EUSAGE, "there is no interval '%s'; there are percentile, basic, normal, bc, bca, "
                              "studentised, jackknife, abc and calibrated",
                   name);
}

static void take_finite(const bd_replicates *replicates, size_t value, bool studentise, bd_sample *sample)
{
    const size_t n = replicates->n_replicates;
    const double *values = replicates->values + value * n;
    const double *errors = studentise ? replicates->value_errors + value * n : NULL;
    for (size_t i = 0; i < n; i++) {
        const double x = studentise ? (values[i] - sample->estimate) / errors[i] : values[i];
        if (isfinite(x))
            sample->replicates[sample->n++] = x;
    }
}

/* Both of the usable ones of the first replicates, in their order. */
static bd_status take_shares(const bd_replicates *replicates, size_t value, bd_arena *scratch, bd_sample *sample)
{
    double *shares, *sharing;
    size_t n = 0;
    BD_NEW(scratch, shares, replicates->n_outer);
    BD_NEW(scratch, sharing, replicates->n_outer);
    for (size_t i = 0; i < replicates->n_outer; i++) {
        const double share = replicates->inner_shares[value * replicates->n_outer + i];
        if (isnan(share))
            continue;
        shares[n] = share;
        sharing[n++] = replicates->values[value * replicates->n_replicates + i];
    }
    sample->shares = (share_sample){shares, n, replicates->n_inner};
    sample->sharing = sharing;
    return BD_OK;
}

/* Mean, sd, skewness and kurtosis (not the excess). */
static void find_moments(bd_sample *sample)
{
    const double n = (double)sample->n;
    double sum = 0, second = 0, third = 0, fourth = 0;
    for (size_t i = 0; i < sample->n; i++)
        sum += sample->replicates[i];
    sample->mean = sum / n;
    for (size_t i = 0; i < sample->n; i++) {
        const double d = sample->replicates[i] - sample->mean, square = d * d;
        second += square;
        third += square * d;
        fourth += square * square;
    }
    const double variance = second / n;
    sample->sd = sqrt(second / (n - 1));
    sample->skewness = third / n / (variance * sqrt(variance));
    sample->kurtosis = fourth / n / (variance * variance);
}

bd_status bd_interval(const bd_interval_method *method, const bd_replicates *replicates, size_t value, double level,
                      bd_arena *scratch, bd_interval_ends *ends)
{
    bd_sample sample = {
        .estimate = replicates->estimates[value],
        .error = replicates->errors ? replicates->errors[value] : NAN,
        .acceleration = replicates->accelerations ? replicates->accelerations[value] : NAN,
        .jackknife_error = replicates->jackknife_errors ? replicates->jackknife_errors[value] : NAN,
        .jackknife_df = replicates->jackknife_df,
        .abc = replicates->abc,
        .value = value,
    };
    if (!(level > 0 && level < 1))
        return bd_fail(BD_EUSAGE, "%g is not a confidence level between 0 and 1", level);
    const bd_mark mark = bd_arena_mark(scratch);
    BD_NEW(scratch, sample.replicates, replicates->n_replicates);
    take_finite(replicates, value, false, &sample);
    if (sample.n < 2)
        return bd_fail(BD_ENUMERIC, "%zu usable replicates are too few for an interval", sample.n);
    find_moments(&sample);
    *ends = (bd_interval_ends){
        .boot_se = sample.sd, .bias = sample.mean - sample.estimate, .n_usable = sample.n};
    if (method->needs_errors) {
        sample.n = 0;
        take_finite(replicates, value, true, &sample);
        ends->n_usable = sample.n;
        if (sample.n < 2)
            return bd_fail(BD_ENUMERIC, "%zu usable replicates are too few for an interval", sample.n);
    }
    if (method->needs_abc)
        BD_NEW(scratch, sample.scratch, abc_scratch(sample.abc));
    if (method->needs_calibration)
        BD_TRY(take_shares(replicates, value, scratch, &sample));
    method->find_ends(&sample, level, ends);
    bd_arena_rewind(scratch, mark);
    return BD_OK;
}
