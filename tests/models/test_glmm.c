/* Generalised linear mixed models, held to lme4 and glmmTMB. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include <gsl/gsl_cdf.h>

#include <bordin/data/frame.h>
#include <bordin/models/glmm.h>

#include "fixture.h"
#include "models/glmm_reference.h"

static void assert_near(double found, double wanted, double tolerance)
{
    if (!(fabs(found - wanted) <= tolerance * fmax(1e-3, fabs(wanted))))
        fail_msg("%.13g, not %.13g", found, wanted);
}

static const bd_frame *frame_of(const char *path, const char *formula, const char *by, bool counts)
{
    const bd_varying_spec varying = {"1", &by, 1};
    const bd_frame_spec spec = {.formula = formula, .varying = &varying, .n_varying = 1, .counts = counts};
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_wanted *wanted;
    const bd_table *table;
    const bd_frame *frame;
    size_t n_wanted;
    must(bd_frame_wanted(&spec, arena, &wanted, &n_wanted));
    must(bd_csv_read(path, wanted, n_wanted, &csv, arena, &table));
    must(bd_frame_build(table, &spec, arena, &frame));
    return frame;
}

static const double *const CONSTANT[] = {NULL};
static const char *const NAMES[] = {"(Intercept)", "x"};

static bd_glmm_design design_of(const bd_frame *f, const double *const *columns, const char *const *names, size_t p,
                                const double *response)
{
    return (bd_glmm_design){.glm = {.base = {.n_rows = f->n_rows,
                                             .n_columns = p,
                                             .columns = columns,
                                             .names = names,
                                             .has_intercept = true,
                                             .response = response,
                                             .response_name = "y"},
                                    .trials = f->trials},
                            .term = {.group = f->varying->groups->codes,
                                     .n_groups = f->varying->groups->n_levels,
                                     .group_name = f->varying->groups->name,
                                     .n_random = 1,
                                     .random = CONSTANT,
                                     .random_names = NAMES}};
}

static bd_glmm_design cbpp(void)
{
    const bd_frame *f = frame_of("datasets/mixed/cbpp.csv", "incidence / size ~ factor(period)", "herd", true);
    const double **columns = bd_arena_alloc(arena, 4, sizeof *columns);
    const char **names = bd_arena_alloc(arena, 4, sizeof *names);
    assert_int_equal(f->n_columns, 4);
    for (size_t j = 0; j < 4; j++) {
        columns[j] = f->columns[j].values;
        names[j] = f->columns[j].name;
    }
    return design_of(f, columns, names, 4, f->response);
}

/* Sleepstudy with outcomes made as the script makes them. */
typedef struct sleep {
    const bd_frame *frame;
    double x[180], slow[180], count[180];
    const double *columns[2];
} sleep;

static sleep *make_sleep(void)
{
    sleep *s = bd_arena_alloc(arena, 1, sizeof *s);
    s->frame = frame_of("datasets/mixed/sleepstudy.csv", "Reaction ~ Days", "Subject", false);
    for (size_t i = 0; i < 180; i++) {
        const size_t group = s->frame->varying->groups->codes[i] + 1;
        const double wave = (double)(i * 7919 % 101);
        s->x[i] = s->frame->columns[1].values[i] / 10;
        s->slow[i] = s->frame->response[i] + (double)(i * 37 % 101) > 350;
        s->count[i] = floor(wave * wave / 700 + 4 * (double)(group % 4));
    }
    s->columns[1] = s->x;
    return s;
}

static const bd_glmm *fit_of(const bd_glmm_design *design, const bd_family *family, const bd_link *link, size_t nodes,
                             int n_threads)
{
    bd_glmm_options options = BD_GLMM_DEFAULTS;
    const bd_glmm_model *model;
    const bd_glmm *fit = NULL;
    options.n_nodes = nodes;
    options.n_threads = n_threads;
    must(bd_glmm_prepare(design, family, link, n_threads, arena, &model));
    must(bd_glmm_fit(model, &options, arena, &fit));
    assert_int_equal(fit->end, BD_MIXED_CONVERGED);
    return fit;
}

/* Deviance, Lambda or standard deviations, estimates, errors. */
static void assert_fit(const bd_glmm *fit, const double *wanted, double constant, double error_tolerance)
{
    const size_t q = fit->random.n_random, p = fit->n_columns;
    assert_near(fit->deviance - constant, *wanted++, 1e-9);
    for (size_t c = 0; c < q; c++)
        for (size_t r = c; r < q; r++, wanted++) /* what is off the diagonal, in units of what is on it */
            assert_near((r > c) + fit->random.relative[r * q + c], (r > c) + *wanted, 2e-6);
    for (size_t j = 0; j < p; j++)
        assert_near(fit->coefficients[j].estimate, wanted[j], 1e-6);
    for (size_t j = 0; j < p; j++)
        assert_near(fit->coefficients[j].se, wanted[p + j], error_tolerance);
}

