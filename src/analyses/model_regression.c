/* Models of one table: from a frame to a fit, and its bootstrap. */
#include <bordin/analyses/model_regression.h>

#include <math.h>
#include <string.h>

#include <bordin/models/ordinal.h>
#include <bordin/models/proportions.h>
#include <bordin/models/robust.h>
#include <bordin/models/zero_inflated.h>

#include "model_regression_internal.h"

static const char *const share_links[] = {"logit", "probit", "cloglog", "loglog", "cauchit", "log", NULL};
static const char *const sandwich_errors[] = {"classical", "hc0", "cr0", "cr1", NULL};
static const char *const quantile_errors[] = {"nid", "iid", "ker", NULL};

static const bd_model ordinal = {
    .name = "ordinal",
    .title = "Ordinal regression",
    .summary = "ordered categories, numbers or text in the order of --levels: cumulative odds",
    .links = bd_ordinal_links,
    .errors = sandwich_errors,
    .categories = true,
    .ordered = true,
    .offset = true,
    .fit = model_ordinal,
};

static const bd_model multinomial = {
    .name = "multinomial",
    .title = "Multinomial regression",
    .summary = "categories without an order, each against one of them",
    .errors = sandwich_errors,
    .categories = true,
    .fit = model_multinomial,
};

static const bd_model beta = {
    .name = "beta",
    .title = "Beta regression",
    .summary = "shares between 0 and 1; terms of their precision by --dispersion",
    .links = share_links,
    .errors = sandwich_errors,
    .second = "dispersion",
    .offset = true,
    .fit = model_proportion,
    .variant = &bd_beta,
};

static const bd_model beta_binomial = {
    .name = "beta-binomial",
    .title = "Beta-binomial regression",
    .summary = "successes among trials that vary more than the binomial's; terms of it by --dispersion",
    .links = share_links,
    .errors = sandwich_errors,
    .second = "dispersion",
    .trials = true,
    .offset = true,
    .fit = model_proportion,
    .variant = &bd_beta_binomial,
};

static const bd_model zip = {
    .name = "zip",
    .title = "Zero-inflated Poisson regression",
    .summary = "counts with zeros beside Poisson's, which have terms of their own by --zeros",
    .errors = sandwich_errors,
    .second = "zeros",
    .offset = true,
    .fit = model_zero_inflated,
    .variant = &bd_zero_inflated_poisson,
};

static const bd_model zinb = {
    .name = "zinb",
    .title = "Zero-inflated negative binomial regression",
    .summary = "counts with zeros beside those of the negative binomial, by --zeros too",
    .errors = sandwich_errors,
    .second = "zeros",
    .offset = true,
    .fit = model_zero_inflated,
    .variant = &bd_zero_inflated_negbin,
};

static const bd_model huber = {
    .name = "huber",
    .title = "Robust regression",
    .summary = "Huber's M estimate: outlying outcomes count less",
    .errors = sandwich_errors,
    .fit = model_robust,
    .variant = &bd_robust_huber,
};

static const bd_model bisquare = {
    .name = "bisquare",
    .title = "Robust regression",
    .summary = "M estimate by Tukey's bisquare: the farthest outcomes count nothing",
    .errors = sandwich_errors,
    .fit = model_robust,
    .variant = &bd_robust_bisquare,
};

static const bd_model mm = {
    .name = "mm",
    .title = "Robust regression",
    .summary = "MM estimate: bears outlying predictors too, up to half of the rows",
    .errors = sandwich_errors,
    .fit = model_robust,
    .variant = &bd_robust_mm,
};

static const bd_model quantile = {
    .name = "quantile",
    .title = "Quantile regression",
    .summary = "a quantile of the outcome, by --tau: the median unless given",
    .errors = quantile_errors,
    .tau = true,
    .fit = model_quantile,
};

const bd_model *const bd_models[] = {&ordinal, &multinomial, &beta,     &beta_binomial, &zip, &zinb,
                                     &huber,   &bisquare,    &mm,       &quantile,      NULL};

bd_status bd_model_find(const char *name, const bd_family **family, const bd_model **model)
{
    char list[512] = "";
    size_t used = 0;
    *family = NULL;
    *model = NULL;
    for (size_t i = 0; bd_families[i] != NULL; i++) {
        if (strcmp(bd_family_name(bd_families[i]), name) == 0) {
            *family = bd_families[i];
            return BD_OK;
        }
        used += (size_t)snprintf(list + used, sizeof list - used, "%s, ", bd_family_name(bd_families[i]));
    }
    for (size_t i = 0; bd_models[i] != NULL; i++) {
        if (strcmp(bd_models[i]->name, name) == 0) {
            *model = bd_models[i];
            return BD_OK;
        }
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", bd_models[i]->name);
    }
    return bd_fail(BD_EUSAGE, "no family named '%s'; there are %s", name, list);
}

void bd_model_spec(const bd_model *model, bd_frame_spec *spec)
{
    spec->categories = model->categories;
    spec->counts = model->trials;
    if (model->second != NULL && spec->extra == NULL)
        spec->extra = "1";
}

