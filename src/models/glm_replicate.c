/* A generalised model for other weights: Newton's method from the full sample's solution, on the rows that have a weight. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_sf_psi.h>

#include "models/glm_exp.h"
#include "models/glm_replicate.h"

static const double COLLINEAR = 1e-10; /* of a rotated column's length, what the others must leave */
static const double FINISHED = 1e-12;  /* of a standard error */
static const double NOISE = 1e-9;      /* below which a step that no longer shrinks is rounding */
static const double MOST_THETA = 1e7;
enum { MOST_STEPS = 200, MOST_HALVINGS = 30, SUSPICIOUS = 8 };

typedef struct glm_prepared glm_prepared;

typedef struct replicate {
    const glm_prepared *in;
    size_t p, n_rows, n_blocks;
    double *rows;          /* those with a weight, in blocks of in->kept; the prior weight is times the replicate's */
    double *sums;          /* lanes of: products (p x p, lower half), score (p) */
    double *information;   /* p x p */
    double *triangle, *inverse;
    double *score, *step, *g, *from, *room; /* p */
    double *cone;
    double *above; /* negbin: the weight of the counts above k */
    double *working, *mu; /* Firth: by row */
    double theta, theta_score, theta_information, theta_step;
    double size; /* of the step, in standard errors */
} replicate;

static void lay_out(replicate *r, double *scratch)
{
    const glm_prepared *in = r->in;
    const size_t p = r->p;
    r->rows = scratch;
    r->sums = r->rows + in->n_blocks * in->kept;
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
    r->working = r->above + in->n_counts;
    r->mu = r->working + in->n_blocks * GLM_BLOCK;
}

/* sum <- sum + a'b of a block, in lanes */
GLM_INLINE void add_dot(const double *restrict a, const double *restrict b, double *restrict sum)
{
    double lanes[GLM_LANES];
    memcpy(lanes, sum, sizeof lanes);
    for (size_t i = 0; i < GLM_BLOCK; i += GLM_LANES)
        for (size_t l = 0; l < GLM_LANES; l++)
            lanes[l] += a[i + l] * b[i + l];
    memcpy(sum, lanes, sizeof lanes);
}

/* Adds the block's information sum w x x' and score sum s x. */
GLM_INLINE void add_block(size_t p, const double *x, const double *w, const double *s, double *sums)
{
    for (size_t j = 0; j < p; j++) {
        double weighted[GLM_BLOCK];
        for (size_t i = 0; i < GLM_BLOCK; i++)
            weighted[i] = w[i] * x[j * GLM_BLOCK + i];
        for (size_t k = 0; k <= j; k++)
            add_dot(weighted, x + k * GLM_BLOCK, sums + (j * p + k) * GLM_LANES);
        add_dot(s, x + j * GLM_BLOCK, sums + (p * p + j) * GLM_LANES);
    }
}

/* The first pass needs no new means: weights times what was prepared. */
GLM_INLINE void first_block(const glm_prepared *in, size_t block, const double *weights, double *sums)
{
    const double *rows = in->rows + block * in->stride, *w = rows + (in->p + 3) * GLM_BLOCK, *s = w + GLM_BLOCK;
    const size_t from = block * GLM_BLOCK, n = in->n - from < GLM_BLOCK ? in->n - from : GLM_BLOCK;
    double working[GLM_BLOCK] = {0}, score[GLM_BLOCK] = {0};
    for (size_t i = 0; i < n; i++) {
        working[i] = weights[from + i] * w[i];
        score[i] = weights[from + i] * s[i];
    }
    add_block(in->p, rows, working, score, sums);
}

/* Working weights and scores of a block at the linear predictors; false outside the range of the model. */
GLM_INLINE bool work_block(const replicate *r, const double *block, const double *eta, double *mu, double *w, double *s)
{
    const size_t p = r->p;
    const glm_prepared *in = r->in;
    const double *y = block + p * GLM_BLOCK, *prior = y + 2 * GLM_BLOCK;
    double slope[GLM_BLOCK];
    in->link->inverse(GLM_BLOCK, eta, mu, slope);
    if (in->family->canonical == in->link)
        for (size_t i = 0; i < GLM_BLOCK; i++) {
            w[i] = prior[i] * slope[i];
            s[i] = prior[i] * (y[i] - mu[i]);
        }
    else
        for (size_t i = 0; i < GLM_BLOCK; i++) {
            const double part = prior[i] * slope[i] / in->family->variance(mu[i], r->theta);
            w[i] = part * slope[i];
            s[i] = part * (y[i] - mu[i]);
        }
    size_t outside = 0;
    for (size_t i = 0; i < GLM_BLOCK; i++)
        outside += (!(mu[i] > in->family->mu_low) | !(mu[i] < in->family->mu_high)) & (prior[i] > 0);
    for (size_t i = 0; in->link->positive && i < GLM_BLOCK; i++)
        outside += !(eta[i] > 0) & (prior[i] > 0);
    return outside == 0;
}

