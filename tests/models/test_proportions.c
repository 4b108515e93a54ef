/* Beta regression held to Cribari-Neto & Zeileis (2010) and to full precision, beta-binomial regression to VGAM:
 * Rscript scripts/reference-other-models.R proportions */
#include "models/other_sample.h"

#include <bordin/models/proportions.h>

static sample rows;
static double share[N], kept[N], offered[N], ones[N];
static const double *columns[] = {NULL, rows.x1, rows.x2, rows.z};
static const double *precision_columns[] = {NULL, rows.x1, rows.z};
static const char *const precision_names[] = {"(Intercept)", "x1", "z"};
static bd_proportion_design design, kept_design;

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

static int make_design(void **state)
{
    make_sample(&rows);
    for (size_t i = 0; i < N; i++) {
        const double noise = log(rows.noise[i] / (1 - rows.noise[i]));
        const double mean = 0.3 + 0.5 * rows.x1[i] - 0.2 * rows.x2[i] + 0.4 * rows.z[i];
        share[i] = logistic(mean + (0.3 + 0.2 * rows.z[i]) * noise);
        offered[i] = (double)(5 + i % 8);
        kept[i] = floor(offered[i] * logistic(0.4 + 0.6 * rows.x1[i] - 0.3 * rows.x2[i] + 0.9 * noise) + 0.5);
        ones[i] = 1;
    }
    design = (bd_proportion_design){
        .n_rows = N,
        .mean = {.n_columns = 4, .columns = columns, .names = sample_names, .has_intercept = true},
        .precision = {.n_columns = 3, .columns = precision_columns, .names = precision_names, .has_intercept = true},
        .response = share,
        .response_name = "share",
        .cluster = rows.cluster,
        .n_clusters = 20};
    kept_design = design;
    kept_design.response = kept;
    kept_design.response_name = "kept";
    kept_design.trials = offered;
    kept_design.mean.n_columns = 3;
    kept_design.precision = (bd_predictor){0};
    return set_up(state);
}

static const bd_proportion *fit_with(const bd_proportion_design *which, const char *mean_link,
                                     const char *precision_link, const bd_se_estimator *se)
{
    const bd_likelihood_model *model = which->trials == NULL ? &bd_beta : &bd_beta_binomial;
    bd_proportion_options options = BD_PROPORTION_DEFAULTS;
    const bd_proportion *fit = NULL;
    options.mean_link = mean_link;
    options.precision_link = precision_link;
    must(bd_proportion_fit(which, model, &options, se, arena, &fit));
    assert_int_equal(fit->fit->end, BD_LIKELIHOOD_CONVERGED);
    return fit;
}

/* Prater's gasoline, MASS::petrol and betareg's GasolineYield: the batch of each row, and temperature and yield. */
static const char batches[] = "AAAABBBCCCDDDDEEEFFFGGGGHHHIIJJJ";
static const double temperature[] = {205, 275, 345, 407, 218, 273, 347, 212, 272, 340, 235, 300, 365, 410, 307, 367,
                                     395, 267, 360, 402, 235, 275, 358, 416, 285, 365, 444, 351, 424, 365, 379, 428};
static const double yield[] = {12.2, 22.3, 34.7, 45.7, 8.0,  13.1, 26.6, 7.4,  18.2, 30.4, 6.9,
                               15.2, 26.0, 33.6, 14.4, 26.8, 34.9, 10.0, 24.8, 31.7, 2.8,  6.4,
                               16.1, 27.8, 5.0,  17.6, 32.1, 14.0, 23.2, 8.5,  14.7, 18.0};

static bd_proportion_design gasoline(void)
{
    static double batch[9][32], of_hundred[32];
    static const double *x[11], *z[2];
    static const char *const names[] = {"(Intercept)", "1", "2", "3", "4", "5", "6", "7", "8", "9", "temp"};
    for (size_t i = 0; i < 32; i++) {
        of_hundred[i] = yield[i] / 100;
        for (size_t j = 0; j < 9; j++) {
            batch[j][i] = batches[i] == "ABCDEFGHI"[j];
            x[1 + j] = batch[j];
        }
    }
    x[10] = z[1] = temperature;
    return (bd_proportion_design){
        .n_rows = 32,
        .mean = {.n_columns = 11, .columns = x, .names = names, .has_intercept = true},
        .precision = {.n_columns = 2, .columns = z, .names = names + 9, .has_intercept = true},
        .response = of_hundred,
        .response_name = "yield"};
}

