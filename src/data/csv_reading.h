/* A file in the course of being read. */
#ifndef BORDIN_SRC_DATA_CSV_READING_H
#define BORDIN_SRC_DATA_CSV_READING_H

#include "data/csv_block.h"

/* A column as it grows. */
typedef struct column_store {
    bd_block *block;
    double *numbers; /* what is in it: numbers, or codes */
    uint32_t *codes;
    dictionary dictionary;
    size_t n_missing;
} column_store;

typedef struct reading {
    const char *path;
    const bd_wanted *wanted;
    size_t n_wanted;
    const bd_csv_options *options;
    csv_input *input;
    csv_format format;
    const char **header;
    size_t n_header, header_room;
    csv_block *blocks;
    size_t n_blocks;
    column_store *stores; /* n_slots */
    size_t n_rows, rows_room, n_lines;
    uint64_t n_bytes;
    uint32_t checksum;
    bool shared;   /* among the ranks of a team, each with the records from `from` on */
    uint64_t from;
    bd_arena *arena;
} reading;

/* From the first block: the delimiter, the names, the slots that are wanted and what they hold; first->skip. */
BD_CHECKED bd_status csv_read_header(reading *r, csv_block *first);

/* Room for so many rows in every column. */
BD_CHECKED bd_status csv_reserve_rows(reading *r, size_t rows);

/* Under a team, unless the file is small or cannot be read from the middle: the input is restricted to the records of this
 * rank, of which the first block is read. `first` held the head of the file. */
BD_CHECKED bd_status csv_share_begin(reading *r, csv_block *first);

/* Lines before the rank's share: to say where something is wrong. */
BD_CHECKED bd_status csv_share_lines(const reading *r, size_t *n_lines);

/* The rows of every rank, to all; in the order of the file. */
BD_CHECKED bd_status csv_share_rows(reading *r);

#endif
