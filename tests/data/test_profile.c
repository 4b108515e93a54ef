/* Profiles: rows of the data given by hand are those of the frame; what is not named; what is said of a wrong one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/data/profile.h>

#include "fixture.h"

enum { N = 8 };

/* Row 5 lacks m and is not used: g is never 'tau' in the used rows. */
static const double y[N] = {3, 5, 4, 8, 6, 7, 9, 2}, x[N] = {1.5, 2, 3.5, 4, 5, 6.5, 7, 8},
                    z[N] = {2, 1, 4, 3, 60, 5, 8, 7}, s[N] = {1, 1, 2, 10, 10, 2, 1, 2},
                    m[N] = {1, 2, 1, 4, NAN, 6, 7, 3}, w[N] = {1, 1, 1, 3, 1, 1, 1, 1};
static const uint32_t g[N] = {1, 2, 1, 2, 3, 2, 1, 1}, id[N] = {1, 1, 1, 1, 2, 2, 2, 2};
static const char *const treatments[] = {"cbt", "ipt", "tau"}, *const patients[] = {"p1", "p2"};
static const bd_column columns[] = {
    {.name = "y", .kind = BD_NUMBERS, .numbers = y},
    {.name = "x", .kind = BD_NUMBERS, .numbers = x},
    {.name = "baseline z", .kind = BD_NUMBERS, .numbers = z},
    {.name = "s", .kind = BD_NUMBERS, .numbers = s},
    {.name = "m", .kind = BD_NUMBERS, .numbers = m, .n_missing = 1},
    {.name = "w", .kind = BD_NUMBERS, .numbers = w},
    {.name = "g", .kind = BD_CATEGORIES, .codes = g, .levels = treatments, .n_levels = 3},
    {.name = "id", .kind = BD_CATEGORIES, .codes = id, .levels = patients, .n_levels = 2}};
enum { N_COLUMNS = sizeof columns / sizeof *columns };
static const char *const header[N_COLUMNS] = {"y", "x", "baseline z", "s", "m", "w", "g", "id"};
static const bd_table table = {.source = "trial.csv", .n_rows = N, .n_columns = N_COLUMNS, .columns = columns,
                               .header = header, .n_header = N_COLUMNS};

static bd_status ask(bd_frame_spec spec, bd_profile_request request, const bd_frame **frame,
                     const bd_profiles **profiles)
{
    must(bd_frame_build(&table, &spec, arena, frame));
    return bd_profiles_build(&table, &spec, *frame, &request, arena, profiles);
}

static const bd_profiles *of(const char *formula, const char *const *texts, size_t n, const bd_frame **frame)
{
    const bd_profiles *profiles = NULL;
    must(ask((bd_frame_spec){.formula = formula}, (bd_profile_request){.texts = texts, .n = n}, frame, &profiles));
    assert_int_equal(profiles->n, n);
    return profiles;
}

/* Whatever the expression: the same bits, in the same columns. */
static void test_profile__a_row_of_the_data_is_a_row_of_the_frame(void **state)
{
    (void)state;
    static const char *const formula =
        "y ~ x * g + center(`baseline z`) + log(x) + factor(s, ref = 2) + scale(x) + m + "
        "I(g == 'ipt') + between(x, id) + g:factor(s, ref = 2)";
    char room[N][200];
    const char *texts[N];
    const size_t used[] = {0, 1, 2, 3, 5, 6, 7};
    const bd_frame *frame = NULL;
    for (size_t i = 0; i < 7; i++) {
        const size_t k = used[i];
        snprintf(room[i], sizeof room[i], "x=%g,g=%s,`baseline z`=%g , s=%g,m=%g, between(x,id)=%.17g", x[k],
                 treatments[g[k] - 1], z[k], s[k], m[k], k < 4 ? 2.75 : 6.625);
        texts[i] = room[i];
    }
    const bd_profiles *profiles = of(formula, texts, 7, &frame);
    assert_int_equal(profiles->frame->n_columns, frame->n_columns);
    assert_int_equal(frame->n_rows, 7);
    for (size_t j = 0; j < frame->n_columns; j++) {
        assert_string_equal(profiles->frame->columns[j].name, frame->columns[j].name);
        assert_true((profiles->frame->columns[j].values == NULL) == (frame->columns[j].values == NULL));
        for (size_t i = 0; i < 7 && frame->columns[j].values != NULL; i++)
            assert_true(profiles->frame->columns[j].values[i] == frame->columns[j].values[i]);
    }
    assert_int_equal(profiles->n_notes, 0);
    assert_string_equal(profiles->profiles[1].name, "x=2, g=ipt, baseline z=1, s=1, m=2, between(x, id)=2.75");
}

static double value(const bd_profiles *profiles, const char *name, size_t i)
{
    for (size_t j = 0; j < profiles->frame->n_columns; j++)
        if (strcmp(profiles->frame->columns[j].name, name) == 0)
            return profiles->frame->columns[j].values[i];
    fail_msg("no column %s", name);
    return NAN;
}

