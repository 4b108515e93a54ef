/* Two hundred rows made by a formula, the same in scripts/reference-other-models.R, and how tests compare. */
#ifndef BORDIN_TESTS_MODELS_OTHER_SAMPLE_H
#define BORDIN_TESTS_MODELS_OTHER_SAMPLE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/models/likelihood.h>

#include "fixture.h"

enum { N = 200 };

typedef struct sample {
    double x1[N], x2[N], z[N], noise[N], second[N]; /* the last two between 0 and 1 */
    double weights[N];
    uint32_t cluster[N]; /* 20 of 10 rows, every twentieth */
} sample;

static const char *const sample_names[] = {"(Intercept)", "x1", "x2", "z"};

static inline void make_sample(sample *s)
{
    for (uint32_t i = 0; i < N; i++) {
        s->x1[i] = (i * 37 % 101) / 25.0 - 2;
        s->x2[i] = (i * i * 13 % 89) / 30.0;
        s->z[i] = i % 3 == 0;
        s->noise[i] = ((i * 7919 + 17) % 1009 + 0.5) / 1009;
        s->second[i] = ((i * i + i * 127 + 5) % 757 + 0.5) / 757;
        s->weights[i] = 1 + i % 4;
        s->cluster[i] = i % 20;
    }
}

/* Relative beyond 1, absolute below. */
static inline void assert_close(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance * fmax(1, fabs(expected))))
        fail_msg("%.15g is not %.15g: off by %.2g", value, expected, value - expected);
}

static inline void assert_coefficients(const bd_likelihood_coefficient *c, size_t n, const double *estimates,
                                       const double *errors, double tolerance)
{
    for (size_t j = 0; j < n; j++) {
        assert_close(c[j].estimate, estimates[j], tolerance);
        if (errors != NULL)
            assert_close(c[j].se, errors[j], tolerance);
    }
}

/* The call fails, and says so. */
static inline void refuses(bd_status status, bd_status expected, const char *sentence)
{
    assert_int_equal(status, expected);
    assert_string_equal(bd_message(), sentence);
}

#endif
