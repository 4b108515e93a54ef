/* Mediation against the results that the shipped data carry (datasets/NAME/reference_results.csv), and its invariants. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/analyses/mediation.h>
#include <bordin/analyses/regression.h>

#include "fixture.h"

#define JOBS "datasets/jobs2_mediation/"
#define ALL_COVARIATES "econ_hard,depress1,sex,age,occp,marital,nonwhite,educ,income"

static const bd_frame *frame_of(const char *formula, const char *file)
{
    const bd_frame_spec spec = {.formula = formula};
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_wanted *wanted;
    const bd_table *table;
    const bd_frame *frame;
    size_t n_wanted;
    must(bd_frame_wanted(&spec, arena, &wanted, &n_wanted));
    must(bd_csv_read(file, wanted, n_wanted, &csv, arena, &table));
    must(bd_frame_build(table, &spec, arena, &frame));
    return frame;
}

static bd_status mediate(const char *text, const char *adjust, const char *file, const bd_mediation_options *options,
                         const bd_mediation **mediation)
{
    const bd_path *path;
    const char *formula;
    must(bd_path_parse(text, arena, &path));
    must(bd_path_formula(path, adjust, arena, &formula));
    return bd_mediate(frame_of(formula, file), path, options, arena, mediation);
}

static bd_mediation_options quick(void)
{
    bd_mediation_options options = BD_MEDIATION_DEFAULTS;
    options.resampling.n_replicates = 200;
    return options;
}

/* The value of a quantity in a reference file. */
static double reference(const char *file, const char *analysis, const char *quantity)
{
    const bd_wanted wanted[] = {
        {"analysis", BD_USE_CATEGORIES}, {"quantity", BD_USE_CATEGORIES}, {"value", BD_USE_NUMBERS}};
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_table *table;
    must(bd_csv_read(file, wanted, 3, &csv, arena, &table));
    for (size_t i = 0; i < table->n_rows; i++) {
        const bd_column *a = &table->columns[0], *q = &table->columns[1];
        if (strcmp(a->levels[a->codes[i] - 1], analysis) == 0 && strcmp(q->levels[q->codes[i] - 1], quantity) == 0)
            return table->columns[2].numbers[i];
    }
    fail_msg("%s: no '%s' of '%s'", file, quantity, analysis);
    return NAN;
}

/* The reference prints ten digits: half a unit of the last one, at worst 5e-10 of the value. */
static void agrees(const char *file, const char *analysis, const char *quantity, double value)
{
    const double expected = reference(file, analysis, quantity);
    if (!(fabs(value - expected) <= 5.1e-10 * fabs(expected)))
        fail_msg("%s, %s: %.12g, expected %.10g", analysis, quantity, value, expected);
}

static const bd_coefficient *path_coefficient(const bd_mediation *mediation, size_t equation, size_t node)
{
    return &mediation->equations[equation]->coefficients[1 + mediation->n_covariates + node];
}

static void check_simple(const bd_mediation *mediation, const char *file, const char *analysis, const char *direct,
                         const char *total, const char *sobel_se, const char *sobel_z)
{
    char name[64];
    const struct {
        const char *quantity;
        const bd_coefficient *coefficient;
    } paths[] = {
        {"a", path_coefficient(mediation, 1, 0)},
        {"b", path_coefficient(mediation, 2, 1)},
        {direct, path_coefficient(mediation, 2, 0)},
        {total, path_coefficient(mediation, 0, 0)},
    };
    for (size_t i = 0; i < 4; i++) {
        agrees(file, analysis, paths[i].quantity, paths[i].coefficient->estimate);
        snprintf(name, sizeof name, "%s se", paths[i].quantity);
        agrees(file, analysis, name, paths[i].coefficient->se);
    }
    agrees(file, analysis, "indirect a*b", mediation->estimates[2]);
    if (sobel_se != NULL) {
        agrees(file, analysis, sobel_se, mediation->checks[0].delta_se);
        agrees(file, analysis, sobel_z, mediation->checks[0].delta_z);
    }
}

