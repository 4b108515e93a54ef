/* Approximate bootstrap confidence (ABC) intervals, without replicates: DiCiccio & Efron (1992),
 * doi:10.1093/biomet/79.2.231; Efron & Tibshirani (1993), sec. 14.4 and 22.6. Strata and z0 are those of abc.ci in R's
 * boot: weights keep their sum in every stratum, and z0 = a - (b / sigma - c_q), which Efron's own,
 * qnorm(2 pnorm(a) pnorm(c_q - b / sigma)), is to first order. */
#include "resampling/abc.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <omp.h>

#include "resampling/influence.h"
#include "resampling/kernel.h"

/* Between the points of a derivative, of a direction of length 1: errors of the order of step^4 and 1e-16 / step^2. */
static const double step = 0.003;

/* Of one block and value: sums over units of l, l^2, l^3 and l', the first and second derivative towards the unit. */
typedef struct unit_sums {
    double first, second, third, curvature;
} unit_sums;

/* What one thread works with. */
typedef struct bench {
    double *moments;   /* units_scratch */
    double *direction; /* q x q, upper half */
    double *products;  /* 3 q^2 */
    double *values;    /* 4 x n_values */
    double *first, *second; /* n_values */
} bench;

typedef struct search {
    const bd_units *units;
    const bd_statistic *statistic;
    size_t *stratum_of; /* n_blocks */
    double *estimates;  /* n_values */
    double *totals;     /* n_strata x q x q: moments of each stratum */
    double *by_block;   /* n_blocks x n_values x q x q: sums of l times the unit's moments */
    unit_sums *sums;    /* n_blocks x n_values */
} search;

/* values <- at the moments of the sample and `distance` times the direction. */
static bool value_at(const bd_units *units, const bd_statistic *statistic, const double *direction, double distance,
                     double *products, double *values)
{
    const size_t squares = units->q * units->q;
    for (size_t i = 0; i < squares; i++)
        products[i] = units->full[i] + distance * direction[i];
    return statistic_at(statistic, units->rotation, products, products + squares, values, NULL) == BD_REPLICATE_USABLE;
}

static double length(const double *direction, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += direction[i] * direction[i];
    return sqrt(sum);
}

/* work->first, work->second <- derivatives of each value along a direction, by five points. */
static void differentiate(const search *s, const double *direction, bench *work)
{
    static const double places[4] = {-2, -1, 1, 2};
    const size_t n = s->statistic->n_values;
    const double size = length(direction, s->units->q * s->units->q), h = size > 0 ? step / size : 1;
    bool usable = true;
    for (size_t k = 0; k < 4; k++)
        usable = usable && value_at(s->units, s->statistic, direction, places[k] * h, work->products,
                                    work->values + k * n);
    for (size_t v = 0; v < n; v++) {
        const double *at = work->values + v;
        work->first[v] = usable ? (at[0] - 8 * at[n] + 8 * at[2 * n] - at[3 * n]) / (12 * h) : NAN;
        work->second[v] =
            usable ? (16 * (at[n] + at[2 * n]) - (at[0] + at[3 * n]) - 30 * s->estimates[v]) / (12 * h * h) : NAN;
    }
}

/* total (q x q) += the moments of a block. */
static void add_total(const bd_units *units, size_t block, double *scratch, double *total)
{
    size_t stride;
    const double *moments = units_moments(units, block, scratch, &stride);
    for (size_t a = 0; a < units->q; a++)
        for (size_t b = a; b < units->q; b++, moments += stride)
            for (size_t i = 0; i < units->blocks[block].n; i++)
                total[a * units->q + b] += moments[i];
}

