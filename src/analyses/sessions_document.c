/* Sessions of patients as a document. */
#include <math.h>

#include <bordin/analyses/provenance.h>
#include <bordin/analyses/sessions.h>
#include <bordin/report/number.h>

#include "analyses/mixed_internal.h"

static const char *const trend_names[] = {"none", "linear time", "a level for each session", "linear time, AR(1) residuals",
                                          "changes (first differences)"};

static bd_status effect_table(const bd_sessions *s, const char *id, const char *title, size_t offset,
                              bd_document *document)
{
    static const bd_heading headings[] = {{"trend", "Trend taken out", BD_TEXT},   {"estimate", "Estimate", BD_ESTIMATE},
                                          {"se", "SE", BD_ESTIMATE},               {"df", "df", BD_DF},
                                          {"statistic", "t", BD_STATISTIC},        {"p", "p", BD_P_VALUE},
                                          {"ci_low", "CI low", BD_ESTIMATE},       {"ci_high", "CI high", BD_ESTIMATE}};
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, id, title, headings, 8, &rows));
    for (size_t t = 0; t < BD_N_TRENDS; t++) {
        const bd_mixed_coefficient *c = (const void *)((const char *)&s->fits[t] + offset);
        bd_cell *cells;
        if (isnan(c->estimate))
            continue;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(trend_names[t]);
        mixed_coefficient_cells(c, cells + 1);
    }
    return BD_OK;
}

static bd_status fit_table(const bd_sessions *s, bd_document *document)
{
    static const bd_heading headings[] = {{"trend", "Trend taken out", BD_TEXT},
                                          {"rows", "Rows", BD_COUNT},
                                          {"deviance", "REML criterion", BD_STATISTIC},
                                          {"phi", "Autocorrelation", BD_BOUNDED}};
    bd_heading shown[4];
    bd_document_rows *rows;
    for (size_t j = 0; j < 4; j++)
        shown[j] = headings[j];
    if (!s->options.fit.reml)
        shown[2].heading = "-2 log-likelihood";
    BD_TRY(bd_document_table(document, "fits", "Fits", shown, 4, &rows));
    for (size_t t = 0; t < BD_N_TRENDS; t++) {
        const bd_session_fit *fit = &s->fits[t];
        bd_cell *cells;
        if (fit->refused != NULL)
            continue;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(trend_names[t]);
        cells[1] = bd_number((double)fit->n_rows);
        cells[2] = bd_number(fit->deviance);
        cells[3] = bd_number(fit->phi);
    }
    return BD_OK;
}

static bd_status mean_table(const bd_sessions *s, bd_document *document)
{
    const bd_value values[] = {
        {{"sessions", "Sessions a patient, harmonic mean", BD_STATISTIC}, s->sessions_per_patient},
        {{"reliability", "Reliability of the means", BD_BOUNDED}, s->reliability},
        {{"estimate", "Effect between, adjusted", BD_ESTIMATE}, s->adjusted.estimate},
        {{"se", "SE", BD_ESTIMATE}, s->adjusted.se},
        {{"p", "p", BD_P_VALUE}, s->adjusted.p},
        {{"ci_low", "CI low", BD_ESTIMATE}, s->adjusted.ci_low},
        {{"ci_high", "CI high", BD_ESTIMATE}, s->adjusted.ci_high},
    };
    return bd_document_list(document, "means", "The patients' mean alliance", values, 7, true);
}

static bd_status say_within(const bd_sessions *s, bd_document *document)
{
    double least = INFINITY, most = -INFINITY, largest_p = 0, smallest_p = 1;
    size_t n = 0;
    for (size_t t = 0; t < BD_N_TRENDS; t++) {
        const bd_mixed_coefficient *c = &s->fits[t].within;
        if (isnan(c->estimate))
            continue;
        n++;
        least = fmin(least, c->estimate);
        most = fmax(most, c->estimate);
        largest_p = fmax(largest_p, c->p);
        smallest_p = fmin(smallest_p, c->p);
    }
    const double alpha = 1 - s->options.fit.level;
    const bool same = least * most > 0 && (largest_p < alpha || smallest_p >= alpha);
    BD_TRY(bd_document_say(document, BD_SENTENCE,
                           "A point of %s above the patient's own mean goes with %s by %.4g to %.4g%s, over %zu ways of "
                           "taking the trend out.",
                           s->alliance, s->outcomes->response_name, least, most,
                           s->options.lag == 0 ? " in the same session" : " later", n));
    return bd_document_say(document, same ? BD_SENTENCE : BD_WARNING, "%s",
                           !same                ? "Whether there is an effect within patients turns on the way the trend is taken "
                                                  "out: report all of them, and choose by what is known of the course without "
                                                  "treatment, not by p."
                           : largest_p < alpha ? "All of them agree that there is an effect within patients, and on its sign."
                                                : "None of them shows an effect within patients.");
}

