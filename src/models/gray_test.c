/* Gray's test of equal cumulative incidence, in the notation of his paper (1988):
 *
 *     score_i = sum w (d_i - d R_i / R),
 *     w = (1 - F(t-))^rho,  R_i = h_i (1 - F_i(t-)),  h_i = n_i / S_i(t-),  dF = d / h,
 *
 * h, R, d the sums over groups. Its variance is a sum over groups k and times of products of
 *     a_ik + b_k e_ik   for events of the cause,      (1 - F) / S_k e_ik   for those of other causes,
 * a_ik = w h_i (1{i = k} - h_k / h), b_k = 1 - (1 - F) / S_k, e_ik(t) = the sum of a_ik dF / (1 - F(u-)) over times
 * u > t. */
#include <bordin/models/competing_risks.h>

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "models/survival_sweep.h"

typedef struct gray {
    const survival_order *order;
    size_t k;
    double cause, rho;
    double *score, *covariance;       /* k, k x k */
    double *at_risk;                  /* by group, now */
    double *survival, *incidence;     /* by group, just before */
    double *survival_now;
    double *died, *others;            /* by group, now */
    double *a, *ahead;                /* k x k: a_ik, e_ik */
    double share;                     /* F, just before */
} gray;

typedef struct totals {
    double h, r, died, share; /* share: F, now */
} totals;

static void count_events(const survival_walk *walk, gray *g)
{
    const bd_survival_rows *rows = g->order->rows;
    memset(g->died, 0, g->k * sizeof *g->died);
    memset(g->others, 0, g->k * sizeof *g->others);
    for (size_t r = walk->first; r < walk->end; r++) {
        const size_t i = g->order->by_stop[r];
        g->died[rows->group[i]] += rows->event[i] == g->cause;
        g->others[rows->group[i]] += rows->event[i] > 0 && rows->event[i] != g->cause;
    }
}

/* Sums over groups at a time, and a_ik. */
static totals add_up(gray *g)
{
    totals t = {0};
    for (size_t i = 0; i < g->k; i++) {
        t.died += g->died[i];
        if (!(g->at_risk[i] > 0))
            continue;
        t.h += g->at_risk[i] / g->survival[i];
        t.r += g->at_risk[i] / g->survival[i] * (1 - g->incidence[i]);
        g->survival_now[i] = g->survival[i] * (g->at_risk[i] - g->died[i] - g->others[i]) / g->at_risk[i];
    }
    t.share = g->share + t.died / t.h;
    const double w = pow(1 - g->share, g->rho);
    for (size_t i = 0; i < g->k; i++)
        for (size_t k = 0; k < g->k; k++) {
            const bool both = g->at_risk[i] > 0 && g->at_risk[k] > 0;
            const double hi = both ? g->at_risk[i] / g->survival[i] : 0, hk = both ? g->at_risk[k] / g->survival[k] : 0;
            g->a[i * g->k + k] = both ? w * hi * ((i == k) - hk / t.h) : 0;
        }
    return t;
}

static void add_score(const totals *t, gray *g)
{
    const double w = pow(1 - g->share, g->rho);
    for (size_t i = 0; i < g->k; i++)
        if (g->at_risk[i] > 0)
            g->score[i] += w * (g->died[i] - t->died * (g->at_risk[i] / g->survival[i] * (1 - g->incidence[i])) / t->r);
}

static void add_product(gray *g, size_t k, double spread, double own, double behind)
{
    for (size_t i = 0; i < g->k; i++)
        for (size_t j = 0; j < g->k; j++)
            g->covariance[i * g->k + j] += spread * (own * g->a[i * g->k + k] + behind * g->ahead[i * g->k + k]) *
                                           (own * g->a[j * g->k + k] + behind * g->ahead[j * g->k + k]);
}

/* What group k adds; the factors of ties are hypergeometric. */
static void add_variance(const totals *t, size_t k, gray *g)
{
    const double n = g->at_risk[k], s = g->survival[k], now = g->survival_now[k];
    if (!(n > 0))
        return;
    if (t->died > 0) {
        const double ties = t->died > 1 ? 1 - (t->died - 1) / (t->h * s - 1) : 1;
        add_product(g, k, ties * s * t->died / (t->h * n), 1, now > 0 ? 1 - (1 - t->share) / now : 1);
    }
    if (g->others[k] > 0 && now > 0) {
        const double ties = g->others[k] > 1 ? 1 - (g->others[k] - 1) / (n - 1) : 1;
        add_product(g, k, ties * s * s * g->others[k] / (n * n), 0, (1 - t->share) / now);
    }
}

