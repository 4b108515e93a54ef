/* Linear mixed models: the fit, degrees of freedom, conditional modes. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_eigen.h>

#include "models/mixed_internal.h"

static const double SMALLEST_EIGENVALUE = 1e-8; /* of the Hessian, as in lmerTest: below, a direction has no curvature */

/* What a fit is worked out with. */
typedef struct fitting {
    const bd_mixed_model *model;
    const bd_mixed_options *options;
    mixed_point point;
    double *theta, *room;
    double sigma;
} fitting;

static bd_status begin(const bd_mixed_model *model, const bd_mixed_options *options, bd_arena *arena, fitting *f)
{
    double *room;
    *f = (fitting){.model = model, .options = options};
    BD_NEW(arena, f->theta, model->k + 1);
    BD_NEW(arena, f->room, mixed_search_room(model));
    BD_NEW(arena, room, mixed_point_room(model));
    mixed_point_make(model, room, &f->point);
    for (size_t i = 0; i < model->k; i++)
        f->theta[i] = model->entry_row[i] == model->entry_column[i] ? 0.5 : 0;
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

/* gradient (k + 1) of the deviance in Lambda and sigma, and the covariance of the coefficients if wanted. */
static bool gradient_at(fitting *f, const double *parameters, double *gradient, double *covariance)
{
    const bd_mixed_model *model = f->model;
    const size_t k = model->k;
    const double sigma = parameters[k];
    mixed_set(model, parameters, &f->point);
    if (!mixed_evaluate(model, NULL, f->options->reml, sigma, &f->point))
        return false;
    const double n = f->point.n - (f->options->reml ? (double)model->p : 0);
    memcpy(gradient, f->point.gradient, k * sizeof *gradient);
    gradient[k] = 2 * n / sigma - 2 * f->point.residual / (sigma * sigma * sigma);
    if (covariance != NULL)
        rotate(model, f->point.inverse, sigma * sigma, covariance);
    return true;
}

/* hessian ((k + 1)^2) and slopes (k + 1 of p x p): by Lambda and sigma, of the deviance and of the covariance. Central
 * differences of the fourth order. */
static bool find_slopes(fitting *f, double *hessian, double *slopes, double *work)
{
    static const double places[] = {-2, -1, 1, 2}, factors[] = {1.0 / 12, -8.0 / 12, 8.0 / 12, -1.0 / 12};
    const size_t k = f->model->k, p = f->model->p, n = k + 1;
    double *parameters = work, *gradient = parameters + n, *covariance = gradient + n;
    memcpy(parameters, f->theta, k * sizeof *parameters);
    parameters[k] = f->sigma;
    memset(hessian, 0, n * n * sizeof *hessian);
    memset(slopes, 0, n * p * p * sizeof *slopes);
    for (size_t j = 0; j < n; j++) {
        const double here = parameters[j], step = 1e-3 * (j == k ? f->sigma : fmax(fabs(here), 0.1));
        for (size_t s = 0; s < 4; s++) {
            parameters[j] = here + places[s] * step;
            if (!gradient_at(f, parameters, gradient, covariance))
                return false;
            for (size_t i = 0; i < n; i++)
                hessian[i * n + j] += factors[s] * gradient[i] / step;
            for (size_t i = 0; i < p * p; i++)
                slopes[j * p * p + i] += factors[s] * covariance[i] / step;
        }
        parameters[j] = here;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            hessian[i * n + j] = hessian[j * n + i] = (hessian[i * n + j] + hessian[j * n + i]) / 2;
    return true;
}

/* inverse <- 2 H^-1 in the directions that have curvature. */
static bd_status invert_hessian(size_t n, double *hessian, bd_arena *arena, double *inverse)
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
    if (!find_slopes(f, hessian, fit->slopes, work))
        return bd_fail(BD_ENUMERIC, "the deviance cannot be differentiated where it is least");
    return invert_hessian(n, hessian, arena, fit->parameter_covariance);
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
    const double variance = form(p, fit->covariance, weights), tail = (1 - fit->level) / 2;
    bd_mixed_coefficient c = {.se = sqrt(variance), .df = INFINITY};
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

/* Conditional modes Lambda L^-T L^-1 Lambda'Z'(y - X beta) and their standard deviations. */
static bd_status find_effects(fitting *f, bd_arena *arena, bd_mixed *fit)
{
    const bd_mixed_model *model = f->model;
    const size_t q = model->q, m = model->m, p = model->p;
    double *root, *solved, *half, *column;
    BD_NEW(arena, root, q * q);
    BD_NEW(arena, solved, q * m);
    BD_NEW(arena, half, q);
    BD_NEW(arena, column, q);
    for (size_t g = 0; g < model->n_groups; g++) {
        double log_det = 0;
        if (!mixed_solve_group(model, f->point.lambda, model->products + g * m * m, root, solved, &log_det))
            return bd_fail(BD_ENUMERIC, "the effects of group %zu cannot be told", g + 1);
        for (size_t i = 0; i < q; i++) {
            half[i] = solved[i * m + m - 1];
            for (size_t j = 0; j < p; j++)
                half[i] -= solved[i * m + q + j] * f->point.gamma[j];
        }
        for (size_t i = q; i-- > 0;) {
            for (size_t l = i + 1; l < q; l++)
                half[i] -= root[l * q + i] * half[l];
            half[i] /= root[i * q + i];
        }
        for (size_t i = 0; i < q; i++) { /* row i of Lambda L^-T */
            double effect = 0, squares = 0;
            for (size_t l = 0; l <= i; l++)
                effect += f->point.lambda[i * q + l] * half[l];
            for (size_t l = 0; l < q; l++) {
                column[l] = l <= i ? f->point.lambda[i * q + l] : 0;
                for (size_t s = 0; s < l; s++)
                    column[l] -= root[l * q + s] * column[s];
                column[l] /= root[l * q + l];
                squares += column[l] * column[l];
            }
            fit->effects[g * q + i] = effect / model->scale[i];
            fit->effect_se[g * q + i] = fit->sigma * sqrt(squares) / model->scale[i];
        }
    }
    return BD_OK;
}

static void describe_random(const fitting *f, bd_mixed *fit)
{
    const size_t q = f->model->q;
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j < q; j++) {
            double sum = 0;
            for (size_t l = 0; l <= i && l <= j; l++)
                sum += f->point.lambda[i * q + l] * f->point.lambda[j * q + l];
            fit->relative[i * q + j] = f->point.lambda[i * q + j] / f->model->scale[i];
            fit->random_covariance[i * q + j] = fit->sigma * fit->sigma * sum / f->model->scale[i] / f->model->scale[j];
            fit->random_moments[i * q + j] = f->model->random_moments[i * q + j];
        }
    for (size_t i = 0; i < q && fit->end == BD_MIXED_BOUNDARY; i++)
        if (f->point.lambda[i * q + i] < 1e-4 && fit->singular == NULL)
            fit->singular = f->model->design->random_names[i];
}

static bd_status new_fit(const bd_mixed_model *model, const bd_mixed_options *options, bd_arena *arena, bd_mixed **out)
{
    const size_t p = model->p, q = model->q, k = model->k;
    bd_mixed *fit;
    BD_NEW(arena, fit, 1);
    BD_NEW(arena, fit->coefficients, p);
    BD_NEW(arena, fit->covariance, p * p);
    BD_NEW(arena, fit->relative, q * q);
    BD_NEW(arena, fit->random_covariance, q * q);
    BD_NEW(arena, fit->random_moments, q * q);
    BD_NEW(arena, fit->slopes, (k + 1) * p * p);
    BD_NEW(arena, fit->parameter_covariance, (k + 1) * (k + 1));
    BD_NEW(arena, fit->effects, model->n_groups * q);
    BD_NEW(arena, fit->effect_se, model->n_groups * q);
    fit->n_rows = model->design->n_rows;
    fit->n_used = model->n_used;
    fit->n_columns = p;
    fit->n_random = q;
    fit->n_groups = model->n_groups;
    fit->n_parameters = k;
    fit->entry_row = model->entry_row;
    fit->entry_column = model->entry_column;
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
    BD_TRY(new_fit(model, options, arena, &fit));
    const bd_mark scratch = bd_arena_mark(arena);
    double *beta;
    BD_TRY(begin(model, options, arena, &f));
    BD_NEW(arena, beta, p);
    fit->end = mixed_minimise(model, NULL, options->reml, f.theta, &f.point, f.room, &fit->n_iterations);
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
    describe_random(&f, fit);
    BD_TRY(find_effects(&f, arena, fit));
    if (options->satterthwaite && fit->end != BD_MIXED_NOT_CONVERGED)
        BD_TRY(satterthwaite(&f, arena, fit));
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

size_t bd_mixed_scratch(const bd_mixed_model *model)
{
    return mixed_point_room(model) + mixed_search_room(model) + model->k;
}

bd_mixed_end bd_mixed_replicate(const bd_mixed_model *model, const bd_mixed *fit, const double *counts, double *scratch,
                                double *values)
{
    const size_t p = model->p, k = model->k;
    mixed_point point;
    size_t n_iterations;
    double *theta = scratch, *room = theta + k;
    mixed_point_make(model, room + mixed_search_room(model), &point);
    for (size_t i = 0; i < k; i++) {
        const size_t r = model->entry_row[i], c = model->entry_column[i];
        theta[i] = fit->relative[r * model->q + c] * model->scale[r];
        if (r == c && theta[i] < 0.1) /* not where the gradient is 0 by symmetry */
            theta[i] = 0.1;
    }
    const bd_mixed_end end = mixed_minimise(model, counts, fit->reml, theta, &point, room, &n_iterations);
    coefficients(model, point.gamma, values);
    for (size_t i = 0; i < k; i++)
        values[p + i] = theta[i] / model->scale[model->entry_row[i]];
    values[p + k] = sqrt(point.residual / (point.n - (fit->reml ? (double)p : 0)));
    return end;
}

void bd_mixed_relative(const bd_mixed *fit, const double *parameters, double *relative)
{
    const size_t q = fit->n_random;
    memset(relative, 0, q * q * sizeof *relative);
    for (size_t i = 0; i < fit->n_parameters; i++)
        relative[fit->entry_row[i] * q + fit->entry_column[i]] = parameters[i];
}
