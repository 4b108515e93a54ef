/* Numbers as they are printed. */
#include <bordin/data/printed.h>

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Digits of `text` without thousands' commas into `plain`; false: no number. */
static bool simplify(const char *text, char *plain, size_t room)
{
    size_t n = 0;
    bool point = false;
    while (isspace((unsigned char)*text))
        text++;
    if (strncmp(text, "\xe2\x88\x92", 3) == 0) {
        plain[n++] = '-';
        text += 3;
    }
    for (; *text != '\0' && *text != '%' && !isspace((unsigned char)*text); text++) {
        point = point || *text == '.';
        if (*text == ',' && !point && isdigit((unsigned char)text[1]))
            continue;
        if (n + 1 == room)
            return false;
        plain[n++] = *text;
    }
    plain[n] = '\0';
    text += *text == '%';
    while (isspace((unsigned char)*text))
        text++;
    return *text == '\0' && n > 0 && strspn(plain, "+-.0123456789eE") == n;
}

bool bd_printed_read(const char *text, bd_printed *printed)
{
    char plain[64], *end;
    while (isspace((unsigned char)*text))
        text++;
    *printed = (bd_printed){.relation = *text == '<' || *text == '>' ? *text : '='};
    if (!simplify(text + (printed->relation != '='), plain, sizeof plain))
        return false;
    printed->value = strtod(plain, &end);
    if (end == plain || *end != '\0' || !isfinite(printed->value))
        return false;
    const char *point = strchr(plain, '.'), *power = strpbrk(plain, "eE");
    const size_t digits_end = power == NULL ? strlen(plain) : (size_t)(power - plain);
    printed->decimals = point == NULL ? 0 : (int)(digits_end - (size_t)(point - plain) - 1);
    if (power != NULL)
        printed->decimals -= atoi(power + 1);
    printed->half = 0.5 * pow(10, -printed->decimals);
    return true;
}

bool bd_printed_agrees(const bd_printed *printed, double value)
{
    if (isnan(value))
        return false;
    if (printed->relation == '<')
        return value < printed->value;
    if (printed->relation == '>')
        return value > printed->value;
    return fabs(value - printed->value) <= printed->half * (1 + 1e-9) + 1e-15 * fabs(printed->value);
}
