/* bordin regress FORMULA FILE */
#include <bordin/analyses/regression.h>

#include "cli.h"

static struct poptOption options[] = {
    {"se", 0, POPT_ARG_STRING, &cli.se, 0, "standard errors, see below (default: classical; with --cluster, cr2)", "NAME"},
    {"weights", 0, POPT_ARG_STRING, &cli.weights, 0, "column of weights, inverse variances up to a factor", "NAME"},
    {"cluster", 0, POPT_ARG_STRING, &cli.cluster, 0, "column of clusters, such as therapists", "NAME"},
    CLI_INCLUDE(cli_where_options, "Rows:"),
    CLI_INCLUDE(cli_resampling_options, "Resampling (none unless --boot is given):"),
    CLI_INCLUDE(cli_reading_options, "Reading:"),
    CLI_INCLUDE(cli_output_options, "Output:"),
    POPT_TABLEEND};

static void more_help(void)
{
    cli_help_errors();
    cli_help_intervals();
}

static bd_status regress(size_t n_arguments, const char *const *arguments, bd_arena *arena)
{
    bd_frame_spec spec;
    bd_regression_options request = BD_REGRESSION_DEFAULTS;
    const bd_table *table;
    const bd_frame *frame;
    const bd_regression *regression;
    bd_document *document;
    if (n_arguments != 2)
        return bd_fail(BD_EUSAGE, "regress takes a formula and a file: bordin regress 'outcome ~ alliance' trial.csv");
    BD_TRY(cli_se(&request.se));
    BD_TRY(cli_resampling(&request.resampling, &request.bootstrap));
    BD_TRY(cli_frame_spec(arguments[0], &spec, &request.resampling.sampling));
    request.level = request.resampling.level;
    request.n_threads = request.resampling.n_threads;
    const char *needs_boot = cli.save_replicates ? "save-replicates"
                             : cli.ci           ? "ci"
                             : cli.resample     ? "resample"
                             : cli.strata       ? "strata"
                             : cli.checkpoint   ? "checkpoint"
                                                : NULL;
    if (!request.bootstrap && needs_boot != NULL)
        return bd_fail(BD_EUSAGE, "--%s needs --boot, such as --boot 10000", needs_boot);
    BD_TRY(cli_check_outputs());
    BD_TRY(cli_read_frame(arguments[1], &spec, arena, &table, &frame));
    BD_TRY(bd_regress(frame, &request, arena, &regression));
    BD_TRY(bd_regression_document(regression, arena, &document));
    BD_TRY(cli_write_replicates(regression->bootstrap));
    return cli_write(document, table, arena);
}

const cli_command cli_regress = {
    .name = "regress",
    .summary = "linear regression with robust errors and bootstrap intervals",
    .arguments = "FORMULA FILE",
    .example = "bordin regress 'depress2 ~ comply + depress1 + econ_hard + factor(occp)' "
               "datasets/jobs2_mediation/jobs.csv --se hc3",
    .text = "Fits a formula by least squares. FORMULA is 'outcome ~ terms': a + b, a * b, a:b, I(x^2), log(x), factor(x),\n"
            "factor(x, ref = \"level\"), center(x), scale(x), between(x, cluster), within(x, cluster), lag(x, patient), -1;\n"
            "names with spaces in backquotes. Text columns become categories. FILE is CSV, gzip or not; - reads standard\n"
            "input.",
    .options = options,
    .more_help = more_help,
    .run = regress,
};
