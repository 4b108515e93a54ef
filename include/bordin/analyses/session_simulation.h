/* Simulated sessions with planted effects: sessions within patients within therapists, alliance and symptoms.
 *
 *     bd_session_simulation simulation = BD_SESSION_SIMULATION_DEFAULTS;
 *     BD_TRY(bd_session_simulation_set(&simulation, "within", -0.3));
 *     BD_TRY(bd_session_simulation_write(&simulation, 0, stdout, arena));
 *
 * With A and V of the therapist, a and v of the patient, all normal, and a_s, e_s of the session, normal and correlated
 * from one session to the next as ar_alliance and ar_outcome say (in sessions that were missed too):
 *     alliance = 60 + A + a + alliance_time (session - 1) - rupture_depth rupture + a_s               WAI, 12 to 84
 *     outcome  = 50 + V + v + outcome_time (session - 1) + (within + slope of the therapist) w
 *                   + between_patient a + between_therapist A + e_s                                  symptom T score
 *     w        = alliance - (60 + A + a)
 * A, a and a_s share the variance 42.25 as icc_alliance_therapist and icc_alliance_patient say, V, v and e_s 64 as
 * icc_outcome_therapist and icc_outcome_patient; slopes are normal with the standard deviation slope_sd. A session is a
 * rupture with probability `rupture`, was missed (there is no row) with probability `missed`; after each one the patient
 * stays away for good with logit -4 + dropout_alliance (alliance - 60). Every number depends on the seed, the patient and
 * the session alone.
 */
#ifndef BORDIN_ANALYSES_SESSION_SIMULATION_H
#define BORDIN_ANALYSES_SESSION_SIMULATION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <bordin/core/arena.h>

typedef struct bd_session_simulation {
    size_t n_patients, n_therapists, n_sessions; /* sessions: at most, of a patient */
    uint64_t seed;
    double within, between_patient, between_therapist, slope_sd;
    double alliance_time, outcome_time;
    double icc_alliance_therapist, icc_alliance_patient, icc_outcome_therapist, icc_outcome_patient;
    double ar_alliance, ar_outcome;
    double rupture, rupture_depth;
    double dropout_alliance, missed, missing; /* missing: share of alliance and outcome left empty, at random */
} bd_session_simulation;

#define BD_SESSION_SIMULATION_DEFAULTS                                                                              \
    ((bd_session_simulation){.n_patients = 300, .n_therapists = 30, .n_sessions = 12, .seed = 1, .within = -0.2,      \
                             .between_patient = -0.4, .between_therapist = -0.6, .slope_sd = 0.1,                   \
                             .alliance_time = 0.3, .outcome_time = -0.6, .icc_alliance_therapist = 0.1,             \
                             .icc_alliance_patient = 0.5, .icc_outcome_therapist = 0.05,                            \
                             .icc_outcome_patient = 0.5, .ar_alliance = 0.3, .ar_outcome = 0.3, .rupture = 0.05,    \
                             .rupture_depth = 8, .dropout_alliance = -0.05, .missed = 0.05})

/* Sets the effect called `name`, as the members are. BD_EUSAGE: no such effect (the message lists them), a value out of
 * its range. */
BD_CHECKED bd_status bd_session_simulation_set(bd_session_simulation *simulation, const char *name, double value);

/* Name and value of effect number i; false beyond the last. */
bool bd_session_simulation_effect(const bd_session_simulation *simulation, size_t i, const char **name, double *value);

/* Writes sessions as CSV: patient, therapist, session, rupture, alliance, outcome. The same bytes for any number of threads
 * (0: all). BD_EUSAGE: fewer patients than therapists, no therapist, no session; shares of a variance that exceed 1.
 * BD_EIO: cannot write. */
BD_CHECKED bd_status bd_session_simulation_write(const bd_session_simulation *simulation, int n_threads, FILE *stream,
                                                 bd_arena *arena);

/* Writes what was planted as CSV: name, value. */
BD_CHECKED bd_status bd_session_simulation_write_truth(const bd_session_simulation *simulation, FILE *stream);

#endif
