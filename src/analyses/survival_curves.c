/* Survival curves by group, and what is read off them. */
#include <bordin/analyses/survival_curves.h>

#include <math.h>

#include <bordin/analyses/provenance.h>
#include <bordin/report/number.h>

#include "analyses/survival_profiles.h"
#include "analyses/survival_times.h"

/* As far as every group is followed. */
static double common_horizon(const bd_survival_curves *curves)
{
    double horizon = INFINITY;
    for (size_t g = 0; g < curves->n_curves; g++)
        if (curves->curves[g].n_times > 0)
            horizon = fmin(horizon, curves->curves[g].times[curves->curves[g].n_times - 1]);
    return horizon;
}

static bd_status settle_times(bd_followed *f, bd_arena *arena)
{
    bd_follow_options *o = &f->options;
    if (!(o->horizon >= 0) || isinf(o->horizon))
        return bd_fail(BD_EUSAGE, "the horizon must be a time above 0, not %g", o->horizon);
    if (o->horizon == 0)
        o->horizon = common_horizon(f->curves);
    return survival_times(o->horizon, arena, &o->times, &o->n_times);
}

bd_status bd_survival_follow(const bd_survival_data *data, const bd_follow_options *options, bd_arena *arena,
                             const bd_followed **out)
{
    const bd_cox_design *design = &data->design;
    bd_followed *f;
    if (design->n_columns > 0 || design->offset != NULL)
        return bd_fail(BD_EUSAGE, "curves are for formulas without predictors: Surv(time, event) ~ 1, or ~ strata(arm)");
    BD_NEW(arena, f, 1);
    *f = (bd_followed){.data = data, .options = *options};
    BD_TRY(survival_groups(data, arena, &f->groups, &f->n_groups));
    const bd_survival_rows rows = {.n_rows = design->n_rows, .start = design->start, .stop = design->stop,
                                   .event = design->event, .weights = design->weights, .group = design->strata,
                                   .group_names = f->groups, .n_groups = f->n_groups, .cluster = design->cluster,
                                   .n_clusters = design->n_clusters};
    bd_survival_curve_options curve = BD_SURVIVAL_CURVE_DEFAULTS;
    curve.level = options->level;
    curve.robust = design->cluster != NULL;
    BD_TRY(bd_survival_curves_find(&rows, &curve, arena, &f->curves));
    if (f->n_groups > 1)
        BD_TRY(bd_logrank_test(&rows, &options->test, arena, &f->test));
    BD_TRY(settle_times(f, arena));
    *out = f;
    return BD_OK;
}

static bd_status fill(bd_document_rows *rows, const char *group, const double *values, size_t n)
{
    bd_cell *cells;
    BD_TRY(bd_document_row(rows, &cells));
    cells[0] = bd_text(group);
    for (size_t i = 0; i < n; i++)
        cells[i + 1] = bd_number(values[i]);
    return BD_OK;
}

static bd_status groups_table(const bd_followed *f, bd_document *document)
{
    const bd_heading headings[] = {
        {"group", "Group", BD_TEXT},        {"n", "n", BD_COUNT},
        {"events", "Events", BD_COUNT},     {"median", "Median", BD_ESTIMATE},
        {"ci_low", "CI low", BD_ESTIMATE},  {"ci_high", "CI high", BD_ESTIMATE},
        {"restricted_mean", "Restricted mean", BD_ESTIMATE}, {"restricted_mean_se", "SE", BD_ESTIMATE}};
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "groups", "Groups", headings, 8, &rows));
    for (size_t g = 0; g < f->n_groups; g++) {
        const bd_survival_curve *c = &f->curves->curves[g];
        const bd_survival_estimate median = bd_survival_quantile(c, 0.5);
        const bd_survival_mean mean = bd_survival_restricted_mean(c, f->options.horizon);
        const double values[] = {c->n, c->n_events, median.value, median.low, median.high, mean.mean, mean.se};
        BD_TRY(fill(rows, f->groups[g], values, 7));
    }
    return BD_OK;
}

static bd_status survival_table(const bd_followed *f, bd_document *document)
{
    const bd_heading headings[] = {{"group", "Group", BD_TEXT},          {"time", "Time", BD_STATISTIC},
                                   {"at_risk", "At risk", BD_COUNT},     {"survival", "Survival", BD_BOUNDED},
                                   {"se", "SE", BD_BOUNDED},             {"ci_low", "CI low", BD_BOUNDED},
                                   {"ci_high", "CI high", BD_BOUNDED}};
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "survival", "Survival", headings, 7, &rows));
    for (size_t g = 0; g < f->n_groups; g++)
        for (size_t i = 0; i < f->options.n_times; i++) {
            const bd_survival_point p = bd_survival_at(&f->curves->curves[g], f->options.times[i]);
            const double none = p.observed ? 0 : NAN; /* beyond what was followed nothing is known */
            const double values[] = {p.time, p.at_risk, p.survival + none, p.se + none, p.low + none, p.high + none};
            BD_TRY(fill(rows, f->groups[g], values, 6));
        }
    return BD_OK;
}

