/* CSV files to tables: one thread reads blocks, all parse them, and what they hold is appended in order. */
#include <bordin/data/csv.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <omp.h>
#include <zlib.h>

#include "data/csv_read.h"
#include "data/csv_reading.h"

enum { BLOCKS_PER_THREAD = 32, BLOCK_SIZE = 1 << 18 };

static void release(void *object)
{
    reading *r = object;
    for (size_t b = 0; b < r->n_blocks; b++)
        csv_block_free(&r->blocks[b], r->format.n_slots);
    for (size_t k = 0; r->stores != NULL && k < r->format.n_slots; k++)
        dictionary_free(&r->stores[k].dictionary);
    if (r->format.c != (locale_t)0)
        freelocale(r->format.c);
}

static bd_status check_options(reading *r)
{
    const bd_csv_options *o = r->options;
    size_t *lengths;
    if (o->delimiter != 0 && o->delimiter == o->decimal)
        return bd_fail(BD_EUSAGE, "--delimiter and --decimal are both '%c'", o->decimal);
    BD_NEW(r->arena, lengths, o->n_missing + 1);
    for (size_t i = 0; i < o->n_missing; i++)
        lengths[i] = strlen(o->missing[i]);
    r->format = (csv_format){.source = csv_input_name(r->input),
                             .delimiter = o->delimiter,
                             .decimal = o->decimal,
                             .missing = o->missing,
                             .missing_lengths = lengths,
                             .n_missing = o->n_missing,
                             .c = newlocale(LC_ALL_MASK, "C", (locale_t)0)};
    return r->format.c != (locale_t)0 ? BD_OK : bd_fail(BD_ENOMEM, "out of memory");
}

static bd_status failure_of(const reading *r, const csv_block *block)
{
    size_t before = 0;
    BD_TRY(csv_share_lines(r, &before));
    return bd_fail(block->status, "%s: line %zu%s", r->format.source, before + r->n_lines + block->line + 1,
                   block->message);
}

/* Room for so many rows in a column. */
static bd_status resize(reading *r, size_t slot, size_t rows)
{
    column_store *store = &r->stores[slot];
    const bool numbers = r->format.slots[slot].use == BD_USE_NUMBERS;
    if (store->block == NULL)
        BD_TRY(bd_arena_block(r->arena, &store->block));
    BD_TRY(bd_block_resize(store->block, rows * (numbers ? sizeof *store->numbers : sizeof *store->codes)));
    store->numbers = numbers ? store->block->data : NULL;
    store->codes = numbers ? NULL : store->block->data;
    return BD_OK;
}

bd_status csv_reserve_rows(reading *r, size_t rows)
{
    if (rows <= r->rows_room)
        return BD_OK;
    const size_t room = rows > r->rows_room + r->rows_room / 2 ? rows : r->rows_room + r->rows_room / 2;
    for (size_t k = 0; k < r->format.n_slots; k++)
        BD_TRY(resize(r, k, room));
    r->rows_room = room;
    return BD_OK;
}

static void append_numbers(column_store *store, size_t at, const double *numbers, size_t n)
{
    memcpy(store->numbers + at, numbers, n * sizeof *numbers);
    for (size_t i = 0; i < n; i++)
        store->n_missing += isnan(numbers[i]) ? 1 : 0;
}

/* The block's own numbering of texts, translated. */
static bool append_codes(column_store *store, size_t at, const csv_values *values, size_t n)
{
    const dictionary *local = &values->dictionary;
    uint32_t *numbers = malloc((local->n + 1) * sizeof *numbers);
    bool failed = numbers == NULL;
    for (size_t k = 0; !failed && k < local->n; k++) {
        const char *text = dictionary_text(local, k);
        numbers[k] = dictionary_number(&store->dictionary, text, strlen(text));
        failed = numbers[k] == UINT32_MAX;
    }
    for (size_t i = 0; !failed && i < n; i++) {
        store->codes[at + i] = values->codes[i] == 0 ? 0 : numbers[values->codes[i] - 1] + 1;
        store->n_missing += values->codes[i] == 0;
    }
    free(numbers);
    return !failed;
}

