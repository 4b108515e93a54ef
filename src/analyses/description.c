/* Description: which columns and rows, which groups, and what is computed of them. */
#include <bordin/analyses/description.h>

#include <string.h>

#include "analyses/description_internal.h"
#include "core/magnitude.h"

static bd_status choose_rows(const bd_table *table, const bd_description_options *options, bd_arena *arena,
                             bd_part *all)
{
    size_t *rows;
    *all = (bd_part){.rows = options->rows, .n_rows = options->n_rows};
    if (options->rows == NULL) {
        BD_NEW(arena, rows, table->n_rows);
        for (size_t i = 0; i < table->n_rows; i++)
            rows[i] = i;
        *all = (bd_part){.rows = rows, .n_rows = table->n_rows};
    }
    if (all->n_rows == 0)
        return bd_fail(BD_EDATA, "no rows to describe");
    for (size_t i = 0; i < all->n_rows; i++)
        if (all->rows[i] >= table->n_rows)
            return bd_fail(BD_EDATA, "there is no row %zu in a table of %zu rows", all->rows[i], table->n_rows);
    return BD_OK;
}

static bd_status named_columns(const bd_table *table, const bd_description_options *options, bd_described *columns)
{
    for (size_t j = 0; j < options->n_columns; j++) {
        for (size_t i = 0; i < j; i++)
            if (strcmp(options->columns[i], options->columns[j]) == 0)
                return bd_fail(BD_EUSAGE, "the column '%s' is asked for twice", options->columns[j]);
        BD_TRY(bd_table_column(table, options->columns[j], &columns[j].column));
    }
    return BD_OK;
}

static bd_status choose_columns(const bd_table *table, const bd_description_options *options, bd_arena *arena,
                                bd_description *description, bd_described **columns)
{
    const size_t most = options->columns != NULL ? options->n_columns : table->n_columns;
    size_t n = 0;
    BD_NEW(arena, *columns, most);
    if (options->columns != NULL) {
        BD_TRY(named_columns(table, options, *columns));
        n = most;
    } else {
        for (size_t j = 0; j < most; j++)
            if (&table->columns[j] != description->by && &table->columns[j] != description->cluster)
                (*columns)[n++].column = &table->columns[j];
    }
    if (n == 0)
        return bd_fail(BD_EDATA, "no columns to describe");
    description->columns = *columns;
    description->n_columns = n;
    return BD_OK;
}

static bd_status choose_groups(const bd_description_options *options, const bd_part *all, bd_arena *arena,
                               bd_description *description)
{
    bd_part *parts;
    size_t n = 1;
    BD_NEW(arena, parts, 1);
    parts[0] = *all;
    description->n_without_group = 0;
    if (description->by != NULL) {
        BD_TRY(bd_split(description->by, all, arena, &parts, &n));
        if (n == 1)
            return bd_fail(BD_EDATA, "'%s' has no value in the %zu rows", options->by, all->n_rows);
        if (n - 1 > BD_MOST_GROUPS)
            return bd_fail(BD_EDATA, "'%s' makes %zu groups; at most %d are described", options->by, n - 1,
                           BD_MOST_GROUPS);
        description->n_without_group = all->n_rows;
        for (size_t g = 1; g < n; g++)
            description->n_without_group -= parts[g].n_rows;
    }
    description->parts = parts;
    description->n_parts = n;
    return BD_OK;
}

/* The same column in other units if its squares could overflow or vanish: correlations and ICCs have none. */
static bd_status in_units(const bd_described *described, size_t n_rows, bd_arena *arena, const bd_column **column)
{
    const bd_summary *all = &described->parts[0];
    const double largest = fmax(fabs(all->min), fabs(all->max));
    double *numbers;
    bd_column *copy;
    *column = described->column;
    if (all->n == 0 || magnitude_is_ordinary(largest))
        return BD_OK;
    BD_NEW(arena, copy, 1);
    BD_NEW(arena, numbers, n_rows);
    *copy = *described->column;
    for (size_t i = 0; i < n_rows; i++)
        numbers[i] = copy->numbers[i] * magnitude_unit(largest);
    copy->numbers = numbers;
    *column = copy;
    return BD_OK;
}

static bd_status relate_numbers(const bd_description_options *options, bd_arena *arena, bd_description *description)
{
    const bd_column **numbers;
    size_t n = 0;
    BD_NEW(arena, numbers, description->n_columns);
    for (size_t j = 0; j < description->n_columns; j++)
        if (description->columns[j].column->kind == BD_NUMBERS)
            BD_TRY(in_units(&description->columns[j], description->table->n_rows, arena, &numbers[n++]));
    description->too_many_to_correlate = !options->no_correlations && options->columns == NULL && n > BD_FEW_COLUMNS;
    if (!options->no_correlations && !description->too_many_to_correlate)
        BD_TRY(bd_correlate(&description->parts[0], numbers, n, options->n_threads, arena, description));
    return description->cluster == NULL ? BD_OK
                                        : bd_intraclass(&description->parts[0], numbers, n, arena, description);
}

bd_status bd_describe(const bd_table *table, const bd_description_options *options, bd_arena *arena,
                      const bd_description **out)
{
    bd_description *description;
    bd_described *columns;
    bd_part all;
    if (!(options->level > 0 && options->level < 1))
        return bd_fail(BD_EUSAGE, "the level must lie between 0 and 1, not be %g", options->level);
    BD_NEW(arena, description, 1);
    description->table = table;
    description->level = options->level;
    if (options->by != NULL)
        BD_TRY(bd_table_column(table, options->by, &description->by));
    if (options->cluster != NULL)
        BD_TRY(bd_table_column(table, options->cluster, &description->cluster));
    BD_TRY(choose_rows(table, options, arena, &all));
    BD_TRY(choose_columns(table, options, arena, description, &columns));
    BD_TRY(choose_groups(options, &all, arena, description));
    BD_TRY(bd_describe_columns(description->parts, description->n_parts, options->n_threads, arena, columns,
                               description->n_columns));
    BD_TRY(relate_numbers(options, arena, description));
    BD_TRY(bd_describe_missing(&all, arena, description));
    *out = description;
    return BD_OK;
}