static void test_glmm__laplace_agrees_with_lme4(void **state)
{
    const bd_glmm_design design = cbpp();
    const bd_glmm *fit = fit_of(&design, &bd_binomial, NULL, 1, 1);
    (void)state;
    assert_fit(fit, cbpp_fit, 0, 2e-6);
    assert_near(fit->random.effects[0], cbpp_effects[0], 1e-6);
    assert_near(fit->random.effects[1], cbpp_effects[1], 1e-6);
    assert_near(fit->random.effect_se[0], 0.348265053, 1e-6);
    assert_near(fit->random.effect_se[1], 0.365558202, 1e-6);
    assert_near(fit->aic, cbpp_fit[0] + 10, 1e-9);
}

/* lme4's deviance is relative to the saturated model when it integrates by quadrature. */
static void test_glmm__quadrature_agrees_with_lme4(void **state)
{
    const bd_glmm_design design = cbpp();
    double constant = 0;
    (void)state;
    for (size_t i = 0; i < design.glm.base.n_rows; i++) {
        const double y = design.glm.base.response[i], n = design.glm.trials[i];
        constant -= 2 * (lgamma(n + 1) - lgamma(y + 1) - lgamma(n - y + 1));
        constant -= 2 * ((y > 0 ? y * log(y / n) : 0) + (y < n ? (n - y) * log(1 - y / n) : 0));
    }
    assert_fit(fit_of(&design, &bd_binomial, NULL, 5, 1), cbpp_5_fit, constant, 2e-6);
    assert_fit(fit_of(&design, &bd_binomial, NULL, 25, 1), cbpp_25_fit, constant, 2e-6);
}

static void test_glmm__slopes_and_counts_agree_with_r(void **state)
{
    const sleep *s = make_sleep();
    bd_glmm_design design = design_of(s->frame, s->columns, NAMES, 2, s->slow);
    (void)state;
    design.term.n_random = 2;
    design.term.random = s->columns;
    const bd_glmm *fit = fit_of(&design, &bd_binomial, NULL, 1, 1);
    assert_fit(fit, slopes_fit, 0, 2e-5); /* R's errors are of a numerical Hessian; glmmTMB has 0.751789, 1.103332 */
    assert_near(fit->random.effects[0], slopes_effects[0], 1e-5);
    assert_near(fit->random.effects[1], slopes_effects[1], 1e-4);
    design = design_of(s->frame, s->columns, NAMES, 2, s->count);
    assert_fit(fit_of(&design, &bd_poisson, NULL, 1, 1), poisson_fit, 0, 2e-6);
}

static void test_glmm__other_links_and_overdispersion_agree_with_glmmtmb(void **state)
{
    const sleep *s = make_sleep();
    bd_glmm_design design = design_of(s->frame, s->columns, NAMES, 2, s->slow);
    (void)state;
    assert_fit(fit_of(&design, &bd_binomial, &bd_probit, 1, 1), probit_fit, 0, 2e-6);
    assert_fit(fit_of(&design, &bd_binomial, &bd_cloglog, 1, 1), cloglog_fit, 0, 2e-6);
    design = design_of(s->frame, s->columns, NAMES, 2, s->count);
    const bd_glmm *fit = fit_of(&design, &bd_negbin, NULL, 1, 1);
    assert_fit(fit, negbin_fit, 0, 2e-6);
    assert_near(fit->theta, negbin_fit[6], 1e-6);
}

/* A weight of 2 is a row that stands twice; a row of weight 0 is none. */
static void test_glmm__weights_count_rows(void **state)
{
    const sleep *s = make_sleep();
    double weights[180], y[360], x[360];
    uint32_t group[360];
    const double *columns[] = {NULL, x};
    size_t m = 0;
    (void)state;
    for (size_t i = 0; i < 180; i++) {
        weights[i] = (double)(i % 3);
        for (size_t copy = 0; copy < i % 3; copy++) {
            y[m] = s->slow[i];
            x[m] = s->x[i];
            group[m++] = s->frame->varying->groups->codes[i];
        }
    }
    bd_glmm_design design = design_of(s->frame, s->columns, NAMES, 2, s->slow), rows = design;
    design.glm.base.weights = weights;
    rows.glm.base.n_rows = m;
    rows.glm.base.columns = columns;
    rows.glm.base.response = y;
    rows.term.group = group;
    const bd_glmm *weighted = fit_of(&design, &bd_binomial, NULL, 1, 1);
    const bd_glmm *plain = fit_of(&rows, &bd_binomial, NULL, 1, 1);
    assert_near(weighted->deviance, plain->deviance, 1e-11);
    assert_near(weighted->coefficients[1].estimate, plain->coefficients[1].estimate, 1e-7);
    assert_near(weighted->coefficients[1].se, plain->coefficients[1].se, 1e-6);
}

