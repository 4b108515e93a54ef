/* The bytes of a file, plain or gzip, in blocks that end where a record does. */
#ifndef BORDIN_SRC_DATA_CSV_INPUT_H
#define BORDIN_SRC_DATA_CSV_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include <bordin/core/arena.h>

typedef struct csv_input csv_input;

/* Opens `path` ("-": standard input), to be read in blocks of about `block_size` bytes; closed with the arena.
 * BD_EIO: cannot be opened, a directory. */
BD_CHECKED bd_status csv_input_open(const char *path, size_t block_size, bd_arena *arena, csv_input **input);

/* What it is called in messages. */
const char *csv_input_name(const csv_input *input);

/* A buffer that grows as it must. */
typedef struct csv_bytes {
    char *data;
    size_t size, room;
} csv_bytes;

void csv_bytes_free(csv_bytes *bytes);

/* bytes <- the next block; of size 0 at the end of the file. BD_EIO: damaged. BD_EDATA: not text, by its first bytes. */
BD_CHECKED bd_status csv_input_read(csv_input *input, csv_bytes *bytes);

/* Bytes of the file; 0 where it cannot be read from the middle: a pipe, gzip. After the first block was read. */
uint64_t csv_input_size(const csv_input *input);

/* From now on reads the bytes from .. to, and nothing else. BD_EIO. */
BD_CHECKED bd_status csv_input_restrict(csv_input *input, uint64_t from, uint64_t to);

#endif
