/* Adherence from dispensings, held to days looked at one by one (Rscript scripts/reference-adherence.R) and to the
 * reference of the data (datasets/medication_events); from appointments, counted by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/analyses/adherence.h>
#include <bordin/models/survival_curve.h>

#include "fixture.h"

static void assert_close(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance * fmax(1, fabs(expected))))
        fail_msg("%.15g is not %.15g: off by %.2g", value, expected, value - expected);
}

static bd_adherence_options dispensings(void)
{
    bd_adherence_options options = BD_ADHERENCE_DEFAULTS;
    options.patient = "patient_id";
    options.date = "date";
    options.duration = "duration";
    return options;
}

static bd_status try_find(const char *path, const bd_adherence_options *options, const bd_adherence **adherence)
{
    const bd_wanted *wanted;
    size_t n_wanted;
    const bd_table *table;
    BD_TRY(bd_adherence_wanted(options, arena, &wanted, &n_wanted));
    BD_TRY(bd_csv_read(path, wanted, n_wanted, &BD_CSV_DEFAULTS, arena, &table));
    return bd_adherence_find(table, options, arena, adherence);
}

static const bd_adherence *find(const char *path, const bd_adherence_options *options)
{
    const bd_adherence *adherence = NULL;
    must(try_find(path, options, &adherence));
    return adherence;
}

static const char events[] = "datasets/medication_events/med_events.csv";

typedef struct reference {
    double window;
    bool carry_over;
    double gap;
    const char *start;
    size_t n;
    double sums[7], second[7]; /* mpr, covered, n_gaps, longest_gap, gap_days, persistence, discontinued; patient 2 */
    double median[3];          /* persistence, and limits */
} reference;

static const reference references[] = {
    {365, true, 60, NULL, 100,
     {69.7534246575342, 22413, 217, 9612, 14087, 20056, 63},
     {0.73972602739726, 270, 2, 94, 95, 100, 1},
     {160, 100, 254}},
    {365, false, 60, NULL, 100,
     {69.7534246575342, 20346, 283, 10571, 16154, 19032, 68},
     {0.73972602739726, 211, 2, 94, 154, 100, 1},
     {154, 100, 223}},
    {180, true, 30, NULL, 100,
     {83.5, 11916, 124, 5490, 6084, 11148, 59},
     {0.555555555555556, 100, 1, 80, 80, 100, 1},
     {100, 50, NAN}},
    {0, true, 90, NULL, 100,
     {68.4958089768535, 42222, 371, 12396, 25335, 38616, 57},
     {0.822784810126582, 352, 3, 94, 122, 100, 1},
     {355, 200, NAN}},
    {0, false, 14, NULL, 100,
     {68.4958089768535, 37234, 537, 13618, 30323, 9374, 100},
     {0.822784810126582, 293, 3, 94, 181, 100, 1},
     {50, 50, 100}},
    {400, true, 45, "2036-06-01", 35,
     {18.975, 7278, 90, 4861, 6722, 4455, 28},
     {0.875, 311, 3, 61, 89, 0, 1},
     {35, 0, 86}},
};

static void add(const bd_adherence_patient *p, double *sums)
{
    const double values[7] = {p->mpr, p->covered, p->n_gaps, p->longest_gap, p->gap_days, p->persistence,
                              p->discontinued};
    for (size_t k = 0; k < 7; k++)
        sums[k] += values[k];
}

/* Kaplan and Meier's median of the patients' persistence. */
static bd_survival_estimate median_of(const bd_adherence *a)
{
    double *days = bd_arena_alloc(arena, a->n_patients, sizeof *days), *ended = bd_arena_alloc(arena, a->n_patients, 8);
    bd_survival_rows rows = {.stop = days, .event = ended};
    const bd_survival_curves *curves = NULL;
    assert_true(days != NULL && ended != NULL);
    for (size_t p = 0; p < a->n_patients; p++) {
        if (isnan(a->patients[p].persistence))
            continue;
        days[rows.n_rows] = a->patients[p].persistence;
        ended[rows.n_rows++] = a->patients[p].discontinued;
    }
    must(bd_survival_curves_find(&rows, &BD_SURVIVAL_CURVE_DEFAULTS, arena, &curves));
    return bd_survival_quantile(&curves->curves[0], 0.5);
}

