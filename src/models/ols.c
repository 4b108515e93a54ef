/* Least squares: what can be estimated, the estimates, and what is reported of them. */
#include <bordin/models/ols.h>

#include <float.h>
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "models/ols_internal.h"

/* Of a column's length about its mean, how much the columns before it must leave unexplained. Exact combinations leave
 * about 1e-16; the tenth power in NIST's Filip leaves far more than this. */
static const double COLLINEAR = 1e-12;

/* Beside columns of coefficients no larger than this, in units of length, a combination does without a column. */
static const double NEGLIGIBLE = 1e-6;

static bd_status check_column(const double *values, size_t n_rows, const char *role, const char *name)
{
    for (size_t i = 0; values != NULL && i < n_rows; i++)
        if (!isfinite(values[i]))
            return bd_fail(BD_EDATA, "%s'%s' has a value that is not a number in row %zu", role, name, i + 1);
    return BD_OK;
}

static bd_status count_rows(const bd_ols_design *design, size_t *n_used)
{
    *n_used = 0;
    for (size_t i = 0; i < design->n_rows; i++) {
        const double weight = design->weights == NULL ? 1 : design->weights[i];
        if (!(weight >= 0 && isfinite(weight)))
            return bd_fail(BD_EDATA, "the weight in row %zu is %g; weights are inverse variances, 0 or more", i + 1,
                           weight);
        *n_used += weight > 0;
    }
    return BD_OK;
}

static bd_status check_design(const bd_ols_design *design, const bd_se_estimator *estimator, size_t *n_used)
{
    const size_t p = design->n_columns;
    if (p == 0)
        return bd_fail(BD_EDATA, "there is nothing to estimate: no predictors and no intercept");
    if (estimator->needs_clusters && design->cluster == NULL)
        return bd_fail(BD_EDATA, "%s needs clusters, and none are given", estimator->name);
    BD_TRY(count_rows(design, n_used));
    if (*n_used <= p)
        return bd_fail(BD_EDATA,
                       "%zu coefficient%s cannot be estimated with an error from %zu row%s; it takes %zu or more", p,
                       p == 1 ? "" : "s", *n_used, *n_used == 1 ? "" : "s", p + 1);
    for (size_t j = design->has_intercept; j < p; j++)
        BD_TRY(check_column(design->columns[j], design->n_rows, "", design->names[j]));
    return check_column(design->response, design->n_rows, "the response ", design->response_name);
}

/* The triangle of (columns, response). */
static bd_status factor(const bd_ols_design *design, bd_arena *arena, double **triangle)
{
    const double **values;
    BD_NEW(arena, values, design->n_columns + 1);
    memcpy(values, design->columns, design->n_columns * sizeof *values);
    if (design->has_intercept)
        values[0] = NULL;
    values[design->n_columns] = design->response;
    const bd_columns columns = {.n_rows = design->n_rows,
                                .n_columns = design->n_columns + 1,
                                .values = values,
                                .weights = design->weights};
    return bd_triangle_of(&columns, design->n_threads, arena, triangle);
}

/* Length of column j of what the triangle stands for, about its mean with an intercept. */
static double length_of(const bd_ols_design *design, const double *triangle, size_t j)
{
    const size_t q = design->n_columns + 1;
    double length = 0;
    for (size_t i = design->has_intercept && j > 0; i <= j; i++)
        length = hypot(length, triangle[i * q + j]);
    return length;
}

/* Squares of the values are needed, and must be numbers of full precision. */
static bool has_squares(const bd_ols_design *design, const double *triangle, size_t j)
{
    const double length = length_of(design, triangle, j);
    return length < 1e150 && (length > 1e-150 || length == 0);
}

static bool is_constant(const bd_ols_design *design, const double *triangle, size_t j)
{
    const double mean_part = design->has_intercept && j > 0 ? fabs(triangle[j]) : 0;
    return length_of(design, triangle, j) <= 4 * DBL_EPSILON * mean_part;
}

