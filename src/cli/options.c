/* Options: their tables, and from text to values. */
#include "cli.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

cli_options cli;
const char *cli_command_line = "";

struct poptOption cli_reading_options[] = {
    {"delimiter", 0, POPT_ARG_STRING, &cli.delimiter, 0,
     "what separates values: a character or 'tab' (default: found in the header row)", "CHARACTER"},
    {"decimal", 0, POPT_ARG_STRING, &cli.decimal, 0, "decimal sign, '.' or ',' (default: .)", "CHARACTER"},
    {"na", 0, POPT_ARG_STRING, &cli.na, 0, "values that mean missing, beside an empty one and NA: -99,999", "VALUES"},
    {"memory", 0, POPT_ARG_STRING, &cli.memory, 0,
     "hold about so much in memory, such as 512M, and the rest in files in TMPDIR or /var/tmp (default: all of it)",
     "SIZE"},
    {"threads", 0, POPT_ARG_STRING, &cli.threads, 0, "threads (default: all; the result does not depend on it)", "T"},
    POPT_TABLEEND};

struct poptOption cli_where_options[] = {
    {"where", 0, POPT_ARG_STRING, &cli.where, 0, "rows to use: 'group == \"cbt\" & age >= 18'", "CONDITION"},
    POPT_TABLEEND};

struct poptOption cli_output_options[] = {
    {"level", 0, POPT_ARG_STRING, &cli.level, 0, "confidence level, between 0 and 1 (default: 0.95)", "L"},
    {"format", 0, POPT_ARG_STRING, &cli.format, 0, "text, json, csv or markdown (default: text)", "NAME"},
    {"output", 'o', POPT_ARG_STRING, &cli.output, 0, "write to this file instead of standard output", "FILE"},
    {"quiet", 'q', POPT_ARG_NONE, &cli.quiet, 0, "no warnings on standard error (they stay in the result)", NULL},
    POPT_TABLEEND};

struct poptOption cli_profile_options[] = {
    {"profile", 0, POPT_ARG_ARGV, &cli.profiles, 0,
     "predict for these values, as often as given: 'age=60,sex=female'; the rest at means and references, as all is for 'means'",
     "NAME=VALUE,..."},
    POPT_TABLEEND};

struct poptOption cli_resampling_options[] = {
    {"boot", 0, POPT_ARG_STRING, &cli.boot, 0, "bootstrap replicates, or auto: as many as --precision takes", "N"},
    {"precision", 0, POPT_ARG_STRING, &cli.precision, 0,
     "with --boot auto: Monte-Carlo error of an end, as a share of the standard error (default: 0.01)", "SHARE"},
    {"ci", 0, POPT_ARG_STRING, &cli.ci, 0, "bootstrap interval (default: percentile)", "METHOD"},
    {"seed", 0, POPT_ARG_STRING, &cli.seed, 0, "seed of the random numbers (default: 1)", "S"},
    {"resample", 0, POPT_ARG_STRING, &cli.resample, 0,
     "rows, cluster:NAME, two-stage:NAME, residual, wild, parametric or little, see below (default: rows; with --cluster, its "
     "clusters)",
     "UNIT"},
    {"strata", 0, POPT_ARG_STRING, &cli.strata, 0, "resample within the levels of this column", "NAME"},
    {"save-replicates", 0, POPT_ARG_STRING, &cli.save_replicates, 0, "write every replicate to this CSV file", "FILE"},
    {"checkpoint", 0, POPT_ARG_STRING, &cli.checkpoint, 0,
     "go on from this file if it is there, and save replicates to it now and then", "FILE"},
    POPT_TABLEEND};

bd_status cli_whole(const char *option, const char *text, unsigned long long low, unsigned long long high,
                    unsigned long long *value)
{
    char *end;
    errno = 0;
    const unsigned long long number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || number < low || number > high)
        return bd_fail(BD_EUSAGE, "--%s takes a whole number from %llu to %llu, not '%s'", option, low, high, text);
    *value = number;
    return BD_OK;
}

bd_status cli_real(const char *option, const char *text, double low, double high, double *value)
{
    char *end;
    const double number = strtod(text, &end);
    const bool is_number = end != text && *end == '\0' && isfinite(number);
    if (!is_number && high >= 1e300)
        return bd_fail(BD_EUSAGE, "--%s takes a number, not '%s'", option, text);
    if (!is_number || number < low || number > high)
        return bd_fail(BD_EUSAGE, "--%s takes a number from %g to %g, not '%s'", option, low, high, text);
    *value = number;
    return BD_OK;
}

