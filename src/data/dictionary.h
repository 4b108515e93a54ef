/* Distinct texts, numbered in the order in which they came. */
#ifndef BORDIN_SRC_DATA_DICTIONARY_H
#define BORDIN_SRC_DATA_DICTIONARY_H

#include <stdbool.h>
#include <stdint.h>

#include <bordin/core/arena.h>

typedef struct dictionary {
    char *text; /* one after another, each terminated */
    size_t text_size, text_room;
    size_t *starts; /* n */
    size_t n, room;
    uint32_t *table; /* 1 + number, by hash; 0: free */
    size_t table_size;
} dictionary;

static inline const char *dictionary_text(const dictionary *d, size_t number)
{
    return d->text + d->starts[number];
}

/* The number of a text, added if it is new; UINT32_MAX when there is no memory. */
uint32_t dictionary_number(dictionary *d, const char *text, size_t length);

void dictionary_clear(dictionary *d);
void dictionary_free(dictionary *d);

#endif
