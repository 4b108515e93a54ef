/* Effects of a mediation path from a triangle, with their delta-method errors. */
#include "mediation_model.h"

#include <math.h>
#include <string.h>

static size_t column_of(const mediation_model *m, size_t node)
{
    return m->first + node;
}

/* Columns before the stage of `node`. */
static size_t prefix_of(const mediation_model *m, size_t node)
{
    return m->first + m->n_before[node];
}

static void number_edges(mediation_model *m)
{
    for (size_t to = 1; to < m->n_nodes; to++) {
        while (m->path->stages[m->n_before[to]] < m->path->stages[to])
            m->n_before[to]++;
        for (size_t from = 0; from < m->n_before[to]; from++) {
            m->edge_of[from][to] = m->n_edges;
            m->edges[m->n_edges++] = (mediation_edge){from, to};
        }
    }
}

/* Adds every route that continues `nodes` (n of them, the last one not the outcome). */
static bd_status add_routes(mediation_model *m, size_t *nodes, size_t n, size_t *capacity, bd_arena *arena)
{
    const size_t here = nodes[n - 1], outcome = m->n_nodes - 1;
    for (size_t next = here + 1; next < m->n_nodes; next++) {
        if (m->path->stages[next] == m->path->stages[here] || (here == 0 && next == outcome))
            continue;
        nodes[n] = next;
        if (next < outcome) {
            BD_TRY(add_routes(m, nodes, n + 1, capacity, arena));
            continue;
        }
        mediation_route route = {.n_edges = n, .text = m->path->names[0]};
        for (size_t i = 0; i < n; i++) {
            route.edges[i] = m->edge_of[nodes[i]][nodes[i + 1]];
            BD_TRY(bd_print(arena, &route.text, "%s -> %s", route.text, m->path->names[nodes[i + 1]]));
        }
        BD_PUSH(arena, m->routes, m->n_routes, *capacity, route);
    }
    return BD_OK;
}

static bd_status name_standardised(mediation_model *m, size_t offset, const char *kind, bd_arena *arena)
{
    BD_TRY(bd_print(arena, &m->names[offset], "indirect, %s standardised", kind));
    for (size_t i = 0; i < m->n_routes; i++)
        BD_TRY(bd_print(arena, &m->names[offset + 1 + i], "indirect: %s, %s standardised", m->routes[i].text, kind));
    return BD_OK;
}

static bd_status name_values(mediation_model *m, bd_arena *arena)
{
    m->n_values = mediation_proportion(m) + 1;
    BD_NEW(arena, m->names, m->n_values);
    m->names[MEDIATION_TOTAL] = "total";
    m->names[MEDIATION_DIRECT] = "direct";
    m->names[MEDIATION_INDIRECT] = "indirect";
    for (size_t i = 0; i < m->n_routes; i++)
        BD_TRY(bd_print(arena, &m->names[MEDIATION_ROUTES + i], "indirect: %s", m->routes[i].text));
    size_t contrast = mediation_contrasts(m);
    for (size_t i = 0; m->n_contrasts > 0 && i < m->n_routes; i++)
        for (size_t j = i + 1; j < m->n_routes; j++)
            BD_TRY(bd_print(arena, &m->names[contrast++], "(%s) - (%s)", m->routes[i].text, m->routes[j].text));
    BD_TRY(name_standardised(m, mediation_partial(m), "partially", arena));
    BD_TRY(name_standardised(m, mediation_complete(m), "completely", arena));
    m->names[mediation_proportion(m)] = "proportion mediated";
    return BD_OK;
}

bd_status mediation_model_new(const bd_path *path, size_t n_covariates, bd_arena *arena, mediation_model **model)
{
    mediation_model *m;
    BD_NEW(arena, m, 1);
    m->path = path;
    m->n_nodes = path->n_nodes;
    m->first = 1 + n_covariates;
    m->n_columns = m->first + m->n_nodes;
    number_edges(m);
    size_t nodes[MAX_NODES] = {0}, capacity = 0;
    BD_TRY(add_routes(m, nodes, 1, &capacity, arena));
    if (m->n_routes <= MAX_CONTRASTED_ROUTES)
        m->n_contrasts = m->n_routes * (m->n_routes - 1) / 2;
    BD_TRY(name_values(m, arena));
    *model = m;
    return BD_OK;
}

