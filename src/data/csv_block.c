/* Blocks of records through libcsv: checks of the text, then one callback for a value and one for a row. */
#include "data/csv_block.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csv.h>
#include <zlib.h>

enum { HEAD_ROWS = 1000, SHOWN = 60 };

bool csv_is_missing(const csv_format *format, const char *text, size_t length)
{
    if (length == 0 || (length == 2 && text[0] == 'N' && text[1] == 'A'))
        return true;
    for (size_t i = 0; i < format->n_missing; i++)
        if (format->missing_lengths[i] == length && memcmp(format->missing[i], text, length) == 0)
            return true;
    return false;
}

static bd_status start_parser(const csv_format *format, struct csv_parser *parser)
{
    if (csv_init(parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return bd_fail(BD_ENOMEM, "out of memory");
    csv_set_delim(parser, (unsigned char)format->delimiter);
    csv_set_blk_size(parser, 1 << 12); /* how much a long value makes it grow */
    return BD_OK;
}

/* Parsing in progress. */
typedef struct parsing {
    const csv_format *format;
    csv_block *block;
    size_t next_field;    /* the next one that is wanted */
    size_t slot;          /* its slot */
    size_t field, n_seen; /* of this row; rows so far, kept or not */
    bool row_failed;      /* a value of this row is not a number */
} parsing;

static BD_PRINTF(4, 5) void complain(csv_block *block, bd_status status, size_t line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(block->message, sizeof block->message, format, arguments);
    va_end(arguments);
    block->status = status;
    block->line = line;
}

static bd_status number_error(const csv_format *f, const csv_slot *slot, const char *text, size_t length,
                              number_kind kind, csv_block *block)
{
    char advice[160] = "";
    double number;
    const char other = f->decimal == '.' ? ',' : '.';
    const int shown = (int)(length < SHOWN ? length : SHOWN);
    if (kind == IS_INFINITE) {
        complain(block, BD_EDATA, SIZE_MAX, ", column '%s': '%.*s' is not a finite number", slot->name, shown, text);
        return BD_EDATA;
    }
    if (memchr(text, other, length) != NULL && csv_number(text, length, other, f->c, &number) == IS_NUMBER)
        snprintf(advice, sizeof advice, other == ',' ? "; if the decimal sign is a comma, give --decimal ,"
                                                     : "; the decimal sign was given as a comma");
    else if (slot->was_any)
        snprintf(advice, sizeof advice, "; if it means missing, give --na '%.*s'; factor(%s) takes the column as "
                                        "categories", shown < 20 ? shown : 20, text, slot->name);
    else
        snprintf(advice, sizeof advice, "; if it means missing, give --na '%.*s'", shown < 20 ? shown : 20, text);
    complain(block, BD_EDATA, SIZE_MAX, ", column '%s': '%.*s' is not a number%s", slot->name, shown, text, advice);
    return BD_EDATA;
}

/* libcsv has trimmed what is not quoted. */
static void trim(const char **text, size_t *length)
{
    while (*length > 0 && (**text == ' ' || **text == '\t')) {
        ++*text;
        --*length;
    }
    while (*length > 0 && ((*text)[*length - 1] == ' ' || (*text)[*length - 1] == '\t'))
        --*length;
}

static void take_number(parsing *p, const csv_slot *slot, double *number, const char *text, size_t length)
{
    const csv_format *f = p->format;
    *number = __builtin_nan("");
    trim(&text, &length);
    if (f->n_missing > 0 && csv_is_missing(f, text, length))
        return;
    const number_kind kind = csv_number(text, length, f->decimal, f->c, number);
    if (kind == IS_NUMBER)
        return;
    *number = __builtin_nan("");
    if (!csv_is_missing(f, text, length))
        p->row_failed = number_error(f, slot, text, length, kind, p->block) != BD_OK;
}

static void take_field(void *value, size_t length, void *data)
{
    parsing *p = data;
    if (p->field++ != p->next_field)
        return;
    const csv_format *f = p->format;
    const size_t slot = p->slot++, row = p->block->n_rows;
    p->next_field = p->slot < f->n_slots ? f->slots[p->slot].field : SIZE_MAX;
    if (p->block->status != BD_OK)
        return;
    csv_values *values = &p->block->values[slot];
    if (f->slots[slot].use == BD_USE_NUMBERS) {
        take_number(p, &f->slots[slot], &values->numbers[row], value, length);
        return;
    }
    if (csv_is_missing(f, value, length)) {
        values->codes[row] = 0;
        return;
    }
    const uint32_t number = dictionary_number(&values->dictionary, value, length);
    if (number == UINT32_MAX)
        complain(p->block, BD_ENOMEM, SIZE_MAX, ": out of memory");
    values->codes[row] = number + 1;
}

static void begin_row(parsing *p)
{
    p->field = p->slot = 0;
    p->next_field = p->format->n_slots > 0 ? p->format->slots[0].field : SIZE_MAX;
}

static void take_row(int terminator, void *data)
{
    parsing *p = data;
    (void)terminator;
    if (p->block->status == BD_OK || p->row_failed) { /* a wrong length explains a wrong value */
        if (p->field != p->format->n_fields)
            complain(p->block, BD_EDATA, SIZE_MAX, " has %zu value%s where the header has %zu names", p->field,
                     p->field == 1 ? "" : "s", p->format->n_fields);
        else if (!p->row_failed)
            p->block->n_rows++;
        p->n_seen++;
    }
    p->row_failed = false;
    begin_row(p);
}

static void count_row(int terminator, void *data)
{
    (void)terminator;
    ++*(size_t *)data;
}

/* Ends of lines before `n`, where the text goes on to `size`: LF, CR LF as one, or CR. */
size_t csv_line_ends(const char *text, size_t n, size_t size)
{
    typedef uint8_t lanes __attribute__((vector_size(16)));
    size_t count = 0, i = 0;
    while (i + sizeof(lanes) <= n) {
        lanes counts = {0}, here; /* of at most 255 each */
        for (int k = 0; k < 255 && i + sizeof here <= n; k++, i += sizeof here) {
            memcpy(&here, text + i, sizeof here);
            counts -= (lanes)(here == '\n');
        }
        for (size_t l = 0; l < sizeof here; l++)
            count += counts[l];
    }
    for (; i < n; i++)
        count += text[i] == '\n';
    for (const char *cr = text; (cr = memchr(cr, '\r', (size_t)(text + n - cr))) != NULL; cr++)
        count += cr + 1 == text + size || cr[1] != '\n';
    return count;
}

static size_t line_ends_before(const csv_block *block, size_t at)
{
    return csv_line_ends(block->bytes.data, at, block->bytes.size);
}

/* Where record number `row` of the block begins: by parsing again, byte by byte. */
static size_t start_of_row(const csv_format *format, const csv_block *block, size_t row)
{
    struct csv_parser parser;
    size_t at = block->skip, seen = 0;
    const char *text = block->bytes.data;
    if (start_parser(format, &parser) != BD_OK)
        return at;
    while (seen < row && at < block->bytes.size && csv_parse(&parser, text + at, 1, NULL, count_row, &seen) == 1)
        at++;
    csv_free(&parser);
    while (at < block->bytes.size && memchr(" \t\r\n", text[at], 4) != NULL && text[at] != format->delimiter)
        at++; /* blank lines */
    return at;
}

/* The quotation mark that is open at the end; the second of two is part of the value. */
static size_t open_quote(const csv_block *block)
{
    size_t at = 0;
    bool open = false;
    for (size_t i = block->skip; i < block->bytes.size; i++)
        if (block->bytes.data[i] == '"') {
            open = !open;
            at = open && (i == block->skip || block->bytes.data[i - 1] != '"') ? i : at;
        }
    return at;
}

static size_t valid_sequence(const unsigned char *s, size_t n)
{
    const unsigned char c = s[0];
    const size_t length = c < 0x80 ? 1 : c >= 0xC2 && c < 0xE0 ? 2 : (c & 0xF0) == 0xE0 ? 3 : c >= 0xF0 && c < 0xF5 ? 4 : 0;
    if (length == 0 || length > n)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    if ((c == 0xE0 && s[1] < 0xA0) || (c == 0xED && s[1] > 0x9F) || (c == 0xF0 && s[1] < 0x90) ||
        (c == 0xF4 && s[1] > 0x8F))
        return 0;
    return length;
}

/* Where the text stops being UTF-8 without zero bytes: its size if it never does; eight plain bytes at a time. */
static size_t first_invalid(const csv_block *block)
{
    const unsigned char *s = (const unsigned char *)block->bytes.data;
    const size_t n = block->bytes.size;
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    for (size_t i = 0; i < n;) {
        uint64_t eight;
        if (i + 8 <= n) {
            memcpy(&eight, s + i, 8);
            if (((eight | ((eight - ones) & ~eight)) & tops) == 0) {
                i += 8;
                continue;
            }
        }
        const size_t length = s[i] == 0 ? 0 : valid_sequence(s + i, n - i);
        if (length == 0)
            return i;
        i += length;
    }
    return n;
}

static void complain_of_text(csv_block *block, size_t at)
{
    const unsigned char byte = (unsigned char)block->bytes.data[at];
    const size_t line = line_ends_before(block, at);
    if (byte == 0)
        complain(block, BD_EDATA, line, " holds a zero byte: this is not a text file");
    else
        complain(block, BD_EDATA, line, " holds bytes that are not UTF-8 (0x%02X); save the file as UTF-8", byte);
}

static bool make_room(const csv_format *format, csv_block *block)
{
    const size_t rows = block->n_newlines + 2;
    if (block->values == NULL)
        block->values = calloc(format->n_slots + 1, sizeof *block->values);
    if (block->values == NULL)
        return false;
    for (size_t k = 0; k < format->n_slots; k++) {
        csv_values *v = &block->values[k];
        dictionary_clear(&v->dictionary);
        if (rows <= block->room)
            continue;
        free(v->numbers);
        free(v->codes);
        const bool numbers = format->slots[k].use == BD_USE_NUMBERS;
        v->numbers = numbers ? malloc(rows * sizeof *v->numbers) : NULL;
        v->codes = numbers ? NULL : malloc(rows * sizeof *v->codes);
        if (v->numbers == NULL && v->codes == NULL)
            return false;
    }
    block->room = rows > block->room ? rows : block->room;
    return true;
}

static void parse_text(const csv_format *format, csv_block *block)
{
    struct csv_parser parser;
    parsing p = {.format = format, .block = block};
    const char *text = block->bytes.data + block->skip;
    const size_t valid = first_invalid(block), size = valid > block->skip ? valid - block->skip : 0;
    if (start_parser(format, &parser) != BD_OK) {
        complain(block, BD_ENOMEM, 0, ": out of memory");
        return;
    }
    begin_row(&p);
    const size_t done = csv_parse(&parser, text, size, take_field, take_row, &p);
    if (csv_error(&parser) == CSV_ENOMEM) {
        complain(block, BD_ENOMEM, 0, ": out of memory");
    } else if (done < size && block->status == BD_OK) {
        complain(block, BD_EDATA, line_ends_before(block, block->skip + done),
                 ": a quotation mark stands within a value; such a value must be quoted, and the mark doubled");
    } else if (valid < block->bytes.size && (block->status == BD_OK || p.row_failed)) {
        complain_of_text(block, valid); /* what comes before it is in order */
    } else if (valid == block->bytes.size && csv_fini(&parser, take_field, take_row, &p) != 0 &&
               block->status == BD_OK) {
        complain(block, BD_EDATA, line_ends_before(block, open_quote(block)),
                 ": a quotation mark is never closed");
    }
    csv_free(&parser);
    if (block->status != BD_OK && block->line == SIZE_MAX)
        block->line = line_ends_before(block, start_of_row(format, block, p.n_seen == 0 ? 0 : block->n_rows));
}

void csv_block_parse(const csv_format *format, csv_block *block)
{
    const unsigned char *data = (const unsigned char *)block->bytes.data;
    block->status = BD_OK;
    block->n_rows = 0;
    block->checksum = (uint32_t)crc32_z(0, data, block->bytes.size);
    block->n_newlines = csv_line_ends(block->bytes.data, block->bytes.size, block->bytes.size);
    if (!make_room(format, block)) {
        complain(block, BD_ENOMEM, 0, ": out of memory");
        return;
    }
    parse_text(format, block);
}

/* The first record, handed over field by field. */
typedef struct first_record {
    bd_status (*take)(void *data, const char *field, size_t length);
    void *data;
    size_t n_rows;
    bd_status status;
} first_record;

static void take_first_field(void *value, size_t length, void *data)
{
    first_record *first = data;
    if (first->n_rows == 0 && first->status == BD_OK)
        first->status = first->take(first->data, value, length);
}

static void take_first_row(int terminator, void *data)
{
    (void)terminator;
    ((first_record *)data)->n_rows++;
}

bd_status csv_first_record(const csv_format *format, const csv_bytes *bytes,
                           bd_status (*take)(void *data, const char *field, size_t length), void *data, size_t *end)
{
    struct csv_parser parser;
    first_record first = {.take = take, .data = data};
    size_t at = 0;
    int failed = 0;
    BD_TRY(start_parser(format, &parser));
    while (at < bytes->size && first.n_rows == 0 && failed == 0)
        if (csv_parse(&parser, bytes->data + at++, 1, take_first_field, take_first_row, &first) != 1)
            failed = 1;
    if (first.n_rows == 0 && failed == 0)
        failed = csv_fini(&parser, take_first_field, take_first_row, &first) != 0 ? 2 : 0;
    const bool no_memory = csv_error(&parser) == CSV_ENOMEM;
    csv_free(&parser);
    if (no_memory)
        return bd_fail(BD_ENOMEM, "out of memory");
    if (failed != 0)
        return bd_fail(BD_EDATA, "%s: line 1: a quotation mark %s", format->source,
                       failed == 1 ? "stands within a name" : "is never closed");
    *end = at;
    return first.status;
}

/* Values at the head of each field: how many there are, and how many are numbers. */
typedef struct head {
    const csv_format *format;
    size_t *n_values, *n_numbers; /* n_slots */
    size_t field, row;
} head;

static void look_at_field(void *value, size_t length, void *data)
{
    head *h = data;
    const csv_format *f = h->format;
    const size_t field = h->field++;
    double number;
    if (h->row >= HEAD_ROWS || field >= f->n_fields || f->slot_of_field[field] == NOT_WANTED ||
        csv_is_missing(f, value, length))
        return;
    const size_t slot = (size_t)f->slot_of_field[field];
    h->n_values[slot]++;
    h->n_numbers[slot] += csv_number(value, length, f->decimal, f->c, &number) == IS_NUMBER;
}

static void look_at_row(int terminator, void *data)
{
    head *h = data;
    (void)terminator;
    h->field = 0;
    h->row++;
}

bd_status csv_decide_uses(csv_format *format, const csv_block *first)
{
    struct csv_parser parser;
    size_t *counts = calloc(2 * format->n_slots + 1, sizeof *counts);
    head h = {.format = format, .n_values = counts, .n_numbers = counts + format->n_slots};
    bd_status status = counts == NULL ? bd_fail(BD_ENOMEM, "out of memory") : start_parser(format, &parser);
    if (status == BD_OK) {
        for (size_t at = first->skip; at < first->bytes.size && h.row < HEAD_ROWS;) {
            const size_t left = first->bytes.size - at, some = left < 4096 ? left : 4096;
            if (csv_parse(&parser, first->bytes.data + at, some, look_at_field, look_at_row, &h) != some)
                break;
            at += some;
        }
        if (h.row < HEAD_ROWS)
            csv_fini(&parser, look_at_field, look_at_row, &h);
        if (csv_error(&parser) == CSV_ENOMEM)
            status = bd_fail(BD_ENOMEM, "out of memory");
        csv_free(&parser);
    }
    for (size_t k = 0; status == BD_OK && k < format->n_slots; k++)
        if (format->slots[k].use == BD_USE_ANY) {
            const bool text = 2 * h.n_numbers[k] <= h.n_values[k] && h.n_values[k] > 0;
            format->slots[k].was_any = true;
            format->slots[k].use = text ? BD_USE_CATEGORIES : BD_USE_NUMBERS;
        }
    free(counts);
    return status;
}

void csv_block_free(csv_block *block, size_t n_slots)
{
    for (size_t k = 0; block->values != NULL && k < n_slots; k++) {
        free(block->values[k].numbers);
        free(block->values[k].codes);
        dictionary_free(&block->values[k].dictionary);
    }
    free(block->values);
    csv_bytes_free(&block->bytes);
}
