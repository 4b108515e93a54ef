/* Standard errors of least squares: classical, heteroskedasticity-consistent, cluster-robust. */
#include "models/ols_internal.h"

#include <math.h>
#include <string.h>

#include <omp.h>

void bd_ols_rotate(const ols_solution *s, const size_t *rows, size_t from, size_t n, double *x, double *u)
{
    const bd_ols_design *design = s->design;
    const size_t p = design->n_columns;
    for (size_t j = 0; j < p; j++) {
        const double *values = j == 0 && design->has_intercept ? NULL : design->columns[j];
        for (size_t i = 0; i < n; i++)
            x[j * OLS_CHUNK + i] = (values == NULL ? 1 : values[rows == NULL ? from + i : rows[i]]) - s->centre[j];
    }
    for (size_t k = 0; k < p; k++) {
        double *out = u + k * OLS_CHUNK;
        for (size_t i = 0; i < n; i++)
            out[i] = s->offset[k];
        for (size_t j = 0; j <= k; j++)
            for (size_t i = 0; i < n; i++)
                out[i] += x[j * OLS_CHUNK + i] * s->root[j * p + k];
        for (size_t i = 0; design->weights != NULL && i < n; i++)
            out[i] *= sqrt(design->weights[rows == NULL ? from + i : rows[i]]);
    }
}

static bd_status classical_meat(const bd_se_estimator *estimator, const ols_solution *s, bd_arena *arena, double *meat,
                                double *df)
{
    (void)estimator, (void)arena, (void)df;
    for (size_t j = 0; j < s->design->n_columns; j++)
        meat[j * s->design->n_columns + j] = s->ss_residual / s->df_residual;
    return BD_OK;
}

static double hc1_factor(double n, double p)
{
    return n / (n - p);
}

static double hc2_discount(double leverage, double mean_leverage)
{
    (void)mean_leverage;
    return 1 / (1 - leverage);
}

static double hc3_discount(double leverage, double mean_leverage)
{
    (void)mean_leverage;
    return 1 / ((1 - leverage) * (1 - leverage));
}

static double hc4_discount(double leverage, double mean_leverage)
{
    return pow(1 - leverage, -fmin(4, leverage / mean_leverage));
}

/* Sum of u u' e^2 discount(u'u) over the rows of one chunk, upper half; then how many rows have leverage 1. */
static void add_hc_chunk(const bd_se_estimator *estimator, const ols_solution *s, size_t from, size_t n,
                         const double *u, double *meat)
{
    const size_t p = s->design->n_columns;
    const double mean_leverage = (double)p / (double)s->n_used;
    double squares[OLS_CHUNK];
    for (size_t i = 0; i < n; i++) {
        const double e = ols_weighted_residual(s, from + i);
        double leverage = 0;
        for (size_t k = 0; k < p; k++)
            leverage += u[k * OLS_CHUNK + i] * u[k * OLS_CHUNK + i];
        squares[i] = e * e;
        const bool saturated = !(1 - leverage > OLS_SMALLEST_SHARE);
        if (estimator->discount != NULL)
            squares[i] *= saturated ? 0 : estimator->discount(leverage, mean_leverage);
        meat[p * p] += saturated;
    }
    for (size_t j = 0; j < p; j++)
        for (size_t k = j; k < p; k++)
            for (size_t i = 0; i < n; i++)
                meat[j * p + k] += u[j * OLS_CHUNK + i] * u[k * OLS_CHUNK + i] * squares[i];
}

static bd_status hc_meat(const bd_se_estimator *estimator, const ols_solution *s, bd_arena *arena, double *meat,
                         double *df)
{
    (void)df;
    const size_t n = s->design->n_rows, p = s->design->n_columns, block_rows = ols_block_rows(n);
    const size_t n_blocks = (n + block_rows - 1) / block_rows, room = p * OLS_CHUNK, stride = p * p + 1;
    const int n_threads = ols_threads(s);
    double *sums, *rotated;
    BD_NEW(arena, sums, n_blocks * stride);
    BD_NEW(arena, rotated, (size_t)n_threads * 2 * room);
#pragma omp parallel for num_threads(n_threads) schedule(dynamic) if (n_blocks > 1)
    for (size_t block = 0; block < n_blocks; block++) {
        double *x = rotated + (size_t)omp_get_thread_num() * 2 * room;
        const size_t end = (block + 1) * block_rows < n ? (block + 1) * block_rows : n;
        for (size_t from = block * block_rows; from < end; from += OLS_CHUNK) {
            const size_t rows = end - from < OLS_CHUNK ? end - from : OLS_CHUNK;
            bd_ols_rotate(s, NULL, from, rows, x, x + room);
            add_hc_chunk(estimator, s, from, rows, x + room, sums + block * stride);
        }
    }
    ols_join_blocks(sums, n_blocks, stride);
    memcpy(meat, sums, p * p * sizeof *meat);
    *s->n_saturated = (size_t)sums[p * p];
    ols_mirror(p, meat);
    return BD_OK;
}

