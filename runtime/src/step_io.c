/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Stackless tasks wait for descriptors: try, and leave a waiter only after EAGAIN. Stands on task_step.h,
 * io_core.h, net_core.h. */
#include "aglet/await.h"
#include "blocking.h"
#include "check.h"
#include "io_core.h"
#include "net_core.h"
#include "task_step.h"

#include <errno.h>
#include <string.h>

enum { MOST = 1 << 30 }; /* bytes in one call: the result is an int */

/* While it waits, the waiter's slot names the source, which the descriptor may have lost when it is closed,
 * and the stage counts what is done. Returns AGLET_PENDING, or why there is nothing to wait for any more; 0:
 * try. */
static int io_woken(struct aglet_frame *f, enum io_direction d) {
    struct step_wait *w = step_wait(f);
    int seen = step_look(f);
    if (seen == AGLET_PENDING)
        return seen;
    if (seen) {
        io_source_unlink(w->waiter.slot, d, &w->waiter);
        if (!sleeper_is_fired(&w->sleeper))
            return seen;
    }
    return w->waiter.result;
}

/* The middle of every operation: try until it is done, with `whole` until all bytes of the span are, else
 * leave a waiter. The caller has begun, or was woken; it ends. */
static int io_go(struct aglet_frame *f, aglet_io *io, enum io_direction d,
                 ssize_t (*attempt)(int fd, void *context), void *context, bool whole, const char *why,
                 aglet_time deadline) {
    struct step_wait *w = step_wait(f);
    uint32_t done = whole && f->stage_ != STEP_NEW ? f->stage_ - STEP_WAITING : 0;
    if (io->source_ && io_source_is_dead(io->source_)) {
        int error = io_attach(io);
        if (error)
            return error;
    }
    for (;;) {
        bool drains = false;
        uint32_t turn = io->source_ ? io_source_turn(io->source_, d, &drains) : 0;
        const struct io_span *all = context;
        struct io_span rest;
        if (whole)
            rest = (struct io_span){(char *)all->at + done, all->n - done};
        void *what = whole ? &rest : context;
        ssize_t n = attempt == io_try_read ? io_try_read_wet(io, what, turn, drains) : attempt(io->fd, what);
        if (n >= 0) {
            if (!whole)
                return (int)n;
            done += (uint32_t)n;
            if (n == 0 || done == all->n)
                return (int)done;
            continue;
        }
        if (errno == EINTR)
            continue;
        int error = errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
        if (error)
            return error;
        if (!io->source_) {
            /* Registering reports what is ready as a first event: the turn is read after it. */
            error = io_attach(io);
            if (error)
                return error;
            continue;
        }
        if (step_is_late(f))
            return -ETIMEDOUT;
        if (!w->more && deadline != AGLET_FOREVER && (error = step_arm(f, deadline, 0)))
            return error;
        struct waiter *waiter = step_again(f);
        waiter->slot = io->source_;
        if (io_source_link(io->source_, d, turn, waiter))
            return step_pending(f, STEP_WAITING + done, why);
    }
}

static int io_poll(struct aglet_frame *f, aglet_io *io, enum io_direction d,
                   ssize_t (*attempt)(int fd, void *context), void *context, bool whole, const char *why,
                   aglet_time deadline, const void *caller) {
    int error;
    if (f->stage_ == STEP_NEW) {
        if ((error = step_begin(f, caller)))
            return error;
    } else if ((error = io_woken(f, d))) {
        return error == AGLET_PENDING ? error : step_end(f, error);
    }
    int result = io_go(f, io, d, attempt, context, whole, why, deadline);
    return result == AGLET_PENDING ? result : step_end(f, result);
}

int aglet_readable_poll(struct aglet_frame *f, aglet_io *io, aglet_time deadline) {
    return io_poll(f, io, IO_READ, io_try_readable, NULL, false, "readable", deadline, CALLER());
}

int aglet_writable_poll(struct aglet_frame *f, aglet_io *io, aglet_time deadline) {
    return io_poll(f, io, IO_WRITE, io_try_writable, NULL, false, "writable", deadline, CALLER());
}

int aglet_read_poll(struct aglet_frame *f, aglet_io *io, void *to, size_t n, aglet_time deadline) {
    struct io_span span = {to, n < MOST ? n : MOST};
    return io_poll(f, io, IO_READ, io_try_read, &span, false, "read", deadline, CALLER());
}

int aglet_read_all_poll(struct aglet_frame *f, aglet_io *io, void *to, size_t n, aglet_time deadline) {
    struct io_span span = {to, n < MOST ? n : MOST};
    return n == 0 ? 0 : io_poll(f, io, IO_READ, io_try_read, &span, true, "read", deadline, CALLER());
}

int aglet_write_poll(struct aglet_frame *f, aglet_io *io, const void *from, size_t n, aglet_time deadline) {
    struct io_span span = {(void *)(uintptr_t)from, n};
    if (n > MOST)
        return -EINVAL;
    return io_poll(f, io, IO_WRITE, io_try_write, &span, true, "write", deadline, CALLER());
}

