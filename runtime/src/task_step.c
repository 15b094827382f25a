/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The awaits of stackless tasks for time, tasks and channels: the same operations as the waiting ones, cut in
 * two. Stands on task_step.h, chan.h, task_join.h. */
#include "task_step.h"
#include "aglet/await.h"
#include "chan.h"
#include "chan_bus.h"
#include "check.h"
#include "task_group.h"
#include "task_join.h"
#include "task_start.h"

#include <stdlib.h>

int aglet_spawn_frame_(aglet_task **task, aglet_step_fn *step, const void *frame, size_t size) {
    return task_start_inline(
        task, &(struct task_plan){.step = step, .frame = frame, .frame_size = size, .detached = !task});
}

void aglet_frame_return_(struct aglet_frame *f, void *value) {
    step_task(f)->result = value;
}

static void wake_task(void *t) {
    task_wake(t);
}

int step_arm(struct aglet_frame *f, aglet_time deadline, size_t room) {
    if (deadline <= aglet_now())
        return -ETIMEDOUT;
    struct step_more *more = malloc(sizeof *more + room);
    if (!more)
        return -ENOMEM;
    more->timer = (struct timer){.deadline = deadline, .fire = wake_task, .who = step_task(f)};
    more->deadline = deadline;
    step_wait(f)->more = more;
    if (deadline != AGLET_FOREVER)
        timer_start(&worker_here_->timers, &more->timer);
    return 0;
}

void step_disarm(struct aglet_frame *f) {
    struct step_more *more = step_wait(f)->more;
    step_wait(f)->more = NULL;
    if (more->deadline != AGLET_FOREVER)
        timer_stop(&more->timer);
    free(more);
}

int aglet_yield_poll(struct aglet_frame *f) {
    if (f->stage_ == STEP_WAITING)
        return step_end(f, 0);
    int error = step_begin(f, CALLER());
    if (error)
        return error;
    step_task(f)->yielded = 1;
    return step_pending(f, STEP_WAITING, "yield");
}

/* The room for a wait holds the timer of a sleep in place of a waiter. */
static int wake_up(struct aglet_frame *f, int result) {
    task_step_rest(step_task(f))->rest.waits_for = NULL;
    f->stage_ = STEP_NEW;
    return result;
}

static int sleep_poll(struct aglet_frame *f, aglet_time deadline, const void *caller) {
    struct step_wait *w = step_wait(f);
    if (f->stage_ == STEP_NEW) {
        int error = step_begin(f, caller);
        if (error)
            return error;
        if (deadline <= aglet_now())
            return 0;
        w->timer = (struct timer){.deadline = deadline, .fire = wake_task, .who = step_task(f)};
        if (deadline != AGLET_FOREVER)
            timer_start(&worker_here_->timers, &w->timer);
        return step_pending(f, STEP_WAITING, "sleep");
    }
    if (w->timer.deadline != AGLET_FOREVER && timer_is_off(&w->timer))
        return wake_up(f, 0);
    if (task_is_aborted(step_task(f))) {
        timer_stop(&w->timer);
        return wake_up(f, -ECANCELED);
    }
    return AGLET_PENDING;
}

int aglet_sleep_poll(struct aglet_frame *f, aglet_time deadline) {
    return sleep_poll(f, deadline, CALLER());
}

int aglet_interval_poll(struct aglet_frame *f, aglet_interval *interval) {
    int result = sleep_poll(f, interval->next, CALLER());
    if (!result)
        interval_advance(interval);
    return result;
}

static int begin_join(void *task, void *unused, struct waiter *w) {
    (void)unused;
    return join_begin(task, w);
}

static bool unlink_join(void *task, struct waiter *w) {
    return join_unlink(task, w);
}

static int join_poll(struct aglet_frame *f, aglet_task *task, void **result, aglet_time deadline,
                     const void *caller) {
    static const struct step_op op = {begin_join, unlink_join, "join"};
    int error = step_poll(f, &op, task, NULL, deadline, caller);
    if (!error)
        join_take(task, result);
    return error == -EINVAL || error == -EDEADLK ? join_refused(task, error, "joined", caller) : error;
}

int aglet_join_poll(struct aglet_frame *f, aglet_task *task, void **result) {
    return join_poll(f, task, result, AGLET_FOREVER, CALLER());
}

int aglet_join_until_poll(struct aglet_frame *f, aglet_task *task, void **result, aglet_time deadline) {
    return join_poll(f, task, result, deadline, CALLER());
}

