/* What a generalised regression has to say: tables, a sentence, notes and warnings. */
#include <bordin/analyses/glm_regression.h>

#include <math.h>
#include <string.h>

#include <bordin/analyses/provenance.h>
#include <bordin/report/number.h>

#include "analyses/glm_ratio.h"

enum { N_FIRST = 6 }; /* columns before the interval */
static const double OVERDISPERSED = 2; /* Pearson's, from which it is worth a warning */

const char *glm_ratio_heading(const char *ratio)
{
    static const char *const headings[][2] = {{"odds_ratio", "Odds ratio"},
                                              {"hazard_ratio", "Hazard ratio"},
                                              {"risk_ratio", "Risk ratio"},
                                              {"rate_ratio", "Rate ratio"},
                                              {"mean_ratio", "Ratio of means"}};
    for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++)
        if (strcmp(headings[i][0], ratio) == 0)
            return headings[i][1];
    return ratio;
}

/* The headings of the coefficients: what the fit says, the interval of Wald or of the bootstrap, the ratio. */
static size_t coefficient_headings(const bd_glm_regression *regression, const char *ratio, bd_heading *headings)
{
    const bd_heading first[] = {
        {"term", "Term", BD_TEXT},
        {"estimate", "Estimate", BD_ESTIMATE},
        {"se", "SE", BD_ESTIMATE},
        {"statistic", regression->fit->uses_t ? "t" : "z", BD_STATISTIC},
        {"df", "df", BD_DF},
        {"p", "p", BD_P_VALUE},
    };
    const bd_heading wald[] = {{"ci_low", "CI low", BD_ESTIMATE}, {"ci_high", "CI high", BD_ESTIMATE}};
    const bd_heading by_bootstrap[] = {BD_BOOTSTRAP_HEADINGS("boot_p", "Boot p", BD_ESTIMATE)};
    const bd_heading ratios[] = {{"ratio", ratio ? glm_ratio_heading(ratio) : "", BD_STATISTIC},
                                 {"ratio_ci_low", "Ratio CI", BD_STATISTIC},
                                 {"ratio_ci_high", "", BD_STATISTIC}};
    const bool boot = regression->bootstrap != NULL;
    memcpy(headings, first, sizeof first);
    memcpy(headings + N_FIRST, boot ? by_bootstrap : wald, boot ? sizeof by_bootstrap : sizeof wald);
    const size_t n = N_FIRST + (boot ? BD_BOOTSTRAP_CELLS : 2);
    memcpy(headings + n, ratios, sizeof ratios);
    return n + (ratio ? 3 : 0);
}

static bd_status coefficient_table(const bd_glm_regression *regression, bd_document *document)
{
    const bd_glm *fit = regression->fit;
    const bd_bootstrap_result *bootstrap = regression->bootstrap;
    const char *ratio = bd_glm_ratio(fit->family, fit->link);
    bd_heading headings[N_FIRST + BD_BOOTSTRAP_CELLS + 3];
    const size_t n_headings = coefficient_headings(regression, ratio, headings);
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "coefficients", "Coefficients", headings, n_headings, &rows));
    for (size_t j = 0; j < fit->n_columns; j++) {
        const bd_glm_coefficient *c = &fit->coefficients[j];
        const double df = isinf(c->df) ? NAN : c->df;
        const double values[] = {c->estimate, c->se, c->statistic, df, c->p, c->ci_low, c->ci_high};
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(regression->frame->columns[j].name);
        for (size_t i = 0; i < 7; i++)
            cells[i + 1] = bd_number(values[i]);
        if (bootstrap != NULL)
            bd_bootstrap_cells(&bootstrap->ends[j], cells + N_FIRST);
        if (ratio == NULL)
            continue;
        cells[n_headings - 3] = bd_number(exp(c->estimate));
        cells[n_headings - 2] = bd_number(exp(bootstrap ? bootstrap->ends[j].low : c->ci_low));
        cells[n_headings - 1] = bd_number(exp(bootstrap ? bootstrap->ends[j].high : c->ci_high));
    }
    return BD_OK;
}

