/* Adherence from records of dispensings or appointments, by patient. */
#include "analyses/adherence_internal.h"

#include <stdlib.h>
#include <string.h>

static bool has(const bd_adherence_options *options, unsigned measures)
{
    return (options->measures & measures) != 0;
}

static bd_status check(const bd_adherence_options *o)
{
    const bool sessions = has(o, BD_ADHERENCE_ATTENDANCE);
    if (o->measures == 0 || (sessions && o->measures != BD_ADHERENCE_ATTENDANCE))
        return bd_fail(BD_EUSAGE, "attendance is of appointments, the other measures are of supplies; ask for either");
    if (o->patient == NULL)
        return bd_fail(BD_EUSAGE, "the column that says which patient a row is of is not given");
    if (!sessions && o->date == NULL)
        return bd_fail(BD_EUSAGE, "the column of the dates of supply is not given");
    if (!sessions && o->duration == NULL)
        return bd_fail(BD_EUSAGE, "the column of the days that a supply lasts is not given");
    if (sessions && o->kept == NULL)
        return bd_fail(BD_EUSAGE, "the column that says whether an appointment was kept is not given");
    if (!(o->window >= 0 && isfinite(o->window)))
        return bd_fail(BD_EUSAGE, "a window has a positive number of days, not %g", o->window);
    if (!(o->threshold > 0 && o->threshold <= 1))
        return bd_fail(BD_EUSAGE, "the share from which patients count as adherent is above 0 and at most 1, not %g",
                       o->threshold);
    if (o->date == NULL && (o->window > 0 || o->start != NULL))
        return bd_fail(BD_EUSAGE, "a window needs the dates of the appointments");
    if (sessions && o->gap >= 0)
        return bd_fail(BD_EUSAGE, "a gap is between supplies; appointments have runs of missed sessions");
    return BD_OK;
}

static bd_status want(bd_wanted *list, const char *name, bd_use use, size_t *n)
{
    if (name == NULL)
        return BD_OK;
    for (size_t i = 0; i < *n; i++) {
        if (strcmp(list[i].name, name) != 0)
            continue;
        return list[i].use == use || use == BD_USE_ANY
                   ? BD_OK
                   : bd_fail(BD_EUSAGE, "column '%s' is asked for twice, for different things", name);
    }
    list[(*n)++] = (bd_wanted){name, use};
    return BD_OK;
}

bd_status bd_adherence_wanted(const bd_adherence_options *options, bd_arena *arena, const bd_wanted **wanted,
                              size_t *n_wanted)
{
    enum { OWN_COLUMNS = 5 };
    const bool sessions = has(options, BD_ADHERENCE_ATTENDANCE);
    bd_wanted *list;
    *n_wanted = 0;
    BD_TRY(check(options));
    BD_NEW(arena, list, OWN_COLUMNS + options->n_keep);
    BD_TRY(want(list, options->patient, BD_USE_CATEGORIES, n_wanted));
    BD_TRY(want(list, sessions ? options->kept : options->duration, BD_USE_NUMBERS, n_wanted));
    BD_TRY(want(list, sessions ? options->offered : NULL, BD_USE_NUMBERS, n_wanted));
    if (options->date != NULL)
        for (size_t i = 0; i < *n_wanted; i++)
            if (strcmp(list[i].name, options->date) == 0)
                return bd_fail(BD_EUSAGE, "column '%s' is asked for twice, for different things", options->date);
    BD_TRY(want(list, options->date, BD_USE_ANY, n_wanted));
    for (size_t i = 0; i < options->n_keep; i++)
        BD_TRY(want(list, options->keep[i], BD_USE_ANY, n_wanted));
    *wanted = list;
    return BD_OK;
}

/* The columns of a table, and the day of each level of the dates. */
typedef struct records {
    const bd_table *table;
    const bd_column *patient, *date, *amount, *offered;
    double *days; /* of categories */
} records;

static size_t row_of(const bd_adherence_options *options, size_t i)
{
    return options->rows == NULL ? i : options->rows[i];
}

/* 20330426 is a date only to its author. */
static bool looks_run_together(const bd_column *column, size_t n)
{
    bool some = false;
    for (size_t i = 0; i < n; i++) {
        const double x = column->numbers[i], day = fmod(x, 100), month = floor(fmod(x, 10000) / 100);
        if (isnan(x))
            continue;
        if (!(x == floor(x) && x >= 18000101 && x < 30000000 && day >= 1 && day <= 31 && month >= 1 && month <= 12))
            return false;
        some = true;
    }
    return some;
}

