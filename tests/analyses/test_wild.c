/* The wild bootstrap held to every draw fitted again by R 4.2.2 (Rscript scripts/reference-wild.R), and to the draws of
 * this program fitted again one by one. */
#include "models/ols_sample.h"

#include <bordin/analyses/wild.h>
#include <bordin/random/philox.h>

static const bd_wild_result *test_with(data *d, size_t coefficient, const bd_wild_options *options)
{
    const bd_wild_result *result = NULL;
    if (bd_wild_test(&d->design, coefficient, options, d->arena, &result) != BD_OK)
        fail_msg("%s", bd_message());
    return result;
}

static double p_at(data *d, size_t coefficient, bd_wild_options options, double hypothesis)
{
    options.hypothesis = hypothesis;
    return test_with(d, coefficient, &options)->p;
}

typedef struct reference {
    size_t coefficient;
    double hypothesis, level;
    bool impose_null;
    double t, p, ci_low, ci_high;
} reference;

static void assert_agrees(data *d, const reference *r, size_t n_clusters)
{
    bd_wild_options options = BD_WILD_DEFAULTS;
    options.hypothesis = r->hypothesis;
    options.level = r->level;
    options.impose_null = r->impose_null;
    options.n_replicates = (size_t)1 << n_clusters;
    const bd_wild_result *result = test_with(d, r->coefficient, &options);
    assert_true(result->enumerated);
    assert_int_equal(result->n_clusters, n_clusters);
    assert_int_equal(result->n_draws, (size_t)1 << n_clusters);
    assert_near(result->t, r->t, 1e-11);
    assert_true(result->p == r->p && result->p_equal_tailed == r->p);
    assert_near(result->ci_low, r->ci_low, 1e-11);
    assert_near(result->ci_high, r->ci_high, 1e-11);
}

static void test_wild__enumeration_agrees_with_refits(void **state)
{
    data *d = *state;
    add_three(d);
    const reference references[] = {
        {1, 0, 0.95, true, 5.05203330132802, 0.015625, 0.303333917203423, 0.831836695126799},
        {2, 0, 0.95, true, -2.83637729759438, 0.03125, -0.56976105459322, -0.0442739475785447},
        {3, 0.5, 0.8, true, -0.289610007738486, 0.8125, -0.6680586780517, 1.19526400276888},
        {1, 0.3, 0.95, false, 2.21692139997985, 0.1015625, 0.198008982727058, 0.87116221272219},
        {2, 0, 0.95, false, -2.83637729759438, 0.1015625, -0.606973471576733, 0.0975246032518846},
    };
    for (size_t k = 0; k < sizeof references / sizeof *references; k++)
        assert_agrees(d, references + k, 8);
    const reference weighted = {
        2, -0.1, 0.9, true, -1.41950028220871, 0.328125, -0.422916217280997, -0.0328754989172367};
    d->design.weights = d->w;
    assert_agrees(d, &weighted, 8);
}

static void test_wild__the_constant_is_a_coefficient_too(void **state)
{
    data *d = *state;
    add(d, "(Intercept)", NULL);
    add(d, "x1", d->x1);
    add(d, "x2", d->x2);
    const reference constant = {
        0, 1, 0.95, true, 2.14527778883836, 0.046875, 1.01618135331591, 5.49020757532335};
    assert_agrees(d, &constant, 8);
}

static void test_wild__there_need_be_no_intercept(void **state)
{
    data *d = *state;
    add(d, "x1", d->x1);
    add(d, "x2", d->x2);
    const reference without = {
        1, 0, 0.95, true, -1.01878626530432, 0.390625, -0.237135280122785, 0.124990994425601};
    assert_agrees(d, &without, 8);
}

static void take_five_clusters(data *d)
{
    add(d, "(Intercept)", NULL);
    add(d, "x1", d->x1);
    add(d, "x2", d->x2);
    d->design.n_rows = 25;
    d->design.n_clusters = 5;
}

/* 2 of 32 draws are as far out as any t: no value can be rejected at 5 %. At 10 % some can. */
static void test_wild__five_clusters_leave_the_interval_open(void **state)
{
    data *d = *state;
    take_five_clusters(d);
    bd_wild_options options = BD_WILD_DEFAULTS;
    const bd_wild_result *result = test_with(d, 2, &options);
    assert_near(result->t, -2.70331352429665, 1e-11);
    assert_true(result->p == 0.125 && result->enumerated && result->n_draws == 32);
    assert_true(result->ci_low == -INFINITY && result->ci_high == INFINITY);
    options.level = 0.9;
    result = test_with(d, 2, &options);
    assert_true(isfinite(result->ci_low) && isfinite(result->ci_high));
}

