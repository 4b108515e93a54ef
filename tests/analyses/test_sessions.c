/* Sessions of patients, held to lme4, lmerTest, nlme and clubSandwich (scripts/reference-sessions.R). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>

#include <bordin/analyses/sessions.h>

#include "fixture.h"

static const char *const PLANTED = "datasets/sessions/planted.csv", *const CHAT = "datasets/sessions/chat_patients.csv";

/* Within and between: estimate, SE, df; REML criterion; phi. */
static const double planted[][8] = {
    [BD_TREND_NONE] = {-0.15433486108, 0.052170815079, 442.83809959, -0.37583674695, 0.14256310112, 82.660553111,
                       3286.275759},
    [BD_TREND_LINEAR] = {-0.04093154436, 0.050800933379, 441.91759894, -0.33396300929, 0.14107204178, 82.1541364,
                         3228.6109295},
    [BD_TREND_SESSIONS] = {-0.037857527149, 0.051249295613, 435.11748093, -0.33453207103, 0.14073898736, 82.298913069,
                           3212.4038162},
    [BD_TREND_AR1] = {0.018173908292, 0.048415216736, 441.24321893, -0.34506368675, 0.14024683025, 82.249540672,
                      3183.5709652, 0.43727744073},
};
static const double chat[][8] = {
    [BD_TREND_NONE] = {0.14832078237, 0.090100439835, 71.83789877, 0.84686193811, 0.083337816035, 61.254635364,
                       877.93262742},
    [BD_TREND_LINEAR] = {0.14896252679, 0.091230317861, 69.856672003, 0.84727578728, 0.083795578898, 62.245058974,
                         877.16651082},
    [BD_TREND_SESSIONS] = {0.13210620568, 0.093952940971, 68.781947982, 0.84896793824, 0.083889891348, 62.279368208,
                           873.38132158},
    [BD_TREND_AR1] = {0.14749047522, 0.091393967515, 69.86170732, 0.84763655359, 0.083758366137, 62.204032224,
                      877.15312526, 0.035595215012},
};

static bd_status find(const char *path, bd_sessions_options options, const bd_sessions **sessions)
{
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_wanted *wanted;
    const bd_table *table;
    size_t n_wanted;
    BD_TRY(bd_sessions_wanted(&options, arena, &wanted, &n_wanted));
    BD_TRY(bd_csv_read(path, wanted, n_wanted, &csv, arena, &table));
    return bd_sessions_of(table, &options, arena, sessions);
}

static bd_sessions_options planted_options(void)
{
    return (bd_sessions_options){.formula = "outcome ~ alliance + rupture", .patient = "patient", .session = "session",
                                 .therapist = "therapist", .lag = 1, .fit = BD_MIXED_DEFAULTS};
}

static bd_sessions_options chat_options(void)
{
    return (bd_sessions_options){.formula = "sure_total ~ srs_total", .patient = "pairing_id", .session = "session",
                                 .lag = 1, .fit = BD_MIXED_DEFAULTS};
}

static void near(double found, double wanted, double tolerance)
{
    if (!(fabs(found - wanted) <= tolerance * fabs(wanted)))
        fail_msg("%.12g, not %.12g", found, wanted);
}

static void holds_to(const bd_sessions *s, const double wanted[][8])
{
    for (size_t t = BD_TREND_NONE; t <= BD_TREND_AR1; t++) {
        const bd_session_fit *fit = &s->fits[t];
        near(fit->within.estimate, wanted[t][0], 1e-7);
        near(fit->within.se, wanted[t][1], 1e-7);
        near(fit->within.df, wanted[t][2], 1e-7);
        near(fit->between.estimate, wanted[t][3], 1e-8);
        near(fit->between.se, wanted[t][4], 1e-7);
        near(fit->between.df, wanted[t][5], 1e-7);
        near(fit->deviance, wanted[t][6], 1e-10);
        near(fit->difference.estimate, wanted[t][3] - wanted[t][0], 1e-7);
    }
    near(s->fits[BD_TREND_AR1].phi, wanted[BD_TREND_AR1][7], 1e-6);
}

static void holds_to_least_squares(const bd_session_fit *fit, const double *wanted)
{
    assert_int_equal(fit->n_rows, (size_t)wanted[0]);
    near(fit->within.estimate, wanted[1], 1e-9);
    near(fit->within.se, wanted[2], 1e-9);
    near(fit->within.df, wanted[3], 1e-8);
    assert_true(isnan(fit->between.estimate));
}

