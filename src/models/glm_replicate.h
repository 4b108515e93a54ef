/* The rows of a generalised model as its replicates read them. */
#ifndef BORDIN_MODELS_GLM_REPLICATE_H
#define BORDIN_MODELS_GLM_REPLICATE_H

#include "models/glm_internal.h"

enum { GLM_BLOCK = 64, GLM_LANES = 4 };

/* One array after another, `stride` apart: the p rotated columns, the response, the linear predictor of the full
 * sample (offset included), the prior weight; and, in the prepared rows only, working weight and score there. Rows
 * that fill up the last block have weight 0. */
struct glm_prepared {
    const bd_family *family;
    const bd_link *link;
    bool firth;
    bool can_leave;      /* there are linear predictors that the family or the link does not take */
    size_t n, p;
    size_t stride;       /* n brought to a multiple of GLM_BLOCK, and a little more: arrays a power of two apart would
                            share their places in the cache */
    const double *rows;  /* (p + 5) * stride */
    const double *beta;  /* p */
    const double *root;  /* p x p upper triangular: coefficients = beta + root * g */
    double theta, scale; /* root of the dispersion: the unit of a step */
    size_t n_counts;     /* negbin: 1 + the largest count tabled */
};

/* A replicate at work; all arrays are in the caller's scratch. */
typedef struct glm_replicate {
    const struct glm_prepared *in;
    size_t p, n_rows, n_padded;
    double *rows;          /* those with a weight, as prepared; the prior weight is times the replicate's */
    uint32_t *kept;        /* which they are */
    double *sums;          /* lanes of: products (p x p, lower half), score (p) */
    double *information;   /* p x p */
    double *triangle, *inverse;
    double *score, *step, *g, *from, *room; /* p */
    double *cone;
    double *above; /* negbin: the weight of the counts above k */
    double *working, *mu; /* Firth: by row */
    double theta, theta_score, theta_information, theta_step;
    double size; /* of the step, in standard errors */
} glm_replicate;

/* Adds information and score at r->g (and for negbin theta's) to the sums; false outside the range of the model. */
bool glm_pass(glm_replicate *r);

/* The same at the full sample's solution, and copies the rows in r->kept. */
void glm_first_pass(glm_replicate *r, const double *weights);

#endif
