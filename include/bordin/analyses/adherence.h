/* Adherence from records: a row per dispensing (patient, date, days' supply) or per appointment (patient, kept or not).
 *
 *     bd_adherence_options options = BD_ADHERENCE_DEFAULTS;
 *     options.patient = "patient_id";
 *     options.date = "date";
 *     options.duration = "duration";
 *     options.window = 365;
 *     BD_TRY(bd_adherence_wanted(&options, arena, &wanted, &n_wanted));      which columns to read, and as what
 *     BD_TRY(bd_csv_read(path, wanted, n_wanted, &csv, arena, &table));
 *     BD_TRY(bd_adherence_find(table, &options, arena, &adherence));
 *     BD_TRY(bd_adherence_document(adherence, arena, &document));            the summary
 *     BD_TRY(bd_adherence_write_patients(adherence, stream));                a row per patient, for other analyses
 *
 * A patient's window is [start, end): from the first event, or a date given for all, on for `window` days, or to the
 * last event, whose own supply then does not count. With s_i days supplied at t_i, in the order of the dates:
 *     MPR        sum of s_i with t_i in the window / days of the window; may be more than 1
 *     PDC        days of the window in [u_i, u_i + s_i) for any i / days of the window,
 *                u_i = max(t_i, u_{i-1} + s_{i-1}) with carry-over, t_i without
 *     gaps       the stretches of the window that PDC does not count
 *     persistence  days from start until a gap longer than `gap` begins; else to the end, and censored there
 *     attendance   sessions kept / sessions offered; runs of missed sessions in a row
 * With carry-over, from the first event: to the last MPR, its capped form and PDC are CMA1, CMA3 and CMA5 of Dima &
 * Dediu (2017), doi:10.1371/journal.pone.0174426; with `window` CMA2, CMA4 and CMA6.
 * Dates are 2033-04-26 or 04/26/2033 (month first), or plain numbers of days. */
#ifndef BORDIN_ANALYSES_ADHERENCE_H
#define BORDIN_ANALYSES_ADHERENCE_H

#include <stdbool.h>
#include <stdio.h>

#include <bordin/data/csv.h>
#include <bordin/report/document.h>

enum {
    BD_ADHERENCE_MPR = 1,
    BD_ADHERENCE_PDC = 2,
    BD_ADHERENCE_GAPS = 4,
    BD_ADHERENCE_ATTENDANCE = 8,
};

typedef struct bd_adherence_options {
    const char *patient;  /* columns */
    const char *date;     /* of attendance it may be NULL: the order of the file */
    const char *duration; /* days' supply */
    const char *kept;     /* sessions kept in a row: 0 or 1, or as many as `offered` allows */
    const char *offered;  /* sessions offered; NULL: 1 in every row */
    unsigned measures;    /* BD_ADHERENCE_*; attendance alone, the others together or alone */
    double window;        /* days; 0: to the last event (attendance: all rows) */
    const char *start;    /* a date; NULL: each patient's first event */
    bool no_carry_over;
    double gap;           /* a longer one ends persistence; negative: persistence is not asked for */
    double threshold;     /* share that counts as adherent */
    double level;         /* of the interval of median persistence */
    const char *const *keep; /* columns to pass on to the rows of patients, constant within them */
    size_t n_keep;
    const size_t *rows;   /* which rows of the table, ascending; NULL: all */
    size_t n_rows;
} bd_adherence_options;

#define BD_ADHERENCE_DEFAULTS \
    ((bd_adherence_options){.measures = BD_ADHERENCE_MPR | BD_ADHERENCE_PDC | BD_ADHERENCE_GAPS, .gap = -1, \
                             .threshold = 0.8, .level = 0.95})

/* NaN: not asked for, or the patient has no days to measure. */
typedef struct bd_adherence_patient {
    const char *name;
    size_t row;      /* of the table, the first of the patient */
    double start;    /* of the window: a day number, of calendar dates since 1970-01-01 */
    double n_events; /* dispensings or appointments in the window */
    double days;     /* of the window */
    double supply, mpr, mpr_capped;
    double covered, pdc;
    double n_gaps, longest_gap, gap_days;
    double persistence, discontinued; /* days; 1: a gap ended it, 0: censored */
    double offered, kept, missed, attendance;
    double n_missed_runs, longest_missed_run, final_missed_run; /* runs of rows with nothing kept, by session */
} bd_adherence_patient;

typedef struct bd_adherence {
    bd_adherence_options options;
    const bd_table *table;
    bool calendar, slashes;            /* how dates were written; slashes: month first */
    size_t n_used, n_incomplete;       /* rows; with a missing value that is needed */
    size_t n_patients;
    const bd_adherence_patient *patients; /* by name, as the levels of the column */
    size_t n_without_events;           /* patients with none in the window */
    size_t n_without_days;             /* with one event, or one day of events, and no `window` */
    const char *without;               /* names of some of those of either kind, or NULL */
    const bd_column *const *kept_columns; /* n_keep */
} bd_adherence;

/* BD_EUSAGE: columns that a measure needs are not given, attendance along with other measures. */
BD_CHECKED bd_status bd_adherence_wanted(const bd_adherence_options *options, bd_arena *arena, const bd_wanted **wanted,
                                         size_t *n_wanted);

/* The table must have been read as bd_adherence_wanted says. BD_EUSAGE: as above; a window, a gap or a threshold out of
 * range; a start that is not a date, or not of the kind of the column's. BD_EDATA: what is not a date; a negative
 * supply; more sessions kept than offered, or not whole numbers; a column to keep that changes within a patient; no
 * patient with events in the window. Rows with a missing value that is needed are left out and counted. */
BD_CHECKED bd_status bd_adherence_find(const bd_table *table, const bd_adherence_options *options, bd_arena *arena,
                                       const bd_adherence **adherence);

BD_CHECKED bd_status bd_adherence_document(const bd_adherence *adherence, bd_arena *arena, bd_document **document);

/* CSV: the patient, the columns kept, the measures asked for; what is NaN is empty. BD_EIO. */
BD_CHECKED bd_status bd_adherence_write_patients(const bd_adherence *adherence, FILE *stream);

#endif
