/* exp as plain arithmetic: loops of it vectorise, and it has the same bits on every machine. */
#ifndef BORDIN_MODELS_GLM_EXP_H
#define BORDIN_MODELS_GLM_EXP_H

#include <stdint.h>
#include <string.h>

/* Loops are compiled for the vectors of this processor too: the same operations, so the same bits. */
#define GLM_INLINE static inline __attribute__((always_inline))
#ifdef __x86_64__
#define GLM_AVX2 __attribute__((target("avx2")))
#define GLM_HAS_AVX2 __builtin_cpu_supports("avx2")
#else
#define GLM_AVX2
#define GLM_HAS_AVX2 0
#endif

/* e^x for |x| <= 708, within one unit in the last place: x = k log 2 + r, |r| <= log(2) / 2, and
 * e^r = 1 + r + r^2 P(r) with P the polynomial through ten Chebyshev nodes, good to 1.6e-17. Without a branch. */
GLM_INLINE double glm_exp_inside(double x)
{
    const double rounder = 0x1.8p52;
    const double shifted = x * 0x1.71547652b82fep+0 + rounder, k = shifted - rounder;
    const double r = (x - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33, r2 = r * r, r4 = r2 * r2;
    const double p01 = 0x1.0000000000001p-1 + r * 0x1.5555555555556p-3;
    const double p23 = 0x1.5555555553d63p-5 + r * 0x1.11111111109b3p-7;
    const double p45 = 0x1.6c16c1788bd90p-10 + r * 0x1.a01a01a7c41d5p-13;
    const double p67 = 0x1.a019b90d2ae7ap-16 + r * 0x1.71de0dae63bb3p-19;
    const double p89 = 0x1.289185613a3d6p-22 + r * 0x1.af38a9b0ec855p-26;
    const double p = (p01 + r2 * p23) + r4 * ((p45 + r2 * p67) + r4 * p89);
    int64_t bits;
    double scale;
    memcpy(&bits, &shifted, sizeof bits);
    /* what stands above the lowest 11 bits of k falls off */
    bits = (int64_t)((uint64_t)bits << 52) + ((int64_t)1023 << 52);
    memcpy(&scale, &bits, sizeof scale);
    return scale * (1 + (r + r2 * p));
}

GLM_INLINE double glm_clamp(double x)
{
    x = x < -708 ? -708 : x;
    return x > 708 ? 708 : x;
}

/* The same, and e^+-708 beyond. */
GLM_INLINE double glm_exp(double x)
{
    return glm_exp_inside(glm_clamp(x));
}

#endif
