/* Proportional hazards for other weights: Newton's method from the full sample's solution, on rows that have one. */
#include <string.h>

#include "models/cox_model.h"
#include "models/cox_newton.h"
#include "models/cox_pass.h"

enum { MOST_STEPS = 60, MOST_FAST_STEPS = 12 };
static const double COLLINEAR = 1e-10; /* as in cox_newton.c */
static const double NEAR = 1e-4, FINISHED = 1e-11; /* standard errors: the last step, and the one after it */

typedef struct cox_prepared {
    const cox_model *model;
    double *gamma;     /* p: the full sample's */
    double *influence; /* n x p: what a unit of a row's weight adds to it, to first order; NULL: rows are intervals */
} cox_prepared;

/* Pieces of the caller's doubles; without any, how many there must be. */
typedef struct room {
    double *doubles;
    size_t n;
} room;

static double *doubles(room *r, size_t n)
{
    double *piece = r->doubles == NULL ? NULL : r->doubles + r->n;
    r->n += n;
    return piece;
}

static uint32_t *whole(room *r, size_t n)
{
    return (void *)doubles(r, (n + 1) / 2);
}

static uint8_t *flags(room *r, size_t n)
{
    return (void *)doubles(r, (n + 7) / 8);
}

static void lay_out(const cox_rows *all, room *r, cox_rows *rows, cox_sums *sums, cox_newton *newton, uint32_t **place,
                    uint32_t **group_at)
{
    const size_t n = all->n, p = all->p;
    rows->u = doubles(r, n * p);
    rows->weights = doubles(r, n);
    rows->offset = all->offset == NULL ? NULL : doubles(r, n);
    rows->event = flags(r, n);
    rows->group = whole(r, n + 1);
    rows->opens = flags(r, n);
    rows->block = whole(r, n / COX_BLOCK_ROWS + 2);
    rows->leaving = all->leaving == NULL ? NULL : whole(r, n);
    rows->left = all->leaving == NULL ? NULL : whole(r, n);
    rows->entry = all->leaving == NULL ? NULL : whole(r, n);
    rows->gone_u = all->leaving == NULL ? NULL : doubles(r, n * p);
    rows->gone_weights = all->leaving == NULL ? NULL : doubles(r, n);
    rows->gone_offset = all->gone_offset == NULL ? NULL : doubles(r, n);
    sums->gone_risk = all->leaving == NULL ? NULL : doubles(r, n);
    *place = all->leaving == NULL ? NULL : whole(r, n);
    *group_at = all->leaving == NULL ? NULL : whole(r, n + 1);
    sums->eta = doubles(r, n);
    sums->risk = doubles(r, n);
    sums->hazard = doubles(r, n + 1);
    sums->jump = doubles(r, n);
    sums->own = doubles(r, n);
    sums->blocks = doubles(r, (n / COX_BLOCK_ROWS + 1) * cox_block_room(p));
    sums->score = doubles(r, p);
    sums->information = doubles(r, p * p);
    newton->gamma = doubles(r, p);
    newton->step = doubles(r, p);
    newton->trial = doubles(r, p);
    newton->factor = doubles(r, p * p);
}

/* rows <- those of `all` with a weight, in their order; place: where they went, UINT32_MAX: nowhere; group_at: the
 * first group kept at or after each. Either may be NULL. */
