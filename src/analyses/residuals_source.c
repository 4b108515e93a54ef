/* Errors of a recursive system: residuals scaled by their leverage, and the ways of drawing from them. */
#include <math.h>

#include <bordin/random/normal.h>
#include <bordin/random/philox.h>

#include "core/dot.h"
#include "residuals_internal.h"

static void fill_residuals(const residual_source *s, gsl_rng *rng, double *errors)
{
    const size_t n = s->n_rows;
    for (size_t i = 0; i < n; i++) {
        const size_t drawn = bd_random_below(rng, (uint32_t)n);
        for (size_t t = 0; t < s->n_equations; t++)
            errors[t * n + i] = s->residuals[t * n + drawn] - s->centres[t];
    }
}

static void fill_wild(const residual_source *s, gsl_rng *rng, double *errors)
{
    const size_t n = s->n_rows;
    uint32_t bits = 0;
    for (size_t i = 0; i < n; i++, bits >>= 1) {
        if (i % 32 == 0)
            bits = (uint32_t)gsl_rng_get(rng);
        for (size_t t = 0; t < s->n_equations; t++)
            errors[t * n + i] = bits & 1 ? s->residuals[t * n + i] : -s->residuals[t * n + i];
    }
}

static void fill_normals(size_t n, gsl_rng *rng, double *normals)
{
    for (size_t i = 0; i < n; i += 2) {
        const uint32_t first = (uint32_t)gsl_rng_get(rng), second = (uint32_t)gsl_rng_get(rng);
        double z[2];
        bd_normal_pair(first, second, &z[0], &z[1]);
        normals[i] = z[0];
        if (i + 1 < n)
            normals[i + 1] = z[1];
    }
}

/* From the last equation to the first, so that the normals of earlier ones are still there. */
static void fill_parametric(const residual_source *s, gsl_rng *rng, double *errors)
{
    const size_t n = s->n_rows, k = s->n_equations;
    for (size_t t = 0; t < k; t++)
        fill_normals(n, rng, errors + t * n);
    for (size_t t = k; t-- > 0;)
        for (size_t i = 0; i < n; i++) {
            double error = s->mixing[t * k + t] * errors[t * n + i];
            for (size_t u = 0; u < t; u++)
                error += s->mixing[t * k + u] * errors[u * n + i];
            errors[t * n + i] = error;
        }
}

const bd_error_draw bd_draw_residuals = {
    "residual", "residuals of rows drawn at random, scaled by 1 / sqrt(1 - leverage) and centred",
    "in all equations those of the same row", fill_residuals};
const bd_error_draw bd_draw_wild = {"wild", "each row's residual, scaled by 1 / sqrt(1 - leverage), times 1 or -1",
                                    "with the same sign in all equations", fill_wild};
const bd_error_draw bd_draw_parametric = {"parametric", "normal ones with the residual standard deviation",
                                          "correlated within a stage as the residuals are", fill_parametric};

/* Gram-Schmidt, twice over; the triangle adds up what both passes took away. */
static void factor(const bd_columns *columns, size_t n_basis, double *basis, double *triangle)
{
    const size_t n = columns->n_rows;
    for (size_t j = 0; j < n_basis; j++) {
        double *q = basis + j * n;
        for (size_t i = 0; i < n; i++)
            q[i] = columns->values[j] == NULL ? 1 : columns->values[j][i];
        for (int pass = 0; pass < 2; pass++)
            for (size_t k = 0; k < j; k++) {
                const double *other = basis + k * n, product = dot(other, q, n);
                triangle[k * n_basis + j] += product;
                for (size_t i = 0; i < n; i++)
                    q[i] -= product * other[i];
            }
        const double length = sqrt(dot(q, q, n));
        triangle[j * n_basis + j] = length;
        for (size_t i = 0; i < n; i++)
            q[i] /= length;
    }
}

static bd_status fit_of(const bd_residual_system *system, size_t equation, int n_threads, bd_arena *arena,
                        const bd_ols **fit)
{
    const bd_ols_options fitting = {.level = 0.95, .keep_residuals = true};
    const size_t response = system->n_fixed + equation;
    const bd_ols_design design = {
        .n_rows = system->columns->n_rows,
        .n_columns = system->n_predictors[equation],
        .columns = system->columns->values,
        .names = system->names,
        .response = system->columns->values[response],
        .response_name = system->names[response],
        .has_intercept = system->has_intercept,
        .n_threads = n_threads,
    };
    return bd_ols_fit(&design, &bd_se_classical, &fitting, arena, fit);
}

/* scaled <- the residuals of one equation, whose predictors are the first columns; returns their mean. */
static double scale(const residual_source *s, const bd_ols *fit, double *scaled)
{
    double centre = 0;
    for (size_t i = 0; i < s->n_rows; i++) {
        double leverage = 0;
        for (size_t j = 0; j < fit->n_columns; j++)
            leverage += s->basis[j * s->n_rows + i] * s->basis[j * s->n_rows + i];
        scaled[i] = leverage < 1 - 1e-12 ? fit->residuals[i] / sqrt(1 - leverage) : 0; /* such a row fits itself */
        centre += scaled[i] / (double)s->n_rows;
    }
    return centre;
}

/* The Cholesky factor of the residual correlations of each stage, rows times standard deviations. */
static void mix(const residual_source *s, double *mixing)
{
    const size_t k = s->n_equations;
    for (size_t t = 0; t < k; t++) {
        const bd_ols *fit = s->fits[t];
        double left = 1;
        for (size_t u = 0; u < t; u++) {
            const bd_ols *other = s->fits[u];
            if (other->n_columns != fit->n_columns)
                continue;
            double r = dot(fit->residuals, other->residuals, s->n_rows) / sqrt(fit->ss_residual * other->ss_residual);
            for (size_t v = 0; v < u; v++)
                r -= mixing[t * k + v] * mixing[u * k + v];
            mixing[t * k + u] = r / mixing[u * k + u];
            left -= mixing[t * k + u] * mixing[t * k + u];
        }
        mixing[t * k + t] = sqrt(fmax(left, 0));
    }
    for (size_t t = 0; t < k; t++)
        for (size_t u = 0; u <= t; u++)
            mixing[t * k + u] *= s->fits[t]->residual_sd;
}

bd_status residual_source_new(const bd_residual_system *system, int n_threads, bd_arena *arena, residual_source *s)
{
    const size_t n = system->columns->n_rows, k = system->columns->n_columns - system->n_fixed;
    const size_t n_basis = system->n_predictors[k - 1];
    const bd_ols **fits;
    double *residuals, *centres, *mixing, *basis, *triangle;
    BD_NEW(arena, fits, k);
    BD_NEW(arena, residuals, n * k);
    BD_NEW(arena, centres, k);
    BD_NEW(arena, mixing, k * k);
    BD_NEW(arena, basis, n * n_basis);
    BD_NEW(arena, triangle, n_basis * n_basis);
    *s = (residual_source){n, system->n_fixed, k, fits, residuals, centres, mixing, n_basis, basis, triangle};
    factor(system->columns, n_basis, basis, triangle);
    for (size_t t = 0; t < k; t++) {
        BD_TRY(fit_of(system, t, n_threads, arena, &fits[t]));
        centres[t] = scale(s, fits[t], residuals + t * n);
    }
    mix(s, mixing);
    return BD_OK;
}