static bd_status bad_date(const records *r, const bd_adherence_options *o, uint32_t code, size_t n)
{
    size_t row = 0;
    for (size_t i = n; i > 0; i--)
        if (r->date->codes[row_of(o, i - 1)] == code + 1)
            row = row_of(o, i - 1);
    return bd_fail(BD_EDATA, "'%s' in row %zu below the header is not a date; column '%s' takes 2033-04-26, "
                             "04/26/2033 (month first), or numbers of days in all rows",
                   r->date->levels[code], row + 1, o->date);
}

/* Levels that no row used has are not looked at. */
static bd_status parse_dates(records *r, const bd_adherence_options *o, size_t n, bd_arena *arena, bd_adherence *result)
{
    bool *used;
    if (r->date == NULL)
        return BD_OK;
    if (r->date->kind == BD_NUMBERS) {
        if (looks_run_together(r->date, r->table->n_rows))
            return bd_fail(BD_EDATA, "the dates in '%s' are written together, as %.0f; write them as 2033-04-26",
                           o->date, r->date->numbers[0]);
        return BD_OK;
    }
    result->calendar = true;
    BD_NEW(arena, used, r->date->n_levels + 1);
    BD_NEW(arena, r->days, r->date->n_levels);
    for (size_t i = 0; i < n; i++)
        used[r->date->codes[row_of(o, i)]] = true;
    for (uint32_t k = 0; k < r->date->n_levels; k++) {
        if (!used[k + 1])
            continue;
        const date_form form = adherence_parse_date(r->date->levels[k], &r->days[k]);
        if (form == NOT_A_DATE)
            return bad_date(r, o, k, n);
        result->slashes |= form == SLASHED_DATE;
    }
    return BD_OK;
}

static double date_in(const records *r, size_t row)
{
    if (r->date == NULL)
        return 0;
    if (r->date->kind == BD_NUMBERS)
        return r->date->numbers[row];
    return r->date->codes[row] == 0 ? NAN : r->days[r->date->codes[row] - 1];
}

/* The start for all; NaN: each has its own. */
static bd_status parse_start(const records *r, const bd_adherence_options *o, double *start)
{
    char *end;
    *start = NAN;
    if (o->start == NULL)
        return BD_OK;
    if (r->date->kind == BD_CATEGORIES && adherence_parse_date(o->start, start) == NOT_A_DATE)
        return bd_fail(BD_EUSAGE, "the start of the window is a date, such as 2033-04-26, not '%s'", o->start);
    if (r->date->kind == BD_CATEGORIES)
        return BD_OK;
    *start = strtod(o->start, &end);
    return end != o->start && *end == '\0' && isfinite(*start)
               ? BD_OK
               : bd_fail(BD_EUSAGE, "the dates in '%s' are numbers of days; the start of the window has to be one, "
                                    "not '%s'",
                         o->date, o->start);
}

static bd_status check_amount(const bd_adherence_options *o, const adherence_event *event)
{
    if (!has(o, BD_ADHERENCE_ATTENDANCE))
        return event->amount >= 0 ? BD_OK
                                  : bd_fail(BD_EDATA, "the supply in row %zu below the header is %g days; column '%s' "
                                                      "takes 0 or more",
                                            event->row + 1, event->amount, o->duration);
    if (!(event->offered >= 0 && event->offered == floor(event->offered)))
        return bd_fail(BD_EDATA, "the sessions offered in row %zu below the header are %g; column '%s' takes whole "
                                 "numbers, 0 or more",
                       event->row + 1, event->offered, o->offered);
    if (!(event->amount >= 0 && event->amount == floor(event->amount)))
        return bd_fail(BD_EDATA, "the sessions kept in row %zu below the header are %g; column '%s' takes %s",
                       event->row + 1, event->amount, o->kept,
                       o->offered != NULL ? "whole numbers, 0 or more" : "1 (kept) or 0 (missed)");
    if (event->amount > event->offered)
        return o->offered == NULL
                   ? bd_fail(BD_EDATA, "the sessions kept in row %zu below the header are %g; column '%s' takes 1 "
                                       "(kept) or 0 (missed), or name the column of how many were offered",
                             event->row + 1, event->amount, o->kept)
                   : bd_fail(BD_EDATA, "row %zu below the header has %g sessions kept of %g offered", event->row + 1,
                             event->amount, event->offered);
    return BD_OK;
}

