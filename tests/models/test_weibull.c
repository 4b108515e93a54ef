/* Accelerated failure times held to survival 3.5-3 (survreg): Rscript scripts/reference-survival-curves.R */
#include "models/cox_data.h"

#include <bordin/models/weibull.h>

enum { MOST = 5 };

#define TIMES(name, time, status) .file = name, .stop = time, .event = status
static const source lung_complete = {TIMES("lung", "time", "status == 2"), .terms = "age + sex + ph.ecog"};
static const source lung_counts = {TIMES("lung", "time", "status == 2"), .terms = "age + sex", .weighted = true};
static const source ovaries = {TIMES("ovarian", "futime", "fustat"), .terms = "rx", .offset = "0.1 * ecog.ps"};
static const source veteran = {TIMES("veteran", "time", "status"), .terms = "trt + karno + prior"};

typedef struct reference {
    double estimates[MOST], errors[MOST]; /* the constant, the columns; log(scale) */
    double log_likelihoods[2];            /* of a constant alone, of the model */
} reference;

/* By distribution and source. */
static const source *const sources[] = {&lung_complete, &lung_counts, &ovaries, &veteran};
static const reference references[4][4] = {
    {
    {{6.27343525199845, -0.00747543940914449, 0.40109054119345, -0.339638098308774, -0.313192730258258},
     {0.453577710810902, 0.00676350766753494, 0.123732566515343, 0.0834784150300719, 0.0613464552614205},
     {-1147.4280568733, -1132.43874588232}}, /* lung weibull */
    {{6.27212229562371, -0.0145166055345749, 0.497162405226993, -0.288177738944784},
     {0.350007408745966, 0.00496790521266644, 0.0924250309779848, 0.0440316014170926},
     {-2280.40572789454, -2257.9829810114}}, /* lung, counts weibull */
    {{6.10695249767376, 0.571971668114882, -0.10945582785512},
     {0.787619118361815, 0.535279823757369, 0.251347790422307},
     {-98.129296304164, -97.5275272022701}}, /* ovarian, offset weibull */
    {{2.82335125720795, -0.135568980344692, 0.0348976342482806, 0.00982041322658797, 0.0187029901557764},
     {0.380907581273746, 0.18187600844033, 0.00484651720519046, 0.0203004743783398, 0.0649543254754209},
     {-748.091213991611, -725.673983649833}}, /* veteran weibull */
    },
    {
    {{6.37342319823116, -0.0102173605936676, 0.509061399784426, -0.405016989979724},
     {0.620755101308642, 0.00917689478207216, 0.167161189276685, 0.112697455095761},
     {-1156.12326446575, -1143.56315131318}}, /* lung exponential */
    {{6.34295365659288, -0.0177792613970513, 0.606377381865951},
     {0.46314171088507, 0.00652535515211036, 0.121681708268517},
     {-2295.58132152297, -2276.54477279016}}, /* lung, counts exponential */
    {{6.0986147011133, 0.619680190225789},
     {0.87831006565368, 0.58554004376912},
     {-98.188504759893, -97.617939647198}}, /* ovarian, offset exponential */
    {{2.83705014264629, -0.135697321487547, 0.034792276454774, 0.00996324235581941},
     {0.370681232057863, 0.178628629923749, 0.00475681389786761, 0.0199403796273239},
     {-751.221210575233, -725.715893823276}}, /* veteran exponential */
    },
    {
    {{6.49478672654724, -0.0191818680868148, 0.521952878521414, -0.355566670332354, 0.0282322741374509},
     {0.582756276146915, 0.00832785746307169, 0.152775382448477, 0.103308253019471, 0.0559606245492043},
     {-1163.17598441688, -1146.88183108603}}, /* lung lognormal */
    {{6.26888275900028, -0.0234519614752681, 0.638280337092872, 0.0280781438105273},
     {0.415621341903592, 0.005824254318082, 0.109035907638935, 0.0399804156769634},
     {-2304.08577350606, -2275.58704730366}}, /* lung, counts lognormal */
    {{5.43395935936106, 0.776920886494617, 0.16349170651819},
     {0.808856280533171, 0.527957024048154, 0.227405737239669},
     {-97.1931785809959, -96.1411208434697}}, /* ovarian, offset lognormal */
    {{1.98012546472003, -0.11957676466027, 0.040266829951884, 0.000457456816414793, 0.111149863163591},
     {0.433309649781267, 0.193832774970998, 0.00490075854748362, 0.0213756028117003, 0.0625650956104578},
     {-749.473984949076, -721.360766799901}}, /* veteran lognormal */
    },
    {
    {{5.93668692063805, -0.00807991943085238, 0.48662357089902, -0.404615511571999, -0.623357152237867},
     {0.512072660151648, 0.00747790705754958, 0.13489414783419, 0.0930137194020922, 0.0658133653780304},
     {-1154.54917931852, -1137.48961226949}}, /* lung loglogistic */
    {{5.8224312792634, -0.0147081848269795, 0.591582588325227, -0.575626204184909},
     {0.380799207491244, 0.0054557897048688, 0.100292282874097, 0.0465245298295762},
     {-2291.16486419059, -2268.16041217497}}, /* lung, counts loglogistic */
    {{5.53083858212668, 0.683784915963353, -0.350185693527505},
     {0.834732554346678, 0.54124609546049, 0.246520845712809},
     {-97.472878724855, -96.6574021014059}}, /* ovarian, offset loglogistic */
    {{1.89720257995597, -0.0325025990022107, 0.0395229732623693, 0.00416433106849987, -0.47800535166182},
     {0.42606695607265, 0.18598028663092, 0.00459406382765405, 0.0210006867300565, 0.0741332782786364},
     {-750.265787977616, -720.141662721869}}, /* veteran loglogistic */
    },
};

