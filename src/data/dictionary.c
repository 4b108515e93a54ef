/* Open addressing by FNV-1a. */
#include "data/dictionary.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash(const char *text, size_t length)
{
    uint64_t h = 0xcbf29ce484222325;
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)text[i]) * 0x100000001b3;
    return h ^ h >> 32;
}

static bool grow(void **items, size_t needed, size_t *room, size_t size)
{
    if (needed <= *room)
        return true;
    const size_t more = needed > 2 * *room ? needed : 2 * *room;
    void *grown = realloc(*items, more * size);
    if (grown == NULL)
        return false;
    *items = grown;
    *room = more;
    return true;
}

static bool rehash(dictionary *d)
{
    const size_t size = d->table_size == 0 ? 64 : 4 * d->table_size;
    uint32_t *table = calloc(size, sizeof *table);
    if (table == NULL)
        return false;
    for (size_t k = 0; k < d->n; k++) {
        const char *text = dictionary_text(d, k);
        size_t at = hash(text, strlen(text)) & (size - 1);
        while (table[at] != 0)
            at = (at + 1) & (size - 1);
        table[at] = (uint32_t)k + 1;
    }
    free(d->table);
    d->table = table;
    d->table_size = size;
    return true;
}

uint32_t dictionary_number(dictionary *d, const char *text, size_t length)
{
    if (2 * d->n >= d->table_size && !rehash(d))
        return UINT32_MAX;
    size_t at = hash(text, length) & (d->table_size - 1);
    for (; d->table[at] != 0; at = (at + 1) & (d->table_size - 1)) {
        const char *known = dictionary_text(d, d->table[at] - 1);
        if (strncmp(known, text, length) == 0 && known[length] == '\0')
            return d->table[at] - 1;
    }
    void *starts = d->starts, *texts = d->text;
    if (d->n >= UINT32_MAX - 2 || !grow(&starts, d->n + 1, &d->room, sizeof *d->starts))
        return UINT32_MAX;
    d->starts = starts;
    if (!grow(&texts, d->text_size + length + 1, &d->text_room, 1))
        return UINT32_MAX;
    d->text = texts;
    memcpy(d->text + d->text_size, text, length);
    d->text[d->text_size + length] = '\0';
    d->starts[d->n] = d->text_size;
    d->text_size += length + 1;
    d->table[at] = (uint32_t)++d->n;
    return d->table[at] - 1;
}

void dictionary_clear(dictionary *d)
{
    d->n = d->text_size = 0;
    if (d->table != NULL)
        memset(d->table, 0, d->table_size * sizeof *d->table);
}

void dictionary_free(dictionary *d)
{
    free(d->text);
    free(d->starts);
    free(d->table);
    *d = (dictionary){0};
}
