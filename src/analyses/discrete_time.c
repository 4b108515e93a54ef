/* Discrete-time hazards: the generalised regression of records of rows and periods. */
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "analyses/discrete_time_internal.h"

static const char *const effects[] = {[BD_PERIOD_EACH] = "each",
                                      [BD_PERIOD_LINEAR] = "linear",
                                      [BD_PERIOD_QUADRATIC] = "quadratic",
                                      [BD_PERIOD_LOG] = "log"};

bd_status bd_period_effect_find(const char *name, bd_period_effect *effect)
{
    for (int i = 0; i < 4; i++)
        if (strcmp(effects[i], name) == 0) {
            *effect = (bd_period_effect)i;
            return BD_OK;
        }
    return bd_fail(BD_EUSAGE, "no effect of periods named '%s'; there are each, linear, quadratic, log", name);
}

double discrete_time_effect(const bd_discrete_time *d, size_t j, size_t period)
{
    const double number = (double)(period + 1);
    size_t modelled = 0;
    if (d->options.effect != BD_PERIOD_EACH)
        return j == 0 ? 1 : j == 2 ? number * number : d->options.effect == BD_PERIOD_LOG ? log(number) : number;
    for (size_t k = 0; k < period; k++)
        modelled += !d->periods[k].known;
    return !d->periods[period].known && modelled == j;
}

static bd_status name_period(const bd_period *p, bool whole, bd_arena *arena, const char **name)
{
    return whole ? bd_print(arena, name, "period %g", p->to)
                 : bd_print(arena, name, "period (%g, %g]", p->from, p->to);
}

/* Their names, and how many there are. */
static bd_status list_effects(bd_discrete_time *d, bd_arena *arena, const char **names)
{
    static const char *const shapes[][3] = {[BD_PERIOD_LINEAR] = {"(Intercept)", "period"},
                                            [BD_PERIOD_QUADRATIC] = {"(Intercept)", "period", "period^2"},
                                            [BD_PERIOD_LOG] = {"(Intercept)", "log(period)"}};
    if (d->options.effect != BD_PERIOD_EACH) {
        for (; d->n_period_columns < 3 && shapes[d->options.effect][d->n_period_columns] != NULL;
             d->n_period_columns++)
            names[d->n_period_columns] = shapes[d->options.effect][d->n_period_columns];
        return BD_OK;
    }
    for (size_t k = 0; k < d->n_periods; k++) {
        if (d->periods[k].known)
            continue;
        if (d->n_period_columns == MOST_EFFECTS)
            return bd_fail(BD_EDATA,
                           "more than %d periods have events; join them by --periods, or let the hazard change "
                           "smoothly: --period-effect log",
                           MOST_EFFECTS);
        BD_TRY(name_period(&d->periods[k], d->options.ends == NULL, arena, &names[d->n_period_columns++]));
    }
    if (d->n_period_columns == 0)
        return bd_fail(BD_EDATA, "in no period do some of those at risk have the event and others not");
    return BD_OK;
}

static bd_status expand(const bd_discrete_time *d, const double *values, bd_arena *arena, const double **out)
{
    double *expanded;
    *out = NULL;
    if (values == NULL)
        return BD_OK;
    BD_NEW(arena, expanded, d->n_records);
    for (size_t r = 0; r < d->n_records; r++)
        expanded[r] = values[d->row[r]];
    *out = expanded;
    return BD_OK;
}

/* Clusters; or patients, which rows are where there are none. */
static bd_status expand_groups(const bd_discrete_time *d, bd_arena *arena, bd_ols_design *base)
{
    const bd_cox_design *from = &d->data->design;
    const uint32_t *codes = from->cluster != NULL ? from->cluster : from->id;
    uint32_t *cluster;
    BD_NEW(arena, cluster, d->n_records);
    for (size_t r = 0; r < d->n_records; r++)
        cluster[r] = codes != NULL ? codes[d->row[r]] : (uint32_t)d->row[r];
    base->cluster = cluster;
    base->n_clusters = from->cluster != NULL ? from->n_clusters : from->id != NULL ? from->n_ids : from->n_rows;
    return BD_OK;
}

