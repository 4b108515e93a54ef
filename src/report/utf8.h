/* UTF-8: what a text takes on a page, and texts that are safe to print. */
#ifndef BORDIN_SRC_REPORT_UTF8_H
#define BORDIN_SRC_REPORT_UTF8_H

#include <stdint.h>

#include <bordin/core/arena.h>

/* Bytes of the character at `text` (at least 1), which is U+FFFD when they are not UTF-8. */
size_t bd_utf8_next(const char *text, uint32_t *character);

/* Columns of a terminal that the first `length` bytes take: wide characters two, combining ones none. */
size_t bd_utf8_width(const char *text, size_t length);

/* What to do with control characters. */
typedef enum bd_controls {
    BD_KEEP_CONTROLS,
    BD_BLANK_CONTROLS, /* a space each: no new lines, no escape sequences */
} bd_controls;

/* `text` with U+FFFD for each byte that is not UTF-8; `text` itself when it is clean. */
BD_CHECKED bd_status bd_utf8_clean(const char *text, bd_controls controls, bd_arena *arena, const char **clean);

#endif
