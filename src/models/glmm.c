/* Generalised linear mixed models: rows by group, the search, and the errors at its end. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_integration.h>

#include <bordin/core/triangle.h>

#include "models/glmm_internal.h"
#include "models/mixed_internal.h"
#include "models/search.h"

static bool is_used(const bd_glmm_model *model, size_t row)
{
    return model->design.glm.base.weights == NULL || model->design.glm.base.weights[row] > 0;
}

static double at(const double *column, size_t row)
{
    return column == NULL ? 1 : column[row];
}

static bd_status check_term(const bd_glmm_model *model)
{
    const bd_mixed_term *term = &model->design.term;
    const bool counts = model->design.glm.trials != NULL || model->kind->family != &bd_binomial;
    bool intercept = false;
    if (model->n_there < 2)
        return bd_fail(BD_EDATA, "'%s' has only one group in the rows that are used; variances between groups need "
                                 "several",
                       term->group_name);
    if (model->n_there == model->n && !counts)
        return bd_fail(BD_EDATA, "every row is a group of '%s' of its own: of outcomes of 0 and 1, what varies between groups "
                                 "cannot be told from what varies within",
                       term->group_name);
    if (model->q > GLMM_MOST_RANDOM)
        return bd_fail(BD_EDATA, "%zu coefficients that vary by '%s' are more than can be told apart (%d)", model->q,
                       term->group_name, GLMM_MOST_RANDOM);
    for (size_t j = 0; j < model->q; j++)
        intercept = intercept || term->random[j] == NULL;
    for (size_t j = 0; j < model->q; j++) {
        bool varies = term->random[j] == NULL || !intercept;
        for (size_t i = 0; i < model->design.glm.base.n_rows && !varies; i++)
            varies = is_used(model, i) && term->random[j][i] != term->random[j][0];
        if (!varies)
            return bd_fail(BD_EDATA, "'%s' is the same in every row: it cannot have a slope that varies by '%s'",
                           term->random_names[j], term->group_name);
    }
    return BD_OK;
}

/* starts, and order (n): the rows that have a weight, group after group. */
static bd_status sort_rows(bd_glmm_model *model, bd_arena *arena, size_t **order)
{
    const size_t n_rows = model->design.glm.base.n_rows;
    const uint32_t *groups = model->design.term.group;
    size_t *next;
    BD_NEW(arena, model->starts, model->n_groups + 1);
    BD_NEW(arena, next, model->n_groups + 1);
    BD_NEW(arena, *order, n_rows);
    for (size_t i = 0; i < n_rows; i++)
        model->starts[groups[i] + 1] += is_used(model, i);
    for (size_t g = 0; g < model->n_groups; g++) {
        const size_t rows = model->starts[g + 1];
        model->n_there += rows > 0;
        model->most_rows = rows > model->most_rows ? rows : model->most_rows;
        next[g + 1] = model->starts[g + 1] += model->starts[g];
    }
    for (size_t i = 0; i < n_rows; i++)
        if (is_used(model, i))
            (*order)[next[groups[i]]++] = i;
    model->n = model->starts[model->n_groups];
    return BD_OK;
}

/* Columns that are orthogonal with a mean square of 1. */
static bd_status find_rotation(bd_glmm_model *model, bd_arena *arena)
{
    const bd_ols_design *base = &model->design.glm.base;
    const bd_columns columns = {
        .n_rows = base->n_rows, .n_columns = model->p, .values = base->columns, .weights = base->weights};
    double *triangle;
    BD_NEW(arena, model->rotation, model->p * model->p);
    BD_TRY(bd_triangle_of(&columns, 1, arena, &triangle));
    bd_triangle_invert(model->p, model->p, triangle, model->rotation);
    for (size_t i = 0; i < model->p * model->p; i++)
        model->rotation[i] *= sqrt((double)model->n);
    return BD_OK;
}

static bd_status scale_random(bd_glmm_model *model, const size_t *order, bd_arena *arena)
{
    const bd_mixed_term *term = &model->design.term;
    const size_t q = model->q;
    BD_NEW(arena, model->scale, q);
    BD_NEW(arena, model->moments, q * q);
    for (size_t a = 0; a < q; a++) {
        for (size_t b = 0; b < q; b++)
            for (size_t i = 0; i < model->n; i++)
                model->moments[a * q + b] +=
                    at(term->random[a], order[i]) * at(term->random[b], order[i]) / (double)model->n;
        model->scale[a] = sqrt(model->moments[a * q + a]);
        if (!(model->scale[a] > 0 && model->scale[a] < INFINITY))
            return bd_fail(BD_EDATA, "'%s' is 0 in every row, or not a finite number: nothing of it can vary by '%s'",
                           term->random_names[a], term->group_name);
    }
    return BD_OK;
}

