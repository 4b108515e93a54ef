/* What a frame holds of the rows that were kept: response, designs, weights, groups. */
#include <string.h>

#include "data/design.h"
#include "data/frame_internal.h"
#include "data/groups.h"

/* The kept ones of an array of the selected rows. */
static bd_status compress_numbers(const builder *b, const values *v, const double **out)
{
    *out = v->numbers;
    if (b->n_kept == b->evaluation.n_rows && v->step == 1)
        return BD_OK;
    double *numbers;
    BD_NEW(b->arena, numbers, b->n_kept);
    for (size_t i = 0; i < b->n_kept; i++)
        numbers[i] = v->numbers[b->kept[i] * v->step];
    *out = numbers;
    return BD_OK;
}

static bd_status compress_codes(const builder *b, const values *v, const uint32_t **out)
{
    *out = v->codes;
    if (b->n_kept == b->evaluation.n_rows)
        return BD_OK;
    uint32_t *codes;
    BD_NEW(b->arena, codes, b->n_kept);
    for (size_t i = 0; i < b->n_kept; i++)
        codes[i] = v->codes[b->kept[i]];
    *out = codes;
    return BD_OK;
}

/* Weights that sum to the number of rows. */
static bd_status scale_weights(builder *b)
{
    const double *raw = NULL;
    double *weights, sum = 0;
    if (b->weights == NULL)
        return BD_OK;
    BD_TRY(compress_numbers(b, b->weights, &raw));
    BD_NEW(b->arena, weights, b->n_kept);
    for (size_t i = 0; i < b->n_kept; i++)
        sum += raw[i];
    for (size_t i = 0; i < b->n_kept; i++)
        weights[i] = raw[i] * ((double)b->n_kept / sum);
    b->frame->weights = weights;
    b->frame->mean_weight = sum / (double)b->n_kept;
    return BD_OK;
}

/* The kept codes of a part, with its levels. */
static bd_status coded_rows(const builder *b, const char *name, const values *v, coded *column)
{
    *column = (coded){.name = name, .n_rows = b->n_kept, .levels = v->levels, .n_levels = v->n_levels};
    return compress_codes(b, v, &column->codes);
}

static bd_status make_groups(const builder *b, const char *name, const values *v, const bd_groups **out)
{
    coded column;
    if (v == NULL)
        return BD_OK;
    BD_TRY(coded_rows(b, name, v, &column));
    return groups_make(&column, b->arena, out);
}

static bd_status make_response(builder *b)
{
    coded column;
    if (b->response == NULL)
        return BD_OK;
    if (!b->spec->categories)
        return compress_numbers(b, b->response, &b->frame->response);
    BD_TRY(coded_rows(b, b->frame->response_name, b->response, &column));
    return groups_outcome(&column, b->spec->levels, b->response->reference, b->arena, &b->frame->outcome);
}

/* The columns of terms whose variables are parts from number `first` on, into the frame's. */
static bd_status make_design(builder *b, const formula_terms *terms, size_t first, bd_frame *frame)
{
    design_variable *variables;
    BD_NEW(b->arena, variables, terms->n_variables + 1);
    for (size_t i = 0; i < terms->n_variables; i++) {
        const values *v = &b->parts[first + i].values;
        design_variable *variable = &variables[i];
        *variable = (design_variable){.name = variable_name(terms, i),
                                      .levels = v->levels,
                                      .n_levels = v->n_levels,
                                      .reference = v->reference};
        if (v->codes != NULL)
            BD_TRY(compress_codes(b, v, &variable->codes));
        else
            BD_TRY(compress_numbers(b, v, &variable->numbers));
    }
    return design_build(terms, variables, b->arena, frame);
}

