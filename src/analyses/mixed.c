/* Mixed regression of a frame: the fit, shares of variance, contextual effects, tests of variances, the bootstrap. */
#include <bordin/analyses/mixed.h>

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include <bordin/models/ols.h>

static bd_status design_of(const bd_frame *frame, bool uncorrelated, bd_arena *arena, bd_mixed_design *design)
{
    const size_t p = frame->n_columns, q = frame->extra->n_columns;
    const double **columns;
    const char **names;
    BD_NEW(arena, columns, p + q);
    BD_NEW(arena, names, p + q);
    for (size_t j = 0; j < p + q; j++) {
        const bd_design_column *column = j < p ? &frame->columns[j] : &frame->extra->columns[j - p];
        columns[j] = column->values;
        names[j] = column->name;
    }
    *design = (bd_mixed_design){.n_rows = frame->n_rows,
                                .n_columns = p,
                                .columns = columns,
                                .names = names,
                                .has_intercept = frame->has_intercept,
                                .response = frame->response,
                                .response_name = frame->response_name,
                                .group = frame->cluster->codes,
                                .n_groups = frame->cluster->n_levels,
                                .group_name = frame->cluster->name,
                                .n_random = q,
                                .random = columns + p,
                                .random_names = names + p,
                                .uncorrelated = uncorrelated};
    return bd_frame_raw_weights(frame, arena, &design->weights);
}

/* Mean over the rows of z'Sigma z. */
static double mean_random_variance(const bd_mixed *fit, const double *covariance)
{
    double sum = 0;
    for (size_t i = 0; i < fit->n_random * fit->n_random; i++)
        sum += covariance[i] * fit->random_moments[i];
    return sum;
}

static double variance_of_fitted(const bd_frame *frame, const bd_mixed *fit)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < frame->n_rows; i++) {
        double fitted = 0;
        for (size_t j = 0; j < fit->n_columns; j++)
            fitted += fit->coefficients[j].estimate *
                      (frame->columns[j].values == NULL ? 1 : frame->columns[j].values[i]);
        const double apart = fitted - mean;
        mean += apart / (double)(i + 1);
        squares += apart * (fitted - mean);
    }
    return squares / (double)(frame->n_rows - 1);
}

static void find_shares(bd_mixed_analysis *mixed)
{
    const bd_mixed *fit = mixed->fit;
    mixed->variance_fixed = variance_of_fitted(mixed->frame, fit);
    mixed->variance_random = mean_random_variance(fit, fit->random_covariance);
    mixed->variance_residual = fit->sigma * fit->sigma;
    const double unexplained = mixed->variance_random + mixed->variance_residual;
    const double all = unexplained + mixed->variance_fixed;
    mixed->share = mixed->variance_random / unexplained;
    mixed->r2_marginal = mixed->variance_fixed / all;
    mixed->r2_conditional = (mixed->variance_fixed + mixed->variance_random) / all;
}

/* "within(x, g)" and "between(x, g)" of one x. */
static bd_status find_contextual(bd_mixed_analysis *mixed, bd_arena *arena)
{
    const bd_frame *frame = mixed->frame;
    double *weights;
    BD_NEW(arena, mixed->contextual, frame->n_columns);
    BD_NEW(arena, weights, frame->n_columns);
    for (size_t w = 0; w < frame->n_columns; w++)
        for (size_t b = 0; b < frame->n_columns; b++) {
            const char *within = frame->columns[w].name, *between = frame->columns[b].name;
            if (strncmp(within, "within(", 7) != 0 || strncmp(between, "between(", 8) != 0 ||
                strcmp(within + 7, between + 8) != 0)
                continue;
            bd_contextual *c = &mixed->contextual[mixed->n_contextual++];
            *c = (bd_contextual){.within = w, .between = b};
            BD_TRY(bd_copy_text(arena, within + 7, strcspn(within + 7, ","), &c->variable));
            memset(weights, 0, frame->n_columns * sizeof *weights);
            weights[w] = -1;
            weights[b] = 1;
            c->difference = bd_mixed_contrast(mixed->fit, weights);
        }
    return BD_OK;
}

