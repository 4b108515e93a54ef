/* Meta-analysis as a document. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include <bordin/analyses/provenance.h>
#include <bordin/report/number.h>

#include "meta_internal.h"

double meta_back(const bd_meta_analysis *meta, double effect)
{
    return meta->options.measure == BD_MEASURE_ZCOR ? tanh(effect) : effect;
}

static bd_status coefficient_table(const bd_meta_analysis *meta, bd_document *document)
{
    const bd_heading first[] = {{"term", "Term", BD_TEXT},
                                {"estimate", "Estimate", BD_ESTIMATE},
                                {"se", "SE", BD_ESTIMATE},
                                {"statistic", isfinite(meta->fit->df) ? "t" : "z", BD_STATISTIC},
                                {"p", "p", BD_P_VALUE}};
    const bd_heading plain[] = {{"ci_low", "CI low", BD_ESTIMATE}, {"ci_high", "CI high", BD_ESTIMATE}};
    const bd_heading drawn[] = {BD_BOOTSTRAP_HEADINGS("boot_p", "Boot p", BD_ESTIMATE)};
    const size_t n_interval = meta->bootstrap ? BD_BOOTSTRAP_CELLS : 2;
    bd_heading headings[5 + BD_BOOTSTRAP_CELLS];
    bd_document_rows *rows;
    memcpy(headings, first, sizeof first);
    memcpy(headings + 5, meta->bootstrap ? drawn : plain, n_interval * sizeof *headings);
    BD_TRY(bd_document_table(document, "coefficients", "Coefficients", headings, 5 + n_interval, &rows));
    for (size_t j = 0; j < meta->fit->n_columns; j++) {
        const bd_pooling_coefficient *c = &meta->fit->coefficients[j];
        const double values[] = {c->estimate, c->se, c->statistic, c->p, c->ci_low, c->ci_high};
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(meta->design.names[j]);
        for (size_t i = 0; i < 6; i++)
            cells[i + 1] = bd_number(values[i]);
        if (meta->bootstrap)
            bd_bootstrap_cells(&meta->bootstrap->ends[j], cells + 5);
    }
    return BD_OK;
}

static bd_status pooled_table(const bd_meta_analysis *meta, bd_document *document)
{
    const bd_pooling_coefficient *c = &meta->fit->coefficients[0];
    const bd_interval_ends *ends = meta->bootstrap ? &meta->bootstrap->ends[0] : NULL;
    const bd_value values[] = {
        {{"estimate", "Pooled effect", BD_ESTIMATE}, meta_back(meta, c->estimate)},
        {{"ci_low", "CI low", BD_ESTIMATE}, meta_back(meta, ends ? ends->low : c->ci_low)},
        {{"ci_high", "CI high", BD_ESTIMATE}, meta_back(meta, ends ? ends->high : c->ci_high)},
        {{"prediction_low", "A new study, from", BD_ESTIMATE}, meta_back(meta, c->prediction_low)},
        {{"prediction_high", "to", BD_ESTIMATE}, meta_back(meta, c->prediction_high)},
    };
    if (meta->fit->n_columns > 1 || !meta->design.has_intercept)
        return BD_OK;
    const char *title = meta->options.measure == BD_MEASURE_ZCOR ? "Pooled, as a correlation" : "Pooled";
    return bd_document_list(document, "pooled", title, values, sizeof values / sizeof *values, true);
}

static bd_status heterogeneity_table(const bd_meta_analysis *meta, bd_document *document)
{
    const bd_pooled *fit = meta->fit;
    const bd_value values[] = {
        {{"k", "Studies", BD_COUNT}, (double)fit->n},
        {{"tau2", "tau2", BD_ESTIMATE}, fit->tau2},
        {{"tau2_se", "SE of tau2", BD_ESTIMATE}, fit->tau2_se},
        {{"tau2_low", "tau2, CI low", BD_ESTIMATE}, fit->tau2_low},
        {{"tau2_high", "tau2, CI high", BD_ESTIMATE}, fit->tau2_high},
        {{"tau", "tau", BD_ESTIMATE}, sqrt(fit->tau2)},
        {{"i2", "I2, per cent", BD_STATISTIC}, 100 * fit->i2},
        {{"i2_low", "I2, CI low", BD_STATISTIC}, 100 * fit->i2_low},
        {{"i2_high", "I2, CI high", BD_STATISTIC}, 100 * fit->i2_high},
        {{"h2", "H2", BD_STATISTIC}, fit->h2},
        {{"q", fit->qm_df > 0 ? "Q, residual" : "Q", BD_STATISTIC}, fit->q},
        {{"q_df", "df", BD_DF}, fit->q_df},
        {{"q_p", "p", BD_P_VALUE}, fit->q_p},
        {{"qm", isfinite(fit->df) ? "F of moderators" : "Chi2 of moderators", BD_STATISTIC}, fit->qm},
        {{"qm_df", "df", BD_DF}, fit->qm_df > 0 ? fit->qm_df : NAN},
        {{"qm_p", "p", BD_P_VALUE}, fit->qm_p},
        {{"r2", "R2 of tau2, per cent", BD_STATISTIC}, 100 * fit->r2},
        {{"log_likelihood", "Log-likelihood", BD_STATISTIC}, fit->log_likelihood},
        {{"aic", "AIC", BD_STATISTIC}, fit->aic},
        {{"bic", "BIC", BD_STATISTIC}, fit->bic},
    };
    return bd_document_list(document, "heterogeneity", "Heterogeneity", values, sizeof values / sizeof *values, true);
}

/* A forest plot's numbers. */
bd_status meta_study_table(const bd_meta_analysis *meta, const double *weights, bd_arena *arena, bd_document *document)
{
    static const bd_heading headings[] = {
        {"study", "Study", BD_TEXT},           {"effect", "Effect", BD_ESTIMATE},     {"ci_low", "CI low", BD_ESTIMATE},
        {"ci_high", "CI high", BD_ESTIMATE},   {"variance", "Variance", BD_ESTIMATE}, {"weight", "Weight, %", BD_STATISTIC}};
    const bd_frame *frame = meta->frame;
    const double level = meta->options.several ? meta->options.levels.level : meta->options.pooling.level;
    const double quantile = gsl_cdf_ugaussian_Pinv(0.5 + level / 2);
    bd_document_rows *rows;
    if (meta->options.several)
        BD_TRY(bd_document_table(document, "effects", "Effects", headings, 6, &rows));
    else
        BD_TRY(bd_document_table(document, "studies", "Studies", headings, 6, &rows));
    for (size_t i = 0; i < meta->design.n; i++) {
        const double y = meta->design.effects[i], se = sqrt(meta->design.variances[i]);
        const double values[] = {meta_back(meta, y), meta_back(meta, y - quantile * se),
                                 meta_back(meta, y + quantile * se), meta->design.variances[i], weights[i]};
        const char *name = NULL;
        bd_cell *cells;
        if (frame->cluster != NULL)
            name = frame->cluster->levels[frame->cluster->codes[i]];
        else
            BD_TRY(bd_print(arena, &name, "%zu", i + 1));
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(name);
        for (size_t k = 0; k < 5; k++)
            cells[k + 1] = bd_number(values[k]);
    }
    return BD_OK;
}

