/* The wild bootstrap of a coefficient: draws, what they come to under any hypothesis, and the interval. */
#include <bordin/analyses/wild.h>

#include <math.h>
#include <string.h>

#include <omp.h>

#include <bordin/random/philox.h>

#include "analyses/wild_internal.h"

enum { LANES = 8, CHUNK = 32 }; /* replicates at a time, and clusters */

/* Of what t is made of; a difference this small is rounding, and a tie. */
static const double tie = 1e-9;

/* What a replicate comes to, for any shift: b* - r = b0 + b1 * shift, and the sum of squared scores is
 * s00 + 2 s01 * shift + s11 * shift^2. */
typedef struct replicate {
    double b0, b1, s00, s01, s11;
} replicate;

typedef struct wild_run {
    const cluster_sums *sums;
    const bd_wild_options *options;
    const bd_wild_weights *weights;
    uint64_t thresholds[BD_WILD_MOST_POINTS]; /* of the random word, from which on each point is meant */
    replicate *replicates;
    size_t n_draws;
    bool enumerated;
    int n_threads;
} wild_run;

/* v <- of replicate `draw`, the weights of `n` clusters from `first` on, LANES apart. */
static void draw_weights(const wild_run *run, size_t draw, size_t first, size_t n, double *v)
{
    const bd_wild_weights *weights = run->weights;
    for (size_t i = 0; i < n; i += 4) {
        uint32_t words[4];
        bd_philox(run->options->seed,
                  (bd_counter){.index = (uint32_t)((first + i) / 4),
                               .block = (uint32_t)(draw >> 32),
                               .stream = (uint32_t)draw,
                               .purpose = BD_PURPOSE_WILD},
                  words);
        for (size_t w = 0; w < 4 && i + w < n; w++) {
            size_t point = 0;
            for (size_t k = 1; k < weights->n_points; k++)
                point += words[w] >= run->thresholds[k];
            v[(i + w) * LANES] = weights->points[point];
        }
    }
}

static void enumerate_weights(size_t draw, size_t first, size_t n, double *v)
{
    for (size_t i = 0; i < n; i++)
        v[i * LANES] = draw >> (first + i) & 1 ? 1 : -1;
}

/* v (n x LANES) <- weights of LANES replicates; totals (2p x LANES) <- sum over clusters of v_g U_g'e_g, and of
 * v_g U_g'a_g. */
static void add_totals(const wild_run *run, size_t draw, double *v, double *totals)
{
    const cluster_sums *sums = run->sums;
    const size_t n_lanes = run->n_draws - draw < LANES ? run->n_draws - draw : LANES;
    memset(totals, 0, 2 * sums->p * LANES * sizeof *totals);
    for (size_t first = 0; first < sums->n; first += CHUNK) {
        const size_t n = sums->n - first < CHUNK ? sums->n - first : CHUNK;
        const double *records = sums->records + first * sums->stride;
        double *drawn = v + first * LANES;
        for (size_t lane = 0; lane < n_lanes; lane++)
            if (run->enumerated)
                enumerate_weights(draw + lane, first, n, drawn + lane);
            else
                draw_weights(run, draw + lane, first, n, drawn + lane);
        for (size_t k = 0; k < 2 * sums->p; k++) {
            double sum[LANES];
            memcpy(sum, totals + k * LANES, sizeof sum);
            for (size_t i = 0; i < n; i++)
#pragma omp simd
                for (size_t lane = 0; lane < LANES; lane++)
                    sum[lane] += records[i * sums->stride + k] * drawn[i * LANES + lane];
            memcpy(totals + k * LANES, sum, sizeof sum);
        }
    }
}

