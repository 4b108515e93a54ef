/* The effects of the alliance by the methods for few therapists, beside each other. */
#include <math.h>
#include <string.h>

#include <bordin/analyses/mixed.h>
#include <bordin/analyses/therapist.h>
#include <bordin/analyses/wild.h>

#include "analyses/mixed_internal.h"

/* Where the rows go. */
typedef struct listing {
    const bd_frame *frame;
    const bd_therapist_options *options;
    size_t n_effects;
    bd_ols_design design;
    bd_method_row *rows;
    size_t n;
} listing;

static void add(listing *l, const char *method, size_t effect, double estimate, double se, double df, double p, double low,
                double high)
{
    l->rows[l->n++] = (bd_method_row){method, effect, estimate, se, df, p, low, high};
}

static bd_status least_squares(listing *l, const bd_se_estimator *se, const char *method, bd_arena *arena)
{
    bd_ols_options options = BD_OLS_DEFAULTS;
    const bd_ols *fit;
    options.level = l->options->fit.level;
    BD_TRY(bd_ols_fit(&l->design, se, &options, arena, &fit));
    for (size_t e = 0; e < l->n_effects; e++) {
        const bd_coefficient *c = &fit->coefficients[1 + e];
        add(l, method, e, c->estimate, c->se, c->df, c->p, c->ci_low, c->ci_high);
    }
    return BD_OK;
}

static bd_status wild(listing *l, bd_arena *arena)
{
    bd_wild_options options = BD_WILD_DEFAULTS;
    const bd_wild_result *result;
    options.seed = l->options->seed;
    options.level = l->options->fit.level;
    options.n_threads = l->options->fit.n_threads;
    for (size_t e = 0; e < l->n_effects; e++) {
        BD_TRY(bd_wild_test(&l->design, 1 + e, &options, arena, &result));
        add(l, "OLS, wild cluster bootstrap", e, l->rows[e].estimate, NAN, NAN, result->p, result->ci_low,
            result->ci_high);
    }
    return BD_OK;
}

static bd_status mixed(listing *l, bd_mixed_df df, const char *method, bool bootstrap, bd_arena *arena)
{
    bd_mixed_analysis_options options = BD_MIXED_ANALYSIS_DEFAULTS;
    const bd_mixed_analysis *analysis;
    options.formula = l->options->formula;
    options.fit = l->options->fit;
    options.fit.df = df;
    options.fit.reml = true;
    options.tests = false;
    options.bootstrap = bootstrap;
    options.resampling.n_replicates = l->options->n_replicates;
    options.resampling.seed = l->options->seed;
    options.resampling.level = l->options->fit.level;
    options.resampling.n_threads = l->options->fit.n_threads;
    BD_TRY(bd_mix(l->frame, &options, arena, &analysis));
    for (size_t e = 0; e < l->n_effects; e++) {
        const bd_mixed_coefficient *c = &analysis->fit->coefficients[1 + e];
        const bd_interval_ends *ends = bootstrap ? &analysis->bootstrap->ends[1 + e] : NULL;
        if (bootstrap)
            add(l, method, e, c->estimate, ends->boot_se, NAN, ends->p, ends->low, ends->high);
        else
            add(l, method, e, c->estimate, c->se, c->df, c->p, c->ci_low, c->ci_high);
    }
    return BD_OK;
}

bd_status therapist_methods(const bd_frame *frame, const bd_mixed_design *design, const bd_therapist_options *options,
                            bd_arena *arena, bd_method_row **rows, size_t *n)
{
    enum { METHODS = 6 };
    const bd_groups *therapists = frame->varying[0].groups;
    listing l = {.frame = frame, .options = options, .n_effects = frame->n_varying + 1};
    l.design = (bd_ols_design){.n_rows = design->n_rows,
                               .n_columns = design->n_columns,
                               .columns = design->columns,
                               .names = design->names,
                               .response = design->response,
                               .response_name = design->response_name,
                               .has_intercept = true,
                               .weights = design->weights,
                               .cluster = therapists->codes,
                               .n_clusters = therapists->n_levels,
                               .n_threads = options->fit.n_threads};
    BD_NEW(arena, l.rows, METHODS * l.n_effects);
    BD_TRY(least_squares(&l, &bd_se_classical, "OLS, therapists ignored", arena));
    BD_TRY(least_squares(&l, &bd_se_cr2, "OLS, CR2", arena));
    BD_TRY(wild(&l, arena));
    BD_TRY(mixed(&l, BD_MIXED_SATTERTHWAITE, "mixed, Satterthwaite", false, arena));
    BD_TRY(mixed(&l, BD_MIXED_KENWARD_ROGER, "mixed, Kenward-Roger", false, arena));
    BD_TRY(mixed(&l, BD_MIXED_NORMAL, "mixed, cluster bootstrap", true, arena));
    *rows = l.rows;
    *n = l.n;
    return BD_OK;
}