bd_status cli_level(double *level)
{
    char *end;
    *level = 0.95;
    if (cli.level == NULL)
        return BD_OK;
    *level = strtod(cli.level, &end);
    if (end == cli.level || *end != '\0' || !(*level >= 0.001 && *level <= 100))
        return bd_fail(BD_EUSAGE, "--level takes a share from 0.001 to 0.999999, such as 0.95, not '%s'", cli.level);
    if (*level >= 1)
        return bd_fail(BD_EUSAGE, "--level takes a share such as 0.95; for %s %% write %g", cli.level, *level / 100);
    return *level <= 0.999999 ? BD_OK : bd_fail(BD_EUSAGE, "--level is at most 0.999999, not %s", cli.level);
}

bd_status cli_threads(int *n_threads)
{
    unsigned long long value = 0;
    if (cli.threads != NULL)
        BD_TRY(cli_whole("threads", cli.threads, 1, 4096, &value));
    *n_threads = (int)value;
    return BD_OK;
}

static bd_status one_character(const char *option, const char *text, char *character)
{
    if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0)
        *character = '\t';
    else if (strlen(text) == 1 && *text > ' ' && *text != '"')
        *character = *text;
    else if (strcmp(text, "\t") == 0 || strcmp(text, " ") == 0)
        *character = *text;
    else
        return bd_fail(BD_EUSAGE, "--%s takes one character, or 'tab', not '%s'", option, text);
    return BD_OK;
}

static bd_status missing_values(const char *list, bd_arena *arena, bd_csv_options *options)
{
    const char **values = NULL;
    size_t n = 0, capacity = 0;
    for (const char *s = list; s != NULL;) {
        const size_t length = strcspn(s, ",");
        const char *value;
        BD_TRY(bd_copy_text(arena, s, length, &value));
        BD_PUSH(arena, values, n, capacity, value);
        s = s[length] == ',' ? s + length + 1 : NULL;
    }
    options->missing = values;
    options->n_missing = n;
    return BD_OK;
}

/* 512M, 4G: bytes. */
static bd_status parse_size(const char *text, size_t *size)
{
    static const char units[] = "KMG";
    char *end;
    const double number = strtod(text, &end);
    const char *unit = *end != '\0' ? strchr(units, *end) : NULL;
    const double bytes = unit == NULL ? 0 : number * pow(1024, (double)(unit - units) + 1);
    if (end == text || unit == NULL || end[1] != '\0' || !(bytes >= 0x1p27 && bytes < 0x1p50))
        return bd_fail(BD_EUSAGE, "--memory takes a size of 128M or more, such as 512M or 4G, not '%s'", text);
    *size = (size_t)bytes;
    return BD_OK;
}

/* What the program itself takes, blocks of the file among it, comes off the limit. */
static bd_status spill(bd_arena *arena)
{
    enum { OWN_SHARE = 2 };
    const char *folder = getenv("TMPDIR");
    size_t size = 0;
    if (cli.memory == NULL)
        return BD_OK;
    BD_TRY(parse_size(cli.memory, &size));
    return bd_arena_spill(arena, folder != NULL && *folder != '\0' ? folder : "/var/tmp", size / OWN_SHARE);
}

bd_status cli_csv(bd_arena *arena, bd_csv_options *options)
{
    BD_TRY(spill(arena));
    *options = BD_CSV_DEFAULTS;
    options->team = cli_team();
    if (cli.delimiter != NULL)
        BD_TRY(one_character("delimiter", cli.delimiter, &options->delimiter));
    if (cli.decimal != NULL) {
        BD_TRY(one_character("decimal", cli.decimal, &options->decimal));
        if (options->decimal != '.' && options->decimal != ',')
            return bd_fail(BD_EUSAGE, "--decimal takes '.' or ',', not '%s'", cli.decimal);
    }
    BD_TRY(missing_values(cli.na, arena, options));
    return cli_threads(&options->n_threads);
}

bd_status cli_resampling(bd_bootstrap_options *options, bool *asked)
{
    unsigned long long value;
    *options = BD_BOOTSTRAP_DEFAULTS;
    *asked = false;
    const bool automatic = cli.boot != NULL && strcmp(cli.boot, "auto") == 0;
    if (cli.precision != NULL && !automatic)
        return bd_fail(BD_EUSAGE, "--precision goes with --boot auto");
    if (automatic) {
        options->precision = 0.01;
        if (cli.precision != NULL)
            BD_TRY(cli_real("precision", cli.precision, 0.001, 1, &options->precision));
        *asked = true;
    } else if (cli.boot != NULL) {
        BD_TRY(cli_whole("boot", cli.boot, 0, 100000000, &value));
        options->n_replicates = value;
        *asked = value > 0;
    }
    if (cli.ci != NULL)
        BD_TRY(bd_while(bd_interval_method_find(cli.ci, &options->method), "--ci"));
    if (cli.seed != NULL) {
        BD_TRY(cli_whole("seed", cli.seed, 0, (uint64_t)1 << 53, &value));
        options->seed = value;
    }
    options->checkpoint = cli.checkpoint;
    options->watch = cli_watch();
    options->team = cli_team();
    BD_TRY(cli_level(&options->level));
    return cli_threads(&options->n_threads);
}