static bd_status fit_table(const bd_glm_regression *regression, bd_document *document)
{
    const bd_glm *fit = regression->fit;
    const bool f = isfinite(fit->whole_df_residual);
    const bd_value facts[] = {
        {{"n", "n", BD_COUNT}, (double)fit->n_used},
        {{"log_likelihood", "Log-likelihood", BD_STATISTIC}, fit->log_likelihood},
        {{"null_log_likelihood", "Log-likelihood without predictors", BD_STATISTIC}, fit->null_log_likelihood},
        {{"penalised_log_likelihood", "Penalised log-likelihood", BD_STATISTIC}, fit->penalised_log_likelihood},
        {{"deviance", "Deviance", BD_STATISTIC}, fit->deviance},
        {{"df_residual", "df, residual", BD_DF}, fit->df_residual},
        {{"null_deviance", "Deviance without predictors", BD_STATISTIC}, fit->null_deviance},
        {{"df_null", "df, without predictors", BD_DF}, fit->df_null},
        {{f ? "f" : "chi_squared", f ? "F" : "Chi-squared of all predictors", BD_STATISTIC}, fit->whole_statistic},
        {{"df_model", "df of all predictors", BD_DF}, fit->whole_df},
        {{"p", "p", BD_P_VALUE}, fit->whole_p},
        {{"dispersion", "Dispersion (Pearson)", BD_STATISTIC}, fit->df_residual > 0 ? fit->dispersion : NAN},
        {{"theta", "Theta", BD_STATISTIC}, fit->theta},
        {{"theta_se", "SE of theta", BD_STATISTIC}, fit->theta_se},
        {{"aic", "AIC", BD_STATISTIC}, fit->aic},
        {{"bic", "BIC", BD_STATISTIC}, fit->bic},
        {{"mcfadden", "McFadden's R2", BD_STATISTIC}, fit->mcfadden},
        {{"nagelkerke", "Nagelkerke's R2", BD_STATISTIC}, fit->nagelkerke},
        {{"iterations", "Iterations", BD_COUNT}, (double)fit->n_iterations},
    };
    return bd_document_list(document, "fit", "Fit", facts, sizeof facts / sizeof facts[0], true);
}

static bd_status margin_table(const bd_glm_regression *regression, bd_document *document)
{
    const bd_heading headings[] = {
        {"term", "Term", BD_TEXT},           {"kind", "Effect", BD_TEXT},         {"estimate", "Estimate", BD_ESTIMATE},
        {"se", "SE", BD_ESTIMATE},           {"statistic", "", BD_STATISTIC},     {"p", "p", BD_P_VALUE},
        {"ci_low", "CI low", BD_ESTIMATE},   {"ci_high", "CI high", BD_ESTIMATE},
    };
    bd_heading named[8];
    bd_document_rows *rows = NULL;
    memcpy(named, headings, sizeof named);
    named[4].heading = regression->fit->uses_t ? "t" : "z";
    for (size_t j = 0; j < regression->fit->n_columns; j++) {
        const bd_glm_margin *m = &regression->margins[j];
        const double values[] = {m->estimate, m->se, m->statistic, m->p, m->ci_low, m->ci_high};
        bd_cell *cells;
        if (!regression->has_margin[j])
            continue;
        if (rows == NULL)
            BD_TRY(bd_document_table(document, "marginal_effects", "Average marginal effects", named, 8, &rows));
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(regression->frame->columns[j].name);
        cells[1] = bd_text(m->discrete ? "0 to 1" : "slope");
        for (size_t i = 0; i < 6; i++)
            cells[i + 2] = bd_number(values[i]);
    }
    return BD_OK;
}

