/* bordin regress FORMULA FILE */
#include <stdio.h>
#include <string.h>

#include <bordin/analyses/glm_regression.h>
#include <bordin/analyses/model_regression.h>
#include <bordin/analyses/regression.h>

#include "cli.h"

static struct poptOption option_table[] = {
    {"family", 0, POPT_ARG_STRING, &cli.family, 0, "distribution of the outcome, see below (default: least squares)",
     "NAME"},
    {"link", 0, POPT_ARG_STRING, &cli.link, 0, "with --family: its link, see below (default: the family's first)",
     "NAME"},
    {"offset", 0, POPT_ARG_STRING, &cli.offset, 0, "with --family: added to the linear predictor, such as 'log(weeks)'",
     "EXPRESSION"},
    {"trials", 0, POPT_ARG_STRING, &cli.trials, 0,
     "with --family binomial or beta-binomial: what the outcome is counted of; or write kept / offered, or cbind(kept, "
     "missed)",
     "EXPRESSION"},
    {"firth", 0, POPT_ARG_NONE, &cli.firth, 0,
     "with --family binomial: Firth's penalised likelihood, finite where predictors separate the outcomes", NULL},
    {"levels", 0, POPT_ARG_STRING, &cli.levels, 0,
     "with --family ordinal: the categories from lowest to highest, such as 'none,mild,severe'", "NAMES"},
    {"zeros", 0, POPT_ARG_STRING, &cli.zeros, 0, "with --family zip or zinb: terms of being zero for good (default: 1)",
     "TERMS"},
    {"dispersion", 0, POPT_ARG_STRING, &cli.dispersion, 0,
     "with --family beta or beta-binomial: terms of the precision (default: 1)", "TERMS"},
    {"tau", 0, POPT_ARG_STRING, &cli.tau, 0, "with --family quantile: which, between 0 and 1 (default: 0.5)", "SHARE"},
    {"se", 0, POPT_ARG_STRING, &cli.se, 0, "standard errors, see below (default: classical; with clusters, cr2)",
     "NAME"},
    {"weights", 0, POPT_ARG_STRING, &cli.weights, 0, "column of weights, inverse variances up to a factor", "NAME"},
    {"cluster", 0, POPT_ARG_STRING, &cli.cluster, 0, "column of clusters, such as therapists", "NAME"},
    {"wild", 0, POPT_ARG_STRING, &cli.wild, 0,
     "test every coefficient by the wild bootstrap, by cluster if there are any: rademacher, mammen or webb, then the "
     "draws (default: 99999)", "WEIGHTS[:N]"},
    {"permute", 0, POPT_ARG_STRING, &cli.permute, 0,
     "test every coefficient by so many permutations, within --strata if given", "N"},
    CLI_INCLUDE(cli_profile_options, "Predictions:"),
    CLI_INCLUDE(cli_where_options, "Rows:"),
    CLI_INCLUDE(cli_resampling_options, "Resampling (none unless --boot is given):"),
    CLI_INCLUDE(cli_reading_options, "Reading:"),
    CLI_INCLUDE(cli_output_options, "Output:"),
    POPT_TABLEEND};

static void family_help(void)
{
    printf("\nFamilies (--family), and their links (--link):\n");
    for (size_t i = 0; bd_families[i] != NULL; i++) {
        const bd_link *const *links = bd_family_links(bd_families[i]);
        printf("  %-17s %s\n  %17s ", bd_family_name(bd_families[i]), bd_family_summary(bd_families[i]), "");
        for (size_t k = 0; links[k] != NULL; k++)
            printf("%s%s", k > 0 ? ", " : "", bd_link_name(links[k]));
        putchar('\n');
    }
    for (size_t i = 0; bd_models[i] != NULL; i++) {
        const char *const *links = bd_models[i]->links;
        printf("  %-17s %s\n", bd_models[i]->name, bd_models[i]->summary);
        for (size_t k = 0; links != NULL && links[k] != NULL; k++)
            printf("%*s%s%s", k > 0 ? 0 : 20, "", k > 0 ? ", " : "", links[k]);
        if (links != NULL)
            putchar('\n');
    }
    printf("\nTheir standard errors (--se) are any of those below; from ordinal to mm classical, hc0, cr0 and cr1 (with\n"
           "clusters, cr1 unless given); of quantile nid (unless given), iid and ker.\n");
}

static void more_help(void)
{
    family_help();
    cli_help_errors();
    cli_help_intervals();
    printf("\nWild bootstrap (--wild):\n");
    for (size_t i = 0; bd_wild_weights_all[i] != NULL; i++)
        printf("  %-12s %s\n", bd_wild_weights_all[i]->name, bd_wild_weights_all[i]->summary);
}

