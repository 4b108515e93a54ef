/* bordin mixed FORMULA FILE */
#include <string.h>

#include <bordin/analyses/mixed.h>

#include "cli.h"

static int ml, profile;
static char *df;

static struct poptOption option_table[] = {
    {"ml", 0, POPT_ARG_NONE, &ml, 0, "maximum likelihood (default: restricted, REML)", NULL},
    {"df", 0, POPT_ARG_STRING, &df, 0, "degrees of freedom: satterthwaite (default), kenward-roger or normal", "NAME"},
    {"variance-intervals", 0, POPT_ARG_NONE, &profile, 0,
     "profile-likelihood intervals of standard deviations and correlations", NULL},
    {"weights", 0, POPT_ARG_STRING, &cli.weights, 0, "column of weights, inverse variances up to a factor", "NAME"},
    CLI_INCLUDE(cli_where_options, "Rows:"),
    CLI_INCLUDE(cli_resampling_options, "Resampling (none unless --boot is given):"),
    CLI_INCLUDE(cli_reading_options, "Reading:"),
    CLI_INCLUDE(cli_output_options, "Output:"),
    POPT_TABLEEND};

static bd_status parse_df(bd_mixed_df *chosen)
{
    static const char *const names[] = {[BD_MIXED_SATTERTHWAITE] = "satterthwaite",
                                        [BD_MIXED_KENWARD_ROGER] = "kenward-roger",
                                        [BD_MIXED_NORMAL] = "normal"};
    for (size_t i = 0; df != NULL && i < sizeof names / sizeof *names; i++)
        if (strcmp(df, names[i]) == 0) {
            *chosen = (bd_mixed_df)i;
            return BD_OK;
        }
    return df == NULL ? BD_OK
                      : bd_fail(BD_EUSAGE, "--df takes satterthwaite, kenward-roger or normal, not '%s'", df);
}

static bd_status parse_options(bd_mixed_analysis_options *options, bd_frame_spec *spec, const char *formula)
{
    BD_TRY(cli_resampling(&options->resampling, &options->bootstrap));
    BD_TRY(cli_check_boot(options->bootstrap, false));
    BD_TRY(cli_frame_spec(formula, spec, &options->resampling.sampling));
    options->formula = formula;
    options->fit.reml = !ml;
    options->profile = profile;
    options->fit.n_threads = options->resampling.n_threads;
    options->fit.level = options->resampling.level;
    BD_TRY(parse_df(&options->fit.df));
    if (cli.strata != NULL)
        return bd_fail(BD_EUSAGE, "--strata is for other commands: groups are resampled as they are");
    return BD_OK;
}

static bd_status mix(size_t n_arguments, const char *const *arguments, bd_arena *arena)
{
    bd_mixed_analysis_options options = BD_MIXED_ANALYSIS_DEFAULTS;
    bd_frame_spec spec;
    const bd_table *table;
    const bd_frame *frame;
    const bd_mixed_analysis *mixed;
    bd_document *document;
    if (n_arguments != 2)
        return bd_fail(BD_EUSAGE, "mixed takes a formula and a file: bordin mixed 'outcome ~ alliance + (1 | therapist)' "
                                  "trial.csv");
    BD_TRY(parse_options(&options, &spec, arguments[0]));
    BD_TRY(bd_mixed_formula(arguments[0], arena, &spec));
    BD_TRY(cli_check_outputs(arguments[1], arena));
    BD_TRY(cli_read_frame(arguments[1], &spec, arena, &table, &frame));
    BD_TRY(bd_mix(frame, &options, arena, &mixed));
    BD_TRY(bd_mixed_document(mixed, arena, &document));
    BD_TRY(cli_write_replicates(mixed->bootstrap, arena));
    return cli_write(document, table, arena);
}

const cli_command cli_mixed = {
    .name = "mixed",
    .summary = "mixed models: what belongs to the group, such as the therapist, and what to those within",
    .arguments = "FORMULA FILE",
    .example = "bordin mixed 'Reaction ~ Days + (1 + Days | Subject)' datasets/mixed/sleepstudy.csv\n"
               "  bordin mixed 'diameter ~ 1 + (1 | plate) + (1 | sample)' datasets/mixed/penicillin.csv --boot 2000 "
               "--resample parametric",
    .text = "Fits a formula in which coefficients vary by group. FORMULA is 'outcome ~ terms + (terms | group)', as in lme4:\n"
            "(1 | therapist) lets the level vary, (1 + alliance | therapist) the slope too, (1 + alliance || therapist)\n"
            "without correlation. With within(alliance, therapist) + between(alliance, therapist) the two effects and their\n"
            "difference are told apart. Groups may be nested, (1 | therapist/patient), or crossed, (1 | patient) + (1 | rater).\n"
            "--boot\n"
            "resamples groups, those of nested ones that hold the others; --resample parametric draws effects and errors from\n"
            "normal distributions, residual from the predicted effects and the residuals, wild turns the signs of groups.\n"
            "Terms as for regress. FILE is CSV, gzip or not; - reads standard\n"
            "input.",
    .options = option_table,
    .more_help = cli_help_intervals,
    .run = mix,
};
