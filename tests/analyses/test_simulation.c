/* Simulated trials: the same bytes for any number of threads, and the planted effects found again. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <bordin/analyses/simulation.h>
#include <bordin/data/frame.h>
#include <bordin/models/ols.h>

#include "fixture.h"

static char *written(const bd_simulation *simulation, int n_threads, size_t *size)
{
    char *text = NULL;
    FILE *stream = open_memstream(&text, size);
    assert_non_null(stream);
    assert_int_equal(bd_simulation_write(simulation, n_threads, stream, arena), BD_OK);
    fclose(stream);
    return text;
}

static void the_same_bytes_at_any_number_of_threads(void **unused)
{
    (void)unused;
    bd_simulation simulation = BD_SIMULATION_DEFAULTS;
    simulation.n_patients = 50001;
    simulation.missing = 0.1;
    size_t size, other_size;
    char *one = written(&simulation, 1, &size);
    const int threads[] = {2, 3, 8};
    for (int i = 0; i < 3; i++) {
        char *many = written(&simulation, threads[i], &other_size);
        assert_int_equal(size, other_size);
        assert_memory_equal(one, many, size);
        free(many);
    }
    simulation.seed = 2;
    char *another = written(&simulation, 1, &other_size);
    assert_true(size != other_size || memcmp(one, another, size) != 0);
    free(another);
    free(one);
}

/* Fewer patients are the first of more. */
static void patients_do_not_depend_on_how_many_there_are(void **unused)
{
    (void)unused;
    bd_simulation simulation = BD_SIMULATION_DEFAULTS;
    size_t size, more;
    char *few = written(&simulation, 1, &size);
    simulation.n_patients = 20000;
    char *many = written(&simulation, 2, &more);
    assert_memory_equal(few, many, size);
    free(few);
    free(many);
}

static const bd_ols *fit(const char *file, const char *formula, const bd_frame **frame)
{
    const bd_frame_spec spec = {.formula = formula, .cluster = "therapist"};
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_ols_options options = BD_OLS_DEFAULTS;
    const bd_wanted *wanted;
    const bd_table *table;
    const bd_ols *ols = NULL;
    size_t n_wanted;
    assert_int_equal(bd_frame_wanted(&spec, arena, &wanted, &n_wanted), BD_OK);
    assert_int_equal(bd_csv_read(file, wanted, n_wanted, &csv, arena, &table), BD_OK);
    assert_int_equal(bd_frame_build(table, &spec, arena, frame), BD_OK);
    const double *values[8];
    const char *names[8];
    for (size_t j = 0; j < (*frame)->n_columns; j++) {
        values[j] = (*frame)->columns[j].values;
        names[j] = (*frame)->columns[j].name;
    }
    const bd_ols_design design = {.n_rows = (*frame)->n_rows,
                                  .n_columns = (*frame)->n_columns,
                                  .columns = values,
                                  .names = names,
                                  .response = (*frame)->response,
                                  .response_name = (*frame)->response_name,
                                  .has_intercept = true,
                                  .cluster = (*frame)->cluster->codes,
                                  .n_clusters = (*frame)->cluster->n_levels};
    assert_int_equal(bd_ols_fit(&design, &bd_se_cr2, &options, arena, &ols), BD_OK);
    return ols;
}

static void assert_near(const bd_ols *ols, size_t coefficient, double planted)
{
    const bd_coefficient *c = &ols->coefficients[coefficient];
    assert_true(fabs(c->estimate - planted) < 4.5 * c->se);
}

/* Share of the variance between clusters, from one-way sums of squares of y on the frame's clusters. */
static double icc_of(const bd_frame *frame, const bd_ols *ols)
{
    const size_t k = frame->cluster->n_levels, n = frame->n_rows;
    double *sums, *counts, total = 0, between = 0, squares = 0;
    sums = bd_arena_alloc(arena, k, sizeof *sums);
    counts = bd_arena_alloc(arena, k, sizeof *counts);
    for (size_t i = 0; i < n; i++) {
        double residual = frame->response[i];
        for (size_t j = 0; j < frame->n_columns; j++)
            residual -= ols->coefficients[j].estimate * (frame->columns[j].values ? frame->columns[j].values[i] : 1);
        sums[frame->cluster->codes[i]] += residual;
        counts[frame->cluster->codes[i]]++;
        total += residual * residual;
    }
    for (size_t j = 0; j < k; j++) {
        between += sums[j] * sums[j] / counts[j];
        squares += counts[j] * counts[j];
    }
    const double n0 = ((double)n - squares / (double)n) / ((double)k - 1);
    const double msb = between / ((double)k - 1), msw = (total - between) / (double)(n - k);
    return (msb - msw) / (msb + (n0 - 1) * msw);
}

