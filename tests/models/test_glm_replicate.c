/* Replicates of generalised models: each is the fit with those weights. */
#include "models/glm_sample.h"

#include "models/glm_exp.h"

typedef struct choice {
    const bd_family *family;
    const bd_link *link;
    bool firth;
    const double *response;
} choice;

static const bd_glm *fit_choice(const bd_glm_design *design, const choice *c)
{
    const bd_glm_options options = {.level = 0.95, .firth = c->firth};
    const bd_glm *fit;
    must(bd_glm_fit(design, c->family, c->link, &bd_se_classical, &options, arena, &fit));
    return fit;
}

static void draw(size_t replicate, size_t n, double *weights)
{
    memset(weights, 0, n * sizeof *weights);
    for (size_t k = 0; k < n; k++)
        weights[(replicate * 7919 + k * (k + 3 * replicate + 11) * 31 + k / 7) % n]++;
}

/* The full sample, and twenty draws, against bd_glm_fit with those weights. */
static void check(sample *s, const choice *c)
{
    const bd_glm_prepared *prepared;
    double weights[N], coefficients[4], *scratch, prior[N];
    s->design.base.response = c->response;
    const double *given = s->design.base.weights;
    for (size_t i = 0; i < N; i++)
        prior[i] = given == NULL ? 1 : given[i];
    const bd_glm *fit = fit_choice(&s->design, c);
    must(bd_glm_prepare(&s->design, fit, arena, &prepared));
    scratch = bd_arena_alloc(arena, prepared->n_scratch, sizeof *scratch);
    for (size_t replicate = 0; replicate < 21; replicate++) {
        double product[N];
        draw(replicate, N, weights);
        for (size_t i = 0; i < N; i++) {
            weights[i] = replicate == 0 ? 1 : weights[i];
            product[i] = weights[i] * prior[i];
        }
        s->design.base.weights = product;
        const bd_glm *again = fit_choice(&s->design, c);
        const bd_glm_replicate_end end = bd_glm_replicate(prepared, weights, scratch, coefficients);
        const bool fine = again->end == BD_GLM_CONVERGED || again->end == BD_GLM_NO_OVERDISPERSION;
        if (end != (fine ? BD_GLM_REPLICATE_CONVERGED : BD_GLM_REPLICATE_SEPARATED))
            fail_msg("%s, %s, replicate %zu: ends %d and %d", bd_family_name(c->family), bd_link_name(fit->link),
                     replicate, (int)end, (int)again->end);
        for (size_t j = 0; fine && j < 4; j++)
            if (fabs(coefficients[j] - again->coefficients[j].estimate) > 1e-9 * again->coefficients[j].se)
                fail_msg("%s, %s, replicate %zu: %.15g, not %.15g", bd_family_name(c->family),
                         bd_link_name(fit->link), replicate, coefficients[j], again->coefficients[j].estimate);
    }
    s->design.base.weights = given;
}

static void test_glm_replicate__is_the_fit_with_those_weights(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    const choice choices[] = {
        {&bd_binomial, &bd_logit, false, s.binary},   {&bd_binomial, &bd_probit, false, s.binary},
        {&bd_binomial, &bd_cloglog, false, s.binary}, {&bd_binomial, &bd_logit, true, s.binary},
        {&bd_quasi_binomial, NULL, false, s.share},   {&bd_poisson, NULL, false, s.count},
        {&bd_poisson, &bd_sqrt, false, s.count},      {&bd_quasi_poisson, NULL, false, s.count},
        {&bd_negbin, NULL, false, s.count},           {&bd_gamma, &bd_log, false, s.positive},
        {&bd_gamma, NULL, false, s.positive},         {&bd_gaussian, NULL, false, s.normal},
        {&bd_gaussian, &bd_log, false, s.positive},   {&bd_inverse_gaussian, &bd_log, false, s.positive},
    };
    for (size_t k = 0; k < sizeof choices / sizeof *choices; k++)
        check(&s, choices + k);
}

