/* bordin sessions FORMULA FILE --patient NAME --session NAME */
#include <bordin/analyses/sessions.h>

#include "cli.h"

static char *patient, *session, *therapist, *lag;

static struct poptOption option_table[] = {
    {"patient", 0, POPT_ARG_STRING, &patient, 0, "column of patients (required)", "NAME"},
    {"session", 0, POPT_ARG_STRING, &session, 0, "column of the sessions' numbers, or of times (required)", "NAME"},
    {"therapist", 0, POPT_ARG_STRING, &therapist, 0, "column of therapists, whose levels vary too", "NAME"},
    {"lag", 0, POPT_ARG_STRING, &lag, 0, "how many sessions before the outcome the alliance is (default: 1; 0: the same)",
     "N"},
    CLI_INCLUDE(cli_mixed_options, NULL),
    CLI_INCLUDE(cli_where_options, "Rows:"),
    CLI_INCLUDE(cli_reading_options, "Reading:"),
    CLI_INCLUDE(cli_output_options, "Output:"),
    POPT_TABLEEND};

static bd_status read_sessions(const char *file, const bd_sessions_options *options, bd_arena *arena,
                               const bd_table **table)
{
    const bd_wanted *wanted;
    size_t n_wanted;
    bd_csv_options csv;
    BD_TRY(cli_csv(arena, &csv));
    BD_TRY(bd_sessions_wanted(options, arena, &wanted, &n_wanted));
    return bd_csv_read(file, wanted, n_wanted, &csv, arena, table);
}

static bd_status sessions(size_t n_arguments, const char *const *arguments, bd_arena *arena)
{
    bd_sessions_options options = {.lag = 1, .fit = BD_MIXED_DEFAULTS};
    unsigned long long sessions_before = 1;
    const bd_table *table;
    const bd_sessions *result;
    bd_document *document;
    if (n_arguments != 2 || patient == NULL || session == NULL)
        return bd_fail(BD_EUSAGE, "sessions takes a formula, a file and the columns of patients and sessions: bordin sessions "
                                  "'outcome ~ alliance' sessions.csv --patient id --session session");
    if (lag != NULL)
        BD_TRY(cli_whole("lag", lag, 0, 1000000, &sessions_before));
    BD_TRY(cli_mixed_fit(&options.fit));
    options.formula = arguments[0];
    options.patient = patient;
    options.session = session;
    options.therapist = therapist;
    options.where = cli.where;
    options.lag = sessions_before;
    BD_TRY(cli_check_outputs(arguments[1], arena));
    BD_TRY(read_sessions(arguments[1], &options, arena, &table));
    BD_TRY(bd_while(bd_sessions_of(table, &options, arena, &result), "%s", arguments[1]));
    BD_TRY(bd_sessions_document(result, arena, &document));
    return cli_write(document, table, arena);
}

const cli_command cli_sessions = {
    .name = "sessions",
    .summary = "alliance in one session, outcome in the next: within and between patients, trends taken out",
    .arguments = "FORMULA FILE",
    .example = "bordin sessions 'outcome ~ alliance + rupture' datasets/sessions/planted.csv --patient patient "
               "--session session",
    .text = "Rows are sessions. FORMULA is 'outcome ~ alliance + covariates': the first predictor is the alliance, of which\n"
            "the value --lag sessions before is taken, less the patient's mean, and that mean. Mixed models of patients with\n"
            "no trend, linear time, a level for each session, and linear time with autoregressive residuals stand beside\n"
            "changes on changes, since results turn on the choice. FILE is CSV, gzip or not; - reads standard input.",
    .options = option_table,
    .run = sessions,
};
