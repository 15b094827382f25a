/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Channels as select and stackless tasks use them: begin an operation, and take it back.
 * Stands on task_sleep.h. */
#ifndef AGLET_SRC_CHAN_H
#define AGLET_SRC_CHAN_H

#include "aglet/channel.h"
#include "task_sleep.h"

/* Send *item (copied) or receive into *item, or else link w, if not NULL, and return -EAGAIN. When w fires,
 * its result is that of the operation. A sender's w with `notify` set is only told that there may be room
 * now.
 *
 * Returns   0 done, -EPIPE, -ENOMEM, -EAGAIN waiting (with w) or nothing done (without). */
int chan_send_begin(aglet_chan *c, const void *item, struct waiter *w);
int chan_recv_begin(aglet_chan *c, void *item, struct waiter *w);

/* Behind the n items there are, put what is queued now, up to max in all; how many there are then. */
size_t chan_take_more(aglet_chan *c, void *items, size_t n, size_t max);

/* For select: link w unless the operation could go on at once. Returns whether it was linked. */
bool chan_send_link(aglet_chan *c, struct waiter *w);
bool chan_recv_link(aglet_chan *c, void *item, struct waiter *w);

/* Take a waiter back. Returns true when it was still linked: then it has not fired. */
bool chan_send_unlink(aglet_chan *c, struct waiter *w);
bool chan_recv_unlink(aglet_chan *c, struct waiter *w);

/* A handle that was dropped is zero, and whoever uses it gets this: -EPIPE. The checked library reports it
 * (send-after-close); `what` is the operation. */
int chan_dropped(const char *what, const void *caller);

/* The address an item leaves from while its sender waits is w->slot. */

#endif
