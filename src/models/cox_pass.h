/* The partial likelihood's score and information of one replicate: the sweep of cox_sums.c by columns, for vectors. */
#ifndef BORDIN_MODELS_COX_PASS_H
#define BORDIN_MODELS_COX_PASS_H

#include "models/cox_internal.h"

enum { COX_LANES = 4, COX_PAD = 8 };

/* Rows with a weight, in the order of cox_rows; columns are `stride` apart and end in zeros. */
typedef struct cox_pass {
    size_t p, n, stride;
    bool efron;
    double *u;          /* p x stride */
    double *weights;    /* stride */
    double *offset;     /* stride, or NULL */
    uint8_t *event;     /* n */
    size_t n_groups;
    uint32_t *group;    /* n_groups + 1 */
    uint8_t *opens;     /* n_groups */
    uint32_t *n_events; /* n_groups */
    double *event_sum;  /* p: of weight * u over the events */
    double *risk;       /* stride */
    double *factor;     /* stride: risk * cumulative hazard */
    size_t set_stride;
    double *sets;       /* (p + 3) x set_stride, by risk set: its sums, weight m, m / total */
    double *score, *information; /* p, p x p lower half */
} cox_pass;

static inline size_t cox_pass_stride(size_t n)
{
    return (n + COX_PAD - 1) / COX_PAD * COX_PAD;
}

/* Score and information at gamma. */
void cox_pass_run(const cox_pass *pass, const double *gamma);

#endif
