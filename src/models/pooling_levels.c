/* The likelihood of effects in studies and its derivatives: each study's variance matrix is diagonal but for rank two. */
#include <math.h>
#include <string.h>

#include "pooling_internal.h"
#include "pooling_levels.h"

/* Of the working room: the inverse (3 most), Z = S X (most x p by columns), S 1, S e and S of another (3 most), a study's
 * sums (3 p), X'SX and its factor (2 p p), five sums (5 p p), X'Sy and two directions (3 p). */
static size_t work_room(size_t most, size_t p)
{
    return 6 * most + most * p + 6 * p + 7 * p * p;
}

size_t levels_point_room(size_t p)
{
    return p + p * p;
}

size_t bd_levels_scratch(const bd_levels_model *model)
{
    return 2 * levels_point_room(model->p) + work_room(model->most, model->p);
}

void levels_place(const bd_levels_model *model, double *scratch, levels_point *point, double **work)
{
    *point = (levels_point){.b = scratch, .inverse = scratch + model->p};
    *work = scratch + levels_point_room(model->p);
}

double levels_dot(size_t n, const double *x, const double *y)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

void levels_invert(const bd_levels_model *model, const double *variance, size_t study, double *room,
                   levels_inverse *inverse)
{
    const size_t first = model->first[study], n = model->first[study + 1] - first;
    const double *v = model->v + first;
    double sq = 0, rr = 0, qq = 0, determinant = 0;
    *inverse = (levels_inverse){.n = n, .weight = room, .q = room + n, .r = room + 2 * n};
    for (size_t i = 0; i < n; i++) {
        const double d = (n > 1 ? 1 - model->rho : 1) * v[i] + variance[BD_WITHIN_STUDIES], s = sqrt(v[i]);
        inverse->weight[i] = 1 / d;
        inverse->q[i] = s / d;
        determinant += log(d);
        sq += s * inverse->q[i];
        qq += inverse->q[i];
    }
    const double rho = n > 1 ? model->rho : 0;
    inverse->a = rho / (1 + rho * sq);
    determinant += log1p(rho * sq);
    for (size_t i = 0; i < n; i++) {
        inverse->r[i] = inverse->weight[i] - inverse->a * inverse->q[i] * qq;
        rr += inverse->r[i];
    }
    inverse->b = variance[BD_BETWEEN_STUDIES] / (1 + variance[BD_BETWEEN_STUDIES] * rr);
    inverse->log_determinant = determinant + log1p(variance[BD_BETWEEN_STUDIES] * rr);
}

void levels_apply(const levels_inverse *s, const double *x, double *out)
{
    const double q = s->a * levels_dot(s->n, s->q, x), r = s->b * levels_dot(s->n, s->r, x);
    for (size_t i = 0; i < s->n; i++)
        out[i] = s->weight[i] * x[i] - s->q[i] * q - s->r[i] * r;
}

static double sum_of(size_t n, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

/* tr S and tr SS. */
static void traces(const levels_inverse *s, double *trace, double *trace2)
{
    double qwq = 0, rwr = 0;
    const double qq = levels_dot(s->n, s->q, s->q), rr = levels_dot(s->n, s->r, s->r), qr = levels_dot(s->n, s->q, s->r);
    for (size_t i = 0; i < s->n; i++) {
        qwq += s->q[i] * s->weight[i] * s->q[i];
        rwr += s->r[i] * s->weight[i] * s->r[i];
    }
    *trace = sum_of(s->n, s->weight) - s->a * qq - s->b * rr;
    *trace2 = levels_dot(s->n, s->weight, s->weight) - 2 * s->a * qwq - 2 * s->b * rwr + s->a * s->a * qq * qq +
              s->b * s->b * rr * rr + 2 * s->a * s->b * qr * qr;
}

/* What the second pass adds up, over studies. K1 is 1 1' within a study, K2 the identity. */
typedef struct levels_sums {
    double *a1, *a2, *b11, *b12, *b22; /* p x p: X'S K S X, X'S K S K S X */
    double *h1, *h2;                   /* p: X'S K S e */
    double t[2], f[3], quadratic[2], average[3];
} levels_sums;

static void add_study(const bd_levels_model *model, size_t study, const levels_inverse *s, double count, const double *b,
                      double *work, levels_sums *sums)
{
    const size_t p = model->p, n = s->n, first = model->first[study];
    const double *x = model->x + first * p;
    double *z = work + 3 * model->most, *one = z + model->most * p, *u = one + model->most, *other = u + model->most;
    double *z1 = other + model->most, *zz1 = z1 + p;
    double trace, trace2;
    for (size_t i = 0; i < n; i++)
        other[i] = 1;
    levels_apply(s, other, one);
    for (size_t i = 0; i < n; i++)
        other[i] = model->y[first + i] - levels_dot(p, x + i * p, b);
    levels_apply(s, other, u);
    for (size_t j = 0; j < p; j++) {
        for (size_t i = 0; i < n; i++)
            other[i] = x[i * p + j];
        levels_apply(s, other, z + j * n);
        z1[j] = sum_of(n, z + j * n);
        zz1[j] = levels_dot(n, z + j * n, one);
    }
    traces(s, &trace, &trace2);
    const double s11 = sum_of(n, one), u1 = sum_of(n, u);
    sums->t[0] += count * s11;
    sums->t[1] += count * trace;
    sums->f[0] += count * s11 * s11;
    sums->f[1] += count * levels_dot(n, one, one);
    sums->f[2] += count * trace2;
    sums->quadratic[0] += count * u1 * u1;
    sums->quadratic[1] += count * levels_dot(n, u, u);
    sums->average[0] += count * u1 * u1 * s11;
    sums->average[1] += count * u1 * levels_dot(n, one, u);
    levels_apply(s, u, other);
    sums->average[2] += count * levels_dot(n, u, other);
    for (size_t j = 0; j < p; j++) {
        sums->h1[j] += count * z1[j] * u1;
        sums->h2[j] += count * levels_dot(n, z + j * n, u);
        levels_apply(s, z + j * n, other);
        for (size_t k = 0; k < p; k++) {
            sums->a1[j * p + k] += count * z1[j] * z1[k];
            sums->a2[j * p + k] += count * levels_dot(n, z + j * n, z + k * n);
            sums->b11[j * p + k] += count * z1[j] * s11 * z1[k];
            sums->b12[j * p + k] += count * z1[j] * zz1[k];
            sums->b22[j * p + k] += count * levels_dot(n, other, z + k * n);
        }
    }
}

/* h'M g. */
static double form(size_t p, const double *h, const double *m, const double *g)
{
    double sum = 0;
    for (size_t j = 0; j < p; j++)
        sum += h[j] * levels_dot(p, m + j * p, g);
    return sum;
}

/* tr(M A M B). */
static double trace_of_four(size_t p, const double *m, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            double left = 0, right = 0;
            for (size_t k = 0; k < p; k++) {
                left += m[i * p + k] * a[k * p + j];
                right += m[j * p + k] * b[k * p + i];
            }
            sum += left * right;
        }
    return sum;
}

