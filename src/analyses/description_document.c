/* The document of a description. */
#include <stdlib.h>
#include <string.h>

#include <bordin/report/number.h>

#include "analyses/description_internal.h"

/* Adds a row of the cells to a table. */
static bd_status add_row(bd_document_rows *rows, const bd_cell *values, size_t n)
{
    bd_cell *cells;
    BD_TRY(bd_document_row(rows, &cells));
    memcpy(cells, values, n * sizeof *cells);
    return BD_OK;
}

static bd_cell count(size_t n)
{
    return bd_number((double)n);
}

/* A table of one line per column of a kind and, by_group, per group: "column", then "group", then these headings. */
typedef struct table_of_parts {
    const char *id, *title, *id_by_group, *title_by_group;
    bd_column_kind kind;
    const bd_heading *headings;
    size_t n_headings;
    void (*cells)(const bd_summary *summary, bd_cell *cells);
} table_of_parts;

enum { MOST_HEADINGS = 16 };

static bd_status part_rows(const bd_description *d, const table_of_parts *table, bool by_group, bd_document *document)
{
    bd_heading headings[MOST_HEADINGS] = {
        {"column", "Column", BD_TEXT}, {"group", by_group ? d->by->name : "", BD_TEXT}};
    const size_t first = by_group ? 2 : 1, n = first + table->n_headings;
    bd_document_rows *rows = NULL;
    memcpy(headings + first, table->headings, table->n_headings * sizeof *headings);
    for (size_t j = 0; j < d->n_columns; j++) {
        if (d->columns[j].column->kind != table->kind)
            continue;
        if (rows == NULL)
            BD_TRY(bd_document_table(document, by_group ? table->id_by_group : table->id,
                                     by_group ? table->title_by_group : table->title, headings, n, &rows));
        for (size_t g = by_group; g < (by_group ? d->n_parts : 1); g++) {
            bd_cell cells[MOST_HEADINGS] = {bd_text(d->columns[j].column->name), bd_text(d->parts[g].name)};
            table->cells(&d->columns[j].parts[g], cells + first);
            BD_TRY(add_row(rows, cells, n));
        }
    }
    return BD_OK;
}

static void number_cells(const bd_summary *s, bd_cell *cells)
{
    const double values[] = {(double)s->n, (double)s->n_missing, s->mean, s->sd, s->min, s->q1, s->median,
                             s->q3,        s->max,               s->skewness,    s->kurtosis};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        cells[i] = bd_number(values[i]);
}

static bd_status number_tables(const bd_description *d, bool by_group, bd_document *document)
{
    const bd_heading headings[] = {
        {"n", "n", BD_COUNT},        {"missing", "Missing", BD_COUNT}, {"mean", "Mean", BD_ESTIMATE},
        {"sd", "SD", BD_ESTIMATE},   {"min", "Min", BD_ESTIMATE},      {"q1", "Q1", BD_ESTIMATE},
        {"median", "Median", BD_ESTIMATE}, {"q3", "Q3", BD_ESTIMATE},  {"max", "Max", BD_ESTIMATE},
        {"skewness", "Skew", BD_STATISTIC}, {"kurtosis", "Kurtosis", BD_STATISTIC},
    };
    const table_of_parts table = {"numbers", "Numbers", "numbers_by_group", "Numbers by group", BD_NUMBERS,
                                  headings, sizeof headings / sizeof *headings, number_cells};
    return part_rows(d, &table, by_group, document);
}

static void category_cells(const bd_summary *s, bd_cell *cells)
{
    cells[0] = count(s->n);
    cells[1] = count(s->n_missing);
    cells[2] = count(s->n_levels);
}

static bd_status category_tables(const bd_description *d, bool by_group, bd_document *document)
{
    const bd_heading headings[] = {
        {"n", "n", BD_COUNT}, {"missing", "Missing", BD_COUNT}, {"levels", "Levels", BD_COUNT}};
    const table_of_parts table = {"categories", "Categories", "categories_by_group", "Categories by group",
                                  BD_CATEGORIES, headings, 3, category_cells};
    return part_rows(d, &table, by_group, document);
}

/* A level and how often it occurs. */
typedef struct level {
    size_t code, count;
} level;

static int by_frequency(const void *left, const void *right)
{
    const level *a = left, *b = right;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return a->code < b->code ? -1 : a->code > b->code;
}

