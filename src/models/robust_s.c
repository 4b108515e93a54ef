/* S estimation: the fit whose residuals have the least robust scale, from many fits through a few rows. */
#include <math.h>
#include <string.h>

#include "models/robust_internal.h"

enum { KEPT = 5, SEARCHED = 2000, N_SUBSETS = 500, FIRST_STEPS = 2, MOST_STEPS = 5000 };

static const double LAST_STEP = 1e-13, ROUNDING = 1e-10;

double robust_chi(double u)
{
    const double t = (u / ROBUST_S_TUNING) * (u / ROBUST_S_TUNING);
    return t < 1 ? t * (3 + t * (t - 3)) : 1;
}

double robust_chi_slope(double u)
{
    return 6 / (ROBUST_S_TUNING * ROBUST_S_TUNING) * u * robust_bisquare_weight(u, ROBUST_S_TUNING);
}

/* What the sum of chi is to be: half of the degrees of freedom, as in robustbase. */
static double wanted(const robust_state *s)
{
    return (s->n - (double)s->robust->design->n_columns) / 2;
}

/* The sum of chi at this scale, and its fall by the logarithm of the scale. */
static double sum_chi(const robust_state *s, double scale, double *fall)
{
    double sum = 0;
    *fall = 0;
    for (size_t i = 0; i < s->robust->design->n_rows; i++) {
        const double weight = robust_weight(s, i), u = s->residuals[i] / scale;
        if (weight == 0)
            continue;
        sum += weight * robust_chi(u);
        *fall += weight * robust_chi_slope(u) * u;
    }
    return sum;
}

/* The scale at which the sum is as wanted, by Newton's method between bounds; 0 when more than half of the rows fit. */
static double solve_scale(const robust_state *s, double start)
{
    double low = 0, high = INFINITY, scale = start, off_fit = 0, fall, largest = 0;
    for (size_t i = 0; i < s->robust->design->n_rows; i++) {
        off_fit += s->residuals[i] != 0 ? robust_weight(s, i) : 0;
        largest = fmax(largest, robust_weight(s, i) > 0 ? fabs(s->residuals[i]) : 0);
    }
    if (off_fit <= wanted(s))
        return 0;
    if (!(scale > 1e-12 * largest))
        scale = largest;
    for (size_t step = 0; step < 300; step++) {
        const double surplus = sum_chi(s, scale, &fall) - wanted(s);
        *(surplus > 0 ? &low : &high) = scale;
        double next = scale * exp(fmax(-3, fmin(3, surplus / fall)));
        if (!(next > low && next < high))
            next = low > 0 && isfinite(high) ? sqrt(low * high) : surplus > 0 ? 2 * scale : scale / 2;
        if (fabs(next - scale) <= 1e-15 * scale)
            return next;
        scale = next;
    }
    return scale;
}

static void weigh(robust_state *s)
{
    for (size_t i = 0; i < s->robust->design->n_rows; i++)
        s->factors[i] = robust_weight(s, i) * robust_bisquare_weight(s->residuals[i] / s->scale, ROBUST_S_TUNING);
}

bd_likelihood_end robust_refine_s(robust_state *s)
{
    double before = INFINITY;
    robust_look(s);
    s->scale = solve_scale(s, s->scale > 0 ? s->scale : robust_mad(s));
    for (s->n_iterations = 1; s->n_iterations <= MOST_STEPS; s->n_iterations++) {
        if (robust_is_exact(s))
            return BD_LIKELIHOOD_AT_LIMIT;
        weigh(s);
        const double length = robust_step(s);
        if (length < 0)
            return BD_LIKELIHOOD_NOT_CONVERGED;
        s->scale = solve_scale(s, s->scale);
        if (length <= LAST_STEP * s->scale || (length <= ROUNDING * s->scale && length >= before))
            return BD_LIKELIHOOD_CONVERGED;
        before = length;
    }
    return BD_LIKELIHOOD_NOT_CONVERGED;
}

/* Knuth's linear congruential generator; its upper bits. Which subsets are drawn matters little, that they are the same
 * each time does. */
static size_t draw(uint64_t *state, size_t n)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)((*state >> 32) * n >> 32);
}

/* gamma <- the fit through p rows drawn, which are orthogonalised one after the other; false: they are not independent.
 */
static bool fit_subset(robust_state *s, uint64_t *generator)
{
    const size_t n = s->robust->design->n_rows, p = s->robust->design->n_columns;
    double *rotated = s->root;
    memset(s->gamma, 0, p * sizeof *s->gamma);
    for (size_t rank = 0, tries = 0; rank < p; tries++) {
        if (tries > 50 * p)
            return false;
        const size_t row = draw(generator, n);
        if (robust_weight(s, row) == 0)
            continue;
        double *own = rotated + rank * p, length = 0, rest = 0;
        memcpy(own, s->robust->columns + row * p, p * sizeof *own);
        double left = s->robust->design->response[row];
        for (size_t j = 0; j < p; j++) {
            length = hypot(length, own[j]);
            left -= own[j] * s->gamma[j];
        }
        for (size_t twice = 0; twice < 2; twice++)
            for (size_t k = 0; k < rank; k++) {
                double share = 0;
                for (size_t j = 0; j < p; j++)
                    share += own[j] * rotated[k * p + j];
                for (size_t j = 0; j < p; j++)
                    own[j] -= share * rotated[k * p + j];
            }
        for (size_t j = 0; j < p; j++)
            rest = hypot(rest, own[j]);
        if (!(rest > 1e-7 * length))
            continue;
        for (size_t j = 0; j < p; j++) {
            own[j] /= rest;
            s->gamma[j] += own[j] * left / rest; /* goes through this row, and still through those before */
        }
        rank++;
    }
    return true;
}

