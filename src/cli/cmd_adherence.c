/* bordin adherence FILE */
#include <string.h>

#include <bordin/analyses/adherence.h>

#include "cli.h"

static struct {
    char *measure, *patient, *date, *duration, *kept, *offered, *window, *start, *carry_over, *gap, *threshold, *keep;
    char *save_patients;
} asked;

static struct poptOption options[] = {
    {"measure", 0, POPT_ARG_STRING, &asked.measure, 0,
     "mpr, pdc, gaps, several with commas (default: all three), or attendance", "NAMES"},
    {"patient", 0, POPT_ARG_STRING, &asked.patient, 0, "column that says whose a row is", "NAME"},
    {"date", 0, POPT_ARG_STRING, &asked.date, 0, "column of dates: 2033-04-26, 04/26/2033, or numbers of days", "NAME"},
    {"duration", 0, POPT_ARG_STRING, &asked.duration, 0, "column of the days that a supply lasts", "NAME"},
    {"kept", 0, POPT_ARG_STRING, &asked.kept, 0,
     "for attendance: column of 1 (kept) and 0 (missed), or of how many were kept", "NAME"},
    {"offered", 0, POPT_ARG_STRING, &asked.offered, 0,
     "for attendance: column of how many sessions were offered (default: 1)", "NAME"},
    {"window", 0, POPT_ARG_STRING, &asked.window, 0, "days that are looked at (default: to the last event)", "DAYS"},
    {"start", 0, POPT_ARG_STRING, &asked.start, 0,
     "where they begin: first, each patient's first event, or a date for all (default: first)", "DATE"},
    {"carry-over", 0, POPT_ARG_STRING, &asked.carry_over, 0,
     "yes or no: what is left of a supply is used before the next (default: yes)", "ANSWER"},
    {"gap", 0, POPT_ARG_STRING, &asked.gap, 0, "days without supply that persistence survives", "DAYS"},
    {"threshold", 0, POPT_ARG_STRING, &asked.threshold, 0, "share from which patients count as adherent (default: 0.8)",
     "SHARE"},
    {"keep", 0, POPT_ARG_STRING, &asked.keep, 0, "columns of patients to pass on to --save-patients: arm,age", "NAMES"},
    {"save-patients", 0, POPT_ARG_STRING, &asked.save_patients, 0,
     "write a row per patient to this CSV file, for the other commands", "FILE"},
    CLI_INCLUDE(cli_where_options, "Rows:"),
    CLI_INCLUDE(cli_reading_options, "Reading:"),
    CLI_INCLUDE(cli_output_options, "Output:"),
    POPT_TABLEEND};

/* "a,b,c" into names. */
static bd_status split(const char *list, bd_arena *arena, const char *const **names, size_t *n)
{
    const char **items = NULL;
    size_t capacity = 0;
    *n = 0;
    for (const char *s = list; s != NULL;) {
        const size_t length = strcspn(s, ",");
        const char *item;
        BD_TRY(bd_copy_text(arena, s, length, &item));
        BD_PUSH(arena, items, *n, capacity, item);
        s = s[length] == ',' ? s + length + 1 : NULL;
    }
    *names = items;
    return BD_OK;
}

static bd_status parse_measures(bd_arena *arena, unsigned *measures)
{
    static const struct {
        const char *name;
        unsigned measure;
    } known[] = {{"mpr", BD_ADHERENCE_MPR}, {"pdc", BD_ADHERENCE_PDC}, {"gaps", BD_ADHERENCE_GAPS},
                 {"attendance", BD_ADHERENCE_ATTENDANCE}};
    const char *const *names;
    size_t n;
    if (asked.measure == NULL) {
        *measures = asked.kept != NULL && asked.duration == NULL ? BD_ADHERENCE_ATTENDANCE : *measures;
        return BD_OK;
    }
    *measures = 0;
    BD_TRY(split(asked.measure, arena, &names, &n));
    for (size_t i = 0; i < n; i++) {
        unsigned measure = 0;
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            measure |= strcmp(names[i], known[k].name) == 0 ? known[k].measure : 0;
        if (measure == 0)
            return bd_fail(BD_EUSAGE, "--measure takes mpr, pdc, gaps or attendance, not '%s'", names[i]);
        *measures |= measure;
    }
    return BD_OK;
}

static bd_status needs(const char *option, const char *value, const char *what)
{
    return value != NULL ? BD_OK : bd_fail(BD_EUSAGE, "%s needs --%s", what, option);
}

static bd_status check_columns(unsigned measures)
{
    BD_TRY(needs("patient", asked.patient, "adherence"));
    if ((measures & BD_ADHERENCE_ATTENDANCE) != 0)
        return needs("kept", asked.kept, "attendance");
    BD_TRY(needs("date", asked.date, "adherence to supplies"));
    return needs("duration", asked.duration, "adherence to supplies");
}

