/* Competing risks as a document. */
#include <math.h>
#include <string.h>

#include <bordin/analyses/competing.h>
#include <bordin/analyses/provenance.h>
#include <bordin/report/number.h>

#include "analyses/competing_bootstrap.h"
#include "analyses/survival_document.h"

/* Cells after the first two, which are texts. */
static bd_status fill(bd_document_rows *rows, const char *first, const char *second, const double *values, size_t n)
{
    bd_cell *cells;
    BD_TRY(bd_document_row(rows, &cells));
    cells[0] = bd_text(first);
    cells[1] = bd_text(second);
    for (size_t i = 0; i < n; i++)
        cells[i + 2] = bd_number(values[i]);
    return BD_OK;
}

static bd_status groups_table(const bd_competing *c, bd_document *document)
{
    const bd_heading headings[] = {{"group", "Group", BD_TEXT},
                                   {"cause", "Event", BD_TEXT},
                                   {"n", "n", BD_COUNT},
                                   {"events", "Events", BD_COUNT}};
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "groups", "Groups", headings, 4, &rows));
    for (size_t g = 0; g < c->n_groups; g++)
        for (size_t k = 0; k < c->n_causes; k++) {
            const bd_incidence_curve *curve = &c->incidence->curves[g];
            const double values[] = {(double)curve->n_rows, curve->causes[c->causes[k].number - 1].n_events};
            BD_TRY(fill(rows, c->groups[g], c->causes[k].name, values, 2));
        }
    return BD_OK;
}

/* Just before the time; late entries leave it open between the curve's own times. */
static double at_risk(const bd_competing *c, const bd_incidence_curve *curve, double time)
{
    for (size_t i = 0; i < curve->n_times; i++)
        if (curve->times[i] >= time)
            return c->data->design.start == NULL || curve->times[i] == time ? curve->at_risk[i] : NAN;
    return 0;
}

static bd_status incidence_table(const bd_competing *c, bd_document *document)
{
    const bd_heading headings[] = {{"cause", "Event", BD_TEXT},      {"group", "Group", BD_TEXT},
                                   {"time", "Time", BD_STATISTIC},   {"at_risk", "At risk", BD_COUNT},
                                   {"incidence", "Share", BD_BOUNDED}, {"se", "SE", BD_BOUNDED},
                                   {"ci_low", "CI low", BD_BOUNDED}, {"ci_high", "CI high", BD_BOUNDED}};
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "incidence", "Share that has had the event first", headings, 8, &rows));
    for (size_t k = 0; k < c->n_causes; k++)
        for (size_t g = 0; g < c->n_groups; g++)
            for (size_t t = 0; t < c->options.n_times; t++) {
                const bd_incidence_curve *curve = &c->incidence->curves[g];
                const double time = c->options.times[t];
                const bd_incidence_point p = bd_incidence_at(curve, c->causes[k].number, time);
                const bool observed = curve->n_times > 0 && time <= curve->times[curve->n_times - 1];
                const double none = observed ? 0 : NAN; /* beyond what was followed nothing is known */
                const double values[] = {time, at_risk(c, curve, time), p.incidence + none, p.se + none, p.low + none,
                                         p.high + none};
                BD_TRY(fill(rows, c->causes[k].name, c->groups[g], values, 6));
            }
    return BD_OK;
}

static bd_status gray_table(const bd_competing *c, bd_document *document)
{
    const bd_heading headings[] = {
        {"cause", "Event", BD_TEXT}, {"statistic", "chi2", BD_STATISTIC}, {"df", "df", BD_DF}, {"p", "p", BD_P_VALUE}};
    bd_document_rows *rows;
    if (c->causes[0].test == NULL)
        return BD_OK;
    BD_TRY(bd_document_table(document, "gray", "Do groups differ in the share (Gray's test)?", headings, 4, &rows));
    for (size_t k = 0; k < c->n_causes; k++) {
        const bd_gray *test = c->causes[k].test;
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(c->causes[k].name);
        cells[1] = bd_number(test->statistic);
        cells[2] = bd_number(test->df);
        cells[3] = bd_number(test->p);
    }
    return BD_OK;
}

