/* Discrete-time hazards as a document. */
#include <math.h>
#include <string.h>

#include <bordin/analyses/provenance.h>
#include <bordin/report/number.h>

#include "analyses/discrete_time_internal.h"

enum { MOST_PRINTED = 40 }; /* periods */

/* What exp() of a coefficient is. */
static const char *ratio_key(const bd_discrete_time *d)
{
    return bd_glm_ratio(&bd_binomial, d->options.link);
}

static const char *ratio_name(const bd_discrete_time *d)
{
    return d->options.link == &bd_logit     ? "Odds ratio"
           : d->options.link == &bd_cloglog ? "Hazard ratio"
                                            : "Risk ratio";
}

static bd_status coefficient_table(const bd_discrete_time *d, bd_document *document)
{
    const char *key = ratio_key(d);
    const bd_heading headings[] = {
        {"term", "Term", BD_TEXT},
        {"estimate", "Estimate", BD_ESTIMATE},
        {d->options.robust ? "robust_se" : "se", d->options.robust ? "Robust SE" : "SE", BD_ESTIMATE},
        {"statistic", d->fit->uses_t ? "t" : "z", BD_STATISTIC},
        {"p", "p", BD_P_VALUE},
        {key != NULL ? key : "ratio", ratio_name(d), BD_ESTIMATE},
        {"ci_low", "CI low", BD_ESTIMATE},
        {"ci_high", "CI high", BD_ESTIMATE}};
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "coefficients", "Coefficients", headings, 8, &rows));
    for (size_t j = 0; j < d->fit->n_columns; j++) {
        const bd_glm_coefficient *c = &d->fit->coefficients[j];
        const bool ratio = key != NULL && j >= d->n_period_columns;
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(d->design.base.names[j]);
        cells[1] = bd_number(c->estimate);
        cells[2] = bd_number(c->se);
        cells[3] = bd_number(c->statistic);
        cells[4] = bd_number(c->p);
        cells[5] = bd_number(ratio ? exp(c->estimate) : NAN);
        cells[6] = bd_number(ratio ? exp(c->ci_low) : key == NULL ? c->ci_low : NAN);
        cells[7] = bd_number(ratio ? exp(c->ci_high) : key == NULL ? c->ci_high : NAN);
    }
    return BD_OK;
}

static bd_status bootstrap_table(const bd_discrete_time *d, bd_document *document)
{
    const bd_heading headings[] = {{"term", "Term", BD_TEXT},
                                   {"estimate", "Estimate", BD_ESTIMATE},
                                   BD_BOOTSTRAP_HEADINGS("boot_p", "Boot p", BD_ESTIMATE)};
    bd_document_rows *rows;
    if (d->bootstrap == NULL)
        return BD_OK;
    BD_TRY(
        bd_document_table(document, "bootstrap", "Bootstrap", headings, sizeof headings / sizeof headings[0], &rows));
    const size_t first = discrete_time_first_drawn(d);
    for (size_t j = first; j < d->fit->n_columns; j++) {
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(d->design.base.names[j]);
        cells[1] = bd_number(d->fit->coefficients[j].estimate);
        bd_bootstrap_cells(&d->bootstrap->ends[j - first], cells + 2);
    }
    return BD_OK;
}

static bd_status fit_table(const bd_discrete_time *d, bd_document *document)
{
    const bd_glm *fit = d->fit;
    const bd_value facts[] = {
        {{"n", "n", BD_COUNT}, (double)d->data->design.n_rows},
        {{"records", "Records, one for each period", BD_COUNT}, (double)d->n_records},
        {{"log_likelihood", "Log-likelihood", BD_STATISTIC}, fit->log_likelihood},
        {{"deviance", "Deviance", BD_STATISTIC}, fit->deviance},
        {{"aic", "AIC", BD_STATISTIC}, fit->aic},
        {{"df", "df", BD_DF}, d->df},
        {{"likelihood_ratio", "Likelihood ratio chi2", BD_STATISTIC}, d->likelihood_ratio},
        {{"likelihood_ratio_p", "p", BD_P_VALUE}, d->p},
    };
    return bd_document_list(document, "fit", "Fit", facts, sizeof facts / sizeof facts[0], false);
}

