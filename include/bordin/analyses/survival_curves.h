/* Survival curves of a formula without predictors: Kaplan and Meier's, by stratum, and the log-rank test between strata.
 *
 *     const bd_survival_spec spec = {.formula = "Surv(weeks, dropout) ~ strata(arm)"};
 *     ... bd_survival_wanted, bd_csv_read, bd_survival_build ...
 *     BD_TRY(bd_survival_follow(data, &BD_FOLLOW_DEFAULTS, arena, &followed));
 *     BD_TRY(bd_survival_follow_document(followed, arena, &document));
 */
#ifndef BORDIN_ANALYSES_SURVIVAL_CURVES_H
#define BORDIN_ANALYSES_SURVIVAL_CURVES_H

#include <bordin/analyses/survival.h>
#include <bordin/models/logrank.h>

typedef struct bd_follow_options {
    double level;
    double horizon;       /* of restricted means; 0: as far as every group is followed */
    const double *times;  /* at which survival and numbers at risk are told; NULL: quarters of the horizon */
    size_t n_times;
    bd_logrank_options test;
} bd_follow_options;

#define BD_FOLLOW_DEFAULTS ((bd_follow_options){.level = 0.95})

typedef struct bd_followed {
    const bd_survival_data *data;
    bd_follow_options options; /* horizon and times are those that were used */
    size_t n_groups;
    const char *const *groups; /* "1", "1, female"; one, "all", without strata */
    const bd_survival_curves *curves;
    const bd_logrank *test;    /* NULL: one group */
} bd_followed;

/* Fails as bd_survival_curves_find and bd_logrank_test do. BD_EUSAGE: a formula with predictors or
 * with an offset; a negative horizon or time. */
BD_CHECKED bd_status bd_survival_follow(const bd_survival_data *data, const bd_follow_options *options, bd_arena *arena,
                                        const bd_followed **followed);

/* The tables "groups" (median, restricted mean), "survival" (at the times), "logrank" and, not printed, "curves" (every
 * step), a sentence, notes, provenance. */
BD_CHECKED bd_status bd_survival_follow_document(const bd_followed *followed, bd_arena *arena, bd_document **document);

#endif
