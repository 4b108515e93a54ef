/* The engine: rounds of batches shared among threads and processes. */
#include <bordin/resampling/resample.h>

#include <math.h>
#include <string.h>

#include <omp.h>

#include "resampling/abc.h"
#include "resampling/batch.h"
#include "resampling/calibrated.h"
#include "resampling/checkpoint.h"
#include "resampling/distinct.h"
#include "resampling/influence.h"
#include "resampling/jackknife.h"
#include "resampling/round.h"
#include "resampling/weighted.h"

static const double round_seconds = 0.2;

typedef struct run {
    batch_task task;
    const bd_resampling_options *options;
    batch_workspace *workspaces;
    int n_threads;
    checkpoint saved; /* path NULL: none */
    double last_saved, save_seconds; /* when, and how long it took */
} run;

static const char *const end_names[BD_N_REPLICATE_ENDS] = {"usable", "collinear", "constant", "separated",
                                                           "not converged"};

const char *bd_replicate_end_name(bd_replicate_end end)
{
    return end_names[end];
}

/* Every row once. */
static bd_status full_weights(const bd_statistic *statistic, bd_arena *arena, double *values, double *errors,
                              bd_replicate_end *end)
{
    double *weights, *scratch;
    BD_NEW(arena, weights, statistic->columns->n_rows);
    BD_NEW(arena, scratch, statistic->n_scratch + 1);
    for (size_t i = 0; i < statistic->columns->n_rows; i++)
        weights[i] = 1;
    *end = statistic->from_weights(statistic->context, weights, scratch, values, errors);
    return BD_OK;
}

static bd_status full_sample(const bd_units *units, const bd_statistic *statistic, bool errors_too, bd_arena *arena,
                             bd_replicates *replicates)
{
    const size_t q = units->q;
    double *scratch, *values, *errors = NULL;
    bd_replicate_end end = BD_REPLICATE_USABLE;
    BD_NEW(arena, values, statistic->n_values);
    if (errors_too)
        BD_NEW(arena, errors, statistic->n_values);
    const bd_mark mark = bd_arena_mark(arena);
    BD_NEW(arena, scratch, 2 * q * q + 1);
    if (statistic->from_weights != NULL)
        BD_TRY(full_weights(statistic, arena, values, errors, &end));
    else
        end = statistic_at(statistic, units->rotation, units->full, scratch, values, errors);
    bd_arena_rewind(arena, mark);
    if (end != BD_REPLICATE_USABLE)
        return bd_fail(BD_ENUMERIC, "the sample itself cannot be estimated (%s)", bd_replicate_end_name(end));
    replicates->estimates = values;
    replicates->errors = errors;
    return BD_OK;
}

bd_status bd_replicate_reasons(const bd_replicates *replicates, bd_arena *arena, const char **text)
{
    *text = "";
    for (int end = BD_REPLICATE_USABLE + 1; end < BD_N_REPLICATE_ENDS; end++)
        if (replicates->n_ended[end] > 0)
            BD_TRY(bd_print(arena, text, "%s%s%s: %zu", *text, **text != '\0' ? ", " : "", end_names[end],
                            replicates->n_ended[end]));
    return BD_OK;
}

bd_status count_replicates(bd_replicates *replicates, double max_failed, bd_arena *arena)
{
    const size_t n = replicates->n_replicates;
    for (size_t i = 0; i < n; i++)
        replicates->n_ended[replicates->ends[i]]++;
    const size_t failed = n - replicates->n_ended[BD_REPLICATE_USABLE];
    if ((double)failed <= max_failed * (double)n)
        return BD_OK;
    const char *reasons;
    BD_TRY(bd_replicate_reasons(replicates, arena, &reasons));
    return bd_fail(BD_ENUMERIC, "%zu of %zu replicates could not be estimated (%s), more than the %g %% that an interval "
                                "tolerates",
                   failed, n, reasons, 100 * max_failed);
}

/* Replicates starts[rank] .. starts[rank + 1] of every value, from every rank to all. */
static bd_status share(const run *r, const size_t *starts)
{
    const bd_team *team = r->options->team;
    const batch_task *t = &r->task;
    BD_TRY(bd_team_agree(team));
    for (size_t v = 0; v < t->statistic->n_values; v++) {
        BD_TRY(team->share(team->context, t->values + v * t->n_replicates, sizeof(double), starts));
        if (t->errors != NULL)
            BD_TRY(team->share(team->context, t->errors + v * t->n_replicates, sizeof(double), starts));
    }
    return team->share(team->context, t->ends, sizeof *t->ends, starts);
}

static bd_status compute(const run *r, size_t first, size_t end, bd_arena *arena)
{
    bd_status (*run_some)(const batch_task *, batch_workspace *, int, size_t, size_t, bd_arena *) = round_run;
    if (r->task.statistic->from_weights != NULL)
        run_some = weighted_run;
    else if (r->task.units->frequencies != NULL)
        run_some = distinct_run;
    return run_some(&r->task, r->workspaces, r->n_threads, first, end, arena);
}

