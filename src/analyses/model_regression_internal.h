/* What the models say of their fits, piece by piece. */
#ifndef BORDIN_ANALYSES_MODEL_REGRESSION_INTERNAL_H
#define BORDIN_ANALYSES_MODEL_REGRESSION_INTERNAL_H

#include <bordin/analyses/model_regression.h>

/* The models' fits, see bd_model. */
BD_CHECKED bd_status model_ordinal(bd_model_regression *regression, bd_arena *arena);
BD_CHECKED bd_status model_multinomial(bd_model_regression *regression, bd_arena *arena);
BD_CHECKED bd_status model_proportion(bd_model_regression *regression, bd_arena *arena);
BD_CHECKED bd_status model_zero_inflated(bd_model_regression *regression, bd_arena *arena);
BD_CHECKED bd_status model_robust(bd_model_regression *regression, bd_arena *arena);
BD_CHECKED bd_status model_quantile(bd_model_regression *regression, bd_arena *arena);

/* Columns as a predictor of a likelihood. */
BD_CHECKED bd_status model_predictor(const bd_design_column *columns, size_t n, bool has_intercept, bd_arena *arena,
                                     bd_predictor *predictor);

/* One more table, whose rows are to be filled. */
BD_CHECKED bd_status model_equation(bd_model_regression *regression, const char *id, const char *title,
                                    const char *ratio, size_t n_rows, bd_arena *arena, bd_model_row **rows);
bd_model_row model_row(const char *category, const char *term, const bd_likelihood_coefficient *coefficient);

/* The same for the columns of a predictor, in their order. */
BD_CHECKED bd_status model_likelihood_equation(bd_model_regression *regression, const char *id, const char *title,
                                               const char *ratio, const bd_predictor *predictor,
                                               const bd_likelihood_coefficient *coefficients, bd_arena *arena);

void model_fact(bd_model_regression *regression, const char *key, const char *heading, bd_class class, double value);
bd_status model_say(bd_model_regression *regression, bd_arena *arena, bd_saying saying, const char *format, ...)
    BD_PRINTF(4, 5);

/* Log-likelihoods and what they say of all predictors together; `null` NaN: nothing. */
void model_likelihood_facts(bd_model_regression *regression, const bd_likelihood_fit *fit, double null,
                            double df);

/* BD_ENUMERIC unless it converged, or only a nuisance ran off; `predictors` (as many as the fit's) have the names. */
BD_CHECKED bd_status model_check_end(const bd_model_regression *regression, const bd_likelihood_fit *fit,
                                     const bd_predictor *predictors);

/* Replicates of a likelihood. */
void model_likelihood_replicates(bd_model_regression *regression, const bd_likelihood *likelihood,
                                 const bd_likelihood_fit *fit);

/* What an end of a replicate is to a bootstrap. */
bd_replicate_end model_replicate_end(bd_likelihood_end end);

bd_likelihood_options model_likelihood_options(const bd_model_regression *regression);

#endif