static bd_status steps_table(const bd_competing *c, bd_document *document)
{
    const bd_heading headings[] = {
        {"cause", "Event", BD_TEXT},        {"group", "Group", BD_TEXT},      {"time", "Time", BD_STATISTIC},
        {"at_risk", "At risk", BD_STATISTIC}, {"events", "Events", BD_STATISTIC}, {"incidence", "Share", BD_BOUNDED},
        {"se", "SE", BD_BOUNDED},           {"ci_low", "CI low", BD_BOUNDED}, {"ci_high", "CI high", BD_BOUNDED}};
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "curves", "Curves", headings, 9, &rows));
    bd_document_unprinted(rows);
    for (size_t k = 0; k < c->n_causes; k++)
        for (size_t g = 0; g < c->n_groups; g++) {
            const bd_incidence_curve *curve = &c->incidence->curves[g];
            const bd_incidence_cause *cause = &curve->causes[c->causes[k].number - 1];
            for (size_t t = 0; t < curve->n_times; t++) {
                const double values[] = {curve->times[t], curve->at_risk[t], cause->events[t], cause->incidence[t],
                                         cause->se[t],    cause->low[t],     cause->high[t]};
                if (cause->events[t] > 0)
                    BD_TRY(fill(rows, c->causes[k].name, c->groups[g], values, 7));
            }
        }
    return BD_OK;
}

static bd_status say_shares(const bd_competing *c, bd_document *document)
{
    const bd_survival_data *data = c->data;
    for (size_t k = 0; k < c->n_causes; k++) {
        const bd_gray *test = c->causes[k].test;
        if (test != NULL)
            BD_TRY(bd_document_say(document, BD_SENTENCE,
                                   "The shares with %s first %s between the levels of %s, "
                                   "chi2(%.0f) = %.2f, %s.",
                                   c->causes[k].name,
                                   test->p < 1 - c->options.level ? "differ" : "do not differ beyond chance",
                                   data->strata, test->df, test->statistic, bd_show_p(test->p).text));
    }
    BD_TRY(bd_document_say(
        document, BD_NOTE,
        "Shares: Aalen and Johansen's; %g %% intervals on the scale log(-log(share)), errors from %s.",
        100 * c->options.level, data->cluster != NULL ? "each cluster's influence" : "each row's influence"));
    if (c->options.rho != 0 && c->causes[0].test != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Each time counts as 1 - share to the power of %g in the test.",
                               c->options.rho));
    if (c->n_groups > 1 && c->causes[0].test == NULL)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "Gray's test takes rows that are at risk from 0, without weights: none "
                               "is given."));
    return BD_OK;
}

static bd_status regression_table(const bd_competing *c, bool subdistribution, bd_document *document)
{
    const bd_cox *first = subdistribution ? c->causes[0].subdistribution : c->causes[0].specific;
    const bool robust = first != NULL && first->se == BD_COX_ROBUST;
    const bd_heading headings[] = {
        {"cause", "Event", BD_TEXT}, {"term", "Term", BD_TEXT},
        {"estimate", subdistribution ? "Log SHR" : "Log HR", BD_ESTIMATE},
        {robust ? "robust_se" : "se", robust ? "Robust SE" : "SE", BD_ESTIMATE}, {"statistic", "z", BD_STATISTIC},
        {"p", "p", BD_P_VALUE},
        {subdistribution ? "subdistribution_hazard_ratio" : "hazard_ratio",
         subdistribution ? "Subdistribution HR" : "Hazard ratio", BD_ESTIMATE},
        {"ci_low", "CI low", BD_ESTIMATE}, {"ci_high", "CI high", BD_ESTIMATE}};
    bd_document_rows *rows;
    if (first == NULL)
        return BD_OK;
    BD_TRY(bd_document_table(document, subdistribution ? "subdistribution" : "coefficients",
                             subdistribution ? "The share that comes to have it (Fine and Gray)"
                                             : "The hazard of those without any event yet (cause-specific)",
                             headings, 9, &rows));
    for (size_t k = 0; k < c->n_causes; k++) {
        const bd_cox *fit = subdistribution ? c->causes[k].subdistribution : c->causes[k].specific;
        for (size_t j = 0; j < fit->n_columns; j++) {
            const bd_cox_coefficient *b = &fit->coefficients[j];
            const double values[] = {b->estimate, b->se, b->z, b->p, b->hazard_ratio, b->hazard_ratio_low,
                                     b->hazard_ratio_high};
            BD_TRY(fill(rows, c->causes[k].name, c->data->design.names[j], values, 7));
        }
    }
    return BD_OK;
}

