/* The wild bootstrap and permutations in a regression: all coefficients, their tables. */
#include "regression_tests.h"

#include <math.h>

static bd_status test_wild(const bd_ols_design *design, const bd_wild_options *options, bd_arena *arena,
                           bd_regression *regression)
{
    const bd_wild_result **results;
    BD_NEW(arena, results, design->n_columns);
    for (size_t j = 0; j < design->n_columns; j++)
        BD_TRY(bd_while(bd_wild_test(design, j, options, arena, &results[j]), "the wild bootstrap"));
    regression->wild = results;
    regression->wild_options = *options;
    return BD_OK;
}

bd_status regression_tests(const bd_ols_design *design, const bd_regression_options *options, bd_arena *arena,
                           bd_regression *regression)
{
    if (options->wild != NULL)
        BD_TRY(test_wild(design, options->wild, arena, regression));
    if (options->permutation == NULL)
        return BD_OK;
    const bd_groups *groups = regression->frame->strata;
    const bd_membership strata = groups ? (bd_membership){groups->codes, groups->n_levels} : (bd_membership){0};
    return bd_permute(design, groups ? &strata : NULL, options->permutation, arena, &regression->permutation);
}

static bd_status wild_table(const bd_regression *regression, bd_document *document)
{
    const bd_heading headings[] = {{"term", "Term", BD_TEXT},
                                   {"estimate", "Estimate", BD_ESTIMATE},
                                   {"statistic", "t", BD_STATISTIC},
                                   {"p", "p", BD_P_VALUE},
                                   {"p_equal_tailed", "p, equal-tailed", BD_P_VALUE},
                                   {"ci_low", "CI low", BD_ESTIMATE},
                                   {"ci_high", "CI high", BD_ESTIMATE}};
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "wild", "Wild bootstrap", headings, 7, &rows));
    for (size_t j = 0; j < regression->fit->n_columns; j++) {
        const bd_wild_result *r = regression->wild[j];
        const double values[] = {regression->fit->coefficients[j].estimate, r->t, r->p, r->p_equal_tailed, r->ci_low,
                                 r->ci_high};
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(regression->frame->columns[j].name);
        for (size_t i = 0; i < 6; i++)
            cells[i + 1] = bd_number(values[i]);
    }
    return BD_OK;
}

static bd_status wild_notes(const bd_regression *regression, bd_document *document)
{
    const bd_wild_result *r = regression->wild[0];
    const bd_wild_options *options = &regression->wild_options;
    const bd_groups *clusters = regression->frame->cluster;
    const bd_wild_weights *weights = options->weights ? options->weights : &bd_wild_rademacher;
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "Wild bootstrap: of the hypothesis that a coefficient is 0, imposed; %s weights by %s; %s%zu "
                           "draws%s; t with %s errors; %g %% intervals of the values that it does not reject.",
                           weights->name, clusters ? clusters->name : "row", r->enumerated ? "all " : "", r->n_draws,
                           r->enumerated ? ", so that p is exact" : "", clusters ? "cr1" : "hc1", 100 * options->level));
    if (r->n_clusters < 6 && weights == &bd_wild_rademacher)
        BD_TRY(bd_document_say(document, BD_WARNING,
                               "%zu clusters give %zu distinct draws: p cannot fall below %.3g. Webb's weights have more "
                               "points (--wild webb).",
                               r->n_clusters, r->n_draws, 2.0 / (double)r->n_draws));
    BD_TRY(bd_document_fact(document, "wild.weights", "Wild bootstrap weights", BD_TEXT, bd_text(weights->name)));
    BD_TRY(bd_document_fact(document, "wild.draws", "Wild bootstrap draws", BD_COUNT, bd_number((double)r->n_draws)));
    return bd_document_fact(document, "wild.seed", "Wild bootstrap seed", BD_COUNT, bd_number((double)options->seed));
}

static bd_status permutation_table(const bd_regression *regression, bd_document *document)
{
    const bd_heading headings[] = {
        {"term", "Term", BD_TEXT}, {"statistic", "t", BD_STATISTIC}, {"p", "p", BD_P_VALUE}};
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "permutation", "Permutation tests", headings, 3, &rows));
    for (size_t j = 0; j < regression->fit->n_columns; j++) {
        bd_cell *cells;
        if (isnan(regression->permutation->p[j]))
            continue;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(regression->frame->columns[j].name);
        cells[1] = bd_number(regression->permutation->t[j]);
        cells[2] = bd_number(regression->permutation->p[j]);
    }
    return BD_OK;
}

static bd_status permutation_notes(const bd_regression *regression, bd_document *document)
{
    const bd_groups *strata = regression->frame->strata;
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "Permutation tests: %zu permutations of the residuals on the other predictors (Freedman & "
                           "Lane, 1983)%s%s.",
                           regression->permutation->n_permutations, strata ? " within levels of " : "",
                           strata ? strata->name : ""));
    return bd_document_fact(document, "permutations", "Permutations", BD_COUNT,
                            bd_number((double)regression->permutation->n_permutations));
}

bd_status regression_tests_document(const bd_regression *regression, bd_document *document)
{
    if (regression->wild != NULL) {
        BD_TRY(wild_table(regression, document));
        BD_TRY(wild_notes(regression, document));
    }
    if (regression->permutation != NULL) {
        BD_TRY(permutation_table(regression, document));
        BD_TRY(permutation_notes(regression, document));
    }
    return BD_OK;
}
