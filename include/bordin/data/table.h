/* A table: named columns of numbers or of categories, as read from one file. Nothing else knows where data come from. */
#ifndef BORDIN_DATA_TABLE_H
#define BORDIN_DATA_TABLE_H

#include <stdint.h>

#include <bordin/core/arena.h>

typedef enum bd_column_kind { BD_NUMBERS, BD_CATEGORIES } bd_column_kind;

typedef struct bd_column {
    const char *name;
    bd_column_kind kind;
    const double *numbers;     /* BD_NUMBERS: n_rows, NaN where missing, else finite; otherwise NULL */
    const uint32_t *codes;     /* BD_CATEGORIES: n_rows, 0 where missing, k for levels[k - 1]; otherwise NULL */
    const char *const *levels; /* as written in the file; sorted as numbers when all are numbers, else by bytes */
    size_t n_levels;
    size_t n_missing;
} bd_column;

typedef struct bd_table {
    const char *source; /* what the user called it, for messages */
    size_t n_rows;
    size_t n_columns; /* the columns that were asked for, in the order of the file */
    const bd_column *columns;
    const char *const *header; /* every name in the file */
    size_t n_header;
    char delimiter;    /* as found or given */
    uint64_t n_bytes;  /* of the text, after decompression */
    uint32_t checksum; /* CRC-32 of those bytes */
} bd_table;

/* The column of that name, or NULL. */
const bd_column *bd_table_find(const bd_table *table, const char *name);

/* The column of that name. BD_EDATA when there is none: the message lists the nearest names in the file. */
BD_CHECKED bd_status bd_table_column(const bd_table *table, const char *name, const bd_column **column);

#endif
