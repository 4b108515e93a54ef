/* Competing risks of a formula against survival 3.5 and cmprsk 2.2-11 in R 4.2.2: scripts/reference-competing.R. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/analyses/competing.h>
#include <bordin/data/csv.h>

#include "fixture.h"

static void assert_close(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance * fmax(1e-3, fabs(expected))))
        fail_msg("%.15g is not %.15g", value, expected);
}

static bd_status read(bd_survival_spec spec, const char *path, const bd_survival_data **data)
{
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_wanted *wanted;
    const bd_table *table;
    size_t n;
    spec.competing = true;
    must(bd_survival_wanted(&spec, arena, &wanted, &n));
    must(bd_csv_read(path, wanted, n, &csv, arena, &table));
    return bd_survival_build(table, &spec, arena, data);
}

static const bd_competing *compete(const char *formula, bd_competing_options options)
{
    const bd_survival_data *data;
    const bd_competing *competing;
    must(read((bd_survival_spec){.formula = formula}, "datasets/survival/mgus2.csv", &data));
    must(bd_compete(data, &options, arena, &competing));
    return competing;
}

static void test_competing__shares_and_their_test_are_those_of_r(void **state)
{
    (void)state;
    static const double times[] = {60, 240};
    static const double expected[2][2][2][4] = { /* group, cause, time: share, se, low, high */
        {{{0.263965145457701, 0.0175806957234412, 0.230135419327608, 0.298915950221651},
          {0.695307803031983, 0.0236253343399979, 0.646301353544146, 0.738931259215457}},
         {{0.0397896215044053, 0.00779833408808593, 0.0264605466193882, 0.0571532934889317},
          {0.104940674186137, 0.0142629574344966, 0.0790934532265265, 0.134915116771292}}},
        {{{0.367626985608863, 0.0176074421125398, 0.333169930657159, 0.402088627374119},
          {0.748127889265735, 0.020668866928044, 0.704891209639565, 0.786010927406983}},
         {{0.0293462844583663, 0.00616458366286076, 0.0189625747038199, 0.0432834703908697},
          {0.0956507550309775, 0.0135258309491872, 0.0712731870780535, 0.124228242813264}}}};
    bd_competing_options options = BD_COMPETING_DEFAULTS;
    options.times = times;
    options.n_times = 2;
    const bd_competing *c = compete("Surv(etime, event) ~ strata(sex)", options);
    assert_int_equal(c->n_groups, 2);
    assert_int_equal(c->n_causes, 2);
    assert_string_equal(c->groups[1], "M");
    assert_string_equal(c->causes[1].name, "pcm");
    assert_string_equal(c->data->censored, "censor");
    for (size_t g = 0; g < 2; g++)
        for (size_t k = 0; k < 2; k++)
            for (size_t t = 0; t < 2; t++) {
                const bd_incidence_point p = bd_incidence_at(&c->incidence->curves[g], k + 1, times[t]);
                const double found[] = {p.incidence, p.se, p.low, p.high};
                for (size_t i = 0; i < 4; i++)
                    assert_close(found[i], expected[g][k][t][i], 1e-12);
            }
    assert_close(c->causes[0].test->statistic, 11.6512590121277, 1e-12);
    assert_close(c->causes[1].test->statistic, 1.19450782507551, 1e-12);
    assert_close(c->causes[0].test->p, 0.000641590976407924, 1e-12);
}

