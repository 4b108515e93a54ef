/* Confidence intervals from replicates. */
#include <bordin/resampling/interval.h>

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

enum { MOST_PROBABILITIES = 6, FEW = 16 };

/* What a method works from. */
typedef struct bd_sample {
    double estimate, error, acceleration; /* error, acceleration: NaN where there is none */
    double jackknife_error, jackknife_df;
    double *replicates;                   /* n, finite; studentised: (replicate - estimate) / its error */
    size_t n;
    double mean, sd, skewness, kurtosis;
} bd_sample;

static double normal_quantile(double p)
{
    return gsl_cdf_ugaussian_Pinv(p);
}

static void insertion_sort(double *x, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const double value = x[i];
        size_t j = i;
        for (; j > 0 && x[j - 1] > value; j--)
            x[j] = x[j - 1];
        x[j] = value;
    }
}

static double median_of_three(double a, double b, double c)
{
    return fmax(fmin(a, b), fmin(fmax(a, b), c));
}

/* Quicksort of x (whose first element has rank `first`) that leaves alone the parts without a wanted rank (ascending). */
static void sort_around(double *x, size_t n, size_t first, const size_t *ranks, size_t n_ranks)
{
    while (n_ranks > 0 && n > FEW) {
        const double pivot = median_of_three(x[0], x[n / 2], x[n - 1]);
        size_t i = 0, j = n - 1;
        for (;; i++, j--) {
            while (x[i] < pivot)
                i++;
            while (x[j] > pivot)
                j--;
            if (i >= j)
                break;
            const double swapped = x[i];
            x[i] = x[j];
            x[j] = swapped;
        }
        const size_t cut = i > 0 ? i : 1; /* x[..cut) <= pivot <= x[cut..) */
        size_t below = 0;
        while (below < n_ranks && ranks[below] < first + cut)
            below++;
        sort_around(x, cut, first, ranks, below);
        x += cut;
        n -= cut;
        first += cut;
        ranks += below;
        n_ranks -= below;
    }
    if (n_ranks > 0)
        insertion_sort(x, n);
}

/* Ranks (from 0) of the order statistics around a probability. */
static void ranks_around(double p, size_t n, size_t ranks[2])
{
    const double position = p * (double)(n + 1);
    const size_t k = position < 1 ? 0 : position >= (double)n ? n : (size_t)position;
    ranks[0] = k == 0 ? 0 : k - 1;
    ranks[1] = k == 0 ? 0 : k >= n ? n - 1 : k;
}

static double interpolate(double p, size_t n, const double *sorted)
{
    size_t ranks[2];
    ranks_around(p, n, ranks);
    const double low = sorted[ranks[0]], high = sorted[ranks[1]], k = (double)ranks[0] + 1, total = (double)n + 1;
    if (ranks[0] == ranks[1] || p * total == k)
        return low;
    const double from = normal_quantile(k / total), to = normal_quantile((k + 1) / total);
    return low + (normal_quantile(p) - from) / (to - from) * (high - low);
}

/* quantiles <- those of the sample, whose replicates are reordered. */
static void find_quantiles(const bd_sample *sample, const double *probabilities, size_t n, double *quantiles)
{
    size_t ranks[2 * MOST_PROBABILITIES];
    for (size_t i = 0; i < n; i++)
        ranks_around(probabilities[i], sample->n, ranks + 2 * i);
    for (size_t i = 1; i < 2 * n; i++)
        for (size_t j = i; j > 0 && ranks[j - 1] > ranks[j]; j--) {
            const size_t swapped = ranks[j];
            ranks[j] = ranks[j - 1];
            ranks[j - 1] = swapped;
        }
    sort_around(sample->replicates, sample->n, 0, ranks, 2 * n);
    for (size_t i = 0; i < n; i++)
        quantiles[i] = interpolate(probabilities[i], sample->n, sample->replicates);
}

/* One over the density at a quantile: how far it moves when its probability does. */
typedef struct located {
    double quantile, slope;
} located;