static void keep_weighted(const cox_model *model, const double *weights, cox_rows *rows, uint32_t *place,
                          uint32_t *group_at)
{
    const cox_rows *all = &model->rows;
    const size_t p = all->p;
    bool opens = false;
    rows->n = rows->n_groups = rows->n_blocks = 0;
    for (size_t g = 0; g < all->n_groups; g++) {
        const size_t first = rows->n;
        opens |= all->opens[g];
        if (group_at != NULL)
            group_at[g] = (uint32_t)rows->n_groups;
        for (size_t k = all->group[g]; k < all->group[g + 1]; k++) {
            const double weight = weights[model->row_of[k]];
            if (place != NULL)
                place[k] = weight > 0 ? (uint32_t)rows->n : UINT32_MAX;
            if (!(weight > 0))
                continue;
            rows->weights[rows->n] = weight * all->weights[k];
            rows->event[rows->n] = all->event[k];
            if (rows->offset != NULL)
                rows->offset[rows->n] = all->offset[k];
            for (size_t j = 0; j < p; j++)
                rows->u[rows->n * p + j] = all->u[k * p + j];
            rows->n++;
        }
        if (rows->n == first)
            continue;
        if (rows->n_blocks == 0 || first - rows->group[rows->block[rows->n_blocks - 1]] >= COX_BLOCK_ROWS)
            rows->block[rows->n_blocks++] = (uint32_t)rows->n_groups;
        rows->opens[rows->n_groups] = opens;
        rows->group[rows->n_groups++] = (uint32_t)first;
        opens = false;
    }
    if (group_at != NULL)
        group_at[all->n_groups] = (uint32_t)rows->n_groups;
    rows->group[rows->n_groups] = (uint32_t)rows->n;
    rows->block[rows->n_blocks] = (uint32_t)rows->n_groups;
}

/* Who leaves, and when, among those that were kept. */
static void keep_leaving(const cox_rows *all, const uint32_t *place, const uint32_t *group_at, cox_rows *rows)
{
    size_t n = 0;
    for (size_t k = 0; k < all->n; k++) {
        const uint32_t row = all->leaving[k], to = place[row];
        if (to == UINT32_MAX)
            continue;
        rows->leaving[n] = to;
        memcpy(rows->gone_u + n * rows->p, all->gone_u + k * rows->p, rows->p * sizeof *rows->u);
        rows->gone_weights[n] = rows->weights[to];
        if (rows->gone_offset != NULL)
            rows->gone_offset[n] = all->gone_offset[k];
        n++;
        rows->entry[to] = group_at[all->entry[row]];
    }
    for (size_t g = 0, k = 0; g < rows->n_groups; g++) {
        if (rows->opens[g])
            k = rows->group[g];
        while (k < rows->n && rows->entry[rows->leaving[k]] <= g)
            k++;
        rows->left[g] = (uint32_t)k;
    }
}

/* A row's first group at or before its start belongs to its own stratum, or there is none. */
static void drop_foreign_entries(cox_rows *rows)
{
    for (size_t first = 0, end; first < rows->n_groups; first = end) {
        for (end = first + 1; end < rows->n_groups && !rows->opens[end];)
            end++;
        for (size_t k = rows->group[first]; k < rows->group[end]; k++)
            if (rows->entry[k] >= end)
                rows->entry[k] = (uint32_t)rows->n_groups;
    }
}

static void lay_out_pass(const cox_model *model, room *r, cox_pass *pass)
{
    const size_t n = model->rows.n, p = model->rows.p, stride = cox_pass_stride(n);
    *pass = (cox_pass){.p = p, .efron = model->ties == BD_COX_EFRON};
    pass->u = doubles(r, p * stride);
    pass->weights = doubles(r, stride);
    pass->offset = model->rows.offset == NULL ? NULL : doubles(r, stride);
    pass->event = flags(r, n);
    pass->group = whole(r, n + 1);
    pass->opens = flags(r, n);
    pass->n_events = whole(r, n);
    pass->event_sum = doubles(r, p);
    pass->risk = doubles(r, stride);
    pass->factor = doubles(r, stride);
    pass->set_stride = cox_pass_stride(n + 1);
    pass->sets = doubles(r, (p + 3) * pass->set_stride);
    pass->score = doubles(r, p);
    pass->information = doubles(r, p * p);
}