static bd_status requested(bd_arena *arena, bd_adherence_options *request)
{
    *request = BD_ADHERENCE_DEFAULTS;
    BD_TRY(parse_measures(arena, &request->measures));
    BD_TRY(check_columns(request->measures));
    request->patient = asked.patient;
    request->date = asked.date;
    request->duration = asked.duration;
    request->kept = asked.kept;
    request->offered = asked.offered;
    request->start = asked.start == NULL || strcmp(asked.start, "first") == 0 ? NULL : asked.start;
    if (asked.window != NULL)
        BD_TRY(cli_real("window", asked.window, 1e-6, 1e9, &request->window));
    if (asked.gap != NULL)
        BD_TRY(cli_real("gap", asked.gap, 0, 1e9, &request->gap));
    if (asked.threshold != NULL)
        BD_TRY(cli_real("threshold", asked.threshold, 1e-6, 1, &request->threshold));
    if (asked.carry_over != NULL && strcmp(asked.carry_over, "yes") != 0 && strcmp(asked.carry_over, "no") != 0)
        return bd_fail(BD_EUSAGE, "--carry-over takes yes or no, not '%s'", asked.carry_over);
    request->no_carry_over = asked.carry_over != NULL && strcmp(asked.carry_over, "no") == 0;
    return split(asked.keep, arena, &request->keep, &request->n_keep);
}

static bd_status read_table(const char *file, const bd_adherence_options *request, bd_arena *arena,
                            const bd_table **table)
{
    const bd_wanted *own, *others;
    bd_wanted *wanted;
    size_t n_own, n_others;
    bd_csv_options csv;
    BD_TRY(cli_csv(arena, &csv));
    BD_TRY(bd_adherence_wanted(request, arena, &own, &n_own));
    BD_TRY(bd_where_wanted(cli.where, arena, &others, &n_others));
    BD_NEW(arena, wanted, n_own + n_others);
    memcpy(wanted, own, n_own * sizeof *own);
    for (size_t i = 0; i < n_others; i++) {
        bool there = false;
        for (size_t k = 0; k < n_own; k++)
            there |= strcmp(own[k].name, others[i].name) == 0;
        if (!there)
            wanted[n_own++] = others[i];
    }
    return bd_csv_read(file, wanted, n_own, &csv, arena, table);
}

static bd_status adherence(size_t n_arguments, const char *const *arguments, bd_arena *arena)
{
    bd_adherence_options request;
    const bd_table *table;
    const bd_adherence *result;
    bd_document *document;
    cli_file patients = {0};
    if (n_arguments != 1)
        return bd_fail(BD_EUSAGE, "adherence takes one file: bordin adherence fills.csv --patient id --date date "
                                  "--duration days");
    BD_TRY(requested(arena, &request));
    BD_TRY(cli_level(&request.level));
    const cli_named_file outputs[] = {{"output", cli.output}, {"save-patients", asked.save_patients}};
    BD_TRY(cli_check_outputs(arguments[0], arena));
    BD_TRY(cli_files_check(outputs, 2, arguments[0], arena));
    BD_TRY(read_table(arguments[0], &request, arena, &table));
    BD_TRY(bd_where_rows(table, cli.where, arena, &request.rows, &request.n_rows));
    BD_TRY(bd_adherence_find(table, &request, arena, &result));
    BD_TRY(bd_adherence_document(result, arena, &document));
    if (asked.save_patients == NULL)
        return cli_write(document, table, arena);
    BD_TRY(cli_file_open(asked.save_patients, arena, &patients));
    BD_TRY(bd_adherence_write_patients(result, patients.stream));
    BD_TRY(cli_write(document, table, arena));
    return cli_files_close(&patients, NULL);
}

const cli_command cli_adherence = {
    .name = "adherence",
    .summary = "MPR, PDC, gaps and persistence from dispensings; attendance",
    .arguments = "FILE",
    .example = "bordin adherence datasets/medication_events/med_events.csv --patient patient_id --date date "
               "--duration duration --window 365 --gap 60 --save-patients patients.csv",
    .text = "Takes a row per dispensing (patient, date, days' supply) and finds each patient's medication possession\n"
            "ratio (supply over days of the window), proportion of days covered (what is left of a supply is used\n"
            "before the next), gaps, and with --gap the days until a longer one begins: persistence. Or takes a row\n"
            "per appointment (patient, kept or not) and finds attendance and runs of missed sessions. FILE is CSV,\n"
            "gzip or not; - reads standard input. --save-patients writes what regress, mediate and survival read.",
    .options = options,
    .run = adherence,
};
