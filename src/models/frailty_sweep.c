/* The sums that frailties need, in a sweep that touches a group only when its rows come and go: with a the risk of a
 * group's rows and S0 of all, the information of its log frailty is its expected events less the sum of m a^2 / S0^2 over
 * risk sets; a stands still between, so that the sum of m / S0^2 so far is all that is needed. */
#include "models/frailty_sweep.h"

#include <string.h>

static bd_status offsets(frailty_model *m, bd_arena *arena)
{
    cox_rows *rows = m->rows;
    m->offset = rows->offset;
    m->gone_offset = rows->gone_offset;
    BD_NEW(arena, rows->offset, rows->n);
    if (rows->leaving != NULL)
        BD_NEW(arena, rows->gone_offset, rows->n);
    return BD_OK;
}

bd_status frailty_model_make(const cox_model *model, bd_arena *arena, frailty_model *m)
{
    const bd_cox_design *design = model->design;
    const size_t n = model->rows.n, p = model->rows.p, q = design->n_clusters;
    cox_rows *rows;
    BD_NEW(arena, rows, 1);
    *rows = model->rows;
    *m = (frailty_model){.model = model, .rows = rows, .efron = model->ties == BD_COX_EFRON, .n_groups = q};
    BD_TRY(offsets(m, arena));
    BD_NEW(arena, m->of, n);
    BD_NEW(arena, m->of_leaving, rows->leaving != NULL ? n : 0);
    BD_NEW(arena, m->gamma, p);
    BD_NEW(arena, m->omega, 8 * q + q * p);
    m->size = m->omega + q;
    m->events = m->size + q;
    m->expected = m->events + q;
    m->diagonal = m->expected + q;
    m->at_risk = m->diagonal + q;
    m->dying = m->at_risk + q;
    m->since = m->dying + q;
    m->cross = m->since + q;
    for (size_t k = 0; k < n; k++) {
        m->of[k] = design->cluster[model->row_of[k]];
        m->size[m->of[k]] += rows->weights[k];
        m->events[m->of[k]] += rows->event[k] ? rows->weights[k] : 0;
    }
    for (size_t k = 0; rows->leaving != NULL && k < n; k++)
        m->of_leaving[k] = m->of[rows->leaving[k]];
    BD_NEW(arena, m->residual, p);
    BD_TRY(cox_means_room(rows, arena, &m->means));
    return cox_sums_make(rows, arena, &m->sums);
}

/* Sum of m / S0^2 over the risk sets so far, and what a group has had of it since its risk last changed. */
static void settle(frailty_model *m, size_t group, double squares)
{
    m->diagonal[group] -= m->at_risk[group] * m->at_risk[group] * (squares - m->since[group]);
    m->since[group] = squares;
}

static void change(frailty_model *m, size_t group, double risk, double squares)
{
    settle(m, group, squares);
    m->at_risk[group] = fmax(m->at_risk[group] + risk, 0);
}

/* The events of a time: groups that have some are, under Efron's ties, in each risk set with less. */
static double risk_sets(frailty_model *m, size_t g, double total, double *squares)
{
    const cox_rows *rows = m->rows;
    double dying = 0, weight = 0;
    size_t n_events = 0;
    for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++)
        if (rows->event[k]) {
            n_events++;
            weight += rows->weights[k];
            dying += m->sums.risk[k];
            m->dying[m->of[k]] += m->sums.risk[k];
        }
    const size_t n_sets = m->efron ? n_events : n_events > 0;
    double first = 0, second = 0; /* sums of m share / S0^2 and of m share^2 / S0^2 */
    for (size_t l = 0; l < n_sets; l++) {
        const double share = (double)l / (double)n_sets, left = total - share * dying;
        const double square = weight / (double)n_sets / (left * left);
        *squares += square;
        first += square * share;
        second += square * share * share;
    }
    for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++) {
        double *own = &m->dying[m->of[k]];
        if (rows->event[k] && n_sets > 1)
            m->diagonal[m->of[k]] += 2 * m->at_risk[m->of[k]] * *own * first - *own * *own * second;
        if (rows->event[k])
            *own = 0; /* once for each group */
    }
    return total;
}

static void add_squares(frailty_model *m)
{
    const cox_rows *rows = m->rows;
    double squares = 0, total = 0, lost = 0;
    memset(m->at_risk, 0, 3 * m->n_groups * sizeof *m->at_risk);
    for (size_t g = 0; g < rows->n_groups; g++) {
        for (size_t i = 0; rows->opens[g] && i < m->n_groups; i++) {
            settle(m, i, squares);
            m->at_risk[i] = 0;
        }
        if (rows->opens[g])
            total = lost = 0;
        for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++) {
            change(m, m->of[k], m->sums.risk[k], squares);
            const double sum = total + m->sums.risk[k];
            lost += fabs(total) >= m->sums.risk[k] ? (total - sum) + m->sums.risk[k] : (m->sums.risk[k] - sum) + total;
            total = sum;
        }
        for (size_t k = rows->leaving != NULL ? cox_first_leaving(rows, g) : 1;
             rows->leaving != NULL && k < rows->left[g]; k++) {
            change(m, m->of_leaving[k], -m->sums.gone_risk[k], squares);
            const double sum = total - m->sums.gone_risk[k];
            lost += (total - sum) - m->sums.gone_risk[k];
            total = sum;
        }
        risk_sets(m, g, total + lost, &squares);
    }
    for (size_t i = 0; i < m->n_groups; i++)
        settle(m, i, squares);
}

/* Expected events, and the information between a group's frailty and the coefficients. */
static void add_rows(frailty_model *m)
{
    const cox_rows *rows = m->rows;
    const size_t p = rows->p;
    cox_means_find(rows, m->efron, &m->sums, &m->means);
    for (size_t g = 0; g < rows->n_groups; g++)
        for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++) {
            const size_t group = m->of[k];
            const double expected = m->sums.risk[k] * cox_exposure(rows, &m->sums, g, k);
            m->expected[group] += expected;
            m->diagonal[group] += expected;
            cox_score_of_row(rows, &m->sums, &m->means, g, k, m->residual);
            for (size_t j = 0; j < p; j++) {
                const double event = rows->event[k] ? rows->u[k * p + j] - m->means.mean[g * p + j] : 0;
                m->cross[group * p + j] += rows->weights[k] * (event - m->residual[j]);
            }
        }
}

bool frailty_sweep(frailty_model *m)
{
    cox_rows *rows = m->rows;
    const size_t n = rows->n;
    for (size_t k = 0; k < n; k++)
        rows->offset[k] = (m->offset == NULL ? 0 : m->offset[k]) + m->omega[m->of[k]];
    for (size_t k = 0; rows->leaving != NULL && k < n; k++)
        rows->gone_offset[k] = (m->gone_offset == NULL ? 0 : m->gone_offset[k]) + m->omega[m->of_leaving[k]];
    if (!cox_sweep(rows, m->efron, m->gamma, &m->sums))
        return false;
    memset(m->expected, 0, 2 * m->n_groups * sizeof *m->expected);
    memset(m->cross, 0, m->n_groups * rows->p * sizeof *m->cross);
    add_rows(m);
    add_squares(m);
    return true;
}
