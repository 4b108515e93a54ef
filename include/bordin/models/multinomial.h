/* Categories without an order: multinomial logit.
 *
 *     const bd_multinomial_design design = {.n_rows = n, .n_columns = p, .columns = x, .names = names,
 *                                           .has_intercept = true, .category = codes, .n_categories = 3,
 *                                           .reference = 0, .levels = levels, .response_name = "reason"};
 *     BD_TRY(bd_multinomial_fit(&design, &bd_se_classical, &BD_LIKELIHOOD_DEFAULTS, arena, &fit));
 *
 * log(P(category k) / P(reference)) = x'coefficients[k], for each category k but the reference.
 */
#ifndef BORDIN_MODELS_MULTINOMIAL_H
#define BORDIN_MODELS_MULTINOMIAL_H

#include <bordin/models/likelihood.h>

typedef struct bd_multinomial_design {
    size_t n_rows, n_columns;
    const double *const *columns; /* n_columns of n_rows; NULL is the constant 1 */
    const char *const *names;
    bool has_intercept;       /* column 0 is the constant */
    const uint32_t *category; /* 0 .. n_categories - 1 by row */
    size_t n_categories;
    size_t reference;          /* the category the others are compared with */
    const char *const *levels; /* names of the categories */
    const char *response_name;
    const double *weights;
    const uint32_t *cluster;
    size_t n_clusters;
    int n_threads;
} bd_multinomial_design;

typedef struct bd_multinomial {
    size_t n_contrasts;                            /* n_categories - 1 */
    const size_t *categories;                      /* n_contrasts: which category each set of coefficients is of */
    const bd_likelihood_coefficient *coefficients; /* n_contrasts x n_columns; exp() of them: relative risk ratios */
    double null_log_likelihood;                    /* of the shares alone */
    double whole_statistic, whole_df, whole_p;     /* likelihood ratio of all predictors; NaN without an intercept */
    double mcfadden;
    double *probabilities;           /* n_rows x n_categories, in the order of the categories */
    const bd_likelihood *likelihood; /* for replicates: in the order of the coefficients */
    const bd_likelihood_fit *fit;
} bd_multinomial;

/* BD_EUSAGE: no such reference. BD_EDATA: fewer than two categories, one without cases (named); as
 * bd_likelihood_prepare. McFadden (1974); Agresti (2013), Categorical Data Analysis, chapter 8. */
BD_CHECKED bd_status bd_multinomial_fit(const bd_multinomial_design *design, const bd_se_estimator *se,
                                        const bd_likelihood_options *options, bd_arena *arena,
                                        const bd_multinomial **fit);

/* Whether one term's coefficients are all 0 in every contrast: Wald's chi-squared from the fit's covariance.
 * NaN unless the fit converged. */
typedef struct bd_multinomial_wald {
    double statistic, df, p;
} bd_multinomial_wald;

BD_CHECKED bd_status bd_multinomial_test(const bd_multinomial *fit, size_t first, size_t n, bd_arena *arena,
                                         bd_multinomial_wald *test);

#endif
