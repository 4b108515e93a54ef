/* UTF-8: decoding, the width of characters on a terminal, and cleaning. */
#include "report/utf8.h"

#include <stdbool.h>
#include <string.h>

enum { REPLACEMENT = 0xFFFD };

typedef struct range {
    uint32_t first, last;
} range;

/* Characters that take no column: combining marks, joiners, variation selectors. */
static const range combining[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x064B, 0x065F},
                                  {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x202A, 0x202E},
                                  {0x2060, 0x2064}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
                                  {0xFEFF, 0xFEFF}};

/* Characters that take two: East Asian wide and full-width ones, and pictures. Unicode Standard Annex 11. */
static const range wide[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xAC00, 0xD7A3},
                             {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
                             {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};

static bool within(uint32_t character, const range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (character >= ranges[i].first && character <= ranges[i].last)
            return true;
    return false;
}

static size_t invalid(uint32_t *character)
{
    *character = REPLACEMENT;
    return 1;
}

size_t bd_utf8_next(const char *text, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* a longer form than needed is not UTF-8 */
    const unsigned char lead = (unsigned char)text[0];
    if (lead < 0x80) {
        *character = lead;
        return 1;
    }
    const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4)
        return invalid(character);
    uint32_t code = lead & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)text[i] & 0xC0) != 0x80)
            return invalid(character);
        code = code << 6 | ((unsigned char)text[i] & 0x3F);
    }
    if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return invalid(character);
    *character = code;
    return length;
}

size_t bd_utf8_width(const char *text, size_t length)
{
    size_t width = 0;
    uint32_t character;
    for (size_t i = 0; i < length && text[i] != '\0';) {
        i += bd_utf8_next(text + i, &character);
        if (within(character, wide, sizeof wide / sizeof *wide))
            width += 2;
        else if (!within(character, combining, sizeof combining / sizeof *combining))
            width += 1;
    }
    return width;
}

static bool is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7F && character < 0xA0);
}

/* What stands for the character at `text` in a clean text: NULL when it may stay. */
static const char *instead_of(const char *text, size_t *length, bd_controls controls)
{
    uint32_t character;
    *length = bd_utf8_next(text, &character);
    if (character == REPLACEMENT && *length == 1)
        return "\xEF\xBF\xBD";
    return controls == BD_BLANK_CONTROLS && is_control(character) ? " " : NULL;
}

bd_status bd_utf8_clean(const char *text, bd_controls controls, bd_arena *arena, const char **clean)
{
    size_t length, checked = 0;
    while (text[checked] != '\0' && instead_of(text + checked, &length, controls) == NULL)
        checked += length;
    *clean = text;
    if (text[checked] == '\0')
        return BD_OK;
    char *made;
    BD_NEW(arena, made, 3 * strlen(text) + 1);
    *clean = made;
    for (; *text != '\0'; text += length) {
        const char *other = instead_of(text, &length, controls);
        const size_t n = other == NULL ? length : strlen(other);
        memcpy(made, other == NULL ? text : other, n);
        made += n;
    }
    return BD_OK;
}
