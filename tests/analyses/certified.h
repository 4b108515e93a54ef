/* NIST's univariate and one-way analysis-of-variance sets through describe and regress, and the digits that agree. */
#ifndef BORDIN_TESTS_ANALYSES_CERTIFIED_H
#define BORDIN_TESTS_ANALYSES_CERTIFIED_H

#include <math.h>
#include <stdio.h>

#include <bordin/analyses/description.h>
#include <bordin/analyses/regression.h>

#define NIST "datasets/nist_strd/"

/* Correct significant digits, at most 15. */
static inline double certified_digits(double value, double certified)
{
    if (value == certified)
        return 15;
    return fmax(0, fmin(15, -log10(fabs(value - certified) / fabs(certified))));
}

/* A table of certified values; its first column names the data sets. */
static inline bd_status certified_table(const char *path, bd_arena *arena, const bd_table **table)
{
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    return bd_csv_read(path, NULL, 0, &csv, arena, table);
}

static inline const char *certified_name(const bd_table *table, size_t row)
{
    return table->columns[0].levels[table->columns[0].codes[row] - 1];
}

static inline double certified_value(const bd_table *table, const char *column, size_t row)
{
    return bd_table_find(table, column)->numbers[row];
}

/* digits <- of the mean and of the standard deviation. */
static inline bd_status certified_univariate(const bd_table *certified, size_t row, bd_arena *arena, double digits[2])
{
    const char *path = NULL;
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_description_options options = BD_DESCRIPTION_DEFAULTS;
    const bd_wanted wanted = {"y", BD_USE_NUMBERS};
    const bd_table *table = NULL;
    const bd_description *description = NULL;
    BD_TRY(bd_print(arena, &path, NIST "univariate/%s.csv", certified_name(certified, row)));
    BD_TRY(bd_csv_read(path, &wanted, 1, &csv, arena, &table));
    BD_TRY(bd_describe(table, &options, arena, &description));
    digits[0] = certified_digits(description->columns[0].parts[0].mean, certified_value(certified, "mean", row));
    digits[1] = certified_digits(description->columns[0].parts[0].sd, certified_value(certified, "sd_n_minus_1", row));
    return BD_OK;
}

/* digits <- of F, R squared and the residual standard deviation of y ~ factor(group). */
static inline bd_status certified_anova(const bd_table *certified, size_t row, bd_arena *arena, double digits[3])
{
    const char *path = NULL;
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_frame_spec spec = {.formula = "y ~ factor(group)"};
    const bd_regression_options options = BD_REGRESSION_DEFAULTS;
    const bd_wanted *wanted = NULL;
    const bd_table *table = NULL;
    const bd_frame *frame = NULL;
    const bd_regression *regression = NULL;
    size_t n_wanted = 0;
    BD_TRY(bd_print(arena, &path, NIST "anova/%s.csv", certified_name(certified, row)));
    BD_TRY(bd_frame_wanted(&spec, arena, &wanted, &n_wanted));
    BD_TRY(bd_csv_read(path, wanted, n_wanted, &csv, arena, &table));
    BD_TRY(bd_frame_build(table, &spec, arena, &frame));
    BD_TRY(bd_regress(frame, &options, arena, &regression));
    digits[0] = certified_digits(regression->fit->f, certified_value(certified, "f_statistic", row));
    digits[1] = certified_digits(regression->fit->r_squared, certified_value(certified, "r_squared", row));
    digits[2] = certified_digits(regression->fit->residual_sd, certified_value(certified, "residual_sd", row));
    return BD_OK;
}

#endif
