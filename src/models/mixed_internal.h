/* Cross-products by group, and the deviance that is made of them.
 *
 * Of the terms one, that with the most groups, is eliminated first: its groups share no row. What the other terms have
 * in common is a dense matrix for each part, parts being sets of rows that share no group at all. */
#ifndef BORDIN_SRC_MODELS_MIXED_INTERNAL_H
#define BORDIN_SRC_MODELS_MIXED_INTERNAL_H

#include <bordin/models/mixed.h>

enum { MIXED_MOST_RANDOM = 12, MIXED_MOST_TERMS = 16 };

typedef struct mixed_term {
    const bd_mixed_term *given;
    size_t q;             /* random coefficients */
    size_t n_there;       /* groups with a row that has a weight */
    double start;         /* of the diagonal of Lambda, to search from */
    size_t lambda;        /* where its q x q begin among all */
    double *rows;         /* given->n_groups: rows with a weight */
    double *scale;        /* q: of z */
    double *moments;      /* q x q */
    uint32_t *column;     /* given->n_groups: of the terms not eliminated, its first in its part's dense matrix */
} mixed_term;

/* The response: what of the cross-products a replicate may have otherwise. */
typedef struct mixed_response {
    const double *first; /* n_groups x m: Z'y, X'y, y'y of each group of the term eliminated first */
    const double *rest;  /* by column of the dense matrices: Z'y */
    const double *total; /* m: the last p + 1 of `first`, summed */
} mixed_response;

typedef struct mixed_part {
    size_t first, end;   /* of model->order */
    size_t n;            /* columns of its dense matrix */
    size_t column;       /* where they begin among those of all parts */
    size_t products;     /* where its n x (n + p) products begin */
    size_t kept;         /* where its 2 n (n + p + 1) begin in mixed_point.kept */
} mixed_part;

struct bd_mixed_model {
    const bd_mixed_design *design;
    size_t n_used;
    size_t n_terms;
    mixed_term *terms;
    size_t first;            /* the term that is eliminated first */
    size_t p, q, k;          /* columns, random coefficients of the first term, entries of Lambda that are free */
    size_t m;                /* q + p + 1: the columns of the products */
    size_t n_lambda;         /* entries of Lambda of all terms */
    size_t n_groups;         /* of the first term */
    double *products;        /* n_groups of m x m, upper half: of z / scale, rotated x, residual */
    double *total;           /* m x m: their sum */
    mixed_response response; /* of the data */
    double *rotation;        /* p x p, upper triangular: beta = ols + rotation * gamma */
    double *ols;             /* p */
    double log_weights;      /* sum of log weights */
    double log_root;         /* log |R|, what rotating takes from REML's determinant */
    const bd_mixed_entry *entries; /* k */
    bool *diagonal;          /* k: on it; the deviance is even in them */

    size_t n_parts;
    mixed_part *parts;
    uint32_t *order;         /* n_groups: groups of the first term, part after part */
    uint32_t *part_of;       /* n_groups */
    size_t most_links;
    size_t n_columns;        /* of all dense matrices */
    size_t n_kept;
    size_t n_rest_products;
    uint32_t *link_starts;   /* n_groups + 1 */
    uint32_t *link_columns;  /* columns of the part's dense matrix with a row in common with the group */
    double *links;           /* q for each: Z'z */
    double *rest_products;   /* for each part n x (n + p): Zr'Zr, Zr'X */
    uint8_t *rest_term, *rest_coefficient; /* n_columns */
    uint32_t *rest_group;    /* n_columns */
};

/* Where a search stands. Scratch for one thread. */
typedef struct mixed_point {
    double *lambda;   /* of all terms */
    double *root;     /* p x p: R'R = X'V^-1 X, upper */
    double *inverse;  /* p x p: (X'V^-1 X)^-1 */
    double *gamma;    /* p */
    double *gradient; /* k: of the profiled deviance */
    double *work;
    double *kept;     /* of each part: K (n x n), S^-1 within Lambda (n x n), T (n x (p + 1)), its solution (the same) */
    double n;         /* rows */
    double log_random; /* log |Lambda'Z'Z Lambda + I| */
    double residual;   /* penalised residual sum of squares */
    double deviance;
    int n_threads;   /* that one evaluation may use */
} mixed_point;

/* What is fitted: the parts' counts (NULL: each once), a response, and counts of the first term's groups within them
 * (NULL: each once) with what is then left of rest_products. */
typedef struct mixed_data {
    const double *counts;
    mixed_response response;
    const double *group_counts, *rest_products;
} mixed_data;

size_t mixed_point_room(const bd_mixed_model *model);
void mixed_point_make(const bd_mixed_model *model, double *room, mixed_point *point);

static inline bool mixed_is_used(const bd_mixed_design *d, size_t row)
{
    return d->weights == NULL || d->weights[row] > 0;
}

/* What bd_mixed_prepare refuses: of columns, of one term's groups once they are counted, of all terms. */
BD_CHECKED bd_status mixed_check_columns(const bd_mixed_design *design);
BD_CHECKED bd_status mixed_check_groups(const bd_mixed_model *model, const mixed_term *term);
BD_CHECKED bd_status mixed_check_terms(const bd_mixed_model *model, bd_arena *arena);

/* z / scale of row i, and (z / scale of the first term, x rotated, residual), times `root`. */
void mixed_make_random(const mixed_term *term, size_t i, double root, double *z);
void mixed_make_row(const bd_mixed_model *model, size_t i, double root, double *row);

