/* A generalised model for other weights: Newton's method from the full sample's solution, on the rows that have a
 * weight. */
#include <math.h>
#include <string.h>

#include "models/glm_replicate.h"

static const double COLLINEAR = 1e-10; /* of a rotated column's length, what the others must leave */
static const double FINISHED = 1e-12;  /* of a standard error */
static const double NOISE = 1e-9;      /* below which a step that no longer shrinks is rounding */
static const double MOST_THETA = 1e7;
enum { MOST_STEPS = 200, MOST_HALVINGS = 30, SUSPICIOUS = 8 };

typedef struct glm_prepared glm_prepared;

static void lay_out(glm_replicate *r, double *scratch)
{
    const glm_prepared *in = r->in;
    const size_t p = r->p;
    r->rows = scratch;
    r->sums = r->rows + (p + 3) * in->stride;
    r->information = r->sums + (p * p + p) * GLM_LANES;
    r->triangle = r->information + p * p;
    r->inverse = r->triangle + p * p;
    r->score = r->inverse + p * p;
    r->step = r->score + p;
    r->g = r->step + p;
    r->from = r->g + p;
    r->room = r->from + p;
    r->cone = r->room + 2 * p;
    r->above = r->cone + glm_cone_room(p);
    r->kept = (void *)(r->above + in->n_counts);
    r->working = r->above + in->n_counts + (in->stride + 1) / 2;
    r->mu = r->working + in->stride; /* room for both under Firth's penalty only */
}

/* Lanes into the information and the score. */
static void join_lanes(glm_replicate *r)
{
    const size_t p = r->p;
    for (size_t j = 0; j < p; j++) {
        for (size_t k = 0; k <= j + 1; k++) {
            const bool score = k == j + 1;
            const double *at = r->sums + (score ? p * p + j : j * p + k) * GLM_LANES;
            const double sum = (at[0] + at[1]) + (at[2] + at[3]);
            if (score)
                r->score[j] = sum;
            else
                r->information[k * p + j] = sum;
        }
    }
}

/* Which rows have a weight; the last of them fills up its block. */
static void find_kept(glm_replicate *r, const double *weights)
{
    size_t n = 0;
    for (size_t i = 0; i < r->in->n; i++) { /* without a branch, which would be guessed wrong every third time */
        r->kept[n] = (uint32_t)i;
        n += weights[i] > 0;
    }
    r->n_rows = n;
    r->n_padded = (n + GLM_BLOCK - 1) / GLM_BLOCK * GLM_BLOCK;
    for (size_t i = n; n > 0 && i < r->n_padded; i++)
        r->kept[i] = r->kept[n - 1];
}

static void table_counts(glm_replicate *r)
{
    const size_t n = r->in->n_counts;
    if (n == 0)
        return;
    memset(r->above, 0, n * sizeof *r->above);
    for (size_t i = 0; i < r->n_rows; i++) {
        const double *row = r->rows + i + r->p * r->in->stride;
        if (row[0] >= 1)
            r->above[row[0] < (double)(n - 1) ? (size_t)row[0] - 1 : n - 2] += row[2 * r->in->stride];
    }
    for (size_t k = n; k-- > 1;)
        r->above[k - 1] += r->above[k];
}

/* Firth's share of the score, h (1/2 - mu) x with leverages h by the triangle. */
static void penalise(glm_replicate *r)
{
    const size_t p = r->p, stride = r->in->stride;
    bd_triangle_invert(p, p, r->triangle, r->inverse);
    for (size_t i = 0; i < r->n_rows; i++) {
        const double *x = r->rows + i;
        double leverage = 0;
        for (size_t k = 0; k < p; k++) {
            double u = 0;
            for (size_t j = 0; j <= k; j++)
                u += x[j * stride] * r->inverse[j * p + k];
            leverage += u * u;
        }
        const double part = r->working[i] * leverage * (0.5 - r->mu[i]);
        for (size_t j = 0; j < p; j++)
            r->score[j] += part * x[j * stride];
    }
}

/* Theta's own step, of its logarithm; the information of theta and the coefficients is block diagonal. */
static double theta_size(glm_replicate *r)
{
    r->theta_step = 0;
    if (r->in->n_counts == 0 || !isfinite(r->theta))
        return 0;
    for (size_t k = 0; k + 1 < r->in->n_counts; k++) {
        const double at = r->theta + (double)k;
        r->theta_score += r->above[k] / at;
        r->theta_information += r->above[k] / (at * at);
    }
    const double information = r->theta * r->theta * r->theta_information, score = r->theta * r->theta_score;
    r->theta_step = information > 0 ? fmax(-1.5, fmin(1.5, score / information)) : copysign(1, score);
    return fabs(r->theta_step) * sqrt(fmax(information, 1));
}

