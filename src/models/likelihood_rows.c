/* Sums over rows of the log-likelihood and its derivatives, in blocks that are joined in their order. */
#include <string.h>

#include <omp.h>

#include "models/likelihood_internal.h"

enum { CHUNK = BD_LIKELIHOOD_CHUNK };

static double dot(const double *a, const double *b, size_t n)
{
    double sums[4] = {0, 0, 0, 0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t k = 0; k < 4; k++)
            sums[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        sums[0] += a[i] * b[i];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

likelihood_rows bd_likelihood_chunk_at(const bd_likelihood *likelihood, const double *working, size_t from, size_t n,
                                       bool expected, double *scratch)
{
    const bd_likelihood_problem *problem = &likelihood->problem;
    const size_t n_predictors = problem->n_predictors;
    likelihood_rows rows = {.log_likelihood = scratch, .score = scratch + CHUNK};
    rows.information = rows.score + n_predictors * CHUNK;
    rows.predictors = rows.information + n_predictors * n_predictors * CHUNK;
    memset(scratch, 0, (1 + 2 * n_predictors + n_predictors * n_predictors) * CHUNK * sizeof *scratch);
    for (size_t l = 0; l < n_predictors; l++) {
        const likelihood_basis *basis = &likelihood->bases[l];
        double *eta = rows.predictors + l * CHUNK;
        for (size_t i = 0; problem->predictors[l].offset != NULL && i < n; i++)
            eta[i] = problem->predictors[l].offset[from + i];
        for (size_t j = 0; j < basis->n_columns; j++) {
            const double *column = basis->columns[j] + from, factor = working[basis->first + j];
            for (size_t i = 0; i < n; i++)
                eta[i] += column[i] * factor;
        }
    }
    problem->model->rows(problem->context, from, n, expected, rows.predictors, rows.log_likelihood, rows.score,
                         rows.information);
    return rows;
}

/* Multiplies by the weights; where a row has none, what it holds is forgotten, infinities too. False: no row has one.
 */
static bool weigh(size_t n_predictors, const double *weights, size_t n, likelihood_rows rows)
{
    const size_t n_arrays = 1 + n_predictors + n_predictors * n_predictors; /* they lie side by side */
    bool any = weights == NULL;
    for (size_t i = 0; weights != NULL && i < n; i++) {
        const double weight = weights[i];
        any = any || weight > 0;
        for (size_t a = 0; weight != 1 && a < n_arrays; a++)
            rows.log_likelihood[a * CHUNK + i] = weight > 0 ? weight * rows.log_likelihood[a * CHUNK + i] : 0;
    }
    return any;
}

/* information += u_a' diag(h) u_b for each pair of predictors, the upper half of the whole. */
static void add_information(const bd_likelihood *likelihood, size_t from, size_t n, likelihood_rows rows, double *sums)
{
    const bd_likelihood_problem *problem = &likelihood->problem;
    const size_t total = likelihood->n_coefficients, n_predictors = problem->n_predictors;
    double product[CHUNK];
    for (size_t a = 0; a < n_predictors; a++)
        for (size_t b = a; b < n_predictors; b++) {
            if (problem->model->uncoupled != NULL && problem->model->uncoupled(a, b))
                continue;
            const likelihood_basis *left = &likelihood->bases[a], *right = &likelihood->bases[b];
            const double *h = rows.information + (a * n_predictors + b) * CHUNK;
            for (size_t j = 0; j < left->n_columns; j++) {
                const double *column = left->columns[j] + from;
                for (size_t i = 0; i < n; i++)
                    product[i] = column[i] * h[i];
                for (size_t k = a == b ? j : 0; k < right->n_columns; k++)
                    sums[(left->first + j) * total + right->first + k] += dot(product, right->columns[k] + from, n);
            }
        }
}

/* sums += those of rows `from` .. `to`. */
static void add_block(const bd_likelihood *likelihood, const double *weights, const double *working, bool expected,
                      size_t from, size_t to, double *scratch, double *sums)
{
    for (; from < to; from += CHUNK) {
        const size_t n = to - from < CHUNK ? to - from : CHUNK;
        const likelihood_rows rows = bd_likelihood_chunk_at(likelihood, working, from, n, expected, scratch);
        if (!weigh(likelihood->problem.n_predictors, weights == NULL ? NULL : weights + from, n, rows))
            continue;
        double *score = sums + 1;
        for (size_t i = 0; i < n; i++)
            sums[0] += rows.log_likelihood[i];
        for (size_t l = 0; l < likelihood->problem.n_predictors; l++) {
            const likelihood_basis *basis = &likelihood->bases[l];
            for (size_t j = 0; j < basis->n_columns; j++)
                score[basis->first + j] += dot(rows.score + l * CHUNK, basis->columns[j] + from, n);
        }
        add_information(likelihood, from, n, rows, score + likelihood->n_coefficients);
    }
}

static void mirror_information(size_t p, double *information)
{
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < i; j++)
            information[i * p + j] = information[j * p + i];
}

static size_t block_end(const bd_likelihood *likelihood, size_t block)
{
    const size_t end = (block + 1) * likelihood->block_rows;
    return end < likelihood->problem.n_rows ? end : likelihood->problem.n_rows;
}

void bd_likelihood_evaluate(const bd_likelihood *likelihood, const double *weights, const double *working,
                            bool expected, double *scratch, double *sums)
{
    const size_t n_sums = likelihood_sums(likelihood), p = likelihood->n_coefficients;
    double *block_sums = scratch + likelihood_chunk(likelihood);
    memset(sums, 0, n_sums * sizeof *sums);
    for (size_t block = 0; block < likelihood->n_blocks; block++) {
        memset(block_sums, 0, n_sums * sizeof *sums);
        add_block(likelihood, weights, working, expected, block * likelihood->block_rows, block_end(likelihood, block),
                  scratch, block_sums);
        for (size_t k = 0; k < n_sums; k++)
            sums[k] += block_sums[k];
    }
    mirror_information(p, sums + 1 + p);
}

bd_status bd_likelihood_evaluate_all(const bd_likelihood *likelihood, const double *working, bool expected,
                                     bd_arena *arena, double *sums)
{
    const size_t n_sums = likelihood_sums(likelihood), p = likelihood->n_coefficients;
    const size_t chunk = likelihood_chunk(likelihood), n_blocks = likelihood->n_blocks;
    const int asked = likelihood->problem.n_threads, n_threads = asked > 0 ? asked : omp_get_max_threads();
    const bd_mark mark = bd_arena_mark(arena);
    double *parts, *scratch;
    BD_NEW(arena, parts, n_blocks * n_sums);
    BD_NEW(arena, scratch, (size_t)n_threads * chunk);
#pragma omp parallel for num_threads(n_threads) schedule(dynamic) if (n_blocks > 1)
    for (size_t block = 0; block < n_blocks; block++)
        add_block(likelihood, likelihood->problem.weights, working, expected, block * likelihood->block_rows,
                  block_end(likelihood, block), scratch + (size_t)omp_get_thread_num() * chunk, parts + block * n_sums);
    memset(sums, 0, n_sums * sizeof *sums);
    for (size_t block = 0; block < n_blocks; block++)
        for (size_t k = 0; k < n_sums; k++)
            sums[k] += parts[block * n_sums + k];
    mirror_information(p, sums + 1 + p);
    bd_arena_rewind(arena, mark);
    return BD_OK;
}
