/* Cluster-robust errors of effects in studies (CR2), with Satterthwaite's degrees of freedom. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_eigen.h>
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_matrix.h>

#include "pooling_levels.h"

typedef struct robust_room {
    gsl_matrix *sigma, *root, *product, *vectors; /* most x most */
    gsl_vector *values;
    gsl_eigen_symmv_workspace *eigen;
    double *work;
} robust_room;

static void free_matrix(void *matrix)
{
    gsl_matrix_free(matrix);
}

static void free_vector(void *vector)
{
    gsl_vector_free(vector);
}

static void free_eigen(void *workspace)
{
    gsl_eigen_symmv_free(workspace);
}

static bd_status new_matrix(size_t n, bd_arena *arena, gsl_matrix **matrix)
{
    *matrix = gsl_matrix_calloc(n, n);
    return *matrix == NULL ? bd_fail(BD_ENOMEM, "out of memory") : bd_arena_defer(arena, free_matrix, *matrix);
}

static bd_status new_room(size_t n, bd_arena *arena, robust_room *room)
{
    BD_TRY(new_matrix(n, arena, &room->sigma));
    BD_TRY(new_matrix(n, arena, &room->root));
    BD_TRY(new_matrix(n, arena, &room->product));
    BD_TRY(new_matrix(n, arena, &room->vectors));
    BD_NEW(arena, room->work, 6 * n);
    room->values = gsl_vector_alloc(n);
    if (room->values == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    BD_TRY(bd_arena_defer(arena, free_vector, room->values));
    room->eigen = gsl_eigen_symmv_alloc(n);
    if (room->eigen == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    return bd_arena_defer(arena, free_eigen, room->eigen);
}

/* One study's variance matrix, and its lower root L. */
static void set_variance(const bd_levels_model *model, const double *variance, size_t first, gsl_matrix *sigma,
                         gsl_matrix *root)
{
    const size_t n = sigma->size1;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            const double rho = i == k ? 1 : model->rho, within = i == k ? variance[BD_WITHIN_STUDIES] : 0;
            gsl_matrix_set(sigma, i, k, rho * sqrt(model->v[first + i] * model->v[first + k]) + within +
                                            variance[BD_BETWEEN_STUDIES]);
        }
    gsl_matrix_memcpy(root, sigma);
    gsl_linalg_cholesky_decomp1(root);
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++)
            gsl_matrix_set(root, i, k, 0);
}

/* L'BL, where B = sigma - X M X' is the variance of the study's residuals. */
static void set_product(const bd_levels_model *model, const levels_point *at, size_t first, const gsl_matrix *sigma,
                        const gsl_matrix *root, gsl_matrix *half, gsl_matrix *product)
{
    const size_t n = sigma->size1, p = model->p;
    const double *x = model->x + first * p;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            double hat = 0;
            for (size_t j = 0; j < p; j++)
                hat += x[i * p + j] * levels_dot(p, at->inverse + j * p, x + k * p);
            gsl_matrix_set(product, i, k, gsl_matrix_get(sigma, i, k) - hat);
        }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            double sum = 0;
            for (size_t l = k; l < n; l++)
                sum += gsl_matrix_get(product, i, l) * gsl_matrix_get(root, l, k);
            gsl_matrix_set(half, i, k, sum);
        }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            double sum = 0;
            for (size_t l = i; l < n; l++)
                sum += gsl_matrix_get(root, l, i) * gsl_matrix_get(half, l, k);
            gsl_matrix_set(product, i, k, sum);
        }
}

/* t <- A w, A = L (L'BL)^(-1/2) L', which makes A B A' = sigma; directions without variance are left out. */
static void adjust(const robust_room *room, size_t n, const gsl_matrix *root, const gsl_matrix *vectors,
                   const gsl_vector *values, const double *w, double *t)
{
    double *half = room->work + 4 * n, largest = gsl_vector_max(values);
    memset(t, 0, n * sizeof *t);
    for (size_t i = 0; i < n; i++) {
        half[i] = 0;
        for (size_t k = i; k < n; k++)
            half[i] += gsl_matrix_get(root, k, i) * w[k];
    }
    for (size_t e = 0; e < n; e++) {
        const double value = gsl_vector_get(values, e);
        double share = 0;
        if (!(value > 1e-12 * largest))
            continue;
        for (size_t i = 0; i < n; i++)
            share += gsl_matrix_get(vectors, i, e) * half[i];
        share /= sqrt(value);
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k <= i; k++)
                t[i] += gsl_matrix_get(root, i, k) * gsl_matrix_get(vectors, k, e) * share;
    }
}

