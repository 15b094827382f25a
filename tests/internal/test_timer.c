/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The timer wheel against a sorted list: random deadlines from a tick to years, random stops, random steps of
 * time. Stands on timer.h. */
#include "cmocka_main.h"

#include "timer.h"

#include <stdlib.h>
#include <string.h>

enum { TIMERS = 2000 };

struct entry {
    struct timer timer;
    int fired;
};

static int64_t now;

static void fire(void *who) {
    struct entry *e = who;
    e->fired++;
    assert_true(e->timer.deadline <= now);
}

static uint64_t state;
static uint64_t roll(uint64_t n) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 16) % n;
}

static int64_t random_delay(void) {
    static const int64_t scales[] = {1000,        100000,        10000000,         1000000000,
                                     60000000000, 3600000000000, 30000000000000000};
    return (int64_t)roll((uint64_t)scales[roll(COUNT(scales))]) + 1;
}

/* What is due by `now`, less one tick of grace for rounding up, must have fired; what is not due must not. */
static void compare(struct entry *entries, struct timer_wheel *wheel) {
    int64_t tick = INT64_C(1) << TIMER_TICK_SHIFT, soonest = INT64_MAX;
    for (int i = 0; i < TIMERS; i++) {
        struct entry *e = &entries[i];
        if (timer_is_off(&e->timer)) {
            assert_true(e->fired <= 1);
            continue;
        }
        assert_int_equal(e->fired, 0);
        assert_true(e->timer.deadline > now - 2 * tick);
        if (e->timer.deadline < soonest)
            soonest = e->timer.deadline;
    }
    if (soonest != INT64_MAX)
        assert_true(timer_wheel_next(wheel) <= soonest + tick);
    else
        assert_true(timer_wheel_next(wheel) == INT64_MAX);
}

static void it_fires_what_is_due_and_nothing_else(void **unused) {
    (void)unused;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        state = seed * UINT64_C(0x9E3779B97F4A7C15);
        static struct entry entries[TIMERS];
        struct timer_wheel wheel;
        memset(entries, 0, sizeof entries);
        now = (int64_t)roll(UINT64_C(1) << 50);
        timer_wheel_init(&wheel, now);
        for (int round = 0; round < 400; round++) {
            for (int k = 0; k < 20; k++) {
                struct entry *e = &entries[roll(TIMERS)];
                if (timer_is_off(&e->timer)) {
                    e->fired = 0;
                    e->timer = (struct timer){.deadline = now + random_delay(), .fire = fire, .who = e};
                    timer_start(&wheel, &e->timer);
                } else if (roll(3) == 0) {
                    assert_true(timer_stop(&e->timer));
                    assert_false(timer_stop(&e->timer));
                }
            }
            now += random_delay();
            timer_wheel_run(&wheel, now);
            compare(entries, &wheel);
        }
        for (int i = 0; i < TIMERS; i++)
            timer_stop(&entries[i].timer);
        assert_int_equal(wheel.count, 0);
        for (int level = 0; level < TIMER_LEVELS; level++)
            assert_true(wheel.occupied[level] == 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_fires_what_is_due_and_nothing_else)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
