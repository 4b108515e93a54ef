/* Meta-analyses of several effects a study, against metafor and clubSandwich (scripts/reference-meta-levels.R). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include <bordin/analyses/meta.h>
#include <bordin/data/csv.h>

#include "analyses/meta_levels_reference.h"
#include "fixture.h"

static const char *const SCHOOLS = "datasets/meta_levels/konstantopoulos2011.csv",
                        *const DELINQUENTS = "datasets/meta_levels/assink2016.csv",
                        *const REGARD = "datasets/meta_positive_regard/effects.csv";

/* REML, CR2, percentiles of two threads unless changed. */
static bd_meta_options several(double rho)
{
    bd_meta_options options = BD_META_DEFAULTS;
    options.several = true;
    options.rho = rho;
    return options;
}

static bd_status analyse(const char *path, const char *formula, const char *cluster, const char *where,
                         bd_meta_options options, const bd_meta_analysis **meta)
{
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bool r = path == REGARD;
    const bd_frame_spec spec = {.formula = formula, .cluster = cluster, .where = where, .extra = r ? "0 + n" : "0 + vi",
                                .extra_option = r ? "--n" : "--variance"};
    const bd_wanted *wanted;
    const bd_table *table;
    const bd_frame *frame;
    size_t n_wanted;
    options.measure = r ? BD_MEASURE_ZCOR : BD_MEASURE_GENERIC;
    BD_TRY(bd_frame_wanted(&spec, arena, &wanted, &n_wanted));
    BD_TRY(bd_csv_read(path, wanted, n_wanted, &csv, arena, &table));
    BD_TRY(bd_frame_build(table, &spec, arena, &frame));
    return bd_meta(frame, &options, arena, meta);
}

static void near(double found, double wanted, double tolerance, const char *what, size_t which)
{
    if (!(fabs(found - wanted) <= tolerance * fabs(wanted)))
        fail_msg("%s, value %zu: %.12g, not %.12g", what, which, found, wanted);
}

/* optim stops where the likelihood is flat to all its digits: variances have 6 to 7 of them there. */
static void holds_to(const bd_pooled_levels *fit, const double *wanted, size_t n, const char *what)
{
    double found[60] = {fit->components[0].variance, fit->components[0].ci_low, fit->components[0].ci_high,
                        fit->components[1].variance, fit->components[1].ci_low, fit->components[1].ci_high,
                        fit->log_likelihood, fit->aic, fit->bic, fit->q};
    size_t at = 10;
    for (size_t j = 0; j < fit->n_columns; j++) {
        const bd_levels_coefficient *c = &fit->coefficients[j];
        memcpy(found + at, (double[]){c->estimate, c->se_model, c->se, c->df, c->p}, 5 * sizeof *found);
        at += 5;
    }
    assert_int_equal(at, n);
    for (size_t i = 0; i < n; i++)
        if (wanted[i] == 0)
            assert_true(found[i] == 0);
        else
            near(found[i], wanted[i], i >= 6 && i < 10 ? 1e-10 : i < 6 && i % 3 != 0 ? 1e-8 : 1e-6, what, i);
}

static void test_meta_levels__agrees_with_metafor_and_club_sandwich(void **state)
{
    const struct {
        const char *path, *formula, *cluster;
        double rho;
        bool ml;
        const double *wanted;
        size_t n;
    } cases[] = {
        {SCHOOLS, "yi ~ 1", "district", 0, false, schools, sizeof schools / sizeof *schools},
        {SCHOOLS, "yi ~ year", "district", 0, true, schools_ml, sizeof schools_ml / sizeof *schools_ml},
        {DELINQUENTS, "yi ~ 1", "study", 0.6, false, delinquents, sizeof delinquents / sizeof *delinquents},
        {DELINQUENTS, "yi ~ year + deltype", "study", 0.6, false, delinquents_type,
         sizeof delinquents_type / sizeof *delinquents_type},
        {REGARD, "r ~ 1", "study_id", 0, false, regard, sizeof regard / sizeof *regard},
        {REGARD, "r ~ 1", "study_id", 0.5, false, regard_half, sizeof regard_half / sizeof *regard_half},
        {REGARD, "r ~ I(outcome_rater == 'P') + n", "study_id", 0.8, false, regard_rater,
         sizeof regard_rater / sizeof *regard_rater},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const bd_meta_analysis *meta = NULL;
        bd_meta_options options = several(cases[i].rho);
        options.levels.ml = cases[i].ml;
        must(analyse(cases[i].path, cases[i].formula, cases[i].cluster, NULL, options, &meta));
        holds_to(meta->levels, cases[i].wanted, cases[i].n, cases[i].formula);
    }
}

