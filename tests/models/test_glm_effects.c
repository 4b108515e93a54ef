/* Marginal effects and classification held to R 4.2.2 (numDeriv, pROC 1.18.0): Rscript scripts/reference-glm.R */
#include "models/glm_sample.h"

#include <bordin/data/csv.h>

#include "models/glm_reference.h"

static void assert_margins(const char *what, const bd_glm_design *design, const bd_family *family, const bd_link *link,
                           const double *ame, const double *se)
{
    const bd_glm *fit = fit_glm(design, family, link, &bd_se_classical);
    const bd_glm_margin *margins;
    must(bd_glm_margins(design, fit, NULL, arena, &margins));
    assert_true(isnan(margins[0].estimate) && isnan(margins[0].se));
    for (size_t j = 1; j < fit->n_columns; j++) {
        assert_near(what, margins[j].estimate, ame[j - 1], 1e-10);
        assert_near(what, margins[j].se, se[j - 1], 1e-7); /* the gradient there is numerical */
        assert_true(margins[j].discrete == (j + 1 == fit->n_columns));
        assert_near(what, margins[j].statistic, margins[j].estimate / margins[j].se, 1e-15);
        assert_near(what, (margins[j].ci_high + margins[j].ci_low) / 2, margins[j].estimate, 1e-12);
    }
}

#define ASSERT_MARGINS(design, family, link, name) \
    assert_margins(#name, (design), (family), (link), name##_ame, name##_ame_se)

static void test_glm_margins__agree_with_a_numerical_delta_method(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    ASSERT_MARGINS(&s.design, &bd_binomial, &bd_logit, binomial_logit);
    ASSERT_MARGINS(&s.design, &bd_binomial, &bd_probit, binomial_probit);
    ASSERT_MARGINS(&s.design, &bd_binomial, &bd_cloglog, binomial_cloglog);
    ASSERT_MARGINS(&s.design, &bd_binomial, &bd_cauchit, binomial_cauchit);
    s.design.base.response = s.positive;
    ASSERT_MARGINS(&s.design, &bd_gamma, &bd_inverse, gamma_inverse);
    s.design.base.weights = s.w;
    ASSERT_MARGINS(&s.design, &bd_gamma, &bd_log, gamma_weighted);
    s.design.base.weights = NULL;
    s.design.base.response = s.count;
    ASSERT_MARGINS(&s.design, &bd_poisson, &bd_sqrt, poisson_sqrt);
    s.design.offset = s.offset;
    ASSERT_MARGINS(&s.design, &bd_poisson, &bd_log, poisson_log);
    s.design.offset = NULL;
    s.design.base.response = s.positive;
    s.columns[2] = s.z;
    s.design.base.n_columns = 3;
    ASSERT_MARGINS(&s.design, &bd_inverse_gaussian, NULL, inverse_gaussian_default);
}

/* loglog is cloglog of the other outcome: the same effects, with the sign turned. */
static void test_glm_margins__of_loglog_mirror_cloglog(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    const bd_glm_margin *loglog, *cloglog;
    must(bd_glm_margins(&s.design, fit_glm(&s.design, &bd_binomial, &bd_loglog, &bd_se_hc0), NULL, arena, &loglog));
    for (size_t i = 0; i < N; i++)
        s.binary[i] = 1 - s.binary[i];
    must(bd_glm_margins(&s.design, fit_glm(&s.design, &bd_binomial, &bd_cloglog, &bd_se_hc0), NULL, arena, &cloglog));
    for (size_t j = 1; j < 4; j++) {
        assert_near("estimate", loglog[j].estimate, -cloglog[j].estimate, 1e-10);
        assert_near("se", loglog[j].se, cloglog[j].se, 1e-10);
        assert_true(loglog[j].df == N - 4);
    }
}

/* A linear model's effects are its coefficients. */
static void test_glm_margins__of_a_linear_model_are_its_coefficients(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    s.design.base.response = s.normal;
    const bd_glm *fit = fit_glm(&s.design, &bd_gaussian, NULL, &bd_se_hc3);
    const bd_glm_margin *margins;
    must(bd_glm_margins(&s.design, fit, NULL, arena, &margins));
    for (size_t j = 1; j < 4; j++) {
        assert_near("estimate", margins[j].estimate, fit->coefficients[j].estimate, 1e-12);
        assert_near("se", margins[j].se, fit->coefficients[j].se, 1e-12);
        assert_near("p", margins[j].p, fit->coefficients[j].p, 1e-10);
        assert_near("low", margins[j].ci_low, fit->coefficients[j].ci_low, 1e-11);
    }
}

/* Of three levels, the change from the first to the second: by hand, at means of a saturated model. */
static void test_glm_margins__levels_of_a_factor_take_turns(void **state)
{
    (void)state;
    const double b[] = {0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0}, c[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1};
    const double y[] = {1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0};
    const char *const names[] = {"(Intercept)", "b", "c"};
    const size_t factors[] = {9, 1, 1};
    const bd_glm_design design = {.base = {.n_rows = 12,
                                           .n_columns = 3,
                                           .columns = (const double *const[]){NULL, b, c},
                                           .names = names,
                                           .response = y,
                                           .response_name = "y",
                                           .has_intercept = true}};
    const bd_glm_margin *margins;
    const bd_glm *fit = fit_glm(&design, &bd_binomial, NULL, &bd_se_classical);
    must(bd_glm_margins(&design, fit, factors, arena, &margins));
    assert_near("b", margins[1].estimate, 0.25, 1e-12);
    assert_near("c", margins[2].estimate, 0.5, 1e-12);
    assert_near("b", margins[1].se, sqrt(0.25 * 0.75 / 4 + 0.5 * 0.5 / 4), 1e-12);
    assert_near("c", margins[2].se, sqrt(0.25 * 0.75 / 4 + 0.25 * 0.75 / 4), 1e-12);
}

static void assert_classification(const char *what, const bd_family *family, const bd_link *link, size_t n,
                                  const char *const *names, const double *expected)
{
    const double *columns[MOST] = {NULL};
    const bd_csv_options options = BD_CSV_DEFAULTS;
    const bd_table *table;
    must(bd_csv_read("datasets/jobs2_mediation/jobs.csv", NULL, 0, &options, arena, &table));
    for (size_t j = 1; j < n; j++)
        columns[j] = bd_table_find(table, names[j])->numbers;
    const bd_glm_design design = {.base = {.n_rows = table->n_rows,
                                           .n_columns = n,
                                           .columns = columns,
                                           .names = names,
                                           .response = bd_table_find(table, "job_dich")->numbers,
                                           .response_name = "job_dich",
                                           .has_intercept = true}};
    const bd_glm_classification *c;
    must(bd_glm_classify(&design, fit_glm(&design, family, link, &bd_se_classical), arena, &c));
    const double values[] = {c->n_events, c->n_others, c->auc, c->auc_se, c->auc_low, c->auc_high, c->brier,
                             c->calibration_intercept, c->calibration_slope, c->hosmer_lemeshow, c->hosmer_lemeshow_df,
                             c->hosmer_lemeshow_p};
    for (size_t k = 0; k < 12; k++)
        if (k != 7 || fabs(expected[k]) > 1e-10)
            assert_near(what, values[k], expected[k], 1e-9);
        else
            assert_true(fabs(values[k]) < 1e-10);
}

static void test_glm_classify__agrees_with_proc(void **state)
{
    (void)state;
    const char *const all[] = {"(Intercept)", "treat", "econ_hard", "sex", "age"};
    const char *const few[] = {"(Intercept)", "treat", "sex"};
    assert_classification("probit", &bd_binomial, &bd_probit, 5, all, jobs_probit_classification);
    assert_classification("few values", &bd_binomial, NULL, 3, few, jobs_few_classification);
}

/* Trials count as that many rows. */
static void test_glm_classify__trials_are_rows(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3}, rows_x[] = {1, 1, 1, 2, 2, 3, 3, 3}, y[] = {1, 0, 0, 1, 0, 1, 1, 0};
    const double successes[] = {1, 1, 2}, trials[] = {3, 2, 3};
    const char *const names[] = {"(Intercept)", "x"};
    bd_glm_design design = {.base = {.n_rows = 8,
                                     .n_columns = 2,
                                     .columns = (const double *const[]){NULL, rows_x},
                                     .names = names,
                                     .response = y,
                                     .response_name = "y",
                                     .has_intercept = true}};
    const bd_glm_classification *rows, *grouped;
    must(bd_glm_classify(&design, fit_glm(&design, &bd_binomial, NULL, &bd_se_classical), arena, &rows));
    design.base.n_rows = 3;
    design.base.columns = (const double *const[]){NULL, x};
    design.base.response = successes;
    design.trials = trials;
    must(bd_glm_classify(&design, fit_glm(&design, &bd_binomial, NULL, &bd_se_classical), arena, &grouped));
    assert_near("AUC", grouped->auc, 10.5 / 16, 1e-12);
    assert_near("AUC", rows->auc, 10.5 / 16, 1e-12);
    assert_near("Brier", grouped->brier, rows->brier, 1e-12);
    assert_true(isnan(grouped->auc_se) && rows->auc_se > 0);
}

