/* Description: what is in the columns of a table, before anything is made of them.
 *
 *     bd_description_options options = BD_DESCRIPTION_DEFAULTS;
 *     options.by = "treat";
 *     options.cluster = "therapist";
 *     BD_TRY(bd_describe(table, &options, arena, &description));
 *     BD_TRY(bd_description_document(description, arena, &document));
 */
#ifndef BORDIN_ANALYSES_DESCRIPTION_H
#define BORDIN_ANALYSES_DESCRIPTION_H

#include <stdbool.h>

#include <bordin/data/table.h>
#include <bordin/report/document.h>

enum {
    BD_FEW_COLUMNS = 20,     /* more are correlated only when they are named */
    BD_MOST_GROUPS = 200,    /* of `by` */
    BD_LISTED_LEVELS = 20,   /* of a category column with more, and of patterns, the most frequent are listed */
    BD_PATTERN_COLUMNS = 64, /* the incomplete columns, from the first, whose patterns are told apart */
};

typedef struct bd_description_options {
    const char *const *columns; /* NULL: every column but `by` and `cluster` */
    size_t n_columns;
    const char *by;      /* the column of groups, numbers or categories; NULL: none */
    const char *cluster; /* the column of clusters for ICC(1); NULL: none */
    double level;        /* of the confidence intervals */
    bool no_correlations;
    const size_t *rows; /* which rows of the table, ascending; NULL: all */
    size_t n_rows;
    int n_threads; /* 0: all */
} bd_description_options;

#define BD_DESCRIPTION_DEFAULTS ((bd_description_options){.level = 0.95})

/* All rows that are described, or those of one group. */
typedef struct bd_part {
    const char *name;   /* of the group, or NULL */
    const size_t *rows; /* of the table, ascending */
    size_t n_rows;
} bd_part;

/* What a column holds in one part. What cannot be told from so few or equal values is NaN. With d = x - mean, m_k the
 * mean of d^k:
 *   sd        sqrt(sum d^2 / (n - 1))                                       n >= 2
 *   skewness  G1 = sqrt(n (n - 1)) / (n - 2) * m_3 / m_2^1.5                n >= 3
 *   kurtosis  G2 = (n - 1) / ((n - 2)(n - 3)) * ((n + 1) (m_4 / m_2^2 - 3) + 6), the excess over the normal, n >= 4
 *   quartiles at 1 + (n - 1) q between the order statistics: type 7 of Hyndman & Fan (1996), doi:10.2307/2684934
 * G1 and G2 are those of SPSS, SAS and Excel: Joanes & Gill (1998), doi:10.1111/1467-9884.00122. */
typedef struct bd_summary {
    size_t n, n_missing;
    double mean, sd, min, q1, median, q3, max, skewness, kurtosis; /* BD_NUMBERS */
    size_t n_levels;                                               /* BD_CATEGORIES: that occur */
    const size_t *counts;                                          /* of each level of the column */
} bd_summary;

typedef struct bd_described {
    const bd_column *column;
    const bd_summary *parts; /* of each part of the description */
} bd_described;

/* Pearson's correlation over the rows that have both. The interval is Fisher's (n >= 4), p that of t = r sqrt((n - 2) /
 * (1 - r^2)) (n >= 3). NaN where a column is constant in those rows. */
typedef struct bd_correlation {
    const bd_column *x, *y;
    size_t n;
    double r, ci_low, ci_high, t, p;
} bd_correlation;

/* ICC(1) of one-way random effects: (MSB - MSW) / (MSB + (n0 - 1) MSW), n0 = (n - sum n_j^2 / n) / (k - 1).
 * The interval is exact for clusters of one size: (F / Fq - 1) / (F / Fq + n0 - 1); with unequal ones n0 makes it an
 * approximation. Searle (1971), ch. 9; McGraw & Wong (1996), doi:10.1037/1082-989X.1.1.30. */
typedef struct bd_icc {
    const bd_column *column;
    size_t n, n_clusters; /* with a value and a cluster */
    double n0;
    double icc, ci_low, ci_high;
    double f, df_between, df_within, p;
} bd_icc;

/* Rows in which two columns are both there, or only one, or none. */
typedef struct bd_missing_pair {
    const bd_column *x, *y;
    size_t n_both, n_only_x, n_only_y, n_neither;
} bd_missing_pair;

/* Rows in which exactly these columns are missing. */
typedef struct bd_missing_pattern {
    uint64_t columns; /* bit j: incomplete column j; 0: the complete rows */
    size_t n_rows;
} bd_missing_pattern;

typedef struct bd_description {
    const bd_table *table;
    double level;
    const bd_column *by; /* NULL without */
    const bd_part *parts; /* all rows, then each group of `by` in the order of its levels */
    size_t n_parts;
    size_t n_without_group; /* rows in which `by` is missing */

    const bd_described *columns;
    size_t n_columns;

    bool too_many_to_correlate; /* left out because there are more than BD_FEW_COLUMNS */
    const bd_correlation *correlations;
    size_t n_correlations;

    const bd_column *cluster; /* NULL without */
    size_t n_without_cluster;
    const bd_icc *iccs; /* of each column of numbers */
    size_t n_iccs;

    const bd_column *const *incomplete; /* the columns with missing values */
    size_t n_incomplete;
    const bd_missing_pattern *patterns; /* most frequent first */
    size_t n_patterns;
    const bd_missing_pair *missing_pairs; /* of the first BD_FEW_COLUMNS incomplete columns */
    size_t n_missing_pairs;
} bd_description;

/* Describes the columns. The description lives in `arena` and refers to the table; it is the same for any number of
 * threads. BD_EUSAGE: a column asked for twice; a level outside (0, 1). BD_EDATA: a column the table lacks; no rows;
 * no columns; `by` with no value or more than BD_MOST_GROUPS of them; `cluster` with fewer than two. */
BD_CHECKED bd_status bd_describe(const bd_table *table, const bd_description_options *options, bd_arena *arena,
                                 const bd_description **description);

/* Tables, each only where there is something to say:
 *   numbers           column, n, missing, mean, sd, min, q1, median, q3, max, skewness, kurtosis
 *   categories        column, n, missing, levels
 *   levels            column, level, n, share (of the values there)
 *   numbers_by_group, categories_by_group, levels_by_group   the same with `group` before n
 *   correlations      x, y, n, r, ci_low, ci_high, t, p
 *   icc               column, n, clusters, n0, icc, ci_low, ci_high, f, df_between, df_within, p
 *   missing_pairs     x, y, both, only_x, only_y, neither
 *   missing_patterns  missing (names with commas; empty: none), n, share
 * and sentences, notes, the rows read and used. */
BD_CHECKED bd_status bd_description_document(const bd_description *description, bd_arena *arena,
                                             bd_document **document);

#endif
