/* The document of adherence: each measure over the patients, persistence, and what was done. */
#include "analyses/adherence_internal.h"

#include <string.h>

#include <bordin/models/survival_curve.h>
#include <bordin/report/number.h>

#include "core/quantile.h"

typedef struct summary {
    size_t n, n_reached;
    double mean, sd, median, min, max;
} summary;

static bd_status summarise(const bd_adherence *a, const adherence_column *column, bd_arena *arena, summary *s)
{
    double *values, sum = 0, squares = 0;
    *s = (summary){.min = NAN, .max = NAN};
    BD_NEW(arena, values, a->n_patients);
    for (size_t p = 0; p < a->n_patients; p++) {
        const double value = adherence_value(&a->patients[p], column);
        if (isnan(value) ||
            isnan(column->measures == BD_ADHERENCE_ATTENDANCE ? a->patients[p].attendance : a->patients[p].mpr))
            continue; /* without a window to measure there is nothing to count in */
        values[s->n++] = value;
        sum += value;
        s->min = fmin(s->min, value);
        s->max = fmax(s->max, value);
        s->n_reached += value >= a->options.threshold;
    }
    s->mean = sum / (double)s->n;
    for (size_t i = 0; i < s->n; i++)
        squares += (values[i] - s->mean) * (values[i] - s->mean);
    s->sd = s->n > 1 ? sqrt(squares / (double)(s->n - 1)) : NAN;
    s->median = quantile_of(values, s->n, 0.5);
    return BD_OK;
}

static bd_status summary_table(const bd_adherence *a, bd_arena *arena, bd_document *document)
{
    const char *reached;
    const adherence_column *column;
    bd_document_rows *rows;
    BD_TRY(bd_print(arena, &reached, "%% with %g or more", a->options.threshold));
    const bd_heading headings[] = {{"measure", "", BD_TEXT},       {"n", "n", BD_COUNT},
                                   {"mean", "Mean", BD_ESTIMATE},  {"sd", "SD", BD_ESTIMATE},
                                   {"median", "Median", BD_ESTIMATE}, {"min", "Min", BD_ESTIMATE},
                                   {"max", "Max", BD_ESTIMATE},    {"share", reached, BD_PERCENT}};
    BD_TRY(bd_document_table(document, "adherence", "Over the patients", headings, 8, &rows));
    for (size_t next = 0; (column = adherence_next_column(&a->options, &next)) != NULL;) {
        summary s;
        bd_cell *cells;
        if (column->summary == NOT_SUMMARISED || (column->summary == DAYS && a->options.window > 0))
            continue;
        BD_TRY(summarise(a, column, arena, &s));
        const double share = (double)s.n_reached / (double)s.n;
        const bd_cell values[] = {bd_text(column->heading.heading), bd_number((double)s.n), bd_number(s.mean),
                                  bd_number(s.sd), bd_number(s.median), bd_number(s.min), bd_number(s.max),
                                  column->summary == RATE ? bd_number(share) : (bd_cell){.present = false}};
        BD_TRY(bd_document_row(rows, &cells));
        memcpy(cells, values, sizeof values);
        if (column->summary == RATE)
            BD_TRY(bd_document_say(document, BD_SENTENCE, "%s: %s %% of %zu patients have %g or more; the mean is %s.",
                                   column->heading.heading, bd_show_decimals(100 * share, 1).text, s.n,
                                   a->options.threshold, bd_show_as(s.mean, s.sd).text));
    }
    return BD_OK;
}

