/* Meta-analysis of several effects a study, as tables, a sentence and notes. */
#include <math.h>
#include <string.h>

#include <bordin/report/number.h>

#include "meta_internal.h"

static bd_status coefficient_table(const bd_meta_analysis *meta, bd_document *document)
{
    const bool t = !meta->options.levels.model;
    const bd_heading first[] = {{"term", "Term", BD_TEXT},          {"estimate", "Estimate", BD_ESTIMATE},
                                {"se", "SE", BD_ESTIMATE},          {"statistic", t ? "t" : "z", BD_STATISTIC},
                                {"df", "df", BD_DF},                {"p", "p", BD_P_VALUE},
                                {"se_model", "SE, model", BD_ESTIMATE}};
    const bd_heading plain[] = {{"ci_low", "CI low", BD_ESTIMATE}, {"ci_high", "CI high", BD_ESTIMATE}};
    const bd_heading drawn[] = {BD_BOOTSTRAP_HEADINGS("boot_p", "Boot p", BD_ESTIMATE)};
    const size_t n_interval = meta->bootstrap ? BD_BOOTSTRAP_CELLS : 2;
    bd_heading headings[7 + BD_BOOTSTRAP_CELLS];
    bd_document_rows *rows;
    memcpy(headings, first, sizeof first);
    memcpy(headings + 7, meta->bootstrap ? drawn : plain, n_interval * sizeof *headings);
    BD_TRY(bd_document_table(document, "coefficients", "Coefficients", headings, 7 + n_interval, &rows));
    for (size_t j = 0; j < meta->levels->n_columns; j++) {
        const bd_levels_coefficient *c = &meta->levels->coefficients[j];
        const double values[] = {c->estimate, c->se, c->statistic, t ? c->df : NAN, c->p, c->se_model, c->ci_low,
                                 c->ci_high};
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(meta->design.names[j]);
        for (size_t i = 0; i < 8; i++)
            cells[i + 1] = bd_number(values[i]);
        if (meta->bootstrap)
            bd_bootstrap_cells(&meta->bootstrap->ends[j], cells + 7);
    }
    return BD_OK;
}

static bd_status pooled_table(const bd_meta_analysis *meta, bd_document *document)
{
    const bd_levels_coefficient *c = &meta->levels->coefficients[0];
    const bd_interval_ends *ends = meta->bootstrap ? &meta->bootstrap->ends[0] : NULL;
    const char *title = meta->options.measure == BD_MEASURE_ZCOR ? "Pooled, as a correlation" : "Pooled";
    const bd_value values[] = {
        {{"estimate", "Pooled effect", BD_ESTIMATE}, meta_back(meta, c->estimate)},
        {{"ci_low", "CI low", BD_ESTIMATE}, meta_back(meta, ends ? ends->low : c->ci_low)},
        {{"ci_high", "CI high", BD_ESTIMATE}, meta_back(meta, ends ? ends->high : c->ci_high)},
        {{"prediction_low", "A new study, from", BD_ESTIMATE}, meta_back(meta, c->prediction_low)},
        {{"prediction_high", "to", BD_ESTIMATE}, meta_back(meta, c->prediction_high)},
    };
    if (meta->levels->n_columns > 1 || !meta->design.has_intercept)
        return BD_OK;
    return bd_document_list(document, "pooled", title, values, sizeof values / sizeof *values, true);
}

static bd_status variance_table(const bd_meta_analysis *meta, bd_document *document)
{
    static const char *const names[] = {[BD_BETWEEN_STUDIES] = "between studies",
                                        [BD_WITHIN_STUDIES] = "within studies"};
    static const bd_heading headings[] = {{"part", "Variance", BD_TEXT},        {"variance", "Estimate", BD_ESTIMATE},
                                          {"ci_low", "CI low", BD_ESTIMATE},    {"ci_high", "CI high", BD_ESTIMATE},
                                          {"sd", "SD", BD_STATISTIC},           {"i2", "I2, per cent", BD_STATISTIC}};
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "variances", "Heterogeneity", headings, 6, &rows));
    for (size_t k = 0; k < BD_N_LEVELS; k++) {
        const bd_levels_component *c = &meta->levels->components[k];
        const double values[] = {c->variance, c->ci_low, c->ci_high, sqrt(c->variance), 100 * c->i2};
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(names[k]);
        for (size_t i = 0; i < 5; i++)
            cells[i + 1] = bd_number(values[i]);
    }
    return BD_OK;
}