/* At its ends the profile's likelihood is lower by half of the chi-squared quantile, whichever was being moved. */
static void test_meta_levels__without_variance_within_studies_it_is_at_the_edge(void **state)
{
    const bd_meta_analysis *meta = NULL;
    (void)state;
    must(analyse(REGARD, "r ~ 1", "study_id", "study_id == 18 || study_id == 1 || study_id == 6", several(0.9), &meta));
    for (size_t k = 0; k < BD_N_LEVELS; k++) {
        const bd_levels_component *c = &meta->levels->components[k];
        assert_true(c->variance >= 0 && c->ci_low <= c->variance && c->ci_high > c->variance);
    }
}

static void test_meta_levels__the_order_of_effects_does_not_matter(void **state)
{
    const double y[] = {0.1, 0.5, 0.3, 0.9, 0.2, 0.4}, v[] = {0.02, 0.03, 0.04, 0.02, 0.05, 0.03};
    const uint32_t study[] = {0, 0, 1, 1, 2, 2};
    const size_t order[] = {4, 0, 2, 3, 1, 5};
    static const double *const columns[] = {NULL};
    static const char *const names[] = {"(Intercept)"};
    double y2[6], v2[6];
    uint32_t study2[6];
    const bd_pooled_levels *fit[2] = {NULL, NULL};
    const bd_levels_options options = BD_LEVELS_DEFAULTS;
    bd_levels_design design = {.effects = {.n = 6, .n_columns = 1, .effects = y, .variances = v, .columns = columns,
                                           .names = names, .has_intercept = true},
                               .study = study, .n_studies = 3, .rho = 0.4};
    (void)state;
    must(bd_pool_levels(&design, &options, arena, &fit[0]));
    for (size_t i = 0; i < 6; i++) {
        y2[i] = y[order[i]];
        v2[i] = v[order[i]];
        study2[i] = study[order[i]];
    }
    design.effects.effects = y2;
    design.effects.variances = v2;
    design.study = study2;
    must(bd_pool_levels(&design, &options, arena, &fit[1]));
    near(fit[1]->coefficients[0].estimate, fit[0]->coefficients[0].estimate, 1e-9, "estimate", 0);
    near(fit[1]->coefficients[0].se, fit[0]->coefficients[0].se, 1e-9, "se", 0);
    near(fit[1]->coefficients[0].df, fit[0]->coefficients[0].df, 1e-9, "df", 0);
    for (size_t i = 0; i < 6; i++)
        near(fit[1]->weights[i], fit[0]->weights[order[i]], 1e-9, "weight", i);
    design.n_studies = 1;
    memset(study2, 0, sizeof study2);
    assert_int_equal(bd_pool_levels(&design, &options, arena, &fit[1]), BD_EDATA);
    assert_string_equal(bd_message(), "all effects are of one study; pooling studies needs two at least");
    design.rho = 1;
    assert_int_equal(bd_pool_levels(&design, &options, arena, &fit[1]), BD_EUSAGE);
    design.rho = NAN;
    assert_int_equal(bd_pool_levels(&design, &options, arena, &fit[1]), BD_EUSAGE);
}

static void test_meta_levels__studies_are_resampled_whole_with_the_same_bits_for_any_threads(void **state)
{
    bd_meta_options options = several(0.5);
    const bd_meta_analysis *one = NULL, *two = NULL;
    (void)state;
    options.bootstrap = true;
    options.resampling.n_replicates = 400;
    options.resampling.n_threads = 1;
    must(analyse(REGARD, "r ~ 1", "study_id", NULL, options, &one));
    options.resampling.n_threads = 2;
    must(analyse(REGARD, "r ~ 1", "study_id", NULL, options, &two));
    assert_memory_equal(one->bootstrap->ends, two->bootstrap->ends, 3 * sizeof *one->bootstrap->ends);
    near(one->bootstrap->ends[0].boot_se, one->levels->coefficients[0].se, 0.2, "se", 0);
}

static void test_meta_levels__what_cannot_be_told_apart_is_refused(void **state)
{
    const bd_meta_analysis *meta = NULL;
    (void)state;
    assert_int_equal(analyse(DELINQUENTS, "yi ~ 1", "study", "esid == 1", several(0), &meta), BD_EDATA);
    assert_string_equal(bd_message(), "every study has one effect: what is between studies and what is within them cannot "
                                      "be told apart; leave out the clusters");
    assert_null(meta);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_meta_levels__agrees_with_metafor_and_club_sandwich, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_meta_levels__without_variance_within_studies_it_is_at_the_edge, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_meta_levels__the_order_of_effects_does_not_matter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_meta_levels__studies_are_resampled_whole_with_the_same_bits_for_any_threads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_meta_levels__what_cannot_be_told_apart_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
