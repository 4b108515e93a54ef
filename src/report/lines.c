/* Wrapping text at spaces. */
#include "report/lines.h"

#include <stdbool.h>
#include <string.h>

#include "report/utf8.h"

void bd_lines_fill(char character, size_t n, FILE *stream)
{
    while (n-- > 0)
        fputc(character, stream);
}

void bd_lines_write(const char *text, size_t column, size_t indent, size_t width, FILE *stream)
{
    bool at_start = true; /* of a line, or right after what was there already */
    text += strspn(text, " ");
    while (*text != '\0') {
        const size_t length = strcspn(text, " "), word = bd_utf8_width(text, length);
        if (!at_start && column + 1 + word > width) {
            fputc('\n', stream);
            bd_lines_fill(' ', indent, stream);
            column = indent;
            at_start = true;
        }
        if (!at_start)
            fputc(' ', stream);
        column += word + (at_start ? 0 : 1);
        at_start = false;
        fwrite(text, 1, length, stream);
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', stream);
}
