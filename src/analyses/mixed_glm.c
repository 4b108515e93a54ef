/* Generalised mixed regression of a frame. */
#include <bordin/analyses/mixed_glm.h>

#include <math.h>
#include <string.h>

#include "analyses/mixed_internal.h"

static bd_status design_of(const bd_frame *frame, bd_arena *arena, bd_glmm_design *design)
{
    const size_t p = frame->n_columns;
    const double **columns;
    const char **names;
    BD_NEW(arena, columns, p);
    BD_NEW(arena, names, p);
    for (size_t j = 0; j < p; j++) {
        columns[j] = frame->columns[j].values;
        names[j] = frame->columns[j].name;
    }
    *design = (bd_glmm_design){.glm = {.base = {.n_rows = frame->n_rows,
                                                .n_columns = p,
                                                .columns = columns,
                                                .names = names,
                                                .has_intercept = frame->has_intercept,
                                                .response = frame->response,
                                                .response_name = frame->response_name},
                                       .offset = frame->offset,
                                       .trials = frame->trials}};
    for (size_t v = 1; v < frame->n_varying; v++)
        if (strcmp(frame->varying[v].groups->name, frame->varying[0].groups->name) != 0)
            return bd_fail(BD_EUSAGE, "with --family, coefficients vary by one grouping factor, not by '%s' and '%s'",
                           frame->varying[0].groups->name, frame->varying[v].groups->name);
    BD_TRY(mixed_join_varying(frame, 0, arena, &design->term));
    return bd_frame_raw_weights(frame, arena, &design->glm.base.weights);
}

static bd_status find_share(bd_mixed_glm *mixed, bd_arena *arena)
{
    const bd_mixed_random *random = &mixed->fit->random;
    bd_mixed_share *share = &mixed->share;
    share->groups = mixed->frame->varying[0].groups;
    BD_NEW(arena, share->rows, share->groups->n_levels);
    for (size_t i = 0; i < mixed->frame->n_rows; i++)
        share->rows[share->groups->codes[i]]++;
    for (size_t i = 0; i < random->n_random * random->n_random; i++)
        share->variance += random->covariance[i] * random->moments[i];
    share->share = share->variance / (share->variance + mixed->fit->latent_residual);
    return BD_OK;
}

static bd_status find_contextual(bd_mixed_glm *mixed, bd_arena *arena)
{
    double *weights;
    BD_TRY(mixed_find_pairs(mixed->frame, arena, &mixed->contextual, &mixed->n_contextual));
    BD_NEW(arena, weights, mixed->frame->n_columns);
    for (size_t i = 0; i < mixed->n_contextual; i++) {
        bd_contextual *c = &mixed->contextual[i];
        weights[c->within] = -1;
        weights[c->between] = 1;
        c->difference = bd_glmm_contrast(mixed->fit, weights);
        weights[c->within] = weights[c->between] = 0;
    }
    return BD_OK;
}

bd_status bd_mix_glm(const bd_frame *frame, const bd_mixed_glm_options *options, bd_arena *arena,
                     const bd_mixed_glm **out)
{
    bd_mixed_glm *mixed;
    bd_glmm_design design;
    const bd_glmm_model *model;
    if (frame->response == NULL)
        return bd_fail(BD_EUSAGE, "the formula '%s' has no outcome before '~'", frame->formula);
    BD_NEW(arena, mixed, 1);
    mixed->frame = frame;
    mixed->options = *options;
    BD_TRY(design_of(frame, arena, &design));
    BD_TRY(bd_glmm_prepare(&design, options->family, options->link, options->fit.n_threads, arena, &model));
    BD_TRY(bd_glmm_fit(model, &options->fit, arena, &mixed->fit));
    if (mixed->fit->theta == INFINITY)
        return bd_fail(BD_ENUMERIC, "beside the groups' differences the counts vary no more than Poisson's: theta is infinite; "
                                    "take --family poisson");
    if (mixed->fit->end == BD_MIXED_NOT_CONVERGED)
        return bd_fail(BD_ENUMERIC, "the deviance has no minimum that was found in %zu iterations; try fewer coefficients "
                                    "that vary by %s",
                       mixed->fit->n_iterations, design.term.group_name);
    BD_TRY(find_share(mixed, arena));
    BD_TRY(find_contextual(mixed, arena));
    if (options->bootstrap)
        BD_TRY(mixed_glm_resample(mixed, model, arena));
    *out = mixed;
    return BD_OK;
}
