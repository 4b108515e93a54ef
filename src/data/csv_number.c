/* Numbers as text: the common ones by one exact operation, the others by strtod. */
#include "data/csv_number.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_DIGITS = 19, EXACT_POWER = 22, STACK_TEXT = 128, LARGEST_EXPONENT = 100000 };

typedef struct spelling {
    uint64_t digits; /* the first MOST_DIGITS significant ones */
    int n_digits;
    int exponent; /* of ten, after the digits */
    bool negative;
} spelling;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *scan_digits(const char *p, const char *end, spelling *s)
{
    for (; p < end && is_digit(*p); p++) {
        s->digits = s->n_digits < MOST_DIGITS ? s->digits * 10 + (uint64_t)(*p - '0') : s->digits;
        s->n_digits += s->n_digits > 0 || *p != '0';
    }
    return p;
}

static const char *scan_exponent(const char *p, const char *end, spelling *s)
{
    const bool sign = p + 1 < end && (p[1] == '-' || p[1] == '+');
    const char *first = p + 1 + sign;
    int exponent = 0;
    for (p = first; p < end && is_digit(*p); p++)
        exponent = exponent < LARGEST_EXPONENT ? exponent * 10 + (*p - '0') : exponent;
    s->exponent += sign && first[-1] == '-' ? -exponent : exponent;
    return p == first ? NULL : p;
}

/* [+-] digits [decimal digits] [e [+-] digits], with at least one digit before the exponent, and nothing else. */
static bool scan(const char *text, size_t n, char decimal, spelling *s)
{
    const char *p = text, *end = text + n;
    *s = (spelling){.negative = n > 0 && *p == '-'};
    p += n > 0 && (*p == '-' || *p == '+');
    const char *whole = p;
    p = scan_digits(p, end, s);
    ptrdiff_t places = p - whole;
    if (p < end && *p == decimal) {
        const char *fraction = p + 1;
        p = scan_digits(fraction, end, s);
        places += p - fraction;
        s->exponent = -(int)(p - fraction);
    }
    if (places == 0)
        return false;
    if (p < end && (*p == 'e' || *p == 'E'))
        p = scan_exponent(p, end, s);
    return p == end;
}

static double convert_slowly(const char *text, size_t n, char decimal, locale_t c_locale)
{
    char stack[STACK_TEXT], *copy = n < sizeof stack ? stack : malloc(n + 1);
    if (copy == NULL)
        return INFINITY;
    memcpy(copy, text, n);
    copy[n] = '\0';
    char *point = memchr(copy, decimal, n);
    if (point != NULL)
        *point = '.';
    const double value = strtod_l(copy, NULL, c_locale);
    if (copy != stack)
        free(copy);
    return value;
}

/* Both operands are exact doubles, so that the one operation is rounded as the true quotient or product would be:
 * Clinger (1990), doi:10.1145/93542.93557. */
static bool convert_exactly(const spelling *s, double *value)
{
    static const double powers[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (s->n_digits > MOST_DIGITS || s->digits > UINT64_C(1) << 53 || abs(s->exponent) > EXACT_POWER)
        return false;
    const double digits = (double)s->digits;
    const double magnitude = s->exponent < 0 ? digits / powers[-s->exponent] : digits * powers[s->exponent];
    *value = s->negative ? -magnitude : magnitude;
    return true;
}

static bool names_infinity(const char *text, size_t n)
{
    const size_t sign = n > 0 && (*text == '-' || *text == '+');
    return (n - sign == 3 && strncasecmp(text + sign, "inf", 3) == 0) ||
           (n - sign == 8 && strncasecmp(text + sign, "infinity", 8) == 0);
}

number_kind csv_number(const char *text, size_t length, char decimal, locale_t c, double *number)
{
    spelling s;
    if (!scan(text, length, decimal, &s))
        return names_infinity(text, length) ? IS_INFINITE : IS_NOT_NUMBER;
    if (!convert_exactly(&s, number))
        *number = convert_slowly(text, length, decimal, c);
    return isfinite(*number) ? IS_NUMBER : IS_INFINITE;
}
