/* Proportions: beta regression of shares between 0 and 1, and beta-binomial regression of counts out of counts.
 *
 *     const bd_proportion_design design = {
 *         .n_rows = n, .response = share, .response_name = "yield",
 *         .mean = {.n_columns = p, .columns = x, .names = names, .has_intercept = true},
 *         .precision = {.n_columns = q, .columns = z, .names = z_names, .has_intercept = true}};
 *     BD_TRY(bd_proportion_fit(&design, &bd_beta, &BD_PROPORTION_DEFAULTS, &bd_se_classical, arena, &fit));
 *
 * Beta: variance mu (1 - mu) / (1 + phi), phi the precision. Beta-binomial: of m trials, the variance of the share is
 * mu (1 - mu) (1 + (m - 1) rho) / m, rho = 1 / (1 + phi) the correlation of two trials of one row.
 */
#ifndef BORDIN_MODELS_PROPORTIONS_H
#define BORDIN_MODELS_PROPORTIONS_H

#include <bordin/models/likelihood.h>

extern const bd_likelihood_model bd_beta, bd_beta_binomial;

typedef struct bd_proportion_design {
    size_t n_rows;
    bd_predictor mean;
    bd_predictor precision; /* n_columns 0: a constant alone */
    const double *response; /* beta: a share; beta-binomial: a count of successes, whole */
    const double *trials;   /* beta-binomial: out of how many; beta: NULL */
    const char *response_name;
    const double *weights;
    const uint32_t *cluster;
    size_t n_clusters;
    int n_threads;
} bd_proportion_design;

typedef struct bd_proportion_options {
    const char *mean_link;      /* logit, probit, cloglog, loglog, cauchit, log */
    const char *precision_link; /* log, identity, sqrt: of phi; logit-rho: of rho, phi = (1 - rho) / rho; NULL: log for
                                   beta, logit-rho for beta-binomial */
    bd_likelihood_options likelihood;
} bd_proportion_options;

#define BD_PROPORTION_DEFAULTS ((bd_proportion_options){.mean_link = "logit", .likelihood = {.level = 0.95}})

typedef struct bd_proportion {
    const char *mean_link, *precision_link;
    const bd_likelihood_coefficient *mean, *precision;
    double *mu, *phi;                /* n_rows */
    double pseudo_r_squared;         /* beta: squared correlation of the predictor and the linked response; NaN */
    const bd_likelihood *likelihood; /* for replicates: mean, precision */
    const bd_likelihood_fit *fit;    /* AT_LIMIT: phi grows without bound, there is no overdispersion */
} bd_proportion;

/* Errors of the model: of beta from the expected information, as betareg has them; of beta-binomial from the observed.
 * BD_EUSAGE: no such link. BD_EDATA: a share that is not between 0 and 1 (neither may be reached); a count that is not
 * whole, negative or more than its trials; trials that are not whole and positive, or all 1; as bd_likelihood_prepare.
 * Ferrari & Cribari-Neto (2004), doi:10.1080/0266476042000214501; Cribari-Neto & Zeileis (2010),
 * doi:10.18637/jss.v034.i02; Williams (1975), doi:10.2307/2529820. */
BD_CHECKED bd_status bd_proportion_fit(const bd_proportion_design *design, const bd_likelihood_model *model,
                                       const bd_proportion_options *options, const bd_se_estimator *se, bd_arena *arena,
                                       const bd_proportion **fit);

#endif
