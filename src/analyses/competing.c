/* Competing risks: shares by group with Gray's test; cause-specific hazards and Fine and Gray's regression. */
#include <bordin/analyses/competing.h>

#include <math.h>
#include <string.h>

#include "analyses/competing_bootstrap.h"
#include "analyses/survival_profiles.h"
#include "analyses/survival_times.h"

static bd_survival_rows rows_of(const bd_survival_data *data)
{
    const bd_cox_design *design = &data->design;
    return (bd_survival_rows){.n_rows = design->n_rows, .start = design->start, .stop = design->stop,
                              .event = data->cause, .weights = design->weights, .cluster = design->cluster,
                              .n_clusters = design->n_clusters};
}

static bd_status select_causes(const bd_survival_data *data, const char *only, bd_arena *arena,
                               bd_competing *competing, bd_competing_cause **out)
{
    bd_competing_cause *causes;
    const char *names = "";
    BD_NEW(arena, causes, data->n_causes + 1);
    for (size_t k = 0; k < data->n_causes; k++) {
        BD_TRY(bd_print(arena, &names, "%s%s'%s'", names, k > 0 ? ", " : "", data->causes[k]));
        if (only == NULL || strcmp(only, data->causes[k]) == 0)
            causes[competing->n_causes++] = (bd_competing_cause){.number = k + 1, .name = data->causes[k]};
    }
    if (competing->n_causes == 0)
        return bd_fail(BD_EDATA, "--cause: no row has %s '%s'; there are %s", data->event, only ? only : "", names);
    competing->causes = *out = causes;
    return BD_OK;
}

static double common_horizon(const bd_incidence *incidence)
{
    double horizon = INFINITY;
    for (size_t g = 0; g < incidence->n_curves; g++) {
        const bd_incidence_curve *curve = &incidence->curves[g];
        if (curve->n_times > 0)
            horizon = fmin(horizon, curve->times[curve->n_times - 1]);
    }
    return horizon;
}

static bd_status find_shares(bd_competing *competing, bd_competing_cause *causes, bd_arena *arena)
{
    const bd_survival_data *data = competing->data;
    bd_survival_curve_options curve = BD_SURVIVAL_CURVE_DEFAULTS;
    bd_survival_rows rows = rows_of(data);
    BD_TRY(survival_groups(data, arena, &competing->groups, &competing->n_groups));
    rows.group = data->design.strata;
    rows.group_names = competing->groups;
    rows.n_groups = competing->n_groups;
    curve.level = competing->options.level;
    BD_TRY(bd_incidence_find(&rows, data->n_causes, &curve, arena, &competing->incidence));
    for (size_t k = 0; k < competing->n_causes; k++)
        if (competing->n_groups > 1 && rows.start == NULL && rows.weights == NULL)
            BD_TRY(bd_gray_test(&rows, data->n_causes, causes[k].number, competing->options.rho, arena,
                                &causes[k].test));
    return survival_times(common_horizon(competing->incidence), arena, &competing->options.times,
                          &competing->options.n_times);
}

static bd_status fit_specific(const bd_competing *competing, const bd_cox_options *fitting, bd_arena *arena,
                              bd_competing_cause *cause, competing_model *model)
{
    const bd_survival_data *data = competing->data;
    bd_cox_design design = data->design;
    double *event;
    BD_NEW(arena, event, design.n_rows);
    for (size_t i = 0; i < design.n_rows; i++)
        event[i] = data->cause[i] == (double)cause->number;
    design.event = event;
    design.n_threads = competing->options.n_threads;
    model->design = design;
    return bd_while(bd_cox_fit(&design, fitting, arena, &cause->specific), "%s '%s'", data->event, cause->name);
}

static bd_status expand(const bd_fine_gray *rows, const double *values, bd_arena *arena, const double **out)
{
    double *expanded;
    *out = NULL;
    if (values == NULL)
        return BD_OK;
    BD_NEW(arena, expanded, rows->n_rows);
    for (size_t i = 0; i < rows->n_rows; i++)
        expanded[i] = values[rows->row[i]];
    *out = expanded;
    return BD_OK;
}

/* The groups of the rows that each came from; without groups each row is one. */
static bd_status expand_codes(const bd_fine_gray *rows, const uint32_t *codes, bd_arena *arena, const uint32_t **out)
{
    uint32_t *expanded;
    BD_NEW(arena, expanded, rows->n_rows);
    for (size_t i = 0; i < rows->n_rows; i++)
        expanded[i] = codes != NULL ? codes[rows->row[i]] : (uint32_t)rows->row[i];
    *out = expanded;
    return BD_OK;
}

