/* Discrete-time hazards against glm of survSplit's rows in R 4.2.2, survival 3.5-3, and sandwich 3.0-2:
 * scripts/reference-discrete-time.R. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/analyses/discrete_time.h>
#include <bordin/data/csv.h>

#include "fixture.h"

static void assert_close(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance * fmax(1e-2, fabs(expected))))
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

static const bd_discrete_time *regress(const bd_survival_data *data, bd_discrete_time_options options)
{
    const bd_discrete_time *regression;
    must(bd_discrete_time_regress(data, &options, arena, &regression));
    assert_int_equal(regression->fit->end, BD_GLM_CONVERGED);
    return regression;
}

static const double days[] = {180, 360, 540, 720};

static bd_discrete_time_options cut(void)
{
    bd_discrete_time_options options = BD_DISCRETE_TIME_DEFAULTS;
    options.ends = days;
    options.n_ends = 4;
    return options;
}

static void test_discrete_time__cut_times_are_glm_of_survsplit(void **state)
{
    (void)state;
    static const struct {
        double estimates[6], errors[6], by_patient[6], fit[4], hazard[4], hazard_low[4], survival[4], survival_low[4];
    } expected[] = {{{-2.41695721478453, -2.00477048246281, -1.86465691520564, -1.4385625225444, 0.0132461831198137,
                      0.592653690787018},
                     {0.726480646504331, 0.720432619792312, 0.748019329312338, 0.782311759477866, 0.0114352246775401,
                      0.149389837472493},
                     {0.752505113418549, 0.753634262001291, 0.768121184305545, 0.794141331529539, 0.0118464838289714,
                      0.152846345531491},
                     {-293.707874349909, 587.415748699818, 20.3887107124136, 599.415748699818},
                     {0.26317474169311, 0.350385347181808, 0.38290590475294, 0.487218324160962},
                     {0.208114864807855, 0.277175631936904, 0.273393028336305, 0.319068284491294},
                     {0.73682525830689, 0.478652484362705, 0.295373621775561, 0.151462180772719},
                     {0.679672065701737, 0.413511579996017, 0.231165631314536, 0.0987064098862577}},
                    {{-2.19765428378478, -1.87296669020359, -1.76048623649162, -1.44947525289242, 0.00898330679073628,
                      0.479704002308479},
                     {0.593184220443068, 0.589341126016005, 0.609447924773763, 0.63034403170152, 0.00934888008596174,
                      0.119785314929241},
                     {0.623957671306902, 0.623584018863611, 0.631029384029701, 0.639990839627907, 0.00975080545096646,
                      0.123165561664713},
                     {-294.016846468494, 588.033692936987, 19.7707664752445, 600.033692936987},
                     {0.264791373353779, 0.346619873219607, 0.378900252284692, 0.477957641297578},
                     {0.211375455607598, 0.276223720442235, 0.274554525932299, 0.319248175601726},
                     {0.735208626646221, 0.480370705688147, 0.298358124112732, 0.155755578849841},
                     {0.678953245200177, 0.415817142449563, 0.234333570676996, 0.101996996134307}}};
    static const char *const profile = "age=60,ph.ecog=1";
    const bd_link *const links[] = {&bd_logit, &bd_cloglog};
    const bd_survival_data *data =
        data_of("lung", (bd_survival_spec){.formula = "Surv(time, status == 2) ~ age + ph.ecog"});
    for (size_t l = 0; l < 2; l++) {
        bd_discrete_time_options options = cut();
        options.link = links[l];
        options.prediction.profiles = &profile;
        options.prediction.n_profiles = 1;
        const bd_discrete_time *d = regress(data, options);
        options.robust = true;
        const bd_discrete_time *robust = regress(data, options);
        for (size_t j = 0; j < 6; j++) {
            assert_close(d->fit->coefficients[j].estimate, expected[l].estimates[j], 1e-9);
            assert_close(d->fit->coefficients[j].se, expected[l].errors[j], 1e-9);
            assert_close(robust->fit->coefficients[j].se, expected[l].by_patient[j], 1e-9);
        }
        const double found[] = {d->fit->log_likelihood, d->fit->deviance, d->likelihood_ratio, d->fit->aic};
        for (size_t i = 0; i < 4; i++)
            assert_close(found[i], expected[l].fit[i], 1e-10);
        for (size_t k = 0; k < 4; k++) {
            assert_close(d->predictions[0].hazard[k], expected[l].hazard[k], 1e-9);
            assert_close(d->predictions[0].hazard_low[k], expected[l].hazard_low[k], 1e-9);
            assert_close(d->predictions[0].survival[k], expected[l].survival[k], 1e-9);
            assert_close(d->predictions[0].survival_low[k], expected[l].survival_low[k], 1e-9);
        }
        assert_int_equal(d->n_records, 489);
        assert_int_equal(d->n_beyond, 14);
        assert_int_equal(d->n_events_beyond, 7);
    }
}

static void test_discrete_time__whole_times_and_smooth_effects_are_glm(void **state)
{
    (void)state;
    static const struct {
        bd_period_effect effect;
        size_t n;
        double estimates[4], errors[4], litters[4];
    } expected[] = {
        {BD_PERIOD_LINEAR, 3, {-9.522241607897, 0.0433019549342601, 0.73721950320405},
         {0.59059201852606, 0.00709400376543523, 0.309316604296921},
         {0.630918536320816, 0.00720100243167094, 0.272444761461333}},
        {BD_PERIOD_QUADRATIC, 4, {-11.0703059671568, 0.0952648459829183, -0.000386307725032462, 0.733576130890014},
         {1.54201809975139, 0.0452468459046526, 0.000323200212361076, 0.309275089634901},
         {1.24234426812268, 0.0375197869556927, 0.000280247384591487, 0.270994769624152}},
        {BD_PERIOD_LOG, 3, {-17.4922287775543, 2.63221843573422, 0.733959052910366},
         {2.24400218350633, 0.518008032491578, 0.309256206872209},
         {2.53208069762782, 0.57988286822025, 0.270192944835378}}};
    const bd_survival_data *data = data_of("rats", (bd_survival_spec){.formula = "Surv(time, status) ~ rx"});
    const bd_survival_data *clustered =
        data_of("rats", (bd_survival_spec){.formula = "Surv(time, status) ~ rx + cluster(litter)"});
    for (size_t e = 0; e < 3; e++) {
        bd_discrete_time_options options = BD_DISCRETE_TIME_DEFAULTS;
        options.effect = expected[e].effect;
        const bd_discrete_time *d = regress(data, options), *robust = regress(clustered, options);
        assert_int_equal(d->n_records, 27132);
        assert_int_equal(d->n_periods, 104);
        for (size_t j = 0; j < expected[e].n; j++) {
            assert_close(d->fit->coefficients[j].estimate, expected[e].estimates[j], 1e-9);
            assert_close(d->fit->coefficients[j].se, expected[e].errors[j], 1e-9);
            assert_close(robust->fit->coefficients[j].se, expected[e].litters[j], 1e-9);
        }
    }
}

/* Effects of each week and no predictors: the hazards are the shares, and survival is Kaplan and Meier's. */
static void test_discrete_time__of_each_period_alone_is_kaplan_meier(void **state)
{
    (void)state;
    const bd_survival_data *data = data_of("rats", (bd_survival_spec){.formula = "Surv(time, status) ~ 1"});
    const bd_discrete_time *d = regress(data, BD_DISCRETE_TIME_DEFAULTS);
    const bd_survival_rows rows = {
        .n_rows = data->design.n_rows, .stop = data->design.stop, .event = data->design.event};
    const bd_survival_curves *curves;
    must(bd_survival_curves_find(&rows, &BD_SURVIVAL_CURVE_DEFAULTS, arena, &curves));
    assert_int_equal(d->n_predictions, 1);
    for (size_t k = 0; k < d->n_periods; k++) {
        const bd_period *period = &d->periods[k];
        assert_true(period->known == (period->events == 0));
        assert_close(d->predictions[0].hazard[k], period->events / period->at_risk, 1e-12);
        assert_close(d->predictions[0].survival[k], bd_survival_at(&curves->curves[0], period->to).survival, 1e-12);
    }
}

