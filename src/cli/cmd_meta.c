/* bordin meta FORMULA FILE */
#include <stdio.h>
#include <string.h>

#include <bordin/analyses/meta.h>

#include "cli.h"

static char *measure, *method, *test, *n, *variance, *se, *study, *cluster, *errors;
static double rho;

static struct poptOption option_table[] = {
    {"measure", 0, POPT_ARG_STRING, &measure, 0,
     "what the effects are: gen (default: as given), zcor (correlations, by Fisher's z) or cor (as they are)", "NAME"},
    {"n", 0, POPT_ARG_STRING, &n, 0, "zcor and cor: column of the numbers of people", "NAME"},
    {"variance", 0, POPT_ARG_STRING, &variance, 0, "gen: column of sampling variances", "NAME"},
    {"se", 0, POPT_ARG_STRING, &se, 0, "gen: column of standard errors", "NAME"},
    {"method", 0, POPT_ARG_STRING, &method, 0, "of the variance between studies, see below (default: reml)", "NAME"},
    {"test", 0, POPT_ARG_STRING, &test, 0,
     "knha (default: Knapp and Hartung, guarded), knha-raw (without the guard), t or z", "NAME"},
    {"study", 0, POPT_ARG_STRING, &study, 0, "column of the studies' names", "NAME"},
    {"cluster", 0, POPT_ARG_STRING, &cluster, 0,
     "column of the studies, where a study may have several effects: variances between and within studies", "NAME"},
    {"rho", 0, POPT_ARG_DOUBLE, &rho, 0, "with --cluster: the correlation of sampling errors within a study (default: 0)",
     "NUMBER"},
    {"errors", 0, POPT_ARG_STRING, &errors, 0,
     "with --cluster: cr2 (default: cluster-robust, Satterthwaite's df) or model (z)", "NAME"},
    CLI_INCLUDE(cli_where_options, "Rows:"),
    CLI_INCLUDE(cli_resampling_options, "Resampling of studies (none unless --boot is given):"),
    CLI_INCLUDE(cli_reading_options, "Reading:"),
    CLI_INCLUDE(cli_output_options, "Output:"),
    POPT_TABLEEND};

static void more_help(void)
{
    printf("\nVariance between studies (--method):\n");
    for (size_t i = 0; bd_tau_estimators[i] != NULL; i++)
        printf("  %-12s %s\n", bd_tau_name(bd_tau_estimators[i]), bd_tau_summary(bd_tau_estimators[i]));
    cli_help_intervals();
}

/* The column that goes with the measure. */
static bd_status column_of(bd_meta_options *options, bd_arena *arena, bd_frame_spec *spec)
{
    const bool generic = options->measure == BD_MEASURE_GENERIC;
    const char *column = generic ? (se != NULL ? se : variance) : n;
    if (generic && n != NULL)
        return bd_fail(BD_EUSAGE, "--n goes with --measure zcor or cor");
    if (!generic && (se != NULL || variance != NULL))
        return bd_fail(BD_EUSAGE, "--%s goes with effects as given, --measure gen; correlations have their variances "
                                  "from --n",
                       se != NULL ? "se" : "variance");
    if (se != NULL && variance != NULL)
        return bd_fail(BD_EUSAGE, "--se and --variance say the same; give one of them");
    if (column == NULL)
        return bd_fail(BD_EUSAGE, "%s",
                       generic ? "how exact are the effects? Name the column of their variances (--variance) or "
                                 "standard errors (--se); of correlations, --measure zcor --n NAME"
                               : "name the column of the numbers of people: --n NAME");
    options->errors = generic && se != NULL;
    spec->extra_option = generic ? (se != NULL ? "--se" : "--variance") : "--n";
    return bd_print(arena, &spec->extra, "0 + `%s`", column);
}