/* Cause-specific and, as coxph of finegray's rows clustered by row, the subdistribution's. */
static void test_competing__regressions_are_those_of_r(void **state)
{
    (void)state;
    static const struct {
        double specific[6], subdistribution[6], log_likelihoods[2];
    } expected[] = {
        {{0.0577988532500313, 0.519154004971664, -0.147518458164979, 0.00362559046383314, 0.0714977858526669,
          0.0183253644878768},
         {0.0521882308680704, 0.483508330206268, -0.12102536013818, 0.00388278818066594, 0.0703555652766599,
          0.0219024536942973},
         {-5584.16756832612, -5363.78419591784}},
        {{0.0099551189840782, 0.122509332593767, -0.128449388041454, 0.00826110452612882, 0.197102111242102,
          0.0520535368631193},
         {-0.0175796529050457, -0.241252735486454, -0.00963505055841236, 0.00578321893048954, 0.188114237585193,
          0.0449784813091223},
         {-714.035456131669, -709.857334582215}}};
    const bd_competing *c = compete("Surv(etime, event) ~ age + sex + hgb", BD_COMPETING_DEFAULTS);
    for (size_t k = 0; k < 2; k++) {
        const bd_cox *of[] = {c->causes[k].specific, c->causes[k].subdistribution};
        for (size_t j = 0; j < 3; j++) {
            assert_close(of[0]->coefficients[j].estimate, expected[k].specific[j], 1e-10);
            assert_close(of[0]->coefficients[j].se, expected[k].specific[3 + j], 1e-10);
            assert_close(of[1]->coefficients[j].estimate, expected[k].subdistribution[j], 1e-10);
            assert_close(of[1]->coefficients[j].se, expected[k].subdistribution[3 + j], 1e-10);
        }
        assert_close(of[0]->log_likelihood_null, expected[k].log_likelihoods[0], 1e-12);
        assert_close(of[0]->log_likelihood, expected[k].log_likelihoods[1], 1e-12);
    }
}

/* cmprsk's own Newton, where no events and censoring share their time: there the two differ in what comes first.
 * Eight digits: crr stops there. */
static void test_competing__fine_and_gray_is_crr_without_ties(void **state)
{
    (void)state;
    static const double expected[2][3] = {{0.0523041628489625, 0.482765597841455, -0.12081483957505},
                                          {-0.0175738406440402, -0.241347049483364, -0.00959882489489029}};
    const bd_competing *c = compete("Surv(etime + id / 10000, event) ~ age + sex + hgb", BD_COMPETING_DEFAULTS);
    for (size_t k = 0; k < 2; k++)
        for (size_t j = 0; j < 3; j++)
            assert_close(c->causes[k].subdistribution->coefficients[j].estimate, expected[k][j], 1e-7);
}

static void test_competing__strata_have_censoring_of_their_own(void **state)
{
    (void)state;
    static const double expected[] = {-0.0175080261244429, -0.0101098704500235, 0.00575013536033465,
                                      0.0449035699695698};
    bd_competing_options options = BD_COMPETING_DEFAULTS;
    options.ties = BD_COX_BRESLOW;
    options.cause = "pcm";
    const bd_competing *c = compete("Surv(etime, event) ~ age + hgb + strata(sex)", options);
    assert_int_equal(c->n_causes, 1);
    for (size_t j = 0; j < 2; j++) {
        assert_close(c->causes[0].subdistribution->coefficients[j].estimate, expected[j], 1e-10);
        assert_close(c->causes[0].subdistribution->coefficients[j].se, expected[2 + j], 1e-10);
    }
}

/* 1 - survfit of the subdistribution's coxph, at 60 and 240 months. */
static void test_competing__shares_of_profiles_are_those_of_survfit(void **state)
{
    (void)state;
    static const double times[] = {60, 240};
    static const double expected[2][2][5] = {
        {{0.228728310410013, 0.201122286400815, 0.255380380455265, 0.259714581512934, 0.0179427721879409},
         {0.673763819083433, 0.623039362376279, 0.717662707677015, 1.12013367858619, 0.0737356263966112}},
        {{0.0384305265215735, 0.0256351245696, 0.0510578986982123, 0.0391884612558158, 0.00674452760421334},
         {0.110840842947504, 0.0820005696959587, 0.138775057509069, 0.117479030186671, 0.016286279489207}}};
    const char *profile = "age=70,sex=F,hgb=13";
    bd_competing_options options = BD_COMPETING_DEFAULTS;
    options.prediction = (bd_survival_prediction_options){
        .profiles = &profile, .n_profiles = 1, .times = times, .n_times = 2, .level = 0.95};
    const bd_competing *c = compete("Surv(etime, event) ~ age + sex + hgb", options);
    for (size_t k = 0; k < 2; k++)
        for (size_t t = 0; t < 2; t++) {
            const bd_survival_predicted_point *p = &c->causes[k].predictions->items[0].points[t];
            const double found[] = {1 - p->survival, 1 - p->high, 1 - p->low, p->hazard, p->hazard_se};
            for (size_t i = 0; i < 5; i++)
                assert_close(found[i], expected[k][t][i], 1e-10);
        }
}

