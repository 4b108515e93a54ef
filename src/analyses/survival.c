/* Proportional-hazards regression of survival data. */
#include <bordin/analyses/survival.h>

#include <string.h>

#include "analyses/survival_bootstrap.h"

bd_status bd_cox_ties_find(const char *name, bd_cox_ties *ties)
{
    static const char *const names[] = {
        [BD_COX_EFRON] = "efron", [BD_COX_BRESLOW] = "breslow", [BD_COX_EXACT] = "exact"};
    for (int i = 0; i < 3; i++)
        if (strcmp(names[i], name) == 0) {
            *ties = (bd_cox_ties)i;
            return BD_OK;
        }
    return bd_fail(BD_EUSAGE, "no treatment of ties named '%s'; there are efron, breslow, exact", name);
}

bd_status bd_survive(const bd_survival_data *data, const bd_survival_options *options, bd_arena *arena,
                     const bd_survival **out)
{
    bd_survival *survival;
    bd_cox_design design = data->design;
    bd_cox_options fitting = BD_COX_DEFAULTS;
    if (design.n_columns == 0)
        return bd_fail(BD_EUSAGE, "the formula '%s' names no predictors", data->formula);
    BD_NEW(arena, survival, 1);
    design.n_threads = options->n_threads;
    fitting.ties = options->ties;
    fitting.level = options->level;
    fitting.se = options->robust || data->cluster != NULL ? BD_COX_ROBUST : BD_COX_MODEL;
    survival->data = data;
    BD_TRY(bd_cox_fit(&design, &fitting, arena, &survival->fit));
    if (survival->fit->end == BD_COX_CONVERGED && options->ties != BD_COX_EXACT)
        BD_TRY(bd_cox_proportional(&design, survival->fit, BD_COX_KM, data->term_of, data->n_terms, arena,
                                   &survival->proportional));
    BD_TRY(bd_cox_predict(data, survival->fit, &options->prediction, arena, &survival->predictions));
    if (options->bootstrap)
        BD_TRY(survival_resample(data, &design, survival->fit, &options->resampling, arena, &survival->bootstrap));
    *out = survival;
    return BD_OK;
}
