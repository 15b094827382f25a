/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Select. Stands on the begin/link/unlink functions of chan.h, chan_bus.h, task_join.h and reactor.h.
 *
 *   1. try every case, from a changing start; the first that can be done is done (try_case).
 *   2. link a waiter for each; one that could go on meanwhile sends us back to 1 (link_case).
 *   3. sleep: at most one waker wins the claim.  4. take all waiters back (unlink_case).
 *   5. a received value or a task's end was delivered by the waker: done. For a send, a descriptor, a broadcast or a
 * watch the waker only said that it may be possible now: back to 1, beginning with that case. Where it is not, somebody
 * else took the room, and whoever makes more tells the next sender: nothing has to be passed on. */
#include "aglet/await.h"
#include "chan.h"
#include "chan_bus.h"
#include "check.h"
#include "io_core.h"
#include "task_join.h"
#include "task_step.h"

#include <poll.h>
#include <string.h>

enum { MAX_CASES = 64 };

static unsigned turning(void) {
    static _Thread_local unsigned start;
    return start++;
}

static bool is_io(const struct aglet_case *c) {
    return c->kind == AGLET_READABLE_ || c->kind == AGLET_WRITABLE_;
}

static enum io_direction direction(const struct aglet_case *c) {
    return c->kind == AGLET_READABLE_ ? IO_READ : IO_WRITE;
}

static struct bus_place place_of(const struct aglet_case *c) {
    struct aglet_bus_place_ *rx = c->on;
    return (struct bus_place){rx->bus_, &rx->at_, c->kind == AGLET_LATEST_};
}

static int try_case(struct aglet_case *c, const void *caller) {
    switch (c->kind) {
    case AGLET_RECV_: return c->on ? chan_recv_begin(c->on, c->item, NULL) : chan_dropped("receive", caller);
    case AGLET_SEND_: return c->on ? chan_send_begin(c->on, c->item, NULL) : chan_dropped("send", caller);
    case AGLET_JOIN_TASK_: {
        int error = join_begin(c->on, NULL);
        if (!error)
            join_take(c->on, c->item);
        return error && error != -EAGAIN ? join_refused(c->on, error, "joined", caller) : error;
    }
    case AGLET_READABLE_:
    case AGLET_WRITABLE_: {
        struct pollfd p = {.fd = ((aglet_io *)c->on)->fd,
                           .events = c->kind == AGLET_READABLE_ ? POLLIN : POLLOUT};
        return poll(&p, 1, 0) > 0 ? 0 : -EAGAIN;
    }
    case AGLET_NEXT_:
    case AGLET_LATEST_: {
        struct bus_place place = place_of(c);
        return place.bus ? bus_recv_begin(&place, c->item, NULL) : chan_dropped("receive", caller);
    }
    default: return -EAGAIN;
    }
}

/* Returns whether it is linked; false: it can be done now. */
static bool link_case(struct aglet_case *c, struct waiter *w, uint32_t turn) {
    switch (c->kind) {
    case AGLET_RECV_: return chan_recv_link(c->on, c->item, w);
    case AGLET_SEND_: return chan_send_link(c->on, w);
    case AGLET_JOIN_TASK_: return join_link(c->on, w);
    case AGLET_READABLE_:
    case AGLET_WRITABLE_: return io_source_link(((aglet_io *)c->on)->source_, direction(c), turn, w);
    case AGLET_NEXT_:
    case AGLET_LATEST_: {
        struct bus_place place = place_of(c);
        return bus_recv_link(&place, w);
    }
    default: return true;
    }
}

static void unlink_case(struct aglet_case *c, struct waiter *w, bool fired) {
    switch (c->kind) {
    case AGLET_RECV_: chan_recv_unlink(c->on, w); break;
    case AGLET_SEND_: chan_send_unlink(c->on, w); break;
    case AGLET_JOIN_TASK_:
        if (!fired)
            join_unlink(c->on, w);
        break;
    case AGLET_READABLE_:
    case AGLET_WRITABLE_: io_source_unlink(((aglet_io *)c->on)->source_, direction(c), w); break;
    case AGLET_NEXT_:
    case AGLET_LATEST_: {
        struct bus_place place = place_of(c);
        bus_recv_unlink(&place, w);
        break;
    }
    default: break;
    }
}

/* A select under way, on the stack of who waits or on the heap of a stackless task. */
struct selecting {
    struct aglet_case *cases;
    size_t n, start, linked;
    struct waiter *waiters;
    uint32_t *turns;
};

/* Does one before it join the same task? A task has room for one waiter. */
static bool joins_again(const struct aglet_case *cases, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (cases[k].kind == AGLET_JOIN_TASK_ && cases[k].on == cases[i].on)
            return true;
    return false;
}

/* Is it fit to be selected from here? 0 or a negative errno value. */
static int check_cases(struct aglet_case *cases, size_t n, bool task) {
    if (n > MAX_CASES)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        int error = 0;
        if (is_io(&cases[i]))
            error = task ? io_attach(cases[i].on) : -ENOTSUP;
        else if (cases[i].kind == AGLET_JOIN_TASK_ && joins_again(cases, i))
            error = -EINVAL;
        if (error)
            return error;
    }
    return 0;
}

