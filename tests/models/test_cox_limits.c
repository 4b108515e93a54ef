/* Proportional hazards: what is refused, what has no maximum, and what changes nothing. */
#include "models/cox_data.h"

enum { N = 60000, P = 3 };

static double x[P][N], start[N], stop[N], event[N];
static uint32_t strata[N], cluster[N];
static const double *columns[] = {x[0], x[1], x[2]};
static const char *const names[] = {"a", "b", "c"};

static double noise(uint32_t i, uint32_t stream)
{
    uint32_t h = i * 2654435761u + stream * 40503u;
    h = (h ^ h >> 16) * 0x45d9f3bu;
    h = (h ^ h >> 16) * 0x45d9f3bu;
    return ((h ^ h >> 16) + 0.5) / 4294967296.0;
}

/* Times in days, many of them tied; entries late for some. */
static bd_cox_design large_design(size_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        x[0][i] = noise(i, 1) - noise(i, 2);
        x[1][i] = noise(i, 3) < 0.3;
        x[2][i] = 40 + 10 * noise(i, 4) * x[0][i];
        const double rate = exp(0.5 * x[0][i] - 0.7 * x[1][i]);
        const double death = floor(-2000 * log(noise(i, 5)) / rate) + 1, end = floor(3000 * noise(i, 6)) + 1;
        stop[i] = fmin(death, end);
        event[i] = death <= end;
        start[i] = floor(noise(i, 7) * stop[i]);
        strata[i] = i % 3;
        cluster[i] = i % 500;
    }
    return (bd_cox_design){.n_rows = n,
                           .n_columns = P,
                           .columns = columns,
                           .names = names,
                           .stop = stop,
                           .event = event,
                           .cluster = cluster,
                           .n_clusters = 500};
}

static void assert_same_bits(const bd_cox *a, const bd_cox *b)
{
    assert_memory_equal(a->coefficients, b->coefficients, P * sizeof *a->coefficients);
    assert_memory_equal(a->covariance, b->covariance, P * P * sizeof(double));
    assert_memory_equal(&a->log_likelihood, &b->log_likelihood, sizeof(double));
    assert_memory_equal(&a->robust_score, &b->robust_score, sizeof a->robust_score);
    assert_memory_equal(&a->concordance, &b->concordance, sizeof a->concordance);
}

static void test_cox__is_identical_for_any_thread_count(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        bd_cox_design design = large_design(N);
        design.start = kind & 1 ? start : NULL;
        design.strata = kind & 2 ? strata : NULL;
        design.n_strata = 3;
        design.n_threads = 1;
        const bd_cox *one = fit_of(&design, BD_COX_EFRON, BD_COX_ROBUST);
        for (design.n_threads = 2; design.n_threads <= 3; design.n_threads++)
            assert_same_bits(one, fit_of(&design, BD_COX_EFRON, BD_COX_ROBUST));
    }
}

/* Blocks and strata carry what they should: strata one at a time have the same likelihoods and information. */
static void test_cox__strata_add_up(void **state)
{
    (void)state;
    for (int intervals = 0; intervals < 2; intervals++) {
        double sum = 0;
        bd_cox_design design = large_design(N);
        design.start = intervals ? start : NULL;
        design.strata = strata;
        design.n_strata = 3;
        const bd_cox *all = fit_of(&design, BD_COX_EFRON, BD_COX_MODEL);
        for (uint32_t s = 0; s < 3; s++) {
            double *weights = bd_arena_alloc(arena, N, sizeof *weights);
            assert_non_null(weights);
            for (size_t i = 0; i < N; i++)
                weights[i] = strata[i] == s;
            design.strata = NULL;
            design.weights = weights;
            sum += fit_of(&design, BD_COX_EFRON, BD_COX_MODEL)->log_likelihood_null;
        }
        assert_close(sum, all->log_likelihood_null, 1e-12);
    }
}

/* Rows cut in two at any time inside are the same risk sets. */
static void test_cox__a_row_cut_in_two_changes_nothing(void **state)
{
    (void)state;
    enum { HALF = N / 2 };
    bd_cox_design design = large_design(HALF);
    for (size_t i = 0; i < HALF; i++)
        start[i] = -1;
    const bd_cox *whole = fit_of(&design, BD_COX_EFRON, BD_COX_ROBUST);
    for (size_t i = 0; i < HALF; i++) {
        const double cut = floor(stop[i] * noise((uint32_t)i, 9)) - 0.5;
        for (size_t j = 0; j < P; j++)
            x[j][HALF + i] = x[j][i];
        stop[HALF + i] = stop[i];
        event[HALF + i] = event[i];
        cluster[HALF + i] = cluster[i];
        start[HALF + i] = stop[i] = cut;
        event[i] = 0;
    }
    design.n_rows = N;
    design.start = start;
    const bd_cox *cut = fit_of(&design, BD_COX_EFRON, BD_COX_ROBUST);
    for (size_t j = 0; j < P; j++) {
        assert_close(cut->coefficients[j].estimate, whole->coefficients[j].estimate, 1e-11);
        assert_close(cut->coefficients[j].se, whole->coefficients[j].se, 1e-11);
        assert_close(cut->coefficients[j].naive_se, whole->coefficients[j].naive_se, 1e-11);
    }
    assert_close(cut->log_likelihood, whole->log_likelihood, 1e-12);
    assert_close(cut->concordance.concordance, whole->concordance.concordance, 1e-12);
}

