/* Published numbers beside recomputed ones. */
#include <bordin/analyses/reproduction.h>

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bordin/data/csv.h>
#include <bordin/data/printed.h>

enum { COLUMNS = 10 };
static const char *const names[COLUMNS] = {"finding", "quantity", "published", "command", "table",
                                           "row",     "column",   "times",     "source",  "note"};

/* NULL where it is empty. */
static const char *text_at(const bd_column *column, size_t row)
{
    return column->codes[row] == 0 ? NULL : column->levels[column->codes[row] - 1];
}

static bd_status read_texts(const char *path, const char *const *columns, size_t n, bd_arena *arena,
                            const bd_table **table)
{
    const bd_csv_options options = BD_CSV_DEFAULTS;
    bd_wanted *wanted;
    BD_NEW(arena, wanted, n);
    for (size_t i = 0; i < n; i++)
        wanted[i] = (bd_wanted){columns[i], BD_USE_CATEGORIES};
    return bd_csv_read(path, wanted, n, &options, arena, table);
}

static bd_status check_claim(const bd_claim *claim, const char *path, size_t row)
{
    bd_printed printed;
    if (claim->finding == NULL || claim->published == NULL || claim->command == NULL || claim->table == NULL ||
        claim->column == NULL || claim->quantity == NULL)
        return bd_fail(BD_EDATA, "%s: number %zu needs finding, quantity, published, command, table and column", path,
                       row + 1);
    return bd_printed_read(claim->published, &printed)
               ? BD_OK
               : bd_fail(BD_EDATA, "%s: '%s' of %s is not a number as it is printed", path, claim->published,
                         claim->quantity);
}

