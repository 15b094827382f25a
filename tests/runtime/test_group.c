/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Groups that several join at once: tasks of either kind and threads. Stands on on_each.h. */
#include "on_each.h"

#include "aglet/await.h"
#include "aglet/thread.h"

#include <stdatomic.h>

enum { MEMBERS = 3, JOINERS = 4, ROUNDS = 20 };

struct crowd {
    aglet_group group;
    atomic_int ended, joined, too_early;
};

static void note_join(struct crowd *c, int error) {
    atomic_fetch_add(&c->too_early, error != 0 || atomic_load(&c->ended) != MEMBERS);
    atomic_fetch_add(&c->joined, 1);
}

static void *end_soon(void *arg) {
    struct crowd *c = arg;
    (void)aglet_sleep_ms(3);
    atomic_fetch_add(&c->ended, 1);
    return NULL;
}

static void *join_it(void *arg) {
    struct crowd *c = arg;
    note_join(c, aglet_group_join(&c->group));
    return NULL;
}

struct step_joiner {
    AGLET_FRAME_HEADER;
    int error;
    struct crowd *crowd;
};
AGLET_STACKLESS(step_joiner, struct step_joiner) {
    AGLET_BEGIN(f);
    AGLET_AWAIT(f, f->error, aglet_group_join_poll(&f->aglet_, &f->crowd->group));
    note_join(f->crowd, f->error);
    AGLET_RETURN(f, NULL);
    AGLET_END(f);
}

static void *join_many(void *unused) {
    (void)unused;
    for (int round = 0; round < ROUNDS; round++) {
        struct crowd c = {0};
        aglet_task *task[2 * JOINERS];
        for (int i = 0; i < MEMBERS; i++)
            CHECK(aglet_group_spawn(&c.group, end_soon, &c) == 0);
        for (int i = 0; i < JOINERS; i++) {
            CHECK(aglet_spawn(&task[i], join_it, &c) == 0);
            CHECK(step_joiner_spawn(&task[JOINERS + i], (struct step_joiner){.crowd = &c}) == 0);
        }
        if (round % 2)
            join_it(&c);
        CHECK(aglet_join_all(task, NULL, 2 * JOINERS) == 0);
        CHECK(atomic_load(&c.joined) == 2 * JOINERS + round % 2);
        CHECK(atomic_load(&c.too_early) == 0);
        CHECK(aglet_group_join(&c.group) == 0);
    }
    return NULL;
}

static void any_number_of_tasks_may_join_a_group(void **state) {
    (void)state;
    on_each(join_many, NULL);
}

static struct crowd shared;

static void *fill(void *arg) {
    for (int i = 0; i < MEMBERS; i++)
        CHECK(aglet_group_spawn(&shared.group, end_soon, &shared) == 0);
    (void)arg;
    return NULL;
}

static void so_may_threads(void **state) {
    (void)state;
    void *wrong = NULL;
    aglet_thread thread[JOINERS];
    aglet_executor *executor = aglet_executor_new(&(struct aglet_executor_options){.workers = 2});
    assert_non_null(executor);
    assert_int_equal(aglet_block_on(executor, fill, NULL, &wrong), 0);
    assert_null(wrong);
    for (int i = 0; i < JOINERS; i++)
        assert_int_equal(aglet_thread_spawn(&thread[i], join_it, &shared), 0);
    for (int i = 0; i < JOINERS; i++)
        assert_int_equal(aglet_thread_join(&thread[i], NULL), 0);
    assert_int_equal(atomic_load(&shared.joined), JOINERS);
    assert_int_equal(atomic_load(&shared.too_early), 0);
    aglet_executor_free(executor);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_tasks_may_join_a_group),
        cmocka_unit_test(so_may_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
