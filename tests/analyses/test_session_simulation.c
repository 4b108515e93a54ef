/* Simulated sessions: the same bytes for any number of threads, and the planted effects found again. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/analyses/session_simulation.h>
#include <bordin/analyses/therapist.h>

#include "fixture.h"

static char *written(const bd_session_simulation *simulation, int n_threads, size_t *size)
{
    char *text = NULL;
    FILE *stream = open_memstream(&text, size);
    assert_non_null(stream);
    must(bd_session_simulation_write(simulation, n_threads, stream, arena));
    fclose(stream);
    return text;
}

static void test_session_simulation__the_same_bytes_for_any_number_of_threads(void **state)
{
    bd_session_simulation simulation = BD_SESSION_SIMULATION_DEFAULTS;
    size_t size, other_size, few_size;
    (void)state;
    simulation.n_patients = 3001;
    simulation.missing = 0.1;
    char *one = written(&simulation, 1, &size), *three = written(&simulation, 3, &other_size);
    assert_int_equal(size, other_size);
    assert_memory_equal(one, three, size);
    simulation.n_patients = 700; /* fewer patients are the first of more */
    char *few = written(&simulation, 2, &few_size);
    assert_memory_equal(one, few, few_size);
    free(one);
    free(three);
    free(few);
}

static const bd_table *table_of(const bd_session_simulation *simulation)
{
    static const char *const path = "sessions_of_test_session_simulation.csv";
    const bd_wanted wanted[] = {{"patient", BD_USE_CATEGORIES}, {"therapist", BD_USE_CATEGORIES},
                                {"session", BD_USE_NUMBERS},    {"rupture", BD_USE_NUMBERS},
                                {"alliance", BD_USE_NUMBERS},   {"outcome", BD_USE_NUMBERS}};
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_table *table;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    must(bd_session_simulation_write(simulation, 2, file, arena));
    fclose(file);
    must(bd_csv_read(path, wanted, 6, &csv, arena, &table));
    remove(path);
    return table;
}

static void test_session_simulation__sessions_are_missed_end_and_break_as_planted(void **state)
{
    bd_session_simulation simulation = BD_SESSION_SIMULATION_DEFAULTS;
    double ruptures = 0, fall = 0, others = 0, n_others = 0;
    (void)state;
    simulation.n_patients = 4000;
    simulation.rupture = 0.1;
    must(bd_session_simulation_set(&simulation, "missed", 0.2));
    const bd_table *table = table_of(&simulation);
    const double *rupture = bd_table_find(table, "rupture")->numbers, *session = bd_table_find(table, "session")->numbers;
    const double *alliance = bd_table_find(table, "alliance")->numbers;
    const uint32_t *patients = bd_table_find(table, "patient")->codes;
    double first = 0, last = 0;
    for (size_t i = 0; i < table->n_rows; i++) {
        assert_true(i == 0 || patients[i] != patients[i - 1] || session[i] > session[i - 1]);
        ruptures += rupture[i];
        fall += rupture[i] * alliance[i];
        others += (1 - rupture[i]) * alliance[i];
        n_others += 1 - rupture[i];
        first += session[i] == 1;
        last += session[i] == 12;
    }
    assert_true(fabs(first / 4000 - 0.8) < 4 * sqrt(0.16 / 4000));
    assert_true(last < 0.9 * first && last > 0.5 * first); /* some have left */
    assert_true(fabs(ruptures / (double)table->n_rows - 0.1) < 4 * sqrt(0.09 / (double)table->n_rows));
    assert_true(fabs(others / n_others - fall / ruptures - 8) < 0.4);
}

static void assert_within(const bd_mixed_coefficient *found, double planted)
{
    if (!(fabs(found->estimate - planted) < 4 * found->se))
        fail_msg("%g (%g), not %g", found->estimate, found->se, planted);
}

/* Many sessions, so that means of patients and therapists are nearly what they were drawn with. */
static void test_session_simulation__planted_effects_are_found_again(void **state)
{
    bd_session_simulation simulation = BD_SESSION_SIMULATION_DEFAULTS;
    bd_therapist_options options = BD_THERAPIST_DEFAULTS;
    bd_frame_spec spec = {0};
    const bd_frame *frame;
    const bd_therapists *t = NULL;
    (void)state;
    simulation.n_patients = 2000;
    simulation.n_therapists = 100;
    simulation.n_sessions = 40;
    simulation.dropout_alliance = 0;
    simulation.ar_outcome = 0;
    simulation.slope_sd = 0.15;
    options.formula = "outcome ~ alliance + session";
    must(bd_therapist_spec(options.formula, "therapist", "patient", arena, &spec));
    must(bd_frame_build(table_of(&simulation), &spec, arena, &frame));
    must(bd_therapists_of(frame, &options, arena, &t));
    const bd_mixed_coefficient *c = t->slopes->coefficients;
    assert_within(&c[1], -0.2);
    assert_within(&c[2], -0.4);
    assert_within(&c[3], -0.6);
    assert_within(&c[4], -0.6);
    assert_true(fabs(sqrt(t->slopes->random->covariance[3]) / 0.15 - 1) < 4 / sqrt(2 * 100));
    assert_true(fabs(t->slopes->random[1].covariance[0] / (64 * 0.5) - 1) < 4 * sqrt(2.0 / 2000));
    assert_true(fabs(t->slopes->sigma / sqrt(64 * 0.45) - 1) < 0.01);
    assert_true(t->slope.p < 1e-6);
}

static void test_session_simulation__says_what_it_cannot_plant(void **state)
{
    bd_session_simulation simulation = BD_SESSION_SIMULATION_DEFAULTS;
    FILE *stream = fopen("/dev/null", "w");
    (void)state;
    assert_int_equal(bd_session_simulation_set(&simulation, "within", 7), BD_EUSAGE);
    assert_int_equal(bd_session_simulation_set(&simulation, "without", 0), BD_EUSAGE);
    assert_non_null(strstr(bd_message(), "between_therapist"));
    simulation.icc_outcome_patient = 0.99;
    assert_int_equal(bd_session_simulation_write(&simulation, 1, stream, arena), BD_EUSAGE);
    simulation = BD_SESSION_SIMULATION_DEFAULTS;
    simulation.n_sessions = 0;
    assert_int_equal(bd_session_simulation_write(&simulation, 1, stream, arena), BD_EUSAGE);
    simulation = BD_SESSION_SIMULATION_DEFAULTS;
    simulation.n_therapists = 301;
    assert_int_equal(bd_session_simulation_write(&simulation, 1, stream, arena), BD_EUSAGE);
    fclose(stream);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_session_simulation__the_same_bytes_for_any_number_of_threads),
        TEST(test_session_simulation__sessions_are_missed_end_and_break_as_planted),
        TEST(test_session_simulation__planted_effects_are_found_again),
        TEST(test_session_simulation__says_what_it_cannot_plant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
