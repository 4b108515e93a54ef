/* Regression of a binary outcome, a count, a share or a positive amount on a formula's terms: the generalised linear
 * model with the standard errors of choice, marginal effects and, for binary outcomes, discrimination and calibration.
 *
 *     bd_glm_regression_options options = BD_GLM_REGRESSION_DEFAULTS;
 *     options.family = &bd_binomial;
 *     BD_TRY(bd_glm_regress(frame, &options, arena, &regression));
 *     BD_TRY(bd_glm_regression_document(regression, arena, &document));
 */
#ifndef BORDIN_ANALYSES_GLM_REGRESSION_H
#define BORDIN_ANALYSES_GLM_REGRESSION_H

#include <bordin/analyses/prediction.h>
#include <bordin/analyses/term_tests.h>
#include <bordin/models/glm.h>
#include <bordin/report/document.h>

enum { BD_GLM_RATIO_ROWS = 200000 }; /* above which terms have no likelihood ratios */

typedef struct bd_glm_regression_options {
    const bd_family *family;
    const bd_link *link;       /* NULL: the family's default */
    const bd_se_estimator *se; /* NULL: classical, or CR2 for a frame with clusters */
    double level;              /* of the confidence intervals */
    int n_threads;             /* 0: all */
    size_t max_iterations;     /* 0: 100 */
    bool firth;
    bool bootstrap; /* whether to resample */
    bd_bootstrap_options resampling;
    const bd_profiles *profiles; /* of the frame, to predict the mean for; NULL: none */
} bd_glm_regression_options;

#define BD_GLM_REGRESSION_DEFAULTS ((bd_glm_regression_options){.family = &bd_binomial, .level = 0.95, .resampling = BD_BOOTSTRAP_DEFAULTS})

typedef struct bd_glm_regression {
    const bd_frame *frame;
    bd_glm_regression_options options; /* link and se are those that were used */
    bd_glm_design design;
    const bd_glm *fit;                 /* coefficients in the order of frame->columns */
    const bd_glm_margin *margins;      /* the same */
    const bool *has_margin;            /* the column stands in one term only: its margin is the effect of a variable */
    const bd_glm_classification *classification; /* NULL unless the outcome is binary */
    const bd_term_tests *terms;           /* with likelihood ratios, by fits without each, where rows are few enough and
                                             errors classical; NULL: nothing that coefficients do not say */
    const bd_predictions *predictions;    /* NULL unless asked for */
    const bd_bootstrap_result *bootstrap; /* a value for each coefficient and prediction; NULL unless asked for */
} bd_glm_regression;

/* With the frame's offset, trials and weights; these as they were given: a row of weight 2 counts as two, with the errors
 * of binomial, poisson and negbin too. Replicates refit from the full sample's solution until they converge.
 * Fails as bd_glm_fit and bd_bootstrap_frame do. BD_EUSAGE: the formula has no response; studentised intervals.
 * BD_ENUMERIC: predictors separate the outcomes (named); the fit did not converge. */
BD_CHECKED bd_status bd_glm_regress(const bd_frame *frame, const bd_glm_regression_options *options, bd_arena *arena,
                                    const bd_glm_regression **regression);

/* The tables "coefficients" (with exp(estimate) as "ratio" where it has a meaning), "terms", "predictions", "fit", "marginal_effects" and
 * "classification", a sentence, notes, warnings of overdispersion, provenance of the frame. */
BD_CHECKED bd_status bd_glm_regression_document(const bd_glm_regression *regression, bd_arena *arena,
                                                bd_document **document);

#endif