static void test_glmm__any_number_of_threads_gives_the_same_bits(void **state)
{
    enum { N = 3000 };
    double *y = bd_arena_alloc(arena, N, sizeof *y), *x = bd_arena_alloc(arena, N, sizeof *x);
    uint32_t *group = bd_arena_alloc(arena, N, sizeof *group);
    const bd_frame *f = make_sleep()->frame;
    const double *columns[] = {NULL, x};
    (void)state;
    for (size_t i = 0; i < N; i++) {
        group[i] = (uint32_t)(i % 70);
        x[i] = (double)(i * 31 % 97) / 50;
        y[i] = (double)(i * 7919 % 1009) / 500 + x[i] + group[i] % 5 * 0.5 > 2.5;
    }
    bd_glmm_design design = design_of(f, columns, NAMES, 2, y);
    design.glm.base.n_rows = N;
    design.term.group = group;
    design.term.n_groups = 70;
    const bd_glmm *one = fit_of(&design, &bd_binomial, NULL, 1, 1), *three = fit_of(&design, &bd_binomial, NULL, 1, 3);
    assert_memory_equal(&one->deviance, &three->deviance, sizeof(double));
    assert_memory_equal(one->coefficients, three->coefficients, 2 * sizeof *one->coefficients);
    assert_memory_equal(one->random.effects, three->random.effects, 70 * sizeof(double));
}

static void assert_refused(const bd_glmm_design *design, const bd_family *family, const bd_link *link, bd_status status,
                           const char *words)
{
    const bd_glmm_model *model;
    assert_int_equal(bd_glmm_prepare(design, family, link, 1, arena, &model), status);
    if (strstr(bd_message(), words) == NULL)
        fail_msg("no '%s' in '%s'", words, bd_message());
}

/* A herd that counts twice is the data with that herd written twice, under another name. */
static void test_glmm__replicates_are_fits_of_the_groups_drawn(void **state)
{
    enum { MOST = 80, COLUMNS = 4 };
    bd_glmm_design design = cbpp(), twice = design;
    const bd_ols_design *base = &design.glm.base;
    const bd_glmm_model *model;
    const bd_glmm *fit = NULL, *again = NULL;
    const bd_glmm_drawing *drawing;
    double y[MOST], trials[MOST], x[COLUMNS][MOST], counts[15], values[COLUMNS + 1];
    const double *columns[COLUMNS] = {NULL, x[1], x[2], x[3]};
    uint32_t group[MOST];
    size_t m = 0;
    (void)state;
    for (size_t g = 0; g < 15; g++)
        counts[g] = g == 2 ? 0 : g == 7 ? 3 : 1;
    for (size_t i = 0; i < base->n_rows; i++)
        for (uint32_t copy = 0; copy < (uint32_t)counts[design.term.group[i]]; copy++) {
            y[m] = base->response[i];
            trials[m] = design.glm.trials[i];
            for (size_t j = 1; j < COLUMNS; j++)
                x[j][m] = base->columns[j][i];
            group[m++] = design.term.group[i] + 15 * copy;
        }
    twice.glm.base.n_rows = m;
    twice.glm.base.response = y;
    twice.glm.base.columns = columns;
    twice.glm.trials = trials;
    twice.term.group = group;
    twice.term.n_groups = 45;
    must(bd_glmm_prepare(&twice, &bd_binomial, NULL, 1, arena, &model));
    must(bd_glmm_fit(model, &BD_GLMM_DEFAULTS, arena, &again));
    must(bd_glmm_prepare(&design, &bd_binomial, NULL, 1, arena, &model));
    must(bd_glmm_fit(model, &BD_GLMM_DEFAULTS, arena, &fit));
    must(bd_glmm_drawing_new(model, fit, arena, &drawing));
    double *scratch = bd_arena_alloc(arena, bd_glmm_drawing_scratch(drawing), sizeof *scratch);
    assert_int_equal(bd_glmm_draw(drawing, counts, NULL, scratch, values), BD_MIXED_CONVERGED);
    for (size_t j = 0; j < COLUMNS; j++)
        assert_near(values[j], again->coefficients[j].estimate, 1e-7);
    assert_near(values[COLUMNS], again->random.relative[0], 1e-6);
}

