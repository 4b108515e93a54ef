/* Sums over the rows of a model, by blocks that are joined in their order. */
#include <math.h>

#include "models/glm_internal.h"
#include "models/ols_internal.h"

double glm_sum(const glm_model *m, double (*term)(const glm_model *m, const void *context, size_t row),
               const void *context)
{
    const size_t block_rows = ols_block_rows(m->n), n_blocks = (m->n + block_rows - 1) / block_rows;
    double sums[OLS_MOST_BLOCKS + 1] = {0}, all = 0;
#pragma omp parallel for num_threads(glm_threads(m)) schedule(dynamic) if (n_blocks > 1)
    for (size_t block = 0; block < n_blocks; block++) {
        const size_t end = (block + 1) * block_rows < m->n ? (block + 1) * block_rows : m->n;
        double sum = 0;
        for (size_t i = block * block_rows; i < end; i++)
            sum += glm_weight(m, i) > 0 ? term(m, context, i) : 0;
        sums[block] = sum;
    }
    for (size_t block = 0; block < n_blocks; block++)
        all += sums[block];
    return all;
}

static double weight_of(const glm_model *m, const void *context, size_t row)
{
    (void)context;
    return glm_weight(m, row);
}

double glm_sum_of_weights(const glm_model *m)
{
    return glm_sum(m, weight_of, NULL);
}

typedef struct densities {
    const double *mu;
    double parameter;
} densities;

static double log_density_of(const glm_model *m, const void *context, size_t row)
{
    const densities *d = context;
    const double trials = m->design->trials ? m->design->trials[row] : 1;
    return m->family->log_density(m->y[row], d->mu[row], glm_weight(m, row), trials, d->parameter);
}

double glm_log_likelihood(const glm_model *m, const double *mu, double theta, double deviance)
{
    if (m->family->log_density == NULL)
        return NAN;
    if (m->family->response == GLM_BINARY && m->design->trials == NULL)
        return -deviance / 2;
    const double spread = m->family->response == GLM_REAL ? (double)m->n_used : glm_sum_of_weights(m);
    const densities d = {.mu = mu, .parameter = m->family->has_theta ? theta : deviance / spread};
    return glm_sum(m, log_density_of, &d);
}
