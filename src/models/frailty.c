/* Gamma frailties: penalised partial likelihood for a theta, and the theta that integrates best. */
#include <bordin/models/frailty.h>

#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_roots.h>
#include <gsl/gsl_sf_gamma.h>
#include <gsl/gsl_sf_psi.h>

#include "models/frailty_sweep.h"

static const double LEAST_THETA = 1e-4, MOST_THETA = 1e4;
static const double FINISHED = 1e-11; /* of a step, in units of the information */
enum { MOST_STEPS = 500, MOST_HALVINGS = 30 };

typedef struct frailty_fit {
    frailty_model m;
    double nu; /* 1 / theta */
    double *step_gamma, *step_omega, *old_gamma, *old_omega;
    double *schur, *cross_solved; /* p x p; n_groups x p: D^-1 C' */
    double penalised;
    size_t n_iterations, n_thetas;
    bool failed;
} frailty_fit;

/* Frailties of mean 1. */
static void recentre(frailty_model *m)
{
    double sum = 0;
    for (size_t i = 0; i < m->n_groups; i++)
        sum += exp(m->omega[i]);
    const double shift = log(sum / (double)m->n_groups);
    for (size_t i = 0; i < m->n_groups; i++)
        m->omega[i] -= shift;
}

/* The penalised likelihood at gamma and omega; -infinity where it is not finite. */
static double evaluate(frailty_fit *f)
{
    double sum = 0;
    recentre(&f->m);
    if (!frailty_sweep(&f->m))
        return -INFINITY;
    for (size_t i = 0; i < f->m.n_groups; i++)
        sum += f->m.omega[i];
    return f->m.sums.log_likelihood + f->nu * sum;
}

/* Solves [I C; C' D] (gamma, omega) = score, D diagonal; the length of the step in units of it. False: not positive. */
static bool find_step(frailty_fit *f, double *size)
{
    frailty_model *m = &f->m;
    const size_t p = m->rows->p, q = m->n_groups;
    double gradient[p];
    memcpy(f->schur, m->sums.information, p * p * sizeof *f->schur);
    memcpy(gradient, m->sums.score, sizeof gradient);
    for (size_t i = 0; i < q; i++) {
        const double frailty = exp(m->omega[i]), d = m->diagonal[i] + f->nu * frailty;
        const double score = m->events[i] - m->expected[i] - f->nu * (frailty - 1);
        for (size_t j = 0; j < p; j++)
            f->cross_solved[i * p + j] = m->cross[i * p + j] / d;
        for (size_t j = 0; j < p; j++) {
            gradient[j] -= f->cross_solved[i * p + j] * score;
            for (size_t k = 0; k <= j; k++)
                f->schur[j * p + k] -= f->cross_solved[i * p + j] * m->cross[i * p + k];
        }
        f->step_omega[i] = score / d;
    }
    if (cox_cholesky(p, f->schur, 1e-12) < p)
        return false;
    cox_cholesky_solve(p, f->schur, gradient, f->step_gamma);
    *size = 0;
    for (size_t j = 0; j < p; j++)
        *size += gradient[j] * f->step_gamma[j];
    for (size_t i = 0; i < q; i++) {
        const double d = m->diagonal[i] + f->nu * exp(m->omega[i]);
        for (size_t j = 0; j < p; j++)
            f->step_omega[i] -= f->cross_solved[i * p + j] * f->step_gamma[j];
        *size += d * f->step_omega[i] * f->step_omega[i];
    }
    *size = sqrt(fmax(*size, 0));
    return true;
}

static bool take_step(frailty_fit *f)
{
    frailty_model *m = &f->m;
    const size_t p = m->rows->p, q = m->n_groups;
    memcpy(f->old_gamma, m->gamma, p * sizeof *m->gamma);
    memcpy(f->old_omega, m->omega, q * sizeof *m->omega);
    double share = 1;
    for (int halving = 0; halving < MOST_HALVINGS; halving++, share /= 2) {
        for (size_t j = 0; j < p; j++)
            m->gamma[j] = f->old_gamma[j] + share * f->step_gamma[j];
        for (size_t i = 0; i < q; i++)
            m->omega[i] = f->old_omega[i] + share * f->step_omega[i];
        const double value = evaluate(f);
        if (value >= f->penalised - 1e-12 * fabs(f->penalised)) {
            f->penalised = value;
            return true;
        }
    }
    memcpy(m->gamma, f->old_gamma, p * sizeof *m->gamma);
    memcpy(m->omega, f->old_omega, q * sizeof *m->omega);
    f->penalised = evaluate(f);
    return false;
}

