/* Small files for the tests of the CSV reader, and what came of reading them. */
#ifndef BORDIN_TESTS_DATA_CSV_FILE_H
#define BORDIN_TESTS_DATA_CSV_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <bordin/data/csv.h>

#include "data/csv_read.h"

enum { BLOCK = 1 << 18 };

/* A file of that content; `path` becomes its name. */
static void write_bytes(char path[32], const void *bytes, size_t n)
{
    strcpy(path, "/tmp/bordin-csv-XXXXXX");
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, bytes, n), (ssize_t)n);
    assert_int_equal(close(descriptor), 0);
}

/* The last message, with the name of the file replaced by FILE. */
static const char *message_about(const char *path)
{
    static char text[4096];
    const char *message = bd_message(), *found = strstr(message, path);
    if (found == NULL)
        return message;
    snprintf(text, sizeof text, "%.*sFILE%s", (int)(found - message), message, found + strlen(path));
    return text;
}

typedef struct reading_case {
    const char *text;
    size_t n; /* 0: as long as the string */
    const bd_wanted *wanted;
    size_t n_wanted;
    bd_csv_options options;
    size_t block_size; /* 0: BLOCK; what a test varies it over starts here */
} reading_case;

static inline bd_status read_case(const reading_case *c, bd_arena *arena, const bd_table **table, const char **message)
{
    char path[32];
    bd_csv_options options = c->options;
    options.decimal = options.decimal ? options.decimal : '.';
    write_bytes(path, c->text, c->n > 0 ? c->n : strlen(c->text));
    const bd_status status = csv_read_blocks(path, c->wanted, c->n_wanted, &options,
                                             c->block_size > 0 ? c->block_size : BLOCK, arena, table);
    if (message != NULL)
        *message = message_about(path);
    unlink(path);
    return status;
}

#endif