/* Sums over clusters of the squares and the product of a score's two parts, the second of which goes with the shift. */
static void add_scores(const cluster_sums *sums, const double *v, const double *totals, double squares[3][LANES])
{
    const size_t p = sums->p;
    for (size_t g = 0; g < sums->n; g++) {
        const double *record = sums->records + g * sums->stride, *leverage = record + p;
        double fixed[LANES], shifting[LANES];
        for (size_t lane = 0; lane < LANES; lane++) {
            fixed[lane] = v[g * LANES + lane] * record[2 * p];
            shifting[lane] = v[g * LANES + lane] * record[2 * p + 1];
        }
        for (size_t k = 0; k < p; k++)
#pragma omp simd
            for (size_t lane = 0; lane < LANES; lane++) {
                fixed[lane] -= leverage[k] * totals[k * LANES + lane];
                shifting[lane] -= leverage[k] * totals[(p + k) * LANES + lane];
            }
        for (size_t lane = 0; lane < LANES; lane++) {
            squares[0][lane] += fixed[lane] * fixed[lane];
            squares[1][lane] += fixed[lane] * shifting[lane];
            squares[2][lane] += shifting[lane] * shifting[lane];
        }
    }
}

static void evaluate_batch(const wild_run *run, size_t first, double *v, double *totals)
{
    const cluster_sums *sums = run->sums;
    const size_t n = run->n_draws - first < LANES ? run->n_draws - first : LANES;
    double squares[3][LANES] = {{0}};
    add_totals(run, first, v, totals);
    add_scores(sums, v, totals, squares);
    for (size_t lane = 0; lane < n; lane++) {
        replicate r = {.s00 = squares[0][lane], .s01 = squares[1][lane], .s11 = squares[2][lane]};
        for (size_t k = 0; k < sums->p; k++) {
            r.b0 += sums->row[k] * totals[k * LANES + lane];
            r.b1 += sums->row[k] * totals[(sums->p + k) * LANES + lane];
        }
        run->replicates[first + lane] = r;
    }
}

static bd_status run_draws(wild_run *run, bd_arena *arena)
{
    const cluster_sums *sums = run->sums;
    const size_t room = (sums->n + 2 * sums->p) * LANES, n_batches = (run->n_draws + LANES - 1) / LANES;
    double *scratch;
    BD_NEW(arena, run->replicates, run->n_draws);
    BD_NEW(arena, scratch, (size_t)run->n_threads * room);
#pragma omp parallel for num_threads(run->n_threads) schedule(dynamic, 16) if (n_batches > 16)
    for (size_t batch = 0; batch < n_batches; batch++) {
        double *v = scratch + (size_t)omp_get_thread_num() * room;
        evaluate_batch(run, batch * LANES, v, v + sums->n * LANES);
    }
    return BD_OK;
}

static double statistic(const cluster_sums *sums, const replicate *r, double shift)
{
    const double squares = r->s00 + shift * (2 * r->s01 + shift * r->s11);
    return (r->b0 + shift * r->b1) / sqrt(sums->factor * fmax(squares, 0));
}

/* Draws that lie as far out as the t of a hypothesis. One without an error, 0 / 0, counts everywhere. */
typedef struct tally {
    size_t beyond, below, above; /* |t*| >= |t|, t* <= t, t* >= t */
} tally;

static tally count(const wild_run *run, double hypothesis)
{
    const cluster_sums *sums = run->sums;
    const double distance = sums->estimate - hypothesis, t = distance / sums->se, slack = tie * fabs(t) + 1e-12;
    const double shift = run->options->impose_null ? distance / sums->squares : 0;
    size_t beyond = 0, below = 0, above = 0;
#pragma omp parallel for num_threads(run->n_threads) reduction(+ : beyond, below, above) if (run->n_draws > 20000)
    for (size_t i = 0; i < run->n_draws; i++) {
        const double drawn = statistic(sums, run->replicates + i, shift);
        beyond += !(fabs(drawn) < fabs(t) - slack);
        below += !(drawn > t + slack);
        above += !(drawn < t - slack);
    }
    return (tally){beyond, below, above};
}

static bool is_rejected(const wild_run *run, double hypothesis)
{
    const double n = (double)run->n_draws;
    return (double)count(run, hypothesis).beyond <= (1 - run->options->level + 1e-12) * n;
}

