/* Iteratively reweighted least squares: Fisher scoring by QR, with halved steps. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "models/glm_internal.h"
#include "models/ols_internal.h"

static const double COLLINEAR = 1e-12; /* as in least squares */
static const double NEAR_EDGE = 1e-7;    /* a mean this close to its response is worth a search for separation */
static const double FINISHED = 1e-14;    /* of the length of the coefficients in units of their information */
static const double NEGLIGIBLE = 1e-10;  /* information of a row, against its weight */
static const double NOISE = 1e-10;       /* below which a step that no longer shrinks is rounding */
enum { MOST_HALVINGS = 40, EDGE_AFTER = 5, NEWTON_AFTER = 3 };

static void predict(const glm_model *m, size_t from, size_t n)
{
    double *eta = m->eta + from;
    for (size_t i = 0; i < n; i++)
        eta[i] = glm_offset(m, from + i);
    for (size_t j = 0; j < m->p; j++) {
        const double *x = glm_column(m->design, j), b = m->beta[j];
        for (size_t i = 0; x == NULL && i < n; i++)
            eta[i] += b;
        for (size_t i = 0; x != NULL && i < n; i++)
            eta[i] += x[from + i] * b;
    }
}

/* Residuals and working weights of a chunk; false where eta or mu leave their range. */
static bool work_rows(const glm_model *m, size_t from, size_t n, const double *slope)
{
    const bool canonical = m->family->canonical == m->link;
    bool inside = true;
    for (size_t i = from; i < from + n; i++) {
        const double mu = m->mu[i], s = slope[i - from], weight = glm_weight(m, i);
        const double variance = canonical ? s : m->family->variance(mu, m->theta);
        inside = inside && mu > m->family->mu_low && mu < m->family->mu_high && (!m->link->positive || m->eta[i] > 0);
        m->residual[i] = (m->y[i] - mu) / s;
        m->working[i] = canonical ? weight * s : weight * s * s / variance;
        if (weight == 0)
            m->residual[i] = 0;
    }
    return inside;
}

typedef struct block_sum {
    double deviance;
    bool inside, at_edge;
} block_sum;

/* Outcomes of 0 and 1 that count once: -2 log of the product of their probabilities, sixteen at a time. */
static void add_binary(const glm_model *m, size_t from, size_t n, block_sum *sum)
{
    enum { FACTORS = 16 }; /* each 2e-16 or more */
    double least = 1;
    for (size_t i = from; i < from + n;) {
        const size_t end = i + FACTORS < from + n ? i + FACTORS : from + n;
        double product = 1;
        for (; i < end; i++) {
            const double miss = fabs(m->y[i] - m->mu[i]);
            product *= m->y[i] == 1 ? m->mu[i] : 1 - m->mu[i];
            least = miss < least ? miss : least;
        }
        sum->deviance -= 2 * log(product);
    }
    sum->at_edge = sum->at_edge || (least < NEAR_EDGE && m->link != &bd_log && m->link != &bd_identity);
}

static void add_rows(const glm_model *m, size_t from, size_t n, block_sum *sum)
{
    for (size_t i = from; i < from + n; i++) {
        const double weight = glm_weight(m, i);
        if (weight == 0)
            continue;
        sum->deviance += weight * m->family->deviance(m->y[i], m->mu[i], m->theta);
        const int edge = glm_edge(m->family, m->link, m->y[i]);
        sum->at_edge = sum->at_edge || (edge != 0 && fabs(m->y[i] - m->mu[i]) < NEAR_EDGE);
    }
}

static void add_chunk(const glm_model *m, size_t from, size_t n, block_sum *sum)
{
    double slope[GLM_CHUNK];
    predict(m, from, n);
    m->link->inverse(n, m->eta + from, m->mu + from, slope);
    sum->inside = work_rows(m, from, n, slope) && sum->inside;
    if (sum->inside)
        (m->family->response == GLM_BINARY && m->weights == NULL ? add_binary : add_rows)(m, from, n, sum);
}

double glm_evaluate(glm_model *m)
{
    const size_t block_rows = ols_block_rows(m->n), n_blocks = (m->n + block_rows - 1) / block_rows;
    block_sum sums[OLS_MOST_BLOCKS + 1];
#pragma omp parallel for num_threads(glm_threads(m)) schedule(dynamic) if (n_blocks > 1)
    for (size_t block = 0; block < n_blocks; block++) {
        const size_t end = (block + 1) * block_rows < m->n ? (block + 1) * block_rows : m->n;
        sums[block] = (block_sum){.inside = true};
        for (size_t from = block * block_rows; from < end; from += GLM_CHUNK)
            add_chunk(m, from, end - from < GLM_CHUNK ? end - from : GLM_CHUNK, sums + block);
    }
    block_sum all = {.inside = true};
    for (size_t block = 0; block < n_blocks; block++) {
        all.deviance += sums[block].deviance;
        all.inside = all.inside && sums[block].inside;
        all.at_edge = all.at_edge || sums[block].at_edge;
    }
    m->at_edge = all.at_edge;
    return all.inside && isfinite(all.deviance) ? all.deviance : INFINITY;
}