/* Of one study and each coefficient: t = A S X M c, of which t'e, t' sigma t and X't are kept. */
static void study_parts(const bd_levels_model *model, const levels_point *at, size_t study, robust_room *room,
                        double *te, double *tst, double *xt)
{
    const size_t first = model->first[study], n = model->first[study + 1] - first, p = model->p;
    const double *x = model->x + first * p;
    gsl_matrix_view sigma = gsl_matrix_submatrix(room->sigma, 0, 0, n, n),
                    root = gsl_matrix_submatrix(room->root, 0, 0, n, n),
                    product = gsl_matrix_submatrix(room->product, 0, 0, n, n),
                    vectors = gsl_matrix_submatrix(room->vectors, 0, 0, n, n);
    gsl_vector_view values = gsl_vector_subvector(room->values, 0, n);
    double *w = room->work + 3 * n, *t = room->work + 5 * n;
    levels_inverse s;
    set_variance(model, at->variance, first, &sigma.matrix, &root.matrix);
    set_product(model, at, first, &sigma.matrix, &root.matrix, &vectors.matrix, &product.matrix);
    gsl_eigen_symmv(&product.matrix, &values.vector, &vectors.matrix, room->eigen);
    levels_invert(model, at->variance, study, room->work, &s);
    for (size_t c = 0; c < p; c++) {
        for (size_t i = 0; i < n; i++)
            t[i] = levels_dot(p, x + i * p, at->inverse + c * p);
        levels_apply(&s, t, w);
        adjust(room, n, &root.matrix, &vectors.matrix, &values.vector, w, t);
        te[c] = tst[c] = 0;
        memset(xt + c * p, 0, p * sizeof *xt);
        for (size_t i = 0; i < n; i++) {
            te[c] += t[i] * (model->y[first + i] - levels_dot(p, x + i * p, at->b));
            for (size_t k = 0; k < n; k++)
                tst[c] += t[i] * gsl_matrix_get(&sigma.matrix, i, k) * t[k];
            for (size_t j = 0; j < p; j++)
                xt[c * p + j] += t[i] * x[i * p + j];
        }
    }
}

/* df = (tr P)^2 / sum P_jl^2, P_jl = [j = l] t'sigma t - (X't)_j' M (X't)_l. */
static double satterthwaite(const levels_point *at, size_t n_studies, size_t p, size_t c, const double *tst,
                            const double *xt, double *mxt)
{
    double trace = 0, squares = 0;
    for (size_t j = 0; j < n_studies; j++)
        for (size_t k = 0; k < p; k++)
            mxt[j * p + k] = levels_dot(p, at->inverse + k * p, xt + (j * p + c) * p);
    for (size_t j = 0; j < n_studies; j++)
        for (size_t l = 0; l < n_studies; l++) {
            const double entry = (j == l ? tst[j * p + c] : 0) - levels_dot(p, xt + (j * p + c) * p, mxt + l * p);
            trace += j == l ? entry : 0;
            squares += entry * entry;
        }
    return trace * trace / squares;
}

bd_status levels_robust(const bd_levels_model *model, const levels_point *at, bd_arena *arena, bd_pooled_levels *fit)
{
    const size_t p = model->p, m = model->n_studies;
    robust_room room = {0};
    double *te, *tst, *xt, *mxt;
    BD_TRY(new_room(model->most, arena, &room));
    BD_NEW(arena, te, m * p);
    BD_NEW(arena, tst, m * p);
    BD_NEW(arena, xt, m * p * p);
    BD_NEW(arena, mxt, m * p);
    for (size_t j = 0; j < m; j++)
        study_parts(model, at, j, &room, te + j * p, tst + j * p, xt + j * p * p);
    for (size_t c = 0; c < p; c++) {
        double variance = 0;
        for (size_t j = 0; j < m; j++)
            variance += te[j * p + c] * te[j * p + c];
        fit->coefficients[c].se = sqrt(variance);
        fit->coefficients[c].df = satterthwaite(at, m, p, c, tst, xt, mxt);
    }
    return BD_OK;
}
