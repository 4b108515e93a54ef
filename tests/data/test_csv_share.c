/* A file shared among the ranks of a team, which here are threads: the table, or the message, of a single reader. */
#include "data/csv_file.h"

#include <math.h>
#include <pthread.h>

#include <zlib.h>

enum { MOST_RANKS = 5, SMALL_BLOCK = 64 };

/* Where the threads meet. */
typedef struct meeting {
    pthread_barrier_t barrier;
    pthread_mutex_t lock;
    size_t n, failed;
    bool known; /* that one failed: nobody waits any more */
    double values[MOST_RANKS];
    void *data[MOST_RANKS];
} meeting;

typedef struct member {
    meeting *all;
    size_t rank;
    bd_team team;
    const char *path;
    const reading_case *c;
    bd_arena *arena;
    const bd_table *table;
    bd_status status;
    size_t speaks;
    char message[500];
    unsigned long long n_bytes_read;
} member;

static size_t agree(void *context, bool failed)
{
    const member *m = context;
    meeting *all = m->all;
    if (all->known)
        return all->failed;
    pthread_mutex_lock(&all->lock);
    if (failed && m->rank < all->failed)
        all->failed = m->rank;
    pthread_mutex_unlock(&all->lock);
    pthread_barrier_wait(&all->barrier);
    const size_t result = all->failed;
    pthread_barrier_wait(&all->barrier);
    all->known = result < all->n;
    return result;
}

static double largest(void *context, double value)
{
    const member *m = context;
    meeting *all = m->all;
    double result = value;
    all->values[m->rank] = value;
    pthread_barrier_wait(&all->barrier);
    for (size_t r = 0; r < all->n; r++)
        result = fmax(result, all->values[r]);
    pthread_barrier_wait(&all->barrier);
    return result;
}

static bd_status share(void *context, void *data, size_t size, const size_t *starts)
{
    const member *m = context;
    meeting *all = m->all;
    all->data[m->rank] = data;
    pthread_barrier_wait(&all->barrier);
    for (size_t r = 0; r < all->n; r++)
        if (r != m->rank && starts[r + 1] > starts[r])
            memcpy((char *)data + starts[r] * size, (const char *)all->data[r] + starts[r] * size,
                   (starts[r + 1] - starts[r]) * size);
    pthread_barrier_wait(&all->barrier);
    return BD_OK;
}

/* What this thread has read from files, as the kernel counts it. */
static unsigned long long bytes_read(void)
{
    unsigned long long n = 0;
    FILE *file = fopen("/proc/thread-self/io", "r");
    if (file != NULL) {
        if (fscanf(file, "rchar: %llu", &n) != 1)
            n = 0;
        fclose(file);
    }
    return n;
}

static void *read_as_member(void *object)
{
    member *m = object;
    bd_csv_options options = m->c->options;
    options.decimal = options.decimal ? options.decimal : '.';
    options.n_threads = 1;
    options.team = &m->team;
    const unsigned long long before = bytes_read();
    m->status = csv_read_blocks(m->path, m->c->wanted, m->c->n_wanted, &options, m->c->block_size, m->arena, &m->table);
    m->n_bytes_read = bytes_read() - before;
    m->speaks = agree(m, m->status != BD_OK);
    snprintf(m->message, sizeof m->message, "%s", m->status == BD_OK ? "" : message_about(m->path));
    return NULL;
}

static void read_together(const char *path, const reading_case *c, size_t n, member *members)
{
    static meeting all;
    pthread_t threads[MOST_RANKS];
    all = (meeting){.n = n, .failed = n};
    pthread_barrier_init(&all.barrier, NULL, (unsigned)n);
    pthread_mutex_init(&all.lock, NULL);
    for (size_t r = 0; r < n; r++) {
        members[r] = (member){.all = &all, .rank = r, .path = path, .c = c, .arena = bd_arena_new()};
        members[r].team = (bd_team){r, n, agree, share, largest, &members[r]};
        assert_int_equal(pthread_create(&threads[r], NULL, read_as_member, &members[r]), 0);
    }
    for (size_t r = 0; r < n; r++)
        pthread_join(threads[r], NULL);
    pthread_barrier_destroy(&all.barrier);
    pthread_mutex_destroy(&all.lock);
}

static void leave(member *members, size_t n)
{
    for (size_t r = 0; r < n; r++)
        bd_arena_free(members[r].arena);
}

static void assert_same_column(const bd_column *a, const bd_column *b, size_t n)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->n_missing, b->n_missing);
    if (a->kind == BD_NUMBERS) {
        assert_memory_equal(a->numbers, b->numbers, n * sizeof *a->numbers);
        return;
    }
    assert_int_equal(a->n_levels, b->n_levels);
    assert_memory_equal(a->codes, b->codes, n * sizeof *a->codes);
    for (size_t k = 0; k < a->n_levels; k++)
        assert_string_equal(a->levels[k], b->levels[k]);
}

static void assert_same_table(const bd_table *a, const bd_table *b)
{
    assert_int_equal(a->n_rows, b->n_rows);
    assert_int_equal(a->n_columns, b->n_columns);
    assert_int_equal(a->checksum, b->checksum);
    assert_int_equal(a->n_bytes, b->n_bytes);
    for (size_t k = 0; k < a->n_columns; k++)
        assert_same_column(&a->columns[k], &b->columns[k], a->n_rows);
}

