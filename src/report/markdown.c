/* Markdown: pipe tables and paragraphs, with numbers printed as in text. */
#include <ctype.h>
#include <string.h>

#include "report/grid.h"
#include "report/utf8.h"

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* Whether the character at text[i] would be taken for markup. An underscore within a word is not, nor is "< .001". */
static bool is_markup(const char *text, size_t i)
{
    const char c = text[i], before = i == 0 ? ' ' : text[i - 1], after = text[i + 1];
    switch (c) {
    case '\\':
    case '`':
    case '*':
    case '|':
    case '$':
        return true;
    case '_':
        return !(is_word(before) && is_word(after));
    case '~':
        return !(before == ' ' && after == ' ');
    case '<':
        return isalpha((unsigned char)after) || (after != '\0' && strchr("/!?", after) != NULL);
    case '&':
        return isalpha((unsigned char)after) || after == '#';
    case ']':
        return after == '(' || after == '[' || after == ':';
    default:
        return i == 0 && strchr("#>+-=", c) != NULL; /* a heading, quotation or list at the start of a line */
    }
}

static bd_status write_escaped(const char *text, bd_arena *scratch, FILE *stream)
{
    BD_TRY(bd_utf8_clean(text, BD_BLANK_CONTROLS, scratch, &text));
    const size_t number = strspn(text, "0123456789"); /* "1. " would start a list */
    for (size_t i = 0; text[i] != '\0'; i++) {
        if (is_markup(text, i) || (number > 0 && i == number && (text[i] == '.' || text[i] == ')') && text[i + 1] == ' '))
            fputc('\\', stream);
        fputc(text[i], stream);
    }
    return BD_OK;
}

/* A cell begins no line and holds a number or a text; a minus sign stays as it is. */
static bd_status write_cell(const char *text, bd_arena *scratch, FILE *stream)
{
    fputs(" ", stream);
    if (*text == '-' && isdigit((unsigned char)text[1 + (text[1] == '.')]))
        fputs(text, stream);
    else
        BD_TRY(write_escaped(text, scratch, stream));
    fputs(*text == '\0' ? "|" : " |", stream);
    return BD_OK;
}

static bd_status write_row(const bd_grid *grid, size_t row, bd_arena *scratch, FILE *stream)
{
    fputc('|', stream);
    for (size_t j = 0; j < grid->n_columns; j++)
        BD_TRY(write_cell(grid->columns[j].cells[row], scratch, stream));
    fputc('\n', stream);
    return BD_OK;
}

static bd_status write_table(const bd_document_rows *table, bd_arena *scratch, FILE *stream)
{
    const bd_grid *grid = NULL;
    BD_TRY(bd_grid_of(table, scratch, &grid));
    if (*table->title != '\0') {
        fputs("\n## ", stream);
        BD_TRY(write_escaped(table->title, scratch, stream));
        fputc('\n', stream);
    }
    if (grid->n_columns == 0)
        return BD_OK;
    fputs("\n|", stream);
    for (size_t j = 0; j < grid->n_columns; j++)
        BD_TRY(write_cell(grid->columns[j].heading, scratch, stream));
    fputs("\n|", stream);
    for (size_t j = 0; j < grid->n_columns; j++)
        fputs(grid->columns[j].is_text ? " :--- |" : " ---: |", stream);
    fputc('\n', stream);
    for (size_t i = 0; i < grid->n_rows; i++)
        BD_TRY(write_row(grid, i, scratch, stream));
    return BD_OK;
}

static bd_status write_said(const bd_document *document, bd_saying saying, const char *label, bd_arena *scratch,
                            FILE *stream)
{
    for (size_t i = 0; i < document->n_said; i++) {
        if (document->said[i].saying != saying)
            continue;
        fprintf(stream, "\n%s", label);
        BD_TRY(write_escaped(document->said[i].text, scratch, stream));
        fputc('\n', stream);
    }
    return BD_OK;
}

static bd_status write_provenance(const bd_document *document, bd_arena *scratch, FILE *stream)
{
    if (document->n_facts == 0)
        return BD_OK;
    fputs("\n## Provenance\n\n| | |\n| :--- | :--- |\n", stream);
    for (size_t i = 0; i < document->n_facts; i++) {
        const bd_fact *fact = &document->facts[i];
        const char *value = NULL;
        BD_TRY(bd_grid_cell(fact->class, &fact->cell, scratch, &value));
        fputc('|', stream);
        BD_TRY(write_cell(fact->heading, scratch, stream));
        BD_TRY(write_cell(value, scratch, stream));
        fputc('\n', stream);
    }
    return BD_OK;
}

static bd_status write_markdown(const bd_document *document, int width, bd_arena *scratch, FILE *stream)
{
    (void)width;
    fputs("# ", stream);
    BD_TRY(write_escaped(document->title, scratch, stream));
    fputc('\n', stream);
    for (size_t i = 0; i < document->n_tables; i++)
        if (!document->tables[i]->unprinted)
            BD_TRY(write_table(document->tables[i], scratch, stream));
    BD_TRY(write_said(document, BD_SENTENCE, "", scratch, stream));
    BD_TRY(write_said(document, BD_NOTE, "*Note.* ", scratch, stream));
    BD_TRY(write_said(document, BD_WARNING, "**Warning:** ", scratch, stream));
    return write_provenance(document, scratch, stream);
}

const bd_writer bd_markdown_writer = {
    .name = "markdown",
    .summary = "pipe tables, for manuscripts and issues",
    .write = write_markdown,
};
