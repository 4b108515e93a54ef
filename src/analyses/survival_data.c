/* Survival: a table's rows as a design of times, events, causes, strata and predictors. */
#include <bordin/analyses/survival.h>

#include <string.h>

#include "analyses/survival_formula.h"

/* Expressions that are no predictors stand among the terms of one frame, so that all have the same rows. */
typedef struct parts {
    survival_formula formula;
    bd_frame_spec spec;
    size_t stop, event, start, offset, weights, strata; /* terms of the frame; SIZE_MAX: none; strata: the first */
    size_t n_others;                                    /* terms that are no predictors */
} parts;

static bd_status append(const char *format, const char *text, const parts *p, bd_arena *arena, const char **terms,
                        size_t *n, size_t *at)
{
    const char *term;
    *at = SIZE_MAX;
    if (text == NULL)
        return BD_OK;
    BD_TRY(bd_print(arena, &term, format, text));
    for (size_t i = 0; i < p->formula.n_plain; i++)
        if (strcmp(p->formula.plain[i], term) == 0)
            return bd_fail(BD_EUSAGE, "'%s' is a part of the outcome or a weight; it cannot be a predictor too", term);
    *at = (*n)++;
    return bd_print(arena, terms, "%s%s%s", *terms, **terms != '\0' ? " + " : "", term);
}

static bd_status quoted(const char *name, bd_arena *arena, const char **text)
{
    *text = NULL;
    return name == NULL ? BD_OK : bd_print(arena, text, "`%s`", name);
}

/* A predictor that is made of the time or the event would explain it. */
static bd_status refuse_outcome(const survival_formula *f, bd_arena *arena)
{
    const char *const outcome[] = {f->stop, f->event};
    for (size_t i = 0; i < 2 * f->n_plain; i++) {
        const char *name = NULL, *predictor = f->plain[i / 2];
        BD_TRY(bd_expression_shares(outcome[i % 2], predictor, arena, &name));
        if (name != NULL)
            return bd_fail(BD_EUSAGE, "'%s', in the outcome, is also in the predictor '%s'; leave it out", name,
                           predictor);
    }
    return BD_OK;
}

static bd_status compose(const bd_survival_spec *spec, bd_arena *arena, parts *p)
{
    const char *terms = "", *weights, *formula;
    size_t n = 0, ignored;
    BD_TRY(survival_formula_parse(spec->formula, arena, &p->formula));
    const survival_formula *f = &p->formula;
    if (spec->cluster != NULL && f->cluster != NULL && strcmp(spec->cluster, f->cluster) != 0)
        return bd_fail(BD_EUSAGE, "--cluster '%s' and cluster(%s) name different clusters", spec->cluster, f->cluster);
    BD_TRY(quoted(spec->weights, arena, &weights));
    BD_TRY(refuse_outcome(f, arena));
    BD_TRY(append("I(%s)", f->stop, p, arena, &terms, &n, &p->stop));
    BD_TRY(append(spec->competing ? "factor(%s)" : "I(%s)", f->event, p, arena, &terms, &n, &p->event));
    BD_TRY(append("I(%s)", f->start, p, arena, &terms, &n, &p->start));
    BD_TRY(append("I(%s)", f->offset, p, arena, &terms, &n, &p->offset));
    BD_TRY(append("I(%s)", weights, p, arena, &terms, &n, &p->weights));
    p->strata = f->n_strata > 0 && f->stratum == NULL ? n : SIZE_MAX;
    for (size_t i = 0; p->strata != SIZE_MAX && i < f->n_strata; i++)
        BD_TRY(append("factor(%s)", f->strata[i], p, arena, &terms, &n, &ignored));
    p->n_others = n;
    BD_TRY(bd_print(arena, &formula, "~ %s + %s", terms, f->terms));
    p->spec = (bd_frame_spec){.formula = formula,
                              .where = spec->where,
                              .cluster = f->cluster != NULL ? f->cluster : spec->cluster,
                              .strata = f->stratum};
    return BD_OK;
}

