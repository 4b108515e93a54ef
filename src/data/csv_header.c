/* The header of a CSV file: what separates fields, what the columns are called, which of them are wanted. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "data/csv_reading.h"
#include "data/nearest.h"

enum { LONGEST_NAME = 1000 };

/* The most frequent candidate in the header record, outside quotes; the first of equals. */
static char find_delimiter(const csv_bytes *bytes, char decimal)
{
    static const char candidates[] = {',', ';', '\t'};
    size_t counts[3] = {0}, best = decimal == ',' ? 1 : 0;
    bool quoted = false, begun = false;
    for (size_t i = 0; i < bytes->size; i++) {
        const char c = bytes->data[i];
        if ((c == '\n' || c == '\r') && !quoted && begun)
            break;
        begun |= c != '\n' && c != '\r' && c != ' ';
        quoted ^= c == '"';
        for (size_t k = 0; k < 3 && !quoted; k++)
            counts[k] += c == candidates[k] && c != decimal;
    }
    for (size_t k = 0; k < 3; k++)
        if (counts[k] > counts[best])
            best = k;
    return candidates[best];
}

static bd_status take_name(void *data, const char *field, size_t length)
{
    reading *r = data;
    const char *name = NULL;
    while (length > 0 && isspace((unsigned char)field[0])) {
        field++;
        length--;
    }
    while (length > 0 && isspace((unsigned char)field[length - 1]))
        length--;
    if (length > LONGEST_NAME)
        return bd_fail(BD_EDATA, "%s: line 1: the name of column %zu has %zu bytes; a header row has the names of the "
                                 "columns",
                       r->format.source, r->n_header + 1, length);
    BD_TRY(bd_copy_text(r->arena, field, length, &name));
    BD_PUSH(r->arena, r->header, r->n_header, r->header_room, name);
    return BD_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(**(const char *const *const *)a, **(const char *const *const *)b);
}

/* By sorting; one column without a name (row names, as R writes them) is let pass. */
static bd_status refuse_duplicates(const reading *r)
{
    const char *const **sorted;
    BD_NEW(r->arena, sorted, r->n_header);
    for (size_t i = 0; i < r->n_header; i++)
        sorted[i] = &r->header[i];
    qsort(sorted, r->n_header, sizeof *sorted, compare_names);
    for (size_t i = 1; i < r->n_header; i++)
        if (strcmp(*sorted[i - 1], *sorted[i]) == 0) {
            const size_t a = (size_t)(sorted[i - 1] - (const char *const *)r->header) + 1;
            const size_t b = (size_t)(sorted[i] - (const char *const *)r->header) + 1;
            if (**sorted[i] == '\0')
                return bd_fail(BD_EDATA, "%s: line 1: columns %zu and %zu have no names", r->format.source,
                               a < b ? a : b, a < b ? b : a);
            return bd_fail(BD_EDATA, "%s: line 1: columns %zu and %zu are both called '%s'; names must differ",
                           r->format.source, a < b ? a : b, a < b ? b : a, *sorted[i]);
        }
    return BD_OK;
}

static bd_status find_field(const reading *r, const char *name, size_t *field)
{
    for (size_t j = 0; j < r->n_header; j++)
        if (strcmp(r->header[j], name) == 0 && *name != '\0') {
            *field = j;
            return BD_OK;
        }
    return no_such_column(r->format.source, name, r->header, r->n_header);
}

/* One slot for each wanted field, in the order of the file. */
static bd_status make_slots(reading *r)
{
    int *slot_of_field;
    bd_use *uses;
    BD_NEW(r->arena, slot_of_field, r->n_header);
    BD_NEW(r->arena, uses, r->n_header);
    BD_NEW(r->arena, r->format.slots, r->n_header);
    for (size_t j = 0; j < r->n_header; j++)
        slot_of_field[j] = r->wanted == NULL && r->header[j][0] != '\0' ? 0 : NOT_WANTED;
    for (size_t i = 0; r->wanted != NULL && i < r->n_wanted; i++) {
        size_t field = 0;
        BD_TRY(find_field(r, r->wanted[i].name, &field));
        slot_of_field[field] = 0;
        uses[field] = r->wanted[i].use;
    }
    for (size_t j = 0; j < r->n_header; j++)
        if (slot_of_field[j] != NOT_WANTED) {
            slot_of_field[j] = (int)r->format.n_slots;
            r->format.slots[r->format.n_slots++] =
                (csv_slot){.name = r->header[j], .use = r->wanted ? uses[j] : BD_USE_ANY, .field = j};
        }
    r->format.slot_of_field = slot_of_field;
    r->format.n_fields = r->n_header;
    BD_NEW(r->arena, r->stores, r->format.n_slots + 1);
    return BD_OK;
}

bd_status csv_read_header(reading *r, csv_block *first)
{
    if (first->bytes.size == 0)
        return bd_fail(BD_EDATA, "%s is empty", r->format.source);
    if (memchr(first->bytes.data, '\0', first->bytes.size) != NULL)
        return bd_fail(BD_EDATA, "%s holds zero bytes: it is not a text file", r->format.source);
    if (r->format.delimiter == 0)
        r->format.delimiter = find_delimiter(&first->bytes, r->format.decimal);
    BD_TRY(csv_first_record(&r->format, &first->bytes, take_name, r, &first->skip));
    if (r->n_header == 0)
        return bd_fail(BD_EDATA, "%s is empty", r->format.source);
    BD_TRY(refuse_duplicates(r));
    BD_TRY(make_slots(r));
    return csv_decide_uses(&r->format, first);
}
