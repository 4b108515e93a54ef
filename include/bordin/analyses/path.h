/* A mediation path as the user writes it: `x -> m -> y`, `x -> m1, m2 -> y` (parallel), `x -> m1 -> m2 -> y` (serial),
 * and their mixtures. Names may hold spaces; an arrow or a comma in a name needs backquotes. A variable may also be an
 * expression with parentheses: `within(alliance, therapist) -> adherence -> outcome`.
 *
 *     BD_TRY(bd_path_parse("alliance -> adherence -> phq9", arena, &path));
 */
#ifndef BORDIN_ANALYSES_PATH_H
#define BORDIN_ANALYSES_PATH_H

#include <bordin/core/arena.h>

enum { BD_PATH_MAX_MEDIATORS = 8 };

typedef struct bd_path {
    const char *text;         /* "x -> m -> y", in one spelling */
    size_t n_nodes;           /* the predictor, the mediators by stage, the outcome */
    const char *const *names; /* n_nodes, without backquotes */
    const char *const *terms; /* n_nodes, as a formula needs them */
    const size_t *stages;     /* n_nodes: 0 for the predictor, then 1, ... */
} bd_path;

/* BD_EUSAGE: fewer than three stages, a name left out or twice, several predictors or outcomes, more than
 * BD_PATH_MAX_MEDIATORS mediators; the message holds a caret under the place where that helps. */
BD_CHECKED bd_status bd_path_parse(const char *text, bd_arena *arena, const bd_path **path);

/* The pieces of a list such as --adjust takes, separated by commas outside parentheses and backquotes: each as a name and
 * as a term of a formula. `list` NULL: none. BD_EUSAGE: an empty piece. */
BD_CHECKED bd_status bd_path_list(const char *list, bd_arena *arena, const char *const **names,
                                  const char *const **terms, size_t *n);

/* The formula whose frame the path needs: outcome ~ adjust + predictor + mediators. `adjust` is a list as above, or
 * NULL. BD_EUSAGE: a covariate, or another variable of the path, is made of a variable of the path. */
BD_CHECKED bd_status bd_path_formula(const bd_path *path, const char *adjust, bd_arena *arena, const char **formula);

#endif
