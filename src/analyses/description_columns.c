/* Summaries of columns: moments about the mean, quartiles by selection, counts of levels. */
#include <omp.h>

#include "analyses/description_internal.h"
#include "core/doubled.h"
#include "core/magnitude.h"
#include "core/quantile.h"

static void summarise_moments(const double *values, size_t count, bd_summary *summary)
{
    const double n = (double)count;
    double cubes = 0, fourths = 0;
    doubled sum = {0, 0}, sum_of_squares = {0, 0};
    for (size_t i = 0; i < count; i++)
        sum = doubled_add(sum, (doubled){values[i], 0});
    const doubled mean = doubled_divide(sum, n);
    for (size_t i = 0; i < count; i++) {
        const double d = (values[i] - mean.high) - mean.low;
        sum_of_squares = doubled_add(sum_of_squares, doubled_product(d, d));
    }
    const double squares = sum_of_squares.high, sd = sqrt(squares / n);
    for (size_t i = 0; i < count; i++) {
        const double z = ((values[i] - mean.high) - mean.low) / sd;
        cubes += z * z * z;
        fourths += z * z * z * z;
    }
    summary->mean = mean.high;
    summary->sd = sqrt(squares / (n - 1));
    if (count >= 3)
        summary->skewness = sqrt(n * (n - 1)) / (n - 2) * (cubes / n);
    if (count >= 4)
        summary->kurtosis = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (fourths / n - 3) + 6);
}

static void summarise_varying(double *values, size_t n, double largest, bd_summary *summary)
{
    const double unit = magnitude_unit(largest);
    for (size_t i = 0; i < n; i++)
        values[i] *= unit;
    summarise_moments(values, n, summary);
    summary->mean /= unit;
    summary->sd /= unit;
    summary->q1 = quantile_of(values, n, 0.25) / unit;
    summary->median = quantile_of(values, n, 0.5) / unit;
    summary->q3 = quantile_of(values, n, 0.75) / unit;
}

static void summarise_numbers(const bd_column *column, const bd_part *part, double *values, bd_summary *summary)
{
    size_t n = 0;
    double min = INFINITY, max = -INFINITY;
    for (size_t i = 0; i < part->n_rows; i++) {
        const double value = column->numbers[part->rows[i]];
        if (isnan(value))
            continue;
        values[n++] = value;
        min = value < min ? value : min;
        max = value > max ? value : max;
    }
    *summary = (bd_summary){.n = n, .n_missing = part->n_rows - n, .mean = NAN, .sd = NAN, .min = NAN, .q1 = NAN,
                            .median = NAN, .q3 = NAN, .max = NAN, .skewness = NAN, .kurtosis = NAN};
    if (n == 0)
        return;
    summary->min = min;
    summary->max = max;
    if (min < max) {
        summarise_varying(values, n, fmax(fabs(min), fabs(max)), summary);
    } else {
        summary->mean = summary->q1 = summary->median = summary->q3 = min;
        summary->sd = n < 2 ? NAN : 0;
    }
}

static void summarise_categories(const bd_column *column, const bd_part *part, size_t *counts, bd_summary *summary)
{
    size_t n = 0, n_levels = 0;
    for (size_t i = 0; i < part->n_rows; i++) {
        const uint32_t code = column->codes[part->rows[i]];
        if (code == 0)
            continue;
        n_levels += counts[code - 1]++ == 0;
        n++;
    }
    *summary = (bd_summary){
        .n = n, .n_missing = part->n_rows - n, .n_levels = n_levels, .counts = counts};
}

/* Where the results of one column go. */
typedef struct task {
    const bd_column *column;
    bd_summary *parts;
    size_t *counts; /* n_parts x n_levels */
} task;

static void run(const task *t, const bd_part *parts, size_t n_parts, double *values)
{
    for (size_t g = 0; g < n_parts; g++) {
        if (t->column->kind == BD_NUMBERS)
            summarise_numbers(t->column, &parts[g], values, &t->parts[g]);
        else
            summarise_categories(t->column, &parts[g], t->counts + g * t->column->n_levels, &t->parts[g]);
    }
}

bd_status bd_describe_columns(const bd_part *parts, size_t n_parts, int n_threads, bd_arena *arena,
                              bd_described *columns, size_t n_columns)
{
    const int available = n_threads > 0 ? n_threads : omp_get_max_threads();
    const int used = n_columns < (size_t)available ? (int)n_columns : available;
    task *tasks;
    double *values;
    BD_NEW(arena, tasks, n_columns);
    for (size_t j = 0; j < n_columns; j++) {
        tasks[j].column = columns[j].column;
        BD_NEW(arena, tasks[j].parts, n_parts);
        if (columns[j].column->kind == BD_CATEGORIES)
            BD_NEW(arena, tasks[j].counts, n_parts * columns[j].column->n_levels);
        columns[j].parts = tasks[j].parts;
    }
    const bd_mark scratch = bd_arena_mark(arena);
    BD_NEW(arena, values, (size_t)used * parts[0].n_rows);
#pragma omp parallel for schedule(dynamic) num_threads(used)
    for (size_t j = 0; j < n_columns; j++)
        run(&tasks[j], parts, n_parts, values + (size_t)omp_get_thread_num() * parts[0].n_rows);
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}
