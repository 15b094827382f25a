/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the I/O functions share: attach to a reactor, and the loop of system call and wait. Stands on
 * reactor.h. */
#ifndef AGLET_SRC_IO_CORE_H
#define AGLET_SRC_IO_CORE_H

#include "aglet/io.h"
#include "task_sleep.h"

/* Register with the calling worker's reactor unless that was done. Returns 0 or a negative errno value.
 * Requires  the caller is a task. */
int io_attach(aglet_io *io);

/* Call attempt(io->fd, context) until it does not fail with EAGAIN, waiting in between: as a task in the
 * reactor, as a thread in poll(2). `turn` is kept by the loop. Returns what the attempt returned, or a
 * negative errno value. */
ssize_t io_loop(aglet_io *io, enum io_direction d, ssize_t (*attempt)(int fd, void *context), void *context,
                aglet_time deadline, const char *why, const void *caller);

#endif
