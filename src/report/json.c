/* JSON, through jansson: every number with 17 digits, so that it reads back to the same bits. */
#include <math.h>

#include <jansson.h>

#include "report/parts.h"
#include "report/utf8.h"

enum { SCHEMA = 1 };

static const double WHOLE = 9007199254740992.0; /* 2^53: beyond it a count is not exact */

static const char *const class_names[] = {
    [BD_TEXT] = "text",       [BD_ESTIMATE] = "estimate", [BD_BOUNDED] = "bounded", [BD_STATISTIC] = "statistic",
    [BD_P_VALUE] = "p_value", [BD_COUNT] = "count",       [BD_DF] = "df",           [BD_PERCENT] = "percent",
    [BD_MC_ERROR] = "mc_error",
};

static void release(void *object)
{
    json_decref(object);
}

/* jansson's functions that take a reference release it when they fail, and fail when given NULL: one check does. */
static bd_status done(int failed)
{
    return failed ? bd_fail(BD_ENOMEM, "out of memory") : BD_OK;
}

static bd_status add_member(json_t *object, const char *key, json_t *value, bd_arena *scratch)
{
    const char *clean = NULL;
    const bd_status status = bd_utf8_clean(key, BD_KEEP_CONTROLS, scratch, &clean);
    if (status != BD_OK) {
        json_decref(value);
        return status;
    }
    return done(json_object_set_new(object, clean, value));
}

static bd_status add_text(json_t *object, const char *key, const char *text, bd_arena *scratch)
{
    const char *clean = NULL;
    BD_TRY(bd_utf8_clean(text, BD_KEEP_CONTROLS, scratch, &clean));
    return add_member(object, key, json_string(clean), scratch);
}

static bd_status add_cell(json_t *object, const char *key, bd_class class, const bd_cell *cell, bd_arena *scratch)
{
    if (cell->present && cell->text != NULL)
        return add_text(object, key, cell->text, scratch);
    json_t *value;
    if (!cell->present || !isfinite(cell->number))
        value = json_null();
    else if (class == BD_COUNT && fabs(cell->number) <= WHOLE && cell->number == nearbyint(cell->number))
        value = json_integer((json_int_t)cell->number);
    else
        value = json_real(cell->number);
    return add_member(object, key, value, scratch);
}

static bd_status new_object_in(json_t *list, json_t **object)
{
    *object = json_object();
    return done(json_array_append_new(list, *object));
}

static bd_status new_member(json_t *object, const char *key, json_t *value, bd_arena *scratch, json_t **member)
{
    *member = value;
    return add_member(object, key, value, scratch);
}

static bd_status add_columns(json_t *to, const bd_document_rows *table, bd_arena *scratch)
{
    json_t *list, *column;
    BD_TRY(new_member(to, "columns", json_array(), scratch, &list));
    for (size_t j = 0; j < table->n_headings; j++) {
        BD_TRY(new_object_in(list, &column));
        BD_TRY(add_text(column, "key", table->headings[j].key, scratch));
        BD_TRY(add_text(column, "heading", table->headings[j].heading, scratch));
        BD_TRY(add_text(column, "class", class_names[table->headings[j].class], scratch));
    }
    return BD_OK;
}

static bd_status add_table(json_t *tables, const bd_document_rows *table, bd_arena *scratch)
{
    json_t *to, *rows, *row;
    BD_TRY(new_object_in(tables, &to));
    BD_TRY(add_text(to, "id", table->id, scratch));
    BD_TRY(add_text(to, "title", table->title, scratch));
    BD_TRY(add_columns(to, table, scratch));
    BD_TRY(new_member(to, "rows", json_array(), scratch, &rows));
    for (size_t i = 0; i < table->n_rows; i++) {
        BD_TRY(new_object_in(rows, &row));
        for (size_t j = 0; j < table->n_headings; j++)
            BD_TRY(add_cell(row, table->headings[j].key, table->headings[j].class, &table->rows[i][j], scratch));
    }
    return BD_OK;
}

static bd_status add_said(json_t *root, const bd_document *document, bd_saying saying, const char *key,
                          bd_arena *scratch)
{
    json_t *list;
    BD_TRY(new_member(root, key, json_array(), scratch, &list));
    for (size_t i = 0; i < document->n_said; i++) {
        if (document->said[i].saying != saying)
            continue;
        const char *clean = NULL;
        BD_TRY(bd_utf8_clean(document->said[i].text, BD_KEEP_CONTROLS, scratch, &clean));
        BD_TRY(done(json_array_append_new(list, json_string(clean))));
    }
    return BD_OK;
}

static bd_status add_fact(json_t *object, const bd_fact *fact, bd_arena *scratch)
{
    for (size_t i = 0; i + 1 < fact->n_path; i++) {
        const char *group = NULL;
        BD_TRY(bd_utf8_clean(fact->path[i], BD_KEEP_CONTROLS, scratch, &group));
        json_t *inner = json_object_get(object, group);
        if (inner == NULL)
            BD_TRY(new_member(object, group, json_object(), scratch, &inner));
        object = inner;
    }
    return add_cell(object, fact->path[fact->n_path - 1], fact->class, &fact->cell, scratch);
}

static bd_status build(json_t *root, const bd_document *document, bd_arena *scratch)
{
    json_t *tables, *provenance;
    BD_TRY(add_member(root, "schema", json_integer(SCHEMA), scratch));
    BD_TRY(add_text(root, "kind", document->kind, scratch));
    BD_TRY(add_text(root, "title", document->title, scratch));
    BD_TRY(new_member(root, "tables", json_array(), scratch, &tables));
    for (size_t i = 0; i < document->n_tables; i++)
        BD_TRY(add_table(tables, document->tables[i], scratch));
    BD_TRY(add_said(root, document, BD_SENTENCE, "sentences", scratch));
    BD_TRY(add_said(root, document, BD_NOTE, "notes", scratch));
    BD_TRY(add_said(root, document, BD_WARNING, "warnings", scratch));
    BD_TRY(new_member(root, "provenance", json_object(), scratch, &provenance));
    for (size_t i = 0; i < document->n_facts; i++)
        BD_TRY(add_fact(provenance, &document->facts[i], scratch));
    return BD_OK;
}

static bd_status write_json(const bd_document *document, int width, bd_arena *scratch, FILE *stream)
{
    (void)width;
    json_t *root = json_object();
    if (root == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    BD_TRY(bd_arena_defer(scratch, release, root));
    BD_TRY(build(root, document, scratch));
    if (json_dumpf(root, stream, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) != 0 && !ferror(stream))
        return bd_fail(BD_ENOMEM, "out of memory");
    fputc('\n', stream);
    return BD_OK;
}

const bd_writer bd_json_writer = {
    .name = "json",
    .summary = "the same content with full precision, for programs",
    .write = write_json,
};
