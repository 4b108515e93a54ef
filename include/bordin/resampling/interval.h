/* Confidence intervals from replicates, each with the Monte-Carlo standard error of its two ends and a p value by
 * inversion: the smallest 1 - level at which the interval leaves out zero.
 * Davison & Hinkley (1997), ch. 5; Efron (1987), doi:10.1080/01621459.1987.10478410. */
#ifndef BORDIN_RESAMPLING_INTERVAL_H
#define BORDIN_RESAMPLING_INTERVAL_H

#include <bordin/resampling/resample.h>

typedef struct bd_interval_ends {
    double low, high;
    double mc_se_low, mc_se_high; /* what another seed would move them by */
    double boot_se;               /* standard deviation of the usable replicates */
    double bias;                  /* their mean - estimate */
    double p;                     /* of the hypothesis that the value is 0 */
    size_t n_usable;
    bool too_few;                 /* fewer than ten replicates lie beyond an end */
} bd_interval_ends;

struct bd_sample;
typedef struct bd_interval_method bd_interval_method;
struct bd_interval_method {
    const char *name;    /* as the user types it */
    const char *summary; /* one line for help */
    const char *note;    /* what a reader must know, or NULL */
    bool needs_errors;        /* bd_resampling_options.standard_errors */
    bool needs_accelerations; /* bd_resampling_options.accelerations */
    bool needs_jackknife;     /* bd_resampling_options.jackknife */
    bool needs_abc;           /* bd_resampling_options.abc */
    bool needs_calibration;   /* bd_resampling_options.calibration */
    void (*find_ends)(const struct bd_sample *sample, double level, bd_interval_ends *ends);
};

extern const bd_interval_method bd_percentile, bd_basic, bd_normal, bd_bc, bd_bca, bd_studentised,
    bd_jackknife, bd_abc_interval, bd_calibrated;

/* All of them, percentile first; NULL ends the list. */
extern const bd_interval_method *const bd_interval_methods[];

/* The method of that name. BD_EUSAGE: none; the message lists them. */
BD_CHECKED bd_status bd_interval_method_find(const char *name, const bd_interval_method **method);

/* The interval of value number `value`. Replicates in which it is not finite are left out: n_usable says how many
 * remained. Quantiles interpolate between order statistics on the normal scale (Davison & Hinkley 1997, eq. 5.6), as
 * R's boot does. Monte-Carlo errors come from the spacing of order statistics around each end; those of BC and BCa
 * include that of the bias correction.
 *
 * ABC: value(p0 + lambda delta) with lambda = w / (1 - a w)^2, w = z0 + z of the tail, z0 = a - (b / sigma - c_q);
 * sigma, the acceleration a, bias b, curvature c_q and direction delta from numerical derivatives by the weight of each
 * unit, within strata. As abc.ci of R's boot, whose derivatives have steps of 0.001 / n. An end is NaN where the
 * statistic does not exist; p is an upper bound where no end with a value reaches zero.
 * DiCiccio & Efron (1992), doi:10.1093/biomet/79.2.231; Efron & Tibshirani (1993), sec. 22.6.
 *
 * Calibrated: u of a replicate is the share of the samples drawn from it whose value is no more than the estimate; with
 * q(p) the quantile of u and Q that of the replicates, the ends are Q(q((1 - level) / 2)) and Q(q((1 + level) / 2)):
 * the percentile interval at the levels that would be right if the data were the population and the replicates data
 * (Davison & Hinkley 1997, sec. 5.6). A share k / M is spread evenly over k .. k + 1 in M + 1, so that a uniform u
 * corrects nothing. Monte-Carlo errors are those of q, of Q, and what they have in common; as each u has its own
 * samples, the spread of u has their noise in it. The bias of the order of 1 / M that they leave in q is not counted.
 * On the two numbers: Booth & Hall (1994), doi:10.1093/biomet/81.2.331; Lee & Young (1999), JRSS B 61, 353-366.
 * BD_ENUMERIC: fewer than two usable replicates. */
BD_CHECKED bd_status bd_interval(const bd_interval_method *method, const bd_replicates *replicates, size_t value,
                                 double level, bd_arena *scratch, bd_interval_ends *ends);

#endif
