/* describe and regress on NIST's univariate and analysis-of-variance sets: at least the digits that R 4.2.2 gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyses/certified.h"

/* mean and sd, or F, R squared and residual sd: the digits of R's mean, sd and lm (scripts/reference-nist.R), or those that
 * exact arithmetic on the data as doubles keeps where they are fewer (SiRstv's F: 13.06, in rational numbers). */
typedef struct floor_of {
    const char *name;
    double digits[3];
} floor_of;

static const floor_of univariate[] = {{"Lew", {15, 15}},     {"Lottery", {15, 15}},   {"Mavro", {15, 13.1}},
                                      {"Michelso", {15, 13.8}}, {"NumAcc1", {15, 15}}, {"NumAcc2", {15, 15}},
                                      {"NumAcc3", {15, 9.4}}, {"NumAcc4", {15, 8.2}}};

static const floor_of anova[] = {
    {"SiRstv", {13.0, 13.1, 13.1}}, {"AtmWtAg", {9.4, 9.5, 10.5}}, {"SmLs01", {14.8, 14.9, 14.9}},
    {"SmLs02", {14.7, 14.9, 14.9}}, {"SmLs03", {14.1, 14.4, 14.9}}, {"SmLs04", {9.2, 9.5, 10.5}},
    {"SmLs05", {9.2, 9.5, 10.5}},   {"SmLs06", {9.2, 9.5, 10.5}},  {"SmLs07", {3.2, 3.5, 4.5}},
    {"SmLs08", {3.2, 3.5, 3.9}},    {"SmLs09", {3.5, 3.8, 2.8}},
};

static void check(const char *path, const floor_of *floors, size_t n_floors, size_t n_digits,
                  bd_status (*digits_of)(const bd_table *, size_t, bd_arena *, double *))
{
    bd_arena *arena = bd_arena_new();
    const bd_table *certified = NULL;
    assert_int_equal(certified_table(path, arena, &certified), BD_OK);
    assert_int_equal(certified->n_rows, n_floors);
    for (size_t i = 0; i < certified->n_rows; i++) {
        double digits[3] = {0};
        const floor_of *floor = NULL;
        for (size_t k = 0; k < n_floors; k++)
            if (strcmp(floors[k].name, certified_name(certified, i)) == 0)
                floor = &floors[k];
        assert_non_null(floor);
        assert_int_equal(digits_of(certified, i, arena, digits), BD_OK);
        for (size_t k = 0; k < n_digits; k++)
            if (digits[k] < floor->digits[k])
                fail_msg("%s: %.2f digits of value %zu, R has %.2f", floor->name, digits[k], k, floor->digits[k]);
    }
    bd_arena_free(arena);
}

static void univariate_sets(void **unused)
{
    (void)unused;
    check(NIST "certified_univariate.csv", univariate, sizeof univariate / sizeof *univariate, 2, certified_univariate);
}

static void analysis_of_variance_sets(void **unused)
{
    (void)unused;
    check(NIST "certified_anova.csv", anova, sizeof anova / sizeof *anova, 3, certified_anova);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(univariate_sets),
        cmocka_unit_test(analysis_of_variance_sets),
    };
    return cmocka_run_group_tests_name("certified", tests, NULL, NULL);
}
