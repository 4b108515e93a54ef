/* What is reported of a maximum of the likelihood: estimates, errors of the model or by the sandwich, tests. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "models/likelihood_internal.h"

enum { CHUNK = BD_LIKELIHOOD_CHUNK };

/* scores[group] += weighted scores of each row; a group is a row (then meat takes its square at once) or a cluster. */
static void add_scores(const bd_likelihood *likelihood, const double *working, double *scratch, double *row_score,
                       double *clusters, double *meat)
{
    const bd_likelihood_problem *problem = &likelihood->problem;
    const size_t p = likelihood->n_coefficients;
    for (size_t from = 0; from < problem->n_rows; from += CHUNK) {
        const size_t n = problem->n_rows - from < CHUNK ? problem->n_rows - from : CHUNK;
        const likelihood_rows rows = bd_likelihood_chunk_at(likelihood, working, from, n, false, scratch);
        for (size_t i = 0; i < n; i++) {
            const double weight = problem->weights == NULL ? 1 : problem->weights[from + i];
            if (!(weight > 0))
                continue;
            double *score = clusters == NULL ? row_score : clusters + problem->cluster[from + i] * p;
            for (size_t l = 0; l < problem->n_predictors; l++) {
                const likelihood_basis *basis = &likelihood->bases[l];
                for (size_t j = 0; j < basis->n_columns; j++) {
                    const double value = weight * rows.score[l * CHUNK + i] * basis->columns[j][from + i];
                    score[basis->first + j] = clusters == NULL ? value : score[basis->first + j] + value;
                }
            }
            for (size_t j = 0; clusters == NULL && j < p; j++)
                for (size_t k = 0; k < p; k++)
                    meat[j * p + k] += score[j] * score[k];
        }
    }
}

static bd_status sandwich_meat(const bd_likelihood *likelihood, const bd_se_estimator *se, const double *working,
                               bd_arena *arena, double *meat)
{
    const size_t p = likelihood->n_coefficients, n_clusters = likelihood->problem.n_clusters;
    double *scratch, *row_score, *clusters = NULL;
    BD_NEW(arena, scratch, likelihood_chunk(likelihood));
    BD_NEW(arena, row_score, p);
    if (se != &bd_se_hc0)
        BD_NEW(arena, clusters, n_clusters * p);
    memset(meat, 0, p * p * sizeof *meat);
    add_scores(likelihood, working, scratch, row_score, clusters, meat);
    const double factor = se == &bd_se_cr1 ? (double)n_clusters / ((double)n_clusters - 1) : 1;
    for (size_t g = 0; clusters != NULL && g < n_clusters; g++)
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++)
                meat[j * p + k] += factor * clusters[g * p + j] * clusters[g * p + k];
    return BD_OK;
}

/* product <- left * right, or left * right'. */
static void multiply(size_t p, const double *left, const double *right, bool transposed, double *product)
{
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            double sum = 0;
            for (size_t k = 0; k < p; k++)
                sum += left[i * p + k] * (transposed ? right[j * p + k] : right[k * p + j]);
            product[i * p + j] = sum;
        }
}

/* covariance <- T V T' or T V M V T', V the inverse of the information. Not positive: NaN. */
static bd_status covariance_of(const bd_likelihood *likelihood, const bd_se_estimator *se, const double *working,
                               const double *information, bd_arena *arena, double *covariance)
{
    const size_t p = likelihood->n_coefficients;
    double *root, *inverse, *half, *meat;
    BD_NEW(arena, root, p * p);
    BD_NEW(arena, inverse, p * p);
    BD_NEW(arena, half, p * p);
    BD_NEW(arena, meat, p * p);
    if (!bd_likelihood_root(p, information, 0, root)) {
        for (size_t k = 0; k < p * p; k++)
            covariance[k] = NAN;
        return BD_OK;
    }
    bd_triangle_invert(p, p, root, inverse);
    multiply(p, likelihood->transform, inverse, false, half); /* T R^-1; V = R^-1 R^-T */
    if (se != &bd_se_classical) {
        BD_TRY(sandwich_meat(likelihood, se, working, arena, meat));
        multiply(p, half, inverse, true, root);
        multiply(p, root, meat, false, half);
        multiply(p, half, root, true, covariance);
    } else
        multiply(p, half, half, true, covariance);
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < i; j++)
            covariance[i * p + j] = covariance[j * p + i];
    return BD_OK;
}

static void describe_coefficients(bd_likelihood_fit *fit, const double *estimates)
{
    const size_t p = fit->n_coefficients;
    const bool usable = fit->end == BD_LIKELIHOOD_CONVERGED;
    const double quantile = gsl_cdf_ugaussian_Pinv(0.5 + fit->level / 2);
    for (size_t j = 0; j < p; j++) {
        bd_likelihood_coefficient *c = &fit->coefficients[j];
        c->estimate = estimates[j];
        c->se = usable ? sqrt(fit->covariance[j * p + j]) : NAN;
        c->z = c->estimate / c->se;
        c->p = 2 * gsl_cdf_ugaussian_Q(fabs(c->z));
        c->ci_low = c->estimate - quantile * c->se;
        c->ci_high = c->estimate + quantile * c->se;
    }
}