/* What --cluster needs and what it rules out. */
static bd_status several_of(bd_meta_options *options)
{
    options->several = cluster != NULL;
    options->rho = rho;
    options->levels.level = options->resampling.level;
    if (!options->several)
        return rho == 0 && errors == NULL ? BD_OK
                                          : bd_fail(BD_EUSAGE, "--%s goes with --cluster NAME, the column of the studies",
                                                    errors != NULL ? "errors" : "rho");
    if (study != NULL)
        return bd_fail(BD_EUSAGE, "--study is for one effect a study, --cluster for several; give one of them");
    if (test != NULL)
        return bd_fail(BD_EUSAGE, "--test is for one effect a study; with --cluster there is --errors cr2 or model");
    if (method != NULL && strcmp(method, "reml") != 0 && strcmp(method, "ml") != 0)
        return bd_fail(BD_EUSAGE, "--method: with --cluster there are reml and ml, not '%s'", method);
    if (errors != NULL && strcmp(errors, "cr2") != 0 && strcmp(errors, "model") != 0)
        return bd_fail(BD_EUSAGE, "--errors: there are cr2 and model, not '%s'", errors);
    options->levels.ml = method != NULL && strcmp(method, "ml") == 0;
    options->levels.model = errors != NULL && strcmp(errors, "model") == 0;
    return BD_OK;
}

static bd_status parse_options(const char *formula, bd_arena *arena, bd_frame_spec *spec, bd_meta_options *options)
{
    BD_TRY(cli_resampling(&options->resampling, &options->bootstrap));
    BD_TRY(cli_check_boot(options->bootstrap, false));
    BD_TRY(cli_frame_spec(formula, spec, &options->resampling.sampling));
    if (cli.strata != NULL || options->resampling.sampling != &bd_sampling_rows)
        return bd_fail(BD_EUSAGE, "--%s: of a meta-analysis, studies are resampled, and nothing else",
                       cli.strata != NULL ? "strata" : "resample");
    if (measure != NULL)
        BD_TRY(bd_while(bd_measure_find(measure, &options->measure), "--measure"));
    if (method != NULL)
        BD_TRY(bd_while(bd_tau_find(method, &options->pooling.estimator), "--method"));
    if (test != NULL)
        BD_TRY(bd_while(bd_pooling_test_find(test, &options->pooling.test), "--test"));
    options->pooling.level = options->resampling.level;
    BD_TRY(several_of(options));
    spec->cluster = cluster != NULL ? cluster : study;
    return column_of(options, arena, spec);
}

static bd_status meta(size_t n_arguments, const char *const *arguments, bd_arena *arena)
{
    bd_meta_options options = BD_META_DEFAULTS;
    bd_frame_spec spec;
    const bd_table *table;
    const bd_frame *frame;
    const bd_meta_analysis *result;
    bd_document *document;
    if (n_arguments != 2)
        return bd_fail(BD_EUSAGE, "meta takes a formula and a file: "
                                  "bordin meta 'r ~ 1' studies.csv --n n --measure zcor");
    BD_TRY(parse_options(arguments[0], arena, &spec, &options));
    BD_TRY(cli_check_outputs(arguments[1], arena));
    BD_TRY(cli_read_frame(arguments[1], &spec, arena, &table, &frame));
    BD_TRY(bd_meta(frame, &options, arena, &result));
    BD_TRY(bd_meta_document(result, arena, &document));
    BD_TRY(cli_write_replicates(result->bootstrap, arena));
    return cli_write(document, table, arena);
}

const cli_command cli_meta = {
    .name = "meta",
    .summary = "meta-analysis: effects of studies pooled, with moderators",
    .arguments = "FORMULA FILE",
    .example = "bordin meta 'ri ~ 1' datasets/meta_conscientiousness_adherence/studies.csv --measure zcor --n ni\n"
               "  bordin meta 'ri ~ meanage + design' datasets/meta_conscientiousness_adherence/studies.csv "
               "--measure zcor --n ni\n"
               "  bordin meta 'r ~ 1' datasets/meta_positive_regard/effects.csv --measure zcor --n n --cluster study_id "
               "--rho 0.5",
    .text = "Pools one effect of each study. FORMULA is 'effect ~ 1', or 'effect ~ moderators' with terms as for\n"
            "regress. Random effects unless --method ee; a table of the studies has what a forest plot shows. FILE is\n"
            "CSV, gzip or not; - reads standard input.\n\n"
            "Where studies have several effects, --cluster names the column of the studies: variances between and within\n"
            "studies are told apart (--method reml or ml), and errors are cluster-robust. --rho is what correlation the\n"
            "sampling errors of one study's effects are taken to have; try several.",
    .options = option_table,
    .more_help = more_help,
    .run = meta,
};
