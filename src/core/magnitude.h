/* Units in which squares neither overflow nor vanish. */
#ifndef BORDIN_SRC_CORE_MAGNITUDE_H
#define BORDIN_SRC_CORE_MAGNITUDE_H

#include <math.h>
#include <stdbool.h>

/* The power of two that brings a positive number near 1: multiplying by it is exact. */
static inline double magnitude_unit(double number)
{
    enum { MOST = 1000 };
    int exponent;
    frexp(number, &exponent);
    return ldexp(1, exponent > MOST ? -MOST : exponent < -MOST ? MOST : -exponent);
}

/* Whether sums of squares and fourth powers of such a number are safe as they are. */
static inline bool magnitude_is_ordinary(double number)
{
    return number == 0 || (number > 0x1p-200 && number < 0x1p200);
}

#endif
