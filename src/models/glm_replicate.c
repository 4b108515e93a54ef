/* A generalised model for other weights: Newton's method from the full sample's solution, on the rows that have a
 * weight. */
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
    size_t p, n_rows, n_padded;
    double *rows;          /* those with a weight, as prepared; the prior weight is times the replicate's */
    uint32_t *kept;        /* which they are */
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

/* Four numbers that are added side by side. */
typedef double lanes __attribute__((vector_size(GLM_LANES * sizeof(double)), aligned(sizeof(double)), may_alias));

#define LANES_AT(x) (*(const lanes *)(const void *)(x))

/* For n_sums <= 4 columns x, one stride apart: their sums, in lanes, grow by their products with `a` over a block. */
GLM_INLINE void add_dots(size_t n_sums, const double *a, const double *x, size_t stride, double *sums)
{
    lanes sum[4];
    for (size_t k = 0; k < n_sums; k++)
        sum[k] = LANES_AT(sums + k * GLM_LANES);
    for (size_t i = 0; i < GLM_BLOCK; i += GLM_LANES) {
        const lanes both = LANES_AT(a + i);
        for (size_t k = 0; k < n_sums; k++)
            sum[k] += both * LANES_AT(x + k * stride + i);
    }
    for (size_t k = 0; k < n_sums; k++)
        *(lanes *)(void *)(sums + k * GLM_LANES) = sum[k];
}

GLM_INLINE void add_all_dots(size_t n_sums, const double *a, const double *x, size_t stride, double *sums)
{
    size_t k = 0;
    for (; k + 4 <= n_sums; k += 4)
        add_dots(4, a, x + k * stride, stride, sums + k * GLM_LANES);
    if (n_sums - k == 3)
        add_dots(3, a, x + k * stride, stride, sums + k * GLM_LANES);
    else if (n_sums - k == 2)
        add_dots(2, a, x + k * stride, stride, sums + k * GLM_LANES);
    else if (n_sums - k == 1)
        add_dots(1, a, x + k * stride, stride, sums + k * GLM_LANES);
}

/* Adds the block's information sum w x x' and score sum s x. */
GLM_INLINE void add_block(size_t p, const double *x, size_t stride, const double *w, const double *s, double *sums)
{
    for (size_t j = 0; j < p; j++) {
        double weighted[GLM_BLOCK];
        for (size_t i = 0; i < GLM_BLOCK; i++)
            weighted[i] = w[i] * x[j * stride + i];
        add_all_dots(j + 1, weighted, x, stride, sums + j * p * GLM_LANES);
    }
    add_all_dots(p, s, x, stride, sums + p * p * GLM_LANES);
}

/* Working weights and scores of a block at the linear predictors; false outside the range of the model. */
GLM_INLINE bool work_block(const replicate *r, const double *block, const double *eta, double *mu, double *w, double *s)
{
    const size_t p = r->p;
    const glm_prepared *in = r->in;
    const double *y = block + p * in->stride, *prior = y + 2 * in->stride;
    double slope[GLM_BLOCK];
    in->link->inverse(GLM_BLOCK, eta, mu, slope);
    if (in->family->canonical == in->link)
        for (size_t i = 0; i < GLM_BLOCK; i++) {
            w[i] = prior[i] * slope[i];
            s[i] = prior[i] * (y[i] - mu[i]);
        }
    else
        for (size_t i = 0; i < GLM_BLOCK; i++) {
            const double variance = in->family->variance(mu[i], r->theta), part = prior[i] * slope[i] / variance;
            const double observed =
                glm_observed(in->family, in->link, r->theta, y[i], eta[i], mu[i], slope[i], variance);
            w[i] = part * slope[i] * (observed > GLM_LEAST_OBSERVED ? observed : 1);
            s[i] = part * (y[i] - mu[i]);
        }
    bool inside = true;
    for (size_t i = 0; in->can_leave && i < GLM_BLOCK; i++) {
        const bool mu_fits = mu[i] > in->family->mu_low && mu[i] < in->family->mu_high;
        inside = inside && (prior[i] == 0 || (mu_fits && (!in->link->positive || eta[i] > 0)));
    }
    return inside;
}

