/* The deviance of Laplace's approximation and its gradient, and that of adaptive quadrature.
 *
 * With b = Lambda u, v = Lambda'z, s and w the slope and the weight of a row, a group's mode solves u = sum s v, and
 *     deviance = sum over groups  -2 log-likelihood + u'u + log |A|,   A = I + sum w v v'.
 * With h = v'A^-1 v, c = w' h, t = sum c v and r = A^-1 t, the mode moves with the parameters so that
 *     by beta     sum x e,   e = -2 s + c - w v'r
 *     by Lambda   sum z_a (e u_b + 2 w (A^-1 v)_b + s r_b). */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "models/glmm_internal.h"

enum { MOST_STEPS = 100, MOST_HALVINGS = 30 };

/* One group in one thread. */
typedef struct group {
    size_t first, n;
    const double *y; /* n */
    double *fixed;  /* n: offset + x gamma */
    double *v;      /* n x q */
    glmm_row *rows; /* n */
    double *root;   /* q x q */
    double *u, *slope, *step, *trial; /* q */
} group;

static size_t thread_room(const bd_glmm_model *model)
{
    return model->most_rows * (1 + model->q + sizeof(glmm_row) / sizeof(double)) + 5 * model->q + model->q * model->q +
           model->q * model->q;
}

bd_status glmm_point_new(const bd_glmm_model *model, size_t n_nodes, int n_threads, bd_arena *arena, glmm_point *point)
{
    *point = (glmm_point){.n_nodes = n_nodes, .n_threads = n_threads > 0 ? n_threads : omp_get_max_threads()};
    BD_NEW(arena, point->modes, model->n_groups * model->q);
    BD_NEW(arena, point->roots, model->n_groups * model->q * model->q);
    BD_NEW(arena, point->work, (size_t)point->n_threads * thread_room(model));
    BD_NEW(arena, point->sums, GLMM_CHUNKS * (model->p + model->k + 2));
    BD_NEW(arena, point->nodes, n_nodes);
    BD_NEW(arena, point->node_weights, n_nodes);
    return BD_OK;
}

size_t glmm_point_room(const bd_glmm_model *model)
{
    return model->n_groups * model->q * (1 + model->q) + thread_room(model) + GLMM_CHUNKS * (model->p + model->k + 2);
}

void glmm_point_make(const bd_glmm_model *model, const glmm_point *nodes, double *room, glmm_point *point)
{
    const size_t q = model->q;
    *point = *nodes;
    point->n_threads = 1;
    point->modes = room;
    point->roots = point->modes + model->n_groups * q;
    point->work = point->roots + model->n_groups * q * q;
    point->sums = point->work + thread_room(model);
}

static void take_group(const bd_glmm_model *model, const glmm_point *point, const double *parameters, const double *lambda,
                       size_t g, double *work, group *w)
{
    const size_t q = model->q, p = model->p;
    *w = (group){.first = model->starts[g], .n = model->starts[g + 1] - model->starts[g], .fixed = work};
    w->y = (point->y == NULL ? model->y : point->y) + w->first;
    w->v = w->fixed + model->most_rows;
    w->rows = (glmm_row *)(w->v + model->most_rows * q);
    w->slope = (double *)(w->rows + model->most_rows);
    w->step = w->slope + q;
    w->trial = w->step + q;
    w->u = point->modes + g * q;
    w->root = point->roots + g * q * q;
    for (size_t i = 0; i < w->n; i++) {
        const double *x = model->x + (w->first + i) * p, *z = model->z + (w->first + i) * q;
        w->fixed[i] = model->offset[w->first + i];
        for (size_t j = 0; j < p; j++)
            w->fixed[i] += x[j] * parameters[j];
        for (size_t b = 0; b < q; b++) {
            w->v[i * q + b] = 0;
            for (size_t a = b; a < q; a++)
                w->v[i * q + b] += lambda[a * q + b] * z[a];
        }
    }
}

/* -2 log-likelihood + u'u; fills the rows. */
static double penalised(const bd_glmm_model *model, group *w, double theta, const double *u)
{
    const size_t q = model->q;
    double sum = 0;
    for (size_t i = 0; i < w->n; i++) {
        const size_t row = w->first + i;
        double eta = w->fixed[i];
        for (size_t b = 0; b < q; b++)
            eta += w->v[i * q + b] * u[b];
        w->rows[i] = model->kind->at(w->y[i], model->trials[row], theta, eta);
        const double weight = model->weights[row];
        w->rows[i].slope *= weight;
        w->rows[i].weight *= weight;
        w->rows[i].weight_slope *= weight;
        sum -= 2 * weight * w->rows[i].log_likelihood;
    }
    for (size_t b = 0; b < q; b++)
        sum += u[b] * u[b];
    return sum;
}

