/* An arena for each test, and failing with the message of a call. Include after cmocka.h. */
#ifndef BORDIN_TESTS_FIXTURE_H
#define BORDIN_TESTS_FIXTURE_H

#include <bordin/core/arena.h>

static bd_arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = bd_arena_new();
    return arena == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    bd_arena_free(arena);
    return 0;
}

static inline void must(bd_status status)
{
    if (status != BD_OK)
        fail_msg("%s", bd_message());
}

#endif