/* Sixteen rows at a time, whose sums stay in registers. */
GLM_INLINE void predict_block(const replicate *r, const double *block, double *eta)
{
    const size_t stride = r->in->stride;
    const double *base = block + (r->p + 1) * stride;
    for (size_t i = 0; i < GLM_BLOCK; i += 4 * GLM_LANES) {
        lanes sum[4];
        for (size_t k = 0; k < 4; k++)
            sum[k] = LANES_AT(base + i + k * GLM_LANES);
        for (size_t j = 0; j < r->p; j++)
            for (size_t k = 0; k < 4; k++)
                sum[k] += r->g[j] * LANES_AT(block + j * stride + i + k * GLM_LANES);
        for (size_t k = 0; k < 4; k++)
            *(lanes *)(void *)(eta + i + k * GLM_LANES) = sum[k];
    }
}

static void add_theta(replicate *r, const double *block, const double *mu)
{
    const double *y = block + r->p * r->in->stride, *prior = y + 2 * r->in->stride, last = (double)r->in->n_counts - 1;
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
    for (size_t from = 0; from < r->n_padded; from += GLM_BLOCK) {
        const double *block = r->rows + from;
        double eta[GLM_BLOCK], mu[GLM_BLOCK], w[GLM_BLOCK], s[GLM_BLOCK];
        predict_block(r, block, eta);
        if (!work_block(r, block, eta, mu, w, s))
            return false;
        add_block(r->p, block, r->in->stride, w, s, r->sums);
        if (has_theta)
            add_theta(r, block, mu);
        if (r->in->firth) {
            memcpy(r->working + from, w, sizeof w);
            memcpy(r->mu + from, mu, sizeof mu);
        }
    }
    return true;
}

/* Copies a block of the rows that have a weight, and their working weights and scores at the full sample's solution.
 * Left to plain loads: collecting vectors from scattered places is slower. */
__attribute__((noinline)) static void keep_block(replicate *r, const double *weights, size_t from, double *w, double *s)
{
    const size_t p = r->p, stride = r->in->stride;
    const uint32_t *kept = r->kept + from;
    double count[GLM_BLOCK];
    for (size_t i = 0; i < GLM_BLOCK; i++)
        count[i] = from + i < r->n_rows ? weights[kept[i]] : 0;
    for (size_t j = 0; j < p + 3; j++)
        for (size_t i = 0; i < GLM_BLOCK; i++)
            r->rows[j * stride + from + i] = r->in->rows[j * stride + kept[i]];
    for (size_t i = 0; i < GLM_BLOCK; i++) {
        r->rows[(p + 2) * stride + from + i] *= count[i];
        w[i] = count[i] * r->in->rows[(p + 3) * stride + kept[i]];
        s[i] = count[i] * r->in->rows[(p + 4) * stride + kept[i]];
    }
}

/* The first pass needs no new means. */
GLM_INLINE void first_rows(replicate *r, const double *weights)
{
    for (size_t from = 0; from < r->n_padded; from += GLM_BLOCK) {
        double w[GLM_BLOCK], s[GLM_BLOCK];
        keep_block(r, weights, from, w, s);
        add_block(r->p, r->rows + from, r->in->stride, w, s, r->sums);
    }
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
static void find_kept(replicate *r, const double *weights)
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

static void table_counts(replicate *r)
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
static void penalise(replicate *r)
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
    const double *row = r->rows + i;
    const size_t stride = r->in->stride;
    const int edge = glm_edge(r->in->family, r->in->link, row[r->p * stride]);
    if (row[(r->p + 2) * stride] == 0)
        return 0;
    for (size_t j = 0; j < r->p; j++)
        a[j] = edge < 0 ? -row[j * stride] : row[j * stride];
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
    find_kept(&r, weights);
    (GLM_HAS_AVX2 ? first_avx2 : first_anywhere)(&r, weights);
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
