/* Maximum likelihood by Newton's method: sums over rows, steps, and how a climb ends. */
#include <math.h>
#include <string.h>

#include <omp.h>

#include "models/likelihood_internal.h"

enum { CHUNK = BD_LIKELIHOOD_CHUNK, MOST_ITERATIONS = 200, MOST_HALVINGS = 40, MOST_RIDGES = 30 };

/* Steps are measured in units in which predictors change by about step / sqrt(rows). Convergence is quadratic: after a
 * step of 1e-9 the error is far below 1e-12. */
static const double LAST_STEP = 1e-9;

/* A step as long as STILL_MOVES that promises no more than NO_GAIN runs along a likelihood without a maximum; so does
 * the climb where next to no information is left of columns that are not collinear. */
static const double STILL_MOVES = 1e-2, NO_GAIN = 1e-10;

/* Of the information a coefficient has, the share that must be its own. Below it columns may be collinear. */
static const double POOR = 1e-10, SINGULAR = 1e-14;

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

bool bd_likelihood_root(size_t p, const double *matrix, double tolerance, double *root)
{
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            double value = j < i ? 0 : matrix[i * p + j];
            for (size_t k = 0; j >= i && k < i; k++)
                value -= root[k * p + i] * root[k * p + j];
            if (i == j && !(value > tolerance * matrix[i * p + i]))
                return false;
            root[i * p + j] = j < i ? 0 : i == j ? sqrt(value) : value / root[i * p + i];
        }
    return true;
}

/* Cross-products of a predictor's columns, after the constant where the other predictors hold that. */
static size_t add_products(const bd_likelihood *likelihood, size_t l, const double *weights, double *products)
{
    const likelihood_basis *basis = &likelihood->bases[l];
    const size_t extra = l == 0 && likelihood->problem.model->absorbs != 0, q = basis->n_columns + extra;
    memset(products, 0, q * q * sizeof *products);
    for (size_t i = 0; i < likelihood->problem.n_rows; i++) {
        if (weights != NULL && !(weights[i] > 0))
            continue;
        for (size_t j = 0; j < q; j++) {
            const double weighted = (weights == NULL ? 1 : weights[i]) * (j < extra ? 1 : basis->columns[j - extra][i]);
            for (size_t k = j; k < q; k++)
                products[j * q + k] += weighted * (k < extra ? 1 : basis->columns[k - extra][i]);
        }
    }
    return q;
}

/* False: under these weights the columns of some predictor are collinear. */
static bool identified(const bd_likelihood *likelihood, const double *weights, double *products, double *root)
{
    for (size_t l = 0; l < likelihood->problem.n_predictors; l++)
        if (likelihood->bases[l].shares == l) {
            const size_t q = add_products(likelihood, l, weights, products);
            if (!bd_likelihood_root(q, products, POOR, root))
                return false;
        }
    return true;
}

typedef struct climber {
    const bd_likelihood *likelihood;
    const double *weights;
    bd_arena *team;
    double *scratch;                     /* what bd_likelihood_evaluate takes */
    double *here, *there;                /* sums */
    double *matrix, *root, *step, *next; /* matrix and root are neighbours */
} climber;

static bd_status evaluate(const climber *c, const double *working, double *sums)
{
    if (c->team != NULL)
        return bd_likelihood_evaluate_all(c->likelihood, working, false, c->team, sums);
    bd_likelihood_evaluate(c->likelihood, c->weights, working, false, c->scratch, sums);
    return BD_OK;
}

/* step <- the solution of (information + ridge) step = score; the ridge as small as makes it positive, in units of the
 * diagonal. `poor`: a coefficient has next to no information of its own. False: there is no step. */
static bool find_step(const climber *c, bool *poor)
{
    const size_t p = c->likelihood->n_coefficients;
    const double *score = c->here + 1, *information = score + p;
    double ridge = 0, *scale = c->next;
    for (size_t j = 0; j < p; j++) {
        const double own = fabs(information[j * p + j]);
        scale[j] = own > 0 ? sqrt(own) : 1;
    }
    *poor = false;
    for (size_t try = 0; try < MOST_RIDGES; try++) {
        for (size_t i = 0; i < p; i++)
            for (size_t j = 0; j < p; j++)
                c->matrix[i * p + j] = information[i * p + j] / (scale[i] * scale[j]) + (i == j ? ridge : 0);
        if (try == 0)
            *poor = !bd_likelihood_root(p, c->matrix, POOR, c->root);
        if ((try == 0 && !*poor) || bd_likelihood_root(p, c->matrix, SINGULAR, c->root)) {
            for (size_t j = 0; j < p; j++)
                c->step[j] = score[j] / scale[j];
            bd_triangle_solve_transposed(p, p, c->root, c->step, c->step);
            bd_triangle_solve(p, p, c->root, c->step, c->step);
            for (size_t j = 0; j < p; j++)
                c->step[j] /= scale[j];
            return true;
        }
        ridge = ridge == 0 ? 1e-6 : ridge * 4;
    }
    return false;
}

/* here <- the sums at the best of the full step and its halves; false when none is as good as where we are. */
static bd_status try_step(climber *c, double *working, bool *moved)
{
    const size_t p = c->likelihood->n_coefficients;
    const double slack = 1e-11 * (1 + fabs(c->here[0]));
    double share = 1;
    *moved = false;
    for (size_t try = 0; try < MOST_HALVINGS; try++, share /= 2) {
        for (size_t j = 0; j < p; j++)
            c->next[j] = working[j] + share * c->step[j];
        BD_TRY(evaluate(c, c->next, c->there));
        bool finite = isfinite(c->there[0]);
        for (size_t k = 1; finite && k <= p; k++)
            finite = isfinite(c->there[k]) && isfinite(c->there[p + k * p - p + k]);
        if (finite && c->there[0] >= c->here[0] - slack) {
            double *sums = c->here;
            c->here = c->there;
            c->there = sums;
            memcpy(working, c->next, p * sizeof *working);
            *moved = true;
            return BD_OK;
        }
    }
    return BD_OK;
}

