/* Checkpoints: lines that identify the run, a number of replicates, their bytes, and a checksum of it all.
 *
 *     bordin checkpoint 1
 *     bordin 0.1.0
 *     seed 1
 *     rows 899 of 7 columns, checksum 8fca8fe2
 *     values total, direct, ...
 *     replicates 4096
 *     <values, replicate by replicate within each value; errors, if any; ends><checksum, 4 bytes> */
#include "resampling/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include <bordin/core/version.h>

static uint32_t checksum(uint32_t sum, const void *data, size_t n_bytes)
{
    return (uint32_t)crc32_z(sum, data, n_bytes);
}

static uint32_t checksum_of_units(const bd_units *units)
{
    uint32_t sum = checksum(0, units->rotation, units->q * units->q * sizeof(double));
    if (units->moments != NULL)
        sum = checksum(sum, units->moments, units->n_units * units->n_moments * sizeof(double));
    if (units->order != NULL)
        sum = checksum(sum, units->order, units->n_units * sizeof *units->order);
    sum = checksum(sum, units->blocks, units->n_blocks * sizeof *units->blocks);
    if (units->frequencies != NULL)
        sum = checksum(sum, units->frequencies, units->n_units * sizeof *units->frequencies);
    if (units->first_stage != NULL)
        sum = checksum_of_units(units->first_stage) ^ ~sum;
    const bd_columns *columns = units->moments == NULL ? units->columns : NULL;
    for (size_t j = 0; columns != NULL && j < columns->n_columns; j++)
        if (columns->values[j] != NULL)
            sum = checksum(sum, columns->values[j], columns->n_rows * sizeof(double));
    if (columns != NULL && columns->weights != NULL)
        sum = checksum(sum, columns->weights, columns->n_rows * sizeof(double));
    return sum;
}

uint32_t checksum_of_run(const batch_task *task)
{
    const uint32_t sum = checksum_of_units(task->units);
    if (task->statistic->from_weights == NULL)
        return sum;
    return checksum(sum, task->estimates, task->statistic->n_values * sizeof(double)); /* units know nothing of the data */
}

bd_status checkpoint_of(const char *path, const batch_task *task, bd_arena *arena, checkpoint *out)
{
    const bd_units *units = task->units;
    const bd_statistic *statistic = task->statistic;
    const char *names = statistic->names[0];
    for (size_t v = 1; v < statistic->n_values; v++)
        BD_TRY(bd_print(arena, &names, "%s, %s", names, statistic->names[v]));
    char *line;
    BD_TRY(bd_copy_text(arena, names, strlen(names), &names));
    BD_NEW(arena, line, strlen(names) + 1);
    for (size_t i = 0; names[i] != '\0'; i++)
        line[i] = names[i] == '\n' ? ' ' : names[i];
    out->path = path;
    return bd_print(arena, &out->identity,
                    "bordin checkpoint 1\nbordin %s\nseed %llu\n%zu units in %zu strata, %zu columns, checksum %08x\n"
                    "values%s: %s\n",
                    bd_version(), (unsigned long long)task->seed, units->n_units, units->n_strata, units->q,
                    (unsigned)checksum_of_run(task), task->errors != NULL ? " with errors" : "", line);
}

static size_t n_arrays(const batch_task *task)
{
    return task->statistic->n_values * (task->errors != NULL ? 2 : 1);
}

/* Where array `a` of the file lives in memory: each value, then each error. */
static double *array(const batch_task *task, size_t a)
{
    const size_t n_values = task->statistic->n_values;
    return a < n_values ? task->values + a * task->n_replicates : task->errors + (a - n_values) * task->n_replicates;
}

/* What is in the way of the first line that differs. */
static bd_status refuse(const checkpoint *file, const char *bytes, size_t n_bytes)
{
    const char *mine = file->identity, *theirs = bytes, *end = bytes + n_bytes;
    for (;;) {
        const size_t length = strcspn(mine, "\n");
        const char *stop = theirs < end ? memchr(theirs, '\n', (size_t)(end - theirs)) : NULL;
        if (stop == NULL)
            return bd_fail(BD_EDATA, "%s is no checkpoint, or a damaged one; remove it to begin anew", file->path);
        if ((size_t)(stop - theirs) != length || strncmp(mine, theirs, length) != 0) {
            if (theirs == bytes)
                return bd_fail(BD_EDATA, "%s is not a checkpoint of bordin; nothing was written to it", file->path);
            return bd_fail(BD_EDATA, "%s is the checkpoint of another run: it says '%.*s', this run is '%.*s'; give "
                                     "another file, or remove it to begin anew",
                           file->path, (int)(stop - theirs), theirs, (int)length, mine);
        }
        mine += length + 1;
        theirs = stop + 1;
    }
}