/* The last value on this side of the estimate (side: -1 or 1) that is not rejected, by doubling and bisection. Draws of
 * weights that are all alike have |t*| = |t| everywhere, and where they alone are enough there is no end; a million
 * errors away rounding has not yet told them apart. */
static double find_end(const wild_run *run, double side)
{
    enum { MOST_DOUBLINGS = 20, MOST_HALVINGS = 200 };
    const double estimate = run->sums->estimate;
    double inside = 0, outside = run->sums->se;
    for (int i = 0; !is_rejected(run, estimate + side * outside); i++) {
        if (i == MOST_DOUBLINGS)
            return side * INFINITY;
        inside = outside;
        outside *= 2;
    }
    for (int i = 0; i < MOST_HALVINGS; i++) {
        const double middle = inside + (outside - inside) / 2, value = estimate + side * middle;
        if (value == estimate + side * inside || value == estimate + side * outside)
            break;
        if (is_rejected(run, value))
            outside = middle;
        else
            inside = middle;
    }
    return estimate + side * inside;
}

static bd_status check_options(const bd_ols_design *design, size_t coefficient, const bd_wild_options *options)
{
    if (coefficient >= design->n_columns)
        return bd_fail(BD_EUSAGE, "there is no coefficient number %zu among %zu", coefficient, design->n_columns);
    if (!(options->level > 0 && options->level < 1))
        return bd_fail(BD_EUSAGE, "the level of an interval lies between 0 and 1, and %g does not", options->level);
    if (options->n_replicates == 0)
        return bd_fail(BD_EUSAGE, "a wild bootstrap takes one replicate or more");
    if (!isfinite(options->hypothesis))
        return bd_fail(BD_EUSAGE, "the coefficient's value under the hypothesis is not a number");
    return BD_OK;
}

static void plan_draws(wild_run *run)
{
    const size_t n = run->sums->n, asked = run->options->n_replicates;
    double below = 0;
    for (size_t k = 0; k < run->weights->n_points; k++) {
        run->thresholds[k] = (uint64_t)ceil(below * 0x1p32);
        below += run->weights->probabilities[k];
    }
    run->enumerated = run->weights == &bd_wild_rademacher && n < 8 * sizeof asked && (size_t)1 << n <= asked;
    run->n_draws = run->enumerated ? (size_t)1 << n : asked;
    run->n_threads = run->options->n_threads > 0 ? run->options->n_threads : omp_get_max_threads();
}

static void describe(const wild_run *run, bd_wild_result *result)
{
    const double hypothesis = run->options->hypothesis, n = (double)run->n_draws;
    const tally tails = count(run, hypothesis);
    result->t = (run->sums->estimate - hypothesis) / run->sums->se;
    result->p = (double)tails.beyond / n;
    result->p_equal_tailed = fmin(1, 2 * fmin((double)tails.below, (double)tails.above) / n);
    result->ci_low = find_end(run, -1);
    result->ci_high = find_end(run, 1);
    result->n_draws = run->n_draws;
    result->enumerated = run->enumerated;
    result->n_clusters = run->sums->n;
}

bd_status bd_wild_test(const bd_ols_design *design, size_t coefficient, const bd_wild_options *options,
                       bd_arena *arena, const bd_wild_result **out)
{
    BD_TRY(check_options(design, coefficient, options));
    bd_wild_result *result;
    BD_NEW(arena, result, 1);
    const bd_mark scratch = bd_arena_mark(arena);
    cluster_sums sums = {0};
    BD_TRY(wild_sum_clusters(design, coefficient, arena, &sums));
    wild_run run = {.sums = &sums, .options = options, .weights = options->weights};
    if (run.weights == NULL)
        run.weights = &bd_wild_rademacher;
    plan_draws(&run);
    BD_TRY(run_draws(&run, arena));
    describe(&run, result);
    bd_arena_rewind(arena, scratch);
    *out = result;
    return BD_OK;
}
