/* The bootstrap of a frame, and what is said about it. */
#include <bordin/analyses/bootstrap.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "bootstrap_histogram.h"

static bd_membership membership(const bd_groups *groups)
{
    return (bd_membership){.codes = groups->codes, .n_levels = groups->n_levels};
}

static bd_status units_of_rows(const bd_columns *columns, const bd_membership *clusters, const bd_membership *strata,
                               const double *triangle, int n_threads, bd_arena *arena, const bd_units **units)
{
    (void)clusters;
    return bd_units_of_rows(columns, strata, triangle, n_threads, arena, units);
}

const bd_sampling bd_sampling_rows = {"rows", "every row by itself", false, NULL, units_of_rows};
const bd_sampling bd_sampling_clusters = {"cluster", "whole clusters, such as therapists with their patients", true,
                                          NULL, bd_units_of_clusters};
const bd_sampling bd_sampling_two_stages = {"two-stage", "clusters, then rows within each of those drawn", true,
                                            NULL, bd_units_of_two_stages};
const bd_sampling bd_sampling_residuals = {
    "residual", "least squares: predictors stay, residuals of all rows are drawn; equal variances", false,
    &bd_draw_residuals, NULL};
const bd_sampling bd_sampling_wild = {
    "wild", "least squares: predictors stay, each row's residual times 1 or -1; any variances", false,
    &bd_draw_wild, NULL};
const bd_sampling bd_sampling_parametric = {
    "parametric", "least squares: predictors stay, normal errors with the residual SD", false,
    &bd_draw_parametric, NULL};
const bd_sampling bd_sampling_little = {
    "little", "with --family: many rows' samples from subsets of n^0.7 rows (bag of little bootstraps); approximate", false,
    NULL, NULL};
const bd_sampling *const bd_samplings[] = {&bd_sampling_rows,      &bd_sampling_clusters, &bd_sampling_two_stages,
                                           &bd_sampling_residuals, &bd_sampling_wild,     &bd_sampling_parametric,
                                           &bd_sampling_little,    NULL};

static bd_status units_of(const bd_frame *frame, const bd_columns *columns, const double *triangle,
                          const bd_bootstrap_options *options, bd_arena *arena, const bd_units **units)
{
    const bd_membership strata = frame->strata ? membership(frame->strata) : (bd_membership){0};
    const bd_membership clusters = frame->cluster ? membership(frame->cluster) : (bd_membership){0};
    if (options->sampling->units == NULL)
        return bd_fail(BD_EUSAGE, "only equations of least squares draw errors (%s); resample rows or clusters",
                       options->sampling->name);
    if (options->sampling->needs_clusters && frame->cluster == NULL)
        return bd_fail(BD_EUSAGE, "resampling clusters needs the column that holds them");
    const bd_interval_method *method = options->method;
    const bool replicates_alone = !method->needs_accelerations && !method->needs_jackknife && !method->needs_abc &&
                                  !method->needs_calibration;
    if (options->sampling == &bd_sampling_rows && replicates_alone)
        BD_TRY(bd_units_of_distinct_rows(columns, frame->strata ? &strata : NULL, triangle, options->n_threads, arena,
                                         units));
    if (*units != NULL)
        return BD_OK;
    return options->sampling->units(columns, &clusters, frame->strata ? &strata : NULL, triangle, options->n_threads,
                                    arena, units);
}

static bd_status name_unit(const bd_frame *frame, const bd_sampling *sampling, bd_arena *arena, const char **unit)
{
    *unit = "rows";
    if (!sampling->needs_clusters || frame->cluster == NULL)
        return BD_OK;
    return bd_print(arena, unit, "clusters of %s%s", frame->cluster->name,
                    sampling == &bd_sampling_two_stages ? ", and rows within each" : "");
}

