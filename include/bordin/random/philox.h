/* Philox4x32-10: random numbers by counter. The same (key, counter) gives the same 128 bits on any machine, so any
 * replicate of any block can be drawn by any thread, in any order, again.
 * Salmon, Moraes, Dror & Shaw (2011), doi:10.1145/2063384.2063405.
 *
 *     bd_philox(seed, (bd_counter){.index = i, .stream = replicate, .purpose = BD_PURPOSE_SPLIT}, words);
 *
 * or as a GSL generator, for the gsl_ran_* distributions:
 *
 *     gsl_rng *rng = gsl_rng_alloc(bd_rng_philox);
 *     bd_rng_seek(rng, seed, stream, purpose);      64-bit seed; gsl_rng_set takes an unsigned long
 */
#ifndef BORDIN_RANDOM_PHILOX_H
#define BORDIN_RANDOM_PHILOX_H

#include <stdint.h>

#include <gsl/gsl_rng.h>

/* What random numbers are for; two purposes never share a number. */
typedef enum bd_purpose {
    BD_PURPOSE_DRAW,        /* the units drawn within a block */
    BD_PURPOSE_SPLIT,       /* how many draws each block gets */
    BD_PURPOSE_MONTE_CARLO, /* parametric draws of estimates */
    BD_PURPOSE_SIMULATE,    /* simulated data */
    BD_PURPOSE_WILD,        /* auxiliary weights of the wild bootstrap */
    BD_PURPOSE_PERMUTE,     /* permutations */
    BD_PURPOSE_ERRORS,      /* errors that are added to fitted values */
    BD_PURPOSE_INNER,       /* keys of the samples that are drawn from one replicate */
    BD_PURPOSE_FREQUENCIES, /* how many rows of each kind are drawn */
    BD_PURPOSE_SUBSETS,     /* subsets of the rows, and samples drawn from them */
} bd_purpose;

typedef struct bd_counter {
    uint32_t index;   /* counts up within a stream */
    uint32_t block;   /* which block of units */
    uint32_t stream;  /* which replicate */
    uint32_t purpose; /* a bd_purpose */
} bd_counter;

/* words <- the 128 bits of this counter under the key `seed`. */
void bd_philox(uint64_t seed, bd_counter counter, uint32_t words[4]);

/* The generator for GSL: 32-bit words in counter order. */
extern const gsl_rng_type *const bd_rng_philox;

/* Puts a bd_rng_philox at the start of a stream. */
void bd_rng_seek(gsl_rng *rng, uint64_t seed, uint32_t stream, uint32_t block, bd_purpose purpose);

/* A whole number below n, each as likely. Lemire (2019), doi:10.1145/3230636. */
uint32_t bd_random_below(gsl_rng *rng, uint32_t n);

#endif
