/* The bootstrap of models beyond the generalised linear. */
#include "model_sample.h"

static const bd_model_options plain = {
    .tau = 0.5, .level = 0.95, .resampling = {.n_replicates = 200, .seed = 1, .level = 0.95}};

typedef struct resampled {
    const char *family;
    bd_frame_spec spec;
    size_t n_values;
    const char *last;
} resampled;

static const resampled all[] = {
    {"ordinal", {.formula = "grade ~ x1 + x2", .weights = "w"}, 5, "thresholds: 2|3"},
    {"multinomial", {.formula = "ending ~ x1"}, 4, "stayed: x1"},
    {"beta", {.formula = "share ~ x1", .extra = "z"}, 4, "precision: z"},
    {"beta-binomial", {.formula = "kept / offered ~ x1", .cluster = "therapist"}, 3, "overdispersion: (Intercept)"},
    {"zip", {.formula = "sessions ~ x1"}, 3, "zeros: (Intercept)"},
    {"zinb", {.formula = "sessions ~ x1"}, 4, "overdispersion: log(theta)"},
    {"huber", {.formula = "outlying ~ x1"}, 2, "x1"},
    {"bisquare", {.formula = "outlying ~ x1"}, 2, "x1"},
    {"mm", {.formula = "outlying ~ x1", .weights = "w"}, 2, "x1"},
    {"quantile", {.formula = "spread ~ x1", .weights = "w", .cluster = "therapist"}, 2, "x1"},
};

/* At weights of one the statistic is the fit; intervals hold the estimates; the same bits for any number of threads. */
static void test_model__is_bootstrapped_from_weights(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        const bd_model_regression *one = NULL;
        bd_model_options options = plain;
        options.bootstrap = true;
        if (all[k].spec.cluster != NULL)
            options.resampling.sampling = &bd_sampling_clusters;
        for (int threads = 1; threads <= 3; threads++) {
            options.resampling.n_threads = options.n_threads = threads;
            const bd_model_regression *r = regress(all[k].family, all[k].spec, options);
            const bd_replicates *replicates = r->bootstrap->replicates;
            assert_int_equal(replicates->n_values, all[k].n_values);
            assert_string_equal(replicates->names[all[k].n_values - 1], all[k].last);
            one = one == NULL ? r : one;
            assert_memory_equal(one->bootstrap->replicates->values, replicates->values,
                                200 * all[k].n_values * sizeof(double));
            size_t value = 0;
            for (size_t e = 0; e < r->n_equations; e++)
                for (size_t j = 0; j < r->equations[e].n_rows; j++, value++) {
                    const bd_interval_ends *ends = &r->bootstrap->ends[value];
                    const double estimate = r->equations[e].rows[j].estimate;
                    assert_close(replicates->estimates[value], estimate, 1e-9);
                    assert_true(ends->low < estimate && estimate < ends->high);
                }
        }
    }
}

/* A replicate of some rows is the fit of those rows. */
static void test_model__replicates_are_fits_of_the_drawn_rows(void **state)
{
    static sample s;
    (void)state;
    make_sample(&s);
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        bd_model_options options = plain;
        bd_frame_spec spec = all[k].spec;
        double weights[N], estimates[5];
        const bool mm = strcmp(all[k].family, "mm") == 0; /* searches for its S estimate anew */
        options.bootstrap = true;
        const bd_model_regression *whole = regress(all[k].family, spec, options);
        options.bootstrap = spec.cluster != NULL && strcmp(all[k].family, "quantile") == 0;
        spec.where = "x1 < 1.5";
        const bd_model_regression *part = regress(all[k].family, spec, options);
        const bd_model_replicate *r = &whole->replicate;
        double *scratch = calloc(r->n_scratch, sizeof *scratch);
        for (size_t i = 0; i < N; i++)
            weights[i] = s.x1[i] >= 1.5 ? 0 : whole->weights != NULL ? whole->weights[i] : 1;
        assert_int_equal(r->of(r, weights, scratch, estimates), BD_REPLICATE_USABLE);
        free(scratch);
        size_t value = 0;
        for (size_t e = 0; e < part->n_equations; e++)
            for (size_t j = 0; j < part->equations[e].n_rows; j++, value++)
                assert_close(estimates[value], part->equations[e].rows[j].estimate, mm ? 1e-6 : 1e-8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_model__is_bootstrapped_from_weights, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__replicates_are_fits_of_the_drawn_rows, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, write_sample, remove_sample);
}