static void test_mediation__jobs_matches_its_reference_results(void **state)
{
    (void)state;
    const struct {
        const char *analysis, *adjust;
    } cases[] = {{"no covariates", NULL},
                 {"depress1 + econ_hard + sex + age", "depress1,econ_hard,sex,age"},
                 {"all covariates", ALL_COVARIATES}};
    for (size_t i = 0; i < 3; i++) {
        const bd_mediation_options options = quick();
        const bd_mediation *mediation;
        must(mediate("treat -> job_seek -> depress2", cases[i].adjust, JOBS "jobs.csv", &options, &mediation));
        assert_int_equal(mediation->n_rows, 899);
        check_simple(mediation, JOBS "reference_results.csv", cases[i].analysis, "direct", "total", "Sobel se",
                     "Sobel z");
    }
}

/* Imai et al. print five digits of a simulation; the exact least-squares product lies within its own noise, and the
 * bootstrap interval within 0.002 of their quasi-Bayesian one (two Monte-Carlo errors of theirs at 1,000 draws). */
static void test_mediation__jobs_published_interval_is_reproduced(void **state)
{
    (void)state;
    bd_mediation_options options = BD_MEDIATION_DEFAULTS;
    const bd_mediation *mediation;
    const char *file = JOBS "reference_results.csv", *analysis = "all covariates, no interaction";
    must(mediate("treat -> job_seek -> depress2", ALL_COVARIATES, JOBS "jobs.csv", &options, &mediation));
    const bd_interval_ends *ends = mediation->bootstrap->ends;
    const bd_mediation_check *check = &mediation->checks[0];
    assert_true(fabs(mediation->estimates[2] - reference(file, analysis, "mediation effect")) < 0.0003);
    assert_true(fabs(mediation->estimates[1] - reference(file, analysis, "direct effect")) < 0.003);
    assert_true(fabs(mediation->estimates[0] - reference(file, analysis, "total effect")) < 0.003);
    assert_true(fabs(check->mc_low - reference(file, analysis, "mediation ci_low")) < 0.002);
    assert_true(fabs(check->mc_high - reference(file, analysis, "mediation ci_high")) < 0.002);
    assert_true(fabs(ends[2].low - reference(file, analysis, "mediation ci_low")) < 0.003);
    assert_true(fabs(ends[2].high - reference(file, analysis, "mediation ci_high")) < 0.003);
}

static void test_mediation__therapy_example_matches_preacher_and_hayes(void **state)
{
    (void)state;
    const bd_mediation_options options = quick();
    const bd_mediation *mediation;
    const char *file = "datasets/mediation_therapy_attribution/reference_results.csv";
    must(mediate("therapy -> attribution -> satisfaction", NULL, "datasets/mediation_therapy_attribution/sobel.csv",
                 &options, &mediation));
    check_simple(mediation, file, "OLS", "c_direct", "c_total", "Sobel se (first order)", "Sobel z (first order)");
    agrees(file, "OLS", "Aroian se (second order)", mediation->checks[0].second_order_se);
    agrees(file, "OLS", "Aroian z", mediation->checks[0].second_order_z);
    agrees(file, "OLS", "R2 mediator model", mediation->equations[1]->r_squared);
    agrees(file, "OLS", "R2 outcome model", mediation->equations[2]->r_squared);
}

static void test_mediation__media_influence_matches_its_reference_results(void **state)
{
    (void)state;
    const bd_mediation_options options = quick();
    const bd_mediation *mediation;
    const char *file = "datasets/mediation_pmi/reference_results.csv";
    must(mediate("cond -> pmi -> reaction", NULL, "datasets/mediation_pmi/tal_or.csv", &options, &mediation));
    check_simple(mediation, file, "OLS", "c_direct", "c_total", "Sobel se (first order)", "Sobel z (first order)");
    agrees(file, "OLS", "Aroian se (second order)", mediation->checks[0].second_order_se);
    agrees(file, "OLS", "R2 mediator model", mediation->equations[1]->r_squared);
    agrees(file, "OLS", "R2 outcome model", mediation->equations[2]->r_squared);
}