static bd_status refuse_constant(const bd_discrete_time *d, const double *values, const char *name)
{
    for (size_t r = 1; r < d->n_records; r++)
        if (values[r] != values[0])
            return BD_OK;
    return bd_fail(BD_EDATA, "'%s' is the same in every row that is at risk in a period with the event", name);
}

static bd_status make_design(bd_discrete_time *d, bd_arena *arena)
{
    const bd_cox_design *from = &d->data->design;
    const double **columns, *event = NULL;
    const char **names;
    BD_TRY(discrete_time_records(d, arena, &event));
    BD_NEW(arena, names, d->n_periods + 3 + from->n_columns);
    BD_TRY(list_effects(d, arena, names));
    BD_NEW(arena, columns, d->n_period_columns + from->n_columns);
    for (size_t j = 0; j < d->n_period_columns; j++) {
        double *effect, *by_period;
        if (j == 0 && d->options.effect != BD_PERIOD_EACH)
            continue; /* the constant */
        BD_NEW(arena, effect, d->n_records);
        BD_NEW(arena, by_period, d->n_periods);
        for (size_t k = 0; k < d->n_periods; k++)
            by_period[k] = discrete_time_effect(d, j, k);
        for (size_t r = 0; r < d->n_records; r++)
            effect[r] = by_period[d->period[r]];
        columns[j] = effect;
    }
    for (size_t j = 0; j < from->n_columns; j++) {
        BD_TRY(expand(d, from->columns[j], arena, &columns[d->n_period_columns + j]));
        names[d->n_period_columns + j] = from->names[j];
        BD_TRY(refuse_constant(d, columns[d->n_period_columns + j], from->names[j]));
    }
    d->design = (bd_glm_design){.base = {.n_rows = d->n_records, .n_columns = d->n_period_columns + from->n_columns,
                                         .columns = columns, .names = names, .response = event,
                                         .response_name = d->data->event,
                                         .has_intercept = d->options.effect != BD_PERIOD_EACH,
                                         .n_threads = d->options.n_threads}};
    BD_TRY(expand(d, from->weights, arena, &d->design.base.weights));
    BD_TRY(expand(d, from->offset, arena, &d->design.offset));
    return expand_groups(d, arena, &d->design.base);
}

/* Of the predictors, against the effects of periods alone. */
static bd_status test_predictors(bd_discrete_time *d, const bd_glm_options *fitting, bd_arena *arena)
{
    bd_glm_design alone = d->design;
    const bd_glm *fit;
    d->likelihood_ratio = d->df = d->p = NAN;
    if (d->data->design.n_columns == 0 || d->fit->end == BD_GLM_NOT_CONVERGED)
        return BD_OK;
    alone.base.n_columns = d->n_period_columns;
    BD_TRY(bd_glm_fit(&alone, &bd_binomial, d->options.link, &bd_se_classical, fitting, arena, &fit));
    d->df = (double)d->data->design.n_columns;
    d->likelihood_ratio = 2 * (d->fit->log_likelihood - fit->log_likelihood);
    d->p = gsl_cdf_chisq_Q(fmax(d->likelihood_ratio, 0), d->df);
    return BD_OK;
}

bd_status bd_discrete_time_regress(const bd_survival_data *data, const bd_discrete_time_options *options,
                                   bd_arena *arena, const bd_discrete_time **out)
{
    bd_discrete_time *d;
    const bd_glm_options fitting = {.level = options->level};
    const bool robust = options->robust || data->cluster != NULL || data->id != NULL;
    if (data->design.strata != NULL)
        return bd_fail(BD_EUSAGE,
                       "strata() are for proportional hazards; make %s a predictor, or leave --discrete out",
                       data->strata);
    BD_NEW(arena, d, 1);
    *d = (bd_discrete_time){.data = data, .options = *options};
    if (d->options.link == NULL)
        d->options.link = &bd_logit;
    d->options.robust = robust;
    BD_TRY(make_design(d, arena));
    BD_TRY(bd_glm_fit(&d->design, &bd_binomial, d->options.link, robust ? &bd_se_cr1 : &bd_se_classical, &fitting,
                      arena, &d->fit));
    BD_TRY(test_predictors(d, &fitting, arena));
    BD_TRY(discrete_time_predict(d, arena));
    if (options->bootstrap)
        BD_TRY(discrete_time_resample(d, arena));
    *out = d;
    return BD_OK;
}