static void test_sessions__with_gaps_and_therapists(void **state)
{
    const bd_sessions *s = NULL;
    (void)state;
    must(find(PLANTED, planted_options(), &s));
    holds_to(s, planted);
    holds_to_least_squares(&s->fits[BD_TREND_DIFFERENCE], (double[]){401, 0.05063092207, 0.054868481919, 44.96823382});
    assert_int_equal(s->n_used, 520);
    assert_int_equal(s->n_patients, 80);
    assert_int_equal(s->n_used + s->n_first + s->n_gaps, s->outcomes->n_rows);
    near(s->sessions_per_patient, 7.032967033, 1e-9);
    near(s->reliability, 0.89504129096, 1e-9);
    near(s->adjusted.estimate, -0.368325898, 1e-8);
    near(s->adjusted.se, 0.15766341153, 1e-8);
    near(s->adjusted.df, 82.274523122, 1e-7);
}

static void test_sessions__with_few_sessions_a_patient(void **state)
{
    const bd_sessions *s = NULL;
    (void)state;
    must(find(CHAT, chat_options(), &s));
    holds_to(s, chat);
    holds_to_least_squares(&s->fits[BD_TREND_DIFFERENCE], (double[]){57, 0.069634106074, 0.091650908614, 4.1333314419});
    near(s->sessions_per_patient, 1.3964313421, 1e-9);
    near(s->reliability, 0.80392086552, 1e-9);
    near(s->adjusted.estimate, 1.0175968544, 1e-8);
    near(s->adjusted.se, 0.10611659528, 1e-8);
}

/* Each way of sorting the file gives the same, as do sessions that are counted otherwise. */
static void test_sessions__order_comes_from_the_numbers(void **state)
{
    static const char *const rows[] = {"b,2,5,4.0", "a,1,3,1.0", "c,4,6,2.5", "a,3,1,4.5", "b,1,4,2.0", "a,2,2,2.5",
                                       "c,2,2,3.5", "c,1,7,5.0", "b,3,7,6.5", "d,1,5,4.0", "d,2,1,6.0", "d,3,4,2.0"};
    enum { N = sizeof rows / sizeof *rows };
    char path[] = "/tmp/bordin-sessions-XXXXXX";
    const bd_sessions *s[2] = {NULL, NULL};
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        FILE *file = k == 0 ? fdopen(mkstemp(path), "w") : fopen(path, "w");
        assert_non_null(file);
        fprintf(file, "id,visit,x,y\n");
        for (size_t i = 0; i < N; i++)
            fprintf(file, "%s\n", rows[k == 0 ? i : N - 1 - i]);
        fclose(file);
        must(find(path, (bd_sessions_options){.formula = "y ~ x", .patient = "id", .session = "visit", .lag = 1,
                                              .fit = BD_MIXED_DEFAULTS}, &s[k]));
    }
    remove(path);
    assert_int_equal(s[0]->n_used, 7);
    assert_int_equal(s[0]->n_first, 4);
    assert_int_equal(s[0]->n_gaps, 1);
    near(s[1]->fits[BD_TREND_NONE].within.estimate, s[0]->fits[BD_TREND_NONE].within.estimate, 1e-7);
    near(s[1]->fits[BD_TREND_DIFFERENCE].within.estimate, s[0]->fits[BD_TREND_DIFFERENCE].within.estimate, 1e-12);
}

static void test_sessions__what_cannot_be_is_refused_in_words(void **state)
{
    const bd_sessions *s = NULL;
    bd_sessions_options options = chat_options();
    (void)state;
    options.lag = 9;
    assert_int_equal(find(CHAT, options, &s), BD_EDATA);
    assert_string_equal(bd_message(), "no outcome has an alliance 9 sessions before; are the sessions numbered 1, 2, 3 ...?");
    options = chat_options();
    options.patient = "therapist_id";
    assert_int_equal(find(CHAT, options, &s), BD_EDATA);
    assert_string_equal(bd_message(), "patient 'therapist_char' has session 1 twice; a session may stand in one row");
    options = chat_options();
    options.formula = "~ srs_total";
    assert_int_equal(find(CHAT, options, &s), BD_EUSAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sessions__with_gaps_and_therapists, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sessions__with_few_sessions_a_patient, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sessions__order_comes_from_the_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sessions__what_cannot_be_is_refused_in_words, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