static bd_status read_all(const char *path, bd_arena *arena, char **bytes, size_t *n_bytes)
{
    FILE *stream = fopen(path, "rb");
    *n_bytes = 0;
    if (stream == NULL)
        return errno == ENOENT ? BD_OK : bd_fail(BD_EIO, "cannot read %s: %s", path, strerror(errno));
    bd_status status = BD_OK;
    if (fseek(stream, 0, SEEK_END) != 0 || ftell(stream) < 0)
        status = bd_fail(BD_EIO, "cannot read %s: %s", path, strerror(errno));
    const size_t size = status == BD_OK ? (size_t)ftell(stream) : 0;
    rewind(stream);
    *bytes = bd_arena_alloc(arena, size + 1, 1);
    if (status == BD_OK && *bytes == NULL)
        status = bd_fail(BD_ENOMEM, "out of memory");
    if (status == BD_OK && fread(*bytes, 1, size, stream) != size)
        status = bd_fail(BD_EIO, "cannot read %s: %s", path, strerror(errno));
    fclose(stream);
    *n_bytes = size;
    return status;
}

bd_status checkpoint_load(const checkpoint *file, const batch_task *task, bd_arena *arena, size_t *n_done)
{
    const bd_mark mark = bd_arena_mark(arena);
    const size_t identity_size = strlen(file->identity), item = n_arrays(task) * sizeof(double) + 1;
    char *bytes = NULL;
    size_t size, n;
    int used = 0;
    *n_done = 0;
    BD_TRY(read_all(file->path, arena, &bytes, &size));
    if (bytes == NULL)
        return BD_OK;
    if (size < identity_size || memcmp(bytes, file->identity, identity_size) != 0)
        return refuse(file, bytes, size);
    uint32_t sum;
    if (sscanf(bytes + identity_size, "replicates %zu%n", &n, &used) != 1 || bytes[identity_size + (size_t)used] != '\n' ||
        n > UINT32_MAX || size != identity_size + (size_t)used + 1 + n * item + sizeof sum ||
        (memcpy(&sum, bytes + size - sizeof sum, sizeof sum), sum != checksum(0, bytes, size - sizeof sum)))
        return bd_fail(BD_EDATA, "%s is a damaged checkpoint; remove it to begin anew", file->path);
    const char *from = bytes + identity_size + used + 1;
    const size_t n_taken = n < task->n_replicates ? n : task->n_replicates;
    for (size_t a = 0; a < n_arrays(task); a++, from += n * sizeof(double))
        memcpy(array(task, a), from, n_taken * sizeof(double));
    memcpy(task->ends, from, n_taken);
    bd_arena_rewind(arena, mark);
    *n_done = n_taken;
    return BD_OK;
}

static bool put(FILE *stream, const void *data, size_t n_bytes, uint32_t *sum)
{
    *sum = checksum(*sum, data, n_bytes);
    return fwrite(data, 1, n_bytes, stream) == n_bytes;
}

static bool write_all(FILE *stream, const checkpoint *file, const batch_task *task, size_t n_done)
{
    char line[64];
    uint32_t sum = 0;
    const int length = snprintf(line, sizeof line, "replicates %zu\n", n_done);
    bool done = put(stream, file->identity, strlen(file->identity), &sum) && put(stream, line, (size_t)length, &sum);
    for (size_t a = 0; a < n_arrays(task); a++)
        done = done && put(stream, array(task, a), n_done * sizeof(double), &sum);
    done = done && put(stream, task->ends, n_done, &sum);
    return done && fwrite(&sum, 1, sizeof sum, stream) == sizeof sum && fflush(stream) == 0 &&
           fsync(fileno(stream)) == 0;
}

/* The rename itself must reach the disk. */
static void flush_folder(const char *path)
{
    char *copy = strdup(path);
    const int folder = copy == NULL ? -1 : open(dirname(copy), O_RDONLY | O_DIRECTORY);
    if (folder >= 0) {
        fsync(folder);
        close(folder);
    }
    free(copy);
}

bd_status checkpoint_save(const checkpoint *file, const batch_task *task, size_t n_done)
{
    char *beside;
    if (asprintf(&beside, "%s.new", file->path) < 0)
        return bd_fail(BD_ENOMEM, "out of memory");
    FILE *stream = fopen(beside, "wb");
    bool done = stream != NULL && write_all(stream, file, task, n_done);
    int error = errno;
    if (stream != NULL && fclose(stream) != 0) {
        done = false;
        error = errno;
    }
    if (done && rename(beside, file->path) != 0) {
        done = false;
        error = errno;
    }
    if (done)
        flush_folder(file->path);
    else if (stream != NULL)
        unlink(beside);
    free(beside);
    return done ? BD_OK : bd_fail(BD_EIO, "cannot write the checkpoint %s: %s", file->path, strerror(error));
}