static bd_status read_folder(const char *folder, const char *path, bd_arena *arena, bd_claim **claims, size_t *n,
                             size_t *room)
{
    const bd_table *table;
    const bd_column *columns[COLUMNS];
    BD_TRY(read_texts(path, names, COLUMNS, arena, &table));
    for (size_t c = 0; c < COLUMNS; c++)
        BD_TRY(bd_table_column(table, names[c], &columns[c]));
    for (size_t i = 0; i < table->n_rows; i++) {
        const char *text[COLUMNS];
        for (size_t c = 0; c < COLUMNS; c++)
            text[c] = text_at(columns[c], i);
        const bd_claim claim = {.folder = folder, .finding = text[0], .quantity = text[1], .published = text[2],
                                .command = text[3], .table = text[4], .row = text[5], .column = text[6],
                                .times = text[7], .source = text[8], .note = text[9], .value = NAN};
        BD_TRY(check_claim(&claim, path, i));
        BD_PUSH(arena, *claims, *n, *room, claim);
    }
    return BD_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bd_status add_folder(const char *datasets, const char *name, bd_arena *arena, const char ***folders, size_t *n,
                            size_t *room)
{
    const char *path = NULL, *copy = NULL;
    BD_TRY(bd_print(arena, &path, "%s/%s/findings.csv", datasets, name));
    if (name[0] == '.' || access(path, R_OK) != 0)
        return BD_OK;
    BD_TRY(bd_copy_text(arena, name, strlen(name), &copy));
    BD_PUSH(arena, *folders, *n, *room, copy);
    return BD_OK;
}

/* Folders in the order of their names. */
static bd_status list_folders(const char *datasets, bd_arena *arena, const char ***folders, size_t *n)
{
    DIR *directory = opendir(datasets);
    struct dirent *entry;
    size_t room = 0;
    bd_status status = BD_OK;
    if (directory == NULL)
        return bd_fail(BD_EIO, "%s: %s", datasets, strerror(errno));
    while (status == BD_OK && (entry = readdir(directory)) != NULL)
        status = add_folder(datasets, entry->d_name, arena, folders, n, &room);
    closedir(directory);
    if (status == BD_OK && *n > 0)
        qsort(*folders, *n, sizeof **folders, by_text);
    return status;
}

bd_status bd_claims_read(const char *datasets, bd_arena *arena, bd_claim **claims, size_t *n)
{
    const char **folders = NULL, *path = NULL;
    size_t n_folders = 0, room = 0;
    *claims = NULL;
    *n = 0;
    BD_TRY(list_folders(datasets, arena, &folders, &n_folders));
    for (size_t i = 0; i < n_folders; i++) {
        BD_TRY(bd_print(arena, &path, "%s/%s/findings.csv", datasets, folders[i]));
        BD_TRY(read_folder(folders[i], path, arena, claims, n, &room));
    }
    return *n > 0 ? BD_OK : bd_fail(BD_EDATA, "no folder of %s has findings.csv", datasets);
}

bd_status bd_claim_fail(bd_claim *claim, const char *why, bd_arena *arena)
{
    claim->end = BD_CLAIM_FAILED;
    return bd_copy_text(arena, why, strcspn(why, "\n"), &claim->why);
}

/* "term=age" taken apart; a claim on the only row has neither. */
static bd_status split_row(const bd_claim *claim, bd_arena *arena, const char **label, const char **text)
{
    *label = *text = NULL;
    if (claim->row == NULL)
        return BD_OK;
    const char *equals = strchr(claim->row, '=');
    if (equals == NULL)
        return bd_fail(BD_EDATA, "the row '%s' of %s is not NAME=TEXT", claim->row, claim->quantity);
    *text = equals + 1;
    return bd_copy_text(arena, claim->row, (size_t)(equals - claim->row), label);
}

static bd_status find_cell(const bd_claim *claim, const char *result, bd_arena *arena, const char **cell)
{
    const char *label, *text, *wanted[3] = {"table", claim->column, NULL};
    const bd_table *table;
    const bd_column *tables, *values, *labels = NULL;
    BD_TRY(split_row(claim, arena, &label, &text));
    wanted[2] = label;
    BD_TRY(read_texts(result, wanted, label == NULL || strcmp(label, claim->column) == 0 ? 2 : 3, arena, &table));
    BD_TRY(bd_table_column(table, "table", &tables));
    BD_TRY(bd_table_column(table, claim->column, &values));
    if (label != NULL)
        BD_TRY(bd_table_column(table, label, &labels));
    for (size_t i = 0; i < table->n_rows; i++) {
        const char *own = text_at(tables, i), *name = labels == NULL ? NULL : text_at(labels, i);
        if (own == NULL || strcmp(own, claim->table) != 0 || (labels != NULL && (name == NULL || strcmp(name, text) != 0)))
            continue;
        *cell = text_at(values, i);
        if (*cell != NULL)
            return BD_OK;
    }
    return bd_fail(BD_EDATA, "the command writes no %s of %s in its table '%s'", claim->column,
                   claim->row == NULL ? "its row" : claim->row, claim->table);
}

bd_status bd_claim_check(bd_claim *claim, const char *result, bd_arena *arena)
{
    const char *cell = NULL;
    char *end;
    bd_printed printed;
    const bd_status status = find_cell(claim, result, arena, &cell);
    if (status == BD_EDATA)
        return bd_claim_fail(claim, bd_message(), arena);
    BD_TRY(status);
    claim->value = strtod(cell, &end) * (claim->times == NULL ? 1 : strtod(claim->times, NULL));
    if (end == cell || *end != '\0' || !isfinite(claim->value))
        return bd_claim_fail(claim, "what the command writes there is not a number", arena);
    if (!bd_printed_read(claim->published, &printed))
        return bd_claim_fail(claim, "what was published is not a number", arena);
    claim->end = bd_printed_agrees(&printed, claim->value) ? BD_CLAIM_AGREES
                 : claim->note != NULL                     ? BD_CLAIM_EXPLAINED
                                                           : BD_CLAIM_DIFFERS;
    if (printed.relation != '=' || printed.decimals < 0)
        return bd_print(arena, &claim->computed, "%.4g", claim->value);
    return bd_print(arena, &claim->computed, "%.*f", printed.decimals + 2, claim->value);
}

size_t bd_claims_open(const bd_claim *claims, size_t n)
{
    size_t open = 0;
    for (size_t i = 0; i < n; i++)
        open += claims[i].end == BD_CLAIM_DIFFERS || claims[i].end == BD_CLAIM_FAILED;
    return open;
}

bd_status bd_claims_document(const bd_claim *claims, size_t n, bd_arena *arena, bd_document **out)
{
    static const bd_heading headings[] = {{"finding", "Finding", BD_TEXT},
                                          {"numbers", "Numbers", BD_COUNT},
                                          {"data", "Data", BD_TEXT},
                                          {"source", "Printed in", BD_TEXT}};
    bd_document *document;
    bd_document_rows *rows;
    BD_TRY(bd_document_new(arena, "reproduce", "Published numbers that can be recomputed", &document));
    BD_TRY(bd_document_table(document, "findings", "Findings", headings, 4, &rows));
    for (size_t i = 0, count; i < n; i += count) {
        bd_cell *cells;
        for (count = 1; i + count < n && strcmp(claims[i + count].finding, claims[i].finding) == 0; count++)
            continue;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(claims[i].finding);
        cells[1] = bd_number((double)count);
        cells[2] = bd_text(claims[i].folder);
        cells[3] = bd_text(claims[i].source);
    }
    BD_TRY(bd_document_say(document, BD_SENTENCE,
                           "'bordin reproduce NAME' recomputes the numbers of a finding, 'bordin reproduce all' those of all "
                           "of them."));
    *out = document;
    return BD_OK;
}

static bd_status number_table(const bd_claim *claims, size_t n, bd_document *document)
{
    static const bd_heading headings[] = {{"finding", "Finding", BD_TEXT},
                                          {"quantity", "Quantity", BD_TEXT},
                                          {"published", "Published", BD_TEXT},
                                          {"computed", "Computed", BD_TEXT},
                                          {"agrees", "Agrees", BD_TEXT}};
    static const char *const ends[] = {[BD_CLAIM_AGREES] = "yes",
                                       [BD_CLAIM_EXPLAINED] = "no, see note",
                                       [BD_CLAIM_DIFFERS] = "no",
                                       [BD_CLAIM_FAILED] = "failed",
                                       [BD_CLAIM_UNCHECKED] = "not checked"};
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "numbers", "Published and computed", headings, 5, &rows));
    for (size_t i = 0; i < n; i++) {
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text(claims[i].finding);
        cells[1] = bd_text(claims[i].quantity);
        cells[2] = bd_text(claims[i].published);
        cells[3] = bd_text(claims[i].computed);
        cells[4] = bd_text(ends[claims[i].end]);
    }
    return BD_OK;
}