int aglet_join_all_poll(struct aglet_frame *f, aglet_task **tasks, void **results, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (!tasks[i])
            continue;
        int error = join_poll(f, tasks[i], results ? &results[i] : NULL, AGLET_FOREVER, CALLER());
        if (error)
            return error;
        tasks[i] = NULL;
    }
    return 0;
}

int aglet_group_join_poll(struct aglet_frame *f, aglet_group *group) {
    struct step_wait *w = step_wait(f);
    /* Stages: STEP_WAITING, and the same for an aborted caller, which waits for its members all the same. */
    enum { ABORTED = STEP_WAITING + 1 };
    int error = f->stage_ == ABORTED ? -ECANCELED : 0;
    if (f->stage_ == STEP_NEW) {
        error = step_begin(f, CALLER());
        if (error == AGLET_PENDING)
            return error;
        *w = (struct step_wait){.sleeper.task = step_task(f)};
        if (error)
            aglet_group_abort(group);
    } else {
        if (!error && task_is_aborted(step_task(f))) {
            error = -ECANCELED;
            aglet_group_abort(group);
        }
        if (!sleeper_is_fired(&w->sleeper))
            return step_pending(f, error ? ABORTED : STEP_WAITING, "group join");
        step_again(f);
    }
    w->waiter = (struct waiter){.sleeper = &w->sleeper};
    if (group_link(group, &w->waiter))
        return step_pending(f, error ? ABORTED : STEP_WAITING, "group join");
    return step_end(f, error);
}

static int begin_recv(void *c, void *item, struct waiter *w) {
    return chan_recv_begin(c, item, w);
}
static bool unlink_recv(void *c, struct waiter *w) {
    return chan_recv_unlink(c, w);
}
static int begin_send(void *c, void *item, struct waiter *w) {
    return chan_send_begin(c, item, w);
}
static bool unlink_send(void *c, struct waiter *w) {
    return chan_send_unlink(c, w);
}
static const struct step_op op_recv = {begin_recv, unlink_recv, "recv"};
static const struct step_op op_send = {begin_send, unlink_send, "send"};

int aglet_chan_recv_poll_(struct aglet_frame *f, aglet_chan *c, void *item) {
    return AGLET_UNLIKELY(!c) ? chan_dropped("receive", CALLER())
                              : step_poll(f, &op_recv, c, item, AGLET_FOREVER, CALLER());
}

int aglet_chan_recv_until_poll_(struct aglet_frame *f, aglet_chan *c, void *item, aglet_time deadline) {
    return AGLET_UNLIKELY(!c) ? chan_dropped("receive", CALLER())
                              : step_poll(f, &op_recv, c, item, deadline, CALLER());
}

int aglet_chan_send_poll_(struct aglet_frame *f, aglet_chan *c, const void *item) {
    return AGLET_UNLIKELY(!c) ? chan_dropped("send", CALLER())
                              : step_poll(f, &op_send, c, (void *)(uintptr_t)item, AGLET_FOREVER, CALLER());
}

int aglet_chan_send_until_poll_(struct aglet_frame *f, aglet_chan *c, const void *item, aglet_time deadline) {
    return AGLET_UNLIKELY(!c) ? chan_dropped("send", CALLER())
                              : step_poll(f, &op_send, c, (void *)(uintptr_t)item, deadline, CALLER());
}

int aglet_chan_recv_many_poll_(struct aglet_frame *f, aglet_chan *c, void *items, size_t max) {
    if (AGLET_UNLIKELY(!c))
        return chan_dropped("receive", CALLER());
    if (!max)
        return 0;
    int error = step_poll(f, &op_recv, c, items, AGLET_FOREVER, CALLER());
    return error ? error : (int)chan_take_more(c, items, 1, max < INT32_MAX ? max : INT32_MAX);
}

static int begin_bus(void *receiver, void *item, struct waiter *w) {
    return bus_recv_begin(receiver, item, w);
}
static bool unlink_bus(void *receiver, struct waiter *w) {
    return bus_recv_unlink(receiver, w);
}

int aglet_bus_recv_poll_(struct aglet_frame *f, aglet_bus *bus, uint64_t *at, void *item, aglet_time deadline,
                         bool latest) {
    static const struct step_op op = {begin_bus, unlink_bus, "bus recv"};
    struct bus_place place = {bus, at, latest};
    if (!bus)
        return chan_dropped("receive", CALLER());
    for (;;) {
        bool waited = f->stage_ != STEP_NEW;
        int error = step_poll(f, &op, &place, item, deadline, CALLER());
        /* Woken, not handed anything: now it is there to be taken. */
        if (error || !waited)
            return error;
    }
}
