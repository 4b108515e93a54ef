/* Philox4x32-10, and its face as a GSL generator. */
#include <bordin/random/philox.h>

#include "philox_rounds.h"

void bd_philox(uint64_t seed, bd_counter counter, uint32_t words[4])
{
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    words[0] = counter.index;
    words[1] = counter.block;
    words[2] = counter.stream;
    words[3] = counter.purpose;
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        const uint64_t product0 = (uint64_t)PHILOX_M0 * words[0], product1 = (uint64_t)PHILOX_M1 * words[2];
        const uint32_t word0 = (uint32_t)(product1 >> 32) ^ words[1] ^ key[0];
        const uint32_t word2 = (uint32_t)(product0 >> 32) ^ words[3] ^ key[1];
        words[1] = (uint32_t)product1;
        words[3] = (uint32_t)product0;
        words[0] = word0;
        words[2] = word2;
        key[0] += PHILOX_W0;
        key[1] += PHILOX_W1;
    }
}

typedef struct state {
    uint64_t seed;
    bd_counter next;
    uint32_t words[4];
    unsigned used;
} state;

static void start(void *memory, uint64_t seed, bd_counter counter)
{
    state *s = memory;
    *s = (state){.seed = seed, .next = counter, .used = 4};
}

static void set(void *memory, unsigned long seed)
{
    start(memory, seed, (bd_counter){0});
}

static unsigned long get(void *memory)
{
    state *s = memory;
    if (s->used == 4) {
        bd_philox(s->seed, s->next, s->words);
        s->next.index++;
        s->used = 0;
    }
    return s->words[s->used++];
}

static double get_double(void *memory)
{
    return (double)get(memory) * 0x1p-32;
}

static const gsl_rng_type philox = {"philox4x32-10", UINT32_MAX, 0, sizeof(state), set, get, get_double};
const gsl_rng_type *const bd_rng_philox = &philox;

void bd_rng_seek(gsl_rng *rng, uint64_t seed, uint32_t stream, uint32_t block, bd_purpose purpose)
{
    start(rng->state, seed, (bd_counter){.block = block, .stream = stream, .purpose = purpose});
}

uint32_t bd_random_below(gsl_rng *rng, uint32_t n)
{
    uint64_t product = (uint64_t)(uint32_t)gsl_rng_get(rng) * n;
    if ((uint32_t)product < n)
        for (const uint32_t too_often = -n % n; (uint32_t)product < too_often;)
            product = (uint64_t)(uint32_t)gsl_rng_get(rng) * n;
    return (uint32_t)(product >> 32);
}