static bd_status logrank_table(const bd_followed *f, bd_document *document)
{
    const bd_heading headings[] = {{"group", "Group", BD_TEXT},
                                   {"n", "n", BD_COUNT},
                                   {"observed", "Observed", BD_STATISTIC},
                                   {"expected", "Expected", BD_STATISTIC},
                                   {"statistic", "chi2", BD_STATISTIC},
                                   {"df", "df", BD_DF},
                                   {"p", "p", BD_P_VALUE}};
    bd_document_rows *rows;
    if (f->test == NULL)
        return BD_OK;
    BD_TRY(bd_document_table(document, "logrank", "Log-rank test", headings, 7, &rows));
    for (size_t g = 0; g < f->n_groups; g++) {
        const bd_logrank_group *group = &f->test->groups[g];
        BD_TRY(fill(rows, f->groups[g], (double[]){group->n, group->observed, group->expected}, 3));
    }
    return fill(rows, "all", (double[]){NAN, NAN, NAN, f->test->statistic, f->test->df, f->test->p}, 6);
}

static bd_status steps_table(const bd_followed *f, bd_document *document)
{
    const bd_heading headings[] = {{"group", "Group", BD_TEXT},          {"time", "Time", BD_STATISTIC},
                                   {"at_risk", "At risk", BD_STATISTIC}, {"events", "Events", BD_STATISTIC},
                                   {"censored", "Censored", BD_STATISTIC}, {"survival", "Survival", BD_BOUNDED},
                                   {"se", "SE", BD_BOUNDED},             {"ci_low", "CI low", BD_BOUNDED},
                                   {"ci_high", "CI high", BD_BOUNDED}};
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "curves", "Curves", headings, 9, &rows));
    bd_document_unprinted(rows);
    for (size_t g = 0; g < f->n_groups; g++) {
        const bd_survival_curve *c = &f->curves->curves[g];
        for (size_t t = 0; t < c->n_times; t++) {
            const double values[] = {c->times[t], c->at_risk[t], c->events[t], c->censored[t],
                                     c->survival[t], c->se[t], c->low[t], c->high[t]};
            BD_TRY(fill(rows, f->groups[g], values, 8));
        }
    }
    return BD_OK;
}

static bd_status say(const bd_followed *f, bd_document *document)
{
    const bd_survival_data *data = f->data;
    const bd_logrank_options *weights = &f->options.test;
    if (f->test != NULL)
        BD_TRY(bd_document_say(document, BD_SENTENCE, "The curves of %s %s, chi2(%.0f) = %.2f, %s.", data->strata,
                               f->test->p < 1 - f->options.level ? "differ" : "do not differ beyond chance", f->test->df,
                               f->test->statistic, bd_show_p(f->test->p).text));
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "Event: %s. Kaplan and Meier's curves; %g %% intervals on the scale log(-log(survival)), errors "
                           "%s.",
                           data->event, 100 * f->options.level, data->cluster ? "robust, by cluster" : "Greenwood's"));
    BD_TRY(bd_document_say(document, BD_NOTE, "Restricted means: of the time until the event or %g, whichever is first.",
                           f->options.horizon));
    if (f->test != NULL && (weights->rho != 0 || weights->gamma != 0 || weights->at_risk != 0))
        BD_TRY(bd_document_say(document, BD_NOTE, "Each time counts as survival to the power of %g in the test.",
                               weights->rho));
    return BD_OK;
}

bd_status bd_survival_follow_document(const bd_followed *f, bd_arena *arena, bd_document **out)
{
    const char *title;
    bd_document *document;
    BD_TRY(bd_print(arena, &title, "Survival curves: %s", f->data->formula));
    BD_TRY(bd_document_new(arena, "survival", title, &document));
    BD_TRY(groups_table(f, document));
    BD_TRY(survival_table(f, document));
    BD_TRY(logrank_table(f, document));
    BD_TRY(steps_table(f, document));
    BD_TRY(say(f, document));
    BD_TRY(bd_provenance_frame(f->data->frame, document));
    *out = document;
    return BD_OK;
}
