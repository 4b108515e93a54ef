/* What families, links and the parts of a fit share. */
#ifndef BORDIN_MODELS_GLM_INTERNAL_H
#define BORDIN_MODELS_GLM_INTERNAL_H

#include <omp.h>

#include <bordin/models/glm.h>

enum { GLM_CHUNK = 256 };

struct bd_link {
    const char *name, *summary;
    void (*inverse)(size_t n, const double *eta, double *mu, double *slope); /* slope: dmu/deta, never 0 */
    double (*of)(double mu);
    double (*curvature)(double eta, double mu, double slope); /* d2mu/deta2 */
    bool positive;                   /* eta must be */
};

typedef enum glm_response { GLM_REAL, GLM_POSITIVE, GLM_COUNT, GLM_BINARY, GLM_SHARE } glm_response;

struct bd_family {
    const char *name, *summary;
    glm_response response;
    const bd_link *const *links;
    const bd_link *canonical; /* there the slope is the variance; NULL: never */
    double (*variance)(double mu, double theta);
    double (*variance_slope)(double mu, double theta); /* dvariance/dmu */
    double (*deviance)(double y, double mu, double theta);
    double (*start)(double y, double weight); /* a first mu */
    /* of a row, `parameter` being theta or the estimated dispersion; NULL: a quasi family */
    double (*log_density)(double y, double mu, double weight, double trials, double parameter);
    double mu_low, mu_high; /* exclusive */
    bool known_dispersion, has_theta;
};

/* A model, and where its fit stands. */
typedef struct glm_model {
    const bd_glm_design *design;
    const bd_family *family;
    const bd_link *link;
    size_t n, p, n_used;
    const double *y;       /* the response, divided by the trials */
    const double *weights; /* prior, times trials; NULL: 1 */
    double theta;
    double *beta;
    double *eta, *mu;
    double *residual, *working; /* (y - mu) / slope; weight * slope^2 / variance */
    double *triangle;           /* of (columns, residual) by the working weights, (p + 1) x (p + 1) */
    double deviance;
    bool at_edge; /* a row's mu has come close to a response at the edge of the range */
    size_t n_iterations, max_iterations;
    bd_glm_end end;
    bool edge_checked;
    bool *separating;  /* p: the columns that take part */
    double *direction; /* p: in which the likelihood has no maximum */
    size_t n_separated;
} glm_model;

static inline int glm_threads(const glm_model *m)
{
    return m->design->base.n_threads > 0 ? m->design->base.n_threads : omp_get_max_threads();
}

static inline double glm_weight(const glm_model *m, size_t row)
{
    return m->weights == NULL ? 1 : m->weights[row];
}

static inline double glm_offset(const glm_model *m, size_t row)
{
    return m->design->offset == NULL ? 0 : m->design->offset[row];
}

static inline const double *glm_column(const bd_glm_design *design, size_t j)
{
    return j == 0 && design->base.has_intercept ? NULL : design->base.columns[j];
}

/* A response at the edge of what the family allows, which an infinite linear predictor would reach: -1 at 0, 1 at 1,
 * 0 elsewhere. Only for links that never reach it. */
int glm_edge(const bd_family *family, const bd_link *link, double y);

/* Of the expected information: a row whose observed information is less takes that instead. */
static const double GLM_LEAST_OBSERVED = 1e-3;

/* The observed information of a row, in units of the expected: 1 - (y - mu) (curvature / slope^2 - V' / V). */
static inline double glm_observed(const bd_family *family, const bd_link *link, double theta, double y, double eta,
                                  double mu, double slope, double variance)
{
    const double bend = link->curvature(eta, mu, slope) / (slope * slope);
    return 1 - (y - mu) * (bend - family->variance_slope(mu, theta) / variance);
}

/* What makes data unusable, but for the rank of the columns; `n_used` rows have a weight. */
BD_CHECKED bd_status glm_check(const bd_glm_design *design, const bd_family *family, const bd_link *link,
                               const bd_se_estimator *se, const bd_glm_options *options, size_t *n_used);

/* Names constant and collinear columns. */
BD_CHECKED bd_status glm_check_rank(const bd_glm_design *design, bd_arena *arena);

/* eta, mu, residuals, working weights, and the deviance at m->beta: infinite outside the range. */
double glm_evaluate(glm_model *m);

/* m->beta <- no predictors, and the mean of the response. */
void glm_start_at_mean(glm_model *m);

/* m->triangle at the present working weights. False: collinear by them. */
BD_CHECKED bd_status glm_factor(glm_model *m, bd_arena *arena, bool *full_rank);

/* Length of a vector of coefficients in units of the information, R b. */
double glm_length(const glm_model *m, const double *b);

/* Whether a step of length `size` after one of length `last` was as good as the last. */
bool glm_has_converged(const glm_model *m, double size, double last);

/* From start values, or from m->beta when `warm`, to the maximum for m->theta. */
BD_CHECKED bd_status glm_iterate(glm_model *m, bool warm, bd_arena *arena);

/* The same with theta estimated; `se` of theta. Ends with BD_GLM_NO_OVERDISPERSION where theta is infinite. */
BD_CHECKED bd_status glm_iterate_negbin(glm_model *m, bd_arena *arena, double *se);

/* The maximum likelihood theta for given mu and its standard error; infinite when there is no overdispersion. */
BD_CHECKED bd_status glm_theta(const glm_model *m, const double *mu, double start, bd_arena *arena, double *theta,
                               double *se);

/* Maximises Firth's penalised likelihood over the first `n_free` coefficients, the others staying 0. */
BD_CHECKED bd_status glm_iterate_firth(glm_model *m, size_t n_free, bd_arena *arena, double *penalised);

/* The sum of term(m, context, row) over the rows that have a weight, by blocks: the same for any number of threads. */
double glm_sum(const glm_model *m, double (*term)(const glm_model *m, const void *context, size_t row),
               const void *context);

/* Prior weights, times trials. */
double glm_sum_of_weights(const glm_model *m);

/* Sum over rows of log densities at mu, where the deviance is `deviance`; NaN for a quasi family. */
double glm_log_likelihood(const glm_model *m, const double *mu, double theta, double deviance);

/* Looks for a direction that separates the outcomes, and fills m->separating, direction and n_separated. */
BD_CHECKED bd_status glm_find_separation(glm_model *m, bd_arena *arena, bool *found);

/* Wald's test and interval, by t or, for infinite df, the normal distribution; NaN without an error. */
typedef struct glm_wald {
    double statistic, p, low, high;
} glm_wald;

glm_wald glm_test(double estimate, double se, double df, double level);

/* Rows of small dimension for the linear program: `row(context, i, a)` fills a, and says how: 0: no constraint,
 * 1: a'd >= 0, 2: a'd = 0. */
typedef struct glm_cone {
    size_t n, p;
    int (*row)(const void *context, size_t i, double *a);
    const void *context;
} glm_cone;

/* d with a'd >= 0 for all rows and a'd > 0 for *n_strict >= 1 of them; false: none. `work`: glm_cone_room(p)
 * doubles. */
bool glm_cone_direction(const glm_cone *cone, double *work, double *d, size_t *n_strict);

static inline size_t glm_cone_room(size_t p)
{
    return 3 * p * p + 6 * p;
}

#endif
