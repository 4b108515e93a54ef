/* The gradient of a statistic by its moments, and what each unit's moments make of it. */
#include "resampling/influence.h"

#include <math.h>
#include <string.h>

#include <omp.h>

#include "resampling/kernel.h"

/* Of a rotated column, the share that the others leave; below it a replicate counts as collinear. */
static const double tolerance = 1e-10;

/* For central differences; moments are of the order of one. */
static const double step = 1e-5;

bd_replicate_end statistic_at(const bd_statistic *statistic, const double *rotation, const double *products,
                              double *scratch, double *values, double *errors)
{
    const size_t q = statistic->columns->n_columns;
    double *small = scratch, *triangle = scratch + q * q;
    if (!bd_triangle_from_products(q, products, tolerance, small))
        return BD_REPLICATE_COLLINEAR;
    bd_triangle_multiply(q, small, rotation, triangle);
    return statistic->from_moments(statistic->context, triangle, values, errors);
}

/* gradient (n_moments x n_values) <- derivatives by each product, at the moments of the full sample. */
static bd_status differentiate(const bd_units *units, const bd_statistic *statistic, bd_arena *arena,
                               double *gradient)
{
    const size_t q = units->q, n_values = statistic->n_values;
    double *products, *scratch, *values;
    BD_NEW(arena, products, q * q);
    BD_NEW(arena, scratch, 2 * q * q);
    BD_NEW(arena, values, 2 * n_values);
    for (size_t a = 0, m = 0; a < q; a++)
        for (size_t b = a; b < q; b++, m++) {
            for (int side = 0; side < 2; side++) {
                memcpy(products, units->full, q * q * sizeof *products);
                products[a * q + b] += side == 0 ? -step : step;
                if (statistic_at(statistic, units->rotation, products, scratch, values + (size_t)side * n_values,
                                 NULL) != BD_REPLICATE_USABLE)
                    return bd_fail(BD_ENUMERIC, "the statistic cannot be differentiated at the full sample");
            }
            for (size_t v = 0; v < n_values; v++)
                gradient[m * n_values + v] = (values[n_values + v] - values[v]) / (2 * step);
        }
    return BD_OK;
}

/* Sums over units of the derivative by their weight, its square and its cube, about a centre near its mean. */
typedef struct power_sums {
    double first, second, third;
} power_sums;

/* sums (n_values) += those of one block. `scratch`: KERNEL_UNITS more than the units' own. */
static void add_block(const bd_units *units, size_t block, size_t n_values, const double *gradient,
                      const double *centres, double *scratch, power_sums *sums)
{
    size_t stride;
    const double *moments = units_moments(units, block, scratch + KERNEL_UNITS, &stride);
    const size_t n = units->blocks[block].n, products = units->q * (units->q + 1) / 2;
    for (size_t v = 0; v < n_values; v++) {
        for (size_t i = 0; i < n; i++)
            scratch[i] = -centres[v];
        for (size_t m = 0; m < products; m++) {
            const double factor = gradient[m * n_values + v], *row = moments + m * stride;
            for (size_t i = 0; i < n; i++)
                scratch[i] += factor * row[i];
        }
        power_sums sum = {0, 0, 0};
        for (size_t i = 0; i < n; i++) {
            const double square = scratch[i] * scratch[i];
            sum.first += scratch[i];
            sum.second += square;
            sum.third += square * scratch[i];
        }
        sums[v] = sum;
    }
}

/* Each stratum's sums about its own mean, all together. */
static double acceleration(const bd_units *units, const power_sums *sums, size_t n_values, size_t value)
{
    double second = 0, third = 0;
    for (size_t s = 0; s < units->n_strata; s++) {
        const unit_stratum *stratum = &units->strata[s];
        power_sums total = {0, 0, 0};
        for (size_t b = stratum->first_block; b < stratum->first_block + stratum->n_blocks; b++) {
            const power_sums *sum = &sums[b * n_values + value];
            total.first += sum->first;
            total.second += sum->second;
            total.third += sum->third;
        }
        const double n = (double)stratum->n_units, mean = total.first / n;
        second += total.second - n * mean * mean;
        third += total.third - 3 * mean * total.second + 2 * n * mean * mean * mean;
    }
    return third / (6 * second * sqrt(second));
}

bd_status find_accelerations(const bd_units *units, const bd_statistic *statistic, int n_threads, bd_arena *arena,
                             double **out)
{
    const size_t n_values = statistic->n_values, scratch_size = units_scratch(units) + KERNEL_UNITS;
    double *accelerations, *gradient, *centres, *scratch;
    power_sums *sums;
    BD_NEW(arena, accelerations, n_values);
    BD_NEW(arena, gradient, units->n_moments * n_values);
    BD_NEW(arena, centres, n_values);
    BD_NEW(arena, sums, units->n_blocks * n_values);
    BD_NEW(arena, scratch, (size_t)n_threads * scratch_size);
    BD_TRY(differentiate(units, statistic, arena, gradient));
    for (size_t a = 0, m = 0; a < units->q; a++)
        for (size_t b = a; b < units->q; b++, m++)
            for (size_t v = 0; v < n_values; v++)
                centres[v] += gradient[m * n_values + v] * units->full[a * units->q + b] / (double)units->n_units;
#pragma omp parallel for num_threads(n_threads) schedule(dynamic) if (units->n_blocks > 1)
    for (size_t b = 0; b < units->n_blocks; b++)
        add_block(units, b, n_values, gradient, centres, scratch + (size_t)omp_get_thread_num() * scratch_size,
                  sums + b * n_values);
    for (size_t v = 0; v < n_values; v++)
        accelerations[v] = acceleration(units, sums, n_values, v);
    *out = accelerations;
    return BD_OK;
}