static void test_glm_effects__are_refused_without_finite_estimates(void **state)
{
    (void)state;
    sample s;
    const bd_glm_margin *margins;
    const bd_glm_classification *c;
    make_sample(&s);
    s.design.base.response = s.count;
    const bd_glm *counts = fit_glm(&s.design, &bd_poisson, NULL, &bd_se_classical);
    assert_int_equal(bd_glm_classify(&s.design, counts, arena, &c), BD_EUSAGE);
    assert_string_equal(bd_message(), "only a binomial outcome is classified, not one of family poisson");
    for (size_t i = 0; i < N; i++)
        s.binary[i] = s.x1[i] > 4;
    s.design.base.response = s.binary;
    const bd_glm *separated = fit_glm(&s.design, &bd_binomial, NULL, &bd_se_classical);
    assert_int_equal(bd_glm_margins(&s.design, separated, NULL, arena, &margins), BD_ENUMERIC);
    assert_string_equal(bd_message(), "the model has no finite estimates, so it has no marginal effects");
    assert_int_equal(bd_glm_classify(&s.design, separated, arena, &c), BD_ENUMERIC);
    assert_string_equal(bd_message(), "the model has no finite estimates, so it classifies nothing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_glm_margins__agree_with_a_numerical_delta_method, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm_margins__of_loglog_mirror_cloglog, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm_margins__of_a_linear_model_are_its_coefficients, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm_margins__levels_of_a_factor_take_turns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm_classify__agrees_with_proc, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm_classify__trials_are_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm_effects__are_refused_without_finite_estimates, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
