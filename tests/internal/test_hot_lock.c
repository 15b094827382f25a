/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which locks are hot, and that the naps for one end one after another. Stands on cmocka, hot_lock.h. */
#include "cmocka_main.h"

#include "hot_lock.h"

#include <pthread.h>

enum { US = 1000, MS = 1000 * US };

/* Each test has a lock of its own: what is known of the others is kept elsewhere, or given up. */
static uint64_t locks[8];

static aglet_time nap(const void *lock, aglet_time now) {
    bool in_row;
    aglet_time end = hot_nap_end(lock, now, &in_row);
    assert_true(in_row);
    return end;
}

static void who_wants_it_back_at_once_makes_it_hot(void **state) {
    (void)state;
    bool hot = false;
    for (int i = 0; i < 100 && !hot; i++) { /* not each time within a microsecond on a busy machine */
        hot_on_take(&locks[0]);
        hot = hot_on_wait(&locks[0], false);
        assert_true(!hot || i >= 3);
    }
    assert_true(hot);
}

static void who_comes_back_later_makes_it_cold(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++) {
        hot_on_take(&locks[0]);
        for (aglet_time until = aglet_now() + 20 * US; aglet_now() < until;) {
        }
        hot_on_wait(&locks[0], false);
    }
    assert_false(hot_on_wait(&locks[0], false));
}

static void naps_end_half_a_millisecond_apart(void **state) {
    (void)state;
    hot_on_take(&locks[1]);
    aglet_time now = aglet_now(), last = nap(&locks[1], now);
    assert_int_equal(last - now, 1 * MS);
    for (int i = 0; i < 6; i++) {
        aglet_time end = nap(&locks[1], now + 10 * US * i);
        assert_int_equal(end - last, MS / 2);
        last = end;
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(nap(&locks[1], now), now + 4 * MS);
    assert_int_equal(nap(&locks[1], now + 10 * MS), now + 11 * MS);
    assert_int_equal(nap(&locks[1], now + 3000 * (aglet_time)MS), now + 3001 * (aglet_time)MS);
}

static void a_row_that_grows_while_some_wake_is_woken_by_nobody(void **state) {
    (void)state;
    hot_on_take(&locks[2]);
    aglet_time now = aglet_now(), end = 0;
    for (int i = 0; i < 7; i++)
        end = nap(&locks[2], now);
    for (int i = 0; i < 100; i++) {
        now += MS / 2;
        assert_false(hot_nap_was_last(&locks[2], now));
        aglet_time next = nap(&locks[2], now);
        assert_int_equal(next - end, MS / 2);
        end = next;
    }
}

static void a_row_that_nobody_joins_any_more_is_woken(void **state) {
    (void)state;
    hot_on_take(&locks[3]);
    aglet_time now = aglet_now();
    for (int i = 0; i < 7; i++)
        nap(&locks[3], now);
    assert_false(hot_nap_was_last(&locks[3], now + 1 * MS)); /* whoever lost the lock may still come */
    assert_true(hot_nap_was_last(&locks[3], now + 3 * MS / 2));
    assert_int_equal(nap(&locks[3], now + 2 * MS), now + 3 * MS); /* the row is empty */
}

static void *visit(void *arg) {
    aglet_time now = aglet_now();
    bool in_row;
    *(bool *)arg = hot_nap_end(&locks[4], now, &in_row) == now + 1 * MS && !in_row;
    return NULL;
}

static void a_visitor_stands_in_no_row(void **state) {
    (void)state;
    hot_on_take(&locks[4]);
    aglet_time now = aglet_now(), last = 0;
    for (int i = 0; i < 5; i++)
        last = nap(&locks[4], now);
    bool soon = false;
    pthread_t visitor;
    assert_int_equal(pthread_create(&visitor, NULL, visit, &soon), 0);
    pthread_join(visitor, NULL);
    assert_true(soon);
    assert_int_equal(nap(&locks[4], now), last + MS / 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_wants_it_back_at_once_makes_it_hot),
        cmocka_unit_test(who_comes_back_later_makes_it_cold),
        cmocka_unit_test(naps_end_half_a_millisecond_apart),
        cmocka_unit_test(a_row_that_grows_while_some_wake_is_woken_by_nobody),
        cmocka_unit_test(a_row_that_nobody_joins_any_more_is_woken),
        cmocka_unit_test(a_visitor_stands_in_no_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
