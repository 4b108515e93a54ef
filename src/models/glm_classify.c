/* Discrimination and calibration of fitted probabilities: AUC, Brier score, calibration line, Hosmer and Lemeshow's
 * test. */
#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_cdf.h>

#include "models/glm_internal.h"

enum { GROUPS = 10 };

/* A row: how often the event happened, and how often not. */
typedef struct graded {
    double mu, events, others;
} graded;

static int by_mu(const void *a, const void *b)
{
    const double x = ((const graded *)a)->mu, y = ((const graded *)b)->mu;
    return (x > y) - (x < y);
}

static bd_status grade(const bd_glm_design *design, const bd_glm *fit, bd_arena *arena, graded **out, size_t *n)
{
    graded *rows;
    BD_NEW(arena, rows, fit->n_rows);
    *n = 0;
    for (size_t i = 0; i < fit->n_rows; i++) {
        const double weight = design->base.weights == NULL ? 1 : design->base.weights[i];
        const double trials = design->trials == NULL ? 1 : design->trials[i], events = design->base.response[i];
        if (weight > 0)
            rows[(*n)++] = (graded){fit->mu[i], weight * events, weight * (trials - events)};
    }
    qsort(rows, *n, sizeof *rows, by_mu);
    *out = rows;
    return BD_OK;
}

/* Running sums of squares about a mean. */
typedef struct spread {
    double n, mean, squares;
} spread;

static void add(spread *s, double value, double times)
{
    if (times == 0)
        return;
    const double apart = value - s->mean;
    s->n += times;
    s->mean += apart * times / s->n;
    s->squares += times * apart * (value - s->mean);
}

/* For each event the share of the others that are below, for each other the share of events above, ties by halves:
 * their means are the AUC, and DeLong's variance is that of the two means. */
static void discriminate(const graded *rows, size_t n, bool with_error, double level, bd_glm_classification *c)
{
    double others_below = 0, events_below = 0;
    spread events = {0}, others = {0};
    for (size_t from = 0, end; from < n; from = end) {
        double tied_events = 0, tied_others = 0;
        for (end = from; end < n && rows[end].mu == rows[from].mu; end++) {
            tied_events += rows[end].events;
            tied_others += rows[end].others;
        }
        add(&events, (others_below + tied_others / 2) / c->n_others, tied_events);
        add(&others, 1 - (events_below + tied_events / 2) / c->n_events, tied_others);
        events_below += tied_events;
        others_below += tied_others;
    }
    c->auc = events.mean;
    c->auc_se = c->auc_low = c->auc_high = NAN;
    if (!with_error || !(c->n_events > 1) || !(c->n_others > 1))
        return;
    c->auc_se = sqrt(events.squares / (events.n - 1) / events.n + others.squares / (others.n - 1) / others.n);
    const double margin = c->auc_se * gsl_cdf_ugaussian_Pinv(0.5 + level / 2);
    c->auc_low = fmax(0, c->auc - margin);
    c->auc_high = fmin(1, c->auc + margin);
}

/* Logistic regression of the outcome on the logit of the fitted probability. */
static bd_status calibrate(const bd_glm_design *design, const bd_glm *fit, bd_arena *arena, bd_glm_classification *c)
{
    double *logit;
    const bd_glm *line;
    bool varies = false;
    BD_NEW(arena, logit, fit->n_rows);
    for (size_t i = 0; i < fit->n_rows; i++) {
        logit[i] = bd_logit.of(fit->mu[i]);
        varies = varies || fabs(logit[i] - logit[0]) > 1e-8 * (1 + fabs(logit[0]));
        if (!isfinite(logit[i]))
            return BD_OK;
    }
    if (!varies)
        return BD_OK;
    if (fit->link == &bd_logit && !fit->firth && design->base.has_intercept && design->offset == NULL) {
        c->calibration_intercept = 0; /* its score equations are those of the fit */
        c->calibration_slope = 1;
        return BD_OK;
    }
    bd_glm_design on_logit = *design;
    on_logit.base.columns = (const double *const[]){NULL, logit};
    on_logit.base.names = (const char *const[]){"(Intercept)", "logit"};
    on_logit.base.n_columns = 2;
    on_logit.base.has_intercept = true;
    on_logit.offset = NULL;
    BD_TRY(bd_glm_fit(&on_logit, &bd_binomial, &bd_logit, &bd_se_classical, &BD_GLM_DEFAULTS, arena, &line));
    if (line->end == BD_GLM_CONVERGED) {
        c->calibration_intercept = line->coefficients[0].estimate;
        c->calibration_slope = line->coefficients[1].estimate;
    }
    return BD_OK;
}

