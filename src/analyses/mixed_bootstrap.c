/* Mixed regression by resampling of groups, or of what is left beside the fixed part. */
#include <math.h>
#include <string.h>

#include <bordin/random/normal.h>
#include <bordin/random/philox.h>

#include "analyses/mixed_internal.h"

/* What replicates are made from. */
typedef struct drawing {
    const bd_mixed_model *model;
    const bd_mixed_drawing *errors; /* or NULL */
    bd_mixed_draw_kind kind;
    const bd_mixed *fit;
    const size_t *first; /* a row of each part, or group */
    size_t n_parts, n_random; /* parts, or groups of the finest term where these are drawn */
} drawing;

/* sds (n_random) <- standard deviations; returns the mean of z'Sigma z in units of the residual variance. */
static double random_variance(const bd_mixed *fit, size_t t, const double *parameters, double sigma, double *relative,
                              double *sds)
{
    const size_t q = fit->random[t].n_random;
    double mean = 0;
    bd_mixed_relative(fit, t, parameters, relative);
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j < q; j++) {
            double sum = 0;
            for (size_t l = 0; l < q; l++)
                sum += relative[i * q + l] * relative[j * q + l];
            mean += sum * fit->random[t].moments[i * q + j];
            if (i == j)
                sds[i] = sigma * sqrt(sum);
        }
    return mean;
}

/* values <- coefficients, standard deviations of the random ones, sigma, the terms' shares. */
static bd_replicate_end finish(const drawing *d, bd_mixed_end end, const double *raw, double *relative, double *values)
{
    const bd_mixed *fit = d->fit;
    const size_t p = fit->n_columns;
    const double sigma = raw[p + fit->n_parameters];
    double *sds = values + p, *shares = sds + d->n_random + 1, all = 1;
    if (end == BD_MIXED_NOT_CONVERGED)
        return BD_REPLICATE_DIVERGED;
    memcpy(values, raw, p * sizeof *values);
    for (size_t t = 0; t < fit->n_terms; t++) {
        shares[t] = random_variance(fit, t, raw + p, sigma, relative, sds);
        all += shares[t];
        sds += fit->random[t].n_random;
    }
    *sds = sigma;
    for (size_t t = 0; t < fit->n_terms; t++)
        shares[t] /= all;
    return BD_REPLICATE_USABLE;
}

static size_t raw_room(const drawing *d)
{
    return d->fit->n_columns + d->fit->n_parameters + 1 + d->n_random * d->n_random;
}

static bd_replicate_end replicate(const void *context, const double *weights, double *scratch, double *values,
                                  double *errors)
{
    const drawing *d = context;
    double *counts = scratch, *raw = counts + d->n_parts;
    (void)errors;
    for (size_t c = 0; c < d->n_parts; c++)
        counts[c] = weights[d->first[c]];
    const bd_mixed_end end = bd_mixed_replicate(d->model, d->fit, counts, raw + raw_room(d), raw);
    return finish(d, end, raw, raw + raw_room(d) - d->n_random * d->n_random, values);
}

/* Groups within parts that stay. */
static bd_replicate_end replicate_groups(const void *context, const double *weights, double *scratch, double *values,
                                         double *errors)
{
    const drawing *d = context;
    double *counts = scratch, *raw = counts + d->n_parts;
    (void)errors;
    for (size_t c = 0; c < d->n_parts; c++)
        counts[c] = d->first[c] == SIZE_MAX ? 0 : weights[d->first[c]];
    const bd_mixed_end end = bd_mixed_draw_groups(d->errors, counts, raw + raw_room(d), raw);
    return finish(d, end, raw, raw + raw_room(d) - d->n_random * d->n_random, values);
}

static void draw_normals(uint64_t seed, uint32_t replicate, size_t n, double *numbers)
{
    bd_random_normals(seed, replicate, BD_PURPOSE_ERRORS, n, numbers);
}

void mixed_draw_uniforms(uint64_t seed, uint32_t replicate, size_t n, double *numbers)
{
    for (size_t i = 0; i < n; i++) {
        const bd_counter counter = {(uint32_t)i, (uint32_t)((uint64_t)i >> 32), replicate, BD_PURPOSE_DRAW};
        uint32_t words[4];
        bd_philox(seed, counter, words);
        numbers[i] = (double)((uint64_t)words[0] << 21 | words[1] >> 11) * 0x1p-53;
    }
}

static void draw_signs(uint64_t seed, uint32_t replicate, size_t n, double *numbers)
{
    uint32_t words[4];
    for (size_t i = 0; i < n; i++) {
        if (i % 128 == 0)
            bd_philox(seed, (bd_counter){(uint32_t)(i / 128), 0, replicate, BD_PURPOSE_WILD}, words);
        numbers[i] = words[i % 128 / 32] >> i % 32 & 1 ? 1 : -1;
    }
}

