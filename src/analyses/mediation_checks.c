/* Second opinions on indirect effects: delta method, joint significance, Monte-Carlo intervals. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include <bordin/random/normal.h>
#include <bordin/random/philox.h>

#include "core/quantile.h"
#include "mediation_internal.h"

static double two_sided(double z)
{
    return 2 * gsl_cdf_ugaussian_Q(fabs(z));
}

/* The covariances that the equations report, robust ones included; correlations of residuals from the triangle.
 * A covariance that is not positive definite (few clusters) leaves NaN, and what follows from it is not shown. */
static void uncertainty_of(const mediation_model *m, const double *triangle, const bd_mediation *mediation,
                           mediation_uncertainty *u)
{
    mediation_classical_uncertainty(m, triangle, u);
    for (size_t t = 1; t < m->n_nodes; t++) {
        const size_t k = m->n_before[t], p = mediation->equations[t]->n_columns;
        double products[MAX_NODES * MAX_NODES], upper[MAX_NODES * MAX_NODES];
        for (size_t i = 0; i < k; i++)
            for (size_t j = 0; j < k; j++)
                products[i * k + j] = mediation->equations[t]->covariance[(m->first + i) * p + m->first + j];
        const bool definite = bd_triangle_from_products(k, products, 1e-14, upper);
        for (size_t i = 0; i < k; i++)
            for (size_t j = 0; j < k; j++)
                u->factor[t][i * k + j] = definite ? upper[j * k + i] : NAN;
    }
}

/* Lower Cholesky factor of the residual correlations of the nodes `from` .. `to` - 1 of one stage. */
static void mixing_of(const mediation_uncertainty *u, size_t from, size_t to, double mixing[MAX_NODES][MAX_NODES])
{
    for (size_t t = from; t < to; t++)
        for (size_t s = from; s <= t; s++) {
            double sum = u->correlation[t][s];
            for (size_t k = from; k < s; k++)
                sum -= mixing[t][k] * mixing[s][k];
            mixing[t][s] = s == t ? sqrt(fmax(sum, 0)) : mixing[s][s] > 0 ? sum / mixing[s][s] : 0;
        }
}

/* One joint draw of all edges, from draw `i` of the independent normals z[edge * n + i]. */
static void draw_edges(const mediation_model *m, const mediation_uncertainty *u, double mixing[MAX_NODES][MAX_NODES],
                       const double *estimates, const double *z, size_t n, size_t i, double *edges)
{
    memcpy(edges, estimates, m->n_edges * sizeof *edges);
    for (size_t t = 1; t < m->n_nodes; t++) {
        const size_t k = m->n_before[t];
        for (size_t j = 0; j < k; j++) {
            double mixed = 0;
            for (size_t s = 1; s <= t; s++)
                if (m->path->stages[s] == m->path->stages[t])
                    mixed += mixing[t][s] * z[m->edge_of[j][s] * n + i];
            for (size_t r = 0; r < k; r++)
                edges[m->edge_of[r][t]] += u->factor[t][r * k + j] * mixed;
        }
    }
}