static int by_date(const void *left, const void *right)
{
    const adherence_event *a = left, *b = right;
    if (a->date != b->date)
        return a->date < b->date ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

/* Events by patient and date; first[p] .. first[p + 1]. */
static bd_status gather(const records *r, const bd_adherence_options *o, size_t n, bd_arena *arena,
                        bd_adherence *result, adherence_event **events, size_t **first)
{
    const size_t n_levels = r->patient->n_levels;
    size_t *next;
    BD_NEW(arena, *events, n);
    BD_NEW(arena, *first, n_levels + 2);
    BD_NEW(arena, next, n_levels + 1);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < n; i++) {
            const size_t row = row_of(o, i), p = r->patient->codes[row];
            const adherence_event event = {date_in(r, row), r->amount->numbers[row],
                                           r->offered == NULL ? 1 : r->offered->numbers[row], row};
            if (p == 0 || isnan(event.date) || isnan(event.amount) || isnan(event.offered)) {
                result->n_incomplete += pass == 0;
            } else if (pass == 0) {
                BD_TRY(check_amount(o, &event));
                (*first)[p]++;
                result->n_used++;
            } else {
                (*events)[next[p - 1]++] = event;
            }
        }
        for (size_t p = 0; pass == 0 && p < n_levels; p++) {
            next[p] = (*first)[p];
            (*first)[p + 1] += (*first)[p];
        }
    }
    for (size_t p = 0; p < n_levels; p++)
        qsort(*events + (*first)[p], (*first)[p + 1] - (*first)[p], sizeof **events, by_date);
    return BD_OK;
}

static bd_adherence_patient unmeasured(const char *name, const adherence_event *events)
{
    const double none = NAN;
    return (bd_adherence_patient){
        .name = name,        .row = events[0].row, .start = none,         .days = none,          .supply = none,
        .mpr = none,         .mpr_capped = none,   .covered = none,       .pdc = none,           .n_gaps = none,
        .longest_gap = none, .gap_days = none,     .persistence = none,   .discontinued = none,  .offered = none,
        .kept = none,        .missed = none,       .attendance = none,    .n_missed_runs = none,
        .longest_missed_run = none, .final_missed_run = none};
}

static void measure(const bd_adherence_options *o, const adherence_event *events, size_t n, double common_start,
                    bd_adherence_patient *patient)
{
    const bool sessions = has(o, BD_ADHERENCE_ATTENDANCE);
    const double start = patient->start = isnan(common_start) ? events[0].date : common_start;
    const double end = o->window > 0 ? start + o->window : sessions ? INFINITY : events[n - 1].date;
    for (size_t i = 0; i < n; i++) {
        const bool within = events[i].date >= start && (o->window > 0 ? events[i].date < end : events[i].date <= end);
        patient->n_events += within && events[i].offered > 0;
        patient->row = events[i].row < patient->row ? events[i].row : patient->row;
    }
    if (patient->n_events == 0)
        return;
    if (sessions)
        adherence_of_sessions(events, n, start, end, patient);
    else if (end > start)
        adherence_of_supply(o, events, n, start, end, patient);
}

/* "'3', '7' and 5 more" of those without measures. */
static bd_status name_them(bd_adherence *a, bd_arena *arena)
{
    enum { NAMED = 5 };
    size_t n = 0;
    for (size_t p = 0; p < a->n_patients; p++) {
        if (!isnan(a->patients[p].mpr) || !isnan(a->patients[p].attendance))
            continue;
        if (n++ < NAMED)
            BD_TRY(bd_print(arena, &a->without, "%s%s'%s'", n == 1 ? "" : a->without, n == 1 ? "" : ", ",
                            a->patients[p].name));
    }
    return n <= NAMED ? BD_OK : bd_print(arena, &a->without, "%s and %zu more", a->without, n - NAMED);
}

static bd_status no_patient(const bd_adherence *a)
{
    const bd_adherence_options *o = &a->options;
    if (a->n_patients == 0)
        return bd_fail(BD_EDATA, "no row has all of the values that are needed");
    if (a->n_without_days > 0)
        return bd_fail(BD_EDATA, "no patient has events on two days; give the days of a window");
    if (o->start == NULL)
        return bd_fail(BD_EDATA, "no patient was offered a session");
    return o->window > 0
               ? bd_fail(BD_EDATA, "no patient has events in the %g days from %s", o->window, o->start)
               : bd_fail(BD_EDATA, "no patient has events from %s on", o->start);
}

