/* Linear mixed models: the fit, degrees of freedom, conditional modes. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_eigen.h>

#include "models/mixed_internal.h"

static const double SMALLEST_EIGENVALUE = 1e-8; /* of the Hessian, as in lmerTest: below, a direction has no curvature */

/* What a fit is worked out with. */
typedef struct fitting {
    const bd_mixed_model *model;
    const bd_mixed_options *options;
    mixed_data data;
    mixed_point point;
    double *theta, *room;
    double sigma;
} fitting;

int mixed_threads(int n_threads)
{
    return n_threads > 0 ? n_threads : omp_get_max_threads();
}

static void start_afresh(const bd_mixed_model *model, double *theta)
{
    for (size_t i = 0; i < model->k; i++)
        theta[i] = model->entries[i].row == model->entries[i].column ? model->terms[model->entries[i].term].start : 0;
}

static bd_status begin(const bd_mixed_model *model, const bd_mixed_options *options, bd_arena *arena, fitting *f)
{
    double *room;
    *f = (fitting){.model = model, .options = options, .data = {.response = model->response}};
    BD_NEW(arena, f->theta, model->k + 1);
    BD_NEW(arena, f->room, mixed_search_room(model));
    BD_NEW(arena, room, mixed_point_room(model));
    mixed_point_make(model, room, &f->point);
    f->point.n_threads = mixed_threads(options->n_threads);
    start_afresh(model, f->theta);
    return BD_OK;
}

/* beta (p) <- ols + rotation * gamma. */
static void coefficients(const bd_mixed_model *model, const double *gamma, double *beta)
{
    const size_t p = model->p;
    for (size_t i = 0; i < p; i++) {
        beta[i] = model->ols[i];
        for (size_t j = i; j < p; j++)
            beta[i] += model->rotation[i * p + j] * gamma[j];
    }
}

/* out (p x p) <- factor * rotation * inner * rotation'. */
static void rotate(const bd_mixed_model *model, const double *inner, double factor, double *out)
{
    const size_t p = model->p;
    double half[p];
    for (size_t i = 0; i < p; i++) {
        for (size_t j = 0; j < p; j++) {
            half[j] = 0;
            for (size_t l = i; l < p; l++)
                half[j] += model->rotation[i * p + l] * inner[l * p + j];
        }
        for (size_t j = 0; j < p; j++) {
            double sum = 0;
            for (size_t l = j; l < p; l++)
                sum += half[l] * model->rotation[j * p + l];
            out[i * p + j] = factor * sum;
        }
    }
}

/* Of the deviance in Lambda and sigma, at the fit's sigma: gradient (k + 1) and the covariance of the coefficients. */
static bool gradient_at(fitting *f, const double *theta, double *gradient, double *covariance)
{
    const bd_mixed_model *model = f->model;
    const double sigma = f->sigma;
    mixed_set(model, theta, &f->point);
    if (!mixed_evaluate(model, &f->data, f->options->reml, sigma, &f->point))
        return false;
    const double n = f->point.n - (f->options->reml ? (double)model->p : 0);
    memcpy(gradient, f->point.gradient, model->k * sizeof *gradient);
    gradient[model->k] = 2 * n / sigma - 2 * f->point.residual / (sigma * sigma * sigma);
    rotate(model, f->point.inverse, sigma * sigma, covariance);
    return true;
}

/* hessian ((k + 1)^2) and slopes (k + 1 of p x p): by Lambda and sigma, of the deviance and of the covariance. By Lambda
 * central differences of the fourth order; by sigma as it is. */
