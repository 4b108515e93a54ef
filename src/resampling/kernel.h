/* The hot loops of resampling, compiled once per instruction set; every variant gives the same bits. */
#ifndef BORDIN_SRC_RESAMPLING_KERNEL_H
#define BORDIN_SRC_RESAMPLING_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    KERNEL_LANES = 16,                /* replicates that advance together */
    KERNEL_PICK_BITS = 10,            /* of a random word choose a unit */
    KERNEL_UNITS = 1 << KERNEL_PICK_BITS, /* of a block, at most */
    KERNEL_COUNTS = KERNEL_UNITS + 1, /* rows of counts: a last one for picks that are rejected */
    KERNEL_TILE = 3,                  /* moment rows are padded to a multiple of this many */
    KERNEL_CHUNK = 8,                 /* counters of random numbers at a time */
};

typedef struct kernel {
    const char *name;

    /* words <- the random numbers that `draw` uses, n_chunks times those of KERNEL_CHUNK counters: all first halves of
     * their 128 bits, then all second ones. */
    void (*random)(uint64_t seed, uint32_t block, uint32_t replicate, size_t n_chunks, uint64_t *words);

    /* Draws `n_draws` of the `n_units` units of a block with replacement: counts[unit * KERNEL_LANES] += how often.
     * `counts` has KERNEL_COUNTS rows; those behind n_units are left with rubbish. A count never reaches 256: among
     * draws as many as units it would have a probability below n / 256!. */
    void (*draw)(uint64_t seed, uint32_t block, uint32_t replicate, size_t n_units, size_t n_draws, uint8_t *counts);

    /* sums[moment][lane] += sum over units of moments[moment * stride + unit] * counts[unit][lane], for n_moments, a
     * multiple of KERNEL_TILE, each kernel_moment(). `sums` is aligned to 64 bytes. */
    void (*accumulate)(const uint8_t *counts, size_t n_units, const double *moments, size_t n_moments, size_t stride,
                       double *sums);
} kernel;

extern const kernel kernel_baseline;
#ifdef __x86_64__
extern const kernel kernel_avx2, kernel_avx512;
#endif

/* A moment as the kernel takes it: rounded to 45 bits, so that its product with a count of 8 bits is exact and multiply-add
 * gives the same bits fused or not. */
static inline double kernel_moment(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = (bits + 0x80) & ~(uint64_t)0xff;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The kernels that this processor runs, best last; returns how many. */
size_t kernels_here(const kernel *kernels[3]);

#endif
