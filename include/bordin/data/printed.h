/* Numbers as they are printed: which values they stand for.
 *
 *     bd_printed printed;
 *     if (bd_printed_read("< .001", &printed) && bd_printed_agrees(&printed, p)) ...
 */
#ifndef BORDIN_DATA_PRINTED_H
#define BORDIN_DATA_PRINTED_H

#include <stdbool.h>

typedef struct bd_printed {
    char relation;  /* '=', '<' or '>' */
    double value;
    int decimals;   /* printed; below 0 with an exponent: the last digit is 10^-decimals */
    double half;    /* half a unit of the last digit */
} bd_printed;

/* ".0881", "-1,234.5", "61.73%", "<.001", "> 14000", "2.1e-5"; a minus may be U+2212. False: something else. */
bool bd_printed_read(const char *text, bd_printed *printed);

/* Whether `value` is printed so, a half rounded either way. */
bool bd_printed_agrees(const bd_printed *printed, double value);

#endif
