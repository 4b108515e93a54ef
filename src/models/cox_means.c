/* Means over the risk sets at each event time, and score residuals from them. */
#include "models/cox_at_risk.h"

/* The risk sets of group g's events. */
static void means_of_group(const cox_rows *rows, bool efron, const cox_sums *sums, size_t g, const at_risk *at,
                           const cox_means *means)
{
    const size_t p = rows->p;
    double dying[p + 1], weight = 0;
    size_t n_events = 0;
    memset(dying, 0, sizeof dying);
    for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++)
        if (rows->event[k]) {
            n_events++;
            weight += rows->weights[k];
            dying[0] += sums->risk[k];
            for (size_t j = 0; j < p; j++)
                dying[j + 1] += sums->risk[k] * rows->u[k * p + j];
        }
    const size_t n_sets = efron ? n_events : n_events > 0;
    for (size_t l = 0; l < n_sets; l++) {
        const double share = (double)l / (double)n_sets, m = weight / (double)n_sets;
        const double total = at->sums[0] + at->lost[0] - share * dying[0];
        for (size_t j = 0; j < p; j++) {
            const double mean = (at->sums[j + 1] + at->lost[j + 1] - share * dying[j + 1]) / total;
            means->mean[g * p + j] += mean / (double)n_sets;
            means->here[g * p + j] += m * mean / total;
            means->own[g * p + j] += m * (1 - share) * mean / total;
        }
    }
}

bd_status cox_means_room(const cox_rows *rows, bd_arena *arena, cox_means *means)
{
    const size_t p = rows->p;
    BD_NEW(arena, means->mean, rows->n_groups * p);
    BD_NEW(arena, means->jump, (rows->n_groups + 1) * p);
    BD_NEW(arena, means->here, rows->n_groups * p);
    BD_NEW(arena, means->own, rows->n_groups * p);
    BD_NEW(arena, means->at_risk, 2 * (p + 1));
    return BD_OK;
}

void cox_means_find(const cox_rows *rows, bool efron, const cox_sums *sums, const cox_means *means)
{
    const size_t p = rows->p, size = rows->n_groups * p * sizeof(double);
    at_risk at = {means->at_risk, means->at_risk + p + 1};
    memset(means->mean, 0, size);
    memset(means->here, 0, size);
    memset(means->own, 0, size);
    memset(means->at_risk, 0, 2 * (p + 1) * sizeof(double));
    for (size_t g = 0; g < rows->n_groups; g++) {
        step_to(rows, sums, p, rows->leaving != NULL, g, &at);
        means_of_group(rows, efron, sums, g, &at, means);
    }
    for (size_t g = rows->n_groups; g-- > 0;) {
        const bool last = g + 1 == rows->n_groups || rows->opens[g + 1];
        for (size_t j = 0; j < p; j++)
            means->jump[g * p + j] = (last ? 0 : means->jump[(g + 1) * p + j]) + means->here[g * p + j];
    }
}

bd_status cox_means_make(const cox_rows *rows, bool efron, const cox_sums *sums, bd_arena *arena, cox_means *means)
{
    BD_TRY(cox_means_room(rows, arena, means));
    cox_means_find(rows, efron, sums, means);
    return BD_OK;
}

void cox_score_of_row(const cox_rows *rows, const cox_sums *sums, const cox_means *means, size_t g, size_t k,
                      double *residual)
{
    const size_t p = rows->p;
    const double risk = sums->risk[k] / rows->weights[k], exposure = cox_exposure(rows, sums, g, k);
    const double *u = rows->u + k * p;
    for (size_t j = 0; j < p; j++) {
        double until = means->jump[g * p + j];
        if (rows->event[k])
            until += means->own[g * p + j] - means->here[g * p + j];
        if (rows->entry != NULL)
            until -= means->jump[rows->entry[k] * p + j];
        residual[j] = (rows->event[k] ? u[j] - means->mean[g * p + j] : 0) - risk * (u[j] * exposure - until);
    }
}