static bd_status period_cell(const bd_discrete_time *d, size_t k, bd_arena *arena, bd_cell *cell)
{
    const char *text;
    if (d->options.ends == NULL)
        BD_TRY(bd_print(arena, &text, "%g", d->periods[k].to));
    else
        BD_TRY(bd_print(arena, &text, "(%g, %g]", d->periods[k].from, d->periods[k].to));
    *cell = bd_text(text);
    return BD_OK;
}

static bd_status period_table(const bd_discrete_time *d, bd_arena *arena, bd_document *document)
{
    const bd_heading headings[] = {{"period", "Period", BD_TEXT},
                                   {"at_risk", "At risk", BD_COUNT},
                                   {"events", "Events", BD_COUNT},
                                   {"observed", "Share", BD_BOUNDED}};
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "periods", "Periods, as observed", headings, 4, &rows));
    if (d->n_periods > MOST_PRINTED)
        bd_document_unprinted(rows);
    for (size_t k = 0; k < d->n_periods; k++) {
        const bd_period *period = &d->periods[k];
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        BD_TRY(period_cell(d, k, arena, &cells[0]));
        cells[1] = bd_number(period->at_risk);
        cells[2] = bd_number(period->events);
        cells[3] = bd_number(period->at_risk > 0 ? period->events / period->at_risk : NAN);
    }
    return BD_OK;
}

static bd_status prediction_table(const bd_discrete_time *d, bd_arena *arena, bd_document *document)
{
    const bd_heading headings[] = {{"profile", "Profile", BD_TEXT},
                                   {"period", "Period", BD_TEXT},
                                   {"hazard", "Hazard", BD_BOUNDED},
                                   {"hazard_low", "Hazard CI", BD_BOUNDED},
                                   {"hazard_high", "", BD_BOUNDED},
                                   {"survival", "Survival", BD_BOUNDED},
                                   {"survival_low", "Survival CI", BD_BOUNDED},
                                   {"survival_high", "", BD_BOUNDED}};
    bd_document_rows *rows;
    if (d->n_predictions == 0)
        return BD_OK;
    BD_TRY(
        bd_document_table(document, "predictions", "Hazard in each period, survival to its end", headings, 8, &rows));
    if (d->n_periods > MOST_PRINTED)
        bd_document_unprinted(rows);
    for (size_t i = 0; i < d->n_predictions; i++)
        for (size_t k = 0; k < d->n_periods; k++) {
            const bd_discrete_time_prediction *p = &d->predictions[i];
            const double values[] = {p->hazard[k],   p->hazard_low[k],   p->hazard_high[k],
                                     p->survival[k], p->survival_low[k], p->survival_high[k]};
            bd_cell *cells;
            BD_TRY(bd_document_row(rows, &cells));
            cells[0] = bd_text(p->profile);
            BD_TRY(period_cell(d, k, arena, &cells[1]));
            for (size_t v = 0; v < 6; v++)
                cells[v + 2] = bd_number(values[v]);
        }
    return BD_OK;
}

static bd_status say(const bd_discrete_time *d, bd_document *document)
{
    double events = 0;
    for (size_t k = 0; k < d->n_periods; k++)
        events += d->periods[k].events;
    BD_TRY(bd_document_say(document, BD_SENTENCE, "%g events (%s) in %zu periods.", events, d->data->event,
                           d->n_periods));
    if (!isnan(d->p))
        BD_TRY(bd_document_say(document, BD_SENTENCE,
                               "The predictors together: likelihood ratio chi2(%.0f) = %.2f, %s.", d->df,
                               d->likelihood_ratio, bd_show_p(d->p).text));
    return BD_OK;
}

