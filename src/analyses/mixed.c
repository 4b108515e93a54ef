/* Mixed regression of a frame: the fit, shares of variance, contextual effects. */
#include <bordin/analyses/mixed.h>

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include <bordin/models/ols.h>

#include "analyses/mixed_internal.h"

bd_status mixed_join_varying(const bd_frame *frame, size_t first, bd_arena *arena, bd_mixed_term *term)
{
    const char *by = frame->varying[first].groups->name;
    const double **random = NULL;
    const char **names = NULL;
    uint8_t *blocks = NULL;
    size_t n = 0, rooms[3] = {0};
    for (size_t v = first; v < frame->n_varying; v++) {
        const bd_extra *terms = &frame->varying[v].terms;
        if (strcmp(frame->varying[v].groups->name, by) != 0)
            continue;
        for (size_t j = 0; j < terms->n_columns; j++) {
            size_t places[2] = {n, n};
            for (size_t i = 0; i < n; i++)
                if (strcmp(names[i], terms->columns[j].name) == 0)
                    return bd_fail(BD_EUSAGE, "'%s' varies by '%s' in two parts of the formula; once is enough%s", names[i],
                                   by, terms->columns[j].values == NULL ? " (0 + x leaves the intercept out)" : "");
            BD_PUSH(arena, names, places[0], rooms[0], terms->columns[j].name);
            BD_PUSH(arena, blocks, places[1], rooms[1], (uint8_t)v);
            BD_PUSH(arena, random, n, rooms[2], terms->columns[j].values);
        }
    }
    *term = (bd_mixed_term){.group = frame->varying[first].groups->codes,
                            .n_groups = frame->varying[first].groups->n_levels,
                            .group_name = by,
                            .n_random = n,
                            .random = random,
                            .random_names = names,
                            .blocks = blocks};
    return n > 0 ? BD_OK : bd_fail(BD_EUSAGE, "nothing varies by '%s' in the formula; write (1 | %s)", by, by);
}

static bd_status terms_of(const bd_frame *frame, bd_arena *arena, bd_mixed_analysis *mixed, bd_mixed_design *design)
{
    bd_mixed_term *terms;
    BD_NEW(arena, terms, frame->n_varying);
    BD_NEW(arena, mixed->shares, frame->n_varying);
    for (size_t v = 0; v < frame->n_varying; v++) {
        size_t t = 0;
        while (t < design->n_terms && strcmp(terms[t].group_name, frame->varying[v].groups->name) != 0)
            t++;
        if (t < design->n_terms)
            continue;
        BD_TRY(mixed_join_varying(frame, v, arena, &terms[t]));
        mixed->shares[design->n_terms++].groups = frame->varying[v].groups;
        mixed->n_random += terms[t].n_random;
    }
    design->terms = terms;
    return BD_OK;
}

static bd_status design_of(const bd_frame *frame, bd_arena *arena, bd_mixed_analysis *mixed, bd_mixed_design *design)
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
    *design = (bd_mixed_design){.n_rows = frame->n_rows,
                                .n_columns = p,
                                .columns = columns,
                                .names = names,
                                .has_intercept = frame->has_intercept,
                                .response = frame->response,
                                .response_name = frame->response_name};
    BD_TRY(terms_of(frame, arena, mixed, design));
    return bd_frame_raw_weights(frame, arena, &design->weights);
}

/* Mean over the rows of z'Sigma z. */
static double mean_random_variance(const bd_mixed_random *random, const double *covariance)
{
    double sum = 0;
    for (size_t i = 0; i < random->n_random * random->n_random; i++)
        sum += covariance[i] * random->moments[i];
    return sum;
}

static double fitted_value(const bd_frame *frame, const bd_mixed *fit, size_t i)
{
    double fitted = 0;
    for (size_t j = 0; j < fit->n_columns; j++)
        fitted += fit->coefficients[j].estimate * (frame->columns[j].values == NULL ? 1 : frame->columns[j].values[i]);
    return fitted;
}

static double variance_of_fitted(const bd_frame *frame, const bd_mixed *fit)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < frame->n_rows; i++) {
        const double fitted = fitted_value(frame, fit, i), apart = fitted - mean;
        mean += apart / (double)(i + 1);
        squares += apart * (fitted - mean);
    }
    return squares / (double)(frame->n_rows - 1);
}

static double random_value(const bd_mixed_term *term, size_t j, size_t i)
{
    return term->random[j] == NULL ? 1 : term->random[j][i];
}

static double form(size_t q, const double *covariance, const double *z)
{
    double sum = 0;
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j < q; j++)
            sum += z[i] * covariance[i * q + j] * z[j];
    return sum;
}

