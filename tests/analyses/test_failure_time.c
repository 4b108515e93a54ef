/* Accelerated failure times of a formula against survreg, survival 3.5-3 in R 4.2.2:
 * scripts/reference-survival-profiles.R. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/analyses/failure_time.h>
#include <bordin/data/csv.h>

#include "fixture.h"

static void assert_close(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance * fmax(1e-2, fabs(expected))))
        fail_msg("%.15g is not %.15g", value, expected);
}

static const bd_survival_data *lung(bd_survival_spec spec)
{
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_wanted *wanted;
    const bd_table *table;
    const bd_survival_data *data;
    size_t n;
    spec.formula = spec.formula != NULL ? spec.formula : "Surv(time, status == 2) ~ age + ph.ecog";
    must(bd_survival_wanted(&spec, arena, &wanted, &n));
    must(bd_csv_read("datasets/survival/lung.csv", wanted, n, &csv, arena, &table));
    must(bd_survival_build(table, &spec, arena, &data));
    return data;
}

static const bd_failure_time_regression *regress(const bd_survival_data *data, bd_failure_time_options options)
{
    const bd_failure_time_regression *regression;
    must(bd_failure_time_regress(data, &options, arena, &regression));
    assert_int_equal(regression->fit->end, BD_FAILURE_TIME_CONVERGED);
    return regression;
}

/* The constant, age, ph.ecog, log(scale). The exponential model has no log(scale). */
static const struct reference {
    const char *name;
    double estimates[4], errors[4], robust[4], log_likelihoods[2], log_hazards[4], log_median[2], survival[2],
        clustered[8];
} references[] = {
    {"weibull",
     {6.83050355351865, -0.00771972756246379, -0.326381984474235, -0.303661688338677},
     {0.428700669234995, 0.00687857926960811, 0.0857999282779414, 0.0619453678258003},
     {0.454997628074979, 0.00735457040727403, 0.0856376760947957, 0.0653396459654299},
     {-1147.4280568733, -1138.1076910079},
     {0.0104587689647503, 0.442185782108519, 0.00928816118883625, 0.115814595093915},
     {5.77041086717559, 0.0640252007423131},
     {0.728330814059761, 0.437769040023363},
     {6.83721759291413, -0.00780088980670762, -0.329040202685353, 0, 0.377304046698766, 0.00508682563156387,
      0.0980897011976608, 0.0605030970774842}},
    {"exponential",
     {7.10610011054642, -0.010978648946961, -0.3871694790979, 0},
     {0.575204410860402, 0.00924237008898503, 0.114242683504733, NAN},
     {0.511117238538264, 0.008249765572911, 0.0956867523550012, NAN},
     {-1156.12326446575, -1148.43976487833},
     {0.010978648946961, 0.3871694790979, 0.00924237008898503, 0.114242683504733},
     {5.69369877404919, 0.0835626178407706},
     {0.656979005080342, 0.426613867137708},
     {7.11165388359504, -0.0110444416843247, -0.38995112013943, 0, 0.455999318366471, 0.00631561969630467,
      0.0978731527287365, NAN}},
    {"lognormal",
     {7.41390470716459, -0.0225271641208618, -0.345803581535877, 0.049288948333137},
     {0.531923048842361, 0.00843636887673123, 0.104742349681653, 0.056166675273547},
     {0.557199465307569, 0.00920930632428653, 0.110123204319921, 0.0794863888232367},
     {-1163.17598441688, -1152.72761757036},
     {NAN, NAN, NAN, NAN},
     {5.71647127837701, 0.0793129649602877},
     {0.690876572979845, 0.430695249991584},
     {7.42904894881854, -0.0227134584275952, -0.351955343583858, 0, 0.606737490696491, 0.00883054655606287,
      0.116863639720936, 0.0748343386749789}},
    {"loglogistic",
     {6.78198608197042, -0.0111939478847773, -0.384318908690539, -0.596470439065577},
     {0.477832037142913, 0.00762409045277734, 0.0932577006365582, 0.0658187521332015},
     {0.495731434383803, 0.00799563997135343, 0.0885244220624789, 0.0795229056773936},
     {-1154.54917931852, -1144.01825263974},
     {NAN, NAN, NAN, NAN},
     {5.72603030019325, 0.0688466541230343},
     {0.724700895579424, 0.421726434224893},
     {6.80221871521081, -0.0114600258812425, -0.391537597799811, 0, 0.550139719636353, 0.00792995065097906,
      0.0944295298422418, 0.0725293273314141}},
};

static const char *const profile = "age=60,ph.ecog=1";
static const double days[] = {180, 365};