/* -2 log-likelihood, or REML's criterion, without anything random. */
static bd_status plain_deviance(const bd_mixed_design *d, bool reml, bd_arena *arena, double *deviance)
{
    const bd_ols_design design = {.n_rows = d->n_rows,
                                  .n_columns = d->n_columns,
                                  .columns = d->columns,
                                  .names = d->names,
                                  .response = d->response,
                                  .response_name = d->response_name,
                                  .has_intercept = d->has_intercept,
                                  .weights = d->weights};
    const double **values;
    double *triangle, log_weights = 0;
    const bd_ols *fit;
    BD_TRY(bd_ols_fit(&design, &bd_se_classical, &BD_OLS_DEFAULTS, arena, &fit));
    for (size_t i = 0; d->weights != NULL && i < d->n_rows; i++)
        log_weights += d->weights[i] > 0 ? log(d->weights[i]) : 0;
    const double n = fit->df_residual + (reml ? 0 : (double)d->n_columns);
    *deviance = n * (1 + log(2 * M_PI * fit->ss_residual / n)) - log_weights;
    if (!reml)
        return BD_OK;
    BD_NEW(arena, values, d->n_columns);
    memcpy(values, d->columns, d->n_columns * sizeof *values);
    const bd_columns columns = {
        .n_rows = d->n_rows, .n_columns = d->n_columns, .values = values, .weights = d->weights};
    BD_TRY(bd_triangle_of(&columns, 1, arena, &triangle));
    for (size_t j = 0; j < d->n_columns; j++)
        *deviance += 2 * log(triangle[j * d->n_columns + j]);
    return BD_OK;
}

/* Without random coefficient j. */
static bd_status test_without(const bd_mixed_analysis *mixed, const bd_mixed_design *design, size_t j, bd_arena *arena,
                              bd_random_test *test)
{
    const size_t q = design->n_random;
    bd_mixed_design without = *design;
    const double **random;
    const char **names;
    const bd_mixed_model *model;
    const bd_mixed *fit;
    bd_mixed_options options = mixed->options.fit;
    double deviance;
    BD_NEW(arena, random, q);
    BD_NEW(arena, names, q);
    without.n_random = 0;
    for (size_t i = 0; i < q; i++)
        if (i != j) {
            random[without.n_random] = design->random[i];
            names[without.n_random++] = design->random_names[i];
        }
    without.random = random;
    without.random_names = names;
    options.satterthwaite = false;
    if (q == 1) {
        BD_TRY(plain_deviance(design, options.reml, arena, &deviance));
    } else {
        BD_TRY(bd_mixed_prepare(&without, arena, &model));
        BD_TRY(bd_mixed_fit(model, &options, arena, &fit));
        deviance = fit->end == BD_MIXED_NOT_CONVERGED ? NAN : fit->deviance;
    }
    const double df = design->uncorrelated ? 1 : (double)q, x = fmax(0, deviance - mixed->fit->deviance);
    const double low = df > 1 ? gsl_cdf_chisq_Q(x, df - 1) : x <= 0;
    *test = (bd_random_test){design->random_names[j], x, df, (low + gsl_cdf_chisq_Q(x, df)) / 2};
    return BD_OK;
}

static bd_status find_tests(bd_mixed_analysis *mixed, const bd_mixed_design *design, bd_arena *arena)
{
    BD_NEW(arena, mixed->tests, design->n_random);
    for (size_t j = design->n_random; j-- > 0;) {
        const bd_mark scratch = bd_arena_mark(arena);
        if (j == 0 && design->n_random > 1 && design->random[0] == NULL)
            break; /* a slope without an intercept is no hypothesis */
        BD_TRY(test_without(mixed, design, j, arena, &mixed->tests[mixed->n_tests++]));
        bd_arena_rewind(arena, scratch);
    }
    return BD_OK;
}

/* What replicates are made from. */
typedef struct drawing {
    const bd_mixed_model *model;
    const bd_mixed *fit;
    const size_t *first; /* n_groups: a row of each */
    size_t n_rows;
} drawing;

