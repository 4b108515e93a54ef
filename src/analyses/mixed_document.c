/* Mixed regression as a document. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include <bordin/analyses/mixed.h>
#include <bordin/analyses/provenance.h>
#include <bordin/report/number.h>

#include "analyses/mixed_internal.h"

enum { MOST_PRINTED = 40 };
static const double FEW_GROUPS = 20;

const char *mixed_distribution(bd_mixed_df df)
{
    static const char *const names[] = {
        [BD_MIXED_SATTERTHWAITE] = "t with Satterthwaite's degrees of freedom",
        [BD_MIXED_KENWARD_ROGER] = "standard errors and degrees of freedom of t by Kenward and Roger",
        [BD_MIXED_NORMAL] = "z with the normal distribution",
    };
    return names[df];
}

static size_t place(const bd_heading *from, size_t n, bd_heading *headings, size_t at)
{
    memcpy(headings + at, from, n * sizeof *from);
    return at + n;
}

void mixed_coefficient_cells(const bd_mixed_coefficient *c, bd_cell *cells)
{
    const double values[] = {c->estimate, c->se, isfinite(c->df) ? c->df : NAN, c->t, c->p, c->ci_low, c->ci_high};
    for (size_t i = 0; i < MIXED_COEFFICIENT_CELLS; i++)
        cells[i] = bd_number(values[i]);
}

static void fill(const bd_mixed_coefficient *c, const bd_interval_ends *ends, bd_cell *cells)
{
    mixed_coefficient_cells(c, cells);
    if (ends != NULL)
        bd_bootstrap_cells(ends, cells + 5);
}

static bd_status coefficient_table(const bd_mixed_analysis *mixed, bd_document *document)
{
    static const bd_heading first[] = {{"term", "Term", BD_TEXT}, {"estimate", "Estimate", BD_ESTIMATE},
                                       {"se", "SE", BD_ESTIMATE}, {"df", "df", BD_DF},
                                       {"statistic", "t", BD_STATISTIC}, {"p", "p", BD_P_VALUE}};
    static const bd_heading plain[] = {{"ci_low", "CI low", BD_ESTIMATE}, {"ci_high", "CI high", BD_ESTIMATE}};
    const bd_heading drawn[] = {BD_BOOTSTRAP_HEADINGS("boot_p", "Boot p", BD_ESTIMATE)};
    bd_heading headings[6 + BD_BOOTSTRAP_CELLS];
    bd_document_rows *rows;
    size_t n = place(first, 6, headings, 0);
    n = mixed->bootstrap ? place(drawn, BD_BOOTSTRAP_CELLS, headings, n) : place(plain, 2, headings, n);
    if (mixed->options.fit.df == BD_MIXED_NORMAL)
        headings[4].heading = "z";
    BD_TRY(bd_document_table(document, "coefficients", "Coefficients", headings, n, &rows));
    for (size_t j = 0; j < mixed->fit->n_columns; j++) {
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(mixed->frame->columns[j].name);
        fill(&mixed->fit->coefficients[j], mixed->bootstrap ? &mixed->bootstrap->ends[j] : NULL, cells + 1);
    }
    return BD_OK;
}

static bool correlates(const bd_mixed *fit)
{
    for (size_t i = 0; i < fit->n_parameters; i++)
        if (fit->entries[i].row != fit->entries[i].column)
            return true;
    return false;
}

double mixed_correlation(const bd_mixed_random *random, size_t j)
{
    const size_t q = random->n_random;
    const uint8_t *blocks = random->term->blocks;
    if (j == 0 || (blocks != NULL && blocks[j] != blocks[0]))
        return NAN;
    return random->covariance[j * q] / sqrt(random->covariance[j * q + j] * random->covariance[0]);
}

static bd_status random_row(const bd_mixed_analysis *mixed, const bd_mixed_random *random, size_t j, size_t value,
                            bd_document_rows *rows)
{
    const double sigma = mixed->fit->sigma;
    const double variance = random ? random->covariance[j * random->n_random + j] : sigma * sigma;
    bd_cell *cells, all[BD_BOOTSTRAP_CELLS];
    size_t at = 4;
    BD_TRY(bd_document_row(rows, &cells));
    cells[0] = bd_text(random ? random->term->group_name : "(row)");
    cells[1] = bd_text(random ? random->term->random_names[j] : "residual");
    cells[2] = bd_number(variance);
    cells[3] = bd_number(sqrt(variance));
    if (correlates(mixed->fit))
        cells[at++] = bd_number(random ? mixed_correlation(random, j) : NAN);
    if (mixed->bootstrap == NULL)
        return BD_OK;
    bd_bootstrap_cells(&mixed->bootstrap->ends[value], all);
    for (size_t i = 0; i < BD_BOOTSTRAP_CELLS; i++)
        if (i != 1)
            cells[at++] = all[i];
    return BD_OK;
}

/* Standard deviations, and correlations with the first coefficient. */
static bd_status random_table(const bd_mixed_analysis *mixed, bd_document *document)
{
    const bd_mixed *fit = mixed->fit;
    const bd_heading drawn[] = {BD_BOOTSTRAP_HEADINGS("boot_p", "Boot p", BD_ESTIMATE)};
    bd_heading headings[6 + BD_BOOTSTRAP_CELLS] = {{"group", "Group", BD_TEXT},
                                                   {"term", "Term", BD_TEXT},
                                                   {"variance", "Variance", BD_ESTIMATE},
                                                   {"sd", "SD", BD_ESTIMATE},
                                                   {"correlation", "r with the first", BD_BOUNDED}};
    size_t n = correlates(fit) ? 5 : 4, value = fit->n_columns;
    bd_document_rows *rows;
    for (size_t i = 0; mixed->bootstrap != NULL && i < BD_BOOTSTRAP_CELLS; i++)
        if (i != 1) /* that a standard deviation is 0 is no hypothesis of an interval */
            headings[n++] = drawn[i];
    BD_TRY(bd_document_table(document, "random", "What varies", headings, n, &rows));
    for (size_t t = 0; t < fit->n_terms; t++)
        for (size_t j = 0; j < fit->random[t].n_random; j++)
            BD_TRY(random_row(mixed, &fit->random[t], j, value++, rows));
    return random_row(mixed, NULL, 0, value, rows);
}