static void (*const NUMBERS[])(uint64_t, uint32_t, size_t, double *) = {
    [BD_MIXED_PARAMETRIC] = draw_normals, [BD_MIXED_RESIDUAL] = mixed_draw_uniforms, [BD_MIXED_WILD] = draw_signs};

static bd_replicate_end drawn(const void *context, uint64_t seed, uint32_t number, double *scratch, double *values)
{
    const drawing *d = context;
    const size_t n = bd_mixed_draw_numbers(d->errors, d->kind);
    double *raw = scratch, *numbers = raw + raw_room(d);
    NUMBERS[d->kind](seed, number, n, numbers);
    const bd_mixed_end end = bd_mixed_draw(d->errors, d->kind, numbers, numbers + n, raw);
    return finish(d, end, raw, raw + raw_room(d) - d->n_random * d->n_random, values);
}

static bd_status name_values(const bd_mixed_analysis *mixed, bd_arena *arena, const char ***out, size_t *n_values)
{
    const bd_mixed *fit = mixed->fit;
    const char **names;
    size_t n = 0;
    BD_NEW(arena, names, fit->n_columns + mixed->n_random + 1 + fit->n_terms);
    for (size_t j = 0; j < fit->n_columns; j++)
        names[n++] = mixed->frame->columns[j].name;
    for (size_t t = 0; t < fit->n_terms; t++)
        for (size_t j = 0; j < fit->random[t].n_random; j++)
            BD_TRY(bd_print(arena, &names[n++], "SD %s | %s", fit->random[t].term->random_names[j],
                            fit->random[t].term->group_name));
    names[n++] = "SD residual";
    for (size_t t = 0; t < fit->n_terms; t++)
        BD_TRY(bd_print(arena, &names[n++], "share of %s", fit->random[t].term->group_name));
    *out = names;
    *n_values = n;
    return BD_OK;
}

/* The groups that share no row with others: those of the term that has as many as there are parts. */
static bd_status independent_groups(const bd_mixed_analysis *mixed, const bd_mixed_parts *parts, const bd_groups **groups)
{
    for (size_t t = 0; t < mixed->fit->n_terms; t++)
        if (mixed->shares[t].groups->n_levels == parts->n) {
            *groups = mixed->shares[t].groups;
            return BD_OK;
        }
    return bd_fail(BD_EUSAGE, "groups of '%s' and '%s' cross, so that none of them is independent of the others: they "
                              "cannot be resampled; draw errors instead (--resample parametric), or the groups of one "
                              "(--resample cluster:NAME)",
                   mixed->shares[0].groups->name, mixed->shares[1].groups->name);
}

/* What --resample can be of a mixed model. */
typedef struct resampling {
    const bd_sampling *sampling;
    bool draws;
    bd_mixed_draw_kind kind;
    const char *drawn;
} resampling;

static const resampling RESAMPLINGS[] = {
    {.sampling = &bd_sampling_clusters},
    {&bd_sampling_parametric, true, BD_MIXED_PARAMETRIC,
     "Drawn: what varies by group, and errors, normal with the fitted covariances. The predictors stay."},
    {&bd_sampling_residuals, true, BD_MIXED_RESIDUAL,
     "Drawn: the groups' predicted effects, and the rows' residuals, both centred and brought to the fitted covariances "
     "(Carpenter, Goldstein & Rasbash 2003). The predictors stay."},
    {&bd_sampling_wild, true, BD_MIXED_WILD,
     "Drawn: all that the fixed part leaves in a group, times 1 or -1; variances of groups hardly change, so their "
     "intervals are not to be used. The predictors stay."},
};

static bd_status choose(const bd_sampling *sampling, const resampling **chosen)
{
    *chosen = &RESAMPLINGS[0];
    if (sampling == NULL || sampling == &bd_sampling_rows)
        return BD_OK;
    for (size_t i = 0; i < sizeof RESAMPLINGS / sizeof *RESAMPLINGS; i++)
        if (RESAMPLINGS[i].sampling == sampling) {
            *chosen = &RESAMPLINGS[i];
            return BD_OK;
        }
    return bd_fail(BD_EUSAGE, "--resample %s: of mixed models, groups are resampled (the default), or errors drawn "
                              "(parametric, residual, wild)",
                   sampling->name);
}

/* A column is the whole name of the groups, or the last part of "therapist:patient". */
static bool is_named(const bd_groups *groups, const char *column)
{
    const size_t all = strlen(groups->name), own = strlen(column);
    return strcmp(groups->name, column) == 0 ||
           (all > own && strcmp(groups->name + all - own, column) == 0 && groups->name[all - own - 1] == ':');
}

