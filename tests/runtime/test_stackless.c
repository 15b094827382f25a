/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet/stackless.h, as its contract says. Stands on on_each.h. */
#include "on_each.h"

#include "aglet/stackless.h"

#include <errno.h>
#include <stdatomic.h>

AGLET_CHANNEL(numbers, long);

static atomic_long steps;

struct counter {
    AGLET_FRAME_HEADER;
    int i, error;
    long n;
};

AGLET_STACKLESS(counter, struct counter) {
    AGLET_BEGIN(f);
    for (f->i = 0; f->i < f->n; f->i++) {
        atomic_fetch_add(&steps, 1);
        AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
        if (f->error)
            AGLET_RETURN(f, (void *)(intptr_t)f->error);
    }
    AGLET_RETURN(f, (void *)(intptr_t)f->n);
    AGLET_END(f);
}

static void *many_counters(void *arg) {
    (void)arg;
    static aglet_task *tasks[1000];
    atomic_store(&steps, 0);
    for (long i = 0; i < 1000; i++)
        CHECK(counter_spawn(&tasks[i], (struct counter){.n = i % 20}) == 0);
    for (long i = 0; i < 1000; i++) {
        void *result;
        CHECK(aglet_join(tasks[i], &result) == 0);
        CHECK((intptr_t)result == i % 20);
    }
    CHECK(atomic_load(&steps) == 9500);
    return NULL;
}

static void frames_keep_their_fields_across_awaits(void **state) {
    (void)state;
    on_each(many_counters, NULL);
}

struct large {
    AGLET_FRAME_HEADER;
    size_t size;
    int error;
    unsigned char fill[];
};

static int large_step(void *frame) {
    struct large *f = frame;
    AGLET_BEGIN(f);
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
    for (size_t i = sizeof *f; i < f->size; i++)
        if (((unsigned char *)f)[i] != (unsigned char)(f->size + i))
            AGLET_RETURN(f, (void *)1);
    AGLET_END(f);
}

static void *frames_of_many_sizes(void *arg) {
    static _Alignas(16) unsigned char memory[256 * 1024 + 1];
    static const size_t sizes[] = {sizeof(struct large), 200, 1000, 5000, 40000, 100000, 200000, 256 * 1024};
    enum { SIZES = sizeof sizes / sizeof sizes[0] };
    struct large *f = (struct large *)(void *)memory;
    aglet_task *tasks[4 * SIZES];
    (void)arg;
    for (size_t k = 0; k < 4 * SIZES; k++) {
        f->size = sizes[k % SIZES];
        for (size_t i = sizeof *f; i < f->size; i++)
            memory[i] = (unsigned char)(f->size + i);
        CHECK(aglet_spawn_frame_(&tasks[k], large_step, f, f->size) == 0);
    }
    for (size_t k = 0; k < 4 * SIZES; k++) {
        void *result;
        CHECK(aglet_join(tasks[k], &result) == 0);
        CHECK(!result);
    }
    CHECK(aglet_spawn_frame_(NULL, large_step, f, sizeof memory) == -ENOMEM);
    return NULL;
}

static void a_frame_has_at_most_256_kib(void **state) {
    (void)state;
    on_each(frames_of_many_sizes, NULL);
}

struct stage {
    AGLET_FRAME_HEADER;
    numbers_receiver rx;
    numbers_sender tx;
    long value;
    int error;
};

/* Adds one to each number and passes it on. */
AGLET_STACKLESS(stage, struct stage) {
    AGLET_BEGIN(f);
    for (;;) {
        AGLET_AWAIT(f, f->error, aglet_recv_poll(&f->aglet_, &f->rx, &f->value));
        if (f->error)
            break;
        f->value++;
        AGLET_AWAIT(f, f->error, aglet_send_poll(&f->aglet_, &f->tx, &f->value));
        if (f->error)
            break;
    }
    numbers_drop_receiver(&f->rx);
    numbers_drop(&f->tx);
    AGLET_END(f);
}

static void *feed(void *arg) {
    numbers_sender *tx = arg;
    for (long i = 0; i < 2000; i++)
        CHECK(numbers_send(tx, i) == 0);
    numbers_drop(tx);
    return NULL;
}

enum { STAGES = 20 };