static bd_status classification_table(const bd_glm_regression *regression, bd_document *document)
{
    const bd_glm_classification *c = regression->classification;
    if (c == NULL)
        return BD_OK;
    const bd_value facts[] = {
        {{"events", "Events", BD_COUNT}, c->n_events},
        {{"others", "Others", BD_COUNT}, c->n_others},
        {{"auc", "AUC", BD_BOUNDED}, c->auc},
        {{"auc_se", "SE", BD_BOUNDED}, c->auc_se},
        {{"auc_low", "AUC, interval", BD_BOUNDED}, c->auc_low},
        {{"auc_high", "", BD_BOUNDED}, c->auc_high},
        {{"tjur", "Tjur's R2", BD_BOUNDED}, regression->fit->tjur},
        {{"brier", "Brier score", BD_BOUNDED}, c->brier},
        {{"calibration_intercept", "Calibration intercept", BD_STATISTIC}, c->calibration_intercept},
        {{"calibration_slope", "Calibration slope", BD_STATISTIC}, c->calibration_slope},
        {{"hosmer_lemeshow", "Hosmer-Lemeshow chi-squared", BD_STATISTIC}, c->hosmer_lemeshow},
        {{"hosmer_lemeshow_df", "df", BD_DF}, c->hosmer_lemeshow_df},
        {{"hosmer_lemeshow_p", "p", BD_P_VALUE}, c->hosmer_lemeshow_p},
    };
    return bd_document_list(document, "classification", "Classification", facts, sizeof facts / sizeof facts[0], true);
}

static bd_status sentence(const bd_glm_regression *regression, bd_document *document)
{
    const bd_glm *fit = regression->fit;
    const char *name = regression->frame->response_name;
    if (isnan(fit->whole_p))
        return BD_OK;
    if (isfinite(fit->whole_df_residual))
        return bd_document_say(document, BD_SENTENCE,
                               "Together the predictors account for differences in %s with F(%.0f, %.0f) = %.2f, %s.",
                               name, fit->whole_df, fit->whole_df_residual, fit->whole_statistic,
                               bd_show_p(fit->whole_p).text);
    return bd_document_say(document, BD_SENTENCE,
                           "Together the predictors account for differences in %s with chi-squared(%.0f) = %.2f, %s "
                           "(likelihood ratio%s).",
                           name, fit->whole_df, fit->whole_statistic, bd_show_p(fit->whole_p).text,
                           fit->firth ? ", penalised" : "");
}

static bd_status classification_sentence(const bd_glm_regression *regression, bd_document *document)
{
    const bd_glm_classification *c = regression->classification;
    if (c == NULL)
        return BD_OK;
    if (isnan(c->auc_se))
        return bd_document_say(document, BD_SENTENCE, "An event has the higher fitted probability in %.1f %% of pairs.",
                               100 * c->auc);
    return bd_document_say(document, BD_SENTENCE,
                           "A case with %s = 1 has a higher fitted probability than one without in %.1f %% of pairs "
                           "(AUC = %s, %g %% CI [%s, %s]).",
                           regression->frame->response_name, 100 * c->auc, bd_show(BD_BOUNDED, c->auc).text,
                           100 * regression->options.level, bd_show(BD_BOUNDED, c->auc_low).text,
                           bd_show(BD_BOUNDED, c->auc_high).text);
}

static bd_status warnings(const bd_glm_regression *regression, bd_document *document)
{
    const bd_glm *fit = regression->fit;
    const bool overdispersed = fit->df_residual > 0 && fit->dispersion > OVERDISPERSED && fit->se == &bd_se_classical;
    if (fit->end == BD_GLM_NO_OVERDISPERSION)
        return bd_document_say(document, BD_WARNING,
                               "The counts vary no more than Poisson's: theta is infinite, and this is Poisson "
                               "regression.");
    if (fit->family == &bd_poisson && overdispersed)
        return bd_document_say(document, BD_WARNING,
                               "The counts vary %.1f times as much as Poisson's: the standard errors are too small. "
                               "Family negbin or quasi-poisson, or robust errors (hc3), allow for it.",
                               fit->dispersion);
    if (fit->family == &bd_binomial && regression->design.trials != NULL && overdispersed)
        return bd_document_say(document, BD_WARNING,
                               "The successes vary %.1f times as much as the binomial's: the standard errors are too "
                               "small. Family quasi-binomial or robust errors (hc3) allow for it.",
                               fit->dispersion);
    return BD_OK;
}

