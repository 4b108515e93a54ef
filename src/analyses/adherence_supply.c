/* The adherence of one patient: what supply covers of a window, and which sessions were kept. */
#include "analyses/adherence_internal.h"

/* How far a walk through the intervals of supply has come. */
typedef struct coverage {
    double start, end, position; /* all up to position is counted */
    double gap_days, longest_gap, n_gaps, persistence;
    double allowed; /* gap; negative: any */
} coverage;

static void count_gap(coverage *c, double until)
{
    const double length = until - c->position;
    if (!(length > 0))
        return;
    c->n_gaps++;
    c->gap_days += length;
    c->longest_gap = fmax(c->longest_gap, length);
    if (c->allowed >= 0 && length > c->allowed && isnan(c->persistence))
        c->persistence = c->position - c->start;
}

static coverage cover(const bd_adherence_options *options, const adherence_event *events, size_t n, double start,
                      double end)
{
    coverage c = {.start = start, .end = end, .position = start, .allowed = options->gap, .persistence = NAN};
    double supplied = -INFINITY; /* until when, with carry-over */
    for (size_t i = 0; i < n && events[i].date < end; i++) {
        const double from = options->no_carry_over ? events[i].date : fmax(events[i].date, supplied);
        const double until = fmin(from + events[i].amount, end);
        supplied = from + events[i].amount;
        if (!(until > c.position))
            continue;
        count_gap(&c, from);
        c.position = until;
    }
    count_gap(&c, end);
    return c;
}

void adherence_of_supply(const bd_adherence_options *options, const adherence_event *events, size_t n, double start,
                         double end, bd_adherence_patient *patient)
{
    const coverage c = cover(options, events, n, start, end);
    patient->days = end - start;
    patient->supply = 0;
    for (size_t i = 0; i < n; i++)
        patient->supply += events[i].date >= start && events[i].date < end ? events[i].amount : 0;
    patient->mpr = patient->supply / patient->days;
    patient->mpr_capped = fmin(patient->mpr, 1);
    patient->covered = patient->days - c.gap_days;
    patient->pdc = patient->covered / patient->days;
    patient->n_gaps = c.n_gaps;
    patient->longest_gap = c.longest_gap;
    patient->gap_days = c.gap_days;
    if (options->gap < 0)
        return;
    patient->discontinued = !isnan(c.persistence);
    patient->persistence = isnan(c.persistence) ? patient->days : c.persistence;
}

void adherence_of_sessions(const adherence_event *events, size_t n, double start, double end,
                           bd_adherence_patient *patient)
{
    double run = 0;
    patient->offered = patient->kept = patient->n_missed_runs = patient->longest_missed_run = 0;
    for (size_t i = 0; i < n; i++) {
        if (events[i].date < start || events[i].date >= end || events[i].offered == 0)
            continue;
        patient->offered += events[i].offered;
        patient->kept += events[i].amount;
        if (events[i].amount > 0) {
            run = 0;
            continue;
        }
        patient->n_missed_runs += run == 0;
        run += events[i].offered;
        patient->longest_missed_run = fmax(patient->longest_missed_run, run);
    }
    patient->final_missed_run = run;
    patient->missed = patient->offered - patient->kept;
    patient->attendance = patient->kept / patient->offered;
}
