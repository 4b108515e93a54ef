/* Models from a file to a document: numbers are those of R's packages in tests/models, see
 * scripts/reference-other-models.R. */
#include "model_sample.h"

#include <bordin/models/ordinal.h>

static const bd_model_options plain = {
    .tau = 0.5, .level = 0.95, .resampling = {.n_replicates = 200, .seed = 1, .level = 0.95}};

static bd_model_options by(const char *se)
{
    bd_model_options options = plain;
    options.se = se;
    return options;
}

static const double slopes[] = {0.911923698358589, -0.392273668978597, 0.579672521356075};
static const double thresholds[] = {-1.39270359636744, 0.138844249500439, 1.4074400237134};

static void assert_ordinal(const json_t *json)
{
    const double errors[] = {0.128468682369387, 0.170231117338284, 0.280999770099354};
    const double threshold_errors[] = {0.316417906733889, 0.30494563266584, 0.320625731252305};
    assert_table(json, "coefficients", 3, slopes, errors, 1e-11);
    assert_table(json, "thresholds", 3, thresholds, threshold_errors, 1e-11);
    assert_cell(json, "fit", 0, "chi_squared", 2 * (272.721703441895 - 241.408062149519), 1e-12);
    assert_cell(json, "fit", 0, "aic", 2 * 241.408062149519 + 12, 1e-12);
    assert_cell(json, "parallel_slopes", 1, "chi_squared", 1.52892240514581, 1e-10);
    assert_cell(json, "parallel_slopes", 3, "chi_squared", 2.85003831268955, 1e-10);
    assert_cell(json, "parallel_slopes", 3, "p", 0.827419594501613, 1e-10);
    assert_text(json, "parallel_slopes", 2, "term", "z");
    assert_text(json, "parallel_slopes", 3, "term", "(all)");
}

static void test_model__ordered_categories_are_text_in_their_order_or_numbers(void **state)
{
    (void)state;
    const bd_frame_spec text = {.formula = "severity ~ x1 + x2 + z", .levels = "none, mild,moderate,severe"};
    json_t *json = json_of(regress("ordinal", text, plain));
    assert_ordinal(json);
    assert_text(json, "thresholds", 0, "term", "none|mild");
    assert_cell(json, "coefficients", 0, "ratio", exp(slopes[0]), 1e-11);
    assert_cell(json, "coefficients", 0, "ratio_ci_low", exp(slopes[0] - 1.95996398454005 * 0.128468682369387), 1e-11);
    assert_true(says(json, "notes", "a positive slope goes with higher categories"));
    assert_true(says(json, "sentences", "chi-squared(3) = 62.63, p < .001 (likelihood ratio)"));
    assert_int_equal(json_array_size(json_object_get(json, "warnings")), 0);
    json_decref(json);
    const char *const formulas[] = {"grade ~ x1 + x2 + z", "factor(grade) ~ x1 + x2 + z"};
    for (size_t k = 0; k < 2; k++) {
        json = json_of(regress("ordinal", (bd_frame_spec){.formula = formulas[k]}, plain));
        assert_ordinal(json);
        assert_text(json, "thresholds", 2, "term", "2|3");
        assert_true(says(json, "notes", "Categories of grade: 0 ("));
        json_decref(json);
    }
}

static void test_model__ordinal_links_have_no_odds_ratio(void **state)
{
    (void)state;
    bd_model_options options = plain;
    options.link = "cloglog";
    json_t *json = json_of(regress("ordinal", (bd_frame_spec){.formula = "grade ~ x1 + x2 + z"}, options));
    assert_cell(json, "coefficients", 1, "estimate", -0.259212121126963, 1e-11);
    assert_cell(json, "coefficients", 1, "se", 0.106559069820663, 1e-11);
    assert_null(json_object_get(json_array_get(table_of(json, "coefficients"), 0), "ratio"));
    json_decref(json);
}

static void test_model__weights_count_rows(void **state)
{
    (void)state;
    const double estimates[] = {0.917562936064399, -0.482555061425047, 0.696516546770478};
    const double errors[] = {0.0818165791327827, 0.108155406095223, 0.179508852657122};
    const bd_frame_spec spec = {.formula = "grade ~ x1 + x2 + z", .weights = "w"};
    json_t *json = json_of(regress("ordinal", spec, plain));
    assert_table(json, "coefficients", 3, estimates, errors, 1e-11);
    assert_true(says(json, "notes", "A row of weight 2 counts as two."));
    json_decref(json);
}