static bd_status intervals(bd_bootstrap_result *result, bd_arena *arena)
{
    const bd_replicates *replicates = result->replicates;
    const bd_interval_method *method = result->options.method;
    bd_interval_ends *ends;
    BD_NEW(arena, ends, replicates->n_values);
    for (size_t j = 0; j < replicates->n_values; j++) {
        if (method->needs_errors && !isfinite(replicates->errors[j])) {
            ends[j] = (bd_interval_ends){NAN, NAN, NAN, NAN, NAN, NAN, NAN, 0, false};
            continue;
        }
        BD_TRY(bd_while(bd_interval(method, replicates, j, result->options.level, arena, &ends[j]), "%s",
                        replicates->names[j]));
    }
    result->ends = ends;
    return BD_OK;
}

/* The largest Monte-Carlo error of an end, in bootstrap standard errors. */
static double largest_error(const bd_bootstrap_result *result)
{
    double largest = 0;
    for (size_t j = 0; j < result->replicates->n_values; j++) {
        const bd_interval_ends *ends = &result->ends[j];
        const double share = fmax(ends->mc_se_low, ends->mc_se_high) / ends->boot_se;
        if (isfinite(share))
            largest = fmax(largest, share);
    }
    return largest;
}

/* Errors fall with the root of the number of replicates. */
static size_t replicates_for(const bd_bootstrap_result *result)
{
    const double n = (double)result->replicates->n_replicates, ratio = result->reached / result->options.precision;
    const double wanted = 1.05 * n * ratio * ratio;
    const double bounded = fmin(fmax(wanted, 1.2 * n), fmin(10 * n, BD_MOST_REPLICATES));
    return (size_t)(1000 * ceil(bounded / 1000));
}

static bd_status until_precise(const bd_units *units, const bd_statistic *statistic, bd_resampling_options *engine,
                               bd_arena *arena, bd_bootstrap_result *result)
{
    engine->n_replicates = 1000;
    for (;;) {
        BD_TRY(bd_resample(units, statistic, engine, arena, &result->replicates));
        BD_TRY(intervals(result, arena));
        result->reached = largest_error(result);
        if (result->reached <= result->options.precision || engine->n_replicates >= BD_MOST_REPLICATES)
            return BD_OK;
        engine->earlier = result->replicates;
        engine->n_replicates = replicates_for(result);
    }
}

/* Where the caller left it open. */
static void set_defaults(bd_bootstrap_options *options)
{
    if (options->method == NULL)
        options->method = &bd_percentile;
    if (options->sampling == NULL)
        options->sampling = &bd_sampling_rows;
}

/* Everything but the replicates, and the sentence on what they are. */
static bd_status begin_errors(const bd_bootstrap_options *options, bd_arena *arena, bd_bootstrap_result **out,
                              bd_residual_options *drawing)
{
    bd_bootstrap_result *result;
    BD_NEW(arena, result, 1);
    result->options = *options;
    set_defaults(&result->options);
    const bd_interval_method *method = result->options.method;
    const bd_error_draw *draw = result->options.sampling->errors;
    if (method->needs_accelerations || method->needs_jackknife || method->needs_abc || method->needs_calibration ||
        options->precision > 0 || options->checkpoint != NULL)
        return bd_fail(BD_EUSAGE, "%s goes with rows or clusters, not with drawn errors (%s)",
                       options->checkpoint != NULL  ? "a checkpoint"
                       : options->precision > 0     ? "--boot auto"
                                                    : method->name,
                       draw->name);
    *drawing = (bd_residual_options){.draw = draw,
                                     .n_replicates = options->n_replicates,
                                     .seed = options->seed,
                                     .n_threads = options->n_threads,
                                     .standard_errors = method->needs_errors};
    result->unit = "errors";
    *out = result;
    return BD_OK;
}

bd_status bd_bootstrap_errors(const bd_ols_design *design, const bd_bootstrap_options *options, bd_arena *arena,
                              const bd_bootstrap_result **out)
{
    bd_bootstrap_result *result;
    bd_residual_options drawing;
    BD_TRY(begin_errors(options, arena, &result, &drawing));
    BD_TRY(bd_residual_bootstrap(design, &drawing, arena, &result->replicates));
    BD_TRY(bd_print(arena, &result->drawn, "Errors drawn: %s. The predictors stay.", drawing.draw->drawn));
    *out = result;
    return intervals(result, arena);
}