/* As printed in Cribari-Neto & Zeileis (2010), section 4.1: five decimals. */
static void test_proportions__beta_agrees_with_the_published_gasoline(void **state)
{
    (void)state;
    const double estimates[] = {-6.15957, 1.72773, 1.32260, 1.57231, 1.05971, 1.13375,
                                1.04016,  0.54369, 0.49590, 0.38579, 0.01097};
    const double errors[] = {0.18232, 0.10123, 0.11790, 0.11610, 0.10236, 0.10352,
                             0.10604, 0.10913, 0.10893, 0.11859, 0.00041};
    bd_proportion_design gas = gasoline();
    gas.precision = (bd_predictor){0};
    const bd_proportion *fit = fit_with(&gas, "logit", "identity", &bd_se_classical);
    for (size_t j = 0; j < 11; j++) {
        assert_true(fabs(fit->mean[j].estimate - estimates[j]) < 6e-6);
        assert_true(fabs(fit->mean[j].se - errors[j]) < 6e-6);
    }
    assert_true(fabs(fit->precision[0].estimate - 440.3) < 0.05);
    assert_true(fabs(fit->precision[0].se - 110.0) < 0.05);
    assert_true(fabs(fit->fit->log_likelihood - 84.8) < 0.05);
    assert_true(fabs(fit->pseudo_r_squared - 0.9617) < 0.00005);
}

/* The same by Newton's method in R to full precision, and with a precision that depends on temperature. */
static void test_proportions__beta_agrees_to_full_precision(void **state)
{
    (void)state;
    const double constant[] = {-6.15957104700601, 1.72772887506742,  1.32259691562023,   1.57230988659359,
                               1.05971411276231,  1.13375178107998,  1.04016181236013,   0.54369222608391,
                               0.495900661510245, 0.385792958032549, 0.0109668741767864, 440.278388560994};
    const double constant_errors[] = {0.182324675698894, 0.10122939044487,  0.117902041897655,    0.116104500626132,
                                      0.102359826066192, 0.10352323854621,  0.106036474164936,    0.109127466666665,
                                      0.108925669305351, 0.118593267790224, 0.000412647504395322, 110.025624961258};
    const double varying[] = {-5.92323613433525, 1.60198774905476,  1.2972662544545,    1.56533827456856,
                              1.03007197031414,  1.15416304197314,  1.01944464776473,   0.622259050583505,
                              0.56458299746623,  0.359438984136787, 0.0103594816873388, 1.36408879126778,
                              0.0145703183998358};
    const double varying_errors[] = {0.183526249378893,  0.0638561303691986, 0.0991000719497228,   0.0997392108754144,
                                     0.0632882261334106, 0.065642734290215,  0.0663510101147342,   0.0656324985350942,
                                     0.0601846336914162, 0.0671405801555584, 0.000436169559368917, 1.22578123714637,
                                     0.0036182845358944};
    bd_proportion_design gas = gasoline();
    const bd_proportion *fit = fit_with(&gas, "logit", NULL, &bd_se_classical);
    assert_string_equal(fit->precision_link, "log");
    assert_coefficients(fit->mean, 13, varying, varying_errors, 1e-9);
    assert_close(fit->fit->log_likelihood, 86.9770651835022, 1e-12);
    gas.precision = (bd_predictor){0};
    fit = fit_with(&gas, "logit", "identity", &bd_se_classical);
    assert_coefficients(fit->mean, 12, constant, constant_errors, 1e-9);
    assert_close(fit->fit->log_likelihood, 84.7975579620151, 1e-12);
    assert_close(fit->pseudo_r_squared, 0.961731244468952, 1e-10);
}

typedef struct link_values {
    const char *link;
    double estimates[7], errors[7], log_likelihood, pseudo_r_squared;
} link_values;

