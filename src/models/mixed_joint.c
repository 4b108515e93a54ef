/* Joint F tests of coefficients of mixed models, with Satterthwaite's degrees of freedom. */
#include <float.h>
#include <math.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_eigen.h>

#include <bordin/models/mixed.h>

/* inner (r x r) <- weights covariance weights'. */
static void covariance_of(const bd_mixed *fit, const double *weights, size_t r, double *inner)
{
    const size_t p = fit->n_columns;
    for (size_t i = 0; i < r; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t a = 0; a < p; a++)
                for (size_t b = 0; b < p; b++)
                    sum += weights[i * p + a] * fit->covariance[a * p + b] * weights[j * p + b];
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

bd_status bd_mixed_joint_test(const bd_mixed *fit, const double *weights, size_t n_contrasts, bd_arena *arena,
                              bd_mixed_joint *test)
{
    const size_t p = fit->n_columns, n = n_contrasts;
    const bd_mark scratch = bd_arena_mark(arena);
    double *inner, *values, *vectors, *axis, *df, largest = 0;
    *test = (bd_mixed_joint){0};
    if (fit->unadjusted != fit->covariance)
        return bd_fail(BD_EUSAGE, "joint tests have Satterthwaite's degrees of freedom, not Kenward and Roger's");
    if (n == 0)
        return bd_fail(BD_EUSAGE, "a joint test needs at least one contrast");
    BD_NEW(arena, inner, n * n);
    BD_NEW(arena, values, n);
    BD_NEW(arena, vectors, n * n);
    BD_NEW(arena, axis, p);
    BD_NEW(arena, df, n);
    covariance_of(fit, weights, n, inner);
    BD_TRY(find_axes(n, inner, values, vectors));
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, values[i]);
    for (size_t i = 0; i < n; i++) {
        if (!(values[i] > sqrt(DBL_EPSILON) * largest))
            continue;
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
    test->df_denominator = denominator(df, test->df);
    test->p = isfinite(test->df_denominator) ? gsl_cdf_fdist_Q(test->f, rank, test->df_denominator)
                                             : gsl_cdf_chisq_Q(test->f * rank, rank);
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}
