/* Therapist effects: one frame, and the sequence of models that are parts of it. */
#include <bordin/analyses/therapist.h>

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "analyses/formula_terms.h"
#include "analyses/mixed_internal.h"

bd_status bd_therapist_spec(const char *formula, const char *therapist, const char *patient, bd_arena *arena,
                            bd_frame_spec *spec)
{
    const char *response = NULL, *alliance = NULL, *rest = NULL, *effects = NULL;
    const char **names;
    bd_varying_spec *varying;
    BD_TRY(formula_first_term(formula, arena, &response, &alliance, &rest));
    if (patient == NULL)
        BD_TRY(bd_print(arena, &effects, "within(%s, %s) + between(%s, %s)", alliance, therapist, alliance, therapist));
    else
        BD_TRY(bd_print(arena, &effects, "within(%s, %s) + I(between(%s, %s) - between(%s, %s)) + between(%s, %s)", alliance,
                        patient, alliance, patient, alliance, therapist, alliance, therapist));
    BD_TRY(bd_print(arena, &spec->formula, "%s ~ %s %s", response, effects, rest == NULL ? "" : rest));
    BD_NEW(arena, varying, 2);
    BD_NEW(arena, names, 2);
    names[0] = therapist;
    names[1] = patient;
    for (size_t l = 0; l < 2; l++)
        varying[l] = (bd_varying_spec){"1", &names[l], 1};
    spec->varying = varying;
    spec->n_varying = patient == NULL ? 1 : 2;
    return BD_OK;
}

/* What the models are made of. */
typedef struct sequence {
    const bd_frame *frame;
    const bd_mixed_options *options;
    bd_mixed_design design; /* with every column */
    bd_mixed_term terms[2];
    const double **slope;   /* the constant, and the alliance's lowest level */
    const char **names;
    bd_arena *arena;
} sequence;

static bd_status begin(const bd_frame *frame, const bd_mixed_options *options, bd_arena *arena, sequence *s)
{
    const size_t p = frame->n_columns;
    const double **columns;
    const char **names;
    *s = (sequence){.frame = frame, .options = options, .arena = arena};
    BD_NEW(arena, columns, p);
    BD_NEW(arena, names, p);
    for (size_t j = 0; j < p; j++) {
        columns[j] = frame->columns[j].values;
        names[j] = frame->columns[j].name;
    }
    s->slope = columns;
    s->names = names;
    for (size_t l = 0; l < frame->n_varying; l++) {
        const bd_groups *groups = frame->varying[l].groups;
        s->terms[l] = (bd_mixed_term){.group = groups->codes, .n_groups = groups->n_levels, .group_name = groups->name,
                                      .n_random = 1, .random = columns, .random_names = names};
    }
    s->design = (bd_mixed_design){.n_rows = frame->n_rows, .n_columns = p, .columns = columns, .names = names,
                                  .has_intercept = true, .response = frame->response,
                                  .response_name = frame->response_name, .n_terms = frame->n_varying};
    return bd_frame_raw_weights(frame, arena, &s->design.weights);
}

/* Of the first n_columns columns; `slope`: the alliance's varies by therapist. */
static bd_status fit(const sequence *s, const double *response, const char *name, size_t n_columns, bool slope,
                     const bd_mixed **out)
{
    bd_mixed_term *terms;
    bd_mixed_design design = s->design;
    const bd_mixed_model *model;
    BD_NEW(s->arena, terms, 2);
    memcpy(terms, s->terms, sizeof s->terms);
    terms[0].n_random = slope ? 2 : 1;
    design.terms = terms;
    design.response = response;
    design.response_name = name;
    design.n_columns = n_columns;
    BD_TRY(bd_mixed_prepare(&design, s->arena, &model));
    return bd_mixed_fit(model, s->options, s->arena, out);
}

static bd_variance_test ratio(double deviance, const bd_mixed *with, double df)
{
    bd_variance_test test = {.statistic = fmax(0, deviance - with->deviance), .df = df};
    test.p = mixed_mixture_p(test.statistic, df);
    return test;
}

/* The empty model without the variance of level l. */
static bd_status test_level(const sequence *s, const bd_mixed *empty, size_t l, bd_variance_test *test)
{
    bd_mixed_design design = s->design;
    bd_mixed_options options = *s->options;
    const bd_mixed_model *model;
    const bd_mixed *without = NULL;
    double deviance;
    design.n_columns = 1;
    design.n_terms--;
    design.terms = &s->terms[1 - l];
    options.df = BD_MIXED_NORMAL;
    if (design.n_terms == 0) {
        BD_TRY(mixed_plain_deviance(&design, options.reml, s->arena, &deviance));
    } else {
        BD_TRY(bd_mixed_prepare(&design, s->arena, &model));
        BD_TRY(bd_mixed_fit(model, &options, s->arena, &without));
        deviance = without->deviance;
    }
    *test = ratio(deviance, empty, 1);
    return BD_OK;
}

