/* Which kernels this processor runs. */
#include "resampling/kernel.h"

size_t kernels_here(const kernel *kernels[3])
{
    size_t n = 0;
    kernels[n++] = &kernel_baseline;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        kernels[n++] = &kernel_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
        kernels[n++] = &kernel_avx512;
#endif
    return n;
}
