/* Simulated sessions within patients within therapists. */
#include <bordin/analyses/session_simulation.h>

#include <math.h>

#include "analyses/simulation_internal.h"

enum { BLOCK_PATIENTS = 256, ROW_BYTES = 96 };

#define EFFECT(name, low, high) {#name, offsetof(bd_session_simulation, name), low, high}
static const effect effects[] = {
    EFFECT(within, -5, 5),
    EFFECT(between_patient, -5, 5),
    EFFECT(between_therapist, -5, 5),
    EFFECT(slope_sd, 0, 5),
    EFFECT(alliance_time, -5, 5),
    EFFECT(outcome_time, -5, 5),
    EFFECT(icc_alliance_therapist, 0, 0.99),
    EFFECT(icc_alliance_patient, 0, 0.99),
    EFFECT(icc_outcome_therapist, 0, 0.99),
    EFFECT(icc_outcome_patient, 0, 0.99),
    EFFECT(ar_alliance, -0.99, 0.99),
    EFFECT(ar_outcome, -0.99, 0.99),
    EFFECT(rupture, 0, 1),
    EFFECT(rupture_depth, 0, 40),
    EFFECT(dropout_alliance, -5, 5),
    EFFECT(missed, 0, 0.99),
    EFFECT(missing, 0, 0.99),
};
enum { N_EFFECTS = sizeof effects / sizeof *effects };

bd_status bd_session_simulation_set(bd_session_simulation *simulation, const char *name, double value)
{
    return simulation_set(effects, N_EFFECTS, simulation, name, value);
}

bool bd_session_simulation_effect(const bd_session_simulation *simulation, size_t i, const char **name, double *value)
{
    return simulation_effect(effects, N_EFFECTS, simulation, i, name, value);
}

/* Of one patient, with what its therapist adds. */
typedef struct patient {
    size_t number, therapist;
    double therapist_alliance, therapist_outcome, slope; /* of the therapist */
    double alliance, outcome;                            /* the patient's own */
    double alliance_noise, outcome_noise;                /* of the session, carried on to the next */
} patient;

static const double SD_ALLIANCE = 6.5, SD_OUTCOME = 8;

static void draw_patient(const bd_session_simulation *s, size_t row, patient *p)
{
    uint32_t words[4];
    double of_therapist[4], own[4];
    simulation_words(s->seed, OF_PATIENT, row, 0, words);
    p->number = row + 1;
    p->therapist = (size_t)((uint64_t)words[0] * s->n_therapists >> 32);
    simulation_normals(s->seed, OF_THERAPIST, p->therapist, 0, of_therapist);
    simulation_normals(s->seed, OF_PATIENT, row, 1, own);
    p->therapist_alliance = SD_ALLIANCE * sqrt(s->icc_alliance_therapist) * of_therapist[0];
    p->therapist_outcome = SD_OUTCOME * sqrt(s->icc_outcome_therapist) * of_therapist[1];
    p->slope = s->slope_sd * of_therapist[2];
    p->alliance = SD_ALLIANCE * sqrt(s->icc_alliance_patient) * own[0];
    p->outcome = SD_OUTCOME * sqrt(s->icc_outcome_patient) * own[1];
    p->alliance_noise = own[2];
    p->outcome_noise = own[3];
}

/* A number below 1. */
static double share_of(uint32_t word)
{
    return (double)word * 0x1p-32;
}