/* One column of `n` blocks, in their order; false when there is no memory. */
static bool append_column(reading *r, size_t slot, size_t n)
{
    bool done = true;
    size_t at = r->n_rows;
    for (size_t b = 0; b < n && done; b++) {
        const csv_block *block = &r->blocks[b];
        if (block->n_rows > 0 && r->format.slots[slot].use == BD_USE_NUMBERS)
            append_numbers(&r->stores[slot], at, block->values[slot].numbers, block->n_rows);
        else if (block->n_rows > 0)
            done = append_codes(&r->stores[slot], at, &block->values[slot], block->n_rows);
        at += block->n_rows;
    }
    return done;
}

/* What `n` blocks hold, unless one of them is wrong: then the first such. */
static bd_status append(reading *r, size_t n, int n_threads)
{
    size_t n_rows = r->n_rows;
    int failed = 0;
    for (size_t b = 0; b < n; b++) {
        const csv_block *block = &r->blocks[b];
        if (block->status != BD_OK)
            return failure_of(r, block);
        r->checksum = (uint32_t)crc32_combine(r->checksum, block->checksum, (z_off_t)block->bytes.size);
        r->n_bytes += block->bytes.size;
        r->n_lines += block->n_newlines;
        n_rows += block->n_rows;
    }
    BD_TRY(csv_reserve_rows(r, n_rows));
#pragma omp parallel for num_threads(n_threads) schedule(dynamic) reduction(| : failed) if (n > 1)
    for (size_t slot = 0; slot < r->format.n_slots; slot++)
        failed |= !append_column(r, slot, n);
    r->n_rows = n_rows;
    return failed ? bd_fail(BD_ENOMEM, "out of memory") : BD_OK;
}

/* Reads up to n_blocks blocks while the other threads parse them; *n <- how many there were. The first of them may have
 * been read already. */
static bd_status parse_some(reading *r, int n_threads, size_t n_read, size_t *n)
{
    bd_status status = BD_OK;
    const char *message = NULL;
    *n = n_read;
#pragma omp parallel num_threads(n_threads)
#pragma omp single
    {
        for (size_t b = 0; b < r->n_blocks; b++) {
            csv_block *block = &r->blocks[b];
            if (b >= n_read) {
                block->skip = 0;
                status = csv_input_read(r->input, &block->bytes);
                if (status != BD_OK || block->bytes.size == 0)
                    break;
                ++*n;
            }
#pragma omp task firstprivate(block)
            csv_block_parse(&r->format, block);
        }
        if (status != BD_OK && bd_copy_text(r->arena, bd_message(), strlen(bd_message()), &message) != BD_OK)
            message = "out of memory";
    }
    return status == BD_OK ? BD_OK : bd_fail(status, "%s", message);
}

static bd_status read_rows(reading *r)
{
    int n_threads = r->options->n_threads > 0 ? r->options->n_threads : omp_get_max_threads();
    BD_NEW(r->arena, r->blocks, (size_t)n_threads * BLOCKS_PER_THREAD);
    r->n_blocks = (size_t)n_threads * BLOCKS_PER_THREAD;
    BD_TRY(csv_input_read(r->input, &r->blocks[0].bytes));
    BD_TRY(csv_read_header(r, &r->blocks[0]));
    BD_TRY(csv_share_begin(r, &r->blocks[0]));
    if (r->blocks[0].bytes.size < BLOCK_SIZE / 2)
        n_threads = 1; /* waiting for each other would take longer */
    for (size_t already = r->blocks[0].bytes.size > 0, n = 1; n > 0; already = 0) {
        const bd_status status = parse_some(r, n_threads, already, &n);
        BD_TRY(append(r, n, n_threads));
        BD_TRY(status);
    }
    BD_TRY(csv_share_rows(r));
    if (r->n_rows == 0)
        return bd_fail(BD_EDATA, "%s has a header but no rows", r->format.source);
    return BD_OK;
}

/* A level as it sorts. */
typedef struct sortable {
    const char *text;
    double number;
    uint32_t code;
} sortable;

