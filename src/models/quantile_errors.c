/* Errors of quantile regression: tau (1 - tau) times a sandwich whose bread holds the density of the errors at 0. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>

#include "models/quantile_internal.h"

/* Hall & Sheather (1988), for intervals of 95 %, halved until tau +- it are quantiles. */
static double bandwidth(double tau, double n, bool halve)
{
    const double x = gsl_cdf_ugaussian_Pinv(tau), density = gsl_ran_ugaussian_pdf(x);
    const double z = gsl_cdf_ugaussian_Pinv(0.975);
    double h = pow(n, -1 / 3.0) * pow(z, 2 / 3.0) * pow(1.5 * density * density / (2 * x * x + 1), 1 / 3.0);
    while (halve && (tau - h < 0 || tau + h > 1))
        h /= 2;
    return h;
}

/* Row i's columns count weight[i] times, as in quantreg, whose weights multiply both sides. */
static double weight_of(const bd_quantile *quantile, size_t row)
{
    return quantile->design->weights == NULL ? 1 : quantile->design->weights[row];
}

/* The slope of the ordered residuals nearest to 0 by their place: the sparsity, 1 / density. */
static bd_status find_sparsity(const bd_quantile *quantile, const double *residuals, bd_arena *arena, double *sparsity)
{
    const size_t n = quantile->design->n_rows, p = quantile->design->n_columns;
    const double n_used = (double)quantile->basis->n_used;
    double *sizes, *near, *place;
    size_t *order, on_fit = 0, n_found = 0;
    BD_NEW(arena, sizes, n);
    BD_NEW(arena, near, n);
    BD_NEW(arena, place, n);
    BD_NEW(arena, order, n);
    for (size_t i = 0; i < n; i++) {
        sizes[i] = weight_of(quantile, i) > 0 ? fabs(weight_of(quantile, i) * residuals[i]) : INFINITY;
        on_fit += sizes[i] < 1e-8 * quantile->scale;
    }
    gsl_sort_index(order, sizes, 1, n);
    const size_t wide = (size_t)ceil(n_used * bandwidth(quantile->tau, n_used, false));
    const size_t width = wide > p + 1 ? wide : p + 1;
    for (size_t k = on_fit; k <= on_fit + width && k < n && sizes[order[k]] < INFINITY; k++) {
        place[n_found] = (double)(k + 1) / (n_used - (double)p);
        near[n_found++] = weight_of(quantile, order[k]) * residuals[order[k]];
    }
    *sparsity = NAN;
    if (n_found < 3)
        return BD_OK;
    gsl_sort(near, 1, n_found);
    const double *const columns[] = {NULL, place};
    static const char *const names[] = {"(Intercept)", "place"};
    const bd_ols_design design = {.n_rows = n_found,
                                  .n_columns = 2,
                                  .columns = columns,
                                  .names = names,
                                  .response = near,
                                  .response_name = "residual",
                                  .has_intercept = true};
    const bd_quantile *median;
    quantile_vertex vertex;
    double *scratch, estimates[2];
    BD_TRY(bd_quantile_prepare(&design, 0.5, arena, &median));
    BD_NEW(arena, scratch, quantile_vertex_size(median));
    quantile_vertex_place(median, scratch, &vertex);
    if (quantile_vertex_start(&vertex, median->start) && quantile_vertex_solve(&vertex) == BD_LIKELIHOOD_CONVERGED) {
        bd_likelihood_estimates(median->basis, vertex.gamma, estimates);
        *sparsity = estimates[1];
    }
    return BD_OK;
}

/* gamma (n_columns) <- the fit of another quantile, in the basis. */
static bd_status fit_nearby(const bd_quantile *quantile, double tau, bd_arena *arena, double *gamma)
{
    quantile_vertex vertex;
    double *scratch;
    const size_t p = quantile->design->n_columns;
    BD_NEW(arena, scratch, quantile_vertex_size(quantile));
    quantile_vertex_place(quantile, scratch, &vertex);
    vertex.weights = quantile->design->weights;
    vertex.tau = tau;
    const bool done =
        quantile_vertex_start(&vertex, quantile->start) && quantile_vertex_solve(&vertex) == BD_LIKELIHOOD_CONVERGED;
    for (size_t j = 0; j < p; j++)
        gamma[j] = done ? vertex.gamma[j] : NAN;
    return BD_OK;
}