/* The sample with all weight of its stratum on one unit, less the sample: (1 - eps) S / n + eps s, by eps. */
static void walk_block(const search *s, size_t block, bench *work)
{
    const size_t q = s->units->q, n_values = s->statistic->n_values, stratum = s->stratum_of[block];
    const double n = (double)s->units->strata[stratum].n_units, *total = s->totals + stratum * q * q;
    size_t stride;
    const double *moments = units_moments(s->units, block, work->moments, &stride);
    for (size_t i = 0; i < s->units->blocks[block].n; i++) {
        for (size_t a = 0, m = 0; a < q; a++)
            for (size_t b = a; b < q; b++, m++)
                work->direction[a * q + b] = n * moments[m * stride + i] - total[a * q + b];
        differentiate(s, work->direction, work);
        for (size_t v = 0; v < n_values; v++) {
            const double l = work->first[v];
            unit_sums *sum = &s->sums[block * n_values + v];
            double *delta = s->by_block + (block * n_values + v) * q * q;
            sum->first += l;
            sum->second += l * l;
            sum->third += l * l * l;
            sum->curvature += work->second[v];
            for (size_t k = 0; k < q * q; k++)
                delta[k] += l * work->direction[k];
        }
    }
}

/* sigma, a, b and delta: sums over strata of n_s^-2 l^2, n_s^-3 l^3, n_s^-2 l' / 2 and n_s^-2 l (n_s s - S_s). */
static void sum_up(const search *s, size_t value, abc_constants *constants)
{
    const size_t squares = s->units->q * s->units->q, n_values = s->statistic->n_values;
    double variance = 0, third = 0;
    for (size_t stratum = 0; stratum < s->units->n_strata; stratum++) {
        const unit_stratum *part = &s->units->strata[stratum];
        const double n = (double)part->n_units;
        for (size_t b = part->first_block; b < part->first_block + part->n_blocks; b++) {
            const unit_sums *sum = &s->sums[b * n_values + value];
            variance += sum->second / (n * n);
            third += sum->third / (n * n * n);
            constants->bias += sum->curvature / (2 * n * n);
            for (size_t k = 0; k < squares; k++)
                constants->delta[k] += s->by_block[(b * n_values + value) * squares + k] / (n * n);
        }
    }
    constants->error = sqrt(variance);
    constants->acceleration = third / (6 * variance * constants->error);
    for (size_t k = 0; k < squares; k++)
        constants->delta[k] /= constants->error;
}

static bd_status new_bench(const search *s, bd_arena *arena, bench *work)
{
    const size_t squares = s->units->q * s->units->q, n_values = s->statistic->n_values;
    BD_NEW(arena, work->moments, units_scratch(s->units) + 1);
    BD_NEW(arena, work->direction, squares);
    BD_NEW(arena, work->products, 3 * squares);
    BD_NEW(arena, work->values, 4 * n_values);
    BD_NEW(arena, work->first, n_values);
    BD_NEW(arena, work->second, n_values);
    return BD_OK;
}

static bd_status new_search(const bd_units *units, const bd_statistic *statistic, bd_arena *arena, search *s)
{
    const size_t squares = units->q * units->q, n_values = statistic->n_values;
    *s = (search){.units = units, .statistic = statistic};
    BD_NEW(arena, s->stratum_of, units->n_blocks);
    for (size_t k = 0; k < units->n_strata; k++)
        for (size_t b = 0; b < units->strata[k].n_blocks; b++)
            s->stratum_of[units->strata[k].first_block + b] = k;
    BD_NEW(arena, s->estimates, n_values);
    BD_NEW(arena, s->totals, units->n_strata * squares);
    BD_NEW(arena, s->by_block, units->n_blocks * n_values * squares);
    BD_NEW(arena, s->sums, units->n_blocks * n_values);
    return BD_OK;
}

static void walk(const search *s, int n_threads, bench *benches)
{
    const bd_units *units = s->units;
#pragma omp parallel for num_threads(n_threads) schedule(dynamic) if (units->n_strata > 1)
    for (size_t stratum = 0; stratum < units->n_strata; stratum++) {
        const unit_stratum *part = &units->strata[stratum];
        for (size_t b = part->first_block; b < part->first_block + part->n_blocks; b++)
            add_total(units, b, benches[omp_get_thread_num()].moments, s->totals + stratum * units->q * units->q);
    }
#pragma omp parallel for num_threads(n_threads) schedule(dynamic) if (units->n_blocks > 1)
    for (size_t b = 0; b < units->n_blocks; b++)
        walk_block(s, b, &benches[omp_get_thread_num()]);
}

