/* Log-rank tests: events observed in each group less those expected, were the hazards of a time the same.
 *
 *     expected_j = sum w d n_j / n,   cov_jk = sum w^2 d (n - d) / (n - 1)  n_j / n  (1{j = k} - n_k / n) */
#include <bordin/models/logrank.h>

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "models/survival_sweep.h"

typedef struct tally {
    const bd_survival_rows *rows;
    const bd_logrank_options *options;
    bd_logrank_group *groups;
    double *covariance;
    doubled *at_risk; /* by group, in the stratum that is walked through */
    double *died;     /* by group, now */
} tally;

static double weight_of_time(const bd_logrank_options *options, double at_risk, double survival)
{
    return pow(at_risk, options->at_risk) * pow(survival, options->rho) * pow(1 - survival, options->gamma);
}

static void add_time(tally *t, double n, double d, double weight)
{
    const size_t k = t->rows->n_groups;
    const double spread = n > 1 ? weight * weight * d * (n - d) / (n - 1) : 0;
    for (size_t i = 0; i < k; i++) {
        const double share = t->at_risk[i].high / n;
        t->groups[i].events += t->died[i];
        t->groups[i].observed += weight * t->died[i];
        t->groups[i].expected += weight * d * share;
        for (size_t j = 0; j < k; j++)
            t->covariance[i * k + j] += spread * share * ((i == j) - t->at_risk[j].high / n);
    }
}

static void change(tally *t, uint32_t row, double sign)
{
    doubled *at_risk = &t->at_risk[t->rows->group[row]];
    *at_risk = doubled_add(*at_risk, (doubled){sign * survival_weight(t->rows, row), 0});
}

static void add_stratum(const survival_order *order, size_t stratum, tally *t)
{
    const uint32_t *entering = order->by_start != NULL ? order->by_start : order->by_stop;
    const size_t k = t->rows->n_groups;
    survival_walk walk = survival_begin(order, stratum);
    double survival = 1;
    size_t entered = order->first[stratum];
    memset(t->at_risk, 0, k * sizeof *t->at_risk);
    while (survival_next(&walk)) {
        double died = 0;
        const double n = walk.at_risk.high;
        for (; entered < walk.entered; entered++)
            change(t, entering[entered], 1);
        memset(t->died, 0, k * sizeof *t->died);
        for (size_t r = walk.first; r < walk.end; r++) {
            const uint32_t row = order->by_stop[r];
            const double weight = survival_weight(t->rows, row);
            t->groups[t->rows->group[row]].n += weight;
            t->died[t->rows->group[row]] += t->rows->event[row] == 1 ? weight : 0;
            died += t->rows->event[row] == 1 ? weight : 0;
        }
        if (died > 0)
            add_time(t, n, died, weight_of_time(t->options, n, survival));
        survival *= fmax(1 - died / n, 0);
        for (size_t r = walk.first; r < walk.end; r++)
            change(t, order->by_stop[r], -1);
    }
}

static bd_status check(const bd_survival_rows *rows, const bd_logrank_options *options, bd_arena *arena)
{
    const double exponents[] = {options->at_risk, options->rho, options->gamma};
    for (size_t k = 0; k < 3; k++)
        if (!(exponents[k] >= 0 && isfinite(exponents[k])))
            return bd_fail(BD_EUSAGE, "the weights of a log-rank test have an exponent of %g; exponents are 0 or more",
                           exponents[k]);
    return survival_check_groups(rows, "a log-rank test", arena);
}

bd_status bd_logrank_test(const bd_survival_rows *rows, const bd_logrank_options *options, bd_arena *arena,
                          const bd_logrank **test)
{
    const size_t k = rows->n_groups;
    bd_logrank *result;
    tally t = {.rows = rows, .options = options};
    survival_order order;
    BD_NEW(arena, result, 1);
    BD_NEW(arena, t.groups, k + 1);
    BD_NEW(arena, t.covariance, k * k + 1);
    const bd_mark scratch = bd_arena_mark(arena);
    BD_TRY(survival_sort(rows, 1, rows->strata, rows->n_strata, arena, &order));
    BD_TRY(check(rows, options, arena));
    BD_NEW(arena, t.at_risk, k);
    BD_NEW(arena, t.died, k);
    for (size_t s = 0; s < order.n_groups; s++)
        add_stratum(&order, s, &t);
    *result = (bd_logrank){.n_groups = k, .groups = t.groups, .covariance = t.covariance};
    double *difference;
    bool *counts;
    BD_NEW(arena, difference, k);
    BD_NEW(arena, counts, k);
    for (size_t g = 0; g < k; g++) {
        difference[g] = t.groups[g].observed - t.groups[g].expected;
        counts[g] = t.groups[g].expected > 0;
    }
    BD_TRY(survival_compare(k, counts, difference, t.covariance, arena, &result->statistic, &result->df));
    if (result->df == 0)
        return bd_fail(BD_EDATA, "no two groups are at risk together when an event happens; they cannot be compared");
    result->p = gsl_cdf_chisq_Q(result->statistic, result->df);
    bd_arena_rewind(arena, scratch);
    *test = result;
    return BD_OK;
}