/* The share is 1 - survival of the subdistribution. */
static bd_status prediction_table(const bd_competing *c, bd_document *document)
{
    const bd_survival_predictions *first = NULL;
    for (size_t k = c->n_causes; k > 0; k--)
        first = c->causes[k - 1].predictions != NULL ? c->causes[k - 1].predictions : first;
    const bool strata = first != NULL && first->items[0].stratum != NULL;
    const bd_heading rest[] = {{"time", "Time", BD_STATISTIC},
                               {"incidence", "Share", BD_BOUNDED},
                               {"ci_low", "CI low", BD_BOUNDED},
                               {"ci_high", "CI high", BD_BOUNDED}};
    bd_heading headings[7] = {
        {"cause", "Event", BD_TEXT}, {"profile", "Profile", BD_TEXT}, {"stratum", "Stratum", BD_TEXT}};
    const size_t n_texts = strata ? 3 : 2;
    bd_document_rows *rows;
    if (first == NULL)
        return BD_OK;
    memcpy(headings + n_texts, rest, sizeof rest);
    BD_TRY(bd_document_table(document, "predictions", "Share of profiles", headings, n_texts + 4, &rows));
    for (size_t k = 0; k < c->n_causes; k++)
        for (size_t i = 0; c->causes[k].predictions != NULL && i < c->causes[k].predictions->n; i++)
            for (size_t t = 0; t < first->n_times; t++) {
                const bd_survival_prediction *item = &c->causes[k].predictions->items[i];
                const bd_survival_predicted_point *p = &item->points[t];
                const double values[] = {first->times[t], 1 - p->survival, 1 - p->high, 1 - p->low};
                bd_cell *cells;
                BD_TRY(bd_document_row(rows, &cells));
                cells[0] = bd_text(c->causes[k].name);
                cells[1] = bd_text(item->profile);
                if (strata)
                    cells[2] = bd_text(item->stratum);
                for (size_t v = 0; v < 4; v++)
                    cells[n_texts + v] = bd_number(values[v]);
            }
    for (size_t i = 0; i < first->n_notes; i++)
        BD_TRY(bd_document_say(document, BD_NOTE, "%s", first->notes[i]));
    return bd_document_say(document, BD_NOTE,
                           "Shares of profiles: by Fine and Gray's model, limits on the log scale of 1 - "
                           "share; those of several causes are fitted apart and may exceed 1 together.");
}

static bd_status fit_table(const bd_competing *c, bd_document *document)
{
    const bd_heading headings[] = {{"cause", "Event", BD_TEXT},
                                   {"model", "Model", BD_TEXT},
                                   {"n", "n", BD_COUNT},
                                   {"events", "Events", BD_COUNT},
                                   {"log_likelihood_null", "Log-likelihood, null", BD_STATISTIC},
                                   {"log_likelihood", "Log-likelihood", BD_STATISTIC},
                                   {"likelihood_ratio", "LR chi2", BD_STATISTIC},
                                   {"df", "df", BD_DF},
                                   {"p", "p", BD_P_VALUE}};
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "fit", "Fit", headings, 9, &rows));
    for (size_t k = 0; k < c->n_causes; k++) {
        const bd_cox *of[] = {c->causes[k].specific, c->causes[k].subdistribution};
        for (size_t m = 0; m < 2 && of[m] != NULL; m++) {
            const bd_cox_test *ratio =
                &of[m]->likelihood_ratio; /* of weighted copies of rows it has no distribution */
            const double values[] = {(double)of[0]->n_used, (double)of[m]->n_events, of[m]->log_likelihood_null,
                                     of[m]->log_likelihood, m == 0 ? ratio->statistic : NAN, m == 0 ? ratio->df : NAN,
                                     m == 0 ? ratio->p : NAN};
            BD_TRY(fill(rows, c->causes[k].name, m == 0 ? "cause-specific" : "Fine and Gray", values, 7));
        }
    }
    return BD_OK;
}

