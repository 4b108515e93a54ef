/* Residual, wild and parametric bootstraps: b* = b + R^-1 Q'e*, with an orthonormal basis Q of the predictors. */
#include <bordin/analyses/residuals.h>

#include <math.h>
#include <string.h>

#include <omp.h>

#include <bordin/random/normal.h>
#include <bordin/random/philox.h>

#include "core/dot.h"

/* What errors are drawn from. */
typedef struct bd_residual_source {
    size_t n, p;
    const double *residuals; /* scaled by 1 / sqrt(1 - leverage) */
    double centre, sd;       /* their mean; the residual standard deviation */
    double *basis;           /* p x n, orthonormal */
    double *triangle;        /* p x p: columns = basis * triangle */
} source;

static void fill_residuals(const source *s, gsl_rng *rng, double *errors)
{
    for (size_t i = 0; i < s->n; i++)
        errors[i] = s->residuals[bd_random_below(rng, (uint32_t)s->n)] - s->centre;
}

static void fill_wild(const source *s, gsl_rng *rng, double *errors)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < s->n; i++, bits >>= 1) {
        if (i % 32 == 0)
            bits = (uint32_t)gsl_rng_get(rng);
        errors[i] = bits & 1 ? s->residuals[i] : -s->residuals[i];
    }
}

static void fill_parametric(const source *s, gsl_rng *rng, double *errors)
{
    for (size_t i = 0; i < s->n; i += 2) {
        const uint32_t first = (uint32_t)gsl_rng_get(rng), second = (uint32_t)gsl_rng_get(rng);
        double z[2];
        bd_normal_pair(first, second, &z[0], &z[1]);
        errors[i] = s->sd * z[0];
        if (i + 1 < s->n)
            errors[i + 1] = s->sd * z[1];
    }
}

const bd_error_draw bd_draw_residuals = {"residual", "predictors stay, residuals of all rows are drawn: equal variances",
                                         fill_residuals};
const bd_error_draw bd_draw_wild = {"wild", "predictors stay, each row's residual times 1 or -1: any variances",
                                    fill_wild};
const bd_error_draw bd_draw_parametric = {"parametric", "predictors stay, normal errors with the residual SD",
                                          fill_parametric};

/* Gram-Schmidt, twice over; the triangle adds up what both passes took away. */
static void factor(const bd_ols_design *design, source *s)
{
    for (size_t j = 0; j < s->p; j++) {
        double *q = s->basis + j * s->n;
        for (size_t i = 0; i < s->n; i++)
            q[i] = design->columns[j] == NULL ? 1 : design->columns[j][i];
        for (int pass = 0; pass < 2; pass++)
            for (size_t k = 0; k < j; k++) {
                const double *other = s->basis + k * s->n, product = dot(other, q, s->n);
                s->triangle[k * s->p + j] += product;
                for (size_t i = 0; i < s->n; i++)
                    q[i] -= product * other[i];
            }
        const double length = sqrt(dot(q, q, s->n));
        s->triangle[j * s->p + j] = length;
        for (size_t i = 0; i < s->n; i++)
            q[i] /= length;
    }
}

static bd_status source_of(const bd_ols_design *design, const bd_ols *fit, bd_arena *arena, source *s)
{
    double *scaled;
    *s = (source){.n = design->n_rows, .p = design->n_columns, .sd = fit->residual_sd};
    BD_NEW(arena, scaled, s->n);
    BD_NEW(arena, s->basis, s->n * s->p);
    BD_NEW(arena, s->triangle, s->p * s->p);
    factor(design, s);
    for (size_t i = 0; i < s->n; i++) {
        double leverage = 0;
        for (size_t j = 0; j < s->p; j++)
            leverage += s->basis[j * s->n + i] * s->basis[j * s->n + i];
        scaled[i] = leverage < 1 - 1e-12 ? fit->residuals[i] / sqrt(1 - leverage) : 0; /* such a row fits itself */
        s->centre += scaled[i] / (double)s->n;
    }
    s->residuals = scaled;
    return BD_OK;
}

