/* Columns by name, and the names that come near one that is not there. */
#include <bordin/data/table.h>

#include <ctype.h>
#include <string.h>

#include "data/nearest.h"

enum { MOST_SUGGESTIONS = 3, LONGEST = 64 };

/* Letters to change, insert, remove or swap with their neighbour, case aside; long names are compared by their beginnings.
 * Damerau (1964), doi:10.1145/363958.363994. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][LONGEST + 1], n = strnlen(a, LONGEST), m = strnlen(b, LONGEST);
    size_t *two_above = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++)
        above[j] = j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            const int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            size_t least = above[j - 1] + (x != y);
            least = above[j] + 1 < least ? above[j] + 1 : least;
            least = row[j - 1] + 1 < least ? row[j - 1] + 1 : least;
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) && tolower((unsigned char)a[i - 2]) == y &&
                two_above[j - 2] + 1 < least)
                least = two_above[j - 2] + 1;
            row[j] = least;
        }
        size_t *const freed = two_above;
        two_above = above;
        above = row;
        row = freed;
    }
    return above[m];
}

/* How far two names are apart; those of which one holds the other come near. */
static size_t farness(const char *wanted, const char *name)
{
    if (strlen(wanted) >= 3 && (strcasestr(name, wanted) != NULL || (strlen(name) >= 3 && strcasestr(wanted, name) != NULL)))
        return 1;
    return distance(wanted, name);
}

bd_status nearest_names(const char *wanted, const char *const *names, size_t n, bd_arena *arena, const char **text)
{
    const size_t tolerated = strlen(wanted) < 4 ? 1 : strlen(wanted) / 3 + 1;
    bool *listed;
    size_t n_listed = 0;
    BD_NEW(arena, listed, n + 1);
    *text = "";
    for (size_t far = 0; far <= tolerated && n_listed < MOST_SUGGESTIONS; far++)
        for (size_t i = 0; i < n && n_listed < MOST_SUGGESTIONS; i++)
            if (!listed[i] && names[i][0] != '\0' && farness(wanted, names[i]) == far) {
                listed[i] = true;
                BD_TRY(bd_print(arena, text, "%s%s'%s'", *text, n_listed++ > 0 ? ", " : "", names[i]));
            }
    for (size_t i = 0; n_listed == 0 && i < n && i < 12; i++)
        BD_TRY(bd_print(arena, text, "%s%s'%s'%s", *text, i > 0 ? ", " : "", names[i], i == 11 && n > 12 ? ", ..." : ""));
    return bd_print(arena, text, "%s %s", n_listed == 0 ? "there are" : "nearest:", *text);
}

bd_status no_such_column(const char *source, const char *wanted, const char *const *names, size_t n)
{
    const char *nearest = NULL;
    bd_arena *arena = bd_arena_new();
    if (arena == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    bd_status status = nearest_names(wanted, names, n, arena, &nearest);
    if (status == BD_OK)
        status = bd_fail(BD_EDATA, "%s: no column '%s'; %s", source, wanted, nearest);
    bd_arena_free(arena);
    return status;
}

const bd_column *bd_table_find(const bd_table *table, const char *name)
{
    for (size_t j = 0; j < table->n_columns; j++)
        if (strcmp(table->columns[j].name, name) == 0)
            return &table->columns[j];
    return NULL;
}

bd_status bd_table_column(const bd_table *table, const char *name, const bd_column **column)
{
    *column = bd_table_find(table, name);
    return *column != NULL ? BD_OK : no_such_column(table->source, name, table->header, table->n_header);
}
