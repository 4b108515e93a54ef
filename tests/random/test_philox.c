/* Philox against the known answers of its authors' Random123; normals by their moments. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bordin/random/normal.h>

/* Random123 1.14, tests/kat_vectors: philox4x32 10. */
static void known_answers(void **unused)
{
    (void)unused;
    static const struct {
        uint64_t key;
        bd_counter counter;
        uint32_t words[4];
    } known[] = {
        {0, {0, 0, 0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX,
         {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {0x299f31d0a4093822,
         {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t words[4];
        bd_philox(known[i].key, known[i].counter, words);
        for (size_t k = 0; k < 4; k++)
            assert_int_equal(words[k], known[i].words[k]);
    }
}

static void the_gsl_generator_reads_the_same_words(void **unused)
{
    (void)unused;
    gsl_rng *rng = gsl_rng_alloc(bd_rng_philox);
    assert_non_null(rng);
    bd_rng_seek(rng, 0x123456789abcdef0, 7, 3, BD_PURPOSE_MONTE_CARLO);
    for (uint32_t i = 0; i < 100; i++) {
        uint32_t words[4];
        bd_philox(0x123456789abcdef0, (bd_counter){i, 3, 7, BD_PURPOSE_MONTE_CARLO}, words);
        for (size_t k = 0; k < 4; k++)
            assert_int_equal(gsl_rng_get(rng), words[k]);
    }
    gsl_rng_free(rng);
}

/* Means of z, z^2, z^3, z^4 within four standard errors of 0, 1, 0, 3. */
static void normals_have_the_moments_of_the_normal(void **unused)
{
    (void)unused;
    enum { N = 400000 };
    static double z[N];
    double sums[4] = {0};
    bd_random_normals(11, 5, BD_PURPOSE_MONTE_CARLO, N, z);
    for (size_t i = 0; i < N; i++)
        for (int k = 0; k < 4; k++)
            sums[k] += pow(z[i], k + 1);
    const double expected[] = {0, 1, 0, 3}, variances[] = {1, 2, 15, 96};
    for (int k = 0; k < 4; k++)
        assert_true(fabs(sums[k] / N - expected[k]) < 4 * sqrt(variances[k] / N));
}

static void streams_and_lengths_agree(void **unused)
{
    (void)unused;
    double ten[10], three[3], other[3];
    bd_random_normals(1, 2, BD_PURPOSE_MONTE_CARLO, 10, ten);
    bd_random_normals(1, 2, BD_PURPOSE_MONTE_CARLO, 3, three);
    bd_random_normals(1, 3, BD_PURPOSE_MONTE_CARLO, 3, other);
    for (size_t i = 0; i < 3; i++) {
        assert_true(ten[i] == three[i]);
        assert_true(ten[i] != other[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(the_gsl_generator_reads_the_same_words),
        cmocka_unit_test(normals_have_the_moments_of_the_normal),
        cmocka_unit_test(streams_and_lengths_agree),
    };
    return cmocka_run_group_tests_name("philox", tests, NULL, NULL);
}