static bd_status fit_subdistribution(const bd_competing *competing, const bd_cox_options *fitting, bd_arena *arena,
                                     bd_competing_cause *cause, competing_model *model)
{
    const bd_survival_data *data = competing->data;
    const bd_survival_prediction_options *prediction = &competing->options.prediction;
    const bd_fine_gray *expanded = NULL;
    bd_survival_rows rows = rows_of(data);
    bd_cox_options by_row = *fitting;
    bd_cox_design design = data->design;
    const double **columns;
    if (rows.start != NULL && (prediction->n_profiles > 0 || prediction->baseline))
        return bd_fail(BD_EUSAGE, "shares of profiles are by Fine and Gray's model, of rows that are at risk from 0");
    if (rows.start != NULL)
        return BD_OK;
    rows.strata = design.strata;
    rows.n_strata = design.n_strata;
    BD_TRY(bd_fine_gray_rows(&rows, data->n_causes, cause->number, arena, &expanded));
    BD_NEW(arena, columns, design.n_columns);
    for (size_t j = 0; j < design.n_columns; j++)
        BD_TRY(expand(expanded, data->design.columns[j], arena, &columns[j]));
    BD_TRY(expand(expanded, data->design.offset, arena, &design.offset));
    BD_TRY(expand_codes(expanded, data->design.cluster, arena, &design.cluster));
    if (design.strata != NULL)
        BD_TRY(expand_codes(expanded, data->design.strata, arena, &design.strata));
    design.n_clusters = data->design.cluster != NULL ? data->design.n_clusters : data->design.n_rows;
    design.n_rows = expanded->n_rows;
    design.columns = columns;
    design.start = expanded->start;
    design.stop = expanded->stop;
    design.event = expanded->event;
    design.weights = expanded->weights;
    design.id = NULL;
    design.n_threads = competing->options.n_threads;
    by_row.se = BD_COX_ROBUST;
    by_row.no_concordance = true;
    model->design = design;
    model->expanded = expanded;
    BD_TRY(bd_while(bd_cox_fit(&design, &by_row, arena, &cause->subdistribution), "Fine and Gray's model of %s '%s'",
                    data->event, cause->name));
    return survival_predict(data, &design, cause->subdistribution, prediction, arena,
                            &cause->predictions);
}

bd_status bd_compete(const bd_survival_data *data, const bd_competing_options *options, bd_arena *arena,
                     const bd_competing **out)
{
    bd_competing *competing;
    bd_competing_cause *causes = NULL;
    competing_model *models;
    bd_cox_options fitting = BD_COX_DEFAULTS;
    if (data->cause == NULL)
        return bd_fail(BD_EUSAGE, "the data were not made with causes: bd_survival_spec.competing");
    if (options->ties == BD_COX_EXACT)
        return bd_fail(BD_EUSAGE, "competing risks take ties by efron or breslow, not exact");
    BD_NEW(arena, competing, 1);
    *competing = (bd_competing){.data = data, .options = *options};
    BD_TRY(select_causes(data, options->cause, arena, competing, &causes));
    *out = competing;
    if (data->design.n_columns == 0 && data->design.offset != NULL)
        return bd_fail(BD_EUSAGE, "shares are for formulas without predictors and without an offset");
    if (data->design.n_columns == 0 && options->bootstrap)
        return bd_fail(BD_EUSAGE, "--boot is for formulas with predictors");
    if (data->design.n_columns == 0)
        return find_shares(competing, causes, arena);
    fitting.level = options->level;
    fitting.ties = options->ties;
    fitting.se = options->robust || data->cluster != NULL ? BD_COX_ROBUST : BD_COX_MODEL;
    BD_NEW(arena, models, 2 * competing->n_causes);
    for (size_t k = 0; k < competing->n_causes; k++) {
        BD_TRY(fit_specific(competing, &fitting, arena, &causes[k], &models[2 * k]));
        BD_TRY(fit_subdistribution(competing, &fitting, arena, &causes[k], &models[2 * k + 1]));
    }
    return options->bootstrap ? competing_resample(competing, models, arena, &competing->bootstrap) : BD_OK;
}