GLM_INLINE void predict_block(const replicate *r, const double *block, double *eta)
{
    memcpy(eta, block + (r->p + 1) * GLM_BLOCK, GLM_BLOCK * sizeof *eta);
    for (size_t j = 0; j < r->p; j++)
        for (size_t i = 0; i < GLM_BLOCK; i++)
            eta[i] += r->g[j] * block[j * GLM_BLOCK + i];
}

static void add_theta(replicate *r, const double *block, const double *mu)
{
    const double *y = block + r->p * GLM_BLOCK, *prior = y + 2 * GLM_BLOCK, last = (double)r->in->n_counts - 1;
    for (size_t i = 0; i < GLM_BLOCK; i++) {
        const double both = mu[i] + r->theta, apart = (mu[i] - y[i]) / both;
        if (prior[i] == 0)
            continue;
        r->theta_score += prior[i] * (apart - log1p(mu[i] / r->theta));
        r->theta_information += prior[i] * (apart / both - mu[i] / (r->theta * both));
        if (y[i] > last) {
            r->theta_score += prior[i] * (gsl_sf_psi(r->theta + y[i]) - gsl_sf_psi(r->theta + last));
            r->theta_information += prior[i] * (gsl_sf_psi_1(r->theta + last) - gsl_sf_psi_1(r->theta + y[i]));
        }
    }
}

GLM_INLINE bool pass_rows(replicate *r)
{
    const bool has_theta = r->in->family->has_theta && isfinite(r->theta);
    for (size_t b = 0; b < r->n_blocks; b++) {
        const double *block = r->rows + b * r->in->kept;
        double eta[GLM_BLOCK], mu[GLM_BLOCK], w[GLM_BLOCK], s[GLM_BLOCK];
        predict_block(r, block, eta);
        if (!work_block(r, block, eta, mu, w, s))
            return false;
        add_block(r->p, block, w, s, r->sums);
        if (has_theta)
            add_theta(r, block, mu);
        if (r->in->firth) {
            memcpy(r->working + b * GLM_BLOCK, w, sizeof w);
            memcpy(r->mu + b * GLM_BLOCK, mu, sizeof mu);
        }
    }
    return true;
}

GLM_INLINE void first_rows(replicate *r, const double *weights)
{
    for (size_t b = 0; b < r->in->n_blocks; b++)
        first_block(r->in, b, weights, r->sums);
}

GLM_AVX2 static bool pass_avx2(replicate *r)
{
    return pass_rows(r);
}

static bool pass_anywhere(replicate *r)
{
    return pass_rows(r);
}

GLM_AVX2 static void first_avx2(replicate *r, const double *weights)
{
    first_rows(r, weights);
}

static void first_anywhere(replicate *r, const double *weights)
{
    first_rows(r, weights);
}

/* Lanes into the information and the score. */
static void join_lanes(replicate *r)
{
    const size_t p = r->p;
    for (size_t j = 0; j < p; j++) {
        for (size_t k = 0; k <= j + 1; k++) {
            const bool score = k == j + 1;
            const double *lanes = r->sums + (score ? p * p + j : j * p + k) * GLM_LANES;
            const double sum = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
                               ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
            if (score)
                r->score[j] = sum;
            else
                r->information[k * p + j] = sum;
        }
    }
}

/* Keeps the rows with a weight, and for negbin tables their counts. */
static void keep_rows(replicate *r, const double *weights)
{
    const glm_prepared *in = r->in;
    const size_t p = r->p;
    size_t kept = 0;
    for (size_t i = 0; i < in->n; i++) {
        if (weights[i] == 0)
            continue;
        const double *from = in->rows + i / GLM_BLOCK * in->stride + i % GLM_BLOCK;
        double *to = r->rows + kept / GLM_BLOCK * in->kept + kept % GLM_BLOCK;
        for (size_t j = 0; j < p + 2; j++)
            to[j * GLM_BLOCK] = from[j * GLM_BLOCK];
        to[(p + 2) * GLM_BLOCK] = from[(p + 2) * GLM_BLOCK] * weights[i];
        kept++;
    }
    r->n_rows = kept;
    r->n_blocks = (kept + GLM_BLOCK - 1) / GLM_BLOCK;
    for (; kept % GLM_BLOCK != 0; kept++) { /* the last row again, without weight */
        double *to = r->rows + kept / GLM_BLOCK * in->kept + kept % GLM_BLOCK;
        for (size_t j = 0; j < p + 2; j++)
            to[j * GLM_BLOCK] = to[j * GLM_BLOCK - 1];
        to[(p + 2) * GLM_BLOCK] = 0;
    }
}

