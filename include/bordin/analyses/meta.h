/* Meta-analysis of a frame of effects: pooled, with moderators, back in the units in which effects were reported.
 *
 *     options.measure = BD_MEASURE_ZCOR;
 *     const bd_frame_spec spec = {.formula = "r ~ 1", .extra = "0 + n", .extra_option = "--n", .cluster = "study"};
 *     ... BD_TRY(bd_frame_build(table, &spec, arena, &frame));
 *     BD_TRY(bd_meta(frame, &options, arena, &meta));
 *     BD_TRY(bd_meta_document(meta, arena, &document));
 */
#ifndef BORDIN_ANALYSES_META_H
#define BORDIN_ANALYSES_META_H

#include <bordin/analyses/bootstrap.h>
#include <bordin/models/pooling_levels.h>

/* What the response is, and the extra column. */
typedef enum bd_measure {
    BD_MEASURE_GENERIC, /* effects; the column has their variances, or standard errors */
    BD_MEASURE_ZCOR,    /* correlations, pooled as Fisher's z with variances 1 / (n - 3); the column is n */
    BD_MEASURE_COR,     /* correlations as they are, with variances (1 - r^2)^2 / (n - 1) */
} bd_measure;

BD_CHECKED bd_status bd_measure_find(const char *name, bd_measure *measure); /* gen, zcor, cor */
BD_CHECKED bd_status bd_pooling_test_find(const char *name, bd_pooling_test *test); /* knha, knha-raw, t, z */

typedef struct bd_meta_options {
    bd_measure measure;
    bool errors; /* generic: the column has standard errors */
    bd_pooling_options pooling;
    bool several;   /* a study may have several effects: the frame's clusters are the studies */
    double rho;     /* several: the correlation of sampling errors within a study */
    bd_levels_options levels; /* several: instead of `pooling` */
    bool bootstrap; /* whether to resample studies */
    bd_bootstrap_options resampling;
} bd_meta_options;

#define BD_META_DEFAULTS ((bd_meta_options){.pooling = BD_POOLING_DEFAULTS,       \
                                              .levels = BD_LEVELS_DEFAULTS,         \
                                              .resampling = BD_BOOTSTRAP_DEFAULTS})

typedef struct bd_meta_analysis {
    const bd_frame *frame;
    bd_meta_options options;
    bd_pooling_design design;
    const bd_pooled *fit;           /* NULL: several effects a study */
    const bd_pooled_levels *levels; /* NULL: one */
    const bd_bootstrap_result *bootstrap; /* coefficients, then tau^2, or the variances between and within studies;
                                             NULL unless asked for */
} bd_meta_analysis;

/* The frame's extra column has variances, errors or n; its clusters, if any, are the studies' names. Fails as bd_pool and
 * bd_bootstrap_frame do. BD_EDATA: a correlation not within -1 to 1; n not above 3 (zcor) or 1; an error not above 0; a
 * study that occurs twice. BD_ENUMERIC: tau^2 was not found. */
BD_CHECKED bd_status bd_meta(const bd_frame *frame, const bd_meta_options *options, bd_arena *arena,
                             const bd_meta_analysis **meta);

/* The tables "coefficients", "pooled" (without moderators), "heterogeneity", "studies" (a forest plot's numbers; of several effects a study, "effects"), a sentence,
 * notes, provenance. */
BD_CHECKED bd_status bd_meta_document(const bd_meta_analysis *meta, bd_arena *arena, bd_document **document);

#endif
