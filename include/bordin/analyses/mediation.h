/* Mediation: how much of the effect of a predictor on an outcome runs through mediators.
 *
 *     BD_TRY(bd_path_parse("alliance -> adherence -> phq9", arena, &path));
 *     BD_TRY(bd_path_formula(path, "baseline,age", arena, &spec.formula));
 *     ... read the table, build the frame ...
 *     bd_mediation_options options = BD_MEDIATION_DEFAULTS;
 *     BD_TRY(bd_mediate(frame, path, &options, arena, &mediation));
 *     BD_TRY(bd_mediation_document(mediation, arena, &document));
 *
 * Every mediator is regressed on the predictor, the covariates and the mediators of earlier stages; the outcome on all of
 * them. The total effect is that of the predictor beside the covariates alone; in least squares it equals the direct
 * effect plus all indirect ones. MacKinnon, Fairchild & Fritz (2007), doi:10.1146/annurev.psych.58.110405.085542;
 * Preacher & Hayes (2008), doi:10.3758/BRM.40.3.879; Taylor, MacKinnon & Tein (2008), doi:10.1177/1094428107300344.
 */
#ifndef BORDIN_ANALYSES_MEDIATION_H
#define BORDIN_ANALYSES_MEDIATION_H

#include <bordin/analyses/bootstrap.h>
#include <bordin/analyses/path.h>
#include <bordin/models/ols.h>

typedef struct bd_mediation_options {
    const bd_se_estimator *se; /* of the paths; NULL: classical, or CR2 for a frame with clusters */
    double level;
    int n_threads;  /* 0: all */
    size_t n_draws; /* of the Monte-Carlo interval */
    bd_bootstrap_options resampling;
} bd_mediation_options;

#define BD_MEDIATION_DEFAULTS \
    ((bd_mediation_options){.level = 0.95, .n_draws = 20000, .resampling = BD_BOOTSTRAP_DEFAULTS})

/* What other methods say of one indirect effect. */
typedef struct bd_mediation_check {
    const char *term;
    double estimate;
    double delta_se;         /* first-order delta method: Sobel's for a product of two */
    double delta_z, delta_p;
    double second_order_se;  /* Aroian's, for a product of two; else NaN */
    double second_order_z, second_order_p;
    double mc_low, mc_high;  /* Monte-Carlo interval: normal draws of the paths */
    double joint_p;          /* the largest p of the paths; joint significance when below 1 - level; NaN for the total */
} bd_mediation_check;

typedef struct bd_mediation {
    const bd_path *path;
    const bd_frame *frame;     /* NULL when computed from correlations */
    const bd_se_estimator *se; /* classical from correlations */
    double level;
    size_t n_rows, n_draws;
    size_t n_covariates;            /* columns, the constant not among them */
    const char *const *covariates;
    const bd_ols *const *equations; /* path->n_nodes: [0] total effect, [i] node i on what comes before its stage; their
                                       columns are the constant, the covariates, then the nodes in order */
    size_t n_values, n_routes, n_contrasts;
    const char *const *names; /* total, direct, indirect, each route, contrasts, standardised, proportion mediated */
    const double *estimates;
    size_t n_checks; /* the indirect effect, then each route if there are several */
    const bd_mediation_check *checks;
    const bd_bootstrap_result *bootstrap; /* a value for each name; NULL from correlations */
} bd_mediation;

/* `frame` is that of bd_path_formula. The result lives in `arena`.
 * BD_EUSAGE: a variable of the path also among the covariates. BD_EDATA: a variable of the path that is text with more
 * than two levels, or a mediator that is text; a constant column. BD_ENUMERIC: collinear predictors; too many replicates
 * failed. */
BD_CHECKED bd_status bd_mediate(const bd_frame *frame, const bd_path *path, const bd_mediation_options *options,
                                bd_arena *arena, const bd_mediation **mediation);

/* From a correlation matrix of `n` cases: a column of names, then a column for each variable (either triangle may be left
 * empty). All estimates are standardised; there are no rows to resample, so the intervals are Monte-Carlo ones.
 * BD_EDATA: a variable that is not in the matrix; not symmetric, not correlations, not positive definite; n too small. */
BD_CHECKED bd_status bd_mediate_correlations(const bd_table *matrix, const bd_path *path, const char *adjust, size_t n,
                                             const bd_mediation_options *options, bd_arena *arena,
                                             const bd_mediation **mediation);

/* The tables "paths", "effects", "standardised", "contrasts" (with several routes), "checks" and "models". */
BD_CHECKED bd_status bd_mediation_document(const bd_mediation *mediation, bd_arena *arena, bd_document **document);

#endif
