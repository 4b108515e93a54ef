/* Predictions for profiles: delta method on the scale of the index, and further values of a bootstrap. */
#include <bordin/analyses/prediction.h>

#include <math.h>

#include <gsl/gsl_cdf.h>

double bd_index_sum(const bd_design_column *columns, size_t n, size_t row, const double *parameters)
{
    double sum = 0;
    for (size_t j = 0; j < n; j++)
        sum += parameters[j] * (columns[j].values == NULL ? 1 : columns[j].values[row]);
    return sum;
}

static void linear_index(const void *context, const bd_frame *profiles, size_t row, const double *parameters,
                         double *index)
{
    (void)context;
    *index = bd_index_sum(profiles->columns, profiles->n_columns, row, parameters);
    if (profiles->offset != NULL)
        *index += profiles->offset[row];
}

bd_index bd_linear_index(const bd_frame *frame, const bd_link *link, const char *heading)
{
    return (bd_index){
        .n_parameters = frame->n_columns, .n_values = 1, .link = link, .heading = heading, .of = linear_index};
}

/* Derivatives of a profile's indices (n_values) by a parameter: central differences of the fourth order, with steps of a
 * thousandth of its standard error. */
static void slopes(const bd_index *index, const bd_frame *profiles, size_t row, double *parameters, size_t j, double se,
                   double *values, double *out)
{
    static const double steps[] = {-2, -1, 1, 2}, factors[] = {1.0 / 12, -8.0 / 12, 8.0 / 12, -1.0 / 12};
    const double at = parameters[j], step = se > 0 ? se / 1000 : 1e-6;
    for (size_t v = 0; v < index->n_values; v++)
        out[v] = 0;
    for (size_t s = 0; s < 4; s++) {
        parameters[j] = at + steps[s] * step;
        index->of(index->context, profiles, row, parameters, values);
        for (size_t v = 0; v < index->n_values; v++)
            out[v] += factors[s] * values[v] / step;
    }
    parameters[j] = at;
}

/* The variance of an index, whose slopes are n_values apart. */
static double variance(const bd_index *index, const double *covariance, const double *slope)
{
    const size_t p = index->n_parameters;
    double sum = 0;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            sum += slope[i * index->n_values] * slope[j * index->n_values] * covariance[i * p + j];
    return fmax(sum, 0);
}

static bd_prediction predicted(const bd_index *index, double eta, double se, double quantile)
{
    double slope, other;
    bd_prediction item = {.estimate = bd_link_mean(index->link, eta, &slope)};
    const double a = bd_link_mean(index->link, eta - quantile * se, &other);
    const double b = bd_link_mean(index->link, eta + quantile * se, &other);
    item.se = fabs(slope) * se;
    item.ci_low = a < b ? a : b;
    item.ci_high = a < b ? b : a;
    return item;
}

static bd_status names_of(const bd_predictions *predictions, bd_arena *arena, const char *const **out)
{
    const char **names;
    BD_NEW(arena, names, predictions->n);
    for (size_t i = 0; i < predictions->n; i++) {
        const bd_prediction *item = &predictions->items[i];
        const char *profile = predictions->profiles->profiles[item->profile].name;
        BD_TRY(item->category == NULL ? bd_print(arena, &names[i], "at %s", profile)
                                      : bd_print(arena, &names[i], "at %s: %s", profile, item->category));
    }
    *out = names;
    return BD_OK;
}

bd_status bd_predict(const bd_index *index, const bd_profiles *profiles, const bd_parameters *fit, double level,
                     bd_arena *arena, const bd_predictions **out)
{
    const size_t p = index->n_parameters, k = index->n_values;
    const double tail = (1 - level) / 2;
    const double quantile = isfinite(fit->df) ? gsl_cdf_tdist_Qinv(tail, fit->df) : gsl_cdf_ugaussian_Qinv(tail);
    bd_predictions *predictions;
    bd_prediction *items;
    double *parameters, *eta, *scratch, *slope;
    BD_NEW(arena, predictions, 1);
    BD_NEW(arena, items, profiles->n * k);
    *predictions = (bd_predictions){
        .index = *index, .profiles = profiles, .level = level, .df = fit->df, .n = profiles->n * k, .items = items};
    BD_NEW(arena, parameters, p);
    BD_NEW(arena, eta, k);
    BD_NEW(arena, scratch, k);
    BD_NEW(arena, slope, p * k);
    for (size_t j = 0; j < p; j++)
        parameters[j] = fit->estimates[j];
    for (size_t i = 0; i < profiles->n; i++) {
        for (size_t j = 0; j < p; j++)
            slopes(index, profiles->frame, i, parameters, j, sqrt(fit->covariance[j * p + j]), scratch, slope + j * k);
        index->of(index->context, profiles->frame, i, parameters, eta);
        for (size_t v = 0; v < k; v++) {
            items[i * k + v] = predicted(index, eta[v], sqrt(variance(index, fit->covariance, slope + v)), quantile);
            items[i * k + v].profile = i;
            items[i * k + v].category = index->categories == NULL ? NULL : index->categories[v];
        }
    }
    *out = predictions;
    return names_of(predictions, arena, &predictions->names);
}

typedef struct longer {
    const bd_statistic *statistic;
    const bd_predictions *predictions;
} longer;

static void add_predictions(const longer *l, double *values, double *errors)
{
    const bd_index *index = &l->predictions->index;
    double *at = values + l->statistic->n_values, slope;
    for (size_t i = 0; i < l->predictions->profiles->n; i++, at += index->n_values) {
        index->of(index->context, l->predictions->profiles->frame, i, values, at);
        for (size_t v = 0; v < index->n_values; v++)
            at[v] = bd_link_mean(index->link, at[v], &slope);
    }
    for (size_t i = 0; errors != NULL && i < l->predictions->n; i++)
        errors[l->statistic->n_values + i] = NAN;
}