/* The step from the information and the score; false: collinear. */
static bool solve(glm_replicate *r)
{
    const size_t p = r->p;
    join_lanes(r);
    if (!bd_triangle_from_products(p, r->information, COLLINEAR, r->triangle) || r->triangle[p * p - 1] == 0)
        return false;
    if (r->in->firth)
        penalise(r);
    bd_triangle_solve_transposed(p, p, r->triangle, r->score, r->step);
    double squares = 0;
    for (size_t j = 0; j < p; j++)
        squares += r->step[j] * r->step[j];
    bd_triangle_solve(p, p, r->triangle, r->step, r->step);
    const double of_theta = theta_size(r);
    r->size = sqrt(squares + of_theta * of_theta);
    return isfinite(r->size);
}

static bool evaluate(glm_replicate *r)
{
    memset(r->sums, 0, (r->p * r->p + r->p) * GLM_LANES * sizeof *r->sums);
    r->theta_score = r->theta_information = 0;
    return glm_pass(r) && solve(r);
}

static int kept_row(const void *context, size_t i, double *a)
{
    const glm_replicate *r = context;
    const double *row = r->rows + i;
    const size_t stride = r->in->stride;
    const int edge = glm_edge(r->in->family, r->in->link, row[r->p * stride]);
    if (row[(r->p + 2) * stride] == 0)
        return 0;
    for (size_t j = 0; j < r->p; j++)
        a[j] = edge < 0 ? -row[j * stride] : row[j * stride];
    return edge == 0 ? 2 : 1;
}

static bool is_separated(const glm_replicate *r)
{
    const glm_cone cone = {.n = r->n_rows, .p = r->p, .row = kept_row, .context = r};
    size_t n_strict;
    return !r->in->firth && glm_cone_direction(&cone, r->cone, r->room, &n_strict);
}

/* The step, or a half of it from where the next is shorter. */
static bool advance(glm_replicate *r)
{
    const size_t p = r->p;
    const bool has_theta = r->in->n_counts > 0; /* then lengths of steps do not fall one by one */
    const double before = r->size, theta = r->theta, theta_step = r->theta_step;
    memcpy(r->from, r->g, p * sizeof *r->g);
    memcpy(r->room, r->step, p * sizeof *r->step);
    double share = 1;
    for (int halving = 0; halving < MOST_HALVINGS; halving++, share /= 2) {
        for (size_t j = 0; j < p; j++)
            r->g[j] = r->from[j] + share * r->room[j];
        r->theta = theta * exp(share * theta_step);
        if (r->theta > MOST_THETA)
            r->theta = INFINITY; /* Poisson */
        if (evaluate(r) && (has_theta || r->size <= before || r->size <= NOISE * r->in->scale))
            return true;
    }
    return false;
}

static bool is_finished(const glm_replicate *r, double last)
{
    const double rate = r->size / last, unit = FINISHED * r->in->scale;
    return r->size <= 0.1 * unit || (rate < 0.5 && r->size * rate / (1 - rate) <= unit) ||
           (r->size <= NOISE * r->in->scale && rate > 0.9);
}

static bd_glm_replicate_end iterate(glm_replicate *r)
{
    for (size_t step = 0; step < MOST_STEPS; step++) {
        const double last = r->size;
        if (!advance(r))
            return is_separated(r) ? BD_GLM_REPLICATE_SEPARATED : BD_GLM_REPLICATE_NOT_CONVERGED;
        if (is_finished(r, last) || r->size == 0) {
            for (size_t j = 0; j < r->p; j++)
                r->g[j] += r->step[j];
            return BD_GLM_REPLICATE_CONVERGED;
        }
        if (step == SUSPICIOUS && is_separated(r))
            return BD_GLM_REPLICATE_SEPARATED;
    }
    return BD_GLM_REPLICATE_NOT_CONVERGED;
}

bd_glm_replicate_end bd_glm_replicate(const bd_glm_prepared *prepared, const double *weights, double *scratch,
                                      double *coefficients)
{
    const glm_prepared *in = prepared->in;
    const size_t p = in->p;
    glm_replicate r = {.in = in, .p = p, .theta = in->theta};
    lay_out(&r, scratch);
    memset(r.sums, 0, (p * p + p) * GLM_LANES * sizeof *r.sums);
    memset(r.g, 0, p * sizeof *r.g);
    find_kept(&r, weights);
    glm_first_pass(&r, weights);
    table_counts(&r);
    if (!(in->firth || in->n_counts > 0 ? evaluate(&r) : solve(&r)))
        return BD_GLM_REPLICATE_COLLINEAR;
    const bd_glm_replicate_end end = iterate(&r);
    for (size_t j = 0; j < p; j++) {
        coefficients[j] = in->beta[j];
        for (size_t k = j; k < p; k++)
            coefficients[j] += in->root[j * p + k] * r.g[k];
    }
    return end;
}
