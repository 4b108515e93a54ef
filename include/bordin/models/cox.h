/* Proportional hazards: how predictors multiply the hazard of an event, by Cox's partial likelihood.
 *
 *     const bd_cox_design design = {.n_rows = n, .n_columns = p, .columns = x, .names = names, .stop = time,
 *                                   .event = dropped_out};
 *     BD_TRY(bd_cox_fit(&design, &BD_COX_DEFAULTS, arena, &fit));
 *     fit->coefficients[0].hazard_ratio        per unit of x[0]
 *
 * For patients whose predictors change, a row is the interval (start, stop] on which they had these values. For the
 * bootstrap, bd_cox_prepare once and bd_cox_replicate for each vector of weights.
 */
#ifndef BORDIN_MODELS_COX_H
#define BORDIN_MODELS_COX_H

#include <stdbool.h>
#include <stdint.h>

#include <bordin/core/arena.h>

typedef struct bd_cox_design {
    size_t n_rows, n_columns;
    const double *const *columns; /* n_columns of n_rows; no constant */
    const char *const *names;     /* of the columns, for messages */
    const double *start;          /* a row is at risk in (start, stop]; NULL: from before the first event */
    const double *stop;
    const double *event;          /* 1: the event at stop; 0: none until then */
    const uint32_t *strata;       /* baseline hazards of their own, 0 .. n_strata - 1 by row; or NULL */
    size_t n_strata;
    const uint32_t *cluster;      /* 0 .. n_clusters - 1 by row, or NULL */
    size_t n_clusters;
    const uint32_t *id;           /* the patient of a row, 0 .. n_ids - 1: intervals must not overlap; or NULL */
    const char *const *id_levels; /* names of the patients, for messages; or NULL */
    size_t n_ids;
    const double *weights;        /* a row of weight 2 counts as two, but see bd_cox_ties; or NULL */
    const double *offset;         /* added to the log hazard; or NULL */
    int n_threads;                /* 0: all */
} bd_cox_design;

/* What several events at one time contribute: the average risk set while they leave one by one (Efron), the whole one
 * for each (Breslow), or all subsets of that size (the exact partial likelihood of discrete times, conditional logistic
 * regression; no weights). Under Efron's a row of weight 2 differs a little from the row written twice. */
typedef enum bd_cox_ties { BD_COX_EFRON, BD_COX_BRESLOW, BD_COX_EXACT } bd_cox_ties;

typedef enum bd_cox_se {
    BD_COX_MODEL,  /* from the information */
    BD_COX_ROBUST, /* Lin & Wei's sandwich: score residuals by cluster, or by row; not with exact ties */
} bd_cox_se;

typedef enum bd_cox_end {
    BD_COX_CONVERGED,
    BD_COX_NOT_CONVERGED,
    BD_COX_INFINITE, /* the likelihood rises for ever along a combination of predictors */
} bd_cox_end;

typedef struct bd_cox_coefficient {
    double estimate;     /* log hazard ratio per unit; +-infinity when it runs away */
    double naive_se;     /* of the model; NaN when it runs away, as are the next */
    double se;           /* as asked for */
    double z, p;
    double ci_low, ci_high;
    double hazard_ratio, hazard_ratio_low, hazard_ratio_high;
    bool infinite;
} bd_cox_coefficient;

typedef struct bd_cox_test {
    double statistic, df, p; /* chi-squared */
} bd_cox_test;

/* How often, of two rows of which one is known to have the event earlier, that one had the higher linear predictor. */
typedef struct bd_cox_concordance {
    double concordance, se;                   /* the se by the infinitesimal jackknife, by cluster where there are */
    double concordant, discordant, tied_risk; /* pairs, by weight */
} bd_cox_concordance;

typedef struct bd_cox {
    size_t n_rows, n_columns;
    size_t n_used;   /* rows with a weight */
    size_t n_events; /* among them */
    size_t n_ties;   /* events that share their time with another of their stratum */
    bd_cox_ties ties;
    bd_cox_se se;
    double level;
    bd_cox_coefficient *coefficients; /* n_columns */
    double *covariance;               /* n_columns x n_columns, by the errors asked for */
    double *naive_covariance;         /* the inverse of the information */
    double *linear_predictor;         /* n_rows: of the columns about their weighted means, with the offset */
    double *centres;                  /* n_columns: those means */
    double log_likelihood_null, log_likelihood; /* partial; with infinite coefficients what they tend to */
    bd_cox_test likelihood_ratio, wald, score;  /* of all columns against none; wald by the errors asked for */
    bd_cox_test robust_score;                   /* NaN without robust errors */
    bd_cox_concordance concordance;
    size_t n_iterations;
    bd_cox_end end;
    const char *infinite; /* "'x'", "'x' and 'z'"; NULL otherwise */
} bd_cox;

typedef struct bd_cox_options {
    bd_cox_ties ties;
    bd_cox_se se;
    double level;          /* of the confidence intervals */
    size_t max_iterations; /* 0: 100 */
    bool no_concordance;   /* leave it out */
} bd_cox_options;

#define BD_COX_DEFAULTS ((bd_cox_options){.level = 0.95})