bd_status bd_survival_wanted(const bd_survival_spec *spec, bd_arena *arena, const bd_wanted **out, size_t *n_out)
{
    parts p;
    const bd_wanted *wanted;
    bd_wanted *all;
    size_t n;
    BD_TRY(compose(spec, arena, &p));
    BD_TRY(bd_frame_wanted(&p.spec, arena, &wanted, &n));
    BD_NEW(arena, all, n + 1);
    memcpy(all, wanted, n * sizeof *all);
    *out = all;
    *n_out = n;
    for (size_t i = 0; i < n; i++) /* text is read, for a better message */
        if (strcmp(all[i].name, p.formula.event) == 0 && !spec->competing)
            all[i].use = BD_USE_ANY;
    for (size_t i = 0; spec->id != NULL && i < n; i++)
        if (strcmp(all[i].name, spec->id) == 0)
            return BD_OK;
    if (spec->id != NULL)
        all[(*n_out)++] = (bd_wanted){spec->id, BD_USE_CATEGORIES};
    return BD_OK;
}

static bd_status refuse_text(const bd_table *table, const bd_survival_spec *spec, const char *event)
{
    const bd_column *column = spec->competing ? NULL : bd_table_find(table, event);
    if (column == NULL || column->kind == BD_NUMBERS || column->n_levels == 0)
        return BD_OK;
    return bd_fail(BD_EDATA,
                   "%s: the event '%s' holds text such as '%s'; compare it, as in Surv(time, %s == \"%s\"), or "
                   "take all as causes: --competing",
                   table->source, event, column->levels[column->n_levels - 1], event,
                   column->levels[column->n_levels - 1]);
}

static const bd_factor *factor_of(const bd_frame *frame, size_t term)
{
    for (size_t k = 0; k < frame->n_factors; k++)
        if (strcmp(frame->factors[k].name, frame->terms[term]) == 0)
            return &frame->factors[k];
    return NULL;
}

static const double *values_of(const bd_frame *frame, size_t term)
{
    for (size_t j = 0; term != SIZE_MAX && j < frame->n_columns; j++)
        if (frame->columns[j].term == term)
            return frame->columns[j].values;
    return NULL;
}

/* codes, of n rows from `first` on, <- those of their combination with one more factor, which the frame has as columns
 * of 0 and 1. */
static void combine(const bd_frame *frame, size_t term, size_t first, size_t n, uint32_t *codes)
{
    uint32_t level = 0, n_levels = 1;
    for (size_t j = 0; j < frame->n_columns; j++)
        n_levels += frame->columns[j].term == term;
    for (size_t i = 0; i < n; i++)
        codes[i] *= n_levels;
    for (size_t j = 0; j < frame->n_columns; j++) {
        if (frame->columns[j].term != term)
            continue;
        level++;
        for (size_t i = 0; i < n; i++)
            codes[i] += frame->columns[j].values[first + i] != 0 ? level : 0;
    }
}

/* Codes that occur, from 0 and in order. */
static bd_status renumber(size_t n, uint32_t *codes, bd_arena *arena, size_t *n_codes)
{
    uint32_t most = 0, *numbers;
    for (size_t i = 0; i < n; i++)
        most = codes[i] > most ? codes[i] : most;
    BD_NEW(arena, numbers, (size_t)most + 1);
    for (size_t i = 0; i < n; i++)
        numbers[codes[i]] = 1;
    *n_codes = 0;
    for (size_t k = 0; k <= most; k++)
        if (numbers[k] != 0)
            numbers[k] = (uint32_t)(*n_codes)++;
    for (size_t i = 0; i < n; i++)
        codes[i] = numbers[codes[i]];
    return BD_OK;
}

/* What each stratum is called, by its first row. */
static bd_status name_strata(const parts *p, bd_arena *arena, bd_survival_data *data)
{
    const bd_frame *frame = data->frame;
    const size_t n_names = p->formula.n_strata;
    bd_survival_stratum *strata;
    BD_NEW(arena, strata, data->design.n_strata);
    for (size_t i = 0; i < frame->n_rows; i++) {
        bd_survival_stratum *stratum = &strata[data->design.strata[i]];
        const char **levels;
        if (stratum->name != NULL)
            continue;
        BD_NEW(arena, levels, n_names);
        stratum->levels = levels;
        stratum->name = "";
        for (size_t k = 0; k < n_names; k++) {
            uint32_t code = 0;
            if (frame->strata == NULL)
                combine(frame, p->strata + k, i, 1, &code);
            levels[k] = frame->strata != NULL ? frame->strata->levels[data->design.strata[i]]
                                              : factor_of(frame, p->strata + k)->levels[code];
            BD_TRY(bd_print(arena, &stratum->name, "%s%s%s", stratum->name, k > 0 ? ", " : "", levels[k]));
        }
    }
    data->strata_levels = strata;
    data->strata_names = p->formula.strata;
    data->n_strata_names = n_names;
    return BD_OK;
}