/* Newton's method from where gamma and omega are. */
static bool maximise(frailty_fit *f, double theta)
{
    double size, last = INFINITY;
    f->nu = 1 / theta;
    f->n_thetas++;
    f->penalised = evaluate(f);
    for (size_t i = 0; i < MOST_STEPS && isfinite(f->penalised); i++, f->n_iterations++) {
        if (!find_step(f, &size))
            return false;
        if (size < FINISHED || (size < 1e-8 && size > 0.9 * last))
            return true;
        if (!take_step(f))
            return size < 1e-6;
        last = size;
    }
    return false;
}

/* What integrating the frailties out adds to the penalised likelihood. */
static double correction(const frailty_fit *f)
{
    const double nu = f->nu;
    double sum = 0;
    for (size_t i = 0; i < f->m.n_groups; i++) {
        const double d = f->m.events[i];
        sum += d + nu * log(nu / (nu + d)) + gsl_sf_lngamma(nu + d) - gsl_sf_lngamma(nu) - d * log(nu + d);
    }
    return sum;
}

/* The derivative of the integrated likelihood by log(nu), at the maximum for it. */
static double slope(double log_theta, void *context)
{
    frailty_fit *f = context;
    double sum = 0;
    if (!maximise(f, exp(log_theta))) {
        f->failed = true;
        return NAN;
    }
    for (size_t i = 0; i < f->m.n_groups; i++) {
        const double d = f->m.events[i];
        sum += f->m.omega[i] - log1p(d / f->nu) + gsl_sf_psi(f->nu + d) - gsl_sf_psi(f->nu);
    }
    return -f->nu * sum; /* by log(theta) */
}

