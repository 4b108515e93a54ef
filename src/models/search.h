/* Quasi-Newton search for a minimum: the gradient is exact, the Hessian begins as differences of it and is brought up to
 * date by Broyden, Fletcher, Goldfarb and Shanno's formula. */
#ifndef BORDIN_SRC_MODELS_SEARCH_H
#define BORDIN_SRC_MODELS_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

typedef struct search_objective {
    size_t n;
    bool (*at)(void *context, const double *x, double *value, double *gradient); /* false: not finite there */
    void *context;
    /* n, or NULL: which arguments the function is even in. Their 0 may be a saddle: where the function is not convex, one
     * step takes them no nearer to it than a third of the way is left. */
    const bool *even;
} search_objective;

/* Moves x (n) to the minimum, which is where the objective was evaluated last. `curvature` (n x n): second derivatives to
 * start with, NULL if not known; the last of them stand at the begin of `room`, search_room doubles. False: there was
 * none in 200 iterations. */
bool search_minimum(const search_objective *objective, const double *curvature, double *x, double *value, double *room,
                    size_t *n_iterations);
size_t search_room(size_t n);

#endif