static void table_counts(replicate *r)
{
    const size_t n = r->in->n_counts;
    if (n == 0)
        return;
    memset(r->above, 0, n * sizeof *r->above);
    for (size_t i = 0; i < r->n_rows; i++) {
        const double *row = r->rows + i / GLM_BLOCK * r->in->kept + i % GLM_BLOCK + r->p * GLM_BLOCK;
        if (row[0] >= 1)
            r->above[row[0] < (double)(n - 1) ? (size_t)row[0] - 1 : n - 2] += row[2 * GLM_BLOCK];
    }
    for (size_t k = n; k-- > 1;)
        r->above[k - 1] += r->above[k];
}

/* Firth's share of the score, h (1/2 - mu) x with leverages h by the triangle. */
static void penalise(replicate *r)
{
    const size_t p = r->p;
    bd_triangle_invert(p, p, r->triangle, r->inverse);
    for (size_t i = 0; i < r->n_rows; i++) {
        const double *x = r->rows + i / GLM_BLOCK * r->in->kept + i % GLM_BLOCK;
        double leverage = 0;
        for (size_t k = 0; k < p; k++) {
            double u = 0;
            for (size_t j = 0; j <= k; j++)
                u += x[j * GLM_BLOCK] * r->inverse[j * p + k];
            leverage += u * u;
        }
        const double part = r->working[i] * leverage * (0.5 - r->mu[i]);
        for (size_t j = 0; j < p; j++)
            r->score[j] += part * x[j * GLM_BLOCK];
    }
}

/* Theta's own step, of its logarithm; the information of theta and the coefficients is block diagonal. */
static double theta_size(replicate *r)
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
static bool solve(replicate *r)
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
    r->size = hypot(sqrt(squares), theta_size(r));
    return isfinite(r->size);
}

static bool evaluate(replicate *r)
{
    memset(r->sums, 0, (r->p * r->p + r->p) * GLM_LANES * sizeof *r->sums);
    r->theta_score = r->theta_information = 0;
    return (GLM_HAS_AVX2 ? pass_avx2 : pass_anywhere)(r) && solve(r);
}

static int kept_row(const void *context, size_t i, double *a)
{
    const replicate *r = context;
    const double *row = r->rows + i / GLM_BLOCK * r->in->kept + i % GLM_BLOCK;
    const int edge = glm_edge(r->in->family, r->in->link, row[r->p * GLM_BLOCK]);
    if (row[(r->p + 2) * GLM_BLOCK] == 0)
        return 0;
    for (size_t j = 0; j < r->p; j++)
        a[j] = edge < 0 ? -row[j * GLM_BLOCK] : row[j * GLM_BLOCK];
    return edge == 0 ? 2 : 1;
}

static bool is_separated(const replicate *r)
{
    const glm_cone cone = {.n = r->n_rows, .p = r->p, .row = kept_row, .context = r};
    size_t n_strict;
    return !r->in->firth && glm_cone_direction(&cone, r->cone, r->room, &n_strict);
}

/* The step, or a half of it from where the next is shorter. */
static bool advance(replicate *r)
{
    const size_t p = r->p;
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
        if (evaluate(r) && (r->size <= before || r->size <= NOISE * r->in->scale))
            return true;
    }
    return false;
}

static bool is_finished(const replicate *r, double last)
{
    const double rate = r->size / last, unit = FINISHED * r->in->scale;
    return r->size <= 0.1 * unit || (rate < 0.5 && r->size * rate / (1 - rate) <= unit) ||
           (r->size <= NOISE * r->in->scale && rate > 0.9);
}

static bd_glm_replicate_end iterate(replicate *r)
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
    replicate r = {.in = in, .p = p, .theta = in->theta};
    lay_out(&r, scratch);
    memset(r.sums, 0, (p * p + p) * GLM_LANES * sizeof *r.sums);
    memset(r.g, 0, p * sizeof *r.g);
    keep_rows(&r, weights);
    table_counts(&r);
    if (in->firth || in->n_counts > 0) {
        if (!evaluate(&r))
            return BD_GLM_REPLICATE_COLLINEAR;
    } else {
        (GLM_HAS_AVX2 ? first_avx2 : first_anywhere)(&r, weights);
        if (!solve(&r))
            return BD_GLM_REPLICATE_COLLINEAR;
    }
    const bd_glm_replicate_end end = iterate(&r);
    for (size_t j = 0; j < p; j++) {
        coefficients[j] = in->beta[j];
        for (size_t k = j; k < p; k++)
            coefficients[j] += in->root[j * p + k] * r.g[k];
    }
    return end;
}
