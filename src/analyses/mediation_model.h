/* The arithmetic of a mediation path: which coefficients it has, which effects are made of them.
 *
 * The columns of the triangle are (1, covariates, predictor, mediators by stage, outcome). A variable is regressed on
 * everything before its stage, so each equation is a prefix of the triangle, and the coefficients of the variables of the
 * path in it solve the block of the triangle that begins at the predictor.
 */
#ifndef BORDIN_ANALYSES_MEDIATION_MODEL_H
#define BORDIN_ANALYSES_MEDIATION_MODEL_H

#include <bordin/analyses/path.h>
#include <bordin/resampling/statistic.h>

enum {
    MAX_NODES = BD_PATH_MAX_MEDIATORS + 2,
    MAX_EDGES = MAX_NODES * (MAX_NODES - 1) / 2,
    MAX_CONTRASTED_ROUTES = 6, /* beyond, pairs are too many to read */
};

/* A directed coefficient of the path: from one variable to a later one. */
typedef struct mediation_edge {
    size_t from, to; /* nodes */
} mediation_edge;

/* A way from the predictor to the outcome through at least one mediator; its effect is the product of its edges. */
typedef struct mediation_route {
    size_t n_edges;
    size_t edges[MAX_NODES];
    const char *text; /* "x -> m -> y" */
} mediation_route;

typedef struct mediation_model {
    const bd_path *path;
    size_t n_columns, first; /* columns of the triangle; column of the predictor */
    size_t n_nodes, n_edges, n_routes, n_contrasts;
    size_t n_before[MAX_NODES]; /* nodes in earlier stages, which predict this one */
    mediation_edge edges[MAX_EDGES];
    size_t edge_of[MAX_NODES][MAX_NODES]; /* [from][to] */
    mediation_route *routes;
    size_t n_values;
    const char **names; /* of the values, in the order below */
} mediation_model;

/* The values: total, direct, indirect; each route; contrasts of routes (i, j), i < j; indirect and each route partially
 * standardised, then completely; the proportion mediated. */
enum { MEDIATION_TOTAL, MEDIATION_DIRECT, MEDIATION_INDIRECT, MEDIATION_ROUTES };

static inline size_t mediation_contrasts(const mediation_model *m) { return MEDIATION_ROUTES + m->n_routes; }
static inline size_t mediation_partial(const mediation_model *m) { return mediation_contrasts(m) + m->n_contrasts; }
static inline size_t mediation_complete(const mediation_model *m) { return mediation_partial(m) + 1 + m->n_routes; }
static inline size_t mediation_proportion(const mediation_model *m) { return mediation_complete(m) + 1 + m->n_routes; }

/* The model of a path beside `n_covariates` columns. */
BD_CHECKED bd_status mediation_model_new(const bd_path *path, size_t n_covariates, bd_arena *arena,
                                         mediation_model **model);

/* The value of every edge. */
void mediation_edges(const mediation_model *model, const double *triangle, double *edges);

/* from_moments of a bd_statistic whose context is the model; errors by the multivariate delta method. */
bd_replicate_end mediation_values(const void *context, const double *triangle, double *values, double *errors);

/* How sure the edges are: for each node that is predicted, a factor L of the covariance of the edges into it,
 * C = LL' (n_before x n_before, row-major), and the correlation of the residuals of any two nodes of one stage. Between
 * stages edges are uncorrelated, since a later equation holds the earlier variables. */
typedef struct mediation_uncertainty {
    double factor[MAX_NODES][MAX_NODES * MAX_NODES];
    double correlation[MAX_NODES][MAX_NODES];
} mediation_uncertainty;

/* With classical covariances, all from the triangle. */
void mediation_classical_uncertainty(const mediation_model *model, const double *triangle,
                                     mediation_uncertainty *uncertainty);

/* The delta-method variance of a function of the edges with this gradient. */
double mediation_variance(const mediation_model *model, const mediation_uncertainty *uncertainty,
                          const double *gradient);

/* Product of a route's edges; and its gradient with respect to all edges added `times` over. */
double mediation_product(const mediation_route *route, const double *edges);
void mediation_add_gradient(const mediation_route *route, const double *edges, double times, double *gradient);

#endif
