/* Joint F tests of coefficients of mixed models, with Satterthwaite's or Kenward and Roger's degrees of freedom. */
#include <float.h>
#include <math.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_eigen.h>

#include <bordin/models/mixed.h>

#include "core/symmetric.h"

/* inner (r x r) <- weights covariance weights'. */
static void covariance_of(size_t p, const double *covariance, const double *weights, size_t r, double *inner)
{
    for (size_t i = 0; i < r; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t a = 0; a < p; a++)
                for (size_t b = 0; b < p; b++)
                    sum += weights[i * p + a] * covariance[a * p + b] * weights[j * p + b];
            inner[i * r + j] = inner[j * r + i] = sum;
        }
}

static bd_status find_axes(size_t r, double *inner, double *values, double *vectors)
{
    gsl_matrix_view matrix = gsl_matrix_view_array(inner, r, r);
    gsl_vector_view eigenvalues = gsl_vector_view_array(values, r);
    gsl_matrix_view eigenvectors = gsl_matrix_view_array(vectors, r, r);
    gsl_eigen_symmv_workspace *workspace = gsl_eigen_symmv_alloc(r);
    if (workspace == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    gsl_eigen_symmv(&matrix.matrix, &eigenvalues.vector, &eigenvectors.matrix, workspace);
    gsl_eigen_symmv_free(workspace);
    return BD_OK;
}

/* Of the F whose mean is that of the sum of squared t: E = sum df / (df - 2), 2 E / (E - r). */
static double denominator(const double *df, size_t r)
{
    double low = INFINITY, high = 0, mean = 0, expected = 0;
    for (size_t i = 0; i < r; i++) {
        low = fmin(low, df[i]);
        high = fmax(high, df[i]);
        mean += df[i] / (double)r;
        expected += isfinite(df[i]) ? df[i] / (df[i] - 2) : 1;
    }
    if (r == 1 || low == high || high - low < 1e-8)
        return mean;
    return low <= 2 ? 2 : 2 * expected / (expected - (double)r);
}

static double trace_of_product(size_t r, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < r; i++)
        for (size_t j = 0; j < r; j++)
            sum += a[i * r + j] * b[j * r + i];
    return sum;
}

/* Scales test->f, and gives it its degrees of freedom: the F whose first two moments it has. Kenward & Roger (1997), with
 * the moments as they are where they agree with exact tests. */
static bd_status kenward_roger(const bd_mixed *fit, const double *axes, bd_arena *arena, bd_mixed_joint *test)
{
    const size_t p = fit->n_columns, r = test->df, n = fit->n_parameters + 1;
    const double l = (double)r;
    double *inverse, *room, *slope, *moved, a1 = 0, a2 = 0;
    BD_NEW(arena, inverse, r * r);
    BD_NEW(arena, room, r * r);
    BD_NEW(arena, slope, r * r);
    BD_NEW(arena, moved, n * r * r);
    covariance_of(p, fit->unadjusted, axes, r, inverse);
    if (!symmetric_root(r, inverse, 1))
        return bd_fail(BD_ENUMERIC, "the covariance of the coefficients that are tested is singular");
    symmetric_invert(r, inverse, room, 1);
    for (size_t k = 0; k < n; k++) {
        covariance_of(p, fit->slopes + k * p * p, axes, r, slope);
        for (size_t i = 0; i < r; i++)
            for (size_t j = 0; j < r; j++)
                for (size_t m = 0; m < r; m++)
                    moved[(k * r + i) * r + j] += inverse[i * r + m] * slope[m * r + j];
    }
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n; b++) {
            const double *first = moved + a * r * r, *second = moved + b * r * r, w = fit->parameter_covariance[a * n + b];
            double traces[2] = {0, 0};
            for (size_t i = 0; i < r; i++) {
                traces[0] += first[i * r + i];
                traces[1] += second[i * r + i];
            }
            a1 += w * traces[0] * traces[1];
            a2 += w * trace_of_product(r, first, second);
        }
    const double b = (a1 + 6 * a2) / (2 * l), g = ((l + 1) * a1 - (l + 4) * a2) / ((l + 2) * a2);
    const double c = 3 * l + 2 * (1 - g), v0 = 1 + g / c * b, v1 = 1 - (l - g) / c * b, v2 = 1 - (l + 2 - g) / c * b;
    const double expected = 1 / (1 - a2 / l), ratio = (1 - a2 / l) / v1, rho = ratio * ratio * v0 / v2 / l;
    test->df_denominator = 4 + (l + 2) / (l * rho - 1);
    if (fabs(test->df_denominator - 2) > 1e-2)
        test->f *= test->df_denominator / (expected * (test->df_denominator - 2));
    return BD_OK;
}

bd_status bd_mixed_joint_test(const bd_mixed *fit, const double *weights, size_t n_contrasts, bd_arena *arena,
                              bd_mixed_joint *test)
{
    const size_t p = fit->n_columns, n = n_contrasts;
    const bd_mark scratch = bd_arena_mark(arena);
    double *inner, *values, *vectors, *axes, *df, largest = 0;
    *test = (bd_mixed_joint){0};
    if (n == 0)
        return bd_fail(BD_EUSAGE, "a joint test needs at least one contrast");
    BD_NEW(arena, inner, n * n);
    BD_NEW(arena, values, n);
    BD_NEW(arena, vectors, n * n);
    BD_NEW(arena, axes, n * p);
    BD_NEW(arena, df, n);
    covariance_of(p, fit->covariance, weights, n, inner);
    BD_TRY(find_axes(n, inner, values, vectors));
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, values[i]);
    for (size_t i = 0; i < n; i++) {
        if (!(values[i] > sqrt(DBL_EPSILON) * largest))
            continue;
        double *axis = axes + test->df * p;
        for (size_t j = 0; j < p; j++) {
            axis[j] = 0;
            for (size_t l = 0; l < n; l++)
                axis[j] += vectors[l * n + i] * weights[l * p + j];
        }
        const bd_mixed_coefficient c = bd_mixed_contrast(fit, axis);
        test->f += c.t * c.t;
        df[test->df++] = c.df;
    }
    if (test->df == 0)
        return bd_fail(BD_EUSAGE, "all weights of a joint test are 0");
    const double rank = (double)test->df;
    test->f /= rank;
    if (fit->unadjusted != fit->covariance && test->df > 1)
        BD_TRY(kenward_roger(fit, axes, arena, test));
    else
        test->df_denominator = denominator(df, test->df);
    test->p = isfinite(test->df_denominator) ? gsl_cdf_fdist_Q(test->f, rank, test->df_denominator)
                                             : gsl_cdf_chisq_Q(test->f * rank, rank);
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}
