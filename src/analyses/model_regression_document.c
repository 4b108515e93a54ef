/* What a model says: a table for each equation, its fit, tests, a sentence, notes. */
#include <math.h>
#include <string.h>

#include <bordin/analyses/provenance.h>
#include <bordin/report/number.h>

#include "model_regression_internal.h"

enum { N_STATISTICS = 5, MOST_HEADINGS = 2 + N_STATISTICS + BD_BOOTSTRAP_CELLS + 3 };

static void add(bd_heading *headings, size_t *n, const bd_heading *more, size_t n_more)
{
    memcpy(headings + *n, more, n_more * sizeof *more);
    *n += n_more;
}

static size_t equation_headings(const bd_model_equation *equation, bool boot, bd_heading *headings)
{
    const bd_model_row *row = equation->rows;
    const bool t = equation->n_rows > 0 && !isnan(row->df);
    const bd_heading category = {"category", "Category", BD_TEXT}, df = {"df", "df", BD_DF};
    const bd_heading first[] = {{"term", "Term", BD_TEXT},
                                {"estimate", "Estimate", BD_ESTIMATE},
                                {"se", "SE", BD_ESTIMATE},
                                {"statistic", t ? "t" : "z", BD_STATISTIC}};
    const bd_heading p = {"p", "p", BD_P_VALUE};
    const bd_heading wald[] = {{"ci_low", "CI low", BD_ESTIMATE}, {"ci_high", "CI high", BD_ESTIMATE}};
    const bd_heading by_bootstrap[] = {BD_BOOTSTRAP_HEADINGS("boot_p", "Boot p", BD_ESTIMATE)};
    const bd_heading ratios[] = {{"ratio", equation->ratio ? equation->ratio : "", BD_STATISTIC},
                                 {"ratio_ci_low", "Ratio CI", BD_STATISTIC},
                                 {"ratio_ci_high", "", BD_STATISTIC}};
    size_t n = 0;
    if (equation->n_rows > 0 && row->category != NULL)
        add(headings, &n, &category, 1);
    add(headings, &n, first, 4);
    if (t)
        add(headings, &n, &df, 1);
    add(headings, &n, &p, 1);
    if (boot)
        add(headings, &n, by_bootstrap, BD_BOOTSTRAP_CELLS);
    else
        add(headings, &n, wald, 2);
    if (equation->ratio != NULL)
        add(headings, &n, ratios, 3);
    return n;
}

static void fill_row(const bd_model_row *row, const bd_interval_ends *ends, bool ratio, bd_cell *cells)
{
    if (row->category != NULL)
        *cells++ = bd_text(row->category);
    *cells++ = bd_text(row->term);
    *cells++ = bd_number(row->estimate);
    *cells++ = bd_number(row->se);
    *cells++ = bd_number(row->statistic);
    if (!isnan(row->df))
        *cells++ = bd_number(row->df);
    *cells++ = bd_number(row->p);
    if (ends != NULL) {
        bd_bootstrap_cells(ends, cells);
        cells += BD_BOOTSTRAP_CELLS;
    } else {
        *cells++ = bd_number(row->ci_low);
        *cells++ = bd_number(row->ci_high);
    }
    if (!ratio)
        return;
    *cells++ = bd_number(exp(row->estimate));
    *cells++ = bd_number(exp(ends ? ends->low : row->ci_low));
    *cells++ = bd_number(exp(ends ? ends->high : row->ci_high));
}

static bd_status equation_tables(const bd_model_regression *regression, bd_document *document)
{
    const bd_bootstrap_result *bootstrap = regression->bootstrap;
    size_t value = 0;
    for (size_t e = 0; e < regression->n_equations; e++) {
        const bd_model_equation *equation = &regression->equations[e];
        bd_heading headings[MOST_HEADINGS];
        bd_document_rows *rows;
        const size_t n = equation_headings(equation, bootstrap != NULL, headings);
        BD_TRY(bd_document_table(document, equation->id, equation->title, headings, n, &rows));
        if (equation->n_rows == 0)
            bd_document_unprinted(rows);
        for (size_t j = 0; j < equation->n_rows; j++, value++) {
            bd_cell *cells;
            BD_TRY(bd_document_row(rows, &cells));
            fill_row(&equation->rows[j], bootstrap ? &bootstrap->ends[value] : NULL, equation->ratio != NULL, cells);
        }
    }
    return BD_OK;
}

