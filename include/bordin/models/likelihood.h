/* Models fitted by maximum likelihood whose rows depend on a few linear predictors: one mechanism for all of them.
 *
 *     const bd_predictor predictors[] = {{.n_columns = p, .columns = x, .names = names, .has_intercept = true}, ...};
 *     const bd_likelihood_problem problem = {.model = &model, .context = &data, .n_rows = n,
 *                                            .n_predictors = 2, .predictors = predictors};
 *     BD_TRY(bd_likelihood_prepare(&problem, arena, &likelihood));
 *     BD_TRY(bd_likelihood_maximise(likelihood, &bd_se_classical, &BD_LIKELIHOOD_DEFAULTS, arena, &fit));
 *
 * and for each replicate of a bootstrap, without allocation:
 *
 *     end = bd_likelihood_replicate(likelihood, weights, fit->working, scratch, estimates);
 *
 * The models (ordinal.h, multinomial.h, proportions.h, zero_inflated.h) make the problem; who adds one writes `rows`.
 */
#ifndef BORDIN_MODELS_LIKELIHOOD_H
#define BORDIN_MODELS_LIKELIHOOD_H

#include <bordin/models/ols.h>

/* How a fit ended. Each is a result, and none an error. */
typedef enum bd_likelihood_end {
    BD_LIKELIHOOD_CONVERGED,
    BD_LIKELIHOOD_NOT_CONVERGED,
    BD_LIKELIHOOD_SEPARATED, /* the likelihood rises for ever as coefficients grow: predictors tell outcomes apart */
    BD_LIKELIHOOD_AT_LIMIT,  /* the same of a nuisance: no excess zeros, no overdispersion */
    BD_LIKELIHOOD_COLLINEAR, /* replicates: the drawn rows do not identify the coefficients */
    BD_LIKELIHOOD_EMPTY,     /* replicates: a category was not drawn */
    BD_N_LIKELIHOOD_ENDS,
} bd_likelihood_end;

/* What a row's likelihood is made of. Rows come in chunks: value l of row i of a chunk is at [l * BD_LIKELIHOOD_CHUNK +
 * i]. */
enum { BD_LIKELIHOOD_CHUNK = 256 };

typedef struct bd_likelihood_model {
    const char *name;

    /* Start values of the predictors (n_predictors) in one row. */
    void (*start)(const void *context, size_t row, double *predictors);

    /* Of `n` rows from `from` on: log-likelihood (-infinity where it is impossible), its derivatives by each predictor,
     * and the second derivatives by predictors a <= b at [(a * n_predictors + b) * BD_LIKELIHOOD_CHUNK + i], of
     * opposite sign; their expectation where `expected`. Both are zero on entry. */
    void (*rows)(const void *context, size_t from, size_t n, bool expected, const double *predictors,
                 double *log_likelihood, double *score, double *information);

    bool (*uncoupled)(size_t a, size_t b);                        /* their second derivative is always 0; or NULL */
    bool (*is_empty)(const void *context, const double *weights); /* a category has no weight; or NULL */
    size_t n_locations; /* predictors from this one on are nuisances: thresholds are not, precision is; 0: none is */
    bool expected;      /* errors from the expected information */
    double absorbs;     /* a constant c in predictor 0 is the same as absorbs * c in each of the others; or 0 */
} bd_likelihood_model;

/* One linear predictor: columns * coefficients + offset. */
typedef struct bd_predictor {
    size_t n_columns;
    const double *const *columns; /* n_columns of n_rows; NULL is the constant 1 */
    const char *const *names;
    bool has_intercept;   /* column 0 is the constant */
    const double *offset; /* n_rows, or NULL */
} bd_predictor;

typedef struct bd_likelihood_problem {
    const bd_likelihood_model *model;
    const void *context; /* the response, as the model wants it */
    size_t n_rows, n_predictors;
    const bd_predictor *predictors;
    const double *weights;   /* a row of weight 2 counts as two in the likelihood; NULL: all 1 */
    const uint32_t *cluster; /* 0 .. n_clusters - 1 by row, or NULL */
    size_t n_clusters;
    int n_threads; /* 0: all */
} bd_likelihood_problem;

typedef struct bd_likelihood bd_likelihood; /* a problem made ready */

typedef struct bd_likelihood_coefficient {
    double estimate;
    double se; /* by the estimator asked for; this and the next are NaN unless converged */
    double z, p;
    double ci_low, ci_high; /* Wald's */
} bd_likelihood_coefficient;

typedef struct bd_likelihood_fit {
    const bd_likelihood_model *model;
    const bd_se_estimator *se;
    size_t n_rows, n_predictors, n_coefficients;
    size_t n_used;                           /* rows with a weight */
    bd_likelihood_coefficient *coefficients; /* of predictor 0, then 1, ... */
    const size_t *first;                     /* n_predictors + 1: where each predictor's coefficients begin */
    double *covariance;                      /* n_coefficients x n_coefficients */
    double *predictors;                      /* n_predictors x n_rows */
    double *working;                         /* n_coefficients: where replicates start from */
    double level;
    double log_likelihood, aic, bic; /* log(n_used) in bic */
    size_t n_iterations;
    bd_likelihood_end end;
    size_t runs_off; /* SEPARATED, AT_LIMIT: the predictor that grows most */
} bd_likelihood_fit;

typedef struct bd_likelihood_options {
    double level;          /* of the confidence intervals */
    size_t max_iterations; /* 0: 200 */
} bd_likelihood_options;

#define BD_LIKELIHOOD_DEFAULTS ((bd_likelihood_options){.level = 0.95})

/* Checks the columns and puts them into a basis in which Newton's steps keep their digits. What the problem points to
 * must outlive the result. BD_EDATA: a value, offset or weight that is not finite, a negative weight, fewer rows than
 * coefficients, a constant predictor beside an intercept. BD_ENUMERIC: collinear columns, named. */
BD_CHECKED bd_status bd_likelihood_prepare(const bd_likelihood_problem *problem, bd_arena *arena,
                                           const bd_likelihood **likelihood);

/* Newton's method with halved steps, and a ridge where the information is not positive, until coefficients stand to
 * about 1e-12; the same bits for any number of threads. Errors: bd_se_classical (observed information, or expected
 * where the model says so), bd_se_hc0, bd_se_cr0, bd_se_cr1 (sandwich; CR1 is CR0 times G / (G - 1)). BD_EUSAGE: other
 * errors. BD_EDATA: clusters asked for but not given, fewer than two. White (1982), doi:10.2307/1912526; Zeileis
 * (2006), doi:10.18637/jss.v016.i09. */
BD_CHECKED bd_status bd_likelihood_maximise(const bd_likelihood *likelihood, const bd_se_estimator *se,
                                            const bd_likelihood_options *options, bd_arena *arena,
                                            const bd_likelihood_fit **fit);

/* Doubles of scratch for a replicate. */
size_t bd_likelihood_scratch(const bd_likelihood *likelihood);

/* estimates (n_coefficients) <- the coefficients under these weights (n_rows, each 0 or more; they take the place of
 * the problem's), from the `working` of a fit. Only CONVERGED has estimates, and AT_LIMIT: those of the other
 * predictors stand there to about five digits. One thread, no allocation; many may call it. */
bd_likelihood_end bd_likelihood_replicate(const bd_likelihood *likelihood, const double *weights, const double *working,
                                          double *scratch, double *estimates);

/* "converged", "separated", ... */
const char *bd_likelihood_end_name(bd_likelihood_end end);

#endif