static bd_status copy_rows(bd_glmm_model *model, const size_t *order, bd_arena *arena)
{
    const bd_glm_design *d = &model->design.glm;
    const size_t n = model->n, p = model->p, q = model->q;
    double **columns[] = {&model->y, &model->trials, &model->weights, &model->offset};
    for (size_t c = 0; c < 4; c++)
        BD_NEW(arena, *columns[c], n);
    BD_NEW(arena, model->x, n * p);
    BD_NEW(arena, model->z, n * q);
    for (size_t i = 0; i < n; i++) {
        const size_t row = order[i];
        model->y[i] = d->base.response[row];
        model->trials[i] = d->trials == NULL ? 1 : d->trials[row];
        model->weights[i] = at(d->base.weights, row);
        model->offset[i] = d->offset == NULL ? 0 : d->offset[row];
        model->constant += model->weights[i] * model->kind->constant(model->y[i], model->trials[i]);
        for (size_t j = 0; j < p; j++)
            for (size_t l = 0; l <= j; l++)
                model->x[i * p + j] += at(d->base.columns[l], row) * model->rotation[l * p + j];
        for (size_t a = 0; a < q; a++)
            model->z[i * q + a] = at(model->design.term.random[a], row) / model->scale[a];
    }
    return BD_OK;
}

/* A group without any success, or with nothing but, says nothing of the rest; if each is such a one, the variance between
 * them has no end. */
static bd_status check_outcomes(const bd_glmm_model *model)
{
    if (model->kind->family != &bd_binomial)
        return BD_OK;
    for (size_t g = 0; g < model->n_groups; g++) {
        bool none = true, all = true;
        for (size_t i = model->starts[g]; i < model->starts[g + 1]; i++) {
            none = none && model->y[i] <= 0;
            all = all && model->y[i] >= model->trials[i];
        }
        if (!none && !all)
            return BD_OK;
    }
    return bd_fail(BD_EDATA, "the outcome is the same in all rows of each group of '%s': the variance between them has no "
                             "estimate",
                   model->design.term.group_name);
}

static bd_status list_entries(bd_glmm_model *model, bd_arena *arena)
{
    const uint8_t *blocks = model->design.term.blocks;
    BD_NEW(arena, model->entries, model->q * model->q);
    for (size_t c = 0; c < model->q; c++)
        for (size_t r = c; r < model->q; r++)
            if (r == c || blocks == NULL || blocks[r] == blocks[c])
                model->entries[model->k++] = (bd_mixed_entry){0, (uint8_t)r, (uint8_t)c};
    return BD_OK;
}

/* gamma of the model without b: rotation^-1 beta. */
static bd_status find_start(bd_glmm_model *model, const bd_glm *fit, bd_arena *arena)
{
    const size_t p = model->p;
    BD_NEW(arena, model->start, p + model->k + 1);
    for (size_t i = p; i-- > 0;) {
        model->start[i] = fit->coefficients[i].estimate;
        for (size_t j = i + 1; j < p; j++)
            model->start[i] -= model->rotation[i * p + j] * model->start[j];
        model->start[i] /= model->rotation[i * p + i];
    }
    for (size_t l = 0; l < model->k; l++)
        model->start[p + l] = model->entries[l].row == model->entries[l].column ? 0.5 : 0;
    if (model->has_theta)
        model->start[p + model->k] = log(isfinite(fit->theta) && fit->theta < 100 ? fit->theta : 100);
    return BD_OK;
}

