/* What makes a design, or a choice of family and errors, unusable for a generalised linear model. */
#include <math.h>

#include "models/glm_internal.h"
#include "models/ols_internal.h"

static const double COLLINEAR = 1e-12; /* as in least squares */

static bd_status check_choice(const bd_family *family, const bd_link *link, const bd_se_estimator *se,
                              const bd_glm_options *options)
{
    const char *list = "";
    char text[256] = "";
    size_t used = 0;
    for (size_t i = 0; family->links[i] != NULL; i++) {
        if (family->links[i] == link)
            list = NULL;
        for (const char *c = i == 0 ? "" : ", "; *c != 0; c++)
            text[used++] = *c;
        for (const char *c = family->links[i]->name; *c != 0; c++)
            text[used++] = *c;
    }
    if (list != NULL)
        return bd_fail(BD_EUSAGE, "family %s does not take the link '%s'; it takes %s", family->name, link->name, text);
    if (options->firth && (family != &bd_binomial || link != &bd_logit))
        return bd_fail(BD_EUSAGE, "Firth's penalised likelihood is for family binomial with the link logit");
    if (options->firth && se != &bd_se_classical)
        return bd_fail(BD_EUSAGE, "Firth's penalised likelihood takes classical standard errors, not %s", se->name);
    if (!(options->level > 0 && options->level < 1))
        return bd_fail(BD_EUSAGE, "the level of intervals is between 0 and 1, not %g", options->level);
    return BD_OK;
}

static bd_status check_finite(const double *values, size_t n, const char *role, const char *name)
{
    for (size_t i = 0; values != NULL && i < n; i++)
        if (!isfinite(values[i]))
            return bd_fail(BD_EDATA, "%s'%s' has a value that is not a number in row %zu", role, name, i + 1);
    return BD_OK;
}

static bd_status count_rows(const bd_glm_design *design, size_t *n_used)
{
    *n_used = 0;
    for (size_t i = 0; i < design->base.n_rows; i++) {
        const double weight = design->base.weights == NULL ? 1 : design->base.weights[i];
        if (!(weight >= 0 && isfinite(weight)))
            return bd_fail(BD_EDATA, "the weight in row %zu is %g; weights are 0 or more", i + 1, weight);
        *n_used += weight > 0;
    }
    return BD_OK;
}

static bd_status check_trials(const bd_glm_design *design, const bd_family *family)
{
    const char *name = design->base.response_name;
    if (design->trials == NULL)
        return BD_OK;
    if (family->response != GLM_BINARY && family->response != GLM_SHARE)
        return bd_fail(BD_EUSAGE, "family %s takes no trials; binomial and quasi-binomial do", family->name);
    for (size_t i = 0; i < design->base.n_rows; i++) {
        const double trials = design->trials[i], successes = design->base.response[i];
        if (!(trials > 0 && isfinite(trials) && trials == floor(trials)))
            return bd_fail(BD_EDATA, "the number of trials in row %zu is %g; it is whole and 1 or more", i + 1, trials);
        if (!(successes >= 0 && successes <= trials && successes == floor(successes)))
            return bd_fail(BD_EDATA, "'%s' is %g in row %zu, of %g trials; successes are whole, from 0 to the trials",
                           name, successes, i + 1, trials);
    }
    return BD_OK;
}

static bd_status check_value(const bd_glm_design *design, const bd_family *family, size_t row)
{
    const double y = design->base.response[row];
    const char *name = design->base.response_name;
    const bool counts = family->response == GLM_COUNT;
    if (design->trials == NULL && family->response == GLM_BINARY && y != 0 && y != 1)
        return bd_fail(BD_EDATA, "'%s' is %g in row %zu; a binary outcome is 0 or 1 (or successes among trials)", name,
                       y, row + 1);
    if (design->trials == NULL && family->response == GLM_SHARE && !(y >= 0 && y <= 1))
        return bd_fail(BD_EDATA, "'%s' is %g in row %zu; a proportion is from 0 to 1", name, y, row + 1);
    if (counts && y < 0)
        return bd_fail(BD_EDATA, "'%s' is %g in row %zu; counts are 0 or more", name, y, row + 1);
    if (counts && family->known_dispersion && y != floor(y))
        return bd_fail(BD_EDATA, "'%s' is %g in row %zu; counts are whole (quasi-poisson takes amounts)", name, y,
                       row + 1);
    if (family->response == GLM_POSITIVE && !(y > 0))
        return bd_fail(BD_EDATA, "'%s' is %g in row %zu; family %s takes values above 0", name, y, row + 1,
                       family->name);
    return BD_OK;
}

