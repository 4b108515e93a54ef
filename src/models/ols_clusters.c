/* Cluster-robust variances of least squares from one small matrix and vector per cluster. */
#include "models/ols_internal.h"
#include "models/ols_roots.h"

#include <string.h>

#include <gsl/gsl_eigen.h>
#include <omp.h>

/* The rows of each cluster: rows[starts[g]] .. rows[starts[g + 1] - 1]. */
typedef struct clusters {
    size_t n, n_used; /* with a row that has a weight */
    size_t *starts, *rows;
} clusters;

static bd_status gather(const bd_ols_design *design, bd_arena *arena, clusters *c)
{
    c->n = design->n_clusters;
    BD_NEW(arena, c->starts, c->n + 2);
    BD_NEW(arena, c->rows, design->n_rows);
    size_t *next = c->starts + 1;
    for (size_t i = 0; i < design->n_rows; i++)
        next[design->cluster[i] + 1]++;
    for (size_t g = 1; g <= c->n; g++)
        next[g] += next[g - 1];
    for (size_t i = 0; i < design->n_rows; i++)
        c->rows[next[design->cluster[i]]++] = i;
    for (size_t g = 0; g < c->n; g++) {
        bool used = false;
        for (size_t k = c->starts[g]; k < c->starts[g + 1] && !used; k++)
            used = design->weights == NULL || design->weights[c->rows[k]] > 0;
        c->n_used += used;
    }
    return BD_OK;
}

/* What one thread needs for a cluster: its rows of U, U'U, U'e, the eigenvalues and vectors of U'U, and what becomes of
 * them; and all rows at once of clusters whose precisions vary. */
typedef struct bench {
    double *x, *u;
    gsl_matrix *products, *vectors;
    gsl_vector *values;
    gsl_eigen_symmv_workspace *eigen;
    double *gradient, *along, *share;
    ols_adjusted adjusted;
    double *all_u, *all_e, *all_weights, *scratch;
    size_t rank; /* eigenvectors in use */
} bench;

static void free_bench(void *object)
{
    bench *b = object;
    if (b->products != NULL)
        gsl_matrix_free(b->products);
    if (b->vectors != NULL)
        gsl_matrix_free(b->vectors);
    if (b->values != NULL)
        gsl_vector_free(b->values);
    if (b->eigen != NULL)
        gsl_eigen_symmv_free(b->eigen);
}

