/* Groups of rows: levels that occur, in their order. */
#include "data/groups.h"

#include <stdlib.h>
#include <string.h>

static bd_status make(const coded *column, bd_arena *arena, bd_groups *groups)
{
    uint32_t *codes, *numbers;
    const char **levels;
    BD_NEW(arena, codes, column->n_rows);
    BD_NEW(arena, numbers, column->n_levels + 1);
    BD_NEW(arena, levels, column->n_levels);
    for (size_t i = 0; i < column->n_rows; i++)
        numbers[column->codes[i]] = 1;
    for (size_t k = 1; k <= column->n_levels; k++)
        if (numbers[k] != 0) {
            levels[groups->n_levels] = column->levels[k - 1];
            numbers[k] = (uint32_t)groups->n_levels++;
        }
    for (size_t i = 0; i < column->n_rows; i++)
        codes[i] = numbers[column->codes[i]];
    groups->name = column->name;
    groups->codes = codes;
    groups->levels = levels;
    return BD_OK;
}

bd_status groups_make(const coded *column, bd_arena *arena, const bd_groups **out)
{
    bd_groups *groups;
    BD_NEW(arena, groups, 1);
    BD_TRY(make(column, arena, groups));
    *out = groups;
    return BD_OK;
}

/* rows <- those of each outer group together; starts (n_levels + 1). */
static bd_status sort_rows(const bd_groups *outer, size_t n_rows, bd_arena *arena, size_t **rows, size_t **starts)
{
    size_t *next;
    BD_NEW(arena, *rows, n_rows);
    BD_NEW(arena, *starts, outer->n_levels + 1);
    BD_NEW(arena, next, outer->n_levels + 1);
    for (size_t i = 0; i < n_rows; i++)
        (*starts)[outer->codes[i] + 1]++;
    for (size_t k = 0; k < outer->n_levels; k++)
        next[k + 1] = (*starts)[k + 1] += (*starts)[k];
    for (size_t i = 0; i < n_rows; i++)
        (*rows)[next[outer->codes[i]]++] = i;
    return BD_OK;
}

static int by_code(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The levels that occur in one outer group become levels; numbers[b] <- which, plus 1. */
static bd_status join_group(const bd_groups *outer, const bd_groups *inner, size_t a, const size_t *rows, size_t n,
                            uint32_t *numbers, uint32_t *found, bd_arena *arena, bd_groups *joined, const char **levels)
{
    size_t n_found = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t b = inner->codes[rows[i]];
        if (numbers[b] == 0)
            found[n_found++] = b;
        numbers[b] = 1;
    }
    qsort(found, n_found, sizeof *found, by_code);
    for (size_t k = 0; k < n_found; k++) {
        numbers[found[k]] = (uint32_t)joined->n_levels;
        BD_TRY(bd_print(arena, &levels[joined->n_levels++], "%s:%s", outer->levels[a], inner->levels[found[k]]));
    }
    return BD_OK;
}

bd_status groups_join(const bd_groups *outer, const bd_groups *inner, size_t n_rows, bd_arena *arena,
                      const bd_groups **out)
{
    bd_groups *joined;
    uint32_t *codes, *numbers, *found;
    const char **levels;
    size_t *rows = NULL, *starts = NULL;
    BD_NEW(arena, joined, 1);
    BD_NEW(arena, codes, n_rows);
    BD_NEW(arena, levels, n_rows);
    BD_NEW(arena, numbers, inner->n_levels);
    BD_NEW(arena, found, inner->n_levels);
    BD_TRY(sort_rows(outer, n_rows, arena, &rows, &starts));
    for (size_t a = 0; a < outer->n_levels; a++) {
        const size_t n = starts[a + 1] - starts[a];
        const size_t *const own = rows + starts[a];
        BD_TRY(join_group(outer, inner, a, own, n, numbers, found, arena, joined, levels));
        for (size_t i = 0; i < n; i++)
            codes[own[i]] = numbers[inner->codes[own[i]]];
        for (size_t i = 0; i < n; i++)
            numbers[inner->codes[own[i]]] = 0;
    }
    joined->codes = codes;
    joined->levels = levels;
    BD_TRY(bd_print(arena, &joined->name, "%s:%s", outer->name, inner->name));
    *out = joined;
    return BD_OK;
}