static bd_status find_root(frailty_fit *f, double low, double high)
{
    gsl_root_fsolver *solver = gsl_root_fsolver_alloc(gsl_root_fsolver_brent);
    gsl_function function = {slope, f};
    if (solver == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    int status = gsl_root_fsolver_set(solver, &function, low, high);
    for (int i = 0; i < 100 && status == GSL_SUCCESS && !f->failed; i++) {
        status = gsl_root_fsolver_iterate(solver);
        low = gsl_root_fsolver_x_lower(solver);
        high = gsl_root_fsolver_x_upper(solver);
        if (high - low < 1e-12)
            break;
    }
    const double root = gsl_root_fsolver_root(solver);
    gsl_root_fsolver_free(solver);
    f->failed = f->failed || isnan(slope(root, f));
    return BD_OK;
}

/* theta where the slope turns from rising to falling. */
static bd_status find_theta(frailty_fit *f, bd_frailty_end *end)
{
    double low = log(LEAST_THETA), high = low, at = slope(low, f);
    *end = BD_FRAILTY_NONE;
    if (!(at > 0)) {
        if (f->failed)
            *end = BD_FRAILTY_NOT_CONVERGED;
        return BD_OK;
    }
    while (at > 0 && high < log(MOST_THETA)) {
        low = high;
        high += log(8);
        at = slope(high, f);
    }
    *end = BD_FRAILTY_NOT_CONVERGED;
    if (f->failed || !(at <= 0))
        return BD_OK;
    BD_TRY(find_root(f, low, high));
    *end = f->failed ? BD_FRAILTY_NOT_CONVERGED : BD_FRAILTY_CONVERGED;
    return BD_OK;
}

/* V = (I - C D^-1 C')^-1 is the penalised inverse's part of the columns; what the unpenalised information makes of it is
 * V less what the penalty takes; and how many df each takes up. */
static void describe_errors(frailty_fit *f, double *inner, double *given, bd_frailty *fit)
{
    frailty_model *m = &f->m;
    const size_t p = m->rows->p, q = m->n_groups;
    double size;
    find_step(f, &size);
    cox_cholesky_invert(p, f->schur, inner);
    memcpy(given, inner, p * p * sizeof *given);
    fit->df_frailty = (double)q;
    for (size_t i = 0; i < q; i++) {
        const double frailty = exp(m->omega[i]), penalty = f->nu * frailty, d = m->diagonal[i] + penalty;
        const double *solved = f->cross_solved + i * p;
        double along[p], own = 1 / d;
        for (size_t j = 0; j < p; j++) {
            along[j] = 0;
            for (size_t k = 0; k < p; k++)
                along[j] += inner[j * p + k] * solved[k];
        }
        for (size_t j = 0; j < p; j++) {
            own += solved[j] * along[j];
            for (size_t k = 0; k < p; k++)
                given[j * p + k] -= penalty * along[j] * along[k];
        }
        fit->df_frailty -= penalty * own;
        fit->groups[i].log_frailty = m->omega[i];
        fit->groups[i].frailty = frailty;
        fit->groups[i].se = sqrt(own);
    }
}

static void set_coefficients(const frailty_fit *f, const cox_model *model, const double *given, bd_frailty *fit)
{
    const size_t p = fit->n_columns;
    const double quantile = gsl_cdf_ugaussian_Pinv(0.5 + fit->level / 2);
    double beta[p];
    cox_rotate_back(model, f->m.gamma, beta);
    for (size_t j = 0; j < p; j++) {
        bd_frailty_coefficient *c = &fit->coefficients[j];
        c->estimate = beta[j];
        c->se = sqrt(fit->covariance[j * p + j]);
        c->se_given = sqrt(given[j * p + j]);
        c->z = c->estimate / c->se;
        c->p = 2 * gsl_cdf_ugaussian_Q(fabs(c->z));
        c->ci_low = c->estimate - quantile * c->se;
        c->ci_high = c->estimate + quantile * c->se;
        c->hazard_ratio = exp(c->estimate);
        c->hazard_ratio_low = exp(c->ci_low);
        c->hazard_ratio_high = exp(c->ci_high);
    }
}

static bd_status describe(frailty_fit *f, const cox_model *model, bd_arena *arena, bd_frailty *fit)
{
    const size_t p = fit->n_columns;
    double *inner, *given, *rotated;
    BD_NEW(arena, inner, p * p);
    BD_NEW(arena, given, p * p);
    BD_NEW(arena, rotated, p * p);
    if (fit->end == BD_FRAILTY_NOT_CONVERGED)
        return BD_OK;
    fit->theta = fit->end == BD_FRAILTY_NONE ? 0 : 1 / f->nu;
    describe_errors(f, inner, given, fit);
    cox_rotate_covariance(model, inner, fit->covariance);
    cox_rotate_covariance(model, given, rotated);
    set_coefficients(f, model, rotated, fit);
    fit->kendall = fit->theta / (fit->theta + 2);
    fit->df_columns = 0; /* the trace of given times LL', L the factor of the inverse of inner */
    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k < p; k++)
            for (size_t l = 0; l <= j && l <= k; l++)
                fit->df_columns += given[j * p + k] * f->schur[j * p + l] * f->schur[k * p + l];
    fit->log_likelihood = f->penalised + correction(f);
    const double ratio = fmax(0, 2 * (fit->log_likelihood - fit->cox_log_likelihood));
    fit->frailty_test = (bd_cox_test){ratio, 1, ratio > 0 ? gsl_cdf_chisq_Q(ratio, 1) / 2 : 1};
    return BD_OK;
}

