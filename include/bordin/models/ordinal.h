/* Ordered categories: cumulative logit, probit and other links, and the test that slopes are the same at every
 * threshold.
 *
 *     const bd_ordinal_design design = {.n_rows = n, .n_columns = p, .columns = x, .names = names, .category = codes,
 *                                       .n_categories = 5, .levels = levels, .response_name = "severity"};
 *     BD_TRY(bd_ordinal_fit(&design, "logit", &bd_se_classical, &BD_LIKELIHOOD_DEFAULTS, arena, &fit));
 *     BD_TRY(bd_ordinal_test(&design, "logit", NULL, arena, &tests, &n_tests));
 *
 * The signs are those of MASS::polr and ordinal::clm: link(P(category <= k)) = threshold[k] - x'slopes, so that a
 * positive slope goes with higher categories.
 */
#ifndef BORDIN_MODELS_ORDINAL_H
#define BORDIN_MODELS_ORDINAL_H

#include <bordin/models/likelihood.h>

typedef struct bd_ordinal_design {
    size_t n_rows, n_columns;
    const double *const *columns; /* n_columns of n_rows, none of them constant: the thresholds are that */
    const char *const *names;
    const uint32_t *category; /* 0 .. n_categories - 1 by row, in their order */
    size_t n_categories;
    const char *const *levels; /* their names */
    const char *response_name;
    const double *offset, *weights;
    const uint32_t *cluster;
    size_t n_clusters;
    int n_threads;
} bd_ordinal_design;

/* Links, as the user types them: logit, probit, cloglog, loglog, cauchit. NULL ends the list. */
extern const char *const bd_ordinal_links[];

typedef struct bd_ordinal {
    const char *link;
    size_t n_slopes, n_thresholds;               /* n_columns, n_categories - 1 */
    const bd_likelihood_coefficient *slopes;     /* exp() of them: odds ratios with logit */
    const bd_likelihood_coefficient *thresholds; /* between each category and the next */
    double null_log_likelihood;                  /* thresholds alone; NaN with an offset */
    double whole_statistic, whole_df, whole_p;   /* likelihood ratio of all slopes; NaN with an offset */
    double mcfadden;
    double *probabilities;           /* n_rows x n_categories */
    const bd_likelihood *likelihood; /* for replicates: slopes first, then thresholds */
    const bd_likelihood_fit *fit;    /* log-likelihood, covariance, how it ended */
} bd_ordinal;

/* BD_EUSAGE: no such link. BD_EDATA: fewer than two categories, one without cases (named); as bd_likelihood_prepare.
 * McCullagh (1980); Agresti (2010); Christensen (2019), ordinal. */
BD_CHECKED bd_status bd_ordinal_fit(const bd_ordinal_design *design, const char *link, const bd_se_estimator *se,
                                    const bd_likelihood_options *options, bd_arena *arena, const bd_ordinal **fit);

/* Whether the slopes of one term are the same at every threshold. */
typedef struct bd_ordinal_parallel {
    const char *name;      /* of the term's first column; NULL: all terms at once */
    size_t first, n;       /* its columns */
    double statistic;      /* likelihood ratio against slopes of its own at each threshold; NaN unless both converged */
    double df, p;          /* n * (n_categories - 2) */
    bd_likelihood_end end; /* of the model with slopes of its own */
} bd_ordinal_parallel;

/* Likelihood-ratio tests of proportional odds (parallel slopes), term by term and, last, all together: those of
 * ordinal::nominal_test. `terms` gives the term of each column, ascending; NULL: each its own. The other terms keep one
 * slope. BD_EDATA: fewer than three categories; as above. Brant (1990), doi:10.2307/2532457, on what is tested. */
BD_CHECKED bd_status bd_ordinal_test(const bd_ordinal_design *design, const char *link, const size_t *terms,
                                     bd_arena *arena, const bd_ordinal_parallel **tests, size_t *n_tests);

#endif
