/* One file and several processes: each parses the records that begin in its part of the bytes, and gets the rows of all. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "data/csv_reading.h"

enum { PIECE = 1 << 18 };

/* The bytes as they are, from anywhere. */
typedef struct raw_file {
    const char *name;
    int descriptor;
    uint64_t size;
    char *piece; /* PIECE + 1 */
} raw_file;

static void close_raw(void *object)
{
    close(((raw_file *)object)->descriptor);
}

static bd_status open_raw(const reading *r, raw_file **out)
{
    raw_file *file;
    BD_NEW(r->arena, file, 1);
    BD_NEW(r->arena, file->piece, PIECE + 1);
    file->name = r->format.source;
    file->size = csv_input_size(r->input);
    file->descriptor = open(r->path, O_RDONLY | O_CLOEXEC);
    if (file->descriptor < 0)
        return bd_fail(BD_EIO, "%s: %s", file->name, strerror(errno));
    *out = file;
    return bd_arena_defer(r->arena, close_raw, file);
}

/* piece <- the bytes from .. from + n. */
static bd_status read_piece(const raw_file *file, uint64_t from, size_t n)
{
    for (size_t have = 0; have < n;) {
        const ssize_t some = pread(file->descriptor, file->piece + have, n - have, (off_t)(from + have));
        if (some < 0 && errno == EINTR)
            continue;
        if (some <= 0)
            return bd_fail(BD_EIO, "%s: %s", file->name, some < 0 ? strerror(errno) : "shrank while it was read");
        have += (size_t)some;
    }
    return BD_OK;
}

static size_t piece_of(uint64_t from, uint64_t to)
{
    return to - from < PIECE ? (size_t)(to - from) : PIECE;
}

static bd_status count_quotes(const raw_file *file, uint64_t from, uint64_t to, uint64_t *n_quotes)
{
    *n_quotes = 0;
    for (size_t n; from < to; from += n) {
        n = piece_of(from, to);
        BD_TRY(read_piece(file, from, n));
        for (const char *at = file->piece, *end = at + n; (at = memchr(at, '"', (size_t)(end - at))) != NULL; at++)
            ++*n_quotes;
    }
    return BD_OK;
}

/* *begin <- behind the first newline outside quotes; the size of the file when there is none. */
static bd_status next_record(const raw_file *file, uint64_t from, bool quoted, uint64_t *begin)
{
    *begin = file->size;
    for (size_t n; from < file->size; from += n) {
        n = piece_of(from, file->size);
        BD_TRY(read_piece(file, from, n));
        for (size_t i = 0; i < n; i++) {
            quoted ^= file->piece[i] == '"';
            if (file->piece[i] == '\n' && !quoted) {
                *begin = from + i + 1;
                return BD_OK;
            }
        }
    }
    return BD_OK;
}

/* items[rank] of every rank to all. */
static bd_status share_items(const reading *r, void *items, size_t size)
{
    const bd_team *team = r->options->team;
    size_t *starts;
    BD_NEW(r->arena, starts, team->n_ranks + 1);
    for (size_t rank = 0; rank <= team->n_ranks; rank++)
        starts[rank] = rank;
    BD_TRY(bd_team_agree(team));
    return team->share(team->context, items, size, starts);
}

/* begins[rank] .. begins[rank + 1] <- the bytes of the records that begin in the rank's part of the file. A part starts
 * one byte early, at what may be the newline before a record; whether that is within quotes, the quotes before it tell. */
static bd_status find_begins(const reading *r, const raw_file *file, uint64_t *begins)
{
    const bd_team *team = r->options->team;
    const uint64_t step = file->size / team->n_ranks, from = team->rank == 0 ? 0 : step * team->rank - 1;
    const uint64_t to = team->rank + 1 == team->n_ranks ? file->size : step * (team->rank + 1) - 1;
    uint64_t *n_quotes, before = 0;
    BD_NEW(r->arena, n_quotes, team->n_ranks);
    BD_TRY(count_quotes(file, from, to, &n_quotes[team->rank]));
    BD_TRY(share_items(r, n_quotes, sizeof *n_quotes));
    for (size_t rank = 0; rank < team->rank; rank++)
        before += n_quotes[rank];
    begins[team->n_ranks] = file->size;
    if (team->rank > 0)
        BD_TRY(next_record(file, from, before % 2 == 1, &begins[team->rank]));
    return share_items(r, begins, sizeof *begins);
}

bd_status csv_share_begin(reading *r, csv_block *first)
{
    const bd_team *team = r->options->team;
    const csv_bytes *head = &first->bytes;
    const uint64_t size = csv_input_size(r->input);
    raw_file *file;
    uint64_t *begins;
    if (team == NULL)
        return BD_OK;
    BD_TRY(bd_team_agree(team));
    const bool same_size = bd_team_same(team, (double)size);
    const bool same_head = bd_team_same(team, (double)crc32_z(0, (const Bytef *)head->data, head->size));
    if (!same_size || !same_head)
        return bd_fail(BD_EDATA, "the ranks have read different data");
    r->shared = size / team->n_ranks > head->size;
    if (!r->shared)
        return BD_OK;
    BD_NEW(r->arena, begins, team->n_ranks + 1);
    BD_TRY(open_raw(r, &file));
    BD_TRY(find_begins(r, file, begins));
    r->from = begins[team->rank];
    if (team->rank > 0)
        first->skip = 0;
    BD_TRY(csv_input_restrict(r->input, r->from, begins[team->rank + 1]));
    return csv_input_read(r->input, &first->bytes);
}

