/* Linear mixed models: coefficients that vary between groups, such as therapists; groups may be nested or crossed.
 *
 *     const bd_mixed_term term = {.group = therapist, .n_groups = G, .group_name = "therapist",
 *                                 .n_random = 2, .random = z, .random_names = z_names};      (1 + alliance | therapist)
 *     const bd_mixed_design design = {.n_rows = n, .n_columns = p, .columns = x, .names = names, .has_intercept = true,
 *                                     .response = y, .response_name = "phq9", .n_terms = 1, .terms = &term};
 *     BD_TRY(bd_mixed_prepare(&design, arena, &mixed));
 *     BD_TRY(bd_mixed_fit(mixed, &BD_MIXED_DEFAULTS, arena, &fit));
 *
 * y = X beta + sum over terms of Z b + e; the rows' e have variance sigma^2 / weight, the b of a group of a term the
 * covariance sigma^2 Lambda Lambda', Lambda that of the term. Rows are read once: likelihoods are functions of the
 * groups' cross-products.
 */
#ifndef BORDIN_MODELS_MIXED_H
#define BORDIN_MODELS_MIXED_H

#include <stdbool.h>
#include <stdint.h>

#include <bordin/core/arena.h>

typedef struct bd_mixed_term {
    const uint32_t *group; /* n_rows, 0 .. n_groups - 1 */
    size_t n_groups;
    const char *group_name;
    size_t n_random;             /* at least 1 */
    const double *const *random; /* n_random of n_rows; NULL is the constant 1 */
    const char *const *random_names;
    const uint8_t *blocks; /* n_random: coefficients correlate with those of the same number; NULL: all with all */
} bd_mixed_term;

typedef struct bd_mixed_design {
    size_t n_rows, n_columns;
    const double *const *columns; /* n_columns of n_rows; NULL is the constant 1 */
    const char *const *names;
    bool has_intercept; /* column 0 is the constant */
    const double *response;
    const char *response_name;
    const double *weights; /* inverse variances up to a factor; NULL: all 1 */
    size_t n_terms; /* at least 1, each with groups of its own */
    const bd_mixed_term *terms;
} bd_mixed_design;

typedef enum bd_mixed_end {
    BD_MIXED_CONVERGED,
    BD_MIXED_BOUNDARY, /* a variance is 0, or a correlation 1 or -1: the fit is singular */
    BD_MIXED_NOT_CONVERGED,
    BD_MIXED_SEPARATED, /* of replicates of generalised models: an estimate is infinite */
} bd_mixed_end;

typedef struct bd_mixed_coefficient {
    double estimate, se;
    double df; /* infinite where none were asked for */
    double t, p;
    double ci_low, ci_high;
} bd_mixed_coefficient;

/* What varies between the groups of a term. */
typedef struct bd_mixed_random {
    const bd_mixed_term *term;
    size_t n_random, n_groups; /* groups with rows that have a weight */
    double *relative;   /* n_random x n_random, lower triangular: Lambda, lme4's theta by columns */
    double *covariance; /* the same shape: sigma^2 Lambda Lambda' */
    double *moments;    /* the same shape: mean of z z' over the rows, for shares of variance */
    double *effects;    /* term->n_groups x n_random: conditional modes */
    double *effect_se;  /* the same shape: conditional standard deviations, beta taken as known */
    const char *singular; /* which coefficient has no variance of its own; NULL */
} bd_mixed_random;

/* A free entry of the Lambda of a term. */
typedef struct bd_mixed_entry {
    uint8_t term, row, column;
} bd_mixed_entry;

typedef struct bd_mixed {
    size_t n_rows, n_used, n_columns, n_terms;
    bool reml;
    double level;
    bd_mixed_coefficient *coefficients; /* n_columns */
    double *covariance;                 /* n_columns x n_columns */
    const double *unadjusted;           /* the same shape: what degrees of freedom are of; `covariance` itself but for Kenward
                                           and Roger's */
    double sigma;                       /* residual standard deviation */
    bd_mixed_random *random;            /* n_terms */
    double *slopes;                     /* (k + 1) x n_columns x n_columns: of `unadjusted` by those parameters */
    double *parameter_covariance;       /* (k + 1)^2, of the k free entries of the Lambdas by columns, then sigma; of Kenward
                                           and Roger's the variances and covariances, then sigma^2 */
    size_t n_parameters;                /* k */
    const bd_mixed_entry *entries;      /* k: which they are */
    double *gamma;                      /* n_columns: coefficients in the model's own columns */
    double *curvature;                  /* k x k: the deviance's second derivatives, in the model's own scale */
    double deviance;                    /* -2 log-likelihood; of REML its criterion */
    double log_likelihood, aic, bic;
    size_t n_iterations;
    bd_mixed_end end;
} bd_mixed;

