/* What robust regression's parts share. */
#ifndef BORDIN_MODELS_ROBUST_INTERNAL_H
#define BORDIN_MODELS_ROBUST_INTERNAL_H

#include <bordin/models/robust.h>

#include "models/likelihood_internal.h"

/* What a standardised residual u counts: weight = psi(u) / u, and the derivative of psi. */
struct bd_robust_method {
    const char *name, *summary;
    double tuning;
    double (*weight)(double u, double tuning);
    double (*slope)(double u, double tuning);
    bool from_s; /* starts from an S estimate, and keeps its scale */
};

struct bd_robust {
    const bd_ols_design *design;
    const bd_robust_method *method;
    double tuning;
    const bd_likelihood *basis; /* the columns, orthonormal */
    double *columns;            /* n_rows x n_columns of them, by row */
    double rounding;            /* of the response: a scale no larger is 0 */
};

/* Where an iteration stands. Arrays from one scratch. */
typedef struct robust_state {
    const bd_robust *robust;
    const double *weights;               /* NULL: all 1 */
    double n;                            /* their sum */
    double *gamma, *residuals, *factors; /* coefficients in the basis; residuals; a row's weight in the next step */
    double *products, *root, *step, *sizes;
    size_t *order;
    double scale;
    size_t n_iterations;
} robust_state;

#define ROBUST_S_TUNING 1.54764 /* bisquare, for half of the maximum on average under normal errors */

double robust_bisquare_weight(double u, double tuning);
double robust_bisquare_slope(double u, double tuning);
double robust_chi(double u);       /* bisquare's loss with ROBUST_S_TUNING, 0 .. 1 */
double robust_chi_slope(double u); /* its derivative */

size_t robust_state_size(const bd_robust *robust);
void robust_state_place(const bd_robust *robust, const double *weights, double *scratch, robust_state *state);

static inline double robust_weight(const robust_state *state, size_t row)
{
    return state->weights == NULL ? 1 : state->weights[row];
}

/* residuals <- those of gamma. */
void robust_look(robust_state *state);

/* median |residual| / 0.6745, weighted as counts. */
double robust_mad(robust_state *state);

/* One step of least squares under `factors`, from the residuals; its length in units of the scale. Negative: collinear.
 */
double robust_step(robust_state *state);

/* Whether the scale is 0 but for rounding; then it is 0. */
bool robust_is_exact(robust_state *state);

/* gamma <- least squares. */
bool robust_least_squares(robust_state *state);

/* Iterates the method from gamma, with the scale anew at each step or, where `keeps`, as it is. */
bd_likelihood_end robust_iterate(robust_state *state, bool keeps);

/* Refines an S estimate from gamma: gamma and scale. */
bd_likelihood_end robust_refine_s(robust_state *state);

/* Searches for one: gamma and scale. */
BD_CHECKED bd_status robust_search_s(robust_state *state, bd_arena *arena, bd_likelihood_end *end);

/* The covariance of the coefficients; `s_residuals` those of the S estimate, or NULL. */
BD_CHECKED bd_status robust_covariance(const robust_state *state, const double *s_residuals, const bd_se_estimator *se,
                                       bd_arena *arena, double *covariance);

#endif
