/* Generalised mixed regression as a document. */
#include <math.h>

#include <bordin/analyses/mixed_glm.h>
#include <bordin/analyses/provenance.h>
#include <bordin/report/number.h>

#include "analyses/glm_ratio.h"
#include "analyses/mixed_internal.h"

static const double FEW_GROUPS = 20;

/* `n` headings, of `more` those without the p value if `sizes`. */
static size_t add_headings(const bd_heading *more, size_t n_more, bool sizes, bd_heading *headings, size_t n)
{
    for (size_t i = 0; i < n_more; i++)
        if (!sizes || i != 1) /* that a standard deviation is 0 is no hypothesis of an interval */
            headings[n++] = more[i];
    return n;
}

static void add_cells(const bd_interval_ends *ends, bool sizes, bd_cell *cells)
{
    bd_cell all[BD_BOOTSTRAP_CELLS];
    size_t n = 0;
    bd_bootstrap_cells(ends, all);
    for (size_t i = 0; i < BD_BOOTSTRAP_CELLS; i++)
        if (!sizes || i != 1)
            cells[n++] = all[i];
}

static bd_status coefficient_table(const bd_mixed_glm *mixed, bd_document *document)
{
    const bd_glmm *fit = mixed->fit;
    const char *ratio = bd_glm_ratio(fit->family, fit->link);
    const bd_heading drawn[] = {BD_BOOTSTRAP_HEADINGS("boot_p", "Boot p", BD_ESTIMATE)};
    const bd_heading plain[] = {{"ci_low", "CI low", BD_ESTIMATE}, {"ci_high", "CI high", BD_ESTIMATE}};
    const bd_heading ratios[] = {{"ratio", ratio ? glm_ratio_heading(ratio) : "", BD_STATISTIC},
                                 {"ratio_ci_low", "Ratio CI low", BD_STATISTIC},
                                 {"ratio_ci_high", "Ratio CI high", BD_STATISTIC}};
    bd_heading headings[8 + BD_BOOTSTRAP_CELLS] = {{"term", "Term", BD_TEXT},
                                                   {"estimate", "Estimate", BD_ESTIMATE},
                                                   {"se", "SE", BD_ESTIMATE},
                                                   {"statistic", "z", BD_STATISTIC},
                                                   {"p", "p", BD_P_VALUE}};
    bd_document_rows *rows;
    size_t n = mixed->bootstrap ? add_headings(drawn, BD_BOOTSTRAP_CELLS, false, headings, 5)
                                : add_headings(plain, 2, false, headings, 5);
    const size_t first_ratio = n;
    n = ratio ? add_headings(ratios, 3, false, headings, n) : n;
    BD_TRY(bd_document_table(document, "coefficients", "Coefficients", headings, n, &rows));
    for (size_t j = 0; j < fit->n_columns; j++) {
        const bd_mixed_coefficient *c = &fit->coefficients[j];
        const bd_interval_ends *ends = mixed->bootstrap ? &mixed->bootstrap->ends[j] : NULL;
        const double low = ends ? ends->low : c->ci_low, high = ends ? ends->high : c->ci_high;
        const double values[] = {c->estimate, c->se, c->t, c->p, low, high};
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(mixed->frame->columns[j].name);
        for (size_t i = 0; i < 6; i++)
            cells[i + 1] = bd_number(values[i]);
        if (ends != NULL)
            add_cells(ends, false, cells + 5);
        if (ratio) {
            cells[first_ratio] = bd_number(exp(c->estimate));
            cells[first_ratio + 1] = bd_number(exp(low));
            cells[first_ratio + 2] = bd_number(exp(high));
        }
    }
    return BD_OK;
}

static bd_status random_table(const bd_mixed_glm *mixed, bd_document *document)
{
    const bd_mixed_random *random = &mixed->fit->random;
    const bd_heading drawn[] = {BD_BOOTSTRAP_HEADINGS("boot_p", "Boot p", BD_ESTIMATE)};
    bd_heading headings[5 + BD_BOOTSTRAP_CELLS] = {{"group", "Group", BD_TEXT},
                                                   {"term", "Term", BD_TEXT},
                                                   {"variance", "Variance", BD_ESTIMATE},
                                                   {"sd", "SD", BD_ESTIMATE},
                                                   {"correlation", "r with the first", BD_BOUNDED}};
    const bool correlated = mixed->fit->n_parameters > random->n_random;
    const size_t first_drawn = correlated ? 5 : 4;
    bd_document_rows *rows;
    const size_t n = mixed->bootstrap ? add_headings(drawn, BD_BOOTSTRAP_CELLS, true, headings, first_drawn) : first_drawn;
    BD_TRY(bd_document_table(document, "random", "What varies", headings, n, &rows));
    for (size_t j = 0; j < random->n_random; j++) {
        const double variance = random->covariance[j * random->n_random + j];
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(random->term->group_name);
        cells[1] = bd_text(random->term->random_names[j]);
        cells[2] = bd_number(variance);
        cells[3] = bd_number(sqrt(variance));
        if (correlated)
            cells[4] = bd_number(mixed_correlation(random, j));
        if (mixed->bootstrap)
            add_cells(&mixed->bootstrap->ends[mixed->fit->n_columns + j], true, cells + first_drawn);
    }
    return BD_OK;
}

