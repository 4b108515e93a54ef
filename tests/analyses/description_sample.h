/* A small table with missing values, the trial of JOBS II, and comparisons, for the tests of descriptions. */
#ifndef BORDIN_TESTS_DESCRIPTION_SAMPLE_H
#define BORDIN_TESTS_DESCRIPTION_SAMPLE_H

#include <math.h>
#include <string.h>

#include <bordin/analyses/description.h>
#include <bordin/data/csv.h>

#include "fixture.h"

enum { N_SMALL = 10 };

static const double x[N_SMALL] = {1.5, NAN, 2.25, 7, 3.5, 4.75, NAN, 6.5, 11.25, 2};
static const double y[N_SMALL] = {2, 1, NAN, 9, 3, 4, NAN, 8, 12, NAN};
static const double z[N_SMALL] = {NAN, 5, 3, 1, 4, 1, 5, 9, 2, 6};
static const double constant[N_SMALL] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
static const uint32_t site[N_SMALL] = {2, 1, 0, 2, 1, 1, 2, 0, 2, 1};
static const double site_number[N_SMALL] = {7, -2.5, NAN, 7, -2.5, -2.5, 7, NAN, 7, -2.5};
static const char *const sites[] = {"a", "b", "never"};

static const bd_column columns[] = {
    {.name = "x", .kind = BD_NUMBERS, .numbers = x, .n_missing = 2},
    {.name = "y", .kind = BD_NUMBERS, .numbers = y, .n_missing = 3},
    {.name = "z", .kind = BD_NUMBERS, .numbers = z, .n_missing = 1},
    {.name = "constant", .kind = BD_NUMBERS, .numbers = constant},
    {.name = "site", .kind = BD_CATEGORIES, .codes = site, .levels = sites, .n_levels = 3, .n_missing = 2},
    {.name = "site_number", .kind = BD_NUMBERS, .numbers = site_number, .n_missing = 2},
};
static const char *const names[] = {"x", "y", "z", "constant", "site", "site_number"};
static const bd_table small = {.source = "small.csv", .n_rows = N_SMALL, .n_columns = 6, .columns = columns,
                               .header = names, .n_header = 6};

/* To ten digits, or NaN. */
static inline void assert_near(const char *what, double value, double expected)
{
    if (isnan(expected) ? !isnan(value) : value != expected && !(fabs(value - expected) <= 1e-10 * fmax(fabs(expected), 1e-3)))
        fail_msg("%s: %.15g, not %.15g", what, value, expected);
}

/* n, mean, sd, min, q1, median, q3, max, skewness, kurtosis */
static inline void assert_summary(const char *what, const bd_summary *s, const double expected[10])
{
    const double values[] = {(double)s->n, s->mean, s->sd, s->min, s->q1, s->median, s->q3, s->max, s->skewness,
                             s->kurtosis};
    for (size_t i = 0; i < 10; i++)
        assert_near(what, values[i], expected[i]);
}

/* n, r, interval, t, p; p to nine digits however small */
static inline void assert_correlation(const bd_correlation *c, const double expected[6])
{
    assert_near("n", (double)c->n, expected[0]);
    assert_near("r", c->r, expected[1]);
    assert_near("ci_low", c->ci_low, expected[2]);
    assert_near("ci_high", c->ci_high, expected[3]);
    assert_near("t", c->t, expected[4]);
    if (!(fabs(c->p - expected[5]) <= 1e-9 * expected[5]))
        fail_msg("p: %.15g, not %.15g", c->p, expected[5]);
}

/* n, k, n0, ICC(1), interval, F, df, p */
static inline void assert_icc(const bd_icc *c, const double expected[10])
{
    const double values[] = {(double)c->n, (double)c->n_clusters, c->n0,        c->icc, c->ci_low, c->ci_high,
                             c->f,         c->df_between,         c->df_within, c->p};
    for (size_t i = 0; i < 10; i++)
        assert_near(c->column->name, values[i], expected[i]);
}

static inline const bd_description *describe(const bd_table *table, bd_description_options options)
{
    const bd_description *description;
    must(bd_describe(table, &options, arena, &description));
    return description;
}

static inline const bd_table *jobs(void)
{
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_table *table;
    must(bd_csv_read("datasets/jobs2_mediation/jobs.csv", NULL, 0, &csv, arena, &table));
    return table;
}

static inline bd_description_options options_for(const char *const *chosen, size_t n)
{
    bd_description_options options = BD_DESCRIPTION_DEFAULTS;
    options.columns = chosen;
    options.n_columns = n;
    return options;
}

#endif
