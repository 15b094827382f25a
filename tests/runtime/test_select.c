/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet/select.h, as its contract says. Stands on misuse_catcher.h and on_each.h. */
#include "misuse_catcher.h"
#include "on_each.h"

#include "aglet/await.h"
#include "aglet/misuse.h"
#include "aglet/select.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

AGLET_CHANNEL(numbers, long);

static void *produce(void *arg) {
    numbers_sender *tx = arg;
    for (long i = 1; i <= 2000; i++)
        if (numbers_send(tx, i))
            return "send failed";
    numbers_drop(tx);
    return NULL;
}

/* Two channels read by one select: everything comes, once. */
static void *read_both(void *arg) {
    size_t capacity = (size_t)(uintptr_t)arg;
    numbers_sender tx[2];
    numbers_receiver rx[2];
    long value[2], sum[2] = {0};
    int open = 2;
    for (int i = 0; i < 2; i++) {
        CHECK(numbers_bounded(&tx[i], &rx[i], capacity) == 0);
        CHECK(aglet_spawn(NULL, produce, &tx[i]) == 0);
    }
    struct aglet_case cases[] = {AGLET_CASE_RECV(&rx[0], &value[0]), AGLET_CASE_RECV(&rx[1], &value[1])};
    while (open) {
        int i = aglet_select(cases, 2, AGLET_FOREVER);
        CHECK(i == 0 || i == 1);
        if (cases[i].result == 0) {
            sum[i] += value[i];
        } else {
            CHECK(cases[i].result == -EPIPE);
            cases[i].kind = AGLET_NEVER_;
            open--;
        }
    }
    CHECK(sum[0] == 2001000 && sum[1] == 2001000);
    numbers_drop_receiver(&rx[0]);
    numbers_drop_receiver(&rx[1]);
    return NULL;
}

static void a_select_over_channels_loses_nothing(void **state) {
    (void)state;
    on_each(read_both, (void *)0);
    on_each(read_both, (void *)1);
    on_each(read_both, (void *)64);
}

struct ends {
    numbers_sender tx[2];
    numbers_receiver rx[2];
    long n;
};

static void *select_sender(void *arg) {
    struct ends *e = arg;
    for (long i = 1; i <= e->n; i++) {
        long item = i;
        struct aglet_case cases[] = {AGLET_CASE_SEND(&e->tx[0], &item), AGLET_CASE_SEND(&e->tx[1], &item)};
        int chosen = aglet_select(cases, 2, AGLET_FOREVER);
        CHECK(chosen >= 0 && cases[chosen].result == 0);
    }
    numbers_drop(&e->tx[0]);
    numbers_drop(&e->tx[1]);
    return NULL;
}

/* A select that sends on either of two channels against a select that receives from either. */
static void *both_sides(void *arg) {
    struct ends e = {.n = 3000};
    for (int i = 0; i < 2; i++)
        CHECK(numbers_bounded(&e.tx[i], &e.rx[i], (size_t)(uintptr_t)arg) == 0);
    aglet_task *t;
    CHECK(aglet_spawn(&t, select_sender, &e) == 0);
    long sum = 0, value[2];
    struct aglet_case cases[] = {AGLET_CASE_RECV(&e.rx[0], &value[0]), AGLET_CASE_RECV(&e.rx[1], &value[1])};
    for (;;) {
        int i = aglet_select(cases, 2, aglet_after_ms(5000));
        CHECK(i >= 0);
        if (cases[i].result)
            break;
        sum += value[i];
    }
    void *wrong;
    CHECK(aglet_join(t, &wrong) == 0);
    CHECK(wrong == NULL);
    for (int i = 0; i < 2; i++)
        while (numbers_try_recv(&e.rx[i], &value[i]) == 0)
            sum += value[i];
    CHECK(sum == 3000L * 3001 / 2);
    numbers_drop_receiver(&e.rx[0]);
    numbers_drop_receiver(&e.rx[1]);
    return NULL;
}

static void selects_on_both_sides_meet(void **state) {
    (void)state;
    on_each(both_sides, (void *)0);
    on_each(both_sides, (void *)2);
}

static void *slow(void *arg) {
    (void)aglet_sleep_ms((int64_t)(intptr_t)arg);
    return arg;
}

