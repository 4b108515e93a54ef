/* Wald's tests of terms, and their table. */
#include <bordin/analyses/term_tests.h>

#include <math.h>

#include <gsl/gsl_cdf.h>

#include <bordin/core/triangle.h>

bd_status bd_wald(const bd_term_fit *fit, size_t first, size_t n, bd_arena *arena, double *statistic)
{
    const bd_mark scratch = bd_arena_mark(arena);
    double *matrix, *root, *scaled;
    BD_NEW(arena, matrix, n * n);
    BD_NEW(arena, root, n * n);
    BD_NEW(arena, scaled, n);
    *statistic = 0;
    for (size_t i = 0; i < n; i++) {
        scaled[i] = fit->estimates[first + i];
        for (size_t j = 0; j < n; j++) /* by standard errors, so that units do not matter */
            matrix[i * n + j] = fit->covariance[(first + i) * fit->n_parameters + first + j] /
                                sqrt(fit->covariance[(first + i) * fit->n_parameters + first + i] *
                                     fit->covariance[(first + j) * fit->n_parameters + first + j]);
        scaled[i] /= sqrt(fit->covariance[(first + i) * fit->n_parameters + first + i]);
    }
    bool regular = bd_triangle_from_products(n, matrix, 1e-12, root) && root[n * n - 1] > 1e-6;
    if (regular)
        bd_triangle_solve_transposed(n, n, root, scaled, scaled);
    for (size_t i = 0; i < n; i++)
        *statistic += scaled[i] * scaled[i];
    if (!regular)
        *statistic = NAN;
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}

static bool is_part(const bd_frame *frame, size_t term)
{
    const uint64_t own = frame->term_variables[term];
    for (size_t t = 0; t < frame->n_terms; t++)
        if (t != term && (own & frame->term_variables[t]) == own)
            return true;
    return false;
}

static double p_of(double statistic, double df, double df_residual)
{
    if (isnan(statistic))
        return NAN;
    return isfinite(df_residual) ? gsl_cdf_fdist_Q(statistic, df, df_residual) : gsl_cdf_chisq_Q(statistic, df);
}

bd_status bd_term_tests_make(const bd_frame *frame, const bd_term_fit *fit, bd_arena *arena, bd_term_tests **out)
{
    bd_term_tests *tests;
    BD_NEW(arena, tests, 1);
    BD_NEW(arena, tests->tests, frame->n_terms + 1);
    tests->df_residual = fit->df_residual;
    for (size_t j = fit->first_column, next; j < frame->n_columns; j = next) {
        const size_t term = frame->columns[j].term;
        next = j + 1;
        while (next < frame->n_columns && frame->columns[next].term == term)
            next++;
        if (term == SIZE_MAX || is_part(frame, term))
            continue;
        bd_term_test *test = &tests->tests[tests->n++];
        *test = (bd_term_test){.term = frame->terms[term], .first = j, .n_columns = next - j, .df = (double)(next - j),
                               .df_denominator = fit->df_residual, .ratio = NAN, .ratio_p = NAN, .ratio_boot_p = NAN};
        BD_TRY(bd_wald(fit, j - fit->first_column, next - j, arena, &test->statistic));
        if (isfinite(fit->df_residual))
            test->statistic /= test->df;
        test->p = p_of(test->statistic, test->df, fit->df_residual);
        tests->some_joint = tests->some_joint || test->n_columns > 1;
    }
    *out = tests;
    return BD_OK;
}

/* The columns that some test fills. */
static void choose_columns(const bd_term_tests *tests, bool *denominators, bool *ratios, bool *draws)
{
    *denominators = *ratios = *draws = false;
    for (size_t t = 0; t < tests->n; t++) {
        const bd_term_test *test = &tests->tests[t];
        *denominators = *denominators || test->df_denominator != tests->df_residual;
        *ratios = *ratios || !isnan(test->ratio);
        *draws = *draws || !isnan(test->ratio_boot_p);
    }
}

bd_status bd_term_tests_table(const bd_term_tests *tests, bd_document *document)
{
    bd_document_rows *rows;
    bool denominators, ratios, draws;
    if (tests == NULL || tests->n == 0)
        return BD_OK;
    choose_columns(tests, &denominators, &ratios, &draws);
    const bool f = isfinite(tests->df_residual), chi2 = !f || tests->ratio_is_chi2;
    const struct {
        bd_heading heading;
        bool shown;
        size_t offset;
    } columns[] = {
        {{"df", f ? "df 1" : "df", BD_DF}, true, offsetof(bd_term_test, df)},
        {{"df2", "df 2", BD_DF}, denominators, offsetof(bd_term_test, df_denominator)},
        {{f ? "f" : "wald", f ? "F" : "Wald chi2", BD_STATISTIC}, true, offsetof(bd_term_test, statistic)},
        {{"p", "p", BD_P_VALUE}, true, offsetof(bd_term_test, p)},
        {{"likelihood_ratio", chi2 ? "LR chi2" : "F of deviances", BD_STATISTIC}, ratios, offsetof(bd_term_test, ratio)},
        {{"likelihood_ratio_p", "p", BD_P_VALUE}, ratios, offsetof(bd_term_test, ratio_p)},
        {{"likelihood_ratio_boot_p", "boot p", BD_P_VALUE}, draws, offsetof(bd_term_test, ratio_boot_p)},
    };
    enum { COLUMNS = sizeof columns / sizeof *columns };
    bd_heading headings[COLUMNS + 1] = {{"term", "Term", BD_TEXT}};
    size_t offsets[COLUMNS], n = 0;
    for (size_t c = 0; c < COLUMNS; c++)
        if (columns[c].shown) {
            offsets[n] = columns[c].offset;
            headings[++n] = columns[c].heading;
        }
    BD_TRY(bd_document_table(document, "terms", "Terms", headings, n + 1, &rows));
    for (size_t t = 0; t < tests->n; t++) {
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(tests->tests[t].term);
        for (size_t c = 0; c < n; c++)
            cells[c + 1] = bd_number(*(const double *)((const char *)&tests->tests[t] + offsets[c]));
    }
    return BD_OK;
}