static bd_status fit_table(const bd_meta_analysis *meta, bd_document *document)
{
    const bd_pooled_levels *fit = meta->levels;
    const bd_value values[] = {
        {{"k", "Effects", BD_COUNT}, (double)fit->n},
        {{"studies", "Studies", BD_COUNT}, (double)fit->n_studies},
        {{"i2", "I2, per cent", BD_STATISTIC}, 100 * fit->i2},
        {{"q", fit->qm_df > 0 ? "Q, residual" : "Q", BD_STATISTIC}, fit->q},
        {{"q_df", "df", BD_DF}, fit->q_df},
        {{"q_p", "p", BD_P_VALUE}, fit->q_p},
        {{"qm", "Chi2 of moderators, model", BD_STATISTIC}, fit->qm},
        {{"qm_df", "df", BD_DF}, fit->qm_df > 0 ? fit->qm_df : NAN},
        {{"qm_p", "p", BD_P_VALUE}, fit->qm_p},
        {{"log_likelihood", "Log-likelihood", BD_STATISTIC}, fit->log_likelihood},
        {{"aic", "AIC", BD_STATISTIC}, fit->aic},
        {{"bic", "BIC", BD_STATISTIC}, fit->bic},
    };
    return bd_document_list(document, "fit", "Fit", values, sizeof values / sizeof *values, true);
}

static bd_status sentence(const bd_meta_analysis *meta, bd_document *document)
{
    const bd_pooled_levels *fit = meta->levels;
    const bd_levels_coefficient *c = &fit->coefficients[0];
    if (fit->n_columns > 1)
        return bd_document_say(document, BD_SENTENCE,
                               "%zu effects of %zu studies; beside sampling, %.0f %% of what moderators leave is between "
                               "studies and %.0f %% within them (I2).",
                               fit->n, fit->n_studies, 100 * fit->components[0].i2, 100 * fit->components[1].i2);
    return bd_document_say(document, BD_SENTENCE,
                           "%zu effects of %zu studies have a pooled effect of %.4g (%g %% interval [%.4g, %.4g], %s); "
                           "%.0f %% of the variance of effects is between studies and %.0f %% within them (I2).",
                           fit->n, fit->n_studies, meta_back(meta, c->estimate), 100 * fit->options.level,
                           meta_back(meta, c->ci_low), meta_back(meta, c->ci_high), bd_show_p(c->p).text,
                           100 * fit->components[0].i2, 100 * fit->components[1].i2);
}

static bd_status notes(const bd_meta_analysis *meta, bd_document *document)
{
    const bd_pooled_levels *fit = meta->levels;
    BD_TRY(meta_say_measure(meta, document));
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "Sampling errors of effects of one study correlate by %g%s; other correlations give other "
                           "variances within and between studies (--rho).",
                           meta->options.rho, meta->options.rho > 0 ? ", as was given" : ", as nothing else was given"));
    BD_TRY(bd_document_say(document, BD_NOTE, "Variances by %s, their intervals by profile likelihood.",
                           fit->options.ml ? "maximum likelihood" : "restricted maximum likelihood"));
    if (fit->options.model)
        BD_TRY(bd_document_say(document, BD_NOTE, "Standard errors, tests and intervals are the model's (z); %g %%.",
                               100 * fit->options.level));
    else
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "Standard errors are cluster-robust (CR2, clusters of %s), with Satterthwaite's degrees of "
                               "freedom; %g %%.",
                               meta->frame->cluster->name, 100 * fit->options.level));
    for (size_t j = 0; j < fit->n_columns; j++)
        if (fit->coefficients[j].df < 4)
            return bd_document_say(document, BD_WARNING,
                                   "'%s' has %.1f degrees of freedom; below 4, its p value and interval cannot be relied "
                                   "on.",
                                   meta->design.names[j], fit->coefficients[j].df);
    return BD_OK;
}

bd_status meta_levels_document(const bd_meta_analysis *meta, bd_arena *arena, bd_document *document)
{
    BD_TRY(coefficient_table(meta, document));
    BD_TRY(pooled_table(meta, document));
    BD_TRY(variance_table(meta, document));
    BD_TRY(fit_table(meta, document));
    BD_TRY(meta_study_table(meta, meta->levels->weights, arena, document));
    BD_TRY(sentence(meta, document));
    return notes(meta, document);
}