static void *joins(void *arg) {
    (void)arg;
    aglet_task *a, *b;
    void *ra = NULL, *rb = NULL;
    CHECK(aglet_spawn(&a, slow, (void *)300) == 0);
    CHECK(aglet_spawn(&b, slow, (void *)2) == 0);
    struct aglet_case cases[] = {AGLET_CASE_JOIN(a, &ra), AGLET_CASE_JOIN(b, &rb)};
    CHECK(aglet_select(cases, 2, AGLET_FOREVER) == 1);
    CHECK(rb == (void *)2);
    cases[1].kind = AGLET_NEVER_;
    CHECK(aglet_select(cases, 2, aglet_after_ms(2)) == -ETIMEDOUT);
    CHECK(aglet_select(cases, 2, 0) == -ETIMEDOUT);
    aglet_abort(a);
    CHECK(aglet_select(cases, 2, AGLET_FOREVER) == 0);
    CHECK(ra == (void *)300);
    return NULL;
}

static void a_select_takes_the_first_task_that_ends(void **state) {
    (void)state;
    on_each(joins, NULL);
}

static void *readable(void *arg) {
    (void)arg;
    aglet_io r, w;
    aglet_task *t;
    void *result;
    char c;
    CHECK(aglet_pipe(&r, &w) == 0);
    CHECK(aglet_spawn(&t, slow, (void *)3) == 0);
    struct aglet_case cases[] = {AGLET_CASE_READABLE(&r), AGLET_CASE_JOIN(t, &result)};
    CHECK(aglet_select(cases, 2, AGLET_FOREVER) == 1);
    cases[1].kind = AGLET_NEVER_;
    CHECK(aglet_write(&w, "x", 1) == 1);
    CHECK(aglet_select(cases, 2, aglet_after_ms(1000)) == 0);
    CHECK(aglet_read(&r, &c, 1) == 1 && c == 'x');
    CHECK(aglet_select(cases, 2, aglet_after_ms(2)) == -ETIMEDOUT);
    aglet_io_close(&w);
    CHECK(aglet_select(cases, 2, aglet_after_ms(1000)) == 0);
    CHECK(aglet_read(&r, &c, 1) == 0);
    aglet_io_close(&r);
    return NULL;
}

static void a_descriptor_can_be_one_of_the_cases(void **state) {
    (void)state;
    on_each(readable, NULL);
}

AGLET_BROADCAST(news, long);
AGLET_WATCH(state, long);

static void *tell_later(void *arg) {
    news_sender *out = arg;
    for (long i = 0; i < 100; i++) {
        if (news_send(out, i) || aglet_yield())
            return arg;
        if (i % 10 == 0 && aglet_sleep_ms(1))
            return arg;
    }
    return NULL;
}

/* Every value of the broadcast comes in order, whatever the watch says in between; what is not chosen keeps its place. */
static void *hear(void *arg) {
    news_sender out;
    state_sender set;
    aglet_task *t;
    void *wrong;
    long heard, seen, next = 0, changes = 0;
    (void)arg;
    CHECK(news_open(&out, 128) == 0 && state_open(&set, 1) == 0);
    news_receiver in = news_subscribe(&out);
    state_receiver look = state_subscribe(&set);
    struct aglet_case cases[] = {AGLET_CASE_NEXT(&in, &heard), AGLET_CASE_LATEST(&look, &seen)};
    CHECK(aglet_select(cases, 2, 0) == -ETIMEDOUT);
    CHECK(aglet_select(cases, 2, aglet_after_ms(2)) == -ETIMEDOUT);
    CHECK(aglet_spawn(&t, tell_later, &out) == 0);
    while (next < 100) {
        int which = aglet_select(cases, 2, aglet_after_ms(1000));
        CHECK(which >= 0 && cases[which].result == 0);
        if (which == 0) {
            CHECK(heard == next++);
            if (next % 25 == 0)
                CHECK(state_send(&set, next) == 0);
        } else {
            CHECK(seen <= next && seen % 25 == 0);
            changes++;
        }
    }
    while (aglet_select(cases, 2, 0) == 1)
        changes++;
    CHECK(changes >= 1 && changes <= 4 && seen == 100);
    CHECK(aglet_join(t, &wrong) == 0 && !wrong);
    /* Too slow for it: the case says so, and the next one goes on. */
    for (long i = 0; i < 130; i++)
        CHECK(news_send(&out, i) == 0);
    CHECK(aglet_select(cases, 2, 0) == 0 && cases[0].result == -EOVERFLOW);
    CHECK(aglet_select(cases, 2, 0) == 0 && cases[0].result == 0 && heard == 2);
    state_drop(&set);
    CHECK(aglet_select(cases + 1, 1, AGLET_FOREVER) == 0 && cases[1].result == -EPIPE);
    news_drop(&out);
    news_leave(&in);
    state_leave(&look);
    return NULL;
}