static void test_model__slopes_that_differ_are_a_warning(void **state)
{
    (void)state;
    const bd_frame_spec spec = {.formula = "grade ~ I(x1 * (x2 > 1.5))", .where = "x1 > 0 | grade != 1"};
    const bd_model_regression *regression = regress("ordinal", spec, plain);
    json_t *json = json_of(regression);
    assert_true(regression->tests[regression->n_tests - 1].p < 0.05);
    assert_true(says(json, "warnings", "Slopes differ between the thresholds, chi-squared(2)"));
    json_decref(json);
}

static void test_model__clusters_have_cr1(void **state)
{
    (void)state;
    const double errors[] = {0.154733162006901, 0.202991591556926, 0.189326321233651};
    const bd_frame_spec spec = {.formula = "grade ~ x1 + x2 + z", .cluster = "therapist"};
    json_t *json = json_of(regress("ordinal", spec, plain));
    assert_table(json, "coefficients", 3, slopes, errors, 1e-11);
    assert_true(
        says(json, "notes", "20 clusters of therapist. CR2, the default of least squares, is not defined here."));
    json_decref(json);
}

static void test_model__multinomial_compares_with_the_chosen_reference(void **state)
{
    (void)state;
    const double estimates[] = {0.0520403836925961,  0.626677892008692, 0.205308441241745,   -0.330751606555406,
                                -0.309121593726583, 0.197877288349442, -0.0891797367806878, 0.0402991413814411};
    const double errors[] = {0.380301419331717, 0.152834586700091, 0.220102877890519, 0.35765035565258,
                             0.424881387540169, 0.176890834068887, 0.24186809649015,  0.403814518562116};
    const bd_frame_spec spec = {.formula = "factor(ending, ref = \"stayed\") ~ x1 + x2 + z"};
    json_t *json = json_of(regress("multinomial", spec, by("hc0")));
    assert_table(json, "coefficients", 8, estimates, errors, 1e-10);
    assert_text(json, "coefficients", 3, "category", "left");
    assert_text(json, "coefficients", 4, "category", "moved");
    assert_cell(json, "fit", 0, "log_likelihood", -200.461463668263, 1e-12);
    assert_cell(json, "fit", 0, "null_log_likelihood", -211.772879843491, 1e-12);
    assert_true(says(json, "notes", "ending: each category against 'stayed'"));
    assert_text(json, "terms", 0, "term", "x1");
    json_decref(json);
    json = json_of(regress("multinomial", (bd_frame_spec){.formula = "ending ~ x1 + x2 + z"}, plain));
    assert_text(json, "coefficients", 0, "category", "moved"); /* "left" is the first as sorted */
    assert_cell(json, "coefficients", 5, "estimate", -estimates[1], 1e-10);
    json_decref(json);
}

/* x1's test in all contrasts is b'V^-1 b; with one contrast it is z squared. */
static void test_model__multinomial_tests_whole_terms(void **state)
{
    (void)state;
    const bd_frame_spec spec = {.formula = "ending ~ x1 + factor(w)", .where = "ending != \"moved\""};
    const bd_model_regression *r = regress("multinomial", spec, plain);
    assert_int_equal(r->n_tests, 2);
    const double z = r->equations[0].rows[1].statistic;
    assert_close(r->tests[0].statistic, z * z, 1e-10);
    assert_true(r->tests[1].df == 3);
    assert_string_equal(r->tests[1].term, "factor(w)");
}

static const double beta_estimates[] = {0.241027043656302, 0.472671193570592, -0.143019852893857, 0.232630448542692};
static const double beta_errors[] = {0.0819716691268901, 0.033872729931769, 0.0489683154224833, 0.107817889290928};
static const double precision[] = {2.86030641816144, 0.0651053808960245, -1.1905487513096};
static const double precision_errors[] = {0.119416287752798, 0.0815453969976855, 0.197792788441913};