/* Puts gamma and its scale among the best, the worst of which is the last. */
static void keep(const robust_state *s, double *best, size_t *n_kept)
{
    const size_t p = s->robust->design->n_columns;
    size_t at = *n_kept < KEPT ? (*n_kept)++ : KEPT - 1;
    for (; at > 0 && best[(at - 1) * (p + 1) + p] > s->scale; at--)
        memcpy(best + at * (p + 1), best + (at - 1) * (p + 1), (p + 1) * sizeof *best);
    memcpy(best + at * (p + 1), s->gamma, p * sizeof *best);
    best[at * (p + 1) + p] = s->scale;
}

/* Two steps from the subset's fit, with the scale one step behind. */
static bool improve(robust_state *s)
{
    double fall;
    robust_look(s);
    s->scale = robust_mad(s);
    for (size_t step = 0; step < FIRST_STEPS && s->scale > 0; step++) {
        s->scale *= sqrt(sum_chi(s, s->scale, &fall) / wanted(s));
        if (!(s->scale > 0))
            break;
        weigh(s);
        if (robust_step(s) < 0)
            return false;
    }
    return true;
}

/* best <- the candidates of least scale among fits through a few rows. Returns how many there are. */
static size_t find_candidates(robust_state *s, double *best)
{
    const size_t p = s->robust->design->n_columns;
    uint64_t generator = 20110401;
    size_t n_kept = 0;
    double fall;
    for (size_t subset = 0; subset < N_SUBSETS; subset++) {
        if (!fit_subset(s, &generator) || !improve(s))
            continue;
        const double worst = n_kept < KEPT ? INFINITY : best[(KEPT - 1) * (p + 1) + p];
        if (isfinite(worst) && !(worst > 0 && sum_chi(s, worst, &fall) < wanted(s)))
            continue;
        s->scale = solve_scale(s, s->scale);
        keep(s, best, &n_kept);
    }
    return n_kept;
}

/* gamma and scale <- the best of the candidates, each refined until it stands. */
static bd_likelihood_end refine_candidates(robust_state *s, double *best, size_t n_kept)
{
    const size_t p = s->robust->design->n_columns;
    size_t winner = 0;
    if (n_kept == 0)
        return BD_LIKELIHOOD_NOT_CONVERGED;
    for (size_t k = 0; k < n_kept; k++) {
        memcpy(s->gamma, best + k * (p + 1), p * sizeof *best);
        s->scale = best[k * (p + 1) + p];
        const bd_likelihood_end end = robust_refine_s(s);
        if (end != BD_LIKELIHOOD_CONVERGED && end != BD_LIKELIHOOD_AT_LIMIT)
            s->scale = INFINITY;
        memcpy(best + k * (p + 1), s->gamma, p * sizeof *best);
        best[k * (p + 1) + p] = s->scale;
        winner = s->scale < best[winner * (p + 1) + p] ? k : winner;
    }
    memcpy(s->gamma, best + winner * (p + 1), p * sizeof *best);
    s->scale = best[winner * (p + 1) + p];
    robust_look(s);
    if (s->scale == 0)
        return BD_LIKELIHOOD_AT_LIMIT;
    return isfinite(s->scale) ? BD_LIKELIHOOD_CONVERGED : BD_LIKELIHOOD_NOT_CONVERGED;
}

/* Of many rows, SEARCHED with a weight, each as likely as any other: Knuth's algorithm S. */
static bd_status sample_rows(const robust_state *s, bd_arena *arena, bd_robust *part)
{
    const bd_ols_design *whole = s->robust->design;
    const size_t p = whole->n_columns;
    uint64_t generator = 20110402;
    size_t left = s->robust->basis->n_used, taken = 0;
    bd_ols_design *design;
    double *response, *weights;
    BD_NEW(arena, design, 1);
    BD_NEW(arena, response, SEARCHED);
    BD_NEW(arena, weights, SEARCHED);
    BD_NEW(arena, part->columns, SEARCHED * p);
    for (size_t i = 0; i < whole->n_rows && taken < SEARCHED; i++) {
        if (robust_weight(s, i) == 0)
            continue;
        if (draw(&generator, left--) >= SEARCHED - taken)
            continue;
        response[taken] = whole->response[i];
        weights[taken] = robust_weight(s, i);
        memcpy(part->columns + taken * p, s->robust->columns + i * p, p * sizeof *part->columns);
        taken++;
    }
    *design = *whole;
    design->n_rows = taken;
    design->response = response;
    design->weights = weights;
    part->design = design;
    return BD_OK;
}

bd_status robust_search_s(robust_state *s, bd_arena *arena, bd_likelihood_end *end)
{
    const size_t p = s->robust->design->n_columns;
    double *best;
    size_t n_kept;
    BD_NEW(arena, best, KEPT * (p + 1));
    if (s->robust->basis->n_used > SEARCHED) {
        bd_robust part = *s->robust;
        robust_state state;
        double *scratch;
        BD_TRY(sample_rows(s, arena, &part));
        BD_NEW(arena, scratch, robust_state_size(&part));
        robust_state_place(&part, part.design->weights, scratch, &state);
        n_kept = find_candidates(&state, best);
    } else
        n_kept = find_candidates(s, best);
    *end = refine_candidates(s, best, n_kept);
    return BD_OK;
}
