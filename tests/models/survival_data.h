/* Survival rows from the files in datasets/survival, in groups by an expression; and tests/data/mgus2.csv: monoclonal
 * gammopathy, Kyle RA et al. (2002), N Engl J Med 346, 564-569, from the R package survival 3.5-3 (LGPL-2 or later), by
 * Rscript scripts/reference-survival-curves.R data. */
#ifndef BORDIN_TESTS_MODELS_SURVIVAL_DATA_H
#define BORDIN_TESTS_MODELS_SURVIVAL_DATA_H

#include "models/cox_data.h"

#include <bordin/models/survival_curve.h>

/* Codes of the distinct values of a column, ascending. */
static inline const uint32_t *codes_of(size_t n, const double *values, size_t *n_codes)
{
    uint32_t *codes = bd_arena_alloc(arena, n, sizeof *codes);
    assert_non_null(codes);
    *n_codes = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            bool counted = values[j] >= values[i];
            for (size_t k = 0; k < j && !counted; k++)
                counted = values[k] == values[j];
            codes[i] += !counted;
        }
        *n_codes = codes[i] + 1 > *n_codes ? codes[i] + 1 : *n_codes;
    }
    return codes;
}

typedef enum weighting { NO_WEIGHTS, COUNTS, FRACTIONS } weighting; /* by row: 2, 3, 1, ...; 0.75, 1, ... 2, 0.5, ... */

/* `group` NULL: one (any column stands in for it). */
static inline bd_survival_rows rows_of(const source *s, const char *group, weighting by)
{
    source copy = *s;
    size_t n_codes;
    must(bd_print(arena, &copy.terms, "I(%s)", group == NULL ? "age" : group));
    const bd_cox_design design = design_of(&copy);
    double *weights = bd_arena_alloc(arena, design.n_rows, sizeof *weights);
    assert_non_null(weights);
    for (size_t i = 0; i < design.n_rows; i++)
        weights[i] = by == COUNTS ? (double)(1 + (i + 1) % 3) : 0.5 + (double)((i + 1) % 7) / 4;
    const uint32_t *codes = codes_of(design.n_rows, design.columns[0], &n_codes);
    return (bd_survival_rows){.n_rows = design.n_rows, .start = design.start, .stop = design.stop,
                              .event = design.event,
                              .weights = by == NO_WEIGHTS ? NULL : weights, .group = group == NULL ? NULL : codes,
                              .n_groups = n_codes, .strata = design.strata, .n_strata = design.n_strata,
                              .cluster = design.cluster, .n_clusters = design.n_clusters};
}

static const source deaths = {.file = "lung", .stop = "time", .event = "status == 2"};

static inline void assert_fails(bd_status status, bd_status expected, const char *message)
{
    assert_int_equal(status, expected);
    assert_string_equal(bd_message(), message);
}

#endif
