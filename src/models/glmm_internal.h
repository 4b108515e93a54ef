/* Rows by group, and the deviance of generalised linear mixed models. */
#ifndef BORDIN_SRC_MODELS_GLMM_INTERNAL_H
#define BORDIN_SRC_MODELS_GLMM_INTERNAL_H

#include <bordin/models/glmm.h>

enum { GLMM_MOST_RANDOM = 12, GLMM_CHUNKS = 32, GLMM_MOST_NODES = 100 };

/* A row's log-likelihood at a linear predictor; its slope, less the second derivative, and the slope of that. */
typedef struct glmm_row {
    double log_likelihood, slope, weight, weight_slope;
} glmm_row;

typedef struct glmm_kind {
    const bd_family *family;
    const bd_link *link;
    double latent_residual;
    /* y of n trials; `theta` of negbin. */
    glmm_row (*at)(double y, double n, double theta, double linear_predictor);
    double (*constant)(double y, double n); /* of the log-likelihood */
} glmm_kind;

/* NULL: there is none. */
const glmm_kind *glmm_kind_of(const bd_family *family, const bd_link *link);

struct bd_glmm_model {
    bd_glmm_design design;
    const glmm_kind *kind;
    bool has_theta;
    size_t n, p, q, k; /* rows with a weight, columns, random coefficients, free entries of Lambda */
    size_t n_groups, n_there, most_rows;
    size_t *starts;    /* n_groups + 1 */
    double *x;         /* n x p: rows by group, rotated */
    double *z;         /* n x q, scaled */
    double *y, *trials, *weights, *offset; /* n */
    double constant;   /* of the log-likelihood */
    double *rotation;  /* p x p, upper triangular: beta = rotation * gamma */
    double *scale;     /* q */
    double *moments;   /* q x q */
    double *start;     /* p + k + has_theta: gamma, Lambda, log theta */
    bd_mixed_entry *entries; /* k */
};

/* What an evaluation works with. */
typedef struct glmm_point {
    size_t n_nodes;
    int n_threads;
    double *modes;    /* n_groups x q: u, where the last evaluation ended */
    double *roots;    /* n_groups x q x q: L of I + Lambda'Z'WZ Lambda there */
    double *work;     /* of each thread */
    double *sums;     /* of each chunk: 1 + p + k + 1 */
    double *nodes, *node_weights; /* n_nodes: logarithms of the weights times exp(node^2) */
    const double *counts; /* n_groups: how often each counts; NULL: once */
    const double *y;      /* n, in place of the model's; NULL: that */
} glmm_point;

BD_CHECKED bd_status glmm_point_new(const bd_glmm_model *model, size_t n_nodes, int n_threads, bd_arena *arena,
                                    glmm_point *point);

/* In room of glmm_point_room doubles rather than an arena: one thread, the nodes of another point. */
size_t glmm_point_room(const bd_glmm_model *model);
void glmm_point_make(const bd_glmm_model *model, const glmm_point *nodes, double *room, glmm_point *point);

/* Nodes of Gauss and Hermite, and log(weight) + node^2. */
BD_CHECKED bd_status glmm_make_nodes(glmm_point *point);

/* Moves x (p + k + has_theta) to the minimum, with second derivatives to start from (NULL: none are known). `room`:
 * search_room doubles. */
bd_mixed_end glmm_search(const bd_glmm_model *model, glmm_point *point, const double *curvature, double *x, double *room,
                         double *deviance, size_t *n_iterations);

/* deviance, and its gradient by gamma, Lambda and log theta where `gradient` is not NULL. False: not finite. */
bool glmm_evaluate(const bd_glmm_model *model, glmm_point *point, const double *parameters, double *deviance,
                   double *gradient);

#endif
