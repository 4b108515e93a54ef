/* Writing results: whole files or none, in the format asked for. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bordin/analyses/provenance.h>
#include <bordin/report/writer.h>

enum { MAX_OPEN = 4, WIDTH_WITHOUT_TERMINAL = 100, MIN_WIDTH = 60, MAX_WIDTH = 140 };

/* Temporaries that a signal handler must be able to remove. */
static char *volatile temporaries[MAX_OPEN];

static cli_file replicates_file; /* from its writing until the result is written too */

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
        if (temporaries[i] != NULL)
            unlink(temporaries[i]);
}

bd_status cli_file_open(const char *path, cli_file *file)
{
    *file = (cli_file){.path = path, .stream = stdout};
    if (path == NULL || strcmp(path, "-") == 0 || !cli_is_first())
        return BD_OK;
    struct stat there;
    if (lstat(path, &there) == 0 && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode))
        return bd_fail(BD_EIO, "cannot write %s: it is a device, a pipe or a link, which would be replaced", path);
    if (asprintf(&file->temporary, "%s.XXXXXX", path) < 0)
        return bd_fail(BD_ENOMEM, "out of memory");
    const int descriptor = mkstemp(file->temporary);
    if (descriptor < 0)
        return bd_fail(BD_EIO, "cannot write %s: %s", path, strerror(errno));
    remember(file->temporary);
    const mode_t mask = umask(0);
    umask(mask);
    fchmod(descriptor, 0666 & ~mask);
    file->stream = fdopen(descriptor, "w");
    return file->stream != NULL ? BD_OK : bd_fail(BD_EIO, "cannot write %s: %s", path, strerror(errno));
}

static bd_status finish(cli_file *file)
{
    bool failed = ferror(file->stream) != 0;
    failed |= (file->temporary ? fclose(file->stream) : fflush(file->stream)) != 0;
    if (!failed)
        return BD_OK;
    return bd_fail(BD_EIO, "cannot write %s: %s", file->temporary ? file->path : "standard output", strerror(errno));
}

static bd_status publish(cli_file *file)
{
    if (file->temporary == NULL)
        return BD_OK;
    if (rename(file->temporary, file->path) != 0)
        return bd_fail(BD_EIO, "cannot write %s: %s", file->path, strerror(errno));
    forget(file->temporary);
    free(file->temporary);
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

/* Opens and takes away again. */
static bd_status check_output(const char *path)
{
    cli_file file;
    BD_TRY(cli_file_open(path, &file));
    if (file.temporary == NULL)
        return BD_OK;
    fclose(file.stream);
    unlink(file.temporary);
    forget(file.temporary);
    free(file.temporary);
    struct stat there;
    if (stat(path, &there) == 0 && S_ISDIR(there.st_mode))
        return bd_fail(BD_EIO, "cannot write %s: %s", path, strerror(EISDIR));
    return BD_OK;
}

bd_status cli_check_outputs(void)
{
    const bd_writer *writer;
    if (cli.format != NULL)
        BD_TRY(bd_while(bd_writer_find(cli.format, &writer), "--format"));
    if (cli.save_replicates != NULL && cli.output != NULL && strcmp(cli.save_replicates, cli.output) == 0)
        return bd_fail(BD_EUSAGE, "--output and --save-replicates are one file: %s", cli.output);
    if (cli.save_replicates != NULL)
        BD_TRY(check_output(cli.save_replicates));
    return check_output(cli.output);
}

static int width_of(FILE *stream)
{
    struct winsize size;
    if (!isatty(fileno(stream)) || ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WIDTH_WITHOUT_TERMINAL;
    return size.ws_col < MIN_WIDTH ? MIN_WIDTH : size.ws_col > MAX_WIDTH ? MAX_WIDTH : size.ws_col;
}

bd_status cli_write(bd_document *document, const bd_table *table, bd_arena *arena)
{
    const bd_writer *writer;
    cli_file file;
    BD_TRY(bd_writer_find(cli.format ? cli.format : "text", &writer));
    if (table != NULL)
        BD_TRY(bd_provenance_table(table, document));
    BD_TRY(bd_document_fact(document, "command", "Command", BD_TEXT, bd_text(cli_command_line)));
    BD_TRY(cli_file_open(cli.output, &file));
    BD_TRY(bd_document_write(document, writer, width_of(file.stream), arena, file.stream));
    return cli_files_close(&file, replicates_file.stream != NULL ? &replicates_file : NULL);
}

bd_status cli_write_replicates(const bd_bootstrap_result *result)
{
    if (result != NULL)
        cli_watch_resumed(result->replicates);
    if (cli.save_replicates == NULL)
        return BD_OK;
    if (result == NULL)
        return bd_fail(BD_EUSAGE, "--save-replicates needs --boot");
    BD_TRY(cli_file_open(cli.save_replicates, &replicates_file));
    return bd_bootstrap_save(result, replicates_file.stream);
}