/* Kaplan and Meier's curve of days until a gap: those whose window ends first are censored. */
static bd_status persistence_table(const bd_adherence *a, bd_arena *arena, bd_document *document)
{
    static const bd_heading headings[] = {
        {"n", "n", BD_COUNT},
        {"discontinued", "Discontinued", BD_COUNT},
        {"median", "Median, days", BD_ESTIMATE},
        {"ci_low", "CI", BD_ESTIMATE}, {"ci_high", "CI", BD_ESTIMATE}};
    double *days, *ended;
    size_t n = 0, n_ended = 0;
    bd_document_rows *rows;
    bd_cell *cells;
    if (a->options.gap < 0)
        return BD_OK;
    BD_NEW(arena, days, a->n_patients);
    BD_NEW(arena, ended, a->n_patients);
    for (size_t p = 0; p < a->n_patients; p++) {
        if (isnan(a->patients[p].persistence))
            continue;
        days[n] = a->patients[p].persistence;
        ended[n] = a->patients[p].discontinued;
        n_ended += ended[n++] == 1;
    }
    bd_survival_estimate median = {NAN, NAN, NAN};
    if (n_ended > 0) {
        const bd_survival_rows patients = {.n_rows = n, .stop = days, .event = ended};
        const bd_survival_curve_options curve = {.level = a->options.level};
        const bd_survival_curves *curves;
        BD_TRY(bd_survival_curves_find(&patients, &curve, arena, &curves));
        median = bd_survival_quantile(&curves->curves[0], 0.5);
    }
    BD_TRY(bd_document_table(document, "persistence", "Persistence", headings, 5, &rows));
    BD_TRY(bd_document_row(rows, &cells));
    const bd_cell values[] = {bd_number((double)n), bd_number((double)n_ended), bd_number(median.value),
                              bd_number(median.low), bd_number(median.high)};
    memcpy(cells, values, sizeof values);
    const bool reached = !isnan(median.value);
    const bd_shown shown = bd_show_decimals(median.value, median.value == floor(median.value) ? 0 : 1);
    return bd_document_say(document, BD_SENTENCE,
                           "Persistence: %zu of %zu patients had a gap of more than %g days; the median %s%s%s.",
                           n_ended, n, a->options.gap, reached ? "is " : "lies beyond what was observed",
                           reached ? shown.text : "", reached ? " days" : "");
}

/* A row per patient, for JSON and CSV. */
static bd_status patient_table(const bd_adherence *a, bd_arena *arena, bd_document *document)
{
    enum { MOST = 24 };
    bd_heading headings[MOST] = {{"patient", "Patient", BD_TEXT}, {"start", "Start", BD_TEXT}};
    size_t n = 2;
    const adherence_column *column;
    bd_document_rows *rows;
    for (size_t next = 0; (column = adherence_next_column(&a->options, &next)) != NULL;)
        headings[n++] = column->heading;
    BD_TRY(bd_document_table(document, "patients", "Patients", headings, n, &rows));
    bd_document_unprinted(rows);
    for (size_t p = 0; p < a->n_patients; p++) {
        bd_cell *cells;
        const char *start = NULL;
        BD_TRY(bd_document_row(rows, &cells));
        if (a->options.date != NULL)
            BD_TRY(bd_print(arena, &start, "%s", adherence_show_date(a->patients[p].start, a->calendar).text));
        cells[0] = bd_text(a->patients[p].name);
        cells[1] = bd_text(start);
        n = 2;
        for (size_t next = 0; (column = adherence_next_column(&a->options, &next)) != NULL; n++)
            cells[n] = bd_number(adherence_value(&a->patients[p], column));
    }
    return BD_OK;
}

static bd_status window_note(const bd_adherence_options *o, bd_document *document)
{
    if (o->date == NULL)
        return bd_document_say(document, BD_NOTE, "Sessions are in the order of the file; all of them count.");
    const char *from = o->start != NULL ? o->start : "each patient's first event";
    if (o->window > 0)
        return bd_document_say(document, BD_NOTE, "The window is the %g days from %s.", o->window, from);
    if ((o->measures & BD_ADHERENCE_ATTENDANCE) != 0)
        return bd_document_say(document, BD_NOTE, "All sessions from %s on count.", from);
    return bd_document_say(document, BD_NOTE,
                           "The window is from %s to each patient's last event, whose own supply does not count.",
                           from);
}

