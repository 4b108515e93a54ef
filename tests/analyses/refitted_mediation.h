/* Replicates of a mediation by drawn errors, the slow way: errors row by row, simulated columns, refits. */
#ifndef BORDIN_TESTS_REFITTED_MEDIATION_H
#define BORDIN_TESTS_REFITTED_MEDIATION_H

#include <math.h>
#include <string.h>

#include <bordin/analyses/bootstrap.h>
#include <bordin/data/csv.h>
#include <bordin/models/ols.h>
#include <bordin/random/normal.h>

#include "fixture.h"

enum { TOTAL, DIRECT, INDIRECT, N_EFFECTS };
enum { MOST_COLUMNS = 8, MOST_EQUATIONS = 3 };

/* A path, and the same as columns: the constant, the covariates, the predictor; then the responses by stage. */
typedef struct example {
    const char *name, *file, *path, *adjust;
    size_t n_fixed, n_columns;
    const char *columns[MOST_COLUMNS];
    size_t n_predictors[MOST_EQUATIONS];
} example;

static const bd_sampling *const draws[] = {&bd_sampling_residuals, &bd_sampling_wild, &bd_sampling_parametric};
enum { RESIDUAL, WILD, PARAMETRIC, N_DRAWS };

static const bd_table *table_of(const example *e)
{
    bd_wanted wanted[MOST_COLUMNS];
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_table *table;
    for (size_t j = 1; j < e->n_columns; j++)
        wanted[j - 1] = (bd_wanted){e->columns[j], BD_USE_NUMBERS};
    must(bd_csv_read(e->file, wanted, e->n_columns - 1, &csv, arena, &table));
    return table;
}

typedef struct slow {
    const example *e;
    size_t n;
    const double *columns[MOST_COLUMNS]; /* NULL: the constant */
    const bd_ols *fits[MOST_EQUATIONS];
    double *scaled[MOST_EQUATIONS], centres[MOST_EQUATIONS];
} slow;

static double *numbers(size_t n)
{
    double *zeros = bd_arena_alloc(arena, n, sizeof *zeros);
    assert_non_null(zeros);
    return zeros;
}

static const bd_ols *fit(const slow *s, const double *const *columns, size_t n_predictors, const double *response)
{
    const bd_ols_options options = {.level = 0.95, .keep_residuals = true};
    const bd_ols_design design = {.n_rows = s->n,
                                  .n_columns = n_predictors,
                                  .columns = columns,
                                  .names = s->e->columns,
                                  .response = response,
                                  .response_name = "a response",
                                  .has_intercept = true};
    const bd_ols *result;
    must(bd_ols_fit(&design, &bd_se_classical, &options, arena, &result));
    return result;
}

/* A row's leverage: what is left of its indicator, regressed on the predictors, is 1 - leverage there. */
static void scale(slow *s, size_t equation)
{
    double *indicator = numbers(s->n);
    s->scaled[equation] = numbers(s->n);
    s->centres[equation] = 0;
    for (size_t i = 0; i < s->n; i++) {
        indicator[i] = 1;
        const bd_mark mark = bd_arena_mark(arena);
        const double left = fit(s, s->columns, s->e->n_predictors[equation], indicator)->residuals[i];
        bd_arena_rewind(arena, mark);
        indicator[i] = 0;
        s->scaled[equation][i] = s->fits[equation]->residuals[i] / sqrt(left);
        s->centres[equation] += s->scaled[equation][i] / (double)s->n;
    }
}

static size_t n_equations(const example *e)
{
    return e->n_columns - e->n_fixed;
}

static slow slow_of(const example *e)
{
    const bd_table *table = table_of(e);
    slow s = {.e = e, .n = table->n_rows};
    for (size_t j = 1; j < e->n_columns; j++)
        s.columns[j] = bd_table_find(table, e->columns[j])->numbers;
    for (size_t t = 0; t < n_equations(e); t++) {
        s.fits[t] = fit(&s, s.columns, e->n_predictors[t], s.columns[e->n_fixed + t]);
        scale(&s, t);
    }
    return s;
}

static double residual_covariance(const slow *s, size_t t, size_t u)
{
    double sum = 0;
    if (s->e->n_predictors[t] != s->e->n_predictors[u])
        return 0;
    for (size_t i = 0; i < s->n; i++)
        sum += s->fits[t]->residuals[i] * s->fits[u]->residuals[i];
    return sum / (double)(s->n - s->e->n_predictors[t]);
}

