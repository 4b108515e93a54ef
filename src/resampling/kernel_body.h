/* The kernel itself, in vector types of KERNEL_BYTES; included by kernel_<instruction set>.c. Each lane and each moment
 * has a sum of its own, added to in the order of units, so neither vector width nor tiling changes a bit. */
#include "resampling/kernel.h"

#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "random/philox_rounds.h"
#include <bordin/random/philox.h>

enum {
    WIDTH = KERNEL_BYTES / sizeof(double),
    VECTORS = KERNEL_LANES / WIDTH,
    REST = KERNEL_ROWS < KERNEL_TILE ? KERNEL_ROWS : KERNEL_TILE,
    SOME_UNITS = 64,   /* whose counts as doubles stay in the first-level cache */
    CHUNK = KERNEL_CHUNK, /* Philox counters at a time: their state stays in registers */
};

typedef double vector __attribute__((vector_size(KERNEL_BYTES)));
typedef uint64_t words __attribute__((vector_size(KERNEL_BYTES)));
#define INLINE static inline __attribute__((always_inline))

/* The 64-bit products of the 32-bit words in 64-bit lanes: one instruction where the processor has it. */
INLINE words multiply(words x, uint32_t factor)
{
    const words y = (words){0} + factor;
#if defined __AVX512F__ && KERNEL_BYTES == 64
    return (words)_mm512_mul_epu32((__m512i)x, (__m512i)y);
#elif defined __AVX2__ && KERNEL_BYTES == 32
    return (words)_mm256_mul_epu32((__m256i)x, (__m256i)y);
#elif defined __SSE2__ && KERNEL_BYTES == 16
    return (words)_mm_mul_epu32((__m128i)x, (__m128i)y);
#else
    return x * y;
#endif
}

/* CHUNK counters from `index`; random[i] and random[CHUNK + i] <- the two halves of counter i's 128 bits. 32-bit words
 * live in 64-bit lanes: a product leaves both its halves where they are wanted. */
INLINE void philox(const uint32_t key[2], bd_counter counter, uint64_t *random)
{
    enum { N = CHUNK / WIDTH };
    const words low = (words){0} + UINT32_MAX;
    static const uint64_t offsets[CHUNK] = {0, 1, 2, 3, 4, 5, 6, 7};
    words w[4][N];
    uint32_t k0 = key[0], k1 = key[1];
    memcpy(w[0], offsets, sizeof offsets);
    for (size_t v = 0; v < N; v++) {
        w[0][v] += counter.index;
        w[1][v] = (words){0} + counter.block;
        w[2][v] = (words){0} + counter.stream;
        w[3][v] = (words){0} + counter.purpose;
    }
    for (int round = 0; round < PHILOX_ROUNDS; round++, k0 += PHILOX_W0, k1 += PHILOX_W1) {
        for (size_t v = 0; v < N; v++) {
            const words product0 = multiply(w[0][v], PHILOX_M0), product1 = multiply(w[2][v], PHILOX_M1);
            w[0][v] = (product1 >> 32) ^ w[1][v] ^ (uint64_t)k0;
            w[2][v] = (product0 >> 32) ^ w[3][v] ^ (uint64_t)k1;
            w[1][v] = product1 & low;
            w[3][v] = product0 & low;
        }
    }
    for (size_t v = 0; v < N; v++) {
        const words first = w[0][v] | w[1][v] << 32, second = w[2][v] | w[3][v] << 32;
        memcpy(random + v * WIDTH, &first, sizeof first);
        memcpy(random + CHUNK + v * WIDTH, &second, sizeof second);
    }
}

/* Random numbers in the order in which they are used. */
typedef struct stream {
    uint32_t key[2];
    bd_counter next;
    uint64_t random[2 * CHUNK];
} stream;

INLINE void refill(stream *source)
{
    philox(source->key, source->next, source->random);
    source->next.index += CHUNK;
}

INLINE stream stream_of(uint64_t seed, uint32_t block, uint32_t replicate)
{
    return (stream){.key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
                    .next = {.block = block, .stream = replicate, .purpose = BD_PURPOSE_DRAW}};
}

static void fill(uint64_t seed, uint32_t block, uint32_t replicate, size_t n_chunks, uint64_t *random)
{
    stream source = stream_of(seed, block, replicate);
    for (size_t i = 0; i < n_chunks; i++) {
        refill(&source);
        memcpy(random + i * 2 * CHUNK, source.random, sizeof source.random);
    }
}

/* A full block: any KERNEL_PICK_BITS bits are a unit. */
static void draw_full(stream *source, size_t n_draws, uint8_t *counts)
{
    enum { PICKS = 64 / KERNEL_PICK_BITS };
    while (n_draws > 0) {
        refill(source);
        for (size_t i = 0; i < 2 * CHUNK && n_draws > 0; i++) {
            uint64_t word = source->random[i];
            const size_t n = n_draws < PICKS ? n_draws : PICKS;
            if (n == PICKS)
                for (size_t pick = 0; pick < PICKS; pick++, word >>= KERNEL_PICK_BITS)
                    counts[word % KERNEL_UNITS * KERNEL_LANES]++;
            else
                for (size_t pick = 0; pick < n; pick++, word >>= KERNEL_PICK_BITS)
                    counts[word % KERNEL_UNITS * KERNEL_LANES]++;
            n_draws -= n;
        }
    }
}

