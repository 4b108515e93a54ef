/* Bootstraps of the errors of a mediation: against refits of simulated columns, against R, against formulas. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/analyses/mediation.h>

#include "analyses/refitted_mediation.h"
#include "fixture.h"

enum { MANY = 20000 };

static const example examples[] = {
    {"simple", "datasets/jobs2_mediation/jobs.csv", "treat -> job_seek -> depress2", "depress1,age", 4, 6,
     {"(Intercept)", "depress1", "age", "treat", "job_seek", "depress2"}, {4, 5}},
    {"parallel", "datasets/mediation_pmi/tal_or.csv", "cond -> import, pmi -> reaction", NULL, 2, 5,
     {"(Intercept)", "cond", "import", "pmi", "reaction"}, {2, 2, 4}},
    {"serial", "datasets/mediation_pmi/tal_or.csv", "cond -> import -> pmi -> reaction", NULL, 2, 5,
     {"(Intercept)", "cond", "import", "pmi", "reaction"}, {2, 3, 4}},
};
enum { N_EXAMPLES = sizeof examples / sizeof examples[0] };

static bd_status mediate(const example *e, const bd_bootstrap_options *resampling, const char *weights,
                         const char *strata, const bd_mediation **mediation)
{
    bd_mediation_options options = BD_MEDIATION_DEFAULTS;
    bd_frame_spec spec = {.weights = weights, .strata = strata};
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_wanted *wanted;
    const bd_table *table;
    const bd_frame *frame;
    const bd_path *path;
    size_t n_wanted;
    options.resampling = *resampling;
    must(bd_path_parse(e->path, arena, &path));
    must(bd_path_formula(path, e->adjust, arena, &spec.formula));
    must(bd_frame_wanted(&spec, arena, &wanted, &n_wanted));
    must(bd_csv_read(e->file, wanted, n_wanted, &csv, arena, &table));
    must(bd_frame_build(table, &spec, arena, &frame));
    return bd_mediate(frame, path, &options, arena, mediation);
}

static const bd_replicates *replicates_by(const bd_interval_method *method, const example *e, size_t draw, size_t n,
                                          uint64_t seed, int n_threads)
{
    const bd_mediation *mediation;
    bd_bootstrap_options options = BD_BOOTSTRAP_DEFAULTS;
    options.sampling = draws[draw];
    options.method = method;
    options.n_replicates = n;
    options.seed = seed;
    options.n_threads = n_threads;
    must(mediate(e, &options, NULL, NULL, &mediation));
    return mediation->bootstrap->replicates;
}

/* With their errors. */
static const bd_replicates *replicates_of(const example *e, size_t draw, size_t n, uint64_t seed, int n_threads)
{
    return replicates_by(&bd_studentised, e, draw, n, seed, n_threads);
}

static void close_to(const char *what, const example *e, size_t draw, double fast, double expected, double scale_of)
{
    if (!(fabs(fast - expected) <= 1e-10 * (fabs(expected) + scale_of)))
        fail_msg("%s, %s, %s: %.15g, expected %.15g", e->name, draws[draw]->name, what, fast, expected);
}

/* Rounding alone may part them: 1e-10, of coefficients that lose at most a few digits. */
static void test_mediation_residuals__are_those_of_refitted_columns(void **state)
{
    (void)state;
    enum { N = 5, SEED = 7 };
    const char *const names[] = {"total", "direct", "indirect"};
    for (size_t x = 0; x < N_EXAMPLES; x++) {
        const example *e = &examples[x];
        const slow s = slow_of(e);
        for (size_t draw = 0; draw < N_DRAWS; draw++) {
            const bd_replicates *fast = replicates_of(e, draw, N, SEED, 2);
            for (uint32_t r = 0; r < N; r++) {
                const effects expected = refit(&s, draw, SEED, r);
                for (size_t v = 0; v < N_EFFECTS; v++) {
                    close_to(names[v], e, draw, fast->values[v * N + r], expected.values[v], fast->errors[v]);
                    if (!isnan(expected.errors[v]))
                        close_to("an error", e, draw, fast->value_errors[v * N + r], expected.errors[v], 0);
                }
            }
        }
    }
}

typedef struct spread {
    double mean, sd, sd_error; /* sd_error: Monte-Carlo, relative */
} spread;