/* The block of the triangle that begins at the predictor. */
static const double *block_of(const mediation_model *m, const double *triangle)
{
    return triangle + m->first * m->n_columns + m->first;
}

void mediation_edges(const mediation_model *m, const double *triangle, double *edges)
{
    const double *block = block_of(m, triangle);
    for (size_t to = 1; to < m->n_nodes; to++) {
        double b[MAX_NODES];
        for (size_t i = 0; i < m->n_before[to]; i++)
            b[i] = block[i * m->n_columns + to];
        bd_triangle_solve(m->n_columns, m->n_before[to], block, b, b);
        memcpy(edges + m->edge_of[0][to], b, m->n_before[to] * sizeof *b);
    }
}

double mediation_product(const mediation_route *route, const double *edges)
{
    double product = 1;
    for (size_t i = 0; i < route->n_edges; i++)
        product *= edges[route->edges[i]];
    return product;
}

void mediation_add_gradient(const mediation_route *route, const double *edges, double times, double *gradient)
{
    for (size_t i = 0; i < route->n_edges; i++) {
        double others = times;
        for (size_t k = 0; k < route->n_edges; k++)
            if (k != i)
                others *= edges[route->edges[k]];
        gradient[route->edges[i]] += others;
    }
}

/* Centred sum of squares of a column. */
static double centred(const mediation_model *m, const double *triangle, size_t column)
{
    double sum = 0;
    for (size_t i = 1; i <= column; i++) {
        const double r = triangle[i * m->n_columns + column];
        sum += r * r;
    }
    return sum;
}

/* Cross-product of the residuals of two columns regressed on the first `prefix` ones. */
static double residual_product(const mediation_model *m, const double *triangle, size_t prefix, size_t a, size_t b)
{
    double sum = 0;
    for (size_t i = prefix; i <= (a < b ? a : b); i++)
        sum += triangle[i * m->n_columns + a] * triangle[i * m->n_columns + b];
    return sum;
}

void mediation_classical_uncertainty(const mediation_model *m, const double *triangle, mediation_uncertainty *u)
{
    const double n = triangle[0] * triangle[0];
    double ss[MAX_NODES];
    for (size_t t = 1; t < m->n_nodes; t++) {
        const size_t before = m->n_before[t], prefix = prefix_of(m, t), column = column_of(m, t);
        ss[t] = residual_product(m, triangle, prefix, column, column);
        const double sd = sqrt(ss[t] / (n - (double)prefix));
        bd_triangle_invert(m->n_columns, before, block_of(m, triangle), u->factor[t]);
        for (size_t i = 0; i < before * before; i++)
            u->factor[t][i] *= sd;
        for (size_t s = 1; s <= t; s++) {
            if (m->path->stages[s] != m->path->stages[t])
                continue;
            const double r =
                s == t ? 1 : residual_product(m, triangle, prefix, column_of(m, s), column) / sqrt(ss[s] * ss[t]);
            u->correlation[s][t] = u->correlation[t][s] = r;
        }
    }
}

double mediation_variance(const mediation_model *m, const mediation_uncertainty *u, const double *gradient)
{
    double h[MAX_NODES][MAX_NODES]; /* L'g, equation by equation */
    double variance = 0;
    for (size_t t = 1; t < m->n_nodes; t++) {
        const size_t before = m->n_before[t];
        for (size_t j = 0; j < before; j++) {
            h[t][j] = 0;
            for (size_t i = 0; i < before; i++)
                h[t][j] += u->factor[t][i * before + j] * gradient[m->edge_of[i][t]];
        }
        for (size_t s = 1; s <= t; s++) {
            if (m->path->stages[s] != m->path->stages[t])
                continue;
            double dot = 0;
            for (size_t j = 0; j < before; j++)
                dot += h[s][j] * h[t][j];
            variance += (s == t ? 1 : 2 * u->correlation[s][t]) * dot;
        }
    }
    return variance;
}

