/* What an expression is made of. */
#include "data/dependence.h"

#include <string.h>

#include <bordin/data/frame.h>

#include "data/functions.h"

/* lag, between and within make a variable of its own: what they take is not taken row by row. */
static bool is_opaque(const node *tree)
{
    const function *f = tree->kind == NODE_CALL ? function_find(tree->text) : NULL;
    return f != NULL && f->of_other_rows;
}

bool takes_name(const node *tree, const char *name)
{
    if (tree->kind == NODE_NAME)
        return strcmp(tree->text, name) == 0;
    for (size_t i = 0; i < tree->n_children && !is_opaque(tree); i++)
        if (takes_name(tree->children[i], name))
            return true;
    return false;
}

static const char *first_name(const node *tree)
{
    const char *name = tree->kind == NODE_NAME ? tree->text : NULL;
    for (size_t i = 0; i < tree->n_children && name == NULL && !is_opaque(tree); i++)
        name = first_name(tree->children[i]);
    return name;
}

bool takes_other_rows(const node *tree)
{
    bool takes = is_opaque(tree);
    for (size_t i = 0; i < tree->n_children && !takes; i++)
        takes = takes_other_rows(tree->children[i]);
    return takes;
}

static bool takes_no_other(const node *tree, const char *name)
{
    if (tree->kind == NODE_NAME)
        return strcmp(tree->text, name) == 0;
    for (size_t i = 0; i < tree->n_children && !is_opaque(tree); i++)
        if (!takes_no_other(tree->children[i], name))
            return false;
    return true;
}

const char *only_name(const node *tree)
{
    const char *name = first_name(tree);
    return name != NULL && takes_no_other(tree, name) ? name : NULL;
}

bd_status bd_expression_shares(const char *expression, const char *other, bd_arena *arena, const char **name)
{
    const syntax_source sources[] = {{"expression", expression}, {"expression", other}};
    node *trees[2] = {NULL};
    for (size_t i = 0; i < 2; i++)
        BD_TRY(syntax_parse(&sources[i], arena, &trees[i]));
    *name = only_name(trees[0]);
    if (*name != NULL && !takes_name(trees[1], *name))
        *name = NULL;
    return BD_OK;
}
