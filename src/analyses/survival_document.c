/* Proportional hazards as a document. */
#include <math.h>
#include <string.h>

#include <bordin/analyses/provenance.h>
#include <bordin/analyses/survival.h>
#include <bordin/report/number.h>

#include "survival_bootstrap.h"
#include "survival_document.h"

static const double SMALL_P = 0.05;
static const double FEW_EVENTS = 10; /* for each coefficient: Peduzzi et al. (1995) */

static bd_status coefficient_table(const bd_survival *survival, bd_document *document)
{
    const bd_cox *fit = survival->fit;
    const bool robust = fit->se == BD_COX_ROBUST;
    bd_heading headings[9] = {
        {"term", "Term", BD_TEXT}, {"estimate", "Log HR", BD_ESTIMATE}, {"se", "SE", BD_ESTIMATE}};
    const bd_heading rest[] = {{"statistic", "z", BD_STATISTIC},
                               {"p", "p", BD_P_VALUE},
                               {"hazard_ratio", "Hazard ratio", BD_ESTIMATE},
                               {"ci_low", "CI low", BD_ESTIMATE},
                               {"ci_high", "CI high", BD_ESTIMATE}};
    const size_t n_before = robust ? 4 : 3;
    if (robust)
        headings[3] = (bd_heading){"robust_se", "Robust SE", BD_ESTIMATE};
    memcpy(headings + n_before, rest, sizeof rest);
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "coefficients", "Coefficients", headings, n_before + 5, &rows));
    for (size_t j = 0; j < fit->n_columns; j++) {
        const bd_cox_coefficient *c = &fit->coefficients[j];
        const double values[] = {c->z, c->p, c->hazard_ratio, c->hazard_ratio_low, c->hazard_ratio_high};
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(survival->data->design.names[j]);
        cells[1] = bd_number(c->estimate);
        cells[2] = bd_number(c->naive_se);
        if (robust)
            cells[3] = bd_number(c->se);
        for (size_t i = 0; i < 5; i++)
            cells[n_before + i] = bd_number(values[i]);
    }
    return BD_OK;
}

static bd_status fit_table(const bd_survival *survival, bd_document *document)
{
    const bd_cox *fit = survival->fit;
    const bd_value facts[] = {
        {{"n", "n", BD_COUNT}, (double)fit->n_used},
        {{"events", "Events", BD_COUNT}, (double)fit->n_events},
        {{"log_likelihood_null", "Log-likelihood, null", BD_STATISTIC}, fit->log_likelihood_null},
        {{"log_likelihood", "Log-likelihood", BD_STATISTIC}, fit->log_likelihood},
        {{"df", "df", BD_DF}, fit->likelihood_ratio.df},
        {{"likelihood_ratio", "Likelihood ratio chi2", BD_STATISTIC}, fit->likelihood_ratio.statistic},
        {{"likelihood_ratio_p", "p", BD_P_VALUE}, fit->likelihood_ratio.p},
        {{"wald", "Wald chi2", BD_STATISTIC}, fit->wald.statistic},
        {{"wald_p", "p", BD_P_VALUE}, fit->wald.p},
        {{"score", "Score chi2", BD_STATISTIC}, fit->score.statistic},
        {{"score_p", "p", BD_P_VALUE}, fit->score.p},
        {{"concordance", "Concordance", BD_BOUNDED}, fit->concordance.concordance},
        {{"concordance_se", "SE of concordance", BD_BOUNDED}, fit->concordance.se},
        {{"robust_score", "Robust score chi2", BD_STATISTIC}, fit->robust_score.statistic},
        {{"robust_score_p", "p", BD_P_VALUE}, fit->robust_score.p},
    };
    const size_t n = sizeof facts / sizeof facts[0] - (fit->se == BD_COX_ROBUST ? 0 : 2);
    return bd_document_list(document, "fit", "Fit", facts, n, false);
}

static bd_status proportional_row(bd_document_rows *rows, const char *term, const bd_cox_test *test)
{
    bd_cell *cells;
    BD_TRY(bd_document_row(rows, &cells));
    cells[0] = bd_text(term);
    cells[1] = bd_number(test->statistic);
    cells[2] = bd_number(test->df);
    cells[3] = bd_number(test->p);
    return BD_OK;
}

static bd_status proportional_table(const bd_survival *survival, bd_document *document)
{
    const bd_cox_zph *zph = survival->proportional;
    const bd_heading headings[] = {
        {"term", "Term", BD_TEXT}, {"statistic", "chi2", BD_STATISTIC}, {"df", "df", BD_DF}, {"p", "p", BD_P_VALUE}};
    bd_document_rows *rows;
    if (zph == NULL)
        return BD_OK;
    BD_TRY(bd_document_table(document, "proportional_hazards", "Do effects change with time?", headings, 4, &rows));
    for (size_t t = 0; t < zph->n_terms; t++)
        BD_TRY(proportional_row(rows, survival->data->terms[t], &zph->terms[t]));
    return proportional_row(rows, "all together", &zph->global);
}

static bd_status sentence(const bd_survival *survival, bd_document *document)
{
    const bd_cox *fit = survival->fit;
    BD_TRY(bd_document_say(document, BD_SENTENCE,
                           "%zu of %zu rows have the event (%s). The predictors together: likelihood ratio chi2(%.0f) "
                           "= %.2f, %s.",
                           fit->n_events, fit->n_used, survival->data->event, fit->likelihood_ratio.df,
                           fit->likelihood_ratio.statistic, bd_show_p(fit->likelihood_ratio.p).text));
    if (isnan(fit->concordance.concordance))
        return BD_OK;
    return bd_document_say(document, BD_SENTENCE,
                           "Of two rows of which one is known to have the event earlier, that one has the higher "
                           "fitted hazard in %.1f %% of pairs (concordance; 50 %% is chance).",
                           100 * fit->concordance.concordance);
}

