/* Concordance of linear predictor and time, and its error: a tree of weights over the ranks of the predictor,
 * descending for those who outlive an event, ascending for the events that a row has outlived. */
#include <string.h>

#include "models/cox_internal.h"

/* Partial sums of the weights of ranks 1 .. n (Fenwick), and each rank's own. */
typedef struct tree {
    double *partial, *own, total;
    size_t n;
} tree;

static void put(tree *t, size_t rank, double weight)
{
    t->own[rank] += weight;
    t->total += weight;
    for (size_t i = rank; i <= t->n; i += i & (~i + 1))
        t->partial[i] += weight;
}

static double below(const tree *t, size_t rank)
{
    double sum = 0;
    for (size_t i = rank - 1; i > 0; i -= i & (~i + 1))
        sum += t->partial[i];
    return sum;
}

static void empty(tree *t, size_t n)
{
    memset(t->partial, 0, (n + 1) * sizeof *t->partial);
    memset(t->own, 0, (n + 1) * sizeof *t->own);
    t->total = 0;
    t->n = n;
}

typedef struct pairs {
    double concordant, discordant, tied;
} pairs;

typedef struct counting {
    const cox_rows *rows;
    const uint32_t *rank; /* n, within strata, from 1 */
    tree tree;
    pairs *of;            /* n: weights of the rows that a row makes such pairs with */
} counting;

/* Row k meets the events in the tree, which it outlived: the higher their predictor, the better. */
static void count_as_later(counting *c, size_t k, double sign)
{
    const double less = below(&c->tree, c->rank[k]), same = c->tree.own[c->rank[k]];
    c->of[k].concordant += sign * (c->tree.total - less - same);
    c->of[k].discordant += sign * less;
    c->of[k].tied += sign * same;
}

static void count_as_earlier(counting *c, size_t k)
{
    const double less = below(&c->tree, c->rank[k]), same = c->tree.own[c->rank[k]];
    c->of[k].concordant += less;
    c->of[k].discordant += c->tree.total - less - same;
    c->of[k].tied += same;
}

static size_t first_leaving(const cox_rows *rows, size_t g)
{
    return rows->opens[g] || rows->left == NULL ? rows->group[g] : rows->left[g - 1];
}

static void put_events(counting *c, size_t g)
{
    const cox_rows *rows = c->rows;
    for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++)
        if (rows->event[k])
            put(&c->tree, c->rank[k], rows->weights[k]);
}

static void descend(counting *c, size_t first, size_t end)
{
    const cox_rows *rows = c->rows;
    empty(&c->tree, rows->group[end] - rows->group[first]);
    for (size_t g = first; g < end; g++) {
        for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++)
            if (!rows->event[k])
                put(&c->tree, c->rank[k], rows->weights[k]);
        for (size_t l = first_leaving(rows, g); rows->left != NULL && l < rows->left[g]; l++)
            put(&c->tree, c->rank[rows->leaving[l]], -rows->weights[rows->leaving[l]]);
        for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++)
            if (rows->event[k])
                count_as_earlier(c, k);
        put_events(c, g);
    }
}

static void ascend(counting *c, size_t first, size_t end)
{
    const cox_rows *rows = c->rows;
    empty(&c->tree, rows->group[end] - rows->group[first]);
    for (size_t g = end; g-- > first;) {
        for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++)
            if (rows->event[k])
                count_as_later(c, k, 1);
        put_events(c, g);
        for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++)
            if (!rows->event[k])
                count_as_later(c, k, 1);
        for (size_t l = first_leaving(rows, g); rows->left != NULL && l < rows->left[g]; l++)
            count_as_later(c, rows->leaving[l], -1);
    }
}

/* Ranks of eta within strata, from 1; equal ones share theirs. */
static bd_status find_ranks(const cox_model *model, const double *eta, bd_arena *arena, uint32_t *rank)
{
    const cox_rows *rows = &model->rows;
    uint32_t *order, *stratum, n_strata = 0;
    BD_NEW(arena, order, rows->n);
    BD_NEW(arena, stratum, rows->n);
    for (size_t g = 0; g < rows->n_groups; g++) {
        n_strata += rows->opens[g];
        for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++)
            stratum[k] = n_strata - 1;
    }
    BD_TRY(cox_sort(rows->n, eta, n_strata > 1 ? stratum : NULL, n_strata, arena, order));
    for (size_t i = rows->n; i-- > 0;) { /* ascending within each stratum */
        const bool first = i + 1 == rows->n || stratum[order[i + 1]] != stratum[order[i]];
        rank[order[i]] = first ? 1 : rank[order[i + 1]] + (eta[order[i]] != eta[order[i + 1]]);
    }
    return BD_OK;
}

static bd_status standard_error(const cox_model *model, const counting *c, double n_pairs, double somers,
                                bd_arena *arena, double *se)
{
    const uint32_t *cluster = model->design->cluster;
    double *by_unit, sum = 0;
    const size_t n_units = cluster == NULL ? model->rows.n : model->design->n_clusters;
    BD_NEW(arena, by_unit, n_units);
    for (size_t k = 0; k < model->rows.n; k++) {
        const pairs *of = &c->of[k];
        const double all = of->concordant + of->discordant + of->tied;
        by_unit[cluster == NULL ? k : cluster[model->row_of[k]]] +=
            model->rows.weights[k] * ((of->concordant - of->discordant) / n_pairs - somers / n_pairs * all);
    }
    for (size_t i = 0; i < n_units; i++)
        sum += by_unit[i] * by_unit[i];
    *se = sqrt(sum) / 2;
    return BD_OK;
}

bd_status cox_concordance_of(const cox_model *model, const double *eta, bd_arena *arena, bd_cox_concordance *out)
{
    const cox_rows *rows = &model->rows;
    const bd_mark scratch = bd_arena_mark(arena);
    uint32_t *rank;
    counting c = {.rows = rows};
    pairs sum = {0, 0, 0};
    BD_NEW(arena, rank, rows->n);
    BD_NEW(arena, c.of, rows->n);
    BD_NEW(arena, c.tree.partial, rows->n + 1);
    BD_NEW(arena, c.tree.own, rows->n + 1);
    BD_TRY(find_ranks(model, eta, arena, rank));
    c.rank = rank;
    for (size_t first = 0, end; first < rows->n_groups; first = end) {
        for (end = first + 1; end < rows->n_groups && !rows->opens[end];)
            end++;
        descend(&c, first, end);
        ascend(&c, first, end);
    }
    for (size_t k = 0; k < rows->n; k++) {
        sum.concordant += rows->weights[k] * c.of[k].concordant / 2;
        sum.discordant += rows->weights[k] * c.of[k].discordant / 2;
        sum.tied += rows->weights[k] * c.of[k].tied / 2;
    }
    const double n_pairs = sum.concordant + sum.discordant + sum.tied;
    const double somers = (sum.concordant - sum.discordant) / n_pairs;
    *out = (bd_cox_concordance){.concordance = (somers + 1) / 2, .concordant = sum.concordant,
                                .discordant = sum.discordant, .tied_risk = sum.tied};
    BD_TRY(standard_error(model, &c, n_pairs, somers, arena, &out->se));
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}
