/* Generalised mixed regression by resampling of groups, or of outcomes from the fit. */
#include <math.h>
#include <string.h>

#include <bordin/random/normal.h>

#include "analyses/mixed_internal.h"

typedef struct drawing {
    const bd_mixed_glm *mixed;
    const bd_glmm_drawing *model;
    const size_t *first; /* a row of each group */
    size_t n_groups;
} drawing;

static size_t raw_room(const drawing *d)
{
    const size_t q = d->mixed->fit->random.n_random;
    return d->mixed->fit->n_columns + d->mixed->fit->n_parameters + 1 + q * q;
}

/* values <- coefficients, standard deviations, the latent share and theta where there are. */
static bd_replicate_end finish(const drawing *d, bd_mixed_end end, const double *raw, double *relative, double *values)
{
    const bd_glmm *fit = d->mixed->fit;
    const bd_mixed_random *random = &fit->random;
    const size_t p = fit->n_columns, q = random->n_random;
    double variance = 0;
    size_t at = p + q;
    if (end == BD_MIXED_NOT_CONVERGED || end == BD_MIXED_SEPARATED)
        return end == BD_MIXED_SEPARATED ? BD_REPLICATE_SEPARATED : BD_REPLICATE_DIVERGED;
    memcpy(values, raw, p * sizeof *values);
    bd_glmm_relative(d->model, raw + p, relative);
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j < q; j++) {
            double sum = 0;
            for (size_t l = 0; l < q; l++)
                sum += relative[i * q + l] * relative[j * q + l];
            variance += sum * random->moments[i * q + j];
            if (i == j)
                values[p + i] = sqrt(sum);
        }
    if (!isnan(fit->latent_residual))
        values[at++] = variance / (variance + fit->latent_residual);
    if (!isnan(fit->theta))
        values[at] = raw[p + fit->n_parameters];
    return BD_REPLICATE_USABLE;
}

static bd_replicate_end replicate(const void *context, const double *weights, double *scratch, double *values,
                                  double *errors)
{
    const drawing *d = context;
    double *counts = scratch, *raw = counts + d->n_groups;
    (void)errors;
    for (size_t g = 0; g < d->n_groups; g++)
        counts[g] = d->first[g] == SIZE_MAX ? 0 : weights[d->first[g]];
    const bd_mixed_end end = bd_glmm_draw(d->model, counts, NULL, raw + raw_room(d), raw);
    const size_t q = d->mixed->fit->random.n_random;
    return finish(d, end, raw, raw + raw_room(d) - q * q, values);
}

static bd_replicate_end drawn(const void *context, uint64_t seed, uint32_t number, double *scratch, double *values)
{
    const drawing *d = context;
    const size_t n_normals = bd_glmm_draw_normals(d->model), n_uniforms = bd_glmm_draw_uniforms(d->model);
    const size_t q = d->mixed->fit->random.n_random;
    double *raw = scratch, *numbers = raw + raw_room(d);
    bd_random_normals(seed, number, BD_PURPOSE_ERRORS, n_normals, numbers);
    mixed_draw_uniforms(seed, number, n_uniforms, numbers + n_normals);
    const bd_mixed_end end = bd_glmm_draw(d->model, NULL, numbers, numbers + n_normals + n_uniforms, raw);
    return finish(d, end, raw, raw + raw_room(d) - q * q, values);
}

static bd_status name_values(const bd_mixed_glm *mixed, bd_arena *arena, const char ***out, size_t *n_values)
{
    const bd_glmm *fit = mixed->fit;
    const char **names;
    size_t n = 0;
    BD_NEW(arena, names, fit->n_columns + fit->random.n_random + 2);
    for (size_t j = 0; j < fit->n_columns; j++)
        names[n++] = mixed->frame->columns[j].name;
    for (size_t j = 0; j < fit->random.n_random; j++)
        BD_TRY(bd_print(arena, &names[n++], "SD %s | %s", fit->random.term->random_names[j], fit->random.term->group_name));
    if (!isnan(fit->latent_residual))
        BD_TRY(bd_print(arena, &names[n++], "latent share of %s", fit->random.term->group_name));
    if (!isnan(fit->theta))
        names[n++] = "theta";
    *out = names;
    *n_values = n;
    return BD_OK;
}

bd_status mixed_glm_resample(bd_mixed_glm *mixed, const bd_glmm_model *model, bd_arena *arena)
{
    const bd_groups *groups = mixed->share.groups, *asked = mixed->frame->cluster;
    const bd_sampling *sampling = mixed->options.resampling.sampling;
    const bool parametric = sampling == &bd_sampling_parametric;
    bd_frame frame = *mixed->frame;
    bd_bootstrap_options options = mixed->options.resampling;
    const bd_columns rows = {.n_rows = frame.n_rows};
    drawing context = {.mixed = mixed, .n_groups = groups->n_levels};
    bd_statistic statistic = {.columns = &rows, .from_weights = replicate, .context = &context};
    const char **names = NULL;
    if (!parametric && sampling != NULL && sampling != &bd_sampling_rows && sampling != &bd_sampling_clusters)
        return bd_fail(BD_EUSAGE, "--resample %s: with --family, groups are resampled (the default), or outcomes drawn "
                                  "(parametric)",
                       sampling->name);
    if (asked != NULL && strcmp(asked->name, groups->name) != 0)
        return bd_fail(BD_EUSAGE, "of the groups in the formula, %s can be drawn, not '%s'", groups->name, asked->name);
    frame.cluster = groups;
    options.sampling = parametric ? sampling : &bd_sampling_clusters;
    BD_TRY(bd_glmm_drawing_new(model, mixed->fit, arena, &context.model));
    BD_TRY(mixed_find_rows(&frame, groups->codes, groups->n_levels, arena, &context.first));
    BD_TRY(name_values(mixed, arena, &names, &statistic.n_values));
    statistic.names = names;
    statistic.n_scratch = context.n_groups + raw_room(&context) + bd_glmm_draw_normals(context.model) +
                          bd_glmm_draw_uniforms(context.model) + bd_glmm_drawing_scratch(context.model);
    if (parametric) {
        statistic.from_draws = drawn;
        statistic.drawn = "Drawn: what varies by group, normal with the fitted covariance, and outcomes of the fitted "
                          "family. The predictors stay.";
    }
    return bd_bootstrap_frame(&frame, &statistic, NULL, &options, arena, &mixed->bootstrap);
}