static bd_failure_time_options options_of(size_t d)
{
    bd_failure_time_options options = BD_FAILURE_TIME_DEFAULTS;
    must(bd_failure_time_find(references[d].name, &options.distribution));
    options.prediction = (bd_survival_prediction_options){
        .profiles = &profile, .n_profiles = 1, .times = days, .n_times = 2, .level = 0.95};
    return options;
}

static void test_failure_time__estimates_errors_and_predictions_are_those_of_survreg(void **state)
{
    (void)state;
    for (size_t d = 0; d < 4; d++) {
        const struct reference *r = &references[d];
        bd_failure_time_options options = options_of(d);
        const bd_failure_time_regression *model = regress(lung((bd_survival_spec){0}), options);
        options.robust = true;
        const bd_failure_time_regression *robust = regress(model->data, options);
        for (size_t j = 0; j < 3; j++) {
            assert_close(model->fit->coefficients[j].estimate, r->estimates[j], 1e-10);
            assert_close(model->fit->coefficients[j].se, r->errors[j], 1e-10);
            assert_close(robust->fit->coefficients[j].se, r->robust[j], 1e-10);
            assert_close(robust->fit->coefficients[j].naive_se, r->errors[j], 1e-10);
        }
        if (d != BD_EXPONENTIAL) {
            assert_close(log(model->fit->scale), r->estimates[3], 1e-10);
            assert_close(robust->fit->log_scale_se, r->robust[3], 1e-10);
        }
        for (size_t j = 0; j < 2 && d <= BD_EXPONENTIAL; j++) {
            assert_close(model->fit->coefficients[j + 1].log_hazard, r->log_hazards[j], 1e-10);
            assert_close(model->fit->coefficients[j + 1].log_hazard_se, r->log_hazards[j + 2], 1e-10);
        }
        assert_true(d <= BD_EXPONENTIAL || isnan(model->fit->coefficients[1].hazard_ratio));
        assert_close(model->fit->log_likelihood_null, r->log_likelihoods[0], 1e-12);
        assert_close(model->fit->log_likelihood, r->log_likelihoods[1], 1e-12);
        const bd_survival_prediction *item = &model->predictions->items[0];
        assert_close(log(item->median.value), r->log_median[0], 1e-10);
        assert_close(log(item->median.high), r->log_median[0] + 1.95996398454005 * r->log_median[1], 1e-10);
        for (size_t t = 0; t < 2; t++) {
            const bd_survival_predicted_point *p = &item->points[t];
            assert_close(p->survival, r->survival[t], 1e-10);
            assert_close(p->hazard, -log(r->survival[t]), 1e-10);
            assert_true(p->low < p->survival && p->survival < p->high);
        }
    }
}

static void test_failure_time__clustered_errors_are_those_of_survreg(void **state)
{
    (void)state;
    for (size_t d = 0; d < 4; d++) {
        const bd_failure_time_regression *r = regress(lung((bd_survival_spec){.cluster = "inst"}), options_of(d));
        assert_true(r->fit->robust);
        for (size_t j = 0; j < 3; j++) {
            assert_close(r->fit->coefficients[j].estimate, references[d].clustered[j], 1e-10);
            assert_close(r->fit->coefficients[j].se, references[d].clustered[4 + j], 1e-10);
        }
        if (d != BD_EXPONENTIAL)
            assert_close(r->fit->log_scale_se, references[d].clustered[7], 1e-10);
    }
}

/* Errors of survival at a time by small steps of each parameter: the delta method by other means. */
static void test_failure_time__limits_of_survival_are_of_the_delta_method(void **state)
{
    (void)state;
    const double x[] = {1, 60, 1}, h = 1e-5;
    for (size_t d = 0; d < 4; d++) {
        const bd_failure_time *fit = regress(lung((bd_survival_spec){0}), options_of(d))->fit;
        const size_t q = fit->n_parameters;
        double slope[4], variance = 0;
        for (size_t j = 0; j < q; j++) {
            double ends[2];
            for (int side = 0; side < 2; side++) {
                bd_failure_time other = *fit;
                bd_failure_time_coefficient moved[3];
                memcpy(moved, fit->coefficients, sizeof moved);
                const double step = side == 0 ? -h : h;
                if (j < 3)
                    moved[j].estimate += step * fmin(1, fit->coefficients[j].se);
                else
                    other.scale *= exp(step * fmin(1, fit->log_scale_se));
                other.coefficients = moved;
                ends[side] = bd_failure_time_at(&other, x, 0, 180).hazard;
            }
            slope[j] = (ends[1] - ends[0]) / (2 * h * fmin(1, j < 3 ? fit->coefficients[j].se : fit->log_scale_se));
        }
        for (size_t j = 0; j < q; j++)
            for (size_t k = 0; k < q; k++)
                variance += slope[j] * fit->covariance[j * q + k] * slope[k];
        assert_close(bd_failure_time_at(fit, x, 0, 180).hazard_se, sqrt(variance), 1e-7);
    }
}