bd_status csv_share_lines(const reading *r, size_t *n_lines)
{
    raw_file *file;
    *n_lines = 0;
    if (r->from == 0)
        return BD_OK;
    BD_TRY(open_raw(r, &file));
    for (uint64_t at = 0; at < r->from; at += piece_of(at, r->from)) {
        const size_t n = piece_of(at, r->from);
        const size_t with_next = at + n < file->size ? n + 1 : n;
        BD_TRY(read_piece(file, at, with_next));
        *n_lines += csv_line_ends(file->piece, n, with_next);
    }
    return BD_OK;
}

/* What the ranks must know of each other. */
typedef struct rank_facts {
    uint64_t n_rows, n_bytes, checksum;
} rank_facts;

typedef struct column_facts {
    uint64_t n_missing, text_size;
} column_facts;

/* Items of a column, each rank's at its place among those of all. */
static bd_status share_values(const reading *r, void *values, size_t size, size_t n_own, const size_t *starts)
{
    const bd_team *team = r->options->team;
    memmove((char *)values + starts[team->rank] * size, values, n_own * size);
    return team->share(team->context, values, size, starts);
}

/* texts <- the texts of all ranks, one rank's behind another's. */
static bd_status share_texts(const reading *r, const dictionary *own, const column_facts *facts, char **texts,
                             size_t **starts)
{
    const bd_team *team = r->options->team;
    BD_NEW(r->arena, *starts, team->n_ranks + 1);
    for (size_t rank = 0; rank < team->n_ranks; rank++)
        (*starts)[rank + 1] = (*starts)[rank] + facts[rank].text_size;
    BD_NEW(r->arena, *texts, (*starts)[team->n_ranks] + 1);
    if (own->text_size > 0)
        memcpy(*texts, own->text, own->text_size);
    BD_TRY(bd_team_agree(team));
    return share_values(r, *texts, 1, own->text_size, *starts);
}

/* One numbering of the texts of all ranks, in the order of the file, and the own codes in it. */
static bd_status share_dictionary(const reading *r, column_store *store, const column_facts *facts)
{
    const size_t rank = r->options->team->rank, n_ranks = r->options->team->n_ranks;
    dictionary all = {0};
    char *texts = NULL;
    size_t *starts = NULL;
    uint32_t *numbers;
    size_t n_own = 0;
    BD_TRY(share_texts(r, &store->dictionary, facts, &texts, &starts));
    BD_NEW(r->arena, numbers, store->dictionary.n + 1);
    for (size_t at = 0; at < starts[n_ranks];) {
        const size_t length = strlen(texts + at);
        const uint32_t number = dictionary_number(&all, texts + at, length);
        if (number == UINT32_MAX) {
            dictionary_free(&all);
            return bd_fail(BD_ENOMEM, "out of memory");
        }
        if (at >= starts[rank] && at < starts[rank + 1])
            numbers[++n_own] = number + 1;
        at += length + 1;
    }
    for (size_t i = 0; i < r->n_rows; i++)
        store->codes[i] = numbers[store->codes[i]];
    dictionary_free(&store->dictionary);
    store->dictionary = all;
    return BD_OK;
}

static bd_status share_column(const reading *r, size_t slot, const size_t *starts)
{
    const bd_team *team = r->options->team;
    column_store *store = &r->stores[slot];
    column_facts *facts;
    BD_NEW(r->arena, facts, team->n_ranks);
    facts[team->rank] = (column_facts){store->n_missing, store->dictionary.text_size};
    BD_TRY(share_items(r, facts, sizeof *facts));
    store->n_missing = 0;
    for (size_t rank = 0; rank < team->n_ranks; rank++)
        store->n_missing += facts[rank].n_missing;
    const bool numbers = r->format.slots[slot].use == BD_USE_NUMBERS;
    if (!numbers)
        BD_TRY(share_dictionary(r, store, facts));
    BD_TRY(bd_team_agree(team));
    return numbers ? share_values(r, store->numbers, sizeof *store->numbers, r->n_rows, starts)
                   : share_values(r, store->codes, sizeof *store->codes, r->n_rows, starts);
}

bd_status csv_share_rows(reading *r)
{
    const bd_team *team = r->options->team;
    rank_facts *facts;
    size_t *starts;
    if (!r->shared)
        return BD_OK;
    BD_NEW(r->arena, facts, team->n_ranks);
    BD_NEW(r->arena, starts, team->n_ranks + 1);
    facts[team->rank] = (rank_facts){r->n_rows, r->n_bytes, r->checksum};
    BD_TRY(share_items(r, facts, sizeof *facts));
    r->n_bytes = r->checksum = 0;
    for (size_t rank = 0; rank < team->n_ranks; rank++) {
        starts[rank + 1] = starts[rank] + facts[rank].n_rows;
        r->n_bytes += facts[rank].n_bytes;
        r->checksum = (uint32_t)crc32_combine(r->checksum, facts[rank].checksum, (z_off_t)facts[rank].n_bytes);
    }
    BD_TRY(csv_reserve_rows(r, starts[team->n_ranks]));
    for (size_t slot = 0; slot < r->format.n_slots; slot++)
        BD_TRY(share_column(r, slot, starts));
    r->n_rows = starts[team->n_ranks];
    return BD_OK;
}
