/* Lines of text of a given width. */
#ifndef BORDIN_SRC_REPORT_LINES_H
#define BORDIN_SRC_REPORT_LINES_H

#include <stdio.h>

/* Writes `text` on a line of which `column` columns are taken already, broken at spaces so that no line is wider than
 * `width` (unless a word is); lines after the first are indented. Ends with a new line; no line ends with a space. */
void bd_lines_write(const char *text, size_t column, size_t indent, size_t width, FILE *stream);

/* `n` spaces, or other characters. */
void bd_lines_fill(char character, size_t n, FILE *stream);

#endif
