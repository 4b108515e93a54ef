/* Predictions for profiles, against R (scripts/reference-predictions.R), and in replicates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include <bordin/analyses/glm_regression.h>
#include <bordin/analyses/model_regression.h>
#include <bordin/analyses/regression.h>
#include <bordin/data/csv.h>

#include "fixture.h"

typedef struct jobs {
    const bd_frame *frame;
    const bd_profiles *profiles;
} jobs;

static bd_status read_jobs(bd_frame_spec spec, const char *profile, jobs *out)
{
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_profile_request request = {.texts = &profile, .n = 1};
    const bd_wanted *wanted;
    const bd_table *table;
    size_t n_wanted;
    BD_TRY(bd_frame_wanted(&spec, arena, &wanted, &n_wanted));
    BD_TRY(bd_csv_read("datasets/jobs2_mediation/jobs.csv", wanted, n_wanted, &csv, arena, &table));
    BD_TRY(bd_frame_build(table, &spec, arena, &out->frame));
    return bd_profiles_build(table, &spec, out->frame, &request, arena, &out->profiles);
}

/* Estimate, error, and the ends of the interval. */
static void assert_prediction(const bd_prediction *item, const double *expected, double tolerance)
{
    const double found[] = {item->estimate, item->se, item->ci_low, item->ci_high};
    for (size_t i = 0; i < 4; i++)
        if (!(fabs(found[i] - expected[i]) <= tolerance * fabs(expected[i])))
            fail_msg("%zu: %.15g, not %.15g", i, found[i], expected[i]);
}

static void test_prediction__least_squares(void **state)
{
    static const double classical[] = {1.86501428553772, 0.0421092329410331, 1.78236981785863, 1.94765875321681};
    static const double hc3[] = {1.86501428553772, 0.0426767448883668, 1.7812560069551, 1.94877256412033};
    const bd_frame_spec spec = {.formula = "depress2 ~ treat * econ_hard + log(age)", .weights = "age"};
    const bd_regression *regression;
    bd_regression_options options = BD_REGRESSION_DEFAULTS;
    jobs j;
    (void)state;
    must(read_jobs(spec, "treat=1,econ_hard=4,age=30", &j));
    options.profiles = j.profiles;
    must(bd_regress(j.frame, &options, arena, &regression));
    assert_prediction(regression->predictions->items, classical, 1e-11);
    options.se = &bd_se_hc3;
    must(bd_regress(j.frame, &options, arena, &regression));
    assert_prediction(regression->predictions->items, hc3, 1e-11);
}

static void test_prediction__generalised(void **state)
{
    static const struct {
        bd_frame_spec spec;
        const char *profile;
        const bd_family *family;
        const bd_link *link;
        double expected[4];
    } cases[] = {
        {{.formula = "comply ~ econ_hard + depress1 + age", .where = "treat == 1"},
         "econ_hard=5,depress1=2,age=60",
         &bd_binomial,
         &bd_probit,
         {0.779667023072578, 0.0499510055526181, 0.670288435693875, 0.86464489838159}},
        {{.formula = "depress2 ~ econ_hard + depress1"},
         "econ_hard=5,depress1=2",
         &bd_gamma,
         &bd_inverse,
         {1.85700564138633, 0.0485394022246743, 1.76639004540539, 1.95742110779469}},
    };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        bd_glm_regression_options options = BD_GLM_REGRESSION_DEFAULTS;
        const bd_glm_regression *regression;
        jobs j;
        must(read_jobs(cases[i].spec, cases[i].profile, &j));
        options.family = cases[i].family;
        options.link = cases[i].link;
        options.profiles = j.profiles;
        must(bd_glm_regress(j.frame, &options, arena, &regression));
        assert_prediction(regression->predictions->items, cases[i].expected, 1e-9);
    }
}

typedef struct model_case {
    const char *family;
    bd_frame_spec spec;
    const char *profile;
    double tau;
    size_t n; /* that R has */
    double expected[4][4], tolerance;
} model_case;

static void assert_model(const model_case *c)
{
    bd_model_options options = BD_MODEL_DEFAULTS;
    const bd_model_regression *regression;
    const bd_family *family;
    const bd_model *model;
    bd_frame_spec spec = c->spec;
    jobs j;
    must(bd_model_find(c->family, &family, &model));
    spec.extra_option = "--zeros";
    bd_model_spec(model, &spec);
    must(read_jobs(spec, c->profile, &j));
    options.tau = c->tau;
    options.profiles = j.profiles;
    must(bd_model_regress(j.frame, model, &options, arena, &regression));
    assert_true(regression->predictions->n >= c->n);
    for (size_t k = 0; k < c->n; k++)
        assert_prediction(&regression->predictions->items[k], c->expected[k], c->tolerance);
}

