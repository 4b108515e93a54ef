/* The kernels of all instruction sets that this processor has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/random/normal.h>
#include <bordin/random/philox.h>

#include "resampling/kernel.h"

static void every_kernel_gives_the_same_bits(void **unused)
{
    (void)unused;
    enum { MOMENTS = 5 * KERNEL_TILE };
    static double moments[MOMENTS * KERNEL_UNITS];
    static _Alignas(64) double sums[3][MOMENTS * KERNEL_LANES];
    static uint8_t counts[3][KERNEL_COUNTS * KERNEL_LANES];
    const kernel *kernels[3];
    const size_t n_kernels = kernels_here(kernels), sizes[] = {1, 2, 5, 63, 64, 65, 300, 1000, 1023, 1024};
    bd_random_normals(2, 2, BD_PURPOSE_SIMULATE, MOMENTS * KERNEL_UNITS, moments);
    for (size_t i = 0; i < MOMENTS * KERNEL_UNITS; i++)
        moments[i] = kernel_moment(moments[i]);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t k = 0; k < n_kernels; k++) {
            memset(counts[k], 0, sizeof counts[k]);
            memset(sums[k], 0, sizeof sums[k]);
            for (uint32_t lane = 0; lane < KERNEL_LANES; lane++)
                kernels[k]->draw(77, 3, lane, sizes[s], sizes[s] + lane, counts[k] + lane);
            kernels[k]->accumulate(counts[k], sizes[s], moments, MOMENTS, KERNEL_UNITS, sums[k]);
            assert_memory_equal(counts[0], counts[k], sizes[s] * KERNEL_LANES);
            assert_memory_equal(sums[0], sums[k], sizeof sums[0]);
            for (size_t lane = 0; lane < KERNEL_LANES; lane++) {
                size_t drawn = 0;
                for (size_t unit = 0; unit < sizes[s]; unit++)
                    drawn += counts[k][unit * KERNEL_LANES + lane];
                assert_int_equal(drawn, sizes[s] + lane);
            }
        }
}

/* bd_philox is held to the published vectors by its own test. */
static void every_kernel_has_the_random_numbers_of_philox(void **unused)
{
    (void)unused;
    enum { CHUNKS = 3, WORDS = CHUNKS * 2 * KERNEL_CHUNK };
    const kernel *kernels[3];
    const size_t n_kernels = kernels_here(kernels);
    const uint64_t seed = 0x123456789abcdef0u;
    for (size_t k = 0; k < n_kernels; k++) {
        uint64_t words[WORDS];
        kernels[k]->random(seed, 5, 9, CHUNKS, words);
        for (size_t i = 0; i < WORDS; i++) {
            const size_t chunk = i / (2 * KERNEL_CHUNK), half = i / KERNEL_CHUNK % 2, at = i % KERNEL_CHUNK;
            const bd_counter counter = {.index = (uint32_t)(chunk * KERNEL_CHUNK + at), .block = 5, .stream = 9};
            uint32_t four[4];
            bd_philox(seed, counter, four);
            assert_int_equal(words[i], four[2 * half] | (uint64_t)four[2 * half + 1] << 32);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_gives_the_same_bits),
        cmocka_unit_test(every_kernel_has_the_random_numbers_of_philox),
    };
    return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
