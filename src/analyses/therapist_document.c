/* Therapist effects as a document. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include <bordin/analyses/provenance.h>
#include <bordin/analyses/therapist.h>
#include <bordin/report/number.h>

#include "analyses/mixed_internal.h"

enum { MOST_PRINTED = 40 };
static const double FEW_THERAPISTS = 20;

/* Variance of term l, of the rows beyond the last; NaN without a fit. */
static double variance_of(const bd_mixed *fit, size_t l)
{
    return fit == NULL ? NAN : l < fit->n_terms ? fit->random[l].covariance[0] : fit->sigma * fit->sigma;
}

static double share_of(const bd_mixed *fit, size_t l)
{
    double all = 0;
    for (size_t i = 0; fit != NULL && i <= fit->n_terms; i++)
        all += variance_of(fit, i);
    return variance_of(fit, l) / all;
}

/* "therapist", "patient" as the columns are named, or what a row is. */
static const char *level_name(const bd_therapists *t, size_t l)
{
    return l < t->n_levels ? t->frame->varying[l].groups->name : "(row)";
}

static bd_status share_table(const bd_therapists *t, bd_document *document)
{
    static const bd_heading headings[] = {
        {"level", "Level", BD_TEXT},          {"groups", "Groups", BD_COUNT},
        {"variance", "Variance", BD_ESTIMATE}, {"icc", "Share (ICC)", BD_BOUNDED},
        {"statistic", "LR chi2", BD_STATISTIC}, {"p", "p", BD_P_VALUE},
        {"alliance_icc", "Share, alliance", BD_BOUNDED}};
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "shares", "1. How much lies between therapists? (no predictors)", headings,
                             t->alliance != NULL ? 7 : 6, &rows));
    for (size_t l = 0; l <= t->n_levels; l++) {
        const bool row = l == t->n_levels;
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(level_name(t, l));
        cells[1] = bd_number(row ? (double)t->empty->n_used : (double)t->empty->random[l].n_groups);
        cells[2] = bd_number(variance_of(t->empty, l));
        cells[3] = bd_number(share_of(t->empty, l));
        cells[4] = bd_number(row ? NAN : t->between[l].statistic);
        cells[5] = bd_number(row ? NAN : t->between[l].p);
        if (t->alliance != NULL)
            cells[6] = bd_number(share_of(t->alliance, l));
    }
    return BD_OK;
}

static bd_status effect_row(const bd_mixed_coefficient *c, const char *term, bd_document_rows *rows)
{
    bd_cell *cells;
    BD_TRY(bd_document_row(rows, &cells));
    cells[0] = bd_text(term);
    mixed_coefficient_cells(c, cells + 1);
    return BD_OK;
}

/* What the coefficients of the alliance's parts are of. */
static const char *effect_name(const bd_therapists *t, size_t l)
{
    static const char *const two[] = {"within therapists", "between therapists"};
    static const char *const three[] = {"within patients", "between patients of a therapist", "between therapists"};
    return t->n_levels == 1 ? two[l] : three[l];
}

static bd_status effects_table(const bd_therapists *t, bd_arena *arena, bd_document *document)
{
    static const bd_heading headings[] = {{"term", "Term", BD_TEXT},      {"estimate", "Estimate", BD_ESTIMATE},
                                          {"se", "SE", BD_ESTIMATE},      {"df", "df", BD_DF},
                                          {"statistic", "t", BD_STATISTIC}, {"p", "p", BD_P_VALUE},
                                          {"ci_low", "CI low", BD_ESTIMATE}, {"ci_high", "CI high", BD_ESTIMATE}};
    static const char *const two[] = {"difference, between less within"};
    static const char *const three[] = {"difference, patients less sessions", "difference, therapists less patients"};
    const char *alliance = NULL, *inner = strchr(t->frame->columns[1].name, '(') + 1;
    bd_document_rows *rows;
    BD_TRY(bd_copy_text(arena, inner, (size_t)(strrchr(inner, ',') - inner), &alliance));
    BD_TRY(bd_document_table(document, "effects", "2. Does alliance matter within, between, or both?", headings, 8, &rows));
    for (size_t j = 0; j < t->effects->n_columns; j++) {
        const char *term = t->frame->columns[j].name;
        if (j >= 1 && j <= t->n_levels + 1)
            BD_TRY(bd_print(arena, &term, "%s %s", alliance, effect_name(t, j - 1)));
        BD_TRY(effect_row(&t->effects->coefficients[j], term, rows));
    }
    for (size_t l = 0; l < t->n_levels; l++)
        BD_TRY(effect_row(&t->differences[l], t->n_levels == 1 ? two[l] : three[l], rows));
    return BD_OK;
}