static void test_glm_replicate__knows_trials_offsets_and_prior_weights(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    s.design.base.weights = s.w;
    s.design.offset = s.offset;
    check(&s, &(choice){&bd_poisson, NULL, false, s.count});
    check(&s, &(choice){&bd_gaussian, NULL, false, s.normal});
    s.design.trials = s.trials;
    check(&s, &(choice){&bd_binomial, NULL, false, s.successes});
}

static void test_glm_replicate__names_how_it_ends(void **state)
{
    (void)state;
    sample s;
    const bd_glm_prepared *prepared;
    double weights[N] = {0}, coefficients[4];
    make_sample(&s);
    must(bd_glm_prepare(&s.design, fit_glm(&s.design, &bd_binomial, NULL, &bd_se_classical), arena, &prepared));
    double *scratch = bd_arena_alloc(arena, prepared->n_scratch, sizeof *scratch);
    assert_int_equal(bd_glm_replicate(prepared, weights, scratch, coefficients), BD_GLM_REPLICATE_COLLINEAR);
    for (size_t i = 0; i < N; i++)
        weights[i] = s.z[i];
    assert_int_equal(bd_glm_replicate(prepared, weights, scratch, coefficients), BD_GLM_REPLICATE_COLLINEAR);
    for (size_t i = 0; i < N; i++)
        weights[i] = s.binary[i] == (s.x1[i] > 4);
    assert_int_equal(bd_glm_replicate(prepared, weights, scratch, coefficients), BD_GLM_REPLICATE_SEPARATED);
    for (size_t i = 0; i < N; i++)
        weights[i] = s.binary[i] == 1;
    assert_int_equal(bd_glm_replicate(prepared, weights, scratch, coefficients), BD_GLM_REPLICATE_SEPARATED);
}

static void test_glm_replicate__a_separated_fit_cannot_be_prepared(void **state)
{
    (void)state;
    sample s;
    const bd_glm_prepared *prepared;
    make_sample(&s);
    for (size_t i = 0; i < N; i++)
        s.binary[i] = s.x1[i] > 4;
    const bd_glm *fit = fit_glm(&s.design, &bd_binomial, NULL, &bd_se_classical);
    assert_int_equal(bd_glm_prepare(&s.design, fit, arena, &prepared), BD_ENUMERIC);
    assert_string_equal(bd_message(), "the model is separated, so there is nothing to resample");
    const bd_glm_options options = {.level = 0.95, .max_iterations = 1};
    must(bd_glm_fit(&s.design, &bd_poisson, NULL, &bd_se_classical, &options, arena, &fit));
    assert_int_equal(fit->end, BD_GLM_NOT_CONVERGED);
    assert_int_equal(bd_glm_prepare(&s.design, fit, arena, &prepared), BD_ENUMERIC);
    assert_string_equal(bd_message(), "the model did not converge, so there is nothing to resample");
}

/* Against the C library's in long double: within one unit in the last place. */
static void test_glm_exp__is_right_to_the_last_place(void **state)
{
    (void)state;
    double worst = 0;
    for (int i = -70000; i <= 70000; i++) {
        const double x = i * 0.0101, value = glm_exp(x);
        const long double exact = expl((long double)x);
        const double apart = (double)(fabsl(value - exact) / exact) / 0x1p-53;
        worst = fmax(worst, apart);
    }
    if (worst > 2)
        fail_msg("%g half units", worst);
    assert_true(glm_exp(0) == 1 && glm_exp(-1e6) > 0 && isfinite(glm_exp(1e6)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_glm_replicate__is_the_fit_with_those_weights, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm_replicate__knows_trials_offsets_and_prior_weights, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm_replicate__names_how_it_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm_replicate__a_separated_fit_cannot_be_prepared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glm_exp__is_right_to_the_last_place, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
