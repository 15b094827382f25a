/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet/guard.h, as its contract says. Stands on cmocka and the installed headers. */
#include "cmocka_main.h"

#include "aglet/guard.h"

static aglet_mutex mu;
static aglet_rwlock rw;

static bool is_free(void) {
    if (!aglet_mutex_try_lock(&mu))
        return false;
    aglet_mutex_unlock(&mu);
    return true;
}

static int leaves_early(int how) {
    AGLET_GUARD(&mu);
    if (how == 1)
        return 1;
    for (;;)
        if (how == 2)
            return 2;
        else
            break;
    if (how == 3)
        goto out;
    return 0;
out:
    return 3;
}

static void a_guard_gives_up_on_every_way_out(void **state) {
    (void)state;
    for (int how = 0; how < 4; how++) {
        assert_int_equal(leaves_early(how), how);
        assert_true(is_free());
    }
}

static void a_guard_can_be_released_early_and_once(void **state) {
    (void)state;
    {
        AGLET_GUARD_NAMED(g, &mu);
        assert_true(aglet_guard_holds(&g));
        assert_false(is_free());
        aglet_guard_release(&g);
        assert_true(is_free());
        assert_false(aglet_guard_holds(&g));
        aglet_guard_release(&g);
    }
    assert_true(is_free());
}

static int leaves_block(void) {
    AGLET_WITH(&mu) {
        if (!is_free())
            return 7;
    }
    return 0;
}

static void a_block_form_holds_in_its_block_only(void **state) {
    (void)state;
    int times = 0;
    AGLET_WITH(&mu) {
        times++;
        assert_false(is_free());
    }
    assert_int_equal(times, 1);
    assert_true(is_free());
    assert_int_equal(leaves_block(), 7);
    assert_true(is_free());
    AGLET_WITH(&mu) {
        break;
    }
    assert_true(is_free());
}

static void a_try_form_runs_only_where_the_mutex_was_free(void **state) {
    (void)state;
    int ran = 0;
    AGLET_IF_FREE(&mu) {
        ran = 1;
        AGLET_IF_FREE(&mu) {
            ran = 2;
        }
        AGLET_GUARD_TRY(g, &mu);
        assert_false(aglet_guard_holds(&g));
    }
    assert_int_equal(ran, 1);
    assert_true(is_free());
}

static void read_and_write_guards_are_what_they_say(void **state) {
    (void)state;
    {
        AGLET_READ_GUARD(&rw);
        assert_false(aglet_rwlock_try_write(&rw));
    }
    {
        AGLET_WRITE_GUARD(&rw);
        assert_false(aglet_rwlock_try_read(&rw));
    }
    AGLET_WITH_WRITE(&rw) {
        assert_false(aglet_rwlock_try_read(&rw));
    }
    AGLET_WITH_READ(&rw) {
        assert_false(aglet_rwlock_try_write(&rw));
    }
    assert_true(aglet_rwlock_try_write(&rw));
    aglet_rwlock_write_unlock(&rw);
}

struct stats {
    int hits, misses;
};

static AGLET_MUTEX_OF(struct stats) stats = AGLET_MUTEX_OF_INIT;

static int change_both(bool fail) {
    AGLET_OPEN_FOR_CHANGE(s, &stats);
    s->hits++;
    if (fail)
        return -1;
    s->misses++;
    AGLET_COMMIT(s);
    return 0;
}

static bool is_poisoned(void) {
    AGLET_OPEN(s, &stats);
    return AGLET_POISONED(s);
}

static void a_box_is_poisoned_by_a_change_half_done(void **state) {
    (void)state;
    assert_int_equal(change_both(false), 0);
    assert_false(is_poisoned());
    assert_int_equal(change_both(true), -1);
    assert_true(is_poisoned());
    assert_int_equal(change_both(false), 0);
    assert_false(is_poisoned());
    {
        AGLET_OPEN(s, &stats);
        assert_int_equal(s->hits, 3);
        assert_int_equal(s->misses, 2);
        AGLET_CLOSE(s);
    }
}

static void a_box_is_named_once(void **state) {
    (void)state;
    static AGLET_MUTEX_OF(int) boxes[3] = {AGLET_MUTEX_OF_INIT, AGLET_MUTEX_OF_INIT, AGLET_MUTEX_OF_INIT};
    int i = 0;
    {
        AGLET_OPEN(n, &boxes[i++]);
        *n = 5;
    }
    assert_int_equal(i, 1);
    AGLET_OPEN(n, &boxes[0]);
    assert_int_equal(*n, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guard_gives_up_on_every_way_out),
        cmocka_unit_test(a_guard_can_be_released_early_and_once),
        cmocka_unit_test(a_block_form_holds_in_its_block_only),
        cmocka_unit_test(a_try_form_runs_only_where_the_mutex_was_free),
        cmocka_unit_test(read_and_write_guards_are_what_they_say),
        cmocka_unit_test(a_box_is_poisoned_by_a_change_half_done),
        cmocka_unit_test(a_box_is_named_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
