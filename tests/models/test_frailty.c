/* Shared gamma frailty, held to R's survival: Rscript scripts/reference-frailty.R */
#include "models/cox_data.h"

#include <bordin/models/frailty.h>

typedef struct expected {
    double theta, log_likelihood, estimates[2], frailties[3], se[2], se_given[2], frailty_se[3], df_frailty;
} expected;

static void assert_near(double found, double wanted, double tolerance)
{
    if (!(fabs(found - wanted) <= tolerance * fmax(fabs(wanted), 1e-3)))
        fail_msg("%.15g, not %.15g", found, wanted);
}

/* R finds theta to six digits, and stops before its errors have settled beyond seven. */
static void assert_fit(const bd_frailty *fit, const expected *e)
{
    assert_int_equal(fit->end, BD_FRAILTY_CONVERGED);
    assert_near(fit->theta, e->theta, 1e-6);
    assert_near(fit->log_likelihood, e->log_likelihood, 1e-11);
    assert_near(fit->df_frailty, e->df_frailty, 2e-7);
    for (size_t j = 0; j < fit->n_columns; j++) {
        assert_near(fit->coefficients[j].estimate, e->estimates[j], 1e-9);
        assert_near(fit->coefficients[j].se, e->se[j], 2e-7);
        assert_near(fit->coefficients[j].se_given, e->se_given[j], 2e-7);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_near(fit->groups[i].log_frailty, e->frailties[i], 1e-9);
        assert_near(fit->groups[i].se, e->frailty_se[i], 2e-7);
    }
}

static const source kidney = {
    .file = "kidney", .stop = "time", .event = "status", .terms = "age + sex", .cluster = "id"};
static const source rats = {.file = "rats", .stop = "time", .event = "status", .terms = "rx", .cluster = "litter"};

static const bd_frailty *fit_frailty(const bd_cox_design *design, bd_cox_ties ties)
{
    const bd_frailty *fit = NULL;
    bd_frailty_options options = BD_FRAILTY_DEFAULTS;
    options.ties = ties;
    must(bd_frailty_fit(design, &options, arena, &fit));
    return fit;
}

static const expected kidney_efron = {0.40776939366,
                                      -181.6386265254,
                                      {0.005222320197893, -1.583233779785},
                                      {0.3681225172337, 0.2541608245107, 0.08889100626162},
                                      {0.01186085133751, 0.4593805214377},
                                      {0.00879721711893, 0.3514888458247},
                                      {0.4807059378031, 0.539055296064, 0.4945689971478},
                                      12.92443869228};

static void test_frailty__kidney_infections_agree_with_coxph(void **state)
{
    static const expected breslow = {0.3973133742316,
                                     -182.0533589252,
                                     {0.005463502940818, -1.556392552115},
                                     {0.3617265686667, 0.2484963637197, 0.09725993945819},
                                     {0.01177903156748, 0.4555313591717},
                                     {0.008784697825026, 0.3498385063895},
                                     {0.4770878865176, 0.534057428183, 0.4900199026036},
                                     12.70399001571};
    const bd_cox_design design = design_of(&kidney);
    (void)state;
    assert_fit(fit_frailty(&design, BD_COX_EFRON), &kidney_efron);
    assert_fit(fit_frailty(&design, BD_COX_BRESLOW), &breslow);
}

static void test_frailty__litters_and_strata_agree_with_coxph(void **state)
{
    static const expected plain = {2.020342215752,
                                   -217.5498141041,
                                   {0.7270685594254},
                                   {0.4359430620588, -0.7424137016406, -0.8854411769742},
                                   {0.3182588960351},
                                   {0.3126336061141},
                                   {0.8217690733901, 1.423913046805, 1.424650264007},
                                   47.65530884005};
    static const expected by_sex = {0.487237459524,
                                    -191.3092573457,
                                    {0.8061062882031},
                                    {0.03773758568679, -0.02248966886675, -0.4957553580992},
                                    {0.3143666253155},
                                    {0.3106621580709},
                                    {0.5746594837086, 0.6982011439186, 0.7011345631361},
                                    15.10911693882};
    source s = rats;
    const bd_cox_design design = design_of(&s);
    (void)state;
    assert_fit(fit_frailty(&design, BD_COX_EFRON), &plain);
    s.strata = "sex";
    const bd_cox_design strata = design_of(&s);
    assert_fit(fit_frailty(&strata, BD_COX_EFRON), &by_sex);
}