static void planted_effects_are_found_again(void **unused)
{
    (void)unused;
    char file[] = "/tmp/bordin-simulation-XXXXXX";
    bd_simulation simulation = BD_SIMULATION_DEFAULTS;
    simulation.n_patients = 200000;
    simulation.n_therapists = 400;
    simulation.missing = 0.05;
    assert_int_equal(bd_simulation_set(&simulation, "adherence_alliance", 0.5), BD_OK);
    assert_int_equal(bd_simulation_set(&simulation, "icc_outcome", 0.2), BD_OK);
    FILE *stream = fdopen(mkstemp(file), "w");
    assert_non_null(stream);
    assert_int_equal(bd_simulation_write(&simulation, 0, stream, arena), BD_OK);
    fclose(stream);
    const bd_frame *frame;
    const bd_ols *ols = fit(file, "alliance ~ treatment + baseline", &frame);
    assert_near(ols, 1, 2);
    assert_near(ols, 2, -0.1);
    assert_true(fabs((double)frame->n_dropped / 200000 - 0.05) < 0.002);
    assert_true(fabs(icc_of(frame, ols) - 0.1) < 0.03);
    ols = fit(file, "adherence ~ alliance + treatment", &frame);
    assert_near(ols, 1, 0.5);
    assert_near(ols, 2, 3);
    ols = fit(file, "outcome ~ baseline + alliance + adherence + treatment + age", &frame);
    assert_near(ols, 1, 0.5);
    assert_near(ols, 2, -0.1);
    assert_near(ols, 3, -0.2);
    assert_near(ols, 4, -1.5);
    assert_near(ols, 5, 0);
    assert_true(fabs(icc_of(frame, ols) - 0.2) < 0.05);
    ols = fit(file, "dropout ~ center(alliance)", &frame); /* logistic: the slope is about p (1 - p) times the effect */
    assert_true(ols->coefficients[1].estimate < 0);
    unlink(file);
}

static void what_was_planted_is_written(void **unused)
{
    (void)unused;
    const bd_simulation simulation = BD_SIMULATION_DEFAULTS;
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    assert_int_equal(bd_simulation_write_truth(&simulation, stream), BD_OK);
    fclose(stream);
    assert_non_null(strstr(text, "\nadherence_alliance,0.6\n"));
    assert_non_null(strstr(text, "\nindirect_alliance_adherence_outcome,-0.12\n"));
    free(text);
}

static void what_cannot_be_simulated_is_refused(void **unused)
{
    (void)unused;
    bd_simulation simulation = BD_SIMULATION_DEFAULTS;
    assert_int_equal(bd_simulation_set(&simulation, "aliance", 1), BD_EUSAGE);
    assert_non_null(strstr(bd_message(), "alliance_treatment"));
    assert_int_equal(bd_simulation_set(&simulation, "icc_outcome", 1), BD_EUSAGE);
    assert_int_equal(bd_simulation_set(&simulation, "missing", NAN), BD_EUSAGE);
    simulation.n_therapists = 2000;
    assert_int_equal(bd_simulation_write(&simulation, 1, stdout, arena), BD_EUSAGE);
    simulation.n_therapists = 10;
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(bd_simulation_write(&simulation, 1, full, arena), BD_EIO);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bytes_at_any_number_of_threads),
        cmocka_unit_test(patients_do_not_depend_on_how_many_there_are),
        cmocka_unit_test(planted_effects_are_found_again),
        cmocka_unit_test(what_was_planted_is_written),
        cmocka_unit_test(what_cannot_be_simulated_is_refused),
    };
    return cmocka_run_group_tests_name("simulation", tests, set_up, tear_down);
}
