/* Residual, wild and parametric bootstraps from the products of the errors with the fixed columns and among themselves.
 *
 * The fixed columns are F = Q R with an orthonormal basis Q. Every response is a sum of fixed columns and errors, by
 * coefficients B and A (upper triangular) that follow from those of its equation and of the ones before it. So a
 * replicate's columns are
 *     (F, Y*) = (Q, e*) [R  R B]
 *                       [0    A]
 * and its triangle is that of (Q, e*), which Q'e* and e*'e* determine, times one matrix that stays. */
#include <bordin/analyses/residuals.h>

#include <math.h>
#include <string.h>

#include <omp.h>

#include "core/dot.h"
#include "residuals_internal.h"
#include "resampling/influence.h"

static const double most_failed = 0.05;

/* What a replicate makes of its products with the basis (n_fixed x n_equations) and among themselves. */
typedef struct evaluator {
    size_t n_values, n_scratch;
    bd_replicate_end (*evaluate)(const void *context, const double *with_basis, const double *products,
                                 double *scratch, double *values, double *errors);
    const void *context;
} evaluator;

/* One equation: b* = b + R^-1 Q'e*, which keeps the digits that its fit has found. */
typedef struct single {
    const residual_source *source;
    const bd_ols *fit;
} single;

static bd_replicate_end coefficients(const void *context, const double *with_basis, const double *products,
                                     double *scratch, double *values, double *errors)
{
    const single *one = context;
    const bd_ols *fit = one->fit;
    const size_t p = fit->n_columns;
    double left = products[0];
    for (size_t j = 0; j < p; j++)
        left -= with_basis[j] * with_basis[j];
    bd_triangle_solve(p, p, one->source->triangle, with_basis, values);
    for (size_t j = 0; j < p; j++)
        values[j] += fit->coefficients[j].estimate;
    if (errors == NULL)
        return BD_REPLICATE_USABLE;
    const double variance = fmax(left, 0) / (double)(fit->n_rows - p);
    for (size_t j = 0; j < p; j++) {
        memset(scratch, 0, p * sizeof *scratch);
        scratch[j] = 1;
        bd_triangle_solve_transposed(p, p, one->source->triangle, scratch, scratch);
        errors[j] = sqrt(variance * dot(scratch, scratch, p));
    }
    return BD_REPLICATE_USABLE;
}

/* Several: a statistic of the triangle. */
typedef struct several {
    const bd_statistic *statistic;
    size_t n_fixed, n_columns;
    double *rebuild; /* n_columns x n_columns: columns = (basis, errors) * rebuild */
} several;

static bd_replicate_end statistic_of(const void *context, const double *with_basis, const double *products,
                                     double *scratch, double *values, double *errors)
{
    const several *s = context;
    const size_t p = s->n_fixed, q = s->n_columns, k = q - p;
    double *all = scratch;
    memset(all, 0, q * q * sizeof *all);
    for (size_t j = 0; j < p; j++) {
        all[j * q + j] = 1;
        memcpy(all + j * q + p, with_basis + j * k, k * sizeof *all);
    }
    for (size_t t = 0; t < k; t++)
        memcpy(all + (p + t) * q + p, products + t * k, k * sizeof *all);
    return statistic_at(s->statistic, s->rebuild, all, scratch + q * q, values, errors);
}

/* Column by column: a response is what its predictors make of it, and its error. */
static bd_status rebuild_of(const bd_residual_system *system, const residual_source *s, bd_arena *arena, double **out)
{
    const size_t p = system->n_fixed, q = system->columns->n_columns;
    double *rebuild;
    BD_NEW(arena, rebuild, q * q);
    for (size_t i = 0; i < p; i++)
        memcpy(rebuild + i * q, s->triangle + i * s->n_basis, p * sizeof *rebuild);
    for (size_t t = 0; t < s->n_equations; t++) {
        for (size_t j = 0; j < system->n_predictors[t]; j++)
            for (size_t i = 0; i <= j; i++)
                rebuild[i * q + p + t] += rebuild[i * q + j] * s->fits[t]->coefficients[j].estimate;
        rebuild[(p + t) * q + p + t] = 1;
    }
    *out = rebuild;
    return BD_OK;
}