static bd_status note_ties(bd_cox_ties ties, size_t n_ties, bd_document *document)
{
    static const char *const what[] = {
        [BD_COX_EFRON] = "Efron's approximation", [BD_COX_BRESLOW] = "Breslow's approximation",
        [BD_COX_EXACT] = "the exact likelihood of discrete times"};
    if (n_ties == 0)
        return bd_document_say(document, BD_NOTE, "No two events share their time%s.",
                               ties == BD_COX_EXACT ? "" : ", so that all treatments of ties agree");
    return bd_document_say(document, BD_NOTE, "Ties: %zu events share their time with another; by %s.", n_ties,
                           what[ties]);
}

bd_status survival_data_notes(const bd_survival_data *data, bd_cox_ties ties, size_t n_ties, bd_document *document)
{
    BD_TRY(note_ties(ties, n_ties, document));
    if (data->design.start != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "A row is at risk from after its start until its stop%s%s%s.",
                               data->id != NULL ? "; intervals of one patient (" : "", data->id != NULL ? data->id : "",
                               data->id != NULL ? ") do not overlap" : ""));
    if (data->strata != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "%zu strata of %s have baseline hazards of their own.",
                               data->design.n_strata, data->strata));
    if (data->weights != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Rows count by %s: weights are frequencies, not rescaled.",
                               data->weights));
    if (data->offset != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Offset of the log hazard: %s.", data->offset));
    return BD_OK;
}

static bd_status notes(const bd_survival *survival, bd_document *document)
{
    const bd_survival_data *data = survival->data;
    const bd_cox *fit = survival->fit;
    BD_TRY(bd_document_say(document, BD_NOTE, "Hazard ratios are exp(Log HR), per unit of the term; intervals: %g %%.",
                           100 * fit->level));
    BD_TRY(survival_data_notes(data, fit->ties, fit->n_ties, document));
    if (data->cluster != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "z, p and intervals rest on robust errors for %zu clusters of %s; the "
                               "likelihood ratio and score tests take rows as independent.",
                               data->design.n_clusters, data->cluster));
    else if (fit->se == BD_COX_ROBUST)
        BD_TRY(bd_document_say(document, BD_NOTE, "z, p and intervals rest on robust errors by row."));
    if (survival->proportional == NULL)
        return BD_OK;
    return bd_document_say(document, BD_NOTE,
                           "Proportional hazards: score tests of terms times 1 - the Kaplan-Meier curve.");
}

bd_status cox_warnings(const bd_cox *fit, const char *of, bd_document *document)
{
    const double n_events = (double)fit->n_events, n_columns = (double)fit->n_columns;
    if (fit->end == BD_COX_INFINITE)
        BD_TRY(bd_document_say(document, BD_WARNING,
                               "%sThe likelihood rises for ever along %s: at every event it is at its extreme, among "
                               "those at risk, in who has the event. Such a coefficient is infinite, and has no error; "
                               "the likelihood ratio holds.",
                               of, fit->infinite));
    if (fit->end == BD_COX_NOT_CONVERGED)
        BD_TRY(bd_document_say(document, BD_WARNING, "%sThe fit did not converge in %zu iterations; do not use it.", of,
                               fit->n_iterations));
    if (n_events < n_columns)
        BD_TRY(bd_document_say(document, BD_WARNING, "%sThere are fewer events (%.0f) than coefficients (%.0f).", of,
                               n_events, n_columns));
    else if (n_events < FEW_EVENTS * n_columns)
        BD_TRY(bd_document_say(document, BD_WARNING,
                               "%sThere are %.1f events for each coefficient; with fewer than %.0f, estimates are biased "
                               "away from 0 and intervals too narrow.",
                               of, n_events / n_columns, FEW_EVENTS));
    return BD_OK;
}

static bd_status proportional_warnings(const bd_survival *survival, bd_document *document)
{
    const bd_cox_zph *zph = survival->proportional;
    for (size_t t = 0; zph != NULL && t < zph->n_terms; t++)
        if (zph->terms[t].p < SMALL_P)
            BD_TRY(bd_document_say(document, BD_WARNING,
                                   "The effect of %s changes with time (chi2(%.0f) = %.2f, %s): its hazard ratio is an "
                                   "average over time, and depends on how long patients were followed.",
                                   survival->data->terms[t], zph->terms[t].df, zph->terms[t].statistic,
                                   bd_show_p(zph->terms[t].p).text));
    return BD_OK;
}

bd_status bd_survival_document(const bd_survival *survival, bd_arena *arena, bd_document **out)
{
    const char *title;
    bd_document *document;
    BD_TRY(bd_print(arena, &title, "Proportional hazards: %s", survival->data->formula));
    BD_TRY(bd_document_new(arena, "survival", title, &document));
    BD_TRY(coefficient_table(survival, document));
    if (survival->bootstrap != NULL)
        BD_TRY(survival_bootstrap_table(survival, document));
    BD_TRY(fit_table(survival, document));
    BD_TRY(proportional_table(survival, document));
    BD_TRY(bd_survival_predictions_document(survival->predictions, document));
    BD_TRY(sentence(survival, document));
    BD_TRY(notes(survival, document));
    BD_TRY(cox_warnings(survival->fit, "", document));
    BD_TRY(proportional_warnings(survival, document));
    if (survival->bootstrap != NULL)
        BD_TRY(bd_bootstrap_document(survival->bootstrap, arena, document));
    BD_TRY(bd_provenance_frame(survival->data->frame, document));
    *out = document;
    return BD_OK;
}
