/* Score tests of proportional hazards: of columns times g(time), at the fit, where their coefficients are zero.
 *
 *     U = sum over events g (u - mean),   information blocks  sum g^a V,  a = 0, 1, 2,  V: covariance in the risk set
 *
 * Grambsch & Therneau (1994) as survival has it since version 3. */
#include <string.h>

#include <bordin/core/triangle.h>

#include "models/cox_at_risk.h"
#include "models/cox_model.h"

/* Where rows stand among all, without regard to strata. */
typedef struct timeline {
    size_t n;
    uint32_t *by_stop, *by_start; /* rows of the model by descending time; by_start NULL: none */
    double *stop, *start;         /* n */
} timeline;

static bd_status make_timeline(const cox_model *model, bd_arena *arena, timeline *line)
{
    const size_t n = line->n = model->rows.n;
    BD_NEW(arena, line->stop, n);
    BD_NEW(arena, line->by_stop, n);
    for (size_t k = 0; k < n; k++)
        line->stop[k] = model->design->stop[model->row_of[k]];
    BD_TRY(cox_sort(n, line->stop, NULL, 0, arena, line->by_stop));
    if (model->design->start == NULL)
        return BD_OK;
    BD_NEW(arena, line->start, n);
    BD_NEW(arena, line->by_start, n);
    for (size_t k = 0; k < n; k++)
        line->start[k] = model->design->start[model->row_of[k]];
    return cox_sort(n, line->start, NULL, 0, arena, line->by_start);
}

/* g <- 1 - the Kaplan-Meier curve just before each row's stop. */
static void kaplan_meier_before(const cox_model *model, const timeline *line, double *g)
{
    double survival = 1;
    size_t entered = line->n;
    for (size_t i = line->n, first; i > 0; i = first) {
        const double time = line->stop[line->by_stop[i - 1]];
        size_t n_events = 0;
        for (first = i; first > 0 && line->stop[line->by_stop[first - 1]] == time; first--) {
            g[line->by_stop[first - 1]] = 1 - survival;
            n_events += model->rows.event[line->by_stop[first - 1]];
        }
        while (line->by_start != NULL && entered > 0 && line->start[line->by_start[entered - 1]] < time)
            entered--;
        const double gone = (double)(line->n - i), here = line->by_start == NULL ? (double)line->n
                                                                                 : (double)(line->n - entered);
        survival *= 1 - (double)n_events / (here - gone);
    }
}

/* g <- ranks of stop from 1; equal ones share their mean. */
static void ranks(const timeline *line, double *g)
{
    for (size_t i = line->n, first; i > 0; i = first) {
        const double time = line->stop[line->by_stop[i - 1]];
        for (first = i; first > 0 && line->stop[line->by_stop[first - 1]] == time;)
            first--;
        for (size_t k = first; k < i; k++)
            g[line->by_stop[k]] = (double)(line->n - i + 1 + line->n - first) / 2;
    }
}

/* g of each row's stop, about its mean over the events. */
static bd_status transform_times(const cox_model *model, bd_cox_transform transform, bd_arena *arena, double *g)
{
    timeline line = {0};
    double mean = 0;
    BD_TRY(make_timeline(model, arena, &line));
    if (transform == BD_COX_KM)
        kaplan_meier_before(model, &line, g);
    else if (transform == BD_COX_RANK)
        ranks(&line, g);
    else
        for (size_t k = 0; k < line.n; k++)
            g[k] = transform == BD_COX_LOG ? log(line.stop[k]) : line.stop[k];
    for (size_t k = 0; k < line.n; k++)
        mean += model->rows.event[k] ? g[k] / (double)model->n_events : 0;
    for (size_t k = 0; k < line.n; k++) {
        g[k] -= mean;
        if (model->rows.event[k] && !isfinite(g[k]))
            return bd_fail(BD_EDATA, "an event at time %g has no logarithm; use another transformation of time",
                           line.stop[k]);
    }
    return BD_OK;
}

/* Of columns and columns times g: p values of the score, and the blocks p x p for the powers 0, 1, 2 of g. */
typedef struct moments {
    double *score, *blocks[3];
} moments;

/* The risk sets of group g's events: mean mean' by the powers of `at`, and what rows are to be multiplied with. */
static void subtract_means(const cox_rows *rows, const cox_sums *sums, bool efron, size_t g, double time,
                           const at_risk *at, moments *m)
{
    const size_t p = rows->p;
    double dying[p + 1], mean[p], weight = 0;
    size_t n_events = 0;
    memset(dying, 0, sizeof dying);
    for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++) {
        if (!rows->event[k])
            continue;
        n_events++;
        weight += rows->weights[k];
        dying[0] += sums->risk[k];
        for (size_t j = 0; j < p; j++) {
            dying[j + 1] += sums->risk[k] * rows->u[k * p + j];
            m->score[j] += time * rows->weights[k] * rows->u[k * p + j];
        }
    }
    const size_t n_sets = efron ? n_events : n_events > 0;
    for (size_t l = 0; l < n_sets; l++) {
        const double share = (double)l / (double)n_sets, each = weight / (double)n_sets;
        const double total = at->sums[0] + at->lost[0] - share * dying[0];
        for (size_t j = 0; j < p; j++) {
            mean[j] = (at->sums[j + 1] + at->lost[j + 1] - share * dying[j + 1]) / total;
            m->score[j] -= time * each * mean[j];
        }
        for (size_t i = 0; i < p; i++)
            for (size_t j = 0; j < p; j++) {
                const double product = each * mean[i] * mean[j];
                m->blocks[0][i * p + j] -= product;
                m->blocks[1][i * p + j] -= time * product;
                m->blocks[2][i * p + j] -= time * time * product;
            }
    }
}