/* With a constant before the columns. */
static bd_failure_time_design with_constant(const bd_cox_design *data)
{
    const double **columns = bd_arena_alloc(arena, data->n_columns + 1, sizeof *columns);
    const char **names = bd_arena_alloc(arena, data->n_columns + 1, sizeof *names);
    assert_true(columns != NULL && names != NULL);
    names[0] = "(Intercept)";
    for (size_t j = 0; j < data->n_columns; j++) {
        columns[j + 1] = data->columns[j];
        names[j + 1] = data->names[j];
    }
    return (bd_failure_time_design){.n_rows = data->n_rows, .n_columns = data->n_columns + 1, .columns = columns,
                                    .names = names, .has_intercept = true, .stop = data->stop, .event = data->event,
                                    .weights = data->weights, .offset = data->offset};
}

static const bd_failure_time *fit_times(const bd_failure_time_design *design, bd_failure_time_distribution distribution)
{
    const bd_failure_time *fit = NULL;
    must(bd_failure_time_fit(design, distribution, 0.95, arena, &fit));
    return fit;
}

static void assert_reference(const bd_failure_time *fit, const reference *r)
{
    const size_t p = fit->n_columns;
    assert_int_equal(fit->end, BD_FAILURE_TIME_CONVERGED);
    for (size_t j = 0; j < p; j++) {
        assert_close(fit->coefficients[j].estimate, r->estimates[j], 1e-11);
        assert_close(fit->coefficients[j].se, r->errors[j], 1e-11);
        assert_close(sqrt(fit->covariance[j * fit->n_parameters + j]), r->errors[j], 1e-11);
    }
    if (fit->distribution != BD_EXPONENTIAL) {
        assert_close(log(fit->scale), r->estimates[p], 1e-11);
        assert_close(fit->log_scale_se, r->errors[p], 1e-11);
    }
    assert_close(fit->log_likelihood_null, r->log_likelihoods[0], 1e-13);
    assert_close(fit->log_likelihood, r->log_likelihoods[1], 1e-13);
}

