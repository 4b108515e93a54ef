/* Mediation from a published correlation matrix: its Cholesky factor is the triangle. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "mediation_internal.h"

enum { MAX_VARIABLES = 200 };

static bd_status label_column(const bd_table *matrix, const bd_column **labels)
{
    for (size_t j = 0; j < matrix->n_columns; j++)
        if (matrix->columns[j].kind == BD_CATEGORIES) {
            *labels = &matrix->columns[j];
            return BD_OK;
        }
    return bd_fail(BD_EDATA, "%s: a correlation matrix needs a column that names its rows", matrix->source);
}

/* The row of the matrix that is named so. */
static bd_status row_of(const bd_table *matrix, const bd_column *labels, const char *name, size_t *row)
{
    for (size_t i = 0; i < matrix->n_rows; i++)
        if (labels->codes[i] > 0 && strcmp(labels->levels[labels->codes[i] - 1], name) == 0) {
            *row = i;
            return BD_OK;
        }
    return bd_fail(BD_EDATA, "%s: column '%s' has no row of the same name", matrix->source, name);
}

/* The correlation of two variables, from whichever halves of the matrix are filled. */
static bd_status correlation(const bd_table *matrix, const bd_column *columns[2], const size_t rows[2], double *r)
{
    const double a = columns[0]->numbers[rows[1]], b = columns[1]->numbers[rows[0]];
    *r = isnan(a) ? b : a;
    if (isnan(*r))
        return bd_fail(BD_EDATA, "%s: the correlation of '%s' and '%s' is missing", matrix->source, columns[0]->name,
                       columns[1]->name);
    if (fabs(*r) > 1 || (columns[0] == columns[1] && *r != 1))
        return bd_fail(BD_EDATA, "%s: %g is not a correlation of '%s' and '%s'", matrix->source, *r, columns[0]->name,
                       columns[1]->name);
    if (!isnan(b) && fabs(b - *r) > 1e-8)
        return bd_fail(BD_EDATA, "%s: '%s' and '%s' correlate %g in one half of the matrix and %g in the other",
                       matrix->source, columns[0]->name, columns[1]->name, *r, b);
    return BD_OK;
}

/* The triangle of (1, variables), standardised, of n cases. */
static bd_status triangle_of(const bd_table *matrix, const char *const *names, size_t n_names, size_t n,
                             bd_arena *arena, double **out)
{
    const bd_column *labels = NULL, *columns[MAX_VARIABLES] = {NULL};
    size_t rows[MAX_VARIABLES];
    BD_TRY(label_column(matrix, &labels));
    for (size_t i = 0; i < n_names; i++) {
        BD_TRY(bd_table_column(matrix, names[i], &columns[i]));
        if (columns[i]->kind != BD_NUMBERS)
            return bd_fail(BD_EDATA, "%s: column '%s' holds text", matrix->source, names[i]);
        BD_TRY(row_of(matrix, labels, names[i], &rows[i]));
    }
    const size_t q = n_names + 1;
    double *products, *triangle;
    BD_NEW(arena, triangle, q * q);
    BD_NEW(arena, products, q * q);
    products[0] = (double)n;
    for (size_t i = 0; i < n_names; i++)
        for (size_t j = i; j < n_names; j++) {
            double r;
            BD_TRY(correlation(matrix, (const bd_column *[]){columns[i], columns[j]}, (size_t[]){rows[i], rows[j]}, &r));
            products[(i + 1) * q + j + 1] = r * (double)(n - 1);
        }
    if (!bd_triangle_from_products(q, products, 1e-10, triangle))
        return bd_fail(BD_EDATA, "%s: these correlations are impossible together (the matrix is not positive definite)",
                       matrix->source);
    *out = triangle;
    return BD_OK;
}

static void infer(bd_coefficient *c, double level)
{
    const double t = gsl_cdf_tdist_Qinv((1 - level) / 2, c->df);
    c->t = c->estimate / c->se;
    c->p = 2 * gsl_cdf_tdist_Q(fabs(c->t), c->df);
    c->ci_low = c->estimate - t * c->se;
    c->ci_high = c->estimate + t * c->se;
    c->standardised = c->estimate;
}