/* Of maximum likelihood, whatever the fit. */
static bd_status interval_table(const bd_mixed_analysis *mixed, bd_document *document)
{
    static const bd_heading headings[] = {{"group", "Group", BD_TEXT},           {"term", "Term", BD_TEXT},
                                          {"what", "What", BD_TEXT},             {"ml", "ML estimate", BD_ESTIMATE},
                                          {"ci_low", "CI low", BD_ESTIMATE},     {"ci_high", "CI high", BD_ESTIMATE}};
    static const char *const what[] = {[BD_MIXED_OF_SD] = "SD",
                                       [BD_MIXED_OF_CORRELATION] = "r with the first",
                                       [BD_MIXED_OF_RESIDUAL] = "SD",
                                       [BD_MIXED_OF_SHARE] = "share (ICC)"};
    bd_document_rows *rows;
    if (mixed->intervals == NULL)
        return BD_OK;
    BD_TRY(bd_document_table(document, "intervals", "Profile-likelihood intervals", headings, 6, &rows));
    for (size_t i = 0; i < mixed->n_intervals; i++) {
        const bd_mixed_interval *one = &mixed->intervals[i];
        const bd_mixed_term *term = mixed->fit->random[one->term].term;
        const bool residual = one->kind == BD_MIXED_OF_RESIDUAL;
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(residual ? "(row)" : term->group_name);
        cells[1] = bd_text(residual ? "residual" : term->random_names[one->coefficient]);
        cells[2] = bd_text(what[one->kind]);
        cells[3] = bd_number(one->estimate);
        cells[4] = bd_number(one->low);
        cells[5] = bd_number(one->high);
    }
    return bd_document_say(document, BD_NOTE,
                           "Profile-likelihood intervals (%g %%) are of maximum likelihood, as in lme4; an end of 0, or of "
                           "1 or -1, is the edge of what is possible.",
                           100 * mixed->fit->level);
}

