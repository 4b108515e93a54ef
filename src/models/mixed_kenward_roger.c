/* Kenward and Roger's covariance of coefficients, and what their degrees of freedom are made of.
 *
 * With V = sum sigma_r G_r, P_r = -X'V^-1 G_r V^-1 X, Q_rs = X'V^-1 G_r V^-1 G_s V^-1 X and Phi = (X'V^-1 X)^-1,
 *     W = 2 [tr(V^-1 G_r V^-1 G_s) - tr(Phi (2 Q_rs - P_r Phi P_s))]^-1,
 *     Phi_A = Phi + 2 Phi [sum W_rs (Q_rs - P_r Phi P_s)] Phi.
 * G_r is Z S_r Z', S_r with ones where a group's coefficients i and j meet, or the identity; parts share no row, so each
 * gives its sum, from C = Z'Z, F = Z'X, B = Lambda (I + Lambda'C Lambda)^-1 Lambda' and
 *     Z'V^-1 Z = C - C B C,   Z'V^-k X = F - C H_k,   H_1 = B F,   H_k+1 = H_k + B (F - C H_k),   X'V^-k X = X'X - F'H_k.
 * Everything is relative to the residual variance; Kenward & Roger (1997), doi:10.2307/2533558. */
#include <math.h>
#include <string.h>

#include "core/dot.h"
#include "core/symmetric.h"
#include "models/mixed_internal.h"

enum { MOST_COLUMNS = 3000 };

/* A part's random columns, all terms together. */
typedef struct columns {
    size_t n, p;
    size_t *term, *coefficient;
    double *c, *b, *k, *k2, *product; /* n x n: C, B, Z'V^-1 Z, Z'V^-2 Z */
    double *f, *r1, *r2, *half;       /* n x p: F, Z'V^-1 X, Z'V^-2 X */
    int n_threads;
} columns;

/* Sums over parts, of the parameters r = the entries of Lambda, then the residual variance. */
typedef struct sums {
    size_t n, p;      /* n = k + 1 */
    double *trace;    /* n x n */
    double *p_r;      /* n of p x p */
    double *q_rs;     /* n x n of p x p */
} sums;

static bd_status new_columns(const bd_mixed_model *model, const mixed_part *part, int n_threads, bd_arena *arena,
                             columns *w)
{
    const size_t n = (part->end - part->first) * model->q + part->n, p = model->p;
    if (n > MOST_COLUMNS)
        return bd_fail(BD_EDATA, "Kenward and Roger's method works on all groups that are linked at once, and %zu "
                                 "coefficients of groups are too many for it (%d); Satterthwaite's is as good for so many",
                       n, MOST_COLUMNS);
    *w = (columns){.n = n, .p = p, .n_threads = n_threads};
    BD_NEW(arena, w->term, n);
    BD_NEW(arena, w->coefficient, n);
    double **squares[] = {&w->c, &w->b, &w->k, &w->k2, &w->product}, **thin[] = {&w->f, &w->r1, &w->r2, &w->half};
    for (size_t i = 0; i < sizeof squares / sizeof *squares; i++)
        BD_NEW(arena, *squares[i], n * n);
    for (size_t i = 0; i < sizeof thin / sizeof *thin; i++)
        BD_NEW(arena, *thin[i], n * p);
    return BD_OK;
}

