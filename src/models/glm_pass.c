/* Passes over the rows of a replicate: information and score, sixty-four rows at a time. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_sf_psi.h>

#include "models/glm_exp.h"
#include "models/glm_replicate.h"

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
GLM_INLINE bool work_block(const glm_replicate *r, const double *block, const double *eta, double *mu, double *w, double *s)
{
    const size_t p = r->p;
    const struct glm_prepared *in = r->in;
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
GLM_INLINE void predict_block(const glm_replicate *r, const double *block, double *eta)
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

static void add_theta(glm_replicate *r, const double *block, const double *mu)
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

GLM_INLINE bool pass_rows(glm_replicate *r)
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
__attribute__((noinline)) static void keep_block(glm_replicate *r, const double *weights, size_t from, double *w, double *s)
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
GLM_INLINE void first_rows(glm_replicate *r, const double *weights)
{
    for (size_t from = 0; from < r->n_padded; from += GLM_BLOCK) {
        double w[GLM_BLOCK], s[GLM_BLOCK];
        keep_block(r, weights, from, w, s);
        add_block(r->p, r->rows + from, r->in->stride, w, s, r->sums);
    }
}

GLM_AVX2 static bool pass_avx2(glm_replicate *r)
{
    return pass_rows(r);
}

static bool pass_anywhere(glm_replicate *r)
{
    return pass_rows(r);
}

GLM_AVX2 static void first_avx2(glm_replicate *r, const double *weights)
{
    first_rows(r, weights);
}

static void first_anywhere(glm_replicate *r, const double *weights)
{
    first_rows(r, weights);
}

bool glm_pass(glm_replicate *r)
{
    return (GLM_HAS_AVX2 ? pass_avx2 : pass_anywhere)(r);
}

void glm_first_pass(glm_replicate *r, const double *weights)
{
    (GLM_HAS_AVX2 ? first_avx2 : first_anywhere)(r, weights);
}