static void test_adherence__is_what_days_one_by_one_say(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof references / sizeof *references; k++) {
        const reference *r = &references[k];
        bd_adherence_options options = dispensings();
        options.window = r->window;
        options.no_carry_over = !r->carry_over;
        options.gap = r->gap;
        options.start = r->start;
        const bd_adherence *a = find(events, &options);
        double sums[7] = {0}, second[7] = {0};
        size_t n = 0;
        for (size_t p = 0; p < a->n_patients; p++) {
            if (isnan(a->patients[p].mpr))
                continue;
            n++;
            add(&a->patients[p], sums);
            if (strcmp(a->patients[p].name, "2") == 0)
                add(&a->patients[p], second);
        }
        assert_int_equal(n, r->n);
        assert_int_equal(a->n_patients, 100);
        assert_int_equal(a->n_without_events, 100 - r->n);
        for (size_t j = 0; j < 7; j++) {
            assert_close(sums[j], r->sums[j], 1e-13);
            assert_close(second[j], r->second[j], 1e-13);
        }
        const bd_survival_estimate median = median_of(a);
        assert_close(median.value, r->median[0], 0);
        assert_close(median.low, r->median[1], 0);
        assert_true(isnan(r->median[2]) ? isnan(median.high) : median.high == r->median[2]);
    }
}

/* reference_adherence.csv, ten digits: CMA1 and days covered, patient by patient. */
static void test_adherence__agrees_with_the_reference_of_the_data(void **state)
{
    (void)state;
    static const bd_wanted wanted[] = {{"patient_id", BD_USE_CATEGORIES}, {"mpr_first_to_last", BD_USE_NUMBERS},
                                       {"days_first_to_last", BD_USE_NUMBERS}, {"covered_days_365", BD_USE_NUMBERS},
                                       {"covered_days_365_carryover", BD_USE_NUMBERS}};
    const bd_table *table;
    bd_adherence_options options = dispensings();
    const bd_adherence *whole = find(events, &options);
    options.window = 365;
    const bd_adherence *carried = find(events, &options);
    options.no_carry_over = true;
    const bd_adherence *plain = find(events, &options);
    must(bd_csv_read("datasets/medication_events/reference_adherence.csv", wanted, 5, &BD_CSV_DEFAULTS, arena, &table));
    assert_int_equal(table->n_rows, 100);
    for (size_t i = 0; i < table->n_rows; i++) {
        const size_t p = table->columns[0].codes[i] - 1;
        assert_string_equal(whole->patients[p].name, table->columns[0].levels[p]);
        assert_close(whole->patients[p].days, bd_table_find(table, "days_first_to_last")->numbers[i], 0);
        assert_close(whole->patients[p].mpr, bd_table_find(table, "mpr_first_to_last")->numbers[i], 1e-9);
        assert_close(whole->patients[p].mpr_capped, fmin(whole->patients[p].mpr, 1), 0);
        assert_close(plain->patients[p].covered, bd_table_find(table, "covered_days_365")->numbers[i], 0);
        assert_close(carried->patients[p].covered, bd_table_find(table, "covered_days_365_carryover")->numbers[i], 0);
        assert_close(carried->patients[p].pdc, carried->patients[p].covered / 365, 0);
    }
}

static const char *file_of(const char *text)
{
    static char path[] = "/tmp/bordin_adherence_XXXXXX";
    strcpy(path + sizeof path - 7, "XXXXXX");
    const int descriptor = mkstemp(path);
    FILE *file = fdopen(descriptor, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return path;
}

static const bd_adherence *find_in(const char *text, const bd_adherence_options *options)
{
    const char *path = file_of(text);
    const bd_adherence *adherence = NULL;
    const bd_status status = try_find(path, options, &adherence);
    remove(path);
    must(status);
    return adherence;
}

/* The same days, three ways; 2036-02-29 exists. */
static void test_adherence__dates_are_days(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "patient_id,date,duration\n1,2036-02-28,1\n1,2036-03-01,30\n1,2036-12-31,30\n",
        "patient_id,date,duration\n1,2/28/2036,1\n1,03/01/2036,30\n1,12/31/2036,30\n",
        "patient_id,date,duration\n1,100,1\n1,102,30\n1,407,30\n"};
    static const double starts[] = {24164, 24164, 100}; /* as.numeric(as.Date("2036-02-28")) */
    const bd_adherence_options options = dispensings();
    for (size_t k = 0; k < 3; k++) {
        const bd_adherence *a = find_in(texts[k], &options);
        assert_close(a->patients[0].start, starts[k], 0);
        assert_close(a->patients[0].days, 307, 0);
        assert_close(a->patients[0].covered, 31, 0);
        assert_close(a->patients[0].longest_gap, 275, 0);
        assert_true(a->calendar == (k < 2) && a->slashes == (k == 1));
    }
}

