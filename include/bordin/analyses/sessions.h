/* Sessions of patients: what alliance in one session does to the outcome of the next, within patients and between them,
 * under each usual way of taking the trend out.
 *
 *     const bd_sessions_options options = {.formula = "phq9 ~ alliance", .patient = "id", .session = "session", .lag = 1,
 *                                          .fit = BD_MIXED_DEFAULTS};
 *     BD_TRY(bd_sessions_wanted(&options, arena, &wanted, &n_wanted));
 *     ... BD_TRY(bd_sessions_of(table, &options, arena, &sessions));
 *     BD_TRY(bd_sessions_document(sessions, arena, &document));
 *
 * The alliance of `lag` sessions before, less the patient's mean, and that mean, predict the outcome in mixed models with
 * random levels of patients (and therapists). Falkenstroem, Finkel, Sandell, Rubel & Holmqvist (2017),
 * doi:10.1037/ccp0000138. The likelihood with phi is profiled: rows less phi^gap times the one before, over
 * sqrt(1 - phi^(2 gap)), have independent residuals. Errors take phi as known.
 */
#ifndef BORDIN_ANALYSES_SESSIONS_H
#define BORDIN_ANALYSES_SESSIONS_H

#include <bordin/data/frame.h>
#include <bordin/models/mixed.h>
#include <bordin/report/document.h>

typedef struct bd_sessions_options {
    const char *formula; /* outcome ~ alliance + covariates, as typed */
    const char *patient, *session, *therapist; /* columns; therapist NULL: none */
    const char *where;   /* or NULL */
    size_t lag;          /* sessions; 0: the same */
    bd_mixed_options fit;
} bd_sessions_options;

/* The ways of taking the trend out, in the order of the page. */
typedef enum bd_trend {
    BD_TREND_NONE,
    BD_TREND_LINEAR,     /* the session's number as a covariate */
    BD_TREND_SESSIONS,   /* a level for each session */
    BD_TREND_AR1,        /* linear, and residuals of a patient correlated by phi^(sessions between) */
    BD_TREND_DIFFERENCE, /* changes on changes from one session to the next, by least squares with CR2 errors of patients */
    BD_N_TRENDS,
} bd_trend;

typedef struct bd_session_fit {
    size_t n_rows;
    const char *refused;                  /* why there is no fit; NULL: there is */
    bd_mixed_coefficient within, between; /* between: of the patient's mean; NaN for changes */
    bd_mixed_coefficient difference;      /* between less within */
    double phi;                           /* of AR(1); NaN without */
    double deviance;                      /* REML's criterion (ML: -2 log-likelihood); NaN without */
    bool singular;                        /* a variance is 0 */
} bd_session_fit;

typedef struct bd_sessions {
    bd_sessions_options options;
    const bd_table *table;
    const bd_frame *outcomes; /* the outcome and covariates on their complete rows */
    const bd_frame *alliances;
    const char *alliance;     /* its text */
    size_t n_patients, n_used;
    size_t n_first;           /* outcomes before there could be an alliance of `lag` sessions earlier */
    size_t n_gaps;            /* outcomes whose earlier session is missing, or has no alliance */
    bd_session_fit fits[BD_N_TRENDS];
    double sessions_per_patient; /* with an alliance: the harmonic mean */
    double reliability; /* of a patient's mean alliance: variance of patients / (that + the rest's / sessions), both by
                           analysis of variance */
    double step;        /* from one session to the next: the smallest there is */
    bd_mixed_coefficient adjusted; /* what BD_TREND_LINEAR's `between` is of the true means: (between - (1 - reliability)
                                      within) / reliability, that taken as known; NaN without such a fit.
                                      Luedtke et al. (2008), doi:10.1037/a0012869 */
} bd_sessions;

BD_CHECKED bd_status bd_sessions_wanted(const bd_sessions_options *options, bd_arena *arena, const bd_wanted **wanted,
                                        size_t *n_wanted);

/* BD_EUSAGE: the formula cannot be parsed, has no outcome or predictor. BD_EDATA: a session that a patient has twice, named;
 * no outcome with an earlier alliance; what bd_mixed_prepare refuses. */
BD_CHECKED bd_status bd_sessions_of(const bd_table *table, const bd_sessions_options *options, bd_arena *arena,
                                    const bd_sessions **sessions);

/* The tables "effects", "between"; sentences, notes, provenance. */
BD_CHECKED bd_status bd_sessions_document(const bd_sessions *sessions, bd_arena *arena, bd_document **document);

#endif
