/* Writing results, in the format asked for. */
#include "cli.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <bordin/analyses/provenance.h>
#include <bordin/report/writer.h>

enum { WIDTH_WITHOUT_TERMINAL = 100, MIN_WIDTH = 60, MAX_WIDTH = 140 };

static cli_file replicates_file; /* from its writing until the result is written too */

bd_status cli_check_outputs(const char *input, bd_arena *arena)
{
    const bd_writer *writer;
    const cli_named_file outputs[] = {
        {"output", cli.output}, {"save-replicates", cli.save_replicates}, {"checkpoint", cli.checkpoint}};
    if (cli.format != NULL)
        BD_TRY(bd_while(bd_writer_find(cli.format, &writer), "--format"));
    return cli_files_check(outputs, sizeof outputs / sizeof outputs[0], input, arena);
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
    BD_TRY(cli_file_open(cli.output, arena, &file));
    BD_TRY(bd_document_write(document, writer, width_of(file.stream), arena, file.stream));
    return cli_files_close(&file, replicates_file.stream != NULL ? &replicates_file : NULL);
}

bd_status cli_write_replicates(const bd_bootstrap_result *result, bd_arena *arena)
{
    if (result != NULL)
        cli_watch_resumed(result->replicates);
    if (cli.save_replicates == NULL)
        return BD_OK;
    if (result == NULL)
        return bd_fail(BD_EUSAGE, "--save-replicates needs --boot");
    BD_TRY(cli_file_open(cli.save_replicates, arena, &replicates_file));
    return bd_bootstrap_save(result, replicates_file.stream);
}