/* The coding of a category that the formula has too, or said before, is not said again. */
static bd_status join_factors(builder *b, const bd_frame *extra)
{
    bd_frame *frame = b->frame;
    bd_factor *factors;
    BD_NEW(b->arena, factors, frame->n_factors + extra->n_factors + 1);
    for (size_t k = 0; k < frame->n_factors; k++)
        factors[k] = frame->factors[k];
    for (size_t i = 0; i < extra->n_factors; i++) {
        size_t k = 0;
        while (k < frame->n_factors && strcmp(factors[k].name, extra->factors[i].name) != 0)
            k++;
        if (k == frame->n_factors)
            factors[frame->n_factors++] = extra->factors[i];
    }
    frame->factors = factors;
    return BD_OK;
}

static bd_status make_more(builder *b, const more_terms *more, bd_extra *extra)
{
    bd_frame columns = {.n_rows = b->n_kept};
    BD_TRY(make_design(b, &more->terms, more->first, &columns));
    *extra = (bd_extra){.has_intercept = columns.has_intercept,
                        .n_columns = columns.n_columns,
                        .columns = columns.columns};
    return join_factors(b, &columns);
}

static bd_status make_extra(builder *b)
{
    bd_extra *extra;
    if (b->n_extra == 0)
        return BD_OK;
    BD_NEW(b->arena, extra, 1);
    b->frame->extra = extra;
    return make_more(b, &b->more[0], extra);
}

/* Groups of each combination of the columns that occurs. */
static bd_status make_joint_groups(builder *b, const bd_varying_spec *spec, const values *const *columns,
                                   const bd_groups **groups)
{
    BD_TRY(make_groups(b, spec->by[0], columns[0], groups));
    for (size_t i = 1; i < spec->n_by; i++) {
        const bd_groups *outer = *groups, *inner;
        BD_TRY(make_groups(b, spec->by[i], columns[i], &inner));
        BD_TRY(groups_join(outer, inner, b->n_kept, b->arena, groups));
    }
    return BD_OK;
}

static bd_status make_varying(builder *b)
{
    bd_varying *varying;
    BD_NEW(b->arena, varying, b->spec->n_varying + 1);
    for (size_t k = 0, g = 0; k < b->spec->n_varying; g += b->spec->varying[k++].n_by) {
        BD_TRY(make_more(b, &b->more[b->n_extra + k], &varying[k].terms));
        BD_TRY(make_joint_groups(b, &b->spec->varying[k], b->groups + g, &varying[k].groups));
    }
    b->frame->varying = varying;
    b->frame->n_varying = b->spec->n_varying;
    return BD_OK;
}

bd_status frame_finish(builder *b)
{
    BD_TRY(make_response(b));
    if (b->offset_values != NULL)
        BD_TRY(compress_numbers(b, b->offset_values, &b->frame->offset));
    if (b->trials_values != NULL)
        BD_TRY(compress_numbers(b, b->trials_values, &b->frame->trials));
    BD_TRY(make_design(b, &b->terms, 0, b->frame));
    BD_TRY(make_extra(b));
    BD_TRY(make_varying(b));
    BD_TRY(scale_weights(b));
    BD_TRY(make_groups(b, b->spec->cluster, b->cluster, &b->frame->cluster));
    if (b->frame->cluster != NULL && b->frame->cluster->n_levels < 2)
        return bd_fail(BD_EDATA, "%s: the column of clusters, '%s', has only one value in the %zu rows that are used; there "
                                 "must be two clusters at least",
                       b->evaluation.table->source, b->spec->cluster, b->n_kept);
    BD_TRY(make_groups(b, b->spec->strata, b->strata, &b->frame->strata));
    b->frame->notes = b->evaluation.notes;
    b->frame->n_notes = b->evaluation.n_notes;
    return BD_OK;
}

bd_status bd_frame_raw_weights(const bd_frame *frame, bd_arena *arena, const double **out)
{
    double *weights;
    *out = NULL;
    if (frame->weights == NULL)
        return BD_OK;
    BD_NEW(arena, weights, frame->n_rows);
    for (size_t i = 0; i < frame->n_rows; i++)
        weights[i] = frame->weights[i] * frame->mean_weight;
    *out = weights;
    return BD_OK;
}
