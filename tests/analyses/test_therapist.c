/* Therapist effects, held to lme4 and lmerTest, and to the results kept beside the data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include <bordin/analyses/therapist.h>

#include "fixture.h"

static const char *const STUDENTS = "datasets/student_multilevel/student.csv";

static bd_status find(const char *path, const char *formula, const char *therapist, const char *patient,
                      const bd_therapists **therapists)
{
    bd_therapist_options options = BD_THERAPIST_DEFAULTS;
    options.compare = patient != NULL;
    options.n_replicates = 200;
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    bd_frame_spec spec = {0};
    const bd_wanted *wanted;
    const bd_table *table;
    const bd_frame *frame;
    size_t n_wanted;
    options.formula = formula;
    BD_TRY(bd_therapist_spec(formula, therapist, patient, arena, &spec));
    BD_TRY(bd_frame_wanted(&spec, arena, &wanted, &n_wanted));
    BD_TRY(bd_csv_read(path, wanted, n_wanted, &csv, arena, &table));
    BD_TRY(bd_frame_build(table, &spec, arena, &frame));
    return bd_therapists_of(frame, &options, arena, therapists);
}

static void assert_near(double found, double wanted, double tolerance)
{
    if (!(fabs(found - wanted) <= tolerance * fabs(wanted)))
        fail_msg("%.12g, not %.12g", found, wanted);
}

/* A number of the data's reference_results.csv, behind the text that names it. */
static double reference(const char *name)
{
    char line[512];
    FILE *file = fopen("datasets/student_multilevel/reference_results.csv", "r");
    double value = NAN;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        const char *at = strstr(line, name);
        if (at != NULL)
            sscanf(at + strlen(name), ",%lf", &value);
    }
    fclose(file);
    return value;
}

static void test_therapist__pupils_in_schools(void **state)
{
    const bd_therapists *t = NULL;
    (void)state;
    must(find(STUDENTS, "score ~ attachment", "SCH_ID", NULL, &t));
    assert_near(t->empty->random->covariance[0], reference("\"null model score, REML\",variance school"), 2e-6);
    assert_near(t->empty->sigma * t->empty->sigma, reference("\"null model score, REML\",variance residual"), 1e-6);
    const bd_mixed_coefficient *c = t->effects->coefficients;
    assert_near(c[0].estimate, reference("intercept estimate"), 1e-8);
    assert_near(c[1].estimate, reference("attachment within school estimate"), 1e-8);
    assert_near(c[1].se, reference("attachment within school se"), 1e-7);
    assert_near(c[2].estimate, reference("between schools (school mean) estimate"), 1e-6);
    assert_near(c[2].se, reference("between schools (school mean) se"), 1e-6);
    assert_near(c[2].df, 571.156783559, 1e-5);
    assert_near(t->differences[0].estimate, -2.50634589, 1e-7);
    assert_near(t->differences[0].se, 2.44598911, 1e-6);
    assert_near(t->differences[0].p, 0.3059382, 1e-5);
    assert_near(t->between[0].statistic, 1218.83435282, 1e-8);
    assert_near(t->slope.statistic, 1.08584519813, 1e-5);
    assert_near(t->slope.p, (exp(-1.08584519813 / 2) + erfc(sqrt(1.08584519813 / 2))) / 2, 1e-5);
    /* after Newton steps on lme4's deviance, whose optimiser stops at 2.1565 */
    assert_near(t->slopes->random->covariance[3], 2.15874618, 1e-6);
    assert_near(t->alliance->random->covariance[0], 0.00100696229, 1e-4);
}

/* Sleepstudy as sessions (days) of patients (subjects) of six therapists, with an alliance of whole numbers. */
static void write_sessions(const char *path, bool change)
{
    const bd_wanted wanted[] = {{"Reaction", BD_USE_NUMBERS}, {"Days", BD_USE_NUMBERS}, {"Subject", BD_USE_CATEGORIES}};
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_table *table;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    must(bd_csv_read("datasets/mixed/sleepstudy.csv", wanted, 3, &csv, arena, &table));
    fprintf(file, "Reaction,Days,patient,therapist,a\n");
    for (size_t i = 0; i < table->n_rows; i++) {
        const uint32_t subject = bd_table_find(table, "Subject")->codes[i], therapist = (subject - 1) % 6;
        fprintf(file, "%.17g,%g,p%u,%u,%u\n", bd_table_find(table, "Reaction")->numbers[i],
                bd_table_find(table, "Days")->numbers[i], subject, change && i == 100 ? 5 - therapist : therapist,
                (unsigned)(i * 7 % 11) + 3 * (subject % 5) + 2 * therapist);
    }
    fclose(file);
}

