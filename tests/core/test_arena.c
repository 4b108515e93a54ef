/* Arenas: what lives, what goes, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <bordin/core/arena.h>

static void note(void *object)
{
    ++*(int *)object;
}

static void test_arena__memory_is_zeroed_even_after_a_rewind(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    for (size_t bytes = 1; bytes < 100000; bytes *= 7) {
        const bd_mark mark = bd_arena_mark(arena);
        for (int round = 0; round < 2; round++) {
            unsigned char *p = bd_arena_alloc(arena, bytes, 1);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % 64, 0);
            for (size_t i = 0; i < bytes; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xff, bytes);
            bd_arena_rewind(arena, mark);
        }
    }
    bd_arena_free(arena);
}

static void test_arena__an_overflowing_size_is_refused(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    void *p = bd_arena_alloc(arena, SIZE_MAX / 2, 3);
    assert_null(p);
    p = bd_arena_alloc(arena, 1, SIZE_MAX - 8);
    assert_null(p);
    bd_arena_free(arena);
}

static void test_arena__rewind_closes_what_was_deferred_since_the_mark(void **state)
{
    (void)state;
    int before = 0, since = 0;
    bd_arena *arena = bd_arena_new();
    assert_int_equal(bd_arena_defer(arena, note, &before), BD_OK);
    const bd_mark mark = bd_arena_mark(arena);
    assert_int_equal(bd_arena_defer(arena, note, &since), BD_OK);
    bd_arena_rewind(arena, mark);
    assert_int_equal(since, 1);
    assert_int_equal(before, 0);
    bd_arena_free(arena);
    assert_int_equal(before, 1);
}

static void test_status__where_is_put_before_the_message(void **state)
{
    (void)state;
    assert_int_equal(bd_while(bd_fail(BD_EDATA, "line %d", 14), "reading %s", "a.csv"), BD_EDATA);
    assert_string_equal(bd_message(), "reading a.csv: line 14");
    assert_int_equal(bd_while(BD_OK, "nothing"), BD_OK);
    assert_string_equal(bd_message(), "reading a.csv: line 14");
}

static void fill(uint64_t *numbers, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        numbers[i] = i * 2654435761u;
}

static void expect_filled(const uint64_t *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (numbers[i] != i * 2654435761u)
            fail_msg("number %zu is another one", i);
}

static size_t resident(void)
{
    size_t whole, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%zu %zu", &whole, &pages), 2);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* 160 MB in 48: in a block that grows, and in plain allocations. */
static void test_arena__what_is_spilled_stays_and_leaves_the_memory(void **state)
{
    (void)state;
    enum { MILLION = 1000 * 1000, LIMIT = 48 * MILLION, HALF = 5 * MILLION, ALL = 10 * MILLION };
    const struct timespec a_while = {.tv_nsec = 200 * 1000 * 1000};
    bd_arena *arena = bd_arena_new();
    bd_block *block;
    assert_int_equal(bd_arena_spill(arena, "/var/tmp", LIMIT), BD_OK);
    assert_int_equal(bd_arena_block(arena, &block), BD_OK);
    assert_int_equal(bd_block_resize(block, 1000 * sizeof(uint64_t)), BD_OK);
    fill(block->data, 0, 1000);
    assert_int_equal(bd_block_resize(block, HALF * sizeof(uint64_t)), BD_OK);
    fill(block->data, 1000, HALF);
    const bd_mark mark = bd_arena_mark(arena);
    uint64_t *numbers = bd_arena_alloc(arena, ALL, sizeof *numbers);
    assert_non_null(numbers);
    assert_int_equal(numbers[0] | numbers[ALL - 1], 0);
    fill(numbers, 0, ALL);
    assert_int_equal(bd_block_resize(block, ALL * sizeof(uint64_t)), BD_OK);
    fill(block->data, HALF, ALL);
    nanosleep(&a_while, NULL);
    assert_true(resident() < LIMIT + 32 * MILLION); /* the sanitizers' own share among it */
    expect_filled(numbers, ALL);
    expect_filled(block->data, ALL);
    bd_arena_rewind(arena, mark);
    assert_int_equal(bd_block_resize(block, HALF * sizeof(uint64_t)), BD_OK);
    expect_filled(block->data, HALF);
    bd_arena_free(arena);
}

static void test_arena__a_block_grows_in_memory_too(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    bd_block *block;
    assert_int_equal(bd_arena_block(arena, &block), BD_OK);
    for (size_t n = 1; n < 3000000; n *= 3) {
        assert_int_equal(bd_block_resize(block, 3 * n * sizeof(uint64_t)), BD_OK);
        fill(block->data, n == 1 ? 0 : n, 3 * n);
    }
    expect_filled(block->data, 3000000);
    bd_arena_free(arena);
}

static void test_arena__a_folder_that_cannot_hold_files_is_refused(void **state)
{
    (void)state;
    bd_arena *arena = bd_arena_new();
    assert_int_equal(bd_arena_spill(arena, "/nonexistent", 1), BD_EIO);
    assert_non_null(strstr(bd_message(), "/nonexistent"));
    assert_int_equal(bd_arena_spill(arena, "/proc", 1), BD_EIO);
    bd_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena__memory_is_zeroed_even_after_a_rewind),
        cmocka_unit_test(test_arena__an_overflowing_size_is_refused),
        cmocka_unit_test(test_arena__rewind_closes_what_was_deferred_since_the_mark),
        cmocka_unit_test(test_arena__what_is_spilled_stays_and_leaves_the_memory),
        cmocka_unit_test(test_arena__a_block_grows_in_memory_too),
        cmocka_unit_test(test_arena__a_folder_that_cannot_hold_files_is_refused),
        cmocka_unit_test(test_status__where_is_put_before_the_message),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