int aglet_readv_poll(struct aglet_frame *f, aglet_io *io, const struct iovec *to, int n,
                     aglet_time deadline) {
    struct io_span span = {(void *)(uintptr_t)to, (size_t)n};
    return io_poll(f, io, IO_READ, io_try_readv, &span, false, "read", deadline, CALLER());
}

int aglet_writev_poll(struct aglet_frame *f, aglet_io *io, const struct iovec *from, int n,
                      aglet_time deadline) {
    struct io_span span = {(void *)(uintptr_t)from, (size_t)n};
    return io_poll(f, io, IO_WRITE, io_try_writev, &span, false, "write", deadline, CALLER());
}

int aglet_signal_poll(struct aglet_frame *f, aglet_signal *s) {
    uint64_t count = 0;
    int n = io_poll(f, &s->io, IO_READ, io_try_signal, &count, false, "signal", AGLET_FOREVER, CALLER());
    return n < 0 ? n : io_signal_count(count);
}

int aglet_accept_poll(struct aglet_frame *f, aglet_io *listener, aglet_io *connection, aglet_time deadline) {
    int fd = io_poll(f, listener, IO_READ, io_try_accept, NULL, false, "accept", deadline, CALLER());
    return fd == AGLET_PENDING ? fd : io_accepted(connection, fd);
}

static int connect_go(struct aglet_frame *f, aglet_io *io, const struct sockaddr *address, socklen_t length,
                      aglet_time deadline, bool woken) {
    struct net_target target = {address, length, woken};
    int error = 0;
    if (woken)
        error = io_woken(f, IO_WRITE);
    else if ((error = net_socket(io, address->sa_family)))
        return error;
    if (!error)
        error = io_go(f, io, IO_WRITE, net_try_connect, &target, false, "connect", deadline);
    return error == AGLET_PENDING ? error : net_connected(io, error);
}

int aglet_unix_connect_poll(struct aglet_frame *f, aglet_io *connection, const char *path,
                            aglet_time deadline) {
    struct sockaddr_un at;
    bool woken = f->stage_ != STEP_NEW;
    int error = net_unix_address(path, &at);
    if (!woken)
        *connection = (aglet_io){.fd = -1};
    if (error || (!woken && (error = step_begin(f, CALLER()))))
        return error;
    error = connect_go(f, connection, (struct sockaddr *)&at, sizeof at, deadline, woken);
    return error == AGLET_PENDING ? error : step_end(f, error);
}

/* A connect to a name, while it waits. */
struct connecting {
    struct work work;
    struct net_lookup lookup;
    int n, i; /* addresses; the one that is tried */
    struct sockaddr_storage addresses[NET_ADDRESSES];
};

enum { LOOKING_UP = STEP_WAITING + 1 };

/* Each address in turn until one answers. */
static int try_addresses(struct aglet_frame *f, struct connecting *c, aglet_io *io, aglet_time deadline,
                         bool woken) {
    int error = -EHOSTUNREACH;
    for (; c->i < c->n; c->i++, woken = false) {
        struct sockaddr_storage *a = &c->addresses[c->i];
        error = connect_go(f, io, (struct sockaddr *)a, net_length(a), deadline, woken);
        if (!error || error == AGLET_PENDING || error == -ECANCELED || error == -ETIMEDOUT)
            break;
    }
    return error == AGLET_PENDING ? error : step_end(f, error);
}

int aglet_tcp_connect_poll(struct aglet_frame *f, aglet_io *connection, const char *host, uint16_t port,
                           aglet_time deadline) {
    struct step_wait *w = step_wait(f);
    struct connecting *c;
    int error;
    if (f->stage_ == STEP_NEW) {
        *connection = (aglet_io){.fd = -1};
        if ((error = step_begin(f, CALLER())) || (error = step_arm(f, deadline, sizeof *c)))
            return error;
        c = (struct connecting *)(void *)w->more->room;
        memset(c, 0, sizeof *c);
        c->n = net_lookup_begin(&c->lookup, host, port, c->addresses, NET_ADDRESSES);
        if (c->n)
            return c->n < 0 ? step_end(f, c->n) : try_addresses(f, c, connection, deadline, false);
        c->work = (struct work){.run = net_lookup, .arg = &c->lookup, .sleeper = &w->sleeper};
        error = blocking_submit(BLOCKING_LOOKUP, &c->work);
        return error ? step_end(f, error) : step_pending(f, LOOKING_UP, "lookup");
    }
    c = (struct connecting *)(void *)w->more->room;
    if (f->stage_ == STEP_WAITING)
        return try_addresses(f, c, connection, deadline, true);
    int seen = step_look(f);
    if (seen == AGLET_PENDING)
        return seen;
    if (seen && blocking_withdraw(BLOCKING_LOOKUP, &c->work))
        return step_end(f, seen);
    if (!sleeper_is_fired(&w->sleeper))
        return AGLET_PENDING; /* the lookup that runs cannot be stopped, and uses the caller's name */
    c->n = c->lookup.n;
    if (seen || c->n < 0)
        return step_end(f, seen ? seen : c->n == -ENOENT ? -EHOSTUNREACH : c->n);
    step_again(f);
    return try_addresses(f, c, connection, deadline, false);
}