/* Steps 1 of above: the index of a case that is done, or -EAGAIN. */
static int try_cases(struct selecting *s, const void *caller) {
    for (size_t k = 0; k < s->n; k++) {
        size_t i = (s->start + k) % s->n;
        struct aglet_case *c = &s->cases[i];
        if (is_io(c))
            s->turns[i] = io_source_turn(((aglet_io *)c->on)->source_, direction(c), NULL);
        int result = try_case(c, caller);
        if (result == -EAGAIN)
            continue;
        c->result = result;
        task_spend();
        return (int)i;
    }
    return -EAGAIN;
}

/* Step 2. Returns whether all are linked: else the next case can go on now. */
static bool link_cases(struct selecting *s, struct sleeper *sleeper) {
    for (s->linked = 0; s->linked < s->n; s->linked++) {
        struct waiter *w = &s->waiters[s->linked];
        *w = (struct waiter){.sleeper = sleeper, .index = (uint16_t)s->linked};
        if (!link_case(&s->cases[s->linked], w, s->turns[s->linked]))
            return false;
    }
    return true;
}

/* Steps 4 and 5, after the sleep ended with `error`. Returns the index of a case that is done, -EAGAIN: try
 * again, or the error. */
static int end_sleep(struct selecting *s, struct sleeper *sleeper, int error) {
    for (size_t i = 0; i < s->linked; i++)
        unlink_case(&s->cases[i], &s->waiters[i], !error && sleeper->which == i);
    bool all = s->linked == s->n;
    if (error == -ECANCELED || (error == -ETIMEDOUT && all))
        return error;
    s->start = all ? 0 : s->linked;
    if (error)
        return -EAGAIN;
    uint32_t which = sleeper->which;
    struct aglet_case *c = &s->cases[which];
    switch (c->kind) {
    case AGLET_RECV_: c->result = s->waiters[which].result; return (int)which;
    case AGLET_JOIN_TASK_:
        join_take(c->on, c->item);
        c->result = 0;
        return (int)which;
    default: s->start = which; return -EAGAIN;
    }
}

int aglet_select(struct aglet_case *cases, size_t n, aglet_time deadline) {
    int error = await_begin("select", CALLER());
    if (error || (error = check_cases(cases, n, task_self() != NULL)))
        return error;
    uint32_t turns[MAX_CASES];
    struct waiter waiters[MAX_CASES];
    struct selecting s = {cases, n, n ? turning() % n : 0, 0, waiters, turns};
    for (;;) {
        int done = try_cases(&s, CALLER());
        if (done != -EAGAIN)
            return done;
        if (deadline == 0)
            return -ETIMEDOUT;
        struct sleeper sleeper;
        sleeper_init(&sleeper);
        sleeper.many = true;
        bool all = link_cases(&s, &sleeper);
        /* A case that can go on now: sleep with a deadline that has passed, which lets a waker that was
         * faster win. */
        error = sleeper_wait(&sleeper, all ? deadline : 0, "select");
        done = end_sleep(&s, &sleeper, error);
        if (done != -EAGAIN)
            return done;
    }
}

int aglet_select_poll(struct aglet_frame *f, struct aglet_case *cases, size_t n, aglet_time deadline) {
    struct step_wait *w = step_wait(f);
    struct selecting *s;
    if (f->stage_ == STEP_NEW) {
        int error = n > MAX_CASES ? -EINVAL : step_begin(f, CALLER());
        if (error || (error = check_cases(cases, n, true)))
            return error;
        uint32_t turns[MAX_CASES];
        struct selecting first = {cases, n, n ? turning() % n : 0, 0, NULL, turns};
        int done = try_cases(&first, CALLER());
        if (done != -EAGAIN)
            return done;
        if (deadline == 0)
            return -ETIMEDOUT;
        if ((error = step_arm(f, deadline, sizeof *s + n * (sizeof *s->waiters + sizeof *s->turns))))
            return error;
        s = (struct selecting *)(void *)w->more->room;
        *s = first;
        s->waiters = (struct waiter *)(void *)(s + 1);
        s->turns = (uint32_t *)(void *)(s->waiters + n);
        memcpy(s->turns, turns, n * sizeof *turns);
    } else {
        s = (struct selecting *)(void *)w->more->room;
        int seen = step_look(f);
        if (seen == AGLET_PENDING)
            return seen;
        int done = end_sleep(s, &w->sleeper, seen && sleeper_give_up(&w->sleeper) ? seen : 0);
        if (done == -EAGAIN)
            done = try_cases(s, CALLER());
        if (done != -EAGAIN)
            return step_end(f, done);
    }
    for (;;) {
        step_again(f);
        w->sleeper.many = true;
        if (step_is_late(f))
            return step_end(f, -ETIMEDOUT);
        if (link_cases(s, &w->sleeper))
            return step_pending(f, STEP_WAITING, "select");
        int done = end_sleep(s, &w->sleeper, sleeper_give_up(&w->sleeper) ? -ETIMEDOUT : 0);
        if (done == -EAGAIN)
            done = try_cases(s, CALLER());
        if (done != -EAGAIN)
            return step_end(f, done);
    }
}