/* Every rank of every team ends as a single reader does. */
static void assert_shared(const reading_case *c)
{
    char path[32];
    member members[MOST_RANKS];
    bd_arena *arena = bd_arena_new();
    bd_csv_options options = c->options;
    const bd_table *table = NULL;
    options.decimal = options.decimal ? options.decimal : '.';
    write_bytes(path, c->text, c->n > 0 ? c->n : strlen(c->text));
    const bd_status status = csv_read_blocks(path, c->wanted, c->n_wanted, &options, c->block_size, arena, &table);
    char message[500];
    snprintf(message, sizeof message, "%s", status == BD_OK ? "" : message_about(path));
    for (size_t n = 1; n <= MOST_RANKS; n++) {
        read_together(path, c, n, members);
        for (size_t r = 0; r < n; r++) {
            if (status == BD_OK)
                assert_same_table(table, members[r].table);
            else if (r == members[r].speaks || members[r].status != BD_ESTOPPED)
                assert_int_equal(members[r].status, status);
        }
        assert_string_equal(members[members[0].speaks % n].message, message);
        leave(members, n);
    }
    unlink(path);
    bd_arena_free(arena);
}

/* Rows of numbers, texts that come and go, missing values, quoted newlines. */
static char *text_of_rows(size_t n, const char *line_end, const char *last)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    fprintf(file, "id,site,score,note%s", line_end);
    for (size_t i = 0; i < n; i++) {
        fprintf(file, "%zu,s%zu,", i, (n - i) / 7 % 5);
        if (i % 11 != 3)
            fprintf(file, "%.17g", (double)i / 7);
        fprintf(file, i % 5 == 0 ? ",\"a \"\"quoted\"\"%sline, %zu\"%s" : ",plain%s%.0zu%s", i % 5 == 0 ? line_end : "",
                i % 3, i + 1 < n ? line_end : last);
    }
    fclose(file);
    return text;
}

static void test_csv_share__any_number_of_ranks_reads_the_same_table(void **state)
{
    static const char *const ends[] = {"\n", "\r\n"};
    (void)state;
    for (size_t e = 0; e < 2; e++)
        for (size_t n = 1; n < 90; n += n < 20 ? 1 : 23) {
            char *text = text_of_rows(n, ends[e], n % 2 ? ends[e] : "");
            assert_shared(&(reading_case){.text = text, .block_size = SMALL_BLOCK});
            free(text);
        }
}

static void test_csv_share__a_part_within_one_quoted_field_has_no_records(void **state)
{
    char text[3000] = "note,x\n\"";
    (void)state;
    for (size_t i = 0; i < 200; i++)
        strcat(text, i % 3 ? "1,2\n" : "a \"\"b\"\"\n");
    strcat(text, "\",5\nend,6\n");
    assert_shared(&(reading_case){.text = text, .block_size = SMALL_BLOCK});
}

static void test_csv_share__mistakes_are_named_by_their_line(void **state)
{
    static const bd_wanted wanted[] = {{"score", BD_USE_NUMBERS}};
    static const char *const wrong[] = {"x,y,abc,z\n", "x,y\n", "1,2,\xff,3\n"};
    (void)state;
    for (size_t w = 0; w < 3; w++)
        for (size_t at = 1; at < 10; at += 4) {
            char *before = text_of_rows(at * 9, "\n", "\n"), *after = text_of_rows(40, "\n", "\n"), *text;
            assert_true(asprintf(&text, "%s%s%s", before, wrong[w], strchr(after, '\n') + 1) > 0);
            assert_shared(&(reading_case){.text = text, .wanted = wanted, .n_wanted = 1, .block_size = SMALL_BLOCK});
            free(before);
            free(after);
            free(text);
        }
    char *open = text_of_rows(60, "\n", "\n1,2,3,\"open\nand,so,on,\n");
    assert_shared(&(reading_case){.text = open, .block_size = SMALL_BLOCK});
    free(open);
}

static void test_csv_share__a_rank_reads_no_more_than_its_share_twice(void **state)
{
    char *text = text_of_rows(300000, "\n", "\n"), path[32];
    const size_t size = strlen(text);
    const reading_case c = {.text = text, .block_size = 1 << 14};
    member members[MOST_RANKS];
    (void)state;
    write_bytes(path, text, size);
    read_together(path, &c, 4, members);
    for (size_t r = 0; r < 4; r++) {
        assert_int_equal(members[r].status, BD_OK);
        assert_true(members[r].n_bytes_read > size / 4);
        assert_true(members[r].n_bytes_read < size / 2 + (4 << 18));
    }
    leave(members, 4);
    unlink(path);
    free(text);
}

static void test_csv_share__what_cannot_be_read_from_the_middle_is_read_whole(void **state)
{
    char *text = text_of_rows(300, "\n", "\n"), path[32];
    const reading_case c = {.text = text, .block_size = SMALL_BLOCK};
    member members[MOST_RANKS];
    (void)state;
    write_bytes(path, "", 0);
    gzFile file = gzopen(path, "wb");
    assert_true(gzputs(file, text) > 0);
    gzclose(file);
    read_together(path, &c, 3, members);
    for (size_t r = 0; r < 3; r++) {
        assert_int_equal(members[r].status, BD_OK);
        assert_int_equal(members[r].table->n_rows, 300);
    }
    leave(members, 3);
    unlink(path);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv_share__any_number_of_ranks_reads_the_same_table),
        cmocka_unit_test(test_csv_share__a_part_within_one_quoted_field_has_no_records),
        cmocka_unit_test(test_csv_share__mistakes_are_named_by_their_line),
        cmocka_unit_test(test_csv_share__a_rank_reads_no_more_than_its_share_twice),
        cmocka_unit_test(test_csv_share__what_cannot_be_read_from_the_middle_is_read_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
