/* Survival of profiles against survfit of coxph, survival 3.5-3 in R 4.2.2: scripts/reference-survival-profiles.R. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/analyses/survival.h>
#include <bordin/data/csv.h>

#include "fixture.h"

static void assert_close(double value, double expected)
{
    if (isnan(expected) ? !isnan(value) : !(fabs(value - expected) <= 1e-10 * fmax(1e-2, fabs(expected))))
        fail_msg("%.15g is not %.15g", value, expected);
}

static const bd_survival_data *data_of(const char *name, bd_survival_spec spec)
{
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_wanted *wanted;
    const bd_table *table;
    const bd_survival_data *data;
    const char *path;
    size_t n;
    must(bd_print(arena, &path, "datasets/survival/%s.csv", name));
    must(bd_survival_wanted(&spec, arena, &wanted, &n));
    must(bd_csv_read(path, wanted, n, &csv, arena, &table));
    must(bd_survival_build(table, &spec, arena, &data));
    return data;
}

/* At 180 and 365 days: survival, low, high, cumulative hazard, its error; the median and its limits. */
typedef struct curve {
    double points[2][5], median[3];
} curve;

static void check(const bd_survival_prediction *item, const curve *expected)
{
    for (size_t t = 0; t < 2; t++) {
        const bd_survival_predicted_point *p = &item->points[t];
        const double found[] = {p->survival, p->low, p->high, p->hazard, p->hazard_se};
        for (size_t i = 0; i < 5; i++)
            assert_close(found[i], expected->points[t][i]);
    }
    assert_close(item->median.value, expected->median[0]);
    assert_close(item->median.low, expected->median[1]);
    assert_close(item->median.high, expected->median[2]);
}

static const bd_survival_predictions *predict(const bd_survival_data *data, bd_cox_ties ties, const char *profile,
                                              bool baseline, const double *times)
{
    bd_survival_options options = BD_SURVIVAL_DEFAULTS;
    const bd_survival *survival;
    options.ties = ties;
    options.prediction = (bd_survival_prediction_options){
        .profiles = &profile, .n_profiles = profile != NULL, .baseline = baseline, .times = times, .n_times = 2};
    must(bd_survive(data, &options, arena, &survival));
    assert_non_null(survival->predictions);
    return survival->predictions;
}

static const double days[] = {180, 365};

static void test_survival_prediction__of_strata_is_that_of_survfit(void **state)
{
    (void)state;
    static const curve expected[2][2] = {
        {{{{0.658108115310209, 0.582555863081994, 0.743458814654821, 0.418386052171982, 0.0622175430996819},
           {0.336816619801058, 0.258897574570191, 0.438186551428869, 1.08821665162878, 0.134240277334695}},
          {283, 222, 320}},
         {{{0.847047556491981, 0.775990747817844, 0.924610976325015, 0.165998438926359, 0.0447029861517319},
           {0.536248923954696, 0.431085708465128, 0.667066670956064, 0.623156815353213, 0.111375278050572}},
          {433, 348, 641}}},
        {{{{0.658860652277966, 0.583414886606566, 0.744062877183467, 0.417243220134984, 0.0620488364672068},
           {0.3373962694555, 0.259442051688424, 0.438773290226672, 1.08649716567265, 0.134045699447431}},
          {283, 222, 320}},
         {{{0.847203526758839, 0.776214440525351, 0.92468495595989, 0.165814321862672, 0.0446498685274098},
           {0.536484080804033, 0.431320683816982, 0.667288121703604, 0.622718389664695, 0.111320938354285}},
          {433, 348, 641}}}};
    const bd_survival_data *data =
        data_of("lung", (bd_survival_spec){.formula = "Surv(time, status == 2) ~ log(age) + strata(sex) + ph.ecog"});
    for (int ties = 0; ties < 2; ties++) {
        const bd_survival_predictions *all = predict(data, (bd_cox_ties)ties, "age=60,ph.ecog=1", false, days);
        assert_int_equal(all->n, 2);
        assert_string_equal(all->items[1].profile, "age=60, ph.ecog=1");
        assert_string_equal(all->items[1].stratum, "2");
        check(&all->items[0], &expected[ties][0]);
        check(&all->items[1], &expected[ties][1]);
        all = predict(data, (bd_cox_ties)ties, "age=60,ph.ecog=1,sex=2", false, days);
        assert_int_equal(all->n, 1);
        check(&all->items[0], &expected[ties][1]);
    }
}

