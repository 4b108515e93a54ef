/* Reading through zlib, and cutting at the ends of records. */
#include "data/csv_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

struct csv_input {
    const char *name;
    gzFile file;
    size_t block_size;
    csv_bytes rest; /* read, but behind the last end of a record */
    bool started, at_end;
    uint64_t size; /* of the file; 0: not known */
    uint64_t left; /* bytes that may still be read */
};

static void close_input(void *object)
{
    csv_input *input = object;
    gzclose(input->file);
    csv_bytes_free(&input->rest);
}

void csv_bytes_free(csv_bytes *bytes)
{
    free(bytes->data);
    *bytes = (csv_bytes){0};
}

static bd_status reserve(csv_bytes *bytes, size_t room)
{
    if (room <= bytes->room)
        return BD_OK;
    char *data = realloc(bytes->data, room);
    if (data == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    bytes->data = data;
    bytes->room = room;
    return BD_OK;
}

bd_status csv_input_open(const char *path, size_t block_size, bd_arena *arena, csv_input **out)
{
    const bool standard = strcmp(path, "-") == 0;
    csv_input *input;
    struct stat about;
    BD_NEW(arena, input, 1);
    input->name = standard ? "standard input" : path;
    input->block_size = block_size;
    if (!standard && stat(path, &about) != 0)
        return bd_fail(BD_EIO, "%s: %s", path, errno == ENOENT ? "no such file" : strerror(errno));
    if (!standard && S_ISDIR(about.st_mode))
        return bd_fail(BD_EIO, "%s is a directory, not a file", path);
    errno = 0;
    input->file = standard ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rb");
    if (input->file == NULL)
        return bd_fail(BD_EIO, "%s: %s", input->name, errno != 0 ? strerror(errno) : "cannot be read");
    gzbuffer(input->file, 1 << 18);
    input->size = !standard && S_ISREG(about.st_mode) ? (uint64_t)about.st_size : 0;
    input->left = UINT64_MAX;
    *out = input;
    return bd_arena_defer(arena, close_input, input);
}

const char *csv_input_name(const csv_input *input)
{
    return input->name;
}

uint64_t csv_input_size(const csv_input *input)
{
    return gzdirect(input->file) ? input->size : 0;
}

bd_status csv_input_restrict(csv_input *input, uint64_t from, uint64_t to)
{
    if (gzseek(input->file, (z_off_t)from, SEEK_SET) < 0)
        return bd_fail(BD_EIO, "%s: cannot be read from the middle", input->name);
    input->rest.size = 0;
    input->started = from > 0;
    input->at_end = false;
    input->left = to - from;
    return BD_OK;
}

/* Where the last record that ends within the text ends: behind the last newline outside quotes; 0 when there is none. */
static size_t end_of_records(const char *text, size_t size)
{
    size_t end = 0, from = 0;
    for (bool quoted = false; from < size; quoted = !quoted) {
        const char *quote = memchr(text + from, '"', size - from);
        const size_t to = quote == NULL ? size : (size_t)(quote - text);
        const char *newline = quoted ? NULL : memrchr(text + from, '\n', to - from);
        if (newline != NULL)
            end = (size_t)(newline - text) + 1;
        from = to + 1;
    }
    return end;
}

/* zlib's word for what is wrong, which it gives with the file's name before it. */
static bd_status damaged(const csv_input *input)
{
    int code = Z_OK;
    const char *why = gzerror(input->file, &code), *colon = strstr(why, ": ");
    if (code == Z_MEM_ERROR)
        return bd_fail(BD_ENOMEM, "out of memory");
    if (code == Z_ERRNO)
        return bd_fail(BD_EIO, "%s: %s", input->name, strerror(errno));
    return bd_fail(BD_EIO, "%s is a damaged gzip file: %s", input->name, colon != NULL ? colon + 2 : why);
}

static bd_status read_more(csv_input *input, csv_bytes *bytes)
{
    BD_TRY(reserve(bytes, bytes->size + input->block_size));
    while (bytes->size < bytes->room && !input->at_end) {
        const size_t room = bytes->room - bytes->size, most = room < (1u << 30) ? room : 1u << 30;
        const size_t some = most < input->left ? most : (size_t)input->left;
        const int n = gzread(input->file, bytes->data + bytes->size, (unsigned)some);
        if (n < 0)
            return damaged(input);
        input->at_end = n == 0;
        bytes->size += (size_t)n;
        input->left -= (size_t)n;
    }
    return BD_OK;
}

/* A truncated gzip file ends without complaint until it is asked for. */
static bd_status check_end(const csv_input *input)
{
    int code = Z_OK;
    gzerror(input->file, &code);
    return code == Z_OK || code == Z_STREAM_END ? BD_OK : damaged(input);
}

/* Byte-order marks: UTF-8's is skipped, others are refused. */
static bd_status check_start(const csv_input *input, csv_bytes *bytes)
{
    const unsigned char *data = (const unsigned char *)bytes->data;
    if (bytes->size >= 2 && ((data[0] == 0xFF && data[1] == 0xFE) || (data[0] == 0xFE && data[1] == 0xFF)))
        return bd_fail(BD_EDATA, "%s is UTF-16 text; save it as CSV in UTF-8", input->name);
    if (bytes->size >= 4 && memcmp(data, "PK\3\4", 4) == 0)
        return bd_fail(BD_EDATA, "%s is a spreadsheet or a zip archive, not CSV text; save it as CSV in UTF-8", input->name);
    if (bytes->size >= 3 && data[0] == 0xEF && data[1] == 0xBB && data[2] == 0xBF) {
        bytes->size -= 3;
        memmove(bytes->data, bytes->data + 3, bytes->size);
    }
    return BD_OK;
}

bd_status csv_input_read(csv_input *input, csv_bytes *bytes)
{
    BD_TRY(reserve(bytes, input->rest.size + input->block_size));
    if (input->rest.size > 0)
        memcpy(bytes->data, input->rest.data, input->rest.size);
    bytes->size = input->rest.size;
    input->rest.size = 0;
    for (size_t end = 0; !input->at_end;) {
        BD_TRY(read_more(input, bytes));
        if (!input->started && bytes->size > 0) {
            BD_TRY(check_start(input, bytes));
            input->started = true;
        }
        if (input->at_end)
            return check_end(input);
        end = end_of_records(bytes->data, bytes->size);
        if (end == 0) {
            input->block_size *= 2; /* a record longer than a block */
            continue;
        }
        BD_TRY(reserve(&input->rest, bytes->size - end));
        if (bytes->size > end)
            memcpy(input->rest.data, bytes->data + end, bytes->size - end);
        input->rest.size = bytes->size - end;
        bytes->size = end;
        return BD_OK;
    }
    return BD_OK;
}