/* Frequencies: a replicate is the fit of the weighted rows, and another set of the same. */
static void test_failure_time__a_replicate_is_the_fit_of_its_weights(void **state)
{
    (void)state;
    for (size_t d = 0; d < 4; d++) {
        const bd_failure_time_regression *r = regress(lung((bd_survival_spec){0}), options_of(d));
        const bd_failure_time_prepared *prepared;
        const bd_failure_time *fit;
        bd_failure_time_design design = r->design;
        double weights[228], values[4];
        for (size_t i = 0; i < design.n_rows; i++)
            weights[i] = (double)(i * i % 4);
        design.weights = weights;
        must(bd_failure_time_fit(&design, (bd_failure_time_distribution)d, 0.95, arena, &fit));
        must(bd_failure_time_prepare(&r->design, r->fit, arena, &prepared));
        double *scratch = bd_arena_alloc(arena, prepared->n_scratch, sizeof *scratch);
        assert_non_null(scratch);
        assert_int_equal(bd_failure_time_replicate(prepared, weights, scratch, values),
                         BD_FAILURE_TIME_REPLICATE_CONVERGED);
        for (size_t j = 0; j < 3; j++)
            assert_close(values[j], fit->coefficients[j].estimate, 1e-9);
        assert_true(d == BD_EXPONENTIAL || fabs(values[3] - log(fit->scale)) < 1e-10);
        for (size_t i = 0; i < design.n_rows; i++) /* one of ph.ecog only */
            weights[i] = design.columns[2][i] == 1;
        assert_int_equal(bd_failure_time_replicate(prepared, weights, scratch, values),
                         BD_FAILURE_TIME_REPLICATE_COLLINEAR);
        for (size_t i = 0; i < design.n_rows; i++)
            weights[i] = design.event[i] == 0;
        assert_int_equal(bd_failure_time_replicate(prepared, weights, scratch, values),
                         BD_FAILURE_TIME_REPLICATE_INFINITE);
    }
}

static void test_failure_time__bootstraps_to_the_same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    bd_failure_time_options options = options_of(0);
    const bd_failure_time_regression *r[2];
    options.bootstrap = true;
    options.resampling.n_replicates = 200;
    for (int k = 0; k < 2; k++) {
        options.resampling.n_threads = k == 0 ? 1 : 5;
        r[k] = regress(lung((bd_survival_spec){0}), options);
    }
    for (size_t j = 0; j < 4; j++) {
        assert_true(r[0]->bootstrap->ends[j].low == r[1]->bootstrap->ends[j].low);
        assert_true(r[0]->bootstrap->ends[j].high == r[1]->bootstrap->ends[j].high);
    }
}

static void test_failure_time__says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *formula, *message;
    } wrong[] = {
        {"Surv(age, time, status == 2) ~ ph.ecog",
         "rows that are intervals, Surv(start, stop, event), are for proportional "
         "hazards; leave --distribution out"},
        {"Surv(time, status == 2) ~ age + strata(sex)",
         "strata() are for proportional hazards; make sex a predictor, or leave --distribution out"},
        {"Surv(time - 5, status == 2) ~ age",
         "the time in row 57 is 0; a model of the logarithm of time takes times above 0"},
        {"Surv(time, status) ~ age",
         "the event in row 1 is 2; it is 1 where the event happened and 0 where it did not (codes "
         "of another kind are compared, as in status == 2)"},
        {"Surv(time, status > 2) ~ age", "none of the 228 rows has the event; all are censored"},
        {"Surv(time, status == 2) ~ age + I(age * 2)",
         "'I(age * 2)' is constant or a linear combination of the other columns; leave it out"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const bd_failure_time_regression *r;
        const bd_survival_data *data = lung((bd_survival_spec){.formula = wrong[i].formula});
        assert_int_not_equal(bd_failure_time_regress(data, &BD_FAILURE_TIME_DEFAULTS, arena, &r), BD_OK);
        assert_string_equal(bd_message(), wrong[i].message);
    }
    bd_failure_time_distribution distribution;
    assert_int_equal(bd_failure_time_find("gamma", &distribution), BD_EUSAGE);
    assert_string_equal(bd_message(),
                        "no distribution named 'gamma'; there are weibull, exponential, lognormal, loglogistic");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_failure_time__estimates_errors_and_predictions_are_those_of_survreg,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failure_time__clustered_errors_are_those_of_survreg, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failure_time__limits_of_survival_are_of_the_delta_method, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_failure_time__a_replicate_is_the_fit_of_its_weights, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failure_time__bootstraps_to_the_same_bits_for_any_number_of_threads,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failure_time__says_what_is_wrong, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
