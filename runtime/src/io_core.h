/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the I/O functions share: attach to a reactor, and the loop of system call and wait. Stands on
 * reactor.h. */
#ifndef AGLET_SRC_IO_CORE_H
#define AGLET_SRC_IO_CORE_H

#include "aglet/io.h"
#include "task_sleep.h"

#include <errno.h>

/* Register with the calling worker's reactor unless that was done. Returns 0 or a negative errno value.
 * Requires  the caller is a task. */
int io_attach(aglet_io *io);

/* Call attempt(io->fd, context) until it does not fail with EAGAIN, waiting in between: as a task in the
 * reactor, as a thread in poll(2). Returns what the attempt returned, or a
 * negative errno value. */
ssize_t io_loop(aglet_io *io, enum io_direction d, ssize_t (*attempt)(int fd, void *context), void *context,
                aglet_time deadline, const char *why, const void *caller);

/* What there is to attempt on a descriptor; io_loop calls them, and so do stackless tasks. The context of the
 * first two is not used. */
ssize_t io_try_readable(int fd, void *unused);
ssize_t io_try_writable(int fd, void *unused);
struct io_span {
    void *at;
    size_t n; /* bytes; of the vector forms, parts */
};
ssize_t io_try_read(int fd, void *span);
ssize_t io_try_write(int fd, void *span);
ssize_t io_try_readv(int fd, void *span);
ssize_t io_try_writev(int fd, void *span);
/* io_try_read where that can be of use: a read of a stream that got less than it asked for has emptied it, and
 * the edge-triggered reactor will tell when there is more; so the next read, unless the source's turn has
 * changed, need not be tried, which saves a system call per message. turn and drains are what io_source_turn
 * says before. */
static inline ssize_t io_try_read_wet(aglet_io *io, const struct io_span *span, uint32_t turn, bool drains) {
    if (drains && io->dry_ && io->dry_turn_ == turn) {
        errno = EAGAIN;
        return -1;
    }
    ssize_t n = io_try_read(io->fd, (void *)(uintptr_t)span);
    io->dry_ = n > 0 && (size_t)n < span->n;
    io->dry_turn_ = turn;
    return n;
}

ssize_t io_try_signal(int fd, void *count); /* uint64_t */
ssize_t io_try_accept(int fd, void *unused);

/* How often a signal came, as its functions return it. */
static inline int io_signal_count(uint64_t count) {
    return count > INT32_MAX ? INT32_MAX : (int)count;
}

/* What accept(2) gave, made an aglet_io. */
int io_accepted(aglet_io *connection, ssize_t fd);

#endif
