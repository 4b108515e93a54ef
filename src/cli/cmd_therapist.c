/* bordin therapist FORMULA FILE --therapist NAME */
#include <bordin/analyses/therapist.h>

#include "cli.h"

static char *therapist, *patient;
static int compare;

static struct poptOption option_table[] = {
    {"therapist", 0, POPT_ARG_STRING, &therapist, 0, "column of therapists (required)", "NAME"},
    {"patient", 0, POPT_ARG_STRING, &patient, 0, "column of patients, where rows are sessions", "NAME"},
    {"compare", 0, POPT_ARG_NONE, &compare, 0, "the effects by several methods, for few therapists", NULL},
    {"boot", 0, POPT_ARG_STRING, &cli.boot, 0, "with --compare: replicates of its bootstrap (default: 10000)", "N"},
    {"seed", 0, POPT_ARG_STRING, &cli.seed, 0, "with --compare: seed of the random numbers (default: 1)", "S"},
    {"weights", 0, POPT_ARG_STRING, &cli.weights, 0, "column of weights, inverse variances up to a factor", "NAME"},
    CLI_INCLUDE(cli_mixed_options, NULL),
    CLI_INCLUDE(cli_where_options, "Rows:"),
    CLI_INCLUDE(cli_reading_options, "Reading:"),
    CLI_INCLUDE(cli_output_options, "Output:"),
    POPT_TABLEEND};

static bd_status parse_comparison(bd_therapist_options *options)
{
    unsigned long long n = options->n_replicates, seed = options->seed;
    if (!compare && (cli.boot != NULL || cli.seed != NULL))
        return bd_fail(BD_EUSAGE, "--%s goes with --compare", cli.boot != NULL ? "boot" : "seed");
    if (cli.boot != NULL)
        BD_TRY(cli_whole("boot", cli.boot, 100, 100000000, &n));
    if (cli.seed != NULL)
        BD_TRY(cli_whole("seed", cli.seed, 0, (uint64_t)1 << 53, &seed));
    options->compare = compare;
    options->n_replicates = n;
    options->seed = seed;
    return BD_OK;
}

static bd_status therapists(size_t n_arguments, const char *const *arguments, bd_arena *arena)
{
    bd_therapist_options options = BD_THERAPIST_DEFAULTS;
    bd_frame_spec spec = {0};
    const bd_table *table;
    const bd_frame *frame;
    const bd_therapists *result;
    bd_document *document;
    if (n_arguments != 2 || therapist == NULL)
        return bd_fail(BD_EUSAGE, "therapist takes a formula, a file and the column of therapists: bordin therapist 'outcome ~ "
                                  "alliance + baseline' trial.csv --therapist therapist");
    BD_TRY(cli_mixed_fit(&options.fit));
    BD_TRY(parse_comparison(&options));
    options.formula = arguments[0];
    spec.where = cli.where;
    spec.weights = cli.weights;
    BD_TRY(bd_therapist_spec(arguments[0], therapist, patient, arena, &spec));
    BD_TRY(cli_check_outputs(arguments[1], arena));
    BD_TRY(cli_read_frame(arguments[1], &spec, arena, &table, &frame));
    BD_TRY(bd_therapists_of(frame, &options, arena, &result));
    BD_TRY(bd_therapist_document(result, arena, &document));
    return cli_write(document, table, arena);
}

const cli_command cli_therapist = {
    .name = "therapist",
    .summary = "therapist effects, step by step: how much, within or between, the same for all?",
    .arguments = "FORMULA FILE",
    .example = "bordin therapist 'score ~ attachment' datasets/student_multilevel/student.csv --therapist SCH_ID",
    .text = "Answers three questions by mixed models of the same rows. 1: how much of the outcome, and of the alliance, lies\n"
            "between therapists? 2: does alliance matter among patients of a therapist, from therapist to therapist, or both?\n"
            "3: does its effect vary between therapists? FORMULA is 'outcome ~ alliance + covariates': the first predictor is\n"
            "the alliance (in the example schools stand for therapists). With --patient rows are sessions, of patients who\n"
            "have one therapist each. FILE is CSV, gzip or not; - reads standard input.",
    .options = option_table,
    .run = therapists,
};
