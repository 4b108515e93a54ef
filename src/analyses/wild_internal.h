/* What the draws of the wild bootstrap take from the rows: two small vectors per cluster. */
#ifndef BORDIN_ANALYSES_WILD_INTERNAL_H
#define BORDIN_ANALYSES_WILD_INTERNAL_H

#include <bordin/analyses/wild.h>

/* With W^(1/2) X = U R, U orthonormal, and l the coefficient's row of R^-1, the coefficient is its true value plus the
 * errors times a = Ul. The residuals of the model in which it is `r` are e + shift * a, with e those of the fit and
 * shift = (estimate - r) / a'a. A replicate with weights v then has
 *     b* - r      = l'T                 T = sum_g v_g U_g'(e_g + shift * a_g)
 *     score of h  = v_h a_h'(e_h + shift * a_h) - a_h'U_h T
 * and all follows from U_g'e_g and U_g'a_g, of which l makes a_g'e_g and a_g'a_g. */
typedef struct cluster_sums {
    size_t n, p, stride;
    double *records; /* n of U'e (p), U'a (p), a'e, a'a */
    double *row;     /* l */
    double squares;  /* a'a over all rows */
    double estimate, se, factor; /* se^2 = factor * sum of squared scores */
} cluster_sums;

/* Fits the design, with what bd_ols_fit refuses, and adds up its clusters. BD_ENUMERIC: the error is zero. */
BD_CHECKED bd_status wild_sum_clusters(const bd_ols_design *design, size_t coefficient, bd_arena *arena,
                                       cluster_sums *sums);

#endif
