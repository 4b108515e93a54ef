/* Meta-analysis of a frame: effects and variances from what was reported, pooling, resampling of studies. */
#include <bordin/analyses/meta.h>

#include <math.h>
#include <string.h>

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

static bd_status resample(bd_meta_analysis *meta, bd_arena *arena)
{
    const bd_columns rows = {.n_rows = meta->design.n};
    const size_t p = meta->design.n_columns;
    bd_frame frame = *meta->frame;
    const char **names;
    BD_NEW(arena, names, p + 1);
    memcpy(names, meta->design.names, p * sizeof *names);
    names[p] = "tau2";
    frame.cluster = NULL; /* the studies' names: each is a row */
    const bd_statistic statistic = {.n_values = p + 1,
                                    .names = names,
                                    .columns = &rows,
                                    .from_weights = replicate,
                                    .n_scratch = bd_pooling_scratch(&meta->design),
                                    .context = meta};
    return bd_bootstrap_frame(&frame, &statistic, NULL, &meta->options.resampling, arena, &meta->bootstrap);
}

bd_status bd_meta(const bd_frame *frame, const bd_meta_options *options, bd_arena *arena, const bd_meta_analysis **out)
{
    bd_meta_analysis *meta;
    if (frame->response == NULL)
        return bd_fail(BD_EUSAGE, "the formula '%s' has no effect before '~'", frame->formula);
    BD_NEW(arena, meta, 1);
    meta->frame = frame;
    meta->options = *options;
    BD_TRY(check_studies(frame, arena));
    BD_TRY(design_of(meta, arena));
    BD_TRY(bd_pool(&meta->design, &options->pooling, arena, &meta->fit));
    if (!meta->fit->converged)
        return bd_fail(BD_ENUMERIC, "tau^2 was not found by %s; try --method dl", bd_tau_name(meta->fit->estimator));
    if (options->bootstrap)
        BD_TRY(resample(meta, arena));
    *out = meta;
    return BD_OK;
}