typedef enum bd_mixed_df {
    BD_MIXED_SATTERTHWAITE,
    BD_MIXED_KENWARD_ROGER, /* of REML alone: with errors that are adjusted for what variances are not known */
    BD_MIXED_NORMAL,        /* no degrees of freedom */
} bd_mixed_df;

typedef struct bd_mixed_options {
    bool reml;
    bd_mixed_df df;
    double level;       /* of the confidence intervals */
    int n_threads;      /* 0: all; crossed groups make use of them */
} bd_mixed_options;

#define BD_MIXED_DEFAULTS ((bd_mixed_options){.reml = true, .level = 0.95})

typedef struct bd_mixed_model bd_mixed_model; /* cross-products by group */

/* The columns are rotated to be orthonormal, the response replaced by its residuals, so that cross-products keep their
 * digits. BD_EDATA: one group; as many groups as rows; two terms with the same groups; fewer rows than coefficients; a
 * constant column beside an intercept, a random coefficient of a constant column beside a random intercept; a value
 * that is not finite; negative weights; a response that is constant, or is so within every group. BD_ENUMERIC:
 * collinear columns, named. */
BD_CHECKED bd_status bd_mixed_prepare(const bd_mixed_design *design, bd_arena *arena, const bd_mixed_model **model);

/* Minimises the profiled deviance by a quasi-Newton search with its exact gradient. Degrees of freedom by Satterthwaite
 * from the Hessian in Lambda and sigma, as lmerTest has them; by Kenward and Roger from the expected information of the
 * variances, as pbkrtest has them. BD_EUSAGE: these without REML. BD_EDATA: more than 3,000 coefficients of linked groups
 * for them.
 * Kenward & Roger (1997), doi:10.2307/2533558; Bates, Maechler, Bolker & Walker (2015), doi:10.18637/jss.v067.i01; Kuznetsova, Brockhoff & Christensen (2017),
 * doi:10.18637/jss.v082.i13. */
BD_CHECKED bd_status bd_mixed_fit(const bd_mixed_model *model, const bd_mixed_options *options, bd_arena *arena,
                                  const bd_mixed **fit);

/* Of sum weights[j] coefficient[j]: estimate, error, and Satterthwaite's degrees of freedom if the fit has them. */
bd_mixed_coefficient bd_mixed_contrast(const bd_mixed *fit, const double *weights);

typedef struct bd_mixed_joint {
    double f, p;
    size_t df; /* of the numerator: the rank of the contrasts */
    double df_denominator; /* infinite where the fit has none */
} bd_mixed_joint;

/* That all n_contrasts sums over j of weights[i * n_columns + j] coefficient[j] are 0. With Satterthwaite's degrees of
 * freedom F is the mean of the t^2 of the contrasts' principal axes, whose degrees of freedom make those of the
 * denominator, never below 2; with Kenward and Roger's it is scaled so that its first two moments are those of F. A
 * contrast that is a sum of others adds nothing. BD_EUSAGE: no contrasts, or all of them 0.
 * Fai & Cornelius (1996), doi:10.1080/00949659608811740; Kuznetsova, Brockhoff & Christensen (2017); Kenward & Roger (1997). */
BD_CHECKED bd_status bd_mixed_joint_test(const bd_mixed *fit, const double *weights, size_t n_contrasts,
                                         bd_arena *arena, bd_mixed_joint *test);

typedef enum bd_mixed_interval_kind {
    BD_MIXED_OF_SD,          /* of a coefficient of a term */
    BD_MIXED_OF_CORRELATION, /* of a coefficient with the first of its term */
    BD_MIXED_OF_RESIDUAL,    /* the standard deviation of rows */
    BD_MIXED_OF_SHARE,       /* of the only term, of all that the predictors leave; where one coefficient varies */
} bd_mixed_interval_kind;

typedef struct bd_mixed_interval {
    bd_mixed_interval_kind kind;
    size_t term, coefficient;
    double estimate;  /* of maximum likelihood */
    double low, high; /* NaN: not found, or of a correlation with what does not vary */
} bd_mixed_interval;

/* Profile-likelihood intervals at the fit's level, of maximum likelihood whatever the fit: by term the standard
 * deviations and correlations with the first coefficient, then the residual's, then the share. An end at the edge (0, or 1
 * and -1) where the likelihood there is not low enough.
 * Venzon & Moolgavkar (1988), doi:10.2307/2347496; Bates et al. (2015), sec. 5.1. BD_ENUMERIC: no maximum. */
