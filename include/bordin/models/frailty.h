/* Shared gamma frailty: proportional hazards in which the patients of one therapist share an unobserved multiple of the
 * hazard, of mean 1 and variance theta.
 *
 *     design.cluster = therapist;                                   who shares one
 *     BD_TRY(bd_frailty_fit(&design, &BD_FRAILTY_DEFAULTS, arena, &fit));
 *     fit->theta, fit->groups[g].frailty
 */
#ifndef BORDIN_MODELS_FRAILTY_H
#define BORDIN_MODELS_FRAILTY_H

#include <bordin/models/cox.h>

typedef enum bd_frailty_end {
    BD_FRAILTY_CONVERGED,
    BD_FRAILTY_NONE, /* the likelihood falls from theta = 0 on: the fit is Cox's */
    BD_FRAILTY_NOT_CONVERGED,
} bd_frailty_end;

typedef struct bd_frailty_coefficient {
    double estimate;
    double se; /* from the penalised information; se_given from the sandwich of it and the unpenalised one */
    double se_given;
    double z, p;
    double ci_low, ci_high;
    double hazard_ratio, hazard_ratio_low, hazard_ratio_high;
} bd_frailty_coefficient;

typedef struct bd_frailty_group {
    double n_rows, n_events; /* by weight */
    double log_frailty, se;  /* of the logarithm, theta taken as known */
    double frailty;          /* their mean is 1 */
} bd_frailty_group;

typedef struct bd_frailty {
    size_t n_columns, n_groups, n_rows, n_used, n_events, n_ties;
    bd_cox_ties ties;
    double level;
    bd_frailty_coefficient *coefficients; /* n_columns */
    double *covariance;                   /* n_columns x n_columns */
    bd_frailty_group *groups;             /* n_groups */
    double theta;                         /* variance of the frailty */
    double kendall;                       /* theta / (theta + 2): Kendall's tau of two times of one group */
    double log_likelihood;                /* frailties integrated out, of the partial likelihood */
    double cox_log_likelihood;            /* without frailty */
    double null_log_likelihood;           /* without frailty and columns */
    bd_cox_test frailty_test;  /* likelihood ratio of theta = 0: half of chi-squared with 1 df, as theta is at its edge */
    double df_columns, df_frailty;        /* that they use: traces of the unpenalised in the penalised information */
    size_t n_iterations;                  /* of Newton's method, for all values of theta */
    size_t n_thetas;
    bd_frailty_end end;
} bd_frailty;

typedef struct bd_frailty_options {
    bd_cox_ties ties; /* Efron or Breslow */
    double level;
} bd_frailty_options;

#define BD_FRAILTY_DEFAULTS ((bd_frailty_options){.level = 0.95})

/* For each theta, coefficients and log frailties maximise the partial likelihood less the gamma penalty, by Newton's method
 * with the information of the frailties taken as diagonal (which changes the way, not where it ends; errors are of that
 * information, as in R's survival with its sparse frailties); theta is where the derivative of the likelihood with
 * frailties integrated out is 0. The group of a row is its cluster. The fit lives in `arena`; each sweep costs the rows
 * times the columns, whatever the number of groups.
 * BD_EUSAGE: exact ties, no clusters. BD_EDATA, BD_ENUMERIC: as bd_cox_fit; predictors whose coefficients have no finite
 * maximum.
 * Therneau, Grambsch & Pankratz (2003), doi:10.1198/1061860031365; Nielsen et al. (1992). */
BD_CHECKED bd_status bd_frailty_fit(const bd_cox_design *design, const bd_frailty_options *options, bd_arena *arena,
                                    const bd_frailty **fit);

#endif
