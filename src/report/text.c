/* Text: APA-like tables and wrapped sentences, in plain ASCII lines that can be pasted anywhere. */
#include <string.h>

#include "report/grid.h"
#include "report/lines.h"
#include "report/text_table.h"
#include "report/utf8.h"

static bd_status write_tables(const bd_document *document, size_t width, bd_arena *scratch, FILE *stream)
{
    for (size_t i = 0; i < document->n_tables; i++) {
        if (document->tables[i]->unprinted)
            continue;
        fputc('\n', stream);
        BD_TRY(bd_text_table_write(document->tables[i], width, scratch, stream));
    }
    return BD_OK;
}

/* Everything said of one kind: sentences are a paragraph each, notes and warnings stand together. */
static bd_status write_said(const bd_document *document, bd_saying saying, const char *label, size_t width,
                            bd_arena *scratch, FILE *stream)
{
    bool first = true;
    for (size_t i = 0; i < document->n_said; i++) {
        if (document->said[i].saying != saying)
            continue;
        const char *text = NULL;
        BD_TRY(bd_utf8_clean(document->said[i].text, BD_BLANK_CONTROLS, scratch, &text));
        if (first || *label == '\0')
            fputc('\n', stream);
        first = false;
        fputs(label, stream);
        bd_lines_write(text, strlen(label), *label == '\0' ? 0 : 2, width, stream);
    }
    return BD_OK;
}

static bd_status write_provenance(const bd_document *document, size_t width, bd_arena *scratch, FILE *stream)
{
    if (document->n_facts == 0)
        return BD_OK;
    fputs("\nProvenance\n", stream);
    bd_text_entry *entries;
    BD_NEW(scratch, entries, document->n_facts);
    for (size_t i = 0; i < document->n_facts; i++) {
        const bd_fact *fact = &document->facts[i];
        BD_TRY(bd_utf8_clean(fact->heading, BD_BLANK_CONTROLS, scratch, &entries[i].heading));
        BD_TRY(bd_grid_cell(fact->class, &fact->cell, scratch, &entries[i].value));
    }
    bd_text_list_write(entries, document->n_facts, width, stream);
    return BD_OK;
}

static bd_status write_text(const bd_document *document, int width, bd_arena *scratch, FILE *stream)
{
    const size_t columns = (size_t)width;
    const char *title = NULL;
    BD_TRY(bd_utf8_clean(document->title, BD_BLANK_CONTROLS, scratch, &title));
    bd_lines_write(title, 0, 0, columns, stream);
    BD_TRY(write_tables(document, columns, scratch, stream));
    BD_TRY(write_said(document, BD_SENTENCE, "", columns, scratch, stream));
    BD_TRY(write_said(document, BD_NOTE, "Note. ", columns, scratch, stream));
    BD_TRY(write_said(document, BD_WARNING, "Warning: ", columns, scratch, stream));
    return write_provenance(document, columns, scratch, stream);
}

const bd_writer bd_text_writer = {
    .name = "text",
    .summary = "tables in APA style, for reading",
    .write = write_text,
};
