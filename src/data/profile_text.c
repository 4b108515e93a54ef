/* The text of a profile, taken apart. */
#include "data/profile_text.h"

#include <stdbool.h>
#include <string.h>

#include "data/syntax.h"

/* The next `wanted` that is in no brackets or quotes; the end where there is none. */
static const char *find_outside(const char *s, char wanted)
{
    int depth = 0;
    char quote = '\0';
    for (; *s != '\0'; s++) {
        if (quote != '\0') {
            quote = *s == quote ? '\0' : quote;
            continue;
        }
        if (*s == wanted && depth == 0)
            return s;
        if (*s == '"' || *s == '\'' || *s == '`')
            quote = *s;
        depth += *s == '(' ? 1 : *s == ')' ? -1 : 0;
    }
    return s;
}

static bd_status trimmed(const char *from, const char *end, bool unquote, bd_arena *arena, const char **text)
{
    while (from < end && *from == ' ')
        from++;
    while (end > from && end[-1] == ' ')
        end--;
    if (unquote && end - from >= 2 && (*from == '"' || *from == '\'') && end[-1] == *from) {
        from++;
        end--;
    }
    return bd_copy_text(arena, from, (size_t)(end - from), text);
}

/* Names with spaces need no backquotes here: what is no expression is a name. */
static bd_status canonical(const char *typed, bd_arena *arena, const char **name)
{
    const size_t length = strlen(typed);
    const syntax_source source = {"--profile", typed};
    node *tree = NULL;
    if (length >= 2 && typed[0] == '`' && typed[length - 1] == '`')
        return bd_copy_text(arena, typed + 1, length - 2, name);
    *name = typed;
    if (strchr(typed, '(') == NULL)
        return BD_OK;
    BD_TRY(syntax_parse(&source, arena, &tree));
    return syntax_print(tree, arena, name);
}

bd_status profile_parse(const char *text, bd_arena *arena, const assignment **out, size_t *n_out)
{
    static const char *const form = "a profile gives columns their values, as in 'age=60,sex=female'";
    assignment *all = NULL;
    size_t n = 0, room = 0;
    *out = NULL;
    *n_out = 0;
    for (const char *s = strcmp(text, PROFILE_OF_MEANS) != 0 ? text : NULL; s != NULL;) {
        const char *end = find_outside(s, ','), *equals = find_outside(s, '='), *typed = NULL;
        assignment a = {0};
        if (equals >= end)
            return bd_fail(BD_EUSAGE, "%s", form);
        BD_TRY(trimmed(s, equals, false, arena, &typed));
        BD_TRY(trimmed(equals + 1, end, true, arena, &a.value));
        if (*typed == '\0' || *a.value == '\0')
            return bd_fail(BD_EUSAGE, "%s", form);
        BD_TRY(canonical(typed, arena, &a.name));
        for (size_t k = 0; k < n; k++)
            if (strcmp(all[k].name, a.name) == 0)
                return bd_fail(BD_EUSAGE, "'%s' is given twice", a.name);
        BD_PUSH(arena, all, n, room, a);
        s = *end == ',' ? end + 1 : NULL;
    }
    *out = all;
    *n_out = n;
    return BD_OK;
}