/* Of multinomial regression and the zero-inflated, R's optimisers and differences have 8 digits. */
static void test_prediction__categories_and_counts_with_more_zeros(void **state)
{
    static const model_case cases[] = {
        {.family = "ordinal",
         .spec = {.formula = "job_disc ~ treat + econ_hard + age"},
         .profile = "treat=1,econ_hard=3,age=40",
         .n = 3,
         .expected = {{0.0247205748326503, 0.00513908634182484, 0.0164172862844321, 0.0370651224446252},
                      {0.144870301912782, 0.0128577208853198, 0.121442805501335, 0.171932749537924},
                      {0.484198162297699, 0.0170495391405124, 0.450901736369448, 0.517635471850026}},
         .tolerance = 1e-9},
        {.family = "multinomial",
         .spec = {.formula = "job_disc ~ treat + age"},
         .profile = "treat=1,age=40",
         .n = 4,
         .expected = {{0.0249627678846656, 0.00677053811793113, 0.0146249680776499, 0.0422942939518984},
                      {0.144266569482625, 0.014668195808961, 0.117827084074169, 0.175458869448104},
                      {0.478777501393439, 0.0207906528329797, 0.438258975121166, 0.519577204974878},
                      {0.351993161239271, 0.019873633941775, 0.314091585258413, 0.391855466539851}},
         .tolerance = 1e-8},
        {.family = "zip",
         .spec = {.formula = "I(comply * job_disc) ~ depress1 + age", .extra = "econ_hard"},
         .profile = "depress1=2,age=40,econ_hard=3",
         .n = 1,
         .expected = {{1.31938138449331, 0.063819457739613, 1.20004381021972, 1.45058640603194}},
         .tolerance = 1e-8},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_model(&cases[i]);
}

static void test_prediction__quantile(void **state)
{
    bd_model_options options = BD_MODEL_DEFAULTS;
    const bd_model_regression *regression;
    const bd_family *family;
    const bd_model *model;
    jobs j;
    (void)state;
    must(bd_model_find("quantile", &family, &model));
    must(read_jobs((bd_frame_spec){.formula = "depress2 ~ depress1 + age"}, "depress1=2,age=50", &j));
    options.tau = 0.75;
    options.profiles = j.profiles;
    must(bd_model_regress(j.frame, model, &options, arena, &regression));
    assert_true(fabs(regression->predictions->items->estimate - 2.13194712899283) < 1e-12);
}

static void test_prediction__each_replicate_predicts_by_its_own_coefficients(void **state)
{
    const bd_frame_spec spec = {.formula = "comply ~ econ_hard + age", .where = "treat == 1"};
    bd_glm_regression_options options = BD_GLM_REGRESSION_DEFAULTS;
    const bd_glm_regression *regression;
    jobs j;
    (void)state;
    must(read_jobs(spec, "econ_hard=5,age=60", &j));
    options.profiles = j.profiles;
    options.bootstrap = true;
    options.resampling.n_replicates = 200;
    must(bd_glm_regress(j.frame, &options, arena, &regression));
    const bd_replicates *r = regression->bootstrap->replicates;
    assert_int_equal(r->n_values, 4);
    assert_string_equal(r->names[3], "at econ_hard=5, age=60");
    for (size_t i = 0; i < 200; i++) {
        const double eta = r->values[i] + 5 * r->values[200 + i] + 60 * r->values[400 + i];
        assert_true(fabs(r->values[600 + i] - 1 / (1 + exp(-eta))) < 1e-14);
    }
    assert_true(regression->bootstrap->ends[3].low < regression->predictions->items->estimate);
    assert_true(regression->bootstrap->ends[3].high > regression->predictions->items->estimate);
}

static void test_prediction__least_squares_replicates_and_drawn_errors(void **state)
{
    const bd_frame_spec spec = {.formula = "depress2 ~ depress1 + age"};
    bd_regression_options options = BD_REGRESSION_DEFAULTS;
    const bd_regression *regression;
    jobs j;
    (void)state;
    must(read_jobs(spec, "depress1=3,age=60", &j));
    options.profiles = j.profiles;
    options.bootstrap = true;
    options.resampling.n_replicates = 200;
    options.resampling.method = &bd_bca;
    must(bd_regress(j.frame, &options, arena, &regression));
    const bd_replicates *r = regression->bootstrap->replicates;
    for (size_t i = 0; i < 200; i++)
        assert_true(fabs(r->values[600 + i] - r->values[i] - 3 * r->values[200 + i] - 60 * r->values[400 + i]) < 1e-13);
    assert_true(isfinite(regression->bootstrap->ends[3].low));
    options.resampling.method = NULL;
    options.resampling.sampling = &bd_sampling_residuals;
    assert_int_equal(bd_regress(j.frame, &options, arena, &regression), BD_EUSAGE);
    assert_non_null(strstr(bd_message(), "--profile: drawn errors (residual)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_prediction__least_squares, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_prediction__generalised, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_prediction__categories_and_counts_with_more_zeros, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_prediction__quantile, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_prediction__each_replicate_predicts_by_its_own_coefficients, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_prediction__least_squares_replicates_and_drawn_errors, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