static void test_weibull__agrees_with_survreg(void **state)
{
    (void)state;
    for (size_t d = 0; d < 4; d++)
        for (size_t k = 0; k < 4; k++) {
            const bd_cox_design data = design_of(sources[k]);
            const bd_failure_time_design design = with_constant(&data);
            assert_reference(fit_times(&design, (bd_failure_time_distribution)d), &references[d][k]);
        }
}

/* A weight of two is the row written twice, in another order of rows and columns and other units. */
static void test_weibull__units_and_weights_do_what_they_mean(void **state)
{
    (void)state;
    const bd_cox_design data = design_of(&lung_counts);
    bd_failure_time_design design = with_constant(&data);
    const bd_failure_time *fit = fit_times(&design, BD_LOG_LOGISTIC);
    double *columns = bd_arena_alloc(arena, 12 * design.n_rows, sizeof *columns);
    assert_non_null(columns);
    const size_t room = 3 * design.n_rows;
    double *age = columns, *sex = age + room, *stop = sex + room, *event = stop + room;
    size_t n = 0;
    for (size_t i = design.n_rows; i > 0; i--)
        for (int copy = 0; copy < (int)design.weights[i - 1]; copy++, n++) {
            age[n] = 1e6 + 12 * data.columns[0][i - 1];
            sex[n] = data.columns[1][i - 1];
            stop[n] = data.stop[i - 1] / 30;
            event[n] = data.event[i - 1];
        }
    const double *const other[] = {NULL, sex, age};
    design = (bd_failure_time_design){.n_rows = n, .n_columns = 3, .columns = other, .names = design.names,
                                      .has_intercept = true, .stop = stop, .event = event};
    const bd_failure_time *repeated = fit_times(&design, BD_LOG_LOGISTIC);
    assert_close(repeated->coefficients[2].estimate * 12, fit->coefficients[1].estimate, 1e-11);
    assert_close(repeated->coefficients[2].se * 12, fit->coefficients[1].se, 1e-11);
    assert_close(repeated->coefficients[1].estimate, fit->coefficients[2].estimate, 1e-11);
    assert_close(repeated->scale, fit->scale, 1e-11);
    assert_close(repeated->likelihood_ratio, fit->likelihood_ratio, 1e-9);
}

/* Without predictors the exponential rate is events over time. */
static void test_weibull__the_exponential_rate_is_events_over_time(void **state)
{
    (void)state;
    const double stop[] = {2, 3, 5, 7}, event[] = {1, 0, 1, 1};
    const double *const constant[] = {NULL};
    const char *const names[] = {"(Intercept)"};
    const bd_failure_time_design design = {.n_rows = 4, .n_columns = 1, .columns = constant, .names = names,
                                           .has_intercept = true, .stop = stop, .event = event};
    const bd_failure_time *fit = fit_times(&design, BD_EXPONENTIAL);
    assert_close(fit->coefficients[0].estimate, log(17.0 / 3), 1e-14);
    assert_close(fit->coefficients[0].se, 1 / sqrt(3), 1e-14);
    assert_close(fit->coefficients[0].time_ratio_high, exp(log(17.0 / 3) + 1.95996398454005 / sqrt(3)), 1e-13);
    assert_close(fit->log_likelihood, 3 * log(3.0 / 17) - 3, 1e-14);
    assert_true(isnan(fit->likelihood_ratio) && fit->n_parameters == 1 && fit->scale == 1);
}

