/* The jackknife, exactly: the moments without a unit are those of the sample less its own. */
#include "resampling/jackknife.h"

#include <math.h>
#include <string.h>

#include <omp.h>

#include "resampling/influence.h"
#include "resampling/kernel.h"

/* Of the values without each unit, less those of the sample. */
typedef struct deviation_sums {
    double first, second;
} deviation_sums;

/* What one thread works with. */
typedef struct bench {
    double *moments;  /* units_scratch */
    double *products; /* q x q, then 2 q^2 */
    double *values;   /* n_values */
} bench;

static void add_block(const bd_units *units, const bd_statistic *statistic, size_t block, const double *estimates,
                      bench *work, deviation_sums *sums)
{
    const size_t q = units->q;
    size_t stride;
    const double *moments = units_moments(units, block, work->moments, &stride);
    for (size_t i = 0; i < units->blocks[block].n; i++) {
        for (size_t a = 0, m = 0; a < q; a++)
            for (size_t b = a; b < q; b++, m++)
                work->products[a * q + b] = units->full[a * q + b] - moments[m * stride + i];
        const bool usable = statistic_at(statistic, units->rotation, work->products, work->products + q * q, work->values,
                                         NULL) == BD_REPLICATE_USABLE;
        for (size_t v = 0; v < statistic->n_values; v++) {
            const double deviation = usable ? work->values[v] - estimates[v] : NAN;
            sums[v].first += deviation;
            sums[v].second += deviation * deviation;
        }
    }
}

static double error_of(const bd_units *units, const deviation_sums *sums, size_t n_values, size_t value)
{
    double variance = 0;
    for (size_t s = 0; s < units->n_strata; s++) {
        const unit_stratum *stratum = &units->strata[s];
        const double n = (double)stratum->n_units;
        deviation_sums total = {0, 0};
        for (size_t b = stratum->first_block; b < stratum->first_block + stratum->n_blocks; b++) {
            total.first += sums[b * n_values + value].first;
            total.second += sums[b * n_values + value].second;
        }
        variance += (n - 1) / n * (total.second - total.first * total.first / n);
    }
    return sqrt(variance);
}

bd_status find_jackknife_errors(const bd_units *units, const bd_statistic *statistic, int n_threads, bd_arena *arena,
                                double **out)
{
    const size_t q = units->q, n_values = statistic->n_values;
    double *errors, *estimates;
    deviation_sums *sums;
    bench *benches;
    BD_NEW(arena, errors, n_values);
    const bd_mark mark = bd_arena_mark(arena);
    BD_NEW(arena, estimates, n_values);
    BD_NEW(arena, sums, units->n_blocks * n_values);
    BD_NEW(arena, benches, n_threads);
    for (int t = 0; t < n_threads; t++) {
        BD_NEW(arena, benches[t].moments, units_scratch(units) + 1);
        BD_NEW(arena, benches[t].products, 3 * q * q);
        BD_NEW(arena, benches[t].values, n_values);
    }
    memcpy(benches[0].products, units->full, q * q * sizeof(double));
    if (statistic_at(statistic, units->rotation, benches[0].products, benches[0].products + q * q, estimates, NULL) !=
        BD_REPLICATE_USABLE)
        return bd_fail(BD_ENUMERIC, "the sample itself cannot be estimated");
#pragma omp parallel for num_threads(n_threads) schedule(dynamic) if (units->n_blocks > 1)
    for (size_t b = 0; b < units->n_blocks; b++)
        add_block(units, statistic, b, estimates, &benches[omp_get_thread_num()], sums + b * n_values);
    for (size_t v = 0; v < n_values; v++)
        errors[v] = error_of(units, sums, n_values, v);
    bd_arena_rewind(arena, mark);
    *out = errors;
    return BD_OK;
}
