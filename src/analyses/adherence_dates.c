/* Dates to day numbers since 1970-01-01 and back, in the Gregorian calendar.
 * Hatcher (1984), Q. J. R. Astron. Soc. 25, 53-55, with years that begin in March. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "analyses/adherence_internal.h"

static int64_t day_of(int64_t year, int64_t month, int64_t day)
{
    const int64_t y = month > 2 ? year : year - 1, m = (month + 9) % 12; /* March is 0 */
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static void date_of(int64_t number, int64_t *year, int64_t *month, int64_t *day)
{
    const int64_t n = number + 719468, era = (n >= 0 ? n : n - 146096) / 146097, in_era = n - era * 146097;
    const int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    const int64_t in_year = in_era - (365 * y + y / 4 - y / 100), m = (5 * in_year + 2) / 153;
    *day = in_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = y + era * 400 + (*month <= 2);
}

/* A whole number of `least` to `most` digits; -1: none. */
static int64_t digits(const char **text, size_t least, size_t most)
{
    int64_t value = 0;
    size_t n = 0;
    for (; n < most && **text >= '0' && **text <= '9'; n++)
        value = 10 * value + (*(*text)++ - '0');
    return n < least ? -1 : value;
}

static bool sign(const char **text, char expected)
{
    return *(*text)++ == expected;
}

/* Only what comes back as it was is in the calendar: not 30 February. */
static bool in_calendar(int64_t year, int64_t month, int64_t day, double *number)
{
    int64_t y, m, d;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    *number = (double)day_of(year, month, day);
    date_of(day_of(year, month, day), &y, &m, &d);
    return y == year && m == month && d == day;
}

date_form adherence_parse_date(const char *text, double *number)
{
    const char *s = text;
    const bool slashes = strchr(text, '/') != NULL;
    int64_t year, month, day;
    if (slashes) {
        if ((month = digits(&s, 1, 2)) < 0 || !sign(&s, '/') || (day = digits(&s, 1, 2)) < 0 || !sign(&s, '/') ||
            (year = digits(&s, 4, 4)) < 0)
            return NOT_A_DATE;
    } else if ((year = digits(&s, 4, 4)) < 0 || !sign(&s, '-') || (month = digits(&s, 2, 2)) < 0 || !sign(&s, '-') ||
               (day = digits(&s, 2, 2)) < 0) {
        return NOT_A_DATE;
    }
    if (*s != '\0' || !in_calendar(year, month, day, number))
        return NOT_A_DATE;
    return slashes ? SLASHED_DATE : ISO_DATE;
}

adherence_date adherence_show_date(double number, bool calendar)
{
    adherence_date shown;
    int64_t year, month, day;
    if (!calendar) {
        snprintf(shown.text, sizeof shown.text, "%.15g", number);
        return shown;
    }
    date_of((int64_t)number, &year, &month, &day);
    snprintf(shown.text, sizeof shown.text, "%04d-%02d-%02d", (int)year, (int)month, (int)day);
    return shown;
}
