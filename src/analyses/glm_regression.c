/* Generalised regression of a frame: the fit, the marginal effects that mean something, and the classification. */
#include <bordin/analyses/glm_regression.h>

#include <ctype.h>
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include <bordin/analyses/regression.h>

static bool is_word_part(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.';
}

/* Does the text hold the name, not as a part of another? */
static bool mentions(const char *text, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = strstr(text, name); at != NULL; at = strstr(at + 1, name))
        if ((at == text || !is_word_part(at[-1])) && !is_word_part(at[length]))
            return true;
    return false;
}

/* A term that shares a variable with another cannot be moved alone: x beside x:z, or beside x^2. */
static bool stands_alone(const bd_frame *frame, size_t term)
{
    const char *text = frame->terms[term];
    if (strchr(text, ':') != NULL)
        return false;
    for (size_t other = 0; other < frame->n_terms; other++)
        if (other != term && (mentions(frame->terms[other], text) || mentions(text, frame->terms[other])))
            return false;
    return true;
}

static bd_status find_margins(bd_glm_regression *regression, bd_arena *arena)
{
    const bd_frame *frame = regression->frame;
    size_t *terms;
    bool *has_margin;
    BD_NEW(arena, terms, frame->n_columns);
    BD_NEW(arena, has_margin, frame->n_columns);
    for (size_t j = 0; j < frame->n_columns; j++) {
        terms[j] = frame->columns[j].term;
        has_margin[j] = terms[j] != SIZE_MAX && stands_alone(frame, terms[j]);
    }
    regression->has_margin = has_margin;
    return bd_glm_margins(&regression->design, regression->fit, terms, arena, &regression->margins);
}

/* The fit without the columns of a term: likelihood ratio, or F of the deviances where the dispersion is estimated. */
static bd_status find_ratio(const bd_glm_regression *regression, bd_arena *arena, bd_term_test *test)
{
    const bd_glm *fit = regression->fit, *reduced;
    const size_t p = fit->n_columns;
    bd_glm_design design = regression->design;
    const bd_glm_options fitting = {.level = regression->options.level,
                                    .max_iterations = regression->options.max_iterations};
    const double **columns;
    const char **names;
    BD_NEW(arena, columns, p);
    BD_NEW(arena, names, p);
    design.base.n_columns = 0;
    for (size_t j = 0; j < p; j++) {
        if (j >= test->first && j < test->first + test->n_columns)
            continue;
        columns[design.base.n_columns] = regression->design.base.columns[j];
        names[design.base.n_columns++] = regression->design.base.names[j];
    }
    design.base.columns = columns;
    design.base.names = names;
    if (design.base.n_columns == 0)
        return BD_OK;
    BD_TRY(bd_glm_fit(&design, fit->family, fit->link, &bd_se_classical, &fitting, arena, &reduced));
    if (reduced->end == BD_GLM_NOT_CONVERGED || reduced->end == BD_GLM_SEPARATED)
        return BD_OK;
    if (bd_family_known_dispersion(fit->family)) {
        test->ratio = fmax(0, 2 * (fit->log_likelihood - reduced->log_likelihood));
        test->ratio_p = gsl_cdf_chisq_Q(test->ratio, test->df);
        return BD_OK;
    }
    test->ratio = fmax(0, reduced->deviance - fit->deviance) / test->df / fit->dispersion;
    test->ratio_p = gsl_cdf_fdist_Q(test->ratio, test->df, fit->df_residual);
    return BD_OK;
}

static bd_status test_terms(bd_glm_regression *regression, const double *estimates, double df, bd_arena *arena)
{
    const bd_glm *fit = regression->fit;
    const bd_term_fit tested = {
        .estimates = estimates, .covariance = fit->covariance, .n_parameters = fit->n_columns, .df_residual = df};
    bd_term_tests *terms;
    BD_TRY(bd_term_tests_make(regression->frame, &tested, arena, &terms));
    const bool ratios = fit->se == &bd_se_classical && !fit->firth && fit->n_rows <= BD_GLM_RATIO_ROWS;
    regression->terms = terms->some_joint || ratios ? terms : NULL;
    for (size_t t = 0; ratios && t < terms->n; t++) {
        const bd_mark scratch = bd_arena_mark(arena);
        BD_TRY(find_ratio(regression, arena, &terms->tests[t]));
        bd_arena_rewind(arena, scratch);
    }
    return BD_OK;
}

