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
    const double *parameters, *curvature, *modes; /* in the model's own columns: where replicates begin */
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

/* What replicates are made with, of one model and fit. */
typedef struct bd_glmm_drawing bd_glmm_drawing;
BD_CHECKED bd_status bd_glmm_drawing_new(const bd_glmm_model *model, const bd_glmm *fit, bd_arena *arena,
                                         const bd_glmm_drawing **drawing);

/* The model when group g counts counts[g] times, each time as a group of its own (NULL: once), or with outcomes drawn
 * anew (NULL: as they are) from bd_glmm_draw_normals standard normals, of each group its random coefficients, followed by
 * bd_glmm_draw_uniforms uniforms below 1, of each row. values <- coefficients, the n_parameters of Lambda, theta of negbin, from the fit
 * on. Separated: a fitted chance below 1e-6, or above 1 - 1e-6, or a mean below 1e-6, and none in the fit. Any thread; `scratch` of bd_glmm_drawing_scratch doubles. */
bd_mixed_end bd_glmm_draw(const bd_glmm_drawing *drawing, const double *counts, const double *numbers, double *scratch,
                          double *values);
size_t bd_glmm_drawing_scratch(const bd_glmm_drawing *drawing);
size_t bd_glmm_draw_normals(const bd_glmm_drawing *drawing);
size_t bd_glmm_draw_uniforms(const bd_glmm_drawing *drawing);

/* Lambda (n_random x n_random) by the parameters of a replicate. */
void bd_glmm_relative(const bd_glmm_drawing *drawing, const double *parameters, double *relative);

/* Of sum weights[j] coefficient[j]. */
bd_mixed_coefficient bd_glmm_contrast(const bd_glmm *fit, const double *weights);

#endif