static void *pipeline(void *arg) {
    numbers_sender first, tx;
    numbers_receiver rx, last;
    CHECK(numbers_bounded(&first, &last, (size_t)(uintptr_t)arg) == 0);
    for (int i = 0; i < STAGES; i++) {
        CHECK(numbers_bounded(&tx, &rx, (size_t)(uintptr_t)arg) == 0);
        CHECK(stage_spawn(NULL, (struct stage){.rx = last, .tx = tx}) == 0);
        last = rx;
    }
    CHECK(aglet_spawn(NULL, feed, &first) == 0);
    for (long i = 0; i < 2000; i++) {
        long value;
        CHECK(numbers_recv(&last, &value) == 0);
        CHECK(value == i + STAGES);
    }
    long value;
    CHECK(numbers_recv(&last, &value) == -EPIPE);
    numbers_drop_receiver(&last);
    return NULL;
}

static void a_pipeline_of_stackless_tasks_keeps_order(void **state) {
    (void)state;
    on_each(pipeline, (void *)0);
    on_each(pipeline, (void *)1);
    on_each(pipeline, (void *)16);
}

struct parent {
    AGLET_FRAME_HEADER;
    aglet_task *child;
    void *result;
    int error;
};

AGLET_STACKLESS(parent, struct parent) {
    AGLET_BEGIN(f);
    if (counter_spawn(&f->child, (struct counter){.n = 7}))
        AGLET_RETURN(f, NULL);
    AGLET_AWAIT(f, f->error, aglet_join_poll(&f->aglet_, f->child, &f->result));
    AGLET_AWAIT(f, f->error, aglet_sleep_poll(&f->aglet_, aglet_after_ms(2)));
    AGLET_RETURN(f, f->result);
    AGLET_END(f);
}

struct sleeper {
    AGLET_FRAME_HEADER;
    int error;
};

AGLET_STACKLESS(sleeper, struct sleeper) {
    AGLET_BEGIN(f);
    AGLET_AWAIT(f, f->error, aglet_sleep_poll(&f->aglet_, AGLET_FOREVER));
    AGLET_RETURN(f, (void *)(intptr_t)f->error);
    AGLET_END(f);
}

static void *join_and_abort(void *arg) {
    (void)arg;
    aglet_task *t;
    void *result;
    CHECK(parent_spawn(&t, (struct parent){.error = 0}) == 0);
    CHECK(aglet_join(t, &result) == 0);
    CHECK(result == (void *)7);
    CHECK(sleeper_spawn(&t, (struct sleeper){.error = 0}) == 0);
    CHECK(aglet_sleep_ms(1) == 0);
    aglet_abort(t);
    CHECK(aglet_join(t, &result) == 0);
    CHECK((intptr_t)result == -ECANCELED);
    return NULL;
}

static void stackless_tasks_join_sleep_and_are_aborted(void **state) {
    (void)state;
    on_each(join_and_abort, NULL);
}

struct drainer {
    AGLET_FRAME_HEADER;
    numbers_receiver rx;
    long value;
    int error;
};

static atomic_long drained;

AGLET_STACKLESS(drainer, struct drainer) {
    AGLET_BEGIN(f);
    for (;;) {
        AGLET_AWAIT(f, f->error, aglet_recv_poll(&f->aglet_, &f->rx, &f->value));
        if (f->error)
            break;
        atomic_fetch_add(&drained, 1);
    }
    numbers_drop_receiver(&f->rx);
    AGLET_END(f);
}

static void *drained_so_far(void *arg) {
    (void)arg;
    return (void *)atomic_load(&drained);
}

static void *hog(void *arg) {
    (void)arg;
    numbers_sender tx;
    numbers_receiver rx;
    aglet_task *task, *witness;
    void *seen;
    atomic_store(&drained, 0);
    CHECK(numbers_unbounded(&tx, &rx) == 0);
    for (long i = 0; i < 100000; i++)
        CHECK(numbers_send(&tx, i) == 0);
    numbers_drop(&tx);
    CHECK(aglet_spawn(&witness, drained_so_far, NULL) == 0);
    CHECK(drainer_spawn(&task, (struct drainer){.rx = rx}) == 0);
    CHECK(aglet_join(witness, &seen) == 0);
    CHECK((long)(intptr_t)seen < 100000);
    CHECK(aglet_join(task, NULL) == 0);
    CHECK(atomic_load(&drained) == 100000);
    return NULL;
}

static void a_task_that_never_has_to_wait_lets_others_run(void **state) {
    (void)state;
    on_each(hog, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_keep_their_fields_across_awaits),
        cmocka_unit_test(a_frame_has_at_most_256_kib),
        cmocka_unit_test(a_pipeline_of_stackless_tasks_keeps_order),
        cmocka_unit_test(a_task_that_never_has_to_wait_lets_others_run),
        cmocka_unit_test(stackless_tasks_join_sleep_and_are_aborted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
