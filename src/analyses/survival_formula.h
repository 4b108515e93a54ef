/* A formula with Surv() on its left, taken apart. */
#ifndef BORDIN_ANALYSES_SURVIVAL_FORMULA_H
#define BORDIN_ANALYSES_SURVIVAL_FORMULA_H

#include <stdbool.h>

#include <bordin/core/arena.h>

typedef struct survival_formula {
    const char *start, *stop, *event; /* expressions; start NULL without */
    const char *terms;                /* the rest of the right-hand side; "1" when there is none */
    const char *offset;               /* expression; NULL without */
    const char *cluster;              /* a column's name; NULL without */
    const char *frailty;              /* the same, of those who share one; then it is the cluster too */
    const char **strata;              /* expressions */
    size_t n_strata;
    const char *stratum;              /* the only one of strata, when it is a column's name; NULL otherwise */
    const char **plain;               /* the terms between + signs, as text */
    size_t n_plain;
} survival_formula;

/* BD_EUSAGE: it cannot be parsed; Surv() is missing or has too few or too many parts; strata(), cluster(), frailty() or
 * offset() are within another term, or given twice. */
BD_CHECKED bd_status survival_formula_parse(const char *text, bd_arena *arena, survival_formula *formula);

#endif
