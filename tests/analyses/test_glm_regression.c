/* Generalised regression of frames, and the document. */
#include <math.h>

#include "report/sample.h"

#include <bordin/analyses/glm_regression.h>
#include <bordin/data/csv.h>

#include "fixture.h"

static const bd_frame *frame_of(const char *path, bd_frame_spec spec)
{
    const bd_csv_options options = BD_CSV_DEFAULTS;
    const bd_wanted *wanted;
    const bd_table *table;
    const bd_frame *frame;
    size_t n_wanted;
    must(bd_frame_wanted(&spec, arena, &wanted, &n_wanted));
    must(bd_csv_read(path, wanted, n_wanted, &options, arena, &table));
    must(bd_frame_build(table, &spec, arena, &frame));
    return frame;
}

static const bd_frame *jobs(const char *formula)
{
    return frame_of("datasets/jobs2_mediation/jobs.csv", (bd_frame_spec){.formula = formula});
}

static const bd_glm_regression *regress(const bd_frame *frame, bd_glm_regression_options options)
{
    const bd_glm_regression *regression;
    must(bd_glm_regress(frame, &options, arena, &regression));
    return regression;
}

static bd_document *document_of(const bd_glm_regression *regression)
{
    bd_document *document;
    must(bd_glm_regression_document(regression, arena, &document));
    return document;
}

static inline void assert_says(const bd_document *document, const char *format, const char *text)
{
    char *all = transcript(document, format, 200, arena);
    if (strstr(all, text) == NULL)
        fail_msg("no '%s' in\n%s", text, all);
    free(all);
}

static inline void assert_silent(const bd_document *document, const char *format, const char *text)
{
    char *all = transcript(document, format, 200, arena);
    if (strstr(all, text) != NULL)
        fail_msg("'%s' in\n%s", text, all);
    free(all);
}

static const char *const JOBS = "job_dich ~ treat + econ_hard + sex + age + marital";

static void test_glm_regression__binary_outcomes_have_odds_ratios(void **state)
{
    (void)state;
    const bd_document *document = document_of(regress(jobs(JOBS), BD_GLM_REGRESSION_DEFAULTS));
    assert_says(document, "text", "Generalised regression: job_dich ~ treat + econ_hard + sex + age + marital");
    assert_says(document, "text",
                "treat              0.35019  0.14614   2.40  .017    [0.06376, 0.63662]        1.42  [1.07, 1.89]");
    assert_says(document, "text", "Note. Odds ratio: exp(estimate), and of the ends of its interval.");
    assert_says(document, "text", "Note. Family binomial (0 or 1, or successes among trials), link logit (log odds).");
    assert_says(document, "text", "from which z, p and the intervals (95 %).");
    assert_says(document, "text", "chi-squared(8) = 18.39, p = .018 (likelihood ratio).");
    assert_says(document, "text", "in 58.5 % of pairs (AUC = .585, 95 % CI [.546, .623]).");
    assert_says(document, "text", "Rows used     899");
    const char *const keys[] = {"\"ratio_ci_low\"",   "\"marginal_effects\"", "\"classification\"", "\"tjur\"",
                                "\"chi_squared\"",    "\"nagelkerke\"",       "\"log_likelihood\"", "\"df\"",
                                "\"hosmer_lemeshow\"", "\"calibration_slope\""};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        assert_says(document, "json", keys[k]);
    assert_silent(document, "text", "Warning");
}

/* The AUC is pROC's: "jobs_few" in scripts/reference-glm.R. */
static void test_glm_regression__holds_the_models_numbers(void **state)
{
    (void)state;
    const bd_glm_regression *r = regress(jobs("job_dich ~ treat + sex"), BD_GLM_REGRESSION_DEFAULTS);
    assert_true(fabs(r->classification->auc - 0.53662790697674412) < 1e-12);
    assert_ptr_equal(r->options.link, &bd_logit);
    assert_ptr_equal(r->options.se, &bd_se_classical);
    assert_true(r->has_margin[1] && r->has_margin[2] && !r->has_margin[0]);
    assert_true(r->margins[1].discrete && r->margins[1].estimate > 0);
}

static void test_glm_regression__shared_variables_have_no_margin(void **state)
{
    (void)state;
    const bd_glm_regression *r = regress(jobs("job_dich ~ treat * age + sex + log(econ_hard) + econ_hard"),
                                         BD_GLM_REGRESSION_DEFAULTS);
    for (size_t j = 0; j < r->frame->n_columns; j++)
        assert_true(r->has_margin[j] == (strcmp(r->frame->columns[j].name, "sex") == 0));
    const bd_document *document = document_of(r);
    assert_says(document, "json", "No marginal effects of terms that share a variable: none of them moves alone.");
    assert_says(document, "json", "\"marginal_effects\"");
}

static void test_glm_regression__separation_is_refused(void **state)
{
    (void)state;
    bd_glm_regression_options options = BD_GLM_REGRESSION_DEFAULTS;
    const bd_frame *frame = jobs("comply ~ treat + age");
    const bd_glm_regression *r;
    const bd_document *document;
    assert_int_equal(bd_glm_regress(frame, &options, arena, &r), BD_ENUMERIC);
    assert_non_null(strstr(bd_message(), "'treat' tells the outcomes apart without error in 299 of 899 rows"));
    assert_non_null(strstr(bd_message(), "(--firth)"));
    options.firth = true;
    r = regress(frame, options);
    assert_int_equal(r->fit->end, BD_GLM_CONVERGED);
    document = document_of(r);
    assert_says(document, "text", "Firth's penalised likelihood; z and the intervals are Wald's.");
    assert_says(document, "text", "(likelihood ratio, penalised)");
    assert_silent(document, "text", "no maximum");
}

