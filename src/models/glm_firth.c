/* Firth's penalised likelihood of logistic regression: l(b) + log det(X'WX) / 2, whose maximum is finite whatever the
 * data. Its score is X'(y - mu + h (1/2 - mu)) with the leverages h. */
#include <math.h>
#include <string.h>

#include "models/glm_internal.h"

static const double LONGEST_STEP = 5; /* of a coefficient, as in logistf */
enum { MOST_HALVINGS = 40 };

/* The residuals become those of the penalised score. */
static void penalise_rows(glm_model *m, double *row)
{
    const size_t p = m->p;
    for (size_t i = 0; i < m->n; i++) {
        if (glm_weight(m, i) == 0)
            continue;
        double leverage = 0;
        for (size_t j = 0; j < p; j++) {
            const double *x = glm_column(m->design, j);
            row[j] = x == NULL ? 1 : x[i];
        }
        bd_triangle_solve_transposed(p + 1, p, m->triangle, row, row);
        for (size_t j = 0; j < p; j++)
            leverage += row[j] * row[j];
        m->residual[i] += leverage * (0.5 - m->mu[i]); /* the weight is in both: h = w |row|^2 */
    }
}

/* The objective at m->beta, with the triangle there; -infinity where the information vanishes. */
static bd_status objective(glm_model *m, bd_arena *arena, double *value)
{
    bool full_rank;
    m->deviance = glm_evaluate(m);
    BD_TRY(glm_factor(m, arena, &full_rank));
    *value = full_rank ? -m->deviance / 2 : -INFINITY;
    for (size_t j = 0; full_rank && j < m->p; j++)
        *value += log(m->triangle[j * (m->p + 1) + j]);
    return BD_OK;
}

static bd_status find_step(glm_model *m, size_t n_free, bd_arena *arena, double *step, double *row, double *size)
{
    const size_t p = m->p, q = p + 1;
    bool full_rank;
    penalise_rows(m, row);
    BD_TRY(glm_factor(m, arena, &full_rank));
    memset(step, 0, p * sizeof *step);
    for (size_t j = 0; j < n_free; j++)
        step[j] = m->triangle[j * q + p];
    bd_triangle_solve(q, n_free, m->triangle, step, step);
    *size = glm_length(m, step);
    double longest = 0;
    for (size_t j = 0; j < n_free; j++)
        longest = fmax(longest, fabs(step[j]));
    for (size_t j = 0; longest > LONGEST_STEP && j < n_free; j++)
        step[j] *= LONGEST_STEP / longest;
    return BD_OK;
}

static bd_status take_step(glm_model *m, const double *step, bd_arena *arena, double *from, double *value, bool *taken)
{
    const double before = *value;
    memcpy(from, m->beta, m->p * sizeof *from);
    double share = 1;
    for (int halving = 0; halving < MOST_HALVINGS; halving++, share /= 2) {
        for (size_t j = 0; j < m->p; j++)
            m->beta[j] = from[j] + share * step[j];
        BD_TRY(objective(m, arena, value));
        *taken = *value >= before - 1e-10 * (fabs(before) + 0.1);
        if (*taken)
            return BD_OK;
    }
    memcpy(m->beta, from, m->p * sizeof *from);
    return objective(m, arena, value);
}

bd_status glm_iterate_firth(glm_model *m, size_t n_free, bd_arena *arena, double *penalised)
{
    const bd_mark scratch = bd_arena_mark(arena);
    double *step, *row, *from, last = 0, size = 0, value = 0;
    BD_NEW(arena, step, m->p);
    BD_NEW(arena, row, m->p);
    BD_NEW(arena, from, m->p);
    memset(m->beta, 0, m->p * sizeof *m->beta);
    m->end = BD_GLM_NOT_CONVERGED;
    BD_TRY(objective(m, arena, &value));
    for (size_t i = 0; i < m->max_iterations; i++, m->n_iterations++) {
        bool taken = false;
        BD_TRY(find_step(m, n_free, arena, step, row, &size));
        BD_TRY(take_step(m, step, arena, from, &value, &taken));
        if (glm_has_converged(m, size, last))
            m->end = BD_GLM_CONVERGED;
        if (!taken || m->end == BD_GLM_CONVERGED)
            break;
        last = size;
    }
    *penalised = glm_log_likelihood(m, m->mu, 0, m->deviance) + value + m->deviance / 2;
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}
