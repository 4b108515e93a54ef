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
    void (*find_ends)(const struct bd_sample *sample, double level, bd_interval_ends *ends);
};

extern const bd_interval_method bd_percentile, bd_basic, bd_normal, bd_bc, bd_bca, bd_studentised,
    bd_jackknife;

/* All of them, percentile first; NULL ends the list. */
extern const bd_interval_method *const bd_interval_methods[];

/* The method of that name. BD_EUSAGE: none; the message lists them. */
BD_CHECKED bd_status bd_interval_method_find(const char *name, const bd_interval_method **method);

/* The interval of value number `value`. Replicates in which it is not finite are left out: n_usable says how many
 * remained. Quantiles interpolate between order statistics on the normal scale (Davison & Hinkley 1997, eq. 5.6), as R's
 * boot does. Monte-Carlo errors come from the spacing of order statistics around each end; those of BC and BCa include
 * that of the bias correction. BD_ENUMERIC: fewer than two usable replicates. */
BD_CHECKED bd_status bd_interval(const bd_interval_method *method, const bd_replicates *replicates, size_t value,
                                 double level, bd_arena *scratch, bd_interval_ends *ends);

#endif