bd_status check_abc(const bd_units *units, const bd_statistic *statistic)
{
    if (units->first_stage != NULL)
        return bd_fail(BD_EUSAGE, "an abc interval gives weights to one kind of unit, not to clusters and their rows; "
                                  "resample clusters, or choose another interval (--ci percentile)");
    if (statistic->from_weights != NULL)
        return bd_fail(BD_EUSAGE, "an abc interval needs estimates that are functions of means and cross-products; "
                                  "choose another (--ci bca)");
    return BD_OK;
}

bd_status find_abc(const bd_units *units, const bd_statistic *statistic, int n_threads, bd_arena *arena,
                   const bd_abc **out)
{
    const size_t n_values = statistic->n_values;
    bd_abc *abc;
    abc_constants *values;
    bench *benches;
    search s;
    BD_NEW(arena, abc, 1);
    BD_NEW(arena, values, n_values);
    for (size_t v = 0; v < n_values; v++)
        BD_NEW(arena, values[v].delta, units->q * units->q);
    const bd_mark mark = bd_arena_mark(arena);
    BD_TRY(new_search(units, statistic, arena, &s));
    BD_NEW(arena, benches, n_threads);
    for (int t = 0; t < n_threads; t++)
        BD_TRY(new_bench(&s, arena, &benches[t]));
    if (!value_at(units, statistic, benches[0].direction, 0, benches[0].products, s.estimates))
        return bd_fail(BD_ENUMERIC, "the sample itself cannot be estimated");
    walk(&s, n_threads, benches);
    for (size_t v = 0; v < n_values; v++) {
        sum_up(&s, v, &values[v]);
        differentiate(&s, values[v].delta, &benches[0]);
        values[v].curvature = benches[0].second[v] / (2 * values[v].error);
        values[v].z0 = values[v].acceleration - (values[v].bias / values[v].error - values[v].curvature);
    }
    bd_arena_rewind(arena, mark);
    *abc = (bd_abc){.units = units, .statistic = *statistic, .values = values};
    *out = abc;
    return BD_OK;
}

size_t abc_scratch(const bd_abc *abc)
{
    return 3 * abc->units->q * abc->units->q + abc->statistic.n_values;
}

/* The end whose tail is that of z; NaN where there is none. */
static double end_at(const bd_abc *abc, size_t value, double z, double *scratch)
{
    const abc_constants *constants = &abc->values[value];
    const double w = constants->z0 + z, divisor = 1 - constants->acceleration * w;
    double *values = scratch + 3 * abc->units->q * abc->units->q;
    if (!(divisor > 0) ||
        !value_at(abc->units, &abc->statistic, constants->delta, w / (divisor * divisor), scratch, values))
        return NAN;
    return values[value];
}

/* The z at which the end crosses zero, from the estimate (w = 0) on; or the last to either side that has an end. */
static double crossing(const bd_abc *abc, size_t value, double *scratch)
{
    enum { STEPS = 150, HALVINGS = 60 };
    double z = -abc->values[value].z0;
    const double sign = end_at(abc, value, z, scratch) > 0 ? 1 : -1, stride = -sign / 4;
    for (int i = 0; i < STEPS; i++, z += stride) {
        const double next = end_at(abc, value, z + stride, scratch);
        if (isnan(next))
            return z;
        if (sign * next > 0)
            continue;
        double inside = z, beyond = z + stride;
        for (int k = 0; k < HALVINGS; k++) {
            const double middle = (inside + beyond) / 2;
            *(sign * end_at(abc, value, middle, scratch) > 0 ? &inside : &beyond) = middle;
        }
        return inside;
    }
    return z;
}

void abc_ends(const bd_abc *abc, size_t value, double level, double *scratch, double ends[2], double *p)
{
    ends[0] = ends[1] = *p = NAN;
    if (!isfinite(abc->values[value].z0))
        return;
    const double z = gsl_cdf_ugaussian_Pinv((1 + level) / 2);
    ends[0] = end_at(abc, value, -z, scratch);
    ends[1] = end_at(abc, value, z, scratch);
    *p = fmin(1, 2 * gsl_cdf_ugaussian_Q(fabs(crossing(abc, value, scratch))));
}