/* The length of the step, its longest part, and the predictor whose coefficients that is. */
static double measure_step(const climber *c, double *longest, size_t *predictor)
{
    double whole = 0;
    *longest = 0;
    *predictor = 0;
    for (size_t l = 0; l < c->likelihood->problem.n_predictors; l++) {
        double length = 0;
        for (size_t j = c->likelihood->first[l]; j < c->likelihood->first[l + 1]; j++)
            length = hypot(length, c->step[j]);
        whole = hypot(whole, length);
        if (length > *longest) {
            *longest = length;
            *predictor = l;
        }
    }
    return whole;
}

static bd_status climb_on(climber *c, size_t max_iterations, double *working, likelihood_climb *climb)
{
    const bd_likelihood *likelihood = c->likelihood;
    const bd_likelihood_model *model = likelihood->problem.model;
    const size_t p = likelihood->n_coefficients;
    const double enough = LAST_STEP * sqrt((double)likelihood->n_used);
    bool checked = c->team != NULL, poor, moved; /* the whole sample's columns were checked before */
    BD_TRY(evaluate(c, working, c->here));
    climb->end = BD_LIKELIHOOD_NOT_CONVERGED;
    if (!isfinite(c->here[0]))
        return BD_OK;
    for (climb->n_iterations = 1; climb->n_iterations <= max_iterations; climb->n_iterations++) {
        if (!find_step(c, &poor))
            return BD_OK;
        if (poor && !checked && !identified(likelihood, c->weights, c->matrix, c->root)) {
            climb->end = BD_LIKELIHOOD_COLLINEAR;
            return BD_OK;
        }
        if (poor && !checked)
            (void)find_step(c, &poor); /* the check took its matrices */
        checked = checked || poor;
        double gain = 0, longest;
        size_t predictor;
        for (size_t j = 0; j < p; j++)
            gain += c->step[j] * c->here[1 + j];
        const double length = measure_step(c, &longest, &predictor);
        if (length <= enough && !poor) {
            for (size_t j = 0; j < p; j++)
                working[j] += c->step[j];
            climb->end = BD_LIKELIHOOD_CONVERGED;
            return BD_OK;
        }
        if (longest > STILL_MOVES)
            climb->runs_off = predictor;
        if (gain < NO_GAIN && (longest > STILL_MOVES || poor)) {
            const bool nuisance = model->n_locations > 0 && climb->runs_off >= model->n_locations;
            climb->end = nuisance ? BD_LIKELIHOOD_AT_LIMIT : BD_LIKELIHOOD_SEPARATED;
            return BD_OK;
        }
        BD_TRY(try_step(c, working, &moved));
        if (!moved)
            return BD_OK;
    }
    return BD_OK;
}

bd_status bd_likelihood_climb(const bd_likelihood *likelihood, const double *weights, size_t max_iterations,
                              bd_arena *team, double *scratch, double *working, likelihood_climb *climb)
{
    const size_t p = likelihood->n_coefficients, n_sums = likelihood_sums(likelihood);
    climber c = {.likelihood = likelihood, .weights = weights, .team = team, .scratch = scratch};
    c.here = scratch + likelihood_chunk(likelihood) + n_sums;
    c.there = c.here + n_sums;
    c.matrix = c.there + n_sums;
    c.root = c.matrix + p * p;
    c.step = c.root + p * p;
    c.next = c.step + p;
    *climb = (likelihood_climb){0};
    return climb_on(&c, max_iterations > 0 ? max_iterations : MOST_ITERATIONS, working, climb);
}

size_t bd_likelihood_scratch(const bd_likelihood *likelihood)
{
    const size_t p = likelihood->n_coefficients;
    return likelihood_chunk(likelihood) + 3 * likelihood_sums(likelihood) + 2 * p * p + 3 * p;
}

void bd_likelihood_estimates(const bd_likelihood *likelihood, const double *working, double *estimates)
{
    const size_t p = likelihood->n_coefficients;
    for (size_t i = 0; i < p; i++) {
        estimates[i] = 0;
        for (size_t j = 0; j < p; j++)
            estimates[i] += likelihood->transform[i * p + j] * working[j];
    }
}

bd_likelihood_end bd_likelihood_replicate(const bd_likelihood *likelihood, const double *weights, const double *working,
                                          double *scratch, double *estimates)
{
    const bd_likelihood_problem *problem = &likelihood->problem;
    const size_t p = likelihood->n_coefficients;
    if (problem->model->is_empty != NULL && problem->model->is_empty(problem->context, weights))
        return BD_LIKELIHOOD_EMPTY;
    double *own = scratch + bd_likelihood_scratch(likelihood) - p;
    likelihood_climb climb;
    memcpy(own, working, p * sizeof *own);
    if (bd_likelihood_climb(likelihood, weights, 0, NULL, scratch, own, &climb) != BD_OK)
        return BD_LIKELIHOOD_NOT_CONVERGED; /* cannot be: nothing is allocated */
    if (climb.end == BD_LIKELIHOOD_CONVERGED)
        bd_likelihood_estimates(likelihood, own, estimates);
    return climb.end;
}
