/* Rows added up by cluster for the wild bootstrap. */
#include "analyses/wild_internal.h"

#include <math.h>
#include <string.h>

static double row_weight(const bd_ols_design *design, size_t row)
{
    return design->weights == NULL ? 1 : design->weights[row];
}

/* number[g] <- which of those in use cluster g (or row g) is; `*n`: how many are. */
static bd_status number_clusters(const bd_ols_design *design, bd_arena *arena, size_t **number, size_t *n)
{
    const size_t n_all = design->cluster == NULL ? design->n_rows : design->n_clusters;
    BD_NEW(arena, *number, n_all);
    for (size_t i = 0; i < design->n_rows; i++)
        if (row_weight(design, i) > 0)
            (*number)[design->cluster == NULL ? i : design->cluster[i]] = 1;
    *n = 0;
    for (size_t g = 0; g < n_all; g++)
        if ((*number)[g] > 0)
            (*number)[g] = (*n)++;
    return BD_OK;
}

/* X in the coordinates in which its columns are orthonormal. */
typedef struct rotation {
    double *inverse; /* R^-1, p x p */
    double *centre;  /* the means of the columns, 0 without intercept */
} rotation;

static bd_status find_rotation(const bd_ols_design *design, bd_arena *arena, rotation *r)
{
    const size_t p = design->n_columns;
    const double **values;
    double *triangle;
    BD_NEW(arena, values, p);
    BD_NEW(arena, r->inverse, p * p);
    BD_NEW(arena, r->centre, p);
    memcpy(values, design->columns, p * sizeof *values);
    if (design->has_intercept)
        values[0] = NULL;
    const bd_columns columns = {
        .n_rows = design->n_rows, .n_columns = p, .values = values, .weights = design->weights};
    BD_TRY(bd_triangle_of(&columns, design->n_threads, arena, &triangle));
    bd_triangle_invert(p, p, triangle, r->inverse);
    for (size_t j = 1; design->has_intercept && j < p; j++)
        r->centre[j] = triangle[j] / triangle[0];
    return BD_OK;
}

/* u <- the row of U. Columns about their means are orthogonal to the constant, and need no part of it. */
static void rotate_row(const bd_ols_design *design, const rotation *r, size_t row, double *u)
{
    const size_t p = design->n_columns;
    const bool intercept = design->has_intercept;
    const double root = sqrt(row_weight(design, row));
    memset(u, 0, p * sizeof *u);
    u[0] = intercept ? root * r->inverse[0] : 0;
    for (size_t j = intercept; j < p; j++) {
        const double x = root * ((design->columns[j] == NULL ? 1 : design->columns[j][row]) - r->centre[j]);
        for (size_t k = j; k < p; k++)
            u[k] += x * r->inverse[j * p + k];
    }
}

static bd_status add_rows(const bd_ols_design *design, const size_t *number, const double *residuals,
                          const rotation *r, bd_arena *arena, const cluster_sums *sums)
{
    const size_t p = sums->p;
    double *u;
    BD_NEW(arena, u, p);
    for (size_t i = 0; i < design->n_rows; i++) {
        const double weight = row_weight(design, i), e = sqrt(weight) * residuals[i];
        if (!(weight > 0))
            continue;
        double *record = sums->records + number[design->cluster == NULL ? i : design->cluster[i]] * sums->stride;
        double a = 0;
        rotate_row(design, r, i, u);
        for (size_t k = 0; k < p; k++)
            a += u[k] * sums->row[k];
        for (size_t k = 0; k < p; k++) {
            record[k] += u[k] * e;
            record[p + k] += u[k] * a;
        }
        record[2 * p] += a * e;
        record[2 * p + 1] += a * a;
    }
    return BD_OK;
}

/* The factor on squared scores is the one that makes their sum at the sample the squared error. */
static bd_status scale_scores(const bd_ols *fit, size_t coefficient, const char *name, cluster_sums *sums)
{
    double scores = 0;
    for (size_t g = 0; g < sums->n; g++) {
        const double *products = sums->records + g * sums->stride + 2 * sums->p;
        scores += products[0] * products[0];
        sums->squares += products[1];
    }
    if (!(scores > 1e-20 * sums->squares * fit->ss_residual))
        return bd_fail(BD_ENUMERIC, "the standard error of '%s' is zero", name);
    sums->estimate = fit->coefficients[coefficient].estimate;
    sums->se = fit->coefficients[coefficient].se;
    sums->factor = sums->se * sums->se / scores;
    return BD_OK;
}

bd_status wild_sum_clusters(const bd_ols_design *design, size_t coefficient, bd_arena *arena, cluster_sums *sums)
{
    const bd_ols_options options = {.level = 0.95, .keep_residuals = true};
    const size_t p = design->n_columns;
    const bd_ols *fit = NULL;
    rotation r = {0};
    size_t *number;
    BD_TRY(bd_ols_fit(design, design->cluster == NULL ? &bd_se_hc1 : &bd_se_cr1, &options, arena, &fit));
    BD_TRY(number_clusters(design, arena, &number, &sums->n));
    BD_TRY(find_rotation(design, arena, &r));
    sums->p = p;
    sums->stride = 2 * p + 2;
    sums->row = r.inverse + coefficient * p;
    BD_NEW(arena, sums->records, sums->n * sums->stride);
    BD_TRY(add_rows(design, number, fit->residuals, &r, arena, sums));
    return scale_scores(fit, coefficient, design->names[coefficient], sums);
}
