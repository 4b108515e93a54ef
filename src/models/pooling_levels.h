/* The likelihood of effects in studies, with its derivatives, and where it is highest. */
#ifndef BORDIN_SRC_MODELS_POOLING_LEVELS_H
#define BORDIN_SRC_MODELS_POOLING_LEVELS_H

#include <bordin/models/pooling_levels.h>

struct bd_levels_model {
    size_t n, p, n_studies, most; /* effects, coefficients, studies, effects of the largest study */
    size_t *first;                /* n_studies + 1: effects of study j, now side by side */
    size_t *row;                  /* n: which effect it was */
    double *y, *v, *x;            /* n; n; n x p by rows; y less what least squares say of it, */
    double *ols;                  /* p: with these coefficients, to be added */
    double rho, scale;            /* the size that variances may have */
    double log_root_ols;          /* log |X'X| / 2 */
    bool ml;
};

/* The inverse S of one study's variance matrix diag(d) + rho s s' + between 1 1', s the roots of v:
 * diag(1 / d) - a q q' - b r r'. */
typedef struct levels_inverse {
    size_t n;
    double *weight, *q, *r; /* n each */
    double a, b, log_determinant;
} levels_inverse;

typedef struct levels_point {
    double variance[2];
    double log_likelihood, ype, n;
    double *b, *inverse; /* p; p x p: of X'SX */
    double score[2], expected[3], observed[3]; /* information: 11, 12, 22 */
    double trace_p;                            /* tr P */
} levels_point;

size_t levels_point_room(size_t p);
void levels_place(const bd_levels_model *model, double *scratch, levels_point *point, double **work);

void levels_invert(const bd_levels_model *model, const double *variance, size_t study, double *room,
                   levels_inverse *inverse);
/* out <- S x. */
void levels_apply(const levels_inverse *inverse, const double *x, double *out);
double levels_dot(size_t n, const double *x, const double *y);

/* Everything at point->variance; `derivatives`: score and information too. False: collinear. */
bool levels_evaluate(const bd_levels_model *model, const double *counts, bool derivatives, double *work,
                     levels_point *point);

/* Climbs from point->variance, by Newton's steps that stay at or above 0; what is fixed stays. False: not the top. */
bool levels_climb(const bd_levels_model *model, const double *counts, const bool fixed[2], double *work,
                  levels_point *point);
bool levels_highest(const bd_levels_model *model, const double *counts, double *work, levels_point *point);

/* CR2 errors and Satterthwaite's df of the coefficients. Bell & McCaffrey (2002); Pustejovsky & Tipton (2018),
 * doi:10.1080/07350015.2016.1247004. */
BD_CHECKED bd_status levels_robust(const bd_levels_model *model, const levels_point *point, bd_arena *arena,
                                   bd_pooled_levels *fit);

#endif