BD_CHECKED bd_status bd_mixed_profile(const bd_mixed_model *model, const bd_mixed *fit, int n_threads, bd_arena *arena,
                                      const bd_mixed_interval **intervals, size_t *n_intervals);

/* Sets of rows that share no group of any term: the groups themselves of one term, the outermost of nested ones. */
typedef struct bd_mixed_parts {
    size_t n;
    const uint32_t *of_group; /* the part that a group of terms[term] is in */
    size_t term;
} bd_mixed_parts;

bd_mixed_parts bd_mixed_parts_of(const bd_mixed_model *model);

/* Replicates: the model when part c counts counts[c] times, each time as a part of its own. values <- coefficients,
 * then the n_parameters of Lambda, then sigma, from `fit` on. Any thread; `scratch` of bd_mixed_scratch doubles. */
bd_mixed_end bd_mixed_replicate(const bd_mixed_model *model, const bd_mixed *fit, const double *counts, double *scratch,
                                double *values);
size_t bd_mixed_scratch(const bd_mixed_model *model);

/* Replicates from drawn errors: y* = X beta + Z b* + e*, X and Z as they are. */
typedef enum bd_mixed_draw_kind {
    BD_MIXED_PARAMETRIC, /* b* and e* normal, with the fit's covariances */
    BD_MIXED_RESIDUAL,   /* b* and e* drawn from the modes and residuals of the fit, centred and brought to its covariances.
                            Carpenter, Goldstein & Rasbash (2003), doi:10.1111/1467-9876.00415 */
    BD_MIXED_WILD,       /* Z b* + e*: what is left in a part, times the same 1 or -1.
                            Modugno & Giannerini (2015), doi:10.1080/03610926.2013.802807 */
} bd_mixed_draw_kind;

typedef struct bd_mixed_drawing bd_mixed_drawing;

/* Keeps the rows: n_used x (coefficients that vary + n_columns) numbers in `arena`. */
BD_CHECKED bd_status bd_mixed_drawing_new(const bd_mixed_model *model, const bd_mixed *fit, bd_arena *arena,
                                          const bd_mixed_drawing **drawing);

/* values as bd_mixed_replicate has them, from bd_mixed_draw_numbers random numbers: standard normals (parametric), uniform
 * below 1 (residual), 1 or -1 (wild). Any thread; `scratch` of bd_mixed_drawing_scratch doubles. */
bd_mixed_end bd_mixed_draw(const bd_mixed_drawing *drawing, bd_mixed_draw_kind kind, const double *numbers,
                           double *scratch, double *values);
size_t bd_mixed_draw_numbers(const bd_mixed_drawing *drawing, bd_mixed_draw_kind kind);
size_t bd_mixed_drawing_scratch(const bd_mixed_drawing *drawing);

/* Replicates when group g of the term with the most groups, terms[bd_mixed_finest], counts counts[g] times, each time as a
 * group of its own, and the other terms' groups stay: patients are drawn, therapists are not. values as bd_mixed_replicate
 * has them. Any thread; `scratch` of bd_mixed_group_scratch doubles. */
bd_mixed_end bd_mixed_draw_groups(const bd_mixed_drawing *drawing, const double *counts, double *scratch, double *values);
size_t bd_mixed_group_scratch(const bd_mixed_drawing *drawing);
size_t bd_mixed_finest(const bd_mixed_model *model);

/* The likelihood ratio -2 log(L of the smaller model / L of `full`) of errors that the smaller one draws, both fitted to
 * them: what chi-squared stands for. `null`: the smaller one's, with part of the terms (REML or ML) or part of the columns
 * (ML) of `full` and the same rows; NULL: no terms at all, all columns. bd_mixed_ratio_numbers standard normals; NULL: of
 * the data as they are. Any thread; `scratch` of bd_mixed_ratio_scratch doubles. */
bd_mixed_end bd_mixed_ratio(const bd_mixed_drawing *null, const bd_mixed_drawing *full, const double *normals,
                            double *scratch, double *ratio);
size_t bd_mixed_ratio_numbers(const bd_mixed_drawing *null, const bd_mixed_drawing *full);
size_t bd_mixed_ratio_scratch(const bd_mixed_drawing *null, const bd_mixed_drawing *full);

/* relative (n_random x n_random) <- Lambda of one term by the parameters of a replicate of `fit`. */
void bd_mixed_relative(const bd_mixed *fit, size_t term, const double *parameters, double *relative);

#endif
