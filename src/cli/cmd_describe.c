/* bordin describe FILE [column ...] */
#include <bordin/analyses/description.h>

#include <string.h>

#include "cli.h"

static struct poptOption options[] = {
    {"by", 0, POPT_ARG_STRING, &cli.by, 0, "describe each group of this column as well", "NAME"},
    {"cluster", 0, POPT_ARG_STRING, &cli.cluster, 0, "column of clusters, such as therapists, for ICC(1)", "NAME"},
    {"no-correlations", 0, POPT_ARG_NONE, &cli.no_correlations, 0, "leave the correlations out", NULL},
    CLI_INCLUDE(cli_where_options, "Rows:"),
    CLI_INCLUDE(cli_reading_options, "Reading:"),
    CLI_INCLUDE(cli_output_options, "Output:"),
    POPT_TABLEEND};

/* A list of columns to read, each once: the first use that is asked of one counts. */
typedef struct wishes {
    bd_wanted *items;
    size_t n, capacity;
} wishes;

static bd_status wish(wishes *list, const char *name, bd_use use, bd_arena *arena)
{
    if (name == NULL)
        return BD_OK;
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return BD_OK;
    BD_PUSH(arena, list->items, list->n, list->capacity, ((bd_wanted){name, use}));
    return BD_OK;
}

/* Reads the columns that were named, or all. */
static bd_status read_table(const char *file, const char *const *names, size_t n_names, bd_arena *arena,
                            const bd_table **table)
{
    bd_csv_options csv;
    const bd_wanted *wanted;
    wishes list = {0};
    size_t n_wanted;
    BD_TRY(cli_csv(arena, &csv));
    if (n_names == 0)
        return bd_csv_read(file, NULL, 0, &csv, arena, table);
    BD_TRY(bd_where_wanted(cli.where, arena, &wanted, &n_wanted));
    for (size_t i = 0; i < n_wanted; i++)
        BD_TRY(wish(&list, wanted[i].name, wanted[i].use, arena));
    for (size_t i = 0; i < n_names; i++)
        BD_TRY(wish(&list, names[i], BD_USE_ANY, arena));
    BD_TRY(wish(&list, cli.by, BD_USE_CATEGORIES, arena));
    BD_TRY(wish(&list, cli.cluster, BD_USE_CATEGORIES, arena));
    return bd_csv_read(file, list.items, list.n, &csv, arena, table);
}

static bd_status describe(size_t n_arguments, const char *const *arguments, bd_arena *arena)
{
    bd_description_options request = BD_DESCRIPTION_DEFAULTS;
    const bd_table *table;
    const bd_description *description;
    bd_document *document;
    if (n_arguments == 0)
        return bd_fail(BD_EUSAGE, "describe takes a file and columns: bordin describe trial.csv phq9 alliance");
    request.n_columns = n_arguments - 1;
    request.columns = n_arguments > 1 ? arguments + 1 : NULL;
    request.by = cli.by;
    request.cluster = cli.cluster;
    request.no_correlations = cli.no_correlations != 0;
    BD_TRY(cli_level(&request.level));
    BD_TRY(cli_threads(&request.n_threads));
    BD_TRY(cli_check_outputs(arguments[0], arena));
    BD_TRY(read_table(arguments[0], request.columns, request.n_columns, arena, &table));
    BD_TRY(bd_where_rows(table, cli.where, arena, &request.rows, &request.n_rows));
    BD_TRY(bd_describe(table, &request, arena, &description));
    BD_TRY(bd_description_document(description, arena, &document));
    return cli_write(document, table, arena);
}

const cli_command cli_describe = {
    .name = "describe",
    .summary = "columns, groups, correlations, ICC(1), missing values",
    .arguments = "FILE [COLUMN ...]",
    .example = "bordin describe datasets/jobs2_mediation/jobs.csv depress1 job_seek depress2 comply --by treat",
    .text = "Describes the columns of a file, or those that are named: numbers by moments and quartiles, text by the\n"
            "frequency of its levels, each also by group; correlations with their intervals; with --cluster, how much\n"
            "of the variance lies between clusters, ICC(1); and which values are missing together. FILE is CSV, gzip\n"
            "or not; - reads standard input.",
    .options = options,
    .run = describe,
};
