/* Statistics from weighted rows: each replicate is drawn, spread over the rows, and estimated by itself. */
#include "resampling/weighted.h"

#include <math.h>

#include <omp.h>

static bd_replicate_end evaluate(const batch_task *task, batch_workspace *work, batch *own, size_t i)
{
    const bd_statistic *statistic = task->statistic;
    double *errors = task->errors == NULL ? NULL : work->values + statistic->n_values;
    if (statistic->from_draws != NULL)
        return statistic->from_draws(statistic->context, task->seed, (uint32_t)i, work->scratch, work->values);
    batch_draw_weights(task, work, own, i, work->weights);
    return statistic->from_weights(statistic->context, work->weights, work->scratch, work->values, errors);
}

bd_status weighted_run(const batch_task *task, batch_workspace *workspaces, int n_threads, size_t first, size_t end,
                       bd_arena *arena)
{
    const bd_mark mark = bd_arena_mark(arena);
    batch *batches;
    BD_NEW(arena, batches, n_threads);
    for (int t = 0; t < n_threads; t++)
        BD_TRY(batch_new(task, arena, &batches[t]));
#pragma omp parallel for num_threads(n_threads) schedule(dynamic) if (end - first > 1)
    for (size_t i = first; i < end; i++) {
        batch_workspace *work = &workspaces[omp_get_thread_num()];
        batch_keep(task, work, i, evaluate(task, work, &batches[omp_get_thread_num()], i));
    }
    bd_arena_rewind(arena, mark);
    return BD_OK;
}

/* Units of a stratum that are left out together: each n_groups-th from one of the first on. */
typedef struct left_out {
    size_t stratum, first, n_groups;
} left_out;

static bd_status groups_of(const bd_units *units, bd_arena *arena, left_out **groups, size_t *n)
{
    size_t capacity = 0;
    *groups = NULL;
    *n = 0;
    for (size_t s = 0; s < units->n_strata; s++) {
        const size_t n_units = units->strata[s].n_units;
        const size_t share = (n_units * WEIGHTED_GROUPS + units->n_units - 1) / units->n_units;
        const size_t n_groups = units->n_units <= WEIGHTED_GROUPS || n_units < 2 ? n_units : share < 2 ? 2 : share;
        for (size_t g = 0; g < n_groups; g++)
            BD_PUSH(arena, *groups, *n, capacity, ((left_out){s, g, n_groups}));
    }
    return BD_OK;
}

/* kept (n_units) <- 0 for the units left out, 1 for the others. */
static void leave_out(const bd_units *units, const left_out *group, double *kept)
{
    const unit_stratum *stratum = &units->strata[group->stratum];
    const size_t begin = units->blocks[stratum->first_block].first;
    for (size_t u = 0; u < units->n_units; u++)
        kept[u] = 1;
    for (size_t i = group->first; i < stratum->n_units; i += group->n_groups)
        kept[units_at(units, begin + i)] = 0;
}

/* What one thread works with. */
typedef struct bench {
    double *kept, *weights, *scratch;
} bench;

static bd_status new_benches(const bd_units *units, const bd_statistic *statistic, int n_threads, bd_arena *arena,
                             bench **benches)
{
    BD_NEW(arena, *benches, n_threads);
    for (int t = 0; t < n_threads; t++) {
        BD_NEW(arena, (*benches)[t].kept, units->n_units);
        BD_NEW(arena, (*benches)[t].weights, statistic->columns->n_rows);
        BD_NEW(arena, (*benches)[t].scratch, statistic->n_scratch + 1);
    }
    return BD_OK;
}

static void evaluate_without(const bd_units *units, const bd_statistic *statistic, const left_out *group,
                             const bench *work, double *values)
{
    const size_t n_rows = statistic->columns->n_rows;
    leave_out(units, group, work->kept);
    for (size_t i = 0; units->clusters != NULL && i < n_rows; i++)
        work->weights[i] = work->kept[units->clusters[i]];
    const double *weights = units->clusters != NULL ? work->weights : work->kept;
    if (statistic->from_weights(statistic->context, weights, work->scratch, values, NULL) != BD_REPLICATE_USABLE)
        for (size_t v = 0; v < statistic->n_values; v++)
            values[v] = NAN;
}

/* About the mean of each stratum: leaving a group out takes its influence away. */
static void sum_up(const left_out *groups, size_t n, const double *values, size_t stride, double *error,
                   double *acceleration)
{
    double variance = 0, second = 0, third = 0;
    for (size_t from = 0; from < n;) {
        const size_t n_groups = groups[from].n_groups;
        double mean = 0, squares = 0, cubes = 0;
        for (size_t g = from; g < from + n_groups; g++)
            mean += values[g * stride] / (double)n_groups;
        for (size_t g = from; g < from + n_groups; g++) {
            const double d = mean - values[g * stride];
            squares += d * d;
            cubes += d * d * d;
        }
        variance += ((double)n_groups - 1) / (double)n_groups * squares;
        second += squares;
        third += cubes;
        from += n_groups;
    }
    *error = sqrt(variance);
    *acceleration = third / (6 * second * sqrt(second));
}

bd_status weighted_jackknife(const bd_units *units, const bd_statistic *statistic, int n_threads, bd_arena *arena,
                             double **errors, double **accelerations)
{
    const size_t n_values = statistic->n_values;
    left_out *groups;
    bench *benches;
    double *values;
    size_t n;
    BD_NEW(arena, *errors, n_values);
    BD_NEW(arena, *accelerations, n_values);
    const bd_mark mark = bd_arena_mark(arena);
    BD_TRY(groups_of(units, arena, &groups, &n));
    BD_NEW(arena, values, n * n_values);
    BD_TRY(new_benches(units, statistic, n_threads, arena, &benches));
#pragma omp parallel for num_threads(n_threads) schedule(dynamic)
    for (size_t g = 0; g < n; g++)
        evaluate_without(units, statistic, &groups[g], &benches[omp_get_thread_num()], values + g * n_values);
    for (size_t v = 0; v < n_values; v++)
        sum_up(groups, n, values + v, n_values, &(*errors)[v], &(*accelerations)[v]);
    bd_arena_rewind(arena, mark);
    return BD_OK;
}