static bd_status model_notes(const bd_glm_regression *regression, bd_document *document)
{
    const bd_glm *fit = regression->fit;
    const bd_frame *frame = regression->frame;
    const char *ratio = bd_glm_ratio(fit->family, fit->link);
    BD_TRY(bd_document_say(document, BD_NOTE, "Family %s (%s), link %s (%s).", bd_family_name(fit->family),
                           bd_family_summary(fit->family), bd_link_name(fit->link), bd_link_summary(fit->link)));
    if (fit->firth)
        BD_TRY(bd_document_say(document, BD_NOTE, "Firth's penalised likelihood; z and the intervals are Wald's."));
    if (ratio != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "%s: exp(estimate), and of the ends of its interval.",
                               glm_ratio_heading(ratio)));
    if (frame->offset != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Offset: %s.", frame->offset_name));
    if (frame->trials != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "%s counts successes out of %s.", frame->response_name,
                               frame->trials_name));
    if (frame->weights != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "A row of weight 2 counts as two."));
    return BD_OK;
}

static bd_status note_terms(const bd_glm_regression *regression, bd_document *document)
{
    const bd_glm *fit = regression->fit;
    const char *const ratios = fit->se != &bd_se_classical || fit->firth ? ""
                               : fit->n_rows > BD_GLM_RATIO_ROWS ? "; likelihood ratios are left out for so many rows"
                               : bd_family_known_dispersion(fit->family)
                                   ? "; likelihood ratios (LR) by fits without the term"
                                   : "; F of deviances by fits without the term";
    if (regression->terms == NULL || regression->terms->n == 0)
        return BD_OK;
    return bd_document_say(document, BD_NOTE, "Terms: Wald's tests from the same errors%s; none of terms that are part of "
                                              "others.",
                           ratios);
}

static bd_status notes(const bd_glm_regression *regression, bd_document *document)
{
    const bd_frame *frame = regression->frame;
    const bd_glm *fit = regression->fit;
    size_t n_hidden = 0;
    BD_TRY(model_notes(regression, document));
    BD_TRY(bd_document_say(document, BD_NOTE, "Standard errors: %s (%s), from which %s, p%s (%g %%).",
                           bd_se_name(fit->se),
                           fit->se != &bd_se_classical                 ? bd_se_summary(fit->se)
                           : bd_family_known_dispersion(fit->family) ? "the model's, from the expected information"
                                                                     : "the model's, times the Pearson dispersion",
                           fit->uses_t ? "t" : "z",
                           regression->bootstrap ? "; intervals are the bootstrap's" : " and the intervals",
                           100 * fit->level));
    if (frame->cluster != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "%zu clusters of %s.", frame->cluster->n_levels,
                               frame->cluster->name));
    BD_TRY(note_terms(regression, document));
    for (size_t j = frame->has_intercept; j < frame->n_columns; j++)
        n_hidden += !regression->has_margin[j];
    if (n_hidden > 0)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "No marginal effects of terms that share a variable: none of them moves alone."));
    return BD_OK;
}

bd_status bd_glm_regression_document(const bd_glm_regression *regression, bd_arena *arena, bd_document **out)
{
    const char *title;
    bd_document *document;
    BD_TRY(bd_print(arena, &title, "Generalised regression: %s", regression->frame->formula));
    BD_TRY(bd_document_new(arena, "regress", title, &document));
    BD_TRY(coefficient_table(regression, document));
    BD_TRY(bd_term_tests_table(regression->terms, document));
    BD_TRY(bd_predictions_table(regression->predictions, regression->bootstrap, document));
    BD_TRY(fit_table(regression, document));
    BD_TRY(margin_table(regression, document));
    BD_TRY(classification_table(regression, document));
    BD_TRY(sentence(regression, document));
    BD_TRY(classification_sentence(regression, document));
    BD_TRY(notes(regression, document));
    BD_TRY(bd_predictions_notes(regression->predictions, regression->bootstrap, document));
    BD_TRY(warnings(regression, document));
    if (regression->bootstrap != NULL)
        BD_TRY(bd_bootstrap_document(regression->bootstrap, arena, document));
    BD_TRY(bd_provenance_frame(regression->frame, document));
    *out = document;
    return BD_OK;
}
