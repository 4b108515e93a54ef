/* Proportional hazards: the fit, its tests and coefficients. */
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "models/cox_check.h"
#include "models/cox_newton.h"

static const double RAN_AWAY = 1e-4; /* of the longest part of the direction, in standard deviations of its column */

static bd_status run_newton(const cox_model *model, const bd_cox_options *options, bd_arena *arena, cox_newton *newton)
{
    const cox_rows *rows = &model->rows;
    const size_t p = rows->p;
    *newton = (cox_newton){.rows = rows,
                           .ties = model->ties,
                           .max_iterations = options->max_iterations > 0 ? options->max_iterations : 100};
    BD_NEW(arena, newton->sums, 1);
    BD_TRY(cox_sums_make(rows, arena, newton->sums));
    if (model->ties == BD_COX_EXACT)
        BD_NEW(arena, newton->exact, cox_exact_scratch(rows));
    BD_NEW(arena, newton->gamma, p);
    BD_NEW(arena, newton->step, p);
    BD_NEW(arena, newton->trial, p);
    BD_NEW(arena, newton->factor, p * p);
    return BD_OK;
}

/* A column that is explained by those before it wherever an event happens, though not over all rows. */
static bd_status fail_unidentified(const cox_model *model, size_t j)
{
    const char *name = model->design->names[j], *strata = model->design->strata != NULL ? " within strata" : "";
    if (j == 0)
        return bd_fail(BD_ENUMERIC, "'%s' does not vary among those at risk when events happen%s; leave it out", name,
                       strata);
    return bd_fail(BD_ENUMERIC,
                   "among those at risk when events happen%s, '%s' is constant or a linear combination of the "
                   "predictors before it; leave it out",
                   strata, name);
}

static bd_status name_infinite(const cox_model *model, const double *direction, bd_arena *arena, bd_cox *fit)
{
    const size_t p = model->rows.p;
    double *beta, longest = 0;
    size_t n_named = 0;
    const char *list = "", *last = NULL;
    BD_NEW(arena, beta, p);
    cox_rotate_back(model, direction, beta);
    for (size_t j = 0; j < p; j++)
        longest = fmax(longest, fabs(beta[j]) * model->scale[j]);
    for (size_t j = 0; j < p; j++) {
        if (!(fabs(beta[j]) * model->scale[j] > RAN_AWAY * longest))
            continue;
        fit->coefficients[j].infinite = true;
        fit->coefficients[j].estimate = beta[j] > 0 ? INFINITY : -INFINITY;
        if (n_named++ > 0)
            BD_TRY(bd_print(arena, &list, "%s%s'%s'", list, n_named > 2 ? ", " : "", last));
        last = model->design->names[j];
    }
    return bd_print(arena, &fit->infinite, "%s%s'%s'", list, n_named > 1 ? " and " : "", last);
}

static bd_status predictors_by_row(const cox_model *model, const cox_sums *sums, bd_arena *arena, bd_cox *fit)
{
    BD_NEW(arena, fit->linear_predictor, model->design->n_rows);
    for (size_t i = 0; i < model->design->n_rows; i++)
        fit->linear_predictor[i] = NAN; /* rows without weight */
    for (size_t k = 0; k < model->rows.n; k++)
        fit->linear_predictor[model->row_of[k]] = sums->eta[k];
    return BD_OK;
}

static void set_coefficients(bd_cox *fit)
{
    const size_t p = fit->n_columns;
    const double quantile = gsl_cdf_ugaussian_Pinv(0.5 + fit->level / 2);
    for (size_t j = 0; j < p; j++) {
        bd_cox_coefficient *c = &fit->coefficients[j];
        c->naive_se = c->infinite ? NAN : sqrt(fit->naive_covariance[j * p + j]);
        c->se = c->infinite ? NAN : sqrt(fit->covariance[j * p + j]);
        c->z = c->estimate / c->se;
        c->p = isnan(c->z) ? NAN : 2 * gsl_cdf_ugaussian_Q(fabs(c->z));
        c->ci_low = c->estimate - quantile * c->se;
        c->ci_high = c->estimate + quantile * c->se;
        c->hazard_ratio = exp(c->estimate);
        c->hazard_ratio_low = exp(c->ci_low);
        c->hazard_ratio_high = exp(c->ci_high);
    }
}

