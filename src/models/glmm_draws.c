/* Replicates of a generalised mixed model: of groups that are drawn, or of outcomes that are. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "models/glmm_internal.h"
#include "models/search.h"

struct bd_glmm_drawing {
    const bd_glmm_model *model;
    const bd_glmm *fit;
    glmm_point nodes;
    size_t n; /* parameters */
    bool separated; /* the fit itself is */
};

/* Of an average group: whether a mean is at its edge. The search stops where an infinite estimate no longer matters. */
static bool is_separated(const bd_glmm_drawing *d, const double *counts, const double *x)
{
    const bd_glmm_model *model = d->model;
    const bool share = model->kind->family == &bd_binomial;
    const size_t p = model->p;
    for (size_t g = 0; g < model->n_groups; g++)
        for (size_t i = model->starts[g]; i < model->starts[g + 1] && (counts == NULL || counts[g] > 0); i++) {
            double eta = 0, slope;
            for (size_t j = 0; j < p; j++)
                eta += model->x[i * p + j] * x[j];
            const double mu = bd_link_mean(model->kind->link, eta, &slope);
            if (mu < 1e-6 || (share && mu > 1 - 1e-6))
                return true;
        }
    return false;
}

bd_status bd_glmm_drawing_new(const bd_glmm_model *model, const bd_glmm *fit, bd_arena *arena, const bd_glmm_drawing **out)
{
    bd_glmm_drawing *d;
    BD_NEW(arena, d, 1);
    *d = (bd_glmm_drawing){.model = model, .fit = fit, .n = model->p + model->k + model->has_theta};
    BD_TRY(glmm_point_new(model, fit->n_nodes, 1, arena, &d->nodes));
    BD_TRY(glmm_make_nodes(&d->nodes));
    d->separated = is_separated(d, NULL, fit->parameters);
    *out = d;
    return BD_OK;
}

size_t bd_glmm_drawing_scratch(const bd_glmm_drawing *d)
{
    return d->model->n + d->n + search_room(d->n) + glmm_point_room(d->model);
}

size_t bd_glmm_draw_normals(const bd_glmm_drawing *d)
{
    return d->model->n_groups * d->model->q;
}

size_t bd_glmm_draw_uniforms(const bd_glmm_drawing *d)
{
    return d->model->n;
}

/* The chance of at most k: of k successes in n trials, or of a count. */
static double chance(const bd_glmm_drawing *d, double k, double n, double mu)
{
    const bd_family *family = d->model->kind->family;
    if (family == &bd_binomial)
        return gsl_cdf_binomial_P((unsigned)k, mu, (unsigned)n);
    if (family == &bd_poisson)
        return gsl_cdf_poisson_P((unsigned)k, mu);
    return gsl_cdf_negative_binomial_P((unsigned)k, d->fit->theta / (d->fit->theta + mu), d->fit->theta);
}

/* The least count whose chance is not below u: by doubling, then halving. */
static double count_of(const bd_glmm_drawing *d, double u, double n, double mu)
{
    const bool binomial = d->model->kind->family == &bd_binomial;
    const double most = binomial ? n : 1e9;
    double low = -1, high = binomial ? n : 1;
    if (binomial && n == 1)
        return u < 1 - mu ? 0 : 1;
    while (high < most && chance(d, high, n, mu) < u) {
        low = high;
        high = fmin(2 * high, most);
    }
    while (high - low > 1) {
        const double middle = floor((low + high) / 2);
        *(chance(d, middle, n, mu) < u ? &low : &high) = middle;
    }
    return high;
}

/* y (rows by group) from normals of groups and uniforms of rows. */
static void draw_outcomes(const bd_glmm_drawing *d, const double *numbers, double *y)
{
    const bd_glmm_model *model = d->model;
    const size_t q = model->q, p = model->p;
    const double *x = d->fit->parameters, *uniforms = numbers + model->n_groups * q;
    for (size_t g = 0; g < model->n_groups; g++) {
        const double *u = numbers + g * q;
        for (size_t i = model->starts[g]; i < model->starts[g + 1]; i++) {
            double eta = model->offset[i], slope;
            for (size_t j = 0; j < p; j++)
                eta += model->x[i * p + j] * x[j];
            for (size_t l = 0; l < model->k; l++)
                eta += model->z[i * q + model->entries[l].row] * x[p + l] * u[model->entries[l].column];
            y[i] = count_of(d, uniforms[i], model->trials[i], bd_link_mean(model->kind->link, eta, &slope));
        }
    }
}

void bd_glmm_relative(const bd_glmm_drawing *d, const double *parameters, double *relative)
{
    const size_t q = d->model->q;
    memset(relative, 0, q * q * sizeof *relative);
    for (size_t l = 0; l < d->model->k; l++)
        relative[d->model->entries[l].row * q + d->model->entries[l].column] = parameters[l];
}

bd_mixed_end bd_glmm_draw(const bd_glmm_drawing *d, const double *counts, const double *numbers, double *scratch,
                          double *values)
{
    const bd_glmm_model *model = d->model;
    const size_t p = model->p, k = model->k;
    double *y = scratch, *x = y + model->n, *room = x + d->n, deviance;
    size_t n_iterations;
    glmm_point point;
    glmm_point_make(model, &d->nodes, room + search_room(d->n), &point);
    memcpy(point.modes, d->fit->modes, model->n_groups * model->q * sizeof *point.modes);
    memcpy(x, d->fit->parameters, d->n * sizeof *x);
    for (size_t l = 0; l < k; l++) /* the gradient by a variance of 0 is 0 */
        if (model->entries[l].row == model->entries[l].column && x[p + l] < 0.1)
            x[p + l] = 0.1;
    if (numbers != NULL)
        draw_outcomes(d, numbers, y);
    point.counts = counts;
    point.y = numbers == NULL ? NULL : y;
    const double *curvature = d->fit->end == BD_MIXED_CONVERGED ? d->fit->curvature : NULL;
    const bd_mixed_end end = glmm_search(model, &point, curvature, x, room, &deviance, &n_iterations);
    for (size_t i = 0; i < p; i++) {
        values[i] = 0;
        for (size_t j = i; j < p; j++)
            values[i] += model->rotation[i * p + j] * x[j];
    }
    for (size_t l = 0; l < k; l++)
        values[p + l] = x[p + l] / model->scale[model->entries[l].row];
    if (model->has_theta)
        values[p + k] = exp(x[p + k]);
    return is_separated(d, counts, x) && !d->separated ? BD_MIXED_SEPARATED : end;
}