static void test_discrete_time__bootstraps_rows_with_all_their_periods(void **state)
{
    (void)state;
    const bd_survival_data *data = data_of("lung", (bd_survival_spec){.formula = "Surv(time, status == 2) ~ ph.ecog"});
    const bd_discrete_time *d[2];
    for (int k = 0; k < 2; k++) {
        bd_discrete_time_options options = cut();
        options.bootstrap = true;
        options.resampling.n_replicates = 400;
        options.resampling.n_threads = k == 0 ? 1 : 5;
        d[k] = regress(data, options);
    }
    const bd_interval_ends *ends = d[0]->bootstrap->ends; /* of ph.ecog alone */
    assert_true(ends->low == d[1]->bootstrap->ends[0].low && ends->high == d[1]->bootstrap->ends[0].high);
    assert_true(ends->low < d[0]->fit->coefficients[4].estimate && ends->high > d[0]->fit->coefficients[4].estimate);
}

/* Each of 60 patients is left out; without one of them a period has no event any more. */
static void test_discrete_time__a_replicate_is_the_fit_of_its_rows_with_or_without_a_period(void **state)
{
    (void)state;
    enum { N = 60 };
    static const char *const formula = "Surv(etime, event != 'censor') ~ age";
    static const double months[] = {30, 60, 90, 120, 150, 180, 210, 240};
    bd_discrete_time_options options = BD_DISCRETE_TIME_DEFAULTS;
    double sum = 0, squares = 0, values[N];
    size_t most = 0, least = SIZE_MAX;
    options.ends = months;
    options.n_ends = 8;
    for (int k = 0; k < N; k++) {
        const char *where;
        must(bd_print(arena, &where, "id <= 60 & id != %d", k + 1));
        const bd_discrete_time *d =
            regress(data_of("mgus2", (bd_survival_spec){.formula = formula, .where = where}), options);
        values[k] = d->fit->coefficients[d->n_period_columns].estimate;
        sum += values[k];
        most = d->n_period_columns > most ? d->n_period_columns : most;
        least = d->n_period_columns < least ? d->n_period_columns : least;
    }
    assert_int_equal(least + 1, most);
    for (int k = 0; k < N; k++)
        squares += (values[k] - sum / N) * (values[k] - sum / N);
    options.bootstrap = true;
    options.resampling.n_replicates = 50;
    options.resampling.method = &bd_jackknife;
    const bd_discrete_time *d =
        regress(data_of("mgus2", (bd_survival_spec){.formula = formula, .where = "id <= 60"}), options);
    const bd_interval_ends *ends = &d->bootstrap->ends[0];
    assert_close((ends->high - ends->low) / 2, 2.00099537808827 * sqrt((N - 1.0) / N * squares),
                 1e-8); /* qt(.975, 59) */
}