/* Exact p values by all draws with their probabilities; 99,999 draws come within four of their standard errors. */
static void test_wild__other_weights_agree_with_exact_p_values(void **state)
{
    data *d = *state;
    take_five_clusters(d);
    const struct {
        const bd_wild_weights *weights;
        bool impose_null;
        double p, p_equal_tailed;
    } exact[] = {
        {&bd_wild_mammen, true, 0.302111456180002, 0.0558947550600286},
        {&bd_wild_mammen, false, 0.04, 0.0221114561800017},
        {&bd_wild_webb, true, 0.102109053497942, 0.102109053497942},
        {&bd_wild_webb, false, 0.0625, 0.0625},
    };
    for (size_t k = 0; k < 4; k++) {
        bd_wild_options options = BD_WILD_DEFAULTS;
        options.weights = exact[k].weights;
        options.impose_null = exact[k].impose_null;
        const bd_wild_result *result = test_with(d, 2, &options);
        const double p = exact[k].p, half = exact[k].p_equal_tailed / 2, n = (double)options.n_replicates;
        assert_true(!result->enumerated && result->n_draws == options.n_replicates);
        assert_true(fabs(result->p - p) < 4 * sqrt(p * (1 - p) / n));
        assert_true(fabs(result->p_equal_tailed / 2 - half) < 4 * sqrt(half * (1 - half) / n));
    }
}

/* The weight of a cluster by the words of the generator, as the header says. */
static double weight_of(const bd_wild_weights *weights, uint64_t seed, uint32_t replicate, size_t cluster)
{
    uint32_t words[4];
    const bd_counter counter = {.index = (uint32_t)cluster / 4, .stream = replicate, .purpose = BD_PURPOSE_WILD};
    bd_philox(seed, counter, words);
    double below = weights->probabilities[0];
    size_t k = 0;
    for (; k + 1 < weights->n_points && words[cluster % 4] * 0x1p-32 >= below; k++)
        below += weights->probabilities[k + 1];
    return weights->points[k];
}

static const bd_ols *refit(data *d, const bd_ols_design *design)
{
    const bd_ols *fit = NULL;
    const bd_ols_options options = {.level = 0.95, .keep_residuals = true};
    if (bd_ols_fit(design, design->cluster == NULL ? &bd_se_hc1 : &bd_se_cr1, &options, d->arena, &fit) != BD_OK)
        fail_msg("%s", bd_message());
    return fit;
}

/* The fit that replicates start from: without the coefficient, which has its value under the hypothesis, or with it. */
static const bd_ols *base_fit(data *d, size_t coefficient, const bd_wild_options *options)
{
    static double response[N];
    const double *columns[MOST];
    bd_ols_design design = d->design;
    if (!options->impose_null)
        return refit(d, &design);
    design.n_columns--;
    for (size_t j = 0; j < design.n_columns; j++)
        columns[j] = d->columns[j + (j >= coefficient)];
    for (size_t i = 0; i < N; i++)
        response[i] = d->y[i] - options->hypothesis * d->columns[coefficient][i];
    design.columns = columns;
    design.response = response;
    return refit(d, &design);
}

static double share_beyond(data *d, size_t coefficient, const bd_wild_options *options, const size_t number[N])
{
    const bd_ols *base = base_fit(d, coefficient, options);
    const bd_coefficient *fitted = refit(d, &d->design)->coefficients + coefficient;
    const double t = (fitted->estimate - options->hypothesis) / fitted->se;
    const double centre = options->impose_null ? options->hypothesis : fitted->estimate;
    double response[N], n_beyond = 0;
    bd_ols_design design = d->design;
    design.response = response;
    for (uint32_t replicate = 0; replicate < options->n_replicates; replicate++) {
        for (size_t i = 0; i < N; i++) {
            const double v = weight_of(options->weights, options->seed, replicate, number[i]);
            response[i] = d->y[i] + (v - 1) * base->residuals[i];
        }
        const bd_coefficient *drawn = refit(d, &design)->coefficients + coefficient;
        n_beyond += fabs((drawn->estimate - centre) / drawn->se) >= fabs(t);
    }
    return n_beyond / (double)options->n_replicates;
}