/* Each row as two intervals, the first without the event. */
static bd_cox_design cut_in_two(const bd_cox_design *design)
{
    const size_t n = design->n_rows;
    bd_cox_design cut = *design;
    double *start, *stop, *event, **columns;
    uint32_t *cluster;
    start = bd_arena_alloc(arena, 2 * n, sizeof *start);
    stop = bd_arena_alloc(arena, 2 * n, sizeof *stop);
    event = bd_arena_alloc(arena, 2 * n, sizeof *event);
    cluster = bd_arena_alloc(arena, 2 * n, sizeof *cluster);
    columns = bd_arena_alloc(arena, design->n_columns, sizeof *columns);
    for (size_t j = 0; j < design->n_columns; j++)
        columns[j] = bd_arena_alloc(arena, 2 * n, sizeof **columns);
    for (size_t k = 0; k < 2 * n; k++) {
        const size_t i = k / 2;
        start[k] = k % 2 == 0 ? 0 : design->stop[i] / 2;
        stop[k] = k % 2 == 0 ? design->stop[i] / 2 : design->stop[i];
        event[k] = k % 2 == 0 ? 0 : design->event[i];
        cluster[k] = design->cluster[i];
        for (size_t j = 0; j < design->n_columns; j++)
            columns[j][k] = design->columns[j][i];
    }
    cut.n_rows = 2 * n;
    cut.start = start;
    cut.stop = stop;
    cut.event = event;
    cut.cluster = cluster;
    cut.columns = (const double *const *)columns;
    return cut;
}

static void test_frailty__intervals_are_the_same_as_whole_times(void **state)
{
    const bd_cox_design design = design_of(&kidney), cut = cut_in_two(&design);
    (void)state;
    const bd_frailty *fit = fit_frailty(&cut, BD_COX_EFRON);
    assert_fit(fit, &kidney_efron);
    assert_true(fit->groups[0].n_rows == 4 && fit->groups[0].n_events == 2);
}

static void test_frailty__none_where_groups_do_not_differ(void **state)
{
    source s = lung;
    const bd_cox *cox;
    s.cluster = "inst";
    const bd_cox_design design = design_of(&s);
    (void)state;
    const bd_frailty *fit = fit_frailty(&design, BD_COX_EFRON);
    cox = fit_of(&design, BD_COX_EFRON, BD_COX_MODEL);
    assert_int_equal(fit->end, BD_FRAILTY_NONE);
    assert_true(fit->theta == 0 && fit->frailty_test.p == 1 && fit->groups[3].frailty == 1);
    for (size_t j = 0; j < fit->n_columns; j++)
        assert_true(fit->coefficients[j].se == cox->coefficients[j].se);
}

static void test_frailty__refuses_what_it_cannot_do(void **state)
{
    bd_frailty_options options = BD_FRAILTY_DEFAULTS;
    const bd_frailty *fit;
    bd_cox_design design = design_of(&kidney);
    (void)state;
    options.ties = BD_COX_EXACT;
    assert_int_equal(bd_frailty_fit(&design, &options, arena, &fit), BD_EUSAGE);
    design.cluster = NULL;
    assert_int_equal(bd_frailty_fit(&design, &BD_FRAILTY_DEFAULTS, arena, &fit), BD_EUSAGE);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_frailty__kidney_infections_agree_with_coxph),
        TEST(test_frailty__litters_and_strata_agree_with_coxph),
        TEST(test_frailty__intervals_are_the_same_as_whole_times),
        TEST(test_frailty__none_where_groups_do_not_differ),
        TEST(test_frailty__refuses_what_it_cannot_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