static void test_model__shares_have_a_precision_with_terms(void **state)
{
    (void)state;
    const bd_frame_spec spec = {.formula = "share ~ x1 + x2 + z", .extra = "x1 + z"};
    json_t *json = json_of(regress("beta", spec, plain));
    assert_table(json, "coefficients", 4, beta_estimates, beta_errors, 1e-11);
    assert_table(json, "precision", 3, precision, precision_errors, 1e-11);
    assert_text(json, "precision", 2, "term", "z");
    assert_cell(json, "fit", 0, "pseudo_r_squared", 0.446358503270411, 1e-11);
    assert_true(says(json, "notes", "the variance is mu (1 - mu) / (1 + phi)"));
    json_decref(json);
    const bd_model_regression *constant = regress("beta", (bd_frame_spec){.formula = "share ~ x1 + x2 + z"}, plain);
    const bd_model_regression *none = regress("beta", (bd_frame_spec){.formula = "share ~ 1"}, plain);
    assert_int_equal(constant->equations[1].n_rows, 1);
    assert_true(isnan(none->whole_p) && constant->whole_df == 3);
    json = json_of(none);
    assert_close(constant->whole_statistic,
                 2 * (constant->facts[1].value - json_number_value(cell(json, "fit", 0, "log_likelihood"))), 1e-12);
    json_decref(json);
}

static void test_model__counts_among_trials_are_written_in_three_ways(void **state)
{
    (void)state;
    const double estimates[] = {0.145763850755856, 0.45335012823485, -0.0923254850722777}, rho = -1.32955663496617;
    const double errors[] = {0.17012694870466, 0.070423889685966, 0.102418347747106}, rho_error = 0.150559850062439;
    const bd_frame_spec specs[] = {{.formula = "kept / offered ~ x1 + x2"},
                                   {.formula = "cbind(kept, missed) ~ x1 + x2"},
                                   {.formula = "kept ~ x1 + x2", .trials = "offered"}};
    for (size_t k = 0; k < 3; k++) {
        json_t *json = json_of(regress("beta-binomial", specs[k], plain));
        assert_table(json, "coefficients", 3, estimates, errors, 1e-10);
        assert_table(json, "overdispersion", 1, &rho, &rho_error, 1e-10);
        assert_cell(json, "fit", 0, "rho", 1 / (1 + exp(-rho)), 1e-10);
        json_decref(json);
    }
}

static const double counts[] = {0.238747054387393, 0.574694423882611, -0.0256472363141056, 0.17564460441121};
static const double zeros[] = {-1.37734304648205, 0.328193049268755, 0.664892088272096};

static void test_model__zeros_have_terms_of_their_own(void **state)
{
    (void)state;
    const double errors[] = {0.309346937697275, 0.115534954082063, 0.144006855501918, 0.265790596731859};
    const double zero_errors[] = {0.907885394962601, 0.453670732796475, 0.645554643377927};
    const double log_theta = 0.459823498675667, theta_error = 0.558138553391861;
    const bd_frame_spec spec = {.formula = "sessions ~ x1 + x2 + z", .extra = "~ x1 + z"};
    json_t *json = json_of(regress("zinb", spec, plain));
    assert_table(json, "coefficients", 4, counts, errors, 1e-9);
    assert_table(json, "zeros", 3, zeros, zero_errors, 1e-9);
    assert_table(json, "overdispersion", 1, &log_theta, &theta_error, 1e-9);
    assert_cell(json, "fit", 0, "theta", exp(log_theta), 1e-10);
    assert_cell(json, "fit", 0, "zeros", 112, 0);
    assert_cell(json, "fit", 0, "expected_zeros", 112.130538969851, 1e-9);
    assert_cell(json, "fit", 0, "df_model", 5, 0);
    json_decref(json);
    const bd_frame_spec clustered = {.formula = "sessions ~ x1 + x2 + z", .extra = "x1 + z", .cluster = "therapist"};
    json = json_of(regress("zip", clustered, by("cr0")));
    assert_cell(json, "coefficients", 3, "se", 0.268196872156376, 1e-9);
    assert_cell(json, "zeros", 2, "se", 0.325105346530346, 1e-9);
    assert_cell(json, "zeros", 2, "ratio", exp(0.41882266058821), 1e-10);
    assert_true(says(json, "notes", "Likelihood-ratio tests take the model at its word"));
    json_decref(json);
}

/* The second equation's variables take part in the choice of rows, and in the coding of categories. */
static void test_model__equations_share_their_rows(void **state)
{
    (void)state;
    const bd_frame_spec spec = {.formula = "sessions ~ x1", .extra = "ending + lag(z, therapist)"};
    const bd_model_regression *r = regress("zip", spec, plain);
    assert_int_equal(r->frame->n_rows, 180);
    assert_int_equal(r->frame->n_factors, 1);
    assert_int_equal(r->equations[1].n_rows, 4);
    assert_string_equal(r->equations[1].rows[1].term, "ending[moved]");
}

