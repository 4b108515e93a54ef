/* Cumulative hazard and survival of a profile: Breslow's estimator, or Efron's, as the ties of the fit.
 *
 *     H(t) = e^(x - xbar)'b  sum m / S0,    var H = e^2(..) [ sum m / S0^2 + q' V q ],   q = sum (x - mean) m / S0
 *
 * Tsiatis (1981); Therneau & Grambsch (2000), section 10. */
#include <string.h>

#include <gsl/gsl_cdf.h>

#include <bordin/core/triangle.h>

#include "models/cox_at_risk.h"
#include "models/cox_model.h"

typedef struct steps {
    size_t n;
    double *times, *at_risk, *events, *jump, *square; /* ascending */
    double *means;                                    /* n x p: of u, times jumps */
} steps;

/* Groups of the stratum: from `first` up to `end`. */
static bool find_stratum(const cox_model *model, size_t stratum, size_t *first, size_t *end)
{
    const cox_rows *rows = &model->rows;
    for (*first = 0; *first < rows->n_groups; *first = *end) {
        for (*end = *first + 1; *end < rows->n_groups && !rows->opens[*end];)
            ++*end;
        const uint32_t *strata = model->design->strata;
        if ((strata == NULL ? 0 : strata[model->row_of[rows->group[*first]]]) == stratum)
            return true;
    }
    return false;
}

/* The risk sets of group g: jump, its variance's sum, means. */
static void step_of_group(const cox_model *model, const cox_sums *sums, size_t g, const at_risk *at, double *jump,
                          double *square, double *means, double *events)
{
    const cox_rows *rows = &model->rows;
    const size_t p = rows->p;
    double dying[p + 1];
    size_t n_events = 0;
    *jump = *square = *events = 0;
    memset(dying, 0, sizeof dying);
    memset(means, 0, p * sizeof *means);
    for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++)
        if (rows->event[k]) {
            n_events++;
            *events += rows->weights[k];
            dying[0] += sums->risk[k];
            for (size_t j = 0; j < p; j++)
                dying[j + 1] += sums->risk[k] * rows->u[k * p + j];
        }
    const size_t n_sets = model->ties == BD_COX_EFRON ? n_events : n_events > 0;
    for (size_t l = 0; l < n_sets; l++) {
        const double share = (double)l / (double)n_sets, m = *events / (double)n_sets;
        const double total = at->sums[0] + at->lost[0] - share * dying[0];
        *jump += m / total;
        *square += m / (total * total);
        for (size_t j = 0; j < p; j++)
            means[j] += m * (at->sums[j + 1] + at->lost[j + 1] - share * dying[j + 1]) / (total * total);
    }
}

static bd_status find_steps(const cox_model *model, const cox_sums *sums, size_t first, size_t end, bd_arena *arena,
                            steps *s)
{
    const cox_rows *rows = &model->rows;
    const size_t p = rows->p;
    double weight = 0;
    at_risk at;
    s->n = end - first;
    BD_NEW(arena, s->times, s->n);
    BD_NEW(arena, s->at_risk, s->n);
    BD_NEW(arena, s->events, s->n);
    BD_NEW(arena, s->jump, s->n);
    BD_NEW(arena, s->square, s->n);
    BD_NEW(arena, s->means, s->n * p);
    BD_NEW(arena, at.sums, 2 * (p + 1));
    at.lost = at.sums + p + 1;
    for (size_t g = first; g < end; g++) {
        const size_t i = end - 1 - g;
        step_to(rows, sums, p, rows->leaving != NULL, g, &at);
        for (size_t k = rows->group[g]; k < rows->group[g + 1]; k++)
            weight += rows->weights[k];
        for (size_t k = g == first ? rows->group[g] : rows->left == NULL ? 0 : rows->left[g - 1];
             rows->left != NULL && k < rows->left[g]; k++)
            weight -= rows->weights[rows->leaving[k]];
        s->times[i] = model->design->stop[model->row_of[rows->group[g]]];
        s->at_risk[i] = weight;
        step_of_group(model, sums, g, &at, &s->jump[i], &s->square[i], s->means + i * p, &s->events[i]);
    }
    return BD_OK;
}

/* u of the profile, and the exponent of its hazard. */
static void place_profile(const cox_model *model, const bd_cox *fit, const double *profile, double *u, double *exponent)
{
    const size_t p = model->rows.p;
    *exponent = 0;
    memset(u, 0, p * sizeof *u);
    for (size_t i = 0; profile != NULL && i < p; i++) {
        const double about = profile[i] - model->centre[i];
        *exponent += about * fit->coefficients[i].estimate;
        for (size_t j = i; j < p; j++)
            u[j] += about * model->rotation[i * p + j];
    }
}

/* q' V q: q is in u, V that of the fit in x. */
static double quadratic(size_t p, const double *back, const double *covariance, const double *q)
{
    double in_x[p + 1], sum = 0;
    for (size_t j = 0; j < p; j++) {
        in_x[j] = 0;
        for (size_t i = 0; i <= j; i++)
            in_x[j] += q[i] * back[i * p + j];
    }
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            sum += in_x[i] * covariance[i * p + j] * in_x[j];
    return sum;
}

/* Times with events only. */
static bd_status fill_curve(const cox_model *model, const bd_cox *fit, const double *profile, const double *back,
                            const steps *s, bd_arena *arena, bd_cox_curve *curve)
{
    const size_t p = model->rows.p;
    const double quantile = gsl_cdf_ugaussian_Pinv(0.5 + fit->level / 2);
    double *of[8], exponent, u[p + 1], q[p + 1], hazard = 0, square = 0;
    for (int i = 0; i < 8; i++)
        BD_NEW(arena, of[i], s->n);
    place_profile(model, fit, profile, u, &exponent);
    const double risk = exp(exponent);
    memset(q, 0, sizeof q);
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (s->events[i] == 0)
            continue;
        hazard += s->jump[i] * risk;
        square += s->square[i];
        for (size_t j = 0; j < p; j++)
            q[j] += u[j] * s->jump[i] - s->means[i * p + j];
        const double se = risk * sqrt(square + quadratic(p, back, fit->covariance, q));
        const double values[] = {s->times[i], s->at_risk[i], s->events[i], hazard, se, exp(-hazard),
                                 exp(-hazard - quantile * se), fmin(1, exp(-hazard + quantile * se))};
        for (int v = 0; v < 8; v++)
            of[v][n] = values[v];
        n++;
    }
    *curve = (bd_cox_curve){n, of[0], of[1], of[2], of[3], of[4], of[5], of[6], of[7]};
    return BD_OK;
}

bd_status bd_cox_survival(const bd_cox_design *design, const bd_cox *fit, size_t stratum, const double *profile,
                          bd_arena *arena, const bd_cox_curve **out)
{
    const size_t p = design->n_columns;
    bd_cox_curve *curve;
    cox_model *model = NULL;
    cox_sums sums;
    steps s = {0};
    double *back;
    size_t first, end;
    BD_NEW(arena, curve, 1);
    BD_TRY(cox_model_at(design, fit, arena, &model, &sums));
    if (!find_stratum(model, stratum, &first, &end))
        return bd_fail(BD_EUSAGE, "there is no stratum %zu with rows in it", stratum);
    BD_NEW(arena, back, p * p);
    bd_triangle_invert(p, p, model->rotation, back);
    BD_TRY(find_steps(model, &sums, first, end, arena, &s));
    BD_TRY(fill_curve(model, fit, profile, back, &s, arena, curve));
    *out = curve;
    return BD_OK;
}