static bd_status note_periods(const bd_discrete_time *d, bd_document *document)
{
    static const char *const shapes[] = {[BD_PERIOD_EACH] = "an effect of its own for each period",
                                         [BD_PERIOD_LINEAR] = "linear in the number of the period",
                                         [BD_PERIOD_QUADRATIC] = "quadratic in the number of the period",
                                         [BD_PERIOD_LOG] = "linear in the logarithm of the number of the period"};
    size_t n_known = 0;
    for (size_t k = 0; k < d->n_periods; k++)
        n_known += d->periods[k].known;
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "Each row is written once for each period that it is at risk in, with the event "
                           "in its last; %s(hazard) is %s plus the predictors.",
                           bd_link_name(d->options.link), shapes[d->options.effect]));
    if (d->options.ends != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "Who is censored within a period counts as at risk in it, without the "
                               "event."));
    if (n_known > 0)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "In %zu of %zu periods none or all of those at risk have the event: their "
                               "hazard is 0 or 1 whoever it is, and their records say nothing of the "
                               "predictors.",
                               n_known, d->n_periods));
    if (d->n_periods > MOST_PRINTED)
        BD_TRY(bd_document_say(document, BD_NOTE, "The tables by period, %zu rows each, are in JSON and CSV.",
                               d->n_periods));
    if (d->n_beyond > 0)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "%zu rows are followed behind the last period and are censored there; %zu "
                               "events are left out for it.",
                               d->n_beyond, d->n_events_beyond));
    return BD_OK;
}

static bd_status notes(const bd_discrete_time *d, bd_document *document)
{
    const bd_survival_data *data = d->data;
    BD_TRY(note_periods(d, document));
    for (size_t i = 0; i < d->n_notes; i++)
        BD_TRY(bd_document_say(document, BD_NOTE, "%s", d->notes[i]));
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "Intervals: %g %%; of survival on its log scale, of hazards on that of the "
                           "link.",
                           100 * d->options.level));
    if (d->options.robust)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "Robust errors (CR1) for %zu %s%s; the likelihood ratio test takes records as "
                               "independent.",
                               d->design.base.n_clusters,
                               data->cluster != NULL ? "clusters of "
                               : data->id != NULL    ? "patients, by "
                                                     : "rows",
                               data->cluster != NULL ? data->cluster
                               : data->id != NULL    ? data->id
                                                     : ""));
    if (data->weights != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Rows count by %s: weights are frequencies, not rescaled.",
                               data->weights));
    if (data->offset != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Offset of %s(hazard): %s.", bd_link_name(d->options.link),
                               data->offset));
    return BD_OK;
}

static bd_status warn(const bd_discrete_time *d, bd_document *document)
{
    if (d->fit->end == BD_GLM_SEPARATED)
        return bd_document_say(document, BD_WARNING,
                               "%s %s those with the event from the others without error: such "
                               "an estimate is infinite, and has no error. Leave it out, or join "
                               "levels or periods.",
                               d->fit->separation->predictors,
                               strchr(d->fit->separation->predictors, ' ') == NULL ? "tells" : "tell");
    if (d->fit->end == BD_GLM_NOT_CONVERGED)
        return bd_document_say(document, BD_WARNING, "The fit did not converge in %zu iterations; do not use it.",
                               d->fit->n_iterations);
    return BD_OK;
}

bd_status bd_discrete_time_document(const bd_discrete_time *d, bd_arena *arena, bd_document **out)
{
    const char *title;
    bd_document *document;
    BD_TRY(bd_print(arena, &title, "Discrete-time hazards: %s", d->data->formula));
    BD_TRY(bd_document_new(arena, "survival", title, &document));
    BD_TRY(coefficient_table(d, document));
    BD_TRY(bootstrap_table(d, document));
    BD_TRY(fit_table(d, document));
    BD_TRY(period_table(d, arena, document));
    BD_TRY(prediction_table(d, arena, document));
    BD_TRY(say(d, document));
    BD_TRY(notes(d, document));
    BD_TRY(warn(d, document));
    if (d->bootstrap != NULL && discrete_time_first_drawn(d) > 0)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "Effects of single periods are refitted in each replicate, and have no "
                               "intervals: in some replicates a period has no event."));
    if (d->bootstrap != NULL)
        BD_TRY(bd_bootstrap_document(d->bootstrap, arena, document));
    BD_TRY(bd_provenance_frame(d->data->frame, document));
    *out = document;
    return BD_OK;
}