/* Rows of two predictors in two strata. */
typedef struct sample {
    size_t n;
    double *stop, *cause, *columns[2];
    uint32_t *strata;
} sample;

static sample new_sample(size_t n)
{
    sample s = {.stop = bd_arena_alloc(arena, 4 * n, sizeof(double)),
                .strata = bd_arena_alloc(arena, n, sizeof(uint32_t))};
    assert_true(s.stop != NULL && s.strata != NULL);
    s.cause = s.stop + n;
    s.columns[0] = s.cause + n;
    s.columns[1] = s.columns[0] + n;
    return s;
}

static const bd_fine_gray *expand(const sample *s, size_t cause)
{
    const bd_survival_rows rows = {
        .n_rows = s->n, .stop = s->stop, .event = s->cause, .strata = s->strata, .n_strata = 2};
    const bd_fine_gray *expanded;
    must(bd_fine_gray_rows(&rows, 2, cause, arena, &expanded));
    return expanded;
}

static const bd_cox *fit_expanded(const sample *s, const bd_fine_gray *expanded, const double *weights)
{
    static const char *const names[] = {"age", "hgb"};
    sample of = new_sample(expanded->n_rows);
    const bd_cox *fit;
    for (size_t r = 0; r < expanded->n_rows; r++) {
        of.columns[0][r] = s->columns[0][expanded->row[r]];
        of.columns[1][r] = s->columns[1][expanded->row[r]];
        of.strata[r] = s->strata[expanded->row[r]];
    }
    const bd_cox_design design = {.n_rows = expanded->n_rows, .n_columns = 2, .names = names,
                                  .columns = (const double *const *)of.columns, .start = expanded->start,
                                  .stop = expanded->stop, .event = expanded->event, .strata = of.strata, .n_strata = 2,
                                  .weights = weights};
    bd_cox_options fitting = BD_COX_DEFAULTS;
    fitting.ties = BD_COX_BRESLOW;
    fitting.no_concordance = true;
    must(bd_cox_fit(&design, &fitting, arena, &fit));
    return fit;
}

/* Rows drawn k times are rows written k times, to Breslow's ties; censoring is that of the rows that were drawn. */
static void test_competing__a_redrawn_fine_and_gray_is_that_of_the_rows_drawn(void **state)
{
    (void)state;
    const bd_survival_data *data = compete("Surv(etime, event) ~ age + hgb + strata(sex)", BD_COMPETING_DEFAULTS)->data;
    const size_t n = data->design.n_rows;
    sample once = new_sample(n), written = new_sample(3 * n);
    double *draws = new_sample(n).stop;
    for (size_t i = 0; i < n; i++) {
        draws[i] = (double)(i * i % 7 % 4);
        for (size_t k = 0; k <= (size_t)draws[i]; k++) { /* one in the first sample, the rest in the other */
            sample *to = k == 0 ? &once : &written;
            to->stop[to->n] = data->design.stop[i];
            to->cause[to->n] = data->cause[i];
            to->columns[0][to->n] = data->design.columns[0][i];
            to->columns[1][to->n] = data->design.columns[1][i];
            to->strata[to->n++] = data->design.strata[i];
        }
    }
    for (size_t cause = 1; cause <= 2; cause++) {
        const bd_fine_gray *expanded = expand(&once, cause), *of_written = expand(&written, cause);
        double *scratch = new_sample(expanded->n_scratch).stop, *weights = new_sample(expanded->n_rows).stop;
        bd_fine_gray_redraw(expanded, draws, scratch, weights);
        for (size_t r = 0; r < expanded->n_rows; r++)
            weights[r] *= expanded->weights[r];
        const bd_cox *redrawn = fit_expanded(&once, expanded, weights),
                     *expected = fit_expanded(&written, of_written, of_written->weights);
        for (size_t j = 0; j < 2; j++)
            assert_close(redrawn->coefficients[j].estimate, expected->coefficients[j].estimate, 1e-9);
    }
}