/* Of what replicates say beside coefficients and standard deviations. */
static bd_status drawn_table(const bd_mixed_glm *mixed, bd_document *document)
{
    static const bd_heading headings[] = {{"value", "Value", BD_TEXT},
                                          {"estimate", "Estimate", BD_STATISTIC},
                                          {"ci_low", "CI low", BD_STATISTIC},
                                          {"ci_high", "CI high", BD_STATISTIC}};
    const bd_bootstrap_result *b = mixed->bootstrap;
    const size_t first = mixed->fit->n_columns + mixed->fit->random.n_random;
    bd_document_rows *rows;
    if (b == NULL || b->replicates->n_values == first)
        return BD_OK;
    BD_TRY(bd_document_table(document, "drawn", "By resampling", headings, 4, &rows));
    for (size_t v = first; v < b->replicates->n_values; v++) {
        const double values[] = {b->replicates->estimates[v], b->ends[v].low, b->ends[v].high};
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(b->replicates->names[v]);
        for (size_t i = 0; i < 3; i++)
            cells[i + 1] = bd_number(values[i]);
    }
    return BD_OK;
}

static bd_status fit_table(const bd_mixed_glm *mixed, bd_document *document)
{
    const bd_glmm *fit = mixed->fit;
    const bd_value values[] = {
        {{"n", "n", BD_COUNT}, (double)fit->n_used},
        {{"groups", "Groups", BD_COUNT}, (double)fit->random.n_groups},
        {{"theta", "Theta", BD_STATISTIC}, fit->theta},
        {{"icc", "Latent share (ICC)", BD_BOUNDED}, mixed->share.share},
        {{"deviance", "Deviance (-2 log-likelihood)", BD_STATISTIC}, fit->deviance},
        {{"log_likelihood", "Log-likelihood", BD_STATISTIC}, fit->log_likelihood},
        {{"aic", "AIC", BD_STATISTIC}, fit->aic},
        {{"bic", "BIC", BD_STATISTIC}, fit->bic},
        {{"iterations", "Iterations", BD_COUNT}, (double)fit->n_iterations},
    };
    return bd_document_list(document, "fit", "Fit", values, sizeof values / sizeof *values, true);
}

static bd_status notes(const bd_mixed_glm *mixed, bd_document *document)
{
    const bd_glmm *fit = mixed->fit;
    BD_TRY(bd_document_say(document, BD_NOTE, "Family: %s. Link: %s. Maximum likelihood; z with the normal distribution (%g %%).",
                           bd_family_name(fit->family), bd_link_name(fit->link), 100 * fit->level));
    if (fit->n_nodes == 1)
        BD_TRY(bd_document_say(document, BD_NOTE, "Integrated over what varies by Laplace's approximation."));
    else
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "Integrated over what varies by adaptive Gauss-Hermite quadrature with %zu nodes.",
                               fit->n_nodes));
    if (!isnan(mixed->share.share))
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "The share is of a latent variable whose residual variance is %.4g, what the predictors "
                               "explain left out.",
                               fit->latent_residual));
    BD_TRY(bd_document_say(document, BD_NOTE, "Effects are of a member of a given group; averaged over groups they are smaller "
                                              "for odds."));
    if (mixed->frame->trials_name != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Trials: %s.", mixed->frame->trials_name));
    if (mixed->frame->offset_name != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Offset: %s.", mixed->frame->offset_name));
    if (fit->random.singular != NULL)
        BD_TRY(bd_document_say(document, BD_WARNING,
                               "The fit is singular: %s has no variance of its own between the groups of %s (its estimate is "
                               "0, or its correlation 1 or -1). Leave it out.",
                               fit->random.singular, fit->random.term->group_name));
    if ((double)fit->random.n_groups < FEW_GROUPS)
        BD_TRY(bd_document_say(document, BD_WARNING,
                               "%zu groups of %s are few: the variance between them is known badly, and z tests of what lies "
                               "between them are too optimistic.",
                               fit->random.n_groups, fit->random.term->group_name));
    return BD_OK;
}

bd_status bd_mixed_glm_document(const bd_mixed_glm *mixed, bd_arena *arena, bd_document **out)
{
    const bd_glmm *fit = mixed->fit;
    const char *title;
    bd_document *document;
    BD_TRY(bd_print(arena, &title, "Mixed %s regression: %s", bd_family_name(fit->family), mixed->options.formula));
    BD_TRY(bd_document_new(arena, "mixed", title, &document));
    BD_TRY(coefficient_table(mixed, document));
    BD_TRY(mixed_contextual_table(mixed->contextual, mixed->n_contextual, fit->coefficients, true, document));
    BD_TRY(random_table(mixed, document));
    BD_TRY(drawn_table(mixed, document));
    BD_TRY(fit_table(mixed, document));
    BD_TRY(mixed_effect_table(&fit->random, &mixed->share, 1, fit->level, document));
    if (!isnan(mixed->share.share))
        BD_TRY(bd_document_say(document, BD_SENTENCE,
                               "Of the latent variance of %s that the predictors leave, %.1f %% lies between the %zu groups of "
                               "%s.",
                               mixed->frame->response_name, 100 * mixed->share.share, fit->random.n_groups,
                               fit->random.term->group_name));
    BD_TRY(notes(mixed, document));
    if (mixed->bootstrap != NULL)
        BD_TRY(bd_bootstrap_document(mixed->bootstrap, arena, document));
    BD_TRY(bd_provenance_frame(mixed->frame, document));
    *out = document;
    return BD_OK;
}
