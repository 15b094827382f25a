/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The awaits of stackless tasks: the same operations as the waiting ones, cut in two. Stands on chan.h,
 * task_join.h, task_sleep.h. The first call begins the operation and leaves a waiter in the frame; later
 * calls look whether it fired. */
#include "aglet/stackless.h"
#include "chan.h"
#include "check.h"
#include "task_group.h"
#include "task_join.h"
#include "task_start.h"

/* What lies in aglet_frame.wait_: a place in a queue, or a timer. */
struct wait {
    union {
        struct {
            struct sleeper sleeper;
            struct waiter waiter;
        };
        struct timer timer;
    };
};
_Static_assert(sizeof(struct wait) <= sizeof((struct aglet_frame *)0)->wait_, "a wait fits the frame");

enum { NOT_BEGUN, WAITING };

int aglet_spawn_frame_(aglet_task **task, aglet_step_fn *step, const void *frame, size_t size) {
    return task_start_inline(
        task, &(struct task_plan){.step = step, .frame = frame, .frame_size = size, .detached = !task});
}

static inline struct aglet_task *task_of(struct aglet_frame *f) {
    return (struct aglet_task *)(void *)f - 1;
}

static inline struct wait *wait_of(struct aglet_frame *f) {
    return (struct wait *)(void *)f->wait_;
}

void aglet_frame_return_(struct aglet_frame *f, void *value) {
    task_of(f)->result = value;
}

/* Set up the frame's sleeper and waiter. Returns -ECANCELED when the task was aborted; AGLET_PENDING when it
 * has done so much in this step that others come first: it will begin again. */
static int begin(struct aglet_frame *f, const void *caller) {
    struct aglet_task *t = task_of(f);
    if (aglet_checked)
        t->waits_at = caller;
    if (task_is_aborted(t))
        return -ECANCELED;
    struct worker *here = worker_here_;
    if (AGLET_UNLIKELY(here->budget == 0)) {
        t->yielded = 1;
        return AGLET_PENDING;
    }
    here->budget--;
    struct wait *w = wait_of(f);
    *w = (struct wait){0};
    w->sleeper.task = t;
    w->waiter.sleeper = &w->sleeper;
    return 0;
}

static int pending(struct aglet_frame *f, const char *why) {
    task_of(f)->waits_for = why;
    f->stage_ = WAITING;
    return AGLET_PENDING;
}

static int finished(struct aglet_frame *f, int result) {
    task_of(f)->waits_for = NULL;
    f->stage_ = NOT_BEGUN;
    return result;
}

int aglet_yield_poll(struct aglet_frame *f) {
    if (f->stage_ == WAITING)
        return finished(f, 0);
    int error = begin(f, CALLER());
    if (error)
        return error;
    task_of(f)->yielded = 1;
    return pending(f, "yield");
}

static void wake_task(void *t) {
    task_wake(t);
}

int aglet_sleep_poll(struct aglet_frame *f, aglet_time deadline) {
    struct wait *w = wait_of(f);
    if (f->stage_ == NOT_BEGUN) {
        int error = begin(f, CALLER());
        if (error)
            return error;
        if (deadline <= aglet_now())
            return 0;
        w->timer = (struct timer){.deadline = deadline, .fire = wake_task, .who = task_of(f)};
        if (deadline != AGLET_FOREVER)
            timer_start(&worker_here_->timers, &w->timer);
        return pending(f, "sleep");
    }
    if (w->timer.deadline != AGLET_FOREVER && timer_is_off(&w->timer))
        return finished(f, 0);
    if (task_is_aborted(task_of(f))) {
        timer_stop(&w->timer);
        return finished(f, -ECANCELED);
    }
    return AGLET_PENDING;
}

int aglet_join_poll(struct aglet_frame *f, aglet_task *task, void **result) {
    struct wait *w = wait_of(f);
    if (f->stage_ == NOT_BEGUN) {
        int error = begin(f, CALLER());
        if (error)
            return error;
        if (join_link(task, &w->waiter))
            return pending(f, "join");
    } else if (!sleeper_is_fired(&w->sleeper)) {
        if (!task_is_aborted(task_of(f)))
            return AGLET_PENDING;
        if (join_unlink(task, &w->waiter))
            return finished(f, -ECANCELED);
    }
    join_take(task, result);
    return finished(f, 0);
}

int aglet_chan_recv_poll_(struct aglet_frame *f, aglet_chan *c, void *item) {
    struct wait *w = wait_of(f);
    if (f->stage_ == NOT_BEGUN) {
        int error = begin(f, CALLER());
        if (!error)
            error = chan_recv_begin(c, item, &w->waiter);
        return error == -EAGAIN ? pending(f, "recv") : error;
    }
    if (!sleeper_is_fired(&w->sleeper)) {
        if (!task_is_aborted(task_of(f)))
            return AGLET_PENDING;
        if (chan_recv_unlink(c, &w->waiter))
            return finished(f, -ECANCELED);
    }
    return finished(f, w->waiter.result);
}

int aglet_chan_send_poll_(struct aglet_frame *f, aglet_chan *c, const void *item) {
    struct wait *w = wait_of(f);
    if (f->stage_ == NOT_BEGUN) {
        int error = begin(f, CALLER());
        if (!error)
            error = chan_send_begin(c, item, &w->waiter);
        return error == -EAGAIN ? pending(f, "send") : error;
    }
    if (!sleeper_is_fired(&w->sleeper)) {
        if (!task_is_aborted(task_of(f)))
            return AGLET_PENDING;
        if (chan_send_unlink(c, &w->waiter))
            return finished(f, -ECANCELED);
    }
    return finished(f, w->waiter.result);
}
