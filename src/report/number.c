/* Numbers as APA prints them. */
#include <bordin/report/number.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FEWEST_DECIMALS = 2, MOST_DECIMALS = 6 };

static const double TOO_LONG = 1e8; /* from here on four digits and an exponent */

int bd_decimals_for(double number, int digits)
{
    const double magnitude = fabs(number);
    if (!(magnitude > 0) || isinf(magnitude))
        return FEWEST_DECIMALS;
    return digits - 1 - (int)floor(log10(magnitude));
}

static bd_shown fixed(double number, int decimals)
{
    bd_shown shown;
    snprintf(shown.text, sizeof shown.text, "%.*f", decimals, number);
    if (shown.text[0] == '-' && strspn(shown.text, "-0.") == strlen(shown.text))
        memmove(shown.text, shown.text + 1, strlen(shown.text)); /* "-0.00" */
    return shown;
}

static bd_shown four_digits(double number)
{
    bd_shown shown;
    snprintf(shown.text, sizeof shown.text, "%.4g", number == 0 ? 0.0 : number);
    return shown;
}

static bd_shown without_leading_zero(bd_shown shown)
{
    char *digits = shown.text + (shown.text[0] == '-');
    if (digits[0] == '0' && digits[1] == '.')
        memmove(digits, digits + 1, strlen(digits));
    return shown;
}

bd_shown bd_show_decimals(double number, int decimals)
{
    if (isnan(number))
        return (bd_shown){""};
    if (decimals < 0 || fabs(number) >= TOO_LONG)
        return four_digits(number);
    return fixed(number, decimals);
}

bd_shown bd_show_as(double number, double yardstick)
{
    const int needed = bd_decimals_for(yardstick, 3);
    if (needed > MOST_DECIMALS + 1)
        return bd_show_decimals(number, BD_FOUR_DIGITS);
    return bd_show_decimals(number, needed < FEWEST_DECIMALS  ? FEWEST_DECIMALS
                                    : needed > MOST_DECIMALS ? MOST_DECIMALS
                                                             : needed);
}

static bd_shown show_p(double p)
{
    if (p < 0.001)
        return (bd_shown){"< .001"};
    if (p >= 0.9995)
        return (bd_shown){"> .999"};
    return without_leading_zero(fixed(p, 3));
}

bd_shown bd_show_p(double p)
{
    const bd_shown number = bd_show(BD_P_VALUE, p);
    bd_shown shown = {""};
    if (!isnan(p))
        snprintf(shown.text, sizeof shown.text, "p %s%.10s", p >= 0.001 && p < 0.9995 ? "= " : "", number.text);
    return shown;
}

/* Whole where they are; else the fewer decimals the larger: Satterthwaite's 3.27 and 41.6. */
static bd_shown show_df(double df)
{
    const bool whole = fabs(df - nearbyint(df)) <= 1e-9 * fabs(df);
    return fixed(df, whole ? 0 : fabs(df) < 10 ? 2 : 1);
}

static bd_shown show_percent(double share)
{
    bd_shown shown = fabs(share) < TOO_LONG ? fixed(100 * share, 1) : four_digits(100 * share);
    strcat(shown.text, " %");
    return shown;
}

static bd_shown show_mc_error(double error)
{
    const int needed = bd_decimals_for(error, 2);
    return bd_show_decimals(error, needed < 0 ? 0 : needed > MOST_DECIMALS + 2 ? BD_FOUR_DIGITS : needed);
}

bd_shown bd_show(bd_class class, double number)
{
    if (isnan(number))
        return (bd_shown){""};
    if (isinf(number) || (class != BD_PERCENT && fabs(number) >= 1e15))
        return four_digits(number);
    switch (class) {
    case BD_BOUNDED:
        return without_leading_zero(bd_show_decimals(number, 3));
    case BD_STATISTIC:
        return bd_show_decimals(number, 2);
    case BD_P_VALUE:
        return show_p(number);
    case BD_COUNT:
        return fixed(number, number == nearbyint(number) ? 0 : 2);
    case BD_DF:
        return show_df(number);
    case BD_PERCENT:
        return show_percent(number);
    case BD_MC_ERROR:
        return show_mc_error(number);
    case BD_TEXT:
    case BD_ESTIMATE:
        break;
    }
    return bd_show_as(number, number);
}
