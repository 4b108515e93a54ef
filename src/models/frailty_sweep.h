/* Score and information of coefficients and log frailties at once. */
#ifndef BORDIN_SRC_MODELS_FRAILTY_SWEEP_H
#define BORDIN_SRC_MODELS_FRAILTY_SWEEP_H

#include "models/cox_internal.h"

typedef struct frailty_model {
    const cox_model *model;
    cox_rows *rows;  /* the model's, whose offsets have the log frailties in them */
    bool efron;
    size_t n_groups; /* that share a frailty */
    uint32_t *of, *of_leaving;     /* n: the group of a row, in the order of rows and of leaving */
    double *offset, *gone_offset;  /* n: without frailties; or NULL */
    double *gamma;                 /* p */
    double *omega;                 /* n_groups: log frailties */
    double *size, *events;         /* n_groups: rows and events by weight */
    cox_sums sums;                 /* likelihood, score and information of the coefficients */
    double *expected, *diagonal;   /* n_groups: events expected, second derivative of opposite sign */
    double *cross;                 /* n_groups x p: the same by frailty and coefficient */
    double *at_risk, *dying;       /* n_groups: risk of those at risk, of those with an event now */
    cox_means means;
    double *residual;              /* p */
    double *since;                 /* n_groups: up to where diagonal has been reckoned */
} frailty_model;

BD_CHECKED bd_status frailty_model_make(const cox_model *model, bd_arena *arena, frailty_model *m);

/* Everything at gamma and omega. False: it is not finite there. */
bool frailty_sweep(frailty_model *m);

#endif
