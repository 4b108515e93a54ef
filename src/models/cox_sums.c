/* The partial likelihood, its score and information, in one descending sweep over the risk sets and one pass over rows.
 *
 *     l = sum over events  w eta - m log S0        S0, S1: sums of risk, risk * u over those at risk
 *     U = sum over events  w u - m S1 / S0         risk = w exp(eta)
 *     I = sum over rows  risk (H(stop) - H(start)) u u' - sum over events  m S1 S1' / S0^2        H: jumps m / S0
 *
 * With Efron's ties a time of d events counts d risk sets, each without another d-th of those who have the event. */
#include <string.h>

#include "models/cox_at_risk.h"

typedef struct block_sums {
    at_risk before, within;
    double *log_likelihood, *score, *products;
} block_sums;

static block_sums block_of(const cox_rows *rows, const cox_sums *sums, size_t b)
{
    const size_t p = rows->p;
    double *room = sums->blocks + b * cox_block_room(p);
    return (block_sums){
        .before = {room, room + p + 1},
        .within = {room + 2 * (p + 1), room + 3 * (p + 1)},
        .log_likelihood = room + 4 * (p + 1),
        .score = room + 4 * (p + 1) + 1,
        .products = room + 4 * (p + 1) + 1 + p,
    };
}

/* m mean mean' of one risk set, and what it takes from likelihood and score. */
GLM_INLINE void add_risk_set(size_t p, double m, double share, const at_risk *at, const double *dying, double total,
                             double *mean, block_sums *block)
{
    *block->log_likelihood -= m * log(total);
    for (size_t j = 0; j < p; j++) {
        mean[j] = (at->sums[j + 1] + at->lost[j + 1] - share * dying[j + 1]) / total;
        block->score[j] -= m * mean[j];
    }
    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k <= j; k++)
            block->products[j * p + k] -= m * mean[j] * mean[k];
}

/* The events of group g; false where its risk is not a positive number. */
GLM_INLINE bool add_events(const cox_rows *rows, const cox_sums *sums, size_t p, bool efron, size_t g,
                           const at_risk *at, block_sums *block)
{
    double dying[p + 1], mean[p], weight = 0;
    size_t n_events = 0;
    sums->jump[g] = sums->own[g] = 0;
    for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++) {
        if (!rows->event[k])
            continue;
        if (n_events++ == 0)
            memset(dying, 0, sizeof dying);
        weight += rows->weights[k];
        *block->log_likelihood += rows->weights[k] * sums->eta[k];
        dying[0] += sums->risk[k];
        for (size_t j = 0; j < p; j++) {
            dying[j + 1] += sums->risk[k] * rows->u[k * p + j];
            block->score[j] += rows->weights[k] * rows->u[k * p + j];
        }
    }
    if (n_events == 0)
        return true;
    const size_t n_sets = efron ? n_events : 1;
    const double m = weight / (double)n_sets, risk = at->sums[0] + at->lost[0];
    for (size_t l = 0; l < n_sets; l++) {
        const double share = (double)l / (double)n_sets, total = risk - share * dying[0];
        if (!(total > 0 && total < INFINITY))
            return false;
        add_risk_set(p, m, share, at, dying, total, mean, block);
        sums->jump[g] += m / total;
        sums->own[g] += m * (1 - share) / total;
    }
    return true;
}

/* What block b adds to the sums of those at risk since its last stratum began. */
GLM_INLINE void total_of_block(const cox_rows *rows, const cox_sums *sums, size_t p, bool doubled, size_t b)
{
    block_sums block = block_of(rows, sums, b);
    memset(block.within.sums, 0, 2 * (p + 1) * sizeof(double));
    for (size_t g = rows->block[b]; g < rows->block[b + 1]; g++)
        step_to(rows, sums, p, doubled, g, &block.within);
}

GLM_INLINE bool sweep_block(const cox_rows *rows, const cox_sums *sums, size_t p, bool doubled, bool efron, size_t b)
{
    block_sums block = block_of(rows, sums, b);
    *block.log_likelihood = 0;
    memset(block.score, 0, (p + p * p) * sizeof(double));
    for (size_t g = rows->block[b]; g < rows->block[b + 1]; g++) {
        step_to(rows, sums, p, doubled, g, &block.before);
        if (!add_events(rows, sums, p, efron, g, &block.before, &block))
            return false;
    }
    return true;
}