/* What follows from estimates and their covariance: tests of terms, predictions. */
static bd_status follow(bd_glm_regression *regression, bd_arena *arena)
{
    const bd_glm *fit = regression->fit;
    const bool share = regression->options.family == &bd_binomial || regression->options.family == &bd_quasi_binomial;
    const bd_index index = bd_linear_index(regression->frame, fit->link, share ? "Probability" : "Mean");
    const double df = !fit->uses_t                     ? INFINITY
                      : bd_se_needs_clusters(fit->se) ? (double)regression->frame->cluster->n_levels - 1
                                                      : fit->df_residual;
    double *estimates;
    BD_NEW(arena, estimates, fit->n_columns);
    for (size_t j = 0; j < fit->n_columns; j++)
        estimates[j] = fit->coefficients[j].estimate;
    BD_TRY(test_terms(regression, estimates, df, arena));
    if (regression->options.profiles == NULL)
        return BD_OK;
    const bd_parameters at = {.estimates = estimates, .covariance = fit->covariance, .df = df};
    return bd_predict(&index, regression->options.profiles, &at, regression->options.level, arena,
                      &regression->predictions);
}

static bd_replicate_end replicate(const void *context, const double *weights, double *scratch, double *values,
                                  double *errors)
{
    static const bd_replicate_end ends[] = {[BD_GLM_REPLICATE_CONVERGED] = BD_REPLICATE_USABLE,
                                            [BD_GLM_REPLICATE_COLLINEAR] = BD_REPLICATE_COLLINEAR,
                                            [BD_GLM_REPLICATE_SEPARATED] = BD_REPLICATE_SEPARATED,
                                            [BD_GLM_REPLICATE_NOT_CONVERGED] = BD_REPLICATE_DIVERGED};
    (void)errors;
    return ends[bd_glm_replicate(context, weights, scratch, values)];
}

static bd_status resample(bd_glm_regression *regression, bd_arena *arena)
{
    const bd_columns rows = {.n_rows = regression->frame->n_rows};
    const bd_glm_prepared *prepared;
    BD_TRY(bd_while(bd_glm_prepare(&regression->design, regression->fit, arena, &prepared), "--boot"));
    const bd_statistic statistic = {
        .n_values = prepared->n_columns,
        .names = regression->design.base.names,
        .columns = &rows,
        .from_weights = replicate,
        .n_scratch = prepared->n_scratch,
        .context = prepared,
    };
    const bd_statistic *longer;
    BD_TRY(bd_predictions_statistic(regression->predictions, &statistic, arena, &longer));
    return bd_bootstrap_frame(regression->frame, longer, NULL, &regression->options.resampling, arena,
                              &regression->bootstrap);
}

static bd_status check_end(const bd_glm *fit)
{
    if (fit->end == BD_GLM_NOT_CONVERGED)
        return bd_fail(BD_ENUMERIC, "the fit did not converge in %zu iterations", fit->n_iterations);
    if (fit->end != BD_GLM_SEPARATED)
        return BD_OK;
    return bd_fail(BD_ENUMERIC, "%s %s the outcomes apart without error in %zu of %zu rows: the likelihood has no maximum, "
                                "and estimates would be infinite.%s",
                   fit->separation->predictors, strchr(fit->separation->predictors, ' ') == NULL ? "tells" : "tell",
                   fit->separation->n_rows, fit->n_used,
                   fit->family == &bd_binomial && fit->link == &bd_logit
                       ? " Leave it out, join categories, or use Firth's penalised likelihood (--firth)"
                       : " Leave it out, or join categories");
}

bd_status bd_glm_regress(const bd_frame *frame, const bd_glm_regression_options *options, bd_arena *arena,
                         const bd_glm_regression **out)
{
    if (frame->response == NULL)
        return bd_fail(BD_EUSAGE, "the formula '%s' has no outcome before '~'", frame->formula);
    bd_glm_regression *regression;
    BD_NEW(arena, regression, 1);
    regression->frame = frame;
    regression->options = *options;
    const bd_se_estimator *se = options->se;
    if (se == NULL)
        se = frame->cluster && !options->firth ? &bd_se_cr2 : &bd_se_classical;
    BD_TRY(bd_regression_design(frame, options->n_threads, arena, &regression->design.base));
    BD_TRY(bd_frame_raw_weights(frame, arena, &regression->design.base.weights));
    regression->design.offset = frame->offset;
    regression->design.trials = frame->trials;
    const bd_glm_options fitting = {
        .level = options->level, .max_iterations = options->max_iterations, .firth = options->firth};
    BD_TRY(bd_glm_fit(&regression->design, options->family, options->link, se, &fitting, arena, &regression->fit));
    regression->options.se = se;
    regression->options.link = regression->fit->link;
    BD_TRY(check_end(regression->fit));
    BD_TRY(find_margins(regression, arena));
    if (options->family == &bd_binomial)
        BD_TRY(bd_glm_classify(&regression->design, regression->fit, arena, &regression->classification));
    BD_TRY(follow(regression, arena));
    if (options->bootstrap)
        BD_TRY(resample(regression, arena));
    *out = regression;
    return BD_OK;
}