/* Sums that are not kept in doubled precision lose what a row of enormous risk leaves behind. */
static void test_cox__rows_that_leave_leave_nothing_behind(void **state)
{
    (void)state;
    double a[] = {0, 1, 0, 1, 0, 1, 0, 1}, offset[] = {0, 0, 0, 0, 0, 0, 60, 60};
    double from[] = {0, 0, 0, 0, 0, 0, 8, 8}, to[] = {1, 2, 3, 4, 5, 6, 9, 10}, died[] = {1, 1, 1, 1, 0, 1, 1, 1};
    const double *column = a;
    const char *name = "a";
    bd_cox_design design = {.n_rows = 6, .n_columns = 1, .columns = &column, .names = &name, .start = from, .stop = to,
                            .event = died};
    const bd_cox *without = fit_of(&design, BD_COX_EFRON, BD_COX_MODEL);
    design.n_rows = 8;
    design.offset = offset;
    died[6] = died[7] = 0;
    const bd_cox *with = fit_of(&design, BD_COX_EFRON, BD_COX_MODEL);
    assert_close(with->coefficients[0].estimate, without->coefficients[0].estimate, 1e-13);
    assert_close(with->coefficients[0].se, without->coefficients[0].se, 1e-13);
}

static void test_cox__a_weight_of_two_is_the_row_written_twice(void **state)
{
    (void)state;
    bd_cox_design design = large_design(1000);
    double *weights = bd_arena_alloc(arena, 2000, sizeof *weights);
    assert_non_null(weights);
    for (size_t i = 0; i < 1000; i++)
        weights[i] = i % 4 == 0 ? 2 : i % 4 == 1 ? 0 : 1;
    design.weights = weights;
    const bd_cox *weighted = fit_of(&design, BD_COX_BRESLOW, BD_COX_MODEL);
    size_t n = 0;
    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < 1000; i++) {
            if (weights[i] <= (double)round)
                continue;
            const size_t to = 2000 + n++;
            for (size_t j = 0; j < P; j++)
                x[j][to] = x[j][i];
            stop[to] = stop[i];
            event[to] = event[i];
            cluster[to] = cluster[i];
        }
    const double *moved[] = {x[0] + 2000, x[1] + 2000, x[2] + 2000};
    design = (bd_cox_design){.n_rows = n, .n_columns = P, .columns = moved, .names = names, .stop = stop + 2000,
                             .event = event + 2000};
    const bd_cox *written = fit_of(&design, BD_COX_BRESLOW, BD_COX_MODEL);
    assert_int_equal(weighted->n_used, 750);
    for (size_t j = 0; j < P; j++) {
        assert_close(weighted->coefficients[j].estimate, written->coefficients[j].estimate, 1e-12);
        assert_close(weighted->coefficients[j].se, written->coefficients[j].se, 1e-12);
    }
    assert_close(weighted->log_likelihood, written->log_likelihood, 1e-13);
    assert_close(weighted->concordance.concordance, written->concordance.concordance, 1e-13);
}

/* coxph(Surv(futime, fustat) ~ rx + I(age > 44 & age < 55), subset(ovarian, age < 44 | age > 55 | fustat == 0)) */
static void test_cox__names_the_coefficient_that_runs_away(void **state)
{
    (void)state;
    const source s = {.file = "ovarian", .stop = "futime", .event = "fustat", .terms = "rx + I(age > 44 & age < 55)",
                      .where = "age < 44 | age > 55 | fustat == 0"};
    const bd_cox_design design = design_of(&s);
    const bd_cox *fit = fit_of(&design, BD_COX_EFRON, BD_COX_MODEL);
    assert_int_equal(fit->end, BD_COX_INFINITE);
    assert_string_equal(fit->infinite, "'I(age > 44 & age < 55)'");
    assert_close(fit->coefficients[0].estimate, -0.243367478924368, 1e-7);
    assert_close(fit->coefficients[0].se, 0.608601116288449, 1e-7);
    assert_true(fit->coefficients[1].estimate == -INFINITY && isnan(fit->coefficients[1].se));
    assert_close(fit->log_likelihood, -28.4289442055861, 1e-8);
}

static void assert_refused(const bd_cox_design *design, bd_status status, const char *message)
{
    const bd_cox *fit = NULL;
    assert_int_equal(bd_cox_fit(design, &BD_COX_DEFAULTS, arena, &fit), status);
    assert_string_equal(bd_message(), message);
}

