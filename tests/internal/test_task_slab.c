/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The memory of tasks: whatever the size of its frame, a task, its frame and the room for its awaits are its own.
 * Stands on task_core.h. */
#include "cmocka_main.h"

#include "aglet/stackless.h"
#include "task_core.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 80000, LARGEST = 256 * 1024 };

struct extent {
    unsigned char *from, *to;
};

static int by_address(const void *a, const void *b) {
    const struct extent *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* Of all tasks, side by side: each in two extents. */
static struct extent extents[2 * MOST];

static size_t take(struct task_cache *cache, size_t frame, size_t n) {
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        struct aglet_task *t = task_new(cache, frame, PLACE_ANYWHERE, JOIN_OPEN);
        assert_non_null(t);
        unsigned char *own = (unsigned char *)t, *behind = (unsigned char *)task_frame(t) + frame;
        assert_int_equal((uintptr_t)t % 64, 0);
        assert_int_equal((uintptr_t)task_frame(t) % 16, 0);
        extents[k++] = (struct extent){own, frame ? behind : own + sizeof *t};
        if (frame) {
            unsigned char *wait = task_wait_room(t);
            assert_int_equal((uintptr_t)wait % 64, 0);
            memset(task_frame(t), 0x5a, frame);
            memset(wait, 0xa5, TASK_WAIT);
            extents[k++] = (struct extent){wait, wait + TASK_WAIT};
        }
    }
    return k;
}

static void no_task_shares_memory_with_another(void **unused) {
    (void)unused;
    static const struct {
        size_t frame, n;
    } rows[] = {{0, 20000},  {8, MOST},   {32, MOST},  {33, 20000}, {96, 20000},
                {97, 20000}, {160, 5000}, {161, 5000}, {1000, 500}, {LARGEST, 5}};
    for (size_t r = 0; r < COUNT(rows); r++) {
        struct task_cache cache = {{0}, {0}, {0}};
        for (int again = 0; again < 2; again++) { /* the second time from what was given back */
            size_t k = take(&cache, rows[r].frame, rows[r].n);
            qsort(extents, k, sizeof *extents, by_address);
            for (size_t i = 1; i < k; i++)
                if (extents[i - 1].to > extents[i].from)
                    fail_msg("with frames of %zu bytes two of %zu extents overlap", rows[r].frame, k);
            for (size_t i = 0; i < k; i++)
                if (rows[r].frame == 0 || extents[i].to - extents[i].from != TASK_WAIT)
                    task_free(&cache, (struct aglet_task *)(void *)extents[i].from);
        }
        task_cache_flush(&cache);
    }
}

static void a_larger_frame_is_refused(void **unused) {
    (void)unused;
    assert_null(task_new(NULL, LARGEST + 1, PLACE_ANYWHERE, JOIN_OPEN));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_task_shares_memory_with_another),
                                       cmocka_unit_test(a_larger_frame_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