/* Parts, and the links between the term that is eliminated first and the others. */
BD_CHECKED bd_status mixed_lay_out(bd_mixed_model *model, bd_arena *arena);

/* Lambda of the free entries. */
void mixed_set(const bd_mixed_model *model, const double *theta, mixed_point *point);

/* Everything at point->lambda. `sigma` 0: profiled, otherwise the deviance and its gradient at that sigma. False: not
 * finite. */
bool mixed_evaluate(const bd_mixed_model *model, const mixed_data *data, bool reml, double sigma, mixed_point *point);

/* Moves theta (k) to the minimum; returns how it ended. `curvature` (k x k): second derivatives to start with, NULL if
 * not known. The last of them stand at the begin of `room`: mixed_search_room doubles. */
bd_mixed_end mixed_minimise(const bd_mixed_model *model, const mixed_data *data, bool reml, const double *curvature,
                            double *theta, mixed_point *point, double *room, size_t *n_iterations);
size_t mixed_search_room(const bd_mixed_model *model);

/* Room for what is said of a term; variances and moments; conditional modes at the point of the last gradient. */
BD_CHECKED bd_status mixed_new_random(const mixed_term *term, bd_arena *arena, bd_mixed_random *random);
void mixed_describe_random(const bd_mixed_model *model, const mixed_point *point, bd_mixed *fit);
BD_CHECKED bd_status mixed_find_effects(const bd_mixed_model *model, const mixed_data *data, const mixed_point *point,
                                        bd_arena *arena, bd_mixed *fit);

/* Kenward and Roger's covariance (p x p), its slopes by the variances (k + 1 of p x p) and the variances' covariance w
 * ((k + 1)^2), at the fit: in the model's columns, relative to the residual variance. BD_EDATA: too many groups. */
BD_CHECKED bd_status mixed_kenward_roger(const bd_mixed_model *model, const mixed_point *point, bd_arena *arena, double *w,
                                         double *slopes, double *adjusted);

/* inverse <- 2 matrix^-1 in the directions that have curvature; `matrix` (n x n) is overwritten. */
BD_CHECKED bd_status mixed_invert(size_t n, double *matrix, bd_arena *arena, double *inverse);

/* Of an option, 0 being all. */
int mixed_threads(int n_threads);

/* bd_mixed_replicate of any data. *deviance, of the rotated columns, unless it is NULL. */
bd_mixed_end mixed_refit(const bd_mixed_model *model, const bd_mixed *fit, const mixed_data *data, double *scratch,
                         double *values, double *deviance);

/* What of a group of the first term is worked out in mixed_point.work. */
typedef struct mixed_group {
    double *root;   /* q x q: L, the root of I + Lambda'Z'Z Lambda */
    double *solved; /* q x m: L^-1 Lambda' Z'[Z X y] */
    double *links;  /* n_links x q: (L^-1 Lambda' Z'Zr)' */
    size_t n_links;
    const uint32_t *columns;
} mixed_group;

/* log_det += log |I + Lambda'Z'Z Lambda|. */
bool mixed_solve_group(const bd_mixed_model *model, const mixed_data *data, const mixed_point *point, size_t g,
                       mixed_group *group, double *log_det);

/* A part's matrices. */
typedef struct mixed_dense {
    size_t n, width;  /* columns, p + 1 */
    double *k, *s;    /* n x n: K; U, S = U'U, then S^-1, then Lambda S^-1 Lambda' */
    double *t, *c;    /* n x width: T, then Zr'V^-1 [X y]; Lambda S^-1 Lambda'T */
} mixed_dense;

mixed_dense mixed_dense_of(const bd_mixed_model *model, const mixed_point *point, const mixed_part *part);

/* The columns of one term in a part's dense matrix. */
typedef struct mixed_range {
    size_t term, q, from, end;
    const double *lambda;
} mixed_range;

/* The next from {0} on; false: there is none. */
bool mixed_next_range(const bd_mixed_model *model, const mixed_point *point, const mixed_part *part, mixed_range *r);

/* Rows <- Lambda rows, or Lambda' rows; columns of the n x n matrix <- columns Lambda, or Lambda'. */
void mixed_multiply(const bd_mixed_model *model, const mixed_point *point, const mixed_part *part, double *rows,
                    size_t width);
void mixed_multiply_transposed(const bd_mixed_model *model, const mixed_point *point, const mixed_part *part,
                               double *rows, size_t width);
void mixed_multiply_columns(const bd_mixed_model *model, const mixed_point *point, const mixed_part *part, bool transposed,
                            double *matrix);

/* The determinant of S, and what the dense columns take off the sums; c <- U^-T Lambda'T. */
bool mixed_solve_dense(const bd_mixed_model *model, const mixed_part *part, double count, mixed_point *point,
                       mixed_dense *d, double *sums);
/* c <- U^-1 c. `column`: n. */
void mixed_solve_back(mixed_dense *d, double *column);
/* T <- Zr'V^-1 [X y], with c within Lambda. */
void mixed_take_solution(mixed_dense *d, double *column);

size_t mixed_group_room(const bd_mixed_model *model);
void mixed_find_gradient(const bd_mixed_model *model, const mixed_data *data, bool reml, double variance,
                         mixed_point *point);

/* Z'[Z X y]: entry (i, c). */
static inline double mixed_product(const double *products, const double *response, size_t m, size_t i, size_t c)
{
    return c + 1 == m ? response[i] : i <= c ? products[i * m + c] : products[c * m + i];
}

#endif