static int by_number(const void *a, const void *b)
{
    const sortable *x = a, *y = b;
    return x->number != y->number ? (x->number < y->number ? -1 : 1) : strcmp(x->text, y->text);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const sortable *)a)->text, ((const sortable *)b)->text);
}

/* Levels in order; codes follow them. */
static bd_status sort_levels(reading *r, column_store *store, bd_column *column)
{
    const size_t n = store->dictionary.n;
    sortable *sorted;
    uint32_t *new_codes;
    const char **levels;
    bool numbers = true;
    BD_NEW(r->arena, sorted, n + 1);
    BD_NEW(r->arena, new_codes, n + 1);
    BD_NEW(r->arena, levels, n + 1);
    for (uint32_t k = 0; k < n; k++) {
        sorted[k] = (sortable){.text = dictionary_text(&store->dictionary, k), .code = k + 1};
        numbers &= csv_number(sorted[k].text, strlen(sorted[k].text), r->format.decimal, r->format.c,
                              &sorted[k].number) == IS_NUMBER;
    }
    qsort(sorted, n, sizeof *sorted, numbers ? by_number : by_text);
    for (uint32_t k = 0; k < n; k++) {
        BD_TRY(bd_copy_text(r->arena, sorted[k].text, strlen(sorted[k].text), &levels[k]));
        new_codes[sorted[k].code] = k + 1;
    }
    for (size_t i = 0; i < r->n_rows; i++)
        store->codes[i] = new_codes[store->codes[i]];
    column->levels = levels;
    column->n_levels = n;
    return BD_OK;
}

static bd_status make_table(reading *r, const bd_table **out)
{
    bd_table *table;
    bd_column *columns;
    BD_NEW(r->arena, table, 1);
    BD_NEW(r->arena, columns, r->format.n_slots + 1);
    for (size_t k = 0; k < r->format.n_slots; k++) {
        column_store *store = &r->stores[k];
        bd_column *column = &columns[k];
        const bool numbers = r->format.slots[k].use == BD_USE_NUMBERS;
        *column = (bd_column){.name = r->format.slots[k].name,
                              .kind = numbers ? BD_NUMBERS : BD_CATEGORIES,
                              .n_missing = store->n_missing};
        if (!numbers)
            BD_TRY(sort_levels(r, store, column));
        BD_TRY(resize(r, k, r->n_rows));
        column->numbers = store->numbers;
        column->codes = store->codes;
    }
    *table = (bd_table){.source = r->format.source,
                        .n_rows = r->n_rows,
                        .n_columns = r->format.n_slots,
                        .columns = columns,
                        .header = r->header,
                        .n_header = r->n_header,
                        .delimiter = r->format.delimiter,
                        .n_bytes = r->n_bytes,
                        .checksum = r->checksum};
    *out = table;
    return BD_OK;
}

bd_status csv_read_blocks(const char *path, const bd_wanted *wanted, size_t n_wanted, const bd_csv_options *options,
                          size_t block_size, bd_arena *arena, const bd_table **table)
{
    bd_arena *inner = bd_arena_new(); /* closes the file and frees the blocks when this call returns */
    reading *r = inner == NULL ? NULL : bd_arena_alloc(inner, 1, sizeof *r);
    if (r == NULL) {
        bd_arena_free(inner);
        return bd_fail(BD_ENOMEM, "out of memory");
    }
    *r = (reading){.path = path, .wanted = wanted, .n_wanted = n_wanted, .options = options, .arena = arena};
    bd_status status = bd_arena_defer(inner, release, r);
    if (status == BD_OK)
        status = csv_input_open(path, block_size, inner, &r->input);
    if (status == BD_OK)
        status = check_options(r);
    if (status == BD_OK)
        status = read_rows(r);
    if (status == BD_OK)
        status = make_table(r, table);
    bd_arena_free(inner);
    return status;
}

bd_status bd_csv_read(const char *path, const bd_wanted *wanted, size_t n_wanted, const bd_csv_options *options,
                      bd_arena *arena, const bd_table **table)
{
    return csv_read_blocks(path, wanted, n_wanted, options, BLOCK_SIZE, arena, table);
}
