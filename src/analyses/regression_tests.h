/* Tests of coefficients by resampling, beside the classical ones. */
#ifndef BORDIN_ANALYSES_REGRESSION_TESTS_H
#define BORDIN_ANALYSES_REGRESSION_TESTS_H

#include <bordin/analyses/regression.h>

/* Those that were asked for: fills wild and permutation of `regression`. */
BD_CHECKED bd_status regression_tests(const bd_ols_design *design, const bd_regression_options *options, bd_arena *arena,
                                      bd_regression *regression);

/* The tables "wild" and "permutation", and what must be known of them. */
BD_CHECKED bd_status regression_tests_document(const bd_regression *regression, bd_document *document);

#endif
