/* Beta and beta-binomial regression: a mean and a precision, each with a linear predictor. */
#include <bordin/models/proportions.h>

#include <math.h>

#include "models/mean_links.h"
#include "models/rising.h"

enum { CHUNK = BD_LIKELIHOOD_CHUNK };

typedef struct proportion_context {
    const mean_link *mean, *precision;
    const double *response, *trials;
    const double *log_choose; /* of each row; beta: NULL */
    double start_phi;
} proportion_context;

/* The log-likelihood of a row and its derivatives by mu and phi; the second ones expected where asked for. */
typedef struct proportion_terms {
    double log, m, f, mm, mf, ff;
} proportion_terms;

/* a = mu phi, b = (1 - mu) phi:
 * log f = lgamma(phi) - lgamma(a) - lgamma(b) + (a - 1) log y + (b - 1) log(1 - y). */
static proportion_terms beta_terms(double y, double mu, double rest, double phi, bool expected)
{
    const double a = mu * phi, b = rest * phi, log_y = log(y), log_rest = log1p(-y);
    const double psi_a = digamma(a), psi_b = digamma(b), apart = log_y - log_rest - (psi_a - psi_b);
    const double psi1_a = trigamma(a), psi1_b = trigamma(b);
    proportion_terms t = {.log = (a - 1) * log_y + (b - 1) * log_rest - (log_gamma(a) + log_gamma(b) - log_gamma(phi))};
    t.m = phi * apart;
    t.f = mu * apart + log_rest - psi_b + digamma(phi);
    t.mm = -phi * phi * (psi1_a + psi1_b);
    t.mf = (expected ? 0 : apart) - phi * (mu * psi1_a - rest * psi1_b);
    t.ff = trigamma(phi) - mu * mu * psi1_a - rest * rest * psi1_b;
    return t;
}

/* log f = log choose(m, y) + log of the rising factorials a^(y) b^(m - y) / phi^(m). */
static proportion_terms beta_binomial_terms(double y, double trials, double log_choose, double mu, double rest,
                                            double phi)
{
    const rising a = rising_of(mu * phi, y), b = rising_of(rest * phi, trials - y), all = rising_of(phi, trials);
    return (proportion_terms){.log = log_choose + a.log + b.log - all.log,
                              .m = phi * (a.first - b.first),
                              .f = mu * a.first + rest * b.first - all.first,
                              .mm = phi * phi * (a.second + b.second),
                              .mf = a.first - b.first + phi * (mu * a.second - rest * b.second),
                              .ff = mu * mu * a.second + rest * rest * b.second - all.second};
}

static void proportion_rows(const void *context, size_t from, size_t n, bool expected, const double *predictors,
                            double *log_likelihood, double *score, double *information)
{
    const proportion_context *c = context;
    for (size_t i = 0; i < n; i++) {
        const linked mu = c->mean->of(predictors[i]), phi = c->precision->of(predictors[CHUNK + i]);
        const double y = c->response[from + i];
        log_likelihood[i] = -INFINITY;
        if (!(mu.value > 0 && mu.rest > 0 && phi.value > 0 && phi.value < 1e300 && mu.value * phi.value > 1e-300 &&
              mu.rest * phi.value > 1e-300))
            continue;
        const proportion_terms t =
            c->trials == NULL
                ? beta_terms(y, mu.value, mu.rest, phi.value, expected)
                : beta_binomial_terms(y, c->trials[from + i], c->log_choose[from + i], mu.value, mu.rest, phi.value);
        const bool curved = c->trials != NULL || !expected; /* the expected score is 0 */
        log_likelihood[i] = t.log;
        score[i] = t.m * mu.first;
        score[CHUNK + i] = t.f * phi.first;
        information[i] = -(t.mm * mu.first * mu.first + (curved ? t.m * mu.second : 0));
        information[CHUNK + i] = -t.mf * mu.first * phi.first;
        information[3 * CHUNK + i] = -(t.ff * phi.first * phi.first + (curved ? t.f * phi.second : 0));
    }
}

static void start_at(const void *context, size_t row, double *predictors)
{
    const proportion_context *c = context;
    const double y = c->response[row];
    const double share = c->trials == NULL ? y : (y + 0.5) / (c->trials[row] + 1);
    predictors[0] = c->mean->predictor(share);
    predictors[1] = c->precision->predictor(c->start_phi);
}

const bd_likelihood_model bd_beta = {
    .name = "beta regression", .start = start_at, .rows = proportion_rows, .n_locations = 1, .expected = true};
const bd_likelihood_model bd_beta_binomial = {
    .name = "beta-binomial regression", .start = start_at, .rows = proportion_rows, .n_locations = 1};

static bd_status check_shares(const bd_proportion_design *design)
{
    for (size_t i = 0; i < design->n_rows; i++) {
        const double y = design->response[i];
        if (!(y > 0 && y < 1))
            return bd_fail(BD_EDATA, "'%s' is %g in row %zu; beta regression takes shares above 0 and below 1%s",
                           design->response_name, y, i + 1, y == 0 || y == 1 ? ", such as (y (n - 1) + 0.5) / n" : "");
    }
    return BD_OK;
}

