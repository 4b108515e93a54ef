/* The bootstrap of proportional hazards: rows, patients with all their intervals, or clusters are drawn. */
#include "survival_bootstrap.h"

#include <math.h>

bd_replicate_end survival_replicate_end(bd_cox_replicate_end end)
{
    static const bd_replicate_end ends[] = {[BD_COX_REPLICATE_CONVERGED] = BD_REPLICATE_USABLE,
                                            [BD_COX_REPLICATE_COLLINEAR] = BD_REPLICATE_COLLINEAR,
                                            [BD_COX_REPLICATE_INFINITE] = BD_REPLICATE_SEPARATED,
                                            [BD_COX_REPLICATE_NOT_CONVERGED] = BD_REPLICATE_DIVERGED};
    return ends[end];
}

static bd_replicate_end replicate(const void *context, const double *weights, double *scratch, double *values,
                                  double *errors)
{
    (void)errors;
    return survival_replicate_end(bd_cox_replicate(context, weights, scratch, values));
}

/* The frame as the engine shall see it: patients are clusters of their rows, and strata of the model are none of the
 * sampling. */
static bd_status drawn_frame(const bd_survival_data *data, bd_arena *arena, bd_frame *frame)
{
    bd_groups *patients;
    *frame = *data->frame;
    frame->strata = NULL;
    if (frame->cluster != NULL || data->design.id == NULL)
        return BD_OK;
    BD_NEW(arena, patients, 1);
    *patients = (bd_groups){
        .name = data->id, .codes = data->design.id, .levels = data->design.id_levels, .n_levels = data->design.n_ids};
    frame->cluster = patients;
    return BD_OK;
}

bd_status survival_draw(const bd_survival_data *data, const bd_statistic *statistic,
                        const bd_bootstrap_options *options, bd_arena *arena, const bd_bootstrap_result **out)
{
    bd_bootstrap_options resampling = *options;
    bd_frame frame;
    BD_TRY(drawn_frame(data, arena, &frame));
    if (data->design.start != NULL && frame.cluster == NULL)
        return bd_fail(BD_EUSAGE,
                       "rows that are intervals belong together by patient: name the column of patients (--id)");
    if (frame.cluster != NULL && (options->sampling == NULL || options->sampling == &bd_sampling_rows))
        resampling.sampling = &bd_sampling_clusters;
    return bd_bootstrap_frame(&frame, statistic, NULL, &resampling, arena, out);
}

bd_status survival_resample(const bd_survival_data *data, const bd_cox_design *design, const bd_cox *fit,
                            const bd_bootstrap_options *options, bd_arena *arena, const bd_bootstrap_result **out)
{
    const bd_columns rows = {.n_rows = design->n_rows};
    const bd_cox_prepared *prepared;
    BD_TRY(bd_while(bd_cox_prepare(design, fit, arena, &prepared), "--boot"));
    const bd_statistic statistic = {
        .n_values = prepared->n_columns,
        .names = design->names,
        .columns = &rows,
        .from_weights = replicate,
        .n_scratch = prepared->n_scratch,
        .context = prepared,
    };
    return survival_draw(data, &statistic, options, arena, out);
}

bd_status survival_bootstrap_table(const bd_survival *survival, bd_document *document)
{
    const bd_bootstrap_result *bootstrap = survival->bootstrap;
    const bd_heading headings[] = {{"term", "Term", BD_TEXT},
                                   {"estimate", "Log HR", BD_ESTIMATE},
                                   BD_BOOTSTRAP_HEADINGS("boot_p", "Boot p", BD_ESTIMATE),
                                   {"hazard_ratio", "Hazard ratio", BD_STATISTIC},
                                   {"hazard_ratio_low", "Ratio CI", BD_STATISTIC},
                                   {"hazard_ratio_high", "", BD_STATISTIC}};
    enum { N = sizeof headings / sizeof headings[0] };
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "bootstrap", "Bootstrap", headings, N, &rows));
    for (size_t j = 0; j < survival->fit->n_columns; j++) {
        const double estimate = survival->fit->coefficients[j].estimate;
        const bd_interval_ends *ends = &bootstrap->ends[j];
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(survival->data->design.names[j]);
        cells[1] = bd_number(estimate);
        bd_bootstrap_cells(ends, cells + 2);
        cells[N - 3] = bd_number(exp(estimate));
        cells[N - 2] = bd_number(exp(ends->low));
        cells[N - 1] = bd_number(exp(ends->high));
    }
    return BD_OK;
}
