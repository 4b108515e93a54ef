/* bordin simulate trial|sessions */
#include <stdlib.h>
#include <string.h>

#include <bordin/analyses/session_simulation.h>
#include <bordin/analyses/simulation.h>

#include "cli.h"

static char *sessions;

static struct poptOption options[] = {
    {"patients", 0, POPT_ARG_STRING, &cli.patients, 0, "patients (default: 1000; of sessions 300)", "N"},
    {"therapists", 0, POPT_ARG_STRING, &cli.therapists, 0, "therapists (default: 50; of sessions 30)", "N"},
    {"sessions", 0, POPT_ARG_STRING, &sessions, 0, "sessions: at most, of a patient (default: 12)", "N"},
    {"seed", 0, POPT_ARG_STRING, &cli.seed, 0, "seed of the random numbers (default: 1)", "S"},
    {"set", 0, POPT_ARG_ARGV, &cli.effects, 0, "plant an effect, see below; as often as needed", "NAME=VALUE"},
    {"truth", 0, POPT_ARG_STRING, &cli.truth, 0, "write what was planted to this CSV file", "FILE"},
    {"output", 'o', POPT_ARG_STRING, &cli.output, 0, "write to this file instead of standard output", "FILE"},
    {"threads", 0, POPT_ARG_STRING, &cli.threads, 0, "threads (default: all; the numbers do not depend on it)", "T"},
    POPT_TABLEEND};

static void more_help(void)
{
    const bd_simulation trial = BD_SIMULATION_DEFAULTS;
    const bd_session_simulation course = BD_SESSION_SIMULATION_DEFAULTS;
    const char *name;
    double value;
    printf("\nEffects of a trial (--set NAME=VALUE) and their defaults:\n");
    for (size_t i = 0; bd_simulation_effect(&trial, i, &name, &value); i++)
        printf("  %-23s %g\n", name, value);
    printf("\nalliance_treatment is the effect of treatment on alliance, and so on: per point, per 100 %% treated; dropout in\n"
           "log odds. icc_alliance and icc_outcome are the therapists' shares of the variance; missing is the share of\n"
           "alliance, adherence and outcome left empty at random.\n");
    printf("\nEffects of sessions and their defaults:\n");
    for (size_t i = 0; bd_session_simulation_effect(&course, i, &name, &value); i++)
        printf("  %-23s %g\n", name, value);
    printf("\nwithin, between_patient and between_therapist are what a point of alliance does to the outcome at each level;\n"
           "within varies between therapists by slope_sd. _time: by session. ar_: from one session to the next. rupture: how\n"
           "often alliance falls by rupture_depth. missed: sessions without a row; missing: values left empty.\n");
}

/* Either kind of data: which there are, how effects are planted, how all is written. */
typedef struct scenario {
    const char *name;
    void *simulation;
    size_t *n_patients, *n_therapists, *n_sessions;
    uint64_t *seed;
    bd_status (*set)(void *simulation, const char *name, double value);
    bd_status (*write)(const void *simulation, int n_threads, FILE *stream, bd_arena *arena);
    bd_status (*write_truth)(const void *simulation, FILE *stream);
} scenario;

static bd_status set_trial(void *simulation, const char *name, double value)
{
    return bd_simulation_set(simulation, name, value);
}

static bd_status write_trial(const void *simulation, int n_threads, FILE *stream, bd_arena *arena)
{
    return bd_simulation_write(simulation, n_threads, stream, arena);
}

static bd_status write_trial_truth(const void *simulation, FILE *stream)
{
    return bd_simulation_write_truth(simulation, stream);
}

static bd_status set_sessions(void *simulation, const char *name, double value)
{
    return bd_session_simulation_set(simulation, name, value);
}

static bd_status write_sessions(const void *simulation, int n_threads, FILE *stream, bd_arena *arena)
{
    return bd_session_simulation_write(simulation, n_threads, stream, arena);
}

static bd_status write_sessions_truth(const void *simulation, FILE *stream)
{
    return bd_session_simulation_write_truth(simulation, stream);
}

static bd_status set_effect(const scenario *s, const char *text, bd_arena *arena)
{
    const char *equals = strchr(text, '='), *name = NULL, *option;
    double value;
    if (equals == NULL)
        return bd_fail(BD_EUSAGE, "--set takes NAME=VALUE, such as adherence_alliance=0.5, not '%s'", text);
    BD_TRY(bd_copy_text(arena, text, (size_t)(equals - text), &name));
    BD_TRY(bd_print(arena, &option, "set %s", name));
    BD_TRY(cli_real(option, equals + 1, -1e300, 1e300, &value));
    return bd_while(s->set(s->simulation, name, value), "--set");
}

