/* The bootstrap of discrete-time hazards: rows are drawn with all their records.
 *
 * A replicate in which a period has no events, or nothing else, leaves its effect infinite and its records say nothing of
 * the predictors. They are left out, and two records of that period, one with the event and one without, of somebody
 * whose predictors are 0, stand in for them: the effect is then 0, whatever the predictors do. */
#include "analyses/discrete_time_internal.h"
#include "analyses/survival_bootstrap.h"

typedef struct drawn {
    const bd_discrete_time *d;
    const bd_glm_prepared *prepared;
    const size_t *effect; /* by period: its column; NULL: effects are smooth */
    size_t n_stand_ins;   /* records after those of the rows, two for each effect */
    size_t first;         /* value that is wanted */
} drawn;

size_t discrete_time_first_drawn(const bd_discrete_time *d)
{
    return d->options.effect == BD_PERIOD_EACH ? d->n_period_columns : 0;
}

/* weights of records <- of their rows, but where a period is left out. `counts`: two for each effect. */
static void weigh(const drawn *of, const double *draws, double *weights, double *counts)
{
    const bd_discrete_time *d = of->d;
    const double *event = d->design.base.response;
    double *at_risk = counts, *events = counts + of->n_stand_ins / 2, *stand_ins = weights + d->n_records;
    for (size_t r = 0; r < d->n_records; r++)
        weights[r] = draws[d->row[r]];
    if (of->effect == NULL)
        return;
    for (size_t k = 0; k < of->n_stand_ins; k++)
        counts[k] = stand_ins[k] = 0;
    for (size_t r = 0; r < d->n_records; r++) {
        const size_t j = of->effect[d->period[r]];
        at_risk[j] += weights[r] > 0;
        events[j] += weights[r] > 0 && event[r] == 1;
    }
    for (size_t r = 0; r < d->n_records; r++) {
        const size_t j = of->effect[d->period[r]];
        weights[r] *= events[j] > 0 && events[j] < at_risk[j];
    }
    for (size_t j = 0; j < of->n_stand_ins / 2; j++)
        stand_ins[2 * j] = stand_ins[2 * j + 1] = events[j] == 0 || events[j] == at_risk[j];
}

static bd_replicate_end replicate(const void *context, const double *weights, double *scratch, double *values,
                                  double *errors)
{
    static const bd_replicate_end ends[] = {[BD_GLM_REPLICATE_CONVERGED] = BD_REPLICATE_USABLE,
                                            [BD_GLM_REPLICATE_COLLINEAR] = BD_REPLICATE_COLLINEAR,
                                            [BD_GLM_REPLICATE_SEPARATED] = BD_REPLICATE_SEPARATED,
                                            [BD_GLM_REPLICATE_NOT_CONVERGED] = BD_REPLICATE_DIVERGED};
    const drawn *of = context;
    const size_t p = of->prepared->n_columns;
    double *counts = scratch + of->d->n_records + of->n_stand_ins, *all = counts + of->n_stand_ins, *rest = all + p;
    (void)errors;
    weigh(of, weights, scratch, counts);
    const bd_replicate_end end = ends[bd_glm_replicate(of->prepared, scratch, rest, all)];
    for (size_t j = of->first; j < p && end == BD_REPLICATE_USABLE; j++)
        values[j - of->first] = all[j];
    return end;
}

/* Values of the records and, after them, of stand-ins. */
static bd_status lengthen(const drawn *of, const double *values, bd_arena *arena, double **out)
{
    const size_t n = of->d->n_records;
    BD_NEW(arena, *out, n + of->n_stand_ins);
    for (size_t r = 0; r < n && values != NULL; r++)
        (*out)[r] = values[r];
    return BD_OK;
}

/* The design with the stand-ins, each once. */
static bd_status add_stand_ins(drawn *of, bd_arena *arena, bd_glm_design *design)
{
    const bd_discrete_time *d = of->d;
    const double **columns;
    double *values;
    size_t *effect, n = 0;
    BD_NEW(arena, effect, d->n_periods);
    for (size_t k = 0; k < d->n_periods; k++)
        effect[k] = d->periods[k].known ? 0 : n++;
    of->effect = effect;
    of->n_stand_ins = 2 * d->n_period_columns;
    BD_NEW(arena, columns, design->base.n_columns);
    for (size_t j = 0; j < design->base.n_columns; j++) {
        BD_TRY(lengthen(of, design->base.columns[j], arena, &values));
        if (j < d->n_period_columns)
            values[d->n_records + 2 * j] = values[d->n_records + 2 * j + 1] = 1;
        columns[j] = values;
    }
    design->base.columns = columns;
    BD_TRY(lengthen(of, design->base.response, arena, &values));
    for (size_t j = 0; j < d->n_period_columns; j++)
        values[d->n_records + 2 * j] = 1;
    design->base.response = values;
    if (design->base.weights != NULL) {
        BD_TRY(lengthen(of, design->base.weights, arena, &values));
        for (size_t k = 0; k < of->n_stand_ins; k++)
            values[d->n_records + k] = 1;
        design->base.weights = values;
    }
    if (design->offset != NULL) {
        BD_TRY(lengthen(of, design->offset, arena, &values));
        design->offset = values;
    }
    design->base.n_rows += of->n_stand_ins;
    return BD_OK;
}

bd_status discrete_time_resample(bd_discrete_time *d, bd_arena *arena)
{
    const bd_columns rows = {.n_rows = d->data->design.n_rows};
    const bd_glm_options fitting = {.level = d->options.level};
    bd_glm_design design = d->design;
    const bd_glm *fit = d->fit;
    drawn of = {.d = d, .first = discrete_time_first_drawn(d)};
    if (of.first == design.base.n_columns)
        return bd_fail(BD_EUSAGE, "--boot is for predictors, or for periods with a smooth effect (--period-effect log)");
    design.base.cluster = NULL;
    if (d->options.effect == BD_PERIOD_EACH && fit->end == BD_GLM_CONVERGED) {
        BD_TRY(add_stand_ins(&of, arena, &design));
        BD_TRY(bd_glm_fit(&design, &bd_binomial, d->options.link, &bd_se_classical, &fitting, arena, &fit));
    }
    BD_TRY(bd_while(bd_glm_prepare(&design, fit, arena, &of.prepared), "--boot"));
    const size_t p = of.prepared->n_columns;
    const bd_statistic statistic = {.n_values = p - of.first,
                                    .names = d->design.base.names + of.first,
                                    .columns = &rows,
                                    .from_weights = replicate,
                                    .n_scratch = d->n_records + 2 * of.n_stand_ins + p + of.prepared->n_scratch,
                                    .context = &of};
    return survival_draw(d->data, &statistic, &d->options.resampling, arena, &d->bootstrap);
}