static bd_status from_matrix(const char *path_text, const char *adjust, size_t n, const bd_mediation **mediation)
{
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_mediation_options options = quick();
    const bd_table *matrix;
    const bd_path *path;
    must(bd_csv_read("datasets/mediation_estress_matrix/correlations.csv", NULL, 0, &csv, arena, &matrix));
    must(bd_path_parse(path_text, arena, &path));
    return bd_mediate_correlations(matrix, path, adjust, n, &options, arena, mediation);
}

static void test_mediation__correlation_matrix_matches_its_reference_results(void **state)
{
    (void)state;
    const char *file = "datasets/mediation_estress_matrix/reference_results.csv";
    const struct {
        const char *analysis, *adjust;
    } cases[] = {{"standardized, no covariates", NULL},
                 {"standardized, covariates sex tenure self.efficacy", "sex,tenure,self.efficacy"}};
    for (size_t i = 0; i < 2; i++) {
        const bd_mediation *mediation;
        must(from_matrix("economic.stress -> depression -> withdrawal", cases[i].adjust, 262, &mediation));
        check_simple(mediation, file, cases[i].analysis, "direct", "total", NULL, NULL);
        agrees(file, cases[i].analysis, "R2 depression", mediation->equations[1]->r_squared);
        agrees(file, cases[i].analysis, "R2 withdrawal", mediation->equations[2]->r_squared);
    }
}

static void test_mediation__impossible_matrices_are_refused(void **state)
{
    (void)state;
    const bd_mediation *mediation;
    assert_int_equal(from_matrix("economic.stres -> depression -> withdrawal", NULL, 262, &mediation), BD_EDATA);
    assert_non_null(strstr(bd_message(), "economic.stress"));
    assert_int_equal(from_matrix("economic.stress -> depression -> withdrawal", NULL, 4, &mediation), BD_EDATA);
    assert_non_null(strstr(bd_message(), "4 cases cannot estimate"));
    assert_int_equal(from_matrix("economic.stress -> depression -> withdrawal", "sex,sex", 262, &mediation), BD_EUSAGE);
    assert_non_null(strstr(bd_message(), "'sex' is named twice"));
}

static size_t value_named(const bd_mediation *mediation, const char *name)
{
    for (size_t i = 0; i < mediation->n_values; i++)
        if (strcmp(mediation->names[i], name) == 0)
            return i;
    fail_msg("no value '%s'", name);
    return 0;
}

/* In least squares the total effect is the direct one plus all indirect ones: 1e-12 of the total. */
static void test_mediation__total_is_direct_plus_indirect_in_any_path(void **state)
{
    (void)state;
    const char *paths[] = {"cond -> pmi -> reaction", "cond -> pmi, import -> reaction",
                           "cond -> import -> pmi -> reaction", "cond -> age, import -> pmi, gender -> reaction"};
    const size_t n_routes[] = {1, 2, 3, 8};
    for (size_t i = 0; i < 4; i++) {
        const bd_mediation_options options = quick();
        const bd_mediation *mediation;
        must(mediate(paths[i], NULL, "datasets/mediation_pmi/tal_or.csv", &options, &mediation));
        const bd_replicates *replicates = mediation->bootstrap->replicates;
        assert_int_equal(mediation->n_routes, n_routes[i]);
        assert_true(fabs(mediation->estimates[0] - mediation->estimates[1] - mediation->estimates[2]) < 1e-12);
        for (size_t r = 0; r < replicates->n_replicates; r++) {
            const double *v = replicates->values + r;
            assert_true(fabs(v[0] - v[replicates->n_replicates] - v[2 * replicates->n_replicates]) < 1e-10);
        }
    }
}