/* b' covariance^-1 b */
static bd_status wald(const double *b, const double *covariance, size_t p, bd_arena *arena, bd_cox_test *test)
{
    double *factor, *x, square = 0;
    BD_NEW(arena, factor, p * p);
    BD_NEW(arena, x, p);
    memcpy(factor, covariance, p * p * sizeof *factor);
    if (cox_cholesky(p, factor, 1e-14) < p) {
        *test = cox_chi_squared(NAN, (double)p);
        return BD_OK;
    }
    cox_cholesky_solve(p, factor, b, x);
    for (size_t j = 0; j < p; j++)
        square += x[j] * b[j];
    *test = cox_chi_squared(square, (double)p);
    return BD_OK;
}

static bd_status finish(const cox_model *model, cox_newton *newton, const bd_cox_options *options, bd_arena *arena,
                        bd_cox *fit)
{
    const size_t p = model->rows.p;
    double *inner, *beta;
    BD_NEW(arena, inner, p * p);
    BD_NEW(arena, beta, p);
    cox_cholesky_invert(p, newton->factor, inner);
    for (size_t k = 0; newton->collinear < p && k < p * p; k++)
        inner[k] = NAN; /* the information broke down on the way */
    cox_rotate_covariance(model, inner, fit->naive_covariance);
    memcpy(fit->covariance, fit->naive_covariance, p * p * sizeof *inner);
    cox_rotate_back(model, newton->gamma, beta);
    for (size_t j = 0; j < p; j++)
        fit->coefficients[j].estimate = beta[j];
    BD_TRY(predictors_by_row(model, newton->sums, arena, fit));
    fit->robust_score = cox_chi_squared(NAN, (double)p);
    if (options->se == BD_COX_ROBUST)
        BD_TRY(cox_robust(model, newton->sums, newton->gamma, inner, arena, fit->covariance, &fit->robust_score));
    fit->wald = cox_chi_squared(NAN, (double)p);
    if (fit->end == BD_COX_INFINITE)
        BD_TRY(name_infinite(model, newton->step, arena, fit));
    else
        BD_TRY(wald(beta, fit->covariance, p, arena, &fit->wald));
    fit->concordance.concordance = fit->concordance.se = NAN;
    if (!options->no_concordance)
        BD_TRY(cox_concordance_of(model, newton->sums->eta, arena, &fit->concordance));
    set_coefficients(fit);
    return BD_OK;
}

bd_status bd_cox_fit(const bd_cox_design *design, const bd_cox_options *options, bd_arena *arena, const bd_cox **out)
{
    const size_t p = design->n_columns;
    bd_cox *fit;
    cox_model *model = NULL;
    cox_newton newton;
    if (options->ties == BD_COX_EXACT && options->se == BD_COX_ROBUST)
        return bd_fail(BD_EUSAGE, "the exact likelihood of ties has no robust errors; use efron or breslow");
    BD_NEW(arena, fit, 1);
    BD_NEW(arena, fit->coefficients, p);
    BD_NEW(arena, fit->covariance, p * p);
    BD_NEW(arena, fit->naive_covariance, p * p);
    BD_TRY(cox_model_make(design, options->ties, arena, &model));
    BD_TRY(run_newton(model, options, arena, &newton));
    fit->end = cox_newton_run(&newton);
    if (newton.collinear < p && newton.n_iterations == 0)
        return fail_unidentified(model, newton.collinear);
    if (newton.n_iterations == 0)
        return bd_fail(BD_ENUMERIC, "the partial likelihood is not a number at coefficients of 0; is the offset too "
                                    "large?");
    fit->n_rows = design->n_rows;
    fit->n_columns = p;
    fit->n_used = model->rows.n;
    fit->n_events = model->n_events;
    fit->n_ties = model->n_ties;
    fit->ties = options->ties;
    fit->se = options->se;
    fit->level = options->level;
    fit->centres = model->centre;
    fit->n_iterations = newton.n_iterations;
    fit->log_likelihood_null = newton.null_log_likelihood;
    fit->log_likelihood = newton.sums->log_likelihood;
    fit->likelihood_ratio = cox_chi_squared(2 * (fit->log_likelihood - fit->log_likelihood_null), (double)p);
    fit->score = cox_chi_squared(newton.null_score, (double)p);
    BD_TRY(finish(model, &newton, options, arena, fit));
    *out = fit;
    return BD_OK;
}
