/* The distributions of auxiliary weights of the wild bootstrap. */
#include <bordin/analyses/wild.h>

#include <string.h>

const bd_wild_weights bd_wild_rademacher = {.name = "rademacher",
                                            .summary = "1 or -1",
                                            .n_points = 2,
                                            .points = {-1, 1},
                                            .probabilities = {0.5, 0.5}};

/* (1 -+ sqrt(5)) / 2 with probabilities (sqrt(5) +- 1) / (2 sqrt(5)). Mammen (1993), doi:10.1214/aos/1176349025. */
const bd_wild_weights bd_wild_mammen = {.name = "mammen",
                                        .summary = "two points, with third moment 1",
                                        .n_points = 2,
                                        .points = {-0.61803398874989484820, 1.61803398874989484820},
                                        .probabilities = {0.72360679774997896964, 0.27639320225002103036}};

/* The roots of 3/2, 1 and 1/2, with both signs. Webb (2014), Queen's Economics Department working paper 1315. */
const bd_wild_weights bd_wild_webb = {
    .name = "webb",
    .summary = "six points, for fewer than a dozen clusters",
    .n_points = 6,
    .points = {-1.22474487139158904910, -1, -0.70710678118654752440, 0.70710678118654752440, 1, 1.22474487139158904910},
    .probabilities = {1 / 6.0, 1 / 6.0, 1 / 6.0, 1 / 6.0, 1 / 6.0, 1 / 6.0}};

const bd_wild_weights *const bd_wild_weights_all[] = {&bd_wild_rademacher, &bd_wild_mammen, &bd_wild_webb, NULL};

bd_status bd_wild_weights_find(const char *name, const bd_wild_weights **weights)
{
    char list[64] = "";
    for (size_t i = 0; bd_wild_weights_all[i] != NULL; i++) {
        if (strcmp(bd_wild_weights_all[i]->name, name) == 0) {
            *weights = bd_wild_weights_all[i];
            return BD_OK;
        }
        strcat(strcat(list, i == 0 ? "" : ", "), bd_wild_weights_all[i]->name);
    }
    return bd_fail(BD_EUSAGE, "no auxiliary weights named '%s'; there are %s", name, list);
}