static bd_replicate_end from_moments(const void *context, const double *triangle, double *values, double *errors)
{
    const longer *l = context;
    const bd_replicate_end end = l->statistic->from_moments(l->statistic->context, triangle, values, errors);
    if (end == BD_REPLICATE_USABLE)
        add_predictions(l, values, errors);
    return end;
}

static bd_replicate_end from_weights(const void *context, const double *weights, double *scratch, double *values,
                                     double *errors)
{
    const longer *l = context;
    const bd_replicate_end end = l->statistic->from_weights(l->statistic->context, weights, scratch, values, errors);
    if (end == BD_REPLICATE_USABLE)
        add_predictions(l, values, errors);
    return end;
}

bd_status bd_predictions_statistic(const bd_predictions *predictions, const bd_statistic *statistic, bd_arena *arena,
                                   const bd_statistic **out)
{
    bd_statistic *new;
    longer *l;
    const char **names;
    *out = statistic;
    if (predictions == NULL)
        return BD_OK;
    BD_NEW(arena, new, 1);
    BD_NEW(arena, l, 1);
    BD_NEW(arena, names, statistic->n_values + predictions->n);
    *l = (longer){statistic, predictions};
    for (size_t i = 0; i < statistic->n_values + predictions->n; i++)
        names[i] = i < statistic->n_values ? statistic->names[i] : predictions->names[i - statistic->n_values];
    *new = *statistic;
    new->n_values += predictions->n;
    new->names = names;
    new->from_moments = statistic->from_moments != NULL ? from_moments : NULL;
    new->from_weights = statistic->from_weights != NULL ? from_weights : NULL;
    new->context = l;
    *out = new;
    return BD_OK;
}

/* A bootstrap's cells but for p: that a mean is 0 is no hypothesis. */
static void bootstrap_cells(const bd_interval_ends *ends, bd_cell *cells)
{
    bd_cell all[BD_BOOTSTRAP_CELLS];
    bd_bootstrap_cells(ends, all);
    cells[0] = all[0];
    for (size_t i = 2; i < BD_BOOTSTRAP_CELLS; i++)
        cells[i - 1] = all[i];
}

static size_t headings_of(const bd_predictions *predictions, bool bootstrap, bd_heading *headings)
{
    const bd_class class = predictions->index.categories != NULL ? BD_BOUNDED : BD_ESTIMATE;
    const bd_heading drawn[] = {BD_BOOTSTRAP_HEADINGS("boot_p", "Boot p", class)};
    const bd_heading delta[] = {{"se", "SE", class}, {"ci_low", "CI low", class}, {"ci_high", "CI high", class}};
    size_t n = 0;
    headings[n++] = (bd_heading){"profile", "Profile", BD_TEXT};
    if (predictions->index.categories != NULL)
        headings[n++] = (bd_heading){"category", "Category", BD_TEXT};
    headings[n++] = (bd_heading){"estimate", predictions->index.heading, class};
    for (size_t i = 0; !bootstrap && i < 3; i++)
        headings[n++] = delta[i];
    for (size_t i = 0; bootstrap && i < BD_BOOTSTRAP_CELLS; i++)
        if (i != 1)
            headings[n++] = drawn[i];
    return n;
}

bd_status bd_predictions_table(const bd_predictions *predictions, const bd_bootstrap_result *bootstrap,
                               bd_document *document)
{
    bd_heading headings[3 + BD_BOOTSTRAP_CELLS];
    bd_document_rows *rows;
    if (predictions == NULL)
        return BD_OK;
    const size_t n = headings_of(predictions, bootstrap != NULL, headings);
    const size_t first = predictions->index.n_parameters;
    BD_TRY(bd_document_table(document, "predictions", "Predictions", headings, n, &rows));
    for (size_t i = 0; i < predictions->n; i++) {
        const bd_prediction *item = &predictions->items[i];
        const double delta[] = {item->se, item->ci_low, item->ci_high};
        bd_cell *cells;
        size_t at = 0;
        BD_TRY(bd_document_row(rows, &cells));
        cells[at++] = bd_text(predictions->profiles->profiles[item->profile].name);
        if (item->category != NULL)
            cells[at++] = bd_text(item->category);
        cells[at++] = bd_number(item->estimate);
        if (bootstrap != NULL)
            bootstrap_cells(&bootstrap->ends[first + i], cells + at);
        for (size_t k = 0; bootstrap == NULL && k < 3; k++)
            cells[at++] = bd_number(delta[k]);
    }
    return BD_OK;
}

bd_status bd_predictions_notes(const bd_predictions *predictions, const bd_bootstrap_result *bootstrap,
                               bd_document *document)
{
    if (predictions == NULL)
        return BD_OK;
    const char *link = bd_link_name(predictions->index.link);
    const bool identity = predictions->index.link == &bd_identity;
    const char *scale = identity ? "" : ", on the scale of link ", *name = identity ? "" : link;
    if (bootstrap == NULL && isfinite(predictions->df))
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "Predictions: %g %% intervals of the expected outcome, by t with %g df%s%s.",
                               100 * predictions->level, predictions->df, scale, name));
    else if (bootstrap == NULL)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "Predictions: %g %% intervals of the expected outcome, by the delta method%s%s.",
                               100 * predictions->level, scale, name));
    for (size_t i = 0; i < predictions->profiles->n_notes; i++)
        BD_TRY(bd_document_say(document, BD_NOTE, "%s", predictions->profiles->notes[i]));
    return BD_OK;
}