/* Both ends at once, so that the replicates are sorted once. */
static void locate(const bd_sample *sample, const double probabilities[2], located ends[2], bool *too_few)
{
    const double n = (double)sample->n;
    double all[6], quantiles[6];
    for (size_t e = 0; e < 2; e++) {
        const double p = probabilities[e], distance = sqrt(p * (1 - p) / n);
        all[3 * e] = fmax(p - distance, 1 / (n + 1));
        all[3 * e + 1] = p;
        all[3 * e + 2] = fmin(p + distance, n / (n + 1));
        *too_few |= !(fmin(p, 1 - p) * (n + 1) >= 10 - 1e-9);
    }
    find_quantiles(sample, all, 6, quantiles);
    for (size_t e = 0; e < 2; e++)
        ends[e] = (located){quantiles[3 * e + 1], (quantiles[3 * e + 2] - quantiles[3 * e]) /
                                                      (all[3 * e + 2] - all[3 * e])};
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
    locate(sample, probabilities, at, &ends->too_few);
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
        ends->low = ends->high = ends->mc_se_low = ends->mc_se_high = ends->p = NAN;
        return;
    }
    for (size_t e = 0; e < 2; e++) {
        const double sum = w + normal_quantile(probabilities[e]), divisor = 1 - acceleration * sum;
        const double argument = w + sum / divisor;
        probabilities[e] = gsl_cdf_ugaussian_P(argument);
        derivatives[e] =
            gsl_ran_ugaussian_pdf(argument) * (1 + 1 / (divisor * divisor)) / gsl_ran_ugaussian_pdf(w);
    }
    locate(sample, probabilities, at, &ends->too_few);
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
        ends->low = ends->high = ends->mc_se_low = ends->mc_se_high = ends->p = NAN;
        return;
    }
    const double t = gsl_cdf_tdist_Pinv((1 + level) / 2, sample->jackknife_df);
    ends->low = sample->estimate - t * sample->jackknife_error;
    ends->high = sample->estimate + t * sample->jackknife_error;
    ends->mc_se_low = ends->mc_se_high = 0;
    ends->p = 2 * gsl_cdf_tdist_Q(fabs(sample->estimate) / sample->jackknife_error, sample->jackknife_df);
}

#define OVER_REJECTS                                                                                                 \
    "Bias-corrected intervals exclude zero too often in small samples, most of all where one path is near zero "     \
    "(Tibbe & Montoya, 2022, doi:10.3389/fpsyg.2022.810258)."

const bd_interval_method bd_percentile = {"percentile", "quantiles of the replicates", NULL, false, false, false, percentile};
const bd_interval_method bd_basic = {"basic", "twice the estimate less the opposite quantiles", NULL, false, false, false, basic};
const bd_interval_method bd_normal = {"normal", "normal, less the estimated bias", NULL, false, false, false, normal};
const bd_interval_method bd_bc = {"bc", "bias-corrected quantiles", OVER_REJECTS, false, false, false, bc};
const bd_interval_method bd_bca = {"bca", "bias-corrected and accelerated quantiles", OVER_REJECTS, false, true, false, bca};
const bd_interval_method bd_studentised = {
    "studentised", "bootstrap t, where a standard error exists", NULL, true, false, false, studentised};

const bd_interval_method bd_jackknife = {"jackknife", "t, with errors from leaving out each row or cluster in turn",
                                         "The jackknife's intervals do not depend on the replicates; for values that are not "
                                         "smooth, and for products near zero, they are not to be trusted.",
                                         false, false, true, jackknife};

const bd_interval_method *const bd_interval_methods[] = {&bd_percentile, &bd_basic, &bd_normal, &bd_bc,
                                                         &bd_bca,        &bd_studentised, &bd_jackknife, NULL};

bd_status bd_interval_method_find(const char *name, const bd_interval_method **method)
{
    for (size_t i = 0; bd_interval_methods[i] != NULL; i++)
        if (strcmp(bd_interval_methods[i]->name, name) == 0) {
            *method = bd_interval_methods[i];
            return BD_OK;
        }
    return bd_fail(BD_EUSAGE, "there is no interval '%s'; there are percentile, basic, normal, bc, bca, "
                              "studentised and jackknife",
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
    method->find_ends(&sample, level, ends);
    bd_arena_rewind(scratch, mark);
    return BD_OK;
}
