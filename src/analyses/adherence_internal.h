/* Parts of the analysis of adherence. */
#ifndef BORDIN_ANALYSES_ADHERENCE_INTERNAL_H
#define BORDIN_ANALYSES_ADHERENCE_INTERNAL_H

#include <math.h>

#include <bordin/analyses/adherence.h>

/* A dispensing, or an appointment with its sessions. */
typedef struct adherence_event {
    double date; /* of appointments without dates: NaN */
    double amount; /* days' supply, or sessions kept */
    double offered;
    size_t row;
} adherence_event;

/* adherence_dates.c: text <- of a form, or false. */
typedef enum date_form { NOT_A_DATE, ISO_DATE, SLASHED_DATE } date_form;
date_form adherence_parse_date(const char *text, double *day);

/* 2033-04-26 of a day since 1970-01-01, or "12.5" of a plain number. */
typedef struct adherence_date {
    char text[32];
} adherence_date;
adherence_date adherence_show_date(double day, bool calendar);

/* adherence_supply.c: measures of one patient from events by date. */
void adherence_of_supply(const bd_adherence_options *options, const adherence_event *events, size_t n, double start,
                         double end, bd_adherence_patient *patient);
void adherence_of_sessions(const adherence_event *events, size_t n, double start, double end,
                           bd_adherence_patient *patient);

/* adherence_patients.c: the numbers of a patient that are asked for, in their order. */
typedef struct adherence_column {
    bd_heading heading;
    size_t offset;     /* in bd_adherence_patient */
    unsigned measures; /* any of which has it */
    bool of_gap;       /* and only if persistence is asked for */
    enum { NOT_SUMMARISED, NUMBER, DAYS, RATE } summary; /* DAYS: of unequal windows; a rate may reach the threshold */
} adherence_column;

/* From *next on; NULL: no more. */
const adherence_column *adherence_next_column(const bd_adherence_options *options, size_t *next);

static inline double adherence_value(const bd_adherence_patient *patient, const adherence_column *column)
{
    return *(const double *)(const void *)((const char *)patient + column->offset);
}

#endif
