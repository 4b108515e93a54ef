/* A mediation on the page. */
#include <math.h>

#include <bordin/analyses/provenance.h>
#include <bordin/report/number.h>

#include "mediation_internal.h"

/* a, b, d, c' or c: what the literature calls a path. */
static const char *letter(const bd_path *path, size_t from, size_t to)
{
    if (to == path->n_nodes - 1)
        return from == 0 ? "c' (direct)" : "b";
    return from == 0 ? "a" : "d";
}

static bd_status path_row(bd_document_rows *rows, const char *label, const char *outcome, const char *term,
                          const bd_coefficient *c)
{
    const double values[] = {c->estimate, c->se, c->t, c->df, c->p, c->ci_low, c->ci_high, c->standardised};
    bd_cell *cells;
    BD_TRY(bd_document_row(rows, &cells));
    cells[0] = bd_text(label);
    cells[1] = bd_text(outcome);
    cells[2] = bd_text(term);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        cells[3 + i] = bd_number(values[i]);
    return BD_OK;
}

static bd_status paths_table(const bd_mediation *mediation, bd_document *document)
{
    const bd_heading headings[] = {
        {"path", "Path", BD_TEXT},           {"outcome", "Outcome", BD_TEXT},     {"term", "Predictor", BD_TEXT},
        {"estimate", "Estimate", BD_ESTIMATE}, {"se", "SE", BD_ESTIMATE},         {"statistic", "t", BD_STATISTIC},
        {"df", "df", BD_DF},                 {"p", "p", BD_P_VALUE},              {"ci_low", "CI low", BD_ESTIMATE},
        {"ci_high", "CI high", BD_ESTIMATE}, {"standardised", "Std. coef.", BD_STATISTIC},
    };
    const bd_path *path = mediation->path;
    const size_t first = 1 + mediation->n_covariates, last = path->n_nodes - 1;
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "paths", "Paths", headings, sizeof headings / sizeof headings[0], &rows));
    for (size_t to = 1; to <= last; to++)
        for (size_t from = 0; first + from < mediation->equations[to]->n_columns; from++)
            BD_TRY(path_row(rows, letter(path, from, to), path->names[to], path->names[from],
                            &mediation->equations[to]->coefficients[first + from]));
    return path_row(rows, "c (total)", path->names[last], path->names[0],
                    &mediation->equations[0]->coefficients[first]);
}

/* Rows `from` .. `to` - 1 of the values: with their bootstrap, or, without one, with what the checks know. */
static bd_status effect_rows(const bd_mediation *mediation, size_t from, size_t to, bd_document_rows *rows)
{
    for (size_t i = from; i < to; i++) {
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(mediation->names[i]);
        cells[1] = bd_number(mediation->estimates[i]);
        if (mediation->bootstrap != NULL)
            bd_bootstrap_cells(&mediation->bootstrap->ends[i], cells + 2);
    }
    return BD_OK;
}

static bd_status effect_table(const bd_mediation *mediation, bd_document *document, const char *id, const char *title,
                              bd_document_rows **rows)
{
    const bd_heading headings[] = {{"term", "Effect", BD_TEXT},
                                   {"estimate", "Estimate", BD_ESTIMATE},
                                   BD_BOOTSTRAP_HEADINGS("p", "p", BD_ESTIMATE)};
    return bd_document_table(document, id, title, headings,
                             mediation->bootstrap ? 2 + (size_t)BD_BOOTSTRAP_CELLS : 2, rows);
}

/* Without rows to resample: model-based intervals of total and direct, Monte-Carlo ones of indirect effects. */
static bd_status effects_without_bootstrap(const bd_mediation *mediation, bd_document *document)
{
    const bd_heading headings[] = {{"term", "Effect", BD_TEXT},       {"estimate", "Estimate", BD_ESTIMATE},
                                   {"se", "SE", BD_ESTIMATE},         {"p", "p", BD_P_VALUE},
                                   {"ci_low", "CI low", BD_ESTIMATE}, {"ci_high", "CI high", BD_ESTIMATE}};
    const size_t first = 1 + mediation->n_covariates;
    const bd_coefficient *known[] = {&mediation->equations[0]->coefficients[first],
                                     &mediation->equations[mediation->path->n_nodes - 1]->coefficients[first]};
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "effects", "Effects", headings, 6, &rows));
    for (size_t i = 0; i < MEDIATION_ROUTES + mediation->n_routes; i++) {
        const bd_coefficient *c = i < 2 ? known[i] : NULL;
        const size_t k = mediation->n_checks > 1 ? i - MEDIATION_INDIRECT : 0;
        const bd_mediation_check *check = i < 2 ? NULL : &mediation->checks[k];
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(mediation->names[i]);
        cells[1] = bd_number(mediation->estimates[i]);
        cells[2] = bd_number(c ? c->se : check->delta_se);
        cells[3] = bd_number(c ? c->p : check->delta_p);
        cells[4] = bd_number(c ? c->ci_low : check->mc_low);
        cells[5] = bd_number(c ? c->ci_high : check->mc_high);
    }
    return effect_rows(mediation, mediation->n_values - 1, mediation->n_values, rows);
}

