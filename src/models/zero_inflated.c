/* Zero-inflated counts: a mixture of zeros for good and Poisson or negative binomial counts. */
#include <bordin/models/zero_inflated.h>

#include <math.h>

#include "models/rising.h"

enum { CHUNK = BD_LIKELIHOOD_CHUNK };

typedef struct count_context {
    const double *response, *weights;
    const double *log_factorial; /* of each response */
    size_t n_rows;
    double log_mean; /* of the positive counts */
} count_context;

/* A count's log-probability, and its derivatives by eta = log(mu) and tau = log(theta). */
typedef struct count_terms {
    double log, e, t, ee, et, tt;
} count_terms;

static count_terms poisson_terms(double y, double log_factorial, double eta)
{
    const double mu = exp(eta);
    return (count_terms){.log = y * eta - mu - log_factorial, .e = y - mu, .ee = -mu};
}

static count_terms negbin_terms(double y, double log_factorial, double eta, double tau)
{
    const double mu = exp(eta), theta = exp(tau), both = mu + theta;
    const double apart = log1p(mu / theta), surplus = (y - mu) / both;
    const rising r = rising_of(theta, y);
    const double by_theta = r.first - apart - surplus;
    const double by_theta_twice = r.second + mu / (theta * both) + surplus / both;
    count_terms c = {.log = r.log - log_factorial - theta * apart - y * log1p(theta / mu)};
    if (mu == 0)
        c.log = y > 0 ? -INFINITY : 0;
    c.e = theta * surplus;
    c.ee = -mu * theta * (y + theta) / (both * both);
    c.t = theta * by_theta;
    c.tt = theta * theta * by_theta_twice + theta * by_theta;
    c.et = theta * mu * surplus / both;
    return c;
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

static double log_one_plus_exp(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* Second derivatives, of opposite sign, of row i of a chunk: by count, zero and log theta. */
typedef struct zero_slots {
    double *cc, *cz, *zz, *ct, *zt, *tt; /* the last three NULL without theta */
} zero_slots;

static void count_row(count_terms c, double zeta, size_t i, double *log_likelihood, double *score, zero_slots s)
{
    const double pi = logistic(zeta);
    log_likelihood[i] = c.log - log_one_plus_exp(zeta);
    score[i] = c.e;
    score[CHUNK + i] = -pi;
    s.cc[i] = -c.ee;
    s.zz[i] = pi * (1 - pi);
    if (s.tt == NULL)
        return;
    score[2 * CHUNK + i] = c.t;
    s.ct[i] = -c.et;
    s.tt[i] = -c.tt;
}

/* log(pi + (1 - pi) f(0)): `own` is the share of that which is a count's zero. */
static void zero_row(count_terms c, double zeta, size_t i, double *log_likelihood, double *score, zero_slots s)
{
    const double pi = logistic(zeta), own = logistic(c.log - zeta), mixed = own * logistic(zeta - c.log);
    log_likelihood[i] = fmax(c.log, zeta) + log1p(exp(-fabs(c.log - zeta))) - log_one_plus_exp(zeta);
    score[i] = own * c.e;
    score[CHUNK + i] = logistic(zeta - c.log) - pi;
    s.cc[i] = -(own * c.ee + mixed * c.e * c.e);
    s.cz[i] = mixed * c.e;
    s.zz[i] = pi * (1 - pi) - mixed;
    if (s.tt == NULL)
        return;
    score[2 * CHUNK + i] = own * c.t;
    s.ct[i] = -(own * c.et + mixed * c.e * c.t);
    s.zt[i] = mixed * c.t;
    s.tt[i] = -(own * c.tt + mixed * c.t * c.t);
}

static void inflated_rows(const count_context *c, bool negbin, size_t from, size_t n, const double *predictors,
                          double *log_likelihood, double *score, double *information)
{
    const size_t l = negbin ? 3 : 2;
    zero_slots slots = {information, information + CHUNK, information + (l + 1) * CHUNK, NULL, NULL, NULL};
    if (negbin) {
        slots.ct = information + 2 * CHUNK;
        slots.zt = information + 5 * CHUNK;
        slots.tt = information + 8 * CHUNK;
    }
    for (size_t i = 0; i < n; i++) {
        const double y = c->response[from + i], factorial = c->log_factorial[from + i], eta = predictors[i];
        const count_terms terms =
            negbin ? negbin_terms(y, factorial, eta, predictors[2 * CHUNK + i]) : poisson_terms(y, factorial, eta);
        (y > 0 ? count_row : zero_row)(terms, predictors[CHUNK + i], i, log_likelihood, score, slots);
    }
}

static void poisson_rows(const void *context, size_t from, size_t n, bool expected, const double *predictors,
                         double *log_likelihood, double *score, double *information)
{
    (void)expected;
    inflated_rows(context, false, from, n, predictors, log_likelihood, score, information);
}

static void negbin_rows(const void *context, size_t from, size_t n, bool expected, const double *predictors,
                        double *log_likelihood, double *score, double *information)
{
    (void)expected;
    inflated_rows(context, true, from, n, predictors, log_likelihood, score, information);
}

static void poisson_start(const void *context, size_t row, double *predictors)
{
    const count_context *c = context;
    const double y = c->response[row];
    predictors[0] = y > 0 ? log(y) : c->log_mean;
    predictors[1] = y > 0 ? -1 : 0.5;
}

static void negbin_start(const void *context, size_t row, double *predictors)
{
    poisson_start(context, row, predictors);
    predictors[2] = 0.5;
}

static bool is_empty(const void *context, const double *weights)
{
    const count_context *c = context;
    bool zeros = false, others = false;
    for (size_t i = 0; i < c->n_rows && !(zeros && others); i++)
        if (weights[i] > 0)
            *(c->response[i] > 0 ? &others : &zeros) = true;
    return !zeros || !others;
}

const bd_likelihood_model bd_zero_inflated_poisson = {.name = "zero-inflated Poisson",
                                                      .start = poisson_start,
                                                      .rows = poisson_rows,
                                                      .is_empty = is_empty,
                                                      .n_locations = 1};
const bd_likelihood_model bd_zero_inflated_negbin = {.name = "zero-inflated negative binomial",
                                                     .start = negbin_start,
                                                     .rows = negbin_rows,
                                                     .is_empty = is_empty,
                                                     .n_locations = 1};

static bd_status check_counts(const bd_zero_inflated_design *design, bd_arena *arena, count_context *context)
{
    double zeros = 0, others = 0, sum = 0, *log_factorial;
    BD_NEW(arena, log_factorial, design->n_rows);
    for (size_t i = 0; i < design->n_rows; i++) {
        const double y = design->response[i], weight = design->weights == NULL ? 1 : design->weights[i];
        if (!(y >= 0 && floor(y) == y && y < 1e15))
            return bd_fail(BD_EDATA, "'%s' is %g in row %zu; counts are whole numbers, 0 or more",
                           design->response_name, y, i + 1);
        *(y > 0 ? &others : &zeros) += weight;
        sum += weight * y;
        log_factorial[i] = log_gamma(y + 1);
    }
    if (!(zeros > 0))
        return bd_fail(BD_EDATA, "'%s' is never 0: there are no zeros to explain; use poisson or negbin",
                       design->response_name);
    if (!(others > 0))
        return bd_fail(BD_EDATA, "'%s' is 0 in every row", design->response_name);
    *context = (count_context){.response = design->response,
                               .weights = design->weights,
                               .log_factorial = log_factorial,
                               .n_rows = design->n_rows,
                               .log_mean = log(sum / others)};
    return BD_OK;
}

static bd_status prepare(const bd_zero_inflated_design *design, const bd_likelihood_model *model, bd_arena *arena,
                         const bd_likelihood **likelihood)
{
    static const double *const constant[] = {NULL};
    static const char *const constant_name[] = {"log(theta)"};
    count_context *context;
    bd_predictor *predictors;
    BD_NEW(arena, context, 1);
    BD_NEW(arena, predictors, 3);
    BD_TRY(check_counts(design, arena, context));
    predictors[0] = design->count;
    predictors[1] = design->zero;
    predictors[2] = (bd_predictor){.n_columns = 1, .columns = constant, .names = constant_name, .has_intercept = true};
    const bd_likelihood_problem problem = {.model = model,
                                           .context = context,
                                           .n_rows = design->n_rows,
                                           .n_predictors = model == &bd_zero_inflated_negbin ? 3 : 2,
                                           .predictors = predictors,
                                           .weights = design->weights,
                                           .cluster = design->cluster,
                                           .n_clusters = design->n_clusters,
                                           .n_threads = design->n_threads};
    return bd_likelihood_prepare(&problem, arena, likelihood);
}

static bd_status describe_rows(const bd_zero_inflated_design *design, bd_arena *arena, bd_zero_inflated *fit)
{
    const size_t n = design->n_rows;
    const double *eta = fit->fit->predictors, *zeta = eta + n;
    BD_NEW(arena, fit->expected, n);
    BD_NEW(arena, fit->zero_for_good, n);
    for (size_t i = 0; i < n; i++) {
        const double weight = design->weights == NULL ? 1 : design->weights[i];
        const double pi = logistic(zeta[i]), mu = exp(eta[i]);
        const double none = fit->log_theta == NULL ? exp(-mu) : exp(-fit->theta * log1p(mu / fit->theta));
        fit->zero_for_good[i] = pi;
        fit->expected[i] = mu * logistic(-zeta[i]);
        fit->n_zeros += design->response[i] > 0 ? 0 : weight;
        fit->expected_zeros += weight > 0 ? weight * (pi + (1 - pi) * none) : 0;
    }
    return BD_OK;
}

bd_status bd_zero_inflated_fit(const bd_zero_inflated_design *design, const bd_likelihood_model *model,
                               const bd_se_estimator *se, const bd_likelihood_options *options, bd_arena *arena,
                               const bd_zero_inflated **out)
{
    bd_zero_inflated *fit;
    BD_NEW(arena, fit, 1);
    BD_TRY(prepare(design, model, arena, &fit->likelihood));
    BD_TRY(bd_likelihood_maximise(fit->likelihood, se, options, arena, &fit->fit));
    fit->count = fit->fit->coefficients;
    fit->zero = fit->count + design->count.n_columns;
    fit->theta = fit->theta_se = NAN;
    if (model == &bd_zero_inflated_negbin) {
        fit->log_theta = fit->zero + design->zero.n_columns;
        fit->theta = exp(fit->log_theta->estimate);
        fit->theta_se = fit->theta * fit->log_theta->se;
    }
    BD_TRY(describe_rows(design, arena, fit));
    *out = fit;
    return BD_OK;
}
