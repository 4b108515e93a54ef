/* Sums over those at risk, as a descending sweep over the groups leaves them. */
#ifndef BORDIN_MODELS_COX_AT_RISK_H
#define BORDIN_MODELS_COX_AT_RISK_H

#include <string.h>

#include "models/cox_internal.h"
#include "models/glm_exp.h"

/* Sums over those at risk, and what rounding took from them, for rows that leave must not leave anything behind. */
typedef struct at_risk {
    double *sums, *lost; /* p + 1: of risk, of risk * u */
} at_risk;

GLM_INLINE void add_one(double *sum, double *lost, double x)
{
    const double total = *sum + x, part = total - *sum;
    *lost += (*sum - (total - part)) + (x - part);
    *sum = total;
}

GLM_INLINE void add_row(size_t p, bool doubled, double risk, const double *u, at_risk *at)
{
    if (doubled) {
        add_one(&at->sums[0], &at->lost[0], risk);
        for (size_t j = 0; j < p; j++)
            add_one(&at->sums[j + 1], &at->lost[j + 1], risk * u[j]);
    } else {
        at->sums[0] += risk;
        for (size_t j = 0; j < p; j++)
            at->sums[j + 1] += risk * u[j];
    }
}

/* From the state before group g to that at it. */
GLM_INLINE void step_to(const cox_rows *rows, const cox_sums *sums, size_t p, bool doubled, size_t g, at_risk *at)
{
    if (rows->opens[g])
        memset(at->sums, 0, (size_t)(at->lost - at->sums + (ptrdiff_t)p + 1) * sizeof *at->sums);
    for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++)
        add_row(p, doubled, sums->risk[k], rows->u + k * p, at);
    if (!doubled)
        return;
    for (size_t k = cox_first_leaving(rows, g); k < rows->left[g]; k++)
        add_row(p, doubled, -sums->gone_risk[k], rows->gone_u + k * p, at);
}

#endif
