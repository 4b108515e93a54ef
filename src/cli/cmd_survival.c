/* bordin survival FORMULA FILE */
#include <stdio.h>
#include <stdlib.h>

#include <bordin/analyses/competing.h>
#include <bordin/analyses/discrete_time.h>
#include <bordin/analyses/failure_time.h>
#include <bordin/analyses/frailty.h>
#include <bordin/analyses/survival_curves.h>

#include "cli.h"

static char *ties, *id, *times, *horizon, *rho, *cause, *censored, *distribution, *periods, *period_effect;
static int robust, competing, baseline, discrete;

static struct poptOption option_table[] = {
    {"ties", 0, POPT_ARG_STRING, &ties, 0, "events at one time: efron (default), breslow or exact", "NAME"},
    {"cluster", 0, POPT_ARG_STRING, &cli.cluster, 0, "column of clusters, such as therapists, for robust errors",
     "NAME"},
    {"robust", 0, POPT_ARG_NONE, &robust, 0, "robust errors by row", NULL},
    {"weights", 0, POPT_ARG_STRING, &cli.weights, 0, "column of weights: a row of weight 2 counts as two", "NAME"},
    {"times", 0, POPT_ARG_STRING, &times, 0, "curves and profiles: where to tell survival: 30,90,365", "LIST"},
    {"horizon", 0, POPT_ARG_STRING, &horizon, 0,
     "curves: of restricted means (default: as far as every group is followed)", "TIME"},
    {"rho", 0, POPT_ARG_STRING, &rho, 0,
     "curves: the test weighs times by survival^rho (default: 0, the log-rank test)", "R"},
    {"distribution", 0, POPT_ARG_STRING, &distribution, 0,
     "of times, instead of proportional hazards: weibull, exponential, lognormal or loglogistic", "NAME"},
    {"discrete", 0, POPT_ARG_NONE, &discrete, 0,
     "hazards by session or other period, instead of proportional hazards in continuous time", NULL},
    {"link", 0, POPT_ARG_STRING, &cli.link, 0, "discrete: logit (default), cloglog or probit", "NAME"},
    {"periods", 0, POPT_ARG_STRING, &periods, 0,
     "discrete: ends of the periods, 30,60,90 (default: times are whole numbers, each a period)", "LIST"},
    {"period-effect", 0, POPT_ARG_STRING, &period_effect, 0,
     "discrete: each (default: an effect of each period), linear, quadratic or log", "NAME"},
    {"competing", 0, POPT_ARG_NONE, &competing, 0,
     "the event has several causes, of which the first is seen: shares, cause-specific hazards, Fine and Gray", NULL},
    {"censored", 0, POPT_ARG_STRING, &censored, 0,
     "competing: the level of the event that means none (default: 0, censored, censor or none)", "LEVEL"},
    {"cause", 0, POPT_ARG_STRING, &cause, 0, "competing: of this cause only (default: of each)", "LEVEL"},
    {"baseline", 0, POPT_ARG_NONE, &baseline, 0,
     "also the cumulative hazard and survival where all predictors are 0 or at their reference", NULL},
    CLI_INCLUDE(cli_profile_options, NULL),
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

static bd_status parse_times(const char *option, const char *list, bd_arena *arena, const double **out, size_t *n_out)
{
    double *all = NULL;
    size_t n = 0, capacity = 0;
    for (const char *s = list; s != NULL;) {
        char *end;
        const double time = strtod(s, &end);
        if (end == s || (*end != ',' && *end != '\0') || !(time >= 0) || time > 1e300)
            return bd_fail(BD_EUSAGE, "--%s takes times, such as 30,90,365, not '%s'", option, list);
        BD_PUSH(arena, all, n, capacity, time);
        s = *end == ',' ? end + 1 : NULL;
    }
    *out = all;
    *n_out = n;
    return BD_OK;
}

/* What is made of the data. */
typedef enum model { CURVES = 1, COX = 2, SHARES = 4, CAUSES = 8, TIMES = 16, DISCRETE = 32, FRAILTY = 64 } model;

static bd_status refuse_options(model kind)
{
    const char *const one = kind == FRAILTY ? "formulas without frailty()" : "formulas with predictors";
    const struct {
        const char *name;
        bool given;
        unsigned kinds;
        const char *place;
    } options[] = {
        {"boot", cli.boot != NULL, COX | TIMES | DISCRETE | CAUSES,
         kind == FRAILTY ? "formulas without frailty()" : "formulas with predictors"},
        {"ties", ties != NULL, COX | CAUSES | FRAILTY,
         kind == TIMES || kind == DISCRETE ? "proportional hazards" : "formulas with predictors"},
        {"robust", robust, COX | CAUSES | TIMES | DISCRETE,
         kind == FRAILTY ? "formulas without frailty()" : "formulas with predictors"},
        {"times", times != NULL && ((cli.profiles == NULL && !baseline) || kind == DISCRETE), CURVES | SHARES,
         kind == DISCRETE ? "continuous time; with --discrete survival is told for each period"
                          : "curves: formulas without predictors, ~ 1 or ~ strata(arm), or --profile"},
        {"profile", cli.profiles != NULL, COX | TIMES | DISCRETE | CAUSES, one},
        {"baseline", baseline, COX | TIMES | DISCRETE | CAUSES, one},
        {"rho", rho != NULL, CURVES | SHARES, "curves: formulas without predictors, ~ 1 or ~ strata(arm)"},
        {"horizon", horizon != NULL, CURVES, "curves of one event: formulas without predictors, ~ 1 or ~ strata(arm)"},
        {"distribution", distribution != NULL, TIMES,
         "one kind of event in continuous time; leave --competing and --discrete out"},
        {"discrete", discrete, DISCRETE, "one kind of event; leave --competing out"},
        {"link", cli.link != NULL, DISCRETE, "--discrete"},
        {"periods", periods != NULL, DISCRETE, "--discrete"},
        {"period-effect", period_effect != NULL, DISCRETE, "--discrete"},
        {"cause", cause != NULL, SHARES | CAUSES, "--competing"},
        {"censored", censored != NULL, SHARES | CAUSES, "--competing"},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].given && (options[i].kinds & kind) == 0)
            return bd_fail(BD_EUSAGE, "--%s is for %s", options[i].name, options[i].place);
    return BD_OK;
}

