/* What varies between groups: variances, conditional modes and their standard deviations. */
#include <math.h>
#include <string.h>

#include "models/mixed_internal.h"

bd_status mixed_new_random(const mixed_term *term, bd_arena *arena, bd_mixed_random *random)
{
    const size_t q = term->q, n = term->given->n_groups;
    *random = (bd_mixed_random){.term = term->given, .n_random = q, .n_groups = term->n_there};
    BD_NEW(arena, random->relative, q * q);
    BD_NEW(arena, random->covariance, q * q);
    BD_NEW(arena, random->moments, q * q);
    BD_NEW(arena, random->effects, n * q);
    BD_NEW(arena, random->effect_se, n * q);
    memcpy(random->moments, term->moments, q * q * sizeof *random->moments);
    return BD_OK;
}

void mixed_describe_random(const bd_mixed_model *model, const mixed_point *point, bd_mixed *fit)
{
    for (size_t t = 0; t < model->n_terms; t++) {
        const mixed_term *term = &model->terms[t];
        const double *lambda = point->lambda + term->lambda;
        const size_t q = term->q;
        bd_mixed_random *random = &fit->random[t];
        for (size_t i = 0; i < q; i++)
            for (size_t j = 0; j < q; j++) {
                double sum = 0;
                for (size_t l = 0; l <= i && l <= j; l++)
                    sum += lambda[i * q + l] * lambda[j * q + l];
                random->relative[i * q + j] = lambda[i * q + j] / term->scale[i];
                random->covariance[i * q + j] = fit->sigma * fit->sigma * sum / term->scale[i] / term->scale[j];
            }
        for (size_t i = 0; i < q && fit->end == BD_MIXED_BOUNDARY; i++)
            if (lambda[i * q + i] < 1e-4 && random->singular == NULL)
                random->singular = term->given->random_names[i];
    }
}

/* Of the terms that were not eliminated first: the solution, and the diagonal of Lambda S^-1 Lambda'. */
static void find_rest(const bd_mixed_model *model, const mixed_point *point, const mixed_part *part, bd_mixed *fit)
{
    const mixed_dense d = mixed_dense_of(model, point, part);
    const size_t p = model->p;
    for (size_t i = 0; i < d.n; i++) {
        const size_t t = model->rest_term[part->column + i], a = model->rest_coefficient[part->column + i];
        const mixed_term *term = &model->terms[t];
        const size_t at = model->rest_group[part->column + i] * term->q + a;
        double effect = d.c[i * d.width + p];
        for (size_t j = 0; j < p; j++)
            effect -= d.c[i * d.width + j] * point->gamma[j];
        fit->random[t].effects[at] = effect / term->scale[a];
        fit->random[t].effect_se[at] = fit->sigma * sqrt(d.s[i * d.n + i]) / term->scale[a];
    }
}

/* values <- L^-T values. */
static void back(size_t q, const double *root, double *values)
{
    for (size_t i = q; i-- > 0;) {
        for (size_t l = i + 1; l < q; l++)
            values[i] -= root[l * q + i] * values[l];
        values[i] /= root[i * q + i];
    }
}

/* Lambda L^-T (L^-1 Lambda'Z'r - E b of the others), and sigma^2 Lambda L^-T (I + E Q E') L^-1 Lambda'. */
static void find_group(const bd_mixed_model *model, const mixed_point *point, const mixed_part *part,
                       const mixed_group *group, size_t g, double *spread, bd_mixed_random *random, double sigma)
{
    const mixed_term *term = &model->terms[model->first];
    const mixed_dense d = mixed_dense_of(model, point, part);
    const double *lambda = point->lambda + term->lambda;
    const size_t q = model->q, m = model->m, p = model->p;
    double mode[MIXED_MOST_RANDOM], row[MIXED_MOST_RANDOM];
    for (size_t i = 0; i < q; i++) {
        mode[i] = group->solved[i * m + m - 1];
        for (size_t j = 0; j < p; j++)
            mode[i] -= group->solved[i * m + q + j] * point->gamma[j];
        for (size_t a = 0; a < group->n_links; a++) {
            const double *c = d.c + group->columns[a] * d.width;
            double effect = c[p];
            for (size_t j = 0; j < p; j++)
                effect -= c[j] * point->gamma[j];
            mode[i] -= group->links[a * q + i] * effect;
        }
        for (size_t j = 0; j < q; j++) {
            spread[i * q + j] = i == j;
            for (size_t a = 0; a < group->n_links; a++)
                for (size_t b = 0; b < group->n_links; b++)
                    spread[i * q + j] += group->links[a * q + i] * group->links[b * q + j] *
                                         d.s[group->columns[a] * d.n + group->columns[b]];
        }
    }
    back(q, group->root, mode);
    for (size_t i = 0; i < q; i++) {
        double effect = 0, variance = 0;
        for (size_t l = 0; l < q; l++) { /* row <- L^-1 Lambda' of coefficient i */
            effect += l <= i ? lambda[i * q + l] * mode[l] : 0;
            row[l] = l <= i ? lambda[i * q + l] : 0;
            for (size_t s = 0; s < l; s++)
                row[l] -= group->root[l * q + s] * row[s];
            row[l] /= group->root[l * q + l];
        }
        for (size_t l = 0; l < q; l++)
            for (size_t s = 0; s < q; s++)
                variance += row[l] * spread[l * q + s] * row[s];
        random->effects[g * q + i] = effect / term->scale[i];
        random->effect_se[g * q + i] = sigma * sqrt(variance) / term->scale[i];
    }
}

bd_status mixed_find_effects(const bd_mixed_model *model, const mixed_data *data, const mixed_point *point, bd_arena *arena,
                             bd_mixed *fit)
{
    double *spread;
    BD_NEW(arena, spread, model->q * model->q);
    for (size_t c = 0; c < model->n_parts; c++) {
        const mixed_part *part = &model->parts[c];
        find_rest(model, point, part, fit);
        for (size_t o = part->first; o < part->end; o++) {
            const size_t g = model->order[o];
            mixed_group group;
            double log_det = 0;
            if (!mixed_solve_group(model, data, point, g, &group, &log_det))
                return bd_fail(BD_ENUMERIC, "the effects of group %zu cannot be told", g + 1);
            find_group(model, point, part, &group, g, spread, &fit->random[model->first], fit->sigma);
        }
    }
    return BD_OK;
}
