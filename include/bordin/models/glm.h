/* Generalised linear models: families, links, iteratively reweighted least squares, and the errors of choice.
 *
 *     const bd_glm_design design = {.base = {.n_rows = n, .n_columns = p, .columns = x, .names = names, .response = y,
 *                                            .response_name = "remission", .has_intercept = true}};
 *     BD_TRY(bd_family_find("binomial", &family));
 *     BD_TRY(bd_glm_fit(&design, family, NULL, &bd_se_hc3, &BD_GLM_DEFAULTS, arena, &fit));
 *     if (fit->end == BD_GLM_SEPARATED)
 *         ...                                     fit->separation names the predictors; options.firth has an answer
 *
 * For the bootstrap, bd_glm_prepare once and bd_glm_replicate for each vector of weights.
 */
#ifndef BORDIN_MODELS_GLM_H
#define BORDIN_MODELS_GLM_H

#include <bordin/models/ols.h>

/* A distribution of the response, and a function from its mean to the linear predictor: rows in tables. */
typedef struct bd_family bd_family;
typedef struct bd_link bd_link;
extern const bd_family bd_binomial, bd_poisson, bd_negbin, bd_gamma, bd_gaussian, bd_inverse_gaussian,
    bd_quasi_binomial, bd_quasi_poisson;
extern const bd_link bd_logit, bd_probit, bd_cloglog, bd_loglog, bd_cauchit, bd_log, bd_identity, bd_inverse, bd_sqrt,
    bd_inverse_square;
extern const bd_family *const bd_families[]; /* NULL ends each list */
extern const bd_link *const bd_links[];

const char *bd_family_name(const bd_family *family);    /* as the user types it */
const char *bd_family_summary(const bd_family *family); /* one line */
const bd_link *const *bd_family_links(const bd_family *family); /* those it takes, its default first; NULL ends */
bool bd_family_known_dispersion(const bd_family *family);  /* binomial, poisson, negbin */
const char *bd_link_name(const bd_link *link);
const char *bd_link_summary(const bd_link *link);

/* The mean at a linear predictor, and its slope; NaN where the link has none, as that of 1 / mean at 0. */
double bd_link_mean(const bd_link *link, double linear_predictor, double *slope);

/* What exp(coefficient) is: "odds_ratio", "rate_ratio", "hazard_ratio", "risk_ratio", "mean_ratio"; NULL when it is
 * nothing of the kind. */
const char *bd_glm_ratio(const bd_family *family, const bd_link *link);

/* BD_EUSAGE: no such family, or link; the message lists them. */
BD_CHECKED bd_status bd_family_find(const char *name, const bd_family **family);
BD_CHECKED bd_status bd_link_find(const char *name, const bd_link **link);

typedef struct bd_glm_design {
    bd_ols_design base;   /* its weights are the prior weights: a row of weight 2 counts as two in estimates */
    const double *offset; /* added to the linear predictor; or NULL */
    const double *trials; /* binomial denominators, the response then counts successes; NULL: the response is 0 or 1,
                             for quasi-binomial a share between 0 and 1 */
} bd_glm_design;

typedef enum bd_glm_end {
    BD_GLM_CONVERGED,
    BD_GLM_NOT_CONVERGED,
    BD_GLM_SEPARATED,         /* a combination of predictors tells the outcomes apart: no finite maximum */
    BD_GLM_NO_OVERDISPERSION, /* negbin: theta grows without bound, the fit is Poisson's */
} bd_glm_end;

typedef struct bd_glm_coefficient {
    double estimate;  /* +-infinity when it separates the outcomes */
    double se;        /* by the estimator asked for; this and the next are NaN in a fit that is separated */
    double df;        /* of t: n - p, or as bd_ols_fit has it; infinite: z and the normal distribution */
    double statistic; /* estimate / se */
    double p;
    double ci_low, ci_high; /* Wald's */
} bd_glm_coefficient;