static const link_values by_link[] = {
    {"logit",
     {0.241027043656302, 0.472671193570592, -0.143019852893857, 0.232630448542692, 2.86030641816144, 0.0651053808960245,
      -1.1905487513096},
     {0.0819716691268901, 0.033872729931769, 0.0489683154224833, 0.107817889290928, 0.119416287752798,
      0.0815453969976855, 0.197792788441913},
     124.594648594473,
     0.446358503270411},
    {"probit",
     {0.149530401863512, 0.292962918926747, -0.0891077250323914, 0.144633678326076, 2.85997338534832,
      0.0665879886803624, -1.18895838074629},
     {0.0505367642096184, 0.0206264476101226, 0.0301833160873685, 0.0663043069977522, 0.119414083995361,
      0.0815681694154877, 0.197828308164383},
     124.600001515824,
     0.461515495190733},
    {"cloglog",
     {-0.210878302637054, 0.324907246238764, -0.106021882063962, 0.163432861654576, 2.83756962549273,
      0.0870524130617236, -1.15517694351398},
     {0.0563305086030732, 0.0236529145202446, 0.0339696826637181, 0.0712576367296288, 0.119313374108714,
      0.0816189500499769, 0.198098633163094},
     123.531485176376,
     0.432955197671978},
    {"cauchit",
     {0.202434616011397, 0.3990783022246, -0.116380433741575, 0.18885161760564, 2.86190485989588, 0.0556394494727517,
      -1.20074685206239},
     {0.0713844098946889, 0.0319907019090333, 0.0426563022470002, 0.0943349133758171, 0.119424703316489,
      0.0814264638801226, 0.197607310241946},
     124.497991000168,
     0.259235824171871},
};

static void test_proportions__beta_takes_every_link(void **state)
{
    (void)state;
    const double estimates[] = {0.10505628900261, 0.489702911336, -0.04994721779095, 0.242306172093156,
                                3.12338105130351};
    const double errors[] = {0.0981117397979626, 0.0393100906710883, 0.0567455527898528, 0.0942645482610018,
                             0.149495435241647};
    for (size_t k = 0; k < 4; k++) {
        const bd_proportion *fit = fit_with(&design, by_link[k].link, "log", &bd_se_classical);
        assert_coefficients(fit->mean, 7, by_link[k].estimates, by_link[k].errors, 1e-11);
        assert_close(fit->fit->log_likelihood, by_link[k].log_likelihood, 1e-12);
        assert_close(fit->pseudo_r_squared, by_link[k].pseudo_r_squared, 1e-11);
    }
    design.precision = (bd_predictor){0};
    assert_coefficients(fit_with(&design, "logit", "sqrt", &bd_se_classical)->mean, 5, estimates, errors, 1e-11);
}

/* loglog is cloglog of the other share. */
static void test_proportions__loglog_mirrors_cloglog(void **state)
{
    (void)state;
    static double other[N];
    const bd_proportion *cloglog = fit_with(&design, "cloglog", "log", &bd_se_classical);
    for (size_t i = 0; i < N; i++)
        other[i] = 1 - share[i];
    design.response = other;
    const bd_proportion *loglog = fit_with(&design, "loglog", "log", &bd_se_classical);
    for (size_t j = 0; j < 7; j++) {
        assert_close(loglog->mean[j].estimate, (j < 4 ? -1 : 1) * cloglog->mean[j].estimate, 1e-11);
        assert_close(loglog->mean[j].se, cloglog->mean[j].se, 1e-11);
    }
}

/* Shares that are exp(x) of a mean well below 1: the log link's slopes are those that made them, about. */
static void test_proportions__log_link_keeps_means_below_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i++)
        share[i] = exp(-1 - 0.3 * rows.x2[i]) * (0.9 + 0.2 * rows.noise[i]);
    design.mean.n_columns = 3;
    design.precision = (bd_predictor){0};
    const bd_proportion *fit = fit_with(&design, "log", NULL, &bd_se_classical);
    assert_true(fabs(fit->mean[2].estimate + 0.3) < 0.01);
    for (size_t i = 0; i < N; i++)
        assert_close(fit->mu[i], exp(fit->fit->predictors[i]), 1e-15);
}

static const bd_se_estimator *const sandwiches[] = {&bd_se_hc0, &bd_se_cr0, &bd_se_cr1};