static bd_status monte_carlo(const mediation_model *m, const mediation_uncertainty *u, const double *estimates,
                             size_t n, const bd_mediation_options *options, bd_arena *arena, bd_mediation_check *checks)
{
    double *z, *draws; /* draws: the indirect effect, then each route */
    double mixing[MAX_NODES][MAX_NODES] = {{0}};
    const bd_mark scratch = bd_arena_mark(arena);
    BD_NEW(arena, z, m->n_edges * n);
    BD_NEW(arena, draws, (1 + m->n_routes) * n);
    for (size_t e = 0; e < m->n_edges; e++)
        bd_random_normals(options->resampling.seed, (uint32_t)e, BD_PURPOSE_MONTE_CARLO, n, z + e * n);
    for (size_t from = 1, to; from < m->n_nodes; from = to) {
        for (to = from + 1; to < m->n_nodes && m->path->stages[to] == m->path->stages[from];)
            to++;
        mixing_of(u, from, to, mixing);
    }
    for (size_t i = 0; i < n; i++) {
        double edges[MAX_EDGES];
        draw_edges(m, u, mixing, estimates, z, n, i, edges);
        for (size_t r = 0; r < m->n_routes; r++) {
            draws[(1 + r) * n + i] = mediation_product(&m->routes[r], edges);
            draws[i] += draws[(1 + r) * n + i];
        }
    }
    const double tail = (1 - options->level) / 2;
    for (size_t c = 0; c < (m->n_routes > 1 ? 1 + m->n_routes : 1); c++) {
        checks[c].mc_low = quantile_of(draws + c * n, n, tail);
        checks[c].mc_high = quantile_of(draws + c * n, n, 1 - tail);
    }
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}

static double p_of_edge(const mediation_model *m, const bd_mediation *mediation, size_t edge)
{
    return mediation->equations[m->edges[edge].to]->coefficients[m->first + m->edges[edge].from].p;
}

/* Joint significance and the second-order error, which one route has and a sum of routes has not. */
static void check_route(const mediation_model *m, const mediation_route *route, const bd_mediation *mediation,
                        bd_mediation_check *check)
{
    check->joint_p = 0;
    double second = check->delta_se * check->delta_se, errors = 1;
    for (size_t i = 0; i < route->n_edges; i++) {
        const mediation_edge edge = m->edges[route->edges[i]];
        const double se = mediation->equations[edge.to]->coefficients[m->first + edge.from].se;
        check->joint_p = fmax(check->joint_p, p_of_edge(m, mediation, route->edges[i]));
        errors *= se * se;
    }
    if (route->n_edges != 2)
        return;
    check->second_order_se = sqrt(second + errors);
    check->second_order_z = check->estimate / check->second_order_se;
    check->second_order_p = two_sided(check->second_order_z);
}

static void delta_check(const mediation_model *m, const mediation_uncertainty *u, const double *gradient,
                        bd_mediation_check *check)
{
    check->delta_se = sqrt(mediation_variance(m, u, gradient));
    check->delta_z = check->estimate / check->delta_se;
    check->delta_p = two_sided(check->delta_z);
}

bd_status mediation_check(const mediation_model *m, const double *triangle, const bd_mediation_options *options,
                          bd_arena *arena, bd_mediation *mediation)
{
    bd_mediation_check *checks;
    mediation_uncertainty u;
    double edges[MAX_EDGES], all[MAX_EDGES] = {0};
    mediation->n_checks = m->n_routes > 1 ? 1 + m->n_routes : 1;
    BD_NEW(arena, checks, mediation->n_checks);
    uncertainty_of(m, triangle, mediation, &u);
    mediation_edges(m, triangle, edges);
    for (size_t r = 0; r < m->n_routes; r++)
        mediation_add_gradient(&m->routes[r], edges, 1, all);
    for (size_t c = 0; c < mediation->n_checks; c++) {
        double gradient[MAX_EDGES] = {0};
        checks[c] = (bd_mediation_check){
            .term = m->names[MEDIATION_INDIRECT + c],
            .estimate = mediation->estimates[MEDIATION_INDIRECT + c],
            .second_order_se = NAN,
            .second_order_z = NAN,
            .second_order_p = NAN,
            .joint_p = NAN,
        };
        if (c > 0)
            mediation_add_gradient(&m->routes[c - 1], edges, 1, gradient);
        delta_check(m, &u, c > 0 ? gradient : all, &checks[c]);
        if (c > 0 || m->n_routes == 1)
            check_route(m, &m->routes[c > 0 ? c - 1 : 0], mediation, &checks[c]);
    }
    mediation->n_draws = options->n_draws;
    mediation->checks = checks;
    return monte_carlo(m, &u, edges, options->n_draws, options, arena, checks);
}
