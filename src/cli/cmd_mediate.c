/* bordin mediate PATH FILE */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <bordin/analyses/mediation.h>
#include <bordin/analyses/product.h>

#include "cli.h"

static struct poptOption options[] = {
    {"adjust", 0, POPT_ARG_STRING, &cli.adjust, 0, "covariates of every equation: baseline,age,factor(site)", "TERMS"},
    {"se", 0, POPT_ARG_STRING, &cli.se, 0,
     "standard errors of the paths, see below (default: classical; with clusters, cr2)", "NAME"},
    {"weights", 0, POPT_ARG_STRING, &cli.weights, 0, "column of weights, inverse variances up to a factor", "NAME"},
    {"cluster", 0, POPT_ARG_STRING, &cli.cluster, 0, "column of clusters, such as therapists", "NAME"},
    {"from-summary", 0, POPT_ARG_STRING, &cli.from_summary, 0,
     "published numbers instead of PATH and FILE: a=.38,se_a=.1,b=.5,se_b=.12[,cor=0]", "NUMBERS"},
    {"correlations", 0, POPT_ARG_STRING, &cli.correlations, 0, "a correlation matrix instead of FILE; needs --n", "CSV"},
    {"n", 0, POPT_ARG_STRING, &cli.n, 0, "cases behind --correlations", "N"},
    CLI_INCLUDE(cli_where_options, "Rows:"),
    CLI_INCLUDE(cli_resampling_options, "Resampling (default: 10000 replicates):"),
    CLI_INCLUDE(cli_reading_options, "Reading:"),
    CLI_INCLUDE(cli_output_options, "Output:"),
    POPT_TABLEEND};

static void more_help(void)
{
    cli_help_errors();
    cli_help_intervals();
}

/* a=.38,se_a=.1,... */
static bd_status summary_numbers(const char *list, bd_arena *arena, bd_product_options *request)
{
    const struct {
        const char *name;
        double *value;
    } numbers[] = {{"a", &request->a},       {"se_a", &request->se_a}, {"b", &request->b},
                   {"se_b", &request->se_b}, {"cor", &request->correlation}};
    bool given[5] = {false};
    for (const char *s = list; s != NULL;) {
        const size_t length = strcspn(s, ","), name_length = strcspn(s, "=,");
        const char *value, *option;
        size_t k = 0;
        while (k < 5 && (strlen(numbers[k].name) != name_length || strncmp(numbers[k].name, s, name_length) != 0))
            k++;
        if (k == 5 || s[name_length] != '=')
            return bd_fail(BD_EUSAGE, "--from-summary takes a=.38,se_a=.1,b=.5,se_b=.12; cannot read '%.*s'",
                           (int)length, s);
        BD_TRY(bd_copy_text(arena, s + name_length + 1, length - name_length - 1, &value));
        BD_TRY(bd_print(arena, &option, "from-summary: %s", numbers[k].name));
        BD_TRY(cli_real(option, value, -1e300, 1e300, numbers[k].value));
        if (given[k])
            return bd_fail(BD_EUSAGE, "--from-summary: %s is given twice", numbers[k].name);
        given[k] = true;
        s = s[length] == ',' ? s + length + 1 : NULL;
    }
    for (size_t k = 0; k < 4; k++) /* without cor it is 0 */
        if (!given[k])
            return bd_fail(BD_EUSAGE, "--from-summary: %s is missing (a=.38,se_a=.1,b=.5,se_b=.12)", numbers[k].name);
    return BD_OK;
}

/* Options that speak of rows, where there are none. */
static bool speaks_of_rows(void)
{
    return cli.boot != NULL || cli.se != NULL || cli.where != NULL || cli.weights != NULL || cli.cluster != NULL ||
           cli.resample != NULL || cli.strata != NULL || cli.ci != NULL || cli.save_replicates != NULL ||
           cli.checkpoint != NULL;
}

static bd_status from_summary(size_t n_arguments, const bd_mediation_options *request, bd_arena *arena)
{
    bd_product_options numbers = BD_PRODUCT_DEFAULTS;
    const bd_product *product;
    bd_document *document;
    if (n_arguments != 0)
        return bd_fail(BD_EUSAGE, "--from-summary stands instead of a path and a file");
    if (speaks_of_rows() || cli.adjust != NULL || cli.n != NULL || cli.correlations != NULL)
        return bd_fail(BD_EUSAGE, "published numbers have no rows: of the options, --level, --seed, --threads and those of "
                                  "the output apply to --from-summary");
    BD_TRY(summary_numbers(cli.from_summary, arena, &numbers));
    numbers.level = request->level;
    numbers.seed = request->resampling.seed;
    numbers.n_threads = request->n_threads;
    BD_TRY(cli_check_outputs(NULL, arena));
    BD_TRY(bd_product_of(&numbers, arena, &product));
    BD_TRY(bd_product_document(product, arena, &document));
    return cli_write(document, NULL, arena);
}