static bd_status follow(const bd_survival_data *data, double level, bd_arena *arena, bd_document **document)
{
    bd_follow_options options = BD_FOLLOW_DEFAULTS;
    const bd_followed *followed;
    options.level = level;
    BD_TRY(parse_times("times", times, arena, &options.times, &options.n_times));
    if (horizon != NULL)
        BD_TRY(cli_real("horizon", horizon, 0, 1e300, &options.horizon));
    if (rho != NULL)
        BD_TRY(cli_real("rho", rho, 0, 100, &options.test.rho));
    BD_TRY(bd_survival_follow(data, &options, arena, &followed));
    return bd_survival_follow_document(followed, arena, document);
}

static bd_status ask(double level, bd_arena *arena, bd_survival_prediction_options *prediction)
{
    const bd_profile_request request = cli_profile_request();
    *prediction = (bd_survival_prediction_options){
        .profiles = request.texts, .n_profiles = request.n, .baseline = baseline, .level = level};
    return parse_times("times", times, arena, &prediction->times, &prediction->n_times);
}

static bd_status compete(const bd_survival_data *data, const bd_survival_options *given, bd_arena *arena,
                         bd_document **document)
{
    bd_competing_options options = BD_COMPETING_DEFAULTS;
    const bd_competing *result;
    options.bootstrap = given->bootstrap;
    options.resampling = given->resampling;
    options.level = given->level;
    options.ties = given->ties;
    options.robust = given->robust;
    options.n_threads = given->n_threads;
    options.cause = cause;
    BD_TRY(parse_times("times", times, arena, &options.times, &options.n_times));
    if (rho != NULL)
        BD_TRY(cli_real("rho", rho, 0, 100, &options.rho));
    BD_TRY(ask(given->level, arena, &options.prediction));
    BD_TRY(bd_compete(data, &options, arena, &result));
    BD_TRY(bd_competing_document(result, arena, document));
    return cli_write_replicates(result->bootstrap, arena);
}