static bd_status nid_densities(const bd_quantile *quantile, bd_arena *arena, double *density,
                               bd_quantile_regression *fit)
{
    const size_t n = quantile->design->n_rows, p = quantile->design->n_columns;
    const double h = bandwidth(quantile->tau, (double)quantile->basis->n_used, true);
    double *low, *high;
    BD_NEW(arena, low, p);
    BD_NEW(arena, high, p);
    BD_TRY(fit_nearby(quantile, quantile->tau - h, arena, low));
    BD_TRY(fit_nearby(quantile, quantile->tau + h, arena, high));
    for (size_t i = 0; i < n; i++) {
        double apart = 0;
        for (size_t j = 0; j < p; j++)
            apart += quantile->columns[i * p + j] * (high[j] - low[j]);
        apart *= weight_of(quantile, i);
        const bool crossed = apart <= 1e-8 * quantile->scale;
        fit->n_crossed += crossed && weight_of(quantile, i) > 0;
        density[i] = crossed ? 0 : 2 * h / apart;
    }
    return BD_OK;
}

static bd_status kernel_densities(const bd_quantile *quantile, const double *residuals, bd_arena *arena,
                                  double *density)
{
    const size_t n = quantile->design->n_rows;
    const double h = bandwidth(quantile->tau, (double)quantile->basis->n_used, true);
    double *sorted;
    size_t n_used = 0;
    BD_NEW(arena, sorted, n);
    for (size_t i = 0; i < n; i++)
        if (weight_of(quantile, i) > 0)
            sorted[n_used++] = weight_of(quantile, i) * residuals[i];
    gsl_sort(sorted, 1, n_used);
    const double quartiles = gsl_stats_quantile_from_sorted_data(sorted, 1, n_used, 0.75) -
                             gsl_stats_quantile_from_sorted_data(sorted, 1, n_used, 0.25);
    const double spread = fmin(gsl_stats_sd(sorted, 1, n_used), quartiles / 1.34);
    const double width =
        spread * (gsl_cdf_ugaussian_Pinv(quantile->tau + h) - gsl_cdf_ugaussian_Pinv(quantile->tau - h));
    for (size_t i = 0; i < n; i++)
        density[i] = gsl_ran_ugaussian_pdf(weight_of(quantile, i) * residuals[i] / width) / width;
    return BD_OK;
}

/* products <- the sum of factor * weight^2 x x', factor NULL: 1. */
static void add_products(const bd_quantile *quantile, const double *factor, double *products)
{
    const size_t n = quantile->design->n_rows, p = quantile->design->n_columns;
    memset(products, 0, p * p * sizeof *products);
    for (size_t i = 0; i < n; i++) {
        const double *x = quantile->columns + i * p, weight = weight_of(quantile, i);
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++)
                products[j * p + k] += (factor == NULL ? 1 : factor[i]) * weight * weight * x[j] * x[k];
    }
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

/* matrix <- its inverse; false: it is not positive. */
static bool invert(size_t p, double *matrix, double *root, double *half)
{
    if (!bd_likelihood_root(p, matrix, 1e-14, root))
        return false;
    bd_triangle_invert(p, p, root, half);
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            matrix[i * p + j] = 0;
            for (size_t k = 0; k < p; k++)
                matrix[i * p + j] += half[i * p + k] * half[j * p + k];
        }
    return true;
}

bd_status quantile_covariance(const bd_quantile *quantile, bd_quantile_se se, bd_arena *arena,
                              bd_quantile_regression *fit)
{
    const size_t n = quantile->design->n_rows, p = quantile->design->n_columns;
    double *density, *bread, *meat, *whole, *half, factor = fit->tau * (1 - fit->tau);
    BD_NEW(arena, density, n);
    BD_NEW(arena, bread, p * p);
    BD_NEW(arena, meat, p * p);
    BD_NEW(arena, whole, p * p);
    BD_NEW(arena, half, p * p);
    if (se == BD_QUANTILE_IID) {
        double sparsity;
        BD_TRY(find_sparsity(quantile, fit->residuals, arena, &sparsity));
        factor *= sparsity * sparsity;
    } else if (se == BD_QUANTILE_NID)
        BD_TRY(nid_densities(quantile, arena, density, fit));
    else
        BD_TRY(kernel_densities(quantile, fit->residuals, arena, density));
    add_products(quantile, se == BD_QUANTILE_IID ? NULL : density, bread);
    add_products(quantile, NULL, meat);
    const bool usable = fit->end == BD_LIKELIHOOD_CONVERGED && invert(p, bread, whole, half);
    sandwich(p, bread, meat, half, whole);
    sandwich(p, quantile->basis->transform, whole, half, fit->covariance);
    for (size_t k = 0; k < p * p; k++)
        fit->covariance[k] = usable ? factor * fit->covariance[k] : NAN;
    return BD_OK;
}