/* root <- L, LL' = I + sum w v v'; slope <- u - sum s v. False: not positive, which only a sum of rows could make. */
static bool factor(size_t q, group *w, const double *u)
{
    memset(w->root, 0, q * q * sizeof *w->root);
    for (size_t a = 0; a < q; a++) {
        w->slope[a] = u[a];
        w->root[a * q + a] = 1;
    }
    for (size_t i = 0; i < w->n; i++)
        for (size_t a = 0; a < q; a++) {
            w->slope[a] -= w->rows[i].slope * w->v[i * q + a];
            for (size_t b = 0; b <= a; b++)
                w->root[a * q + b] += w->rows[i].weight * w->v[i * q + a] * w->v[i * q + b];
        }
    for (size_t a = 0; a < q; a++)
        for (size_t b = 0; b <= a; b++) {
            double sum = w->root[a * q + b];
            for (size_t l = 0; l < b; l++)
                sum -= w->root[a * q + l] * w->root[b * q + l];
            if (a == b && !(sum > 0 && sum < INFINITY))
                return false;
            w->root[a * q + b] = a == b ? sqrt(sum) : sum / w->root[b * q + b];
        }
    return true;
}

/* x <- A^-1 x. */
static void solve(size_t q, const double *root, double *x)
{
    for (size_t a = 0; a < q; a++) {
        for (size_t l = 0; l < a; l++)
            x[a] -= root[a * q + l] * x[l];
        x[a] /= root[a * q + a];
    }
    for (size_t a = q; a-- > 0;) {
        for (size_t l = a + 1; l < q; l++)
            x[a] -= root[l * q + a] * x[l];
        x[a] /= root[a * q + a];
    }
}

/* Newton's method with halved steps, from where the group's mode was; value <- -2 log-likelihood + u'u there. */
static bool find_mode(const bd_glmm_model *model, group *w, double theta, double *value)
{
    const size_t q = model->q;
    *value = penalised(model, w, theta, w->u);
    if (!isfinite(*value)) {
        memset(w->u, 0, q * sizeof *w->u);
        *value = penalised(model, w, theta, w->u);
    }
    for (int i = 0; i < MOST_STEPS; i++) {
        double decrease = 0, share = 1, reached = INFINITY;
        if (!factor(q, w, w->u))
            return false;
        memcpy(w->step, w->slope, q * sizeof *w->step);
        solve(q, w->root, w->step);
        for (size_t b = 0; b < q; b++)
            decrease += w->step[b] * w->slope[b];
        if (!(decrease > 1e-24 * fmax(1, fabs(*value))))
            return isfinite(*value);
        for (int h = 0; h < MOST_HALVINGS; h++, share /= 2) {
            for (size_t b = 0; b < q; b++)
                w->trial[b] = w->u[b] - share * w->step[b];
            reached = penalised(model, w, theta, w->trial);
            if (reached <= *value + 1e-12 * fabs(*value))
                break;
        }
        memcpy(w->u, w->trial, q * sizeof *w->u);
        *value = reached;
        if (decrease < 1e-13)
            break;
    }
    return factor(q, w, w->u) && isfinite(*value);
}

/* sums (after the deviance) += by gamma and Lambda. `room`: 2 q. */
static void add_gradient(const bd_glmm_model *model, const group *w, double *room, double *sums)
{
    const size_t q = model->q, p = model->p;
    double *r = room, *inner = r + q; /* r; A^-1 v of a row */
    memset(r, 0, q * sizeof *r);
    for (size_t i = 0; i < w->n; i++) {
        double h = 0;
        memcpy(inner, w->v + i * q, q * sizeof *inner);
        solve(q, w->root, inner);
        for (size_t b = 0; b < q; b++)
            h += inner[b] * w->v[i * q + b];
        for (size_t b = 0; b < q; b++)
            r[b] += w->rows[i].weight_slope * h * w->v[i * q + b];
    }
    solve(q, w->root, r);
    for (size_t i = 0; i < w->n; i++) {
        const double *x = model->x + (w->first + i) * p, *z = model->z + (w->first + i) * q, *v = w->v + i * q;
        double h = 0, vr = 0;
        memcpy(inner, v, q * sizeof *inner);
        solve(q, w->root, inner);
        for (size_t b = 0; b < q; b++) {
            h += inner[b] * v[b];
            vr += v[b] * r[b];
        }
        const double s = w->rows[i].slope, weight = w->rows[i].weight;
        const double e = -2 * s + w->rows[i].weight_slope * h - weight * vr;
        for (size_t j = 0; j < p; j++)
            sums[1 + j] += x[j] * e;
        for (size_t l = 0; l < model->k; l++) {
            const size_t a = model->entries[l].row, b = model->entries[l].column;
            sums[1 + p + l] += z[a] * (e * w->u[b] + 2 * weight * inner[b] + s * r[b]);
        }
    }
}