static void test_model__no_excess_zeros_is_a_warning(void **state)
{
    (void)state;
    const bd_model_regression *r =
        regress("zip", (bd_frame_spec){.formula = "sessions ~ x1", .where = "sessions > 0 | w == 4 & z == 1"}, plain);
    json_t *json = json_of(r);
    assert_true(says(json, "warnings", "There are no more zeros than the counts bring with them"));
    assert_true(says(json, "warnings", "Family poisson has them."));
    json_decref(json);
}

static void test_model__robust_methods_are_those_of_rlm_and_lmrob(void **state)
{
    (void)state;
    const struct {
        const char *name;
        double estimates[4], errors[4], scale;
    } expected[] = {{"huber",
                     {0.96898362434965, 0.51295794552678, -0.0726291287121203, 0.626044785071242},
                     {0.248745008762717, 0.0961279583892442, 0.143859339114305, 0.238007290182294},
                     1.25547152263244},
                    {"bisquare",
                     {0.977537135859548, 0.466052138161878, -0.217137024953964, 0.734085715163301},
                     {0.212549110617415, 0.0821399881056195, 0.122925781445218, 0.203373881149772},
                     1.18275508682947},
                    {"mm",
                     {0.980104815720117, 0.47166395092437, -0.210535710728074, 0.721116255412923},
                     {0.249977557914599, 0.0882951737098955, 0.13111750384939, 0.199099050728216},
                     1.27279074437011}};
    for (size_t k = 0; k < 3; k++) {
        json_t *json = json_of(regress(expected[k].name, (bd_frame_spec){.formula = "outlying ~ x1 + x2 + z"}, plain));
        assert_table(json, "coefficients", 4, expected[k].estimates, expected[k].errors, 1e-9);
        assert_cell(json, "fit", 0, "scale", expected[k].scale, 1e-9);
        assert_cell(json, "coefficients", 0, "df", 196, 0);
        assert_true(says(json, "sentences", "F(3, 196)"));
        json_decref(json);
    }
    json_t *json = json_of(regress("mm", (bd_frame_spec){.formula = "outlying ~ x1 + x2 + z", .cluster = "therapist"},
                                   plain));
    assert_cell(json, "coefficients", 3, "se", 0.0939017890145901, 1e-9);
    json_decref(json);
}

/* Nothing to compare with: no test of all predictors, and no sentence on it. */
static void test_model__nothing_is_said_of_predictors_without_a_null(void **state)
{
    (void)state;
    const struct {
        const char *family;
        bd_frame_spec spec;
    } cases[] = {{"multinomial", {.formula = "ending ~ x1 - 1"}},     {"multinomial", {.formula = "ending ~ 1"}},
                 {"ordinal", {.formula = "grade ~ 1"}},               {"zip", {.formula = "sessions ~ x1 - 1"}},
                 {"ordinal", {.formula = "grade ~ x1", .offset = "z"}}, {"huber", {.formula = "outlying ~ 1"}},
                 {"beta", {.formula = "share ~ 1"}}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const bd_model_regression *r = regress(cases[k].family, cases[k].spec, plain);
        json_t *json = json_of(r);
        assert_true(isnan(r->whole_p) && isnan(r->whole_statistic));
        assert_int_equal(json_array_size(json_object_get(json, "sentences")), 0);
        assert_null(json_object_get(json_array_get(table_of(json, "fit"), 0), "p"));
        json_decref(json);
    }
}

/* Wald's F does not care how the same predictors are written. */
static void test_model__f_is_of_the_space_of_predictors(void **state)
{
    (void)state;
    const char *const names[] = {"huber", "quantile"};
    for (size_t k = 0; k < 2; k++) {
        const bd_model_regression *a = regress(names[k], (bd_frame_spec){.formula = "spread ~ x1 + x2"}, plain);
        const bd_model_regression *b = regress(names[k], (bd_frame_spec){.formula = "spread ~ x1 + I(x2 - 3 * x1)"},
                                               plain);
        assert_close(a->whole_statistic, b->whole_statistic, 1e-8);
    }
}

/* Wald's F of one predictor is t squared. */
static void test_model__one_predictors_f_is_its_t_squared(void **state)
{
    (void)state;
    const char *const names[] = {"huber", "quantile"};
    for (size_t k = 0; k < 2; k++) {
        const bd_model_regression *r = regress(names[k], (bd_frame_spec){.formula = "spread ~ x1"}, plain);
        const double t = r->equations[0].rows[1].statistic;
        assert_close(r->whole_statistic, t * t, 1e-10);
        assert_close(r->whole_p, r->equations[0].rows[1].p, 1e-10);
    }
}

