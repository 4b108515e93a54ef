/* Quasi-Newton search for the least profiled deviance: its gradient is exact, the Hessian begins as differences of it and
 * is brought up to date by Broyden, Fletcher, Goldfarb and Shanno's formula. Lambda's entries are free, for the deviance
 * is even in each of its columns: a variance of 0 is a stationary point, and no wall. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "models/mixed_internal.h"

static const double FINISHED = 1e-14; /* the decrease that a step promises: the square of its length in errors */
static const double FLAT = 1e-9;      /* at a boundary Lambda may be free to turn: a valley without an end */
enum { MOST_ITERATIONS = 200, PATIENCE = 40, MOST_HALVINGS = 40 };

size_t mixed_search_room(const bd_mixed_model *model)
{
    return 2 * model->k * model->k + 6 * model->k;
}

static bool at(const bd_mixed_model *model, const mixed_data *data, bool reml, const double *theta, mixed_point *point)
{
    mixed_set(model, theta, point);
    return mixed_evaluate(model, data, reml, 0, point);
}

/* hessian <- differences of the gradient from that at theta. */
static bool find_hessian(const bd_mixed_model *model, const mixed_data *data, bool reml, double *theta,
                         mixed_point *point, const double *gradient, double *hessian)
{
    const size_t k = model->k;
    for (size_t j = 0; j < k; j++) {
        const double here = theta[j], step = 1e-5 * fmax(1, fabs(here));
        theta[j] = here + step;
        if (!at(model, data, reml, theta, point))
            return false;
        theta[j] = here;
        for (size_t i = 0; i < k; i++)
            hessian[i * k + j] = (point->gradient[i] - gradient[i]) / step;
    }
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < i; j++)
            hessian[i * k + j] = hessian[j * k + i] = (hessian[i * k + j] + hessian[j * k + i]) / 2;
    return true;
}

/* step <- -(H + ridge)^-1 gradient with the least ridge, tenfold from nothing, that makes it positive; the decrease it
 * promises is gradient'step / -2. */
static double solve_step(size_t k, const double *hessian, const double *gradient, double *factor, double *step,
                         bool *convex)
{
    double largest = 0;
    *convex = true;
    for (size_t i = 0; i < k; i++)
        largest = fmax(largest, fabs(hessian[i * k + i]));
    for (double ridge = 0;; ridge = ridge > 0 ? 10 * ridge : 1e-8 * largest + DBL_MIN) {
        bool positive = true;
        for (size_t i = 0; i < k && positive; i++)
            for (size_t j = 0; j <= i && positive; j++) {
                double sum = hessian[i * k + j] + (i == j ? ridge : 0);
                for (size_t l = 0; l < j; l++)
                    sum -= factor[i * k + l] * factor[j * k + l];
                positive = i != j || sum > 1e-10 * largest;
                factor[i * k + j] = i == j ? sqrt(fmax(sum, 0)) : sum / factor[j * k + j];
            }
        if (positive || ridge > 1e8 * largest)
            break;
        *convex = false;
    }
    for (size_t i = 0; i < k; i++) {
        step[i] = -gradient[i];
        for (size_t l = 0; l < i; l++)
            step[i] -= factor[i * k + l] * step[l];
        step[i] /= factor[i * k + i];
    }
    for (size_t i = k; i-- > 0;) {
        for (size_t l = i + 1; l < k; l++)
            step[i] -= factor[l * k + i] * step[l];
        step[i] /= factor[i * k + i];
    }
    double decrease = 0;
    for (size_t i = 0; i < k; i++)
        decrease -= gradient[i] * step[i] / 2;
    return decrease;
}