/* "'b' is a linear combination of 'a' and 'c'": of the columns that matter in its regression on those before it. */
static bd_status name_combination(const bd_ols_design *design, const double *triangle, size_t j, bd_arena *arena)
{
    const size_t q = design->n_columns + 1;
    const double length = length_of(design, triangle, j);
    const char *list = "";
    double *b;
    size_t n_named = 0, last = 0;
    BD_NEW(arena, b, q);
    for (size_t i = 0; i < j; i++)
        b[i] = triangle[i * q + j];
    bd_triangle_solve(q, j, triangle, b, b);
    for (size_t i = design->has_intercept; i < j; i++) {
        if (!(fabs(b[i]) * length_of(design, triangle, i) > NEGLIGIBLE * length))
            continue;
        if (n_named > 0)
            BD_TRY(bd_print(arena, &list, "%s%s'%s'", list, n_named > 1 ? ", " : "", design->names[last]));
        last = i;
        n_named++;
    }
    return bd_fail(BD_ENUMERIC, "'%s' is a linear combination of %s%s'%s'; leave one out", design->names[j], list,
                   n_named > 1 ? " and " : "", design->names[last]);
}

static bd_status check_rank(const bd_ols_design *design, const double *triangle, bd_arena *arena)
{
    const size_t p = design->n_columns, q = p + 1;
    const char *why = design->has_intercept ? "the same in every row" : "zero in every row";
    for (size_t j = design->has_intercept; j <= p; j++)
        if (!has_squares(design, triangle, j))
            return bd_fail(BD_ENUMERIC, "the values of '%s' are too large or too small to be squared; rescale it",
                           j < p ? design->names[j] : design->response_name);
    for (size_t j = design->has_intercept; j < p; j++)
        if (is_constant(design, triangle, j))
            return bd_fail(BD_EDATA, "'%s' is %s", design->names[j], why);
    if (is_constant(design, triangle, p))
        return bd_fail(BD_EDATA, "the response '%s' is %s", design->response_name, why);
    const size_t j = bd_triangle_first_collinear(q, triangle, design->has_intercept, COLLINEAR);
    return j < p ? name_combination(design, triangle, j, arena) : BD_OK;
}

/* Weighted length of a column about its weighted mean. */
static double centred_length(const bd_ols_design *design, const double *values)
{
    const double *w = design->weights;
    double total = 0, mean = 0, squares = 0;
    for (size_t i = 0; i < design->n_rows; i++) {
        const double weight = w == NULL ? 1 : w[i];
        total += weight;
        mean += weight > 0 ? ((values == NULL ? 1 : values[i]) - mean) * weight / total : 0;
    }
    for (size_t i = 0; i < design->n_rows; i++) {
        const double apart = (values == NULL ? 1 : values[i]) - mean;
        squares += (w == NULL ? 1 : w[i]) * apart * apart;
    }
    return sqrt(squares);
}

static void test_coefficient(bd_coefficient *c, double level)
{
    c->t = c->p = c->ci_low = c->ci_high = NAN;
    if (!(c->df > 0) || !(c->se >= 0))
        return;
    const double margin = c->se * gsl_cdf_tdist_Pinv(0.5 + level / 2, c->df);
    c->t = c->estimate / c->se;
    c->p = 2 * gsl_cdf_tdist_Q(fabs(c->t), c->df);
    c->ci_low = c->estimate - margin;
    c->ci_high = c->estimate + margin;
}

/* The share of column j's length that the others leave it. */
static double share_kept(const ols_solution *s, const double *triangle, size_t j)
{
    const size_t p = s->design->n_columns;
    double squares = 0;
    for (size_t k = j; k < p; k++)
        squares += s->root[j * p + k] * s->root[j * p + k];
    return fmin(1, 1 / (sqrt(squares) * length_of(s->design, triangle, j)));
}

