/* The bootstrap of the regressions of competing risks: every replicate fits all of them, and finds censoring anew. */
#include "analyses/competing_bootstrap.h"

#include "analyses/survival_bootstrap.h"

typedef struct drawn {
    size_t n;
    const bd_cox_prepared **prepared;    /* n */
    const bd_fine_gray **expanded;       /* n, NULL where the rows are the data's */
    size_t most_rows, most_censoring;    /* of the expanded */
} drawn;

static bd_replicate_end replicate(const void *context, const double *weights, double *scratch, double *values,
                                  double *errors)
{
    const drawn *of = context;
    double *factors = scratch, *censoring = factors + of->most_rows, *rest = censoring + of->most_censoring;
    (void)errors;
    for (size_t m = 0; m < of->n; m++) {
        if (of->expanded[m] != NULL)
            bd_fine_gray_redraw(of->expanded[m], weights, censoring, factors);
        const bd_replicate_end end = survival_replicate_end(
            bd_cox_replicate(of->prepared[m], of->expanded[m] != NULL ? factors : weights, rest, values));
        if (end != BD_REPLICATE_USABLE)
            return end;
        values += of->prepared[m]->n_columns;
    }
    return BD_REPLICATE_USABLE;
}

static bd_status prepare(const bd_competing *competing, const competing_model *models, bd_arena *arena, drawn *of,
                         const char **names, size_t *n_scratch)
{
    const size_t p = competing->data->design.n_columns;
    for (size_t m = 0; m < 2 * competing->n_causes; m++) {
        const bd_competing_cause *cause = &competing->causes[m / 2];
        const bool share = m % 2 == 1;
        const bd_fine_gray *expanded = models[m].expanded;
        if (models[m].design.n_rows == 0)
            continue;
        for (size_t j = 0; j < p; j++)
            BD_TRY(bd_print(arena, &names[of->n * p + j], "%s: %s%s", cause->name, competing->data->design.names[j],
                            share ? " (share)" : ""));
        BD_TRY(bd_while(bd_cox_prepare(&models[m].design, share ? cause->subdistribution : cause->specific, arena,
                                       &of->prepared[of->n]),
                        "--boot: %s", cause->name));
        of->expanded[of->n] = expanded;
        if (expanded != NULL && expanded->n_rows > of->most_rows)
            of->most_rows = expanded->n_rows;
        if (expanded != NULL && expanded->n_scratch > of->most_censoring)
            of->most_censoring = expanded->n_scratch;
        if (of->prepared[of->n]->n_scratch > *n_scratch)
            *n_scratch = of->prepared[of->n]->n_scratch;
        of->n++;
    }
    return BD_OK;
}

bd_status competing_resample(const bd_competing *competing, const competing_model *models, bd_arena *arena,
                             const bd_bootstrap_result **result)
{
    const bd_survival_data *data = competing->data;
    const bd_columns rows = {.n_rows = data->design.n_rows};
    const size_t most = 2 * competing->n_causes;
    const char **names;
    drawn of = {0};
    size_t n_scratch = 0;
    BD_NEW(arena, of.prepared, most);
    BD_NEW(arena, of.expanded, most);
    BD_NEW(arena, names, most * data->design.n_columns);
    BD_TRY(prepare(competing, models, arena, &of, names, &n_scratch));
    const bd_statistic statistic = {.n_values = of.n * data->design.n_columns,
                                    .names = names,
                                    .columns = &rows,
                                    .from_weights = replicate,
                                    .n_scratch = of.most_rows + of.most_censoring + n_scratch,
                                    .context = &of};
    return survival_draw(data, &statistic, &competing->options.resampling, arena, result);
}

bd_status competing_bootstrap_table(const bd_competing *competing, bd_document *document)
{
    const bd_heading headings[] = {{"cause", "Event", BD_TEXT},
                                   {"model", "Model", BD_TEXT},
                                   {"term", "Term", BD_TEXT},
                                   {"estimate", "Log ratio", BD_ESTIMATE},
                                   BD_BOOTSTRAP_HEADINGS("boot_p", "Boot p", BD_ESTIMATE)};
    const bd_survival_data *data = competing->data;
    bd_document_rows *rows;
    size_t v = 0;
    if (competing->bootstrap == NULL)
        return BD_OK;
    BD_TRY(bd_document_table(document, "bootstrap", "Bootstrap", headings, sizeof headings / sizeof *headings, &rows));
    for (size_t k = 0; k < competing->n_causes; k++) {
        const bd_cox *fits[] = {competing->causes[k].specific, competing->causes[k].subdistribution};
        for (size_t m = 0; m < 2 && fits[m] != NULL; m++)
            for (size_t j = 0; j < data->design.n_columns; j++) {
                bd_cell *cells;
                BD_TRY(bd_document_row(rows, &cells));
                cells[0] = bd_text(competing->causes[k].name);
                cells[1] = bd_text(m == 0 ? "hazard" : "share");
                cells[2] = bd_text(data->design.names[j]);
                cells[3] = bd_number(fits[m]->coefficients[j].estimate);
                bd_bootstrap_cells(&competing->bootstrap->ends[v++], cells + 4);
            }
    }
    return BD_OK;
}