/* Zero what is nearly so, where the deviance does not mind. */
static bool round_off(const bd_mixed_model *model, const mixed_data *data, bool reml, double *theta, double *trial,
                      mixed_point *point)
{
    bool boundary = false, turned = false;
    for (size_t i = 0; i < model->k; i++) {
        if (model->entries[i].row != model->entries[i].column)
            continue;
        turned = turned || theta[i] < 0;
        if (theta[i] < 0) /* lme4's sign: a column may be turned */
            for (size_t j = 0; j < model->k; j++)
                if (model->entries[j].term == model->entries[i].term &&
                    model->entries[j].column == model->entries[i].column)
                    theta[j] = -theta[j];
        if (theta[i] > 1e-3)
            continue;
        const double deviance = point->deviance;
        memcpy(trial, theta, model->k * sizeof *trial);
        trial[i] = 0;
        if (at(model, data, reml, trial, point) && point->deviance <= deviance + 1e-9 * fmax(1, fabs(deviance))) {
            memcpy(theta, trial, model->k * sizeof *trial);
            boundary = true;
        } else {
            at(model, data, reml, theta, point);
        }
        boundary = boundary || theta[i] < 1e-4;
    }
    if (boundary || turned) /* the point is to be that of theta */
        at(model, data, reml, theta, point);
    return boundary;
}

/* The Hessian that agrees with how the gradient changed along `step`, from `before`. False: no positive one does. */
static bool update_hessian(size_t k, double *hessian, const double *before, const double *gradient, const double *step,
                           double *product)
{
    double bend = 0, old = 0, change = 0, length = 0;
    for (size_t i = 0; i < k; i++) {
        product[i] = 0;
        for (size_t j = 0; j < k; j++)
            product[i] += hessian[i * k + j] * step[j];
        bend += (gradient[i] - before[i]) * step[i];
        old += product[i] * step[i];
        change += (gradient[i] - before[i]) * (gradient[i] - before[i]);
        length += step[i] * step[i];
    }
    if (!(bend > 1e-8 * sqrt(change * length)) || !(old > 0))
        return false;
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < k; j++)
            hessian[i * k + j] += (gradient[i] - before[i]) * (gradient[j] - before[j]) / bend -
                                  product[i] * product[j] / old;
    return true;
}

bd_mixed_end mixed_minimise(const bd_mixed_model *model, const mixed_data *data, bool reml, const double *curvature,
                            double *theta, mixed_point *point, double *room, size_t *n_iterations)
{
    const size_t k = model->k;
    double *hessian = room, *factor = hessian + k * k, *gradient = factor + k * k, *step = gradient + k;
    double *trial = step + k, *product = trial + k;
    bool known = curvature != NULL, convex = true;
    if (known)
        memcpy(hessian, curvature, k * k * sizeof *hessian);
    if (!at(model, data, reml, theta, point))
        return BD_MIXED_NOT_CONVERGED;
    for (*n_iterations = 0; *n_iterations < MOST_ITERATIONS; ++*n_iterations) {
        const double deviance = point->deviance;
        const bool fresh = !known;
        memcpy(gradient, point->gradient, k * sizeof *gradient);
        if (!known && !find_hessian(model, data, reml, theta, point, gradient, hessian))
            return BD_MIXED_NOT_CONVERGED;
        const double decrease = solve_step(k, hessian, gradient, factor, step, &convex);
        const bool last = decrease < (*n_iterations < PATIENCE ? FINISHED : FLAT);
        double share = 1;
        int halving = 0;
        for (; halving < MOST_HALVINGS; halving++, share /= 2) {
            for (size_t i = 0; i < k; i++)
                trial[i] = theta[i] + share * step[i];
            if (at(model, data, reml, trial, point) && point->deviance <= deviance + 1e-11 * fabs(deviance))
                break;
        }
        if (halving < MOST_HALVINGS)
            memcpy(theta, trial, k * sizeof *theta);
        else
            at(model, data, reml, theta, point);
        if (last || (halving == MOST_HALVINGS && decrease < 1e-8))
            return round_off(model, data, reml, theta, trial, point) ? BD_MIXED_BOUNDARY : BD_MIXED_CONVERGED;
        if (halving == MOST_HALVINGS && fresh)
            return BD_MIXED_NOT_CONVERGED;
        for (size_t i = 0; i < k; i++)
            step[i] *= share;
        known = convex && halving == 0 && update_hessian(k, hessian, gradient, point->gradient, step, product);
    }
    return BD_MIXED_NOT_CONVERGED;
}