static void describe_coefficients(const ols_solution *s, const double *triangle, const double *df, double level,
                                  bd_ols *fit)
{
    const bd_ols_design *design = s->design;
    const size_t p = design->n_columns;
    const bool intercept = design->has_intercept;
    const double spread = intercept ? length_of(design, triangle, p) : centred_length(design, design->response);
    for (size_t j = 0; j < p; j++) {
        bd_coefficient *c = fit->coefficients + j;
        const bool constant = design->columns[j] == NULL || (intercept && j == 0);
        *c = (bd_coefficient){.estimate = s->estimates[j], .se = sqrt(fit->covariance[j * p + j]), .df = df[j]};
        c->standardised = c->vif = NAN;
        test_coefficient(c, level);
        if (constant)
            continue;
        const double share = share_kept(s, triangle, j);
        const double own = intercept ? length_of(design, triangle, j) : centred_length(design, design->columns[j]);
        c->standardised = c->estimate * own / spread;
        c->vif = intercept ? 1 / (share * share) : NAN;
        fit->condition_digits = fmax(fit->condition_digits, -log10(share));
    }
}

static void describe_fit(const ols_solution *s, bd_ols *fit)
{
    const double n = (double)s->n_used, p = (double)fit->n_columns, intercept = s->design->has_intercept;
    double log_weights = 0;
    for (size_t i = 0; s->design->weights != NULL && i < fit->n_rows; i++)
        log_weights += s->design->weights[i] > 0 ? log(s->design->weights[i]) : 0;
    fit->ss_residual = s->ss_residual;
    fit->ss_model = s->ss_total - s->ss_residual;
    fit->df_residual = s->df_residual;
    fit->df_model = p - intercept;
    fit->residual_sd = sqrt(s->ss_residual / s->df_residual);
    fit->r_squared = fit->ss_model / s->ss_total;
    fit->adjusted_r_squared = 1 - (1 - fit->r_squared) * (n - intercept) / s->df_residual;
    fit->f = fit->f_p = NAN;
    if (fit->df_model > 0) {
        fit->f = fit->ss_model / fit->df_model / (s->ss_residual / s->df_residual);
        fit->f_p = gsl_cdf_fdist_Q(fit->f, fit->df_model, fit->df_residual);
    }
    fit->log_likelihood = 0.5 * (log_weights - n * (log(2 * M_PI) + 1 - log(n) + log(s->ss_residual)));
    fit->aic = -2 * fit->log_likelihood + 2 * (p + 1);
    fit->bic = -2 * fit->log_likelihood + log(n) * (p + 1);
}

static bd_status new_solution(const bd_ols_design *design, size_t n_used, bd_arena *arena, ols_solution *s)
{
    const size_t p = design->n_columns;
    s->design = design;
    s->n_used = n_used;
    s->df_residual = (double)(n_used - p);
    BD_NEW(arena, s->estimates, p);
    BD_NEW(arena, s->root, p * p);
    BD_NEW(arena, s->centre, p);
    BD_NEW(arena, s->offset, p);
    if (s->residuals == NULL)
        BD_NEW(arena, s->residuals, design->n_rows);
    return BD_OK;
}

bd_status bd_ols_fit(const bd_ols_design *design, const bd_se_estimator *estimator, const bd_ols_options *options,
                     bd_arena *arena, const bd_ols **out)
{
    const size_t p = design->n_columns;
    size_t n_used = 0;
    BD_TRY(check_design(design, estimator, &n_used));
    bd_ols *fit;
    ols_solution solution = {0};
    double *triangle, *df;
    BD_NEW(arena, fit, 1);
    BD_NEW(arena, fit->coefficients, p);
    BD_NEW(arena, fit->covariance, p * p);
    fit->n_rows = design->n_rows;
    fit->n_columns = p;
    if (options->keep_residuals)
        BD_NEW(arena, fit->residuals, design->n_rows);
    solution.residuals = fit->residuals;
    solution.n_saturated = &fit->n_saturated;
    const bd_mark scratch = bd_arena_mark(arena);
    BD_TRY(factor(design, arena, &triangle));
    BD_TRY(check_rank(design, triangle, arena));
    BD_TRY(new_solution(design, n_used, arena, &solution));
    BD_NEW(arena, df, p);
    BD_TRY(bd_ols_refine(triangle, arena, &solution));
    BD_TRY(bd_se_covariance(estimator, &solution, arena, fit->covariance, df));
    describe_coefficients(&solution, triangle, df, options->level, fit);
    describe_fit(&solution, fit);
    bd_arena_rewind(arena, scratch);
    *out = fit;
    return BD_OK;
}