static bd_status effects_tables(const bd_mediation *mediation, bd_document *document)
{
    const size_t contrasts = MEDIATION_ROUTES + mediation->n_routes;
    const size_t standardised = contrasts + mediation->n_contrasts, last = mediation->n_values - 1;
    bd_document_rows *rows;
    if (mediation->bootstrap == NULL) {
        BD_TRY(effects_without_bootstrap(mediation, document));
    } else {
        BD_TRY(effect_table(mediation, document, "effects", "Effects", &rows));
        BD_TRY(effect_rows(mediation, 0, contrasts, rows));
        BD_TRY(effect_rows(mediation, last, last + 1, rows));
        BD_TRY(effect_table(mediation, document, "standardised", "Standardised indirect effects", &rows));
        const size_t half = 1 + mediation->n_routes, shown = mediation->n_routes > 1 ? half : 1; /* one route is the sum */
        BD_TRY(effect_rows(mediation, standardised, standardised + shown, rows));
        BD_TRY(effect_rows(mediation, standardised + half, standardised + half + shown, rows));
    }
    if (mediation->n_contrasts == 0)
        return BD_OK;
    BD_TRY(effect_table(mediation, document, "contrasts", "Contrasts of indirect effects", &rows));
    return effect_rows(mediation, contrasts, standardised, rows);
}

static bd_status check_row(bd_document_rows *rows, const char *term, const char *method, const double values[5])
{
    bd_cell *cells;
    BD_TRY(bd_document_row(rows, &cells));
    cells[0] = bd_text(term);
    cells[1] = bd_text(method);
    for (size_t i = 0; i < 5; i++)
        cells[2 + i] = bd_number(values[i]);
    return BD_OK;
}

static bd_status checks_table(const bd_mediation *mediation, bd_document *document)
{
    const bd_heading headings[] = {{"term", "Effect", BD_TEXT},       {"method", "Method", BD_TEXT},
                                   {"se", "SE", BD_ESTIMATE},         {"statistic", "z", BD_STATISTIC},
                                   {"p", "p", BD_P_VALUE},            {"ci_low", "CI low", BD_ESTIMATE},
                                   {"ci_high", "CI high", BD_ESTIMATE}};
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "checks", "Second opinions", headings, 7, &rows));
    for (size_t i = 0; i < mediation->n_checks; i++) {
        const bd_mediation_check *c = &mediation->checks[i];
        BD_TRY(check_row(rows, c->term, "Sobel (delta method)",
                         (double[]){c->delta_se, c->delta_z, c->delta_p, NAN, NAN}));
        if (!isnan(c->second_order_se))
            BD_TRY(check_row(rows, c->term, "Aroian (second order)",
                             (double[]){c->second_order_se, c->second_order_z, c->second_order_p, NAN, NAN}));
        BD_TRY(check_row(rows, c->term, "Monte Carlo", (double[]){NAN, NAN, NAN, c->mc_low, c->mc_high}));
        if (!isnan(c->joint_p))
            BD_TRY(check_row(rows, c->term, c->joint_p < 1 - mediation->level ? "joint significance: yes"
                                                                            : "joint significance: no",
                             (double[]){NAN, NAN, c->joint_p, NAN, NAN}));
    }
    return BD_OK;
}

static bd_status models_table(const bd_mediation *mediation, bd_arena *arena, bd_document *document)
{
    const bd_heading headings[] = {{"outcome", "Model of", BD_TEXT},  {"r_squared", "R2", BD_BOUNDED},
                                   {"f", "F", BD_STATISTIC},          {"df_model", "df 1", BD_DF},
                                   {"df_residual", "df 2", BD_DF},    {"p", "p", BD_P_VALUE},
                                   {"residual_sd", "Residual SD", BD_ESTIMATE}};
    const bd_path *path = mediation->path;
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "models", "Models", headings, 7, &rows));
    for (size_t t = 1; t <= path->n_nodes; t++) {
        const bool total = t == path->n_nodes;
        const bd_ols *fit = mediation->equations[total ? 0 : t];
        const double values[] = {fit->r_squared, fit->f, fit->df_model, fit->df_residual, fit->f_p, fit->residual_sd};
        const char *name = path->names[total ? t - 1 : t];
        if (total)
            BD_TRY(bd_print(arena, &name, "%s (total effect)", name));
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(name);
        for (size_t i = 0; i < 6; i++)
            cells[1 + i] = bd_number(values[i]);
    }
    return BD_OK;
}

