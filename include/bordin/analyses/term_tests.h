/* Tests of terms: whether all columns of one, such as the levels of a category, have coefficients of 0.
 *
 *     const bd_term_fit fit = {.estimates = b, .covariance = v, .n_parameters = p, .df_residual = df};
 *     BD_TRY(bd_term_tests_make(frame, &fit, arena, &tests));
 *     BD_TRY(bd_term_tests_table(tests, document));
 */
#ifndef BORDIN_ANALYSES_TERM_TESTS_H
#define BORDIN_ANALYSES_TERM_TESTS_H

#include <bordin/data/frame.h>
#include <bordin/report/document.h>

/* Parameters of the frame's columns, from `first_column` on; further ones may follow. */
typedef struct bd_term_fit {
    const double *estimates;
    const double *covariance; /* n_parameters x n_parameters */
    size_t n_parameters, first_column;
    double df_residual; /* of F; infinite: chi-squared */
} bd_term_fit;

typedef struct bd_term_test {
    const char *term;
    size_t first, n_columns;     /* of the frame */
    double df, df_denominator, statistic, p; /* Wald's: F, or chi-squared with an infinite df_denominator */
    double ratio, ratio_p;       /* likelihood ratio, or F of deviances; NaN unless someone fills it in */
    double ratio_boot_p;         /* of the likelihood ratio, by parametric bootstrap; NaN the same */
} bd_term_test;

typedef struct bd_term_tests {
    double df_residual;
    bd_term_test *tests; /* terms that are no part of another, as x is of x:z */
    size_t n;
    bool ratio_is_chi2; /* even beside F */
    bool some_joint; /* one has several columns, which no single coefficient tests */
} bd_term_tests;

/* Wald's statistic b'V^-1 b of n parameters from `first` on; NaN where V is singular. Fails with the arena only. */
BD_CHECKED bd_status bd_wald(const bd_term_fit *fit, size_t first, size_t n, bd_arena *arena, double *statistic);

BD_CHECKED bd_status bd_term_tests_make(const bd_frame *frame, const bd_term_fit *fit, bd_arena *arena,
                                        bd_term_tests **tests);

/* The table "terms"; nothing where `tests` is NULL or empty. */
BD_CHECKED bd_status bd_term_tests_table(const bd_term_tests *tests, bd_document *document);

#endif