/* C and F: the groups of the term eliminated first, then the columns of the dense matrix. */
static void fill_columns(const bd_mixed_model *model, const mixed_part *part, columns *w)
{
    const size_t q = model->q, m = model->m, p = model->p, n = w->n, base = (part->end - part->first) * q;
    for (size_t o = part->first; o < part->end; o++) {
        const size_t g = model->order[o], at = (o - part->first) * q;
        const double *products = model->products + g * m * m;
        for (size_t i = 0; i < q; i++) {
            w->term[at + i] = model->first;
            w->coefficient[at + i] = i;
            for (size_t j = 0; j < q; j++)
                w->c[(at + i) * n + at + j] = products[i <= j ? i * m + j : j * m + i];
            memcpy(w->f + (at + i) * p, products + i * m + q, p * sizeof *w->f);
            for (size_t a = model->link_starts[g]; a < model->link_starts[g + 1]; a++) {
                const size_t column = base + model->link_columns[a];
                w->c[(at + i) * n + column] = w->c[column * n + at + i] = model->links[a * q + i];
            }
        }
    }
    for (size_t i = 0; i < part->n; i++) {
        const double *products = model->rest_products + part->products + i * (part->n + p);
        w->term[base + i] = model->rest_term[part->column + i];
        w->coefficient[base + i] = model->rest_coefficient[part->column + i];
        memcpy(w->c + (base + i) * n + base, products, part->n * sizeof *w->c);
        memcpy(w->f + (base + i) * p, products + part->n, p * sizeof *w->f);
    }
}

/* matrix <- (Lambda matrix)', or (Lambda'matrix)': twice is both sides of a symmetric one. `room`: n x n. */
static void multiply_turned(const bd_mixed_model *model, const mixed_point *point, const columns *w, bool transposed,
                            double *matrix, double *room)
{
    const size_t n = w->n;
    memcpy(room, matrix, n * n * sizeof *room);
    for (size_t i = 0; i < n; i++) {
        const mixed_term *term = &model->terms[w->term[i]];
        const double *lambda = point->lambda + term->lambda;
        const size_t q = term->q, a = w->coefficient[i];
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t b = 0; b < q; b++)
                sum += (transposed ? lambda[b * q + a] : lambda[a * q + b]) * room[(i - a + b) * n + j];
            matrix[j * n + i] = sum;
        }
    }
}

/* out <- a b, a symmetric. */
static void multiply(const columns *w, const double *a, const double *b, double *out)
{
    memset(out, 0, w->n * w->n * sizeof *out);
    symmetric_subtract_product(w->n, a, b, out, w->n_threads);
    for (size_t i = 0; i < w->n * w->n; i++)
        out[i] = -out[i];
}

/* thin (n x p) += sign * a b, b n x p. */
static void add_thin(const columns *w, double sign, const double *a, const double *b, double *thin)
{
    for (size_t i = 0; i < w->n; i++)
        for (size_t l = 0; l < w->n; l++)
            for (size_t j = 0; j < w->p; j++)
                thin[i * w->p + j] += sign * a[i * w->n + l] * b[l * w->p + j];
}

/* square (p x p) += sign * a'b. */
static void add_square(const columns *w, double sign, const double *a, const double *b, double *square)
{
    for (size_t l = 0; l < w->n; l++)
        for (size_t i = 0; i < w->p; i++)
            for (size_t j = 0; j < w->p; j++)
                square[i * w->p + j] += sign * a[l * w->p + i] * b[l * w->p + j];
}

static bool solve_columns(const bd_mixed_model *model, const mixed_point *point, columns *w)
{
    const size_t n = w->n;
    memcpy(w->b, w->c, n * n * sizeof *w->b);
    multiply_turned(model, point, w, true, w->b, w->product);
    multiply_turned(model, point, w, true, w->b, w->product);
    for (size_t i = 0; i < n; i++)
        w->b[i * n + i] += 1;
    if (!symmetric_root(n, w->b, w->n_threads))
        return false;
    symmetric_invert(n, w->b, w->product, w->n_threads);
    multiply_turned(model, point, w, false, w->b, w->product);
    multiply_turned(model, point, w, false, w->b, w->product);
    multiply(w, w->b, w->c, w->product);
    memcpy(w->k, w->c, n * n * sizeof *w->k);
    symmetric_subtract_product(n, w->c, w->product, w->k, w->n_threads);
    multiply(w, w->b, w->k, w->k2); /* H_2 - H_1 of Z itself */
    for (size_t i = 0; i < n * n; i++)
        w->product[i] += w->k2[i];
    memcpy(w->k2, w->c, n * n * sizeof *w->k2);
    symmetric_subtract_product(n, w->c, w->product, w->k2, w->n_threads);
    return true;
}

