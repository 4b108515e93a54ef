/* Sixty rows made by a formula, the same in scripts/reference-ols.R, and how the tests of least squares fit them. */
#ifndef BORDIN_TESTS_MODELS_OLS_SAMPLE_H
#define BORDIN_TESTS_MODELS_OLS_SAMPLE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/models/ols.h>

enum { N = 60, MOST = 8 };

typedef struct data {
    double x1[N], x2[N], z[N], y[N], w[N], wc[N], dummy[N], lone[N], one[N];
    uint32_t cluster[N], row[N];
    const double *columns[MOST];
    const char *names[MOST];
    bd_ols_design design;
    bd_arena *arena;
} data;

static inline void make_data(data *d)
{
    memset(d, 0, sizeof *d);
    for (uint32_t i = 0; i < N; i++) {
        const uint32_t g = (uint32_t)sqrt(i);
        d->cluster[i] = g;
        d->row[i] = i;
        d->x1[i] = (i * 37) % 101 / 10.0;
        d->x2[i] = (i * i * 13) % 89 / 7.0 + 0.3 * d->x1[i];
        d->z[i] = g % 2;
        d->y[i] = 2 + 0.5 * d->x1[i] - 0.25 * d->x2[i] + d->z[i];
        d->y[i] += ((int)(i * 59 % 97) - 48) / 20.0 * (1 + d->x1[i] / 10) + g * 7 % 5 / 4.0;
        d->w[i] = 1 + i % 5 / 2.0;
        d->wc[i] = 1 + g % 3;
        d->dummy[i] = g == 3;
        d->lone[i] = i == 17;
        d->one[i] = 1;
    }
    d->design = (bd_ols_design){.n_rows = N,
                                .columns = d->columns,
                                .names = d->names,
                                .response = d->y,
                                .response_name = "y",
                                .cluster = d->cluster,
                                .n_clusters = 8};
}

static inline void add(data *d, const char *name, const double *column)
{
    if (column == NULL)
        d->design.has_intercept = true;
    d->names[d->design.n_columns] = name;
    d->columns[d->design.n_columns++] = column;
}

static inline int set_up(void **state)
{
    static data d;
    make_data(&d);
    d.arena = bd_arena_new();
    *state = &d;
    return d.arena == NULL;
}

static inline int tear_down(void **state)
{
    bd_arena_free(((data *)*state)->arena);
    return 0;
}

static inline void add_three(data *d)
{
    add(d, "(Intercept)", NULL);
    add(d, "x1", d->x1);
    add(d, "x2", d->x2);
    add(d, "z", d->z);
}

static inline const bd_ols *fit_with(data *d, const bd_se_estimator *estimator, double level)
{
    const bd_ols *fit = NULL;
    const bd_ols_options options = {.level = level, .keep_residuals = true};
    if (bd_ols_fit(&d->design, estimator, &options, d->arena, &fit) != BD_OK)
        fail_msg("%s", bd_message());
    return fit;
}

/* R prints 15 digits, and keeps about 13 of them here. */
static inline void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance * fabs(expected)))
        fail_msg("%.17g is not %.17g", value, expected);
}

#endif
