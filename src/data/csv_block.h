/* One block of records, parsed: what it holds of each wanted column, or what is wrong with it. */
#ifndef BORDIN_SRC_DATA_CSV_BLOCK_H
#define BORDIN_SRC_DATA_CSV_BLOCK_H

#include <bordin/data/csv.h>

#include "data/csv_input.h"
#include "data/csv_number.h"
#include "data/dictionary.h"

enum { NOT_WANTED = -1 };

/* A column that is kept. */
typedef struct csv_slot {
    const char *name;
    bd_use use; /* BD_USE_ANY until the head of the file was seen */
    bool was_any;
    size_t field;
} csv_slot;

/* How every block is read. */
typedef struct csv_format {
    const char *source;
    char delimiter, decimal;
    const char *const *missing;
    const size_t *missing_lengths;
    size_t n_missing;
    locale_t c;
    size_t n_fields;
    const int *slot_of_field; /* n_fields, NOT_WANTED where there is none */
    csv_slot *slots;
    size_t n_slots;
} csv_format;

/* Values of one slot in one block. */
typedef struct csv_values {
    double *numbers;
    uint32_t *codes;       /* 0 where missing, else 1 + place in the block's dictionary */
    dictionary dictionary;
} csv_values;

typedef struct csv_block {
    csv_bytes bytes;
    size_t skip;        /* bytes of the header, in the first block */
    bool last;
    csv_values *values; /* n_slots */
    size_t n_rows, room, n_newlines;
    uint32_t checksum;
    bd_status status;
    char message[400];  /* "line %zu%s" is put together by csv.c */
    size_t line;        /* from 0, within the block */
} csv_block;

/* Parses; never fails itself: see block->status. */
void csv_block_parse(const csv_format *format, csv_block *block);

/* The fields of the first record of `text`: calls take(data, field, length) for each; *end <- where the record ends. */
BD_CHECKED bd_status csv_first_record(const csv_format *format, const csv_bytes *bytes,
                                      bd_status (*take)(void *data, const char *field, size_t length), void *data,
                                      size_t *end);

/* Decides what the slots of BD_USE_ANY hold, from the first rows of the first block. */
BD_CHECKED bd_status csv_decide_uses(csv_format *format, const csv_block *first);

/* Whether a value means missing. */
bool csv_is_missing(const csv_format *format, const char *text, size_t length);

/* Ends of lines among the first n of `size` bytes. */
size_t csv_line_ends(const char *text, size_t n, size_t size);

void csv_block_free(csv_block *block, size_t n_slots);

#endif
