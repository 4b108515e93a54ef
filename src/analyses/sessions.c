/* Sessions of patients: rows in order, lags with their gaps, and one model for each way of taking the trend out. */
#include <bordin/analyses/sessions.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <bordin/models/ols.h>

#include "analyses/formula_terms.h"
#include "analyses/sessions_internal.h"

static bd_status specs_of(const bd_sessions_options *options, bd_arena *arena, bd_frame_spec *outcomes,
                          bd_frame_spec *alliances, const char **alliance)
{
    const char *response = NULL, *rest = NULL;
    const char **by;
    bd_varying_spec *varying;
    BD_TRY(formula_first_term(options->formula, arena, &response, alliance, &rest));
    BD_NEW(arena, by, 2);
    BD_NEW(arena, varying, 2);
    by[0] = options->patient;
    by[1] = options->therapist;
    for (size_t l = 0; l < 2; l++)
        varying[l] = (bd_varying_spec){"1", &by[l], 1};
    *outcomes = (bd_frame_spec){.where = options->where, .extra_option = "--session", .varying = varying,
                                .n_varying = options->therapist == NULL ? 1 : 2};
    BD_TRY(bd_print(arena, &outcomes->extra, "0 + %s", options->session));
    *alliances = *outcomes;
    alliances->n_varying = 1;
    BD_TRY(bd_print(arena, &outcomes->formula, "%s ~ 1 %s", response, rest == NULL ? "" : rest));
    return bd_print(arena, &alliances->formula, "~ 0 + %s", *alliance);
}

bd_status bd_sessions_wanted(const bd_sessions_options *options, bd_arena *arena, const bd_wanted **wanted, size_t *n)
{
    bd_frame_spec outcomes, alliances;
    const char *alliance = NULL;
    BD_TRY(specs_of(options, arena, &outcomes, &alliances, &alliance));
    BD_TRY(bd_print(arena, &outcomes.formula, "%s + %s", outcomes.formula, alliance));
    return bd_frame_wanted(&outcomes, arena, wanted, n);
}

static int by_patient_and_session(const void *a, const void *b)
{
    const session_key *x = a, *y = b;
    return x->patient != y->patient ? (x->patient > y->patient) - (x->patient < y->patient)
                                    : (x->session > y->session) - (x->session < y->session);
}

/* Rows of a frame in order. BD_EDATA: a session twice. */
static bd_status sort_sessions(const bd_frame *frame, const uint32_t *patient_codes, bd_arena *arena, session_key **keys)
{
    const double *session = frame->extra->columns[0].values;
    BD_NEW(arena, *keys, frame->n_rows);
    for (size_t i = 0; i < frame->n_rows; i++)
        (*keys)[i] = (session_key){patient_codes[frame->varying[0].groups->codes[i]], session[i], i};
    qsort(*keys, frame->n_rows, sizeof **keys, by_patient_and_session);
    for (size_t i = 1; i < frame->n_rows; i++)
        if (by_patient_and_session(&(*keys)[i - 1], &(*keys)[i]) == 0)
            return bd_fail(BD_EDATA, "patient '%s' has session %g twice; a session may stand in one row",
                           frame->varying[0].groups->levels[frame->varying[0].groups->codes[(*keys)[i].row]],
                           (*keys)[i].session);
    return BD_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const named_code *)a)->name, ((const named_code *)b)->name);
}

/* codes <- of the patients of the alliances, those of the outcomes; patients without outcomes come behind. */
static bd_status match_patients(const bd_groups *outcomes, const bd_groups *alliances, bd_arena *arena, uint32_t **codes)
{
    named_code *names;
    uint32_t next = (uint32_t)outcomes->n_levels;
    BD_NEW(arena, names, outcomes->n_levels);
    BD_NEW(arena, *codes, alliances->n_levels);
    for (size_t g = 0; g < outcomes->n_levels; g++)
        names[g] = (named_code){outcomes->levels[g], (uint32_t)g};
    qsort(names, outcomes->n_levels, sizeof *names, by_name);
    for (size_t g = 0; g < alliances->n_levels; g++) {
        const named_code wanted = {alliances->levels[g], 0};
        const named_code *found = bsearch(&wanted, names, outcomes->n_levels, sizeof *names, by_name);
        (*codes)[g] = found != NULL ? found->code : next++;
    }
    return BD_OK;
}

/* The row of the alliances of that patient and session; NULL: none. */
static const session_key *find_session(const session_rows *r, uint32_t patient, double session)
{
    const session_key wanted = {patient, session, 0};
    return bsearch(&wanted, r->alliances, r->n_alliances, sizeof wanted, by_patient_and_session);
}