/* Of each level, its part of what the predictors leave. */
static bd_status level_table(const bd_mixed_analysis *mixed, bd_document *document)
{
    const bd_heading headings[] = {{"level", "Level", BD_TEXT},          {"groups", "Groups", BD_COUNT},
                                   {"variance", "Variance", BD_ESTIMATE}, {"icc", "Share (ICC)", BD_BOUNDED},
                                   {"icc_low", "CI low", BD_BOUNDED},    {"icc_high", "CI high", BD_BOUNDED}};
    const bd_mixed *fit = mixed->fit;
    const bd_interval_ends *ends = mixed->bootstrap ? mixed->bootstrap->ends + fit->n_columns + mixed->n_random + 1 : NULL;
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "levels", "Shares of variance", headings, ends ? 6 : 4, &rows));
    for (size_t t = 0; t <= fit->n_terms; t++) {
        const bool row = t == fit->n_terms;
        const double variance = row ? mixed->variance_residual : mixed->shares[t].variance;
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(row ? "(row)" : mixed->shares[t].groups->name);
        cells[1] = bd_number(row ? (double)fit->n_used : (double)fit->random[t].n_groups);
        cells[2] = bd_number(variance);
        cells[3] = bd_number(variance / (mixed->variance_random + mixed->variance_residual));
        if (ends != NULL) {
            cells[4] = bd_number(row ? NAN : ends[t].low);
            cells[5] = bd_number(row ? NAN : ends[t].high);
        }
    }
    return BD_OK;
}

static bd_status share_table(const bd_mixed_analysis *mixed, bd_document *document)
{
    const bd_value values[] = {
        {{"variance_fixed", "Variance of the fixed part", BD_ESTIMATE}, mixed->variance_fixed},
        {{"variance_random", "Variance between groups", BD_ESTIMATE}, mixed->variance_random},
        {{"variance_residual", "Variance of rows", BD_ESTIMATE}, mixed->variance_residual},
        {{"r2_marginal", "Marginal R2", BD_BOUNDED}, mixed->r2_marginal},
        {{"r2_conditional", "Conditional R2", BD_BOUNDED}, mixed->r2_conditional},
    };
    return bd_document_list(document, "shares", "Explained variance", values, sizeof values / sizeof *values, true);
}

/* Shares of the variance within groups, between them, and of all of it. */
static bd_status split_table(const bd_mixed_analysis *mixed, bd_document *document)
{
    static const bd_heading headings[] = {{"part", "Share of the variance", BD_TEXT},
                                          {"variance", "Variance", BD_ESTIMATE},
                                          {"fixed_within", "Fixed, within", BD_BOUNDED},
                                          {"random_within", "Slopes", BD_BOUNDED},
                                          {"fixed_between", "Fixed, between", BD_BOUNDED},
                                          {"random_between", "Levels", BD_BOUNDED},
                                          {"residual", "Rows", BD_BOUNDED}};
    static const char *const names[] = {"within groups", "between groups", "of all"};
    const bd_mixed_split *s = &mixed->split;
    const double within = s->fixed_within + s->random_within + s->residual, between = s->fixed_between + s->random_between;
    bd_document_rows *rows;
    if (isnan(s->residual))
        return BD_OK;
    BD_TRY(bd_document_table(document, "split", "Explained variance within and between groups", headings, 7, &rows));
    for (size_t r = 0; r < 3; r++) {
        const double all = r == 0 ? within : r == 1 ? between : within + between;
        const double parts[] = {r == 1 ? NAN : s->fixed_within, r == 1 ? NAN : s->random_within,
                                r == 0 ? NAN : s->fixed_between, r == 0 ? NAN : s->random_between,
                                r == 1 ? NAN : s->residual};
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(names[r]);
        cells[1] = bd_number(all);
        for (size_t j = 0; j < 5; j++)
            cells[j + 2] = bd_number(parts[j] / all);
    }
    return BD_OK;
}

