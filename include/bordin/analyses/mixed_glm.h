/* Generalised mixed regression of a frame: kept appointments, dropout, sessions attended, within and between therapists.
 *
 *     BD_TRY(bd_mixed_formula("kept ~ within(x, t) + between(x, t) + (1 | t)", arena, &spec));
 *     ... BD_TRY(bd_frame_build(table, &spec, arena, &frame));
 *     BD_TRY(bd_mix_glm(frame, &options, arena, &mixed));
 *     BD_TRY(bd_mixed_glm_document(mixed, arena, &document));
 */
#ifndef BORDIN_ANALYSES_MIXED_GLM_H
#define BORDIN_ANALYSES_MIXED_GLM_H

#include <bordin/analyses/mixed.h>
#include <bordin/models/glmm.h>

typedef struct bd_mixed_glm_options {
    const char *formula; /* as it was typed */
    const bd_family *family;
    const bd_link *link; /* NULL: the family's */
    bd_glmm_options fit;
    bool bootstrap; /* whether to resample groups, or to draw outcomes (parametric) */
    bd_bootstrap_options resampling;
} bd_mixed_glm_options;

#define BD_MIXED_GLM_DEFAULTS ((bd_mixed_glm_options){.fit = BD_GLMM_DEFAULTS, .resampling = BD_BOOTSTRAP_DEFAULTS})

typedef struct bd_mixed_glm {
    const bd_frame *frame;
    bd_mixed_glm_options options;
    const bd_glmm *fit;
    bd_mixed_share share;       /* of the latent variable: what lies between groups; NaN for counts */
    bd_contextual *contextual;
    size_t n_contextual;
    const bd_bootstrap_result *bootstrap; /* coefficients, standard deviations of the random ones, the latent share, theta
                                             (where there are); NULL unless asked for */
} bd_mixed_glm;

/* Fails as bd_glmm_prepare, bd_glmm_fit and bd_bootstrap_frame do. BD_EUSAGE: no outcome; several grouping factors; another
 * way of resampling. BD_ENUMERIC: the fit did
 * not converge. */
BD_CHECKED bd_status bd_mix_glm(const bd_frame *frame, const bd_mixed_glm_options *options, bd_arena *arena,
                                const bd_mixed_glm **mixed);

/* The tables "coefficients", "within_between", "random", "fit", "effects", sentences, notes, warnings, provenance. */
BD_CHECKED bd_status bd_mixed_glm_document(const bd_mixed_glm *mixed, bd_arena *arena, bd_document **document);

#endif