static void test_glm_regression__counts_have_rate_ratios(void **state)
{
    (void)state;
    bd_glm_regression_options options = BD_GLM_REGRESSION_DEFAULTS;
    const bd_frame *frame = frame_of("datasets/adherence_cholostyramine/cholost.csv",
                                     (bd_frame_spec){.formula = "compliance ~ improvement", .offset = "log(1)"});
    options.family = &bd_poisson;
    const bd_document *document = document_of(regress(frame, options));
    assert_says(document, "text", "Rate ratio");
    assert_says(document, "json", "times as much as Poisson's: the standard errors are too small.");
    assert_says(document, "text", "Note. Offset: log(1).");
    assert_silent(document, "text", "Classification");
    options.se = &bd_se_hc3;
    document = document_of(regress(frame, options));
    assert_silent(document, "text", "too small");
    assert_says(document, "text", "from which t, p and the intervals (95 %).");
    options.se = NULL;
    options.family = &bd_negbin;
    document = document_of(regress(frame, options));
    assert_says(document, "text", "Theta");
    assert_silent(document, "text", "too small");
}

static void test_glm_regression__successes_are_counted_of_trials(void **state)
{
    (void)state;
    bd_glm_regression_options options = BD_GLM_REGRESSION_DEFAULTS;
    const bd_frame *frame = frame_of("datasets/adherence_cholostyramine/cholost.csv",
                                     (bd_frame_spec){.formula = "compliance / 100 ~ improvement", .counts = true});
    const bd_document *document = document_of(regress(frame, options));
    assert_says(document, "text", "Note. compliance counts successes out of 100.");
    assert_says(document, "json", "times as much as the binomial's");
    assert_says(document, "text", "An event has the higher fitted probability in");
}

static void test_glm_regression__amounts_are_tested_by_f(void **state)
{
    (void)state;
    bd_glm_regression_options options = BD_GLM_REGRESSION_DEFAULTS;
    options.family = &bd_gamma;
    options.link = &bd_log;
    const bd_document *document = document_of(regress(jobs("depress2 ~ treat + econ_hard + depress1"), options));
    assert_says(document, "text", "F(3, 895)");
    assert_says(document, "text", "Ratio of means");
    assert_says(document, "text", "the model's, times the Pearson dispersion");
    options.link = NULL;
    document = document_of(regress(jobs("depress2 ~ treat"), options));
    assert_silent(document, "text", "Ratio");
    options.family = &bd_negbin;
    document = document_of(regress(jobs("job_disc ~ treat"), options));
    assert_says(document, "json", "The counts vary no more than Poisson's");
}

static void test_glm_regression__needs_a_response(void **state)
{
    (void)state;
    const bd_glm_regression *regression;
    const bd_glm_regression_options options = BD_GLM_REGRESSION_DEFAULTS;
    assert_int_equal(bd_glm_regress(jobs("~ treat"), &options, arena, &regression), BD_EUSAGE);
    assert_string_equal(bd_message(), "the formula '~ treat' has no outcome before '~'");
}

/* At weights of one the statistic is the fit; intervals hold the estimates; the same bits for any number of threads. */
static void test_glm_regression__is_bootstrapped_from_weights(void **state)
{
    (void)state;
    bd_glm_regression_options options = BD_GLM_REGRESSION_DEFAULTS;
    const bd_frame *frame = frame_of("datasets/jobs2_mediation/jobs.csv",
                                     (bd_frame_spec){.formula = "job_dich ~ treat + age", .cluster = "occp"});
    options.bootstrap = true;
    options.resampling.n_replicates = 300;
    options.resampling.method = &bd_bca;
    options.resampling.n_threads = 1;
    const bd_glm_regression *one = regress(frame, options);
    for (size_t j = 0; j < 3; j++) {
        assert_true(fabs(one->bootstrap->replicates->estimates[j] - one->fit->coefficients[j].estimate) < 1e-10);
        assert_true(one->bootstrap->ends[j].low < one->fit->coefficients[j].estimate);
        assert_true(one->bootstrap->ends[j].high > one->fit->coefficients[j].estimate);
    }
    options.resampling.n_threads = 3;
    const bd_glm_regression *many = regress(frame, options);
    assert_memory_equal(one->bootstrap->replicates->values, many->bootstrap->replicates->values, 900 * sizeof(double));
    assert_memory_equal(one->bootstrap->ends, many->bootstrap->ends, 3 * sizeof(bd_interval_ends));
    options.resampling.method = &bd_studentised;
    assert_int_equal(bd_glm_regress(frame, &options, arena, &many), BD_EUSAGE);
    assert_non_null(strstr(bd_message(), "which only least squares has"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_glm_regression__binary_outcomes_have_odds_ratios, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm_regression__holds_the_models_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm_regression__shared_variables_have_no_margin, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm_regression__separation_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm_regression__counts_have_rate_ratios, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm_regression__is_bootstrapped_from_weights, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm_regression__successes_are_counted_of_trials, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm_regression__amounts_are_tested_by_f, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm_regression__needs_a_response, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
