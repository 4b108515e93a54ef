/* The resampling engine: draws units, sums their moments, evaluates the statistic, keeps every replicate.
 *
 *     BD_TRY(bd_units_of_rows(&columns, strata, triangle, arena, &units));
 *     BD_TRY(bd_resample(units, &statistic, &options, arena, &replicates));
 *     BD_TRY(bd_interval(&bd_percentile, replicates, INDIRECT, 0.95, arena, &interval));
 */
#ifndef BORDIN_RESAMPLING_RESAMPLE_H
#define BORDIN_RESAMPLING_RESAMPLE_H

#include <stdint.h>

#include <bordin/core/team.h>
#include <bordin/resampling/statistic.h>

/* What is drawn: rows, or clusters of rows, within strata; with their second moments in the rotated columns
 * R^-T c, in which those of the full sample are the identity. */
typedef struct bd_units bd_units;

/* Codes 0 .. n_levels - 1 by row. */
typedef struct bd_membership {
    const uint32_t *codes;
    size_t n_levels;
} bd_membership;

/* Every row a unit. `strata` NULL: one stratum. `triangle` is that of `columns`. Columns are read when resampling, so
 * they must live as long as the units. BD_EDATA: a stratum without rows; every stratum of a single row. */
BD_CHECKED bd_status bd_units_of_rows(const bd_columns *columns, const bd_membership *strata, const double *triangle,
                                      int n_threads, bd_arena *arena, const bd_units **units);

/* Every kind of row a unit, with its frequency: what is drawn has the distribution of rows drawn one by one. *units stays
 * NULL where the rows are few, or so different that drawing them one by one is faster. For replicates alone: no
 * accelerations, no jackknife, ABC or calibration. BD_EDATA: as above. */
BD_CHECKED bd_status bd_units_of_distinct_rows(const bd_columns *columns, const bd_membership *strata,
                                               const double *triangle, int n_threads, bd_arena *arena,
                                               const bd_units **units);

/* Every cluster a unit. BD_EDATA: fewer than two clusters; a cluster in two strata; every stratum of
 * a single cluster. */
BD_CHECKED bd_status bd_units_of_clusters(const bd_columns *columns, const bd_membership *clusters,
                                          const bd_membership *strata, const double *triangle, int n_threads,
                                          bd_arena *arena, const bd_units **units);

/* Every cluster a unit, and then every row of those that were drawn: a cluster that is drawn k times gives k samples of its
 * rows, each of its size. Accelerations are those of the clusters. Fails as bd_units_of_clusters does.
 * Davison & Hinkley (1997), sec. 3.8, strategy 2. */
BD_CHECKED bd_status bd_units_of_two_stages(const bd_columns *columns, const bd_membership *clusters,
                                            const bd_membership *strata, const double *triangle, int n_threads,
                                            bd_arena *arena, const bd_units **units);

/* How many rows, or clusters, are drawn from; and how many kinds of rows, 0 where they are not told apart. */
size_t bd_units_count(const bd_units *units);
size_t bd_units_kinds(const bd_units *units);

/* Who watches a long run: asked before the first round of replicates and after each, in the calling thread. */
typedef struct bd_watch {
    bool (*go_on)(void *context, size_t n_done, size_t n_asked); /* false: stop */
    void *context;
} bd_watch;

typedef struct bd_abc bd_abc;
struct bd_replicates;
typedef struct bd_resampling_options {
    size_t n_replicates;
    uint64_t seed;
    int n_threads;          /* 0: all */
    bool standard_errors;   /* keep one of each value in each replicate, for studentised intervals */
    bool accelerations;     /* from the influence of each unit, for BCa intervals */
    bool jackknife;         /* standard errors from leaving out each unit in turn */
    bool abc;               /* what ABC intervals are found from */
    bool calibration;       /* samples drawn from the first replicates, for calibrated intervals */
    double max_failed;      /* share of failed replicates beyond which there is no interval */
    const struct bd_replicates *earlier; /* fewer replicates of the same run, which are taken over; or NULL */
    const char *checkpoint; /* a file to go on from, if it is there, and to write now and then; or NULL */
    double checkpoint_seconds; /* at least so long between two writes; 0: after every round */
    const bd_watch *watch;  /* or NULL */
    const bd_team *team;    /* who share the replicates, with the same units, statistic and options; each ends with all
                               of them; or NULL */
} bd_resampling_options;