static bool find_slopes(fitting *f, const double *covariance, double *hessian, double *slopes, double *work)
{
    static const double places[] = {-2, -1, 1, 2}, factors[] = {1.0 / 12, -8.0 / 12, 8.0 / 12, -1.0 / 12};
    const size_t k = f->model->k, p = f->model->p, n = k + 1;
    const double variance = f->sigma * f->sigma, residual = f->point.residual;
    const double rows = f->point.n - (f->options->reml ? (double)p : 0);
    double *theta = work, *gradient = theta + k, *moved = gradient + n;
    memcpy(theta, f->theta, k * sizeof *theta);
    memset(hessian, 0, n * n * sizeof *hessian);
    memset(slopes, 0, k * p * p * sizeof *slopes);
    for (size_t j = 0; j < k; j++) {
        const double here = theta[j], step = 1e-3 * fmax(fabs(here), 0.1);
        for (size_t s = 0; s < 4; s++) {
            theta[j] = here + places[s] * step;
            if (!gradient_at(f, theta, gradient, moved))
                return false;
            for (size_t i = 0; i < n; i++)
                hessian[i * n + j] += factors[s] * gradient[i] / step;
            for (size_t i = 0; i < p * p; i++)
                slopes[j * p * p + i] += factors[s] * moved[i] / step;
        }
        theta[j] = here;
    }
    hessian[n * n - 1] = 6 * residual / (variance * variance) - 2 * rows / variance;
    for (size_t i = 0; i < p * p; i++)
        slopes[k * p * p + i] = 2 * covariance[i] / f->sigma;
    for (size_t j = 0; j < k; j++) {
        hessian[j * n + k] = hessian[k * n + j];
        for (size_t i = 0; i < j; i++)
            hessian[i * n + j] = hessian[j * n + i] = (hessian[i * n + j] + hessian[j * n + i]) / 2;
    }
    return true;
}

bd_status mixed_invert(size_t n, double *hessian, bd_arena *arena, double *inverse)
{
    gsl_matrix_view matrix = gsl_matrix_view_array(hessian, n, n);
    double *values, *vectors;
    BD_NEW(arena, values, n);
    BD_NEW(arena, vectors, n * n);
    gsl_vector_view eigenvalues = gsl_vector_view_array(values, n);
    gsl_matrix_view eigenvectors = gsl_matrix_view_array(vectors, n, n);
    gsl_eigen_symmv_workspace *workspace = gsl_eigen_symmv_alloc(n);
    if (workspace == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    gsl_eigen_symmv(&matrix.matrix, &eigenvalues.vector, &eigenvectors.matrix, workspace);
    gsl_eigen_symmv_free(workspace);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t l = 0; l < n; l++)
                if (values[l] > SMALLEST_EIGENVALUE)
                    sum += 2 * vectors[i * n + l] * vectors[j * n + l] / values[l];
            inverse[i * n + j] = sum;
        }
    return BD_OK;
}

/* What degrees of freedom are made of: 2 variance^2 / variance of the variance. */
static bd_status satterthwaite(fitting *f, bd_arena *arena, bd_mixed *fit)
{
    const size_t k = f->model->k, p = f->model->p, n = k + 1;
    double *hessian, *work;
    BD_NEW(arena, hessian, n * n);
    BD_NEW(arena, work, 2 * n + p * p);
    if (!find_slopes(f, fit->covariance, hessian, fit->slopes, work))
        return bd_fail(BD_ENUMERIC, "the deviance cannot be differentiated where it is least");
    return mixed_invert(n, hessian, arena, fit->parameter_covariance);
}

static bd_status kenward_roger(fitting *f, double *unadjusted, bd_arena *arena, bd_mixed *fit)
{
    const bd_mixed_model *model = f->model;
    const size_t p = model->p, n = model->k + 1;
    const double variance = f->sigma * f->sigma;
    double *adjusted, *slopes;
    BD_NEW(arena, adjusted, p * p);
    BD_NEW(arena, slopes, n * p * p);
    BD_TRY(mixed_kenward_roger(model, &f->point, arena, fit->parameter_covariance, slopes, adjusted));
    memcpy(unadjusted, fit->covariance, p * p * sizeof *unadjusted);
    fit->unadjusted = unadjusted;
    rotate(model, adjusted, variance, fit->covariance);
    for (size_t r = 0; r < n; r++)
        rotate(model, slopes + r * p * p, 1, fit->slopes + r * p * p);
    for (size_t i = 0; i < n * n; i++)
        fit->parameter_covariance[i] *= variance * variance;
    return BD_OK;
}

/* l'Vl for a p x p matrix. */
static double form(size_t p, const double *matrix, const double *l)
{
    double sum = 0;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            sum += l[i] * matrix[i * p + j] * l[j];
    return sum;
}

