/* Reading a CSV file into a table: RFC 4180 through libcsv, in blocks, in parallel, gzip and standard input alike.
 *
 *     const bd_wanted wanted[] = {{"phq9", BD_USE_NUMBERS}, {"site", BD_USE_CATEGORIES}};
 *     bd_csv_options options = BD_CSV_DEFAULTS;
 *     BD_TRY(bd_csv_read("trial.csv", wanted, 2, &options, arena, &table));
 */
#ifndef BORDIN_DATA_CSV_H
#define BORDIN_DATA_CSV_H

#include <bordin/core/team.h>
#include <bordin/data/table.h>

typedef enum bd_use {
    BD_USE_ANY,        /* numbers if more than half of the values at the head of the file are numbers, else categories */
    BD_USE_NUMBERS,    /* a value that is not a number is an error with its line */
    BD_USE_CATEGORIES, /* every value is a label */
} bd_use;

typedef struct bd_wanted {
    const char *name;
    bd_use use;
} bd_wanted;

typedef struct bd_csv_options {
    char delimiter;             /* 0: the most frequent of comma, semicolon and tab in the header row */
    char decimal;               /* '.' or ',' */
    const char *const *missing; /* values that mean missing, beside the empty one and NA */
    size_t n_missing;
    int n_threads; /* 0: all */
    const bd_team *team; /* each rank parses a part of a large plain file, and gets what the others parsed; or NULL */
} bd_csv_options;

#define BD_CSV_DEFAULTS ((bd_csv_options){.decimal = '.'})

/* Reads the wanted columns (`wanted` NULL: all, as BD_USE_ANY) of the file `path` ("-": standard input). The table
 * lives in `arena`. The same table for any number of threads and ranks.
 * BD_EIO: no such file, a directory, a damaged gzip file. BD_EUSAGE: delimiter and decimal sign are the same.
 * BD_EDATA: empty file, no rows, not UTF-8 text, duplicate or unknown names, a row of another length, a quotation
 * mark that is never closed, a value that is not a finite number: each names line and column; the ranks' files differ.
 * BD_ESTOPPED: another rank failed. */
BD_CHECKED bd_status bd_csv_read(const char *path, const bd_wanted *wanted, size_t n_wanted,
                                 const bd_csv_options *options, bd_arena *arena, const bd_table **table);

#endif
