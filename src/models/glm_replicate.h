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

#endif
