/* bordin simulate trial */
#include <stdlib.h>
#include <string.h>

#include <bordin/analyses/simulation.h>

#include "cli.h"

static struct poptOption options[] = {
    {"patients", 0, POPT_ARG_STRING, &cli.patients, 0, "patients (default: 1000)", "N"},
    {"therapists", 0, POPT_ARG_STRING, &cli.therapists, 0, "therapists (default: 50)", "N"},
    {"seed", 0, POPT_ARG_STRING, &cli.seed, 0, "seed of the random numbers (default: 1)", "S"},
    {"set", 0, POPT_ARG_ARGV, &cli.effects, 0, "plant an effect, see below; as often as needed", "NAME=VALUE"},
    {"truth", 0, POPT_ARG_STRING, &cli.truth, 0, "write what was planted to this CSV file", "FILE"},
    {"output", 'o', POPT_ARG_STRING, &cli.output, 0, "write to this file instead of standard output", "FILE"},
    {"threads", 0, POPT_ARG_STRING, &cli.threads, 0, "threads (default: all; the numbers do not depend on it)", "T"},
    POPT_TABLEEND};

static void more_help(void)
{
    const bd_simulation defaults = BD_SIMULATION_DEFAULTS;
    const char *name;
    double value;
    printf("\nEffects (--set NAME=VALUE) and their defaults:\n");
    for (size_t i = 0; bd_simulation_effect(&defaults, i, &name, &value); i++)
        printf("  %-20s %g\n", name, value);
    printf("\nalliance_treatment is the effect of treatment on alliance, and so on: per point, per 100 %% treated; dropout in\n"
           "log odds. icc_alliance and icc_outcome are the therapists' shares of the variance; missing is the share of\n"
           "alliance, adherence and outcome left empty at random.\n");
}

static bd_status set_effect(bd_simulation *simulation, const char *text, bd_arena *arena)
{
    const char *equals = strchr(text, '='), *name = NULL, *option;
    double value;
    if (equals == NULL)
        return bd_fail(BD_EUSAGE, "--set takes NAME=VALUE, such as adherence_alliance=0.5, not '%s'", text);
    BD_TRY(bd_copy_text(arena, text, (size_t)(equals - text), &name));
    BD_TRY(bd_print(arena, &option, "set %s", name));
    BD_TRY(cli_real(option, equals + 1, -1e300, 1e300, &value));
    return bd_while(bd_simulation_set(simulation, name, value), "--set");
}

static bd_status whole_option(const char *option, const char *text, unsigned long long least, unsigned long long most,
                              unsigned long long *value)
{
    return text == NULL ? BD_OK : cli_whole(option, text, least, most, value);
}

static bd_status requested(bd_simulation *simulation, bd_arena *arena)
{
    unsigned long long patients = simulation->n_patients, therapists = simulation->n_therapists;
    unsigned long long seed = simulation->seed;
    BD_TRY(whole_option("patients", cli.patients, 1, 4000000000, &patients));
    if (cli.therapists == NULL && patients < therapists)
        therapists = patients;
    BD_TRY(whole_option("therapists", cli.therapists, 1, patients, &therapists));
    BD_TRY(whole_option("seed", cli.seed, 0, (uint64_t)1 << 53, &seed));
    simulation->n_patients = patients;
    simulation->n_therapists = therapists;
    simulation->seed = seed;
    for (size_t i = 0; cli.effects != NULL && cli.effects[i] != NULL; i++)
        BD_TRY(set_effect(simulation, cli.effects[i], arena));
    return BD_OK;
}

static bd_status simulate(size_t n_arguments, const char *const *arguments, bd_arena *arena)
{
    bd_simulation simulation = BD_SIMULATION_DEFAULTS;
    cli_file truth = {0}, patients = {0};
    int n_threads;
    if (n_arguments != 1 || strcmp(arguments[0], "trial") != 0)
        return bd_fail(BD_EUSAGE, "simulate takes what to simulate: bordin simulate trial --patients 1000");
    BD_TRY(requested(&simulation, arena));
    BD_TRY(cli_threads(&n_threads));
    const cli_named_file outputs[] = {{"output", cli.output}, {"truth", cli.truth}};
    BD_TRY(cli_files_check(outputs, 2, NULL, arena));
    if (cli.truth != NULL)
        BD_TRY(cli_file_open(cli.truth, arena, &truth));
    BD_TRY(cli_file_open(cli.output, arena, &patients));
    BD_TRY(bd_simulation_write(&simulation, n_threads, patients.stream, arena));
    if (cli.truth != NULL)
        BD_TRY(bd_simulation_write_truth(&simulation, truth.stream));
    return cli_files_close(&patients, cli.truth != NULL ? &truth : NULL);
}

const cli_command cli_simulate = {
    .name = "simulate",
    .summary = "a trial with planted effects",
    .arguments = "trial",
    .example = "bordin simulate trial --patients 1000 --therapists 20 --seed 7 --truth truth.csv > trial.csv\n"
               "  bordin mediate 'alliance -> adherence -> outcome' trial.csv --adjust baseline,treatment",
    .text = "Writes patients within therapists as CSV: patient, therapist, treatment (0/1), age, baseline (symptom T score,\n"
            "mean 60, SD 8), alliance (WAI, 12 to 84), adherence (% of sessions), dropout (0/1), outcome (symptom T score).\n"
            "The same seed gives the same numbers, whatever the number of patients and threads.",
    .options = options,
    .more_help = more_help,
    .run = simulate,
};
