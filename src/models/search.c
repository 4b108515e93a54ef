/* Broyden, Fletcher, Goldfarb and Shanno's search: Nocedal & Wright (2006), Numerical Optimization, ch. 6. */
#include "models/search.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const double FINISHED = 1e-14; /* the decrease that a step promises: the square of its length in errors */
static const double FLAT = 1e-9;      /* a valley may have no end */
enum { MOST_ITERATIONS = 200, PATIENCE = 40, MOST_HALVINGS = 40 };

size_t search_room(size_t n)
{
    return 2 * n * n + 6 * n + 1;
}

/* hessian <- differences of the gradient from that at x. `moved`: n. */
static bool find_hessian(const search_objective *o, double *x, const double *gradient, double *moved, double *hessian)
{
    const size_t n = o->n;
    double value;
    for (size_t j = 0; j < n; j++) {
        const double here = x[j], step = 1e-5 * fmax(1, fabs(here));
        x[j] = here + step;
        const bool there = o->at(o->context, x, &value, moved);
        x[j] = here;
        if (!there)
            return false;
        for (size_t i = 0; i < n; i++)
            hessian[i * n + j] = (moved[i] - gradient[i]) / step;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            hessian[i * n + j] = hessian[j * n + i] = (hessian[i * n + j] + hessian[j * n + i]) / 2;
    return true;
}

/* step <- -(H + ridge)^-1 gradient with the least ridge, tenfold from nothing, that makes it positive; the decrease it
 * promises is gradient'step / -2. */
static double solve_step(size_t n, const double *hessian, const double *gradient, double *factor, double *step,
                         bool *convex)
{
    double largest = 0;
    *convex = true;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(hessian[i * n + i]));
    for (double ridge = 0;; ridge = ridge > 0 ? 10 * ridge : 1e-8 * largest + DBL_MIN) {
        bool positive = true;
        for (size_t i = 0; i < n && positive; i++)
            for (size_t j = 0; j <= i && positive; j++) {
                double sum = hessian[i * n + j] + (i == j ? ridge : 0);
                for (size_t l = 0; l < j; l++)
                    sum -= factor[i * n + l] * factor[j * n + l];
                positive = i != j || sum > 1e-10 * largest;
                factor[i * n + j] = i == j ? sqrt(fmax(sum, 0)) : sum / factor[j * n + j];
            }
        if (positive || ridge > 1e8 * largest)
            break;
        *convex = false;
    }
    for (size_t i = 0; i < n; i++) {
        step[i] = -gradient[i];
        for (size_t l = 0; l < i; l++)
            step[i] -= factor[i * n + l] * step[l];
        step[i] /= factor[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t l = i + 1; l < n; l++)
            step[i] -= factor[l * n + i] * step[l];
        step[i] /= factor[i * n + i];
    }
    double decrease = 0;
    for (size_t i = 0; i < n; i++)
        decrease -= gradient[i] * step[i] / 2;
    return decrease;
}

/* The Hessian that agrees with how the gradient changed along `step`, from `before`. False: no positive one does. */
static bool update_hessian(size_t n, double *hessian, const double *before, const double *gradient, const double *step,
                           double *product)
{
    double bend = 0, old = 0, change = 0, length = 0;
    for (size_t i = 0; i < n; i++) {
        product[i] = 0;
        for (size_t j = 0; j < n; j++)
            product[i] += hessian[i * n + j] * step[j];
        bend += (gradient[i] - before[i]) * step[i];
        old += product[i] * step[i];
        change += (gradient[i] - before[i]) * (gradient[i] - before[i]);
        length += step[i] * step[i];
    }
    if (!(bend > 1e-8 * sqrt(change * length)) || !(old > 0))
        return false;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            hessian[i * n + j] += (gradient[i] - before[i]) * (gradient[j] - before[j]) / bend -
                                  product[i] * product[j] / old;
    return true;
}

static void keep_off_saddles(const search_objective *o, const double *x, double *step)
{
    for (size_t i = 0; o->even != NULL && i < o->n; i++)
        if (o->even[i] && fabs(x[i] + step[i]) < fabs(x[i]) / 3)
            step[i] = x[i] / 3 - x[i];
}

bool search_minimum(const search_objective *o, const double *curvature, double *x, double *value, double *room,
                    size_t *n_iterations)
{
    const size_t n = o->n;
    double *hessian = room, *factor = hessian + n * n, *gradient = factor + n * n, *step = gradient + n;
    double *trial = step + n, *product = trial + n, *next = product + n, reached;
    bool known = curvature != NULL, convex = true;
    if (known)
        memcpy(hessian, curvature, n * n * sizeof *hessian);
    if (!o->at(o->context, x, value, next))
        return false;
    for (*n_iterations = 0; *n_iterations < MOST_ITERATIONS; ++*n_iterations) {
        const bool fresh = !known;
        memcpy(gradient, next, n * sizeof *gradient);
        if (!known && !find_hessian(o, x, gradient, next, hessian))
            return false;
        const double decrease = solve_step(n, hessian, gradient, factor, step, &convex);
        if (!convex)
            keep_off_saddles(o, x, step);
        const bool last = decrease < (*n_iterations < PATIENCE ? FINISHED : FLAT);
        double share = 1;
        int halving = 0;
        for (; halving < MOST_HALVINGS; halving++, share /= 2) {
            for (size_t i = 0; i < n; i++)
                trial[i] = x[i] + share * step[i];
            if (o->at(o->context, trial, &reached, next) && reached <= *value + 1e-11 * fabs(*value))
                break;
        }
        if (halving < MOST_HALVINGS) {
            memcpy(x, trial, n * sizeof *x);
            *value = reached;
        } else if (!o->at(o->context, x, value, next)) {
            return false;
        }
        if (last || (halving == MOST_HALVINGS && decrease < 1e-8))
            return true;
        if (halving == MOST_HALVINGS && fresh)
            return false;
        for (size_t i = 0; i < n; i++)
            step[i] *= share;
        known = convex && halving == 0 && update_hessian(n, hessian, gradient, next, step, product);
    }
    return false;
}
