/* Meta-analyses from a formula to a document, against metafor (scripts/reference-meta.R analysis). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include <bordin/analyses/meta.h>
#include <bordin/data/csv.h>

#include "fixture.h"

static const char *const ADHERENCE = "datasets/meta_conscientiousness_adherence/studies.csv";

static bd_status analyse(const char *formula, bd_measure measure, bd_meta_options options,
                         const bd_meta_analysis **meta)
{
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_frame_spec spec = {.formula = formula, .extra = "0 + ni", .extra_option = "--n"};
    const bd_wanted *wanted;
    const bd_table *table;
    const bd_frame *frame;
    size_t n_wanted;
    options.measure = measure;
    BD_TRY(bd_frame_wanted(&spec, arena, &wanted, &n_wanted));
    BD_TRY(bd_csv_read(ADHERENCE, wanted, n_wanted, &csv, arena, &table));
    BD_TRY(bd_frame_build(table, &spec, arena, &frame));
    return bd_meta(frame, &options, arena, meta);
}

static void near_by(double found, double wanted, double tolerance)
{
    if (!(fabs(found - wanted) <= tolerance))
        fail_msg("%.12g, not %.12g", found, wanted);
}

static void near(double found, double wanted)
{
    near_by(found, wanted, 1e-9 * fabs(wanted));
}

static void test_meta__correlations_pool_as_in_metafor(void **state)
{
    /* escalc and rma(test = "adhoc"): estimate, SE, p, tau^2, Q, I2, prediction interval */
    static const struct {
        bd_measure measure;
        double values[8];
    } wanted[] = {
        {BD_MEASURE_ZCOR, {0.14991714852, 0.032769772248, 0.00036472906075, 0.0081095608242, 38.159515424, 61.729654689,
                           -0.054339993921, 0.35417429096}},
        {BD_MEASURE_COR, {0.1523733605, 0.032245095693, 0.0002707797379, 0.0085670768185, 40.832351639, 64.691541366,
                          -0.056539392271, 0.36128611326}},
    };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const bd_meta_analysis *meta = NULL;
        must(analyse("ri ~ 1", wanted[i].measure, BD_META_DEFAULTS, &meta));
        const bd_pooling_coefficient *c = &meta->fit->coefficients[0];
        const double found[] = {c->estimate, c->se, c->p, meta->fit->tau2, meta->fit->q, 100 * meta->fit->i2,
                                c->prediction_low, c->prediction_high};
        for (size_t k = 0; k < 8; k++)
            near(found[k], wanted[i].values[k]);
    }
}

static void test_meta__categories_and_numbers_moderate(void **state)
{
    const bd_meta_analysis *meta = NULL;
    (void)state;
    must(analyse("ri ~ meanage + controls", BD_MEASURE_ZCOR, BD_META_DEFAULTS, &meta));
    near(meta->fit->coefficients[0].estimate, 0.088216970809);
    near(meta->fit->coefficients[1].estimate, -0.0010681114673);
    near(meta->fit->coefficients[2].estimate, 0.14727625608);
    near(meta->fit->coefficients[2].se, 0.045956328768);
    near(meta->fit->qm, 7.8661946602);
    near(meta->fit->qm_p, 0.0057705268237);
}

/* Each replicate is a fit to the studies it drew: their spread is near the standard error without a guard. */
static void test_meta__studies_are_resampled_with_the_same_bits_for_any_threads(void **state)
{
    bd_meta_options options = BD_META_DEFAULTS;
    const bd_meta_analysis *one = NULL, *two = NULL;
    (void)state;
    options.bootstrap = true;
    options.resampling.n_threads = 1;
    must(analyse("ri ~ 1", BD_MEASURE_ZCOR, options, &one));
    options.resampling.n_threads = 2;
    must(analyse("ri ~ 1", BD_MEASURE_ZCOR, options, &two));
    assert_memory_equal(one->bootstrap->ends, two->bootstrap->ends, 2 * sizeof *one->bootstrap->ends);
    near_by(one->bootstrap->ends[0].low, 0.0881, 0.01);
    near_by(one->bootstrap->ends[0].high, 0.2118, 0.01);
}

static void test_meta__impossible_numbers_are_refused_by_name(void **state)
{
    const bd_meta_analysis *meta = NULL;
    (void)state;
    assert_int_equal(analyse("quality ~ 1", BD_MEASURE_ZCOR, BD_META_DEFAULTS, &meta), BD_EDATA);
    assert_string_equal(bd_message(), "study 1 has the correlation 1; correlations lie between -1 and 1");
    assert_int_equal(analyse("~ meanage", BD_MEASURE_ZCOR, BD_META_DEFAULTS, &meta), BD_EUSAGE);
    assert_null(meta);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_meta__correlations_pool_as_in_metafor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_meta__categories_and_numbers_moderate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_meta__studies_are_resampled_with_the_same_bits_for_any_threads, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_meta__impossible_numbers_are_refused_by_name, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