static bd_status set_strata(const parts *p, bd_arena *arena, bd_survival_data *data)
{
    const bd_frame *frame = data->frame;
    const survival_formula *f = &p->formula;
    uint32_t *codes;
    if (f->n_strata == 0)
        return BD_OK;
    data->strata = f->strata[0];
    for (size_t i = 1; i < f->n_strata; i++)
        BD_TRY(bd_print(arena, &data->strata, "%s%s%s", data->strata, i + 1 < f->n_strata ? ", " : " and ",
                        f->strata[i]));
    if (frame->strata != NULL) {
        data->design.strata = frame->strata->codes;
        data->design.n_strata = frame->strata->n_levels;
        return name_strata(p, arena, data);
    }
    BD_NEW(arena, codes, frame->n_rows);
    for (size_t i = 0; i < f->n_strata; i++) {
        combine(frame, p->strata + i, 0, frame->n_rows, codes);
        BD_TRY(renumber(frame->n_rows, codes, arena, &data->design.n_strata));
    }
    data->design.strata = codes;
    return name_strata(p, arena, data);
}

/* The level of rows without an event; n_levels where none is known. */
static size_t censored_level(const bd_factor *factor, const char *given)
{
    static const char *const usual[] = {"0", "censored", "censor", "none"};
    for (size_t u = 0; u < sizeof usual / sizeof *usual; u++)
        for (size_t k = 0; k < factor->n_levels; k++)
            if (strcmp(factor->levels[k], given != NULL ? given : usual[u]) == 0)
                return k;
    return factor->n_levels;
}

/* Causes from 1 in the order of the levels. */
static bd_status set_causes(const parts *p, const char *given, bd_arena *arena, bd_survival_data *data)
{
    const bd_factor *factor = factor_of(data->frame, p->event);
    const size_t n = data->frame->n_rows, none = censored_level(factor, given);
    const char **causes, *levels = "";
    double *cause, *event;
    uint32_t *codes;
    for (size_t k = 0; k < factor->n_levels && k < 10; k++)
        BD_TRY(bd_print(arena, &levels, "%s%s'%s'", levels, k > 0 ? ", " : "", factor->levels[k]));
    if (none == factor->n_levels && given != NULL)
        return bd_fail(BD_EDATA, "--censored: no row has %s '%s'; there are %s", data->event, given, levels);
    if (none == factor->n_levels)
        return bd_fail(BD_EDATA, "which %s means that no event happened? Name it by --censored; there are %s",
                       data->event, levels);
    BD_NEW(arena, causes, factor->n_levels);
    BD_NEW(arena, cause, n);
    BD_NEW(arena, event, n);
    BD_NEW(arena, codes, n);
    combine(data->frame, p->event, 0, n, codes);
    for (size_t k = 0; k < factor->n_levels; k++)
        if (k != none)
            causes[data->n_causes++] = factor->levels[k];
    for (size_t i = 0; i < n; i++) {
        cause[i] = codes[i] == none ? 0 : codes[i] < none ? codes[i] + 1 : codes[i];
        event[i] = cause[i] > 0;
    }
    data->cause = cause;
    data->causes = causes;
    data->censored = factor->levels[none];
    data->design.event = event;
    return BD_OK;
}

