/* Multinomial logit: the likelihood of one of several categories, each but the reference with a linear predictor. */
#include <bordin/models/multinomial.h>

#include <math.h>

#include <gsl/gsl_cdf.h>

#include "models/likelihood_internal.h"

enum { CHUNK = BD_LIKELIHOOD_CHUNK };

typedef struct multinomial_context {
    const uint32_t *category;
    size_t n_categories, n_rows;
    size_t reference;
    double *starts; /* n_categories - 1 logarithms of shares against the reference's */
} multinomial_context;

/* Which predictor is the category's, SIZE_MAX for the reference. */
static size_t predictor_of(const multinomial_context *c, size_t category)
{
    return category == c->reference ? SIZE_MAX : category - (category > c->reference);
}

/* shares (n, `stride` apart) <- exp(predictor) over their sum and the reference's 1. Returns the sum's logarithm. */
static double softmax(const double *predictors, size_t n, size_t stride, double *shares)
{
    double largest = 0, sum = 0;
    for (size_t k = 0; k < n; k++)
        largest = fmax(largest, predictors[k * stride]);
    for (size_t k = 0; k < n; k++)
        sum += shares[k * stride] = exp(predictors[k * stride] - largest);
    sum += exp(-largest);
    for (size_t k = 0; k < n; k++)
        shares[k * stride] /= sum;
    return largest + log(sum);
}

static void multinomial_rows(const void *context, size_t from, size_t n, bool expected, const double *predictors,
                             double *log_likelihood, double *score, double *information)
{
    const multinomial_context *c = context;
    const size_t l = c->n_categories - 1;
    (void)expected;
    for (size_t i = 0; i < n; i++) {
        const size_t own = predictor_of(c, c->category[from + i]);
        log_likelihood[i] = -softmax(predictors + i, l, CHUNK, score + i);
        for (size_t a = 0; a < l; a++) {
            const double share = score[a * CHUNK + i];
            for (size_t b = a + 1; b < l; b++)
                information[(a * l + b) * CHUNK + i] = -share * score[b * CHUNK + i];
            information[(a * l + a) * CHUNK + i] = share * (1 - share);
        }
        for (size_t a = 0; a < l; a++)
            score[a * CHUNK + i] = (a == own) - score[a * CHUNK + i];
        if (own != SIZE_MAX)
            log_likelihood[i] += predictors[own * CHUNK + i];
    }
}

static void start_at(const void *context, size_t row, double *predictors)
{
    const multinomial_context *c = context;
    (void)row;
    for (size_t k = 0; k + 1 < c->n_categories; k++)
        predictors[k] = c->starts[k];
}

static bool is_empty(const void *context, const double *weights)
{
    const multinomial_context *c = context;
    for (size_t k = 0; k < c->n_categories; k++) {
        bool found = false;
        for (size_t i = 0; !found && i < c->n_rows; i++)
            found = c->category[i] == k && weights[i] > 0;
        if (!found)
            return true;
    }
    return false;
}

static const bd_likelihood_model multinomial = {
    .name = "multinomial logit", .start = start_at, .rows = multinomial_rows, .is_empty = is_empty};

static bd_status check_categories(const bd_multinomial_design *design, bd_arena *arena, multinomial_context *context,
                                  double *null_log_likelihood)
{
    const size_t q = design->n_categories;
    double *counts, total = 0;
    if (q < 2)
        return bd_fail(BD_EDATA, "the response '%s' has one category; it takes two or more", design->response_name);
    if (design->reference >= q)
        return bd_fail(BD_EUSAGE, "the reference of '%s' is category %zu of %zu", design->response_name,
                       design->reference + 1, q);
    BD_NEW(arena, context->starts, q - 1);
    BD_NEW(arena, counts, q);
    for (size_t i = 0; i < design->n_rows; i++) {
        const double weight = design->weights == NULL ? 1 : design->weights[i];
        counts[design->category[i]] += weight;
        total += weight;
    }
    *null_log_likelihood = 0;
    for (size_t k = 0; k < q; k++) {
        if (!(counts[k] > 0))
            return bd_fail(BD_EDATA, "no row has category '%s' of '%s'; leave it out, or join it with another",
                           design->levels[k], design->response_name);
        *null_log_likelihood += counts[k] * log(counts[k] / total);
        if (k != design->reference)
            context->starts[predictor_of(context, k)] = log(counts[k] / counts[design->reference]);
    }
    return BD_OK;
}