static bd_status say_rows(const bd_sessions *s, bd_document *document)
{
    const char *session = s->options.session;
    if (s->options.lag > 0)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "The alliance is that of %zu before in %s; %zu outcomes are too early to have one, %zu more "
                               "because that session is missing, or its alliance. Sessions are counted by their numbers: a "
                               "gap is not closed.",
                               s->options.lag, session, s->n_first, s->n_gaps));
    else if (s->n_gaps + s->n_first > 0)
        BD_TRY(bd_document_say(document, BD_NOTE, "%zu outcomes have no alliance in their session.",
                               s->n_gaps + s->n_first));
    BD_TRY(bd_document_say(document, BD_NOTE, "%zu outcomes of %zu patients are used, and the alliance of %zu sessions.",
                           s->n_used, s->n_patients, s->alliances->n_rows));
    if (s->fits[BD_TREND_DIFFERENCE].refused == NULL)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "Changes are those from one session to the next (%g apart), by least squares with "
                               "cluster-robust errors (CR2) of patients; their intercept is a linear trend. What does not "
                               "change within a patient is left out of them.",
                               s->step));
    return BD_OK;
}

static bd_status say_models(const bd_sessions *s, bd_document *document)
{
    BD_TRY(bd_document_say(document, BD_NOTE, "Levels vary between patients%s%s; fitted by %s; %s (%g %%).",
                           s->options.therapist != NULL ? " and between groups of " : "",
                           s->options.therapist != NULL ? s->options.therapist : "",
                           s->options.fit.reml ? "restricted maximum likelihood (REML)" : "maximum likelihood",
                           mixed_distribution(s->options.fit.df), 100 * s->options.fit.level));
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "A patient's mean is that of all of the patient's sessions, those after the outcome too: where "
                           "outcomes change the later alliance, and patients have few sessions, effects within are off. "
                           "Criteria of models with other fixed effects are not comparable by REML."));
    if (isfinite(s->fits[BD_TREND_AR1].phi))
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "AR(1): residuals of a patient correlate by %.3f^(sessions apart), %.2f in the criterion "
                               "better than without; errors take it as known.",
                               s->fits[BD_TREND_AR1].phi,
                               s->fits[BD_TREND_LINEAR].deviance - s->fits[BD_TREND_AR1].deviance));
    if (isfinite(s->adjusted.estimate))
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "Adjusted: (between - (1 - reliability) within) / reliability with linear time, the reliability "
                               "taken as known (Luedtke et al. 2008)."));
    for (size_t t = 0; t < BD_N_TRENDS; t++) {
        if (s->fits[t].refused != NULL)
            BD_TRY(bd_document_say(document, BD_WARNING, "'%s' has no answer: %s.", trend_names[t], s->fits[t].refused));
        else if (s->fits[t].singular)
            BD_TRY(bd_document_say(document, BD_NOTE, "'%s': the fit is singular, a variance is 0.", trend_names[t]));
    }
    return BD_OK;
}

bd_status bd_sessions_document(const bd_sessions *s, bd_arena *arena, bd_document **out)
{
    const char *title, *when;
    bd_document *document;
    BD_TRY(bd_print(arena, &title, "Sessions: %s", s->options.formula));
    BD_TRY(s->options.lag == 0 ? bd_print(arena, &when, "the same session")
                               : bd_print(arena, &when, "%zu session%s before", s->options.lag,
                                          s->options.lag == 1 ? "" : "s"));
    BD_TRY(bd_document_new(arena, "sessions", title, &document));
    BD_TRY(bd_print(arena, &title, "%s within patients, %s", s->alliance, when));
    BD_TRY(effect_table(s, "within", title, offsetof(bd_session_fit, within), document));
    BD_TRY(bd_print(arena, &title, "%s between patients (their means)", s->alliance));
    BD_TRY(effect_table(s, "between", title, offsetof(bd_session_fit, between), document));
    BD_TRY(effect_table(s, "difference", "Between less within", offsetof(bd_session_fit, difference), document));
    BD_TRY(fit_table(s, document));
    BD_TRY(mean_table(s, document));
    BD_TRY(say_within(s, document));
    BD_TRY(say_rows(s, document));
    BD_TRY(say_models(s, document));
    BD_TRY(bd_provenance_frame(s->outcomes, document));
    *out = document;
    return BD_OK;
}