bd_status glm_factor(glm_model *m, bd_arena *arena, bool *full_rank)
{
    const size_t p = m->p, q = p + 1;
    const bd_mark scratch = bd_arena_mark(arena);
    const double **values;
    double *triangle;
    BD_NEW(arena, values, q);
    for (size_t j = 0; j < p; j++)
        values[j] = glm_column(m->design, j);
    values[p] = m->residual;
    const bd_columns columns = {.n_rows = m->n, .n_columns = q, .values = values, .weights = m->working};
    BD_TRY(bd_triangle_of(&columns, m->design->base.n_threads, arena, &triangle));
    memcpy(m->triangle, triangle, q * q * sizeof *triangle);
    *full_rank = bd_triangle_first_collinear(q, m->triangle, m->design->base.has_intercept, COLLINEAR) >= p;
    for (size_t j = 0; j < p; j++)
        *full_rank = *full_rank && m->triangle[j * q + j] > 0;
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}

/* A first mu that the link takes: a normal response may lie outside. */
static double start_at(const glm_model *m, size_t row, double typical)
{
    const double mu = m->family->start(m->y[row], glm_weight(m, row));
    if (m->family->response != GLM_REAL || m->link == &bd_identity)
        return mu;
    if (m->link == &bd_log)
        return fmax(mu, 0.1 * typical);
    return fabs(mu) < 0.1 * typical ? copysign(0.1 * typical, mu) : mu;
}

static double size_of_response(const glm_model *m, const void *context, size_t row)
{
    (void)context;
    return fabs(m->y[row]) / (double)m->n_used;
}

static double weighted_response(const glm_model *m, const void *context, size_t row)
{
    (void)context;
    return glm_weight(m, row) * m->y[row];
}

/* The regression that R starts with: of link(mu) for a mu near the response. */
static bd_status start(glm_model *m, bd_arena *arena, bool *full_rank)
{
    const double typical = glm_sum(m, size_of_response, NULL);
#pragma omp parallel for num_threads(glm_threads(m)) if (m->n > OLS_LEAST_ROWS)
    for (size_t from = 0; from < m->n; from += GLM_CHUNK) {
        const size_t n = m->n - from < GLM_CHUNK ? m->n - from : GLM_CHUNK;
        double slope[GLM_CHUNK];
        for (size_t i = from; i < from + n; i++)
            m->eta[i] = m->link->of(glm_weight(m, i) > 0 ? start_at(m, i, typical) : 0.5);
        m->link->inverse(n, m->eta + from, m->mu + from, slope);
        work_rows(m, from, n, slope);
        for (size_t i = from; i < from + n; i++)
            m->residual[i] += m->eta[i] - glm_offset(m, i);
    }
    BD_TRY(glm_factor(m, arena, full_rank));
    if (!*full_rank)
        BD_TRY(glm_check_rank(m->design, arena));
    for (size_t i = 0; i < m->p; i++)
        m->beta[i] = m->triangle[i * (m->p + 1) + m->p];
    if (*full_rank)
        bd_triangle_solve(m->p + 1, m->p, m->triangle, m->beta, m->beta);
    return BD_OK;
}

void glm_start_at_mean(glm_model *m)
{
    memset(m->beta, 0, m->p * sizeof *m->beta);
    if (m->design->base.has_intercept)
        m->beta[0] = m->link->of(glm_sum(m, weighted_response, NULL) / glm_sum_of_weights(m));
}

/* Length of the coefficients and of a step in units of the information, R b. */
double glm_length(const glm_model *m, const double *b)
{
    double squares = 0;
    for (size_t i = 0; i < m->p; i++) {
        double sum = 0;
        for (size_t j = i; j < m->p; j++)
            sum += m->triangle[i * (m->p + 1) + j] * b[j];
        squares += sum * sum;
    }
    return sqrt(squares);
}

/* Takes the step, or the first of its halves after which the deviance has not risen. */
static bool take_step(glm_model *m, const double *step, double *from)
{
    memcpy(from, m->beta, m->p * sizeof *from);
    double share = 1;
    for (int halving = 0; halving < MOST_HALVINGS; halving++, share /= 2) {
        for (size_t j = 0; j < m->p; j++)
            m->beta[j] = from[j] + share * step[j];
        const double deviance = glm_evaluate(m);
        if (deviance <= m->deviance + 1e-10 * (fabs(m->deviance) + 0.1)) {
            m->deviance = deviance;
            return true;
        }
    }
    memcpy(m->beta, from, m->p * sizeof *from);
    m->deviance = glm_evaluate(m);
    return false;
}