/* values <- coefficients, standard deviations of the random ones, sigma, the groups' share. */
static bd_replicate_end replicate(const void *context, const double *weights, double *scratch, double *values,
                                  double *errors)
{
    const drawing *d = context;
    const size_t p = d->fit->n_columns, q = d->fit->n_random, n = d->fit->n_groups;
    double *counts = scratch, *raw = counts + n, *lambda = raw + p + q * q + 1;
    (void)errors;
    for (size_t g = 0; g < n; g++)
        counts[g] = weights[d->first[g]];
    const bd_mixed_end end = bd_mixed_replicate(d->model, d->fit, counts, lambda + q * q, raw);
    if (end == BD_MIXED_NOT_CONVERGED)
        return BD_REPLICATE_DIVERGED;
    bd_mixed_relative(d->fit, raw + p, lambda);
    const double sigma = raw[p + d->fit->n_parameters];
    double random = 0;
    memcpy(values, raw, p * sizeof *values);
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j < q; j++) {
            double sum = 0;
            for (size_t l = 0; l < q; l++)
                sum += lambda[i * q + l] * lambda[j * q + l];
            random += sum * d->fit->random_moments[i * q + j];
            if (i == j)
                values[p + i] = sigma * sqrt(sum);
        }
    values[p + q] = sigma;
    values[p + q + 1] = random / (random + 1);
    return BD_REPLICATE_USABLE;
}

static bd_status resample(bd_mixed_analysis *mixed, const bd_mixed_model *model, bd_arena *arena)
{
    const bd_frame *frame = mixed->frame;
    const bd_mixed *fit = mixed->fit;
    const size_t p = fit->n_columns, q = fit->n_random;
    bd_bootstrap_options resampling = mixed->options.resampling;
    const bd_columns rows = {.n_rows = frame->n_rows};
    const char **names;
    size_t *first;
    if (resampling.sampling != NULL && resampling.sampling != &bd_sampling_rows &&
        resampling.sampling != &bd_sampling_clusters)
        return bd_fail(BD_EUSAGE, "--resample %s: of mixed models, groups are resampled, and nothing else",
                       resampling.sampling->name);
    resampling.sampling = &bd_sampling_clusters;
    BD_NEW(arena, names, p + q + 2);
    BD_NEW(arena, first, fit->n_groups);
    for (size_t i = frame->n_rows; i-- > 0;)
        first[frame->cluster->codes[i]] = i;
    for (size_t j = 0; j < p; j++)
        names[j] = frame->columns[j].name;
    for (size_t j = 0; j < q; j++)
        BD_TRY(bd_print(arena, &names[p + j], "SD %s", frame->extra->columns[j].name));
    names[p + q] = "SD residual";
    names[p + q + 1] = "share";
    const drawing context = {.model = model, .fit = fit, .first = first, .n_rows = frame->n_rows};
    const bd_statistic statistic = {.n_values = p + q + 2,
                                    .names = names,
                                    .columns = &rows,
                                    .from_weights = replicate,
                                    .n_scratch = fit->n_groups + p + 2 * q * q + 1 + bd_mixed_scratch(model),
                                    .context = &context};
    return bd_bootstrap_frame(frame, &statistic, NULL, &resampling, arena, &mixed->bootstrap);
}

bd_status bd_mix(const bd_frame *frame, const bd_mixed_analysis_options *options, bd_arena *arena,
                 const bd_mixed_analysis **out)
{
    bd_mixed_analysis *mixed;
    bd_mixed_design design;
    const bd_mixed_model *model;
    if (frame->response == NULL)
        return bd_fail(BD_EUSAGE, "the formula '%s' has no outcome before '~'", frame->formula);
    BD_NEW(arena, mixed, 1);
    mixed->frame = frame;
    mixed->options = *options;
    BD_TRY(design_of(frame, options->uncorrelated, arena, &design));
    BD_TRY(bd_mixed_prepare(&design, arena, &model));
    BD_TRY(bd_mixed_fit(model, &options->fit, arena, &mixed->fit));
    if (mixed->fit->end == BD_MIXED_NOT_CONVERGED)
        return bd_fail(BD_ENUMERIC, "the deviance has no minimum that was found in %zu iterations; try fewer coefficients "
                                    "that vary by %s, or (x || %s)",
                       mixed->fit->n_iterations, frame->cluster->name, frame->cluster->name);
    BD_NEW(arena, mixed->group_rows, frame->cluster->n_levels);
    for (size_t i = 0; i < frame->n_rows; i++)
        mixed->group_rows[frame->cluster->codes[i]]++;
    find_shares(mixed);
    BD_TRY(find_contextual(mixed, arena));
    BD_TRY(find_tests(mixed, &design, arena));
    if (options->bootstrap)
        BD_TRY(resample(mixed, model, arena));
    *out = mixed;
    return BD_OK;
}