/* z of each equation <- normals with the residual covariances, by the textbook's Cholesky factor. */
static void correlate(const slow *s, double *const *z)
{
    const size_t k = n_equations(s->e);
    double lower[MOST_EQUATIONS][MOST_EQUATIONS] = {{0}};
    for (size_t t = 0; t < k; t++)
        for (size_t u = 0; u <= t; u++) {
            double sum = residual_covariance(s, t, u);
            for (size_t v = 0; v < u; v++)
                sum -= lower[t][v] * lower[u][v];
            lower[t][u] = t == u ? sqrt(sum) : sum / lower[u][u];
        }
    for (size_t i = 0; i < s->n; i++) {
        double mixed[MOST_EQUATIONS] = {0};
        for (size_t t = 0; t < k; t++)
            for (size_t u = 0; u <= t; u++)
                mixed[t] += lower[t][u] * z[u][i];
        for (size_t t = 0; t < k; t++)
            z[t][i] = mixed[t];
    }
}

static void draw_errors(const slow *s, size_t draw, uint64_t seed, uint32_t replicate, double *const *errors)
{
    const size_t k = n_equations(s->e), n = s->n;
    gsl_rng *rng = gsl_rng_alloc(bd_rng_philox);
    bd_rng_seek(rng, seed, replicate, 0, BD_PURPOSE_ERRORS);
    uint32_t word = 0;
    for (size_t i = 0; i < n && draw != PARAMETRIC; i++) {
        if (draw == WILD && i % 32 == 0)
            word = (uint32_t)gsl_rng_get(rng);
        const size_t row = draw == WILD ? i : bd_random_below(rng, (uint32_t)n);
        const double sign = draw == RESIDUAL || (word >> (i % 32) & 1) ? 1 : -1;
        for (size_t t = 0; t < k; t++)
            errors[t][i] = sign * (s->scaled[t][row] - (draw == RESIDUAL ? s->centres[t] : 0));
    }
    for (size_t t = 0; t < k && draw == PARAMETRIC; t++)
        for (size_t i = 0; i < n; i += 2) {
            double unused;
            const uint32_t first = (uint32_t)gsl_rng_get(rng), second = (uint32_t)gsl_rng_get(rng);
            bd_normal_pair(first, second, &errors[t][i], i + 1 < n ? &errors[t][i + 1] : &unused);
        }
    if (draw == PARAMETRIC)
        correlate(s, errors);
    gsl_rng_free(rng);
}

typedef struct effects {
    double values[N_EFFECTS], errors[N_EFFECTS];
} effects;

/* Simulates the responses of one replicate and fits every equation to them. */
static inline effects refit(const slow *s, size_t draw, uint64_t seed, uint32_t replicate)
{
    const size_t k = n_equations(s->e), p = s->e->n_fixed;
    const double *columns[MOST_COLUMNS];
    double *responses[MOST_EQUATIONS], from_predictor[MOST_EQUATIONS];
    const bd_ols *last = NULL, *before_last = NULL;
    memcpy(columns, s->columns, sizeof columns);
    for (size_t t = 0; t < k; t++)
        columns[p + t] = responses[t] = numbers(s->n);
    draw_errors(s, draw, seed, replicate, responses);
    for (size_t t = 0; t < k; t++) {
        const size_t n_predictors = s->e->n_predictors[t];
        for (size_t i = 0; i < s->n; i++)
            for (size_t j = 0; j < n_predictors; j++)
                responses[t][i] += s->fits[t]->coefficients[j].estimate * (j == 0 ? 1 : columns[j][i]);
        before_last = last;
        last = fit(s, columns, n_predictors, responses[t]);
        from_predictor[t] = last->coefficients[p - 1].estimate;
        for (size_t j = p; j < n_predictors; j++)
            from_predictor[t] += last->coefficients[j].estimate * from_predictor[j - p];
    }
    const bd_coefficient *total = &fit(s, columns, p, responses[k - 1])->coefficients[p - 1];
    const bd_coefficient *direct = &last->coefficients[p - 1];
    effects result = {{total->estimate, direct->estimate, from_predictor[k - 1] - direct->estimate},
                      {total->se, direct->se, NAN}};
    if (k == 2) /* Sobel's */
        result.errors[INDIRECT] = hypot(before_last->coefficients[p - 1].estimate * last->coefficients[p].se,
                                        last->coefficients[p].estimate * before_last->coefficients[p - 1].se);
    return result;
}

#endif
