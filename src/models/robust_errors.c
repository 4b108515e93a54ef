/* Errors of robust regression: Huber's, those of MM with its S estimate, and sandwiches. */
#include <math.h>
#include <string.h>

#include "models/robust_internal.h"

/* products <- the sum of factor * x x', in whole. */
static void add_products(const robust_state *s, const double *factor, double *products)
{
    const size_t n = s->robust->design->n_rows, p = s->robust->design->n_columns;
    memset(products, 0, p * p * sizeof *products);
    for (size_t i = 0; i < n; i++) {
        const double *x = s->robust->columns + i * p;
        for (size_t j = 0; factor[i] != 0 && j < p; j++)
            for (size_t k = 0; k < p; k++)
                products[j * p + k] += factor[i] * x[j] * x[k];
    }
}

/* sums <- the sum of factor * x. */
static void add_columns(const robust_state *s, const double *factor, double *sums)
{
    const size_t n = s->robust->design->n_rows, p = s->robust->design->n_columns;
    memset(sums, 0, p * sizeof *sums);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++)
            sums[j] += factor[i] * s->robust->columns[i * p + j];
}

/* product <- left * middle * left' */
static void sandwich(size_t p, const double *left, const double *middle, double *half, double *product)
{
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            half[i * p + j] = 0;
            for (size_t k = 0; k < p; k++)
                half[i * p + j] += left[i * p + k] * middle[k * p + j];
        }
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            product[i * p + j] = 0;
            for (size_t k = 0; k < p; k++)
                product[i * p + j] += half[i * p + k] * left[j * p + k];
        }
}

/* What the errors are made of, by row and by column. */
typedef struct parts {
    double *psi, *slope, *factor;       /* n_rows; psi and its derivative at the residuals */
    double *bread, *meat, *root, *half; /* p x p; bread: the inverse of the sum of slope x x', times the scale */
    double *first, *second;             /* p */
} parts;

static bd_status new_parts(const robust_state *s, bd_arena *arena, parts *a)
{
    const size_t n = s->robust->design->n_rows, p = s->robust->design->n_columns;
    BD_NEW(arena, a->psi, n);
    BD_NEW(arena, a->slope, n);
    BD_NEW(arena, a->factor, n);
    BD_NEW(arena, a->bread, p * p);
    BD_NEW(arena, a->meat, p * p);
    BD_NEW(arena, a->root, p * p);
    BD_NEW(arena, a->half, p * p);
    BD_NEW(arena, a->first, p);
    BD_NEW(arena, a->second, p);
    for (size_t i = 0; i < n; i++) {
        const double u = s->residuals[i] / s->scale;
        a->psi[i] = u * s->robust->method->weight(u, s->robust->tuning);
        a->slope[i] = s->robust->method->slope(u, s->robust->tuning);
    }
    return BD_OK;
}

/* bread <- scale * the inverse of the sum of weight * slope * x x'; false: that is not positive. */
static bool make_bread(const robust_state *s, const parts *a, bool with_slope, double scale)
{
    const size_t p = s->robust->design->n_columns;
    for (size_t i = 0; i < s->robust->design->n_rows; i++)
        a->factor[i] = robust_weight(s, i) * (with_slope ? a->slope[i] : 1);
    add_products(s, a->factor, a->meat);
    if (!bd_likelihood_root(p, a->meat, 1e-12, a->root))
        return false;
    bd_triangle_invert(p, p, a->root, a->half);
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            a->bread[i * p + j] = 0;
            for (size_t k = 0; k < p; k++)
                a->bread[i * p + j] += scale * a->half[i * p + k] * a->half[j * p + k];
        }
    return true;
}

/* kappa^2 S / mean(slope)^2 (X'X)^-1: Huber & Ronchetti (2009), 7.6, as summary.rlm. */
static bool huber_covariance(const robust_state *s, const parts *a, double *covariance)
{
    const double p = (double)s->robust->design->n_columns;
    double squares = 0, first = 0, second = 0;
    for (size_t i = 0; i < s->robust->design->n_rows; i++) {
        const double weight = robust_weight(s, i), part = s->scale * a->psi[i];
        squares += weight * part * part;
        first += weight * a->slope[i];
        second += weight * a->slope[i] * a->slope[i];
    }
    const double mean = first / s->n, variance = (second - first * mean) / (s->n - 1);
    const double kappa = 1 + p * variance / (s->n * mean * mean), factor = kappa / mean;
    if (!make_bread(s, a, false, squares / (s->n - p) * factor * factor))
        return false;
    memcpy(covariance, a->bread, s->robust->design->n_columns * s->robust->design->n_columns * sizeof *covariance);
    return true;
}