static bd_status say_sources(const bd_claim *claims, size_t n, bd_document *document)
{
    for (size_t i = 0; i < n; i++) {
        const bd_claim *c = &claims[i], *before = i == 0 ? NULL : c - 1;
        if (before != NULL && strcmp(c->finding, before->finding) == 0 && strcmp(c->command, before->command) == 0)
            continue;
        BD_TRY(bd_document_say(document, BD_NOTE, "%s (%s): bordin %s", c->finding,
                               c->source == NULL ? "source not given" : c->source, c->command));
    }
    return BD_OK;
}

bd_status bd_reproduction_document(const bd_claim *claims, size_t n, bd_arena *arena, bd_document **out)
{
    size_t agree = 0, explained = 0;
    bd_document *document;
    BD_TRY(bd_document_new(arena, "reproduce", "Published numbers, recomputed from the shipped data", &document));
    BD_TRY(number_table(claims, n, document));
    for (size_t i = 0; i < n; i++) {
        const bd_claim *c = &claims[i];
        agree += c->end == BD_CLAIM_AGREES;
        explained += c->end == BD_CLAIM_EXPLAINED;
        if (c->end == BD_CLAIM_EXPLAINED)
            BD_TRY(bd_document_say(document, BD_NOTE, "%s, %s: published %s, computed %s. %s", c->finding, c->quantity,
                                   c->published, c->computed, c->note));
        else if (c->end == BD_CLAIM_DIFFERS)
            BD_TRY(bd_document_say(document, BD_WARNING, "%s, %s: published %s, computed %s; why is not known.", c->finding,
                                   c->quantity, c->published, c->computed));
        else if (c->end == BD_CLAIM_FAILED)
            BD_TRY(bd_document_say(document, BD_WARNING, "%s, %s: not computed: %s.", c->finding, c->quantity, c->why));
    }
    BD_TRY(bd_document_say(document, BD_SENTENCE, "%zu of %zu published numbers come out again to every digit printed%s.",
                           agree, n, agree == n ? "" : "; the others are in the notes and warnings"));
    if (explained > 0)
        BD_TRY(bd_document_say(document, BD_SENTENCE, "%zu differ for a reason that is known.", explained));
    BD_TRY(say_sources(claims, n, document));
    *out = document;
    return BD_OK;
}