static void test_proportions__gives_sandwich_errors(void **state)
{
    (void)state;
    const double beta[3][7] = {{0.0862938547344702, 0.032477877273958, 0.0479280148366749, 0.109512861640943,
                                0.110960520731352, 0.066738821664634, 0.226139893604168},
                               {0.0913034978419137, 0.0188238357080105, 0.0498782883941431, 0.0810974746887993,
                                0.198205908823962, 0.0608614783861842, 0.0924672756103848},
                               {0.093675412255457, 0.0193128479396263, 0.051174044131451, 0.0832042534394818,
                                0.203354971708749, 0.0624425593001235, 0.0948694230525463}};
    const double binomial[3][4] = {{0.173014775250418, 0.0694477569627384, 0.0993574763616951, 0.144894013700414},
                                   {0.185354907457599, 0.049521209011786, 0.105257216466467, 0.317537270134285},
                                   {0.190170122504244, 0.0508076884151767, 0.107991625495336, 0.325786365137992}};
    for (size_t k = 0; k < 3; k++) {
        const bd_proportion *fit = fit_with(&design, "logit", NULL, sandwiches[k]);
        assert_coefficients(fit->mean, 7, by_link[0].estimates, beta[k], 1e-11);
        fit = fit_with(&kept_design, "logit", NULL, sandwiches[k]);
        for (size_t j = 0; j < 4; j++)
            assert_close(fit->mean[j].se, binomial[k][j], 1e-10);
    }
}

/* VGAM stops after seven digits; the rest by Newton's method in R on sums of logarithms. */
static void test_proportions__beta_binomial_agrees_with_vgam(void **state)
{
    (void)state;
    const double vgam[] = {0.145763854197383, 0.453350127383429, -0.0923254950026473, -1.32955655660013};
    const double estimates[] = {0.145763850755856, 0.45335012823485, -0.0923254850722777, -1.32955663496617};
    const double errors[] = {0.17012694870466, 0.070423889685966, 0.102418347747106, 0.150559850062439};
    const bd_proportion *fit = fit_with(&kept_design, "logit", NULL, &bd_se_classical);
    assert_string_equal(fit->precision_link, "logit-rho");
    assert_coefficients(fit->mean, 4, vgam, NULL, 1e-7);
    assert_coefficients(fit->mean, 4, estimates, errors, 1e-10);
    assert_close(fit->fit->log_likelihood, -419.845996816579, 1e-12);
    assert_true(isnan(fit->pseudo_r_squared));
    assert_close(fit->phi[0], exp(-estimates[3]), 1e-10);
}

/* With the precision on the scale of phi: the same model. */
static void test_proportions__rho_and_phi_are_one_precision(void **state)
{
    (void)state;
    const bd_proportion *by_rho = fit_with(&kept_design, "logit", NULL, &bd_se_classical);
    const bd_proportion *by_phi = fit_with(&kept_design, "logit", "log", &bd_se_classical);
    assert_close(by_phi->fit->log_likelihood, by_rho->fit->log_likelihood, 1e-14);
    assert_close(by_phi->precision->estimate, -by_rho->precision->estimate, 1e-12);
    assert_close(by_phi->precision->se, by_rho->precision->se, 1e-12);
}

static void test_proportions__replicates_are_weighted_fits(void **state)
{
    (void)state;
    bd_proportion_design *const designs[] = {&design, &kept_design};
    for (size_t k = 0; k < 2; k++) {
        double estimates[7];
        const bd_proportion *fit = fit_with(designs[k], "logit", NULL, &bd_se_classical);
        double *scratch = bd_arena_alloc(arena, bd_likelihood_scratch(fit->likelihood), sizeof *scratch);
        assert_non_null(scratch);
        assert_int_equal(bd_likelihood_replicate(fit->likelihood, rows.weights, fit->fit->working, scratch, estimates),
                         BD_LIKELIHOOD_CONVERGED);
        designs[k]->weights = rows.weights;
        const bd_proportion *weighted = fit_with(designs[k], "logit", NULL, &bd_se_classical);
        for (size_t j = 0; j < fit->fit->n_coefficients; j++)
            assert_close(estimates[j], weighted->mean[j].estimate, 1e-11);
    }
}

