/* The wild bootstrap of a least-squares coefficient: a test that holds its level with few clusters, and the interval of
 * the values it does not reject.
 *
 *     bd_wild_options options = BD_WILD_DEFAULTS;
 *     BD_TRY(bd_wild_test(&design, 1, &options, arena, &result));
 *
 * A replicate is y* = fitted + v_g residual, with one auxiliary weight v_g for all rows of cluster g (each row its own
 * where the design names none), and its statistic is t* = (b* - what was true of it) / its CR1 (HC1) error.
 * Cameron, Gelbach & Miller (2008), doi:10.1162/rest.90.3.414; Roodman, MacKinnon, Nielsen & Webb (2019),
 * doi:10.1177/1536867X19830877. */
#ifndef BORDIN_ANALYSES_WILD_H
#define BORDIN_ANALYSES_WILD_H

#include <bordin/models/ols.h>

enum { BD_WILD_MOST_POINTS = 6 };

/* A distribution of auxiliary weights, with mean 0 and variance 1: a row in a table. */
typedef struct bd_wild_weights {
    const char *name;    /* as the user types it */
    const char *summary; /* one line for help */
    size_t n_points;
    double points[BD_WILD_MOST_POINTS], probabilities[BD_WILD_MOST_POINTS];
} bd_wild_weights;

extern const bd_wild_weights bd_wild_rademacher, bd_wild_mammen, bd_wild_webb;

/* All of them, Rademacher's first; NULL ends the list. */
extern const bd_wild_weights *const bd_wild_weights_all[];

/* The weights of that name. BD_EUSAGE: none; the message lists them. */
BD_CHECKED bd_status bd_wild_weights_find(const char *name, const bd_wild_weights **weights);

typedef struct bd_wild_options {
    const bd_wild_weights *weights; /* NULL: Rademacher's */
    size_t n_replicates;
    uint64_t seed;
    int n_threads;     /* 0: all */
    double level;      /* of the interval, in (0, 1) */
    bool impose_null;  /* start from the fit in which the hypothesis holds (WCR), not from the full one (WCU) */
    double hypothesis; /* the value of the coefficient that is tested */
} bd_wild_options;

#define BD_WILD_DEFAULTS ((bd_wild_options){.n_replicates = 99999, .seed = 1, .level = 0.95, .impose_null = true})

typedef struct bd_wild_result {
    double t;               /* (estimate - hypothesis) / error: bd_se_cr1's, or bd_se_hc1's without clusters */
    double p;               /* share of draws with |t*| >= |t|, ties counted */
    double p_equal_tailed;  /* twice the smaller of the shares with t* <= t and t* >= t, 1 at most */
    double ci_low, ci_high; /* the last values with a symmetric p above 1 - level; infinite if none is last */
    size_t n_draws;         /* the replicates asked for, or 2^n_clusters */
    bool enumerated;        /* each draw there can be was made, once: p values are exact, and need no seed */
    size_t n_clusters;      /* with a row that has a weight */
} bd_wild_result;

/* Tests one coefficient. Rademacher's 2^n_clusters draws are enumerated where that takes no more than n_replicates.
 * Otherwise cluster g, counted from 0 among those with a row that has a weight, gets the point in whose share of
 * 0 .. 2^32 - 1 word g % 4 of bd_philox at index g / 4 lies, the replicate being the stream: the same draws for any
 * hypothesis, the same bits for any number of threads. After one pass over the rows a replicate takes
 * clusters * columns operations, and another hypothesis but one.
 * BD_EUSAGE: no such coefficient, a level outside (0, 1), no replicates, a hypothesis that is not a number.
 * BD_ENUMERIC: the coefficient's error is zero, as where the columns fit no more than each cluster's mean. Others are
 * those of bd_ols_fit. */
BD_CHECKED bd_status bd_wild_test(const bd_ols_design *design, size_t coefficient, const bd_wild_options *options,
                                  bd_arena *arena, const bd_wild_result **result);

#endif
