/* Maximum likelihood by Newton's method: steps, and how a climb ends. */
#include <math.h>
#include <string.h>

#include "models/likelihood_internal.h"

enum { MOST_ITERATIONS = 200, MOST_HALVINGS = 40, MOST_RIDGES = 30, MOST_STALLS = 5 };

/* Steps are measured in units in which predictors change by about step / sqrt(rows). Convergence is quadratic: after a
 * step of 1e-9 the error is far below 1e-12. */
static const double LAST_STEP = 1e-9;

/* Where steps no longer shrink, for a likelihood that itself is rounded (precisions of 1e10), this is short, too. */
static const double ROUNDING_STEP = 1e-6;

/* A step as long as STILL_MOVES that promises no more than NO_GAIN runs along a likelihood without a maximum; so does
 * the climb where next to no information is left of columns that are not collinear. */
static const double STILL_MOVES = 1e-2, NO_GAIN = 1e-10;

/* In one step a predictor may change by this much on average, and by as much as it is. */
static const double LONGEST_STEP = 2;

/* Of the information a coefficient has, the share that must be its own. Below it columns may be collinear. */
static const double POOR = 1e-10, SINGULAR = 1e-14;

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
    double *scratch;      /* what bd_likelihood_evaluate takes */
    double *here, *there; /* sums */
    double *matrix, *root, *step, *next;
    size_t n_stalls;
    double length_before;
} climber;

static bd_status evaluate(const climber *c, const double *working, bool expected, double *sums)
{
    if (c->team != NULL)
        return bd_likelihood_evaluate_all(c->likelihood, working, expected, c->team, sums);
    bd_likelihood_evaluate(c->likelihood, c->weights, working, expected, c->scratch, sums);
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
        BD_TRY(evaluate(c, c->next, false, c->there));
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

/* The step where the information is not positive: away from the maximum, the expected one often is. */
static bd_status mend_step(climber *c, const double *working, bool *found)
{
    const size_t p = c->likelihood->n_coefficients;
    bool poor;
    if (c->likelihood->problem.model->expected) {
        BD_TRY(evaluate(c, working, true, c->there));
        memcpy(c->here + 1 + p, c->there + 1 + p, p * p * sizeof *c->here);
    }
    *found = find_step(c, &poor);
    return BD_OK;
}

/* Where second derivatives are far from those at the maximum, a step may lead out of its reach. */
static void limit_step(const climber *c, const double *working)
{
    const double allowed = LONGEST_STEP * sqrt((double)c->likelihood->n_used);
    double share = 1;
    for (size_t l = 0; l < c->likelihood->problem.n_predictors; l++) {
        double length = 0, own = 0;
        for (size_t j = c->likelihood->first[l]; j < c->likelihood->first[l + 1]; j++) {
            length = hypot(length, c->step[j]);
            own = hypot(own, working[j]);
        }
        share = fmin(share, length > 0 ? (allowed + own) / length : 1);
    }
    for (size_t j = 0; j < c->likelihood->n_coefficients; j++)
        c->step[j] *= share;
}

/* How far the climb is, by the step that lies ahead: true when it is over. */
static bool is_over(climber *c, bool poor, double *working, likelihood_climb *climb)
{
    const bd_likelihood *likelihood = c->likelihood;
    const size_t p = likelihood->n_coefficients, locations = likelihood->problem.model->n_locations;
    double gain = 0, longest;
    size_t predictor;
    for (size_t j = 0; j < p; j++)
        gain += c->step[j] * c->here[1 + j];
    const double length = measure_step(c, &longest, &predictor), unit = sqrt((double)likelihood->n_used);
    c->n_stalls = gain < NO_GAIN && length >= c->length_before / 2 ? c->n_stalls + 1 : 0;
    c->length_before = length;
    const bool stalled = c->n_stalls == MOST_STALLS;
    if (!poor && (length <= LAST_STEP * unit || (stalled && length <= ROUNDING_STEP * unit))) {
        for (size_t j = 0; j < p; j++)
            working[j] += c->step[j];
        climb->end = BD_LIKELIHOOD_CONVERGED;
        return true;
    }
    if (longest > STILL_MOVES)
        climb->runs_off = predictor;
    if (gain < NO_GAIN && (longest > STILL_MOVES || poor)) {
        climb->end = locations > 0 && climb->runs_off >= locations ? BD_LIKELIHOOD_AT_LIMIT : BD_LIKELIHOOD_SEPARATED;
        return true;
    }
    return stalled;
}

static bd_status climb_on(climber *c, size_t max_iterations, double *working, likelihood_climb *climb)
{
    bool checked = c->team != NULL; /* the whole sample's columns were checked before */
    bool poor, found, moved;
    climb->end = BD_LIKELIHOOD_NOT_CONVERGED;
    BD_TRY(evaluate(c, working, false, c->here));
    if (!isfinite(c->here[0]))
        return BD_OK;
    for (climb->n_iterations = 1; climb->n_iterations <= max_iterations; climb->n_iterations++) {
        found = find_step(c, &poor);
        if (poor && !checked && !identified(c->likelihood, c->weights, c->matrix, c->root)) {
            climb->end = BD_LIKELIHOOD_COLLINEAR;
            return BD_OK;
        }
        checked = checked || poor;
        if (poor)
            BD_TRY(mend_step(c, working, &found));
        if (!found || is_over(c, poor, working, climb))
            return BD_OK;
        limit_step(c, working);
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
    if (climb.end == BD_LIKELIHOOD_CONVERGED || climb.end == BD_LIKELIHOOD_AT_LIMIT)
        bd_likelihood_estimates(likelihood, own, estimates);
    return climb.end;
}
