/* Generalised linear mixed models of one grouping factor: binomial, Poisson and negative binomial outcomes, with
 * coefficients that vary between groups.
 *
 *     const bd_glmm_design design = {.glm = glm_design, .term = therapists};       kept ~ alliance + (1 | therapist)
 *     BD_TRY(bd_glmm_prepare(&design, &bd_binomial, NULL, arena, &model));
 *     BD_TRY(bd_glmm_fit(model, &BD_GLMM_DEFAULTS, arena, &fit));
 *
 * g(E(y | b)) = offset + X beta + Z b, the b of a group normal with covariance Lambda Lambda'.
 */
#ifndef BORDIN_MODELS_GLMM_H
#define BORDIN_MODELS_GLMM_H

#include <bordin/models/glm.h>
#include <bordin/models/mixed.h>

typedef struct bd_glmm_design {
    bd_glm_design glm; /* prior weights, offset and trials as bd_glm_fit has them */
    bd_mixed_term term;
} bd_glmm_design;

typedef struct bd_glmm {
    const bd_family *family;
    const bd_link *link;
    size_t n_rows, n_used, n_columns;
    size_t n_nodes; /* 1: Laplace's approximation */
    double level;
    bd_mixed_coefficient *coefficients; /* n_columns; df infinite: z */
    double *covariance;                 /* n_columns x n_columns: of the inverse Hessian in beta and Lambda */
    bd_mixed_random random;             /* covariance and relative are of b itself; moments: mean of z z' */
    size_t n_parameters;                /* free entries of Lambda */
    double theta;                       /* negbin: variance mu + mu^2 / theta; infinite, and the end not converged,
                                           where counts vary no more than Poisson's; NaN otherwise */
    double deviance;                    /* -2 log-likelihood, constants and all */
    double log_likelihood, aic, bic;
    double latent_residual;             /* variance of the latent variable given b: pi^2 / 3, 1, pi^2 / 6; NaN for counts */
    size_t n_iterations;
    bd_mixed_end end;
} bd_glmm;

typedef struct bd_glmm_options {
    size_t n_nodes; /* of adaptive Gauss-Hermite quadrature, up to 100; 1: Laplace's approximation */
    double level;
    int n_threads;  /* 0: all; the same bits for any */
} bd_glmm_options;

#define BD_GLMM_DEFAULTS ((bd_glmm_options){.n_nodes = 1, .level = 0.95})

typedef struct bd_glmm_model bd_glmm_model;

/* Rows by group, and the generalised linear model without b to start from. Families binomial (logit, probit, cloglog),
 * poisson (log), negbin (log); `link` NULL: the default. BD_EUSAGE: another family or link. BD_EDATA: as bd_glm_fit; one
 * group; every row a group of its own, unless there are trials or counts; a slope of a constant. BD_ENUMERIC: collinear
 * columns; predictors that separate the outcomes, named. */
BD_CHECKED bd_status bd_glmm_prepare(const bd_glmm_design *design, const bd_family *family, const bd_link *link,
                                     int n_threads, bd_arena *arena, const bd_glmm_model **model);

/* Minimises the deviance of Laplace's approximation, or of quadrature about each group's mode (one coefficient that
 * varies), over beta, Lambda and theta together. The Hessian of a group is the observed one: with links other than the
 * canonical, lme4 has the expected one, and differs. Standard errors of beta allow for Lambda's.
 * BD_EUSAGE: quadrature of several coefficients that vary.
 * Breslow & Clayton (1993), doi:10.1080/01621459.1993.10594284; Pinheiro & Chao (2006),
 * doi:10.1198/106186006X96962; Bates et al. (2015). */
BD_CHECKED bd_status bd_glmm_fit(const bd_glmm_model *model, const bd_glmm_options *options, bd_arena *arena,
                                 const bd_glmm **fit);

/* Of sum weights[j] coefficient[j]. */
bd_mixed_coefficient bd_glmm_contrast(const bd_glmm *fit, const double *weights);

#endif