static bd_status notes(const bd_adherence *a, bd_document *document)
{
    const bd_adherence_options *o = &a->options;
    BD_TRY(window_note(o, document));
    if ((o->measures & BD_ADHERENCE_MPR) != 0)
        BD_TRY(bd_document_say(document, BD_NOTE, "MPR is the days' supply dispensed in the window over its days."));
    if ((o->measures & (BD_ADHERENCE_PDC | BD_ADHERENCE_GAPS)) != 0 || o->gap >= 0)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               o->no_carry_over
                                   ? "PDC is the share of days covered by a supply from the day it was dispensed; "
                                     "gaps are the days without. What is left over at the next dispensing does not "
                                     "count."
                                   : "PDC is the share of days covered by a supply, which begins when it is dispensed "
                                     "or the one before is used up; gaps are the days without."));
    if (o->gap >= 0)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "Persistence lasts until a gap of more than %g days begins, or is censored at the end "
                               "of the window: Surv(persistence, discontinued). Its median is that of the Kaplan-Meier "
                               "curve, with a %g %% interval on the log-log scale.", o->gap, 100 * o->level));
    if ((o->measures & BD_ADHERENCE_ATTENDANCE) != 0)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "Attendance is sessions kept over sessions offered; a run of missed sessions has none "
                               "kept in between."));
    if (a->slashes)
        BD_TRY(bd_document_say(document, BD_NOTE, "Dates with slashes are read as month/day/year."));
    if (a->n_incomplete > 0)
        BD_TRY(bd_document_say(document, BD_WARNING, "%zu row%s with a missing value %s left out.", a->n_incomplete,
                               a->n_incomplete == 1 ? "" : "s", a->n_incomplete == 1 ? "is" : "are"));
    const size_t n = a->n_without_events + a->n_without_days;
    if (n == 0)
        return BD_OK;
    return bd_document_say(document, BD_WARNING, "%zu patient%s no %s (%s); their measures are empty.", n,
                           n == 1 ? " has" : "s have",
                           a->n_without_days == 0     ? "events in the window"
                           : a->n_without_events == 0 ? "second day of events, and without a window no days to measure"
                                                      : "events on two days of the window",
                           a->without);
}

static bd_status provenance(const bd_adherence *a, bd_document *document)
{
    const size_t n_read = a->table->n_rows, n_selected = a->options.rows == NULL ? n_read : a->options.n_rows;
    BD_TRY(bd_document_fact(document, "rows.read", "Rows read", BD_COUNT, bd_number((double)n_read)));
    if (n_selected < n_read)
        BD_TRY(bd_document_fact(document, "rows.excluded", "Rows excluded by --where", BD_COUNT,
                                bd_number((double)(n_read - n_selected))));
    if (a->n_incomplete > 0)
        BD_TRY(bd_document_fact(document, "rows.incomplete", "Rows with a missing value", BD_COUNT,
                                bd_number((double)a->n_incomplete)));
    BD_TRY(bd_document_fact(document, "rows.used", "Rows used", BD_COUNT, bd_number((double)a->n_used)));
    return bd_document_fact(document, "patients", "Patients", BD_COUNT, bd_number((double)a->n_patients));
}

bd_status bd_adherence_document(const bd_adherence *a, bd_arena *arena, bd_document **document)
{
    const char *title;
    BD_TRY(bd_print(arena, &title, "%s of %zu patients",
                    (a->options.measures & BD_ADHERENCE_ATTENDANCE) != 0 ? "Attendance" : "Medication adherence",
                    a->n_patients));
    BD_TRY(bd_document_new(arena, "adherence", title, document));
    BD_TRY(summary_table(a, arena, *document));
    BD_TRY(persistence_table(a, arena, *document));
    BD_TRY(patient_table(a, arena, *document));
    BD_TRY(notes(a, *document));
    return provenance(a, *document);
}