static bd_adherence_options appointments(const char *offered, const char *date)
{
    bd_adherence_options options = BD_ADHERENCE_DEFAULTS;
    options.measures = BD_ADHERENCE_ATTENDANCE;
    options.patient = "id";
    options.kept = "kept";
    options.offered = offered;
    options.date = date;
    return options;
}

/* a: kept 1, missed 1, missed 2, kept 1, missed 2; b: kept 2 of 3, kept 1. */
static void test_adherence__attendance_counts_sessions(void **state)
{
    (void)state;
    static const char text[] = "id,day,kept,offered,arm\na,2,0,1,x\na,1,1,1,x\nb,1,2,3,y\na,3,0,2,x\na,5,1,1,x\n"
                               "b,8,1,1,y\na,7,0,2,x\nb,9,,1,y\n";
    static const char *const arm[] = {"arm"};
    bd_adherence_options options = appointments("offered", "day");
    options.keep = arm;
    options.n_keep = 1;
    const bd_adherence *all = find_in(text, &options);
    const bd_adherence_patient *a = &all->patients[0], *b = &all->patients[1];
    assert_int_equal(all->n_incomplete, 1);
    assert_true(a->offered == 7 && a->kept == 2 && a->missed == 5 && b->offered == 4 && b->kept == 3);
    assert_close(a->attendance, 2.0 / 7, 1e-15);
    assert_true(a->n_missed_runs == 2 && a->longest_missed_run == 3 && a->final_missed_run == 2 &&
                b->n_missed_runs == 0);
    char *written = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&written, &length);
    must(bd_adherence_write_patients(all, stream));
    fclose(stream);
    assert_string_equal(written,
                        "id,arm,start,offered,kept,missed,attendance,missed_runs,longest_missed_run,final_missed_run\n"
                                 "a,x,1,7,2,5,0.2857142857142857,2,3,2\nb,y,1,4,3,1,0.75,0,0,0\n");
    free(written);
    options.window = 4;
    assert_true(find_in(text, &options)->patients[0].offered == 4);
}

static void test_adherence__patients_without_days_are_counted_and_empty(void **state)
{
    (void)state;
    static const char text[] = "patient_id,date,duration\n1,10,5\n1,20,5\n2,10,5\n3,90,5\n3,95,5\n";
    bd_adherence_options options = dispensings();
    const bd_adherence *a = find_in(text, &options);
    assert_int_equal(a->n_without_days, 1);
    assert_true(isnan(a->patients[1].pdc) && a->patients[0].pdc == 0.5 && a->patients[2].pdc == 1);
    assert_string_equal(a->without, "'2'");
    options.start = "0";
    options.window = 50;
    a = find_in(text, &options);
    assert_int_equal(a->n_without_events, 1);
    assert_true(isnan(a->patients[2].mpr) && a->patients[0].mpr == 0.2 && a->patients[0].n_gaps == 3);
    assert_string_equal(a->without, "'3'");
}

static void assert_refused(const char *text, const bd_adherence_options *options, bd_status status, const char *message)
{
    const char *path = file_of(text);
    const bd_adherence *adherence;
    const bd_status got = try_find(path, options, &adherence);
    remove(path);
    assert_int_equal(got, status);
    assert_string_equal(bd_message(), message);
}