struct listener {
    AGLET_FRAME_HEADER;
    news_receiver in;
    long heard, sum;
    int which;
    struct aglet_case cases[1];
};
AGLET_STACKLESS(add_up, struct listener) {
    AGLET_BEGIN(f);
    f->cases[0] = (struct aglet_case)AGLET_CASE_NEXT(&f->in, &f->heard);
    for (;;) {
        AGLET_AWAIT(f, f->which, aglet_select_poll(&f->aglet_, f->cases, 1, AGLET_FOREVER));
        if (f->which < 0 || f->cases[0].result)
            break;
        f->sum += f->heard;
    }
    news_leave(&f->in);
    AGLET_RETURN(f, (void *)(intptr_t)f->sum);
    AGLET_END(f);
}

static void *hear_stackless(void *arg) {
    news_sender out;
    aglet_task *listener, *teller;
    void *sum, *wrong;
    (void)arg;
    CHECK(news_open(&out, 128) == 0);
    CHECK(add_up_spawn(&listener, (struct listener){.in = news_subscribe(&out)}) == 0);
    CHECK(aglet_spawn(&teller, tell_later, &out) == 0);
    CHECK(aglet_join(teller, &wrong) == 0 && !wrong);
    news_drop(&out);
    CHECK(aglet_join(listener, &sum) == 0 && (long)(intptr_t)sum == 99 * 100 / 2);
    return NULL;
}

static void broadcasts_and_watches_can_be_cases(void **state) {
    (void)state;
    on_each(hear, NULL);
    on_each(hear_stackless, NULL);
}

static void *wait_in_select(void *arg) {
    long value;
    struct aglet_case cases[] = {AGLET_CASE_RECV((numbers_receiver *)arg, &value)};
    return (void *)(intptr_t)aglet_select(cases, 1, AGLET_FOREVER);
}

static void *aborted(void *arg) {
    (void)arg;
    numbers_sender tx;
    numbers_receiver rx;
    aglet_task *t;
    void *result;
    long value;
    CHECK(numbers_bounded(&tx, &rx, 1) == 0);
    CHECK(aglet_spawn(&t, wait_in_select, &rx) == 0);
    CHECK(aglet_sleep_ms(1) == 0);
    aglet_abort(t);
    CHECK(aglet_join(t, &result) == 0);
    CHECK((intptr_t)result == -ECANCELED);
    CHECK(numbers_send(&tx, 5) == 0);
    CHECK(numbers_recv(&rx, &value) == 0 && value == 5);
    numbers_drop(&tx);
    numbers_drop_receiver(&rx);
    return NULL;
}

static void an_aborted_select_takes_nothing(void **state) {
    (void)state;
    on_each(aborted, NULL);
}

static atomic_int misuses;
static void count_misuse(const struct aglet_misuse *m, void *context) {
    (void)context;
    atomic_fetch_add(&misuses, strcmp(m->rule, "send-after-close") == 0);
}

static void *use_dropped(void *arg) {
    (void)arg;
    numbers_sender tx;
    numbers_receiver rx;
    long value = 1;
    CHECK(numbers_bounded(&tx, &rx, 1) == 0);
    numbers_drop(&tx);
    numbers_drop_receiver(&rx);
    struct aglet_case receives[] = {AGLET_CASE_NEVER, AGLET_CASE_RECV(&rx, &value)};
    CHECK(aglet_select(receives, 2, AGLET_FOREVER) == 1 && receives[1].result == -EPIPE);
    struct aglet_case sends[] = {AGLET_CASE_SEND(&tx, &value)};
    CHECK(aglet_select(sends, 1, AGLET_FOREVER) == 0 && sends[0].result == -EPIPE);
    return NULL;
}

