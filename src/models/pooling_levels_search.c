/* Where the likelihood of effects in studies is highest: Newton's steps within bounds, from several starts. */
#include <math.h>
#include <string.h>

#include "pooling_internal.h"
#include "pooling_levels.h"

enum { MOST_STEPS = 200, MOST_HALVINGS = 60 };
static const double CLOSE = 1e-11;

/* The step of the free variances, by observed information where the likelihood is curved downwards, else expected. */
static void newton(const levels_point *at, const bool free[2], double step[2])
{
    const double *h = at->observed;
    step[0] = step[1] = 0;
    if (free[0] && free[1]) {
        if (!(h[0] > 0 && h[0] * h[2] > h[1] * h[1] * (1 + 1e-12)))
            h = at->expected;
        const double determinant = h[0] * h[2] - h[1] * h[1];
        if (determinant > 1e-14 * h[0] * h[2]) {
            step[0] = (h[2] * at->score[0] - h[1] * at->score[1]) / determinant;
            step[1] = (h[0] * at->score[1] - h[1] * at->score[0]) / determinant;
            return;
        }
    }
    for (size_t k = 0; k < 2; k++)
        if (free[k])
            step[k] = at->score[k] / (at->observed[2 * k] > 0 ? at->observed[2 * k] : at->expected[2 * k]);
}

/* What is fixed, or at 0 with a slope that leads below, stays; so does what a step of both would take below 0. */
static bool direction(const levels_point *at, const bool fixed[2], double step[2])
{
    bool free[2];
    for (size_t k = 0; k < 2; k++)
        free[k] = !fixed[k] && (at->variance[k] > 0 || at->score[k] > 0);
    newton(at, free, step);
    for (size_t k = 0; k < 2; k++)
        if (free[k] && at->variance[k] == 0 && step[k] < 0) {
            free[k] = false;
            newton(at, free, step);
        }
    return free[0] || free[1];
}

bool levels_climb(const bd_levels_model *model, const double *counts, const bool fixed[2], double *work, levels_point *at)
{
    if (!levels_evaluate(model, counts, true, work, at))
        return false;
    for (int i = 0; i < MOST_STEPS; i++) {
        const double before[2] = {at->variance[0], at->variance[1]}, likelihood = at->log_likelihood;
        double step[2];
        bool small = true;
        if (!direction(at, fixed, step))
            return true;
        for (size_t k = 0; k < 2; k++)
            small = small && fabs(step[k]) <= CLOSE * (before[k] + 1e-4 * model->scale);
        int halvings = 0;
        for (double length = 1; halvings < MOST_HALVINGS; halvings++, length /= 2) {
            for (size_t k = 0; k < 2; k++)
                at->variance[k] = fmax(0, before[k] + length * step[k]);
            if (levels_evaluate(model, counts, false, work, at) &&
                at->log_likelihood >= likelihood - 1e-13 * fabs(likelihood))
                break;
        }
        if (halvings == MOST_HALVINGS)
            memcpy(at->variance, before, sizeof before);
        if (!levels_evaluate(model, counts, true, work, at))
            return false;
        if (small || halvings == MOST_HALVINGS || (at->variance[0] == before[0] && at->variance[1] == before[1]))
            return small || halvings < MOST_HALVINGS;
    }
    return false;
}

bool levels_highest(const bd_levels_model *model, const double *counts, double *work, levels_point *at)
{
    static const double starts[][2] = {{0.5, 0.5}, {1, 0}, {0, 1}};
    static const bool neither[2] = {false, false};
    double best[2] = {0, 0}, highest = -INFINITY;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        for (size_t k = 0; k < 2; k++)
            at->variance[k] = starts[i][k] * model->scale;
        if (levels_climb(model, counts, neither, work, at) && at->log_likelihood > highest) {
            highest = at->log_likelihood;
            memcpy(best, at->variance, sizeof best);
        }
    }
    memcpy(at->variance, best, sizeof best);
    return highest > -INFINITY && levels_evaluate(model, counts, true, work, at);
}

bool bd_levels_replicate(const bd_levels_model *model, const double *counts, double *scratch, double *values)
{
    static const bool neither[2] = {false, false};
    levels_point at;
    double *work;
    levels_place(model, scratch, &at, &work);
    for (size_t k = 0; k < 2; k++)
        at.variance[k] = model->scale / 2;
    if (!levels_climb(model, counts, neither, work, &at))
        return false;
    for (size_t j = 0; j < model->p; j++)
        values[j] = at.b[j] + model->ols[j];
    memcpy(values + model->p, at.variance, sizeof at.variance);
    return true;
}
