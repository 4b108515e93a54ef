/* The rows of a proportional-hazards model in the order of the sweep over risk sets, and what it makes of them. */
#ifndef BORDIN_MODELS_COX_INTERNAL_H
#define BORDIN_MODELS_COX_INTERNAL_H

#include <math.h>

#include <omp.h>

#include <bordin/models/cox.h>

/* Blocks of rows follow from the data alone and are joined in their order: no bit depends on the number of threads. */
enum { COX_BLOCK_ROWS = 16384 };

/* Rows that have a weight, by stratum and descending stop; a group is one stop time of one stratum. */
typedef struct cox_rows {
    size_t n, p;
    double *u;         /* n x p, by row: (x - centre) * rotation */
    double *weights;   /* n */
    double *offset;    /* n, about its mean; or NULL */
    uint8_t *event;    /* n */
    size_t n_groups;
    uint32_t *group;   /* n_groups + 1: where each begins */
    uint8_t *opens;    /* n_groups: its stratum begins here */
    uint32_t *leaving; /* n: rows by stratum and descending start; NULL: all start before the first event */
    double *gone_u, *gone_weights, *gone_offset; /* u, weights, offset in that order, to be read in sequence */
    uint32_t *left;    /* n_groups: how many of `leaving` are not at risk any more, or not of this stratum */
    uint32_t *entry;   /* n: the first group at or before the row's start, n_groups: none */
    size_t n_blocks;
    uint32_t *block;   /* n_blocks + 1: their first groups */
    int n_threads;
} cox_rows;

/* What one sweep leaves behind. */
typedef struct cox_sums {
    double *eta, *risk; /* n: linear predictor, weight * exp(eta) */
    double *gone_risk;  /* n: risk in the order of leaving; NULL without */
    double *hazard;     /* n_groups + 1: cumulative, at each group; 0 at the end */
    double *jump;       /* n_groups: its increase there for rows without the event ... */
    double *own;        /* ... and for those with it, who are in Efron's shrinking risk set for a part */
    double *blocks;     /* n_blocks times room for what a block carries and adds */
    double log_likelihood;
    double *score;       /* p */
    double *information; /* p x p */
} cox_sums;

typedef struct cox_model {
    const bd_cox_design *design;
    bd_cox_ties ties;
    cox_rows rows;
    uint32_t *row_of;  /* n: row of the design */
    size_t n_events, n_ties;
    double *centre;    /* p */
    double *rotation;  /* p x p, upper triangular: coefficients are rotation * gamma */
    double *scale;     /* p: standard deviations of the columns */
} cox_model;

/* The first of `leaving` that leaves at group g. */
static inline size_t cox_first_leaving(const cox_rows *rows, size_t g)
{
    return rows->opens[g] || rows->left == NULL ? rows->group[g] : rows->left[g - 1];
}

static inline size_t cox_block_room(size_t p)
{
    return 4 * (p + 1) + 1 + p + p * p; /* sums at its start and within it, doubled; what it adds */
}

static inline int cox_threads(const bd_cox_design *design)
{
    return design->n_threads > 0 ? design->n_threads : omp_get_max_threads();
}

/* cox_prepare.c: checks, sorts, rotates. */
BD_CHECKED bd_status cox_model_make(const bd_cox_design *design, bd_cox_ties ties, bd_arena *arena, cox_model **model);

/* beta <- rotation * gamma. */
void cox_rotate_back(const cox_model *model, const double *gamma, double *beta);

/* covariance (p x p) <- rotation * inner * rotation'. */
void cox_rotate_covariance(const cox_model *model, const double *inner, double *covariance);

/* cox_sort.c: order <- 0 .. n - 1 by stratum (NULL: one) and descending time, equal ones in their order. */
BD_CHECKED bd_status cox_sort(size_t n, const double *times, const uint32_t *strata, size_t n_strata, bd_arena *arena,
                              uint32_t *order);

/* cox_sums.c */
BD_CHECKED bd_status cox_sums_make(const cox_rows *rows, bd_arena *arena, cox_sums *sums);

/* Log partial likelihood, score and information at gamma. False: it is not finite there. */
bool cox_sweep(const cox_rows *rows, bool efron, const double *gamma, cox_sums *sums);

/* hazard <- the sums of jump, ascending in time. */
void cox_accumulate_hazard(const cox_rows *rows, cox_sums *sums);

/* H(stop) - H(start) of row k, which is in group g. */
double cox_exposure(const cox_rows *rows, const cox_sums *sums, size_t g, size_t k);

/* cox_exact.c: the same for the exact likelihood of discrete times; hazard, jump and own are not touched. */
bool cox_sweep_exact(const cox_rows *rows, const double *gamma, double *scratch, cox_sums *sums);
size_t cox_exact_scratch(const cox_rows *rows);

/* cox_solve.c: Cholesky in place, lower half; returns the first pivot not above `least`, or p. */
size_t cox_cholesky(size_t p, double *matrix, double least);
void cox_cholesky_solve(size_t p, const double *factor, const double *b, double *x);
void cox_cholesky_invert(size_t p, const double *factor, double *inverse);

/* cox_means.c: means of u over the risk sets of each group that has events, once the sweep has been there. */
typedef struct cox_means {
    double *mean; /* n_groups x p: over the risk sets of its events */
    double *jump; /* n_groups + 1 x p: of those means times the hazard's jumps, cumulative as sums->hazard is */
    double *here; /* n_groups x p: what it is at this group */
    double *own;  /* n_groups x p: the same for rows with the event, as sums->own is */
    double *at_risk; /* 2 x (p + 1), to work with */
} cox_means;

BD_CHECKED bd_status cox_means_make(const cox_rows *rows, bool efron, const cox_sums *sums, bd_arena *arena,
                                    cox_means *means);
/* The two parts of it: room, and what the sweep has left behind. */
BD_CHECKED bd_status cox_means_room(const cox_rows *rows, bd_arena *arena, cox_means *means);
void cox_means_find(const cox_rows *rows, bool efron, const cox_sums *sums, const cox_means *means);

/* residual (p) <- what row k of group g adds to the score, in u, without its weight. */
void cox_score_of_row(const cox_rows *rows, const cox_sums *sums, const cox_means *means, size_t g, size_t k,
                      double *residual);

/* cox_errors.c: covariance <- the sandwich of the score residuals by cluster or row, about `inner`, the inverse of the
 * information in u. The sums are those at gamma before and after. */
BD_CHECKED bd_status cox_robust(const cox_model *model, cox_sums *sums, const double *gamma, const double *inner,
                                bd_arena *arena, double *covariance, bd_cox_test *robust_score);

/* cox_concordance.c */
BD_CHECKED bd_status cox_concordance_of(const cox_model *model, const double *eta, bd_arena *arena,
                                        bd_cox_concordance *concordance);

/* Chi-squared with its p value. */
bd_cox_test cox_chi_squared(double statistic, double df);

#endif