static bd_status whole_option(const char *option, const char *text, unsigned long long least, unsigned long long most,
                              unsigned long long *value)
{
    return text == NULL ? BD_OK : cli_whole(option, text, least, most, value);
}

static bd_status requested(const scenario *s, bd_arena *arena)
{
    unsigned long long patients = *s->n_patients, therapists = *s->n_therapists, seed = *s->seed, n_sessions = 12;
    BD_TRY(whole_option("patients", cli.patients, 1, 4000000000, &patients));
    if (cli.therapists == NULL && patients < therapists)
        therapists = patients;
    BD_TRY(whole_option("therapists", cli.therapists, 1, patients, &therapists));
    BD_TRY(whole_option("seed", cli.seed, 0, (uint64_t)1 << 53, &seed));
    BD_TRY(whole_option("sessions", sessions, 1, 1000, &n_sessions));
    if (s->n_sessions == NULL && sessions != NULL)
        return bd_fail(BD_EUSAGE, "--sessions goes with simulate sessions");
    *s->n_patients = patients;
    *s->n_therapists = therapists;
    *s->seed = seed;
    if (s->n_sessions != NULL)
        *s->n_sessions = n_sessions;
    for (size_t i = 0; cli.effects != NULL && cli.effects[i] != NULL; i++)
        BD_TRY(set_effect(s, cli.effects[i], arena));
    return BD_OK;
}

static bd_status simulate(size_t n_arguments, const char *const *arguments, bd_arena *arena)
{
    bd_simulation trial = BD_SIMULATION_DEFAULTS;
    bd_session_simulation course = BD_SESSION_SIMULATION_DEFAULTS;
    const scenario scenarios[] = {
        {"trial", &trial, &trial.n_patients, &trial.n_therapists, NULL, &trial.seed, set_trial, write_trial,
         write_trial_truth},
        {"sessions", &course, &course.n_patients, &course.n_therapists, &course.n_sessions, &course.seed, set_sessions,
         write_sessions, write_sessions_truth},
    };
    const scenario *chosen = NULL;
    cli_file truth = {0}, rows = {0};
    int n_threads;
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios && n_arguments == 1; i++)
        if (strcmp(arguments[0], scenarios[i].name) == 0)
            chosen = &scenarios[i];
    if (chosen == NULL)
        return bd_fail(BD_EUSAGE, "simulate takes what to simulate, trial or sessions: bordin simulate trial --patients 1000");
    BD_TRY(requested(chosen, arena));
    BD_TRY(cli_threads(&n_threads));
    const cli_named_file outputs[] = {{"output", cli.output}, {"truth", cli.truth}};
    BD_TRY(cli_files_check(outputs, 2, NULL, arena));
    if (cli.truth != NULL)
        BD_TRY(cli_file_open(cli.truth, arena, &truth));
    BD_TRY(cli_file_open(cli.output, arena, &rows));
    BD_TRY(chosen->write(chosen->simulation, n_threads, rows.stream, arena));
    if (cli.truth != NULL)
        BD_TRY(chosen->write_truth(chosen->simulation, truth.stream));
    return cli_files_close(&rows, cli.truth != NULL ? &truth : NULL);
}

const cli_command cli_simulate = {
    .name = "simulate",
    .summary = "a trial, or sessions, with planted effects",
    .arguments = "trial|sessions",
    .example = "bordin simulate trial --patients 1000 --therapists 20 --seed 7 --truth truth.csv > trial.csv\n"
               "  bordin mediate 'alliance -> adherence -> outcome' trial.csv --adjust baseline,treatment\n"
               "  bordin simulate sessions --patients 200 --seed 3 --output sessions.csv",
    .text = "trial writes patients within therapists as CSV: patient, therapist, treatment (0/1), age, baseline (symptom T score,\n"
            "mean 60, SD 8), alliance (WAI, 12 to 84), adherence (% of sessions), dropout (0/1), outcome (symptom T score).\n"
            "sessions writes sessions within patients within therapists: patient, therapist, session, rupture (0/1), alliance,\n"
            "outcome; patients miss sessions and drop out.\n"
            "The same seed gives the same numbers, whatever the number of patients and threads.",
    .options = options,
    .more_help = more_help,
    .run = simulate,
};
