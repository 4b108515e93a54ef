/* Mediation paths: from text to stages. */
#include <bordin/analyses/path.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <bordin/data/frame.h>

typedef struct node_list {
    const char **names, **terms;
    size_t *stages;
    size_t n;
} node_list;

/* Length of the arrow at `s`, 0 if there is none. */
static size_t arrow(const char *s)
{
    if (strncmp(s, "->", 2) == 0)
        return 2;
    return strncmp(s, "\xe2\x86\x92", 3) == 0 ? 3 : 0;
}

/* The end of the piece that begins at `s`: an arrow or a comma outside backquotes and parentheses, or the end. */
static const char *piece_end(const char *s, bool at_arrows)
{
    size_t depth = 0;
    bool quoted = false;
    for (; *s != '\0'; s++) {
        if (*s == '`')
            quoted = !quoted;
        else if (quoted)
            continue;
        else if (*s == '(')
            depth++;
        else if (*s == ')' && depth > 0)
            depth--;
        else if (depth == 0 && (*s == ',' || (at_arrows && arrow(s) > 0)))
            break;
    }
    return s;
}

static void trim(const char **begin, const char **end)
{
    while (*begin < *end && isspace((unsigned char)**begin))
        ++*begin;
    while (*end > *begin && isspace((unsigned char)(*end)[-1]))
        --*end;
}

static bool holds_any(const char *begin, const char *end, const char *characters)
{
    for (; begin < end; begin++)
        if (strchr(characters, *begin) != NULL)
            return true;
    return false;
}

static bd_status point_at(const char *text, const char *place, const char *sentence)
{
    size_t width = 0;
    for (const char *s = text; s < place; s++)
        width += ((unsigned char)*s & 0xc0) != 0x80; /* characters, not bytes */
    return bd_fail(BD_EUSAGE, "cannot read the path: %s\n  %s\n  %*s^", sentence, text, (int)width, "");
}

/* A plain name, quoted or not, becomes a backquoted term; whatever holds one of `operators` is a term already. */
static bd_status as_term(const char *begin, const char *end, const char *operators, bd_arena *arena,
                         const char **name, const char **term)
{
    const bool quoted = end - begin >= 2 && *begin == '`' && end[-1] == '`' && !holds_any(begin + 1, end - 1, "`");
    if (quoted) {
        begin++;
        end--;
    }
    BD_TRY(bd_copy_text(arena, begin, (size_t)(end - begin), name));
    if (!quoted && holds_any(begin, end, operators)) {
        *term = *name;
        return BD_OK;
    }
    return bd_print(arena, term, "`%s`", *name);
}

static bd_status add_node(const char *text, const char *begin, const char *end, size_t stage, bd_arena *arena,
                          node_list *nodes)
{
    const char *place = begin;
    trim(&begin, &end);
    if (begin == end)
        return point_at(text, place, "a name is missing");
    if (nodes->n == BD_PATH_MAX_MEDIATORS + 2)
        return bd_fail(BD_EUSAGE, "a path takes at most %d mediators", BD_PATH_MAX_MEDIATORS);
    const size_t i = nodes->n;
    BD_TRY(as_term(begin, end, "(`", arena, &nodes->names[i], &nodes->terms[i]));
    nodes->stages[i] = stage;
    for (size_t k = 0; k < i; k++)
        if (strcmp(nodes->terms[k], nodes->terms[i]) == 0) {
            const char *sentence;
            BD_TRY(bd_print(arena, &sentence, "'%s' stands in the path twice", nodes->names[i]));
            return point_at(text, begin, sentence);
        }
    nodes->n++;
    return BD_OK;
}

static bd_status read_nodes(const char *text, bd_arena *arena, node_list *nodes)
{
    size_t stage = 0;
    for (const char *s = text;;) {
        const char *end = piece_end(s, true);
        BD_TRY(add_node(text, s, end, stage, arena, nodes));
        if (*end == '\0')
            return BD_OK;
        if (*end == ',') {
            s = end + 1;
        } else {
            s = end + arrow(end);
            stage++;
        }
    }
}

static bd_status check_ends(const node_list *nodes)
{
    const size_t last = nodes->stages[nodes->n - 1];
    if (last < 2)
        return bd_fail(BD_EUSAGE, "a path needs a predictor, a mediator and an outcome: 'alliance -> adherence -> "
                                  "outcome'");
    if (nodes->stages[1] == 0)
        return bd_fail(BD_EUSAGE, "a path begins with one predictor; give '%s' as --adjust %s, or run it by itself",
                       nodes->names[1], nodes->names[1]);
    if (nodes->stages[nodes->n - 2] == last)
        return bd_fail(BD_EUSAGE, "a path ends in one outcome; run '%s' by itself", nodes->names[nodes->n - 1]);
    return BD_OK;
}