static void test_wild__draws_agree_with_their_refits(void **state)
{
    data *d = *state;
    add_three(d);
    static double some[N];
    size_t by_row[N], by_cluster[N];
    for (size_t i = 0, n = 0; i < N; i++) {
        some[i] = i % 7 == 2 || d->cluster[i] == 3 ? 0 : d->w[i];
        by_row[i] = n;
        n += some[i] > 0;
        by_cluster[i] = d->cluster[i] - (d->cluster[i] > 3);
    }
    d->design.weights = some;
    for (size_t k = 0; k < 2 * 3; k++) {
        bd_wild_options options = BD_WILD_DEFAULTS;
        options.weights = bd_wild_weights_all[k / 2];
        options.impose_null = k % 4 < 2;
        options.n_replicates = 120;
        options.seed = 20 + k;
        options.hypothesis = 0.25 + 0.04 * (double)k;
        d->design.cluster = k % 2 == 0 ? NULL : d->cluster;
        const bd_wild_result *result = test_with(d, 1, &options);
        assert_int_equal(result->n_clusters, k % 2 == 0 ? by_row[N - 1] + 1 : 7);
        assert_true(!result->enumerated);
        assert_true(result->p == share_beyond(d, 1, &options, k % 2 == 0 ? by_row : by_cluster));
        assert_true(result->p > 0);
    }
}

/* Draws are the same for every hypothesis, so the p value can be asked for on both sides of an end. */
static void test_wild__p_falls_to_the_level_at_the_ends(void **state)
{
    data *d = *state;
    add_three(d);
    d->design.cluster = NULL;
    for (size_t k = 0; k < 6; k++) {
        bd_wild_options options = BD_WILD_DEFAULTS;
        options.weights = bd_wild_weights_all[k / 2];
        options.impose_null = k % 2 == 0;
        options.n_replicates = 2000;
        options.level = 0.9;
        const bd_wild_result *result = test_with(d, 1, &options);
        const double wide = result->ci_high - result->ci_low, ends[2] = {result->ci_low, result->ci_high};
        assert_true(wide > 0.1 && wide < 2);
        for (int side = 0; side < 2; side++) {
            const double outwards = (side == 0 ? -1e-9 : 1e-9) * wide;
            const double inside = p_at(d, 1, options, ends[side] - outwards);
            const double outside = p_at(d, 1, options, ends[side] + outwards);
            assert_true(inside > 0.1 && outside <= 0.1);
            assert_true(inside - outside < 1.5 / 2000);
        }
    }
}

/* What a statistic of slopes does not feel: a large mean, another unit, another order. */
static void test_wild__means_and_units_change_no_p_value(void **state)
{
    data *d = *state;
    static double far[N], scaled[N];
    add_three(d);
    d->design.cluster = NULL;
    bd_wild_options options = BD_WILD_DEFAULTS;
    options.weights = &bd_wild_mammen;
    const bd_wild_result *here = test_with(d, 1, &options);
    for (size_t i = 0; i < N; i++) {
        far[i] = d->x1[i] + 1e6;
        scaled[i] = 1e3 * d->y[i] - 1e7;
    }
    d->columns[1] = d->x2;
    d->columns[2] = far;
    d->design.response = scaled;
    const bd_wild_result *there = test_with(d, 2, &options);
    assert_near(there->t, here->t, 1e-9);
    assert_true(there->p == here->p && there->p_equal_tailed == here->p_equal_tailed);
    assert_near(there->ci_low, 1e3 * here->ci_low, 1e-9);
    assert_near(there->ci_high, 1e3 * here->ci_high, 1e-9);
}

static void test_wild__threads_change_no_bit(void **state)
{
    data *d = *state;
    add_three(d);
    for (size_t k = 0; k < 6; k++) {
        bd_wild_options options = BD_WILD_DEFAULTS;
        options.weights = bd_wild_weights_all[k / 2];
        options.n_replicates = 1237;
        d->design.cluster = k % 2 == 0 ? NULL : d->cluster;
        options.n_threads = d->design.n_threads = 1;
        const bd_wild_result *one = test_with(d, 1, &options);
        for (int n_threads = 2; n_threads <= 3; n_threads++) {
            options.n_threads = d->design.n_threads = n_threads;
            const bd_wild_result *more = test_with(d, 1, &options);
            assert_memory_equal(&one->t, &more->t, 5 * sizeof one->t);
        }
        options.seed = 2;
        const bd_wild_result *other = test_with(d, 1, &options);
        assert_true(one->enumerated == (memcmp(&one->t, &other->t, 5 * sizeof one->t) == 0));
    }
}

