/* Checkpoints: the same bits after any stop, and no other run's replicates. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <bordin/random/normal.h>
#include <bordin/random/philox.h>
#include <bordin/resampling/resample.h>

#include "fixture.h"

enum { N_ROWS = 3000, N_REPLICATES = 4000 };

static double numbers[2][N_ROWS];
static const double *values[] = {NULL, numbers[0], numbers[1]};
static bd_columns columns = {.n_rows = N_ROWS, .n_columns = 3, .values = values};
static char folder[] = "/tmp/bordin-checkpoint-XXXXXX", path[64];

static bd_replicate_end slope(const void *context, const double *triangle, double *out, double *errors)
{
    (void)context;
    out[0] = triangle[5] / triangle[4];
    if (errors != NULL)
        errors[0] = triangle[8];
    return BD_REPLICATE_USABLE;
}

static const char *const names[] = {"slope"};
static const bd_statistic statistic = {
    .n_values = 1, .names = names, .columns = &columns, .constant_first = true, .from_moments = slope};

static bd_resampling_options options_of(size_t n_replicates)
{
    bd_resampling_options options = BD_RESAMPLING_DEFAULTS;
    options.n_replicates = n_replicates;
    options.standard_errors = true;
    options.n_threads = 1;
    return options;
}

static bd_status resample(const bd_resampling_options *options, const bd_replicates **replicates)
{
    double *triangle;
    const bd_units *units;
    BD_TRY(bd_triangle_of(&columns, 1, arena, &triangle));
    BD_TRY(bd_units_of_rows(&columns, NULL, triangle, 1, arena, &units));
    return bd_resample(units, &statistic, options, arena, replicates);
}

static int begin(void **state)
{
    double z[2 * N_ROWS];
    bd_random_normals(5, 1, BD_PURPOSE_SIMULATE, 2 * N_ROWS, z);
    for (size_t i = 0; i < N_ROWS; i++) {
        numbers[0][i] = z[2 * i];
        numbers[1][i] = z[2 * i] + z[2 * i + 1];
    }
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/run", folder);
    (void)state;
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder); /* fails when anything else was left in it */
}

static int fresh(void **state)
{
    unlink(path);
    return set_up(state);
}

static void expect_same(const bd_replicates *a, const bd_replicates *b, size_t n)
{
    assert_memory_equal(a->values, b->values, n * sizeof(double));
    assert_memory_equal(a->value_errors, b->value_errors, n * sizeof(double));
    assert_memory_equal(a->ends, b->ends, n);
}

static const bd_replicates *unbroken(void)
{
    const bd_resampling_options options = options_of(N_REPLICATES);
    const bd_replicates *replicates;
    must(resample(&options, &replicates));
    return replicates;
}

/* Stops when `left` rounds are done; a negative number kills the process instead. */
static bool stop_later(void *context, size_t n_done, size_t n_asked)
{
    int *left = context;
    assert_true(n_done <= n_asked);
    if (*left < 0 && ++*left == 0)
        kill(getpid(), SIGKILL);
    return *left <= 0 || --*left > 0;
}

static void test_checkpoint__a_stopped_run_goes_on_to_the_same_bits(void **state)
{
    (void)state;
    int left = 2;
    const bd_watch watch = {stop_later, &left};
    bd_resampling_options options = options_of(N_REPLICATES);
    const bd_replicates *replicates;
    options.checkpoint = path;
    options.watch = &watch;
    assert_int_equal(resample(&options, &replicates), BD_ESTOPPED);
    assert_non_null(strstr(bd_message(), path));
    options.watch = NULL;
    options.n_threads = 3;
    must(resample(&options, &replicates));
    assert_in_range(replicates->n_resumed, 1, N_REPLICATES - 1);
    expect_same(replicates, unbroken(), N_REPLICATES);
}

static void test_checkpoint__a_killed_run_goes_on_to_the_same_bits(void **state)
{
    (void)state;
    bd_resampling_options options = options_of(N_REPLICATES);
    const bd_replicates *replicates;
    options.checkpoint = path;
    options.checkpoint_seconds = 0;
    for (int rounds = 1; rounds <= 3; rounds++) {
        const pid_t child = fork();
        if (child == 0) {
            int left = -rounds;
            const bd_watch watch = {stop_later, &left};
            options.watch = &watch;
            _exit(resample(&options, &replicates) == BD_OK);
        }
        int how;
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFSIGNALED(how));
    }
    must(resample(&options, &replicates));
    assert_true(replicates->n_resumed > 0);
    expect_same(replicates, unbroken(), N_REPLICATES);
}

