/* The exact partial likelihood of discrete times: of d events among those at risk, the share of their product of risks
 * in that of all subsets of d, which is the elementary symmetric polynomial of order d. It and its derivatives grow by
 * one row at a time: E_k += r E_(k-1). Gail, Lubin & Rubinstein (1981). */
#include <string.h>

#include "models/cox_internal.h"
#include "models/glm_exp.h"

typedef struct subsets {
    size_t p, n_events;
    double *value;    /* n_events + 1 */
    double *gradient; /* n_events + 1 x p */
    double *hessian;  /* n_events + 1 x p x p, lower half */
} subsets;

static size_t events_of(const cox_rows *rows, size_t g)
{
    size_t n_events = 0;
    for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++)
        n_events += rows->event[k];
    return n_events;
}

size_t cox_exact_scratch(const cox_rows *rows)
{
    size_t most = 0;
    for (size_t g = 0; g < rows->n_groups; g++) {
        const size_t n_events = events_of(rows, g);
        most = n_events > most ? n_events : most;
    }
    return (most + 1) * (1 + rows->p + rows->p * rows->p);
}

/* Every subset also with this row, of risk r. */
static void add_member(subsets *s, size_t n_before, double r, const double *u)
{
    const size_t p = s->p;
    for (size_t k = n_before < s->n_events ? n_before + 1 : s->n_events; k > 0; k--) {
        const double value = s->value[k - 1], *gradient = s->gradient + (k - 1) * p;
        const double *hessian = s->hessian + (k - 1) * p * p;
        for (size_t i = 0; i < p; i++) {
            for (size_t j = 0; j <= i; j++)
                s->hessian[k * p * p + i * p + j] +=
                    r * (u[i] * u[j] * value + u[i] * gradient[j] + u[j] * gradient[i] + hessian[i * p + j]);
        }
        for (size_t i = 0; i < p; i++)
            s->gradient[k * p + i] += r * (u[i] * value + gradient[i]);
        s->value[k] += r * value;
    }
}

static bool at_risk(const cox_rows *rows, size_t g, size_t k)
{
    return rows->entry == NULL || rows->entry[k] > g;
}

/* Risks are scaled so that sums over subsets stay near 1. */
static bool add_group(const cox_rows *rows, size_t first, size_t g, subsets *s, cox_sums *sums)
{
    const size_t p = rows->p, d = s->n_events;
    double total = 0;
    for (size_t k = rows->group[first]; k < rows->group[g + 1]; k++)
        total += at_risk(rows, g, k) ? sums->risk[k] : 0;
    const double scale = (double)d / (2.718281828459045 * total);
    memset(s->value, 0, (d + 1) * (1 + p + p * p) * sizeof(double));
    s->gradient = s->value + d + 1;
    s->hessian = s->gradient + (d + 1) * p;
    s->value[0] = 1;
    for (size_t k = rows->group[first], n = 0; k < rows->group[g + 1]; k++)
        if (at_risk(rows, g, k))
            add_member(s, n++, sums->risk[k] * scale, rows->u + k * p);
    const double value = s->value[d], *gradient = s->gradient + d * p, *hessian = s->hessian + d * p * p;
    if (!(value > 0 && value < INFINITY))
        return false;
    for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++)
        if (rows->event[k]) {
            sums->log_likelihood += sums->eta[k];
            for (size_t j = 0; j < p; j++)
                sums->score[j] += rows->u[k * p + j];
        }
    sums->log_likelihood -= log(value) - (double)d * log(scale);
    for (size_t i = 0; i < p; i++) {
        sums->score[i] -= gradient[i] / value;
        for (size_t j = 0; j <= i; j++)
            sums->information[i * p + j] += hessian[i * p + j] / value - gradient[i] / value * (gradient[j] / value);
    }
    return true;
}

bool cox_sweep_exact(const cox_rows *rows, const double *gamma, double *scratch, cox_sums *sums)
{
    const size_t p = rows->p;
    subsets s = {.p = p, .value = scratch};
    sums->log_likelihood = 0;
    memset(sums->score, 0, p * sizeof *sums->score);
    memset(sums->information, 0, p * p * sizeof *sums->information);
    for (size_t k = 0; k < rows->n; k++) {
        sums->eta[k] = rows->offset == NULL ? 0 : rows->offset[k];
        for (size_t j = 0; j < p; j++)
            sums->eta[k] += rows->u[k * p + j] * gamma[j];
        sums->risk[k] = glm_exp(sums->eta[k]);
    }
    for (size_t g = 0, first = 0; g < rows->n_groups; g++) {
        first = rows->opens[g] ? g : first;
        s.n_events = events_of(rows, g);
        if (s.n_events > 0 && !add_group(rows, first, g, &s, sums))
            return false;
    }
    return isfinite(sums->log_likelihood);
}
