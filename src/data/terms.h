/* A formula as terms: products of variables. */
#ifndef BORDIN_SRC_DATA_TERMS_H
#define BORDIN_SRC_DATA_TERMS_H

#include <stdint.h>

#include "data/syntax.h"

enum { MOST_VARIABLES = 64 };

typedef struct formula_terms {
    const node *response; /* NULL without */
    bool intercept;
    const node *variables[MOST_VARIABLES]; /* whatever has values of its own: x, log(x), factor(x) */
    const char *names[MOST_VARIABLES];     /* their canonical text */
    size_t n_variables;
    uint64_t *masks; /* of each term: which variables it multiplies; lower degrees first, then as written */
    size_t n_terms;
} formula_terms;

/* BD_EUSAGE: not a formula; a caret shows the place. */
BD_CHECKED bd_status terms_of(const node *tree, const syntax_source *source, bd_arena *arena, formula_terms *out);

/* As columns of the design are named by it: a name without backquotes. */
static inline const char *variable_name(const formula_terms *terms, size_t i)
{
    return terms->variables[i]->kind == NODE_NAME ? terms->variables[i]->text : terms->names[i];
}

/* "alliance:group" */
BD_CHECKED bd_status term_name(const formula_terms *terms, uint64_t mask, bd_arena *arena, const char **name);

#endif
