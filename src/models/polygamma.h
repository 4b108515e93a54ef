/* Logarithm of the gamma function and its first two derivatives, for positive arguments.
 *
 * GSL's stop the program, by its error handler, where a value underflows; these do not, and are quicker.
 */
#ifndef BORDIN_MODELS_POLYGAMMA_H
#define BORDIN_MODELS_POLYGAMMA_H

#include <math.h>

/* lgamma keeps the sign in a variable that threads share. */
static inline double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

/* By recurrence to 12 and more, and the asymptotic series there: Abramowitz & Stegun (1964), 6.3.5, 6.3.18. */
static inline double digamma(double x)
{
    double below = 0;
    for (; x < 12; x++)
        below += 1 / x;
    const double r = 1 / (x * x);
    const double series =
        r * (1 / 12.0 -
             r * (1 / 120.0 - r * (1 / 252.0 - r * (1 / 240.0 - r * (1 / 132.0 - r * (691 / 32760.0 - r / 12))))));
    return log(x) - 0.5 / x - series - below;
}

/* Abramowitz & Stegun (1964), 6.4.6, 6.4.12. */
static inline double trigamma(double x)
{
    double below = 0;
    for (; x < 12; x++)
        below += 1 / (x * x);
    const double r = 1 / (x * x);
    const double series =
        r *
        (1 / 6.0 - r * (1 / 30.0 - r * (1 / 42.0 - r * (1 / 30.0 - r * (5 / 66.0 - r * (691 / 2730.0 - r * 7 / 6))))));
    return below + (1 + 0.5 / x + series) / x;
}

#endif
