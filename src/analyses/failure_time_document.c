/* Accelerated failure times as a document. */
#include <math.h>
#include <string.h>

#include <bordin/analyses/failure_time.h>
#include <bordin/analyses/provenance.h>
#include <bordin/report/number.h>

static const char *const names[] = {[BD_WEIBULL] = "Weibull", [BD_EXPONENTIAL] = "exponential",
                                    [BD_LOG_NORMAL] = "log-normal", [BD_LOG_LOGISTIC] = "log-logistic"};

static bool has_hazard_ratios(const bd_failure_time *fit)
{
    return fit->n_columns > 1 && fit->distribution <= BD_EXPONENTIAL && fit->end == BD_FAILURE_TIME_CONVERGED;
}

/* Of a fit that did not converge, what it was left at is nobody's estimate. */
static double estimated(const bd_failure_time *fit, double value)
{
    return fit->end == BD_FAILURE_TIME_CONVERGED ? value : NAN;
}

static bd_status coefficient_table(const bd_failure_time_regression *r, bd_document *document)
{
    const bd_failure_time *fit = r->fit;
    bd_heading headings[9] = {
        {"term", "Term", BD_TEXT}, {"estimate", "Log time", BD_ESTIMATE}, {"se", "SE", BD_ESTIMATE}};
    const bd_heading rest[] = {{"statistic", "z", BD_STATISTIC},
                               {"p", "p", BD_P_VALUE},
                               {"time_ratio", "Time ratio", BD_ESTIMATE},
                               {"ci_low", "CI low", BD_ESTIMATE},
                               {"ci_high", "CI high", BD_ESTIMATE}};
    const size_t n_before = fit->robust ? 4 : 3, last = fit->n_parameters - 1;
    if (fit->robust)
        headings[3] = (bd_heading){"robust_se", "Robust SE", BD_ESTIMATE};
    memcpy(headings + n_before, rest, sizeof rest);
    bd_document_rows *rows;
    bd_cell *cells;
    BD_TRY(bd_document_table(document, "coefficients", "Coefficients", headings, n_before + 5, &rows));
    for (size_t j = 0; j < fit->n_columns; j++) {
        const bd_failure_time_coefficient *c = &fit->coefficients[j];
        const double values[] = {c->z, c->p, estimated(fit, c->time_ratio), c->time_ratio_low, c->time_ratio_high};
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(r->design.names[j]);
        cells[1] = bd_number(estimated(fit, c->estimate));
        cells[2] = bd_number(c->naive_se);
        if (fit->robust)
            cells[3] = bd_number(c->se);
        for (size_t i = 0; i < (j == 0 ? 2 : 5); i++) /* the constant is no ratio */
            cells[n_before + i] = bd_number(values[i]);
    }
    if (fit->n_parameters == fit->n_columns)
        return BD_OK;
    BD_TRY(bd_document_row(rows, &cells));
    cells[0] = bd_text(r->design.names[fit->n_columns]);
    cells[1] = bd_number(estimated(fit, log(fit->scale)));
    cells[2] = bd_number(sqrt(fit->naive_covariance[last * fit->n_parameters + last]));
    if (fit->robust)
        cells[3] = bd_number(fit->log_scale_se);
    return BD_OK;
}

static bd_status hazard_table(const bd_failure_time_regression *r, bd_document *document)
{
    const bd_heading headings[] = {{"term", "Term", BD_TEXT},
                                   {"estimate", "Log HR", BD_ESTIMATE},
                                   {"se", r->fit->robust ? "Robust SE" : "SE", BD_ESTIMATE},
                                   {"hazard_ratio", "Hazard ratio", BD_ESTIMATE},
                                   {"ci_low", "CI low", BD_ESTIMATE},
                                   {"ci_high", "CI high", BD_ESTIMATE}};
    bd_document_rows *rows;
    if (!has_hazard_ratios(r->fit))
        return BD_OK;
    BD_TRY(bd_document_table(document, "hazard_ratios", "The same as hazard ratios", headings, 6, &rows));
    for (size_t j = 1; j < r->fit->n_columns; j++) {
        const bd_failure_time_coefficient *c = &r->fit->coefficients[j];
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(r->design.names[j]);
        cells[1] = bd_number(c->log_hazard);
        cells[2] = bd_number(c->log_hazard_se);
        cells[3] = bd_number(c->hazard_ratio);
        cells[4] = bd_number(c->hazard_ratio_low);
        cells[5] = bd_number(c->hazard_ratio_high);
    }
    return BD_OK;
}

static bd_status bootstrap_table(const bd_failure_time_regression *r, bd_document *document)
{
    const bd_heading headings[] = {{"term", "Term", BD_TEXT},
                                   {"estimate", "Log time", BD_ESTIMATE},
                                   BD_BOOTSTRAP_HEADINGS("boot_p", "Boot p", BD_ESTIMATE)};
    enum { N = sizeof headings / sizeof headings[0] };
    const bd_failure_time *fit = r->fit;
    bd_document_rows *rows;
    if (r->bootstrap == NULL)
        return BD_OK;
    BD_TRY(bd_document_table(document, "bootstrap", "Bootstrap", headings, N, &rows));
    for (size_t j = 0; j < fit->n_parameters; j++) {
        const double estimate = j < fit->n_columns ? fit->coefficients[j].estimate : log(fit->scale);
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(r->design.names[j]);
        cells[1] = bd_number(estimate);
        bd_bootstrap_cells(&r->bootstrap->ends[j], cells + 2);
    }
    return BD_OK;
}