static double decile(const graded *rows, size_t n, int k)
{
    const double place = (double)(n - 1) * k / GROUPS, below = floor(place);
    const size_t i = (size_t)below;
    return i + 1 < n ? rows[i].mu + (place - below) * (rows[i + 1].mu - rows[i].mu) : rows[i].mu;
}

/* Sum of (observed - expected)^2 / expected, events and others, over groups between deciles of the fitted. */
static void test_groups(const graded *rows, size_t n, bd_glm_classification *c)
{
    size_t n_groups = 0, from = 0;
    double sum = 0;
    for (int k = 1; k <= GROUPS && from < n; k++) {
        const double top = k == GROUPS ? INFINITY : decile(rows, n, k);
        if (top <= rows[0].mu)
            continue; /* the lowest value is no group of its own */
        double observed = 0, expected = 0, size = 0;
        for (; from < n && rows[from].mu <= top; from++, size++) {
            observed += rows[from].events;
            expected += rows[from].mu;
        }
        if (size == 0)
            continue;
        const double apart = observed - expected;
        sum += apart * apart / expected + apart * apart / (size - expected);
        n_groups++;
    }
    if (n_groups < 3)
        return;
    c->hosmer_lemeshow = sum;
    c->hosmer_lemeshow_df = (double)n_groups - 2;
    c->hosmer_lemeshow_p = gsl_cdf_chisq_Q(sum, c->hosmer_lemeshow_df);
}

static void sum_up(const graded *rows, size_t n, bd_glm_classification *c)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        c->n_events += rows[i].events;
        c->n_others += rows[i].others;
        squares += rows[i].events * (1 - rows[i].mu) * (1 - rows[i].mu) + rows[i].others * rows[i].mu * rows[i].mu;
    }
    c->brier = squares / (c->n_events + c->n_others);
}

bd_status bd_glm_classify(const bd_glm_design *design, const bd_glm *fit, bd_arena *arena,
                          const bd_glm_classification **out)
{
    if (fit->family->response != GLM_BINARY)
        return bd_fail(BD_EUSAGE, "only a binomial outcome is classified, not one of family %s", fit->family->name);
    if (fit->end == BD_GLM_SEPARATED || fit->end == BD_GLM_NOT_CONVERGED)
        return bd_fail(BD_ENUMERIC, "the model has no finite estimates, so it classifies nothing");
    bd_glm_classification *c;
    graded *rows = NULL;
    size_t n = 0;
    const bool plain = design->base.weights == NULL && design->trials == NULL;
    BD_NEW(arena, c, 1);
    c->calibration_intercept = c->calibration_slope = NAN;
    c->hosmer_lemeshow = c->hosmer_lemeshow_df = c->hosmer_lemeshow_p = NAN;
    const bd_mark scratch = bd_arena_mark(arena);
    BD_TRY(grade(design, fit, arena, &rows, &n));
    sum_up(rows, n, c);
    discriminate(rows, n, plain, fit->level, c);
    if (plain)
        test_groups(rows, n, c);
    BD_TRY(calibrate(design, fit, arena, c));
    bd_arena_rewind(arena, scratch);
    *out = c;
    return BD_OK;
}
