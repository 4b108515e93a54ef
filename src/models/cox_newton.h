/* Newton-Raphson on the partial likelihood, for the fit and for its replicates. */
#ifndef BORDIN_MODELS_COX_NEWTON_H
#define BORDIN_MODELS_COX_NEWTON_H

#include "models/cox_internal.h"

typedef struct cox_newton {
    const cox_rows *rows;
    bd_cox_ties ties;
    cox_sums *sums;
    double *exact;  /* room for the exact likelihood; NULL otherwise */
    double *gamma;  /* p: where it begins, then where it ends */
    double *step, *trial, *factor; /* p, p, p x p: the last is the information's Cholesky factor at gamma */
    double null_log_likelihood, null_score; /* at the beginning */
    double size;    /* of the last step, in standard errors */
    size_t n_iterations, max_iterations;
    bool coefficients_only; /* the last step is not looked at: the sums are those before it */
    size_t collinear; /* the column that the others explain among those at risk; p: none */
} cox_newton;

/* At the end sums and factor belong to gamma; of an infinite fit, `step` is the direction. */
bd_cox_end cox_newton_run(cox_newton *newton);

#endif
