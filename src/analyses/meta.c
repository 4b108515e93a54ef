/* Meta-analysis of a frame: effects and variances from what was reported, pooling, resampling of studies. */
#include <math.h>
#include <string.h>

#include "meta_internal.h"

/* Which of the names, that end with NULL, it is. */
static bd_status find(const char *what, const char *name, const char *const *names, const char *list, int *at)
{
    for (*at = 0; names[*at] != NULL; ++*at)
        if (strcmp(names[*at], name) == 0)
            return BD_OK;
    return bd_fail(BD_EUSAGE, "no %s named '%s'; there are %s", what, name, list);
}

bd_status bd_measure_find(const char *name, bd_measure *measure)
{
    static const char *const names[] = {
        [BD_MEASURE_GENERIC] = "gen", [BD_MEASURE_ZCOR] = "zcor", [BD_MEASURE_COR] = "cor", NULL};
    int at = 0;
    BD_TRY(find("measure", name, names, "gen, zcor, cor", &at));
    *measure = (bd_measure)at;
    return BD_OK;
}

bd_status bd_pooling_test_find(const char *name, bd_pooling_test *test)
{
    static const char *const names[] = {[BD_POOLING_KNHA] = "knha", [BD_POOLING_KNHA_RAW] = "knha-raw",
                                        [BD_POOLING_T] = "t",       [BD_POOLING_Z] = "z",
                                        NULL};
    int at = 0;
    BD_TRY(find("test", name, names, "knha, knha-raw, t, z", &at));
    *test = (bd_pooling_test)at;
    return BD_OK;
}

static const char *study_of(const bd_frame *frame, size_t i, bd_arena *arena)
{
    const char *name = "";
    if (frame->cluster != NULL)
        return frame->cluster->levels[frame->cluster->codes[i]];
    return bd_print(arena, &name, "%zu", i + 1) == BD_OK ? name : "";
}

/* Effect i and its variance. */
static bd_status convert(const bd_frame *frame, const bd_meta_options *options, size_t i, bd_arena *arena,
                         double *effect, double *variance)
{
    const double y = frame->response[i], given = frame->extra->columns[0].values[i];
    const char *column = frame->extra->columns[0].name;
    *effect = y;
    if (options->measure == BD_MEASURE_GENERIC) {
        *variance = options->errors ? given * given : given;
        return given > 0 ? BD_OK
                         : bd_fail(BD_EDATA, "study %s has %s = %g; it must be above 0", study_of(frame, i, arena),
                                   column, given);
    }
    const double least = options->measure == BD_MEASURE_ZCOR ? 3 : 1;
    if (!(fabs(y) < 1))
        return bd_fail(BD_EDATA, "study %s has the correlation %g; correlations lie between -1 and 1",
                       study_of(frame, i, arena), y);
    if (!(given > least))
        return bd_fail(BD_EDATA, "study %s has %s = %g; the number of people must be above %g",
                       study_of(frame, i, arena), column, given, least);
    *effect = options->measure == BD_MEASURE_ZCOR ? atanh(y) : y;
    *variance = options->measure == BD_MEASURE_ZCOR ? 1 / (given - 3) : (1 - y * y) * (1 - y * y) / (given - 1);
    return BD_OK;
}

static bd_status check_studies(const bd_frame *frame, bd_arena *arena)
{
    bool *seen;
    if (frame->cluster == NULL)
        return BD_OK;
    BD_NEW(arena, seen, frame->cluster->n_levels);
    for (size_t i = 0; i < frame->n_rows; i++) {
        if (seen[frame->cluster->codes[i]])
            return bd_fail(BD_EDATA,
                           "study '%s' occurs twice in %s; effects of one study depend on each other: keep one, "
                           "or average them first",
                           frame->cluster->levels[frame->cluster->codes[i]], frame->cluster->name);
        seen[frame->cluster->codes[i]] = true;
    }
    return BD_OK;
}

static bd_status design_of(bd_meta_analysis *meta, bd_arena *arena)
{
    const bd_frame *frame = meta->frame;
    double *effects, *variances;
    const double **columns;
    const char **names;
    BD_NEW(arena, effects, frame->n_rows);
    BD_NEW(arena, variances, frame->n_rows);
    BD_NEW(arena, columns, frame->n_columns);
    BD_NEW(arena, names, frame->n_columns);
    for (size_t i = 0; i < frame->n_rows; i++)
        BD_TRY(convert(frame, &meta->options, i, arena, &effects[i], &variances[i]));
    for (size_t j = 0; j < frame->n_columns; j++) {
        columns[j] = frame->columns[j].values;
        names[j] = frame->columns[j].name;
    }
    meta->design = (bd_pooling_design){.n = frame->n_rows,
                                       .n_columns = frame->n_columns,
                                       .effects = effects,
                                       .variances = variances,
                                       .columns = columns,
                                       .names = names,
                                       .has_intercept = frame->has_intercept};
    return BD_OK;
}