static void test_cox__says_what_is_wrong(void **state)
{
    (void)state;
    double a[] = {1, 2, 4, 3}, same[] = {5, 5, 5, 5}, twice[] = {2, 4, 8, 6}, from[] = {0, 0, 0, 0};
    double to[] = {1, 2, 3, 4}, died[] = {1, 1, 0, 1}, weights[] = {1, 1, 1, 1};
    const uint32_t id[] = {0, 0, 1, 1};
    const double *all[] = {a, twice};
    const char *const names_here[] = {"a", "b"};
    bd_cox_design design = {
        .n_rows = 4, .n_columns = 1, .columns = all, .names = names_here, .stop = to, .event = died};
    a[2] = NAN;
    assert_refused(&design, BD_EDATA, "'a' has a value that is not a number in row 3");
    a[2] = 4;
    to[1] = -2;
    assert_refused(&design, BD_EDATA,
                   "the time in row 2 is negative (-2); times count from when observation began");
    to[1] = INFINITY;
    assert_refused(&design, BD_EDATA, "the time in row 2 is not a number");
    to[1] = 2;
    died[3] = 2;
    assert_refused(&design, BD_EDATA,
                   "the event in row 4 is 2; it is 1 where the event happened and 0 where it did not (codes of another "
                   "kind are compared, as in status == 2)");
    died[0] = died[1] = died[3] = 0;
    assert_refused(&design, BD_EDATA, "none of the 4 rows has the event; without events there is no hazard to compare");
    died[0] = died[1] = died[3] = 1;
    design.weights = weights;
    weights[0] = -1;
    assert_refused(&design, BD_EDATA, "the weight in row 1 is -1; weights are 0 or more");
    weights[0] = weights[1] = weights[2] = 0;
    assert_refused(&design, BD_EDATA, "there is one row; at least two are needed");
    design.weights = NULL;
    design.stop = same;
    assert_refused(&design, BD_EDATA, "all times are 5; who had the event earlier cannot be told");
    design.stop = to;
    design.start = from;
    from[2] = 3;
    assert_refused(&design, BD_EDATA, "the interval in row 3 begins at 3 and ends at 3; it must end after it begins");
    from[2] = 1;
    from[3] = 2;
    from[1] = 1;
    design.id = id;
    design.n_ids = 2;
    assert_refused(&design, BD_EDATA, "two intervals of patient '2' overlap: (1, 3] in row 3 and (2, 4] in row 4");
    design.start = NULL;
    design.columns = (const double *[]){same};
    assert_refused(&design, BD_EDATA, "'a' is the same in every row");
    design.columns = all;
    design.n_columns = 2;
    assert_refused(&design, BD_ENUMERIC, "'b' is a linear combination of 'a'; leave one out");
    design.n_columns = 0;
    assert_refused(&design, BD_EUSAGE, "no predictors are given");
}

static void test_cox__refuses_what_strata_or_censoring_hide(void **state)
{
    (void)state;
    double a[] = {0, 0, 1, 1, 2}, to[] = {1, 2, 1, 2, 0.5}, died[] = {1, 0, 1, 0, 0};
    const uint32_t site[] = {0, 0, 1, 1, 1};
    const double *column = a;
    bd_cox_design design = {.n_rows = 5, .n_columns = 1, .columns = &column, .names = names, .stop = to, .event = died,
                            .strata = site, .n_strata = 2};
    assert_refused(&design, BD_ENUMERIC,
                   "'a' does not vary among those at risk when events happen within strata; leave it out");
}

static void test_cox__exact_ties_take_no_weights_and_no_robust_errors(void **state)
{
    (void)state;
    bd_cox_design design = large_design(100);
    const bd_cox *fit = NULL;
    const bd_cox_zph *zph = NULL;
    bd_cox_options options = BD_COX_DEFAULTS;
    options.ties = BD_COX_EXACT;
    options.se = BD_COX_ROBUST;
    assert_int_equal(bd_cox_fit(&design, &options, arena, &fit), BD_EUSAGE);
    assert_string_equal(bd_message(), "the exact likelihood of ties has no robust errors; use efron or breslow");
    options.se = BD_COX_MODEL;
    design.weights = stop;
    assert_int_equal(bd_cox_fit(&design, &options, arena, &fit), BD_EUSAGE);
    assert_string_equal(bd_message(), "the exact likelihood of ties takes no weights; use efron or breslow");
    design.weights = NULL;
    must(bd_cox_fit(&design, &options, arena, &fit));
    assert_int_equal(bd_cox_proportional(&design, fit, BD_COX_KM, NULL, 0, arena, &zph), BD_EUSAGE);
    assert_string_equal(bd_message(), "this is not known for the exact likelihood of ties; use efron or breslow");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cox__is_identical_for_any_thread_count),
        TEST(test_cox__strata_add_up),
        TEST(test_cox__a_row_cut_in_two_changes_nothing),
        TEST(test_cox__rows_that_leave_leave_nothing_behind),
        TEST(test_cox__a_weight_of_two_is_the_row_written_twice),
        TEST(test_cox__names_the_coefficient_that_runs_away),
        TEST(test_cox__says_what_is_wrong),
        TEST(test_cox__refuses_what_strata_or_censoring_hide),
        TEST(test_cox__exact_ties_take_no_weights_and_no_robust_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
