/* Pooling of effects against metafor (scripts/reference-meta.R). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include <bordin/models/pooling.h>

#include "fixture.h"
#include "models/pooling_reference.h"

static const double *const BCG_COLUMNS[] = {NULL, bcg_latitude, bcg_random};
static const char *const BCG_NAMES[] = {"(Intercept)", "latitude", "random"};

static bd_pooling_design bcg(size_t n_moderators)
{
    return (bd_pooling_design){.n = 13, .effects = bcg_yi, .variances = bcg_vi, .n_columns = n_moderators + 1,
                               .columns = BCG_COLUMNS, .names = BCG_NAMES, .has_intercept = true};
}

static bd_pooling_design calm(void)
{
    return (bd_pooling_design){.n = 6, .effects = calm_yi, .variances = calm_vi, .n_columns = 1,
                               .columns = BCG_COLUMNS, .names = BCG_NAMES, .has_intercept = true};
}

static bd_pooling_test test_named(const char *name)
{
    return strcmp(name, "z") == 0      ? BD_POOLING_Z
           : strcmp(name, "t") == 0    ? BD_POOLING_T
           : strcmp(name, "knha") == 0 ? BD_POOLING_KNHA_RAW
                                       : BD_POOLING_KNHA;
}

static const bd_pooled *pool(const bd_pooling_design *design, const char *method, bd_pooling_test test)
{
    bd_pooling_options options = BD_POOLING_DEFAULTS;
    const bd_pooled *fit = NULL;
    must(bd_tau_find(method, &options.estimator));
    options.test = test;
    must(bd_pool(design, &options, arena, &fit));
    assert_true(fit->converged);
    return fit;
}

static void near(double found, double wanted, double tolerance)
{
    if (!(fabs(found - wanted) <= tolerance))
        fail_msg("%.12g, not %.12g", found, wanted);
}

static void test_pooling__every_estimator_and_test_agrees_with_metafor(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pooling_reference / sizeof *pooling_reference; i++) {
        const char *method = pooling_reference[i].method;
        const size_t n_moderators = (size_t)pooling_reference[i].n_moderators;
        const bd_pooling_design design = pooling_reference[i].calm ? calm() : bcg(n_moderators);
        const bd_pooled *fit = pool(&design, method, test_named(pooling_reference[i].test));
        double found[40] = {fit->tau2, fit->tau2_se, fit->q, fit->q_p, 100 * fit->i2, fit->h2, fit->tau2_low,
                            fit->tau2_high, 100 * fit->i2_low, 100 * fit->i2_high, fit->h2_low, fit->h2_high, fit->qm,
                            fit->qm_p, 100 * fit->r2, fit->log_likelihood, fit->aic, fit->bic,
                            fit->coefficients[0].prediction_low, fit->coefficients[0].prediction_high};
        size_t n = 20;
        for (size_t j = 0; j < fit->n_columns; j++) {
            const bd_pooling_coefficient *c = &fit->coefficients[j];
            memcpy(found + n, (double[]){c->estimate, c->se, c->statistic, c->p, c->ci_low, c->ci_high},
                   6 * sizeof *found);
            n += 6;
        }
        assert_int_equal(n, pooling_reference[i].n_values);
        for (size_t k = 0; k < n; k++) {
            const double wanted = pooling_reference[i].values[k];
            if (!(fabs(found[k] - wanted) <= 2e-9 * fabs(wanted) + 1e-12) && !(isnan(found[k]) && isnan(wanted)))
                fail_msg("%s %s of %d moderators%s, value %zu: %.12g, not %.12g", method, pooling_reference[i].test,
                         pooling_reference[i].n_moderators, pooling_reference[i].calm ? " (calm)" : "", k, found[k],
                         wanted);
        }
    }
}

static void test_pooling__a_study_counted_twice_is_two_studies(void **state)
{
    bd_pooling_design twice = bcg(1);
    const bd_pooling_design once = bcg(1);
    double yi[26], vi[26], latitude[26], counts[13], found[3], wanted[3], *scratch = NULL;
    const double *columns[] = {NULL, latitude};
    (void)state;
    twice.n = 0;
    for (size_t i = 0; i < 13; i++) {
        counts[i] = (double)(i % 3);
        for (size_t k = 0; k < i % 3; k++, twice.n++) {
            yi[twice.n] = bcg_yi[i];
            vi[twice.n] = bcg_vi[i];
            latitude[twice.n] = bcg_latitude[i];
        }
    }
    twice.effects = yi;
    twice.variances = vi;
    twice.columns = columns;
    scratch = bd_arena_alloc(arena, bd_pooling_scratch(&once), sizeof *scratch);
    for (size_t m = 0; bd_tau_estimators[m] != NULL; m++) {
        assert_true(bd_pool_replicate(&once, bd_tau_estimators[m], counts, scratch, found));
        assert_true(bd_pool_replicate(&twice, bd_tau_estimators[m], NULL, scratch, wanted));
        for (size_t k = 0; k < 3; k++)
            near(found[k], wanted[k], 1e-10);
    }
}

static void refused(const bd_pooling_design *design, bd_status code, const char *message)
{
    const bd_pooling_options options = BD_POOLING_DEFAULTS;
    const bd_pooled *fit = NULL;
    assert_int_equal(bd_pool(design, &options, arena, &fit), code);
    assert_string_equal(bd_message(), message);
    assert_null(fit);
}

static void test_pooling__what_cannot_be_pooled_is_refused(void **state)
{
    bd_pooling_design design = bcg(0);
    double variances[13], constant[13], twice[13];
    const double *columns[] = {NULL, bcg_latitude, twice};
    (void)state;
    design.n = 1;
    refused(&design, BD_EDATA, "there is 1 effect; pooling needs two at least");
    design = bcg(2);
    design.n = 3;
    refused(&design, BD_EDATA, "3 effects are too few for 3 coefficients");
    design = bcg(0);
    memcpy(variances, bcg_vi, sizeof variances);
    variances[4] = 0;
    design.variances = variances;
    refused(&design, BD_EDATA, "effect 5 of those used has the variance 0; variances are numbers above 0");
    variances[4] = -0.1;
    refused(&design, BD_EDATA, "effect 5 of those used has the variance -0.1; variances are numbers above 0");
    design = bcg(2);
    for (size_t i = 0; i < 13; i++) {
        constant[i] = 4;
        twice[i] = 2 * bcg_latitude[i] - 1;
    }
    design.columns = columns;
    refused(&design, BD_ENUMERIC, "the moderator 'random' is a linear combination of those before it; leave it out");
    columns[2] = constant;
    refused(&design, BD_EDATA, "the moderator 'random' is the same in every study");
}

static void test_pooling__equal_effects_have_no_variance_between_studies(void **state)
{
    const double effects[] = {0.25, 0.25, 0.25}, variances[] = {0.01, 0.02, 0.03};
    bd_pooling_design design = calm();
    (void)state;
    design.n = 3;
    design.effects = effects;
    design.variances = variances;
    for (size_t m = 0; bd_tau_estimators[m] != NULL; m++) {
        const bd_pooled *fit = pool(&design, bd_tau_name(bd_tau_estimators[m]), BD_POOLING_KNHA);
        near(fit->coefficients[0].estimate, 0.25, 1e-15);
        near(fit->tau2, 0, 0);
        near(fit->q, 0, 1e-28);
        near(fit->i2, 0, 0);
    }
}

/* One exact study among vague ones far apart: Fisher's scoring swings. */
static void test_pooling__every_sample_has_an_estimate(void **state)
{
    uint64_t x = 12345;
    double effects[10], variances[10];
    bd_pooling_design design = calm();
    (void)state;
    design.effects = effects;
    design.variances = variances;
    for (size_t i = 0; i < 3000; i++) {
        double u[20];
        for (size_t j = 0; j < 20; j++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            u[j] = (double)(x >> 11) * 0x1p-53;
        }
        design.n = 3 + i % 8;
        for (size_t j = 0; j < design.n; j++) {
            variances[j] = 0.005 + u[j] * u[j] * u[j] * u[j];
            effects[j] = u[10 + j];
        }
        for (size_t m = 0; m < 5; m++)
            pool(&design, bd_tau_name(bd_tau_estimators[m]), BD_POOLING_KNHA);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pooling__every_estimator_and_test_agrees_with_metafor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pooling__a_study_counted_twice_is_two_studies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pooling__what_cannot_be_pooled_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pooling__every_sample_has_an_estimate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pooling__equal_effects_have_no_variance_between_studies, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