/* Three clusters' scores span no more than three directions, less one. */
static void test_model__few_clusters_have_no_f_of_many_predictors(void **state)
{
    (void)state;
    const bd_frame_spec spec = {.formula = "outlying ~ x1 + x2 + z", .cluster = "ending"};
    const bd_model_regression *r = regress("huber", spec, plain);
    json_t *json = json_of(r);
    assert_true(isnan(r->whole_p));
    assert_int_equal(json_array_size(json_object_get(json, "sentences")), 0);
    json_decref(json);
}

static void test_model__quantiles_are_those_of_rq(void **state)
{
    (void)state;
    const double median[] = {0.967688721243294, 0.518385009898018, -0.276428593469666, 0.571462754158069};
    const double errors[] = {0.24076957189706, 0.109444770934482, 0.169332827395531, 0.270470738718613};
    const double tenth[] = {-1.19846257941915, 0.530589399269504, -0.173748798768844, 0.882636008302057};
    const double iid[] = {0.365413891497101, 0.141214859069567, 0.211333691459534, 0.349639860284214};
    const bd_frame_spec spec = {.formula = "spread ~ x1 + x2 + z"};
    bd_model_options options = by("iid");
    json_t *json = json_of(regress("quantile", spec, plain));
    for (size_t j = 0; j < 4; j++)
        assert_cell(json, "coefficients", j, "estimate", median[j], 1e-12);
    assert_table(json, "coefficients", 4, median, errors, 1e-6);
    assert_cell(json, "fit", 0, "objective", 122.642825785725, 1e-12);
    assert_true(says(json, "notes", "The 0.5 quantile of spread, which is its median."));
    json_decref(json);
    options.tau = 0.1;
    json = json_of(regress("quantile", spec, options));
    assert_table(json, "coefficients", 4, tenth, iid, 1e-6);
    json_decref(json);
}

static void refuses_that(bd_status expected, const char *family, bd_frame_spec spec, bd_model_options options,
                         const char *sentence)
{
    const bd_model_regression *regression;
    assert_int_equal(regress_on(sample_path, family, spec, &options, &regression), expected);
    if (strstr(bd_message(), sentence) == NULL)
        fail_msg("no '%s' in '%s'", sentence, bd_message());
}

static void test_model__refuses_what_it_does_not_have(void **state)
{
    (void)state;
    bd_model_options studentised = plain, link = plain;
    studentised.bootstrap = true;
    studentised.resampling.method = &bd_studentised;
    link.link = "log";
    const bd_frame_spec grade = {.formula = "grade ~ x1"}, spread = {.formula = "spread ~ x1"};
    refuses_that(BD_EUSAGE, "ordinal", grade, by("hc3"),
                 "--se hc3 is not defined for family ordinal; there are classical, hc0, cr0, cr1");
    refuses_that(BD_EUSAGE, "quantile", spread, by("hc0"),
                 "--se hc0 is not defined for family quantile; there are nid, iid, ker");
    refuses_that(BD_EUSAGE, "ordinal", grade, link,
                 "--link log is not defined for family ordinal; there are logit, probit, cloglog, loglog, cauchit");
    refuses_that(BD_EUSAGE, "huber", spread, link, "--link log: family huber has none to choose");
    refuses_that(BD_EUSAGE, "ordinal", grade, studentised, "a studentised interval needs a standard error");
    refuses_that(BD_EDATA, "ordinal", grade, by("cr1"), "cr1 needs clusters, and none are given");
    refuses_that(BD_EUSAGE, "quantile", (bd_frame_spec){.formula = "spread ~ x1", .cluster = "therapist"}, plain,
                 "quantile regression has no errors that know of clusters; resample them (--boot 10000)");
    refuses_that(BD_EUSAGE, "huber", (bd_frame_spec){.formula = "~ x1"}, plain, "has no outcome before '~'");
    refuses_that(BD_EUSAGE, "beta-binomial", (bd_frame_spec){.formula = "kept ~ x1"}, plain,
                 "write kept / offered, cbind(kept, missed), or give --trials");
    refuses_that(BD_EUSAGE, "ordinal", (bd_frame_spec){.formula = "grade ~ x1 - 1"}, plain, "leave -1 out");
}

