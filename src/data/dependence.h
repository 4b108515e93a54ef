/* What an expression is made of, row by row. */
#ifndef BORDIN_SRC_DATA_DEPENDENCE_H
#define BORDIN_SRC_DATA_DEPENDENCE_H

#include "data/syntax.h"

/* Whether a variable is in the expression, other than in a lag, a cluster mean or a deviation from one. */
bool takes_name(const node *tree, const char *name);

/* The variable of which the expression is a function, and of no other; NULL when there are several or none. */
const char *only_name(const node *tree);

/* Whether a part of it is a lag, a cluster mean or a deviation from one. */
bool takes_other_rows(const node *tree);

#endif