/* The levels that occur: in their order or, when there are many, the most frequent. */
static bd_status levels_listed(const bd_described *described, bd_arena *arena, level **levels, size_t *n)
{
    *n = 0;
    BD_NEW(arena, *levels, described->column->n_levels);
    for (size_t k = 0; k < described->column->n_levels; k++)
        if (described->parts[0].counts[k] > 0)
            (*levels)[(*n)++] = (level){k, described->parts[0].counts[k]};
    if (*n > BD_LISTED_LEVELS) {
        qsort(*levels, *n, sizeof **levels, by_frequency);
        *n = BD_LISTED_LEVELS;
    }
    return BD_OK;
}

static bd_status level_rows(const bd_description *d, const bd_described *described, bool by_group, bd_arena *arena,
                            bd_document_rows *rows)
{
    level *levels;
    size_t n;
    BD_TRY(levels_listed(described, arena, &levels, &n));
    for (size_t i = 0; i < n; i++)
        for (size_t g = by_group; g < (by_group ? d->n_parts : 1); g++) {
            const bd_summary *s = &described->parts[g];
            const double n_level = (double)s->counts[levels[i].code];
            bd_cell cells[5] = {bd_text(described->column->name), bd_text(described->column->levels[levels[i].code]),
                                bd_text(d->parts[g].name)};
            cells[2 + by_group] = bd_number(n_level);
            cells[3 + by_group] = bd_number(n_level / (double)s->n);
            BD_TRY(add_row(rows, cells, (size_t)4 + by_group));
        }
    return BD_OK;
}

static bd_status level_table(const bd_description *d, bool by_group, bd_arena *arena, bd_document *document)
{
    bd_heading headings[5] = {
        {"column", "Column", BD_TEXT}, {"level", "Level", BD_TEXT}, {"group", by_group ? d->by->name : "", BD_TEXT}};
    headings[2 + by_group] = (bd_heading){"n", "n", BD_COUNT};
    headings[3 + by_group] = (bd_heading){"share", "%", BD_PERCENT};
    bd_document_rows *rows = NULL;
    for (size_t j = 0; j < d->n_columns; j++) {
        if (d->columns[j].column->kind != BD_CATEGORIES)
            continue;
        if (rows == NULL)
            BD_TRY(bd_document_table(document, by_group ? "levels_by_group" : "levels",
                                     by_group ? "Levels by group" : "Levels", headings, (size_t)4 + by_group, &rows));
        BD_TRY(level_rows(d, &d->columns[j], by_group, arena, rows));
    }
    return BD_OK;
}

static bd_status correlation_table(const bd_description *d, bd_document *document)
{
    const bd_heading headings[] = {
        {"x", "x", BD_TEXT},    {"y", "y", BD_TEXT},
        {"n", "n", BD_COUNT},   {"r", "r", BD_BOUNDED},
        {"ci_low", "CI low", BD_BOUNDED}, {"ci_high", "CI high", BD_BOUNDED},
        {"t", "t", BD_STATISTIC}, {"p", "p", BD_P_VALUE},
    };
    bd_document_rows *rows;
    if (d->n_correlations == 0)
        return BD_OK;
    BD_TRY(bd_document_table(document, "correlations", "Correlations", headings, 8, &rows));
    for (size_t i = 0; i < d->n_correlations; i++) {
        const bd_correlation *c = &d->correlations[i];
        const bd_cell cells[] = {bd_text(c->x->name), bd_text(c->y->name),  count(c->n),     bd_number(c->r),
                                 bd_number(c->ci_low), bd_number(c->ci_high), bd_number(c->t), bd_number(c->p)};
        BD_TRY(add_row(rows, cells, 8));
    }
    return BD_OK;
}