/* `name`, or the first of the list. */
static bd_status choose(const char *what, const char *name, const char *const *list, const bd_model *model,
                        const char **chosen)
{
    char names[256] = "";
    size_t used = 0;
    *chosen = name == NULL && list != NULL ? list[0] : name;
    if (name == NULL)
        return BD_OK;
    if (list == NULL)
        return bd_fail(BD_EUSAGE, "%s %s: family %s has none to choose", what, name, model->name);
    for (size_t i = 0; list[i] != NULL; i++) {
        if (strcmp(list[i], name) == 0)
            return BD_OK;
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "", list[i]);
    }
    return bd_fail(BD_EUSAGE, "%s %s is not defined for family %s; there are %s", what, name, model->name, names);
}

static bd_status settle_options(bd_model_regression *regression)
{
    bd_model_options *options = &regression->options;
    const bd_model *model = regression->model;
    const bool clusters = regression->frame->cluster != NULL && model->errors == sandwich_errors;
    BD_TRY(choose("--link", options->link, model->links, model, &options->link));
    BD_TRY(choose("--se", options->se == NULL && clusters ? "cr1" : options->se, model->errors, model, &options->se));
    return model->errors == sandwich_errors ? bd_se_find(options->se, &regression->se) : BD_OK;
}

/* Draws count each row as often as its weight has it. */
static bd_replicate_end replicate(const void *context, const double *weights, double *scratch, double *values,
                                  double *errors)
{
    const bd_model_replicate *r = context;
    bd_replicate_end end;
    (void)errors;
    if (r->weights == NULL) {
        end = r->of(r, weights, scratch, values);
    } else {
        double *products = scratch + r->n_scratch;
        for (size_t i = 0; i < r->n_rows; i++)
            products[i] = weights[i] * r->weights[i];
        end = r->of(r, products, scratch, values);
    }
    for (size_t j = 0; end == BD_REPLICATE_USABLE && j < r->n_values; j++)
        if (!isfinite(values[j]))
            end = BD_REPLICATE_DIVERGED;
    return end;
}

/* "alliance", "cbt: alliance", "zeros: alliance". */
static bd_status value_names(const bd_model_regression *regression, bd_arena *arena, const char ***out)
{
    const char **names;
    size_t n = 0;
    BD_NEW(arena, names, regression->n_values);
    for (size_t e = 0; e < regression->n_equations; e++)
        for (size_t j = 0; j < regression->equations[e].n_rows; j++) {
            const bd_model_row *row = &regression->equations[e].rows[j];
            const char *group = e > 0 ? regression->equations[e].id : row->category;
            names[n++] = row->term;
            if (group != NULL)
                BD_TRY(bd_print(arena, &names[n - 1], "%s: %s", group, row->term));
        }
    *out = names;
    return BD_OK;
}

static bd_status predict(bd_model_regression *regression, bd_arena *arena)
{
    const bd_model_options *options = &regression->options;
    double *estimates;
    size_t n = 0;
    if (options->profiles == NULL)
        return BD_OK;
    BD_NEW(arena, estimates, regression->n_values);
    for (size_t e = 0; e < regression->n_equations; e++)
        for (size_t j = 0; j < regression->equations[e].n_rows; j++)
            estimates[n++] = regression->equations[e].rows[j].estimate;
    const double df = regression->equations[0].n_rows > 0 ? regression->equations[0].rows[0].df : NAN;
    const bd_parameters at = {
        .estimates = estimates, .covariance = regression->covariance, .df = isnan(df) ? INFINITY : df};
    regression->index.n_parameters = regression->n_values;
    return bd_predict(&regression->index, options->profiles, &at, options->level, arena, &regression->predictions);
}

static bd_status resample(bd_model_regression *regression, bd_arena *arena)
{
    const bd_columns rows = {.n_rows = regression->frame->n_rows};
    bd_model_replicate *r = &regression->replicate;
    const char **names = NULL;
    BD_TRY(value_names(regression, arena, &names));
    r->n_rows = regression->frame->n_rows;
    r->n_values = regression->n_values;
    r->weights = regression->weights;
    const bd_statistic statistic = {
        .n_values = regression->n_values,
        .names = names,
        .columns = &rows,
        .from_weights = replicate,
        .n_scratch = r->n_scratch + (r->weights != NULL ? r->n_rows : 0),
        .context = r,
    };
    const bd_statistic *longer;
    BD_TRY(bd_predictions_statistic(regression->predictions, &statistic, arena, &longer));
    return bd_bootstrap_frame(regression->frame, longer, NULL, &regression->options.resampling, arena,
                              &regression->bootstrap);
}

bd_status bd_model_regress(const bd_frame *frame, const bd_model *model, const bd_model_options *options,
                           bd_arena *arena, const bd_model_regression **out)
{
    bd_model_regression *regression;
    if (frame->response_name == NULL)
        return bd_fail(BD_EUSAGE, "the formula '%s' has no outcome before '~'", frame->formula);
    BD_NEW(arena, regression, 1);
    regression->frame = frame;
    regression->model = model;
    regression->options = *options;
    regression->whole_statistic = regression->whole_p = regression->whole_df_residual = NAN;
    BD_TRY(settle_options(regression));
    BD_TRY(bd_frame_raw_weights(frame, arena, &regression->weights));
    BD_TRY(model->fit(regression, arena));
    BD_TRY(predict(regression, arena));
    if (options->bootstrap)
        BD_TRY(resample(regression, arena));
    *out = regression;
    return BD_OK;
}
