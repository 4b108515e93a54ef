/* bordin mixed FORMULA FILE */
#include <bordin/analyses/mixed_glm.h>

#include "cli.h"

static int profile, no_tests;
static char *quadrature, *test_boot;

static struct poptOption option_table[] = {
    {"family", 0, POPT_ARG_STRING, &cli.family, 0,
     "distribution of the outcome: binomial, poisson or negbin (default: normal)", "NAME"},
    {"link", 0, POPT_ARG_STRING, &cli.link, 0, "with --family: logit, probit or cloglog; log", "NAME"},
    {"offset", 0, POPT_ARG_STRING, &cli.offset, 0, "with --family: added to the linear predictor, such as 'log(weeks)'",
     "EXPRESSION"},
    {"trials", 0, POPT_ARG_STRING, &cli.trials, 0, "with --family binomial: what the outcome is counted of", "EXPRESSION"},
    {"quadrature", 0, POPT_ARG_STRING, &quadrature, 0,
     "with --family: nodes of adaptive Gauss-Hermite quadrature (default: 1, Laplace's approximation)", "N"},
    {"weights", 0, POPT_ARG_STRING, &cli.weights, 0, "column of weights, inverse variances up to a factor", "NAME"},
    CLI_INCLUDE(cli_mixed_options, NULL),
    {"no-tests", 0, POPT_ARG_NONE, &no_tests, 0,
     "leave out the tests of terms and variances, each of which takes a fit", NULL},
    {"test-boot", 0, POPT_ARG_STRING, &test_boot, 0,
     "likelihood-ratio tests also by this many parametric draws (--seed, --threads)", "N"},
    {"variance-intervals", 0, POPT_ARG_NONE, &profile, 0,
     "profile-likelihood intervals of standard deviations and correlations", NULL},
    CLI_INCLUDE(cli_where_options, "Rows:"),
    CLI_INCLUDE(cli_resampling_options, "Resampling (none unless --boot is given):"),
    CLI_INCLUDE(cli_reading_options, "Reading:"),
    CLI_INCLUDE(cli_output_options, "Output:"),
    POPT_TABLEEND};

static bd_status parse_options(bd_mixed_analysis_options *options, bd_frame_spec *spec, const char *formula)
{
    BD_TRY(cli_resampling(&options->resampling, &options->bootstrap));
    BD_TRY(cli_check_boot(options->bootstrap, false));
    BD_TRY(cli_frame_spec(formula, spec, &options->resampling.sampling));
    options->formula = formula;
    options->profile = profile;
    options->tests = !no_tests;
    options->draw_seed = options->resampling.seed;
    if (test_boot != NULL && no_tests)
        return bd_fail(BD_EUSAGE, "--test-boot and --no-tests exclude each other");
    if (test_boot != NULL) {
        unsigned long long n;
        BD_TRY(cli_whole("test-boot", test_boot, 20, 10000000, &n));
        options->n_draws = n;
    }
    BD_TRY(cli_mixed_fit(&options->fit));
    if (cli.strata != NULL)
        return bd_fail(BD_EUSAGE, "--strata is for other commands: groups are resampled as they are");
    return BD_OK;
}

/* What only one of the two kinds of model has. */
static bd_status check_family(const bd_mixed_analysis_options *options)
{
    const bool glm = cli.family != NULL;
    const struct {
        const char *option;
        bool given, glm;
    } asked[] = {{"link", cli.link != NULL, true},         {"offset", cli.offset != NULL, true},
                 {"trials", cli.trials != NULL, true},     {"quadrature", quadrature != NULL, true},
                 {"variance-intervals", profile, false},
                 {"no-tests", no_tests, false},         {"test-boot", test_boot != NULL, false},
                 {"df", options->fit.df != BD_MIXED_SATTERTHWAITE, false}};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        if (asked[i].given && asked[i].glm != glm)
            return bd_fail(BD_EUSAGE, "--%s goes %s --family", asked[i].option, glm ? "without" : "with");
    return BD_OK;
}

static bd_status generalised(const char *file, bd_frame_spec *spec, const bd_mixed_analysis_options *request,
                             bd_arena *arena)
{
    bd_mixed_glm_options options = BD_MIXED_GLM_DEFAULTS;
    unsigned long long nodes = 1;
    const bd_table *table;
    const bd_frame *frame;
    const bd_mixed_glm *mixed;
    bd_document *document;
    BD_TRY(bd_while(bd_family_find(cli.family, &options.family), "--family"));
    if (cli.link != NULL)
        BD_TRY(bd_while(bd_link_find(cli.link, &options.link), "--link"));
    if (quadrature != NULL)
        BD_TRY(cli_whole("quadrature", quadrature, 1, 100, &nodes));
    options.formula = request->formula;
    options.bootstrap = request->bootstrap;
    options.resampling = request->resampling;
    options.fit.n_nodes = nodes;
    options.fit.level = request->fit.level;
    options.fit.n_threads = request->fit.n_threads;
    spec->offset = cli.offset;
    spec->trials = cli.trials;
    spec->counts = options.family == &bd_binomial;
    BD_TRY(cli_check_outputs(file, arena));
    BD_TRY(cli_read_frame(file, spec, arena, &table, &frame));
    BD_TRY(bd_mix_glm(frame, &options, arena, &mixed));
    BD_TRY(bd_mixed_glm_document(mixed, arena, &document));
    BD_TRY(cli_write_replicates(mixed->bootstrap, arena));
    return cli_write(document, table, arena);
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
    BD_TRY(check_family(&options));
    if (cli.family != NULL)
        return generalised(arguments[1], &spec, &options, arena);
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
               "--resample parametric\n"
               "  bordin mixed 'incidence / size ~ factor(period) + (1 | herd)' datasets/mixed/cbpp.csv --family binomial",
    .text = "Fits a formula in which coefficients vary by group. FORMULA is 'outcome ~ terms + (terms | group)', as in lme4:\n"
            "(1 | therapist) lets the level vary, (1 + alliance | therapist) the slope too, (1 + alliance || therapist)\n"
            "without correlation. With within(alliance, therapist) + between(alliance, therapist) the two effects and their\n"
            "difference are told apart. Groups may be nested, (1 | therapist/patient), or crossed, (1 | patient) + (1 | rater).\n"
            "--boot resamples groups, those of nested ones that hold the others; --resample cluster:patient those within, while\n"
            "their therapists stay; parametric draws effects and errors from normal distributions, residual from predicted\n"
            "effects and residuals, wild turns the signs of groups. With --family outcomes are counts or 0 and 1, there is one grouping\n"
            "factor, and groups are drawn, or outcomes (parametric). Terms as for regress.\n"
            "FILE is CSV, gzip or not; - reads standard input.",
    .options = option_table,
    .more_help = cli_help_intervals,
    .run = mix,
};