/* Means of patients, how many sessions each has, and the variance shares that say how reliable a mean is. */
static bd_status find_means(bd_sessions *s, session_rows *r, bd_arena *arena)
{
    size_t n_codes = 0, n_there = 0;
    double between = 0, within = 0, inverse = 0;
    for (size_t i = 0; i < r->n_alliances; i++)
        n_codes = r->alliances[i].patient >= n_codes ? r->alliances[i].patient + 1 : n_codes;
    BD_NEW(arena, r->mean, n_codes + s->outcomes->varying[0].groups->n_levels);
    double *counts, *squares, grand = 0, pairs = 0;
    BD_NEW(arena, counts, n_codes + 1);
    BD_NEW(arena, squares, n_codes + 1);
    for (size_t i = 0; i < r->n_alliances; i++) {
        const uint32_t p = r->alliances[i].patient;
        const double x = r->alliance[r->alliances[i].row], apart = x - r->mean[p];
        r->mean[p] += apart / ++counts[p];
        squares[p] += apart * (x - r->mean[p]);
        grand += x / (double)r->n_alliances;
    }
    for (size_t p = 0; p < n_codes; p++) {
        if (counts[p] == 0)
            continue;
        n_there++;
        inverse += 1 / counts[p];
        within += squares[p];
        between += counts[p] * (r->mean[p] - grand) * (r->mean[p] - grand);
        pairs += counts[p] * counts[p];
    }
    const double n = (double)r->n_alliances, k = (double)n_there;
    const double mean_within = within / (n - k), size = (n - pairs / n) / (k - 1);
    const double variance = fmax(0, (between / (k - 1) - mean_within) / size);
    s->sessions_per_patient = k / inverse;
    s->reliability = variance / (variance + mean_within / s->sessions_per_patient);
    return BD_OK;
}

/* The outcomes that have an alliance `lag` sessions before. */
static bd_status link_rows(bd_sessions *s, session_rows *r, bd_arena *arena)
{
    const bd_frame *f = s->outcomes;
    session_key *outcomes = NULL;
    uint32_t *own;
    BD_NEW(arena, own, f->varying[0].groups->n_levels);
    for (size_t g = 0; g < f->varying[0].groups->n_levels; g++)
        own[g] = (uint32_t)g;
    BD_TRY(sort_sessions(f, own, arena, &outcomes));
    BD_NEW(arena, r->row, f->n_rows);
    BD_NEW(arena, r->y, f->n_rows);
    BD_NEW(arena, r->session, f->n_rows);
    BD_NEW(arena, r->within, f->n_rows);
    BD_NEW(arena, r->between, f->n_rows);
    BD_NEW(arena, r->patient, f->n_rows);
    BD_NEW(arena, r->therapist, f->n_rows);
    double first = INFINITY;
    s->step = INFINITY;
    for (size_t i = 0; i < f->n_rows; i++) {
        const uint32_t patient = outcomes[i].patient;
        const double session = outcomes[i].session;
        if (i == 0 || patient != outcomes[i - 1].patient)
            first = session;
        else
            s->step = fmin(s->step, session - outcomes[i - 1].session);
        const session_key *earlier = find_session(r, patient, session - (double)s->options.lag);
        if (earlier == NULL) {
            s->n_first += session - (double)s->options.lag < first;
            s->n_gaps += !(session - (double)s->options.lag < first);
            continue;
        }
        const size_t n = r->n++, row = outcomes[i].row;
        s->n_patients += n == 0 || r->patient[n - 1] != patient;
        r->row[n] = row;
        r->y[n] = f->response[row];
        r->session[n] = session;
        r->within[n] = r->alliance[earlier->row] - r->mean[patient];
        r->between[n] = r->mean[patient];
        r->patient[n] = patient;
        r->therapist[n] = f->n_varying > 1 ? f->varying[1].groups->codes[row] : 0;
    }
    s->n_used = r->n;
    if (r->n == 0)
        return bd_fail(BD_EDATA, "no outcome has an alliance %zu session%s before; are the sessions numbered 1, 2, 3 ...?",
                       s->options.lag, s->options.lag == 1 ? "" : "s");
    return BD_OK;
}

bd_status bd_sessions_of(const bd_table *table, const bd_sessions_options *options, bd_arena *arena,
                         const bd_sessions **out)
{
    bd_sessions *s;
    session_rows rows = {0};
    bd_frame_spec outcomes, alliances;
    uint32_t *codes = NULL;
    session_key *keys = NULL;
    BD_NEW(arena, s, 1);
    s->options = *options;
    s->table = table;
    BD_TRY(specs_of(options, arena, &outcomes, &alliances, &s->alliance));
    BD_TRY(bd_frame_build(table, &outcomes, arena, &s->outcomes));
    BD_TRY(bd_frame_build(table, &alliances, arena, &s->alliances));
    if (s->outcomes->response == NULL)
        return bd_fail(BD_EUSAGE, "the formula '%s' has no outcome before '~'", options->formula);
    if (s->alliances->n_columns != 1 || s->outcomes->extra->n_columns != 1)
        return bd_fail(BD_EUSAGE, "'%s' is not a single number for each session", s->alliances->n_columns != 1
                                                                                        ? s->alliance
                                                                                        : options->session);
    BD_TRY(match_patients(s->outcomes->varying[0].groups, s->alliances->varying[0].groups, arena, &codes));
    BD_TRY(sort_sessions(s->alliances, codes, arena, &keys));
    rows.alliances = keys;
    rows.n_alliances = s->alliances->n_rows;
    rows.alliance = s->alliances->columns[0].values;
    BD_TRY(find_means(s, &rows, arena));
    BD_TRY(link_rows(s, &rows, arena));
    BD_TRY(sessions_fit(s, &rows, arena));
    *out = s;
    return BD_OK;
}