/* Fits the log hazard ratios by Newton-Raphson on the partial likelihood, halving steps that lower it, on columns
 * rotated to be uncorrelated. One descending sweep an iteration, for intervals too: rows that leave the risk set are
 * subtracted from sums kept in doubled precision. The fit lives in `arena`, the same for any number of threads.
 * BD_EUSAGE: exact ties with weights or robust errors. BD_EDATA: a value that is not finite; a negative time; an
 * interval that ends before it begins; an event that is not 0 or 1; two intervals of one patient that overlap; negative
 * weights; no events; no event with another row at risk; a constant column. BD_ENUMERIC: collinear columns, named.
 * Cox (1972); Efron (1977), doi:10.1080/01621459.1977.10480613; Lin & Wei (1989), doi:10.1080/01621459.1989.10478874;
 * Gail, Lubin & Rubinstein (1981), doi:10.1093/biomet/68.3.703; Therneau & Grambsch (2000). */
BD_CHECKED bd_status bd_cox_fit(const bd_cox_design *design, const bd_cox_options *options, bd_arena *arena,
                                const bd_cox **fit);

/* What bd_cox_fit says of rows before it looks at the columns together, for other models of the same rows; there may be
 * no columns. BD_EDATA: as there. */
BD_CHECKED bd_status bd_cox_check(const bd_cox_design *design, bd_arena *arena);

/* Residuals by row of the design, 0 for rows without weight. Efron or Breslow. BD_EUSAGE: exact ties. */
/* Events less those expected. */
BD_CHECKED bd_status bd_cox_martingale(const bd_cox_design *design, const bd_cox *fit, bd_arena *arena,
                                       const double **residuals);
/* n_rows x n_columns by row: what a row adds to the score, without its weight. */
BD_CHECKED bd_status bd_cox_score_residuals(const bd_cox_design *design, const bd_cox *fit, bd_arena *arena,
                                            const double **residuals);

/* An event's predictors less their mean over those at risk. */
typedef struct bd_cox_schoenfeld {
    size_t n_events;
    const size_t *rows;      /* of the events, by stratum and time */
    const double *times;
    const double *residuals; /* n_events x n_columns */
} bd_cox_schoenfeld;

BD_CHECKED bd_status bd_cox_schoenfeld_residuals(const bd_cox_design *design, const bd_cox *fit, bd_arena *arena,
                                                 const bd_cox_schoenfeld **schoenfeld);

typedef enum bd_cox_transform { BD_COX_KM, BD_COX_RANK, BD_COX_IDENTITY, BD_COX_LOG } bd_cox_transform;

typedef struct bd_cox_zph {
    bd_cox_transform transform;
    size_t n_terms;
    bd_cox_test *terms; /* does the effect of this term change with (transformed) time? */
    bd_cox_test global;
} bd_cox_zph;

/* Score tests of proportional hazards, of each term (`terms`: the term of each column, 0 .. n_terms - 1; NULL: every
 * column is one) and of all. KM: time is 1 - the Kaplan-Meier curve just before it.
 * BD_EUSAGE: exact ties. BD_ENUMERIC: the fit did not converge. Grambsch & Therneau (1994),
 * doi:10.1093/biomet/81.3.515. */
BD_CHECKED bd_status bd_cox_proportional(const bd_cox_design *design, const bd_cox *fit, bd_cox_transform transform,
                                         const size_t *terms, size_t n_terms, bd_arena *arena, const bd_cox_zph **zph);

/* Cumulative hazard and survival of a patient with given predictors, by event time of a stratum. */
typedef struct bd_cox_curve {
    size_t n_times;
    const double *times;
    const double *at_risk, *events; /* by weight */
    const double *hazard, *hazard_se; /* cumulative; its error includes that of the coefficients */
    const double *survival, *low, *high; /* exp(-hazard), with limits on the log scale, at the fit's level */
} bd_cox_curve;

/* Of a stratum's baseline and a profile (n_columns values; NULL: the means), at the mean offset. Efron's or Breslow's
 * estimator as the fit's ties; limits by the fit's errors. BD_EUSAGE: exact ties, no such stratum. BD_ENUMERIC: the fit
 * did not converge. */
BD_CHECKED bd_status bd_cox_survival(const bd_cox_design *design, const bd_cox *fit, size_t stratum,
                                     const double *profile, bd_arena *arena, const bd_cox_curve **curve);

/* The same model for other weights, many times: a bootstrap's replicates. Made once from a fit that converged. */
typedef struct bd_cox_prepared {
    size_t n_rows, n_columns;
    size_t n_scratch;              /* doubles that bd_cox_replicate needs */
    const struct cox_prepared *in; /* its own */
} bd_cox_prepared;

typedef enum bd_cox_replicate_end {
    BD_COX_REPLICATE_CONVERGED,
    BD_COX_REPLICATE_COLLINEAR, /* the rows with weight do not identify the coefficients */
    BD_COX_REPLICATE_INFINITE,  /* or leave them without a finite maximum */
    BD_COX_REPLICATE_NOT_CONVERGED,
} bd_cox_replicate_end;

/* Rows sorted once, columns rotated. BD_EUSAGE: exact ties. BD_ENUMERIC: the fit did not converge. */
BD_CHECKED bd_status bd_cox_prepare(const bd_cox_design *design, const bd_cox *fit, bd_arena *arena,
                                    const bd_cox_prepared **prepared);

/* The coefficients (n_columns) when row i counts weights[i] times (times its own weight): Newton's method from the full
 * sample's solution, to convergence, on the rows that have a weight. Pure: threads may call it at once, each with a
 * scratch of its own, and a result depends on nothing but its weights. */
bd_cox_replicate_end bd_cox_replicate(const bd_cox_prepared *prepared, const double *weights, double *scratch,
                                      double *coefficients);

#endif
