/* The grammar of formulas and conditions, which is R's: text to a tree and back. */
#ifndef BORDIN_SRC_DATA_SYNTAX_H
#define BORDIN_SRC_DATA_SYNTAX_H

#include <stdbool.h>

#include <bordin/core/arena.h>

typedef enum node_kind { NODE_NUMBER, NODE_TEXT, NODE_NAME, NODE_CALL, NODE_UNARY, NODE_BINARY } node_kind;

typedef struct node {
    node_kind kind;
    size_t at;        /* offset in the source, for carets */
    double number;    /* NODE_NUMBER */
    const char *text; /* the text, the name, the function, the operator */
    struct node **children;
    const char **labels; /* of the arguments of a call: "ref" in factor(x, ref = "a"); NULL without */
    size_t n_children;
} node;

/* Where a text comes from, for messages: "formula", "--where". */
typedef struct syntax_source {
    const char *what, *text;
} syntax_source;

/* BD_EUSAGE: the message shows the source with a caret under the place. */
BD_CHECKED bd_status syntax_parse(const syntax_source *source, bd_arena *arena, node **tree);

/* Fails with BD_EUSAGE, the message, and a caret under offset `at`. */
bd_status syntax_error(const syntax_source *source, size_t at, const char *format, ...) BD_PRINTF(3, 4);

/* The canonical text of a tree: spaces around operators but not around ^ and :, backquotes where a name needs them. */
BD_CHECKED bd_status syntax_print(const node *tree, bd_arena *arena, const char **text);

/* Whether `tree` is the binary operator `name`. */
bool syntax_is(const node *tree, const char *name);

#endif
