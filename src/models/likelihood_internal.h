/* What preparing a likelihood hands to Newton's method and to the errors. */
#ifndef BORDIN_MODELS_LIKELIHOOD_INTERNAL_H
#define BORDIN_MODELS_LIKELIHOOD_INTERNAL_H

#include <bordin/models/likelihood.h>

/* Rows are shared out in blocks whose number follows from the number of rows alone, and what blocks add up is joined in
 * their order: no bit depends on the number of threads. */
enum { LIKELIHOOD_LEAST_ROWS = 4096, LIKELIHOOD_MOST_BLOCKS = 64 };

/* The columns of a predictor, orthonormal under the problem's weights. */
typedef struct likelihood_basis {
    size_t n_columns;
    size_t first;     /* its place among all coefficients */
    size_t shares;    /* the first predictor with the same columns; itself where there is none */
    double **columns; /* n_columns of n_rows */
    double *centres;  /* n_columns: what was subtracted */
    double *inverse;  /* n_columns x n_columns, upper: coefficients of the centred columns by those of the basis */
} likelihood_basis;

struct bd_likelihood {
    bd_likelihood_problem problem;
    likelihood_basis *bases; /* n_predictors */
    size_t *first;           /* n_predictors + 1 */
    size_t n_coefficients, n_used;
    size_t block_rows, n_blocks;
    double *transform; /* n_coefficients squared: coefficients by those of the basis */
};

/* Log-likelihood, score and information in the basis, one after the other. */
static inline size_t likelihood_sums(const bd_likelihood *likelihood)
{
    return 1 + likelihood->n_coefficients + likelihood->n_coefficients * likelihood->n_coefficients;
}

/* Doubles that one thread needs for a chunk of rows. */
static inline size_t likelihood_chunk(const bd_likelihood *likelihood)
{
    const size_t l = likelihood->problem.n_predictors;
    return (1 + 2 * l + l * l) * BD_LIKELIHOOD_CHUNK;
}

/* A chunk's parts, in this order in the scratch. */
typedef struct likelihood_rows {
    double *log_likelihood, *score, *information, *predictors;
} likelihood_rows;

/* The model's rows `from` .. `from + n` at `working`, n at most a chunk. */
likelihood_rows bd_likelihood_chunk_at(const bd_likelihood *likelihood, const double *working, size_t from, size_t n,
                                       bool expected, double *scratch);

/* sums <- those at `working`; scratch: a chunk and sums. */
void bd_likelihood_evaluate(const bd_likelihood *likelihood, const double *weights, const double *working,
                            bool expected, double *scratch, double *sums);

/* The same with the problem's threads and weights. */
BD_CHECKED bd_status bd_likelihood_evaluate_all(const bd_likelihood *likelihood, const double *working, bool expected,
                                                bd_arena *arena, double *sums);

/* root <- upper triangular R with R'R = matrix, both p x p. False: a pivot is not above `tolerance` of its entry. */
BD_CHECKED bool bd_likelihood_root(size_t p, const double *matrix, double tolerance, double *root);

typedef struct likelihood_climb {
    bd_likelihood_end end;
    size_t n_iterations, runs_off;
} likelihood_climb;

/* Newton's method from `working`, which becomes the maximum. `team` is NULL for one thread and the caller's scratch. */
BD_CHECKED bd_status bd_likelihood_climb(const bd_likelihood *likelihood, const double *weights, size_t max_iterations,
                                         bd_arena *team, double *scratch, double *working, likelihood_climb *climb);

/* estimates <- the coefficients of the user's columns. */
void bd_likelihood_estimates(const bd_likelihood *likelihood, const double *working, double *estimates);

#endif