bd_status bd_bootstrap_system(const bd_residual_system *system, const bd_statistic *statistic, const double *triangle,
                              const bd_bootstrap_options *options, bd_arena *arena, const bd_bootstrap_result **out)
{
    bd_bootstrap_result *result;
    bd_residual_options drawing;
    BD_TRY(begin_errors(options, arena, &result, &drawing));
    BD_TRY(bd_residual_bootstrap_system(system, statistic, triangle, &drawing, arena, &result->replicates));
    BD_TRY(bd_print(arena, &result->drawn, "Errors drawn: %s, %s. The predictor and the covariates stay; mediators and "
                                           "outcome are made of them, the errors and the fitted paths.",
                    drawing.draw->drawn, drawing.draw->together));
    *out = result;
    return intervals(result, arena);
}

static bd_status little(const bd_frame *frame, const bd_statistic *statistic, bd_arena *arena,
                        bd_bootstrap_result *result)
{
    const bd_bootstrap_options *options = &result->options;
    const bd_interval_method *method = options->method;
    bd_resampling_options engine = BD_RESAMPLING_DEFAULTS;
    if (frame->strata != NULL || options->checkpoint != NULL || options->precision > 0 || method->needs_accelerations ||
        method->needs_jackknife || method->needs_abc || method->needs_calibration || method->needs_errors)
        return bd_fail(BD_EUSAGE, "little bootstraps go without strata, checkpoint, --boot auto and %s intervals",
                       options->method->name);
    engine.n_replicates = options->n_replicates;
    engine.seed = options->seed;
    engine.n_threads = options->n_threads;
    BD_TRY(bd_little_bootstraps(statistic, &engine, arena, &result->replicates));
    return intervals(result, arena);
}

bd_status bd_bootstrap_frame(const bd_frame *frame, const bd_statistic *statistic, const double *triangle,
                             const bd_bootstrap_options *options, bd_arena *arena,
                             const bd_bootstrap_result **out)
{
    bd_bootstrap_result *result;
    BD_NEW(arena, result, 1);
    result->options = *options;
    set_defaults(&result->options);
    if (statistic->from_weights != NULL && result->options.method->needs_errors)
        return bd_fail(BD_EUSAGE, "a %s interval needs a standard error in every replicate, which only least squares has; "
                                  "choose another (--ci percentile)",
                       result->options.method->name);
    if (result->options.sampling->needs_clusters && result->options.method->needs_errors)
        return bd_fail(BD_EUSAGE, "a %s interval of clusters would need a standard error that knows of them in every "
                                  "replicate; choose another (--ci percentile), or the wild bootstrap",
                       result->options.method->name);
    if (options->precision > 0 && result->options.method->needs_calibration)
        return bd_fail(BD_EUSAGE, "--boot auto cannot make a %s interval more precise, whose levels come from the first "
                                  "2000 replicates; say how many (--boot 10000)",
                       result->options.method->name);
    if (statistic->from_draws != NULL && (result->options.method->needs_accelerations || result->options.method->needs_jackknife))
        return bd_fail(BD_EUSAGE, "a %s interval needs units that can be left out, not drawn errors; choose another (--ci "
                                  "percentile)",
                       result->options.method->name);
    result->drawn = statistic->drawn;
    result->unit = "errors";
    if (statistic->from_draws == NULL)
        BD_TRY(name_unit(frame, result->options.sampling, arena, &result->unit));
    result->strata = frame->strata ? frame->strata->name : NULL;

    if (result->options.sampling == &bd_sampling_little) {
        BD_TRY(little(frame, statistic, arena, result));
        *out = result;
        return BD_OK;
    }
    const bd_units *units = NULL;
    if (statistic->from_draws != NULL)
        BD_TRY(bd_units_of_rows(statistic->columns, NULL, NULL, options->n_threads, arena, &units));
    else
        BD_TRY(units_of(frame, statistic->columns, triangle, &result->options, arena, &units));
    result->n_kinds = bd_units_kinds(units);
    bd_resampling_options engine = BD_RESAMPLING_DEFAULTS;
    engine.n_replicates = options->n_replicates;
    engine.seed = options->seed;
    engine.n_threads = options->n_threads;
    engine.standard_errors = result->options.method->needs_errors;
    engine.accelerations = result->options.method->needs_accelerations;
    engine.jackknife = result->options.method->needs_jackknife;
    engine.abc = result->options.method->needs_abc;
    engine.calibration = result->options.method->needs_calibration;
    engine.checkpoint = options->checkpoint;
    engine.watch = options->watch;
    engine.team = options->team;
    if (options->precision > 0) {
        BD_TRY(until_precise(units, statistic, &engine, arena, result));
    } else {
        BD_TRY(bd_resample(units, statistic, &engine, arena, &result->replicates));
        BD_TRY(intervals(result, arena));
    }
    *out = result;
    return BD_OK;
}