bd_status mixed_contextual_table(const bd_contextual *pairs, size_t n, const bd_mixed_coefficient *coefficients, bool z,
                                 bd_document *document)
{
    bd_heading headings[] = {{"variable", "Variable", BD_TEXT},         {"effect", "Effect", BD_TEXT},
                             {"estimate", "Estimate", BD_ESTIMATE}, {"se", "SE", BD_ESTIMATE},
                             {"df", "df", BD_DF},                {"statistic", "t", BD_STATISTIC},
                             {"p", "p", BD_P_VALUE},             {"ci_low", "CI low", BD_ESTIMATE},
                             {"ci_high", "CI high", BD_ESTIMATE}};
    static const char *const effects[] = {"within", "between", "contextual"};
    bd_document_rows *rows;
    if (n == 0)
        return BD_OK;
    if (z)
        headings[5].heading = "z";
    BD_TRY(bd_document_table(document, "within_between", "Within, between, and their difference", headings, 9, &rows));
    for (size_t i = 0; i < 3 * n; i++) {
        const bd_contextual *c = &pairs[i / 3];
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(c->variable);
        cells[1] = bd_text(effects[i % 3]);
        fill(i % 3 == 0   ? &coefficients[c->within]
             : i % 3 == 1 ? &coefficients[c->between]
                          : &c->difference,
             NULL, cells + 2);
    }
    return BD_OK;
}

static bd_status test_table(const bd_mixed_analysis *mixed, bd_document *document)
{
    static const bd_heading headings[] = {{"group", "Group", BD_TEXT},
                                          {"term", "Without", BD_TEXT},
                                          {"statistic", "LR chi2", BD_STATISTIC},
                                          {"df", "df", BD_DF},
                                          {"p", "p", BD_P_VALUE},
                                          {"boot_p", "boot p", BD_P_VALUE}};
    const bool drawn = mixed->options.n_draws > 0;
    bd_document_rows *rows;
    if (!mixed->options.tests)
        return BD_OK;
    BD_TRY(bd_document_table(document, "random_tests", "Does it vary?", headings, drawn ? 6 : 5, &rows));
    for (size_t i = 0; i < mixed->n_tests; i++) {
        const bd_random_test *test = &mixed->tests[i];
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(test->group);
        cells[1] = bd_text(test->term);
        cells[2] = bd_number(test->statistic);
        cells[3] = bd_number(test->df);
        cells[4] = bd_number(test->p);
        if (drawn)
            cells[5] = bd_number(test->boot_p);
    }
    return BD_OK;
}

static bd_status fit_table(const bd_mixed_analysis *mixed, bd_document *document)
{
    const bd_mixed *fit = mixed->fit;
    const bd_value values[] = {
        {{"n", "n", BD_COUNT}, (double)fit->n_used},
        {{"deviance", fit->reml ? "REML criterion" : "Deviance (-2 log-likelihood)", BD_STATISTIC}, fit->deviance},
        {{"log_likelihood", fit->reml ? "Restricted log-likelihood" : "Log-likelihood", BD_STATISTIC},
         fit->log_likelihood},
        {{"aic", "AIC", BD_STATISTIC}, fit->aic},
        {{"bic", "BIC", BD_STATISTIC}, fit->bic},
        {{"iterations", "Iterations", BD_COUNT}, (double)fit->n_iterations},
    };
    return bd_document_list(document, "fit", "Fit", values, sizeof values / sizeof *values, true);
}

static size_t n_effects(const bd_mixed_random *random, const bd_mixed_share *shares, size_t n_terms)
{
    size_t n = 0;
    for (size_t t = 0; t < n_terms; t++)
        n += random[t].n_random * shares[t].groups->n_levels;
    return n;
}

