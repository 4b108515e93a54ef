/* What data a proportional-hazards model refuses, in words. */
#include "models/cox_check.h"

#include <math.h>

#include <bordin/core/triangle.h>

#include "models/cox_internal.h"

static bd_status check_columns(const bd_cox_design *design)
{
    for (size_t j = 0; j < design->n_columns; j++)
        for (size_t i = 0; i < design->n_rows; i++)
            if (!isfinite(design->columns[j][i]))
                return bd_fail(BD_EDATA, "'%s' has a value that is not a number in row %zu", design->names[j], i + 1);
    for (size_t i = 0; design->offset != NULL && i < design->n_rows; i++)
        if (!isfinite(design->offset[i]))
            return bd_fail(BD_EDATA, "the offset has a value that is not a number in row %zu", i + 1);
    for (size_t i = 0; design->weights != NULL && i < design->n_rows; i++)
        if (!(design->weights[i] >= 0 && isfinite(design->weights[i])))
            return bd_fail(BD_EDATA, "the weight in row %zu is %g; weights are 0 or more", i + 1, design->weights[i]);
    return BD_OK;
}

static bd_status check_time(const bd_cox_design *design, size_t i)
{
    const double stop = design->stop[i], start = design->start == NULL ? 0 : design->start[i];
    if (!isfinite(stop) || !isfinite(start))
        return bd_fail(BD_EDATA, "the time in row %zu is not a number", i + 1);
    if (design->start == NULL && stop < 0)
        return bd_fail(BD_EDATA, "the time in row %zu is negative (%g); times count from when observation began", i + 1,
                       stop);
    if (design->start != NULL && !(stop > start))
        return bd_fail(BD_EDATA, "the interval in row %zu begins at %g and ends at %g; it must end after it begins",
                       i + 1, start, stop);
    if (design->event[i] != 0 && design->event[i] != 1)
        return bd_fail(BD_EDATA,
                       "the event in row %zu is %g; it is 1 where the event happened and 0 where it did not (codes "
                       "of another kind are compared, as in status == 2)",
                       i + 1, design->event[i]);
    return BD_OK;
}

static bd_status check_events(const bd_cox_design *design)
{
    size_t n_used = 0, n_events = 0;
    double first = NAN;
    bool one_time = true;
    for (size_t i = 0; i < design->n_rows; i++) {
        if (design->weights != NULL && design->weights[i] == 0)
            continue;
        first = n_used++ == 0 ? design->stop[i] : first;
        one_time &= design->stop[i] == first;
        n_events += design->event[i] == 1;
    }
    if (n_used < 2)
        return bd_fail(BD_EDATA, "there %s; at least two are needed", n_used == 1 ? "is one row" : "are no rows");
    if (n_events == 0)
        return bd_fail(BD_EDATA, "none of the %zu rows has the event; without events there is no hazard to compare",
                       n_used);
    if (one_time && design->start == NULL)
        return bd_fail(BD_EDATA, "all times are %g; who had the event earlier cannot be told", first);
    return BD_OK;
}

/* Rows of one patient by descending start: each must end before the one that was met before it begins. */
static bd_status check_overlap(const bd_cox_design *design, bd_arena *arena)
{
    const bd_mark scratch = bd_arena_mark(arena);
    uint32_t *order;
    if (design->id == NULL || design->start == NULL)
        return BD_OK;
    BD_NEW(arena, order, design->n_rows);
    BD_TRY(cox_sort(design->n_rows, design->start, design->id, design->n_ids, arena, order));
    for (size_t k = 1; k < design->n_rows; k++) {
        const size_t later = order[k - 1], earlier = order[k];
        if (design->id[later] != design->id[earlier] || design->stop[earlier] <= design->start[later])
            continue;
        const char *name;
        BD_TRY(bd_print(arena, &name, "%u", design->id[later] + 1));
        return bd_fail(BD_EDATA, "two intervals of patient '%s' overlap: (%g, %g] in row %zu and (%g, %g] in row %zu",
                       design->id_levels != NULL ? design->id_levels[design->id[later]] : name, design->start[earlier],
                       design->stop[earlier], earlier + 1, design->start[later], design->stop[later], later + 1);
    }
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}

bd_status bd_cox_check(const bd_cox_design *design, bd_arena *arena)
{
    if (design->n_rows >= UINT32_MAX)
        return bd_fail(BD_EDATA, "%zu rows are more than this model takes", design->n_rows);
    BD_TRY(check_columns(design));
    for (size_t i = 0; i < design->n_rows; i++)
        BD_TRY(check_time(design, i));
    BD_TRY(check_events(design));
    return check_overlap(design, arena);
}

bd_status cox_check(const bd_cox_design *design, bd_cox_ties ties, bd_arena *arena)
{
    if (design->n_columns == 0)
        return bd_fail(BD_EUSAGE, "no predictors are given");
    if (ties == BD_COX_EXACT && design->weights != NULL)
        return bd_fail(BD_EUSAGE, "the exact likelihood of ties takes no weights; use efron or breslow");
    return bd_cox_check(design, arena);
}

bd_status cox_fail_collinear(const bd_cox_design *design, const double *triangle, size_t j, bd_arena *arena)
{
    const size_t q = design->n_columns + 1;
    const char *list = "", *last = NULL;
    size_t n_named = 0;
    double *b;
    BD_NEW(arena, b, q);
    for (size_t i = 0; i < j; i++)
        b[i] = triangle[i * q + j];
    bd_triangle_solve(q, j, triangle, b, b);
    for (size_t i = 1; i < j; i++) {
        if (!(fabs(b[i]) > 1e-6))
            continue;
        if (n_named > 0)
            BD_TRY(bd_print(arena, &list, "%s%s'%s'", list, n_named > 1 ? ", " : "", last));
        last = design->names[i - 1];
        n_named++;
    }
    if (last == NULL)
        return bd_fail(BD_ENUMERIC, "'%s' is a linear combination of the other predictors; leave it out",
                       design->names[j - 1]);
    return bd_fail(BD_ENUMERIC, "'%s' is a linear combination of %s%s'%s'; leave one out", design->names[j - 1], list,
                   n_named > 1 ? " and " : "", last);
}