static void test_profile__what_it_does_not_name_is_at_its_mean_or_reference(void **state)
{
    (void)state;
    const char *const texts[] = {"x=10", "g=ipt"};
    const bd_frame *frame = NULL;
    const bd_profiles *profiles = of("y ~ x + g + m + factor(s, ref = 10)", texts, 2, &frame);
    assert_true(value(profiles, "x", 0) == 10);
    assert_true(fabs(value(profiles, "x", 1) - 32.5 / 7) < 1e-14);
    assert_true(fabs(value(profiles, "m", 0) - 24.0 / 7) < 1e-14);
    assert_true(value(profiles, "g[ipt]", 0) == 0 && value(profiles, "g[ipt]", 1) == 1);
    assert_true(value(profiles, "factor(s, ref = 10)[2]", 0) == 0);
    assert_int_equal(profiles->n_notes, 2);
    assert_string_equal(profiles->notes[0], "x=10 is outside the data, where x goes from 1.5 to 8.");
    assert_string_equal(profiles->notes[1], "Where a profile does not say: x is 4.64286, its mean; g is cbt, the "
                                            "reference; m is 3.42857, its mean; s is 10, the reference.");
}

static void test_profile__means_are_by_weight_and_offsets_and_second_equations_have_theirs(void **state)
{
    (void)state;
    const char *const texts[] = {"g=ipt", "g=cbt,z=1,x=2"};
    const char *const others[] = {"z"};
    const bd_frame *frame = NULL;
    const bd_profiles *profiles = NULL;
    must(ask(
        (bd_frame_spec){
            .formula = "y ~ g", .weights = "w", .offset = "log(x)", .extra = "m + g", .extra_option = "--e"},
        (bd_profile_request){.texts = texts, .n = 2, .others = others, .n_others = 1}, &frame, &profiles));
    assert_true(fabs(profiles->frame->offset[0] - log(40.5 / 9)) < 1e-14);
    assert_true(profiles->frame->offset[1] == log(2));
    assert_int_equal(profiles->frame->extra->n_columns, 3);
    assert_true(fabs(profiles->frame->extra->columns[1].values[0] - 32.0 / 9) < 1e-14);
    assert_true(profiles->frame->extra->columns[2].values[0] == 1);
    assert_null(profiles->profiles[0].others[0]);
    assert_string_equal(profiles->profiles[1].others[0], "1");
}

/* Terms before the first are left out, and ask for nothing. */
static void test_profile__leaves_out_terms_that_are_no_predictors(void **state)
{
    (void)state;
    const char *const texts[] = {"x=2"};
    const bd_frame *frame = NULL;
    const bd_profiles *profiles = NULL;
    must(ask((bd_frame_spec){.formula = "~ I(y) + g + x + x:m"},
             (bd_profile_request){.texts = texts, .n = 1, .first_term = 2}, &frame, &profiles));
    assert_int_equal(profiles->frame->n_columns, 3);
    assert_string_equal(profiles->frame->columns[2].name, "x:m");
    assert_true(fabs(profiles->frame->columns[2].values[0] - 2 * 24.0 / 7) < 1e-14);
}

static void test_profile__says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *formula, *text, *message;
    } wrong[] = {
        {"y ~ x", "x", "--profile 'x': a profile gives columns their values, as in 'age=60,sex=female'"},
        {"y ~ x", "", "--profile '': a profile gives columns their values, as in 'age=60,sex=female'"},
        {"y ~ x", "x=", "--profile 'x=': a profile gives columns their values, as in 'age=60,sex=female'"},
        {"y ~ x", "=2", "--profile '=2': a profile gives columns their values, as in 'age=60,sex=female'"},
        {"y ~ x", "x=2,", "--profile 'x=2,': a profile gives columns their values, as in 'age=60,sex=female'"},
        {"y ~ x", "x=2,x=3", "--profile 'x=2,x=3': 'x' is given twice"},
        {"y ~ x + m", "xx=2", "--profile 'xx=2': 'xx' is no predictor of the formula; nearest: 'x'"},
        {"y ~ 1", "x=2", "--profile 'x=2': 'x' is no predictor; the formula has none"},
        {"y ~ x", "x=two", "--profile 'x=two': x takes a number, not 'two'"},
        {"y ~ x", "x=1e999", "--profile 'x=1e999': x takes a number, not '1e999'"},
        {"y ~ log(x)", "x=-1", "--profile: log(x) is not a finite number in profile 1"},
        {"y ~ g + m", "g=act", "--profile 'g=act': no used row has g 'act'; there are 'cbt', 'ipt'"},
        {"y ~ g + m", "g=tau", "--profile: no used row has g 'tau'; there are 'cbt', 'ipt'"},
        {"y ~ factor(s)", "s=3", "--profile: no used row has factor(s) '3'; there are '1', '2', '10'"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const bd_frame *frame = NULL;
        const bd_profiles *profiles = NULL;
        assert_int_not_equal(ask((bd_frame_spec){.formula = wrong[i].formula},
                                 (bd_profile_request){.texts = &wrong[i].text, .n = 1}, &frame, &profiles), BD_OK);
        assert_string_equal(bd_message(), wrong[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_profile__a_row_of_the_data_is_a_row_of_the_frame, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_profile__what_it_does_not_name_is_at_its_mean_or_reference, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_profile__means_are_by_weight_and_offsets_and_second_equations_have_theirs,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_profile__leaves_out_terms_that_are_no_predictors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_profile__says_what_is_wrong, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