/* risk <- weight * exp(eta); eta may be risk. */
static void exponentiate(size_t n, const double *weights, const double *eta, double *risk)
{
    for (size_t k = 0; k < n; k++)
        risk[k] = glm_clamp(eta[k]);
    for (size_t k = 0; k < n; k++)
        risk[k] = weights[k] * glm_exp_inside(risk[k]);
}

static void linear(size_t n, size_t p, const double *u, const double *gamma, const double *offset, double *eta)
{
    for (size_t k = 0; k < n; k++) {
        double sum = offset == NULL ? 0 : offset[k];
        for (size_t j = 0; j < p; j++)
            sum += u[k * p + j] * gamma[j];
        eta[k] = sum;
    }
}

static void predict(const cox_rows *rows, const double *gamma, size_t from, size_t to, const cox_sums *sums)
{
    const size_t n = to - from, p = rows->p;
    linear(n, p, rows->u + from * p, gamma, rows->offset == NULL ? NULL : rows->offset + from, sums->eta + from);
    exponentiate(n, rows->weights + from, sums->eta + from, sums->risk + from);
    if (rows->leaving == NULL)
        return;
    double *gone = sums->gone_risk + from;
    linear(n, p, rows->gone_u + from * p, gamma, rows->offset == NULL ? NULL : rows->gone_offset + from, gone);
    exponentiate(n, rows->gone_weights + from, gone, gone);
}

static bool opens_within(const cox_rows *rows, size_t b)
{
    for (size_t g = rows->block[b]; g < rows->block[b + 1]; g++)
        if (rows->opens[g])
            return true;
    return false;
}

/* The state before each block, from the totals of those before it. */
static void carry(const cox_rows *rows, const cox_sums *sums)
{
    const size_t n = 2 * (rows->p + 1);
    memset(sums->blocks, 0, n * sizeof(double));
    for (size_t b = 0; b + 1 < rows->n_blocks; b++) {
        const block_sums block = block_of(rows, sums, b), next = block_of(rows, sums, b + 1);
        memcpy(next.before.sums, block.within.sums, n * sizeof(double));
        if (opens_within(rows, b))
            continue;
        for (size_t k = 0; k <= rows->p; k++) {
            next.before.lost[k] += block.before.lost[k];
            add_one(&next.before.sums[k], &next.before.lost[k], block.before.sums[k]);
        }
    }
}

void cox_accumulate_hazard(const cox_rows *rows, cox_sums *sums)
{
    sums->hazard[rows->n_groups] = 0;
    for (size_t g = rows->n_groups; g-- > 0;) {
        const bool last = g + 1 == rows->n_groups || rows->opens[g + 1];
        sums->hazard[g] = (last ? 0 : sums->hazard[g + 1]) + sums->jump[g];
    }
}

double cox_exposure(const cox_rows *rows, const cox_sums *sums, size_t g, size_t k)
{
    const double until = rows->event[k] ? sums->hazard[g] - sums->jump[g] + sums->own[g] : sums->hazard[g];
    return rows->entry == NULL ? until : until - sums->hazard[rows->entry[k]];
}

GLM_INLINE void add_product(size_t p, double c, const double *u, double *products)
{
    for (size_t j = 0; j < p; j++) {
        const double cu = c * u[j];
        for (size_t i = 0; i <= j; i++)
            products[j * p + i] += cu * u[i];
    }
}

/* products += risk (H(stop) - H(start)) u u' over the rows of block b, lower half. The difference is of the hazards,
 * taken before an enormous risk multiplies them. */
GLM_INLINE void add_products(const cox_rows *rows, const cox_sums *sums, size_t p, size_t b)
{
    double *products = block_of(rows, sums, b).products;
    for (size_t g = rows->block[b]; g < rows->block[b + 1]; g++)
        for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++)
            add_product(p, sums->risk[k] * cox_exposure(rows, sums, g, k), rows->u + k * p, products);
}