static bd_status fit_table(const bd_failure_time_regression *r, bd_document *document)
{
    const bd_failure_time *fit = r->fit;
    const bd_value facts[] = {
        {{"n", "n", BD_COUNT}, (double)fit->n_used},
        {{"events", "Events", BD_COUNT}, (double)fit->n_events},
        {{"scale", "Scale", BD_ESTIMATE}, estimated(fit, fit->scale)},
        {{"shape", "Shape", BD_ESTIMATE}, fit->distribution == BD_WEIBULL ? estimated(fit, 1 / fit->scale) : NAN},
        {{"log_likelihood_null", "Log-likelihood, null", BD_STATISTIC}, fit->log_likelihood_null},
        {{"log_likelihood", "Log-likelihood", BD_STATISTIC}, estimated(fit, fit->log_likelihood)},
        {{"aic", "AIC", BD_STATISTIC}, 
         estimated(fit, 2 * ((double)fit->n_parameters - fit->log_likelihood))},
        {{"df", "df", BD_DF}, fit->df},
        {{"likelihood_ratio", "Likelihood ratio chi2", BD_STATISTIC}, estimated(fit, fit->likelihood_ratio)},
        {{"likelihood_ratio_p", "p", BD_P_VALUE}, estimated(fit, fit->p)},
    };
    return bd_document_list(document, "fit", "Fit", facts, sizeof facts / sizeof facts[0], false);
}

static bd_status notes(const bd_failure_time_regression *r, bd_document *document)
{
    const bd_survival_data *data = r->data;
    const bd_failure_time *fit = r->fit;
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "log(time) = terms + scale * error, the error such that time is %s%s. Time "
                           "ratios are exp(Log time): above 1, the event comes later; intervals: %g %%.",
                           names[fit->distribution], fit->distribution == BD_EXPONENTIAL ? ", the scale 1" : "",
                           100 * fit->level));
    if (has_hazard_ratios(fit))
        BD_TRY(bd_document_say(document, BD_NOTE, "Hazard ratios are exp(-Log time / scale), intervals by the delta "
                                                  "method."));
    if (data->cluster != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "z, p and intervals rest on robust errors for %zu clusters of %s; the "
                               "likelihood ratio test takes rows as independent.",
                               r->design.n_clusters, data->cluster));
    else if (fit->robust)
        BD_TRY(bd_document_say(document, BD_NOTE, "z, p and intervals rest on robust errors by row."));
    if (data->weights != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Rows count by %s: weights are frequencies, not rescaled.",
                               data->weights));
    if (data->offset != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Offset of log(time): %s.", data->offset));
    for (size_t t = 0; r->predictions != NULL && t < r->predictions->n_times; t++)
        if (r->predictions->times[t] > r->last)
            return bd_document_say(document, BD_NOTE, "Times behind %g, the last that was observed, rest on the "
                                                      "distribution alone.",
                                   r->last);
    return BD_OK;
}

static bd_status say(const bd_failure_time_regression *r, bd_document *document)
{
    const bd_failure_time *fit = r->fit;
    if (!isnan(estimated(fit, fit->p)))
        BD_TRY(bd_document_say(document, BD_SENTENCE, "%zu of %zu rows have the event (%s). The predictors together: "
                                                      "likelihood ratio chi2(%.0f) = %.2f, %s.",
                               fit->n_events, fit->n_used, r->data->event, fit->df, fit->likelihood_ratio,
                               bd_show_p(fit->p).text));
    else
        BD_TRY(bd_document_say(document, BD_SENTENCE, "%zu of %zu rows have the event (%s).", fit->n_events,
                               fit->n_used, r->data->event));
    if (fit->end == BD_FAILURE_TIME_INFINITE)
        return bd_document_say(document, BD_WARNING, "The likelihood rises for ever: some level or combination of the "
                                                     "predictors sees no event. There are no estimates.");
    if (fit->end == BD_FAILURE_TIME_EXACT)
        return bd_document_say(document, BD_WARNING,
                               "The predictors fit the times exactly, and the scale goes to 0. There "
                               "are no estimates.");
    if (fit->end == BD_FAILURE_TIME_NOT_CONVERGED)
        return bd_document_say(document, BD_WARNING,
                               "The fit did not converge in %zu iterations. There are no estimates.",
                               fit->n_iterations);
    return BD_OK;
}

bd_status bd_failure_time_document(const bd_failure_time_regression *r, bd_arena *arena, bd_document **out)
{
    const char *title;
    bd_document *document;
    BD_TRY(
        bd_print(arena, &title, "Accelerated failure times (%s): %s", names[r->fit->distribution], r->data->formula));
    BD_TRY(bd_document_new(arena, "survival", title, &document));
    BD_TRY(coefficient_table(r, document));
    BD_TRY(hazard_table(r, document));
    BD_TRY(bootstrap_table(r, document));
    BD_TRY(fit_table(r, document));
    BD_TRY(bd_survival_predictions_document(r->predictions, document));
    BD_TRY(say(r, document));
    BD_TRY(notes(r, document));
    if (r->bootstrap != NULL)
        BD_TRY(bd_bootstrap_document(r->bootstrap, arena, document));
    BD_TRY(bd_provenance_frame(r->data->frame, document));
    *out = document;
    return BD_OK;
}
