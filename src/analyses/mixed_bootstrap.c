/* Mixed regression by resampling of groups. */
#include <math.h>
#include <string.h>

#include "analyses/mixed_internal.h"

/* What replicates are made from. */
typedef struct drawing {
    const bd_mixed_model *model;
    const bd_mixed *fit;
    const size_t *first; /* a row of each part */
    size_t n_parts, n_random;
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
static bd_replicate_end replicate(const void *context, const double *weights, double *scratch, double *values,
                                  double *errors)
{
    const drawing *d = context;
    const bd_mixed *fit = d->fit;
    const size_t p = fit->n_columns, n = d->n_parts;
    double *counts = scratch, *raw = counts + n, *relative = raw + p + fit->n_parameters + 1;
    double *sds = values + p, *shares = sds + d->n_random + 1, all = 1;
    (void)errors;
    for (size_t c = 0; c < n; c++)
        counts[c] = weights[d->first[c]];
    const bd_mixed_end end = bd_mixed_replicate(d->model, fit, counts, relative + d->n_random * d->n_random, raw);
    if (end == BD_MIXED_NOT_CONVERGED)
        return BD_REPLICATE_DIVERGED;
    const double sigma = raw[p + fit->n_parameters];
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
                              "cannot be resampled",
                   mixed->shares[0].groups->name, mixed->shares[1].groups->name);
}

bd_status mixed_resample(bd_mixed_analysis *mixed, const bd_mixed_model *model, bd_arena *arena)
{
    const bd_mixed *fit = mixed->fit;
    const bd_mixed_parts parts = bd_mixed_parts_of(model);
    bd_frame frame = *mixed->frame;
    bd_bootstrap_options resampling = mixed->options.resampling;
    const bd_columns rows = {.n_rows = frame.n_rows};
    const char **names = NULL;
    size_t *first, n_values = 0;
    if (resampling.sampling != NULL && resampling.sampling != &bd_sampling_rows &&
        resampling.sampling != &bd_sampling_clusters)
        return bd_fail(BD_EUSAGE, "--resample %s: of mixed models, groups are resampled, and nothing else",
                       resampling.sampling->name);
    resampling.sampling = &bd_sampling_clusters;
    BD_TRY(independent_groups(mixed, &parts, &frame.cluster));
    BD_NEW(arena, first, parts.n);
    for (size_t i = frame.n_rows; i-- > 0;)
        first[parts.of_group[fit->random[parts.term].term->group[i]]] = i;
    BD_TRY(name_values(mixed, arena, &names, &n_values));
    const drawing context = {
        .model = model, .fit = fit, .first = first, .n_parts = parts.n, .n_random = mixed->n_random};
    const bd_statistic statistic = {.n_values = n_values,
                                    .names = names,
                                    .columns = &rows,
                                    .from_weights = replicate,
                                    .n_scratch = parts.n + fit->n_columns + fit->n_parameters + 1 +
                                                 mixed->n_random * mixed->n_random + bd_mixed_scratch(model),
                                    .context = &context};
    return bd_bootstrap_frame(&frame, &statistic, NULL, &resampling, arena, &mixed->bootstrap);
}
