/* A simulated trial with planted effects: patients within therapists, alliance, adherence, dropout, outcome.
 *
 *     bd_simulation simulation = BD_SIMULATION_DEFAULTS;
 *     simulation.n_patients = 100000;
 *     BD_TRY(bd_simulation_set(&simulation, "adherence_alliance", 0.5));
 *     BD_TRY(bd_simulation_write(&simulation, 0, stdout, arena));
 *
 * With u and v of the therapist, e of the patient, all normal, and what was printed on the right-hand sides:
 *     alliance  = 60 + alliance_treatment treatment + alliance_baseline (baseline - 60) + u + e       WAI, 12 to 84
 *     adherence = 65 + adherence_alliance (alliance - 60) + adherence_treatment treatment + e         % of sessions
 *     outcome   = 50 + outcome_baseline (baseline - 60) + outcome_alliance (alliance - 60)
 *                    + outcome_adherence (adherence - 65) + outcome_treatment treatment + v + e       symptom T score
 *     logit P(dropout) = -1.5 + dropout_alliance (alliance - 60) + dropout_adherence (adherence - 65)
 * baseline is normal (60, 8), age normal (40, 12) within 18 and 80 and without effect, treatment and therapist are drawn at
 * random. u has the share icc_alliance of the variance 42.25 of u + e, v the share icc_outcome of 64; e of adherence has
 * the standard deviation 10. The one alliance in some thousands beyond 12 and 84, and adherence beyond 0 and 100, are set
 * to those ends. Every number depends on the seed and its row alone.
 */
#ifndef BORDIN_ANALYSES_SIMULATION_H
#define BORDIN_ANALYSES_SIMULATION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <bordin/core/arena.h>

typedef struct bd_simulation {
    size_t n_patients, n_therapists;
    uint64_t seed;
    double alliance_treatment, alliance_baseline;
    double adherence_alliance, adherence_treatment;
    double outcome_baseline, outcome_alliance, outcome_adherence, outcome_treatment;
    double dropout_alliance, dropout_adherence;
    double icc_alliance, icc_outcome;
    double missing; /* share of alliance, adherence and outcome left empty, at random */
} bd_simulation;

#define BD_SIMULATION_DEFAULTS                                                                                      \
    ((bd_simulation){.n_patients = 1000, .n_therapists = 50, .seed = 1, .alliance_treatment = 2,                    \
                     .alliance_baseline = -0.1, .adherence_alliance = 0.6, .adherence_treatment = 3,                \
                     .outcome_baseline = 0.5, .outcome_alliance = -0.1, .outcome_adherence = -0.2,                  \
                     .outcome_treatment = -1.5, .dropout_alliance = -0.05, .dropout_adherence = -0.03,              \
                     .icc_alliance = 0.1, .icc_outcome = 0.05})

/* Sets the effect called `name`, as the members are. BD_EUSAGE: no such effect (the message lists them), a value out of
 * its range. */
BD_CHECKED bd_status bd_simulation_set(bd_simulation *simulation, const char *name, double value);

/* Name and value of effect number i; false beyond the last. */
bool bd_simulation_effect(const bd_simulation *simulation, size_t i, const char **name, double *value);

/* Writes the patients as CSV: patient, therapist, treatment, age, baseline, alliance, adherence, dropout, outcome. The
 * same bytes for any number of threads (0: all). BD_EUSAGE: fewer patients than therapists, no therapist. BD_EIO: cannot
 * write. */
BD_CHECKED bd_status bd_simulation_write(const bd_simulation *simulation, int n_threads, FILE *stream, bd_arena *arena);

/* Writes what was planted as CSV: name, value; and the indirect effect of alliance through adherence that follows. */
BD_CHECKED bd_status bd_simulation_write_truth(const bd_simulation *simulation, FILE *stream);

#endif
