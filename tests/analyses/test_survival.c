/* Survival of a table: the formula taken apart, the regression, the document. Values: scripts/reference-survival.R */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/analyses/survival.h>
#include <bordin/report/writer.h>

#include "analyses/survival_formula.h"
#include "fixture.h"

static void assert_close(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-11 * fmax(1, fabs(expected))))
        fail_msg("%.15g is not %.15g: off by %.2g", value, expected, value - expected);
}

static bd_status build(const char *file, const bd_survival_spec *spec, const bd_survival_data **data)
{
    const bd_wanted *wanted = NULL;
    size_t n_wanted = 0;
    const bd_table *table = NULL;
    const char *path;
    BD_TRY(bd_print(arena, &path, "datasets/survival/%s.csv", file));
    BD_TRY(bd_survival_wanted(spec, arena, &wanted, &n_wanted));
    BD_TRY(bd_csv_read(path, wanted, n_wanted, &BD_CSV_DEFAULTS, arena, &table));
    return bd_survival_build(table, spec, arena, data);
}

static const bd_survival_data *data_of(const char *file, const bd_survival_spec *spec)
{
    const bd_survival_data *data = NULL;
    must(build(file, spec, &data));
    return data;
}

static const bd_survival *survival_of(const char *file, const bd_survival_spec *spec)
{
    const bd_survival *survival = NULL;
    must(bd_survive(data_of(file, spec), &BD_SURVIVAL_DEFAULTS, arena, &survival));
    return survival;
}

static void test_survival__formula_comes_apart(void **state)
{
    (void)state;
    survival_formula f;
    must(survival_formula_parse("Surv(start, stop - 1, status == 2) ~ a * b + strata(site, `a b` > 3) + log(x) - c + "
                                "cluster(`the therapist`) + offset(o) + offset(2 * o)",
                                arena, &f));
    assert_string_equal(f.start, "start");
    assert_string_equal(f.stop, "stop - 1");
    assert_string_equal(f.event, "status == 2");
    assert_string_equal(f.terms, "a * b + log(x) - (c)");
    assert_int_equal(f.n_strata, 2);
    assert_string_equal(f.strata[1], "`a b` > 3");
    assert_null(f.stratum);
    assert_string_equal(f.cluster, "the therapist");
    assert_string_equal(f.offset, "(o) + (2 * o)");
    must(survival_formula_parse("Surv(time, event) ~ strata(`my site`)", arena, &f));
    assert_null(f.start);
    assert_string_equal(f.terms, "1");
    assert_string_equal(f.stratum, "my site");
}

static void test_survival__interval_data_with_strata_and_clusters_agree_with_coxph(void **state)
{
    (void)state;
    const bd_survival_spec spec = {
        .formula = "Surv(start, stop, event) ~ age + year + surgery + strata(transplant) + cluster(id)", .id = "id"};
    const bd_survival *survival = survival_of("heart", &spec);
    static const double estimates[] = {0.0293350660537284, -0.152708482468713, -0.617562720543241};
    static const double errors[] = {0.0135591270423216, 0.0726193292108099, 0.362576204986694};
    static const double zph[] = {0.83739244923673, 1.49842539416145, 0.112831248039106};
    for (size_t j = 0; j < 3; j++) {
        assert_close(survival->fit->coefficients[j].estimate, estimates[j]);
        assert_close(survival->fit->coefficients[j].se, errors[j]);
        assert_close(survival->proportional->terms[j].statistic, zph[j]);
    }
    assert_close(survival->proportional->global.statistic, 2.56022916360035);
    assert_string_equal(survival->data->terms[2], "surgery");
    assert_int_equal(survival->data->design.n_ids, 103);
}

static void test_survival__factors_are_tested_as_one_term(void **state)
{
    (void)state;
    const bd_survival_spec spec = {.formula = "Surv(time, status) ~ trt + factor(celltype, ref = \"squamous\") + "
                                              "karno"};
    const bd_survival *survival = survival_of("veteran", &spec);
    assert_int_equal(survival->proportional->n_terms, 3);
    assert_int_equal((int)survival->proportional->terms[1].df, 3);
    assert_close(survival->proportional->terms[1].statistic, 14.5317103964116);
}

/* Missing wt.loss drops rows of the outcome too; and weights are not rescaled. */
static void test_survival__all_parts_have_the_same_rows(void **state)
{
    (void)state;
    const bd_survival_spec spec = {.formula = "Surv(time, status == 2) ~ age + sex + strata(ph.ecog, wt.loss > 0)",
                                   .weights = "ph.karno", .where = "inst != 1"};
    const bd_survival_data *data = data_of("lung", &spec);
    size_t kinds[8] = {0};
    assert_int_equal(data->frame->n_read, data->frame->n_excluded + data->frame->n_dropped + data->design.n_rows);
    assert_true(data->frame->n_dropped > 10);
    for (size_t i = 0; i < data->design.n_rows; i++) {
        assert_true(data->design.weights[i] >= 50 && data->design.weights[i] <= 100);
        assert_in_range(data->design.strata[i], 0, data->design.n_strata - 1);
        kinds[data->design.strata[i]]++;
    }
    for (size_t s = 0; s < data->design.n_strata; s++)
        assert_true(kinds[s] > 0);
    assert_int_equal(data->design.n_columns, 2);
    assert_string_equal(data->strata, "ph.ecog and wt.loss > 0");
}