/* kept <- the rows with a weight; groups of them. */
static void keep_groups(const cox_model *model, const double *weights, uint32_t *kept, cox_pass *pass)
{
    const cox_rows *all = &model->rows;
    bool opens = false;
    for (size_t g = 0; g < all->n_groups; g++) {
        const size_t first = pass->n;
        uint32_t n_events = 0;
        opens |= all->opens[g];
        if (all->group[g + 1] - all->group[g] == 1) { /* without a branch that would often be foretold wrongly */
            const size_t k = all->group[g];
            const double weight = weights[model->row_of[k]];
            const bool keep = weight > 0;
            pass->weights[first] = weight * all->weights[k];
            pass->event[first] = all->event[k];
            kept[first] = (uint32_t)k;
            pass->opens[pass->n_groups] = opens;
            pass->n_events[pass->n_groups] = all->event[k];
            pass->group[pass->n_groups] = (uint32_t)first;
            pass->n += keep;
            pass->n_groups += keep;
            opens &= !keep;
            continue;
        }
        for (size_t k = all->group[g]; k < all->group[g + 1]; k++) {
            const double weight = weights[model->row_of[k]];
            if (!(weight > 0))
                continue;
            pass->weights[pass->n] = weight * all->weights[k];
            pass->event[pass->n] = all->event[k];
            n_events += all->event[k];
            kept[pass->n++] = (uint32_t)k;
        }
        if (pass->n == first)
            continue;
        pass->opens[pass->n_groups] = opens;
        pass->n_events[pass->n_groups] = n_events;
        pass->group[pass->n_groups++] = (uint32_t)first;
        opens = false;
    }
    pass->group[pass->n_groups] = (uint32_t)pass->n;
    pass->stride = cox_pass_stride(pass->n);
}

/* Columns of the kept rows, and one step by their influence: as good as one of Newton's. */
static void keep_columns(const cox_prepared *in, const uint32_t *kept, cox_pass *pass, double *gamma)
{
    const cox_rows *all = &in->model->rows;
    const size_t p = all->p;
    for (size_t i = 0; pass->offset != NULL && i < pass->n; i++)
        pass->offset[i] = all->offset[kept[i]];
    for (size_t j = 0; j < p; j++) {
        double *restrict column = pass->u + j * pass->stride, event_sum = 0, change = 0;
        for (size_t i = 0; i < pass->n; i++) {
            const size_t at = kept[i] * p + j;
            column[i] = all->u[at];
            event_sum += pass->weights[i] * pass->event[i] * column[i];
            change += pass->weights[i] * in->influence[at];
        }
        pass->event_sum[j] = event_sum;
        gamma[j] = in->gamma[j] + change;
    }
    for (size_t i = pass->n; i < pass->stride; i++) {
        pass->weights[i] = 0;
        if (pass->offset != NULL)
            pass->offset[i] = 0;
        for (size_t j = 0; j < p; j++)
            pass->u[j * pass->stride + i] = 0;
    }
}

/* Newton's method as long as steps shrink as they should; false: somebody more careful must look. */
static bool run_fast(const cox_prepared *in, const double *weights, double *scratch, double *gamma)
{
    const size_t p = in->model->rows.p;
    cox_pass pass;
    room r = {scratch, 0};
    double before = INFINITY, *step = doubles(&r, p), *factor = doubles(&r, p * p);
    uint32_t *kept = whole(&r, in->model->rows.n);
    lay_out_pass(in->model, &r, &pass);
    keep_groups(in->model, weights, kept, &pass);
    keep_columns(in, kept, &pass, gamma);
    for (int i = 0; i < MOST_FAST_STEPS; i++) {
        double square = 0;
        cox_pass_run(&pass, gamma);
        memcpy(factor, pass.information, p * p * sizeof *factor);
        if (cox_cholesky(p, factor, COLLINEAR) < p)
            return false;
        cox_cholesky_solve(p, factor, pass.score, step);
        for (size_t j = 0; j < p; j++)
            square += step[j] * pass.score[j];
        const double size = sqrt(square);
        if (!(size < before / 2))
            return size < 1e-9 && size < INFINITY;
        for (size_t j = 0; j < p; j++)
            gamma[j] += step[j];
        if (size < NEAR && (size < FINISHED || size * (size / before) * (size / before) < FINISHED))
            return true;
        before = size;
    }
    return false;
}

