/* A frame: what a formula makes of a table, on the rows that have every value it needs.
 *
 *     const bd_frame_spec spec = {.formula = "phq9 ~ alliance * group + log(age)", .where = "visit == 3"};
 *     BD_TRY(bd_frame_wanted(&spec, arena, &wanted, &n_wanted));       which columns to read, and as what
 *     BD_TRY(bd_csv_read(path, wanted, n_wanted, &csv, arena, &table));
 *     BD_TRY(bd_frame_build(table, &spec, arena, &frame));
 *
 * Order of things: `where` selects rows; then every expression is evaluated on the selected rows (so center(x) takes the
 * mean, lag(x, id) the row before, among those); then rows with a missing value in any part are dropped, and counted
 * by what was missing.
 */
#ifndef BORDIN_DATA_FRAME_H
#define BORDIN_DATA_FRAME_H

#include <stdbool.h>

#include <bordin/data/csv.h>

/* Terms whose coefficients vary by group: "1 + alliance" by therapist, or by several columns at once. */
typedef struct bd_varying_spec {
    const char *terms;
    const char *const *by; /* names of columns: each combination that occurs is a group */
    size_t n_by;
} bd_varying_spec;

typedef struct bd_frame_spec {
    const char *formula; /* "response ~ terms", or "~ terms" without a response */
    const char *where;   /* a condition, or NULL */
    const char *weights; /* names of columns, or NULL */
    const char *cluster;
    const char *strata;
    const char *offset; /* expressions, or NULL */
    const char *trials;
    bool counts; /* the response may be "kept / offered" or "cbind(kept, missed)": successes, and their trials */
    bool categories;    /* the response is a column of categories, numbers or text; factor(y, ref = "x") chooses one */
    const char *levels; /* with categories: their order, "none,mild,severe"; NULL: numbers ascend, text is sorted */
    const char *extra;  /* terms of a second equation on the same rows, "age + sex", or NULL */
    const char *extra_option; /* where they come from, for messages: "--zeros" */
    const bd_varying_spec *varying; /* n_varying, or NULL */
    size_t n_varying;
} bd_frame_spec;

/* One column of the design matrix. */
typedef struct bd_design_column {
    const char *name; /* "(Intercept)", "alliance", "group[cbt]", "alliance:group[cbt]" */
    const double *values; /* n_rows; NULL for the intercept */
    size_t term;          /* index into terms; SIZE_MAX for the intercept */
} bd_design_column;

/* How a categorical variable was coded. */
typedef struct bd_factor {
    const char *name;
    const char *const *levels; /* those that occur in the used rows; the reference first */
    const size_t *counts;      /* used rows per level */
    size_t n_levels;
} bd_factor;

/* Rows in which something was missing; a row counts under each of its reasons. */
typedef struct bd_drop {
    const char *reason; /* the column's name, or the expression */
    size_t n_rows;
} bd_drop;

/* Membership of the used rows in clusters or strata. */
typedef struct bd_groups {
    const char *name;
    const uint32_t *codes; /* n_rows, 0 .. n_levels - 1 */
    const char *const *levels;
    size_t n_levels;
} bd_groups;

/* A response of categories. */
typedef struct bd_outcome {
    bd_groups groups;
    const size_t *counts; /* used rows per level */
    size_t reference;     /* the level that was chosen, or the first */
    bool ordered;         /* all levels are numbers, ascending, or their order was given */
} bd_outcome;

/* The columns of a second equation. */
typedef struct bd_extra {
    bool has_intercept; /* then it is column 0 */
    size_t n_columns;
    const bd_design_column *columns;
} bd_extra;

typedef struct bd_varying {
    bd_extra terms;
    const bd_groups *groups; /* named "ward:bed" where they are of several columns */
} bd_varying;

typedef struct bd_frame {
    const char *formula;
    size_t n_read;     /* rows in the table */
    size_t n_excluded; /* by `where` */
    size_t n_dropped;  /* selected, but something was missing */
    size_t n_rows;     /* used: n_read - n_excluded - n_dropped */
    const bd_drop *drops;
    size_t n_drops;

    const char *response_name; /* NULL without a response */
    const double *response;    /* NULL where it is of categories */
    const bd_outcome *outcome; /* NULL where it is of numbers */

    bool has_intercept; /* then it is column 0 */
    size_t n_columns;
    const bd_design_column *columns;
    const char *const *terms; /* canonical text of each term, in order */
    const uint64_t *term_variables; /* n_terms: which variables each multiplies, as bits */
    size_t n_terms;
    const bd_factor *factors;
    size_t n_factors;
    const char *const *notes; /* transformations, as sentences: "center(alliance): 4.213 (the mean) subtracted" */
    size_t n_notes;

    const double *weights;   /* NULL without; scaled to sum to n_rows */
    double mean_weight;      /* before they were */
    const double *offset;    /* NULL without; and its canonical text */
    const char *offset_name;
    const double *trials;
    const char *trials_name;
    const bd_groups *cluster; /* NULL without */
    const bd_groups *strata;
    const bd_extra *extra;
    const bd_varying *varying; /* n_varying */
    size_t n_varying;
} bd_frame;

/* The columns that a specification names, each once, with the use it makes of them.
 * BD_EUSAGE: the formula or the condition cannot be parsed; the message holds a caret under the place. */
BD_CHECKED bd_status bd_frame_wanted(const bd_frame_spec *spec, bd_arena *arena, const bd_wanted **wanted,
                                     size_t *n_wanted);

/* Builds the frame in `arena`; plain columns of which no row was dropped are the table's own.
 * BD_EUSAGE as above. BD_EDATA: a name the table lacks; text used as a number; a transformation that is not finite
 * (its row is named); a negative weight; a single cluster; levels of the response that are not those given; no rows
 * left. */
BD_CHECKED bd_status bd_frame_build(const bd_table *table, const bd_frame_spec *spec, bd_arena *arena,
                                    const bd_frame **frame);

/* *weights <- as they were in the column, not scaled; NULL without. */
BD_CHECKED bd_status bd_frame_raw_weights(const bd_frame *frame, bd_arena *arena, const double **weights);

/* *name <- the one variable that `expression` is a function of, if `other` takes it too: "y" of "log(y)" and "x:y". NULL:
 * it is a function of several, of none, or `other` does without. A lag, a cluster mean and a deviation from one do not
 * count as taking it. BD_EUSAGE: not an expression. */
BD_CHECKED bd_status bd_expression_shares(const char *expression, const char *other, bd_arena *arena, const char **name);

/* As bd_frame_wanted for a condition alone: the columns that `where` (NULL: none) names ... */
BD_CHECKED bd_status bd_where_wanted(const char *where, bd_arena *arena, const bd_wanted **wanted, size_t *n_wanted);

/* ... and the rows, ascending, for which it is true (NULL: all). Rows where it is missing are not among them.
 * BD_EUSAGE: as above. BD_EDATA: a name the table lacks; no rows left. */
BD_CHECKED bd_status bd_where_rows(const bd_table *table, const char *where, bd_arena *arena, const size_t **rows,
                                   size_t *n_rows);

#endif
