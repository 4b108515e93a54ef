/* Which groups have rows in common: parts of the model that share none, and links within them. */
#include <string.h>

#include "models/mixed_internal.h"

static uint32_t find(uint32_t *parent, uint32_t g)
{
    while (parent[g] != g)
        g = parent[g] = parent[parent[g]];
    return g;
}

/* parent <- a forest over the groups of the first term; those of one tree are linked by groups of the others. */
static bd_status join_groups(const bd_mixed_model *model, bd_arena *arena, uint32_t *parent)
{
    const bd_mixed_design *d = model->design;
    const uint32_t *first = model->terms[model->first].given->group;
    for (size_t t = 0; t < model->n_terms; t++) {
        uint32_t *seen;
        if (t == model->first)
            continue;
        BD_NEW(arena, seen, model->terms[t].given->n_groups);
        for (size_t i = 0; i < d->n_rows; i++) {
            if (!mixed_is_used(d, i))
                continue;
            const uint32_t h = model->terms[t].given->group[i], g = find(parent, first[i]);
            const uint32_t other = seen[h] == 0 ? g : find(parent, seen[h] - 1);
            parent[g > other ? g : other] = g > other ? other : g;
            seen[h] = g + 1;
        }
    }
    return BD_OK;
}

/* Parts in the order of their first groups, and each one's groups together. */
static bd_status find_parts(bd_mixed_model *model, bd_arena *arena)
{
    const size_t n = model->n_groups;
    uint32_t *parent;
    BD_NEW(arena, model->parts, n);
    BD_NEW(arena, model->order, n);
    BD_NEW(arena, model->part_of, n);
    BD_NEW(arena, parent, n);
    for (size_t g = 0; g < n; g++)
        parent[g] = (uint32_t)g;
    BD_TRY(join_groups(model, arena, parent));
    for (size_t g = 0; g < n; g++) { /* a tree's root is its least group */
        const uint32_t root = find(parent, (uint32_t)g);
        model->part_of[g] = root == g ? (uint32_t)model->n_parts++ : model->part_of[root];
        model->parts[model->part_of[g]].end++;
    }
    for (size_t c = 0, at = 0; c < model->n_parts; c++) {
        model->parts[c].first = at;
        at += model->parts[c].end;
        model->parts[c].end = model->parts[c].first;
    }
    for (size_t g = 0; g < n; g++)
        model->order[model->parts[model->part_of[g]].end++] = (uint32_t)g;
    return BD_OK;
}

/* A group of another term is in the part of any of its rows; columns by term, then group, then coefficient. */
static bd_status place_columns(bd_mixed_model *model, bd_arena *arena)
{
    const bd_mixed_design *d = model->design;
    const uint32_t *first = model->terms[model->first].given->group;
    for (size_t t = 0; t < model->n_terms; t++) {
        mixed_term *term = &model->terms[t];
        bool *seen;
        if (t == model->first)
            continue;
        BD_NEW(arena, term->column, term->given->n_groups);
        BD_NEW(arena, seen, term->given->n_groups);
        for (size_t i = 0; i < d->n_rows; i++) {
            const uint32_t h = term->given->group[i];
            if (!mixed_is_used(d, i) || seen[h])
                continue;
            mixed_part *part = &model->parts[model->part_of[first[i]]];
            seen[h] = true;
            term->column[h] = (uint32_t)part->n;
            part->n += term->q;
        }
    }
    for (size_t c = 0; c < model->n_parts; c++) {
        mixed_part *part = &model->parts[c];
        part->column = model->n_columns;
        part->products = model->n_rest_products;
        part->kept = model->n_kept;
        model->n_columns += part->n;
        model->n_rest_products += part->n * (part->n + model->p);
        model->n_kept += 2 * part->n * (part->n + model->p + 1);
    }
    BD_NEW(arena, model->rest_products, model->n_rest_products + 1);
    return BD_OK;
}

/* What each column of the dense matrices is. */
static bd_status name_columns(bd_mixed_model *model, bd_arena *arena)
{
    const bd_mixed_design *d = model->design;
    const uint32_t *first = model->terms[model->first].given->group;
    BD_NEW(arena, model->rest_term, model->n_columns + 1);
    BD_NEW(arena, model->rest_coefficient, model->n_columns + 1);
    BD_NEW(arena, model->rest_group, model->n_columns + 1);
    for (size_t i = 0; i < d->n_rows; i++)
        for (size_t t = 0; t < model->n_terms && mixed_is_used(d, i); t++) {
            const mixed_term *term = &model->terms[t];
            if (t == model->first)
                continue;
            const uint32_t h = term->given->group[i];
            const size_t column = model->parts[model->part_of[first[i]]].column + term->column[h];
            for (size_t a = 0; a < term->q; a++) {
                model->rest_term[column + a] = (uint8_t)t;
                model->rest_coefficient[column + a] = (uint8_t)a;
                model->rest_group[column + a] = h;
            }
        }
    return BD_OK;
}

static bd_status sort_rows(const bd_mixed_model *model, bd_arena *arena, size_t **rows, size_t **starts)
{
    const bd_mixed_design *d = model->design;
    const uint32_t *group = model->terms[model->first].given->group;
    const size_t n = model->n_groups;
    size_t *next;
    BD_NEW(arena, *rows, d->n_rows);
    BD_NEW(arena, *starts, n + 1);
    BD_NEW(arena, next, n + 1);
    for (size_t i = 0; i < d->n_rows; i++)
        (*starts)[group[i] + 1] += mixed_is_used(d, i);
    for (size_t g = 0; g < n; g++)
        next[g + 1] = (*starts)[g + 1] += (*starts)[g];
    for (size_t i = 0; i < d->n_rows; i++)
        if (mixed_is_used(d, i))
            (*rows)[next[group[i]]++] = i;
    return BD_OK;
}

/* The columns that each group of the first term has a row in common with. */
static bd_status find_links(bd_mixed_model *model, bd_arena *arena)
{
    size_t *rows = NULL, *starts = NULL, n = 0, room = 0;
    uint32_t *last;
    BD_TRY(sort_rows(model, arena, &rows, &starts));
    BD_NEW(arena, last, model->n_columns + 1);
    BD_NEW(arena, model->link_starts, model->n_groups + 1);
    for (size_t g = 0; g < model->n_groups; g++) {
        const mixed_part *part = &model->parts[model->part_of[g]];
        for (size_t r = starts[g]; r < starts[g + 1]; r++)
            for (size_t t = 0; t < model->n_terms; t++) {
                const mixed_term *term = &model->terms[t];
                if (t == model->first)
                    continue;
                const uint32_t column = term->column[term->given->group[rows[r]]];
                if (last[part->column + column] == g + 1)
                    continue;
                last[part->column + column] = (uint32_t)g + 1;
                for (size_t a = 0; a < term->q; a++)
                    BD_PUSH(arena, model->link_columns, n, room, column + (uint32_t)a);
            }
        model->link_starts[g + 1] = (uint32_t)n;
        if (n - model->link_starts[g] > model->most_links)
            model->most_links = n - model->link_starts[g];
    }
    BD_NEW(arena, model->links, n * model->q + 1);
    return BD_OK;
}

bd_status mixed_lay_out(bd_mixed_model *model, bd_arena *arena)
{
    BD_TRY(find_parts(model, arena));
    if (model->n_terms == 1) {
        BD_NEW(arena, model->link_starts, model->n_groups + 1);
        return BD_OK;
    }
    BD_TRY(place_columns(model, arena));
    BD_TRY(name_columns(model, arena));
    return find_links(model, arena);
}