/* At the fit: score residuals times the inverse of the information. */
static bd_status find_influence(const cox_model *model, const cox_sums *sums, bd_arena *arena, double *influence)
{
    const cox_rows *rows = &model->rows;
    const size_t p = rows->p;
    cox_means means;
    double *factor;
    const bd_mark scratch = bd_arena_mark(arena);
    BD_NEW(arena, factor, p * p);
    memcpy(factor, sums->information, p * p * sizeof *factor);
    if (cox_cholesky(p, factor, 0) < p)
        return bd_fail(BD_ENUMERIC, "the information is singular");
    BD_TRY(cox_means_make(rows, model->ties == BD_COX_EFRON, sums, arena, &means));
    for (size_t g = 0; g < rows->n_groups; g++)
        for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++) {
            double *row = influence + k * p;
            cox_score_of_row(rows, sums, &means, g, k, row);
            cox_cholesky_solve(p, factor, row, row);
        }
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}

bd_status bd_cox_prepare(const bd_cox_design *design, const bd_cox *fit, bd_arena *arena, const bd_cox_prepared **out)
{
    bd_cox_prepared *prepared;
    cox_prepared *in;
    cox_model *model = NULL;
    cox_sums sums;
    cox_rows rows;
    cox_newton newton;
    uint32_t *place, *group_at;
    BD_NEW(arena, prepared, 1);
    BD_NEW(arena, in, 1);
    BD_NEW(arena, in->gamma, design->n_columns);
    BD_TRY(cox_model_at(design, fit, arena, &model, &sums));
    BD_TRY(cox_gamma_of(model, fit, arena, in->gamma));
    in->model = model;
    room r = {NULL, 0}, of_pass = {NULL, 0};
    if (model->rows.leaving == NULL) {
        cox_pass pass;
        BD_NEW(arena, in->influence, model->rows.n * design->n_columns);
        BD_TRY(find_influence(model, &sums, arena, in->influence));
        of_pass.n = design->n_columns * (design->n_columns + 1) + (model->rows.n + 1) / 2;
        lay_out_pass(model, &of_pass, &pass);
    }
    lay_out(&model->rows, &r, &rows, &sums, &newton, &place, &group_at);
    *prepared = (bd_cox_prepared){.n_rows = design->n_rows,
                                  .n_columns = design->n_columns,
                                  .n_scratch = design->n_columns + (r.n > of_pass.n ? r.n : of_pass.n),
                                  .in = in};
    *out = prepared;
    return BD_OK;
}

bd_cox_replicate_end bd_cox_replicate(const bd_cox_prepared *prepared, const double *weights, double *scratch,
                                      double *coefficients)
{
    const cox_model *model = prepared->in->model;
    const size_t p = prepared->n_columns;
    cox_rows rows = {.p = p, .n_threads = 1};
    cox_sums sums;
    cox_newton newton = {.rows = &rows, .ties = model->ties, .sums = &sums, .max_iterations = MOST_STEPS,
                         .coefficients_only = true};
    uint32_t *place, *group_at;
    if (prepared->in->influence != NULL && run_fast(prepared->in, weights, scratch + p, scratch)) {
        cox_rotate_back(model, scratch, coefficients);
        return BD_COX_REPLICATE_CONVERGED;
    }
    room r = {scratch, 0};
    lay_out(&model->rows, &r, &rows, &sums, &newton, &place, &group_at);
    keep_weighted(model, weights, &rows, place, group_at);
    if (rows.n == 0)
        return BD_COX_REPLICATE_COLLINEAR;
    if (rows.leaving != NULL) {
        keep_leaving(&model->rows, place, group_at, &rows);
        drop_foreign_entries(&rows);
    }
    memcpy(newton.gamma, prepared->in->gamma, p * sizeof *newton.gamma);
    const bd_cox_end end = cox_newton_run(&newton);
    cox_rotate_back(model, newton.gamma, coefficients);
    if (end == BD_COX_CONVERGED)
        return BD_COX_REPLICATE_CONVERGED;
    if (end == BD_COX_INFINITE)
        return BD_COX_REPLICATE_INFINITE;
    return newton.n_iterations == 0 ? BD_COX_REPLICATE_COLLINEAR : BD_COX_REPLICATE_NOT_CONVERGED;
}