/* What separates the outcomes. */
typedef struct bd_glm_separation {
    const bool *columns;   /* n_columns: takes part */
    const char *predictors; /* "'x'", "'x' and 'z'" */
    size_t n_rows;         /* that the direction separates; n_used: complete separation */
} bd_glm_separation;

typedef struct bd_glm {
    const bd_family *family;
    const bd_link *link;
    const bd_se_estimator *se;
    bool firth;
    size_t n_rows, n_columns;
    size_t n_used; /* rows with a weight */
    bd_glm_coefficient *coefficients; /* n_columns */
    bool uses_t;                      /* t and its p; otherwise z and the normal */
    double *covariance;               /* n_columns x n_columns, of the estimates, by the estimator asked for */
    double *linear_predictor, *mu;    /* n_rows; mu of the proportion where there are trials */
    double level;

    double deviance, null_deviance;
    double df_residual, df_null;
    double pearson, dispersion; /* sum of squared Pearson residuals; over df_residual */
    double log_likelihood, null_log_likelihood; /* NaN for the quasi families */
    double penalised_log_likelihood;            /* Firth's; NaN otherwise */
    double aic, bic;
    double theta, theta_se; /* negbin: variance mu + mu^2 / theta; NaN otherwise */
    double mcfadden, nagelkerke;
    double tjur; /* binary outcomes; NaN otherwise */

    /* All predictors against none: likelihood ratio and chi-squared where the dispersion is known (negbin: with a
     * theta of its own for each), F of the deviances where it is estimated. */
    double whole_statistic, whole_df, whole_df_residual, whole_p; /* whole_df_residual: infinite for chi-squared */

    size_t n_iterations;
    bd_glm_end end;
    const bd_glm_separation *separation; /* NULL unless separated */
} bd_glm;

typedef struct bd_glm_options {
    double level;          /* of the confidence intervals */
    size_t max_iterations; /* 0: 100 */
    bool firth;            /* penalised likelihood; binomial with logit */
} bd_glm_options;

#define BD_GLM_DEFAULTS ((bd_glm_options){.level = 0.95})

/* Fits link(E(response)) = offset + columns by maximum (quasi-, or Firth's penalised) likelihood: Fisher scoring by QR
 * from R's start values, Newton's method later where the link is not canonical, halved steps where the deviance rises,
 * until the coefficients stand to about 1e-12. `link` NULL: the family's default. The fit lives in `arena`, and is the
 * same for any number of threads.
 * Classical errors are the model's, from the expected information (times the Pearson dispersion where it is estimated;
 * for negbin with theta taken as known, as MASS has it; under Firth's penalty those of the unpenalised information).
 * The others are bd_ols_fit's of the last working response and weights, which are the sandwich's of the model; the
 * precisions of CR2 are those of the response, prior weight / variance, as in clubSandwich.
 * Separation is looked for where a fit does not converge or fitted means come near the edge, by linear programming:
 * exactly. For negbin the higher of two maxima is taken where one is Poisson's.
 * BD_EUSAGE: a link that the family does not take; firth for anything but binomial with logit, or with robust errors.
 * BD_EDATA: a response outside the family's range (not 0 or 1, not whole, negative, not positive, a share above 1), of
 * one category only; trials that are not whole and positive or fewer than successes; an offset, weight or value that is
 * not finite; fewer rows than coefficients; a constant predictor beside an intercept. BD_ENUMERIC: collinear columns,
 * named.
 * McCullagh & Nelder (1989); Marschner (2011), doi:10.32614/RJ-2011-012; Firth (1993), doi:10.1093/biomet/80.1.27;
 * Heinze & Schemper (2002), doi:10.1002/sim.1047; Konis (2007). */
BD_CHECKED bd_status bd_glm_fit(const bd_glm_design *design, const bd_family *family, const bd_link *link,
                                const bd_se_estimator *se, const bd_glm_options *options, bd_arena *arena,
                                const bd_glm **fit);