static bd_status regress(const bd_survival_data *data, bd_survival_options *options, bd_arena *arena,
                         bd_document **document)
{
    const bd_survival *survival;
    BD_TRY(ask(options->level, arena, &options->prediction));
    BD_TRY(bd_survive(data, options, arena, &survival));
    BD_TRY(bd_survival_document(survival, arena, document));
    return cli_write_replicates(survival->bootstrap, arena);
}

static bd_status share(const bd_survival_data *data, const bd_survival_options *given, bd_arena *arena,
                       bd_document **document)
{
    const bd_frailty_options options = {.ties = given->ties, .level = given->level};
    const bd_shared_frailty *shared;
    BD_TRY(bd_share_frailty(data, &options, given->n_threads, arena, &shared));
    return bd_frailty_document(shared, arena, document);
}

static bd_status accelerate(const bd_survival_data *data, const bd_survival_options *given, bd_arena *arena,
                            bd_document **document)
{
    bd_failure_time_options options = {.robust = given->robust, .level = given->level, .bootstrap = given->bootstrap,
                                       .resampling = given->resampling};
    const bd_failure_time_regression *regression;
    BD_TRY(bd_while(bd_failure_time_find(distribution, &options.distribution), "--distribution"));
    BD_TRY(ask(given->level, arena, &options.prediction));
    BD_TRY(bd_failure_time_regress(data, &options, arena, &regression));
    BD_TRY(bd_failure_time_document(regression, arena, document));
    return cli_write_replicates(regression->bootstrap, arena);
}

static bd_status regress_periods(const bd_survival_data *data, const bd_survival_options *given, bd_arena *arena,
                                 bd_document **document)
{
    bd_discrete_time_options options = {.robust = given->robust, .level = given->level, .n_threads = given->n_threads,
                                        .bootstrap = given->bootstrap, .resampling = given->resampling};
    const bd_discrete_time *regression;
    if (cli.link != NULL)
        BD_TRY(bd_while(bd_link_find(cli.link, &options.link), "--link"));
    if (period_effect != NULL)
        BD_TRY(bd_while(bd_period_effect_find(period_effect, &options.effect), "--period-effect"));
    BD_TRY(parse_times("periods", periods, arena, &options.ends, &options.n_ends));
    BD_TRY(ask(given->level, arena, &options.prediction));
    BD_TRY(bd_discrete_time_regress(data, &options, arena, &regression));
    BD_TRY(bd_discrete_time_document(regression, arena, document));
    return cli_write_replicates(regression->bootstrap, arena);
}

static bd_status parse_options(const char *formula, bd_survival_spec *spec, bd_survival_options *options)
{
    bd_frame_spec drawn;
    BD_TRY(cli_resampling(&options->resampling, &options->bootstrap));
    BD_TRY(cli_check_boot(options->bootstrap, false));
    BD_TRY(cli_frame_spec(formula, &drawn, &options->resampling.sampling));
    if (cli.strata != NULL)
        return bd_fail(BD_EUSAGE,
                       "strata of the model go into the formula, strata(site); --strata is for other commands");
    *spec = (bd_survival_spec){.formula = formula,
                               .where = cli.where,
                               .weights = cli.weights,
                               .cluster = drawn.cluster,
                               .id = id,
                               .competing = competing,
                               .censored = censored};
    if (ties != NULL)
        BD_TRY(bd_while(bd_cox_ties_find(ties, &options->ties), "--ties"));
    options->level = options->resampling.level;
    options->n_threads = options->resampling.n_threads;
    options->robust = robust;
    return BD_OK;
}