/* Score (y'P K P y - tr P K) / 2; expected information tr(P K P K) / 2; observed y'P K P K P y less that. With ML the
 * traces have S for P. */
static void finish(const bd_levels_model *model, const levels_sums *s, levels_point *at)
{
    const size_t p = model->p;
    const double *m = at->inverse, *const a[2] = {s->a1, s->a2}, *const b[3] = {s->b11, s->b12, s->b22};
    const double *const h[2] = {s->h1, s->h2};
    at->trace_p = s->t[1] - pooling_trace(p, m, s->a2);
    for (size_t k = 0; k < 2; k++)
        at->score[k] = (s->quadratic[k] - s->t[k] + (model->ml ? 0 : pooling_trace(p, m, a[k]))) / 2;
    for (size_t k = 0, e = 0; k < 2; k++)
        for (size_t l = k; l < 2; l++, e++) {
            double trace = s->f[e];
            if (!model->ml)
                trace += trace_of_four(p, m, a[k], a[l]) - 2 * pooling_trace(p, m, b[e]);
            at->expected[e] = trace / 2;
            at->observed[e] = s->average[e] - form(p, h[k], m, h[l]) - trace / 2;
        }
}

static void differentiate(const bd_levels_model *model, const double *counts, double *work, levels_point *at)
{
    const size_t p = model->p, most = model->most;
    double *room = work + 6 * most + most * p + 3 * p + 2 * p * p;
    levels_sums sums = {.a1 = room, .a2 = room + p * p, .b11 = room + 2 * p * p, .b12 = room + 3 * p * p,
                        .b22 = room + 4 * p * p, .h1 = room + 5 * p * p, .h2 = room + 5 * p * p + p};
    memset(room, 0, (5 * p * p + 2 * p) * sizeof *room);
    for (size_t j = 0; j < model->n_studies; j++) {
        const double count = counts == NULL ? 1 : counts[j];
        levels_inverse s;
        if (!(count > 0))
            continue;
        levels_invert(model, at->variance, j, work, &s);
        add_study(model, j, &s, count, at->b, work, &sums);
    }
    finish(model, &sums, at);
}

bool levels_evaluate(const bd_levels_model *model, const double *counts, bool derivatives, double *work,
                     levels_point *at)
{
    const size_t p = model->p, most = model->most;
    double *sx = work + 3 * most, *information = work + 6 * most + most * p + 3 * p;
    double *xy = information + 7 * p * p + 2 * p, log_determinant = 0, yy = 0, log_root;
    memset(information, 0, p * p * sizeof *information);
    memset(xy, 0, p * sizeof *xy);
    at->n = 0;
    for (size_t j = 0; j < model->n_studies; j++) {
        const double count = counts == NULL ? 1 : counts[j];
        const size_t first = model->first[j];
        levels_inverse s;
        if (!(count > 0))
            continue;
        levels_invert(model, at->variance, j, work, &s);
        levels_apply(&s, model->y + first, sx);
        yy += count * levels_dot(s.n, sx, model->y + first);
        log_determinant += count * s.log_determinant;
        at->n += count * (double)s.n;
        for (size_t k = 0; k < p; k++) {
            double *column = sx + s.n;
            for (size_t i = 0; i < s.n; i++)
                column[i] = model->x[(first + i) * p + k];
            levels_apply(&s, column, sx);
            xy[k] += count * levels_dot(s.n, sx, model->y + first);
            for (size_t i = 0; i < s.n; i++)
                for (size_t l = 0; l <= k; l++)
                    information[k * p + l] += count * sx[i] * model->x[(first + i) * p + l];
        }
    }
    if (!pooling_invert(p, information, at->inverse, &log_root))
        return false;
    for (size_t k = 0; k < p; k++)
        at->b[k] = levels_dot(p, at->inverse + k * p, xy);
    at->ype = yy - levels_dot(p, at->b, xy);
    const double free = at->n - (model->ml ? 0 : (double)p);
    at->log_likelihood = -(free * log(2 * M_PI) + log_determinant + at->ype) / 2;
    if (!model->ml)
        at->log_likelihood += model->log_root_ols - log_root;
    if (derivatives)
        differentiate(model, counts, work, at);
    return isfinite(at->log_likelihood);
}
