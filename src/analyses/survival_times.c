/* The times at which curves are told. */
#include "analyses/survival_times.h"

#include <math.h>

enum { QUARTERS = 4 };

bd_status survival_times(double horizon, bd_arena *arena, const double **out, size_t *n_out)
{
    double *times;
    for (size_t i = 0; i < *n_out; i++)
        if (!((*out)[i] >= 0) || isinf((*out)[i]))
            return bd_fail(BD_EUSAGE, "%g is not a time", (*out)[i]);
    if (*n_out > 0)
        return BD_OK;
    BD_NEW(arena, times, QUARTERS);
    for (size_t i = 0; i < QUARTERS; i++)
        times[i] = horizon * (double)(i + 1) / QUARTERS;
    *out = times;
    *n_out = QUARTERS;
    return BD_OK;
}