static bd_status say_regressions(const bd_competing *c, bd_document *document)
{
    const bd_survival_data *data = c->data;
    for (size_t k = 0; k < c->n_causes; k++) {
        const bd_cox *fit = c->causes[k].specific;
        BD_TRY(bd_document_say(document, BD_SENTENCE, "%s: %zu of %zu rows. The predictors together and its hazard: "
                                                      "likelihood ratio chi2(%.0f) = %.2f, %s.",
                               c->causes[k].name, fit->n_events, fit->n_used, fit->likelihood_ratio.df,
                               fit->likelihood_ratio.statistic, bd_show_p(fit->likelihood_ratio.p).text));
        if (k == 0)
            BD_TRY(bd_document_say(document, BD_NOTE, "Ties: by %s approximation.",
                                   fit->ties == BD_COX_EFRON ? "Efron's" : "Breslow's"));
    }
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "Cause-specific: rows with another event are censored then. What raises "
                           "one hazard changes how many are left for the others; ratios of the share "
                           "itself are Fine and Gray's."));
    if (c->causes[0].subdistribution == NULL)
        return bd_document_say(document, BD_NOTE, "Fine and Gray's model takes rows that are at risk from 0: none is "
                                                  "given.");
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "Fine and Gray: rows with another event stay at risk, with the weight that "
                           "censoring%s would have left (at one time events come before it); robust errors "
                           "by %s, in which this weight is taken as known.",
                           data->strata != NULL ? ", by stratum," : "", data->cluster != NULL ? "cluster" : "row"));
    return BD_OK;
}

static bd_status warn(const bd_competing *c, bd_arena *arena, bd_document *document)
{
    for (size_t k = 0; k < c->n_causes; k++) {
        const bd_cox *of[] = {c->causes[k].specific, c->causes[k].subdistribution};
        for (size_t m = 0; m < 2 && of[m] != NULL; m++) {
            const char *name = NULL;
            BD_TRY(bd_print(arena, &name, "%s%s: ", c->causes[k].name, m == 0 ? "" : ", Fine and Gray"));
            if (m == 0 || of[m]->end != BD_COX_CONVERGED)
                BD_TRY(cox_warnings(of[m], name, document));
        }
    }
    return BD_OK;
}

static bd_status note_data(const bd_competing *c, bd_arena *arena, bd_document *document)
{
    const bd_survival_data *data = c->data;
    const char *names = "";
    for (size_t k = 0; k < data->n_causes; k++)
        BD_TRY(bd_print(arena, &names, "%s%s'%s'", names, k > 0 ? ", " : "", data->causes[k]));
    BD_TRY(bd_document_say(document, BD_NOTE, "%s: '%s' is no event; those that compete are %s.", data->event,
                           data->censored, names));
    if (data->strata != NULL && c->incidence == NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "%zu strata of %s, each with a baseline hazard of its own.",
                               data->design.n_strata, data->strata));
    if (data->cluster != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "%zu clusters of %s.", data->design.n_clusters, data->cluster));
    if (data->weights != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Rows count by %s: weights are frequencies, not rescaled.",
                               data->weights));
    if (data->offset != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Offset of the log hazard: %s.", data->offset));
    return BD_OK;
}

bd_status bd_competing_document(const bd_competing *c, bd_arena *arena, bd_document **out)
{
    const char *title;
    bd_document *document;
    BD_TRY(bd_print(arena, &title, "Competing risks: %s", c->data->formula));
    BD_TRY(bd_document_new(arena, "survival", title, &document));
    if (c->incidence != NULL) {
        BD_TRY(groups_table(c, document));
        BD_TRY(incidence_table(c, document));
        BD_TRY(gray_table(c, document));
        BD_TRY(steps_table(c, document));
        BD_TRY(say_shares(c, document));
    } else {
        BD_TRY(regression_table(c, false, document));
        BD_TRY(regression_table(c, true, document));
        BD_TRY(prediction_table(c, document));
        BD_TRY(competing_bootstrap_table(c, document));
        BD_TRY(fit_table(c, document));
        BD_TRY(say_regressions(c, document));
        BD_TRY(warn(c, arena, document));
    }
    BD_TRY(note_data(c, arena, document));
    if (c->bootstrap != NULL && c->causes[0].subdistribution != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Each replicate also estimates anew how censoring goes on."));
    if (c->bootstrap != NULL)
        BD_TRY(bd_bootstrap_document(c->bootstrap, arena, document));
    BD_TRY(bd_provenance_frame(c->data->frame, document));
    *out = document;
    return BD_OK;
}