static spread spread_of(const bd_replicates *r, size_t value)
{
    const double *x = r->values + value * r->n_replicates, n = (double)r->n_replicates;
    double mean = 0, squares = 0, fourths = 0;
    for (size_t i = 0; i < r->n_replicates; i++)
        mean += x[i] / n;
    for (size_t i = 0; i < r->n_replicates; i++) {
        const double square = (x[i] - mean) * (x[i] - mean);
        squares += square / n;
        fourths += square * square / n;
    }
    return (spread){mean, sqrt(squares * n / (n - 1)), sqrt((fourths / (squares * squares) - 1) / (4 * n))};
}

/* scripts/reference-residuals.R, R 4.2.2: the SD of the indirect effect in 50,000 simulated samples with its relative
 * Monte-Carlo error, and the SD of the total effect by its formula. Four Monte-Carlo errors are allowed. */
static void test_mediation_residuals__spread_as_in_r(void **state)
{
    (void)state;
    static const struct {
        double indirect_sd, indirect_error, total_sd;
    } reference[N_DRAWS][N_EXAMPLES] = {
        {{0.008896690838, 0.003418711680, 0.041686334008},
         {0.163385037006, 0.003265232715, 0.278823972484},
         {0.16350054695, 0.00325714947, 0.27893902817}},
        {{0.00838270525, 0.00317266435, 0.04201170508},
         {0.153751506553, 0.003139485665, 0.277240031676},
         {0.153931077661, 0.003139943679, 0.277345516473}},
        {{0.008868666872, 0.003354330108, 0.041689480254},
         {0.166228639003, 0.003317315812, 0.279156155776},
         {0.166109119190, 0.003297143235, 0.279277833486}},
    };
    for (size_t draw = 0; draw < N_DRAWS; draw++)
        for (size_t x = 0; x < N_EXAMPLES; x++) {
            const bd_replicates *r = replicates_by(&bd_percentile, &examples[x], draw, MANY, 1, 2);
            const spread indirect = spread_of(r, INDIRECT), total = spread_of(r, TOTAL);
            const double error = hypot(indirect.sd_error, reference[draw][x].indirect_error);
            assert_true(error < 0.008);
            if (fabs(indirect.sd / reference[draw][x].indirect_sd - 1) > 4 * error)
                fail_msg("%s, %s: SD %.6g, expected %.6g", examples[x].name, draws[draw]->name, indirect.sd,
                         reference[draw][x].indirect_sd);
            assert_true(fabs(total.sd / reference[draw][x].total_sd - 1) < 4 * total.sd_error);
            assert_true(fabs(total.mean - r->estimates[TOTAL]) < 4 * total.sd / sqrt(MANY));
        }
}

static void test_mediation_residuals__total_is_direct_and_indirect(void **state)
{
    (void)state;
    const bd_replicates *r = replicates_of(&examples[2], RESIDUAL, 300, 2, 2);
    assert_int_equal(r->n_ended[BD_REPLICATE_USABLE], 300);
    for (size_t i = 0; i < 300; i++)
        assert_true(fabs(r->values[DIRECT * 300 + i] + r->values[INDIRECT * 300 + i] - r->values[i]) < 1e-12);
}

static void test_mediation_residuals__are_identical_for_any_thread_count(void **state)
{
    (void)state;
    for (size_t draw = 0; draw < N_DRAWS; draw++) {
        const bd_replicates *one = replicates_of(&examples[1], draw, 500, 3, 1);
        const bd_replicates *three = replicates_of(&examples[1], draw, 500, 3, 3);
        const bd_replicates *other = replicates_of(&examples[1], draw, 9, 4, 1);
        assert_memory_equal(one->values, three->values, 500 * one->n_values * sizeof(double));
        assert_memory_equal(one->value_errors, three->value_errors, 500 * one->n_values * sizeof(double));
        assert_true(one->values[0] != other->values[0]);
    }
}

