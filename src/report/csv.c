/* CSV: all tables in one flat file, a row per row, with every column that any of them has. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/parts.h"
#include "report/utf8.h"

/* The columns of the file after "table". */
typedef struct header {
    const char **keys;
    size_t n_keys, capacity;
} header;

static size_t find_key(const header *columns, const char *key)
{
    size_t i = 0;
    while (i < columns->n_keys && strcmp(columns->keys[i], key) != 0)
        i++;
    return i;
}

static bd_status add_key(header *columns, const char *key, bd_arena *scratch)
{
    if (find_key(columns, key) == columns->n_keys)
        BD_PUSH(scratch, columns->keys, columns->n_keys, columns->capacity, key);
    return BD_OK;
}

static bd_status write_field(const char *text, bd_arena *scratch, FILE *stream)
{
    BD_TRY(bd_utf8_clean(text, BD_KEEP_CONTROLS, scratch, &text));
    if (strpbrk(text, ",\"\r\n") == NULL && *text != ' ' && (*text == '\0' || text[strlen(text) - 1] != ' ')) {
        fputs(text, stream);
        return BD_OK;
    }
    fputc('"', stream);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
    return BD_OK;
}

/* The fewest digits that read back to the same bits. */
static void write_number(double number, FILE *stream)
{
    enum { USUAL_DIGITS = 15, ENOUGH_DIGITS = 17 };
    char text[40];
    for (int digits = USUAL_DIGITS; digits <= ENOUGH_DIGITS; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    fputs(text, stream);
}

static bd_status write_cell(const bd_cell *cell, bd_arena *scratch, FILE *stream)
{
    if (cell == NULL || !cell->present)
        return BD_OK;
    if (cell->text != NULL)
        return write_field(cell->text, scratch, stream);
    if (isfinite(cell->number))
        write_number(cell->number, stream);
    return BD_OK;
}

/* One line: its table, and the cell of each column (NULL: empty). */
static bd_status write_line(const char *table, const bd_cell *const *cells, size_t n, bd_arena *scratch, FILE *stream)
{
    BD_TRY(write_field(table, scratch, stream));
    for (size_t j = 0; j < n; j++) {
        fputc(',', stream);
        BD_TRY(write_cell(cells[j], scratch, stream));
    }
    fputc('\n', stream);
    return BD_OK;
}

static bd_status write_table(const bd_document_rows *table, const header *columns, bd_arena *scratch, FILE *stream)
{
    const bd_cell **cells;
    BD_NEW(scratch, cells, columns->n_keys);
    for (size_t i = 0; i < table->n_rows; i++) {
        for (size_t j = 0; j < table->n_headings; j++)
            cells[find_key(columns, table->headings[j].key)] = &table->rows[i][j];
        BD_TRY(write_line(table->id, cells, columns->n_keys, scratch, stream));
    }
    return BD_OK;
}

static bd_status write_pair(const char *table, const char *key, const bd_cell *value, const header *columns,
                            bd_arena *scratch, FILE *stream)
{
    const bd_cell name = bd_text(key);
    const bd_cell **cells;
    BD_NEW(scratch, cells, columns->n_keys);
    cells[find_key(columns, "key")] = key == NULL ? NULL : &name;
    cells[find_key(columns, "value")] = value;
    return write_line(table, cells, columns->n_keys, scratch, stream);
}

static bd_status write_said(const bd_document *document, bd_saying saying, const char *table, const header *columns,
                            bd_arena *scratch, FILE *stream)
{
    for (size_t i = 0; i < document->n_said; i++) {
        if (document->said[i].saying != saying)
            continue;
        const bd_cell text = bd_text(document->said[i].text);
        BD_TRY(write_pair(table, NULL, &text, columns, scratch, stream));
    }
    return BD_OK;
}

static bd_status write_provenance(const bd_document *document, const header *columns, bd_arena *scratch, FILE *stream)
{
    for (size_t i = 0; i < document->n_facts; i++) {
        const bd_fact *fact = &document->facts[i];
        const char *key = fact->path[0];
        for (size_t j = 1; j < fact->n_path; j++)
            BD_TRY(bd_print(scratch, &key, "%s.%s", key, fact->path[j]));
        BD_TRY(write_pair("provenance", key, &fact->cell, columns, scratch, stream));
    }
    return BD_OK;
}

static bd_status write_header(const bd_document *document, header *columns, bd_arena *scratch, FILE *stream)
{
    for (size_t i = 0; i < document->n_tables; i++)
        for (size_t j = 0; j < document->tables[i]->n_headings; j++)
            BD_TRY(add_key(columns, document->tables[i]->headings[j].key, scratch));
    BD_TRY(add_key(columns, "key", scratch));
    BD_TRY(add_key(columns, "value", scratch));
    fputs("table", stream);
    for (size_t j = 0; j < columns->n_keys; j++) {
        fputc(',', stream);
        BD_TRY(write_field(columns->keys[j], scratch, stream));
    }
    fputc('\n', stream);
    return BD_OK;
}

static bd_status write_csv(const bd_document *document, int width, bd_arena *scratch, FILE *stream)
{
    (void)width;
    header columns = {0};
    BD_TRY(write_header(document, &columns, scratch, stream));
    const bd_cell kind = bd_text(document->kind), title = bd_text(document->title);
    BD_TRY(write_pair("document", "kind", &kind, &columns, scratch, stream));
    BD_TRY(write_pair("document", "title", &title, &columns, scratch, stream));
    for (size_t i = 0; i < document->n_tables; i++)
        BD_TRY(write_table(document->tables[i], &columns, scratch, stream));
    BD_TRY(write_said(document, BD_SENTENCE, "sentences", &columns, scratch, stream));
    BD_TRY(write_said(document, BD_NOTE, "notes", &columns, scratch, stream));
    BD_TRY(write_said(document, BD_WARNING, "warnings", &columns, scratch, stream));
    return write_provenance(document, &columns, scratch, stream);
}

const bd_writer bd_csv_writer = {
    .name = "csv",
    .summary = "all tables in one, with full precision, for spreadsheets and scripts",
    .write = write_csv,
};
