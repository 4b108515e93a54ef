/* Arenas: what lives, what goes, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena__memory_is_zeroed_even_after_a_rewind),
        cmocka_unit_test(test_arena__an_overflowing_size_is_refused),
        cmocka_unit_test(test_arena__rewind_closes_what_was_deferred_since_the_mark),
        cmocka_unit_test(test_status__where_is_put_before_the_message),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
