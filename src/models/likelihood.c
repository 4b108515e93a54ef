/* Maximum likelihood: checks of the predictors' columns, and the basis in which they are fitted. */
#include "models/likelihood_internal.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* As for least squares: the share of a column's length about its mean that the columns before it must leave. */
static const double COLLINEAR = 1e-12;

static bd_status check_finite(const double *values, size_t n_rows, const char *role, const char *name)
{
    for (size_t i = 0; values != NULL && i < n_rows; i++)
        if (!isfinite(values[i]))
            return bd_fail(BD_EDATA, "%s'%s' has a value that is not a number in row %zu", role, name, i + 1);
    return BD_OK;
}

static bd_status check_problem(const bd_likelihood_problem *problem, size_t *n_used)
{
    *n_used = 0;
    for (size_t i = 0; i < problem->n_rows; i++) {
        const double weight = problem->weights == NULL ? 1 : problem->weights[i];
        if (!(weight >= 0 && isfinite(weight)))
            return bd_fail(BD_EDATA, "the weight in row %zu is %g; weights are 0 or more", i + 1, weight);
        *n_used += weight > 0;
    }
    for (size_t l = 0; l < problem->n_predictors; l++) {
        const bd_predictor *predictor = &problem->predictors[l];
        for (size_t j = 0; j < predictor->n_columns; j++)
            BD_TRY(check_finite(predictor->columns[j], problem->n_rows, "", predictor->names[j]));
        BD_TRY(check_finite(predictor->offset, problem->n_rows, "the ", "offset"));
    }
    return BD_OK;
}

static double weighted_mean(const double *values, const double *weights, size_t n)
{
    double total = 0, mean = 0;
    for (size_t i = 0; i < n; i++) {
        const double weight = weights == NULL ? 1 : weights[i];
        total += weight;
        mean += weight > 0 ? (values[i] - mean) * weight / total : 0;
    }
    return mean;
}

/* basis->columns <- the predictor's, centred where there is a constant to take the mean. */
static bd_status centre_columns(const bd_likelihood_problem *problem, const bd_predictor *predictor, bool centre,
                                bd_arena *arena, likelihood_basis *basis)
{
    const size_t n = problem->n_rows;
    BD_NEW(arena, basis->columns, predictor->n_columns);
    BD_NEW(arena, basis->centres, predictor->n_columns);
    for (size_t j = 0; j < predictor->n_columns; j++) {
        const double *values = j == 0 && predictor->has_intercept ? NULL : predictor->columns[j];
        double *column;
        BD_NEW(arena, column, n);
        basis->columns[j] = column;
        basis->centres[j] = centre && values != NULL ? weighted_mean(values, problem->weights, n) : 0;
        double length = 0, raw = 0;
        for (size_t i = 0; i < n; i++) {
            column[i] = values == NULL ? 1 : values[i] - basis->centres[j];
            const double weight = problem->weights == NULL ? 1 : problem->weights[i];
            length = fmax(length, weight > 0 ? fabs(column[i]) : 0);
            raw = fmax(raw, weight > 0 && values != NULL ? fabs(values[i]) : 1);
        }
        if (length <= (centre ? 8 * DBL_EPSILON * raw : 0))
            return bd_fail(BD_EDATA, "'%s' is %s", predictor->names[j],
                           centre ? "the same in every row" : "zero in every row");
        if (length > 1e150 || length < 1e-150)
            return bd_fail(BD_ENUMERIC, "the values of '%s' are too large or too small to be squared; rescale it",
                           predictor->names[j]);
    }
    return BD_OK;
}

/* "'b' is a linear combination of 'a' and 'c'", of the columns with a share in it. */
static bd_status name_combination(const bd_predictor *predictor, const double *triangle, size_t q, size_t j,
                                  bd_arena *arena)
{
    const char *list = "", *last = NULL;
    size_t n_named = 0;
    double *b;
    BD_NEW(arena, b, q);
    for (size_t i = 0; i < j; i++)
        b[i] = triangle[i * q + j];
    bd_triangle_solve(q, j, triangle, b, b);
    for (size_t i = predictor->has_intercept; i < j; i++) {
        if (!(fabs(b[i]) * triangle[i * q + i] > 1e-6 * fabs(triangle[j])) && !(fabs(b[i]) > 1e-6))
            continue;
        if (n_named > 0)
            BD_TRY(bd_print(arena, &list, "%s%s'%s'", list, n_named > 1 ? ", " : "", last));
        last = predictor->names[i];
        n_named++;
    }
    if (last == NULL)
        return bd_fail(BD_ENUMERIC, "'%s' is a linear combination of the other predictors; leave it out",
                       predictor->names[j]);
    return bd_fail(BD_ENUMERIC, "'%s' is a linear combination of %s%s'%s'; leave one out", predictor->names[j], list,
                   n_named > 1 ? " and " : "", last);
}

/* Columns <- columns * R^-1, the last first, for each needs only those before it. */
static void rotate_columns(const likelihood_basis *basis, size_t n_rows)
{
    const size_t p = basis->n_columns;
    for (size_t j = p; j-- > 0;) {
        double *column = basis->columns[j];
        for (size_t i = 0; i < n_rows; i++)
            column[i] *= basis->inverse[j * p + j];
        for (size_t k = 0; k < j; k++) {
            const double *other = basis->columns[k], factor = basis->inverse[k * p + j];
            for (size_t i = 0; i < n_rows; i++)
                column[i] += other[i] * factor;
        }
    }
}

