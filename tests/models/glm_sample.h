/* Sixty rows made by formulas, the same in scripts/reference-glm.R, and how tests of generalised models fit them. */
#ifndef BORDIN_TESTS_MODELS_GLM_SAMPLE_H
#define BORDIN_TESTS_MODELS_GLM_SAMPLE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/models/glm.h>

#include "fixture.h"

enum { N = 60, MOST = 8 };

typedef struct sample {
    double x1[N], x2[N], z[N], binary[N], count[N], positive[N], share[N], trials[N], successes[N], normal[N];
    double offset[N], w[N];
    uint32_t cluster[N];
    const double *columns[MOST];
    const char *names[MOST];
    bd_glm_design design;
} sample;

static inline void make_responses(sample *s, uint32_t i)
{
    const double noise = ((double)(i * 59 % 97) - 48) / 48, x1 = s->x1[i], x2 = s->x2[i], z = s->z[i];
    s->binary[i] = x1 / 4 - x2 / 8 + z / 2 + 2.5 * noise > 0.3;
    s->count[i] = floor(exp(0.2 * x1 - 0.05 * x2 + z / 3 + 0.9 * noise));
    s->positive[i] = exp(0.1 * x1 + 0.02 * x2 - z / 4 + 0.5 * noise);
    s->share[i] = i < 2 ? i : nearbyint(64 / (1 + exp(1 - 0.3 * x1 + 0.1 * x2 - noise))) / 64;
    s->trials[i] = 1 + i * 7 % 12;
    s->successes[i] = fmin(s->trials[i], floor(s->trials[i] * (s->share[i] + 0.05)));
    s->normal[i] = 2 + 0.5 * x1 - 0.25 * x2 + z + 2 * noise;
}

/* Intercept, x1, x2, z; the response is to be set. */
static inline void make_sample(sample *s)
{
    memset(s, 0, sizeof *s);
    for (uint32_t i = 0; i < N; i++) {
        s->cluster[i] = (uint32_t)sqrt(i);
        s->x1[i] = (i * 37) % 101 / 10.0;
        s->x2[i] = (i * i * 13) % 89 / 7.0 + 0.3 * s->x1[i];
        s->z[i] = s->cluster[i] % 2;
        s->offset[i] = log(1 + i % 7);
        s->w[i] = 1 + i % 5 / 2.0;
        make_responses(s, i);
    }
    const char *const names[] = {"(Intercept)", "x1", "x2", "z"};
    const double *const columns[] = {NULL, s->x1, s->x2, s->z};
    memcpy(s->names, names, sizeof names);
    memcpy(s->columns, columns, sizeof columns);
    s->design.base = (bd_ols_design){.n_rows = N,
                                     .n_columns = 4,
                                     .columns = s->columns,
                                     .names = s->names,
                                     .response = s->binary,
                                     .response_name = "y",
                                     .has_intercept = true,
                                     .cluster = s->cluster,
                                     .n_clusters = 8};
}

static inline const bd_glm *fit_glm(const bd_glm_design *design, const bd_family *family, const bd_link *link,
                                    const bd_se_estimator *se)
{
    const bd_glm *fit;
    must(bd_glm_fit(design, family, link, se, &BD_GLM_DEFAULTS, arena, &fit));
    return fit;
}

/* A fit of y on an intercept and the columns. */
static inline const bd_glm *fit_small(size_t n, const double *y, size_t p, const double *const *columns,
                                      const bd_family *family, bool firth)
{
    static const char *const names[] = {"(Intercept)", "a", "b", "c"};
    const double **with_constant = bd_arena_alloc(arena, p + 1, sizeof *with_constant);
    memcpy(with_constant + 1, columns, p * sizeof *columns);
    const bd_glm_design design = {.base = {.n_rows = n,
                                           .n_columns = p + 1,
                                           .columns = with_constant,
                                           .names = names,
                                           .response = y,
                                           .response_name = "y",
                                           .has_intercept = true}};
    const bd_glm_options options = {.level = 0.95, .firth = firth};
    const bd_glm *fit;
    must(bd_glm_fit(&design, family, NULL, &bd_se_classical, &options, arena, &fit));
    return fit;
}

static inline void assert_near(const char *what, double value, double expected, double tolerance)
{
    if (isnan(expected) ? !isnan(value) : !(fabs(value - expected) <= tolerance * fmax(fabs(expected), 1e-3)))
        fail_msg("%s: %.17g, not %.17g", what, value, expected);
}

/* One number per coefficient, `place` bytes into each. */
static inline void assert_coefficients(const char *what, const bd_glm *fit, size_t place, const double *expected,
                                       double tolerance)
{
    for (size_t j = 0; j < fit->n_columns; j++) {
        double value;
        memcpy(&value, (const char *)(fit->coefficients + j) + place, sizeof value);
        assert_near(what, value, expected[j], tolerance);
    }
}

#define ASSERT_ALL(what, fit, field, expected, tolerance) \
    assert_coefficients((what), (fit), offsetof(bd_glm_coefficient, field), (expected), (tolerance))

#endif
