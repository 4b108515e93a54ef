/* Shared frailty: the fit and the document. */
#include <bordin/analyses/frailty.h>

#include <math.h>

#include <gsl/gsl_cdf.h>

#include <bordin/analyses/provenance.h>
#include <bordin/report/number.h>

#include "analyses/survival_document.h"

enum { MOST_PRINTED = 40 };
static const double FEW_GROUPS = 10;

bd_status bd_share_frailty(const bd_survival_data *data, const bd_frailty_options *options, int n_threads,
                           bd_arena *arena, const bd_shared_frailty **out)
{
    bd_shared_frailty *shared;
    bd_cox_design design = data->design;
    if (design.n_columns == 0)
        return bd_fail(BD_EUSAGE, "the formula '%s' names no predictors beside the frailty", data->formula);
    BD_NEW(arena, shared, 1);
    shared->data = data;
    design.n_threads = n_threads;
    BD_TRY(bd_frailty_fit(&design, options, arena, &shared->fit));
    if (shared->fit->end == BD_FRAILTY_NOT_CONVERGED)
        return bd_fail(BD_ENUMERIC, "no variance of the frailty was found at which the likelihood is highest (%zu tried)",
                       shared->fit->n_thetas);
    *out = shared;
    return BD_OK;
}

static bd_status coefficient_table(const bd_shared_frailty *shared, bd_document *document)
{
    static const bd_heading headings[] = {{"term", "Term", BD_TEXT},
                                          {"estimate", "Log HR", BD_ESTIMATE},
                                          {"se", "SE", BD_ESTIMATE},
                                          {"statistic", "z", BD_STATISTIC},
                                          {"p", "p", BD_P_VALUE},
                                          {"hazard_ratio", "Hazard ratio", BD_ESTIMATE},
                                          {"ci_low", "CI low", BD_ESTIMATE},
                                          {"ci_high", "CI high", BD_ESTIMATE}};
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "coefficients", "Coefficients", headings, 8, &rows));
    for (size_t j = 0; j < shared->fit->n_columns; j++) {
        const bd_frailty_coefficient *c = &shared->fit->coefficients[j];
        const double values[] = {c->estimate, c->se, c->z, c->p, c->hazard_ratio, c->hazard_ratio_low,
                                 c->hazard_ratio_high};
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(shared->data->design.names[j]);
        for (size_t i = 0; i < 7; i++)
            cells[i + 1] = bd_number(values[i]);
    }
    return BD_OK;
}

static bd_status fit_table(const bd_shared_frailty *shared, bd_document *document)
{
    const bd_frailty *fit = shared->fit;
    const bd_value facts[] = {
        {{"n", "n", BD_COUNT}, (double)fit->n_used},
        {{"events", "Events", BD_COUNT}, (double)fit->n_events},
        {{"groups", "Groups", BD_COUNT}, (double)fit->n_groups},
        {{"theta", "Variance of the frailty (theta)", BD_ESTIMATE}, fit->theta},
        {{"kendall", "Kendall's tau within a group", BD_BOUNDED}, fit->kendall},
        {{"log_likelihood", "Log-likelihood, frailties integrated out", BD_STATISTIC}, fit->log_likelihood},
        {{"cox_log_likelihood", "Log-likelihood without frailty", BD_STATISTIC}, fit->cox_log_likelihood},
        {{"likelihood_ratio", "Likelihood ratio of the frailty", BD_STATISTIC}, fit->frailty_test.statistic},
        {{"likelihood_ratio_p", "p", BD_P_VALUE}, fit->frailty_test.p},
        {{"df_columns", "df, terms", BD_STATISTIC}, fit->df_columns},
        {{"df_frailty", "df, frailty", BD_STATISTIC}, fit->df_frailty},
    };
    return bd_document_list(document, "fit", "Fit", facts, sizeof facts / sizeof facts[0], false);
}