/* "webb" or "webb:9999". */
static bd_status parse_wild(const bd_bootstrap_options *resampling, bd_arena *arena, bd_wild_options *options)
{
    const size_t length = strcspn(cli.wild, ":");
    const char *name;
    unsigned long long n = BD_WILD_DEFAULTS.n_replicates;
    BD_TRY(bd_copy_text(arena, cli.wild, length, &name));
    *options = BD_WILD_DEFAULTS;
    BD_TRY(bd_while(bd_wild_weights_find(name, &options->weights), "--wild"));
    if (cli.wild[length] == ':')
        BD_TRY(cli_whole("wild", cli.wild + length + 1, 1, 10000000, &n));
    options->n_replicates = n;
    options->seed = resampling->seed;
    options->n_threads = resampling->n_threads;
    options->level = resampling->level;
    return BD_OK;
}

static bd_status parse_permute(const bd_bootstrap_options *resampling, bd_permutation_options *options)
{
    unsigned long long n;
    BD_TRY(cli_whole("permute", cli.permute, 1, 100000000, &n));
    *options = (bd_permutation_options){
        .n_permutations = n, .seed = resampling->seed, .n_threads = resampling->n_threads};
    return BD_OK;
}

static bd_status profiles_of(const bd_table *table, const bd_frame_spec *spec, const bd_frame *frame, bd_arena *arena,
                             const bd_profiles **profiles)
{
    const bd_profile_request request = cli_profile_request();
    return request.n == 0 ? BD_OK : bd_profiles_build(table, spec, frame, &request, arena, profiles);
}

static bd_status least_squares(const bd_frame_spec *spec, const char *file, bd_regression_options *request,
                               bd_arena *arena)
{
    bd_wild_options wild;
    bd_permutation_options permutation;
    const bd_table *table;
    const bd_frame *frame;
    const bd_regression *regression;
    bd_document *document;
    BD_TRY(cli_se(&request->se));
    if (cli.wild != NULL) {
        BD_TRY(parse_wild(&request->resampling, arena, &wild));
        request->wild = &wild;
    }
    if (cli.permute != NULL) {
        BD_TRY(parse_permute(&request->resampling, &permutation));
        request->permutation = &permutation;
    }
    BD_TRY(cli_check_outputs(file, arena));
    BD_TRY(cli_read_frame(file, spec, arena, &table, &frame));
    BD_TRY(profiles_of(table, spec, frame, arena, &request->profiles));
    BD_TRY(bd_regress(frame, request, arena, &regression));
    BD_TRY(bd_regression_document(regression, arena, &document));
    BD_TRY(cli_write_replicates(regression->bootstrap, arena));
    return cli_write(document, table, arena);
}

static bd_status generalised(bd_frame_spec *spec, const char *file, const bd_family *family,
                             const bd_regression_options *request, bd_arena *arena)
{
    bd_glm_regression_options options = BD_GLM_REGRESSION_DEFAULTS;
    const bd_table *table;
    const bd_frame *frame;
    const bd_glm_regression *regression;
    bd_document *document;
    options.family = family;
    BD_TRY(cli_se(&options.se));
    if (cli.link != NULL)
        BD_TRY(bd_while(bd_link_find(cli.link, &options.link), "--link"));
    options.level = request->level;
    options.n_threads = request->n_threads;
    options.firth = cli.firth != 0;
    options.bootstrap = request->bootstrap;
    options.resampling = request->resampling;
    spec->offset = cli.offset;
    spec->trials = cli.trials;
    spec->counts = options.family == &bd_binomial || options.family == &bd_quasi_binomial;
    BD_TRY(cli_check_outputs(file, arena));
    BD_TRY(cli_read_frame(file, spec, arena, &table, &frame));
    BD_TRY(profiles_of(table, spec, frame, arena, &options.profiles));
    BD_TRY(bd_glm_regress(frame, &options, arena, &regression));
    BD_TRY(bd_glm_regression_document(regression, arena, &document));
    BD_TRY(cli_write_replicates(regression->bootstrap, arena));
    return cli_write(document, table, arena);
}