static bd_status variance_table(const bd_therapists *t, bd_document *document)
{
    static const bd_heading headings[] = {{"level", "Level", BD_TEXT},
                                          {"term", "Term", BD_TEXT},
                                          {"empty", "Without predictors", BD_ESTIMATE},
                                          {"effects", "With alliance", BD_ESTIMATE},
                                          {"slopes", "With slopes", BD_ESTIMATE},
                                          {"statistic", "LR chi2", BD_STATISTIC},
                                          {"p", "p", BD_P_VALUE}};
    const bd_mixed *slopes = t->slopes;
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "variances", "3. Does the effect of alliance vary between therapists?", headings, 7,
                             &rows));
    for (size_t l = 0; l <= t->n_levels + 1; l++) {
        const bool slope = l == 1, row = l == t->n_levels + 1;
        const size_t at = l > 1 ? l - 1 : l;
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(slope ? level_name(t, 0) : level_name(t, row ? t->n_levels : at));
        cells[1] = bd_text(slope ? t->frame->columns[1].name : row ? "residual" : "(Intercept)");
        cells[2] = bd_number(slope ? NAN : sqrt(variance_of(t->empty, at)));
        cells[3] = bd_number(slope ? NAN : sqrt(variance_of(t->effects, at)));
        cells[4] = bd_number(slope ? (slopes == NULL ? NAN : sqrt(slopes->random->covariance[3]))
                                   : sqrt(variance_of(slopes, at)));
        cells[5] = bd_number(slope && slopes != NULL ? t->slope.statistic : NAN);
        cells[6] = bd_number(slope && slopes != NULL ? t->slope.p : NAN);
    }
    return bd_document_say(document, BD_NOTE, "Question 3: standard deviations, of three models.");
}

static bd_status therapist_table(const bd_therapists *t, bd_document *document)
{
    static const bd_heading headings[] = {{"therapist", "Therapist", BD_TEXT}, {"effect", "Effect", BD_ESTIMATE},
                                          {"se", "SE", BD_ESTIMATE},           {"ci_low", "CI low", BD_ESTIMATE},
                                          {"ci_high", "CI high", BD_ESTIMATE}};
    const bd_mixed_random *random = t->effects->random;
    const double quantile = gsl_cdf_ugaussian_Pinv(0.5 + t->effects->level / 2);
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "therapists", "Predicted effects of therapists, alliance taken into account", headings,
                             5, &rows));
    if (random->term->n_groups > MOST_PRINTED)
        bd_document_unprinted(rows);
    for (size_t g = 0; g < random->term->n_groups; g++) {
        const double effect = random->effects[g], se = random->effect_se[g];
        const double values[] = {effect, se, effect - quantile * se, effect + quantile * se};
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(t->frame->varying[0].groups->levels[g]);
        for (size_t i = 0; i < 4; i++)
            cells[1 + i] = bd_number(values[i]);
    }
    return BD_OK;
}

static bd_status method_table(const bd_therapists *t, bd_document *document)
{
    static const bd_heading headings[] = {{"effect", "Alliance", BD_TEXT},    {"method", "Method", BD_TEXT},
                                          {"estimate", "Estimate", BD_ESTIMATE}, {"se", "SE", BD_ESTIMATE},
                                          {"df", "df", BD_DF},                {"p", "p", BD_P_VALUE},
                                          {"ci_low", "CI low", BD_ESTIMATE},  {"ci_high", "CI high", BD_ESTIMATE}};
    bd_document_rows *rows;
    if (t->methods == NULL)
        return BD_OK;
    BD_TRY(bd_document_table(document, "methods", "The same effects by several methods", headings, 8, &rows));
    for (size_t e = 0; e <= t->n_levels; e++)
        for (size_t i = 0; i < t->n_methods; i++) {
            const bd_method_row *m = &t->methods[i];
            const double values[] = {m->estimate, m->se, isfinite(m->df) ? m->df : NAN, m->p, m->ci_low, m->ci_high};
            bd_cell *cells;
            if (m->effect != e)
                continue;
            BD_TRY(bd_document_row(rows, &cells));
            cells[0] = bd_text(effect_name(t, e));
            cells[1] = bd_text(m->method);
            for (size_t j = 0; j < 6; j++)
                cells[2 + j] = bd_number(values[j]);
        }
    return bd_document_say(document, BD_NOTE,
                           "Several methods: with fewer than 20 or so therapists take CR2 with its degrees of freedom or "
                           "Kenward and Roger (McNeish & Stapleton 2016; Pustejovsky & Tipton 2018); the wild cluster "
                           "bootstrap tests well from 6 or so therapists on (Cameron, Gelbach & Miller 2008); intervals from "
                           "drawing whole therapists are too narrow for few, and therapists ignored are no method, only "
                           "there to be seen. Wild: Rademacher weights, the hypothesis imposed; bootstrap: %zu replicates, "
                           "percentile, seed %llu.",
                           t->options.n_replicates, (unsigned long long)t->options.seed);
}

static bd_status say_shares(const bd_therapists *t, bd_document *document)
{
    const char *y = t->frame->response_name;
    BD_TRY(bd_document_say(document, BD_SENTENCE,
                           "1. %.1f %% of the variance of %s lies between the %zu therapists (%s), %s.",
                           100 * share_of(t->empty, 0), y, t->empty->random[0].n_groups, level_name(t, 0),
                           bd_show_p(t->between[0].p).text));
    if (t->n_levels > 1)
        BD_TRY(bd_document_say(document, BD_SENTENCE, "%.1f %% lies between the %zu patients of the same therapist, %s.",
                               100 * share_of(t->empty, 1), t->empty->random[1].n_groups,
                               bd_show_p(t->between[1].p).text));
    return BD_OK;
}