static void a_dropped_handle_ends_the_select_at_once(void **state) {
    (void)state;
    atomic_store(&misuses, 0);
    aglet_on_misuse(count_misuse, NULL);
    on_each(use_dropped, NULL);
    aglet_on_misuse(NULL, NULL);
    assert_int_equal(atomic_load(&misuses), aglet_is_checked() ? 4 : 0);
}

static void *sleep_a_little(void *arg) {
    return aglet_sleep_ms(20) ? "the sleep ended early" : arg;
}

static atomic_bool may_end;

static void *sleep_until_told(void *arg) {
    while (!atomic_load(&may_end))
        CHECK(aglet_sleep_ms(1) == 0);
    return arg;
}

/* Join it, though somebody else looks now and then whether this one does. */
static void *join_it(void *task) {
    int error;
    while ((error = aglet_join(task, NULL)) == -EINVAL)
        CHECK(aglet_sleep_ms(1) == 0);
    return (void *)(intptr_t)error;
}

struct joiner {
    AGLET_FRAME_HEADER;
    aglet_task *task;
    int error;
};

AGLET_STACKLESS(joiner, struct joiner) {
    AGLET_BEGIN(f);
    AGLET_AWAIT(f, f->error, aglet_join_poll(&f->aglet_, f->task, NULL));
    AGLET_RETURN(f, (void *)(intptr_t)f->error);
    AGLET_END(f);
}

/* The handle is the first joiner's: a select, or a task without a stack, may neither take nor wait for it. */
static void *join_the_joined(void *arg) {
    (void)arg;
    aglet_task *one, *other, *third;
    void *result;
    atomic_store(&may_end, false);
    CHECK(aglet_spawn(&one, sleep_until_told, NULL) == 0);
    CHECK(aglet_spawn(&other, join_it, one) == 0);
    while (aglet_join_until(one, NULL, 0) == -ETIMEDOUT)
        CHECK(aglet_sleep_ms(5) == 0);
    struct aglet_case cases[] = {AGLET_CASE_NEVER, AGLET_CASE_JOIN(one, &result)};
    CHECK(aglet_select(cases, 2, aglet_after_ms(5000)) == 1 && cases[1].result == -EINVAL);
    CHECK(joiner_spawn(&third, (struct joiner){.task = one}) == 0);
    CHECK(aglet_join(third, &result) == 0 && (intptr_t)result == -EINVAL);
    atomic_store(&may_end, true);
    CHECK(aglet_join(other, &result) == 0 && !result);
    return NULL;
}

static void *join_self_or_none(void *arg) {
    (void)arg;
    aglet_task *task;
    void *result;
    struct aglet_case cases[] = {AGLET_CASE_JOIN(aglet_self(), &result), AGLET_CASE_JOIN(NULL, &result)};
    CHECK(aglet_select(cases, 1, aglet_after_ms(5000)) == 0 && cases[0].result == -EDEADLK);
    CHECK(aglet_select(cases + 1, 1, aglet_after_ms(5000)) == 0 && cases[1].result == -EDEADLK);
    CHECK(aglet_join(NULL, NULL) == -EDEADLK);
    aglet_abort(NULL);
    CHECK(aglet_spawn(&task, sleep_a_little, NULL) == 0);
    struct aglet_case same[] = {AGLET_CASE_JOIN(task, &result), AGLET_CASE_JOIN(task, &result)};
    CHECK(aglet_select(same, 2, AGLET_FOREVER) == -EINVAL);
    CHECK(aglet_join(task, NULL) == 0);
    return NULL;
}

static void a_task_is_joined_by_one_other(void **state) {
    (void)state;
    start_catching();
    on_each(join_the_joined, NULL);
    on_each(join_self_or_none, NULL);
    if (aglet_is_checked()) {
        assert_int_not_equal(caught.count, 0);
        assert_string_equal(caught.rule, "unjoined");
    }
    aglet_on_misuse(NULL, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_select_over_channels_loses_nothing),
        cmocka_unit_test(selects_on_both_sides_meet),
        cmocka_unit_test(a_select_takes_the_first_task_that_ends),
        cmocka_unit_test(a_descriptor_can_be_one_of_the_cases),
        cmocka_unit_test(broadcasts_and_watches_can_be_cases),
        cmocka_unit_test(an_aborted_select_takes_nothing),
        cmocka_unit_test(a_dropped_handle_ends_the_select_at_once),
        cmocka_unit_test(a_task_is_joined_by_one_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