/* An outcome that is always 0, or always all there is, has no finite intercept. */
static bd_status check_variety(const bd_glm_design *design, const bd_family *family)
{
    const char *name = design->base.response_name;
    bool zero = true, full = family->response == GLM_BINARY || family->response == GLM_SHARE;
    if (!full && family->response != GLM_COUNT)
        return BD_OK;
    for (size_t i = 0; i < design->base.n_rows; i++) {
        if (design->base.weights != NULL && design->base.weights[i] == 0)
            continue;
        zero = zero && design->base.response[i] == 0;
        full = full && design->base.response[i] == (design->trials ? design->trials[i] : 1);
    }
    if (zero || full)
        return bd_fail(BD_EDATA, "the outcome '%s' is %s in every row; there is nothing to tell apart", name,
                       zero ? "0" : design->trials ? "all of the trials" : "1");
    return BD_OK;
}

static bd_status check_response(const bd_glm_design *design, const bd_family *family)
{
    BD_TRY(check_finite(design->base.response, design->base.n_rows, "the response ", design->base.response_name));
    BD_TRY(check_trials(design, family));
    for (size_t i = 0; i < design->base.n_rows; i++)
        if (design->base.weights == NULL || design->base.weights[i] > 0)
            BD_TRY(check_value(design, family, i));
    for (size_t i = 0; design->offset != NULL && i < design->base.n_rows; i++)
        if (!isfinite(design->offset[i]))
            return bd_fail(BD_EDATA, "the offset in row %zu is %g; it is a finite number (a log of 0?)", i + 1,
                           design->offset[i]);
    return check_variety(design, family);
}

/* Least squares with a response that is never at fault has the sentences for columns that are. */
static bd_status name_fault(const bd_glm_design *design, bd_arena *arena)
{
    bd_ols_design base = design->base;
    const bd_ols *fit;
    double *rows;
    BD_NEW(arena, rows, base.n_rows);
    for (size_t i = 0; i < base.n_rows; i++)
        rows[i] = sin((double)i);
    base.response = rows;
    BD_TRY(bd_ols_fit(&base, &bd_se_classical, &BD_OLS_DEFAULTS, arena, &fit));
    return bd_fail(BD_ENUMERIC, "the predictors are collinear; leave one out");
}

bd_status glm_check_rank(const bd_glm_design *design, bd_arena *arena)
{
    const size_t p = design->base.n_columns;
    const bd_mark scratch = bd_arena_mark(arena);
    const double **values;
    double *triangle;
    BD_NEW(arena, values, p);
    for (size_t j = 0; j < p; j++)
        values[j] = glm_column(design, j);
    const bd_columns columns = {
        .n_rows = design->base.n_rows, .n_columns = p, .values = values, .weights = design->base.weights};
    BD_TRY(bd_triangle_of(&columns, design->base.n_threads, arena, &triangle));
    bool fine = bd_triangle_first_collinear(p, triangle, design->base.has_intercept, COLLINEAR) == p;
    for (size_t i = 0; i < p; i++)
        fine = fine && triangle[i * p + i] > 1e-150 && triangle[i * p + i] < 1e150;
    if (!fine)
        return name_fault(design, arena);
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}

bd_status glm_check(const bd_glm_design *design, const bd_family *family, const bd_link *link,
                    const bd_se_estimator *se, const bd_glm_options *options, size_t *n_used)
{
    const size_t p = design->base.n_columns;
    BD_TRY(check_choice(family, link, se, options));
    if (p == 0)
        return bd_fail(BD_EDATA, "there is nothing to estimate: no predictors and no intercept");
    if (bd_se_needs_clusters(se) && design->base.cluster == NULL)
        return bd_fail(BD_EDATA, "%s needs clusters, and none are given", bd_se_name(se));
    BD_TRY(count_rows(design, n_used));
    const size_t least = family->known_dispersion && se == &bd_se_classical ? p : p + 1;
    if (*n_used < least)
        return bd_fail(BD_EDATA,
                       "%zu coefficient%s cannot be estimated with an error from %zu row%s; it takes %zu or more", p,
                       p == 1 ? "" : "s", *n_used, *n_used == 1 ? "" : "s", least);
    for (size_t j = design->base.has_intercept; j < p; j++)
        BD_TRY(check_finite(design->base.columns[j], design->base.n_rows, "", design->base.names[j]));
    return check_response(design, family);
}