/* What has the residual variance's G, the identity; n, X'X are added once for all parts. */
static void add_residual(columns *w, const sums *s)
{
    const size_t n = w->n, last = s->n - 1, square = s->p * s->p;
    memcpy(w->r1, w->f, n * w->p * sizeof *w->r1);
    memset(w->half, 0, n * w->p * sizeof *w->half);
    add_thin(w, 1, w->b, w->f, w->half);
    add_thin(w, -1, w->c, w->half, w->r1);
    add_thin(w, 1, w->b, w->r1, w->half);
    add_square(w, 1, w->f, w->half, s->p_r + last * square); /* -X'V^-2 X = F'H_2 - X'X */
    memcpy(w->r2, w->f, n * w->p * sizeof *w->r2);
    add_thin(w, -1, w->c, w->half, w->r2);
    add_thin(w, 1, w->b, w->r2, w->half);
    add_square(w, -1, w->f, w->half, s->q_rs + (last * s->n + last) * square);
    s->trace[last * s->n + last] -= dot(w->b, w->c, n * n) + dot(w->b, w->k, n * n);
}

/* S_r of an entry of Lambda, times rows (n x p). */
static void apply(const columns *w, const bd_mixed_entry *e, const double *rows, double *out)
{
    const size_t p = w->p;
    memset(out, 0, w->n * p * sizeof *out);
    for (size_t i = 0; i < w->n; i++) {
        const size_t a = w->coefficient[i];
        if (w->term[i] != e->term || (a != e->row && a != e->column))
            continue;
        memcpy(out + i * p, rows + (i - a + (a == e->row ? e->column : e->row)) * p, p * sizeof *out);
    }
}

/* tr(S_r a S_s a), or tr(S_r a) where s is NULL. */
static double trace_of(const columns *w, const bd_mixed_entry *r, const bd_mixed_entry *s, const double *a)
{
    const size_t n = w->n;
    double sum = 0;
    for (size_t g = 0; g < n; g++) {
        if (w->term[g] != r->term || w->coefficient[g] != 0)
            continue;
        const size_t i = g + r->row, j = g + r->column;
        if (s == NULL)
            sum += (i == j ? 1 : 2) * a[i * n + j];
        for (size_t h = 0; s != NULL && h < n; h++) {
            if (w->term[h] != s->term || w->coefficient[h] != 0)
                continue;
            const size_t k = h + s->row, l = h + s->column;
            const double pairs = a[i * n + k] * a[j * n + l] + a[i * n + l] * a[j * n + k];
            sum += pairs * (i == j ? 1 : 2) * (k == l ? 0.5 : 1);
        }
    }
    return sum;
}

static bd_status add_entries(const bd_mixed_model *model, const columns *w, bd_arena *arena, const sums *s)
{
    const size_t k = model->k, square = s->p * s->p, thin = w->n * w->p;
    double *applied, *through;
    BD_NEW(arena, applied, k * thin);
    BD_NEW(arena, through, thin);
    for (size_t r = 0; r < k; r++)
        apply(w, &model->entries[r], w->r1, applied + r * thin);
    for (size_t r = 0; r < k; r++) {
        const double *own = applied + r * thin;
        add_square(w, -1, w->r1, own, s->p_r + r * square);
        add_square(w, 1, own, w->r2, s->q_rs + (r * s->n + k) * square);
        s->trace[r * s->n + k] += trace_of(w, &model->entries[r], NULL, w->k2);
        memset(through, 0, thin * sizeof *through);
        add_thin(w, 1, w->k, own, through);
        for (size_t o = 0; o < k; o++) {
            add_square(w, 1, applied + o * thin, through, s->q_rs + (o * s->n + r) * square);
            s->trace[r * s->n + o] += trace_of(w, &model->entries[r], &model->entries[o], w->k);
        }
    }
    return BD_OK;
}

