/* Robust errors of proportional hazards: score residuals, summed by cluster, between inverses of the information. */
#include <string.h>

#include "models/cox_internal.h"

/* sums (n_units x p) <- weighted score residuals by cluster or row. */
static bd_status score_by_unit(const cox_model *model, const cox_sums *sums, bd_arena *arena, double *by_unit)
{
    const cox_rows *rows = &model->rows;
    const uint32_t *cluster = model->design->cluster;
    cox_means means;
    double residual[rows->p];
    const bd_mark scratch = bd_arena_mark(arena);
    BD_TRY(cox_means_make(rows, model->ties == BD_COX_EFRON, sums, arena, &means));
    for (size_t g = 0; g < rows->n_groups; g++)
        for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++) {
            double *unit = by_unit + (cluster == NULL ? k : cluster[model->row_of[k]]) * rows->p;
            cox_score_of_row(rows, sums, &means, g, k, residual);
            for (size_t j = 0; j < rows->p; j++)
                unit[j] += rows->weights[k] * residual[j];
        }
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}

static void cross_products(size_t n, size_t p, const double *by_unit, double *meat)
{
    memset(meat, 0, p * p * sizeof *meat);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++)
                meat[j * p + k] += by_unit[i * p + j] * by_unit[i * p + k];
}

/* sandwich <- inner * meat * inner */
static void sandwich(size_t p, const double *inner, const double *meat, double *half, double *product)
{
    memset(half, 0, p * p * sizeof *half);
    memset(product, 0, p * p * sizeof *product);
    for (size_t i = 0; i < p; i++)
        for (size_t k = 0; k < p; k++)
            for (size_t j = 0; j < p; j++)
                half[i * p + j] += inner[i * p + k] * meat[k * p + j];
    for (size_t i = 0; i < p; i++)
        for (size_t k = 0; k < p; k++)
            for (size_t j = 0; j < p; j++)
                product[i * p + j] += half[i * p + k] * inner[k * p + j];
}

bd_status cox_robust(const cox_model *model, cox_sums *sums, const double *gamma, const double *inner,
                     bd_arena *arena, double *covariance, bd_cox_test *robust_score)
{
    const size_t p = model->rows.p;
    const size_t n_units = model->design->cluster == NULL ? model->rows.n : model->design->n_clusters;
    const bool efron = model->ties == BD_COX_EFRON;
    double *by_unit, *meat, *half, *product, *zero, square = 0;
    const bd_mark scratch = bd_arena_mark(arena);
    BD_NEW(arena, by_unit, n_units * p);
    BD_NEW(arena, meat, p * p);
    BD_NEW(arena, half, p * p);
    BD_NEW(arena, product, p * p);
    BD_NEW(arena, zero, 2 * p);
    BD_TRY(score_by_unit(model, sums, arena, by_unit));
    cross_products(n_units, p, by_unit, meat);
    sandwich(p, inner, meat, half, product);
    cox_rotate_covariance(model, product, covariance);

    if (!cox_sweep(&model->rows, efron, zero, sums))
        return bd_fail(BD_ENUMERIC, "the partial likelihood is not a number at coefficients of 0");
    memset(by_unit, 0, n_units * p * sizeof *by_unit);
    BD_TRY(score_by_unit(model, sums, arena, by_unit));
    cross_products(n_units, p, by_unit, meat);
    const bool full = cox_cholesky(p, meat, 1e-12) == p;
    if (full)
        cox_cholesky_solve(p, meat, sums->score, zero + p);
    for (size_t j = 0; full && j < p; j++)
        square += sums->score[j] * zero[p + j];
    *robust_score = cox_chi_squared(full ? square : NAN, (double)p);
    if (!cox_sweep(&model->rows, efron, gamma, sums))
        return bd_fail(BD_ENUMERIC, "the partial likelihood is not a number");
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}
