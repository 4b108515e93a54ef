/* Histograms of replicates. */
#include "bootstrap_histogram.h"

#include <math.h>

#include "core/quantile.h"

enum { BINS = 30 };
static const double tail = 0.005;

/* usable <- the finite replicates of a value; returns how many. */
static size_t take_usable(const bd_replicates *replicates, size_t value, double *usable)
{
    const double *values = replicates->values + value * replicates->n_replicates;
    size_t n = 0;
    for (size_t i = 0; i < replicates->n_replicates; i++)
        if (isfinite(values[i]))
            usable[n++] = values[i];
    return n;
}

static bd_status add_bins(const char *name, double *usable, size_t n, bd_document_rows *rows)
{
    const double from = quantile_of(usable, n, tail), to = quantile_of(usable, n, 1 - tail);
    const double per_bin = BINS / (to - from);
    size_t counts[BINS] = {0};
    for (size_t i = 0; i < n; i++) {
        const double at = (usable[i] - from) * per_bin;
        counts[at >= BINS - 1 ? BINS - 1 : at > 0 ? (size_t)at : 0]++;
    }
    for (size_t bin = 0; bin < BINS && to > from; bin++) {
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(name);
        cells[1] = bd_number(from + (to - from) * (double)bin / BINS);
        cells[2] = bd_number(from + (to - from) * (double)(bin + 1) / BINS);
        cells[3] = bd_number((double)counts[bin]);
    }
    return BD_OK;
}

bd_status bootstrap_histogram(const bd_bootstrap_result *result, bd_arena *arena, bd_document *document)
{
    static const bd_heading headings[] = {{"term", "Value", BD_TEXT},
                                          {"from", "From", BD_ESTIMATE},
                                          {"to", "To", BD_ESTIMATE},
                                          {"replicates", "Replicates", BD_COUNT}};
    const bd_replicates *replicates = result->replicates;
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "distribution", "Distribution of the replicates", headings, 4, &rows));
    bd_document_unprinted(rows);
    double *usable;
    BD_NEW(arena, usable, replicates->n_replicates);
    for (size_t v = 0; v < replicates->n_values; v++) {
        const size_t n = take_usable(replicates, v, usable);
        if (n > 1)
            BD_TRY(add_bins(replicates->names[v], usable, n, rows));
    }
    return BD_OK;
}
