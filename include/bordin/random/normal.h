/* Standard normal numbers from counters: Box & Muller (1958), doi:10.1214/aoms/1177706645. */
#ifndef BORDIN_RANDOM_NORMAL_H
#define BORDIN_RANDOM_NORMAL_H

#include <bordin/random/philox.h>

/* Two independent standard normals from two random words. */
void bd_normal_pair(uint32_t first, uint32_t second, double *z0, double *z1);

/* z (n) <- the first n standard normals of a stream. */
void bd_random_normals(uint64_t seed, uint32_t stream, bd_purpose purpose, size_t n, double *z);

#endif
