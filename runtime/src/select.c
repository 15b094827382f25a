/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Select. Stands on the begin/link/unlink functions of chan.h, task_join.h and reactor.h.
 *
 *   1. try every case, from a changing start; the first that can be done is done (try_case).
 *   2. link a waiter for each; one that could go on meanwhile sends us back to 1 (link_case).
 *   3. sleep: at most one waker wins the claim.  4. take all waiters back (unlink_case).
 *   5. a received value or a task's end was delivered by the waker: done. For a send or a descriptor the
 * waker only said that it may be possible now: back to 1, beginning with that case; if then another one is
 * done, or none, the next waiting sender is told in our place (chan_nudge). */
#include "aglet/select.h"
#include "chan.h"
#include "check.h"
#include "io_core.h"
#include "task_join.h"

#include <poll.h>

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

static int try_case(struct aglet_case *c, const void *caller) {
    switch (c->kind) {
    case AGLET_RECV_:
        return c->on ? chan_recv_begin(c->on, c->item, NULL) : chan_dropped("receive", caller);
    case AGLET_SEND_:
        return c->on ? chan_send_begin(c->on, c->item, NULL) : chan_dropped("send", caller);
    case AGLET_JOIN_TASK_: {
        struct aglet_task *t = c->on;
        /* Partner: the exchange in task_end. */
        if (atomic_load_explicit(&t->join, memory_order_acquire) != JOIN_ENDED)
            return -EAGAIN;
        join_take(t, c->item);
        return 0;
    }
    case AGLET_READABLE_:
    case AGLET_WRITABLE_: {
        struct pollfd p = {.fd = ((aglet_io *)c->on)->fd,
                           .events = c->kind == AGLET_READABLE_ ? POLLIN : POLLOUT};
        return poll(&p, 1, 0) > 0 ? 0 : -EAGAIN;
    }
    default:
        return -EAGAIN;
    }
}

/* Returns whether it is linked; false: it can be done now. */
static bool link_case(struct aglet_case *c, struct waiter *w, uint32_t turn) {
    switch (c->kind) {
    case AGLET_RECV_:
        return chan_recv_link(c->on, c->item, w);
    case AGLET_SEND_:
        return chan_send_link(c->on, w);
    case AGLET_JOIN_TASK_:
        return join_link(c->on, w);
    case AGLET_READABLE_:
    case AGLET_WRITABLE_:
        return io_source_link(((aglet_io *)c->on)->source_, direction(c), turn, w);
    default:
        return true;
    }
}

static void unlink_case(struct aglet_case *c, struct waiter *w, bool fired) {
    switch (c->kind) {
    case AGLET_RECV_:
        chan_recv_unlink(c->on, w);
        break;
    case AGLET_SEND_:
        chan_send_unlink(c->on, w);
        break;
    case AGLET_JOIN_TASK_:
        if (!fired)
            join_unlink(c->on, w);
        break;
    case AGLET_READABLE_:
    case AGLET_WRITABLE_:
        io_source_unlink(((aglet_io *)c->on)->source_, direction(c), w);
        break;
    default:
        break;
    }
}

static void pass_on(struct aglet_case *cases, int notified, int done) {
    if (notified >= 0 && notified != done && cases[notified].kind == AGLET_SEND_)
        chan_nudge(cases[notified].on);
}

int aglet_select(struct aglet_case *cases, size_t n, aglet_time deadline) {
    if (n > MAX_CASES)
        return -EINVAL;
    int error = await_begin("select", CALLER());
    if (error)
        return error;
    struct aglet_task *t = task_self();
    for (size_t i = 0; i < n; i++)
        if (is_io(&cases[i])) {
            if (!t)
                return -ENOTSUP;
            if ((error = io_attach(cases[i].on)))
                return error;
        }
    int notified = -1;
    size_t start = n ? turning() % n : 0;
    for (;;) {
        uint32_t turns[MAX_CASES];
        for (size_t k = 0; k < n; k++) {
            size_t i = (start + k) % n;
            if (is_io(&cases[i]))
                turns[i] = io_source_turn(((aglet_io *)cases[i].on)->source_, direction(&cases[i]), NULL);
            int result = try_case(&cases[i], CALLER());
            if (result == -EAGAIN)
                continue;
            cases[i].result = result;
            pass_on(cases, notified, (int)i);
            task_spend();
            return (int)i;
        }
        pass_on(cases, notified, notified);
        notified = -1;
        if (deadline == 0)
            return -ETIMEDOUT;

        struct sleeper s;
        sleeper_init(&s);
        s.many = true;
        struct waiter w[MAX_CASES];
        size_t linked = 0;
        for (; linked < n; linked++) {
            w[linked] = (struct waiter){.sleeper = &s, .index = (uint16_t)linked};
            if (!link_case(&cases[linked], &w[linked], turns[linked]))
                break;
        }
        /* A case that can go on now: sleep with a deadline that has passed, which lets a waker that was
         * faster win. */
        error = sleeper_wait(&s, linked < n ? 0 : deadline, "select");
        for (size_t i = 0; i < linked; i++)
            unlink_case(&cases[i], &w[i], !error && s.which == i);
        if (error == -ECANCELED || (error == -ETIMEDOUT && linked == n))
            return error;
        start = linked < n ? linked : 0;
        if (error)
            continue;
        size_t which = s.which;
        switch (cases[which].kind) {
        case AGLET_RECV_:
            cases[which].result = w[which].result;
            return (int)which;
        case AGLET_JOIN_TASK_:
            join_take(cases[which].on, cases[which].item);
            cases[which].result = 0;
            return (int)which;
        default:
            notified = (int)which;
            start = which;
        }
    }
}