/* A patient belongs to one therapist. */
static bd_status check_nesting(const bd_frame *frame, bd_arena *arena)
{
    const bd_groups *therapists = frame->varying[0].groups, *patients = frame->varying[frame->n_varying - 1].groups;
    uint32_t *of;
    if (frame->n_varying == 1)
        return BD_OK;
    BD_NEW(arena, of, patients->n_levels);
    for (size_t i = 0; i < frame->n_rows; i++) {
        const uint32_t patient = patients->codes[i], therapist = therapists->codes[i] + 1;
        if (of[patient] != 0 && of[patient] != therapist)
            return bd_fail(BD_EDATA, "patient '%s' is with the therapists '%s' and '%s'; patients are to have one therapist "
                                     "each, and names of their own (for crossed patients and therapists: mixed)",
                           patients->levels[patient], therapists->levels[of[patient] - 1],
                           therapists->levels[therapist - 1]);
        of[patient] = therapist;
    }
    return BD_OK;
}

static bd_status check_within(const bd_frame *frame)
{
    const double *within = frame->columns[1].values;
    for (size_t i = 0; i < frame->n_rows; i++)
        if (within[i] != 0)
            return BD_OK;
    return bd_fail(BD_EDATA, "the alliance is the same in all rows of each group of '%s': there is nothing within to compare "
                             "with what lies between",
                   frame->varying[frame->n_varying - 1].groups->name);
}

/* The alliance as it was, of its parts. */
static bd_status alliance_of(const bd_frame *frame, bd_arena *arena, const double **alliance)
{
    double *sum;
    BD_NEW(arena, sum, frame->n_rows);
    for (size_t i = 0; i < frame->n_rows; i++)
        for (size_t l = 0; l <= frame->n_varying; l++)
            sum[i] += frame->columns[1 + l].values[i];
    *alliance = sum;
    return BD_OK;
}

/* Its levels' variances; NULL where there is nothing within to compare with. */
static bd_status fit_alliance(const sequence *s, const bd_mixed **out)
{
    const double *alliance = NULL;
    BD_TRY(alliance_of(s->frame, s->arena, &alliance));
    const bd_status status = fit(s, alliance, "the alliance", 1, false, out);
    if (status != BD_EDATA)
        return status;
    *out = NULL;
    return BD_OK;
}

static void find_differences(bd_therapists *t)
{
    double weights[t->effects->n_columns];
    for (size_t l = 0; l < t->n_levels; l++) {
        memset(weights, 0, sizeof weights);
        weights[1 + l] = -1;
        weights[2 + l] = 1;
        t->differences[l] = bd_mixed_contrast(t->effects, weights);
    }
}

static void count_apart(bd_therapists *t)
{
    const bd_mixed_random *random = t->effects->random;
    const double quantile = gsl_cdf_ugaussian_Pinv(0.5 + t->effects->level / 2);
    for (size_t g = 0; g < random->term->n_groups; g++)
        t->n_apart += fabs(random->effects[g]) > quantile * random->effect_se[g];
}

static bd_status check_converged(const bd_mixed *fit, const char *what)
{
    return fit->end != BD_MIXED_NOT_CONVERGED
               ? BD_OK
               : bd_fail(BD_ENUMERIC, "the model of %s did not converge in %zu iterations", what, fit->n_iterations);
}

/* Question 3 may have no answer where the others have. */
static bd_status fit_slopes(const sequence *s, bd_therapists *t)
{
    bd_status status = fit(s, s->frame->response, s->frame->response_name, s->frame->n_columns, true, &t->slopes);
    if (status == BD_OK)
        status = check_converged(t->slopes, "effects that vary");
    if (status == BD_OK) {
        t->slope = ratio(t->effects->deviance, t->slopes, 2);
        return BD_OK;
    }
    t->slopes = NULL;
    if (status != BD_EDATA && status != BD_ENUMERIC)
        return status;
    return bd_copy_text(s->arena, bd_message(), strlen(bd_message()), &t->slopes_refused);
}

bd_status bd_therapists_of(const bd_frame *frame, const bd_therapist_options *options, bd_arena *arena,
                           const bd_therapists **out)
{
    bd_therapists *t;
    sequence s;
    if (frame->response == NULL)
        return bd_fail(BD_EUSAGE, "the formula '%s' has no outcome before '~'", options->formula);
    if (!frame->has_intercept)
        return bd_fail(BD_EUSAGE, "the sequence of models needs an intercept; leave '0 +' or '- 1' out");
    BD_NEW(arena, t, 1);
    *t = (bd_therapists){.frame = frame, .options = *options, .n_levels = frame->n_varying};
    BD_TRY(check_nesting(frame, arena));
    BD_TRY(check_within(frame));
    BD_TRY(begin(frame, &options->fit, arena, &s));
    BD_TRY(fit(&s, frame->response, frame->response_name, 1, false, &t->empty));
    BD_TRY(check_converged(t->empty, "the outcome alone"));
    for (size_t l = 0; l < t->n_levels; l++)
        BD_TRY(test_level(&s, t->empty, l, &t->between[l]));
    BD_TRY(fit_alliance(&s, &t->alliance));
    BD_TRY(fit(&s, frame->response, frame->response_name, frame->n_columns, false, &t->effects));
    BD_TRY(check_converged(t->effects, "the alliance at each level"));
    find_differences(t);
    count_apart(t);
    BD_TRY(fit_slopes(&s, t));
    if (options->compare)
        BD_TRY(therapist_methods(frame, &s.design, options, arena, &t->methods, &t->n_methods));
    *out = t;
    return BD_OK;
}
