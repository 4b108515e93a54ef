/* Preparing a fitted generalised model for replicates: rotated columns in blocks of rows. */
#include <math.h>
#include <string.h>

#include "models/glm_replicate.h"

static const double MOST_COUNTS = 4096, ANY_THETA = 100; /* to begin with where the full sample has none */

typedef struct glm_prepared glm_prepared;

static bd_status factor(const bd_glm_design *design, const double *working, bd_arena *arena, double **triangle)
{
    const size_t p = design->base.n_columns;
    const double **values;
    BD_NEW(arena, values, p);
    for (size_t j = 0; j < p; j++)
        values[j] = glm_column(design, j);
    const bd_columns columns = {.n_rows = design->base.n_rows, .n_columns = p, .values = values, .weights = working};
    return bd_triangle_of(&columns, design->base.n_threads, arena, triangle);
}

static double prior_of(const bd_glm_design *design, size_t row)
{
    return (design->base.weights ? design->base.weights[row] : 1) * (design->trials ? design->trials[row] : 1);
}

/* Working weight and score of a row at the fit. */
static void at_fit(const bd_glm_design *design, const bd_glm *fit, size_t row, double *working, double *score)
{
    double mu, slope;
    const double y = design->base.response[row] / (design->trials ? design->trials[row] : 1);
    const double prior = prior_of(design, row);
    fit->link->inverse(1, fit->linear_predictor + row, &mu, &slope);
    const double variance = fit->family->canonical == fit->link ? slope : fit->family->variance(mu, fit->theta);
    *working = prior > 0 ? prior * slope * slope / variance : 0;
    *score = prior > 0 ? prior * (y - mu) * slope / variance : 0;
}

static void fill_rows(const bd_glm_design *design, const bd_glm *fit, const glm_prepared *in, const double *triangle,
                      double *x, double *rows)
{
    const size_t p = in->p;
    for (size_t i = 0; i < in->n; i++) {
        double *at = rows + i;
        for (size_t j = 0; j < p; j++) {
            const double *values = glm_column(design, j);
            x[j] = values == NULL ? 1 : values[i];
        }
        bd_triangle_solve_transposed(p, p, triangle, x, x);
        for (size_t j = 0; j < p; j++)
            at[j * in->stride] = x[j];
        at[p * in->stride] = design->base.response[i] / (design->trials ? design->trials[i] : 1);
        at[(p + 1) * in->stride] = fit->linear_predictor[i];
        at[(p + 2) * in->stride] = prior_of(design, i);
        at_fit(design, fit, i, at + (p + 3) * in->stride, at + (p + 4) * in->stride);
    }
}

static size_t room_for(const glm_prepared *in)
{
    const size_t p = in->p;
    return (p + 3 + 2 * in->firth) * in->stride + (in->stride + 1) / 2 + (p * p + p) * GLM_LANES + 3 * p * p + 6 * p +
           glm_cone_room(p) + in->n_counts;
}

static bool can_leave(const bd_family *family, const bd_link *link)
{
    const bool whole_line = link == &bd_identity && family->mu_low == -INFINITY;
    const bool half_line = link == &bd_log && family->mu_high == INFINITY;
    const bool binary = link == &bd_logit || link == &bd_probit || link == &bd_cloglog || link == &bd_loglog ||
                        link == &bd_cauchit;
    return !(whole_line || half_line || binary);
}

static bd_status describe(const bd_glm_design *design, const bd_glm *fit, bd_arena *arena, glm_prepared *in)
{
    double most = 0, *beta;
    BD_NEW(arena, beta, in->p);
    for (size_t j = 0; j < in->p; j++)
        beta[j] = fit->coefficients[j].estimate;
    for (size_t i = 0; fit->family->has_theta && i < in->n; i++)
        most = fmax(most, design->base.response[i]);
    in->beta = beta;
    in->can_leave = can_leave(fit->family, fit->link);
    in->theta = isinf(fit->theta) ? ANY_THETA : fit->theta;
    in->scale = bd_family_known_dispersion(fit->family) ? 1 : sqrt(fit->dispersion);
    in->n_counts = fit->family->has_theta ? (size_t)fmin(most, MOST_COUNTS) + 1 : 0;
    in->stride = (in->n + GLM_BLOCK - 1) / GLM_BLOCK * GLM_BLOCK + 24;
    return BD_OK;
}

bd_status bd_glm_prepare(const bd_glm_design *design, const bd_glm *fit, bd_arena *arena, const bd_glm_prepared **out)
{
    if (fit->end == BD_GLM_NOT_CONVERGED || fit->end == BD_GLM_SEPARATED)
        return bd_fail(BD_ENUMERIC, "the model %s, so there is nothing to resample",
                       fit->end == BD_GLM_SEPARATED ? "is separated" : "did not converge");
    bd_glm_prepared *prepared;
    glm_prepared *in;
    double *rows, *root, *working, *triangle, *x, score;
    BD_NEW(arena, prepared, 1);
    BD_NEW(arena, in, 1);
    *in = (glm_prepared){.family = fit->family,
                         .link = fit->link,
                         .firth = fit->firth,
                         .n = design->base.n_rows,
                         .p = design->base.n_columns};
    BD_TRY(describe(design, fit, arena, in));
    BD_NEW(arena, rows, (in->p + 5) * in->stride);
    BD_NEW(arena, root, in->p * in->p);
    const bd_mark scratch = bd_arena_mark(arena);
    BD_NEW(arena, working, in->n);
    BD_NEW(arena, x, in->p);
    for (size_t i = 0; i < in->n; i++)
        at_fit(design, fit, i, working + i, &score);
    BD_TRY(factor(design, working, arena, &triangle));
    fill_rows(design, fit, in, triangle, x, rows);
    bd_triangle_invert(in->p, in->p, triangle, root);
    bd_arena_rewind(arena, scratch);
    in->rows = rows;
    in->root = root;
    *prepared = (bd_glm_prepared){.n_rows = in->n, .n_columns = in->p, .n_scratch = room_for(in), .in = in};
    *out = prepared;
    return BD_OK;
}
