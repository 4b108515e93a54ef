/* Replicates of Cox regression: the fit for the same weights, whichever way it is reached. */
#include "models/cox_data.h"

static const bd_cox_prepared *prepare(const bd_cox_design *design, bd_cox_ties ties, double **scratch)
{
    const bd_cox_prepared *prepared = NULL;
    must(bd_cox_prepare(design, fit_of(design, ties, BD_COX_MODEL), arena, &prepared));
    *scratch = bd_arena_alloc(arena, prepared->n_scratch, sizeof **scratch);
    assert_non_null(*scratch);
    return prepared;
}

static source cases[4];

static int make_cases(void **state)
{
    cases[0] = lung;
    cases[1] = lung;
    cases[1].strata = "inst";
    cases[1].weighted = true;
    cases[2] = heart;
    cases[3] = heart;
    cases[3].strata = "surgery";
    cases[3].terms = "age + transplant";
    cases[3].offset = "0.1 * year";
    return set_up(state);
}

static void test_cox_replicate__of_unit_weights_is_the_fit(void **state)
{
    (void)state;
    for (size_t k = 0; k < 8; k++) {
        const bd_cox_design design = design_of(&cases[k / 2]);
        const bd_cox_ties ties = k % 2 == 0 ? BD_COX_EFRON : BD_COX_BRESLOW;
        const bd_cox *fit = fit_of(&design, ties, BD_COX_MODEL);
        double *scratch, weights[300], coefficients[4];
        const bd_cox_prepared *prepared = prepare(&design, ties, &scratch);
        for (size_t i = 0; i < 300; i++)
            weights[i] = 1;
        assert_int_equal(bd_cox_replicate(prepared, weights, scratch, coefficients), BD_COX_REPLICATE_CONVERGED);
        for (size_t j = 0; j < design.n_columns; j++)
            assert_close(coefficients[j], fit->coefficients[j].estimate, 1e-13);
    }
}

/* Rows without weight included, and whole patients that are away. */
static void test_cox_replicate__is_the_fit_with_these_weights(void **state)
{
    (void)state;
    uint32_t seed = 12345;
    for (size_t k = 0; k < 8; k++) {
        bd_cox_design design = design_of(&cases[k / 2]);
        const bd_cox_ties ties = k % 2 == 0 ? BD_COX_EFRON : BD_COX_BRESLOW;
        double *scratch, weights[300], both[300], coefficients[4];
        const double *own = design.weights;
        const bd_cox_prepared *prepared = prepare(&design, ties, &scratch);
        for (size_t round = 0; round < 20; round++) {
            for (size_t i = 0; i < design.n_rows; i++) {
                seed = seed * 1664525u + 1013904223u;
                weights[i] = seed >> 30;
                both[i] = weights[i] * (own == NULL ? 1 : own[i]);
            }
            design.weights = both;
            const bd_cox *fit = fit_of(&design, ties, BD_COX_MODEL);
            design.weights = own;
            assert_int_equal(bd_cox_replicate(prepared, weights, scratch, coefficients), BD_COX_REPLICATE_CONVERGED);
            for (size_t j = 0; j < design.n_columns; j++)
                assert_close(coefficients[j], fit->coefficients[j].estimate, 1e-11);
        }
    }
}

static void test_cox_replicate__depends_on_nothing_but_its_weights(void **state)
{
    (void)state;
    const bd_cox_design design = design_of(&heart);
    double *scratch, weights[300], first[4], again[4], other[300];
    const bd_cox_prepared *prepared = prepare(&design, BD_COX_EFRON, &scratch);
    for (size_t i = 0; i < 300; i++) {
        weights[i] = (double)(i % 3);
        other[i] = (double)(i % 5);
    }
    assert_int_equal(bd_cox_replicate(prepared, weights, scratch, first), BD_COX_REPLICATE_CONVERGED);
    assert_int_equal(bd_cox_replicate(prepared, other, scratch, again), BD_COX_REPLICATE_CONVERGED);
    assert_int_equal(bd_cox_replicate(prepared, weights, scratch, again), BD_COX_REPLICATE_CONVERGED);
    assert_memory_equal(first, again, sizeof first);
}

/* Of lung: without the deaths of one sex that sex has an infinite advantage; with one sex alone, none to compare. */
static void test_cox_replicate__says_why_there_are_no_coefficients(void **state)
{
    (void)state;
    const bd_cox_design design = design_of(&lung);
    double *scratch, weights[300], coefficients[4];
    const bd_cox_prepared *prepared = prepare(&design, BD_COX_EFRON, &scratch);
    for (size_t i = 0; i < design.n_rows; i++)
        weights[i] = design.columns[1][i] == 1 || design.event[i] == 0;
    assert_int_equal(bd_cox_replicate(prepared, weights, scratch, coefficients), BD_COX_REPLICATE_INFINITE);
    for (size_t i = 0; i < design.n_rows; i++)
        weights[i] = design.columns[1][i] == 1;
    assert_int_equal(bd_cox_replicate(prepared, weights, scratch, coefficients), BD_COX_REPLICATE_COLLINEAR);
    for (size_t i = 0; i < design.n_rows; i++)
        weights[i] = design.event[i] == 0;
    assert_int_equal(bd_cox_replicate(prepared, weights, scratch, coefficients), BD_COX_REPLICATE_COLLINEAR);
    memset(weights, 0, sizeof weights);
    assert_int_equal(bd_cox_replicate(prepared, weights, scratch, coefficients), BD_COX_REPLICATE_COLLINEAR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_cases, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cox_replicate__of_unit_weights_is_the_fit),
        TEST(test_cox_replicate__is_the_fit_with_these_weights),
        TEST(test_cox_replicate__depends_on_nothing_but_its_weights),
        TEST(test_cox_replicate__says_why_there_are_no_coefficients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
