/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Waiting until the kernel says a file descriptor can be read or written. One reactor per worker, so a task's
 * I/O comes back to the thread it is pinned to. Stands on epoll(7), edge triggered; io_uring could stand
 * behind the same five functions. */
#ifndef AGLET_SRC_REACTOR_H
#define AGLET_SRC_REACTOR_H

#include "aglet/base.h"

#include <stdatomic.h>

struct waiter;
struct io_source;
struct sleeper;

/* Never freed: a descriptor may be closed after the executor it was used on has ended. */
struct reactor {
    int epoll_fd; /* -1 until the first source */
    int wake_fd;  /* eventfd, ends a poll from another thread */
    _Atomic long sources;
    _Atomic uint32_t life; /* changes when the reactor's worker ends; sources of an earlier life are dead */
    struct reactor *next_free;
};

enum io_direction { IO_READ, IO_WRITE };

/* NULL: no memory. */
struct reactor *reactor_new(void);
void reactor_free(struct reactor *r);

/* Deliver what is ready; wait for it until `deadline` (0: do not wait). Returns the number of events. The
 * owner only. */
int reactor_poll(struct reactor *r, aglet_time deadline);

/* End a poll that waits, or the next one. Any thread. */
void reactor_kick(struct reactor *r);

/* Watch a non-blocking descriptor.
 *
 * Returns   0 with *source set, or -ENOMEM, -ENOSPC, -EPERM (a regular file). Called by r's owner. */
int io_source_add(struct reactor *r, int fd, struct io_source **source);

/* Stop watching, before the descriptor is closed; who waits on it is woken with -ECANCELED. NULL is fine. Any
 * thread. */
void io_source_remove(struct io_source *source);

/* Is its reactor gone, so that nobody will tell of events any more? Then remove it and add another. */
bool io_source_is_dead(struct io_source *source);

/* A number that changes with every event of this direction: read it before trying the system call. *drains
 * (where not NULL) says whether a read that gets less than it asks for leaves nothing behind, so that an event
 * will tell of more: true of a TCP stream whose other side has neither closed nor sent urgent data. */
uint32_t io_source_turn(struct io_source *source, enum io_direction d, bool *drains);

/* Sleep until there was an event since `turn`. Returns 0, -ETIMEDOUT, -ECANCELED. */
int io_source_wait(struct io_source *source, enum io_direction d, uint32_t turn, aglet_time deadline,
                   const char *why);

/* For select: link w unless there was an event since turn (then false). unlink is fine in any state. */
bool io_source_link(struct io_source *source, enum io_direction d, uint32_t turn, struct waiter *w);
void io_source_unlink(struct io_source *source, enum io_direction d, struct waiter *w);

#endif
