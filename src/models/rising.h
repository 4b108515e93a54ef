/* The rising factorial a (a + 1) ... (a + n - 1) = Gamma(a + n) / Gamma(a): its logarithm and the derivatives by a. */
#ifndef BORDIN_MODELS_RISING_H
#define BORDIN_MODELS_RISING_H

#include "models/polygamma.h"

typedef struct rising {
    double log, first, second;
} rising;

/* As sums while that is quick: differences of gamma functions lose the digits that a large `a` takes. */
static inline rising rising_of(double a, double n)
{
    rising r = {0, 0, 0};
    if (n > 1000) {
        r.log = log_gamma(a + n) - log_gamma(a);
        r.first = digamma(a + n) - digamma(a);
        r.second = trigamma(a + n) - trigamma(a);
        return r;
    }
    double product = 1;
    for (double k = 0; k < n; k++) {
        const double inverse = 1 / (a + k);
        product *= a + k;
        if (product > 1e200 || product < 1e-200) {
            r.log += log(product);
            product = 1;
        }
        r.first += inverse;
        r.second -= inverse * inverse;
    }
    r.log += log(product);
    return r;
}

#endif