/* Where one thread works. */
typedef struct workspace {
    gsl_rng *rng;
    double *errors;               /* n_equations x n_rows */
    double *with_basis, *products;
    double *values, *value_errors, *scratch;
} workspace;

static void free_rng(void *rng)
{
    gsl_rng_free(rng);
}

static bd_status workspace_of(const residual_source *s, const evaluator *e, bd_arena *arena, workspace *w)
{
    BD_NEW(arena, w->errors, s->n_equations * s->n_rows);
    BD_NEW(arena, w->with_basis, s->n_fixed * s->n_equations);
    BD_NEW(arena, w->products, s->n_equations * s->n_equations);
    BD_NEW(arena, w->values, e->n_values);
    BD_NEW(arena, w->value_errors, e->n_values);
    BD_NEW(arena, w->scratch, e->n_scratch);
    w->rng = gsl_rng_alloc(bd_rng_philox);
    if (w->rng == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    return bd_arena_defer(arena, free_rng, w->rng);
}

static void multiply(const residual_source *s, workspace *w)
{
    const size_t n = s->n_rows, k = s->n_equations;
    for (size_t t = 0; t < k; t++) {
        for (size_t j = 0; j < s->n_fixed; j++)
            w->with_basis[j * k + t] = dot(s->basis + j * n, w->errors + t * n, n);
        for (size_t u = t; u < k; u++)
            w->products[t * k + u] = dot(w->errors + t * n, w->errors + u * n, n);
    }
}

/* Where the replicates go. */
typedef struct results {
    double *estimates, *errors;    /* n_values, of the data */
    double *values, *value_errors; /* n_values x n_replicates; NULL: not wanted */
    uint8_t *ends;
} results;

static void replicate(const residual_source *s, const evaluator *e, const bd_residual_options *options, size_t r,
                      workspace *w, const results *out)
{
    bd_rng_seek(w->rng, options->seed, (uint32_t)r, 0, BD_PURPOSE_ERRORS);
    options->draw->fill(s, w->rng, w->errors);
    multiply(s, w);
    const bd_replicate_end end = e->evaluate(e->context, w->with_basis, w->products, w->scratch, w->values,
                                             out->value_errors != NULL ? w->value_errors : NULL);
    const bool usable = end == BD_REPLICATE_USABLE;
    out->ends[r] = (uint8_t)end;
    for (size_t v = 0; v < e->n_values; v++) {
        out->values[v * options->n_replicates + r] = usable ? w->values[v] : NAN;
        if (out->value_errors != NULL)
            out->value_errors[v * options->n_replicates + r] = usable ? w->value_errors[v] : NAN;
    }
}

static bd_status run(const residual_source *s, const evaluator *e, const bd_residual_options *options, bd_arena *arena,
                     const results *out)
{
    const int n_threads = options->n_threads > 0 ? options->n_threads : omp_get_max_threads();
    workspace *workspaces;
    BD_NEW(arena, workspaces, n_threads);
    for (int t = 0; t < n_threads; t++)
        BD_TRY(workspace_of(s, e, arena, &workspaces[t]));
#pragma omp parallel for num_threads(n_threads) schedule(static)
    for (size_t r = 0; r < options->n_replicates; r++)
        replicate(s, e, options, r, &workspaces[omp_get_thread_num()], out);
    return BD_OK;
}

/* What outlives the work. */
static bd_status begin(const bd_residual_options *options, const bd_columns *columns, size_t n_values,
                       const char *const *names, bd_arena *arena, results *out, bd_replicates **replicates)
{
    const size_t n = options->n_replicates;
    if (n == 0 || n > UINT32_MAX || columns->n_rows > UINT32_MAX)
        return bd_fail(BD_EUSAGE, "%zu is not a number of replicates", n);
    if (columns->weights != NULL)
        return bd_fail(BD_EUSAGE, "errors of rows with weights are not drawn; resample rows or clusters");
    *out = (results){0};
    BD_NEW(arena, *replicates, 1);
    BD_NEW(arena, out->estimates, n_values);
    BD_NEW(arena, out->values, n_values * n);
    BD_NEW(arena, out->ends, n);
    if (options->standard_errors) {
        BD_NEW(arena, out->errors, n_values);
        BD_NEW(arena, out->value_errors, n_values * n);
    }
    **replicates = (bd_replicates){.n_values = n_values, .n_replicates = n, .n_units = columns->n_rows, .names = names,
                                   .estimates = out->estimates, .errors = out->errors, .values = out->values,
                                   .value_errors = out->value_errors, .ends = out->ends};
    return BD_OK;
}

static bd_status count_ends(bd_arena *arena, bd_replicates *replicates)
{
    const char *reasons;
    const size_t n = replicates->n_replicates;
    for (size_t r = 0; r < n; r++)
        replicates->n_ended[replicates->ends[r]]++;
    const size_t failed = n - replicates->n_ended[BD_REPLICATE_USABLE];
    if ((double)failed <= most_failed * (double)n)
        return BD_OK;
    BD_TRY(bd_replicate_reasons(replicates, arena, &reasons));
    return bd_fail(BD_ENUMERIC, "%zu of %zu replicates could not be estimated (%s), more than the %g %% that an "
                                "interval tolerates",
                   failed, n, reasons, 100 * most_failed);
}

bd_status bd_residual_bootstrap(const bd_ols_design *design, const bd_residual_options *options, bd_arena *arena,
                                const bd_replicates **out)
{
    const size_t p = design->n_columns;
    const double *values[p + 1];
    const char *names[p + 1];
    bd_replicates *replicates;
    results kept;
    residual_source s;
    memcpy(values, design->columns, p * sizeof *values);
    memcpy(names, design->names, p * sizeof *names);
    values[p] = design->response;
    names[p] = design->response_name;
    const bd_columns columns = {
        .n_rows = design->n_rows, .n_columns = p + 1, .values = values, .weights = design->weights};
    const bd_residual_system system = {&columns, names, p, &p, design->has_intercept};
    BD_TRY(begin(options, &columns, p, design->names, arena, &kept, &replicates));
    const bd_mark mark = bd_arena_mark(arena);
    BD_TRY(residual_source_new(&system, design->n_threads, arena, &s));
    for (size_t j = 0; j < p; j++) {
        kept.estimates[j] = s.fits[0]->coefficients[j].estimate;
        if (kept.errors != NULL)
            kept.errors[j] = s.fits[0]->coefficients[j].se;
    }
    const single one = {&s, s.fits[0]};
    const evaluator e = {p, p, coefficients, &one};
    BD_TRY(run(&s, &e, options, arena, &kept));
    bd_arena_rewind(arena, mark);
    *out = replicates;
    return count_ends(arena, replicates);
}

bd_status bd_residual_bootstrap_system(const bd_residual_system *system, const bd_statistic *statistic,
                                       const double *triangle, const bd_residual_options *options, bd_arena *arena,
                                       const bd_replicates **out)
{
    const size_t q = system->columns->n_columns;
    bd_replicates *replicates;
    results kept;
    residual_source s;
    several all = {.statistic = statistic, .n_fixed = system->n_fixed, .n_columns = q};
    BD_TRY(begin(options, system->columns, statistic->n_values, statistic->names, arena, &kept, &replicates));
    if (statistic->from_moments(statistic->context, triangle, kept.estimates, kept.errors) != BD_REPLICATE_USABLE)
        return bd_fail(BD_ENUMERIC, "the data as they are cannot be estimated");
    const bd_mark mark = bd_arena_mark(arena);
    BD_TRY(residual_source_new(system, options->n_threads, arena, &s));
    BD_TRY(rebuild_of(system, &s, arena, &all.rebuild));
    const evaluator e = {statistic->n_values, 3 * q * q, statistic_of, &all};
    BD_TRY(run(&s, &e, options, arena, &kept));
    bd_arena_rewind(arena, mark);
    *out = replicates;
    return count_ends(arena, replicates);
}
