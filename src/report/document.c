/* Documents: tables, sentences and provenance, collected in the order in which they are said. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report/parts.h"

static bd_status copy(bd_arena *arena, const char *text, const char **copied)
{
    return bd_copy_text(arena, text == NULL ? "" : text, text == NULL ? 0 : strlen(text), copied);
}

bd_status bd_document_new(bd_arena *arena, const char *kind, const char *title, bd_document **document)
{
    bd_document *made;
    BD_NEW(arena, made, 1);
    made->arena = arena;
    BD_TRY(copy(arena, kind, &made->kind));
    BD_TRY(copy(arena, title, &made->title));
    *document = made;
    return BD_OK;
}

static bd_status copy_headings(bd_arena *arena, const bd_heading *headings, size_t n, const bd_heading **copied)
{
    bd_heading *made;
    BD_NEW(arena, made, n);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++)
            if (strcmp(headings[i].key, headings[j].key) == 0)
                return bd_fail(BD_EUSAGE, "two columns of a table have the key '%s'", headings[i].key);
        made[i].class = headings[i].class;
        BD_TRY(copy(arena, headings[i].key, &made[i].key));
        BD_TRY(copy(arena, headings[i].heading, &made[i].heading));
    }
    *copied = made;
    return BD_OK;
}

bd_status bd_document_table(bd_document *document, const char *id, const char *title, const bd_heading *headings,
                            size_t n_headings, bd_document_rows **rows)
{
    for (size_t i = 0; i < document->n_tables; i++)
        if (strcmp(document->tables[i]->id, id) == 0)
            return bd_fail(BD_EUSAGE, "two tables have the id '%s'", id);
    bd_document_rows *made;
    BD_NEW(document->arena, made, 1);
    made->arena = document->arena;
    made->n_headings = n_headings;
    BD_TRY(copy(document->arena, id, &made->id));
    BD_TRY(copy(document->arena, title, &made->title));
    BD_TRY(copy_headings(document->arena, headings, n_headings, &made->headings));
    BD_PUSH(document->arena, document->tables, document->n_tables, document->tables_capacity, made);
    *rows = made;
    return BD_OK;
}

void bd_document_unprinted(bd_document_rows *rows)
{
    rows->unprinted = true;
}

bd_status bd_document_row(bd_document_rows *rows, bd_cell **cells)
{
    bd_cell *made;
    BD_NEW(rows->arena, made, rows->n_headings);
    BD_PUSH(rows->arena, rows->rows, rows->n_rows, rows->capacity, made);
    *cells = made;
    return BD_OK;
}

bd_status bd_document_list(bd_document *document, const char *id, const char *title, const bd_value *values, size_t n,
                           bool known_only)
{
    bd_document_rows *rows;
    bd_heading *headings;
    bd_cell *cells;
    size_t n_shown = 0;
    BD_NEW(document->arena, headings, n);
    for (size_t i = 0; i < n; i++)
        if (!known_only || !isnan(values[i].value))
            headings[n_shown++] = values[i].heading;
    BD_TRY(bd_document_table(document, id, title, headings, n_shown, &rows));
    BD_TRY(bd_document_row(rows, &cells));
    for (size_t i = 0; i < n; i++)
        if (!known_only || !isnan(values[i].value))
            *cells++ = bd_number(values[i].value);
    return BD_OK;
}

bd_status bd_document_say(bd_document *document, bd_saying saying, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? NULL : bd_arena_alloc(document->arena, (size_t)length + 1, 1);
    if (text != NULL)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    if (text == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    const bd_said said = {.saying = saying, .text = text};
    BD_PUSH(document->arena, document->said, document->n_said, document->said_capacity, said);
    return BD_OK;
}

/* One path may not lead through the end of another. */
static bool paths_collide(const bd_fact *a, const bd_fact *b)
{
    const size_t shorter = a->n_path < b->n_path ? a->n_path : b->n_path;
    for (size_t i = 0; i < shorter; i++)
        if (strcmp(a->path[i], b->path[i]) != 0)
            return false;
    return true;
}

/* The parts of `group` between its dots, then `name`. */
static bd_status split_path(bd_arena *arena, const char *group, const char *name, bd_fact *fact)
{
    const char **parts = NULL;
    size_t n = 0, capacity = 0;
    const char *part = NULL;
    while (*group != '\0') {
        const size_t length = strcspn(group, ".");
        BD_TRY(bd_copy_text(arena, group, length, &part));
        BD_PUSH(arena, parts, n, capacity, part);
        group += length + (group[length] == '.');
    }
    BD_TRY(copy(arena, name, &part));
    BD_PUSH(arena, parts, n, capacity, part);
    fact->path = parts;
    fact->n_path = n;
    return BD_OK;
}

bd_status bd_document_fact_in(bd_document *document, const char *group, const char *name, const char *heading,
                              bd_class class, bd_cell cell)
{
    bd_fact fact = {.class = class, .cell = cell};
    BD_TRY(split_path(document->arena, group, name, &fact));
    for (size_t i = 0; i < document->n_facts; i++)
        if (paths_collide(&document->facts[i], &fact))
            return bd_fail(BD_EUSAGE, "the provenance already has something at '%s%s%s'", group,
                           *group == '\0' ? "" : ".", name);
    BD_TRY(copy(document->arena, heading == NULL ? name : heading, &fact.heading));
    if (cell.text != NULL)
        BD_TRY(copy(document->arena, cell.text, &fact.cell.text));
    BD_PUSH(document->arena, document->facts, document->n_facts, document->facts_capacity, fact);
    return BD_OK;
}

bd_status bd_document_fact(bd_document *document, const char *key, const char *heading, bd_class class, bd_cell cell)
{
    const char *dot = strrchr(key, '.');
    if (dot == NULL)
        return bd_document_fact_in(document, "", key, heading, class, cell);
    const char *group = NULL;
    BD_TRY(bd_copy_text(document->arena, key, (size_t)(dot - key), &group));
    return bd_document_fact_in(document, group, dot + 1, heading, class, cell);
}
