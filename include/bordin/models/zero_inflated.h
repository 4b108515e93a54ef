/* Counts with more zeros than their distribution has: zero-inflated Poisson and negative binomial.
 *
 *     const bd_zero_inflated_design design = {
 *         .n_rows = n, .response = y, .response_name = "sessions",
 *         .count = {.n_columns = p, .columns = x, .names = names, .has_intercept = true, .offset = log_time},
 *         .zero = {.n_columns = q, .columns = z, .names = z_names, .has_intercept = true}};
 *     BD_TRY(bd_zero_inflated_fit(&design, &bd_zero_inflated_poisson, &bd_se_classical, &BD_LIKELIHOOD_DEFAULTS, arena,
 *                                 &fit));
 *
 * A row is zero for good with probability pi, logit(pi) = the zero columns' predictor; otherwise it is a count of mean
 * mu, log(mu) = the count columns' predictor. A positive coefficient among the zeros goes with more zeros, as in
 * pscl::zeroinfl.
 */
#ifndef BORDIN_MODELS_ZERO_INFLATED_H
#define BORDIN_MODELS_ZERO_INFLATED_H

#include <bordin/models/likelihood.h>

extern const bd_likelihood_model bd_zero_inflated_poisson, bd_zero_inflated_negbin;

typedef struct bd_zero_inflated_design {
    size_t n_rows;
    bd_predictor count, zero;
    const double *response; /* whole, 0 or more */
    const char *response_name;
    const double *weights;
    const uint32_t *cluster;
    size_t n_clusters;
    int n_threads;
} bd_zero_inflated_design;

typedef struct bd_zero_inflated {
    const bd_likelihood_coefficient *count;     /* exp() of them: rate ratios among those who can have events */
    const bd_likelihood_coefficient *zero;      /* exp() of them: odds ratios of being zero for good */
    const bd_likelihood_coefficient *log_theta; /* negbin; otherwise NULL */
    double theta, theta_se;                     /* variance mu + mu^2 / theta; its error by the delta method; NaN */
    double *expected;                           /* n_rows: (1 - pi) mu */
    double *zero_for_good;                      /* n_rows: pi */
    double n_zeros, expected_zeros;             /* with weights: their sum */
    const bd_likelihood *likelihood;            /* for replicates: count, zero, log theta */
    const bd_likelihood_fit *fit; /* AT_LIMIT: no excess zeros (runs_off 1), or no overdispersion (runs_off 2) */
} bd_zero_inflated;

/* Errors of the model are from the observed information.
 * BD_EDATA: a count that is negative or not whole; no zeros, or nothing else; as bd_likelihood_prepare.
 * Lambert (1992), doi:10.2307/1269547; Zeileis, Kleiber & Jackman (2008), doi:10.18637/jss.v027.i08. */
BD_CHECKED bd_status bd_zero_inflated_fit(const bd_zero_inflated_design *design, const bd_likelihood_model *model,
                                          const bd_se_estimator *se, const bd_likelihood_options *options,
                                          bd_arena *arena, const bd_zero_inflated **fit);

#endif