static bd_status sentence(const bd_mediation *mediation, bd_document *document)
{
    const bd_path *path = mediation->path;
    const bd_interval_ends *ends = mediation->bootstrap ? &mediation->bootstrap->ends[MEDIATION_INDIRECT] : NULL;
    const bd_mediation_check *check = &mediation->checks[0];
    const double low = ends ? ends->low : check->mc_low, high = ends ? ends->high : check->mc_high;
    const double yardstick = ends ? ends->boot_se : check->delta_se;
    const bool beyond_zero = low > 0 || high < 0;
    return bd_document_say(
        document, BD_SENTENCE,
        "The total effect of %s on %s is %s: %s of it direct, %s through %s (%g %% %s interval [%s, %s]%s%s). The interval "
        "%s zero: the data %s an indirect effect.",
        path->names[0], path->names[path->n_nodes - 1],
        bd_show_as(mediation->estimates[MEDIATION_TOTAL], yardstick).text,
        bd_show_as(mediation->estimates[MEDIATION_DIRECT], yardstick).text,
        bd_show_as(mediation->estimates[MEDIATION_INDIRECT], yardstick).text,
        path->n_nodes == 3 ? path->names[1] : "the mediators", 100 * mediation->level,
        ends ? mediation->bootstrap->options.method->name : "Monte-Carlo", bd_show_as(low, yardstick).text,
        bd_show_as(high, yardstick).text, ends ? ", " : "", ends ? bd_show_p(ends->p).text : "",
        beyond_zero ? "leaves out" : "includes", beyond_zero ? "support" : "do not show");
}

static bd_status notes(const bd_mediation *mediation, bd_document *document)
{
    const bd_path *path = mediation->path;
    const bd_coefficient *total = &mediation->equations[0]->coefficients[1 + mediation->n_covariates];
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "That %s comes before the mediators, they before %s, and that nothing left out of the model "
                           "causes both a mediator and the outcome is assumed, not tested.",
                           path->names[0], path->names[path->n_nodes - 1]));
    if (total->ci_low <= 0 && total->ci_high >= 0)
        BD_TRY(bd_document_say(document, BD_WARNING,
                               "The total effect is not distinguishable from zero (%g %% CI [%s, %s]), so the "
                               "proportion mediated is a ratio to next to nothing: do not interpret it.",
                               100 * mediation->level, bd_show_as(total->ci_low, total->se).text,
                               bd_show_as(total->ci_high, total->se).text));
    else if (mediation->estimates[MEDIATION_INDIRECT] * mediation->estimates[MEDIATION_DIRECT] < 0)
        BD_TRY(bd_document_say(document, BD_WARNING,
                               "The direct and the indirect effect have opposite signs, so the proportion mediated is "
                               "not a proportion."));
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "Standard errors of the paths: %s (%s); their intervals: %g %%, t. Monte Carlo: %zu draws.",
                           bd_se_name(mediation->se), bd_se_summary(mediation->se), 100 * mediation->level,
                           mediation->n_draws));
    if (mediation->frame != NULL && mediation->frame->weights != NULL)
        BD_TRY(bd_document_say(document, BD_NOTE, "Weights are scaled to a mean of 1 over the rows that are used."));
    if (mediation->se != &bd_se_classical)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "In the second opinions, robust errors of equations of different stages count as "
                               "uncorrelated; the bootstrap needs no such assumption."));
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "Partially standardised: in standard deviations of the outcome per unit of the predictor; "
                           "completely: per standard deviation of the predictor."));
    if (mediation->bootstrap == NULL)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "From a correlation matrix: all estimates are standardised; intervals of indirect "
                               "effects are Monte-Carlo ones, their p values from the delta method."));
    return BD_OK;
}

static bd_status covariates_note(const bd_mediation *mediation, bd_arena *arena, bd_document *document)
{
    const char *list = "none";
    for (size_t i = 0; i < mediation->n_covariates; i++)
        BD_TRY(bd_print(arena, &list, "%s%s%s", i > 0 ? list : "", i > 0 ? ", " : "", mediation->covariates[i]));
    return bd_document_say(document, BD_NOTE, "n = %zu. Covariates in every equation: %s.", mediation->n_rows, list);
}

bd_status bd_mediation_document(const bd_mediation *mediation, bd_arena *arena, bd_document **out)
{
    const char *title;
    bd_document *document;
    BD_TRY(bd_print(arena, &title, "Mediation: %s", mediation->path->text));
    BD_TRY(bd_document_new(arena, "mediate", title, &document));
    BD_TRY(paths_table(mediation, document));
    BD_TRY(effects_tables(mediation, document));
    BD_TRY(checks_table(mediation, document));
    BD_TRY(models_table(mediation, arena, document));
    BD_TRY(sentence(mediation, document));
    BD_TRY(covariates_note(mediation, arena, document));
    BD_TRY(notes(mediation, document));
    if (mediation->bootstrap != NULL)
        BD_TRY(bd_bootstrap_document(mediation->bootstrap, arena, document));
    if (mediation->frame != NULL)
        BD_TRY(bd_provenance_frame(mediation->frame, document));
    else
        BD_TRY(bd_document_fact(document, "rows.used", "Cases", BD_COUNT, bd_number((double)mediation->n_rows)));
    *out = document;
    return BD_OK;
}
