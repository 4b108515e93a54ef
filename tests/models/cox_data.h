/* Designs from the files in datasets/survival. */
#ifndef BORDIN_TESTS_MODELS_COX_DATA_H
#define BORDIN_TESTS_MODELS_COX_DATA_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/data/frame.h>
#include <bordin/models/cox.h>

#include "fixture.h"

static inline void assert_close(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance * fmax(1, fabs(expected))))
        fail_msg("%.15g is not %.15g: off by %.2g", value, expected, value - expected);
}

static inline void assert_all_close(size_t n, const double *values, const double *expected, double tolerance)
{
    for (size_t i = 0; i < n; i++)
        assert_close(values[i], expected[i], tolerance);
}

typedef struct source {
    const char *file, *start, *stop, *event, *terms, *where, *cluster, *strata, *offset;
    bool weighted; /* 2, 3, 1, 2, 3, 1, ... */
} source;

static const source lung = {.file = "lung", .stop = "time", .event = "status == 2", .terms = "age + sex + ph.ecog",
                            .where = "wt.loss > -100 & inst > 0"};
static const source heart = {.file = "heart", .start = "start", .stop = "stop", .event = "event",
                             .terms = "age + year + surgery + transplant"};

/* Expressions that are not predictors stand before those that are. */
static inline bd_cox_design design_of(const source *s)
{
    const char *formula, *path;
    const bd_wanted *wanted;
    size_t n_wanted, n_others = 2;
    const bd_table *table;
    const bd_frame *frame;
    must(bd_print(arena, &formula, "%s ~ I(%s)", s->stop, s->event));
    if (s->start != NULL)
        must(bd_print(arena, &formula, "%s + I(%s)", formula, s->start));
    if (s->offset != NULL)
        must(bd_print(arena, &formula, "%s + I(%s)", formula, s->offset));
    must(bd_print(arena, &formula, "%s + %s", formula, s->terms));
    must(bd_print(arena, &path, "datasets/survival/%s.csv", s->file));
    const bd_frame_spec spec = {.formula = formula, .where = s->where, .cluster = s->cluster, .strata = s->strata};
    must(bd_frame_wanted(&spec, arena, &wanted, &n_wanted));
    must(bd_csv_read(path, wanted, n_wanted, &BD_CSV_DEFAULTS, arena, &table));
    must(bd_frame_build(table, &spec, arena, &frame));

    bd_cox_design design = {.n_rows = frame->n_rows, .stop = frame->response, .event = frame->columns[1].values};
    if (s->start != NULL)
        design.start = frame->columns[n_others++].values;
    if (s->offset != NULL)
        design.offset = frame->columns[n_others++].values;
    const double **columns = bd_arena_alloc(arena, frame->n_columns, sizeof *columns);
    const char **names = bd_arena_alloc(arena, frame->n_columns, sizeof *names);
    double *weights = bd_arena_alloc(arena, frame->n_rows, sizeof *weights);
    assert_true(columns != NULL && names != NULL && weights != NULL);
    for (size_t j = n_others; j < frame->n_columns; j++) {
        columns[j - n_others] = frame->columns[j].values;
        names[j - n_others] = frame->columns[j].name;
    }
    for (size_t i = 0; i < frame->n_rows; i++)
        weights[i] = (double)(1 + (i + 1) % 3);
    design.n_columns = frame->n_columns - n_others;
    design.columns = columns;
    design.names = names;
    design.weights = s->weighted ? weights : NULL;
    if (frame->cluster != NULL) {
        design.cluster = frame->cluster->codes;
        design.n_clusters = frame->cluster->n_levels;
    }
    if (frame->strata != NULL) {
        design.strata = frame->strata->codes;
        design.n_strata = frame->strata->n_levels;
    }
    return design;
}

static inline const bd_cox *fit_of(const bd_cox_design *design, bd_cox_ties ties, bd_cox_se se)
{
    const bd_cox *fit = NULL;
    bd_cox_options options = BD_COX_DEFAULTS;
    options.ties = ties;
    options.se = se;
    must(bd_cox_fit(design, &options, arena, &fit));
    return fit;
}

#endif