/* The path in one spelling: single spaces, "->". */
static bd_status spell(const node_list *nodes, bd_arena *arena, const char **text)
{
    *text = nodes->names[0];
    for (size_t i = 1; i < nodes->n; i++)
        BD_TRY(bd_print(arena, text, "%s%s%s", *text, nodes->stages[i] == nodes->stages[i - 1] ? ", " : " -> ",
                        nodes->names[i]));
    return BD_OK;
}

bd_status bd_path_parse(const char *text, bd_arena *arena, const bd_path **out)
{
    bd_path *path;
    node_list nodes = {0};
    BD_NEW(arena, path, 1);
    BD_NEW(arena, nodes.names, BD_PATH_MAX_MEDIATORS + 2);
    BD_NEW(arena, nodes.terms, BD_PATH_MAX_MEDIATORS + 2);
    BD_NEW(arena, nodes.stages, BD_PATH_MAX_MEDIATORS + 2);
    BD_TRY(read_nodes(text, arena, &nodes));
    BD_TRY(check_ends(&nodes));
    *path = (bd_path){.n_nodes = nodes.n, .names = nodes.names, .terms = nodes.terms, .stages = nodes.stages};
    BD_TRY(spell(&nodes, arena, &path->text));
    *out = path;
    return BD_OK;
}

bd_status bd_path_list(const char *list, bd_arena *arena, const char *const **names, const char *const **terms,
                       size_t *n)
{
    const char **all_names = NULL, **all_terms = NULL;
    size_t n_names = 0, n_terms = 0, names_capacity = 0, terms_capacity = 0;
    for (const char *s = list; s != NULL;) {
        const char *begin = s, *end = piece_end(s, false), *name, *term;
        s = *end == '\0' ? NULL : end + 1;
        trim(&begin, &end);
        if (begin == end)
            return bd_fail(BD_EUSAGE, "'%s': a name is missing", list);
        BD_TRY(as_term(begin, end, "()`+*:^", arena, &name, &term));
        BD_PUSH(arena, all_names, n_names, names_capacity, name);
        BD_PUSH(arena, all_terms, n_terms, terms_capacity, term);
    }
    *names = all_names;
    *terms = all_terms;
    *n = n_names;
    return BD_OK;
}

/* With log(m) or x:age beside them, the paths of m and x would no longer be one number each. */
static bd_status refuse_shared(const char *node, const char *term, bd_arena *arena)
{
    const char *name;
    BD_TRY(bd_expression_shares(node, term, arena, &name));
    return name == NULL ? BD_OK
                        : bd_fail(BD_EUSAGE, "'%s' is made of '%s', which stands in the path: its effects would not be "
                                             "one number each",
                                  term, name);
}

bd_status bd_path_formula(const bd_path *path, const char *adjust, bd_arena *arena, const char **formula)
{
    const char *const *names, *const *terms;
    size_t n;
    BD_TRY(bd_while(bd_path_list(adjust, arena, &names, &terms, &n), "--adjust"));
    for (size_t i = 0; i < n; i++)
        for (size_t node = 0; node < path->n_nodes; node++)
            if (strcmp(names[i], path->names[node]) == 0)
                return bd_fail(BD_EUSAGE, "--adjust: '%s' stands in the path already", names[i]);
    for (size_t node = 0; node < path->n_nodes; node++) {
        for (size_t i = 0; i < n; i++)
            BD_TRY(bd_while(refuse_shared(path->terms[node], terms[i], arena), "--adjust"));
        for (size_t other = 0; other < path->n_nodes; other++)
            if (other != node)
                BD_TRY(bd_while(refuse_shared(path->terms[node], path->terms[other], arena), "cannot read the path"));
    }
    BD_TRY(bd_print(arena, formula, "%s ~ ", path->terms[path->n_nodes - 1]));
    for (size_t i = 0; i < n; i++)
        BD_TRY(bd_print(arena, formula, "%s%s + ", *formula, terms[i]));
    for (size_t i = 0; i + 1 < path->n_nodes; i++)
        BD_TRY(bd_print(arena, formula, "%s%s%s", *formula, i > 0 ? " + " : "", path->terms[i]));
    return BD_OK;
}
