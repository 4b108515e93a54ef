/* Numbers as they stand in files. */
#ifndef BORDIN_SRC_DATA_CSV_NUMBER_H
#define BORDIN_SRC_DATA_CSV_NUMBER_H

#include <locale.h>
#include <stddef.h>

typedef enum number_kind { IS_NUMBER, IS_NOT_NUMBER, IS_INFINITE } number_kind;

/* The double nearest to the decimal number that is the whole of `text`; `c` is the C locale. No hexadecimal, no "inf". */
number_kind csv_number(const char *text, size_t length, char decimal, locale_t c, double *number);

#endif