static bd_status icc_table(const bd_description *d, bd_document *document)
{
    const bd_heading headings[] = {
        {"column", "Column", BD_TEXT},      {"n", "n", BD_COUNT},
        {"clusters", "k", BD_COUNT},        {"n0", "n0", BD_DF},
        {"icc", "ICC(1)", BD_BOUNDED},      {"ci_low", "CI low", BD_BOUNDED},
        {"ci_high", "CI high", BD_BOUNDED}, {"f", "F", BD_STATISTIC},
        {"df_between", "df 1", BD_DF},      {"df_within", "df 2", BD_DF},
        {"p", "p", BD_P_VALUE},
    };
    bd_document_rows *rows;
    if (d->n_iccs == 0)
        return BD_OK;
    BD_TRY(bd_document_table(document, "icc", "Intraclass correlations", headings, 11, &rows));
    for (size_t i = 0; i < d->n_iccs; i++) {
        const bd_icc *c = &d->iccs[i];
        const bd_cell cells[] = {bd_text(c->column->name), count(c->n), count(c->n_clusters), bd_number(c->n0),
                                 bd_number(c->icc), bd_number(c->ci_low), bd_number(c->ci_high), bd_number(c->f),
                                 bd_number(c->df_between), bd_number(c->df_within), bd_number(c->p)};
        BD_TRY(add_row(rows, cells, 11));
    }
    return BD_OK;
}

static bd_status missing_pair_table(const bd_description *d, bd_document *document)
{
    const bd_heading headings[] = {
        {"x", "x", BD_TEXT},           {"y", "y", BD_TEXT},           {"both", "Both there", BD_COUNT},
        {"only_x", "Only x", BD_COUNT}, {"only_y", "Only y", BD_COUNT}, {"neither", "Neither", BD_COUNT},
    };
    bd_document_rows *rows;
    if (d->n_missing_pairs == 0)
        return BD_OK;
    BD_TRY(bd_document_table(document, "missing_pairs", "Values there, by pairs", headings, 6, &rows));
    for (size_t i = 0; i < d->n_missing_pairs; i++) {
        const bd_missing_pair *p = &d->missing_pairs[i];
        const bd_cell cells[] = {bd_text(p->x->name), bd_text(p->y->name), count(p->n_both),
                                 count(p->n_only_x),  count(p->n_only_y),  count(p->n_neither)};
        BD_TRY(add_row(rows, cells, 6));
    }
    return BD_OK;
}

static bd_status pattern_name(const bd_description *d, uint64_t columns, bd_arena *arena, const char **name)
{
    *name = "";
    for (size_t j = 0; j < d->n_incomplete && j < BD_PATTERN_COLUMNS; j++)
        if (columns >> j & 1)
            BD_TRY(bd_print(arena, name, "%s%s%s", *name, **name ? ", " : "", d->incomplete[j]->name));
    return BD_OK;
}

static bd_status pattern_table(const bd_description *d, bd_arena *arena, bd_document *document)
{
    const bd_heading headings[] = {{"missing", "Missing", BD_TEXT}, {"n", "n", BD_COUNT}, {"share", "%", BD_PERCENT}};
    bd_document_rows *rows;
    if (d->n_patterns == 0)
        return BD_OK;
    BD_TRY(bd_document_table(document, "missing_patterns", "Missing together", headings, 3, &rows));
    for (size_t i = 0; i < d->n_patterns && i < BD_LISTED_LEVELS; i++) {
        const size_t n = d->patterns[i].n_rows;
        const char *name;
        BD_TRY(pattern_name(d, d->patterns[i].columns, arena, &name));
        const bd_cell cells[] = {bd_text(name), count(n), bd_number((double)n / (double)d->parts[0].n_rows)};
        BD_TRY(add_row(rows, cells, 3));
    }
    return BD_OK;
}

static bd_status sentences(const bd_description *d, bd_document *document)
{
    size_t complete = d->n_incomplete == 0 ? d->parts[0].n_rows : 0;
    for (size_t i = 0; i < d->n_patterns; i++)
        complete += d->patterns[i].columns == 0 ? d->patterns[i].n_rows : 0;
    if (d->n_incomplete <= BD_PATTERN_COLUMNS)
        BD_TRY(bd_document_say(document, BD_SENTENCE,
                               "Of %zu rows, %zu (%.1f %%) have a value in every column described.", d->parts[0].n_rows,
                               complete, 100 * (double)complete / (double)d->parts[0].n_rows));
    for (size_t i = 0; i < d->n_iccs; i++)
        if (d->iccs[i].ci_low > 0)
            BD_TRY(bd_document_say(document, BD_SENTENCE,
                                   "%.1f %% of the variance of %s lies between the %zu clusters of %s.",
                                   100 * d->iccs[i].icc, d->iccs[i].column->name, d->iccs[i].n_clusters,
                                   d->cluster->name));
    return BD_OK;
}

