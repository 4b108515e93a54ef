/* Formulas whose first predictor is the alliance. */
#include "analyses/formula_terms.h"

#include <string.h>

#include "data/syntax.h"

static bd_status split_terms(const node *tree, bd_arena *arena, const char **first, const char **rest)
{
    const char *left = NULL, *right = NULL;
    const node *leftmost = tree;
    while (syntax_is(leftmost, "+") || syntax_is(leftmost, "-"))
        leftmost = leftmost->children[0];
    BD_TRY(syntax_print(leftmost, arena, first));
    for (const node *at = tree; at != leftmost; at = at->children[0]) {
        BD_TRY(syntax_print(at->children[1], arena, &right));
        BD_TRY(left == NULL ? bd_print(arena, &left, "%s %s", at->text, right)
                            : bd_print(arena, &left, "%s %s %s", at->text, right, left));
    }
    *rest = left;
    return BD_OK;
}

bd_status formula_first_term(const char *formula, bd_arena *arena, const char **response, const char **first,
                             const char **rest)
{
    const syntax_source source = {"formula", formula};
    node *tree = NULL;
    BD_TRY(syntax_parse(&source, arena, &tree));
    if (!syntax_is(tree, "~"))
        return syntax_error(&source, tree->at, "a formula reads outcome ~ alliance + covariates");
    BD_TRY(syntax_print(tree->children[0], arena, response));
    BD_TRY(split_terms(tree->children[1], arena, first, rest));
    if (strcmp(*first, "1") == 0 || strcmp(*first, "0") == 0)
        return syntax_error(&source, tree->at, "the first predictor is to be the alliance: outcome ~ alliance + covariates");
    if (strpbrk(*first, "*:") != NULL || strncmp(*first, "factor(", 7) == 0)
        return bd_fail(BD_EUSAGE, "the first predictor, '%s', is to be the alliance alone, a number; interactions and "
                                  "categories come after it",
                       *first);
    return BD_OK;
}