static bd_status test_table(const bd_model_regression *regression, bd_document *document)
{
    const bd_heading headings[] = {{"term", "Term", BD_TEXT},
                                   {"chi_squared", "Chi-squared", BD_STATISTIC},
                                   {"df", "df", BD_DF},
                                   {"p", "p", BD_P_VALUE}};
    bd_document_rows *rows;
    if (regression->n_tests == 0)
        return BD_OK;
    BD_TRY(bd_document_table(document, regression->tests_id, regression->tests_title, headings, 4, &rows));
    for (size_t k = 0; k < regression->n_tests; k++) {
        const bd_model_test *test = &regression->tests[k];
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(test->term != NULL ? test->term : "(all)");
        cells[1] = bd_number(test->statistic);
        cells[2] = bd_number(test->df);
        cells[3] = bd_number(test->p);
    }
    return BD_OK;
}

static bd_status sentence(const bd_model_regression *regression, bd_document *document)
{
    const char *name = regression->frame->response_name;
    if (isnan(regression->whole_p))
        return BD_OK;
    if (isnan(regression->whole_df_residual))
        return bd_document_say(
            document, BD_SENTENCE,
            "Together the predictors account for differences in %s with chi-squared(%.0f) = %.2f, %s "
            "(likelihood ratio).",
            name, regression->whole_df, regression->whole_statistic, bd_show_p(regression->whole_p).text);
    return bd_document_say(
        document, BD_SENTENCE,
        "Together the predictors account for differences in %s with F(%.0f, %.0f) = %.2f, %s (Wald).", name,
        regression->whole_df, regression->whole_df_residual, regression->whole_statistic,
        bd_show_p(regression->whole_p).text);
}

static bd_status error_notes(const bd_model_regression *regression, bd_document *document)
{
    const bd_frame *frame = regression->frame;
    const bd_se_estimator *se = regression->se;
    const bool t = regression->equations[0].n_rows > 0 && !isnan(regression->equations[0].rows->df);
    const bool sandwich = se != &bd_se_classical;
    if (se == NULL)
        return BD_OK;
    BD_TRY(bd_document_say(document, BD_NOTE, "Standard errors: %s (%s), from which %s, p%s (%g %%).", bd_se_name(se),
                           sandwich ? bd_se_summary(se) : "the model's",
                           t ? "t" : "z",
                           regression->bootstrap ? "; intervals are the bootstrap's" : " and the intervals",
                           100 * regression->options.level));
    if (frame->cluster != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "%zu clusters of %s.%s", frame->cluster->n_levels,
                               frame->cluster->name,
                               se == &bd_se_cr1 ? " CR2, the default of least squares, is not defined here." : ""));
    if (sandwich && !t)
        return bd_document_say(document, BD_NOTE, "Likelihood-ratio tests take the model at its word, and rows as "
                                                  "independent; the standard errors do not.");
    return BD_OK;
}

static bd_status notes(const bd_model_regression *regression, bd_document *document)
{
    const bd_frame *frame = regression->frame;
    const bd_model *model = regression->model;
    BD_TRY(bd_document_say(document, BD_NOTE, "Family %s (%s)%s%s.", model->name, model->summary,
                           model->links ? ", link " : "", model->links ? regression->options.link : ""));
    for (size_t i = 0; i < regression->n_sayings; i++)
        BD_TRY(bd_document_say(document, regression->sayings[i].saying, "%s", regression->sayings[i].text));
    if (frame->offset != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Offset: %s.", frame->offset_name));
    if (frame->trials != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "%s counts successes out of %s.", frame->response_name,
                               frame->trials_name));
    if (frame->weights != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "%s",
                               regression->se != NULL ? "A row of weight 2 counts as two."
                                                      : "Weights multiply the rows' distances; the standard errors are "
                                                        "those of as many rows as there are."));
    return error_notes(regression, document);
}

bd_status bd_model_document(const bd_model_regression *regression, bd_arena *arena, bd_document **out)
{
    const char *title;
    bd_document *document;
    BD_TRY(bd_print(arena, &title, "%s: %s", regression->model->title, regression->frame->formula));
    BD_TRY(bd_document_new(arena, "regress", title, &document));
    BD_TRY(equation_tables(regression, document));
    BD_TRY(bd_predictions_table(regression->predictions, regression->bootstrap, document));
    BD_TRY(bd_document_list(document, "fit", "Fit", regression->facts, regression->n_facts, true));
    BD_TRY(test_table(regression, document));
    BD_TRY(sentence(regression, document));
    BD_TRY(notes(regression, document));
    BD_TRY(bd_predictions_notes(regression->predictions, regression->bootstrap, document));
    if (regression->bootstrap != NULL)
        BD_TRY(bd_bootstrap_document(regression->bootstrap, arena, document));
    BD_TRY(bd_provenance_frame(regression->frame, document));
    *out = document;
    return BD_OK;
}
