/* Mediation from a frame: the equations, the triangle of all their columns, the bootstrap. */
#include <bordin/analyses/mediation.h>

#include <string.h>

#include <bordin/analyses/regression.h>

#include "mediation_internal.h"

/* The columns of the analysis in the order of the model: the constant, the covariates, the nodes. */
typedef struct arranged {
    const double **values;
    const char **names;
    size_t n_covariates, n_columns;
} arranged;

/* Equal but for spaces and backquotes. */
static bool same_term(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, " `");
        b += strspn(b, " `");
        if (*a != *b)
            return false;
        if (*a == '\0')
            return true;
    }
}

/* The one design column of a node of the path. */
static bd_status column_of_node(const bd_frame *frame, const char *name, const bd_design_column **column)
{
    size_t n_found = 0;
    for (size_t j = 0; j < frame->n_columns; j++) {
        const size_t term = frame->columns[j].term;
        if (term < frame->n_terms && same_term(frame->terms[term], name)) {
            *column = &frame->columns[j];
            n_found++;
        }
    }
    if (n_found == 0)
        return bd_fail(BD_EUSAGE, "'%s' stands in the path; its part in other terms must be left out", name);
    if (n_found > 1)
        return bd_fail(BD_EDATA, "'%s' has %zu categories; a path takes numbers or two categories (choose two with "
                                 "--where, or code it as a number)",
                       name, n_found + 1);
    return BD_OK;
}

static bd_status reject_text_mediators(const bd_frame *frame, const bd_path *path)
{
    for (size_t f = 0; f < frame->n_factors; f++)
        for (size_t i = 1; i + 1 < path->n_nodes; i++)
            if (same_term(frame->factors[f].name, path->names[i]))
                return bd_fail(BD_EDATA, "mediator '%s' is text; a mediator must be a number", path->names[i]);
    return BD_OK;
}

static bd_status arrange(const bd_frame *frame, const bd_path *path, bd_arena *arena, arranged *out)
{
    if (!frame->has_intercept)
        return bd_fail(BD_EUSAGE, "a mediation needs the intercept; leave '-1' out of --adjust");
    const bd_design_column *nodes[MAX_NODES];
    for (size_t i = 0; i + 1 < path->n_nodes; i++)
        BD_TRY(column_of_node(frame, path->names[i], &nodes[i]));
    BD_TRY(reject_text_mediators(frame, path));

    BD_NEW(arena, out->values, frame->n_columns + 1);
    BD_NEW(arena, out->names, frame->n_columns + 1);
    for (size_t j = 0; j < frame->n_columns; j++) {
        bool in_path = false;
        for (size_t i = 0; i + 1 < path->n_nodes; i++)
            in_path |= nodes[i] == &frame->columns[j];
        if (in_path)
            continue;
        out->values[out->n_columns] = frame->columns[j].values;
        out->names[out->n_columns++] = frame->columns[j].name;
    }
    out->n_covariates = out->n_columns - 1;
    for (size_t i = 0; i + 1 < path->n_nodes; i++) {
        out->values[out->n_columns] = nodes[i]->values;
        out->names[out->n_columns++] = nodes[i]->name;
    }
    out->values[out->n_columns] = frame->response;
    out->names[out->n_columns++] = frame->response_name;
    return BD_OK;
}

/* Column `response` on the first `n_columns` columns. */
static bd_status fit_equation(const bd_frame *frame, const arranged *columns, size_t response, size_t n_columns,
                              const bd_mediation_options *options, const bd_mediation *mediation, bd_arena *arena,
                              const bd_ols **fit)
{
    bd_ols_design design;
    BD_TRY(bd_regression_design(frame, options->n_threads, arena, &design));
    design.n_columns = n_columns;
    design.columns = columns->values;
    design.names = columns->names;
    design.response = columns->values[response];
    design.response_name = columns->names[response];
    const bd_ols_options fitting = {.level = options->level};
    return bd_while(bd_ols_fit(&design, mediation->se, &fitting, arena, fit), "the equation of %s",
                    columns->names[response]);
}