bd_mixed_coefficient bd_mixed_contrast(const bd_mixed *fit, const double *weights)
{
    const size_t p = fit->n_columns, n = fit->n_parameters + 1;
    const double variance = form(p, fit->unadjusted, weights), tail = (1 - fit->level) / 2;
    bd_mixed_coefficient c = {.se = sqrt(form(p, fit->covariance, weights)), .df = INFINITY};
    double uncertainty = 0;
    for (size_t j = 0; j < p; j++)
        c.estimate += weights[j] * fit->coefficients[j].estimate;
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n; b++)
            uncertainty += form(p, fit->slopes + a * p * p, weights) * fit->parameter_covariance[a * n + b] *
                           form(p, fit->slopes + b * p * p, weights);
    if (uncertainty > 0)
        c.df = 2 * variance * variance / uncertainty;
    const bool t = isfinite(c.df);
    const double quantile = t ? gsl_cdf_tdist_Qinv(tail, c.df) : gsl_cdf_ugaussian_Qinv(tail);
    c.t = c.estimate / c.se;
    c.p = 2 * (t ? gsl_cdf_tdist_Q(fabs(c.t), c.df) : gsl_cdf_ugaussian_Q(fabs(c.t)));
    c.ci_low = c.estimate - quantile * c.se;
    c.ci_high = c.estimate + quantile * c.se;
    return c;
}

static bd_status new_fit(const bd_mixed_model *model, const bd_mixed_options *options, bd_arena *arena, bd_mixed **out)
{
    const size_t p = model->p, k = model->k;
    bd_mixed *fit;
    BD_NEW(arena, fit, 1);
    BD_NEW(arena, fit->coefficients, p);
    BD_NEW(arena, fit->covariance, p * p);
    BD_NEW(arena, fit->slopes, (k + 1) * p * p);
    BD_NEW(arena, fit->parameter_covariance, (k + 1) * (k + 1));
    BD_NEW(arena, fit->curvature, k * k);
    BD_NEW(arena, fit->gamma, p);
    BD_NEW(arena, fit->random, model->n_terms);
    for (size_t t = 0; t < model->n_terms; t++)
        BD_TRY(mixed_new_random(&model->terms[t], arena, &fit->random[t]));
    fit->unadjusted = fit->covariance;
    fit->n_rows = model->design->n_rows;
    fit->n_used = model->n_used;
    fit->n_columns = p;
    fit->n_terms = model->n_terms;
    fit->n_parameters = k;
    fit->entries = model->entries;
    fit->reml = options->reml;
    fit->level = options->level;
    *out = fit;
    return BD_OK;
}

bd_status bd_mixed_fit(const bd_mixed_model *model, const bd_mixed_options *options, bd_arena *arena, const bd_mixed **out)
{
    const size_t p = model->p;
    bd_mixed *fit = NULL;
    fitting f;
    double *unadjusted;
    if (options->df == BD_MIXED_KENWARD_ROGER && !options->reml)
        return bd_fail(BD_EUSAGE, "Kenward and Roger's degrees of freedom are of REML, not of maximum likelihood");
    BD_TRY(new_fit(model, options, arena, &fit));
    BD_NEW(arena, unadjusted, p * p);
    const bd_mark scratch = bd_arena_mark(arena);
    double *beta;
    BD_TRY(begin(model, options, arena, &f));
    BD_NEW(arena, beta, p);
    fit->end = mixed_minimise(model, &f.data, options->reml, NULL, f.theta, &f.point, f.room, &fit->n_iterations);
    f.sigma = sqrt(f.point.residual / (f.point.n - (options->reml ? (double)p : 0)));
    fit->sigma = f.sigma;
    fit->deviance = f.point.deviance;
    fit->log_likelihood = -fit->deviance / 2;
    const double df = (double)(p + model->k + 1);
    fit->aic = fit->deviance + 2 * df;
    fit->bic = fit->deviance + log((double)model->n_used) * df;
    coefficients(model, f.point.gamma, beta);
    rotate(model, f.point.inverse, f.sigma * f.sigma, fit->covariance);
    for (size_t j = 0; j < p; j++)
        fit->coefficients[j] = (bd_mixed_coefficient){.estimate = beta[j], .df = INFINITY};
    memcpy(fit->gamma, f.point.gamma, p * sizeof *fit->gamma);
    memcpy(fit->curvature, f.room, model->k * model->k * sizeof *f.room);
    mixed_describe_random(model, &f.point, fit);
    BD_TRY(mixed_find_effects(model, &f.data, &f.point, arena, fit));
    if (options->df == BD_MIXED_SATTERTHWAITE && fit->end != BD_MIXED_NOT_CONVERGED)
        BD_TRY(satterthwaite(&f, arena, fit));
    if (options->df == BD_MIXED_KENWARD_ROGER && fit->end != BD_MIXED_NOT_CONVERGED)
        BD_TRY(kenward_roger(&f, unadjusted, arena, fit));
    double *one;
    BD_NEW(arena, one, p);
    for (size_t j = 0; j < p; j++) {
        memset(one, 0, p * sizeof *one);
        one[j] = 1;
        fit->coefficients[j] = bd_mixed_contrast(fit, one);
    }
    bd_arena_rewind(arena, scratch);
    *out = fit;
    return BD_OK;
}

