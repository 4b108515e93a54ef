/* Files that appear whole or not at all. */
#include "cli.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_OPEN = 4 };

/* Temporaries that a signal handler must be able to remove. */
static char *volatile temporaries[MAX_OPEN];

static void remember(char *temporary)
{
    for (size_t i = 0; i < MAX_OPEN; i++)
        if (temporaries[i] == NULL) {
            temporaries[i] = temporary;
            return;
        }
}

static void forget(const char *temporary)
{
    for (size_t i = 0; i < MAX_OPEN; i++)
        if (temporaries[i] == temporary)
            temporaries[i] = NULL;
}

void cli_files_abandon(void)
{
    for (size_t i = 0; i < MAX_OPEN; i++)
        if (temporaries[i] != NULL) {
            unlink(temporaries[i]);
            temporaries[i] = NULL;
        }
}

/* What takes bytes as they come and has no place beside it: a device, a pipe. */
static bool is_stream(const char *path)
{
    struct stat there;
    return path == NULL || strcmp(path, "-") == 0 ||
           (stat(path, &there) == 0 && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode));
}

static bd_status cannot_write(const char *path, int error)
{
    return bd_fail(BD_EIO, "cannot write %s: %s", path, strerror(error));
}

/* Where a path leads to, through links; its last part need not exist. */
static bd_status resolve(const char *path, bd_arena *arena, const char **target)
{
    struct stat there;
    char *found = realpath(path, NULL);
    const char *copy;
    if (found != NULL) {
        const bd_status status = bd_copy_text(arena, found, strlen(found), target);
        free(found);
        return status;
    }
    if (errno == ENOMEM)
        return bd_fail(BD_ENOMEM, "out of memory");
    if (errno == ENOENT && lstat(path, &there) == 0)
        return bd_fail(BD_EIO, "cannot write %s: it is a link to what is not there", path);
    BD_TRY(bd_copy_text(arena, path, strlen(path), &copy));
    found = realpath(dirname((char *)copy), NULL);
    if (found == NULL)
        return errno == ENOMEM ? bd_fail(BD_ENOMEM, "out of memory") : cannot_write(path, errno);
    BD_TRY(bd_copy_text(arena, path, strlen(path), &copy));
    const bd_status status = bd_print(arena, target, "%s/%s", found, basename((char *)copy));
    free(found);
    return status;
}

/* A temporary beside the target, with the mode of what it will replace. */
static bd_status open_beside(cli_file *file, const struct stat *replaced, bd_arena *arena)
{
    const char *name;
    BD_TRY(bd_print(arena, &name, "%s.XXXXXX", file->target));
    file->temporary = (char *)name;
    const int descriptor = mkstemp(file->temporary);
    if (descriptor < 0)
        return cannot_write(file->path, errno);
    remember(file->temporary);
    const mode_t mask = umask(0);
    umask(mask);
    if (replaced != NULL && fchown(descriptor, replaced->st_uid, replaced->st_gid) != 0)
        errno = 0; /* somebody else's: it becomes the user's own */
    fchmod(descriptor, replaced != NULL ? replaced->st_mode & 0777 : 0666 & ~mask);
    file->stream = fdopen(descriptor, "w");
    return file->stream != NULL ? BD_OK : cannot_write(file->path, errno);
}

bd_status cli_file_open(const char *path, bd_arena *arena, cli_file *file)
{
    struct stat there;
    *file = (cli_file){.path = path, .stream = stdout};
    if (path == NULL || strcmp(path, "-") == 0 || !cli_is_first())
        return BD_OK;
    if (is_stream(path)) {
        file->stream = fopen(path, "w");
        return file->stream != NULL ? BD_OK : cannot_write(path, errno);
    }
    const bool exists = stat(path, &there) == 0;
    if (exists && S_ISDIR(there.st_mode))
        return cannot_write(path, EISDIR);
    BD_TRY(resolve(path, arena, &file->target));
    return open_beside(file, exists ? &there : NULL, arena);
}

static bd_status finish(cli_file *file)
{
    bool failed = ferror(file->stream) != 0;
    failed |= (file->stream == stdout ? fflush(stdout) : fclose(file->stream)) != 0;
    return failed ? cannot_write(file->stream == stdout ? "standard output" : file->path, errno) : BD_OK;
}

static bd_status publish(cli_file *file)
{
    if (file->temporary == NULL)
        return BD_OK;
    if (rename(file->temporary, file->target) != 0)
        return cannot_write(file->path, errno);
    forget(file->temporary);
    return BD_OK;
}

bd_status cli_files_close(cli_file *file, cli_file *other)
{
    BD_TRY(finish(file));
    if (other != NULL)
        BD_TRY(finish(other));
    BD_TRY(publish(file));
    return other != NULL ? publish(other) : BD_OK;
}

/* Whether it could be written: opened beside, and taken away again. */
static bd_status check_output(const char *path, bd_arena *arena)
{
    cli_file file;
    BD_TRY(cli_file_open(path, arena, &file));
    fclose(file.stream);
    unlink(file.temporary);
    forget(file.temporary);
    return BD_OK;
}

bd_status cli_files_check(const cli_named_file *outputs, size_t n, const char *input, bd_arena *arena)
{
    const char *targets[n], *source = NULL;
    if (!cli_is_first())
        return BD_OK;
    if (!is_stream(input) && access(input, F_OK) == 0)
        BD_TRY(resolve(input, arena, &source));
    for (size_t i = 0; i < n; i++) {
        targets[i] = NULL;
        if (is_stream(outputs[i].path))
            continue; /* opening a pipe would wait for its reader */
        BD_TRY(resolve(outputs[i].path, arena, &targets[i]));
        if (source != NULL && strcmp(targets[i], source) == 0)
            return bd_fail(BD_EUSAGE, "--%s would replace the data, %s", outputs[i].option, input);
        for (size_t k = 0; k < i; k++)
            if (targets[k] != NULL && strcmp(targets[k], targets[i]) == 0)
                return bd_fail(BD_EUSAGE, "--%s and --%s are one file, %s", outputs[k].option, outputs[i].option,
                               outputs[i].path);
    }
    for (size_t i = 0; i < n; i++)
        if (targets[i] != NULL)
            BD_TRY(check_output(outputs[i].path, arena));
    return BD_OK;
}