static bd_status effect_row(const bd_mixed_random *random, const bd_mixed_share *share, size_t g, size_t j, double quantile,
                            bd_document_rows *rows)
{
    const size_t at = g * random->n_random + j;
    const double effect = random->effects[at], se = random->effect_se[at];
    const double values[] = {effect, se, effect - quantile * se, effect + quantile * se};
    bd_cell *cells;
    BD_TRY(bd_document_row(rows, &cells));
    cells[0] = bd_text(random->term->group_name);
    cells[1] = bd_text(share->groups->levels[g]);
    cells[2] = bd_number(share->rows[g]);
    cells[3] = bd_text(random->term->random_names[j]);
    for (size_t i = 0; i < 4; i++)
        cells[i + 4] = bd_number(values[i]);
    return BD_OK;
}

/* The numbers of a caterpillar plot. */
bd_status mixed_effect_table(const bd_mixed_random *random, const bd_mixed_share *shares, size_t n_terms, double level,
                             bd_document *document)
{
    static const bd_heading headings[] = {{"level", "Level", BD_TEXT},      {"group", "Group", BD_TEXT},
                                          {"rows", "Rows", BD_COUNT},       {"term", "Term", BD_TEXT},
                                          {"effect", "Effect", BD_ESTIMATE}, {"se", "SE", BD_ESTIMATE},
                                          {"ci_low", "CI low", BD_ESTIMATE}, {"ci_high", "CI high", BD_ESTIMATE}};
    const double quantile = gsl_cdf_ugaussian_Pinv(0.5 + level / 2);
    const size_t n = n_effects(random, shares, n_terms);
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "effects", "Effects of groups", headings, 8, &rows));
    if (n > MOST_PRINTED)
        bd_document_unprinted(rows);
    for (size_t t = 0; t < n_terms; t++)
        for (size_t g = 0; g < shares[t].groups->n_levels; g++)
            for (size_t j = 0; j < random[t].n_random; j++)
                BD_TRY(effect_row(&random[t], &shares[t], g, j, quantile, rows));
    return n <= MOST_PRINTED ? BD_OK
                             : bd_document_say(document, BD_NOTE,
                                               "The %zu effects of groups are not printed; --format json or csv has them.", n);
}

static bd_status sentences(const bd_mixed_analysis *mixed, bd_document *document)
{
    const bd_mixed *fit = mixed->fit;
    const char *name = mixed->frame->response_name;
    for (size_t t = 0; t < fit->n_terms; t++)
        BD_TRY(bd_document_say(document, BD_SENTENCE,
                               "Of the variance of %s that the predictors leave, %.1f %% lies between the %zu groups of %s.",
                               name, 100 * mixed->shares[t].share, fit->random[t].n_groups,
                               mixed->shares[t].groups->name));
    for (size_t i = 0; i < mixed->n_contextual; i++) {
        const bd_contextual *c = &mixed->contextual[i];
        BD_TRY(bd_document_say(document, BD_SENTENCE,
                               "A higher %s within a group goes with %s by %.4g a unit (%s), a higher mean of the group "
                               "by %.4g (%s); the difference is %.4g (%s).",
                               c->variable, name, fit->coefficients[c->within].estimate,
                               bd_show_p(fit->coefficients[c->within].p).text,
                               fit->coefficients[c->between].estimate,
                               bd_show_p(fit->coefficients[c->between].p).text, c->difference.estimate,
                               bd_show_p(c->difference.p).text));
    }
    return BD_OK;
}

static bd_status warnings(const bd_mixed_analysis *mixed, bd_document *document)
{
    const bd_mixed *fit = mixed->fit;
    for (size_t t = 0; t < fit->n_terms; t++) {
        const char *singular = fit->random[t].singular, *group = mixed->shares[t].groups->name;
        if (singular != NULL)
            BD_TRY(bd_document_say(document, BD_WARNING,
                                   "The fit is singular: %s has no variance of its own between the groups of %s (its "
                                   "estimate is 0, or its correlation 1 or -1). Leave it out, or resample (--boot).",
                                   singular, group));
        if ((double)fit->random[t].n_groups < FEW_GROUPS)
            BD_TRY(bd_document_say(document, BD_WARNING,
                                   "%zu groups of %s are few: variances between groups are known badly, and resampling "
                                   "groups gives intervals that are too narrow.",
                                   fit->random[t].n_groups, group));
    }
    return BD_OK;
}

