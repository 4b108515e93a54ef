/* The parts of a mixed regression that live in files of their own. */
#ifndef BORDIN_SRC_ANALYSES_MIXED_INTERNAL_H
#define BORDIN_SRC_ANALYSES_MIXED_INTERNAL_H

#include <bordin/analyses/mixed_glm.h>
#include <bordin/analyses/therapist.h>
#include <bordin/report/document.h>

/* Fills mixed->bootstrap. */
BD_CHECKED bd_status mixed_resample(bd_mixed_analysis *mixed, const bd_mixed_model *model, bd_arena *arena);

/* Numbers below 1, of 53 bits each. */
void mixed_draw_uniforms(uint64_t seed, uint32_t replicate, size_t n, double *numbers);

/* A row of each group; SIZE_MAX: none has a weight. */
BD_CHECKED bd_status mixed_find_rows(const bd_frame *frame, const uint32_t *codes, size_t n, bd_arena *arena,
                                     const size_t **rows);

/* Fills mixed->bootstrap. */
BD_CHECKED bd_status mixed_glm_resample(bd_mixed_glm *mixed, const bd_glmm_model *model, bd_arena *arena);

/* Fills mixed->tests and mixed->terms. */
BD_CHECKED bd_status mixed_test(bd_mixed_analysis *mixed, const bd_mixed_design *design, const bd_mixed_model *model,
                                bd_arena *arena);

/* The parts of the formula with the groups of number `first`, as one term: each part a block. */
BD_CHECKED bd_status mixed_join_varying(const bd_frame *frame, size_t first, bd_arena *arena, bd_mixed_term *term);

/* "within(x, g)" and "between(x, g)" of one x. */
BD_CHECKED bd_status mixed_find_pairs(const bd_frame *frame, bd_arena *arena, bd_contextual **pairs, size_t *n);
BD_CHECKED bd_status mixed_contextual_table(const bd_contextual *pairs, size_t n, const bd_mixed_coefficient *coefficients,
                                            bool z, bd_document *document);

/* With the first coefficient of its term; NaN where there is none. */
double mixed_correlation(const bd_mixed_random *random, size_t j);

/* Predicted effects of the terms' groups; a note where they are too many to print. */
BD_CHECKED bd_status mixed_effect_table(const bd_mixed_random *random, const bd_mixed_share *shares, size_t n_terms,
                                        double level, bd_document *document);

/* -2 log-likelihood, or REML's criterion, without anything random. */
BD_CHECKED bd_status mixed_plain_deviance(const bd_mixed_design *design, bool reml, bd_arena *arena, double *deviance);

/* That a likelihood ratio is larger, where one of df variances and covariances is at its edge: the mean of chi-squared with
 * df - 1 and with df. */
double mixed_mixture_p(double statistic, double df);

/* The alliance's effects by each method that few therapists may be analysed with. */
BD_CHECKED bd_status therapist_methods(const bd_frame *frame, const bd_mixed_design *design,
                                       const bd_therapist_options *options, bd_arena *arena, bd_method_row **rows,
                                       size_t *n);

/* What tests and intervals are made with, in words. */
const char *mixed_distribution(bd_mixed_df df);

/* Estimate, SE, df (empty where infinite), t, p, the interval. */
enum { MIXED_COEFFICIENT_CELLS = 7 };
void mixed_coefficient_cells(const bd_mixed_coefficient *coefficient, bd_cell *cells);

#endif