static bd_status from_correlations(size_t n_arguments, const char *const *arguments,
                                   const bd_mediation_options *request, bd_arena *arena)
{
    unsigned long long n;
    bd_csv_options csv;
    const bd_path *path;
    const bd_table *matrix;
    const bd_mediation *mediation;
    bd_document *document;
    if (n_arguments != 1)
        return bd_fail(BD_EUSAGE, "--correlations takes a path and no other file: bordin mediate 'x -> m -> y' "
                                  "--correlations matrix.csv --n 262");
    if (cli.n == NULL)
        return bd_fail(BD_EUSAGE, "--correlations needs --n, the number of cases behind them");
    if (speaks_of_rows())
        return bd_fail(BD_EUSAGE, "a correlation matrix has no rows: --boot, --ci, --se, --where, --weights, --cluster, "
                                  "--resample, --strata, --save-replicates and --checkpoint do not apply");
    BD_TRY(cli_whole("n", cli.n, 3, 1000000000, &n));
    BD_TRY(bd_path_parse(arguments[0], arena, &path));
    BD_TRY(cli_csv(arena, &csv));
    BD_TRY(cli_check_outputs(cli.correlations, arena));
    BD_TRY(bd_csv_read(cli.correlations, NULL, 0, &csv, arena, &matrix));
    BD_TRY(bd_mediate_correlations(matrix, path, cli.adjust, (size_t)n, request, arena, &mediation));
    BD_TRY(bd_mediation_document(mediation, arena, &document));
    return cli_write(document, matrix, arena);
}

static bd_status from_rows(size_t n_arguments, const char *const *arguments, bd_mediation_options *request,
                           bd_arena *arena)
{
    bd_frame_spec spec;
    const char *formula;
    const bd_path *path;
    const bd_table *table;
    const bd_frame *frame;
    const bd_mediation *mediation;
    bd_document *document;
    if (n_arguments != 2)
        return bd_fail(BD_EUSAGE, "mediate takes a path and a file: bordin mediate 'alliance -> adherence -> outcome' "
                                  "trial.csv");
    if (cli.n != NULL)
        return bd_fail(BD_EUSAGE, "--n goes with --correlations");
    BD_TRY(bd_path_parse(arguments[0], arena, &path));
    BD_TRY(bd_path_formula(path, cli.adjust, arena, &formula));
    BD_TRY(cli_frame_spec(formula, &spec, &request->resampling.sampling));
    BD_TRY(cli_check_outputs(arguments[1], arena));
    BD_TRY(cli_read_frame(arguments[1], &spec, arena, &table, &frame));
    BD_TRY(bd_mediate(frame, path, request, arena, &mediation));
    BD_TRY(bd_mediation_document(mediation, arena, &document));
    BD_TRY(cli_write_replicates(mediation->bootstrap, arena));
    return cli_write(document, table, arena);
}

static bd_status mediate(size_t n_arguments, const char *const *arguments, bd_arena *arena)
{
    bd_mediation_options request = BD_MEDIATION_DEFAULTS;
    bool asked;
    BD_TRY(cli_se(&request.se));
    BD_TRY(cli_resampling(&request.resampling, &asked));
    if (cli.boot != NULL && !asked)
        return bd_fail(BD_EUSAGE, "mediated effects need replicates: --boot 10000");
    request.level = request.resampling.level;
    request.n_threads = request.resampling.n_threads;
    if (cli.from_summary != NULL)
        return from_summary(n_arguments, &request, arena);
    if (cli.correlations != NULL)
        return from_correlations(n_arguments, arguments, &request, arena);
    return from_rows(n_arguments, arguments, &request, arena);
}

const cli_command cli_mediate = {
    .name = "mediate",
    .summary = "indirect effects through one or several mediators",
    .arguments = "PATH FILE",
    .example = "bordin mediate 'treat -> job_seek -> depress2' datasets/jobs2_mediation/jobs.csv "
               "--adjust depress1,econ_hard,sex,age",
    .text = "Splits the effect of a predictor on an outcome into a direct part and the parts that run through mediators.\n"
            "PATH is 'x -> m -> y', 'x -> m1, m2 -> y' (parallel), 'x -> m1 -> m2 -> y' (serial) or a mixture; names may\n"
            "hold spaces. FILE is CSV, gzip or not; - reads standard input. Prints the paths, each indirect effect with its\n"
            "bootstrap interval, standardised effects, the proportion mediated, and what other methods say.",
    .options = options,
    .more_help = more_help,
    .run = mediate,
};