/* -2 log of the integral over u by quadrature about the mode: nodes u + sqrt(2) node / L. */
static double quadrature(const bd_glmm_model *model, const glmm_point *point, group *w, double theta, double at_mode)
{
    double sum = 0;
    for (size_t k = 0; k < point->n_nodes; k++) {
        const double u = w->u[0] + M_SQRT2 * point->nodes[k] / w->root[0];
        sum += exp(point->node_weights[k] + (at_mode - penalised(model, w, theta, &u)) / 2);
    }
    return at_mode + 2 * log(w->root[0]) - 2 * log(sum / sqrt(M_PI));
}

static bool add_group(const bd_glmm_model *model, const glmm_point *point, const double *parameters, const double *lambda,
                      double theta, size_t g, double *work, bool gradient, double *sums)
{
    const size_t q = model->q;
    group w;
    double value;
    take_group(model, point, parameters, lambda, g, work, &w);
    if (!find_mode(model, &w, theta, &value))
        return false;
    if (point->n_nodes > 1) {
        sums[0] += quadrature(model, point, &w, theta, value);
        return true;
    }
    for (size_t b = 0; b < q; b++)
        value += 2 * log(w.root[b * q + b]);
    sums[0] += value;
    if (gradient)
        add_gradient(model, &w, w.trial + q, sums);
    return true;
}

/* What the group adds, as often as it counts. */
static bool add_counted(const bd_glmm_model *model, const glmm_point *point, const double *parameters,
                        const double *lambda, double theta, size_t g, double *work, bool gradient, double *sums)
{
    const size_t n_sums = 1 + model->p + model->k;
    double own[n_sums];
    if (point->counts == NULL)
        return add_group(model, point, parameters, lambda, theta, g, work, gradient, sums);
    if (point->counts[g] == 0)
        return true;
    memset(own, 0, sizeof own);
    if (!add_group(model, point, parameters, lambda, theta, g, work, gradient, own))
        return false;
    for (size_t i = 0; i < n_sums; i++)
        sums[i] += point->counts[g] * own[i];
    return true;
}

/* deviance (and the analytic part of the gradient) in chunks of groups, which are added up in order. */
static bool sum_groups(const bd_glmm_model *model, glmm_point *point, const double *parameters, bool gradient,
                       double *total)
{
    const size_t n_sums = 1 + model->p + model->k, q = model->q;
    const double theta = model->has_theta ? exp(parameters[model->p + model->k]) : NAN;
    double lambda[GLMM_MOST_RANDOM * GLMM_MOST_RANDOM] = {0};
    bool usable = true;
    for (size_t l = 0; l < model->k; l++)
        lambda[model->entries[l].row * q + model->entries[l].column] = parameters[model->p + l];
#pragma omp parallel for num_threads(point->n_threads) schedule(static) reduction(&& : usable) \
    if (point->n_threads > 1 && model->n > 1000)
    for (size_t c = 0; c < GLMM_CHUNKS; c++) {
        double *sums = point->sums + c * n_sums;
        double *work = point->work + (size_t)omp_get_thread_num() * thread_room(model);
        const size_t end = (c + 1) * model->n_groups / GLMM_CHUNKS;
        memset(sums, 0, n_sums * sizeof *sums);
        for (size_t g = c * model->n_groups / GLMM_CHUNKS; g < end && usable; g++)
            usable = model->starts[g + 1] == model->starts[g] ||
                     add_counted(model, point, parameters, lambda, theta, g, work, gradient, sums);
    }
    memset(total, 0, n_sums * sizeof *total);
    for (size_t c = 0; c < GLMM_CHUNKS; c++)
        for (size_t i = 0; i < n_sums; i++)
            total[i] += point->sums[c * n_sums + i];
    total[0] -= 2 * model->constant;
    return usable && isfinite(total[0]);
}

bool glmm_evaluate(const bd_glmm_model *model, glmm_point *point, const double *parameters, double *deviance,
                   double *gradient)
{
    const size_t n_analytic = model->p + model->k, n = n_analytic + model->has_theta;
    const size_t first = point->n_nodes > 1 ? 0 : n_analytic;
    double total[1 + n], moved[1 + n], at[n + 1];
    if (!sum_groups(model, point, parameters, gradient != NULL, total))
        return false;
    *deviance = total[0];
    if (gradient == NULL)
        return true;
    memcpy(gradient, total + 1, n_analytic * sizeof *gradient);
    memcpy(at, parameters, n * sizeof *at);
    for (size_t i = first; i < n; i++) { /* what has no formula here: differences */
        static const double places[] = {-2, -1, 1, 2}, factors[] = {1.0 / 12, -8.0 / 12, 8.0 / 12, -1.0 / 12};
        const double step = 2e-4 * fmax(1, fabs(parameters[i]));
        gradient[i] = 0;
        for (size_t s = 0; s < 4; s++) {
            at[i] = parameters[i] + places[s] * step;
            if (!sum_groups(model, point, at, false, moved))
                return false;
            gradient[i] += factors[s] * moved[0] / step;
        }
        at[i] = parameters[i];
    }
    return true;
}
