/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reading and writing as tasks do it: try, and wait only after EAGAIN. Stands on reactor.h; threads use
 * poll(2). */
#include "io_core.h"
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

int aglet_io_open(aglet_io *io, int fd) {
    int flags = fcntl(fd, F_GETFL);
    *io = (aglet_io){.fd = -1};
    if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0))
        return -errno;
    io->fd = fd;
    return 0;
}

void aglet_io_close(aglet_io *io) {
    if (io->fd < 0)
        return;
    io_source_remove(io->source_);
    close(io->fd);
    *io = (aglet_io){.fd = -1};
}

int aglet_io_release(aglet_io *io) {
    int fd = io->fd;
    if (fd >= 0)
        io_source_remove(io->source_);
    *io = (aglet_io){.fd = -1};
    return fd;
}

int io_attach(aglet_io *io) {
    if (io->source_ && !io_source_is_dead(io->source_))
        return 0;
    io_source_remove(io->source_);
    io->source_ = NULL;
    io->dry_ = false;
    return io_source_add(worker_self()->reactor, io->fd, &io->source_);
}

static int wait_as_thread(aglet_io *io, enum io_direction d, aglet_time deadline) {
    struct pollfd p = {.fd = io->fd, .events = d == IO_READ ? POLLIN : POLLOUT};
    for (;;) {
        aglet_time now = aglet_now();
        int64_t left = deadline == AGLET_FOREVER ? -1
                       : deadline <= now         ? 0
                                                 : (deadline - now - 1) / 1000000 + 1;
        int n = poll(&p, 1, left > 1000000 ? 1000000 : (int)left);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (deadline != AGLET_FOREVER && aglet_now() >= deadline)
            return -ETIMEDOUT;
    }
}

static bool may_suspend(void) {
    struct aglet_task *t = task_self();
    return t && atomic_load_explicit(&t->kind, memory_order_relaxed) == TASK_STACKFUL;
}

ssize_t io_loop(aglet_io *io, enum io_direction d, ssize_t (*attempt)(int fd, void *context), void *context,
                aglet_time deadline, const char *why, const void *caller) {
    int error = await_begin(why, caller);
    if (error)
        return error;
    bool task = may_suspend();
    if (AGLET_UNLIKELY(task && io->source_ && io_source_is_dead(io->source_)) && (error = io_attach(io)))
        return error;
    for (;;) {
        bool drains = false;
        uint32_t turn = task && io->source_ ? io_source_turn(io->source_, d, &drains) : 0;
        ssize_t n =
            attempt == io_try_read ? io_try_read_wet(io, context, turn, drains) : attempt(io->fd, context);
        if (n >= 0) {
            task_spend();
            return n;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return -errno;
        if (!task) {
            error = wait_as_thread(io, d, deadline);
        } else if (!io->source_) {
            /* Registering reports what is ready as a first event, so the turn is read after it and before one
             * more try. */
            error = io_attach(io);
            if (!error)
                continue;
        } else {
            error = io_source_wait(io->source_, d, turn, deadline, why);
        }
        if (error)
            return error;
    }
}

ssize_t io_try_readable(int fd, void *unused) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    (void)unused;
    if (poll(&p, 1, 0) > 0)
        return 0;
    errno = EAGAIN;
    return -1;
}

ssize_t io_try_writable(int fd, void *unused) {
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    (void)unused;
    if (poll(&p, 1, 0) > 0)
        return 0;
    errno = EAGAIN;
    return -1;
}

int aglet_wait_readable(aglet_io *io, aglet_time deadline) {
    return (int)io_loop(io, IO_READ, io_try_readable, NULL, deadline, "readable", CALLER());
}

int aglet_wait_writable(aglet_io *io, aglet_time deadline) {
    return (int)io_loop(io, IO_WRITE, io_try_writable, NULL, deadline, "writable", CALLER());
}

ssize_t io_try_read(int fd, void *span) {
    struct io_span *s = span;
    return read(fd, s->at, s->n);
}

/* Sockets first: send(2) raises no signal. A descriptor that is no socket is remembered by the caller's span.
 */
ssize_t io_try_write(int fd, void *span) {
    struct io_span *s = span;
    ssize_t n = send(fd, s->at, s->n, MSG_NOSIGNAL);
    if (n < 0 && errno == ENOTSOCK)
        n = write(fd, s->at, s->n);
    return n;
}

ssize_t io_try_readv(int fd, void *span) {
    struct io_span *s = span;
    return readv(fd, s->at, (int)s->n);
}

ssize_t io_try_writev(int fd, void *span) {
    struct io_span *s = span;
    struct msghdr m = {.msg_iov = s->at, .msg_iovlen = s->n};
    ssize_t n = sendmsg(fd, &m, MSG_NOSIGNAL);
    if (n < 0 && errno == ENOTSOCK)
        n = writev(fd, s->at, (int)s->n);
    return n;
}

static ssize_t read_once(aglet_io *io, void *to, size_t n, aglet_time deadline, const void *caller) {
    return io_loop(io, IO_READ, io_try_read, &(struct io_span){to, n}, deadline, "read", caller);
}

ssize_t aglet_read(aglet_io *io, void *to, size_t n) {
    return read_once(io, to, n, AGLET_FOREVER, CALLER());
}

ssize_t aglet_read_until(aglet_io *io, void *to, size_t n, aglet_time deadline) {
    return read_once(io, to, n, deadline, CALLER());
}

ssize_t aglet_readv(aglet_io *io, const struct iovec *to, int n) {
    return io_loop(io, IO_READ, io_try_readv, &(struct io_span){(void *)(uintptr_t)to, (size_t)n},
                   AGLET_FOREVER, "read", CALLER());
}

ssize_t aglet_read_all(aglet_io *io, void *to, size_t n) {
    size_t done = 0;
    while (done < n) {
        ssize_t got = read_once(io, (char *)to + done, n - done, AGLET_FOREVER, CALLER());
        if (got < 0)
            return got;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static ssize_t write_all(aglet_io *io, const void *from, size_t n, aglet_time deadline, const void *caller) {
    size_t done = 0;
    do {
        struct io_span rest = {(char *)(uintptr_t)from + done, n - done};
        ssize_t put = io_loop(io, IO_WRITE, io_try_write, &rest, deadline, "write", caller);
        if (put < 0)
            return put;
        done += (size_t)put;
    } while (done < n);
    return (ssize_t)done;
}

ssize_t aglet_write(aglet_io *io, const void *from, size_t n) {
    return write_all(io, from, n, AGLET_FOREVER, CALLER());
}

ssize_t aglet_write_until(aglet_io *io, const void *from, size_t n, aglet_time deadline) {
    return write_all(io, from, n, deadline, CALLER());
}

ssize_t aglet_writev(aglet_io *io, const struct iovec *from, int n) {
    return io_loop(io, IO_WRITE, io_try_writev, &(struct io_span){(void *)(uintptr_t)from, (size_t)n},
                   AGLET_FOREVER, "write", CALLER());
}

int aglet_pipe(aglet_io *reader, aglet_io *writer) {
    int ends[2] = {-1, -1};
    int error = pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0 ? -errno : 0;
    *reader = (aglet_io){.fd = ends[0]};
    *writer = (aglet_io){.fd = ends[1]};
    return error;
}