bd_status cli_check_boot(bool asked, bool permuted)
{
    const char *needs_boot = cli.save_replicates         ? "save-replicates"
                             : cli.ci                    ? "ci"
                             : cli.resample              ? "resample"
                             : cli.strata && !permuted   ? "strata"
                             : cli.checkpoint            ? "checkpoint"
                                                         : NULL;
    if (!asked && needs_boot != NULL)
        return bd_fail(BD_EUSAGE, "--%s needs --boot, such as --boot 10000", needs_boot);
    return BD_OK;
}

bd_status cli_se(const bd_se_estimator **se)
{
    *se = NULL;
    if (cli.se == NULL)
        return BD_OK;
    return bd_while(bd_se_find(cli.se, se), "--se");
}

/* "cluster:therapist": a row of bd_samplings, and the column it needs. */
static bd_status parse_resample(const char *text, const bd_sampling **sampling, const char **column)
{
    const size_t length = strcspn(text, ":");
    *column = text[length] == ':' ? text + length + 1 : NULL;
    for (size_t i = 0; bd_samplings[i] != NULL; i++) {
        *sampling = bd_samplings[i];
        const bool named = strlen((*sampling)->name) == length && strncmp(text, (*sampling)->name, length) == 0;
        if (named && (*sampling)->needs_clusters == (*column != NULL) && (*column == NULL || **column != '\0'))
            return BD_OK;
    }
    return bd_fail(BD_EUSAGE, "--resample takes rows, cluster:NAME, two-stage:NAME, residual, wild, parametric or little, "
                              "not '%s'", text);
}

bd_status cli_frame_spec(const char *formula, bd_frame_spec *spec, const bd_sampling **sampling)
{
    const char *column = NULL;
    *spec = (bd_frame_spec){
        .formula = formula,
        .where = cli.where,
        .weights = cli.weights,
        .cluster = cli.cluster,
        .strata = cli.strata,
    };
    *sampling = cli.cluster != NULL ? &bd_sampling_clusters : &bd_sampling_rows;
    if (cli.resample != NULL)
        BD_TRY(parse_resample(cli.resample, sampling, &column));
    if (column != NULL && cli.cluster != NULL && strcmp(cli.cluster, column) != 0)
        return bd_fail(BD_EUSAGE, "--cluster '%s' and --resample '%s' name different clusters", cli.cluster,
                       cli.resample);
    if (column != NULL)
        spec->cluster = column;
    return BD_OK;
}

bd_profile_request cli_profile_request(void)
{
    bd_profile_request request = {.texts = (const char *const *)cli.profiles};
    while (cli.profiles != NULL && cli.profiles[request.n] != NULL)
        request.n++;
    return request;
}

bd_status cli_read_frame(const char *file, const bd_frame_spec *spec, bd_arena *arena, const bd_table **table,
                         const bd_frame **frame)
{
    bd_csv_options csv;
    const bd_wanted *wanted;
    size_t n_wanted;
    BD_TRY(cli_csv(arena, &csv));
    BD_TRY(bd_frame_wanted(spec, arena, &wanted, &n_wanted));
    BD_TRY(bd_csv_read(file, wanted, n_wanted, &csv, arena, table));
    return bd_frame_build(*table, spec, arena, frame);
}

void cli_help_errors(void)
{
    printf("\nStandard errors (--se):\n");
    for (size_t i = 0; bd_se_estimators[i] != NULL; i++)
        printf("  %-12s %s\n", bd_se_name(bd_se_estimators[i]), bd_se_summary(bd_se_estimators[i]));
}

void cli_help_intervals(void)
{
    printf("\nWhat is drawn (--resample):\n");
    for (size_t i = 0; bd_samplings[i] != NULL; i++)
        printf("  %-12s %s\n", bd_samplings[i]->name, bd_samplings[i]->summary);
    printf("\nBootstrap intervals (--ci); percentile is the default because in simulations it finds an indirect effect where\n"
           "there is none in at most 5.7 %% of samples, bca in up to 9.5 %% (benchmarks/coverage.md):\n");
    for (size_t i = 0; bd_interval_methods[i] != NULL; i++)
        printf("  %-12s %s\n", bd_interval_methods[i]->name, bd_interval_methods[i]->summary);
}