/* Without b: this also checks the data. */
static bd_status fit_without(const bd_glmm_model *model, int n_threads, bd_arena *arena, const bd_glm **fit)
{
    bd_glm_design design = model->design.glm;
    design.base.n_threads = n_threads;
    BD_TRY(bd_glm_fit(&design, model->kind->family, model->kind->link, &bd_se_classical, &BD_GLM_DEFAULTS, arena, fit));
    if ((*fit)->end == BD_GLM_SEPARATED)
        return bd_fail(BD_ENUMERIC, "%s %s the outcomes apart without error, groups or no groups: an effect is infinite; leave "
                                    "it out, or take regress --firth",
                       (*fit)->separation->predictors,
                       strchr((*fit)->separation->predictors, ' ') == NULL ? "tells" : "tell");
    if ((*fit)->end == BD_GLM_NOT_CONVERGED)
        return bd_fail(BD_ENUMERIC, "the model without groups, which the search begins with, did not converge");
    return BD_OK;
}

bd_status bd_glmm_prepare(const bd_glmm_design *design, const bd_family *family, const bd_link *link, int n_threads,
                          bd_arena *arena, const bd_glmm_model **out)
{
    const glmm_kind *kind = glmm_kind_of(family, link);
    const bd_glm *without = NULL;
    bd_glmm_model *model;
    size_t *order = NULL;
    if (kind == NULL)
        return bd_fail(BD_EUSAGE, "mixed models are of binomial (logit, probit, cloglog), poisson (log) or negbin (log), not "
                                  "of %s%s%s",
                       bd_family_name(family), link == NULL ? "" : " with ", link == NULL ? "" : bd_link_name(link));
    BD_NEW(arena, model, 1);
    *model = (bd_glmm_model){.design = *design,
                             .kind = kind,
                             .has_theta = family == &bd_negbin,
                             .p = design->glm.base.n_columns,
                             .q = design->term.n_random,
                             .n_groups = design->term.n_groups};
    BD_TRY(sort_rows(model, arena, &order));
    BD_TRY(check_term(model));
    BD_TRY(fit_without(model, n_threads, arena, &without));
    BD_TRY(list_entries(model, arena));
    BD_TRY(find_rotation(model, arena));
    BD_TRY(scale_random(model, order, arena));
    BD_TRY(copy_rows(model, order, arena));
    BD_TRY(check_outcomes(model));
    BD_TRY(find_start(model, without, arena));
    *out = model;
    return BD_OK;
}

