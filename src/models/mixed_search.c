/* The least profiled deviance. Lambda's entries are free, for the deviance is even in each of its columns: a variance of 0
 * is a stationary point, and no wall. */
#include <math.h>
#include <string.h>

#include "models/mixed_internal.h"
#include "models/search.h"

size_t mixed_search_room(const bd_mixed_model *model)
{
    return search_room(model->k);
}

static bool at(const bd_mixed_model *model, const mixed_data *data, bool reml, const double *theta, mixed_point *point)
{
    mixed_set(model, theta, point);
    return mixed_evaluate(model, data, reml, 0, point);
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

/* What the search asks for. */
typedef struct question {
    const bd_mixed_model *model;
    const mixed_data *data;
    bool reml;
    mixed_point *point;
} question;

static bool answer(void *context, const double *theta, double *value, double *gradient)
{
    const question *q = context;
    if (!at(q->model, q->data, q->reml, theta, q->point))
        return false;
    *value = q->point->deviance;
    memcpy(gradient, q->point->gradient, q->model->k * sizeof *gradient);
    return true;
}

bd_mixed_end mixed_minimise(const bd_mixed_model *model, const mixed_data *data, bool reml, const double *curvature,
                            double *theta, mixed_point *point, double *room, size_t *n_iterations)
{
    question q = {model, data, reml, point};
    const search_objective objective = {model->k, answer, &q, model->diagonal};
    double value, *trial = room + model->k * model->k;
    *n_iterations = 0;
    if (!search_minimum(&objective, curvature, theta, &value, room, n_iterations))
        return BD_MIXED_NOT_CONVERGED;
    return round_off(model, data, reml, theta, trial, point) ? BD_MIXED_BOUNDARY : BD_MIXED_CONVERGED;
}