static bd_status sentence(const bd_meta_analysis *meta, bd_document *document)
{
    const bd_pooled *fit = meta->fit;
    const bd_pooling_coefficient *c = &fit->coefficients[0];
    if (fit->n_columns > 1)
        return bd_document_say(document, BD_SENTENCE,
                               "The moderators together: %s = %.2f, %s; I2 of what is left is %.0f %%.",
                               isfinite(fit->df) ? "F" : "chi-squared", fit->qm, bd_show_p(fit->qm_p).text,
                               100 * fit->i2);
    return bd_document_say(document, BD_SENTENCE,
                           "%zu studies have a pooled effect of %.4g (%g %% interval [%.4g, %.4g], %s); %.0f %% of the "
                           "variance of their effects is more than sampling brings (I2), and a new study's effect is "
                           "expected within [%.4g, %.4g].",
                           fit->n, meta_back(meta, c->estimate), 100 * fit->level, meta_back(meta, c->ci_low),
                           meta_back(meta, c->ci_high), bd_show_p(c->p).text, 100 * fit->i2, meta_back(meta, c->prediction_low),
                           meta_back(meta, c->prediction_high));
}

bd_status meta_say_measure(const bd_meta_analysis *meta, bd_document *document)
{
    static const char *const measures[] = {
        [BD_MEASURE_GENERIC] = "effects as given, with their sampling variances",
        [BD_MEASURE_ZCOR] = "correlations as Fisher's z, with sampling variances 1 / (n - 3); coefficients are of z",
        [BD_MEASURE_COR] = "correlations as they are, with sampling variances (1 - r^2)^2 / (n - 1)"};
    return bd_document_say(document, BD_NOTE, "Pooled: %s.", measures[meta->options.measure]);
}

static bd_status notes(const bd_meta_analysis *meta, bd_document *document)
{
    const bd_pooled *fit = meta->fit;
    BD_TRY(meta_say_measure(meta, document));
    BD_TRY(bd_document_say(document, BD_NOTE, "tau2, the variance between studies: %s (%s)%s.",
                           bd_tau_name(fit->estimator), bd_tau_summary(fit->estimator),
                           isnan(fit->tau2_low) ? "" : "; its interval, and those of I2 and H2, by Q-profile"));
    if (fit->test == BD_POOLING_KNHA || fit->test == BD_POOLING_KNHA_RAW)
        return bd_document_say(document, BD_NOTE,
                               "Tests and intervals: Knapp and Hartung's t with %g df, variances times %.4g%s; %g %%.",
                               fit->df, fit->factor, fit->test == BD_POOLING_KNHA ? " (never below 1)" : "",
                               100 * fit->level);
    return bd_document_say(document, BD_NOTE, "Tests and intervals: %s; %g %%.",
                           fit->test == BD_POOLING_Z ? "z, Wald's" : "t, Wald's with the studies' df",
                           100 * fit->level);
}

static bd_status one_each(const bd_meta_analysis *meta, bd_arena *arena, bd_document *document)
{
    BD_TRY(coefficient_table(meta, document));
    BD_TRY(pooled_table(meta, document));
    BD_TRY(heterogeneity_table(meta, document));
    BD_TRY(meta_study_table(meta, meta->fit->weights, arena, document));
    BD_TRY(sentence(meta, document));
    return notes(meta, document);
}

bd_status bd_meta_document(const bd_meta_analysis *meta, bd_arena *arena, bd_document **out)
{
    const char *title;
    bd_document *document;
    BD_TRY(bd_print(arena, &title, "Meta-analysis: %s", meta->frame->formula));
    BD_TRY(bd_document_new(arena, "meta", title, &document));
    BD_TRY(meta->options.several ? meta_levels_document(meta, arena, document) : one_each(meta, arena, document));
    if (meta->bootstrap != NULL)
        BD_TRY(bd_bootstrap_document(meta->bootstrap, arena, document));
    BD_TRY(bd_provenance_frame(meta->frame, document));
    *out = document;
    return BD_OK;
}