static bd_status fit_equations(const bd_frame *frame, const arranged *columns, const mediation_model *model,
                               const bd_mediation_options *options, bd_arena *arena, bd_mediation *mediation)
{
    const bd_ols **equations;
    BD_NEW(arena, equations, model->n_nodes);
    for (size_t t = 1; t < model->n_nodes; t++)
        BD_TRY(fit_equation(frame, columns, model->first + t, model->first + model->n_before[t], options, mediation,
                            arena, &equations[t]));
    BD_TRY(fit_equation(frame, columns, model->n_columns - 1, model->first + 1, options, mediation, arena,
                        &equations[0]));
    mediation->equations = equations;
    return BD_OK;
}

bd_status mediation_estimate(const mediation_model *model, const double *triangle, bd_arena *arena,
                             bd_mediation *mediation)
{
    double *estimates;
    BD_NEW(arena, estimates, model->n_values);
    if (mediation_values(model, triangle, estimates, NULL) != BD_REPLICATE_USABLE)
        return bd_fail(BD_EDATA, "the outcome '%s' is constant", model->path->names[model->n_nodes - 1]);
    mediation->n_values = model->n_values;
    mediation->n_routes = model->n_routes;
    mediation->n_contrasts = model->n_contrasts;
    mediation->names = model->names;
    mediation->estimates = estimates;
    return BD_OK;
}

/* Draws rows or clusters; or the errors of all equations. */
static bd_status resample(const bd_frame *frame, const arranged *columns, const mediation_model *model,
                          const bd_statistic *statistic, const double *triangle, const bd_mediation_options *options,
                          bd_arena *arena, bd_mediation *mediation)
{
    const bd_bootstrap_options *resampling = &options->resampling;
    if (resampling->sampling == NULL || resampling->sampling->errors == NULL)
        return bd_bootstrap_frame(frame, statistic, triangle, resampling, arena, &mediation->bootstrap);
    if (frame->strata != NULL)
        return bd_fail(BD_EUSAGE, "errors (%s) are not drawn within strata; resample rows or clusters",
                       resampling->sampling->name);
    size_t n_predictors[MAX_NODES];
    for (size_t t = 1; t < model->n_nodes; t++)
        n_predictors[t - 1] = model->first + model->n_before[t];
    const bd_residual_system system = {.columns = statistic->columns,
                                       .names = columns->names,
                                       .n_fixed = model->first + 1,
                                       .n_predictors = n_predictors,
                                       .has_intercept = true};
    return bd_bootstrap_system(&system, statistic, triangle, resampling, arena, &mediation->bootstrap);
}

bd_status bd_mediate(const bd_frame *frame, const bd_path *path, const bd_mediation_options *options, bd_arena *arena,
                     const bd_mediation **out)
{
    bd_mediation *mediation;
    BD_NEW(arena, mediation, 1);
    *mediation = (bd_mediation){
        .path = path,
        .frame = frame,
        .se = options->se ? options->se : frame->cluster ? &bd_se_cr2 : &bd_se_classical,
        .level = options->level,
        .n_rows = frame->n_rows,
    };
    arranged columns = {0};
    mediation_model *model;
    BD_TRY(arrange(frame, path, arena, &columns));
    BD_TRY(mediation_model_new(path, columns.n_covariates, arena, &model));
    mediation->n_covariates = columns.n_covariates;
    mediation->covariates = columns.names + 1;
    BD_TRY(fit_equations(frame, &columns, model, options, arena, mediation));

    const bd_columns data = {.n_rows = frame->n_rows,
                             .n_columns = columns.n_columns,
                             .values = columns.values,
                             .weights = frame->weights};
    double *triangle;
    BD_TRY(bd_triangle_of(&data, options->n_threads, arena, &triangle));
    BD_TRY(mediation_estimate(model, triangle, arena, mediation));
    BD_TRY(mediation_check(model, triangle, options, arena, mediation));
    const bd_statistic statistic = {
        .n_values = model->n_values,
        .names = model->names,
        .columns = &data,
        .constant_first = true,
        .from_moments = mediation_values,
        .context = model,
    };
    *out = mediation;
    return resample(frame, &columns, model, &statistic, triangle, options, arena, mediation);
}