/* Classical SE of the total effect: the outcome on the constant, the covariates and the predictor. */
static double total_error(const mediation_model *m, const double *triangle)
{
    const size_t q = m->n_columns, x = m->first, y = q - 1;
    const double n = triangle[0] * triangle[0];
    const double ss = residual_product(m, triangle, x + 1, y, y);
    return sqrt(ss / (n - (double)(x + 1))) / triangle[x * q + x];
}

static void delta_errors(const mediation_model *m, const double *triangle, const double *edges, double *errors)
{
    mediation_uncertainty u;
    double gradient[MAX_EDGES] = {0};
    mediation_classical_uncertainty(m, triangle, &u);
    for (size_t j = 0; j < m->n_values; j++)
        errors[j] = NAN; /* nothing standardised, no ratio */
    errors[MEDIATION_TOTAL] = total_error(m, triangle);
    gradient[m->edge_of[0][m->n_nodes - 1]] = 1;
    errors[MEDIATION_DIRECT] = sqrt(mediation_variance(m, &u, gradient));
    gradient[m->edge_of[0][m->n_nodes - 1]] = 0;
    for (size_t i = 0; i < m->n_routes; i++)
        mediation_add_gradient(&m->routes[i], edges, 1, gradient);
    errors[MEDIATION_INDIRECT] = sqrt(mediation_variance(m, &u, gradient));
    size_t contrast = mediation_contrasts(m);
    for (size_t i = 0; i < m->n_routes; i++) {
        memset(gradient, 0, sizeof gradient);
        mediation_add_gradient(&m->routes[i], edges, 1, gradient);
        errors[MEDIATION_ROUTES + i] = sqrt(mediation_variance(m, &u, gradient));
        for (size_t j = i + 1; m->n_contrasts > 0 && j < m->n_routes; j++) {
            double difference[MAX_EDGES];
            memcpy(difference, gradient, sizeof difference);
            mediation_add_gradient(&m->routes[j], edges, -1, difference);
            errors[contrast++] = sqrt(mediation_variance(m, &u, difference));
        }
    }
}

static void combine(const mediation_model *m, double sd_predictor, double sd_outcome, double *values)
{
    double *partial = values + mediation_partial(m), *complete = values + mediation_complete(m);
    values[MEDIATION_INDIRECT] = 0;
    for (size_t i = 0; i < m->n_routes; i++)
        values[MEDIATION_INDIRECT] += values[MEDIATION_ROUTES + i];
    size_t contrast = mediation_contrasts(m);
    for (size_t i = 0; m->n_contrasts > 0 && i < m->n_routes; i++)
        for (size_t j = i + 1; j < m->n_routes; j++)
            values[contrast++] = values[MEDIATION_ROUTES + i] - values[MEDIATION_ROUTES + j];
    for (size_t i = 0; i <= m->n_routes; i++) {
        partial[i] = values[MEDIATION_INDIRECT + i] / sd_outcome;
        complete[i] = partial[i] * sd_predictor;
    }
    values[mediation_proportion(m)] = values[MEDIATION_INDIRECT] / values[MEDIATION_TOTAL];
}

bd_replicate_end mediation_values(const void *context, const double *triangle, double *values, double *errors)
{
    const mediation_model *m = context;
    const size_t q = m->n_columns, x = m->first, y = q - 1;
    const double n = triangle[0] * triangle[0];
    const double sd_predictor = sqrt(centred(m, triangle, x) / (n - 1));
    const double sd_outcome = sqrt(centred(m, triangle, y) / (n - 1));
    if (!(sd_outcome > 0))
        return BD_REPLICATE_CONSTANT;

    double edges[MAX_EDGES];
    mediation_edges(m, triangle, edges);
    values[MEDIATION_TOTAL] = triangle[x * q + y] / triangle[x * q + x];
    values[MEDIATION_DIRECT] = edges[m->edge_of[0][m->n_nodes - 1]];
    for (size_t i = 0; i < m->n_routes; i++)
        values[MEDIATION_ROUTES + i] = mediation_product(&m->routes[i], edges);
    combine(m, sd_predictor, sd_outcome, values);
    if (errors != NULL)
        delta_errors(m, triangle, edges, errors);
    return BD_REPLICATE_USABLE;
}