static size_t find(const char *const *levels, size_t n, const char *level)
{
    size_t k = 0;
    while (k < n && strcmp(levels[k], level) != 0)
        k++;
    return k;
}

static bd_status list(const bd_groups *groups, bd_arena *arena, const char **text)
{
    enum { MOST = 10 };
    *text = "";
    for (size_t k = 0; k < groups->n_levels && k < MOST; k++)
        BD_TRY(bd_print(arena, text, "%s%s'%s'", *text, k > 0 ? ", " : "", groups->levels[k]));
    return groups->n_levels > MOST ? bd_print(arena, text, "%s, ...", *text) : BD_OK;
}

static bd_status unknown(const bd_groups *groups, const char *level, bd_arena *arena)
{
    const char *levels;
    BD_TRY(list(groups, arena, &levels));
    return bd_fail(BD_EDATA, "%s: no used row has the level '%s'; there are %s", groups->name, level, levels);
}

/* "none, mild" to texts without the spaces around them. */
static bd_status split(const char *text, bd_arena *arena, const char ***levels, size_t *n)
{
    size_t room = 0;
    for (const char *s = text; s != NULL;) {
        const char *level;
        size_t length = strcspn(s, ",");
        const char *next = s[length] == ',' ? s + length + 1 : NULL;
        while (length > 0 && *s == ' ') {
            s++;
            length--;
        }
        while (length > 0 && s[length - 1] == ' ')
            length--;
        BD_TRY(bd_copy_text(arena, s, length, &level));
        if (find(*levels, *n, level) < *n)
            return bd_fail(BD_EUSAGE, "--levels names '%s' twice", level);
        BD_PUSH(arena, *levels, *n, room, level);
        s = next;
    }
    return BD_OK;
}

static bd_status order(bd_groups *groups, size_t n_rows, const char *text, bd_arena *arena)
{
    const char **levels = NULL;
    size_t n = 0;
    uint32_t *places, *codes;
    BD_TRY(split(text, arena, &levels, &n));
    for (size_t k = 0; k < n; k++)
        if (find(groups->levels, groups->n_levels, levels[k]) == groups->n_levels)
            return unknown(groups, levels[k], arena);
    BD_NEW(arena, places, groups->n_levels);
    BD_NEW(arena, codes, n_rows);
    for (size_t k = 0; k < groups->n_levels; k++) {
        places[k] = (uint32_t)find(levels, n, groups->levels[k]);
        if (places[k] == n)
            return bd_fail(BD_EDATA,
                           "%s has the level '%s', which --levels does not name; add it, or leave such rows out with "
                           "--where",
                           groups->name, groups->levels[k]);
    }
    for (size_t i = 0; i < n_rows; i++)
        codes[i] = places[groups->codes[i]];
    groups->codes = codes;
    groups->levels = levels;
    return BD_OK;
}

static bool are_numbers(const bd_groups *groups)
{
    for (size_t k = 0; k < groups->n_levels; k++) {
        char *end;
        strtod(groups->levels[k], &end);
        if (end == groups->levels[k] || *end != '\0')
            return false;
    }
    return true;
}

bd_status groups_outcome(const coded *column, const char *levels, const char *reference, bd_arena *arena,
                         const bd_outcome **out)
{
    bd_outcome *outcome;
    size_t *counts;
    BD_NEW(arena, outcome, 1);
    BD_TRY(make(column, arena, &outcome->groups));
    if (levels != NULL)
        BD_TRY(order(&outcome->groups, column->n_rows, levels, arena));
    outcome->ordered = levels != NULL || are_numbers(&outcome->groups);
    if (reference != NULL)
        outcome->reference = find(outcome->groups.levels, outcome->groups.n_levels, reference);
    if (outcome->reference == outcome->groups.n_levels)
        return unknown(&outcome->groups, reference, arena);
    BD_NEW(arena, counts, outcome->groups.n_levels);
    for (size_t i = 0; i < column->n_rows; i++)
        counts[outcome->groups.codes[i]]++;
    outcome->counts = counts;
    *out = outcome;
    return BD_OK;
}
