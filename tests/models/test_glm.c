/* Generalised linear models held to R 4.2.2 (glm, MASS, sandwich, clubSandwich): Rscript scripts/reference-glm.R */
#include "models/glm_sample.h"

#include <bordin/data/csv.h>

#include "models/glm_reference.h"

/* Estimates, standard errors, p; deviance, null deviance, log-likelihood, AIC, BIC, dispersion. */
static void assert_fit(const char *what, const bd_glm *fit, const double *estimate, const double *se, const double *p,
                       const double *summary)
{
    assert_int_equal(fit->end, BD_GLM_CONVERGED);
    ASSERT_ALL(what, fit, estimate, estimate, 1e-10);
    ASSERT_ALL(what, fit, se, se, 1e-10);
    ASSERT_ALL(what, fit, p, p, 1e-8);
    const double values[] = {fit->deviance, fit->null_deviance, fit->log_likelihood,
                             fit->aic,      fit->bic,           fit->dispersion};
    for (size_t k = 0; k < 6; k++)
        assert_near(what, values[k], summary[k], 1e-11);
}

#define ASSERT_FIT(fit, name) assert_fit(#name, (fit), name##_estimate, name##_se, name##_p, name##_fit)

/* The eight robust errors, and t on n - p or clusters - 1 degrees of freedom, or Satterthwaite's. */
static void assert_errors(const char *what, const bd_glm_design *design, const bd_family *family, const bd_link *link,
                          const double *const expected[8], const double *cr2_df)
{
    const bd_se_estimator *const errors[] = {&bd_se_hc0, &bd_se_hc1, &bd_se_hc2, &bd_se_hc3,
                                             &bd_se_hc4, &bd_se_cr0, &bd_se_cr1, &bd_se_cr2};
    for (size_t k = 0; k < 8; k++) {
        const bd_glm *fit = fit_glm(design, family, link, errors[k]);
        ASSERT_ALL(what, fit, se, expected[k], 1e-9);
        assert_true(fit->uses_t);
        if (k == 7)
            ASSERT_ALL(what, fit, df, cr2_df, 1e-9);
        else
            assert_true(fit->coefficients[1].df == (k < 5 ? N - 4 : 7));
    }
}