static void test_survival_prediction__of_means_and_of_the_baseline_is_that_of_survfit(void **state)
{
    (void)state;
    static const curve expected[2][2] = {
        {{{{0.903805143724742, 0.804224826356204, 1, 0.101141490801036, 0.0595597287715708},
           {0.750994031186068, 0.540842637224528, 1, 0.286357575071068, 0.167487435410939}},
          {728, 428, NAN}},
         {{{0.73195471123288, 0.676214245191752, 0.792289874260318, 0.312036636835283, 0.0404133372774149},
           {0.413351905311063, 0.347668198024176, 0.491445000133157, 0.883455977856401, 0.088292811243537}},
          {320, 285, 363}}},
        {{{{0.903824388879566, 0.804264890220852, 1, 0.101120197549871, 0.0595451763332731},
           {0.751006786042487, 0.540863060842265, 1, 0.286340591250189, 0.16747683416806}},
          {728, 428, NAN}},
         {{{0.732343791692912, 0.67666515367557, 0.792603884384885, 0.311505214494263, 0.0403443724955184},
           {0.413919080970015, 0.348245598530544, 0.491977519067006, 0.88208478085512, 0.0881457647848763}},
          {320, 285, 363}}}};
    const bd_survival_data *data =
        data_of("lung", (bd_survival_spec){.formula = "Surv(time, status == 2) ~ age + ph.ecog"});
    for (int ties = 0; ties < 2; ties++) {
        const bd_survival_predictions *all = predict(data, (bd_cox_ties)ties, "means", true, days);
        assert_int_equal(all->n, 2);
        assert_string_equal(all->items[0].profile, "baseline");
        check(&all->items[0], &expected[ties][0]);
        check(&all->items[1], &expected[ties][1]);
    }
}

static void test_survival_prediction__of_intervals_and_of_clusters_is_that_of_survfit(void **state)
{
    (void)state;
    static const curve
        heart = {{{0.848555371045126, 0.746685534305241, 0.964323245393395, 0.164219938870597, 0.0652518189618834},
                  {0.419903920982776, 0.291558343282618, 0.604747924108611, 0.867729353439003, 0.186118619614753}},
                 {77, 45, 219}},
        lung = {{{0.731478588946351, 0.674767957560273, 0.792955445041493, 0.31268732901684, 0.0411737590118797},
                 {0.417243606532716, 0.349939611905484, 0.497492199423966, 0.874085039427053, 0.0897514641893286}},
                {310, 285, 364}};
    const bd_survival_data *data = data_of(
        "heart", (bd_survival_spec){.formula = "Surv(start, stop, event) ~ age + factor(transplant)", .id = "id"});
    check(&predict(data, BD_COX_EFRON, "age=5,transplant=1", false, (double[]){10, 100})->items[0], &heart);
    data =
        data_of("lung", (bd_survival_spec){.formula = "Surv(time, status == 2) ~ age + ph.ecog", .cluster = "inst"});
    check(&predict(data, BD_COX_EFRON, "age=60,ph.ecog=1", false, days)->items[0], &lung);
}

static void test_survival_prediction__chooses_strata_by_each_of_several_names(void **state)
{
    (void)state;
    const bd_survival_data *data =
        data_of("lung", (bd_survival_spec){.formula = "Surv(time, status == 2) ~ age + strata(sex, ph.ecog < 1)"});
    const bd_survival_predictions *all = predict(data, BD_COX_EFRON, "age=60,sex=2", false, days);
    assert_int_equal(data->design.n_strata, 4);
    assert_int_equal(all->n, 2);
    assert_string_equal(all->items[0].stratum, "2, 0");
    assert_string_equal(all->items[1].stratum, "2, 1");
}

static void test_survival_prediction__knows_nothing_behind_the_last_time(void **state)
{
    (void)state;
    const bd_survival_data *data =
        data_of("lung", (bd_survival_spec){.formula = "Surv(time, status == 2) ~ age + strata(sex)"});
    const bd_survival_predictions *all = predict(data, BD_COX_EFRON, "means", false, (double[]){0, 966});
    assert_true(all->items[0].points[0].survival == 1 && all->items[0].points[0].hazard == 0);
    assert_true(all->items[0].points[1].survival > 0); /* men: until 1022 */
    assert_true(isnan(all->items[1].points[1].survival));
}

static void test_survival_prediction__says_what_is_wrong(void **state)
{
    (void)state;
    const bd_survival_data *data =
        data_of("lung", (bd_survival_spec){.formula = "Surv(time, status == 2) ~ age + strata(sex)"});
    bd_survival_options options = BD_SURVIVAL_DEFAULTS;
    const bd_survival *survival;
    const char *profile = "age=60,sex=3";
    options.prediction = (bd_survival_prediction_options){.profiles = &profile, .n_profiles = 1};
    assert_int_equal(bd_survive(data, &options, arena, &survival), BD_EDATA);
    assert_string_equal(bd_message(),
                        "--profile 'age=60, sex=3': no used row is of this stratum; those of sex are '1', '2'");
    profile = "time=3";
    assert_int_equal(bd_survive(data, &options, arena, &survival), BD_EUSAGE);
    assert_non_null(strstr(bd_message(), "'time' is no predictor of the formula"));
    profile = "age=60";
    options.ties = BD_COX_EXACT;
    assert_int_equal(bd_survive(data, &options, arena, &survival), BD_EUSAGE);
    assert_non_null(strstr(bd_message(), "efron or breslow, not exact"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_survival_prediction__of_strata_is_that_of_survfit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_survival_prediction__of_means_and_of_the_baseline_is_that_of_survfit,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_survival_prediction__of_intervals_and_of_clusters_is_that_of_survfit,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_survival_prediction__chooses_strata_by_each_of_several_names, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_survival_prediction__knows_nothing_behind_the_last_time, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_survival_prediction__says_what_is_wrong, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