/* The units that 16 random bits each pick, KERNEL_UNITS where they are rejected; returns how many are not. */
INLINE size_t choose(const uint64_t *random, uint32_t n_units, uint32_t too_often, uint32_t *picks)
{
    enum { HALVES = 4 * CHUNK };
    uint32_t halves[HALVES], n_rejected = 0;
    memcpy(halves, random, sizeof halves);
    for (size_t i = 0; i < HALVES; i++) {
        const uint32_t low = (halves[i] & 65535) * n_units, high = (halves[i] >> 16) * n_units;
        const uint32_t bad_low = (low & 65535) < too_often, bad_high = (high & 65535) < too_often;
        picks[i] = bad_low ? KERNEL_UNITS : low >> 16;
        picks[HALVES + i] = bad_high ? KERNEL_UNITS : high >> 16;
        n_rejected += bad_low + bad_high;
    }
    return 2 * HALVES - n_rejected;
}

/* Any number of units: the high part of 16 random bits times their number, rejected where the low part shows that the
 * unit would be drawn too often. Lemire (2019), doi:10.1145/3230636. */
static void draw_some(stream *source, size_t n_units, size_t n_draws, uint8_t *counts)
{
    enum { PICKS = 8 * CHUNK };
    const uint32_t n = (uint32_t)n_units, too_often = 65536 % n;
    uint32_t picks[PICKS];
    while (n_draws > 0) {
        refill(source);
        const size_t n_accepted = choose(source->random, n, too_often, picks);
        if (n_draws >= PICKS) {
            for (size_t i = 0; i < PICKS; i++)
                counts[picks[i] * KERNEL_LANES]++;
            n_draws -= n_accepted;
        } else {
            for (size_t i = 0; i < PICKS && n_draws > 0; i++) {
                counts[picks[i] * KERNEL_LANES]++;
                n_draws -= picks[i] < KERNEL_UNITS;
            }
        }
    }
}

static void draw(uint64_t seed, uint32_t block, uint32_t replicate, size_t n_units, size_t n_draws, uint8_t *counts)
{
    stream source = stream_of(seed, block, replicate);
    if (n_units == KERNEL_UNITS)
        draw_full(&source, n_draws, counts);
    else
        draw_some(&source, n_units, n_draws, counts);
}

/* sum + weight * moment, whose product is exact: fused where the processor can. */
INLINE vector multiply_add(vector weight, double moment, vector sum)
{
    const vector moments = moment - (vector){0}; /* minus zero, which unlike adding it is nothing to compute */
#if defined __AVX512F__ && KERNEL_BYTES == 64
    return (vector)_mm512_fmadd_pd((__m512d)weight, (__m512d)moments, (__m512d)sum);
#elif defined __FMA__ && KERNEL_BYTES == 32
    return (vector)_mm256_fmadd_pd((__m256d)weight, (__m256d)moments, (__m256d)sum);
#else
    return sum + weight * moments;
#endif
}

/* n_rows moments of some units. */
INLINE void accumulate_rows(const double *weights, size_t n_units, const double *moments, size_t n_rows, size_t stride,
                            double *sums)
{
    vector partial[KERNEL_ROWS][VECTORS] = {{{0}}};
    for (size_t unit = 0; unit < n_units; unit++) {
        const vector *weight = (const vector *)(weights + unit * KERNEL_LANES);
        for (size_t row = 0; row < n_rows; row++)
            for (size_t v = 0; v < VECTORS; v++)
                partial[row][v] = multiply_add(weight[v], moments[row * stride + unit], partial[row][v]);
    }
    for (size_t row = 0; row < n_rows; row++)
        for (size_t v = 0; v < VECTORS; v++)
            ((vector *)(sums + row * KERNEL_LANES))[v] += partial[row][v];
}

static void accumulate(const uint8_t *counts, size_t n_units, const double *moments, size_t n_moments, size_t stride,
                       double *sums)
{
    _Alignas(64) double weights[SOME_UNITS * KERNEL_LANES];
    for (size_t from = 0; from < n_units; from += SOME_UNITS) {
        const size_t n = n_units - from < SOME_UNITS ? n_units - from : SOME_UNITS;
        size_t row = 0;
        for (size_t i = 0; i < n * KERNEL_LANES; i++)
            weights[i] = counts[from * KERNEL_LANES + i];
        for (; row + KERNEL_ROWS <= n_moments; row += KERNEL_ROWS)
            accumulate_rows(weights, n, moments + row * stride + from, KERNEL_ROWS, stride, sums + row * KERNEL_LANES);
        for (; row < n_moments; row += REST)
            accumulate_rows(weights, n, moments + row * stride + from, REST, stride, sums + row * KERNEL_LANES);
    }
}