/* `n_varying`: rows of the largest cluster whose precisions vary. */
static bd_status new_bench(size_t p, size_t n_varying, bd_arena *arena, bench *b)
{
    BD_NEW(arena, b->x, p * OLS_CHUNK);
    BD_NEW(arena, b->u, p * OLS_CHUNK);
    BD_NEW(arena, b->gradient, 4 * p + 2 * p * p);
    b->along = b->gradient + p;
    b->share = b->along + p;
    b->adjusted.te = b->share + p;
    b->adjusted.tt = b->adjusted.te + p;
    b->adjusted.ut = b->adjusted.tt + p * p;
    BD_NEW(arena, b->all_u, n_varying * (p + 2) + ols_root_scratch(n_varying, p));
    b->all_e = b->all_u + n_varying * p;
    b->all_weights = b->all_e + n_varying;
    b->scratch = b->all_weights + n_varying;
    BD_TRY(bd_arena_defer(arena, free_bench, b));
    b->products = gsl_matrix_calloc(p, p);
    b->vectors = gsl_matrix_calloc(p, p);
    b->values = gsl_vector_calloc(p);
    b->eigen = gsl_eigen_symmv_alloc(p);
    if (b->products == NULL || b->vectors == NULL || b->values == NULL || b->eigen == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    return BD_OK;
}

static void load_cluster(const ols_solution *s, const size_t *rows, size_t n, bool with_products, bench *b)
{
    const size_t p = s->design->n_columns;
    memset(b->gradient, 0, p * sizeof *b->gradient);
    gsl_matrix_set_zero(b->products);
    for (size_t from = 0; from < n; from += OLS_CHUNK) {
        const size_t m = n - from < OLS_CHUNK ? n - from : OLS_CHUNK;
        bd_ols_rotate(s, rows + from, 0, m, b->x, b->u);
        for (size_t j = 0; j < p; j++) {
            const double *left = b->u + j * OLS_CHUNK;
            for (size_t i = 0; i < m; i++)
                b->gradient[j] += left[i] * ols_weighted_residual(s, rows[from + i]);
            for (size_t k = 0; with_products && k <= j; k++)
                for (size_t i = 0; i < m; i++)
                    b->products->data[j * p + k] += left[i] * b->u[k * OLS_CHUNK + i];
        }
    }
}

/* Eigenvalues and vectors of U'U; one row needs no search. */
static void decompose(size_t p, size_t n, bench *b)
{
    b->rank = p;
    if (n != 1) {
        gsl_eigen_symmv(b->products, b->values, b->vectors, b->eigen);
        return;
    }
    double squares = 0;
    for (size_t j = 0; j < p; j++)
        squares += b->products->data[j * p + j];
    b->rank = squares > 0;
    gsl_vector_set(b->values, 0, squares);
    for (size_t j = 0; j < p && squares > 0; j++)
        gsl_matrix_set(b->vectors, j, 0, b->u[j * OLS_CHUNK] / sqrt(squares));
}

/* Of equal precisions, T = (I - UU')^(-1/2) U = U V diag(share) V' with share[k] = (1 - eigenvalue)^(-1/2); 0 where nothing
 * is left, the pseudo-inverse. */
static void adjust(size_t p, bench *b)
{
    const ols_adjusted *out = &b->adjusted;
    memset(out->te, 0, (p + 2 * p * p) * sizeof *out->te);
    for (size_t k = 0; k < b->rank; k++) {
        const double value = fmax(gsl_vector_get(b->values, k), 0), rest = 1 - value;
        const double share = rest > OLS_SMALLEST_SHARE ? 1 / sqrt(rest) : 0;
        double along = 0;
        for (size_t j = 0; j < p; j++)
            along += gsl_matrix_get(b->vectors, j, k) * b->gradient[j];
        for (size_t j = 0; j < p; j++) {
            const double left = gsl_matrix_get(b->vectors, j, k) * share;
            out->te[j] += left * along;
            for (size_t i = 0; i < p; i++) {
                const double both = left * value * gsl_matrix_get(b->vectors, i, k);
                out->ut[j * p + i] += both;
                out->tt[j * p + i] += both * share;
            }
        }
    }
}

static const double *precisions(const ols_solution *s)
{
    return s->design->precisions != NULL ? s->design->precisions : s->design->weights;
}

static bool is_used(const ols_solution *s, size_t row)
{
    return s->design->weights == NULL || s->design->weights[row] > 0;
}

static bool precisions_vary(const ols_solution *s, const size_t *rows, size_t n)
{
    const double *w = precisions(s);
    double low = INFINITY, high = 0;
    for (size_t i = 0; w != NULL && i < n; i++)
        if (is_used(s, rows[i])) {
            low = fmin(low, w[rows[i]]);
            high = fmax(high, w[rows[i]]);
        }
    return high > low * (1 + 1e-14);
}

/* Rows with a weight, all of the cluster at once. */
static void adjust_varying(const ols_solution *s, const size_t *rows, size_t n, bench *b)
{
    const size_t p = s->design->n_columns;
    size_t m = 0, used = 0;
    for (size_t i = 0; i < n; i++)
        m += is_used(s, rows[i]);
    for (size_t from = 0; from < n; from += OLS_CHUNK) {
        const size_t some = n - from < OLS_CHUNK ? n - from : OLS_CHUNK;
        bd_ols_rotate(s, rows + from, 0, some, b->x, b->u);
        for (size_t i = 0; i < some; i++) {
            if (!is_used(s, rows[from + i]))
                continue;
            for (size_t j = 0; j < p; j++)
                b->all_u[j * m + used] = b->u[j * OLS_CHUNK + i];
            b->all_weights[used] = precisions(s)[rows[from + i]];
            b->all_e[used++] = ols_weighted_residual(s, rows[from + i]);
        }
    }
    ols_adjust_weighted(m, p, b->all_u, b->all_e, b->all_weights, b->values, b->vectors, b->scratch, &b->adjusted);
}

/* With t_g = T_g l for the row l of L of one coefficient, and s_g = U_g't_g, the variance estimate is a quadratic
 * form whose matrix has the entries P_gh = [g = h] t_g't_g - s_g's_h, and df = (sum P_gg)^2 / sum P_gh^2. Here are
 * added P_gg, P_gg^2 - (s_g's_g)^2 and, upper half, s_g s_g', whose squared norm is the sum of (s_g's_h)^2. */
static void add_df(size_t p, const double *l, bench *b, double *sums)
{
    double squares = 0, length = 0, *s = b->along;
    for (size_t i = 0; i < p; i++) {
        double t = s[i] = 0;
        for (size_t j = 0; j < p; j++) {
            t += b->adjusted.tt[i * p + j] * l[j];
            s[i] += b->adjusted.ut[i * p + j] * l[j];
        }
        squares += l[i] * t;
        length += s[i] * s[i];
    }
    sums[0] += squares - length;
    sums[1] += (squares - length) * (squares - length) - length * length;
    for (size_t i = 0; i < p; i++)
        for (size_t j = i; j < p; j++)
            sums[2 + i * p + j] += s[i] * s[j];
}

static void add_cluster(const ols_solution *s, const clusters *c, size_t g, bool bias_reduced, bench *b, double *sums)
{
    const size_t p = s->design->n_columns, n = c->starts[g + 1] - c->starts[g];
    const size_t *rows = c->rows + c->starts[g];
    load_cluster(s, rows, n, bias_reduced, b);
    const double *v = b->gradient;
    if (bias_reduced) {
        decompose(p, n, b);
        if (precisions_vary(s, rows, n))
            adjust_varying(s, rows, n, b);
        else
            adjust(p, b);
        v = b->adjusted.te;
    }
    for (size_t i = 0; i < p; i++)
        for (size_t j = i; j < p; j++)
            sums[i * p + j] += v[i] * v[j];
    for (size_t j = 0; bias_reduced && j < p; j++)
        add_df(p, s->root + j * p, b, sums + p * p + j * (p * p + 2));
}

/* Leaves the sums over all clusters in `*sums`: the meat's upper half, then what add_df adds for each coefficient. */
static bd_status add_clusters(const ols_solution *s, const clusters *c, bool bias_reduced, bd_arena *arena,
                              double **out)
{
    const size_t p = s->design->n_columns, stride = p * p + (bias_reduced ? p * (p * p + 2) : 0);
    const size_t fitting = ((size_t)1 << 22) / stride + 1, most = fitting < OLS_MOST_BLOCKS ? fitting : OLS_MOST_BLOCKS;
    const size_t n_blocks = c->n < most ? c->n : most;
    const int n_threads = ols_threads(s);
    bench *benches;
    double *sums = NULL;
    size_t n_varying = 0;
    for (size_t g = 0; bias_reduced && g < c->n; g++) {
        const size_t n = c->starts[g + 1] - c->starts[g];
        if (n > n_varying && precisions_vary(s, c->rows + c->starts[g], n))
            n_varying = n;
    }
    BD_NEW(arena, sums, n_blocks * stride);
    BD_NEW(arena, benches, n_threads);
    for (int t = 0; t < n_threads; t++)
        BD_TRY(new_bench(p, n_varying, arena, benches + t));
#pragma omp parallel for num_threads(n_threads) schedule(dynamic)
    for (size_t block = 0; block < n_blocks; block++)
        for (size_t g = block * c->n / n_blocks; g < (block + 1) * c->n / n_blocks; g++)
            if (c->starts[g + 1] > c->starts[g])
                add_cluster(s, c, g, bias_reduced, benches + omp_get_thread_num(), sums + block * stride);
    ols_join_blocks(sums, n_blocks, stride);
    *out = sums;
    return BD_OK;
}

static bd_status cluster_meat(bool bias_reduced, const bd_se_estimator *estimator, const ols_solution *s,
                              bd_arena *arena, double *meat, double *df)
{
    const size_t p = s->design->n_columns, per_coefficient = p * p + 2;
    clusters c = {0};
    double *sums = NULL;
    BD_TRY(gather(s->design, arena, &c));
    if (c.n_used < 2)
        return bd_fail(BD_EDATA, "%s needs at least two clusters, and there %s %zu", estimator->name,
                       c.n_used == 1 ? "is" : "are", c.n_used);
    BD_TRY(add_clusters(s, &c, bias_reduced, arena, &sums));
    const double factor = estimator->factor == NULL ? 1 : estimator->factor((double)c.n_used, (double)p);
    for (size_t i = 0; i < p * p; i++)
        meat[i] = factor * sums[i];
    ols_mirror(p, meat);
    for (size_t j = 0; j < p; j++) {
        const double *own = sums + p * p + j * per_coefficient;
        df[j] = (double)c.n_used - 1;
        if (!bias_reduced)
            continue;
        double squares = own[1];
        for (size_t i = 0; i < p; i++)
            for (size_t k = i; k < p; k++)
                squares += (i == k ? 1 : 2) * own[2 + i * p + k] * own[2 + i * p + k];
        df[j] = own[0] * own[0] / squares;
    }
    return BD_OK;
}

bd_status bd_ols_cr_meat(const bd_se_estimator *estimator, const ols_solution *s, bd_arena *arena, double *meat,
                         double *df)
{
    return cluster_meat(false, estimator, s, arena, meat, df);
}

bd_status bd_ols_cr2_meat(const bd_se_estimator *estimator, const ols_solution *s, bd_arena *arena, double *meat,
                          double *df)
{
    return cluster_meat(true, estimator, s, arena, meat, df);
}
