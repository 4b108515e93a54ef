/* Newton-Raphson on the partial likelihood, for the fit and for its replicates. */
#include "models/cox_newton.h"

#include <string.h>

static const double FINISHED = 1e-11;  /* of a standard error */
static const double NEARLY = 1e-6;     /* whose square, the next step, is finished */
static const double NOISE = 1e-6;      /* below which a step that no longer shrinks is rounding */
static const double COLLINEAR = 1e-10; /* of a rotated column's information, what the others must leave */
static const double VARIES = 1e-12;    /* information by event */
static const double STAGNANT = 1e-4;   /* standard errors: the likelihood then rises by less than 1e-8 */
static const double RUNNING = 0.1;     /* a change of a linear predictor that is none where the maximum is finite */
enum { MOST_HALVINGS = 40 };

static bool sweep(cox_newton *n, const double *gamma)
{
    return n->ties == BD_COX_EXACT ? cox_sweep_exact(n->rows, gamma, n->exact, n->sums)
                                   : cox_sweep(n->rows, n->ties == BD_COX_EFRON, gamma, n->sums);
}

static double longest_change(const cox_rows *rows, const double *step)
{
    double longest = 0;
    for (size_t k = 0; k < rows->n; k++) {
        double change = 0;
        for (size_t j = 0; j < rows->p; j++)
            change += rows->u[k * rows->p + j] * step[j];
        longest = fmax(longest, fabs(change));
    }
    return longest;
}

/* The step from here and its size; false: the information is singular. */
static bool find_step(cox_newton *n, double least)
{
    const size_t p = n->rows->p;
    double square = 0;
    memcpy(n->factor, n->sums->information, p * p * sizeof *n->factor);
    n->collinear = cox_cholesky(p, n->factor, least);
    if (n->collinear < p)
        return false;
    cox_cholesky_solve(p, n->factor, n->sums->score, n->step);
    for (size_t j = 0; j < p; j++)
        square += n->step[j] * n->sums->score[j];
    n->size = sqrt(fmax(square, 0));
    return isfinite(n->size);
}

/* To the first of step, step / 2, ... that does not lower the likelihood. */
static bool advance(cox_newton *n, double log_likelihood)
{
    const size_t p = n->rows->p;
    const double slack = 1e-13 * fabs(log_likelihood) + 1e-14;
    double part = 1;
    for (int halving = 0; halving <= MOST_HALVINGS; halving++, part /= 2) {
        for (size_t j = 0; j < p; j++)
            n->trial[j] = n->gamma[j] + part * n->step[j];
        if (sweep(n, n->trial) && n->sums->log_likelihood >= log_likelihood - slack) {
            memcpy(n->gamma, n->trial, p * sizeof *n->gamma);
            return true;
        }
    }
    return false;
}

/* Whether every column varies among those at risk; where one does not, rounding is left. */
static bool has_information(cox_newton *n)
{
    const size_t p = n->rows->p;
    double events = 0;
    for (size_t k = 0; k < n->rows->n; k++)
        events += n->rows->event[k] ? n->rows->weights[k] : 0;
    for (n->collinear = 0; n->collinear < p; n->collinear++)
        if (!(n->sums->information[n->collinear * p + n->collinear] > VARIES * events))
            return false;
    return true;
}

bd_cox_end cox_newton_run(cox_newton *n)
{
    double before = INFINITY;
    n->n_iterations = 0;
    n->collinear = n->rows->p;
    if (!sweep(n, n->gamma) || !has_information(n) || !find_step(n, COLLINEAR))
        return BD_COX_NOT_CONVERGED;
    n->null_log_likelihood = n->sums->log_likelihood;
    n->null_score = n->size * n->size;
    while (n->n_iterations++ < n->max_iterations) {
        if (n->size <= FINISHED || (n->size < NOISE && n->size >= before / 2))
            return BD_COX_CONVERGED;
        if (n->size < STAGNANT && before < 10 * STAGNANT && longest_change(n->rows, n->step) > RUNNING)
            return BD_COX_INFINITE;
        if (n->coefficients_only && n->size < NEARLY) {
            for (size_t j = 0; j < n->rows->p; j++)
                n->gamma[j] += n->step[j];
            return BD_COX_CONVERGED;
        }
        before = n->size;
        if (!advance(n, n->sums->log_likelihood)) {
            sweep(n, n->gamma); /* the sums are again those at gamma */
            return BD_COX_NOT_CONVERGED;
        }
        memcpy(n->trial, n->step, n->rows->p * sizeof *n->trial);
        if (!find_step(n, 0)) {
            memcpy(n->step, n->trial, n->rows->p * sizeof *n->step);
            return longest_change(n->rows, n->step) > RUNNING ? BD_COX_INFINITE : BD_COX_NOT_CONVERGED;
        }
    }
    return BD_COX_NOT_CONVERGED;
}