static bd_status survive(size_t n_arguments, const char *const *arguments, bd_arena *arena)
{
    bd_survival_options options = BD_SURVIVAL_DEFAULTS;
    bd_survival_spec spec;
    const bd_table *table;
    const bd_survival_data *data;
    bd_document *document = NULL;
    if (n_arguments != 2)
        return bd_fail(BD_EUSAGE,
                       "survival takes a formula and a file: bordin survival 'Surv(time, event) ~ alliance' "
                       "trial.csv");
    BD_TRY(parse_options(arguments[0], &spec, &options));
    BD_TRY(cli_check_outputs(arguments[1], arena));
    BD_TRY(read_data(arguments[1], &spec, arena, &table, &data));
    const bool predictors = data->design.n_columns > 0;
    const model kind = competing              ? (predictors ? CAUSES : SHARES)
                       : discrete             ? DISCRETE
                       : distribution != NULL ? TIMES
                       : data->frailty != NULL ? FRAILTY
                       : predictors           ? COX
                                              : CURVES;
    if (data->frailty != NULL && kind != FRAILTY)
        return bd_fail(BD_EUSAGE, "frailty() goes with proportional hazards of one kind of event");
    BD_TRY(refuse_options(kind));
    BD_TRY(kind == COX      ? regress(data, &options, arena, &document)
           : kind == CURVES ? follow(data, options.level, arena, &document)
           : kind == TIMES  ? accelerate(data, &options, arena, &document)
           : kind == DISCRETE ? regress_periods(data, &options, arena, &document)
           : kind == FRAILTY ? share(data, &options, arena, &document)
                            : compete(data, &options, arena, &document));
    return cli_write(document, table, arena);
}

const cli_command cli_survival = {
    .name = "survival",
    .summary = "time to an event, such as dropout: proportional hazards (Cox), curves, competing risks",
    .arguments = "FORMULA FILE",
    .example =
        "bordin survival 'Surv(time, status == 2) ~ age + sex + ph.ecog' datasets/survival/lung.csv\n"
        "  bordin survival 'Surv(time, status == 2) ~ age + strata(sex)' datasets/survival/lung.csv --profile age=60\n"
        "  bordin survival 'Surv(time, status == 2) ~ strata(sex)' datasets/survival/lung.csv --times 180,365\n"
        "  bordin survival 'Surv(time, status == 2) ~ age + ph.ecog' datasets/survival/lung.csv --distribution weibull"
        "\n"
        "  bordin survival 'Surv(time, status) ~ rx' datasets/survival/rats.csv --discrete --period-effect log\n"
        "  bordin survival 'Surv(etime, event) ~ age + sex' datasets/survival/mgus2.csv --competing",
    .text = "Fits proportional hazards or, without predictors, Kaplan and Meier's curves: by arm with ~\n"
            "strata(arm), which a log-rank test compares, or of all with ~ 1. With --distribution predictors\n"
            "stretch time itself, with --discrete the event may happen in each session or other period, with\n"
            "--competing it is one of several kinds. FORMULA is 'Surv(time, event) ~ terms', the event 1 where it\n"
            "happened and 0 where observation ended before (codes are compared: status == 2), or 'Surv(start, stop,\n"
            "event) ~ terms' for rows that are intervals, on which predictors may differ. Terms as for regress, and\n"
            "strata(site) for baseline hazards by site, cluster(therapist), frailty(therapist), a multiple of the\n"
            "hazard that patients share, and offset(x). FILE is CSV, gzip or not; - reads standard input.",
    .options = option_table,
    .more_help = cli_help_intervals,
    .run = survive,
};