/* The frame again with patients for clusters: it has a place for one kind of group only. */
static bd_status set_patients(const bd_table *table, const bd_survival_spec *spec, const parts *p, bd_arena *arena,
                              bd_survival_data *data)
{
    bd_frame_spec by_patient = p->spec;
    const bd_frame *frame = data->frame;
    if (spec->id == NULL)
        return BD_OK;
    by_patient.cluster = spec->id;
    if (p->spec.cluster == NULL || strcmp(p->spec.cluster, spec->id) != 0)
        BD_TRY(bd_frame_build(table, &by_patient, arena, &frame));
    if (frame->n_rows != data->frame->n_rows)
        return bd_fail(BD_EDATA, "%s: '%s' is missing in %zu rows that are used; leave them out with --where",
                       table->source, spec->id, data->frame->n_rows - frame->n_rows);
    data->design.id = frame->cluster->codes;
    data->design.id_levels = frame->cluster->levels;
    data->design.n_ids = frame->cluster->n_levels;
    data->id = spec->id;
    return BD_OK;
}

static bd_status set_predictors(const parts *p, bd_arena *arena, bd_survival_data *data)
{
    const bd_frame *frame = data->frame;
    const double **columns;
    const char **names;
    size_t *term_of, n = 0;
    BD_NEW(arena, columns, frame->n_columns);
    BD_NEW(arena, names, frame->n_columns);
    BD_NEW(arena, term_of, frame->n_columns);
    for (size_t j = 0; j < frame->n_columns; j++) {
        const bd_design_column *column = &frame->columns[j];
        if (column->term == SIZE_MAX || column->term < p->n_others)
            continue;
        columns[n] = column->values;
        names[n] = column->name;
        term_of[n++] = column->term - p->n_others;
    }
    data->design.n_columns = n;
    data->design.columns = columns;
    data->design.names = names;
    data->term_of = term_of;
    data->terms = frame->terms + p->n_others;
    data->n_terms = frame->n_terms - p->n_others;
    return BD_OK;
}

/* Of causes that are all one the frame knows no more than that a category has two levels at least. */
static bd_status explain(bd_status status, const bd_survival_spec *spec, const parts *p, bd_arena *arena)
{
    const char *beginning = NULL;
    if (status != BD_EDATA || !spec->competing)
        return status;
    BD_TRY(bd_print(arena, &beginning, "factor(%s) is '", p->formula.event));
    if (strncmp(bd_message(), beginning, strlen(beginning)) != 0)
        return status;
    return bd_fail(BD_EDATA, "%s is the same in every used row; some must have an event, and some another or none",
                   p->formula.event);
}

static void set_clusters(const parts *p, bd_survival_data *data)
{
    const bd_groups *cluster = data->frame->cluster;
    if (cluster == NULL)
        return;
    data->cluster = cluster->name;
    data->frailty = p->formula.frailty;
    data->design.cluster = cluster->codes;
    data->design.n_clusters = cluster->n_levels;
}

bd_status bd_survival_build(const bd_table *table, const bd_survival_spec *spec, bd_arena *arena,
                            const bd_survival_data **out)
{
    parts p;
    bd_survival_data *data;
    bd_frame_spec *frame_spec;
    const bd_frame *frame;
    BD_NEW(arena, data, 1);
    BD_NEW(arena, frame_spec, 1);
    BD_TRY(compose(spec, arena, &p));
    *frame_spec = p.spec;
    BD_TRY(refuse_text(table, spec, p.formula.event));
    BD_TRY(explain(bd_frame_build(table, &p.spec, arena, &frame), spec, &p, arena));
    if (!frame->has_intercept)
        return bd_fail(BD_EUSAGE, "proportional hazards have no intercept to leave out; write the formula without -1 "
                                  "or 0");
    data->frame = frame;
    data->table = table;
    data->frame_spec = frame_spec;
    data->n_others = p.n_others;
    data->formula = spec->formula;
    data->event = p.formula.event;
    data->offset = p.formula.offset;
    data->weights = spec->weights;
    data->design = (bd_cox_design){.n_rows = frame->n_rows,
                                   .start = values_of(frame, p.start),
                                   .stop = values_of(frame, p.stop),
                                   .event = spec->competing ? NULL : values_of(frame, p.event),
                                   .weights = values_of(frame, p.weights),
                                   .offset = values_of(frame, p.offset)};
    set_clusters(&p, data);
    if (spec->competing)
        BD_TRY(set_causes(&p, spec->censored, arena, data));
    BD_TRY(set_strata(&p, arena, data));
    BD_TRY(set_patients(table, spec, &p, arena, data));
    BD_TRY(set_predictors(&p, arena, data));
    *out = data;
    return BD_OK;
}
