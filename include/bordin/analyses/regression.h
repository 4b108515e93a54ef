/* Regression of one outcome on a formula's terms, with the standard errors of choice and, on request, the bootstrap.
 *
 *     bd_regression_options options = BD_REGRESSION_DEFAULTS;
 *     options.se = &bd_se_hc3;
 *     BD_TRY(bd_regress(frame, &options, arena, &regression));
 *     BD_TRY(bd_regression_document(regression, arena, &document));
 */
#ifndef BORDIN_ANALYSES_REGRESSION_H
#define BORDIN_ANALYSES_REGRESSION_H

#include <bordin/analyses/bootstrap.h>
#include <bordin/analyses/permutation.h>
#include <bordin/analyses/prediction.h>
#include <bordin/analyses/term_tests.h>
#include <bordin/analyses/wild.h>
#include <bordin/models/ols.h>

typedef struct bd_regression_options {
    const bd_se_estimator *se;      /* NULL: classical, or CR2 for a frame with clusters */
    double level;                   /* of the confidence intervals */
    int n_threads;                  /* 0: all */
    bool bootstrap;                 /* whether to resample */
    bd_bootstrap_options resampling;
    const bd_wild_options *wild;               /* test every coefficient by the wild bootstrap; NULL: do not */
    const bd_permutation_options *permutation; /* or by permutation, within the frame's strata */
    const bd_profiles *profiles;               /* of the frame, to predict the outcome for; NULL: none */
} bd_regression_options;

#define BD_REGRESSION_DEFAULTS ((bd_regression_options){.level = 0.95, .resampling = BD_BOOTSTRAP_DEFAULTS})

typedef struct bd_regression {
    const bd_frame *frame;
    const bd_se_estimator *se;
    double level;
    const bd_ols *fit;                    /* coefficients in the order of frame->columns */
    const bd_term_tests *terms;           /* NULL where every term is one coefficient */
    const bd_predictions *predictions;    /* NULL unless asked for */
    const bd_bootstrap_result *bootstrap; /* a value for each coefficient and prediction; NULL unless asked for */
    const bd_wild_result *const *wild;    /* one for each coefficient; NULL unless asked for */
    bd_wild_options wild_options;
    const bd_permutation *permutation;    /* NULL unless asked for */
} bd_regression;

/* Fails as bd_ols_fit, bd_bootstrap_frame, bd_wild_test and bd_permute do. BD_EUSAGE: the formula has no response;
 * profiles of a bootstrap that draws errors. */
BD_CHECKED bd_status bd_regress(const bd_frame *frame, const bd_regression_options *options, bd_arena *arena,
                                const bd_regression **regression);

/* The tables "coefficients", "terms", "predictions", "fit", "wild" and "permutation" (those asked for), a sentence, notes, provenance of the frame. */
BD_CHECKED bd_status bd_regression_document(const bd_regression *regression, bd_arena *arena,
                                            bd_document **document);

/* The least-squares design of a frame's response on its columns; clusters included. */
BD_CHECKED bd_status bd_regression_design(const bd_frame *frame, int n_threads, bd_arena *arena,
                                          bd_ols_design *design);

#endif