/* Counts more even than binomial ones: rho runs to 0. */
static void test_proportions__says_when_there_is_no_overdispersion(void **state)
{
    (void)state;
    const bd_proportion *fit;
    bd_proportion_options options = BD_PROPORTION_DEFAULTS;
    for (size_t i = 0; i < N; i++) {
        offered[i] = 10;
        kept[i] = (double)(4 + i % 3);
    }
    must(bd_proportion_fit(&kept_design, &bd_beta_binomial, &options, &bd_se_classical, arena, &fit));
    assert_int_equal(fit->fit->end, BD_LIKELIHOOD_AT_LIMIT);
    assert_int_equal(fit->fit->runs_off, 1);
}

static void refuses_fit(const bd_proportion_design *which, const bd_likelihood_model *model, const char *sentence)
{
    const bd_proportion *fit;
    const bd_proportion_options options = BD_PROPORTION_DEFAULTS;
    refuses(bd_proportion_fit(which, model, &options, &bd_se_classical, arena, &fit), BD_EDATA, sentence);
}

static void test_proportions__says_what_is_wrong_with_shares(void **state)
{
    (void)state;
    share[4] = 1.5;
    refuses_fit(&design, &bd_beta, "'share' is 1.5 in row 5; beta regression takes shares above 0 and below 1");
    share[4] = 0;
    refuses_fit(
        &design, &bd_beta,
        "'share' is 0 in row 5; beta regression takes shares above 0 and below 1, such as (y (n - 1) + 0.5) / n");
    share[4] = NAN;
    refuses_fit(&design, &bd_beta, "'share' is nan in row 5; beta regression takes shares above 0 and below 1");
}

static void test_proportions__says_what_is_wrong_with_counts(void **state)
{
    (void)state;
    kept[4] = 2.5;
    refuses_fit(&kept_design, &bd_beta_binomial, "'kept' is 2.5 in row 5; counts are whole numbers, 0 or more");
    kept[4] = -1;
    refuses_fit(&kept_design, &bd_beta_binomial, "'kept' is -1 in row 5; counts are whole numbers, 0 or more");
    kept[4] = 99;
    refuses_fit(&kept_design, &bd_beta_binomial, "'kept' is 99 in row 5, which is more than the 9 trials");
    kept[4] = 1;
    offered[2] = 0;
    refuses_fit(&kept_design, &bd_beta_binomial,
                "the trials of 'kept' are 0 in row 3; they are whole numbers, 1 or more");
    kept_design.trials = NULL;
    refuses_fit(&kept_design, &bd_beta_binomial, "beta-binomial regression needs the trials that 'kept' is out of");
    kept_design.trials = ones;
    for (size_t i = 0; i < N; i++)
        kept[i] = rows.z[i];
    refuses_fit(&kept_design, &bd_beta_binomial,
                "every row of 'kept' is of one trial, which says nothing of overdispersion; use binomial");
}

static void test_proportions__lists_the_links(void **state)
{
    (void)state;
    const bd_proportion *fit;
    bd_proportion_options options = BD_PROPORTION_DEFAULTS;
    options.mean_link = "identity";
    refuses(bd_proportion_fit(&design, &bd_beta, &options, &bd_se_classical, arena, &fit), BD_EUSAGE,
            "no link of the mean is named 'identity'; there are logit, probit, cloglog, loglog, cauchit, log");
    options.mean_link = "logit";
    options.precision_link = "logit";
    refuses(bd_proportion_fit(&design, &bd_beta, &options, &bd_se_classical, arena, &fit), BD_EUSAGE,
            "no link of the precision is named 'logit'; there are log, identity, sqrt, logit-rho");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_proportions__beta_agrees_with_the_published_gasoline, make_design,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_proportions__beta_agrees_to_full_precision, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_proportions__beta_takes_every_link, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_proportions__loglog_mirrors_cloglog, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_proportions__log_link_keeps_means_below_one, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_proportions__gives_sandwich_errors, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_proportions__beta_binomial_agrees_with_vgam, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_proportions__rho_and_phi_are_one_precision, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_proportions__replicates_are_weighted_fits, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_proportions__says_when_there_is_no_overdispersion, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_proportions__says_what_is_wrong_with_shares, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_proportions__says_what_is_wrong_with_counts, make_design, tear_down),
        cmocka_unit_test_setup_teardown(test_proportions__lists_the_links, make_design, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
