/* The table of writers, and what all of them need: a plain locale, and a stream that took everything. */
#include <bordin/report/writer.h>

#include <errno.h>
#include <locale.h>
#include <string.h>

#include "report/parts.h"

const bd_writer *const bd_writers[] = {&bd_text_writer, &bd_json_writer, &bd_csv_writer, &bd_markdown_writer, NULL};

enum { USUAL_WIDTH = 80, NARROWEST = 20, NAMES_SIZE = 256 };

bd_status bd_writer_find(const char *name, const bd_writer **writer)
{
    char names[NAMES_SIZE] = "";
    for (size_t i = 0; bd_writers[i] != NULL; i++) {
        if (strcmp(bd_writers[i]->name, name) == 0) {
            *writer = bd_writers[i];
            return BD_OK;
        }
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i == 0 ? "" : ", ", bd_writers[i]->name);
    }
    return bd_fail(BD_EUSAGE, "no format named '%s'; there are %s", name, names);
}

static bd_status cannot_write(int error)
{
    return bd_fail(BD_EIO, "cannot write the result: %s", error == 0 ? "write error" : strerror(error));
}

static bd_status write_all(const bd_document *document, const bd_writer *writer, int width, bd_arena *scratch,
                           FILE *stream)
{
    errno = 0;
    const int columns = width <= 0 ? USUAL_WIDTH : width < NARROWEST ? NARROWEST : width;
    BD_TRY(writer->write(document, columns, scratch, stream));
    if (ferror(stream) || fflush(stream) != 0)
        return cannot_write(errno);
    return BD_OK;
}

bd_status bd_document_write(const bd_document *document, const bd_writer *writer, int width, bd_arena *scratch,
                            FILE *stream)
{
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* decimal points, whatever the host has set */
    if (plain == (locale_t)0)
        return bd_fail(BD_ENOMEM, "out of memory");
    const locale_t before = uselocale(plain);
    const bd_mark mark = bd_arena_mark(scratch);
    const bd_status status = write_all(document, writer, width, scratch, stream);
    bd_arena_rewind(scratch, mark);
    uselocale(before);
    freelocale(plain);
    return status;
}
