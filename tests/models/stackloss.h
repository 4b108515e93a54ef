/* Brownlee's (1965) stack loss: 21 days of a plant, in R as `stackloss`. */
#ifndef BORDIN_TESTS_MODELS_STACKLOSS_H
#define BORDIN_TESTS_MODELS_STACKLOSS_H

#include <bordin/models/ols.h>

static inline bd_ols_design stackloss_design(void)
{
    static const double air[] = {80, 80, 75, 62, 62, 62, 62, 62, 58, 58, 58, 58, 58, 58, 50, 50, 50, 50, 50, 56, 70};
    static const double water[] = {27, 27, 25, 24, 22, 23, 24, 24, 23, 18, 18, 17, 18, 19, 18, 18, 19, 19, 20, 20, 20};
    static const double acid[] = {89, 88, 90, 87, 87, 87, 93, 93, 87, 80, 89, 88, 82, 93, 89, 86, 72, 79, 80, 82, 91};
    static const double loss[] = {42, 37, 37, 28, 18, 18, 19, 20, 15, 14, 14, 13, 11, 12, 8, 7, 8, 8, 9, 15, 15};
    static const double *const columns[] = {NULL, air, water, acid};
    static const char *const names[] = {"(Intercept)", "air", "water", "acid"};
    return (bd_ols_design){.n_rows = 21,
                           .n_columns = 4,
                           .columns = columns,
                           .names = names,
                           .response = loss,
                           .response_name = "loss",
                           .has_intercept = true};
}

#endif
