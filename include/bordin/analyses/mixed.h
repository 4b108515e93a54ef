/* Mixed regression: which part of the outcome, and of what goes with it, belongs to the group (the therapist), and which to
 * what is within it.
 *
 *     bd_frame_spec spec = {0};
 *     BD_TRY(bd_mixed_formula("y ~ within(x, t) + between(x, t) + (1 | t)", arena, &spec, &options.uncorrelated));
 *     BD_TRY(bd_frame_wanted(&spec, ...)); ... BD_TRY(bd_frame_build(table, &spec, arena, &frame));
 *     BD_TRY(bd_mix(frame, &options, arena, &mixed));
 *     BD_TRY(bd_mixed_document(mixed, arena, &document));
 */
#ifndef BORDIN_ANALYSES_MIXED_H
#define BORDIN_ANALYSES_MIXED_H

#include <bordin/analyses/bootstrap.h>
#include <bordin/analyses/term_tests.h>
#include <bordin/models/mixed.h>

/* Takes lme4's formula apart: the terms of all into spec->formula, those of each (terms | group) into spec->varying;
 * (terms | a/b) is (terms | a) + (terms | a:b), and terms before || are apart. BD_EUSAGE: it cannot be parsed; no such
 * part; a group that is no column's name. */
BD_CHECKED bd_status bd_mixed_formula(const char *text, bd_arena *arena, bd_frame_spec *spec);

typedef struct bd_mixed_analysis_options {
    const char *formula; /* as it was typed */
    bd_mixed_options fit;
    bool tests;     /* whether to fit the model without each variance and each term, to test them */
    size_t n_draws; /* of the parametric bootstrap of these tests; 0: none */
    uint64_t draw_seed;
    bool profile;   /* whether to find profile-likelihood intervals of what varies */
    bool bootstrap; /* whether to resample groups, each drawn one as a group of its own */
    bd_bootstrap_options resampling;
} bd_mixed_analysis_options;

#define BD_MIXED_ANALYSIS_DEFAULTS \
    ((bd_mixed_analysis_options){.fit = BD_MIXED_DEFAULTS, .tests = true, .draw_seed = 1, .resampling = BD_BOOTSTRAP_DEFAULTS})

/* Between less within: what the group's mean does beside the values of its members. */
typedef struct bd_contextual {
    const char *variable;
    size_t within, between; /* columns of the frame */
    bd_mixed_coefficient difference;
} bd_contextual;

/* What lies between the groups of one term. */
typedef struct bd_mixed_share {
    const bd_groups *groups;
    double *rows;    /* groups->n_levels: rows of each */
    double variance; /* of z'b, averaged over the rows */
    double share;    /* of all that the predictors leave: the intraclass correlation */
} bd_mixed_share;

/* Likelihood ratio without one of the random coefficients; p from a mixture of chi-squared with df - 1 and df, as the
 * variance is at its edge. Self & Liang (1987); Stram & Lee (1994), doi:10.2307/2533455. */
typedef struct bd_random_test {
    const char *group, *term;
    double statistic, df, p;
    double boot_p; /* by parametric bootstrap: (1 + ratios drawn without it that are as large) / (1 + draws); or NaN */
} bd_random_test;

enum { BD_MIXED_RATIO_ROWS = 50000 }; /* above which terms have no likelihood ratios */

/* Variance of rows within groups and between them: of fitted values, of z'b, and what is left.
 * Rights & Sterba (2019), doi:10.1037/met0000184. */
typedef struct bd_mixed_split {
    double fixed_within, fixed_between, random_within, random_between, residual;
} bd_mixed_split;

typedef struct bd_mixed_analysis {
    const bd_frame *frame;
    bd_mixed_analysis_options options;
    const bd_mixed *fit;
    bd_mixed_share *shares; /* fit->n_terms */
    size_t n_random;        /* coefficients that vary, of all terms */
    double variance_fixed, variance_random, variance_residual; /* of fitted values, of z'b on average, of rows */
    bd_mixed_split split; /* of one term; all NaN where there are several */
    double r2_marginal, r2_conditional; /* Nakagawa, Johnson & Schielzeth (2017) */
    bd_contextual *contextual;
    size_t n_contextual;
    bd_random_test *tests; /* by term, the last coefficient first */
    size_t n_tests;
    const bd_term_tests *terms; /* of the fixed part: F, and ratios of maximum likelihoods; NULL: not asked for */
    size_t n_draws_failed;      /* of all tests' */
    const bd_mixed_interval *intervals; /* NULL unless asked for */
    size_t n_intervals;
    const bd_bootstrap_result *bootstrap; /* coefficients, standard deviations of the random ones and of rows, the terms'
                                             shares; NULL unless asked for */
} bd_mixed_analysis;

/* Fails as bd_mixed_prepare, bd_mixed_fit and bd_bootstrap_frame do. BD_EUSAGE: no outcome; a coefficient that varies
 * twice; resampling of anything but the groups, or of groups that cross. BD_ENUMERIC: the fit did not converge. */
BD_CHECKED bd_status bd_mix(const bd_frame *frame, const bd_mixed_analysis_options *options, bd_arena *arena,
                            const bd_mixed_analysis **mixed);

/* The tables "coefficients", "terms", "within_between", "random", "intervals", "shares", "split", "random_tests", "fit", "effects", sentences, notes,
 * warnings, provenance. */
BD_CHECKED bd_status bd_mixed_document(const bd_mixed_analysis *mixed, bd_arena *arena, bd_document **document);

#endif
