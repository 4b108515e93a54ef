/* The double bootstrap: samples drawn from the samples, and the levels that they calibrate. */
#ifndef BORDIN_SRC_RESAMPLING_CALIBRATED_H
#define BORDIN_SRC_RESAMPLING_CALIBRATED_H

#include "resampling/batch.h"

enum { CALIBRATED_OUTER = 2000, CALIBRATED_INNER = 249 };

/* BD_EUSAGE: what is drawn, or the statistic, cannot be drawn from twice. */
BD_CHECKED bd_status check_calibration(const bd_units *units, const bd_statistic *statistic);

/* replicates->inner_shares <- u of the first replicates of a run that is done: of the CALIBRATED_INNER samples drawn
 * from each, the share whose value is no more than the estimate; NaN where a replicate is not usable.
 * BD_ESTOPPED: the watch said so, or another rank failed. */
BD_CHECKED bd_status find_inner_shares(const batch_task *task, const bd_resampling_options *options, int n_threads,
                                       bd_arena *arena, bd_replicates *replicates);

/* Shares of one value, without NaN. */
typedef struct share_sample {
    const double *shares;
    size_t n, n_inner;
} share_sample;

/* How much of the distribution of u lies at or below a level, and the level below which a part of it lies. A share of
 * n_inner samples is k / n_inner with k in 0 .. n_inner; it stands for the cell from k to k + 1 in n_inner + 1, over
 * which it is spread evenly. Where u is uniform, so that nothing is to be corrected, so is that. */
double share_cdf(const share_sample *sample, double level);
double share_quantile(const share_sample *sample, double p);

#endif