static void test_model__refuses_categories_without_their_order(void **state)
{
    (void)state;
    const struct {
        bd_status status;
        const char *levels, *sentence;
    } cases[] = {
        {BD_EUSAGE, NULL, "'severity' holds text such as 'mild', which has no order; give it, from lowest to highest"},
        {BD_EUSAGE, "none,mild,mild", "--levels names 'mild' twice"},
        {BD_EDATA, "none,mild,severe", "severity has the level 'moderate', which --levels does not name"},
        {BD_EDATA, "none,mild,moderate,severe,fatal",
         "severity: no used row has the level 'fatal'; there are 'mild', 'moderate', 'none', 'severe'"}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        refuses_that(cases[k].status, "ordinal",
                     (bd_frame_spec){.formula = "severity ~ x1", .levels = cases[k].levels}, plain, cases[k].sentence);
    refuses_that(BD_EDATA, "ordinal", (bd_frame_spec){.formula = "spread ~ x1"}, plain,
                 "'spread' has 200 different values, which are more than the 100 categories that can be compared");
    refuses_that(BD_EDATA, "multinomial", (bd_frame_spec){.formula = "factor(ending, ref = \"died\") ~ x1"}, plain,
                 "ending: no used row has the level 'died'; there are 'left', 'moved', 'stayed'");
}

static void test_model__refuses_terms_of_no_use(void **state)
{
    (void)state;
    refuses_that(BD_EUSAGE, "zip", (bd_frame_spec){.formula = "sessions ~ x1", .extra = "log(sessions)"}, plain,
                 "the outcome 'sessions' is also in the predictor 'log(sessions)'");
    refuses_that(BD_EUSAGE, "zip", (bd_frame_spec){.formula = "sessions ~ x1", .extra = "kept ~ x1"}, plain,
                 "--extra");
    refuses_that(BD_EUSAGE, "zip", (bd_frame_spec){.formula = "sessions ~ x1", .extra = "x1 +"}, plain, "--extra");
    refuses_that(BD_EDATA, "zip", (bd_frame_spec){.formula = "sessions ~ x1", .extra = "x9"}, plain, "x9");
    refuses_that(BD_ENUMERIC, "zip", (bd_frame_spec){.formula = "sessions ~ x1", .extra = "x1 + I(2 * x1)"}, plain,
                 "'I(2 * x1)' is a linear combination of 'x1'; leave one out");
}

static void test_model__separation_names_the_foremost_predictor(void **state)
{
    (void)state;
    refuses_that(BD_ENUMERIC, "multinomial", (bd_frame_spec){.formula = "ending ~ x1 + factor(grade)"}, plain,
                 "predictors tell outcomes of 'ending' apart without error, 'factor(grade)[3]' foremost");
    refuses_that(BD_ENUMERIC, "huber", (bd_frame_spec){.formula = "I(spread > 30) ~ x1"}, plain, "half of the rows");
}

static void test_model__families_go_by_one_list(void **state)
{
    (void)state;
    const bd_family *family;
    const bd_model *model;
    must(bd_model_find("poisson", &family, &model));
    assert_ptr_equal(family, &bd_poisson);
    assert_null(model);
    refuses(bd_model_find("possion", &family, &model), BD_EUSAGE,
            "no family named 'possion'; there are binomial, poisson, negbin, gamma, gaussian, inverse-gaussian, "
            "quasi-binomial, quasi-poisson, ordinal, multinomial, beta, beta-binomial, zip, zinb, huber, bisquare, mm, "
            "quantile");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_model__ordered_categories_are_text_in_their_order_or_numbers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_model__ordinal_links_have_no_odds_ratio, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__weights_count_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__slopes_that_differ_are_a_warning, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__clusters_have_cr1, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__multinomial_compares_with_the_chosen_reference, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__multinomial_tests_whole_terms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__shares_have_a_precision_with_terms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__counts_among_trials_are_written_in_three_ways, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__zeros_have_terms_of_their_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__equations_share_their_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__no_excess_zeros_is_a_warning, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__robust_methods_are_those_of_rlm_and_lmrob, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__nothing_is_said_of_predictors_without_a_null, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__f_is_of_the_space_of_predictors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__one_predictors_f_is_its_t_squared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__few_clusters_have_no_f_of_many_predictors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__quantiles_are_those_of_rq, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__refuses_what_it_does_not_have, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__refuses_categories_without_their_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__refuses_terms_of_no_use, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__separation_names_the_foremost_predictor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model__families_go_by_one_list, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, write_sample, remove_sample);
}
