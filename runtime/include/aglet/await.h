/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a stackless task can wait for besides sleeps, joins and channels: everything that a stackful one can.
 * Stands on aglet/stackless.h and on the header of each thing.
 *
 *     AGLET_AWAIT(f, f->n, aglet_read_poll(&f->aglet_, &f->io, f->buffer, sizeof f->buffer, AGLET_FOREVER));
 *
 * Each function is the one of the same name without `_poll`, with its results, and AGLET_PENDING until it is
 * done. A deadline that is computed (aglet_after_ms) counts at the first call only; AGLET_FOREVER is none.
 * What the arguments point to (cases, buffers, addresses) must stay while the task is parked: in the frame,
 * not in a local. An await with a deadline, a select, a connect to a name and blocking work take some memory
 * while they last, and return -ENOMEM where there is none. */
#ifndef AGLET_AWAIT_H
#define AGLET_AWAIT_H

#include "aglet/async_mutex.h"
#include "aglet/async_rwlock.h"
#include "aglet/async_semaphore.h"
#include "aglet/broadcast.h"
#include "aglet/fs.h"
#include "aglet/net.h"
#include "aglet/select.h"
#include "aglet/stackless.h"

AGLET_BEGIN_DECLS

/* Time and tasks. aglet_timeout_poll starts a stackful task, and not at all (-ETIMEDOUT) once the deadline
 * has passed. aglet_join_all_poll leaves the tasks not yet joined non-NULL. */
AGLET_API int aglet_interval_poll(struct aglet_frame *f, aglet_interval *interval) AGLET_AWAITS;
AGLET_API int aglet_join_until_poll(struct aglet_frame *f, aglet_task *task, void **result,
                                    aglet_time deadline) AGLET_AWAITS;
AGLET_API int aglet_join_all_poll(struct aglet_frame *f, aglet_task **tasks, void **results,
                                  size_t n) AGLET_AWAITS;
AGLET_API int aglet_group_join_poll(struct aglet_frame *f, aglet_group *group) AGLET_AWAITS;
AGLET_API int aglet_timeout_poll(struct aglet_frame *f, aglet_task_fn *entry, void *arg, aglet_time deadline,
                                 void **result) AGLET_AWAITS;

/* Channels and select; a broadcast or watch type has name_recv_poll(f, rx, item, deadline). */
AGLET_API int aglet_chan_recv_until_poll_(struct aglet_frame *f, aglet_chan *c, void *item,
                                          aglet_time deadline) AGLET_AWAITS;
AGLET_API int aglet_chan_send_until_poll_(struct aglet_frame *f, aglet_chan *c, const void *item,
                                          aglet_time deadline) AGLET_AWAITS;
AGLET_API int aglet_chan_recv_many_poll_(struct aglet_frame *f, aglet_chan *c, void *items,
                                         size_t max) AGLET_AWAITS;
#define aglet_recv_until_poll(f, rx, item, deadline)                                                         \
    aglet_chan_recv_until_poll_((f), (rx)->chan_, (item), (deadline))
#define aglet_send_until_poll(f, tx, item, deadline)                                                         \
    aglet_chan_send_until_poll_((f), (tx)->chan_, (item), (deadline))
#define aglet_recv_many_poll(f, rx, items, max) aglet_chan_recv_many_poll_((f), (rx)->chan_, (items), (max))
AGLET_API int aglet_select_poll(struct aglet_frame *f, struct aglet_case *cases, size_t n,
                                aglet_time deadline) AGLET_AWAITS;

/* Async locks. They may be held across awaits. */
AGLET_API int aglet_async_mutex_lock_poll(struct aglet_frame *f, aglet_async_mutex *mu, aglet_time deadline)
    AGLET_TRY_ACQUIRES(0, mu) AGLET_AWAITS;
AGLET_API int aglet_async_rwlock_read_poll(struct aglet_frame *f, aglet_async_rwlock *rw,
                                           aglet_time deadline) AGLET_AWAITS;
AGLET_API int aglet_async_rwlock_write_poll(struct aglet_frame *f, aglet_async_rwlock *rw,
                                            aglet_time deadline) AGLET_TRY_ACQUIRES(0, rw) AGLET_AWAITS;