/* n and X'X, and the halves that are the transposes of others. */
static void complete(const bd_mixed_model *model, const sums *s)
{
    const size_t n = s->n, p = s->p, last = n - 1, square = p * p, m = model->m, q = model->q;
    s->trace[n * n - 1] += (double)model->n_used;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            const double product = model->total[(q + (i < j ? i : j)) * m + q + (i < j ? j : i)];
            s->p_r[last * square + i * p + j] -= product;
            s->q_rs[(n * n - 1) * square + i * p + j] += product;
            for (size_t r = 0; r < last; r++)
                s->q_rs[(last * n + r) * square + j * p + i] = s->q_rs[(r * n + last) * square + i * p + j];
        }
    for (size_t r = 0; r < last; r++)
        s->trace[last * n + r] = s->trace[r * n + last];
}

static bd_status sum_parts(const bd_mixed_model *model, const mixed_point *point, bd_arena *arena, sums *s)
{
    const size_t n = model->k + 1, p = model->p;
    *s = (sums){.n = n, .p = p};
    BD_NEW(arena, s->trace, n * n);
    BD_NEW(arena, s->p_r, n * p * p);
    BD_NEW(arena, s->q_rs, n * n * p * p);
    for (size_t c = 0; c < model->n_parts; c++) {
        const bd_mark scratch = bd_arena_mark(arena);
        columns w;
        BD_TRY(new_columns(model, &model->parts[c], point->n_threads, arena, &w));
        fill_columns(model, &model->parts[c], &w);
        if (!solve_columns(model, point, &w))
            return bd_fail(BD_ENUMERIC, "Kenward and Roger's covariance cannot be found at the fit");
        add_residual(&w, s);
        BD_TRY(add_entries(model, &w, arena, s));
        bd_arena_rewind(arena, scratch);
    }
    complete(model, s);
    return BD_OK;
}

/* out (p x p) <- a b. */
static void square_product(size_t p, const double *a, const double *b, double *out)
{
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            out[i * p + j] = 0;
            for (size_t l = 0; l < p; l++)
                out[i * p + j] += a[i * p + l] * b[l * p + j];
        }
}

static double trace_product(size_t p, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            sum += a[i * p + j] * b[j * p + i];
    return sum;
}

/* In the model's columns and in units of the residual variance: w (n x n); slopes (n of p x p) -Phi P_r Phi; phi (p x p)
 * the adjusted covariance. */
bd_status mixed_kenward_roger(const bd_mixed_model *model, const mixed_point *point, bd_arena *arena, double *w,
                              double *slopes, double *adjusted)
{
    const size_t n = model->k + 1, p = model->p, square = p * p;
    const double *phi = point->inverse;
    sums s;
    double *half, *information, *correction;
    BD_TRY(sum_parts(model, point, arena, &s));
    BD_NEW(arena, half, n * square);
    BD_NEW(arena, information, n * n);
    BD_NEW(arena, correction, 2 * square);
    for (size_t r = 0; r < n; r++)
        square_product(p, s.p_r + r * square, phi, half + r * square);
    for (size_t r = 0; r < n; r++)
        for (size_t o = 0; o < n; o++)
            information[r * n + o] = s.trace[r * n + o] - 2 * trace_product(p, phi, s.q_rs + (r * n + o) * square) +
                                     trace_product(p, half + r * square, half + o * square);
    BD_TRY(mixed_invert(n, information, arena, w));
    for (size_t r = 0; r < n; r++)
        for (size_t o = 0; o < n; o++) { /* P_r Phi P_s */
            square_product(p, half + r * square, s.p_r + o * square, correction + square);
            for (size_t i = 0; i < square; i++)
                correction[i] += w[r * n + o] * (s.q_rs[(r * n + o) * square + i] - correction[square + i]);
        }
    square_product(p, phi, correction, correction + square);
    square_product(p, correction + square, phi, adjusted);
    for (size_t i = 0; i < square; i++)
        adjusted[i] = phi[i] + 2 * adjusted[i];
    for (size_t r = 0; r < n; r++) {
        square_product(p, phi, half + r * square, slopes + r * square);
        for (size_t i = 0; i < square; i++)
            slopes[r * square + i] = -slopes[r * square + i];
    }
    return BD_OK;
}