bool glm_has_converged(const glm_model *m, double size, double last)
{
    const double scale = glm_length(m, m->beta) + sqrt(m->deviance / (double)m->n_used) + DBL_MIN;
    const double rate = last > 0 ? size / last : 1;
    if (size <= 10 * FINISHED * scale || (rate < 0.5 && size * rate / (1 - rate) <= FINISHED * scale))
        return true;
    return size <= NOISE * scale && rate > 0.9;
}

/* Once in a fit, when means have come near the edge. */
static bd_status check_edge(glm_model *m, bd_arena *arena, bool *separated)
{
    *separated = false;
    if (m->edge_checked)
        return BD_OK;
    m->edge_checked = true;
    BD_TRY(glm_find_separation(m, arena, separated));
    if (*separated)
        m->end = BD_GLM_SEPARATED;
    return BD_OK;
}

/* Newton's weight of a row, that of the observed information, and the row's score in units of it; Fisher's where the
 * row hardly counts or its likelihood is not concave. */
static void newton_row(const glm_model *m, size_t row)
{
    const double mu = m->mu[row], weight = glm_weight(m, row), slope = (m->y[row] - mu) / m->residual[row];
    if (weight == 0 || m->working[row] < NEGLIGIBLE * weight || !isfinite(slope))
        return;
    const double variance = m->family->variance(mu, m->theta);
    const double observed =
        glm_observed(m->family, m->link, m->theta, m->y[row], m->eta[row], mu, slope, variance);
    if (!(observed > GLM_LEAST_OBSERVED))
        return;
    m->working[row] *= observed;
    m->residual[row] /= observed;
}

/* Replaces working weights and residuals by Newton's. */
static void observe(glm_model *m)
{
#pragma omp parallel for num_threads(glm_threads(m)) if (m->n > OLS_LEAST_ROWS)
    for (size_t i = 0; i < m->n; i++)
        newton_row(m, i);
}

static bd_status find_step(glm_model *m, bd_arena *arena, double *step, double *size, bool *full_rank)
{
    const size_t p = m->p, q = p + 1;
    BD_TRY(glm_factor(m, arena, full_rank));
    if (!*full_rank)
        return BD_OK;
    for (size_t j = 0; j < p; j++)
        step[j] = m->triangle[j * q + p];
    bd_triangle_solve(q, p, m->triangle, step, step);
    *size = glm_length(m, step);
    return BD_OK;
}

static bd_status step_on(glm_model *m, bd_arena *arena, double *step, double *work)
{
    double last = 0, size = 0;
    bool separated = false, full_rank = true;
    m->end = BD_GLM_NOT_CONVERGED;
    for (size_t i = 0; i < m->max_iterations; i++, m->n_iterations++) {
        const bool newton = i >= NEWTON_AFTER && m->family->canonical != m->link;
        if (newton)
            observe(m);
        BD_TRY(find_step(m, arena, step, &size, &full_rank));
        if (!full_rank)
            break;
        bool stepped = take_step(m, step, work);
        if (!stepped && newton) { /* which leaves Fisher's weights behind */
            BD_TRY(find_step(m, arena, step, &size, &full_rank));
            stepped = full_rank && take_step(m, step, work);
        }
        if ((m->at_edge && i >= EDGE_AFTER) || !stepped)
            BD_TRY(check_edge(m, arena, &separated));
        if (separated)
            return BD_OK;
        if (glm_has_converged(m, size, last)) {
            m->end = BD_GLM_CONVERGED;
            break;
        }
        if (!stepped)
            break;
        last = size;
    }
    if (m->end != BD_GLM_CONVERGED || m->at_edge)
        BD_TRY(check_edge(m, arena, &separated));
    return BD_OK;
}

bd_status glm_iterate(glm_model *m, bool warm, bd_arena *arena)
{
    const bd_mark scratch = bd_arena_mark(arena);
    double *step, *work;
    bool full_rank = true;
    BD_NEW(arena, step, m->p);
    BD_NEW(arena, work, m->p);
    if (!warm)
        BD_TRY(start(m, arena, &full_rank));
    m->deviance = full_rank ? glm_evaluate(m) : INFINITY;
    if (!isfinite(m->deviance)) {
        glm_start_at_mean(m);
        m->deviance = glm_evaluate(m);
    }
    m->end = BD_GLM_NOT_CONVERGED;
    if (isfinite(m->deviance))
        BD_TRY(step_on(m, arena, step, work));
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}