bd_mixed_parts bd_mixed_parts_of(const bd_mixed_model *model)
{
    return (bd_mixed_parts){.n = model->n_parts, .of_group = model->part_of, .term = model->first};
}

size_t bd_mixed_finest(const bd_mixed_model *model)
{
    return model->first;
}

size_t bd_mixed_scratch(const bd_mixed_model *model)
{
    return mixed_point_room(model) + mixed_search_room(model) + model->k;
}

bd_mixed_end bd_mixed_replicate(const bd_mixed_model *model, const bd_mixed *fit, const double *counts, double *scratch,
                                double *values)
{
    const mixed_data data = {.counts = counts, .response = model->response};
    return mixed_refit(model, fit, &data, scratch, values, NULL);
}

/* theta <- the fit's, but not where the gradient is 0 by symmetry: then true. */
static bool start_at(const bd_mixed_model *model, const bd_mixed *fit, double *theta)
{
    bool moved = false;
    for (size_t i = 0; i < model->k; i++) {
        const bd_mixed_entry *e = &model->entries[i];
        const mixed_term *term = &model->terms[e->term];
        theta[i] = fit->random[e->term].relative[e->row * term->q + e->column] * term->scale[e->row];
        if (e->row == e->column && theta[i] < 0.1) {
            theta[i] = 0.1;
            moved = true;
        }
    }
    return moved;
}

bd_mixed_end mixed_refit(const bd_mixed_model *model, const bd_mixed *fit, const mixed_data *data, double *scratch,
                         double *values, double *deviance)
{
    const size_t p = model->p, k = model->k;
    mixed_point point;
    size_t n_iterations;
    double *theta = scratch, *room = theta + k;
    mixed_point_make(model, room + mixed_search_room(model), &point);
    const bool moved = start_at(model, fit, theta);
    bd_mixed_end end = mixed_minimise(model, data, fit->reml, moved ? NULL : fit->curvature, theta, &point, room,
                                      &n_iterations);
    if (end == BD_MIXED_NOT_CONVERGED) {
        start_afresh(model, theta);
        end = mixed_minimise(model, data, fit->reml, NULL, theta, &point, room, &n_iterations);
    }
    coefficients(model, point.gamma, values);
    for (size_t i = 0; i < k; i++)
        values[p + i] = theta[i] / model->terms[model->entries[i].term].scale[model->entries[i].row];
    values[p + k] = sqrt(point.residual / (point.n - (fit->reml ? (double)p : 0)));
    if (deviance != NULL)
        *deviance = point.deviance;
    return end;
}

void bd_mixed_relative(const bd_mixed *fit, size_t term, const double *parameters, double *relative)
{
    const size_t q = fit->random[term].n_random;
    memset(relative, 0, q * q * sizeof *relative);
    for (size_t i = 0; i < fit->n_parameters; i++)
        if (fit->entries[i].term == term)
            relative[fit->entries[i].row * q + fit->entries[i].column] = parameters[i];
}