static bd_status say_effects(const bd_therapists *t, bd_document *document)
{
    for (size_t l = 0; l <= t->n_levels; l++) {
        const bd_mixed_coefficient *c = &t->effects->coefficients[1 + l];
        BD_TRY(bd_document_say(document, BD_SENTENCE,
                               "%s%s, one more point of alliance goes with %s by %.4g (%s).", l == 0 ? "2. " : "",
                               l == 0 ? (t->n_levels == 1 ? "Among patients of the same therapist"
                                                          : "Among sessions of the same patient")
                               : l == t->n_levels ? "From therapist to therapist, in their means"
                                                  : "From patient to patient of the same therapist, in their means",
                               t->frame->response_name, c->estimate, bd_show_p(c->p).text));
    }
    for (size_t l = 0; l < t->n_levels; l++)
        BD_TRY(bd_document_say(document, BD_SENTENCE, "The effect %s is %s that %s: a difference of %.4g (%s).",
                               effect_name(t, l + 1),
                               t->differences[l].p < 1 - t->effects->level ? "not the same as"
                                                                           : "not shown to differ from",
                               effect_name(t, l), t->differences[l].estimate, bd_show_p(t->differences[l].p).text));
    return BD_OK;
}

static bd_status say_slopes(const bd_therapists *t, bd_document *document)
{
    if (t->slopes == NULL)
        return bd_document_say(document, BD_WARNING,
                               "3. Whether the effect varies has no answer: %s.", t->slopes_refused);
    const double sd = sqrt(t->slopes->random->covariance[3]);
    const bool varies = t->slope.p < 1 - t->effects->level;
    BD_TRY(bd_document_say(document, BD_SENTENCE,
                           "3. The effect of alliance %s from therapist to therapist (standard deviation %.4g, %s).",
                           varies ? "varies" : "is not shown to vary", sd, bd_show_p(t->slope.p).text));
    if (t->slopes->end == BD_MIXED_BOUNDARY)
        BD_TRY(bd_document_say(document, BD_NOTE, "The model of question 3 is singular: a variance is 0, or a correlation 1 "
                                                  "or -1."));
    return BD_OK;
}

static bd_status say_therapists(const bd_therapists *t, bd_document *document)
{
    const size_t n = t->effects->random->n_groups;
    BD_TRY(bd_document_say(document, BD_SENTENCE,
                           "Of %zu therapists, %zu are predicted to be above or below the average with an interval (%g %%) "
                           "on one side of it.",
                           n, t->n_apart, 100 * t->effects->level));
    if ((double)n < FEW_THERAPISTS)
        BD_TRY(bd_document_say(document, BD_WARNING,
                               "%zu therapists are few: what lies between them is known badly. Kenward and Roger's degrees of "
                               "freedom (--df kenward-roger) are the best for so few; --compare shows what other methods say.",
                               n));
    if (n > MOST_PRINTED)
        BD_TRY(bd_document_say(document, BD_NOTE, "The %zu therapists' effects are not printed; --format json or csv has "
                                                  "them.",
                               n));
    return BD_OK;
}

static bd_status notes(const bd_therapists *t, bd_document *document)
{
    BD_TRY(bd_document_say(document, BD_NOTE, "Fitted by %s; %s (%g %%).",
                           t->effects->reml ? "restricted maximum likelihood (REML)" : "maximum likelihood",
                           mixed_distribution(t->options.fit.df), 100 * t->effects->level));
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "Variances are tested by likelihood ratios; p of a mixture of chi-squared, for a variance is at "
                           "its edge when it is 0."));
    if (t->alliance == NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "The alliance's own shares of variance cannot be found: it does not vary "
                                                  "within."));
    if (t->frame->weights != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Weights are inverse variances: a row has sigma^2 / weight."));
    return bd_document_say(document, BD_NOTE,
                           "Means of groups stand for the groups' alliance as if they were known; with few rows a group the "
                           "effect between is pulled towards that within.");
}

bd_status bd_therapist_document(const bd_therapists *t, bd_arena *arena, bd_document **out)
{
    const char *title;
    bd_document *document;
    BD_TRY(bd_print(arena, &title, "Therapist effects: %s", t->options.formula));
    BD_TRY(bd_document_new(arena, "therapist", title, &document));
    BD_TRY(share_table(t, document));
    BD_TRY(effects_table(t, arena, document));
    BD_TRY(variance_table(t, document));
    BD_TRY(therapist_table(t, document));
    BD_TRY(method_table(t, document));
    BD_TRY(say_shares(t, document));
    BD_TRY(say_effects(t, document));
    BD_TRY(say_slopes(t, document));
    BD_TRY(say_therapists(t, document));
    BD_TRY(notes(t, document));
    BD_TRY(bd_provenance_frame(t->frame, document));
    *out = document;
    return BD_OK;
}
