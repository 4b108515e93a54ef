/* Residuals of proportional hazards: martingale, score, Schoenfeld. */
#include <string.h>

#include <bordin/core/triangle.h>

#include "models/cox_model.h"

bd_status cox_gamma_of(const cox_model *model, const bd_cox *fit, bd_arena *arena, double *gamma)
{
    double *beta;
    const bd_mark scratch = bd_arena_mark(arena);
    BD_NEW(arena, beta, model->rows.p);
    for (size_t j = 0; j < model->rows.p; j++)
        beta[j] = fit->coefficients[j].estimate;
    bd_triangle_solve(model->rows.p, model->rows.p, model->rotation, beta, gamma);
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}

bd_status cox_model_at(const bd_cox_design *design, const bd_cox *fit, bd_arena *arena, cox_model **model,
                       cox_sums *sums)
{
    double *gamma;
    if (fit->ties == BD_COX_EXACT)
        return bd_fail(BD_EUSAGE, "this is not known for the exact likelihood of ties; use efron or breslow");
    if (fit->end != BD_COX_CONVERGED)
        return bd_fail(BD_ENUMERIC, "the fit did not converge%s%s",
                       fit->infinite != NULL ? ", for there is no maximum in " : "",
                       fit->infinite != NULL ? fit->infinite : "");
    BD_TRY(cox_model_make(design, fit->ties, arena, model));
    BD_TRY(cox_sums_make(&(*model)->rows, arena, sums));
    BD_NEW(arena, gamma, design->n_columns);
    BD_TRY(cox_gamma_of(*model, fit, arena, gamma));
    if (!cox_sweep(&(*model)->rows, fit->ties == BD_COX_EFRON, gamma, sums))
        return bd_fail(BD_ENUMERIC, "the partial likelihood is not a number at these coefficients");
    return BD_OK;
}

bd_status bd_cox_martingale(const bd_cox_design *design, const bd_cox *fit, bd_arena *arena, const double **out)
{
    cox_model *model = NULL;
    cox_sums sums;
    double *residuals;
    BD_NEW(arena, residuals, design->n_rows);
    const bd_mark scratch = bd_arena_mark(arena);
    BD_TRY(cox_model_at(design, fit, arena, &model, &sums));
    const cox_rows *rows = &model->rows;
    for (size_t g = 0; g < rows->n_groups; g++)
        for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++)
            residuals[model->row_of[k]] =
                rows->event[k] - sums.risk[k] / rows->weights[k] * cox_exposure(rows, &sums, g, k);
    bd_arena_rewind(arena, scratch);
    *out = residuals;
    return BD_OK;
}

/* in x <- in u, whose triangle `back` is: u = (x - centre) * rotation. */
static void unrotate(size_t p, const double *back, const double *in_u, double *in_x)
{
    for (size_t j = 0; j < p; j++) {
        in_x[j] = 0;
        for (size_t i = 0; i <= j; i++)
            in_x[j] += in_u[i] * back[i * p + j];
    }
}

bd_status bd_cox_score_residuals(const bd_cox_design *design, const bd_cox *fit, bd_arena *arena, const double **out)
{
    const size_t p = design->n_columns;
    cox_model *model = NULL;
    cox_sums sums;
    cox_means means;
    double *residuals, *back, in_u[p + 1];
    BD_NEW(arena, residuals, design->n_rows * p);
    const bd_mark scratch = bd_arena_mark(arena);
    BD_TRY(cox_model_at(design, fit, arena, &model, &sums));
    const cox_rows *rows = &model->rows;
    BD_TRY(cox_means_make(rows, fit->ties == BD_COX_EFRON, &sums, arena, &means));
    BD_NEW(arena, back, p * p);
    bd_triangle_invert(p, p, model->rotation, back);
    for (size_t g = 0; g < rows->n_groups; g++)
        for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++) {
            cox_score_of_row(rows, &sums, &means, g, k, in_u);
            unrotate(p, back, in_u, residuals + model->row_of[k] * p);
        }
    bd_arena_rewind(arena, scratch);
    *out = residuals;
    return BD_OK;
}

/* By stratum and ascending time: groups are walked from the end of each stratum. */
static void fill_schoenfeld(const cox_model *model, const cox_means *means, const double *back, size_t *which,
                            double *times, double *residuals)
{
    const cox_rows *rows = &model->rows;
    const size_t p = rows->p;
    double in_u[p + 1];
    size_t n = 0;
    for (size_t first = 0, end; first < rows->n_groups; first = end) {
        for (end = first + 1; end < rows->n_groups && !rows->opens[end];)
            end++;
        for (size_t g = end; g-- > first;)
            for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++) {
                if (!rows->event[k])
                    continue;
                for (size_t j = 0; j < p; j++)
                    in_u[j] = rows->u[k * p + j] - means->mean[g * p + j];
                unrotate(p, back, in_u, residuals + n * p);
                which[n] = model->row_of[k];
                times[n++] = model->design->stop[model->row_of[k]];
            }
    }
}

bd_status bd_cox_schoenfeld_residuals(const bd_cox_design *design, const bd_cox *fit, bd_arena *arena,
                                      const bd_cox_schoenfeld **out)
{
    const size_t p = design->n_columns;
    bd_cox_schoenfeld *schoenfeld;
    cox_model *model = NULL;
    cox_sums sums;
    cox_means means;
    double *times, *residuals, *back;
    size_t *which;
    BD_NEW(arena, schoenfeld, 1);
    BD_NEW(arena, which, fit->n_events);
    BD_NEW(arena, times, fit->n_events);
    BD_NEW(arena, residuals, fit->n_events * p);
    const bd_mark scratch = bd_arena_mark(arena);
    BD_TRY(cox_model_at(design, fit, arena, &model, &sums));
    BD_TRY(cox_means_make(&model->rows, fit->ties == BD_COX_EFRON, &sums, arena, &means));
    BD_NEW(arena, back, p * p);
    bd_triangle_invert(p, p, model->rotation, back);
    fill_schoenfeld(model, &means, back, which, times, residuals);
    bd_arena_rewind(arena, scratch);
    *schoenfeld = (bd_cox_schoenfeld){fit->n_events, which, times, residuals};
    *out = schoenfeld;
    return BD_OK;
}