static bd_status run_round(const run *r, size_t first, size_t end, bd_arena *arena)
{
    const bd_team *team = r->options->team;
    if (team == NULL)
        return compute(r, first, end, arena);
    const bd_mark mark = bd_arena_mark(arena);
    size_t *starts;
    BD_NEW(arena, starts, team->n_ranks + 1);
    for (size_t rank = 0; rank <= team->n_ranks; rank++)
        starts[rank] = first + (end - first) * rank / team->n_ranks;
    BD_TRY(compute(r, starts[team->rank], starts[team->rank + 1], arena));
    BD_TRY(share(r, starts));
    bd_arena_rewind(arena, mark);
    return BD_OK;
}

/* The same for every member of a team. */
static double agreed(const run *r, double value)
{
    const bd_team *team = r->options->team;
    return team == NULL ? value : team->largest(team->context, value);
}

static bool stopped(const run *r, size_t n_done)
{
    const bd_watch *watch = r->options->watch;
    const bool stop = watch != NULL && !watch->go_on(watch->context, n_done, r->task.n_replicates);
    return agreed(r, stop) > 0;
}

static bd_status save(run *r, size_t n_done)
{
    const bd_team *team = r->options->team;
    if (r->saved.path == NULL || (team != NULL && team->rank > 0))
        return BD_OK;
    const double start = omp_get_wtime();
    BD_TRY(checkpoint_save(&r->saved, &r->task, n_done));
    r->last_saved = omp_get_wtime();
    r->save_seconds = r->last_saved - start;
    return BD_OK;
}

/* Saving never takes more than a small part of the time. */
static bool save_is_due(const run *r)
{
    const double least = r->options->checkpoint_seconds;
    return least <= 0 || omp_get_wtime() - r->last_saved > fmax(least, 20 * r->save_seconds);
}

/* Rounds grow until each takes long enough that nothing is lost between them, unless nobody waits for their end. */
static bd_status run_rounds(run *r, size_t n_done, bd_arena *arena)
{
    const size_t n = r->task.n_replicates;
    const size_t n_ranks = r->options->team == NULL ? 1 : r->options->team->n_ranks;
    const bool in_rounds = agreed(r, r->options->watch != NULL || r->saved.path != NULL) > 0;
    const size_t least = BATCH * (size_t)r->n_threads * n_ranks, most = n_ranks * round_most(&r->task, r->n_threads);
    size_t round = in_rounds ? 4 * least : n;
    for (;;) {
        if (stopped(r, n_done) && n_done < n) {
            BD_TRY(save(r, n_done));
            return bd_fail(BD_ESTOPPED, r->saved.path ? "stopped after %zu of %zu replicates, which are in %s; the same "
                                                        "command goes on from there"
                                                      : "stopped after %zu of %zu replicates",
                           n_done, n, r->saved.path);
        }
        if (n_done == n)
            return BD_OK;
        round = round > most ? most : round;
        const size_t end = n - n_done < round ? n : n_done + round;
        const double start = omp_get_wtime();
        BD_TRY(run_round(r, n_done, end, arena));
        n_done = end;
        const double seconds = agreed(r, omp_get_wtime() - start);
        if (seconds < round_seconds / 2)
            round *= 2;
        else if (in_rounds && seconds > 2 * round_seconds && round / 2 >= least)
            round /= 2;
        if (n_done == n || save_is_due(r))
            BD_TRY(save(r, n_done));
    }
}

static void take_over(const bd_replicates *earlier, const batch_task *task)
{
    const size_t n = earlier->n_replicates;
    for (size_t v = 0; v < earlier->n_values; v++) {
        memcpy(task->values + v * task->n_replicates, earlier->values + v * n, n * sizeof(double));
        if (task->errors != NULL)
            memcpy(task->errors + v * task->n_replicates, earlier->value_errors + v * n, n * sizeof(double));
    }
    memcpy(task->ends, earlier->ends, n);
}

/* All ranks must have read the same. */
static bd_status compare_data(const run *r)
{
    const bd_team *team = r->options->team;
    const double sum = checksum_of_run(&r->task);
    BD_TRY(bd_team_agree(team));
    if (!bd_team_same(team, sum))
        return bd_fail(BD_EDATA, "the ranks have read different data");
    return BD_OK;
}

/* The first rank's checkpoint is that of all. */
static bd_status load(run *r, bd_arena *arena, size_t *n_done)
{
    const bd_team *team = r->options->team;
    const bool mine = team == NULL || team->rank == 0;
    size_t *starts;
    BD_TRY(checkpoint_of(r->options->checkpoint, &r->task, arena, &r->saved));
    if (mine)
        BD_TRY(checkpoint_load(&r->saved, &r->task, arena, n_done));
    if (mine && *n_done == 0)
        BD_TRY(save(r, 0)); /* a file that cannot be written is better known at once */
    if (team == NULL)
        return BD_OK;
    BD_NEW(arena, starts, team->n_ranks + 1);
    BD_TRY(bd_team_agree(team));
    *n_done = (size_t)team->largest(team->context, (double)*n_done);
    for (size_t rank = 1; rank <= team->n_ranks; rank++)
        starts[rank] = *n_done;
    return share(r, starts);
}