/* Coefficients and classical errors of one replicate; `work`: n errors, then 2 p. */
static void replicate_of(const source *s, const bd_ols *fit, double *work, double *values, double *errors, size_t stride)
{
    const size_t n = s->n, p = s->p;
    double *c = work + n, *column = c + p, left = dot(work, work, n);
    for (size_t j = 0; j < p; j++) {
        c[j] = dot(s->basis + j * n, work, n);
        left -= c[j] * c[j];
    }
    bd_triangle_solve(p, p, s->triangle, c, c);
    const double variance = fmax(left, 0) / (double)(n - p);
    for (size_t j = 0; j < p; j++) {
        values[j * stride] = fit->coefficients[j].estimate + c[j];
        memset(column, 0, p * sizeof *column);
        column[j] = 1;
        bd_triangle_solve_transposed(p, p, s->triangle, column, column);
        errors[j * stride] = sqrt(variance * dot(column, column, p));
    }
}

static void free_rng(void *rng)
{
    gsl_rng_free(rng);
}

static bd_status run(const source *s, const bd_ols *fit, const bd_residual_options *options, bd_arena *arena,
                     double *values, double *errors)
{
    const int n_threads = options->n_threads > 0 ? options->n_threads : omp_get_max_threads();
    const size_t n_work = s->n + 2 * s->p;
    double *work;
    gsl_rng **rngs;
    BD_NEW(arena, work, n_work * (size_t)n_threads);
    BD_NEW(arena, rngs, n_threads);
    for (int t = 0; t < n_threads; t++) {
        rngs[t] = gsl_rng_alloc(bd_rng_philox);
        if (rngs[t] == NULL)
            return bd_fail(BD_ENOMEM, "out of memory");
        BD_TRY(bd_arena_defer(arena, free_rng, rngs[t]));
    }
#pragma omp parallel for num_threads(n_threads) schedule(static)
    for (size_t r = 0; r < options->n_replicates; r++) {
        const int t = omp_get_thread_num();
        double *mine = work + n_work * (size_t)t;
        bd_rng_seek(rngs[t], options->seed, (uint32_t)r, 0, BD_PURPOSE_ERRORS);
        options->draw->fill(s, rngs[t], mine);
        replicate_of(s, fit, mine, values + r, errors + r, options->n_replicates);
    }
    return BD_OK;
}

bd_status bd_residual_bootstrap(const bd_ols_design *design, const bd_residual_options *options, bd_arena *arena,
                                const bd_replicates **out)
{
    const size_t p = design->n_columns, n = options->n_replicates;
    const bd_ols_options fitting = {.level = 0.95, .keep_residuals = true};
    const bd_ols *fit;
    bd_replicates *replicates;
    double *estimates, *errors, *values, *value_errors;
    uint8_t *ends;
    source s;
    if (n == 0 || n > UINT32_MAX || design->n_rows > UINT32_MAX)
        return bd_fail(BD_EUSAGE, "%zu is not a number of replicates", n);
    if (design->weights != NULL)
        return bd_fail(BD_EUSAGE, "errors of rows with weights are not drawn; resample rows or clusters");
    BD_NEW(arena, replicates, 1);
    BD_NEW(arena, estimates, p);
    BD_NEW(arena, errors, p);
    BD_NEW(arena, values, p * n);
    BD_NEW(arena, value_errors, p * n);
    BD_NEW(arena, ends, n); /* all usable: the predictors are the same in every replicate */
    const bd_mark mark = bd_arena_mark(arena);
    BD_TRY(bd_ols_fit(design, &bd_se_classical, &fitting, arena, &fit));
    BD_TRY(source_of(design, fit, arena, &s));
    BD_TRY(run(&s, fit, options, arena, values, value_errors));
    for (size_t j = 0; j < p; j++) {
        estimates[j] = fit->coefficients[j].estimate;
        errors[j] = fit->coefficients[j].se;
    }
    bd_arena_rewind(arena, mark);
    *replicates = (bd_replicates){.n_values = p, .n_replicates = n, .n_units = design->n_rows, .names = design->names,
                                  .estimates = estimates, .errors = errors, .values = values,
                                  .value_errors = value_errors, .ends = ends};
    replicates->n_ended[BD_REPLICATE_USABLE] = n;
    *out = replicates;
    return BD_OK;
}