/* Hayes (2013) prints these specific indirect effects of the serial model of this study with three decimals. */
static void test_mediation__serial_products_are_products_of_regressions(void **state)
{
    (void)state;
    const bd_mediation_options options = quick();
    const bd_mediation *mediation;
    const char *file = "datasets/mediation_pmi/tal_or.csv";
    must(mediate("cond -> import -> pmi -> reaction", NULL, file, &options, &mediation));
    bd_regression_options plain = BD_REGRESSION_DEFAULTS;
    const bd_regression *first, *second, *third;
    must(bd_regress(frame_of("import ~ cond", file), &plain, arena, &first));
    must(bd_regress(frame_of("pmi ~ cond + import", file), &plain, arena, &second));
    must(bd_regress(frame_of("reaction ~ cond + import + pmi", file), &plain, arena, &third));
    const double a1 = first->fit->coefficients[1].estimate, a2 = second->fit->coefficients[1].estimate,
                 d = second->fit->coefficients[2].estimate, b1 = third->fit->coefficients[2].estimate,
                 b2 = third->fit->coefficients[3].estimate;
    const struct {
        const char *name;
        double value;
    } cases[] = {{"indirect: cond -> import -> reaction", a1 * b1},
                 {"indirect: cond -> pmi -> reaction", a2 * b2},
                 {"indirect: cond -> import -> pmi -> reaction", a1 * d * b2},
                 {"indirect", a1 * b1 + a2 * b2 + a1 * d * b2}};
    for (size_t i = 0; i < 4; i++)
        assert_true(fabs(mediation->estimates[value_named(mediation, cases[i].name)] - cases[i].value) < 1e-12);
    const size_t contrast =
        value_named(mediation, "(cond -> import -> pmi -> reaction) - (cond -> import -> reaction)");
    assert_true(fabs(mediation->estimates[contrast] - (a1 * d * b2 - a1 * b1)) < 1e-12);
}

/* Standardising every variable first gives the completely standardised effect. */
static void test_mediation__standardised_effects_are_those_of_standardised_columns(void **state)
{
    (void)state;
    const bd_mediation_options options = quick();
    const bd_mediation *raw, *scaled;
    const char *file = "datasets/mediation_pmi/tal_or.csv";
    must(mediate("cond -> pmi -> reaction", "age", file, &options, &raw));
    must(mediate("scale(cond) -> scale(pmi) -> scale(reaction)", "age", file, &options, &scaled));
    const size_t complete = value_named(raw, "indirect, completely standardised");
    assert_true(fabs(raw->estimates[complete] - scaled->estimates[2]) < 1e-12);
    must(mediate("cond -> pmi -> scale(reaction)", "age", file, &options, &scaled));
    assert_true(fabs(raw->estimates[value_named(raw, "indirect, partially standardised")] - scaled->estimates[2]) < 1e-12);
}

static void test_mediation__what_cannot_be_mediated_is_refused(void **state)
{
    (void)state;
    const bd_mediation_options options = quick();
    const bd_mediation *mediation;
    const struct {
        const char *path, *adjust, *message;
        bd_status status;
    } cases[] = {
        {"educ -> job_seek -> depress2", NULL, "'educ' has 5 categories", BD_EDATA},
        {"treat -> control -> depress2", NULL, "mediator 'control' is text", BD_EDATA},
        {"treat -> job_seek -> depress2", "factor(educ) - 1", "needs the intercept", BD_EUSAGE},
        {"treat -> job_seek -> depress2", "control", "linear combination", BD_ENUMERIC},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(mediate(cases[i].path, cases[i].adjust, JOBS "jobs.csv", &options, &mediation),
                         cases[i].status);
        if (strstr(bd_message(), cases[i].message) == NULL)
            fail_msg("%s", bd_message());
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_mediation__jobs_matches_its_reference_results),
        CASE(test_mediation__jobs_published_interval_is_reproduced),
        CASE(test_mediation__therapy_example_matches_preacher_and_hayes),
        CASE(test_mediation__media_influence_matches_its_reference_results),
        CASE(test_mediation__correlation_matrix_matches_its_reference_results),
        CASE(test_mediation__impossible_matrices_are_refused),
        CASE(test_mediation__total_is_direct_plus_indirect_in_any_path),
        CASE(test_mediation__serial_products_are_products_of_regressions),
        CASE(test_mediation__standardised_effects_are_those_of_standardised_columns),
        CASE(test_mediation__what_cannot_be_mediated_is_refused),
    };
    return cmocka_run_group_tests_name("mediation", tests, NULL, NULL);
}