static void add_products(const cox_rows *rows, const cox_sums *sums, double *block)
{
    const size_t p = rows->p;
    for (size_t g = 0; g < rows->n_groups; g++)
        for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++) {
            const double c = sums->risk[k] * cox_exposure(rows, sums, g, k), *u = rows->u + k * p;
            for (size_t i = 0; i < p; i++)
                for (size_t j = 0; j < p; j++)
                    block[i * p + j] += c * u[i] * u[j];
        }
}

/* In u; the sums' hazards are spent. */
static bd_status find_moments(const cox_model *model, cox_sums *sums, const double *g, bd_arena *arena, moments *m)
{
    const cox_rows *rows = &model->rows;
    const size_t p = rows->p;
    at_risk at;
    BD_NEW(arena, m->score, p);
    for (int a = 0; a < 3; a++)
        BD_NEW(arena, m->blocks[a], p * p);
    BD_NEW(arena, at.sums, 2 * (p + 1));
    at.lost = at.sums + p + 1;
    for (size_t i = 0; i < rows->n_groups; i++) {
        step_to(rows, sums, p, rows->leaving != NULL, i, &at);
        subtract_means(rows, sums, model->ties == BD_COX_EFRON, i, g[rows->group[i]], &at, m);
    }
    for (int a = 0; a < 3; a++) {
        add_products(rows, sums, m->blocks[a]);
        for (size_t i = 0; i < rows->n_groups; i++) { /* the next power of g */
            sums->jump[i] *= g[rows->group[i]];
            sums->own[i] *= g[rows->group[i]];
        }
        cox_accumulate_hazard(rows, sums);
    }
    return BD_OK;
}

/* m <- the same for the columns themselves, in standard deviations: u = x * rotation. */
static bd_status unrotate(const cox_model *model, bd_arena *arena, moments *m)
{
    const size_t p = model->rows.p;
    double *back, *half, *score;
    BD_NEW(arena, back, p * p);
    BD_NEW(arena, half, p * p);
    BD_NEW(arena, score, p);
    bd_triangle_invert(p, p, model->rotation, back);
    for (size_t i = 0; i < p; i++)
        for (size_t j = i; j < p; j++)
            back[i * p + j] /= model->scale[j];
    for (size_t j = 0; j < p; j++)
        for (size_t i = 0; i <= j; i++)
            score[j] += back[i * p + j] * m->score[i];
    memcpy(m->score, score, p * sizeof *score);
    for (int a = 0; a < 3; a++) {
        memset(half, 0, p * p * sizeof *half);
        for (size_t i = 0; i < p; i++)
            for (size_t j = 0; j < p; j++)
                for (size_t k = 0; k <= j; k++)
                    half[i * p + j] += m->blocks[a][i * p + k] * back[k * p + j];
        memset(m->blocks[a], 0, p * p * sizeof *half);
        for (size_t i = 0; i < p; i++)
            for (size_t j = 0; j < p; j++)
                for (size_t k = 0; k <= i; k++)
                    m->blocks[a][i * p + j] += back[k * p + i] * half[k * p + j];
    }
    return BD_OK;
}

/* The score test of those columns times g for which terms[j] is `term` (all: SIZE_MAX), all columns beside them. */
static bd_status test_term(size_t p, const moments *m, const size_t *terms, size_t term, bd_arena *arena,
                           bd_cox_test *test)
{
    const bd_mark scratch = bd_arena_mark(arena);
    double *matrix, *score, *x, square = 0;
    size_t *which, q = p;
    BD_NEW(arena, which, 2 * p);
    for (size_t j = 0; j < p; j++) {
        which[j] = j;
        if (term == SIZE_MAX || (terms == NULL ? j : terms[j]) == term)
            which[q++] = j;
    }
    BD_NEW(arena, matrix, q * q);
    BD_NEW(arena, score, q);
    BD_NEW(arena, x, q);
    for (size_t i = 0; i < q; i++) {
        score[i] = i < p ? 0 : m->score[which[i]];
        for (size_t j = 0; j < q; j++)
            matrix[i * q + j] = m->blocks[(i >= p) + (j >= p)][which[i] * p + which[j]];
    }
    const bool full = cox_cholesky(q, matrix, 1e-12) == q;
    if (full)
        cox_cholesky_solve(q, matrix, score, x);
    for (size_t i = 0; full && i < q; i++)
        square += score[i] * x[i];
    *test = cox_chi_squared(full ? square : NAN, (double)(q - p));
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}

bd_status bd_cox_proportional(const bd_cox_design *design, const bd_cox *fit, bd_cox_transform transform,
                              const size_t *terms, size_t n_terms, bd_arena *arena, const bd_cox_zph **out)
{
    bd_cox_zph *zph;
    cox_model *model = NULL;
    cox_sums sums;
    moments m;
    double *g;
    BD_NEW(arena, zph, 1);
    zph->transform = transform;
    zph->n_terms = terms == NULL ? design->n_columns : n_terms;
    BD_NEW(arena, zph->terms, zph->n_terms);
    const bd_mark scratch = bd_arena_mark(arena);
    BD_TRY(cox_model_at(design, fit, arena, &model, &sums));
    BD_NEW(arena, g, model->rows.n);
    BD_TRY(transform_times(model, transform, arena, g));
    BD_TRY(find_moments(model, &sums, g, arena, &m));
    BD_TRY(unrotate(model, arena, &m));
    for (size_t t = 0; t < zph->n_terms; t++)
        BD_TRY(test_term(design->n_columns, &m, terms, t, arena, &zph->terms[t]));
    BD_TRY(test_term(design->n_columns, &m, terms, SIZE_MAX, arena, &zph->global));
    bd_arena_rewind(arena, scratch);
    *out = zph;
    return BD_OK;
}