AGLET_API int aglet_async_semaphore_take_poll(struct aglet_frame *f, aglet_async_semaphore *s,
                                              aglet_time deadline) AGLET_AWAITS;
AGLET_API int aglet_async_cond_wait_poll(struct aglet_frame *f, aglet_async_cond *cond, aglet_async_mutex *mu,
                                         aglet_time deadline) AGLET_AWAITS;

/* A once in two halves, because what is done once may itself await. begin: 0 when it was done, 1 when the
 * caller is to do it and then to call end, with 0 or, for the next one to try, an error. */
AGLET_API int aglet_async_once_begin_poll(struct aglet_frame *f, aglet_async_once *once) AGLET_AWAITS;
AGLET_API void aglet_async_once_end(aglet_async_once *once, int error);

/* Descriptors. At most 2^30 bytes in one call. A signal is opened, waited for as often as one likes, closed. */
AGLET_API int aglet_readable_poll(struct aglet_frame *f, aglet_io *io, aglet_time deadline) AGLET_AWAITS;
AGLET_API int aglet_writable_poll(struct aglet_frame *f, aglet_io *io, aglet_time deadline) AGLET_AWAITS;
AGLET_API int aglet_read_poll(struct aglet_frame *f, aglet_io *io, void *to, size_t n,
                              aglet_time deadline) AGLET_AWAITS;
AGLET_API int aglet_read_all_poll(struct aglet_frame *f, aglet_io *io, void *to, size_t n,
                                  aglet_time deadline) AGLET_AWAITS;
AGLET_API int aglet_write_poll(struct aglet_frame *f, aglet_io *io, const void *from, size_t n,
                               aglet_time deadline) AGLET_AWAITS;
AGLET_API int aglet_readv_poll(struct aglet_frame *f, aglet_io *io, const struct iovec *to, int n,
                               aglet_time deadline) AGLET_AWAITS;
AGLET_API int aglet_writev_poll(struct aglet_frame *f, aglet_io *io, const struct iovec *from, int n,
                                aglet_time deadline) AGLET_AWAITS;
AGLET_API int aglet_signal_poll(struct aglet_frame *f, aglet_signal *signal) AGLET_AWAITS;
AGLET_API int aglet_accept_poll(struct aglet_frame *f, aglet_io *listener, aglet_io *connection,
                                aglet_time deadline) AGLET_AWAITS;
AGLET_API int aglet_tcp_connect_poll(struct aglet_frame *f, aglet_io *connection, const char *host,
                                     uint16_t port, aglet_time deadline) AGLET_AWAITS;
AGLET_API int aglet_unix_connect_poll(struct aglet_frame *f, aglet_io *connection, const char *path,
                                      aglet_time deadline) AGLET_AWAITS;

/* The blocking pools. Work that runs is waited for, even by an aborted task. */
AGLET_API int aglet_run_blocking_poll(struct aglet_frame *f, void *(*work)(void *arg), void *arg,
                                      void **result) AGLET_AWAITS;
AGLET_API int aglet_lookup_poll(struct aglet_frame *f, const char *host, uint16_t port,
                                struct sockaddr_storage *addresses, int max) AGLET_AWAITS;
AGLET_API int aglet_file_open_poll(struct aglet_frame *f, const char *path, int flags,
                                   mode_t mode) AGLET_AWAITS;
AGLET_API int aglet_file_close_poll(struct aglet_frame *f, int fd) AGLET_AWAITS;
AGLET_API int aglet_file_read_poll(struct aglet_frame *f, int fd, void *to, size_t n, off_t at) AGLET_AWAITS;
AGLET_API int aglet_file_write_poll(struct aglet_frame *f, int fd, const void *from, size_t n,
                                    off_t at) AGLET_AWAITS;
AGLET_API int aglet_file_sync_poll(struct aglet_frame *f, int fd) AGLET_AWAITS;
AGLET_API int aglet_file_stat_poll(struct aglet_frame *f, const char *path, struct stat *st) AGLET_AWAITS;
AGLET_API int aglet_file_rename_poll(struct aglet_frame *f, const char *from, const char *to) AGLET_AWAITS;
AGLET_API int aglet_file_unlink_poll(struct aglet_frame *f, const char *path) AGLET_AWAITS;

AGLET_END_DECLS
#endif