/* The same code for numbers of predictors that are often met, which the compiler then unrolls. */
#define FOR_SIZE(call)          \
    switch (p) {                \
    case 1: { enum { P = 1 }; call; } break; \
    case 2: { enum { P = 2 }; call; } break; \
    case 3: { enum { P = 3 }; call; } break; \
    case 4: { enum { P = 4 }; call; } break; \
    default: { const size_t P = p; call; }   \
    }

static void total_any(const cox_rows *rows, const cox_sums *sums, size_t b)
{
    const size_t p = rows->p;
    if (rows->leaving != NULL)
        total_of_block(rows, sums, p, true, b);
    else
        FOR_SIZE(total_of_block(rows, sums, P, false, b))
}

static bool sweep_any(const cox_rows *rows, const cox_sums *sums, bool efron, size_t b)
{
    const size_t p = rows->p;
    bool finite;
    if (rows->leaving != NULL)
        return sweep_block(rows, sums, p, true, efron, b);
    FOR_SIZE(finite = sweep_block(rows, sums, P, false, efron, b))
    return finite;
}

static void products_any(const cox_rows *rows, const cox_sums *sums, size_t b)
{
    const size_t p = rows->p;
    FOR_SIZE(add_products(rows, sums, P, b))
}

static void join_blocks(const cox_rows *rows, cox_sums *sums)
{
    const size_t p = rows->p;
    sums->log_likelihood = 0;
    memset(sums->score, 0, p * sizeof *sums->score);
    memset(sums->information, 0, p * p * sizeof *sums->information);
    for (size_t b = 0; b < rows->n_blocks; b++) {
        const block_sums block = block_of(rows, sums, b);
        sums->log_likelihood += *block.log_likelihood;
        for (size_t j = 0; j < p; j++)
            sums->score[j] += block.score[j];
        for (size_t k = 0; k < p * p; k++)
            sums->information[k] += block.products[k];
    }
}

bd_status cox_sums_make(const cox_rows *rows, bd_arena *arena, cox_sums *sums)
{
    *sums = (cox_sums){0};
    BD_NEW(arena, sums->eta, rows->n);
    BD_NEW(arena, sums->risk, rows->n);
    if (rows->leaving != NULL)
        BD_NEW(arena, sums->gone_risk, rows->n);
    BD_NEW(arena, sums->hazard, rows->n_groups + 1);
    BD_NEW(arena, sums->jump, rows->n_groups);
    BD_NEW(arena, sums->own, rows->n_groups);
    BD_NEW(arena, sums->blocks, rows->n_blocks * cox_block_room(rows->p));
    BD_NEW(arena, sums->score, rows->p);
    BD_NEW(arena, sums->information, rows->p * rows->p);
    return BD_OK;
}

bool cox_sweep(const cox_rows *rows, bool efron, const double *gamma, cox_sums *sums)
{
    const size_t n_blocks = rows->n_blocks;
    bool finite = true;
#pragma omp parallel for num_threads(rows->n_threads) schedule(static) if (n_blocks > 1)
    for (size_t b = 0; b < n_blocks; b++)
        predict(rows, gamma, rows->group[rows->block[b]], rows->group[rows->block[b + 1]], sums);
#pragma omp parallel for num_threads(rows->n_threads) schedule(static) if (n_blocks > 2)
    for (size_t b = 0; b < n_blocks - 1; b++)
        total_any(rows, sums, b);
    carry(rows, sums);
#pragma omp parallel for num_threads(rows->n_threads) schedule(static) reduction(&& : finite) if (n_blocks > 1)
    for (size_t b = 0; b < n_blocks; b++)
        finite = sweep_any(rows, sums, efron, b) && finite;
    if (!finite)
        return false;
    cox_accumulate_hazard(rows, sums);
#pragma omp parallel for num_threads(rows->n_threads) schedule(static) if (n_blocks > 1)
    for (size_t b = 0; b < n_blocks; b++)
        products_any(rows, sums, b);
    join_blocks(rows, sums);
    return isfinite(sums->log_likelihood);
}