static void test_discrete_time__says_what_is_wrong(void **state)
{
    (void)state;
    static const double descending[] = {360, 180};
    bd_discrete_time_options whole = BD_DISCRETE_TIME_DEFAULTS, unordered = cut(), cuts = cut();
    unordered.ends = descending;
    unordered.n_ends = 2;
    const struct {
        const char *formula;
        const bd_discrete_time_options *options;
        const char *message;
    } wrong[] = {
        {"Surv(time / 7, status == 2) ~ age", &whole,
         "the time in row 1 is 43.7143; discrete times are whole periods, 1, 2, ... (cut others by --periods, the "
         "ends of "
         "periods)"},
        {"Surv(time * 100, status == 2) ~ age", &whole,
         "times go to 102200, and each is a period; join them by --periods, the ends of periods"},
        {"Surv(time, status == 2) ~ age", &unordered,
         "--periods takes the ends of periods, ascending and above 0, such as 30,60,90"},
        {"Surv(time - 5, status == 2) ~ age", &cuts, "the time in row 57 is 0; the first period begins after 0"},
        {"Surv(0 - time, status == 2) ~ age", &cuts,
         "the time in row 1 is negative (-306); times count from when observation began"},
        {"Surv(ph.ecog + 1, time + 3, status == 2) ~ age", &cuts,
         "the start in row 1, 2, lies within a period; rows begin where a period does"},
        {"Surv(time, status) ~ age", &cuts,
         "the event in row 1 is 2; it is 1 where the event happened and 0 where it did not (codes of another kind are "
         "compared, as in status == 2)"},
        {"Surv(time, status > 5) ~ age", &cuts,
         "none of the 228 rows has the event; without events there is no hazard to compare"},
        {"Surv(time, status == 2) ~ age + strata(sex)", &cuts,
         "strata() are for proportional hazards; make sex a predictor, or leave --discrete out"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const bd_discrete_time *d;
        const bd_survival_data *data = data_of("lung", (bd_survival_spec){.formula = wrong[i].formula});
        assert_int_not_equal(bd_discrete_time_regress(data, wrong[i].options, arena, &d), BD_OK);
        assert_string_equal(bd_message(), wrong[i].message);
    }
    bd_period_effect effect;
    assert_int_equal(bd_period_effect_find("cubic", &effect), BD_EUSAGE);
    assert_string_equal(bd_message(), "no effect of periods named 'cubic'; there are each, linear, quadratic, log");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_discrete_time__cut_times_are_glm_of_survsplit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_discrete_time__whole_times_and_smooth_effects_are_glm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_discrete_time__of_each_period_alone_is_kaplan_meier, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_discrete_time__bootstraps_rows_with_all_their_periods, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_discrete_time__a_replicate_is_the_fit_of_its_rows_with_or_without_a_period, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_discrete_time__says_what_is_wrong, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
