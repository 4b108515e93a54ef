/* What bench_coverage simulates: designs of known effect, their statistic, and intervals without a bootstrap. */
#ifndef BORDIN_BENCHMARKS_COVERAGE_DESIGNS_H
#define BORDIN_BENCHMARKS_COVERAGE_DESIGNS_H

#include <math.h>

#include <gsl/gsl_cdf.h>

#include <bordin/models/ols.h>
#include <bordin/random/normal.h>
#include <bordin/resampling/interval.h>

enum { REPLICATES = 1000, CLUSTER_SIZE = 20, MOST_RIVALS = 3 };
static const double level = 0.95, icc = 0.2;

typedef struct range {
    double low, high;
} range;

typedef struct cell {
    const struct design *design;
    size_t n; /* rows; for clusters: clusters */
    double a, b;
    bool skewed;
} cell;

/* One simulated data set: its columns with the constant first, and where its numbers come from. */
typedef struct sample {
    const cell *cell;
    uint64_t key;    /* of the cell */
    uint32_t number; /* of the sample in the cell */
    bd_arena *arena;
    bd_columns columns;
    uint32_t *clusters; /* or NULL */
    const double *triangle;
    range rivals[MOST_RIVALS]; /* of a model that is fitted once for all */
} sample;

struct slope_of_model;
typedef struct design {
    const char *name, *rivals[MOST_RIVALS + 1]; /* NULL ends the list */
    double (*truth)(const cell *c);
    bd_status (*simulate)(sample *s);
    bd_replicate_end (*estimate)(const void *context, const double *triangle, double *values, double *errors);
    bd_status (*rival_ranges)(const sample *s, range *ranges);
    bd_status (*model)(sample *s, struct slope_of_model *model, size_t *n_scratch); /* in place of the last two; or NULL */
} design;

static double error_of(const cell *c, double z)
{
    return c->skewed ? -log(gsl_cdf_ugaussian_Q(z)) - 1 : z; /* exponential, with mean 0 and variance 1 */
}

/* numbers <- n_columns series of n standard normals. */
static bd_status draw(const sample *s, size_t n, size_t n_columns, double **numbers)
{
    BD_NEW(s->arena, *numbers, n * n_columns);
    bd_random_normals(s->key, s->number, BD_PURPOSE_SIMULATE, n * n_columns, *numbers);
    return BD_OK;
}

static bd_status set_columns(sample *s, size_t n_rows, size_t n_columns, double *series)
{
    const double **values;
    BD_NEW(s->arena, values, n_columns); /* the first stays NULL, the constant */
    for (size_t j = 1; j < n_columns; j++)
        values[j] = series + (j - 1) * n_rows;
    s->columns = (bd_columns){.n_rows = n_rows, .n_columns = n_columns, .values = values};
    return BD_OK;
}

static range around(double centre, double distance)
{
    return (range){centre - distance, centre + distance};
}

static double normal_quantile_of_level(void)
{
    return gsl_cdf_ugaussian_Pinv((1 + level) / 2);
}

/* The indirect effect a b of x -> m -> y, without a direct one. */
static double product_of_paths(const cell *c)
{
    return c->a * c->b;
}

static bd_status simulate_mediation(sample *s)
{
    const cell *c = s->cell;
    const size_t n = c->n;
    double *x;
    BD_TRY(draw(s, n, 3, &x));
    for (size_t i = 0; i < n; i++) {
        x[n + i] = c->a * x[i] + error_of(c, x[n + i]);
        x[2 * n + i] = c->b * x[n + i] + error_of(c, x[2 * n + i]);
    }
    return set_columns(s, n, 4, x);
}

typedef struct paths {
    double a, se_a, b, se_b;
} paths;

/* From the triangle of 1, x, m, y. */
static paths paths_of(const double *r)
{
    const double n = r[0] * r[0];
    return (paths){
        .a = r[6] / r[5],
        .se_a = fabs(r[10] / r[5]) / sqrt(n - 2),
        .b = r[11] / r[10],
        .se_b = fabs(r[15] / r[10]) / sqrt(n - 3),
    };
}

static bd_replicate_end estimate_indirect(const void *context, const double *r, double *values, double *errors)
{
    (void)context;
    const paths p = paths_of(r);
    values[0] = p.a * p.b;
    if (errors != NULL)
        errors[0] = hypot(p.a * p.se_b, p.b * p.se_a); /* Sobel (1982) */
    return BD_REPLICATE_USABLE;
}

/* Sobel's interval, and percentiles of the product of normal draws of a and b. */
static bd_status mediation_rivals(const sample *s, range *ranges)
{
    const paths p = paths_of(s->triangle);
    const double estimate = p.a * p.b;
    double *z, *products;
    bd_interval_ends ends;
    BD_NEW(s->arena, z, 2 * REPLICATES);
    BD_NEW(s->arena, products, REPLICATES);
    bd_random_normals(s->key, s->number, BD_PURPOSE_MONTE_CARLO, 2 * REPLICATES, z);
    for (size_t i = 0; i < REPLICATES; i++)
        products[i] = (p.a + p.se_a * z[2 * i]) * (p.b + p.se_b * z[2 * i + 1]);
    const bd_replicates draws = {
        .n_values = 1, .n_replicates = REPLICATES, .estimates = &estimate, .values = products};
    BD_TRY(bd_interval(&bd_percentile, &draws, 0, level, s->arena, &ends));
    ranges[0] = around(estimate, normal_quantile_of_level() * hypot(p.a * p.se_b, p.b * p.se_a));
    ranges[1] = (range){ends.low, ends.high};
    return BD_OK;
}