/* The term whose groups were asked for; by default those that are independent. */
static bd_status choose_groups(const bd_mixed_analysis *mixed, const bd_mixed_model *model, const bd_mixed_parts *parts,
                               bool wild, const bd_groups **groups, bool *within)
{
    const bd_groups *asked = mixed->frame->cluster, *outer = NULL;
    *within = false;
    const bd_status status = independent_groups(mixed, parts, &outer);
    if (asked == NULL || (outer != NULL && is_named(outer, asked->name))) {
        *groups = outer;
        return status;
    }
    const size_t finest = bd_mixed_finest(model);
    *groups = mixed->shares[finest].groups;
    *within = true;
    if (wild)
        return bd_fail(BD_EUSAGE, "wild draws are of groups that share no row with others, not of '%s'", asked->name);
    return is_named(*groups, asked->name)
               ? BD_OK
               : bd_fail(BD_EUSAGE, "of the groups in the formula, %s%s%s can be drawn, not '%s'", (*groups)->name,
                         outer == NULL ? "" : " or ", outer == NULL ? "" : outer->name, asked->name);
}

bd_status mixed_find_rows(const bd_frame *frame, const uint32_t *codes, size_t n, bd_arena *arena, const size_t **rows)
{
    size_t *first;
    BD_NEW(arena, first, n);
    for (size_t c = 0; c < n; c++)
        first[c] = SIZE_MAX;
    for (size_t i = frame->n_rows; i-- > 0;)
        first[codes[i]] = i;
    *rows = first;
    return BD_OK;
}

/* The parts that groups of rows are in, as strata. */
static bd_status strata_of(const bd_mixed_analysis *mixed, const bd_mixed_parts *parts, bd_frame *frame)
{
    const bd_groups *outer = NULL;
    if (parts->n == 1)
        return BD_OK;
    BD_TRY(independent_groups(mixed, parts, &outer));
    frame->strata = outer;
    return BD_OK;
}

static bd_status draw_units(bd_mixed_analysis *mixed, const bd_mixed_model *model, bool wild, bd_frame *frame,
                            drawing *context, bd_statistic *statistic, bd_arena *arena)
{
    const bd_mixed *fit = mixed->fit;
    const bd_mixed_parts parts = bd_mixed_parts_of(model);
    bool within = false;
    BD_TRY(choose_groups(mixed, model, &parts, wild, &frame->cluster, &within));
    if (within) {
        context->n_parts = frame->cluster->n_levels;
        statistic->from_weights = replicate_groups;
        BD_TRY(strata_of(mixed, &parts, frame));
        BD_TRY(bd_mixed_drawing_new(model, fit, arena, &context->errors));
        statistic->n_scratch += bd_mixed_group_scratch(context->errors) + context->n_parts;
        return mixed_find_rows(frame, frame->cluster->codes, context->n_parts, arena, &context->first);
    }
    return BD_OK;
}

/* A row of each part. */
static bd_status find_part_rows(const bd_frame *frame, const bd_mixed *fit, const bd_mixed_parts *parts, bd_arena *arena,
                                const size_t **rows)
{
    const uint32_t *group = fit->random[parts->term].term->group;
    uint32_t *part;
    BD_NEW(arena, part, frame->n_rows);
    for (size_t i = 0; i < frame->n_rows; i++)
        part[i] = parts->of_group[group[i]];
    return mixed_find_rows(frame, part, parts->n, arena, rows);
}

bd_status mixed_resample(bd_mixed_analysis *mixed, const bd_mixed_model *model, bd_arena *arena)
{
    const bd_mixed *fit = mixed->fit;
    const bd_mixed_parts parts = bd_mixed_parts_of(model);
    bd_frame frame = *mixed->frame;
    bd_bootstrap_options options = mixed->options.resampling;
    const bd_columns rows = {.n_rows = frame.n_rows};
    const resampling *chosen = NULL;
    drawing context = {.model = model, .fit = fit, .n_parts = parts.n, .n_random = mixed->n_random};
    bd_statistic statistic = {.columns = &rows, .from_weights = replicate, .context = &context};
    const char **names = NULL;
    BD_TRY(choose(options.sampling, &chosen));
    options.sampling = chosen->sampling;
    BD_TRY(name_values(mixed, arena, &names, &statistic.n_values));
    statistic.names = names;
    BD_TRY(find_part_rows(&frame, fit, &parts, arena, &context.first));
    statistic.n_scratch = parts.n + raw_room(&context) + bd_mixed_scratch(model);
    if (!chosen->draws || chosen->kind == BD_MIXED_WILD)
        BD_TRY(draw_units(mixed, model, chosen->draws, &frame, &context, &statistic, arena));
    if (chosen->draws) {
        BD_TRY(bd_mixed_drawing_new(model, fit, arena, &context.errors));
        context.kind = chosen->kind;
        statistic.from_draws = drawn;
        statistic.drawn = chosen->drawn;
        statistic.n_scratch += bd_mixed_draw_numbers(context.errors, context.kind) + bd_mixed_drawing_scratch(context.errors);
    }
    return bd_bootstrap_frame(&frame, &statistic, NULL, &options, arena, &mixed->bootstrap);
}
