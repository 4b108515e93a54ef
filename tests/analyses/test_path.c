/* Mediation paths: what is read, and what is said when it cannot be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/analyses/path.h>

#include "fixture.h"

static void test_path__stages_and_names_are_read(void **state)
{
    (void)state;
    const bd_path *path;
    assert_int_equal(bd_path_parse("alliance->goal setting , `task, bond`  \xe2\x86\x92 within(y, id)", arena, &path), BD_OK);
    assert_int_equal(path->n_nodes, 4);
    assert_string_equal(path->text, "alliance -> goal setting, task, bond -> within(y, id)");
    assert_string_equal(path->names[2], "task, bond");
    assert_string_equal(path->terms[1], "`goal setting`");
    assert_string_equal(path->terms[3], "within(y, id)");
    const size_t stages[] = {0, 1, 1, 2};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(path->stages[i], stages[i]);
}

static void test_path__makes_the_formula_of_all_its_equations(void **state)
{
    (void)state;
    const bd_path *path;
    const char *formula;
    assert_int_equal(bd_path_parse("x -> m1 -> m2 -> y", arena, &path), BD_OK);
    assert_int_equal(bd_path_formula(path, "age, log(dose), wai-sr", arena, &formula), BD_OK);
    assert_string_equal(formula, "`y` ~ `age` + log(dose) + `wai-sr` + `x` + `m1` + `m2`");
}

static void test_path__what_cannot_be_a_path_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *text, *message;
    } cases[] = {
        {"", "cannot read the path: a name is missing\n  \n  ^"},
        {"alliance", "a path needs a predictor, a mediator and an outcome"},
        {"x -> y", "a path needs a predictor, a mediator and an outcome"},
        {"x -> -> y", "cannot read the path: a name is missing\n  x -> -> y\n      ^"},
        {"x -> m, -> y", "a name is missing"},
        {"x -> m -> m", "'m' stands in the path twice\n  x -> m -> m\n            ^"},
        {"x -> y -> `y`", "'y' stands in the path twice"},
        {"x1, x2 -> m -> y", "one predictor; give 'x2' as --adjust x2"},
        {"x -> m -> y1, y2", "ends in one outcome; run 'y2'"},
        {"x -> a, b, c, d, e, f, g, h, i -> y", "at most 8 mediators"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const bd_path *path;
        assert_int_equal(bd_path_parse(cases[i].text, arena, &path), BD_EUSAGE);
        if (strstr(bd_message(), cases[i].message) == NULL)
            fail_msg("'%s' gives: %s", cases[i].text, bd_message());
    }
}

static void test_path__an_empty_covariate_is_refused(void **state)
{
    (void)state;
    const bd_path *path;
    const char *formula;
    assert_int_equal(bd_path_parse("x -> m -> y", arena, &path), BD_OK);
    assert_int_equal(bd_path_formula(path, "age,,sex", arena, &formula), BD_EUSAGE);
    assert_string_equal(bd_message(), "--adjust: 'age,,sex': a name is missing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_path__stages_and_names_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_path__makes_the_formula_of_all_its_equations, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_path__what_cannot_be_a_path_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_path__an_empty_covariate_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