/* Means of groups of the fitted values and of z, then what is about them. */
static bd_status find_split(bd_mixed_analysis *mixed, bd_arena *arena)
{
    const bd_mixed *fit = mixed->fit;
    const bd_mixed_random *random = &fit->random[0];
    const bd_mixed_term *term = random->term;
    const size_t q = random->n_random, n = mixed->frame->n_rows, n_groups = mixed->shares[0].groups->n_levels;
    const double *rows = mixed->shares[0].rows, less = (double)(n - 1);
    const bd_mark scratch = bd_arena_mark(arena);
    double *fitted, *z, *apart, mean = 0;
    bd_mixed_split split = {.residual = mixed->variance_residual};
    BD_NEW(arena, fitted, n_groups);
    BD_NEW(arena, z, n_groups * q);
    BD_NEW(arena, apart, q);
    for (size_t i = 0; i < n; i++) {
        const uint32_t g = term->group[i];
        const double value = fitted_value(mixed->frame, fit, i);
        fitted[g] += value / rows[g];
        mean += value / (double)n;
        for (size_t j = 0; j < q; j++)
            z[g * q + j] += random_value(term, j, i) / rows[g];
    }
    for (size_t i = 0; i < n; i++) {
        const uint32_t g = term->group[i];
        const double within = fitted_value(mixed->frame, fit, i) - fitted[g];
        split.fixed_within += within * within / less;
        for (size_t j = 0; j < q; j++)
            apart[j] = random_value(term, j, i) - z[g * q + j];
        split.random_within += form(q, random->covariance, apart) / less;
    }
    for (size_t g = 0; g < n_groups; g++) {
        split.fixed_between += rows[g] * (fitted[g] - mean) * (fitted[g] - mean) / less;
        split.random_between += rows[g] * form(q, random->covariance, z + g * q) / (double)n;
    }
    mixed->split = split;
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}

static bd_status find_shares(bd_mixed_analysis *mixed, bd_arena *arena)
{
    const bd_mixed *fit = mixed->fit;
    mixed->variance_fixed = variance_of_fitted(mixed->frame, fit);
    mixed->variance_residual = fit->sigma * fit->sigma;
    for (size_t t = 0; t < fit->n_terms; t++) {
        bd_mixed_share *share = &mixed->shares[t];
        share->variance = mean_random_variance(&fit->random[t], fit->random[t].covariance);
        mixed->variance_random += share->variance;
        BD_NEW(arena, share->rows, share->groups->n_levels);
        for (size_t i = 0; i < mixed->frame->n_rows; i++)
            share->rows[share->groups->codes[i]]++;
    }
    const double unexplained = mixed->variance_random + mixed->variance_residual;
    const double all = unexplained + mixed->variance_fixed;
    for (size_t t = 0; t < fit->n_terms; t++)
        mixed->shares[t].share = mixed->shares[t].variance / unexplained;
    mixed->r2_marginal = mixed->variance_fixed / all;
    mixed->r2_conditional = (mixed->variance_fixed + mixed->variance_random) / all;
    mixed->split = (bd_mixed_split){NAN, NAN, NAN, NAN, NAN};
    return fit->n_terms == 1 ? find_split(mixed, arena) : BD_OK;
}

bd_status mixed_find_pairs(const bd_frame *frame, bd_arena *arena, bd_contextual **pairs, size_t *n)
{
    size_t room = 0;
    for (size_t w = 0; w < frame->n_columns; w++)
        for (size_t b = 0; b < frame->n_columns; b++) {
            const char *within = frame->columns[w].name, *between = frame->columns[b].name;
            bd_contextual pair = {.within = w, .between = b};
            if (strncmp(within, "within(", 7) != 0 || strncmp(between, "between(", 8) != 0 ||
                strcmp(within + 7, between + 8) != 0)
                continue;
            BD_TRY(bd_copy_text(arena, within + 7, strcspn(within + 7, ","), &pair.variable));
            BD_PUSH(arena, *pairs, *n, room, pair);
        }
    return BD_OK;
}

static bd_status find_contextual(bd_mixed_analysis *mixed, bd_arena *arena)
{
    double *weights;
    BD_TRY(mixed_find_pairs(mixed->frame, arena, &mixed->contextual, &mixed->n_contextual));
    BD_NEW(arena, weights, mixed->frame->n_columns);
    for (size_t i = 0; i < mixed->n_contextual; i++) {
        bd_contextual *c = &mixed->contextual[i];
        weights[c->within] = -1;
        weights[c->between] = 1;
        c->difference = bd_mixed_contrast(mixed->fit, weights);
        weights[c->within] = weights[c->between] = 0;
    }
    return BD_OK;
}

bd_status mixed_plain_deviance(const bd_mixed_design *d, bool reml, bd_arena *arena, double *deviance)
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

double mixed_mixture_p(double statistic, double df)
{
    const double low = df > 1 ? gsl_cdf_chisq_Q(statistic, df - 1) : statistic <= 0;
    return (low + gsl_cdf_chisq_Q(statistic, df)) / 2;
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
    BD_TRY(design_of(frame, arena, mixed, &design));
    BD_TRY(bd_mixed_prepare(&design, arena, &model));
    BD_TRY(bd_mixed_fit(model, &options->fit, arena, &mixed->fit));
    if (mixed->fit->end == BD_MIXED_NOT_CONVERGED)
        return bd_fail(BD_ENUMERIC, "the deviance has no minimum that was found in %zu iterations; try fewer coefficients "
                                    "that vary by %s, or (x || %s)",
                       mixed->fit->n_iterations, design.terms->group_name, design.terms->group_name);
    BD_TRY(find_shares(mixed, arena));
    BD_TRY(find_contextual(mixed, arena));
    if (options->tests)
        BD_TRY(mixed_test(mixed, &design, model, arena));
    if (options->profile)
        BD_TRY(bd_mixed_profile(model, mixed->fit, options->fit.n_threads, arena, &mixed->intervals,
                                &mixed->n_intervals));
    if (options->bootstrap)
        BD_TRY(mixed_resample(mixed, model, arena));
    *out = mixed;
    return BD_OK;
}
