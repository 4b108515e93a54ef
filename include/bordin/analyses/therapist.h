/* Therapist effects by the usual sequence of mixed models: how much of the outcome lies between therapists, whether
 * alliance matters within them, between them or both, and whether its effect varies.
 *
 *     BD_TRY(bd_therapist_spec("phq9 ~ alliance + phq9_pre", "therapist", NULL, arena, &spec));
 *     ... BD_TRY(bd_frame_build(table, &spec, arena, &frame));
 *     BD_TRY(bd_therapists_of(frame, &BD_THERAPIST_DEFAULTS, arena, &therapists));
 *     BD_TRY(bd_therapist_document(therapists, arena, &document));
 *
 * Baldwin, Wampold & Imel (2007), doi:10.1037/0022-006X.75.6.842.
 */
#ifndef BORDIN_ANALYSES_THERAPIST_H
#define BORDIN_ANALYSES_THERAPIST_H

#include <bordin/data/frame.h>
#include <bordin/models/mixed.h>
#include <bordin/report/document.h>

/* The first predictor of `formula` is the alliance, the others are covariates. Its part at each level becomes a
 * predictor: within(alliance, therapist) and between(alliance, therapist); with `patient` (else NULL), whose rows are
 * sessions, what lies within patients, between patients of a therapist, and between therapists.
 * BD_EUSAGE: it cannot be parsed, or has no outcome or predictor. */
BD_CHECKED bd_status bd_therapist_spec(const char *formula, const char *therapist, const char *patient, bd_arena *arena,
                                       bd_frame_spec *spec);

typedef struct bd_therapist_options {
    const char *formula; /* as it was typed */
    bd_mixed_options fit;
    bool compare;        /* whether to hold the methods for few therapists against each other */
    size_t n_replicates; /* of the bootstrap among them */
    uint64_t seed;
} bd_therapist_options;

#define BD_THERAPIST_DEFAULTS ((bd_therapist_options){.fit = BD_MIXED_DEFAULTS, .n_replicates = 10000, .seed = 1})

/* A likelihood ratio (REML) of a variance, its p a mixture of chi-squared with df - 1 and df. */
typedef struct bd_variance_test {
    double statistic, df, p;
} bd_variance_test;

/* An effect of the alliance by one method. */
typedef struct bd_method_row {
    const char *method;
    size_t effect;     /* 0: at the lowest level */
    double estimate, se, df, p, ci_low, ci_high; /* NaN: the method has none */
} bd_method_row;

typedef struct bd_therapists {
    const bd_frame *frame;
    bd_therapist_options options;
    size_t n_levels;          /* of the random part: therapists, and patients if there are any */
    const bd_mixed *empty;    /* the outcome by level */
    const bd_mixed *alliance; /* the same of the alliance; NULL where it has no variance within */
    const bd_mixed *effects;  /* with the alliance at each level, and covariates */
    const bd_mixed *slopes;   /* with its lowest level's slope varying between therapists; or NULL */
    const char *slopes_refused; /* then: why */
    bd_variance_test between[2]; /* of empty, n_levels of them: without that level's variance */
    bd_variance_test slope;
    bd_mixed_coefficient differences[2]; /* n_levels: of each level of the alliance less the one below, contextual effects */
    bd_method_row *methods;   /* n_methods: method by method; NULL unless asked for */
    size_t n_methods;
    size_t n_apart;           /* therapists whose predicted effect's interval is on one side of 0 */
} bd_therapists;

/* Fails as bd_mixed_prepare and bd_mixed_fit do; BD_EDATA: a patient with several therapists, an alliance that is the
 * same for all of a therapist. BD_ENUMERIC: a model did not converge. */
BD_CHECKED bd_status bd_therapists_of(const bd_frame *frame, const bd_therapist_options *options, bd_arena *arena,
                                      const bd_therapists **therapists);

/* The tables "shares", "effects", "variances", "therapists", "methods"; sentences, notes, warnings, provenance. */
BD_CHECKED bd_status bd_therapist_document(const bd_therapists *therapists, bd_arena *arena, bd_document **document);

#endif