/* Croux, Dhaene & Hoorelbeke (2003): the M step's sandwich, less what it has in common with the scale of the S
 * estimate. chi at the S residuals u0: a = A sum(slope u x) / mean(chi' u0), and over n n A sum(psi^2 x x') A - a (A
 * sum(psi chi x))' - its transpose + mean(chi^2 - 1/4) a a'. */
static bool mm_covariance(const robust_state *s, const parts *a, const double *s_residuals, double *covariance)
{
    const size_t n = s->robust->design->n_rows, p = s->robust->design->n_columns;
    double chi_slope = 0, chi_square = 0;
    if (!make_bread(s, a, true, s->scale))
        return false;
    for (size_t i = 0; i < n; i++)
        a->factor[i] = robust_weight(s, i) * a->psi[i] * a->psi[i];
    add_products(s, a->factor, a->meat);
    sandwich(p, a->bread, a->meat, a->half, covariance);
    for (size_t i = 0; i < n; i++) {
        const double weight = robust_weight(s, i), u0 = s_residuals[i] / s->scale, chi = robust_chi(u0);
        chi_slope += weight * robust_chi_slope(u0) * u0 / s->n;
        chi_square += weight * (chi * chi - 0.25) / s->n;
        a->factor[i] = weight * a->psi[i] * chi;
    }
    add_columns(s, a->factor, a->second);
    for (size_t i = 0; i < n; i++)
        a->factor[i] = robust_weight(s, i) * a->slope[i] * s->residuals[i] / s->scale;
    add_columns(s, a->factor, a->first);
    for (size_t j = 0; j < p; j++) { /* root's first rows: a, and A times the other */
        a->root[j] = a->half[j] = 0;
        for (size_t k = 0; k < p; k++) {
            a->root[j] += a->bread[j * p + k] * a->first[k] / chi_slope;
            a->half[j] += a->bread[j * p + k] * a->second[k];
        }
    }
    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k < p; k++)
            covariance[j * p + k] +=
                (chi_square * a->root[j] * a->root[k] - a->root[j] * a->half[k] - a->half[j] * a->root[k]) / s->n;
    return true;
}

static bd_status sandwich_covariance(const robust_state *s, const parts *a, const bd_se_estimator *se, bd_arena *arena,
                                     double *covariance)
{
    const bd_ols_design *design = s->robust->design;
    const size_t n = design->n_rows, p = design->n_columns, n_groups = se == &bd_se_hc0 ? n : design->n_clusters;
    double *scores;
    BD_NEW(arena, scores, n_groups * p);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++)
            scores[(se == &bd_se_hc0 ? i : design->cluster[i]) * p + j] +=
                robust_weight(s, i) * a->psi[i] * s->robust->columns[i * p + j];
    memset(a->meat, 0, p * p * sizeof *a->meat);
    const double factor = se == &bd_se_cr1 ? (double)n_groups / ((double)n_groups - 1) : 1;
    for (size_t g = 0; g < n_groups; g++)
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++)
                a->meat[j * p + k] += factor * scores[g * p + j] * scores[g * p + k];
    sandwich(p, a->bread, a->meat, a->half, covariance);
    return BD_OK;
}

bd_status robust_covariance(const robust_state *s, const double *s_residuals, const bd_se_estimator *se,
                            bd_arena *arena, double *covariance)
{
    const size_t p = s->robust->design->n_columns;
    parts a;
    double *whole;
    bool usable;
    BD_TRY(new_parts(s, arena, &a));
    BD_NEW(arena, whole, p * p);
    if (se != &bd_se_classical) {
        usable = make_bread(s, &a, true, s->scale);
        if (usable)
            BD_TRY(sandwich_covariance(s, &a, se, arena, whole));
    } else
        usable = s_residuals == NULL ? huber_covariance(s, &a, whole) : mm_covariance(s, &a, s_residuals, whole);
    sandwich(p, s->robust->basis->transform, whole, a.half, covariance);
    for (size_t k = 0; k < p * p; k++)
        covariance[k] = usable ? covariance[k] : NAN;
    return BD_OK;
}