static bd_status prepare(const bd_multinomial_design *design, const multinomial_context *context, bd_arena *arena,
                         const bd_likelihood **likelihood)
{
    bd_predictor *predictors;
    const size_t l = design->n_categories - 1;
    BD_NEW(arena, predictors, l);
    for (size_t k = 0; k < l; k++)
        predictors[k] = (bd_predictor){.n_columns = design->n_columns,
                                       .columns = design->columns,
                                       .names = design->names,
                                       .has_intercept = design->has_intercept};
    const bd_likelihood_problem problem = {.model = &multinomial,
                                           .context = context,
                                           .n_rows = design->n_rows,
                                           .n_predictors = l,
                                           .predictors = predictors,
                                           .weights = design->weights,
                                           .cluster = design->cluster,
                                           .n_clusters = design->n_clusters,
                                           .n_threads = design->n_threads};
    return bd_likelihood_prepare(&problem, arena, likelihood);
}

static bd_status fill_probabilities(const bd_multinomial_design *design, bd_arena *arena, bd_multinomial *fit)
{
    const size_t n = design->n_rows, q = design->n_categories;
    double *shares;
    BD_NEW(arena, fit->probabilities, n * q);
    BD_NEW(arena, shares, n * (q - 1));
    for (size_t i = 0; i < n; i++) {
        double *out = fit->probabilities + i * q;
        out[design->reference] = exp(-softmax(fit->fit->predictors + i, q - 1, n, shares + i));
        for (size_t k = 0; k + 1 < q; k++)
            out[fit->categories[k]] = shares[k * n + i];
    }
    return BD_OK;
}

bd_status bd_multinomial_fit(const bd_multinomial_design *design, const bd_se_estimator *se,
                             const bd_likelihood_options *options, bd_arena *arena, const bd_multinomial **out)
{
    bd_multinomial *fit;
    multinomial_context *context;
    size_t *categories;
    BD_NEW(arena, fit, 1);
    BD_NEW(arena, context, 1);
    *context = (multinomial_context){.category = design->category,
                                     .n_categories = design->n_categories,
                                     .n_rows = design->n_rows,
                                     .reference = design->reference};
    BD_TRY(check_categories(design, arena, context, &fit->null_log_likelihood));
    BD_TRY(prepare(design, context, arena, &fit->likelihood));
    BD_TRY(bd_likelihood_maximise(fit->likelihood, se, options, arena, &fit->fit));
    fit->n_contrasts = design->n_categories - 1;
    BD_NEW(arena, categories, fit->n_contrasts);
    for (size_t k = 0; k < fit->n_contrasts; k++)
        categories[k] = k + (k >= design->reference);
    fit->categories = categories;
    fit->coefficients = fit->fit->coefficients;
    fit->whole_statistic = fit->whole_p = NAN;
    fit->whole_df = (double)(fit->n_contrasts * (design->n_columns - design->has_intercept));
    if (design->has_intercept && fit->whole_df > 0) {
        fit->whole_statistic = 2 * (fit->fit->log_likelihood - fit->null_log_likelihood);
        fit->whole_p = gsl_cdf_chisq_Q(fmax(0, fit->whole_statistic), fit->whole_df);
    }
    fit->mcfadden = 1 - fit->fit->log_likelihood / fit->null_log_likelihood;
    BD_TRY(fill_probabilities(design, arena, fit));
    *out = fit;
    return BD_OK;
}

bd_status bd_multinomial_test(const bd_multinomial *fit, size_t first, size_t n, bd_arena *arena,
                              bd_multinomial_wald *test)
{
    const size_t p = fit->fit->n_coefficients, columns = p / fit->n_contrasts, q = n * fit->n_contrasts;
    const bd_mark mark = bd_arena_mark(arena);
    double *covariance, *root, *estimates;
    BD_NEW(arena, covariance, q * q);
    BD_NEW(arena, root, q * q);
    BD_NEW(arena, estimates, q);
    for (size_t i = 0; i < q; i++) {
        const size_t row = i / n * columns + first + i % n;
        estimates[i] = fit->coefficients[row].estimate;
        for (size_t j = 0; j < q; j++)
            covariance[i * q + j] = fit->fit->covariance[row * p + j / n * columns + first + j % n];
    }
    *test = (bd_multinomial_wald){.statistic = NAN, .df = (double)q, .p = NAN};
    if (fit->fit->end == BD_LIKELIHOOD_CONVERGED && bd_likelihood_root(q, covariance, 1e-14, root)) {
        bd_triangle_solve_transposed(q, q, root, estimates, estimates);
        test->statistic = 0;
        for (size_t i = 0; i < q; i++)
            test->statistic += estimates[i] * estimates[i];
        test->p = gsl_cdf_chisq_Q(test->statistic, test->df);
    }
    bd_arena_rewind(arena, mark);
    return BD_OK;
}
