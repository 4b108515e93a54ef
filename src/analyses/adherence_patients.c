/* The columns of measures, and the rows of patients as a file for other analyses. */
#include "analyses/adherence_internal.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { SUPPLY = BD_ADHERENCE_MPR | BD_ADHERENCE_PDC | BD_ADHERENCE_GAPS };

#define AT(member) offsetof(bd_adherence_patient, member)

static const adherence_column columns[] = {
    {{"n_events", "Events", BD_COUNT}, AT(n_events), SUPPLY, false, NUMBER},
    {{"days", "Days", BD_ESTIMATE}, AT(days), SUPPLY, false, DAYS},
    {{"supply", "Supply", BD_ESTIMATE}, AT(supply), BD_ADHERENCE_MPR, false, NUMBER},
    {{"mpr", "MPR", BD_ESTIMATE}, AT(mpr), BD_ADHERENCE_MPR, false, RATE},
    {{"mpr_capped", "MPR, at most 1", BD_ESTIMATE}, AT(mpr_capped), BD_ADHERENCE_MPR, false, NUMBER},
    {{"covered", "Days covered", BD_ESTIMATE}, AT(covered), BD_ADHERENCE_PDC, false, NUMBER},
    {{"pdc", "PDC", BD_ESTIMATE}, AT(pdc), BD_ADHERENCE_PDC, false, RATE},
    {{"n_gaps", "Gaps", BD_COUNT}, AT(n_gaps), BD_ADHERENCE_GAPS, false, NUMBER},
    {{"longest_gap", "Longest gap, days", BD_ESTIMATE}, AT(longest_gap), BD_ADHERENCE_GAPS, false, NUMBER},
    {{"gap_days", "Days in gaps", BD_ESTIMATE}, AT(gap_days), BD_ADHERENCE_GAPS, false, NUMBER},
    {{"persistence", "Persistence, days", BD_ESTIMATE}, AT(persistence), SUPPLY, true, NOT_SUMMARISED},
    {{"discontinued", "Discontinued", BD_COUNT}, AT(discontinued), SUPPLY, true, NOT_SUMMARISED},
    {{"offered", "Sessions offered", BD_COUNT}, AT(offered), BD_ADHERENCE_ATTENDANCE, false, NUMBER},
    {{"kept", "Sessions kept", BD_COUNT}, AT(kept), BD_ADHERENCE_ATTENDANCE, false, NUMBER},
    {{"missed", "Sessions missed", BD_COUNT}, AT(missed), BD_ADHERENCE_ATTENDANCE, false, NUMBER},
    {{"attendance", "Attendance", BD_ESTIMATE}, AT(attendance), BD_ADHERENCE_ATTENDANCE, false, RATE},
    {{"missed_runs", "Runs of missed sessions", BD_COUNT}, AT(n_missed_runs), BD_ADHERENCE_ATTENDANCE, false, NUMBER},
    {{"longest_missed_run", "Longest run", BD_COUNT}, AT(longest_missed_run), BD_ADHERENCE_ATTENDANCE, false, NUMBER},
    {{"final_missed_run", "Missed at the end", BD_COUNT}, AT(final_missed_run), BD_ADHERENCE_ATTENDANCE, false, NUMBER},
};

const adherence_column *adherence_next_column(const bd_adherence_options *options, size_t *next)
{
    while (*next < sizeof columns / sizeof *columns) {
        const adherence_column *column = &columns[(*next)++];
        if ((column->measures & options->measures) != 0 && (!column->of_gap || options->gap >= 0))
            return column;
    }
    return NULL;
}

static void write_text(const char *text, FILE *stream)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, stream);
        return;
    }
    fputc('"', stream);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

/* The fewest digits that read back to the same bits; NaN is empty. */
static void write_number(double number, FILE *stream)
{
    char text[40] = "";
    for (int digits = 15; digits <= 17 && !isnan(number); digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    fputs(text, stream);
}

static void write_kept(const bd_column *column, size_t row, FILE *stream)
{
    fputc(',', stream);
    if (column->kind == BD_NUMBERS)
        write_number(column->numbers[row], stream);
    else if (column->codes[row] > 0)
        write_text(column->levels[column->codes[row] - 1], stream);
}

static void write_header(const bd_adherence *a, FILE *stream)
{
    const adherence_column *column;
    write_text(a->options.patient, stream);
    for (size_t k = 0; k < a->options.n_keep; k++) {
        fputc(',', stream);
        write_text(a->options.keep[k], stream);
    }
    if (a->options.date != NULL)
        fputs(",start", stream);
    for (size_t next = 0; (column = adherence_next_column(&a->options, &next)) != NULL;)
        fprintf(stream, ",%s", column->heading.key);
    fputc('\n', stream);
}

bd_status bd_adherence_write_patients(const bd_adherence *a, FILE *stream)
{
    const adherence_column *column;
    write_header(a, stream);
    for (size_t p = 0; p < a->n_patients; p++) {
        const bd_adherence_patient *patient = &a->patients[p];
        write_text(patient->name, stream);
        for (size_t k = 0; k < a->options.n_keep; k++)
            write_kept(a->kept_columns[k], patient->row, stream);
        if (a->options.date != NULL)
            fprintf(stream, ",%s", adherence_show_date(patient->start, a->calendar).text);
        for (size_t next = 0; (column = adherence_next_column(&a->options, &next)) != NULL;) {
            fputc(',', stream);
            write_number(adherence_value(patient, column), stream);
        }
        fputc('\n', stream);
    }
    return fflush(stream) == 0 && !ferror(stream) ? BD_OK : bd_fail(BD_EIO, "cannot write: %s", strerror(errno));
}
