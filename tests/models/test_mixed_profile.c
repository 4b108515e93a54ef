/* Profile-likelihood intervals of what varies, held to roots of lme4's deviance (scripts/reference-mixed-profile.R). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include <bordin/data/frame.h>
#include <bordin/models/mixed.h>

#include "fixture.h"

static void assert_near(double found, double wanted, double tolerance)
{
    if (!(fabs(found - wanted) <= tolerance * fmax(1e-6, fabs(wanted))))
        fail_msg("%.13g, not %.13g", found, wanted);
}

/* Intervals of a model whose terms vary by the columns `by`, each with the fixed part's columns or the level alone. */
static const bd_mixed_interval *profile(const char *file, const char *formula, const char *const *by, size_t n_by,
                                        bool slopes, bool reml, size_t n)
{
    bd_varying_spec varying[2];
    for (size_t t = 0; t < n_by; t++)
        varying[t] = (bd_varying_spec){"1", &by[t], 1};
    const bd_frame_spec spec = {.formula = formula, .varying = varying, .n_varying = n_by};
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_wanted *wanted;
    const bd_table *table;
    const bd_frame *f;
    const char *path;
    size_t n_wanted, n_found;
    must(bd_print(arena, &path, "datasets/mixed/%s.csv", file));
    must(bd_frame_wanted(&spec, arena, &wanted, &n_wanted));
    must(bd_csv_read(path, wanted, n_wanted, &csv, arena, &table));
    must(bd_frame_build(table, &spec, arena, &f));
    const double *columns[] = {NULL, f->n_columns > 1 ? f->columns[1].values : NULL};
    static const char *const names[] = {"(Intercept)", "slope"};
    bd_mixed_term terms[2];
    for (size_t t = 0; t < n_by; t++)
        terms[t] = (bd_mixed_term){.group = f->varying[t].groups->codes,
                                   .n_groups = f->varying[t].groups->n_levels,
                                   .group_name = by[t],
                                   .n_random = slopes ? 2 : 1,
                                   .random = columns,
                                   .random_names = names};
    const bd_mixed_design design = {.n_rows = f->n_rows, .n_columns = f->n_columns, .columns = columns, .names = names,
                                    .has_intercept = true, .response = f->response, .response_name = "y",
                                    .n_terms = n_by, .terms = terms};
    bd_mixed_options options = BD_MIXED_DEFAULTS;
    const bd_mixed_model *model;
    const bd_mixed *fit = NULL;
    const bd_mixed_interval *intervals = NULL;
    options.reml = reml;
    must(bd_mixed_prepare(&design, arena, &model));
    must(bd_mixed_fit(model, &options, arena, &fit));
    must(bd_mixed_profile(model, fit, 1, arena, &intervals, &n_found));
    assert_int_equal(n_found, n);
    return intervals;
}

static void assert_interval(const bd_mixed_interval *found, bd_mixed_interval_kind kind, double low, double high)
{
    assert_int_equal(found->kind, kind);
    assert_near(found->low, low, 1e-7);
    assert_near(found->high, high, 1e-7);
}

static void test_mixed_profile__one_variance_and_its_share(void **state)
{
    static const char *const batch = "Batch";
    (void)state;
    for (int reml = 0; reml < 2; reml++) { /* of maximum likelihood either way */
        const bd_mixed_interval *found = profile("dyestuff", "Yield ~ 1", &batch, 1, false, reml, 3);
        assert_interval(&found[0], BD_MIXED_OF_SD, 12.1965052792, 84.0634109693);
        assert_interval(&found[1], BD_MIXED_OF_RESIDUAL, 38.2301233113, 67.6576727898);
        assert_interval(&found[2], BD_MIXED_OF_SHARE, 0.0416329740359, 0.759791168987);
        assert_near(found[0].estimate, 37.2603454433, 1e-7);
    }
}

static void test_mixed_profile__slopes_and_their_correlation(void **state)
{
    static const char *const subject = "Subject";
    const bd_mixed_interval *found = profile("sleepstudy", "Reaction ~ Days", &subject, 1, true, true, 4);
    (void)state;
    assert_interval(&found[0], BD_MIXED_OF_SD, 14.3813844918, 37.7160550508);
    assert_interval(&found[1], BD_MIXED_OF_CORRELATION, -0.481492582149, 0.685018970366);
    assert_interval(&found[2], BD_MIXED_OF_SD, 3.80117727895, 8.7533920003);
    assert_interval(&found[3], BD_MIXED_OF_RESIDUAL, 22.8982565066, 28.8579992206);
}

static void test_mixed_profile__crossed_groups(void **state)
{
    static const char *const by[] = {"plate", "sample"};
    const bd_mixed_interval *found = profile("penicillin", "diameter ~ 1", by, 2, false, true, 3);
    (void)state;
    assert_interval(&found[0], BD_MIXED_OF_SD, 0.633565186939, 1.1821033297);
    assert_interval(&found[1], BD_MIXED_OF_SD, 1.09583147521, 3.55632239305);
    assert_interval(&found[2], BD_MIXED_OF_RESIDUAL, 0.485845559374, 0.629453426533);
}

/* confint of lme4 has 2.08404349: it interpolates. */
static void test_mixed_profile__a_variance_of_zero_has_an_upper_end(void **state)
{
    static const char *const batch = "Batch";
    const bd_mixed_interval *found = profile("dyestuff2", "Yield ~ 1", &batch, 1, false, true, 3);
    (void)state;
    assert_true(found[0].estimate < 1e-6 && found[0].low == 0);
    assert_near(found[0].high, 2.08404349, 5e-6);
    assert_near(found[1].low, 2.89283102, 1e-5);
    assert_near(found[1].high, 4.81583255, 1e-5);
    assert_true(found[2].low == 0 && found[2].high > 0.1 && found[2].high < 0.4);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_mixed_profile__one_variance_and_its_share),
        TEST(test_mixed_profile__slopes_and_their_correlation),
        TEST(test_mixed_profile__crossed_groups),
        TEST(test_mixed_profile__a_variance_of_zero_has_an_upper_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