static bd_replicate_end replicate(const void *context, const double *weights, double *scratch, double *values,
                                  double *errors)
{
    const bd_meta_analysis *meta = context;
    (void)errors;
    const bool found = bd_pool_replicate(&meta->design, meta->fit->estimator, weights, scratch, values);
    return found ? BD_REPLICATE_USABLE : BD_REPLICATE_COLLINEAR;
}

typedef struct levels_context {
    const bd_levels_model *model;
    const bd_groups *studies;
    size_t *row; /* one of each study */
} levels_context;

static bd_replicate_end levels_replicate(const void *context, const double *weights, double *scratch, double *values,
                                         double *errors)
{
    const levels_context *levels = context;
    (void)errors;
    for (size_t j = 0; j < levels->studies->n_levels; j++)
        scratch[j] = weights[levels->row[j]];
    const bool found = bd_levels_replicate(levels->model, scratch, scratch + levels->studies->n_levels, values);
    return found ? BD_REPLICATE_USABLE : BD_REPLICATE_DIVERGED;
}

static bd_levels_design levels_design(const bd_meta_analysis *meta)
{
    const bd_groups *studies = meta->frame->cluster;
    return (bd_levels_design){.effects = meta->design,
                              .study = studies->codes,
                              .n_studies = studies->n_levels,
                              .rho = meta->options.rho};
}

static bd_status levels_statistic(const bd_meta_analysis *meta, bd_arena *arena, bd_statistic *statistic)
{
    const bd_frame *frame = meta->frame;
    const bd_levels_design design = levels_design(meta);
    levels_context *context;
    BD_NEW(arena, context, 1);
    context->studies = frame->cluster;
    BD_TRY(bd_levels_prepare(&design, meta->options.levels.ml, arena, &context->model));
    BD_NEW(arena, context->row, frame->cluster->n_levels);
    for (size_t i = frame->n_rows; i-- > 0;)
        context->row[frame->cluster->codes[i]] = i;
    statistic->context = context;
    statistic->from_weights = levels_replicate;
    statistic->n_scratch = bd_levels_scratch(context->model) + frame->cluster->n_levels;
    return BD_OK;
}

static bd_status resample(bd_meta_analysis *meta, bd_arena *arena)
{
    const bd_columns rows = {.n_rows = meta->design.n};
    const bool several = meta->options.several;
    const size_t p = meta->design.n_columns;
    bd_frame frame = *meta->frame;
    const char **names;
    BD_NEW(arena, names, p + 2);
    memcpy(names, meta->design.names, p * sizeof *names);
    names[p] = several ? "between" : "tau2";
    names[p + 1] = "within";
    bd_statistic statistic = {.n_values = p + 1 + several,
                              .names = names,
                              .columns = &rows,
                              .from_weights = replicate,
                              .n_scratch = bd_pooling_scratch(&meta->design),
                              .context = meta};
    if (several) {
        meta->options.resampling.sampling = &bd_sampling_clusters;
        BD_TRY(levels_statistic(meta, arena, &statistic));
    } else {
        frame.cluster = NULL; /* the studies' names: each is a row */
    }
    return bd_bootstrap_frame(&frame, &statistic, NULL, &meta->options.resampling, arena, &meta->bootstrap);
}

static bd_status pool_one_each(bd_meta_analysis *meta, bd_arena *arena)
{
    BD_TRY(check_studies(meta->frame, arena));
    BD_TRY(bd_pool(&meta->design, &meta->options.pooling, arena, &meta->fit));
    if (!meta->fit->converged)
        return bd_fail(BD_ENUMERIC, "tau^2 was not found by %s; try --method dl", bd_tau_name(meta->fit->estimator));
    return BD_OK;
}

static bd_status pool_several(bd_meta_analysis *meta, bd_arena *arena)
{
    if (meta->frame->cluster == NULL)
        return bd_fail(BD_EUSAGE, "of which study is each effect? The frame has no clusters");
    const bd_levels_design design = levels_design(meta);
    BD_TRY(bd_pool_levels(&design, &meta->options.levels, arena, &meta->levels));
    if (!meta->levels->converged)
        return bd_fail(BD_ENUMERIC, "the variances between and within studies were not found");
    return BD_OK;
}

bd_status bd_meta(const bd_frame *frame, const bd_meta_options *options, bd_arena *arena, const bd_meta_analysis **out)
{
    bd_meta_analysis *meta;
    if (frame->response == NULL)
        return bd_fail(BD_EUSAGE, "the formula '%s' has no effect before '~'", frame->formula);
    BD_NEW(arena, meta, 1);
    meta->frame = frame;
    meta->options = *options;
    BD_TRY(design_of(meta, arena));
    BD_TRY(options->several ? pool_several(meta, arena) : pool_one_each(meta, arena));
    if (options->bootstrap)
        BD_TRY(resample(meta, arena));
    *out = meta;
    return BD_OK;
}
