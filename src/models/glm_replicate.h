/* The rows of a generalised model as its replicates read them. */
#ifndef BORDIN_MODELS_GLM_REPLICATE_H
#define BORDIN_MODELS_GLM_REPLICATE_H

#include "models/glm_internal.h"

enum { GLM_BLOCK = 64, GLM_LANES = 8 };

/* Blocks of GLM_BLOCK rows. Each holds one after the other, GLM_BLOCK numbers each: the p rotated columns, the response,
 * the linear predictor of the full sample (offset included), the prior weight; and, in the prepared rows only, working
 * weight and score there. Rows that fill up the last block have weight 0. */
struct glm_prepared {
    const bd_family *family;
    const bd_link *link;
    bool firth;
    size_t n, p, n_blocks;
    size_t stride;       /* doubles of a prepared block: (p + 5) * GLM_BLOCK */
    size_t kept;         /* of a block of a replicate's rows: (p + 3) * GLM_BLOCK */
    const double *rows;
    const double *beta;  /* p */
    const double *root;  /* p x p upper triangular: coefficients = beta + root * g */
    double theta, scale; /* root of the dispersion: the unit of a step */
    size_t n_counts;     /* negbin: 1 + the largest count tabled */
};

#endif