static void test_checkpoint__more_or_fewer_replicates_use_what_is_there(void **state)
{
    (void)state;
    bd_resampling_options options = options_of(1000);
    const bd_replicates *replicates;
    options.checkpoint = path;
    must(resample(&options, &replicates));
    options.n_replicates = N_REPLICATES;
    must(resample(&options, &replicates));
    assert_int_equal(replicates->n_resumed, 1000);
    expect_same(replicates, unbroken(), N_REPLICATES);
    options.n_replicates = 700;
    must(resample(&options, &replicates));
    assert_int_equal(replicates->n_resumed, 700);
    expect_same(replicates, unbroken(), 700);
}

static void expect_refused(const bd_resampling_options *options, const char *why)
{
    const bd_replicates *replicates;
    assert_int_equal(resample(options, &replicates), BD_EDATA);
    if (strstr(bd_message(), why) == NULL)
        fail_msg("'%s' does not say '%s'", bd_message(), why);
}

static void test_checkpoint__another_run_is_refused_with_the_reason(void **state)
{
    (void)state;
    bd_resampling_options options = options_of(200);
    const bd_replicates *replicates;
    options.checkpoint = path;
    must(resample(&options, &replicates));
    options.seed = 2;
    expect_refused(&options, "it says 'seed 1', this run is 'seed 2'");
    options.seed = 1;
    options.standard_errors = false;
    expect_refused(&options, "values with errors");
    options.standard_errors = true;
    const double kept = numbers[1][7];
    numbers[1][7] += 1e-9;
    expect_refused(&options, "checksum");
    numbers[1][7] = kept;
    must(resample(&options, &replicates));
}

static void test_checkpoint__a_damaged_one_is_refused(void **state)
{
    (void)state;
    bd_resampling_options options = options_of(200);
    const bd_replicates *replicates;
    options.checkpoint = path;
    must(resample(&options, &replicates));
    FILE *file = fopen(path, "r+b");
    fseek(file, 1000, SEEK_SET);
    const int byte = fgetc(file);
    fseek(file, 1000, SEEK_SET);
    fputc(byte ^ 1, file);
    fclose(file);
    expect_refused(&options, "damaged");
    assert_int_equal(truncate(path, 900), 0);
    expect_refused(&options, "damaged");
    assert_int_equal(truncate(path, 30), 0);
    expect_refused(&options, "damaged");
    file = fopen(path, "w");
    fputs("patient,alliance\n1,2\n", file);
    fclose(file);
    expect_refused(&options, "not a checkpoint");
}

static void test_checkpoint__a_file_that_cannot_be_written_fails_at_once(void **state)
{
    (void)state;
    bd_resampling_options options = options_of(200);
    const bd_replicates *replicates;
    options.checkpoint = "/nonexistent/run";
    assert_int_equal(resample(&options, &replicates), BD_EIO);
    assert_non_null(strstr(bd_message(), "/nonexistent/run"));
}

static void test_resample__earlier_replicates_are_taken_over(void **state)
{
    (void)state;
    bd_resampling_options options = options_of(777);
    const bd_replicates *replicates;
    must(resample(&options, &replicates));
    options.n_replicates = N_REPLICATES;
    options.earlier = replicates;
    must(resample(&options, &replicates));
    expect_same(replicates, unbroken(), N_REPLICATES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_checkpoint__a_stopped_run_goes_on_to_the_same_bits, fresh, tear_down),
        cmocka_unit_test_setup_teardown(test_checkpoint__a_killed_run_goes_on_to_the_same_bits, fresh, tear_down),
        cmocka_unit_test_setup_teardown(test_checkpoint__more_or_fewer_replicates_use_what_is_there, fresh, tear_down),
        cmocka_unit_test_setup_teardown(test_checkpoint__another_run_is_refused_with_the_reason, fresh, tear_down),
        cmocka_unit_test_setup_teardown(test_checkpoint__a_damaged_one_is_refused, fresh, tear_down),
        cmocka_unit_test_setup_teardown(test_checkpoint__a_file_that_cannot_be_written_fails_at_once, fresh, tear_down),
        cmocka_unit_test_setup_teardown(test_resample__earlier_replicates_are_taken_over, fresh, tear_down),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, begin, end);
}