/* *n_done <- the replicates that are there before any is computed. */
static bd_status begin(run *r, bd_arena *arena, bd_replicates *replicates, size_t *n_done)
{
    const bd_replicates *earlier = r->options->earlier;
    *n_done = 0;
    if (r->options->team != NULL)
        BD_TRY(compare_data(r));
    if (r->options->checkpoint != NULL)
        BD_TRY(load(r, arena, n_done));
    replicates->n_resumed = *n_done;
    if (earlier != NULL && earlier->n_replicates <= r->task.n_replicates && earlier->n_replicates > *n_done) {
        take_over(earlier, &r->task);
        *n_done = earlier->n_replicates;
    }
    r->last_saved = omp_get_wtime();
    return BD_OK;
}

static bd_status new_run(const bd_units *units, const bd_statistic *statistic, const bd_resampling_options *options,
                         bd_arena *arena, run *r)
{
    *r = (run){.options = options, .n_threads = options->n_threads > 0 ? options->n_threads : omp_get_max_threads()};
    batch_task *task = &r->task;
    *task = (batch_task){.units = units,
                         .statistic = statistic,
                         .kernel = batch_kernel(),
                         .seed = options->seed,
                         .n_replicates = options->n_replicates};
    BD_NEW(arena, task->values, statistic->n_values * options->n_replicates);
    if (options->standard_errors)
        BD_NEW(arena, task->errors, statistic->n_values * options->n_replicates);
    BD_NEW(arena, task->ends, options->n_replicates);
    return BD_OK;
}

/* What intervals need besides replicates. */
static bd_status find_others(const run *r, bd_arena *arena, bd_replicates *replicates)
{
    const bd_resampling_options *options = r->options;
    const bd_statistic *statistic = r->task.statistic;
    const bd_units *drawn = r->task.units->first_stage ? r->task.units->first_stage : r->task.units;
    double *accelerations = NULL, *jackknife_errors = NULL;
    if (statistic->from_weights != NULL && (options->accelerations || options->jackknife))
        BD_TRY(weighted_jackknife(drawn, statistic, r->n_threads, arena, &jackknife_errors, &accelerations));
    else if (options->accelerations)
        BD_TRY(find_accelerations(drawn, statistic, r->n_threads, arena, &accelerations));
    replicates->accelerations = accelerations;
    if (statistic->from_weights == NULL && options->jackknife)
        BD_TRY(find_jackknife_errors(drawn, statistic, r->n_threads, arena, &jackknife_errors));
    replicates->jackknife_errors = jackknife_errors;
    if (options->abc)
        BD_TRY(find_abc(drawn, statistic, r->n_threads, arena, &replicates->abc));
    if (options->calibration)
        BD_TRY(find_inner_shares(&r->task, options, r->n_threads, arena, replicates));
    replicates->jackknife_df = (double)(drawn->n_units - drawn->n_strata);
    return BD_OK;
}

bd_status bd_resample(const bd_units *units, const bd_statistic *statistic, const bd_resampling_options *options,
                      bd_arena *arena, const bd_replicates **out)
{
    bd_replicates *replicates;
    size_t n_done;
    run r;
    if (options->n_replicates == 0 || options->n_replicates > UINT32_MAX)
        return bd_fail(BD_EUSAGE, "%zu is not a number of replicates", options->n_replicates);
    if (options->abc)
        BD_TRY(check_abc(units, statistic));
    if (options->calibration)
        BD_TRY(check_calibration(units, statistic));
    BD_NEW(arena, replicates, 1);
    BD_TRY(new_run(units, statistic, options, arena, &r));
    *replicates = (bd_replicates){
        .n_values = statistic->n_values,
        .n_replicates = options->n_replicates,
        .n_units = bd_units_count(units),
        .n_alone = units->n_alone,
        .names = statistic->names,
        .values = r.task.values,
        .value_errors = r.task.errors,
        .ends = r.task.ends,
    };
    BD_TRY(full_sample(units, statistic, options->standard_errors, arena, replicates));
    r.task.estimates = replicates->estimates;
    BD_TRY(begin(&r, arena, replicates, &n_done));
    const bd_mark mark = bd_arena_mark(arena);
    BD_TRY(batch_workspaces(&r.task, (size_t)r.n_threads, arena, &r.workspaces));
    BD_TRY(run_rounds(&r, n_done, arena));
    bd_arena_rewind(arena, mark);
    BD_TRY(count_replicates(replicates, options->max_failed, arena));
    BD_TRY(find_others(&r, arena, replicates));
    *out = replicates;
    return BD_OK;
}
