/* bordin survival FORMULA FILE */
#include <stdio.h>
#include <stdlib.h>

#include <bordin/analyses/survival_curves.h>

#include "cli.h"

static char *ties, *id, *times, *horizon, *rho;
static int robust;

static struct poptOption option_table[] = {
    {"ties", 0, POPT_ARG_STRING, &ties, 0, "events at one time: efron (default), breslow or exact", "NAME"},
    {"cluster", 0, POPT_ARG_STRING, &cli.cluster, 0, "column of clusters, such as therapists, for robust errors",
     "NAME"},
    {"robust", 0, POPT_ARG_NONE, &robust, 0, "robust errors by row", NULL},
    {"weights", 0, POPT_ARG_STRING, &cli.weights, 0, "column of weights: a row of weight 2 counts as two", "NAME"},
    {"times", 0, POPT_ARG_STRING, &times, 0, "curves: where to tell survival and numbers at risk: 30,90,365", "LIST"},
    {"horizon", 0, POPT_ARG_STRING, &horizon, 0,
     "curves: of restricted means (default: as far as every group is followed)", "TIME"},
    {"rho", 0, POPT_ARG_STRING, &rho, 0, "curves: the test weighs times by survival^rho (default: 0, the log-rank test)",
     "R"},
    {"id", 0, POPT_ARG_STRING, &id, 0, "column of patients, whose intervals must not overlap", "NAME"},
    CLI_INCLUDE(cli_where_options, "Rows:"),
    CLI_INCLUDE(cli_resampling_options, "Resampling (none unless --boot is given):"),
    CLI_INCLUDE(cli_reading_options, "Reading:"),
    CLI_INCLUDE(cli_output_options, "Output:"),
    POPT_TABLEEND};

static bd_status read_data(const char *file, const bd_survival_spec *spec, bd_arena *arena, const bd_table **table,
                           const bd_survival_data **data)
{
    bd_csv_options csv;
    const bd_wanted *wanted;
    size_t n_wanted;
    BD_TRY(cli_csv(arena, &csv));
    BD_TRY(bd_survival_wanted(spec, arena, &wanted, &n_wanted));
    BD_TRY(bd_csv_read(file, wanted, n_wanted, &csv, arena, table));
    return bd_survival_build(*table, spec, arena, data);
}

static bd_status parse_times(const char *list, bd_arena *arena, bd_follow_options *options)
{
    double *all = NULL;
    size_t n = 0, capacity = 0;
    for (const char *s = list; s != NULL;) {
        char *end;
        const double time = strtod(s, &end);
        if (end == s || (*end != ',' && *end != '\0') || !(time >= 0) || time > 1e300)
            return bd_fail(BD_EUSAGE, "--times takes times, such as 30,90,365, not '%s'", list);
        BD_PUSH(arena, all, n, capacity, time);
        s = *end == ',' ? end + 1 : NULL;
    }
    options->times = all;
    options->n_times = n;
    return BD_OK;
}

static bd_status follow(const bd_survival_data *data, const bd_table *table, double level, bd_arena *arena)
{
    bd_follow_options options = BD_FOLLOW_DEFAULTS;
    const bd_followed *followed;
    bd_document *document;
    if (cli.boot != NULL || ties != NULL || robust)
        return bd_fail(BD_EUSAGE, "--%s is for formulas with predictors", cli.boot ? "boot" : ties ? "ties" : "robust");
    options.level = level;
    BD_TRY(parse_times(times, arena, &options));
    if (horizon != NULL)
        BD_TRY(cli_real("horizon", horizon, 0, 1e300, &options.horizon));
    if (rho != NULL)
        BD_TRY(cli_real("rho", rho, 0, 100, &options.test.rho));
    BD_TRY(bd_survival_follow(data, &options, arena, &followed));
    BD_TRY(bd_survival_follow_document(followed, arena, &document));
    return cli_write(document, table, arena);
}

static bd_status survive(size_t n_arguments, const char *const *arguments, bd_arena *arena)
{
    bd_survival_options options = BD_SURVIVAL_DEFAULTS;
    const bd_table *table;
    const bd_survival_data *data;
    const bd_survival *survival;
    bd_document *document;
    bd_frame_spec drawn;
    if (n_arguments != 2)
        return bd_fail(BD_EUSAGE, "survival takes a formula and a file: bordin survival 'Surv(time, event) ~ alliance' "
                                  "trial.csv");
    BD_TRY(cli_resampling(&options.resampling, &options.bootstrap));
    BD_TRY(cli_check_boot(options.bootstrap, false));
    BD_TRY(cli_frame_spec(arguments[0], &drawn, &options.resampling.sampling));
    if (cli.strata != NULL)
        return bd_fail(BD_EUSAGE, "strata of the model go into the formula, strata(site); --strata is for other commands");
    const bd_survival_spec spec = {
        .formula = arguments[0], .where = cli.where, .weights = cli.weights, .cluster = drawn.cluster, .id = id};
    if (ties != NULL)
        BD_TRY(bd_while(bd_cox_ties_find(ties, &options.ties), "--ties"));
    options.level = options.resampling.level;
    options.n_threads = options.resampling.n_threads;
    options.robust = robust;
    BD_TRY(cli_check_outputs(arguments[1], arena));
    BD_TRY(read_data(arguments[1], &spec, arena, &table, &data));
    if (data->design.n_columns == 0)
        return follow(data, table, options.level, arena);
    if (times != NULL || horizon != NULL || rho != NULL)
        return bd_fail(BD_EUSAGE, "--%s is for curves: formulas without predictors, ~ 1 or ~ strata(arm)",
                       times ? "times" : horizon ? "horizon" : "rho");
    BD_TRY(bd_survive(data, &options, arena, &survival));
    BD_TRY(bd_survival_document(survival, arena, &document));
    BD_TRY(cli_write_replicates(survival->bootstrap, arena));
    return cli_write(document, table, arena);
}

const cli_command cli_survival = {
    .name = "survival",
    .summary = "time to an event, such as dropout: proportional hazards (Cox), curves",
    .arguments = "FORMULA FILE",
    .example = "bordin survival 'Surv(time, status == 2) ~ age + sex + ph.ecog' datasets/survival/lung.csv\n"
               "  bordin survival 'Surv(time, status == 2) ~ strata(sex)' datasets/survival/lung.csv --times 180,365",
    .text = "Fits proportional hazards or, without predictors, Kaplan and Meier's curves: by arm with ~ strata(arm), which a\n"
            "log-rank test compares, or of all with ~ 1. FORMULA is 'Surv(time, event) ~ terms', the event 1 where it happened and 0\n"
            "where observation ended before, or 'Surv(start, stop, event) ~ terms' for rows that are intervals, on\n"
            "which predictors may differ. Terms as for regress, and strata(site) for baseline hazards by site,\n"
            "cluster(therapist), offset(x). FILE is CSV, gzip or not; - reads standard input.",
    .options = option_table,
    .more_help = cli_help_intervals,
    .run = survive,
};