/* Session `t` from 0 on, written where it took place; returns whether the patient comes again. */
static bool draw_session(const bd_session_simulation *s, patient *p, size_t t, char **out)
{
    const double left_alliance = 1 - s->icc_alliance_therapist - s->icc_alliance_patient;
    const double left_outcome = 1 - s->icc_outcome_therapist - s->icc_outcome_patient;
    uint32_t words[4], more[4];
    double z[4];
    simulation_normals(s->seed, OF_PATIENT, p->number - 1, 2 + 3 * (uint32_t)t, z);
    simulation_words(s->seed, OF_PATIENT, p->number - 1, 3 + 3 * (uint32_t)t, words);
    simulation_words(s->seed, OF_PATIENT, p->number - 1, 4 + 3 * (uint32_t)t, more);
    if (t > 0) {
        p->alliance_noise = s->ar_alliance * p->alliance_noise + sqrt(1 - s->ar_alliance * s->ar_alliance) * z[0];
        p->outcome_noise = s->ar_outcome * p->outcome_noise + sqrt(1 - s->ar_outcome * s->ar_outcome) * z[1];
    }
    const bool rupture = share_of(words[0]) < s->rupture;
    const double expected = 60 + p->therapist_alliance + p->alliance, sessions = (double)t;
    const double alliance = simulation_rounded(expected + s->alliance_time * sessions - s->rupture_depth * rupture +
                                                   SD_ALLIANCE * sqrt(left_alliance) * p->alliance_noise,
                                               12, 84);
    const double outcome = simulation_rounded(
        50 + p->therapist_outcome + p->outcome + s->outcome_time * sessions +
            (s->within + p->slope) * (alliance - expected) + s->between_patient * p->alliance +
            s->between_therapist * p->therapist_alliance + SD_OUTCOME * sqrt(left_outcome) * p->outcome_noise,
        -1e6, 1e6);
    if (share_of(words[1]) >= s->missed) {
        char *at = simulation_put_whole(*out, p->number);
        *at++ = ',';
        at = simulation_put_whole(at, p->therapist + 1);
        *at++ = ',';
        at = simulation_put_whole(at, t + 1);
        *at++ = ',';
        *at++ = (char)('0' + rupture);
        at = simulation_put_real(at, alliance, share_of(more[0]) < s->missing);
        at = simulation_put_real(at, outcome, share_of(more[1]) < s->missing);
        *at++ = '\n';
        *out = at;
    }
    return share_of(words[2]) >= 1 / (1 + exp(4 - s->dropout_alliance * (alliance - 60)));
}

static size_t format_patients(const void *context, size_t first, size_t end, char *out)
{
    const bd_session_simulation *s = context;
    char *at = out;
    for (size_t i = first; i < end; i++) {
        patient p;
        draw_patient(s, i, &p);
        for (size_t t = 0; t < s->n_sessions && draw_session(s, &p, t, &at); t++)
            continue;
    }
    return (size_t)(at - out);
}

bd_status bd_session_simulation_write(const bd_session_simulation *s, int n_threads, FILE *stream, bd_arena *arena)
{
    const bd_mark mark = bd_arena_mark(arena);
    if (s->n_therapists == 0 || s->n_therapists > UINT32_MAX || s->n_patients < s->n_therapists)
        return bd_fail(BD_EUSAGE, "%zu patients cannot have %zu therapists", s->n_patients, s->n_therapists);
    if (s->n_sessions == 0 || s->n_sessions > 1000)
        return bd_fail(BD_EUSAGE, "a patient has 1 to 1000 sessions, not %zu", s->n_sessions);
    if (s->icc_alliance_therapist + s->icc_alliance_patient > 1 || s->icc_outcome_therapist + s->icc_outcome_patient > 1)
        return bd_fail(BD_EUSAGE, "the shares of therapists and patients in a variance are 1 at most, together");
    const simulation_text text = {s->n_patients, BLOCK_PATIENTS, ROW_BYTES * s->n_sessions, format_patients, s};
    BD_TRY(simulation_write(&text, "patient,therapist,session,rupture,alliance,outcome\n", n_threads, stream, arena));
    bd_arena_rewind(arena, mark);
    return BD_OK;
}

bd_status bd_session_simulation_write_truth(const bd_session_simulation *s, FILE *stream)
{
    const char *name;
    double value;
    fprintf(stream, "name,value\npatients,%zu\ntherapists,%zu\nsessions,%zu\nseed,%llu\n", s->n_patients, s->n_therapists,
            s->n_sessions, (unsigned long long)s->seed);
    for (size_t i = 0; bd_session_simulation_effect(s, i, &name, &value); i++)
        fprintf(stream, "%s,%.15g\n", name, value);
    return fflush(stream) == 0 && !ferror(stream) ? BD_OK : simulation_cannot_write();
}
