/* Ordinary and weighted least squares, with classical, heteroskedasticity-consistent and cluster-robust errors.
 *
 *     const bd_ols_design design = {.n_rows = n, .n_columns = p, .columns = x, .names = names, .response = y,
 *                                   .has_intercept = true};
 *     BD_TRY(bd_ols_fit(&design, &bd_se_hc3, &options, arena, &fit));
 */
#ifndef BORDIN_MODELS_OLS_H
#define BORDIN_MODELS_OLS_H

#include <stdint.h>

#include <bordin/core/triangle.h>

typedef struct bd_ols_design {
    size_t n_rows, n_columns;
    const double *const *columns; /* n_columns of n_rows; NULL is the constant 1 */
    const char *const *names;     /* of the columns, for messages */
    const double *response;
    const char *response_name;
    bool has_intercept;      /* column 0 is the constant */
    const double *weights;   /* inverse variances up to a factor, or NULL */
    const uint32_t *cluster; /* 0 .. n_clusters - 1 by row, or NULL */
    size_t n_clusters;
    const double *precisions; /* in units of which CR2 takes its roots, see below; NULL: the weights */
    int n_threads;           /* 0: all */
} bd_ols_design;

typedef struct bd_coefficient {
    double estimate;
    double se;           /* by the estimator asked for */
    double df;           /* of t: n - p; clusters - 1 for CR0 and CR1; Satterthwaite's for CR2 */
    double t, p;
    double ci_low, ci_high;
    double standardised; /* estimate * sd(column) / sd(response); NaN for the constant */
    double vif;          /* variance inflation; NaN for the constant and without intercept */
} bd_coefficient;

typedef struct bd_ols {
    size_t n_rows, n_columns;
    bd_coefficient *coefficients; /* n_columns */
    double *covariance;           /* n_columns x n_columns, of the estimates, by the estimator asked for */
    double *residuals;            /* n_rows, response - fitted; NULL unless asked for */
    double residual_sd;           /* sqrt(weighted residual sum of squares / df_residual) */
    double ss_residual, ss_model; /* about the mean with an intercept, about zero without */
    double df_residual, df_model;
    double r_squared, adjusted_r_squared;
    double f, f_p;                /* classical F of all predictors */
    double log_likelihood, aic, bic; /* normal errors; the residual variance counts as a parameter */
    size_t n_saturated;           /* rows of leverage 1, which HC0 to HC4 know nothing of; 0 with other errors */
    double condition_digits;      /* digits the worst-determined column lost to the others: -log10 of the share it keeps */
} bd_ols;

/* How standard errors are estimated: a row in a table. */
typedef struct bd_se_estimator bd_se_estimator;
extern const bd_se_estimator bd_se_classical, bd_se_hc0, bd_se_hc1, bd_se_hc2, bd_se_hc3, bd_se_hc4,
    bd_se_cr0, bd_se_cr1, bd_se_cr2;
extern const bd_se_estimator *const bd_se_estimators[]; /* NULL ends the list */

const char *bd_se_name(const bd_se_estimator *estimator);     /* as the user types it */
const char *bd_se_summary(const bd_se_estimator *estimator);  /* one line */
bool bd_se_needs_clusters(const bd_se_estimator *estimator);

/* BD_EUSAGE: no such estimator; the message lists them. */
BD_CHECKED bd_status bd_se_find(const char *name, const bd_se_estimator **estimator);

typedef struct bd_ols_options {
    double level;        /* of the confidence intervals */
    bool keep_residuals;
} bd_ols_options;

#define BD_OLS_DEFAULTS ((bd_ols_options){.level = 0.95})

/* Fits response ~ columns. Estimates come from a rank-revealing QR and one or more steps of refinement with residuals in
 * doubled precision, never from cross-products. The fit lives in `arena`.
 * CR2 has working variances 1 / weights; of the roots that are unbiased under them it takes clubSandwich's,
 * D (D (1 - H) D^2 D)^(-1/2) D with the hat matrix H and D^2 = 1 / precisions, whatever the size of the cluster. A row or
 * direction with leverage 1 has no residual and adds nothing to HC2, HC3, HC4 and CR2. Rows without weight are not counted.
 * BD_EDATA: fewer rows than coefficients (or none left over), a constant response, a constant predictor beside an
 * intercept, fewer than two clusters, clusters asked for but not given, a value that is not finite, a negative
 * weight. BD_ENUMERIC: collinear columns, named.
 * MacKinnon & White (1985), doi:10.1016/0304-4076(85)90158-7; Cribari-Neto (2004), doi:10.1016/S0167-9473(02)00366-3;
 * Bell & McCaffrey (2002); Pustejovsky & Tipton (2018), doi:10.1080/07350015.2016.1247004. */
BD_CHECKED bd_status bd_ols_fit(const bd_ols_design *design, const bd_se_estimator *estimator,
                                const bd_ols_options *options, bd_arena *arena, const bd_ols **fit);

#endif