/* Start values are least squares of the model's, in the basis where that is a product. */
static bd_status find_start(const bd_likelihood *likelihood, bd_arena *arena, double *working)
{
    const bd_likelihood_problem *problem = &likelihood->problem;
    double *start;
    BD_NEW(arena, start, problem->n_predictors);
    for (size_t i = 0; i < problem->n_rows; i++) {
        const double weight = problem->weights == NULL ? 1 : problem->weights[i];
        if (!(weight > 0))
            continue;
        problem->model->start(problem->context, i, start);
        for (size_t l = 0; l < problem->n_predictors; l++) {
            const likelihood_basis *basis = &likelihood->bases[l];
            const double wanted =
                start[l] - (problem->predictors[l].offset == NULL ? 0 : problem->predictors[l].offset[i]);
            for (size_t j = 0; j < basis->n_columns; j++)
                working[basis->first + j] += weight * wanted * basis->columns[j][i];
        }
    }
    return BD_OK;
}

static bd_status check_errors(const bd_likelihood *likelihood, const bd_se_estimator *se)
{
    if (se != &bd_se_classical && se != &bd_se_hc0 && se != &bd_se_cr0 && se != &bd_se_cr1)
        return bd_fail(BD_EUSAGE, "%s is not defined for %s; there are classical, hc0, cr0 and cr1", bd_se_name(se),
                       likelihood->problem.model->name);
    if (!bd_se_needs_clusters(se))
        return BD_OK;
    if (likelihood->problem.cluster == NULL)
        return bd_fail(BD_EDATA, "%s needs clusters, and none are given", bd_se_name(se));
    if (likelihood->problem.n_clusters < 2)
        return bd_fail(BD_EDATA, "%s needs two clusters or more, and there is one", bd_se_name(se));
    return BD_OK;
}

static bd_status new_fit(const bd_likelihood *likelihood, bd_arena *arena, bd_likelihood_fit **out)
{
    const bd_likelihood_problem *problem = &likelihood->problem;
    bd_likelihood_fit *fit;
    BD_NEW(arena, fit, 1);
    fit->model = problem->model;
    fit->n_rows = problem->n_rows;
    fit->n_used = likelihood->n_used;
    fit->n_predictors = problem->n_predictors;
    fit->n_coefficients = likelihood->n_coefficients;
    fit->first = likelihood->first;
    BD_NEW(arena, fit->coefficients, fit->n_coefficients);
    BD_NEW(arena, fit->covariance, fit->n_coefficients * fit->n_coefficients);
    BD_NEW(arena, fit->predictors, fit->n_predictors * fit->n_rows);
    BD_NEW(arena, fit->working, fit->n_coefficients);
    *out = fit;
    return BD_OK;
}

static void fill_predictors(const bd_likelihood *likelihood, double *scratch, bd_likelihood_fit *fit)
{
    for (size_t from = 0; from < fit->n_rows; from += CHUNK) {
        const size_t n = fit->n_rows - from < CHUNK ? fit->n_rows - from : CHUNK;
        const likelihood_rows rows = bd_likelihood_chunk_at(likelihood, fit->working, from, n, false, scratch);
        for (size_t l = 0; l < fit->n_predictors; l++)
            memcpy(fit->predictors + l * fit->n_rows + from, rows.predictors + l * CHUNK, n * sizeof(double));
    }
}

bd_status bd_likelihood_maximise(const bd_likelihood *likelihood, const bd_se_estimator *se,
                                 const bd_likelihood_options *options, bd_arena *arena, const bd_likelihood_fit **out)
{
    const size_t p = likelihood->n_coefficients;
    bd_likelihood_fit *fit = NULL;
    BD_TRY(check_errors(likelihood, se));
    BD_TRY(new_fit(likelihood, arena, &fit));
    fit->se = se;
    fit->level = options->level;
    const bd_mark mark = bd_arena_mark(arena);
    double *scratch, *sums, *estimates;
    likelihood_climb climb;
    BD_NEW(arena, scratch, bd_likelihood_scratch(likelihood));
    BD_NEW(arena, sums, likelihood_sums(likelihood));
    BD_NEW(arena, estimates, p);
    BD_TRY(find_start(likelihood, arena, fit->working));
    BD_TRY(bd_likelihood_climb(likelihood, likelihood->problem.weights, options->max_iterations, arena, scratch,
                               fit->working, &climb));
    fit->end = climb.end;
    fit->n_iterations = climb.n_iterations;
    fit->runs_off = climb.runs_off;
    BD_TRY(bd_likelihood_evaluate_all(likelihood, fit->working, likelihood->problem.model->expected, arena, sums));
    fit->log_likelihood = sums[0];
    fit->aic = -2 * sums[0] + 2 * (double)p;
    fit->bic = -2 * sums[0] + log((double)fit->n_used) * (double)p;
    BD_TRY(covariance_of(likelihood, se, fit->working, sums + 1 + p, arena, fit->covariance));
    bd_likelihood_estimates(likelihood, fit->working, estimates);
    describe_coefficients(fit, estimates);
    fill_predictors(likelihood, scratch, fit);
    bd_arena_rewind(arena, mark);
    *out = fit;
    return BD_OK;
}