/* Through the times of a stratum: first e_ik from the start is summed up, then, with the score, run down again. */
static void add_stratum(size_t stratum, bool first_pass, gray *g)
{
    const bd_survival_rows *rows = g->order->rows;
    survival_walk walk = survival_begin(g->order, stratum);
    memset(g->at_risk, 0, g->k * sizeof *g->at_risk);
    for (size_t r = g->order->first[stratum]; r < g->order->first[stratum + 1]; r++)
        g->at_risk[rows->group[g->order->by_stop[r]]]++;
    for (size_t i = 0; i < g->k; i++) {
        g->survival[i] = g->survival_now[i] = 1;
        g->incidence[i] = 0;
    }
    g->share = 0;
    while (survival_next(&walk)) {
        count_events(&walk, g);
        const totals t = add_up(g);
        for (size_t i = 0; i < g->k * g->k; i++)
            g->ahead[i] += (first_pass ? 1 : -1) * g->a[i] * t.died / (t.h * (1 - g->share));
        for (size_t k = 0; k < g->k && !first_pass; k++)
            add_variance(&t, k, g);
        if (!first_pass)
            add_score(&t, g);
        for (size_t i = 0; i < g->k; i++) {
            g->incidence[i] += g->at_risk[i] > 0 ? g->survival[i] * g->died[i] / g->at_risk[i] : 0;
            g->survival[i] = g->survival_now[i];
        }
        g->share = t.share;
        for (size_t r = walk.first; r < walk.end; r++)
            g->at_risk[rows->group[g->order->by_stop[r]]]--;
    }
}

static bd_status make(const survival_order *order, size_t cause, double rho, bd_arena *arena, gray *g)
{
    const size_t k = order->rows->n_groups;
    double **vectors[] = {&g->at_risk, &g->survival, &g->survival_now, &g->incidence, &g->died, &g->others};
    g->order = order;
    g->k = k;
    g->cause = (double)cause;
    g->rho = rho;
    for (size_t j = 0; j < sizeof vectors / sizeof *vectors; j++)
        BD_NEW(arena, *vectors[j], k);
    BD_NEW(arena, g->a, k * k);
    BD_NEW(arena, g->ahead, k * k);
    BD_NEW(arena, g->covariance, k * k);
    return BD_OK;
}

static bd_status check(const bd_survival_rows *rows, size_t n_causes, size_t cause, double rho)
{
    if (cause < 1 || cause > n_causes)
        return bd_fail(BD_EUSAGE, "there is no cause %zu; they are 1 to %zu", cause, n_causes);
    if (!isfinite(rho))
        return bd_fail(BD_EUSAGE, "the weights of Gray's test have an exponent of %g", rho);
    if (rows->start != NULL)
        return bd_fail(BD_EUSAGE, "Gray's test takes rows that are at risk from 0, not late entry");
    if (rows->weights != NULL)
        return bd_fail(BD_EUSAGE, "Gray's test takes no weights");
    return BD_OK;
}

bd_status bd_gray_test(const bd_survival_rows *rows, size_t n_causes, size_t cause, double rho, bd_arena *arena,
                       const bd_gray **test)
{
    const size_t k = rows->n_groups;
    survival_order order;
    bd_gray *result;
    bool *counts;
    gray g = {0};
    BD_TRY(check(rows, n_causes, cause, rho));
    BD_NEW(arena, result, 1);
    BD_NEW(arena, g.score, k + 1);
    const bd_mark scratch = bd_arena_mark(arena);
    BD_TRY(survival_sort(rows, (double)n_causes, rows->strata, rows->n_strata, arena, &order));
    BD_TRY(survival_check_causes(rows, n_causes));
    BD_TRY(survival_check_groups(rows, "Gray's test", arena));
    BD_TRY(make(&order, cause, rho, arena, &g));
    for (size_t s = 0; s < order.n_groups; s++) {
        add_stratum(s, true, &g);
        add_stratum(s, false, &g);
        memset(g.ahead, 0, k * k * sizeof *g.ahead);
    }
    BD_NEW(arena, counts, k);
    for (size_t i = 0; i < rows->n_rows; i++)
        counts[rows->group[i]] = true;
    *result = (bd_gray){.n_groups = k, .score = g.score};
    BD_TRY(survival_compare(k, counts, g.score, g.covariance, arena, &result->statistic, &result->df));
    if (result->df == 0)
        return bd_fail(BD_EDATA, "no two groups are at risk together when an event happens; they cannot be compared");
    result->p = gsl_cdf_chisq_Q(result->statistic, result->df);
    bd_arena_rewind(arena, scratch);
    *test = result;
    return BD_OK;
}