static void test_survival__without_predictors_is_a_design_that_is_not_regressed(void **state)
{
    (void)state;
    const bd_survival_spec spec = {.formula = "Surv(time, status == 2) ~ strata(sex)"};
    const bd_survival_data *data = data_of("lung", &spec);
    const bd_survival *survival = NULL;
    assert_int_equal(data->design.n_columns, 0);
    assert_int_equal(data->design.n_strata, 2);
    assert_int_equal(bd_survive(data, &BD_SURVIVAL_DEFAULTS, arena, &survival), BD_EUSAGE);
    assert_string_equal(bd_message(), "the formula 'Surv(time, status == 2) ~ strata(sex)' names no predictors");
}

static void test_survival__says_what_is_wrong_with_a_formula(void **state)
{
    (void)state;
    static const struct {
        const char *formula, *message;
    } cases[] = {
        {"time ~ age", "the left of ~ must be Surv(time, event) or Surv(start, stop, event)"},
        {"Surv(time) ~ age", "the left of ~ must be Surv(time, event) or Surv(start, stop, event)"},
        {"Surv(time, status", "this parenthesis is never closed"},
        {"Surv(time, status == 2)", "a formula reads Surv(time, event) ~ terms"},
        {"Surv(time, status, type = 1) ~ age", "Surv() knows no argument 'type'"},
        {"Surv(time, status == 2) ~ age * strata(sex)", "strata() stands by itself, between + signs"},
        {"Surv(time, status == 2) ~ age + log(frailty(inst))", "frailty() stands by itself, between + signs"},
        {"Surv(time, status == 2) ~ age + strata()", "strata() names the columns of strata"},
        {"Surv(time, status == 2) ~ age + cluster(2)", "cluster() takes the name of one column"},
        {"Surv(time, status == 2) ~ age + cluster(inst) + cluster(sex)", "there can be one cluster() or frailty(), not two"},
        {"Surv(time, status == 2) ~ age + offset()", "offset() takes one expression"},
        {"Surv(time, status == 2) ~ age - 1", "have no intercept to leave out"},
        {"Surv(time, status == 2) ~ log(time)", "'time', in the outcome, is also in the predictor 'log(time)'"},
        {"Surv(time, status == 2) ~ status + age", "'status', in the outcome, is also in the predictor 'status'"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const bd_survival_spec spec = {.formula = cases[k].formula};
        const bd_survival_data *data = NULL;
        assert_int_equal(build("lung", &spec, &data), BD_EUSAGE);
        if (strstr(bd_message(), cases[k].message) == NULL)
            fail_msg("'%s' says: %s", cases[k].formula, bd_message());
    }
    const bd_survival_spec both = {.formula = "Surv(time, status == 2) ~ age + cluster(inst)", .cluster = "sex"};
    const bd_survival_data *data = NULL;
    assert_int_equal(build("lung", &both, &data), BD_EUSAGE);
    assert_string_equal(bd_message(), "--cluster 'sex' and cluster(inst) name different clusters");
    const bd_survival_spec holes = {.formula = "Surv(time, status == 2) ~ age", .id = "inst"};
    assert_int_equal(build("lung", &holes, &data), BD_EDATA);
    assert_string_equal(bd_message(), "datasets/survival/lung.csv: 'inst' is missing in 1 rows that are used; leave "
                                      "them out with --where");
}

static void test_survival__ties_have_names(void **state)
{
    (void)state;
    bd_cox_ties ties = BD_COX_EFRON;
    must(bd_cox_ties_find("exact", &ties));
    assert_int_equal(ties, BD_COX_EXACT);
    assert_int_equal(bd_cox_ties_find("Exact", &ties), BD_EUSAGE);
    assert_string_equal(bd_message(), "no treatment of ties named 'Exact'; there are efron, breslow, exact");
}

/* With weights of one the replicate is the fit; the rows of a patient, or a cluster, are drawn together; the same bits for
 * any number of threads. */
static void test_survival__is_bootstrapped_by_patient(void **state)
{
    (void)state;
    enum { REPLICATES = 200 };
    const bd_survival_spec spec = {.formula = "Surv(start, stop, event) ~ age + surgery", .id = "id"};
    const bd_survival_data *data = data_of("heart", &spec);
    bd_survival_options options = BD_SURVIVAL_DEFAULTS;
    const bd_survival *one, *many;
    options.bootstrap = true;
    options.resampling.n_replicates = REPLICATES;
    options.resampling.n_threads = 1;
    must(bd_survive(data, &options, arena, &one));
    assert_int_equal(one->bootstrap->replicates->n_units, 103);
    assert_string_equal(one->bootstrap->unit, "clusters of id");
    for (size_t j = 0; j < 2; j++) {
        assert_close(one->bootstrap->replicates->estimates[j], one->fit->coefficients[j].estimate);
        assert_true(one->bootstrap->ends[j].boot_se > 0.5 * one->fit->coefficients[j].se);
        assert_true(one->bootstrap->ends[j].boot_se < 2 * one->fit->coefficients[j].se);
    }
    options.resampling.n_threads = 3;
    must(bd_survive(data, &options, arena, &many));
    assert_memory_equal(one->bootstrap->replicates->values, many->bootstrap->replicates->values,
                        2 * REPLICATES * sizeof(double));
    const bd_survival_spec rows = {.formula = "Surv(start, stop, event) ~ age"};
    assert_int_equal(bd_survive(data_of("heart", &rows), &options, arena, &many), BD_EUSAGE);
    assert_non_null(strstr(bd_message(), "name the column of patients (--id)"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_survival__formula_comes_apart),
        TEST(test_survival__interval_data_with_strata_and_clusters_agree_with_coxph),
        TEST(test_survival__factors_are_tested_as_one_term),
        TEST(test_survival__all_parts_have_the_same_rows),
        TEST(test_survival__without_predictors_is_a_design_that_is_not_regressed),
        TEST(test_survival__says_what_is_wrong_with_a_formula),
        TEST(test_survival__ties_have_names),
        TEST(test_survival__is_bootstrapped_by_patient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