static bd_status term_notes(const bd_mixed_analysis *mixed, bd_document *document)
{
    const bool ratios = mixed->fit->n_rows <= BD_MIXED_RATIO_ROWS;
    if (mixed->terms->n > 0)
        BD_TRY(bd_document_say(document, BD_NOTE, "Terms: %s tests of all coefficients of a term that is no part of another%s.",
                           mixed->options.fit.df == BD_MIXED_NORMAL          ? "Wald's"
                           : mixed->options.fit.df == BD_MIXED_KENWARD_ROGER ? "Kenward and Roger's F"
                                                                             : "F (Satterthwaite)",
                           ratios ? ", and likelihood ratios, of maximum likelihood" : "; likelihood ratios are left out "
                                                                                        "for so many rows"));
    if (mixed->options.n_draws > 0)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "boot p: of the same likelihood ratios, by %zu parametric draws from each smaller model, seed "
                               "%llu; %zu of all draws could not be fitted.",
                               mixed->options.n_draws, (unsigned long long)mixed->options.draw_seed,
                               mixed->n_draws_failed));
    return BD_OK;
}

static bd_status notes(const bd_mixed_analysis *mixed, bd_document *document)
{
    const bd_mixed *fit = mixed->fit;
    const bd_frame *frame = mixed->frame;
    BD_TRY(bd_document_say(document, BD_NOTE, "Fitted by %s; %s (%g %%).",
                           fit->reml ? "restricted maximum likelihood (REML)" : "maximum likelihood",
                           mixed_distribution(mixed->options.fit.df),
                           100 * fit->level));
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "Shares are of what the predictors leave, coefficients that vary averaged over the rows; R2 "
                           "after Nakagawa%s.",
                           isnan(mixed->split.residual) ? "" : ", within and between groups after Rights & Sterba"));
    if (mixed->options.tests)
        BD_TRY(bd_document_say(document, BD_NOTE,
                           "Does it vary? Likelihood ratios (%s) without a coefficient that varies; p of a mixture of "
                           "chi-squared, for a variance is at its edge when it is 0.",
                           fit->reml ? "REML" : "ML"));
    if (mixed->terms != NULL)
        BD_TRY(term_notes(mixed, document));
    if (frame->weights != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Weights are inverse variances: a row has sigma^2 / weight."));
    return warnings(mixed, document);
}

bd_status bd_mixed_document(const bd_mixed_analysis *mixed, bd_arena *arena, bd_document **out)
{
    const bd_mixed *fit = mixed->fit;
    const char *title;
    bd_document *document;
    BD_TRY(bd_print(arena, &title, "Mixed regression: %s", mixed->options.formula));
    BD_TRY(bd_document_new(arena, "mixed", title, &document));
    BD_TRY(coefficient_table(mixed, document));
    BD_TRY(bd_term_tests_table(mixed->terms, document));
    BD_TRY(mixed_contextual_table(mixed->contextual, mixed->n_contextual, mixed->fit->coefficients,
                                  mixed->options.fit.df == BD_MIXED_NORMAL, document));
    BD_TRY(random_table(mixed, document));
    BD_TRY(interval_table(mixed, document));
    BD_TRY(level_table(mixed, document));
    BD_TRY(share_table(mixed, document));
    BD_TRY(split_table(mixed, document));
    BD_TRY(test_table(mixed, document));
    BD_TRY(fit_table(mixed, document));
    BD_TRY(mixed_effect_table(fit->random, mixed->shares, fit->n_terms, fit->level, document));
    BD_TRY(sentences(mixed, document));
    BD_TRY(notes(mixed, document));
    if (mixed->bootstrap != NULL)
        BD_TRY(bd_bootstrap_document(mixed->bootstrap, arena, document));
    BD_TRY(bd_provenance_frame(mixed->frame, document));
    *out = document;
    return BD_OK;
}