bd_status glmm_make_nodes(glmm_point *point)
{
    gsl_integration_fixed_workspace *w =
        gsl_integration_fixed_alloc(gsl_integration_fixed_hermite, point->n_nodes, 0, 1, 0, 0);
    if (w == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    for (size_t k = 0; k < point->n_nodes; k++) {
        const double node = gsl_integration_fixed_nodes(w)[k];
        point->nodes[k] = node;
        point->node_weights[k] = log(gsl_integration_fixed_weights(w)[k]) + node * node;
    }
    gsl_integration_fixed_free(w);
    return BD_OK;
}

static const double MOST_LOG_THETA = 12; /* beyond, counts vary as Poisson's do */

typedef struct question {
    const bd_glmm_model *model;
    glmm_point *point;
} question;

static bool answer(void *context, const double *x, double *value, double *gradient)
{
    const question *q = context;
    if (q->model->has_theta && x[q->model->p + q->model->k] > MOST_LOG_THETA)
        return false;
    return glmm_evaluate(q->model, q->point, x, value, gradient);
}

/* A column of Lambda may be turned; what is nearly 0 and no worse at 0 is 0. */
static bool settle(const bd_glmm_model *model, glmm_point *point, double *x, double *deviance)
{
    const size_t p = model->p;
    bool boundary = false;
    for (size_t l = 0; l < model->k; l++) {
        double at_zero, *diagonal = &x[p + l];
        if (model->entries[l].row != model->entries[l].column)
            continue;
        for (size_t i = 0; i < model->k && *diagonal < 0; i++)
            if (model->entries[i].column == model->entries[l].column && i != l)
                x[p + i] = -x[p + i];
        *diagonal = fabs(*diagonal);
        if (*diagonal > 1e-3)
            continue;
        const double here = *diagonal;
        *diagonal = 0;
        if (!glmm_evaluate(model, point, x, &at_zero, NULL) || at_zero > *deviance + 1e-9 * fmax(1, fabs(*deviance)))
            *diagonal = here;
        boundary = boundary || *diagonal < 1e-4;
    }
    return boundary && glmm_evaluate(model, point, x, deviance, NULL);
}

bd_mixed_end glmm_search(const bd_glmm_model *model, glmm_point *point, const double *curvature, double *x, double *room,
                         double *deviance, size_t *n_iterations)
{
    question asked = {model, point};
    const search_objective objective = {model->p + model->k + model->has_theta, answer, &asked, NULL};
    if (!search_minimum(&objective, curvature, x, deviance, room, n_iterations))
        return BD_MIXED_NOT_CONVERGED;
    return settle(model, point, x, deviance) ? BD_MIXED_BOUNDARY : BD_MIXED_CONVERGED;
}

/* covariance (p x p) <- of beta, from the Hessian in all parameters, which is kept. */
static bd_status find_errors(const bd_glmm_model *model, glmm_point *point, double *x, bd_arena *arena, double *covariance,
                             double *curvature)
{
    static const double places[] = {-2, -1, 1, 2}, factors[] = {1.0 / 12, -8.0 / 12, 8.0 / 12, -1.0 / 12};
    const size_t p = model->p, n = p + model->k + model->has_theta;
    double *hessian, *inverse, *gradient, deviance;
    BD_NEW(arena, hessian, n * n);
    BD_NEW(arena, inverse, n * n);
    BD_NEW(arena, gradient, n);
    for (size_t j = 0; j < n; j++) {
        const double here = x[j], step = 1e-3 * fmax(fabs(here), 0.1);
        for (size_t s = 0; s < 4; s++) {
            x[j] = here + places[s] * step;
            if (!glmm_evaluate(model, point, x, &deviance, gradient))
                return bd_fail(BD_ENUMERIC, "the deviance cannot be differentiated where it is least");
            for (size_t i = 0; i < n; i++)
                hessian[i * n + j] += factors[s] * gradient[i] / step;
        }
        x[j] = here;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            hessian[i * n + j] = hessian[j * n + i] = (hessian[i * n + j] + hessian[j * n + i]) / 2;
    memcpy(curvature, hessian, n * n * sizeof *hessian);
    BD_TRY(mixed_invert(n, hessian, arena, inverse));
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            double sum = 0;
            for (size_t a = i; a < p; a++)
                for (size_t b = j; b < p; b++)
                    sum += model->rotation[i * p + a] * inverse[a * n + b] * model->rotation[j * p + b];
            covariance[i * p + j] = sum;
        }
    return BD_OK;
}

/* Modes Lambda u and the deviations Lambda A^-1 Lambda' at the last evaluation. */
static void find_effects(const bd_glmm_model *model, const glmm_point *point, bd_mixed_random *random)
{
    const size_t q = model->q;
    double row[GLMM_MOST_RANDOM];
    for (size_t g = 0; g < model->n_groups; g++) {
        const double *u = point->modes + g * q, *root = point->roots + g * q * q;
        const bool there = model->starts[g + 1] > model->starts[g];
        for (size_t a = 0; a < q; a++) {
            double effect = 0, variance = 0;
            for (size_t b = 0; b < q; b++) { /* row <- L^-1 of Lambda' column a */
                row[b] = random->relative[a * q + b];
                effect += there ? row[b] * u[b] : 0;
                for (size_t l = 0; l < b && there; l++)
                    row[b] -= root[b * q + l] * row[l];
                row[b] /= there ? root[b * q + b] : 1;
                variance += row[b] * row[b];
            }
            random->effects[g * q + a] = effect;
            random->effect_se[g * q + a] = sqrt(variance);
        }
    }
}

static bd_status describe_random(const bd_glmm_model *model, const glmm_point *point, const double *x, bd_arena *arena,
                                 bd_glmm *fit)
{
    const size_t q = model->q;
    bd_mixed_random *random = &fit->random;
    const mixed_term term = {
        .given = &model->design.term, .q = q, .n_there = model->n_there, .moments = model->moments};
    BD_TRY(mixed_new_random(&term, arena, random));
    for (size_t l = 0; l < model->k; l++) {
        const size_t a = model->entries[l].row, b = model->entries[l].column;
        random->relative[a * q + b] = x[model->p + l] / model->scale[a];
        if (a == b && x[model->p + l] < 1e-4 && fit->end == BD_MIXED_BOUNDARY && random->singular == NULL)
            random->singular = model->design.term.random_names[a];
    }
    for (size_t a = 0; a < q; a++)
        for (size_t b = 0; b < q; b++)
            for (size_t l = 0; l < q; l++)
                random->covariance[a * q + b] += random->relative[a * q + l] * random->relative[b * q + l];
    find_effects(model, point, random);
    return BD_OK;
}

bd_mixed_coefficient bd_glmm_contrast(const bd_glmm *fit, const double *weights)
{
    const size_t p = fit->n_columns;
    const double quantile = gsl_cdf_ugaussian_Pinv(0.5 + fit->level / 2);
    bd_mixed_coefficient c = {.df = INFINITY};
    double variance = 0;
    for (size_t i = 0; i < p; i++) {
        c.estimate += weights[i] * fit->coefficients[i].estimate;
        for (size_t j = 0; j < p; j++)
            variance += weights[i] * fit->covariance[i * p + j] * weights[j];
    }
    c.se = sqrt(variance);
    c.t = c.estimate / c.se;
    c.p = 2 * gsl_cdf_ugaussian_Q(fabs(c.t));
    c.ci_low = c.estimate - quantile * c.se;
    c.ci_high = c.estimate + quantile * c.se;
    return c;
}

static bd_status fill_coefficients(const bd_glmm_model *model, const double *x, bd_arena *arena, bd_glmm *fit)
{
    const size_t p = model->p;
    double *one;
    BD_NEW(arena, one, p);
    for (size_t i = 0; i < p; i++)
        for (size_t j = i; j < p; j++)
            fit->coefficients[i].estimate += model->rotation[i * p + j] * x[j];
    for (size_t i = 0; i < p; i++) {
        memset(one, 0, p * sizeof *one);
        one[i] = 1;
        fit->coefficients[i] = bd_glmm_contrast(fit, one);
    }
    return BD_OK;
}

bd_status bd_glmm_fit(const bd_glmm_model *model, const bd_glmm_options *options, bd_arena *arena, const bd_glmm **out)
{
    const size_t p = model->p, n = p + model->k + model->has_theta;
    bd_glmm *fit;
    glmm_point point;
    double *x, *room, *curvature;
    if (options->n_nodes < 1 || options->n_nodes > GLMM_MOST_NODES || (options->n_nodes > 1 && model->q > 1))
        return bd_fail(BD_EUSAGE, "quadrature takes 1 to %d nodes, and one coefficient that varies; for several, Laplace's "
                                  "approximation (1 node)",
                       GLMM_MOST_NODES);
    BD_NEW(arena, fit, 1);
    BD_NEW(arena, fit->coefficients, p);
    BD_NEW(arena, fit->covariance, p * p);
    BD_NEW(arena, x, n);
    BD_NEW(arena, curvature, n * n);
    BD_NEW(arena, room, search_room(n));
    memcpy(x, model->start, n * sizeof *x);
    *fit = (bd_glmm){.family = model->kind->family, .link = model->kind->link,
                     .n_rows = model->design.glm.base.n_rows, .n_used = model->n, .n_columns = p,
                     .n_nodes = options->n_nodes, .level = options->level, .coefficients = fit->coefficients,
                     .covariance = fit->covariance, .n_parameters = model->k, .theta = NAN,
                     .latent_residual = model->kind->latent_residual};
    BD_TRY(glmm_point_new(model, options->n_nodes, options->n_threads, arena, &point));
    BD_TRY(glmm_make_nodes(&point));
    fit->end = glmm_search(model, &point, NULL, x, room, &fit->deviance, &fit->n_iterations);
    if (fit->end != BD_MIXED_NOT_CONVERGED)
        BD_TRY(find_errors(model, &point, x, arena, fit->covariance, curvature));
    if (!glmm_evaluate(model, &point, x, &fit->deviance, NULL))
        return bd_fail(BD_ENUMERIC, "the deviance is not finite where the search began");
    if (model->has_theta)
        fit->theta = x[n - 1] > MOST_LOG_THETA - 3 ? INFINITY : exp(x[n - 1]);
    fit->log_likelihood = -fit->deviance / 2;
    fit->aic = fit->deviance + 2 * (double)n;
    fit->bic = fit->deviance + log((double)model->n) * (double)n;
    BD_TRY(fill_coefficients(model, x, arena, fit));
    BD_TRY(describe_random(model, &point, x, arena, fit));
    fit->parameters = x;
    fit->curvature = curvature;
    fit->modes = point.modes;
    *out = fit;
    return BD_OK;
}
