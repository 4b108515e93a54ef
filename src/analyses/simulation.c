/* Simulated trials. */
#include <bordin/analyses/simulation.h>

#include <math.h>
#include <string.h>

#include "analyses/simulation_internal.h"

enum { BLOCK_ROWS = 8192, ROW_BYTES = 128 };

#define EFFECT(name, low, high) {#name, offsetof(bd_simulation, name), low, high}
static const effect effects[] = {
    EFFECT(alliance_treatment, -10, 10), EFFECT(alliance_baseline, -1, 1),   EFFECT(adherence_alliance, -2, 2),
    EFFECT(adherence_treatment, -20, 20), EFFECT(outcome_baseline, -2, 2),   EFFECT(outcome_alliance, -5, 5),
    EFFECT(outcome_adherence, -5, 5),    EFFECT(outcome_treatment, -50, 50), EFFECT(dropout_alliance, -5, 5),
    EFFECT(dropout_adherence, -5, 5),    EFFECT(icc_alliance, 0, 0.99),      EFFECT(icc_outcome, 0, 0.99),
    EFFECT(missing, 0, 0.99),
};
enum { N_EFFECTS = sizeof effects / sizeof *effects };

bd_status bd_simulation_set(bd_simulation *simulation, const char *name, double value)
{
    return simulation_set(effects, N_EFFECTS, simulation, name, value);
}

bool bd_simulation_effect(const bd_simulation *simulation, size_t i, const char **name, double *value)
{
    return simulation_effect(effects, N_EFFECTS, simulation, i, name, value);
}

typedef struct patient {
    size_t number, therapist;
    int treatment, age, dropout;
    double baseline, alliance, adherence, outcome;
    bool missing[3]; /* alliance, adherence, outcome */
} patient;

static void draw_patient(const bd_simulation *s, const double (*therapists)[2], size_t row, patient *p)
{
    const double sd_alliance = 6.5, sd_adherence = 10, sd_outcome = 8;
    uint32_t words[4];
    double z[4], more[4];
    simulation_words(s->seed, OF_PATIENT, row, 0, words);
    simulation_normals(s->seed, OF_PATIENT, row, 1, z);
    simulation_normals(s->seed, OF_PATIENT, row, 2, more);
    p->number = row + 1;
    p->therapist = (size_t)((uint64_t)words[0] * s->n_therapists >> 32);
    p->treatment = (int)(words[1] >> 31);
    p->age = (int)nearbyint(fmin(fmax(40 + 12 * more[0], 18), 80));
    p->baseline = simulation_rounded(60 + 8 * z[0], 0, 120);
    const double *effects_of_therapist = therapists[p->therapist], treated = p->treatment;
    p->alliance = simulation_rounded(60 + s->alliance_treatment * treated + s->alliance_baseline * (p->baseline - 60) +
                              sd_alliance * (effects_of_therapist[0] + sqrt(1 - s->icc_alliance) * z[1]),
                          12, 84);
    p->adherence = simulation_rounded(65 + s->adherence_alliance * (p->alliance - 60) + s->adherence_treatment * treated +
                               sd_adherence * z[2],
                           0, 100);
    p->outcome = simulation_rounded(50 + s->outcome_baseline * (p->baseline - 60) + s->outcome_alliance * (p->alliance - 60) +
                             s->outcome_adherence * (p->adherence - 65) + s->outcome_treatment * treated +
                             sd_outcome * (effects_of_therapist[1] + sqrt(1 - s->icc_outcome) * z[3]),
                         -1e6, 1e6);
    const double logit = -1.5 + s->dropout_alliance * (p->alliance - 60) + s->dropout_adherence * (p->adherence - 65);
    p->dropout = ((double)words[2] + 0.5) * 0x1p-32 < 1 / (1 + exp(-logit));
    for (uint32_t k = 0; k < 3; k++)
        p->missing[k] = false;
    if (s->missing > 0) {
        simulation_words(s->seed, OF_PATIENT, row, 3, words);
        for (uint32_t k = 0; k < 3; k++)
            p->missing[k] = (double)words[k] * 0x1p-32 < s->missing;
    }
}