static bd_status check_counts(const bd_proportion_design *design, bd_arena *arena, proportion_context *context)
{
    double *log_choose;
    bool several = false;
    if (design->trials == NULL)
        return bd_fail(BD_EDATA, "beta-binomial regression needs the trials that '%s' is out of",
                       design->response_name);
    BD_NEW(arena, log_choose, design->n_rows);
    for (size_t i = 0; i < design->n_rows; i++) {
        const double y = design->response[i], trials = design->trials[i];
        if (!(trials > 0 && floor(trials) == trials && trials < 1e9))
            return bd_fail(BD_EDATA, "the trials of '%s' are %g in row %zu; they are whole numbers, 1 or more",
                           design->response_name, trials, i + 1);
        if (!(y >= 0 && floor(y) == y))
            return bd_fail(BD_EDATA, "'%s' is %g in row %zu; counts are whole numbers, 0 or more",
                           design->response_name, y, i + 1);
        if (y > trials)
            return bd_fail(BD_EDATA, "'%s' is %g in row %zu, which is more than the %g trials", design->response_name,
                           y, i + 1, trials);
        several = several || trials > 1;
        log_choose[i] = log_gamma(trials + 1) - log_gamma(y + 1) - log_gamma(trials - y + 1);
    }
    if (!several)
        return bd_fail(BD_EDATA,
                       "every row of '%s' is of one trial, which says nothing of overdispersion; use "
                       "binomial",
                       design->response_name);
    context->log_choose = log_choose;
    return BD_OK;
}

/* phi by moments about the overall mean, which the predictors can only raise. */
static double moment_precision(const bd_proportion_design *design)
{
    double total = 0, mean = 0, squares = 0;
    for (size_t i = 0; i < design->n_rows; i++) {
        const double weight = design->weights == NULL ? 1 : design->weights[i];
        const double share = design->response[i] / (design->trials == NULL ? 1 : design->trials[i]);
        const double before = mean;
        total += weight;
        mean += weight > 0 ? (share - mean) * weight / total : 0;
        squares += weight * (share - before) * (share - mean);
    }
    const double phi = mean * (1 - mean) / (squares / total) - 1;
    return phi > 0.5 && phi < 1e6 ? phi : 1;
}

static bd_status prepare(const bd_proportion_design *design, const bd_likelihood_model *model,
                         proportion_context *context, bd_arena *arena, const bd_likelihood **likelihood)
{
    static const double *const constant[] = {NULL};
    static const char *const constant_name[] = {"(precision)"};
    bd_predictor *predictors;
    BD_NEW(arena, predictors, 2);
    predictors[0] = design->mean;
    predictors[1] = design->precision;
    if (design->precision.n_columns == 0)
        predictors[1] =
            (bd_predictor){.n_columns = 1, .columns = constant, .names = constant_name, .has_intercept = true};
    const bd_likelihood_problem problem = {.model = model,
                                           .context = context,
                                           .n_rows = design->n_rows,
                                           .n_predictors = 2,
                                           .predictors = predictors,
                                           .weights = design->weights,
                                           .cluster = design->cluster,
                                           .n_clusters = design->n_clusters,
                                           .n_threads = design->n_threads};
    return bd_likelihood_prepare(&problem, arena, likelihood);
}

static double squared_correlation(const bd_proportion_design *design, const proportion_context *context,
                                  const double *predictor)
{
    double total = 0, x_mean = 0, y_mean = 0, xx = 0, xy = 0, yy = 0;
    for (size_t i = 0; i < design->n_rows; i++) {
        const double weight = design->weights == NULL ? 1 : design->weights[i];
        if (!(weight > 0))
            continue;
        const double x = predictor[i] - x_mean, y = context->mean->predictor(design->response[i]) - y_mean;
        total += weight;
        const double share = weight / total;
        x_mean += x * share;
        y_mean += y * share;
        xx += weight * (1 - share) * x * x;
        xy += weight * (1 - share) * x * y;
        yy += weight * (1 - share) * y * y;
    }
    return xy * xy / (xx * yy);
}

bd_status bd_proportion_fit(const bd_proportion_design *design, const bd_likelihood_model *model,
                            const bd_proportion_options *options, const bd_se_estimator *se, bd_arena *arena,
                            const bd_proportion **out)
{
    const bool counts = model == &bd_beta_binomial;
    const char *usual = counts ? "logit-rho" : "log", *asked = options->precision_link;
    bd_proportion *fit;
    proportion_context *context;
    BD_NEW(arena, fit, 1);
    BD_NEW(arena, context, 1);
    BD_TRY(bd_share_link_find(options->mean_link, &context->mean));
    BD_TRY(bd_precision_link_find(asked == NULL ? usual : asked, &context->precision));
    BD_TRY(counts ? check_counts(design, arena, context) : check_shares(design));
    context->response = design->response;
    context->trials = counts ? design->trials : NULL;
    context->start_phi = moment_precision(design);
    BD_TRY(prepare(design, model, context, arena, &fit->likelihood));
    BD_TRY(bd_likelihood_maximise(fit->likelihood, se, &options->likelihood, arena, &fit->fit));
    fit->mean_link = context->mean->name;
    fit->precision_link = context->precision->name;
    fit->mean = fit->fit->coefficients;
    fit->precision = fit->mean + design->mean.n_columns;
    fit->pseudo_r_squared = counts ? NAN : squared_correlation(design, context, fit->fit->predictors);
    BD_NEW(arena, fit->mu, design->n_rows);
    BD_NEW(arena, fit->phi, design->n_rows);
    for (size_t i = 0; i < design->n_rows; i++) {
        fit->mu[i] = context->mean->of(fit->fit->predictors[i]).value;
        fit->phi[i] = context->precision->of(fit->fit->predictors[design->n_rows + i]).value;
    }
    *out = fit;
    return BD_OK;
}
