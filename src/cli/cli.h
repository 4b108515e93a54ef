/* What the commands of the program share: options, reading, writing, exit codes. */
#ifndef BORDIN_CLI_CLI_H
#define BORDIN_CLI_CLI_H

#include <popt.h>

#include <bordin/analyses/bootstrap.h>
#include <bordin/models/mixed.h>
#include <bordin/data/profile.h>
#include <bordin/models/ols.h>

/* Every option of every command, as typed; NULL or 0 where it was not given. */
typedef struct cli_options {
    /* reading */
    char *delimiter, *decimal, *na, *where, *memory;
    /* models */
    char *se, *weights, *cluster, *adjust;
    char *family, *link, *offset, *trials, *levels, *zeros, *dispersion, *tau;
    int firth;
    char **profiles; /* --profile NAME=VALUE,..., as often as given; NULL-terminated, NULL without */
    /* resampling */
    char *boot, *ci, *seed, *resample, *strata, *save_replicates, *precision, *checkpoint;
    char *wild, *permute;
    /* output */
    char *format, *output, *level, *threads;
    int quiet;
    /* mediate */
    char *from_summary, *correlations, *n;
    /* describe */
    char *by;
    int no_correlations;
    /* simulate */
    char *patients, *therapists, *truth;
    char **effects; /* --set NAME=VALUE, as often as given */
} cli_options;

extern cli_options cli;

/* Groups of options, for a command's table. */
extern struct poptOption cli_reading_options[], cli_where_options[], cli_output_options[], cli_resampling_options[],
    cli_profile_options[], cli_mixed_options[];
#define CLI_INCLUDE(table, title) {NULL, 0, POPT_ARG_INCLUDE_TABLE, table, 0, title, NULL}

typedef struct cli_command {
    const char *name, *summary;
    const char *arguments; /* "FORMULA FILE" */
    const char *example;   /* lines that run on shipped data */
    const char *text;      /* what it does, in a few sentences */
    struct poptOption *options;
    void (*more_help)(void); /* printed after the options; may be NULL */
    bd_status (*run)(size_t n_arguments, const char *const *arguments, bd_arena *arena);
} cli_command;

extern const cli_command cli_regress, cli_mixed, cli_therapist, cli_sessions, cli_meta, cli_mediate, cli_describe, cli_survival,
    cli_adherence, cli_reproduce, cli_simulate;

/* The command line as typed, for the provenance. */
extern const char *cli_command_line;

/* Text of an option to a value; BD_EUSAGE names the option and its range. */
BD_CHECKED bd_status cli_whole(const char *option, const char *text, unsigned long long low, unsigned long long high,
                               unsigned long long *value);
BD_CHECKED bd_status cli_real(const char *option, const char *text, double low, double high, double *value);
BD_CHECKED bd_status cli_level(double *level);
BD_CHECKED bd_status cli_threads(int *n_threads);
BD_CHECKED bd_status cli_csv(bd_arena *arena, bd_csv_options *options);

/* cli_mixed_options, --level and --threads. */
BD_CHECKED bd_status cli_mixed_fit(bd_mixed_options *fit);

/* --boot, --ci, --seed, --level, --threads, --precision, --checkpoint; *asked is false when --boot was not given or is 0. */
BD_CHECKED bd_status cli_resampling(bd_bootstrap_options *options, bool *asked);

/* Options that mean nothing without --boot; permutations have a use for --strata. */
BD_CHECKED bd_status cli_check_boot(bool asked, bool permuted);

/* --se; *se stays NULL when it was not given. */
BD_CHECKED bd_status cli_se(const bd_se_estimator **se);

/* --where, --weights, --cluster, --strata and the cluster of --resample into a specification. */
BD_CHECKED bd_status cli_frame_spec(const char *formula, bd_frame_spec *spec, const bd_sampling **sampling);

/* The texts of --profile; none: n is 0. */
bd_profile_request cli_profile_request(void);

/* Reads the columns that `spec` needs of `file`, and builds its frame. */
BD_CHECKED bd_status cli_read_frame(const char *file, const bd_frame_spec *spec, bd_arena *arena,
                                    const bd_table **table, const bd_frame **frame);

/* The help of estimators and intervals, from their tables. */
void cli_help_errors(void);
void cli_help_intervals(void);

/* A file that appears whole or not at all: written beside what its path leads to, and renamed. "-" or NULL: standard
 * output. Devices and pipes are written as they are. */
typedef struct cli_file {
    const char *path;
    const char *target; /* path without links */
    char *temporary;    /* NULL: written directly */
    FILE *stream;
} cli_file;

BD_CHECKED bd_status cli_file_open(const char *path, bd_arena *arena, cli_file *file);
/* Both appear or neither; `other` may be NULL. */
BD_CHECKED bd_status cli_files_close(cli_file *file, cli_file *other);
void cli_files_abandon(void); /* removes what was not closed; safe in a signal handler */

/* What an option names; the path may be NULL. */
typedef struct cli_named_file {
    const char *option, *path;
} cli_named_file;

/* Whether the outputs can be written, are different files, and none is `input` (NULL: there is none). */
BD_CHECKED bd_status cli_files_check(const cli_named_file *outputs, size_t n, const char *input, bd_arena *arena);

/* The same for the outputs of an analysis, and whether --format is one: before the work; they appear after it. */
BD_CHECKED bd_status cli_check_outputs(const char *input, bd_arena *arena);

/* Writes the document as --format says. */
BD_CHECKED bd_status cli_write(bd_document *document, const bd_table *table, bd_arena *arena);

/* Under mpirun: the processes that share the replicates. Only the first writes, and of those that fail the first says so. */
BD_CHECKED bd_status cli_team_begin(int *argc, char ***argv, bd_arena *arena);
bool cli_team_end(bool failed); /* whether this process is the one that says why */
bool cli_is_first(void);
const bd_team *cli_team(void);  /* NULL: alone */

/* Progress on a terminal, and stopping where there is a checkpoint to go on from; NULL when neither is wanted. */
const bd_watch *cli_watch(void);

/* Says that some of the replicates came from the checkpoint. */
void cli_watch_resumed(const bd_replicates *replicates);

/* For a signal: true when the run will stop by itself and save what it has. */
bool cli_watch_stop(void);

/* Writes --save-replicates, if it was asked for; it appears with what cli_write() writes. */
BD_CHECKED bd_status cli_write_replicates(const bd_bootstrap_result *result, bd_arena *arena);

#endif