/* The least y whose chance is not below u, of a mean with the group's effect. */
static void test_glmm__outcomes_are_drawn_by_their_distribution(void **state)
{
    bd_glmm_design design = cbpp();
    const bd_ols_design *base = &design.glm.base;
    const bd_glmm_model *model;
    const bd_glmm *fit = NULL;
    const bd_glmm_drawing *drawing;
    double values[5];
    size_t row = 0;
    (void)state;
    must(bd_glmm_prepare(&design, &bd_binomial, NULL, 1, arena, &model));
    must(bd_glmm_fit(model, &BD_GLMM_DEFAULTS, arena, &fit));
    must(bd_glmm_drawing_new(model, fit, arena, &drawing));
    const size_t n_normals = bd_glmm_draw_normals(drawing), n = n_normals + bd_glmm_draw_uniforms(drawing);
    double *numbers = bd_arena_alloc(arena, n, sizeof *numbers);
    double *y = bd_arena_alloc(arena, bd_glmm_drawing_scratch(drawing), sizeof *y);
    assert_int_equal(n_normals, 15);
    for (size_t i = 0; i < n; i++)
        numbers[i] = i < n_normals ? (double)i / 7 - 1 : ((double)(i * 37 % 101) + 0.5) / 101;
    assert_true(bd_glmm_draw(drawing, NULL, numbers, y, values) != BD_MIXED_NOT_CONVERGED);
    for (size_t g = 0; g < 15; g++)
        for (size_t i = 0; i < base->n_rows; i++) {
            double eta = numbers[g] * fit->random.relative[0];
            if (design.term.group[i] != g)
                continue;
            for (size_t j = 0; j < 4; j++)
                eta += fit->coefficients[j].estimate * (base->columns[j] == NULL ? 1 : base->columns[j][i]);
            const double p = 1 / (1 + exp(-eta)), u = numbers[n_normals + row];
            const unsigned trials = (unsigned)design.glm.trials[i], k = (unsigned)y[row++];
            assert_true(gsl_cdf_binomial_P(k, p, trials) >= u);
            assert_true(k == 0 || gsl_cdf_binomial_P(k - 1, p, trials) < u);
        }
}

static void test_glmm__says_what_it_cannot_do(void **state)
{
    const sleep *s = make_sleep();
    double apart[180];
    uint32_t groups[180] = {0};
    bd_glmm_options options = BD_GLMM_DEFAULTS;
    const bd_glmm_model *model;
    const bd_glmm *fit;
    bd_glmm_design design = design_of(s->frame, s->columns, NAMES, 2, s->slow), bad = design;
    (void)state;
    assert_refused(&design, &bd_gamma, NULL, BD_EUSAGE, "not of gamma");
    assert_refused(&design, &bd_binomial, &bd_cauchit, BD_EUSAGE, "with cauchit");
    assert_refused(&bad, &bd_binomial, NULL, BD_OK, "");
    bad.glm.base.response = s->frame->response;
    assert_refused(&bad, &bd_binomial, NULL, BD_EDATA, "");
    for (size_t i = 0; i < 180; i++)
        apart[i] = s->x[i] > 0.45;
    bad.glm.base.response = apart;
    assert_refused(&bad, &bd_binomial, NULL, BD_ENUMERIC, "'x' tells the outcomes apart");
    bad = design;
    bad.term.group = groups;
    assert_refused(&bad, &bd_binomial, NULL, BD_EDATA, "only one group");
    for (size_t i = 0; i < 180; i++)
        groups[i] = (uint32_t)i;
    bad.term.n_groups = 180;
    assert_refused(&bad, &bd_binomial, NULL, BD_EDATA, "a group of 'Subject' of its own");
    design.term.n_random = 2;
    design.term.random = s->columns;
    options.n_nodes = 5;
    must(bd_glmm_prepare(&design, &bd_binomial, NULL, 1, arena, &model));
    assert_int_equal(bd_glmm_fit(model, &options, arena, &fit), BD_EUSAGE);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_glmm__laplace_agrees_with_lme4),
        TEST(test_glmm__quadrature_agrees_with_lme4),
        TEST(test_glmm__slopes_and_counts_agree_with_r),
        TEST(test_glmm__other_links_and_overdispersion_agree_with_glmmtmb),
        TEST(test_glmm__weights_count_rows),
        TEST(test_glmm__any_number_of_threads_gives_the_same_bits),
        TEST(test_glmm__replicates_are_fits_of_the_groups_drawn),
        TEST(test_glmm__outcomes_are_drawn_by_their_distribution),
        TEST(test_glmm__says_what_it_cannot_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