/* What a predictor does to the mean of the response, on average over the rows (by their prior weights). */
typedef struct bd_glm_margin {
    bool discrete;   /* a column of 0 and 1: the mean change from 0 to 1; otherwise the mean slope */
    double estimate; /* in units of the mean: of a probability, with trials too */
    double se;       /* by the delta method, from the fit's covariance */
    double df;       /* as the coefficient's */
    double statistic, p, ci_low, ci_high;
} bd_glm_margin;

/* One for each column, NaN for the constant. Each column is moved alone: a column that also stands in a product with
 * others has an effect that this is not. Columns of one number in `factors` (n_columns; NULL: none) are the levels of
 * one variable: where one of them is 0 and 1, the others are 0. The margins live in `arena`.
 * BD_ENUMERIC: the fit is separated or did not converge. */
BD_CHECKED bd_status bd_glm_margins(const bd_glm_design *design, const bd_glm *fit, const size_t *factors,
                                    bd_arena *arena, const bd_glm_margin **margins);

/* How well fitted probabilities tell the outcomes of 0 and 1 apart, and agree with them. */
typedef struct bd_glm_classification {
    double n_events, n_others; /* rows, or their weights */
    double auc;                /* P(fitted of an event > fitted of another), ties count half */
    double auc_se, auc_low, auc_high; /* DeLong's, at the fit's level; NaN with weights or trials */
    double brier;                     /* mean squared distance of probabilities from outcomes */
    double calibration_intercept, calibration_slope; /* logistic regression of the outcome on the logit of the fitted:
                                                        0 and 1 for maximum likelihood with logit; NaN: none */
    /* ten groups by fitted; NaN with weights or trials */
    double hosmer_lemeshow, hosmer_lemeshow_df, hosmer_lemeshow_p;
} bd_glm_classification;

/* BD_EUSAGE: the family is not binomial. BD_ENUMERIC as above.
 * DeLong, DeLong & Clarke-Pearson (1988), doi:10.2307/2531595; Hosmer & Lemeshow (1980). */
BD_CHECKED bd_status bd_glm_classify(const bd_glm_design *design, const bd_glm *fit, bd_arena *arena,
                                     const bd_glm_classification **classification);

/* The same model for other weights, many times: a bootstrap's replicates. Made once from a fit that converged. */
typedef struct bd_glm_prepared {
    size_t n_rows, n_columns;
    size_t n_scratch;              /* doubles that bd_glm_replicate needs */
    const struct glm_prepared *in; /* its own */
} bd_glm_prepared;

typedef enum bd_glm_replicate_end {
    BD_GLM_REPLICATE_CONVERGED,
    BD_GLM_REPLICATE_COLLINEAR,     /* the rows with weight do not identify the coefficients */
    BD_GLM_REPLICATE_SEPARATED,     /* or leave them without a finite maximum */
    BD_GLM_REPLICATE_NOT_CONVERGED,
} bd_glm_replicate_end;

/* Columns are rotated so that their information at the fit is the unit matrix, which makes cross-products safe.
 * BD_ENUMERIC: the fit did not converge, or is separated. */
BD_CHECKED bd_status bd_glm_prepare(const bd_glm_design *design, const bd_glm *fit, bd_arena *arena,
                                    const bd_glm_prepared **prepared);

/* The coefficients (n_columns) when row i counts weights[i] times (times its prior weight): Newton's method from the
 * full sample's solution, to convergence, theta (negbin) and the penalty (Firth) included. Any weights >= 0. Where the
 * likelihood has two maxima (negbin, cauchit), the one that is reached from there. Pure: threads may call it at once,
 * each with a scratch of its own, and a result depends on nothing but what was prepared and its weights. */
bd_glm_replicate_end bd_glm_replicate(const bd_glm_prepared *prepared, const double *weights, double *scratch,
                                      double *coefficients);

#endif
