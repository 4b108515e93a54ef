/* What every analysis that resamples a frame has in common: units from the frame, replicates, an interval for each value,
 * and what the reader is told about them.
 *
 *     bd_bootstrap_options options = BD_BOOTSTRAP_DEFAULTS;
 *     BD_TRY(bd_bootstrap_frame(frame, &statistic, triangle, &options, arena, &bootstrap));
 *     cells[2] = bd_number(bootstrap->ends[INDIRECT].low);
 *     BD_TRY(bd_bootstrap_document(bootstrap, arena, document));
 */
#ifndef BORDIN_ANALYSES_BOOTSTRAP_H
#define BORDIN_ANALYSES_BOOTSTRAP_H

#include <stdio.h>

#include <bordin/analyses/residuals.h>
#include <bordin/data/frame.h>
#include <bordin/report/document.h>
#include <bordin/resampling/interval.h>

/* What is drawn. */
typedef struct bd_sampling {
    const char *name;    /* as the user types it */
    const char *summary; /* one line for help */
    bool needs_clusters;
    const bd_error_draw *errors; /* errors of least squares are drawn, and nothing else; NULL: units are */
    bd_status (*units)(const bd_columns *columns, const bd_membership *clusters, const bd_membership *strata,
                       const double *triangle, int n_threads, bd_arena *arena, const bd_units **units);
} bd_sampling;

extern const bd_sampling bd_sampling_rows, bd_sampling_clusters, bd_sampling_two_stages, bd_sampling_residuals,
    bd_sampling_wild, bd_sampling_parametric, bd_sampling_little;

/* All of them, rows first; NULL ends the list. */
extern const bd_sampling *const bd_samplings[];

typedef struct bd_bootstrap_options {
    size_t n_replicates;
    uint64_t seed;
    int n_threads;                    /* 0: all */
    double level;                     /* of the intervals, in (0, 1) */
    const bd_interval_method *method; /* NULL: percentile */
    const bd_sampling *sampling;      /* NULL: rows */
    double precision;                 /* above 0: as many replicates as it takes for the Monte-Carlo error of each end to
                                         be no more than this share of the bootstrap's standard error */
    const char *checkpoint;           /* as in bd_resampling_options */
    const bd_watch *watch;
    const bd_team *team;
} bd_bootstrap_options;

enum { BD_MOST_REPLICATES = 10 * 1000 * 1000 }; /* that a precision may take */

#define BD_BOOTSTRAP_DEFAULTS ((bd_bootstrap_options){.n_replicates = 10000, .seed = 1, .level = 0.95})

typedef struct bd_bootstrap_result {
    bd_bootstrap_options options;
    const char *unit; /* "rows", "clusters of therapist", "clusters of therapist, and rows within each" */
    const char *strata; /* the column's name, or NULL */
    size_t n_kinds;     /* different rows, where their frequencies were drawn; or 0 */
    const char *drawn;  /* a sentence on the errors that were drawn; NULL: units were */
    const bd_replicates *replicates;
    double reached; /* the largest share of Monte-Carlo in standard error that was left, where a precision was asked for */
    const bd_interval_ends *ends; /* n_values; all NaN for a value without the standard error that the method needs */
} bd_bootstrap_result;

/* Resamples the rows or clusters of `frame`, within its strata. `triangle` is that of statistic->columns.
 * BD_EUSAGE: studentised intervals of clusters, or of a statistic from weights. BD_EDATA: a cluster in two strata, a
 * single cluster. BD_ENUMERIC: too many replicates failed. */
BD_CHECKED bd_status bd_bootstrap_frame(const bd_frame *frame, const bd_statistic *statistic, const double *triangle,
                                        const bd_bootstrap_options *options, bd_arena *arena,
                                        const bd_bootstrap_result **result);

/* Draws the errors of a regression, as options->sampling says. BD_EUSAGE: with an interval that needs accelerations, a
 * precision or a checkpoint, which are for units. */
BD_CHECKED bd_status bd_bootstrap_errors(const bd_ols_design *design, const bd_bootstrap_options *options, bd_arena *arena,
                                         const bd_bootstrap_result **result);

/* Draws the errors of all equations of a system, which change the statistic of its columns. Fails as bd_bootstrap_errors
 * and bd_residual_bootstrap_system do. */
BD_CHECKED bd_status bd_bootstrap_system(const bd_residual_system *system, const bd_statistic *statistic,
                                         const double *triangle, const bd_bootstrap_options *options, bd_arena *arena,
                                         const bd_bootstrap_result **result);

/* Puts how it was resampled into the provenance, what must be known of it into notes and warnings, and histograms of the
 * replicates into the table "distribution", which is not printed. */
BD_CHECKED bd_status bd_bootstrap_document(const bd_bootstrap_result *result, bd_arena *arena, bd_document *document);

/* Every replicate as CSV: a column for each value, empty where the replicate failed. BD_EIO: cannot write. */
BD_CHECKED bd_status bd_bootstrap_save(const bd_bootstrap_result *result, FILE *stream);

/* The columns that a bootstrap interval takes in a table, filled by bd_bootstrap_cells; `p_key` names the p value. */
#define BD_BOOTSTRAP_HEADINGS(p_key, p_heading, class)                                                   \
    {"boot_se", "Boot SE", class}, {p_key, p_heading, BD_P_VALUE}, {"ci_low", "CI low", class},          \
        {"ci_high", "CI high", class}, {"mc_se_low", "MC SE low", class}, {"mc_se_high", "MC SE high", class}
enum { BD_BOOTSTRAP_CELLS = 6 };

void bd_bootstrap_cells(const bd_interval_ends *ends, bd_cell *cells);

#endif
