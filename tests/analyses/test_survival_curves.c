/* Survival curves of a formula against survival 3.5 in R 4.2.2:
 *   f <- survfit(Surv(time, status == 2) ~ sex, lung, conf.type = "log-log"); summary(f, rmean = 965)$table;
 *   summary(f, times = c(180, 365)); survdiff(Surv(time, status == 2) ~ sex, lung, rho = 0 and 1) */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/analyses/survival_curves.h>
#include <bordin/data/csv.h>

#include "fixture.h"

static void assert_close(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-12 * fmax(1, fabs(expected))))
        fail_msg("%.15g is not %.15g", value, expected);
}

static const bd_survival_data *lung(const char *formula)
{
    const bd_survival_spec spec = {.formula = formula};
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_wanted *wanted;
    const bd_table *table;
    const bd_survival_data *data;
    size_t n;
    must(bd_survival_wanted(&spec, arena, &wanted, &n));
    must(bd_csv_read("datasets/survival/lung.csv", wanted, n, &csv, arena, &table));
    must(bd_survival_build(table, &spec, arena, &data));
    return data;
}

static void test_survival_curves__of_lung_are_those_of_r(void **state)
{
    (void)state;
    const double times[] = {180, 365};
    const double expected[2][2][5] = {
        {{89, 0.644465001541783, 0.040786425085295, 0.558412473005288, 0.718013598160678},
         {35, 0.336087834639379, 0.0434235888417982, 0.252729143327973, 0.421302168222719}},
        {{71, 0.842401705587783, 0.0386809589313601, 0.748380916153333, 0.903504304284832},
         {30, 0.526463030185906, 0.0597368539904425, 0.403579823266731, 0.635316232824086}}};
    const double summaries[2][5] = {{270, 210, 306, 324.048419062146, 22.2979392341438},
                                    {426, 345, 524, 455.904087511673, 32.917415688735}};
    bd_follow_options options = BD_FOLLOW_DEFAULTS;
    const bd_followed *f;
    options.times = times;
    options.n_times = 2;
    must(bd_survival_follow(lung("Surv(time, status == 2) ~ strata(sex)"), &options, arena, &f));
    assert_int_equal(f->n_groups, 2);
    assert_string_equal(f->groups[1], "2");
    assert_close(f->options.horizon, 965);
    for (size_t g = 0; g < 2; g++) {
        const bd_survival_curve *c = &f->curves->curves[g];
        const bd_survival_estimate median = bd_survival_quantile(c, 0.5);
        const bd_survival_mean mean = bd_survival_restricted_mean(c, f->options.horizon);
        const double found[5] = {median.value, median.low, median.high, mean.mean, mean.se};
        for (size_t i = 0; i < 5; i++)
            assert_close(found[i], summaries[g][i]);
        for (size_t t = 0; t < 2; t++) {
            const bd_survival_point p = bd_survival_at(c, f->options.times[t]);
            const double values[5] = {p.at_risk, p.survival, p.se, p.low, p.high};
            for (size_t i = 0; i < 5; i++)
                assert_close(values[i], expected[g][t][i]);
        }
    }
    assert_close(f->test->groups[0].expected, 91.5817390295728);
    assert_close(f->test->statistic, 10.3267419548856);
    options.test.rho = 1;
    must(bd_survival_follow(f->data, &options, arena, &f));
    assert_close(f->test->statistic, 12.7141514011575);
}

static void test_survival_curves__one_group_has_no_test(void **state)
{
    (void)state;
    const bd_followed *f;
    must(bd_survival_follow(lung("Surv(time, status == 2) ~ 1"), &BD_FOLLOW_DEFAULTS, arena, &f));
    assert_null(f->test);
    assert_string_equal(f->groups[0], "all");
    assert_close(bd_survival_quantile(&f->curves->curves[0], 0.5).value, 310);
    assert_int_equal(f->options.n_times, 4);
}

/* survdiff(Surv(time, status == 2) ~ sex + I(ph.ecog < 1), lung) */
static void test_survival_curves__of_several_strata_are_of_their_combinations(void **state)
{
    (void)state;
    static const double expected[] = {57.906643145823, 33.0512597060848, 51.940659835254, 21.1014373128381},
                        medians[] = {218, 353, 363, 705};
    const bd_followed *f;
    must(bd_survival_follow(lung("Surv(time, status == 2) ~ strata(sex) + strata(ph.ecog < 1)"), &BD_FOLLOW_DEFAULTS,
                            arena, &f));
    assert_int_equal(f->n_groups, 4);
    assert_string_equal(f->groups[2], "2, 0");
    for (size_t g = 0; g < 4; g++) {
        assert_close(f->test->groups[g].expected, expected[g]);
        assert_close(bd_survival_quantile(&f->curves->curves[g], 0.5).value, medians[g]);
    }
    assert_close(f->test->statistic, 20.0331933021312);
}

static void test_survival_curves__refuse_what_they_cannot_draw(void **state)
{
    (void)state;
    const bd_followed *f;
    bd_follow_options options = BD_FOLLOW_DEFAULTS;
    assert_int_equal(bd_survival_follow(lung("Surv(time, status == 2) ~ age"), &options, arena, &f), BD_EUSAGE);
    assert_non_null(strstr(bd_message(), "curves are for formulas without predictors"));
    options.horizon = -1;
    assert_int_equal(bd_survival_follow(lung("Surv(time, status == 2) ~ 1"), &options, arena, &f), BD_EUSAGE);
    assert_string_equal(bd_message(), "the horizon must be a time above 0, not -1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_survival_curves__of_lung_are_those_of_r, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_survival_curves__one_group_has_no_test, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_survival_curves__of_several_strata_are_of_their_combinations, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_survival_curves__refuse_what_they_cannot_draw, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