/* CR2 by clubSandwich 0.5.8, Kenward and Roger's by pbkrtest 0.5.2; of six therapists the wild draws are all 2^6. */
static void assert_methods(const bd_therapists *t)
{
    assert_int_equal(t->n_methods, 18);
    const bd_method_row *cr2 = &t->methods[3], *wild = &t->methods[6], *kenward_roger = &t->methods[12];
    assert_near(cr2[0].se, 0.4459842501, 1e-7);
    assert_near(cr2[0].df, 4.982450646, 1e-7);
    assert_near(cr2[1].se, 2.5646738339, 1e-7);
    assert_near(cr2[1].df, 2.937495265, 1e-7);
    assert_near(wild[0].p * 64, nearbyint(wild[0].p * 64), 1e-12);
    assert_near(kenward_roger[1].se, 2.430571769721, 1e-6);
    assert_near(kenward_roger[1].df, 11, 1e-6);
    assert_near(kenward_roger[2].df, 4, 1e-6);
    assert_true(t->methods[15].estimate == t->effects->coefficients[1].estimate && t->methods[15].se > 0);
}

static void test_therapist__sessions_of_patients_of_therapists(void **state)
{
    const bd_therapists *t = NULL;
    const char *path = "sessions_of_test_therapist.csv";
    (void)state;
    write_sessions(path, false);
    must(find(path, "Reaction ~ a + Days", "therapist", "patient", &t));
    const bd_mixed_coefficient *c = t->effects->coefficients;
    assert_near(c[1].estimate, -0.611154545455, 1e-8);
    assert_near(c[1].se, 0.732135977, 1e-7);
    assert_near(c[2].estimate, -2.3074877007, 1e-6);
    assert_near(c[2].se, 2.4305718, 1e-6);
    assert_near(c[2].df, 11, 1e-6);
    assert_near(c[3].estimate, -0.5201581497, 1e-6);
    assert_near(c[3].se, 3.6080457, 1e-6);
    assert_near(t->differences[0].estimate, -1.69633315523, 1e-6);
    assert_near(t->differences[0].df, 13.0792897, 1e-5);
    assert_near(t->differences[1].estimate, 1.78732955099, 1e-6);
    assert_near(t->differences[1].p, 0.692150539, 1e-5);
    assert_near(t->empty->random[1].covariance[0], 1210.37018, 1e-5);
    assert_near(t->empty->random[0].covariance[0], 77.03003, 1e-4);
    assert_methods(t);
    write_sessions(path, true);
    assert_int_equal(find(path, "Reaction ~ a + Days", "therapist", "patient", &t), BD_EDATA);
    assert_non_null(strstr(bd_message(), "patient 'p11' is with the therapists"));
    remove(path);
}

static void test_therapist__says_what_is_wrong(void **state)
{
    static const struct {
        const char *formula, *words;
    } cases[] = {
        {"score", "outcome ~ alliance"},
        {"score ~ 1", "the first predictor is to be the alliance"},
        {"score ~ attachment * gender", "is to be the alliance alone"},
        {"score ~ factor(coed)", "is to be the alliance alone"},
        {"score ~ attachment + 0", "needs an intercept"},
        {"score ~ coed", "nothing within to compare"},
        {"score ~ atachment", "attachment"},
        {"~ attachment", "a formula reads outcome"},
    };
    const bd_therapists *t;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_not_equal(find(STUDENTS, cases[i].formula, "SCH_ID", NULL, &t), BD_OK);
        if (strstr(bd_message(), cases[i].words) == NULL)
            fail_msg("%s: no '%s' in '%s'", cases[i].formula, cases[i].words, bd_message());
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_therapist__pupils_in_schools),
        TEST(test_therapist__sessions_of_patients_of_therapists),
        TEST(test_therapist__says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