static size_t usable(const bd_replicates *replicates)
{
    return replicates->n_ended[BD_REPLICATE_USABLE];
}

static bd_status warnings(const bd_bootstrap_result *result, bd_arena *arena, bd_document *document)
{
    const char *reasons;
    const bd_replicates *replicates = result->replicates;
    const size_t n_failed = replicates->n_replicates - usable(replicates);
    bool too_few = false;
    for (size_t j = 0; j < replicates->n_values; j++)
        too_few |= result->ends[j].too_few;
    if (too_few)
        BD_TRY(bd_document_say(document, BD_WARNING,
                               "%zu replicates are too few for the ends of a %g %% interval; 10000 are the default.",
                               usable(replicates), 100 * result->options.level));
    if (result->options.precision > 0 && result->reached > result->options.precision)
        BD_TRY(bd_document_say(document, BD_WARNING, "The precision asked for was not reached with %d replicates.",
                               BD_MOST_REPLICATES));
    if (n_failed > 0) {
        BD_TRY(bd_replicate_reasons(replicates, arena, &reasons));
        BD_TRY(bd_document_say(document, BD_WARNING,
                               "%zu of %zu replicates could not be estimated (%s) and are left out of the intervals.",
                               n_failed, replicates->n_replicates, reasons));
    }
    if (replicates->n_alone > 0)
        BD_TRY(bd_document_say(document, BD_WARNING,
                               "%zu of %zu %s are alone in their stratum and so the same in every sample: the intervals "
                               "are too short for them.",
                               replicates->n_alone, replicates->n_units, result->unit));
    if (result->options.sampling->needs_clusters && replicates->n_units < 20)
        BD_TRY(bd_document_say(document, BD_WARNING,
                               "Only %zu clusters were resampled; with fewer than about 20 a cluster bootstrap is too "
                               "sure of itself. Compare with --se cr2 and, in a regression, --wild rademacher.",
                               replicates->n_units));
    return BD_OK;
}

/* How many replicates ended so; the ends that only iterations know are left out when there are none. */
static bd_status failed_fact(const bd_replicates *replicates, bd_replicate_end end, bd_arena *arena, bd_document *document)
{
    const char *heading;
    if (replicates->n_ended[end] == 0 && end != BD_REPLICATE_COLLINEAR && end != BD_REPLICATE_CONSTANT)
        return BD_OK;
    BD_TRY(bd_print(arena, &heading, "Replicates failed, %s", bd_replicate_end_name(end)));
    return bd_document_fact_in(document, "replicates.failed", bd_replicate_end_name(end), heading, BD_COUNT,
                               bd_number((double)replicates->n_ended[end]));
}

