/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Descriptors that tasks can wait for: pipes, sockets, anything epoll knows. Stands on aglet/base.h.
 *
 * An aglet_io owns a non-blocking descriptor. In a task its calls suspend the task; in an OS thread they
 * block it. Results are bytes or a negative errno value. One task may read while another writes. It belongs
 * to the worker whose task first waits on it: a connection is best served by one task. */
#ifndef AGLET_IO_H
#define AGLET_IO_H

#include "aglet/base.h"

#include <sys/types.h>
#include <sys/uio.h>

AGLET_BEGIN_DECLS

struct io_source;

/* Zero is not valid: make it with one of the functions below, or one of net.h. Where that fails it is closed, so that
 * aglet_io_close does no harm. Not to be copied, but it may be moved as long as nobody has waited on it. */
typedef struct aglet_io {
    int fd; /* -1 when closed */
    struct io_source *source_;
    uint32_t dry_turn_; /* of the source, at the last read; that took less than it asked for */
    bool dry_;
} aglet_io;

/* Own `fd` from now on; it becomes non-blocking. Returns 0 or a negative errno value, then fd is the
 * caller's. */
AGLET_API int aglet_io_open(aglet_io *io, int fd);

/* Close the descriptor; who still waits on it gets -ECANCELED. A closed one is fine. */
AGLET_API void aglet_io_close(aglet_io *io);

/* Stop watching the descriptor and give it back, open; who still waits on it gets -ECANCELED. Returns it, -1
 * when closed. */
AGLET_API int aglet_io_release(aglet_io *io);

/* Read what is there, waiting for the first byte. 0: the end. */
AGLET_API ssize_t aglet_read(aglet_io *io, void *to, size_t n) AGLET_YIELDS;
AGLET_API ssize_t aglet_read_until(aglet_io *io, void *to, size_t n, aglet_time deadline) AGLET_YIELDS;
AGLET_API ssize_t aglet_readv(aglet_io *io, const struct iovec *to, int n) AGLET_YIELDS;

/* Read exactly n bytes. Returns n, fewer at the end of the stream, or a negative errno value. */
AGLET_API ssize_t aglet_read_all(aglet_io *io, void *to, size_t n) AGLET_YIELDS;

/* Write all n bytes. Returns n, or a negative errno value when not all could be written (-EPIPE: no signal is
 * raised for sockets). aglet_writev may write less. */
AGLET_API ssize_t aglet_write(aglet_io *io, const void *from, size_t n) AGLET_YIELDS;
AGLET_API ssize_t aglet_write_until(aglet_io *io, const void *from, size_t n,
                                    aglet_time deadline) AGLET_YIELDS;
AGLET_API ssize_t aglet_writev(aglet_io *io, const struct iovec *from, int n) AGLET_YIELDS;

/* Wait until a read, or a write, would not block. For libraries that do their own system calls. */
AGLET_API int aglet_wait_readable(aglet_io *io, aglet_time deadline) AGLET_YIELDS;
AGLET_API int aglet_wait_writable(aglet_io *io, aglet_time deadline) AGLET_YIELDS;

/* Both ends of a pipe. Returns 0 or a negative errno value. */
AGLET_API int aglet_pipe(aglet_io *reader, aglet_io *writer);

/* Signals as something to wait for: open one, then aglet_signal_wait or AGLET_CASE_READABLE. While at least
 * one is open for a signal, the signal's default action does not happen. Returns 0, -EINVAL, -EMFILE (also:
 * more than 64 open). */
typedef struct aglet_signal {
    aglet_io io;
    int number;
} aglet_signal;
AGLET_API int aglet_signal_open(aglet_signal *signal, int number);
AGLET_API void aglet_signal_close(aglet_signal *signal);

/* Returns how often the signal came since the last call, at least 1, or a negative errno value. */
AGLET_API int aglet_signal_next(aglet_signal *signal) AGLET_YIELDS;

/* Open, wait for one, close. */
AGLET_API int aglet_signal_wait(int number) AGLET_YIELDS;

AGLET_END_DECLS
#endif