static void test_mediation_residuals__say_what_was_drawn(void **state)
{
    (void)state;
    const char *const words[] = {"same row", "same sign", "correlated within a stage"};
    for (size_t draw = 0; draw < N_DRAWS; draw++) {
        const bd_mediation *mediation;
        bd_bootstrap_options options = BD_BOOTSTRAP_DEFAULTS;
        options.sampling = draws[draw];
        options.n_replicates = 50;
        must(mediate(&examples[0], &options, NULL, NULL, &mediation));
        assert_non_null(strstr(mediation->bootstrap->drawn, words[draw]));
        assert_null(mediation->bootstrap->replicates->value_errors); /* no interval needs them */
    }
}

static void refused(bd_bootstrap_options options, const char *weights, const char *strata, const char *because)
{
    const bd_mediation *mediation;
    options.sampling = &bd_sampling_wild;
    assert_int_equal(mediate(&examples[0], &options, weights, strata, &mediation), BD_EUSAGE);
    if (strstr(bd_message(), because) == NULL)
        fail_msg("'%s' is not in '%s'", because, bd_message());
}

static void test_mediation_residuals__what_errors_cannot_do_is_refused(void **state)
{
    (void)state;
    const bd_bootstrap_options plain = BD_BOOTSTRAP_DEFAULTS;
    bd_bootstrap_options bca = plain, jackknife = plain, checkpoint = plain, precise = plain, none = plain;
    bca.method = &bd_bca;
    jackknife.method = &bd_jackknife;
    checkpoint.checkpoint = "never.checkpoint";
    precise.precision = 0.1;
    none.n_replicates = 0;
    refused(plain, "age", NULL, "errors of rows with weights are not drawn");
    refused(plain, NULL, "occp", "errors (wild) are not drawn within strata");
    refused(bca, NULL, NULL, "bca goes with rows or clusters, not with drawn errors (wild)");
    refused(jackknife, NULL, NULL, "jackknife goes with rows or clusters");
    refused(checkpoint, NULL, NULL, "a checkpoint goes with rows or clusters");
    refused(precise, NULL, NULL, "--boot auto goes with rows or clusters");
    refused(none, NULL, NULL, "0 is not a number of replicates");
}

static bd_replicate_end slope(const void *context, const double *triangle, double *values, double *errors)
{
    (void)errors;
    values[0] = triangle[2 * 4 + 3] / triangle[2 * 4 + 2];
    return *(const bd_replicate_end *)context;
}

/* Two rows in each group: a quarter of the signs leave m no more than its group means, beside which it has no slope. */
static void test_mediation_residuals__too_many_collinear_replicates_are_an_error(void **state)
{
    (void)state;
    static const double x[] = {0, 0, 1, 1}, m[] = {1, 2, 4, 7}, y[] = {3, 1, 4, 1};
    const double *const values[] = {NULL, x, m, y};
    const char *const names[] = {"(Intercept)", "x", "m", "y"};
    const size_t n_predictors[] = {2, 3};
    const bd_columns columns = {.n_rows = 4, .n_columns = 4, .values = values};
    const bd_residual_system system = {&columns, names, 2, n_predictors, true};
    const bd_residual_options options = {.draw = &bd_draw_wild, .n_replicates = 400, .seed = 1};
    bd_replicate_end end = BD_REPLICATE_USABLE;
    const bd_statistic statistic = {
        .n_values = 1, .names = names + 2, .columns = &columns, .from_moments = slope, .context = &end};
    const bd_replicates *replicates;
    double *triangle;
    must(bd_triangle_of(&columns, 1, arena, &triangle));
    assert_int_equal(bd_residual_bootstrap_system(&system, &statistic, triangle, &options, arena, &replicates),
                     BD_ENUMERIC);
    assert_non_null(strstr(bd_message(), "of 400 replicates could not be estimated (collinear: "));
    end = BD_REPLICATE_CONSTANT;
    assert_int_equal(bd_residual_bootstrap_system(&system, &statistic, triangle, &options, arena, &replicates),
                     BD_ENUMERIC);
    assert_non_null(strstr(bd_message(), "the data as they are cannot be estimated"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mediation_residuals__are_those_of_refitted_columns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mediation_residuals__spread_as_in_r, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mediation_residuals__total_is_direct_and_indirect, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mediation_residuals__are_identical_for_any_thread_count, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_mediation_residuals__say_what_was_drawn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mediation_residuals__what_errors_cannot_do_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mediation_residuals__too_many_collinear_replicates_are_an_error, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("mediation_residuals", tests, NULL, NULL);
}