/* Of columns to keep: the value in each row of a patient is that of the first. */
static bd_status find_kept(const records *r, const adherence_event *events, const size_t *first, bd_arena *arena,
                           bd_adherence *a)
{
    const bd_column **columns;
    BD_NEW(arena, columns, a->options.n_keep);
    for (size_t k = 0; k < a->options.n_keep; k++) {
        BD_TRY(bd_table_column(r->table, a->options.keep[k], &columns[k]));
        const bd_column *c = columns[k];
        for (size_t p = 0; p < r->patient->n_levels; p++)
            for (size_t i = first[p] + 1; i < first[p + 1]; i++) {
                const size_t one = events[i - 1].row, other = events[i].row;
                const bool same = c->kind == BD_CATEGORIES ? c->codes[one] == c->codes[other]
                                                           : c->numbers[one] == c->numbers[other] ||
                                                                 (isnan(c->numbers[one]) && isnan(c->numbers[other]));
                if (!same)
                    return bd_fail(BD_EDATA, "'%s' changes within patient '%s' (rows %zu and %zu below the header); "
                                             "what is kept must be one value per patient",
                                   c->name, r->patient->levels[p], one + 1, other + 1);
            }
    }
    a->kept_columns = columns;
    return BD_OK;
}

static bd_status find_columns(const bd_table *table, const bd_adherence_options *o, records *r)
{
    const bool sessions = has(o, BD_ADHERENCE_ATTENDANCE);
    *r = (records){.table = table};
    BD_TRY(bd_table_column(table, o->patient, &r->patient));
    if (o->date != NULL)
        BD_TRY(bd_table_column(table, o->date, &r->date));
    BD_TRY(bd_table_column(table, sessions ? o->kept : o->duration, &r->amount));
    if (sessions && o->offered != NULL)
        BD_TRY(bd_table_column(table, o->offered, &r->offered));
    if (r->patient->kind != BD_CATEGORIES || r->amount->kind != BD_NUMBERS ||
        (r->offered != NULL && r->offered->kind != BD_NUMBERS))
        return bd_fail(BD_EUSAGE, "the columns have to be read as bd_adherence_wanted says");
    return BD_OK;
}

/* Patients with rows, in the order of their names; n_measured: those with a measure. */
static void measure_all(const records *r, const adherence_event *events, const size_t *first, double start,
                        bd_adherence_patient *patients, bd_adherence *a, size_t *n_measured)
{
    *n_measured = 0;
    for (size_t p = 0; p < r->patient->n_levels; p++) {
        if (first[p] == first[p + 1])
            continue;
        bd_adherence_patient *patient = &patients[a->n_patients++];
        *patient = unmeasured(r->patient->levels[p], events + first[p]);
        measure(&a->options, events + first[p], first[p + 1] - first[p], start, patient);
        const bool measured = !isnan(patient->mpr) || !isnan(patient->attendance);
        *n_measured += measured;
        a->n_without_events += patient->n_events == 0;
        a->n_without_days += patient->n_events > 0 && !measured;
    }
}

bd_status bd_adherence_find(const bd_table *table, const bd_adherence_options *options, bd_arena *arena,
                            const bd_adherence **adherence)
{
    const size_t n = options->rows == NULL ? table->n_rows : options->n_rows;
    records r;
    bd_adherence *a;
    bd_adherence_patient *patients;
    adherence_event *events = NULL;
    size_t *first = NULL, n_measured;
    double start;
    BD_TRY(check(options));
    BD_TRY(find_columns(table, options, &r));
    BD_NEW(arena, a, 1);
    BD_NEW(arena, patients, r.patient->n_levels);
    *a = (bd_adherence){.options = *options, .table = table, .patients = patients};
    BD_TRY(parse_dates(&r, options, n, arena, a));
    BD_TRY(parse_start(&r, options, &start));
    BD_TRY(gather(&r, options, n, arena, a, &events, &first));
    measure_all(&r, events, first, start, patients, a, &n_measured);
    if (n_measured == 0)
        return no_patient(a);
    BD_TRY(name_them(a, arena));
    BD_TRY(find_kept(&r, events, first, arena, a));
    *adherence = a;
    return BD_OK;
}