bd_status bd_bootstrap_document(const bd_bootstrap_result *result, bd_arena *arena, bd_document *document)
{
    const bd_replicates *replicates = result->replicates;
    const bd_bootstrap_options *options = &result->options;
    const bool drawn = options->sampling->errors != NULL;
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "Intervals: %g %%, %s bootstrap%s%s%s, %zu replicates of %zu %s%s%s; p values by inverting "
                           "them. MC SE: what another seed would move an end by.",
                           100 * options->level, options->method->name, drawn ? " (" : "",
                           drawn ? options->sampling->name : "", drawn ? ")" : "", replicates->n_replicates,
                           replicates->n_units, result->unit, result->strata ? " within strata of " : "",
                           result->strata ? result->strata : ""));
    if (replicates->n_subset > 0)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "Approximate: the replicates are drawn from 20 subsets of %zu rows (bag of little "
                               "bootstraps).",
                               replicates->n_subset));
    if (result->n_kinds > 0)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "Of the %zu rows only %zu are different; how often each of these occurs was drawn, which "
                               "has the same distribution.",
                               replicates->n_units, result->n_kinds));
    if (options->precision > 0)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "The Monte-Carlo error of an end was to be at most %g of the bootstrap's standard error; "
                               "after %zu replicates the largest is %.4f.",
                               options->precision, replicates->n_replicates, result->reached));
    if (options->method->needs_errors)
        BD_TRY(bd_document_say(document, BD_NOTE, "Studentised by the classical standard error of each replicate."));
    if (drawn)
        BD_TRY(bd_document_say(document, BD_NOTE, "%s", result->drawn));
    if (options->method->note != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "%s", options->method->note));
    BD_TRY(warnings(result, arena, document));
    BD_TRY(bootstrap_histogram(result, arena, document));
    BD_TRY(bd_document_fact(document, "seed", "Seed", BD_COUNT, bd_number((double)options->seed)));
    BD_TRY(bd_document_fact(document, "interval", "Interval", BD_TEXT, bd_text(options->method->name)));
    BD_TRY(bd_document_fact(document, "resampled", "Resampled", BD_TEXT, bd_text(result->unit)));
    BD_TRY(bd_document_fact(document, "replicates.asked", "Replicates asked", BD_COUNT,
                            bd_number((double)replicates->n_replicates)));
    BD_TRY(bd_document_fact(document, "replicates.usable", "Replicates usable", BD_COUNT,
                            bd_number((double)usable(replicates))));
    for (bd_replicate_end end = BD_REPLICATE_COLLINEAR; end < BD_N_REPLICATE_ENDS; end++)
        BD_TRY(failed_fact(replicates, end, arena, document));
    return BD_OK;
}

void bd_bootstrap_cells(const bd_interval_ends *ends, bd_cell *cells)
{
    const double values[BD_BOOTSTRAP_CELLS] = {ends->boot_se, ends->p,         ends->low,
                                               ends->high,    ends->mc_se_low, ends->mc_se_high};
    for (size_t i = 0; i < BD_BOOTSTRAP_CELLS; i++)
        cells[i] = bd_number(values[i]);
}

static void save_name(FILE *stream, const char *name)
{
    putc('"', stream);
    for (; *name != '\0'; name++) {
        if (*name == '"')
            putc('"', stream);
        putc(*name, stream);
    }
    putc('"', stream);
}

bd_status bd_bootstrap_save(const bd_bootstrap_result *result, FILE *stream)
{
    const bd_replicates *replicates = result->replicates;
    fputs("replicate", stream);
    for (size_t j = 0; j < replicates->n_values; j++) {
        putc(',', stream);
        save_name(stream, replicates->names[j]);
    }
    for (size_t r = 0; r < replicates->n_replicates; r++) {
        fprintf(stream, "\n%zu", r + 1);
        for (size_t j = 0; j < replicates->n_values; j++) {
            const double value = replicates->values[j * replicates->n_replicates + r];
            if (isnan(value))
                putc(',', stream);
            else
                fprintf(stream, ",%.17g", value);
        }
    }
    putc('\n', stream);
    if (ferror(stream) || fflush(stream) != 0)
        return bd_fail(BD_EIO, "cannot write the replicates: %s", strerror(errno));
    return BD_OK;
}