static void test_adherence__refuses_bad_dispensings(void **state)
{
    (void)state;
    static const char *const perday[] = {"perday"};
    bd_adherence_options options = dispensings();
    assert_refused("patient_id,date,duration\n1,2033-02-28,1\n1,2033-02-30,3\n", &options, BD_EDATA,
                   "'2033-02-30' in row 2 below the header is not a date; column 'date' takes 2033-04-26, 04/26/2033 "
                   "(month first), or numbers of days in all rows");
    assert_refused("patient_id,date,duration\n1,20330228,1\n1,20330301,3\n", &options, BD_EDATA,
                   "the dates in 'date' are written together, as 20330228; write them as 2033-04-26");
    assert_refused("patient_id,date,duration\n1,1,1\n1,2,-3\n", &options, BD_EDATA,
                   "the supply in row 2 below the header is -3 days; column 'duration' takes 0 or more");
    assert_refused("patient_id,date,duration\n1,1,1\n2,2,3\n", &options, BD_EDATA,
                   "no patient has events on two days; give the days of a window");
    assert_refused("patient_id,date,duration\n1,,1\n,2,3\n", &options, BD_EDATA,
                   "no row has all of the values that are needed");
    options.keep = perday;
    options.n_keep = 1;
    assert_refused("patient_id,date,duration,perday\n1,1,1,2\n1,2,3,4\n", &options, BD_EDATA,
                   "'perday' changes within patient '1' (rows 1 and 2 below the header); what is kept must be one "
                   "value per patient");
    options.n_keep = 0;
    options.start = "2033-01-01";
    assert_refused("patient_id,date,duration\n1,1,1\n1,2,3\n", &options, BD_EUSAGE,
                   "the dates in 'date' are numbers of days; the start of the window has to be one, not '2033-01-01'");
    assert_refused("patient_id,date,duration\n1,2031-01-01,1\n1,2031-01-02,3\n", &options, BD_EDATA,
                   "no patient has events from 2033-01-01 on");
    options.window = 30;
    assert_refused("patient_id,date,duration\n1,2034-01-01,1\n1,2031-01-02,3\n", &options, BD_EDATA,
                   "no patient has events in the 30 days from 2033-01-01");
    options.start = "January";
    assert_refused("patient_id,date,duration\n1,2034-01-01,1\n1,2031-01-02,3\n", &options, BD_EUSAGE,
                   "the start of the window is a date, such as 2033-04-26, not 'January'");
    options.window = -1;
    assert_refused("patient_id,date,duration\n1,1,1\n", &options, BD_EUSAGE,
                   "a window has a positive number of days, not -1");
    options = dispensings();
    options.threshold = 80;
    assert_refused("patient_id,date,duration\n1,1,1\n", &options, BD_EUSAGE,
                   "the share from which patients count as adherent is above 0 and at most 1, not 80");
    options.duration = "date";
    options.threshold = 0.8;
    assert_refused("patient_id,date,duration\n1,1,1\n", &options, BD_EUSAGE,
                   "column 'date' is asked for twice, for different things");
}

static void test_adherence__refuses_bad_appointments(void **state)
{
    (void)state;
    bd_adherence_options options = appointments("offered", NULL);
    assert_refused("id,kept,offered\n1,1,1\n1,3,2\n", &options, BD_EDATA,
                   "row 2 below the header has 3 sessions kept of 2 offered");
    assert_refused("id,kept,offered\n1,1,1\n1,0.5,2\n", &options, BD_EDATA,
                   "the sessions kept in row 2 below the header are 0.5; column 'kept' takes whole numbers, 0 or more");
    assert_refused("id,kept,offered\n1,1,1\n1,0,-2\n", &options, BD_EDATA,
                   "the sessions offered in row 2 below the header are -2; column 'offered' takes whole numbers, 0 or "
                   "more");
    assert_refused("id,kept,offered\n1,0,0\n1,0,0\n", &options, BD_EDATA, "no patient was offered a session");
    options.window = 30;
    assert_refused("id,kept,offered\n1,0,0\n", &options, BD_EUSAGE, "a window needs the dates of the appointments");
    options = appointments(NULL, NULL);
    assert_refused("id,kept\n1,2\n", &options, BD_EDATA,
                   "the sessions kept in row 1 below the header are 2; column 'kept' takes 1 (kept) or 0 (missed), or "
                   "name the column of how many were offered");
    options.gap = 3;
    assert_refused("id,kept\n1,1\n", &options, BD_EUSAGE,
                   "a gap is between supplies; appointments have runs of missed sessions");
    options.measures |= BD_ADHERENCE_PDC;
    assert_refused("id,kept\n1,1\n", &options, BD_EUSAGE,
                   "attendance is of appointments, the other measures are of supplies; ask for either");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_adherence__is_what_days_one_by_one_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_adherence__agrees_with_the_reference_of_the_data, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_adherence__dates_are_days, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_adherence__attendance_counts_sessions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_adherence__patients_without_days_are_counted_and_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_adherence__refuses_bad_dispensings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_adherence__refuses_bad_appointments, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