static bd_status make_basis(const bd_likelihood_problem *problem, size_t l, bd_arena *arena, likelihood_basis *basis)
{
    const bd_predictor *predictor = &problem->predictors[l];
    const size_t p = predictor->n_columns;
    const bool absorbed = l == 0 && problem->model->absorbs != 0;
    BD_TRY(centre_columns(problem, predictor, predictor->has_intercept || absorbed, arena, basis));
    BD_NEW(arena, basis->inverse, p * p);
    const bd_mark scratch = bd_arena_mark(arena);
    const double **values;
    double *triangle;
    BD_NEW(arena, values, p);
    for (size_t j = 0; j < p; j++)
        values[j] = j == 0 && predictor->has_intercept ? NULL : basis->columns[j];
    const bd_columns columns = {
        .n_rows = problem->n_rows, .n_columns = p, .values = values, .weights = problem->weights};
    BD_TRY(bd_triangle_of(&columns, problem->n_threads, arena, &triangle));
    for (size_t j = 0; j < p; j++) {
        double length = 0;
        for (size_t i = predictor->has_intercept && j > 0; i <= j; i++)
            length = hypot(length, triangle[i * p + j]);
        if (!(triangle[j * p + j] > COLLINEAR * length))
            return name_combination(predictor, triangle, p, j, arena);
    }
    bd_triangle_invert(p, p, triangle, basis->inverse);
    bd_arena_rewind(arena, scratch);
    rotate_columns(basis, problem->n_rows);
    return BD_OK;
}

static size_t first_with_same_columns(const bd_likelihood_problem *problem, size_t l)
{
    const bd_predictor *own = &problem->predictors[l];
    for (size_t k = problem->model->absorbs != 0; k < l; k++) {
        const bd_predictor *other = &problem->predictors[k];
        if (other->columns == own->columns && other->n_columns == own->n_columns &&
            other->has_intercept == own->has_intercept)
            return k;
    }
    return l;
}

/* Undoes the centring: the constant of a predictor gives back the means, or the others' do where predictor 0 has none.
 */
static void fill_transform(bd_likelihood *likelihood)
{
    const size_t total = likelihood->n_coefficients;
    double *t = likelihood->transform;
    for (size_t l = 0; l < likelihood->problem.n_predictors; l++) {
        const likelihood_basis *basis = &likelihood->bases[l];
        const size_t p = basis->n_columns, first = basis->first;
        for (size_t j = 0; j < p; j++)
            for (size_t k = j; k < p; k++)
                t[(first + j) * total + first + k] = basis->inverse[j * p + k];
        for (size_t j = 1; likelihood->problem.predictors[l].has_intercept && j < p; j++)
            for (size_t k = j; k < p; k++)
                t[first * total + first + k] -= basis->centres[j] * basis->inverse[j * p + k];
    }
    const likelihood_basis *slopes = &likelihood->bases[0];
    const double sign = likelihood->problem.model->absorbs;
    for (size_t l = 1; sign != 0 && l < likelihood->problem.n_predictors; l++)
        for (size_t j = 0; j < slopes->n_columns; j++)
            for (size_t k = j; k < slopes->n_columns; k++)
                t[likelihood->first[l] * total + k] -=
                    sign * slopes->centres[j] * slopes->inverse[j * slopes->n_columns + k];
}

bd_status bd_likelihood_prepare(const bd_likelihood_problem *problem, bd_arena *arena, const bd_likelihood **out)
{
    bd_likelihood *likelihood;
    BD_NEW(arena, likelihood, 1);
    BD_NEW(arena, likelihood->bases, problem->n_predictors);
    BD_NEW(arena, likelihood->first, problem->n_predictors + 1);
    likelihood->problem = *problem;
    BD_TRY(check_problem(problem, &likelihood->n_used));
    for (size_t l = 0; l < problem->n_predictors; l++)
        likelihood->first[l + 1] = likelihood->first[l] + problem->predictors[l].n_columns;
    const size_t total = likelihood->n_coefficients = likelihood->first[problem->n_predictors];
    if (likelihood->n_used < total || total == 0)
        return bd_fail(BD_EDATA, "%zu coefficients cannot be estimated from %zu rows", total, likelihood->n_used);
    const size_t even = (problem->n_rows + LIKELIHOOD_MOST_BLOCKS - 1) / LIKELIHOOD_MOST_BLOCKS;
    likelihood->block_rows = even > LIKELIHOOD_LEAST_ROWS ? even : LIKELIHOOD_LEAST_ROWS;
    likelihood->n_blocks = (problem->n_rows + likelihood->block_rows - 1) / likelihood->block_rows;
    for (size_t l = 0; l < problem->n_predictors; l++) {
        likelihood_basis *basis = &likelihood->bases[l];
        const size_t shares = first_with_same_columns(problem, l);
        *basis = likelihood->bases[shares];
        basis->n_columns = problem->predictors[l].n_columns;
        basis->first = likelihood->first[l];
        basis->shares = shares;
        if (shares == l && basis->n_columns > 0)
            BD_TRY(make_basis(problem, l, arena, basis));
    }
    BD_NEW(arena, likelihood->transform, total * total);
    fill_transform(likelihood);
    *out = likelihood;
    return BD_OK;
}

const char *bd_likelihood_end_name(bd_likelihood_end end)
{
    static const char *const names[] = {"converged",  "not converged", "separated",
                                        "at a limit", "collinear",     "a category is empty"};
    return end < BD_N_LIKELIHOOD_ENDS ? names[end] : "unknown";
}