static double moment(const bd_wild_weights *weights, int power)
{
    double sum = 0;
    for (size_t k = 0; k < weights->n_points; k++)
        sum += weights->probabilities[k] * pow(weights->points[k], power);
    return sum;
}

static void test_wild__weights_have_their_moments(void **state)
{
    (void)state;
    const double third[] = {0, 1, 0};
    for (size_t k = 0; k < 3; k++) {
        const bd_wild_weights *found = NULL;
        assert_int_equal(bd_wild_weights_find(bd_wild_weights_all[k]->name, &found), BD_OK);
        assert_ptr_equal(found, bd_wild_weights_all[k]);
        assert_true(fabs(moment(found, 0) - 1) < 3e-16);
        assert_true(fabs(moment(found, 1)) < 3e-16);
        assert_true(fabs(moment(found, 2) - 1) < 5e-16);
        assert_true(fabs(moment(found, 3) - third[k]) < 1e-15);
    }
    assert_null(bd_wild_weights_all[3]);
    assert_int_equal(bd_wild_webb.n_points, 6);
    const bd_wild_weights *none = NULL;
    assert_int_equal(bd_wild_weights_find("gamma", &none), BD_EUSAGE);
    assert_string_equal(bd_message(), "no auxiliary weights named 'gamma'; there are rademacher, mammen, webb");
}

static void assert_refused(data *d, size_t coefficient, bd_wild_options options, bd_status status, const char *message)
{
    const bd_wild_result *result = NULL;
    assert_int_equal(bd_wild_test(&d->design, coefficient, &options, d->arena, &result), status);
    assert_null(result);
    if (strstr(bd_message(), message) == NULL)
        fail_msg("'%s' does not say '%s'", bd_message(), message);
}

static void test_wild__what_cannot_be_tested_is_refused(void **state)
{
    data *d = *state;
    add_three(d);
    bd_wild_options options = BD_WILD_DEFAULTS;
    assert_refused(d, 4, options, BD_EUSAGE, "no coefficient number 4 among 4");
    options.level = 1;
    assert_refused(d, 1, options, BD_EUSAGE, "level");
    options = BD_WILD_DEFAULTS;
    options.n_replicates = 0;
    assert_refused(d, 1, options, BD_EUSAGE, "replicate");
    options = BD_WILD_DEFAULTS;
    options.hypothesis = NAN;
    assert_refused(d, 1, options, BD_EUSAGE, "not a number");
    options = BD_WILD_DEFAULTS;
    add(d, "twin", d->x1);
    assert_refused(d, 1, options, BD_ENUMERIC, "'twin' is a linear combination of 'x1'");
    for (uint32_t i = 0; i < N; i++)
        d->dummy[i] = d->cluster[i] = i % 2;
    d->columns[1] = d->dummy;
    d->design.n_columns = d->design.n_clusters = 2;
    assert_refused(d, 1, options, BD_ENUMERIC, "the standard error of 'x1' is zero");
    memset(d->cluster, 0, sizeof d->cluster);
    d->design.n_clusters = 1;
    assert_refused(d, 1, options, BD_EDATA, "two clusters");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_wild__enumeration_agrees_with_refits),
        TEST(test_wild__the_constant_is_a_coefficient_too),
        TEST(test_wild__there_need_be_no_intercept),
        TEST(test_wild__five_clusters_leave_the_interval_open),
        TEST(test_wild__other_weights_agree_with_exact_p_values),
        TEST(test_wild__draws_agree_with_their_refits),
        TEST(test_wild__p_falls_to_the_level_at_the_ends),
        TEST(test_wild__means_and_units_change_no_p_value),
        TEST(test_wild__threads_change_no_bit),
        TEST(test_wild__weights_have_their_moments),
        TEST(test_wild__what_cannot_be_tested_is_refused),
    };
    return cmocka_run_group_tests_name("wild", tests, NULL, NULL);
}