static bd_status frailty_table(const bd_shared_frailty *shared, bd_document *document)
{
    static const bd_heading headings[] = {{"group", "Group", BD_TEXT},           {"rows", "Rows", BD_COUNT},
                                          {"events", "Events", BD_COUNT},        {"frailty", "Frailty", BD_ESTIMATE},
                                          {"ci_low", "CI low", BD_ESTIMATE},     {"ci_high", "CI high", BD_ESTIMATE},
                                          {"log_frailty", "Log", BD_ESTIMATE},   {"log_se", "SE", BD_ESTIMATE}};
    const bd_frailty *fit = shared->fit;
    const double quantile = gsl_cdf_ugaussian_Pinv(0.5 + fit->level / 2);
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "frailties", "Frailties", headings, 8, &rows));
    if (fit->n_groups > MOST_PRINTED || fit->end == BD_FRAILTY_NONE)
        bd_document_unprinted(rows);
    for (size_t i = 0; i < fit->n_groups; i++) {
        const bd_frailty_group *g = &fit->groups[i];
        const double values[] = {g->n_rows,
                                 g->n_events,
                                 g->frailty,
                                 exp(g->log_frailty - quantile * g->se),
                                 exp(g->log_frailty + quantile * g->se),
                                 g->log_frailty,
                                 g->se};
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(shared->data->frame->cluster->levels[i]);
        for (size_t k = 0; k < 7; k++)
            cells[k + 1] = bd_number(values[k]);
    }
    return BD_OK;
}

static bd_status sentence(const bd_shared_frailty *shared, bd_document *document)
{
    const bd_frailty *fit = shared->fit;
    const char *by = shared->data->frailty;
    if (fit->end == BD_FRAILTY_NONE)
        return bd_document_say(document, BD_SENTENCE,
                               "The %zu groups of %s differ no more than chance has it: the variance of the frailty is 0, "
                               "and the fit is Cox regression without it.",
                               fit->n_groups, by);
    return bd_document_say(document, BD_SENTENCE,
                           "Hazards differ between the %zu groups of %s: the variance of the frailty is %.3g, likelihood "
                           "ratio %.2f, %s.",
                           fit->n_groups, by, fit->theta, fit->frailty_test.statistic,
                           bd_show_p(fit->frailty_test.p).text);
}

static bd_status notes(const bd_shared_frailty *shared, bd_document *document)
{
    const bd_frailty *fit = shared->fit;
    const bd_survival_data *data = shared->data;
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "Hazard ratios are exp(Log HR), per unit of the term, within groups of %s; intervals: %g %%.",
                           data->frailty, 100 * fit->level));
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "Frailties multiply the hazard of a group; they have a gamma distribution of mean 1. p of their "
                           "variance: half that of chi2(1), for 0 is the least that it can be."));
    if (fit->end != BD_FRAILTY_NONE)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "SE and intervals take theta as known, and the information of the frailties as diagonal."));
    if (fit->n_groups > MOST_PRINTED && fit->end != BD_FRAILTY_NONE)
        BD_TRY(bd_document_say(document, BD_NOTE, "The %zu frailties are not printed; --format json, csv or markdown has "
                                                  "them.",
                               fit->n_groups));
    BD_TRY(survival_data_notes(data, fit->ties, fit->n_ties, document));
    if ((double)fit->n_groups < FEW_GROUPS)
        BD_TRY(bd_document_say(document, BD_WARNING, "%zu groups say little about a variance between groups.",
                               fit->n_groups));
    return BD_OK;
}

bd_status bd_frailty_document(const bd_shared_frailty *shared, bd_arena *arena, bd_document **out)
{
    const char *title;
    bd_document *document;
    BD_TRY(bd_print(arena, &title, "Proportional hazards with shared frailty: %s", shared->data->formula));
    BD_TRY(bd_document_new(arena, "survival", title, &document));
    BD_TRY(coefficient_table(shared, document));
    BD_TRY(fit_table(shared, document));
    BD_TRY(frailty_table(shared, document));
    BD_TRY(sentence(shared, document));
    BD_TRY(notes(shared, document));
    BD_TRY(bd_provenance_frame(shared->data->frame, document));
    *out = document;
    return BD_OK;
}
