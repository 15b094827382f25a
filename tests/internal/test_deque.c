/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The work-stealing deque: one owner and two thieves, every item taken once. Stands on deque.h. */
#include "cmocka_main.h"

#include "deque.h"

#include <pthread.h>
#include <stdlib.h>

enum { ITEMS = 300000 };

static struct deque deque;
static _Atomic unsigned char taken[ITEMS + 1];
static _Atomic int done;

static void note(void *item) {
    atomic_fetch_add(&taken[(uintptr_t)item], 1);
}

static void *steal(void *unused) {
    (void)unused;
    while (!atomic_load(&done)) {
        bool again;
        void *item = deque_steal(&deque, &again);
        if (item)
            note(item);
    }
    return NULL;
}

static void every_item_is_taken_once(void **state) {
    (void)state;
    pthread_t thieves[2];
    uint64_t dice = 12345;
    assert_int_equal(deque_init(&deque), 0);
    for (int i = 0; i < 2; i++)
        pthread_create(&thieves[i], NULL, steal, NULL);
    for (uintptr_t next = 1; next <= ITEMS;) {
        dice = dice * 6364136223846793005u + 1442695040888963407u;
        for (unsigned n = dice >> 58; n > 0 && next <= ITEMS; n--)
            assert_int_equal(deque_push(&deque, (void *)next++), 0);
        for (unsigned n = dice >> 40 & 63; n > 0; n--) {
            void *item = deque_pop(&deque);
            if (!item)
                break;
            note(item);
        }
    }
    for (void *item; (item = deque_pop(&deque));)
        note(item);
    atomic_store(&done, 1);
    for (int i = 0; i < 2; i++)
        pthread_join(thieves[i], NULL);
    for (int i = 1; i <= ITEMS; i++)
        assert_int_equal(atomic_load(&taken[i]), 1);
    deque_destroy(&deque);
}

static void the_owner_takes_the_newest_and_thieves_the_oldest(void **state) {
    (void)state;
    bool again;
    assert_int_equal(deque_init(&deque), 0);
    for (uintptr_t i = 1; i <= 1000; i++)
        assert_int_equal(deque_push(&deque, (void *)i), 0);
    assert_ptr_equal(deque_pop(&deque), (void *)1000);
    assert_ptr_equal(deque_steal(&deque, &again), (void *)1);
    assert_int_equal(deque_size(&deque), 998);
    while (deque_pop(&deque))
        ;
    assert_null(deque_pop(&deque));
    assert_null(deque_steal(&deque, &again));
    deque_destroy(&deque);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_is_taken_once),
        cmocka_unit_test(the_owner_takes_the_newest_and_thieves_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