static double cr1_factor(double n_clusters, double p)
{
    (void)p;
    return n_clusters / (n_clusters - 1);
}

bd_status bd_se_covariance(const bd_se_estimator *estimator, const ols_solution *s, bd_arena *arena, double *covariance,
                           double *df)
{
    const size_t p = s->design->n_columns;
    double *meat, *half;
    BD_NEW(arena, meat, p * p);
    BD_NEW(arena, half, p * p);
    for (size_t j = 0; j < p; j++)
        df[j] = s->df_residual;
    BD_TRY(estimator->meat(estimator, s, arena, meat, df));
    const bool by_rows = estimator->factor != NULL && !estimator->needs_clusters;
    const double factor = by_rows ? estimator->factor((double)s->n_used, (double)p) : 1;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            for (size_t k = i; k < p; k++)
                half[i * p + j] += s->root[i * p + k] * meat[k * p + j];
    for (size_t i = 0; i < p; i++)
        for (size_t j = i; j < p; j++)
            for (size_t k = j; k < p; k++)
                covariance[i * p + j] += factor * half[i * p + k] * s->root[j * p + k];
    ols_mirror(p, covariance);
    return BD_OK;
}

const bd_se_estimator bd_se_classical = {
    .name = "classical", .summary = "one residual variance for all rows", .meat = classical_meat};
const bd_se_estimator bd_se_hc0 = {
    .name = "hc0", .summary = "heteroskedasticity-consistent, White's", .meat = hc_meat};
const bd_se_estimator bd_se_hc1 = {.name = "hc1",
                                   .summary = "heteroskedasticity-consistent, HC0 times n / (n - p)",
                                   .factor = hc1_factor,
                                   .meat = hc_meat};
const bd_se_estimator bd_se_hc2 = {.name = "hc2",
                                   .summary = "heteroskedasticity-consistent, unbiased under equal variances",
                                   .discount = hc2_discount,
                                   .meat = hc_meat};
const bd_se_estimator bd_se_hc3 = {.name = "hc3",
                                   .summary = "heteroskedasticity-consistent, close to the jackknife",
                                   .discount = hc3_discount,
                                   .meat = hc_meat};
const bd_se_estimator bd_se_hc4 = {.name = "hc4",
                                   .summary = "heteroskedasticity-consistent, for rows of high leverage",
                                   .discount = hc4_discount,
                                   .meat = hc_meat};
const bd_se_estimator bd_se_cr0 = {
    .name = "cr0", .summary = "cluster-robust, Liang & Zeger's", .needs_clusters = true, .meat = bd_ols_cr_meat};
const bd_se_estimator bd_se_cr1 = {.name = "cr1",
                                   .summary = "cluster-robust, CR0 times G / (G - 1)",
                                   .needs_clusters = true,
                                   .factor = cr1_factor,
                                   .meat = bd_ols_cr_meat};
const bd_se_estimator bd_se_cr2 = {.name = "cr2",
                                   .summary = "cluster-robust, bias-reduced, with Satterthwaite's degrees of freedom",
                                   .needs_clusters = true,
                                   .meat = bd_ols_cr2_meat};

const bd_se_estimator *const bd_se_estimators[] = {&bd_se_classical, &bd_se_hc0, &bd_se_hc1, &bd_se_hc2, &bd_se_hc3,
                                                   &bd_se_hc4,       &bd_se_cr0, &bd_se_cr1, &bd_se_cr2, NULL};

const char *bd_se_name(const bd_se_estimator *estimator)
{
    return estimator->name;
}

const char *bd_se_summary(const bd_se_estimator *estimator)
{
    return estimator->summary;
}

bool bd_se_needs_clusters(const bd_se_estimator *estimator)
{
    return estimator->needs_clusters;
}

bd_status bd_se_find(const char *name, const bd_se_estimator **estimator)
{
    char list[256] = "";
    for (size_t i = 0; bd_se_estimators[i] != NULL; i++) {
        if (strcmp(bd_se_estimators[i]->name, name) == 0) {
            *estimator = bd_se_estimators[i];
            return BD_OK;
        }
        strcat(strcat(list, i == 0 ? "" : ", "), bd_se_estimators[i]->name);
    }
    return bd_fail(BD_EUSAGE, "no standard errors named '%s'; there are %s", name, list);
}