/* The slope, 0, of y on an x that is the same for all rows of a cluster. */
static double no_slope(const cell *c)
{
    (void)c;
    return 0;
}

static bd_status simulate_clusters(sample *s)
{
    const size_t n_clusters = s->cell->n, n = n_clusters * CLUSTER_SIZE;
    double *z, *series;
    BD_TRY(draw(s, n + 2 * n_clusters, 1, &z));
    BD_NEW(s->arena, series, 2 * n);
    BD_NEW(s->arena, s->clusters, n);
    const double *x = z + n, *shared = z + n + n_clusters;
    for (size_t i = 0; i < n; i++) {
        const size_t k = i / CLUSTER_SIZE;
        s->clusters[i] = (uint32_t)k;
        series[i] = x[k];
        series[n + i] = sqrt(icc) * shared[k] + sqrt(1 - icc) * z[i];
    }
    return set_columns(s, n, 3, series);
}

/* With the classical error, all that a triangle knows: too small for clusters, and deaf to how much they vary. */
static bd_replicate_end estimate_slope(const void *context, const double *r, double *values, double *errors)
{
    (void)context;
    values[0] = r[5] / r[4];
    if (errors != NULL)
        errors[0] = fabs(r[8] / r[4]) / sqrt(r[0] * r[0] - 2);
    return BD_REPLICATE_USABLE;
}

static bd_status cluster_rivals(const sample *s, range *ranges)
{
    static const char *const names[] = {"constant", "x"};
    const bd_se_estimator *const estimators[] = {&bd_se_cr0, &bd_se_cr1, &bd_se_cr2};
    const bd_ols_design model = {
        .n_rows = s->columns.n_rows, .n_columns = 2, .columns = s->columns.values, .names = names,
        .response = s->columns.values[2], .response_name = "y", .has_intercept = true,
        .cluster = s->clusters, .n_clusters = s->cell->n, .n_threads = 1,
    };
    const bd_ols_options options = {.level = level};
    for (size_t i = 0; i < 3; i++) {
        const bd_ols *fit;
        BD_TRY(bd_ols_fit(&model, estimators[i], &options, s->arena, &fit));
        ranges[i] = (range){fit->coefficients[1].ci_low, fit->coefficients[1].ci_high};
    }
    return BD_OK;
}

/* The correlation a of x and y. */
static double correlation(const cell *c)
{
    return c->a;
}

static bd_status simulate_pairs(sample *s)
{
    const cell *c = s->cell;
    double *x, *y;
    BD_TRY(draw(s, c->n, 2, &x));
    y = x + c->n;
    for (size_t i = 0; i < c->n; i++) {
        x[i] = error_of(c, x[i]);
        y[i] = c->a * x[i] + sqrt(1 - c->a * c->a) * error_of(c, y[i]);
    }
    return set_columns(s, c->n, 3, x);
}

static bd_replicate_end estimate_correlation(const void *context, const double *r, double *values, double *errors)
{
    (void)context;
    values[0] = r[5] / hypot(r[5], r[8]);
    if (errors != NULL)
        errors[0] = (1 - values[0] * values[0]) / sqrt(r[0] * r[0] - 1); /* of normal x and y */
    return BD_REPLICATE_USABLE;
}

static bd_status pairs_rivals(const sample *s, range *ranges)
{
    double r;
    estimate_correlation(NULL, s->triangle, &r, NULL);
    const range z = around(atanh(r), normal_quantile_of_level() / sqrt((double)s->cell->n - 3));
    ranges[0] = (range){tanh(z.low), tanh(z.high)};
    return BD_OK;
}

#include "coverage_models.h"

static const design designs[] = {
    {"indirect", {"sobel", "monte-carlo"}, product_of_paths, simulate_mediation, estimate_indirect, mediation_rivals, NULL},
    {"clusters", {"cr0", "cr1", "cr2"}, no_slope, simulate_clusters, estimate_slope, cluster_rivals, NULL},
    {"correlation", {"fisher"}, correlation, simulate_pairs, estimate_correlation, pairs_rivals, NULL},
    {"logistic", {"wald", "wald-hc3"}, slope_of_x, simulate_binary, .model = logistic_model},
    {"poisson", {"wald", "wald-hc3"}, slope_of_x, simulate_counts, .model = poisson_model},
    {"cox", {"wald", "wald-robust"}, slope_of_x, simulate_times, .model = cox_model},
};
enum { N_DESIGNS = sizeof designs / sizeof designs[0] };

#endif
