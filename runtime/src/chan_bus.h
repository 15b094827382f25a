/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Broadcast and watch as stackless tasks use them. Stands on task_sleep.h. */
#ifndef AGLET_SRC_CHAN_BUS_H
#define AGLET_SRC_CHAN_BUS_H

#include "aglet/broadcast.h"
#include "task_sleep.h"

/* A receiver: which bus, the number of the value it wants, and whether older ones are left out. */
struct bus_place {
    aglet_bus *bus;
    uint64_t *at;
    bool latest;
};

/* Take the next value, or link w, where it is not NULL, and return -EAGAIN. A waiter that fires is to try
 * again. Returns   0, -EPIPE, -EOVERFLOW, -EAGAIN. */
int bus_recv_begin(const struct bus_place *place, void *item, struct waiter *w);

/* For select: link w, unless there is something to take (then false). */
bool bus_recv_link(const struct bus_place *place, struct waiter *w);

/* Take a waiter back. Returns true when it was still linked. */
bool bus_recv_unlink(const struct bus_place *place, struct waiter *w);

#endif
