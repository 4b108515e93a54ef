/* Designs of bench_coverage whose statistic comes from weights: a slope a on a standard normal x. */
#ifndef BORDIN_BENCHMARKS_COVERAGE_MODELS_H
#define BORDIN_BENCHMARKS_COVERAGE_MODELS_H

#include <bordin/models/cox.h>
#include <bordin/models/glm.h>

static const char *const model_names[] = {"constant", "x"};

/* The slope of a prepared model, whichever it is. */
typedef struct slope_of_model {
    const bd_glm_prepared *glm;
    const bd_cox_prepared *cox;
} slope_of_model;

static bd_replicate_end model_slope(const void *context, const double *weights, double *scratch, double *values,
                                    double *errors)
{
    const slope_of_model *m = context;
    double coefficients[2];
    (void)errors;
    if (m->glm != NULL) {
        if (bd_glm_replicate(m->glm, weights, scratch, coefficients) != BD_GLM_REPLICATE_CONVERGED)
            return BD_REPLICATE_SEPARATED;
        values[0] = coefficients[1];
        return BD_REPLICATE_USABLE;
    }
    return bd_cox_replicate(m->cox, weights, scratch, values) == BD_COX_REPLICATE_CONVERGED ? BD_REPLICATE_USABLE
                                                                                           : BD_REPLICATE_SEPARATED;
}

static double slope_of_x(const cell *c)
{
    return c->a;
}

/* 0 or 1 with log odds a x, or a Poisson count of mean exp(a x). */
static bd_status simulate_responses(sample *s, bool counts)
{
    const size_t n = s->cell->n;
    double *x;
    BD_TRY(draw(s, n, 2, &x));
    for (size_t i = 0; i < n; i++) {
        const double eta = s->cell->a * x[i];
        double u = gsl_cdf_ugaussian_P(x[n + i]), y = 0;
        if (!counts) {
            x[n + i] = u < 1 / (1 + exp(-eta));
            continue;
        }
        for (double p = exp(-exp(eta)); u > p && y < 1000; p *= exp(eta) / y) {
            u -= p;
            y++;
        }
        x[n + i] = y;
    }
    return set_columns(s, n, 3, x);
}

static bd_status simulate_binary(sample *s)
{
    return simulate_responses(s, false);
}

static bd_status simulate_counts(sample *s)
{
    return simulate_responses(s, true);
}

/* Exponential times with log hazard a x, censored at times of the same kind: half of them at a = 0. */
static bd_status simulate_times(sample *s)
{
    const size_t n = s->cell->n;
    double *x;
    BD_TRY(draw(s, n, 3, &x));
    for (size_t i = 0; i < n; i++) {
        const double event = -log(gsl_cdf_ugaussian_Q(x[n + i])) / exp(s->cell->a * x[i]);
        const double censored = -log(gsl_cdf_ugaussian_Q(x[2 * n + i]));
        x[n + i] = fmin(event, censored);
        x[2 * n + i] = event <= censored;
    }
    return set_columns(s, n, 4, x);
}

static bd_glm_design glm_of(const sample *s)
{
    return (bd_glm_design){.base = {.n_rows = s->columns.n_rows, .n_columns = 2, .columns = s->columns.values,
                                    .names = model_names, .response = s->columns.values[2], .response_name = "y",
                                    .has_intercept = true, .n_threads = 1}};
}

static bd_cox_design cox_of(const sample *s)
{
    return (bd_cox_design){.n_rows = s->columns.n_rows, .n_columns = 1, .columns = s->columns.values + 1,
                           .names = model_names + 1, .stop = s->columns.values[2], .event = s->columns.values[3],
                           .n_threads = 1};
}

/* Prepares the model for replicates; and the intervals of Wald with the model's and with robust errors. */
static bd_status glm_model(sample *s, const bd_family *family, slope_of_model *m, size_t *n_scratch)
{
    const bd_glm_design of = glm_of(s);
    const bd_se_estimator *const errors[] = {&bd_se_classical, &bd_se_hc3};
    const bd_glm_options options = {.level = level};
    for (size_t i = 0; i < 2; i++) {
        const bd_glm *fit;
        BD_TRY(bd_glm_fit(&of, family, NULL, errors[i], &options, s->arena, &fit));
        s->rivals[i] = (range){fit->coefficients[1].ci_low, fit->coefficients[1].ci_high};
        if (i == 0)
            BD_TRY(bd_glm_prepare(&of, fit, s->arena, &m->glm));
    }
    *n_scratch = m->glm->n_scratch;
    return BD_OK;
}

static bd_status logistic_model(sample *s, slope_of_model *m, size_t *n_scratch)
{
    return glm_model(s, &bd_binomial, m, n_scratch);
}

static bd_status poisson_model(sample *s, slope_of_model *m, size_t *n_scratch)
{
    return glm_model(s, &bd_poisson, m, n_scratch);
}

static bd_status cox_model(sample *s, slope_of_model *m, size_t *n_scratch)
{
    const bd_cox_design of = cox_of(s);
    bd_cox_options options = {.level = level, .no_concordance = true};
    for (size_t i = 0; i < 2; i++) {
        const bd_cox *fit;
        options.se = i == 0 ? BD_COX_MODEL : BD_COX_ROBUST;
        BD_TRY(bd_cox_fit(&of, &options, s->arena, &fit));
        s->rivals[i] = (range){fit->coefficients[0].ci_low, fit->coefficients[0].ci_high};
        if (i == 0)
            BD_TRY(bd_cox_prepare(&of, fit, s->arena, &m->cox));
    }
    *n_scratch = m->cox->n_scratch;
    return BD_OK;
}

#endif