#define ASSERT_ERRORS(design, family, link, name)                                                                    \
    assert_errors(#name, (design), (family), (link),                                                                 \
                  (const double *const[8]){name##_hc0, name##_hc1, name##_hc2, name##_hc3, name##_hc4, name##_cr0,   \
                                           name##_cr1, name##_cr2},                                                  \
                  name##_cr2_df)

static void test_glm__binary_outcomes_agree_with_glm_for_every_link(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    ASSERT_FIT(fit_glm(&s.design, &bd_binomial, NULL, &bd_se_classical), binomial_logit);
    ASSERT_FIT(fit_glm(&s.design, &bd_binomial, &bd_probit, &bd_se_classical), binomial_probit);
    ASSERT_FIT(fit_glm(&s.design, &bd_binomial, &bd_cloglog, &bd_se_classical), binomial_cloglog);
    ASSERT_FIT(fit_glm(&s.design, &bd_binomial, &bd_cauchit, &bd_se_classical), binomial_cauchit);
    const bd_glm *loglog = fit_glm(&s.design, &bd_binomial, &bd_loglog, &bd_se_classical);
    ASSERT_ALL("loglog", loglog, estimate, binomial_loglog_estimate, 1e-10);
    ASSERT_ALL("loglog", loglog, se, binomial_loglog_se, 1e-10);
    assert_false(loglog->uses_t);
    assert_true(isinf(loglog->coefficients[1].df));
}

static void test_glm__trials_weights_and_shares_agree_with_glm(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    s.design.base.weights = s.w;
    const bd_glm *weighted = fit_glm(&s.design, &bd_binomial, NULL, &bd_se_classical);
    ASSERT_ALL("weighted", weighted, estimate, weighted_logit_estimate, 1e-10);
    ASSERT_ALL("weighted", weighted, se, weighted_logit_se, 1e-10);
    ASSERT_ALL("weighted", fit_glm(&s.design, &bd_binomial, NULL, &bd_se_hc3), se, weighted_logit_hc3, 1e-9);
    s.design.base.weights = NULL;
    s.design.base.response = s.share;
    ASSERT_FIT(fit_glm(&s.design, &bd_quasi_binomial, NULL, &bd_se_classical), fractional);
    s.design.base.response = s.successes;
    s.design.trials = s.trials;
    ASSERT_FIT(fit_glm(&s.design, &bd_binomial, NULL, &bd_se_classical), trials_logit);
}

static void test_glm__counts_agree_with_glm(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    s.design.base.response = s.count;
    ASSERT_FIT(fit_glm(&s.design, &bd_poisson, &bd_sqrt, &bd_se_classical), poisson_sqrt);
    ASSERT_FIT(fit_glm(&s.design, &bd_poisson, &bd_identity, &bd_se_classical), poisson_identity);
    ASSERT_FIT(fit_glm(&s.design, &bd_quasi_poisson, NULL, &bd_se_classical), quasi_poisson);
    s.design.offset = s.offset;
    ASSERT_FIT(fit_glm(&s.design, &bd_poisson, NULL, &bd_se_classical), poisson_log);
}

static void test_glm__amounts_agree_with_glm(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    s.design.base.response = s.positive;
    ASSERT_FIT(fit_glm(&s.design, &bd_gamma, NULL, &bd_se_classical), gamma_inverse);
    ASSERT_FIT(fit_glm(&s.design, &bd_gamma, &bd_log, &bd_se_classical), gamma_log);
    ASSERT_FIT(fit_glm(&s.design, &bd_gamma, &bd_identity, &bd_se_classical), gamma_identity);
    ASSERT_FIT(fit_glm(&s.design, &bd_gaussian, &bd_log, &bd_se_classical), gaussian_log);
    ASSERT_FIT(fit_glm(&s.design, &bd_gaussian, &bd_inverse, &bd_se_classical), gaussian_inverse);
    ASSERT_FIT(fit_glm(&s.design, &bd_inverse_gaussian, &bd_log, &bd_se_classical), inverse_gaussian_log);
    s.design.base.weights = s.w;
    ASSERT_FIT(fit_glm(&s.design, &bd_gamma, &bd_log, &bd_se_classical), gamma_weighted);
    s.design.base.response = s.normal;
    s.design.offset = s.offset;
    ASSERT_FIT(fit_glm(&s.design, &bd_gaussian, NULL, &bd_se_classical), gaussian_identity);
}

static void test_glm__inverse_gaussian_by_its_own_link_agrees_with_glm(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    s.columns[2] = s.z;
    s.design.base.n_columns = 3;
    s.design.base.response = s.positive;
    ASSERT_FIT(fit_glm(&s.design, &bd_inverse_gaussian, NULL, &bd_se_classical), inverse_gaussian_default);
}

static void test_glm__robust_errors_agree_with_sandwich(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    ASSERT_ERRORS(&s.design, &bd_binomial, &bd_logit, binomial_logit);
    ASSERT_ERRORS(&s.design, &bd_binomial, &bd_probit, binomial_probit);
    s.design.base.response = s.share;
    ASSERT_ERRORS(&s.design, &bd_quasi_binomial, &bd_logit, fractional);
    s.design.base.response = s.positive;
    ASSERT_ERRORS(&s.design, &bd_gamma, &bd_identity, gamma_identity);
    s.design.base.response = s.count;
    s.design.offset = s.offset;
    ASSERT_ERRORS(&s.design, &bd_poisson, &bd_log, poisson_log);
    s.design.base.response = s.normal;
    s.design.base.weights = s.w;
    ASSERT_ERRORS(&s.design, &bd_gaussian, &bd_identity, gaussian_identity);
    s.design.base.weights = s.design.offset = NULL;
    s.design.base.response = s.successes;
    s.design.trials = s.trials;
    ASSERT_ERRORS(&s.design, &bd_binomial, &bd_logit, trials_logit);
}

static bd_glm_design read_design(const char *path, const char *response, const char *const *names, size_t n)
{
    static const double *columns[MOST];
    const bd_csv_options options = BD_CSV_DEFAULTS;
    const bd_table *table;
    must(bd_csv_read(path, NULL, 0, &options, arena, &table));
    for (size_t j = 1; j < n; j++)
        columns[j] = bd_table_find(table, names[j])->numbers;
    return (bd_glm_design){.base = {.n_rows = table->n_rows,
                                    .n_columns = n,
                                    .columns = columns,
                                    .names = names,
                                    .response = bd_table_find(table, response)->numbers,
                                    .response_name = response,
                                    .has_intercept = true}};
}

static void test_glm__jobs_agree_with_glm(void **state)
{
    (void)state;
    const char *const job_seeking[] = {"(Intercept)", "treat", "econ_hard", "sex", "age"};
    bd_glm_design design = read_design("datasets/jobs2_mediation/jobs.csv", "job_dich", job_seeking, 5);
    const bd_glm *fit = fit_glm(&design, &bd_binomial, NULL, &bd_se_classical);
    ASSERT_FIT(fit, jobs_logit);
    const double whole[] = {fit->whole_statistic, fit->whole_df, fit->whole_p};
    const double r2[] = {fit->mcfadden, fit->nagelkerke, fit->tjur};
    for (size_t k = 0; k < 3; k++) {
        assert_near("likelihood ratio", whole[k], jobs_logit_whole[k], 1e-10);
        assert_near("pseudo R2", r2[k], jobs_logit_r2[k], 1e-10);
    }
    ASSERT_ALL("jobs", fit_glm(&design, &bd_binomial, NULL, &bd_se_hc3), se, jobs_logit_hc3, 1e-9);
    const char *const depression[] = {"(Intercept)", "treat", "econ_hard", "depress1"};
    design = read_design("datasets/jobs2_mediation/jobs.csv", "depress2", depression, 4);
    fit = fit_glm(&design, &bd_gamma, &bd_log, &bd_se_classical);
    ASSERT_FIT(fit, jobs_gamma);
    assert_near("F", fit->whole_statistic, jobs_gamma_whole[0], 1e-10);
    assert_near("p", fit->whole_p, jobs_gamma_whole[2], 1e-8);
}

static void test_glm__compliance_as_a_share_agrees_with_glm(void **state)
{
    (void)state;
    const char *const names[] = {"(Intercept)", "improvement"};
    bd_glm_design design = read_design("datasets/adherence_cholostyramine/cholost.csv", "compliance", names, 2);
    double *share = bd_arena_alloc(arena, design.base.n_rows, sizeof *share);
    for (size_t i = 0; i < design.base.n_rows; i++)
        share[i] = design.base.response[i] / 100;
    design.base.response = share;
    ASSERT_FIT(fit_glm(&design, &bd_quasi_binomial, NULL, &bd_se_classical), chol_fractional);
}

static void assert_negbin(const char *what, const bd_glm *fit, const double *summary)
{
    const double values[] = {fit->deviance, fit->null_deviance, fit->log_likelihood, fit->aic,
                             fit->bic,      fit->theta,         fit->theta_se};
    for (size_t k = 0; k < 7; k++)
        assert_near(what, values[k], summary[k], 1e-9);
}

static void test_glm__negative_binomial_agrees_with_mass(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    s.design.base.response = s.count;
    const bd_glm *fit = fit_glm(&s.design, &bd_negbin, NULL, &bd_se_classical);
    ASSERT_ALL("negbin", fit, estimate, negbin_estimate, 1e-9);
    ASSERT_ALL("negbin", fit, se, negbin_se, 1e-9);
    assert_negbin("negbin", fit, negbin_fit);
    assert_near("likelihood ratio", fit->whole_statistic, 2 * (negbin_fit[2] - negbin_null_fit[2]), 1e-9);
    ASSERT_ALL("negbin", fit_glm(&s.design, &bd_negbin, NULL, &bd_se_hc3), se, negbin_hc3, 1e-8);
    s.columns[1] = quine_aboriginal;
    s.columns[2] = quine_male;
    s.columns[3] = quine_slow;
    s.design.base.n_rows = sizeof quine_days / sizeof *quine_days;
    s.design.base.response = quine_days;
    fit = fit_glm(&s.design, &bd_negbin, NULL, &bd_se_classical);
    ASSERT_ALL("quine", fit, estimate, quine_estimate, 1e-9);
    ASSERT_ALL("quine", fit, se, quine_se, 1e-9);
    assert_negbin("quine", fit, quine_fit);
}

static void test_glm__firth_agrees_with_its_own_score(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    const bd_glm_options options = {.level = 0.95, .firth = true};
    const bd_glm *fit;
    must(bd_glm_fit(&s.design, &bd_binomial, NULL, &bd_se_classical, &options, arena, &fit));
    assert_int_equal(fit->end, BD_GLM_CONVERGED);
    ASSERT_ALL("firth", fit, estimate, firth_estimate, 1e-10);
    ASSERT_ALL("firth", fit, se, firth_se, 1e-10);
    assert_near("firth", fit->penalised_log_likelihood, firth_loglik[0], 1e-11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_glm__binary_outcomes_agree_with_glm_for_every_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__trials_weights_and_shares_agree_with_glm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__counts_agree_with_glm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__amounts_agree_with_glm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__inverse_gaussian_by_its_own_link_agrees_with_glm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__robust_errors_agree_with_sandwich, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__jobs_agree_with_glm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__compliance_as_a_share_agrees_with_glm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__negative_binomial_agrees_with_mass, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm__firth_agrees_with_its_own_score, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