/* What has no maximum says so. */
static void test_weibull__ends_without_a_maximum_have_names(void **state)
{
    (void)state;
    const double stop[] = {2, 3, 5, 7, 4, 6}, event[] = {1, 0, 1, 1, 0, 0}, group[] = {0, 0, 0, 0, 1, 1};
    const double log_like[] = {0, 1, 2, 3, 4, 5}, doubling[] = {1, 2, 4, 8, 16, 32}, all[] = {1, 1, 1, 1, 1, 1};
    const double *const by_group[] = {NULL, group}, *const by_step[] = {NULL, log_like};
    const char *const names[] = {"(Intercept)", "x"};
    bd_failure_time_design design = {.n_rows = 6, .n_columns = 2, .columns = by_group, .names = names,
                                     .has_intercept = true, .stop = stop, .event = event};
    for (int d = 0; d < 4; d++) {
        const bd_failure_time *fit = fit_times(&design, (bd_failure_time_distribution)d);
        assert_int_equal(fit->end, BD_FAILURE_TIME_INFINITE);
        assert_true(isnan(fit->coefficients[1].se));
    }
    design.columns = by_step;
    design.stop = doubling;
    design.event = all;
    assert_int_equal(fit_times(&design, BD_WEIBULL)->end, BD_FAILURE_TIME_EXACT);
    assert_int_equal(fit_times(&design, BD_LOG_NORMAL)->end, BD_FAILURE_TIME_EXACT);
}

static void test_weibull__refuses_bad_data(void **state)
{
    (void)state;
    const double stop[] = {2, 3, 5}, event[] = {1, 0, 1}, zero[] = {2, 0, 5}, negative[] = {2, -1, 5};
    const double none[3] = {0}, two[] = {1, 0, 2}, x[] = {1, 2, 3}, twice[] = {2, 4, 6}, missing[] = {1, NAN, 2};
    const double *const good[] = {NULL, x}, *const collinear[] = {NULL, x, twice}, *const broken[] = {NULL, missing};
    const char *const names[] = {"(Intercept)", "x", "twice"};
    const struct {
        const double *stop, *event, *weights;
        const double *const *columns;
        size_t n_columns;
        bd_status status;
        const char *message;
    } cases[] = {
        {zero, event, NULL, good, 2, BD_EDATA,
         "the time in row 2 is 0; a model of the logarithm of time takes times above 0"},
        {negative, event, NULL, good, 2, BD_EDATA,
         "the time in row 2 is -1; a model of the logarithm of time takes times above 0"},
        {missing, event, NULL, good, 2, BD_EDATA, "the time in row 2 is not a number"},
        {stop, two, NULL, good, 2, BD_EDATA,
         "the event in row 3 is 2; it is 1 where the event happened and 0 where it did not (codes of another kind are "
         "compared, as in status == 2)"},
        {stop, none, NULL, good, 2, BD_EDATA, "none of the 3 rows has the event; all are censored"},
        {stop, event, none, good, 2, BD_EDATA, "there are no rows"},
        {stop, event, negative, good, 2, BD_EDATA, "the weight in row 2 is -1; weights are 0 or more"},
        {stop, event, NULL, broken, 2, BD_EDATA, "'x' has a value that is not a number in row 2"},
        {stop, event, NULL, collinear, 3, BD_ENUMERIC,
         "'twice' is constant or a linear combination of the other columns; leave it out"},
        {stop, event, NULL, good, 0, BD_EUSAGE, "the model has no columns, not even a constant"},
    };
    const bd_failure_time *fit;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const bd_failure_time_design design = {.n_rows = 3, .n_columns = cases[k].n_columns,
                                               .columns = cases[k].columns,
                                               .names = names, .has_intercept = true, .stop = cases[k].stop,
                                               .event = cases[k].event, .weights = cases[k].weights};
        assert_int_equal(bd_failure_time_fit(&design, BD_WEIBULL, 0.95, arena, &fit), cases[k].status);
        assert_string_equal(bd_message(), cases[k].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_weibull__agrees_with_survreg, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_weibull__units_and_weights_do_what_they_mean, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_weibull__the_exponential_rate_is_events_over_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_weibull__ends_without_a_maximum_have_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_weibull__refuses_bad_data, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