/* Column `response` on the first `p` columns of a triangle: the fit that its rows would give. */
static bd_status equation(size_t q, const double *triangle, size_t response, size_t p, double level, bd_arena *arena,
                          const bd_ols **out)
{
    bd_ols *fit;
    double *inverse, *b;
    BD_NEW(arena, fit, 1);
    BD_NEW(arena, fit->coefficients, p);
    BD_NEW(arena, fit->covariance, p * p);
    BD_NEW(arena, inverse, p * p);
    BD_NEW(arena, b, p);
    const double n = triangle[0] * triangle[0];
    for (size_t i = 1; i <= response; i++) {
        const double r = triangle[i * q + response];
        *(i < p ? &fit->ss_model : &fit->ss_residual) += r * r;
    }
    fit->n_columns = p;
    fit->n_rows = (size_t)(n + 0.5);
    fit->df_model = (double)p - 1;
    fit->df_residual = n - (double)p;
    fit->r_squared = fit->ss_model / (fit->ss_model + fit->ss_residual);
    fit->adjusted_r_squared = 1 - (1 - fit->r_squared) * (n - 1) / fit->df_residual;
    fit->residual_sd = sqrt(fit->ss_residual / fit->df_residual);
    fit->f = fit->ss_model / fit->df_model / (fit->residual_sd * fit->residual_sd);
    fit->f_p = gsl_cdf_fdist_Q(fit->f, fit->df_model, fit->df_residual);
    bd_triangle_invert(q, p, triangle, inverse);
    for (size_t i = 0; i < p; i++)
        b[i] = triangle[i * q + response];
    bd_triangle_solve(q, p, triangle, b, b);
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++)
                fit->covariance[i * p + j] +=
                    fit->residual_sd * fit->residual_sd * inverse[i * p + k] * inverse[j * p + k];
    for (size_t i = 0; i < p; i++) {
        fit->coefficients[i] = (bd_coefficient){
            .estimate = b[i], .se = sqrt(fit->covariance[i * p + i]), .df = fit->df_residual, .vif = NAN};
        infer(&fit->coefficients[i], level);
    }
    *out = fit;
    return BD_OK;
}

/* The covariates, then the nodes. */
static bd_status gather_names(const bd_path *path, const char *adjust, bd_arena *arena, const char ***names,
                              size_t *n_covariates)
{
    const char *const *covariates, *const *terms;
    BD_TRY(bd_while(bd_path_list(adjust, arena, &covariates, &terms, n_covariates), "--adjust"));
    if (*n_covariates + path->n_nodes > MAX_VARIABLES)
        return bd_fail(BD_EUSAGE, "--adjust names more than %d variables", MAX_VARIABLES);
    BD_NEW(arena, *names, *n_covariates + path->n_nodes);
    if (*n_covariates > 0)
        memcpy(*names, covariates, *n_covariates * sizeof **names);
    memcpy(*names + *n_covariates, path->names, path->n_nodes * sizeof **names);
    for (size_t i = 0; i < *n_covariates; i++)
        for (size_t j = i + 1; j < *n_covariates + path->n_nodes; j++)
            if (strcmp((*names)[i], (*names)[j]) == 0)
                return bd_fail(BD_EUSAGE, "'%s' is named twice among --adjust and the path", (*names)[i]);
    return BD_OK;
}

bd_status bd_mediate_correlations(const bd_table *matrix, const bd_path *path, const char *adjust, size_t n,
                                  const bd_mediation_options *options, bd_arena *arena, const bd_mediation **out)
{
    bd_mediation *mediation;
    mediation_model *model;
    const char **names = NULL;
    const bd_ols **equations;
    double *triangle;
    size_t n_covariates;
    BD_NEW(arena, mediation, 1);
    BD_TRY(gather_names(path, adjust, arena, &names, &n_covariates));
    BD_TRY(mediation_model_new(path, n_covariates, arena, &model));
    if (n <= model->n_columns)
        return bd_fail(BD_EDATA, "%zu cases cannot estimate the %zu coefficients of an equation", n,
                       model->n_columns - 1);
    BD_TRY(triangle_of(matrix, names, model->n_columns - 1, n, arena, &triangle));
    BD_NEW(arena, equations, model->n_nodes);
    const size_t q = model->n_columns;
    for (size_t t = 1; t < model->n_nodes; t++)
        BD_TRY(equation(q, triangle, model->first + t, model->first + model->n_before[t], options->level, arena,
                        &equations[t]));
    BD_TRY(equation(q, triangle, q - 1, model->first + 1, options->level, arena, &equations[0]));
    *mediation = (bd_mediation){
        .path = path,
        .se = &bd_se_classical,
        .level = options->level,
        .n_rows = n,
        .n_covariates = n_covariates,
        .covariates = names,
        .equations = equations,
    };
    BD_TRY(mediation_estimate(model, triangle, arena, mediation));
    BD_TRY(mediation_check(model, triangle, options, arena, mediation));
    *out = mediation;
    return BD_OK;
}
