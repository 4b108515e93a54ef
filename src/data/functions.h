/* The functions that formulas know. */
#ifndef BORDIN_SRC_DATA_FUNCTIONS_H
#define BORDIN_SRC_DATA_FUNCTIONS_H

#include "data/evaluate.h"

typedef struct function {
    const char *name;
    const char *usage;        /* "between(x, cluster)" */
    double (*of)(double);     /* of one number at a time; NULL: see below */
    bd_status (*apply)(evaluation *e, const node *call, values *out);
    size_t n_arguments;       /* beside labelled ones */
    bool takes_categories[2]; /* by argument: read as categories, not numbers */
    bool takes_reference;     /* ref = "level" */
    bool of_other_rows;       /* a row's value is made of other rows' */
} function;

/* NULL when there is none of that name. */
const function *function_find(const char *name);

/* Checks the number and the labels of the arguments. */
BD_CHECKED bd_status function_check(const function *function, const node *call, const syntax_source *source);

/* The names of all of them, for messages. */
BD_CHECKED bd_status function_names(bd_arena *arena, const char **names);

#endif