/* Of rows drawn once each the fit itself; the same bits for any number of threads. */
static void test_competing__bootstraps_all_its_regressions_together(void **state)
{
    (void)state;
    const bd_competing *c[2];
    for (int k = 0; k < 2; k++) {
        bd_competing_options options = BD_COMPETING_DEFAULTS;
        options.bootstrap = true;
        options.resampling.n_replicates = 60;
        options.resampling.n_threads = k == 0 ? 1 : 4;
        c[k] = compete("Surv(etime, event) ~ age + sex", options);
    }
    for (size_t v = 0; v < 8; v++) {
        const bd_competing_cause *cause = &c[0]->causes[v / 4];
        const bd_cox *fit = v / 2 % 2 == 0 ? cause->specific : cause->subdistribution;
        const bd_interval_ends *ends = &c[0]->bootstrap->ends[v];
        assert_true(ends->low == c[1]->bootstrap->ends[v].low && ends->high == c[1]->bootstrap->ends[v].high);
        assert_true(ends->low < fit->coefficients[v % 2].estimate && fit->coefficients[v % 2].estimate < ends->high);
    }
}

static void test_competing__late_entry_leaves_only_what_it_can(void **state)
{
    (void)state;
    const bd_competing *c = compete("Surv(id / 100000, etime, event) ~ age + sex", BD_COMPETING_DEFAULTS);
    assert_non_null(c->causes[0].specific);
    assert_null(c->causes[0].subdistribution);
    c = compete("Surv(id / 100000, etime, event) ~ strata(sex)", BD_COMPETING_DEFAULTS);
    assert_null(c->causes[0].test);
    assert_int_equal(c->options.n_times, 4);
}

static void test_competing__says_what_is_wrong(void **state)
{
    (void)state;
    const bd_survival_data *data;
    const bd_competing *c;
    bd_competing_options options = BD_COMPETING_DEFAULTS;
    const char *const lung = "datasets/survival/lung.csv", *const mgus = "datasets/survival/mgus2.csv";
    assert_int_equal(read((bd_survival_spec){.formula = "Surv(time, status) ~ age"}, lung, &data), BD_EDATA);
    assert_string_equal(bd_message(),
                        "which status means that no event happened? Name it by --censored; there are '1', "
                        "'2'");
    assert_int_equal(read((bd_survival_spec){.formula = "Surv(etime, event) ~ age", .censored = "alive"}, mgus, &data),
                     BD_EDATA);
    assert_string_equal(bd_message(), "--censored: no row has event 'alive'; there are 'censor', 'death', 'pcm'");
    must(read((bd_survival_spec){.formula = "Surv(etime, event) ~ age"}, mgus, &data));
    options.cause = "mutual";
    assert_int_equal(bd_compete(data, &options, arena, &c), BD_EDATA);
    assert_string_equal(bd_message(), "--cause: no row has event 'mutual'; there are 'death', 'pcm'");
    options.cause = NULL;
    options.ties = BD_COX_EXACT;
    assert_int_equal(bd_compete(data, &options, arena, &c), BD_EUSAGE);
    assert_non_null(strstr(bd_message(), "efron or breslow, not exact"));
    must(read((bd_survival_spec){.formula = "Surv(etime, event) ~ offset(age)"}, mgus, &data));
    assert_int_equal(bd_compete(data, &BD_COMPETING_DEFAULTS, arena, &c), BD_EUSAGE);
    assert_int_equal(read((bd_survival_spec){.formula = "Surv(time, status) ~ age", .censored = "1"}, lung, &data),
                     BD_OK);
    assert_int_equal(data->n_causes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_competing__shares_and_their_test_are_those_of_r, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_competing__regressions_are_those_of_r, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_competing__fine_and_gray_is_crr_without_ties, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_competing__strata_have_censoring_of_their_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_competing__shares_of_profiles_are_those_of_survfit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_competing__a_redrawn_fine_and_gray_is_that_of_the_rows_drawn, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_competing__bootstraps_all_its_regressions_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_competing__late_entry_leaves_only_what_it_can, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_competing__says_what_is_wrong, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
