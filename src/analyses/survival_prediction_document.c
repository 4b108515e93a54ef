/* Survival of profiles as tables. */
#include <bordin/analyses/survival_prediction.h>

/* Profile and, where there are strata, stratum; returns how many cells. */
static size_t name_cells(const bd_survival_prediction *item, bd_cell *cells)
{
    cells[0] = bd_text(item->profile);
    if (item->stratum != NULL)
        cells[1] = bd_text(item->stratum);
    return item->stratum != NULL ? 2 : 1;
}

/* A table whose first headings are theirs. */
static bd_status begin(const bd_survival_predictions *predictions, const char *id, const char *title,
                       const bd_heading *rest, size_t n_rest, bd_document *document, bd_document_rows **rows)
{
    enum { MOST = 12 };
    bd_heading headings[MOST] = {{"profile", "Profile", BD_TEXT}, {"stratum", "Stratum", BD_TEXT}};
    const size_t n = predictions->items[0].stratum != NULL ? 2 : 1;
    for (size_t i = 0; i < n_rest; i++)
        headings[n + i] = rest[i];
    return bd_document_table(document, id, title, headings, n + n_rest, rows);
}

static bd_status add(const bd_survival_prediction *item, const double *values, size_t n_values, bd_document_rows *rows)
{
    bd_cell *cells;
    BD_TRY(bd_document_row(rows, &cells));
    const size_t n = name_cells(item, cells);
    for (size_t i = 0; i < n_values; i++)
        cells[n + i] = bd_number(values[i]);
    return BD_OK;
}

static bd_status medians_table(const bd_survival_predictions *predictions, bd_document *document)
{
    const bd_heading headings[] = {{"median", "Median", BD_ESTIMATE},
                                   {"ci_low", "CI low", BD_ESTIMATE},
                                   {"ci_high", "CI high", BD_ESTIMATE}};
    bd_document_rows *rows;
    BD_TRY(begin(predictions, "medians", "Median time of profiles", headings, 3, document, &rows));
    for (size_t i = 0; i < predictions->n; i++) {
        const bd_survival_estimate *m = &predictions->items[i].median;
        BD_TRY(add(&predictions->items[i], (double[]){m->value, m->low, m->high}, 3, rows));
    }
    return BD_OK;
}

static bd_status points_table(const bd_survival_predictions *predictions, bd_document *document)
{
    const bd_heading headings[] = {{"time", "Time", BD_STATISTIC},
                                   {"survival", "Survival", BD_BOUNDED},
                                   {"ci_low", "CI low", BD_BOUNDED},
                                   {"ci_high", "CI high", BD_BOUNDED},
                                   {"cumulative_hazard", "Cumulative hazard", BD_ESTIMATE},
                                   {"cumulative_hazard_se", "SE", BD_ESTIMATE}};
    bd_document_rows *rows;
    BD_TRY(begin(predictions, "predictions", "Survival of profiles", headings, 6, document, &rows));
    for (size_t i = 0; i < predictions->n; i++)
        for (size_t t = 0; t < predictions->n_times; t++) {
            const bd_survival_predicted_point *p = &predictions->items[i].points[t];
            const double values[] = {predictions->times[t], p->survival, p->low, p->high, p->hazard, p->hazard_se};
            BD_TRY(add(&predictions->items[i], values, 6, rows));
        }
    return BD_OK;
}

static bd_status curves_table(const bd_survival_predictions *predictions, bd_document *document)
{
    const bd_heading headings[] = {{"time", "Time", BD_STATISTIC},
                                   {"at_risk", "At risk", BD_STATISTIC},
                                   {"events", "Events", BD_STATISTIC},
                                   {"survival", "Survival", BD_BOUNDED},
                                   {"ci_low", "CI low", BD_BOUNDED},
                                   {"ci_high", "CI high", BD_BOUNDED},
                                   {"cumulative_hazard", "Cumulative hazard", BD_ESTIMATE},
                                   {"cumulative_hazard_se", "SE", BD_ESTIMATE}};
    bd_document_rows *rows;
    BD_TRY(begin(predictions, "prediction_curves", "Curves of profiles", headings, 8, document, &rows));
    bd_document_unprinted(rows);
    for (size_t i = 0; i < predictions->n; i++) {
        const bd_cox_curve *c = predictions->items[i].curve;
        for (size_t t = 0; t < c->n_times; t++) {
            const double values[] = {c->times[t], c->at_risk[t], c->events[t], c->survival[t],
                                     c->low[t],   c->high[t],    c->hazard[t], c->hazard_se[t]};
            BD_TRY(add(&predictions->items[i], values, 8, rows));
        }
    }
    return BD_OK;
}

bd_status bd_survival_predictions_document(const bd_survival_predictions *predictions, bd_document *document)
{
    if (predictions == NULL)
        return BD_OK;
    BD_TRY(medians_table(predictions, document));
    BD_TRY(points_table(predictions, document));
    if (predictions->items[0].curve != NULL)
        BD_TRY(curves_table(predictions, document));
    for (size_t i = 0; i < predictions->n_notes; i++)
        BD_TRY(bd_document_say(document, BD_NOTE, "%s", predictions->notes[i]));
    return BD_OK;
}