static char *put_patient(char *out, const patient *p)
{
    out = simulation_put_whole(out, p->number);
    *out++ = ',';
    out = simulation_put_whole(out, p->therapist + 1);
    *out++ = ',';
    *out++ = (char)('0' + p->treatment);
    *out++ = ',';
    out = simulation_put_whole(out, (uint64_t)p->age);
    out = simulation_put_real(out, p->baseline, false);
    out = simulation_put_real(out, p->alliance, p->missing[0]);
    out = simulation_put_real(out, p->adherence, p->missing[1]);
    *out++ = ',';
    *out++ = (char)('0' + p->dropout);
    out = simulation_put_real(out, p->outcome, p->missing[2]);
    *out++ = '\n';
    return out;
}

/* What rows are made of. */
typedef struct trial {
    const bd_simulation *simulation;
    const double (*therapists)[2];
} trial;

static size_t format_patients(const void *context, size_t first, size_t end, char *out)
{
    const trial *t = context;
    char *at = out;
    for (size_t i = first; i < end; i++) {
        patient p;
        draw_patient(t->simulation, t->therapists, i, &p);
        at = put_patient(at, &p);
    }
    return (size_t)(at - out);
}

/* Of each therapist, in standard deviations: the part of alliance and the part of outcome. */
static bd_status draw_therapists(const bd_simulation *s, bd_arena *arena, double (**out)[2])
{
    double(*therapists)[2];
    BD_NEW(arena, therapists, s->n_therapists);
    for (size_t j = 0; j < s->n_therapists; j++) {
        double z[4];
        simulation_normals(s->seed, OF_THERAPIST, j, 0, z);
        therapists[j][0] = sqrt(s->icc_alliance) * z[0];
        therapists[j][1] = sqrt(s->icc_outcome) * z[1];
    }
    *out = therapists;
    return BD_OK;
}

bd_status bd_simulation_write(const bd_simulation *s, int n_threads, FILE *stream, bd_arena *arena)
{
    const bd_mark mark = bd_arena_mark(arena);
    double(*therapists)[2] = NULL;
    if (s->n_therapists == 0 || s->n_therapists > UINT32_MAX || s->n_patients < s->n_therapists)
        return bd_fail(BD_EUSAGE, "%zu patients cannot have %zu therapists", s->n_patients, s->n_therapists);
    BD_TRY(draw_therapists(s, arena, &therapists));
    const trial context = {s, (const double(*)[2])therapists};
    const simulation_text text = {s->n_patients, BLOCK_ROWS, ROW_BYTES, format_patients, &context};
    BD_TRY(simulation_write(&text, "patient,therapist,treatment,age,baseline,alliance,adherence,dropout,outcome\n",
                            n_threads, stream, arena));
    bd_arena_rewind(arena, mark);
    return BD_OK;
}

bd_status bd_simulation_write_truth(const bd_simulation *s, FILE *stream)
{
    const char *name;
    double value;
    fprintf(stream, "name,value\npatients,%zu\ntherapists,%zu\nseed,%llu\n", s->n_patients, s->n_therapists,
            (unsigned long long)s->seed);
    for (size_t i = 0; bd_simulation_effect(s, i, &name, &value); i++)
        fprintf(stream, "%s,%.15g\n", name, value);
    const double indirect = s->adherence_alliance * s->outcome_adherence;
    fprintf(stream, "indirect_alliance_adherence_outcome,%.15g\ntotal_alliance_outcome,%.15g\n", indirect,
            s->outcome_alliance + indirect);
    return fflush(stream) == 0 && !ferror(stream) ? BD_OK : simulation_cannot_write();
}