/* Without frailty: what it is compared with, and where the search begins. */
static bd_status fit_cox(const bd_cox_design *design, const bd_frailty_options *options, bd_arena *arena,
                         const bd_cox **cox)
{
    const bd_cox_options plain = {.ties = options->ties, .level = options->level, .no_concordance = true};
    if (options->ties == BD_COX_EXACT)
        return bd_fail(BD_EUSAGE, "frailties go with Efron's or Breslow's ties, not with exact ones");
    if (design->cluster == NULL)
        return bd_fail(BD_EUSAGE, "a frailty is shared by the rows of a cluster, and none are given");
    BD_TRY(bd_cox_fit(design, &plain, arena, cox));
    if ((*cox)->end == BD_COX_INFINITE)
        return bd_fail(BD_ENUMERIC, "%s: the likelihood rises for ever; leave it out, or join levels", (*cox)->infinite);
    if ((*cox)->end != BD_COX_CONVERGED)
        return bd_fail(BD_ENUMERIC, "Cox regression without the frailty did not converge in %zu iterations",
                       (*cox)->n_iterations);
    return BD_OK;
}

static bd_status no_frailty(const bd_cox *cox, bd_frailty *fit)
{
    const size_t p = fit->n_columns;
    memcpy(fit->covariance, cox->covariance, p * p * sizeof *fit->covariance);
    for (size_t j = 0; j < p; j++) {
        const bd_cox_coefficient *c = &cox->coefficients[j];
        fit->coefficients[j] = (bd_frailty_coefficient){c->estimate, c->se,          c->se,
                                                        c->z,        c->p,           c->ci_low,
                                                        c->ci_high,  c->hazard_ratio, c->hazard_ratio_low,
                                                        c->hazard_ratio_high};
    }
    for (size_t i = 0; i < fit->n_groups; i++) {
        fit->groups[i].log_frailty = fit->groups[i].se = 0;
        fit->groups[i].frailty = 1;
    }
    fit->theta = fit->kendall = fit->df_frailty = 0;
    fit->df_columns = (double)p;
    fit->log_likelihood = cox->log_likelihood;
    fit->frailty_test = (bd_cox_test){0, 1, 1};
    return BD_OK;
}

static bd_status new_search(const cox_model *model, bd_arena *arena, frailty_fit *f)
{
    const size_t p = model->rows.p;
    *f = (frailty_fit){0};
    BD_TRY(frailty_model_make(model, arena, &f->m));
    const size_t q = f->m.n_groups;
    BD_NEW(arena, f->step_gamma, p);
    BD_NEW(arena, f->old_gamma, p);
    BD_NEW(arena, f->step_omega, q);
    BD_NEW(arena, f->old_omega, q);
    BD_NEW(arena, f->schur, p * p);
    BD_NEW(arena, f->cross_solved, q * p);
    return BD_OK;
}

bd_status bd_frailty_fit(const bd_cox_design *design, const bd_frailty_options *options, bd_arena *arena,
                         const bd_frailty **out)
{
    const size_t p = design->n_columns, q = design->n_clusters;
    bd_frailty *fit;
    const bd_cox *cox = NULL;
    cox_model *model = NULL;
    frailty_fit f;
    BD_NEW(arena, fit, 1);
    BD_NEW(arena, fit->coefficients, p);
    BD_NEW(arena, fit->covariance, p * p);
    BD_NEW(arena, fit->groups, q);
    const bd_mark scratch = bd_arena_mark(arena);
    BD_TRY(fit_cox(design, options, arena, &cox));
    BD_TRY(cox_model_make(design, options->ties, arena, &model));
    BD_TRY(new_search(model, arena, &f));
    fit->n_columns = p;
    fit->n_groups = q;
    fit->n_rows = design->n_rows;
    fit->n_used = cox->n_used;
    fit->n_events = cox->n_events;
    fit->n_ties = cox->n_ties;
    fit->ties = options->ties;
    fit->level = options->level;
    fit->cox_log_likelihood = cox->log_likelihood;
    fit->null_log_likelihood = cox->log_likelihood_null;
    BD_TRY(find_theta(&f, &fit->end));
    fit->n_iterations = f.n_iterations;
    fit->n_thetas = f.n_thetas;
    for (size_t i = 0; i < q; i++) {
        fit->groups[i].n_rows = f.m.size[i];
        fit->groups[i].n_events = f.m.events[i];
    }
    BD_TRY(fit->end == BD_FRAILTY_NONE ? no_frailty(cox, fit) : describe(&f, model, arena, fit));
    bd_arena_rewind(arena, scratch);
    *out = fit;
    return BD_OK;
}