static bd_status limits(const bd_description *d, bd_document *document)
{
    if (d->too_many_to_correlate)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "There are more than %d columns of numbers: correlations are shown of columns that are "
                               "named.",
                               BD_FEW_COLUMNS));
    for (size_t j = 0; j < d->n_columns; j++)
        if (d->columns[j].parts[0].n_levels > BD_LISTED_LEVELS)
            BD_TRY(bd_document_say(document, BD_NOTE, "%s: the %d most frequent of %zu levels are listed.",
                                   d->columns[j].column->name, BD_LISTED_LEVELS, d->columns[j].parts[0].n_levels));
    if (d->n_incomplete > BD_PATTERN_COLUMNS)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "Patterns are those of the first %d of %zu columns with missing values.",
                               BD_PATTERN_COLUMNS, d->n_incomplete));
    if (d->n_patterns > BD_LISTED_LEVELS)
        BD_TRY(bd_document_say(document, BD_NOTE, "The %d most frequent of %zu patterns of missing values are listed.",
                               BD_LISTED_LEVELS, d->n_patterns));
    if (d->n_incomplete > BD_FEW_COLUMNS)
        BD_TRY(bd_document_say(document, BD_NOTE, "Pairs are those of the first %d of %zu columns with missing values.",
                               BD_FEW_COLUMNS, d->n_incomplete));
    return BD_OK;
}

/* When all columns are described, the nameless one was not read. */
static bool leaves_unnamed(const bd_table *table)
{
    for (size_t j = 0; j < table->n_header && table->n_columns + 1 == table->n_header; j++)
        if (table->header[j][0] == '\0')
            return true;
    return false;
}

static bd_status notes(const bd_description *d, bd_document *document)
{
    if (leaves_unnamed(d->table))
        BD_TRY(bd_document_say(document, BD_NOTE, "A column without a name (row names, mostly) is left out."));
    if (d->n_without_group > 0)
        BD_TRY(bd_document_say(document, BD_NOTE, "%s is missing in %zu rows; they are in no group.", d->by->name,
                               d->n_without_group));
    if (d->n_without_cluster > 0)
        BD_TRY(bd_document_say(document, BD_NOTE, "%s is missing in %zu rows; they are in no cluster.",
                               d->cluster->name, d->n_without_cluster));
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "Skew is G1, kurtosis G2, the excess over the normal, as SPSS and SAS have them; quartiles "
                           "are of type 7, as R has them."));
    if (d->n_correlations > 0)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "Correlations are Pearson's over the rows that have both, the %g %% intervals Fisher's.",
                               100 * d->level));
    if (d->n_iccs > 0)
        BD_TRY(bd_document_say(document, BD_NOTE,
                               "ICC(1) is that of one-way random effects, with its %g %% interval from F; k is the "
                               "number of clusters, n0 their mean size, corrected for unequal sizes.",
                               100 * d->level));
    return limits(d, document);
}

static bd_status provenance(const bd_description *d, bd_document *document)
{
    const size_t n_read = d->table->n_rows, n_used = d->parts[0].n_rows;
    BD_TRY(bd_document_fact(document, "rows.read", "Rows read", BD_COUNT, count(n_read)));
    if (n_used < n_read)
        BD_TRY(bd_document_fact(document, "rows.excluded", "Rows excluded by --where", BD_COUNT,
                                count(n_read - n_used)));
    return bd_document_fact(document, "rows.used", "Rows used", BD_COUNT, count(n_used));
}

bd_status bd_description_document(const bd_description *description, bd_arena *arena, bd_document **out)
{
    bd_document *document;
    const char *title;
    BD_TRY(bd_print(arena, &title, "Description: %zu column%s of %zu rows", description->n_columns,
                    description->n_columns == 1 ? "" : "s", description->parts[0].n_rows));
    BD_TRY(bd_document_new(arena, "describe", title, &document));
    for (int by_group = 0; by_group <= (description->by != NULL); by_group++) {
        BD_TRY(number_tables(description, by_group, document));
        BD_TRY(category_tables(description, by_group, document));
        BD_TRY(level_table(description, by_group, arena, document));
    }
    BD_TRY(correlation_table(description, document));
    BD_TRY(icc_table(description, document));
    BD_TRY(missing_pair_table(description, document));
    BD_TRY(pattern_table(description, arena, document));
    BD_TRY(sentences(description, document));
    BD_TRY(notes(description, document));
    BD_TRY(provenance(description, document));
    *out = document;
    return BD_OK;
}