#define BD_RESAMPLING_DEFAULTS \
    ((bd_resampling_options){.n_replicates = 10000, .seed = 1, .max_failed = 0.05, .checkpoint_seconds = 2})

typedef struct bd_replicates {
    size_t n_values, n_replicates, n_units;
    size_t n_subset;             /* rows of each subset of little bootstraps; or 0 */
    size_t n_alone;              /* units that are all of their stratum, and so in every sample */
    const char *const *names;
    const double *estimates;     /* n_values, of the full sample */
    const double *errors;        /* n_values, or NULL when none were asked for */
    const double *values;        /* n_values x n_replicates; NaN in those that failed */
    const double *value_errors;  /* the same shape, or NULL */
    const double *accelerations; /* n_values, or NULL when none were asked for */
    const double *jackknife_errors; /* n_values, NaN where a unit cannot be spared; NULL when none were asked for */
    double jackknife_df;            /* units less strata */
    const bd_abc *abc;              /* NULL when not asked for; reads the units and the statistic's context */
    const double *inner_shares;     /* n_values x n_outer, or NULL: of n_inner samples drawn from each of the first n_outer
                                       replicates, the share with a value of at most the estimate; NaN where none is */
    size_t n_outer, n_inner;
    const uint8_t *ends;         /* n_replicates; a bd_replicate_end each */
    size_t n_resumed;            /* of them, how many came from the checkpoint */
    size_t n_ended[BD_N_REPLICATE_ENDS]; /* replicates by how they ended */
} bd_replicates;

/* Draws options->n_replicates samples, each of as many units as there are, with replacement, within each stratum, and
 * evaluates the statistic in each: the same bits for any number of threads and any processor. The statistic's columns are
 * those of the units. Accelerations are sum l^3 / (6 (sum l^2)^1.5) with l the derivative by the weight of each unit, less
 * its mean in the stratum (Davison & Hinkley 1997, eq. 5.27). Jackknife errors: the root of the sum over strata of
 * (n_s - 1) / n_s sum (value without the unit - mean of these in the stratum)^2; of clusters, the delete-group jackknife.
 * Statistics from weights have both from leaving out, of more than 1,000 units in 1,000 groups of equal size.
 * Replicates are numbered, so a run with more of them begins with those of a run with fewer, and one that was stopped,
 * even by a crash, ends with the same bits when it goes on from its checkpoint.
 * BD_EUSAGE: abc or calibration of two stages, or of a statistic from weights.
 * BD_ESTOPPED: the watch said so, or another rank of the team failed. BD_EDATA: the checkpoint is damaged, or that of another run; the message says which;
 * the ranks of a team have different data.
 * BD_EIO: the checkpoint cannot be written. BD_ENUMERIC: more than max_failed of them failed (the message says how), or the full sample did. */
BD_CHECKED bd_status bd_resample(const bd_units *units, const bd_statistic *statistic,
                                 const bd_resampling_options *options, bd_arena *arena,
                                 const bd_replicates **replicates);

/* The bag of little bootstraps, for statistics from weights of very many rows: from each of 20 subsets of n^0.7 rows,
 * drawn without replacement, samples of n rows, of which only those of the subset have weights. Replicates are the
 * estimate of the full sample plus the replicate less the estimate of its subset, all in one bag, where Kleiner et al.
 * average the intervals of the subsets. Approximate. No accelerations, no checkpoint, no watch; a team's ranks compute the
 * same. BD_EUSAGE: a statistic from moments. BD_ENUMERIC: as bd_resample.
 * Kleiner, Talwalkar, Sarkar & Jordan (2014), doi:10.1111/rssb.12050. */
BD_CHECKED bd_status bd_little_bootstraps(const bd_statistic *statistic, const bd_resampling_options *options,
                                          bd_arena *arena, const bd_replicates **replicates);

/* How the replicates that failed ended: "collinear: 3, separated: 12"; "" when none failed. */
BD_CHECKED bd_status bd_replicate_reasons(const bd_replicates *replicates, bd_arena *arena, const char **text);

/* How often each unit is drawn in one replicate: counts (n_units) <- the weights bd_resample gives them,
 * in the order of rows or clusters; of distinct rows, in an order of their own. */
BD_CHECKED bd_status bd_draw_counts(const bd_units *units, uint64_t seed, size_t replicate, bd_arena *scratch,
                                    uint32_t *counts);

#endif
