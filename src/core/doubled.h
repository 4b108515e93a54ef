/* Arithmetic in doubled precision: a number is the unevaluated sum of two doubles. */
#ifndef BORDIN_SRC_CORE_DOUBLED_H
#define BORDIN_SRC_CORE_DOUBLED_H

#include <math.h>
#include <stddef.h>

typedef struct doubled {
    double high, low;
} doubled;

/* a + b without error. Knuth (1969). */
static inline doubled doubled_sum(double a, double b)
{
    const double sum = a + b, part = sum - a;
    return (doubled){sum, (a - (sum - part)) + (b - part)};
}

/* a * b without error. */
static inline doubled doubled_product(double a, double b)
{
    const double product = a * b;
    return (doubled){product, __builtin_fma(a, b, -product)};
}

/* The same number with |low| below half a unit of high. */
static inline doubled doubled_normal(doubled a)
{
    return doubled_sum(a.high, a.low);
}

static inline doubled doubled_add(doubled a, doubled b)
{
    const doubled sum = doubled_sum(a.high, b.high), low = doubled_sum(a.low, b.low);
    const doubled first = doubled_sum(sum.high, sum.low + low.high);
    return doubled_sum(first.high, first.low + low.low);
}

static inline doubled doubled_negate(doubled a)
{
    return (doubled){-a.high, -a.low};
}

static inline doubled doubled_multiply(doubled a, doubled b)
{
    const doubled product = doubled_product(a.high, b.high);
    return doubled_sum(product.high, product.low + (a.high * b.low + a.low * b.high));
}

/* a / b, two corrections by the remainder. */
static inline doubled doubled_divide(doubled a, double b)
{
    doubled quotient = {a.high / b, 0};
    for (int step = 0; step < 2; step++) {
        const doubled remainder = doubled_add(a, doubled_negate(doubled_multiply(quotient, (doubled){b, 0})));
        quotient = doubled_sum(quotient.high, quotient.low + remainder.high / b);
    }
    return quotient;
}

#endif