static bd_status modelled(bd_frame_spec *spec, const char *file, const bd_model *model,
                          const bd_regression_options *request, bd_arena *arena)
{
    bd_model_options options = BD_MODEL_DEFAULTS;
    const bd_table *table;
    const bd_frame *frame;
    const bd_model_regression *regression;
    bd_document *document;
    if (cli.tau != NULL)
        BD_TRY(cli_real("tau", cli.tau, 0, 1, &options.tau));
    options.link = cli.link;
    options.se = cli.se;
    options.level = request->level;
    options.n_threads = request->n_threads;
    options.bootstrap = request->bootstrap;
    options.resampling = request->resampling;
    spec->offset = cli.offset;
    spec->trials = cli.trials;
    spec->levels = cli.levels;
    spec->extra = cli.zeros != NULL ? cli.zeros : cli.dispersion;
    spec->extra_option = cli.zeros != NULL ? "--zeros" : "--dispersion";
    bd_model_spec(model, spec);
    BD_TRY(cli_check_outputs(file, arena));
    BD_TRY(cli_read_frame(file, spec, arena, &table, &frame));
    BD_TRY(profiles_of(table, spec, frame, arena, &options.profiles));
    BD_TRY(bd_model_regress(frame, model, &options, arena, &regression));
    BD_TRY(bd_model_document(regression, arena, &document));
    BD_TRY(cli_write_replicates(regression->bootstrap, arena));
    return cli_write(document, table, arena);
}

/* Options that the family, generalised or not, has no use for. */
static bd_status check_options(const bd_family *family, const bd_model *model)
{
    const bool glm = family != NULL, other = model != NULL;
    const char *second = other && model->second != NULL ? model->second : "";
    const struct {
        const char *name;
        bool given, taken;
    } options[] = {{"link", cli.link != NULL, glm || (other && model->links != NULL)},
                   {"offset", cli.offset != NULL, glm || (other && model->offset)},
                   {"trials", cli.trials != NULL, glm || (other && model->trials)},
                   {"firth", cli.firth != 0, glm},
                   {"levels", cli.levels != NULL, other && model->ordered},
                   {"zeros", cli.zeros != NULL, strcmp(second, "zeros") == 0},
                   {"dispersion", cli.dispersion != NULL, strcmp(second, "dispersion") == 0},
                   {"tau", cli.tau != NULL, other && model->tau}};
    if (cli.family != NULL && (cli.wild != NULL || cli.permute != NULL))
        return bd_fail(BD_EUSAGE, "--%s is for least squares, without --family", cli.wild ? "wild" : "permute");
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (!options[i].given || options[i].taken)
            continue;
        if (cli.family == NULL)
            return bd_fail(BD_EUSAGE, "--%s goes with --family", options[i].name);
        return bd_fail(BD_EUSAGE, "--%s does not go with --family %s", options[i].name, cli.family);
    }
    return BD_OK;
}

static bd_status regress(size_t n_arguments, const char *const *arguments, bd_arena *arena)
{
    bd_frame_spec spec;
    bd_regression_options request = BD_REGRESSION_DEFAULTS;
    const bd_family *family = NULL;
    const bd_model *other = NULL;
    if (n_arguments != 2)
        return bd_fail(BD_EUSAGE, "regress takes a formula and a file: bordin regress 'outcome ~ alliance' trial.csv");
    if (cli.family != NULL)
        BD_TRY(bd_while(bd_model_find(cli.family, &family, &other), "--family"));
    BD_TRY(check_options(family, other));
    BD_TRY(cli_resampling(&request.resampling, &request.bootstrap));
    BD_TRY(cli_frame_spec(arguments[0], &spec, &request.resampling.sampling));
    BD_TRY(cli_check_boot(request.bootstrap, cli.permute != NULL));
    request.level = request.resampling.level;
    request.n_threads = request.resampling.n_threads;
    if (family != NULL)
        return generalised(&spec, arguments[1], family, &request, arena);
    if (other != NULL)
        return modelled(&spec, arguments[1], other, &request, arena);
    return least_squares(&spec, arguments[1], &request, arena);
}

const cli_command cli_regress = {
    .name = "regress",
    .summary = "linear, generalised and other regression with robust errors and bootstrap intervals",
    .arguments = "FORMULA FILE",
    .example = "bordin regress 'depress2 ~ comply + depress1 + econ_hard + factor(occp)' "
               "datasets/jobs2_mediation/jobs.csv --se hc3\n"
               "  bordin regress 'comply ~ econ_hard + depress1 + age' datasets/jobs2_mediation/jobs.csv --where 'treat == 1' "
               "--family binomial\n"
               "  bordin regress 'job_disc ~ treat + econ_hard + age' datasets/jobs2_mediation/jobs.csv "
               "--family ordinal",
    .text = "Fits a formula by least squares or, with --family, by what suits the outcome. FORMULA is 'outcome ~ terms':\n"
            "a + b, a * b, a:b, I(x^2), log(x), factor(x), factor(x, ref = \"level\"), center(x), scale(x),\n"
            "between(x, cluster), within(x, cluster), lag(x, patient), -1; names with spaces in backquotes. Text columns\n"
            "become categories. FILE is CSV, gzip or not; - reads standard input.",
    .options = option_table,
    .more_help = more_help,
    .run = regress,
};
